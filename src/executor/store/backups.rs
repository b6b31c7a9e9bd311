//! The backups of the store: bytes, and beside them a record of what they are.

use std::io::ErrorKind;
use std::path::Path;

use super::index::{Index, MAX_BACKUPS};
use super::{BackupRecord, MAX_BACKUP_BYTES, Store, refused};
use crate::failure::{Code, Failure};
use crate::files;
use crate::rescue::outcome::sha256;
use crate::usb::PortPath;

/// No record is longer.
const MAX_RECORD_BYTES: u64 = 64 << 10;

/// Most backups of one name.
const MAX_NAMESAKES: u32 = 1000;

impl Store {
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
        for number in 1..MAX_NAMESAKES {
            if number > 1 {
                record.id = format!("{wished}-{number}");
            }
            if !files::is_plain_name(&record.id) {
                return Err(failed(&format!("{:?} is no name of a backup", record.id)));
            }
            match files::put_new(&folder, &format!("{}.bin", record.id), bytes) {
                Ok(()) => {
                    let put = self.put_record(&folder, &record);
                    put.map_err(|error| failed(&error))?;
                    return Ok(record);
                }
                // Another name helps only where this one is taken.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(&error)),
            }
        }
        Err(failed(&"a thousand backups already have this name"))
    }

    /// Puts the record beside the bytes, which go where that fails.
    fn put_record(&self, folder: &Path, record: &BackupRecord) -> std::io::Result<()> {
        let text = toml::to_string(record).map_err(std::io::Error::other)?;
        files::put_new(folder, &format!("{}.toml", record.id), text.as_bytes()).inspect_err(
            |_| {
                if let Err(error) = files::write::remove(&folder.join(format!("{}.bin", record.id)))
                {
                    log::warn!("{}: {error}", folder.display());
                }
            },
        )?;
        let indexed = Index::open(self).and_then(|index| index.add_backup(record));
        indexed.or_else(|error| {
            log::warn!("the index of backups: {error}");
            Index::forget(self)
        })
    }

    /// Every backup that can be read, oldest first.
    ///
    /// # Errors
    /// R506 when the folder cannot be read.
    pub fn backups(&self) -> Result<Vec<BackupRecord>, Failure> {
        self.listed_backups().map(|(records, _)| records)
    }

    /// Every backup, oldest first, and why others cannot be read: one R504 each.
    ///
    /// # Errors
    /// R506 when the folder cannot be read.
    pub fn listed_backups(&self) -> Result<(Vec<BackupRecord>, Vec<Failure>), Failure> {
        let folder = self.folder("backups")?;
        let names = |extension| {
            self.names(&folder, extension).map_err(|error| refused(Code::R506, &folder, &error))
        };
        let recorded = names("toml")?;
        let (mut found, mut damaged) = (Vec::new(), Vec::new());
        for name in &recorded {
            match self.record(name) {
                Ok(record) => found.push(record),
                Err(failure) => damaged.push(failure),
            }
        }
        for name in names("bin")?.iter().filter(|name| !recorded.contains(name)) {
            let path = folder.join(format!("{name}.bin"));
            damaged.push(
                Failure::new(Code::R504, "the backup has no record", path.display().to_string())
                    .next(format!(
                        "its bytes may be whole: `recover image inspect {}`",
                        path.display()
                    )),
            );
        }
        found.sort_by(|a, b| (a.date, &a.id).cmp(&(b.date, &b.id)));
        Ok((found, damaged))
    }

    /// The newest backups of that chip that may hold an image and were made at the port
    /// or of the serial number, the newest first. A damaged one is left out: it is told when it is asked for or listed.
    ///
    /// # Errors
    /// R506 when the index cannot be read.
    pub fn backups_of(
        &self,
        chip: &str,
        port: &PortPath,
        serial: Option<&str>,
    ) -> Result<Vec<BackupRecord>, Failure> {
        let names = self.index()?.backups(chip, port, serial);
        let names = names.map_err(|error| self.index_failure(&error))?;
        let mut found: Vec<_> = names.iter().filter_map(|name| self.record(name).ok()).collect();
        found.retain(|record| {
            record.chip == chip
                && (record.port == *port || serial.is_some() && record.serial.as_deref() == serial)
        });
        found.sort_by(|a, b| (b.date, &b.id).cmp(&(a.date, &a.id)));
        found.truncate(MAX_BACKUPS);
        Ok(found)
    }

    /// Has a backup no longer offered by [`Store::backups_of`]; it stays where it is.
    pub fn withdraw_backup(&self, record: &BackupRecord) {
        let withdrawn = Index::open(self).and_then(|index| index.remove_backup(record));
        if let Err(error) = withdrawn {
            log::debug!("the index of backups: {error}");
        }
    }

    /// A backup's record.
    pub(super) fn record(&self, name: &str) -> Result<BackupRecord, Failure> {
        self.count(1);
        let no_such = || {
            Failure::new(Code::R503, format!("there is no backup named {name:?}"), "store")
                .next("list them with `recover restore --list`")
        };
        if !files::is_plain_name(name) {
            return Err(no_such());
        }
        let path = self.home.join("backups").join(format!("{name}.toml"));
        let text = match files::read::read_kept_text(&path, MAX_RECORD_BYTES) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(no_such()),
            Err(error) => return Err(damaged(&path, &error.to_string(), error.kind())),
            Ok(text) => text,
        };
        let wrong = |why: &str| damaged(&path, why, ErrorKind::InvalidData);
        let record: BackupRecord = toml::from_str(&text)
            .map_err(|error| wrong(&format!("its record has an error: {}", error.message())))?;
        match record.id == name {
            true => Ok(record),
            false => Err(wrong(&format!("its record is of {:?}", record.id))),
        }
    }

    /// A backup's record and bytes, checked against its hash.
    ///
    /// # Errors
    /// R503 when there is none of that name, R504 when its bytes are not what was saved.
    pub fn load_backup(&self, id: &str) -> Result<(BackupRecord, Vec<u8>), Failure> {
        let record = self.record(id)?;
        let path = self.folder("backups")?.join(format!("{id}.bin"));
        self.count(1);
        let bytes = files::read_kept(&path, MAX_BACKUP_BYTES)
            .map_err(|error| damaged(&path, &error.to_string(), error.kind()))?;
        let got = sha256(&bytes);
        if got != record.sha256 {
            let why = format!("its SHA-256 is {got}, expected {}", record.sha256);
            return Err(damaged(&path, &why, ErrorKind::InvalidData));
        }
        Ok((record, bytes))
    }
}

fn damaged(path: &Path, why: &str, kind: ErrorKind) -> Failure {
    let failure = Failure::new(Code::R504, why, path.display().to_string());
    match kind {
        ErrorKind::PermissionDenied => failure.next(format!(
            "make it yours, then run the same command: sudo chown \"$(id -u)\" '{}'",
            path.display()
        )),
        _ => failure.next("choose an older backup: `recover restore --list`"),
    }
}
