//! The memory map of one chip, with the EEPROM on its pins: what the CPU sees as [`Bus16`].
//!
//! RAM from 0000, registers at C000 to C0FF ([`super::registers`]), ROM at the top. Nothing is
//! fitted between them: it reads FF and keeps nothing.

use super::silicon::{Silicon, Unknowns};
use crate::sim::cores::cy16::Bus16;
use crate::sim::diagnostic::{Diagnostics, Verdict};
use crate::sim::parts::{Eeprom, TwoWire};

pub(super) const REGISTERS: std::ops::RangeInclusive<u16> = 0xC000..=0xC0FF;

/// Everything around the CPU.
#[derive(Debug)]
pub(super) struct Board {
    /// RAM, latched register values and ROM, each at its address.
    pub(super) memory: Box<[u8; 0x1_0000]>,
    pub(super) silicon: Silicon,
    pub(super) unknowns: Unknowns,
    pub(super) eeprom: Option<Eeprom>,
    pub(super) wire: TwoWire,
    pub(super) diagnostics: Diagnostics,
    /// Time, nanoseconds; moved by whoever runs the chip.
    pub(super) now: u64,
    /// When the watchdog bites.
    pub(super) watchdog: Option<u64>,
    /// The pull-up registers were written.
    pub(super) pull_ups_changed: bool,
    /// The model cannot go on, and why.
    pub(super) halt: Option<(Verdict, String)>,
}

impl Board {
    pub(super) fn new(silicon: Silicon, rom: &[u8], eeprom: Option<Eeprom>) -> Self {
        let mut memory = Box::new([0; 0x1_0000]);
        if let Some(place) = memory.get_mut(usize::from(silicon.rom_base)..)
            && place.len() == rom.len()
        {
            place.copy_from_slice(rom);
        }
        Self {
            memory,
            silicon,
            unknowns: Unknowns::default(),
            eeprom,
            wire: TwoWire::default(),
            diagnostics: Diagnostics::default(),
            now: 0,
            watchdog: None,
            pull_ups_changed: false,
            halt: None,
        }
    }

    pub(super) fn note(&mut self, verdict: Verdict, text: String) {
        self.diagnostics.note(self.now, verdict, text);
    }

    /// Stops the model at the next chance.
    pub(super) fn stop(&mut self, verdict: Verdict, text: String) {
        if self.halt.is_none() {
            self.halt = Some((verdict, text));
        }
    }

    pub(super) fn is_ram(&self, address: u16) -> bool {
        address < self.silicon.ram_end
    }

    pub(super) fn is_rom(&self, address: u16) -> bool {
        address >= self.silicon.rom_base
    }

    /// A byte as the loader request reads it for the host: without any effect on the chip.
    pub(super) fn peek(&self, address: u16) -> u8 {
        if self.is_ram(address) || self.is_rom(address) {
            return self.raw(address);
        }
        if !REGISTERS.contains(&address) {
            return 0xFF;
        }
        let [low, high] = self.peek_register(address & !1).to_le_bytes();
        if address & 1 == 0 { low } else { high }
    }

    /// The word at `address`, RAM or ROM.
    pub(super) fn word(&self, address: u16) -> u16 {
        u16::from_le_bytes([self.raw(address & !1), self.raw(address | 1)])
    }

    #[inline]
    pub(super) fn raw(&self, address: u16) -> u8 {
        self.memory.get(usize::from(address)).copied().unwrap_or(0xFF)
    }

    #[inline]
    pub(super) fn set_raw(&mut self, address: u16, value: u8) {
        if let Some(cell) = self.memory.get_mut(usize::from(address)) {
            *cell = value;
        }
    }

    pub(super) fn set_word(&mut self, address: u16, value: u16) {
        let [low, high] = value.to_le_bytes();
        self.set_raw(address & !1, low);
        self.set_raw(address | 1, high);
    }

    #[cold]
    fn unmapped_write(&mut self, address: u16) {
        // The dummy record of real images writes to E000; that is known to be harmless.
        if address < 0xE000 {
            // A board may have memory there: the EZ-Host's bus, which the EZ-OTG lacks, and over USB
            // the two look alike.
            let text = format!("a write to {address:04x}, where this model has no memory");
            self.note(Verdict::Unknown, text);
        }
    }
}

impl Bus16 for Board {
    #[inline]
    fn read_byte(&mut self, address: u16) -> u8 {
        if self.is_ram(address) || self.is_rom(address) {
            return self.raw(address);
        }
        if !REGISTERS.contains(&address) {
            return 0xFF;
        }
        let [low, high] = self.read_register(address & !1).to_le_bytes();
        if address & 1 == 0 { low } else { high }
    }

    #[inline]
    fn write_byte(&mut self, address: u16, value: u8) {
        if self.is_ram(address) {
            self.set_raw(address, value);
        } else if REGISTERS.contains(&address) {
            // Half a register: the other half keeps its value (model's choice).
            let [low, high] = self.word(address).to_le_bytes();
            let both = if address & 1 == 0 { [value, high] } else { [low, value] };
            self.write_register(address & !1, u16::from_le_bytes(both));
        } else {
            self.unmapped_write(address);
        }
    }

    #[inline]
    fn read_word(&mut self, address: u16) -> u16 {
        let address = address & !1;
        if self.is_ram(address) || self.is_rom(address) {
            return self.word(address);
        }
        if REGISTERS.contains(&address) { self.read_register(address) } else { 0xFFFF }
    }

    #[inline]
    fn write_word(&mut self, address: u16, value: u16) {
        let address = address & !1;
        if self.is_ram(address) {
            self.set_word(address, value);
        } else if REGISTERS.contains(&address) {
            self.write_register(address, value);
        } else {
            self.unmapped_write(address);
        }
    }
}
