//! The one place that writes to a memory, and sees that it was kept.
//!
//! A dead part is told from bad data [design R6]: nothing kept anywhere is a write protection, the
//! same byte wrong after every repetition is a dead cell, and each stops the rescue with its own
//! error.

use std::ops::Range;

use super::permission::Permission;
use super::prove::Proven;
use super::run::Run;
use super::waits::{ATTEMPTS, read_all, retry};
use crate::chip::memory::wrap::{Alias, PartProof, aliases, in_one_page};
use crate::chip::{Layout, Memory, MemoryError, Operation, Segment, Size};
use crate::failure::{Code, DeviceState, Failure};
use crate::rescue::Survey;

/// Bytes between two segments that cost less to read than a reading of their own.
const NEAR: u32 = 64;

/// Most bytes of one reading.
const READING: u32 = 1024;

/// The first address at which two stretches from `start` on differ, with both bytes.
fn first_difference(start: u32, expected: &[u8], got: &[u8]) -> Option<(u32, u8, u8)> {
    let at = expected.iter().zip(got).position(|(expected, got)| expected != got)?;
    let address = start.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
    Some((address, *expected.get(at)?, *got.get(at)?))
}

/// Segments in address order, those together that are cheaper read in one go.
fn in_readings(segments: &[Segment]) -> Vec<Vec<&Segment>> {
    let mut sorted: Vec<&Segment> = segments.iter().collect();
    sorted.sort_by_key(|segment| segment.address);
    let mut readings: Vec<Vec<&Segment>> = Vec::new();
    for segment in sorted {
        let end = segment.range().end;
        match readings.last_mut() {
            Some(near)
                if near.last().is_some_and(|last| {
                    segment.address.saturating_sub(last.range().end) <= NEAR
                }) && near
                    .first()
                    .is_some_and(|first| end.saturating_sub(first.address) <= READING) =>
            {
                near.push(segment);
            }
            _ => readings.push(vec![segment]),
        }
    }
    readings
}

/// What the memory held before in a range.
fn before<'s>(survey: &'s Survey, range: &Range<u32>) -> Option<&'s [u8]> {
    let (start, end) = (usize::try_from(range.start).ok()?, usize::try_from(range.end).ok()?);
    survey.contents.as_deref()?.get(start..end)
}

/// A memory open for writing. There is none without a [`Permission`].
pub(super) struct Writer<'m> {
    memory: Box<dyn Memory + 'm>,
    survey: &'m Survey,
    /// Whether anything that was written was kept, so that the part is not write protected.
    has_kept: bool,
}

impl<'m> Writer<'m> {
    /// Opens the memory, and sees that it still is what the plan was made for.
    ///
    /// # Errors
    /// R116 where it is not, and those of the chip.
    pub fn open(
        run: &mut Run<'_>,
        permission: &'m Permission<'_>,
        proven: &'m mut Proven,
    ) -> Result<Self, Failure> {
        let survey = permission.survey();
        let Proven { seen, finding, link } = proven;
        let mut memory = permission
            .candidate()
            .chip
            .open_memory(&mut **link, seen, finding)
            .map_err(|error| run.chip_failure(error, "opening of the memory"))?;
        if let Size::Proven(bytes) = survey.size {
            memory.assume_size(bytes);
        }
        let mut writer = Self { memory, survey, has_kept: false };
        writer.is_as_read(run)?;
        Ok(writer)
    }

    pub fn layout(&self) -> Layout {
        self.memory.layout()
    }

    /// Erases a range; that it was erased shows when it is read back.
    pub fn erase(
        &mut self,
        run: &Run<'_>,
        operation: &Operation,
        place: &str,
    ) -> Result<(), Failure> {
        retry(|| self.memory.apply(operation)).map_err(|error| run.memory_failure(error, place))
    }

    /// Ends the writing, once all of it was kept.
    pub fn finish(&mut self, run: &Run<'_>) -> Result<(), Failure> {
        let place = format!("end of writing the {}", self.layout().name);
        self.memory.finish().map_err(|error| run.memory_failure(error, &place))
    }

    pub fn write_cycles(&self) -> u32 {
        self.memory.write_cycles()
    }

    /// Before anything lasting: sees that the memory is still what the plan was made for.
    fn is_as_read(&mut self, run: &mut Run<'_>) -> Result<(), Failure> {
        let place = &format!("last read of the {} before writing", self.layout().name);
        let Some(start) = self.survey.contents.as_deref().and_then(|old| old.get(..64)) else {
            return Ok(());
        };
        let segment = Segment { address: 0, bytes: start.to_vec() };
        if self.read_segment(run, &segment, place)? == start {
            return Ok(());
        }
        let what = "its first bytes changed after the plan was made";
        Err(Failure::new(Code::R116, what, place)
            .leaving(run.state)
            .next(format!("power-cycle the enclosure and run `{}`", run.tools.commands.again)))
    }

