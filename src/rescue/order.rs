//! The order in which a memory is written, so that at every moment the device is either blank and
//! recoverable or complete [design R3]: a signature that is or may be valid goes first, the body
//! next, the new signature last. A memory that could not be read may hold anything, a valid
//! signature included [design R9].
//!
//! fxload writes its EEPROMs in this order (documented in its ezusb.c; references.md). Read-back
//! between the body and the signature is a step of the plan.

use std::ops::Range;

use serde::{Serialize, Serializer};

use super::diagnosis::{BootsNow, Survey};
use crate::chip::{Geometry, Size};

/// One write: bytes to one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// Memory address of the first byte.
    pub address: u32,
    /// The bytes; at most the memory's span. Events tell their number.
    #[serde(serialize_with = "as_length")]
    pub bytes: Vec<u8>,
}

fn as_length<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(bytes.len() as u64)
}

impl Segment {
    /// The addresses it covers.
    pub fn range(&self) -> Range<u32> {
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.address..self.address.saturating_add(length)
    }
}

/// A first write that also shows what reading a uniform memory cannot: whether the part is large
/// enough for the image, and whether it takes pages as large as were planned. A smaller part would
/// show the write at a lower address, smaller pages would wrap it into their own start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartProof {
    /// The write, one unit of the image.
    pub segment: Segment,
    /// For each smaller size, the address at which the write would appear.
    pub aliases: Vec<Alias>,
}

/// Where a part of `size` bytes would show a write beyond its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Alias {
    /// The size, bytes.
    pub size: u32,
    /// The address.
    pub address: u32,
}

/// Everything that is written, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WriteOrder {
    /// Breaks a signature that is valid now, or may be.
    pub invalidate: Option<Segment>,
    /// Proves size and page, where reading could not.
    pub part_proof: Option<PartProof>,
    /// What differs, without the signature.
    pub body: Vec<Segment>,
    /// The signature.
    pub commit: Option<Segment>,
}

impl WriteOrder {
    /// Whether the memory already holds the image.
    pub fn is_empty(&self) -> bool {
        self.segments().next().is_none()
    }

    /// Every write, in order.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.invalidate
            .iter()
            .chain(self.part_proof.iter().map(|proof| &proof.segment))
            .chain(&self.body)
            .chain(&self.commit)
    }

    /// The body's writes, the one that proves the part included.
    pub fn body_segments(&self) -> impl Iterator<Item = &Segment> {
        self.part_proof.iter().map(|proof| &proof.segment).chain(&self.body)
    }
}

/// The order that turns what `survey` found into `image`.
///
/// `signature` is how many bytes at address 0 make the chip boot; `boots_now` whether the chip
/// would boot from what is there now. Bytes beyond the image are left as they are; all of the image
/// is written where what is there is unknown.
pub fn write_order(
    survey: &Survey,
    image: &[u8],
    signature: u32,
    boots_now: BootsNow,
) -> WriteOrder {
    let geometry = survey.geometry;
    let old = survey.contents.as_deref();
    let signature = usize::try_from(signature).unwrap_or(0).min(image.len());
    let (head, _) = image.split_at(signature);
    let mut dirty = dirty_units(old, image, signature, geometry.page);
    if geometry.from_start
        && let (Some(first), Some(last)) = (dirty.first(), dirty.last())
    {
        // Every write repeats what lies before it, so one long one costs less than two.
        let whole = first.start..last.end;
        dirty.clear();
        dirty.push(whole);
    }
    let signature_kept = old.is_some_and(|old| old.starts_with(head));
    if dirty.is_empty() && signature_kept {
        return WriteOrder::default();
    }
    let breaks_first = match boots_now {
        BootsNow::Yes => !dirty.is_empty(),
        BootsNow::No => false,
        BootsNow::Unknown => true,
    };
    let invalidate = breaks_first.then(|| Segment {
        address: 0,
        // FF is no family's signature byte and is what an erased part holds.
        bytes: vec![0xff],
    });
    let part_proof = match (survey.size, old) {
        (Size::AtLeast(least), Some(old)) => {
            take_part_proof(&mut dirty, old, image, least, geometry)
        }
        _ => None,
    };
    let body = merge(&dirty, image, geometry);
    let commit = commit(old, head, invalidate.as_ref(), geometry);
    WriteOrder { invalidate, part_proof, body, commit }
}

