//! Who takes part in a run besides the device, each of them to be replaced by one that goes wrong.

#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use recover::clock::Clock;
use recover::executor::{Commands, Consent, Event, Observer, Operator, Request, Session, Tools};
use recover::failure::DeviceState;
use recover::preflight::VirtualTwin;
use recover::profile::Scope;
use recover::rescue::Outcome;
use recover::rescue::choice::NamedImage;
use recover::rescue::preflight::Twin;
use recover::sim::{Fault, Scenario, SimBus};
use recover::usb::{Bus, BusError, Link, PortPath, Reply, Sighting, Transfer, TransferError};

use crate::support::{Desk, port};

/// Everyone in a run on a desk.
pub struct Cast {
    /// The bus.
    pub bus: Box<dyn Bus>,
    /// The hands.
    pub operator: Box<dyn Operator>,
    /// Who listens.
    pub observer: Box<dyn Observer>,
    /// The twin.
    pub twin: Box<dyn Twin>,
    /// Whether the device is called real.
    pub scope: Scope,
}

impl Cast {
    /// All of them as they should be.
    pub fn usual(desk: &Desk) -> Self {
        let hands = desk.bus.clone();
        Self {
            bus: Box::new(desk.bus.clone()),
            operator: Box::new(Hands(move |port: &PortPath| hands.replug(port))),
            observer: Box::new(Watching(|_: &Event| ())),
            twin: Box::new(VirtualTwin),
            scope: Scope::Simulator,
        }
    }

    /// A run with them.
    pub fn run(&mut self, desk: &Desk, work: impl FnOnce(Session<'_>) -> Outcome) -> Outcome {
        work(Session::new(Tools {
            bus: &mut *self.bus,
            operator: &mut *self.operator,
            observer: &mut *self.observer,
            twin: &*self.twin,
            library: &desk.library,
            store: &desk.store,
            scope: self.scope,
            commands: Commands::new("recover --auto"),
        }))
    }

    /// `recover --auto` with them.
    pub fn rescue(&mut self, desk: &Desk, request: &Request) -> Outcome {
        self.run(desk, |session| session.rescue(request))
    }
}

/// Hands that do this when the power is to go.
pub struct Hands<F>(pub F);

impl<F: FnMut(&PortPath)> Operator for Hands<F> {
    fn consent(&mut self, _reasons: &[String]) -> Consent {
        Consent::Unasked
    }

    fn power_cycle(&mut self, port: &PortPath) {
        (self.0)(port);
    }
}

/// Does something at an event.
pub struct Watching<F>(pub F);

impl<F: FnMut(&Event)> Observer for Watching<F> {
    fn observe(&mut self, event: &Event) {
        (self.0)(event);
    }
}

/// A switch that an event sets and a bus looks at.
#[derive(Clone, Default)]
pub struct Flag(Arc<AtomicBool>);

impl Flag {
    /// From now on.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What becomes of a transfer on its way to the real link.
pub type Exchange = dyn Fn(&mut dyn Link, &Transfer) -> Result<Reply, TransferError> + Send + Sync;

/// A bus that shows and does other things than the one behind it.
pub struct Tampered {
    /// The one behind it.
    pub bus: SimBus,
    /// What is done to what a scan shows.
    pub show: Box<dyn Fn(&mut Sighting)>,
    /// Set by a reset of the port.
    pub was_reset: Flag,
    /// What becomes of each transfer.
    pub exchange: Arc<Exchange>,
}

impl Tampered {
    /// One that changes nothing.
    pub fn new(bus: &SimBus) -> Self {
        Self {
            bus: bus.clone(),
            show: Box::new(|_| ()),
            was_reset: Flag::default(),
            exchange: Arc::new(|link: &mut dyn Link, transfer: &Transfer| link.exchange(transfer)),
        }
    }
}

impl Bus for Tampered {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        let mut seen = self.bus.scan()?;
        seen.iter_mut().for_each(|seen| (self.show)(seen));
        Ok(seen)
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        let exchange = Arc::clone(&self.exchange);
        Ok(Box::new(TamperedLink { link: self.bus.open(seen)?, exchange }))
    }

    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError> {
        self.was_reset.set();
        self.bus.reset(seen)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Bus::clock(&self.bus)
    }
}

struct TamperedLink {
    link: Box<dyn Link>,
    exchange: Arc<Exchange>,
}

impl Link for TamperedLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        (self.exchange)(&mut *self.link, transfer)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.link.clock()
    }
}

/// A request to write these bytes.
pub fn with_image(bytes: &[u8]) -> Request {
    let mut request = Request::default();
    request.target.image = Some(NamedImage { name: "own.bin".into(), bytes: bytes.to_vec() });
    request
}

/// The SL11R's factory image with another product id: as sound as the first, and not the same.
pub fn other_image() -> Vec<u8> {
    let mut bytes = crate::support::scenario("sl11r-zeroed").factory_image().to_vec();
    let at = bytes.windows(4).position(|four| four == [0xce, 0x04, 0x02, 0x00]).unwrap();
    bytes.get_mut(at..at + 4).unwrap().copy_from_slice(&[0xce, 0x04, 0x03, 0x00]);
    bytes
}

/// A desk on which a rescue was cut off in the middle of its writes, and how that run ended.
pub fn cut_off(scenario: &Scenario, request: &Request) -> (Desk, Outcome) {
    let transfers = Desk::new(scenario).rescue(request).transfers;
    let cut = |number| {
        let mut desk = Desk::new(scenario);
        let before = desk.eeprom();
        desk.disturb(number, Fault::Unplug(std::time::Duration::ZERO));
        let outcome = desk.rescue(request);
        let is_cut = outcome.device_state == DeviceState::PartWritten && desk.eeprom() != before;
        desk.mend();
        is_cut.then_some((desk, outcome))
    };
    (transfers / 2..transfers).find_map(cut).unwrap()
}

/// Whether a step that begins is the restart.
pub fn is_restart(event: &Event) -> bool {
    matches!(event, Event::StepBegun { title, .. } if title.starts_with("restart the chip"))
}

/// The bytes behind the device at the usual port, changed behind the chip's back.
pub fn swap_part(bus: &SimBus, bytes: &[u8]) {
    bus.load_eeprom(&port(), bytes);
}
