//! The EEPROM against a scripted loader.

use std::time::Duration;

use proptest::prelude::*;

use super::super::fake::{FakeEzusb, sighting};
use super::super::model::{self, AN2131, FX2LP, Registers};
use super::width::Width;
use super::*;
use crate::chip::Model;
use crate::chip::memory::Extent;

fn open(link: &mut FakeEzusb, model: Model) -> Result<Eeprom<'_>, ChipError> {
    Eeprom::open(link, model::map(model), &sighting(0x04b4, 0x8613))
}

fn fx2lp() -> FakeEzusb {
    let mut link = FakeEzusb::new(Registers::E6);
    link.eeprom = (0..0x2000_u32).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
    link
}

fn small(mask: u8, bytes: usize) -> FakeEzusb {
    let mut link = FakeEzusb::new(Registers::E6);
    (link.mask, link.width) = (mask, 1);
    link.eeprom = (0..bytes).map(|at| u8::try_from(at % 253).unwrap()).collect();
    link
}

#[test]
fn the_part_the_chip_boots_from_gives_the_layout() {
    let mut link = fx2lp();
    let layout = open(&mut link, FX2LP).unwrap().layout();
    assert_eq!(layout.extent, Extent::Wraps { smallest: 0x1000, address_limit: 0x1_0000 });
    assert_eq!((layout.unit, layout.largest_write), (32, 4096));
    assert_eq!(layout.costs.byte, Duration::from_micros(90));
    let mut link = small(0xff, 2048);
    let layout = open(&mut link, FX2LP).unwrap().layout();
    assert_eq!(layout.extent, Extent::Wraps { smallest: 16, address_limit: 2048 });
    assert_eq!((layout.unit, layout.largest_write), (1, 2048));
}

#[test]
fn no_eeprom_is_told_from_a_bus_that_cannot_be_used() {
    let mut link = FakeEzusb::new(Registers::E6);
    (link.mask, link.width) = (0, 0);
    assert_eq!(open(&mut link, FX2LP).err(), Some(ChipError::NoMemory));
    link.bus_reason = 4;
    let error = open(&mut link, FX2LP).err().unwrap().to_string();
    assert!(error.contains("SDA or SCL"), "{error}");
}

#[test]
fn the_fast_clock_is_kept_only_when_it_reads_the_same() {
    for (spoils, byte_ns) in [(false, 22_500), (true, 90_000)] {
        let mut link = fx2lp();
        link.spoils_fast = spoils;
        let content = link.eeprom.clone();
        let mut memory = open(&mut link, FX2LP).unwrap();
        assert_eq!(memory.read(0..0x1800).unwrap(), content[..0x1800]);
        assert_eq!(memory.layout().costs.byte, Duration::from_nanos(byte_ns));
        assert_eq!(link.is_fast, !spoils);
    }
}

#[test]
fn an_an2131_knows_one_clock_only() {
    let mut link = FakeEzusb::new(Registers::Map7F);
    let mut memory = open(&mut link, AN2131).unwrap();
    memory.read(0..256).unwrap();
    assert_eq!(memory.layout().costs.byte, Duration::from_micros(99));
    // Two that prove the address width, and the one that was asked for.
    assert_eq!(link.requests().iter().filter(|request| **request == 0xbc).count(), 3);
}

#[test]
fn a_small_part_is_read_block_by_block_and_wraps_where_no_block_answers() {
    for (mask, bytes) in [(0x01, 256), (0x03, 512), (0xff, 2048), (0x05, 256)] {
        let mut link = small(mask, bytes);
        let content = link.eeprom.clone();
        let mut memory = open(&mut link, FX2LP).unwrap();
        let read = memory.read(0..2048).unwrap();
        assert!(read.iter().zip(content.iter().cycle()).all(|(got, held)| got == held), "{mask}");
        let beyond = link
            .log
            .iter()
            .any(|(request, address, _)| *request == 0xbc && usize::from(*address) >= bytes);
        assert!(!beyond, "{mask}");
    }
}

#[test]
fn a_write_goes_in_one_transfer_with_the_page_of_the_parts_size() {
    let mut link = fx2lp();
    link.eeprom.resize(0x4000, 0xff);
    let mut memory = open(&mut link, FX2LP).unwrap();
    memory.assume_size(0x4000);
    memory.write(0x1000, &[0x5a; 0x1000]).unwrap();
    assert_eq!(memory.write_cycles(), 64);
    memory.write(0x103f, &[1, 2]).unwrap();
    assert_eq!(memory.write_cycles(), 66);
    assert_eq!((link.page, &link.eeprom[0x103e..0x1042]), (64, &[0x5a, 1, 2, 0x5a][..]));
    let is_write = |(request, _, length): &&(u8, u16, usize)| *request == 0xbc && *length > 0;
    let writes = link.log.iter().filter(is_write).count();
    let sets = link.log.iter().filter(|(request, ..)| *request == 0xbb).count();
    assert_eq!((writes, sets), (2, 1));
}

