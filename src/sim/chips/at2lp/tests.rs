//! The chip against its datasheet, the captured unit and the transport's specification.

use super::super::super::drives::{CdDrive, Disk, Medium};
use super::super::super::parts::{WriteProtect, part};
use super::*;

const FAR: u64 = u64::MAX / 2;

/// 100_self_ATA.iic of the public pages.
const SELF_ATA: &str = "534b00802407d40778ff4000000000001201000200000040b4043068400246392c010a06\
    000200000040010009022700010100c000090400000308065000070502023f0000070588023f00000705810304000a\
    00040309041a033000310032003300340035003600370038003900410042001a0345005a002d005500530042002000\
    4100540032004c0050002c034300790070007200650073007300200053006500\
    6d00690063006f006e0064007500630074006f007200";

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn chip_with(content: &[u8]) -> At2lp {
    let eeprom = Eeprom::new(part("24c02").unwrap(), content);
    At2lp::new(Kind::At2lp, Release::Rc42, Some(eeprom))
}

fn on(mut chip: At2lp) -> At2lp {
    chip.power_on(0);
    chip.run_until(200_000_000);
    control_in(&mut chip, [0, 9, 1, 0, 0]);
    chip
}

fn control_in(chip: &mut At2lp, setup: [u16; 5]) -> Completion {
    let [request_type, request, value, index, length] = setup;
    let (request_type, request) = (request_type as u8, request as u8);
    chip.control(&Setup { request_type, request, value, index, length }, &[], FAR)
}

fn wrapper(length: u32, flags: u8, command: &[u8]) -> Vec<u8> {
    let mut bytes = b"USBC\x11\x22\x33\x44".to_vec();
    bytes.extend(length.to_le_bytes());
    bytes.extend([flags, 0, command.len() as u8]);
    bytes.extend(command);
    bytes.resize(31, 0);
    bytes
}

fn status(residue: u32, code: u8) -> Completion {
    let mut bytes = b"USBS\x11\x22\x33\x44".to_vec();
    bytes.extend(residue.to_le_bytes());
    bytes.push(code);
    Completion::Done(bytes)
}

fn done() -> Completion {
    Completion::Done(Vec::new())
}

const READ: [u8; 6] = [0x24, 0x26, 0, 2, 0, 0];

#[test]
fn a_blank_chip_shows_the_descriptors_of_the_captured_unit() {
    let mut chip = on(chip_with(&[]));
    let Completion::Done(device) = control_in(&mut chip, [0x80, 6, 0x100, 0, 18]) else {
        panic!("no device descriptor");
    };
    assert_eq!(hex::encode(device), "1201000200000040b4043068410000010201");
    let Completion::Done(configuration) = control_in(&mut chip, [0x80, 6, 0x200, 0, 255]) else {
        panic!("no configuration descriptor");
    };
    assert_eq!(configuration[4..9], [2, 1, 0, 0xc0, 1]);
    assert_eq!(chip.pipes(), Some([0x02, 0x86]));
}

#[test]
fn a_block_is_read_at_power_on_and_kept_until_the_power_goes() {
    let mut chip = on(chip_with(&bytes(SELF_ATA)));
    chip.eeprom_mut().unwrap().load(&[]);
    let id = |chip: &mut At2lp| control_in(chip, [0x80, 6, 0x100, 0, 18]);
    assert_eq!(id(&mut chip), Completion::Done(bytes(SELF_ATA)[0x10..0x22].to_vec()));
    let serial = control_in(&mut chip, [0x80, 6, 0x32c, 0x409, 255]);
    assert_eq!(serial, Completion::Done(bytes(SELF_ATA)[0x58..0x72].to_vec()));
    chip.power_off(300_000_000);
    chip.power_on(400_000_000);
    chip.run_until(600_000_000);
    assert_ne!(id(&mut chip), Completion::Done(bytes(SELF_ATA)[0x10..0x22].to_vec()));
}

#[test]
fn the_chip_puts_in_the_packet_size_of_the_speed() {
    let mut chip = on(chip_with(&bytes(SELF_ATA)));
    let Completion::Done(configuration) = control_in(&mut chip, [0x80, 6, 0x200, 0, 255]) else {
        panic!("no configuration descriptor");
    };
    assert_eq!(configuration[22..24], [0, 2]);
    assert_eq!(chip.pipes(), Some([0x02, 0x88]));
}

