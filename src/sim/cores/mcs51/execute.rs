//! The instruction set, by opcode \[MCS51\].
//!
//! The low nibble of most opcodes names the operand: 4 immediate, 5 direct, 6 and 7 at R0 and R1,
//! 8 to F the registers.
#![expect(clippy::indexing_slicing, reason = "a byte cannot leave the internal RAM's 256")]

use super::{Bus8051, Cpu};

impl Cpu {
    #[inline]
    pub(super) fn fetch(&mut self, bus: &mut impl Bus8051) -> u8 {
        let byte = bus.fetch(self.pc);
        self.pc = self.pc.wrapping_add(1);
        byte
    }

    fn fetch_word(&mut self, bus: &mut impl Bus8051) -> u16 {
        let high = self.fetch(bus);
        u16::from_be_bytes([high, self.fetch(bus)])
    }

    #[inline]
    fn register(&mut self, opcode: u8) -> &mut u8 {
        &mut self.memory[usize::from(self.psw & 0x18 | opcode & 7)]
    }

    #[inline]
    fn indirect(&mut self, opcode: u8) -> &mut u8 {
        let address = self.memory[usize::from(self.psw & 0x18 | opcode & 1)];
        &mut self.memory[usize::from(address)]
    }

    #[inline]
    fn read_direct(&mut self, bus: &mut impl Bus8051, address: u8, latch: bool) -> u8 {
        if address < 0x80 {
            return self.memory[usize::from(address)];
        }
        if !latch {
            self.notice_pins(bus, address, 0xFF);
        }
        self.read_special(bus, address, latch)
    }

    #[inline]
    fn write_direct(&mut self, bus: &mut impl Bus8051, address: u8, value: u8) {
        if address < 0x80 {
            self.memory[usize::from(address)] = value;
        } else {
            self.write_special(bus, address, value);
        }
    }

    /// The operand that the low nibble of `opcode` names.
    #[inline]
    fn operand(&mut self, bus: &mut impl Bus8051, opcode: u8) -> u8 {
        match opcode & 0xF {
            4 => self.fetch(bus),
            5 => {
                let address = self.fetch(bus);
                self.read_direct(bus, address, false)
            }
            6 | 7 => *self.indirect(opcode),
            _ => *self.register(opcode),
        }
    }

    /// Reads, changes and writes the operand that the low nibble names; returns the new value.
    #[inline]
    fn modify(&mut self, bus: &mut impl Bus8051, opcode: u8, change: impl Fn(u8) -> u8) -> u8 {
        if opcode & 0xF == 5 {
            let address = self.fetch(bus);
            return self.modify_direct(bus, address, change);
        }
        let place = if opcode & 8 == 0 { self.indirect(opcode) } else { self.register(opcode) };
        *place = change(*place);
        *place
    }

    fn modify_direct(
        &mut self,
        bus: &mut impl Bus8051,
        address: u8,
        change: impl Fn(u8) -> u8,
    ) -> u8 {
        let value = change(self.read_direct(bus, address, true));
        self.write_direct(bus, address, value);
        value
    }

    /// The byte that holds bit `number` of the bit space, and its mask.
    const fn bit_place(number: u8) -> (u8, u8) {
        let byte = if number < 0x80 { 0x20 + (number >> 3) } else { number & 0xF8 };
        (byte, 1 << (number & 7))
    }

    fn read_bit(&mut self, bus: &mut impl Bus8051) -> bool {
        let (byte, mask) = Self::bit_place(self.fetch(bus));
        if byte < 0x80 {
            return self.memory[usize::from(byte)] & mask != 0;
        }
        self.notice_pins(bus, byte, mask);
        self.read_special(bus, byte, false) & mask != 0
    }

    fn modify_bit(&mut self, bus: &mut impl Bus8051, change: impl Fn(u8, u8) -> u8) {
        let (byte, mask) = Self::bit_place(self.fetch(bus));
        self.modify_direct(bus, byte, |value| change(value, mask));
    }

    #[inline]
    fn branch(&mut self, bus: &mut impl Bus8051, taken: bool) {
        let offset = self.fetch(bus) as i8;
        if taken {
            self.pc = self.pc.wrapping_add_signed(i16::from(offset));
        }
    }

    fn push(&mut self, value: u8) {
        self.sp = self.sp.wrapping_add(1);
        self.memory[usize::from(self.sp)] = value;
    }

    fn pop(&mut self) -> u8 {
        let value = self.memory[usize::from(self.sp)];
        self.sp = self.sp.wrapping_sub(1);
        value
    }

    pub(super) fn call(&mut self, target: u16) {
        let [low, high] = self.pc.to_le_bytes();
        self.push(low);
        self.push(high);
        self.pc = target;
    }

