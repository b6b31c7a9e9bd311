//! What a memory is to hold, checked, as it lies in the memory.

use std::ops::Range;

use super::{Identity, Segment};

/// An image. How it lies in its file may differ; that is the family's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// What goes where, in address order, without overlap.
    pub segments: Vec<Segment>,
    /// The ranges that make the chip boot it, written last and in this order [design R3]: a
    /// signature, a checksum.
    pub commit: Vec<Range<u32>>,
    /// Ranges inside the segments whose bytes are the unit's own, its serial number or its
    /// calibration, and stay as they are in the memory.
    pub keep: Vec<Range<u32>>,
    /// Ranges that are not compared after writing, because the chip changes them by itself.
    pub unverified: Vec<Range<u32>>,
    /// Who the enclosure says it is, as far as the image's own descriptors tell.
    pub identity: Option<Identity>,
    /// The version that its firmware answers with when the chip is asked, where firmware and mask
    /// ROM show the same descriptors; `None` where the descriptors tell all.
    pub firmware: Option<String>,
    /// What it consists of, one line a part.
    pub contents: Vec<String>,
    /// What its owner should know of its file, a sentence without its full stop each.
    pub notes: Vec<String>,
    /// What it needs of the board that no chip of its model has by itself, a sentence without its
    /// full stop each. Writing it takes its owner's consent.
    pub assumptions: Vec<String>,
}

impl Image {
    /// An image that lies at address 0 as it lies in its file. Of the ranges that make the chip
    /// boot, what lies behind its end is none of it.
    pub fn at_address_zero(bytes: Vec<u8>, commit: &[Range<u32>]) -> Self {
        let segment = Segment { address: 0, bytes };
        let end = segment.range().end;
        let inside = |range: &Range<u32>| range.start.min(end)..range.end.min(end);
        Self {
            commit: commit.iter().map(inside).filter(|range| !range.is_empty()).collect(),
            segments: vec![segment],
            keep: Vec::new(),
            unverified: Vec::new(),
            identity: None,
            firmware: None,
            contents: Vec::new(),
            notes: Vec::new(),
            assumptions: Vec::new(),
        }
    }

    /// The bytes from memory address 0 on; empty where the image begins further up.
    pub fn start(&self) -> &[u8] {
        match self.segments.first() {
            Some(Segment { address: 0, bytes }) => bytes,
            _ => &[],
        }
    }

    /// Its byte for an address; `None` where it has none.
    pub fn byte(&self, address: u32) -> Option<u8> {
        self.segments.iter().find_map(|segment| {
            let offset = address.checked_sub(segment.address)?;
            segment.bytes.get(usize::try_from(offset).ok()?).copied()
        })
    }

    /// The first address behind it.
    pub fn end(&self) -> u32 {
        self.segments.last().map_or(0, |segment| segment.range().end)
    }
}
