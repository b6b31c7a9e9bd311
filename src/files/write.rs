//! Files that are made: for their owner only, whole or not at all, on the disk.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::owner;

/// Makes a folder and those above it, where they are missing, for their owner only.
///
/// # Errors
/// The operating system's.
pub fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let made = match build_folder(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && above(path) != path => {
            make_folder(above(path))?;
            build_folder(path)
        }
        made => made,
    };
    match made {
        Ok(()) => {
            owner::give(path);
            sync_folder(above(path))
        }
        // Another thread or process was faster.
        Err(_) if path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

fn build_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The folder that a file or folder is in.
fn above(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// Makes an empty file of the home folder, for adding to it.
///
/// # Errors
/// The operating system's; [`ErrorKind::AlreadyExists`] for whatever has that name.
pub fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    owner::give(path);
    sync_folder(above(path))?;
    Ok(file)
}

/// Makes a file that a person named, empty, in place of what it held. Its permissions are those
/// that every new file gets.
///
/// # Errors
/// The operating system's.
pub fn create_output(path: &Path) -> io::Result<File> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(file) => {
            owner::give(path);
            Ok(file)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => File::create(path),
        Err(error) => Err(error),
    }
}

/// Puts bytes into a file that a person named, in place of what it held.
///
/// # Errors
/// The operating system's.
pub fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create_output(path)?.write_all(bytes)
}

/// Puts bytes into a file that a person named and that was not there.
///
/// # Errors
/// The operating system's; [`ErrorKind::AlreadyExists`] for whatever has that name.
pub fn create_output_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    owner::give(path);
    file.write_all(bytes)?;
    file.sync_all()?;
    sync_folder(above(path))
}

/// Makes a file that is there whole or not at all, and never over another.
///
/// # Errors
/// The operating system's; [`ErrorKind::AlreadyExists`] for whatever has that name.
pub fn put_new(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    // Closed before it has its name: closing a file drops every lock that this process has on it,
    // and with its name another thread may have locked it.
    let draft = whole(folder, bytes)?.into_temp_path();
    draft.persist_noclobber(folder.join(name)).map_err(|error| error.error)?;
    owner::give(&folder.join(name));
    sync_folder(folder)
}

/// Replaces a file as a whole: a killed program leaves the old one or the new one.
///
/// # Errors
/// The operating system's.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = whole(above(path), bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    owner::give(path);
    sync_folder(above(path))
}

/// A file without its name, on the disk. [`tempfile`] makes it for its owner only.
fn whole(folder: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Waits until the names in a folder are on the disk: a file that is, and has no name, is lost.
///
/// # Errors
/// The operating system's, but not where folders cannot be flushed.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(path).and_then(|folder| folder.sync_all()) {
        // Some network and FUSE file systems know no such thing; a folder may be for writing only.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::PermissionDenied
            ) =>
        {
            log::debug!("{}: {error}", path.display());
            Ok(())
        }
        result => result,
    }
}

/// Removes a file of the home folder, which may be gone already.
///
/// # Errors
/// The operating system's.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
