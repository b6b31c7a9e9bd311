//! What `ez-eeprom` is told and what it answers: the parameter block at the head of its source,
//! the two wirings of the EEPROM, and the clock of the bus.

use super::{LoaderFailure, bytes_of, ended, words};
use crate::chip::memory::AddressWidth;

/// STATUS when it failed, with the kind in the low byte.
const FAILED: u16 = 0xEE00;

/// Which GPIO pins the EEPROM is on, as masks in C024, C026 and C028 [BM 1.7.10].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wiring {
    /// Mask of SDA.
    pub sda: u16,
    /// Mask of SCL.
    pub scl: u16,
}

impl Wiring {
    /// Parts up to 2 KB, INT 64: SDA on GPIO30, SCL on GPIO31.
    pub const INT_64: Self = Self { sda: 0x4000, scl: 0x8000 };
    /// Parts from 4 KB, INT 65: SDA on GPIO31, SCL on GPIO30.
    pub const INT_65: Self = Self { sda: 0x8000, scl: 0x4000 };
}

/// Lengths of SCL's two levels, in passes of the loader's delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusClock {
    /// Passes while SCL is low, 1 or more.
    pub low: u16,
    /// Passes while SCL is high, 1 or more.
    pub high: u16,
    /// About what that comes to, hertz: measured on the simulated CPU (inferred).
    pub hz: u32,
}

impl BusClock {
    /// Keeps the limits for 400 kHz: low 1300 ns, high 600 ns at the least.
    pub const FAST: Self = Self { low: 8, high: 4, hz: 358_000 };
    /// Keeps the limits for 100 kHz: low 4700 ns, high 4000 ns at the least.
    pub const STANDARD: Self = Self { low: 33, high: 29, hz: 99_000 };

    /// One pass of `dec` and a taken `jnz` at 48 MHz, nanoseconds [TA, documented].
    const PASS_NS: u32 = 148;
    /// One clock; no instruction word takes less.
    const CLOCK_NS: u32 = 20;

    /// The shortest time SCL is low, nanoseconds, by what the source of the loader derives.
    pub const fn min_low_ns(self) -> u32 {
        (self.low as u32).saturating_mul(Self::PASS_NS).saturating_add(7 * Self::CLOCK_NS)
    }

    /// The shortest time SCL is high, nanoseconds.
    pub const fn min_high_ns(self) -> u32 {
        let passes = (self.high as u32).saturating_sub(1);
        passes.saturating_mul(Self::PASS_NS).saturating_add(8 * Self::CLOCK_NS)
    }

    /// How many tries take `milliseconds` at the least: one sends nine bits and a START and a
    /// STOP with three delays each.
    pub fn tries(self, milliseconds: u32) -> u16 {
        let bit = self.min_low_ns().saturating_add(self.min_high_ns());
        let edge = u32::from(self.low).saturating_sub(1).saturating_mul(Self::PASS_NS);
        let one = bit.saturating_mul(9).saturating_add(edge.saturating_mul(6)).max(1);
        let tries = u64::from(milliseconds).saturating_mul(1_000_000).div_ceil(one.into()).max(1);
        u16::try_from(tries).unwrap_or(u16::MAX)
    }
}

/// What `ez-eeprom` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Waits until the part acknowledges; with one try: asks whether it does.
    Wait,
    /// Reads into the buffer.
    Read,
    /// Writes the buffer page by page, then reads back and compares.
    Program,
}

/// What `ez-eeprom` is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EepromRequest {
    /// What to do.
    pub command: Command,
    /// First address.
    pub address: u16,
    /// Bytes; the buffer holds as many.
    pub count: u16,
    /// Address bytes of the part.
    pub width: AddressWidth,
    /// Page of the part, bytes; a power of two. Of no account but for [`Command::Program`].
    pub page: u16,
    /// Its pins.
    pub wiring: Wiring,
    /// Control bytes sent before the part is given up, 1 or more; see [`BusClock::tries`].
    pub tries: u16,
    /// The bus's clock.
    pub clock: BusClock,
}

/// What `ez-eeprom` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EepromReport {
    /// 16-bit sum of the bytes that were read, or read back.
    pub sum: u16,
    /// Pages that were written, in a success or a failure.
    pub cycles: u16,
    /// How it ended.
    pub outcome: Result<(), LoaderFailure>,
}

impl EepromRequest {
    /// The largest buffer the loader is meant for.
    pub const BUFFER_BYTES: u16 = 1024;
    /// Bytes of the answer, from [`super::PARAMETERS`] on.
    pub const ANSWER_BYTES: u16 = 34;
    /// The control byte for writing at address 0.
    const CONTROL: u16 = 0xA0;

    /// The bytes for [`super::PARAMETERS`].
    pub fn encode(self) -> Vec<u8> {
        let command = match self.command {
            Command::Wait => 0,
            Command::Read => 1,
            Command::Program => 2,
        };
        let width = match self.width {
            AddressWidth::One => 1,
            AddressWidth::Two => 2,
        };
        bytes_of(&[
            0,
            command,
            Self::CONTROL,
            self.address,
            self.count,
            width,
            self.page.max(1),
            self.wiring.sda,
            self.wiring.scl,
            self.tries.max(1),
            self.clock.low.max(1),
            self.clock.high.max(1),
        ])
    }

    /// Reads [`Self::ANSWER_BYTES`] from [`super::PARAMETERS`].
    ///
    /// # Errors
    /// [`LoaderFailure`] when it has not ended or the bytes are not its answer; what it found
    /// wrong with the part is the report's outcome.
    pub fn report(answer: &[u8]) -> Result<EepromReport, LoaderFailure> {
        let [status, _, _, _, _, _, _, _, _, _, _, _, sum, cycles, differing, at, got] =
            words(answer)?;
        let outcome = match status ^ FAILED {
            1 => Err(LoaderFailure::BusHeld),
            2 => Err(LoaderFailure::NoPart),
            3 => Err(LoaderFailure::AddressRefused { at }),
            4 => Err(LoaderFailure::DataRefused { at }),
            5 => Err(LoaderFailure::StillBusy { at }),
            6 => {
                let [got, _] = got.to_le_bytes();
                Err(LoaderFailure::Different { at, got, differing })
            }
            7 => Err(LoaderFailure::UnknownCommand),
            _ => {
                ended(status)?;
                Ok(())
            }
        };
        Ok(EepromReport { sum, cycles, outcome })
    }
}
