//! A CPU with RAM, three GPIO registers and the EEPROM on two of their pins.

use recover::sim::cores::cy16::{Bus16, Cpu};

use crate::loaders_run::eeprom::Eeprom;

pub const OUTPUT: u16 = 0xC024;
const INPUT: u16 = 0xC026;
pub const DIRECTION: u16 = 0xC028;

/// Where a finished run returns to.
const HOME: u16 = 0x3FF0;

pub struct Machine {
    pub memory: Vec<u8>,
    pub clocks: u64,
    pub scl: u16,
    pub sda: u16,
    pub eeprom: Eeprom,
    pub drove_high: bool,
    /// How long SCL takes to rise after its release.
    pub rise_ns: u64,
    pub released_at: Option<u64>,
    pub sda_before: bool,
    pub scl_edges: Vec<(u64, bool)>,
}

impl Machine {
    pub fn new(eeprom: Eeprom) -> Self {
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

    pub fn now(&self) -> u64 {
        self.clocks * 1000 / 48
    }

    pub fn word(&self, at: u16) -> u16 {
        u16::from_le_bytes([self.memory[usize::from(at)], self.memory[usize::from(at) + 1]])
    }

    pub fn set_word(&mut self, at: u16, value: u16) {
        self.memory[usize::from(at)..][..2].copy_from_slice(&value.to_le_bytes());
    }

    pub fn put(&mut self, at: u16, bytes: &[u8]) {
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
    pub fn run(&mut self, entry: u16) {
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
