//! Reads chip memory through request FF for `probe` and `sides`, and what both know of the map.

use super::wire;
use crate::chip::ChipError;
use crate::usb::{Link, TransferError};

/// Interrupts every BIOS of the family serves from ROM: EEPROM, scan, scan decoder, loader.
pub(super) const SERVICES: &[(u16, &str)] =
    &[(64, "EEPROM"), (67, "scan"), (79, "scan decoder"), (94, "loader")];
/// The part of the ROM window that every chip of the family has.
pub(super) const SHARED_ROM: u16 = 0xe800;
/// Where the EZ chips have ROM and the SL11R has none.
pub(super) const EZ_ROM: u16 = 0xe000;
/// Bytes looked at in one place.
pub(super) const BLOCK: u16 = 256;

/// The vector table as it was read.
pub(super) struct Vectors(Vec<u8>);

impl Vectors {
    pub(super) fn read(link: &mut dyn Link) -> Result<Self, ChipError> {
        Ok(Self(ask(link, "the interrupt vectors", 0, BLOCK)?))
    }

    /// What the word of that interrupt holds.
    pub(super) fn pointer(&self, interrupt: u16) -> u16 {
        let at = usize::from(interrupt) * 2;
        match self.0.get(at..at + 2) {
            Some([low, high]) => u16::from_le_bytes([*low, *high]),
            _ => 0,
        }
    }
}

/// Reads chip memory once; every answer but the right number of bytes proves nothing.
pub(super) fn ask(
    link: &mut dyn Link,
    what: &str,
    address: u16,
    length: u16,
) -> Result<Vec<u8>, ChipError> {
    let transfer = wire::read_memory(address, length);
    let not_proven = |got: String| {
        ChipError::NotProven(format!(
            "read {what} ({transfer}): got {got}, expected {length} bytes"
        ))
    };
    match link.exchange_whole(&transfer) {
        Ok(reply) if reply.data.len() == usize::from(length) => Ok(reply.data),
        Ok(reply) => Err(not_proven(format!("{} bytes", reply.data.len()))),
        Err(TransferError::Stall) => Err(not_proven("a STALL".to_owned())),
        Err(TransferError::TimedOut) => Err(not_proven("no answer in time".to_owned())),
        Err(TransferError::Overflow) => Err(not_proven("more bytes".to_owned())),
        Err(source) => Err(ChipError::Transfer { doing: format!("reading {what}"), source }),
    }
}

/// The byte a block consists of, when it is only one.
pub(super) fn uniform(block: &[u8]) -> Option<u8> {
    let first = *block.first()?;
    block.iter().all(|byte| *byte == first).then_some(first)
}
