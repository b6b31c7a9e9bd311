//! The SL11R memory against a scripted BIOS. That the real loader works on the EZ-OTG's
//! conventions is for tests/cy16.rs, on the simulator.

use std::sync::{Arc, Mutex};

use super::super::fake::FakeChip;
use super::*;

const BASE: u16 = 0x0600;
const STOCK: u16 = 0xf234;

type Cells = Arc<Mutex<Vec<u8>>>;

fn word(memory: &[u8], at: u16) -> u16 {
    u16::from_le_bytes([memory[usize::from(at)], memory[usize::from(at) + 1]])
}

fn put(memory: &mut [u8], at: u16, bytes: &[u8]) {
    memory[usize::from(at)..usize::from(at) + bytes.len()].copy_from_slice(bytes);
}

/// Ops 02, 06 and 08 as the BIOS does them, by the offsets of sl11r-read.asm.
fn bios(cells: &Cells, record: &Record, memory: &mut [u8]) {
    let mut cells = cells.lock().unwrap();
    match record {
        Record::Install { interrupt: 0x52, code } => {
            put(memory, BASE, code);
            put(memory, 0x00a4, &BASE.to_le_bytes());
        }
        Record::Interrupt { interrupt: 0x52 } => {
            let base = word(memory, 0x00a4);
            assert_eq!(base, BASE, "the vector is the reader's while it runs");
            let (address, count) = (word(memory, base + 4), word(memory, base + 6));
            let mut sum = 0_u16;
            for offset in 0..count {
                let byte = cells[usize::from(address + offset) % cells.len()];
                sum = sum.wrapping_add(u16::from(byte));
                put(memory, base + SL11R_READ.buffer() + offset, &[byte]);
            }
            put(memory, base + 8, &sum.to_le_bytes());
            put(memory, base + 2, &0xd0ce_u16.to_le_bytes());
        }
        Record::Feed { interrupt: 0x40, start, data } => {
            for (offset, byte) in data.iter().enumerate() {
                let size = cells.len();
                cells[(usize::from(*start) + offset) % size] = *byte;
            }
        }
        _ => {}
    }
}

fn chip_with(size: usize) -> (FakeChip, Cells) {
    let cells: Cells = Arc::new(Mutex::new(
        (0..size).map(|i| u8::try_from((i * 5 + i / 256) & 0xff).unwrap()).collect(),
    ));
    let mut chip = FakeChip::new();
    chip.put_word(0x00a4, STOCK);
    let inside = cells.clone();
    chip.effect = Box::new(move |record, memory| {
        bios(&inside, record, memory);
        Ok(())
    });
    (chip, cells)
}

#[test]
fn a_read_runs_the_reader_and_gives_the_vector_back() {
    let (mut chip, cells) = chip_with(512);
    let mut memory = Eeprom::open(&mut chip, Running::MaskRom).unwrap();
    let read = memory.read(0..2048).unwrap();
    assert_eq!(read, cells.lock().unwrap().repeat(4));
    assert_eq!(word(&chip.memory, 0x00a4), STOCK);
    assert!(!chip.records.iter().any(|record| matches!(record, Record::Feed { .. })));
}

#[test]
fn a_read_that_fails_gives_the_vector_back_too() {
    let (mut chip, cells) = chip_with(512);
    chip.effect = Box::new(move |record, memory| {
        bios(&cells, record, memory);
        if matches!(record, Record::Interrupt { .. }) {
            put(memory, BASE + 2, &1_u16.to_le_bytes());
        }
        Ok(())
    });
    let mut memory = Eeprom::open(&mut chip, Running::MaskRom).unwrap();
    let error = memory.read(0..16).unwrap_err();
    assert!(
        matches!(&error, MemoryError::Unreadable(why) if why.contains("has not ended after 3 s")),
        "{error}"
    );
    assert_eq!(word(&chip.memory, 0x00a4), STOCK);
}

#[test]
fn a_chip_that_does_not_place_the_reader_can_be_written_and_not_read() {
    let (mut chip, cells) = chip_with(2048);
    let inside = cells.clone();
    chip.effect = Box::new(move |record, memory| {
        if !matches!(record, Record::Install { .. }) {
            bios(&inside, record, memory);
        }
        Ok(())
    });
    let clock = chip.clock();
    let mut memory = Eeprom::open(&mut chip, Running::MaskRom).unwrap();
    let error = memory.read(0..16).unwrap_err();
    assert!(
        matches!(&error, MemoryError::Unreadable(why) if why.contains("was placed at f234")),
        "{error}"
    );
    let before = clock.now();
    memory.write(0x100, &[7; 100]).unwrap();
    assert_eq!(cells.lock().unwrap()[0x100..0x164], [7; 100]);
    let took = clock.now() - before;
    assert!((Duration::from_millis(1999)..Duration::from_millis(2100)).contains(&took), "{took:?}");
}

/// A chip that does as the BIOS does, and then this.
fn chip_that(mut also: impl FnMut(&Record, &mut [u8]) + Send + 'static) -> FakeChip {
    let (mut chip, cells) = chip_with(512);
    chip.effect = Box::new(move |record, memory| {
        bios(&cells, record, memory);
        also(record, memory);
        Ok(())
    });
    chip
}

