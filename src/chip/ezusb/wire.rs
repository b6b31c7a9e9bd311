//! The vendor requests of this family as bytes: A0, which the silicon answers, and those of our
//! loader (recovery-images/loaders/ezusb/main.c).
//!
//! A0 reads and writes RAM and CPUCS at wValue, whatever the 8051 does [FX2 TRM 3.8; AN21 TRM
//! 5.3]. Pure; `ram` and `memory` send these.

use std::fmt;
use std::time::Duration;

use super::model::Registers;
use crate::usb::Transfer;

/// bRequest "firmware load".
pub const FIRMWARE_LOAD: u8 = 0xa0;
/// The most bytes of one request; the limit of Linux usbfs.
pub const MAX_BYTES: usize = 4096;
/// The loader version these requests belong to.
pub const LOADER_VERSION: u8 = 1;

/// The write cycles of a slow part, and the loader's own limit to each.
const CYCLE_LIMIT: Duration = Duration::from_millis(70);
/// For everything of a transfer that is not write cycles.
const MARGIN: Duration = Duration::from_secs(2);

const HELLO: u8 = 0xb8;
const PROBE: u8 = 0xb9;
const STATUS: u8 = 0xba;
const SET: u8 = 0xbb;
const EEPROM: u8 = 0xbc;
/// With one address byte, whatever was probed; address bits from 8 on are in the I2C address.
const EEPROM_SMALL: u8 = 0xa2;

/// Length of every fixed answer of the loader, bytes.
pub const ANSWER: u16 = 8;

/// Asks for `length` bytes of RAM from `address` on.
pub fn read_ram(address: u16, length: u16) -> Transfer {
    Transfer::vendor_in(FIRMWARE_LOAD, address, 0, length)
}

/// Puts `data`, at most [`MAX_BYTES`], into RAM from `address` on.
pub fn write_ram(address: u16, data: Vec<u8>) -> Transfer {
    Transfer::vendor_out(FIRMWARE_LOAD, address, 0, data)
}

/// Holds the 8051 in reset.
pub fn halt(registers: Registers) -> Transfer {
    write_ram(registers.cpucs(), vec![1])
}

/// Lets the 8051 run from address 0.
pub fn run(registers: Registers) -> Transfer {
    write_ram(registers.cpucs(), vec![0])
}

/// Asks the loader who it is.
pub fn hello() -> Transfer {
    Transfer::vendor_in(HELLO, 0, 0, ANSWER)
}

/// Whether `answer` is our loader's, built for `registers`.
pub fn is_loader(answer: &[u8], registers: Registers) -> bool {
    let map = match registers {
        Registers::E6 => 0xe6,
        Registers::Map7F => 0x7f,
    };
    answer.len() == usize::from(ANSWER) && answer.starts_with(&[b'r', b'c', LOADER_VERSION, map])
}

/// Asks which EEPROM there is.
pub fn probe() -> Transfer {
    Transfer::vendor_in(PROBE, 0, 0, ANSWER).within(MARGIN)
}

/// Which EEPROM there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probed {
    /// Bit n: I2C address 50 + n acknowledges.
    pub acknowledged: u8,
    /// Address bytes, 1 or 2; 0 when neither 50 nor 51 answers.
    pub address_bytes: u8,
    /// Why the bus could not be used.
    pub reason: Reason,
}

/// Reads the answer to [`probe`].
pub fn decode_probe(answer: &[u8]) -> Option<Probed> {
    let [acknowledged, address_bytes @ 0..=2, _, _, _, reason, _, _] = *answer else {
        return None;
    };
    Some(Probed { acknowledged, address_bytes, reason: Reason::of(reason) })
}

/// Asks how the last EEPROM request ended.
pub fn status() -> Transfer {
    Transfer::vendor_in(STATUS, 0, 0, ANSWER)
}

/// How an EEPROM request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// What went wrong, if anything.
    pub reason: Reason,
    /// The EEPROM address it happened at.
    pub address: u16,
    /// Write cycles begun since the loader started, modulo 2^16.
    pub cycles: u16,
}

/// Reads the answer to [`status`].
pub fn decode_status(answer: &[u8]) -> Option<Status> {
    let [reason, high, low, _, cycles_high, cycles_low, _, _] = *answer else { return None };
    Some(Status {
        reason: Reason::of(reason),
        address: u16::from_be_bytes([high, low]),
        cycles: u16::from_be_bytes([cycles_high, cycles_low]),
    })
}

/// Why an EEPROM request failed, in the loader's numbers (`enum reason` in its loader.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It did not.
    None,
    /// No acknowledge to the control byte.
    NoPart,
    /// No acknowledge to an address byte.
    AddressRefused,
    /// No acknowledge to a data byte.
    DataRefused,
    /// SDA or SCL held low, or no pull-ups.
    BusError,
    /// The chip's I2C master did not finish a byte.
    NoDone,
    /// No acknowledge within the longest write cycle that is waited for.
    StillBusy,
    /// Two address bytes asked of a part that takes one.
    Width,
    /// The host began another request.
    Abandoned,
    /// A number this version does not know.
    Unknown(u8),
}

