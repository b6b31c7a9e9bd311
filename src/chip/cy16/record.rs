//! Scan records, the one language of this family: a USB request and an EEPROM both hold a stream
//! of them, and the BIOS decodes both with the same code (INT 67) [BM INT 67 listing].
//!
//! A record is `B6 C3`, a 16-bit length of what follows the opcode, the opcode, its body; all
//! words little-endian. Any other word where a record could start ends the stream. The BIOS never
//! uses the length to find the next record: each opcode consumes its own bytes, so a wrong length
//! desynchronises it or overwrites memory. Hence nothing here encodes or accepts a record whose
//! length is not exactly what its opcode consumes.
//!
//! Pure. Records follow one another in a `stream`; what an image may do with them is judged in
//! `rules`; requests are made in `wire`.

use std::fmt;

/// The two bytes each record starts with.
pub const SIGNATURE: [u8; 2] = [0xb6, 0xc3];
/// Interrupt numbers run from 0 to 127: their vectors fill 0000..0100 [BM 1.3].
pub const MAX_INTERRUPT: u8 = 0x7f;

/// One record. Addresses are the chip's own; `interrupt` is a number whose vector word lies at
/// twice that number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Op 00: copies `data` to memory from `address` on (documented).
    Copy {
        /// First address.
        address: u16,
        /// At least one byte.
        data: Vec<u8>,
    },
    /// Op 02: allocates a block, copies `code` into it and points the interrupt at it
    /// (documented).
    Install {
        /// Interrupt number.
        interrupt: u8,
        /// Position-independent code, at least one byte.
        code: Vec<u8>,
    },
    /// Op 03: adds the address of an installed block to the words at `offsets` (documented).
    FixUp {
        /// Interrupt number the block was installed at.
        interrupt: u8,
        /// Offsets inside the block, at least one.
        offsets: Vec<u16>,
    },
    /// Op 04: jumps; decoding goes on only if the code returns (documented).
    Jump {
        /// Target.
        address: u16,
    },
    /// Op 05: calls (documented).
    Call {
        /// Target.
        address: u16,
    },
    /// Op 06: executes an interrupt (documented).
    Interrupt {
        /// Interrupt number.
        interrupt: u8,
    },
    /// Op 08: hands `data` byte by byte to an interrupt's write function; with INT 64 or 65 that
    /// programs the EEPROM (captured: the sniff of Cypress's own tool).
    Feed {
        /// Interrupt number.
        interrupt: u8,
        /// EEPROM address of the first byte.
        start: u16,
        /// At least one byte.
        data: Vec<u8>,
    },
    /// Op 09: writes words to registers C000 + n (documented for one entry).
    Registers(
        /// Register number and value, at least one entry.
        Vec<(u8, u16)>,
    ),
}

impl Record {
    /// The opcode.
    pub fn opcode(&self) -> u8 {
        match self {
            Self::Copy { .. } => 0x00,
            Self::Install { .. } => 0x02,
            Self::FixUp { .. } => 0x03,
            Self::Jump { .. } => 0x04,
            Self::Call { .. } => 0x05,
            Self::Interrupt { .. } => 0x06,
            Self::Feed { .. } => 0x08,
            Self::Registers(_) => 0x09,
        }
    }

