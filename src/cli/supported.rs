//! `recover supported`: the chips, their ids and the enclosures there are profiles of, as the
//! Markdown tables of docs/supported.md. A test compares them.

use serde_json::json;

use crate::chip::{self, Chip, IdMeaning, KnownIds, Model};
use crate::profile::{Library, Profile, Scope, known_chips};
use crate::sim;
use crate::sim::scenarios::Expectation;
use crate::ui;

/// Prints the tables, or an object for each chip and each profile.
pub fn print(json: bool) -> u8 {
    if json {
        objects().iter().for_each(|object| ui::print(&object.to_string()));
    } else {
        ui::print(tables().trim_end());
    }
    0
}

fn objects() -> Vec<serde_json::Value> {
    let chips = chip::families().iter().flat_map(|family| {
        family.models().iter().map(|model| {
            json!({
                "chip": model.name,
                "title": model.title,
                "family": model.family,
                "boot_ids": boot_ids(*family, *model)
                    .map(|known| known.ids.to_string())
                    .collect::<Vec<_>>(),
                "not_proven": family.caveats(*model),
            })
        })
    });
    let library = Library::embedded(&known_chips());
    let profiles = library.profiles().map(|profile| {
        json!({
            "profile": profile.name,
            "title": profile.title,
            "chip": profile.chip.model,
            "image": profile.image.source.to_string(),
            "simulator_only": profile.scope == Scope::Simulator,
        })
    });
    chips.chain(profiles).collect()
}

fn boot_ids(family: &dyn Chip, model: Model) -> impl Iterator<Item = &KnownIds> {
    family.known_ids().iter().filter(move |known| {
        known.model == model
            && matches!(known.id_meaning, IdMeaning::BootId | IdMeaning::SharedBootId)
    })
}

fn tables() -> String {
    let mut text = row(&[
        "family",
        "chip",
        "ids of a blank device (grade)",
        "virtual enclosures, rescued of them",
        "not proven",
    ]);
    text.push_str(&rule(5));
    for family in chip::families() {
        for model in family.models() {
            text.push_str(&chip_row(*family, *model));
        }
    }
    text.push('\n');
    text.push_str(&row(&["enclosure profile", "chip", "image", "grades"]));
    text.push_str(&rule(4));
    let library = Library::embedded(&known_chips());
    for scope in [Scope::Hardware, Scope::Simulator] {
        for profile in library.profiles().filter(|profile| profile.scope == scope) {
            text.push_str(&profile_row(profile));
        }
    }
    text
}

fn row(cells: &[&str]) -> String {
    // A bar would end its cell.
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn rule(columns: usize) -> String {
    format!("|{}\n", "---|".repeat(columns))
}

fn chip_row(family: &dyn Chip, model: Model) -> String {
    let ids: Vec<String> = boot_ids(family, model).map(blank_ids).collect();
    let ids =
        if ids.is_empty() { "not distinguished by its USB ID".to_owned() } else { ids.join("; ") };
    let scenarios: Vec<_> =
        sim::scenarios().iter().filter(|scenario| scenario.model == model.name).collect();
    let rescued =
        scenarios.iter().filter(|scenario| scenario.expectation == Expectation::Rescued).count();
    let scenarios = match scenarios.len() {
        0 => "none".to_owned(),
        all => format!("{all}, {rescued}"),
    };
    let caveats = match family.caveats(model).len() {
        0 => "nothing".to_owned(),
        1 => "1 fact".to_owned(),
        several => format!("{several} facts"),
    };
    let chip = format!("`{}`, {}", model.name, model.title);
    row(&[family.family(), &chip, &ids, &scenarios, &caveats])
}

fn blank_ids(known: &KnownIds) -> String {
    let shared = match known.id_meaning {
        IdMeaning::SharedBootId => "; also used by others",
        _ => "",
    };
    format!("{} \"{}\" ({}{shared})", known.ids, known.name, known.grade)
}

fn profile_row(profile: &Profile) -> String {
    let name = format!("`{}`, {}", profile.name, profile.title);
    let image = profile.image.source.to_string();
    let grades = match profile.scope {
        Scope::Simulator => "simulator only".to_owned(),
        Scope::Hardware => format!(
            "chip {}, identity {}, memory {}, image {}",
            profile.chip.confidence.grade,
            profile
                .identity
                .as_ref()
                .map_or_else(|| "yours".to_owned(), |claim| claim.confidence.grade.to_string()),
            profile.memory.confidence.grade,
            profile.image.confidence.grade
        ),
    };
    row(&[&name, &profile.chip.model, &image, &grades])
}
