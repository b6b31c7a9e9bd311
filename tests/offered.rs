//! Every command that the program offers can be pasted: it is taken by the command line, it is
//! about the same devices, store and files, and it keeps every choice that was made.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use recover::cli::definition;
use recover::executor::commands::PLACEHOLDERS;
use recover::sim;
use tempfile::TempDir;

/// The file that the profile sony-crx100e asks its owner for.
const OWNERS_FILE: &str = "CDRW0008.BIN";

/// What a pasted command must not end in: the usage, a choice that was made already, something
/// that does not exist.
const WRONG: &[&str] = &[
    "R212", "R301", "R302", "R306", "R307", "R308", "R311", "R403", "R503", "R505", "R506", "R523",
    "R524",
];

struct Desk(TempDir);

struct Ran {
    code: i32,
    text: String,
}

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        fs::create_dir(desk.0.path().join("work")).unwrap();
        desk
    }

    /// Runs a line as a shell does, in a folder of its own.
    fn paste(&self, line: &str) -> Ran {
        let program = Path::new(env!("CARGO_BIN_EXE_recover"));
        let output = Command::new("sh")
            .args(["-c", line])
            .current_dir(self.0.path().join("work"))
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", program.parent().unwrap().display()))
            .env("RECOVER_HOME", self.0.path().join("work/home"))
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        Ran { code: output.status.code().unwrap(), text: String::from_utf8(text).unwrap() }
    }

    fn keep(&self) {
        copy(&self.0.path().join("work"), &self.0.path().join("kept"));
    }

    fn put_back(&self) {
        fs::remove_dir_all(self.0.path().join("work")).unwrap();
        copy(&self.0.path().join("kept"), &self.0.path().join("work"));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, to).unwrap();
        }
    }
}

/// The commands in what was printed: lines that begin with one, those behind a colon, and those
/// between backticks; each without the explanation behind it.
fn offered(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.contains("Usage:")) {
        let line = line.trim_start().trim_start_matches("next:").trim_start();
        let behind_colon = line.split(": ").skip(1).find(|rest| rest.starts_with("recover "));
        let begins = line.starts_with("recover ").then_some(line);
        let quoted = line.split('`').skip(1).step_by(2);
        let quoted = quoted.filter(|code| code.starts_with("recover "));
        let unquoted = begins.or(behind_colon).filter(|line| !line.contains('`'));
        // A sentence may begin with the program's name.
        let is_command = |line: &&str| {
            let verb = line.split(' ').nth(1).unwrap();
            verb.starts_with("--") || definition().find_subcommand(verb).is_some()
        };
        for command in unquoted.into_iter().chain(quoted).filter(is_command) {
            let command = command.split("    ").next().unwrap().trim_end().to_owned();
            if !found.contains(&command) {
                found.push(command);
            }
        }
    }
    found
}

/// The command with something in the place of what a person fills in; `None` where only a
/// person can.
fn filled(command: &str) -> Option<String> {
    let known = PLACEHOLDERS.iter().chain(&[OWNERS_FILE]);
    let known: Vec<&str> = known.copied().collect();
    let filled = command
        .replace("--html FILE", "--html page.html")
        .replace("--trace FILE", "--trace trace.jsonl")
        .replace("VVVV:PPPP", "1209:0001")
        .replace("--port PORT", "--port 3-2");
    let left: Vec<&str> = filled
        .split(' ')
        .filter(|word| word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == ':'))
        .collect();
    assert!(left.iter().all(|word| known.contains(word)), "{command}: {left:?}");
    (left.is_empty() && !command.contains(OWNERS_FILE)).then_some(filled)
}

