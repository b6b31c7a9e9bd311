//! Scan records sent by the host.

use super::*;

#[test]
fn op_00_stores_in_ram_and_registers_and_not_in_rom() {
    let mut host = Host::ez();
    host.store(0x2001, &[1, 2, 3]);
    assert_eq!(host.read(0x2000, 5)[1..4], [1, 2, 3]);
    host.store(0xC03A, &[0x11, 0x22]);
    assert_eq!(host.word(0xC03A), 0x2211);
    let before = host.read(0xE000, 2);
    host.store(0xE000, &[0, 0]);
    assert_eq!(host.read(0xE000, 2), before);
    assert_eq!(host.diagnostics(), []);
}

#[test]
fn op_02_allocates_at_an_even_address_until_nothing_is_left() {
    let mut host = Host::ez();
    host.scan(&record(2, &[0x7A, 0x97, 0xCF, 0x00]));
    let block = host.word(0xF4);
    assert_eq!(block, 0x04A8);
    assert_eq!(host.read(block, 3), [0x97, 0xCF, 0x00]);
    assert_eq!(host.word(block - 2), 0x8000);
    host.scan(&record(2, &[&[0x7B], &[0; 0x1000][..]].concat()));
    assert!(host.word(0xF6) > block && host.word(0xF6).is_multiple_of(2));
    let large = record(2, &[&[0x7C], &[0; 0x3000][..]].concat());
    assert_eq!(host.try_scan(&large, 5), Err(TransferError::TimedOut));
    assert!(host.said("more than is free"));
}

#[test]
fn op_03_adds_the_blocks_address() {
    let mut host = Host::ez();
    host.scan(&record(2, &[0x7A, 0x10, 0x00, 0x20, 0x00]));
    host.scan(&record(3, &[0x7A, 2, 0]));
    let block = host.word(0xF4);
    assert_eq!((host.word(block), host.word(block + 2)), (0x0010, 0x0020 + block));
}

/// `mov [addr],value ; ret`
fn store_and_return(address: u16, value: u16) -> Vec<u8> {
    let [a0, a1] = address.to_le_bytes();
    let [v0, v1] = value.to_le_bytes();
    vec![0xE7, 0x07, v0, v1, a0, a1, 0x97, 0xCF]
}

#[test]
fn decoding_goes_on_behind_code_that_returns() {
    let mut host = Host::ez();
    host.store(0x2000, &store_and_return(0x2100, 0x1111));
    host.store(0x2010, &store_and_return(0x2102, 0x2222));
    host.scan(&record(2, &[&[0x7A], &store_and_return(0x2104, 0x3333)[..]].concat()));
    let stream = [
        record(4, &[0x00, 0x20]),
        record(5, &[0x10, 0x20]),
        record(6, &[0x7A]),
        record(0, &[0x06, 0x21, 0x44, 0x44]),
    ];
    host.scan(&stream.concat());
    assert_eq!(host.read(0x2100, 8), [0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44]);
}

#[test]
fn op_08_programs_byte_by_byte_and_takes_its_time() {
    let mut host = Host::ez();
    let data: Vec<u8> = (1..=70).collect();
    let before = host.bus.virtual_time();
    host.scan(&record(8, &[&[0x41, 0xF0, 0x01], &data[..]].concat()));
    let took = (host.bus.virtual_time() - before).as_millis();
    assert_eq!(host.eeprom()[0x1F0..0x1F0 + 70], data);
    assert_eq!(host.cycles(), 70);
    assert!((350..500).contains(&took), "{took} ms");
}

#[test]
fn op_08_through_int_64_reaches_every_block_of_a_small_part() {
    let mut host = Host::sl11r();
    host.scan(&record(8, &[0x40, 0xFE, 0x06, 1, 2, 3, 4]));
    assert_eq!(host.eeprom()[0x6FE..0x702], [1, 2, 3, 4]);
}

#[test]
fn the_other_wiring_reaches_nothing() {
    let mut host = Host::ez();
    host.scan(&record(8, &[0x40, 0, 0, 1, 2, 3]));
    assert_eq!((host.eeprom()[..3].to_vec(), host.cycles()), (vec![0xFF; 3], 0));
}

#[test]
fn two_kilobytes_in_one_request_take_longer_than_ten_seconds() {
    let mut host = Host::sl11r();
    let request = record(8, &[&[0x40, 0, 0], &[0x77; 2048][..]].concat());
    assert_eq!(host.try_scan(&request, 5), Err(TransferError::TimedOut));
    let so_far = host.cycles();
    assert!((500..1500).contains(&so_far), "{so_far}");
    // The chip goes on by itself, and refuses nothing meanwhile.
    let alive = Transfer::vendor_in(0xFF, 7, 0, 2).within(Duration::from_secs(1));
    assert_eq!(host.exchange(&alive), Err(TransferError::TimedOut));
    host.pass(10_000);
    assert_eq!(host.exchange(&alive).map(|data| data.len()), Ok(2));
    assert_eq!(host.eeprom(), vec![0x77; 2048]);
}

#[test]
fn op_09_writes_a_register_as_one_word() {
    let mut host = Host::ez();
    host.scan(&record(9, &[0x3A, 0x22, 0x22]));
    assert_eq!(host.word(0xC03A), 0x2222);
}

#[test]
fn a_request_without_terminator_ends_with_its_last_byte() {
    let mut host = Host::ez();
    let bytes = record(0, &[0x00, 0x20, 9]);
    host.exchange(&Transfer::vendor_out(0xFF, 0, 0xD5F0, bytes)).unwrap();
    assert_eq!(host.read(0x2000, 1), [9]);
}

#[test]
fn the_sequence_that_host_programs_send_to_a_running_sl11r_is_harmless() {
    let mut host = Host::sl11r();
    for (address, value) in
        [(0x00A6, 0xF332_u16), (0x02D2, 0xE8D4), (0xC00E, 0x0020), (0xC006, 0x0000)]
    {
        let before = host.word(address);
        host.store(address, &value.to_le_bytes());
        assert!(address >= 0xC000 || before == value, "{address:04x} was {before:04x}");
    }
    assert_eq!(host.diagnostics(), []);
    let image = [0xB6, 0xC3, 2, 0, 5, 0, 8];
    host.scan(&record(8, &[&[0x40, 0, 0], &image[..], &[0, 0]].concat()));
    assert_eq!(host.eeprom()[..7], image);
}

#[test]
fn an_undefined_record_stops_the_model() {
    let mut host = Host::ez();
    assert_eq!(host.try_scan(&record(0x0B, &[1, 2]), 5), Err(TransferError::TimedOut));
    assert!(host.said("op 0b"), "{:?}", host.diagnostics());
}

#[test]
fn the_status_stage_can_be_made_to_come_first() {
    let unknowns = Unknowns { status_before_scan: true, ..Unknowns::default() };
    let eeprom = Eeprom::new(part("24c16").unwrap(), &[]);
    let mut host = Host::with(Cy16::new(&SL11R, Some(eeprom)).assuming(unknowns));
    let before = host.bus.virtual_time();
    host.scan(&record(8, &[&[0x40, 0, 0], &[5; 100][..]].concat()));
    assert!((host.bus.virtual_time() - before).as_millis() < 50);
    assert_eq!(host.read(0, 2).len(), 2);
    assert!((host.bus.virtual_time() - before).as_millis() > 500);
    assert_eq!(host.eeprom()[..100], [5; 100]);
}
