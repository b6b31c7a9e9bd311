//! Whether somebody uses what lies behind a device: asked before any kernel driver is detached.
//!
//! On systems without sysfs nothing is known, and nothing is found. What cannot be read is logged.
//! `nodes` finds the block, character and network devices below a USB device, `uses` tells who
//! uses them; both are functions over a root folder.

pub(super) mod nodes;
mod uses;

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::nodes::Kind;
use crate::clock::{Clock, Deadline};
use crate::usb::{BusError, PortPath, Use};

/// How long a program may hold a disk open before it counts as using it. udev and desktops look
/// into every disk that has just come.
const LOOK_TIME: Duration = Duration::from_secs(2);
/// How often it is looked whether they are done.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Disks of the device, held exclusively: nobody can mount them until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    _disks: Vec<File>,
}

/// Refuses a device that is in use. Keep what is returned until its drivers are detached.
///
/// # Errors
/// [`BusError::InUse`] with every use that was found.
pub(super) fn hold_unused(port: &PortPath, clock: &dyn Clock) -> Result<Held, BusError> {
    let end = Deadline::after(clock, LOOK_TIME);
    loop {
        match hold_below(Path::new("/"), port) {
            Ok(held) => return Ok(held),
            Err(Found { may_pass: true, .. }) if !end.passed(clock) => clock.sleep(LOOK_INTERVAL),
            Err(Found { uses, .. }) => {
                return Err(BusError::InUse { port: port.clone(), uses });
            }
        }
    }
}

/// What uses a device.
#[derive(Debug)]
struct Found {
    uses: Vec<Use>,
    /// Whether it is nothing but programs that have something open.
    may_pass: bool,
}

fn hold_below(root: &Path, port: &PortPath) -> Result<Held, Found> {
    let nodes = nodes::below(root, &port.to_string());
    let lasting = uses::of(root, &nodes);
    let may_pass = lasting.is_empty();
    let mut found = lasting;
    found.extend(uses::open_files(root, &nodes));
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
            // Then mounts, swap and holders decide alone: they can be read by everybody.
            Err(error) => log::warn!(
                "port {port}: {} cannot be opened ({error}), so recover cannot see whether another program uses it; it is not mounted, not swap and in no volume",
                disk.path()
            ),
        }
    }
    if found.is_empty() {
        return Ok(Held { _disks: disks });
    }
    Err(Found { uses: found, may_pass })
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
