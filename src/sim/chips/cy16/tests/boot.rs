//! What the bytes in the EEPROM make of the chip at reset.

use super::*;

/// A device descriptor at 0800 and a pointer to it, as records.
fn identity(vendor: u16, product: u16) -> Vec<u8> {
    let mut device = EZ_OTG.device.to_vec();
    device[8..10].copy_from_slice(&vendor.to_le_bytes());
    device[10..12].copy_from_slice(&product.to_le_bytes());
    let mut stream = record(0, &[&[0x00, 0x08], &device[..]].concat());
    stream.extend(record(0, &[0xB4, 0x00, 0x00, 0x08]));
    stream
}

#[test]
fn erased_zeroed_and_absent_eeproms_leave_the_roms_identity() {
    assert_eq!(Host::sl11r().ids(), BLANK_SL11R);
    assert_eq!(Host::new(&SL11R, "24c16", &[0; 2048]).ids(), BLANK_SL11R);
    assert_eq!(Host::ez().ids(), BLANK_EZ);
    assert_eq!(Host::new(&EZ_OTG, "24c16", &[0; 2048]).ids(), BLANK_EZ);
    assert_eq!(Host::with(Cy16::new(&EZ_OTG, None)).ids(), BLANK_EZ);
    assert_eq!(Host::with(Cy16::new(&SL11R, None)).ids(), BLANK_SL11R);
}

#[test]
fn a_stream_in_the_eeprom_decides_who_the_chip_is() {
    for (silicon, part) in [(&SL11R, "24c16"), (&EZ_OTG, "24c16"), (&EZ_OTG, "24lc64")] {
        let host = Host::new(silicon, part, &identity(0x1234, 0x5678));
        assert_eq!(host.ids(), Ids::new(0x1234, 0x5678), "{} {part}", silicon.name);
        assert_eq!(host.diagnostics(), []);
    }
}

#[test]
fn the_order_of_the_boot_scans_makes_no_difference_to_one_eeprom() {
    for name in ["24c16", "24lc64"] {
        let eeprom = Eeprom::new(part(name).unwrap(), &identity(0x1234, 0x5678));
        let unknowns = Unknowns { large_eeprom_first: true, ..Unknowns::default() };
        let host = Host::with(Cy16::new(&EZ_OTG, Some(eeprom)).assuming(unknowns));
        assert_eq!(host.ids(), Ids::new(0x1234, 0x5678), "{name}");
    }
}

#[test]
fn a_dummy_record_odd_offsets_and_a_single_zero_at_the_end_are_fine() {
    let mut stream = record(0, &[0x00, 0xE0, 0x00, 0x00]);
    stream.extend(identity(0x1234, 0x5678));
    stream.push(0);
    assert_eq!(Host::new(&EZ_OTG, "24lc64", &stream).ids(), Ids::new(0x1234, 0x5678));
}

#[test]
fn records_behind_one_with_a_wrong_length_are_lost() {
    let mut stream = record(0, &[0x00, 0x08, 1, 2, 3, 4]);
    stream[2] -= 1;
    stream.extend(identity(0x1234, 0x5678));
    assert_eq!(Host::new(&EZ_OTG, "24lc64", &stream).ids(), BLANK_EZ);
}

#[test]
fn new_content_counts_from_the_next_power_up() {
    let mut host = Host::sl11r();
    host.bus.load_eeprom(&host.port, &identity(0x1234, 0x5678));
    host.pass(1000);
    assert_eq!(host.ids(), BLANK_SL11R);
    let seen = host.seen().unwrap();
    host.bus.reset(&seen).unwrap();
    assert_eq!(host.ids(), BLANK_SL11R);
    host.bus.replug(&host.port);
    assert_eq!(host.seen(), None);
    host.pass(1000);
    assert_eq!(host.ids(), Ids::new(0x1234, 0x5678));
    assert_ne!(host.seen().unwrap().device_number, seen.device_number);
}

/// The captured EEPROM image that finishes the boot by itself: it calls a routine in the ROM,
/// starts SIE2, sets its stack and enters the idle loop for good.
const CAPTURED: [u8; 50] = [
    0xB6, 0xC3, 0x24, 0x00, 0x00, 0xC8, 0x3F, // store at 3FC8
    0xC0, 0x09, 0x3A, 0xC0, 0xC0, 0x87, 0x07, 0x00, 0x27, 0x00, 0x3A, 0xC0, 0x9F, 0xAF, 0xC6, 0xE7,
    0xC2, 0x07, 0x02, 0x00, 0xC0, 0x07, 0x00, 0x00, 0x71, 0xAF, 0xCF, 0x07, 0x00, 0x04, 0xC0, 0xDF,
    0x47, 0xAF, 0xB6, 0xC3, 0x02, 0x00, 0x04, 0xC8, 0x3F, 0x00, 0x00,
];

#[test]
fn an_image_that_never_returns_keeps_the_loader_alive() {
    let eeprom = Eeprom::new(part("24lc64").unwrap(), &CAPTURED);
    let second = Unknowns { host_sie: 2, ..Unknowns::default() };
    let mut host = Host::with(Cy16::new(&EZ_OTG, Some(eeprom)).assuming(second));
    assert_eq!(host.ids(), BLANK_EZ);
    assert_eq!(host.diagnostics(), []);
    host.store(0x2000, &[1, 2, 3, 4]);
    assert_eq!(host.read(0x2000, 4), [1, 2, 3, 4]);
    assert_eq!(host.read(0x3FC8, 4), CAPTURED[7..11]);
}

#[test]
fn an_image_that_runs_away_leaves_no_device_and_says_so() {
    let mut stream = record(0, &[0x00, 0x08, 0x7F, 0xCF]); // jmp to itself
    stream.extend(record(4, &[0x00, 0x08]));
    let host = Host::new(&SL11R, "24c16", &stream);
    assert_eq!(host.seen(), None);
    assert!(host.said("did not come back to the idle loop"), "{:?}", host.diagnostics());
}

#[test]
fn what_the_model_does_not_know_is_told_from_what_fails() {
    let jump_into_rom = record(4, &[0x34, 0xF2]);
    let host = Host::new(&SL11R, "24c16", &jump_into_rom);
    assert_eq!(host.diagnostics()[0].verdict, crate::sim::Verdict::Unknown);
    let mut nonsense = record(0, &[0x00, 0x08, 0x00, 0xB0]);
    nonsense.extend(record(4, &[0x00, 0x08]));
    let host = Host::new(&SL11R, "24c16", &nonsense);
    assert_eq!(host.diagnostics()[0].verdict, crate::sim::Verdict::Failed);
    assert_eq!(host.seen(), None);
}

#[test]
fn a_program_that_takes_int_113_over_starts_usb_itself() {
    // Vector 113 to a `ret` at 0800: nobody attaches.
    let mut stream = record(0, &[0x00, 0x08, 0x97, 0xCF]);
    stream.extend(record(0, &[0xE2, 0x00, 0x00, 0x08]));
    assert_eq!(Host::new(&EZ_OTG, "24lc64", &stream).seen(), None);
}
