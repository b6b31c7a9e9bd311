//! Who works at the ports of a bench: on the computer's own, or on the simulator's.

use std::sync::{Mutex, PoisonError};

use super::ports::VirtualHands;
use crate::bench::{Crew, Hand};
use crate::executor::{Consent, Operator};
use crate::sim::SimBus;
use crate::ui::{self, TerminalOperator};
use crate::usb::PortPath;
use crate::usb::host::HostBus;

/// Virtual hands at every port, each with a time of its own.
pub struct SimCrew(pub SimBus);

impl Crew for SimCrew {
    fn hand(&self, _port: &PortPath) -> Hand {
        let bus = self.0.participant();
        Hand { bus: Box::new(bus.clone()), operator: Box::new(VirtualHands(bus)) }
    }
}

/// The computer's ports, and the person in front of them.
pub struct HostCrew {
    /// Whether telling a unit to start was consent already.
    pub consents: bool,
}

impl Crew for HostCrew {
    fn hand(&self, port: &PortPath) -> Hand {
        let operator = Person { port: port.clone(), consents: self.consents };
        Hand { bus: Box::new(HostBus::new()), operator: Box::new(operator) }
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
