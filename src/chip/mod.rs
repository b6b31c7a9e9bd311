//! What a chip family must be able to do, and the table of the families there are.
//!
//! Three nouns carry every chip: the [`Chip`] (knows bytes, opens nothing), the [`Memory`] behind
//! it, and the [`Link`] it is reached through. Backup, diffing, write order, verification, resume
//! and confirmation are written once over these, in `rescue` and `executor`; a family holds only
//! what is true of its silicon. How to add one: docs/adding-a-chip.md.

pub mod at2lp;
mod build;
pub mod cy16;
pub mod descriptors;
mod drive;
pub mod ezusb;
mod identity;
mod memory;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use build::{Built, Recipe};
pub use drive::{Drive, DriveAnswer};
pub use identity::Identity;
pub use memory::{AddressWidth, Geometry, Memory, MemoryError, Size};

use crate::usb::{Ids, Link, Sighting, TransferError};

/// How well a fact is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Nothing is known.
    Unknown,
    /// Concluded from other facts.
    Inferred,
    /// Seen on a real device's wire or in a real image.
    Captured,
    /// Written in the vendor's document.
    Documented,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Inferred => "inferred",
            Self::Captured => "captured",
            Self::Documented => "documented",
        })
    }
}

/// The name of one chip, as profiles and messages write it: `sl11r`, `ez-otg`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "&'static str")]
pub struct Model {
    /// Name in profiles and on the command line.
    pub name: &'static str,
    /// Name in messages.
    pub title: &'static str,
    /// The family's name: `cy16`.
    pub family: &'static str,
}

impl From<Model> for &'static str {
    fn from(model: Model) -> Self {
        model.name
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title)
    }
}

/// What a device's descriptors suggest. A suspicion is never a reason to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// The chip the descriptors speak of.
    pub model: Model,
    /// What its owner would call it: "unknown QT processor".
    pub name: &'static str,
    /// What that is: "ScanLogic SL11R mask ROM, EEPROM blank or broken".
    pub detail: &'static str,
    /// What the id says about the device's health.
    pub standing: Standing,
}

/// One pair of ids that speaks of a family.
#[derive(Clone, Debug)]
pub struct KnownIds {
    /// The pair.
    pub ids: Ids,
    /// The chip.
    pub model: Model,
    /// What its owner would call it.
    pub name: &'static str,
    /// What that is.
    pub detail: &'static str,
    /// What the pair says about health.
    pub standing: Standing,
    /// How that is known.
    pub grade: Grade,
    /// Who else uses the pair.
    pub also_used_by: &'static [&'static str],
}

/// What an id says about a device's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Only a chip that found no valid memory answers with it.
    BootId,
    /// A chip without valid memory answers with it, and so do healthy products that never had
    /// one. Never rescued without the owner naming what it should become.
    SharedBootId,
    /// The id of a device whose firmware runs.
    Running,
    /// It is in no table; the owner says what chip it is.
    Unlisted,
}

/// One thing a probe found out, with how well it carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The finding, a sentence without its full stop.
    pub fact: String,
    /// How the meaning of the finding is known.
    pub grade: Grade,
}

/// A chip that was proven by asking it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The chip.
    pub model: Model,
    /// Who is answering.
    pub running: Running,
    /// What the proof rests on.
    pub evidence: Vec<Evidence>,
}

/// Who answers on USB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Running {
    /// The mask ROM: at its last start the chip found nothing valid in its memory.
    MaskRom,
    /// Firmware, from the memory or from RAM.
    Firmware,
}

/// What the memory should hold, checked, in the chip's own format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The bytes from memory address 0 on.
    pub bytes: Vec<u8>,
    /// How many bytes at address 0 make the chip boot it; written last [design R3].
    pub signature_bytes: u32,
    /// Who the enclosure says it is, as far as the image's own descriptors tell.
    pub identity: Option<Identity>,
    /// What it consists of, one line a part.
    pub contents: Vec<String>,
}

