use std::ops::Range;
use std::time::Duration;

use super::*;
use crate::chip::memory::wrap::Alias;
use crate::chip::memory::{Costs, Extent};
use crate::chip::{Layout, Size};

pub(super) const EEPROM: Layout = Layout {
    name: "EEPROM",
    write_protection: "",
    extent: Extent::Wraps { smallest: 0x1000, address_limit: 0x1_0000 },
    unit: 1,
    units: &[],
    largest_write: 256,
    erase: Erase::Nothing,
    sequence: Sequence::Any,
    verifies: false,
    costs: Costs {
        write_frame: Duration::ZERO,
        read_frame: Duration::ZERO,
        byte: Duration::ZERO,
        cycle: Duration::ZERO,
        erase: Duration::ZERO,
    },
};

fn survey(contents: Vec<u8>, size: Size, unit: u32, largest_write: u32) -> Survey {
    let units: &[u32] = if unit == 1 { &[] } else { &[8, 16, 32, 64] };
    let layout = Layout { unit, units, largest_write, ..EEPROM };
    Survey {
        layout,
        size,
        part_bytes: 0x1000,
        contents: Some(contents),
        unreadable: None,
        before: None,
    }
}

pub(super) fn image(bytes: &[u8], signature_bytes: u32) -> Image {
    Image::at_address_zero(bytes.to_vec(), &[0..signature_bytes])
}

fn ordered(survey: &Survey, bytes: &[u8], boots_now: BootsNow) -> WriteOrder {
    write_order(survey, &image(bytes, 2), boots_now).unwrap()
}

fn write(address: u32, bytes: &[u8]) -> Operation {
    Operation::Write(Segment { address, bytes: bytes.to_vec() })
}

/// What a memory holds after an operation; a flash can only clear bits of what was not erased.
pub(super) fn after(layout: Layout, memory: &[u8], operation: &Operation) -> Vec<u8> {
    let mut memory = memory.to_vec();
    let Segment { address, bytes } = operation.result();
    for (cell, byte) in memory[address as usize..].iter_mut().zip(bytes) {
        *cell = match (operation, layout.erase) {
            (Operation::Write(_), Erase::Blocks(_) | Erase::Everything) => *cell & byte,
            _ => byte,
        };
    }
    memory
}

/// What a memory may hold that lost its power within an operation: it reached some of the bytes.
pub(super) fn torn(before: &[u8], after: &[u8], reached: &[bool]) -> Vec<u8> {
    let which = reached.iter().cycle();
    before.iter().zip(after).zip(which).map(|((b, a), r)| if *r { *a } else { *b }).collect()
}

/// What the memory holds after each operation of the order, from `old` on.
fn play(layout: Layout, order: &WriteOrder, old: &[u8]) -> Vec<Vec<u8>> {
    let mut memory = old.to_vec();
    order
        .operations()
        .map(|operation| {
            memory = after(layout, &memory, &operation);
            memory.clone()
        })
        .collect()
}

#[test]
fn an_image_that_is_there_already_needs_no_write() {
    let image = b"\xb6\xc3some records".to_vec();
    let mut old = image.clone();
    old.resize(0x1000, 0xff);
    let survey = survey(old, Size::Proven(0x1000), 32, 1024);
    assert!(ordered(&survey, &image, BootsNow::Yes).is_empty());
}

#[test]
fn a_valid_signature_is_broken_before_anything_else_changes() {
    let mut old = b"\xb6\xc3old records".to_vec();
    old.resize(0x1000, 0xff);
    let survey = survey(old, Size::Proven(0x1000), 32, 1024);
    let order = ordered(&survey, b"\xb6\xc3new records", BootsNow::Yes);
    assert_eq!(order.operations().next(), Some(write(0, &[0xff])));
    assert_eq!(order.commit, [Segment { address: 0, bytes: vec![0xb6, 0xc3] }]);
}

#[test]
fn where_every_byte_is_a_write_cycle_only_the_missing_signature_bytes_are_written() {
    let mut old = b"\xb6\xc3old records".to_vec();
    old.resize(0x800, 0xff);
    let survey = survey(old, Size::Proven(0x800), 1, 256);
    let order = ordered(&survey, b"\xb6\xc3new records", BootsNow::Yes);
    assert_eq!(order.commit, [Segment { address: 0, bytes: vec![0xb6] }]);
}

/// A first write, with the sizes and addresses at which it would show once more.
type Proof = (Range<u32>, Vec<(u32, u32)>);

