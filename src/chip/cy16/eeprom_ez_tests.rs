//! The EZ memory against a scripted loader: what is done with its answers, good and bad. That the
//! real loader gives such answers is for tests/cy16.rs, on the simulator.

use proptest::prelude::*;

use super::super::fake::FakeChip;
use super::*;
use crate::chip::memory::Extent;
use crate::usb::Reply;

/// A part and how the scripted loader answers for it.
#[derive(Clone)]
struct Part {
    cells: Vec<u8>,
    width: AddressWidth,
    /// Whether block bits beyond its size go unanswered.
    is_strict: bool,
    /// Bits that flip when the bus is fast.
    noise: u8,
    /// A status that ends every run but waits, with AT and GOT.
    failure: Option<(u16, u16, u16)>,
}

impl Part {
    fn new(size: usize, width: AddressWidth) -> Self {
        let cells = (0..size).map(|i| u8::try_from((i * 7 + i / 256) & 0xff).unwrap()).collect();
        Self { cells, width, is_strict: false, noise: 0, failure: None }
    }
}

fn word(memory: &[u8], offset: u16) -> u16 {
    let at = usize::from(BASE + offset);
    u16::from_le_bytes([memory[at], memory[at + 1]])
}

fn put(memory: &mut [u8], offset: u16, word: u16) {
    let at = usize::from(BASE + offset);
    memory[at..at + 2].copy_from_slice(&word.to_le_bytes());
}

/// One run, by the offsets of recovery-images/loaders/cy16/ez-eeprom.asm.
fn run_loader(part: &mut Part, memory: &mut [u8]) {
    let command = word(memory, 4);
    let address = usize::from(word(memory, 8));
    let count = usize::from(word(memory, 0x0a));
    let (width, sda) = match part.width {
        AddressWidth::One => (1, 0x4000),
        AddressWidth::Two => (2, 0x8000),
    };
    put(memory, 0x20, word(memory, 8));
    let is_absent = part.is_strict && address >= part.cells.len();
    if word(memory, 0x10) != sda || word(memory, 0x0c) != width || is_absent {
        return put(memory, 2, 0xee02);
    }
    if command != 0
        && let Some((status, at, got)) = part.failure
    {
        put(memory, 0x20, at);
        put(memory, 0x22, got);
        return put(memory, 2, status);
    }
    let buffer = usize::from(BASE + EZ_EEPROM.buffer());
    let size = part.cells.len();
    let noise = if word(memory, 0x16) < 20 { part.noise } else { 0 };
    let mut sum = 0_u16;
    for offset in 0..count {
        let cell = (address + offset) % size;
        match command {
            1 => memory[buffer + offset] = part.cells[cell] ^ noise,
            _ => part.cells[cell] = memory[buffer + offset],
        }
        sum = sum.wrapping_add(u16::from(memory[buffer + offset]));
    }
    put(memory, 0x1a, sum);
    let pages =
        u32::from(word(memory, 8)) % u32::from(word(memory, 0x0e)) + u32::try_from(count).unwrap();
    let pages = pages.div_ceil(u32::from(word(memory, 0x0e)));
    put(memory, 0x1c, if command == 2 { u16::try_from(pages).unwrap() } else { 0 });
    put(memory, 2, 0xd0ce);
}

fn chip_with(mut part: Part) -> FakeChip {
    let mut chip = FakeChip::new();
    chip.effect = Box::new(move |record, memory| {
        if *record == (Record::Interrupt { interrupt: 0x7a }) {
            run_loader(&mut part, memory);
        }
        Ok(())
    });
    chip
}

/// The time of a byte with its acknowledge.
fn byte_at(clock: BusClock) -> Duration {
    Duration::from_nanos(1_000_000_000 / u64::from(clock.hz)) * 9
}

#[test]
fn the_wiring_that_acknowledges_tells_the_width() {
    for (width, address_limit, page) in
        [(AddressWidth::One, 2048, 8), (AddressWidth::Two, 0x1_0000, 32)]
    {
        let mut chip = chip_with(Part::new(2048, width));
        let memory = Eeprom::open(&mut chip).unwrap();
        let layout = memory.layout();
        let smallest = if width == AddressWidth::One { 128 } else { 4096 };
        assert_eq!(layout.extent, Extent::Wraps { smallest, address_limit });
        assert_eq!((layout.unit, layout.largest_write), (page, 1024));
        assert_eq!(layout.costs.byte, byte_at(BusClock::STANDARD));
    }
}

#[test]
fn no_acknowledge_on_either_wiring_is_no_memory() {
    let mut chip = FakeChip::new();
    chip.effect = Box::new(|record, memory| {
        if matches!(record, Record::Interrupt { .. }) {
            put(memory, 2, 0xee02);
        }
        Ok(())
    });
    assert_eq!(Eeprom::open(&mut chip).err(), Some(ChipError::NoMemory));
}

