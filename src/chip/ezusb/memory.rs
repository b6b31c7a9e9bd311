//! The EEPROM behind the chip, through our loader in RAM: sequential reads, and whole-page writes
//! during whose write cycles the next page comes over USB. Acknowledge polling and its limit are
//! the loader's; each failure is asked for its reason.
//!
//! What is written is not read back here; that is for the caller. Read `wire` for the requests.

mod width;

use std::ops::Range;

use self::width::Width;
use super::loader;
use super::model::Map;
use super::wire::{self, Probed, Reason};
use crate::chip::memory::serial_eeprom::{self, Pace, PartClass, Route, Runs};
use crate::chip::memory::{AddressWidth, Layout, Sequence};
use crate::chip::{ChipError, Memory, MemoryError};
use crate::usb::{Link, Reply, Sighting, Transfer, TransferError};

/// The most bytes of one transfer; the limit of Linux usbfs.
const SPAN: u32 = 4096;
/// The clock the loader starts with, hertz.
const SLOW_HZ: u32 = 100_000;

/// The memory, with the loader running.
pub struct Eeprom<'l> {
    link: &'l mut dyn Link,
    class: &'static PartClass,
    map: &'static Map,
    /// As the layout says, and as the loader was last told.
    page: u32,
    pace: Pace,
    /// Page and clock as the loader has them.
    told: Option<(u32, bool)>,
    /// Address bits that are acknowledged: small parts of some makers ignore the block bits they
    /// have no use for, those of others do not answer to them.
    answering: u32,
    write_cycles: u32,
    width: Width,
    /// What the cell held that a byte was tried in, until it is known to hold it again.
    tried: Option<u8>,
}

impl<'l> Eeprom<'l> {
    /// Places the loader and asks it for the part the chip boots from.
    ///
    /// # Errors
    /// [`ChipError::NoMemory`] when none acknowledges, [`ChipError::Loader`] when the loader does
    /// not run or the bus cannot be used.
    pub fn open(
        link: &'l mut dyn Link,
        map: &'static Map,
        seen: &Sighting,
    ) -> Result<Self, ChipError> {
        loader::begin(link, map.registers, seen)?;
        let reply = link
            .exchange_whole(&wire::probe())
            .map_err(ChipError::during("reading the loader's EEPROM report"))?;
        let probed = wire::decode_probe(&reply.data).ok_or_else(|| {
            let got = hex::encode(reply.data.get(..8).unwrap_or(&reply.data));
            ChipError::Loader(format!("returned {got} as its EEPROM report, expected 8 bytes"))
        })?;
        let class = match (probed.address_bytes, probed.reason) {
            (1, _) => &PartClass::ONE_OR_24C00,
            (2, _) => &PartClass::TWO,
            (_, reason @ (Reason::BusError | Reason::NoDone)) => {
                return Err(ChipError::Loader(reason.to_string()));
            }
            _ => return Err(ChipError::NoMemory),
        };
        Ok(Self {
            link,
            class,
            map,
            page: u32::from(class.page_of(0)),
            pace: if map.bus_hz <= SLOW_HZ { Pace::Slow } else { Pace::Untried },
            told: None,
            answering: answering(class, &probed),
            write_cycles: 0,
            // Only parts with one address byte answer at every place.
            width: if probed.acknowledged == 0xff { Width::Proven } else { Width::Told },
            tried: None,
        })
    }

    /// Tells the loader page and clock, where they changed.
    fn tell(&mut self) -> Result<(), MemoryError> {
        let now = (self.page, self.pace == Pace::Fast);
        if self.told != Some(now) {
            // Unknown until it has answered.
            self.told = None;
            self.link
                .exchange(&wire::set(now.0, now.1))
                .map_err(ChipError::during("setting page and clock"))?;
            self.told = Some(now);
        }
        Ok(())
    }

    /// Sends an EEPROM request; a refusal is asked for its reason.
    fn ask(&mut self, transfer: &Transfer, doing: &str) -> Result<Reply, MemoryError> {
        self.tell()?;
        match self.link.exchange(transfer) {
            Ok(reply) => Ok(reply),
            Err(TransferError::Stall) => Err(self.reason(doing)),
            Err(source) => Err(ChipError::Transfer { doing: doing.to_owned(), source }.into()),
        }
    }

