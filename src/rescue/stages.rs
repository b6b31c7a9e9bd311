//! How long each stage of a run took, by the clock of the bus. A value; who measures is
//! `executor::session`.
//!
//! Not to be taken for [`crate::bench`]'s stages: those are limits for a run that hangs.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// A stage of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum RunStage {
    /// The bus is scanned and the device chosen.
    #[default]
    Looking,
    /// The chip is opened and proven.
    Proving,
    /// The image is chosen, checked and booted on the virtual chip.
    Preflight,
    /// The memory is read, judged and backed up.
    Reading,
    /// The plan is made and consented to, and the journal begun.
    Planning,
    /// The image runs from RAM, and the device is opened again after that.
    Trial,
    /// The memory is opened for writing and written.
    Writing,
    /// What was written is read back and compared.
    ReadingBack,
    /// The power is taken away and given back. By hand, until the device has come back.
    PowerAway,
    /// The device starts and enumerates again, after its power is back or it was told to restart.
    Returning,
    /// Its identity is compared and its drive asked.
    Confirming,
}

/// Milliseconds of each stage; zero where a run did not come to it. Together they are the whole
/// run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct StageTimes {
    /// [`RunStage::Looking`].
    pub looking: f64,
    /// [`RunStage::Proving`].
    pub proving: f64,
    /// [`RunStage::Preflight`].
    pub preflight: f64,
    /// [`RunStage::Reading`].
    pub reading: f64,
    /// [`RunStage::Planning`].
    pub planning: f64,
    /// [`RunStage::Trial`].
    pub trial: f64,
    /// [`RunStage::Writing`].
    pub writing: f64,
    /// [`RunStage::ReadingBack`].
    pub reading_back: f64,
    /// [`RunStage::PowerAway`].
    pub power_away: f64,
    /// [`RunStage::Returning`].
    pub returning: f64,
    /// [`RunStage::Confirming`].
    pub confirming: f64,
}

impl StageTimes {
    /// More time of a stage.
    pub fn add(&mut self, stage: RunStage, took: Duration) {
        let milliseconds = match stage {
            RunStage::Looking => &mut self.looking,
            RunStage::Proving => &mut self.proving,
            RunStage::Preflight => &mut self.preflight,
            RunStage::Reading => &mut self.reading,
            RunStage::Planning => &mut self.planning,
            RunStage::Trial => &mut self.trial,
            RunStage::Writing => &mut self.writing,
            RunStage::ReadingBack => &mut self.reading_back,
            RunStage::PowerAway => &mut self.power_away,
            RunStage::Returning => &mut self.returning,
            RunStage::Confirming => &mut self.confirming,
        };
        *milliseconds += took.as_secs_f64() * 1000.0;
    }

    /// Every stage with its name, in the order in which a rescue comes to them.
    pub fn named(&self) -> [(&'static str, f64); 11] {
        [
            ("looking", self.looking),
            ("proving", self.proving),
            ("preflight", self.preflight),
            ("reading", self.reading),
            ("planning", self.planning),
            ("trial", self.trial),
            ("writing", self.writing),
            ("reading_back", self.reading_back),
            ("power_away", self.power_away),
            ("returning", self.returning),
            ("confirming", self.confirming),
        ]
    }
}

impl fmt::Display for StageTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, milliseconds)) in self.named().iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{name} {milliseconds:.1} ms")?;
        }
        Ok(())
    }
}
