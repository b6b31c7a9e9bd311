//! How a memory is written, as a value: plans are made from it without the memory at hand.

use std::ops::Range;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// How a memory is written. Addresses and sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// What it is called in messages: `EEPROM`, `SPI flash`.
    pub name: &'static str,
    /// What permits writing, a sentence without its full stop.
    pub write_protection: &'static str,
    /// How far it reaches.
    pub extent: Extent,
    /// What one program cycle takes at most: the page of the part, or 1 where the route to it
    /// writes single bytes. Writes are planned in whole units.
    pub unit: u32,
    /// Every unit that parts of this kind have, ascending; empty where there is nothing to find
    /// out. Where the size of the part does not tell its unit, the first write does
    /// ([`wrap::PartProof`](super::wrap::PartProof)).
    pub units: &'static [u32],
    /// The most bytes of one [`Operation::Write`]; a multiple of `unit`.
    pub largest_write: u32,
    /// What has to be erased before it is written.
    pub erase: Erase,
    /// The order in which addresses may be written.
    pub sequence: Sequence,
    /// Whether a write that succeeds has been read back, end to end: what the part keeps was
    /// compared with what the host sent.
    pub verifies: bool,
    /// The least times of its operations.
    pub costs: Costs,
}

/// How far a memory reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// It has told its size.
    Known(u32),
    /// It tells no size; reading beyond its end shows its start again.
    Wraps {
        /// The smallest part there is of this kind.
        smallest: u32,
        /// The first address that cannot be expressed.
        address_limit: u32,
    },
}

impl Extent {
    /// The first address that cannot be there.
    pub fn end(self) -> u32 {
        match self {
            Self::Known(bytes) => bytes,
            Self::Wraps { address_limit, .. } => address_limit,
        }
    }

    /// The bytes that are there in any case.
    pub fn minimum(self) -> u32 {
        match self {
            Self::Known(bytes) => bytes,
            Self::Wraps { smallest, .. } => smallest,
        }
    }
}

/// What has to be erased before it is written. An erased byte is FF, and a write can only clear
/// bits of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erase {
    /// Nothing: a write replaces what is there.
    Nothing,
    /// Whole blocks of so many bytes.
    Blocks(u32),
    /// All of it at once.
    Everything,
}

/// The order in which addresses may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// Any.
    Any,
    /// Every write begins at address 0, so that one further up repeats what lies before it.
    FromStart,
    /// Once, upwards, without a gap inside the image.
    Upwards,
}

/// The least times that a memory's operations can take, as it is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// To address one program cycle.
    pub write_frame: Duration,
    /// To address one reading.
    pub read_frame: Duration,
    /// One byte on the way, either direction.
    pub byte: Duration,
    /// One program cycle of the part.
    pub cycle: Duration,
    /// One erase of the smallest range that can be erased.
    pub erase: Duration,
}

/// Bytes at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// Memory address of the first byte.
    pub address: u32,
    /// The bytes. Events tell their number.
    #[serde(serialize_with = "as_length")]
    pub bytes: Vec<u8>,
}

fn as_length<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(bytes.len() as u64)
}

impl Segment {
    /// The addresses it covers.
    pub fn range(&self) -> Range<u32> {
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.address..self.address.saturating_add(length)
    }
}

/// One change of a memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Every byte of the range becomes FF.
    Erase(Range<u32>),
    /// Bytes are written, at most [`Layout::largest_write`].
    Write(Segment),
}

impl Operation {
    /// The addresses it changes.
    pub fn range(&self) -> Range<u32> {
        match self {
            Self::Erase(range) => range.clone(),
            Self::Write(segment) => segment.range(),
        }
    }

    /// What its range holds afterwards.
    pub fn result(&self) -> Segment {
        match self {
            Self::Write(segment) => segment.clone(),
            Self::Erase(range) => {
                Segment { address: range.start, bytes: vec![0xff; range.clone().count()] }
            }
        }
    }
}

impl Layout {
    /// Program cycles that a write of this range costs.
    pub fn cycles(&self, range: &Range<u32>) -> u32 {
        let unit = self.unit.max(1);
        range.end.div_ceil(unit).saturating_sub(range.start / unit)
    }

    /// The least time an operation can take.
    pub fn min_time(&self, operation: &Operation) -> Duration {
        let Costs { write_frame, byte, cycle, erase, .. } = self.costs;
        match operation {
            Operation::Write(segment) => {
                let range = segment.range();
                let bytes = byte.saturating_mul(range.end - range.start);
                bytes + (write_frame + cycle).saturating_mul(self.cycles(&range))
            }
            Operation::Erase(range) => match self.erase {
                Erase::Blocks(block) => erase
                    .saturating_mul((range.end.saturating_sub(range.start)).div_ceil(block.max(1))),
                Erase::Nothing | Erase::Everything => erase,
            },
        }
    }

    /// The least time a reading of this range can take.
    pub fn min_read_time(&self, range: &Range<u32>) -> Duration {
        let Costs { read_frame, byte, .. } = self.costs;
        read_frame + byte.saturating_mul(range.end.saturating_sub(range.start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(unit: u32) -> Layout {
        Layout {
            name: "EEPROM",
            write_protection: "",
            extent: Extent::Known(0x1_0000),
            unit,
            units: &[],
            largest_write: 4096,
            erase: Erase::Blocks(4096),
            sequence: Sequence::Any,
            verifies: false,
            costs: Costs {
                write_frame: Duration::from_micros(290),
                byte: Duration::from_micros(90),
                cycle: Duration::from_millis(5),
                erase: Duration::from_millis(40),
                ..Costs::default()
            },
        }
    }

    #[test]
    fn a_write_costs_a_cycle_for_every_unit_it_touches() {
        assert_eq!(layout(64).cycles(&(2..64)), 1);
        assert_eq!(layout(64).cycles(&(60..70)), 2);
        assert_eq!(layout(64).cycles(&(0..1024)), 16);
        assert_eq!(layout(1).cycles(&(5..12)), 7);
    }

    #[test]
    fn an_operation_takes_at_least_what_its_parts_take() {
        let write = Operation::Write(Segment { address: 60, bytes: vec![0; 10] });
        assert_eq!(layout(64).min_time(&write), Duration::from_micros(2 * 5290 + 900));
        let erase = Operation::Erase(0..8192);
        assert_eq!(layout(64).min_time(&erase), Duration::from_millis(80));
    }
}