fn proofs(survey: &Survey, image: &[u8]) -> Vec<Proof> {
    let order = ordered(survey, image, BootsNow::No);
    let shown = |proof: &PartProof| {
        let aliases = proof.aliases.iter().map(|alias| (alias.size, alias.address));
        (proof.segment.range(), aliases.collect())
    };
    order.part_proofs.iter().map(shown).collect()
}

#[test]
fn a_size_in_question_is_told_by_a_write_inside_the_smallest_part() {
    let survey = survey(vec![0; 0x8000], Size::AtLeast(0x1000), 1, 1024);
    let image = vec![0x11; 0x4000];
    assert_eq!(proofs(&survey, &image[..0x1000]), []);
    assert_eq!(proofs(&survey, &image[..0x1001]), [(2..3, vec![(0x1000, 0x1002)])]);
    let both = vec![(0x1000, 0x1002), (0x2000, 0x2002)];
    assert_eq!(proofs(&survey, &image[..0x2001]), [(2..3, both)]);
}

/// No page of any part would wrap it, and none of the smallest part's bytes lie behind it.
#[test]
fn the_size_of_a_part_is_told_before_its_page_where_one_write_cannot_show_both() {
    let survey = survey(vec![0xff; 2048], Size::AtLeast(16), 1, 1024);
    let survey = Survey { layout: Layout { units: &[1, 8, 16], ..survey.layout }, ..survey };
    let image: Vec<u8> = (0..=255).map(|byte| byte ^ 0x5a).collect();
    let sizes = vec![(16, 18), (128, 130)];
    assert_eq!(proofs(&survey, &image), [(2..8, sizes), (240..256, vec![])]);
}

#[test]
fn one_write_shows_size_and_page_where_it_can() {
    let survey = survey(vec![0xff; 0x2000], Size::AtLeast(0x1000), 32, 1024);
    let survey = Survey { layout: Layout { units: &[32, 64, 128], ..survey.layout }, ..survey };
    let image: Vec<u8> = (0..0x2000_u32).map(|at| ((at / 3) ^ at) as u8 & 0x7f).collect();
    assert_eq!(proofs(&survey, &image), [(0xf80..0x1000, vec![(0x1000, 0x1f80)])]);
}

/// What the smallest part holds is there already, so that nothing of it can be written.
#[test]
fn a_byte_that_breaks_the_signature_tells_the_size_where_no_byte_of_the_body_does() {
    let mut image = vec![0xff; 0x1100];
    image[..2].copy_from_slice(b"\xb6\xc3");
    image[0x1000..].fill(0x11);
    let survey = survey(vec![0xff; 0x2000], Size::AtLeast(0x1000), 64, 1024);
    let order = ordered(&survey, &image, BootsNow::No);
    let marker = Segment { address: 0, bytes: vec![0x00] };
    assert_eq!(order.part_proofs[0].segment, marker);
    assert_eq!(order.part_proofs[0].aliases, [Alias { size: 0x1000, address: 0x1000 }]);
    assert!(order.to_verify.contains(&marker));
    assert_eq!(order.commit, [Segment { address: 0, bytes: vec![0xb6, 0xc3] }]);
}

/// Half of it is there already.
#[test]
fn a_signature_that_is_there_is_written_again_where_it_told_the_size() {
    let mut image = vec![0xff; 0x1100];
    image[..2].copy_from_slice(b"\xb6\xc3");
    let old = image.clone();
    image[0x1000..].fill(0x11);
    let survey = survey(old.repeat(2), Size::AtLeast(0x1000), 64, 1024);
    let order = ordered(&survey, &image, BootsNow::No);
    assert_eq!(order.part_proofs[0].segment.range(), 0..1);
    assert_eq!(order.commit, [Segment { address: 0, bytes: vec![0xb6, 0xc3] }]);
}

/// Written from the start on, the body of a smaller part ends in its own beginning.
#[test]
fn an_image_that_would_leave_a_signature_in_a_smaller_part_is_told_apart_first() {
    for (again, expected) in [(b"SK", vec![(2..8, vec![(128, 130)])]), (b"SX", vec![])] {
        let mut image: Vec<u8> = (0..=255).collect();
        image[..2].copy_from_slice(b"SK");
        image[128..130].copy_from_slice(again);
        let mut survey = survey(vec![0xff; 256], Size::AtLeast(128), 8, 256);
        survey.layout.sequence = Sequence::FromStart;
        assert_eq!(proofs(&survey, &image), expected);
    }
}

