//! The drive behind a bridge: a rescue is whole when it answers again.

use std::fmt;

use serde::Serialize;

/// What came of asking for the drive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "drive")]
pub enum DriveAnswer {
    /// It answered.
    Answers(Drive),
    /// The bridge answers, no drive does.
    Silent {
        /// What was heard instead.
        why: String,
    },
    /// This chip has no way to be asked, or none is known.
    NotAsked,
}

/// A drive that answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drive {
    /// Its name by INQUIRY: vendor, product, revision.
    pub name: String,
    /// Its own model, firmware and serial number by IDENTIFY, where it could be asked.
    pub identified: Option<String>,
    /// Bytes it holds, where a medium is in it.
    pub capacity_bytes: Option<u64>,
    /// Why it is not ready, where it is not.
    pub not_ready: Option<String>,
}

impl fmt::Display for DriveAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answers(drive) => write!(f, "{} answers", drive.name),
            Self::Silent { why } => write!(f, "no drive answers: {why}"),
            Self::NotAsked => f.write_str("the drive was not asked"),
        }
    }
}
