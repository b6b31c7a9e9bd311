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
use crate::chip::memory::wrap::sizes_below;
use crate::chip::{Layout, Memory, MemoryError, Operation, Segment, Size};
use crate::failure::{Code, Failure};
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
pub(super) fn before<'s>(survey: &'s Survey, range: &Range<u32>) -> Option<&'s [u8]> {
    let (start, end) = (usize::try_from(range.start).ok()?, usize::try_from(range.end).ok()?);
    survey.contents.as_deref()?.get(start..end)
}

/// A memory open for writing. There is none without a [`Permission`].
pub(super) struct Writer<'m> {
    pub(super) memory: Box<dyn Memory + 'm>,
    pub(super) survey: &'m Survey,
    /// Whether anything that was written was kept, so that the part is not write protected.
    pub(super) has_kept: bool,
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
        writer.check_as_read(run)?;
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
    fn check_as_read(&mut self, run: &mut Run<'_>) -> Result<(), Failure> {
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
            .next(format!("power-cycle the enclosure and run `{}`", run.tools.commands.again())))
    }

    /// Writes a segment; whether it is known to have been kept. A mismatch that the memory itself
    /// noticed is left to [`Self::verify_segment`].
    pub fn write_segment(
        &mut self,
        run: &mut Run<'_>,
        segment: &Segment,
        place: &str,
    ) -> Result<bool, Failure> {
        let result = self.try_write(segment);
        let old = before(self.survey, &segment.range());
        self.was_taken(run, result, segment, old, place)
    }

    /// What became of one write, where `old` was before it if that is known.
    pub(super) fn was_taken(
        &mut self,
        run: &Run<'_>,
        result: Result<bool, MemoryError>,
        segment: &Segment,
        old: Option<&[u8]>,
        place: &str,
    ) -> Result<bool, Failure> {
        match result {
            Err(MemoryError::NoAcknowledge { address }) if self.is_untouched(segment, old) => {
                let memory = self.layout();
                let what = format!(
                    "it answers when it is read and refuses what is written to {address:#06x}"
                );
                Err(write_protected(run, memory, what, &place_of(run, memory, address, place)))
            }
            result => result.map_err(|error| run.memory_failure(error, place)),
        }
    }

    /// Whether a part has kept nothing so far, answers, and holds what it held where this was to be
    /// written.
    fn is_untouched(&mut self, segment: &Segment, old: Option<&[u8]>) -> bool {
        let now = read_all(&mut *self.memory, segment.range()).ok();
        !self.has_kept && old.is_some() && now.as_deref() == old
    }

    /// Whether only one byte of a segment was to change, in a part that has kept others: such a byte
    /// is stuck, and the part is not write protected.
    fn is_one_byte_stuck(&self, before: &[u8], segment: &Segment) -> bool {
        let changes = before.iter().zip(&segment.bytes).filter(|(old, new)| old != new);
        self.has_kept && changes.count() == 1
    }

    /// Notes that these bytes were read back as they were written.
    pub(super) fn note_kept(&mut self, segment: &Segment) {
        self.has_kept |= before(self.survey, &segment.range()) != Some(segment.bytes.as_slice());
    }

    pub(super) fn try_write(&mut self, segment: &Segment) -> Result<bool, MemoryError> {
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
            self.note_kept(segment);
            return Ok(());
        }
        self.verify_segment(run, segment, place)
    }

    /// Reads everything that was written and compares. What differs is written again, and then all
    /// of it is compared once more: a write that went astray may have hit what was right before.
    ///
    /// # Errors
    /// R105 where a smaller part shows its end; those of [`Self::verify_segment`].
    pub fn verify(
        &mut self,
        run: &mut Run<'_>,
        segments: &[Segment],
        place: &str,
    ) -> Result<(), Failure> {
        let wrong = self.differing(run, segments, place)?;
        if let Some(size) = wrong.iter().find_map(|(segment, got)| {
            size_shown_by(self.survey.size, segments, segment.address, got)
        }) {
            let what =
                format!("it holds {size} bytes: its beginning holds what belongs behind them");
            return Err(part_too_small(run, self.layout(), what, place));
        }
        for (segment, _) in &wrong {
            self.write_segment(run, segment, place)?;
            self.verify_segment(run, segment, place)?;
        }
        if wrong.is_empty() {
            return Ok(());
        }
        match self.differing(run, segments, place)?.first() {
            None => Ok(()),
            Some((segment, got)) => {
                let wrong = first_difference(segment.address, &segment.bytes, got);
                Err(not_kept(run, self.layout(), wrong.as_slice(), false, place))
            }
        }
    }

    /// The segments that read back otherwise, with what was read; near ones in one reading.
    fn differing<'s>(
        &mut self,
        run: &mut Run<'_>,
        segments: &'s [Segment],
        place: &str,
    ) -> Result<Vec<(&'s Segment, Vec<u8>)>, Failure> {
        let total = segments.iter().map(|segment| segment.bytes.len() as u64).sum();
        let (mut done, mut wrong) = (0, Vec::new());
        for near in in_readings(segments) {
            let (Some(first), Some(last)) = (near.first(), near.last()) else { continue };
            let range = first.range().start..last.range().end;
            let got = match read_all(&mut *self.memory, range.clone()) {
                Err(MemoryError::Unreadable(why)) if self.survey.contents.is_none() => {
                    run.note(format!(
                        "the written bytes could not be read back: {why}. The restart must confirm them"
                    ));
                    return Ok(Vec::new());
                }
                result => result.map_err(|error| run.memory_failure(error, place))?,
            };
            for segment in near {
                let offset = usize::try_from(segment.address - range.start).unwrap_or(usize::MAX);
                let there = got.get(offset..offset.saturating_add(segment.bytes.len()));
                if there == Some(segment.bytes.as_slice()) {
                    self.note_kept(segment);
                } else {
                    wrong.push((segment, there.unwrap_or_default().to_vec()));
                }
                done += segment.bytes.len() as u64;
                run.progress("verify", done, total);
            }
        }
        Ok(wrong)
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
                self.note_kept(segment);
                return Ok(());
            };
            wrong.push(difference);
            let untouched = before(self.survey, &segment.range())
                .is_some_and(|before| before == got && !self.is_one_byte_stuck(before, segment));
            if attempt == ATTEMPTS {
                let memory = self.layout();
                return Err(not_kept(run, memory, &wrong, untouched, place));
            }
            self.write_segment(run, segment, place)?;
        }
        Ok(())
    }

    pub(super) fn read_segment(
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

/// The size of a part that shows at one place what belongs a whole size further up.
fn size_shown_by(size: Size, segments: &[Segment], address: u32, got: &[u8]) -> Option<u32> {
    let Size::AtLeast(least) = size else { return None };
    let expected = |address: u32| {
        segments.iter().find_map(|segment| {
            let place = address.checked_sub(segment.address)?;
            segment.bytes.get(usize::try_from(place).ok()?).copied()
        })
    };
    let differs = |(at, got): &(u32, u8)| expected(*at) != Some(*got);
    let wrong: Vec<_> = (address..).zip(got.iter().copied()).filter(differs).collect();
    let end = segments.iter().map(|segment| segment.range().end).max()?;
    let is_shown = |size: u32| {
        wrong.iter().all(|(at, got)| at.checked_add(size).and_then(expected) == Some(*got))
    };
    // One byte may be the same by chance.
    sizes_below(end, least).into_iter().find(|size| wrong.len() > 1 && is_shown(*size))
}

pub(super) fn part_too_small(run: &Run<'_>, layout: Layout, what: String, place: &str) -> Failure {
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
        .next("if the pin is at ground, the part or this byte is dead, or it is missing: check its supply and joints, then replace it")
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
