//! A home of its own for every test: the program in it, its ledger, units that are kept by hand.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use recover::chip::{IdMeaning, Identity};
use recover::executor::{Event, Observer};
use recover::ledger::{Keeper, Ledger, LedgerError};
use recover::rescue::{Outcome, RunKind, Verdict};
use recover::sim::SimBus;
use recover::usb::{Bus, Ids};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_recover");

/// What a device may call itself: markup, an escape sequence, a formula, turned reading.
pub const HOSTILE: &str = "=cmd|' /C calc'!A0<script>alert(1)</script>\u{1b}[2J\r\n\u{202e}&\"'";

/// A home of its own for every test.
pub struct Home(TempDir);

impl Home {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The simulator's ledger.
    pub fn ledger(&self) -> PathBuf {
        self.file("simulator/ledger.sqlite3")
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        let path = |name: &str| self.file(name).display().to_string();
        command
            .args(line.split_whitespace().map(|word| match word.strip_prefix('@') {
                Some(name) => path(name),
                None => word.to_owned(),
            }))
            .env_clear()
            .env("RECOVER_HOME", self.0.path())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, line: &str) -> Output {
        let output = self.command(line).output().unwrap();
        assert!(!text(&output.stderr).contains("panicked"), "{line}\n{}", text(&output.stderr));
        output
    }

    pub fn expect(&self, code: i32, line: &str) -> (String, String) {
        let output = self.run(line);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{line}\n{out}{err}");
        (out, err)
    }

    pub fn objects(&self, line: &str) -> Vec<Value> {
        let (out, _) = self.expect(0, line);
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn spawn(&self, line: &str) -> Child {
        self.command(line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// What was printed, with what differs from run to run replaced.
    pub fn told(&self, line: &str) -> String {
        let output = self.run(line);
        let steady =
            |bytes: &[u8]| text(bytes).replace(&self.0.path().display().to_string(), "[HOME]");
        format!(
            "$ recover {line}\nexit {}\n--- stdout\n{}--- stderr\n{}",
            output.status.code().unwrap(),
            steady(&output.stdout),
            steady(&output.stderr)
        )
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Whether the file is sound and every unit in it whole; how many there are.
pub fn whole_units(path: &Path) -> u32 {
    let connection = Connection::open(path).unwrap();
    let one = |sql: &str| connection.query_row(sql, (), |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(one("PRAGMA integrity_check"), "ok");
    let number = |sql: &str| connection.query_row(sql, (), |row| row.get::<_, u32>(0)).unwrap();
    let halves = "SELECT count(*) FROM units
        WHERE steps <> (SELECT count(*) FROM steps WHERE unit = units.id)";
    assert_eq!(number(halves), 0, "a unit without all of its steps");
    let orphans = "SELECT count(*) FROM steps WHERE unit NOT IN (SELECT id FROM units)";
    assert_eq!(number(orphans), 0, "steps without their unit");
    number("SELECT count(*) FROM units")
}

/// A run as its events tell it, kept in the ledger at `path`.
pub fn keep(path: &Path, identity: &Identity, label: Option<&str>) -> Result<String, LedgerError> {
    let bus = SimBus::starting_at("2026-11-22T10:02:33.5Z".parse().unwrap());
    let mut keeper = Keeper::new(Ledger::new(path), bus.clock());
    if let Some(label) = label {
        keeper = keeper.at_label(label);
    }
    let port = SimBus::scenario_port();
    keeper.observe(&Event::Sighted {
        port: port.clone(),
        ids: identity.ids,
        name: identity.product.clone().unwrap_or_default(),
        detail: "a device".to_owned(),
        id_meaning: IdMeaning::BootId,
        identity: identity.clone(),
    });
    let mut outcome = Outcome::begun();
    outcome.work = Some(RunKind::Rescue);
    outcome.result = Verdict::Healthy;
    outcome.port = Some(port);
    outcome.identity.seen = Some(identity.clone());
    outcome.notes = vec![identity.product.clone().unwrap_or_default()];
    keeper.observe(&Event::Outcome { outcome: Box::new(outcome) });
    keeper.into_kept().unwrap()
}

pub fn identity(text: &str) -> Identity {
    Identity {
        ids: Ids::new(0x1209, 0x0001),
        bcd_device: None,
        interface_class: None,
        manufacturer: Some(text.to_owned()),
        product: Some(text.to_owned()),
        serial: Some(text.to_owned()),
    }
}
