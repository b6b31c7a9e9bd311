use std::fs;
use std::os::unix::fs::symlink;

use super::*;

const DISK: &str = "sys/bus/usb/devices/3-2/3-2:1.0/host6/target6:0:0/6:0:0:0/block/sdb";

/// A computer with a disk of one partition at port 3-2, used by nobody.
fn computer() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    put(&root, &format!("{DISK}/dev"), "8:16\n");
    put(&root, &format!("{DISK}/sdb1/dev"), "8:17\n");
    put(&root, &format!("{DISK}/sdb1/partition"), "1\n");
    put(&root, "proc/swaps", "Filename Type Size Used Priority\n");
    put(&root, "proc/1/mountinfo", "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n");
    put(&root, "dev/sdb", "");
    root
}

fn put(root: &tempfile::TempDir, path: &str, text: &str) {
    let path = root.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What is in use, and the commands that end it.
fn uses(root: &tempfile::TempDir) -> Vec<(String, String)> {
    match hold_below(root.path(), &PortPath::new(3, vec![2])) {
        Ok(_) => Vec::new(),
        Err(found) => found.uses.into_iter().map(|one| (one.what, one.end)).collect(),
    }
}

fn one(what: &str, end: &str) -> Vec<(String, String)> {
    vec![(what.to_owned(), format!("`{end}`"))]
}

#[test]
fn a_disk_that_nobody_uses_may_be_taken() {
    assert_eq!(uses(&computer()), []);
}

#[test]
fn a_partition_mounted_in_any_namespace_is_in_use() {
    let root = computer();
    put(&root, "proc/77/mountinfo", "9 1 8:17 / /mnt/my\\040disk rw - ext4 /dev/x rw\n");
    assert_eq!(uses(&root), one("/dev/sdb1 is mounted at /mnt/my disk", "umount '/mnt/my disk'"));
}

#[test]
fn a_mount_under_a_number_of_its_own_is_found_by_its_source() {
    let root = computer();
    put(&root, "proc/1/mountinfo", "9 1 0:44 / /mnt/b rw - btrfs /dev/sdb1 rw\n");
    assert_eq!(uses(&root), one("/dev/sdb1 is mounted at /mnt/b", "umount /mnt/b"));
}

#[test]
fn swap_is_in_use() {
    let root = computer();
    put(&root, "proc/swaps", "Filename Type\n/dev/sdb1 partition 1 0 -2\n");
    assert_eq!(uses(&root), one("/dev/sdb1 is swap", "swapoff /dev/sdb1"));
}

#[test]
fn what_lies_on_a_holder_is_ended_before_the_holder() {
    let root = computer();
    fs::create_dir_all(root.path().join(format!("{DISK}/sdb1/holders/dm-0"))).unwrap();
    put(&root, "sys/block/dm-0/dev", "253:0\n");
    put(&root, "sys/block/dm-0/dm/name", "safe\n");
    put(&root, "sys/block/dm-0/dm/uuid", "CRYPT-LUKS2-1\n");
    put(&root, "proc/1/mountinfo", "9 1 253:0 / /mnt/s rw - ext4 /dev/mapper/safe rw\n");
    let ends: Vec<String> = uses(&root).into_iter().map(|(_, end)| end).collect();
    assert_eq!(ends, ["`umount /mnt/s`", "`cryptsetup close safe`"]);
}

#[test]
fn a_loop_on_the_disk_is_in_use() {
    let root = computer();
    put(&root, "sys/block/loop3/loop/backing_file", "/dev/sdb\n");
    assert_eq!(uses(&root), one("/dev/sdb is part of /dev/loop3", "losetup -d /dev/loop3"));
}

#[test]
fn an_open_serial_device_is_in_use() {
    let root = computer();
    put(&root, "sys/bus/usb/devices/3-2/3-2:1.1/tty/ttyACM0/dev", "166:0\n");
    fs::create_dir_all(root.path().join("proc/5/fd")).unwrap();
    assert_eq!(uses(&root), []);
    symlink("/dev/ttyACM0", root.path().join("proc/5/fd/3")).unwrap();
    put(&root, "proc/5/comm", "minicom\n");
    assert_eq!(
        uses(&root),
        [(
            "/dev/ttyACM0 is open in process 5 (minicom)".to_owned(),
            "close the program 5 (minicom)".to_owned()
        )]
    );
}

#[test]
fn a_disk_that_a_program_has_open_is_in_use_and_may_pass() {
    let root = computer();
    fs::create_dir_all(root.path().join("proc/5/fd")).unwrap();
    put(&root, "proc/5/comm", "ddrescue\n");
    symlink("/dev/sdb", root.path().join("proc/5/fd/3")).unwrap();
    let found = hold_below(root.path(), &PortPath::new(3, vec![2])).unwrap_err();
    assert_eq!(found.uses.first().unwrap().what, "/dev/sdb is open in process 5 (ddrescue)");
    assert!(found.may_pass, "udev opens every new disk for a moment");
    put(&root, "proc/swaps", "Filename Type\n/dev/sdb1 partition 1 0 -2\n");
    assert!(!hold_below(root.path(), &PortPath::new(3, vec![2])).unwrap_err().may_pass);
}

#[test]
fn an_input_device_is_open_on_every_desktop_and_does_not_count() {
    let root = computer();
    let event = "sys/bus/usb/devices/3-2/3-2:1.1/0003:04B4:6830.0001/input/input9/event7";
    put(&root, &format!("{event}/dev"), "13:71\n");
    put(&root, &format!("{event}/uevent"), "MAJOR=13\nDEVNAME=input/event7\n");
    fs::create_dir_all(root.path().join("proc/5/fd")).unwrap();
    symlink("/dev/input/event7", root.path().join("proc/5/fd/3")).unwrap();
    assert_eq!(uses(&root), []);
}

#[test]
fn a_network_interface_that_is_up_is_in_use() {
    let root = computer();
    let flags = "sys/bus/usb/devices/3-2/3-2:1.2/net/eth1/flags";
    put(&root, flags, "0x1002\n");
    assert_eq!(uses(&root), []);
    put(&root, flags, "0x1003\n");
    assert_eq!(uses(&root), one("network interface eth1 is up", "ip link set eth1 down"));
}

#[test]
fn who_holds_a_disk_is_named_and_is_told_to_close_it() {
    let root = computer();
    let nodes = nodes::below(root.path(), "3-2");
    let disk = nodes.iter().find(|node| node.kind == Kind::Disk).unwrap();
    let ends = || -> Vec<String> {
        uses::holding(root.path(), &nodes, disk).into_iter().map(|one| one.end).collect()
    };
    let unknown = "close the program that holds it; `sudo fuser -v /dev/sdb` names it";
    assert_eq!(ends(), [unknown]);
    put(&root, "proc/8/comm", "photorec\n");
    fs::create_dir_all(root.path().join("proc/8/fd")).unwrap();
    symlink("/dev/sdb1", root.path().join("proc/8/fd/4")).unwrap();
    assert_eq!(ends(), ["close the program 8 (photorec)"]);
}

#[test]
fn a_holder_of_an_unknown_kind_is_stopped_by_what_made_it() {
    let root = computer();
    fs::create_dir_all(root.path().join(format!("{DISK}/holders/drbd0"))).unwrap();
    let ends: Vec<String> = uses(&root).into_iter().map(|(_, end)| end).collect();
    assert_eq!(ends, ["stop what made /dev/drbd0"]);
}
