//! Whether somebody uses what lies behind a device: asked before any kernel driver is detached.
//!
//! On systems without sysfs nothing is known, and nothing is found. What cannot be read is logged.
//! `nodes` finds the block, character and network devices below a USB device, `uses` tells who
//! uses them; both are functions over a root folder.

mod nodes;
mod uses;

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use self::nodes::Kind;
use crate::usb::{BusError, PortPath};

/// Disks of the device, held exclusively: nobody can mount them until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    _disks: Vec<File>,
}

/// Refuses a device that is in use. Keep what is returned until its drivers are detached.
///
/// # Errors
/// [`BusError::InUse`] with every use that was found.
pub(super) fn hold_unused(port: &PortPath) -> Result<Held, BusError> {
    hold_below(Path::new("/"), port)
}

fn hold_below(root: &Path, port: &PortPath) -> Result<Held, BusError> {
    let nodes = nodes::below(root, &port.to_string());
    let mut found = uses::of(root, &nodes);
    let mut disks = Vec::new();
    // A whole disk cannot be held while one of its partitions is.
    for disk in nodes.iter().filter(|node| node.kind == Kind::Disk) {
        match exclusively(&root.join("dev").join(&disk.name)) {
            Ok(file) => disks.push(file),
            Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                if !found.iter().any(|one| one.what.contains(&disk.path())) {
                    found.extend(uses::holding(root, &nodes, disk));
                }
            }
            Err(error) => log::warn!(
                "{port}: whether another program holds {} is not known: {error}",
                disk.path()
            ),
        }
    }
    if found.is_empty() {
        return Ok(Held { _disks: disks });
    }
    Err(BusError::InUse { port: port.clone(), uses: found })
}

/// Opens a block device for nobody else. O_NONBLOCK leaves trays and missing media alone.
#[cfg(unix)]
fn exclusively(path: &PathBuf) -> std::io::Result<File> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = OFlags::EXCL | OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

#[cfg(not(unix))]
fn exclusively(path: &PathBuf) -> std::io::Result<File> {
    File::open(path)
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
