//! `recover sim`.

use std::path::Path;

use super::args::{CommonArgs, SimCommand};
use super::attach;
use super::ports::file_failure;
use super::simulated::find_scenario;
use crate::failure::{Code, Failure};
use crate::files;
use crate::profile::{Library, known_chips};
use crate::sim::Scenario;
use crate::sim::relay::{Dialect, Load};
use crate::usb::PortPath;
use crate::{sim, ui};

/// Most bytes of a medium that are written to a file.
const MAX_MEDIUM_BYTES: usize = 8 << 20;

/// Runs one of the simulator commands.
pub fn run(common: &CommonArgs, command: &SimCommand) -> Result<u8, Failure> {
    match command {
        SimCommand::List => {
            for scenario in sim::scenarios() {
                if common.json {
                    ui::print(&object(scenario));
                    continue;
                }
                ui::print(&format!("{:<22} {}", scenario.name, scenario.title));
            }
        }
        SimCommand::Show { name, medium } => {
            let scenario = find_scenario(name)?;
            if let Some(path) = medium {
                write_medium(scenario, path)?;
            }
            if common.json {
                ui::print(&object(scenario));
                return Ok(0);
            }
            ui::print(&format!("{}: {}\n\n{}\n", scenario.name, scenario.title, scenario.story));
            let named = match scenario.model {
                // Its boot id is its own; the others share theirs with boards of no enclosure.
                "sl11r" => String::new(),
                "ez-host" => " --profile simulated-ez-otg".to_owned(),
                model => format!(" --profile simulated-{model}"),
            };
            let library = Library::embedded(&known_chips());
            let is_known = |option: &String| {
                option.split(' ').next_back().is_some_and(|name| library.find(name).is_some())
            };
            let named = Some(named).filter(is_known).unwrap_or_default();
            ui::print(&format!("try it: recover --auto --sim {}{named}", scenario.name));
        }
        SimCommand::Relay { kind, device, power } => {
            let load = Told { json: common.json, power: power.clone() };
            relay(*kind, device.as_deref(), load)?;
        }
        SimCommand::Attach { scenarios, count, eeprom, log, unpaced } => {
            let (eeprom, log) = (eeprom.as_deref(), log.as_deref());
            let what = attach::What { scenarios, count: *count, eeprom, log };
            attach::attach(common, &what, *unpaced)?;
        }
        SimCommand::Power { at, switch } => attach::power(at, *switch)?,
        SimCommand::Disturb { at, faults } => attach::disturb(at, faults)?,
        SimCommand::WatchPower { at } => attach::watch_power(at)?,
        SimCommand::Status { at } => attach::status(at)?,
    }
    Ok(0)
}

fn write_medium(scenario: &Scenario, path: &Path) -> Result<(), Failure> {
    let medium = scenario.medium().ok_or_else(|| {
        let what = format!("{} has no drive with a medium", scenario.name);
        Failure::new(Code::R311, what, "--medium").next("`recover sim list` names the others")
    })?;
    let maximum = MAX_MEDIUM_BYTES / medium.sector_bytes();
    let sectors = u16::try_from(medium.sectors()).unwrap_or(u16::MAX).min(maximum as u16);
    let bytes = medium.read(0, sectors).unwrap_or_default();
    files::overwrite(path, &bytes).map_err(|error| file_failure(path, &error))
}

fn object(scenario: &Scenario) -> String {
    serde_json::json!({
        "scenario": scenario.name,
        "chip": scenario.model,
        "title": scenario.title,
        "story": scenario.story,
    })
    .to_string()
}

/// A relay board of this computer: who moves is printed, and the power of the kernel's virtual
/// devices that are wired to it follows.
#[cfg(unix)]
fn relay(kind: Dialect, device: Option<&Path>, load: Told) -> Result<(), Failure> {
    use crate::sim::pty::{Pty, Taken};
    use crate::sim::relay::RelayBoard;

    let failed = |error: std::io::Error| {
        let place = device.map_or("pseudo terminal".to_owned(), |link| link.display().to_string());
        Failure::new(Code::R506, error.to_string(), place)
            .next("name a file that does not exist, in a folder that you may write to")
    };
    let pty = Pty::open().map_err(failed)?;
    if let Some(link) = device {
        pty.link(link).map_err(failed)?;
    }
    let path = pty.path().display().to_string();
    ui::print(&if load.json { serde_json::json!({ "device": path }).to_string() } else { path });
    let board = RelayBoard::new(kind, Box::new(load));
    pty.serve(board, &Taken::default()).map_err(failed)
}

#[cfg(not(unix))]
fn relay(_: Dialect, _: Option<&Path>, _: Told) -> Result<(), Failure> {
    Err(Failure::new(Code::R311, "virtual relay boards need Unix pseudo terminals", "sim")
        .next("`recover sim list` names what there is"))
}

/// Prints who moves, and switches what is wired to it.
struct Told {
    json: bool,
    /// Relays, and the ports whose power goes through their NC terminals.
    power: Vec<(u8, PortPath)>,
}

impl Load for Told {
    fn switched(&mut self, channel: u8, energised: bool) {
        let state = if energised { "on" } else { "off" };
        ui::print(&if self.json {
            serde_json::json!({ "relay": channel, "state": state }).to_string()
        } else {
            format!("relay {channel} {state}")
        });
        for (_, port) in self.power.iter().filter(|(relay, _)| *relay == channel) {
            if let Err(failure) = attach::feed(port, !energised) {
                log::warn!("{failure}");
            }
        }
    }
}