impl Reason {
    fn of(number: u8) -> Self {
        match number {
            0 => Self::None,
            1 => Self::NoPart,
            2 => Self::AddressRefused,
            3 => Self::DataRefused,
            4 => Self::BusError,
            5 => Self::NoDone,
            6 => Self::StillBusy,
            7 => Self::Width,
            8 => Self::Abandoned,
            other => Self::Unknown(other),
        }
    }
}

impl fmt::Display for Reason {
    /// What it means, to follow "the loader".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "gave no reason",
            Self::NoPart => "got no acknowledge to the control byte",
            Self::AddressRefused => "got no acknowledge to an address byte",
            Self::DataRefused => "got no acknowledge to a data byte",
            Self::BusError => {
                "cannot use the I2C bus: SDA or SCL is held low, or has no pull-up resistor"
            }
            Self::NoDone => "gave up because the chip's I2C master did not finish a byte",
            Self::StillBusy => "got no acknowledge within the longest write cycle",
            Self::Width => "refused two address bytes for a part that takes one",
            Self::Abandoned => "was interrupted by another request",
            Self::Unknown(number) => return write!(f, "gave the unknown reason {number}"),
        })
    }
}

/// Sets the page, 1 to 128 bytes and a power of two, and the bus clock.
pub fn set(page: u32, is_fast: bool) -> Transfer {
    let log2 = u16::try_from(page.max(1).ilog2().min(7)).unwrap_or(0);
    Transfer::vendor_out(SET, log2, u16::from(is_fast), Vec::new())
}

/// Reads the EEPROM.
pub fn read_eeprom(address: u16, length: u16) -> Transfer {
    // The slowest bus needs 100 us a byte.
    let bits = Duration::from_micros(200).saturating_mul(u32::from(length));
    Transfer::vendor_in(EEPROM, address, 0, length).within(MARGIN.saturating_add(bits))
}

/// Writes the EEPROM in `cycles` write cycles; answered when the last of them is over. The wait
/// outlasts the loader's own limits, so that a failure is answered and not guessed.
pub fn write_eeprom(address: u16, data: Vec<u8>, cycles: u32) -> Transfer {
    let limit = CYCLE_LIMIT.saturating_mul(cycles).saturating_add(MARGIN);
    Transfer::vendor_out(EEPROM, address, 0, data).within(limit)
}

/// Writes the EEPROM with one address byte, in one write cycle.
pub fn write_small(address: u16, data: Vec<u8>) -> Transfer {
    Transfer::vendor_out(EEPROM_SMALL, address, 0, data).within(CYCLE_LIMIT.saturating_add(MARGIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(transfer: &Transfer) -> String {
        match transfer {
            Transfer::ControlOut { data, .. } => format!("{transfer} {}", hex::encode(data)),
            _ => transfer.to_string(),
        }
    }

    #[test]
    fn firmware_load_comes_out_as_documented() {
        // [AN21 TRM tables 5-3, 5-4]: 40 or C0, A0, the address in wValue.
        let sent = [
            (halt(Registers::E6), "control out 40 a0 wValue e600 wIndex 0000 wLength 1 01"),
            (run(Registers::Map7F), "control out 40 a0 wValue 7f92 wIndex 0000 wLength 1 00"),
            (
                write_ram(0x1f0, vec![2, 1]),
                "control out 40 a0 wValue 01f0 wIndex 0000 wLength 2 0201",
            ),
            (read_ram(0, 4096), "control in c0 a0 wValue 0000 wIndex 0000 wLength 4096"),
        ];
        for (transfer, expected) in sent {
            assert_eq!(line(&transfer), expected);
        }
    }

    #[test]
    fn a_page_is_told_as_its_exponent() {
        for (page, value) in [(1, "0000"), (8, "0003"), (64, "0006"), (128, "0007")] {
            let expected = format!("control out 40 bb wValue {value} wIndex 0001 wLength 0 ");
            assert_eq!(line(&set(page, true)), expected);
        }
    }

    #[test]
    fn a_loader_of_another_version_or_map_is_not_ours() {
        assert!(is_loader(b"rc\x01\xe6\x10\x01\0\0", Registers::E6));
        assert!(!is_loader(b"rc\x02\xe6\x10\x01\0\0", Registers::E6));
        assert!(!is_loader(b"rc\x01\x7f\x10\x01\0\0", Registers::E6));
        assert!(!is_loader(b"rc\x01\xe6", Registers::E6));
    }

    #[test]
    fn the_host_waits_longer_than_the_loader() {
        let write = write_eeprom(0, vec![0; 4096], 64);
        assert!(write.timeout() > Duration::from_millis(64 * 60));
    }

    #[test]
    fn a_short_answer_is_no_answer() {
        assert_eq!(decode_probe(&[3, 1, 0]), None);
        assert_eq!(decode_probe(&[3, 9, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(decode_status(&[]), None);
        let status = decode_status(&[6, 0x12, 0x34, 64, 1, 2, 0, 0]).unwrap();
        assert_eq!(
            (status.reason, status.address, status.cycles),
            (Reason::StillBusy, 0x1234, 0x102)
        );
    }
}
