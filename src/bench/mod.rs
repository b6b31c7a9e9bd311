//! Many ports at once: a watcher that looks at all of them, and one worker for each port with a
//! device that needs a rescue. `recover --auto --all` and `recover bench` are two users of it.
//!
//! A worker's rescue is [`executor::Session`](crate::executor::Session), unchanged; no worker
//! waits for another. What happens goes out as one stream of [`Notice`]s, each with its port;
//! whoever stands at the bench sends [`Command`]s. What became of a port's device, and whether
//! another one is to be begun, is decided from values alone in [`port`]; [`stage`] knows how long
//! each part of a rescue may take, [`stop`] how a run ends early without losing anything,
//! [`tally`] what the whole run comes to, [`config`] what `bench.toml` says of the ports.
//! [`switchboard`] switches the bench's relays and leaves them safe; [`relay_operator`] gives a rescue
//! their use.
//!
//! Threads here never wait for one another but by the bus's clock, because on the simulator the
//! one whose time is the least is the one that goes on.

pub mod config;
pub mod notice;
pub mod port;
pub mod relay_operator;
pub mod stage;
pub mod stop;
pub mod switchboard;
pub mod tally;
mod watch;
mod worker;

use std::collections::BTreeMap;

pub use config::BenchConfig;
pub use notice::{BenchEvent, Listener, Notice, NoticeContent};
pub use relay_operator::RelayOperator;
pub use stage::{Limits, Stage};
pub use stop::StopLevel;
pub use switchboard::Switchboard;
pub use tally::Tally;
pub use watch::Bench;

use crate::executor::{Commands, Observer, Operator, Request, Store};
use crate::profile::{Library, Scope};
use crate::rescue::preflight::Twin;
use crate::usb::{Bus, PortPath};

/// What every worker works with.
pub struct Shared {
    /// Enclosure profiles.
    pub library: Library,
    /// What is kept on this computer.
    pub store: Store,
    /// The virtual twins.
    pub twin: Box<dyn Twin + Send + Sync>,
    /// Whether the devices are real.
    pub scope: Scope,
    /// How the program was called, without a port.
    pub commands: Commands,
    /// What is asked for every unit. The port is each unit's own, and so is the profile where
    /// [`Self::profiles`] or [`Self::port_settings`] have one for it.
    pub request: Request,
    /// Profiles asked for by name; a unit takes the first that is for its chip.
    pub profiles: Vec<String>,
    /// What is known of the bench's ports.
    pub port_settings: BTreeMap<PortPath, PortSettings>,
    /// How long each part of a rescue may take.
    pub limits: Limits,
}

/// One port as its bench knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortSettings {
    /// What is printed beside it.
    pub label: Option<String>,
    /// The profile of what is usually put there.
    pub profile: Option<String>,
}

/// Gives every worker what it cannot share.
pub trait WorkerFactory {
    /// What the worker of that port works with; `label` is what is printed beside it.
    fn resources(&self, port: &PortPath, label: Option<&str>) -> WorkerResources;
}

/// What one worker has for itself.
pub struct WorkerResources {
    /// A bus of its own that leads to the same ports.
    pub bus: Box<dyn Bus + Send>,
    /// Whoever does at its port what only hands can do.
    pub operator: Box<dyn Operator + Send>,
    /// Hears every event of the run before anybody else does: whoever has read an outcome finds
    /// the unit in the ledger.
    pub observer: Box<dyn Observer + Send>,
}

/// How a bench is run.
#[derive(Clone, Debug, Default)]
pub struct Mode {
    /// Units are rescued as they are plugged in; without it, when told to.
    pub auto: bool,
    /// Only what is there at the first look; the run ends with the last of it.
    pub once: bool,
    /// Only these ports; all without.
    pub ports: Option<Vec<PortPath>>,
}

/// What whoever stands at the bench wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Rescue the unit that waits at this port; also one that failed or was skipped, again.
    Start(PortPath),
    /// Leave the unit at this port alone. A run that has not begun to write stops at its next
    /// look at the bus; one that writes goes on to its end.
    Skip(PortPath),
    /// End: nothing new is begun, runs that have not begun to write stop, the others go on to
    /// their end. Asked for again, those that only wait for hands stop as well. A write is never
    /// cut short.
    Quit,
}
