//! What a program can ask and this model cannot answer: pins, receivers, data of the GPIF, memory
//! on the board. Each is named when it is met, so that a program that waits for one in vain is
//! told from one that is wrong.
//!
//! Addresses and names: \[libfx2\] for the FX2 kind. Those of an AN2131, and which bits a pin
//! decides, are inferred.

use std::time::Duration;

use super::board::Board;
use super::silicon::Silicon;
use crate::sim::diagnostic::{Unmodelled, Verdict};

/// OEA; those of the ports B to E follow.
const FIRST_OUTPUT_ENABLE: u8 = 0xB2;
/// Ports A to E of the FX2 kind.
const PORTS: [u8; 5] = [0x80, 0x90, 0xA0, 0xB0, 0xB1];
/// Of an AN2131: OUTA, PINSA and OEA; B and C follow.
const AN2131_OUTPUTS: u16 = 0x7F96;
const AN2131_PINS: std::ops::RangeInclusive<u16> = 0x7F99..=0x7F9B;
const AN2131_OUTPUT_ENABLES: u16 = 0x7F9C;
/// The registers of the FX's FIFOs and GPIF (grade: inferred); an AN2131 has nothing there.
const FX_FIFOS: std::ops::RangeInclusive<u16> = 0x7800..=0x787F;
/// How many are kept.
const MAX_KEPT: usize = 32;

/// Something a program asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// A register of the external data space.
    Register(u16),
    /// A special function register.
    Special(u8),
    /// Data memory outside of the chip.
    Data(u16),
    /// Program memory outside of the chip.
    Program(u16),
}

/// The registers whose answer comes from outside of the chip, and what they show.
fn fx2_register(address: u16) -> Option<&'static str> {
    Some(match address {
        0xE605 => "BREAKPT, the breakpoint",
        0xE67D..=0xE67F => "UDMACRC, the UDMA checksum",
        0xE682 => "WAKEUPCS, the wake-up pins",
        0xE6A7..=0xE6AA => "EPxFIFOFLGS, the flags of the slave FIFOs",
        0xE6AB..=0xE6B2 => "EPxFIFOBC, the byte counts of the slave FIFOs",
        0xE6CE..=0xE6D1 => "GPIFTCB, the transaction count of the GPIF",
        0xE6F0..=0xE6F2 => "XGPIFSGLDAT, the data of the GPIF",
        0xE6F4 => "GPIFREADYSTAT, the RDY pins",
        _ => return None,
    })
}

fn an2131_register(address: u16) -> Option<&'static str> {
    Some(match address {
        0x7F60..=0x7F7F => "the isochronous FIFOs",
        0x7F99 => "PINSA, the pins of port A",
        0x7F9A => "PINSB, the pins of port B",
        0x7F9B => "PINSC, the pins of port C",
        0x7FA0 => "ISOERR, the isochronous endpoints' errors",
        0x7FAF => "USBBAV, the breakpoint",
        _ => return None,
    })
}

fn special(address: u8) -> Option<&'static str> {
    Some(match address {
        0x80 => "IOA, the pins of port A",
        0x88 => "TCON, the pins INT0, INT1, T0 and T1",
        0x90 => "IOB, the pins of port B",
        0x91 => "EXIF, the pins INT4 and INT5",
        0x98 => "SCON0, the receiver of serial port 0",
        0xA0 => "IOC, the pins of port C",
        0xAB | 0xAC => "EPxFIFOFLGS, the flags of the slave FIFOs",
        0xB0 => "IOD, the pins of port D",
        0xB1 => "IOE, the pins of port E",
        0xBD..=0xBF => "GPIFSGLDAT, the data of the GPIF",
        0xC0 => "SCON1, the receiver of serial port 1",
        0xD8 => "EICON, the pin INT6 and the wake-up pin",
        _ => return None,
    })
}

impl Unknown {
    fn name(self, silicon: &Silicon) -> String {
        match self {
            Self::Register(address) => {
                let name =
                    if silicon.is_fx2() { fx2_register(address) } else { an2131_register(address) };
                format!("{} (register {address:04x})", name.unwrap_or("a register"))
            }
            Self::Special(address) => {
                format!("{} (SFR {address:02x})", special(address).unwrap_or("a register"))
            }
            Self::Data(address) if silicon.is_fx() && FX_FIFOS.contains(&address) => {
                format!("a register of the FX's FIFOs and GPIF ({address:04x})")
            }
            Self::Data(address) => format!("data memory outside of the chip ({address:04x})"),
            Self::Program(address) => {
                format!("program memory outside of the chip ({address:04x})")
            }
        }
    }

