//! The I2C master: START, STOP, LASTRD and DONE as a program sees them, the EEPROM behind.
//!
//! Source: \[TRM2\] chapter 13, documented. A byte takes nine clocks. What a program does while a
//! STOP is still on its way is lost, as the manual warns. A bus without pull-ups is not modelled.

use crate::sim::parts::Eeprom;

const START: u8 = 0x80;
const STOP: u8 = 0x40;
const LAST_READ: u8 = 0x20;
const ACKNOWLEDGED: u8 = 0x02;
const DONE: u8 = 0x01;

/// The master between two bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Master {
    start: bool,
    last_read: bool,
    acknowledged: bool,
    done: bool,
    data: u8,
    reading: bool,
    /// When the byte on the wires is through.
    busy_until: Option<u64>,
    stop_until: Option<u64>,
    /// Nanoseconds of a clock.
    pub(super) clock_ns: u64,
    /// ID1:0, what the boot ROM found.
    pub(super) found: u8,
}

impl Master {
    /// When something changes by itself.
    #[inline]
    pub(super) fn next(&self) -> Option<u64> {
        match (self.busy_until, self.stop_until) {
            (Some(busy), Some(stop)) => Some(busy.min(stop)),
            (busy, stop) => busy.or(stop),
        }
    }

    /// Lives until `now`; true when a byte is through.
    pub(super) fn advance_to(&mut self, now: u64) -> bool {
        if self.stop_until.is_some_and(|at| now >= at) {
            self.stop_until = None;
        }
        if self.busy_until.is_some_and(|at| now >= at) {
            self.busy_until = None;
            self.done = true;
            return true;
        }
        false
    }

    pub(super) fn control(&self) -> u8 {
        let bit = |set: bool, mask: u8| if set { mask } else { 0 };
        bit(self.start, START)
            | bit(self.stop_until.is_some(), STOP)
            | bit(self.last_read, LAST_READ)
            | self.found << 3
            | bit(self.acknowledged, ACKNOWLEDGED)
            | bit(self.done, DONE)
    }

    pub(super) fn set_control(&mut self, value: u8, part: Option<&mut Eeprom>, now: u64) {
        if self.stop_until.is_some() {
            return;
        }
        if value & LAST_READ != 0 {
            self.last_read = true;
        }
        if value & START != 0 {
            self.start = true;
            self.done = false;
        }
        if value & STOP != 0 {
            let at = self.busy_until.unwrap_or(now) + self.clock_ns;
            self.stop_until = Some(at);
            (self.reading, self.last_read, self.start) = (false, false, false);
            if let Some(part) = part {
                part.stop(at);
            }
        }
    }

    pub(super) fn send(&mut self, byte: u8, part: Option<&mut Eeprom>, now: u64) {
        if self.stop_until.is_some() || self.busy_until.is_some() {
            return;
        }
        let through = now + 9 * self.clock_ns;
        let starts = std::mem::take(&mut self.start);
        self.acknowledged = part.is_some_and(|part| {
            if starts {
                part.start();
            }
            part.take(byte, through)
        });
        if starts {
            self.reading = byte & 1 == 1;
        }
        self.done = false;
        self.busy_until = Some(through);
    }

    /// A read of I2DAT: the last byte, and the clocks of the next one.
    pub(super) fn receive(&mut self, part: Option<&mut Eeprom>, now: u64) -> u8 {
        let byte = self.data;
        self.done = false;
        if self.reading && self.stop_until.is_none() && self.busy_until.is_none() {
            self.data = 0xFF;
            if let Some(part) = part {
                self.data = part.give();
                if self.last_read {
                    part.refuse();
                }
            }
            self.busy_until = Some(now + 9 * self.clock_ns);
        }
        byte
    }
}
