//! What a device's memory holds and what that says about its health.

use std::fmt;

use serde::Serialize;

use crate::chip::memory::wrap::is_uniform;
use crate::chip::{Chip, Finding, Identity, Layout, Model, Running, Size};

/// What was read of a memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// How it is written. The program unit is that of a part of [`Self::part_bytes`].
    pub layout: Layout,
    /// Its size, as far as reading could prove it.
    pub size: Size,
    /// The size that writes are planned for: the proven one, or the one its profile gives, which
    /// the first write then has to prove.
    pub part_bytes: u32,
    /// Its bytes from address 0 on; `None` where it cannot be read.
    pub contents: Option<Vec<u8>>,
    /// Why it cannot be read.
    pub unreadable: Option<String>,
    /// What it held before an unfinished rescue began to change it, where that was saved: what is to
    /// stay in it may be half erased by now.
    pub before: Option<Vec<u8>>,
}

/// Whether the chip would boot from what its memory holds now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootsNow {
    /// Its signature is there.
    Yes,
    /// Its signature is not there.
    No,
    /// The signature was not read, so it may be there.
    Unknown,
}

impl BootsNow {
    /// Judges what was read.
    pub fn of(chip: &dyn Chip, model: Model, survey: &Survey) -> Self {
        match survey.contents.as_deref() {
            None | Some([]) => Self::Unknown,
            Some(contents) if chip.boots_from(model, contents) => Self::Yes,
            Some(_) => Self::No,
        }
    }
}

/// What is wrong with a memory, or that nothing is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Condition {
    /// One byte throughout.
    Blank {
        /// The byte.
        byte: u8,
    },
    /// Something, but nothing the chip would boot.
    Unsigned {
        /// The first bytes, hexadecimal.
        first: String,
    },
    /// The signature is there, what follows is not an image.
    Broken {
        /// What is wrong with it.
        why: String,
    },
    /// A whole image.
    Complete {
        /// Who it would come up as, as far as its descriptors tell.
        identity: Option<Identity>,
    },
    /// A whole image, which the virtual chip does not start from either.
    DoesNotStart {
        /// What the virtual chip says.
        why: String,
    },
    /// It cannot be read.
    Unreadable {
        /// Why.
        why: String,
    },
}

impl Condition {
    /// Judges what was read.
    pub fn of(chip: &dyn Chip, finding: &Finding, survey: &Survey) -> Self {
        let Some(contents) = &survey.contents else {
            let why = survey.unreadable.clone().unwrap_or_default();
            return Self::Unreadable { why };
        };
        if is_uniform(contents) {
            return Self::Blank { byte: contents.first().copied().unwrap_or(0xff) };
        }
        if !chip.boots_from(finding.model, contents) {
            return Self::Unsigned { first: hex::encode(contents.get(..4).unwrap_or(contents)) };
        }
        match chip.image_in_memory(finding.model, contents) {
            Ok(image) => Self::Complete { identity: image.identity },
            Err(error) => Self::Broken { why: error.to_string() },
        }
    }

    /// Whether a chip that runs its mask ROM is proven to need a rescue by this.
    ///
    /// An unreadable memory counts: the mask ROM itself answers only where it found nothing to
    /// boot, and the reason the memory cannot be read is on record [design R1].
    pub fn is_proof(&self, running: Running) -> bool {
        running == Running::MaskRom && !matches!(self, Self::Complete { .. })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank { byte } => write!(f, "blank (every byte is {byte:02x})"),
            Self::Unsigned { first } => {
                write!(f, "not bootable (it starts with {first}, which is not a signature)")
            }
            Self::Broken { why } => write!(f, "broken: {why}"),
            Self::Complete { identity: Some(identity) } => {
                write!(f, "complete: it holds an image of {identity}")
            }
            Self::Complete { identity: None } => write!(f, "complete: it holds a whole image"),
            Self::DoesNotStart { why } => {
                write!(f, "complete, but this image does not start: {why}")
            }
            Self::Unreadable { why } => write!(f, "unreadable: {why}"),
        }
    }
}
