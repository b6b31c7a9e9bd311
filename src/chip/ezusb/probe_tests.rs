//! The probe against a scripted device: what proves a chip and what does not.

use proptest::prelude::*;

use super::super::fake::{FakeEzusb, firmware, sighting};
use super::super::model::{FX, FX1, FX2};
use super::*;
use crate::usb::ClassCode;
use crate::usb::TransferError;

fn not_proven(link: &mut FakeEzusb, seen: &Sighting) -> String {
    match probe(link, seen) {
        Err(ChipError::NotProven(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_default_id_is_proven_and_nothing_is_written() {
    for (vendor, product, registers, model) in [
        (0x04b4, 0x8613, Registers::E6, FX2LP),
        (0x04b4, 0x6473, Registers::E6, FX1),
        (0x0547, 0x2131, Registers::Map7F, AN2131),
        (0x0547, 0x2235, Registers::Map7F, FX),
    ] {
        let mut link = FakeEzusb::new(registers);
        let finding = probe(&mut link, &sighting(vendor, product)).unwrap();
        assert_eq!((finding.model, finding.running), (model, Running::MaskRom));
        assert!(link.log.iter().all(|(request, _, length)| (*request, *length) == (0xa0, 0)));
    }
}

#[test]
fn fx2_is_told_from_fx2lp_by_the_ram_it_lacks() {
    let seen = sighting(0x04b4, 0x8613);
    let mut link = FakeEzusb::new(Registers::E6);
    link.ram_end = 0x2000;
    assert_eq!(probe(&mut link, &seen).unwrap().model, FX2);
    // RAM that shows through twice.
    let mut link = FakeEzusb::new(Registers::E6);
    link.memory.copy_within(0..0x2000, 0x2000);
    assert_eq!(probe(&mut link, &seen).unwrap().model, FX2);
    // RAM of one byte: the revision is asked.
    for (bcd, model) in [(0xa001, FX2LP), (0x0004, FX2)] {
        let mut link = FakeEzusb::new(Registers::E6);
        link.memory[0x2000..0x4000].fill(0);
        let seen = Sighting { bcd_device: bcd, ..seen.clone() };
        assert_eq!(probe(&mut link, &seen).unwrap().model, model);
    }
    // Other ids say nothing of the revision.
    for (byte, model) in [(0xff, FX2), (0x00, FX2LP)] {
        let mut link = FakeEzusb::new(Registers::E6);
        link.memory[0x2000..0x4000].fill(byte);
        let seen = Sighting { speed: Speed::High, ..firmware(0x1209, 1) };
        assert_eq!(probe(&mut link, &seen).unwrap().model, model);
    }
}

#[test]
fn where_reading_does_not_tell_a_held_fx2lp_is_told_by_bytes_that_are_put_back() {
    for (ram_end, mirrors, model) in
        [(0x4000, false, FX2LP), (0x4000, true, FX2), (0x2000, false, FX2)]
    {
        for byte in [0x00, 0xff] {
            let mut link = FakeEzusb::new(Registers::E6);
            link.is_halted = true;
            link.memory.fill(byte);
            (link.mirrors, link.upper_is_ram) = (mirrors, ram_end == 0x4000);
            let before = link.memory.clone();
            // The revision says otherwise, and is not asked.
            let bcd_device = if model == FX2 { 0xa001 } else { 0x0004 };
            let seen = Sighting { bcd_device, ..sighting(0x04b4, 0x8613) };
            let finding = probe(&mut link, &seen).unwrap();
            assert_eq!(finding.model, model, "{ram_end:x} {mirrors} {byte:02x}");
            assert_eq!(link.memory, before);
            let last = finding.evidence.last().unwrap();
            assert_eq!(last.grade, Grade::Documented, "{}", last.fact);
        }
    }
}

#[test]
fn a_program_that_runs_under_the_default_ids_is_not_halted() {
    let mut link = FakeEzusb::new(Registers::E6);
    link.memory.fill(0);
    assert_eq!(probe(&mut link, &sighting(0x04b4, 0x8613)).unwrap().model, FX2LP);
    assert!(link.log.iter().all(|(request, _, length)| (*request, *length) == (0xa0, 0)));
    // Nor is one under its own ids, whatever CPUCS says.
    link.is_halted = true;
    link.memory[..0x100].fill(0x90);
    let seen = Sighting { speed: Speed::High, ..firmware(0x1209, 1) };
    probe(&mut link, &seen).unwrap();
    assert!(link.log.iter().all(|(request, _, length)| (*request, *length) == (0xa0, 0)));
}

#[test]
fn a_blank_chip_whose_ram_is_all_zeros_is_proven_by_its_default_device() {
    let mut link = FakeEzusb::new(Registers::E6);
    link.memory.fill(0);
    assert_eq!(probe(&mut link, &sighting(0x04b4, 0x8613)).unwrap().model, FX2LP);
    let why = not_proven(&mut link, &firmware(0x1209, 1));
    assert!(why.contains("all bytes are equal"), "{why}");
}

#[test]
fn firmware_under_other_ids_tells_its_registers_by_its_code() {
    for (high, model) in [(0xe6, FX2LP), (0x7f, AN2131)] {
        let mut link = FakeEzusb::new(Registers::E6);
        link.memory[..0x1000].fill(0);
        for at in 0..8 {
            link.memory[0x100 + at * 8..][..3].copy_from_slice(&[0x90, high, 0x80]);
        }
        let finding = probe(&mut link, &firmware(0x1209, 1)).unwrap();
        assert_eq!((finding.model, finding.running), (model, Running::Firmware));
    }
}

#[test]
fn without_code_the_scratch_ram_tells_the_registers() {
    let seen = firmware(0x1209, 1);
    let mut link = FakeEzusb::new(Registers::E6);
    assert_eq!(probe(&mut link, &seen).unwrap().model, FX2LP);
    link.memory[0xe000..0xe200].fill(0xff);
    assert_eq!(probe(&mut link, &seen).unwrap().model, AN2131);
    link.memory[0xe000..0xe200].fill(0);
    assert!(not_proven(&mut link, &seen).contains("is not known"));
    let mut link = FakeEzusb::new(Registers::Map7F);
    assert_eq!(probe(&mut link, &seen).unwrap().model, AN2131);
    let high = Sighting { speed: Speed::High, ..seen };
    assert_eq!(probe(&mut FakeEzusb::new(Registers::E6), &high).unwrap().model, FX2LP);
}

#[test]
fn firmware_that_kept_the_default_ids_is_called_firmware() {
    let mut link = FakeEzusb::new(Registers::E6);
    let class = ClassCode::new(0, 0, 0);
    let seen = Sighting { class, ..sighting(0x04b4, 0x8613) };
    let descriptor = hex::decode("1201000200000040b404138601a00000000 1".replace(' ', ""));
    link.memory[0x300..0x312].copy_from_slice(&descriptor.unwrap());
    let finding = probe(&mut link, &seen).unwrap();
    assert_eq!(finding.running, Running::Firmware);
    let facts: Vec<_> = finding.evidence.iter().map(|evidence| &evidence.fact).collect();
    assert!(facts.iter().any(|fact| fact.contains("lies in RAM")), "{facts:?}");
}

/// 04b4:8613 under the core's own class, as a program may show it too.
const CORE_S_DESCRIPTOR: &str = "12010002ffffff40b404138601a000000001";

#[test]
fn a_program_that_shows_what_the_core_shows_is_found_in_ram() {
    let descriptor = hex::decode(CORE_S_DESCRIPTOR).unwrap();
    // In the RAM that all have, across the ends of two reads, in FX2LP's own, in the scratch RAM.
    for at in [0x300, 0x0ff8, 0x1ff8, 0x3f00, 0xe100] {
        let mut link = FakeEzusb::new(Registers::E6);
        link.is_halted = true;
        link.memory[at..at + 18].copy_from_slice(&descriptor);
        for place in 0..8 {
            link.memory[0x100 + place * 8..][..3].copy_from_slice(&[0x90, 0xe6, 0x80]);
        }
        let finding = probe(&mut link, &sighting(0x04b4, 0x8613)).unwrap();
        assert_eq!(finding.running, Running::Firmware, "{at:04x}");
        assert!(link.log.iter().all(|(request, _, length)| (*request, *length) == (0xa0, 0)));
    }
}

#[test]
fn the_loader_of_an_earlier_run_is_no_firmware() {
    for (vendor, product, registers) in
        [(0x04b4, 0x8613, Registers::E6), (0x0547, 0x2131, Registers::Map7F)]
    {
        let seen = sighting(vendor, product);
        let mut link = FakeEzusb::new(registers);
        for piece in loader::program(registers, &seen).unwrap() {
            let start = usize::from(piece.address);
            link.memory[start..start + piece.data.len()].copy_from_slice(&piece.data);
        }
        assert_eq!(probe(&mut link, &seen).unwrap().running, Running::MaskRom);
        // A byte of it that differs makes it another program.
        link.memory[0] ^= 1;
        assert_eq!(probe(&mut link, &seen).unwrap().running, Running::Firmware, "{}", seen.ids);
    }
}

#[test]
fn a_program_s_revision_does_not_tell_the_chip() {
    let descriptor = hex::decode("12010002ff000040b404138600010000000 1".replace(' ', "")).unwrap();
    let mut link = FakeEzusb::new(Registers::E6);
    link.memory[0x300..0x312].copy_from_slice(&descriptor);
    link.memory[0x2000..0x4000].fill(0);
    let seen = Sighting { bcd_device: 0x0100, ..firmware(0x04b4, 0x8613) };
    let finding = probe(&mut link, &seen).unwrap();
    assert_eq!((finding.model, finding.running), (FX2LP, Running::Firmware));
}

#[test]
fn a_core_with_the_ids_of_its_eeprom_is_proven_to_be_one() {
    for byte in [None, Some(0)] {
        let mut link = FakeEzusb::new(Registers::E6);
        if let Some(byte) = byte {
            link.memory.fill(byte);
        }
        let finding = probe(&mut link, &sighting(0x1209, 9)).unwrap();
        assert_eq!((finding.model, finding.running), (FX2LP, Running::MaskRom));
    }
}

#[test]
fn a_device_that_does_not_know_a0_is_refused_with_what_it_said() {
    let mut link = FakeEzusb::new(Registers::E6);
    link.ram_end = 0;
    let why = not_proven(&mut link, &sighting(0x04b4, 0x8613));
    assert_eq!(
        why,
        "read RAM at 0000 (control in c0 a0 wValue 0000 wIndex 0000 wLength 64): got a \
         STALL, expected 64 bytes"
    );
    let mut link = FakeEzusb::new(Registers::E6);
    link.disturbed = Some((0, TransferError::Gone));
    let gone = probe(&mut link, &sighting(0x04b4, 0x8613));
    assert!(matches!(gone, Err(ChipError::Transfer { .. })), "{gone:?}");
}

proptest! {
    #[test]
    fn no_ram_makes_the_probe_panic(
        memory in proptest::collection::vec(any::<u8>(), 0x100),
        ids in prop_oneof![Just((0x04b4, 0x8613)), Just((1, 1))],
        ram_end in 0_usize..0x4000,
    ) {
        let mut link = FakeEzusb::new(Registers::E6);
        link.memory[..0x100].copy_from_slice(&memory);
        link.ram_end = ram_end;
        let _ = probe(&mut link, &sighting(ids.0, ids.1));
    }
}
