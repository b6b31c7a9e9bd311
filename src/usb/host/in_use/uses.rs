//! Who uses a device of the kernel's: mounts of every process that can be seen, swap, holders,
//! loops, open files, network interfaces that are up.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::nodes::{Kind, Node, attribute};
use crate::usb::in_use::Use;

/// Most bytes of one file of /proc.
const MAX_TABLE: u64 = 4 << 20;
/// Most open files of one process that are looked at.
const MAX_FILES: usize = 65_536;
/// IFF_UP [linux/if.h].
const INTERFACE_UP: u32 = 1;

pub(super) fn of(root: &Path, nodes: &[Node]) -> Vec<Use> {
    let mut found = Vec::new();
    if nodes.is_empty() {
        return found;
    }
    let mut blocks: Vec<Node> =
        nodes.iter().filter(|n| matches!(n.kind, Kind::Disk | Kind::Partition)).cloned().collect();
    // What lies on a disk may have something on it again; uses on top come first.
    let mut at = 0;
    while let Some(block) = blocks.get(at).cloned() {
        for (holder, one) in holders(root, &block) {
            found.insert(0, one);
            if !blocks.iter().any(|other| other.name == holder.name) {
                blocks.push(holder);
            }
        }
        at += 1;
    }
    let mut on_top: Vec<Use> = Vec::new();
    if !blocks.is_empty() {
        on_top.extend(swaps(root, &blocks));
        on_top.extend(mounts(root, &blocks));
    }
    on_top.append(&mut found);
    on_top.extend(nodes.iter().filter(|node| node.kind == Kind::Network).filter_map(is_up));
    on_top
}

/// Holders as the kernel lists them, and loops whose backing file is the device.
fn holders(root: &Path, block: &Node) -> Vec<(Node, Use)> {
    let mut names: BTreeSet<String> = entries(&block.folder.join("holders")).collect();
    let all = root.join("sys/block");
    for name in entries(&all).filter(|name| name.starts_with("loop")) {
        let backing = attribute(&all.join(&name), "loop/backing_file");
        if backing.is_some_and(|backing| backing == block.path()) {
            names.insert(name);
        }
    }
    let node = |name: String| {
        let folder = all.join(&name);
        let number = attribute(&folder, "dev").unwrap_or_default();
        let mapped = attribute(&folder, "dm/name");
        let uuid = attribute(&folder, "dm/uuid").unwrap_or_default();
        let what = format!("{} is part of /dev/{name}", block.path());
        let end = match &mapped {
            Some(mapped) if uuid.starts_with("LVM-") => {
                format!("lvchange -an /dev/mapper/{mapped}")
            }
            Some(mapped) if uuid.starts_with("CRYPT-") => format!("cryptsetup close {mapped}"),
            Some(mapped) => format!("dmsetup remove {mapped}"),
            None if name.starts_with("loop") => format!("losetup -d /dev/{name}"),
            None if name.starts_with("md") => format!("mdadm --stop /dev/{name}"),
            None if name.starts_with("bcache") => format!("echo 1 > /sys/block/{name}/bcache/stop"),
            None => String::new(),
        };
        let one = if end.is_empty() {
            Use::ended_by(what, format!("stop what made /dev/{name}"))
        } else {
            Use::new(what, end)
        };
        (Node { kind: Kind::Disk, name, number, folder }, one)
    };
    names.into_iter().map(node).collect()
}

fn mounts(root: &Path, blocks: &[Node]) -> Vec<Use> {
    let mut found: Vec<Use> = Vec::new();
    let (mut seen, mut unread) = (0, 0);
    for process in processes(root) {
        let Some(table) = text(&process.join("mountinfo")) else {
            unread += 1;
            continue;
        };
        seen += 1;
        for (number, place, source) in table.lines().filter_map(mount) {
            // btrfs and others mount under numbers of their own: there the source tells.
            let on = blocks.iter().find(|b| b.number == number || b.path() == source);
            let Some(on) = on else { continue };
            let one = Use::new(
                format!("{} is mounted at {place}", on.path()),
                format!("umount {}", quoted(&place)),
            );
            if !found.contains(&one) {
                // The last mount lies on top.
                found.insert(0, one);
            }
        }
    }
    if seen == 0 || unread > 0 {
        log::info!("the mounts of {unread} processes could not be read; those of {seen} were read");
    }
    found
}

