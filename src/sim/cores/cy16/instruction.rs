//! An opcode word taken apart: what to do, and where its operands are.
//!
//! Legality is decided here, from the opcode alone, so that an illegal encoding stops the CPU
//! before anything was touched. Layouts: [D5 pp. 32, 34], confirmed by the 1010 instructions of
//! \[ST\]. Values of extension words are not known here; see `execute` and `disassemble`.

use std::sync::LazyLock;

use super::flags::Condition;

/// How much one memory access moves. The arithmetic itself is always 16 bits wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Two bytes, little-endian, at an even address.
    Word,
    /// One byte; zero-extended when read, the low half when written.
    Byte,
}

/// A six-bit operand field. `pointer` is 8 to 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// `00 nnnn`: Rn.
    Register(u8),
    /// `01 1111`: the extension word itself.
    Immediate,
    /// `01 0111`: \[R15\], a push when written and a pop when read.
    Stack,
    /// `01 bnnn`: memory at R(8+n).
    Indirect(u8, Width),
    /// `10 bnnn`: memory at R(8+n), which then advances by the width.
    AutoIncrement(u8, Width),
    /// `10 b111`: memory at the extension word.
    Direct(Width),
    /// `11 bnnn`: memory at R(8+n) plus the extension word; no push or pop for R15.
    Indexed(u8, Width),
}

impl Operand {
    /// From the low six bits of `field`; every code has a meaning.
    #[inline]
    pub(super) const fn decode(field: u16) -> Self {
        let width = if field & 0x08 == 0 { Width::Word } else { Width::Byte };
        let pointer = (field & 0x07) as u8 + 8;
        match (field >> 4) & 3 {
            0 => Self::Register((field & 0x0F) as u8),
            1 => match field & 0x0F {
                0x07 => Self::Stack,
                0x0F => Self::Immediate,
                _ => Self::Indirect(pointer, width),
            },
            2 if field & 0x07 == 0x07 => Self::Direct(width),
            2 => Self::AutoIncrement(pointer, width),
            _ => Self::Indexed(pointer, width),
        }
    }

    /// Whether an extension word follows the opcode for it.
    #[inline]
    #[must_use]
    pub const fn has_extension(self) -> bool {
        matches!(self, Self::Immediate | Self::Direct(_) | Self::Indexed(..))
    }

    const fn width(self) -> Width {
        match self {
            Self::Register(_) | Self::Immediate | Self::Stack => Width::Word,
            Self::Indirect(_, width)
            | Self::AutoIncrement(_, width)
            | Self::Direct(width)
            | Self::Indexed(_, width) => width,
        }
    }
}

/// The ten two-operand operations, by opcode bits 15:12.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the chip's own mnemonics")]
pub enum TwoOperand {
    Mov,
    Add,
    Addc,
    Sub,
    Subb,
    Cmp,
    And,
    Test,
    Or,
    Xor,
}

/// The operations on one operand. Counts and immediates are 1 to 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the chip's own mnemonics")]
pub enum OneOperand {
    Shr(u8),
    Shl(u8),
    Ror(u8),
    Rol(u8),
    Addi(u8),
    Subi(u8),
    Not,
    Neg,
    Cbw,
}

/// The operations on a single flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the chip's own mnemonics")]
pub enum Control {
    Sti,
    Cli,
    Stc,
    Clc,
}

/// A legal opcode word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// `oooo ssssss dddddd`: destination, source.
    Two(TwoOperand, Operand, Operand),
    /// `1101 kkk nnn dddddd`.
    One(OneOperand, Operand),
    /// `1101 111 111 0000dd`.
    Control(Control),
    /// `1010 cccc 0 vvvvvvv`: software interrupt through the word at twice the number.
    Int(Condition, u8),
    /// `1010 cccc 10 dddddd`.
    Call(Condition, Operand),
    /// `1100 cccc 0 ooooooo`: signed distance in words from the next instruction.
    ShortJump(Condition, i8),
    /// `1100 cccc 10 dddddd`; through [`Operand::Stack`] it is RET.
    Jump(Condition, Operand),
}

/// Every opcode word taken apart: a core does it millions of times a second.
static DECODED: LazyLock<Vec<Result<Instruction, &'static str>>> =
    LazyLock::new(|| (0..=u16::MAX).map(Instruction::decode).collect());

