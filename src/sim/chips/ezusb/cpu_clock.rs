//! The clock of the CPU: how long a machine cycle takes, and how many a bit at 230400 baud.

use super::board::Board;
use crate::sim::cores::mcs51::FastSerial;

/// UART230.
const FAST_SERIAL: u16 = 0xE608;
/// A bit at 230400 baud, in thirds of a nanosecond.
const FAST_BIT_THIRDS: u32 = 13_021;

impl Board {
    /// A machine cycle of four clocks at 12, 24 or 48 MHz, in thirds of a nanosecond. An AN2131 has
    /// 24 MHz only, an FX is taken to be left there.
    #[inline]
    fn cycle_thirds(&self) -> u32 {
        match (self.silicon.is_fx2(), self.cpucs >> 3 & 3) {
            (true, 0) => 1000,
            (false, _) | (true, 1) => 500,
            (true, _) => 250,
        }
    }

    /// Machine cycles pass.
    #[inline]
    pub(super) fn pass(&mut self, cycles: u32) {
        self.thirds += u64::from(cycles) * u64::from(self.cycle_thirds());
        self.now += self.thirds / 3;
        self.thirds %= 3;
    }

    /// UART230 or the clock of the CPU was written: a bit takes another number of cycles.
    pub(super) fn clock_serial(&mut self) {
        if self.silicon.is_fx2() {
            let bit_cycles = (FAST_BIT_THIRDS + self.cycle_thirds() / 2) / self.cycle_thirds();
            self.fast_serial = Some(FastSerial { ports: self.get(FAST_SERIAL), bit_cycles });
            self.changed = true;
        }
    }
}
