//! The drive behind a bridge: a rescue is whole when it answers again. What is asked is the same
//! behind every bridge of the bulk-only transport: INQUIRY, TEST UNIT READY, READ CAPACITY.

use std::fmt;

use serde::Serialize;

use super::ChipError;
use crate::usb::bot::{Bot, BotError, Inquiry, Pipes, Sense};
use crate::usb::{Link, Sighting, TransferError};

/// What came of asking for the drive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "drive")]
pub enum DriveAnswer {
    /// It answered.
    Answers(Drive),
    /// The bridge answers, no drive does.
    Silent {
        /// What was heard instead.
        why: String,
    },
    /// This chip has no way to be asked, or none is known.
    NotAsked,
}

/// A drive that answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drive {
    /// Its name by INQUIRY: vendor, product, revision.
    pub name: String,
    /// Its own model, firmware and serial number by IDENTIFY, where it could be asked.
    pub identified: Option<String>,
    /// Bytes it holds, where a medium is in it.
    pub capacity_bytes: Option<u64>,
    /// Why it is not ready, where it is not.
    pub not_ready: Option<String>,
}

impl fmt::Display for DriveAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answers(drive) => write!(f, "{} answers", drive.name),
            Self::Silent { why } => write!(f, "no drive answers: {why}"),
            Self::NotAsked => f.write_str("the drive was not asked"),
        }
    }
}

/// How often a drive may say "I was reset" or "becoming ready" before it counts as not ready.
const ATTEMPTS: usize = 5;

/// Asks the drive behind the bulk-only transport of `seen` who it is, whether it is ready and how
/// large. `identify` asks what only this bridge passes on; `None` where it cannot.
pub(super) fn ask(
    link: &mut dyn Link,
    seen: &Sighting,
    identify: impl FnOnce(&mut dyn Link, Pipes, &Inquiry) -> Option<String>,
) -> Result<DriveAnswer, ChipError> {
    let Some(pipes) = Pipes::of(seen) else {
        let why = "the bridge shows no bulk pipes".to_owned();
        return Ok(DriveAnswer::Silent { why });
    };
    let inquiry = match Bot::new(link, pipes).inquiry() {
        Ok(inquiry) => inquiry,
        Err(error) => return silent(error),
    };
    let not_ready = match readiness(link, pipes) {
        Ok(sense) => sense.map(|sense| sense.to_string()),
        Err(error) => return silent(error),
    };
    let capacity_bytes = match (&not_ready, Bot::new(link, pipes)) {
        (None, mut bot) => {
            bot.read_capacity().ok().and_then(|capacity| u64::try_from(capacity.bytes()).ok())
        }
        (Some(_), _) => None,
    };
    let identified = identify(link, pipes, &inquiry);
    Ok(DriveAnswer::Answers(Drive {
        name: inquiry.to_string(),
        identified,
        capacity_bytes,
        not_ready,
    }))
}

fn silent(error: BotError) -> Result<DriveAnswer, ChipError> {
    match error {
        BotError::Transfer { stage, source: TransferError::Gone } => {
            let doing = format!("asking for the drive, {stage} phase");
            Err(ChipError::Transfer { doing, source: TransferError::Gone })
        }
        other => Ok(DriveAnswer::Silent { why: other.to_string() }),
    }
}

/// `None` when the drive is ready. A drive reports its reset once before anything else.
fn readiness(link: &mut dyn Link, pipes: Pipes) -> Result<Option<Sense>, BotError> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        last = Bot::new(link, pipes).test_unit_ready()?;
        match last {
            Some(Sense { key: 0x06, .. }) => {}
            Some(Sense { key: 0x02, code: 0x04, qualifier: 0x01 }) => {
                link.clock().sleep(std::time::Duration::from_secs(1));
            }
            _ => break,
        }
    }
    Ok(last)
}