#[test]
fn an_mm_block_takes_an_at2lp_off_the_bus_and_areset_brings_it_back() {
    let mut image = bytes(SELF_ATA);
    image[..2].copy_from_slice(b"MM");
    let gone = on(chip_with(&image));
    assert_eq!((gone.attachment(), gone.diagnostics().len()), (None, 1));
    let mut forced = on(chip_with(&image).strapped());
    assert_eq!(forced.personality, Personality::Manufacturing);
    forced.power_off(FAR / 4);
    forced.power_on(FAR / 4 + 1);
    assert_eq!(forced.personality, Personality::Absent);
}

#[test]
fn an_at2_knows_mm_and_not_sk() {
    let eeprom = |content: &[u8]| Some(Eeprom::new(part("24c02").unwrap(), content));
    let sk = on(At2lp::new(Kind::At2, Release::Rc42, eeprom(&bytes(SELF_ATA))));
    assert_eq!(sk.personality, Personality::Manufacturing);
    let mut image = bytes(SELF_ATA);
    image[..2].copy_from_slice(b"MM");
    let mm = on(At2lp::new(Kind::At2, Release::Rc42, eeprom(&image)));
    assert!(matches!(mm.personality, Personality::Programmed(_)));
}

#[test]
fn fuses_count_where_there_is_no_block_and_zeros_are_none() {
    let fused = on(chip_with(&[]).with_fuses([0x1234, 0x5678, 1]));
    assert_eq!(fused.personality, Personality::Fused([0x1234, 0x5678, 1]));
    assert_eq!(fused.pipes(), Some([0x02, 0x88]));
    assert_eq!(on(chip_with(&[])).personality, Personality::Manufacturing);
}

#[test]
fn the_vendors_write_sequence_fills_the_eeprom_a_page_at_a_time() {
    let mut chip = on(chip_with(&[]));
    let image = bytes(SELF_ATA);
    assert_eq!(control_in(&mut chip, [0xc0, 2, 0, 4, 1]), Completion::Done(vec![0x24]));
    let before = chip.now();
    assert_eq!(chip.bulk_out(2, &wrapper(184, 0, &READ), FAR), done());
    assert_eq!(chip.bulk_out(2, &image, FAR), done());
    assert_eq!(chip.bulk_in(0x86, 13, FAR), status(0, 0));
    let part = chip.eeprom().unwrap();
    assert_eq!((part.content()[..184].to_vec(), part.wear().cycles), (image.clone(), 23));
    // 23 pages of 0.92 ms on the bus and 5 ms in the part.
    let milliseconds = (chip.now() - before) / 1_000_000;
    assert!((136..140).contains(&milliseconds), "{milliseconds}");
    assert_eq!(chip.bulk_out(2, &wrapper(184, 0x80, &READ), FAR), done());
    assert_eq!(chip.bulk_in(0x86, 184, FAR), Completion::Done(image));
    assert_eq!(chip.bulk_in(0x86, 13, FAR), status(0, 0));
    assert_eq!(chip.diagnostics(), []);
}

#[test]
fn power_lost_during_a_write_leaves_the_pages_that_were_in() {
    let mut chip = on(chip_with(&[]));
    let image = [0x55; 64];
    chip.bulk_out(2, &wrapper(64, 0, &READ), FAR);
    chip.bulk_out(2, &image, FAR);
    let later = chip.now() + 20_000_000;
    assert_eq!(chip.bulk_in(0x86, 13, later), Completion::TimedOut);
    chip.power_off(later);
    let content = chip.eeprom().unwrap().content();
    assert_eq!((content[..24].to_vec(), content[32]), (vec![0x55; 24], 0xff));
}

#[test]
fn a_dead_or_refusing_eeprom_fails_the_command_in_an_orderly_way() {
    let part = part("24c02").unwrap();
    let dead = Eeprom::new(part, &[]).dead();
    let mut chip = on(At2lp::new(Kind::At2lp, Release::Rc42, Some(dead)));
    chip.bulk_out(2, &wrapper(8, 0x80, &READ), FAR);
    assert_eq!(chip.bulk_in(0x86, 8, FAR), Completion::Stall);
    control_in(&mut chip, [0x02, 1, 0, 0x86, 0]);
    assert_eq!(chip.bulk_in(0x86, 13, FAR), status(8, 1));
    let refusing = Eeprom::new(part, &[]).protected(WriteProtect::Refuses);
    let mut chip = on(At2lp::new(Kind::At2lp, Release::Rc42, Some(refusing)));
    chip.bulk_out(2, &wrapper(8, 0, &READ), FAR);
    chip.bulk_out(2, &[1; 8], FAR);
    assert_eq!(chip.bulk_in(0x86, 13, FAR), status(8, 1));
}

