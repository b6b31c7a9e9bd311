//! The CPU against the facts known of it: listings that ran on silicon, and rule by rule.
//!
//! `listings` holds the outside evidence, `programs` runs and prints it, `rules` and `operands`
//! take the instruction set apart, `properties` feeds it garbage.

mod listings;
mod operands;
mod programs;
mod properties;
mod rules;

use super::{Bus16, Cpu, Flags, Stop};

/// Where test programs lie, unless they say otherwise.
const CODE: u16 = 0x1000;
/// Where the stack starts.
const STACK: u16 = 0x0800;

/// 64 KB of RAM that counts what it must never be asked for.
struct Ram {
    bytes: Vec<u8>,
    /// Accesses to C000 to C003, which belong to the core.
    stray: u32,
}

impl Ram {
    fn new() -> Self {
        Self { bytes: vec![0; 0x1_0000], stray: 0 }
    }

    fn word(&self, address: u16) -> u16 {
        u16::from_le_bytes([self.byte(address), self.byte(address.wrapping_add(1))])
    }

    fn byte(&self, address: u16) -> u8 {
        self.bytes[usize::from(address)]
    }

    fn set_word(&mut self, address: u16, value: u16) {
        self.load(address, &value.to_le_bytes());
    }

    fn load(&mut self, address: u16, bytes: &[u8]) {
        for (offset, byte) in (0..).zip(bytes) {
            self.bytes[usize::from(address.wrapping_add(offset))] = *byte;
        }
    }

    fn watch(&mut self, address: u16) {
        self.stray += u32::from((0xC000..=0xC003).contains(&address));
    }
}

impl Bus16 for Ram {
    fn read_byte(&mut self, address: u16) -> u8 {
        self.watch(address);
        self.byte(address)
    }

    fn write_byte(&mut self, address: u16, value: u8) {
        self.watch(address);
        self.bytes[usize::from(address)] = value;
    }

    fn read_word(&mut self, address: u16) -> u16 {
        assert_eq!(address & 1, 0, "word read at odd {address:04x}");
        self.watch(address);
        self.word(address)
    }

    fn write_word(&mut self, address: u16, value: u16) {
        assert_eq!(address & 1, 0, "word write at odd {address:04x}");
        self.watch(address);
        self.set_word(address, value);
    }
}

/// A CPU with RAM and nothing else.
struct Machine {
    cpu: Cpu,
    ram: Ram,
}

impl Machine {
    /// With `code` at [`CODE`], the program counter there and the stack at [`STACK`].
    fn with(code: &[u8]) -> Self {
        let mut machine = Self { cpu: Cpu::new(CODE), ram: Ram::new() };
        machine.ram.load(CODE, code);
        machine.set(15, STACK);
        machine
    }

    fn words(code: &[u16]) -> Self {
        let bytes: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
        Self::with(&bytes)
    }

    fn r(&mut self, n: u8) -> u16 {
        self.cpu.register(&mut self.ram, n)
    }

    fn set(&mut self, n: u8, value: u16) {
        self.cpu.set_register(&mut self.ram, n, value);
    }

    fn flags(&self) -> u16 {
        self.cpu.flags().bits()
    }

    fn set_flags(&mut self, bits: u16) {
        self.cpu.set_flags(Flags::from_bits(bits));
    }

    /// One instruction, which must be legal.
    fn step(&mut self) -> u32 {
        self.cpu.step(&mut self.ram).unwrap()
    }

    fn steps(&mut self, count: u32) -> &mut Self {
        for _ in 0..count {
            self.step();
        }
        self
    }

    /// One instruction, which must stop.
    fn stop(&mut self) -> Stop {
        self.cpu.step(&mut self.ram).unwrap_err()
    }
}
