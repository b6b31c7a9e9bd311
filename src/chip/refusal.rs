//! How bytes can fail to be an image for a chip. Refused before anything is sent to a device.

use super::Model;
use crate::wording::{counted, with_article};

/// Why bytes are not an image for a chip. Each is a refusal of its own [design R2].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// No bytes at all.
    #[error("the image is empty")]
    Empty,
    /// The same byte throughout, like the ZERO.BIN that bricks enclosures.
    #[error(
        "the image has {}, all of them {byte:02x}; writing it would blank the enclosure",
        counted(.length, "byte")
    )]
    AllOneByte {
        /// The byte.
        byte: u8,
        /// How many there are.
        length: usize,
    },
    /// The first bytes are not this chip's signature.
    #[error("the image starts with {got}, but {} boots only from {expected}", with_article(.chip))]
    WrongSignature {
        /// The chip.
        chip: &'static str,
        /// Its signature, as hexadecimal bytes.
        expected: &'static str,
        /// What the image starts with.
        got: String,
    },
    /// The first bytes are another chip's signature.
    #[error("the image is for {other}, not for {}", with_article(.chip))]
    OtherChip {
        /// The chip at hand.
        chip: &'static str,
        /// The chip the image is for.
        other: &'static str,
    },
    /// The first bytes are the signature of another chip of the same family, whose images this
    /// chip takes to its owner's harm. The one refusal that `--force` overrides.
    #[error(
        "the image is for {}, not for {}: {why}",
        with_article(.other.title),
        with_article(.chip)
    )]
    OtherModel {
        /// The chip at hand.
        chip: &'static str,
        /// The chip the image is for.
        other: Model,
        /// What would become of it.
        why: &'static str,
    },
    /// The bytes end in the middle of something.
    #[error("the image ends at byte {length:#06x}, in the middle of {part}")]
    Truncated {
        /// What was cut.
        part: String,
        /// Length of the image, bytes.
        length: usize,
    },
    /// A record would be placed where the chip has no RAM for it.
    #[error("{part} loads to {start:#06x}..{end:#06x}, outside the RAM of {}", with_article(.chip))]
    OutsideRam {
        /// Which record.
        part: String,
        /// Where it starts.
        start: u32,
        /// Where it ends, exclusive.
        end: u32,
        /// The chip.
        chip: &'static str,
    },
    /// Larger than any memory the chip boots from.
    #[error(
        "the image has {}, but {} boots from at most {maximum}",
        counted(.length, "byte"),
        with_article(.chip)
    )]
    TooBig {
        /// Length of the image, bytes.
        length: usize,
        /// The most.
        maximum: usize,
        /// The chip.
        chip: &'static str,
    },
    /// A part that has no place in an image.
    #[error("{part}: {why}")]
    Unsuitable {
        /// Which part.
        part: String,
        /// What is wrong with it.
        why: String,
    },
}
