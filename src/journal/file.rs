//! A journal on the disk: one JSON object a line, flushed to the disk before the step it speaks
//! of is taken. A journal that is only read keeps no file open.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Begun, Entry, IllegalEntry, Journal, VERSION};
use crate::files::{self, Access};

/// A journal file larger than this is not one of ours.
const MAX_BYTES: u64 = 1 << 20;

/// Why a journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refuses.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        source: std::io::Error,
    },
    /// A line is not an entry.
    #[error("{path}, line {line}: {why}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// An entry that cannot follow what is there.
    #[error(transparent)]
    Illegal(#[from] IllegalEntry),
}

/// A journal and its file.
#[derive(Debug)]
pub struct JournalFile {
    path: PathBuf,
    /// Open from the first entry that is added.
    file: Option<File>,
    journal: Journal,
    /// Length of the whole lines, where a broken one follows them; it goes when something is
    /// appended, for nothing could be read behind it.
    broken_after: Option<u64>,
}

impl JournalFile {
    /// Begins a new journal in `folder`, named after its id. Where that fails, no file is left.
    ///
    /// # Errors
    /// [`JournalError::File`], also when the name is taken.
    pub fn begin(folder: &Path, begun: Begun) -> Result<Self, JournalError> {
        let path = folder.join(format!("{}.jsonl", begun.id));
        let refused = |source| JournalError::File { path: path.clone(), source };
        if !files::is_plain_name(&begun.id) {
            return Err(refused(io::Error::other("this is no name of a journal")));
        }
        let file = files::create_new(&path).map_err(refused)?;
        let first = Entry::Begun(begun.clone());
        let journal = Journal::begin(begun);
        let mut journal = Self { path, file: Some(file), journal, broken_after: None };
        journal.write(&first).inspect_err(|_| journal.discard())?;
        Ok(journal)
    }

    /// Removes a journal of which nothing but its beginning is there: nothing was done yet.
    pub fn discard(&self) {
        if let Err(error) = files::write::remove(&self.path) {
            log::warn!("{}: {error}", self.path.display());
        }
    }

    /// Reads a journal; its file is opened again when it is ended.
    ///
    /// A last line without its end is what a killed run leaves; it is ignored.
    ///
    /// # Errors
    /// [`JournalError`] naming the line that is wrong.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let refused = |source| JournalError::File { path: path.to_owned(), source };
        let text = files::read::read_kept_text(path, MAX_BYTES).map_err(refused)?;
        let whole = text.rfind('\n').map_or("", |end| text.get(..=end).unwrap_or_default());
        let journal = parse(whole, path)?;
        let broken_after = (whole.len() < text.len()).then_some(whole.len() as u64);
        Ok(Self { path: path.to_owned(), file: None, journal, broken_after })
    }

    /// The name of its file without the ending. What the file says of its name is not believed.
    pub fn name(&self) -> String {
        self.path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The journal as a value.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Adds an entry; it is on the disk when this returns.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn append(&mut self, entry: Entry) -> Result<(), JournalError> {
        self.journal.append(entry.clone())?;
        self.write(&entry)
    }

    fn write(&mut self, entry: &Entry) -> Result<(), JournalError> {
        let refused = |source| JournalError::File { path: self.path.clone(), source };
        let mut line =
            serde_json::to_vec(entry).map_err(|error| refused(std::io::Error::other(error)))?;
        line.push(b'\n');
        let mut file = match self.file.take() {
            Some(file) => file,
            None => files::open_kept(&self.path, Access::Append).map_err(refused)?,
        };
        if let Some(length) = self.broken_after.take() {
            file.set_len(length).map_err(refused)?;
        }
        let length = file.metadata().map_err(refused)?.len();
        let written = file.write_all(&line).and_then(|()| file.sync_data());
        self.file = Some(file);
        // Half a line goes before the next one.
        self.broken_after = written.is_err().then_some(length);
        written.map_err(refused)
    }
}

/// Reads whole lines.
fn parse(text: &str, path: &Path) -> Result<Journal, JournalError> {
    let wrong = |line: usize, why: String| JournalError::Line { path: path.to_owned(), line, why };
    let mut journal: Option<Journal> = None;
    for (index, line) in text.lines().enumerate() {
        let entry: Entry =
            serde_json::from_str(line).map_err(|error| wrong(index + 1, error.to_string()))?;
        match (&mut journal, entry) {
            (None, Entry::Begun(begun)) if begun.version == VERSION => {
                journal = Some(Journal::begin(begun));
            }
            (None, Entry::Begun(begun)) => {
                let why = format!("version {} where {VERSION} is known", begun.version);
                return Err(wrong(index + 1, why));
            }
            (None, _) => return Err(wrong(1, "it does not begin with `begun`".to_owned())),
            (Some(journal), entry) => {
                journal.append(entry).map_err(|error| wrong(index + 1, error.to_string()))?;
            }
        }
    }
    journal.ok_or_else(|| wrong(1, "it is empty".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::Ending;
    use super::super::tests::{begun, ended};
    use super::*;

    #[test]
    fn a_journal_cut_in_the_middle_of_a_line_is_read_up_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = JournalFile::begin(folder.path(), begun()).unwrap();
        file.append(Entry::Intent { step: 1, title: "write".into(), persistent: true }).unwrap();
        let path = folder.path().join("2007-05-04T10-02-33-sl11r.jsonl");
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"entry\":\"do");
        std::fs::write(&path, text).unwrap();
        let mut read = JournalFile::open(&path).unwrap();
        assert!(!read.journal().has_ended());
        assert!(read.journal().may_have_written());
        assert_eq!(read.journal().in_flight(), Some("write"));
        read.append(ended(Ending::TakenUp)).unwrap();
        assert!(
            JournalFile::open(&path).unwrap().journal().has_ended(),
            "lost behind the cut line"
        );
    }

    #[test]
    fn a_journal_is_never_named_by_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("journals");
        std::fs::create_dir(&inner).unwrap();
        let out = Begun { id: "../out".into(), ..begun() };
        assert!(JournalFile::begin(&inner, out).is_err());
        assert!(!folder.path().join("out.jsonl").exists());
    }

    #[test]
    fn an_end_tells_of_a_device_left_on_trial_and_need_not() {
        for (end, number) in [
            (r#"{"entry":"ended","result":"failed","on_trial":7}"#, Some(7)),
            (r#"{"entry":"ended","result":"failed"}"#, None),
        ] {
            let begun = serde_json::to_string(&Entry::Begun(begun())).unwrap();
            let read = parse(&format!("{begun}\n{end}\n"), Path::new("x.jsonl")).unwrap();
            assert!(read.has_ended());
            assert_eq!(read.left_on_trial(), number);
        }
    }

    #[test]
    fn a_journal_that_is_something_else_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl");
        for (text, line) in [("", 1), ("hello\n", 1), ("{\"entry\":\"done\",\"step\":1}\n", 1)] {
            std::fs::write(&path, text).unwrap();
            match JournalFile::open(&path) {
                Err(JournalError::Line { line: got, .. }) => assert_eq!(got, line),
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }
}
