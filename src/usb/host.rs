//! The computer's own USB ports, through libusb. The one module that talks to rusb.
//!
//! A scan disturbs nothing: on Linux the strings come from what the kernel read when the device
//! enumerated (sysfs), and a device is asked itself only where the kernel has none. Opening
//! detaches kernel drivers and dropping the link gives the device back to them.
//!
//! Nor does a scan wait for a device that somebody works on. The kernel shows a device's strings
//! only while nothing else is done to it, and taking usb-storage off a blank bridge, for one, takes
//! seconds. So strings are read when an enumeration is new and never again, and what one bus has
//! seen is known to all its participants.
//!
//! A device that the kernel is resetting (a mass-storage driver does so when its commands fail, and
//! a blank bridge fails them all) is in no list meanwhile. It is shown as it was, and nobody waits
//! for another's reset; one that was never seen is waited for, and so is one that is to be opened.
//!
//! The permission to open a device that has come while the program ran is waited for as well: the
//! kernel shows a device before udev has applied its rules to it.
//!
//! Each scan makes a libusb context of its own: with the udev backend a context that already
//! exists learns of new devices only while udevd runs, which in a container it does not, while
//! the list of a fresh context is always current.
//!
//! Read next: `link` (transfers), `memory` (what was seen), `sysfs` (what the kernel tells), [`udev_rules`] for computers
//! where opening is forbidden.

mod descriptor;
mod failure;
mod hub;
mod in_use;
mod link;
mod permission;
mod power;
mod sighting_cache;
mod storage;
mod sysfs;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusb::{Context, Device, UsbContext};

use self::failure::bus_error;
use self::link::HostLink;
use self::sighting_cache::{SightingCache, with_those_in_reset};
use self::sysfs::Sysfs;
use super::{
    Bus, BusError, ClassCode, Ids, KernelDrive, Link, PortPath, PowerError, Sighting, Speed,
};
use crate::clock::{Clock, Deadline, RealClock};

pub use self::hub::HubLink;
pub use self::permission::{RULES_PATH, udev_rules};
pub use self::power::restore_power;

/// How long the hubs are asked in all for ports where something is attached.
const HUBS_TIME: Duration = Duration::from_secs(2);

/// The longest wait for the kernel to end a reset: it takes 0.2 s, and a driver may ask for
/// several one after the other.
const RESET_TIMEOUT: Duration = Duration::from_secs(2);
/// How often it is looked whether the reset is over.
const RESET_INTERVAL: Duration = Duration::from_millis(10);

/// How often it is tried again to open a device that may not be opened yet.
const PERMISSION_INTERVAL: Duration = Duration::from_millis(20);

/// bDeviceClass of a hub [USB 2.0 §11.23.1].
const HUB_CLASS: u8 = 0x09;
/// bInterfaceClass of mass storage [USB MSC 1.4 §2].
const MASS_STORAGE: u8 = 0x08;

/// A device in libusb's list, and where it is.
type Listed = (PortPath, Device<Context>);

/// The USB ports of this computer.
#[derive(Debug)]
pub struct HostBus {
    clock: Arc<RealClock>,
    sysfs: Sysfs,
    /// Ports that were switched off through this bus.
    without_power: Vec<PortPath>,
    memory: Arc<Mutex<SightingCache>>,
}

impl HostBus {
    /// The ports of this computer. Nothing is touched until the first scan.
    pub fn new() -> Self {
        Self::with(Arc::new(RealClock::new()), Arc::default())
    }

    /// The same ports for somebody who works beside this one: what either of them sees, both know.
    #[must_use]
    pub fn participant(&self) -> Self {
        Self::with(Arc::clone(&self.clock), Arc::clone(&self.memory))
    }

    fn with(clock: Arc<RealClock>, memory: Arc<Mutex<SightingCache>>) -> Self {
        let sysfs = Sysfs::of_this_computer();
        Self { clock, sysfs, without_power: Vec::new(), memory }
    }

    /// Held for a moment, never while the bus is looked at.
    fn memory(&self) -> MutexGuard<'_, SightingCache> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device that was sighted: same port, same device number.
    fn find(&self, seen: &Sighting) -> Result<Device<Context>, BusError> {
        self.settled_devices(|port| *port == seen.port)?
            .0
            .into_iter()
            .find(|(port, device)| *port == seen.port && device.address() == seen.device_number)
            .map(|(_, device)| device)
            .ok_or_else(|| BusError::Left(seen.port.clone()))
    }

