//! Cypress's EZ-USB chips: AN2131, FX, FX1, FX2 and FX2LP with an EEPROM.
//!
//! The firmware is executed ([`crate::sim::cores::mcs51`]); the USB core and the boot ROM, which
//! are no program, are modelled: default device, request A0, endpoint 0, I2C master, the EEPROM
//! read at power-on, bulk endpoints. Not modelled: isochronous endpoints, the slave side of the
//! FIFOs, suspend, what the GPIF's pins carry and what the serial ports receive; a program that
//! asks for one is told so ([`Device::unmodelled`]).
//!
//! Reading order: `silicon` (chips and register maps), `board` (what the 8051 sees;
//! `cpu_clock`, `status`, `autopointer` and `usb_interrupts` belong to it), `run` (time),
//! `boot`, `endpoint_zero`, `control` (the host's side of it), `endpoints`, `i2c_master`,
//! `descriptors`, `unmodelled`.
//!
//! Sources: \[TRM2\] EZ-USB FX2LP Technical Reference Manual, \[TRM1\] EZ-USB Technical Reference
//! Manual 1.9, \[DOC-11281\] and \[DOC-13342\] of Cypress's community on the boot ROM.

mod autopointer;
mod board;
mod boot;
mod control;
mod cpu_clock;
mod descriptors;
mod endpoint_zero;
mod endpoints;
mod i2c_master;
mod run;
mod silicon;
mod status;
#[cfg(test)]
mod tests;
mod unmodelled;
mod usb_interrupts;

pub use silicon::{AN2131, FX, FX1, FX2, FX2LP, Silicon, silicon};

use self::board::Board;
use self::run::Watch;
use crate::sim::cores::mcs51::Cpu;
use crate::sim::device::{Attachment, Completion, Device};
use crate::sim::diagnostic::{Diagnostic, Unmodelled};
use crate::sim::parts::Eeprom;
use crate::usb::{Setup, Speed};

/// A virtual chip with its EEPROM.
pub struct EzUsb {
    board: Board,
    cpu: Cpu,
    powered: bool,
    /// The 8051 met what it cannot execute.
    stopped: bool,
    /// The boot ROM reads the EEPROM until then.
    boots_until: Option<u64>,
    /// Ids of the default device.
    ids: [u16; 3],
    /// bConfigurationValue and bAlternateSetting of the default device.
    configuration: u8,
    alternate: u8,
    attachment: Option<Attachment>,
    generation: u64,
    /// Attached, and not yet reset by the host.
    fresh: bool,
    watch: Watch,
    /// When power came, until the device has shown itself on the bus.
    hidden_since: Option<u64>,
}

impl EzUsb {
    /// A chip without power. An EEPROM with two address bytes is strapped to 51, where the boot
    /// ROM looks for it; [`Self::strapped`] says otherwise.
    pub fn new(silicon: &'static Silicon, eeprom: Option<Eeprom>) -> Self {
        let strapped = |part: Eeprom| match part.part().address_bytes {
            1 => part,
            _ => part.strapped(1),
        };
        Self::strapped(silicon, eeprom.map(strapped))
    }

    /// The same with the EEPROM's pins as they are.
    pub fn strapped(silicon: &'static Silicon, eeprom: Option<Eeprom>) -> Self {
        Self {
            board: Board::new(silicon, eeprom),
            cpu: Cpu::new(),
            powered: false,
            stopped: false,
            boots_until: None,
            ids: silicon.ids,
            configuration: 0,
            alternate: 0,
            attachment: None,
            generation: 0,
            fresh: false,
            watch: Watch::default(),
            hidden_since: None,
        }
    }

    /// Transfers of endpoints that are not there: nobody answers.
    fn wait_in_vain(&mut self, deadline: u64) -> Completion {
        let before = self.attachment;
        if before.is_none() {
            return Completion::Gone;
        }
        while self.board.now < deadline {
            self.advance(deadline);
            if self.attachment != before {
                return Completion::Gone;
            }
        }
        Completion::TimedOut
    }
}

impl Device for EzUsb {
    fn power_on(&mut self, now: u64) {
        self.board.now = self.board.now.max(now);
        self.board.reset();
        self.cpu = Cpu::new();
        self.ids = self.board.silicon.ids;
        (self.configuration, self.alternate) = (0, 0);
        (self.powered, self.stopped) = (true, false);
        self.watch = Watch::default();
        self.hidden_since = Some(self.board.now);
        let took = self.boot();
        self.boots_until = Some(self.board.now + took);
    }

    fn power_off(&mut self, now: u64) {
        self.board.now = self.board.now.max(now);
        self.powered = false;
        self.boots_until = None;
        self.attachment = None;
        if let Some(part) = &mut self.board.eeprom {
            part.power_off(now);
        }
    }

    fn run_until(&mut self, time: u64) -> u64 {
        self.advance(time);
        self.tell_hidden();
        self.board.now
    }

    fn now(&self) -> u64 {
        self.board.now
    }

    fn attachment(&self) -> Option<Attachment> {
        self.attachment
    }

    fn speed(&self) -> Speed {
        self.board.silicon.speed
    }

    fn bus_reset(&mut self) {
        self.take_bus_reset();
    }

    fn control(&mut self, setup: &Setup, data: &[u8], deadline: u64) -> Completion {
        self.control_transfer(setup, data, deadline)
    }

    fn bulk_out(&mut self, endpoint: u8, data: &[u8], deadline: u64) -> Completion {
        self.take_bulk(endpoint, data, deadline)
    }

    fn bulk_in(&mut self, endpoint: u8, length: usize, deadline: u64) -> Completion {
        self.give_bulk(endpoint, length, deadline)
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

    fn unmodelled(&self) -> &[Unmodelled] {
        self.board.met.list()
    }
}
