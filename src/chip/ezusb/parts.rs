//! The EEPROM parts this family boots from, as data: what their address width tells of them, and
//! the page that every part of a size takes.
//!
//! Sources: data sheets of 24LC00 to 24LC512 and their like (documented). Writing a page in
//! smaller pieces is always right.

use crate::chip::AddressWidth;

/// The parts of one address width.
#[derive(Debug, PartialEq, Eq)]
pub struct PartClass {
    /// Address bytes.
    pub width: AddressWidth,
    /// The first address that cannot be expressed.
    pub reach: u32,
    /// The smallest part there is, bytes.
    pub smallest: u32,
    /// The smallest page by capacity, both in bytes.
    pages: &'static [(u32, u32)],
}

const ONE: PartClass =
    PartClass { width: AddressWidth::One, reach: 2048, smallest: 128, pages: &[(0, 8), (512, 16)] };

const TWO: PartClass = PartClass {
    width: AddressWidth::Two,
    reach: 0x1_0000,
    smallest: 4096,
    pages: &[(0, 32), (16 * 1024, 64), (64 * 1024, 128)],
};

impl PartClass {
    /// The class of that many address bytes.
    pub fn of(address_bytes: u8) -> Option<&'static Self> {
        match address_bytes {
            1 => Some(&ONE),
            2 => Some(&TWO),
            _ => None,
        }
    }

    /// The page that every part of at least `bytes` takes.
    pub fn page_of(&self, bytes: u32) -> u32 {
        let fits = self.pages.iter().rev().find(|(capacity, _)| *capacity <= bytes);
        fits.map_or(1, |(_, page)| *page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_the_smallest_of_the_common_parts_of_that_size() {
        for (bytes, page) in [(1, 8), (128, 8), (256, 8), (512, 16), (2048, 16)] {
            assert_eq!(PartClass::of(1).unwrap().page_of(bytes), page, "{bytes}");
        }
        let sizes = [(1, 32), (4096, 32), (8192, 32), (16384, 64), (32768, 64), (65536, 128)];
        for (bytes, page) in sizes {
            assert_eq!(PartClass::of(2).unwrap().page_of(bytes), page, "{bytes}");
        }
        assert_eq!(PartClass::of(0), None);
    }
}
