//! `recover profile`.

use std::path::Path;

use super::args::{CommonArgs, ProfileCommand, ReadArgs};
use super::{commands, home, library, reading, rescue};
use crate::executor::{Learning, Store};
use crate::failure::{Code, Failure};
use crate::profile::{self, GuidanceTime, ImageSource, Library, Problem, Profile};
use crate::ui;
use crate::wording::counted;

/// Runs one of the profile commands.
pub fn run(common: &CommonArgs, command: &ProfileCommand) -> Result<u8, Failure> {
    match command {
        ProfileCommand::List => list(common),
        ProfileCommand::Show { name } => show(common, name),
        ProfileCommand::Learn { name, read } => learn(common, name.as_deref(), *read),
        ProfileCommand::Check { folder } => {
            let folder = match folder {
                Some(folder) if !folder.is_dir() => {
                    let place = folder.display().to_string();
                    return Err(Failure::new(Code::R506, "this folder does not exist", place)
                        .next("name the folder that contains the profile folders"));
                }
                Some(folder) => folder.clone(),
                None => Store::new(home(common)?).profiles(),
            };
            check(common, &folder)
        }
    }
}

/// Makes a profile from a healthy enclosure, in the user's own folder.
fn learn(common: &CommonArgs, name: Option<&str>, read: ReadArgs) -> Result<u8, Failure> {
    let request = reading(common, read)?;
    let learning = Learning {
        folder: Store::new(home(common)?).profiles(),
        name: name.map(ToOwned::to_owned),
    };
    let own = [("--name", name.map(ToOwned::to_owned))];
    let commands = commands::reading(common, "recover profile learn", read, &own);
    let detail = rescue::detail(common, false);
    rescue::run(common, commands, &request.target, detail, |session| {
        session.learn(&request, &learning)
    })
}

/// Checks every profile in and below a folder.
fn check(common: &CommonArgs, folder: &Path) -> Result<u8, Failure> {
    let library = Library::empty(&profile::known_chips()).with_user_folder(folder);
    let mut problems: Vec<Problem> = library.problems().to_vec();
    for profile in library.profiles() {
        if matches!(profile.image.source, ImageSource::Shipped { .. }) {
            problems.extend(library.image_bytes(profile).err());
        }
    }
    let Some((first, rest)) = problems.split_first() else {
        if common.json {
            let count = library.profiles().count();
            ui::print(&serde_json::json!({ "profiles": count }).to_string());
            return Ok(0);
        }
        ui::print(&format!("{}, no errors", counted(library.profiles().count(), "profile")));
        return Ok(0);
    };
    for problem in rest {
        if common.json {
            ui::print(&serde_json::json!({ "problem": problem.to_string() }).to_string());
            continue;
        }
        ui::print(&format!("{problem}\n  {}", problem.kind.remedy()));
    }
    Err(Failure::new(Code::R309, first.kind.to_string(), first.location())
        .next(first.kind.remedy()))
}

fn list(common: &CommonArgs) -> Result<u8, Failure> {
    let library = library(common)?;
    for profile in library.profiles() {
        if common.json {
            ui::print(&serde_json::to_string(profile).unwrap_or_default());
        } else {
            ui::print(&format!(
                "{:<20} {:<8} image: {:<8} {}",
                profile.name, profile.chip.model, profile.image.source, profile.title
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
    let profile = library.find(name).ok_or_else(|| {
        Failure::new(Code::R306, format!("there is no profile named {name:?}"), "profile show")
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
        lines
            .push(format!("  USB ID when blank: {} ({})", sighting.ids, sighting.confidence.grade));
    }
    lines.push(match &profile.identity {
        Some(claim) => {
            format!("  identity when healthy: {} ({})", claim.identity, claim.confidence.grade)
        }
        None => {
            "  identity when healthy: the one you give with --ids or with your own image".to_owned()
        }
    });
    lines.push(format!(
        "  memory: {}, {} bytes ({})",
        profile.memory.part, profile.memory.size_bytes, profile.memory.confidence.grade
    ));
    lines.push(format!("  image: {}; {}", profile.image.source, profile.image.description));
    for (index, guidance) in profile.guidance.iter().enumerate() {
        let when = match guidance.when {
            GuidanceTime::First => "",
            GuidanceTime::Restart => ", at the restart",
        };
        lines.push(format!("  by hand {}{when}: {}", index + 1, guidance.step));
        lines.push(format!("             {}", guidance.expect));
    }
    for sentence in profile.inferred() {
        lines.push(format!("  not verified: {sentence}"));
    }
    for source in &profile.provenance.sources {
        lines.push(format!("  source: {source}"));
    }
    lines.join("\n")
}