    /// The record's bytes, without a terminator.
    ///
    /// # Errors
    /// [`RecordError`] for a body the BIOS would misread: empty, or longer than its length field.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        let opcode = self.opcode();
        let mut body = Vec::new();
        match self {
            Self::Copy { address, data } => {
                body.extend(address.to_le_bytes());
                body.extend(data);
                filled(opcode, data.is_empty())?;
            }
            Self::Install { interrupt, code } => {
                body.push(numbered(opcode, *interrupt)?);
                body.extend(code);
                filled(opcode, code.is_empty())?;
            }
            Self::FixUp { interrupt, offsets } => {
                body.push(numbered(opcode, *interrupt)?);
                body.extend(offsets.iter().flat_map(|offset| offset.to_le_bytes()));
                filled(opcode, offsets.is_empty())?;
            }
            Self::Jump { address } | Self::Call { address } => body.extend(address.to_le_bytes()),
            Self::Interrupt { interrupt } => body.push(numbered(opcode, *interrupt)?),
            Self::Feed { interrupt, start, data } => {
                body.push(numbered(opcode, *interrupt)?);
                body.extend(start.to_le_bytes());
                body.extend(data);
                filled(opcode, data.is_empty())?;
            }
            Self::Registers(entries) => {
                for (register, value) in entries {
                    body.push(*register);
                    body.extend(value.to_le_bytes());
                }
                filled(opcode, entries.is_empty())?;
            }
        }
        let length = u16::try_from(body.len())
            .map_err(|_| RecordError::TooLong { opcode, length: body.len() })?;
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend(length.to_le_bytes());
        bytes.push(opcode);
        bytes.append(&mut body);
        Ok(bytes)
    }

    /// A record from its opcode and the body its length field spans.
    ///
    /// # Errors
    /// [`RecordError`] when the opcode would consume more or less than that body, or is none
    /// whose meaning is known.
    pub fn decode(opcode: u8, body: &[u8]) -> Result<Self, RecordError> {
        let wrong = |expected| RecordError::Length { opcode, length: body.len(), expected };
        match opcode {
            0x00 => match body {
                [low, high, data @ ..] if !data.is_empty() => {
                    Ok(Self::Copy { address: word(*low, *high), data: data.to_vec() })
                }
                _ => Err(wrong("3 or more")),
            },
            0x02 => match body {
                [interrupt, code @ ..] if !code.is_empty() => Ok(Self::Install {
                    interrupt: numbered(opcode, *interrupt)?,
                    code: code.into(),
                }),
                _ => Err(wrong("2 or more")),
            },
            0x03 => match body {
                [interrupt, rest @ ..] if !rest.is_empty() && rest.len().is_multiple_of(2) => {
                    let offsets = rest
                        .chunks_exact(2)
                        .filter_map(|pair| <[u8; 2]>::try_from(pair).ok())
                        .map(u16::from_le_bytes)
                        .collect();
                    Ok(Self::FixUp { interrupt: numbered(opcode, *interrupt)?, offsets })
                }
                _ => Err(wrong("3, 5, 7 or more")),
            },
            0x04 => match body {
                [low, high] => Ok(Self::Jump { address: word(*low, *high) }),
                _ => Err(wrong("2")),
            },
            0x05 => match body {
                [low, high] => Ok(Self::Call { address: word(*low, *high) }),
                _ => Err(wrong("2")),
            },
            0x06 => match body {
                [interrupt] => Ok(Self::Interrupt { interrupt: numbered(opcode, *interrupt)? }),
                _ => Err(wrong("1")),
            },
            0x08 => match body {
                [interrupt, low, high, data @ ..] if !data.is_empty() => Ok(Self::Feed {
                    interrupt: numbered(opcode, *interrupt)?,
                    start: word(*low, *high),
                    data: data.to_vec(),
                }),
                _ => Err(wrong("4 or more")),
            },
            0x09 => {
                if body.is_empty() || !body.len().is_multiple_of(3) {
                    return Err(wrong("3, 6, 9 or more"));
                }
                let entries = body
                    .chunks_exact(3)
                    .filter_map(|entry| <[u8; 3]>::try_from(entry).ok())
                    .map(|[register, low, high]| (register, word(low, high)))
                    .collect();
                Ok(Self::Registers(entries))
            }
            _ => Err(RecordError::Unknown { opcode }),
        }
    }
}

impl fmt::Display for Record {
    /// What the record does, one phrase.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "op {:02x}: ", self.opcode())?;
        match self {
            Self::Copy { address, data } => {
                write!(f, "{} bytes to {address:04x}", data.len())
            }
            Self::Install { interrupt, code } => {
                write!(f, "{} bytes installed at vector {interrupt:02x}", code.len())
            }
            Self::FixUp { interrupt, offsets } => {
                write!(
                    f,
                    "{} addresses fixed in the block of vector {interrupt:02x}",
                    offsets.len()
                )
            }
            Self::Jump { address } => write!(f, "jump to {address:04x}"),
            Self::Call { address } => write!(f, "call of {address:04x}"),
            Self::Interrupt { interrupt } => write!(f, "interrupt {interrupt:02x}"),
            Self::Feed { interrupt, start, data } => {
                write!(
                    f,
                    "{} bytes through interrupt {interrupt:02x} to EEPROM {start:04x}",
                    data.len()
                )
            }
            Self::Registers(entries) => {
                for (place, (register, value)) in entries.iter().enumerate() {
                    let comma = if place == 0 { "" } else { ", " };
                    write!(f, "{comma}register c0{register:02x} = {value:04x}")?;
                }
                Ok(())
            }
        }
    }
}

/// Why bytes are not a record, or a record cannot become bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The length field is not what the opcode consumes.
    #[error("op {opcode:02x} has length {length}, expected {expected}")]
    Length {
        /// The opcode.
        opcode: u8,
        /// Its length field.
        length: usize,
        /// What it consumes.
        expected: &'static str,
    },
    /// The body does not fit the length field, or the request it must travel in.
    #[error("op {opcode:02x} with {length} bytes does not fit")]
    TooLong {
        /// The opcode.
        opcode: u8,
        /// Bytes after the opcode.
        length: usize,
    },
    /// An opcode that is unknown (0a and up), ambiguous in the manual (01), or that only reads a
    /// UART (07).
    #[error("the effect of op {opcode:02x} is not known")]
    Unknown {
        /// The opcode.
        opcode: u8,
    },
    /// An interrupt number above 7f.
    #[error("op {opcode:02x} names interrupt {interrupt:02x}, expected 00 to 7f")]
    Interrupt {
        /// The opcode.
        opcode: u8,
        /// The number.
        interrupt: u8,
    },
    /// No record at all.
    #[error("a stream without a record")]
    Nothing,
}

/// Refuses a body that would be empty.
fn filled(opcode: u8, is_empty: bool) -> Result<(), RecordError> {
    if is_empty {
        return Err(RecordError::Length { opcode, length: 0, expected: "some data" });
    }
    Ok(())
}

/// Refuses an interrupt number whose vector would lie in the register bank.
fn numbered(opcode: u8, interrupt: u8) -> Result<u8, RecordError> {
    if interrupt > MAX_INTERRUPT {
        return Err(RecordError::Interrupt { opcode, interrupt });
    }
    Ok(interrupt)
}

pub(super) fn word(low: u8, high: u8) -> u16 {
    u16::from_le_bytes([low, high])
}
