//! `recover udev-rules`.

use crate::chip;
use crate::rescue::Failure;
use crate::ui;
use crate::usb::host::udev_rules;

/// Prints rules for every id that a family knows.
pub fn print() -> Result<u8, Failure> {
    let mut ids: Vec<_> = chip::families()
        .iter()
        .flat_map(|family| family.known_ids())
        .map(|known| known.ids)
        .collect();
    ids.sort();
    ids.dedup();
    ui::print(&udev_rules(&ids));
    Ok(0)
}
