//! Images of this family's EEPROM: ids alone (C0, B0, B4), or ids and firmware (C2, B2, B6) that
//! the boot ROM copies to RAM at every start.
//!
//! Judged here is what can be judged from the bytes. Whether the firmware works is for the
//! pre-flight and the trial from RAM. Pure. The record format is in `record`.

use std::ops::Range;

use super::ids;
use super::model::{self, Map, Registers};
use super::record::{self, Record, StreamError};
use crate::chip::descriptors::{self, Found};
use crate::chip::{Identity, Image, ImageError, Model};
use crate::usb::{ClassCode, Ids};

/// What makes the chip boot from its EEPROM: the first byte.
pub(super) const BOOT_RANGES: &[Range<u32>] = &[0..1];

/// Bits of the configuration byte of C0 and C2 [FX2 TRM 3.4.4].
pub mod configuration {
    /// The chip stays off the bus until the firmware connects it.
    pub const DISCONNECTED: u8 = 0x40;
    /// The rest of the EEPROM is read at 400 kHz.
    pub const FAST: u8 = 0x01;
}

/// The ids in an image's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// idVendor and idProduct.
    pub ids: Ids,
    /// bcdDevice.
    pub bcd_device: u16,
    /// The configuration byte; 0 where the chip has none.
    pub configuration: u8,
}

impl Header {
    /// Reads the header of an image for a chip with that map.
    pub fn decode(map: &Map, bytes: &[u8]) -> Option<Self> {
        let [_, vendor_low, vendor_high, product_low, product_high, device_low, device_high] =
            *bytes.first_chunk()?;
        let configuration = match map.configuration {
            Some(_) => *bytes.get(7)?,
            None => 0,
        };
        Some(Self {
            ids: Ids::new(
                u16::from_le_bytes([vendor_low, vendor_high]),
                u16::from_le_bytes([product_low, product_high]),
            ),
            bcd_device: u16::from_le_bytes([device_low, device_high]),
            configuration,
        })
    }
}

/// Parses and checks what an EEPROM is to hold.
pub(super) fn read_image(model: Model, bytes: &[u8]) -> Result<Image, ImageError> {
    let chip = model.title;
    let map = model::map(model);
    let is_load = signature(model, map, bytes)?;
    let length = bytes.len();
    if length > model::MAX_IMAGE {
        return Err(ImageError::TooBig { length, maximum: model::MAX_IMAGE, chip });
    }
    let cut = |part: &str| ImageError::Truncated { part: part.to_owned(), length };
    let header_bytes = if is_load { map.header } else { map.id_bytes };
    // FX reads the eighth byte of B4; that the ninth is reserved too is taken from B6 (inferred).
    let minimum = if is_load { header_bytes } else { header_bytes.min(8) };
    if length < minimum {
        return Err(cut("the ids"));
    }
    let header = Header::decode(map, bytes).ok_or_else(|| cut("the ids"))?;
    let mut notes: Vec<String> = check_ids(header.ids, is_load)?.into_iter().collect();
    let mut contents = vec![describe(map, header, is_load)];
    let mut assumptions = Vec::new();
    let identity = if is_load {
        let (records, end) = record::decode(bytes, map.header).map_err(|error| match error {
            StreamError::Cut(at) => cut(&format!("the record at {at:#06x}")),
            StreamError::Length { at, word } => ImageError::Unsuitable {
                part: format!("the record at {at:#06x}"),
                why: format!("its length {word:04x} has undefined bits"),
            },
        })?;
        assumptions = check_records(chip, map, &records)?;
        contents.extend(records.iter().map(|record| {
            let (address, count) = (record.address, record.data.len());
            if record.is_last {
                format!("the 8051 is started by {address:04x} = 00")
            } else {
                format!("{count} bytes to {address:04x}")
            }
        }));
        note_rest(length, end, &mut contents);
        firmware_identity(&records, &mut contents)
    } else {
        note_rest(length, header_bytes.min(length), &mut contents);
        if with_fitting_signature(model, bytes).is_some() {
            notes.push(hidden_program(map));
        }
        Some(Identity {
            ids: header.ids,
            bcd_device: Some(header.bcd_device),
            // The chip's own core stays the device [FX2 TRM 3.3].
            interface_class: Some(ClassCode::new(0xff, 0xff, 0xff)),
            manufacturer: None,
            product: None,
            serial: None,
        })
    };
    let image = Image::at_address_zero(bytes.to_vec(), BOOT_RANGES);
    Ok(Image { identity, contents, notes, assumptions, ..image })
}

