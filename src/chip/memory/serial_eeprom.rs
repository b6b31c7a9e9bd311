//! A serial EEPROM on an I2C bus as a loader in a chip's RAM reaches it: what the address width
//! tells of a part, the page that every part of a size takes, and the loop that reads it in runs.
//!
//! How a run is asked for, and how the width was found out, is the family's. What a caller sees of
//! a part is the [`Memory`](super::Memory).
//!
//! Sources: data sheets of 24LC00 to 24LC512 and their like (documented). Writing a page in
//! smaller pieces is always right.

use std::ops::Range;
use std::time::Duration;

use serde::Serialize;

use super::{Costs, Erase, Extent, Layout, MemoryError, Sequence};
use crate::chip::ChipError;

/// What one block bit of an I2C address selects, bytes.
const BLOCK: u32 = 0x100;
/// The fewest bytes whose equality at both clocks is taken for a proof.
const MIN_COMPARED: usize = 64;

/// How many address bytes a serial EEPROM takes after its control byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressWidth {
    /// One, the parts up to 2 KB; the bits above eight are in the control byte.
    One,
    /// Two, the parts from 4 KB.
    Two,
}

/// Longest write cycle of the 24xx parts [24LC16B, 24LC64, 24LC128 data sheets: tWC 5 ms].
const WRITE_CYCLE: Duration = Duration::from_millis(5);

/// Clocks of one byte with its acknowledge.
const BYTE_CLOCKS: u32 = 9;

/// How a chip reaches a serial EEPROM.
pub struct Route {
    /// Address bytes.
    pub width: AddressWidth,
    /// The first address that cannot be expressed.
    pub address_limit: u32,
    /// The smallest part there is, bytes.
    pub smallest: u32,
    /// The page that is written, bytes; 1 where single bytes are.
    pub page: u32,
    /// Every page that parts of its kind have, ascending; empty where none is chosen.
    pub pages: &'static [u32],
    /// The most bytes of one write.
    pub largest_write: u32,
    /// Clock of the I2C bus, hertz.
    pub bus_hz: u32,
    /// The order in which addresses may be written.
    pub sequence: Sequence,
}

impl Route {
    /// The layout of a part behind it.
    pub fn layout(&self) -> Layout {
        let bit = Duration::from_nanos(1_000_000_000 / u64::from(self.bus_hz.max(1)));
        let address_bytes = match self.width {
            AddressWidth::One => 1,
            AddressWidth::Two => 2,
        };
        // START and STOP take about a clock each.
        let frame = (1 + address_bytes) * BYTE_CLOCKS + 2;
        Layout {
            name: "EEPROM",
            write_protection: "pin 7 (WP) of the 8-pin EEPROM must be at ground while it is written",
            extent: Extent::Wraps { smallest: self.smallest, address_limit: self.address_limit },
            unit: self.page,
            units: self.pages,
            largest_write: self.largest_write,
            erase: Erase::Nothing,
            sequence: self.sequence,
            verifies: false,
            costs: Costs {
                write_frame: bit.saturating_mul(frame),
                // The repeated START and the control byte of the reading.
                read_frame: bit.saturating_mul(frame + BYTE_CLOCKS + 1),
                byte: bit.saturating_mul(BYTE_CLOCKS),
                cycle: WRITE_CYCLE,
                erase: Duration::ZERO,
            },
        }
    }
}

/// The parts of one address width.
#[derive(Debug, PartialEq, Eq)]
pub struct PartClass {
    /// Address bytes.
    pub width: AddressWidth,
    /// The first address that cannot be expressed.
    pub address_limit: u32,
    /// The smallest part there is, bytes.
    pub smallest: u32,
    /// Every page of these parts, ascending.
    pub pages: &'static [u32],
    /// The smallest page of the common parts from a capacity on, both in bytes.
    page_from: &'static [(u32, u16)],
}

