//! Whose turn it is: several participants share one virtual world, each with a time of its own,
//! and only the participant with the smallest time goes on.
//!
//! What a participant does between two waits therefore happens at one moment, nobody has been
//! later before, and two runs are equal whatever the computer's own threads do. Work that goes on
//! at once takes as long as the longest of it and not as long as all of it together.
//!
//! A participant that has to wait for another one waits by its clock: it sleeps a little and
//! looks again. One that would wait in any other way stands aside first, or nobody whose time is
//! later could go on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, RealClock};

/// A participant's time, then its number: the order of turns.
type Place = (u64, u64);

#[derive(Debug, Default)]
struct Table {
    /// Every participant, and what wakes it.
    seats: BTreeMap<Place, Arc<Condvar>>,
    /// Participants so far; the next one's number.
    taken: u64,
    /// The latest time anybody has reached.
    latest: u64,
    pace: Option<Arc<Pace>>,
}

impl Table {
    fn is_first(&self, number: u64) -> bool {
        self.seats.first_key_value().is_none_or(|((_, first), _)| *first == number)
    }

    fn wake_first(&self) {
        if let Some((_, bell)) = self.seats.first_key_value() {
            bell.notify_all();
        }
    }
}

/// Virtual time held back to what a person can follow.
#[derive(Debug)]
struct Pace {
    real: RealClock,
    /// Virtual nanoseconds when it was set.
    from: u64,
    /// Virtual seconds to a real one.
    factor: f64,
}

impl Pace {
    fn hold_back(&self, now: u64) {
        let passed = Duration::from_nanos(now.saturating_sub(self.from)).as_secs_f64();
        let due = Duration::try_from_secs_f64(passed / self.factor).unwrap_or(Duration::MAX);
        let early = due.saturating_sub(self.real.now());
        if !early.is_zero() {
            self.real.sleep(early);
        }
    }
}

/// The participants of one virtual world.
#[derive(Debug, Default)]
pub(super) struct Turns {
    table: Mutex<Table>,
}

impl Turns {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat for one more participant, whose time begins at `now`.
    pub(super) fn take_seat(self: &Arc<Self>, now: u64) -> Seat {
        let mut table = self.table();
        let number = table.taken;
        table.taken += 1;
        let bell = Arc::new(Condvar::new());
        table.seats.insert((now, number), Arc::clone(&bell));
        Seat { turns: Arc::clone(self), number, now: AtomicU64::new(now), bell }
    }

    /// Lets `factor` virtual seconds pass in a real one, from `now` on.
    pub(super) fn pace(&self, now: u64, factor: f64) {
        self.table().pace = Some(Arc::new(Pace { real: RealClock::new(), from: now, factor }));
    }
}

/// A participant's seat; given up when dropped, also when its thread panics.
#[derive(Debug)]
pub(super) struct Seat {
    turns: Arc<Turns>,
    number: u64,
    now: AtomicU64,
    bell: Arc<Condvar>,
}

impl Seat {
    /// The participant's time.
    pub(super) fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Another seat in the same world, at the same time.
    pub(super) fn another(&self) -> Self {
        self.turns.take_seat(self.now())
    }

    /// See [`Turns::pace`].
    pub(super) fn pace(&self, factor: f64) {
        self.turns.pace(self.now(), factor);
    }

    /// Moves the participant's time to `time`, unless it is later already, and waits for its turn.
    pub(super) fn advance_to(&self, time: u64) {
        let mut table = self.turns.table();
        let from = self.now();
        if time > from {
            table.seats.remove(&(from, self.number));
            table.seats.insert((time, self.number), Arc::clone(&self.bell));
            table.latest = table.latest.max(time);
            self.now.store(time, Ordering::Relaxed);
        }
        if !table.is_first(self.number) {
            table.wake_first();
        }
        while !table.is_first(self.number) {
            table = self.bell.wait(table).unwrap_or_else(PoisonError::into_inner);
        }
        let pace = table.pace.clone();
        drop(table);
        // Everybody else is later, so nobody is kept waiting.
        if let Some(pace) = pace {
            pace.hold_back(self.now());
        }
    }

    /// Does something without a time of its own: the others go on meanwhile, and afterwards it is
    /// as late as the latest of them has become.
    pub(super) fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.leave();
        let result = work();
        let mut table = self.turns.table();
        let now = self.now().max(table.latest);
        table.seats.insert((now, self.number), Arc::clone(&self.bell));
        self.now.store(now, Ordering::Relaxed);
        result
    }

    fn leave(&self) {
        let mut table = self.turns.table();
        table.seats.remove(&(self.now(), self.number));
        table.wake_first();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Lets participants that sleep so long and so often go on at once; what each did, in order,
    /// and when the last was done.
    fn run(steps: &[(u64, usize)]) -> (Vec<(u64, usize)>, u64) {
        let turns = Arc::new(Turns::default());
        let main = turns.take_seat(0);
        let done = Arc::new(Mutex::new(Vec::new()));
        let threads: Vec<_> = steps
            .iter()
            .enumerate()
            .map(|(who, (length, times))| {
                let (seat, done) = (main.another(), Arc::clone(&done));
                let (length, times) = (*length, *times);
                thread::spawn(move || {
                    for _ in 0..times {
                        seat.advance_to(seat.now() + length);
                        done.lock().unwrap().push((seat.now(), who));
                    }
                })
            })
            .collect();
        main.aside(|| threads.into_iter().for_each(|thread| thread.join().unwrap()));
        let done = done.lock().unwrap().clone();
        (done, main.now())
    }

    #[test]
    fn what_goes_on_at_once_takes_as_long_as_the_longest_and_not_the_sum() {
        let (_, end) = run(&[(10, 30), (7, 100), (100, 2)]);
        assert_eq!(end, 700);
    }

    #[test]
    fn things_happen_in_the_order_of_their_times_in_every_run() {
        let steps = [(10, 30), (7, 50), (35, 9), (7, 50)];
        let (first, _) = run(&steps);
        assert!(first.is_sorted(), "ties go by number");
        for _ in 0..20 {
            assert_eq!(run(&steps).0, first);
        }
    }

    #[test]
    fn one_who_panics_holds_nobody_up() {
        let turns = Arc::new(Turns::default());
        let main = turns.take_seat(0);
        let seat = main.another();
        let thread = thread::spawn(move || {
            seat.advance_to(5);
            panic!("on purpose");
        });
        main.advance_to(1000);
        assert!(thread.join().is_err());
        assert_eq!(main.now(), 1000);
    }

    #[test]
    fn alone_nobody_waits() {
        let seat = Arc::new(Turns::default()).take_seat(3);
        seat.advance_to(50);
        seat.advance_to(20);
        assert_eq!(seat.now(), 50);
    }
}
