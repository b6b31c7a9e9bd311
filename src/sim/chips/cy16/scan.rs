//! The SCAN stream, decoded a byte at a time [BM INT 67 listing].
//!
//! `{ C3B6, length, opcode, body } ... any other word`. Pure: says what is to be done and does
//! nothing. As in the ROM, each opcode takes its own bytes and the length is never used to find
//! the next record, so a wrong length puts everything behind it out of step.

/// What one byte of the stream leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing yet.
    More,
    /// The stream is over.
    End,
    /// Store a byte.
    Store { address: u16, byte: u8 },
    /// Store a word in a register.
    StoreRegister { address: u16, value: u16 },
    /// Allocate a block, put its address into the interrupt's vector and tell
    /// [`Decoder::allocated`].
    Allocate { interrupt: u8, bytes: u16 },
    /// Add the address in the interrupt's vector to the word that lies `offset` behind it.
    Relocate { interrupt: u8, offset: u16 },
    /// Call the code at that address; decoding goes on when it returns.
    Call { address: u16 },
    /// Call that interrupt.
    Interrupt { interrupt: u8 },
    /// Call the interrupt with R0 = 1, R1 = address, R2 = byte.
    Program { interrupt: u8, address: u16, byte: u8 },
    /// What this stream asks for is not known well enough to be done.
    Unknown(String),
}

/// Where in the stream the decoder stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Decoder {
    /// The record's bytes up to its opcode.
    header: Vec<u8>,
    /// Body bytes taken.
    taken: u32,
    /// First body bytes, up to three.
    fixed: [u8; 3],
    /// Where op 02 puts its code.
    block: u16,
    /// Records that were complete.
    pub(super) records: u32,
}

impl Decoder {
    /// Where the block of op 02 is.
    pub(super) fn allocated(&mut self, address: u16) {
        self.block = address;
    }

    /// The next byte of the stream.
    pub(super) fn take(&mut self, byte: u8) -> Step {
        if self.header.len() < 5 {
            self.header.push(byte);
        } else {
            return self.body(byte);
        }
        match *self.header.as_slice() {
            [a, b] if [a, b] != [0xB6, 0xC3] => Step::End,
            [_, _, _, _, opcode] => self.begin(opcode),
            _ => Step::More,
        }
    }

    fn length(&self) -> u32 {
        match *self.header.as_slice() {
            [_, _, low, high, ..] => u32::from(u16::from_le_bytes([low, high])),
            _ => 0,
        }
    }

    fn opcode(&self) -> u8 {
        self.header.get(4).copied().unwrap_or_default()
    }

    fn begin(&mut self, opcode: u8) -> Step {
        self.taken = 0;
        let minimum = match opcode {
            0x00 | 0x04 | 0x05 => 2,
            0x02 | 0x03 | 0x06 => 1,
            0x08 | 0x09 => 3,
            0x01 => return Step::Unknown("record op 01, whose meaning is ambiguous".to_owned()),
            0x07 => return Step::Unknown("record op 07, which needs a UART".to_owned()),
            _ => return Step::Unknown(format!("record op {opcode:02x}, which is not defined")),
        };
        if self.length() < minimum {
            let length = self.length();
            return Step::Unknown(format!("record op {opcode:02x} with a length of {length}"));
        }
        Step::More
    }

    fn body(&mut self, byte: u8) -> Step {
        let index = self.taken;
        self.taken += 1;
        if let Some(place) = self.fixed.get_mut(index as usize) {
            *place = byte;
        }
        let [first, second, third] = self.fixed;
        let step = match (self.opcode(), index) {
            (0x00, 0..2) => Step::More,
            (0x00, _) => Step::Store { address: word(first, second, index - 2), byte },
            (0x02, 0) => {
                let bytes = u16::try_from(self.length() - 1).unwrap_or(u16::MAX);
                Step::Allocate { interrupt: first, bytes }
            }
            (0x02, _) => Step::Store { address: self.block.wrapping_add(index as u16 - 1), byte },
            (0x03, index) if index % 2 == 1 => {
                self.fixed[1] = byte;
                Step::More
            }
            (0x03, 1..) => Step::Relocate { interrupt: first, offset: word(second, byte, 0) },
            (0x04 | 0x05, 1) => Step::Call { address: word(first, second, 0) },
            (0x06, 0) => Step::Interrupt { interrupt: first },
            (0x08, 3..) => {
                Step::Program { interrupt: first, address: word(second, third, index - 3), byte }
            }
            (0x09, index) => match index % 3 {
                0 => {
                    self.fixed[0] = byte;
                    Step::More
                }
                1 => {
                    self.fixed[1] = byte;
                    Step::More
                }
                _ => {
                    let address = 0xC000 | u16::from(first);
                    Step::StoreRegister { address, value: word(second, byte, 0) }
                }
            },
            _ => Step::More,
        };
        // A jump, a call and an interrupt take what they need, whatever the length says.
        let complete = match self.opcode() {
            0x04 | 0x05 => self.taken >= 2,
            0x06 => self.taken >= 1,
            _ => self.taken >= self.length(),
        };
        if complete {
            self.header.clear();
            self.records += 1;
        }
        step
    }
}

