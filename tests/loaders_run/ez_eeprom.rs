//! `ez-eeprom`: reads, page writes, every way a part can fail, and the bus's clock.

use std::cell::RefCell;

use crate::assembler::{Assembly, assemble};

use crate::loaders_run::eeprom::{Eeprom, Phase};
use crate::loaders_run::machine::{DIRECTION, Machine, OUTPUT};
use crate::loaders_run::sum;

const EZ_EEPROM: &str = include_str!("../../recovery-images/loaders/cy16/ez-eeprom.asm");

thread_local! {
    static ASSEMBLED: RefCell<Option<Assembly>> = const { RefCell::new(None) };
}

struct Loader {
    machine: Machine,
    code: Assembly,
    base: u16,
}

impl Loader {
    fn new(eeprom: Eeprom) -> Self {
        Self::at(eeprom, 0x0502, 0x4000, 0x8000)
    }

    fn at(eeprom: Eeprom, base: u16, scl: u16, sda: u16) -> Self {
        let code = ASSEMBLED.with_borrow_mut(|kept| {
            kept.get_or_insert_with(|| assemble(EZ_EEPROM).unwrap()).clone()
        });
        let mut machine = Machine::new(eeprom);
        machine.scl = scl;
        machine.sda = sda;
        machine.put(base, &code.bytes);
        machine.set_word(2 * 0x7A, base);
        // As a BIOS may leave them: other pins in use, ours latched high and released.
        machine.set_word(OUTPUT, 0xC00F);
        machine.set_word(DIRECTION, 0x0005);
        let two_byte = machine.eeprom.two_byte;
        let page = machine.eeprom.page;
        let mut loader = Self { machine, code, base };
        loader.set("scl", scl);
        loader.set("sda", sda);
        loader.set("width", if two_byte { 2 } else { 1 });
        loader.set("page", page as u16);
        loader.set("low", 8);
        loader.set("high", 4);
        loader
    }

    fn address(&self, name: &str) -> u16 {
        self.base + self.code.symbols[name]
    }

    fn set(&mut self, name: &str, value: u16) {
        let at = self.address(name);
        self.machine.set_word(at, value);
    }

    fn get(&self, name: &str) -> u16 {
        self.machine.word(self.address(name))
    }

    fn buffer(&mut self) -> &mut [u8] {
        let at = usize::from(self.address("buffer"));
        &mut self.machine.memory[at..]
    }

    fn run(&mut self, command: u16, address: u16, count: u16) -> u16 {
        self.set("status", 0);
        self.set("command", command);
        self.set("address", address);
        self.set("count", count);
        self.machine.scl_edges.clear();
        self.machine.run(self.base);
        assert!(!self.machine.drove_high, "a line was driven high");
        assert!(!self.machine.eeprom.interrupted, "a sending part was not told of the end");
        let held = self.machine.eeprom.faults.holds_scl || self.machine.eeprom.faults.holds_sda > 0;
        assert!(held || self.machine.eeprom.phase == Phase::Idle, "the part was left waiting");
        assert_eq!(self.machine.word(OUTPUT), 0xC00F, "output latches are not as found");
        assert_eq!(self.machine.word(DIRECTION), 0x0005, "directions are not as found");
        self.get("status")
    }

    fn program(&mut self, address: u16, bytes: &[u8]) -> u16 {
        self.buffer()[..bytes.len()].copy_from_slice(bytes);
        self.run(2, address, bytes.len() as u16)
    }
}

impl Loader {
    /// Shortest low, shortest high and the usual period of SCL in the last run, nanoseconds.
    fn scl_times(&self) -> (u64, u64, u64) {
        let edges = &self.machine.scl_edges;
        let shortest = |level: bool| {
            let phases = edges.windows(2).filter(|pair| pair[0].1 == level);
            phases.map(|pair| pair[1].0 - pair[0].0).min().unwrap()
        };
        let rises: Vec<u64> = edges.iter().filter(|(_, high)| *high).map(|(at, _)| *at).collect();
        let mut periods: Vec<u64> = rises.windows(2).map(|pair| pair[1] - pair[0]).collect();
        periods.sort_unstable();
        (shortest(false), shortest(true), periods[periods.len() / 2])
    }
}

#[test]
fn a_sequential_read_gives_the_part_s_bytes_at_any_base_and_either_wiring() {
    for (base, scl, sda) in
        [(0x0502, 0x4000, 0x8000), (0x0A02, 0x8000, 0x4000), (0x3000, 0x4000, 0x8000)]
    {
        let mut loader = Loader::at(Eeprom::new(8192, true, 32), base, scl, sda);
        let expected = loader.machine.eeprom.cells[0x123..0x123 + 600].to_vec();
        assert_eq!(loader.run(1, 0x123, 600), 0xD0CE);
        assert_eq!(loader.buffer()[..600], expected);
        assert_eq!(loader.get("sum"), sum(&expected));
        assert_eq!(loader.machine.eeprom.pages, [0_usize; 0]);
    }
}

