//! ScanLogic's SL11R and Cypress's EZ-OTG and EZ-Host: one model, three profiles.
//!
//! The CPU is real ([`crate::sim::cores::cy16`]); the mask ROM is emulated service by service,
//! because nobody has published it. What a real program can see of it is kept: addresses in the
//! vectors, the EEPROM read at every reset, the heap, the idle loop in which everything else
//! happens. Where a program leaves what is known, the model stops and says so
//! ([`Device::diagnostics`]).
//!
//! Reading order: `silicon` (the chips and their unknowns), `rom`, `board` and `registers` (what
//! the CPU sees), `run` (time), `boot`, `scan` and `scanning` (records), `services` (INT numbers),
//! `endpoint_zero` (USB), `bulk` and `storage` (what stands in for firmware).
//!
//! Sources: BM, INC, EZ and the rest of the tags in docs/references.md.

mod arena;
mod board;
mod boot;
mod bulk;
mod eeprom_service;
mod endpoint_zero;
mod handler;
mod registers;
mod rom;
mod run;
mod scan;
mod scanning;
mod services;
mod silicon;
mod storage;
#[cfg(test)]
mod tests;

pub use silicon::{EZ_HOST, EZ_OTG, SL11R, Silicon, Unknowns, silicon};

use self::board::Board;
use self::eeprom_service::Parameters;
use self::endpoint_zero::Requests;
use self::handler::Handler;
use self::rom::Rom;
use self::scanning::Scan;
use self::storage::Storage;
use crate::sim::cores::cy16::Cpu;
use crate::sim::device::{Attachment, Completion, Device};
use crate::sim::diagnostic::Diagnostic;
use crate::sim::drives::NamedDrive;
use crate::sim::parts::Eeprom;
use crate::usb::{Setup, Speed};

/// What the CPU is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// No power.
    Off,
    /// Executing.
    Runs,
    /// Executing, and given up: it did not come back to the idle loop. Interrupts still work.
    RanAway,
    /// Stopped where the model or the program ends. Answers nothing.
    Stopped,
}

/// A virtual chip with its EEPROM.
#[derive(Debug)]
pub struct Cy16 {
    board: Board,
    cpu: Cpu,
    rom: Rom,
    life: Life,
    /// Scans that have begun, the innermost last.
    scans: Vec<Scan>,
    eeproms: [Parameters; 2],
    requests: Requests,
    handler: Option<Handler>,
    /// Callbacks of finished SEND and RECEIVE frames, for usb_idle: the code's address.
    callbacks: Vec<u16>,
    /// Hardware interrupts that wait for the CPU to accept them.
    interrupts: Vec<u8>,
    attachment: Option<Attachment>,
    generation: u64,
    storage: Option<Storage>,
    /// Instructions since the last pass of the idle loop.
    instructions: u64,
    /// Something happened that whoever runs the chip waits for.
    event: bool,
    /// Where the current run ends.
    target: u64,
}

impl Cy16 {
    /// A chip without power, `eeprom` on its pins. Parts with one address byte are wired for
    /// INT 64, the others for INT 65.
    pub fn new(silicon: &Silicon, eeprom: Option<Eeprom>) -> Self {
        Self::with_ids(silicon, eeprom, None)
    }

    /// The same with other ids, vendor and product, in the ROM's device descriptor.
    pub fn with_ids(silicon: &Silicon, eeprom: Option<Eeprom>, ids: Option<(u16, u16)>) -> Self {
        let (rom, bytes) = Rom::new(silicon, ids);
        Self {
            board: Board::new(*silicon, &bytes, eeprom),
            cpu: Cpu::new(0),
            rom,
            life: Life::Off,
            scans: Vec::new(),
            eeproms: [Parameters::of(64), Parameters::of(65)],
            requests: Requests::default(),
            handler: None,
            callbacks: Vec::new(),
            interrupts: Vec::new(),
            attachment: None,
            generation: 0,
            storage: None,
            instructions: 0,
            event: false,
            target: 0,
        }
    }

    /// The same chip with other answers to what is not known about it.
    #[must_use]
    pub fn assuming(mut self, unknowns: Unknowns) -> Self {
        self.board.unknowns = unknowns;
        self
    }

    /// The same chip with a drive behind it. No firmware of ours drives one: while the chip
    /// presents itself as mass storage, the model answers in the firmware's place.
    #[must_use]
    pub fn with_drive(mut self, drive: NamedDrive) -> Self {
        self.storage = Some(Storage::new(drive));
        self
    }

    /// What the chip is.
    pub fn silicon(&self) -> &Silicon {
        &self.board.silicon
    }

    /// A byte of the chip's address space, read without effect.
    pub fn peek(&self, address: u16) -> u8 {
        let own = match address & !1 {
            0xC000 => self.cpu.flags().bits(),
            0xC002 => self.cpu.bank(),
            _ => return self.board.peek(address),
        };
        if address & 1 == 0 { own as u8 } else { (own >> 8) as u8 }
    }

    fn register(&mut self, number: u8) -> u16 {
        self.cpu.register(&mut self.board, number)
    }

    fn set_register(&mut self, number: u8, value: u16) {
        self.cpu.set_register(&mut self.board, number, value);
    }

    fn pop(&mut self) -> u16 {
        self.cpu.pop(&mut self.board)
    }

    /// Calls the code at `address`, which returns to the trap `back`.
    fn call(&mut self, address: u16, back: u16) {
        let back = self.rom.trap(back);
        self.cpu.push(&mut self.board, back);
        self.cpu.set_pc(address);
    }

    /// Where vector `number` points.
    fn vector(&self, number: u8) -> u16 {
        self.board.word(2 * u16::from(number))
    }

    /// Whether vector `number` is as the ROM set it.
    fn is_stock(&self, number: u8) -> bool {
        self.vector(number) == self.rom.service(u16::from(number))
    }
}

impl Device for Cy16 {
    fn power_on(&mut self, now: u64) {
        self.begin_power(now);
    }

    fn power_off(&mut self, now: u64) {
        self.life = Life::Off;
        self.board.now = self.board.now.max(now);
        self.attachment = None;
        if let Some(part) = &mut self.board.eeprom {
            part.power_off(now);
        }
    }

    fn run_until(&mut self, time: u64) -> u64 {
        self.advance(time);
        self.board.now
    }

    fn now(&self) -> u64 {
        self.board.now
    }

    fn attachment(&self) -> Option<Attachment> {
        self.attachment
    }

    fn speed(&self) -> Speed {
        Speed::Full
    }

    fn bus_reset(&mut self) {
        self.requests.forget();
        // SIEx slave reset, where a program has taken it over.
        let vector = if self.host_sie() == 2 { 28 } else { 20 };
        self.raise(vector);
        self.report_configuration();
    }

    fn control(&mut self, setup: &Setup, data: &[u8], deadline: u64) -> Completion {
        self.control_transfer(setup, data, deadline)
    }

    fn bulk_out(&mut self, endpoint: u8, data: &[u8], deadline: u64) -> Completion {
        self.bulk_out_transfer(endpoint, data, deadline)
    }

    fn bulk_in(&mut self, endpoint: u8, length: usize, deadline: u64) -> Completion {
        self.bulk_in_transfer(endpoint, length, deadline)
    }

    fn eeprom(&self) -> Option<&Eeprom> {
        self.board.eeprom.as_ref()
    }

    fn eeprom_mut(&mut self) -> Option<&mut Eeprom> {
        self.board.eeprom.as_mut()
    }

    fn diagnostics(&self) -> &[Diagnostic] {
        self.board.diagnostics.list()
    }
}
