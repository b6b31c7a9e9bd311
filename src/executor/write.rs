//! Writes to an open memory and sees that they were kept.
//!
//! A dead part is told from bad data [design R6]: nothing kept anywhere is a write protection, the
//! same byte wrong after every repetition is a dead cell, and each stops the rescue with its own
//! error.

use std::ops::Range;

use super::event::Event;
use super::session::Session;
use crate::chip::{ChipError, Memory, MemoryError};
use crate::rescue::order::{Alias, PartProof};
use crate::rescue::{Code, DeviceState, Failure, Run, Survey};
use crate::usb::TransferError;

/// How often something that may have been disturbed is done.
pub(super) const ATTEMPTS: u32 = 3;

/// Bytes between two runs that cost less to read than a reading of their own.
const NEAR: u32 = 64;

/// Most bytes of one reading.
const READING: u32 = 1024;

/// Does something again when a transfer was lost; not when the device is gone, and not when the
/// answer would be the same.
pub(super) fn persevere<T>(
    mut action: impl FnMut() -> Result<T, MemoryError>,
) -> Result<T, MemoryError> {
    let mut attempt = 1;
    loop {
        match action() {
            Err(error) if is_passing(&error) && attempt < ATTEMPTS => {
                log::info!("{error}; attempt {attempt} of {ATTEMPTS}");
                attempt += 1;
            }
            result => return result,
        }
    }
}

/// Reads all of a range. Fewer bytes than asked for are a disturbed answer, not a shorter memory,
/// and must not pass for bytes that are as expected.
pub(super) fn read_all(memory: &mut dyn Memory, range: Range<u32>) -> Result<Vec<u8>, MemoryError> {
    persevere(|| {
        let bytes = memory.read(range.clone())?;
        if bytes.len() == range.len() {
            return Ok(bytes);
        }
        let (got, wanted) = (bytes.len(), range.len());
        let what = format!("brought {got} of {wanted} bytes at {:#06x}", range.start);
        Err(ChipError::Loader(what).into())
    })
}

/// Whether an error may be a passing disturbance: a transfer that was lost while the device is
/// still there, or bytes that were damaged on the way.
pub(super) fn is_passing(error: &MemoryError) -> bool {
    match error {
        MemoryError::Chip(ChipError::Transfer { source, .. }) => {
            !matches!(source, TransferError::Gone | TransferError::Denied | TransferError::Busy)
        }
        MemoryError::Chip(ChipError::Loader(_)) => true,
        _ => false,
    }
}

/// The first address at which two stretches from `start` on differ, with both bytes.
fn first_difference(start: u32, expected: &[u8], got: &[u8]) -> Option<(u32, u8, u8)> {
    let at = expected.iter().zip(got).position(|(expected, got)| expected != got)?;
    let address = start.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
    Some((address, *expected.get(at)?, *got.get(at)?))
}

/// Runs in address order, those together that are cheaper read in one go.
fn in_readings(runs: &[Run]) -> Vec<Vec<&Run>> {
    let mut sorted: Vec<&Run> = runs.iter().collect();
    sorted.sort_by_key(|run| run.address);
    let mut readings: Vec<Vec<&Run>> = Vec::new();
    for run in sorted {
        match readings.last_mut() {
            Some(near)
                if near
                    .last()
                    .is_some_and(|last| run.address.saturating_sub(last.range().end) <= NEAR)
                    && near.first().is_some_and(|first| {
                        run.range().end.saturating_sub(first.address) <= READING
                    }) =>
            {
                near.push(run);
            }
            _ => readings.push(vec![run]),
        }
    }
    readings
}

/// What the memory held before in a run's place.
fn before<'s>(survey: &'s Survey, run: &Run) -> Option<&'s [u8]> {
    let range = run.range();
    let start = usize::try_from(range.start).ok()?;
    survey.contents.as_deref()?.get(start..start.checked_add(run.bytes.len())?)
}

