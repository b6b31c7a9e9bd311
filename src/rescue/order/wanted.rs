//! What a memory holds and what it is to hold.

use std::ops::Range;

use super::{Unwritable, WriteOrder};
use crate::chip::{Image, Layout, Operation, Segment};
use crate::rescue::diagnosis::Survey;

/// The old contents and the wanted ones. Addresses in bytes.
pub(super) struct Wanted<'a> {
    old: Option<&'a [u8]>,
    /// What it held before anything was changed: the source of what is to stay.
    before: Option<&'a [u8]>,
    /// The image, with the unit's own bytes in their places.
    segments: Vec<Segment>,
    /// What makes the chip boot, in the order in which it is written.
    pub commit: &'a [Range<u32>],
    unverified: &'a [Range<u32>],
}

fn at(range: &Range<u32>) -> Option<Range<usize>> {
    Some(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
}

/// A range without what lies in any of `holes`.
pub(super) fn without(range: Range<u32>, holes: &[Range<u32>]) -> Vec<Range<u32>> {
    let mut rest = vec![range];
    for hole in holes {
        rest = rest
            .into_iter()
            .flat_map(|part| {
                let before = part.start..part.end.min(hole.start);
                let behind = part.start.max(hole.end)..part.end;
                [before, behind]
            })
            .filter(|part| !part.is_empty())
            .collect();
    }
    rest
}

/// Segments that touch, as one.
fn coalesced(segments: &[Segment]) -> Vec<Segment> {
    let mut whole: Vec<Segment> = Vec::new();
    for segment in segments {
        match whole.last_mut() {
            Some(last) if last.range().end == segment.address => {
                last.bytes.extend(&segment.bytes);
            }
            _ => whole.push(segment.clone()),
        }
    }
    whole
}

/// A range in pieces that leave no unit they start inside of, and are no longer than a write.
pub(super) fn pieces(range: &Range<u32>, layout: Layout) -> Vec<Range<u32>> {
    let (unit, maximum) = (layout.unit.max(1), layout.largest_write.max(1));
    let mut pieces = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let length = if start.is_multiple_of(unit) { maximum } else { unit - start % unit };
        let end = start.saturating_add(length.min(maximum)).min(range.end);
        pieces.push(start..end);
        start = end;
    }
    pieces
}

impl<'a> Wanted<'a> {
    pub fn of(survey: &'a Survey, image: &'a Image) -> Result<Self, Unwritable> {
        let old = survey.contents.as_deref();
        let before = survey.before.as_deref().or(old);
        let mut segments = coalesced(&image.segments);
        for kept in &image.keep {
            let own = at(kept).and_then(|kept| before?.get(kept));
            let own = own.ok_or(Unwritable::KeptUnread(kept.start))?;
            for segment in &mut segments {
                let Some(offset) = kept.start.checked_sub(segment.address) else { continue };
                let place = offset..offset.saturating_add(kept.end - kept.start);
                if let Some(place) = at(&place).and_then(|place| segment.bytes.get_mut(place)) {
                    place.copy_from_slice(own);
                }
            }
        }
        Ok(Self { old, before, segments, commit: &image.commit, unverified: &image.unverified })
    }

    /// What is there; `None` where it was not read.
    pub fn old(&self, range: &Range<u32>) -> Option<&'a [u8]> {
        self.old?.get(at(range)?)
    }

    /// Whether anything was read.
    pub fn was_read(&self) -> Option<&'a [u8]> {
        self.old
    }

    /// The image's bytes of a range that lies inside one of its segments.
    pub fn image(&self, range: &Range<u32>) -> Option<&[u8]> {
        self.segments.iter().find_map(|segment| {
            let start = range.start.checked_sub(segment.address)?;
            segment.bytes.get(at(&(start..start.saturating_add(range.end - range.start)))?)
        })
    }

    /// The ranges of the image that are its body.
    pub fn body(&self) -> Vec<Range<u32>> {
        let ranges = self.segments.iter().map(Segment::range);
        ranges.flat_map(|range| without(range, self.commit)).collect()
    }

    /// The ranges of the image.
    pub fn ranges(&self) -> Vec<Range<u32>> {
        self.segments.iter().map(Segment::range).collect()
    }

    /// A stretch as it is to be: the image where it has bytes, else what was there.
    ///
    /// # Errors
    /// The first address of which neither is known.
    pub fn merged_with_old(&self, range: &Range<u32>) -> Result<Vec<u8>, u32> {
        range
            .clone()
            .map(|address| {
                let one = address..address.saturating_add(1);
                let byte = self.image(&one).or_else(|| self.before?.get(at(&one)?));
                byte.and_then(|byte| byte.first().copied()).ok_or(address)
            })
            .collect()
    }

    /// Which of the commit ranges an address belongs to.
    pub fn commit_of(&self, address: u32) -> Option<usize> {
        self.commit.iter().position(|range| range.contains(&address))
    }

    /// A segment of the image.
    pub fn segment(&self, range: Range<u32>) -> Result<Segment, Unwritable> {
        let bytes = self.image(&range).ok_or(Unwritable::NoWrite(range.start))?;
        Ok(Segment { address: range.start, bytes: bytes.to_vec() })
    }

    /// What an order leaves in the memory before its commit, without what is not compared: what
    /// was written, and all of what was erased, for an erase that did nothing shows only there.
    pub fn verified(&self, order: &WriteOrder, layout: Layout) -> Result<Vec<Segment>, Unwritable> {
        let mut verified: Vec<Segment> =
            order.part_proofs.iter().map(|proof| proof.segment.clone()).collect();
        let mut erased: Vec<Range<u32>> = Vec::new();
        for operation in &order.body {
            match operation {
                Operation::Erase(range) => {
                    for rest in without(range.clone(), self.commit) {
                        for piece in pieces(&rest, layout) {
                            let bytes =
                                self.merged_with_old(&piece).map_err(Unwritable::ErasedUnread)?;
                            verified.push(Segment { address: piece.start, bytes });
                        }
                    }
                    erased.push(range.clone());
                }
                Operation::Write(segment) => {
                    if !erased.iter().any(|range| range.contains(&segment.address)) {
                        verified.push(segment.clone());
                    }
                }
            }
        }
        Ok(verified.iter().flat_map(|segment| self.compared(segment)).collect())
    }

    fn compared(&self, segment: &Segment) -> Vec<Segment> {
        without(segment.range(), self.unverified)
            .into_iter()
            .filter_map(|part| {
                let start = part.start - segment.address;
                let bytes = segment.bytes.get(at(&(start..part.end - segment.address))?)?;
                Some(Segment { address: part.start, bytes: bytes.to_vec() })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_cut_out_of_a_range() {
        assert_eq!(without(0..10, &[0..2]), [2..10]);
        assert_eq!(without(0..10, &[3..5, 8..12]), [0..3, 5..8]);
        assert_eq!(without(4..6, &[0..10]), []);
    }
}
