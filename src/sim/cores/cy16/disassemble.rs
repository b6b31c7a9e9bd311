//! Machine code to text, for logs and diagnostics.
//!
//! One spelling for each instruction: memory always says its width (`w[r9+4]`, `b[r8++]`); a long
//! jump to a fixed address is `jmpl`, `jzl`; conditional calls and returns are `cz`, `rz`; the
//! macros push, pop, inc, dec and ret are used. Numbers below ten are decimal, others hexadecimal.

use super::instruction::{Control, Instruction, OneOperand, Operand, TwoOperand, Width};

/// The instruction at the start of `bytes`, which lie at `pc`, and its length in bytes.
///
/// Never longer than `bytes`, and zero only when they are empty: an illegal or cut-off instruction
/// is `dw` and its word, a lone last byte is `db`.
#[must_use]
pub fn disassemble(pc: u16, bytes: &[u8]) -> (String, usize) {
    let (word, rest) = match bytes {
        [] => return (String::new(), 0),
        [byte] => return (format!("db {byte:#04x}"), 1),
        [low, high, rest @ ..] => (u16::from_le_bytes([*low, *high]), rest),
    };
    let data = (format!("dw {word:#06x}"), 2);
    let Ok(instruction) = Instruction::decode(word) else {
        return data;
    };
    let length = usize::from(instruction.length());
    if length > bytes.len() {
        return data;
    }
    let mut extensions = rest.chunks_exact(2).map(|pair| match pair {
        [low, high] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    });
    (text(pc, instruction, || extensions.next().unwrap_or(0)), length)
}

fn text(pc: u16, instruction: Instruction, mut extension: impl FnMut() -> u16) -> String {
    match instruction {
        Instruction::Two(operation, destination, source) => {
            let right = operand(source, &mut extension);
            let left = operand(destination, &mut extension);
            match (operation, destination, source) {
                (TwoOperand::Mov, Operand::Stack, _) => format!("push {right}"),
                (TwoOperand::Mov, _, Operand::Stack) => format!("pop {left}"),
                _ => format!("{} {left},{right}", two(operation)),
            }
        }
        Instruction::One(operation, place) => one(operation, &operand(place, &mut extension)),
        Instruction::Control(Control::Sti) => "sti".to_owned(),
        Instruction::Control(Control::Cli) => "cli".to_owned(),
        Instruction::Control(Control::Stc) => "stc".to_owned(),
        Instruction::Control(Control::Clc) => "clc".to_owned(),
        Instruction::Int(condition, vector) => format!("int{} {vector}", condition.suffix()),
        Instruction::Call(condition, place) => {
            let name = match condition.suffix() {
                "" => "call".to_owned(),
                suffix => format!("c{suffix}"),
            };
            format!("{name} {}", target(place, &mut extension))
        }
        Instruction::ShortJump(condition, words) => {
            let next = pc.wrapping_add(2);
            let to = next.wrapping_add_signed(i16::from(words) * 2);
            format!("{} {to:#06x}", jump(condition.suffix(), ""))
        }
        Instruction::Jump(condition, Operand::Stack) => match condition.suffix() {
            "" => "ret".to_owned(),
            suffix => format!("r{suffix}"),
        },
        Instruction::Jump(condition, place) => {
            let long = if place == Operand::Immediate { "l" } else { "" };
            let name = jump(condition.suffix(), long);
            format!("{name} {}", target(place, &mut extension))
        }
    }
}

fn jump(suffix: &str, long: &str) -> String {
    let name = if suffix.is_empty() { "mp" } else { suffix };
    format!("j{name}{long}")
}

fn target(place: Operand, extension: &mut impl FnMut() -> u16) -> String {
    match place {
        Operand::Immediate => format!("{:#06x}", extension()),
        _ => operand(place, extension),
    }
}

fn operand(place: Operand, extension: &mut impl FnMut() -> u16) -> String {
    match place {
        Operand::Register(n) => format!("r{n}"),
        Operand::Immediate => number(extension()),
        Operand::Stack => "w[r15]".to_owned(),
        Operand::Indirect(pointer, width) => format!("{}[r{pointer}]", letter(width)),
        Operand::AutoIncrement(pointer, width) => format!("{}[r{pointer}++]", letter(width)),
        Operand::Direct(width) => format!("{}[{:#06x}]", letter(width), extension()),
        Operand::Indexed(pointer, width) => {
            format!("{}[r{pointer}{}]", letter(width), offset(extension()))
        }
    }
}

/// Offsets wrap at 16 bits, so the upper half reads as a distance down: `[r15-4]` \[BM\].
fn offset(value: u16) -> String {
    match value {
        0..0x8000 => format!("+{}", number(value)),
        _ => format!("-{}", number(value.wrapping_neg())),
    }
}

fn number(value: u16) -> String {
    if value < 10 { value.to_string() } else { format!("{value:#x}") }
}

const fn letter(width: Width) -> &'static str {
    match width {
        Width::Word => "w",
        Width::Byte => "b",
    }
}

const fn two(operation: TwoOperand) -> &'static str {
    match operation {
        TwoOperand::Mov => "mov",
        TwoOperand::Add => "add",
        TwoOperand::Addc => "addc",
        TwoOperand::Sub => "sub",
        TwoOperand::Subb => "subb",
        TwoOperand::Cmp => "cmp",
        TwoOperand::And => "and",
        TwoOperand::Test => "test",
        TwoOperand::Or => "or",
        TwoOperand::Xor => "xor",
    }
}

fn one(operation: OneOperand, place: &str) -> String {
    match operation {
        OneOperand::Shr(count) => format!("shr {place},{count}"),
        OneOperand::Shl(count) => format!("shl {place},{count}"),
        OneOperand::Ror(count) => format!("ror {place},{count}"),
        OneOperand::Rol(count) => format!("rol {place},{count}"),
        OneOperand::Addi(1) => format!("inc {place}"),
        OneOperand::Subi(1) => format!("dec {place}"),
        OneOperand::Addi(count) => format!("addi {place},{count}"),
        OneOperand::Subi(count) => format!("subi {place},{count}"),
        OneOperand::Not => format!("not {place}"),
        OneOperand::Neg => format!("neg {place}"),
        OneOperand::Cbw => format!("cbw {place}"),
    }
}
