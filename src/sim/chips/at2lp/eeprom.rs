//! The chip as master of the I2C bus: reads in one go, writes page by page with acknowledge
//! polling. The host is told when the last page is in.
//!
//! Bus clock and page are inferred: 100 kHz, and 8 bytes, which every 24C02 takes.

use super::At2lp;

/// A byte with its acknowledge at 100 kHz.
const I2C_BYTE_NS: u64 = 90_000;
/// START and STOP.
const I2C_FRAME_NS: u64 = 20_000;
/// Bytes of one page write.
const PAGE: usize = 8;
/// How long a part may be busy before the chip gives up.
const BUSY_LIMIT_NS: u64 = 100_000_000;

/// A write that is under way.
#[derive(Clone, Debug)]
pub(super) struct Writing {
    bytes: Vec<u8>,
    start: usize,
    done: usize,
    /// When the page that is on the bus now will be over.
    page_over: Option<u64>,
    waiting_since: Option<u64>,
    pub(super) failed: bool,
}

impl Writing {
    pub(super) fn of(bytes: Vec<u8>, start: usize) -> Self {
        Self { bytes, start, done: 0, page_over: None, waiting_since: None, failed: false }
    }

    pub(super) fn is_over(&self) -> bool {
        self.failed || self.done >= self.bytes.len()
    }

    /// Bytes that went to the part.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// The next stretch within one page.
    fn page(&self) -> &[u8] {
        let rest = self.bytes.get(self.done..).unwrap_or_default();
        let room = PAGE - (self.start + self.done) % PAGE;
        rest.get(..room).unwrap_or(rest)
    }
}

impl At2lp {
    /// Reads the part; `None` when it does not acknowledge. Takes the bus's time.
    pub(super) fn read_eeprom(&mut self, address: usize, length: usize) -> Option<Vec<u8>> {
        let polling = self.eeprom.as_ref().map_or(self.now, |part| part.ready_at());
        self.now = self.now.max(polling.min(self.now + BUSY_LIMIT_NS));
        self.now += I2C_FRAME_NS + I2C_BYTE_NS * (3 + length as u64);
        let now = self.now;
        let part = self.eeprom.as_mut()?;
        part.start();
        let high = (address >> 8 & 7) as u8;
        let acknowledged = part.take(0xa0 | high << 1, now) && part.take(address as u8, now);
        if !acknowledged {
            part.stop(now);
            return None;
        }
        part.start();
        part.take(0xa1 | high << 1, now);
        let bytes = (0..length).map(|_| part.give()).collect();
        part.refuse();
        part.stop(now);
        Some(bytes)
    }

    /// Goes on with the write that is under way, at most until `until`.
    pub(super) fn go_on_writing(&mut self, until: u64) {
        while let Some(mut writing) = self.writing.take() {
            let over = writing.is_over();
            let moved = !over && self.write_on(&mut writing, until);
            self.writing = Some(writing);
            if over || !moved {
                return;
            }
        }
    }

    /// One thing: waiting for the part, or one page. False when `until` came first.
    fn write_on(&mut self, writing: &mut Writing, until: u64) -> bool {
        let Some(part) = &mut self.eeprom else {
            writing.failed = true;
            return true;
        };
        let Some(over) = writing.page_over else {
            let since = *writing.waiting_since.get_or_insert(self.now);
            let ready = part.ready_at().max(self.now);
            if ready.saturating_sub(since) > BUSY_LIMIT_NS {
                writing.failed = true;
                return true;
            }
            if ready > until {
                return false;
            }
            self.now = ready;
            let bytes = 2 + writing.page().len() as u64;
            writing.page_over = Some(ready + I2C_FRAME_NS + I2C_BYTE_NS * bytes);
            return true;
        };
        if over > until {
            return false;
        }
        self.now = self.now.max(over);
        let page = writing.page().to_vec();
        let address = writing.start + writing.done;
        part.start();
        let control = 0xa0 | ((address >> 8 & 7) as u8) << 1;
        // The part is addressed at the start of its page, not at its end.
        let acknowledged = part.take(control, over)
            && part.take(address as u8, over)
            && page.iter().all(|byte| part.take(*byte, over));
        part.stop(over);
        writing.failed = !acknowledged;
        if acknowledged {
            writing.done += page.len();
        }
        writing.page_over = None;
        writing.waiting_since = None;
        true
    }

    /// Runs the write to its end, or to `deadline`; true when it is over and in the part.
    pub(super) fn finish_writing(&mut self, deadline: u64) -> bool {
        self.go_on_writing(deadline);
        let settled = match &self.writing {
            Some(writing) if !writing.is_over() => return false,
            _ => self.eeprom.as_ref().map_or(self.now, |part| part.ready_at()),
        };
        if settled > deadline {
            return false;
        }
        self.now = self.now.max(settled);
        true
    }
}
