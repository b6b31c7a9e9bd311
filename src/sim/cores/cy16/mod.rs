//! CY16, the 16-bit CPU of ScanLogic's SL11R and Cypress's EZ-OTG and EZ-Host.
//!
//! Executes the whole instruction set, one instruction a call. It is not the chip: memory, boot
//! ROM, timers and USB engines stand behind [`Bus16`], and the chip model decides when a hardware
//! interrupt is offered. The file order to read: `instruction` (decoding), `execute`, `flags`,
//! `disassemble`.
//!
//! Sources: \[D5\] bit layouts and flags, \[BM\] register banks and stack, \[ST\] a real listing of 1010
//! instructions. Captured or documented unless a comment says otherwise.

mod disassemble;
mod execute;
mod flags;
mod instruction;
#[cfg(test)]
mod tests;

pub use disassemble::disassemble;
pub use flags::{Condition, Flags};
pub use instruction::{Control, Instruction, OneOperand, Operand, TwoOperand, Width};

/// Address of the CPU flags register \[INC\].
const FLAGS_REGISTER: u16 = 0xC000;
/// Address of the register bank register \[INC\].
const BANK_REGISTER: u16 = 0xC002;
/// Bits of the bank register that exist: banks are 32 bytes apart \[INC\].
const BANK_MASK: u16 = 0xFFE0;
/// The bank after reset: R0 at 0100, R15 at 011E [BM memory map].
const DEFAULT_BANK: u16 = 0x0100;
/// The stack pointer.
const STACK_POINTER: u8 = 15;

/// What the CPU sees at its addresses: RAM, ROM, memory-mapped registers.
///
/// Words are little-endian. The core asks for words at even addresses only, and never asks for
/// C000 to C003 as data: those two registers are its own.
pub trait Bus16 {
    /// The byte at `address`.
    fn read_byte(&mut self, address: u16) -> u8;
    /// Stores a byte; ignored where nothing can be stored.
    fn write_byte(&mut self, address: u16, value: u8);
    /// The word at the even `address`.
    fn read_word(&mut self, address: u16) -> u16;
    /// Stores a word at the even `address`; ignored where nothing can be stored.
    fn write_word(&mut self, address: u16, value: u16);
}

/// Why the CPU did not execute: an encoding that no source assigns.
///
/// Nothing has been changed and the program counter still points at it. A chip model may use such
/// opcodes as traps, do a service of its own, and go on behind them with [`Cpu::set_pc`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("illegal instruction {opcode:#06x} at {pc:#06x}: {reason}")]
pub struct Stop {
    /// Where.
    pub pc: u16,
    /// The word found there.
    pub opcode: u16,
    /// Which rule it breaks.
    pub reason: &'static str,
}

/// The CPU: program counter, flags and bank. R0 to R15 live in the bus's RAM, at the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpu {
    pc: u16,
    flags: Flags,
    bank: u16,
    /// STI was the last instruction and takes effect only behind the next one.
    shadow: bool,
    /// Clocks of the instruction being executed.
    clocks: u32,
}

impl Cpu {
    /// A CPU about to execute at `pc`: bank 0100, all flags clear.
    #[must_use]
    pub const fn new(pc: u16) -> Self {
        Self {
            pc: pc & !1,
            flags: Flags::from_bits(0),
            bank: DEFAULT_BANK,
            shadow: false,
            clocks: 0,
        }
    }

    /// Address of the next instruction; always even.
    #[must_use]
    pub const fn pc(&self) -> u16 {
        self.pc
    }

    /// Goes on at `pc`. Bit 0 is ignored: vectors in \[ST\] point one byte before their code, and
    /// that firmware worked (inferred).
    pub const fn set_pc(&mut self, pc: u16) {
        self.pc = pc & !1;
    }

    /// The flags, C000.
    #[must_use]
    pub const fn flags(&self) -> Flags {
        self.flags
    }

    /// Sets the flags, as a write to C000 does; I takes effect at once.
    pub const fn set_flags(&mut self, flags: Flags) {
        self.flags = flags;
    }

    /// Address of R0, C002.
    #[must_use]
    pub const fn bank(&self) -> u16 {
        self.bank
    }

    /// Moves the registers to `bank`; bits 4:0 do not exist and are dropped.
    pub const fn set_bank(&mut self, bank: u16) {
        self.bank = bank & BANK_MASK;
    }

