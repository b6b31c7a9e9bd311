//! The CPU flags register, C000, and the sixteen condition codes that test it.
//!
//! What each instruction does to the flags is in `execute`.

use std::fmt;

/// The flags, laid out as in the register at C000. Bits 15:5 do not exist and read as zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u16);

impl Flags {
    /// Bit 0, Z: the last result was zero.
    pub const ZERO: u16 = 1 << 0;
    /// Bit 1, C: carry of an addition, borrow of a subtraction, last bit out of a shift.
    pub const CARRY: u16 = 1 << 1;
    /// Bit 2, O: signed overflow.
    pub const OVERFLOW: u16 = 1 << 2;
    /// Bit 3, S: bit 15 of the last result.
    pub const SIGN: u16 = 1 << 3;
    /// Bit 4, I: hardware interrupts are taken.
    pub const INTERRUPTS: u16 = 1 << 4;
    /// Every bit that exists.
    pub const ALL: u16 = 0x1F;

    /// From a word written to C000; bits that do not exist are dropped.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & Self::ALL)
    }

    /// The word that C000 reads as.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether every flag of `mask` is set.
    #[must_use]
    pub const fn has(self, mask: u16) -> bool {
        self.0 & mask == mask
    }

    /// These flags with those of `mask` set or cleared.
    #[must_use]
    pub const fn with(self, mask: u16, set: bool) -> Self {
        if set { Self::from_bits(self.0 | mask) } else { Self(self.0 & !mask) }
    }
}

/// Written as `ISOCZ`, a dash for each clear flag.
impl fmt::Display for Flags {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = [
            (Self::INTERRUPTS, "I"),
            (Self::SIGN, "S"),
            (Self::OVERFLOW, "O"),
            (Self::CARRY, "C"),
            (Self::ZERO, "Z"),
        ];
        for (mask, letter) in letters {
            formatter.write_str(if self.has(mask) { letter } else { "-" })?;
        }
        Ok(())
    }
}

/// A condition code, bits 11:8 of jumps, calls, returns and INT [D5 pp. 32, 34; ST].
///
/// Numbers 0, 1, 2, 3, 9, A, D and F occur in code that ran on silicon (captured); the rest are
/// documented. Number E is unassigned and has no value here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// 0: Z.
    Zero,
    /// 1: not Z.
    NotZero,
    /// 2: C; below, after an unsigned comparison.
    Carry,
    /// 3: not C; above or equal.
    NotCarry,
    /// 4: S.
    Sign,
    /// 5: not S.
    NotSign,
    /// 6: O.
    Overflow,
    /// 7: not O.
    NotOverflow,
    /// 8: neither C nor Z; unsigned above.
    Above,
    /// 9: C or Z; unsigned below or equal.
    BelowOrEqual,
    /// A: O equals S, and not Z; signed greater.
    Greater,
    /// B: O equals S; signed greater or equal.
    GreaterOrEqual,
    /// C: O differs from S; signed less.
    Less,
    /// D: O differs from S, or Z; signed less or equal.
    LessOrEqual,
    /// F: no condition.
    Always,
}

impl Condition {
    /// From the low four bits of `code`; none for the unassigned E.
    #[inline]
    pub(super) const fn decode(code: u16) -> Option<Self> {
        Some(match code & 0xF {
            0x0 => Self::Zero,
            0x1 => Self::NotZero,
            0x2 => Self::Carry,
            0x3 => Self::NotCarry,
            0x4 => Self::Sign,
            0x5 => Self::NotSign,
            0x6 => Self::Overflow,
            0x7 => Self::NotOverflow,
            0x8 => Self::Above,
            0x9 => Self::BelowOrEqual,
            0xA => Self::Greater,
            0xB => Self::GreaterOrEqual,
            0xC => Self::Less,
            0xD => Self::LessOrEqual,
            0xF => Self::Always,
            _ => return None,
        })
    }

    /// Whether `flags` satisfy it.
    #[inline]
    #[must_use]
    pub const fn holds(self, flags: Flags) -> bool {
        let zero = flags.has(Flags::ZERO);
        let carry = flags.has(Flags::CARRY);
        let overflow = flags.has(Flags::OVERFLOW);
        let sign = flags.has(Flags::SIGN);
        match self {
            Self::Zero => zero,
            Self::NotZero => !zero,
            Self::Carry => carry,
            Self::NotCarry => !carry,
            Self::Sign => sign,
            Self::NotSign => !sign,
            Self::Overflow => overflow,
            Self::NotOverflow => !overflow,
            Self::Above => !carry && !zero,
            Self::BelowOrEqual => carry || zero,
            Self::Greater => overflow == sign && !zero,
            Self::GreaterOrEqual => overflow == sign,
            Self::Less => overflow != sign,
            Self::LessOrEqual => overflow != sign || zero,
            Self::Always => true,
        }
    }

    /// The letters after `j`, `c` or `r`; empty for [`Condition::Always`].
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Zero => "z",
            Self::NotZero => "nz",
            Self::Carry => "c",
            Self::NotCarry => "nc",
            Self::Sign => "s",
            Self::NotSign => "ns",
            Self::Overflow => "o",
            Self::NotOverflow => "no",
            Self::Above => "a",
            Self::BelowOrEqual => "be",
            Self::Greater => "g",
            Self::GreaterOrEqual => "ge",
            Self::Less => "l",
            Self::LessOrEqual => "le",
            Self::Always => "",
        }
    }
}
