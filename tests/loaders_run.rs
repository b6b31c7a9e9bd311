//! The CY16 loaders run on the CPU core, against an EEPROM that sees nothing but its two pins.
//!
//! The EEPROM is this file's own, so that neither the loaders nor the simulator's part can agree
//! with a mistake of theirs. Times are the core's clocks at 48 MHz; its pass of `dec` and `jnz`
//! takes 145.8 ns where the vendor says 148.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it does not expect"
)]

use std::cell::RefCell;

use recover::assembler::{Assembly, assemble};
use recover::sim::cores::cy16::{Bus16, Cpu};

const EZ_EEPROM: &str = include_str!("../recovery-images/loaders/cy16/ez-eeprom.asm");
const SL11R_READ: &str = include_str!("../recovery-images/loaders/cy16/sl11r-read.asm");
const REENUMERATE: &str = include_str!("../recovery-images/loaders/cy16/ez-reenumerate.asm");

const OUTPUT: u16 = 0xC024;
const INPUT: u16 = 0xC026;
const DIRECTION: u16 = 0xC028;

/// Where a finished run returns to.
const HOME: u16 = 0x3FF0;

// ---------------------------------------------------------------------------- the EEPROM

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Idle,
    /// Taking bits of byte number n since START.
    Taking(usize),
    Giving,
}

/// What the part refuses to acknowledge.
#[derive(Clone, Copy, Default)]
struct Faults {
    absent: bool,
    address: bool,
    data_byte: Option<usize>,
    ignores_writes: bool,
    /// SDA held low until that many more clocks have come.
    holds_sda: u32,
    holds_scl: bool,
}

struct Eeprom {
    cells: Vec<u8>,
    two_byte: bool,
    page: usize,
    cycle_ns: u64,
    faults: Faults,
    phase: Phase,
    bits: u32,
    shift: u8,
    pulls: bool,
    pointer: usize,
    latch: Vec<(usize, u8)>,
    busy_until: u64,
    /// (SCL, SDA) as last seen.
    lines: (bool, bool),
    reading: bool,
    pages: Vec<usize>,
    refused: bool,
    /// A STOP or START came while the part was sending: the last byte was not refused.
    interrupted: bool,
    /// Compares the address pins, which are strapped low, instead of ignoring them.
    one_block: bool,
}

impl Eeprom {
    fn new(size: usize, two_byte: bool, page: usize) -> Self {
        Self {
            cells: (0..size).map(|i| (i * 7 + i / 256) as u8).collect(),
            two_byte,
            page,
            cycle_ns: 4_000_000,
            faults: Faults::default(),
            phase: Phase::Idle,
            bits: 0,
            shift: 0,
            pulls: false,
            pointer: 0,
            latch: Vec::new(),
            busy_until: 0,
            lines: (true, true),
            reading: false,
            pages: Vec::new(),
            refused: false,
            interrupted: false,
            one_block: false,
        }
    }

    /// What the master leaves the lines at changes; returns the lines with the part's own pull.
    fn see(&mut self, scl: bool, master_sda: bool, now: u64) {
        let sda = master_sda && !self.pulls && self.faults.holds_sda == 0;
        let (scl_before, sda_before) = self.lines;
        self.lines = (scl, sda);
        match (scl_before, scl) {
            (true, true) if sda_before && !sda => self.start(),
            (true, true) if !sda_before && sda => self.stop(now),
            (false, true) => self.rise(sda),
            (true, false) => self.fall(now),
            _ => {}
        }
        self.lines.1 = master_sda && !self.pulls && self.faults.holds_sda == 0;
    }

    fn start(&mut self) {
        self.interrupted |= self.phase == Phase::Giving;
        self.latch.clear();
        self.phase = Phase::Taking(0);
        self.bits = 0;
        self.pulls = false;
    }

