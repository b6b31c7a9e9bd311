//! One unit that passed, as the ledger keeps it and as `recover ledger … --json` prints it.
//!
//! Texts that a device or a file has named are as they came but for their length, control
//! characters included: whoever shows them escapes them for the place ([`super::text`]).

use jiff::Timestamp;
use serde::Serialize;

use crate::chip::Identity;

/// One unit that passed. Words such as the result are those of the JSON events.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Unit {
    /// Its name: date and time (UTC) and chip.
    pub id: String,
    /// When the run began.
    pub began: Timestamp,
    /// What was asked for: `rescue`, `restore`.
    pub work: String,
    /// Version of the program.
    pub program: String,
    /// The port's path.
    pub port: String,
    /// What is printed on the bench beside the port.
    pub port_label: Option<String>,
    /// What its owner would call it.
    pub name: String,
    /// What that is.
    pub detail: String,
    /// What its id says of its health.
    pub standing: String,
    /// What it presented itself as at first.
    pub identity_before: Option<Identity>,
    /// What it was to present itself as.
    pub identity_expected: Option<Identity>,
    /// What it presented itself as at last.
    pub identity_after: Option<Identity>,
    /// The proven chip.
    pub chip: Option<String>,
    /// What the proof rests on.
    pub evidence: Vec<String>,
    /// State of the memory in one word: `blank`, `complete`.
    pub condition: Option<String>,
    /// The same as a sentence.
    pub diagnosis: Option<String>,
    /// Size of the memory.
    pub size_bytes: Option<u32>,
    /// Whether the size is proven, or only the least it can be.
    pub size_proven: Option<bool>,
    /// The profile's name.
    pub profile: Option<String>,
    /// The image's name.
    pub image: Option<String>,
    /// The image's length.
    pub image_bytes: Option<u64>,
    /// The image's SHA-256.
    pub image_sha256: Option<String>,
    /// What the pre-flight said: `came-up`, `failed`, `inconclusive`.
    pub preflight: Option<String>,
    /// The backup of the old contents.
    pub backup: Option<String>,
    /// How it ended: `rescued`, `healthy`, `failed`.
    pub result: String,
    /// The code of the failure.
    pub error: Option<String>,
    /// What happened.
    pub error_what: Option<String>,
    /// Where.
    pub error_where: Option<String>,
    /// What to do next, the best first.
    pub error_next: Vec<String>,
    /// What state the device was left in.
    pub device_state: String,
    /// What the drive behind the bridge answered.
    pub drive: Option<String>,
    /// From the first look to the end, milliseconds on the device's clock.
    pub device_time_ms: f64,
    /// Of that, writing and reading back.
    pub memory_time_ms: f64,
    /// The planned minimum for what had to change.
    pub limit_ms: f64,
    /// USB transfers.
    pub transfers: u64,
    /// Write cycles asked of the memory.
    pub write_cycles: u32,
    /// Notes of the run.
    pub notes: Vec<String>,
    /// The unverified facts that the plan relied on.
    pub unproven: Vec<String>,
    /// The planned steps, taken or not.
    pub steps: Vec<StepTaken>,
}

/// One planned step and when it was taken, milliseconds on the device's clock.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepTaken {
    /// Its place, from 1.
    pub step: u32,
    /// What it does.
    pub title: String,
    /// What it can change: `reads`, `volatile`, `persistent`.
    pub risk: String,
    /// When it began, counted from the run's beginning; `None` where it was not reached.
    pub began_ms: Option<f64>,
    /// How long it took; `None` where it was not finished.
    pub took_ms: Option<f64>,
}

/// Which units are meant.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Any of its serial numbers has this in it; ASCII letters of either case.
    pub serial: Option<String>,
    /// It began then or later.
    pub since: Option<Timestamp>,
}

impl Unit {
    /// The serial numbers it showed or was to show, each once.
    pub fn serials(&self) -> Vec<&str> {
        let identities = [&self.identity_before, &self.identity_expected, &self.identity_after];
        let mut found: Vec<&str> = Vec::new();
        for serial in identities.into_iter().flatten().filter_map(|who| who.serial.as_deref()) {
            if !found.contains(&serial) {
                found.push(serial);
            }
        }
        found
    }
}