impl Session<'_> {
    /// Before anything lasting: sees that the memory is still what the plan was made for.
    pub(super) fn is_as_read(
        &mut self,
        memory: &mut dyn Memory,
        survey: &Survey,
    ) -> Result<(), Failure> {
        let place = "last look at the EEPROM before writing";
        let Some(start) = survey.contents.as_deref().and_then(|old| old.get(..64)) else {
            return Ok(());
        };
        let run = Run { address: 0, bytes: start.to_vec() };
        if self.read_run(memory, &run, place)? == start {
            return Ok(());
        }
        let what = "its first bytes are not what they were when the plan was made";
        Err(Failure::new(Code::R116, what, place).leaving(self.state).next(format!(
            "take its power away, plug it in again and run `{}`",
            self.tools.commands.again
        )))
    }

    /// Writes a run; whether it is known to have been kept. A mismatch that the memory itself
    /// noticed is left to [`Self::verify_run`].
    pub(super) fn write_run(
        &mut self,
        memory: &mut dyn Memory,
        run: &Run,
        place: &str,
    ) -> Result<bool, Failure> {
        match persevere(|| memory.write(run.address, &run.bytes)) {
            Err(MemoryError::NotKept { address, expected, got }) => {
                log::info!("{address:#06x} holds {got:02x}, {expected:02x} was written");
                Ok(false)
            }
            Ok(()) => Ok(memory.geometry().reads_back),
            Err(error) => Err(self.memory_failure(error, place)),
        }
    }

    /// Writes a run and sees that it was kept.
    pub(super) fn write_and_verify(
        &mut self,
        memory: &mut dyn Memory,
        survey: &Survey,
        run: &Run,
        place: &str,
    ) -> Result<(), Failure> {
        if self.write_run(memory, run, place)? {
            return Ok(());
        }
        self.verify_run(memory, survey, run, place)
    }

    /// Reads everything that was written, near runs in one reading; what differs is looked after
    /// by [`Self::verify_run`].
    pub(super) fn verify(
        &mut self,
        memory: &mut dyn Memory,
        survey: &Survey,
        runs: &[Run],
        place: &str,
    ) -> Result<(), Failure> {
        let total = runs.iter().map(|run| run.bytes.len() as u64).sum();
        let mut done = 0;
        for near in in_readings(runs) {
            let (Some(first), Some(last)) = (near.first(), near.last()) else { continue };
            let range = first.range().start..last.range().end;
            let got = match read_all(memory, range.clone()) {
                Err(MemoryError::Unreadable(why)) if survey.contents.is_none() => {
                    self.note(format!(
                        "what was written was not read back: {why}. The restart has to confirm it"
                    ));
                    return Ok(());
                }
                result => result.map_err(|error| self.memory_failure(error, place))?,
            };
            for run in near {
                let offset = usize::try_from(run.address - range.start).unwrap_or(usize::MAX);
                let there = got.get(offset..offset.saturating_add(run.bytes.len()));
                if there != Some(run.bytes.as_slice()) {
                    self.write_run(memory, run, place)?;
                    self.verify_run(memory, survey, run, place)?;
                }
                done += run.bytes.len() as u64;
                self.progress("verify", done, total);
            }
        }
        Ok(())
    }

    /// Reads a run back; writes it again, a bounded number of times, when it was not kept.
    ///
    /// # Errors
    /// R106 when nothing of it was kept, R108 when the same byte fails every time, R107 otherwise.
    pub(super) fn verify_run(
        &mut self,
        memory: &mut dyn Memory,
        survey: &Survey,
        run: &Run,
        place: &str,
    ) -> Result<(), Failure> {
        let mut wrong = Vec::new();
        for attempt in 1..=ATTEMPTS {
            let got = match read_all(memory, run.range()) {
                Err(MemoryError::Unreadable(why)) if survey.contents.is_none() => {
                    log::info!("not read back: {why}");
                    return Ok(());
                }
                result => result.map_err(|error| self.memory_failure(error, place))?,
            };
            let Some(difference) = first_difference(run.address, &run.bytes, &got) else {
                return Ok(());
            };
            wrong.push(difference);
            let untouched = before(survey, run).is_some_and(|before| before == got);
            if attempt == ATTEMPTS {
                return Err(self.not_kept(&wrong, untouched, place));
            }
            self.write_run(memory, run, place)?;
        }
        Ok(())
    }

    fn not_kept(&self, wrong: &[(u32, u8, u8)], untouched: bool, place: &str) -> Failure {
        let (address, expected, got) = wrong.last().copied().unwrap_or_default();
        let same_byte = wrong.iter().all(|(other, ..)| *other == address);
        let place = match &self.outcome.port {
            Some(port) => format!("{place}, EEPROM {address:#06x}, port {port}"),
            None => format!("{place}, EEPROM {address:#06x}"),
        };
        if untouched {
            let what = format!(
                "nothing that was written was kept, in {ATTEMPTS} attempts; {address:#06x} still holds {got:02x}"
            );
            return Failure::new(Code::R106, what, place)
                .leaving(self.state)
                .next("look for a write-protect strap: pin 7 (WP) of the 8-pin EEPROM must be at ground while it is written")
                .next("if it is, the part is dead, missing or forgets what is written: check its supply and joints, or replace it, and run the same command");
        }
        let what = format!(
            "{address:#06x} holds {got:02x} after {expected:02x} was written {ATTEMPTS} times"
        );
        let code = if same_byte { Code::R108 } else { Code::R107 };
        Failure::new(code, what, place)
            .leaving(self.state)
            .next("the EEPROM is failing: replace it with the same type (it may be empty) and run the same command")
            .next(match &self.outcome.backup {
                Some(backup) => format!("its old contents are kept: backup {backup}"),
                None => "no backup could be made, because it could not be read".to_owned(),
            })
    }

    /// Writes one unit with the planned page; looks for it where a smaller part would show it, and
    /// whether smaller pages have wrapped it.
    pub(super) fn prove_part(
        &mut self,
        memory: &mut dyn Memory,
        survey: &Survey,
        proof: &PartProof,
        place: &str,
    ) -> Result<(), Failure> {
        memory.settle(survey.part_bytes);
        let kept = self.write_run(memory, &proof.run, place)?;
        for alias in &proof.aliases {
            let there = Run { address: alias.address, bytes: proof.run.bytes.clone() };
            let got = self.read_run(memory, &there, place)?;
            let old = before(survey, &there).unwrap_or_default();
            if old != got {
                let old = Run { address: alias.address, bytes: old.to_vec() };
                return Err(self.too_small(memory, proof, *alias, &old, place)?);
            }
        }
        if kept {
            return Ok(());
        }
        let got = self.read_run(memory, &proof.run, place)?;
        if got != proof.run.bytes && before(survey, &proof.run).is_some_and(|before| before != got)
        {
            // Something was kept, but not in its place: the part's pages are smaller.
            memory.settle(memory.geometry().smallest);
            self.note(format!(
                "a page of {} bytes was not kept whole, so smaller pages are written",
                survey.geometry.page
            ));
            self.write_run(memory, &proof.run, place)?;
        }
        self.verify_run(memory, survey, &proof.run, place)
    }

    /// Puts back what a write beyond the part's end has hit, and says how large the part is.
    fn too_small(
        &mut self,
        memory: &mut dyn Memory,
        proof: &PartProof,
        alias: Alias,
        old: &Run,
        place: &str,
    ) -> Result<Failure, Failure> {
        self.write_run(memory, old, place)?;
        if self.read_run(memory, old, place)? == old.bytes {
            // The memory is what it was.
            self.state = DeviceState::RunningFromRam;
        }
        let what = format!(
            "it holds {} bytes: a write at {:#06x} showed up at {:#06x}",
            alias.size, proof.run.address, alias.address
        );
        Ok(Failure::new(Code::R105, what, place)
            .leaving(self.state)
            .next("check that the image is for this very enclosure model; another revision may have a larger EEPROM")
            .next("or fit a larger EEPROM of the same kind and run the same command"))
    }

    fn read_run(
        &self,
        memory: &mut dyn Memory,
        run: &Run,
        place: &str,
    ) -> Result<Vec<u8>, Failure> {
        read_all(memory, run.range()).map_err(|error| self.memory_failure(error, place))
    }

    /// Whether every byte that the plan would change is what it was before.
    pub(super) fn is_unchanged(
        &self,
        memory: &mut dyn Memory,
        survey: &Survey,
        runs: &[Run],
    ) -> bool {
        runs.iter().all(|run| {
            let before = before(survey, run);
            before.is_some() && read_all(memory, run.range()).ok().as_deref() == before
        })
    }

    pub(super) fn progress(&mut self, work: &'static str, done: u64, total: u64) {
        self.emit(&Event::Progress { work, done, total });
    }
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
