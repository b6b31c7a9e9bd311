//! What happens at a bench, as one stream of values: what happens to a port, and every
//! [`Event`] of every run, each with its port. docs/using.md lists the JSON form.

use serde::Serialize;

use super::stage::Stage;
use super::tally::Tally;
use crate::chip::IdMeaning;
use crate::executor::Event;
use crate::usb::{Ids, PortPath};

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Notice {
    /// Milliseconds since the bench was started.
    pub at_ms: u64,
    /// Where; `None` where it is about the bench. A run's own event may have it already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<PortPath>,
    /// What is printed beside the port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What.
    #[serde(flatten)]
    pub what: NoticeContent,
}

/// Of a port, or of a run.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum NoticeContent {
    /// Something happened at the port or the bench.
    Bench(BenchEvent),
    /// Something happened in the run of the port.
    Run(Event),
}

/// What happens outside the runs.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum BenchEvent {
    /// A port belongs to the bench; told of every port that has a name before the first look.
    Place {
        /// The profile of what is usually put there.
        profile: Option<String>,
    },
    /// A rescue was left unfinished by an earlier run; it is finished when the unit is there.
    InFlight {
        /// Its journal.
        rescue: String,
        /// The step that had begun, where one had.
        step: Option<String>,
    },
    /// A device that needs a rescue is there.
    Arrived {
        /// What it shows as.
        ids: Ids,
        /// What its owner would call it.
        name: String,
        /// What its id says of its health.
        #[serde(rename = "standing")]
        id_meaning: IdMeaning,
        /// Whether its rescue waits to be told to start.
        waits: bool,
    },
    /// A device is there that is not written.
    LeftAlone {
        /// What it shows as.
        ids: Ids,
        /// What it is called.
        name: String,
        /// Whether it is a healthy enclosure; otherwise it is none that this program knows.
        healthy: bool,
    },
    /// The port is empty.
    Left,
    /// A run begins.
    Begun,
    /// The unit was skipped.
    Skipped,
    /// The run failed as often as it is begun by itself; from now on it waits to be told to.
    GivenUp {
        /// How often.
        times: u32,
    },
    /// A part of the run takes longer than it may. The port is not touched again until it ends.
    Stuck {
        /// Which part.
        stage: Stage,
        /// How long it may take, seconds.
        limit_s: u64,
    },
    /// The bus could not be looked at; it is tried again.
    Blind {
        /// Why.
        why: String,
    },
    /// The bench was asked to end.
    Stopping {
        /// Runs that go on to their end.
        running: usize,
    },
    /// Time passes; only for a screen.
    Tick,
    /// The last one.
    Summary {
        /// What the whole run came to.
        #[serde(flatten)]
        tally: Tally,
    },
}

/// Whoever listens.
pub trait Listener: Send {
    /// Takes note. Must not fail a run, and does not wait.
    fn hear(&mut self, notice: &Notice);
}
