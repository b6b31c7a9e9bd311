//! The first writes to a part whose reading told neither its size nor its page. Each is a piece of
//! the image; where one shows both, it serves for both.
//!
//! A size is told from below: what is written inside the smallest part there is shows once more a
//! whole size further up, so no write goes beyond the end of a part whose end is not known.

use std::ops::Range;

use super::replaced::{broken_byte, changed_units};
use super::wanted::Wanted;
use crate::chip::memory::wrap::{Alias, PartProof, in_one_page, sizes_below};
use crate::chip::memory::{Layout, Sequence};
use crate::chip::{Segment, Size};
use crate::rescue::diagnosis::Survey;

/// The writes that show what is in question, in order; none where nothing is.
pub(super) fn choose(survey: &Survey, wanted: &Wanted<'_>) -> Vec<PartProof> {
    let (Size::AtLeast(least), Some(_)) = (survey.size, wanted.was_read()) else {
        return Vec::new();
    };
    let layout = survey.layout;
    let end = wanted.ranges().iter().map(|range| range.end).max().unwrap_or_default();
    let too_small = sizes_below(end, least);
    if layout.sequence == Sequence::FromStart && !shows_commit(wanted, &too_small) {
        // One write more would cost as much as all up to there, and what a smaller part would get
        // over its beginning boots nothing: the size shows when the body is compared.
        return Vec::new();
    }
    let unit = of_unit(layout, wanted, &[], |_| true);
    if too_small.is_empty() {
        return unit.into_iter().collect();
    }
    let both = of_unit(layout, wanted, &too_small, |range| range.end <= least);
    match both {
        Some(both) if unit.as_ref().is_some_and(|unit| unit.unit == both.unit) => vec![both],
        _ => of_size(layout, wanted, &too_small, least).into_iter().chain(unit).collect(),
    }
}

/// The write that shows the unit of the part, with the largest that it may have.
fn of_unit(
    layout: Layout,
    wanted: &Wanted<'_>,
    too_small: &[u32],
    is_allowed: impl Fn(&Range<u32>) -> bool,
) -> Option<PartProof> {
    if layout.sequence == Sequence::FromStart {
        return None;
    }
    largest_first(layout).find_map(|unit| {
        let smaller: Vec<u32> = layout.units.iter().copied().filter(|one| *one < unit).collect();
        let shows = |range: &Range<u32>| is_allowed(range) && shows_unit(wanted, range, &smaller);
        let range = changed_units(wanted, unit).into_iter().rfind(shows)?;
        let segment = wanted.segment(range).ok()?;
        Some(PartProof {
            aliases: aliases(&segment, too_small),
            segment,
            unit,
            smaller_units: smaller,
        })
    })
}

/// A write below `least`, the end of the smallest part there is, that no page of any part would
/// wrap: of the image's body; where that changes nothing there, of the byte that a boot signature
/// begins with, to one that is no signature's.
fn of_size(
    layout: Layout,
    wanted: &Wanted<'_>,
    too_small: &[u32],
    least: u32,
) -> Option<PartProof> {
    let page = layout.units.iter().copied().find(|unit| *unit > 1).unwrap_or(layout.unit);
    let body = changed_units(wanted, page).into_iter().find(|range| range.end <= least);
    let segment = match body {
        Some(range) => wanted.segment(range).ok()?,
        None => {
            let commit = wanted.commit.iter().find(|range| range.start < least)?;
            Segment { address: commit.start, bytes: vec![broken_byte(wanted, commit)] }
        }
    };
    let aliases = aliases(&segment, too_small);
    Some(PartProof { segment, aliases, unit: layout.unit, smaller_units: Vec::new() })
}

/// Whether the image, written beyond the end of a part of one of these sizes, would leave there
/// what boots.
fn shows_commit(wanted: &Wanted<'_>, too_small: &[u32]) -> bool {
    let beyond = |range: &Range<u32>, size: u32| {
        Some(range.start.checked_add(size)?..range.end.checked_add(size)?)
    };
    let boots = |range: &Range<u32>, size: &u32| {
        let bytes = beyond(range, *size).and_then(|beyond| wanted.image(&beyond));
        bytes.is_some() && bytes == wanted.image(range)
    };
    wanted.commit.iter().any(|range| too_small.iter().any(|size| boots(range, size)))
}

/// Where parts of these sizes would show a write once more.
fn aliases(segment: &Segment, too_small: &[u32]) -> Vec<Alias> {
    let further_up = |size: &u32| Some((*size, segment.address.checked_add(*size)?));
    let places = too_small.iter().filter_map(further_up);
    places.map(|(size, address)| Alias { size, address }).collect()
}

/// The units that the part may have, from the largest to the one that every part of its size has.
fn largest_first(layout: Layout) -> impl Iterator<Item = u32> {
    let larger = layout.units.iter().rev().copied();
    let larger = larger.filter(move |unit| *unit > layout.unit && *unit <= layout.largest_write);
    larger.chain([layout.unit])
}

/// Whether a write of this range in one unit would leave something else where the part's units are
/// smaller, whichever of these they are, and change nothing outside the range.
fn shows_unit(wanted: &Wanted<'_>, range: &Range<u32>, smaller: &[u32]) -> bool {
    let (Some(bytes), Some(old)) = (wanted.image(range), wanted.old(range)) else { return false };
    let is_seen = |unit: &u32| {
        // What looks as before could as well be a part that is write protected.
        let after = in_one_page(range.start, old, bytes, *unit);
        after.is_some_and(|after| after != bytes && after != old)
    };
    !smaller.is_empty() && smaller.iter().all(is_seen)
}
