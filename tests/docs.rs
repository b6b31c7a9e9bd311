//! The documentation says what the program is: its lists are held against the code's.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use recover::cli::Cli;
use recover::failure::Code;
use recover::{profile, sim};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Headings of one level, without their marks.
fn headings<'t>(text: &'t str, mark: &str) -> Vec<&'t str> {
    text.lines().filter_map(|line| line.strip_prefix(mark)).collect()
}

/// The first cell of every row of the tables between two marks.
fn rows<'t>(text: &'t str, name: &str) -> Vec<Vec<&'t str>> {
    let (_, rest) = text.split_once(&format!("<!-- {name}:begin -->")).unwrap();
    let (table, _) = rest.split_once(&format!("<!-- {name}:end -->")).unwrap();
    let cells = |line: &'t str| line.trim_matches('|').split('|').map(str::trim).collect();
    table.lines().filter(|line| line.starts_with("| `")).map(cells).collect()
}

#[test]
fn every_error_has_its_heading_and_no_heading_is_without_an_error() {
    let text = read("docs/errors.md");
    let expected: Vec<String> =
        Code::ALL.iter().map(|code| format!("{}: {}", code.name(), code.title())).collect();
    assert_eq!(headings(&text, "### "), expected);
}

#[test]
fn every_error_says_what_to_do_next() {
    let text = read("docs/errors.md");
    assert!(text.contains("### "), "no error is described");
    for section in text.split("### ").skip(1) {
        let title = section.lines().next().unwrap();
        assert!(section.contains("\n**Next:** "), "{title}");
    }
}

#[test]
fn every_command_and_every_option_is_in_using() {
    let text = read("docs/using.md");
    let command = Cli::command();
    let mut missing = Vec::new();
    for sub in command.get_subcommands() {
        let name = format!("recover {}", sub.get_name());
        if !headings(&text, "## ").contains(&name.as_str()) {
            missing.push(format!("## {name}"));
        }
        for below in sub.get_subcommands() {
            let name = format!("`{name} {}", below.get_name());
            if !text.contains(&name) {
                missing.push(name);
            }
        }
    }
    let subs = command.get_subcommands().flat_map(|sub| sub.get_subcommands().chain([sub]));
    for argument in subs.chain([&command]).flat_map(clap::Command::get_arguments) {
        let Some(long) = argument.get_long() else { continue };
        if !matches!(long, "help" | "version" | "verbose") && !text.contains(&format!("--{long}")) {
            missing.push(format!("--{long}"));
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_event_and_every_key_of_the_outcome_is_in_using() {
    let text = read("docs/using.md");
    let kebab = |name: &str| {
        name.chars().enumerate().fold(String::new(), |mut out, (index, letter)| {
            if letter.is_uppercase() && index > 0 {
                out.push('-');
            }
            out.extend(letter.to_lowercase());
            out
        })
    };
    let events = read("src/executor/event.rs");
    let notices = read("src/bench/notice.rs");
    let (_, bench_events) = notices.split_once("pub enum BenchEvent {").unwrap();
    // What passes for a screen only is in no JSON.
    let bench_events = bench_events.replace("    Tick,\n", "");
    let variants: Vec<String> = events
        .lines()
        .chain(bench_events.lines())
        .map(|line| line.strip_suffix(',').map_or(line.to_owned(), |line| format!("{line} {{")))
        .filter_map(|line| line.strip_prefix("    ")?.strip_suffix(" {").map(str::to_owned))
        .filter(|name| name.chars().all(char::is_alphabetic))
        .map(|name| kebab(&name))
        .collect();
    assert!(variants.len() > 10, "{variants:?}");
    for event in variants {
        assert!(text.contains(&format!("| `{event}` |")), "{event}");
    }
    let outcome = serde_json::to_value(recover::rescue::Outcome::begun()).unwrap();
    let limit = outcome.get("limit").unwrap().as_object().unwrap();
    let stages = outcome.get("stages_ms").unwrap().as_object().unwrap();
    for key in outcome.as_object().unwrap().keys().chain(limit.keys()).chain(stages.keys()) {
        assert!(text.contains(&format!("`{key}`")), "{key}");
    }
}

#[test]
fn every_scenario_is_in_the_simulators_table_and_no_other() {
    let text = read("docs/simulator.md");
    let (_, table) = text.split_once("\n## Scenarios\n").unwrap();
    let listed: Vec<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .collect();
    let known: Vec<&str> = sim::scenarios().iter().map(|scenario| scenario.name).collect();
    assert_eq!(listed, known);
}

#[test]
fn every_dependency_is_argued_for_and_no_other() {
    let manifest: toml::Table = toml::from_str(&read("Cargo.toml")).unwrap();
    let mut used = BTreeSet::new();
    for kind in ["dependencies", "dev-dependencies"] {
        used.extend(manifest.get(kind).unwrap().as_table().unwrap().keys().cloned());
    }
    for platform in manifest.get("target").unwrap().as_table().unwrap().values() {
        used.extend(platform.get("dependencies").unwrap().as_table().unwrap().keys().cloned());
    }
    let text = read("docs/decisions/dependencies.md");
    let argued: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once(" |"))
        .flat_map(|(names, _)| names.split(", ").map(|name| name.trim_matches('`').to_owned()))
        .collect();
    assert_eq!(argued, used);
}

#[test]
fn the_table_of_layers_is_the_one_that_is_held() {
    let source = read("tests/layering.rs");
    let (_, rest) = source.split_once("MAY_USE: &[(&str, &[&str])] = &[").unwrap();
    let (table, _) = rest.split_once("\n];").unwrap();
    let words =
        |text: &str| text.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<String>>();
    let held: Vec<_> = table.split('(').skip(1).map(words).collect();
    let text = read("docs/architecture.md");
    let written: Vec<Vec<String>> = rows(&text, "layering")
        .iter()
        .map(|cells| {
            let names = cells.iter().flat_map(|cell| cell.split(", "));
            names.filter(|name| !name.is_empty()).map(|n| n.trim_matches('`').to_owned()).collect()
        })
        .collect();
    assert_eq!(written, held);
}

#[test]
fn the_readme_says_what_is_supported() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_recover"))
        .arg("supported")
        .output()
        .unwrap();
    let made = String::from_utf8(output.stdout).unwrap();
    let readme = read("README.md");
    let (begin, end) = ("<!-- supported:begin -->\n", "<!-- supported:end -->");
    let (before, rest) = readme.split_once(begin).unwrap();
    let (written, after) = rest.split_once(end).unwrap();
    if std::env::var_os("RECOVER_UPDATE").is_some() {
        let updated = format!("{before}{begin}{made}{end}{after}");
        fs::write(root().join("README.md"), updated).unwrap();
        return;
    }
    assert_eq!(written, made, "bring it up to date: RECOVER_UPDATE=1 cargo test --test all docs::");
}

#[test]
fn the_example_of_a_profile_passes() {
    let text = read("docs/adding-a-device.md");
    let (_, rest) = text.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("acme-u2");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("profile.toml"), example).unwrap();
    profile::check(&folder, &profile::known_chips()).unwrap();
}