    fn ret(&mut self) {
        let high = self.pop();
        self.pc = u16::from_be_bytes([high, self.pop()]);
    }

    /// Target of AJMP and ACALL: in the 2 KB of the next instruction.
    fn short_target(&mut self, bus: &mut impl Bus8051, opcode: u8) -> u16 {
        let low = self.fetch(bus);
        self.pc & 0xF800 | u16::from(opcode >> 5) << 8 | u16::from(low)
    }

    fn paged(&mut self, opcode: u8) -> u16 {
        u16::from_be_bytes([self.mpage, *self.register(opcode & 1)])
    }

    pub(super) fn execute(&mut self, bus: &mut impl Bus8051, opcode: u8) {
        match opcode {
            0x02 => self.pc = self.fetch_word(bus),
            0x03 => self.a = self.a.rotate_right(1),
            0x04 => self.a = self.a.wrapping_add(1),
            0x05..=0x0F => {
                self.modify(bus, opcode, |value| value.wrapping_add(1));
            }
            0x10 => self.jump_and_clear_bit(bus),
            0x12 => {
                let target = self.fetch_word(bus);
                self.call(target);
            }
            0x13 => self.rotate_right_through_carry(),
            0x14 => self.a = self.a.wrapping_sub(1),
            0x15..=0x1F => {
                self.modify(bus, opcode, |value| value.wrapping_sub(1));
            }
            0x20 | 0x30 => {
                let bit = self.read_bit(bus);
                self.branch(bus, bit == (opcode == 0x20));
            }
            0x22 => self.ret(),
            0x23 => self.a = self.a.rotate_left(1),
            0x24..=0x2F => {
                let operand = self.operand(bus, opcode);
                self.add(operand, false);
            }
            0x32 => {
                self.ret();
                self.leave();
            }
            0x33 => self.rotate_left_through_carry(),
            0x34..=0x3F => {
                let operand = self.operand(bus, opcode);
                self.add(operand, self.carry());
            }
            0x40 => self.branch(bus, self.carry()),
            0x50 => self.branch(bus, !self.carry()),
            0x60 => self.branch(bus, self.a == 0),
            0x70 => self.branch(bus, self.a != 0),
            0x42 | 0x43 | 0x52 | 0x53 | 0x62 | 0x63 => self.logic_at_direct(bus, opcode),
            0x44..=0x4F => self.a |= self.operand(bus, opcode),
            0x54..=0x5F => self.a &= self.operand(bus, opcode),
            0x64..=0x6F => self.a ^= self.operand(bus, opcode),
            0x73 => self.pc = self.dptr().wrapping_add(u16::from(self.a)),
            0x74 => self.a = self.fetch(bus),
            0x75 => {
                let address = self.fetch(bus);
                let value = self.fetch(bus);
                self.write_direct(bus, address, value);
            }
            0x76 | 0x77 => *self.indirect(opcode) = self.fetch(bus),
            0x78..=0x7F => *self.register(opcode) = self.fetch(bus),
            0x80 => self.branch(bus, true),
            0x83 => self.a = bus.fetch(self.pc.wrapping_add(u16::from(self.a))),
            0x84 => self.divide(),
            0x85 => {
                let source = self.fetch(bus);
                let value = self.read_direct(bus, source, false);
                let address = self.fetch(bus);
                self.write_direct(bus, address, value);
            }
            0x86..=0x8F => {
                let value =
                    if opcode & 8 == 0 { *self.indirect(opcode) } else { *self.register(opcode) };
                let address = self.fetch(bus);
                self.write_direct(bus, address, value);
            }
            0x90 => {
                let value = self.fetch_word(bus);
                self.set_dptr(value);
            }
            0x93 => self.a = bus.fetch(self.dptr().wrapping_add(u16::from(self.a))),
            0x94..=0x9F => {
                let operand = self.operand(bus, opcode);
                self.subtract(operand);
            }
            0xA3 => self.set_dptr(self.dptr().wrapping_add(1)),
            0xA4 => self.multiply(),
            0xA6..=0xAF => {
                let address = self.fetch(bus);
                let value = self.read_direct(bus, address, false);
                let place =
                    if opcode & 8 == 0 { self.indirect(opcode) } else { self.register(opcode) };
                *place = value;
            }
            0xB4 | 0xB5 => {
                let (left, right) = (self.a, self.operand(bus, opcode));
                let differs = self.compare(left, right);
                self.branch(bus, differs);
            }
            0xB6..=0xBF => {
                let left =
                    if opcode & 8 == 0 { *self.indirect(opcode) } else { *self.register(opcode) };
                let right = self.fetch(bus);
                let differs = self.compare(left, right);
                self.branch(bus, differs);
            }
            0xC0 => {
                // PUSH SP stores the pointer as incremented, the order of [MCS51].
                let address = self.fetch(bus);
                self.sp = self.sp.wrapping_add(1);
                let value = self.read_direct(bus, address, false);
                self.memory[usize::from(self.sp)] = value;
            }
            0xC4 => self.a = self.a.rotate_left(4),
            0xC5..=0xCF => self.exchange(bus, opcode),
            0xD0 => {
                let address = self.fetch(bus);
                let value = self.pop();
                self.write_direct(bus, address, value);
            }
            0xD4 => self.decimal_adjust(),
            0xD6 | 0xD7 => {
                let a = self.a;
                let place = self.indirect(opcode);
                let low = *place & 0xF;
                *place = *place & 0xF0 | a & 0xF;
                self.a = a & 0xF0 | low;
            }
            0xD5 | 0xD8..=0xDF => {
                let left = self.modify(bus, opcode, |value| value.wrapping_sub(1));
                self.branch(bus, left != 0);
            }
            0xE0 => self.a = bus.read_external(self.dptr()),
            0xE2 | 0xE3 => {
                let address = self.paged(opcode);
                self.a = bus.read_external(address);
            }
            0xE4 => self.a = 0,
            0xE5..=0xEF => self.a = self.operand(bus, opcode),
            0xF0 => bus.write_external(self.dptr(), self.a),
            0xF2 | 0xF3 => {
                let address = self.paged(opcode);
                bus.write_external(address, self.a);
            }
            0xF4 => self.a = !self.a,
            0xF5 => {
                let address = self.fetch(bus);
                self.write_direct(bus, address, self.a);
            }
            0xF6 | 0xF7 => *self.indirect(opcode) = self.a,
            0xF8..=0xFF => *self.register(opcode) = self.a,
            _ if opcode & 0x1F == 0x01 => self.pc = self.short_target(bus, opcode),
            _ if opcode & 0x1F == 0x11 => {
                let target = self.short_target(bus, opcode);
                self.call(target);
            }
            _ => self.execute_bit(bus, opcode),
        }
    }