fn hidden_program(map: &Map) -> String {
    format!(
        "behind the ids lies a whole program, which the first byte {:02x} keeps from being loaded; \
         {:02x} would load it",
        map.id_only, map.load
    )
}

/// The contents with the first byte of the other kind of image, where that fits what is behind it:
/// a whole program behind ids, or nothing at all where a program should be.
pub(super) fn with_fitting_signature(model: Model, contents: &[u8]) -> Option<Vec<u8>> {
    let map = model::map(model);
    let (first, rest) = contents.split_first()?;
    let other = match *first {
        byte if byte == map.id_only => map.load,
        byte if byte == map.load => map.id_only,
        _ => return None,
    };
    let is_fitting = if other == map.load {
        let (records, _) = record::decode(contents, map.header).ok()?;
        check_records(model.title, map, &records).is_ok()
    } else {
        let header = Header::decode(map, contents)?;
        let behind = contents.get(map.id_bytes..).unwrap_or_default();
        check_ids(header.ids, false).is_ok() && behind.iter().all(|byte| *byte == 0xff)
    };
    is_fitting.then(|| [&[other], rest].concat())
}

fn describe(map: &Map, header: Header, is_load: bool) -> String {
    let what =
        if is_load { "ids (used only while the firmware does not renumerate)" } else { "ids" };
    let mut text = format!("{what} {} bcdDevice {:04x}", header.ids, header.bcd_device);
    if let Some(known) = map.configuration {
        text.push_str(&format!(", configuration {:02x}", header.configuration));
        if header.configuration & !known != 0 {
            text.push_str(" (with undefined bits)");
        }
    }
    text
}

fn note_rest(length: usize, end: usize, contents: &mut Vec<String>) {
    if length > end {
        contents.push(format!(
            "{} bytes after the end, which the boot ROM does not read",
            length - end
        ));
    }
}

/// Holds the first byte against this chip's signatures and those of others; true for firmware.
fn signature(model: Model, map: &Map, bytes: &[u8]) -> Result<bool, ImageError> {
    let chip = model.title;
    let other = match bytes {
        // An FX image whose vendor id ends in c3 begins so, too; its records tell.
        [0xb6, 0xc3, ..] if map.load != 0xb6 || record::decode(bytes, map.header).is_err() => {
            "Cypress EZ-OTG, EZ-Host or ScanLogic SL11R"
        }
        [first, ..] if *first == map.load => return Ok(true),
        [first, ..] if *first == map.id_only => return Ok(false),
        [0xc0 | 0xc2, ..] => Registers::E6.chips(),
        [0xb4 | 0xb6, ..] => "Cypress EZ-USB FX",
        [0xb0 | 0xb2, ..] => "Cypress EZ-USB AN21xx",
        [0x53, 0x4b, ..] => "Cypress AT2LP",
        [0x4d, 0x4d, ..] => "Cypress AT2",
        [0x43, 0x59, ..] => "Cypress EZ-USB FX3",
        _ => {
            let got = hex::encode(bytes.get(..4).unwrap_or(bytes));
            return Err(ImageError::WrongSignature { chip, expected: map.signature, got });
        }
    };
    Err(ImageError::OtherChip { chip, other })
}

/// Why ids of nobody are refused.
pub(super) const NOT_ASSIGNED: &str =
    "0000 and ffff are not assigned; they come from a blank EEPROM";

/// Whether ids belong to nobody.
pub(super) fn are_not_assigned(pair: Ids) -> bool {
    [pair.vendor, pair.product].iter().any(|id| matches!(id, 0 | 0xffff))
}

/// Judges the ids of a header; what its owner should know of them where they are taken.
fn check_ids(pair: Ids, is_load: bool) -> Result<Option<String>, ImageError> {
    let bad = |why: String| ImageError::Unsuitable { part: format!("the ids {pair}"), why };
    if are_not_assigned(pair) && is_load {
        // Firmware that renumerates shows its own [FX2 TRM 3.4.3].
        return Ok(Some(format!(
            "the header's IDs {pair} are not assigned; the chip shows them only if the firmware does not \
             renumerate"
        )));
    }
    if are_not_assigned(pair) {
        return Err(bad(NOT_ASSIGNED.to_owned()));
    }
    match ids::known(pair) {
        // Firmware shows its own ids, whatever the header says.
        Some(known) if !is_load => Err(bad(format!(
            "they are the boot-mode IDs of {}, so the device would stay in boot mode",
            crate::wording::with_article(known.name)
        ))),
        _ => Ok(None),
    }
}

