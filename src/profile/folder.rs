//! A profile's folder: part of this program, or on the user's disk. Everything is read through
//! here, bounded, and only from plain files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use include_dir::Dir;

use super::{Problem, ProblemKind};
use crate::files;

/// The file that makes a folder a profile.
pub(super) const PROFILE: &str = "profile.toml";
/// Most bytes of a profile.toml.
pub(super) const MAX_PROFILE_BYTES: u64 = 256 << 10;
/// Most bytes of an image or source: the largest flash of any bridge chip, twice.
pub(super) const MAX_IMAGE_BYTES: u64 = 32 << 20;
/// How deep below the user's folder profiles are looked for: `<family>/<maker>-<model>`, and one
/// folder to sort them by.
const MAX_DEPTH: usize = 3;
/// Most folders looked into.
const MAX_FOLDERS: usize = 2000;

/// Where a profile is.
#[derive(Clone, Debug)]
pub(super) enum Folder {
    /// In this program.
    Embedded(&'static Dir<'static>),
    /// On disk.
    Disk(PathBuf),
}

impl Folder {
    /// Its own name, without the way to it.
    pub(super) fn name(&self) -> String {
        let path = match self {
            Self::Embedded(folder) => folder.path().to_owned(),
            // Resolved, so that `.` has a name as well.
            Self::Disk(path) => fs::canonicalize(path).unwrap_or_else(|_| path.clone()),
        };
        path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The folder, for problems.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Embedded(folder) => format!("recovery-images/{}", folder.path().display()),
            Self::Disk(path) => path.display().to_string(),
        }
    }

    /// A file of it, for problems.
    pub(super) fn place_of(&self, file: &str) -> String {
        format!("{}/{file}", self.place())
    }

    /// The bytes of one of its files; `None` when there is no such file.
    pub(super) fn read(&self, file: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, Problem> {
        let problem = |kind| Problem { place: self.place_of(file), line: None, kind };
        match self {
            Self::Embedded(folder) => {
                Ok(folder.get_file(folder.path().join(file)).map(|file| file.contents().to_vec()))
            }
            Self::Disk(path) => match files::read(&path.join(file), max_bytes) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                    Err(problem(ProblemKind::TooBig { max_bytes }))
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(problem(ProblemKind::Unreadable { why: error.to_string() })),
            },
        }
    }
}

/// Every embedded folder with a profile.toml, in the order of their names.
pub(super) fn embedded(folder: &'static Dir<'static>) -> Vec<Folder> {
    let mut found = Vec::new();
    if folder.get_file(folder.path().join(PROFILE)).is_some() {
        found.push(Folder::Embedded(folder));
    }
    found.extend(folder.dirs().flat_map(embedded));
    found
}

/// Every folder with a profile.toml at or below `root`, in the order of their names. A root that
/// does not exist has none; what cannot be looked into becomes a problem.
pub(super) fn on_disk(root: &Path, problems: &mut Vec<Problem>) -> Vec<Folder> {
    let mut found = Vec::new();
    let mut waiting = vec![(root.to_owned(), 0)];
    let mut looked_into = 0;
    while let Some((path, depth)) = waiting.pop() {
        looked_into += 1;
        if looked_into > MAX_FOLDERS {
            problems.push(Problem {
                place: root.display().to_string(),
                line: None,
                kind: ProblemKind::TooManyFolders { maximum: MAX_FOLDERS },
            });
            break;
        }
        if path.join(PROFILE).symlink_metadata().is_ok() {
            found.push(Folder::Disk(path.clone()));
        }
        if depth == MAX_DEPTH {
            continue;
        }
        match folders_in(&path) {
            Ok(below) => waiting.extend(below.into_iter().rev().map(|below| (below, depth + 1))),
            Err(error) if depth == 0 && error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => problems.push(Problem {
                place: path.display().to_string(),
                line: None,
                kind: ProblemKind::Unreadable { why: error.to_string() },
            }),
        }
    }
    found
}

fn folders_in(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(path)?.take(MAX_FOLDERS) {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}