    /// Whether two are the same thing to wait for.
    fn is_like(self, other: Self) -> bool {
        match (self, other) {
            (Self::Data(one), Self::Data(other)) => {
                FX_FIFOS.contains(&one) == FX_FIFOS.contains(&other)
            }
            (Self::Program(_), Self::Program(_)) => true,
            _ => self == other,
        }
    }
}

/// The unknowns a program met.
#[derive(Clone, Debug, Default)]
pub(super) struct Met {
    /// In the order in which they were first met, with where and when.
    kept: Vec<(Unknown, u16, u64)>,
    /// The last one since the watch for a loop began.
    recent: Option<Unknown>,
    list: Vec<Unmodelled>,
}

impl Met {
    pub(super) fn list(&self) -> &[Unmodelled] {
        &self.list
    }

    /// A loop is watched for from here.
    pub(super) const fn begin_loop(&mut self) {
        self.recent = None;
    }
}

impl Board {
    /// The program asked for it.
    pub(super) fn meet(&mut self, unknown: Unknown) {
        self.met.recent = Some(unknown);
        let is_known = |(known, ..): &(Unknown, u16, u64)| known.is_like(unknown);
        if self.met.kept.len() < MAX_KEPT && !self.met.kept.iter().any(is_known) {
            self.met.kept.push((unknown, self.pc, self.now));
            let what = unknown.name(self.silicon);
            let at = Duration::from_nanos(self.now);
            self.met.list.push(Unmodelled { at, pc: self.pc, what });
        }
    }

    /// A register of the external data space is read.
    pub(super) fn meet_register(&mut self, address: u16) {
        let is_unknown = if self.silicon.is_fx2() {
            fx2_register(address).is_some()
        } else {
            // USBBAV is read to switch on autovectoring; only an armed breakpoint waits.
            an2131_register(address).is_some()
                && (address != 0x7FAF || self.get(address) & 0x02 != 0)
        };
        if is_unknown {
            self.meet(Unknown::Register(address));
        }
    }

    /// A special function register is read. A port whose pins are all outputs shows what was
    /// written.
    pub(super) fn meet_special(&mut self, address: u8) {
        if special(address).is_none() {
            return;
        }
        let port = PORTS.iter().zip(FIRST_OUTPUT_ENABLE..).find(|(port, _)| **port == address);
        let is_output = port.is_some_and(|(_, enable)| self.special(enable) == 0xFF);
        // Of the ports only the FX2 kind has such registers.
        if !is_output && (port.is_none() || self.silicon.is_fx2()) {
            self.meet(Unknown::Special(address));
        }
    }

    /// PINSA to PINSC of an AN2131: outputs show what was written, inputs what was stored there.
    pub(super) fn pins(&self, address: u16) -> Option<u8> {
        if self.silicon.is_fx2() || !AN2131_PINS.contains(&address) {
            return None;
        }
        let port = address - AN2131_PINS.start();
        let [outputs, enabled] =
            [AN2131_OUTPUTS, AN2131_OUTPUT_ENABLES].map(|first| self.get(first + port));
        Some(outputs & enabled | self.get(address) & !enabled)
    }

    /// The program goes round without an end: what in the loop it asks for is named.
    pub(super) fn waits(&mut self, pins: &[&str]) {
        let recent = self.met.recent.map(|unknown| unknown.name(self.silicon));
        for what in recent.into_iter().chain(pins.iter().map(|pin| (*pin).to_owned())) {
            let text = format!(
                "the program waits at {:04x} for {what}, which this model does not have",
                self.pc
            );
            self.note(Verdict::Unknown, text);
        }
    }

    /// The program does not do what it should: all that was met is told, as it may be why.
    pub(super) fn tell_met(&mut self) {
        // Each at the time at which it was met: what went wrong after that may come from it.
        for met in &self.met.list {
            let text = format!("the program read {met}, which this model does not have");
            let at = u64::try_from(met.at.as_nanos()).unwrap_or(u64::MAX);
            self.diagnostics.note(at, Verdict::Unknown, text);
        }
    }
}
