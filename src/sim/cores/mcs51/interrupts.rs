//! Thirteen interrupts in two levels and one above them.
//!
//! Sources: \[TRM\] chapter 4, table 4-1 (flags, enables, vectors, natural priority). The INT0 and
//! INT1 pins are not wired and the serial ports receive nothing: those flags are set by software
//! only.

use super::Cpu;

/// Cycles from the end of an instruction to the first one of the handler: the LCALL and one of
/// sampling (inferred from the shortest latency, five cycles).
pub(super) const ENTRY_CYCLES: u32 = 5;

/// An interrupt that comes from outside of the core, by the flag it sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// INT2, the USB engine: EXIF.4, vector 43.
    Usb,
    /// INT3, the I2C master: EXIF.5, vector 4B.
    I2c,
    /// INT4, FIFOs and GPIF: EXIF.6, vector 53.
    Int4,
    /// INT5: EXIF.7, vector 5B.
    Int5,
    /// INT6: EICON.3, vector 63.
    Int6,
    /// Wake-up from suspend: EICON.4, vector 33.
    Resume,
}

/// Levels that are being served: bit 0 low, bit 1 high, bit 2 resume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct InService(u8);

impl InService {
    const fn admits(self, level: u8) -> bool {
        self.0 >> level == 0
    }
}

/// A source that is requested and enabled: its vector and its level.
#[derive(Clone, Copy)]
pub(super) struct Source {
    vector: u16,
    level: u8,
}

const RESUME: Source = Source { vector: 0x33, level: 2 };
const INT0: u16 = 0x03;
const TIMER0: u16 = 0x0B;
const INT1: u16 = 0x13;
const TIMER1: u16 = 0x1B;
const TIMER2: u16 = 0x2B;
const SERIAL: [u16; 2] = [0x23, 0x3B];

impl Cpu {
    /// Sets the flag of `interrupt`; the program clears it.
    pub const fn raise(&mut self, interrupt: Interrupt) {
        match interrupt {
            Interrupt::Usb => self.exif |= 0x10,
            Interrupt::I2c => self.exif |= 0x20,
            Interrupt::Int4 => self.exif |= 0x40,
            Interrupt::Int5 => self.exif |= 0x80,
            Interrupt::Int6 => self.eicon |= 0x08,
            Interrupt::Resume => self.eicon |= 0x10,
        }
    }

    /// The interrupt to enter now.
    #[inline]
    pub(super) fn accepted(&self) -> Option<Source> {
        if self.hold || self.ie & 0x80 == 0 && self.eicon & 0x20 == 0 {
            return None;
        }
        self.most_urgent()
    }

    fn most_urgent(&self) -> Option<Source> {
        // EICON.5 enables resume, which EA does not mask.
        if self.eicon & 0x30 == 0x30 && self.in_service.admits(RESUME.level) {
            return Some(RESUME);
        }
        if self.ie & 0x80 == 0 {
            return None;
        }
        let (ie, ip, eie, eip) = (self.ie, self.ip, self.eie, self.eip);
        let tcon = self.timers.tcon;
        // Flag, enable, vector and level in natural order.
        let sources = [
            (tcon >> 1, ie, INT0, ip),
            (tcon >> 5, ie >> 1, TIMER0, ip >> 1),
            (tcon >> 3, ie >> 2, INT1, ip >> 2),
            (tcon >> 7, ie >> 3, TIMER1, ip >> 3),
            (self.serial[0].flags(), ie >> 4, SERIAL[0], ip >> 4),
            (self.timers.t2con >> 7 | self.timers.t2con >> 6, ie >> 5, TIMER2, ip >> 5),
            (self.serial[1].flags(), ie >> 6, SERIAL[1], ip >> 6),
            (self.exif >> 4, eie, 0x43, eip),
            (self.exif >> 5, eie >> 1, 0x4B, eip >> 1),
            (self.exif >> 6, eie >> 2, 0x53, eip >> 2),
            (self.exif >> 7, eie >> 3, 0x5B, eip >> 3),
            (self.eicon >> 3, eie >> 4, 0x63, eip >> 4),
        ];
        let mut low = None;
        for (flag, enable, vector, priority) in sources {
            if flag & enable & 1 == 0 {
                continue;
            }
            if priority & 1 == 1 {
                return self.in_service.admits(1).then_some(Source { vector, level: 1 });
            }
            low = low.or(Some(Source { vector, level: 0 }));
        }
        low.filter(|_| self.in_service.admits(0))
    }

    /// Interrupts that are enabled and that only a pin or a receiver can bring, none of which is
    /// wired.
    pub fn awaited_pins(&self) -> impl Iterator<Item = &'static str> {
        let all = self.ie & 0x80 != 0;
        let wakes = self.eicon & 0x20 != 0;
        [
            (all && self.ie & 0x01 != 0, "INT0"),
            (all && self.ie & 0x04 != 0, "INT1"),
            (all && self.ie & 0x10 != 0, "the receiver of serial port 0"),
            (all && self.ie & 0x40 != 0, "the receiver of serial port 1"),
            (all && self.eie & 0x08 != 0, "INT5"),
            (all && self.eie & 0x10 != 0, "INT6"),
            (wakes, "the wake-up pin"),
        ]
        .into_iter()
        .filter_map(|(is_awaited, pin)| is_awaited.then_some(pin))
    }

    pub(super) fn enter(&mut self, source: Source) {
        self.pcon &= !1;
        self.in_service.0 |= 1 << source.level;
        // The core clears the flags of edges and of timers 0 and 1; all others are the program's.
        match source.vector {
            INT0 if self.timers.tcon & 1 != 0 => self.timers.tcon &= !0x02,
            TIMER0 => self.timers.tcon &= !0x20,
            INT1 if self.timers.tcon & 4 != 0 => self.timers.tcon &= !0x08,
            TIMER1 => self.timers.tcon &= !0x80,
            _ => {}
        }
        self.call(source.vector);
    }

    /// What RETI does beside returning: the level being served ends.
    pub(super) fn leave(&mut self) {
        self.hold = true;
        let served = self.in_service.0;
        self.in_service.0 = match served {
            4.. => served & 3,
            2.. => served & 1,
            _ => 0,
        };
    }
}
