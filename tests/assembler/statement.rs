//! Source lines to statements.

use super::cy16::{self, Instruction};
use super::expression::{Expression, anonymous_name};
use super::lexer::{Cursor, Token, tokens};
use super::record::Record;
use super::{AssembleError, on_line};

/// The longest text of a string descriptor: its length byte counts two bytes more than the text.
const MAX_DESCRIPTOR: usize = 126;

/// One statement, with what stands before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    /// Its line, counted from 1.
    pub(super) line: usize,
    /// The label before it.
    pub(super) label: Option<String>,
    /// What it says.
    pub(super) body: Body,
}

/// What a statement says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// Only a label.
    Nothing,
    /// An instruction.
    Instruction(Instruction),
    /// `db`: bytes and texts; a `string_descriptor` too.
    Bytes(Vec<Item>),
    /// `dw`: words.
    Words(Vec<Expression>),
    /// `ds count, fill`: the same byte many times.
    Space(Expression, Option<Expression>),
    /// `align n`: zeros up to a multiple of n.
    Align(Expression),
    /// `org address`: from here on at that address.
    Origin(Expression),
    /// `name equ value`.
    Equal(String, Expression),
    /// `relocatable`: this source is placed at an address nobody knows yet.
    Relocatable,
    /// `record op02 vector=..`.
    Record(Record),
    /// `end` of a record.
    End,
}

/// A part of `db`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// Bytes as they are.
    Literal(Vec<u8>),
    /// One byte.
    Byte(Expression),
}

/// Parses a whole source.
pub(super) fn parse(source: &str) -> Result<Vec<Statement>, AssembleError> {
    let mut statements = Vec::new();
    let mut anonymous = 0;
    for (index, text) in source.lines().enumerate() {
        let line = index.saturating_add(1);
        let statement = statement(line, text, &mut anonymous).map_err(on_line(line))?;
        statements.extend(statement);
    }
    Ok(statements)
}

fn statement(line: usize, text: &str, anonymous: &mut usize) -> Result<Option<Statement>, String> {
    let mut cursor = Cursor::new(tokens(text)?);
    if cursor.peek().is_none() {
        return Ok(None);
    }
    let label = label(&mut cursor, anonymous)?;
    let body = if cursor.peek().is_none() { Body::Nothing } else { body(&mut cursor, *anonymous)? };
    cursor.end()?;
    Ok(Some(Statement { line, label, body }))
}

fn label(cursor: &mut Cursor, anonymous: &mut usize) -> Result<Option<String>, String> {
    if cursor.peek_second() != Some(&Token::Mark(':')) {
        return Ok(None);
    }
    let label = match cursor.take() {
        Some(Token::Anonymous) => {
            *anonymous = anonymous.saturating_add(1);
            anonymous_name(*anonymous)
        }
        Some(Token::Name(name)) => {
            refuse_register(&name)?;
            name
        }
        Some(other) => return Err(format!("got {other} as a label, expected a name")),
        None => return Ok(None),
    };
    cursor.expect(':')?;
    Ok(Some(label))
}

fn refuse_register(name: &str) -> Result<(), String> {
    if super::operand::register(name).is_some() {
        return Err(format!("got the register `{name}` as a name of something else"));
    }
    Ok(())
}

fn body(cursor: &mut Cursor, anonymous: usize) -> Result<Body, String> {
    let name = cursor.name("an instruction or a directive")?;
    if cursor.peek() == Some(&Token::Name("equ".to_owned())) {
        cursor.take();
        refuse_register(&name)?;
        return Ok(Body::Equal(name, Expression::parse(cursor, anonymous)?));
    }
    let word = name.to_ascii_lowercase();
    if let Some(instruction) = cy16::instruction(&word, cursor, anonymous) {
        return Ok(Body::Instruction(instruction?));
    }
    Ok(match word.as_str() {
        "db" => Body::Bytes(list(cursor, |cursor| byte_item(cursor, anonymous))?),
        "dw" => Body::Words(list(cursor, |cursor| Expression::parse(cursor, anonymous))?),
        "ds" => {
            let count = Expression::parse(cursor, anonymous)?;
            let fill = cursor.accept(',').then(|| Expression::parse(cursor, anonymous));
            Body::Space(count, fill.transpose()?)
        }
        "string_descriptor" => Body::Bytes(vec![string_descriptor(cursor)?]),
        "align" => Body::Align(Expression::parse(cursor, anonymous)?),
        "org" => Body::Origin(Expression::parse(cursor, anonymous)?),
        "relocatable" => Body::Relocatable,
        "record" => Body::Record(Record::parse(cursor, anonymous)?),
        "end" => Body::End,
        _ => return Err(format!("got `{name}`, which is no instruction and no directive")),
    })
}

fn list<T>(
    cursor: &mut Cursor,
    mut item: impl FnMut(&mut Cursor) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let mut items = vec![item(cursor)?];
    while cursor.accept(',') {
        items.push(item(cursor)?);
    }
    Ok(items)
}

fn byte_item(cursor: &mut Cursor, anonymous: usize) -> Result<Item, String> {
    if !matches!(cursor.peek(), Some(Token::Text(_))) {
        return Ok(Item::Byte(Expression::parse(cursor, anonymous)?));
    }
    let text = quoted(cursor)?;
    if !text.is_ascii() {
        return Err(format!("got {text:?} in db, expected ASCII"));
    }
    Ok(Item::Literal(text.into_bytes()))
}

fn quoted(cursor: &mut Cursor) -> Result<String, String> {
    match cursor.take() {
        Some(Token::Text(text)) => Ok(text),
        _ => Err("expected text between double quotes".to_owned()),
    }
}

/// A USB string descriptor: length, type 3, UTF-16 [USB 2.0 9.6.7].
fn string_descriptor(cursor: &mut Cursor) -> Result<Item, String> {
    let units: Vec<u16> = quoted(cursor)?.encode_utf16().collect();
    if units.len() > MAX_DESCRIPTOR {
        return Err(format!(
            "got a text of {} UTF-16 units, a string descriptor holds {MAX_DESCRIPTOR}",
            units.len()
        ));
    }
    let length = units.len().saturating_mul(2).saturating_add(2);
    let mut bytes = vec![u8::try_from(length).unwrap_or(u8::MAX), 3];
    bytes.extend(units.into_iter().flat_map(u16::to_le_bytes));
    Ok(Item::Literal(bytes))
}
