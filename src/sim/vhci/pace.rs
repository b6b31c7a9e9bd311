//! Which moment of a device's time is now.
//!
//! A device lives on nanoseconds of its own. Here they are tied to the computer's clock: what a
//! device takes 5 ms for is told 5 ms later, and it lives on while nobody asks it anything. Two
//! things untie the clocks, and both move the knot rather than let a device race: a computer too
//! slow to keep up makes the device's time stand still meanwhile, and a device that has lived
//! ahead of a transfer nobody waits for any more is taken to be where it is.

use std::time::Duration;

use crate::clock::{Clock, RealClock};

/// Idle time that is made up for at once; what is beyond it was not lived.
const MAX_CATCHING_UP: u64 = 20_000_000;

/// The knot between the two times.
#[derive(Debug)]
pub(super) struct Pace {
    clock: RealClock,
    /// Real nanoseconds that the device did not live; negative where it lived ahead.
    lost: i64,
    paced: bool,
}

impl Pace {
    /// The device's time and the computer's are both zero now. Without `paced`, answers come as
    /// soon as they are known.
    pub(super) fn starting_now(paced: bool) -> Self {
        Self { clock: RealClock::new(), lost: 0, paced }
    }

    fn real(&self) -> i64 {
        i64::try_from(self.clock.now().as_nanos()).unwrap_or(i64::MAX)
    }

    /// The device's time now.
    pub(super) fn present(&self) -> u64 {
        u64::try_from(self.real() - self.lost).unwrap_or(0)
    }

    /// How far a device at `reached` is to live before it is asked something.
    pub(super) fn target(&self, reached: u64) -> u64 {
        self.present().min(reached.saturating_add(MAX_CATCHING_UP))
    }

    /// The device is at `reached`, and that is now.
    pub(super) fn tie(&mut self, reached: u64) {
        self.lost = self.real() - i64::try_from(reached).unwrap_or(i64::MAX);
    }

    /// The device was brought to `reached`; what it did not manage is given up.
    pub(super) fn resynchronise(&mut self, reached: u64) {
        if reached < self.present() {
            self.tie(reached);
        }
    }

    /// How long until `moment` of the device's time; zero when answers are not held back.
    pub(super) fn until(&self, moment: u64) -> Duration {
        if !self.paced {
            return Duration::ZERO;
        }
        Duration::from_nanos(moment.saturating_sub(self.present()))
    }

    /// A transfer ended at `reached` of the device's time.
    pub(super) fn after_transfer(&mut self, reached: u64) {
        if !self.paced {
            self.tie(reached);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_waits_for_the_moment_it_belongs_to() {
        let pace = Pace::starting_now(true);
        let wait = pace.until(3_600_000_000_000);
        assert!(wait > Duration::from_secs(3590) && wait <= Duration::from_secs(3600), "{wait:?}");
        assert_eq!(Pace::starting_now(false).until(u64::MAX), Duration::ZERO);
    }

    #[test]
    fn a_device_that_lived_ahead_or_behind_is_taken_to_be_where_it_is() {
        let mut pace = Pace::starting_now(true);
        pace.tie(3_600_000_000_000);
        assert!(pace.present() >= 3_600_000_000_000);
        // It was asked to live to the present and reached only this.
        pace.resynchronise(1_000);
        assert!(pace.present() < 1_000_000_000);
    }

    #[test]
    fn time_that_was_not_lived_is_not_made_up_for() {
        let mut pace = Pace::starting_now(true);
        pace.tie(3_600_000_000_000);
        assert_eq!(pace.target(5), 5 + MAX_CATCHING_UP);
    }
}
