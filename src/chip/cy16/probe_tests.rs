//! The probe against a scripted device: what proves a chip and what does not.

use proptest::prelude::*;

use super::super::fake::{FakeChip, descriptor_of, sighting};
use super::*;
use crate::usb::Reply;
use crate::usb::TransferError;

fn not_proven(link: &mut FakeChip, seen: &Sighting) -> String {
    match probe(link, seen) {
        Err(ChipError::NotProven(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_blank_sl11r_is_proven() {
    let seen = sighting(0x04ce, 0x07d1);
    let mut link = FakeChip::mask_rom(0xe800, &seen);
    link.put_word(2 * 83, 0xf332);
    let finding = probe(&mut link, &seen).unwrap();
    assert_eq!((finding.model, finding.running), (SL11R, Running::MaskRom));
    let facts: Vec<_> = finding.evidence.iter().map(|evidence| &evidence.fact).collect();
    assert!(facts.iter().any(|fact| fact.contains("F332")), "{facts:?}");
    assert!(finding.evidence.iter().all(|evidence| evidence.grade != Grade::Documented));
    assert!(link.records.is_empty());
}

#[test]
fn no_register_of_an_sl11r_is_read() {
    let seen = sighting(0x04ce, 0x07d1);
    let mut link = FakeChip::mask_rom(0xe800, &seen);
    probe(&mut link, &seen).unwrap();
    assert!(link.asked.iter().all(|at| !(0xc000..0xe000).contains(at)), "{:x?}", link.asked);
}

#[test]
fn a_blank_ez_is_proven_and_called_the_smaller_one() {
    let seen = sighting(0x04b4, 0x7200);
    let mut link = FakeChip::mask_rom(0xe000, &seen);
    link.put_word(0xc004, 0x0101);
    let finding = probe(&mut link, &seen).unwrap();
    assert_eq!((finding.model, finding.running), (EZ_OTG, Running::MaskRom));
    let last = finding.evidence.last().unwrap();
    assert_eq!(last.grade, Grade::Inferred);
    assert!(finding.evidence.iter().any(|e| e.fact == "hardware revision 0101"));
}

#[test]
fn a_device_whose_id_is_in_no_table_is_proven_by_its_memory() {
    let seen = sighting(0x1234, 0x5678);
    let mut link = FakeChip::mask_rom(0xe800, &seen);
    link.put_word(2 * 83, 0xf332);
    link.put_word(2 * 90, 0x0a00);
    link.put(0x0a00, &descriptor_of(&seen));
    let finding = probe(&mut link, &seen).unwrap();
    assert_eq!((finding.model, finding.running), (SL11R, Running::Firmware));
}

#[test]
fn the_rom_window_decides_when_nothing_else_does() {
    let seen = sighting(0x1234, 0x5678);
    for (rom, model) in [(0xe800, SL11R), (0xe000, EZ_OTG)] {
        let mut link = FakeChip::mask_rom(rom, &seen);
        link.put(0xff00, &[0, 0, 0, 0]);
        for (interrupt, _) in SERVICES {
            link.put_word(interrupt * 2, 0xf100);
        }
        assert_eq!(probe(&mut link, &seen).unwrap().model, model);
    }
}

#[test]
fn a_descriptor_that_is_not_where_the_ez_keeps_it_is_found_in_the_rom() {
    let seen = sighting(0x04ce, 0x07d1);
    let mut link = FakeChip::mask_rom(0xe800, &seen);
    link.put_word(2 * 90, 0xf000);
    let finding = probe(&mut link, &seen).unwrap();
    assert_eq!(finding.running, Running::MaskRom);
    assert!(finding.evidence.iter().any(|e| e.fact.contains("lies in the ROM, at f800")));
}

#[test]
fn a_program_that_answers_requests_itself_is_firmware_whatever_it_shows() {
    for (ids, rom, interrupt) in [
        ((0x04ce, 0x07d1), 0xe800, 83),
        ((0x04b4, 0x7200), 0xe000, 83),
        ((0x04b4, 0x7200), 0xe000, 99),
    ] {
        let seen = sighting(ids.0, ids.1);
        let mut link = FakeChip::mask_rom(rom, &seen);
        link.put_word(2 * interrupt, 0x0a00);
        let finding = probe(&mut link, &seen).unwrap();
        assert_eq!(finding.running, Running::Firmware, "{} INT {interrupt}", seen.ids);
    }
    // What the word is on a chip without a second SIE is not known.
    let seen = sighting(0x04ce, 0x07d1);
    let mut link = FakeChip::mask_rom(0xe800, &seen);
    link.put_word(2 * 99, 0x0a00);
    assert_eq!(probe(&mut link, &seen).unwrap().running, Running::MaskRom);
}

#[test]
fn another_device_s_descriptor_proves_nothing() {
    let seen = sighting(0x04ce, 0x07d1);
    let mut link = FakeChip::mask_rom(0xe800, &sighting(0x04b4, 0x7200));
    let why = not_proven(&mut link, &seen);
    assert!(why.contains("got the descriptor of 04b4:7200"), "{why}");
    assert!(why.contains("expected that of 04ce:07d1"), "{why}");
}

#[test]
fn sides_that_contradict_each_other_prove_nothing() {
    let seen = sighting(0x04ce, 0x07d1);
    let mut link = FakeChip::mask_rom(0xe000, &seen);
    let why = not_proven(&mut link, &seen);
    assert!(why.contains("reset goes to E000") && why.contains("04ce:07d1"), "{why}");
}

#[test]
fn a_rom_of_one_byte_or_that_changes_proves_nothing() {
    let seen = sighting(0x04ce, 0x07d1);
    let mut link = FakeChip::mask_rom(0xe800, &seen);
    link.memory[0xe800..0xf800].fill(0xff);
    let why = not_proven(&mut link, &seen);
    assert!(why.contains("256 bytes of ff, expected code"), "{why}");
}

#[test]
fn vectors_that_point_nowhere_prove_nothing() {
    let seen = sighting(0x04ce, 0x07d1);
    let mut link = FakeChip::mask_rom(0xe800, &seen);
    link.put_word(2 * 67, 0x0300);
    let why = not_proven(&mut link, &seen);
    assert!(why.contains("got 0300 for INT 67 (scan)"), "{why}");
}

#[test]
fn a_refusal_says_what_was_asked_got_and_expected() {
    let seen = sighting(0x04ce, 0x07d1);
    for (answer, got) in [
        (Err(TransferError::Stall), "a STALL"),
        (Err(TransferError::TimedOut), "no answer in time"),
        (Ok(Reply { data: vec![0; 8] }), "8 bytes"),
    ] {
        let mut link = FakeChip::mask_rom(0xe800, &seen);
        link.script.extend([answer.clone(), answer.clone(), answer]);
        let why = not_proven(&mut link, &seen);
        assert_eq!(
            why,
            format!(
                "read the interrupt vectors (control in c0 ff wValue 0007 wIndex 0000 \
                 wLength 256): got {got}, expected 256 bytes"
            )
        );
    }
    let mut link = FakeChip::mask_rom(0xe800, &seen);
    link.script.push_back(Err(TransferError::Gone));
    assert!(matches!(probe(&mut link, &seen), Err(ChipError::Transfer { .. })));
}

fn any_answer() -> impl Strategy<Value = Result<Reply, TransferError>> {
    prop_oneof![
        4 => proptest::collection::vec(any::<u8>(), 256).prop_map(|data| Ok(Reply { data })),
        1 => proptest::collection::vec(any::<u8>(), 0..300).prop_map(|data| Ok(Reply { data })),
        1 => Just(Err(TransferError::Stall)),
    ]
}

proptest! {
    #[test]
    fn no_answers_make_the_probe_panic(
        script in proptest::collection::vec(any_answer(), 0..6),
        memory in proptest::collection::vec(any::<u8>(), 256),
    ) {
        let seen = sighting(0x04ce, 0x07d1);
        let mut link = FakeChip::mask_rom(0xe800, &seen);
        link.put(0, &memory);
        link.script.extend(script);
        let _ = probe(&mut link, &seen);
    }
}
