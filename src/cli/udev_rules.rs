//! `recover udev-rules`.

use super::args::CommonArgs;
use crate::chip;
use crate::failure::Failure;
use crate::ui;
use crate::usb::host::udev_rules;

/// Prints rules for every id that a family knows.
pub fn print(common: &CommonArgs) -> Result<u8, Failure> {
    let mut ids: Vec<_> = chip::families()
        .iter()
        .flat_map(|family| family.known_ids())
        .map(|known| known.ids)
        .collect();
    ids.sort();
    ids.dedup();
    let rules = udev_rules(&ids);
    if common.json {
        ui::print(&serde_json::json!({ "udev_rules": rules }).to_string());
    } else {
        ui::print(&rules);
    }
    Ok(0)
}
