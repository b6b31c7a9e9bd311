//! What a run of many came to: how many of each, and one exit code.

use serde::Serialize;

use crate::rescue::outcome::{Outcome, Verdict};

/// Exit codes of single runs from the worst on: a device that was changed and is not finished,
/// one that was not rescued, a command line that does not fit, a choice that is needed, all well.
const WORST_FIRST: [u8; 5] = [3, 1, 2, 4, 0];

/// The runs so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Identities that are back, and backups that were restored.
    pub rescued: usize,
    /// Devices that needed no rescue.
    pub healthy: usize,
    /// Devices that were only looked at, as was asked.
    pub planned: usize,
    /// Failures.
    pub failed: usize,
    /// Runs that had not ended when the bench did.
    pub stuck: usize,
    /// The exit code: the worst of all.
    pub exit_code: u8,
}

/// The worse of two exit codes.
pub fn worse(one: u8, other: u8) -> u8 {
    WORST_FIRST.into_iter().find(|code| [one, other].contains(code)).unwrap_or(one.max(other))
}

impl Tally {
    /// Counts a run that has ended.
    pub fn count(&mut self, outcome: &Outcome) {
        match outcome.result {
            Verdict::Rescued | Verdict::Restored => self.rescued += 1,
            Verdict::Healthy => self.healthy += 1,
            Verdict::Planned => self.planned += 1,
            Verdict::Failed => self.failed += 1,
        }
        self.exit_code = worse(self.exit_code, outcome.exit_code());
    }

    /// Counts a run that did not end: its device may be part written.
    pub fn count_stuck(&mut self) {
        self.stuck += 1;
        self.exit_code = worse(self.exit_code, 3);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_the_worst_and_a_part_written_device_the_worst_of_all() {
        assert_eq!(worse(0, 4), 4);
        assert_eq!(worse(4, 1), 1);
        assert_eq!(worse(1, 3), 3);
        assert_eq!(worse(2, 4), 2);
        assert_eq!(worse(0, 0), 0);
        let mut tally = Tally::default();
        tally.count_stuck();
        assert_eq!((tally.stuck, tally.exit_code), (1, 3));
    }
}
