//! The mutants of tests/mutants fit the program as it is; tests/mutants/run tries them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Area {
    #[serde(default)]
    mutant: Vec<Mutant>,
    #[serde(default)]
    survivor: Vec<Survivor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    file: String,
    old: String,
    new: String,
    test: Vec<String>,
}

/// A mutant that no test can notice, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Survivor {
    name: String,
    file: String,
    old: String,
    new: String,
    reason: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn areas() -> Vec<(PathBuf, Area)> {
    let folder = fs::read_dir(root().join("tests/mutants")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let area =
                toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path, area)
        })
        .collect()
}

/// The text of a Rust file and of all below the folder of its name.
fn text_of(path: &Path) -> String {
    let mut text = fs::read_to_string(path.with_extension("rs")).unwrap_or_default();
    for entry in fs::read_dir(path).into_iter().flatten() {
        let below = entry.unwrap().path();
        if below.is_dir() || below.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&text_of(&below.with_extension("")));
        }
    }
    text
}

/// The text of the tests that the arguments of `cargo test` name, and the test's name.
fn named_test(arguments: &[String]) -> Option<(String, &str)> {
    let (is_all, rest) = match arguments {
        [option, target, rest @ ..] if option == "--test" && target == "all" => (true, rest),
        [option, rest @ ..] if option == "--lib" || option == "--bins" => (false, rest),
        _ => return None,
    };
    let name = rest.iter().find(|argument| !argument.starts_with('-'))?;
    let place = match name.split_once("::") {
        Some((module, _)) if is_all => root().join("tests").join(module),
        _ if is_all => return None,
        _ => root().join("src"),
    };
    Some((text_of(&place), name.rsplit("::").next()?))
}

#[test]
fn every_mutant_applies_and_names_a_test_that_is_there() {
    let mut names = BTreeSet::new();
    for (path, area) in areas() {
        let area_name = path.display();
        let mutants = area.mutant.iter().map(|m| (&m.name, &m.file, &m.old, &m.new));
        let survivors = area.survivor.iter().map(|s| (&s.name, &s.file, &s.old, &s.new));
        for (name, file, old, new) in mutants.chain(survivors) {
            assert!(names.insert(name.clone()), "{area_name}: {name} is there twice");
            let text = fs::read_to_string(root().join(file))
                .unwrap_or_else(|error| panic!("{area_name}: {name}: {file}: {error}"));
            let count = text.matches(old.as_str()).count();
            assert_eq!(count, 1, "{area_name}: {name}: `old` is in {file} {count} times");
            assert_ne!(old, new, "{area_name}: {name} changes nothing");
        }
        for mutant in &area.mutant {
            let (text, test) = named_test(&mutant.test)
                .unwrap_or_else(|| panic!("{area_name}: {}: no test is named", mutant.name));
            let function = format!("fn {test}(");
            assert!(text.contains(&function), "{area_name}: {}: no `{function}`", mutant.name);
        }
        for survivor in &area.survivor {
            assert!(!survivor.reason.is_empty(), "{area_name}: {}: no reason", survivor.name);
        }
    }
}
