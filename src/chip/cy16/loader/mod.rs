//! The host's view of the loaders that run from a CY16 chip's RAM: their bytes, where their
//! parameters lie, what their answers mean. No transfers; who places, starts and reads them is
//! the memory behind these chips.
//!
//! Its largest part is the parameters of `ez-eeprom`. The loaders and what each rests on are in
//! recovery-images/loaders/cy16/. Every offset here is held against the assembled sources by
//! tests/loaders.rs.

mod eeprom;

pub use eeprom::{BusClock, Command, EepromReport, EepromRequest, Wiring};

/// Where every loader's parameters begin, bytes from its start: STATUS first.
pub const PARAMETERS: u16 = 2;

/// STATUS of a loader that has done what it was told.
pub const DONE: u16 = 0xD0CE;
/// STATUS of a loader that has begun.
const RUNNING: u16 = 1;

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
    code: include_bytes!("../../../../recovery-images/loaders/cy16/sl11r-read.bin"),
    vector_words: &[0x20],
};

/// Reads and programs an EEPROM on the chip's pins: for EZ-OTG and EZ-Host.
pub const EZ_EEPROM: Loader = Loader {
    name: "ez-eeprom",
    vector: 0x7A,
    code: include_bytes!("../../../../recovery-images/loaders/cy16/ez-eeprom.bin"),
    vector_words: &[0x58],
};

/// Leaves the USB and comes back: for EZ-OTG and EZ-Host.
pub const EZ_REENUMERATE: Loader = Loader {
    name: "ez-reenumerate",
    vector: 0x7A,
    code: include_bytes!("../../../../recovery-images/loaders/cy16/ez-reenumerate.bin"),
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

#[cfg(test)]
mod tests;
