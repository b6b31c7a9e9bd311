//! The datasheets' rules, and each fault.

use super::*;
use crate::sim::parts::part;

const MS: u64 = 1_000_000;

fn made(name: &str) -> Eeprom {
    Eeprom::new(part(name).unwrap(), &[])
}

fn write(part: &mut Eeprom, control: u8, bytes: &[u8], now: u64) -> bool {
    part.start();
    let mut acknowledged = part.take(control, now);
    for byte in bytes {
        acknowledged &= part.take(*byte, now);
    }
    part.stop(now);
    acknowledged
}

fn read(part: &mut Eeprom, control: u8, address: &[u8], length: usize, now: u64) -> Vec<u8> {
    part.start();
    assert!(part.take(control, now));
    for byte in address {
        assert!(part.take(*byte, now));
    }
    part.start();
    assert!(part.take(control | 1, now));
    let bytes = (0..length).map(|_| part.give()).collect();
    part.refuse();
    part.stop(now);
    bytes
}

#[test]
fn a_page_write_wraps_inside_the_page() {
    let mut part = made("24c16");
    assert!(write(&mut part, 0xa0, &[0x0e, 1, 2, 3, 4], 0));
    assert_eq!(part.content()[0x00..0x02], [3, 4]);
    assert_eq!(part.content()[0x0e..0x11], [1, 2, 0xff]);
    assert_eq!((part.wear().cycles, part.wear().pages[0]), (1, 1));
}

#[test]
fn the_part_answers_nothing_until_its_write_cycle_is_over() {
    let mut part = made("24lc64");
    assert!(write(&mut part, 0xa0, &[0, 0, 7], 0));
    part.start();
    assert!(!part.take(0xa0, 5 * MS - 1));
    part.start();
    assert!(part.take(0xa0, 5 * MS));
}

#[test]
fn a_write_without_stop_writes_nothing() {
    let mut part = made("24c02");
    part.start();
    for byte in [0xa0, 0x10, 0x55] {
        assert!(part.take(byte, 0));
    }
    part.start();
    part.stop(0);
    assert_eq!((part.content()[0x10], part.wear().cycles), (0xff, 0));
}

#[test]
fn a_sequential_read_wraps_at_the_end_of_the_part() {
    let mut part = Eeprom::new(part("24c04").unwrap(), &[0x11, 0x22]);
    assert_eq!(read(&mut part, 0xa2, &[0xff], 3, 0), [0xff, 0x11, 0x22]);
}

#[test]
fn a_current_address_read_continues_after_the_last_one() {
    let mut part = Eeprom::new(part("24c02").unwrap(), &[1, 2, 3, 4]);
    assert_eq!(read(&mut part, 0xa0, &[1], 1, 0), [2]);
    part.start();
    assert!(part.take(0xa1, 0));
    assert_eq!(part.give(), 3);
}

#[test]
fn address_bits_a_part_does_not_have_are_ignored() {
    let mut small = Eeprom::new(part("24c02").unwrap(), &[9]);
    assert_eq!(read(&mut small, 0xae, &[0], 1, 0), [9]);
    let mut large = Eeprom::new(part("24lc32").unwrap(), &[8]);
    assert_eq!(read(&mut large, 0xa0, &[0x10, 0], 1, 0), [8]);
}

#[test]
fn a_two_byte_address_is_data_to_a_one_byte_part() {
    let mut part = made("24c16");
    assert!(write(&mut part, 0xa0, &[0x00, 0x34, 0x77], 0));
    assert_eq!(part.content()[..3], [0x34, 0x77, 0xff]);
}

#[test]
fn a_part_with_two_address_bytes_compares_its_address_pins() {
    let mut part = made("24lc64");
    part.start();
    assert!(!part.take(0xa2, 0));
}

#[test]
fn fram_has_no_write_cycle_and_no_page() {
    let mut part = made("fm24c64");
    let bytes: Vec<u8> = [0, 0].into_iter().chain(0..200).collect();
    assert!(write(&mut part, 0xa0, &bytes, 0));
    assert!(!part.is_busy(0));
    assert_eq!(part.content()[199], 199);
}

#[test]
fn faulty_parts_fail_each_in_its_own_way() {
    let mut dead = made("24c02").dead();
    assert!(!write(&mut dead, 0xa0, &[0, 1], 0));
    let mut lying = made("24c02").lying();
    assert!(write(&mut lying, 0xa0, &[0, 1], 0));
    assert_eq!((lying.content()[0], lying.is_busy(MS)), (0xff, true));
    let mut stuck = made("24c02").stuck(3, 0xfe);
    assert!(write(&mut stuck, 0xa0, &[2, 1, 1], 0));
    assert_eq!(stuck.content()[2..4], [1, 0xfe]);
    assert_eq!(read(&mut stuck, 0xa0, &[3], 1, 10 * MS), [0xfe]);
    let mut slow = made("24c02").slow(4);
    assert!(write(&mut slow, 0xa0, &[0, 1], 0));
    assert!(slow.is_busy(19 * MS) && !slow.is_busy(20 * MS));
    let mut ignores = made("24c02").protected(WriteProtect::Ignores);
    assert!(write(&mut ignores, 0xa0, &[0, 1], 0));
    assert_eq!((ignores.content()[0], ignores.is_busy(0)), (0xff, false));
    let mut refuses = made("24c02").protected(WriteProtect::Refuses);
    assert!(!write(&mut refuses, 0xa0, &[0, 1], 0));
}

#[test]
fn power_lost_early_in_a_write_cycle_leaves_erased_bytes() {
    let mut early = Eeprom::new(part("24c02").unwrap(), &[0; 8]);
    assert!(write(&mut early, 0xa0, &[0, 0x12, 0x34], 0));
    early.power_off(MS);
    assert_eq!(early.content()[..3], [0xff, 0xff, 0]);
    let mut late = Eeprom::new(part("24c02").unwrap(), &[0; 8]);
    assert!(write(&mut late, 0xa0, &[0, 0x12], 0));
    late.power_off(4 * MS);
    assert_eq!(late.content()[..2], [0x12, 0]);
}
