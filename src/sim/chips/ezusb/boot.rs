//! The boot ROM: which EEPROM is there, whose ids, whose firmware [TRM2 3.4, TRM1 5].
//!
//! Documented: the probe at 50 and then 51, the signatures, header and records. Inferred: that the
//! 8051 is released by the record that writes CPUCS and by nothing else, and that RENUM is set
//! after a load whatever the records held.

use super::EzUsb;
use super::board::HELD;
use crate::sim::diagnostic::Verdict;

/// From power to the first START: oscillator and reset (inferred).
const START_NS: u64 = 10_000_000;
/// More than any EEPROM holds; a stream of records without an end is given up there.
const MAX_BYTES: u32 = 0x1_0000;

impl EzUsb {
    /// Reads the EEPROM; returns the nanoseconds it takes.
    pub(super) fn boot(&mut self) -> u64 {
        let mut bits = 0;
        let found = [(0x50, 1), (0x51, 2)].into_iter().find(|(address, _)| {
            let part = self.board.eeprom.as_mut();
            bits += 10;
            part.is_some_and(|part| {
                part.start();
                let answers = part.take(address << 1 | 1, self.board.now);
                part.stop(self.board.now);
                answers
            })
        });
        let clock_ns = self.board.i2c.clock_ns;
        let Some((address, width)) = found else { return START_NS + bits * clock_ns };
        self.board.i2c.found = width;
        let [ids_only, firmware] = self.board.silicon.signatures;
        let header_bytes = self.board.silicon.header_bytes;
        let header = self.read(address, width, header_bytes);
        let spent = START_NS + bits * clock_ns + 9 * clock_ns * u64::from(header_bytes + 4);
        let [signature, v0, v1, p0, p1, d0, d1, behind @ ..] = header.as_slice() else {
            return spent;
        };
        if ![ids_only, firmware].contains(signature) {
            return spent;
        }
        // AN2131 has no such byte; DISCON and the fast clock are the FX2's, the latter the FX's.
        let options = behind.first().copied().unwrap_or(0);
        // Also those of firmware, shown while it does not renumerate [TRM1 5.5, TRM2 3.4.3].
        self.ids = [[*v0, *v1], [*p0, *p1], [*d0, *d1]].map(u16::from_le_bytes);
        if *signature != ids_only {
            let bytes = self.load_records();
            let clock_ns = if options & 1 != 0 { 2_500 } else { clock_ns };
            let usbcs = self.board.silicon.map.usbcs;
            self.board.put(usbcs, self.board.get(usbcs) | 0x02);
            self.apply_discon(options);
            return spent + 9 * clock_ns * u64::from(bytes);
        }
        self.apply_discon(options);
        spent
    }

    fn apply_discon(&mut self, options: u8) {
        if self.board.silicon.is_fx2() && options & 0x40 != 0 {
            let usbcs = self.board.silicon.map.usbcs;
            self.board.put(usbcs, self.board.get(usbcs) | 0x08);
        }
    }

    /// The first bytes of the EEPROM; the next ones can be had one by one.
    fn read(&mut self, address: u8, width: u8, count: u32) -> Vec<u8> {
        let now = self.board.now;
        let Some(part) = self.board.eeprom.as_mut() else { return Vec::new() };
        part.start();
        part.take(address << 1, now);
        for _ in 0..width {
            part.take(0, now);
        }
        part.start();
        part.take(address << 1 | 1, now);
        (0..count).map(|_| part.give()).collect()
    }

    /// Carries out the records; returns how many bytes were read.
    fn load_records(&mut self) -> u32 {
        let cpucs = self.board.silicon.map.cpucs;
        let mut bytes = 0;
        let mut next = |chip: &mut Self| {
            bytes += 1;
            chip.board.eeprom.as_mut().map_or(0xFF, |part| part.give())
        };
        let mut read = 0;
        loop {
            let length = u16::from_be_bytes([next(self), next(self)]);
            let start = u16::from_be_bytes([next(self), next(self)]);
            let count = length & 0x3FF;
            for offset in 0..count {
                let (address, byte) = (start.wrapping_add(offset), next(self));
                if address == cpucs {
                    self.set_held(byte & HELD != 0);
                } else if self.board.is_ram(address) {
                    self.board.put(address, byte);
                } else {
                    let text = format!(
                        "a record of the EEPROM goes to {start:04x} and on, which is not the chip's RAM"
                    );
                    self.board.note(Verdict::Unknown, text);
                }
            }
            read += 4 + u32::from(count);
            if length & 0x8000 != 0 {
                break;
            }
            if read > MAX_BYTES {
                let text = "the EEPROM's records have no end".to_owned();
                self.board.note(Verdict::Failed, text);
                break;
            }
        }
        if let Some(part) = self.board.eeprom.as_mut() {
            part.refuse();
            part.stop(self.board.now);
        }
        bytes
    }
}
