//! The drive behind a device as Linux's own driver shows it in sysfs: INQUIRY and capacity, read
//! without a transfer and without opening anything.

use std::fs;
use std::path::{Path, PathBuf};

use super::in_use::nodes::attribute;
use crate::usb::bot::command::printable;
use crate::usb::{KernelDrive, KnownDrive};

/// A disk's size in sysfs is in units of 512 bytes, whatever its sectors are.
const SIZE_UNIT: u64 = 512;

/// What the driver with that name has learnt; `interface` is its folder in sysfs.
pub(super) fn drive(interface: &Path, driver: String) -> KernelDrive {
    // host6/target6:0:0/6:0:0:0
    let hosts = folders(interface, |name| name.starts_with("host"));
    let targets = hosts.iter().flat_map(|host| folders(host, |name| name.starts_with("target")));
    let units = targets.flat_map(|target| folders(&target, |name| name.contains(':')));
    match units.filter_map(|unit| known(&unit)).next() {
        Some(drive) => KernelDrive::Known(drive),
        None => KernelDrive::DriveExpected { driver },
    }
}

fn known(unit: &Path) -> Option<KnownDrive> {
    let parts = ["vendor", "model", "rev"].map(|name| attribute(unit, name));
    let [Some(vendor), Some(model), Some(revision)] = parts else { return None };
    let kind = attribute(unit, "type")?.parse().ok()?;
    let name = printable(format!("{vendor} {model} {revision}").as_bytes());
    let drive = KnownDrive { name, kind, capacity_bytes: None };
    // A CD drive's size is a guess until somebody opens it.
    let capacity_bytes = if drive.is_disk() { capacity(unit) } else { None };
    Some(KnownDrive { capacity_bytes, ..drive })
}

fn capacity(unit: &Path) -> Option<u64> {
    let disks = folders(&unit.join("block"), |_| true);
    let size: u64 = attribute(disks.first()?, "size")?.parse().ok()?;
    size.checked_mul(SIZE_UNIT)
}

/// The folders in a folder whose names fit, sorted; links are none.
fn folders(folder: &Path, fits: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter(|entry| entry.file_name().to_str().is_some_and(&fits))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: &str = "host6/target6:0:0/6:0:0:0";

    fn put(root: &tempfile::TempDir, path: &str, text: &str) {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn asked(root: &tempfile::TempDir) -> KernelDrive {
        drive(root.path(), "usb-storage".to_owned())
    }

    #[test]
    fn a_disk_is_complete_when_its_driver_knows_its_size() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(asked(&root), KernelDrive::DriveExpected { driver: "usb-storage".to_owned() });
        for (name, text) in
            [("vendor", "WDC WD25\n"), ("model", "00JB-00GVC0     \n"), ("rev", "08.0\n")]
        {
            put(&root, &format!("{UNIT}/{name}"), text);
        }
        put(&root, &format!("{UNIT}/type"), "0\n");
        let name = "WDC WD25 00JB-00GVC0 08.0".to_owned();
        let mut expected = KnownDrive { name, kind: 0, capacity_bytes: None };
        assert_eq!(asked(&root), KernelDrive::Known(expected.clone()));
        assert!(!expected.is_complete());
        put(&root, &format!("{UNIT}/block/sdb/size"), "488397168\n");
        expected.capacity_bytes = Some(488_397_168 * 512);
        assert_eq!(asked(&root), KernelDrive::Known(expected.clone()));
        assert!(expected.is_complete());
    }

    #[test]
    fn a_cd_drive_has_no_size_that_could_be_believed() {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("vendor", "SONY\n"),
            ("model", "CD-RW  CRX100E\n"),
            ("rev", "1.0n\n"),
            ("type", "5\n"),
        ] {
            put(&root, &format!("{UNIT}/{name}"), text);
        }
        put(&root, &format!("{UNIT}/block/sr0/size"), "2097151\n");
        let KernelDrive::Known(drive) = asked(&root) else { panic!("it is known") };
        assert_eq!(
            drive,
            KnownDrive {
                name: "SONY CD-RW CRX100E 1.0n".to_owned(),
                kind: 5,
                capacity_bytes: None
            }
        );
        assert!(drive.is_complete());
    }
}
