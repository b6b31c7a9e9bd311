//! The clock of the virtual world: time passes because something takes time, never by itself.
//!
//! Transfers, machine code and write cycles advance it; so does `sleep`, which returns at once.
//! Whole rescues with their seconds of waiting therefore run in milliseconds, and what they took
//! is known to the nanosecond.
//!
//! Several may work in one world at once, each with a clock of its own: `turns` lets the one go
//! on whose time is the least.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::turns::{Seat, Turns};
use crate::clock::Clock;

/// A date for simulations that name none, so that two runs are equal to the byte.
const START: Timestamp = Timestamp::constant(1_762_000_000, 0);

/// Where virtual time ends, far enough from overflow for devices to run past it.
const END: u64 = u64::MAX / 4;

/// A participant's clock, moved by hand.
#[derive(Debug)]
pub struct VirtualClock {
    seat: Seat,
    start: Timestamp,
}

impl VirtualClock {
    /// A clock of a world of its own, at zero, whose date begins at `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        Self { seat: Arc::<Turns>::default().take_seat(0), start }
    }

    /// The clock of one more participant in the same world, at the same time. Its holder has its
    /// turn whenever its time is the least, and until it is dropped everybody later waits for it.
    #[must_use]
    pub fn participant(&self) -> Self {
        Self { seat: self.seat.another(), start: self.start }
    }

    /// Does something that waits for other participants in another way than by this clock, a
    /// thread's end for example. Afterwards it is as late here as with the latest of them.
    pub fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.seat.aside(work)
    }

    /// From now on lets `factor` seconds pass in one second of the computer's clock, at most.
    pub fn pace(&self, factor: f64) {
        self.seat.pace(factor);
    }

    /// Nanoseconds since the start.
    pub fn nanoseconds(&self) -> u64 {
        self.seat.now()
    }

    /// Moves the clock to `nanoseconds`, unless it is later already; at most to its end after 146
    /// years. Returns when nobody else's time is less.
    pub fn advance_to(&self, nanoseconds: u64) {
        self.seat.advance_to(nanoseconds.min(END));
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
        self.advance_to(self.nanoseconds().saturating_add(in_nanoseconds(duration)));
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
        clock.advance_to(50);
        clock.advance_to(20);
        assert_eq!(clock.nanoseconds(), 50);
    }
}
