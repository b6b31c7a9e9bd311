//! Finds USB descriptors in the code an image would load, to learn who the enclosure will say it
//! is before anything is written [USB 2.0 §9.6].
//!
//! A search, not a parse: firmware keeps its descriptors anywhere and may change them while it
//! runs. What is found is a promise to check against the pre-flight and the device itself; what is
//! not found is left open.

use std::iter;

use crate::chip::Identity;
use crate::usb::{ClassCode, Ids};

/// The longest configuration that is believed, bytes.
const MAX_CONFIGURATION: usize = 1024;
/// How many device descriptors that differ are collected.
const MAX_DEVICES: usize = 8;
/// How many descriptors of a configuration are looked through for its first interface.
const MAX_DESCRIPTORS: usize = 64;

/// A device descriptor, 18 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceDescriptor {
    /// bDeviceClass, bDeviceSubClass, bDeviceProtocol.
    #[doc(alias = "bDeviceClass")]
    #[doc(alias = "bDeviceSubClass")]
    #[doc(alias = "bDeviceProtocol")]
    pub class: ClassCode,
    /// idVendor and idProduct.
    #[doc(alias = "idVendor")]
    #[doc(alias = "idProduct")]
    pub ids: Ids,
    /// bcdDevice.
    #[doc(alias = "bcdDevice")]
    pub bcd_device: u16,
    /// iManufacturer, iProduct, iSerialNumber; 0 for none.
    #[doc(alias = "iManufacturer")]
    #[doc(alias = "iProduct")]
    #[doc(alias = "iSerialNumber")]
    pub strings: [u8; 3],
}

impl DeviceDescriptor {
    /// Length of the descriptor, bytes.
    pub const BYTES: usize = 18;

    /// The descriptor at the start of `bytes`, when it is one: type 1, a legal packet size for
    /// endpoint 0, one configuration.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let head: &[u8; Self::BYTES] = bytes.first_chunk()?;
        let [
            18,
            1,
            _,
            _,
            class,
            subclass,
            protocol,
            8 | 16 | 32 | 64,
            vendor_low,
            vendor_high,
            product_low,
            product_high,
            bcd_low,
            bcd_high,
            manufacturer,
            product,
            serial,
            1,
        ] = *head
        else {
            return None;
        };
        Some(Self {
            class: ClassCode::new(class, subclass, protocol),
            ids: Ids::new(
                u16::from_le_bytes([vendor_low, vendor_high]),
                u16::from_le_bytes([product_low, product_high]),
            ),
            bcd_device: u16::from_le_bytes([bcd_low, bcd_high]),
            strings: [manufacturer, product, serial],
        })
    }
}

/// What a search for a device's identity brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No device descriptor.
    Nothing,
    /// One, or several that agree.
    One(
        /// As far as the descriptors tell.
        Identity,
    ),
    /// Several that differ; which one the firmware shows is not known.
    Several(
        /// Their ids, in order of appearance.
        Vec<Ids>,
    ),
}

/// Searches `pieces`, each a stretch of memory as the image would load it.
pub fn search(pieces: &[Vec<u8>]) -> Found {
    let mut devices: Vec<DeviceDescriptor> = Vec::new();
    for piece in pieces {
        for window in piece.windows(DeviceDescriptor::BYTES) {
            if let Some(device) = DeviceDescriptor::decode(window)
                && !matches!(device.ids.vendor, 0 | 0xffff)
                && !devices.contains(&device)
                && devices.len() < MAX_DEVICES
            {
                devices.push(device);
            }
        }
    }
    match devices.as_slice() {
        [] => Found::Nothing,
        [device] => Found::One(identity(*device, pieces)),
        several => Found::Several(several.iter().map(|device| device.ids).collect()),
    }
}

fn identity(device: DeviceDescriptor, pieces: &[Vec<u8>]) -> Identity {
    let [manufacturer, product, serial] = device.strings;
    let wanted = device.strings.into_iter().max().unwrap_or(0);
    let strings = pieces.iter().find_map(|piece| string_table(piece, usize::from(wanted)));
    let text = |index: u8| {
        let place = usize::from(index).checked_sub(1)?;
        strings.as_ref()?.get(place)?.clone()
    };
    Identity {
        ids: device.ids,
        bcd_device: Some(device.bcd_device),
        interface_class: pieces.iter().find_map(|piece| first_interface(piece)),
        manufacturer: text(manufacturer),
        product: text(product),
        serial: text(serial),
    }
}

