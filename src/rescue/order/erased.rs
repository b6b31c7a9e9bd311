//! A memory that has to be erased before it is written, and one that is written once, upwards.
//!
//! An erase that is interrupted may leave the signature and spoil what it stands for, so what makes
//! the chip boot is first cleared to 00, which a flash takes without an erase (inferred: parts
//! with an error-correcting code may refuse a second write to a unit; none of today's chips has
//! such a memory).

use std::ops::Range;

use super::wanted::Wanted;
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
    let mut order = WriteOrder::default();
    let is_dirty = |range: &Range<u32>| wanted.old(range) != wanted.image(range);
    if !wanted.ranges().iter().any(is_dirty) {
        return Ok(order);
    }
    let cleared = match boots_now {
        BootsNow::No => None,
        BootsNow::Yes | BootsNow::Unknown => wanted.commit.first(),
    };
    if let Some(range) = cleared {
        let bytes = vec![0; range.clone().count()];
        order.invalidate = Some(Operation::Write(Segment { address: range.start, bytes }));
    }
    for block in blocks(&wanted.ranges(), layout.erase, end) {
        let to_be = wanted.laid_over(&block).map_err(Unwritable::ErasedUnread)?;
        let old = wanted.old(&block);
        let is_cleared = cleared.is_some_and(|range| block.contains(&range.start));
        if old == Some(&to_be) && !is_cleared {
            continue;
        }
        let stays = match layout.erase {
            Erase::Nothing => old,
            // What is there already and needs no bit set stays.
            _ => old.filter(|old| {
                !is_cleared && old.iter().zip(&to_be).all(|(old, new)| old & new == *new)
            }),
        };
        if stays.is_none() && layout.erase != Erase::Nothing {
            order.body.push(Operation::Erase(block.clone()));
        }
        write_block(&mut order, wanted, &layout, &block, &to_be, stays);
    }
    if layout.sequence == Sequence::Upwards {
        // The chip takes the whole at its end.
        upwards(&mut order, wanted, &layout);
    }
    Ok(order)
}

/// The smallest ranges that can be erased and hold all of the image.
fn blocks(image: &[Range<u32>], erase: Erase, end: u32) -> Vec<Range<u32>> {
    let mut blocks: Vec<Range<u32>> = match erase {
        Erase::Everything => std::iter::once(0..end).collect(),
        Erase::Nothing => image.to_vec(),
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

/// Writes of a block: what is not there once it was erased, or what differs where it stays. The
/// commit ranges are left for the end.
fn write_block(
    order: &mut WriteOrder,
    wanted: &Wanted<'_>,
    layout: &Layout,
    block: &Range<u32>,
    to_be: &[u8],
    stays: Option<&[u8]>,
) {
    let is_there = |offset: usize, byte: u8| match stays {
        Some(old) => old.get(offset) == Some(&byte),
        None => byte == 0xff,
    };
    let unit = layout.unit.max(1);
    let mut commit: Vec<Segment> = Vec::new();
    let mut body: Vec<Segment> = Vec::new();
    for (offset, (address, byte)) in block.clone().zip(to_be).enumerate() {
        if is_there(offset, *byte) {
            continue;
        }
        let part = if wanted.is_commit(address) { &mut commit } else { &mut body };
        match part.last_mut() {
            // A write that starts inside a unit does not leave it.
            Some(last)
                if last.range().end == address
                    && (last.address % unit == 0 || address % unit != 0)
                    && address - last.address < layout.largest_write.max(1) =>
            {
                last.bytes.push(*byte);
            }
            _ => part.push(Segment { address, bytes: vec![*byte] }),
        }
    }
    order.body.extend(body.into_iter().map(Operation::Write));
    order.commit.extend(commit);
}

/// The image as one sequence of writes behind the erases.
fn upwards(order: &mut WriteOrder, wanted: &Wanted<'_>, layout: &Layout) {
    order.body.retain(|operation| matches!(operation, Operation::Erase(_)));
    order.commit.clear();
    let most = layout.largest_write.max(1);
    for range in wanted.ranges() {
        let mut start = range.start;
        while start < range.end {
            let end = start.saturating_add(most).min(range.end);
            order.body.extend(wanted.segment(start..end).map(Operation::Write));
            start = end;
        }
    }
}
