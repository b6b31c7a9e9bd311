//! Proves the chip by reading its RAM through request A0, which the silicon answers whatever its
//! 8051 does [FX2 TRM 3.8; AN21 TRM 5.3]. Reads only, of what every chip of the family has as RAM; `upper_ram` has the exception.
//!
//! Which registers the chip has follows from its default ids or from a high-speed connection; on
//! other devices from the register addresses that the code in RAM loads into the data pointer, and
//! last from which scratch RAM answers. FX2 is told from FX2LP in `upper_ram`.

use super::asking::{BLOCK, fact, look, uniform};
use super::hex::Piece;
use super::model::{self, AN2131, FX2LP, Registers};
use super::{ids, loader, ram, upper_ram, wire};
use crate::chip::descriptors::DeviceDescriptor;
use crate::chip::{ChipError, Evidence, Finding, Grade, Model, Running};
use crate::usb::{Link, Sighting, Speed, TransferError};
use crate::wording::with_article;

/// RAM that every chip of the family has; the smallest has 4 KB.
const SHARED_RAM: usize = 0x1000;
/// Data RAM of FX1, FX2 and FX2LP that AN21xx and FX lack.
const SCRATCH_RAM: u16 = 0xe000;
/// MOV DPTR,#.. of the 8051.
const LOAD_POINTER: u8 = 0x90;
/// What is read where nothing is (inferred: a bus that nobody drives).
const NOTHING: u8 = 0xff;
/// The fewest register addresses in code that are taken for a sign.
const MIN_SIGNS: usize = 4;

/// Proves the chip.
///
/// # Errors
/// [`ChipError::NotProven`] with what was asked, what came and what was expected;
/// [`ChipError::Transfer`] when the device is gone or may not be opened.
pub fn probe(link: &mut dyn Link, seen: &Sighting) -> Result<Finding, ChipError> {
    let mut evidence = Vec::new();
    let start = ask(link, 0)?;
    let inner = ask(link, BLOCK / 2)?;
    overlap(&start, &inner)?;
    fact(&mut evidence, Grade::Documented, "request A0 reads the 8051's RAM".to_owned());
    let mut contents = ram::read(link, 0, SHARED_RAM)?;
    let core = core(seen);
    if let Some(core) = &core {
        further(link, core.model, &mut contents)?;
    }
    let is_firmware = shows(&contents, seen) && !is_loader(&contents, seen);
    let (model, running) = if let Some(core) = core.filter(|_| !is_firmware) {
        fact(&mut evidence, core.grade, core.fact);
        (core.model, Running::MaskRom)
    } else {
        if uniform(&contents).is_some() {
            return Err(ChipError::NotProven(format!(
                "read {SHARED_RAM} bytes of RAM: all bytes are equal, expected code or power-on contents"
            )));
        }
        let registers = registers(link, seen, &contents, &mut evidence)?;
        let model = if registers == Registers::E6 { FX2LP } else { AN2131 };
        (model, Running::Firmware)
    };
    if is_firmware {
        let text = format!("the descriptor of {} lies in RAM", seen.ids);
        fact(&mut evidence, Grade::Inferred, text);
    }
    let model = match model {
        FX2LP => upper_ram::tell(link, seen, running, &start, &mut evidence)?,
        other => other,
    };
    Ok(Finding { model, running, evidence })
}

/// A device that shows what a chip's own core shows.
struct Core {
    model: Model,
    grade: Grade,
    fact: String,
}

/// Whose own core `seen` looks like: by the default ids, or with ids that an EEPROM gave it.
fn core(seen: &Sighting) -> Option<Core> {
    let is_of = |registers| ids::is_default_device(seen, registers);
    if let Some(known) = ids::known(seen.ids) {
        let fact = format!("{} is the default of {}", seen.ids, with_article(known.model.title));
        let is_core = is_of(model::map(known.model).registers);
        return is_core.then_some(Core { model: known.model, grade: known.grade, fact });
    }
    let model = match seen.speed {
        _ if is_of(Registers::E6) => FX2LP,
        Speed::Full if is_of(Registers::Map7F) && seen.interfaces.len() > 1 => AN2131,
        _ => return None,
    };
    let fact = format!("the chip's own core answers as {}, ids that its EEPROM gives", seen.ids);
    Some(Core { model, grade: Grade::Inferred, fact })
}