    /// Writes a segment; whether it is known to have been kept. A mismatch that the memory itself
    /// noticed is left to [`Self::verify_segment`].
    pub fn write_segment(
        &mut self,
        run: &mut Run<'_>,
        segment: &Segment,
        place: &str,
    ) -> Result<bool, Failure> {
        match self.try_write(segment) {
            Err(MemoryError::NoAcknowledge { address }) if self.is_untouched(segment) => {
                let memory = self.layout();
                let what = format!(
                    "it answers when it is read and refuses what is written to {address:#06x}"
                );
                Err(write_protected(run, memory, what, &place_of(run, memory, address, place)))
            }
            result => result.map_err(|error| run.memory_failure(error, place)),
        }
    }

    /// Whether a part answers and holds what it held where this was to be written.
    fn is_untouched(&mut self, segment: &Segment) -> bool {
        let before = before(self.survey, &segment.range()).map(<[u8]>::to_vec);
        let now = read_all(&mut *self.memory, segment.range()).ok();
        !self.has_kept && before.is_some() && now == before
    }

    /// Whether only one byte of a segment was to change, in a part that has kept others: such a byte
    /// is stuck, and the part is not write protected.
    fn is_one_byte_stuck(&self, before: &[u8], segment: &Segment) -> bool {
        let changes = before.iter().zip(&segment.bytes).filter(|(old, new)| old != new);
        self.has_kept && changes.count() == 1
    }

    /// Notes that these bytes were read back as they were written.
    fn is_kept(&mut self, segment: &Segment) {
        self.has_kept |= before(self.survey, &segment.range()) != Some(segment.bytes.as_slice());
    }

    /// Whether one byte can be changed; it is put back.
    pub fn keeps_a_byte(
        &mut self,
        run: &mut Run<'_>,
        address: u32,
        place: &str,
    ) -> Result<bool, Failure> {
        let one = address..address.saturating_add(1);
        let Some(&[old]) = before(self.survey, &one) else { return Ok(false) };
        let changed = Segment { address, bytes: vec![!old] };
        let own = Segment { address, bytes: vec![old] };
        self.write_segment(run, &changed, place)?;
        let is_kept = self.read_segment(run, &changed, place)? == changed.bytes;
        if is_kept {
            self.has_kept = true;
            self.write_and_verify(run, &own, place)?;
        }
        Ok(is_kept)
    }

    fn try_write(&mut self, segment: &Segment) -> Result<bool, MemoryError> {
        let operation = Operation::Write(segment.clone());
        match retry(|| self.memory.apply(&operation)) {
            Err(MemoryError::NotKept { address, expected, got }) => {
                log::info!("{address:#06x} holds {got:02x}, but {expected:02x} was written");
                Ok(false)
            }
            Ok(()) => Ok(self.memory.layout().verifies),
            Err(error) => Err(error),
        }
    }

    /// Writes a segment and sees that it was kept.
    pub fn write_and_verify(
        &mut self,
        run: &mut Run<'_>,
        segment: &Segment,
        place: &str,
    ) -> Result<(), Failure> {
        if self.write_segment(run, segment, place)? {
            self.is_kept(segment);
            return Ok(());
        }
        self.verify_segment(run, segment, place)
    }

    /// Reads everything that was written, near segments in one reading; what differs is left to [`Self::verify_segment`].
    pub fn verify(
        &mut self,
        run: &mut Run<'_>,
        segments: &[Segment],
        place: &str,
    ) -> Result<(), Failure> {
        let total = segments.iter().map(|segment| segment.bytes.len() as u64).sum();
        let mut done = 0;
        for near in in_readings(segments) {
            let (Some(first), Some(last)) = (near.first(), near.last()) else { continue };
            let range = first.range().start..last.range().end;
            let got = match read_all(&mut *self.memory, range.clone()) {
                Err(MemoryError::Unreadable(why)) if self.survey.contents.is_none() => {
                    run.note(format!(
                        "the written bytes could not be read back: {why}. The restart must confirm them"
                    ));
                    return Ok(());
                }
                result => result.map_err(|error| run.memory_failure(error, place))?,
            };
            for segment in near {
                let offset = usize::try_from(segment.address - range.start).unwrap_or(usize::MAX);
                let there = got.get(offset..offset.saturating_add(segment.bytes.len()));
                if there != Some(segment.bytes.as_slice()) {
                    self.write_segment(run, segment, place)?;
                    self.verify_segment(run, segment, place)?;
                }
                self.is_kept(segment);
                done += segment.bytes.len() as u64;
                run.progress("verify", done, total);
            }
        }
        Ok(())
    }