/// Judges the records; what they need of the board beside the chip.
fn check_records(
    chip: &'static str,
    map: &Map,
    records: &[Record],
) -> Result<Vec<String>, ImageError> {
    let mut assumptions = Vec::new();
    let Some((last, body)) = records.split_last() else {
        return Err(ImageError::Unsuitable {
            part: "the image".to_owned(),
            why: "it has no record".to_owned(),
        });
    };
    check_last(chip, map, last)?;
    let part = |record: &Record| {
        format!("the record of {} bytes for {:04x}", record.data.len(), record.address)
    };
    let unsuitable = |record: &Record, why: &str| ImageError::Unsuitable {
        part: part(record),
        why: why.to_owned(),
    };
    let mut filled: Vec<std::ops::Range<u32>> = Vec::new();
    for record in body {
        if record.data.is_empty() {
            return Err(unsuitable(record, "it has no data"));
        }
        let range = record.range();
        if let Some(outside) = map.on_board(&range) {
            assumptions.push(format!(
                "a record goes to {:04x}..{:04x}, outside the RAM that every {chip} has; the board \
                 must have memory there",
                outside.start, outside.end
            ));
        } else if !map.holds(&range) {
            let (start, end) = (range.start, range.end);
            return Err(ImageError::OutsideRam { part: part(record), start, end, chip });
        }
        filled.push(range);
    }
    filled.sort_by_key(|range| range.start);
    let pairs = filled.iter().zip(filled.iter().skip(1));
    if let Some((_, second)) = pairs.into_iter().find(|(first, second)| second.start < first.end) {
        return Err(ImageError::Unsuitable {
            part: format!("the record for {:04x}", second.start),
            why: "it overlaps another".to_owned(),
        });
    }
    if filled.first().is_none_or(|range| range.start != 0) {
        return Err(ImageError::Unsuitable {
            part: "the image".to_owned(),
            why: "no record fills 0000, where the 8051 starts".to_owned(),
        });
    }
    Ok(assumptions)
}

/// The last record must start the 8051, with this chip's CPUCS.
fn check_last(chip: &'static str, map: &Map, last: &Record) -> Result<(), ImageError> {
    let other = match map.registers {
        Registers::E6 => Registers::Map7F,
        Registers::Map7F => Registers::E6,
    };
    if last.address == other.cpucs() {
        return Err(ImageError::OtherChip { chip, other: other.chips() });
    }
    if last.address != map.registers.cpucs() || last.data != [0] {
        let shown = last.data.get(..4).unwrap_or(&last.data);
        return Err(ImageError::Unsuitable {
            part: "the last record".to_owned(),
            why: format!(
                "got {} for {:04x}, expected 00 for {:04x}, which starts the 8051",
                hex::encode(shown),
                last.address,
                map.registers.cpucs()
            ),
        });
    }
    Ok(())
}

fn firmware_identity(records: &[Record], contents: &mut Vec<String>) -> Option<Identity> {
    match descriptors::search(&loaded(records)) {
        Found::Nothing => None,
        Found::One(identity) => Some(identity),
        Found::Several(ids) => {
            let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
            contents.push(format!("device descriptors that differ: {}", ids.join(", ")));
            None
        }
    }
}

/// What the records put into RAM, neighbours joined.
fn loaded(records: &[Record]) -> Vec<Vec<u8>> {
    let mut sorted: Vec<&Record> = records.iter().filter(|record| !record.is_last).collect();
    sorted.sort_by_key(|record| record.address);
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let mut grows_at = None;
    for record in sorted {
        match pieces.last_mut() {
            Some(piece) if grows_at == Some(record.range().start) => piece.extend(&record.data),
            _ => pieces.push(record.data.clone()),
        }
        grows_at = Some(record.range().end);
    }
    pieces
}

/// Whether the boot ROM takes what begins with `first` for its own.
pub fn boots_from(model: Model, first: &[u8]) -> bool {
    let map = model::map(model);
    match first {
        [byte, ..] => *byte == map.load || *byte == map.id_only,
        [] => false,
    }
}

/// The image at the start of a memory's contents.
///
/// # Errors
/// As [`super::file::read`].
pub fn in_memory(model: Model, contents: &[u8]) -> Result<Image, ImageError> {
    let map = model::map(model);
    let end = match contents.first() {
        Some(first) if *first == map.id_only => map.id_bytes,
        Some(first) if *first == map.load => match record::decode(contents, map.header) {
            Ok((_, end)) => end,
            Err(_) => contents.len().min(model::MAX_IMAGE),
        },
        _ => contents.len().min(model::MAX_IMAGE),
    };
    read_image(model, contents.get(..end).unwrap_or(contents))
}
