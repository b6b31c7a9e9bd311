//! A run on a bus as a file: every scan, opening, reset and transfer, with the time it was made
//! and what came of it. What a device in the field did can so be played again at a desk.
//!
//! The file is JSON, one object a line, each line complete by itself: a [`Header`], then
//! [`Line`]s in the order in which they ended. Times are microseconds since the header was
//! written; data is hexadecimal text.
//!
//! ```json
//! {"format":"recover-trace","version":1,"date":"2026-11-22T10:02:00Z","program":"0.1.0","serials":"masked"}
//! {"at_us":51,"took_us":812,"event":{"scan":{"done":[]}}}
//! {"at_us":901,"took_us":40,"event":{"open":{"port":"3-2.1","device_number":17,"outcome":{"done":null}}}}
//! {"at_us":990,"took_us":130,"event":{"transfer":{"port":"3-2.1","transfer":{"control-in":{"setup":{"request_type":192,"request":255,"value":7,"index":57344,"length":2},"timeout_us":1000000}},"outcome":{"done":"b6c3"}}}}
//! ```
//!
//! A changed meaning of any key raises [`VERSION`]. Read next: [`Recorder`], [`Replayer`].

mod clock;
mod mask;
mod record;
mod replay;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    BusError, KernelDrive, PortPath, PowerError, Reply, Setup, Sighting, Transfer, TransferError,
};

pub use record::Recorder;
pub use replay::Replayer;

/// The first key of a trace's first line.
pub const FORMAT: &str = "recover-trace";
/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// When the recording began.
    pub date: Timestamp,
    /// Version of the program that recorded it.
    pub program: String,
    /// What was done with serial numbers.
    pub serials: Serials,
}

/// What a recording does with serial numbers, which name one device and so its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Serials {
    /// Written as they are.
    Kept,
    /// Replaced by pseudonyms of the same length, the same one each time.
    ///
    /// A serial is replaced where it is a sighting's serial, and in all data from then on: as
    /// ASCII, as UTF-16LE, and where the start or end of a transfer cuts it. A serial that was
    /// not sighted before its bytes pass by must be named to
    /// [`Recorder::learn_serial`]. What a device may hide otherwise
    /// (compressed, reversed) is not found.
    Masked,
}

/// Any line but the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// When it began.
    pub at_us: u64,
    /// How long it took.
    pub took_us: u64,
    /// What it was.
    pub event: Event,
}

/// What happened on the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// The bus was looked at.
    Scan(Outcome<Vec<Sighting>, BusError>),
    /// A device was opened.
    Open {
        /// Its port.
        port: PortPath,
        /// Its enumeration.
        device_number: u8,
        /// What came of it.
        outcome: Outcome<(), BusError>,
    },
    /// A device was reset.
    Reset {
        /// Its port.
        port: PortPath,
        /// Its enumeration.
        device_number: u8,
        /// What came of it.
        outcome: Outcome<(), BusError>,
    },
    /// A port's power was taken from the device in it.
    PowerOff {
        /// Its port.
        port: PortPath,
        /// Its enumeration.
        device_number: u8,
        /// What came of it.
        outcome: Outcome<(), PowerError>,
    },
    /// A port was given its power back.
    PowerOn {
        /// The port.
        port: PortPath,
        /// What came of it.
        outcome: Outcome<(), PowerError>,
    },
    /// A device that was looked at without opening it was found in use.
    InUse {
        /// Its port.
        port: PortPath,
        /// Its enumeration.
        device_number: u8,
        /// What uses it.
        error: BusError,
    },
    /// The operating system's driver told of the drive behind a device.
    KernelDrive {
        /// Its port.
        port: PortPath,
        /// Its enumeration.
        device_number: u8,
        /// What it told.
        drive: KernelDrive,
    },
    /// A transfer was made with an open device.
    Transfer {
        /// The device's port.
        port: PortPath,
        /// What was sent or asked for.
        transfer: Sent,
        /// The reply's data, empty for transfers to the device.
        outcome: Outcome<Hex, TransferError>,
    },
}

/// What came of it: `{"done": ..}` or `{"failed": ..}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome<T, E> {
    /// It was done.
    Done(T),
    /// It failed.
    Failed(E),
}

