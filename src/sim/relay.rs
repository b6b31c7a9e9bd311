//! A virtual relay board: bytes in, answers out, relays moved. What is wired to the relays is a
//! [`Load`]: a virtual port here, a device in a kernel elsewhere. [`super::pty`] gives it a serial
//! device.

use std::str::FromStr;

use super::bus::SimBus;
use super::hub::Feed;
use crate::usb::PortPath;

/// What a virtual board understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `A0 channel state sum`, eight relays, no answer.
    Lcus,
    /// AA and BB, one relay, no answer.
    AaBb,
    /// `A` and `a`, one relay, no answer.
    Letter,
    /// Lines with an echo and a prompt, eight relays.
    Numato,
    /// Nothing at all: a board that hangs.
    Mute,
}

/// A word that names no dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no virtual relay board is called {0:?}; there are lcus, aa-bb, letter, numato, mute")]
pub struct BadDialect(String);

impl FromStr for Dialect {
    type Err = BadDialect;

    fn from_str(text: &str) -> Result<Self, BadDialect> {
        match text {
            "lcus" => Ok(Self::Lcus),
            "aa-bb" => Ok(Self::AaBb),
            "letter" => Ok(Self::Letter),
            "numato" => Ok(Self::Numato),
            "mute" => Ok(Self::Mute),
            other => Err(BadDialect(other.to_owned())),
        }
    }
}

/// What hangs on the relays of a board.
pub trait Load: Send {
    /// The relay `channel`, counted from 1, was energised or let go.
    fn switched(&mut self, channel: u8, energised: bool);
}

/// A virtual relay board.
pub struct RelayBoard {
    dialect: Dialect,
    pending: Vec<u8>,
    load: Box<dyn Load>,
}

/// Relays of the boards that have several.
const RELAYS: u8 = 8;

impl RelayBoard {
    /// A board with every relay let go.
    pub fn new(dialect: Dialect, load: Box<dyn Load>) -> Self {
        Self { dialect, pending: Vec::new(), load }
    }

    /// Takes bytes from its serial line and returns what it answers.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut answer = Vec::new();
        for byte in bytes {
            self.take_byte(*byte, &mut answer);
        }
        answer
    }

    fn take_byte(&mut self, byte: u8, answer: &mut Vec<u8>) {
        match self.dialect {
            Dialect::Lcus => self.lcus(byte),
            Dialect::AaBb => match byte {
                0xaa => self.load.switched(1, true),
                0xbb => self.load.switched(1, false),
                _ => {}
            },
            Dialect::Letter => match byte {
                b'A' => self.load.switched(1, true),
                b'a' => self.load.switched(1, false),
                _ => {}
            },
            Dialect::Numato => {
                answer.push(byte);
                if byte == b'\r' {
                    self.line();
                    answer.extend(b"\n\r>");
                } else if self.pending.len() < 64 {
                    self.pending.push(byte);
                }
            }
            Dialect::Mute => {}
        }
    }

    /// Four bytes that begin with A0; with a wrong sum nothing moves.
    fn lcus(&mut self, byte: u8) {
        if self.pending.is_empty() && byte != 0xa0 {
            return;
        }
        self.pending.push(byte);
        if let [start, channel, state, sum] = *self.pending {
            let right = start.wrapping_add(channel).wrapping_add(state) == sum;
            self.pending.clear();
            if right && (1..=RELAYS).contains(&channel) && state <= 1 {
                self.load.switched(channel, state == 1);
            }
        }
    }

    fn line(&mut self) {
        let line = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        let mut words = line.split_whitespace();
        let (Some("relay"), Some(state), Some(index)) = (words.next(), words.next(), words.next())
        else {
            return;
        };
        let Some(channel) = index.parse::<u8>().ok().filter(|index| *index < RELAYS) else {
            return;
        };
        match state {
            "on" => self.load.switched(channel + 1, true),
            "off" => self.load.switched(channel + 1, false),
            _ => {}
        }
    }
}

/// One relay wired to a virtual port.
#[derive(Clone, Debug)]
pub struct Wire {
    /// The relay.
    pub channel: u8,
    /// The port.
    pub port: PortPath,
    /// What it does there.
    pub purpose: Purpose,
}

/// What a wired relay does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Carries VBUS through its NC terminal: energised, the power is away.
    PowerNormallyClosed,
    /// Carries VBUS through its NO terminal.
    PowerNormallyOpen,
    /// Shorts the EEPROM's data line to ground.
    Contact,
}

/// The wires between a board and a virtual bus.
pub struct Wires {
    bus: SimBus,
    wires: Vec<Wire>,
}

impl Wires {
    /// Wires to the ports of `bus`; a new board's relays are let go.
    pub fn new(bus: SimBus, wires: Vec<Wire>) -> Self {
        for wire in wires.iter().filter(|wire| wire.purpose == Purpose::PowerNormallyOpen) {
            bus.feed(&wire.port, Feed::Relay, false);
        }
        Self { bus, wires }
    }
}

impl Load for Wires {
    fn switched(&mut self, channel: u8, energised: bool) {
        for wire in self.wires.iter().filter(|wire| wire.channel == channel) {
            match wire.purpose {
                Purpose::PowerNormallyClosed => {
                    self.bus.feed(&wire.port, Feed::Relay, !energised);
                }
                Purpose::PowerNormallyOpen => self.bus.feed(&wire.port, Feed::Relay, energised),
                Purpose::Contact => self.bus.short_eeprom(&wire.port, energised),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<(u8, bool)>>>);

    impl Load for Kept {
        fn switched(&mut self, channel: u8, energised: bool) {
            self.0.lock().unwrap().push((channel, energised));
        }
    }

    fn moved(dialect: Dialect, bytes: &[u8]) -> (Vec<(u8, bool)>, Vec<u8>) {
        let kept = Kept::default();
        let answer = RelayBoard::new(dialect, Box::new(kept.clone())).take(bytes);
        let moved = kept.0.lock().unwrap().clone();
        (moved, answer)
    }

    #[test]
    fn an_lcus_board_obeys_a_right_sum_and_no_other() {
        let bytes = [0x00, 0xa0, 1, 1, 0xa2, 0xa0, 2, 1, 0xa2, 0xa0, 2, 0, 0xa2, 0xa0, 9, 1, 0xaa];
        assert_eq!(moved(Dialect::Lcus, &bytes), (vec![(1, true), (2, false)], vec![]));
    }

    #[test]
    fn a_numato_board_echoes_and_prompts() {
        let (moved, answer) = moved(Dialect::Numato, b"\rrelay on 3\rrelay on 9\rnonsense\r");
        assert_eq!(moved, [(4, true)]);
        assert_eq!(answer, b"\r\n\r>relay on 3\r\n\r>relay on 9\r\n\r>nonsense\r\n\r>");
    }

    #[test]
    fn boards_of_one_relay_obey_one_byte() {
        assert_eq!(moved(Dialect::AaBb, &[0xaa, 0x01, 0xbb]).0, [(1, true), (1, false)]);
        assert_eq!(moved(Dialect::Letter, b"AxA a").0, [(1, true), (1, true), (1, false)]);
        assert_eq!(moved(Dialect::Mute, b"A\xaa\r"), (vec![], vec![]));
    }
}
