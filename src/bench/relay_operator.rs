//! An operator with relays: what the bench can switch it switches, the rest is asked of whoever
//! is there.

use super::switchboard::Switchboard;
use crate::executor::{Consent, Operator, Switches, Switching};
use crate::failure::Failure;
use crate::usb::PortPath;

/// The person at the device, and the bench's relays.
pub struct RelayOperator<O> {
    person: O,
    relays: Switchboard,
}

impl<O: Operator> RelayOperator<O> {
    /// `person` is asked for consent and for what no relay does.
    pub fn new(person: O, relays: Switchboard) -> Self {
        Self { person, relays }
    }
}

impl<O: Operator> Operator for RelayOperator<O> {
    fn consent(&mut self, reasons: &[String]) -> Consent {
        self.person.consent(reasons)
    }

    fn power_cycle(&mut self, port: &PortPath) {
        self.person.power_cycle(port);
    }

    fn switches(&self, port: &PortPath) -> Switches {
        self.relays.switches(port)
    }

    fn switch(&mut self, port: &PortPath, what: Switching, live: bool) -> Result<(), Failure> {
        self.relays.switch(port, what, live)
    }
}
