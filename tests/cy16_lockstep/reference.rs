//! A second, plain reading of the CY16 instruction set, which shares no code with the first.
//!
//! Sources are named in `docs/references.md`: D5, ST, MM. It follows the opcode table and flag lists of the CS5954AM data sheet (38-08025, pages 32 and
//! 34) and the operand codes as metasm and the listing of Stierlitz have them.

pub const Z: u16 = 1;
pub const C: u16 = 2;
pub const O: u16 = 4;
pub const S: u16 = 8;
pub const I: u16 = 16;

/// 64 KB of memory that remembers where it was written.
pub struct Memory {
    pub bytes: Vec<u8>,
    pub written: Vec<(u16, u8)>,
}

impl Memory {
    pub fn byte(&self, at: u16) -> u8 {
        self.bytes[usize::from(at)]
    }

    /// A word lies at an even address: bit 0 is not decoded.
    pub fn word(&self, at: u16) -> u16 {
        u16::from_le_bytes([self.byte(at & !1), self.byte(at | 1)])
    }

    pub fn set_byte(&mut self, at: u16, value: u8) {
        let old = std::mem::replace(&mut self.bytes[usize::from(at)], value);
        self.written.push((at, old));
    }

    pub fn set_word(&mut self, at: u16, value: u16) {
        let [low, high] = value.to_le_bytes();
        self.set_byte(at & !1, low);
        self.set_byte(at | 1, high);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    pub pc: u16,
    pub flags: u16,
    pub bank: u16,
    /// Whether an interrupt would be taken now: not directly after STI.
    pub interruptible: bool,
}

/// The instruction word is not assigned.
#[derive(Debug)]
pub struct Unassigned;

/// Where an operand is.
#[derive(Clone, Copy)]
enum Place {
    Register(u16),
    Value(u16),
    Word(u16),
    Byte(u16),
    /// The top of the stack: a read takes a word off, a write puts one on.
    Stack,
}

pub struct Reference<'memory> {
    pub state: State,
    pub memory: &'memory mut Memory,
    /// A word was accessed at an odd address.
    pub odd_word: bool,
    /// One byte of the flags or of the bank register was accessed.
    pub control_byte: bool,
}

