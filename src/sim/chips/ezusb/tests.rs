//! Boot, request A0, the default device, and a small program for each register map.

use super::*;
use crate::sim::cores::mcs51::Bus8051;
use crate::sim::parts::part;

mod default_device;
mod peripherals;

const SECOND: u64 = 1_000_000_000;
const IDS: [u8; 6] = [0x34, 0x12, 0x78, 0x56, 0x02, 0x01];

/// Renumerates without leaving the bus and answers every request that has data with 5A; polls.
const POLLED_FX2: &[u8] = &[
    0x90, 0xE6, 0x80, 0x74, 0x02, 0xF0, // USBCS = RENUM
    0x90, 0xE6, 0x5D, 0xE0, 0x30, 0xE0, 0xF9, // wait for SUDAV
    0x74, 0x01, 0xF0, // clear it
    0x90, 0xE7, 0x40, 0x74, 0x5A, 0xF0, // EP0BUF = 5A
    0x90, 0xE6, 0x8A, 0xE4, 0xF0, // EP0BCH = 0
    0x90, 0xE6, 0x8B, 0x04, 0xF0, // EP0BCL = 1
    0x90, 0xE6, 0xA0, 0x74, 0x80, 0xF0, // clear HSNAK
    0x80, 0xDE,
];

/// The same for the AN2131, by the autovectored interrupt: 0000, 0043, 0060, 0080 and 0100.
const INTERRUPTED_AN2131: &[(u16, &[u8])] = &[
    (0x0000, &[0x02, 0x00, 0x60]),
    (0x0043, &[0x02, 0x01, 0xEE]),
    (
        0x0060,
        &[
            0x90, 0x7F, 0xAF, 0x74, 0x01, 0xF0, // USBBAV = AVEN
            0x90, 0x7F, 0xAE, 0x74, 0x01, 0xF0, // USBIEN = SUDAV
            0x90, 0x7F, 0xD6, 0x74, 0x06, 0xF0, // USBCS = DISCOE | RENUM
            0x75, 0xE8, 0x01, 0xD2, 0xAF, // EUSB, EA
            0x80, 0xFE,
        ],
    ),
    (
        0x0080,
        &[
            0x53, 0x91, 0xEF, // clear USBINT
            0x90, 0x7F, 0xAB, 0x74, 0x01, 0xF0, // clear SUDAV
            0x90, 0x7F, 0x00, 0x74, 0x5A, 0xF0, // IN0BUF = 5A
            0x90, 0x7F, 0xB5, 0x74, 0x01, 0xF0, // IN0BC = 1
            0x90, 0x7F, 0xB4, 0x74, 0x02, 0xF0, // clear HSNAK
            0x32,
        ],
    ),
    (0x0100, &[0x02, 0x00, 0x80]),
];

fn image(silicon: &Silicon, firmware: &[(u16, &[u8])]) -> Vec<u8> {
    let [ids_only, loads] = silicon.signatures;
    let mut bytes = vec![if firmware.is_empty() { ids_only } else { loads }];
    bytes.extend(IDS);
    bytes.resize(silicon.header_bytes as usize, 0);
    for (address, data) in firmware {
        bytes.extend((data.len() as u16).to_be_bytes());
        bytes.extend(address.to_be_bytes());
        bytes.extend(*data);
    }
    if !firmware.is_empty() {
        bytes.extend([0x80, 0x01]);
        bytes.extend(silicon.map.cpucs.to_be_bytes());
        bytes.push(0);
    }
    bytes
}

fn powered(silicon: &'static Silicon, part_name: &str, content: &[u8]) -> EzUsb {
    let eeprom = Eeprom::new(part(part_name).unwrap(), content);
    let mut chip = EzUsb::new(silicon, Some(eeprom));
    chip.power_on(0);
    while chip.run_until(3 * SECOND) < 3 * SECOND {}
    chip
}

fn ask(chip: &mut EzUsb, setup: Setup, data: &[u8]) -> Completion {
    let deadline = chip.now() + SECOND;
    chip.control(&setup, data, deadline)
}

