//! How large a memory is, told from what was read of it.
//!
//! A serial EEPROM ignores the address bits it does not have, so reading beyond its end shows its
//! beginning again [Microchip 24LC64/24LC16B data sheets]. Content that repeats by
//! itself looks the same, so a repetition proves a size only where the repeated block is not
//! itself made of two equal halves.

use crate::chip::Size;

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
/// `smallest` is the smallest part of the address width, `reach` the first address the width
/// cannot express, all in bytes. `contents` is as much as was read, a power of two. `None` asks
/// for more to be read: nothing repeats yet and the reach is not yet read.
pub fn proven_size(contents: &[u8], smallest: u32, reach: u32) -> Option<Size> {
    let mut size = smallest;
    while size < reach {
        let period = usize::try_from(size).unwrap_or(usize::MAX);
        if contents.len() >= period.saturating_mul(2) && repeats(contents, period) {
            let distinctive = contents.get(..period).is_some_and(is_distinctive);
            return Some(if distinctive { Size::Proven(size) } else { Size::AtLeast(smallest) });
        }
        size = size.saturating_mul(2);
    }
    (contents.len() >= usize::try_from(reach).unwrap_or(usize::MAX)).then_some(Size::Proven(reach))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a part of `size` bytes shows over `reach` addresses.
    fn wrapped(size: usize, reach: usize) -> Vec<u8> {
        (0..reach).map(|address| ((address % size) * 7 / 3) as u8).collect()
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
