//! A virtual AT2 or AT2LP with its EEPROM, its fuses and a drive on its ATA connector.
//!
//! There is no program in this chip. At power-on it decides once who it is ([`start`]): forced or
//! default manufacturing mode, the fuses' ids, or the block in its EEPROM, which is then kept
//! until the power goes. [`requests`] answers endpoint 0, [`transport`] the bulk pipes, [`eeprom`]
//! drives the I2C bus page by page, [`bridge`] does what a command says.
//!
//! Grades: modes, requests and the 04b4:6830 default are documented [001-05809 pp. 19, 34]; the
//! RC42's descriptors are captured (one unit, 2007); those of the RC58 but for its product string,
//! the values of the internal bytes of a blank chip, its I2C clock, its page size and what it does
//! with a dead EEPROM are inferred or unknown, and the model says so with a diagnostic where a
//! program leans on them.

mod bridge;
mod descriptors;
mod eeprom;
mod requests;
mod start;
mod transport;

pub use descriptors::Release;

use self::eeprom::Writing;
use self::start::Personality;
use super::super::device::{Attachment, Completion, Device};
use super::super::diagnostic::{Diagnostic, Diagnostics};
use super::super::drives::BridgedDrive;
use super::super::drives::transport::Transport;
use super::super::parts::Eeprom;
use crate::usb::{Setup, Speed};

/// From power to the pull-up: oscillator, EEPROM read. Inferred.
const START_NS: u64 = 60_000_000;
/// A control transfer at high speed with its three stages.
const CONTROL_NS: u64 = 100_000;
/// A bulk transfer's share of a microframe.
const BULK_NS: u64 = 60_000;
/// A byte at the 35 MB/s a bulk pipe carries in practice.
const BYTE_NS: u64 = 29;

/// Which chip it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// CY7C68300A, which knows "MM" only.
    At2,
    /// CY7C68300B/C and relatives.
    At2lp,
}

/// A virtual AT2 or AT2LP.
pub struct At2lp {
    kind: Kind,
    release: Release,
    eeprom: Option<Eeprom>,
    drive: Option<Box<dyn BridgedDrive>>,
    /// Ids in the chip's fuses; zeros, as in every chip off the shelf, are none.
    fuses: [u16; 3],
    /// ARESET# is held low until the power goes for the first time: hands put a jumper on and take
    /// it off again with the plug.
    strapped: bool,
    now: u64,
    on_since: Option<u64>,
    generation: u64,
    personality: Personality,
    transport: Transport,
    writing: Option<Writing>,
    /// bConfigurationValue of the configuration that the host chose, or 0.
    configuration: u8,
    /// The drive's registers: alternate status, error, sector count, LBA, device, status.
    registers: [u8; 8],
    diagnostics: Diagnostics,
}

impl At2lp {
    /// A chip with that EEPROM on its board, without power.
    pub fn new(kind: Kind, release: Release, eeprom: Option<Eeprom>) -> Self {
        Self {
            kind,
            release,
            eeprom,
            drive: None,
            fuses: [0; 3],
            strapped: false,
            now: 0,
            on_since: None,
            generation: 0,
            personality: Personality::Absent,
            transport: Transport::default(),
            writing: None,
            configuration: 0,
            registers: [0; 8],
            diagnostics: Diagnostics::default(),
        }
    }

    /// With a drive on its connector.
    #[must_use]
    pub fn with_drive(mut self, drive: Box<dyn BridgedDrive>) -> Self {
        self.drive = Some(drive);
        self
    }

    /// With idVendor, idProduct and bcdDevice in its fuses.
    #[must_use]
    pub fn with_fuses(mut self, fuses: [u16; 3]) -> Self {
        self.fuses = fuses;
        self
    }

    /// With ARESET# held low until its power goes for the first time.
    #[must_use]
    pub fn strapped(mut self) -> Self {
        self.strapped = true;
        self
    }

    fn spend(&mut self, nanoseconds: u64) {
        self.advance(self.now.saturating_add(nanoseconds));
    }

    /// Lives until `time`; a write to the EEPROM goes on meanwhile.
    fn advance(&mut self, time: u64) {
        self.go_on_writing(time);
        self.now = self.now.max(time);
    }

    fn is_attached(&self) -> bool {
        self.on_since.is_some_and(|on| self.now >= on + START_NS)
            && self.personality != Personality::Absent
    }
}

impl Device for At2lp {
    fn power_on(&mut self, now: u64) {
        self.now = self.now.max(now);
        self.on_since = Some(self.now);
        self.generation += 1;
        self.transport = Transport::default();
        self.writing = None;
        (self.configuration, self.registers) = (0, [0; 8]);
        if let Some(drive) = &mut self.drive {
            drive.power_on();
        }
        self.personality = self.start();
    }

    fn power_off(&mut self, now: u64) {
        self.advance(now);
        if let Some(part) = &mut self.eeprom {
            part.power_off(now);
        }
        self.on_since = None;
        self.writing = None;
        self.strapped = false;
        self.personality = Personality::Absent;
    }

    fn run_until(&mut self, time: u64) -> u64 {
        self.advance(time);
        self.now
    }

    fn now(&self) -> u64 {
        self.now
    }

    fn attachment(&self) -> Option<Attachment> {
        let since = self.on_since?.saturating_add(START_NS);
        let generation = self.generation;
        self.is_attached().then_some(Attachment { since, generation })
    }

    fn speed(&self) -> Speed {
        Speed::High
    }

    fn bus_reset(&mut self) {
        self.transport = Transport::default();
        self.configuration = 0;
    }

    fn control(&mut self, setup: &Setup, data: &[u8], deadline: u64) -> Completion {
        if !self.is_attached() {
            return Completion::Gone;
        }
        self.spend(CONTROL_NS + data.len() as u64 * BYTE_NS);
        let completion = self.request(setup, data, deadline);
        if self.now > deadline { Completion::TimedOut } else { completion }
    }

    fn bulk_out(&mut self, endpoint: u8, data: &[u8], deadline: u64) -> Completion {
        if !self.is_attached() {
            return Completion::Gone;
        }
        self.spend(BULK_NS + data.len() as u64 * BYTE_NS);
        if self.now > deadline {
            return Completion::TimedOut;
        }
        self.take(endpoint, data, deadline)
    }

    fn bulk_in(&mut self, endpoint: u8, length: usize, deadline: u64) -> Completion {
        if !self.is_attached() {
            return Completion::Gone;
        }
        self.spend(BULK_NS);
        let completion = self.give(endpoint, length, deadline);
        if let Completion::Done(data) = &completion {
            self.spend(data.len() as u64 * BYTE_NS);
        }
        completion
    }

    fn eeprom(&self) -> Option<&Eeprom> {
        self.eeprom.as_ref()
    }

    fn eeprom_mut(&mut self) -> Option<&mut Eeprom> {
        self.eeprom.as_mut()
    }

    fn diagnostics(&self) -> &[Diagnostic] {
        self.diagnostics.list()
    }
}

#[cfg(test)]
mod tests;
