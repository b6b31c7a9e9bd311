//! What lies in a scenario's EEPROM.

use super::block;
use crate::sim::chips::families::virtual_chip;

/// Ids alone, of a board that was sold with them (1d50:60b5).
const EZUSB_FOREIGN: [u8; 8] = [0xC0, 0x50, 0x1D, 0xB5, 0x60, 0x01, 0x00, 0x01];

/// The image a model's enclosure left the factory with; nothing for a model that is no virtual
/// chip.
pub(super) fn factory(model: &str) -> &'static [u8] {
    virtual_chip(model).map_or(&[], |chip| (chip.factory)())
}

/// The content of an EEPROM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The same byte throughout: FF as from the maker, 00 as from ZERO.BIN.
    Filled(u8),
    /// The factory image, FF behind it.
    Factory,
    /// An update that broke off: the second half of the image is there, its beginning is not.
    HalfWritten,
    /// The first record is sound and is followed by the middle of another.
    BrokenStream,
    /// The first 40 bytes of the factory image and nothing behind them: its signature is there.
    CutOff,
    /// An image for the older chip of the family.
    OlderChip,
    /// An image of which some bytes have changed: it starts, with part of its strings lost.
    Corrupted,
    /// The firmware of another product.
    Foreign,
}

impl Content {
    /// The bytes from address 0; FF is behind them in a part of `size` bytes.
    pub(super) fn bytes(self, model: &str, size: u32) -> Vec<u8> {
        let image = factory(model);
        match self {
            Self::Filled(byte) => vec![byte; size as usize],
            Self::Factory => image.to_vec(),
            Self::HalfWritten => {
                let half = image.len() / 2;
                let mut bytes = vec![0; half];
                bytes.extend(image.iter().skip(half));
                bytes
            }
            Self::BrokenStream => {
                // The dummy record of QTASM images, harmless; then not a record's start.
                let mut bytes = vec![0xB6, 0xC3, 0x04, 0x00, 0x00, 0x00, 0xE0, 0x00, 0x00];
                bytes.extend(image.iter().skip(0x20));
                bytes
            }
            Self::CutOff => image.iter().take(0x28).copied().collect(),
            Self::OlderChip => block::older(),
            Self::Corrupted => block::corrupted(),
            Self::Foreign if matches!(model, "at2lp" | "at2") => block::foreign(),
            Self::Foreign if model == "fx2lp" => EZUSB_FOREIGN.to_vec(),
            Self::Foreign => foreign(),
        }
    }
}

/// A firmware of our own making with another product's ids: records that put descriptors into RAM
/// and point the vectors at them.
fn foreign() -> Vec<u8> {
    const PLACE: u16 = 0x0900;
    let device = [18, 1, 0x10, 0x01, 0, 0, 0, 8, 0xF6, 0x0B, 0x02, 0xA0, 0x10, 0x01, 1, 2, 0, 1];
    let configuration = [
        9, 2, 32, 0, 1, 1, 0, 0xC0, 0, 9, 4, 0, 0, 2, 0x08, 0x06, 0x50, 0, 7, 5, 0x01, 2, 64, 0, 0,
        7, 5, 0x82, 2, 64, 0, 0,
    ];
    let mut body = device.to_vec();
    body.extend(configuration);
    let strings = PLACE + body.len() as u16;
    body.extend([4, 3, 0x09, 0x04]);
    for text in ["Addonics", "IDE Bridge"] {
        body.extend([2 + 2 * text.len() as u8, 3]);
        body.extend(text.bytes().flat_map(|byte| [byte, 0]));
    }
    body.extend([0, 0]);
    let mut image = store(PLACE, &body);
    let pointers = [PLACE, PLACE + 18, strings].map(u16::to_le_bytes);
    image.extend(store(0x00B4, pointers.as_flattened()));
    image.extend([0, 0]);
    image
}

/// A record with op 00.
fn store(address: u16, data: &[u8]) -> Vec<u8> {
    let mut record = vec![0xB6, 0xC3];
    record.extend((data.len() as u16 + 2).to_le_bytes());
    record.push(0);
    record.extend(address.to_le_bytes());
    record.extend(data);
    record
}
