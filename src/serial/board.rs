//! The kinds of relay boards, as data: their names, how many relays they have, how fast they talk.

use serde::{Deserialize, Serialize};

/// A kind of relay board, as `kind` in `bench.toml` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoardKind {
    /// LCUS-1, -2, -4, -8 and everything else that takes `A0 channel state sum`. Documented by
    /// its sellers; does not answer.
    Lcus,
    /// One relay that takes a single byte: AA closes, BB opens (HW-667). Documented by its
    /// sellers; does not answer.
    AaBb,
    /// One relay that takes a letter: `A` closes, `a` opens. Documented by its sellers; does not
    /// answer.
    Letter,
    /// Lines like `relay on 0`, answered with a prompt: the boards of Numato Lab.
    Numato,
}

impl BoardKind {
    /// Every kind there is.
    pub const ALL: &[Self] = &[Self::Lcus, Self::AaBb, Self::Letter, Self::Numato];

    /// Its name in `bench.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lcus => "lcus",
            Self::AaBb => "aa-bb",
            Self::Letter => "letter",
            Self::Numato => "numato",
        }
    }

    /// The most relays a board of this kind has.
    pub fn max_channels(self) -> u8 {
        match self {
            Self::Lcus => 8,
            Self::AaBb | Self::Letter => 1,
            Self::Numato => 32,
        }
    }

    /// Bits a second when `bench.toml` says nothing else. Numato's boards have no real line and
    /// take any.
    pub fn baud(self) -> u32 {
        9600
    }

    /// Whether it answers what it is told.
    pub fn answers(self) -> bool {
        self == Self::Numato
    }
}