    /// Reads a segment back; writes it again, a bounded number of times, when it was not kept.
    ///
    /// # Errors
    /// R106 when nothing of it was kept, R108 when the same byte fails every time, R107 otherwise.
    pub fn verify_segment(
        &mut self,
        run: &mut Run<'_>,
        segment: &Segment,
        place: &str,
    ) -> Result<(), Failure> {
        let mut wrong = Vec::new();
        for attempt in 1..=ATTEMPTS {
            let got = match read_all(&mut *self.memory, segment.range()) {
                Err(MemoryError::Unreadable(why)) if self.survey.contents.is_none() => {
                    log::info!("not read back: {why}");
                    return Ok(());
                }
                result => result.map_err(|error| run.memory_failure(error, place))?,
            };
            let Some(difference) = first_difference(segment.address, &segment.bytes, &got) else {
                self.is_kept(segment);
                return Ok(());
            };
            wrong.push(difference);
            let untouched = before(self.survey, &segment.range())
                .is_some_and(|before| before == got && !self.is_one_byte_stuck(before, segment));
            if attempt == ATTEMPTS {
                let memory = self.layout();
                if let Some(size) = shown_size(self.survey.size, segment, &got) {
                    let what = format!(
                        "it holds {size} bytes: what was written beyond its end appeared {size} bytes before"
                    );
                    return Err(part_too_small(run, memory, what, place));
                }
                return Err(not_kept(run, memory, &wrong, untouched, place));
            }
            self.write_segment(run, segment, place)?;
        }
        Ok(())
    }

    /// Writes one unit with the largest page the part may have; looks for it where a smaller part
    /// would show it, and whether smaller pages have wrapped it. From then on the memory's unit is
    /// the part's.
    pub fn prove_part(
        &mut self,
        run: &mut Run<'_>,
        proof: &PartProof,
        place: &str,
    ) -> Result<(), Failure> {
        self.memory.assume_size(self.survey.part_bytes);
        if self.layout().unit != proof.unit {
            self.memory.assume_unit(proof.unit);
        }
        let mut aliases = Vec::new();
        for alias in &proof.aliases {
            // Sizes that would show it at the same address are told apart once it is there.
            if aliases.last().is_some_and(|(last, _): &(Alias, _)| last.address == alias.address) {
                continue;
            }
            let there = Segment { address: alias.address, bytes: proof.segment.bytes.clone() };
            // What was not read yet is read before the write can change it.
            let old = match before(self.survey, &there.range()) {
                Some(old) => old.to_vec(),
                None => self.read_segment(run, &there, place)?,
            };
            aliases.push((*alias, Segment { address: alias.address, bytes: old }));
        }
        let own = match before(self.survey, &proof.segment.range()) {
            Some(own) => own.to_vec(),
            None if proof.smaller_units.is_empty() => Vec::new(),
            None => self.read_segment(run, &proof.segment, place)?,
        };
        let kept = match (self.try_write(&proof.segment), proof.smaller_units.first()) {
            // A part that takes single bytes may refuse the second one.
            (Err(MemoryError::NoAcknowledge { .. }), Some(smallest)) => {
                self.memory.assume_unit(*smallest);
                self.write_segment(run, &proof.segment, place)?
            }
            (result, _) => result.map_err(|error| run.memory_failure(error, place))?,
        };
        for (alias, old) in aliases {
            if self.read_segment(run, &old, place)? != old.bytes {
                return Err(self.too_small(run, proof, alias, &old, place)?);
            }
        }
        if kept {
            return Ok(());
        }
        let got = self.read_segment(run, &proof.segment, place)?;
        let Segment { address, bytes } = &proof.segment;
        let held = |unit: &&u32| in_one_page(*address, &own, bytes, **unit) == Some(got.clone());
        if got != *bytes
            && got != own
            && let Some(unit) = proof.smaller_units.iter().rfind(held)
        {
            self.memory.assume_unit(*unit);
            run.note(format!("its pages are {unit} bytes, found by the first write"));
            self.write_segment(run, &proof.segment, place)?;
        }
        self.verify_segment(run, &proof.segment, place)
    }

