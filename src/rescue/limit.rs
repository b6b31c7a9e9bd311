//! The planned minimum: the least time for the changes of a plan, as the driver makes them.
//!
//! What each operation takes at least is the memory's to tell ([`Layout::min_time`]); to it come
//! the read-back that rule R3 demands, and the chip's least enumeration time. The part itself may
//! allow less: its page and its write cycle (FRAM has none) cannot be read out of it. What the part
//! allows is in `tests/bench`.

use std::time::Duration;

use serde::Serialize;

use crate::chip::{Layout, Operation, Timing};

/// Planned minimum times, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Limit {
    /// Transport and program cycles of the writes, and the erases.
    pub write_ms: f64,
    /// Read-back of what was written.
    pub read_back_ms: f64,
    /// From the restart to an enumerated device.
    pub enumeration_ms: f64,
    /// Program cycles.
    pub write_cycles: u32,
}

impl Limit {
    /// The planned minimum for these changes of a memory with that layout.
    pub fn of(operations: impl Iterator<Item = Operation>, layout: Layout, timing: Timing) -> Self {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        let mut limit =
            Self { enumeration_ms: f64::from(timing.enumeration_ms), ..Self::default() };
        for operation in operations {
            limit.write_ms += milliseconds(layout.min_time(&operation));
            if let Operation::Write(segment) = &operation {
                let range = segment.range();
                limit.write_cycles += layout.cycles(&range);
                limit.read_back_ms += milliseconds(layout.min_read_time(&range));
            }
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
