//! Carries out scan records: at boot from the EEPROM, from usb_idle what the host sent, from
//! INT 67 what a program's own routine brings.
//!
//! A scan advances one byte each time the CPU comes by the trap SCAN_STEP. Code that a record
//! calls returns there, so it may take its time, be cut off by a lost supply, or never return.

use super::rom::{BYTE_DONE, SCAN_STEP};
use super::scan::{Decoder, Step};
use super::{Cy16, arena};
use crate::sim::cores::cy16::{Bus16, Flags};
use crate::sim::diagnostic::Verdict;

/// Handling of one byte by the ROM (model's choice).
const BYTE_NS: u64 = 1_500;
/// Scans that jumped away and never came back; older ones are forgotten.
const DEPTH: usize = 16;

/// Where the bytes come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// INT 64 or 65, next address.
    Eeprom { interrupt: u8, address: u16 },
    /// What the host sent, next byte.
    Request { bytes: Vec<u8>, next: usize },
    /// A get-byte routine in the chip.
    Routine(u16),
}

/// What follows the end of the stream.
#[derive(Clone, Copy, Debug)]
pub(super) enum Then {
    /// The boot scan with that number.
    Boot(usize),
    /// The rest of usb_idle; the request with that serial number is done.
    Idle(u64),
    /// The caller of INT 67.
    Return,
}

/// A scan that has begun.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    source: Source,
    decoder: Decoder,
    then: Then,
}

impl Scan {
    pub(super) fn new(source: Source, then: Then) -> Self {
        Self { source, decoder: Decoder::default(), then }
    }
}

impl Cy16 {
    /// Begins a scan: the CPU is sent to its first step.
    pub(super) fn begin_scan(&mut self, scan: Scan) {
        if self.scans.len() >= DEPTH {
            self.scans.remove(0);
        }
        self.scans.push(scan);
        let step = self.rom.trap(SCAN_STEP);
        self.cpu.set_pc(step);
    }

    pub(super) fn scan_step(&mut self) {
        let Some(scan) = self.scans.last_mut() else {
            self.board.stop(Verdict::Unknown, "a jump into the ROM's scan loop".to_owned());
            return;
        };
        self.board.now += BYTE_NS;
        let byte = match &mut scan.source {
            Source::Eeprom { interrupt, address } => {
                let at = *address;
                *address = address.wrapping_add(1);
                let [small, large] = self.eeproms;
                let by = if *interrupt == 64 { small } else { large };
                self.board.eeprom_read(by, at).unwrap_or(0xFF)
            }
            Source::Request { bytes, next } => {
                let byte = bytes.get(*next).copied();
                *next += 1;
                byte.unwrap_or(self.board.unknowns.byte_after_request)
            }
            Source::Routine(routine) => {
                let routine = *routine;
                self.call(routine, BYTE_DONE);
                return;
            }
        };
        self.take_byte(byte);
    }

    /// A get-byte routine has returned; its byte is in R0.
    pub(super) fn callback_byte(&mut self) {
        let byte = self.register(0) as u8;
        self.take_byte(byte);
    }

    fn take_byte(&mut self, byte: u8) {
        let Some(scan) = self.scans.last_mut() else { return };
        let step = scan.decoder.take(byte);
        let again = self.rom.trap(SCAN_STEP);
        self.cpu.set_pc(again);
        match step {
            Step::More => {}
            Step::End => self.end_scan(),
            Step::Store { address, byte } => self.store(address, byte),
            Step::StoreRegister { address, value } => {
                let [low, high] = value.to_le_bytes();
                match address {
                    0xC000..=0xC003 => {
                        self.store(address, low);
                        self.store(address | 1, high);
                    }
                    _ => self.board.write_word(address, value),
                }
            }
            Step::Allocate { interrupt, bytes } => {
                let end = self.board.silicon.arena.1;
                let block = arena::allocate(&mut self.board, end, bytes);
                if block == 0 {
                    // The ROM would go on and store at 0000; what it does then is unknown.
                    let text = format!("record op 02 asks for {bytes} bytes, more than is free");
                    self.board.stop(Verdict::Failed, text);
                    return;
                }
                self.board.write_word(2 * u16::from(interrupt), block);
                if let Some(scan) = self.scans.last_mut() {
                    scan.decoder.allocated(block);
                }
            }
            Step::Relocate { interrupt, offset } => {
                let block = self.vector(interrupt);
                let place = block.wrapping_add(offset);
                let value = self.board.read_word(place).wrapping_add(block);
                self.board.write_word(place, value);
            }
            Step::Call { address } => self.call(address, SCAN_STEP),
            Step::Interrupt { interrupt } => {
                let target = self.vector(interrupt);
                self.call(target, SCAN_STEP);
            }
            Step::Program { interrupt, address, byte } => {
                self.set_register(0, 1);
                self.set_register(1, address);
                self.set_register(2, u16::from(byte));
                let target = self.vector(interrupt);
                self.call(target, SCAN_STEP);
            }
            Step::Unknown(text) => self.board.stop(Verdict::Unknown, text),
        }
    }

    /// A byte to memory or to half a register.
    fn store(&mut self, address: u16, byte: u8) {
        let half = |own: u16| {
            let [low, high] = own.to_le_bytes();
            u16::from_le_bytes(if address & 1 == 0 { [byte, high] } else { [low, byte] })
        };
        match address & !1 {
            0xC000 => self.cpu.set_flags(Flags::from_bits(half(self.cpu.flags().bits()))),
            0xC002 => self.cpu.set_bank(half(self.cpu.bank())),
            _ => self.board.write_byte(address, byte),
        }
    }

    fn end_scan(&mut self) {
        let Some(scan) = self.scans.pop() else { return };
        match scan.then {
            Then::Boot(next) => self.boot_scan(next),
            Then::Idle(serial) => {
                self.requests.finish(serial, Vec::new());
                self.event = true;
                let rest = self.rom.service(70).wrapping_add(2);
                self.cpu.set_pc(rest);
            }
            Then::Return => {
                self.set_register(0, 0);
                let rest = self.rom.service(67).wrapping_add(2);
                self.cpu.set_pc(rest);
            }
        }
    }
}