/// Device number, mount point and source of a line of mountinfo [proc(5)].
fn mount(line: &str) -> Option<(String, String, String)> {
    let (front, back) = line.split_once(" - ")?;
    let mut fields = front.split(' ').skip(2);
    let number = fields.next()?.to_owned();
    let place = plain(fields.nth(1)?);
    Some((number, place, plain(back.split(' ').nth(1)?)))
}

/// The kernel writes blanks, tabs, line ends and backslashes as `\040` and so on.
fn plain(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(text.to_owned(), |text, (code, sign)| text.replace(code, sign))
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@".contains(c);
    if path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

fn swaps(root: &Path, blocks: &[Node]) -> Vec<Use> {
    let Some(table) = text(&root.join("proc/swaps")) else {
        log::info!("/proc/swaps cannot be read, so the swap in use is not known");
        return Vec::new();
    };
    let paths = table.lines().skip(1).filter_map(|line| line.split_whitespace().next()).map(plain);
    let used = |path: String| {
        let is_it = blocks.iter().any(|block| block.path() == path);
        is_it.then(|| Use::new(format!("{path} is swap"), format!("swapoff {}", quoted(&path))))
    };
    paths.filter_map(used).collect()
}

/// Who holds a disk that cannot be opened exclusively: every process that has it or one of its
/// partitions open. Never empty.
pub(super) fn holding(root: &Path, nodes: &[Node], disk: &Node) -> Vec<Use> {
    let blocks: Vec<&Node> =
        nodes.iter().filter(|node| node.folder.starts_with(&disk.folder)).collect();
    let found = open_in(root, &blocks);
    if !found.is_empty() {
        return found;
    }
    let path = disk.path();
    let end = format!("close the program that holds it; `sudo fuser -v {path}` names it");
    vec![Use::ended_by(format!("{path} is held by another program"), end)]
}

/// Disks, partitions and character devices that another process has open. Desktops open every
/// input device, whoever uses it; those do not count.
pub(super) fn open_files(root: &Path, nodes: &[Node]) -> Vec<Use> {
    let counts = |n: &&Node| n.kind != Kind::Network && !n.name.starts_with("input/");
    let nodes: Vec<&Node> = nodes.iter().filter(counts).collect();
    open_in(root, &nodes)
}

/// Processes that have one of these devices open.
fn open_in(root: &Path, nodes: &[&Node]) -> Vec<Use> {
    let mut found = Vec::new();
    if nodes.is_empty() {
        return found;
    }
    let mut unread = 0;
    let own = std::process::id().to_string();
    for process in processes(root).filter(|process| !process.ends_with(&own)) {
        let Ok(files) = fs::read_dir(process.join("fd")) else {
            unread += 1;
            continue;
        };
        for file in files.take(MAX_FILES).filter_map(Result::ok) {
            let Ok(target) = fs::read_link(file.path()) else { continue };
            let Some(node) = nodes.iter().find(|n| Path::new(&n.path()) == target) else {
                continue;
            };
            let number = process.file_name().unwrap_or_default().to_string_lossy();
            let program = attribute(&process, "comm").unwrap_or_default();
            let what = format!("{} is open in process {number} ({program})", node.path());
            let one = Use::ended_by(what, format!("close the program {number} ({program})"));
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    if unread > 0 {
        log::info!("the open files of {unread} processes of other users could not be read");
    }
    found
}

fn is_up(node: &Node) -> Option<Use> {
    let flags = attribute(&node.folder, "flags")?;
    let flags = u32::from_str_radix(flags.trim_start_matches("0x"), 16).ok()?;
    let name = &node.name;
    (flags & INTERFACE_UP != 0).then(|| {
        Use::new(format!("network interface {name} is up"), format!("ip link set {name} down"))
    })
}

fn processes(root: &Path) -> impl Iterator<Item = PathBuf> {
    let proc = root.join("proc");
    let is_number = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    entries(&proc).filter(is_number).map(move |name| proc.join(name))
}

fn entries(folder: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| entry.file_name().into_string().ok())
}

fn text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(MAX_TABLE).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 == MAX_TABLE {
        log::warn!("{} has more than {MAX_TABLE} bytes; the rest is not checked", path.display());
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
