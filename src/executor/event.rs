//! What happens during a run, as one stream of values. The terminal, the plain report and
//! `--json` are three readers of it; docs/using.md lists the JSON form.

use std::path::PathBuf;

use serde::Serialize;

use super::operator::Switching;

use crate::chip::{DriveAnswer, Evidence, IdMeaning, Identity, Model, Running, Size};
use crate::failure::Failure;
use crate::rescue::outcome::SwitchedBy;
use crate::rescue::{Condition, Limit, Outcome, Preflight, Risk};
use crate::usb::{Ids, PortPath};

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A device was chosen.
    Sighted {
        /// Where.
        port: PortPath,
        /// What it shows as.
        ids: Ids,
        /// What its owner would call it.
        name: String,
        /// What that is.
        detail: String,
        /// What its id says of its health.
        #[serde(rename = "standing")]
        id_meaning: IdMeaning,
        /// All that it presents itself as.
        identity: Identity,
    },
    /// The chip was proven.
    Proven {
        /// The chip.
        chip: Model,
        /// Who answers.
        running: Running,
        /// What the proof rests on.
        evidence: Vec<Evidence>,
    },
    /// A profile or an image was chosen.
    Chosen {
        /// The profile's name.
        profile: Option<String>,
        /// The image's name.
        image: String,
        /// Its length.
        bytes: usize,
        /// Its SHA-256.
        sha256: String,
    },
    /// An image was booted on the virtual twin.
    Preflight {
        /// What became of it.
        #[serde(flatten)]
        preflight: Preflight,
    },
    /// The memory was read and judged.
    Diagnosed {
        /// What the memory is called.
        memory: &'static str,
        /// The judgement.
        #[serde(flatten)]
        condition: Condition,
        /// Its size as far as reading proves it.
        size: Size,
    },
    /// The memory was backed up.
    BackedUp {
        /// The backup's name.
        backup: String,
        /// How many bytes.
        bytes: usize,
        /// Their SHA-256.
        sha256: String,
    },
    /// A plan was made.
    Planned {
        /// What the memory is called.
        memory: &'static str,
        /// What each step does, and its risk.
        steps: Vec<PlannedStep>,
        /// The planned minimum for it.
        limit: Limit,
        /// The unverified facts that it relies on, one sentence each.
        unproven: Vec<String>,
    },
    /// A step begins.
    StepBegun {
        /// Its place, from 1.
        step: usize,
        /// How many there are.
        of: usize,
        /// What it does.
        title: String,
    },
    /// Long work goes on: bytes of a step or of the first reading.
    Progress {
        /// What is done: `read`, `write`, `verify`.
        work: &'static str,
        /// Bytes so far.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// A step was taken and checked.
    StepDone {
        /// Its place, from 1.
        step: usize,
    },
    /// The enclosure runs its image from RAM.
    Alive {
        /// Who it came up as.
        identity: Identity,
    },
    /// The drive behind the bridge was asked who it is.
    Drive {
        /// What it answered.
        answer: DriveAnswer,
    },
    /// The person at the device is asked for something.
    Asked {
        /// What to do.
        request: String,
        /// What should happen then.
        expect: String,
    },
    /// Power or a contact was switched without hands.
    Switched {
        /// At which port.
        port: PortPath,
        /// What was done.
        what: Switching,
        /// By what.
        by: SwitchedBy,
    },
    /// A profile was made from a healthy device.
    Learnt {
        /// The profile's name.
        profile: String,
        /// The folder it was written to.
        folder: PathBuf,
        /// Bytes of the image.
        bytes: usize,
        /// What became of the device's serial number.
        serial: String,
    },
    /// Something worth knowing.
    Note {
        /// A sentence.
        text: String,
    },
    /// The run failed; the outcome follows.
    Failed {
        /// How.
        #[serde(flatten)]
        failure: Failure,
    },
    /// The last event.
    Outcome {
        /// How it ended.
        #[serde(flatten)]
        outcome: Box<Outcome>,
    },
}

/// One step as announced.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedStep {
    /// What it does.
    pub title: String,
    /// What it can change.
    pub risk: Risk,
}

/// Whoever listens.
pub trait Observer {
    /// Takes note of an event. Must not fail a run.
    fn observe(&mut self, event: &Event);
}

/// Nobody listens.
#[derive(Debug)]
pub struct Silence;

impl Observer for Silence {
    fn observe(&mut self, _event: &Event) {}
}

/// Two listeners; the first hears everything first.
pub struct Both<'o>(pub &'o mut dyn Observer, pub &'o mut dyn Observer);

impl Observer for Both<'_> {
    fn observe(&mut self, event: &Event) {
        self.0.observe(event);
        self.1.observe(event);
    }
}
