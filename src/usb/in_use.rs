//! What uses a device: a mounted file system, swap, a volume on top, an open serial device.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One use of a device, and how its owner ends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// What uses it: `/dev/sdb1 is mounted at /mnt/x`.
    pub what: String,
    /// The command that ends the use: `umount /mnt/x`. `None` where no single command does.
    pub end: Option<String>,
}

impl Use {
    /// A use that a command ends.
    pub fn new(what: impl Into<String>, end: impl Into<String>) -> Self {
        Self { what: what.into(), end: Some(end.into()) }
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