#[test]
fn a_memory_written_from_its_start_gets_its_body_in_one_write() {
    let bytes: Vec<u8> = (0..=255).collect();
    let mut old = bytes.clone();
    for at in [0, 9, 100, 200] {
        old[at] = !old[at];
    }
    let mut survey = survey(old, Size::Proven(256), 8, 256);
    survey.layout.sequence = Sequence::FromStart;
    let order = write_order(&survey, &image(&bytes, 8), BootsNow::No).unwrap();
    assert_eq!(order.body.iter().map(Operation::range).collect::<Vec<_>>(), [8..208]);
    assert_eq!(order.commit.iter().map(Segment::range).collect::<Vec<_>>(), [0..8]);
}

#[test]
fn a_memory_that_was_not_read_gets_its_signature_broken_and_every_byte_of_the_image() {
    let image: Vec<u8> = b"\xb6\xc3".iter().copied().chain(0..=255).collect();
    for page in [1, 8, 64] {
        let mut survey = survey(Vec::new(), Size::AtLeast(0x1000), page, 256);
        survey.contents = None;
        let order = ordered(&survey, &image, BootsNow::Unknown);
        assert_eq!(order.operations().next(), Some(write(0, &[0xff])));
        assert_eq!(order.commit, [Segment { address: 0, bytes: vec![0xb6, 0xc3] }]);
        for byte in [0x00, 0xb6, 0xff] {
            let states = play(EEPROM, &order, &[byte; 0x1000]);
            assert!(states.last().unwrap().starts_with(&image), "page {page}, {byte:02x}");
        }
    }
}

#[test]
fn an_image_that_is_all_signature_is_not_mixed_with_an_unread_one() {
    let mut survey = survey(Vec::new(), Size::AtLeast(0x1000), 1, 256);
    survey.contents = None;
    let order = ordered(&survey, b"\xb6\xc3", BootsNow::Unknown);
    assert_eq!(order.operations().next(), Some(write(0, &[0xff])));
    assert_eq!(order.commit, [Segment { address: 0, bytes: vec![0xb6, 0xc3] }]);
}

#[test]
fn bytes_behind_a_short_reading_are_taken_for_changed() {
    let image = b"\xb6\xc3some records".to_vec();
    let survey = survey(image[..6].to_vec(), Size::Proven(0x1000), 1, 256);
    let order = ordered(&survey, &image, BootsNow::Yes);
    assert_eq!(order.body, [write(6, &image[6..])]);
}

/// Where the body's writes begin and end.
fn body(order: &WriteOrder) -> Vec<(u32, u32)> {
    order.body.iter().map(|operation| (operation.range().start, operation.range().end)).collect()
}

/// The order for 64 bytes, of which the bytes in these ranges differ, with two bytes of signature.
fn order_for(dirty: &[std::ops::Range<usize>], page: u32, span: u32) -> WriteOrder {
    let image = vec![0x11; 64];
    let mut old = image.clone();
    for range in dirty {
        old[range.clone()].fill(0xee);
    }
    ordered(&survey(old, Size::Proven(0x1000), page, span), &image, BootsNow::No)
}

#[test]
fn only_neighbouring_pages_are_joined_into_a_write() {
    let order = order_for(&[8..9, 23..24, 39..40], 8, 256);
    assert_eq!(body(&order), [(8, 24), (32, 40)]);
}

#[test]
fn a_write_that_starts_inside_a_page_does_not_leave_it() {
    assert_eq!(body(&order_for(&[0..32, 32..64], 8, 256)), [(2, 8), (8, 64)]);
}

#[test]
fn joined_pages_are_no_longer_than_a_span() {
    assert_eq!(body(&order_for(&[8..40, 40..64], 8, 24)), [(8, 32), (32, 56), (56, 64)]);
}

#[test]
fn a_page_ends_where_the_pages_of_the_part_do() {
    assert_eq!(body(&order_for(&[2..3, 60..61], 16, 256)), [(2, 16), (48, 64)]);
}

#[test]
fn a_signature_is_written_from_its_first_missing_byte_to_its_last() {
    let image: Vec<u8> = (1..=16).collect();
    let mut old = image.clone();
    (old[2], old[5]) = (0, 0);
    for (page, expected) in [(1, 2..6), (8, 0..8)] {
        let survey = survey(old.clone(), Size::Proven(0x1000), page, 256);
        let order =
            write_order(&survey, &Image::at_address_zero(image.clone(), &[0..8]), BootsNow::No)
                .unwrap();
        let commit: Vec<_> = order.commit.iter().map(Segment::range).collect();
        assert_eq!(commit, [expected], "page {page}");
        assert!(
            play(survey.layout, &order, &old).last().unwrap().starts_with(&image),
            "page {page}"
        );
    }
}

