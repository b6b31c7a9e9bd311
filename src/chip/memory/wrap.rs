//! How large a memory is that tells no size: told from what was read of it, or proven by the first
//! write.
//!
//! A serial EEPROM ignores the address bits it does not have, so reading beyond its end shows its
//! beginning again [Microchip 24LC64/24LC16B data sheets]. Content that repeats by
//! itself looks the same, so a repetition proves a size only where the repeated block is not
//! itself made of two equal halves.

use serde::Serialize;

use super::{Segment, Size};

/// A first write that also shows what reading a uniform memory cannot: whether the part is large
/// enough for the image, and how large its pages are. A part that is too small shows the write once
/// more further up, smaller pages would wrap it into their own start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartProof {
    /// The write; where its aliases are in question, inside the smallest part there is.
    pub segment: Segment,
    /// For each size in question, the address at which the write would appear once more.
    pub aliases: Vec<Alias>,
    /// The program unit that it is written with, bytes.
    pub unit: u32,
    /// Smaller units that the part may have, ascending, bytes; empty where the write shows none.
    pub smaller_units: Vec<u32>,
}

/// Where a part of `size` bytes would show a write once more, beyond its end.
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
        size = larger(size);
    }
    (contents.len() >= usize::try_from(address_limit).unwrap_or(usize::MAX))
        .then_some(Size::Proven(address_limit))
}

/// The sizes of parts from `smallest` on that end before `end`, ascending, bytes.
pub fn sizes_below(end: u32, smallest: u32) -> Vec<u32> {
    let sizes = std::iter::successors(Some(smallest.max(1)), |size| Some(larger(*size)));
    sizes.take_while(|size| *size < end).collect()
}

/// What a part with pages of `page` bytes holds from `start` on, where it held `old`, after one
/// write of `bytes`: within a page a write goes on at the page's start. `None` where it would
/// change bytes before `start`.
pub fn in_one_page(start: u32, old: &[u8], bytes: &[u8], page: u32) -> Option<Vec<u8>> {
    let page = page.max(1);
    let first = start - start % page;
    let mut after = old.to_vec();
    for (offset, byte) in (start % page..).zip(bytes) {
        let place = (first + offset % page).checked_sub(start)?;
        *after.get_mut(usize::try_from(place).ok()?)? = *byte;
    }
    Some(after)
}

/// The next size of a part. Between the 24C00 with 16 bytes and the 24C01 with 128 there is none.
fn larger(size: u32) -> u32 {
    if size == 16 { 128 } else { size.saturating_mul(2) }
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

    #[test]
    fn no_part_has_a_size_between_16_and_128_bytes() {
        let tiny = wrapped(16, 2048);
        assert_eq!(proven_size(&tiny, 16, 2048), Some(Size::Proven(16)));
        let sizes = sizes_below(600, 16);
        assert_eq!(sizes, [16, 128, 256, 512]);
    }

    #[test]
    fn a_write_longer_than_a_page_ends_in_the_pages_start() {
        let (old, bytes) = ([0xff; 8], [1, 2, 3, 4, 5, 6, 7, 8]);
        let held = |page| in_one_page(0x10, &old, &bytes, page).unwrap();
        assert_eq!(held(8), bytes);
        assert_eq!(held(4), [5, 6, 7, 8, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(held(1), [8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        // From the middle of a page on it would change what lies before.
        assert_eq!(in_one_page(0x12, &old, &bytes, 4), None);
        assert_eq!(in_one_page(0x12, &old, &bytes, 16).unwrap(), bytes);
    }
}
