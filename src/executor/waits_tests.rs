use std::ops::Range;

use super::read_all;
use crate::chip::memory::{Costs, Erase, Extent, Sequence};
use crate::chip::{ChipError, Layout, Memory, MemoryError};

/// A memory of zeros whose first readings bring one byte less than asked for.
struct Curt {
    short_readings: u32,
    readings: u32,
}

impl Memory for Curt {
    fn layout(&self) -> Layout {
        Layout {
            name: "EEPROM",
            write_protection: "",
            extent: Extent::Known(256),
            units: &[],
            unit: 8,
            largest_write: 256,
            erase: Erase::Nothing,
            sequence: Sequence::Any,
            verifies: false,
            costs: Costs::default(),
        }
    }

    fn read(&mut self, range: Range<u32>) -> Result<Vec<u8>, MemoryError> {
        self.readings += 1;
        let missing = usize::from(self.readings <= self.short_readings);
        Ok(vec![0; range.len() - missing])
    }

    fn write(&mut self, _: u32, _: &[u8]) -> Result<(), MemoryError> {
        Ok(())
    }

    fn write_cycles(&self) -> u32 {
        0
    }
}

#[test]
fn a_short_reading_is_repeated() {
    let mut memory = Curt { short_readings: 1, readings: 0 };
    assert_eq!(read_all(&mut memory, 16..48), Ok(vec![0; 32]));
    assert_eq!(memory.readings, 2);
}

#[test]
fn a_reading_that_stays_short_is_no_reading() {
    let mut memory = Curt { short_readings: u32::MAX, readings: 0 };
    let result = read_all(&mut memory, 16..48);
    assert!(matches!(result, Err(MemoryError::Chip(ChipError::Loader(_)))), "{result:?}");
}
