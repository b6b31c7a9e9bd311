//! The first write to a part whose reading told neither its size nor its page. Where it shows both,
//! one write serves for both.

use std::ops::Range;

use super::replaced::changed_units;
use super::wanted::Wanted;
use crate::chip::memory::wrap::{PartProof, aliases, in_one_page};
use crate::chip::memory::{Layout, Sequence};
use crate::chip::{Segment, Size};
use crate::rescue::diagnosis::Survey;

/// The write that shows most, with the largest unit that the part may have; `None` where nothing is
/// in question, or no write would show it.
pub(super) fn choose(survey: &Survey, wanted: &Wanted<'_>) -> Option<PartProof> {
    let Size::AtLeast(least) = survey.size else { return None };
    let fill = *wanted.was_read()?.first()?;
    let layout = survey.layout;
    if layout.sequence == Sequence::FromStart {
        return None;
    }
    let by_unit = changed_units(wanted, layout.unit);
    // Only a byte unlike the uniform content can be recognised where it does not belong.
    let is_beyond = |range: &Range<u32>| {
        range.start >= least
            && wanted.image(range).is_some_and(|bytes| bytes.iter().any(|byte| *byte != fill))
    };
    let is_size_in_question = by_unit.iter().any(is_beyond);
    let proof = |range: &Range<u32>, unit, smaller_units| {
        Some(PartProof {
            segment: Segment { address: range.start, bytes: wanted.image(range)?.to_vec() },
            aliases: aliases(range.start, layout.extent.minimum()),
            unit,
            smaller_units,
        })
    };
    for unit in largest_first(layout) {
        let smaller: Vec<u32> = layout.units.iter().copied().filter(|one| *one < unit).collect();
        let shows = |range: &Range<u32>| {
            (!is_size_in_question || is_beyond(range)) && shows_unit(wanted, range, fill, &smaller)
        };
        if let Some(range) = changed_units(wanted, unit).iter().rfind(|range| shows(range)) {
            return proof(range, unit, smaller);
        }
    }
    proof(by_unit.iter().rfind(|range| is_beyond(range))?, layout.unit, Vec::new())
}

/// The units that the part may have, from the largest to the one that every part of its size has.
fn largest_first(layout: Layout) -> impl Iterator<Item = u32> {
    let larger = layout.units.iter().rev().copied();
    let larger = larger.filter(move |unit| *unit > layout.unit && *unit <= layout.largest_write);
    larger.chain([layout.unit])
}

/// Whether a write of this range in one unit would leave something else where the part's units are
/// smaller, whichever of these they are, and change nothing outside the range.
fn shows_unit(wanted: &Wanted<'_>, range: &Range<u32>, fill: u8, smaller: &[u32]) -> bool {
    let Some(bytes) = wanted.image(range) else { return false };
    let old = wanted.old(range).map_or_else(|| vec![fill; bytes.len()], <[u8]>::to_vec);
    let is_seen = |unit: &u32| {
        // What looks as before could as well be a part that is write protected.
        let after = in_one_page(range.start, &old, bytes, *unit);
        after.is_some_and(|after| after != bytes && after != old)
    };
    !smaller.is_empty() && smaller.iter().all(is_seen)
}
