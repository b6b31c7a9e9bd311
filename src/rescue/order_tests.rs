//! What is written in which order, for contents and images made up here.

use proptest::prelude::*;

use super::*;
use crate::chip::AddressWidth;

fn geometry(page: u32, span: u32) -> Geometry {
    let (width, reach, smallest) = (AddressWidth::Two, 0x1_0000, 0x1000);
    let (bus_hz, from_start, reads_back) = (100_000, false, false);
    Geometry { width, reach, smallest, page, span, bus_hz, from_start, reads_back }
}

fn survey(contents: Vec<u8>, size: Size, page: u32, span: u32) -> Survey {
    let part_bytes = 0x1000;
    let geometry = geometry(page, span);
    Survey { geometry, size, part_bytes, contents: Some(contents), unreadable: None }
}

/// What the memory holds after each write of the order, from `old` on.
fn play(order: &WriteOrder, old: &[u8]) -> Vec<Vec<u8>> {
    let mut memory = old.to_vec();
    order
        .runs()
        .map(|run| {
            let at = run.address as usize;
            memory[at..at + run.bytes.len()].copy_from_slice(&run.bytes);
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
    assert!(write_order(&survey, &image, 2, BootsNow::Yes).is_empty());
}

#[test]
fn a_valid_signature_is_broken_before_anything_else_changes() {
    let mut old = b"\xb6\xc3old records".to_vec();
    old.resize(0x1000, 0xff);
    let survey = survey(old, Size::Proven(0x1000), 32, 1024);
    let order = write_order(&survey, b"\xb6\xc3new records", 2, BootsNow::Yes);
    assert_eq!(order.runs().next(), Some(&Run { address: 0, bytes: vec![0xff] }));
    assert_eq!(order.commit, Some(Run { address: 0, bytes: vec![0xb6, 0xc3] }));
}

#[test]
fn where_every_byte_is_a_write_cycle_only_the_missing_signature_bytes_are_written() {
    let mut old = b"\xb6\xc3old records".to_vec();
    old.resize(0x800, 0xff);
    let survey = survey(old, Size::Proven(0x800), 1, 256);
    let order = write_order(&survey, b"\xb6\xc3new records", 2, BootsNow::Yes);
    assert_eq!(order.commit, Some(Run { address: 0, bytes: vec![0xb6] }));
}

#[test]
fn a_uniform_memory_is_proven_large_enough_by_the_images_last_unit() {
    let mut image = vec![0x11; 0x1100];
    image[..2].copy_from_slice(b"\xb6\xc3");
    let survey = survey(vec![0; 0x4000], Size::AtLeast(0x1000), 64, 1024);
    let order = write_order(&survey, &image, 2, BootsNow::No);
    let proof = order.part_proof.unwrap();
    assert_eq!(proof.run.range(), 0x10c0..0x1100);
    assert_eq!(proof.aliases, vec![Alias { size: 0x1000, address: 0xc0 }]);
}

#[test]
fn a_uniform_memory_proves_its_page_by_a_whole_one_even_when_the_size_is_no_question() {
    let mut image: Vec<u8> = (0..300).map(|i| (i % 251) as u8).collect();
    image[..2].copy_from_slice(b"\xb6\xc3");
    let survey = survey(vec![0xff; 0x1000], Size::AtLeast(0x1000), 64, 1024);
    let proof = write_order(&survey, &image, 2, BootsNow::No).part_proof.unwrap();
    assert_eq!(proof.run.range(), 0xc0..0x100, "the last whole page, not the rest behind it");
    assert_eq!(proof.aliases, vec![]);
}

#[test]
fn a_memory_written_from_its_start_gets_its_body_in_one_write() {
    let image: Vec<u8> = (0..=255).collect();
    let mut old = image.clone();
    for at in [0, 9, 100, 200] {
        old[at] = !old[at];
    }
    let mut survey = survey(old, Size::Proven(256), 8, 256);
    survey.geometry.from_start = true;
    let order = write_order(&survey, &image, 8, BootsNow::No);
    let body: Vec<_> = order.body.iter().map(|run| (run.address, run.range().end)).collect();
    assert_eq!(body, [(8, 208)]);
    assert_eq!(order.commit.map(|run| run.range()), Some(0..8));
}

#[test]
fn a_memory_that_was_not_read_gets_its_signature_broken_and_every_byte_of_the_image() {
    let image: Vec<u8> = b"\xb6\xc3".iter().copied().chain(0..=255).collect();
    for page in [1, 8, 64] {
        let mut survey = survey(Vec::new(), Size::AtLeast(0x1000), page, 256);
        survey.contents = None;
        let order = write_order(&survey, &image, 2, BootsNow::Unknown);
        assert_eq!(order.runs().next(), Some(&Run { address: 0, bytes: vec![0xff] }));
        assert_eq!(order.commit, Some(Run { address: 0, bytes: vec![0xb6, 0xc3] }));
        for byte in [0x00, 0xb6, 0xff] {
            let states = play(&order, &[byte; 0x1000]);
            assert!(states.last().unwrap().starts_with(&image), "page {page}, {byte:02x}");
        }
    }
}

#[test]
fn an_image_that_is_all_signature_is_not_mixed_with_an_unread_one() {
    let mut survey = survey(Vec::new(), Size::AtLeast(0x1000), 1, 256);
    survey.contents = None;
    let order = write_order(&survey, b"\xb6\xc3", 2, BootsNow::Unknown);
    assert_eq!(order.runs().next(), Some(&Run { address: 0, bytes: vec![0xff] }));
    assert_eq!(order.commit, Some(Run { address: 0, bytes: vec![0xb6, 0xc3] }));
}

#[test]
fn bytes_behind_a_short_reading_are_taken_for_changed() {
    let image = b"\xb6\xc3some records".to_vec();
    let survey = survey(image[..6].to_vec(), Size::Proven(0x1000), 1, 256);
    let order = write_order(&survey, &image, 2, BootsNow::Yes);
    assert_eq!(order.body, vec![Run { address: 6, bytes: image[6..].to_vec() }]);
}

/// Where the body's writes begin and end.
fn body(order: &WriteOrder) -> Vec<(u32, u32)> {
    order.body.iter().map(|run| (run.range().start, run.range().end)).collect()
}

/// The order for 64 bytes, of which the bytes in these ranges differ, with two bytes of signature.
fn order_for(dirty: &[Range<usize>], page: u32, span: u32) -> WriteOrder {
    let image = vec![0x11; 64];
    let mut old = image.clone();
    for range in dirty {
        old[range.clone()].fill(0xee);
    }
    write_order(&survey(old, Size::Proven(0x1000), page, span), &image, 2, BootsNow::No)
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
        let order = write_order(&survey, &image, 8, BootsNow::No);
        assert_eq!(order.commit.as_ref().map(Run::range), Some(expected), "page {page}");
        assert!(play(&order, &old).last().unwrap().starts_with(&image), "page {page}");
    }
}

#[test]
fn the_signature_is_broken_first_and_written_last_with_the_proof_before_the_body() {
    let image: Vec<u8> = (1..=200).collect();
    let survey = survey(vec![0xff; 0x1000], Size::AtLeast(0x1000), 64, 1024);
    let order = write_order(&survey, &image, 2, BootsNow::Yes);
    let addresses: Vec<u32> = order.runs().map(|run| run.address).collect();
    // The last whole page is 80..c0; the body is the rest of the first, the second, the last.
    assert_eq!(addresses, [0, 0x80, 2, 0x40, 0xc0, 0]);
}

#[test]
fn a_part_that_ends_where_the_proof_begins_would_show_it_at_its_start() {
    // What lies beyond the size in question is no whole page.
    let mut image = vec![0x11; 0x1020];
    image[..2].copy_from_slice(b"\xb6\xc3");
    let survey = survey(vec![0; 0x4000], Size::AtLeast(0x1000), 64, 1024);
    let proof = write_order(&survey, &image, 2, BootsNow::No).part_proof.unwrap();
    assert_eq!(proof.run.range(), 0x1000..0x1020);
    assert_eq!(proof.aliases, [Alias { size: 0x1000, address: 0 }]);
}

#[test]
fn each_smaller_size_would_show_the_proof_at_an_address_of_its_own() {
    let mut image = vec![0x11; 0x3080];
    image[..2].copy_from_slice(b"\xb6\xc3");
    let survey = survey(vec![0; 0x8000], Size::AtLeast(0x1000), 64, 1024);
    let proof = write_order(&survey, &image, 2, BootsNow::No).part_proof.unwrap();
    let aliases = [(0x1000, 0x40), (0x2000, 0x1040)];
    assert_eq!(proof.aliases, aliases.map(|(size, address)| Alias { size, address }));
}

#[test]
fn a_page_of_which_one_half_is_as_before_proves_no_page() {
    let mut image = vec![0x11; 0xc0];
    image[..2].copy_from_slice(b"\xb6\xc3");
    for half in [0x80..0xa0, 0xa0..0xc0] {
        let mut image = image.clone();
        image[half].fill(0xff);
        let survey = survey(vec![0xff; 0x1000], Size::AtLeast(0x1000), 64, 1024);
        let proof = write_order(&survey, &image, 2, BootsNow::No).part_proof.unwrap();
        assert_eq!(proof.run.range(), 0x40..0x80);
    }
}

proptest! {
    #[test]
    fn every_order_ends_in_the_image_and_is_unbootable_until_its_last_write(
        old in proptest::collection::vec(any::<u8>(), 512),
        same in 0usize..300,
        image in proptest::collection::vec(any::<u8>(), 3..400),
        page in prop_oneof![Just(1u32), Just(8), Just(16), Just(64)],
        uniform in any::<bool>(),
        valid in any::<bool>(),
    ) {
        let mut image = image;
        image[..2].copy_from_slice(&[0xb6, 0xc3]);
        let mut old = if uniform { vec![0xff; 512] } else { old };
        if !uniform {
            let same = same.min(image.len());
            old[..same].copy_from_slice(&image[..same]);
        }
        if valid { old[..2].copy_from_slice(&[0xb6, 0xc3]) } else { old[0] = 0xff }
        let survey = survey(old.clone(), Size::Proven(512), page, page.max(256));
        let boots_now = if valid { BootsNow::Yes } else { BootsNow::No };
        let order = write_order(&survey, &image, 2, boots_now);
        let states = play(&order, &old);
        if let Some((last, before)) = states.split_last() {
            prop_assert_eq!(&last[..image.len()], &image[..]);
            prop_assert_eq!(&last[image.len()..], &old[image.len()..]);
            for state in before {
                prop_assert_ne!(&state[..2], &[0xb6u8, 0xc3][..]);
            }
        } else {
            prop_assert_eq!(&old[..image.len()], &image[..]);
        }
        for run in order.body_runs() {
            let inside = run.range();
            prop_assert!(inside.start % page == 0 || inside.start / page == (inside.end - 1) / page);
            prop_assert!(run.bytes.len() as u32 <= page.max(256));
        }
    }
}
