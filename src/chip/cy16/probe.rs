//! Proves the chip by reading its memory through request FF, and by nothing else: no record is
//! sent, and of the registers only C004 is read, once the chip looks like an EZ.
//!
//! What carries the proof: the device answers request FF at all; its ROM reads the same twice and
//! is code, not one byte; the vectors the BIOS sets point into that ROM; and the descriptor it
//! enumerated with lies in the memory that was read. Which chip of the family it is, is decided
//! in `sides`. Read `model` for the maps.

use super::asking::{BLOCK, EZ_ROM, SERVICES, SHARED_ROM, Vectors, ask, uniform};
use super::model::{self, EZ_OTG, SL11R};
use super::sides::{self, Side};
use crate::chip::descriptors::DeviceDescriptor;
use crate::chip::{ChipError, Evidence, Finding, Grade, Running};
use crate::usb::{Link, Sighting};

/// Data pointers to the device descriptor, as interrupt numbers: SIE1 and SIE2 [BM table 1-7]. On
/// the SL11R the first is inferred.
const DEVICE_POINTERS: &[u16] = &[90, 106];
/// Hardware revision register of the EZ chips \[INC\].
const REVISION: u16 = 0xc004;
/// Handlers of standard requests, SIE1 and SIE2 [BM table 1-7]. The SL11R has one SIE.
const REQUEST_HANDLERS: &[(u16, Side)] = &[(83, Side::Sl11r), (83, Side::Ez), (99, Side::Ez)];

/// Proves the chip.
///
/// # Errors
/// [`ChipError::NotProven`] with what was asked, what came and what was expected;
/// [`ChipError::Transfer`] when the device is gone or may not be opened.
pub fn probe(link: &mut dyn Link, seen: &Sighting) -> Result<Finding, ChipError> {
    let mut evidence = Vec::new();
    let vectors = Vectors::read(link)?;
    fact(&mut evidence, Grade::Documented, "request FF reads chip memory".to_owned());
    let running = descriptor(link, seen, &vectors, &mut evidence)?;
    let service = services(&vectors, running, &mut evidence)?;
    rom(link, service, &mut evidence)?;
    let (side, votes) = sides::decide(link, seen, &vectors, running)?;
    evidence.extend(votes);
    let running = match request_handler_in_ram(&vectors, side) {
        Some(interrupt) if running == Running::MaskRom => {
            let text = format!("INT {interrupt}, which answers USB requests, lies in RAM");
            fact(&mut evidence, Grade::Inferred, text);
            Running::Firmware
        }
        _ => running,
    };
    let model = match side {
        Side::Sl11r => {
            // What the EZ's manual says of these findings is carried over to this chip.
            for finding in &mut evidence {
                finding.grade = match finding.grade {
                    Grade::Documented => Grade::Inferred,
                    other => other,
                };
            }
            SL11R
        }
        Side::Ez => {
            let revision = ask(link, "the hardware revision", REVISION, 2)?;
            if let [low, high] = *revision {
                let revision = u16::from_le_bytes([low, high]);
                fact(&mut evidence, Grade::Documented, format!("hardware revision {revision:04x}"));
            }
            let fact_text = "EZ-OTG and EZ-Host reply alike; treated as the smaller one, EZ-OTG";
            fact(&mut evidence, Grade::Inferred, fact_text.to_owned());
            EZ_OTG
        }
    };
    Ok(Finding { model, running, evidence })
}

fn fact(evidence: &mut Vec<Evidence>, grade: Grade, fact: String) {
    evidence.push(Evidence { fact, grade });
}

/// Reads the ROM from one of its services on twice; it must be the same and not one byte
/// throughout.
fn rom(link: &mut dyn Link, service: u16, evidence: &mut Vec<Evidence>) -> Result<(), ChipError> {
    let address = service.min(u16::MAX - (BLOCK - 1));
    let what = format!("the ROM at {address:04x}");
    let block = ask(link, &what, address, BLOCK)?;
    let again = ask(link, &what, address, BLOCK)?;
    if block != again {
        return Err(ChipError::NotProven(format!(
            "read {what} twice: got two different replies, expected the same"
        )));
    }
    if let Some(byte) = uniform(&block) {
        return Err(ChipError::NotProven(format!(
            "read {what}: got {BLOCK} bytes of {byte:02x}, expected code"
        )));
    }
    fact(evidence, Grade::Inferred, format!("{what} holds code and reads the same twice"));
    Ok(())
}

/// Whether a descriptor in chip memory is the one the device enumerated with.
fn is_of(descriptor: &DeviceDescriptor, seen: &Sighting) -> bool {
    (descriptor.ids, descriptor.bcd_device, descriptor.class)
        == (seen.ids, seen.bcd_device, seen.class)
}

