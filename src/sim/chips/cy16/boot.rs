//! Power, reset, the scan of the EEPROM and the start of USB [BM 1.3.2].
//!
//! The EEPROM's bytes decide at every reset: a stream that begins with B6 C3 is carried out, and
//! whatever it left in the vectors is who the chip is. Anything else leaves the ROM's own identity.

use super::eeprom_service::Parameters;
use super::registers::USB_CONTROL;
use super::rom::{BOOT, SCAN_STEP};
use super::scanning::{Scan, Source, Then};
use super::{Cy16, Life, arena};
use crate::sim::cores::cy16::{Bus16, Cpu, Flags};
use crate::sim::parts::TwoWire;

/// From power to the first instruction (model's choice; no source).
const POWER_UP_NS: u64 = 5_000_000;
/// Reset entry of the EZ chips.
const RESET_ENTRY: u16 = 0xFF00;
/// Where the stack begins.
const STACK: u16 = 0x0400;
/// SIE control: the pull-up of port A is on.
const PULL_UP: u16 = 0x0080;
/// Of the same register: host mode, which pulls down; and both resistors.
const HOST_MODE: u16 = 0x0200;
const RESISTORS: u16 = 0x0180;
/// Timeout flag of the watchdog register.
const TIMED_OUT: u16 = 0x0020;

impl Cy16 {
    pub(super) fn begin_power(&mut self, now: u64) {
        // RAM comes up with anything; always the same anything, so that runs are equal.
        let mut noise = 0x2545_u16;
        for address in 0..self.board.silicon.ram_end {
            noise = noise.wrapping_mul(0x6255).wrapping_add(0x3619);
            self.board.set_raw(address, (noise >> 8) as u8);
        }
        self.board.wire = TwoWire::default();
        self.board.now = self.board.now.max(now) + POWER_UP_NS;
        self.reset();
    }

    /// The watchdog bites: everything but RAM and the EEPROM starts anew.
    pub(super) fn watchdog_reset(&mut self) {
        self.reset();
        self.board.set_word(0xC00C, TIMED_OUT);
    }

    fn reset(&mut self) {
        for address in super::board::REGISTERS {
            self.board.set_raw(address, 0);
        }
        self.board.watchdog = None;
        self.board.halt = None;
        self.board.pull_ups_changed = false;
        self.set_attached(false);
        self.life = Life::Runs;
        let entry = if self.board.silicon.is_ez { RESET_ENTRY } else { self.rom.trap(BOOT) };
        self.cpu = Cpu::new(entry);
    }

    /// The ROM's start, also reached by a program's `jmp E000`.
    pub(super) fn boot(&mut self) {
        self.scans.clear();
        self.callbacks.clear();
        self.interrupts.clear();
        self.handler = None;
        self.requests.forget();
        self.eeproms = [Parameters::of(64), Parameters::of(65)];
        self.instructions = 0;
        self.cpu.set_bank(0x0100);
        self.cpu.set_flags(Flags::from_bits(0));
        self.set_register(15, STACK);
        for (address, value) in self.rom.vectors() {
            self.board.set_word(address, value);
        }
        let space = self.board.silicon.arena;
        arena::lay_out(&mut self.board, space);
        self.boot_scan(0);
    }

    /// Begins the scan through the EEPROM service with that place in the list, or starts USB when
    /// every one has been asked.
    pub(super) fn boot_scan(&mut self, index: usize) {
        let mut services = self.board.silicon.boot_interrupts.iter();
        let interrupt = if self.board.unknowns.large_eeprom_first {
            services.rev().nth(index)
        } else {
            services.nth(index)
        };
        match interrupt {
            Some(&interrupt) => {
                let source = Source::Eeprom { interrupt, address: 0 };
                self.scans.push(Scan::new(source, Then::Boot(index + 1)));
                let step = self.rom.trap(SCAN_STEP);
                self.cpu.set_pc(step);
            }
            None => self.start_usb(),
        }
    }

    fn start_usb(&mut self) {
        // A program that took INT 113 over starts USB itself [BM 1.3.2].
        if !self.board.silicon.is_ez || self.is_stock(113) {
            self.init_sie(1);
            self.init_sie(2);
        }
        self.set_register(15, STACK);
        self.cpu.set_flags(Flags::from_bits(Flags::INTERRUPTS));
        self.cpu.push(&mut self.board, 0);
        let idler = self.vector(71);
        self.cpu.set_pc(idler);
    }

    /// SUSB_INIT for SIE 1 or 2: its pull-up comes on.
    pub(super) fn init_sie(&mut self, sie: u8) {
        if let Some(register) = USB_CONTROL.get(usize::from(sie.wrapping_sub(1)))
            && self.board.silicon.is_ez
        {
            self.board.set_word(*register, PULL_UP);
            // Endpoint blocks of this SIE, none enabled (model's choice).
            let blocks = 0x0200 + 0x80 * u16::from(sie - 1);
            for address in blocks..blocks + 0x80 {
                self.board.set_raw(address, 0);
            }
        }
        if sie == self.host_sie() {
            self.set_attached(true);
        }
    }

    /// The SIE the host is wired to.
    pub(super) fn host_sie(&self) -> u8 {
        if self.board.silicon.is_ez && self.board.unknowns.host_sie == 2 { 2 } else { 1 }
    }

    pub(super) fn follow_pull_ups(&mut self) {
        let register = USB_CONTROL.get(usize::from(self.host_sie() - 1)).copied();
        let value = register.map_or(0, |register| self.board.read_word(register));
        self.set_attached(value & HOST_MODE == 0 && value & RESISTORS != 0);
    }
}
