//! The virtual CY16 in lock-step with a second interpreter, written from the documents alone.
//!
//! Each of the 65,536 instruction words is executed from random states by both, and then whatever
//! follows it. Flags, bank, PC, whether an interrupt would be taken, and every byte that either
//! wrote are compared after each. Registers lie in memory, so they are compared with it.
//!
//! Cases that no document decides are data: [`UNDOCUMENTED`]. A bank among the CPU's own registers
//! (C000 and above) is left out: the registers' place would depend on themselves.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

#[path = "cy16_lockstep/reference.rs"]
mod reference;
#[path = "cy16_lockstep/undocumented.rs"]
mod undocumented;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use recover::sim::cores::cy16::{Bus16, Cpu, Flags};
use reference::{Memory, Reference, State};
use undocumented::{Treatment, UNDOCUMENTED};

/// How often each instruction word is tried.
const ROUNDS: usize = 16;
/// Instructions executed from one state, the first of which is the word that is tried.
const STRAND: usize = 3;
/// After so many differences the comparison ends.
const MAX_SHOWN: usize = 20;

/// xorshift64: reproducible, and no dependency.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A word, often one at an edge, in a register bank, or at the flags and the bank register.
    fn word(&mut self) -> u16 {
        let word = self.next() as u16;
        match self.next() % 8 {
            0 => [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF][usize::from(word % 8)],
            1 => 0x0100 | word & 0x3F,
            2 => 0xC000 | word & 3,
            _ => word,
        }
    }
}

/// The memory as the product's core sees it.
struct Bus(Memory);

impl Bus16 for Bus {
    fn read_byte(&mut self, address: u16) -> u8 {
        self.0.byte(address)
    }

    fn write_byte(&mut self, address: u16, value: u8) {
        self.0.set_byte(address, value);
    }

    fn read_word(&mut self, address: u16) -> u16 {
        self.0.word(address)
    }

    fn write_word(&mut self, address: u16, value: u16) {
        self.0.set_word(address, value);
    }
}

fn state(cpu: &Cpu) -> State {
    State {
        pc: cpu.pc(),
        flags: cpu.flags().bits(),
        bank: cpu.bank(),
        interruptible: cpu.accepts_interrupts(),
    }
}

/// Both interpreters, each with a memory of its own.
struct Pair {
    cpu: Cpu,
    bus: Bus,
    memory: Memory,
}

#[derive(Default)]
struct Tally {
    compared: usize,
    executed: BTreeSet<u16>,
    refused: BTreeSet<u16>,
    undocumented: BTreeMap<&'static str, usize>,
}

impl Pair {
    fn new(random: &mut Random) -> Self {
        let bytes: Vec<u8> = (0..0x1_0000).map(|_| random.next() as u8).collect();
        Self {
            cpu: Cpu::new(0),
            bus: Bus(Memory { bytes: bytes.clone(), written: Vec::new() }),
            memory: Memory { bytes, written: Vec::new() },
        }
    }

    fn set_word(&mut self, at: u16, value: u16) {
        self.bus.0.set_word(at, value);
        self.memory.set_word(at, value);
    }

    /// A random state in which `word` is next.
    fn prepare(&mut self, word: u16, random: &mut Random) {
        let bank = match random.next() % 4 {
            0 => 0x0120,
            1 => (random.next() % 0xBF00) as u16 & 0xFFE0,
            _ => 0x0100,
        };
        let pc = 0x0400 + ((random.next() % 0xB000) as u16 & 0xFFFE);
        self.cpu = Cpu::new(pc);
        self.cpu.set_flags(Flags::from_bits(random.next() as u16 & 0x1F));
        self.cpu.set_bank(bank);
        for n in 0..16 {
            self.set_word(bank + 2 * n, random.word());
        }
        self.set_word(pc + 2, random.word());
        self.set_word(pc + 4, random.word());
        self.set_word(pc, word);
    }

    /// Offers a hardware interrupt to both; whether both did the same.
    fn interrupt(&mut self, vector: u8) -> Result<(), String> {
        let before = state(&self.cpu);
        self.bus.0.written.clear();
        self.memory.written.clear();
        let mut second = Reference {
            state: before,
            memory: &mut self.memory,
            odd_word: false,
            control_byte: false,
        };
        let taken = second.interrupt(vector.into());
        let after = second.state;
        let ours = self.cpu.interrupt(&mut self.bus, vector);
        let now = state(&self.cpu);
        let mut cells = self.bus.0.written.iter().chain(&self.memory.written);
        if ours == taken
            && now == after
            && cells.all(|(at, _)| self.bus.0.byte(*at) == self.memory.byte(*at))
        {
            return Ok(());
        }
        Err(format!(
            "interrupt {vector}\nbefore {before:04x?}\nours   taken: {ours}, {now:04x?}\n\
             second taken: {taken}, {after:04x?}\n"
        ))
    }

