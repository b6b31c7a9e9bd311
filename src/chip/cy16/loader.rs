//! The host's view of the loaders that run from a CY16 chip's RAM: their bytes, where their
//! parameters lie, what their answers mean. No transfers; who places, starts and reads them is
//! the memory behind these chips.
//!
//! The loaders and what each rests on are in recovery-images/loaders/cy16/. Every offset here is
//! held against the assembled sources by tests/loaders.rs.

use crate::chip::AddressWidth;

/// Where every loader's parameters begin, bytes from its start: STATUS first.
pub const PARAMETERS: u16 = 2;

/// STATUS of a loader that has done what it was told.
pub const DONE: u16 = 0xD0CE;
/// STATUS of a loader that has begun.
const RUNNING: u16 = 1;
/// STATUS of `ez-eeprom` that failed, with the kind in its low byte.
const FAILED: u16 = 0xEE00;

/// One loader. Runs at any even address, which it reads from its vector's word.
#[derive(Debug, PartialEq, Eq)]
pub struct Loader {
    /// Name of its source.
    pub name: &'static str,
    /// The software interrupt it is placed and started with unless another is chosen.
    pub vector: u8,
    code: &'static [u8],
    /// Offsets of the words that hold twice the vector.
    vector_words: &'static [u16],
}

/// Reads an EEPROM through INT 64: for the SL11R.
pub const SL11R_READ: Loader = Loader {
    name: "sl11r-read",
    vector: 0x52,
    code: include_bytes!("../../../recovery-images/loaders/cy16/sl11r-read.bin"),
    vector_words: &[0x20],
};

/// Reads and programs an EEPROM on the chip's pins: for EZ-OTG and EZ-Host.
pub const EZ_EEPROM: Loader = Loader {
    name: "ez-eeprom",
    vector: 0x7A,
    code: include_bytes!("../../../recovery-images/loaders/cy16/ez-eeprom.bin"),
    vector_words: &[0x58],
};

/// Leaves the USB and comes back: for EZ-OTG and EZ-Host.
pub const EZ_REENUMERATE: Loader = Loader {
    name: "ez-reenumerate",
    vector: 0x7A,
    code: include_bytes!("../../../recovery-images/loaders/cy16/ez-reenumerate.bin"),
    vector_words: &[0x12, 0x2E, 0x78, 0x8E],
};

impl Loader {
    /// What scan record op 02 carries after the vector: the code for `vector`, then `buffer` zero
    /// bytes. An even number of bytes for an even buffer.
    pub fn image(&self, vector: u8, buffer: u16) -> Vec<u8> {
        let mut bytes = self.code.to_vec();
        let word = u16::from(vector).wrapping_mul(2).to_le_bytes();
        for offset in self.vector_words {
            let at = usize::from(*offset);
            if let Some(place) = bytes.get_mut(at..at.saturating_add(2)) {
                place.copy_from_slice(&word);
            }
        }
        bytes.resize(bytes.len().saturating_add(usize::from(buffer)), 0);
        bytes
    }

    /// Where the buffer begins, bytes from the loader's start: right behind the code.
    pub fn buffer(&self) -> u16 {
        u16::try_from(self.code.len()).unwrap_or(u16::MAX)
    }
}

/// Why a loader has not done what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoaderFailure {
    /// STATUS is still what the host wrote.
    #[error("was not started")]
    NotStarted,
    /// It has begun and not ended.
    #[error("has not ended")]
    Running,
    /// STATUS is none that this loader writes: the RAM holds something else.
    #[error("left {0:#06x} as its status, which it never writes")]
    UnknownStatus(u16),
    /// Too few bytes of the answer were read.
    #[error("answered with {got} bytes, expected {expected}")]
    ShortAnswer {
        /// Bytes at hand.
        got: usize,
        /// Bytes of the answer.
        expected: usize,
    },
    /// SCL or SDA is held low.
    #[error("found an I2C line held low")]
    BusHeld,
    /// No acknowledge of the control byte within the tries.
    #[error("got no acknowledge from the EEPROM within its tries")]
    NoPart,
    /// The address was not acknowledged.
    #[error("got no acknowledge of the address {at:#06x}")]
    AddressRefused {
        /// The address.
        at: u16,
    },
    /// A data byte was not acknowledged; bytes of its page before it may have been written.
    #[error("got no acknowledge of the byte for {at:#06x}")]
    DataRefused {
        /// Its address.
        at: u16,
    },
    /// The part did not come back from the write cycle of a page.
    #[error("found the EEPROM busy for too long after the page write at {at:#06x}")]
    StillBusy {
        /// First address of that page write.
        at: u16,
    },
    /// Bytes read back different from what was written.
    #[error("found {differing} bytes different, first {got:02x} at {at:#06x}")]
    Different {
        /// First address that differs.
        at: u16,
        /// The byte that was read there.
        got: u8,
        /// How many differ.
        differing: u16,
    },
    /// The command is none that it knows.
    #[error("does not know the command it was given")]
    UnknownCommand,
}

