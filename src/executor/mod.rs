//! Carries out a rescue: looks, asks, reads, backs up, plans, acts, checks, records.
//!
//! It knows no chip and decides nothing that `rescue` can decide from values. The order of a run
//! is [`Session::rescue`] in [`session`]; its stages borrow the [`run`] and are, in this order,
//! [`find`] (of a [`candidate`]), [`prove`], [`enter`], [`choose`] and [`target`], [`examine`],
//! [`planning`], [`permission`], and [`perform`] with [`trial`], [`mod@write`], [`restart`] and
//! [`confirm`]. Every wait is in [`waits`]. What a run works with comes in as [`Tools`]; what
//! happens goes out as [`Event`]s.

pub mod candidate;
mod choose;
pub mod commands;
mod confirm;
mod drive_identity;
mod enter;
pub mod event;
mod examine;
mod explain;
mod find;
mod guide;
pub mod learn;
pub mod meter;
mod nothing_found;
pub mod operator;
mod own_backup;
mod perform;
mod permission;
mod planning;
mod power;
mod prove;
mod prove_part;
mod records;
mod restart;
mod run;
mod running;
pub mod session;
mod started;
pub mod store;
mod target;
mod trial;
mod unfinished;
mod unit_bytes;
mod waits;
mod write;

use std::time::Duration;

pub use choose::unique;
pub use commands::Commands;
pub use event::{Both, Event, Observer, Silence};
pub use learn::Learning;
pub use operator::{Consent, Operator, Switches, Switching};
pub use session::Session;
pub use store::{BackupRecord, Store};
pub use waits::POLL;

use crate::chip::Chip;
use crate::profile::{Library, Scope};
use crate::rescue::TargetRequest;
use crate::rescue::preflight::Twin;
use crate::usb::{Bus, PortPath, Sighting};

/// What a run works with.
pub struct Tools<'t> {
    /// The USB ports.
    pub bus: &'t mut dyn Bus,
    /// The person at the device.
    pub operator: &'t mut dyn Operator,
    /// Who listens.
    pub observer: &'t mut dyn Observer,
    /// The virtual twins.
    pub twin: &'t dyn Twin,
    /// Enclosure profiles.
    pub library: &'t Library,
    /// What is kept on this computer.
    pub store: &'t Store,
    /// Whether the devices are real.
    pub scope: Scope,
    /// How the program was called, for the commands that are offered as next steps.
    pub commands: Commands,
}

/// What is asked of a run.
#[derive(Clone, Default)]
pub struct Request {
    /// Only the device at this port.
    pub port: Option<PortPath>,
    /// What it should become.
    pub target: TargetRequest,
    /// Stop after the plan.
    pub dry_run: bool,
    /// Consent was given in advance.
    pub yes: bool,
    /// Write although a check says no: a memory that is not provably blank or broken, an image
    /// that failed its pre-flight. Never about a device whose firmware runs.
    pub force: bool,
    /// Replace the image of the device at [`Self::port`] although its firmware runs.
    pub replace_running_firmware: bool,
    /// Read the memory of the device at [`Self::port`] although that disturbs firmware that runs.
    pub interrupt_firmware: bool,
    /// Do not try the image from RAM first.
    pub no_trial: bool,
    /// Ask this family even though the device's id is in no table.
    pub as_family: Option<&'static dyn Chip>,
    /// Take up the unfinished rescue of the port, as was asked by name.
    pub resume: bool,
    /// How long to wait for a device to appear.
    pub wait: Option<Duration>,
}

impl Request {
    /// Whether running firmware of this very device is to be replaced: asked for by name, and at
    /// its port.
    fn replaces_firmware_of(&self, seen: &Sighting) -> bool {
        self.replace_running_firmware && self.port.as_ref() == Some(&seen.port)
    }

    /// Whether reading this very device may disturb the firmware that runs on it.
    fn may_interrupt(&self, seen: &Sighting) -> bool {
        self.interrupt_firmware && self.port.as_ref() == Some(&seen.port)
    }
}
