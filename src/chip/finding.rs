//! What is known of a device: what its descriptors suggest, what its chip said when asked, and how
//! well each of these carries.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Model;
use crate::usb::Ids;

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
    pub id_meaning: IdMeaning,
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
    pub id_meaning: IdMeaning,
    /// How that is known.
    pub grade: Grade,
    /// Who else uses the pair.
    pub also_used_by: &'static [&'static str],
}

/// What an id says about a device's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdMeaning {
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
