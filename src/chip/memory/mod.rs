//! The lasting store a chip boots from, as reached through that chip.
//!
//! What every memory can is here: a [`Layout`] that says how it is written, [`Operation`]s as data,
//! and the [`Memory`] that applies them. What is true of serial I2C EEPROMs only is in
//! [`serial_eeprom`], how a size shows by wrapping in [`wrap`].

mod layout;
pub(super) mod serial_eeprom;
pub mod wrap;

use std::ops::Range;

use serde::Serialize;

pub use layout::{Costs, Erase, Extent, Layout, Operation, Segment, Sequence};
pub use serial_eeprom::AddressWidth;

use super::ChipError;

/// What is known of a memory's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "known", content = "bytes")]
pub enum Size {
    /// Proven: reading beyond it shows the same bytes again.
    Proven(u32),
    /// It holds at least this many; more cannot be told without writing, because its content is
    /// the same byte throughout.
    AtLeast(u32),
}

/// Why a memory did not do as told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// The part did not acknowledge: gone, dead, or still busy after its write cycle's limit.
    #[error("the EEPROM does not acknowledge at {address:#06x}")]
    NoAcknowledge {
        /// Where.
        address: u32,
    },
    /// What was read back is not what was written.
    #[error("the EEPROM holds {got:02x} at {address:#06x} where {expected:02x} was written")]
    NotKept {
        /// First address that differs.
        address: u32,
        /// What was written there.
        expected: u8,
        /// What it holds.
        got: u8,
    },
    /// The part uses a different address width from the one its place on the bus says, and how
    /// that showed. What it held before, it holds.
    #[error("{0}")]
    OtherWidth(String),
    /// This kind of memory is not erased.
    #[error("the {0} takes no erase")]
    NotErasable(&'static str),
    /// The memory cannot be read by this route, and why.
    #[error("the EEPROM cannot be read back: {0}")]
    Unreadable(String),
    /// The chip in front of it failed.
    #[error(transparent)]
    Chip(#[from] ChipError),
}

impl MemoryError {
    /// What its owner can do, one sentence each without its full stop, the best first.
    pub fn remedies(&self) -> &'static [&'static str] {
        match self {
            Self::NoAcknowledge { .. } => &[
                "check the supply and the two bus lines of the EEPROM, then run the same command",
                "if it still does not reply, the part is dead: replace it and run the same command",
            ],
            Self::OtherWidth(_) => &[
                "read the part's marking: a 24C01 to 24C16 uses one address byte and needs pin 1 (A0) at ground. A 24C32 or larger uses two and needs pin 1 at the supply",
                "if the pins are right, pin 7 (WP) must be at ground during writing; then run the same command",
            ],
            Self::Unreadable(_) => &["power-cycle the enclosure and run the same command"],
            Self::NotKept { .. } | Self::NotErasable(_) | Self::Chip(_) => &[],
        }
    }
}

/// A memory that is open for reading and writing.
pub trait Memory {
    /// Its layout, as far as known. Before [`Self::assume_size`] the program unit is one that every
    /// part takes.
    fn layout(&self) -> Layout;

    /// Chooses the program unit that every part of `bytes` takes. Writes are split at its borders.
    /// A memory that knows its size does nothing.
    fn assume_size(&mut self, bytes: u32) {
        let _ = bytes;
    }

    /// Chooses a program unit that is known otherwise, one of [`Layout::units`]. A memory that has
    /// none to choose does nothing.
    fn assume_unit(&mut self, unit: u32) {
        let _ = unit;
    }

    /// Reads `range`, which lies inside the extent; addresses beyond a wrapping part's size show
    /// its start again.
    ///
    /// # Errors
    /// [`MemoryError`]; [`MemoryError::Unreadable`] when this route has no way to read at all.
    fn read(&mut self, range: Range<u32>) -> Result<Vec<u8>, MemoryError>;

    /// Writes `bytes` at `address`, at most [`Layout::largest_write`], in as many program cycles as
    /// the unit makes of it. Returns when the part has taken them; unless [`Layout::verifies`],
    /// whether it kept them is for the caller to read back.
    ///
    /// # Errors
    /// [`MemoryError`]; what lies in the written range is then unknown.
    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), MemoryError>;

    /// Erases a range that [`Layout::erase`] allows. Every byte of it then reads FF.
    ///
    /// # Errors
    /// [`MemoryError`]; what lies in the range is then unknown.
    fn erase(&mut self, range: Range<u32>) -> Result<(), MemoryError> {
        let _ = range;
        Err(MemoryError::NotErasable(self.layout().name))
    }

    /// Carries out one operation.
    ///
    /// # Errors
    /// Those of [`Self::write`] and [`Self::erase`].
    fn apply(&mut self, operation: &Operation) -> Result<(), MemoryError> {
        match operation {
            Operation::Write(Segment { address, bytes }) => self.write(*address, bytes),
            Operation::Erase(range) => self.erase(range.clone()),
        }
    }

    /// Ends the writing, once all of it was kept: protects the part again, or has the chip take
    /// over what was sent.
    ///
    /// # Errors
    /// [`MemoryError`].
    fn finish(&mut self) -> Result<(), MemoryError> {
        Ok(())
    }

    /// Program cycles that were asked of the part since it was opened.
    fn write_cycles(&self) -> u32;
}
