//! A desk for tests: a virtual bus, virtual hands, a store in a temporary folder, every event kept.

#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

pub mod cuts;

use std::sync::{Mutex, PoisonError};

use recover::chip::{Image, Model};
use recover::executor::{
    Commands, Consent, Event, Observer, Operator, Request, Session, Store, Tools,
};
use recover::preflight::VirtualTwin;
use recover::profile::{Library, Scope, known_chips};
use recover::rescue::Outcome;
use recover::rescue::preflight::{Preflight, Twin};
use recover::sim::{Fault, Faults, Scenario, SimBus};
use recover::usb::{Bus, PortPath};
use tempfile::TempDir;

/// Everything a rescue needs, all of it virtual.
pub struct Desk {
    /// The virtual bus.
    pub bus: SimBus,
    /// Profiles.
    pub library: Library,
    /// Backups and journals.
    pub store: Store,
    /// Every event so far.
    pub events: Vec<Event>,
    _home: TempDir,
}

/// The program's own twin, which boots each image once: it says the same every time, and takes
/// its time.
struct RememberingTwin;

impl Twin for RememberingTwin {
    fn boot(&self, model: Model, image: &Image) -> Preflight {
        static BOOTED: Mutex<Vec<(Model, Image, Preflight)>> = Mutex::new(Vec::new());
        let booted = || BOOTED.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it =
            |(other, bytes, _): &&(Model, Image, Preflight)| *other == model && bytes == image;
        if let Some((_, _, said)) = booted().iter().find(is_it) {
            return said.clone();
        }
        let said = VirtualTwin.boot(model, image);
        booted().push((model, image.clone(), said.clone()));
        said
    }
}

struct Hands(SimBus);

impl Operator for Hands {
    fn consent(&mut self, _reasons: &[String]) -> Consent {
        Consent::Unasked
    }

    fn power_cycle(&mut self, port: &PortPath) {
        self.0.replug(port);
    }
}

struct Keep<'e>(&'e mut Vec<Event>);

impl Observer for Keep<'_> {
    fn observe(&mut self, event: &Event) {
        self.0.push(event.clone());
    }
}

/// A temporary folder, in memory where the system has such a place: every journal entry waits for
/// the disk, and there are hundreds of thousands.
fn tempdir() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

/// The scenario of that name.
pub fn scenario(name: &str) -> &'static Scenario {
    recover::sim::scenario(name).unwrap_or_else(|| panic!("no scenario {name}"))
}

/// The port every scenario's device sits on.
pub fn port() -> PortPath {
    SimBus::scenario_port()
}

/// The simulator's profile for a chip.
pub fn simulated(model: &str) -> String {
    format!("simulated-{model}")
}

/// `--auto` with a profile named.
pub fn with_profile(name: &str) -> Request {
    let mut request = Request::default();
    request.target.profile = Some(name.to_owned());
    request
}

impl Desk {
    /// A desk with that scenario's device on it.
    pub fn new(scenario: &Scenario) -> Self {
        let home = tempdir();
        Self {
            bus: SimBus::with_scenario(scenario),
            library: Library::embedded(&known_chips()),
            store: Store::new(home.path()),
            events: Vec::new(),
            _home: home,
        }
    }

    /// A desk whose device has started from these bytes.
    pub fn started(name: &str, contents: &[u8]) -> Self {
        let desk = Self::new(scenario(name));
        desk.bus.unplug(&port());
        desk.bus.load_eeprom(&port(), contents);
        desk.bus.plug(&port());
        desk.bus.wait_for_enumeration(&port());
        desk
    }

    /// Runs something on it.
    pub fn run(&mut self, work: impl FnOnce(Session<'_>) -> Outcome) -> Outcome {
        let mut bus = self.bus.clone();
        self.run_on(&mut bus, work)
    }

    /// Runs something on another bus that leads to the same device.
    pub fn run_on(
        &mut self,
        bus: &mut dyn Bus,
        work: impl FnOnce(Session<'_>) -> Outcome,
    ) -> Outcome {
        let mut hands = Hands(self.bus.clone());
        self.run_by(bus, &mut hands, work)
    }

    /// Runs something on a bus, with somebody else at the device.
    pub fn run_by(
        &mut self,
        bus: &mut dyn Bus,
        operator: &mut dyn Operator,
        work: impl FnOnce(Session<'_>) -> Outcome,
    ) -> Outcome {
        let mut keep = Keep(&mut self.events);
        work(Session::new(Tools {
            bus,
            operator,
            observer: &mut keep,
            twin: &RememberingTwin,
            library: &self.library,
            store: &self.store,
            scope: Scope::Simulator,
            commands: Commands::new("recover --auto"),
        }))
    }

    /// `recover --auto`.
    pub fn rescue(&mut self, request: &Request) -> Outcome {
        self.run(|session| session.rescue(request))
    }

    /// The bytes behind the device.
    pub fn eeprom(&self) -> Vec<u8> {
        self.bus.eeprom(&port()).map(|state| state.bytes).unwrap_or_default()
    }

    /// Write cycles of the part so far.
    pub fn write_cycles(&self) -> u64 {
        self.bus.eeprom(&port()).map(|state| state.wear.cycles).unwrap_or_default()
    }

    /// Disturbs transfer `number`, counted from the device's first.
    pub fn disturb(&self, number: u64, fault: Fault) {
        self.bus.set_faults(&port(), Faults::at(number, fault));
    }

    /// Takes every disturbance away and plugs the device in, if it is not.
    pub fn mend(&self) {
        self.bus.set_faults(&port(), Faults::none());
        if self.bus.sighting(&port()).is_none() {
            self.bus.plug(&port());
            self.bus.wait_for_enumeration(&port());
        }
    }

    /// Whether a backup holds these bytes from address 0 on.
    pub fn has_backup_of(&self, bytes: &[u8]) -> bool {
        self.store.backups().unwrap().iter().any(|record| {
            let (_, kept) = self.store.load_backup(&record.id).unwrap();
            bytes.starts_with(&kept) || kept.starts_with(bytes)
        })
    }
}

/// An image as bytes only.
pub fn image(bytes: &[u8]) -> Image {
    Image::at_address_zero(bytes.to_vec(), &[0..2])
}