/// The signature's bytes that are not there, from the first to the last of them; all of them where
/// a page costs no more, and all of those that were not read.
fn commit(
    old: Option<&[u8]>,
    head: &[u8],
    invalidate: Option<&Segment>,
    geometry: Geometry,
) -> Option<Segment> {
    let invalidated = invalidate.map_or(&[][..], |segment| segment.bytes.as_slice());
    let now = |index: usize| invalidated.get(index).or_else(|| old?.get(index));
    let is_missing = |index: &usize| now(*index) != head.get(*index);
    let first = (0..head.len()).find(is_missing)?;
    let last = (0..head.len()).rfind(is_missing)?;
    if geometry.page > 1 {
        return Some(Segment { address: 0, bytes: head.to_vec() });
    }
    Some(Segment { address: u32::try_from(first).ok()?, bytes: head.get(first..=last)?.to_vec() })
}

/// The units (pages, or bytes) of the image that differ from the memory or were not read, the
/// signature left out.
fn dirty_units(old: Option<&[u8]>, image: &[u8], signature: usize, page: u32) -> Vec<Range<usize>> {
    let page = usize::try_from(page.max(1)).unwrap_or(1);
    let mut units = Vec::new();
    let mut start = signature;
    while start < image.len() {
        let end = (start - start % page + page).min(image.len());
        if old.and_then(|old| old.get(start..end)) != image.get(start..end) {
            units.push(start..end);
        }
        start = end;
    }
    units
}

/// Takes the unit whose write shows most about the part out of `dirty`: one beyond `least` bytes
/// proves the size, a whole page the page.
fn take_part_proof(
    dirty: &mut Vec<Range<usize>>,
    old: &[u8],
    image: &[u8],
    least: u32,
    geometry: Geometry,
) -> Option<PartProof> {
    let least = usize::try_from(least).ok()?;
    let page = usize::try_from(geometry.page).ok()?;
    // Only a byte unlike the uniform content can be recognised where it does not belong.
    let shows = |bytes: Option<&[u8]>| {
        bytes.is_some_and(|bytes| bytes.iter().any(|byte| old.first() != Some(byte)))
    };
    let beyond = |unit: &Range<usize>| unit.start >= least && shows(image.get(unit.clone()));
    let whole_page = |unit: &Range<usize>| {
        let middle = unit.start + page / 2;
        page > 1
            && unit.end - unit.start == page
            && shows(image.get(unit.start..middle))
            && shows(image.get(middle..unit.end))
    };
    let chosen = match dirty.iter().rposition(beyond) {
        None => dirty.iter().rposition(whole_page),
        found => dirty.iter().rposition(|unit| beyond(unit) && whole_page(unit)).or(found),
    };
    let unit = dirty.remove(chosen?);
    let address = u32::try_from(unit.start).ok()?;
    let mut aliases = Vec::new();
    let mut size = geometry.smallest;
    while size <= address {
        aliases.push(Alias { size, address: address % size });
        size = size.saturating_mul(2);
    }
    let bytes = image.get(unit)?.to_vec();
    Some(PartProof { segment: Segment { address, bytes }, aliases })
}

