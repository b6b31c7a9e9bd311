//! How large a memory is that tells no size: told from what was read of it, or proven by the first
//! write.
//!
//! A serial EEPROM ignores the address bits it does not have, so reading beyond its end shows its
//! beginning again [Microchip 24LC64/24LC16B data sheets]. Content that repeats by
//! itself looks the same, so a repetition proves a size only where the repeated block is not
//! itself made of two equal halves.

use std::ops::Range;

use serde::Serialize;

use super::{Layout, Segment, Size};

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

/// Whether every byte is the same. An empty slice is.
pub fn is_uniform(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|first| bytes.iter().all(|byte| byte == first))
}

/// Whether `bytes` is one block of `period` bytes over and over.
fn repeats(bytes: &[u8], period: usize) -> bool {
    let Some((block, _)) = bytes.split_at_checked(period) else { return false };
    bytes.chunks(period).all(|chunk| Some(chunk) == block.get(..chunk.len()))
}

/// Whether the two halves of a block differ, so that seeing it again means the part has wrapped.
fn is_distinctive(block: &[u8]) -> bool {
    block.split_at_checked(block.len() / 2).is_some_and(|(low, high)| low != high)
}

/// The size that `contents`, read from address 0 on, proves.
///
/// `smallest` is the smallest part of the address width, `address_limit` the first address the width
/// cannot express, all in bytes. `contents` is as much as was read, a power of two. `None` asks
/// for more to be read: nothing repeats yet and the reach is not yet read.
pub fn proven_size(contents: &[u8], smallest: u32, address_limit: u32) -> Option<Size> {
    let mut size = smallest;
    while size < address_limit {
        let period = usize::try_from(size).unwrap_or(usize::MAX);
        if contents.len() >= period.saturating_mul(2) && repeats(contents, period) {
            let distinctive = contents.get(..period).is_some_and(is_distinctive);
            return Some(if distinctive { Size::Proven(size) } else { Size::AtLeast(smallest) });
        }
        size = size.saturating_mul(2);
    }
    (contents.len() >= usize::try_from(address_limit).unwrap_or(usize::MAX))
        .then_some(Size::Proven(address_limit))
}

/// Takes the unit whose write shows most about the part out of `dirty`: one beyond `minimum` bytes
/// proves the size, a whole page the page. `old` is what was read, the same byte throughout;
/// `image` gives the image's bytes of a range. Addresses in bytes.
pub fn take_part_proof(
    dirty: &mut Vec<Range<u32>>,
    old: &[u8],
    image: impl Fn(&Range<u32>) -> Option<Vec<u8>>,
    minimum: u32,
    layout: Layout,
) -> Option<PartProof> {
    let page = layout.unit;
    // Only a byte unlike the uniform content can be recognised where it does not belong.
    let shows = |range: &Range<u32>| {
        image(range).is_some_and(|bytes| bytes.iter().any(|byte| old.first() != Some(byte)))
    };
    let beyond = |unit: &Range<u32>| unit.start >= minimum && shows(unit);
    let whole_page = |unit: &Range<u32>| {
        let middle = unit.start.saturating_add(page / 2);
        page > 1
            && unit.end - unit.start == page
            && shows(&(unit.start..middle))
            && shows(&(middle..unit.end))
    };
    let chosen = match dirty.iter().rposition(beyond) {
        None => dirty.iter().rposition(whole_page),
        found => dirty.iter().rposition(|unit| beyond(unit) && whole_page(unit)).or(found),
    };
    let unit = dirty.remove(chosen?);
    let mut aliases = Vec::new();
    let mut size = layout.extent.minimum().max(1);
    while size <= unit.start {
        aliases.push(Alias { size, address: unit.start % size });
        size = size.saturating_mul(2);
    }
    Some(PartProof { segment: Segment { address: unit.start, bytes: image(&unit)? }, aliases })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a part of `size` bytes shows over `address_limit` addresses.
    fn wrapped(size: usize, address_limit: usize) -> Vec<u8> {
        (0..address_limit).map(|address| ((address % size) * 7 / 3) as u8).collect()
    }

    #[test]
    fn a_part_that_wraps_proves_its_size() {
        for size in [128, 256, 512, 1024] {
            assert_eq!(
                proven_size(&wrapped(size, 2048), 128, 2048),
                Some(Size::Proven(size as u32))
            );
        }
        assert_eq!(proven_size(&wrapped(2048, 2048), 128, 2048), Some(Size::Proven(2048)));
    }

    #[test]
    fn uniform_content_proves_only_the_smallest_part() {
        assert_eq!(proven_size(&[0; 2048], 128, 2048), Some(Size::AtLeast(128)));
    }

    #[test]
    fn a_short_pattern_is_not_taken_for_a_wrap() {
        let pattern: Vec<u8> = (0..2048).map(|i| if i % 2 == 0 { 0x55 } else { 0xaa }).collect();
        assert_eq!(proven_size(&pattern, 128, 2048), Some(Size::AtLeast(128)));
    }

    #[test]
    fn more_is_asked_for_while_nothing_repeats() {
        assert_eq!(proven_size(&wrapped(0x4000, 0x2000), 0x1000, 0x10000), None);
        assert_eq!(
            proven_size(&wrapped(0x4000, 0x8000), 0x1000, 0x10000),
            Some(Size::Proven(0x4000))
        );
    }
}
