//! `recover --auto --all`: every device that needs a rescue, at once.

use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};

use super::args::{CommonArgs, RescueArgs};
use super::interrupt;
use super::shared::{fits_many, shared};
use super::simulated::{Plugged, Simulated};
use super::worker_factory::{HostWorkerFactory, SimWorkerFactory};
use crate::bench::{Bench, Listener, Mode, Notice, Shared, Tally, WorkerFactory};
use crate::failure::{Code, Failure};
use crate::ui;
use crate::usb::host::HostBus;
use crate::usb::{Bus, PortPath};

/// Rescues every device that needs it.
pub fn all(common: &CommonArgs, rescue: &RescueArgs) -> Result<u8, Failure> {
    fits_many(common, rescue)?;
    let shared = Arc::new(shared(common, rescue)?);
    let mode = Mode { auto: true, once: true, ports: None };
    let results = Results::default();
    let listener = Box::new(Tee { told: ui::listener(common.json), results: results.clone() });
    let tally = match &common.sim {
        Some(names) => {
            let simulated = Simulated::open(common, names, Plugged::Already)?;
            let workers = SimWorkerFactory::of(common, simulated.bus.clone())?;
            let tally = run(&shared, &mut simulated.bus.clone(), &workers, mode, listener)?;
            simulated.keep()?;
            tally
        }
        None => {
            let mut bus = HostBus::new();
            let workers = HostWorkerFactory::of(bus.participant(), common, false)?;
            run(&shared, &mut bus, &workers, mode, listener)?
        }
    };
    let was_ended = interrupt::ends_again();
    if tally == Tally::default() {
        if was_ended {
            return Err(Failure::new(
                Code::R405,
                "stopped before a device was connected",
                "all ports",
            )
            .next("connect the enclosures and run the same command"));
        }
        // Nobody there, and what was to be waited has been: told as for a single one.
        return super::rescue::auto(&CommonArgs { wait: None, ..common.clone() }, rescue);
    }
    if !common.json {
        let results = results.0.lock().unwrap_or_else(PoisonError::into_inner);
        results.values().for_each(|line| ui::print(line));
    }
    Ok(tally.exit_code)
}

fn run(
    shared: &Arc<Shared>,
    bus: &mut dyn Bus,
    workers: &dyn WorkerFactory,
    mode: Mode,
    listener: Box<dyn Listener>,
) -> Result<Tally, Failure> {
    // Only an interruption gives commands; the sender lives as long as the run.
    let (sender, commands) = channel();
    interrupt::quits(sender.clone(), ui::announce);
    Bench::new(Arc::clone(shared), bus, workers, mode, listener).run(&commands)
}

/// The last line of every port.
#[derive(Clone, Default)]
struct Results(Arc<Mutex<BTreeMap<PortPath, String>>>);

/// Tells one listener and keeps the results.
struct Tee {
    told: Box<dyn Listener>,
    results: Results,
}

impl Listener for Tee {
    fn hear(&mut self, notice: &Notice) {
        if let Some((port, line)) = ui::result_line(notice) {
            self.results.0.lock().unwrap_or_else(PoisonError::into_inner).insert(port, line);
        }
        self.told.hear(notice);
    }
}
