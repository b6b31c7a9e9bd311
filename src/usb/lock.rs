//! One program at a time on one port: an advisory lock on a file named after the port, which
//! holds who has it and since when.
//!
//! The lock dies with its process, however that ends; the file stays and is empty or stale
//! then, which means nothing. It keeps apart runs of this program that use the same folder, not
//! other programs (the operating system does that when an interface is claimed).

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::PortPath;
use crate::files::{self, Access};

/// Most bytes of a lock file. A longer one is somebody's file and stays as it is.
const MAX_BYTES: u64 = 256;

/// The right to work on a port, given back when dropped.
#[derive(Debug)]
pub struct PortLock {
    file: File,
    port: PortPath,
}

impl PortLock {
    /// Takes the lock of `port` in `folder`, which is made if it is missing. Does not wait.
    /// `since` is the date now, for whoever comes second.
    ///
    /// # Errors
    /// [`LockError::Held`] when another run has it, [`LockError::Unusable`] when the file cannot
    /// be made or locked.
    pub fn take(folder: &Path, port: &PortPath, since: Timestamp) -> Result<Self, LockError> {
        let path = folder.join(format!("port-{port}.lock"));
        let unusable = |error: std::io::Error| LockError::Unusable {
            port: port.clone(),
            path: path.clone(),
            why: error.to_string(),
        };
        let mut file = open(folder, &path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held { port: port.clone(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let note = format!("{}\n{since}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(note.as_bytes()))
            .map_err(unusable)?;
        Ok(Self { file, port: port.clone() })
    }

    /// The port it is for.
    pub fn port(&self) -> &PortPath {
        &self.port
    }
}

/// Opens a lock file, made if it is missing. It is not truncated: until the lock is ours the text
/// belongs to its holder, and a file that holds anything else than such a text is not a lock.
fn open(folder: &Path, path: &Path) -> io::Result<File> {
    files::make_folder(folder)?;
    if !fs::symlink_metadata(folder)?.is_dir() {
        return Err(io::Error::other("its folder is a symbolic link"));
    }
    match files::create_new(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let file = files::open_kept(path, Access::Write)?;
    let metadata = file.metadata()?;
    if metadata.len() > MAX_BYTES {
        return Err(io::Error::other(format!("it is longer than the {MAX_BYTES} bytes of a lock")));
    }
    only_name(&metadata)?;
    Ok(file)
}

/// Refuses a file that has another name as well: it is somebody's.
#[cfg(unix)]
fn only_name(metadata: &fs::Metadata) -> io::Result<()> {
    match std::os::unix::fs::MetadataExt::nlink(metadata) {
        0 | 1 => Ok(()),
        names => Err(io::Error::other(format!("the file has {names} names"))),
    }
}

#[cfg(not(unix))]
fn only_name(_: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

impl Drop for PortLock {
    fn drop(&mut self) {
        // Emptied, not removed: a removed file may already be open in a third process, which
        // would then hold a lock that nobody else can see.
        let given_back = self.file.set_len(0).and_then(|()| self.file.unlock());
        if let Err(error) = given_back {
            log::debug!("{}: the port's lock ends with this process: {error}", self.port);
        }
    }
}

/// Who has a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Process id.
    pub process: u32,
    /// Since when, as written by the holder.
    pub since: String,
    /// The process's name, where the operating system tells.
    pub command: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.process)?;
        if let Some(command) = &self.command {
            write!(f, " ({command})")?;
        }
        write!(f, " since {}", self.since)
    }
}

/// Why a port's lock was not given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Another run of this program works on the port.
    #[error("port {port} is in use by {}", named(.holder))]
    Held {
        /// The port.
        port: PortPath,
        /// Who has it; `None` while that one has not yet written its name, and on systems where
        /// a locked file cannot be read.
        holder: Option<Holder>,
    },
    /// The lock file could not be used.
    #[error("port {port} cannot be locked: {}: {why}", .path.display())]
    Unusable {
        /// The port.
        port: PortPath,
        /// The lock file.
        path: PathBuf,
        /// What the operating system says.
        why: String,
    },
}

fn named(holder: &Option<Holder>) -> String {
    holder.as_ref().map_or_else(|| "another recover process".to_owned(), ToString::to_string)
}

/// Reads who has the lock. The text was written by another process and is believed in nothing
/// but its form: a number, and a date.
fn holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    let mut lines = text.lines();
    let process = lines.next()?.parse().ok()?;
    let since: Timestamp = lines.next()?.parse().ok()?;
    Some(Holder { process, since: since.to_string(), command: command(process) })
}

/// The name of a process, from Linux's /proc; `None` elsewhere. A process may name itself
/// anything, so only printable characters are kept.
fn command(process: u32) -> Option<String> {
    let file = File::open(format!("/proc/{process}/comm")).ok()?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let name: String = text.chars().filter(|c| !c.is_control()).collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set for the second process of a test: the folder of the lock.
    const FOLDER: &str = "RECOVER_TEST_LOCK_FOLDER";

    fn port() -> PortPath {
        PortPath::new(3, vec![2, 1])
    }

    fn since() -> Timestamp {
        "2026-11-22T10:02:00Z".parse().unwrap()
    }

    #[test]
    fn a_second_process_is_told_who_has_the_port() {
        if let Some(folder) = std::env::var_os(FOLDER) {
            let refused = PortLock::take(Path::new(&folder), &port(), since()).unwrap_err();
            std::fs::write(Path::new(&folder).join("refusal"), refused.to_string()).unwrap();
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let lock = PortLock::take(folder.path(), &port(), since()).unwrap();
        let name = "usb::lock::tests::a_second_process_is_told_who_has_the_port";
        let second = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(FOLDER, folder.path())
            .output()
            .unwrap();
        assert!(second.status.success(), "{second:?}");
        let refusal = std::fs::read_to_string(folder.path().join("refusal")).unwrap();
        let us = format!("port 3-2.1 is in use by process {}", std::process::id());
        assert!(refusal.starts_with(&us), "{refusal}");
        assert!(refusal.ends_with("since 2026-11-22T10:02:00Z"), "{refusal}");
        drop(lock);
    }

    #[test]
    fn a_lock_that_was_given_back_can_be_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let first = PortLock::take(folder.path(), &port(), since()).unwrap();
        assert_eq!(first.port(), &port());
        drop(first);
        PortLock::take(folder.path(), &port(), since()).unwrap();
    }

    #[test]
    fn another_port_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let _first = PortLock::take(folder.path(), &port(), since()).unwrap();
        PortLock::take(folder.path(), &PortPath::new(3, vec![2]), since()).unwrap();
    }

