//! The EEPROM against a scripted loader.

use proptest::prelude::*;

use super::super::fake::{FakeEzusb, sighting};
use super::super::model::{self, AN2131, FX2LP, Registers};
use super::*;
use crate::chip::Model;

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
fn the_part_the_chip_boots_from_gives_the_geometry() {
    let mut link = fx2lp();
    let geometry = open(&mut link, FX2LP).unwrap().geometry();
    assert_eq!((geometry.width, geometry.reach), (AddressWidth::Two, 0x1_0000));
    assert_eq!((geometry.page, geometry.span, geometry.bus_hz), (32, 4096, 100_000));
    let mut link = small(0xff, 2048);
    let geometry = open(&mut link, FX2LP).unwrap().geometry();
    assert_eq!((geometry.width, geometry.page, geometry.span), (AddressWidth::One, 8, 2048));
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
    for (spoils, hz) in [(false, 400_000), (true, 100_000)] {
        let mut link = fx2lp();
        link.spoils_fast = spoils;
        let content = link.eeprom.clone();
        let mut memory = open(&mut link, FX2LP).unwrap();
        assert_eq!(memory.read(0..0x1800).unwrap(), content[..0x1800]);
        assert_eq!(memory.geometry().bus_hz, hz);
        assert_eq!(link.is_fast, !spoils);
    }
}

#[test]
fn an_an2131_knows_one_clock_only() {
    let mut link = FakeEzusb::new(Registers::Map7F);
    let mut memory = open(&mut link, AN2131).unwrap();
    memory.read(0..256).unwrap();
    assert_eq!(memory.geometry().bus_hz, 90_909);
    assert_eq!(link.requests().iter().filter(|request| **request == 0xbc).count(), 1);
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
    memory.settle(0x4000);
    memory.write(0x1000, &[0x5a; 0x1000]).unwrap();
    assert_eq!(memory.write_cycles(), 64);
    memory.write(0x103f, &[1, 2]).unwrap();
    assert_eq!(memory.write_cycles(), 66);
    assert_eq!((link.page, &link.eeprom[0x103e..0x1042]), (64, &[0x5a, 1, 2, 0x5a][..]));
    let writes = link.log.iter().filter(|(request, ..)| *request == 0xbc).count();
    let sets = link.log.iter().filter(|(request, ..)| *request == 0xbb).count();
    assert_eq!((writes, sets), (2, 1));
}

#[test]
fn a_refusal_is_asked_for_its_reason() {
    for reason in [1, 2, 3, 6] {
        let mut link = fx2lp();
        link.failures.push_back(reason);
        let mut memory = open(&mut link, FX2LP).unwrap();
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
    for at in 0..40 {
        for error in [TransferError::Gone, TransferError::TimedOut, TransferError::Stall] {
            let mut link = fx2lp();
            link.disturbed = Some((at, error));
            let Ok(mut memory) = open(&mut link, FX2LP) else { continue };
            let _ = memory.read(0..0x200);
            let _ = memory.write(0, &[1; 64]);
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        address in 0_u32..0x1800,
        bytes in proptest::collection::vec(any::<u8>(), 1..0x700),
    ) {
        let mut link = fx2lp();
        let mut memory = open(&mut link, FX2LP).unwrap();
        memory.settle(0x2000);
        memory.write(address, &bytes).unwrap();
        let end = address + u32::try_from(bytes.len()).unwrap();
        prop_assert_eq!(memory.read(address..end).unwrap(), bytes);
    }
}