#[test]
fn a_programmed_bridge_passes_commands_to_its_drive() {
    let disc = Medium::disc("hello");
    let mut chip = on(chip_with(&bytes(SELF_ATA)).with_drive(Box::new(CdDrive::new(Some(disc)))));
    chip.bulk_out(2, &wrapper(36, 0x80, &[0x12, 0, 0, 0, 36, 0]), FAR);
    let Completion::Done(inquiry) = chip.bulk_in(0x88, 36, FAR) else { panic!("no data") };
    assert!(inquiry.ends_with(b"CRX100E  1.0n"));
    assert_eq!(chip.bulk_in(0x88, 13, FAR), status(0, 0));
    let identify = [0x24, 0x24, 0x80, 0xfe, 1, 0, 0, 1, 0, 0, 0, 0, 0xa1, 0, 0, 0];
    chip.bulk_out(2, &wrapper(512, 0x80, &identify), FAR);
    assert!(matches!(chip.bulk_in(0x88, 512, FAR), Completion::Done(data) if data.len() == 512));
    assert_eq!(chip.bulk_in(0x88, 13, FAR), status(0, 0));
}

#[test]
fn manufacturing_mode_answers_no_drive_command() {
    let drive = Box::new(Disk::new(Medium::pattern(100)));
    let mut chip = on(chip_with(&[]).with_drive(drive));
    chip.bulk_out(2, &wrapper(36, 0x80, &[0x12, 0, 0, 0, 36, 0]), FAR);
    assert_eq!(chip.bulk_in(0x86, 36, FAR), Completion::Stall);
}

fn disk() -> At2lp {
    let drive = Box::new(Disk::new(Medium::pattern(100)));
    on(chip_with(&bytes(SELF_ATA)).with_drive(drive))
}

fn clear(chip: &mut At2lp, endpoint: u16) {
    assert_eq!(control_in(chip, [0x02, 1, 0, endpoint, 0]), done());
}

