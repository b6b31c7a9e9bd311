//! Timers 0, 1 and 2, counting machine cycles. Their pins are not wired: counters of external
//! events stand still, and gates are open.
//!
//! Source: \[TRM\] chapter 14. A timer counts every cycle when its bit of CKCON is set, every third
//! (clock / 12) otherwise.

use super::serial::Passed;

/// The registers of the three timers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Timers {
    /// TF1 TR1 TF0 TR0 IE1 IT1 IE0 IT0.
    pub(super) tcon: u8,
    tmod: u8,
    low: [u8; 2],
    high: [u8; 2],
    /// TF2 EXF2 RCLK TCLK EXEN2 TR2 CT2 CPRL2.
    pub(super) t2con: u8,
    reload: u16,
    count: u16,
    /// Cycles towards the next count of each timer that counts every third.
    phase: [u32; 3],
}

impl Timers {
    pub(super) fn read(&self, address: u8) -> u8 {
        match address {
            0x88 => self.tcon,
            0x89 => self.tmod,
            0x8A => self.low[0],
            0x8B => self.low[1],
            0x8C => self.high[0],
            0x8D => self.high[1],
            0xC8 => self.t2con,
            0xCA => self.reload as u8,
            0xCB => (self.reload >> 8) as u8,
            0xCC => self.count as u8,
            _ => (self.count >> 8) as u8,
        }
    }

    pub(super) fn write(&mut self, address: u8, value: u8) {
        match address {
            0x88 => self.tcon = value,
            0x89 => self.tmod = value,
            0x8A => self.low[0] = value,
            0x8B => self.low[1] = value,
            0x8C => self.high[0] = value,
            0x8D => self.high[1] = value,
            0xC8 => self.t2con = value,
            0xCA => self.reload = self.reload & 0xFF00 | u16::from(value),
            0xCB => self.reload = self.reload & 0x00FF | u16::from(value) << 8,
            0xCC => self.count = self.count & 0xFF00 | u16::from(value),
            _ => self.count = self.count & 0x00FF | u16::from(value) << 8,
        }
    }

    /// The bits of TCON that pins decide: IE1 and IE0, and the overflow of a timer that counts
    /// events or is gated.
    pub(super) const fn bits_by_pins(&self) -> u8 {
        let overflow_0 = if self.tmod & 0x0C != 0 { 0x20 } else { 0 };
        let overflow_1 = if self.tmod & 0xC0 != 0 { 0x80 } else { 0 };
        0x0A | overflow_0 | overflow_1
    }

    #[inline]
    pub(super) fn pass(&mut self, cycles: u32, ckcon: u8) -> Passed {
        let mut passed = Passed { cycles, timer_1: false, timer_2: false };
        if self.tcon & 0x50 != 0 || self.tmod & 3 == 3 {
            passed.timer_1 = self.pass_0_and_1(cycles, ckcon);
        }
        // TR2 without CT2.
        if self.t2con & 0x06 == 0x04 {
            // As a baud rate generator it counts every other clock (inferred).
            let ticks = if self.clocks_serial() {
                cycles * 2
            } else {
                Self::ticks(&mut self.phase[2], cycles, ckcon & 0x20 != 0)
            };
            passed.timer_2 = self.count_2(ticks);
        }
        passed
    }

    /// RCLK or TCLK: timer 2 reloads itself and sets no flag.
    const fn clocks_serial(&self) -> bool {
        self.t2con & 0x30 != 0
    }

    fn ticks(phase: &mut u32, cycles: u32, every: bool) -> u32 {
        if every {
            return cycles;
        }
        *phase += cycles;
        let ticks = *phase / 3;
        *phase %= 3;
        ticks
    }

    /// Whether timer 1 went over.
    fn pass_0_and_1(&mut self, cycles: u32, ckcon: u8) -> bool {
        let (tmod, tcon) = (self.tmod, self.tcon);
        let split = tmod & 3 == 3;
        let ticks = [
            Self::ticks(&mut self.phase[0], cycles, ckcon & 0x08 != 0),
            Self::ticks(&mut self.phase[1], cycles, ckcon & 0x10 != 0),
        ];
        if split {
            // Mode 3: TL0 counts with timer 0's controls, TH0 with timer 1's run bit and flag.
            if tcon & 0x10 != 0 && tmod & 0x04 == 0 && overflows(&mut self.low[0], ticks[0]) {
                self.tcon |= 0x20;
            }
            if tcon & 0x40 != 0 && overflows(&mut self.high[0], ticks[0]) {
                self.tcon |= 0x80;
            }
        } else if tcon & 0x10 != 0 && tmod & 0x04 == 0 {
            let over = count(&mut self.low[0], &mut self.high[0], tmod & 3, ticks[0]);
            self.tcon |= u8::from(over) << 5;
        }
        let runs = split || tcon & 0x40 != 0;
        if runs && tmod & 0x40 == 0 && tmod >> 4 & 3 != 3 {
            let over = count(&mut self.low[1], &mut self.high[1], tmod >> 4 & 3, ticks[1]);
            if !split {
                self.tcon |= u8::from(over) << 7;
            }
            return over;
        }
        false
    }

    fn count_2(&mut self, ticks: u32) -> bool {
        // Capture mode needs a pin; it just counts here.
        let sum = u32::from(self.count) + ticks;
        self.count = sum as u16;
        let over = sum > 0xFFFF;
        if over {
            if !self.clocks_serial() {
                self.t2con |= 0x80;
            }
            if self.t2con & 0x01 == 0 || self.clocks_serial() {
                self.count = self.reload.wrapping_add(sum as u16);
            }
        }
        over
    }
}

/// Adds `ticks` to an eight-bit counter; whether it went over.
fn overflows(counter: &mut u8, ticks: u32) -> bool {
    let sum = u32::from(*counter) + ticks;
    *counter = sum as u8;
    sum > 0xFF
}

/// One timer in mode 0 (13 bits), 1 (16 bits) or 2 (8 bits, reloaded); whether it went over. No
/// instruction takes so long that a timer could go over twice, unless it is reloaded with nearly
/// FF: then one is lost.
fn count(low: &mut u8, high: &mut u8, mode: u8, ticks: u32) -> bool {
    match mode {
        0 => {
            let sum = (u32::from(*high) << 5 | u32::from(*low & 0x1F)) + ticks;
            (*low, *high) = ((sum & 0x1F) as u8, (sum >> 5) as u8);
            sum > 0x1FFF
        }
        1 => {
            let sum = (u32::from(*high) << 8 | u32::from(*low)) + ticks;
            (*low, *high) = (sum as u8, (sum >> 8) as u8);
            sum > 0xFFFF
        }
        _ => {
            let over = overflows(low, ticks);
            if over {
                *low = low.wrapping_add(*high);
            }
            over
        }
    }
}
