//! Files that are read: looked at first, opened without waiting, looked at again, then read up to
//! a limit.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::owner;

/// What an open file of the home folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading only.
    Read,
    /// Reading, and writing at any place.
    Write,
    /// Reading, and adding at its end.
    Append,
}

/// The bytes of a file that a person named. A symbolic link is followed.
///
/// # Errors
/// The operating system's; [`ErrorKind::FileTooLarge`] above `max_bytes`; for a pipe, a socket, a
/// device or a folder one that says so. Nothing was read then.
pub fn read(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    check_regular(&fs::metadata(path)?)?;
    let file = without_waiting(OpenOptions::new().read(true), true).open(path)?;
    bounded(&file, max_bytes)
}

/// The same as text.
///
/// # Errors
/// As [`read()`]; [`ErrorKind::InvalidData`] for bytes that are not UTF-8.
pub fn read_text(path: &Path, max_bytes: u64) -> io::Result<String> {
    text(read(path, max_bytes)?)
}

/// The bytes of a file of the home folder.
///
/// # Errors
/// As [`read()`] and [`open_kept`].
pub fn read_kept(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    bounded(&open_kept(path, Access::Read)?, max_bytes)
}

/// The same as text.
///
/// # Errors
/// As [`read_kept`] and [`read_text`].
pub fn read_kept_text(path: &Path, max_bytes: u64) -> io::Result<String> {
    text(read_kept(path, max_bytes)?)
}

/// Opens a file of the home folder that is there: no symbolic link, a regular file, of an owner
/// who is trusted ([`owner::is_trusted`]). Truncates nothing.
///
/// # Errors
/// The operating system's, and one that says what else it is.
pub fn open_kept(path: &Path, access: Access) -> io::Result<File> {
    check_regular(&fs::symlink_metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    match access {
        Access::Read => {}
        Access::Write => _ = options.write(true),
        Access::Append => _ = options.append(true),
    }
    let file = without_waiting(&mut options, false).open(path)?;
    // Another file may lie there by now; this one is the one that is used.
    let metadata = file.metadata()?;
    check_regular(&metadata)?;
    owner::check(&metadata, path)?;
    Ok(file)
}

/// Whether [`open_kept`] would open this file now, without opening it: closing a file drops every
/// lock that this process has on it, those of SQLite too.
///
/// # Errors
/// As [`open_kept`].
pub fn check_kept(path: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    check_regular(&metadata)?;
    owner::check(&metadata, path)
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not text"))
}

/// All of an open file, whose size is looked at before it is read.
fn bounded(file: &File, max_bytes: u64) -> io::Result<Vec<u8>> {
    let metadata = file.metadata()?;
    check_regular(&metadata)?;
    let too_large = || {
        let why = format!("it is longer than {max_bytes} bytes");
        io::Error::new(ErrorKind::FileTooLarge, why)
    };
    if metadata.len() > max_bytes {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    // It may have grown.
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= max_bytes => Ok(bytes),
        _ => Err(too_large()),
    }
}

/// Refuses what is no regular file, with the word for what it is.
pub(super) fn check_regular(metadata: &Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    let is = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a folder"
    } else if kind.is_symlink() {
        "a symbolic link"
    } else {
        special(kind)
    };
    Err(io::Error::other(format!("it is {is}, not a regular file")))
}

#[cfg(unix)]
fn special(kind: fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn special(_: fs::FileType) -> &'static str {
    "a device"
}

/// The options for a file that must not make the program wait, become its terminal, or, unless
/// `follow`, be a symbolic link.
#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions, follow: bool) -> &mut OpenOptions {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    flags.set(OFlags::NOFOLLOW, !follow);
    options.custom_flags(flags.bits().cast_signed())
}

#[cfg(not(unix))]
fn without_waiting(options: &mut OpenOptions, _: bool) -> &mut OpenOptions {
    options
}
