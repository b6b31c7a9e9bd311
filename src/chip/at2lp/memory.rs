//! The EEPROM behind the chip, by the vendor command CfgCB over the bulk-only transport, or by the
//! chip's control requests where that is not to be had.
//!
//! CfgCB begins at address 0 and runs for as many bytes as the command says; the chip does the I2C
//! paging and the waiting. A write further up is therefore a write from 0 on with what lies before
//! it, which is why the bytes there are kept in mind. The signature goes last all the same: until
//! the commit, those first bytes are written as they are, blank [design R3]. What the chip's paging
//! leaves open: a page is as atomic as the part makes it, and the chip writes in its own order.
//!
//! The control requests reach any address [001-05809 table 12, documented], but nobody has
//! published what they do beyond a page; here they never cross one.

use std::ops::Range;
use std::time::Duration;

use super::wire::{self, Source};
use crate::chip::memory::{AddressWidth, Layout, Sequence, serial_eeprom};
use crate::chip::{ChipError, Memory, MemoryError};
use crate::usb::bot::{Bot, BotError, Data, Pipes};
use crate::usb::{Link, Sighting, TransferError};

/// What the chip reads at power-on, and what one address byte reaches: a 24C02.
const ADDRESS_LIMIT: u32 = 256;
/// The smallest part that somebody may have fitted, a 24C01.
const SMALLEST: u32 = 128;
/// The page of the smallest-paged 24C02 there is (24LC02B data sheet); larger pages are whole ones of these.
const PAGE: u32 = 8;
/// Most bytes of a control request; one packet of endpoint 0.
const REQUEST_BYTES: usize = 64;
/// The longest write cycle of any 24C02 [older data sheets: 10 ms].
const WRITE_CYCLE: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// CfgCB with this signature byte.
    CommandBlock { pipes: Pipes, signature_byte: u8 },
    /// READ_CONFIG_DATA and LOAD_CONFIG_DATA.
    Requests,
}

/// The EEPROM behind an open chip.
pub struct Configured<'l> {
    link: &'l mut dyn Link,
    route: Route,
    /// The bytes from address 0 on that are known to be in the part; empty when none are.
    known: Vec<u8>,
    write_cycles: u32,
}

impl<'l> Configured<'l> {
    /// Opens the memory; asks the chip for its signature byte first.
    pub fn open(link: &'l mut dyn Link, seen: &Sighting) -> Result<Self, ChipError> {
        let at = wire::SIGNATURE_BYTE_AT.into();
        let byte = link
            .exchange_whole(&wire::read_config(Source::Internal, at, 1))
            .map_err(ChipError::during("reading of the signature byte"))?
            .data;
        match byte.as_slice() {
            [byte] if wire::is_safe_signature_byte(*byte) => {
                Self::with_signature_byte(link, seen, *byte)
            }
            other => Err(ChipError::NotProven(format!(
                "its signature byte is {}; it must be 24, or c0 or above",
                hex::encode(other)
            ))),
        }
    }

    /// Opens the memory and reads its first page, by which the route is proven.
    pub fn with_signature_byte(
        link: &'l mut dyn Link,
        seen: &Sighting,
        signature_byte: u8,
    ) -> Result<Self, ChipError> {
        let route = match Pipes::of(seen) {
            Some(pipes) => Route::CommandBlock { pipes, signature_byte },
            None => Route::Requests,
        };
        let mut memory = Self { link, route, known: Vec::new(), write_cycles: 0 };
        let result = match memory.read(0..PAGE) {
            Err(MemoryError::Chip(ChipError::Transfer { source, doing }))
                if route != Route::Requests && source != TransferError::Gone =>
            {
                log::info!("{doing}: {source}; recover tries the control requests");
                memory.route = Route::Requests;
                memory.read(0..PAGE)
            }
            result => result,
        };
        match result {
            Ok(_) => Ok(memory),
            Err(MemoryError::Chip(error)) => Err(error),
            Err(_) => Err(ChipError::NoMemory),
        }
    }

