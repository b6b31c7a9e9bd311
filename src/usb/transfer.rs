//! One USB transfer as a plain value: it can be printed, recorded, compared and replayed.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The 8 SETUP bytes of a control transfer [USB 2.0 §9.3].
#[doc(alias = "SETUP")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// bmRequestType: bit 7 direction (1 = device to host), bits 6..5 type (2 = vendor),
    /// bits 4..0 recipient.
    #[doc(alias = "bmRequestType")]
    pub request_type: u8,
    /// bRequest.
    #[doc(alias = "bRequest")]
    pub request: u8,
    /// wValue.
    #[doc(alias = "wValue")]
    pub value: u16,
    /// wIndex.
    #[doc(alias = "wIndex")]
    pub index: u16,
    /// wLength: bytes in the data stage, at most.
    #[doc(alias = "wLength")]
    pub length: u16,
}

/// bmRequestType of a vendor request to the device, host to device.
pub const VENDOR_OUT: u8 = 0x40;
/// bmRequestType of a vendor request to the device, device to host.
pub const VENDOR_IN: u8 = 0xc0;

/// How long an ordinary control transfer may take.
pub const CONTROL_TIMEOUT: Duration = Duration::from_secs(1);

/// One transfer, with the time it may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// Control transfer with data from the device; `setup.length` is the most it may send.
    ControlIn {
        /// The SETUP packet.
        setup: Setup,
        /// The longest wait for completion.
        timeout: Duration,
    },
    /// Control transfer with `data` to the device; `setup.length` is `data.len()`.
    ControlOut {
        /// The SETUP packet.
        setup: Setup,
        /// The data stage, at most 4096 bytes (the limit of Linux usbfs).
        data: Vec<u8>,
        /// The longest wait for completion.
        timeout: Duration,
    },
    /// Bulk transfer from the device.
    BulkIn {
        /// Endpoint address, bit 7 set.
        endpoint: u8,
        /// Most bytes to accept.
        length: usize,
        /// The longest wait for completion.
        timeout: Duration,
    },
    /// Bulk transfer to the device.
    BulkOut {
        /// Endpoint address, bit 7 clear.
        endpoint: u8,
        /// What is sent.
        data: Vec<u8>,
        /// The longest wait for completion.
        timeout: Duration,
    },
}

impl Transfer {
    /// A vendor request that reads up to `length` bytes, with [`CONTROL_TIMEOUT`].
    pub fn vendor_in(request: u8, value: u16, index: u16, length: u16) -> Self {
        let setup = Setup { request_type: VENDOR_IN, request, value, index, length };
        Self::ControlIn { setup, timeout: CONTROL_TIMEOUT }
    }

    /// A vendor request that sends `data`, with [`CONTROL_TIMEOUT`].
    ///
    /// `data` longer than 65535 bytes cannot be expressed in wLength; it is cut there.
    pub fn vendor_out(request: u8, value: u16, index: u16, mut data: Vec<u8>) -> Self {
        let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
        data.truncate(usize::from(length));
        let setup = Setup { request_type: VENDOR_OUT, request, value, index, length };
        Self::ControlOut { setup, data, timeout: CONTROL_TIMEOUT }
    }

    /// The same transfer with another longest wait.
    #[must_use]
    pub fn within(mut self, longest: Duration) -> Self {
        match &mut self {
            Self::ControlIn { timeout, .. }
            | Self::ControlOut { timeout, .. }
            | Self::BulkIn { timeout, .. }
            | Self::BulkOut { timeout, .. } => *timeout = longest,
        }
        self
    }

    /// Whether a reply has fewer bytes than were asked for.
    pub fn is_cut_short(&self, reply: &Reply) -> bool {
        match self {
            Self::ControlIn { setup, .. } => reply.data.len() < usize::from(setup.length),
            Self::BulkIn { length, .. } => reply.data.len() < *length,
            Self::ControlOut { .. } | Self::BulkOut { .. } => false,
        }
    }

    /// The longest wait for completion.
    pub fn timeout(&self) -> Duration {
        match self {
            Self::ControlIn { timeout, .. }
            | Self::ControlOut { timeout, .. }
            | Self::BulkIn { timeout, .. }
            | Self::BulkOut { timeout, .. } => *timeout,
        }
    }
}

impl fmt::Display for Transfer {
    /// One line in the order of the wire, data left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let control = |f: &mut fmt::Formatter<'_>, direction: &str, s: &Setup| {
            write!(
                f,
                "control {direction} {:02x} {:02x} wValue {:04x} wIndex {:04x} wLength {}",
                s.request_type, s.request, s.value, s.index, s.length
            )
        };
        match self {
            Self::ControlIn { setup, .. } => control(f, "in", setup),
            Self::ControlOut { setup, .. } => control(f, "out", setup),
            Self::BulkIn { endpoint, length, .. } => write!(f, "bulk in {endpoint:02x} {length}"),
            Self::BulkOut { endpoint, data, .. } => {
                write!(f, "bulk out {endpoint:02x} {}", data.len())
            }
        }
    }
}

/// What a completed transfer brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// Data from the device; may be shorter than asked for. Empty for transfers to the device.
    pub data: Vec<u8>,
}

/// Why a transfer did not complete.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferError {
    /// The device answered STALL: it does not know the request or refuses it.
    #[error("the device refused the request (STALL)")]
    Stall,
    /// No answer within the transfer's timeout.
    #[error("the device did not answer in time")]
    TimedOut,
    /// The device left the bus.
    #[error("the device is gone from the bus")]
    Gone,
    /// The device took fewer bytes than it was sent.
    #[error("the device took {sent} of {length} bytes")]
    Short {
        /// Bytes taken.
        sent: usize,
        /// Bytes offered.
        length: usize,
    },
    /// The device sent more than it was asked for.
    #[error("the device sent more than requested")]
    Overflow,
    /// The operating system forbids it.
    #[error("permission denied")]
    Denied,
    /// Another program or driver holds the device.
    #[error("another program holds the device")]
    Busy,
    /// Anything else the operating system reports, in its words.
    #[error("{0}")]
    Other(String),
}