/// The word at `index`, counted in words.
fn word(bytes: &[u8], index: usize) -> Option<u16> {
    let at = index.checked_mul(2)?;
    let pair = bytes.get(at..at.checked_add(2)?)?;
    pair.try_into().ok().map(u16::from_le_bytes)
}

fn words<const N: usize>(bytes: &[u8]) -> Result<[u16; N], LoaderFailure> {
    let mut found = [0; N];
    for (index, place) in found.iter_mut().enumerate() {
        *place = word(bytes, index).ok_or(LoaderFailure::ShortAnswer {
            got: bytes.len(),
            expected: N.saturating_mul(2),
        })?;
    }
    Ok(found)
}

fn bytes_of(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The part of STATUS that is the same for every loader.
fn ended(status: u16) -> Result<(), LoaderFailure> {
    match status {
        DONE => Ok(()),
        0 => Err(LoaderFailure::NotStarted),
        RUNNING => Err(LoaderFailure::Running),
        other => Err(LoaderFailure::UnknownStatus(other)),
    }
}

/// What `sl11r-read` is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadRequest {
    /// First address.
    pub address: u16,
    /// Bytes; the buffer holds as many.
    pub count: u16,
}

impl ReadRequest {
    /// Bytes of the answer, from [`PARAMETERS`] on.
    pub const ANSWER_BYTES: u16 = 8;

    /// The bytes for [`PARAMETERS`].
    pub fn encode(self) -> Vec<u8> {
        bytes_of(&[0, self.address, self.count])
    }

    /// The 16-bit sum of the bytes in the buffer, from [`Self::ANSWER_BYTES`] at [`PARAMETERS`].
    ///
    /// # Errors
    /// [`LoaderFailure`] when it has not ended.
    pub fn sum(answer: &[u8]) -> Result<u16, LoaderFailure> {
        let [status, _address, _count, sum] = words(answer)?;
        ended(status)?;
        Ok(sum)
    }
}

/// What `ez-reenumerate` is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReenumerateRequest {
    /// Passes of the BIOS's idle loop before it leaves, so that the request that started it ends.
    pub passes: u16,
    /// Leave with SIE1.
    pub sie1: bool,
    /// Leave with SIE2.
    pub sie2: bool,
    /// Time off the bus, milliseconds.
    pub milliseconds: u16,
}

impl ReenumerateRequest {
    /// The bytes for [`PARAMETERS`]. Zeros, which the loader would count down from 65536, become 1.
    pub fn encode(self) -> Vec<u8> {
        let sies = u16::from(self.sie1) | u16::from(self.sie2) << 1;
        bytes_of(&[0, 0, self.passes.max(1), sies, self.milliseconds.max(1)])
    }
}

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
    pub const fn least_low_ns(self) -> u32 {
        (self.low as u32).saturating_mul(Self::PASS_NS).saturating_add(7 * Self::CLOCK_NS)
    }

    /// The shortest time SCL is high, nanoseconds.
    pub const fn least_high_ns(self) -> u32 {
        let passes = (self.high as u32).saturating_sub(1);
        passes.saturating_mul(Self::PASS_NS).saturating_add(8 * Self::CLOCK_NS)
    }

    /// How many tries take `milliseconds` at the least: one sends nine bits and a START and a
    /// STOP with three delays each.
    pub fn tries(self, milliseconds: u32) -> u16 {
        let bit = self.least_low_ns().saturating_add(self.least_high_ns());
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
    /// Bytes of the answer, from [`PARAMETERS`] on.
    pub const ANSWER_BYTES: u16 = 34;
    /// The control byte for writing at address 0.
    const CONTROL: u16 = 0xA0;

    /// The bytes for [`PARAMETERS`].
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

    /// Reads [`Self::ANSWER_BYTES`] from [`PARAMETERS`].
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

#[cfg(test)]
#[path = "loader_tests.rs"]
mod tests;
