//! The EEPROM behind an EZ-OTG or EZ-Host, through a loader of ours in the chip's RAM that drives
//! the I2C bus itself: sequential reads, whole-page writes with acknowledge polling, either of the
//! two wirings. Nothing is believed of it: its code is read back before it runs, what it read
//! carries a sum, what it programmed it compares. Unproven on silicon; its parts are documented
//! (op 00 and op 06, GPIO registers, wiring). Read `loader` for its parameters.

use std::ops::Range;
use std::time::Duration;

use super::loader::{
    self, BusClock, Command, EZ_EEPROM, EepromReport, EepromRequest, LoaderFailure,
};
use super::parts::{WIRED, Wired};
use super::record::Record;
use super::{ram, wire};
use crate::chip::memory::serial_eeprom::{self, Pace, PartClass, Route, Runs};
use crate::chip::memory::{AddressWidth, Layout, Sequence};
use crate::chip::{ChipError, Memory, MemoryError};
use crate::clock::Deadline;
use crate::usb::transfer::CONTROL_TIMEOUT;
use crate::usb::{Link, TransferError};

/// Where the loader lies: free RAM [BM memory map], above everything the BIOS is known to keep
/// there, and clear of the low end of the arena, from which the BIOS is thought to take its
/// receive buffer (inferred).
pub const BASE: u16 = 0x3400;
/// The vector's word.
const VECTOR: u16 = EZ_EEPROM.vector as u16 * 2;
/// Bytes of one run: what the buffer behind the code holds.
const BLOCK: u32 = EepromRequest::BUFFER_BYTES as u32;
/// How long a part may stay busy before it is given up: four times the longest write cycle of any.
const BUSY_LIMIT_MS: u32 = 40;
/// How long one run may take: 1 KB at 100 kHz is 0.1 s, 128 write cycles of 10 ms are 1.3 s.
const RUN_LIMIT: Duration = Duration::from_secs(10);
/// Time between two looks at the status.
const POLL: Duration = Duration::from_millis(5);

/// The memory, with the loader in RAM.
pub struct Eeprom<'l> {
    link: &'l mut dyn Link,
    part: &'static Wired,
    page: u16,
    pace: Pace,
    /// The block bits that are acknowledged, as a mask on addresses: small parts of some makers
    /// ignore the bits they have no use for, those of others do not answer to them.
    answering: u32,
    write_cycles: u32,
}

impl<'l> Eeprom<'l> {
    /// Places the loader and looks for a part on either wiring.
    ///
    /// # Errors
    /// [`ChipError::NoMemory`] when none acknowledges, [`ChipError::Loader`] when the loader does
    /// not lie in RAM or cannot drive the bus.
    pub fn open(link: &'l mut dyn Link) -> Result<Self, ChipError> {
        place(link)?;
        let mut answers = Vec::new();
        let mut trouble = None;
        for part in WIRED {
            let ask = request(part, Command::Wait, BusClock::STANDARD);
            match run(link, ask, &[])?.outcome {
                Ok(()) => answers.push(part),
                Err(LoaderFailure::NoPart) => {}
                Err(failure) => trouble = Some(ChipError::Loader(failure.to_string())),
            }
        }
        match (answers.as_slice(), trouble) {
            ([part], _) => Ok(Self {
                link,
                part,
                page: part.class.page_of(0),
                // A small part is read in 0.2 s at 100 kHz: a trial would cost what it gains.
                pace: match part.class.width {
                    AddressWidth::One => Pace::Slow,
                    AddressWidth::Two => Pace::Untried,
                },
                answering: u32::MAX,
                write_cycles: 0,
            }),
            ([], None) => Err(ChipError::NoMemory),
            ([], Some(trouble)) => Err(trouble),
            _ => Err(ChipError::Loader(
                "got an acknowledge in both wirings of clock and data, expected one".to_owned(),
            )),
        }
    }

    fn clock(&self) -> BusClock {
        match self.pace {
            Pace::Untried | Pace::Slow => BusClock::STANDARD,
            Pace::Fast => BusClock::FAST,
        }
    }

