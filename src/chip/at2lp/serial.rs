//! Puts another serial number into a configuration block: out of a healthy twin's block comes its
//! owner's, into the one to be rescued goes its own. Nothing else in the block changes, so the
//! length stays as well; [`super::build`] makes blocks from nothing.

use super::image::{self, Configuration, Format, Text};
use crate::chip::{Built, ImageError, Model};

fn unsuitable(why: impl Into<String>) -> ImageError {
    ImageError::Unsuitable { part: "the serial number".to_owned(), why: why.into() }
}

pub(super) fn replace(
    model: Model,
    bytes: &[u8],
    serial: Option<&str>,
    unique: [u8; 8],
) -> Result<Built, ImageError> {
    image::read(model, bytes)?;
    let format = Format::of(bytes).ok_or(ImageError::Empty)?;
    let mut block = Configuration::decode(format, bytes)?;
    let [_, _, index] = block.string_indexes();
    let offset = usize::from(index) * 2;
    let text = block
        .strings
        .iter_mut()
        .skip(1)
        .find(|text| index != 0 && text.offset == offset)
        .ok_or_else(|| unsuitable("the image has none"))?;
    let length = text.units.len();
    let mut notes = Vec::new();
    let serial = match serial {
        Some(serial) => checked(serial, length)?.to_owned(),
        None => {
            let made = hex::encode_upper(unique).chars().cycle().take(length).collect();
            notes.push(format!(
                "the serial number {made} is new, because the original is not known; a computer may see the enclosure as a new device"
            ));
            made
        }
    };
    *text = Text::new(offset, &serial);
    Ok(Built { bytes: block.encode(), notes })
}

/// A serial number of the model's own length, all of 0-9 and A-F.
fn checked(serial: &str, length: usize) -> Result<&str, ImageError> {
    if !serial.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')) {
        return Err(unsuitable(format!("{serial:?} has other characters than 0-9 and A-F")));
    }
    if serial.len() != length {
        return Err(unsuitable(format!(
            "{serial:?} has {} characters; serial numbers of this model have {length}",
            serial.len()
        )));
    }
    Ok(serial)
}

#[cfg(test)]
mod tests {
    use super::super::image::tests::{REFERENCE, SELF_ATA, bytes, ph_1003};
    use super::super::{AT2, AT2LP};
    use super::*;

    const UNIQUE: [u8; 8] = [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0];

    #[test]
    fn only_the_serial_number_changes_and_its_own_brings_the_image_back() {
        for (model, image, own) in [
            (AT2LP, bytes(SELF_ATA), "0123456789AB"),
            (AT2LP, bytes(REFERENCE), "000008E57162"),
            (AT2, ph_1003(), "DEF107D224E4"),
        ] {
            let other = replace(model, &image, Some("FFFFFFFFFFFF"), UNIQUE).unwrap().bytes;
            let changed = image.iter().zip(&other).filter(|(old, new)| old != new).count();
            assert_eq!((other.len(), changed), (image.len(), 12 - own.matches('F').count()));
            assert_eq!(replace(model, &other, Some(own), UNIQUE).unwrap().bytes, image);
        }
    }

    #[test]
    fn a_serial_number_that_is_not_known_is_made_up_in_the_models_length() {
        let built = replace(AT2LP, &bytes(SELF_ATA), None, UNIQUE).unwrap();
        let identity = image::read(AT2LP, &built.bytes).unwrap().identity.unwrap();
        assert_eq!(identity.serial.as_deref(), Some("123456789ABC"));
        assert!(built.notes[0].contains("123456789ABC is new"), "{:?}", built.notes);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refusal = |image: &[u8], serial| {
            replace(AT2LP, image, Some(serial), UNIQUE).unwrap_err().to_string()
        };
        let image = bytes(SELF_ATA);
        assert!(refusal(&image, "0123456789AB0").contains("have 12"));
        assert!(refusal(&image, "0123456789ab").contains("0-9 and A-F"));
        let mut none = image;
        none[0x20] = 0;
        assert!(refusal(&none, "0123456789AB").contains("has none"));
    }
}
