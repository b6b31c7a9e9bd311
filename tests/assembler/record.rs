//! The scan records that a boot EEPROM consists of, as directives: `record op02 vector=0x7A`,
//! code or data, `end`. The length word is computed.
//!
//! Layout [BM 1.7.5.12, documented; proven by the sniffed image in EZ]: the word C3B6, a length
//! word that counts the bytes after the opcode, the opcode byte, the body. A stream ends with any
//! other word; write `dw 0`.

use super::expression::Expression;
use super::lexer::Cursor;

/// The word every record begins with, as bytes.
pub(super) const SIGNATURE: [u8; 2] = [0xB6, 0xC3];

/// Bytes of a record before its fields: signature, length, opcode.
pub(super) const HEADER: u16 = 5;

/// How many bytes a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldWidth {
    /// One byte.
    Byte,
    /// Two bytes, the low one first.
    Word,
}

/// A kind of record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// The name in a source.
    name: &'static str,
    /// The opcode byte.
    pub(super) opcode: u8,
    /// What precedes the body, in this order.
    fields: &'static [(&'static str, FieldWidth)],
    /// Which field is the address of the body's first byte.
    pub(super) body: BodyAddress,
}

/// Where a record's body will lie when the chip runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyAddress {
    /// At an address the BIOS chooses: labels are offsets.
    Allocated,
    /// At the address in the first field.
    Given,
    /// Nowhere: the body is data for the BIOS.
    None,
}

/// What there is. Op 01 is left out because its meaning is ambiguous in the manual, op 07 because
/// it reads and belongs in no image.
const KINDS: [Kind; 8] = [
    kind("op00", 0, &[("address", FieldWidth::Word)], BodyAddress::Given),
    kind("op02", 2, &[("vector", FieldWidth::Byte)], BodyAddress::Allocated),
    kind("op03", 3, &[("vector", FieldWidth::Byte)], BodyAddress::None),
    kind("op04", 4, &[("address", FieldWidth::Word)], BodyAddress::None),
    kind("op05", 5, &[("address", FieldWidth::Word)], BodyAddress::None),
    kind("op06", 6, &[("vector", FieldWidth::Byte)], BodyAddress::None),
    kind(
        "op08",
        8,
        &[("vector", FieldWidth::Byte), ("start", FieldWidth::Word)],
        BodyAddress::None,
    ),
    kind(
        "op09",
        9,
        &[("register", FieldWidth::Byte), ("value", FieldWidth::Word)],
        BodyAddress::None,
    ),
];

const fn kind(
    name: &'static str,
    opcode: u8,
    fields: &'static [(&'static str, FieldWidth)],
    body: BodyAddress,
) -> Kind {
    Kind { name, opcode, fields, body }
}

/// The beginning of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Which kind.
    pub(super) kind: &'static Kind,
    /// The fields that precede the body.
    pub(super) fields: Vec<(FieldWidth, Expression)>,
}

impl Record {
    /// Parses what follows the word `record`.
    pub(super) fn parse(cursor: &mut Cursor, anonymous: usize) -> Result<Self, String> {
        let name = cursor.name("the kind of record, such as op02")?;
        let kind = KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| {
            let known: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
            format!("got the record `{name}`, expected one of {}", known.join(", "))
        })?;
        let mut fields = Vec::new();
        for (field, width) in kind.fields {
            let got = cursor.name(&format!("{field}="))?;
            if got != *field {
                return Err(format!("got `{got}`, expected {field}= for {name}"));
            }
            cursor.expect('=')?;
            fields.push((*width, Expression::parse(cursor, anonymous)?));
        }
        Ok(Self { kind, fields })
    }

    /// Bytes before the body.
    pub(super) fn head_length(&self) -> u16 {
        self.fields.iter().fold(HEADER, |sum, (width, _)| {
            sum.saturating_add(match width {
                FieldWidth::Byte => 1,
                FieldWidth::Word => 2,
            })
        })
    }
}