fn read(chip: &mut EzUsb, request: u8, value: u16, length: u16) -> Completion {
    ask(chip, Setup { request_type: 0xC0, request, value, index: 0, length }, &[])
}

fn write(chip: &mut EzUsb, value: u16, data: &[u8]) -> Completion {
    let length = data.len() as u16;
    ask(chip, Setup { request_type: 0x40, request: 0xA0, value, index: 0, length }, data)
}

fn descriptor(chip: &mut EzUsb, value: u16) -> Vec<u8> {
    let setup = Setup { request_type: 0x80, request: 6, value, index: 0, length: 512 };
    match ask(chip, setup, &[]) {
        Completion::Done(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

fn ids(chip: &mut EzUsb) -> Vec<u8> {
    descriptor(chip, 0x0100)[8..14].to_vec()
}

fn done(bytes: &[u8]) -> Completion {
    Completion::Done(bytes.to_vec())
}

#[test]
fn a_blank_chip_is_the_default_device() {
    for (silicon, default) in [
        (&FX2LP, [0xB4, 0x04, 0x13, 0x86, 0x01, 0xA0]),
        (&FX1, [0xB4, 0x04, 0x73, 0x64, 0x01, 0xA0]),
        (&AN2131, [0x47, 0x05, 0x31, 0x21, 0x04, 0x00]),
        (&FX, [0x47, 0x05, 0x35, 0x22, 0x04, 0x00]),
    ] {
        for content in [vec![], vec![0; 256], vec![0xC5; 256]] {
            let mut chip = powered(silicon, "24c02", &content);
            assert_eq!(ids(&mut chip), default, "{}", silicon.name);
        }
        let mut bare = EzUsb::new(silicon, None);
        bare.power_on(0);
        bare.run_until(SECOND);
        assert_eq!(ids(&mut bare), default);
    }
}

#[test]
fn the_default_configuration_is_what_was_captured_from_an_fx2lp() {
    let mut chip = powered(&FX2LP, "24c02", &[]);
    let configuration = descriptor(&mut chip, 0x0200);
    assert_eq!(configuration.len(), 171);
    assert_eq!(configuration[..9], [9, 2, 0xAB, 0, 1, 1, 0, 0x80, 50]);
    assert_eq!(configuration[9..18], [9, 4, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0]);
    assert_eq!(configuration[27..34], [7, 5, 0x01, 2, 0, 2, 0]);
}

#[test]
fn ids_in_the_eeprom_replace_the_default_ones_where_the_signature_is_the_chips() {
    for silicon in [&FX2LP, &FX2, &AN2131, &FX] {
        for part_name in ["24c02", "24c16", "24lc64", "24lc512"] {
            let mut chip = powered(silicon, part_name, &image(silicon, &[]));
            assert_eq!(ids(&mut chip), IDS, "{} {part_name}", silicon.name);
        }
    }
    let mut other = powered(&FX2LP, "24lc64", &image(&AN2131, &[]));
    assert_ne!(ids(&mut other), IDS);
}

#[test]
fn a_two_byte_part_strapped_to_50_is_taken_for_one_with_one_address_byte() {
    let content = image(&FX2LP, &[]);
    let eeprom = Eeprom::new(part("24lc64").unwrap(), &content);
    let mut chip = EzUsb::new(&FX2LP, Some(eeprom));
    chip.board.eeprom = chip.board.eeprom.take().map(|part| part.strapped(0));
    chip.power_on(0);
    assert_eq!(chip.board.i2c.found, 1);
    assert_eq!(powered(&FX2LP, "24lc64", &content).board.i2c.found, 2);
}

#[test]
fn firmware_in_the_eeprom_answers_instead_of_the_core() {
    let fx2: &[(u16, &[u8])] = &[(0, POLLED_FX2)];
    for (silicon, firmware) in
        [(&FX2LP, fx2), (&FX2, fx2), (&AN2131, INTERRUPTED_AN2131), (&FX, INTERRUPTED_AN2131)]
    {
        let mut chip = powered(silicon, "24lc64", &image(silicon, firmware));
        for _ in 0..3 {
            assert_eq!(read(&mut chip, 0xB7, 0, 1), done(&[0x5A]), "{}", silicon.name);
            assert_eq!(descriptor(&mut chip, 0x0100), [0x5A], "{}", silicon.name);
        }
        let address = Setup { request_type: 0, request: 5, value: 9, index: 0, length: 0 };
        assert_eq!(ask(&mut chip, address, &[]), done(&[]));
        assert_eq!(chip.board.get(silicon.map.function_address), 9);
        assert_eq!(chip.diagnostics(), []);
    }
}

#[test]
fn request_a0_loads_starts_and_holds_a_program() {
    let mut chip = powered(&FX2LP, "24c02", &[]);
    assert_eq!(read(&mut chip, 0xB7, 0, 1), Completion::Stall);
    assert_eq!(write(&mut chip, 0xE600, &[1]), done(&[]));
    assert_eq!(write(&mut chip, 0, POLLED_FX2), done(&[]));
    assert_eq!(read(&mut chip, 0xA0, 0, POLLED_FX2.len() as u16), done(POLLED_FX2));
    assert_eq!(write(&mut chip, 0xE600, &[0]), done(&[]));
    assert_eq!(read(&mut chip, 0xB7, 0, 1), done(&[0x5A]));
    assert_eq!(write(&mut chip, 0xE600, &[1]), done(&[]));
    assert_eq!(read(&mut chip, 0xB7, 0, 1), Completion::TimedOut);
    assert_eq!(read(&mut chip, 0xA0, 0, 6), done(&POLLED_FX2[..6]));
}

#[test]
fn request_a0_reaches_ram_and_cpucs_and_nothing_else() {
    for (silicon, kept, lost) in [
        (&FX2LP, vec![0, 0x3FFF, 0xE000, 0xE1FF], vec![0x4000, 0xE200, 0xE680, 0xE740]),
        (&FX2, vec![0, 0x1FFF, 0xE000], vec![0x2000, 0x3FFF]),
        (&AN2131, vec![0, 0x1B3F, 0x1B57], vec![0x2000, 0x7F00, 0x7FD6]),
    ] {
        let mut chip = powered(silicon, "24c02", &[]);
        for address in kept {
            write(&mut chip, address, &[0x3C]);
            assert_eq!(read(&mut chip, 0xA0, address, 1), done(&[0x3C]), "{address:04x}");
        }
        for address in lost {
            write(&mut chip, address, &[0x3C]);
            assert_eq!(read(&mut chip, 0xA0, address, 1), done(&[0xFF]), "{address:04x}");
            assert_ne!(chip.board.get(address), 0x3C, "{address:04x}");
        }
    }
}

#[test]
fn discon_in_the_eeprom_keeps_the_chip_off_the_bus_until_its_program_connects() {
    let mut content = image(&FX2LP, &[(0, POLLED_FX2)]);
    content[7] = 0x40;
    let chip = powered(&FX2LP, "24lc64", &content);
    // The program writes USBCS without DISCON.
    assert_eq!(chip.attachment().map(|attachment| attachment.generation), Some(1));
    let idle: &[u8] = &[0x80, 0xFE];
    let mut content = image(&FX2LP, &[(0, idle)]);
    content[7] = 0x40;
    assert_eq!(powered(&FX2LP, "24lc64", &content).attachment(), None);
}

#[test]
fn loading_sixteen_kilobytes_takes_a_quarter_of_the_time_at_400_khz() {
    let mut times = Vec::new();
    for options in [0, 1] {
        let block = [0_u8; 1000];
        let mut records: Vec<(u16, &[u8])> =
            (1..16).map(|index| (index * 1000, block.as_slice())).collect();
        records.push((0, POLLED_FX2));
        let mut content = image(&FX2LP, &records);
        content[7] = options;
        let chip = powered(&FX2LP, "24lc128", &content);
        times.push(chip.attachment().unwrap().since / 1_000_000);
    }
    assert!((1300..1500).contains(&times[0]) && (330..390).contains(&times[1]), "{times:?}");
}

#[test]
fn records_that_leave_the_ram_or_have_no_end_are_reported() {
    let stray: &[u8] = &[1];
    let chip = powered(&FX2, "24lc64", &image(&FX2, &[(0x2000, stray)]));
    assert!(chip.diagnostics()[0].text.contains("2000"), "{:?}", chip.diagnostics());
    // A record of one byte, then empty ones; C2, where the part wraps, is part of an address.
    let endless = [&[0xC2, 0, 0, 0, 0, 0, 0, 0, 0, 1][..], &[0; 246]].concat();
    let endless = powered(&FX2LP, "24c02", &endless);
    assert!(endless.diagnostics()[0].text.contains("no end"));
}

#[test]
fn a_program_that_waits_costs_no_computation() {
    let mut chip = powered(&FX2LP, "24lc64", &image(&FX2LP, &[(0, POLLED_FX2)]));
    let day = 86_400 * SECOND;
    assert_eq!(chip.run_until(day), day);
    assert_eq!(read(&mut chip, 0xB7, 0, 1), done(&[0x5A]));
}

#[test]
fn an_unassigned_opcode_stops_the_8051_and_not_the_core() {
    let wrong: &[u8] = &[0xA5];
    let mut chip = powered(&FX2LP, "24lc64", &image(&FX2LP, &[(0, wrong)]));
    assert!(chip.diagnostics()[0].text.contains("a5"));
    assert_eq!(read(&mut chip, 0xB7, 0, 1), Completion::TimedOut);
    assert_eq!(read(&mut chip, 0xA0, 0, 1), done(&[0xA5]));
}

#[test]
fn the_default_device_keeps_its_alternate_setting_until_it_is_configured_again() {
    let standard = |request_type, request, value, length| Setup {
        request_type,
        request,
        value,
        index: 0,
        length,
    };
    let mut chip = powered(&FX2LP, "24c02", &[]);
    assert_eq!(ask(&mut chip, standard(0x00, 9, 1, 0), &[]), done(&[]));
    for alternate in [0, 1, 3, 2] {
        assert_eq!(ask(&mut chip, standard(0x01, 11, alternate, 0), &[]), done(&[]));
        assert_eq!(ask(&mut chip, standard(0x81, 10, 0, 1), &[]), done(&[alternate as u8]));
    }
    assert_eq!(ask(&mut chip, standard(0x01, 11, 4, 0), &[]), Completion::Stall);
    // The 8051 is held: nobody arms an endpoint, nobody fills one.
    let deadline = chip.now() + SECOND;
    assert_eq!(chip.bulk_out(0x02, &[0; 31], deadline), Completion::TimedOut);
    let deadline = chip.now() + SECOND;
    assert_eq!(chip.bulk_in(0x86, 64, deadline), Completion::TimedOut);
    assert_eq!(ask(&mut chip, standard(0x00, 9, 1, 0), &[]), done(&[]));
    assert_eq!(ask(&mut chip, standard(0x81, 10, 0, 1), &[]), done(&[0]));
    let mut old = powered(&AN2131, "24c02", &[]);
    for (alternate, answer) in [(2, done(&[])), (3, Completion::Stall)] {
        assert_eq!(ask(&mut old, standard(0x01, 11, alternate, 0), &[]), answer);
    }
}

#[test]
fn an_8051_reset_leaves_renum_as_it_was() {
    let firmware: &[(u16, &[u8])] = &[(0, POLLED_FX2)];
    let mut chip = powered(&FX2LP, "24lc64", &image(&FX2LP, firmware));
    assert_eq!(descriptor(&mut chip, 0x0100), [0x5A]);
    assert_eq!(write(&mut chip, 0xE600, &[1]), done(&[]));
    assert!(chip.board.is_renumerated());
    // Nobody answers now but A0, which is the core's.
    let setup = Setup { request_type: 0x80, request: 6, value: 0x0100, index: 0, length: 18 };
    assert_eq!(ask(&mut chip, setup, &[]), Completion::TimedOut);
    assert_eq!(read(&mut chip, 0xA0, 0, 3), done(&POLLED_FX2[..3]));
    // A program that does not touch USBCS is the device all the same.
    assert_eq!(write(&mut chip, 0, &[0x02, 0x00, 0x06]), done(&[]));
    assert_eq!(write(&mut chip, 0xE600, &[0]), done(&[]));
    assert_eq!(descriptor(&mut chip, 0x0100), [0x5A]);
}

/// EP1 and a FIFO on an FX2LP, endpoints 1 and 2 on an AN2131, by their registers.
#[test]
fn bulk_endpoints_take_and_give_as_a_program_arms_them() {
    let deadline = SECOND / 100;
    let bytes: Vec<u8> = (0..100).collect();
    for (silicon, endpoint, [count, control, buffer], maximum, is_fifo) in [
        (&FX2LP, 0x01, [0xE68D, 0xE6A1, 0xE780], 64, false),
        (&FX2LP, 0x02, [0xE691, 0xE6A3, 0xF000], 512, true),
        (&FX1, 0x04, [0xE695, 0xE6A4, 0xF400], 64, true),
        (&AN2131, 0x01, [0x7FC7, 0x7FC6, 0x7E40], 64, false),
        (&AN2131, 0x07, [0x7FD3, 0x7FD2, 0x7B40], 64, false),
    ] {
        let what = format!("{} {endpoint:02x}", silicon.name);
        let mut chip = powered(silicon, "24c02", &[]);
        let until = |chip: &EzUsb| chip.now() + deadline;
        let end = until(&chip);
        assert_eq!(chip.bulk_out(endpoint, &bytes[..10], end), Completion::TimedOut, "{what}");
        chip.board.write_external(count, 0x80);
        let end = until(&chip);
        assert_eq!(chip.bulk_out(endpoint, &bytes[..10], end), done(&[]), "{what}");
        assert_eq!(chip.board.read_external(count), 10, "{what}");
        assert_eq!(chip.board.range(buffer, 10), &bytes[..10], "{what}");
        let waits = chip.board.read_external(control);
        assert_eq!(waits & if is_fifo { 0x04 } else { 0x02 }, 0, "{what}");
        // One buffer: the second packet of a longer transfer waits for the program.
        chip.board.write_external(count, 0x80);
        let end = until(&chip);
        let longer = chip.bulk_out(endpoint, &bytes, end);
        assert_eq!(longer, if maximum == 64 { Completion::TimedOut } else { done(&[]) }, "{what}");
        chip.board.write_external(control, 0x01);
        let end = until(&chip);
        assert_eq!(chip.bulk_out(endpoint, &bytes[..1], end), Completion::Stall, "{what}");
    }
    for (silicon, endpoint, [count, control, buffer], is_fifo) in [
        (&FX2LP, 0x81, [0xE68F, 0xE6A2, 0xE7C0], false),
        (&FX2LP, 0x86, [0xE699, 0xE6A5, 0xF800], true),
        (&FX2LP, 0x88, [0xE69D, 0xE6A6, 0xFC00], true),
        (&AN2131, 0x82, [0x7FB9, 0x7FB8, 0x7E00], false),
    ] {
        let what = format!("{} {endpoint:02x}", silicon.name);
        let mut chip = powered(silicon, "24c02", &[]);
        chip.board.put_all(buffer, &bytes[..36]);
        chip.board.write_external(count, 36);
        if !is_fifo {
            assert_eq!(chip.board.read_external(control) & 0x02, 0x02, "{what}");
        }
        let end = chip.now() + deadline;
        assert_eq!(chip.bulk_in(endpoint, 512, end), done(&bytes[..36]), "{what}");
        let end = chip.now() + deadline;
        assert_eq!(chip.bulk_in(endpoint, 512, end), Completion::TimedOut, "{what}");
    }
    // A FIFO turned round, and one switched off.
    let mut chip = powered(&FX2LP, "24c02", &[]);
    chip.board.write_external(0xE612, 0xE2);
    chip.board.put_all(0xF000, &bytes[..3]);
    chip.board.write_external(0xE691, 3);
    let end = chip.now() + deadline;
    assert_eq!(chip.bulk_in(0x82, 512, end), done(&bytes[..3]));
    chip.board.write_external(0xE612, 0x62);
    chip.board.write_external(0xE691, 3);
    let end = chip.now() + deadline;
    assert_eq!(chip.bulk_in(0x82, 512, end), Completion::TimedOut);
}
