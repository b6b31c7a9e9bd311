//! R3 over memories of every kind that is written in any order: what boots is half an image at no
//! moment, whatever was there, and wherever the power goes.

use std::ops::Range;

use proptest::prelude::*;

use super::tests::{EEPROM, after, image, torn};
use super::*;
use crate::chip::memory::Extent;
use crate::chip::{Layout, Size};

/// The layouts of today's memories and of those that other chips have.
fn layouts() -> impl Strategy<Value = Layout> {
    let erase = prop_oneof![
        Just(Erase::Nothing),
        Just(Erase::Nothing),
        Just(Erase::Blocks(64)),
        Just(Erase::Blocks(128)),
        Just(Erase::Everything)
    ];
    let unit = prop_oneof![Just(1u32), Just(2), Just(8), Just(16), Just(64)];
    (erase, unit).prop_map(|(erase, unit)| {
        let largest_write = unit.max(256);
        Layout { erase, unit, largest_write, extent: Extent::Known(512), ..EEPROM }
    })
}

/// An image of one segment or two, with what boots at its start, and perhaps at a second place that
/// is written after it or before.
#[derive(Clone, Debug)]
struct Shape {
    /// What the memory holds in the end where the image has bytes.
    bytes: Vec<u8>,
    second: Option<u32>,
    is_second_first: bool,
    /// No part of the image; empty where its two segments touch.
    gap: Range<u32>,
}

fn shapes() -> impl Strategy<Value = Shape> {
    let bytes = proptest::collection::vec(any::<u8>(), 260..400);
    let gap = prop_oneof![Just(250u32..250), Just(200u32..220), Just(140u32..250)];
    let second = proptest::option::of(20u32..130);
    (bytes, second, any::<bool>(), gap).prop_map(|(mut bytes, second, is_second_first, gap)| {
        bytes[..2].copy_from_slice(&[0xb6, 0xc3]);
        Shape { bytes, second, is_second_first, gap }
    })
}

impl Shape {
    fn image(&self) -> Image {
        let mut image = image(&self.bytes, 2);
        image.commit.extend(self.second.map(|at| at..at + 2));
        if self.is_second_first {
            image.commit.reverse();
        }
        let segment = |range: Range<usize>| Segment {
            address: range.start as u32,
            bytes: self.bytes[range].to_vec(),
        };
        let (start, end) = (self.gap.start as usize, self.gap.end as usize);
        image.segments = vec![segment(0..start), segment(end..self.bytes.len())];
        image
    }

    /// A memory that held `old` and gets the image.
    fn over(&self, old: &[u8]) -> Vec<u8> {
        let mut memory = old.to_vec();
        for segment in self.image().segments {
            let start = segment.address as usize;
            memory[start..][..segment.bytes.len()].copy_from_slice(&segment.bytes);
        }
        memory
    }

    /// Whether everything that makes the chip boot is there.
    fn is_committed(&self, memory: &[u8]) -> bool {
        self.image().commit.iter().all(|range| {
            let place = range.start as usize..range.end as usize;
            memory[place.clone()] == self.bytes[place]
        })
    }

    /// Whether every byte of the image is there.
    fn is_whole(&self, memory: &[u8]) -> bool {
        self.over(memory) == memory
    }

    /// A memory that shares its first `same` bytes with the image, and what makes it boot or not.
    fn old(&self, other: Vec<u8>, same: usize, is_valid: bool) -> Vec<u8> {
        let mut old = other;
        old[..same].copy_from_slice(&self.bytes[..same]);
        for range in self.image().commit {
            let place = range.start as usize..range.end as usize;
            if is_valid {
                old[place.clone()].copy_from_slice(&self.bytes[place]);
            } else {
                old[place.start] = !self.bytes[place.start];
            }
        }
        old
    }
}