    fn stop(&mut self, now: u64) {
        self.interrupted |= self.phase == Phase::Giving;
        self.phase = Phase::Idle;
        self.pulls = false;
        let latch = std::mem::take(&mut self.latch);
        if let Some((first, _)) = latch.first() {
            self.pages.push(first / self.page);
            self.busy_until = now + self.cycle_ns;
            if !self.faults.ignores_writes {
                for (at, byte) in latch {
                    self.cells[at] = byte;
                }
            }
        }
    }

    fn rise(&mut self, sda: bool) {
        self.faults.holds_sda = self.faults.holds_sda.saturating_sub(1);
        self.bits += 1;
        match self.phase {
            Phase::Taking(_) if self.bits <= 8 => self.shift = self.shift << 1 | u8::from(sda),
            Phase::Giving if self.bits == 9 => self.refused = sda,
            _ => {}
        }
    }

    fn fall(&mut self, now: u64) {
        match self.phase {
            Phase::Idle => {}
            Phase::Taking(number) if self.bits == 8 => {
                let taken = self.take(number, now);
                self.pulls = taken;
                self.phase = if taken { Phase::Taking(number + 1) } else { Phase::Idle };
            }
            Phase::Taking(_) if self.bits == 9 => {
                self.pulls = false;
                self.bits = 0;
                if self.reading {
                    self.phase = Phase::Giving;
                    self.load();
                }
            }
            Phase::Giving if self.bits == 9 => {
                self.bits = 0;
                self.pulls = false;
                if self.refused { self.phase = Phase::Idle } else { self.load() }
            }
            Phase::Giving if self.bits < 8 => self.pulls = self.shift & 0x80 >> self.bits == 0,
            Phase::Giving => self.pulls = false,
            Phase::Taking(_) => {}
        }
    }

    fn load(&mut self) {
        self.shift = self.cells[self.pointer];
        self.pointer = (self.pointer + 1) % self.cells.len();
        self.pulls = self.shift & 0x80 == 0;
    }

    fn take(&mut self, number: usize, now: u64) -> bool {
        let byte = usize::from(self.shift);
        let address_bytes = if self.two_byte { 2 } else { 1 };
        if number == 0 {
            self.reading = byte & 1 == 1;
            if !self.two_byte && !self.reading {
                self.pointer = (byte >> 1 & 7) << 8;
            }
            let mask = if self.one_block { 0xFE } else { 0xF0 };
            return byte & mask == 0xA0 && now >= self.busy_until && !self.faults.absent;
        }
        if number <= address_bytes {
            self.pointer = match (self.two_byte, number) {
                (true, 1) => byte << 8,
                (true, _) => self.pointer & 0xFF00 | byte,
                (false, _) => self.pointer & 0x0700 | byte,
            } % self.cells.len();
            return !self.faults.address;
        }
        if self.faults.data_byte == Some(number - address_bytes - 1) {
            return false;
        }
        self.latch.push((self.pointer, self.shift));
        self.pointer = self.pointer / self.page * self.page + (self.pointer + 1) % self.page;
        true
    }
}

// ----------------------------------------------------------------------------- the machine

struct Machine {
    memory: Vec<u8>,
    clocks: u64,
    scl: u16,
    sda: u16,
    eeprom: Eeprom,
    drove_high: bool,
    /// How long SCL takes to rise after its release.
    rise_ns: u64,
    released_at: Option<u64>,
    sda_before: bool,
    scl_edges: Vec<(u64, bool)>,
}

impl Machine {
    fn new(eeprom: Eeprom) -> Self {
        Self {
            memory: vec![0; 0x1_0000],
            clocks: 0,
            scl: 0x4000,
            sda: 0x8000,
            eeprom,
            drove_high: false,
            rise_ns: 0,
            released_at: Some(0),
            sda_before: true,
            scl_edges: Vec::new(),
        }
    }

    fn now(&self) -> u64 {
        self.clocks * 1000 / 48
    }

    fn word(&self, at: u16) -> u16 {
        u16::from_le_bytes([self.memory[usize::from(at)], self.memory[usize::from(at) + 1]])
    }

