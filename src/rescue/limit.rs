//! The planned minimum: the least time for the writes of a plan, as the driver makes them.
//!
//! Bits on the I2C bus at the clock the driver uses, one write cycle a page of the size it plans
//! with (or a byte, where the chip's ROM writes single bytes), the read-back that rule R3 demands,
//! and the chip's least enumeration time. The part itself may allow less: its page and its write
//! cycle (FRAM has none) cannot be read out of it. What the part allows is in `tests/bench`. Formats and times: Microchip 24LC64, 24LC128 and 24LC16B data sheets.

use serde::Serialize;

use super::order::Segment;
use crate::chip::{AddressWidth, Geometry, Timing};

/// Longest write cycle of the 24xx parts, milliseconds [24LC16B, 24LC64, 24LC128: tWC 5 ms].
pub const WRITE_CYCLE_MS: f64 = 5.0;

/// Clocks of one byte with its acknowledge.
const BYTE_CLOCKS: f64 = 9.0;

/// Planned minimum times, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Limit {
    /// Write bits and write cycles.
    pub write_ms: f64,
    /// Read-back bits of what was written.
    pub read_back_ms: f64,
    /// From the restart to an enumerated device.
    pub enumeration_ms: f64,
    /// Write cycles.
    pub write_cycles: u32,
}

impl Limit {
    /// The planned minimum for these writes to a memory of that shape.
    pub fn of<'r>(
        segments: impl Iterator<Item = &'r Segment>,
        geometry: Geometry,
        timing: Timing,
    ) -> Self {
        let clock_ms = 1000.0 / f64::from(geometry.bus_hz.max(1));
        let address_bytes = match geometry.width {
            AddressWidth::One => 1.0,
            AddressWidth::Two => 2.0,
        };
        let mut limit =
            Self { enumeration_ms: f64::from(timing.enumeration_ms), ..Self::default() };
        for segment in segments {
            let range = segment.range();
            let bytes = f64::from(range.end - range.start);
            let cycles = cycles(range.start, range.end, geometry.page);
            limit.write_cycles += cycles;
            // START and STOP take about a clock each.
            let frame = (1.0 + address_bytes) * BYTE_CLOCKS + 2.0;
            let bits = f64::from(cycles) * frame + bytes * BYTE_CLOCKS;
            limit.write_ms += bits * clock_ms + f64::from(cycles) * WRITE_CYCLE_MS;
            let bits = frame + BYTE_CLOCKS + 1.0 + bytes * BYTE_CLOCKS;
            limit.read_back_ms += bits * clock_ms;
        }
        limit
    }

    /// Write and read-back together.
    pub fn memory_ms(&self) -> f64 {
        self.write_ms + self.read_back_ms
    }

    /// Everything.
    pub fn total_ms(&self) -> f64 {
        self.memory_ms() + self.enumeration_ms
    }
}

/// Write cycles that a write of `start..end` costs with pages of `page` bytes.
pub fn cycles(start: u32, end: u32, page: u32) -> u32 {
    let page = page.max(1);
    end.div_ceil(page).saturating_sub(start / page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_costs_a_cycle_for_every_page_it_touches() {
        assert_eq!(cycles(2, 64, 64), 1);
        assert_eq!(cycles(60, 70, 64), 2);
        assert_eq!(cycles(0, 1024, 64), 16);
        assert_eq!(cycles(5, 12, 1), 7);
    }
}
