//! The instruction set: mnemonics to opcode words.
//!
//! Word formats and condition codes from the CS5954AM data sheet (D5, 38-08025 pp. 32 and 34,
//! documented), each confirmed by assembled code that ran (ST, EZ), except what the test
//! `layout_only` lists: rotates, NOT, NEG, CBW, CLI, STC, conditional calls and returns.

use super::expression::Expression;
use super::lexer::Cursor;
use super::operand::{Extension, Operand, Width};

/// The condition "always".
const ALWAYS: u16 = 0xF;
/// `[r15]`: push as a destination, pop as a source.
const STACK: u16 = 0x17;
/// Target mode of a jump to an absolute address.
const ABSOLUTE: u16 = 0x1F;

/// A short jump's reach, in words from the word after it.
pub(super) const SHORT_REACH: std::ops::RangeInclusive<i64> = -64..=63;

/// One instruction, complete but for what rests on addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Instruction {
    /// An opcode and the words that follow it.
    Words {
        /// The opcode word.
        opcode: u16,
        /// A small number inside the opcode word.
        small: Option<Small>,
        /// The words after it: source, then destination.
        extensions: Vec<Extension>,
    },
    /// A jump to an address: one word if short, two if long.
    Jump {
        /// Condition code.
        condition: u16,
        /// Where to.
        target: Expression,
        /// Whether the source asks for the long form.
        long: bool,
    },
}

/// A small number inside an opcode word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Small {
    /// The number.
    pub(super) value: Expression,
    /// The numbers that fit.
    pub(super) range: std::ops::RangeInclusive<u16>,
    /// What it counts, for messages.
    pub(super) what: &'static str,
    /// Where its lowest bit goes.
    pub(super) shift: u32,
}

impl Small {
    /// Its bits in the opcode word; counts start at 1 and are stored less 1.
    pub(super) fn bits(&self, number: i64) -> Result<u16, String> {
        let (minimum, maximum) = (*self.range.start(), *self.range.end());
        u16::try_from(number)
            .ok()
            .filter(|number| self.range.contains(number))
            .and_then(|number| number.checked_sub(minimum)?.checked_shl(self.shift))
            .ok_or_else(|| {
                format!("got {number} as {}, expected {minimum} to {maximum}", self.what)
            })
    }
}

/// Parses the operands of `mnemonic` (lower case); `None` if there is no such instruction.
pub(super) fn instruction(
    mnemonic: &str,
    cursor: &mut Cursor,
    anonymous: usize,
) -> Option<Result<Instruction, String>> {
    if let Some(number) = TWO_OPERANDS.iter().position(|name| *name == mnemonic) {
        return Some(two_operands(number, cursor, anonymous));
    }
    if let Some(number) = COUNTED.iter().position(|name| *name == mnemonic) {
        return Some(counted(number, cursor, anonymous));
    }
    if let Some((_, opcode)) = ONE_OPERAND.iter().find(|(name, _)| *name == mnemonic) {
        return Some(one_operand(*opcode, cursor, anonymous));
    }
    if let Some((_, opcode)) = ALONE.iter().find(|(name, _)| *name == mnemonic) {
        return Some(Ok(words(*opcode, Vec::new())));
    }
    match mnemonic {
        "push" => Some(Operand::parse(cursor, anonymous).and_then(push)),
        "pop" => Some(Operand::parse(cursor, anonymous).and_then(pop)),
        "int" => Some(interrupt(cursor, anonymous)),
        "jmp" => Some(jump(ALWAYS, false, cursor, anonymous)),
        "jmpl" => Some(jump(ALWAYS, true, cursor, anonymous)),
        "call" => Some(call(ALWAYS, cursor, anonymous)),
        "ret" => Some(Ok(return_if(ALWAYS))),
        _ => conditional(mnemonic, cursor, anonymous),
    }
}

/// In the order of their opcodes, 0 to 9.
const TWO_OPERANDS: [&str; 10] =
    ["mov", "add", "addc", "sub", "subb", "cmp", "and", "test", "or", "xor"];

/// In the order of their three bits, 0 to 5.
const COUNTED: [&str; 6] = ["shr", "shl", "ror", "rol", "addi", "subi"];

/// With a destination and nothing else; `inc` and `dec` are ADDI and SUBI by 1.
const ONE_OPERAND: [(&str, u16); 5] =
    [("inc", 0xD800), ("dec", 0xDA00), ("not", 0xDE00), ("neg", 0xDE40), ("cbw", 0xDF00)];

/// Without operands.
const ALONE: [(&str, u16); 4] =
    [("sti", 0xDFC0), ("cli", 0xDFC1), ("stc", 0xDFC2), ("clc", 0xDFC3)];

/// Condition codes by name \[D5\]; code E is unassigned, F is "always" and has no name.
const CONDITIONS: [&[&str]; 14] = [
    &["z", "e"],
    &["nz", "ne"],
    &["c", "b"],
    &["nc", "ae"],
    &["s"],
    &["ns"],
    &["o"],
    &["no"],
    &["a", "nbe"],
    &["be", "na"],
    &["g", "nle"],
    &["ge", "nl"],
    &["l", "nge"],
    &["le", "ng"],
];

fn condition(name: &str) -> Option<u16> {
    let code = CONDITIONS.iter().position(|names| names.contains(&name))?;
    u16::try_from(code).ok()
}