    #[test]
    fn a_stale_or_forged_note_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("port-3-2.1.lock");
        fs::write(&path, "1\nforged \u{1b}[31m\n".repeat(10)).unwrap();
        let _lock = PortLock::take(folder.path(), &port(), since()).unwrap();
        let note = fs::read_to_string(&path).unwrap();
        assert_eq!(note, format!("{}\n2026-11-22T10:02:00Z\n", std::process::id()));
    }

    #[test]
    fn a_holder_whose_note_is_unreadable_is_still_a_holder() {
        let folder = tempfile::tempdir().unwrap();
        let _lock = PortLock::take(folder.path(), &port(), since()).unwrap();
        fs::write(folder.path().join("port-3-2.1.lock"), "not a number\n").unwrap();
        let refused = PortLock::take(folder.path(), &port(), since()).unwrap_err();
        assert_eq!(refused.to_string(), "port 3-2.1 is in use by another recover process");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = PortLock::take(&file, &port(), since()).unwrap_err();
        assert!(matches!(error, LockError::Unusable { .. }), "{error:?}");
    }

    fn refusal(folder: &Path) -> String {
        PortLock::take(folder, &port(), since()).unwrap_err().to_string()
    }

    #[test]
    #[cfg(unix)]
    fn a_link_in_the_place_of_a_lock_is_not_followed_and_its_file_keeps_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let (theirs, lock) = (folder.path().join("theirs"), folder.path().join("port-3-2.1.lock"));
        fs::write(&theirs, "text").unwrap();
        std::os::unix::fs::symlink(&theirs, &lock).unwrap();
        assert!(refusal(folder.path()).ends_with("it is a symbolic link, not a regular file"));
        fs::remove_file(&lock).unwrap();
        fs::hard_link(&theirs, &lock).unwrap();
        assert!(refusal(folder.path()).ends_with("the file has 2 names"));
        fs::remove_file(&lock).unwrap();
        let elsewhere = folder.path().join("elsewhere");
        std::os::unix::fs::symlink(folder.path(), &elsewhere).unwrap();
        assert!(refusal(&elsewhere).ends_with("its folder is a symbolic link"));
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "text");
    }

    #[test]
    fn a_file_too_long_for_a_lock_is_not_truncated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("port-3-2.1.lock");
        let text = "a".repeat(257);
        fs::write(&path, &text).unwrap();
        assert!(refusal(folder.path()).contains("longer than the 256 bytes of a lock"));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}
