//! The power of a port, switched at its hub and given back whatever happens.
//!
//! A USB 3 hub is two hubs on one set of connectors, and a connector has power as long as either
//! of them gives it. Which port is the other half's is told by Linux (`peer` in sysfs); where it
//! is not told, such a hub is not switched: the device would leave the bus and keep its power.

use std::sync::{Arc, Mutex, PoisonError};

use rusb::{Context, Device};

use super::all_devices;
use super::hub::HubLink;
use super::sysfs::Sysfs;
use crate::clock::RealClock;
use crate::usb::PortPath;
use crate::usb::hub::{self, PowerError};

/// Ports that this process took the power from and has not given it back to.
static WITHOUT_POWER: Mutex<Vec<PortPath>> = Mutex::new(Vec::new());

/// Switches the power of a port and of its other half.
pub(super) fn switch(
    port: &PortPath,
    on: bool,
    sysfs: &Sysfs,
    clock: &Arc<RealClock>,
) -> Result<(), PowerError> {
    let devices = all_devices().map_err(|error| PowerError::NotSwitchable(error.to_string()))?;
    let own = open(&devices, port, clock)?;
    let mut halves = vec![(port.clone(), own)];
    match sysfs.peer(port) {
        Some(peer) => {
            if !on && devices.iter().any(|(path, _)| *path == peer) {
                return Err(PowerError::NotSwitchable(format!(
                    "the other half of its connector, port {peer}, has another device"
                )));
            }
            halves.push((peer.clone(), open(&devices, &peer, clock)?));
        }
        None if halves.iter().any(|(_, hub)| hub.may_be_a_half()) => {
            return Err(PowerError::NotSwitchable(
                "its hub is one half of a USB 3 hub, and the matching port of the other half is not known".to_owned(),
            ));
        }
        None => {}
    }
    if !on {
        // Noted before it is done: whoever interrupts in between gives back what was not taken.
        noted().extend(halves.iter().map(|(path, _)| path.clone()));
    }
    let mut result = Ok(());
    for (path, opened) in &mut halves {
        log::debug!("{path}: power {}", if on { "on" } else { "off" });
        let is_super = opened.is_super();
        let switched = hub::switch(opened, path, is_super, on);
        result = result.and(switched);
        if on && result.is_ok() {
            noted().retain(|other| other != path);
        }
    }
    if result.is_err() && !on {
        // One half without the other serves nobody.
        give_back(&mut halves);
    }
    result
}

fn give_back(halves: &mut [(PortPath, HubLink)]) {
    for (path, opened) in halves {
        let is_super = opened.is_super();
        if hub::switch(opened, path, is_super, true).is_ok() {
            noted().retain(|other| other != path);
        }
    }
}

/// Gives power back to every port that this process took it from. For the end of the program,
/// however it comes.
pub fn restore_power() {
    let clock = Arc::new(RealClock::new());
    let ports = noted().clone();
    let devices = (!ports.is_empty()).then(all_devices).and_then(Result::ok);
    let Some(devices) = devices else { return };
    for port in ports {
        match open(&devices, &port, &clock) {
            Ok(opened) => give_back(&mut [(port, opened)]),
            Err(error) => log::warn!("port {port} has no power: {error}"),
        }
    }
}

fn noted() -> std::sync::MutexGuard<'static, Vec<PortPath>> {
    WITHOUT_POWER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the hub that a port belongs to.
fn open(
    devices: &[(PortPath, Device<Context>)],
    port: &PortPath,
    clock: &Arc<RealClock>,
) -> Result<HubLink, PowerError> {
    let not_switchable = |why: String| PowerError::NotSwitchable(why);
    let hub = port.hub().ok_or_else(|| not_switchable("a root hub has no port".to_owned()))?;
    let (_, device) = devices
        .iter()
        .find(|(path, _)| *path == hub)
        .ok_or_else(|| not_switchable("its hub is not visible to programs here".to_owned()))?;
    HubLink::open(device, clock).map_err(|error| match error {
        rusb::Error::Access => PowerError::Denied(port.clone()),
        rusb::Error::NoDevice => PowerError::Left(port.clone()),
        other => not_switchable(format!("its hub cannot be opened: {other}")),
    })
}