    /// One instruction on both; whether it was executed, or how they differ.
    fn step(&mut self, tally: &mut Tally) -> Result<bool, String> {
        let before = state(&self.cpu);
        let word = self.memory.word(before.pc);
        let extensions = [2, 4].map(|n| self.memory.word(before.pc.wrapping_add(n)));
        let registers: [u16; 16] =
            std::array::from_fn(|n| self.memory.word(before.bank + 2 * n as u16));
        self.bus.0.written.clear();
        self.memory.written.clear();
        let mut second = Reference {
            state: before,
            memory: &mut self.memory,
            odd_word: false,
            control_byte: false,
        };
        let mut executes = second.step().is_ok();
        let (after, odd, byte) = (second.state, second.odd_word, second.control_byte);
        for case in UNDOCUMENTED.iter().filter(|case| (case.concerns)(word, odd, byte)) {
            *tally.undocumented.entry(case.name).or_default() += 1;
            executes &= case.treatment != Treatment::Refused;
        }
        let ours = self.cpu.step(&mut self.bus).is_ok();
        tally.compared += 1;
        let set = if executes { &mut tally.executed } else { &mut tally.refused };
        set.insert(word);
        let cells: BTreeSet<u16> =
            self.bus.0.written.iter().chain(&self.memory.written).map(|(at, _)| *at).collect();
        let now = state(&self.cpu);
        let is_same_memory = cells.iter().all(|at| self.bus.0.byte(*at) == self.memory.byte(*at));
        if ours != executes || executes && (now != after || !is_same_memory) {
            let mut text = format!(
                "{word:04x} {extensions:04x?}\nbefore {before:04x?}\n       {registers:04x?}\n\
                 ours   executed: {ours}, {now:04x?}\nsecond executed: {executes}, {after:04x?}\n"
            );
            for at in &cells {
                let (a, b) = (self.bus.0.byte(*at), self.memory.byte(*at));
                writeln!(text, "  [{at:04x}] ours {a:02x}, second {b:02x}").unwrap();
            }
            return Err(text);
        }
        // What a refused instruction left behind is of no interest.
        for at in cells {
            self.bus.0.bytes[usize::from(at)] = self.memory.byte(at);
        }
        Ok(executes)
    }
}

#[test]
fn every_instruction_word_does_the_same_on_a_second_interpreter() {
    let mut random = Random(0x5EED_CE16_0000_0001);
    let mut pair = Pair::new(&mut random);
    let mut tally = Tally::default();
    let mut differences = Vec::new();
    for word in (0..ROUNDS).flat_map(|_| 0..=0xFFFF_u16) {
        pair.prepare(word, &mut random);
        for _ in 0..STRAND {
            match pair.step(&mut tally) {
                Ok(true) if pair.cpu.bank() < 0xBFE0 => {}
                Ok(_) => break,
                Err(text) => {
                    // The next word starts from equal memories.
                    pair.bus.0.bytes.clone_from(&pair.memory.bytes);
                    differences.push(text);
                    break;
                }
            }
        }
        // Vectors 0 to 47 are the hardware's [BM].
        if pair.cpu.bank() < 0xBFE0
            && let Err(text) = pair.interrupt((random.next() % 48) as u8)
        {
            pair.bus.0.bytes.clone_from(&pair.memory.bytes);
            differences.push(text);
        }
        if differences.len() >= MAX_SHOWN {
            break;
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let Tally { compared, executed, refused, undocumented } = tally;
    println!("{compared} instructions; words executed: {}", executed.len());
    println!("words refused: {}; undocumented: {undocumented:#?}", refused.len());
    assert!(compared > 1_000_000);
    assert_eq!(executed.union(&refused).count(), 0x1_0000, "every instruction word was tried");
    for case in &UNDOCUMENTED {
        let undocumented::Undocumented { name, reading, other_reading, .. } = case;
        let seen = undocumented.contains_key(name);
        assert!(seen, "never met: {name}; here {reading}; else {other_reading}");
    }
}
