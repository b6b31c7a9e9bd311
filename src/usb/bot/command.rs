//! The SCSI commands that tell whether a drive answers and what it is [SPC-2, SBC]. Their replies
//! are a stranger's data: every length is checked, every text made printable.

use std::fmt;
use std::time::Duration;

use super::{Bot, BotError, Data, Done};

/// How long a drive may take over one of these commands; it may have to spin up.
pub const DRIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Bytes of the standard INQUIRY data that name a drive.
const INQUIRY_BYTES: u8 = 36;
/// Bytes of fixed-format sense data.
const SENSE_BYTES: u8 = 18;

/// What INQUIRY says about a drive [SPC-2 §7.3.2].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// Peripheral device type: 00 disk, 05 CD or DVD, 0e simplified disk.
    pub kind: u8,
    /// Whether its medium can be taken out.
    pub removable: bool,
    /// Vendor identification, its padding gone.
    pub vendor: String,
    /// Product identification.
    pub product: String,
    /// Product revision level.
    pub revision: String,
}

/// Printable ASCII with single spaces between words; anything else becomes `.`.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let text: String = bytes
        .iter()
        .map(|byte| match byte {
            0 => ' ',
            0x20..=0x7e => char::from(*byte),
            _ => '.',
        })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Inquiry {
    /// The reply to INQUIRY; `None` when it is shorter than 36 bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            kind: bytes.first()? & 0x1f,
            removable: bytes.get(1)? & 0x80 != 0,
            vendor: printable(bytes.get(8..16)?),
            product: printable(bytes.get(16..32)?),
            revision: printable(bytes.get(32..36)?),
        })
    }
}

impl fmt::Display for Inquiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.vendor, &self.product, &self.revision];
        let said: Vec<&str> =
            parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        if said.is_empty() {
            f.write_str("a drive without a name")
        } else {
            f.write_str(&said.join(" "))
        }
    }
}

/// Why a drive refused a command [SPC-2 §7.20].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sense {
    /// Sense key.
    pub key: u8,
    /// Additional sense code.
    pub code: u8,
    /// Additional sense code qualifier.
    pub qualifier: u8,
}

impl Sense {
    /// Fixed-format sense data; `None` when it is shorter than 14 bytes or of another format.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let fixed = matches!(bytes.first()? & 0x7f, 0x70 | 0x71);
        fixed.then_some(())?;
        Some(Self { key: bytes.get(2)? & 0x0f, code: *bytes.get(12)?, qualifier: *bytes.get(13)? })
    }
}

impl fmt::Display for Sense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match (self.key, self.code) {
            (_, 0x3a) => "no medium is inserted",
            (_, 0x04) => "the drive is not ready",
            (_, 0x29) => "the drive was reset",
            (0x05, 0x20) => "the drive does not know the command",
            (0x05, _) => "the drive does not accept the request",
            (0x04, _) => "the drive has a hardware error",
            (0x03, _) => "the medium cannot be read",
            (0x06, _) => "the medium may have changed",
            _ => "the drive gives no common reason",
        };
        let Self { key, code, qualifier } = self;
        write!(f, "{meaning} (sense {key:x}/{code:02x}/{qualifier:02x})")
    }
}

/// How much a drive holds [SBC READ CAPACITY (10)].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Blocks; the address of the last one and one more.
    pub blocks: u64,
    /// Bytes of a block.
    pub block_bytes: u32,
}

impl Capacity {
    /// The reply to READ CAPACITY; `None` when it is shorter than 8 bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let number = |bytes: &[u8]| Some(u32::from_be_bytes(bytes.try_into().ok()?));
        let last = number(bytes.get(0..4)?)?;
        Some(Self { blocks: u64::from(last) + 1, block_bytes: number(bytes.get(4..8)?)? })
    }

    /// Bytes in all; the product of two numbers of at most 33 and 32 bits fits no overflow.
    pub fn bytes(&self) -> u128 {
        u128::from(self.blocks) * u128::from(self.block_bytes)
    }
}

impl Bot<'_> {
    /// INQUIRY. A drive answers it whatever state it is in.
    ///
    /// # Errors
    /// [`BotError`].
    pub fn inquiry(&mut self) -> Result<Inquiry, BotError> {
        const NAME: &str = "INQUIRY";
        let command = [0x12, 0, 0, 0, INQUIRY_BYTES, 0];
        let done = self.demand(NAME, &command, INQUIRY_BYTES.into())?;
        Inquiry::decode(&done.data).ok_or_else(|| short(NAME, &done, INQUIRY_BYTES.into()))
    }

    /// TEST UNIT READY: `Ok(None)` when it is, the reason when it is not.
    ///
    /// # Errors
    /// [`BotError`] when the transport itself fails.
    pub fn test_unit_ready(&mut self) -> Result<Option<Sense>, BotError> {
        let done = self.command(&[0; 6], Data::None, DRIVE_TIMEOUT)?;
        if done.passed { Ok(None) } else { self.request_sense().map(Some) }
    }

    /// REQUEST SENSE: why the last command was refused.
    ///
    /// # Errors
    /// [`BotError`]; [`BotError::Short`] when what came is no fixed-format sense data.
    pub fn request_sense(&mut self) -> Result<Sense, BotError> {
        let command = [0x03, 0, 0, 0, SENSE_BYTES, 0];
        let done = self.command(&command, Data::In(SENSE_BYTES.into()), DRIVE_TIMEOUT)?;
        Sense::decode(&done.data).ok_or_else(|| short("REQUEST SENSE", &done, SENSE_BYTES.into()))
    }

    /// READ CAPACITY (10).
    ///
    /// # Errors
    /// [`BotError`]; [`BotError::Failed`] with the drive's reason, such as a missing medium.
    pub fn read_capacity(&mut self) -> Result<Capacity, BotError> {
        const NAME: &str = "READ CAPACITY";
        let done = self.demand(NAME, &[0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], 8)?;
        Capacity::decode(&done.data).ok_or_else(|| short(NAME, &done, 8))
    }

    /// A command with data to the host that must pass; a refusal is told with its reason.
    ///
    /// # Errors
    /// [`BotError`].
    pub fn demand(
        &mut self,
        name: &'static str,
        command: &[u8],
        length: u32,
    ) -> Result<Done, BotError> {
        let done = self.command(command, Data::In(length), DRIVE_TIMEOUT)?;
        if done.passed {
            return Ok(done);
        }
        let sense = self.request_sense()?;
        Err(BotError::Failed { command: name, sense })
    }
}

fn short(command: &'static str, done: &Done, expected: usize) -> BotError {
    BotError::Short { command, got: done.data.len(), expected }
}
