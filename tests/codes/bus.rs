//! R4xx: the bus, and what ends a run.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::time::Duration;

use recover::bench::{Command, Notice, NoticeContent};
use recover::clock::Clock;
use recover::executor::{Event, Request};
use recover::failure::Code;
use recover::sim::SimBus;
use recover::usb::lock::PortLock;
use recover::usb::trace::Replayer;
use recover::usb::{Bus, BusError, Link, Sighting, TransferError, Use};

use crate::codes::case::{Answer, Case};
use crate::codes::device::tampered;
use crate::codes::program::Program;
use crate::hall::{self, Hall};
use crate::support::{Desk, port, scenario};

pub const CASES: &[Case] = &[
    Case { code: Code::R401, what: "no permission to open it", provoke: || refused(denied) },
    Case { code: Code::R401, what: "no permission to use it", provoke: no_permission },
    Case { code: Code::R402, what: "it is held", provoke: || refused(busy) },
    Case { code: Code::R402, what: "it is taken meanwhile", provoke: taken_meanwhile },
    Case { code: Code::R403, what: "the bus cannot be looked at", provoke: an_empty_replay },
    Case { code: Code::R404, what: "another run at the port", provoke: another_run },
    Case { code: Code::R405, what: "the bench is to quit", provoke: asked_to_quit },
    Case { code: Code::R406, what: "a worker that breaks", provoke: a_broken_worker },
    Case { code: Code::R407, what: "a mounted disk", provoke: a_mounted_disk },
];

/// A bus on which opening a device is answered so.
struct Refusing {
    bus: SimBus,
    open: fn(&Sighting) -> BusError,
}

impl Bus for Refusing {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        self.bus.scan()
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        Err((self.open)(seen))
    }

    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError> {
        self.bus.reset(seen)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Bus::clock(&self.bus)
    }
}

fn denied(seen: &Sighting) -> BusError {
    BusError::Denied(seen.port.clone())
}

fn busy(seen: &Sighting) -> BusError {
    BusError::Busy(seen.port.clone())
}

fn breaks(seen: &Sighting) -> BusError {
    unreachable!("on purpose, at port {}", seen.port)
}

fn refused(open: fn(&Sighting) -> BusError) -> Answer {
    let mut desk = Desk::new(scenario("sl11r-zeroed"));
    let mut bus = Refusing { bus: desk.bus.clone(), open };
    desk.run_on(&mut bus, |session| session.rescue(&Request::default())).into()
}

fn no_permission() -> Answer {
    tampered("sl11r-zeroed", |_, _| Err(TransferError::Denied))
}

fn taken_meanwhile() -> Answer {
    tampered("sl11r-zeroed", |_, _| Err(TransferError::Busy))
}

/// A recording of which nothing but the head is left: no look at its bus is answered.
fn an_empty_replay() -> Answer {
    let program = Program::new();
    program.run("diagnose --sim --trace @trace");
    let mut head = String::new();
    BufReader::new(File::open(program.file("trace")).unwrap()).read_line(&mut head).unwrap();
    let mut replay = Replayer::read(head.as_bytes()).unwrap();
    let mut desk = Desk::new(scenario("sl11r-zeroed"));
    desk.run_on(&mut replay, |session| session.rescue(&Request::default())).into()
}

fn another_run() -> Answer {
    let mut desk = Desk::new(scenario("sl11r-zeroed"));
    let date = Bus::clock(&desk.bus).date();
    let _held = PortLock::take(&desk.store.folder("locks").unwrap(), &port(), date).unwrap();
    desk.rescue(&Request::default()).into()
}

/// How the run of the only unit of a bench ended.
fn at_the_bench(
    answer: impl FnMut(&Notice) -> Vec<Command> + Send + 'static,
    disguise: &hall::Disguise,
) -> Answer {
    let hall = Hall::with_units(&["sl11r-zeroed"], Duration::ZERO);
    hall.wait_for_enumeration();
    let ran = hall.run_disguised(hall::once(), answer, disguise);
    let (_, outcome) = ran.outcomes().remove(&hall::port(0)).unwrap();
    outcome.into()
}

fn asked_to_quit() -> Answer {
    let answer = |notice: &Notice| match &notice.what {
        NoticeContent::Run(Event::Proven { .. }) => vec![Command::Quit],
        _ => Vec::new(),
    };
    at_the_bench(answer, &|_, bus| Box::new(bus))
}

fn a_broken_worker() -> Answer {
    at_the_bench(|_| Vec::new(), &|_, bus| Box::new(Refusing { bus, open: breaks }))
}

fn a_mounted_disk() -> Answer {
    let mut desk = Desk::new(scenario("at2lp-rc42"));
    let used = Use::new("/dev/sdb1 is mounted at /mnt/x", "umount /mnt/x");
    desk.bus.set_uses(&port(), vec![used]);
    desk.rescue(&Request::default()).into()
}
