//! The append-only record of one rescue: what was intended, what was done, how it ended.
//!
//! An intent is on the disk before its step is taken, so a killed run leaves behind what was in
//! flight. Which entry may follow which is the pure table of [`Journal::append`]; the file is
//! `file`'s. A journal that has begun and not ended is unfinished business, which
//! `recover resume` and `recover --auto` take up.

mod file;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use file::{JournalError, JournalFile};

use crate::chip::Identity;
use crate::rescue::outcome::{SwitchedBy, Verdict};
use crate::usb::{Ids, PortPath};

/// Version of the entries' format.
pub const VERSION: u32 = 1;

/// What a rescue started with: all that resuming it needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begun {
    /// [`VERSION`].
    pub version: u32,
    /// The journal's name.
    pub id: String,
    /// When.
    pub date: Timestamp,
    /// Where the device is.
    pub port: PortPath,
    /// What it showed as.
    pub ids: Ids,
    /// The chip's name.
    pub chip: String,
    /// The profile's name, where one was chosen.
    pub profile: Option<String>,
    /// The image's name.
    pub image: String,
    /// The image's SHA-256; the store keeps its bytes under it.
    pub image_sha256: String,
    /// Who the device is to be in the end.
    pub expected: Option<Identity>,
    /// The backup of what was there before.
    pub backup: Option<String>,
    /// Whether the image is a backup that is put back, and need not be one the chip boots.
    pub restoring: bool,
    /// Whether the serial number that it is to have is this unit's alone: given by its owner, made
    /// for it, or from its backup; not one that an image gives to all.
    #[serde(default)]
    pub own_serial: bool,
    /// The unfinished rescue that this one goes on with; it ends with this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<String>,
}

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "a journal holds a handful of entries")]
pub enum Entry {
    /// The first line.
    Begun(Begun),
    /// A step is about to be taken.
    Intent {
        /// Its place in the plan, from 1.
        step: usize,
        /// What it does.
        title: String,
        /// Whether it writes the memory.
        persistent: bool,
    },
    /// Within a step, the device's power was taken away.
    Power {
        /// By what.
        by: SwitchedBy,
    },
    /// Within a step, the device began to run the image from its RAM.
    Trial {
        /// The device number under which it does.
        device_number: u8,
    },
    /// The step was taken and checked.
    Done {
        /// Its place in the plan, from 1.
        step: usize,
    },
    /// The last line: how it ended.
    Ended {
        /// How.
        result: Ending,
        /// The device number of a device that was left running the image from its RAM: what it
        /// shows tells nothing of its memory until its power has gone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_trial: Option<u8>,
    },
}

/// How a rescue ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The original identity is back.
    Rescued,
    /// A backup was put back that promises no identity.
    Restored,
    /// It failed and had changed nothing lasting.
    Failed,
    /// A later run finished what it had begun.
    #[serde(rename = "taken up")]
    TakenUp,
}

impl Ending {
    /// How a run with this verdict ends its journal; `None` where nothing was to be written.
    pub fn of(verdict: Verdict) -> Option<Self> {
        match verdict {
            Verdict::Rescued => Some(Self::Rescued),
            Verdict::Restored => Some(Self::Restored),
            Verdict::Failed => Some(Self::Failed),
            Verdict::Healthy | Verdict::Planned => None,
        }
    }
}

/// An entry that cannot follow what is there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a journal entry {entry} cannot follow {after}")]
pub struct IllegalEntry {
    entry: &'static str,
    after: &'static str,
}

/// A journal as a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    begun: Begun,
    entries: Vec<Entry>,
}

impl Entry {
    fn name(&self) -> &'static str {
        match self {
            Self::Begun(_) => "begun",
            Self::Intent { .. } => "intent",
            Self::Power { .. } => "power",
            Self::Trial { .. } => "trial",
            Self::Done { .. } => "done",
            Self::Ended { .. } => "ended",
        }
    }
}

impl Journal {
    /// A journal with its first entry.
    pub fn begin(begun: Begun) -> Self {
        Self { entries: vec![Entry::Begun(begun.clone())], begun }
    }

    /// What it started with.
    pub fn begun(&self) -> &Begun {
        &self.begun
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        matches!(self.entries.last(), Some(Entry::Ended { .. }))
    }

    /// How it ended.
    pub fn result(&self) -> Option<Ending> {
        match self.entries.last() {
            Some(Entry::Ended { result, .. }) => Some(*result),
            _ => None,
        }
    }

