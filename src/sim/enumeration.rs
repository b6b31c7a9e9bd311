//! The host's side of plugging in: address, descriptors, configuration, strings [USB 2.0 §9.1.2].

use super::device::{Completion, Device};
use crate::usb::{ClassCode, Endpoint, Ids, Interface, PortPath, Setup, Sighting};

/// How long the host waits for one answer while enumerating.
const TIMEOUT_NS: u64 = 5_000_000_000;

/// What a host does with a new device. `None` when the device does not answer as one.
pub(super) fn enumerate(
    device: &mut dyn Device,
    port: &PortPath,
    device_number: u8,
) -> Option<Sighting> {
    let address =
        Setup { request_type: 0, request: 5, value: u16::from(device_number), index: 0, length: 0 };
    standard(device, &address)?;
    let first = descriptor(device, 0x0100, 0, 18)?;
    let first: [u8; 18] = first.try_into().ok()?;
    if !first.starts_with(&[18, 1]) {
        return None;
    }
    let [_, _, _, _, class, subclass, protocol, _, v0, v1, p0, p1, b0, b1, im, ip, is, _] = first;
    let start = descriptor(device, 0x0200, 0, 9)?;
    let total = match *start.as_slice() {
        [9, 2, low, high, ..] => u16::from_le_bytes([low, high]),
        _ => return None,
    };
    let configuration = descriptor(device, 0x0200, 0, total.min(4096))?;
    let value = u16::from(configuration.get(5).copied()?);
    let choose = Setup { request_type: 0, request: 9, value, index: 0, length: 0 };
    standard(device, &choose)?;
    let [manufacturer, product, serial] = [im, ip, is].map(|index| string(device, index));
    Some(Sighting {
        port: port.clone(),
        device_number,
        ids: Ids::new(u16::from_le_bytes([v0, v1]), u16::from_le_bytes([p0, p1])),
        bcd_device: u16::from_le_bytes([b0, b1]),
        class: ClassCode::new(class, subclass, protocol),
        manufacturer,
        product,
        serial,
        interfaces: interfaces(&configuration),
        speed: device.speed(),
        driver: None,
    })
}

fn standard(device: &mut dyn Device, setup: &Setup) -> Option<Vec<u8>> {
    let deadline = device.now().saturating_add(TIMEOUT_NS);
    match device.control(setup, &[], deadline) {
        Completion::Done(data) => Some(data),
        _ => None,
    }
}

fn descriptor(device: &mut dyn Device, value: u16, index: u16, length: u16) -> Option<Vec<u8>> {
    standard(device, &Setup { request_type: 0x80, request: 6, value, index, length })
}

fn string(device: &mut dyn Device, index: u8) -> Option<String> {
    if index == 0 {
        return None;
    }
    let languages = descriptor(device, 0x0300, 0, 255)?;
    let language = match *languages.as_slice() {
        [_, _, low, high, ..] => u16::from_le_bytes([low, high]),
        _ => return None,
    };
    let text = descriptor(device, 0x0300 | u16::from(index), language, 255)?;
    let length = usize::from(*text.first()?).min(text.len());
    let (units, _) = text.get(2..length)?.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    Some(String::from_utf16_lossy(&units))
}

/// Interfaces and endpoints of a configuration descriptor, as far as it is well formed.
fn interfaces(configuration: &[u8]) -> Vec<Interface> {
    let mut found: Vec<Interface> = Vec::new();
    let mut rest = configuration;
    while let Some(&length) = rest.first() {
        let length = usize::from(length);
        if length < 2 || length > rest.len() {
            break;
        }
        let (descriptor, behind) = rest.split_at(length);
        rest = behind;
        match *descriptor {
            [_, 4, number, alternate, _, class, subclass, protocol, ..] => found.push(Interface {
                number,
                alternate,
                class: ClassCode::new(class, subclass, protocol),
                endpoints: Vec::new(),
            }),
            [_, 5, address, attributes, low, high, ..] => {
                if let Some(interface) = found.last_mut() {
                    interface.endpoints.push(Endpoint {
                        address,
                        kind: attributes & 3,
                        max_packet: u16::from_le_bytes([low, high]),
                    });
                }
            }
            _ => {}
        }
    }
    found
}
