//! What of the past is still asked for, so that the past need not be read: the unfinished rescues
//! of each port, its last one, the trials that may still run, who was rescued as what, the newest
//! backups.
//!
//! The folder `index` holds small files: empty ones whose name is all they tell, and ones that
//! hold one name. The journals and backups are the truth, and each answer is checked against
//! them. A journal is there before its mark and is ended before its mark goes, and a device is
//! written only behind the mark: so a run that is killed anywhere leaves at worst a mark too many,
//! which the next look removes. A missing or older index is made anew from all journals and
//! backups; whoever copies journals in removes the folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{BackupRecord, Store};
use crate::chip::Identity;
use crate::files;
use crate::journal::{Ending, Journal, JournalError, JournalFile};
use crate::rescue::outcome::sha256;
use crate::usb::PortPath;

/// What the file `complete` holds. The index of another version of the program is made anew: it may
/// take other bytes for an image.
const VERSION: &str = concat!("1 ", env!("CARGO_PKG_VERSION"), "\n");

/// The file that is written last: with it, the index is whole.
const COMPLETE: &str = "complete";

/// Where journals are marked that cannot be read, so that their port is not known.
const NO_PORT: &str = "unknown";

/// Most backups that are offered for one port or serial number and chip, the newest.
pub const MAX_BACKUPS: usize = 64;

/// Most bytes of a file that holds a name.
const MAX_NAME_BYTES: u64 = 256;

/// A journal that is marked as unfinished and cannot be read.
pub(super) struct Unreadable {
    /// Where, if that is known.
    pub port: Option<PortPath>,
    /// Its file.
    pub path: PathBuf,
    pub why: JournalError,
}

/// The index of a store, whole.
pub(super) struct Index<'s> {
    store: &'s Store,
    root: PathBuf,
    journals: PathBuf,
}

impl<'s> Index<'s> {
    /// The index, made anew where it is not whole.
    pub(super) fn open(store: &'s Store) -> io::Result<Self> {
        let root = store.home.join("index");
        let index = Self { store, journals: store.home.join("journals"), root };
        if !index.is_complete() {
            index.rebuild()?;
        }
        Ok(index)
    }

    fn is_complete(&self) -> bool {
        let version = files::read_kept(&self.root.join(COMPLETE), MAX_NAME_BYTES);
        version.is_ok_and(|version| version == VERSION.as_bytes())
    }

    /// Reads every journal and every backup's record, one at a time.
    fn rebuild(&self) -> io::Result<()> {
        files::make_folder(&self.root)?;
        let lock = self.root.join("lock");
        match files::create_new(&lock) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // Held until the end of this function; another run or thread waits for it.
        let lock: File = files::open_kept(&lock, files::Access::Write)?;
        lock.lock()?;
        if self.is_complete() {
            return Ok(());
        }
        let mut latest: BTreeMap<PathBuf, (Timestamp, String)> = BTreeMap::new();
        let mut empty = 0;
        for name in self.store.names(&self.journals, "jsonl")? {
            let path = self.journals.join(format!("{name}.jsonl"));
            // Its run ended before its first line was on the disk, so before it wrote anything.
            if fs::symlink_metadata(&path).is_ok_and(|file| file.is_file() && file.len() == 0) {
                empty += 1;
                continue;
            }
            let Ok(file) = self.store.open_journal(&path) else {
                self.mark(NO_PORT, &name)?;
                continue;
            };
            let (journal, date) = (file.journal(), file.journal().begun().date);
            if !journal.has_ended() {
                self.mark(&journal.begun().port.to_string(), &name)?;
            }
            for place in places(journal) {
                let newer = latest.get(&place).is_none_or(|(of, _)| *of <= date);
                if newer {
                    latest.insert(place, (date, name.clone()));
                }
            }
        }
        if empty > 0 {
            log::warn!(
                "{}: {empty} journals are empty; the runs that made them wrote nothing to a device",
                self.journals.display()
            );
        }
        for (place, (_, name)) in latest {
            self.put(&place, &name)?;
        }
        let backups = self.store.home.join("backups");
        for name in self.store.names(&backups, "toml")? {
            if let Ok(record) = self.store.record(&name) {
                self.add_backup(&record)?;
            }
        }
        files::replace(&self.root.join(COMPLETE), VERSION.as_bytes())
    }

