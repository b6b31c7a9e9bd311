//! A virtual hub: what it says of itself, what it does when a port's power is switched, and the
//! difference between the two. Answers the class requests of [USB 2.0 §11.24.2] and no others.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use super::bus::SimBus;
use crate::clock::Clock;
use crate::usb::{Link, PortPath, Reply, Setup, Transfer, TransferError};

/// A kind of hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HubKind {
    /// Says that it switches each port by itself, and does.
    Switching,
    /// Says so and disconnects the device, while VBUS stays on: its board has no switches, as
    /// most of those that lie.
    Lying,
    /// Says so and answers every request, and the device stays connected.
    Deaf,
    /// Switches all its ports at once, and says so.
    Ganged,
}

impl HubKind {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Switching => "switching",
            Self::Lying => "lying",
            Self::Deaf => "deaf",
            Self::Ganged => "ganged",
        }
    }
}

/// A word that names no kind of hub.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no virtual hub is called {0:?}; there are switching, lying, deaf, ganged")]
pub struct BadHub(String);

impl FromStr for HubKind {
    type Err = BadHub;

    fn from_str(text: &str) -> Result<Self, BadHub> {
        match text {
            "switching" => Ok(Self::Switching),
            "lying" => Ok(Self::Lying),
            "deaf" => Ok(Self::Deaf),
            "ganged" => Ok(Self::Ganged),
            other => Err(BadHub(other.to_owned())),
        }
    }
}

/// Ports of every virtual hub.
const PORTS: u8 = 4;

/// A hub's own state: which ports it believes to give power to.
#[derive(Clone, Debug)]
pub(super) struct Hub {
    pub(super) kind: HubKind,
    off: BTreeSet<u8>,
}

/// What a request comes to.
enum Answer {
    Data(Vec<u8>),
    /// The powers to switch, by port.
    Switch(Vec<(u8, bool)>),
    Stall,
}

impl Hub {
    pub(super) fn new(kind: HubKind) -> Self {
        Self { kind, off: BTreeSet::new() }
    }

    fn answer(&mut self, setup: &Setup) -> Answer {
        let port = u8::try_from(setup.index).ok().filter(|port| (1..=PORTS).contains(port));
        match (setup.request_type, setup.request, setup.value, port) {
            (0xa0, 6, 0x2900, _) => {
                // [USB 2.0 table 11-13] D1..D0: how power is switched; per-port over-current.
                let characteristics = if self.kind == HubKind::Ganged { 0x08 } else { 0x09 };
                Answer::Data(vec![9, 0x29, PORTS, characteristics, 0, 50, 100, 0, 0xff])
            }
            (0xa3, 0, 0, Some(port)) => {
                let is_off = self.off.contains(&port);
                let connected = u8::from(!is_off || self.kind == HubKind::Deaf);
                Answer::Data(vec![connected, u8::from(!is_off), 0, 0])
            }
            (0x23, 1, 8, Some(port)) => self.switch(port, false),
            (0x23, 3, 8, Some(port)) => self.switch(port, true),
            _ => Answer::Stall,
        }
    }

    fn switch(&mut self, port: u8, on: bool) -> Answer {
        let ports = if self.kind == HubKind::Ganged { 1..=PORTS } else { port..=port };
        let ports: Vec<u8> = ports.collect();
        for port in &ports {
            if on {
                self.off.remove(port);
            } else {
                self.off.insert(*port);
            }
        }
        if self.kind == HubKind::Deaf {
            return Answer::Switch(Vec::new());
        }
        Answer::Switch(ports.into_iter().map(|port| (port, on)).collect())
    }
}

/// A link to the hub with that path.
pub(super) struct HubLink {
    pub(super) bus: SimBus,
    pub(super) hub: PortPath,
}

impl Link for HubLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        let (Transfer::ControlIn { setup, .. } | Transfer::ControlOut { setup, .. }) = transfer
        else {
            return Err(TransferError::Stall);
        };
        let answer = self.bus.with_hub_at(&self.hub, |hub| (hub.answer(setup), hub.kind));
        let (answer, kind) = answer.ok_or(TransferError::Gone)?;
        let feed = if kind == HubKind::Lying { Feed::HubData } else { Feed::Hub };
        match answer {
            Answer::Data(mut data) => {
                data.truncate(usize::from(setup.length));
                Ok(Reply { data })
            }
            Answer::Switch(powers) => {
                for (number, on) in powers {
                    let mut ports = self.hub.ports().to_vec();
                    ports.push(number);
                    self.bus.feed(&PortPath::new(self.hub.bus(), ports), feed, on);
                }
                Ok(Reply::default())
            }
            Answer::Stall => Err(TransferError::Stall),
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.bus.virtual_clock()
    }
}

/// What can interrupt a port's VBUS line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// The hub's own switch.
    Hub,
    /// A hub that lets go of the data lines and leaves VBUS on.
    HubData,
    /// A relay in the cable.
    Relay,
}
