//! Units as a table: CSV for spreadsheets, an array of JSON objects for programs.

use super::text::cell;
use super::unit::Unit;
use crate::chip::Identity;

/// The units as a CSV file with a heading, one row a unit, steps left out.
///
/// Every text is a [`cell`]: whatever a device calls itself, a spreadsheet computes nothing.
///
/// # Errors
/// None is known: it writes to memory.
pub fn csv(units: &[Unit]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS.iter().map(|(name, _)| *name))?;
    for unit in units {
        writer.write_record(COLUMNS.iter().map(|(_, value)| cell(&value(unit))))?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

/// The units as one JSON array, their steps included.
///
/// # Errors
/// None is known.
pub fn json(units: &[Unit]) -> serde_json::Result<String> {
    serde_json::to_string_pretty(units)
}

type Column = (&'static str, fn(&Unit) -> String);

const COLUMNS: &[Column] = &[
    ("id", |u| u.id.clone()),
    ("began", |u| u.began.to_string()),
    ("work", |u| u.work.clone()),
    ("port", |u| u.port.clone()),
    ("port_label", |u| text(&u.port_label)),
    ("name", |u| u.name.clone()),
    ("ids_before", |u| of(&u.identity_before, |who| Some(who.ids.to_string()))),
    ("manufacturer_before", |u| of(&u.identity_before, |who| who.manufacturer.clone())),
    ("product_before", |u| of(&u.identity_before, |who| who.product.clone())),
    ("serial_before", |u| of(&u.identity_before, |who| who.serial.clone())),
    ("chip", |u| text(&u.chip)),
    ("condition", |u| text(&u.condition)),
    ("diagnosis", |u| text(&u.diagnosis)),
    ("profile", |u| text(&u.profile)),
    ("image", |u| text(&u.image)),
    ("image_sha256", |u| text(&u.image_sha256)),
    ("backup", |u| text(&u.backup)),
    ("result", |u| u.result.clone()),
    ("error", |u| text(&u.error)),
    ("error_what", |u| text(&u.error_what)),
    ("device_state", |u| u.device_state.clone()),
    ("ids_expected", |u| of(&u.identity_expected, |who| Some(who.ids.to_string()))),
    ("serial_expected", |u| of(&u.identity_expected, |who| who.serial.clone())),
    ("ids_after", |u| of(&u.identity_after, |who| Some(who.ids.to_string()))),
    ("manufacturer_after", |u| of(&u.identity_after, |who| who.manufacturer.clone())),
    ("product_after", |u| of(&u.identity_after, |who| who.product.clone())),
    ("serial_after", |u| of(&u.identity_after, |who| who.serial.clone())),
    ("drive", |u| text(&u.drive)),
    ("device_time_ms", |u| format!("{:.0}", u.device_time_ms)),
    ("memory_time_ms", |u| format!("{:.0}", u.memory_time_ms)),
    ("transfers", |u| u.transfers.to_string()),
    ("write_cycles", |u| u.write_cycles.to_string()),
    ("notes", |u| u.notes.join("; ")),
    ("program", |u| u.program.clone()),
];

fn text(value: &Option<String>) -> String {
    value.clone().unwrap_or_default()
}

fn of(who: &Option<Identity>, part: fn(&Identity) -> Option<String>) -> String {
    who.as_ref().and_then(part).unwrap_or_default()
}
