//! Relay boards behind real serial devices (pseudo terminals), driven by the program as people
//! call it.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn recover(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recover"));
    command.env_remove("RECOVER_HOME").arg("--home").arg(home);
    command
}

/// A folder with a bench file for one board on `device` and the simulator's port.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new(kind: &str) -> Self {
        let place = Self { folder: TempDir::new().unwrap() };
        let text = format!(
            "[[board]]\nname = \"left\"\ndevice = \"{}\"\nkind = \"{kind}\"\n\n\
             [[port]]\npath = \"3-2\"\nlabel = \"A1\"\n\
             power = {{ board = \"left\", channel = 1 }}\n\
             contact = {{ board = \"left\", channel = 2 }}\n",
            place.device().display()
        );
        let one_relay = text.replace("contact = { board = \"left\", channel = 2 }\n", "");
        let text = if matches!(kind, "aa-bb" | "letter") { one_relay } else { text };
        fs::write(place.bench(), text).unwrap();
        place
    }

    fn device(&self) -> PathBuf {
        self.folder.path().join("relays")
    }

    fn bench(&self) -> PathBuf {
        self.folder.path().join("bench.toml")
    }

    fn rescue(&self, board: &str) -> Output {
        recover(self.folder.path())
            .args(["--auto", "--sim", "ezusb-blank", "--profile", "simulated-fx2lp", "--json"])
            .arg("--bench-config")
            .arg(self.bench())
            .arg(format!("--sim-relay={board}={}", self.device().display()))
            .output()
            .unwrap()
    }
}

#[test]
fn every_kind_of_board_restarts_an_enclosure_through_its_serial_device() {
    for kind in ["lcus", "aa-bb", "letter", "numato"] {
        let output = Place::new(kind).rescue(kind);
        let out = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{kind}: {out}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(out.contains(r#""what":"power-off","by":"relay""#), "{kind}: {out}");
        assert!(out.contains(r#""what":"power-on","by":"relay""#), "{kind}: {out}");
        assert!(!out.contains(r#""event":"asked""#), "{kind}: {out}");
    }
}

/// The failure of a run, as JSON text.
fn failure(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success(), "{out}");
    out
}

#[test]
fn a_board_that_should_answer_and_does_not_is_told_by_its_line() {
    let out = failure(&Place::new("numato").rescue("mute"));
    assert!(out.contains("R603") && out.contains("bench.toml, line 3"), "{out}");
}

#[test]
fn a_serial_device_that_is_missing_or_no_line_is_told_by_its_line() {
    let place = Place::new("lcus");
    let run = || {
        let bench = place.bench();
        recover(place.folder.path())
            .args(["--auto", "--sim", "ezusb-blank", "--json", "--bench-config"])
            .arg(bench)
            .output()
            .unwrap()
    };
    let out = failure(&run());
    assert!(out.contains("R602") && out.contains("bench.toml, line 3"), "{out}");
    fs::write(place.device(), "").unwrap();
    let out = failure(&run());
    assert!(out.contains("R605") && out.contains("bench.toml, line 3"), "{out}");
}

#[test]
fn a_bad_bench_file_is_told_by_its_line() {
    let place = Place::new("lcus");
    fs::write(place.bench(), "[[port]]\npath = \"three\"\n").unwrap();
    let output = recover(place.folder.path())
        .args(["--auto", "--sim", "ezusb-blank", "--bench-config"])
        .arg(place.bench())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("error[R601]") && text.contains("bench.toml, line 2"), "{text}");
}

/// A numato board played by the test, so that the program can be stopped where it is to be.
struct Played {
    pty: recover::sim::pty::Pty,
}

impl Played {
    /// Answers commands until one is `stop`, which is left without an answer.
    fn until(&mut self, stop: &str) {
        loop {
            let command = self.command();
            if command == stop {
                return;
            }
            self.answer(&command);
        }
    }

    fn command(&mut self) -> String {
        let mut text = Vec::new();
        while text.last() != Some(&b'\r') {
            let mut byte = [0];
            self.pty.board_end().read_exact(&mut byte).unwrap();
            text.extend(byte);
        }
        text.pop();
        String::from_utf8(text).unwrap()
    }

    fn answer(&mut self, command: &str) {
        self.pty.board_end().write_all(format!("{command}\r\n\r>").as_bytes()).unwrap();
    }
}

#[test]
fn a_program_that_is_terminated_leaves_the_relays_safe() {
    let place = Place::new("numato");
    let mut board = Played { pty: recover::sim::pty::Pty::open().unwrap() };
    board.pty.link(&place.device()).unwrap();
    let mut program = recover(place.folder.path())
        .args(["--auto", "--sim", "ezusb-blank", "--profile", "simulated-fx2lp", "--bench-config"])
        .arg(place.bench())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The power is being taken away: the relay in the NC line is energised.
    board.until("relay on 0");
    let id = program.id().to_string();
    // The board is slow to answer: the program notices the signal in a thread of its own, and would
    // else be done before that in virtual time.
    let kill = ["-c", "kill -TERM $0 && sleep 0.5", &id];
    assert!(Command::new("sh").args(kill).status().unwrap().success());
    // Its contacts, then its power, whatever else is said in between.
    board.answer("relay on 0");
    let mut said = Vec::new();
    while !said.ends_with(&["relay off 1".to_owned(), "relay off 0".to_owned()]) {
        let command = board.command();
        board.answer(&command);
        said.push(command);
        assert!(said.len() < 20, "{said:?}");
    }
    assert_eq!(program.wait().unwrap().code(), Some(130));
}

#[test]
fn a_board_of_its_own_tells_who_moves() {
    let folder = TempDir::new().unwrap();
    let link = folder.path().join("relays");
    let mut board = recover(folder.path())
        .args(["sim", "relay", "--kind", "lcus", "--device"])
        .arg(&link)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(board.stdout.take().unwrap()).lines();
    let device = lines.next().unwrap().unwrap();
    assert_eq!(fs::read_link(&link).unwrap(), Path::new(&device));
    let mut line = fs::OpenOptions::new().write(true).open(&link).unwrap();
    line.write_all(&[0xa0, 3, 1, 0xa4, 0xa0, 3, 0, 0xa3]).unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "relay 3 on");
    assert_eq!(lines.next().unwrap().unwrap(), "relay 3 off");
    board.kill().unwrap();
    board.wait().unwrap();
}
