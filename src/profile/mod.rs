//! Enclosure models as data. A new enclosure is a folder with a `profile.toml`, and no change to
//! this program.
//!
//! A profile says which chip a model has, how it looks when its memory is blank, what it should
//! come back as, and where the image comes from; and of each of these how well it is known. It
//! holds no code and decides nothing: the chip is still proven by asking it.
//!
//! The folder is `recovery-images/<family>/<maker>-<model>/`, or any folder below the user's own
//! profile folder. Every key of `profile.toml`; those marked `?` may be left out, others of any
//! name are refused:
//!
//! | key | value |
//! |---|---|
//! | `name` | the folder's name: small letters, digits and hyphens |
//! | `title` | what the maker calls it |
//! | `aliases` ? | list of what owners call it |
//! | `scope` | `"hardware"`, or `"simulator"` for a model that exists only there |
//! | **`[chip]`** | |
//! | `model` | the chip, by the name `recover` has for it |
//! | **`[[sighting]]`** | once or more: how it looks when its memory is blank |
//! | `ids` | vendor and product id, as `"04ce:07d1"` |
//! | **`[identity]`** ? | what it presents when healthy; what is left out is not promised. The whole table may be left out where the image is the owner's (`supply`) or is made from the owner's values (`values`): then that image has the identity |
//! | `ids` | as above |
//! | `bcd_device` ? | bcdDevice, as `0x0260` |
//! | `interface_class` ? | class, subclass, protocol of the first interface, as `"08/06/50"` |
//! | `manufacturer`, `product`, `serial` ? | the strings |
//! | **`[memory]`** | the part that the chip boots from |
//! | `part` | its type, as printed on it: `"24C16"` |
//! | `size_bytes` | its size |
//! | **`[image]`** | what the memory should hold |
//! | `source` | `"shipped"`: in the folder. `"supply"`: the user has it. `"build"`: the user makes it from a source in the folder |
//! | `file` | the image (`shipped`) or its source (`build`): a file of this folder. Not with `supply` |
//! | `sha256` | of the image, 64 hexadecimal digits; may be left out with `supply` and `build` |
//! | `size_bytes` ? | of the image |
//! | `own_serial` ? | `true` where the shipped image holds a placeholder for the serial number; a rescue puts in the one of `--serial`, or makes one up. Only with `shipped` |
//! | `description` | what it is, and how the owner comes by it |
//! | **`[[guidance]]`** ? | what to do by hand, in order, such as how to reach the boot mode |
//! | `step` | one action |
//! | `expect` | what is seen when it went well |
//! | `when` ? | `"first"`: before the device is looked for, as without the key. `"restart"`: while its power is away at the end |
//! | `action` ? | what a bench with relays does instead of hands: `"power-off"`, `"close-contact"`, `"power-on"`, `"wait-for-boot-id"`, `"open-contact"` |
//! | **`[provenance]`** | where all this comes from |
//! | `sources` | list, at least one: documents, addresses, captures |
//! | `contributed_by` | who wrote the profile |
//! | `notes` ? | anything else |
//!
//! `[chip]`, `[[sighting]]`, `[identity]`, `[memory]` and `[image]` each also have:
//!
//! | key | value |
//! |---|---|
//! | `grade` | `"documented"` by the vendor, `"captured"` from a real device, `"inferred"` from other facts, or `"unknown"` |
//! | `basis` | what the claim rests on, a sentence without its full stop. Must be there when the grade is `inferred`, and is shown before anything is written |
//!
//! Read next: [`Library`], then `parse` for the checks.

mod document;
mod folder;
mod image;
mod library;
mod parse;
mod problem;
mod render;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::chip::{self, Grade, Identity};
use crate::usb::Ids;
use crate::wording::with_article;

pub use image::{ImageClaim, ImageMismatch, ImageSource, Sha256Digest};
/// The file that makes a folder a profile.
pub const FILE: &str = folder::PROFILE;

pub use library::{Library, check};
pub use parse::parse;
pub use problem::{Problem, ProblemKind};
pub use render::render;

/// One enclosure model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Profile {
    /// Name on the command line, and of the folder.
    pub name: String,
    /// What the maker calls it.
    pub title: String,
    /// What owners call it.
    pub aliases: Vec<String>,
    /// Where it exists.
    pub scope: Scope,
    /// Its chip.
    pub chip: ChipClaim,
    /// How it looks when its memory is blank.
    pub sightings: Vec<BlankSighting>,
    /// What it presents when healthy; `None` for a generic model, which is what its owner says.
    pub identity: Option<IdentityClaim>,
    /// The part its chip boots from.
    pub memory: MemoryClaim,
    /// What that part should hold.
    pub image: ImageClaim,
    /// What to do by hand, in order.
    pub guidance: Vec<Guidance>,
    /// Where all this comes from.
    pub provenance: Provenance,
}

