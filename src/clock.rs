//! Time, real or virtual. No other module sleeps or asks what time it is, so a whole rescue can
//! run on a virtual clock, where the seconds a memory needs are counted and not waited for.
//!
//! The virtual clock belongs to the simulator: `sim::clock`.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// A source of time.
pub trait Clock: Send + Sync {
    /// Time passed since some fixed moment; never goes back.
    fn now(&self) -> Duration;
    /// Returns after `duration` has passed on this clock.
    fn sleep(&self, duration: Duration);
    /// The date, for names and records; nothing is decided by it.
    fn date(&self) -> Timestamp;
}

/// The computer's own clock.
#[derive(Debug)]
pub struct RealClock {
    start: Instant,
}

impl RealClock {
    /// A clock that counts from this moment.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for RealClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for RealClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn date(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A moment on a [`Clock`] after which a wait ends.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Duration);

impl Deadline {
    /// The moment `duration` from now.
    pub fn after(clock: &dyn Clock, duration: Duration) -> Self {
        Self(clock.now().saturating_add(duration))
    }

    /// Whether the moment has passed.
    pub fn passed(&self, clock: &dyn Clock) -> bool {
        clock.now() >= self.0
    }

    /// Time left, zero once passed.
    pub fn left(&self, clock: &dyn Clock) -> Duration {
        self.0.saturating_sub(clock.now())
    }
}