#[test]
fn the_signature_is_broken_first_and_written_last_with_the_proof_before_the_body() {
    let image: Vec<u8> = (1..=200).collect();
    let survey = survey(vec![0xff; 0x1000], Size::AtLeast(0x1000), 64, 1024);
    let order = ordered(&survey, &image, BootsNow::Yes);
    let addresses: Vec<u32> = order.operations().map(|operation| operation.range().start).collect();
    // The last whole page is 80..c0; the body is the rest of the first, the second, the last.
    assert_eq!(addresses, [0, 0x80, 2, 0x40, 0xc0, 0]);
}

#[test]
fn the_first_write_takes_the_largest_page_that_the_part_may_have() {
    let image: Vec<u8> = (0..=255).map(|byte| byte ^ 0x5a).collect();
    let proof = |unit, units, largest_write, size| {
        let survey = survey(vec![0xff; 0x1000], size, unit, largest_write);
        let survey = Survey { layout: Layout { units, ..survey.layout }, ..survey };
        let order = ordered(&survey, &image, BootsNow::No);
        let proof = order.part_proofs.into_iter().next();
        proof.map(|proof| (proof.segment.range(), proof.unit, proof.smaller_units))
    };
    let units: &[u32] = &[32, 64, 128];
    let unknown = Size::AtLeast(0x1000);
    assert_eq!(proof(32, units, 1024, unknown), Some((0x80..0x100, 128, vec![32, 64])));
    assert_eq!(proof(32, units, 64, unknown), Some((0xc0..0x100, 64, vec![32])));
    assert_eq!(proof(32, units, 1024, Size::Proven(0x1000)), None);
    assert_eq!(proof(32, &[], 1024, unknown), None);
}

/// The ids of a small part: too few bytes for a page, enough to tell single bytes from pages.
#[test]
fn a_few_bytes_show_whether_a_part_takes_more_than_one_in_a_write() {
    let ids = [0xc0, 0x34, 0x12, 0x78, 0x56, 0x01, 0x00, 0x03];
    let survey = survey(vec![0xff; 2048], Size::AtLeast(16), 1, 1024);
    let survey = Survey { layout: Layout { units: &[1, 8, 16], ..survey.layout }, ..survey };
    let image = Image::at_address_zero(ids.to_vec(), &[0..1]);
    let order = write_order(&survey, &image, BootsNow::No).unwrap();
    let [proof] = &order.part_proofs[..] else { panic!("{order:?}") };
    assert_eq!((proof.segment.range(), proof.unit, &proof.smaller_units), (1..8, 8, &vec![1]));
    assert_eq!(order.body, []);
}

/// Such a write would change what lies before it, where the pages are smaller.
#[test]
fn a_write_that_would_change_the_signature_shows_nothing() {
    let image: Vec<u8> = (1..=16).collect();
    let survey = survey(vec![0xff; 2048], Size::AtLeast(128), 8, 1024);
    let survey = Survey { layout: Layout { units: &[8, 16], ..survey.layout }, ..survey };
    let order = ordered(&survey, &image, BootsNow::No);
    assert_eq!(order.part_proofs, []);
    assert_eq!(body(&order), [(2, 8), (8, 16)]);
}

/// Wrapped into a smaller page, its end would leave what is there already.
#[test]
fn a_page_whose_end_is_as_blank_as_the_part_shows_nothing() {
    let mut image: Vec<u8> = (0..=255).map(|byte| byte ^ 0x5a).collect();
    image[0xa0..].fill(0xff);
    let survey = survey(vec![0xff; 0x1000], Size::AtLeast(0x1000), 32, 1024);
    let survey = Survey { layout: Layout { units: &[32, 64, 128], ..survey.layout }, ..survey };
    let proof = &ordered(&survey, &image, BootsNow::No).part_proofs[0];
    assert_eq!((proof.segment.range(), proof.unit), (0x40..0x80, 64));
}

#[test]
fn what_is_left_is_written_in_the_units_that_were_found() {
    let bytes: Vec<u8> = (0..=255).map(|byte| byte ^ 0x5a).collect();
    let mut old = vec![0xff; 0x1000];
    // Nothing to write in the middle of the first half.
    old[32..96].copy_from_slice(&bytes[32..96]);
    let survey = survey(old.clone(), Size::AtLeast(0x1000), 32, 1024);
    let survey = Survey { layout: Layout { units: &[32, 64, 128], ..survey.layout }, ..survey };
    let image = image(&bytes, 2);
    let order = write_order(&survey, &image, BootsNow::No).unwrap();
    let proofs = order.part_proofs.clone();
    assert_eq!((proofs[0].segment.range(), body(&order)), (0x80..0x100, vec![(2, 128)]));
    let found = rest_behind_proofs(&survey, &image, proofs, 32).unwrap();
    let body: Vec<_> = found.body.iter().map(Operation::range).collect();
    assert_eq!(body, [2..32, 96..128]);
    let compared: Vec<_> = found.to_verify.iter().map(Segment::range).collect();
    assert_eq!(compared, [0x80..0x100, 2..32, 96..128]);
}

