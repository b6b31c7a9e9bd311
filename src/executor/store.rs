//! What is kept on this computer: backups, the images that were written, journals, port locks.
//!
//! Nothing in it is ever overwritten: a name that is taken gets a number behind it. What is asked
//! of the past is answered by the [`index`], so that a long past costs nothing.

mod backups;
mod index;
mod journals;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::chip::Size;
use crate::failure::{Code, Failure};
use crate::files;
use crate::rescue::outcome::sha256;
use crate::usb::{Ids, PortPath};

/// No memory a chip here boots from is larger; a backup file that is was not made by us.
const MAX_BACKUP_BYTES: u64 = 1 << 24;

/// No image that is written is larger [`crate::profile`].
const MAX_IMAGE_BYTES: u64 = 1 << 25;

/// The folder where the program keeps things.
#[derive(Clone, Debug)]
pub struct Store {
    home: PathBuf,
    looks: Arc<AtomicU64>,
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
        Self { home: home.into(), looks: Arc::default() }
    }

    /// How many records were read or begun so far, and names seen in folders, by this store and its
    /// clones: what the past has cost.
    pub fn looks(&self) -> u64 {
        self.looks.load(Ordering::Relaxed)
    }

    fn count(&self, looks: usize) {
        self.looks.fetch_add(looks as u64, Ordering::Relaxed);
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
        files::make_folder(&path).map_err(|error| refused(Code::R506, &path, &error))?;
        Ok(path)
    }

    /// Keeps an image under its hash, so that a rescue can be resumed without the file it came
    /// from.
    ///
    /// # Errors
    /// R506.
    pub fn keep_image(&self, bytes: &[u8]) -> Result<String, Failure> {
        let folder = self.folder("images")?;
        let hash = sha256(bytes);
        match files::put_new(&folder, &format!("{hash}.bin"), bytes) {
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
        let folder = self.folder("images")?;
        if !files::is_plain_name(hash) {
            return Err(refused(Code::R506, &folder, &"a journal names an image by no hash"));
        }
        let path = folder.join(format!("{hash}.bin"));
        self.count(1);
        let bytes = files::read_kept(&path, MAX_IMAGE_BYTES)
            .map_err(|error| refused(Code::R506, &path, &error))?;
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

    /// The names in a folder of files with that ending, without it, sorted. A folder that is not
    /// there has none.
    fn names(&self, folder: &Path, extension: &str) -> io::Result<Vec<String>> {
        let ending = format!(".{extension}");
        let names = self.entries(folder)?;
        let stem = |name: &String| name.strip_suffix(&ending).map(str::to_owned);
        Ok(names.iter().filter_map(stem).collect())
    }

    /// The plain names in a folder, sorted. A folder that is not there has none.
    fn entries(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.count(1);
        let entries = match fs::read_dir(folder) {
            // What is no folder is told of when something is put into it.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(Vec::new());
            }
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            self.count(1);
            let name = entry?.file_name();
            match name.to_str().filter(|name| files::is_plain_name(name)) {
                Some(name) => found.push(name.to_owned()),
                None => log::warn!("{}: {name:?} is no name of recover's", folder.display()),
            }
        }
        found.sort();
        Ok(found)
    }
}