    /// The instructions on the carry and on single bits, and NOP.
    fn execute_bit(&mut self, bus: &mut impl Bus8051, opcode: u8) {
        match opcode {
            0x72 | 0xA0 => {
                let bit = self.read_bit(bus) != (opcode == 0xA0);
                self.set_carry(self.carry() | bit);
            }
            0x82 | 0xB0 => {
                let bit = self.read_bit(bus) != (opcode == 0xB0);
                self.set_carry(self.carry() & bit);
            }
            0x92 => {
                let carry = self.carry();
                self.modify_bit(bus, |value, mask| set(value, mask, carry));
            }
            0xA2 => {
                let bit = self.read_bit(bus);
                self.set_carry(bit);
            }
            0xB2 => self.modify_bit(bus, |value, mask| value ^ mask),
            0xB3 => self.set_carry(!self.carry()),
            0xC2 => self.modify_bit(bus, |value, mask| value & !mask),
            0xC3 => self.set_carry(false),
            0xD2 => self.modify_bit(bus, |value, mask| value | mask),
            0xD3 => self.set_carry(true),
            _ => {}
        }
    }

    fn jump_and_clear_bit(&mut self, bus: &mut impl Bus8051) {
        let (byte, mask) = Self::bit_place(self.fetch(bus));
        let value = self.read_direct(bus, byte, true);
        if value & mask != 0 {
            self.write_direct(bus, byte, value & !mask);
        }
        self.branch(bus, value & mask != 0);
    }

    fn logic_at_direct(&mut self, bus: &mut impl Bus8051, opcode: u8) {
        let address = self.fetch(bus);
        let operand = if opcode & 1 == 0 { self.a } else { self.fetch(bus) };
        self.modify_direct(bus, address, |value| match opcode & 0xF0 {
            0x40 => value | operand,
            0x50 => value & operand,
            _ => value ^ operand,
        });
    }

    fn exchange(&mut self, bus: &mut impl Bus8051, opcode: u8) {
        if opcode == 0xC5 {
            let address = self.fetch(bus);
            let value = self.read_direct(bus, address, false);
            self.write_direct(bus, address, self.a);
            self.a = value;
            return;
        }
        let a = self.a;
        let place = if opcode & 8 == 0 { self.indirect(opcode) } else { self.register(opcode) };
        self.a = std::mem::replace(place, a);
    }
}

fn set(value: u8, mask: u8, bit: bool) -> u8 {
    if bit { value | mask } else { value & !mask }
}
