//! Why a ledger cannot be used.

use std::path::PathBuf;

use crate::failure::{Code, Failure};

/// Why a ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file system refuses.
    #[error("{path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's words.
        source: std::io::Error,
    },
    /// SQLite refuses: no access, not a database, damaged, held too long by another process.
    #[error("{path}: {source}")]
    Database {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        source: rusqlite::Error,
    },
    /// A newer program made it.
    #[error("{path}: its format is version {found}; this version of recover reads version {known}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that is known here.
        known: i64,
    },
    /// Another program's database.
    #[error("{path}: it is a database of another program")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
}

impl LedgerError {
    /// The error as its owner is told it by a command that is about the ledger.
    pub fn failure(&self) -> Failure {
        let (code, path, what) = match self {
            Self::File { path, source } => (Code::R521, path, source.to_string()),
            Self::Database { path, source } => (Code::R521, path, source.to_string()),
            Self::Foreign { path } => {
                (Code::R521, path, "it is a database of another program".to_owned())
            }
            Self::Newer { path, found, known } => {
                let what = format!(
                    "its format is version {found}; this version of recover reads version {known}"
                );
                (Code::R522, path, what)
            }
        };
        let failure = Failure::new(code, what, path.display().to_string());
        match self {
            Self::Newer { .. } => {
                failure.next("use the newer `recover` that wrote it").next(OTHER_HOME)
            }
            _ => failure
                .next("check the permissions of the file and its folder, and that the disk is not full")
                .next("if the file is damaged, move it away; the next unit starts a new ledger")
                .next(OTHER_HOME),
        }
    }
}

const OTHER_HOME: &str = "or name another folder with --home";
