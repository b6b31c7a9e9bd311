//! The heap of the boot ROM as read from the chip's RAM: where a block of ours lies already, and
//! whether there is room for one. Op 02 never frees what it allocates, and what it does without
//! room is not documented, so nothing is placed twice or without looking. Pure; the bytes may be
//! anything.
//!
//! Vector 69 holds the address of the first block. A block begins with two words, its size with
//! them and 8000 when it is used, and the next one follows it [BM 1.7] (documented for the EZ
//! chips, inferred for the SL11R).

/// The word that holds the address of the first block.
const FIRST: usize = 2 * 69;
/// Bytes in front of what a block holds.
pub const HEADER: usize = 4;
const USED: u16 = 0x8000;

/// A block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Address of what it holds.
    pub address: usize,
    /// Bytes it holds.
    pub length: usize,
    /// Whether it was given away.
    pub is_used: bool,
}

/// The blocks of `ram`, which begins at address 0; `None` when the words are no such chain. Each
/// step goes up, so the work is bounded by the RAM.
pub fn blocks(ram: &[u8]) -> Option<Vec<Block>> {
    let word = |at: usize| {
        let pair = ram.get(at..at.checked_add(2)?)?;
        pair.try_into().ok().map(u16::from_le_bytes)
    };
    let mut found = Vec::new();
    let mut at = usize::from(word(FIRST)?);
    while at < ram.len() {
        let (size, flag) = (usize::from(word(at)?), word(at + 2)?);
        // How the chain ends is not documented: here by its memory's end or a size of zero.
        if size == 0 {
            break;
        }
        let next = at + size;
        if at < FIRST || !at.is_multiple_of(2) || size < HEADER || next > ram.len() {
            return None;
        }
        if !matches!(flag, 0 | USED) {
            return None;
        }
        let (address, length) = (at + HEADER, size - HEADER);
        found.push(Block { address, length, is_used: flag == USED });
        at = next;
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ram(first: u16, headers: &[(usize, u16, u16)]) -> Vec<u8> {
        let mut ram = vec![0xa5; 0x0c00];
        let mut put = |at: usize, word: u16| ram[at..at + 2].copy_from_slice(&word.to_le_bytes());
        put(FIRST, first);
        for (at, size, flag) in headers {
            put(*at, *size);
            put(*at + 2, *flag);
        }
        ram
    }

    #[test]
    fn a_chain_is_walked_to_the_end_of_the_ram() {
        let ram = ram(0x4a4, &[(0x4a4, 0x100, 0x8000), (0x5a4, 0x65c, 0)]);
        assert_eq!(
            blocks(&ram).unwrap(),
            [
                Block { address: 0x4a8, length: 0xfc, is_used: true },
                Block { address: 0x5a8, length: 0x658, is_used: false },
            ]
        );
    }

    #[test]
    fn words_that_are_no_chain_are_not_taken_for_one() {
        assert_eq!(blocks(&ram(0x4a4, &[(0x4a4, 0x75d, 0)])), None);
        assert_eq!(blocks(&ram(0x4a4, &[(0x4a4, 0x100, 0x1234)])), None);
        assert_eq!(blocks(&ram(0x4a5, &[(0x4a5, 0x100, 0)])), None);
        assert_eq!(blocks(&ram(0x0000, &[])), None);
        assert_eq!(blocks(&ram(0xffff, &[])), None);
        assert_eq!(blocks(&[0; 64]), None);
        assert_eq!(blocks(&[0; 0x0c00]), None);
    }

    proptest! {
        #[test]
        fn no_ram_makes_the_walk_panic(words in proptest::collection::vec(0..0x20_u16, 0..0x600)) {
            let ram: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            if let Some(blocks) = blocks(&ram) {
                prop_assert!(blocks.iter().all(|b| b.address + b.length <= ram.len()));
            }
        }
    }
}
