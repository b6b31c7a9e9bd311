//! Chip memory as reached over a link: reads it and sends scan streams. Each failure says what was
//! asked. Knows no chip model; which addresses are safe is the caller's to know.

use std::time::Duration;

use super::record::{Record, RecordError};
use super::wire;
use crate::chip::ChipError;
use crate::usb::Link;

/// Reads `length` bytes from `address` on, in requests of at most 4096.
///
/// # Errors
/// [`ChipError::Transfer`] when a request fails, [`ChipError::NotProven`] when the answer is not
/// as long as asked for.
pub fn read(link: &mut dyn Link, address: u16, length: usize) -> Result<Vec<u8>, ChipError> {
    let mut bytes = Vec::with_capacity(length.min(0x1_0000));
    while bytes.len() < length {
        let piece = (length - bytes.len()).min(wire::MAX_BYTES);
        let from = u16::try_from(usize::from(address) + bytes.len())
            .map_err(|_| ChipError::NotProven(format!("{length} bytes from {address:04x} wrap")))?;
        // A request for fewer than two bytes is outside the documented range.
        let asked = u16::try_from(piece.max(2)).unwrap_or(u16::MAX);
        let transfer = wire::read_memory(from, asked);
        let reply = link
            .exchange_whole(&transfer)
            .map_err(ChipError::during(format!("reading chip memory {from:04x}, {asked} bytes")))?;
        let got = reply.data.len();
        match reply.data.get(..piece) {
            Some(data) if got == usize::from(asked) => bytes.extend(data),
            _ => {
                return Err(ChipError::NotProven(format!(
                    "reading chip memory at {from:04x} brought {got} bytes instead of {asked}"
                )));
            }
        }
    }
    Ok(bytes)
}

/// Reads one word.
///
/// # Errors
/// As [`read`].
pub fn read_word(link: &mut dyn Link, address: u16) -> Result<u16, ChipError> {
    let bytes = read(link, address, 2)?;
    match bytes.as_slice() {
        [low, high] => Ok(u16::from_le_bytes([*low, *high])),
        _ => Err(ChipError::NotProven(format!("no word at {address:04x}"))),
    }
}

/// Sends `records` as one stream; `doing` says why, for the error.
///
/// # Errors
/// [`ChipError::Transfer`] when the request fails; that it was understood is not said by the chip.
pub fn send(
    link: &mut dyn Link,
    doing: &str,
    records: &[Record],
    limit: Duration,
) -> Result<(), ChipError> {
    let transfer = wire::scan(records)?.within(limit);
    link.exchange(&transfer).map_err(ChipError::during(doing))?;
    Ok(())
}

impl From<RecordError> for ChipError {
    /// A record of ours that the BIOS would misread; it was not sent.
    fn from(error: RecordError) -> Self {
        Self::Loader(format!("would get a request that the chip misreads: {error}"))
    }
}