impl PartClass {
    /// Parts with one address byte and up to three block bits in the I2C address.
    pub const ONE: Self = Self {
        width: AddressWidth::One,
        address_limit: 2048,
        smallest: 128,
        pages: &[8, 16],
        page_from: &[(0, 8), (512, 16)],
    };

    /// The same with the 24C00 of 16 bytes, which takes single bytes only.
    pub const ONE_OR_24C00: Self = Self {
        smallest: 16,
        pages: &[1, 8, 16],
        page_from: &[(0, 1), (128, 8), (512, 16)],
        ..Self::ONE
    };

    /// Parts with two address bytes.
    pub const TWO: Self = Self {
        width: AddressWidth::Two,
        address_limit: 0x1_0000,
        smallest: 4096,
        pages: &[32, 64, 128],
        page_from: &[(0, 32), (16 * 1024, 64), (64 * 1024, 128)],
    };

    /// The page that every part of at least `bytes` takes, and of 0 bytes every part there is.
    pub fn page_of(&self, bytes: u32) -> u16 {
        let fits = self.page_from.iter().rev().find(|(capacity, _)| *capacity <= bytes);
        fits.map_or(1, |(_, page)| *page)
    }

    /// Address and count as a loader takes them.
    ///
    /// # Errors
    /// [`ChipError::Loader`] for what lies beyond the reach, or is more than the `maximum` bytes of
    /// one run.
    pub fn inside(&self, address: u32, count: u32, maximum: u32) -> Result<(u16, u16), ChipError> {
        let address_limit = self.address_limit;
        let end =
            address.checked_add(count).filter(|end| *end <= address_limit && count <= maximum);
        match (end, u16::try_from(address), u16::try_from(count)) {
            (Some(_), Ok(address), Ok(count)) => Ok((address, count)),
            _ => Err(ChipError::Loader(format!(
                "got a request for {count} bytes at {address:#06x}, but the address limit is {address_limit:#06x}"
            ))),
        }
    }
}

/// What is known of the faster clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// It has not been tried; the bus is slow.
    Untried,
    /// It was tried, or there is none.
    Slow,
    /// It is in use.
    Fast,
}

/// Reads a part in runs.
pub trait Runs {
    /// The part's class.
    fn class(&self) -> &'static PartClass;

    /// The most bytes of one run.
    fn maximum(&self) -> u32;

    /// The clock of the next run.
    fn pace(&mut self) -> &mut Pace;

    /// One run. With one address byte it stays inside a block, and a block that does not exist
    /// gives what it wraps to.
    ///
    /// # Errors
    /// [`MemoryError`].
    fn read_run(&mut self, address: u32, count: u32) -> Result<Vec<u8>, MemoryError>;
}

/// Reads `range`, moving on to the faster clock where that shows the same.
///
/// # Errors
/// Those of the runs.
pub fn read(part: &mut impl Runs, range: Range<u32>) -> Result<Vec<u8>, MemoryError> {
    let mut bytes = Vec::new();
    let mut at = range.start;
    while at < range.end {
        // A part with block bits is read block by block, so that no read depends on how it counts
        // from one block into the next.
        let border = match part.class().width {
            AddressWidth::One => BLOCK - at % BLOCK,
            AddressWidth::Two => part.maximum(),
        };
        let count = (range.end - at).min(border);
        let run = part.read_run(at, count)?;
        if *part.pace() == Pace::Untried && run.len() >= MIN_COMPARED {
            try_fast(part, at, count, &run)?;
        }
        bytes.extend(run);
        at += count;
    }
    Ok(bytes)
}

