//! Who works at the ports of a bench: on the computer's own, or on the simulator's.

use std::sync::{Mutex, PoisonError};

use super::args::CommonArgs;
use super::ports::VirtualHands;
use super::{interrupt, relays};
use crate::bench::{Crew, Hand, RelayOperator, Switchboard};
use crate::executor::{Consent, Operator};
use crate::rescue::Failure;
use crate::sim::SimBus;
use crate::ui::{self, TerminalOperator};
use crate::usb::PortPath;
use crate::usb::host::{HostBus, restore_power};

/// Virtual hands at every port, each with a time of its own.
pub struct SimCrew {
    /// The virtual bus.
    pub bus: SimBus,
    /// The bench's relays.
    pub relays: Option<Switchboard>,
}

impl Crew for SimCrew {
    fn hand(&self, _port: &PortPath) -> Hand {
        let bus = self.bus.participant();
        Hand { bus: Box::new(bus.clone()), operator: with(&self.relays, VirtualHands(bus)) }
    }
}

/// The computer's ports, and the person in front of them.
pub struct HostCrew {
    /// Whether telling a unit to start was consent already.
    pub consents: bool,
    /// The bench's relays.
    pub relays: Option<Switchboard>,
}

impl HostCrew {
    /// The person in front of this computer, and the relays of the bench file.
    pub fn of(common: &CommonArgs, consents: bool) -> Result<Self, Failure> {
        interrupt::before_ending(restore_power);
        Ok(Self { consents, relays: relays::switchboard(common, None)? })
    }
}

/// Hands, and the relays where there are any.
fn with(
    relays: &Option<Switchboard>,
    hands: impl Operator + Send + 'static,
) -> Box<dyn Operator + Send> {
    match relays {
        Some(relays) => Box::new(RelayOperator::new(hands, relays.clone())),
        None => Box::new(hands),
    }
}

impl Crew for HostCrew {
    fn hand(&self, port: &PortPath) -> Hand {
        let operator = Person { port: port.clone(), consents: self.consents };
        Hand { bus: Box::new(HostBus::new()), operator: with(&self.relays, operator) }
    }
}

struct Person {
    port: PortPath,
    consents: bool,
}

impl Operator for Person {
    fn consent(&mut self, reasons: &[String]) -> Consent {
        /// One question at a time.
        static ASKING: Mutex<()> = Mutex::new(());
        if self.consents {
            return Consent::Given;
        }
        let _asking = ASKING.lock().unwrap_or_else(PoisonError::into_inner);
        ui::announce(&format!("port {}:", self.port));
        TerminalOperator.consent(reasons)
    }

    /// The request was shown as an event; the person does it while the port is watched.
    fn power_cycle(&mut self, _port: &PortPath) {}
}
