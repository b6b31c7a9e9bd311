//! The ROM's software interrupts, by number [BM table 1-7].
//!
//! Entered with the caller's return address on the stack and the program counter on a RET.

use super::eeprom_service::Parameters;
use super::rom::{CALLBACK_DONE, SERVICE};
use super::run::IDLE_PASS_NS;
use super::scanning::{Scan, Source, Then};
use super::{Cy16, arena};
use crate::sim::cores::cy16::{Bus16, Flags};
use crate::sim::diagnostic::Verdict;

/// The register bank of interrupt routines [BM INT 77 listing].
pub(super) const INTERRUPT_BANK: u16 = 0x0120;

impl Cy16 {
    pub(super) fn service(&mut self, number: u8) {
        if !self.board.silicon.is_ez && (number == 65 || number >= 96) {
            let text = format!("INT {number} is undocumented on the SL11R");
            self.board.stop(Verdict::Unknown, text);
            return;
        }
        let end = self.board.silicon.arena.1;
        match number {
            64 | 65 => self.eeprom_service(number),
            // UART_INT: no UART is fitted, nothing was received.
            66 => self.set_register(0, 0x8000),
            67 => {
                let routine = self.register(7);
                self.begin_scan(Scan::new(Source::Routine(routine), Then::Return));
            }
            68 => {
                let bytes = self.register(0);
                let block = arena::allocate(&mut self.board, end, bytes);
                self.set_register(0, block);
            }
            75 => {
                let block = self.register(0);
                arena::free(&mut self.board, end, block);
            }
            76 => arena::join(&mut self.board, end),
            70 => self.idle(),
            72 => {
                let new = self.register(0);
                let old = self.vector(70);
                self.board.set_word(2 * 70, new);
                self.set_register(0, old);
            }
            73 => self.push_all(),
            74 => self.pop_all(),
            77 => self.swap_registers(),
            78 => self.restore_registers(),
            80 | 96 => self.send(),
            81 | 97 => self.receive(),
            82 | 85 | 87 | 98 | 101 | 103 => self.stall(),
            83 | 99 => self.standard_service(),
            89 | 105 => self.finish(),
            94 | 110 => self.loader_service(),
            // Nothing to wake, nobody to tell; KBHIT switches a UART task off.
            48..=50 | 86 | 95 | 111 | 112 | 117 => {}
            113 => {
                let sie = self.register(2) as u8;
                self.init_sie(sie);
            }
            // A program's interrupt routine goes on to the ROM's, which ends in `sti; ret`.
            0..=31 | 33..=39 | 41..=47 => {
                self.cpu.set_flags(self.cpu.flags().with(Flags::INTERRUPTS, true));
            }
            _ => {
                let text = format!("INT {number}, for which the model has no service");
                self.board.stop(Verdict::Unknown, text);
            }
        }
    }

    fn eeprom_service(&mut self, number: u8) {
        let (function, address) = (self.register(0), self.register(1));
        let [small, large] = self.eeproms;
        let by = if number == 64 { small } else { large };
        match function {
            0 => {
                let byte = self.board.eeprom_read(by, address).unwrap_or(0xFF);
                let upper = self.board.unknowns.upper_half_after_read;
                self.set_register(0, u16::from_le_bytes([byte, upper]));
            }
            1 => {
                let byte = self.register(2) as u8;
                let result = self.board.eeprom_write(by, address, byte);
                self.set_register(0, result);
            }
            2 => {
                let mut bytes = [0; 10];
                for (place, at) in bytes.iter_mut().zip(0..) {
                    *place = self.board.read_byte(address.wrapping_add(at));
                }
                if let Some(place) = self.eeproms.get_mut(usize::from(number - 64)) {
                    *place = Parameters::from_bytes(bytes);
                }
                return;
            }
            3 => {
                // How they are returned is unknown; to where R1 points is the model's choice.
                for (byte, at) in by.to_bytes().into_iter().zip(0..) {
                    self.board.write_byte(address.wrapping_add(at), byte);
                }
                return;
            }
            _ => {
                let text = format!("INT {number} with the unknown function {function:04x}");
                self.board.stop(Verdict::Unknown, text);
                return;
            }
        }
        self.set_register(1, address.wrapping_add(1));
        if self.board.unknowns.trashes_r2 {
            self.set_register(2, 0x5A5A);
        }
    }

    /// IDLE_INT: usb_idle first, which runs what the host sent and the callbacks.
    fn idle(&mut self) {
        self.instructions = 0;
        if let Some(code) = self.callbacks.pop() {
            self.call(code, CALLBACK_DONE);
            return;
        }
        if self.serve_request() {
            return;
        }
        self.board.now += IDLE_PASS_NS;
        if self.event {
            return;
        }
        // Called by the ROM's own loop with nothing in the chain: passes do nothing but pass.
        let stack = self.register(15);
        let caller = self.board.read_word(stack);
        let alone = self.is_stock(70) && self.is_stock(71) && self.interrupts.is_empty();
        if alone && caller == self.rom.service(71).wrapping_add(4) {
            self.skip_idle();
        }
    }

    pub(super) fn callback_done(&mut self) {
        self.instructions = 0;
        let idle = self.rom.service((SERVICE | 70) & 0x7F);
        self.cpu.set_pc(idle);
    }

    /// PUSHALL: R0 to R14 and one word more; the stack is 32 bytes lower afterwards.
    fn push_all(&mut self) {
        let back = self.pop();
        for number in 0..15 {
            let value = self.register(number);
            self.cpu.push(&mut self.board, value);
        }
        self.cpu.push(&mut self.board, back);
        self.cpu.set_pc(back);
    }

    fn pop_all(&mut self) {
        let back = self.pop();
        self.pop();
        for number in (0..15).rev() {
            let value = self.pop();
            self.set_register(number, value);
        }
        self.cpu.set_pc(back);
    }

    /// HW_SWAP_REG: flags to the stack, then the other bank with the same stack.
    fn swap_registers(&mut self) {
        let back = self.pop();
        let flags = self.cpu.flags().bits();
        self.cpu.push(&mut self.board, flags);
        let stack = self.register(15);
        self.cpu.set_bank(INTERRUPT_BANK);
        self.set_register(15, stack);
        self.cpu.set_pc(back);
    }

    /// HW_REST_REG: undoes that and returns from the interrupt; its own caller is left behind.
    fn restore_registers(&mut self) {
        self.cpu.set_bank(0x0100);
        let flags = self.pop();
        let back = self.pop();
        self.cpu.set_flags(Flags::from_bits(flags | Flags::INTERRUPTS));
        self.cpu.set_pc(back);
    }
}
