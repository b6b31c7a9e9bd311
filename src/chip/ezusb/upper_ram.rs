//! FX2 or FX2LP: told by the RAM from 2000 on, which FX2 has not [FX2 TRM 5.5].
//!
//! Reading tells it where the RAM holds more than one byte throughout, as it does after power-on.
//! Else a few bytes are written there, looked for and put back, but only while the 8051 is held in
//! reset: a program that runs under the default ids is not disturbed. Nothing lasting is changed,
//! and RAM is what it was.

use super::asking::{fact, look, uniform};
use super::model::{FX2, FX2LP, Registers};
use super::{ids, wire};
use crate::chip::{ChipError, Evidence, Grade, Model, Running};
use crate::usb::{Link, Sighting, TransferError};

/// RAM of FX2LP that FX2 lacks.
const UPPER_RAM: u16 = 0x2000;
/// Bytes that are written and put back.
const TRIED: u16 = 16;
/// bcdDevice of the FX2LP's own core is this at least (inferred: a comment in fxload; a001 was
/// captured).
const FX2LP_REVISION: u16 = 0xa000;
/// What is read where nothing is (inferred: a bus that nobody drives).
const NOTHING: u8 = 0xff;

/// Tells the two apart. A program that needs the upper RAM is loaded there and read back before
/// anything lasting, so that a wrong guess here fails early. `start` is what was read from 0000.
pub(super) fn tell(
    link: &mut dyn Link,
    seen: &Sighting,
    running: Running,
    start: &[u8],
    evidence: &mut Vec<Evidence>,
) -> Result<Model, ChipError> {
    let block = match look(link, UPPER_RAM)? {
        Ok(block) => block,
        Err(got) => {
            let text = format!("read RAM at 2000: got {got}");
            fact(evidence, Grade::Inferred, text);
            return Ok(FX2);
        }
    };
    let byte = uniform(&block);
    if byte.is_none() && block != start {
        fact(evidence, Grade::Documented, "there is RAM at 2000".to_owned());
        return Ok(FX2LP);
    }
    if running == Running::MaskRom && is_held(link)? {
        return by_writing(link, &block, start, evidence);
    }
    let (model, text) = match byte {
        None => (FX2, "2000 shows the same bytes as 0000".to_owned()),
        Some(byte) => {
            // Only the core shows the silicon's revision; a program shows what it likes, and so
            // does an EEPROM that gives ids.
            let is_default = running == Running::MaskRom && ids::known(seen.ids).is_some();
            let is_smaller =
                if is_default { seen.bcd_device < FX2LP_REVISION } else { byte == NOTHING };
            let text = format!("bytes of {byte:02x} at 2000, bcdDevice {:04x}", seen.bcd_device);
            (if is_smaller { FX2 } else { FX2LP }, text)
        }
    };
    fact(evidence, Grade::Inferred, text);
    Ok(model)
}

/// Whether CPUCS says that the 8051 is held in reset. That it can be read so is inferred; where it
/// cannot, nothing is written.
fn is_held(link: &mut dyn Link) -> Result<bool, ChipError> {
    match link.exchange_whole(&wire::read_ram(Registers::E6.cpucs(), 1)) {
        Ok(reply) => Ok(matches!(*reply.data, [byte] if byte & 1 == 1)),
        Err(TransferError::Gone) => Err(ChipError::Transfer {
            doing: "reading whether the 8051 is held in reset".to_owned(),
            source: TransferError::Gone,
        }),
        Err(_) => Ok(false),
    }
}

/// Holds the 8051, writes the opposite of what is at 2000, looks, and puts back.
fn by_writing(
    link: &mut dyn Link,
    block: &[u8],
    start: &[u8],
    evidence: &mut Vec<Evidence>,
) -> Result<Model, ChipError> {
    let tried = usize::from(TRIED);
    let (old, low) = (block.get(..tried).unwrap_or(block), start.get(..tried).unwrap_or(start));
    let pattern: Vec<u8> = old.iter().map(|byte| !byte).collect();
    let during = || ChipError::during("testing the RAM at 2000");
    link.exchange_whole(&wire::halt(Registers::E6)).map_err(during())?;
    let is_taken = match link.exchange_whole(&wire::write_ram(UPPER_RAM, pattern.clone())) {
        Ok(_) => true,
        Err(TransferError::Stall) => false,
        Err(source) => return Err(during()(source)),
    };
    let now = |link: &mut dyn Link, address| -> Result<Vec<u8>, ChipError> {
        Ok(link.exchange_whole(&wire::read_ram(address, TRIED)).map_err(during())?.data)
    };
    let is_kept = is_taken && now(link, UPPER_RAM)? == pattern;
    let shows_below = now(link, 0)? != low;
    if is_kept {
        link.exchange_whole(&wire::write_ram(UPPER_RAM, old.to_vec())).map_err(during())?;
    }
    if shows_below {
        link.exchange_whole(&wire::write_ram(0, low.to_vec())).map_err(during())?;
    }
    let (model, text) = match (is_kept, shows_below) {
        (true, false) => (FX2LP, "the RAM at 2000 keeps written bytes; its contents were restored"),
        (_, true) => (FX2, "bytes written at 2000 appear at 0000; the contents were restored"),
        (false, false) => (FX2, "the RAM at 2000 does not keep written bytes"),
    };
    fact(evidence, Grade::Documented, text.to_owned());
    Ok(model)
}
