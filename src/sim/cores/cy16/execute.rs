//! One instruction: fetch, operands, arithmetic, flags.
//!
//! Order, as far as it can be seen from outside: the source is evaluated with its side effect
//! before the destination; the source's extension word precedes the destination's (captured,
//! [ST 0C2A]).
//!
//! Clocks are inferred, not documented. The one known number is `dec r2` plus a taken short `jnz`:
//! 148 ns a pass at 48 MHz, 7.1 clocks \[TA\]. So: 3 an instruction, 1 more for each extension word,
//! each data word and a taken change of flow, which gives 3 + 4 for that pair.

use super::flags::{Condition, Flags};
use super::instruction::{Control, Instruction, OneOperand, Operand, TwoOperand, Width};
use super::{Bus16, Cpu, Stop};

const CLOCKS_PER_INSTRUCTION: u32 = 3;
const CLOCKS_PER_EXTENSION: u32 = 1;
const CLOCKS_OF_CHANGED_FLOW: u32 = 1;

/// An operand with its address worked out; it may be read and written without a second side
/// effect, except that the stack pops when read and pushes when written.
#[derive(Clone, Copy)]
enum Place {
    Value(u16),
    Register(u8),
    Stack,
    Memory(u16, Width),
}

impl Cpu {
    /// Executes one instruction and returns its clocks (inferred, see the source's head).
    ///
    /// # Errors
    /// [`Stop`] on an illegal encoding: nothing has changed, and the program counter is at it.
    #[inline]
    pub fn step(&mut self, bus: &mut impl Bus16) -> Result<u32, Stop> {
        self.clocks = CLOCKS_PER_INSTRUCTION;
        let opcode = bus.read_word(self.pc);
        let instruction = match Instruction::decoded(opcode) {
            Ok(instruction) => instruction,
            Err(reason) => return Err(Stop { pc: self.pc, opcode, reason }),
        };
        self.pc = self.pc.wrapping_add(2);
        self.shadow = false;
        match instruction {
            Instruction::Two(operation, destination, source) => {
                self.two(bus, operation, destination, source);
            }
            Instruction::One(operation, operand) => self.one(bus, operation, operand),
            Instruction::Control(control) => self.control(control),
            Instruction::ShortJump(condition, words) => {
                if condition.holds(self.flags) {
                    let distance = i16::from(words) * 2;
                    self.change_flow(self.pc.wrapping_add_signed(distance));
                }
            }
            Instruction::Jump(condition, operand) => {
                if let Some(target) = self.target(bus, condition, operand) {
                    self.change_flow(target);
                }
            }
            Instruction::Call(condition, operand) => {
                if let Some(target) = self.target(bus, condition, operand) {
                    self.push(bus, self.pc);
                    self.change_flow(target);
                }
            }
            Instruction::Int(condition, vector) => {
                if condition.holds(self.flags) {
                    self.push(bus, self.pc);
                    let target = self.load_word(bus, u16::from(vector) * 2);
                    self.change_flow(target);
                }
            }
        }
        Ok(self.clocks)
    }

    fn change_flow(&mut self, target: u16) {
        self.clocks += CLOCKS_OF_CHANGED_FLOW;
        self.set_pc(target);
    }

    /// Where a jump or call goes. Not taken, its extension word is skipped and its operand left
    /// alone: a conditional RET that does not return must not pop.
    #[inline]
    fn target(
        &mut self,
        bus: &mut impl Bus16,
        condition: Condition,
        operand: Operand,
    ) -> Option<u16> {
        if condition.holds(self.flags) {
            let place = self.resolve(bus, operand);
            return Some(self.read(bus, place));
        }
        if operand.has_extension() {
            self.clocks += CLOCKS_PER_EXTENSION;
            self.pc = self.pc.wrapping_add(2);
        }
        None
    }

    #[inline]
    fn extension(&mut self, bus: &mut impl Bus16) -> u16 {
        let word = bus.read_word(self.pc);
        self.clocks += CLOCKS_PER_EXTENSION;
        self.pc = self.pc.wrapping_add(2);
        word
    }

    /// Works out where an operand is, taking its extension word and advancing its pointer.
    #[inline]
    fn resolve(&mut self, bus: &mut impl Bus16, operand: Operand) -> Place {
        match operand {
            Operand::Register(n) => Place::Register(n),
            Operand::Immediate => Place::Value(self.extension(bus)),
            Operand::Stack => Place::Stack,
            Operand::Indirect(pointer, width) => Place::Memory(self.register(bus, pointer), width),
            Operand::AutoIncrement(pointer, width) => {
                let address = self.register(bus, pointer);
                let step = match width {
                    Width::Word => 2,
                    Width::Byte => 1,
                };
                self.set_register(bus, pointer, address.wrapping_add(step));
                Place::Memory(address, width)
            }
            Operand::Direct(width) => Place::Memory(self.extension(bus), width),
            Operand::Indexed(pointer, width) => {
                let offset = self.extension(bus);
                Place::Memory(self.register(bus, pointer).wrapping_add(offset), width)
            }
        }
    }

    #[inline]
    fn read(&mut self, bus: &mut impl Bus16, place: Place) -> u16 {
        match place {
            Place::Value(value) => value,
            Place::Register(n) => self.register(bus, n),
            Place::Stack => self.pop(bus),
            Place::Memory(address, Width::Word) => self.load_word(bus, address),
            Place::Memory(address, Width::Byte) => self.load_byte(bus, address),
        }
    }

