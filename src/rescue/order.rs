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
pub struct Run {
    /// Memory address of the first byte.
    pub address: u32,
    /// The bytes; at most the memory's span. Events tell their number.
    #[serde(serialize_with = "as_length")]
    pub bytes: Vec<u8>,
}

fn as_length<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(bytes.len() as u64)
}

impl Run {
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
    pub run: Run,
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
    pub invalidate: Option<Run>,
    /// Proves size and page, where reading could not.
    pub part_proof: Option<PartProof>,
    /// What differs, without the signature.
    pub body: Vec<Run>,
    /// The signature.
    pub commit: Option<Run>,
}

impl WriteOrder {
    /// Whether the memory already holds the image.
    pub fn is_empty(&self) -> bool {
        self.runs().next().is_none()
    }

    /// Every write, in order.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.invalidate
            .iter()
            .chain(self.part_proof.iter().map(|proof| &proof.run))
            .chain(&self.body)
            .chain(&self.commit)
    }

    /// The body's writes, the one that proves the part included.
    pub fn body_runs(&self) -> impl Iterator<Item = &Run> {
        self.part_proof.iter().map(|proof| &proof.run).chain(&self.body)
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
    let invalidate = breaks_first.then(|| Run {
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
    invalidate: Option<&Run>,
    geometry: Geometry,
) -> Option<Run> {
    let invalidated = invalidate.map_or(&[][..], |run| run.bytes.as_slice());
    let now = |index: usize| invalidated.get(index).or_else(|| old?.get(index));
    let is_missing = |index: &usize| now(*index) != head.get(*index);
    let first = (0..head.len()).find(is_missing)?;
    let last = (0..head.len()).rfind(is_missing)?;
    if geometry.page > 1 {
        return Some(Run { address: 0, bytes: head.to_vec() });
    }
    Some(Run { address: u32::try_from(first).ok()?, bytes: head.get(first..=last)?.to_vec() })
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
    Some(PartProof { run: Run { address, bytes }, aliases })
}

/// Joins neighbouring units into writes of at most a span.
fn merge(units: &[Range<usize>], image: &[u8], geometry: Geometry) -> Vec<Run> {
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
            Some(Run { address, bytes: image.get(range)?.to_vec() })
        })
        .collect()
}

#[cfg(test)]
#[path = "order_tests.rs"]
mod tests;
