//! What GET_DESCRIPTOR brings: the default descriptors of manufacturing mode, or the EEPROM's own
//! with the packet sizes of the speed.

use super::start::Personality;
use super::{At2lp, Kind};

/// The revision of a chip's default descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// "Cypress AT2LP RC42", captured from a real unit: with an HID interface numbered 2, which
    /// makes Linux complain, and bulk in at 86.
    Rc42,
    /// "Cypress AT2LP RC58". Only its product string is known; it is given the vendor tool's bulk
    /// endpoint 88, no HID interface and another bcdDevice, so that nothing rests on the RC42's.
    Rc58,
}

const DEFAULT_IDS: [u16; 2] = [0x04b4, 0x6830];
/// Serial number of the captured unit.
const DEFAULT_SERIAL: &str = "M00000000000";

/// Packet size of the bulk pipes at high and at full speed [USB 2.0 §5.8.3].
const BULK_PACKET: [u8; 2] = 512_u16.to_le_bytes();
const FULL_SPEED_PACKET: [u8; 2] = 64_u16.to_le_bytes();

fn device(ids: [u16; 3], strings: [u8; 3]) -> Vec<u8> {
    let mut bytes = vec![18, 1, 0, 2, 0, 0, 0, 64];
    bytes.extend(ids.map(u16::to_le_bytes).as_flattened());
    bytes.extend(strings);
    bytes.push(1);
    bytes
}

fn bulk(address: u8) -> Vec<u8> {
    let [low, high] = BULK_PACKET;
    vec![7, 5, address, 2, low, high, 0]
}

fn configuration(interfaces: u8, body: &[u8]) -> Vec<u8> {
    let total = (9 + body.len() as u16).to_le_bytes();
    // Self-powered; 2 mA.
    let mut bytes = vec![9, 2, total[0], total[1], interfaces, 1, 0, 0xc0, 1];
    bytes.extend(body);
    bytes
}

/// A vendor-class interface with the bulk-only transport.
fn manufacturing(release: Release) -> Vec<u8> {
    let mut body = vec![9, 4, 0, 0, 2, 0xff, 0x06, 0x50, 0];
    body.extend(bulk(0x02));
    body.extend(bulk(if release == Release::Rc42 { 0x86 } else { 0x88 }));
    if release == Release::Rc58 {
        return configuration(1, &body);
    }
    body.extend([9, 4, 2, 0, 1, 3, 0, 0, 0]);
    body.extend([9, 0x21, 0x10, 0x01, 0, 1, 0x22, REPORT.len() as u8, 0]);
    body.extend([7, 5, 0x81, 3, 4, 0, 10]);
    configuration(2, &body)
}

/// The HID interface's report descriptor: four bytes of a vendor's own. Unknown; no dump has it.
pub(super) const REPORT: &[u8] = &[
    0x06, 0xa0, 0xff, 0x09, 0x01, 0xa1, 0x01, 0x09, 0x02, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08,
    0x95, 0x04, 0x81, 0x02, 0xc0,
];

fn fused() -> Vec<u8> {
    let mut body = vec![9, 4, 0, 0, 2, 0x08, 0x06, 0x50, 0];
    body.extend(bulk(0x02));
    body.extend(bulk(0x88));
    configuration(1, &body)
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = vec![2 + 2 * text.len() as u8, 3];
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    bytes
}

/// Where a programmed block's configuration begins.
const CONFIGURATION_AT: usize = 0x2c;

/// The bytes that a descriptor's own length says, from `at` on.
fn descriptor_at(block: &[u8], at: usize) -> Option<Vec<u8>> {
    let length = usize::from(*block.get(at)?);
    block.get(at..at + length).map(<[u8]>::to_vec)
}

/// A configuration of the block, with the bulk packet size of high speed put in.
fn programmed_configuration(block: &[u8], at: usize) -> Option<Vec<u8>> {
    let total = block.get(at + 2..at + 4)?.try_into().map(u16::from_le_bytes).ok()?;
    let mut bytes = block.get(at..at.checked_add(usize::from(total))?)?.to_vec();
    set_bulk_packets(&mut bytes, BULK_PACKET);
    Some(bytes)
}