/// Why bytes are not an image for a chip. Each is a refusal of its own [design R2].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// No bytes at all.
    #[error("the image is empty")]
    Empty,
    /// The same byte throughout, like the ZERO.BIN that bricks enclosures.
    #[error(
        "the image is {length} bytes of {byte:02x} and nothing else; writing it would blank the enclosure"
    )]
    AllOneByte {
        /// The byte.
        byte: u8,
        /// How many there are.
        length: usize,
    },
    /// The first bytes are not this chip's signature.
    #[error("the image starts with {got}, a {chip} boots only from {expected}")]
    WrongSignature {
        /// The chip.
        chip: &'static str,
        /// Its signature, as hexadecimal bytes.
        expected: &'static str,
        /// What the image starts with.
        got: String,
    },
    /// The first bytes are another chip's signature.
    #[error("the image is for {other}, not for a {chip}")]
    OtherChip {
        /// The chip at hand.
        chip: &'static str,
        /// The chip the image is for.
        other: &'static str,
    },
    /// The first bytes are the signature of another chip of the same family, whose images this
    /// chip takes to its owner's harm. The one refusal that `--force` overrides.
    #[error("the image is for an {other}, not for an {chip}: {why}")]
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
    #[error("{part} goes to {start:#06x}..{end:#06x}, outside the RAM of a {chip}")]
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
    #[error("the image is {length} bytes, a {chip} boots from at most {most}")]
    TooBig {
        /// Length of the image, bytes.
        length: usize,
        /// The most.
        most: usize,
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

/// Why a chip could not be talked to, or is not what it seemed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChipError {
    /// A transfer failed.
    #[error("{doing}: {source}")]
    Transfer {
        /// What was being done.
        doing: String,
        /// How it failed.
        source: TransferError,
    },
    /// The device answered, but not as this chip does.
    #[error("{0}")]
    NotProven(String),
    /// The loader did not do what it was told.
    #[error("the loader {0}")]
    Loader(String),
    /// The chip has no memory that answers.
    #[error("no EEPROM answers on the chip's I2C bus")]
    NoMemory,
}

impl ChipError {
    /// For `map_err` on a transfer: says what was being done.
    pub fn during(doing: impl Into<String>) -> impl FnOnce(TransferError) -> Self {
        let doing = doing.into();
        move |source| Self::Transfer { doing, source }
    }
}

/// What became of an image that was started from RAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// It was started; a reset of the port shows who it is.
    Started,
    /// It was started and, as firmware of this chip does, leaves the bus to come back as itself;
    /// only when it stays is a reset of the port needed.
    Leaving,
    /// This image cannot be tried so on this chip, and why.
    NotOffered(String),
}

/// How a chip is made to boot from its memory again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// By a request to the chip.
    ByRequest,
    /// Only by taking its power away.
    ByPower,
}

/// Physical least times of a chip, for `limit_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From power or restart to an enumerated device, milliseconds, at the least.
    pub enumeration_ms: u32,
}

/// A chip family. Stateless: everything a call needs comes in, everything learnt goes out.
pub trait Chip: Send + Sync {
    /// The family's name: `cy16`.
    fn family(&self) -> &'static str;

    /// The chips of the family.
    fn models(&self) -> &'static [Model];

    /// The ids that speak of this family.
    fn known_ids(&self) -> &'static [KnownIds];

    /// What the descriptors suggest; `None` when they do not speak of this family.
    fn recognise(&self, seen: &Sighting) -> Option<Suspicion>;

    /// Proves the chip by asking it. Sends nothing that changes anything lasting.
    ///
    /// # Errors
    /// [`ChipError::NotProven`] when it answers otherwise than this family does.
    fn probe(&self, link: &mut dyn Link, seen: &Sighting) -> Result<Finding, ChipError>;

