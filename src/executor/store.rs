//! What is kept on this computer: backups, the images that were written, journals, port locks.
//!
//! Nothing in it is ever overwritten: a name that is taken gets a number behind it.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::chip::Size;
use crate::failure::{Code, Failure};
use crate::journal::JournalFile;
use crate::rescue::outcome::sha256;
use crate::usb::{Ids, PortPath};

/// No memory a chip here boots from is larger; a backup file that is was not made by us.
const MAX_BACKUP_BYTES: u64 = 1 << 24;

/// The folder where the program keeps things.
#[derive(Clone, Debug)]
pub struct Store {
    home: PathBuf,
}

/// What is known of a backup, beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupRecord {
    /// Its name.
    pub id: String,
    /// When it was made.
    pub date: Timestamp,
    /// The port the device was in.
    pub port: PortPath,
    /// What it showed as.
    pub ids: Ids,
    /// The serial number it showed.
    pub serial: Option<String>,
    /// The chip's name.
    pub chip: String,
    /// Whether the memory's size was proven, or only that it holds at least the bytes kept.
    pub whole: bool,
    /// How many bytes.
    pub bytes: usize,
    /// Their SHA-256.
    pub sha256: String,
}

impl BackupRecord {
    /// Whether a memory of that size was kept whole.
    pub fn is_whole(size: Size) -> bool {
        matches!(size, Size::Proven(_))
    }
}

fn refused(code: Code, path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(code, error.to_string(), path.display().to_string())
        .next("make the folder writable, or name another with --home")
}

impl Store {
    /// The store in `home`, whose folders are made when something is put into them.
    pub fn new(home: impl Into<PathBuf>) -> Self {
        Self { home: home.into() }
    }

    /// The folder of the user's own profiles.
    pub fn profiles(&self) -> PathBuf {
        self.home.join("profiles")
    }

    /// The file of the ledger.
    pub fn ledger(&self) -> PathBuf {
        self.home.join("ledger.sqlite3")
    }

    /// A folder of the store, made if need be.
    ///
    /// # Errors
    /// R506 when it cannot be made.
    pub fn folder(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.home.join(name);
        fs::create_dir_all(&path).map_err(|error| refused(Code::R506, &path, &error))?;
        Ok(path)
    }

    /// Saves a backup under a new name and returns its record. `record.id` is the name wished
    /// for.
    ///
    /// # Errors
    /// R501.
    pub fn save_backup(
        &self,
        mut record: BackupRecord,
        bytes: &[u8],
    ) -> Result<BackupRecord, Failure> {
        let folder = self.folder("backups").map_err(|f| Failure { code: Code::R501, ..f })?;
        let failed = |error: &dyn std::fmt::Display| refused(Code::R501, &folder, error);
        record.bytes = bytes.len();
        record.sha256 = sha256(bytes);
        let wished = record.id.clone();
        for number in 1..1000 {
            if number > 1 {
                record.id = format!("{wished}-{number}");
            }
            match put(&folder, &format!("{}.bin", record.id), bytes) {
                Ok(()) => {
                    let text = toml::to_string(&record).map_err(|error| failed(&error))?;
                    put(&folder, &format!("{}.toml", record.id), text.as_bytes())
                        .map_err(|error| failed(&error))?;
                    return Ok(record);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(&error)),
            }
        }
        Err(failed(&"a thousand backups already have this name"))
    }

    /// Every backup, oldest first. Files that are not backups are passed over.
    ///
    /// # Errors
    /// R506 when the folder cannot be read.
    pub fn backups(&self) -> Result<Vec<BackupRecord>, Failure> {
        let folder = self.folder("backups")?;
        let mut found: Vec<BackupRecord> = names(&folder, "toml")?
            .iter()
            .filter_map(|path| toml::from_str(&fs::read_to_string(path).ok()?).ok())
            .collect();
        found.sort_by(|a, b| (a.date, &a.id).cmp(&(b.date, &b.id)));
        Ok(found)
    }

    /// A backup's record and bytes, checked against its hash.
    ///
    /// # Errors
    /// R503 when there is none of that name, R504 when its bytes are not what was saved.
    pub fn load_backup(&self, id: &str) -> Result<(BackupRecord, Vec<u8>), Failure> {
        let record =
            self.backups()?.into_iter().find(|record| record.id == id).ok_or_else(|| {
                Failure::new(Code::R503, format!("there is no backup named {id:?}"), "store")
                    .next("list them with `recover restore --list`")
            })?;
        let path = self.folder("backups")?.join(format!("{id}.bin"));
        let damaged = |why: String| {
            Failure::new(Code::R504, why, path.display().to_string())
                .next("choose an older backup: `recover restore --list`")
        };
        let length = fs::metadata(&path).map_err(|error| damaged(error.to_string()))?.len();
        if length > MAX_BACKUP_BYTES {
            return Err(damaged(format!("it is {length} bytes long")));
        }
        let bytes = fs::read(&path).map_err(|error| damaged(error.to_string()))?;
        let got = sha256(&bytes);
        if got != record.sha256 {
            return Err(damaged(format!("its SHA-256 is {got}, expected {}", record.sha256)));
        }
        Ok((record, bytes))
    }

    /// Keeps an image under its hash, so that a rescue can be resumed without the file it came
    /// from.
    ///
    /// # Errors
    /// R506.
    pub fn keep_image(&self, bytes: &[u8]) -> Result<String, Failure> {
        let folder = self.folder("images")?;
        let hash = sha256(bytes);
        match put(&folder, &format!("{hash}.bin"), bytes) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                Err(refused(Code::R506, &folder, &error))
            }
            _ => Ok(hash),
        }
    }

    /// An image that was kept.
    ///
    /// # Errors
    /// R506 when it is not there or not what was kept.
    pub fn kept_image(&self, hash: &str) -> Result<Vec<u8>, Failure> {
        let path = self.folder("images")?.join(format!("{hash}.bin"));
        let bytes = fs::read(&path).map_err(|error| refused(Code::R506, &path, &error))?;
        if sha256(&bytes) == hash {
            Ok(bytes)
        } else {
            Err(refused(Code::R506, &path, &"the kept image is damaged"))
        }
    }

    /// A name for something that happens now: `2026-11-22T10-02-33-sl11r`.
    pub fn name(date: Timestamp, what: &str) -> String {
        format!("{}-{what}", date.strftime("%Y-%m-%dT%H-%M-%S"))
    }

    /// Every journal, oldest first. Files that are not journals are passed over with a warning in
    /// the log.
    ///
    /// # Errors
    /// R506 when the folder cannot be read.
    pub fn journals(&self) -> Result<Vec<JournalFile>, Failure> {
        let mut found = Vec::new();
        for path in names(&self.folder("journals")?, "jsonl")? {
            match JournalFile::open(&path) {
                Ok(file) => found.push(file),
                Err(error) => log::warn!("{error}"),
            }
        }
        found.sort_by_key(|file| file.journal().begun().date);
        Ok(found)
    }

    /// The journals of rescues that may have left a memory part written, oldest first.
    ///
    /// # Errors
    /// As [`Store::journals`].
    pub fn unfinished(&self) -> Result<Vec<JournalFile>, Failure> {
        let mut found = self.journals()?;
        found.retain(|file| file.journal().is_unfinished());
        Ok(found)
    }
}

/// Writes a file that is there whole or not at all, and never over another.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(folder.join(name)).map(drop).map_err(|error| error.error)
}

fn names(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: std::io::Error| refused(Code::R506, folder, &error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
