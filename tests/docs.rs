//! The documentation says what the program is: its lists are held against the code's.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use recover::cli::definition;
use recover::failure::Code;
use recover::{chip, profile, sim};

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
    let command = definition();
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
fn the_page_of_what_is_supported_is_what_the_program_prints() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_recover"))
        .arg("supported")
        .output()
        .unwrap();
    let made = String::from_utf8(output.stdout).unwrap();
    let page = read("docs/supported.md");
    let (begin, end) = ("<!-- supported:begin -->\n", "<!-- supported:end -->");
    let (before, rest) = page.split_once(begin).unwrap();
    let (written, after) = rest.split_once(end).unwrap();
    if std::env::var_os("RECOVER_UPDATE").is_some() {
        let updated = format!("{before}{begin}{made}{end}{after}");
        fs::write(root().join("docs/supported.md"), updated).unwrap();
        return;
    }
    assert_eq!(written, made, "bring it up to date: RECOVER_UPDATE=1 cargo test --test all docs::");
    // What the page explains is what the tables call it.
    for term in page.split("\n- **").skip(1).map(|line| line.split("**").next().unwrap()) {
        assert!(made.contains(term), "no table has {term}");
    }
}

#[test]
fn the_readmes_short_table_names_ids_and_chips_that_the_program_knows() {
    let readme = read("README.md");
    let rows = rows(&readme, "seen");
    assert!((4..=10).contains(&rows.len()), "{rows:?}");
    let mut families = BTreeSet::new();
    for cells in &rows {
        let [seen, chip, ..] = cells.as_slice() else { panic!("{cells:?}") };
        let ids = seen.trim_start_matches('`').split('`').next().unwrap();
        let known = chip::families()
            .iter()
            .flat_map(|family| family.known_ids())
            .find(|known| known.ids.to_string() == ids)
            .unwrap_or_else(|| panic!("{ids} is in no table"));
        assert!(chip.contains(known.model.title), "{ids}: {chip}, not {}", known.model.title);
        families.insert(known.model.family);
    }
    assert_eq!(families.len(), chip::families().len(), "{families:?}");
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

/// The pages for whoever has a dead enclosure in hand.
const FOR_OWNERS: [&str; 3] = ["README.md", "docs/my-enclosure-is-dead.md", "docs/errors.md"];

/// The text of a page as sentences: no code blocks, tables or headings; a link is its text, and a
/// piece of code one word.
fn sentences(page: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in prose(page).lines() {
        let is_other = line.starts_with(['#', '|', '<']) || line.starts_with("    ");
        let begins = line.trim_start().starts_with("- ")
            || line.starts_with("**")
            || line.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok());
        if line.trim().is_empty() || is_other || begins {
            blocks.push(String::new());
        }
        if !is_other {
            let block = blocks.last_mut().unwrap();
            block.push_str(
                line.trim_start_matches(|c: char| c.is_ascii_digit() || "-. ".contains(c)),
            );
            block.push(' ');
        }
    }
    let plain = |block: &String| -> String {
        let without_code: String = block
            .split('`')
            .enumerate()
            .map(|(index, part)| if index % 2 == 1 { "code" } else { part })
            .collect();
        let mut parts = without_code.split("](");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + part.split_once(')').map_or(part, |(_, rest)| rest))
    };
    let ends = |text: String| {
        let text = text.replace("? ", "?\n").replace(". ", ".\n").replace("! ", "!\n");
        text.lines().map(str::trim).map(str::to_owned).collect::<Vec<String>>()
    };
    blocks.iter().map(plain).flat_map(ends).filter(|sentence| !sentence.is_empty()).collect()
}

