//! What a shell offers for the values of options: chips, families, profiles, virtual enclosures,
//! ports, error codes. Nothing is opened and nothing is sent to find them.

use std::fs;
use std::path::Path;

use clap_complete::engine::CompletionCandidate;

use crate::failure::Code;
use crate::profile::{Library, known_chips};
use crate::usb::PortPath;
use crate::{chip, files, sim};

/// Longest file of sysfs with an ID, bytes: it has four digits.
const MAX_ID_BYTES: u64 = 64;

fn told(value: impl Into<String>, help: impl Into<String>) -> CompletionCandidate {
    CompletionCandidate::new(value.into()).help(Some(help.into().into()))
}

/// The chips.
pub fn chips() -> Vec<CompletionCandidate> {
    let models = chip::families().iter().flat_map(|family| family.models());
    models.map(|model| told(model.name, model.title)).collect()
}

/// The chip families.
pub fn families() -> Vec<CompletionCandidate> {
    let chips = |family: &&'static dyn chip::Chip| {
        let names: Vec<&str> = family.models().iter().map(|model| model.title).collect();
        told(family.family(), names.join(", "))
    };
    chip::families().iter().map(chips).collect()
}

/// The profiles that come with the program.
pub fn profiles() -> Vec<CompletionCandidate> {
    let library = Library::embedded(&known_chips());
    library.profiles().map(|profile| told(profile.name.as_str(), profile.title.as_str())).collect()
}

/// The virtual enclosures.
pub fn scenarios() -> Vec<CompletionCandidate> {
    sim::scenarios().iter().map(|scenario| told(scenario.name, scenario.title)).collect()
}

/// The codes of errors.
pub fn codes() -> Vec<CompletionCandidate> {
    Code::ALL.iter().map(|code| told(code.name(), code.title())).collect()
}

/// The ports of this computer where something is connected, as Linux names them.
pub fn ports() -> Vec<CompletionCandidate> {
    ports_in(Path::new("/sys/bus/usb/devices"))
}

fn ports_in(devices: &Path) -> Vec<CompletionCandidate> {
    let Ok(entries) = fs::read_dir(devices) else { return Vec::new() };
    let mut ports: Vec<(PortPath, String)> = entries
        .flatten()
        .filter_map(|entry| {
            let port = entry.file_name().to_str()?.parse().ok()?;
            let file = |name: &str| files::read_text(&entry.path().join(name), MAX_ID_BYTES);
            let words = ["idVendor", "idProduct"].map(|name| file(name).unwrap_or_default());
            Some((port, words.map(|word| word.trim().to_owned()).join(":")))
        })
        .collect();
    ports.sort();
    ports.into_iter().map(|(port, ids)| told(port.to_string(), ids)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_offered_where_a_device_is_connected_and_an_interface_is_none() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["3-2.1", "1-4", "1-4:1.0", "usb1"] {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("idVendor"), "04ce\n").unwrap();
            fs::write(path.join("idProduct"), "07d1\n").unwrap();
        }
        let offered: Vec<String> = ports_in(folder.path())
            .iter()
            .map(|port| format!("{} {}", port.get_value().display(), port.get_help().unwrap()))
            .collect();
        assert_eq!(offered, ["1-4 04ce:07d1", "3-2.1 04ce:07d1"]);
    }
}
