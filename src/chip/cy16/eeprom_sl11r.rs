//! The EEPROM behind an SL11R, through the chip's own BIOS: written by op 08 as ScanLogic's tools
//! do (captured), read by a small loader that calls INT 64 (inferred to follow the EZ-OTG's
//! convention). No register and no other service of the chip is used; nothing is published of
//! them. Where the loader does not answer, the memory can be written but not read.

use std::ops::Range;
use std::time::Duration;

use super::arena::{self, Block};
use super::loader::{self, LoaderFailure, ReadRequest, SL11R_READ};
use super::model::{self, INT_SMALL_EEPROM, SL11R};
use super::record::Record;
use super::{ram, wire};
use crate::chip::memory::serial_eeprom::{PartClass, Route};
use crate::chip::memory::{Layout, Sequence};
use crate::chip::{ChipError, Memory, MemoryError, Running};
use crate::clock::Deadline;
use crate::usb::transfer::CONTROL_TIMEOUT;
use crate::usb::{Link, TransferError};

/// One address byte and three block bits [BM 1.7.10].
const CLASS: PartClass = PartClass::ONE;
/// Bytes of one run of the reader: what its buffer in the 3 KB of RAM holds.
const BLOCK: u16 = 256;
/// How often a step of reading is tried.
const ATTEMPTS: u32 = 3;
/// How long one run of the reader may take: 256 reads of up to 0.5 ms, twentyfold.
const RUN_LIMIT: Duration = Duration::from_secs(3);
/// Time between two looks at a status word.
const POLL: Duration = Duration::from_millis(5);
/// The word of the reader's vector.
const VECTOR: u16 = SL11R_READ.vector as u16 * 2;
/// What the word that op 08 is followed by sets the status to, when all of it was decoded.
const WRITTEN: u16 = 0x5afe;

/// What takes the chip back from running IDE firmware, in the established order [EZ, captured]:
/// the ROM's standard request handler, a code pointer of unknown meaning, interrupts from USB
/// only, clock times one.
const TAKE_OVER: [(u16, u16); 4] =
    [(0x00a6, 0xf332), (0x02d2, 0xe8d4), (0xc00e, 0x0020), (0xc006, 0x0000)];

/// The reader as it lies in the chip.
#[derive(Clone, Copy, Debug)]
struct Reader {
    /// Address of its first byte.
    base: u16,
    /// What its vector held before; the BIOS's STALL on the EZ-OTG.
    stock_vector: u16,
}

/// The memory. Reads need [`Self::open`] to have placed the reader.
pub struct Eeprom<'l> {
    link: &'l mut dyn Link,
    reader: Result<Reader, String>,
    write_cycles: u32,
}

impl<'l> Eeprom<'l> {
    /// Places the reader in RAM, after taking the chip back from firmware where that runs.
    ///
    /// # Errors
    /// [`ChipError::Transfer`] when the device is gone or may not be used. A reader that does not
    /// come to lie in RAM is no error here: reading then says why.
    pub fn open(link: &'l mut dyn Link, running: Running) -> Result<Self, ChipError> {
        if running == Running::Firmware {
            for (address, value) in TAKE_OVER {
                let record = wire::poke(address, value);
                ram::send(link, "taking the chip over", &[record], CONTROL_TIMEOUT)?;
            }
        }
        let stock_vector = with_retries(|| ram::read_word(link, VECTOR));
        let reader = stock_vector.and_then(|stock| with_retries(|| place(link, stock)));
        let reader = match reader {
            Ok(reader) => Ok(reader),
            Err(error) => Err(reason(error)?),
        };
        Ok(Self { link, reader, write_cycles: 0 })
    }

    /// Reads at most a block.
    fn block(&mut self, reader: Reader, address: u16, count: u16) -> Result<Vec<u8>, ChipError> {
        let parameters = Record::Copy {
            address: reader.base + loader::PARAMETERS,
            data: ReadRequest { address, count }.encode(),
        };
        let vector = wire::poke(VECTOR, reader.base);
        let link = &mut *self.link;
        ram::send(link, "setting up the reader", &[parameters, vector], CONTROL_TIMEOUT)?;
        let run = [Record::Interrupt { interrupt: SL11R_READ.vector }];
        let sum = ram::send(link, "running the reader", &run, RUN_LIMIT)
            .and_then(|()| answer(link, reader.base));
        // Whatever came of it: outside a run the vector is the BIOS's.
        let stock = wire::poke(VECTOR, reader.stock_vector);
        let restored = ram::send(link, "restoring a vector", &[stock], CONTROL_TIMEOUT);
        let sum = sum?;
        restored?;
        let bytes = ram::read(link, reader.base + SL11R_READ.buffer(), usize::from(count))?;
        let got = bytes.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
        if got != sum {
            return Err(ChipError::Loader(format!(
                "read {count} bytes at {address:#06x} with the sum {sum:04x}; {got:04x} arrived"
            )));
        }
        Ok(bytes)
    }
}

