//! Two open-drain wires with an EEPROM on them: edges in, the level of SDA out.
//!
//! The slave side of I2C only; whoever drives the pins is the master. Clock stretching, which
//! these parts do not do, is not modelled.

use super::Eeprom;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Waiting for START.
    Idle,
    /// Bits from the master, as many as given.
    Taking(u8),
    /// The ninth clock after a byte from the master.
    Acknowledging(bool),
    /// Bits to the master; the number already clocked out.
    Giving(u8),
    /// The ninth clock after a byte to the master; whether it acknowledged.
    Listening(bool),
}

/// Both wires as the part last saw them, and how far it is in the current byte.
#[derive(Clone, Debug)]
pub struct TwoWire {
    scl: bool,
    sda: bool,
    phase: Phase,
    shift: u8,
    pulls: bool,
}

impl Default for TwoWire {
    fn default() -> Self {
        Self { scl: true, sda: true, phase: Phase::Idle, shift: 0, pulls: false }
    }
}

impl TwoWire {
    /// The level of SDA when the master releases or pulls it: the part may pull it too.
    pub fn sda(&self, master: bool) -> bool {
        master && !self.pulls
    }

    /// The master's side of both wires at `now`, true = released or driven high. When both change
    /// at once, a falling SCL is seen before SDA and a rising one after it.
    pub fn drive(&mut self, part: &mut Eeprom, scl: bool, sda: bool, now: u64) {
        if self.scl && !scl {
            self.scl = false;
            self.clock_fell(part, now);
        }
        let level = self.sda(sda);
        if self.scl && level != self.sda {
            if level {
                part.stop(now);
                self.phase = Phase::Idle;
            } else {
                part.start();
                self.phase = Phase::Taking(0);
            }
            self.shift = 0;
        }
        self.sda = level;
        if !self.scl && scl {
            self.scl = true;
            self.clock_rose();
        }
        // What the part does to SDA after an edge of SCL is no edge of the master's.
        self.sda = self.sda(sda);
    }

    fn clock_rose(&mut self) {
        match self.phase {
            Phase::Taking(bits) if bits < 8 => {
                self.shift = self.shift << 1 | u8::from(self.sda);
                self.phase = Phase::Taking(bits + 1);
            }
            Phase::Listening(_) => self.phase = Phase::Listening(!self.sda),
            _ => {}
        }
    }

    fn clock_fell(&mut self, part: &mut Eeprom, now: u64) {
        match self.phase {
            Phase::Idle => {}
            Phase::Taking(8) => {
                let acknowledged = part.take(self.shift, now);
                self.pulls = acknowledged;
                self.phase = Phase::Acknowledging(acknowledged);
            }
            Phase::Taking(_) => {}
            Phase::Acknowledging(acknowledged) => {
                self.pulls = false;
                self.shift = 0;
                if !acknowledged {
                    self.phase = Phase::Idle;
                } else if part.is_giving() {
                    self.next_byte(part);
                } else {
                    self.phase = Phase::Taking(0);
                }
            }
            Phase::Giving(7) => {
                self.pulls = false;
                self.phase = Phase::Listening(false);
            }
            Phase::Giving(bits) => {
                self.shift <<= 1;
                self.pulls = self.shift & 0x80 == 0;
                self.phase = Phase::Giving(bits + 1);
            }
            Phase::Listening(true) => self.next_byte(part),
            Phase::Listening(false) => {
                part.refuse();
                self.phase = Phase::Idle;
            }
        }
    }

    fn next_byte(&mut self, part: &mut Eeprom) {
        self.shift = part.give();
        self.pulls = self.shift & 0x80 == 0;
        self.phase = Phase::Giving(0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::part;
    use super::*;

    struct Master {
        wire: TwoWire,
        part: Eeprom,
    }

    impl Master {
        fn new(content: &[u8]) -> Self {
            let part = Eeprom::new(part("24c16").unwrap(), content);
            Self { wire: TwoWire::default(), part }
        }

        fn set(&mut self, scl: bool, sda: bool) {
            self.wire.drive(&mut self.part, scl, sda, 0);
        }

        fn start(&mut self) {
            self.set(true, true);
            self.set(true, false);
            self.set(false, false);
        }

        fn stop(&mut self) {
            self.set(false, false);
            self.set(true, false);
            self.set(true, true);
        }

        fn bit(&mut self, bit: bool) -> bool {
            self.set(false, bit);
            self.set(true, bit);
            let seen = self.wire.sda(bit);
            self.set(false, bit);
            seen
        }

        fn send(&mut self, byte: u8) -> bool {
            for index in (0..8).rev() {
                self.bit(byte >> index & 1 == 1);
            }
            !self.bit(true)
        }

        fn receive(&mut self, acknowledge: bool) -> u8 {
            let byte = (0..8).fold(0, |byte, _| byte << 1 | u8::from(self.bit(true)));
            self.bit(!acknowledge);
            byte
        }
    }

    #[test]
    fn a_page_written_over_the_wires_is_read_back_over_the_wires() {
        let mut master = Master::new(&[]);
        master.start();
        for byte in [0xa4, 0x30, 0xde, 0xad, 0x00] {
            assert!(master.send(byte));
        }
        master.stop();
        assert_eq!(master.part.content()[0x230..0x233], [0xde, 0xad, 0x00]);
        master.part.power_off(u64::MAX);
        master.start();
        assert!(master.send(0xa4) && master.send(0x30));
        master.start();
        assert!(master.send(0xa5));
        assert_eq!([master.receive(true), master.receive(true)], [0xde, 0xad]);
        assert_eq!(master.receive(false), 0x00);
        master.stop();
        assert_eq!(master.wire.phase, Phase::Idle);
    }

    #[test]
    fn nobody_pulls_the_acknowledge_bit_for_another_address() {
        let mut master = Master::new(&[]);
        master.start();
        assert!(!master.send(0x40));
        master.stop();
    }
}
