//! The default device: what the USB core answers by itself while RENUM is 0.
//!
//! FX2 and FX2LP: captured from a blank part, alternate settings by \[TRM2\] chapter 3. The
//! AN2131's table of alternate settings is unknown; it is given one interface without endpoints.

use super::silicon::Silicon;
use crate::usb::Speed;

/// bEndpointAddress of each endpoint in alternate settings 1 to 3.
const ENDPOINTS: [u8; 6] = [0x01, 0x81, 0x02, 0x04, 0x86, 0x88];
/// bmAttributes of each endpoint by alternate setting.
const KINDS: [[u8; 6]; 3] = [[2; 6], [3, 3, 3, 2, 3, 2], [3, 3, 1, 2, 1, 2]];

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
    if silicon.is_fx2() { 1 + KINDS.len() as u16 } else { 1 }
}

/// The device qualifier of a part that knows both speeds.
pub(super) fn qualifier() -> Vec<u8> {
    vec![10, 6, 0, 2, 0xFF, 0xFF, 0xFF, 64, 1, 0]
}

/// The configuration descriptor at `speed`; `kind` is 2, or 7 for the other speed's.
pub(super) fn configuration(silicon: &Silicon, speed: Speed, kind: u8) -> Vec<u8> {
    let mut interfaces = interface(0, 0);
    if silicon.is_fx2() {
        for (alternate, kinds) in (1..).zip(KINDS) {
            interfaces.extend(interface(alternate, 6));
            for (address, kind) in ENDPOINTS.into_iter().zip(kinds) {
                let small = address & 0x7F == 1 || speed != Speed::High;
                let bulk_1 = kind == 2 && address & 0x7F == 1 && speed == Speed::High;
                let size: u16 = if small && !bulk_1 { 64 } else { 512 };
                let [low, high] = size.to_le_bytes();
                interfaces.extend([7, 5, address, kind, low, high, u8::from(kind != 2)]);
            }
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
