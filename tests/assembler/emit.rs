//! Statements with their addresses to bytes and a listing.

use std::fmt::Write as _;

use super::cy16::Instruction;
use super::expression::{Expression, Value};
use super::layout::{self, Layout, Place};
use super::operand::Extension;
use super::record::{FieldWidth, HEADER, Record, SIGNATURE};
use super::statement::{Body, Item, Statement};
use super::{AssembleError, Assembly, on_line};

/// Bytes in one line of the listing.
const LISTED: usize = 8;

/// Assembles statements whose layout is settled.
pub(super) fn emit(
    source: &str,
    statements: &[Statement],
    layout: &Layout,
) -> Result<Assembly, AssembleError> {
    let mut emitter = Emitter { layout, bytes: Vec::new(), open: None };
    let mut listing = String::new();
    let mut next = statements.iter().zip(&layout.places).enumerate().peekable();
    for (index, text) in source.lines().enumerate() {
        let line = index.saturating_add(1);
        let start = emitter.bytes.len();
        let mut address = None;
        if let Some((index, (statement, place))) = next.next_if(|(_, (s, _))| s.line == line) {
            let long = layout.long.contains(&index);
            emitter.statement(statement, place, long).map_err(on_line(line))?;
            address = Some(place.here.number);
        }
        list(&mut listing, address, emitter.bytes.get(start..).unwrap_or_default(), text);
    }
    let mut symbols = std::collections::BTreeMap::new();
    for (name, value) in layout.symbols.values() {
        let number = value.and_then(word).map_err(|what| {
            let defines = |s: &&Statement| matches!(&s.body, Body::Equal(n, _) if n == name);
            let line = statements.iter().find(defines).map_or(1, |statement| statement.line);
            AssembleError { line, what }
        })?;
        symbols.insert(name.to_owned(), number);
    }
    Ok(Assembly { bytes: emitter.bytes, symbols, listing })
}

fn list(listing: &mut String, address: Option<i64>, bytes: &[u8], text: &str) {
    let mut chunks = bytes.chunks(LISTED);
    let hex =
        |chunk: &[u8]| chunk.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ");
    let first = chunks.next().map(hex).unwrap_or_default();
    let address = address.map(|address| format!("{address:04X}")).unwrap_or_default();
    let line = format!("{address:4}  {first:23}  {text}");
    listing.push_str(line.trim_end());
    listing.push('\n');
    for chunk in chunks {
        // Writing to a String cannot fail.
        let _ = writeln!(listing, "      {}", hex(chunk));
    }
}

struct Emitter<'l> {
    layout: &'l Layout,
    bytes: Vec<u8>,
    /// Where the open record began.
    open: Option<usize>,
}

impl Emitter<'_> {
    fn statement(
        &mut self,
        statement: &Statement,
        place: &Place,
        long: bool,
    ) -> Result<(), String> {
        match &statement.body {
            Body::Instruction(instruction) => self.instruction(instruction, place, long),
            Body::Bytes(items) => items.iter().try_for_each(|item| match item {
                Item::Literal(bytes) => {
                    self.bytes.extend(bytes);
                    Ok(())
                }
                Item::Byte(expression) => self.byte(expression, place),
            }),
            Body::Words(words) => words.iter().try_for_each(|value| self.word(value, place)),
            Body::Space(_, fill) => {
                let fill = match fill {
                    Some(fill) => byte(self.value(fill, place)?)?,
                    None => 0,
                };
                self.bytes.extend(std::iter::repeat_n(fill, place.size));
                Ok(())
            }
            Body::Align(_) => {
                self.bytes.extend(std::iter::repeat_n(0, place.size));
                Ok(())
            }
            Body::Record(record) => self.record(record, place),
            Body::End => self.end(),
            Body::Nothing | Body::Origin(_) | Body::Equal(..) | Body::Relocatable => Ok(()),
        }
    }

    fn value(&self, expression: &Expression, place: &Place) -> Result<Value, String> {
        expression.value(&self.layout.symbols, place.here)
    }

    fn push(&mut self, word: u16) {
        self.bytes.extend(word.to_le_bytes());
    }

    fn byte(&mut self, expression: &Expression, place: &Place) -> Result<(), String> {
        let value = byte(self.value(expression, place)?)?;
        self.bytes.push(value);
        Ok(())
    }

    fn word(&mut self, expression: &Expression, place: &Place) -> Result<(), String> {
        let value = word(self.value(expression, place)?)?;
        self.push(value);
        Ok(())
    }

    fn instruction(
        &mut self,
        instruction: &Instruction,
        place: &Place,
        long: bool,
    ) -> Result<(), String> {
        match instruction {
            Instruction::Words { opcode, small, extensions } => {
                let bits = match small {
                    Some(small) => small.bits(self.value(&small.value, place)?.number)?,
                    None => 0,
                };
                self.push(opcode | bits);
                extensions.iter().try_for_each(|extension| self.extension(extension, place))
            }
            Instruction::Jump { condition, target, .. } => {
                let target = self.value(target, place)?;
                let opcode = 0xC000 | condition << 8;
                if long {
                    self.push(opcode | 0x9F);
                    self.push(word(target)?);
                } else {
                    let words = layout::distance(target, place) & 0x7F;
                    self.push(opcode | u16::try_from(words).unwrap_or_default());
                }
                Ok(())
            }
        }
    }

    fn extension(&mut self, extension: &Extension, place: &Place) -> Result<(), String> {
        let value = self.value(&extension.value, place)?;
        if extension.is_address && value.bases != 0 {
            return Err(format!(
                "got the offset {:#06x} as an address, but where this relocatable code will lie \
                 is not known; go through a register that holds its start",
                value.number
            ));
        }
        let value = word(value)?;
        self.push(value);
        Ok(())
    }

    fn record(&mut self, record: &Record, place: &Place) -> Result<(), String> {
        self.open = Some(self.bytes.len());
        self.bytes.extend(SIGNATURE);
        self.push(0);
        self.bytes.push(record.kind.opcode);
        record.fields.iter().try_for_each(|(width, field)| match width {
            FieldWidth::Byte => self.byte(field, place),
            FieldWidth::Word => self.word(field, place),
        })
    }

    /// Fills in the length word: the bytes after the opcode.
    fn end(&mut self) -> Result<(), String> {
        let start = self.open.take().ok_or("got `end` without a record")?;
        let body = start.saturating_add(usize::from(HEADER));
        let length = self.bytes.len().saturating_sub(body);
        let length = u16::try_from(length)
            .map_err(|_| format!("got a record of {length} bytes, the most is 65535"))?;
        let place = start.saturating_add(2)..start.saturating_add(4);
        if let Some(field) = self.bytes.get_mut(place) {
            field.copy_from_slice(&length.to_le_bytes());
        }
        Ok(())
    }
}

/// A value as one byte: -128 to 255.
fn byte(value: Value) -> Result<u8, String> {
    let number = value.number;
    let fits = value.bases == 0 && (-128..=255).contains(&number);
    u8::try_from(number & 0xFF)
        .ok()
        .filter(|_| fits)
        .ok_or_else(|| format!("got {number} as a byte, expected -128 to 255"))
}

/// A value as one word: -32768 to 65535; an offset in a relocatable block stays an offset.
fn word(value: Value) -> Result<u16, String> {
    let number = value.number;
    let fits = (0..=1).contains(&value.bases) && (-32768..=65535).contains(&number);
    u16::try_from(number & 0xFFFF)
        .ok()
        .filter(|_| fits)
        .ok_or_else(|| format!("got {number} as a word, expected -32768 to 65535"))
}