fn word(low: u8, high: u8, offset: u32) -> u16 {
    u16::from_le_bytes([low, high]).wrapping_add(offset as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(stream: &[u8]) -> Vec<Step> {
        let mut decoder = Decoder::default();
        stream.iter().map(|byte| decoder.take(*byte)).filter(|step| *step != Step::More).collect()
    }

    #[test]
    fn records_start_at_any_offset_and_end_at_any_other_word() {
        let stream = [
            0xB6, 0xC3, 0x04, 0x00, 0x00, 0x00, 0xE0, 0x00, 0x00, // the dummy record
            0xB6, 0xC3, 0x02, 0x00, 0x05, 0x00, 0x05, // call 0500
            0x69, 0x00,
        ];
        let end = [Step::Call { address: 0x0500 }, Step::End];
        let dummy = |address| Step::Store { address, byte: 0 };
        assert_eq!(steps(&stream)[..2], [dummy(0xE000), dummy(0xE001)]);
        assert_eq!(steps(&stream)[2..], end);
    }

    #[test]
    fn op_02_allocates_first_and_then_stores_its_code_there() {
        let mut decoder = Decoder::default();
        let mut seen = Vec::new();
        for byte in [0xB6, 0xC3, 3, 0, 2, 0x52, 0x97, 0xCF] {
            let step = decoder.take(byte);
            if matches!(step, Step::Allocate { .. }) {
                decoder.allocated(0x0600);
            }
            seen.push(step);
        }
        assert_eq!(seen[5], Step::Allocate { interrupt: 0x52, bytes: 2 });
        assert_eq!(seen[6], Step::Store { address: 0x0600, byte: 0x97 });
        assert_eq!(seen[7], Step::Store { address: 0x0601, byte: 0xCF });
    }

    #[test]
    fn op_03_fixes_every_offset_and_op_09_writes_every_pair() {
        let fix = [0xB6, 0xC3, 5, 0, 3, 0x7A, 4, 0, 0x10, 1];
        let relocate = |offset| Step::Relocate { interrupt: 0x7A, offset };
        assert_eq!(steps(&fix), [relocate(4), relocate(0x110)]);
        let write = [0xB6, 0xC3, 6, 0, 9, 0x3A, 0x22, 0x11, 0x0C, 0x22, 0];
        let register = |address, value| Step::StoreRegister { address, value };
        assert_eq!(steps(&write), [register(0xC03A, 0x1122), register(0xC00C, 0x0022)]);
    }

    #[test]
    fn op_08_starts_at_its_address() {
        let stream = [0xB6, 0xC3, 5, 0, 8, 0x41, 0xFF, 0x01, 7, 8];
        let program = |address, byte| Step::Program { interrupt: 0x41, address, byte };
        assert_eq!(steps(&stream), [program(0x01FF, 7), program(0x0200, 8)]);
    }

    #[test]
    fn a_call_takes_two_bytes_whatever_its_length_says() {
        let stream = [0xB6, 0xC3, 9, 0, 4, 0, 6, 0, 0];
        assert_eq!(steps(&stream), [Step::Call { address: 0x0600 }, Step::End]);
    }

    #[test]
    fn an_undefined_opcode_is_not_guessed_at() {
        for opcode in [1, 7, 10, 0xFF] {
            let [Step::Unknown(text)] = &steps(&[0xB6, 0xC3, 1, 0, opcode])[..] else { panic!() };
            assert!(text.contains(&format!("{opcode:02x}")));
        }
    }

    #[test]
    fn a_length_that_lacks_the_address_is_refused() {
        assert!(matches!(steps(&[0xB6, 0xC3, 1, 0, 0])[..], [Step::Unknown(_)]));
    }
}
