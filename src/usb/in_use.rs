//! What uses a device: a mounted file system, swap, a volume on top, an open serial device.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One use of a device, and how its owner ends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// What uses it: `/dev/sdb1 is mounted at /mnt/x`.
    pub what: String,
    /// What ends the use: a command in backquotes (`` `umount /mnt/x` ``), or words where no
    /// command does.
    pub end: String,
}

impl Use {
    /// A use that a command ends.
    pub fn new(what: impl Into<String>, end: impl Into<String>) -> Self {
        Self::ended_by(what, format!("`{}`", end.into()))
    }

    /// A use that no command ends, and what to do instead.
    pub fn ended_by(what: impl Into<String>, words: impl Into<String>) -> Self {
        Self { what: what.into(), end: words.into() }
    }
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// Every use in one line.
pub(super) fn list(uses: &[Use]) -> String {
    uses.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What ends every use, in one line.
pub(super) fn ends(uses: &[Use]) -> String {
    uses.iter().map(|one| one.end.as_str()).collect::<Vec<_>>().join(", ")
}
