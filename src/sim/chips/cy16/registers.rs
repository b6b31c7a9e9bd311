//! Registers at C000 to C0FF (INC): GPIO with the EEPROM on two of its pins, the watchdog, the
//! pull-ups. The rest keeps what is written to it.
//!
//! Flags and bank (C000, C002) belong to the CPU core and never come here from a program.

use super::board::Board;
use crate::sim::diagnostic::Verdict;

/// Hardware revision; 0101 is first silicon (documented for the EZ chips, assumed for the SL11R).
const REVISION: u16 = 0xC004;
const WATCHDOG: u16 = 0xC00C;
/// GPIO 15:0 input.
const LOW_INPUT: u16 = 0xC020;
/// GPIO 31:16 output, input, direction.
pub(super) const OUTPUT: u16 = 0xC024;
const INPUT: u16 = 0xC026;
pub(super) const DIRECTION: u16 = 0xC028;
const UART_STATUS: u16 = 0xC0E0 + 2;
/// USB control of SIE 1 and 2.
pub(super) const USB_CONTROL: [u16; 2] = [0xC08A, 0xC0AA];

/// GPIO31 and GPIO30 in the upper GPIO registers [BM 1.7.10].
pub(super) const GPIO31: u16 = 0x8000;
pub(super) const GPIO30: u16 = 0x4000;

/// Watchdog periods by bits 4:3, microseconds (INC).
const WATCHDOG_US: [u64; 4] = [1670, 5670, 21_700, 64_400];

/// What the model makes of a register.
enum Kind {
    /// It works, or keeps its value without anything depending on it.
    Modelled,
    /// The chip has it; the model only keeps its value.
    Kept(&'static str),
    /// No source names it.
    Unnamed,
}

fn kind(address: u16) -> Kind {
    match address {
        0xC000..=0xC00E | 0xC014..=0xC01A | 0xC01C..=0xC028 => Kind::Modelled,
        0xC038..=0xC03E | 0xC0E0..=0xC0E4 => Kind::Modelled,
        0xC08A..=0xC090 | 0xC0AA..=0xC0B0 => Kind::Modelled,
        0xC010 | 0xC012 => Kind::Kept("timer"),
        0xC040..=0xC046 => Kind::Kept("EPP"),
        0xC048..=0xC06C => Kind::Kept("IDE"),
        0xC070..=0xC07E => Kind::Kept("HSS"),
        0xC080..=0xC088 | 0xC0A0..=0xC0A8 => Kind::Kept("USB host"),
        0xC092..=0xC098 | 0xC0B2..=0xC0B6 => Kind::Kept("USB frame and OTG"),
        0xC0C4..=0xC0C6 => Kind::Kept("HPI"),
        0xC0C8..=0xC0DE => Kind::Kept("SPI"),
        0xC0E6..=0xC0FA => Kind::Kept("PWM"),
        _ => Kind::Unnamed,
    }
}

impl Board {
    /// The two EEPROM pins by wiring: SCL, SDA. Parts with one address byte are wired for INT 64,
    /// the others for INT 65 [BM 1.7.10].
    pub(super) fn pins(&self) -> Option<(u16, u16)> {
        let part = self.eeprom.as_ref()?.part();
        Some(if part.address_bytes == 1 { (GPIO31, GPIO30) } else { (GPIO30, GPIO31) })
    }

    pub(super) fn read_register(&mut self, address: u16) -> u16 {
        self.check(address);
        self.peek_register(address)
    }

    pub(super) fn peek_register(&self, address: u16) -> u16 {
        match address {
            REVISION => 0x0101,
            INPUT if self.silicon.is_ez => self.pin_levels(),
            LOW_INPUT if self.silicon.is_ez => self.word(0xC01E) | !self.word(0xC022),
            UART_STATUS => 1, // transmitter empty
            _ => self.word(address),
        }
    }

    pub(super) fn write_register(&mut self, address: u16, value: u16) {
        self.check(address);
        if self.halt.is_some() {
            return;
        }
        match address {
            REVISION | INPUT | LOW_INPUT => {}
            // Write 1 to clear.
            0xC090 | 0xC0B0 => self.set_word(address, self.word(address) & !value),
            WATCHDOG => self.write_watchdog(value),
            _ => self.set_word(address, value),
        }
        if matches!(address, OUTPUT | DIRECTION) {
            self.drive_pins();
        }
        if USB_CONTROL.contains(&address) {
            self.pull_ups_changed = true;
        }
    }

    fn check(&mut self, address: u16) {
        if !self.silicon.is_ez {
            // C00E and C006 are written by host programs that work [EZ].
            if !matches!(address, 0xC000..=0xC006 | 0xC00E) {
                self.stop(
                    Verdict::Unknown,
                    format!("register {address:04x} is undocumented on the SL11R"),
                );
            }
            return;
        }
        match kind(address) {
            Kind::Modelled => {}
            Kind::Kept(what) => self.note(
                Verdict::Unknown,
                format!("{what} register {address:04x}, which the model only keeps"),
            ),
            Kind::Unnamed => {
                self.note(Verdict::Unknown, format!("register {address:04x}, which has no name"));
            }
        }
    }

    fn write_watchdog(&mut self, value: u16) {
        if !self.unknowns.has_watchdog {
            self.note(Verdict::Unknown, "the watchdog, which this chip may not have".to_owned());
            return;
        }
        self.set_word(WATCHDOG, value);
        let period = WATCHDOG_US.get(usize::from(value >> 3 & 3)).copied().unwrap_or_default();
        let enabled = value & 2 != 0;
        self.watchdog = enabled.then(|| self.now + period * 1000);
    }

    /// The master's side of a pin: low only when it is driven low.
    fn released(&self, pin: u16) -> bool {
        self.word(DIRECTION) & pin == 0 || self.word(OUTPUT) & pin != 0
    }

    fn drive_pins(&mut self) {
        let Some((scl, sda)) = self.pins() else { return };
        let (scl, sda) = (self.released(scl), self.released(sda));
        if let Some(part) = &mut self.eeprom {
            self.wire.drive(part, scl, sda, self.now);
        }
    }

    /// Inputs are pulled up; GPIO29 is high, which makes SIE1 a device.
    fn pin_levels(&self) -> u16 {
        let mut levels = self.word(OUTPUT) | !self.word(DIRECTION);
        if let Some((_, sda)) = self.pins()
            && !self.wire.sda(self.released(sda))
        {
            levels &= !sda;
        }
        levels
    }
}