    /// Every device, at a moment at which the kernel resets none that matters; and the ports where
    /// it resets one.
    fn settled_devices(
        &self,
        matters: impl Fn(&PortPath) -> bool,
    ) -> Result<(Vec<Listed>, Vec<PortPath>), BusError> {
        let end = Deadline::after(&*self.clock, RESET_TIMEOUT);
        loop {
            // Looked at before and after: a reset takes much longer than the list does.
            let mut resets = self.sysfs.resets();
            let found = devices()?;
            resets.extend(self.sysfs.resets());
            if !resets.iter().any(&matters) || end.passed(&*self.clock) {
                return Ok((found, resets));
            }
            self.clock.sleep(RESET_INTERVAL);
        }
    }

    /// The kernel lets go of a device that came back changed a little after it has told so; until
    /// then it is in every list with what it was.
    fn wait_until_left(&self, seen: &Sighting) {
        let end = Deadline::after(&*self.clock, RESET_TIMEOUT);
        while self.find(seen).is_ok() && !end.passed(&*self.clock) {
            self.clock.sleep(RESET_INTERVAL);
        }
    }

    /// Whether the enumeration has just begun.
    fn is_new(&self, seen: &Sighting) -> bool {
        self.memory().is_new(seen, self.clock.now())
    }

    /// One device as it is now; `None` when it left while it was looked at. `before` is this
    /// enumeration as the scan before saw it.
    fn sight(
        &self,
        port: PortPath,
        device: &Device<Context>,
        before: Option<&Sighting>,
    ) -> Option<Sighting> {
        let device_number = device.address();
        if device_number == 0 {
            // Its reset takes longer than is waited for. The number is not a new one to go by.
            return None;
        }
        let descriptor = device.device_descriptor().ok()?;
        let interfaces = device.config_descriptor(0).map_or_else(
            |error| {
                log::debug!("{port}: no configuration descriptor: {error}");
                Vec::new()
            },
            |configuration| descriptor::interfaces(&configuration),
        );
        let kernel = self.sysfs.device(&port, device_number);
        let first = interfaces.first().map(|interface| interface.number);
        let driver = kernel.as_ref().zip(first).and_then(|(kernel, first)| kernel.driver(first));
        let bcd_device = kernel.as_ref().and_then(|kernel| kernel.bcd_device());
        let indexes = [
            descriptor.manufacturer_string_index(),
            descriptor.product_string_index(),
            descriptor.serial_number_string_index(),
        ];
        let is_new = before.is_none_or(|seen| self.is_new(seen));
        let told =
            before.map(|seen| [&seen.manufacturer, &seen.product, &seen.serial].map(Clone::clone));
        let [manufacturer, product, serial] = match told {
            Some(told) if !is_new || !descriptor::are_missing(indexes, &told) => told,
            _ => {
                let known = kernel.map(|kernel| kernel.strings()).unwrap_or_default();
                descriptor::strings(device, indexes, known)
            }
        };
        Some(Sighting {
            port,
            device_number,
            ids: Ids::new(descriptor.vendor_id(), descriptor.product_id()),
            bcd_device: bcd_device
                .or_else(|| before.map(|before| before.bcd_device))
                .unwrap_or_else(|| descriptor::bcd(descriptor.device_version())),
            class: ClassCode::new(
                descriptor.class_code(),
                descriptor.sub_class_code(),
                descriptor.protocol_code(),
            ),
            manufacturer,
            product,
            serial,
            interfaces,
            speed: speed(device.speed()),
            driver,
        })
    }
}

impl Default for HostBus {
    fn default() -> Self {
        Self::new()
    }
}

