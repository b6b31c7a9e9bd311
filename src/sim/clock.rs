//! The clock of the virtual world: time passes because something takes time, never by itself.
//!
//! Transfers, machine code and write cycles advance it; so does `sleep`, which returns at once.
//! Whole rescues with their seconds of waiting therefore run in milliseconds, and what they took
//! is known to the nanosecond.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;

/// A date for simulations that name none, so that two runs are equal to the byte.
const START: Timestamp = Timestamp::constant(1_762_000_000, 0);

/// Where virtual time ends, far enough from overflow for devices to run past it.
const END: u64 = u64::MAX / 4;

/// A clock that is moved by hand.
#[derive(Debug)]
pub struct VirtualClock {
    nanoseconds: AtomicU64,
    start: Timestamp,
}

impl VirtualClock {
    /// A clock at zero whose date begins at `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        Self { nanoseconds: AtomicU64::new(0), start }
    }

    /// Nanoseconds since the start.
    pub fn nanoseconds(&self) -> u64 {
        self.nanoseconds.load(Ordering::Relaxed)
    }

    /// Moves the clock to `nanoseconds`, unless it is later already; at most to its end after 146
    /// years.
    pub fn reach(&self, nanoseconds: u64) {
        self.nanoseconds.fetch_max(nanoseconds.min(END), Ordering::Relaxed);
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::starting_at(START)
    }
}

/// A duration in whole nanoseconds, at most 146 years: sums of two never overflow.
pub(crate) fn in_nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).map_or(END, |nanoseconds| nanoseconds.min(END))
}

impl Clock for VirtualClock {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds())
    }

    fn sleep(&self, duration: Duration) {
        self.reach(self.nanoseconds().saturating_add(in_nanoseconds(duration)));
    }

    fn date(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.now()).unwrap_or(SignedDuration::MAX);
        self.start.saturating_add(passed).unwrap_or(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_moves_time_and_date_and_nothing_else_does() {
        let clock = VirtualClock::default();
        assert_eq!(clock.now(), Duration::ZERO);
        let before = clock.date();
        clock.sleep(Duration::from_millis(1500));
        assert_eq!(clock.now(), Duration::from_millis(1500));
        assert_eq!(clock.date().duration_since(before), SignedDuration::from_millis(1500));
    }

    #[test]
    fn an_endless_sleep_ends_time_without_overflow() {
        let clock = VirtualClock::default();
        clock.sleep(Duration::MAX);
        clock.sleep(Duration::MAX);
        assert_eq!(clock.nanoseconds(), END);
        assert!(clock.date() > START);
    }

    #[test]
    fn a_clock_never_goes_back() {
        let clock = VirtualClock::default();
        clock.reach(50);
        clock.reach(20);
        assert_eq!(clock.nanoseconds(), 50);
    }
}