/// The other speed's configuration [USB 2.0 §9.6.4]: the same with the packets of full speed.
fn other_speed(mut configuration: Vec<u8>) -> Vec<u8> {
    if let Some(kind) = configuration.get_mut(1) {
        *kind = 7;
    }
    set_bulk_packets(&mut configuration, FULL_SPEED_PACKET);
    configuration
}

fn set_bulk_packets(bytes: &mut [u8], packet: [u8; 2]) {
    let mut position = 0;
    while let Some(&length) = bytes.get(position) {
        let length = usize::from(length);
        if let Some([7, 5, _, 2, low, high]) = bytes.get_mut(position..position + 6) {
            [*low, *high] = packet;
        }
        if length < 2 {
            break;
        }
        position += length;
    }
}

fn programmed(kind: Kind, block: &[u8], descriptor: u8, index: u8) -> Option<Vec<u8>> {
    match descriptor {
        1 => block.get(0x10..0x22).map(<[u8]>::to_vec),
        6 => block.get(0x22..0x2c).map(<[u8]>::to_vec),
        // The AT2's second configuration is the one for full speed.
        2 if index == 0 => programmed_configuration(block, CONFIGURATION_AT),
        3 if index == 0 => descriptor_at(block, languages_at(kind, block)?),
        3 => descriptor_at(block, usize::from(index) * 2),
        _ => None,
    }
}

/// The list of languages follows the configurations, word aligned.
fn languages_at(kind: Kind, block: &[u8]) -> Option<usize> {
    let mut at = CONFIGURATION_AT;
    for _ in 0..(if kind == Kind::At2 { 2 } else { 1 }) {
        let total: [u8; 2] = block.get(at + 2..at + 4)?.try_into().ok()?;
        at += usize::from(u16::from_le_bytes(total));
    }
    Some(at + (at & 1))
}

impl At2lp {
    /// The descriptor that wValue names; `None` where there is none.
    pub(super) fn descriptor(&self, value: u16) -> Option<Vec<u8>> {
        let [kind, index] = value.to_be_bytes();
        if (kind, index) == (7, 0) {
            return self.descriptor(0x0200).map(other_speed);
        }
        let [vendor, product] = DEFAULT_IDS;
        match (&self.personality, kind, index) {
            (Personality::Absent, ..) => None,
            (Personality::Programmed(block), ..) => programmed(self.kind, block, kind, index),
            (_, 3, 0) => Some(vec![4, 3, 0x09, 0x04]),
            (_, 6, _) => Some(vec![10, 6, 0, 2, 0, 0, 0, 64, 1, 0]),
            (Personality::Fused(ids), 1, _) => Some(device(*ids, [0; 3])),
            (Personality::Fused(_), 2, 0) => Some(fused()),
            (Personality::Fused(_), ..) => None,
            (Personality::Manufacturing, 1, _) => {
                let revision = if self.release == Release::Rc42 { 0x0041 } else { 0x0058 };
                Some(device([vendor, product, revision], [0, 1, 2]))
            }
            (Personality::Manufacturing, 2, 0) => Some(manufacturing(self.release)),
            (Personality::Manufacturing, 3, 1) => Some(string(match self.release {
                Release::Rc42 => "Cypress AT2LP RC42",
                Release::Rc58 => "Cypress AT2LP RC58",
            })),
            (Personality::Manufacturing, 3, 2) => Some(string(DEFAULT_SERIAL)),
            (Personality::Manufacturing, ..) => None,
        }
    }

    /// The descriptors of the configuration one by one, as far as they are whole.
    pub(super) fn parts(&self) -> Vec<Vec<u8>> {
        let configuration = self.descriptor(0x0200).unwrap_or_default();
        let mut rest = configuration.as_slice();
        let mut parts = Vec::new();
        while let Some(&length) = rest.first()
            && let Some((part, behind)) = rest.split_at_checked(usize::from(length).max(2))
        {
            parts.push(part.to_vec());
            rest = behind;
        }
        parts
    }

    /// The bulk endpoints the descriptors name: out, in.
    pub(super) fn pipes(&self) -> Option<[u8; 2]> {
        let mut pipes = [None, None];
        for part in self.parts() {
            if let [7, 5, address, 2, ..] = *part.as_slice() {
                let which = usize::from(address >> 7);
                if let Some(slot) = pipes.get_mut(which) {
                    slot.get_or_insert(address);
                }
            }
        }
        let [out, inward] = pipes;
        Some([out?, inward?])
    }
}