#[test]
fn every_case_of_the_transport_ends_as_the_specification_says() {
    const CAPACITY: [u8; 10] = [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const WRITE: [u8; 10] = [0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0];
    let mut chip = disk();
    // Case 1.
    chip.bulk_out(2, &wrapper(0, 0, &[0; 6]), FAR);
    assert_eq!(chip.bulk_in(0x88, 13, FAR), status(0, 0));
    // Cases 2 and 3.
    for command in [CAPACITY, WRITE] {
        chip.bulk_out(2, &wrapper(0, 0, &command), FAR);
        assert_eq!(chip.bulk_in(0x88, 13, FAR), status(0, 2));
    }
    // Case 4.
    chip.bulk_out(2, &wrapper(20, 0x80, &[0; 6]), FAR);
    assert_eq!(chip.bulk_in(0x88, 20, FAR), Completion::Stall);
    clear(&mut chip, 0x88);
    assert_eq!(chip.bulk_in(0x88, 13, FAR), status(20, 0));
    // Case 5: a short packet, or a full one and a halt.
    chip.bulk_out(2, &wrapper(20, 0x80, &CAPACITY), FAR);
    assert!(matches!(chip.bulk_in(0x88, 20, FAR), Completion::Done(data) if data.len() == 8));
    assert_eq!(chip.bulk_in(0x88, 13, FAR), status(12, 0));
    chip.bulk_out(2, &wrapper(1024, 0x80, &[0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0]), FAR);
    assert!(matches!(chip.bulk_in(0x88, 1024, FAR), Completion::Done(data) if data.len() == 512));
    assert_eq!(chip.bulk_in(0x88, 512, FAR), Completion::Stall);
    clear(&mut chip, 0x88);
    assert_eq!(chip.bulk_in(0x88, 13, FAR), status(512, 0));
    // Case 7.
    chip.bulk_out(2, &wrapper(4, 0x80, &CAPACITY), FAR);
    assert!(matches!(chip.bulk_in(0x88, 4, FAR), Completion::Done(data) if data.len() == 4));
    assert_eq!(chip.bulk_in(0x88, 13, FAR), status(0, 2));
    // Cases 8 and 10.
    chip.bulk_out(2, &wrapper(512, 0x80, &WRITE), FAR);
    assert_eq!(chip.bulk_in(0x88, 512, FAR), Completion::Stall);
    clear(&mut chip, 0x88);
    assert_eq!(chip.bulk_in(0x88, 13, FAR), status(512, 2));
    chip.bulk_out(2, &wrapper(8, 0, &CAPACITY), FAR);
    assert_eq!(chip.bulk_out(2, &[0; 8], FAR), Completion::Stall);
    clear(&mut chip, 2);
    assert_eq!(chip.bulk_in(0x88, 13, FAR), status(8, 2));
    // Case 9.
    chip.bulk_out(2, &wrapper(8, 0, &[0; 6]), FAR);
    assert_eq!(chip.bulk_out(2, &[0; 8], FAR), Completion::Stall);
    clear(&mut chip, 2);
    assert_eq!(chip.bulk_in(0x88, 13, FAR), status(8, 0));
    // Cases 11 and 12.
    for (length, residue) in [(1024, 512), (512, 0)] {
        chip.bulk_out(2, &wrapper(length, 0, &WRITE), FAR);
        assert_eq!(chip.bulk_out(2, &vec![6; length as usize], FAR), done());
        assert_eq!(chip.bulk_in(0x88, 13, FAR), status(residue, 0));
    }
    // Case 13.
    chip.bulk_out(2, &wrapper(8, 0, &WRITE), FAR);
    assert_eq!(chip.bulk_out(2, &[0; 8], FAR), Completion::Stall);
    clear(&mut chip, 2);
    assert_eq!(chip.bulk_in(0x88, 13, FAR), status(8, 2));
}

#[test]
fn what_is_no_wrapper_halts_both_pipes_until_the_reset() {
    let mut chip = disk();
    assert_eq!(chip.bulk_out(2, b"USBC", FAR), Completion::Stall);
    clear(&mut chip, 0x88);
    clear(&mut chip, 2);
    assert_eq!(chip.bulk_in(0x88, 13, FAR), Completion::Stall);
    assert_eq!(control_in(&mut chip, [0x21, 0xff, 0, 0, 0]), done());
    clear(&mut chip, 0x88);
    clear(&mut chip, 2);
    chip.bulk_out(2, &wrapper(0, 0, &[0; 6]), FAR);
    assert_eq!(chip.bulk_in(0x88, 13, FAR), status(0, 0));
}

#[test]
fn the_standard_requests_are_those_of_chapter_9() {
    let given = |bytes: &[u8]| Completion::Done(bytes.to_vec());
    for chip in [disk(), on(chip_with(&[]))] {
        let mut chip = chip;
        let inward = u16::from(chip.pipes().unwrap()[1]);
        for (setup, answer) in [
            ([0x80, 8, 0, 0, 1], given(&[1])),
            ([0x80, 0, 0, 0, 2], given(&[1, 0])),
            ([0x81, 0, 0, 0, 2], given(&[0, 0])),
            ([0x81, 0, 0, 9, 2], Completion::Stall),
            ([0x81, 10, 0, 0, 1], given(&[0])),
            ([0x81, 10, 0, 9, 1], Completion::Stall),
            ([0x01, 11, 0, 0, 0], done()),
            ([0x01, 11, 1, 0, 0], Completion::Stall),
            ([0x01, 11, 0, 9, 0], Completion::Stall),
            // ENDPOINT_HALT of the two pipes, of endpoint 0, and of none.
            ([0x02, 3, 0, inward, 0], done()),
            ([0x82, 0, 0, inward, 2], given(&[1, 0])),
            ([0x82, 0, 0, 0x02, 2], given(&[0, 0])),
            ([0x02, 1, 0, inward, 0], done()),
            ([0x82, 0, 0, inward, 2], given(&[0, 0])),
            ([0x82, 0, 0, 0, 2], given(&[0, 0])),
            ([0x82, 0, 0, 0x0f, 2], Completion::Stall),
            ([0x02, 3, 0, 0x0f, 0], Completion::Stall),
            // Remote wake-up, which its descriptors do not offer.
            ([0x00, 3, 1, 0, 0], Completion::Stall),
            ([0x00, 9, 7, 0, 0], Completion::Stall),
            ([0x00, 9, 0, 0, 0], done()),
            ([0x80, 8, 0, 0, 1], given(&[0])),
            ([0x81, 0, 0, 0, 2], Completion::Stall),
            ([0x82, 0, 0, 0x02, 2], Completion::Stall),
            ([0x01, 11, 0, 0, 0], Completion::Stall),
        ] {
            assert_eq!(control_in(&mut chip, setup), answer, "{setup:x?}");
        }
    }
}

#[test]
fn a_halt_that_the_host_sets_stalls_the_pipe_and_a_configuration_clears_it() {
    let mut chip = disk();
    assert_eq!(control_in(&mut chip, [0x02, 3, 0, 2, 0]), done());
    assert_eq!(chip.bulk_out(2, &wrapper(0, 0, &[0; 6]), FAR), Completion::Stall);
    assert_eq!(control_in(&mut chip, [0, 9, 1, 0, 0]), done());
    assert_eq!(chip.bulk_out(2, &wrapper(0, 0, &[0; 6]), FAR), done());
}

#[test]
fn the_other_speeds_configuration_is_the_same_with_packets_of_64_bytes() {
    for mut chip in [disk(), on(chip_with(&[])), on(chip_with(&[]).with_fuses([1, 2, 3]))] {
        let mut read = |value| match control_in(&mut chip, [0x80, 6, value, 0, 255]) {
            Completion::Done(bytes) => bytes,
            other => panic!("{value:x}: {other:?}"),
        };
        let (here, other) = (read(0x0200), read(0x0700));
        assert_eq!(other[1], 7);
        let differing = here.iter().zip(&other).filter(|(here, other)| here != other).count();
        // The type, and low and high byte of both sizes.
        assert_eq!(differing, 1 + 4);
        let size = other.windows(7).find(|part| part.starts_with(&[7, 5, 2, 2])).unwrap();
        assert_eq!(size[4..6], [64, 0]);
        assert_eq!(read(0x0600)[..8], [10, 6, 0, 2, 0, 0, 0, 64]);
    }
}

/// ATACB: the registers from features on, behind the action.
fn atacb(action: u8, registers: [u8; 7]) -> [u8; 16] {
    let mut block = [0; 16];
    block[..5].copy_from_slice(&[0x24, 0x24, action, 0xfe, 1]);
    block[6..13].copy_from_slice(&registers);
    block
}

#[test]
fn smart_goes_through_atacb_and_the_registers_tell_what_came_of_it() {
    let mut chip = disk();
    let smart = |features| [features, 1, 0, 0x4f, 0xc2, 0xa0, 0xb0];
    for features in [0xd0, 0xd1] {
        chip.bulk_out(2, &wrapper(512, 0x80, &atacb(0, smart(features))), FAR);
        let Completion::Done(data) = chip.bulk_in(0x88, 512, FAR) else { panic!("no data") };
        assert_eq!((data.len(), data[0], data[2]), (512, 0x10, 5));
        assert_eq!(data.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)), 0);
        assert_eq!(chip.bulk_in(0x88, 13, FAR), status(0, 0));
    }
    // RETURN STATUS: the key stays in the registers of a disk that is well.
    let registers = |chip: &mut At2lp| {
        chip.bulk_out(2, &wrapper(8, 0x80, &atacb(1, smart(0xda))), FAR);
        let data = chip.bulk_in(0x88, 8, FAR);
        assert_eq!(chip.bulk_in(0x88, 13, FAR), status(0, 0));
        data
    };
    chip.bulk_out(2, &wrapper(0, 0, &atacb(0, smart(0xda))), FAR);
    assert_eq!(chip.bulk_in(0x88, 13, FAR), status(0, 0));
    let well = vec![0x50, 0, 1, 0, 0x4f, 0xc2, 0xa0, 0x50];
    assert_eq!(registers(&mut chip), Completion::Done(well));
    // Switched off it aborts all but ENABLE.
    for (features, code) in [(0xd9, 0), (0xda, 1), (0xd8, 0), (0xda, 0)] {
        chip.bulk_out(2, &wrapper(0, 0, &atacb(0, smart(features))), FAR);
        assert_eq!(chip.bulk_in(0x88, 13, FAR), status(0, code), "{features:x}");
    }
    // Without the key, and a command it does not know.
    for registers in [[0xda, 0, 0, 0, 0, 0xa0, 0xb0], [0, 0, 0, 0, 0, 0xa0, 0x77]] {
        chip.bulk_out(2, &wrapper(0, 0, &atacb(0, registers)), FAR);
        assert_eq!(chip.bulk_in(0x88, 13, FAR), status(0, 1));
    }
    assert!(
        matches!(registers(&mut chip), Completion::Done(bytes) if bytes[1] == 4 && bytes[7] == 0x51)
    );
}