    /// Opens the memory behind the chip, with a loader of ours in the chip's RAM where one is
    /// needed. Changes RAM only. `seen` tells the endpoints where the memory is reached over them.
    ///
    /// # Errors
    /// [`ChipError::NoMemory`] when none answers.
    fn open_memory<'l>(
        &self,
        link: &'l mut dyn Link,
        seen: &Sighting,
        finding: &Finding,
    ) -> Result<Box<dyn Memory + 'l>, ChipError>;

    /// Parses and checks an image for one of this family's chips.
    ///
    /// # Errors
    /// [`ImageError`], one kind for each way an image can be wrong.
    fn read_image(&self, model: Model, bytes: &[u8]) -> Result<Image, ImageError>;

    /// Whether the chip would boot from a memory that begins with `first`.
    fn boots_from(&self, model: Model, first: &[u8]) -> bool;

    /// The image at the start of a memory's contents, whatever lies behind it.
    ///
    /// # Errors
    /// [`ImageError`] when no whole image is there.
    fn image_in_memory(&self, model: Model, contents: &[u8]) -> Result<Image, ImageError>;

    /// Starts an image from RAM, the memory untouched.
    ///
    /// # Errors
    /// [`ChipError`] when the device fails on the way.
    fn try_in_ram(
        &self,
        link: &mut dyn Link,
        finding: &Finding,
        image: &Image,
    ) -> Result<Trial, ChipError>;

    /// Whether an image that was tried from RAM goes on running beside our loader. Its identity is
    /// then no proof that the chip started from its memory: only power that is known to have been
    /// away is.
    fn image_survives_loader(&self) -> bool {
        false
    }

    /// How this chip is restarted.
    fn restart_way(&self, model: Model) -> Restart;

    /// Restarts the chip, where that is done by request. The device leaves the bus.
    ///
    /// # Errors
    /// [`ChipError`] when the request is refused.
    fn restart(&self, link: &mut dyn Link, model: Model) -> Result<(), ChipError>;

    /// The chip's physical least times.
    fn timing(&self, model: Model) -> Timing;

    /// Asks the drive behind a bridge who it is, once the bridge is itself again. Reads only.
    ///
    /// # Errors
    /// [`ChipError`] when the bridge fails; a drive that fails is [`DriveAnswer::Silent`].
    fn drive(&self, link: &mut dyn Link, seen: &Sighting) -> Result<DriveAnswer, ChipError> {
        let _ = (link, seen);
        Ok(DriveAnswer::NotAsked)
    }

    /// Makes an image from values, for a chip whose image is a table of settings and strings.
    ///
    /// # Errors
    /// [`ImageError`] when this family's images cannot be made so, or these values do not fit.
    fn build_image(&self, model: Model, recipe: &Recipe) -> Result<Built, ImageError> {
        let _ = recipe;
        Err(ImageError::Unsuitable {
            part: "an image from values".to_owned(),
            why: format!("the image of an {model} holds a program and cannot be made up"),
        })
    }

    /// The image with another serial number in the place of its own: that one, or one made from
    /// `unique`. What else is in the image stays as it is.
    ///
    /// # Errors
    /// [`ImageError`] when this family's images keep no serial number in a known place, this one
    /// has none, or `serial` does not fit it.
    fn with_serial(
        &self,
        model: Model,
        bytes: &[u8],
        serial: Option<&str>,
        unique: [u8; 8],
    ) -> Result<Built, ImageError> {
        let _ = (bytes, serial, unique);
        Err(ImageError::Unsuitable {
            part: "the serial number".to_owned(),
            why: format!("the image of an {model} is a program, which may keep one anywhere"),
        })
    }

    /// What about this chip is inferred and would carry a write, one sentence each; shown to the
    /// user before consent. Empty for a documented chip.
    fn caveats(&self, model: Model) -> &'static [&'static str];
}

/// Every family, in the order they are asked.
pub fn families() -> &'static [&'static dyn Chip] {
    &[&cy16::Cy16, &at2lp::At2lp, &ezusb::Ezusb]
}

/// The family with that name.
pub fn family(name: &str) -> Option<&'static dyn Chip> {
    families().iter().copied().find(|chip| chip.family() == name)
}

/// The model with that name, and its family.
pub fn model(name: &str) -> Option<(&'static dyn Chip, Model)> {
    families()
        .iter()
        .copied()
        .find_map(|chip| chip.models().iter().find(|m| m.name == name).map(|m| (chip, *m)))
}
