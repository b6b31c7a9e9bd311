//! Who works at the ports of a bench: on the computer's own, or on the simulator's.

use std::sync::{Arc, Mutex, PoisonError};

use super::args::CommonArgs;
use super::simulated::VirtualOperator;
use super::{interrupt, relays, store};
use crate::bench::{RelayOperator, Switchboard, WorkerFactory, WorkerResources};
use crate::clock::Clock;
use crate::executor::{Consent, Event, Observer, Operator};
use crate::failure::Failure;
use crate::ledger::{Keeper, Ledger};
use crate::sim::SimBus;
use crate::ui::{self, TerminalOperator};
use crate::usb::host::{HostBus, restore_power};
use crate::usb::{Bus, PortPath};

/// Virtual hands at every port, each with a time of its own.
pub struct SimWorkerFactory {
    /// The virtual bus.
    pub bus: SimBus,
    /// The bench's relays.
    pub relays: Option<Switchboard>,
    /// Where every unit is kept.
    pub ledger: Ledger,
}

impl SimWorkerFactory {
    /// Virtual hands on that bus, and the relays of the bench file.
    pub fn of(common: &CommonArgs, bus: SimBus) -> Result<Self, Failure> {
        let relays = relays::switchboard(common, Some(&bus))?;
        Ok(Self { bus, relays, ledger: Ledger::new(store(common)?.ledger()) })
    }
}

impl WorkerFactory for SimWorkerFactory {
    fn resources(&self, _port: &PortPath, label: Option<&str>) -> WorkerResources {
        let bus = self.bus.participant();
        let observer = LedgerObserver::of(&self.ledger, bus.clock(), label);
        let operator = with(&self.relays, VirtualOperator(bus.clone()));
        WorkerResources { bus: Box::new(bus), operator, observer }
    }
}

/// The computer's ports, and the person in front of them.
pub struct HostWorkerFactory {
    /// The ports.
    pub bus: HostBus,
    /// Whether telling a unit to start was consent already.
    pub consents: bool,
    /// The bench's relays.
    pub relays: Option<Switchboard>,
    /// Where every unit is kept.
    pub ledger: Ledger,
}

impl HostWorkerFactory {
    /// Those ports, the person in front of them, and the relays of the bench file.
    pub fn of(bus: HostBus, common: &CommonArgs, consents: bool) -> Result<Self, Failure> {
        interrupt::before_ending(restore_power);
        let ledger = Ledger::new(store(common)?.ledger());
        Ok(Self { bus, consents, relays: relays::switchboard(common, None)?, ledger })
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

impl WorkerFactory for HostWorkerFactory {
    fn resources(&self, port: &PortPath, label: Option<&str>) -> WorkerResources {
        let person = Person { port: port.clone(), consents: self.consents };
        let bus = Box::new(self.bus.participant());
        let observer = LedgerObserver::of(&self.ledger, bus.clock(), label);
        WorkerResources { bus, operator: with(&self.relays, person), observer }
    }
}

/// The ledger's ear at one run.
struct LedgerObserver(Keeper);

impl LedgerObserver {
    fn of(ledger: &Ledger, clock: Arc<dyn Clock>, label: Option<&str>) -> Box<dyn Observer + Send> {
        let keeper = Keeper::new(ledger.clone(), clock);
        Box::new(Self(match label {
            Some(label) => keeper.at_label(label),
            None => keeper,
        }))
    }
}

impl Observer for LedgerObserver {
    fn observe(&mut self, event: &Event) {
        self.0.observe(event);
        if let (Event::Outcome { .. }, Some(Err(error))) = (event, self.0.kept()) {
            log::warn!("this unit could not be added to the ledger: {error}");
        }
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
