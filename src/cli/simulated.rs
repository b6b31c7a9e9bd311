//! Virtual enclosures as the command line asks for them, what is kept of them between two runs,
//! and the hands in front of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::args::CommonArgs;
use super::ports::file_failure;
use super::read_text;
use super::typed::is_command_taken_by_sim;
use crate::clock::{Clock, RealClock};
use crate::executor::{Consent, Operator};
use crate::failure::{Code, Failure};
use crate::files;
use crate::sim::{self, Faults, Scenario, SimBus};
use crate::usb::PortPath;

/// From one unit of a bench being plugged in to the next.
const NEXT_UNIT: Duration = Duration::from_millis(1500);

/// Most virtual enclosures at once.
const MAX_UNITS: usize = 64;

/// Virtual enclosures on their ports.
#[derive(Clone)]
pub struct Simulated {
    /// The bus they are on.
    pub bus: SimBus,
    units: Vec<Unit>,
    state: Option<PathBuf>,
}

/// A virtual enclosure.
#[derive(Clone)]
struct Unit {
    port: PortPath,
    scenario: &'static Scenario,
}

/// When virtual enclosures are plugged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plugged {
    /// Long ago.
    Already,
    /// One after the other, by somebody at a bench.
    OverTime,
}

/// A virtual memory between two runs, on the disk. One device is kept as such, without its port;
/// several as a list.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptUnit {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    port: Option<PortPath>,
    scenario: String,
    eeprom: String,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum KeptFile {
    One(KeptUnit),
    Several(Vec<KeptUnit>),
}

impl Simulated {
    /// The virtual enclosures of that name, or of those names.
    pub fn open(common: &CommonArgs, names: &str, plugged: Plugged) -> Result<Self, Failure> {
        let bus = SimBus::starting_at(RealClock::new().date());
        let faults: Option<Faults> = match common.fault.as_slice() {
            [] => None,
            _ => Some(self::faults(common)?),
        };
        let units =
            units(names).map_err(|failure| is_command_taken_by_sim(names).unwrap_or(failure))?;
        let kept = common.sim_state.as_deref().map_or(Ok(Vec::new()), |path| load(path, &units))?;
        let mut at = Duration::ZERO;
        for unit in &units {
            let mut device = unit.scenario.device();
            let before = kept.iter().find(|(port, _)| *port == unit.port);
            if let (Some((_, bytes)), Some(eeprom)) = (before, device.eeprom_mut()) {
                eeprom.load(bytes);
            }
            let faults = faults.clone().unwrap_or_else(|| unit.scenario.faults());
            match plugged {
                Plugged::Already => bus.plug_in(unit.port.clone(), device, faults),
                Plugged::OverTime => bus.plug_in_at(at, unit.port.clone(), device, faults),
            }
            if let Some(kind) = common.sim_hub {
                bus.put_hub(&unit.port, kind);
            }
            at += NEXT_UNIT;
        }
        Ok(Self { bus, units, state: common.sim_state.clone() })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.units.len()
    }

    /// Keeps the virtual memories where that was asked for.
    pub fn keep(&self) -> Result<(), Failure> {
        let Some(path) = &self.state else { return Ok(()) };
        let several = self.units.len() > 1;
        let mut kept: Vec<KeptUnit> = self
            .units
            .iter()
            .map(|Unit { port, scenario }| {
                let bytes = self.bus.eeprom_bytes(port).unwrap_or_default();
                let port = several.then(|| port.clone());
                KeptUnit { port, scenario: scenario.name.to_owned(), eeprom: hex::encode(bytes) }
            })
            .collect();
        let file = match kept.pop() {
            Some(only) if kept.is_empty() => KeptFile::One(only),
            last => KeptFile::Several(kept.into_iter().chain(last).collect()),
        };
        let text = serde_json::to_string(&file).unwrap_or_default();
        files::replace(path, text.as_bytes()).map_err(|error| file_failure(path, &error))
    }
}

/// The memories as the last run left them.
fn load(path: &Path, units: &[Unit]) -> Result<Vec<(PortPath, Vec<u8>)>, Failure> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let wrong = |why: String| {
        Failure::new(Code::R506, why, path.display().to_string())
            .next("name another file with --sim-state, or delete this one to start again")
    };
    let text = read_text(path).map_err(&wrong)?;
    let file: KeptFile = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let kept = match file {
        KeptFile::One(only) => vec![only],
        KeptFile::Several(several) => several,
    };
    if kept.len() != units.len() {
        return Err(wrong(format!("it holds {} enclosures, expected {}", kept.len(), units.len())));
    }
    let pairs = kept.into_iter().zip(units);
    pairs
        .map(|(kept, unit)| {
            let same_port = kept.port.as_ref().is_none_or(|port| *port == unit.port);
            if kept.scenario != unit.scenario.name || !same_port {
                return Err(wrong(format!("it holds the scenario {}", kept.scenario)));
            }
            let bytes = hex::decode(&kept.eeprom).map_err(|error| wrong(error.to_string()))?;
            Ok((unit.port.clone(), bytes))
        })
        .collect()
}

/// The virtual enclosures of `a,b:3,c`: one alone sits on the simulator's usual port, several on
/// the ports of a bench.
fn units(names: &str) -> Result<Vec<Unit>, Failure> {
    let found = find_scenarios(names)?;
    if let [scenario] = *found {
        return Ok(vec![Unit { port: SimBus::scenario_port(), scenario }]);
    }
    let ports = (0..).map(SimBus::bench_port);
    Ok(ports.zip(found).map(|(port, scenario)| Unit { port, scenario }).collect())
}

/// The scenarios of `a,b:3,c`.
pub fn find_scenarios(names: &str) -> Result<Vec<&'static Scenario>, Failure> {
    let mut found = Vec::new();
    for name in names.split(',') {
        let (name, times) = match name.split_once(':') {
            None => (name, 1),
            Some((name, times)) => match times.parse() {
                Ok(times) if (1..=MAX_UNITS).contains(&times) => (name, times),
                _ => {
                    let what = format!("{times:?} is not a number of enclosures");
                    return Err(Failure::new(Code::R311, what, "--sim")
                        .next(format!("write it like {name}:3")));
                }
            },
        };
        found.extend(std::iter::repeat_n(find_scenario(name)?, times));
    }
    if found.len() > MAX_UNITS {
        let what =
            format!("{} virtual enclosures are too many; the maximum is {MAX_UNITS}", found.len());
        return Err(Failure::new(Code::R311, what, "--sim").next("name fewer of them"));
    }
    Ok(found)
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
        Failure::new(Code::R311, format!("there is no scenario named {name:?}"), "simulator")
            .next("`recover sim list` names them")
    })
}

/// On the simulator there is nothing to lose, and the plug is pulled by the program.
pub struct VirtualOperator(pub SimBus);

impl Operator for VirtualOperator {
    fn consent(&mut self, _reasons: &[String]) -> Consent {
        Consent::Given
    }

    fn power_cycle(&mut self, port: &PortPath) {
        self.0.replug(port);
    }
}
