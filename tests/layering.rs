//! Dependencies point inward: the `use` lines of every module are held against docs/architecture.md.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};

/// What each top-level module may name of the others. `cli` and the binary may name everything.
const MAY_USE: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("files", &[]),
    ("toml_source", &[]),
    ("wording", &[]),
    ("usb", &["files", "clock"]),
    ("chip", &["usb", "clock", "wording"]),
    ("profile", &["chip", "usb", "files", "toml_source", "wording"]),
    ("failure", &["chip", "usb"]),
    ("rescue", &["failure", "chip", "profile", "usb", "wording"]),
    ("journal", &["rescue", "chip", "usb", "files"]),
    (
        "executor",
        &["journal", "rescue", "failure", "chip", "profile", "usb", "files", "clock", "wording"],
    ),
    ("sim", &["usb", "clock"]),
    ("preflight", &["sim", "rescue", "chip", "usb", "clock"]),
    ("serial", &["clock"]),
    (
        "bench",
        &[
            "serial",
            "executor",
            "journal",
            "rescue",
            "failure",
            "chip",
            "profile",
            "usb",
            "files",
            "clock",
            "toml_source",
        ],
    ),
    ("ledger", &["executor", "rescue", "failure", "chip", "files", "clock"]),
    ("report", &["ledger", "executor", "failure", "chip", "wording"]),
    (
        "ui",
        &[
            "bench", "executor", "ledger", "rescue", "failure", "journal", "chip", "profile",
            "usb", "wording",
        ],
    ),
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

/// What may name everything: the command line, and the files that hold the modules together.
const MAY_USE_ALL: [&str; 4] = ["cli", "lib", "main", "build"];

/// The name of the top-level module that a file or folder of `src` is.
fn module_of(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

/// How many modules lie above the code of a source: 1 for `src/clock.rs` and `src/usb/mod.rs`.
fn depth(src: &Path, file: &Path) -> usize {
    let parts = file.strip_prefix(src).unwrap().components().count();
    if file.ends_with("mod.rs") { parts - 1 } else { parts }
}

/// The longest chain of `super::` in a line that is not a comment.
fn climbs(line: &str) -> usize {
    let code = line.split("//").next().unwrap_or_default();
    let mut longest = 0;
    let mut rest = code;
    while let Some(at) = rest.find("super::") {
        let chain = &rest[at..];
        let mut count = 0;
        while chain[count * "super::".len()..].starts_with("super::") {
            count += 1;
        }
        longest = longest.max(count);
        rest = &chain[count * "super::".len()..];
    }
    longest
}

/// A module that is in no table would be free to name everything.
#[test]
fn every_top_level_module_stands_in_the_table() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found: Vec<String> =
        fs::read_dir(&src).unwrap().map(|entry| module_of(&entry.unwrap().path())).collect();
    found.sort();
    found.dedup();
    let mut known: Vec<&str> = MAY_USE.iter().map(|(module, _)| *module).collect();
    known.extend(MAY_USE_ALL);
    known.sort_unstable();
    assert_eq!(found, known);
    let named: Vec<&&str> = MAY_USE.iter().flat_map(|(_, allowed)| *allowed).collect();
    assert!(named.iter().all(|name| known.contains(*name)), "{named:?}");
}

/// `super::` that climbs out of the top-level module would name a neighbour without `crate::`.
#[test]
fn no_path_climbs_out_of_its_top_level_module() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 100, "the sources were not found");
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        // A module within the file lies one deeper.
        let mut deeper = 0;
        for line in text.lines() {
            let trimmed = line.trim_start();
            if trimmed.starts_with("mod ") && trimmed.ends_with('{') {
                deeper = 1;
            }
            if climbs(line) >= depth(&src, &file) + deeper {
                wrong.push(format!("{}: {}", file.display(), line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn chains_of_super_are_counted() {
    assert_eq!(climbs("use super::super::usb::Ids;"), 2);
    assert_eq!(climbs("let x = super::a(super::super::b);"), 2);
    assert_eq!(climbs("use crate::usb::Ids; // super::super"), 0);
}

/// Names of top-level modules that a source names through `crate::` or `recover::`. A group
/// (`crate::{a, b}`) is reported as itself: write one `use` a module.
fn crate_paths(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let name = |rest: &str| -> String {
        if rest.starts_with('{') || rest.starts_with('*') {
            return rest.chars().take(20).collect();
        }
        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    code.flat_map(|line| line.split("crate::").skip(1).map(name)).collect()
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

/// Two sides that shared code would make the same mistake and not notice it.
#[test]
fn the_simulator_names_nothing_of_the_drivers_transport() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sim"), &mut files);
    assert!(files.iter().any(|file| file.ends_with("drives/transport.rs")), "{files:?}");
    let names_it = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "bot")
    };
    files.retain(|file| fs::read_to_string(file).unwrap().lines().any(names_it));
    assert!(files.is_empty(), "{files:?}");
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

/// Where files are opened that are no person's: the kernel's, and what the simulator needs.
const OPENS_FILES: [&str; 4] = ["files/", "usb/host", "usb/lock.rs", "sim/"];

/// Whatever is opened elsewhere could be a pipe, a link, or a file without an end.
#[test]
fn files_are_opened_in_one_module_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let opens = [
        "fs::read(",
        "fs::read_to_string(",
        "fs::write(",
        "File::open(",
        "File::create(",
        "OpenOptions",
        "NamedTempFile",
    ];
    let mut found = Vec::new();
    let mut elsewhere = 0;
    for file in files {
        let name = file.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        // Tests stand behind the code.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code = code.replace("JournalFile::open(", "");
        if name.ends_with("tests.rs") || !opens.iter().any(|word| code.contains(word)) {
            continue;
        }
        if OPENS_FILES.iter().any(|place| name.starts_with(place)) {
            elsewhere += 1;
        } else {
            found.push(name);
        }
    }
    assert!(elsewhere > 5, "the sources were not found");
    assert!(found.is_empty(), "{found:?}");
}