#[test]
fn a_held_bus_is_not_called_a_missing_memory() {
    let mut chip = FakeChip::new();
    chip.effect = Box::new(|record, memory| {
        if matches!(record, Record::Interrupt { .. }) {
            put(memory, 2, 0xee01);
        }
        Ok(())
    });
    let error = Eeprom::open(&mut chip).err().unwrap().to_string();
    assert!(error.contains("line held low"), "{error}");
}

#[test]
fn a_loader_that_ram_did_not_keep_is_never_run() {
    let mut chip = FakeChip::new();
    chip.effect = Box::new(|record, memory| {
        if matches!(record, Record::Copy { address: BASE, .. }) {
            memory[usize::from(BASE) + 0x100] ^= 1;
        }
        Ok(())
    });
    let error = Eeprom::open(&mut chip).err().unwrap().to_string();
    assert!(error.contains("differs from byte 0x0100"), "{error}");
    assert!(!chip.records.iter().any(|record| matches!(record, Record::Interrupt { .. })));
}

#[test]
fn a_loader_that_never_ends_is_given_up() {
    let mut chip = FakeChip::new();
    let clock = chip.clock();
    let error = Eeprom::open(&mut chip).err().unwrap().to_string();
    assert!(error.contains("was not started after 10 s"), "{error}");
    assert!(clock.now() < Duration::from_secs(11));
}

#[test]
fn a_read_moves_to_the_fast_clock_only_when_it_reads_the_same() {
    let mut part = Part::new(8192, AddressWidth::Two);
    let mut chip = chip_with(part.clone());
    let mut memory = Eeprom::open(&mut chip).unwrap();
    assert_eq!(memory.read(0..8192).unwrap(), part.cells);
    assert_eq!(memory.layout().costs.byte, byte_at(BusClock::FAST));
    part.noise = 0x10;
    let mut chip = chip_with(part.clone());
    let mut memory = Eeprom::open(&mut chip).unwrap();
    assert_eq!(memory.read(0..8192).unwrap(), part.cells);
    assert_eq!(memory.layout().costs.byte, byte_at(BusClock::STANDARD));
}

#[test]
fn a_part_that_answers_few_block_bits_reads_as_one_that_ignores_them() {
    for size in [128_usize, 256, 512, 1024, 2048] {
        let mut part = Part::new(size, AddressWidth::One);
        let mut lax = chip_with(part.clone());
        let expected = Eeprom::open(&mut lax).unwrap().read(0..2048).unwrap();
        assert_eq!(expected.len(), 2048);
        // A part of 128 bytes has no block bits to refuse, only an address bit it ignores.
        part.is_strict = size >= 256;
        let mut strict = chip_with(part);
        assert_eq!(Eeprom::open(&mut strict).unwrap().read(0..2048).unwrap(), expected, "{size}");
    }
}

#[test]
fn bytes_that_do_not_match_the_loader_s_sum_are_not_believed() {
    let mut part = Part::new(8192, AddressWidth::Two);
    let mut chip = FakeChip::new();
    chip.effect = Box::new(move |record, memory| {
        if matches!(record, Record::Interrupt { .. }) {
            run_loader(&mut part, memory);
            memory[usize::from(BASE + EZ_EEPROM.buffer())] ^= 0x40;
        }
        Ok(())
    });
    let error = Eeprom::open(&mut chip).unwrap().read(0..64).unwrap_err().to_string();
    assert!(error.contains("with the sum"), "{error}");
}

#[test]
fn a_write_of_other_bytes_than_were_sent_is_none() {
    let mut part = Part::new(8192, AddressWidth::Two);
    let mut chip = FakeChip::new();
    chip.effect = Box::new(move |record, memory| {
        if matches!(record, Record::Interrupt { .. }) {
            memory[usize::from(BASE + EZ_EEPROM.buffer())] ^= 0x40;
            run_loader(&mut part, memory);
        }
        Ok(())
    });
    let error = Eeprom::open(&mut chip).unwrap().write(0x40, &[1, 2, 3]).unwrap_err().to_string();
    assert!(error.contains("0006 was sent"), "{error}");
}

#[test]
fn a_write_that_was_lost_is_counted_whole() {
    let chip = || chip_with(Part::new(8192, AddressWidth::Two));
    let opening = {
        let mut chip = chip();
        Eeprom::open(&mut chip).unwrap();
        chip.exchanged
    };
    let mut chip = chip();
    chip.disturbed = Some((opening, TransferError::TimedOut));
    let mut memory = Eeprom::open(&mut chip).unwrap();
    assert!(memory.write(0x50, &[1; 32]).is_err());
    assert_eq!(memory.write_cycles(), 2);
}

#[test]
fn a_loader_whose_vector_leads_elsewhere_is_never_run() {
    let mut chip = FakeChip::new();
    chip.effect = Box::new(|record, memory| {
        if matches!(record, Record::Copy { address: VECTOR, .. }) {
            memory[usize::from(VECTOR)] = 0x10;
        }
        Ok(())
    });
    let error = Eeprom::open(&mut chip).err().unwrap().to_string();
    assert!(error.contains("has its vector at 3410, expected 3400"), "{error}");
    assert!(!chip.records.iter().any(|record| matches!(record, Record::Interrupt { .. })));
}