/// Why nothing can be read.
fn unreadable(mut chip: FakeChip) -> String {
    let mut memory = Eeprom::open(&mut chip, Running::MaskRom).unwrap();
    match memory.read(0..16) {
        Err(MemoryError::Unreadable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn bytes_that_do_not_match_the_reader_s_sum_are_not_believed() {
    let why = unreadable(chip_that(|record, memory| {
        if matches!(record, Record::Interrupt { .. }) {
            memory[usize::from(BASE + SL11R_READ.buffer())] ^= 0x40;
        }
    }));
    assert!(why.contains("with the sum"), "{why}");
}

#[test]
fn a_reader_that_lies_anywhere_but_in_free_ram_is_not_run() {
    let beyond = u16::try_from(model::map(SL11R).free.end).unwrap() - 2;
    for place in [BASE + 1, beyond, 0x0010, 0xc000] {
        let why = unreadable(chip_that(move |record, memory| {
            if matches!(record, Record::Install { .. }) {
                put(memory, 0x00a4, &place.to_le_bytes());
            }
        }));
        assert!(why.contains(&format!("was placed at {place:04x}")), "{why}");
    }
}

#[test]
fn a_reader_that_ram_did_not_keep_is_not_run() {
    let why = unreadable(chip_that(|record, memory| {
        if matches!(record, Record::Install { .. }) {
            memory[usize::from(BASE) + 0x10] ^= 1;
        }
    }));
    assert!(why.contains("has changed at 0600"), "{why}");
}

#[test]
fn a_write_whose_sign_does_not_come_is_none() {
    let mut chip = chip_that(|record, memory| {
        let sign = Record::Copy { address: BASE + 2, data: WRITTEN.to_le_bytes().to_vec() };
        if *record == sign {
            put(memory, BASE + 2, &[0, 0]);
        }
    });
    let mut memory = Eeprom::open(&mut chip, Running::MaskRom).unwrap();
    let error = memory.write(0, &[1; 16]).unwrap_err().to_string();
    assert!(error.contains("shows 0000 after writing, expected 5afe"), "{error}");
    assert_eq!(memory.write_cycles(), 16);
}

#[test]
fn a_write_is_one_op_08_of_at_most_256_bytes_and_a_sign_behind_it() {
    let (mut chip, cells) = chip_with(2048);
    let mut memory = Eeprom::open(&mut chip, Running::MaskRom).unwrap();
    memory.write(0x200, &[9; 256]).unwrap();
    assert_eq!(memory.write_cycles(), 256);
    assert!(memory.write(0, &[9; 257]).is_err());
    assert!(memory.write(2047, &[9; 2]).is_err());
    assert_eq!(cells.lock().unwrap()[0x200..0x300], [9; 256]);
    let last = &chip.records[chip.records.len() - 2..];
    assert!(
        matches!(&last[0], Record::Feed { interrupt: 0x40, start: 0x200, data } if data.len() == 256)
    );
    assert_eq!(last[1], wire::poke(BASE + 2, WRITTEN));
}

#[test]
fn running_firmware_is_taken_over_by_the_established_records_first() {
    let (mut chip, _) = chip_with(2048);
    Eeprom::open(&mut chip, Running::Firmware).unwrap();
    // [EZ] the four requests, without their terminator 69.
    let established =
        ["b6c3040000a60032f3", "b6c3040000d202d4e8", "b6c30400000ec02000", "b6c304000006c00000"];
    let sent: Vec<_> =
        chip.records.iter().take(4).map(|record| hex::encode(record.encode().unwrap())).collect();
    assert_eq!(sent, established);
    let (mut chip, _) = chip_with(2048);
    Eeprom::open(&mut chip, Running::MaskRom).unwrap();
    assert!(!chip.records.iter().any(|r| matches!(r, Record::Copy { address: 0xc000.., .. })));
}

#[test]
fn one_disturbed_transfer_leaves_no_memory_unread() {
    let (mut chip, cells) = chip_with(512);
    let expected = cells.lock().unwrap().clone();
    let before = {
        let mut memory = Eeprom::open(&mut chip, Running::MaskRom).unwrap();
        assert_eq!(memory.read(0..512).unwrap(), expected);
        chip.exchanged
    };
    for number in 0..before {
        for error in [TransferError::Stall, TransferError::TimedOut] {
            let (mut chip, _) = chip_with(512);
            chip.disturbed = Some((number, error));
            let mut memory = Eeprom::open(&mut chip, Running::MaskRom).unwrap();
            assert_eq!(memory.read(0..512).unwrap(), expected, "transfer {number}");
            assert_eq!(word(&chip.memory, 0x00a4), STOCK, "transfer {number}");
        }
    }
}

#[test]
fn a_device_that_leaves_is_not_called_unreadable() {
    let (mut chip, _) = chip_with(2048);
    chip.script.push_back(Err(TransferError::Gone));
    let error = Eeprom::open(&mut chip, Running::MaskRom).err().unwrap();
    assert!(matches!(error, ChipError::Transfer { source: TransferError::Gone, .. }), "{error}");
}
