//! The clock of a replay: it stands at the recorded moment of whatever was replayed last, and
//! moves on when the program sleeps.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;

#[derive(Debug)]
pub(super) struct TraceClock {
    start: Timestamp,
    now: Mutex<Duration>,
}

impl TraceClock {
    pub(super) fn new(start: Timestamp) -> Self {
        Self { start, now: Mutex::new(Duration::ZERO) }
    }

    /// Lets an event happen that began at `at` and took `took`. A program that slept longer than
    /// the recorded one is already beyond `at`; the event then begins now.
    pub(super) fn pass(&self, at: Duration, took: Duration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = (*now).max(at).saturating_add(took);
    }
}

impl Clock for TraceClock {
    fn now(&self) -> Duration {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(&self, duration: Duration) {
        self.pass(Duration::ZERO, duration);
    }

    fn date(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.now()).unwrap_or(SignedDuration::MAX);
        self.start.saturating_add(passed).unwrap_or(Timestamp::MAX)
    }
}
