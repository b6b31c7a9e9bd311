//! The parts of a rescue, as its events tell them, and how long each may take.
//!
//! Every wait inside a run has its own bound already. These limits are for what the bounds do not
//! see: an operating system that does not come back from a call, a disk that is away. A run past
//! its limit is told of and left to itself; cutting it short could cut a write.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::executor::Event;
use crate::rescue::Risk;

/// A part of a rescue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The device is found and its chip asked.
    Proof,
    /// The image is chosen and tried on a virtual chip, the memory read and backed up.
    Reading,
    /// A step that changes nothing lasting: the trial in RAM, the reading back, the end.
    Step,
    /// A step that writes the memory.
    Writing,
    /// Somebody was asked to do something.
    Hands,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proof => "the proof of the chip",
            Self::Reading => "the reading of the memory",
            Self::Step => "a step",
            Self::Writing => "the writing of the memory",
            Self::Hands => "the step for a person",
        })
    }
}

/// How long each part may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// [`Stage::Proof`].
    pub proof: Duration,
    /// [`Stage::Reading`].
    pub reading: Duration,
    /// [`Stage::Step`].
    pub step: Duration,
    /// [`Stage::Writing`].
    pub writing: Duration,
    /// [`Stage::Hands`].
    pub hands: Duration,
}

impl Default for Limits {
    /// Several times what the slowest part known takes: 64 KiB through a loader at 100 kHz, a
    /// part with 20 ms a byte, three attempts; hands have two minutes.
    fn default() -> Self {
        Self {
            proof: Duration::from_secs(60),
            reading: Duration::from_secs(180),
            step: Duration::from_secs(180),
            writing: Duration::from_secs(900),
            hands: Duration::from_secs(300),
        }
    }
}

impl Limits {
    /// How long that part may take.
    pub fn of(&self, stage: Stage) -> Duration {
        match stage {
            Stage::Proof => self.proof,
            Stage::Reading => self.reading,
            Stage::Step => self.step,
            Stage::Writing => self.writing,
            Stage::Hands => self.hands,
        }
    }
}

/// Follows a run through its stages.
#[derive(Clone, Debug, Default)]
pub struct Follower {
    risks: Vec<Risk>,
    /// Whether a step that writes the memory has begun.
    pub has_written: bool,
}

impl Follower {
    /// The stage that an event begins; `None` when it goes on.
    pub fn follow(&mut self, event: &Event) -> Option<Stage> {
        match event {
            Event::Sighted { .. } => Some(Stage::Proof),
            Event::Proven { .. } => Some(Stage::Reading),
            Event::Planned { steps, .. } => {
                self.risks = steps.iter().map(|step| step.risk).collect();
                Some(Stage::Step)
            }
            Event::StepBegun { step, .. } => {
                let risk = step.checked_sub(1).and_then(|index| self.risks.get(index));
                let writes = risk == Some(&Risk::Persistent);
                self.has_written |= writes;
                Some(if writes { Stage::Writing } else { Stage::Step })
            }
            Event::Asked { .. } => Some(Stage::Hands),
            _ => None,
        }
    }
}