impl<T, E> From<Result<T, E>> for Outcome<T, E> {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(done) => Self::Done(done),
            Err(failed) => Self::Failed(failed),
        }
    }
}

impl<T, E> From<Outcome<T, E>> for Result<T, E> {
    fn from(outcome: Outcome<T, E>) -> Self {
        match outcome {
            Outcome::Done(done) => Ok(done),
            Outcome::Failed(failed) => Err(failed),
        }
    }
}

/// A [`Transfer`] as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `Transfer`, the timeout in microseconds")]
pub enum Sent {
    /// [`Transfer::ControlIn`].
    ControlIn { setup: Setup, timeout_us: u64 },
    /// [`Transfer::ControlOut`].
    ControlOut { setup: Setup, data: Hex, timeout_us: u64 },
    /// [`Transfer::BulkIn`].
    BulkIn { endpoint: u8, length: usize, timeout_us: u64 },
    /// [`Transfer::BulkOut`].
    BulkOut { endpoint: u8, data: Hex, timeout_us: u64 },
}

impl From<&Transfer> for Sent {
    fn from(transfer: &Transfer) -> Self {
        let timeout_us = microseconds(transfer.timeout());
        match transfer.clone() {
            Transfer::ControlIn { setup, .. } => Self::ControlIn { setup, timeout_us },
            Transfer::ControlOut { setup, data, .. } => {
                Self::ControlOut { setup, data: Hex(data), timeout_us }
            }
            Transfer::BulkIn { endpoint, length, .. } => {
                Self::BulkIn { endpoint, length, timeout_us }
            }
            Transfer::BulkOut { endpoint, data, .. } => {
                Self::BulkOut { endpoint, data: Hex(data), timeout_us }
            }
        }
    }
}

impl From<Sent> for Transfer {
    fn from(sent: Sent) -> Self {
        let timeout = Duration::from_micros;
        match sent {
            Sent::ControlIn { setup, timeout_us } => {
                Self::ControlIn { setup, timeout: timeout(timeout_us) }
            }
            Sent::ControlOut { setup, data, timeout_us } => {
                Self::ControlOut { setup, data: data.0, timeout: timeout(timeout_us) }
            }
            Sent::BulkIn { endpoint, length, timeout_us } => {
                Self::BulkIn { endpoint, length, timeout: timeout(timeout_us) }
            }
            Sent::BulkOut { endpoint, data, timeout_us } => {
                Self::BulkOut { endpoint, data: data.0, timeout: timeout(timeout_us) }
            }
        }
    }
}

/// Bytes, written as hexadecimal text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hex(pub Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, hex::FromHexError> {
        hex::decode(text).map(Self)
    }
}

impl From<Hex> for String {
    fn from(bytes: Hex) -> Self {
        hex::encode(bytes.0)
    }
}

impl From<Reply> for Hex {
    fn from(reply: Reply) -> Self {
        Self(reply.data)
    }
}

/// Whole microseconds; more than 64 bits of them (half a million years) are cut.
fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Why a file cannot be replayed. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be read.
    #[error("the trace cannot be read at line {line}: {source}")]
    Unreadable {
        /// The line that was being read.
        line: usize,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The first line is not a trace's header.
    #[error("this is not a trace of recover: line 1: {why}")]
    NotATrace {
        /// What is wrong with it.
        why: String,
    },
    /// Written by another version of the format.
    #[error(
        "the trace is of format version {got} (written by recover {program}), this program reads version {VERSION}"
    )]
    OtherVersion {
        /// The version it is of.
        got: u32,
        /// The program that wrote it.
        program: String,
    },
    /// A line is not what it must be.
    #[error("line {line} of the trace: {why}")]
    BadLine {
        /// Which one.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The last line ends in the middle; the recording was interrupted there.
    #[error(
        "line {line} of the trace ends in the middle: the recording was interrupted; remove that line to replay what is before it"
    )]
    Truncated {
        /// Which one.
        line: usize,
    },
    /// More than a trace ever holds.
    #[error("line {line} of the trace: {what}; the maximum is {maximum}")]
    TooMuch {
        /// Where it became too much.
        line: usize,
        /// Of what.
        what: &'static str,
        /// The most there may be.
        maximum: usize,
    },
}
