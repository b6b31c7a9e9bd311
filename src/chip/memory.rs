//! The lasting store a chip boots from, as reached through that chip.

use std::ops::Range;

use serde::Serialize;

use super::ChipError;

/// How many address bytes a serial EEPROM takes after its control byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressWidth {
    /// One, the parts up to 2 KB; the bits above eight are in the control byte.
    One,
    /// Two, the parts from 4 KB.
    Two,
}

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

/// The shape of a memory. Addresses and sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Geometry {
    /// Address bytes.
    pub width: AddressWidth,
    /// The first address that cannot be expressed: 2 KB for one address byte, 64 KB for two.
    pub reach: u32,
    /// The smallest part there is of this address width.
    pub smallest: u32,
    /// What one write cycle takes at most: the page of the part, or 1 where the route to it
    /// writes single bytes. Writes are planned in whole pages of this size.
    pub page: u32,
    /// The most bytes one [`Memory::write`] takes; a multiple of `page`.
    pub span: u32,
    /// Clock of the I2C bus as used, hertz.
    pub bus_hz: u32,
    /// Whether the chip writes from address 0 on only, so that a write further up repeats what
    /// lies before it.
    pub from_start: bool,
    /// Whether a write that succeeds has been read back, end to end: what the part keeps was
    /// compared with what the host sent.
    pub reads_back: bool,
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
    /// The part takes its addresses otherwise than its place on the bus says, and how that
    /// showed. What it held before, it holds.
    #[error("{0}")]
    OtherWidth(String),
    /// The memory cannot be read by this route, and why.
    #[error("the EEPROM cannot be read back: {0}")]
    Unreadable(String),
    /// The chip in front of it failed.
    #[error(transparent)]
    Chip(#[from] ChipError),
}

/// A memory that is open for reading and writing.
pub trait Memory {
    /// Its shape, as far as known. Before [`Self::settle`] the page is one that every part takes.
    fn geometry(&self) -> Geometry;

    /// Chooses the page that every part of `bytes` takes. Writes are split at its borders.
    fn settle(&mut self, bytes: u32);

    /// Reads `range`, which lies below the reach; addresses beyond the part's size wrap.
    ///
    /// # Errors
    /// [`MemoryError`]; [`MemoryError::Unreadable`] when this route has no way to read at all.
    fn read(&mut self, range: Range<u32>) -> Result<Vec<u8>, MemoryError>;

    /// Writes `bytes` at `address`, at most a span, in as many write cycles as its page makes of
    /// it. Returns when the part has taken them; unless [`Geometry::reads_back`], whether it kept
    /// them is for the caller to read back.
    ///
    /// # Errors
    /// [`MemoryError`]; what lies in the written range is then unknown.
    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), MemoryError>;

    /// Write cycles that were asked of the part since it was opened.
    fn write_cycles(&self) -> u32;
}
