//! What a memory holds and what it is to hold.

use std::ops::Range;

use super::{Unwritable, WriteOrder};
use crate::chip::{Image, Operation, Segment};
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
fn without(range: Range<u32>, holes: &[Range<u32>]) -> Vec<Range<u32>> {
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

impl<'a> Wanted<'a> {
    pub fn of(survey: &'a Survey, image: &'a Image) -> Result<Self, Unwritable> {
        let old = survey.contents.as_deref();
        let before = survey.before.as_deref().or(old);
        let mut segments = image.segments.clone();
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
    pub fn laid_over(&self, range: &Range<u32>) -> Result<Vec<u8>, u32> {
        range
            .clone()
            .map(|address| {
                let one = address..address.saturating_add(1);
                let byte = self.image(&one).or_else(|| self.before?.get(at(&one)?));
                byte.and_then(|byte| byte.first().copied()).ok_or(address)
            })
            .collect()
    }

    /// Whether an address belongs to what makes the chip boot.
    pub fn is_commit(&self, address: u32) -> bool {
        self.commit.iter().any(|range| range.contains(&address))
    }

    /// A segment of the image.
    pub fn segment(&self, range: Range<u32>) -> Option<Segment> {
        Some(Segment { address: range.start, bytes: self.image(&range)?.to_vec() })
    }

    /// What an order leaves in the memory before its commit, without what is not compared.
    pub fn verified(&self, order: &WriteOrder) -> Vec<Segment> {
        let proof = order.part_proof.iter().map(|proof| proof.segment.clone());
        let written = order.body.iter().filter_map(|operation| match operation {
            Operation::Write(segment) => Some(segment.clone()),
            Operation::Erase(_) => None,
        });
        proof.chain(written).flat_map(|segment| self.compared(&segment)).collect()
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