    /// The device number of the device that it left running the image from RAM.
    pub fn left_on_trial(&self) -> Option<u8> {
        self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Ended { on_trial, result: Ending::Failed } => Some(*on_trial),
            Entry::Ended { .. } | Entry::Power { .. } => Some(None),
            Entry::Trial { device_number } => Some(Some(*device_number)),
            _ => None,
        })?
    }

    /// Whether a step that writes the memory was taken and checked.
    pub fn has_kept(&self) -> bool {
        let done = |step: usize| self.entries.contains(&Entry::Done { step });
        self.entries.iter().any(
            |entry| matches!(entry, Entry::Intent { persistent: true, step, .. } if done(*step)),
        )
    }

    /// Whether it may have left a memory part written.
    pub fn is_unfinished(&self) -> bool {
        !self.has_ended() && self.may_have_written()
    }

    /// Whether a step that writes the memory was at least begun.
    pub fn may_have_written(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Entry::Intent { persistent: true, .. }))
    }

    /// The step that was in flight when the journal stopped.
    pub fn in_flight(&self) -> Option<&str> {
        match self.last_of_step() {
            Some(Entry::Intent { title, .. }) => Some(title),
            _ => None,
        }
    }

    /// The last entry, those about what happened within its step left out.
    fn last_of_step(&self) -> Option<&Entry> {
        let within = |entry: &&Entry| matches!(entry, Entry::Power { .. } | Entry::Trial { .. });
        self.entries.iter().rev().find(|entry| !within(entry))
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// [`IllegalEntry`] for one that cannot follow: nothing follows the end, a step is done only
    /// after its own intent, steps go upwards.
    pub fn append(&mut self, entry: Entry) -> Result<(), IllegalEntry> {
        let last = self.entries.last().map_or("nothing", Entry::name);
        let legal = match (&entry, self.last_of_step()) {
            (_, Some(Entry::Ended { .. } | Entry::Power { .. } | Entry::Trial { .. }) | None)
            | (Entry::Begun(_), _) => false,
            (Entry::Power { .. } | Entry::Trial { .. }, last) => {
                matches!(last, Some(Entry::Intent { .. }))
            }
            (Entry::Intent { step, .. }, Some(Entry::Begun(_))) => *step >= 1,
            (Entry::Intent { step, .. }, Some(Entry::Done { step: done })) => step > done,
            (Entry::Intent { .. }, Some(Entry::Intent { .. })) => false,
            (Entry::Done { step }, Some(Entry::Intent { step: intent, .. })) => step == intent,
            (Entry::Done { .. }, _) => false,
            (Entry::Ended { .. }, _) => true,
        };
        if !legal {
            return Err(IllegalEntry { entry: entry.name(), after: last });
        }
        self.entries.push(entry);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn begun() -> Begun {
        Begun {
            version: VERSION,
            id: "2007-05-04T10-02-33-sl11r".into(),
            date: "2007-05-04T10:02:33Z".parse().unwrap(),
            port: "1-1".parse().unwrap(),
            ids: Ids::new(0x04ce, 0x07d1),
            chip: "sl11r".into(),
            profile: Some("simulated-sl11r".into()),
            image: "simulated-sl11r".into(),
            image_sha256: "00".into(),
            expected: None,
            backup: None,
            restoring: false,
            own_serial: false,
            continues: None,
        }
    }

    pub(super) fn ended(result: Ending) -> Entry {
        Entry::Ended { result, on_trial: None }
    }

    fn intent(step: usize) -> Entry {
        Entry::Intent { step, title: "write".into(), persistent: true }
    }

    #[test]
    fn a_step_is_done_only_after_its_own_intent() {
        let mut journal = Journal::begin(begun());
        assert!(journal.append(Entry::Done { step: 1 }).is_err());
        journal.append(intent(1)).unwrap();
        assert!(journal.append(Entry::Done { step: 2 }).is_err());
        journal.append(Entry::Done { step: 1 }).unwrap();
        assert!(journal.append(intent(1)).is_err(), "steps go upwards");
        journal.append(intent(2)).unwrap();
        assert_eq!(journal.in_flight(), Some("write"));
    }

    #[test]
    fn power_goes_within_a_step_and_does_not_end_it() {
        let power = || Entry::Power { by: SwitchedBy::Hub };
        let mut journal = Journal::begin(begun());
        assert!(journal.append(power()).is_err());
        journal.append(intent(1)).unwrap();
        journal.append(power()).unwrap();
        journal.append(power()).unwrap();
        assert_eq!(journal.in_flight(), Some("write"));
        journal.append(Entry::Done { step: 1 }).unwrap();
        assert!(journal.append(power()).is_err());
    }

    #[test]
    fn nothing_follows_the_end() {
        let mut journal = Journal::begin(begun());
        journal.append(ended(Ending::Rescued)).unwrap();
        assert!(journal.has_ended());
        assert!(journal.append(intent(1)).is_err());
        assert!(journal.append(ended(Ending::Failed)).is_err());
    }
}
