//! What the operating system's own driver has learnt of the drive behind a device: read without
//! opening the device, so that nobody who uses the drive is disturbed.

use serde::{Deserialize, Serialize};

/// Peripheral device type of a disk [SPC-2 table 63].
const DISK: u8 = 0x00;

/// What is told of the drive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KernelDrive {
    /// This system tells nothing, or the device left.
    NotTold,
    /// No driver is bound to the device's mass storage.
    NoDriver,
    /// A driver is bound and shows no drive, or none yet.
    DriveExpected {
        /// Its name.
        driver: String,
    },
    /// A driver is bound and shows this drive.
    Known(KnownDrive),
}

/// A drive that a driver shows: its first logical unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownDrive {
    /// Vendor, product and revision by INQUIRY.
    pub name: String,
    /// Peripheral device type: 0 disk, 5 CD or DVD.
    pub kind: u8,
    /// Bytes that a disk holds; `None` until its driver has asked, and for other drives.
    pub capacity_bytes: Option<u64>,
}

impl KnownDrive {
    /// Whether the driver has asked all that it asks.
    pub fn is_complete(&self) -> bool {
        self.kind != DISK || self.capacity_bytes.is_some()
    }

    /// Whether it is a disk.
    pub fn is_disk(&self) -> bool {
        self.kind == DISK
    }
}
