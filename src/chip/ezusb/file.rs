//! The files that an image may come in: as the EEPROM holds it, or as a program without a header,
//! which is then given one.

use super::builder;
use super::firmware::{self, Firmware, Kind};
use super::image::{Header, in_memory, read_image};
use super::model;
use crate::chip::{Image, ImageError, Model, dump};

/// Parses and checks an image for `model`. Firmware as Intel HEX or as a flat file is made into
/// one, with the ids its own descriptors tell.
///
/// # Errors
/// [`ImageError`], one kind for each way an image can be wrong.
pub fn read(model: Model, bytes: &[u8]) -> Result<Image, ImageError> {
    let chip = model.title;
    let Some(first) = bytes.first() else { return Err(ImageError::Empty) };
    if bytes.len() > 1 && bytes.iter().all(|byte| byte == first) {
        return Err(ImageError::AllOneByte { byte: *first, length: bytes.len() });
    }
    if let Some(image) = from_dump(model, bytes) {
        return Ok(image);
    }
    match firmware::kind(bytes) {
        Kind::Hex => {
            let firmware = Firmware::from_hex(bytes).map_err(|error| ImageError::Unsuitable {
                part: "the Intel HEX file".to_owned(),
                why: error.to_string(),
            })?;
            from_firmware(model, &firmware)
        }
        Kind::Flat => match Firmware::from_flat(bytes) {
            Some(firmware) => from_firmware(model, &firmware),
            None => {
                Err(ImageError::TooBig { length: bytes.len(), maximum: model::MAX_IMAGE, chip })
            }
        },
        Kind::Image | Kind::Unknown => read_image(model, bytes),
    }
}

/// The image in a text of an EEPROM's contents: a signature of this chip, and behind it what adds
/// up to an image. A program may begin with the same byte, and does not add up.
fn from_dump(model: Model, file: &[u8]) -> Option<Image> {
    let contents = dump::contents(file)?;
    let image = in_memory(model, &contents).ok()?;
    let note = "the file is a text of an EEPROM's contents, not of a program";
    let notes = [vec![note.to_owned()], image.notes].concat();
    Some(Image { notes, ..image })
}

fn from_firmware(model: Model, firmware: &Firmware) -> Result<Image, ImageError> {
    let identity = firmware.identity().ok_or_else(|| ImageError::Unsuitable {
        part: "the firmware".to_owned(),
        why: "it does not contain exactly one device descriptor; give the USB ID with `recover image build`".to_owned(),
    })?;
    let header = Header {
        ids: identity.ids,
        bcd_device: identity.bcd_device.unwrap_or(0),
        configuration: 0,
    };
    builder::with_firmware(model, firmware, header)
}
