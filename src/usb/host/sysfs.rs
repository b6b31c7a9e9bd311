//! What the Linux kernel noted of a device when it enumerated: strings, bcdDevice, the bound
//! driver. Reading it takes no permission and no traffic on the bus.
//!
//! On other systems the folder is missing and nothing is known here.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::descriptor::Strings;
use crate::usb::PortPath;

/// Where Linux shows its USB devices.
const USB_DEVICES: &str = "/sys/bus/usb/devices";
/// Most bytes of one attribute: a string of 126 units in UTF-8, with room to spare.
const MAX_BYTES: u64 = 1024;

/// The kernel's view of the bus.
#[derive(Debug)]
pub(super) struct Sysfs {
    root: PathBuf,
}

impl Sysfs {
    pub(super) fn of_this_computer() -> Self {
        Self { root: PathBuf::from(USB_DEVICES) }
    }

    /// The folder of the device at `port`, if it is still the enumeration `device_number`.
    pub(super) fn device(&self, port: &PortPath, device_number: u8) -> Option<Known> {
        let name = port.to_string();
        let folder = self.root.join(&name);
        let number: u8 = attribute(&folder, "devnum")?.trim().parse().ok()?;
        (number == device_number).then_some(Known { folder, name })
    }

    /// The ports whose device the kernel is resetting. Meanwhile the device has the number 0 and
    /// libusb lists it not at all.
    pub(super) fn resets(&self) -> Vec<PortPath> {
        let Ok(entries) = fs::read_dir(&self.root) else { return Vec::new() };
        entries
            .filter_map(Result::ok)
            .filter(|entry| {
                attribute(&entry.path(), "devnum").is_some_and(|text| text.trim() == "0")
            })
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect()
    }
}

impl Sysfs {
    /// The port that shares its connector with `port`: the other half of a USB 3 hub.
    pub(super) fn peer(&self, port: &PortPath) -> Option<PortPath> {
        let (number, _) = port.ports().split_last()?;
        let hub = port.hub()?;
        // A root hub is `usb3`, its interface `3-0:1.0`, its ports `usb3-port2`.
        let is_root = hub.ports().is_empty();
        let name = if is_root { format!("usb{}", hub.bus()) } else { hub.to_string() };
        let interface = if is_root { format!("{}-0:1.0", hub.bus()) } else { format!("{hub}:1.0") };
        let place = self.root.join(&name).join(interface).join(format!("{name}-port{number}"));
        let peer = fs::read_link(place.join("peer")).ok()?;
        let peer = peer.file_name()?.to_str()?.to_owned();
        let (hub, number) = peer.rsplit_once("-port")?;
        let hub = match hub.strip_prefix("usb") {
            Some(bus) => PortPath::new(bus.parse().ok()?, Vec::new()),
            None => hub.parse().ok()?,
        };
        let mut ports = hub.ports().to_vec();
        ports.push(number.parse().ok()?);
        Some(PortPath::new(hub.bus(), ports))
    }
}

/// One device's folder.
#[derive(Debug)]
pub(super) struct Known {
    folder: PathBuf,
    name: String,
}

impl Known {
    /// Manufacturer, product and serial, as far as the kernel could read them. Waits while the
    /// kernel does something to the device (`usb_lock_device` in drivers/usb/core/sysfs.c); what
    /// else is read here does not.
    pub(super) fn strings(&self) -> Strings {
        ["manufacturer", "product", "serial"].map(|name| attribute(&self.folder, name))
    }

    /// bcdDevice.
    pub(super) fn bcd_device(&self) -> Option<u16> {
        u16::from_str_radix(attribute(&self.folder, "bcdDevice")?.trim(), 16).ok()
    }

    /// The folder of an interface of the active configuration.
    pub(super) fn interface(&self, interface: u8) -> Option<PathBuf> {
        // `3-2.1:1.0`: port, configuration, interface. Only the active configuration has folders;
        // its number is not read, because bConfigurationValue waits as strings do.
        let folder = fs::read_dir(&self.folder).ok()?.filter_map(Result::ok).find(|entry| {
            let name = entry.file_name();
            let place =
                name.to_str().and_then(|name| name.strip_prefix(&self.name)?.strip_prefix(':'));
            place.and_then(|place| place.split_once('.')?.1.parse().ok()) == Some(interface)
        })?;
        Some(folder.path())
    }