#[test]
fn a_part_with_one_address_byte_is_read_across_its_blocks() {
    let mut loader = Loader::new(Eeprom::new(2048, false, 16));
    let expected = loader.machine.eeprom.cells[0x6F0..0x710].to_vec();
    assert_eq!(loader.run(1, 0x6F0, 0x20), 0xD0CE);
    assert_eq!(loader.buffer()[..0x20], expected);
}

#[test]
fn programming_writes_whole_pages_and_never_crosses_one() {
    for (size, two_byte, page) in [(8192, true, 32), (2048, false, 16), (65536, true, 128)] {
        let mut loader = Loader::new(Eeprom::new(size, two_byte, page));
        let start = 3 * page as u16 - 5;
        let bytes: Vec<u8> = (0..page * 4 + 9).map(|i| !(i as u8).wrapping_mul(3)).collect();
        let before = loader.machine.eeprom.cells.clone();
        assert_eq!(loader.program(start, &bytes), 0xD0CE, "page {page}");
        let mut expected = before;
        expected[usize::from(start)..][..bytes.len()].copy_from_slice(&bytes);
        assert_eq!(loader.machine.eeprom.cells, expected);
        assert_eq!(loader.machine.eeprom.pages, [2, 3, 4, 5, 6, 7]);
        assert_eq!(loader.get("cycles"), 6);
        assert_eq!((loader.get("differing"), loader.get("sum")), (0, sum(&bytes)));
    }
}

#[test]
fn a_part_that_compares_its_address_pins_is_programmed_to_its_last_byte() {
    let mut eeprom = Eeprom::new(256, false, 8);
    eeprom.one_block = true;
    let mut loader = Loader::new(eeprom);
    assert_eq!(loader.program(0xEC, &[0x5A; 20]), 0xD0CE);
    assert_eq!(loader.machine.eeprom.cells[0xEC..], [0x5A; 20]);
    assert_eq!(loader.machine.eeprom.pages, [0xE8 / 8, 0xF0 / 8, 0xF8 / 8]);
    assert_eq!(loader.run(1, 0x100, 1), 0xEE02);
}

#[test]
fn a_whole_buffer_of_1024_bytes_is_programmed() {
    let mut loader = Loader::new(Eeprom::new(16384, true, 64));
    let bytes: Vec<u8> = (0..1024).map(|i| (i / 3) as u8).collect();
    assert_eq!(loader.program(0x400, &bytes), 0xD0CE);
    assert_eq!(loader.machine.eeprom.cells[0x400..0x800], bytes);
    assert_eq!(loader.get("cycles"), 16);
}

#[test]
fn a_part_that_keeps_its_old_bytes_is_found_out() {
    let mut loader = Loader::new(Eeprom::new(8192, true, 32));
    loader.machine.eeprom.faults.ignores_writes = true;
    let mut bytes = loader.machine.eeprom.cells[0x40..0x70].to_vec();
    bytes[5] ^= 0x10;
    bytes[40] ^= 0x01;
    let old = loader.machine.eeprom.cells[0x45];
    assert_eq!(loader.program(0x40, &bytes), 0xEE06);
    assert_eq!((loader.get("at"), loader.get("got")), (0x45, u16::from(old)));
    assert_eq!(loader.get("differing"), 2);
}

#[test]
fn an_absent_part_is_given_up_after_the_tries() {
    let mut loader = Loader::new(Eeprom::new(8192, true, 32));
    loader.machine.eeprom.faults.absent = true;
    loader.set("tries", 3);
    assert_eq!(loader.run(0, 0, 0), 0xEE02);
    assert_eq!(loader.run(1, 0, 16), 0xEE02);
    assert_eq!(loader.program(0, &[1; 16]), 0xEE02);
    // A control byte and its acknowledge, three times.
    let rises = loader.machine.scl_edges.iter().filter(|(_, high)| *high).count();
    assert!((27..40).contains(&rises), "{rises} clocks");
}

#[test]
fn a_present_part_answers_one_control_byte() {
    let mut loader = Loader::new(Eeprom::new(256, false, 8));
    loader.set("tries", 1);
    assert_eq!(loader.run(0, 0, 0), 0xD0CE);
    assert_eq!(loader.machine.eeprom.pages, [0_usize; 0]);
}

