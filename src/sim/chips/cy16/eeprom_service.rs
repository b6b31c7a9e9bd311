//! INT 64 and INT 65: the ROM's byte access to the EEPROM [BM 1.7.10], with its time on the wire.

use super::board::Board;
use super::registers::{DIRECTION, GPIO30, GPIO31, OUTPUT};

/// How a service reaches its EEPROM; RAM in the chip, so a reset restores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parameters {
    /// Direction register.
    pub(super) enable: u16,
    /// Output register.
    pub(super) port: u16,
    /// Pin masks.
    pub(super) sda: u16,
    pub(super) scl: u16,
    /// Control byte.
    pub(super) control: u8,
    /// Address bits: up to 11 take one address byte and block bits, more take two.
    pub(super) bits: u8,
}

impl Parameters {
    /// The defaults of INT 64 and of INT 65: the same two pins, swapped.
    pub(super) const fn of(interrupt: u8) -> Self {
        let (sda, scl, bits) =
            if interrupt == 64 { (GPIO30, GPIO31, 11) } else { (GPIO31, GPIO30, 14) };
        Self { enable: DIRECTION, port: OUTPUT, sda, scl, control: 0xA0, bits }
    }

    pub(super) fn from_bytes(bytes: [u8; 10]) -> Self {
        let [e0, e1, p0, p1, d0, d1, c0, c1, control, bits] = bytes;
        Self {
            enable: u16::from_le_bytes([e0, e1]),
            port: u16::from_le_bytes([p0, p1]),
            sda: u16::from_le_bytes([d0, d1]),
            scl: u16::from_le_bytes([c0, c1]),
            control,
            bits,
        }
    }

    pub(super) fn to_bytes(self) -> [u8; 10] {
        let [e0, e1] = self.enable.to_le_bytes();
        let [p0, p1] = self.port.to_le_bytes();
        let [d0, d1] = self.sda.to_le_bytes();
        let [c0, c1] = self.scl.to_le_bytes();
        [e0, e1, p0, p1, d0, d1, c0, c1, self.control, self.bits]
    }
}

impl Board {
    /// One byte from the EEPROM; `None` when nothing acknowledged.
    pub(super) fn eeprom_read(&mut self, by: Parameters, address: u16) -> Option<u8> {
        if !self.select(by, address) {
            self.finish();
            return None;
        }
        self.pass_bits(11);
        let now = self.now;
        let part = self.eeprom.as_mut()?;
        part.start();
        let byte = if part.take(by.control_for(address) | 1, now) {
            let byte = part.give();
            part.refuse();
            Some(byte)
        } else {
            None
        };
        self.pass_bits(9);
        self.finish();
        byte
    }

    /// One byte to the EEPROM, and the wait for its write cycle. What a nonzero R0 means is
    /// unknown; the model's choice is 1 for no acknowledge and 2 for a cycle that does not end.
    pub(super) fn eeprom_write(&mut self, by: Parameters, address: u16, byte: u8) -> u16 {
        let taken = self.select(by, address) && {
            self.pass_bits(9);
            let now = self.now;
            self.eeprom.as_mut().is_some_and(|part| part.take(byte, now))
        };
        self.finish();
        if !taken {
            return 1;
        }
        if self.poll() { 0 } else { 2 }
    }

    /// START, control byte and address.
    fn select(&mut self, by: Parameters, address: u16) -> bool {
        self.poll();
        self.pass_bits(10);
        // The same pins the other way round: SCL never clocks, nothing acknowledges.
        let wired =
            self.pins() == Some((by.scl, by.sda)) && (by.port, by.enable) == (OUTPUT, DIRECTION);
        let now = self.now;
        let Some(part) = self.eeprom.as_mut().filter(|_| wired) else { return false };
        part.start();
        let [low, high] = address.to_le_bytes();
        let (address_bytes, ack) = (if by.bits > 11 { 2 } else { 1 }, by.control_for(address));
        let acknowledged = part.take(ack, now)
            && (address_bytes == 1 || part.take(high, now))
            && part.take(low, now);
        self.pass_bits(9 * address_bytes);
        acknowledged
    }

    fn finish(&mut self) {
        self.pass_bits(1);
        let now = self.now;
        if let Some(part) = &mut self.eeprom {
            part.stop(now);
        }
    }

    /// ACK polling, bounded: whether the part is ready.
    fn poll(&mut self) -> bool {
        let limit = self.now + u64::from(self.unknowns.poll_limit_ms) * 1_000_000;
        let Some(part) = &self.eeprom else { return true };
        let ready = part.ready_at();
        self.now = self.now.max(ready.min(limit));
        ready <= limit
    }

    fn pass_bits(&mut self, bits: u64) {
        self.now += bits * 1_000_000_000 / u64::from(self.unknowns.i2c_hz.max(1));
    }
}

impl Parameters {
    fn control_for(self, address: u16) -> u8 {
        let block = if self.bits > 11 { 0 } else { (address >> 8) as u8 & 7 };
        self.control & 0xFE | block << 1
    }
}
