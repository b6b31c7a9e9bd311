//! The ledger: every unit that passed through a run that works on a device, in SQLite.
//!
//! A [`Keeper`] listens to the events of one run and writes one [`Unit`] when the outcome comes, in
//! one transaction: a unit is in the ledger whole or not at all, however a run was ended. What a
//! run was doing when it was killed is the journal's business.
//!
//! Any number of threads and processes keep the same ledger; each opens the file for itself, for
//! the moment of writing. The file stays in SQLite's rollback mode: its other mode, WAL, needs
//! memory that all processes share and so does not work on a network's file systems, and would
//! gain nothing with one transaction a unit. docs/decisions/ledger.md says more.
//!
//! It prints nothing and decides nothing about a device. A ledger that cannot be written fails no
//! rescue: [`Keeper::kept`] says so afterwards.
//!
//! Read [`mod@unit`], [`keeper`], [`schema`], [`rows`], [`table`].

mod error;
pub mod keeper;
mod rows;
mod schema;
pub mod table;
pub mod text;
pub mod unit;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub use error::LedgerError;
pub use keeper::Keeper;
pub use unit::{Query, StepTaken, Unit};

/// How long another process may hold the ledger. Its one transaction takes milliseconds, but for
/// a disk that has gone to sleep.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The ledger in a file.
#[derive(Clone, Debug)]
pub struct Ledger {
    path: PathBuf,
}

impl Ledger {
    /// The ledger in the file at `path`, which is made with the first unit.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a unit and returns the id it got: the one it has, or where that is taken, the same
    /// with a number behind it.
    ///
    /// # Errors
    /// [`LedgerError`]; the ledger is then what it was.
    pub fn add(&self, unit: &Unit) -> Result<String, LedgerError> {
        if let Some(folder) = self.path.parent() {
            let path = folder.to_owned();
            fs::create_dir_all(folder).map_err(|source| LedgerError::File { path, source })?;
        }
        let mut connection = self.open(OpenFlags::SQLITE_OPEN_CREATE)?;
        rows::add(&mut connection, unit).map_err(|source| self.refused(source))
    }

    /// The units that fit, oldest first.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn units(&self, query: &Query) -> Result<Vec<Unit>, LedgerError> {
        let Some(connection) = self.open_if_there()? else { return Ok(Vec::new()) };
        rows::units(&connection, query).map_err(|source| self.refused(source))
    }

    /// The unit of that id; without one, every unit whose id begins so, oldest first.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn find(&self, id: &str) -> Result<Vec<Unit>, LedgerError> {
        let Some(connection) = self.open_if_there()? else { return Ok(Vec::new()) };
        rows::find(&connection, id).map_err(|source| self.refused(source))
    }

    fn open_if_there(&self) -> Result<Option<Connection>, LedgerError> {
        match self.path.try_exists() {
            Ok(true) => self.open(OpenFlags::empty()).map(Some),
            Ok(false) => Ok(None),
            Err(source) => Err(LedgerError::File { path: self.path.clone(), source }),
        }
    }

    /// Opens the file and brings it up to date. SQLite opens a file that may only be read as such.
    fn open(&self, more: OpenFlags) -> Result<Connection, LedgerError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
        let refused = |source| self.refused(source);
        let mut connection = Connection::open_with_flags(&self.path, flags).map_err(refused)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(refused)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(refused)?;
        schema::bring_up_to_date(&mut connection, &self.path)?;
        Ok(connection)
    }

    fn refused(&self, source: rusqlite::Error) -> LedgerError {
        LedgerError::Database { path: self.path.clone(), source }
    }
}
