//! Addresses: where every statement lies, what every symbol is, which jumps must be long.

use std::collections::{BTreeMap, BTreeSet};

use super::cy16::{Instruction, SHORT_REACH};
use super::expression::{Expression, Symbols, Value};
use super::record::BodyAddress;
use super::statement::{Body, Item, Statement};
use super::{AssembleError, on_line};

/// The processor's address space, and the most an assembly may come to.
const ADDRESS_SPACE: usize = 0x1_0000;

/// Where one statement lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Its address; in a relocatable block, its offset.
    pub(super) here: Value,
    /// Bytes it comes to.
    pub(super) size: usize,
    /// Whether it will run at an address nobody knows yet.
    pub(super) relocatable: bool,
}

/// The outcome.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// One place for each statement.
    pub(super) places: Vec<Place>,
    /// All symbols.
    pub(super) symbols: Table,
    /// Indices of the statements that are long jumps.
    pub(super) long: BTreeSet<usize>,
}

/// Symbols and what they stand for.
#[derive(Debug, Default)]
pub(super) struct Table(BTreeMap<String, Symbol>);

#[derive(Debug)]
enum Symbol {
    Label(Value),
    /// An `equ`, and the address it stands at.
    Equal(Expression, Value),
}

impl Table {
    /// All names, with their values; anonymous labels are left out.
    pub(super) fn values(&self) -> impl Iterator<Item = (&str, Result<Value, String>)> {
        self.0
            .keys()
            .filter(|name| !name.starts_with('@'))
            .map(|name| (name.as_str(), self.value(name, 0)))
    }

    fn define(&mut self, name: &str, symbol: Symbol) -> Result<(), String> {
        match self.0.insert(name.to_owned(), symbol) {
            None => Ok(()),
            Some(_) => Err(format!("got `{name}` a second time, expected a new name")),
        }
    }
}

impl Symbols for Table {
    fn value(&self, name: &str, depth: usize) -> Result<Value, String> {
        match self.0.get(name) {
            Some(Symbol::Label(value)) => Ok(*value),
            Some(Symbol::Equal(expression, here)) => expression.value_at(self, *here, depth),
            None if name.starts_with('@') => {
                Err("got @b or @f, but no line @@: lies there".to_owned())
            }
            None => Err(format!("got `{name}`, which is defined nowhere")),
        }
    }
}

/// Finds the layout: every jump short at first, then those that do not reach made long, until all
/// reach. Ends, because no jump is ever made short again.
pub(super) fn choose_jump_sizes(statements: &[Statement]) -> Result<Layout, AssembleError> {
    let mut long = BTreeSet::new();
    loop {
        let layout = walk(statements, long)?;
        let mut grown = layout.long.clone();
        for (index, (statement, place)) in statements.iter().zip(&layout.places).enumerate() {
            if let Body::Instruction(Instruction::Jump { target, long: forced, .. }) =
                &statement.body
                && !layout.long.contains(&index)
                && must_be_long(target, *forced, place, &layout.symbols)
                    .map_err(on_line(statement.line))?
            {
                grown.insert(index);
            }
        }
        if grown.len() == layout.long.len() {
            return Ok(layout);
        }
        long = grown;
    }
}

fn must_be_long(
    target: &Expression,
    forced: bool,
    place: &Place,
    symbols: &Table,
) -> Result<bool, String> {
    let target = target.value(symbols, place.here)?;
    if target.number % 2 != 0 {
        return Err(format!("got a jump to {:#06x}, expected an even address", target.number));
    }
    match (target.bases, place.here.bases) {
        (0, 0) | (1, 1) => {}
        // From relocatable code to a fixed address, such as one in ROM.
        (0, _) => return Ok(true),
        _ => return Err("got a jump into relocatable code, whose address is not known".to_owned()),
    }
    let words = distance(target, place);
    let reaches = SHORT_REACH.contains(&words);
    if place.relocatable && (forced || !reaches) {
        return Err(format!(
            "got a jump over {words} words, expected {} to {}: this code is relocatable, and a \
             long jump goes to a fixed address",
            SHORT_REACH.start(),
            SHORT_REACH.end()
        ));
    }
    Ok(forced || !reaches)
}

/// Words from the word after a short jump to its target.
pub(super) fn distance(target: Value, place: &Place) -> i64 {
    target.number.saturating_sub(place.here.number).saturating_sub(2) / 2
}

/// Gives every statement its address, with these jumps long.
fn walk(statements: &[Statement], long: BTreeSet<usize>) -> Result<Layout, AssembleError> {
    let mut layout = Layout { long, ..Layout::default() };
    let mut walker = Walker::default();
    for (index, statement) in statements.iter().enumerate() {
        walker
            .step(statement, layout.long.contains(&index), &mut layout)
            .map_err(on_line(statement.line))?;
    }
    if let Some(record) = walker.open {
        let what = "got a record without its `end`".to_owned();
        return Err(AssembleError { line: record.line, what });
    }
    Ok(layout)
}