    /// Content of Rn. Only the low four bits of `n` count.
    #[inline]
    pub fn register(&self, bus: &mut impl Bus16, n: u8) -> u16 {
        bus.read_word(self.register_address(n))
    }

    /// Sets Rn. Only the low four bits of `n` count.
    #[inline]
    pub fn set_register(&mut self, bus: &mut impl Bus16, n: u8, value: u16) {
        bus.write_word(self.register_address(n), value);
    }

    /// Pushes a word: R15 goes down by two, then the word is stored there.
    #[inline]
    pub fn push(&mut self, bus: &mut impl Bus16, value: u16) {
        let top = self.register(bus, STACK_POINTER).wrapping_sub(2);
        self.set_register(bus, STACK_POINTER, top);
        self.store_word(bus, top, value);
    }

    /// Pops a word: it is read at R15, then R15 goes up by two.
    #[inline]
    pub fn pop(&mut self, bus: &mut impl Bus16) -> u16 {
        let top = self.register(bus, STACK_POINTER);
        self.set_register(bus, STACK_POINTER, top.wrapping_add(2));
        self.load_word(bus, top)
    }

    /// Whether a hardware interrupt would be taken now: I is set, and not by an STI whose
    /// following instruction has yet to run.
    #[must_use]
    pub const fn accepts_interrupts(&self) -> bool {
        self.flags.has(Flags::INTERRUPTS) && !self.shadow
    }

    /// Offers hardware interrupt `vector` between two instructions; true when it was taken.
    ///
    /// Taken, the program counter is pushed, I is cleared and execution goes on at the address in
    /// the word at twice `vector`. The handler ends in `sti; ret`.
    pub fn interrupt(&mut self, bus: &mut impl Bus16, vector: u8) -> bool {
        if !self.accepts_interrupts() {
            return false;
        }
        self.push(bus, self.pc);
        self.flags = self.flags.with(Flags::INTERRUPTS, false);
        let target = self.load_word(bus, u16::from(vector) * 2);
        self.set_pc(target);
        true
    }

    #[inline]
    const fn register_address(&self, n: u8) -> u16 {
        // The bank's low five bits are zero, so this cannot carry out of them.
        self.bank | ((n & 0xF) as u16) << 1
    }

    #[inline]
    fn load_word(&mut self, bus: &mut impl Bus16, address: u16) -> u16 {
        self.clocks += 1;
        match even(address) {
            FLAGS_REGISTER => self.flags.bits(),
            BANK_REGISTER => self.bank,
            address => bus.read_word(address),
        }
    }

    #[inline]
    fn store_word(&mut self, bus: &mut impl Bus16, address: u16, value: u16) {
        self.clocks += 1;
        match even(address) {
            FLAGS_REGISTER => self.set_flags(Flags::from_bits(value)),
            BANK_REGISTER => self.set_bank(value),
            address => bus.write_word(address, value),
        }
    }

    #[inline]
    fn load_byte(&mut self, bus: &mut impl Bus16, address: u16) -> u16 {
        self.clocks += 1;
        let own = match address & !1 {
            FLAGS_REGISTER => self.flags.bits(),
            BANK_REGISTER => self.bank,
            _ => return u16::from(bus.read_byte(address)),
        };
        if address & 1 == 0 { own & 0xFF } else { own >> 8 }
    }

    #[inline]
    fn store_byte(&mut self, bus: &mut impl Bus16, address: u16, value: u16) {
        self.clocks += 1;
        // Whether a byte write keeps the other half of these two registers is unknown; as RAM does.
        let merge = |own: u16| match address & 1 {
            0 => own & 0xFF00 | value & 0xFF,
            _ => own & 0x00FF | value << 8,
        };
        match address & !1 {
            FLAGS_REGISTER => self.set_flags(Flags::from_bits(merge(self.flags.bits()))),
            BANK_REGISTER => self.set_bank(merge(self.bank)),
            _ => bus.write_byte(address, (value & 0xFF) as u8),
        }
    }
}

/// Word accesses ignore bit 0. Unknown on silicon, so worth a line in the log.
#[inline]
fn even(address: u16) -> u16 {
    if address & 1 != 0 {
        log_odd(address);
    }
    address & !1
}

#[cold]
#[inline(never)]
fn log_odd(address: u16) {
    log::trace!("word access at odd address {address:#06x}, bit 0 ignored");
}
