//! What happened, in the words of somebody who owns the enclosure and knows no chips.

use crate::ledger::Unit;
use crate::wording::counted;

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
        "rescued" => "Repaired: the enclosure has its own identity again",
        "restored" => "Restored: the memory holds the backup again",
        "healthy" => "Healthy: no repair was needed",
        _ => match unit.device_state.as_str() {
            "untouched" | "running-from-ram" | "lost" => "Not repaired; nothing was changed",
            "written" => "Not repaired yet: written, but the start is not confirmed",
            _ => "Not repaired yet: the repair was interrupted",
        },
    }
}

/// The state the device was left in.
pub fn state(unit: &Unit) -> &'static str {
    match (unit.result.as_str(), unit.device_state.as_str()) {
        ("healthy", _) => "Nothing was written to it.",
        ("rescued", _) => "After a restart it identified itself exactly as expected.",
        ("restored", _) => "All written bytes were read back and compared.",
        (_, "untouched") => "The device is unchanged.",
        (_, "running-from-ram") => {
            "The memory of the device is unchanged. The test ran in RAM, which power-off clears."
        }
        (_, "part-written") => {
            "The memory holds old and new content. The device can still be repaired."
        }
        (_, "written") => "The memory holds the whole new content, read back and compared.",
        (_, "lost") => "It disappeared from USB and did not come back. Its memory was not changed.",
        _ => "The memory holds the requested content.",
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
            "Nothing that this repair covers: it works{shown} and runs its own firmware."
        )];
    }
    let mut told = Vec::new();
    if unit.standing != "running" {
        told.push(format!(
            "The enclosure had lost its identity. It appeared{shown} ({}), not as a drive.",
            unit.name
        ));
    }
    told.push(match unit.condition.as_deref() {
        Some("blank") => "The small memory chip that holds the firmware of its bridge chip was blank.".to_owned(),
        Some("unsigned") => "The small memory chip that holds the firmware of its bridge chip held data that the chip cannot start.".to_owned(),
        Some("broken") => "The small memory chip that holds the firmware of its bridge chip held damaged firmware.".to_owned(),
        Some("complete") => "The small memory chip held complete firmware.".to_owned(),
        Some("does-not-start") => {
            "The small memory chip held complete firmware that does not start.".to_owned()
        }
        Some("unreadable") => "The small memory chip that holds the firmware of its bridge chip could not be read.".to_owned(),
        _ => "The content of its memory is not known.".to_owned(),
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
        Some(_) => told.push("The bridge chip was identified by its replies.".to_owned()),
        None => told.push("The device was identified by its USB data.".to_owned()),
    }
    if unit.backup.is_some() {
        told.push("Its memory was read, and a copy of the old content is stored.".to_owned());
    }
    if unit.preflight.as_deref() == Some("came-up") {
        told.push("The new content was tested on a virtual chip first.".to_owned());
    }
    let cycles = unit.write_cycles;
    let in_cycles = counted(cycles, "write cycle");
    match unit.device_state.as_str() {
        _ if cycles == 0 => {}
        "written" | "restored" => {
            told.push(format!(
                "The memory was written where it differed, in {in_cycles}. The boot signature was written last."
            ));
            told.push("The written bytes were read back and compared.".to_owned());
        }
        "part-written" => {
            told.push(format!("Writing the memory began, with {in_cycles}, and did not finish."))
        }
        _ => told
            .push(format!("Writing the memory was tried, with {in_cycles}, but nothing changed.")),
    }
    match unit.result.as_str() {
        "rescued" => told.push(
            "The enclosure was restarted, and its new identity was compared with the expected one."
                .to_owned(),
        ),
        "restored" => told.push("The content of the backup was written back.".to_owned()),
        "healthy" => told.push("Nothing was written.".to_owned()),
        _ if cycles == 0 => told.push("Nothing was written to its memory.".to_owned()),
        _ => {}
    }
    if let Some(drive) = &unit.drive {
        told.push(format!("The drive inside: {drive}."));
    }
    told
}