/// The request handler that a program has put in the place of the mask ROM's: a program may answer
/// with the very descriptors that lie in the ROM.
fn request_handler_in_ram(vectors: &Vectors, side: Side) -> Option<u16> {
    let in_ram = |interrupt: &u16| is_ram(vectors.pointer(*interrupt));
    let of_side = REQUEST_HANDLERS.iter().filter(|(_, of)| *of == side);
    of_side.map(|(interrupt, _)| *interrupt).find(in_ram)
}

/// Whether firmware may have put something there.
fn is_ram(address: u16) -> bool {
    (model::REGISTER_BANKS.end..model::REGISTERS.start).contains(&u32::from(address))
}

/// Finds the descriptor the device enumerated with, in ROM or in RAM: who answers on USB.
fn descriptor(
    link: &mut dyn Link,
    seen: &Sighting,
    vectors: &Vectors,
    evidence: &mut Vec<Evidence>,
) -> Result<Running, ChipError> {
    const BYTES: u16 = 18;
    let mut got = Vec::new();
    for interrupt in DEVICE_POINTERS {
        let address = vectors.pointer(*interrupt);
        let at = u32::from(address);
        let is_rom = (u32::from(EZ_ROM)..0x1_0000 - u32::from(BYTES)).contains(&at);
        if !is_rom && !is_ram(address) {
            got.push(format!("no place in memory at vector {interrupt} ({address:04x})"));
            continue;
        }
        let bytes = ask(link, "the device descriptor", address, BYTES)?;
        match DeviceDescriptor::decode(&bytes) {
            Some(found) if is_of(&found, seen) => {
                let place = if is_rom { "ROM" } else { "RAM" };
                fact(
                    evidence,
                    Grade::Documented,
                    format!(
                        "vector {interrupt} points at the descriptor of {} in {place} at {address:04x}",
                        seen.ids
                    ),
                );
                return Ok(if is_rom { Running::MaskRom } else { Running::Firmware });
            }
            Some(found) => got.push(format!(
                "the descriptor of {} bcdDevice {:04x} class {} at {address:04x}",
                found.ids, found.bcd_device, found.class
            )),
            None => got.push(format!("{} at {address:04x}", hex::encode(&bytes))),
        }
    }
    if let Some(address) = search_rom(link, seen)? {
        let text = format!("the descriptor of {} lies in the ROM, at {address:04x}", seen.ids);
        fact(evidence, Grade::Inferred, text);
        return Ok(Running::MaskRom);
    }
    Err(ChipError::NotProven(format!(
        "asked for the device descriptor by vectors 90 and 106: got {}, expected that of {} \
         bcdDevice {:04x} class {}",
        got.join(" and "),
        seen.ids,
        seen.bcd_device,
        seen.class
    )))
}

/// The address of the enumerated descriptor in the ROM every chip of the family has. For chips
/// whose pointers lie elsewhere than on the EZ: the SL11R's are not documented.
fn search_rom(link: &mut dyn Link, seen: &Sighting) -> Result<Option<u16>, ChipError> {
    let mut bytes = Vec::new();
    for address in (SHARED_ROM..=u16::MAX).step_by(0x800) {
        bytes.extend(ask(link, "the ROM", address, 0x800)?);
    }
    let place = bytes.windows(DeviceDescriptor::BYTES).position(|window| {
        DeviceDescriptor::decode(window).is_some_and(|descriptor| is_of(&descriptor, seen))
    });
    Ok(place.and_then(|place| u16::try_from(place).ok()?.checked_add(SHARED_ROM)))
}

/// The BIOS's own services must be where a BIOS is; the address of one is returned. Firmware may
/// replace any of them with its own.
fn services(
    vectors: &Vectors,
    running: Running,
    evidence: &mut Vec<Evidence>,
) -> Result<u16, ChipError> {
    let mut in_rom = Vec::new();
    for (interrupt, name) in SERVICES {
        let pointer = vectors.pointer(*interrupt);
        // Stock vectors may be odd: bit 0 is ignored on fetch [ST].
        let is_rom = pointer >= EZ_ROM;
        if running == Running::MaskRom && !is_rom {
            return Err(ChipError::NotProven(format!(
                "asked for the interrupt vectors: got {pointer:04x} for INT {interrupt} ({name}), \
                 expected an address in the ROM"
            )));
        }
        in_rom.extend(is_rom.then_some(pointer));
    }
    let Some(service) = in_rom.first() else {
        return Err(ChipError::NotProven(
            "asked for the interrupt vectors: got none that points into the ROM, expected the \
             BIOS's services there"
                .to_owned(),
        ));
    };
    let text = format!("{} of {} BIOS services lie in the ROM", in_rom.len(), SERVICES.len());
    fact(evidence, Grade::Documented, text);
    Ok(*service)
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
