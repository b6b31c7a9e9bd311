//! The devices that the kernel made of a USB device: its disks and partitions, serial devices,
//! network interfaces. Children of a hub count, because they leave with it.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Most folders that are looked into; a disk with 15 partitions has about 100.
const MAX_FOLDERS: usize = 20_000;
/// Most bytes of one attribute.
const MAX_ATTRIBUTE: u64 = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Disk,
    Partition,
    Character,
    Network,
}

/// One device of the kernel's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub kind: Kind,
    /// Its name below /dev, or that of the network interface.
    pub name: String,
    /// `8:17`; empty for a network interface.
    pub number: String,
    /// Its folder in sysfs.
    pub folder: PathBuf,
}

impl Node {
    pub(super) fn path(&self) -> String {
        format!("/dev/{}", self.name)
    }
}

/// Every device below the USB device with that name.
pub(super) fn below(root: &Path, name: &str) -> Vec<Node> {
    let top = root.join("sys/bus/usb/devices").join(name);
    let mut found = Vec::new();
    let mut folders = vec![top];
    let mut looked = 0;
    while let Some(folder) = folders.pop() {
        looked += 1;
        if looked > MAX_FOLDERS {
            log::warn!("{name}: more than {MAX_FOLDERS} folders in sysfs; the rest is not checked");
            break;
        }
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                log::debug!("{}: {error}", folder.display());
                continue;
            }
        };
        // Links lead out of the device.
        let inner =
            entries.filter_map(Result::ok).filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
        for entry in inner {
            found.extend(node(entry.path()));
            folders.push(entry.path());
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

fn node(folder: PathBuf) -> Option<Node> {
    let last = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
    let (name, parent) = (last(&folder)?, last(folder.parent()?)?);
    if parent == "net" {
        return Some(Node { kind: Kind::Network, name, number: String::new(), folder });
    }
    let number = attribute(&folder, "dev")?;
    let kind = if folder.join("partition").exists() {
        Kind::Partition
    } else if parent == "block" {
        Kind::Disk
    } else {
        Kind::Character
    };
    let uevent = attribute(&folder, "uevent").unwrap_or_default();
    let name = uevent.lines().find_map(|line| line.strip_prefix("DEVNAME=")).unwrap_or(&name);
    // The USB device itself is opened by whoever lists devices.
    let is_usb = name.starts_with("bus/usb/");
    (!is_usb).then(|| Node { kind, name: name.to_owned(), number, folder })
}

/// A file's text without the blanks at its ends.
pub(in crate::usb::host) fn attribute(folder: &Path, name: &str) -> Option<String> {
    let mut bytes = Vec::new();
    fs::File::open(folder.join(name)).ok()?.take(MAX_ATTRIBUTE).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim().to_owned())
}