#[test]
fn a_refusal_is_asked_for_its_reason() {
    for reason in [1, 2, 3, 6] {
        let mut link = fx2lp();
        link.failures.push_back(reason);
        let mut memory = open(&mut link, FX2LP).unwrap();
        memory.width = Width::Proven;
        let error = memory.write(0x40, &[1; 32]).unwrap_err();
        assert_eq!(error, MemoryError::NoAcknowledge { address: 0x40 });
        assert_eq!(memory.write_cycles(), 1);
    }
    for (reason, text) in
        [(4, "SDA or SCL"), (5, "did not finish"), (8, "another request"), (77, "77")]
    {
        let mut link = fx2lp();
        link.failures.push_back(reason);
        let mut memory = open(&mut link, FX2LP).unwrap();
        let error = memory.read(0..16).unwrap_err();
        assert!(matches!(error, MemoryError::Chip(ChipError::Loader(_))), "{error:?}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

/// Every way a part may be misplaced: its size, what is in it, and what is said.
#[test]
fn a_part_that_takes_its_addresses_otherwise_is_told_before_it_is_harmed() {
    let filled = |bytes: usize, byte: u8| vec![byte; bytes];
    let mixed = |bytes: usize| (0..bytes).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
    for (mask, width, eeprom, by_reading, text) in [
        (0x01, 1, filled(0x2000, 0xff), false, "uses two address bytes"),
        (0x01, 1, filled(0x2000, 0x00), false, "uses two address bytes"),
        (0x01, 1, mixed(0x2000), true, "seems to use two"),
        (0x02, 2, filled(256, 0x00), false, "was restored"),
        (0x02, 2, filled(256, 0xff), false, "was restored"),
        (0x02, 2, filled(128, 0xff), false, "was restored"),
        (0x02, 2, mixed(256), true, "ignores the second"),
    ] {
        let mut link = FakeEzusb::new(Registers::E6);
        (link.mask, link.width, link.is_misplaced) = (mask, width, true);
        link.eeprom.clone_from(&eeprom);
        let mut memory = open(&mut link, FX2LP).unwrap();
        let read = memory.read(0..0x100).map(|_| ());
        assert_eq!(read.is_err(), by_reading, "{text}: {read:?}");
        let image: Vec<u8> = (0..64).map(|at| 0xc2 ^ at).collect();
        let error = memory.write(0x40, &image).unwrap_err();
        assert!(matches!(error, MemoryError::OtherWidth(_)), "{error:?}");
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(link.eeprom, eeprom, "{text}");
    }
}

#[test]
fn a_part_in_its_place_is_proven_at_little_cost() {
    // With two address bytes no write cycle more, with one address byte one.
    for (mask, width, bytes, cycles) in
        [(0x02, 2, 0x2000, 2), (0x01, 1, 256, 9), (0xff, 1, 2048, 4)]
    {
        for byte in [0x00, 0xff] {
            let mut link = FakeEzusb::new(Registers::E6);
            (link.mask, link.width) = (mask, width);
            link.eeprom = vec![byte; bytes];
            let mut memory = open(&mut link, FX2LP).unwrap();
            memory.assume_size(bytes as u32);
            let image: Vec<u8> = (1..=64).collect();
            memory.write(0x40, &image).unwrap();
            memory.write(0, &[0xc2]).unwrap();
            assert_eq!(memory.write_cycles(), cycles + 1);
            let mut expected = vec![byte; bytes];
            expected[0x40..0x80].copy_from_slice(&image);
            expected[0] = 0xc2;
            assert_eq!(link.eeprom, expected, "{mask}");
        }
    }
    // A single byte is its own proof, and a dead cell is not taken for another width.
    let mut link = FakeEzusb::new(Registers::E6);
    (link.mask, link.width, link.eeprom) = (0x01, 1, vec![0xff; 256]);
    let mut memory = open(&mut link, FX2LP).unwrap();
    memory.write(0, &[0xc2]).unwrap();
    assert_eq!(memory.write_cycles(), 1);
    link.dead_cell = Some(0x40);
    let mut memory = open(&mut link, FX2LP).unwrap();
    memory.write(0x40, &[1, 2, 3, 4]).unwrap();
    assert_eq!(link.eeprom[0x40..0x44], [0xff, 2, 3, 4]);
}

#[test]
fn a_byte_that_was_tried_is_put_back_although_the_transfer_after_it_was_lost() {
    let mut link = FakeEzusb::new(Registers::E6);
    (link.is_misplaced, link.eeprom) = (true, vec![0xff; 256]);
    let tries = |link: &mut FakeEzusb, lost| {
        link.disturbed = lost;
        let mut memory = open(link, FX2LP).unwrap();
        let first = memory.write(0x40, &[1; 32]).unwrap_err();
        let again = memory.write(0x40, &[1; 32]).unwrap_err();
        (first, again)
    };
    tries(&mut link, None);
    let tried = link.requests().iter().position(|request| *request == 0xa2).unwrap();
    for (lost, loses_answers) in [(tried, false), (tried, true), (tried + 1, false)] {
        let mut link = FakeEzusb::new(Registers::E6);
        (link.is_misplaced, link.eeprom) = (true, vec![0xff; 256]);
        link.loses_answers = loses_answers;
        let (first, again) = tries(&mut link, Some((lost, TransferError::TimedOut)));
        assert!(matches!(first, MemoryError::Chip(_)), "{first}");
        assert!(matches!(again, MemoryError::OtherWidth(_)), "{again}");
        assert_eq!(link.eeprom, [0xff; 256], "{lost}");
    }
}

#[test]
fn a_byte_that_cannot_be_put_back_is_not_said_to_be() {
    let mut link = FakeEzusb::new(Registers::E6);
    (link.is_misplaced, link.eeprom, link.last_write) = (true, vec![0xff; 256], Some(0x80));
    let mut memory = open(&mut link, FX2LP).unwrap();
    let error = memory.write(0x40, &[1; 32]).unwrap_err();
    assert!(matches!(error, MemoryError::Chip(ChipError::Loader(_))), "{error:?}");
    assert!(error.to_string().contains("could not be restored"), "{error}");
    assert_eq!(memory.write_cycles(), 2);
}

#[test]
fn a_short_answer_is_no_reading() {
    let mut link = fx2lp();
    link.is_curt = true;
    let mut memory = open(&mut link, FX2LP).unwrap();
    memory.width = Width::Proven;
    let error = memory.read(0..16).unwrap_err().to_string();
    assert!(error.contains("brought 15 bytes, expected 16"), "{error}");
}

#[test]
fn a_page_that_may_not_have_been_told_is_told_again() {
    let sets = |lost| {
        let mut link = fx2lp();
        link.disturbed = lost;
        let mut memory = open(&mut link, FX2LP).unwrap();
        memory.width = Width::Proven;
        for bytes in [0x1000, 0x4000, 0x1000] {
            memory.assume_size(bytes);
            let _ = memory.write(0, &[1]);
        }
        let told = |(place, request): (usize, u8)| (request == 0xbb).then_some(place);
        link.requests().into_iter().enumerate().filter_map(told).collect::<Vec<_>>()
    };
    let whole = sets(None);
    assert_eq!(whole.len(), 3);
    assert_eq!(sets(Some((whole[1], TransferError::TimedOut))).len(), 3);
}

#[test]
fn nothing_beyond_the_reach_is_sent() {
    let mut link = small(0x01, 256);
    let mut memory = open(&mut link, FX2LP).unwrap();
    assert!(memory.write(2040, &[0; 16]).is_err());
    assert!(memory.write(0, &[0; 4097]).is_err());
    assert_eq!(memory.write_cycles(), 0);
    assert!(!link.requests().contains(&0xbc));
}

#[test]
fn a_device_lost_at_any_transfer_is_an_error_and_no_panic() {
    let mut met = 0;
    for at in 0..40 {
        for error in [TransferError::Gone, TransferError::TimedOut, TransferError::Stall] {
            let mut link = fx2lp();
            link.disturbed = Some((at, error.clone()));
            let done = open(&mut link, FX2LP).map_err(MemoryError::from).and_then(|mut memory| {
                memory.read(0..0x200)?;
                memory.write(0, &[1; 64])
            });
            // What is stalled or late may be asked again; who has left has left.
            if error == TransferError::Gone && link.requests().len() > at {
                assert!(done.is_err(), "gone at {at}");
                met += 1;
            }
        }
    }
    assert!(met > 5, "{met} transfers were lost");
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        address in 0_u32..0x1800,
        bytes in proptest::collection::vec(any::<u8>(), 1..0x700),
    ) {
        let mut link = fx2lp();
        let mut memory = open(&mut link, FX2LP).unwrap();
        memory.assume_size(0x2000);
        memory.write(address, &bytes).unwrap();
        let end = address + u32::try_from(bytes.len()).unwrap();
        prop_assert_eq!(memory.read(address..end).unwrap(), bytes);
    }
}