#[test]
fn the_units_own_bytes_stay_and_are_needed() {
    let mut old = vec![0x77; 0x1000];
    old[..2].copy_from_slice(b"\x00\x00");
    let survey = survey(old, Size::Proven(0x1000), 1, 256);
    let mut image = image(b"\xb6\xc3bodySERIALmore", 2);
    image.keep = vec![6..12];
    let order = write_order(&survey, &image, BootsNow::No).unwrap();
    assert_eq!(order.body, [write(2, b"body"), write(12, b"more")]);
    let unread = Survey { contents: None, ..survey };
    let refused = write_order(&unread, &image, BootsNow::Unknown);
    assert_eq!(refused, Err(Unwritable::KeptUnread(6)));
}

#[test]
fn what_the_chip_changes_by_itself_is_written_and_not_compared() {
    let survey = survey(vec![0xff; 0x1000], Size::Proven(0x1000), 64, 256);
    let mut image = image(b"\xb6\xc3body counter more", 2);
    image.unverified = vec![7..14];
    let order = write_order(&survey, &image, BootsNow::No).unwrap();
    assert_eq!(order.body, [write(2, b"body counter more")]);
    let compared: Vec<_> = order.to_verify.iter().map(Segment::range).collect();
    assert_eq!(compared, [2..7, 14..19]);
}

#[test]
fn a_block_that_would_lose_unread_bytes_is_not_erased() {
    let layout = Layout { erase: Erase::Blocks(64), extent: Extent::Known(256), ..EEPROM };
    let size = Size::Proven(256);
    let survey =
        Survey { layout, size, part_bytes: 256, contents: None, unreadable: None, before: None };
    let refused = write_order(&survey, &image(&[0x5a; 100], 2), BootsNow::Unknown);
    assert_eq!(refused, Err(Unwritable::ErasedUnread(100)));
    assert!(write_order(&survey, &image(&[0x5a; 128], 2), BootsNow::Unknown).is_ok());
}

#[test]
fn a_flash_that_needs_no_bit_set_is_not_erased() {
    let layout = Layout { erase: Erase::Blocks(64), extent: Extent::Known(256), ..EEPROM };
    let (size, contents) = (Size::Proven(256), Some(vec![0xff; 256]));
    let survey = Survey { layout, size, part_bytes: 256, contents, unreadable: None, before: None };
    let order = write_order(&survey, &image(b"\xb6\xc3body", 2), BootsNow::No).unwrap();
    assert_eq!(order.body, [write(2, b"body")]);
    assert_eq!(order.commit, [Segment { address: 0, bytes: b"\xb6\xc3".to_vec() }]);
}

#[test]
fn a_memory_that_is_written_upwards_gets_the_whole_image_once() {
    let (erase, sequence) = (Erase::Everything, Sequence::Upwards);
    let layout = Layout { erase, sequence, extent: Extent::Known(512), ..EEPROM };
    let (size, contents) = (Size::Proven(512), Some(vec![0x11; 512]));
    let survey = Survey { layout, size, part_bytes: 512, contents, unreadable: None, before: None };
    let order = write_order(&survey, &image(&[0x5a; 300], 0), BootsNow::No).unwrap();
    let expected = [Operation::Erase(0..512), write(0, &[0x5a; 256]), write(256, &[0x5a; 44])];
    assert_eq!(order.body, expected);
    assert!(order.commit.is_empty());
}

#[test]
fn a_memory_that_is_written_upwards_gets_every_segment_in_the_order_of_its_addresses() {
    let (erase, sequence) = (Erase::Blocks(64), Sequence::Upwards);
    let layout = Layout { erase, sequence, extent: Extent::Known(512), ..EEPROM };
    let (size, contents) = (Size::Proven(512), Some(vec![0x11; 512]));
    let survey = Survey { layout, size, part_bytes: 512, contents, unreadable: None, before: None };
    let segment = |address, byte| Segment { address, bytes: vec![byte; 64] };
    let image = Image { segments: vec![segment(0, 1), segment(128, 2)], ..image(&[1; 64], 0) };
    let order = write_order(&survey, &image, BootsNow::No).unwrap();
    let erases = [Operation::Erase(0..64), Operation::Erase(128..192)];
    let writes = image.segments.into_iter().map(Operation::Write);
    assert_eq!(order.body, erases.into_iter().chain(writes).collect::<Vec<_>>());
}
