//! The tables of `bench.toml` as they are written, not yet checked.

use serde::Deserialize;
use toml::Spanned;

use super::Wiring;
use crate::serial::BoardKind;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    #[serde(default)]
    pub(super) board: Vec<BoardTable>,
    #[serde(default)]
    pub(super) port: Vec<PortTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BoardTable {
    pub(super) name: Spanned<String>,
    pub(super) device: Spanned<String>,
    pub(super) kind: BoardKind,
    pub(super) baud: Option<Spanned<u32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PortTable {
    pub(super) path: Spanned<String>,
    pub(super) label: Option<Spanned<String>>,
    pub(super) profile: Option<Spanned<String>>,
    pub(super) power: Option<Spanned<ChannelTable>>,
    pub(super) contact: Option<Spanned<ChannelTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChannelTable {
    pub(super) board: String,
    pub(super) channel: u8,
    pub(super) wiring: Option<Wiring>,
}
