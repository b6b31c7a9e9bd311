//! `recover --auto --all`: every device in question at once.

use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};

use super::args::{CommonArgs, RescueArgs};
use super::bench::quit_when_interrupted;
use super::crew::{HostCrew, SimCrew};
use super::rescue::with_image;
use super::simulated::{Plugged, Simulated};
use super::{command_line, interrupt, library, relays, request, store};
use crate::bench::config::{BenchConfig, BenchPort};
use crate::bench::{Bench, Crew, Limits, Listener, Mode, Notice, Place, Shop, Tally};
use crate::executor::{Commands, Request};
use crate::failure::{Code, Failure};
use crate::preflight::VirtualTwin;
use crate::rescue::Wish;
use crate::ui;
use crate::usb::host::HostBus;
use crate::usb::{Bus, PortPath};

/// Rescues every device in question.
pub fn all(common: &CommonArgs, rescue: &RescueArgs) -> Result<u8, Failure> {
    fits_many(common, rescue)?;
    let shop = Arc::new(shop(common, rescue, "recover --auto")?);
    let mode = Mode { auto: true, once: true, ports: None };
    let results = Results::default();
    let listener = Box::new(Tee { told: ui::listener(common.json), results: results.clone() });
    let tally = match &common.sim {
        Some(names) => {
            let simulated = Simulated::open(common, names, Plugged::Already)?;
            let crew = SimCrew::of(common, simulated.bus.clone())?;
            let tally = run(&shop, &mut simulated.bus.clone(), &crew, mode, listener)?;
            simulated.keep()?;
            tally
        }
        None => {
            let mut bus = HostBus::new();
            let crew = HostCrew::of(bus.participant(), common, false)?;
            run(&shop, &mut bus, &crew, mode, listener)?
        }
    };
    let was_ended = interrupt::ends_again();
    if tally == Tally::default() {
        if was_ended {
            return Err(Failure::new(Code::R405, "ended while nothing was there yet", "all ports")
                .next("plug the enclosures in and run the same command"));
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
    shop: &Arc<Shop>,
    bus: &mut dyn Bus,
    crew: &dyn Crew,
    mode: Mode,
    listener: Box<dyn Listener>,
) -> Result<Tally, Failure> {
    // Only an interruption gives commands; the sender lives as long as the run.
    let (sender, commands) = channel();
    quit_when_interrupted(sender.clone(), ui::announce);
    Bench::new(Arc::clone(shop), bus, crew, mode, listener).run(&commands)
}

/// What all workers share, as the command line asks for it; `verb` is what rescues one of them.
pub fn shop(common: &CommonArgs, rescue: &RescueArgs, verb: &str) -> Result<Shop, Failure> {
    let library = library(common)?;
    for problem in library.problems() {
        log::warn!("{problem}");
    }
    let profiles: Vec<String> =
        rescue.profile.iter().flat_map(|names| names.split(',')).map(str::to_owned).collect();
    if let Some(unknown) = profiles.iter().find(|name| library.find(name).is_none()) {
        let what = format!("no profile is called {unknown:?}");
        return Err(Failure::new(Code::R306, what, format!("--profile {unknown}"))
            .next("list them with `recover profile list`"));
    }
    let asked = request(common, rescue)?;
    let request = Request { wish: Wish { profile: None, ..asked.wish.clone() }, ..asked };
    Ok(Shop {
        library,
        store: store(common)?,
        twin: Box::new(VirtualTwin),
        scope: common.scope(),
        commands: Commands {
            again: with_image(command_line(common, verb), rescue),
            options: command_line(common, ""),
        },
        request,
        profiles,
        places: places(&relays::config(common)?.unwrap_or_default()),
        limits: Limits::default(),
    })
}

/// What the bench file knows of the ports.
fn places(config: &BenchConfig) -> BTreeMap<PortPath, Place> {
    let place = |port: &BenchPort| {
        let label = Some(port.label.clone());
        (port.path.clone(), Place { label, profile: port.profile.clone() })
    };
    config.ports.iter().map(place).collect()
}

/// Refuses what is about one device.
pub fn fits_many(common: &CommonArgs, rescue: &RescueArgs) -> Result<(), Failure> {
    let refused = |option: &str| {
        let what = format!("{option} is about one device, and this is about all");
        Err(Failure::new(Code::R311, what, "command line")
            .next(command_line(common, "recover --auto")))
    };
    if common.port.is_some() {
        return refused("--port");
    }
    if common.trace.is_some() {
        return refused("--trace");
    }
    if rescue.serial.is_some() {
        return refused("--serial");
    }
    Ok(())
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
