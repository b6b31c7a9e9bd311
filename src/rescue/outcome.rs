//! How a run ended, as a value: what `--json` prints last and what the text report is made from.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::limit::Limit;
use super::stages::StageTimes;
use crate::chip::{DriveAnswer, Identity};
use crate::failure::{DeviceState, Failure};
use crate::usb::PortPath;

/// The end of a run in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The original identity is back.
    Rescued,
    /// The memory holds the wanted bytes; no identity was promised to compare with (a restored
    /// backup of a blank memory).
    Restored,
    /// There was nothing to rescue.
    Healthy,
    /// A plan was made and, as asked, not carried out.
    Planned,
    /// The run ended in a failure.
    Failed,
}

/// What a run was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// To bring an enclosure back.
    Rescue,
    /// To write a backup back.
    Restore,
    /// To say what a rescue or a restore would do.
    Plan,
    /// To prove the chip and judge its memory.
    Diagnosis,
    /// To save the memory's bytes.
    Backup,
    /// To make a profile from a healthy enclosure.
    Learning,
}

impl RunKind {
    /// Whether it may change the device.
    pub fn may_write_device(self) -> bool {
        matches!(self, Self::Rescue | Self::Restore)
    }
}

/// Who switches a device's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwitchedBy {
    /// A relay of the bench.
    Relay,
    /// The hub, by its own requests.
    Hub,
    /// A person.
    Hands,
}

impl fmt::Display for SwitchedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Relay => "relay",
            Self::Hub => "hub",
            Self::Hands => "hands",
        })
    }
}

/// Expected and seen identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Identities {
    /// What the image and the profile promise.
    pub expected: Option<Identity>,
    /// What the device presented at last.
    pub seen: Option<Identity>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// What was asked for; `None` when no run began.
    pub work: Option<RunKind>,
    /// In one word.
    pub result: Verdict,
    /// Where the device is; `None` when none was chosen.
    pub port: Option<PortPath>,
    /// Who it was to be and who it is.
    pub identity: Identities,
    /// What the drive behind the bridge answered, once the identity was back.
    pub drive: Option<DriveAnswer>,
    /// What state it is in.
    pub device_state: DeviceState,
    /// The backup that was made of its memory.
    pub backup: Option<String>,
    /// USB transfers that were sent.
    pub transfers: u64,
    /// Write cycles that were asked of the memory.
    pub write_cycles: u32,
    /// Time on the device's clock from the first look to the end, milliseconds.
    pub device_time_ms: f64,
    /// Time on the device's clock spent writing and reading back, milliseconds.
    pub memory_time_ms: f64,
    /// Time of each stage on the same clock; together they are `device_time_ms`.
    pub stages_ms: StageTimes,
    /// The planned minimum for what had to be changed, enumeration included, milliseconds; see
    /// [`Limit`] for what the driver cannot know of the part.
    pub limit_ms: f64,
    /// The parts of `limit_ms`.
    pub limit: Limit,
    /// Things the owner should know, one sentence each.
    pub notes: Vec<String>,
    /// What went wrong.
    pub failure: Option<Failure>,
}

impl Outcome {
    /// A run that has only begun.
    pub fn begun() -> Self {
        Self {
            work: None,
            result: Verdict::Failed,
            port: None,
            identity: Identities::default(),
            drive: None,
            device_state: DeviceState::Untouched,
            backup: None,
            transfers: 0,
            write_cycles: 0,
            device_time_ms: 0.0,
            memory_time_ms: 0.0,
            stages_ms: StageTimes::default(),
            limit_ms: 0.0,
            limit: Limit::default(),
            notes: Vec::new(),
            failure: None,
        }
    }

    /// The program's exit code [design §5].
    pub fn exit_code(&self) -> u8 {
        self.failure.as_ref().map_or(0, Failure::exit_code)
    }
}

/// SHA-256 of some bytes, lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