/// The options of a line with their values, quotes and all.
fn options(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut in_quotes = false;
    for word in line.split(' ') {
        match words.last_mut() {
            Some(last) if in_quotes || last.starts_with("--") && !word.starts_with("--") => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
        in_quotes ^= word.matches('\'').count() % 2 == 1;
    }
    words.into_iter().filter(|word| word.starts_with("--")).collect()
}

/// Whether a command is about devices or what is kept of them, and so about one bus and store.
fn is_located(command: &str) -> bool {
    ["--", "auto", "list", "diagnose", "plan", "resume", "backup", "restore", "report", "ledger"]
        .iter()
        .any(|verb| command.starts_with(&format!("recover {verb}")))
        && !command.ends_with("--help")
}

/// Runs `line` after `before`, then every command it offers, each from the same beginning.
fn check(before: &[&str], line: &str) -> usize {
    let desk = Desk::new();
    for line in before {
        desk.paste(line);
    }
    let ran = desk.paste(line);
    desk.keep();
    let given = options(line);
    let place: Vec<&String> = given
        .iter()
        // The word that --sim has taken names no virtual enclosure.
        .filter(|o| *o != "--sim list")
        .filter(|o| ["--sim", "--home"].iter().any(|name| o.split(' ').next() == Some(name)))
        .collect();
    let commands = offered(&ran.text);
    for command in &commands {
        let wrong = |why: &str, text: &str| {
            panic!("$ {line}\n{}offers\n  {command}\n{why}\n{text}", ran.text)
        };
        if is_located(command) {
            for option in &place {
                // A bare --sim becomes its scenario.
                if !command.contains(option.as_str()) {
                    wrong(&format!("which loses {option}"), "");
                }
            }
        }
        let Some(command) = filled(command) else { continue };
        desk.put_back();
        let pasted = desk.paste(&command);
        let is_told = |wrong: &&str| {
            let forms = [format!("error[{wrong}]"), format!("failed {wrong}:")];
            forms.iter().any(|form| pasted.text.contains(form))
        };
        if pasted.code == 2 || WRONG.iter().any(is_told) {
            wrong(&format!("which ends with {} and", pasted.code), &pasted.text);
        }
    }
    commands.len()
}

#[test]
fn every_command_that_a_rescue_of_a_scenario_offers_can_be_pasted() {
    let mut offers = 0;
    for scenario in sim::scenarios() {
        offers += check(&[], &format!("recover --auto --sim {}", scenario.name));
        offers += check(&[], &format!("recover sim show {}", scenario.name));
        offers += check(&[], &format!("recover diagnose --sim {} --port 3-2", scenario.name));
    }
    assert!(offers > 150, "{offers}");
}

#[test]
fn every_command_that_an_interrupted_rescue_offers_can_be_pasted() {
    let mut part_written = 0;
    for number in [3, 20, 60, 100, 140, 200, 260, 320] {
        for target in ["sl11r-zeroed", "ezusb-blank --profile simulated-fx2lp --no-trial"] {
            let line = format!(
                "recover --auto --sim {target} --sim-state state --home 'a home' \
                 --fault unplug@{number}"
            );
            check(&[], &line);
            let desk = Desk::new();
            part_written += usize::from(desk.paste(&line).code == 3);
        }
    }
    assert!(part_written > 2, "{part_written}");
}

#[test]
fn every_command_of_an_error_can_be_pasted_and_keeps_what_was_chosen() {
    const ZEROS: &str = "head -c 600 /dev/zero > 'a b.bin'";
    const BACKUP: &str = "recover backup --sim sl11r-zeroed";
    const RESCUE: &str = "recover --auto --sim sl11r-zeroed";
    const OTHER: &str = "sleep 1; recover --auto --sim sl11r-blank";
    let cases: &[(&[&str], &str)] = &[
        (&[], "recover --auto --sim ezusb-wrong-ids --profile generic-fx2lp --ids 0925:3881"),
        (
            &[],
            "recover --auto --sim ezusb-wrong-ids --port 9-9 --profile generic-fx2lp --ids 0925:3881 --force",
        ),
        (&[], "recover --auto --sim unlisted-id --port 3-2"),
        (&[], "recover --auto --sim sl11r-zeroed --port 9-9 --sim-state s --home 'other place'"),
        (&[ZEROS], "recover --auto --sim sl11r-zeroed --image 'a b.bin'"),
        (&[ZEROS], "recover image check 'a b.bin' --chip sl11r"),
        (
            &[],
            "recover --auto --sim sl11r-zeroed,ez-otg-blank --profile simulated-sl11r --no-trial",
        ),
        (&[], "recover --auto --sim sl11r-zeroed:2"),
        (&[], "recover bench --auto --sim sl11r-zeroed,ezusb-blank"),
        (&[BACKUP, "sleep 1", BACKUP], "recover restore 2 --sim sl11r-zeroed --yes"),
        (&[], "recover restore nope --sim sl11r-zeroed"),
        (
            &["recover backup --sim sl11r-healthy --port 3-2 --interrupt-firmware"],
            "recover restore 2 --sim sl11r-healthy",
        ),
        (&[], "recover backup --sim sl11r-healthy --output x.bin"),
        (&[RESCUE, OTHER], "recover report 2 --sim sl11r-zeroed --html 'the page.html'"),
        (&[RESCUE, OTHER], "recover ledger show 2 --sim sl11r-zeroed"),
        (&[RESCUE], "recover ledger show nope --sim sl11r-zeroed"),
        (&[], "recover ledger list --sim sl11r-zeroed"),
        (&[], "recover resume --sim sl11r-zeroed --no-trial"),
        (&[], "recover --auto --sim ezusb-blank --profile simulated-fx2lp --ids 1209:0001"),
        (&[], "recover --auto --sim ezusb-blank --profile simulated-at2lp"),
        (&[], "recover --auto --sim sl11r-foreign --port 3-2 --profile sony-crx100e --force"),
        (&[], "recover --auto --sim sl11r-zeroed --profile nope --home q"),
        (&[], "recover --force --auto --sim sl11r-zeroed"),
        (&[], "recover image build --chip fx2lp --ids 04b4:8613 --output x.iic"),
        (&[], "recover --sim list"),
        (&[], "recover --sim"),
        (&[], "recover explain R999"),
        (&[], "recover list --sim unlisted-id"),
    ];
    for (before, line) in cases {
        let offers = check(before, line);
        assert!(offers > 0 || line.contains("image build"), "{line} offers nothing");
    }
}

/// What `line` offers.
fn offers_of(line: &str) -> Vec<String> {
    offered(&Desk::new().paste(line).text)
}

#[test]
fn the_profile_and_the_ids_stay_in_what_r101_offers() {
    let offers =
        offers_of("recover --auto --sim ezusb-wrong-ids --profile generic-fx2lp --ids 0925:3881");
    let same = "recover --auto --sim ezusb-wrong-ids";
    let target = "--profile generic-fx2lp --ids 0925:3881";
    assert_eq!(
        offers[..2],
        [format!("{same} --port 3-2 --as ezusb {target}"), format!("{same} {target} --wait")]
    );
}

#[test]
fn r101_says_what_is_at_the_port_and_knows_every_family() {
    let ran = Desk::new().paste("recover --auto --sim unlisted-id --port 3-2");
    let what = "the device at port 3-2 is 0bf6:9999, which is not a known chip in boot mode";
    assert!(ran.text.contains(what), "{}", ran.text);
    for family in ["cy16", "at2lp", "ezusb"] {
        let command = format!("recover diagnose --sim unlisted-id --port 3-2 --as {family}");
        assert!(offered(&ran.text).contains(&command), "{command}\n{}", ran.text);
    }
    assert!(ran.text.contains("open the EEPROM's SDA line"), "{}", ran.text);
    let ran = Desk::new().paste("recover --auto --sim --port 9-9 --force");
    assert!(ran.text.contains("nothing is connected at port 9-9"), "{}", ran.text);
    // The consent was for that port.
    let elsewhere = "recover --auto --sim sl11r-zeroed --port 3-2".to_owned();
    assert!(offered(&ran.text).contains(&elsewhere), "{}", ran.text);
}

#[test]
fn resume_is_offered_with_the_consents_that_were_given() {
    let line = "recover --auto --sim sl11r-zeroed --no-trial --yes --fault unplug@100";
    let resume = "recover resume --sim sl11r-zeroed --yes --no-trial".to_owned();
    assert!(offers_of(line).contains(&resume), "{:?}", offers_of(line));
}

#[test]
fn an_ambiguous_report_is_offered_with_its_file() {
    let desk = Desk::new();
    desk.paste("recover --auto --sim");
    desk.paste("recover --auto --sim sl11r-blank");
    let ran = desk.paste("recover report 2 --sim --html 'the page.html'");
    let offers = offered(&ran.text);
    assert_eq!(offers.len(), 2, "{}", ran.text);
    for offer in offers {
        assert!(offer.ends_with("--sim sl11r-zeroed --html 'the page.html'"), "{offer}");
    }
}

#[test]
fn every_placeholder_is_in_using() {
    let text = fs::read_to_string("docs/using.md").unwrap();
    for placeholder in PLACEHOLDERS {
        assert!(text.contains(&format!("`{placeholder}`")), "{placeholder}");
    }
}
