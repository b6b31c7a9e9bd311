//! A bench for tests: many virtual ports, virtual hands at each, every notice kept.

#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use recover::bench::{
    Bench, BenchEvent, Command, Limits, Listener, Mode, Notice, NoticeContent, Shared, Tally,
    WorkerFactory, WorkerResources,
};
use recover::executor::{Commands, Consent, Event, Operator, Request, Silence, Store};
use recover::preflight::VirtualTwin;
use recover::profile::{Library, Scope, known_chips};
use recover::rescue::Outcome;
use recover::sim::SimBus;
use recover::usb::{Bus, PortPath};
use tempfile::TempDir;

/// A profile for each chip of the simulator.
pub const PROFILES: [&str; 5] = [
    "simulated-sl11r",
    "simulated-ez-otg",
    "simulated-at2lp",
    "simulated-fx2lp",
    "simulated-an2131",
];

/// Everything a bench needs, all of it virtual.
pub struct Hall {
    pub bus: SimBus,
    pub home: TempDir,
    pub store: Store,
    pub limits: Limits,
}

/// A worker's bus in disguise.
pub type Disguise = dyn Fn(&PortPath, SimBus) -> Box<dyn Bus + Send> + Send + Sync;

/// What whoever stands at the bench does when something happens.
pub type Answer = dyn FnMut(&Notice) -> Vec<Command> + Send;

/// Plays the hands of every worker.
struct Hands(SimBus);

impl Operator for Hands {
    fn consent(&mut self, _reasons: &[String]) -> Consent {
        Consent::Given
    }

    fn power_cycle(&mut self, port: &PortPath) {
        self.0.replug(port);
    }
}

struct SimWorkerFactory<'d> {
    bus: SimBus,
    disguise: &'d Disguise,
}

impl WorkerFactory for SimWorkerFactory<'_> {
    fn resources(&self, port: &PortPath, _label: Option<&str>) -> WorkerResources {
        let bus = self.bus.participant();
        let operator = Box::new(Hands(bus.clone()));
        WorkerResources { bus: (self.disguise)(port, bus), operator, observer: Box::new(Silence) }
    }
}

/// Keeps every notice but the ticks, and answers some with commands.
struct Keep {
    notices: Arc<Mutex<Vec<Notice>>>,
    commands: Sender<Command>,
    answer: Box<Answer>,
}

impl Listener for Keep {
    fn hear(&mut self, notice: &Notice) {
        for command in (self.answer)(notice) {
            self.commands.send(command).unwrap();
        }
        if !matches!(notice.what, NoticeContent::Bench(BenchEvent::Tick)) {
            self.notices.lock().unwrap().push(notice.clone());
        }
    }
}

/// What a run of a bench came to.
pub struct Ran {
    pub tally: Tally,
    pub notices: Vec<Notice>,
}

impl Ran {
    /// How the last run of each port ended, and when, milliseconds since the start.
    pub fn outcomes(&self) -> BTreeMap<PortPath, (u64, Outcome)> {
        let ended = self.notices.iter().filter_map(|notice| match &notice.what {
            NoticeContent::Run(Event::Outcome { outcome }) => {
                Some((outcome.port.clone()?, (notice.at_ms, (**outcome).clone())))
            }
            _ => None,
        });
        ended.collect()
    }

    /// What happened at a port outside its runs, by the names of the JSON form.
    pub fn happenings(&self, port: &PortPath) -> Vec<String> {
        let of_port = self.notices.iter().filter(|notice| notice.port.as_ref() == Some(port));
        of_port
            .filter(|notice| matches!(notice.what, NoticeContent::Bench(_)))
            .map(|notice| {
                let value = serde_json::to_value(notice).unwrap();
                value.get("event").unwrap().as_str().unwrap().to_owned()
            })
            .collect()
    }

    /// Everything as lines of JSON.
    pub fn json(&self) -> Vec<String> {
        self.notices.iter().map(|notice| serde_json::to_string(notice).unwrap()).collect()
    }
}

/// The port of the unit with that number, from 0.
pub fn port(index: u8) -> PortPath {
    SimBus::bench_port(index)
}

/// Automatic, until it is told to quit.
pub fn auto() -> Mode {
    Mode { auto: true, ..Mode::default() }
}

/// Automatic, with what is there at the first look.
pub fn once() -> Mode {
    Mode { auto: true, once: true, ports: None }
}

fn tempdir() -> TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

impl Hall {
    /// A hall without units.
    pub fn new() -> Self {
        let home = tempdir();
        let store = Store::new(home.path());
        Self { bus: SimBus::new(), home, store, limits: Limits::default() }
    }

    /// A hall whose units are plugged in one after the other.
    pub fn with_units(names: &[&str], apart: Duration) -> Self {
        let hall = Self::new();
        for (index, name) in names.iter().enumerate() {
            let index = u8::try_from(index).unwrap();
            hall.plug_in_at(apart * u32::from(index), index, name);
        }
        hall
    }

    /// Has a unit plugged in at a time.
    pub fn plug_in_at(&self, at: Duration, index: u8, name: &str) {
        let scenario = recover::sim::scenario(name).unwrap_or_else(|| panic!("no scenario {name}"));
        self.bus.plug_in_at(at, port(index), scenario.device(), scenario.faults());
    }

    /// Lets time pass until all that was plugged in at once has shown up.
    pub fn wait_for_enumeration(&self) {
        self.bus.clock().sleep(Duration::from_secs(1));
    }

    pub fn store(&self) -> Store {
        self.store.clone()
    }

    fn shared(&self) -> Arc<Shared> {
        Arc::new(Shared {
            library: Library::embedded(&known_chips()),
            store: self.store(),
            twin: Box::new(VirtualTwin),
            scope: Scope::Simulator,
            commands: Commands::new("recover --auto"),
            request: Request::default(),
            profiles: PROFILES.map(str::to_owned).to_vec(),
            port_settings: BTreeMap::new(),
            limits: self.limits.clone(),
        })
    }

    /// Runs the bench; `answer` gives commands to what it hears, `disguise` changes a worker's
    /// bus.
    pub fn run_disguised(
        &self,
        mode: Mode,
        answer: impl FnMut(&Notice) -> Vec<Command> + Send + 'static,
        disguise: &Disguise,
    ) -> Ran {
        let (commands, heard): (Sender<Command>, Receiver<Command>) = channel();
        let notices = Arc::new(Mutex::new(Vec::new()));
        let keep = Keep { notices: Arc::clone(&notices), commands, answer: Box::new(answer) };
        let workers = SimWorkerFactory { bus: self.bus.clone(), disguise };
        let mut bus = self.bus.clone();
        let bench = Bench::new(self.shared(), &mut bus, &workers, mode, Box::new(keep));
        let tally = bench.run(&heard).unwrap();
        let notices = notices.lock().unwrap().clone();
        Ran { tally, notices }
    }

    /// Runs the bench on the simulator's own bus.
    pub fn run(
        &self,
        mode: Mode,
        answer: impl FnMut(&Notice) -> Vec<Command> + Send + 'static,
    ) -> Ran {
        self.run_disguised(mode, answer, &|_, bus| Box::new(bus))
    }
}

/// Quits when so many runs have ended.
pub fn quit_after(mut runs: usize) -> impl FnMut(&Notice) -> Vec<Command> + Send + 'static {
    move |notice| {
        if matches!(notice.what, NoticeContent::Run(Event::Outcome { .. })) {
            runs = runs.saturating_sub(1);
            if runs == 0 {
                return vec![Command::Quit];
            }
        }
        Vec::new()
    }
}