/// Moves on to the faster clock when a stretch reads the same at both. Equal bytes of one value
/// count too: the loader has then seen every acknowledge.
fn try_fast(
    part: &mut impl Runs,
    address: u32,
    count: u32,
    slow: &[u8],
) -> Result<(), MemoryError> {
    *part.pace() = Pace::Fast;
    let result = part.read_run(address, count);
    let is_same = matches!(&result, Ok(fast) if fast == slow);
    *part.pace() = if is_same { Pace::Fast } else { Pace::Slow };
    match result {
        Ok(_)
        | Err(MemoryError::NoAcknowledge { .. } | MemoryError::Chip(ChipError::Loader(_))) => {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_the_smallest_of_the_common_parts_of_that_size() {
        for (bytes, page) in [(0, 8), (128, 8), (256, 8), (512, 16), (1024, 16), (2048, 16)] {
            assert_eq!(PartClass::ONE.page_of(bytes), page, "{bytes}");
        }
        let sizes =
            [(0, 32), (1, 32), (4096, 32), (8192, 32), (16384, 64), (32768, 64), (65536, 128)];
        for (bytes, page) in sizes {
            assert_eq!(PartClass::TWO.page_of(bytes), page, "{bytes}");
        }
    }

    #[test]
    fn what_no_run_can_carry_is_refused() {
        let inside = |address, count| PartClass::ONE.inside(address, count, 256);
        assert_eq!(inside(2047, 1), Ok((2047, 1)));
        assert!(inside(2047, 2).is_err());
        assert!(inside(0, 257).is_err());
        assert!(inside(u32::MAX, 1).is_err());
    }

    /// A part that notes how it is read. At the fast clock it answers `fast`.
    struct Noted {
        class: &'static PartClass,
        pace: Pace,
        fast: Result<u8, MemoryError>,
        runs: Vec<(u32, u32, bool)>,
    }

    impl Runs for Noted {
        fn class(&self) -> &'static PartClass {
            self.class
        }

        fn maximum(&self) -> u32 {
            1024
        }

        fn pace(&mut self) -> &mut Pace {
            &mut self.pace
        }

        fn read_run(&mut self, address: u32, count: u32) -> Result<Vec<u8>, MemoryError> {
            let is_fast = self.pace == Pace::Fast;
            self.runs.push((address, count, is_fast));
            let byte = if is_fast { self.fast.clone()? } else { 0x5a };
            Ok(vec![byte; usize::try_from(count).unwrap()])
        }
    }

    fn noted(class: &'static PartClass, fast: Result<u8, MemoryError>) -> Noted {
        Noted { class, pace: Pace::Untried, fast, runs: Vec::new() }
    }

    #[test]
    fn a_part_with_block_bits_is_read_block_by_block_and_a_larger_one_in_whole_runs() {
        let mut small = noted(&PartClass::ONE, Ok(0x5a));
        small.pace = Pace::Slow;
        assert_eq!(read(&mut small, 0xf0..0x210).unwrap(), [0x5a; 0x120]);
        assert_eq!(small.runs, [(0xf0, 16, false), (0x100, 256, false), (0x200, 16, false)]);
        let mut large = noted(&PartClass::TWO, Ok(0x5a));
        read(&mut large, 0..1500).unwrap();
        assert_eq!(large.runs, [(0, 1024, false), (0, 1024, true), (1024, 476, true)]);
    }

    #[test]
    fn the_clock_stays_slow_where_the_fast_one_brings_other_bytes_or_none() {
        let refused = MemoryError::NoAcknowledge { address: 0 };
        for fast in [Ok(0xa5), Err(refused)] {
            let mut part = noted(&PartClass::TWO, fast);
            assert_eq!(read(&mut part, 0..2048).unwrap(), [0x5a; 2048]);
            assert_eq!(part.pace, Pace::Slow);
            assert_eq!(part.runs.iter().filter(|(.., is_fast)| *is_fast).count(), 1);
        }
        let mut part = noted(&PartClass::TWO, Ok(0x5a));
        read(&mut part, 0..63).unwrap();
        assert_eq!(part.pace, Pace::Untried, "63 bytes prove nothing");
    }

    #[test]
    fn a_device_that_is_gone_during_the_trial_ends_the_reading() {
        let gone = ChipError::Transfer {
            doing: "reading".to_owned(),
            source: crate::usb::TransferError::Gone,
        };
        let mut part = noted(&PartClass::TWO, Err(gone.clone().into()));
        assert_eq!(read(&mut part, 0..2048), Err(MemoryError::Chip(gone)));
    }
}
