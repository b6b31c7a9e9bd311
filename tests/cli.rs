//! The program as it is typed: exit codes, streams, JSON, whole texts; on the simulator.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

use std::fs;
#[cfg(unix)]
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use assert_cmd::Command;
use recover::executor::Request;
use recover::sim::Fault;
use recover::usb::lock::PortLock;
use recover::usb::trace::Replayer;
use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_recover");
const SERIAL: &str = "R0C0FFEE0001";

/// A store of its own for every test.
struct Home(TempDir);

/// What a run left behind.
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn path(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        fs::write(self.file(name), bytes).unwrap();
        self.path(name)
    }

    /// Runs the program on the words of `line`, in which `@` begins a file in this home.
    fn run(&self, line: &str) -> Ran {
        let words = line.split_whitespace().map(|word| match word.strip_prefix('@') {
            Some(name) => self.path(name),
            None => word.to_owned(),
        });
        let output = Command::new(PROGRAM)
            .args(words)
            .env_clear()
            .env("RECOVER_HOME", self.file("home"))
            .output()
            .unwrap();
        Ran {
            code: output.status.code().unwrap_or_else(|| panic!("{line}: killed")),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs it and expects that exit code.
    fn expect(&self, code: i32, line: &str) -> Ran {
        let ran = self.run(line);
        assert_eq!(ran.code, code, "{line}\n{}{}", ran.stdout, ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{line}\n{}", ran.stderr);
        ran
    }

    /// The only backup there is.
    fn backup(&self) -> String {
        let listed = self.expect(0, "restore --list --sim").stdout;
        listed.split_whitespace().next().unwrap().to_owned()
    }

    /// Everything a run printed, with what differs from run to run replaced.
    fn told(&self, line: &str) -> String {
        let ran = self.run(line);
        assert!(!ran.stderr.contains("panicked"), "{line}\n{}", ran.stderr);
        format!(
            "$ recover {line}\nexit {}\n--- stdout\n{}--- stderr\n{}",
            ran.code,
            self.steady(&ran.stdout),
            self.steady(&ran.stderr)
        )
    }

    fn steady(&self, text: &str) -> String {
        text.replace(&self.0.path().display().to_string(), "[HOME]")
    }
}

impl Ran {
    fn objects(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}")))
            .collect()
    }
}

/// The first transfer at which pulling the plug leaves the scenario's device part written.
fn first_written(scenario: &str) -> u64 {
    let scenario = crate::support::scenario(scenario);
    let leaves_it_written = |number: &u64| {
        let mut desk = crate::support::Desk::new(scenario);
        desk.disturb(*number, Fault::Unplug(Duration::ZERO));
        desk.rescue(&Request::default()).exit_code() == 3
    };
    (1..1000).find(leaves_it_written).unwrap()
}

/// Snapshots of whole texts: dates, hashes and processes are replaced.
fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("cli");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d", "[DATE]");
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]");
    settings.add_filter(r"\b[0-9a-f]{64}\b", "[SHA-256]");
    settings.add_filter(r"SHA-256 [0-9a-f]{16}…", "SHA-256 [SHA-256]…");
    settings.add_filter(
        r"\d+ transfers, [0-9.]+ s; EEPROM phase [0-9.]+ s",
        "[N] transfers, [TIME]; EEPROM phase [TIME]",
    );
    settings.add_filter(r"unplug@\d\d+", "unplug@[WRITE]");
    settings.add_filter(r"process \d+ \([^)]*\)", "process [PROCESS]");
    settings
}

#[test]
fn a_bare_recover_prints_its_help_and_is_a_usage_error() {
    let ran = Home::new().expect(2, "");
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("Usage: recover") && ran.stderr.contains("Examples:"));
}

#[test]
fn a_rescue_tells_its_story_on_stderr_and_its_result_on_stdout() {
    let home = Home::new();
    settings().bind(|| insta::assert_snapshot!("rescue", home.told("--auto --sim")));
}

#[test]
fn a_plan_is_shown_and_nothing_is_written() {
    let home = Home::new();
    let ran = home.expect(0, "plan --sim --sim-state @state");
    assert!(ran.stdout.starts_with("done: the device at port 3-2 was only read"), "{}", ran.stdout);
    assert!(ran.stderr.contains("write the signature b6c3"), "{}", ran.stderr);
    assert!(ran.stderr.contains("  - No SL11R data sheet is public."), "{}", ran.stderr);
    let kept = fs::read_to_string(home.file("state")).unwrap();
    assert!(!kept.contains("b6c3"), "the plan was carried out");
    assert_eq!(home.expect(0, "--auto --dry-run --sim").stdout.lines().count(), 4);
}

