//! What booting an image on the virtual twin said. The booting itself is `crate::preflight`'s.

use serde::Serialize;

use crate::chip::{Identity, Image, Model};

/// The answer of a pre-flight [design §1.5].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Preflight {
    /// The virtual chip booted it and enumerated.
    CameUp {
        /// Who it came up as.
        identity: Identity,
    },
    /// The virtual chip did not come up with it, for a reason the model knows.
    Failed {
        /// The reason.
        why: String,
    },
    /// It ran into something the model does not know, such as an undocumented ROM routine.
    Inconclusive {
        /// What it ran into.
        why: String,
    },
}

/// Boots images on virtual chips.
pub trait Twin {
    /// Boots `image` from the memory of the virtual `model`.
    fn boot(&self, model: Model, image: &Image) -> Preflight;
}