#[test]
fn a_busy_part_is_waited_for() {
    let mut loader = Loader::new(Eeprom::new(8192, true, 32));
    loader.machine.eeprom.busy_until = 10_000_000;
    assert_eq!(loader.run(0, 0, 0), 0xD0CE);
    assert!(loader.machine.now() >= 10_000_000);
}

#[test]
fn a_part_that_stays_busy_after_a_page_is_reported_with_that_page() {
    let mut loader = Loader::new(Eeprom::new(8192, true, 32));
    loader.machine.eeprom.cycle_ns = 60_000_000_000;
    loader.set("tries", 50);
    assert_eq!(loader.program(0x5E, &[9; 40]), 0xEE05);
    assert_eq!((loader.get("at"), loader.get("cycles")), (0x5E, 1));
}

#[test]
fn a_refused_address_and_a_refused_data_byte_have_their_own_kinds() {
    let mut loader = Loader::new(Eeprom::new(8192, true, 32));
    loader.machine.eeprom.faults.address = true;
    assert_eq!(loader.run(1, 0x100, 4), 0xEE03);
    assert_eq!(loader.program(0x100, &[9; 4]), 0xEE03);

    let mut loader = Loader::new(Eeprom::new(8192, true, 32));
    loader.machine.eeprom.faults.data_byte = Some(3);
    assert_eq!(loader.program(0x110, &[9; 20]), 0xEE04);
    assert_eq!(loader.get("at"), 0x113);
}

#[test]
fn a_held_clock_is_reported_and_a_held_data_line_is_freed_by_clocks() {
    let mut loader = Loader::new(Eeprom::new(8192, true, 32));
    loader.machine.eeprom.faults.holds_scl = true;
    assert_eq!(loader.run(0, 0, 0), 0xEE01);

    let mut loader = Loader::new(Eeprom::new(8192, true, 32));
    loader.machine.eeprom.faults.holds_sda = 6;
    let expected = loader.machine.eeprom.cells[..8].to_vec();
    assert_eq!(loader.run(1, 0, 8), 0xD0CE);
    assert_eq!(loader.buffer()[..8], expected);

    let mut loader = Loader::new(Eeprom::new(8192, true, 32));
    loader.machine.eeprom.faults.holds_sda = 1000;
    assert_eq!(loader.run(0, 0, 0), 0xEE01);
}

#[test]
fn an_unknown_command_touches_nothing() {
    let mut loader = Loader::new(Eeprom::new(8192, true, 32));
    assert_eq!(loader.run(3, 0, 0), 0xEE07);
    assert_eq!(loader.run(0xFFFF, 0, 0), 0xEE07);
    assert_eq!(loader.machine.eeprom.pages, [0_usize; 0]);
}

#[test]
fn no_byte_to_program_makes_no_write_cycle() {
    let mut loader = Loader::new(Eeprom::new(8192, true, 32));
    assert_eq!(loader.program(0, &[]), 0xD0CE);
    assert_eq!(loader.machine.eeprom.pages, [0_usize; 0]);
}

#[test]
fn a_slowly_rising_clock_is_waited_for() {
    let mut loader = Loader::new(Eeprom::new(8192, true, 32));
    loader.machine.rise_ns = 900;
    let bytes: Vec<u8> = (0..100).map(|i| i * 2 + 1).collect();
    assert_eq!(loader.program(0x30, &bytes), 0xD0CE);
    assert_eq!(loader.machine.eeprom.cells[0x30..0x94], bytes);
    let (low, high, _) = loader.scl_times();
    assert!(low >= 1300 && high >= 600, "low {low} ns, high {high} ns");
}

/// What [`Loader::scl_times`] gives for a read with that clock.
fn measured(low: u16, high: u16) -> (u64, u64, u64) {
    let mut loader = Loader::new(Eeprom::new(8192, true, 32));
    loader.set("low", low);
    loader.set("high", high);
    assert_eq!(loader.run(1, 0, 256), 0xD0CE);
    loader.scl_times()
}

#[test]
fn scl_keeps_the_limits_of_both_bus_clocks() {
    let (low, high, period) = measured(8, 4);
    println!("LOW 8 HIGH 4: low {low} ns, high {high} ns, period {period} ns");
    assert!(low >= 1300 && high >= 600, "low {low} ns, high {high} ns");
    assert!((2500..3500).contains(&period), "period {period} ns");
    let (low, high, period) = measured(33, 29);
    println!("LOW 33 HIGH 29: low {low} ns, high {high} ns, period {period} ns");
    assert!(low >= 4700 && high >= 4000, "low {low} ns, high {high} ns");
    assert!((10_000..12_000).contains(&period), "period {period} ns");
}