fn survey(layout: Layout, contents: Option<Vec<u8>>) -> Survey {
    let size = Size::Proven(512);
    Survey { layout, size, part_bytes: 512, contents, unreadable: None, before: None }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn every_order_ends_in_the_image_and_boots_nothing_else_until_its_last_operation(
        layout in layouts(),
        other in proptest::collection::vec(any::<u8>(), 512),
        same in 0usize..260,
        shape in shapes(),
        is_uniform in any::<bool>(),
        is_valid in any::<bool>(),
        is_read in any::<bool>(),
        reached in proptest::collection::vec(any::<bool>(), 61),
    ) {
        let mut shape = shape;
        if !is_read {
            // Only blocks that the image fills can be erased unread.
            shape.bytes.resize(512, 0x5a);
            shape.gap = 250..250;
        }
        let other = if is_uniform { vec![0xff; 512] } else { other };
        let old = shape.old(other, same, is_valid);
        let boots_now = match (is_read, shape.is_committed(&old)) {
            (false, _) => BootsNow::Unknown,
            (true, true) => BootsNow::Yes,
            (true, false) => BootsNow::No,
        };
        let survey = survey(layout, is_read.then(|| old.clone()));
        let order = write_order(&survey, &shape.image(), boots_now).unwrap();
        let mut memory = old.clone();
        let count = order.operations().count();
        for (index, operation) in order.operations().enumerate() {
            let next = after(layout, &memory, &operation);
            // The first operation breaks what boots: until it is done, the old image is whole.
            if index > 0 || boots_now == BootsNow::No {
                let torn = torn(&memory, &next, &reached);
                prop_assert!(
                    !shape.is_committed(&torn) || shape.is_whole(&torn),
                    "{index}: {operation:?}"
                );
            }
            if index + 1 < count {
                // A commit range that was not read is written again where it is right already.
                let is_written_twice = shape.is_whole(&next) && !is_read;
                prop_assert!(
                    !shape.is_committed(&next) || is_written_twice,
                    "{index} of {count}: {operation:?}"
                );
            }
            memory = next;
        }
        prop_assert_eq!(memory, shape.over(&old));
    }

    /// What is compared before the commit shows whether each erase was done.
    #[test]
    fn an_erase_that_does_nothing_is_noticed_before_the_commit(
        layout in layouts(),
        other in proptest::collection::vec(any::<u8>(), 512),
        same in 0usize..260,
        shape in shapes(),
    ) {
        let old = shape.old(other, same, false);
        let order =
            write_order(&survey(layout, Some(old.clone())), &shape.image(), BootsNow::No).unwrap();
        let mut memory = old.clone();
        for operation in &order.body {
            if let Operation::Write(_) = operation {
                memory = after(layout, &memory, operation);
            }
        }
        let as_wanted = |segment: &Segment| memory[segment.address as usize..].starts_with(&segment.bytes);
        let is_noticed = !order.to_verify.iter().all(as_wanted);
        for segment in &order.commit {
            memory = after(layout, &memory, &Operation::Write(segment.clone()));
        }
        let is_kept = |segment: &Segment| memory[segment.address as usize..].starts_with(&segment.bytes);
        let is_noticed_at_the_commit = !order.commit.iter().all(is_kept);
        prop_assert!(is_noticed || is_noticed_at_the_commit || memory == shape.over(&old));
    }

    #[test]
    fn no_write_is_too_long_or_leaves_the_unit_it_starts_inside(
        layout in layouts(),
        old in proptest::collection::vec(any::<u8>(), 512),
        bytes in proptest::collection::vec(any::<u8>(), 40..400),
    ) {
        let survey = Survey {
            layout,
            size: Size::Proven(512),
            part_bytes: 512,
            contents: Some(old),
            unreadable: None,
            before: None,
        };
        let order = write_order(&survey, &image(&bytes, 2), BootsNow::No).unwrap();
        for operation in order.operations() {
            let Operation::Write(segment) = operation else { continue };
            let (inside, unit) = (segment.range(), layout.unit);
            prop_assert!(
                inside.start % unit == 0 || inside.start / unit == (inside.end - 1) / unit,
                "{inside:?}"
            );
            prop_assert!(inside.end - inside.start <= layout.largest_write);
        }
    }
}