    fn reason(&mut self, doing: &str) -> MemoryError {
        let reply = match self.link.exchange_whole(&wire::status()) {
            Ok(reply) => reply,
            Err(source) => {
                let doing = format!("{doing}: reading the reason of the refusal");
                return ChipError::Transfer { doing, source }.into();
            }
        };
        match wire::decode_status(&reply.data) {
            Some(status) => match status.reason {
                Reason::NoPart
                | Reason::AddressRefused
                | Reason::DataRefused
                | Reason::StillBusy => {
                    MemoryError::NoAcknowledge { address: u32::from(status.address) }
                }
                reason => ChipError::Loader(format!("{reason}, {doing}")).into(),
            },
            None => ChipError::Loader(format!("refused without a reason, {doing}")).into(),
        }
    }

    fn inside(&self, address: u32, count: u32) -> Result<(u16, u16), ChipError> {
        self.class.inside(address, count, SPAN)
    }
}

impl Runs for Eeprom<'_> {
    fn class(&self) -> &'static PartClass {
        self.class
    }

    fn maximum(&self) -> u32 {
        SPAN
    }

    fn pace(&mut self) -> &mut Pace {
        &mut self.pace
    }

    fn read_run(&mut self, address: u32, count: u32) -> Result<Vec<u8>, MemoryError> {
        let (first, length) = self.inside(address & self.answering, count)?;
        let doing = format!("reading the EEPROM at {first:#06x}");
        let reply = self.ask(&wire::read_eeprom(first, length), &doing)?;
        let got = reply.data.len();
        if got != usize::from(length) {
            let text = format!("brought {got} bytes, expected {length}, {doing}");
            return Err(ChipError::Loader(text).into());
        }
        Ok(reply.data)
    }
}

/// The addresses a part with one address byte answers to, as a mask: the block bits are in the I2C
/// address, so that blocks which do not exist may go unacknowledged.
fn answering(class: &PartClass, probed: &Probed) -> u32 {
    let has = |blocks: u32| {
        let every = 2_u32.pow(blocks) - 1;
        u32::from(probed.acknowledged) & every == every
    };
    match class.width {
        AddressWidth::Two => u32::MAX,
        AddressWidth::One => {
            [8, 4, 2].into_iter().find(|blocks| has(*blocks)).unwrap_or(1) * 0x100 - 1
        }
    }
}

impl Memory for Eeprom<'_> {
    fn layout(&self) -> Layout {
        let route = Route {
            width: self.class.width,
            address_limit: self.class.address_limit,
            smallest: self.class.smallest,
            page: self.page,
            pages: self.class.pages,
            largest_write: SPAN.min(self.class.address_limit),
            bus_hz: match self.pace {
                Pace::Fast => self.map.bus_hz,
                Pace::Untried | Pace::Slow => self.map.bus_hz.min(SLOW_HZ),
            },
            sequence: Sequence::Any,
        };
        route.layout()
    }

    fn assume_size(&mut self, bytes: u32) {
        self.page = u32::from(self.class.page_of(bytes));
    }

    fn assume_unit(&mut self, unit: u32) {
        self.page = unit;
    }

    fn read(&mut self, range: Range<u32>) -> Result<Vec<u8>, MemoryError> {
        self.check_by_reading()?;
        serial_eeprom::read(self, range)
    }

    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), MemoryError> {
        if bytes.is_empty() {
            return Ok(());
        }
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        // A part whose block bits go unanswered shows every address in the blocks it has, read or
        // written; the proof of the part finds it there.
        self.inside(address, length)?;
        let (first, _) = self.inside(address & self.answering, length)?;
        if self.width != Width::Proven && self.prove_by_a_byte(address, bytes)? {
            return Ok(());
        }
        let cycles = (address % self.page).saturating_add(length).div_ceil(self.page);
        self.tell()?;
        // Counted whatever comes of it: how far a failed write came is not known.
        self.write_cycles = self.write_cycles.saturating_add(cycles);
        let doing = format!("writing {length} bytes to the EEPROM at {first:#06x}");
        self.ask(&wire::write_eeprom(first, bytes.to_vec(), cycles), &doing)?;
        Ok(())
    }

    fn write_cycles(&self) -> u32 {
        self.write_cycles
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
