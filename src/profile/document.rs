//! The tables of `profile.toml` as they are written, not yet checked. Values with checks of their
//! own keep their place in the file.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Action, GuidanceTime, Scope};
use crate::chip::Grade;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) name: Spanned<String>,
    pub(super) title: Text,
    #[serde(default)]
    pub(super) aliases: Vec<Text>,
    pub(super) scope: Scope,
    pub(super) chip: ChipTable,
    #[serde(default)]
    pub(super) sighting: Vec<Spanned<SightingTable>>,
    pub(super) identity: Option<Spanned<IdentityTable>>,
    pub(super) memory: Spanned<MemoryTable>,
    pub(super) image: Spanned<ImageTable>,
    #[serde(default)]
    pub(super) guidance: Vec<GuidanceTable>,
    pub(super) provenance: Spanned<ProvenanceTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChipTable {
    pub(super) model: Spanned<String>,
    pub(super) grade: Spanned<Grade>,
    pub(super) basis: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SightingTable {
    pub(super) ids: Spanned<String>,
    pub(super) grade: Spanned<Grade>,
    pub(super) basis: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityTable {
    pub(super) ids: Spanned<String>,
    pub(super) bcd_device: Option<u16>,
    pub(super) interface_class: Option<Spanned<String>>,
    pub(super) manufacturer: Option<Text>,
    pub(super) product: Option<Text>,
    pub(super) serial: Option<Text>,
    pub(super) grade: Spanned<Grade>,
    pub(super) basis: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MemoryTable {
    pub(super) part: Text,
    pub(super) size_bytes: Spanned<u32>,
    pub(super) grade: Spanned<Grade>,
    pub(super) basis: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImageTable {
    pub(super) source: SourceName,
    pub(super) file: Option<Spanned<String>>,
    pub(super) sha256: Option<Spanned<String>>,
    pub(super) size_bytes: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) own_serial: Option<Spanned<bool>>,
    #[serde(default)]
    pub(super) settings: BTreeMap<Spanned<String>, u8>,
    pub(super) description: Text,
    pub(super) grade: Spanned<Grade>,
    pub(super) basis: Option<Text>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SourceName {
    Shipped,
    Supply,
    Build,
    Values,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GuidanceTable {
    pub(super) step: Text,
    pub(super) expect: Text,
    #[serde(default)]
    pub(super) when: GuidanceTime,
    pub(super) action: Option<Action>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProvenanceTable {
    pub(super) sources: Vec<Text>,
    pub(super) notes: Option<Text>,
    pub(super) contributed_by: Text,
}

/// Text for people: not empty, and without control characters, which could tell a terminal to
/// show something else than what is there.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Text(pub(super) String);

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if text.trim().is_empty() {
            return Err("the text is empty");
        }
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err("the text holds control characters");
        }
        Ok(Self(text))
    }
}

pub(super) fn string(text: Option<Text>) -> Option<String> {
    text.map(|text| text.0)
}

pub(super) fn strings(texts: Vec<Text>) -> Vec<String> {
    texts.into_iter().map(|text| text.0).collect()
}