#[derive(Default)]
struct Walker {
    address: usize,
    length: usize,
    relocatable: bool,
    open: Option<Open>,
}

/// What is restored at the end of a record.
struct Open {
    line: usize,
    address: usize,
    relocatable: bool,
    start: usize,
}

impl Walker {
    fn step(
        &mut self,
        statement: &Statement,
        long: bool,
        layout: &mut Layout,
    ) -> Result<(), String> {
        // It would be ambiguous: the record's place in the file, or its body's address.
        if let Body::Record(_) | Body::End = statement.body
            && statement.label.is_some()
        {
            return Err("got a label before `record` or `end`, expected it inside".to_owned());
        }
        let here = self.here();
        let relocatable = self.relocatable;
        if let Some(label) = &statement.label {
            layout.symbols.define(label, Symbol::Label(here))?;
        }
        let size = self.size(statement, long, here, &mut layout.symbols)?;
        layout.places.push(Place { here, size, relocatable });
        self.length = self.length.saturating_add(size);
        if !matches!(statement.body, Body::Record(_)) {
            self.address = self.address.saturating_add(size);
        }
        if self.length > ADDRESS_SPACE || self.address > ADDRESS_SPACE {
            return Err(format!("got more than {ADDRESS_SPACE} bytes"));
        }
        Ok(())
    }

    fn here(&self) -> Value {
        let number = i64::try_from(self.address).unwrap_or(i64::MAX);
        Value { number, bases: i64::from(self.relocatable) }
    }

    fn size(
        &mut self,
        statement: &Statement,
        long: bool,
        here: Value,
        symbols: &mut Table,
    ) -> Result<usize, String> {
        Ok(match &statement.body {
            Body::Nothing => 0,
            Body::Instruction(instruction) => {
                if !self.address.is_multiple_of(2) {
                    return Err(format!(
                        "got an instruction at {:#06x}, expected an even address; `align 2`",
                        self.address
                    ));
                }
                match instruction {
                    Instruction::Words { extensions, .. } => {
                        extensions.len().saturating_mul(2).saturating_add(2)
                    }
                    Instruction::Jump { .. } => 2 + 2 * usize::from(long),
                }
            }
            Body::Bytes(items) => items.iter().fold(0, |sum, item| match item {
                Item::Literal(bytes) => sum.saturating_add(bytes.len()),
                Item::Byte(_) => sum.saturating_add(1),
            }),
            Body::Words(words) => words.len().saturating_mul(2),
            Body::Space(count, _) => plain(count, symbols, here, ADDRESS_SPACE)?,
            Body::Align(to) => {
                let to = plain(to, symbols, here, ADDRESS_SPACE)?;
                if to == 0 {
                    return Err("got an alignment of 0, expected 1 or more".to_owned());
                }
                self.address.next_multiple_of(to).saturating_sub(self.address)
            }
            Body::Origin(address) => {
                if self.relocatable {
                    return Err("got org in relocatable code, which starts at 0".to_owned());
                }
                self.address = plain(address, symbols, here, ADDRESS_SPACE)?;
                0
            }
            Body::Equal(name, expression) => {
                symbols.define(name, Symbol::Equal(expression.clone(), here))?;
                0
            }
            Body::Relocatable => {
                if self.length > 0 || self.address > 0 {
                    return Err("got relocatable after code, expected it before".to_owned());
                }
                self.relocatable = true;
                0
            }
            Body::Record(record) => {
                if self.open.is_some() {
                    return Err("got a record inside a record, expected `end` first".to_owned());
                }
                let head = usize::from(record.head_length());
                self.open = Some(Open {
                    line: statement.line,
                    address: self.address,
                    relocatable: self.relocatable,
                    start: self.length,
                });
                let first = record.fields.first();
                self.address = match (record.kind.body, first) {
                    (BodyAddress::Given, Some((_, address))) => {
                        plain(address, symbols, here, ADDRESS_SPACE)?
                    }
                    _ => 0,
                };
                self.relocatable = record.kind.body == BodyAddress::Allocated;
                head
            }
            Body::End => {
                let open = self.open.take().ok_or("got `end` without a record")?;
                let length = self.length.saturating_sub(open.start);
                self.address = open.address.saturating_add(length);
                self.relocatable = open.relocatable;
                0
            }
        })
    }
}

/// A number that must be known when its line is reached, 0 to `maximum`.
fn plain(
    expression: &Expression,
    symbols: &Table,
    here: Value,
    maximum: usize,
) -> Result<usize, String> {
    let value = expression.value(symbols, here)?;
    usize::try_from(value.number)
        .ok()
        .filter(|number| value.bases == 0 && *number <= maximum)
        .ok_or_else(|| format!("got {}, expected a number from 0 to {maximum}", value.number))
}
