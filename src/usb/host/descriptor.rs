//! Descriptors as values: interfaces from libusb's parsed configuration, strings from the bytes
//! of string descriptors [USB 2.0 §9.6]. All of it is the device's claim and may be nonsense.

use std::time::Duration;

use rusb::{ConfigDescriptor, Context, Device, DeviceHandle, Version};

use crate::usb::{ClassCode, Endpoint, Interface};

/// How long one string may take. A device that lost its firmware may never answer, and three
/// strings are asked for at each scan.
const STRING_TIMEOUT: Duration = Duration::from_millis(250);
/// [USB 2.0 §9.4.3] GET_DESCRIPTOR.
const GET_DESCRIPTOR: u8 = 6;
/// [USB 2.0 table 9-5] String descriptor.
const STRING: u8 = 3;
/// bmRequestType: standard request to the device, device to host.
const STANDARD_IN: u8 = 0x80;
/// The language asked for where the device's list cannot be read: English (United States), by
/// far the most common.
const ENGLISH: u16 = 0x0409;

/// Manufacturer, product and serial.
pub(super) type Strings = [Option<String>; 3];

/// Every alternate setting of every interface, in descriptor order.
pub(super) fn interfaces(configuration: &ConfigDescriptor) -> Vec<Interface> {
    // rusb makes a slice from libusb's pointer, which is only good when there is an interface.
    if configuration.num_interfaces() == 0 {
        return Vec::new();
    }
    configuration
        .interfaces()
        .flat_map(|interface| interface.descriptors())
        .map(|setting| Interface {
            number: setting.interface_number(),
            alternate: setting.setting_number(),
            class: ClassCode::new(
                setting.class_code(),
                setting.sub_class_code(),
                setting.protocol_code(),
            ),
            endpoints: setting
                .endpoint_descriptors()
                .map(|endpoint| Endpoint {
                    address: endpoint.address(),
                    kind: endpoint.transfer_type() as u8,
                    max_packet: endpoint.max_packet_size(),
                })
                .collect(),
        })
        .collect()
}

/// The 16 bits of bcdDevice, from the three numbers rusb makes of them. rusb counts the first two
/// digits together in tens, so a second digit above 9 (0x0a00) cannot be told from its carry
/// (0x1000); the kernel's own note of bcdDevice is preferred where there is one.
pub(super) fn bcd(version: Version) -> u16 {
    let Version(major, minor, sub_minor) = version;
    let (tens, ones) = (u16::from(major) / 10, u16::from(major) % 10);
    (tens << 12) | (ones << 8) | (u16::from(minor & 0xf) << 4) | u16::from(sub_minor & 0xf)
}

/// The strings at `indexes`. `known` ones are taken as they are; the device is opened and asked
/// only for the others, and they stay `None` where it cannot be.
pub(super) fn strings(
    device: &Device<Context>,
    indexes: [Option<u8>; 3],
    known: Strings,
) -> Strings {
    let missing = are_missing(indexes, &known);
    let Some(handle) = missing.then(|| device.open().ok()).flatten() else { return known };
    let language = language(&handle);
    let mut asked = indexes
        .into_iter()
        .zip(known)
        .map(|(index, known)| known.or_else(|| read(&handle, index?, language)));
    std::array::from_fn(|_| asked.next().flatten())
}

/// Whether the device has a string that is not known.
pub(super) fn are_missing(indexes: [Option<u8>; 3], known: &Strings) -> bool {
    indexes.iter().zip(known).any(|(index, known)| index.is_some() && known.is_none())
}

fn language(handle: &DeviceHandle<Context>) -> u16 {
    fetch(handle, 0, 0)
        .and_then(|reply| units(&reply).and_then(|units| units.first().copied()))
        .unwrap_or(ENGLISH)
}

fn read(handle: &DeviceHandle<Context>, index: u8, language: u16) -> Option<String> {
    let reply = fetch(handle, index, language)?;
    Some(String::from_utf16_lossy(&units(&reply)?))
}

fn fetch(handle: &DeviceHandle<Context>, index: u8, language: u16) -> Option<Vec<u8>> {
    let value = (u16::from(STRING) << 8) | u16::from(index);
    // 255, not 256: bLength cannot say more, and some devices stall on 256.
    let mut reply = vec![0; 255];
    let got = handle
        .read_control(STANDARD_IN, GET_DESCRIPTOR, value, language, &mut reply, STRING_TIMEOUT)
        .ok()?;
    reply.truncate(got);
    Some(reply)
}

/// The 16-bit units of a string descriptor: bLength, bDescriptorType, then UTF-16LE
/// [USB 2.0 §9.6.7]. A length that is odd, or longer than what came, is cut to what is there.
fn units(descriptor: &[u8]) -> Option<Vec<u16>> {
    let (length, rest) = descriptor.split_first()?;
    let (kind, text) = rest.split_first()?;
    if *kind != STRING {
        return None;
    }
    let said = usize::from(*length).saturating_sub(2).min(text.len());
    Some(
        text.get(..said)?.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(descriptor: &[u8]) -> Option<String> {
        units(descriptor).map(|units| String::from_utf16_lossy(&units))
    }

    #[test]
    fn a_string_descriptor_is_read_as_utf_16() {
        assert_eq!(text(&[6, 3, b'Q', 0, 0xdf, 0]).as_deref(), Some("Q\u{df}"));
        assert_eq!(text(&[2, 3]).as_deref(), Some(""));
    }

    #[test]
    fn a_length_that_lies_reads_nothing_beyond_what_came() {
        assert_eq!(text(&[255, 3, b'Q', 0]).as_deref(), Some("Q"));
        assert_eq!(text(&[0, 3, b'Q', 0]).as_deref(), Some(""));
        assert_eq!(text(&[5, 3, b'Q', 0, b'T']).as_deref(), Some("Q"));
        assert_eq!(text(&[4, 3, b'Q', 0, b'T', 0]).as_deref(), Some("Q"));
    }

    #[test]
    fn what_is_no_string_descriptor_has_no_text() {
        assert_eq!(text(&[]), None);
        assert_eq!(text(&[4]), None);
        assert_eq!(text(&[4, 1, b'Q', 0]), None);
    }

    #[test]
    fn bcd_device_survives_the_way_through_rusb() {
        for value in [0x0000, 0x0260, 0x026b, 0x0041, 0x9999, 0xa001] {
            assert_eq!(bcd(Version::from_bcd(value)), value, "{value:04x}");
        }
    }
}