/// The class of the first interface descriptor inside a configuration descriptor.
fn first_interface(piece: &[u8]) -> Option<ClassCode> {
    let mut rest = piece;
    while let [_, next @ ..] = rest {
        if let [9, 2, low, high, ..] = rest {
            let total = usize::from(u16::from_le_bytes([*low, *high]));
            let inside = rest.get(9..total.min(MAX_CONFIGURATION));
            let found = inside.into_iter().flat_map(descriptors).take(MAX_DESCRIPTORS);
            for descriptor in found {
                if let [9, 4, 0, _, _, class, subclass, protocol, _] = descriptor {
                    return Some(ClassCode::new(*class, *subclass, *protocol));
                }
            }
        }
        rest = next;
    }
    None
}

/// The descriptors that follow one another in `bytes`, each by its bLength; ends at the first
/// that cannot be one.
fn descriptors(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    iter::from_fn(move || {
        let length = usize::from(*rest.first()?);
        if length < 2 {
            return None;
        }
        let (descriptor, next) = rest.split_at_checked(length)?;
        rest = next;
        Some(descriptor)
    })
}

/// Texts 1, 2, .. of the first string table that holds at least `wanted` of them. The BIOS finds
/// string n by skipping n descriptors, so they follow the language table `04 03 09 04` in order
/// [BM 1.7.5]. A text that is not clean UTF-16 is `None`.
fn string_table(piece: &[u8], wanted: usize) -> Option<Vec<Option<String>>> {
    if wanted == 0 {
        return None;
    }
    let mut rest = piece;
    while let [_, next @ ..] = rest {
        if let [4, 3, 9, 4, after @ ..] = rest {
            let texts: Vec<_> = descriptors(after)
                .take_while(|descriptor| matches!(descriptor, [_, 3, ..]))
                .take(wanted)
                .map(|descriptor| descriptor.get(2..).and_then(text))
                .collect();
            if texts.len() == wanted {
                return Some(texts);
            }
        }
        rest = next;
    }
    None
}

fn text(utf16: &[u8]) -> Option<String> {
    if !utf16.len().is_multiple_of(2) {
        return None;
    }
    let units = utf16
        .chunks_exact(2)
        .filter_map(|pair| <[u8; 2]>::try_from(pair).ok())
        .map(u16::from_le_bytes);
    let text: String = char::decode_utf16(units).collect::<Result<_, _>>().ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The default device of EZ-OTG [BM 1.7.5.2].
    fn bios_device() -> Vec<u8> {
        hex::decode("12010002ff000008b40400720000010101 01".replace(' ', "")).unwrap()
    }

    fn bios_configuration() -> Vec<u8> {
        hex::decode("0902230001010080320904000002000000000705010240000007058202400000030903")
            .unwrap()
    }

    fn bios_strings() -> Vec<u8> {
        let mut bytes = vec![4, 3, 9, 4];
        let text: Vec<u8> =
            "CYPRESS EZ-OTG".encode_utf16().flat_map(|unit| unit.to_le_bytes()).collect();
        bytes.extend([u8::try_from(text.len() + 2).unwrap(), 3]);
        bytes.extend(text);
        bytes
    }

    #[test]
    fn the_documented_default_descriptors_give_their_identity() {
        let piece = [vec![0; 7], bios_device(), bios_configuration(), bios_strings(), vec![1; 9]];
        let Found::One(identity) = search(&[piece.concat()]) else { panic!() };
        assert_eq!(identity.ids, Ids::new(0x04b4, 0x7200));
        assert_eq!(identity.bcd_device, Some(0));
        assert_eq!(identity.interface_class, Some(ClassCode::new(0, 0, 0)));
        assert_eq!(identity.product.as_deref(), Some("CYPRESS EZ-OTG"));
        assert_eq!(identity.serial.as_deref(), Some("CYPRESS EZ-OTG"));
    }

    #[test]
    fn what_the_image_does_not_hold_is_not_promised() {
        let Found::One(identity) = search(&[bios_device()]) else { panic!() };
        assert_eq!(identity.interface_class, None);
        assert_eq!(identity.manufacturer, None);
        assert_eq!(search(&[vec![0; 64]]), Found::Nothing);
    }

    #[test]
    fn two_devices_that_differ_are_not_chosen_between() {
        let mut other = bios_device();
        other[8] = 0xce;
        let found = search(&[bios_device(), other.clone(), bios_device()]);
        assert_eq!(found, Found::Several(vec![Ids::new(0x04b4, 0x7200), Ids::new(0x04ce, 0x7200)]));
        assert!(matches!(search(&[other.clone(), other]), Found::One(_)));
    }

    #[test]
    fn a_text_that_is_no_utf16_is_left_open() {
        let strings = vec![4, 3, 9, 4, 4, 3, 0x00, 0xd8];
        let Found::One(identity) = search(&[bios_device(), strings]) else { panic!() };
        assert_eq!(identity.product, None);
    }
}
