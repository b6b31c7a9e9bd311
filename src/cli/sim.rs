//! `recover sim`.

use super::args::SimCommand;
use super::ports::find_scenario;
use crate::rescue::Failure;
use crate::{sim, ui};

/// Runs one of the simulator commands.
pub fn run(command: &SimCommand) -> Result<u8, Failure> {
    match command {
        SimCommand::List => {
            for scenario in sim::scenarios() {
                ui::print(&format!("{:<22} {}", scenario.name, scenario.title));
            }
        }
        SimCommand::Show { name } => {
            let scenario = find_scenario(name)?;
            ui::print(&format!("{}: {}\n\n{}\n", scenario.name, scenario.title, scenario.story));
            ui::print(&format!("try it: recover --auto --sim {}", scenario.name));
        }
    }
    Ok(0)
}
