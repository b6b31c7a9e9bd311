//! The heap of the boot ROM: ALLOC_INT, FREE_INT and REDO_ARENA_INT [BM 1.7].
//!
//! Blocks lie one behind the other, each with a header of two words: its size with the header,
//! and 8000 when it is used. The chain lives in the chip's RAM, where a program can spoil it.

use crate::sim::cores::cy16::Bus16;

/// Vector 69 holds the address of the first block.
const FIRST_BLOCK: u16 = 2 * 69;
const HEADER: u16 = 4;
const USED: u16 = 0x8000;

/// Lays out one free block.
pub(super) fn lay_out(bus: &mut impl Bus16, (start, end): (u16, u16)) {
    bus.write_word(FIRST_BLOCK, start);
    bus.write_word(start, end - start);
    bus.write_word(start + 2, 0);
}

/// The blocks in order: address, size, used. Ends at the first block that cannot be one.
fn blocks(bus: &mut impl Bus16, end: u16) -> Vec<(u16, u16, bool)> {
    let mut found = Vec::new();
    let mut at = bus.read_word(FIRST_BLOCK) & !1;
    while at < end {
        let size = bus.read_word(at);
        if size < HEADER || !size.is_multiple_of(2) || size > end - at {
            break;
        }
        let used = bus.read_word(at + 2) & USED != 0;
        found.push((at, size, used));
        at += size;
    }
    found
}

/// The address of `bytes` free bytes, even, in the lowest block that has room; 0 when none has.
pub(super) fn allocate(bus: &mut impl Bus16, end: u16, bytes: u16) -> u16 {
    let wanted = (bytes & 0x7FFF).saturating_add(HEADER + 1) & !1;
    for (at, size, used) in blocks(bus, end) {
        if used || size < wanted {
            continue;
        }
        let rest = size - wanted;
        if rest > HEADER {
            bus.write_word(at, wanted);
            bus.write_word(at + wanted, rest);
            bus.write_word(at + wanted + 2, 0);
        }
        bus.write_word(at + 2, USED);
        return at + HEADER;
    }
    0
}

/// Gives the block at `address` back.
pub(super) fn free(bus: &mut impl Bus16, end: u16, address: u16) {
    let header = address.wrapping_sub(HEADER);
    if blocks(bus, end).iter().any(|(at, _, used)| *at == header && *used) {
        bus.write_word(header + 2, 0);
        join(bus, end);
    }
}

/// Joins free neighbours.
pub(super) fn join(bus: &mut impl Bus16, end: u16) {
    let mut last: Option<(u16, u16)> = None;
    for (at, size, used) in blocks(bus, end) {
        last = match last {
            Some((first, before)) if !used => {
                bus.write_word(first, before + size);
                Some((first, before + size))
            }
            _ if used => None,
            _ => Some((at, size)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ram(Vec<u8>);

    impl Bus16 for Ram {
        fn read_byte(&mut self, a: u16) -> u8 {
            self.0[usize::from(a)]
        }
        fn write_byte(&mut self, a: u16, v: u8) {
            self.0[usize::from(a)] = v;
        }
        fn read_word(&mut self, a: u16) -> u16 {
            u16::from_le_bytes([self.read_byte(a), self.read_byte(a + 1)])
        }
        fn write_word(&mut self, a: u16, v: u16) {
            self.write_byte(a, v as u8);
            self.write_byte(a + 1, (v >> 8) as u8);
        }
    }

    #[test]
    fn blocks_are_even_counted_with_their_header_and_run_out() {
        let mut ram = Ram(vec![0; 0x1000]);
        lay_out(&mut ram, (0x04A4, 0x0C00));
        assert_eq!(allocate(&mut ram, 0x0C00, 5), 0x04A8);
        assert_eq!((ram.read_word(0x04A4), ram.read_word(0x04A6)), (10, 0x8000));
        assert_eq!(allocate(&mut ram, 0x0C00, 0x0800), 0);
        assert_eq!(allocate(&mut ram, 0x0C00, 0x0700), 0x04B2);
    }

    #[test]
    fn freed_neighbours_become_one_block_again() {
        let mut ram = Ram(vec![0; 0x1000]);
        lay_out(&mut ram, (0x04A4, 0x0C00));
        let (a, b) = (allocate(&mut ram, 0x0C00, 0x100), allocate(&mut ram, 0x0C00, 0x100));
        free(&mut ram, 0x0C00, a);
        free(&mut ram, 0x0C00, b);
        assert_eq!(blocks(&mut ram, 0x0C00), [(0x04A4, 0x075C, false)]);
    }

    #[test]
    fn a_spoiled_chain_ends_the_search() {
        let mut ram = Ram(vec![0; 0x1000]);
        lay_out(&mut ram, (0x04A4, 0x0C00));
        ram.write_word(0x04A4, 0);
        assert_eq!(allocate(&mut ram, 0x0C00, 2), 0);
    }
}