    /// One run that reads what exists.
    fn read_block(&mut self, address: u32, count: u32) -> Result<Vec<u8>, MemoryError> {
        let (first, length) = self.part.class.inside(address, count, BLOCK)?;
        let asked = EepromRequest {
            address: first,
            count: length,
            ..request(self.part, Command::Read, self.clock())
        };
        let report = run(self.link, asked, &[])?;
        report.outcome.map_err(|failure| failed(failure, address))?;
        let bytes = ram::read(self.link, BASE + EZ_EEPROM.buffer(), usize::from(length))?;
        let sum = sum(&bytes);
        if sum != report.sum {
            return Err(MemoryError::Chip(ChipError::Loader(format!(
                "read {count} bytes at {address:#06x} with the sum {:04x}; {sum:04x} arrived",
                report.sum
            ))));
        }
        Ok(bytes)
    }
}

impl Runs for Eeprom<'_> {
    fn class(&self) -> &'static PartClass {
        self.part.class
    }

    fn maximum(&self) -> u32 {
        BLOCK
    }

    fn pace(&mut self) -> &mut Pace {
        &mut self.pace
    }

    fn read_run(&mut self, address: u32, count: u32) -> Result<Vec<u8>, MemoryError> {
        loop {
            let wrapped = address & self.answering;
            match self.read_block(wrapped, count) {
                Err(MemoryError::NoAcknowledge { .. })
                    if self.part.class.width == AddressWidth::One && wrapped >= 0x100 =>
                {
                    // The highest block bit that is set goes unanswered: it does not exist.
                    self.answering = (1 << wrapped.ilog2()) - 1;
                }
                other => return other,
            }
        }
    }
}

/// Loads the code by op 00, points its vector at it and reads both back.
fn place(link: &mut dyn Link) -> Result<(), ChipError> {
    let code = EZ_EEPROM.image(EZ_EEPROM.vector, 0);
    let records = [Record::Copy { address: BASE, data: code.clone() }, wire::poke(VECTOR, BASE)];
    ram::send(link, "placing the loader in RAM", &records, CONTROL_TIMEOUT)?;
    let kept = ram::read(link, BASE, code.len())?;
    if let Some(place) = kept.iter().zip(&code).position(|(got, sent)| got != sent) {
        return Err(ChipError::Loader(format!(
            "was not kept in RAM: it differs from byte {place:#06x} on"
        )));
    }
    let vector = ram::read_word(link, VECTOR)?;
    if vector != BASE {
        return Err(ChipError::Loader(format!(
            "has its vector at {vector:04x}, expected {BASE:04x}"
        )));
    }
    Ok(())
}

/// The loader's 16-bit sum.
fn sum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(u16::from(*byte)))
}

/// Runs the loader once: buffer and parameters, the interrupt, its answer until it has ended.
fn run(
    link: &mut dyn Link,
    request: EepromRequest,
    data: &[u8],
) -> Result<EepromReport, ChipError> {
    let parameters = BASE + loader::PARAMETERS;
    let mut records = Vec::new();
    if !data.is_empty() {
        let address = BASE + EZ_EEPROM.buffer();
        records.push(Record::Copy { address, data: data.to_vec() });
    }
    records.push(Record::Copy { address: parameters, data: request.encode() });
    records.push(Record::Interrupt { interrupt: EZ_EEPROM.vector });
    let clock = link.clock();
    let deadline = Deadline::after(&*clock, RUN_LIMIT);
    ram::send(link, "running the loader", &records, RUN_LIMIT)?;
    loop {
        let seen = match ram::read(link, parameters, usize::from(EepromRequest::ANSWER_BYTES)) {
            Ok(answer) => match EepromRequest::report(&answer) {
                Ok(report) => return Ok(report),
                // Whether the request ends before the run begins is not documented.
                Err(failure @ (LoaderFailure::NotStarted | LoaderFailure::Running)) => {
                    failure.to_string()
                }
                Err(failure) => return Err(ChipError::Loader(failure.to_string())),
            },
            // While the chip works it answers no request.
            Err(ChipError::Transfer { source: TransferError::TimedOut, .. }) => {
                "does not answer".to_owned()
            }
            Err(error) => return Err(error),
        };
        if deadline.passed(&*clock) {
            let seconds = RUN_LIMIT.as_secs();
            return Err(ChipError::Loader(format!("{seen} after {seconds} s")));
        }
        clock.sleep(POLL);
    }
}