    fn set_word(&mut self, at: u16, value: u16) {
        self.memory[usize::from(at)..][..2].copy_from_slice(&value.to_le_bytes());
    }

    fn put(&mut self, at: u16, bytes: &[u8]) {
        self.memory[usize::from(at)..][..bytes.len()].copy_from_slice(bytes);
    }

    fn pins(&mut self) {
        let (output, direction) = (self.word(OUTPUT), self.word(DIRECTION));
        self.drove_high |= output & direction & (self.scl | self.sda) != 0;
        let low = |mask| direction & !output & mask != 0;
        let released = !low(self.scl) && !self.eeprom.faults.holds_scl;
        let sda = !low(self.sda);
        let now = self.now();
        self.released_at = released.then(|| self.released_at.unwrap_or(now));
        let risen_at = self.released_at.map(|at| at + self.rise_ns).filter(|at| *at <= now);
        let scl = risen_at.is_some();
        if self.eeprom.lines.0 != scl {
            self.scl_edges.push((risen_at.unwrap_or(now), scl));
            // The rise lies before this moment; SDA was then what it was before.
            if scl {
                let before = self.sda_before;
                self.eeprom.see(true, before, now);
            }
        }
        self.sda_before = sda;
        self.eeprom.see(scl, sda, now);
    }

    /// Runs the code at `entry` until it returns; all registers but R15 hold their number times
    /// 0x111 before, and must after.
    fn run(&mut self, entry: u16) {
        let mut cpu = Cpu::new(entry);
        for n in 0..15 {
            cpu.set_register(self, n, u16::from(n) * 0x111);
        }
        cpu.set_register(self, 15, 0x0400);
        cpu.push(self, HOME);
        let deepest = 400_000_000;
        for _ in 0..deepest {
            if cpu.pc() == HOME {
                for n in 0..15 {
                    assert_eq!(cpu.register(self, n), u16::from(n) * 0x111, "R{n} was changed");
                }
                assert_eq!(cpu.register(self, 15), 0x0400, "the stack is not as it was");
                return;
            }
            let clocks = cpu.step(self).unwrap();
            self.clocks += u64::from(clocks);
        }
        panic!("it did not return");
    }
}

impl Bus16 for Machine {
    fn read_byte(&mut self, address: u16) -> u8 {
        self.memory[usize::from(address)]
    }
    fn write_byte(&mut self, address: u16, value: u8) {
        self.memory[usize::from(address)] = value;
    }
    fn read_word(&mut self, address: u16) -> u16 {
        if address == INPUT {
            self.pins();
            let (scl, sda) = self.eeprom.lines;
            return (u16::from(scl) * self.scl) | (u16::from(sda) * self.sda);
        }
        self.word(address)
    }
    fn write_word(&mut self, address: u16, value: u16) {
        assert_ne!(address, INPUT, "the input register was written");
        self.set_word(address, value);
        if address == OUTPUT || address == DIRECTION {
            self.pins();
        }
    }
}

// ------------------------------------------------------------------------------- ez-eeprom

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

fn sum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum: u16, byte| sum.wrapping_add(u16::from(*byte)))
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
        assert_eq!(loader.machine.eeprom.pages, []);
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
    assert_eq!(loader.machine.eeprom.pages, []);
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
    assert_eq!(loader.machine.eeprom.pages, []);
}