/// Tries again what a disturbed transfer may have spoiled: one that fails for good would leave a
/// memory unread that could have been backed up. A device that is gone is not waited for.
fn with_retries<T>(mut attempt: impl FnMut() -> Result<T, ChipError>) -> Result<T, ChipError> {
    let mut result = attempt();
    for _ in 1..ATTEMPTS {
        match result {
            Err(error) if reason(error.clone()).is_ok() => result = attempt(),
            other => return other,
        }
    }
    result
}

/// Finds the reader where an earlier opening left it, or installs it by op 02 and learns where it
/// lies. Outside a run its vector is `stock_vector`, the BIOS's.
fn place(link: &mut dyn Link, stock_vector: u16) -> Result<Reader, ChipError> {
    let placed = locate(link, stock_vector);
    let stock = wire::poke(VECTOR, stock_vector);
    let restored = ram::send(link, "restoring a vector", &[stock], CONTROL_TIMEOUT);
    let base = placed?;
    restored?;
    Ok(Reader { base, stock_vector })
}

/// The address of the reader in RAM.
fn locate(link: &mut dyn Link, stock_vector: u16) -> Result<u16, ChipError> {
    let code = SL11R_READ.image(SL11R_READ.vector, BLOCK);
    let map = model::map(SL11R);
    let ram_bytes = usize::try_from(map.ram.end).unwrap_or(0);
    if let Some(blocks) = arena::blocks(&ram::read(link, 0, ram_bytes)?) {
        let ours = |block: &&Block| block.is_used && block.length >= code.len();
        for block in blocks.iter().filter(ours) {
            let Ok(base) = u16::try_from(block.address) else { continue };
            if is_reader(&ram::read(link, base, code.len())?, &code) {
                return Ok(base);
            }
        }
        let room = blocks.iter().filter(|block| !block.is_used).map(|block| block.length).max();
        if room.is_none_or(|room| room < code.len()) {
            return Err(ChipError::Loader(format!(
                "does not fit in the chip's RAM: {} bytes, expected {}",
                room.unwrap_or(0),
                code.len()
            )));
        }
    }
    let install = Record::Install { interrupt: SL11R_READ.vector, code: code.clone() };
    ram::send(link, "placing the reader in RAM", &[install], CONTROL_TIMEOUT)?;
    let base = ram::read_word(link, VECTOR)?;
    let start = u32::from(base);
    let end = start.saturating_add(u32::try_from(code.len()).unwrap_or(u32::MAX));
    let free = &map.free;
    if base % 2 != 0 || base == stock_vector || !free.contains(&start) || end > free.end {
        return Err(ChipError::Loader(format!(
            "was placed at {base:04x}, expected an even address in {:04x}..{:04x}",
            free.start, free.end
        )));
    }
    if !is_reader(&ram::read(link, base, code.len())?, &code) {
        return Err(ChipError::Loader(format!("has changed at {base:04x}")));
    }
    Ok(base)
}

/// Whether `held` is the reader's code, whatever its parameters and its buffer hold.
fn is_reader(held: &[u8], code: &[u8]) -> bool {
    let parameters = usize::from(loader::PARAMETERS);
    let end = parameters + usize::from(ReadRequest::ANSWER_BYTES);
    let buffer = usize::from(SL11R_READ.buffer());
    held.get(..parameters) == code.get(..parameters)
        && held.get(end..buffer) == code.get(end..buffer)
}

/// Waits for the end of a run; the sum it answers with.
fn answer(link: &mut dyn Link, base: u16) -> Result<u16, ChipError> {
    wait(link, RUN_LIMIT, |link| {
        let bytes = usize::from(ReadRequest::ANSWER_BYTES);
        let answer = ram::read(link, base + loader::PARAMETERS, bytes)?;
        match ReadRequest::sum(&answer) {
            Ok(sum) => Ok(Ok(sum)),
            // Whether the request ends before the run begins is not documented.
            Err(failure @ (LoaderFailure::NotStarted | LoaderFailure::Running)) => {
                Ok(Err(failure.to_string()))
            }
            Err(failure) => Err(ChipError::Loader(failure.to_string())),
        }
    })
}

