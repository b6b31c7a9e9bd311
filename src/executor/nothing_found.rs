//! R101: what is there instead of a chip in boot mode, and every way to go on.

use super::Request;
use super::candidate::recognise;
use super::commands::Commands;
use super::run::Run;
use crate::chip::{self, Chip, families};
use crate::failure::{Code, Failure};
use crate::profile::{GuidanceTime, Profile};
use crate::usb::Sighting;

/// Most connected devices that are named.
const MAX_NAMED: usize = 8;

/// What works on every board with a serial EEPROM, where no profile knows better.
const KEEP_EEPROM_SILENT: &str = "if a damaged EEPROM gives it this USB ID: open the EEPROM's SDA line or lift its supply pin (pin 8), switch the power on, then connect the line again";

/// The failure where no device is meant by the request.
pub(super) fn nothing_found(run: &Run<'_>, request: &Request, seen: &[Sighting]) -> Failure {
    let place = request.port.as_ref().map_or("all ports".to_owned(), |port| format!("port {port}"));
    let here = |device: &&Sighting| request.port.as_ref().is_none_or(|port| *port == device.port);
    let here: Vec<&Sighting> = seen.iter().filter(here).collect();
    let library = run.tools.library;
    let profile = request.target.profile.as_ref().and_then(|name| library.find(name));
    let mut failure = Failure::new(Code::R101, what(request, seen, &here), place);
    if let Some(profile) = profile {
        let by_hand = profile.by_hand(GuidanceTime::First);
        failure.next.extend(by_hand.map(|by| format!("{}; then: {}", by.step, by.expect)));
    }
    let is_guided = !failure.next.is_empty();
    let commands = &run.tools.commands;
    let mut resembling: Vec<String> =
        here.iter().flat_map(|device| by_resemblance(commands, device)).collect();
    if here.is_empty() {
        // The consents were given for the port that was named.
        let elsewhere = Commands { consents: Vec::new(), family: None, ..commands.clone() };
        failure.next.extend(seen.iter().filter_map(|device| at_its_port(&elsewhere, device)));
        resembling.extend(seen.iter().flat_map(|device| by_resemblance(&elsewhere, device)));
    }
    let is_resembled = !resembling.is_empty();
    failure.next.extend(resembling);
    failure.next.push(format!(
        "connect the enclosure directly to this computer, switch it on, then run `{}`",
        commands.again_with("--wait")
    ));
    if !is_resembled && (request.port.is_none() || !here.is_empty()) {
        failure.next.push(by_family(commands, &here, profile));
    }
    if !is_guided && !here.is_empty() {
        failure.next.push(KEEP_EEPROM_SILENT.to_owned());
    }
    let by_hand: Vec<String> = library
        .profiles()
        .filter(|profile| profile.scope == run.tools.scope && !profile.guidance.is_empty())
        .map(|profile| format!("`{}`", commands.show_profile(&profile.name)))
        .collect();
    if !is_guided && !is_resembled && !by_hand.is_empty() {
        failure.next.push(format!("for manual steps: {}", by_hand.join(", ")));
    }
    failure
}

fn what(request: &Request, seen: &[Sighting], here: &[&Sighting]) -> String {
    if let (Some(port), [device, ..]) = (&request.port, here) {
        return format!(
            "the device at port {port} is {}, which is not a known chip in boot mode",
            device.ids
        );
    }
    let nothing = match &request.port {
        Some(port) => format!("nothing is connected at port {port}"),
        None if seen.is_empty() => return "no USB device is connected".to_owned(),
        None => "no chip in boot mode is there".to_owned(),
    };
    if seen.is_empty() {
        return format!("{nothing}, nor at another port");
    }
    let name = |seen: &Sighting| format!("{} at {}", seen.ids, seen.port);
    let shown: Vec<String> = seen.iter().take(MAX_NAMED).map(name).collect();
    format!("{nothing}; connected USB devices ({}): {}", seen.len(), shown.join(", "))
}

/// For every family that a device looks like, the command that names it.
fn by_resemblance(commands: &Commands, device: &Sighting) -> Vec<String> {
    let commands = commands.at(&device.port);
    let missing = |given: bool, option: &'static str| (!given).then_some(option);
    let options: Vec<&str> = [
        missing(commands.profile.is_some(), "--profile"),
        missing(commands.ids.is_some(), "--ids"),
        missing(commands.consents.iter().any(|consent| consent == "--force"), "--force"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let correct = match options.as_slice() {
        [] => String::new(),
        options => format!(". To correct wrong IDs, add {}", listed(options, "and")),
    };
    let resembling = |chip: &&dyn Chip| {
        let why = chip.resembles(device)?;
        Some(format!(
            "{}    ({} at port {}: {why}{correct})",
            commands.as_family(chip.family()).again(),
            device.ids,
            device.port
        ))
    };
    families().iter().filter_map(resembling).collect()
}

/// The same command for a known chip at another port.
fn at_its_port(commands: &Commands, device: &Sighting) -> Option<String> {
    let (_, suspicion) = recognise(device)?;
    let again = commands.at(&device.port).again();
    Some(format!("{again}    ({} {})", device.ids, suspicion.name))
}

/// The commands that identify a device whose USB ID is in no table.
fn by_family(commands: &Commands, here: &[&Sighting], profile: Option<&Profile>) -> String {
    let port = match here {
        [only] => only.port.to_string(),
        _ => commands.port.clone().unwrap_or_else(|| "PORT".to_owned()),
    };
    let of_profile = profile.and_then(|profile| chip::model(&profile.chip.model));
    let known: Vec<&str> = match of_profile {
        Some((chip, _)) => vec![chip.family()],
        None => families().iter().map(|chip| chip.family()).collect(),
    };
    let command = |family: &&str| {
        let commands = Commands { port: Some(port.clone()), ..commands.as_family(family) };
        format!("`{}`", commands.diagnose())
    };
    let commands: Vec<String> = known.iter().map(command).collect();
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    let verb = if known.len() == 1 { "identifies" } else { "identify" };
    format!("if its USB ID is not listed, {} {verb} the chip", listed(&commands, "or"))
}

/// `a, b and c`.
fn listed(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [before @ .., end] => format!("{} {last} {end}", before.join(", ")),
    }
}
