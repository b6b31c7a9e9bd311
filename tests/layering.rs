//! Dependencies point inward: the `use` lines of every module are held against docs/architecture.md.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};

/// What each top-level module may name of the others. `cli` and the binary may name everything.
const MAY_USE: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("written", &[]),
    ("assembler", &[]),
    ("usb", &["clock"]),
    ("chip", &["usb", "clock"]),
    ("profile", &["chip", "usb", "written"]),
    ("rescue", &["chip", "profile", "usb"]),
    ("journal", &["rescue", "chip", "usb"]),
    ("executor", &["journal", "rescue", "chip", "profile", "usb", "clock"]),
    ("sim", &["usb", "clock"]),
    ("preflight", &["sim", "rescue", "chip", "usb", "clock"]),
    ("serial", &["clock"]),
    (
        "bench",
        &["serial", "executor", "journal", "rescue", "chip", "profile", "usb", "clock", "written"],
    ),
    ("ledger", &["executor", "rescue", "chip", "clock"]),
    ("report", &["ledger", "executor", "chip"]),
    ("ui", &["bench", "executor", "ledger", "rescue", "journal", "chip", "profile", "usb"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Names of top-level modules that a source names through `crate::`.
fn crate_paths(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn modules_name_only_what_lies_inward() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut checked = 0;
    let mut wrong = Vec::new();
    for (module, allowed) in MAY_USE {
        let mut files = Vec::new();
        let folder = src.join(module);
        if folder.is_dir() {
            sources(&folder, &mut files);
        } else {
            files.push(src.join(format!("{module}.rs")));
        }
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            checked += 1;
            for named in crate_paths(&text) {
                if named != *module && !allowed.contains(&named.as_str()) {
                    wrong.push(format!("{}: names crate::{named}", file.display()));
                }
            }
        }
    }
    assert!(checked > 10, "the sources were not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_one_file_talks_to_serialport() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let users: Vec<_> = files
        .iter()
        .filter(|file| fs::read_to_string(file).unwrap().contains("serialport::"))
        .collect();
    assert_eq!(users, [&src.join("serial/port.rs")]);
}

#[test]
fn only_the_host_bus_talks_to_libusb() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let users: Vec<_> = files
        .iter()
        .filter(|file| fs::read_to_string(file).unwrap().contains("rusb::"))
        .filter(|file| !file.to_string_lossy().contains("usb/host"))
        .collect();
    assert!(users.is_empty(), "{users:?}");
}

#[test]
fn only_the_ledger_talks_to_sqlite() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let users: Vec<_> = files
        .iter()
        .filter(|file| fs::read_to_string(file).unwrap().contains("rusqlite::"))
        .filter(|file| !file.starts_with(src.join("ledger")))
        .collect();
    assert!(users.is_empty(), "{users:?}");
}
