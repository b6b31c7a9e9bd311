//! The drives behind a bridge: an ATA disk and an ATAPI CD drive, with something to read in them.
//!
//! A drive sees what a bridge passes on: a SCSI command block with its data, or the registers of
//! an ATA command. How
//! the bytes travel over USB is the affair of [`transport`], which every bridge has in front of its
//! drive ([`super::chips`]). The smaller [`NamedDrive`] only says who it is.
//!
//! Sources: SPC-2, SBC, MMC-4 for commands and their replies; ATA/ATAPI-4 for IDENTIFY and
//! SMART.

mod ata;
mod cd;
mod disk;
mod identify;
mod iso;
mod medium;
mod named;
pub(super) mod transport;

pub use ata::{AtaAnswer, TaskFile};
pub use cd::CdDrive;
pub use disk::Disk;
pub use medium::Medium;
pub use named::NamedDrive;

/// Sense key, additional sense code, qualifier.
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
    /// INVALID COMMAND OPERATION CODE.
    pub const UNKNOWN_COMMAND: Self = Self::new(0x05, 0x20, 0x00);
    /// INVALID FIELD IN CDB.
    pub const BAD_FIELD: Self = Self::new(0x05, 0x24, 0x00);
    /// LOGICAL BLOCK ADDRESS OUT OF RANGE.
    pub const OUT_OF_RANGE: Self = Self::new(0x05, 0x21, 0x00);
    /// MEDIUM NOT PRESENT.
    pub const NO_MEDIUM: Self = Self::new(0x02, 0x3a, 0x00);
    /// LOGICAL UNIT NOT READY: what a bridge says that found no drive.
    pub const NO_DRIVE: Self = Self::new(0x02, 0x04, 0x00);
    /// POWER ON OR RESET OCCURRED.
    pub const WAS_RESET: Self = Self::new(0x06, 0x29, 0x00);
    /// WRITE PROTECTED.
    pub const WRITE_PROTECTED: Self = Self::new(0x07, 0x27, 0x00);

    const fn new(key: u8, code: u8, qualifier: u8) -> Self {
        Self { key, code, qualifier }
    }

    /// Fixed-format sense data.
    pub fn data(self) -> Vec<u8> {
        let mut data = vec![0; 18];
        for (at, byte) in [(0, 0x70), (2, self.key), (7, 10), (12, self.code), (13, self.qualifier)]
        {
            if let Some(slot) = data.get_mut(at) {
                *slot = byte;
            }
        }
        data
    }
}

/// A drive's answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done, with data for the host, or none.
    Done(Vec<u8>),
    /// Refused.
    Refused(Sense),
}

/// A drive on the bridge's ATA connector.
pub trait BridgedDrive: Send {
    /// Power comes on.
    fn power_on(&mut self);

    /// How many bytes from the host a command takes, before it is carried out.
    fn takes(&self, command: &[u8; 16]) -> usize;

    /// Carries out a command, with the data it takes.
    fn carry_out(&mut self, command: &[u8; 16], data: &[u8]) -> Answer;

    /// The 512 bytes of IDENTIFY PACKET DEVICE (`packet`) or IDENTIFY DEVICE; `None` where the
    /// drive aborts that command because it is of the other kind.
    fn identify(&self, packet: bool) -> Option<Vec<u8>>;

    /// Carries out an ATA command by its registers.
    fn ata(&mut self, task: &TaskFile) -> AtaAnswer {
        let identified = match task.command {
            ata::IDENTIFY => self.identify(false),
            ata::IDENTIFY_PACKET => self.identify(true),
            _ => None,
        };
        identified.map_or(AtaAnswer::Aborted, AtaAnswer::In)
    }
}

/// Big-endian 32 bits of a command block.
fn long(command: &[u8; 16], at: usize) -> u32 {
    let bytes = command.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    bytes.map(u32::from_be_bytes).unwrap_or_default()
}

/// Big-endian 16 bits of a command block.
fn short(command: &[u8; 16], at: usize) -> u16 {
    let bytes = command.get(at..at + 2).and_then(|bytes| bytes.try_into().ok());
    bytes.map(u16::from_be_bytes).unwrap_or_default()
}

/// Data cut to the allocation length a command gives.
fn allocated(mut data: Vec<u8>, length: u16) -> Answer {
    data.truncate(usize::from(length));
    Answer::Done(data)
}

/// Standard INQUIRY data; the name is vendor, product, revision in 8, 16 and 4 characters.
fn inquiry(kind: u8, removable: bool, name: &[u8; 28]) -> Vec<u8> {
    let mut data = vec![kind, if removable { 0x80 } else { 0 }, 0, 1, 31, 0, 0, 0];
    data.extend(name);
    data
}

#[cfg(test)]
mod tests;