#[test]
fn a_short_answer_is_no_proof_that_the_loader_lies_in_ram() {
    let mut chip = FakeChip::new();
    let code = EZ_EEPROM.image(EZ_EEPROM.vector, 0);
    chip.script.push_back(Ok(Reply::default()));
    // It is asked three times.
    chip.script.extend([(); 3].map(|()| Ok(Reply { data: code[..7].to_vec() })));
    let error = Eeprom::open(&mut chip).err().unwrap();
    assert!(matches!(error, ChipError::NotProven(_)), "{error}");
    assert!(error.to_string().contains("brought 7 bytes"), "{error}");
}

#[test]
fn an_acknowledge_on_both_wirings_is_none() {
    let mut chip = FakeChip::new();
    chip.effect = Box::new(|record, memory| {
        if matches!(record, Record::Interrupt { .. }) {
            put(memory, 2, 0xd0ce);
        }
        Ok(())
    });
    let error = Eeprom::open(&mut chip).err().unwrap().to_string();
    assert!(error.contains("in both wirings"), "{error}");
}

#[test]
fn a_write_asks_for_whole_pages_and_counts_its_cycles() {
    let mut chip = chip_with(Part::new(32 * 1024, AddressWidth::Two));
    let mut memory = Eeprom::open(&mut chip).unwrap();
    memory.assume_size(32 * 1024);
    assert_eq!(memory.layout().unit, 64);
    let bytes: Vec<u8> = (0..1024).map(|i| u8::try_from(i & 0xff).unwrap()).collect();
    memory.write(0x400, &bytes).unwrap();
    memory.write(0x7fc0, &bytes[..64]).unwrap();
    assert_eq!(memory.write_cycles(), 17);
    assert_eq!(memory.read(0x400..0x800).unwrap(), bytes);
}

#[test]
fn every_failure_of_a_write_becomes_its_memory_error() {
    for (status, at, got, expected) in [
        (0xee02, 0x40, 0, MemoryError::NoAcknowledge { address: 0x40 }),
        (0xee03, 0x41, 0, MemoryError::NoAcknowledge { address: 0x41 }),
        (0xee04, 0x42, 0, MemoryError::NoAcknowledge { address: 0x42 }),
        (0xee05, 0x43, 0, MemoryError::NoAcknowledge { address: 0x43 }),
        (0xee06, 0x44, 0xff, MemoryError::NotKept { address: 0x44, expected: 5, got: 0xff }),
    ] {
        let mut part = Part::new(8192, AddressWidth::Two);
        part.failure = Some((status, at, got));
        let mut chip = chip_with(part);
        let mut memory = Eeprom::open(&mut chip).unwrap();
        assert_eq!(memory.write(0x40, &[1, 2, 3, 4, 5, 6]), Err(expected));
    }
}

#[test]
fn an_answer_about_another_place_is_the_loader_s_fault() {
    let mut part = Part::new(8192, AddressWidth::Two);
    part.failure = Some((0xee06, 0x3f, 0xff));
    let mut chip = chip_with(part);
    let error = Eeprom::open(&mut chip).unwrap().write(0x40, &[1]).unwrap_err().to_string();
    assert!(error.contains("0x003f, which was not written"), "{error}");
}

#[test]
fn nothing_beyond_the_reach_or_a_span_is_sent() {
    let mut chip = chip_with(Part::new(2048, AddressWidth::One));
    let mut memory = Eeprom::open(&mut chip).unwrap();
    assert!(memory.write(2040, &[0; 9]).is_err());
    assert!(memory.write(0, &[0; 1025]).is_err());
    assert!(memory.read(2000..2100).is_err());
    assert_eq!(memory.write_cycles(), 0);
}

proptest! {
    #[test]
    fn no_answer_of_the_loader_makes_the_memory_panic(
        answer in proptest::collection::vec(any::<u8>(), 34),
        status in prop_oneof![any::<u16>(), Just(0xd0ce), 0xee00..0xee09_u16],
    ) {
        let mut part = Part::new(4096, AddressWidth::Two);
        let mut chip = FakeChip::new();
        chip.effect = Box::new(move |record, memory| {
            if matches!(record, Record::Interrupt { .. }) {
                run_loader(&mut part, memory);
                if word(memory, 4) != 0 {
                    let at = usize::from(BASE) + 2;
                    memory[at..at + 34].copy_from_slice(&answer);
                    put(memory, 2, status);
                }
            }
            Ok(())
        });
        let mut memory = Eeprom::open(&mut chip).unwrap();
        let _ = memory.read(0..100);
        let _ = memory.write(0x40, &[1, 2, 3]);
    }
}
