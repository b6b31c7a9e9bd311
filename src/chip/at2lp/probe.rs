//! Proves the chip by asking it: the configuration bytes inside it, then the EEPROM through the
//! vendor command. Reads only.

use super::memory::Configured;
use super::recognise::{is_blank_class, is_related_chip, is_running, recognise, signs};
use super::wire::{self, Source};
use super::{AT2LP, image, image::Format};
use crate::chip::{ChipError, Evidence, Finding, Grade, Identity, Memory, MemoryError, Running};
use crate::usb::{Link, Sighting, TransferError};

/// Configuration bytes inside the chip.
const INTERNAL_BYTES: u16 = 16;
/// What the chip reads of its EEPROM: one address byte reaches no further.
const MAX_BYTES: u32 = 256;

pub(super) fn probe(link: &mut dyn Link, seen: &Sighting) -> Result<Finding, ChipError> {
    if is_related_chip(seen) {
        return Err(ChipError::NotProven(
            "this is an ISD-300LP, a relative of the AT2LP with a different EEPROM format"
                .to_owned(),
        ));
    }
    let mut evidence = Vec::new();
    let mut found = |fact: String, grade: Grade| evidence.push(Evidence { fact, grade });
    let internal = read_internal(link)?;
    let signature_byte = internal.get(usize::from(wire::SIGNATURE_BYTE_AT)).copied();
    let signature_byte = signature_byte.filter(|byte| wire::is_safe_signature_byte(*byte));
    let Some(signature_byte) = signature_byte else {
        return Err(ChipError::NotProven(format!(
            "its configuration bytes are {}; byte 4 should be 24, the mark of this chip's vendor commands",
            hex::encode(internal)
        )));
    };
    found(
        format!("READ_CONFIG_DATA brings the configuration bytes {}", hex::encode(&internal)),
        Grade::Documented,
    );
    let at_work = is_running(seen);
    if at_work {
        found("class 08/06/50: the bridge runs with its own image".to_owned(), Grade::Captured);
    } else if is_blank_class(seen) {
        found("class ff/06/50: the chip's manufacturing mode".to_owned(), Grade::Captured);
    }
    for sign in signs(seen) {
        found(sign, Grade::Captured);
    }
    let (first, is_from_eeprom) = eeprom(link, seen, signature_byte)?;
    found(first, Grade::Captured);
    if is_from_eeprom {
        found("it shows the descriptors that its EEPROM holds".to_owned(), Grade::Inferred);
    }
    let running = if at_work || is_from_eeprom { Running::Firmware } else { Running::MaskRom };
    let model = recognise(seen).map_or(AT2LP, |suspicion| suspicion.model);
    Ok(Finding { model, running, evidence })
}

fn read_internal(link: &mut dyn Link) -> Result<Vec<u8>, ChipError> {
    let reply = link.exchange_whole(&wire::read_config(Source::Internal, 0, INTERNAL_BYTES));
    let bytes = match reply {
        Ok(reply) => reply.data,
        Err(TransferError::Stall) => {
            return Err(ChipError::NotProven(
                "it refuses READ_CONFIG_DATA, which every AT2 and AT2LP accepts".to_owned(),
            ));
        }
        Err(error) => return Err(ChipError::during("reading of the configuration bytes")(error)),
    };
    if bytes.len() != usize::from(INTERNAL_BYTES) {
        return Err(ChipError::NotProven(format!(
            "READ_CONFIG_DATA brought {} bytes instead of {INTERNAL_BYTES}",
            bytes.len()
        )));
    }
    Ok(bytes)
}

/// What was read; nothing where the chip says that it cannot. A transfer that was lost tells nothing.
fn told(read: Result<Vec<u8>, MemoryError>) -> Result<Vec<u8>, ChipError> {
    match read {
        Err(MemoryError::Chip(
            lost @ ChipError::Transfer {
                source: TransferError::TimedOut | TransferError::Gone | TransferError::Denied,
                ..
            },
        )) => Err(lost),
        read => Ok(read.unwrap_or_default()),
    }
}

/// What the EEPROM begins with, as evidence; a silent EEPROM is one too. And whether what the
/// device shows is what the EEPROM holds, and not what the chip shows without one: class, strings
/// and revision of its manufacturing mode may be in an image as well.
fn eeprom(
    link: &mut dyn Link,
    seen: &Sighting,
    signature_byte: u8,
) -> Result<(String, bool), ChipError> {
    match Configured::with_signature_byte(link, seen, signature_byte) {
        Ok(mut memory) => {
            let route = memory.route_name();
            let first = told(memory.read(0..2))?;
            let format = Format::of(&first);
            let shows = |held: &Identity| held.differences(&Identity::of(seen)).is_empty();
            let is_shown = format.is_some() && {
                let held = told(memory.read(0..MAX_BYTES))?;
                image::identity_at_start(&held).as_ref().is_some_and(shows)
            };
            let meaning = match format {
                Some(Format::Sk) => ", an AT2LP's signature",
                Some(Format::Mm) => ", an AT2's signature",
                None => ", no signature",
            };
            let begins = hex::encode(first);
            Ok((format!("{route} reads the EEPROM; it begins with {begins}{meaning}"), is_shown))
        }
        Err(ChipError::NoMemory) => Ok(("the EEPROM does not reply to the chip".to_owned(), false)),
        Err(error) => Err(error),
    }
}
