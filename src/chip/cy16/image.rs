//! Images of this family's EEPROM: a stream of scan records that the mask ROM runs at every start.
//!
//! Judged here is what can be judged from the bytes: that each record is what its opcode consumes,
//! goes where the chip has RAM, and leaves alone what the boot itself runs on. Whether the code in
//! it works is for the pre-flight. Stricter than the BIOS, which takes any word that is no
//! signature for the stream's end. Pure. What records may do is in `rules`.

use std::ops::Range;

use super::model::{self, Map};
use super::record::SIGNATURE;
use super::rules::Rules;
use super::stream::{self, Ending, StreamError, TERMINATOR};
use crate::chip::descriptors::{self, Found};
use crate::chip::{Image, ImageError, Model};

/// What makes the chip boot from its EEPROM: the signature.
pub(super) const BOOT_RANGES: &[Range<u32>] = &[0..2];

/// Parses and checks an image for `model`.
///
/// # Errors
/// [`ImageError`], one kind for each way an image can be wrong.
pub fn read(model: Model, bytes: &[u8]) -> Result<Image, ImageError> {
    let chip = model.title;
    let map = model::map(model);
    let Some(first) = bytes.first() else { return Err(ImageError::Empty) };
    if bytes.len() > 1 && bytes.iter().all(|byte| byte == first) {
        return Err(ImageError::AllOneByte { byte: *first, length: bytes.len() });
    }
    signature(chip, bytes)?;
    if bytes.len() > map.max_image {
        let length = bytes.len();
        return Err(ImageError::TooBig { length, maximum: map.max_image, chip });
    }
    let (records, ending) = stream::decode_stream(bytes).map_err(|error| match error {
        StreamError::Cut { .. } => {
            ImageError::Truncated { part: part_of(&error), length: bytes.len() }
        }
        StreamError::Record { ref source, .. } => {
            ImageError::Unsuitable { part: part_of(&error), why: source.to_string() }
        }
    })?;
    let mut contents = Vec::new();
    let mut rules = Rules::new(chip, map);
    for placed in &records {
        let note = rules.record(&placed.record)?;
        contents.push(format!("{}{note}", placed.record));
    }
    contents.extend(end(chip, map, bytes, ending)?);
    let identity = match descriptors::search(rules.pieces()) {
        Found::Nothing => None,
        Found::One(identity) => Some(identity),
        Found::Several(ids) => {
            let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
            contents.push(format!("device descriptors that differ: {}", ids.join(", ")));
            None
        }
    };
    Ok(Image { identity, contents, ..Image::at_address_zero(bytes.to_vec(), BOOT_RANGES) })
}

/// The image at the start of a memory's contents. Its bytes end with its terminator; what lies
/// behind is left out.
///
/// # Errors
/// As [`read`].
pub fn in_memory(model: Model, contents: &[u8]) -> Result<Image, ImageError> {
    if !is_signed(contents) {
        return read(model, contents);
    }
    let behind = match stream::decode_stream(contents) {
        Ok((_, Ending::Word { after, .. })) => after,
        _ => 0,
    };
    let image = contents.split_at_checked(contents.len().saturating_sub(behind));
    read(model, image.map_or(contents, |(image, _)| image))
}

/// Whether the chip would take `first`, the start of a memory, for a stream of records.
pub fn is_signed(first: &[u8]) -> bool {
    first.starts_with(&SIGNATURE)
}

fn part_of(error: &StreamError) -> String {
    let (StreamError::Cut { at } | StreamError::Record { at, .. }) = error;
    format!("the record at {at:#06x}")
}

/// Holds the first two bytes against this family's signature and those of others.
fn signature(chip: &'static str, bytes: &[u8]) -> Result<(), ImageError> {
    let other = match bytes {
        [0xb6, 0xc3, ..] => return Ok(()),
        [0xb6] => {
            return Err(ImageError::Truncated { part: "the signature".to_owned(), length: 1 });
        }
        [0x53, 0x4b, ..] => "Cypress AT2LP",
        [0x4d, 0x4d, ..] => "Cypress AT2",
        [0x43, 0x59, ..] => "Cypress EZ-USB FX3",
        [0xc0 | 0xc2, ..] => "Cypress EZ-USB FX1, FX2 or FX2LP",
        [0xb4 | 0xb6, ..] => "Cypress EZ-USB FX",
        [0xb0 | 0xb2, ..] => "Cypress EZ-USB AN21xx",
        _ => {
            let start = hex::encode(bytes.iter().copied().take(4).collect::<Vec<_>>());
            let kind = if bytes.starts_with(b":") { " (Intel HEX text)" } else { "" };
            let got = format!("{start}{kind}");
            return Err(ImageError::WrongSignature { chip, expected: "b6 c3", got });
        }
    };
    Err(ImageError::OtherChip { chip, other })
}

/// Judges how the stream ends; the lines are for the image's contents.
fn end(
    chip: &'static str,
    map: &Map,
    bytes: &[u8],
    ending: Ending,
) -> Result<Vec<String>, ImageError> {
    let length = bytes.len();
    match ending {
        Ending::Byte(0) if length < map.max_image => {
            // Found in a real image [ST]; whatever byte follows in the EEPROM, the word that
            // starts with it is no signature.
            Ok(vec!["end: a single 00, enough for the chip".to_owned()])
        }
        Ending::Byte(0) => {
            Err(ImageError::TooBig { length: length + 1, maximum: map.max_image, chip })
        }
        Ending::Byte(_) | Ending::Missing => Err(ImageError::Truncated {
            part: "the stream of records, which ends with 00 00".to_owned(),
            length,
        }),
        Ending::Word { word, after } => {
            let [low, high] = word.to_le_bytes();
            if !matches!([low, high], [0, _] | [0xff, 0xff]) {
                return Err(ImageError::Unsuitable {
                    part: format!("the word {low:02x} {high:02x} at {:#06x}", length - after - 2),
                    why: "neither a record (b6 c3) nor the end (00 00)".to_owned(),
                });
            }
            let mut lines = Vec::new();
            if [low, high] != TERMINATOR {
                lines.push(format!(
                    "end: {low:02x} {high:02x} instead of 00 00, enough for the chip"
                ));
            }
            if after > 0 {
                lines
                    .push(format!("{after} bytes after the end, which the boot ROM does not read"));
            }
            Ok(lines)
        }
    }
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