fn words(opcode: u16, extensions: Vec<Extension>) -> Instruction {
    Instruction::Words { opcode, small: None, extensions }
}

fn opcode_bits(number: usize, shift: u32) -> u16 {
    u16::try_from(number).unwrap_or_default().checked_shl(shift).unwrap_or_default()
}

fn two_operands(
    number: usize,
    cursor: &mut Cursor,
    anonymous: usize,
) -> Result<Instruction, String> {
    let destination = Operand::parse(cursor, anonymous)?;
    cursor.expect(',')?;
    let source = Operand::parse(cursor, anonymous)?;
    from_to(opcode_bits(number, 12), source, destination)
}

/// Puts two operands in one word. CMP and TEST refuse a number on the left too: there is no such
/// instruction in any real code.
fn from_to(opcode: u16, source: Operand, destination: Operand) -> Result<Instruction, String> {
    refuse_number(&destination)?;
    if let (Some(from), Some(to)) = (source.width, destination.width)
        && from != to
    {
        return Err("got a byte and a word in memory, expected both of one width".to_owned());
    }
    let opcode = opcode | source.field << 6 | destination.field;
    Ok(words(opcode, source.extension.into_iter().chain(destination.extension).collect()))
}

fn refuse_number(destination: &Operand) -> Result<(), String> {
    if destination.is_immediate() {
        return Err("got a number to write to, expected a register or memory".to_owned());
    }
    Ok(())
}

fn one_operand(opcode: u16, cursor: &mut Cursor, anonymous: usize) -> Result<Instruction, String> {
    let destination = Operand::parse(cursor, anonymous)?;
    refuse_number(&destination)?;
    Ok(words(opcode | destination.field, destination.extension.into_iter().collect()))
}

fn counted(number: usize, cursor: &mut Cursor, anonymous: usize) -> Result<Instruction, String> {
    let destination = Operand::parse(cursor, anonymous)?;
    refuse_number(&destination)?;
    cursor.expect(',')?;
    let value = Expression::parse(cursor, anonymous)?;
    let small = Small { value, range: 1..=8, what: "a count", shift: 6 };
    Ok(Instruction::Words {
        opcode: 0xD000 | opcode_bits(number, 9) | destination.field,
        small: Some(small),
        extensions: destination.extension.into_iter().collect(),
    })
}

fn push(source: Operand) -> Result<Instruction, String> {
    from_to(0, source, Operand { field: STACK, extension: None, width: Some(Width::Word) })
}

fn pop(destination: Operand) -> Result<Instruction, String> {
    let stack = Operand { field: STACK, extension: None, width: Some(Width::Word) };
    from_to(0, stack, destination)
}

fn interrupt(cursor: &mut Cursor, anonymous: usize) -> Result<Instruction, String> {
    let value = Expression::parse(cursor, anonymous)?;
    let small = Small { value, range: 0..=127, what: "an interrupt", shift: 0 };
    Ok(Instruction::Words { opcode: 0xAF00, small: Some(small), extensions: Vec::new() })
}

/// A jump to an address, or through a register or memory.
fn jump(
    condition: u16,
    long: bool,
    cursor: &mut Cursor,
    anonymous: usize,
) -> Result<Instruction, String> {
    let target = Operand::parse(cursor, anonymous)?;
    refuse_byte(&target)?;
    match (target.field, target.extension) {
        (ABSOLUTE, Some(Extension { value: target, .. })) => {
            Ok(Instruction::Jump { condition, target, long })
        }
        (field, extension) => {
            Ok(words(0xC080 | condition << 8 | field, extension.into_iter().collect()))
        }
    }
}

fn call(condition: u16, cursor: &mut Cursor, anonymous: usize) -> Result<Instruction, String> {
    let mut target = Operand::parse(cursor, anonymous)?;
    refuse_byte(&target)?;
    if let (true, Some(extension)) = (target.is_immediate(), &mut target.extension) {
        extension.is_address = true;
    }
    let opcode = 0xA080 | condition << 8 | target.field;
    Ok(words(opcode, target.extension.into_iter().collect()))
}

fn refuse_byte(target: &Operand) -> Result<(), String> {
    if target.width == Some(Width::Byte) {
        return Err("got an address in a byte, expected one in a word".to_owned());
    }
    Ok(())
}

/// RET is a long jump through the stack.
fn return_if(condition: u16) -> Instruction {
    words(0xC080 | condition << 8 | STACK, Vec::new())
}

/// `jz`, `jzl`, `cz`, `rz` and their like.
fn conditional(
    mnemonic: &str,
    cursor: &mut Cursor,
    anonymous: usize,
) -> Option<Result<Instruction, String>> {
    let kind = mnemonic.get(..1)?;
    let name = mnemonic.get(1..)?;
    let code = condition(name);
    match (kind, code) {
        ("j", Some(code)) => Some(jump(code, false, cursor, anonymous)),
        ("j", None) => {
            let code = condition(name.strip_suffix('l')?)?;
            Some(jump(code, true, cursor, anonymous))
        }
        ("c", Some(code)) => Some(call(code, cursor, anonymous)),
        ("r", Some(code)) => Some(Ok(return_if(code))),
        _ => None,
    }
}
