//! A memory that has to be erased before it is written, and one that is written once, upwards.
//!
//! An erase that is interrupted may leave the signature and spoil what it stands for, so what makes
//! the chip boot is first cleared to 00, which a flash takes without an erase (inferred: parts
//! with an error-correcting code may refuse a second write to a unit). A memory that is written
//! upwards takes each address once: there the chip itself has to know a whole image from half.
//!
//! No chip of today has such a memory; `tests/seam` has.

use std::ops::Range;

use super::wanted::{Wanted, pieces};
use super::{Unwritable, WriteOrder};
use crate::chip::memory::{Erase, Layout, Sequence};
use crate::chip::{Operation, Segment};
use crate::rescue::diagnosis::{BootsNow, Survey};

pub(super) fn order(
    survey: &Survey,
    wanted: &Wanted<'_>,
    boots_now: BootsNow,
) -> Result<WriteOrder, Unwritable> {
    let layout = survey.layout;
    let end = survey.part_bytes.max(wanted.ranges().last().map_or(0, |range| range.end));
    let is_dirty = |range: &Range<u32>| wanted.old(range) != wanted.image(range);
    if !wanted.ranges().iter().any(is_dirty) {
        return Ok(WriteOrder::default());
    }
    let blocks = blocks(&wanted.ranges(), layout.erase, end);
    if layout.sequence == Sequence::Upwards {
        return upwards(wanted, layout, &blocks);
    }
    let mut order = WriteOrder::default();
    let cleared = match boots_now {
        BootsNow::No => None,
        BootsNow::Yes | BootsNow::Unknown => to_clear(wanted, layout),
    };
    if let Some(range) = &cleared {
        let bytes = vec![0; range.clone().count()];
        order.invalidate = Some(Operation::Write(Segment { address: range.start, bytes }));
    }
    let mut commit = Vec::new();
    for block in &blocks {
        let to_be = wanted.merged_with_old(block).map_err(Unwritable::ErasedUnread)?;
        let is_cleared = cleared.as_ref().is_some_and(|range| block.contains(&range.start));
        let old = wanted.old(block).filter(|_| !is_cleared);
        if old == Some(&to_be) {
            continue;
        }
        // What is there already and needs no bit set stays.
        let stays = old.filter(|old| old.iter().zip(&to_be).all(|(old, new)| old & new == *new));
        if stays.is_none() {
            order.body.push(Operation::Erase(block.clone()));
        }
        let missing = missing(block, &to_be, stays);
        let (last, body): (Vec<_>, Vec<_>) =
            missing.into_iter().partition(|(address, _)| wanted.commit_of(*address).is_some());
        order.body.extend(writes(&body, layout).into_iter().map(Operation::Write));
        commit.extend(last);
    }
    // In the order of the image's ranges, which need not be that of the addresses.
    for range in wanted.commit {
        let bytes: Vec<_> =
            commit.iter().copied().filter(|(address, _)| range.contains(address)).collect();
        order.commit.extend(writes(&bytes, layout));
    }
    Ok(order)
}

/// The stretch of a commit range that one write can clear, and that is not cleared in the image:
/// with it the chip no longer boots.
fn to_clear(wanted: &Wanted<'_>, layout: Layout) -> Option<Range<u32>> {
    let has_set_bits = |piece: &Range<u32>| {
        wanted.image(piece).is_some_and(|bytes| bytes.iter().any(|byte| *byte != 0))
    };
    let unit = Layout { largest_write: layout.unit, ..layout };
    wanted.commit.iter().flat_map(|range| pieces(range, unit)).find(has_set_bits)
}

/// The smallest ranges that can be erased and hold all of the image.
fn blocks(image: &[Range<u32>], erase: Erase, end: u32) -> Vec<Range<u32>> {
    let mut blocks: Vec<Range<u32>> = match erase {
        Erase::Everything => std::iter::once(0..end).collect(),
        Erase::Nothing => Vec::new(),
        Erase::Blocks(block) => {
            let block = block.max(1);
            let of = |range: &Range<u32>| {
                let numbers = range.start / block..range.end.div_ceil(block);
                numbers.map(move |n| n * block..n.saturating_add(1).saturating_mul(block).min(end))
            };
            image.iter().flat_map(of).collect()
        }
    };
    blocks.dedup();
    blocks
}

/// Addresses and bytes of a block that are not there once it was erased, or that differ where it
/// stays.
fn missing(block: &Range<u32>, to_be: &[u8], stays: Option<&[u8]>) -> Vec<(u32, u8)> {
    let erased = vec![0xff; to_be.len()];
    let there = stays.unwrap_or(&erased);
    let differing = block.clone().zip(to_be.iter().zip(there));
    differing.filter(|(_, (new, old))| new != old).map(|(at, (new, _))| (at, *new)).collect()
}

/// The largest writes for these bytes, which are in address order.
fn writes(bytes: &[(u32, u8)], layout: Layout) -> Vec<Segment> {
    let (unit, maximum) = (layout.unit.max(1), layout.largest_write.max(1));
    let mut writes: Vec<Segment> = Vec::new();
    for (address, byte) in bytes {
        match writes.last_mut() {
            // A write that starts inside a unit does not leave it.
            Some(last)
                if last.range().end == *address
                    && (last.address % unit == 0 || address % unit != 0)
                    && address - last.address < maximum =>
            {
                last.bytes.push(*byte);
            }
            _ => writes.push(Segment { address: *address, bytes: vec![*byte] }),
        }
    }
    writes
}

/// The image as one sequence of writes behind the erases.
fn upwards(
    wanted: &Wanted<'_>,
    layout: Layout,
    blocks: &[Range<u32>],
) -> Result<WriteOrder, Unwritable> {
    let mut order = WriteOrder::default();
    order.body.extend(blocks.iter().cloned().map(Operation::Erase));
    for range in wanted.ranges() {
        for piece in pieces(&range, layout) {
            order.body.push(Operation::Write(wanted.segment(piece)?));
        }
    }
    Ok(order)
}