impl Bus for HostBus {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        let (number, before) = self.memory().begin();
        let is_new = |port: &PortPath| !before.iter().any(|seen| seen.port == *port);
        let (found, resets) = self.settled_devices(is_new)?;
        let found = found.into_iter().filter_map(|(port, device)| {
            let number = device.address();
            let before =
                before.iter().find(|seen| seen.port == port && seen.device_number == number);
            self.sight(port, &device, before)
        });
        let seen = with_those_in_reset(found.collect(), &before, &resets);
        log::debug!("scan: {} devices", seen.len());
        let now = self.clock.now();
        self.memory().note(number, &seen, now);
        Ok(seen)
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        loop {
            let device = self.find(seen)?;
            match HostLink::open(&device, &seen.port, Arc::clone(&self.clock)) {
                Err(BusError::Denied(_)) if self.is_new(seen) => {
                    self.clock.sleep(PERMISSION_INTERVAL);
                }
                opened => return Ok(Box::new(opened?)),
            }
        }
    }

    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError> {
        let device = self.find(seen)?;
        let handle = device.open().map_err(|error| bus_error(error, &seen.port))?;
        // Immediately before, and held until it is over: a reset takes a disk from its owner too.
        let _held = in_use::hold_unused(&seen.port, &*self.clock)?;
        log::debug!("{}: reset", seen.port);
        match handle.reset() {
            Ok(()) => Ok(()),
            // libusb's "not found": the device came back changed and enumerates anew.
            Err(rusb::Error::NotFound) => {
                drop(handle);
                self.wait_until_left(seen);
                self.memory().forget(seen);
                Ok(())
            }
            Err(error) => Err(bus_error(error, &seen.port)),
        }
    }

    fn power_off(&mut self, seen: &Sighting) -> Result<(), PowerError> {
        self.find(seen).map_err(|_| PowerError::Left(seen.port.clone()))?;
        let _held = in_use::hold_unused(&seen.port, &*self.clock).map_err(|error| match error {
            BusError::InUse { port, uses } => PowerError::InUse { port, uses },
            other => PowerError::NotSwitchable(other.to_string()),
        })?;
        power::switch(&seen.port, false, &self.sysfs, &self.clock)?;
        self.without_power.push(seen.port.clone());
        Ok(())
    }

    fn power_on(&mut self, port: &PortPath) -> Result<(), PowerError> {
        power::switch(port, true, &self.sysfs, &self.clock)?;
        self.without_power.retain(|other| other != port);
        Ok(())
    }

    fn silent_ports(&mut self) -> Vec<PortPath> {
        let Ok(devices) = all_devices() else { return Vec::new() };
        // A hub tells in milliseconds; one that does not is not waited for, and all together neither.
        let deadline = Deadline::after(&*self.clock, HUBS_TIME);
        let mut silent = Vec::new();
        for (path, device) in &devices {
            let is_hub = device.device_descriptor().is_ok_and(|hub| hub.class_code() == HUB_CLASS);
            let hub = is_hub.then(|| HubLink::open(device, &self.clock).ok()).flatten();
            let Some(Ok(attached)) = hub.map(|mut hub| hub.attached(&deadline)) else { continue };
            let ports = attached.into_iter().map(|port| path.below(port));
            silent.extend(ports.filter(|port| devices.iter().all(|(other, _)| other != port)));
        }
        silent
    }

    fn check_unused(&mut self, seen: &Sighting) -> Result<(), BusError> {
        in_use::hold_unused(&seen.port, &*self.clock).map(drop)
    }

    fn drive_seen_by_kernel(&mut self, seen: &Sighting) -> KernelDrive {
        let Some(known) = self.sysfs.device(&seen.port, seen.device_number) else {
            return KernelDrive::NotTold;
        };
        let storage = seen.interfaces.iter().filter(|i| i.class.class == MASS_STORAGE);
        let mut bound =
            storage.filter_map(|i| Some((known.interface(i.number)?, known.driver(i.number)?)));
        match bound.next() {
            Some((interface, driver)) => storage::drive(&interface, driver),
            None => KernelDrive::NoDriver,
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<RealClock>::clone(&self.clock)
    }
}

impl Drop for HostBus {
    fn drop(&mut self) {
        for port in std::mem::take(&mut self.without_power) {
            if let Err(error) = self.power_on(&port) {
                log::error!("port {port} has no power: {error}");
            }
        }
    }
}

/// Every device but the root hubs, which have no port of their own, in port order.
fn devices() -> Result<Vec<Listed>, BusError> {
    let mut found = all_devices()?;
    found.retain(|(port, _)| !port.ports().is_empty());
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

/// Every device, root hubs included.
fn all_devices() -> Result<Vec<Listed>, BusError> {
    let unusable = |error: rusb::Error| BusError::Unusable(error.to_string());
    let context = Context::new().map_err(unusable)?;
    let list = context.devices().map_err(unusable)?;
    let path = |device: &Device<Context>| {
        Some(PortPath::new(device.bus_number(), device.port_numbers().ok()?))
    };
    Ok(list.iter().filter_map(|device| Some((path(&device)?, device))).collect())
}

fn speed(speed: rusb::Speed) -> Speed {
    match speed {
        rusb::Speed::Low => Speed::Low,
        rusb::Speed::Full => Speed::Full,
        rusb::Speed::High => Speed::High,
        rusb::Speed::Super | rusb::Speed::SuperPlus => Speed::Super,
        _ => Speed::Unknown,
    }
}