impl Instruction {
    /// [`Instruction::decode`] by table.
    #[inline]
    pub(super) fn decoded(opcode: u16) -> Result<Self, &'static str> {
        match DECODED.get(usize::from(opcode)) {
            Some(decoded) => *decoded,
            None => Self::decode(opcode),
        }
    }

    /// Takes an opcode word apart, or says why it is illegal.
    pub(super) const fn decode(opcode: u16) -> Result<Self, &'static str> {
        let operation = match opcode >> 12 {
            0x0 => TwoOperand::Mov,
            0x1 => TwoOperand::Add,
            0x2 => TwoOperand::Addc,
            0x3 => TwoOperand::Sub,
            0x4 => TwoOperand::Subb,
            0x5 => TwoOperand::Cmp,
            0x6 => TwoOperand::And,
            0x7 => TwoOperand::Test,
            0x8 => TwoOperand::Or,
            0x9 => TwoOperand::Xor,
            0xA | 0xC => return Self::decode_transfer(opcode),
            0xD => return Self::decode_one(opcode),
            _ => return Err("unassigned opcode"),
        };
        let source = match legal(Operand::decode(opcode >> 6)) {
            Ok(source) => source,
            Err(reason) => return Err(reason),
        };
        match writable(Operand::decode(opcode)) {
            Ok(destination) => Ok(Self::Two(operation, destination, source)),
            Err(reason) => Err(reason),
        }
    }

    const fn decode_transfer(opcode: u16) -> Result<Self, &'static str> {
        let Some(condition) = Condition::decode(opcode >> 8) else {
            return Err("unassigned condition code E");
        };
        let call = opcode >> 12 == 0xA;
        if opcode & 0x80 == 0 {
            let low = (opcode & 0x7F) as u8;
            return Ok(if call {
                Self::Int(condition, low)
            } else {
                // Bit 6 is the sign of the seven-bit distance.
                Self::ShortJump(condition, ((low << 1) as i8) >> 1)
            });
        }
        if opcode & 0x40 != 0 {
            return Err("jump or call with bit 6 set");
        }
        let target = Operand::decode(opcode);
        if matches!(target.width(), Width::Byte) {
            // No source shows one and what it would fetch is unknown: better stopped than guessed.
            return Err("jump or call through a byte operand");
        }
        Ok(if call { Self::Call(condition, target) } else { Self::Jump(condition, target) })
    }

    const fn decode_one(opcode: u16) -> Result<Self, &'static str> {
        let count = ((opcode >> 6) & 7) as u8 + 1;
        let operation = match (opcode >> 9) & 7 {
            0 => OneOperand::Shr(count),
            1 => OneOperand::Shl(count),
            2 => OneOperand::Ror(count),
            3 => OneOperand::Rol(count),
            4 => OneOperand::Addi(count),
            5 => OneOperand::Subi(count),
            6 => return Err("unassigned operation D/6"),
            _ => match count - 1 {
                0 => OneOperand::Not,
                1 => OneOperand::Neg,
                4 => OneOperand::Cbw,
                7 => {
                    return match opcode & 0x3F {
                        0 => Ok(Self::Control(Control::Sti)),
                        1 => Ok(Self::Control(Control::Cli)),
                        2 => Ok(Self::Control(Control::Stc)),
                        3 => Ok(Self::Control(Control::Clc)),
                        _ => Err("unassigned flag operation"),
                    };
                }
                _ => return Err("unassigned operation D/7"),
            },
        };
        match writable(Operand::decode(opcode)) {
            Ok(operand) => Ok(Self::One(operation, operand)),
            Err(reason) => Err(reason),
        }
    }

    /// Length in bytes with its extension words: 2, 4 or 6.
    #[must_use]
    pub const fn length(self) -> u16 {
        match self {
            Self::Two(_, destination, source) => {
                2 + extension_bytes(destination) + extension_bytes(source)
            }
            Self::One(_, operand) | Self::Call(_, operand) | Self::Jump(_, operand) => {
                2 + extension_bytes(operand)
            }
            Self::Control(_) | Self::Int(..) | Self::ShortJump(..) => 2,
        }
    }
}

const fn extension_bytes(operand: Operand) -> u16 {
    if operand.has_extension() { 2 } else { 0 }
}

/// R15 is accessed by words only, so b\[R15+n\] is refused; b\[R15\] does not exist, its code is
/// the immediate one.
const fn legal(operand: Operand) -> Result<Operand, &'static str> {
    match operand {
        Operand::Indexed(15, Width::Byte) => Err("byte access through R15"),
        _ => Ok(operand),
    }
}

/// CMP and TEST store nothing, yet an immediate in their place is refused too: unknown on silicon.
const fn writable(operand: Operand) -> Result<Operand, &'static str> {
    match operand {
        Operand::Immediate => Err("immediate as destination"),
        _ => legal(operand),
    }
}