/// Reads on behind the shared RAM, for a program that keeps its descriptors there. The 8051 starts
/// at 0000, so one byte throughout the shared RAM is no program. RAM that a part does not have is
/// not missed.
fn further(link: &mut dyn Link, model: Model, contents: &mut Vec<u8>) -> Result<(), ChipError> {
    if uniform(contents).is_some() {
        return Ok(());
    }
    let mut at = SHARED_RAM;
    for range in model::map(model).ram {
        let (start, end) = (usize::try_from(range.start), usize::try_from(range.end));
        let (Ok(start), Ok(end)) = (start, end) else { continue };
        at = if start == 0 { at } else { start };
        while at < end {
            let length = (end - at).min(SHARED_RAM);
            let Ok(address) = u16::try_from(at) else { break };
            match ram::read(link, address, length) {
                Ok(bytes) => contents.extend(bytes),
                Err(ChipError::Transfer { source: TransferError::Gone, doing }) => {
                    return Err(ChipError::Transfer { doing, source: TransferError::Gone });
                }
                Err(_) => break,
            }
            at += length;
        }
    }
    Ok(())
}

/// Asks for a block of RAM; every answer but the right number of bytes proves nothing.
fn ask(link: &mut dyn Link, address: u16) -> Result<Vec<u8>, ChipError> {
    let transfer = wire::read_ram(address, BLOCK);
    look(link, address)?.map_err(|got| {
        ChipError::NotProven(format!(
            "read RAM at {address:04x} ({transfer}): got {got}, expected {BLOCK} bytes"
        ))
    })
}

/// Two reads half a block apart must agree where they overlap: the address is one.
fn overlap(start: &[u8], inner: &[u8]) -> Result<(), ChipError> {
    let half = usize::from(BLOCK / 2);
    if start.get(half..) == inner.get(..half) {
        return Ok(());
    }
    Err(ChipError::NotProven(
        "read RAM at 0000 and at 0020: the replies differ where they overlap".to_owned(),
    ))
}

/// Whether the descriptor the device enumerated with lies in what was read.
fn shows(contents: &[u8], seen: &Sighting) -> bool {
    contents.windows(DeviceDescriptor::BYTES).any(|window| {
        DeviceDescriptor::decode(window)
            .is_some_and(|found| (found.ids, found.bcd_device) == (seen.ids, seen.bcd_device))
    })
}

/// Whether RAM holds our own loader, which an earlier run left there under the device's ids: it is no
/// firmware of the device's.
fn is_loader(contents: &[u8], seen: &Sighting) -> bool {
    let lies_there = |piece: &Piece| {
        let start = usize::from(piece.address);
        contents.get(start..start + piece.data.len()) == Some(piece.data.as_slice())
    };
    let is_in_ram = |registers| {
        loader::program(registers, seen).is_ok_and(|pieces| pieces.iter().all(lies_there))
    };
    [Registers::E6, Registers::Map7F].into_iter().any(is_in_ram)
}

/// Which registers a device has whose ids tell nothing.
fn registers(
    link: &mut dyn Link,
    seen: &Sighting,
    contents: &[u8],
    evidence: &mut Vec<Evidence>,
) -> Result<Registers, ChipError> {
    if seen.speed == Speed::High {
        fact(evidence, Grade::Documented, "only FX2 and FX2LP run at high speed".to_owned());
        return Ok(Registers::E6);
    }
    let loads = |high: u8| {
        contents.windows(2).filter(|window| *window == [LOAD_POINTER, high].as_slice()).count()
    };
    let (e6, map_7f) = (loads(0xe6), loads(0x7f));
    let text =
        format!("the code in RAM names registers at E6xx {e6} times, at 7Fxx {map_7f} times");
    if e6 >= MIN_SIGNS && e6 > map_7f.saturating_mul(2) {
        fact(evidence, Grade::Inferred, text);
        return Ok(Registers::E6);
    }
    if map_7f >= MIN_SIGNS && map_7f > e6.saturating_mul(2) {
        fact(evidence, Grade::Inferred, text);
        return Ok(Registers::Map7F);
    }
    match look(link, SCRATCH_RAM)? {
        Ok(block) => match uniform(&block) {
            None => {
                fact(evidence, Grade::Inferred, "there is RAM at E000".to_owned());
                Ok(Registers::E6)
            }
            Some(NOTHING) => {
                fact(evidence, Grade::Inferred, "there is nothing at E000".to_owned());
                Ok(Registers::Map7F)
            }
            Some(byte) => Err(ChipError::NotProven(format!(
                "read RAM at {SCRATCH_RAM:04x}: got {BLOCK} bytes of {byte:02x}, expected contents or a STALL; the register map is not known"
            ))),
        },
        Err(got) => {
            fact(evidence, Grade::Inferred, format!("read RAM at E000: got {got}"));
            Ok(Registers::Map7F)
        }
    }
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
