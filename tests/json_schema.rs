//! What `--json` prints is what docs/json.schema.json says: every command that prints data is
//! run, and every object it prints is held against the schema.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use jsonschema::Validator;
use serde_json::{Value, json};

const IMAGE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/recovery-images/cy16/simulated-sl11r/factory.bin");

/// Kinds that need root, a relay board, or a bench that goes wrong, and parts of others.
const NOT_PROVOKED: &[&str] = &[
    "attached",
    "confidence",
    "event-blind",
    "event-given-up",
    "event-in-flight",
    "event-left",
    "event-place",
    "event-skipped",
    "event-stuck",
    "event-switched",
    "failure",
    "identity",
    "plugged",
    "relay-board",
    "relay-change",
];

fn schema() -> Value {
    serde_json::from_str(&fs::read_to_string("docs/json.schema.json").unwrap()).unwrap()
}

/// A validator for each kind of object.
fn kinds(schema: &Value) -> BTreeMap<String, Validator> {
    let names = schema["$defs"].as_object().unwrap().keys();
    let of = |name: &String| {
        let one = json!({ "$ref": format!("#/$defs/{name}"), "$defs": schema["$defs"] });
        (name.clone(), jsonschema::validator_for(&one).unwrap())
    };
    names.map(of).collect()
}

/// What a line prints: one value, or one a line.
fn printed(folder: &Path, line: &str) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_recover"))
        .args(line.split_whitespace())
        .current_dir(folder)
        .env_clear()
        .env("RECOVER_HOME", folder.join("home"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    if let Ok(whole) = serde_json::from_str(&text) {
        return vec![whole];
    }
    let object = |one: &str| {
        serde_json::from_str(one).unwrap_or_else(|error| panic!("$ recover {line}\n{one}: {error}"))
    };
    text.lines().map(object).collect()
}

/// The lines of a desk, one after the other.
fn lines() -> Vec<String> {
    let mut lines: Vec<String> = [
        "list --all --sim sl11r-zeroed,sl11r-foreign,at2lp-rc42,ezusb-healthy",
        "--auto --sim",
        "auto --sim sl11r-zeroed --fault unplug@100",
        "plan --sim at2lp-rc42",
        "diagnose --sim ez-otg-blank",
        "backup --sim ezusb-blank --output dump.bin",
        "restore --list --sim",
        "restore no-such --sim",
        "resume --sim",
        "bench --auto --sim sl11r-zeroed,ezusb-blank,sl11r-healthy,sl11r-foreign,at2lp-rc42",
        "--auto --all --sim sl11r-zeroed,sl11r-dead-eeprom",
        "profile learn --sim at2lp-healthy-default",
        "profile list",
        "profile show sony-crx100e",
        "profile check",
        "profile check broken",
        "ledger list --sim",
        "ledger export --format json --sim",
        "report 2 --sim sl11r-zeroed --html page.html",
        "image build --chip fx2lp --ids 1209:0001 --output made.iic",
        "sim list",
        "supported",
        "explain",
        "udev-rules",
    ]
    .map(str::to_owned)
    .into();
    lines.push(format!("image inspect {IMAGE}"));
    lines.push(format!("image check {IMAGE} --chip sl11r"));
    for scenario in recover::sim::scenarios() {
        lines.push(format!("diagnose --sim {} --port 3-2 --interrupt-firmware", scenario.name));
        lines.push(format!("--auto --sim {}", scenario.name));
    }
    lines
}

#[test]
fn every_object_that_is_printed_is_one_of_the_schema() {
    let schema = schema();
    let whole = jsonschema::validator_for(&schema).unwrap();
    let kinds = kinds(&schema);
    let folder = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        let path = folder.path().join("broken").join(name);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("profile.toml"), "colour = \"grey\"\n").unwrap();
    }
    let mut seen = BTreeSet::new();
    for line in lines() {
        let mut line = format!("{line} --json");
        if line.contains("report 2 ") {
            let units = printed(folder.path(), "ledger list --sim --json");
            let id = units.first().unwrap()["id"].as_str().unwrap().to_owned();
            line = line.replace("report 2 ", &format!("report {id} "));
        }
        let objects = printed(folder.path(), &line);
        assert!(!objects.is_empty(), "$ recover {line} prints nothing");
        for object in objects {
            assert!(whole.is_valid(&object), "$ recover {line}\n{}", explained(&kinds, &object));
            let fitting = kinds.iter().filter(|(_, kind)| kind.is_valid(&object));
            seen.extend(fitting.map(|(name, _)| name.clone()));
        }
    }
    let missing: Vec<_> = kinds.keys().filter(|kind| !seen.contains(*kind)).collect();
    assert_eq!(missing, NOT_PROVOKED);
}

/// Why an object is of no kind, by the kind of its event where it is one.
fn explained(kinds: &BTreeMap<String, Validator>, object: &Value) -> String {
    let event = object["event"].as_str().map(|event| format!("event-{event}"));
    let why =
        event.and_then(|event| kinds.get(&event)?.validate(object).err().map(|e| e.to_string()));
    format!("{object}\n{}", why.unwrap_or_default())
}

#[test]
fn an_object_with_a_key_more_or_a_key_less_is_none_of_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for line in ["--auto --sim --json", "list --sim --json", "supported --json", "sim list --json"]
    {
        for object in printed(folder.path(), line) {
            let object = object.as_object().unwrap();
            let mut more = object.clone();
            more.insert("no_such_key".to_owned(), Value::Null);
            assert!(!validator.is_valid(&Value::Object(more)), "{object:?}");
            let mut less = object.clone();
            for key in ["event", "chip", "scenario", "profile"] {
                less.remove(key);
            }
            assert!(!validator.is_valid(&Value::Object(less)), "{object:?}");
        }
    }
}
