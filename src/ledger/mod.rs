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
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::files;

pub use error::LedgerError;
pub use keeper::Keeper;
pub use rows::DamagedRow;
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
        let refused = |source| LedgerError::File { path: self.path.clone(), source };
        let folder = self.folder();
        files::make_folder(folder).map_err(refused)?;
        // An empty file is an empty database to SQLite, which would make it for everybody to read.
        match self.path.file_name().and_then(|name| name.to_str()) {
            Some(name) if fs::symlink_metadata(&self.path).is_err() => {
                match files::put_new(folder, name, b"") {
                    Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                        return Err(refused(error));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        let mut connection = self.open()?;
        rows::add(&mut connection, unit).map_err(|source| self.refused(source))
    }

    /// The units that fit, oldest first. Of damaged ones the log says why they are left out.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn units(&self, query: &Query) -> Result<Vec<Unit>, LedgerError> {
        let (units, damaged) = self.all_units(query)?;
        damaged.iter().for_each(|row| log::warn!("{}: {row}", self.path.display()));
        Ok(units)
    }

    /// The units that fit, oldest first, and the rows that cannot be read.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn all_units(&self, query: &Query) -> Result<(Vec<Unit>, Vec<DamagedRow>), LedgerError> {
        let Some(connection) = self.open_if_there()? else { return Ok(Default::default()) };
        rows::units(&connection, query).map_err(|source| self.refused(source))
    }

    /// The unit of that id; without one, every unit whose id begins so, oldest first; and the rows
    /// of them that cannot be read.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn find_all(&self, id: &str) -> Result<(Vec<Unit>, Vec<DamagedRow>), LedgerError> {
        let Some(connection) = self.open_if_there()? else { return Ok(Default::default()) };
        rows::find(&connection, id).map_err(|source| self.refused(source))
    }

    /// The same without those that cannot be read.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn find(&self, id: &str) -> Result<Vec<Unit>, LedgerError> {
        self.find_all(id).map(|(units, _)| units)
    }

    /// The unit that last began at that port.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn last_at(&self, port: &str) -> Result<Option<Unit>, LedgerError> {
        let Some(connection) = self.open_if_there()? else { return Ok(None) };
        rows::last_at(&connection, port).map_err(|source| self.refused(source))
    }

    fn open_if_there(&self) -> Result<Option<Connection>, LedgerError> {
        match fs::symlink_metadata(&self.path) {
            Ok(_) => self.open().map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(LedgerError::File { path: self.path.clone(), source }),
        }
    }

    /// Opens the file and brings it up to date. SQLite opens a file that may only be read as such.
    fn open(&self) -> Result<Connection, LedgerError> {
        let path = self.checked().map_err(|source| {
            let path = self.path.clone();
            LedgerError::File { path, source }
        })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let refused = |source| self.refused(source);
        let mut connection = Connection::open_with_flags(path, flags).map_err(refused)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(refused)?;
        connection.pragma_update(None, "foreign_keys", true).map_err(refused)?;
        schema::bring_up_to_date(&mut connection, &self.path)?;
        Ok(connection)
    }

    /// The folder of its file.
    fn folder(&self) -> &Path {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        folder.unwrap_or(Path::new("."))
    }

    /// The path for SQLite, which follows no link in any part of it, once the file is seen to be a
    /// regular one of a trusted owner. It is not opened here: closing it would drop the locks that
    /// another thread's connection has on it.
    fn checked(&self) -> io::Result<PathBuf> {
        files::check_kept(&self.path)?;
        let folder = self.folder().canonicalize()?;
        Ok(folder.join(self.path.file_name().unwrap_or_default()))
    }

    fn refused(&self, source: rusqlite::Error) -> LedgerError {
        LedgerError::Database { path: self.path.clone(), source }
    }
}
