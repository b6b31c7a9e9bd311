//! A memory in which a write replaces what is there: EEPROM, FRAM.

use std::ops::Range;

use super::wanted::{Wanted, pieces, without};
use super::{Unwritable, WriteOrder, part_proof};
use crate::chip::memory::wrap::PartProof;
use crate::chip::memory::{Layout, Sequence};
use crate::chip::{Operation, Segment};
use crate::rescue::diagnosis::{BootsNow, Survey};

pub(super) fn order(
    survey: &Survey,
    wanted: &Wanted<'_>,
    boots_now: BootsNow,
) -> Result<WriteOrder, Unwritable> {
    let layout = survey.layout;
    let mut dirty = changed_units(wanted, layout.unit);
    if layout.sequence == Sequence::FromStart
        && let (Some(first), Some(last)) = (dirty.first(), dirty.last())
    {
        // Every write repeats what lies before it, so one long one costs less than two.
        let whole = first.start..last.end;
        let has_commit =
            wanted.commit.iter().any(|range| range.start < whole.end && whole.start < range.end);
        if has_commit || wanted.image(&whole).is_none() {
            return Err(Unwritable::NoWrite(whole.start));
        }
        dirty.clear();
        dirty.push(whole);
    }
    let commit_is_there = wanted
        .commit
        .iter()
        .all(|range| wanted.old(range).is_some() && wanted.old(range) == wanted.image(range));
    if dirty.is_empty() && commit_is_there {
        return Ok(WriteOrder::default());
    }
    let breaks_first = match boots_now {
        BootsNow::Yes => !dirty.is_empty(),
        BootsNow::No => false,
        BootsNow::Unknown => true,
    };
    // What is broken is in a commit range, which is written last.
    let first = wanted.commit.first().filter(|_| breaks_first);
    let invalidate = first
        .map(|range| Segment { address: range.start, bytes: vec![broken_byte(wanted, range)] });
    let part_proofs = part_proof::choose(survey, wanted);
    let unit = part_proofs.last().map_or(layout.unit, |proof| proof.unit);
    let layout = Layout { unit, ..layout };
    let body = match layout.sequence {
        Sequence::FromStart => merge(&dirty, wanted, layout)?,
        _ => body_behind(&part_proofs, wanted, layout)?,
    };
    let broken = part_proofs.iter().map(|proof| &proof.segment).chain(&invalidate);
    let broken: Vec<_> = broken.map(Segment::range).collect();
    let commit = commit(wanted, &broken, layout)?;
    let invalidate = invalidate.map(Operation::Write);
    Ok(WriteOrder { invalidate, part_proofs, body, commit, ..WriteOrder::default() })
}

/// The body without what the first writes have written, in the units of `layout`.
pub(super) fn body_behind(
    proofs: &[PartProof],
    wanted: &Wanted<'_>,
    layout: Layout,
) -> Result<Vec<Operation>, Unwritable> {
    let written: Vec<_> = proofs.iter().map(|proof| proof.segment.range()).collect();
    let mut dirty = changed_units(wanted, layout.unit);
    dirty.retain(|unit| !without(unit.clone(), &written).is_empty());
    merge(&dirty, wanted, layout)
}

/// What a commit range is to begin with so that nothing boots from it. FF is no family's signature
/// byte and is what an empty part holds; it breaks nothing where it is there already, or in the
/// image where it was not read.
pub(super) fn broken_byte(wanted: &Wanted<'_>, range: &Range<u32>) -> u8 {
    let first = range.start..range.start.saturating_add(1);
    let is_ff = wanted.old(&first).or_else(|| wanted.image(&first)) == Some(&[0xff]);
    if is_ff { 0x00 } else { 0xff }
}

/// Of each commit range the bytes that are not there, from the first to the last of them; all of
/// them where a unit costs no more, and all of those that were not read.
fn commit(
    wanted: &Wanted<'_>,
    broken: &[Range<u32>],
    layout: Layout,
) -> Result<Vec<Segment>, Unwritable> {
    let is_broken = |address| broken.iter().any(|range| range.contains(&address));
    let is_missing = |address: &u32| {
        let one = *address..address.saturating_add(1);
        is_broken(*address) || wanted.old(&one) != wanted.image(&one)
    };
    let missing = |range: &Range<u32>| {
        let first = range.clone().find(is_missing)?;
        let last = range.clone().rfind(is_missing)?;
        Some(if layout.unit > 1 { range.clone() } else { first..last.saturating_add(1) })
    };
    let ranges = wanted.commit.iter().filter_map(missing);
    let pieces = ranges.flat_map(|range| pieces(&range, layout));
    let missing = pieces.filter(|piece| piece.clone().any(|address| is_missing(&address)));
    missing.map(|piece| wanted.segment(piece)).collect()
}

/// The units of the image's body that differ from the memory or were not read.
pub(super) fn changed_units(wanted: &Wanted<'_>, unit: u32) -> Vec<Range<u32>> {
    let unit = unit.max(1);
    let mut dirty = Vec::new();
    for range in wanted.body() {
        let mut start = range.start;
        while start < range.end {
            let end = (start - start % unit).saturating_add(unit).min(range.end);
            let part = start..end;
            if wanted.old(&part) != wanted.image(&part) {
                dirty.push(part);
            }
            start = end;
        }
    }
    dirty
}

/// Joins neighbouring units into the largest writes.
fn merge(
    units: &[Range<u32>],
    wanted: &Wanted<'_>,
    layout: Layout,
) -> Result<Vec<Operation>, Unwritable> {
    let (maximum, unit) = (layout.largest_write.max(1), layout.unit.max(1));
    let mut ranges: Vec<Range<u32>> = Vec::new();
    for next in units {
        match ranges.last_mut() {
            // A write that starts inside a unit may not leave it: the first one's, which starts
            // behind the signature, stays alone.
            Some(last)
                if last.end == next.start
                    && next.end - last.start <= maximum
                    && last.start % unit == 0 =>
            {
                last.end = next.end;
            }
            _ => ranges.push(next.clone()),
        }
    }
    ranges.into_iter().map(|range| wanted.segment(range).map(Operation::Write)).collect()
}
