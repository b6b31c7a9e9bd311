//! What happened, in the words of somebody who owns the enclosure and knows no chips.

use crate::ledger::Unit;

/// What the device is called: by itself when healthy, else by its owners.
pub fn device(unit: &Unit) -> String {
    let healthy = [&unit.identity_after, &unit.identity_expected];
    let product = healthy.into_iter().flatten().find_map(|who| {
        let product = who.product.as_deref().map(str::trim).filter(|name| !name.is_empty())?;
        match who.manufacturer.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
            Some(maker) if !product.starts_with(maker) => Some(format!("{maker} {product}")),
            _ => Some(product.to_owned()),
        }
    });
    product.unwrap_or_else(|| format!("USB enclosure ({})", unit.name))
}

/// The result in a few words.
pub fn verdict(unit: &Unit) -> &'static str {
    match unit.result.as_str() {
        "rescued" => "Repaired: the enclosure is itself again",
        "restored" => "Restored: the memory holds what was asked for",
        "healthy" => "Healthy: no repair was needed",
        _ => match unit.device_state.as_str() {
            "untouched" | "running-from-ram" | "lost" => "Not repaired; nothing was changed",
            "written" => "Not repaired yet: written, but not seen to start",
            _ => "Not repaired yet: the work was interrupted",
        },
    }
}

/// The state the device was left in.
pub fn state(unit: &Unit) -> &'static str {
    match (unit.result.as_str(), unit.device_state.as_str()) {
        ("healthy", _) => "Nothing was written to it.",
        ("rescued", _) => {
            "After a restart it introduced itself with every property that was promised."
        }
        ("restored", _) => "All that was written was read back and compared.",
        (_, "untouched") => "The device is as it was brought in.",
        (_, "running-from-ram") => {
            "The device's memory is as it was brought in; what was tried is gone with its power."
        }
        (_, "part-written") => {
            "The memory holds old and new content. The device can still be repaired: it waits for the rest."
        }
        (_, "written") => "The memory holds the whole new content, read back and compared.",
        (_, "lost") => "It left the bus and did not come back; its memory was not changed.",
        _ => "The memory holds what was asked for.",
    }
}

/// What was wrong, in sentences.
pub fn wrong(unit: &Unit) -> Vec<String> {
    let shown = unit
        .identity_before
        .as_ref()
        .map_or_else(String::new, |who| format!(" under the USB id {}", who.ids));
    if unit.result == "healthy" {
        return vec![format!(
            "Nothing that this repair is about: it answers the computer{shown} with its own program running."
        )];
    }
    let mut told = Vec::new();
    if unit.standing != "running" {
        told.push(format!(
            "The enclosure no longer knew what it is. It showed up{shown} only ({}), not as a drive.",
            unit.name
        ));
    }
    told.push(match unit.condition.as_deref() {
        Some("blank") => "The small memory chip from which its bridge chip starts was blank: it held one value throughout.".to_owned(),
        Some("unsigned") => "The small memory chip from which its bridge chip starts held something, but nothing the chip would start: its first bytes were not those of a program.".to_owned(),
        Some("broken") => "The small memory chip from which its bridge chip starts held a damaged program.".to_owned(),
        Some("complete") => "The small memory chip held a whole program.".to_owned(),
        Some("does-not-start") => {
            "The small memory chip held a whole program that does not start.".to_owned()
        }
        Some("unreadable") => "The small memory chip from which its bridge chip starts could not be read.".to_owned(),
        _ => "What its memory holds was not found out.".to_owned(),
    });
    if let Some(diagnosis) = &unit.diagnosis {
        told.push(format!("For the technician: {diagnosis}."));
    }
    told
}

/// What was done, in sentences.
pub fn done(unit: &Unit) -> Vec<String> {
    let mut told = Vec::new();
    match &unit.chip {
        Some(_) => told.push("The bridge chip was identified by asking it.".to_owned()),
        None => told.push("The device was looked at.".to_owned()),
    }
    if unit.backup.is_some() {
        told.push("Its memory was read and a copy of the old content is kept.".to_owned());
    }
    if unit.preflight.as_deref() == Some("came-up") {
        told.push(
            "The new content was tried on a model of the chip before it was used.".to_owned(),
        );
    }
    let cycles = unit.write_cycles;
    match unit.device_state.as_str() {
        _ if cycles == 0 => {}
        "written" | "restored" => {
            told.push(format!(
                "The memory was written, only where it differed, in {cycles} write cycles; what makes the chip start from it was written last."
            ));
            told.push("What was written was read back and compared.".to_owned());
        }
        "part-written" => told.push(format!(
            "Writing the memory was begun, with {cycles} write cycles, and not finished."
        )),
        _ => told.push(format!(
            "Writing the memory was tried, with {cycles} write cycles; nothing in it changed."
        )),
    }
    match unit.result.as_str() {
        "rescued" => told.push("The enclosure was restarted, and what it now says of itself was compared with what was promised.".to_owned()),
        "restored" => told.push("The old content of a backup was put back.".to_owned()),
        "healthy" => told.push("Nothing was written.".to_owned()),
        _ if cycles == 0 => told.push("Nothing was written to its memory.".to_owned()),
        _ => {}
    }
    if let Some(drive) = &unit.drive {
        told.push(format!("The drive inside was asked: {drive}."));
    }
    told
}
