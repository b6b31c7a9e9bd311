//! `recover sim`.

use super::args::{CommonArgs, SimCommand};
use super::attach;
use super::ports::find_scenario;
use crate::rescue::Failure;
use crate::sim::Scenario;
use crate::{sim, ui};

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
        SimCommand::Show { name } => {
            let scenario = find_scenario(name)?;
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

fn object(scenario: &Scenario) -> String {
    serde_json::json!({
        "scenario": scenario.name,
        "chip": scenario.model,
        "title": scenario.title,
        "story": scenario.story,
    })
    .to_string()
}
