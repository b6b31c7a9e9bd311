//! Files of this computer, opened so that none of them can do harm.
//!
//! A file that a person names is read only if it is a regular file of a sensible size
//! ([`read()`], [`read_text`]). A file of the home folder is opened without following a symbolic
//! link, and only if it belongs to whoever runs the program or owns the folder ([`read_kept`],
//! [`open_kept`]). What is made in the home folder is for its owner only (0600, folders 0700),
//! is there whole or not at all, and is on the disk when the function returns ([`put_new`],
//! [`replace`], [`make_folder`]). Under `sudo` it belongs to the person who ran `sudo`.
//!
//! It knows no format and no name of a file. Read [`mod@read`], [`mod@write`], [`owner`].

pub mod owner;
pub mod read;
pub mod write;

pub use read::{Access, check_kept, open_kept, read, read_kept, read_text};
pub use write::{
    create_new, create_output, create_output_new, make_folder, overwrite, put_new, replace,
    sync_folder,
};

/// Most characters of a name that a file may be called by.
const MAX_NAME: usize = 128;

/// Whether a text from a file or a device can be the name of a file in a folder: letters, digits,
/// dots, dashes and underscores, and no dot first. Anything else could lead out of the folder.
pub fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && name.len() <= MAX_NAME && !name.starts_with('.') && name.chars().all(plain)
}

#[cfg(test)]
mod tests;
