//! Streams of scan records, as a request carries them and as an EEPROM holds them: splits bytes
//! into records and joins records to bytes. Pure; the bytes may be anything.

use super::record::{Record, RecordError, word};

/// What ends every stream that is made here.
pub const TERMINATOR: [u8; 2] = [0, 0];

/// A record and the place in the stream where it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Offset of its signature.
    pub at: usize,
    /// The record.
    pub record: Record,
}

/// How a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With this word; `after` bytes follow it.
    Word {
        /// The word that is no signature.
        word: u16,
        /// Bytes behind it, which the BIOS never reads.
        after: usize,
    },
    /// With one byte, which is no signature's first, and then nothing.
    Byte(
        /// The byte.
        u8,
    ),
    /// With the last record: nothing tells the BIOS to stop.
    Missing,
}

/// Why bytes are not a stream of records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The bytes end inside a record.
    #[error("the record at {at:#06x} is cut off")]
    Cut {
        /// Where that record starts.
        at: usize,
    },
    /// A record is wrong.
    #[error("the record at {at:#06x}: {source}")]
    Record {
        /// Where it starts.
        at: usize,
        /// What is wrong.
        source: RecordError,
    },
}

/// Splits a stream into its records. The work is bounded by the number of bytes.
///
/// # Errors
/// [`StreamError`] at the first record that is cut or wrong.
pub fn decode_stream(bytes: &[u8]) -> Result<(Vec<Placed>, Ending), StreamError> {
    let mut records = Vec::new();
    let mut rest = bytes;
    loop {
        let at = bytes.len().saturating_sub(rest.len());
        let body = match rest {
            [] => return Ok((records, Ending::Missing)),
            [0xb6] => return Err(StreamError::Cut { at }),
            [byte] => return Ok((records, Ending::Byte(*byte))),
            [0xb6, 0xc3, body @ ..] => body,
            [low, high, after @ ..] => {
                return Ok((records, Ending::Word { word: word(*low, *high), after: after.len() }));
            }
        };
        let [low, high, opcode, body @ ..] = body else {
            return Err(StreamError::Cut { at });
        };
        let Some((body, next)) = body.split_at_checked(usize::from(word(*low, *high))) else {
            return Err(StreamError::Cut { at });
        };
        let record =
            Record::decode(*opcode, body).map_err(|source| StreamError::Record { at, source })?;
        records.push(Placed { at, record });
        rest = next;
    }
}

/// The bytes of a stream of `records`, with its terminator.
///
/// # Errors
/// [`RecordError`] of the first record that cannot be encoded.
pub fn encode_stream(records: &[Record]) -> Result<Vec<u8>, RecordError> {
    let mut bytes = Vec::new();
    for record in records {
        bytes.extend(record.encode()?);
    }
    bytes.extend(TERMINATOR);
    Ok(bytes)
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
