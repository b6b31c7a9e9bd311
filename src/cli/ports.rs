//! The ports a command works on: the computer's, or a virtual enclosure's with virtual hands.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::args::CommonArgs;
use super::read_text;
use crate::clock::{Clock, RealClock};
use crate::executor::{Consent, Operator};
use crate::profile::Scope;
use crate::rescue::{Code, Failure};
use crate::sim::{self, Faults, Scenario, SimBus};
use crate::ui::TerminalOperator;
use crate::usb::host::HostBus;
use crate::usb::trace::{Recorder, Serials};
use crate::usb::{Bus, PortPath};

/// An open bus and whoever stands in front of it.
pub struct Ports {
    bus: Box<dyn Bus>,
    operator: Box<dyn Operator>,
    kept: Option<(SimBus, Kept)>,
}

/// A virtual EEPROM between two runs.
struct Kept {
    scenario: &'static str,
    path: std::path::PathBuf,
}

/// The same on the disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptFile {
    scenario: String,
    eeprom: String,
}

impl CommonArgs {
    /// Whether the devices are real.
    pub fn scope(&self) -> Scope {
        if self.sim.is_some() { Scope::Simulator } else { Scope::Hardware }
    }
}

impl Ports {
    /// Opens the bus that was asked for, recorded where that was asked for too. `serials` may
    /// be in what is sent, and are masked where serial numbers are.
    pub fn open(common: &CommonArgs, serials: &[String]) -> Result<Self, Failure> {
        let mut ports = match &common.sim {
            Some(name) => Self::simulated(common, find_scenario(name)?)?,
            None => Self {
                bus: Box::new(HostBus::new()),
                operator: Box::new(TerminalOperator),
                kept: None,
            },
        };
        if let Some(path) = &common.trace {
            let file = File::create(path).map_err(|error| file_failure(path, &error))?;
            let kept = if common.mask_serials { Serials::Masked } else { Serials::Kept };
            let recorder = Recorder::new(ports.bus, BufWriter::new(file), kept);
            for serial in serials {
                recorder.learn_serial(serial);
            }
            ports.bus = Box::new(recorder);
        }
        Ok(ports)
    }

    fn simulated(common: &CommonArgs, scenario: &'static Scenario) -> Result<Self, Failure> {
        let bus = SimBus::starting_at(RealClock::new().date());
        let port = SimBus::scenario_port();
        bus.add_scenario(scenario);
        let kept = match &common.sim_state {
            None => None,
            Some(path) => {
                let kept = Kept { scenario: scenario.name, path: path.clone() };
                kept.load(&bus, &port)?;
                Some((bus.clone(), kept))
            }
        };
        if !common.fault.is_empty() {
            bus.set_faults(&port, faults(common)?);
        }
        let operator = Box::new(VirtualHands(bus.clone()));
        Ok(Self { bus: Box::new(bus), operator, kept })
    }

    /// The bus and the operator.
    pub fn parts(&mut self) -> (&mut dyn Bus, &mut dyn Operator) {
        (&mut *self.bus, &mut *self.operator)
    }

    /// Ends the work; a virtual EEPROM is kept where that was asked for.
    pub fn close(self) -> Result<(), Failure> {
        match self.kept {
            Some((bus, kept)) => kept.save(&bus, &SimBus::scenario_port()),
            None => Ok(()),
        }
    }
}

impl Kept {
    fn load(&self, bus: &SimBus, port: &PortPath) -> Result<(), Failure> {
        if !self.path.exists() {
            return Ok(());
        }
        let wrong = |why: String| {
            Failure::new(Code::R506, why, self.path.display().to_string())
                .next("name another file with --sim-state, or remove this one to start afresh")
        };
        let text = read_text(&self.path).map_err(&wrong)?;
        let file: KeptFile =
            serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if file.scenario != self.scenario {
            return Err(wrong(format!("it is of the scenario {}", file.scenario)));
        }
        let bytes = hex::decode(&file.eeprom).map_err(|error| wrong(error.to_string()))?;
        bus.load_eeprom(port, &bytes);
        bus.replug(port);
        bus.settle(port);
        Ok(())
    }

    fn save(&self, bus: &SimBus, port: &PortPath) -> Result<(), Failure> {
        let bytes = bus.eeprom(port).map(|state| state.bytes).unwrap_or_default();
        let file = KeptFile { scenario: self.scenario.to_owned(), eeprom: hex::encode(bytes) };
        let text = serde_json::to_string(&file).unwrap_or_default();
        fs::write(&self.path, text).map_err(|error| file_failure(&self.path, &error))
    }
}

/// A file that could not be made or written.
pub fn file_failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Code::R506, error.to_string(), path.display().to_string())
        .next("name a file in a folder that you may write to")
}

/// The faults that were asked for.
pub fn faults(common: &CommonArgs) -> Result<Faults, Failure> {
    common.fault.join(",").parse().map_err(|error| {
        Failure::new(Code::R311, format!("{error}"), "--fault")
            .next("write it like unplug@37, stall@12 or seed=7")
    })
}

/// The scenario of that name.
pub fn find_scenario(name: &str) -> Result<&'static Scenario, Failure> {
    sim::scenario(name).ok_or_else(|| {
        Failure::new(Code::R311, format!("no scenario is called {name:?}"), "simulator")
            .next("`recover sim list` names them")
    })
}

/// On the simulator there is nothing to lose, and the plug is pulled by the program.
struct VirtualHands(SimBus);

impl Operator for VirtualHands {
    fn consent(&mut self, _reasons: &[String]) -> Consent {
        Consent::Given
    }

    fn power_cycle(&mut self, port: &PortPath) {
        self.0.replug(port);
    }
}
