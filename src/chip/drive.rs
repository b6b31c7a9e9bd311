//! The drive behind a bridge: a rescue is whole when it answers again. What is asked is the same
//! behind every bridge of the bulk-only transport: INQUIRY, TEST UNIT READY, READ CAPACITY.

use std::fmt;

use serde::Serialize;

use super::ChipError;
use crate::usb::bot::{Bot, BotError, Inquiry, Pipes, Sense};
use crate::usb::{ClassCode, Ids, Link, Sighting, TransferError};

/// SCSI over the bulk-only transport [BOT 1.0].
const MASS_STORAGE: ClassCode = ClassCode::new(0x08, 0x06, 0x50);
/// Peripheral device type of a disk [SPC-2 table 63].
const DISK: u8 = 0x00;

/// What a bridge's firmware is known to do wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Quirks {
    /// Its status has the tag of no command.
    wrong_tags: bool,
    /// It reports one sector more than a disk has.
    one_sector_more: bool,
}

/// The firmwares that are known for it, with the revisions they show as bcdDevice: those of the
/// SL11R before 2.6c break the tag, all report one sector more [Linux 5.15,
/// drivers/usb/storage/unusual_devs.h, 04ce:0002: US_FL_BULK_IGNORE_TAG, US_FL_FIX_CAPACITY].
const KNOWN_QUIRKS: [(Ids, u16, u16, Quirks); 2] = [
    (SL11R, 0x0000, 0x026b, Quirks { wrong_tags: true, one_sector_more: true }),
    (SL11R, 0x026c, 0x026c, Quirks { wrong_tags: false, one_sector_more: true }),
];
const SL11R: Ids = Ids::new(0x04ce, 0x0002);

impl Quirks {
    fn of(seen: &Sighting) -> Self {
        let is_it = |(ids, first, last, _): &&(Ids, u16, u16, Self)| {
            *ids == seen.ids && (*first..=*last).contains(&seen.bcd_device)
        };
        KNOWN_QUIRKS.iter().find(is_it).map(|(.., quirks)| *quirks).unwrap_or_default()
    }
}

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
            Self::NotAsked => f.write_str("the drive's identity was not read"),
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
    let quirks = Quirks::of(seen);
    let inquiry = match bot(link, pipes, quirks).inquiry() {
        Ok(inquiry) => inquiry,
        Err(error) => return silent(error),
    };
    let not_ready = match readiness(link, pipes, quirks) {
        Ok(sense) => sense.map(|sense| sense.to_string()),
        Err(error) => return silent(error),
    };
    let capacity = match &not_ready {
        None => bot(link, pipes, quirks).read_capacity().ok(),
        Some(_) => None,
    };
    let capacity_bytes = capacity.and_then(|mut capacity| {
        if quirks.one_sector_more && inquiry.kind == DISK {
            capacity.blocks = capacity.blocks.saturating_sub(1);
        }
        u64::try_from(capacity.bytes()).ok()
    });
    let identified = identify(link, pipes, &inquiry);
    Ok(DriveAnswer::Answers(Drive {
        name: inquiry.to_string(),
        identified,
        capacity_bytes,
        not_ready,
    }))
}

/// The same where the device shows mass storage first: what other firmware does is its own.
pub(super) fn ask_storage(link: &mut dyn Link, seen: &Sighting) -> Result<DriveAnswer, ChipError> {
    if seen.interfaces.first().is_none_or(|first| first.class != MASS_STORAGE) {
        return Ok(DriveAnswer::NotAsked);
    }
    ask(link, seen, |_, _, _| None)
}

fn bot(link: &mut dyn Link, pipes: Pipes, quirks: Quirks) -> Bot<'_> {
    Bot::new(link, pipes).ignoring_tags(quirks.wrong_tags)
}

fn silent(error: BotError) -> Result<DriveAnswer, ChipError> {
    match error {
        BotError::Transfer { stage, source: TransferError::Gone } => {
            let doing = format!("reading the drive's identity, {stage} phase");
            Err(ChipError::Transfer { doing, source: TransferError::Gone })
        }
        other => Ok(DriveAnswer::Silent { why: other.to_string() }),
    }
}

/// `None` when the drive is ready. A drive reports its reset once before anything else.
fn readiness(link: &mut dyn Link, pipes: Pipes, quirks: Quirks) -> Result<Option<Sense>, BotError> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        last = bot(link, pipes, quirks).test_unit_ready()?;
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

#[cfg(test)]
mod tests;
