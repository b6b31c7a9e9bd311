//! Operands: the six bits of an addressing mode and the word that may follow the opcode.
//!
//! Modes from the CS5954AM data sheet (D5, 38-08025, documented), confirmed by the assembled
//! listing ST.

use super::expression::Expression;
use super::lexer::{Cursor, Token};

/// Mode bits of an immediate operand.
const IMMEDIATE: u16 = 0x1F;
/// Mode bits of a word in memory at a given address.
const DIRECT: u16 = 0x27;
/// Set in every memory mode for a byte instead of a word.
const BYTE: u16 = 0x08;

/// How much of memory an operand names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// One byte.
    Byte,
    /// Two bytes.
    Word,
}

/// One operand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Operand {
    /// The six mode bits.
    pub(super) field: u16,
    /// The word after the opcode, where the mode has one.
    pub(super) extension: Option<Extension>,
    /// For memory, how much of it; `None` for registers and immediates.
    pub(super) width: Option<Width>,
}

/// A word after an opcode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extension {
    /// The word.
    pub(super) value: Expression,
    /// Whether the processor takes it as an address in memory, which an offset in a relocatable
    /// block is not.
    pub(super) is_address: bool,
}

impl Operand {
    /// Parses one operand: `r3`, `0x40`, `[r8]`, `b[r8++]`, `w[r9+4]`, `[0xc028]`.
    pub(super) fn parse(cursor: &mut Cursor, anonymous: usize) -> Result<Self, String> {
        if let Some(Token::Name(name)) = cursor.peek() {
            if let Some(number) = register(name) {
                cursor.take();
                return Ok(Self { field: number, extension: None, width: None });
            }
            let width = match name.as_str() {
                "b" | "B" => Some(Width::Byte),
                "w" | "W" => Some(Width::Word),
                _ => None,
            };
            if let (Some(width), Some(Token::Mark('['))) = (width, cursor.peek_second()) {
                cursor.take();
                return memory(cursor, anonymous, width);
            }
        }
        if cursor.peek() == Some(&Token::Mark('[')) {
            return memory(cursor, anonymous, Width::Word);
        }
        let value = Expression::parse(cursor, anonymous)?;
        let extension = Some(Extension { value, is_address: false });
        Ok(Self { field: IMMEDIATE, extension, width: None })
    }

    /// Whether it is a number rather than a place.
    pub(super) fn is_immediate(&self) -> bool {
        self.field == IMMEDIATE
    }
}

/// The number of a register's name.
pub(super) fn register(name: &str) -> Option<u16> {
    let digits = name.strip_prefix(['r', 'R'])?;
    if digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    digits.parse().ok().filter(|number| *number <= 15)
}

fn memory(cursor: &mut Cursor, anonymous: usize, width: Width) -> Result<Operand, String> {
    cursor.expect('[')?;
    let byte = if width == Width::Byte { BYTE } else { 0 };
    let pointer = match cursor.peek() {
        Some(Token::Name(name)) => register(name),
        _ => None,
    };
    let (field, extension) = match pointer {
        None => {
            let value = Expression::parse(cursor, anonymous)?;
            (DIRECT, Some(Extension { value, is_address: true }))
        }
        Some(number) => {
            cursor.take();
            pointed(cursor, anonymous, number, width)?
        }
    };
    cursor.expect(']')?;
    Ok(Operand { field: field | byte, extension, width: Some(width) })
}

/// The modes that go through a pointer register.
fn pointed(
    cursor: &mut Cursor,
    anonymous: usize,
    number: u16,
    width: Width,
) -> Result<(u16, Option<Extension>), String> {
    let pointer = number
        .checked_sub(8)
        .ok_or_else(|| format!("got r{number} as a pointer, expected r8 to r15"))?;
    if number == 15 && width == Width::Byte {
        return Err("got a byte through r15, which reads and writes only words".to_owned());
    }
    if cursor.peek() == Some(&Token::Increment) {
        cursor.take();
        if number == 15 {
            return Err("got [r15++], expected [r15]: the stack pointer moves by itself".to_owned());
        }
        return Ok((0x20 | pointer, None));
    }
    // A minus stays with the expression: [r9-4+2] is [r9-2].
    if cursor.peek() == Some(&Token::Mark('-')) || cursor.accept('+') {
        let value = Expression::parse(cursor, anonymous)?;
        return Ok((0x30 | pointer, Some(Extension { value, is_address: false })));
    }
    Ok((0x10 | pointer, None))
}
