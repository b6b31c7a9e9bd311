//! What a person reads is plain technical English: short sentences, short transcripts, the field's
//! own words. The words that are not used are data: [`PHRASES`] and [`NAMES`].

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use recover::cli::definition;
use recover::failure::Code;
use recover::sim;

/// Most words of a sentence. A command in backticks, a quoted text and a number count as one.
const MAX_WORDS: usize = 30;
/// Most lines of a rescue's transcript.
const MAX_RESCUE_LINES: usize = 25;
/// Most lines about a device that needs no rescue, or that the program does not know.
const MAX_QUIET_LINES: usize = 6;

/// Phrases that nobody is to read, in small letters.
const PHRASES: &[&str] = &[
    "what nobody has proven",
    "nobody has proven",
    "and this rests on",
    "who it is to be",
    "who is to be",
    "who comes up",
    "ask the drive",
    "device in question",
    "rescue is in question",
    "the memory took",
    "is told on",
    "hubs lie",
    "owner's word is taken",
    "takes its addresses otherwise",
    "is left alone",
    "left alone",
    "its power has to go",
    "takes its power away",
    "take its power away",
    "is itself again",
    "a cousin of",
    "the one whose",
    "shows up under",
    "comes up as",
    "waits for the start",
];

/// Names that no item of the program has: the field has other words for what they mean.
const NAMES: &[&str] = &[
    "Awaited",
    "Crew",
    "Hand",
    "Happening",
    "Lost",
    "Shop",
    "Standing",
    "Wish",
    "Work",
    "Written",
    "bears_out",
    "from_start",
    "patience",
    "reach",
    "settle",
    "who_is_to_be",
];

/// Beginnings of constants' names that are `MAX_` or `MIN_` instead.
const BEGINNINGS: &[&str] = &["MOST_", "LEAST_", "FEWEST_", "LONGEST_", "SHORTEST_"];

/// The text with each command in backticks, each quoted text and each bracket of a class code as
/// one word.
fn folded(text: &str) -> String {
    let mut out = String::new();
    let mut open = None;
    for letter in text.chars() {
        match open {
            None if letter == '`' || letter == '"' => open = Some(letter),
            None => out.push(letter),
            Some(mark) if mark == letter => {
                open = None;
                out.push('x');
            }
            Some(_) => {}
        }
    }
    out
}

/// The sentences of a text that have too many words.
fn too_long(text: &str) -> Vec<String> {
    folded(text)
        .split_inclusive(&['.', '!', '?', '\n'][..])
        .fold(vec![String::new()], |mut sentences, piece| {
            // A full stop inside a word ends no sentence: 08.0, profile.toml.
            let ends = piece.ends_with('\n');
            if let Some(last) = sentences.last_mut() {
                if last.ends_with(&['.', '!', '?'][..]) && piece.starts_with(' ') {
                    sentences.push(piece.to_owned());
                } else {
                    last.push_str(piece);
                }
            }
            if ends {
                sentences.push(String::new());
            }
            sentences
        })
        .into_iter()
        .filter(|sentence| {
            let is_word = |word: &&str| word.chars().any(char::is_alphabetic);
            sentence.split_whitespace().filter(is_word).count() > MAX_WORDS
        })
        .collect()
}

#[test]
fn a_sentence_is_counted_by_its_words_and_ends_at_its_full_stop() {
    let long = |words: usize| vec!["word"; words].join(" ");
    assert!(too_long(&long(MAX_WORDS)).is_empty());
    assert_eq!(too_long(&long(MAX_WORDS + 1)).len(), 1);
    assert!(too_long(&format!("{}. {}", long(MAX_WORDS), long(MAX_WORDS))).is_empty());
    assert!(too_long(&format!("{} `{}`", long(MAX_WORDS - 1), long(9))).is_empty());
    assert_eq!(too_long(&format!("{} a.b {}", long(20), long(20))).len(), 1);
}

fn help_of(command: &clap::Command, found: &mut Vec<String>) {
    let texts = [command.get_about(), command.get_long_about(), command.get_after_help()];
    found.extend(texts.into_iter().flatten().map(ToString::to_string));
    for argument in command.get_arguments() {
        found.extend(argument.get_help().map(ToString::to_string));
        found.extend(argument.get_long_help().map(ToString::to_string));
        let values = argument.get_possible_values();
        found.extend(values.iter().filter_map(|value| value.get_help()).map(ToString::to_string));
    }
    for below in command.get_subcommands() {
        help_of(below, found);
    }
}

