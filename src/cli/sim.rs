//! `recover sim`.

use std::fs;
use std::path::Path;

use super::args::{CommonArgs, SimCommand};
use super::attach;
use super::ports::{file_failure, find_scenario};
use crate::rescue::{Code, Failure};
use crate::sim::Scenario;
use crate::{sim, ui};

/// Most bytes of a medium that are written to a file.
const MOST_MEDIUM_BYTES: usize = 8 << 20;

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
            ui::print(&format!("try it: recover --auto --sim {}{named}", scenario.name));
        }
        SimCommand::Attach { scenarios, count, log, unpaced } => {
            let what = attach::What { scenarios, count: *count, log: log.as_deref() };
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
    let most = MOST_MEDIUM_BYTES / medium.sector_bytes();
    let sectors = u16::try_from(medium.sectors()).unwrap_or(u16::MAX).min(most as u16);
    let bytes = medium.read(0, sectors).unwrap_or_default();
    fs::write(path, bytes).map_err(|error| file_failure(path, &error))
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
