//! Whose a file is, and whose a new one becomes.
//!
//! `sudo recover` works for the person who typed it: what it makes goes into that person's home
//! folder and belongs to that person, so that the next run without `sudo` can use it.

use std::io;
use std::path::{Path, PathBuf};

/// A user and a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// User id.
    pub user: u32,
    /// Group id.
    pub group: u32,
}

/// The administrator's user id.
const ROOT: u32 = 0;

/// The user who ran `sudo`, where this is root at work for another.
pub fn invoker() -> Option<Owner> {
    let number = |name: &str| std::env::var(name).ok()?.parse().ok();
    invoker_of(effective_user()?, number("SUDO_UID"), number("SUDO_GID"))
}

/// The same from values: whoever is not root may have set the variables to anything.
fn invoker_of(effective: u32, user: Option<u32>, group: Option<u32>) -> Option<Owner> {
    let user = user.filter(|user| effective == ROOT && *user != ROOT)?;
    Some(Owner { user, group: group? })
}

/// The home folder of the user who ran `sudo`.
pub fn invokers_home() -> Option<PathBuf> {
    home_of(invoker()?.user)
}

/// Whose a new file in a folder becomes: root makes files for the owner of the folder, and in its
/// own folders (`/tmp`) for whoever ran `sudo`. `None` leaves it to the operating system.
pub fn of_new(effective: u32, folder: Owner, invoker: Option<Owner>) -> Option<Owner> {
    match (effective, folder.user) {
        (ROOT, ROOT) => invoker,
        (ROOT, _) => Some(folder),
        _ => None,
    }
}

/// Whether a file of the home folder may be used: it belongs to whoever runs the program, to root,
/// or to the owner of its folder.
pub fn is_trusted(file: u32, effective: u32, folder: u32) -> bool {
    file == effective || file == ROOT || file == folder
}

#[cfg(unix)]
mod system {
    use std::fs::{self, Metadata};
    use std::os::unix::fs::{MetadataExt, lchown};

    use nix::unistd::{Uid, User};

    use super::{Owner, Path, PathBuf, io};

    #[expect(clippy::unnecessary_wraps, reason = "other systems have no such number")]
    pub(super) fn effective_user() -> Option<u32> {
        Some(Uid::effective().as_raw())
    }

    pub(super) fn home_of(user: u32) -> Option<PathBuf> {
        let user = User::from_uid(Uid::from_raw(user)).ok()??;
        (user.dir.is_absolute() && user.dir.is_dir()).then_some(user.dir)
    }

    fn folder_of(path: &Path) -> io::Result<Owner> {
        let above = path.parent().filter(|above| !above.as_os_str().is_empty());
        let folder = fs::metadata(above.unwrap_or(Path::new(".")))?;
        Ok(Owner { user: folder.uid(), group: folder.gid() })
    }

    /// Gives a file or folder that was just made to its owner. It stays root's where the file
    /// system knows no owners.
    pub fn give(path: &Path) {
        let Some(effective) = effective_user() else { return };
        let Ok(folder) = folder_of(path) else { return };
        let Some(owner) = super::of_new(effective, folder, super::invoker()) else { return };
        if let Err(error) = lchown(path, Some(owner.user), Some(owner.group)) {
            log::debug!("{} stays root's: {error}", path.display());
        }
    }

    /// Refuses a file of the home folder that belongs to somebody else.
    pub(in crate::files) fn check(file: &Metadata, path: &Path) -> io::Result<()> {
        let effective = Uid::effective().as_raw();
        if file.uid() == effective
            || super::is_trusted(file.uid(), effective, folder_of(path)?.user)
        {
            return Ok(());
        }
        let why = format!("it belongs to user {}, not to user {effective}", file.uid());
        Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
    }
}

#[cfg(not(unix))]
mod system {
    use super::{Path, PathBuf, io};

    pub(super) fn effective_user() -> Option<u32> {
        None
    }

    pub(super) fn home_of(_: u32) -> Option<PathBuf> {
        None
    }

    /// Files belong to whoever made them.
    pub fn give(_: &Path) {}

    pub(in crate::files) fn check(_: &std::fs::Metadata, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

pub(super) use system::check;
pub use system::give;
use system::{effective_user, home_of};

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: Owner = Owner { user: 1000, group: 1000 };
    const BERT: Owner = Owner { user: 1001, group: 100 };
    const OF_ROOT: Owner = Owner { user: 0, group: 0 };

    #[test]
    fn only_root_works_for_whom_the_variables_of_sudo_name() {
        assert_eq!(invoker_of(0, Some(1000), Some(1000)), Some(ANNA));
        assert_eq!(invoker_of(1001, Some(1000), Some(1000)), None);
        assert_eq!(invoker_of(0, Some(0), Some(0)), None);
        assert_eq!(invoker_of(0, Some(1000), None), None);
        assert_eq!(invoker_of(0, None, None), None);
    }

    #[test]
    fn what_root_makes_belongs_to_the_folders_owner_or_to_whoever_ran_sudo() {
        assert_eq!(of_new(0, ANNA, Some(BERT)), Some(ANNA));
        assert_eq!(of_new(0, ANNA, None), Some(ANNA));
        assert_eq!(of_new(0, OF_ROOT, Some(BERT)), Some(BERT));
        assert_eq!(of_new(0, OF_ROOT, None), None);
        assert_eq!(of_new(1000, OF_ROOT, Some(BERT)), None);
    }

    #[test]
    fn a_file_of_a_third_user_is_not_trusted() {
        assert!(is_trusted(1000, 1000, 0));
        assert!(is_trusted(0, 1000, 1000));
        assert!(is_trusted(1000, 0, 1000));
        assert!(!is_trusted(1001, 1000, 1000));
        assert!(!is_trusted(1001, 0, 1000));
        assert!(!is_trusted(1001, 0, 0));
    }
}