    /// The route's name in evidence.
    pub fn route_name(&self) -> &'static str {
        match self.route {
            Route::CommandBlock { .. } => "CfgCB",
            Route::Requests => "READ_CONFIG_DATA",
        }
    }

    fn read_from_start(&mut self, length: u32) -> Result<Vec<u8>, MemoryError> {
        let wanted = length as usize;
        let bytes = match self.route {
            Route::CommandBlock { pipes, signature_byte } => {
                let block = wire::cfg_block(signature_byte);
                let done = Bot::new(self.link, pipes)
                    .command(&block, Data::In(length), wire::DATA_TIMEOUT)
                    .map_err(|error| failed("reading of the EEPROM", error))?;
                if !done.passed {
                    return Err(MemoryError::NoAcknowledge { address: 0 });
                }
                done.data
            }
            Route::Requests => self.request_from_start(wanted)?,
        };
        if bytes.len() == wanted {
            return Ok(bytes);
        }
        let source = TransferError::Other(format!("it brought {} bytes", bytes.len()));
        let doing = format!("a read of {wanted} EEPROM bytes");
        Err(MemoryError::Chip(ChipError::Transfer { doing, source }))
    }

    fn request_from_start(&mut self, wanted: usize) -> Result<Vec<u8>, MemoryError> {
        let mut bytes = Vec::with_capacity(wanted);
        while bytes.len() < wanted {
            let address = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
            let length = (wanted - bytes.len()).min(REQUEST_BYTES);
            let length = u16::try_from(length).unwrap_or(u16::MAX);
            let transfer = wire::read_config(Source::External, address, length);
            let reply = match self.link.exchange_whole(&transfer) {
                Err(TransferError::Stall) => {
                    return Err(MemoryError::NoAcknowledge { address: address.into() });
                }
                result => result.map_err(ChipError::during("reading of the EEPROM"))?,
            };
            if reply.data.len() != usize::from(length) {
                break;
            }
            bytes.extend(reply.data);
        }
        Ok(bytes)
    }

    fn write_from_start(&mut self, bytes: &[u8]) -> Result<(), MemoryError> {
        let pages = bytes.len().div_ceil(PAGE as usize);
        self.write_cycles = self.write_cycles.saturating_add(u32::try_from(pages).unwrap_or(0));
        match self.route {
            Route::CommandBlock { pipes, signature_byte } => {
                let block = wire::cfg_block(signature_byte);
                let done = Bot::new(self.link, pipes)
                    .command(&block, Data::Out(bytes), wire::DATA_TIMEOUT)
                    .map_err(|error| failed("writing of the EEPROM", error))?;
                if !done.passed || done.residue != 0 {
                    let taken = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                    let address = taken.saturating_sub(done.residue).min(taken);
                    return Err(MemoryError::NoAcknowledge { address: address % ADDRESS_LIMIT });
                }
                Ok(())
            }
            Route::Requests => {
                for (page, bytes) in bytes.chunks(PAGE as usize).enumerate() {
                    let address = u16::try_from(page * PAGE as usize).unwrap_or(u16::MAX);
                    self.link
                        .exchange(&wire::load_external(address, bytes.to_vec()))
                        .map_err(ChipError::during("writing of the EEPROM"))?;
                    // Whether the chip waits for the part is unknown, so the host does.
                    self.link.clock().sleep(WRITE_CYCLE);
                }
                Ok(())
            }
        }
    }
}

fn failed(doing: &'static str, error: BotError) -> MemoryError {
    let error = match error {
        BotError::Transfer { stage, source } => {
            ChipError::Transfer { doing: format!("{doing}, {stage} phase"), source }
        }
        // The transport has been reset by then, so the command may be sent again.
        other => ChipError::Transfer {
            doing: doing.to_owned(),
            source: TransferError::Other(other.to_string()),
        },
    };
    MemoryError::Chip(error)
}

fn outside(range: &Range<u32>) -> MemoryError {
    MemoryError::Chip(ChipError::NotProven(format!(
        "{:#06x}..{:#06x} is outside the {ADDRESS_LIMIT} bytes the chip can address",
        range.start, range.end
    )))
}

impl Memory for Configured<'_> {
    fn layout(&self) -> Layout {
        let route = serial_eeprom::Route {
            width: AddressWidth::One,
            address_limit: ADDRESS_LIMIT,
            // The chip uses 256 bytes of whatever part is there; a 24C01 shows its 128 twice.
            smallest: SMALLEST,
            // The chip pages for itself, by what every 24C02 takes.
            page: PAGE,
            pages: &[],
            largest_write: ADDRESS_LIMIT,
            bus_hz: 100_000,
            sequence: Sequence::FromStart,
        };
        route.layout()
    }

    fn read(&mut self, range: Range<u32>) -> Result<Vec<u8>, MemoryError> {
        if range.end > ADDRESS_LIMIT || range.start > range.end {
            return Err(outside(&range));
        }
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let bytes = self.read_from_start(range.end)?;
        let wanted = bytes.get(range.start as usize..).unwrap_or_default().to_vec();
        if bytes.len() >= self.known.len() {
            self.known = bytes;
        }
        Ok(wanted)
    }

    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), MemoryError> {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let range = address..address.saturating_add(length);
        if range.end > ADDRESS_LIMIT {
            return Err(outside(&range));
        }
        if range.is_empty() {
            return Ok(());
        }
        let before = address as usize;
        if self.known.len() < before {
            self.known = self.read_from_start(address)?;
        }
        let mut whole = self.known.get(..before).unwrap_or_default().to_vec();
        whole.extend(bytes);
        self.known.clear();
        self.write_from_start(&whole)?;
        self.known = whole;
        Ok(())
    }

    fn write_cycles(&self) -> u32 {
        self.write_cycles
    }
}

#[cfg(test)]
mod tests;