#[test]
fn every_key_of_a_profile_is_documented() {
    let table = |text: &str, mark: &str| -> BTreeSet<String> {
        let rows = text.lines().filter_map(|line| line.strip_prefix(mark));
        let cells = rows.filter_map(|row| row.strip_prefix("| `")?.split_once(" |"));
        cells
            .flat_map(|(names, _)| names.trim_end_matches(" ?").split(", "))
            .map(|name| name.trim_matches('`').to_owned())
            .collect()
    };
    let code = table(&read("src/profile/mod.rs"), "//! ");
    assert!(code.contains("grade") && code.contains("bcd_device"), "{code:?}");
    assert_eq!(table(&read("docs/adding-a-device.md"), ""), code);
}

/// Every Markdown file of the project, relative to its root.
fn markdown(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let name = entry.unwrap().file_name();
        let path = folder.join(&name);
        let is_ours = name != "target" && !name.to_string_lossy().starts_with('.');
        if is_ours && root().join(&path).is_dir() {
            markdown(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// Text outside code blocks.
fn prose(text: &str) -> String {
    text.split("\n```").step_by(2).collect()
}

/// The anchor that a heading gets.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut files = Vec::new();
    markdown(Path::new(""), &mut files);
    let mut checked = 0;
    let mut broken = Vec::new();
    for file in &files {
        let text = prose(&read(file.to_str().unwrap()));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let (link, _) = link;
            if link.contains("://") {
                continue;
            }
            checked += 1;
            let (path, place) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => file.clone(),
                path => file.parent().unwrap().join(path),
            };
            let there = root().join(&target);
            let found = there.exists()
                && (place.is_empty()
                    || prose(&fs::read_to_string(&there).unwrap())
                        .lines()
                        .any(|line| line.starts_with('#') && anchor(line) == place));
            if !found {
                broken.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(checked > 20, "the documents were not found");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_page_is_reached_from_the_readme() {
    let readme = read("README.md");
    let mut files = Vec::new();
    markdown(Path::new("docs"), &mut files);
    assert!(files.len() > 5, "{files:?}");
    for file in files.iter().filter(|file| !file.starts_with("docs/decisions")) {
        assert!(readme.contains(&format!("({})", file.display())), "{}", file.display());
    }
}

/// The sources below a folder.
fn sources_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_readme_says_how_many_tests_are_ignored_and_each_says_why() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources_below(&root.join("tests"), &mut files);
    sources_below(&root.join("src"), &mut files);
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let lines = texts.iter().flat_map(|text| text.lines()).map(str::trim);
    let ignored: Vec<&str> = lines.filter(|line| line.starts_with("#[ignore")).collect();
    assert!(ignored.iter().all(|line| line.starts_with("#[ignore = \"needs ")), "{ignored:?}");
    let said = format!("Of the tests, {} are ignored", ignored.len());
    assert!(read("README.md").contains(&said), "README should say: {said}");
}