#[test]
fn no_byte_to_program_makes_no_write_cycle() {
    let mut loader = Loader::new(Eeprom::new(8192, true, 32));
    assert_eq!(loader.program(0, &[]), 0xD0CE);
    assert_eq!(loader.machine.eeprom.pages, []);
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

// ------------------------------------------------------------------------------ sl11r-read

#[test]
fn the_sl11r_loader_reads_through_int_64_and_nothing_else() {
    let code = assemble(SL11R_READ).unwrap();
    // A BIOS that spoils what it may: R1, R2, R4, R5, R7 and the upper half of R0.
    let bios = assemble(
        "org 0x0A00\npush r8\nmov r8,r1\nadd r8,0x8000\nmov r0,b[r8]\nor r0,0xA500\npop r8\n\
         inc r1\nmov r2,0xDEAD\nmov r4,r2\nmov r5,r2\nmov r7,r2\nret",
    )
    .unwrap();
    for (base, vector) in [(0x0500u16, 0x52u16), (0x0702, 0x7A)] {
        let mut machine = Machine::new(Eeprom::new(256, false, 8));
        machine.put(0x0A00, &bios.bytes);
        machine.set_word(2 * 64, 0x0A00);
        machine.put(base, &code.bytes);
        machine.set_word(base + code.symbols["find"] + 2, 2 * vector);
        machine.set_word(2 * vector, base);
        let content: Vec<u8> = (0..256).map(|i| (i * 5 + 3) as u8).collect();
        machine.put(0x8000, &content);
        machine.set_word(base + code.symbols["addr"], 0x10);
        machine.set_word(base + code.symbols["count"], 0x80);
        machine.run(base);
        let buffer = usize::from(base + code.symbols["buffer"]);
        assert_eq!(machine.memory[buffer..][..0x80], content[0x10..0x90]);
        assert_eq!(machine.word(base + code.symbols["sum"]), sum(&content[0x10..0x90]));
        assert_eq!(machine.word(base + code.symbols["addr"]), 0x90);
        assert_eq!(machine.word(base + code.symbols["status"]), 0xD0CE);
    }
}

// -------------------------------------------------------------------------- ez-reenumerate

#[test]
fn the_port_is_left_and_set_up_again_after_the_request_has_ended() {
    let code = assemble(REENUMERATE).unwrap();
    let bios = assemble(
        "org 0x0A00\n\
         insert: mov [0x0B00],[0x8C]\nmov [0x8C],r0\nmov r0,[0x0B00]\nret\n\
         setup: add w[0x0B02],r2\nadd w[0x0B04],r1\nmov r1,0xDEAD\nmov r2,r1\nmov r8,r1\nret\n\
         idle: inc w[0x0B06]\nret\n\
         pass: push r0\npush r1\npush r2\npush r6\npush r8\npush r9\ncall [0x8C]\n\
         pop r9\npop r8\npop r6\npop r2\npop r1\npop r0\nret",
    )
    .unwrap();
    let mut machine = Machine::new(Eeprom::new(256, false, 8));
    machine.put(0x0A00, &bios.bytes);
    machine.set_word(2 * 72, bios.symbols["insert"]);
    machine.set_word(2 * 113, bios.symbols["setup"]);
    machine.set_word(2 * 70, bios.symbols["idle"]);
    let base = 0x0600;
    machine.put(base, &code.bytes);
    machine.set_word(2 * 0x7A, base);
    machine.set_word(base + code.symbols["wait"], 3);
    machine.set_word(base + code.symbols["ms"], 2);
    let status = base + code.symbols["status"];
    machine.run(base);
    assert_eq!(machine.word(status), 1);
    assert_eq!(machine.word(2 * 70), base + code.symbols["task"]);
    let pass = bios.symbols["pass"];
    for done in 1..3 {
        machine.run(pass);
        assert_eq!((machine.word(status), machine.word(0xC08A)), (1, 0), "pass {done}");
    }
    let before = machine.now();
    machine.run(pass);
    let took = machine.now() - before;
    assert!((1_900_000..2_200_000).contains(&took), "{took} ns off the bus");
    assert_eq!((machine.word(0xC08A), machine.word(0xC0AA)), (0x0380, 0x0380));
    assert_eq!((machine.word(0x0B02), machine.word(0x0B04)), (1 + 2, 0), "SIEs, speeds");
    assert_eq!(machine.word(status), 0xD0CE);
    assert_eq!(machine.word(2 * 70), bios.symbols["idle"], "it took itself out of the chain");
    assert_eq!(machine.word(0x0B06), 3, "the others ran at every pass");
    machine.run(pass);
    assert_eq!(machine.word(0x0B06), 4);
}
