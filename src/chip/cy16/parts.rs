//! The EEPROM parts an EZ chip boots from, as data: the class that is told by how it is wired, and
//! the page that every part of a size takes.

use super::loader::Wiring;
use crate::chip::AddressWidth;

/// The parts of one wiring [BM 1.7.10, MK]. A width answers on one wiring only: the other swaps
/// clock and data.
#[derive(Debug, PartialEq, Eq)]
pub struct PartClass {
    /// Address bytes.
    pub width: AddressWidth,
    /// Its pins.
    pub wiring: Wiring,
    /// The first address that cannot be expressed.
    pub reach: u32,
    /// The smallest part there is, bytes.
    pub smallest: u32,
    /// The page every part of the class takes, bytes.
    pub smallest_page: u16,
}

/// Both classes.
pub const CLASSES: [&PartClass; 2] = [
    &PartClass {
        width: AddressWidth::One,
        wiring: Wiring::INT_64,
        reach: 2048,
        smallest: 128,
        smallest_page: 8,
    },
    &PartClass {
        width: AddressWidth::Two,
        wiring: Wiring::INT_65,
        reach: 0x1_0000,
        smallest: 4096,
        smallest_page: 32,
    },
];

/// The smallest page of the common parts from a capacity on (documented: data sheets of 24LC01B
/// to 24LC512 and their like). Writing a page in smaller pieces is always right.
const PAGES: [(u32, u16); 5] =
    [(0, 8), (512, 16), (4 * 1024, 32), (16 * 1024, 64), (64 * 1024, 128)];

impl PartClass {
    /// The page that every part of at least `bytes` takes, never less than the class's smallest.
    pub fn page_of(&self, bytes: u32) -> u16 {
        let fits = PAGES.iter().rev().find(|(capacity, _)| *capacity <= bytes);
        fits.map_or(0, |(_, page)| *page).max(self.smallest_page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_the_smallest_of_the_common_parts_of_that_size() {
        let [one, two] = CLASSES;
        for (bytes, page) in [(128, 8), (256, 8), (512, 16), (1024, 16), (2048, 16)] {
            assert_eq!(one.page_of(bytes), page, "{bytes}");
        }
        let sizes = [(4096, 32), (8192, 32), (16384, 64), (32768, 64), (65536, 128)];
        for (bytes, page) in sizes {
            assert_eq!(two.page_of(bytes), page, "{bytes}");
        }
        assert_eq!(two.page_of(1), 32);
    }
}
