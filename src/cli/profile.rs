//! `recover profile`.

use super::args::{CommonArgs, ProfileCommand};
use super::{home, library};
use crate::executor::Store;
use crate::profile::{self, Profile};
use crate::rescue::{Code, Failure};
use crate::ui;

/// Runs one of the profile commands.
pub fn run(common: &CommonArgs, command: &ProfileCommand) -> Result<u8, Failure> {
    match command {
        ProfileCommand::List => list(common),
        ProfileCommand::Show { name } => show(common, name),
        ProfileCommand::Check { folder } => {
            let folder = match folder {
                Some(folder) => folder.clone(),
                None => Store::new(home(common)?).profiles(),
            };
            let problems = profile::check(&folder);
            let Some((first, rest)) = problems.split_first() else {
                ui::print("every profile is right");
                return Ok(0);
            };
            for problem in rest {
                ui::print(&problem.to_string());
            }
            Err(Failure::new(Code::R309, first.to_string(), folder.display().to_string())
                .next("mend it and check again; docs/adding-a-device.md has every key"))
        }
    }
}

fn list(common: &CommonArgs) -> Result<u8, Failure> {
    let library = library(common)?;
    for profile in library.profiles() {
        if common.json {
            ui::print(&serde_json::to_string(profile).unwrap_or_default());
        } else {
            ui::print(&format!(
                "{:<20} {:<8} image: {:<8} {}",
                profile.name,
                profile.chip.model,
                profile.image.source.to_string(),
                profile.title
            ));
        }
    }
    for problem in library.problems() {
        log::warn!("{problem}");
    }
    Ok(0)
}

fn show(common: &CommonArgs, name: &str) -> Result<u8, Failure> {
    let library = library(common)?;
    let profile = library.profiles().iter().find(|profile| profile.name == name).ok_or_else(|| {
        Failure::new(Code::R306, format!("no profile is called {name:?}"), "profile show")
            .next("`recover profile list`")
    })?;
    if common.json {
        ui::print(&serde_json::to_string(profile).unwrap_or_default());
    } else {
        ui::print(&describe(profile));
    }
    Ok(0)
}

fn describe(profile: &Profile) -> String {
    let mut lines = vec![format!("{}: {}", profile.name, profile.title)];
    if !profile.aliases.is_empty() {
        lines.push(format!("  also called: {}", profile.aliases.join(", ")));
    }
    lines.push(format!("  chip: {} ({})", profile.chip.model, profile.chip.confidence.grade));
    for sighting in &profile.sightings {
        lines.push(format!("  blank it shows as: {} ({})", sighting.ids, sighting.confidence.grade));
    }
    lines.push(format!(
        "  healthy it is: {} ({})",
        profile.identity.identity, profile.identity.confidence.grade
    ));
    lines.push(format!(
        "  EEPROM: {}, {} bytes ({})",
        profile.memory.part, profile.memory.size_bytes, profile.memory.confidence.grade
    ));
    lines.push(format!("  image: {}; {}", profile.image.source, profile.image.description));
    for (index, guidance) in profile.guidance.iter().enumerate() {
        lines.push(format!("  by hand {}: {}", index + 1, guidance.step));
        lines.push(format!("             {}", guidance.expect));
    }
    for sentence in profile.inferred() {
        lines.push(format!("  not proven: {sentence}"));
    }
    for source in &profile.provenance.sources {
        lines.push(format!("  source: {source}"));
    }
    lines.join("\n")
}
