//! The journals of the store: begun and ended with their marks in the [`super::index`], and found
//! again by it.

use std::io;
use std::path::Path;

use super::index::{Index, Unreadable};
use super::{Store, refused};
use crate::chip::Identity;
use crate::failure::{Code, Failure};
use crate::files;
use crate::journal::{Begun, Ending, Entry, JournalError, JournalFile};
use crate::usb::{PortPath, Sighting};

/// Most journals of one name.
const MAX_NAMESAKES: u32 = 1000;

impl Store {
    /// Begins a journal under a new name; `begun.id` is the name wished for. It and its mark are
    /// on the disk when this returns; where that fails, neither is left.
    ///
    /// # Errors
    /// [`JournalError`]: the disk is full, the folder may not be written, every name is taken.
    pub fn begin_journal(&self, mut begun: Begun) -> Result<JournalFile, JournalError> {
        let folder = self.home.join("journals");
        let refused = |source| JournalError::File { path: folder.clone(), source };
        files::make_folder(&folder).map_err(refused)?;
        let index = Index::open(self).map_err(refused)?;
        let wished = begun.id.clone();
        let mut number = 1;
        let file = loop {
            self.count(1);
            match JournalFile::begin(&folder, begun.clone()) {
                // Another name helps only where this one is taken.
                Err(JournalError::File { source, .. })
                    if source.kind() == io::ErrorKind::AlreadyExists
                        && number < MAX_NAMESAKES - 1 =>
                {
                    number += 1;
                    begun.id = format!("{wished}-{number}");
                }
                result => break result?,
            }
        };
        index.begun(&file).inspect_err(|_| file.discard()).map_err(refused)?;
        Ok(file)
    }

    /// Ends a journal and takes its mark away.
    ///
    /// # Errors
    /// [`JournalError`] when the end could not be written. A mark that stays does no harm: the next
    /// look finds the end.
    pub fn end_journal(
        &self,
        file: &mut JournalFile,
        result: Ending,
        on_trial: Option<u8>,
    ) -> Result<(), JournalError> {
        file.append(Entry::Ended { result, on_trial })?;
        if let Err(error) = Index::open(self).and_then(|index| index.ended(file)) {
            log::warn!("the index of journals: {error}");
        }
        Ok(())
    }

    pub(super) fn open_journal(&self, path: &Path) -> Result<JournalFile, JournalError> {
        self.count(1);
        JournalFile::open(path)
    }

    /// Every journal that can be read, oldest first, finished ones too: what this costs grows with
    /// the past. Of the others the log says why.
    ///
    /// # Errors
    /// R506 when the folder cannot be read.
    pub fn journals(&self) -> Result<Vec<JournalFile>, Failure> {
        let folder = self.folder("journals")?;
        let mut found = Vec::new();
        for name in self.names(&folder, "jsonl").map_err(|error| self.index_failure(&error))? {
            match self.open_journal(&folder.join(format!("{name}.jsonl"))) {
                Ok(file) => found.push(file),
                Err(error) => log::warn!("{error}"),
            }
        }
        Ok(by_date(found))
    }

    /// The journals of rescues that may have left a memory part written, oldest first.
    ///
    /// # Errors
    /// R506 when the index cannot be read.
    pub fn unfinished(&self) -> Result<Vec<JournalFile>, Failure> {
        self.marked(None).map(|(found, _)| found)
    }

    /// Those of one port.
    ///
    /// # Errors
    /// As [`Store::unfinished`].
    pub fn unfinished_at(&self, port: &PortPath) -> Result<Vec<JournalFile>, Failure> {
        self.marked(Some(port)).map(|(found, _)| found)
    }

    /// Why the journals of unfinished rescues, of that port or of all, cannot be read: one R507
    /// each.
    ///
    /// # Errors
    /// As [`Store::unfinished`].
    pub fn unreadable_journals(&self, port: Option<&PortPath>) -> Result<Vec<Failure>, Failure> {
        let (_, unreadable) = self.marked(port)?;
        Ok(unreadable.iter().map(unreadable_failure).collect())
    }

    fn marked(
        &self,
        port: Option<&PortPath>,
    ) -> Result<(Vec<JournalFile>, Vec<Unreadable>), Failure> {
        let (found, unreadable) =
            self.index()?.unfinished(port).map_err(|error| self.index_failure(&error))?;
        let mut found = by_date(found);
        found.retain(|file| file.journal().is_unfinished());
        Ok((found, unreadable))
    }

    /// What the past tells of a device on the bus, oldest first: the unfinished rescues of its
    /// port, the trial that left it running from RAM, the rescue that gave it its identity.
    ///
    /// # Errors
    /// As [`Store::unfinished`].
    pub fn journals_about(&self, seen: &Sighting) -> Result<Vec<JournalFile>, Failure> {
        let failed = |error: io::Error| self.index_failure(&error);
        let index = self.index()?;
        let (mut found, _) = index.unfinished(Some(&seen.port)).map_err(failed)?;
        found.extend(index.trial(&seen.port, seen.device_number));
        found.extend(index.rescued_like(&Identity::of(seen)).map_err(failed)?);
        Ok(by_date(found))
    }

    /// The last journal of a port.
    ///
    /// # Errors
    /// As [`Store::unfinished`].
    pub fn last_journal_at(&self, port: &PortPath) -> Result<Option<JournalFile>, Failure> {
        Ok(self.index()?.last(port))
    }

    pub(super) fn index(&self) -> Result<Index<'_>, Failure> {
        // A home that cannot be made is told as such.
        self.folder("journals")?;
        Index::open(self).map_err(|error| self.index_failure(&error))
    }

    pub(super) fn index_failure(&self, error: &io::Error) -> Failure {
        refused(Code::R506, &self.home, error)
    }
}

fn by_date(mut journals: Vec<JournalFile>) -> Vec<JournalFile> {
    journals.sort_by_key(|file| (file.journal().begun().date, file.name()));
    journals.dedup_by_key(|file| file.name());
    journals
}

fn unreadable_failure(unreadable: &Unreadable) -> Failure {
    let place = unreadable.path.display().to_string();
    let (what, is_denied) = match &unreadable.why {
        JournalError::File { source, .. } => {
            (source.to_string(), source.kind() == io::ErrorKind::PermissionDenied)
        }
        JournalError::Line { line, why, .. } => (format!("line {line}: {why}"), false),
        JournalError::Illegal(error) => (error.to_string(), false),
    };
    let of = unreadable.port.as_ref().map_or(String::new(), |port| format!(" of port {port}"));
    let what = format!("the journal of an unfinished rescue{of} cannot be read: {what}");
    let failure = Failure::new(Code::R507, what, place.clone());
    let failure = match is_denied {
        true => failure.next(format!(
            "make it yours, then run the same command: sudo chown \"$(id -u)\" '{place}'"
        )),
        false => failure,
    };
    let failure = match &unreadable.port {
        Some(port) => failure.next(format!(
            "`recover --auto --port {port}` rescues the device from the beginning; `recover restore --list` shows its backups"
        )),
        None => failure.next("`recover --auto` rescues the device from the beginning; `recover restore --list` shows the backups"),
    };
    failure
        .next(format!("to forget this rescue, move the journal out of its folder: mv '{place}' ."))
}