#[test]
fn commands_that_only_look_print_data_on_stdout_and_nothing_else() {
    let home = Home::new();
    let image = home.write("image.bin", crate::support::scenario("sl11r-zeroed").factory_image());
    assert!(image.ends_with("image.bin"));
    for (line, shown) in [
        ("list --sim", "unknown QT processor"),
        ("list --sim unlisted-id", "the only USB device is not a known chip"),
        ("list --all --sim unlisted-id", "not a known chip"),
        ("list --sim sl11r-healthy", "healthy"),
        ("sim list", "sl11r-zeroed"),
        ("sim show sl11r-zeroed", "try it: recover --auto --sim sl11r-zeroed"),
        ("profile list", "sony-crx100e"),
        ("profile show sony-crx100e", "CDRW0008.BIN"),
        ("profile check @", "no errors"),
        ("image inspect @image.bin", "for a ScanLogic SL11R"),
        ("image inspect @image.bin --chip sl11r", "for a ScanLogic SL11R"),
        ("image check @image.bin --chip sl11r", "pre-flight: starts as 04ce:0002"),
        ("udev-rules", "04ce"),
    ] {
        let ran = home.expect(0, line);
        assert!(ran.stdout.contains(shown), "{line}\n{}", ran.stdout);
        assert_eq!(ran.stderr, "", "{line}");
        let json = home.expect(0, &format!("{line} --json"));
        assert_eq!(json.stderr, "", "{line}");
        assert!(!json.objects().is_empty(), "{line}");
    }
}

#[test]
fn a_diagnosis_reads_judges_and_keeps_a_backup() {
    let home = Home::new();
    let ran = home.expect(0, "diagnose --sim sl11r-half-written");
    assert!(ran.stderr.contains("EEPROM:"), "{}", ran.stderr);
    assert!(ran.stdout.contains(&home.backup()), "{}", ran.stdout);
    let asked = home.expect(0, "diagnose --sim unlisted-id --port 3-2 --as cy16");
    assert!(asked.stderr.contains("chip proven"), "{}", asked.stderr);
}

/// The keys that scripts rest on.
fn check_outcome(outcome: &Value, line: &str) {
    assert_eq!(outcome["event"], "outcome", "{line}");
    for key in [
        "result",
        "identity",
        "device_state",
        "backup",
        "transfers",
        "write_cycles",
        "device_time_ms",
        "limit_ms",
    ] {
        assert!(outcome.get(key).is_some(), "{line}: no {key}");
    }
    for key in ["expected", "seen"] {
        assert!(outcome["identity"].get(key).is_some(), "{line}: no identity.{key}");
    }
}

#[test]
fn json_is_one_object_a_line_and_ends_in_the_outcome() {
    for (code, result, line) in [
        (0, "rescued", "--auto --sim"),
        (0, "rescued", "--auto --sim ez-otg-blank --profile simulated-ez-otg"),
        (0, "healthy", "--auto --sim sl11r-healthy"),
        (0, "planned", "plan --sim"),
        (0, "planned", "diagnose --sim"),
        (0, "planned", "backup --sim"),
        (1, "failed", "--auto --sim sl11r-lying-writes"),
        (1, "failed", "resume --sim"),
        (1, "failed", "--auto --sim --image @none.bin"),
        (1, "failed", "restore nothing --sim"),
        (2, "failed", "--auto --sim no-such-scenario"),
        (2, "failed", "--auto --sim --profile no-such-profile"),
        (3, "failed", &format!("--auto --sim --fault unplug@{}", first_written("sl11r-zeroed"))),
        (4, "failed", "--auto --sim ez-otg-devboard"),
    ] {
        let ran = Home::new().expect(code, &format!("{line} --json"));
        let objects = ran.objects();
        let (last, others) = objects.split_last().unwrap();
        check_outcome(last, line);
        assert_eq!(last["result"], result, "{line}");
        assert_eq!(ran.stderr, "", "{line}");
        assert!(others.iter().all(|object| object["event"].is_string()), "{line}");
        assert!(others.iter().all(|object| object["event"] != "outcome"), "{line}");
        let failed = others.iter().find(|object| object["event"] == "failed");
        assert_eq!(failed.is_some(), result == "failed", "{line}");
        if let Some(failed) = failed {
            assert!(!failed["next"].as_array().unwrap().is_empty(), "{line}");
            assert_eq!(last["failure"]["code"], failed["code"], "{line}");
        }
    }
}

