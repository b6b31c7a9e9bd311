//! The hub a port belongs to, opened for its power requests only. The kernel's hub driver keeps
//! running: no interface is claimed, and class requests to a hub need none.
//!
//! A USB 3 hub is two hubs on one set of connectors, and a connector has power as long as either
//! of them gives it. Which port is the other half's is told by Linux (`peer` in sysfs); where it
//! is not told, such a hub is not switched: the device would leave the bus and keep its power.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusb::{Context, Device, DeviceHandle, UsbContext};

use super::failure::transfer_error;
use super::sysfs::Sysfs;
use crate::clock::{Clock, RealClock};
use crate::usb::hub::{self, PowerError};
use crate::usb::{BusError, Link, PortPath, Reply, Transfer, TransferError};

/// bcdUSB from which a hub may be one half of two: 2.10 is the high-speed half [USB 3.2 §10].
const FIRST_DOUBLE: u16 = 0x0210;

/// Ports that this process took the power from and has not given it back to.
static WITHOUT_POWER: Mutex<Vec<PortPath>> = Mutex::new(Vec::new());

/// A hub, for control transfers.
struct HubLink {
    handle: DeviceHandle<Context>,
    clock: Arc<RealClock>,
}

impl Link for HubLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        let wait = transfer.timeout().max(Duration::from_millis(1));
        match transfer {
            Transfer::ControlIn { setup: s, .. } => {
                let mut data = vec![0; usize::from(s.length)];
                let got = self
                    .handle
                    .read_control(s.request_type, s.request, s.value, s.index, &mut data, wait)
                    .map_err(transfer_error)?;
                data.truncate(got);
                Ok(Reply { data })
            }
            Transfer::ControlOut { setup: s, data, .. } => self
                .handle
                .write_control(s.request_type, s.request, s.value, s.index, data, wait)
                .map(|_| Reply::default())
                .map_err(transfer_error),
            Transfer::BulkIn { .. } | Transfer::BulkOut { .. } => {
                Err(TransferError::Other("a hub has no bulk endpoints".to_owned()))
            }
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<RealClock>::clone(&self.clock)
    }
}

/// Switches the power of a port and of its other half.
pub(super) fn power(
    port: &PortPath,
    on: bool,
    sysfs: &Sysfs,
    clock: &Arc<RealClock>,
) -> Result<(), PowerError> {
    let hubs = hubs().map_err(|error| PowerError::NotSwitchable(error.to_string()))?;
    let own = open(&hubs, port, clock)?;
    let mut halves = vec![(port.clone(), own)];
    match sysfs.peer(port) {
        Some(peer) => {
            if !on && hubs.iter().any(|(path, _)| *path == peer) {
                return Err(PowerError::NotSwitchable(format!(
                    "the other half of its connector, port {peer}, holds another device"
                )));
            }
            halves.push((peer.clone(), open(&hubs, &peer, clock)?));
        }
        None if halves.iter().any(|(_, opened)| opened.bcd_usb >= FIRST_DOUBLE) => {
            return Err(PowerError::NotSwitchable(
                "its hub is one half of a USB 3 hub, and which port is the other half's is not known here".to_owned(),
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
        let Opened { link, bcd_usb, .. } = opened;
        log::debug!("{path}: power {}", if on { "on" } else { "off" });
        let switched = hub::switch(link, path, *bcd_usb >= 0x0300, on);
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

fn give_back(halves: &mut [(PortPath, Opened)]) {
    for (path, opened) in halves {
        let is_super = opened.bcd_usb >= 0x0300;
        if hub::switch(&mut opened.link, path, is_super, true).is_ok() {
            noted().retain(|other| other != path);
        }
    }
}

/// Gives power back to every port that this process took it from. For the end of the program,
/// however it comes.
pub fn restore_power() {
    let clock = Arc::new(RealClock::new());
    let ports = noted().clone();
    let Some(hubs) = (!ports.is_empty()).then(hubs).and_then(Result::ok) else { return };
    for port in ports {
        match open(&hubs, &port, &clock) {
            Ok(opened) => give_back(&mut [(port, opened)]),
            Err(error) => log::warn!("port {port} has no power: {error}"),
        }
    }
}

fn noted() -> std::sync::MutexGuard<'static, Vec<PortPath>> {
    WITHOUT_POWER.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Opened {
    link: HubLink,
    bcd_usb: u16,
}

/// Every device of this computer, root hubs included, by its path.
fn hubs() -> Result<Vec<(PortPath, Device<Context>)>, BusError> {
    let unusable = |error: rusb::Error| BusError::Unusable(error.to_string());
    let context = Context::new().map_err(unusable)?;
    let list = context.devices().map_err(unusable)?;
    let path = |device: &Device<Context>| {
        Some(PortPath::new(device.bus_number(), device.port_numbers().ok()?))
    };
    Ok(list.iter().filter_map(|device| Some((path(&device)?, device))).collect())
}

/// Opens the hub that a port belongs to.
fn open(
    hubs: &[(PortPath, Device<Context>)],
    port: &PortPath,
    clock: &Arc<RealClock>,
) -> Result<Opened, PowerError> {
    let not_switchable = |why: String| PowerError::NotSwitchable(why);
    let hub = port.hub().ok_or_else(|| not_switchable("a root hub has no port".to_owned()))?;
    let (_, device) = hubs
        .iter()
        .find(|(path, _)| *path == hub)
        .ok_or_else(|| not_switchable("its hub is not shown to programs here".to_owned()))?;
    let version = device
        .device_descriptor()
        .map(|descriptor| super::descriptor::bcd(descriptor.usb_version()))
        .map_err(|error| not_switchable(format!("its hub cannot be looked at: {error}")))?;
    let handle = device.open().map_err(|error| match error {
        rusb::Error::Access => PowerError::Denied(port.clone()),
        rusb::Error::NoDevice => PowerError::Left(port.clone()),
        other => not_switchable(format!("its hub cannot be opened: {other}")),
    })?;
    Ok(Opened { link: HubLink { handle, clock: Arc::clone(clock) }, bcd_usb: version })
}