    /// Puts back what a write beyond the part's end has hit, and says how large the part is.
    fn too_small(
        &mut self,
        run: &mut Run<'_>,
        proof: &PartProof,
        alias: Alias,
        old: &Segment,
        place: &str,
    ) -> Result<Failure, Failure> {
        let size = self.size_shown(run, proof, alias, old, place)?;
        // In pages that a part of that size takes.
        self.memory.assume_size(size);
        self.write_segment(run, old, place)?;
        if self.read_segment(run, old, place)? == old.bytes {
            // The memory is what it was.
            run.state = DeviceState::RunningFromRam;
        }
        let what = format!(
            "it holds {} bytes: a write at {:#06x} appeared at {:#06x}",
            size, proof.segment.address, alias.address
        );
        Ok(part_too_small(run, self.layout(), what, place))
    }

    /// The size of a part that shows the write at this alias: of the sizes that would, the first
    /// that shows it once more at its own distance.
    fn size_shown(
        &mut self,
        run: &Run<'_>,
        proof: &PartProof,
        alias: Alias,
        old: &Segment,
        place: &str,
    ) -> Result<u32, Failure> {
        let there = self.read_segment(run, old, place)?;
        let mut size = alias.size;
        let same_place = |other: &&Alias| other.address == alias.address && other.size > alias.size;
        for larger in proof.aliases.iter().filter(same_place) {
            let again = Segment { address: alias.address.saturating_add(size), ..old.clone() };
            if self.read_segment(run, &again, place)? == there {
                break;
            }
            size = larger.size;
        }
        Ok(size)
    }

    fn read_segment(
        &mut self,
        run: &Run<'_>,
        segment: &Segment,
        place: &str,
    ) -> Result<Vec<u8>, Failure> {
        read_all(&mut *self.memory, segment.range())
            .map_err(|error| run.memory_failure(error, place))
    }

    /// Whether every byte that these would change is what it was before.
    pub fn is_unchanged(&mut self, operations: &[Operation]) -> bool {
        operations.iter().map(Operation::range).all(|range| {
            let before = before(self.survey, &range);
            before.is_some() && read_all(&mut *self.memory, range).ok().as_deref() == before
        })
    }
}

/// The size of the part where a segment that was read back as `got` has gone on at its start.
fn shown_size(size: Size, segment: &Segment, got: &[u8]) -> Option<u32> {
    let Size::AtLeast(least) = size else { return None };
    let sizes = aliases(segment.range().end, least).into_iter().map(|alias| alias.size);
    sizes.into_iter().find(|size| {
        let behind = usize::try_from(*size).ok().and_then(|size| segment.bytes.get(size..));
        let Some(behind) = behind.filter(|behind| !behind.is_empty()) else { return false };
        got.starts_with(behind) && !segment.bytes.starts_with(behind)
    })
}

fn part_too_small(run: &Run<'_>, layout: Layout, what: String, place: &str) -> Failure {
    let name = layout.name;
    Failure::new(Code::R105, what, place)
        .leaving(run.state)
        .next(format!("check that the image is for this enclosure model; another revision may have a larger {name}"))
        .next(format!("or solder in a larger {name} of the same type and run the same command"))
}

fn write_protected(run: &Run<'_>, layout: Layout, what: String, place: &str) -> Failure {
    Failure::new(Code::R106, what, place)
        .leaving(run.state)
        .next(format!("check the write protection: {}", layout.write_protection))
        .next("if the pin is at ground, the part is dead or missing: check its supply and solder joints, or replace it, then run the same command")
}

fn place_of(run: &Run<'_>, layout: Layout, address: u32, place: &str) -> String {
    let memory = layout.name;
    match &run.outcome.port {
        Some(port) => format!("{place}, {memory} {address:#06x}, port {port}"),
        None => format!("{place}, {memory} {address:#06x}"),
    }
}

/// A segment that was not kept after every attempt: `wrong` has the address, expected and read byte
/// of each.
fn not_kept(
    run: &Run<'_>,
    layout: Layout,
    wrong: &[(u32, u8, u8)],
    untouched: bool,
    place: &str,
) -> Failure {
    let memory = layout.name;
    let (address, expected, got) = wrong.last().copied().unwrap_or_default();
    let same_byte = wrong.iter().all(|(other, ..)| *other == address);
    let place = place_of(run, layout, address, place);
    if untouched {
        let what = format!(
            "the memory kept no written byte in {ATTEMPTS} attempts; {address:#06x} still holds {got:02x}"
        );
        return write_protected(run, layout, what, &place);
    }
    let what =
        format!("{address:#06x} still holds {got:02x} after {ATTEMPTS} writes of {expected:02x}");
    let code = if same_byte { Code::R108 } else { Code::R107 };
    Failure::new(code, what, place)
        .leaving(run.state)
        .next(format!("the {memory} is worn out: replace it with the same type (it may be empty) and run the same command"))
        .next(match &run.outcome.backup {
            Some(backup) => format!("its old contents are in the backup {backup}"),
            None => "there is no backup, because the memory could not be read".to_owned(),
        })
}
