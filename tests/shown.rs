//! What docs/using.md shows below a command is what the program prints. Each command is run with a
//! home of its own; only on the simulator, or where it opens no port.
//!
//! `RECOVER_UPDATE=1 cargo test --test all shown::` brings the page up to date, but for outputs with
//! lines left out in the middle.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly, in its helpers too")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// The date in every name on the page.
const DATE: &str = "2026-11-23T04-32-32";

/// A line that stands for lines left out.
const LEFT_OUT: &str = "…";

const UNPLUGGED: &str = "--auto --sim --sim-state device.json --fault unplug@100";

enum Part<'t> {
    Text(&'t str),
    Shown { command: &'t str, lines: Vec<&'t str> },
}

fn parts(page: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut is_code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
            parts.push(Part::Text(line));
            continue;
        }
        if let Some(command) = line.strip_prefix("$ recover ").filter(|_| is_code) {
            parts.push(Part::Shown { command, lines: Vec::new() });
            continue;
        }
        match parts.last_mut() {
            Some(Part::Shown { lines, .. }) if is_code => lines.push(line),
            _ => parts.push(Part::Text(line)),
        }
    }
    parts
}

/// Whether a command may be run: it opens no real port.
fn is_harmless(command: &str) -> bool {
    let begins = ["image ", "profile list", "sim show ", "sim list"];
    command.contains("--sim") || begins.iter().any(|begin| command.starts_with(begin))
}

/// What has to be done before it, in the same home.
fn before(command: &str) -> &'static [&'static str] {
    match command.split(' ').next() {
        Some("resume") => &[UNPLUGGED],
        Some("restore") => &[UNPLUGGED, "resume --sim --sim-state device.json"],
        Some("ledger" | "report") => &[
            "--auto --sim",
            "--auto --sim at2lp-rc42",
            "--auto --sim ez-otg-write-protected --profile simulated-ez-otg",
        ],
        _ => &[],
    }
}

fn run(folder: &Path, home: &Path, command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_recover"))
        .args(command.split(' '))
        .current_dir(folder)
        .env_clear()
        .env("RECOVER_HOME", home)
        .output()
        .unwrap();
    String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap()
}

/// The lines a command prints, with what differs from run to run replaced.
fn printed(folder: &Path, command: &str) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    drop(fs::remove_file(folder.join("device.json")));
    for command in before(command) {
        run(folder, home.path(), command);
    }
    let listed = run(folder, home.path(), "ledger list --sim");
    let unit = listed.lines().find(|line| line.contains("-sl11r"));
    let unit = unit.and_then(|line| line.split(' ').next()).unwrap_or(DATE);
    let text = run(folder, home.path(), &command.replace(DATE, unit));
    let place = home.path().display().to_string();
    let text = steady(&text.replace(&place, "/home/owner/.local/share/recover"));
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    // Units on the simulator take virtual time, so they may overtake one another in real time.
    if command.starts_with("ledger list") {
        lines.sort();
    }
    lines
}

/// The length of a date and time at the start of a text, fractions of a second included.
fn dated(text: &str) -> Option<usize> {
    let date = text.get(..19)?;
    let fits = date.chars().enumerate().all(|(index, c)| match index {
        4 | 7 => c == '-',
        10 => c == 'T',
        13 | 16 => matches!(c, '-' | ':'),
        _ => c.is_ascii_digit(),
    });
    let rest = text.get(19..).unwrap_or_default();
    let fraction = rest
        .strip_prefix('.')
        .map_or(0, |digits| 1 + digits.chars().take_while(char::is_ascii_digit).count());
    fits.then_some(19 + fraction)
}

fn steady(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (shown, taken) = match dated(rest) {
            Some(length) if rest.get(13..14) == Some(":") => {
                ("2026-11-23T04:32:32.683".to_owned(), length)
            }
            Some(length) => (DATE.to_owned(), length),
            None => (next.to_string(), next.len_utf8()),
        };
        out.push_str(&shown);
        rest = rest.get(taken..).unwrap();
    }
    // A second one in the same second gets a number behind its name.
    out.replace(&format!("{DATE}-sl11r-2"), &format!("{DATE}-sl11r"))
}

/// Whether a line is that pattern, in which a mark stands for anything.
fn is_like(pattern: &str, line: &str) -> bool {
    let mut pieces = pattern.split(LEFT_OUT);
    let Some(mut rest) = line.strip_prefix(pieces.next().unwrap()) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    for piece in &pieces {
        let Some((_, behind)) = rest.split_once(piece) else { return false };
        rest = behind;
    }
    rest.is_empty() || pieces.last().is_some_and(|last| last.is_empty())
}

fn fits(shown: &[&str], printed: &[String]) -> bool {
    match shown {
        [LEFT_OUT, rest @ ..] if !rest.contains(&LEFT_OUT) => {
            printed.len() >= rest.len()
                && printed.iter().rev().zip(rest.iter().rev()).all(|(a, b)| a == b)
        }
        _ if !shown.contains(&LEFT_OUT) => printed == shown,
        _ => {
            let mut lines = printed.iter();
            let mut wanted = shown.iter().filter(|line| **line != LEFT_OUT);
            wanted.all(|wanted| lines.any(|line| is_like(wanted, line)))
        }
    }
}

/// What the page should show of it, where that can be told.
fn updated(shown: &[&str], printed: &[String]) -> Option<Vec<String>> {
    let first = match shown {
        [LEFT_OUT, first, rest @ ..] if !rest.contains(&LEFT_OUT) => first.split(' ').next()?,
        _ if !shown.contains(&LEFT_OUT) => return Some(printed.to_vec()),
        _ => return None,
    };
    let begin = printed.iter().rposition(|line| line.split(' ').next() == Some(first))?;
    let tail = printed.get(begin..)?.iter().cloned();
    Some(std::iter::once(LEFT_OUT.to_owned()).chain(tail).collect())
}

#[test]
fn every_output_in_using_is_what_the_program_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let image = "recovery-images/cy16/simulated-sl11r/factory.bin";
    fs::create_dir_all(folder.path().join(image).parent().unwrap()).unwrap();
    fs::copy(root.join(image), folder.path().join(image)).unwrap();
    let path = root.join("docs/using.md");
    let page = fs::read_to_string(&path).unwrap();
    let (mut text, mut wrong, mut ran) = (String::new(), Vec::new(), 0);
    for part in parts(&page) {
        match part {
            Part::Text(line) => text += &format!("{line}\n"),
            Part::Shown { command, lines } => {
                text += &format!("$ recover {command}\n");
                let mut now: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
                if is_harmless(command) {
                    ran += 1;
                    let printed = printed(folder.path(), command);
                    let steady: Vec<String> = lines.iter().map(|line| steady(line)).collect();
                    let steady: Vec<&str> = steady.iter().map(String::as_str).collect();
                    if !fits(&steady, &printed) {
                        wrong.push(format!("$ recover {command}\n{}", printed.join("\n")));
                        now = updated(&steady, &printed).unwrap_or(now);
                    }
                }
                text.extend(now.iter().map(|line| format!("{line}\n")));
            }
        }
    }
    assert!(ran > 15, "{ran} commands were run");
    if std::env::var_os("RECOVER_UPDATE").is_some() {
        fs::write(&path, text).unwrap();
    } else {
        assert!(wrong.is_empty(), "the program prints:\n{}", wrong.join("\n\n"));
    }
}
