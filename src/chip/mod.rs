//! What a chip family must be able to do.
//!
//! Three nouns carry every chip: the [`Chip`] (knows bytes, opens nothing), the [`Memory`] behind
//! it, and the [`Link`] it is reached through. Backup, diffing, write order, verification, resume
//! and confirmation are written once over these, in `rescue` and `executor`; a family holds only
//! what is true of its silicon. How to add one: docs/adding-a-chip.md.
//!
//! What is known of a device before and after its chip was asked is in `finding`, how an image can
//! be wrong in `refusal`, the table of the families in `families`.

pub mod at2lp;
mod build;
pub mod cy16;
pub mod descriptors;
mod drive;
pub mod dump;
pub mod ezusb;
mod families;
mod finding;
mod identity;
mod image;
pub mod memory;
mod refusal;

use std::fmt;
use std::ops::Range;

use serde::Serialize;

pub use build::{Built, Recipe};
pub use drive::{Drive, DriveAnswer};
pub use families::{families, family, model};
pub use finding::{Evidence, Finding, Grade, IdMeaning, KnownIds, Running, Suspicion};
pub use identity::Identity;
pub use image::Image;
pub use memory::{Layout, Memory, MemoryError, Operation, Segment, Size};
pub use refusal::ImageError;

use crate::usb::{Link, Sighting, TransferError};
use crate::wording::with_article;

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

/// How a chip comes into the boot mode from which its memory is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Its memory is reached as it is now.
    Here,
    /// It was told to, and leaves the bus to come back in its boot mode.
    Leaving,
    /// Not by any request; what to do by hand, a sentence without its full stop.
    ByHand(String),
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

/// Least times of a chip, for the planned minimum `limit_ms`.
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

    /// Has a chip leave its firmware for the boot mode that its memory is reached from. Changes
    /// nothing lasting.
    ///
    /// # Errors
    /// [`ChipError`] when the request is refused.
    fn enter(&self, link: &mut dyn Link, finding: &Finding) -> Result<Entry, ChipError> {
        let _ = (link, finding);
        Ok(Entry::Here)
    }

    /// The version of the firmware that runs, by asking it; `None` where the mask ROM answers. Asked
    /// only where an image says what it should be ([`Image::firmware`]).
    ///
    /// # Errors
    /// [`ChipError`] when the device fails.
    fn firmware(&self, link: &mut dyn Link, seen: &Sighting) -> Result<Option<String>, ChipError> {
        let _ = (link, seen);
        Ok(None)
    }

    /// What [`Self::open_memory`] and reading through it change in a device whose own firmware
    /// runs, a sentence without its full stop; `None` where they leave no trace. With it, such a
    /// device is not read before its owner agrees.
    fn reading_disturbs(&self) -> Option<&'static str> {
        None
    }

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

    /// The ranges of a memory that make the chip boot from it, in the order in which they are
    /// written: an image's commit, and that of bytes that are no image.
    fn boot_ranges(&self, model: Model) -> &'static [Range<u32>];

    /// Whether the chip would boot from a memory that begins with `first`.
    fn boots_from(&self, model: Model, first: &[u8]) -> bool;

    /// The image at the start of a memory's contents, whatever lies behind it.
    ///
    /// # Errors
    /// [`ImageError`] when no whole image is there.
    fn image_in_memory(&self, model: Model, contents: &[u8]) -> Result<Image, ImageError>;

    /// The contents with a signature that fits what is behind it, where the one at their start is
    /// another of this chip's: one damaged byte turns firmware into ids. `None` where nothing
    /// speaks for that.
    fn with_fitting_signature(&self, model: Model, contents: &[u8]) -> Option<Vec<u8>> {
        let _ = (model, contents);
        None
    }

    /// What speaks for a chip of this family in boot mode under ids that are in no table, a
    /// sentence without its full stop. A reason to ask the device, once its owner names it.
    fn resembles(&self, seen: &Sighting) -> Option<&'static str> {
        let _ = seen;
        None
    }

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

    /// What may hold this chip in its boot mode whatever its memory holds, and how it is let go: a
    /// sentence that begins with a capital, without its full stop.
    fn strap(&self, model: Model) -> Option<&'static str> {
        let _ = model;
        None
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

    /// Reads the identity of the drive behind a bridge, once the bridge has its own identity. Reads only.
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
            why: format!(
                "the image of {} holds a program and cannot be made from values",
                with_article(model.title)
            ),
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
            why: format!(
                "the image of {} is a program, so the place of its serial number is not known",
                with_article(model.title)
            ),
        })
    }

    /// What about this chip is inferred and would carry a write, one sentence each; shown to the
    /// user before consent. Empty for a documented chip.
    fn caveats(&self, model: Model) -> &'static [&'static str];
}
