//! Reads RAM through request A0 for `probe` and `upper_ram`.

use super::wire;
use crate::chip::{ChipError, Evidence, Grade};
use crate::usb::{Link, TransferError};

/// Bytes looked at in one place.
pub(super) const BLOCK: u16 = 64;
pub(super) fn fact(evidence: &mut Vec<Evidence>, grade: Grade, fact: String) {
    evidence.push(Evidence { fact, grade });
}

/// Asks for a block that may not be there: `Err` inside says what came instead.
pub(super) fn look(
    link: &mut dyn Link,
    address: u16,
) -> Result<Result<Vec<u8>, String>, ChipError> {
    match link.exchange_whole(&wire::read_ram(address, BLOCK)) {
        Ok(reply) if reply.data.len() == usize::from(BLOCK) => Ok(Ok(reply.data)),
        Ok(reply) => Ok(Err(format!("{} bytes", reply.data.len()))),
        Err(TransferError::Stall) => Ok(Err("a STALL".to_owned())),
        Err(TransferError::TimedOut) => Ok(Err("no answer in time".to_owned())),
        Err(TransferError::Overflow) => Ok(Err("more bytes".to_owned())),
        Err(source) => {
            Err(ChipError::Transfer { doing: format!("reading RAM at {address:04x}"), source })
        }
    }
}

/// The byte a block consists of, when it is only one.
pub(super) fn uniform(block: &[u8]) -> Option<u8> {
    let first = *block.first()?;
    block.iter().all(|byte| *byte == first).then_some(first)
}
