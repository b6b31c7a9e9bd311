//! The default device: what the USB core answers by itself while RENUM is 0.
//!
//! FX2 and FX2LP: captured from a blank part, alternate settings by \[TRM2\] chapter 3 and
//! appendices A and B. AN2131 and FX: inferred; the manual's table was not at hand. Only the number of
//! endpoints, and bulk endpoint 2 each way in setting 1 (Linux, usbtest.c), have other sources.

use super::silicon::Silicon;
use crate::usb::Speed;

/// bmAttributes of an endpoint.
const ISO: u8 = 1;
const BULK: u8 = 2;
const INTERRUPT: u8 = 3;

/// An endpoint of the default device: bEndpointAddress, and bmAttributes and wMaxPacketSize by
/// alternate setting, from 1 on.
struct Default {
    address: u8,
    settings: &'static [(u8, u16)],
}

const fn endpoint(address: u8, settings: &'static [(u8, u16)]) -> Default {
    Default { address, settings }
}

/// At high speed; the packets of full speed are 64 bytes.
const FX2: &[Default] = &[
    endpoint(0x01, &[(BULK, 512), (INTERRUPT, 64), (INTERRUPT, 64)]),
    endpoint(0x81, &[(BULK, 512), (INTERRUPT, 64), (INTERRUPT, 64)]),
    endpoint(0x02, &[(BULK, 512), (INTERRUPT, 512), (ISO, 512)]),
    endpoint(0x04, &[(BULK, 512), (BULK, 512), (BULK, 512)]),
    endpoint(0x86, &[(BULK, 512), (INTERRUPT, 512), (ISO, 512)]),
    endpoint(0x88, &[(BULK, 512), (BULK, 512), (BULK, 512)]),
];

const AN2131: &[Default] = &[
    endpoint(0x81, &[(INTERRUPT, 16), (INTERRUPT, 64)]),
    endpoint(0x82, &[(BULK, 64), (BULK, 64)]),
    endpoint(0x02, &[(BULK, 64), (BULK, 64)]),
    endpoint(0x84, &[(BULK, 64), (BULK, 64)]),
    endpoint(0x04, &[(BULK, 64), (BULK, 64)]),
    endpoint(0x86, &[(BULK, 64), (BULK, 64)]),
    endpoint(0x06, &[(BULK, 64), (BULK, 64)]),
    endpoint(0x88, &[(ISO, 16), (ISO, 256)]),
    endpoint(0x08, &[(ISO, 16), (ISO, 256)]),
    endpoint(0x89, &[(ISO, 16), (ISO, 16)]),
    endpoint(0x09, &[(ISO, 16), (ISO, 16)]),
    endpoint(0x8A, &[(ISO, 16), (ISO, 16)]),
    endpoint(0x0A, &[(ISO, 16), (ISO, 16)]),
];

fn endpoints(silicon: &Silicon) -> &'static [Default] {
    if silicon.is_fx2() { FX2 } else { AN2131 }
}

/// Whether that alternate setting has a bulk or interrupt endpoint with that address: one that can
/// be halted.
pub(super) fn can_halt(silicon: &Silicon, alternate: u8, address: u8) -> bool {
    let setting = usize::from(alternate).checked_sub(1);
    endpoints(silicon).iter().any(|endpoint| {
        let kind = setting.and_then(|setting| endpoint.settings.get(setting));
        endpoint.address == address && kind.is_some_and(|(kind, _)| *kind != ISO)
    })
}

/// The device descriptor with those ids: idVendor, idProduct, bcdDevice.
pub(super) fn device(silicon: &Silicon, ids: [u16; 3]) -> Vec<u8> {
    let usb = if silicon.is_fx2() { 0x02 } else { 0x01 };
    let mut bytes = vec![18, 1, 0, usb, 0xFF, 0xFF, 0xFF, 64];
    bytes.extend(ids.iter().flat_map(|id| id.to_le_bytes()));
    bytes.extend([0, 0, 0, 1]);
    bytes
}

/// Alternate settings of the one interface.
pub(super) fn alternates(silicon: &Silicon) -> u16 {
    let settings = endpoints(silicon).iter().map(|endpoint| endpoint.settings.len());
    1 + settings.max().unwrap_or(0) as u16
}

/// The device qualifier of a part that knows both speeds.
pub(super) fn qualifier() -> Vec<u8> {
    vec![10, 6, 0, 2, 0xFF, 0xFF, 0xFF, 64, 1, 0]
}

/// The configuration descriptor at `speed`; `kind` is 2, or 7 for the other speed's.
pub(super) fn configuration(silicon: &Silicon, speed: Speed, kind: u8) -> Vec<u8> {
    let mut interfaces = interface(0, 0);
    let all = endpoints(silicon);
    for alternate in 1..alternates(silicon) as u8 {
        interfaces.extend(interface(alternate, all.len() as u8));
        for endpoint in all {
            let setting = endpoint.settings.get(usize::from(alternate) - 1).copied();
            let (kind, size) = setting.unwrap_or_default();
            let size = if silicon.is_fx2() && speed != Speed::High { 64 } else { size };
            let interval = match (kind, silicon.is_fx2()) {
                (BULK, _) => 0,
                // Inferred: interrupt endpoints are asked every 10 ms.
                (INTERRUPT, false) => 10,
                _ => 1,
            };
            let [low, high] = size.to_le_bytes();
            interfaces.extend([7, 5, endpoint.address, kind, low, high, interval]);
        }
    }
    let [low, high] = (interfaces.len() as u16 + 9).to_le_bytes();
    let mut bytes = vec![9, kind, low, high, 1, 1, 0, 0x80, 50];
    bytes.extend(interfaces);
    bytes
}

fn interface(alternate: u8, endpoints: u8) -> Vec<u8> {
    vec![9, 4, 0, alternate, endpoints, 0xFF, 0xFF, 0xFF, 0]
}