    #[inline]
    fn write(&mut self, bus: &mut impl Bus16, place: Place, value: u16) {
        match place {
            // Decoding refuses an immediate destination.
            Place::Value(_) => {}
            Place::Register(n) => self.set_register(bus, n, value),
            Place::Stack => self.push(bus, value),
            Place::Memory(address, Width::Word) => self.store_word(bus, address, value),
            Place::Memory(address, Width::Byte) => self.store_byte(bus, address, value),
        }
    }

    #[inline]
    fn two(
        &mut self,
        bus: &mut impl Bus16,
        operation: TwoOperand,
        destination: Operand,
        source: Operand,
    ) {
        let source = self.resolve(bus, source);
        let right = self.read(bus, source);
        let destination = self.resolve(bus, destination);
        if operation == TwoOperand::Mov {
            // The destination is not read, and the flags stay.
            self.write(bus, destination, right);
            return;
        }
        let left = self.read(bus, destination);
        let carry = self.flags.has(Flags::CARRY);
        let flags = self.flags;
        // C000 may itself be the destination; then the stored word wins over the new flags.
        let (result, flags) = match operation {
            TwoOperand::Mov => (right, flags),
            TwoOperand::Add => add(flags, left, right, false),
            TwoOperand::Addc => add(flags, left, right, carry),
            TwoOperand::Sub | TwoOperand::Cmp => subtract(flags, left, right, false),
            TwoOperand::Subb => subtract(flags, left, right, carry),
            TwoOperand::And | TwoOperand::Test => logical(flags, left & right),
            TwoOperand::Or => logical(flags, left | right),
            TwoOperand::Xor => logical(flags, left ^ right),
        };
        self.flags = flags;
        if !matches!(operation, TwoOperand::Cmp | TwoOperand::Test) {
            self.write(bus, destination, result);
        }
    }

    #[inline]
    fn one(&mut self, bus: &mut impl Bus16, operation: OneOperand, operand: Operand) {
        let place = self.resolve(bus, operand);
        let value = self.read(bus, place);
        let flags = self.flags;
        let (result, flags) = match operation {
            OneOperand::Shr(count) => {
                // Arithmetic: the sign bit is shifted in [D5]. `count` is 1 to 8.
                let result = ((value as i16) >> count) as u16;
                shifted(flags, result, value >> (count - 1) & 1)
            }
            OneOperand::Shl(count) => shifted(flags, value << count, value >> (16 - count) & 1),
            OneOperand::Ror(count) => {
                let result = value.rotate_right(u32::from(count));
                shifted(flags, result, result >> 15)
            }
            OneOperand::Rol(count) => {
                let result = value.rotate_left(u32::from(count));
                shifted(flags, result, result & 1)
            }
            OneOperand::Addi(count) => logical(flags, value.wrapping_add(u16::from(count))),
            OneOperand::Subi(count) => logical(flags, value.wrapping_sub(u16::from(count))),
            OneOperand::Not => logical(flags, !value),
            OneOperand::Neg => subtract(flags, 0, value, false),
            OneOperand::Cbw => logical(flags, value as u8 as i8 as u16),
        };
        self.flags = flags;
        self.write(bus, place, result);
    }

    fn control(&mut self, control: Control) {
        let flags = self.flags;
        self.flags = match control {
            Control::Sti => {
                self.shadow = !flags.has(Flags::INTERRUPTS);
                flags.with(Flags::INTERRUPTS, true)
            }
            Control::Cli => flags.with(Flags::INTERRUPTS, false),
            Control::Stc => flags.with(Flags::CARRY, true),
            Control::Clc => flags.with(Flags::CARRY, false),
        };
    }
}

/// Z and S by the result, C and O kept: logic, and ADDI/SUBI \[D5\].
#[inline]
const fn logical(flags: Flags, result: u16) -> (u16, Flags) {
    let kept = flags.bits() & !(Flags::ZERO | Flags::SIGN);
    let zero = if result == 0 { Flags::ZERO } else { 0 };
    let sign = if result & 0x8000 != 0 { Flags::SIGN } else { 0 };
    (result, Flags::from_bits(kept | zero | sign))
}

/// Z and S by the result, C the last bit out, O kept \[D5\].
#[inline]
const fn shifted(flags: Flags, result: u16, last_out: u16) -> (u16, Flags) {
    logical(flags.with(Flags::CARRY, last_out != 0), result)
}

#[inline]
const fn add(flags: Flags, left: u16, right: u16, carry: bool) -> (u16, Flags) {
    let sum = left as u32 + right as u32 + carry as u32;
    let result = sum as u16;
    let overflow = (left ^ result) & (right ^ result) & 0x8000 != 0;
    let flags = flags.with(Flags::CARRY, sum > 0xFFFF).with(Flags::OVERFLOW, overflow);
    logical(flags, result)
}

/// C is the borrow: set when `left` is below `right` unsigned [ST, TA].
#[inline]
const fn subtract(flags: Flags, left: u16, right: u16, borrow: bool) -> (u16, Flags) {
    let difference = (left as u32).wrapping_sub(right as u32).wrapping_sub(borrow as u32);
    let result = difference as u16;
    let overflow = (left ^ right) & (left ^ result) & 0x8000 != 0;
    let flags = flags.with(Flags::CARRY, difference > 0xFFFF).with(Flags::OVERFLOW, overflow);
    logical(flags, result)
}
