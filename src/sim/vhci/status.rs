//! How a plugged-in device is, as one JSON object for whoever asks.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::plug::Plug;

/// The object, on one line.
pub(super) fn of(plug: &Plug) -> String {
    let enclosure = &plug.enclosure;
    let counters = enclosure.counters;
    let eeprom = enclosure.device.eeprom().map(|part| {
        let content = part.content();
        json!({
            "bytes": content.len(),
            "sha256": hex::encode(Sha256::digest(&content)),
            "write_cycles": part.wear().cycles,
            "most_worn_page": part.wear().pages.iter().max(),
        })
    });
    let milliseconds = |nanoseconds: u64| nanoseconds as f64 / 1e6;
    json!({
        "port": plug.port.path,
        "scenario": plug.scenario,
        "plugged": plug.plugged,
        "powered": enclosure.powered,
        "on_bus": plug.is_connected(),
        "transfers": counters.transfers,
        "standard_requests": counters.standard,
        "transfer_time_ms": milliseconds(counters.nanoseconds),
        "device_time_ms": milliseconds(enclosure.device.now()),
        "eeprom": eeprom,
    })
    .to_string()
}