impl Reference<'_> {
    fn cell(&self, n: u16) -> u16 {
        (self.state.bank & 0xFFE0).wrapping_add(2 * n)
    }

    fn register(&self, n: u16) -> u16 {
        self.memory.word(self.cell(n))
    }

    fn set_register(&mut self, n: u16, value: u16) {
        let cell = self.cell(n);
        self.memory.set_word(cell, value);
    }

    fn fetch(&mut self) -> u16 {
        let word = self.memory.word(self.state.pc);
        self.state.pc = (self.state.pc & !1).wrapping_add(2);
        word
    }

    fn load(&self, at: u16) -> u16 {
        match at & !1 {
            0xC000 => self.state.flags,
            0xC002 => self.state.bank,
            at => self.memory.word(at),
        }
    }

    fn push(&mut self, value: u16) {
        let top = self.register(15).wrapping_sub(2);
        self.set_register(15, top);
        self.write(Place::Word(top), value);
    }

    fn place(&mut self, code: u16) -> Result<Place, Unassigned> {
        // R15 addresses words only.
        if code == 0x3F {
            return Err(Unassigned);
        }
        let n = 8 + (code & 7);
        let is_byte = code & 8 != 0;
        let at = match (code >> 4, n) {
            (0, _) => return Ok(Place::Register(code & 15)),
            (1, 15) if is_byte => return Ok(Place::Value(self.fetch())),
            (1, 15) => return Ok(Place::Stack),
            (1, _) => self.register(n),
            (2, 15) => self.fetch(),
            (2, _) => {
                let at = self.register(n);
                self.set_register(n, at.wrapping_add(if is_byte { 1 } else { 2 }));
                at
            }
            _ => {
                let offset = self.fetch();
                self.register(n).wrapping_add(offset)
            }
        };
        Ok(if is_byte { Place::Byte(at) } else { Place::Word(at) })
    }

    fn note(&mut self, place: Place) {
        self.odd_word |= matches!(place, Place::Word(at) if at & 1 != 0);
        self.control_byte |= matches!(place, Place::Byte(at) if at & 0xFFFC == 0xC000);
    }

    fn read(&mut self, place: Place) -> u16 {
        self.note(place);
        match place {
            Place::Register(n) => self.register(n),
            Place::Value(value) => value,
            Place::Word(at) => self.load(at),
            Place::Byte(at) if at & 0xFFFC == 0xC000 => {
                u16::from(self.load(at).to_le_bytes()[usize::from(at & 1)])
            }
            Place::Byte(at) => self.memory.byte(at).into(),
            Place::Stack => {
                let top = self.register(15);
                self.set_register(15, top.wrapping_add(2));
                self.read(Place::Word(top))
            }
        }
    }

    fn write(&mut self, place: Place, value: u16) {
        self.note(place);
        match place {
            Place::Register(n) => self.set_register(n, value),
            Place::Value(_) => unreachable!("an immediate destination is refused"),
            Place::Word(at) => match at & !1 {
                0xC000 => self.state.flags = value & 0x1F,
                0xC002 => self.state.bank = value & 0xFFE0,
                at => self.memory.set_word(at, value),
            },
            Place::Byte(at) if at & 0xFFFC == 0xC000 => {
                let mut whole = self.load(at).to_le_bytes();
                whole[usize::from(at & 1)] = value.to_le_bytes()[0];
                self.write(Place::Word(at), u16::from_le_bytes(whole));
            }
            Place::Byte(at) => self.memory.set_byte(at, value.to_le_bytes()[0]),
            Place::Stack => self.push(value),
        }
    }

    fn set(&mut self, flag: u16, on: bool) {
        self.state.flags = if on { self.state.flags | flag } else { self.state.flags & !flag };
    }

    fn zero_and_sign(&mut self, value: u16) {
        self.set(Z, value == 0);
        self.set(S, value & 0x8000 != 0);
    }

    fn sum(&mut self, a: u16, b: u16, carry: u16) -> u16 {
        let wide = u32::from(a) + u32::from(b) + u32::from(carry);
        let signed = i32::from(a as i16) + i32::from(b as i16) + i32::from(carry);
        self.arithmetic(wide as u16, wide > 0xFFFF, signed)
    }

    fn difference(&mut self, a: u16, b: u16, borrow: u16) -> u16 {
        let signed = i32::from(a as i16) - i32::from(b as i16) - i32::from(borrow);
        let borrows = u32::from(a) < u32::from(b) + u32::from(borrow);
        self.arithmetic(a.wrapping_sub(b).wrapping_sub(borrow), borrows, signed)
    }

    fn arithmetic(&mut self, result: u16, carry: bool, signed: i32) -> u16 {
        self.zero_and_sign(result);
        self.set(C, carry);
        self.set(O, i16::try_from(signed).is_err());
        result
    }

    fn holds(&self, condition: u16) -> bool {
        let [z, c, o, s] = [Z, C, O, S].map(|flag| self.state.flags & flag != 0);
        match condition {
            0x0 => z,
            0x1 => !z,
            0x2 => c,
            0x3 => !c,
            0x4 => s,
            0x5 => !s,
            0x6 => o,
            0x7 => !o,
            0x8 => !c && !z,
            0x9 => c || z,
            0xA => o == s && !z,
            0xB => o == s,
            0xC => o != s,
            0xD => o != s || z,
            _ => true,
        }
    }

    pub fn step(&mut self) -> Result<(), Unassigned> {
        let word = self.fetch();
        self.state.interruptible = true;
        match word >> 12 {
            0..=9 => self.two_operands(word),
            0xA | 0xC => self.branch(word),
            0xD => self.one_operand(word),
            _ => Err(Unassigned),
        }?;
        self.state.interruptible &= self.state.flags & I != 0;
        Ok(())
    }

    /// A hardware interrupt, if one would be taken now: PC is pushed, I cleared.
    pub fn interrupt(&mut self, vector: u16) -> bool {
        if !self.state.interruptible {
            return false;
        }
        self.push(self.state.pc);
        self.set(I, false);
        self.state.interruptible = false;
        self.state.pc = self.load(vector * 2) & !1;
        true
    }

    fn two_operands(&mut self, word: u16) -> Result<(), Unassigned> {
        if word & 63 == 0x1F {
            return Err(Unassigned);
        }
        let source = self.place(word >> 6 & 63)?;
        let b = self.read(source);
        let place = self.place(word & 63)?;
        let operation = word >> 12;
        if operation == 0 {
            self.write(place, b);
            return Ok(());
        }
        let a = self.read(place);
        let carry = u16::from(self.state.flags & C != 0);
        let result = match operation {
            1 => self.sum(a, b, 0),
            2 => self.sum(a, b, carry),
            3 | 5 => self.difference(a, b, 0),
            4 => self.difference(a, b, carry),
            6 | 7 => a & b,
            8 => a | b,
            _ => a ^ b,
        };
        self.zero_and_sign(result);
        if operation != 5 && operation != 7 {
            self.write(place, result);
        }
        Ok(())
    }

    fn branch(&mut self, word: u16) -> Result<(), Unassigned> {
        let condition = word >> 8 & 15;
        let is_operand = word & 0x80 != 0;
        if condition == 14 || is_operand && word & 0x40 != 0 {
            return Err(Unassigned);
        }
        let calls = word >> 12 == 0xA;
        if !self.holds(condition) {
            // An extension word is passed over; nothing is popped or incremented.
            if is_operand && (word & 0x30 == 0x30 || word & 0x37 == 0x27 || word & 63 == 0x1F) {
                self.fetch();
            }
            return Ok(());
        }
        let target = if is_operand {
            let place = self.place(word & 63)?;
            self.read(place)
        } else if calls {
            // The vector is read after the push, which may have overwritten it.
            self.push(self.state.pc);
            self.state.pc = self.load((word & 0x7F) * 2) & !1;
            return Ok(());
        } else {
            self.state.pc.wrapping_add(((word << 1) as u8) as i8 as u16)
        };
        if calls {
            self.push(self.state.pc);
        }
        self.state.pc = target & !1;
        Ok(())
    }

    fn one_operand(&mut self, word: u16) -> Result<(), Unassigned> {
        let (kind, n, code) = (word >> 9 & 7, word >> 6 & 7, word & 63);
        if kind == 7 && n == 7 {
            match code {
                0 => {
                    // It takes effect after the next instruction, where it changes anything.
                    self.state.interruptible = self.state.flags & I != 0;
                    self.set(I, true);
                }
                1 => self.set(I, false),
                2 => self.set(C, true),
                3 => self.set(C, false),
                _ => return Err(Unassigned),
            }
            return Ok(());
        }
        if kind == 6 || kind == 7 && !matches!(n, 0 | 1 | 4) || code == 0x1F {
            return Err(Unassigned);
        }
        let place = self.place(code)?;
        let value = self.read(place);
        let result = match (kind, n) {
            (0..=3, _) => {
                let mut value = value;
                for _ in 0..=n {
                    let (low, high) = (value & 1, value >> 15);
                    value = match kind {
                        0 => value >> 1 | high << 15,
                        1 => value << 1,
                        2 => value >> 1 | low << 15,
                        _ => value << 1 | high,
                    };
                    self.set(C, if kind % 2 == 0 { low } else { high } != 0);
                }
                value
            }
            (4, _) => value.wrapping_add(n + 1),
            (5, _) => value.wrapping_sub(n + 1),
            (_, 0) => !value,
            (_, 1) => self.difference(0, value, 0),
            _ => value as u8 as i8 as u16,
        };
        self.zero_and_sign(result);
        self.write(place, result);
        Ok(())
    }
}