#[test]
fn no_sentence_for_an_owner_has_more_than_thirty_words() {
    let mut long = Vec::new();
    for page in FOR_OWNERS {
        let sentences = sentences(&read(page));
        assert!(sentences.len() > 30, "{page} was not read");
        let is_long = |sentence: &String| sentence.split_whitespace().count() > 30;
        long.extend(sentences.into_iter().filter(is_long).map(|text| format!("{page}: {text}")));
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// Words of this project that no technician knows.
const DIALECT: [&str; 14] = [
    "nobody has proven",
    "rests on",
    "who it is to be",
    "is told on",
    "takes its addresses otherwise",
    "owner's word",
    "in question",
    "left alone",
    "asks the drive",
    "comes to its senses",
    "bears out",
    "least time",
    "its hands",
    "stranger",
];

#[test]
fn no_page_speaks_a_dialect() {
    let mut files = Vec::new();
    markdown(Path::new("docs"), &mut files);
    files.push(PathBuf::from("README.md"));
    let mut found = Vec::new();
    for file in &files {
        let page = read(file.to_str().unwrap());
        // A heading of an error is the program's own text.
        for line in prose(&page).lines().filter(|line| !line.starts_with('#')) {
            let words = DIALECT.iter().filter(|words| line.to_lowercase().contains(**words));
            found.extend(words.map(|words| format!("{}: {words}: {line}", file.display())));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The commands of a page: lines of code that begin with `recover`, and code in the text that does.
fn commands(page: &str) -> Vec<String> {
    let lines = page.lines().map(str::trim_start);
    let lines = lines.filter_map(|line| line.strip_prefix("$ ").or(Some(line)));
    let text = prose(page);
    let inline = text.split('`').skip(1).step_by(2);
    lines
        .chain(inline)
        .filter(|line| line.starts_with("recover --") || line.starts_with("recover "))
        .map(|line| line.split("   ").next().unwrap().split(" | ").next().unwrap())
        .map(|line| line.trim().replace("PORT", "3-2").replace("VVVV:PPPP", "1209:0001"))
        .collect()
}

#[test]
fn every_command_that_an_owner_is_told_is_one() {
    let mut wrong = Vec::new();
    for page in FOR_OWNERS {
        let commands = commands(&read(page));
        assert!(commands.len() > 3, "{page}: {commands:?}");
        for command in commands {
            let words: Vec<&str> = command.split_whitespace().collect();
            if let Err(error) = definition().try_get_matches_from(&words)
                && error.use_stderr()
                && error.kind() != clap::error::ErrorKind::MissingRequiredArgument
            {
                wrong.push(format!("{page}: {command}: {error}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_for_owners_is_the_first_that_r101_leads_to() {
    let errors = read("docs/errors.md");
    let (_, section) = errors.split_once("### R101").unwrap();
    let (_, link) = section.split_once("](").unwrap();
    assert!(link.starts_with("my-enclosure-is-dead.md"), "{}", link.lines().next().unwrap());
}

/// The methods of a trait in a source file.
fn methods(source: &str, named: &str) -> Vec<String> {
    let text = read(source);
    let (_, body) = text.split_once(&format!("pub trait {named}")).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let begins = body.lines().filter_map(|line| line.strip_prefix("    fn "));
    begins.map(|line| line.split(['(', '<']).next().unwrap().to_owned()).collect()
}

#[test]
fn every_method_of_the_chip_traits_is_explained_and_no_other() {
    let text = read("docs/adding-a-chip.md");
    let explained: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once(" |"))
        .flat_map(|(names, _)| names.split(", ").map(|name| name.trim_matches('`').to_owned()))
        .collect();
    let chip = methods("src/chip/mod.rs", "Chip");
    let memory = methods("src/chip/memory/mod.rs", "Memory");
    assert!(chip.len() > 10 && memory.len() > 5, "{chip:?} {memory:?}");
    assert_eq!(explained, chip.iter().chain(&memory).cloned().collect());
    let architecture = read("docs/architecture.md");
    for method in chip.iter().filter(|name| *name != "family").chain(&memory) {
        assert!(architecture.contains(&format!("`{method}`")), "architecture.md: {method}");
    }
}

#[test]
fn every_file_that_the_documents_name_is_there_and_has_what_they_say() {
    let mut files = Vec::new();
    markdown(Path::new("docs"), &mut files);
    files.push(PathBuf::from("README.md"));
    let (mut checked, mut missing) = (0, Vec::new());
    for file in &files {
        let text = prose(&read(file.to_str().unwrap()));
        let parts: Vec<&str> = text.split('`').collect();
        for (index, code) in parts.iter().enumerate().skip(1).step_by(2) {
            let is_path = code.starts_with("src/") || code.starts_with("tests/");
            if !is_path || code.contains(['*', ' ']) {
                continue;
            }
            checked += 1;
            // "`name` in `file`"
            let named = match parts.get(index - 1) {
                Some(&" in ") => parts.get(index.saturating_sub(2)).copied(),
                _ => None,
            };
            let name = named.unwrap_or("").rsplit("::").next().unwrap();
            let path = root().join(code);
            let has = path.is_dir() || fs::read_to_string(&path).is_ok_and(|s| s.contains(name));
            if !has {
                missing.push(format!("{}: {name} in {code}", file.display()));
            }
        }
    }
    assert!(checked > 30, "{checked} files were named");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