/// Joins neighbouring units into writes of at most a span.
fn merge(units: &[Range<usize>], image: &[u8], geometry: Geometry) -> Vec<Segment> {
    let span = usize::try_from(geometry.span.max(1)).unwrap_or(1);
    let page = usize::try_from(geometry.page.max(1)).unwrap_or(1);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for unit in units {
        match ranges.last_mut() {
            // A write that starts inside a page may not leave it: the first page's, which starts
            // behind the signature, stays alone.
            Some(last)
                if last.end == unit.start
                    && unit.end - last.start <= span
                    && last.start % page == 0 =>
            {
                last.end = unit.end;
            }
            _ => ranges.push(unit.clone()),
        }
    }
    ranges
        .into_iter()
        .filter_map(|range| {
            let address = u32::try_from(range.start).ok()?;
            Some(Segment { address, bytes: image.get(range)?.to_vec() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chip::AddressWidth;

    fn geometry(page: u32, span: u32) -> Geometry {
        let (width, reach, smallest) = (AddressWidth::Two, 0x1_0000, 0x1000);
        let (bus_hz, from_start, reads_back) = (100_000, false, false);
        Geometry { width, reach, smallest, page, span, bus_hz, from_start, reads_back }
    }

    fn survey(contents: Vec<u8>, size: Size, page: u32, span: u32) -> Survey {
        let part_bytes = 0x1000;
        let geometry = geometry(page, span);
        Survey { geometry, size, part_bytes, contents: Some(contents), unreadable: None }
    }

    /// What the memory holds after each write of the order, from `old` on.
    fn play(order: &WriteOrder, old: &[u8]) -> Vec<Vec<u8>> {
        let mut memory = old.to_vec();
        order
            .segments()
            .map(|segment| {
                let at = segment.address as usize;
                memory[at..at + segment.bytes.len()].copy_from_slice(&segment.bytes);
                memory.clone()
            })
            .collect()
    }

    #[test]
    fn an_image_that_is_there_already_needs_no_write() {
        let image = b"\xb6\xc3some records".to_vec();
        let mut old = image.clone();
        old.resize(0x1000, 0xff);
        let survey = survey(old, Size::Proven(0x1000), 32, 1024);
        assert!(write_order(&survey, &image, 2, BootsNow::Yes).is_empty());
    }

    #[test]
    fn a_valid_signature_is_broken_before_anything_else_changes() {
        let mut old = b"\xb6\xc3old records".to_vec();
        old.resize(0x1000, 0xff);
        let survey = survey(old, Size::Proven(0x1000), 32, 1024);
        let order = write_order(&survey, b"\xb6\xc3new records", 2, BootsNow::Yes);
        assert_eq!(order.segments().next(), Some(&Segment { address: 0, bytes: vec![0xff] }));
        assert_eq!(order.commit, Some(Segment { address: 0, bytes: vec![0xb6, 0xc3] }));
    }

    #[test]
    fn where_every_byte_is_a_write_cycle_only_the_missing_signature_bytes_are_written() {
        let mut old = b"\xb6\xc3old records".to_vec();
        old.resize(0x800, 0xff);
        let survey = survey(old, Size::Proven(0x800), 1, 256);
        let order = write_order(&survey, b"\xb6\xc3new records", 2, BootsNow::Yes);
        assert_eq!(order.commit, Some(Segment { address: 0, bytes: vec![0xb6] }));
    }

    #[test]
    fn a_uniform_memory_is_proven_large_enough_by_the_images_last_unit() {
        let mut image = vec![0x11; 0x1100];
        image[..2].copy_from_slice(b"\xb6\xc3");
        let survey = survey(vec![0; 0x4000], Size::AtLeast(0x1000), 64, 1024);
        let order = write_order(&survey, &image, 2, BootsNow::No);
        let proof = order.part_proof.unwrap();
        assert_eq!(proof.segment.range(), 0x10c0..0x1100);
        assert_eq!(proof.aliases, vec![Alias { size: 0x1000, address: 0xc0 }]);
    }

    #[test]
    fn a_uniform_memory_proves_its_page_by_a_whole_one_even_when_the_size_is_no_question() {
        let mut image: Vec<u8> = (0..300).map(|i| (i % 251) as u8).collect();
        image[..2].copy_from_slice(b"\xb6\xc3");
        let survey = survey(vec![0xff; 0x1000], Size::AtLeast(0x1000), 64, 1024);
        let proof = write_order(&survey, &image, 2, BootsNow::No).part_proof.unwrap();
        assert_eq!(
            proof.segment.range(),
            0xc0..0x100,
            "the last whole page, not the rest behind it"
        );
        assert_eq!(proof.aliases, vec![]);
    }

    #[test]
    fn a_memory_written_from_its_start_gets_its_body_in_one_write() {
        let image: Vec<u8> = (0..=255).collect();
        let mut old = image.clone();
        for at in [0, 9, 100, 200] {
            old[at] = !old[at];
        }
        let mut survey = survey(old, Size::Proven(256), 8, 256);
        survey.geometry.from_start = true;
        let order = write_order(&survey, &image, 8, BootsNow::No);
        let body: Vec<_> =
            order.body.iter().map(|segment| (segment.address, segment.range().end)).collect();
        assert_eq!(body, [(8, 208)]);
        assert_eq!(order.commit.map(|segment| segment.range()), Some(0..8));
    }

    #[test]
    fn a_memory_that_was_not_read_gets_its_signature_broken_and_every_byte_of_the_image() {
        let image: Vec<u8> = b"\xb6\xc3".iter().copied().chain(0..=255).collect();
        for page in [1, 8, 64] {
            let mut survey = survey(Vec::new(), Size::AtLeast(0x1000), page, 256);
            survey.contents = None;
            let order = write_order(&survey, &image, 2, BootsNow::Unknown);
            assert_eq!(order.segments().next(), Some(&Segment { address: 0, bytes: vec![0xff] }));
            assert_eq!(order.commit, Some(Segment { address: 0, bytes: vec![0xb6, 0xc3] }));
            for byte in [0x00, 0xb6, 0xff] {
                let states = play(&order, &[byte; 0x1000]);
                assert!(states.last().unwrap().starts_with(&image), "page {page}, {byte:02x}");
            }
        }
    }

    #[test]
    fn an_image_that_is_all_signature_is_not_mixed_with_an_unread_one() {
        let mut survey = survey(Vec::new(), Size::AtLeast(0x1000), 1, 256);
        survey.contents = None;
        let order = write_order(&survey, b"\xb6\xc3", 2, BootsNow::Unknown);
        assert_eq!(order.segments().next(), Some(&Segment { address: 0, bytes: vec![0xff] }));
        assert_eq!(order.commit, Some(Segment { address: 0, bytes: vec![0xb6, 0xc3] }));
    }

    #[test]
    fn bytes_behind_a_short_reading_are_taken_for_changed() {
        let image = b"\xb6\xc3some records".to_vec();
        let survey = survey(image[..6].to_vec(), Size::Proven(0x1000), 1, 256);
        let order = write_order(&survey, &image, 2, BootsNow::Yes);
        assert_eq!(order.body, vec![Segment { address: 6, bytes: image[6..].to_vec() }]);
    }

    proptest! {
        #[test]
        fn every_order_ends_in_the_image_and_is_unbootable_until_its_last_write(
            old in proptest::collection::vec(any::<u8>(), 512),
            same in 0usize..300,
            image in proptest::collection::vec(any::<u8>(), 3..400),
            page in prop_oneof![Just(1u32), Just(8), Just(16), Just(64)],
            uniform in any::<bool>(),
            valid in any::<bool>(),
        ) {
            let mut image = image;
            image[..2].copy_from_slice(&[0xb6, 0xc3]);
            let mut old = if uniform { vec![0xff; 512] } else { old };
            if !uniform {
                let same = same.min(image.len());
                old[..same].copy_from_slice(&image[..same]);
            }
            if valid { old[..2].copy_from_slice(&[0xb6, 0xc3]) } else { old[0] = 0xff }
            let survey = survey(old.clone(), Size::Proven(512), page, page.max(256));
            let boots_now = if valid { BootsNow::Yes } else { BootsNow::No };
            let order = write_order(&survey, &image, 2, boots_now);
            let states = play(&order, &old);
            if let Some((last, before)) = states.split_last() {
                prop_assert_eq!(&last[..image.len()], &image[..]);
                prop_assert_eq!(&last[image.len()..], &old[image.len()..]);
                for state in before {
                    prop_assert_ne!(&state[..2], &[0xb6u8, 0xc3][..]);
                }
            } else {
                prop_assert_eq!(&old[..image.len()], &image[..]);
            }
            for segment in order.body_segments() {
                let inside = segment.range();
                prop_assert!(inside.start % page == 0 || inside.start / page == (inside.end - 1) / page);
                prop_assert!(segment.bytes.len() as u32 <= page.max(256));
            }
        }
    }
}
