//! Makes images: of ids alone, and of firmware with ids in front.
//!
//! What is made is read again by `image` before it is handed out, so nothing leaves here that
//! would be refused there.

use super::firmware::Firmware;
use super::image::{self, Header};
use super::model::{self, Map};
use super::record;
use crate::chip::{Image, ImageError, Model};

fn header(map: &Map, signature: u8, header: Header) -> Vec<u8> {
    let mut bytes = vec![signature];
    for word in [header.ids.vendor, header.ids.product, header.bcd_device] {
        bytes.extend(word.to_le_bytes());
    }
    if map.configuration.is_some() {
        bytes.push(header.configuration);
    }
    bytes
}

/// An image that gives the chip ids and leaves its own core the device.
///
/// # Errors
/// [`ImageError::Unsuitable`] for ids that cannot be meant.
pub fn ids_only(model: Model, ids: Header) -> Result<Image, ImageError> {
    let map = model::map(model);
    let mut bytes = header(map, map.id_only, ids);
    bytes.resize(map.id_bytes, 0);
    image::read_image(model, &bytes)
}

/// An image that loads `firmware` at every start.
///
/// # Errors
/// [`ImageError`] when the firmware does not fit the chip or the ids cannot be meant.
pub fn with_firmware(model: Model, firmware: &Firmware, ids: Header) -> Result<Image, ImageError> {
    let map = model::map(model);
    let mut bytes = header(map, map.load, ids);
    bytes.resize(map.header, 0);
    for piece in &firmware.pieces {
        bytes.extend(record::encode(piece.address, &piece.data));
    }
    bytes.extend(record::start(map.registers.cpucs()));
    let image = image::read_image(model, &bytes)?;
    let notes = [firmware.notes.clone(), image.notes].concat();
    Ok(Image { notes, ..image })
}