#[test]
fn a_rescue_in_json_tells_who_came_back_and_what_it_cost() {
    let ran = Home::new().expect(0, "--auto --sim --json");
    let objects = ran.objects();
    let outcome = objects.last().unwrap();
    assert_eq!(outcome["device_state"], "restored");
    assert_eq!(outcome["identity"]["expected"], outcome["identity"]["seen"]);
    assert_eq!(outcome["identity"]["seen"]["ids"], "04ce:0002");
    assert!(outcome["transfers"].as_u64().unwrap() > 0);
    assert!(outcome["write_cycles"].as_u64().unwrap() > 0);
    let (time, limit) = (&outcome["device_time_ms"], &outcome["limit_ms"]);
    assert!(time.as_f64().unwrap() > limit.as_f64().unwrap() && limit.as_f64().unwrap() > 0.0);
}

#[test]
fn an_interrupted_rescue_exits_3_and_resume_finishes_it() {
    let home = Home::new();
    let number = first_written("sl11r-zeroed") + 5;
    let ran = home.expect(3, &format!("--auto --sim --sim-state @state --fault unplug@{number}"));
    assert!(ran.stderr.contains("recover resume"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    let resumed = home.expect(0, "resume --sim --sim-state @state");
    assert!(resumed.stdout.starts_with("rescued:"), "{}", resumed.stdout);
    assert!(resumed.stderr.contains("was not finished"), "{}", resumed.stderr);
    home.expect(1, "resume --sim --sim-state @state");
    let again = home.expect(0, "--auto --sim --sim-state @state");
    assert!(again.stdout.starts_with("healthy:"), "{}", again.stdout);
}

#[test]
fn an_interrupted_rescue_is_finished_by_auto_as_well() {
    let home = Home::new();
    let scenario = "--sim sl11r-blank --sim-state @state";
    let number = first_written("sl11r-blank");
    home.expect(3, &format!("--auto {scenario} --fault unplug@{number}"));
    home.expect(0, &format!("--auto {scenario}"));
}

#[test]
fn a_restored_backup_brings_the_old_bytes_back() {
    let home = Home::new();
    let scenario = "--sim sl11r-half-written --sim-state @state";
    home.expect(0, &format!("backup {scenario}"));
    let before = fs::read_to_string(home.file("state")).unwrap();
    let backup = home.backup();
    home.expect(0, &format!("--auto {scenario}"));
    assert_ne!(fs::read_to_string(home.file("state")).unwrap(), before);
    let ran = home
        .expect(0, &format!("restore {backup} {scenario} --port 3-2 --replace-running-firmware"));
    assert!(ran.stdout.starts_with("restored:"), "{}", ran.stdout);
    assert_eq!(fs::read_to_string(home.file("state")).unwrap(), before);
}

#[test]
fn backups_are_listed_and_a_file_is_not_overwritten() {
    let home = Home::new();
    assert_eq!(home.expect(0, "restore --list --sim").stdout, "");
    let ran = home.expect(0, "backup --sim sl11r-half-written --output @copy.bin");
    let id = home.backup();
    assert!(ran.stdout.contains(&id), "{}", ran.stdout);
    let bytes = fs::read(home.file("copy.bin")).unwrap();
    assert_eq!(bytes, fs::read(home.file(&format!("home/simulator/backups/{id}.bin"))).unwrap());
    let listed = home.expect(0, "restore --list --sim --json").objects();
    assert_eq!(listed[0]["id"], id);
    assert_eq!(home.expect(0, "restore --list").stdout, "", "practice is among the real backups");

    home.write("mine.bin", b"mine");
    let ran = home.expect(1, "backup --sim --output @mine.bin");
    assert!(ran.stderr.contains("error[R506]"), "{}", ran.stderr);
    assert_eq!(fs::read(home.file("mine.bin")).unwrap(), b"mine");
}

#[test]
fn a_profile_learnt_from_a_twin_rescues_the_next_one() {
    let home = Home::new();
    let line = "profile learn --sim at2lp-healthy-oem --port 3-2 --as at2lp --name twin";
    let told = home.expect(0, line).stderr;
    assert!(told.contains("profile made: twin, with an image of 170 bytes"), "{told}");
    home.expect(0, "profile show twin");
    home.expect(0, "profile check");
    let rescued = home.expect(0, "--auto --sim at2lp-rc42 --profile twin");
    assert!(rescued.stdout.contains("1209:6830"), "{}", rescued.stdout);
    let again = home.expect(2, line).stderr;
    assert!(again.contains("error[R311]"), "{again}");
    let blank = home.expect(1, "profile learn --json --sim at2lp-rc42").objects();
    assert_eq!(blank.last().unwrap()["failure"]["code"], "R117");
}

/// Every kind of failure, as its reader sees it.
#[test]
fn failures_say_what_happened_where_what_the_device_is_and_what_next() {
    let factory = crate::support::scenario("sl11r-zeroed").factory_image();
    for (name, line) in [
        ("unknown-scenario", "--auto --sim no-such"),
        ("unknown-scenario-shown", "sim show no-such"),
        ("unknown-profile", "--auto --sim --profile no-such"),
        ("unknown-profile-shown", "profile show no-such"),
        ("unknown-chip", "image check @good.bin --chip no-such"),
        ("unknown-family", "diagnose --sim --port 3-2 --as no-such"),
        ("unknown-fault", "--auto --sim --fault melt@3"),
        ("unknown-backup", "restore no-such --sim"),
        ("missing-image", "--auto --sim --image @none.bin"),
        ("zero-image", "--auto --sim --image @zero.bin"),
        ("truncated-image", "image check @cut.bin --chip sl11r"),
        ("image-of-a-profile", "--auto --sim --profile sony-crx100e"),
        ("other-chip", "--auto --sim --profile simulated-ez-otg"),
        ("missing-folder", "profile check @none"),
        ("unwritable-home", "--auto --sim --home @good.bin"),
        ("unwritable-trace", "--auto --sim --trace @none/trace"),
        ("broken-state", "--auto --sim --sim-state @good.bin"),
        ("existing-output", "backup --sim --output @good.bin"),
        ("nothing-to-resume", "resume --sim"),
        ("as-without-port", "diagnose --sim --as cy16"),
        ("bad-port", "diagnose --sim --port x"),
        ("no-device-at-port", "--auto --sim --port 9-9"),
        ("auto-with-a-command", "--auto list --sim"),
        ("stray-option", "--yes list --sim"),
        ("restore-with-an-image", "restore ID --sim --image @good.bin"),
        ("unlisted-id", "--auto --sim unlisted-id"),
        ("needs-a-choice", "--auto --sim ez-otg-devboard"),
        ("dead-eeprom", "--auto --sim sl11r-dead-eeprom"),
        ("write-protected", "--auto --sim sl11r-write-protected"),
        ("stuck-byte", "--auto --sim sl11r-stuck-byte"),
        ("lying-writes", "--auto --sim sl11r-lying-writes"),
        ("small-eeprom", "--auto --sim sl11r-small-eeprom"),
        ("no-eeprom", "diagnose --sim ez-otg-no-eeprom"),
        ("unplugged-early", "--auto --sim --fault unplug@3"),
        ("unplugged-midway", "--auto --sim --fault unplug@WRITE"),
    ] {
        let home = Home::new();
        home.write("good.bin", factory);
        home.write("zero.bin", &[0; 512]);
        home.write("cut.bin", &factory[..factory.len() / 2]);
        let line = match line.strip_suffix("WRITE") {
            Some(line) => format!("{line}{}", first_written("sl11r-zeroed")),
            None => line.to_owned(),
        };
        let told = home.told(&line);
        assert!(!told.contains("exit 0"), "{told}");
        settings().bind(|| insta::assert_snapshot!(name, told));
    }
}

#[test]
fn the_second_run_on_a_port_is_told_who_has_it() {
    let home = Home::new();
    let folder = home.file("home/simulator/locks");
    let date = "2026-11-22T10:02:00Z".parse().unwrap();
    let lock = PortLock::take(&folder, &crate::support::port(), date).unwrap();
    let ran = home.expect(1, "--auto --sim");
    assert!(ran.stderr.contains("error[R404]"), "{}", ran.stderr);
    let process = format!("process {} ", std::process::id());
    assert!(ran.stderr.contains(&process), "{}", ran.stderr);
    settings().bind(|| insta::assert_snapshot!("port-in-use", home.told("--auto --sim")));
    drop(lock);
    home.expect(0, "--auto --sim");
}

#[test]
fn a_trace_of_a_run_can_be_replayed() {
    let home = Home::new();
    home.expect(0, "--auto --sim ez-otg-blank --profile simulated-ez-otg --trace @trace.jsonl");
    let bytes = fs::read(home.file("trace.jsonl")).unwrap();
    let mut replay = Replayer::read(bytes.as_slice()).unwrap();
    assert!(replay.lines_left() > 100);
    let mut desk = crate::support::Desk::new(crate::support::scenario("ez-otg-blank"));
    let outcome = desk.run_on(&mut replay, |session| {
        session.rescue(&crate::support::with_profile(&crate::support::simulated("ez-otg")))
    });
    assert_eq!(replay.difference(), None);
    assert_eq!(outcome.exit_code(), 0, "{:?}", outcome.failure);
    assert_eq!(replay.lines_left(), 0);
}

#[test]
fn a_masked_trace_holds_no_serial_number() {
    for line in [
        "--auto --sim ez-otg-half-written --profile simulated-ez-otg",
        "--auto --sim ez-otg-blank --image @image.bin",
        "diagnose --sim ez-otg-healthy --port 3-2 --interrupt-firmware",
    ] {
        let home = Home::new();
        home.write("image.bin", crate::support::scenario("ez-otg-blank").factory_image());
        let forms = |text: &str| {
            let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            [text.to_owned(), hex::encode(text), hex::encode(utf_16)]
        };
        home.expect(0, &format!("{line} --trace @kept.jsonl"));
        let kept = fs::read_to_string(home.file("kept.jsonl")).unwrap();
        assert!(forms(SERIAL).iter().any(|form| kept.contains(form)), "{line}: nothing to mask");

        home.expect(0, &format!("{line} --trace @masked.jsonl --mask-serials"));
        let masked = fs::read_to_string(home.file("masked.jsonl")).unwrap();
        for form in forms(SERIAL) {
            assert!(!masked.contains(&form), "{line}: {form}");
        }
        let replay = Replayer::read(masked.as_bytes()).unwrap();
        assert_eq!(replay.lines_left() + 1, masked.lines().count());
    }
}

#[test]
fn a_closed_pipe_ends_nothing() {
    for line in ["--auto --sim", "--auto --sim --json", "sim list", "--help", "udev-rules"] {
        let home = Home::new();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Process::new(PROGRAM)
            .args(line.split_whitespace())
            .env("RECOVER_HOME", home.file("home"))
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{line}: {stderr}");
        assert!(!stderr.contains("panicked"), "{line}: {stderr}");
    }
}

#[test]
fn more_is_logged_when_asked_for() {
    let home = Home::new();
    let plain = home.expect(0, "diagnose --sim").stderr.lines().count();
    let transfers = home.expect(0, "diagnose --sim -vv").stderr.lines().count();
    let bytes = home.expect(0, "diagnose --sim -vvv").stderr.lines().count();
    assert!(plain < transfers && transfers < bytes, "{plain}, {transfers}, {bytes}");
}

#[test]
fn every_command_has_help_with_an_example() {
    let mut checked = 0;
    check_help(&recover::cli::definition(), "", &mut checked);
    assert!(checked > 10, "{checked}");
}

fn check_help(command: &clap::Command, path: &str, checked: &mut u32) {
    let ran = Home::new().expect(0, &format!("{path} --help"));
    assert_eq!(ran.stderr, "", "{path}");
    assert!(ran.stdout.contains("Usage:"), "{path}");
    let holds_commands_only = !path.is_empty() && command.has_subcommands();
    if !holds_commands_only {
        let example = format!("\n  recover {path}");
        assert!(ran.stdout.contains(example.trim_end()), "{path} --help shows no example");
        *checked += 1;
    }
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        check_help(inner, format!("{path} {}", inner.get_name()).trim(), checked);
    }
}

/// A bench in lines ends as one on a screen does: what it has begun to write goes on to its end.
#[test]
#[cfg(unix)]
fn an_interrupted_bench_ends_its_writes() {
    let home = Home::new();
    let mut bench = Process::new(PROGRAM)
        .args(["bench", "--auto", "--json", "--pace", "4"])
        .args(["--sim", "sl11r-zeroed:2", "--home", &home.path("home")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(bench.stdout.take().unwrap()).lines().map(Result::unwrap);
    let writes = |line: &String| line.contains(r#""event":"progress","work":"write""#);
    assert!(lines.any(|line| writes(&line)), "it never began to write");
    let pid = bench.id().to_string();
    assert!(Process::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    assert!(rest.iter().any(|line| line.contains(r#""result":"rescued""#)), "{rest:#?}");
    assert!(
        !rest.iter().any(|line| line.contains(r#""device_state":"part-written""#)),
        "{rest:#?}"
    );
    assert!(rest.last().unwrap().contains(r#""event":"summary""#), "{rest:#?}");
    // The other unit had begun to write, was stopped before it did, or had not come yet.
    assert!(matches!(bench.wait().unwrap().code(), Some(0 | 1)));
}