/// Where a model exists. A simulated one is never offered for a real port, nor the reverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Made and sold.
    Hardware,
    /// Only in the simulator.
    Simulator,
}

/// How well one claim of a profile is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Confidence {
    /// The grade.
    pub grade: Grade,
    /// What the claim rests on, a sentence without its full stop; always there when inferred.
    pub basis: Option<String>,
}

/// The chip of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChipClaim {
    /// Its name, see [`crate::chip::model`].
    pub model: String,
    /// How well that is known.
    pub confidence: Confidence,
}

/// Ids that a model shows when its memory is blank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BlankSighting {
    /// The ids.
    pub ids: Ids,
    /// How well that is known.
    pub confidence: Confidence,
}

/// What a model presents when healthy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IdentityClaim {
    /// The identity; what is `None` in it is not promised.
    pub identity: Identity,
    /// How well that is known.
    pub confidence: Confidence,
}

/// The part a model's chip boots from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryClaim {
    /// Its type, as printed on it.
    pub part: String,
    /// Its size, bytes; not 0. The size is still probed before anything is written.
    pub size_bytes: u32,
    /// How well that is known.
    pub confidence: Confidence,
}

/// One thing to do by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Guidance {
    /// The action.
    pub step: String,
    /// What is seen when it went well.
    pub expect: String,
    /// When it is to be done.
    pub when: GuidanceTime,
    /// What a bench with relays does instead of hands.
    pub action: Option<Action>,
}

/// A step of guidance that needs no hands where a bench has relays for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Take all power away.
    PowerOff,
    /// Give it back.
    PowerOn,
    /// Short the pins of the boot mode.
    CloseContact,
    /// Let go of them.
    OpenContact,
    /// Wait until one of the profile's sightings appears.
    WaitForBootId,
}

impl Action {
    /// Its name in `profile.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::PowerOff => "power-off",
            Self::PowerOn => "power-on",
            Self::CloseContact => "close-contact",
            Self::OpenContact => "open-contact",
            Self::WaitForBootId => "wait-for-boot-id",
        }
    }
}

/// When something is to be done by hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuidanceTime {
    /// Before the device is looked for.
    #[default]
    First,
    /// While the device's power is away at the end of a rescue.
    Restart,
}

/// Where a profile comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// Documents, addresses, captures.
    pub sources: Vec<String>,
    /// Anything else.
    pub notes: Option<String>,
    /// Who wrote it.
    pub contributed_by: String,
}

impl Profile {
    /// The identity it promises.
    pub fn promised(&self) -> Option<&Identity> {
        self.identity.as_ref().map(|claim| &claim.identity)
    }

    /// What is to be done by hand at that time, in order.
    pub fn by_hand(&self, when: GuidanceTime) -> impl Iterator<Item = &Guidance> {
        self.guidance.iter().filter(move |guidance| guidance.when == when)
    }

    /// What of this profile is inferred or not known at all, one sentence each without its full
    /// stop, for the user to read before consenting. Empty when everything is documented or
    /// captured.
    pub fn inferred(&self) -> Vec<String> {
        let mut claims =
            vec![(format!("its chip is the {}", self.chip.model), &self.chip.confidence)];
        for sighting in &self.sightings {
            claims.push((format!("it shows as {} when blank", sighting.ids), &sighting.confidence));
        }
        if let Some(IdentityClaim { identity, confidence }) = &self.identity {
            claims.push((format!("it is {identity} when healthy"), confidence));
        }
        let memory = &self.memory;
        claims.push((
            format!("its memory is {} of {} bytes", with_article(&memory.part), memory.size_bytes),
            &memory.confidence,
        ));
        claims.push((self.image.claim(), &self.image.confidence));
        claims.iter().filter_map(|(claim, confidence)| confidence.doubt(claim)).collect()
    }
}

impl Confidence {
    /// The sentence that says that `claim` is doubtful, if it is.
    fn doubt(&self, claim: &str) -> Option<String> {
        let verdict = match self.grade {
            Grade::Documented | Grade::Captured => return None,
            Grade::Inferred => "inferred",
            Grade::Unknown => "not known",
        };
        let basis = self.basis.as_ref().map(|basis| format!(": {basis}")).unwrap_or_default();
        Some(format!("{claim} ({verdict}{basis})"))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hardware => "hardware",
            Self::Simulator => "simulator",
        })
    }
}

/// The names of every chip of this program, as [`parse()`], [`check`] and [`Library`] take them.
pub fn known_chips() -> Vec<&'static str> {
    chip::families().iter().flat_map(|family| family.models()).map(|model| model.name).collect()
}