#[test]
fn no_sentence_of_a_help_text_is_too_long() {
    let mut texts = Vec::new();
    help_of(&definition(), &mut texts);
    assert!(texts.len() > 100, "only {} texts", texts.len());
    let long: Vec<String> = texts.iter().flat_map(|text| too_long(text)).collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn no_title_of_an_error_is_too_long() {
    for code in Code::ALL {
        assert!(too_long(code.title()).is_empty(), "{code}: {}", code.title());
    }
}

/// Everything that a run prints, without what the log adds.
fn transcript(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_recover"))
        .args(arguments)
        .env_clear()
        .env("RECOVER_HOME", home.path())
        .output()
        .unwrap();
    let text = [output.stderr, output.stdout].concat();
    let text = String::from_utf8(text).unwrap();
    let is_log = |line: &&str| {
        line.starts_with('[') && [" INFO ", " WARN ", " DEBUG "].iter().any(|l| line.contains(l))
    };
    text.lines().filter(|line| !is_log(line)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn no_sentence_of_a_run_is_too_long() {
    let mut long = Vec::new();
    for scenario in sim::scenarios() {
        for arguments in
            [["--auto", "--sim", scenario.name, "-v"], ["diagnose", "--sim", scenario.name, "-v"]]
        {
            for sentence in too_long(&transcript(&arguments)) {
                long.push(format!("{}: {sentence}", scenario.name));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn a_run_says_what_it_does_in_few_lines() {
    let mut quiet = 0;
    for scenario in sim::scenarios() {
        let mut arguments = vec!["--auto", "--sim", scenario.name];
        let mut told = transcript(&arguments);
        let choice = format!("simulated-{}", scenario.model);
        if told.contains(&format!("--profile {choice}")) {
            arguments.extend(["--profile", &choice]);
            told = transcript(&arguments);
        }
        let is_quiet = told.contains("\nhealthy: ") || told.contains("error[R101]");
        quiet += usize::from(is_quiet);
        let maximum = if is_quiet { MAX_QUIET_LINES } else { MAX_RESCUE_LINES };
        let lines = told.lines().count();
        assert!(lines <= maximum, "{}: {lines} lines\n{told}", scenario.name);
    }
    assert!(quiet > 5, "{quiet}");
}

fn files_below(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

/// Where a phrase stands as whole words, as lines to print.
fn phrases_in(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.to_lowercase();
        for phrase in PHRASES {
            let is_whole = |at: usize| {
                let (before, after) = (&line[..at], &line[at + phrase.len()..]);
                let is_edge = |letter: Option<char>| !letter.is_some_and(char::is_alphanumeric);
                is_edge(before.chars().next_back()) && is_edge(after.chars().next())
            };
            if line.match_indices(phrase).any(|(at, _)| is_whole(at)) {
                found.push(format!("{}:{}: {phrase:?}", path.display(), index + 1));
            }
        }
    }
    found
}

#[test]
fn no_forbidden_phrase_is_in_the_sources_or_the_documents() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md")];
    files_below(&root.join("src"), "rs", &mut files);
    files_below(&root.join("docs"), "md", &mut files);
    assert!(files.len() > 200, "{} files", files.len());
    let found: Vec<String> = files.iter().flat_map(|path| phrases_in(path)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_item_has_a_forbidden_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    files_below(&root.join("src"), "rs", &mut files);
    assert!(files.len() > 200, "{} files", files.len());
    let mut found = Vec::new();
    for path in &files {
        let text = fs::read_to_string(path).unwrap();
        let mut words =
            text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty());
        let mut before = "";
        for word in words.by_ref() {
            let defines =
                ["struct", "enum", "trait", "type", "fn", "const", "static", "let", "pub"];
            let named = defines.contains(&before) && NAMES.contains(&word);
            if named || BEGINNINGS.iter().any(|beginning| word.starts_with(beginning)) {
                found.push(format!("{}: {before} {word}", path.display()));
            }
            before = word;
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