/// Waits until op 08 has been followed by its sign.
fn written(link: &mut dyn Link, base: u16, limit: Duration) -> Result<(), ChipError> {
    wait(link, limit, |link| match ram::read_word(link, base + loader::PARAMETERS)? {
        WRITTEN => Ok(Ok(())),
        other => Ok(Err(format!("shows {other:04x} after writing, expected {WRITTEN:04x}"))),
    })
}

/// Looks again and again until there is a result; the text says what was seen instead.
fn wait<T>(
    link: &mut dyn Link,
    limit: Duration,
    mut look: impl FnMut(&mut dyn Link) -> Result<Result<T, String>, ChipError>,
) -> Result<T, ChipError> {
    let clock = link.clock();
    let deadline = Deadline::after(&*clock, limit);
    loop {
        let seen = match look(link) {
            Ok(Ok(result)) => return Ok(result),
            Ok(Err(seen)) => seen,
            // While the chip works it answers no request.
            Err(ChipError::Transfer { source: TransferError::TimedOut, .. }) => {
                "does not answer".to_owned()
            }
            Err(error) => return Err(error),
        };
        if deadline.passed(&*clock) {
            return Err(ChipError::Loader(format!("{seen} after {} s", limit.as_secs())));
        }
        clock.sleep(POLL);
    }
}

/// The reason a memory cannot be read, unless the device itself is out of reach.
fn reason(error: ChipError) -> Result<String, ChipError> {
    match error {
        ChipError::Transfer {
            source: TransferError::Gone | TransferError::Denied | TransferError::Busy,
            ..
        } => Err(error),
        other => Ok(other.to_string()),
    }
}

impl Memory for Eeprom<'_> {
    fn layout(&self) -> Layout {
        let route = Route {
            width: CLASS.width,
            address_limit: CLASS.address_limit,
            smallest: CLASS.smallest,
            // Op 08 writes single bytes; there is no page to choose.
            page: 1,
            pages: &[],
            largest_write: u32::from(BLOCK),
            // As the ROM drives it; inferred.
            bus_hz: 100_000,
            sequence: Sequence::Any,
        };
        route.layout()
    }

    fn read(&mut self, range: Range<u32>) -> Result<Vec<u8>, MemoryError> {
        let reader = self.reader.clone().map_err(MemoryError::Unreadable)?;
        let mut bytes = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let count = (range.end - at).min(u32::from(BLOCK));
            let (address, length) = CLASS.inside(at, count, u32::from(BLOCK))?;
            match with_retries(|| self.block(reader, address, length)) {
                Ok(block) => bytes.extend(block),
                Err(error) => return Err(MemoryError::Unreadable(reason(error)?)),
            }
            at += count;
        }
        Ok(bytes)
    }

    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), MemoryError> {
        let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        if count == 0 {
            return Ok(());
        }
        let (start, _) = CLASS.inside(address, count, CLASS.address_limit)?;
        let feed = wire::feed(INT_SMALL_EEPROM, start, bytes).map_err(ChipError::from)?;
        let limit = wire::feed_limit(bytes.len());
        let doing = format!("writing {count} bytes of EEPROM at {address:#06x}");
        self.write_cycles = self.write_cycles.saturating_add(count);
        let link = &mut *self.link;
        match &self.reader {
            Ok(Reader { base, .. }) => {
                // Whether the request is acknowledged before or after it is carried out is not
                // documented. A second record sets a word of the reader's block, which is ours.
                let status = base + loader::PARAMETERS;
                ram::send(link, &doing, &[wire::poke(status, 0)], CONTROL_TIMEOUT)?;
                ram::send(link, &doing, &[feed, wire::poke(status, WRITTEN)], limit)?;
                written(link, *base, limit)?;
            }
            Err(_) => {
                // No word of RAM is known to be ours, so the longest write cycles are waited out,
                // unless the request itself plainly took as long as writing does.
                let clock = link.clock();
                let before = clock.now();
                ram::send(link, &doing, &[feed], limit)?;
                let took = clock.now().saturating_sub(before);
                if took < Duration::from_millis(1).saturating_mul(count) {
                    let longest = Duration::from_millis(20).saturating_mul(count);
                    clock.sleep(longest.saturating_sub(took));
                }
            }
        }
        Ok(())
    }

    fn write_cycles(&self) -> u32 {
        self.write_cycles
    }
}

#[cfg(test)]
#[path = "eeprom_sl11r_tests.rs"]
mod tests;