    /// The driver bound to an interface of the active configuration.
    pub(super) fn driver(&self, interface: u8) -> Option<String> {
        let driver = fs::read_link(self.interface(interface)?.join("driver")).ok()?;
        Some(driver.file_name()?.to_string_lossy().into_owned())
    }
}

/// An attribute's text without the newline the kernel ends it with. What is not UTF-8 in it
/// becomes the replacement character; the text itself is still the device's claim.
fn attribute(folder: &Path, name: &str) -> Option<String> {
    let mut bytes = Vec::new();
    fs::File::open(folder.join(name)).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn bus(attributes: &[(&str, &str)]) -> (tempfile::TempDir, Sysfs) {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("3-2.1");
        let interface = device.join("3-2.1:2.0");
        fs::create_dir_all(&interface).unwrap();
        std::os::unix::fs::symlink(
            "../../../../bus/usb/drivers/usb-storage",
            interface.join("driver"),
        )
        .unwrap();
        for (name, text) in attributes {
            fs::write(device.join(name), text).unwrap();
        }
        let sysfs = Sysfs { root: folder.path().to_owned() };
        (folder, sysfs)
    }

    fn port() -> PortPath {
        PortPath::new(3, vec![2, 1])
    }

    #[test]
    fn strings_and_driver_are_the_kernels() {
        let (_folder, sysfs) = bus(&[
            ("devnum", "17\n"),
            ("bcdDevice", "a001\n"),
            ("product", "USB Device\n"),
            ("serial", " padded \n"),
        ]);
        let known = sysfs.device(&port(), 17).unwrap();
        assert_eq!(
            known.strings(),
            [None, Some("USB Device".to_owned()), Some(" padded ".to_owned())]
        );
        assert_eq!(known.bcd_device(), Some(0xa001));
        assert_eq!(known.driver(0).as_deref(), Some("usb-storage"));
        assert_eq!(known.driver(1), None);
    }

    #[test]
    fn another_enumeration_at_the_same_port_is_not_mistaken_for_this_one() {
        let (_folder, sysfs) = bus(&[("devnum", "18\n"), ("serial", "other\n")]);
        assert!(sysfs.device(&port(), 17).is_none());
    }

    #[test]
    fn the_other_half_of_a_connector_is_the_kernels_peer() {
        let (folder, sysfs) = bus(&[]);
        let link = |port: &str, peer: &str| {
            let place = folder.path().join(port);
            fs::create_dir_all(&place).unwrap();
            std::os::unix::fs::symlink(peer, place.join("peer")).unwrap();
        };
        link("3-2/3-2:1.0/3-2-port1", "../../../../usb4/4-2/4-2:1.0/4-2-port1");
        link("usb3/3-0:1.0/usb3-port2", "../../../usb4/4-0:1.0/usb4-port6");
        assert_eq!(sysfs.peer(&port()), Some(PortPath::new(4, vec![2, 1])));
        assert_eq!(sysfs.peer(&PortPath::new(3, vec![2])), Some(PortPath::new(4, vec![6])));
        assert_eq!(sysfs.peer(&PortPath::new(3, vec![5])), None);
        assert_eq!(sysfs.peer(&PortPath::new(3, Vec::new())), None);
    }

    #[test]
    fn a_device_that_is_being_reset_is_told_from_one_that_is_gone() {
        let (_folder, sysfs) = bus(&[("devnum", "0\n")]);
        assert_eq!(sysfs.resets(), [port()]);
        let (_folder, sysfs) = bus(&[("devnum", "10\n")]);
        assert_eq!(sysfs.resets(), []);
        let (_folder, sysfs) = bus(&[]);
        assert_eq!(sysfs.resets(), []);
    }

    #[test]
    fn an_unconfigured_device_has_no_driver() {
        let (folder, sysfs) = bus(&[("devnum", "17\n")]);
        fs::remove_dir_all(folder.path().join("3-2.1/3-2.1:2.0")).unwrap();
        assert_eq!(sysfs.device(&port(), 17).unwrap().driver(0), None);
    }

    #[test]
    fn an_endless_attribute_is_cut() {
        let endless = "x".repeat(5000);
        let (_folder, sysfs) = bus(&[("devnum", "17\n"), ("serial", &endless)]);
        let [_, _, serial] = sysfs.device(&port(), 17).unwrap().strings();
        assert_eq!(serial.unwrap().len(), 1024);
    }
}