/// A request for no bytes at address 0.
fn request(part: &Wired, command: Command, clock: BusClock) -> EepromRequest {
    EepromRequest {
        command,
        address: 0,
        count: 0,
        width: part.class.width,
        page: part.class.page_of(0),
        wiring: part.wiring,
        tries: clock.tries(BUSY_LIMIT_MS),
        clock,
    }
}

/// What a failure of the loader means for the memory at `address`; a difference is the writer's
/// to explain.
fn failed(failure: LoaderFailure, address: u32) -> MemoryError {
    match failure {
        LoaderFailure::NoPart => MemoryError::NoAcknowledge { address },
        LoaderFailure::AddressRefused { at }
        | LoaderFailure::DataRefused { at }
        | LoaderFailure::StillBusy { at } => MemoryError::NoAcknowledge { address: u32::from(at) },
        other => MemoryError::Chip(ChipError::Loader(other.to_string())),
    }
}

impl Memory for Eeprom<'_> {
    fn layout(&self) -> Layout {
        let route = Route {
            width: self.part.class.width,
            address_limit: self.part.class.address_limit,
            smallest: self.part.class.smallest,
            page: u32::from(self.page),
            pages: self.part.class.pages,
            largest_write: BLOCK,
            bus_hz: self.clock().hz,
            sequence: Sequence::Any,
        };
        // The loader compares what it programmed.
        Layout { verifies: true, ..route.layout() }
    }

    fn assume_size(&mut self, bytes: u32) {
        self.page = self.part.class.page_of(bytes);
    }

    fn assume_unit(&mut self, unit: u32) {
        self.page = u16::try_from(unit).unwrap_or(self.page);
    }

    fn read(&mut self, range: Range<u32>) -> Result<Vec<u8>, MemoryError> {
        serial_eeprom::read(self, range)
    }

    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), MemoryError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let (first, count) = self.part.class.inside(address, length, BLOCK)?;
        let program = EepromRequest {
            address: first,
            count,
            page: self.page,
            ..request(self.part, Command::Program, self.clock())
        };
        let report = run(self.link, program, bytes).inspect_err(|_| {
            // How far it came is unknown: all of it at the most.
            let page = u32::from(self.page);
            let pages = (address % page).saturating_add(length).div_ceil(page);
            self.write_cycles = self.write_cycles.saturating_add(pages);
        })?;
        self.write_cycles = self.write_cycles.saturating_add(u32::from(report.cycles));
        match report.outcome {
            // The loader compared its buffer with the part; the sum of what it read says that the
            // buffer was what was sent.
            Ok(()) if report.sum == sum(bytes) => Ok(()),
            Ok(()) => Err(MemoryError::Chip(ChipError::Loader(format!(
                "read back the sum {:04x} at {address:#06x}, {:04x} was sent",
                report.sum,
                sum(bytes)
            )))),
            Err(LoaderFailure::Different { at, got, .. }) => {
                let at = u32::from(at);
                let place = at.checked_sub(address).and_then(|place| usize::try_from(place).ok());
                let expected = place.and_then(|place| bytes.get(place).copied());
                let expected = expected.ok_or_else(|| {
                    ChipError::Loader(format!("compared {at:#06x}, which was not written"))
                })?;
                Err(MemoryError::NotKept { address: at, expected, got })
            }
            Err(failure) => Err(failed(failure, address)),
        }
    }

    fn write_cycles(&self) -> u32 {
        self.write_cycles
    }
}

#[cfg(test)]
#[path = "eeprom_ez_tests.rs"]
mod tests;