    fn mark(&self, port: &str, name: &str) -> io::Result<()> {
        self.touch(&self.root.join("unfinished").join(port), name)
    }

    /// Makes an empty file, which may be there.
    fn touch(&self, folder: &Path, name: &str) -> io::Result<()> {
        files::make_folder(folder)?;
        match files::create_new(&folder.join(name)) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    fn unmark(&self, port: &str, name: &str) -> io::Result<()> {
        files::write::remove(&self.root.join("unfinished").join(port).join(name))
    }

    fn put(&self, place: &Path, name: &str) -> io::Result<()> {
        let path = self.root.join(place);
        files::make_folder(path.parent().unwrap_or(&self.root))?;
        files::replace(&path, name.as_bytes())
    }

    /// Takes note of a journal that has just begun.
    pub(super) fn begun(&self, file: &JournalFile) -> io::Result<()> {
        let port = file.journal().begun().port.to_string();
        for place in places(file.journal()) {
            self.put(&place, &file.name())?;
        }
        self.mark(&port, &file.name())
    }

    /// Takes note of a journal that has ended.
    pub(super) fn ended(&self, file: &JournalFile) -> io::Result<()> {
        // The last journal of its port may be another by now.
        for place in places(file.journal()).iter().filter(|place| !place.starts_with("last")) {
            self.put(place, &file.name())?;
        }
        self.unmark(&file.journal().begun().port.to_string(), &file.name())
    }

    /// The unfinished journals of a port, or of all ports, and those that cannot be read.
    pub(super) fn unfinished(
        &self,
        port: Option<&PortPath>,
    ) -> io::Result<(Vec<JournalFile>, Vec<Unreadable>)> {
        let root = self.root.join("unfinished");
        let ports = match port {
            Some(port) => vec![port.to_string(), NO_PORT.to_owned()],
            None => self.store.entries(&root)?,
        };
        let (mut found, mut unreadable) = (Vec::new(), Vec::new());
        for marked_at in ports {
            for name in self.store.entries(&root.join(&marked_at))? {
                let path = self.journals.join(format!("{name}.jsonl"));
                match self.store.open_journal(&path) {
                    Ok(file) if file.journal().has_ended() => self.heal(&file, &marked_at),
                    Ok(file) => found.push(file),
                    Err(JournalError::File { source, .. })
                        if source.kind() == ErrorKind::NotFound =>
                    {
                        // Somebody took it away.
                        self.unmark(&marked_at, &name)?;
                    }
                    Err(why) => {
                        unreadable.push(Unreadable { port: marked_at.parse().ok(), path, why });
                    }
                }
            }
        }
        found.retain(|file| port.is_none_or(|port| file.journal().begun().port == *port));
        Ok((found, unreadable))
    }

    /// What a run did not get to that was killed at its end.
    fn heal(&self, file: &JournalFile, marked_at: &str) {
        let healed = self.ended(file).and_then(|()| self.unmark(marked_at, &file.name()));
        if let Err(error) = healed {
            log::debug!("{}: {error}", self.root.display());
        }
    }

    /// The last journal of a port.
    pub(super) fn last(&self, port: &PortPath) -> Option<JournalFile> {
        self.journal_at(&last(port))
    }

    /// The last journal that left the device with this number running from RAM at that port.
    pub(super) fn trial(&self, port: &PortPath, number: u8) -> Option<JournalFile> {
        self.journal_at(&trial(port, number))
    }

    /// The journals of rescues that gave a device an identity that this one may be: for each
    /// identity the last one.
    pub(super) fn rescued_like(&self, seen: &Identity) -> io::Result<Vec<JournalFile>> {
        let unnumbered = Identity { serial: None, ..seen.clone() };
        let mut found = Vec::new();
        for identity in [seen, &unnumbered] {
            let folder = rescued(identity);
            for name in self.store.entries(&self.root.join(&folder))? {
                found.extend(self.journal_at(&folder.join(name)));
            }
        }
        Ok(found)
    }

    fn journal_at(&self, place: &Path) -> Option<JournalFile> {
        self.store.count(1);
        let name = files::read::read_kept_text(&self.root.join(place), MAX_NAME_BYTES).ok()?;
        let path = self.journals.join(format!("{name}.jsonl"));
        if !files::is_plain_name(&name) {
            return None;
        }
        self.store
            .open_journal(&path)
            .inspect_err(|error| log::warn!("a past rescue is not known: {error}"))
            .ok()
    }

    /// Has the index made anew by the next look: something could not be noted in it.
    pub(super) fn forget(store: &Store) -> io::Result<()> {
        files::write::remove(&store.home.join("index").join(COMPLETE))
    }

    /// Takes note of a backup, and forgets the oldest of its kind.
    pub(super) fn add_backup(&self, record: &BackupRecord) -> io::Result<()> {
        for folder in backups(&record.chip, Some(&record.port), record.serial.as_deref()) {
            let folder = self.root.join(folder);
            self.touch(&folder, &record.id)?;
            let names = self.store.entries(&folder)?;
            for old in names.iter().rev().skip(MAX_BACKUPS) {
                files::write::remove(&folder.join(old))?;
            }
        }
        Ok(())
    }

    /// Forgets a backup.
    pub(super) fn remove_backup(&self, record: &BackupRecord) -> io::Result<()> {
        for folder in backups(&record.chip, Some(&record.port), record.serial.as_deref()) {
            files::write::remove(&self.root.join(folder).join(&record.id))?;
        }
        Ok(())
    }

    /// The names of the newest backups of that chip that were made at the port or of the serial
    /// number.
    pub(super) fn backups(
        &self,
        chip: &str,
        port: &PortPath,
        serial: Option<&str>,
    ) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        for folder in backups(chip, Some(port), serial) {
            found.extend(self.store.entries(&self.root.join(folder))?);
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}

/// The files of the index that name this journal, or an older one in its place.
fn places(journal: &Journal) -> Vec<PathBuf> {
    let begun = journal.begun();
    let mut places = vec![last(&begun.port)];
    places.extend(journal.left_on_trial().map(|number| trial(&begun.port, number)));
    if let (Some(Ending::Rescued), Some(expected)) = (journal.result(), &begun.expected) {
        let whole = serde_json::to_string(&(expected, &begun.chip)).unwrap_or_default();
        places.push(rescued(expected).join(short_hash(&whole)));
    }
    places
}

fn last(port: &PortPath) -> PathBuf {
    Path::new("last").join(port.to_string())
}

fn trial(port: &PortPath, number: u8) -> PathBuf {
    Path::new("trial").join(format!("{port}-{number}"))
}

/// The folder of what was rescued with these ids and this serial number, or without one.
fn rescued(identity: &Identity) -> PathBuf {
    let ids = identity.ids.to_string().replace(':', "-");
    let serial = identity.serial.as_deref().map_or("none".to_owned(), short_hash);
    Path::new("rescued").join(format!("{ids}-{serial}"))
}

/// The folders of the backups of a chip at a port and with a serial number.
fn backups(chip: &str, port: Option<&PortPath>, serial: Option<&str>) -> Vec<PathBuf> {
    let port = port.map(|port| format!("port-{port}"));
    let serial = serial.map(|serial| format!("serial-{}", short_hash(serial)));
    let folders = [port, serial].into_iter().flatten();
    folders.map(|of| Path::new("backups").join(format!("{of}-{}", short_hash(chip)))).collect()
}

/// A text of a device or a file as part of a file's name.
fn short_hash(text: &str) -> String {
    let mut hash = sha256(text.as_bytes());
    hash.truncate(32);
    hash
}
