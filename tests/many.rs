//! Many units at once: nobody waits for another, nothing is rescued twice, nothing is lost when
//! the bench is stopped or killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::hall::{Hall, auto, once, port, quit_after};
use recover::bench::{BenchEvent, Command, Notice, NoticeContent};
use recover::clock::Clock;
use recover::executor::Event;
use recover::failure::{Code, DeviceState};
use recover::rescue::Verdict;
use recover::sim::{Faults, SimBus, scenario};
use recover::usb::{Bus, BusError, Link, Reply, Sighting, Transfer, TransferError};

const MIX: [&str; 5] =
    ["sl11r-zeroed", "at2lp-rc42", "ezusb-blank", "ez-otg-blank", "sl11r-healthy"];

/// A bus whose every transfer is told of before it is made.
struct Watched<F> {
    bus: SimBus,
    before: Arc<F>,
}

struct WatchedLink<F> {
    link: Box<dyn Link>,
    before: Arc<F>,
}

impl<F: Fn(&dyn Clock) + Send + Sync + 'static> Bus for Watched<F> {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        self.bus.scan()
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        let link = self.bus.open(seen)?;
        Ok(Box::new(WatchedLink { link, before: Arc::clone(&self.before) }))
    }

    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError> {
        self.bus.reset(seen)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.bus.clock()
    }
}

impl<F: Fn(&dyn Clock) + Send + Sync> Link for WatchedLink<F> {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        (self.before)(&*self.link.clock());
        self.link.exchange(transfer)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.link.clock()
    }
}

fn nothing(_: &Notice) -> Vec<Command> {
    Vec::new()
}

/// Whether a notice is the beginning of that step at that port.
fn begins(notice: &Notice, index: u8, step: usize) -> bool {
    notice.port == Some(port(index))
        && matches!(&notice.what, NoticeContent::Run(Event::StepBegun { step: begun, .. }) if *begun == step)
}

#[test]
fn many_take_as_long_as_the_slowest_and_every_run_is_the_same() {
    let run = || {
        let hall = Hall::with_units(&MIX, Duration::ZERO);
        hall.wait_for_enumeration();
        hall.run(once(), nothing)
    };
    let first = run();
    assert_eq!(first.tally.rescued, 4, "{:#?}", first.json());
    assert_eq!((first.tally.healthy, first.tally.failed, first.tally.exit_code), (1, 0, 0));
    let outcomes = first.outcomes();
    let slowest = outcomes.values().map(|(_, outcome)| outcome.device_time_ms).fold(0.0, f64::max);
    let total = first.notices.last().unwrap().at_ms as f64;
    assert!(total <= slowest * 1.05, "{total} ms, the slowest alone {slowest} ms");
    for _ in 0..3 {
        assert_eq!(run().json(), first.json());
    }
}

#[test]
fn the_exit_code_is_the_worst_and_each_has_its_own_error() {
    let names = ["sl11r-zeroed", "sl11r-write-protected", "sl11r-stuck-byte", "ezusb-dead-eeprom"];
    let hall = Hall::with_units(&names, Duration::ZERO);
    hall.wait_for_enumeration();
    let ran = hall.run(once(), nothing);
    let codes: Vec<_> =
        ran.outcomes().values().map(|(_, o)| o.failure.as_ref().map(|f| f.code)).collect();
    assert_eq!(codes, [None, Some(Code::R106), Some(Code::R108), Some(Code::R103)]);
    assert_eq!(ran.tally.exit_code, 3, "the stuck byte left its device part written");
}

#[test]
fn a_unit_is_rescued_once_and_the_next_one_in_its_port_again() {
    let hall = Hall::with_units(&["sl11r-zeroed"], Duration::ZERO);
    let hands = hall.bus.participant();
    let person = thread::spawn(move || {
        hands.clock().sleep(Duration::from_secs(20));
        hands.unplug(&port(0));
        hands.clock().sleep(Duration::from_secs(3));
        let next = scenario("at2lp-rc42").unwrap().device();
        hands.plug_in_at(hands.virtual_time(), port(0), next, Faults::none());
    });
    let ran = hall.run(auto(), quit_after(2));
    person.join().unwrap();
    assert_eq!(ran.tally.rescued, 2);
    // The restarts of the units themselves are no arrivals.
    assert_eq!(ran.happenings(&port(0)), ["arrived", "begun", "left", "arrived", "begun"]);
}

#[test]
fn a_rescued_unit_that_is_plugged_in_again_is_left_alone() {
    let hall = Hall::with_units(&["sl11r-zeroed"], Duration::ZERO);
    let hands = hall.bus.participant();
    let person = thread::spawn(move || {
        hands.clock().sleep(Duration::from_secs(20));
        hands.replug(&port(0));
    });
    let quit = |notice: &Notice| match notice.what {
        NoticeContent::Bench(BenchEvent::LeftAlone { .. }) => vec![Command::Quit],
        _ => Vec::new(),
    };
    let ran = hall.run(auto(), quit);
    person.join().unwrap();
    assert_eq!(ran.happenings(&port(0)), ["arrived", "begun", "left", "left-alone"]);
}

#[test]
fn without_auto_a_unit_waits_to_be_told() {
    let hall = Hall::with_units(&["sl11r-zeroed", "at2lp-rc42"], Duration::ZERO);
    let mut left = quit_after(1);
    let answer = move |notice: &Notice| match &notice.what {
        NoticeContent::Bench(BenchEvent::Arrived { waits: true, .. })
            if notice.port == Some(port(1)) =>
        {
            vec![Command::Skip(port(0)), Command::Start(port(1))]
        }
        _ => left(notice),
    };
    let ran = hall.run(recover::bench::Mode::default(), answer);
    assert_eq!(ran.happenings(&port(0)), ["arrived", "skipped"]);
    assert_eq!(ran.happenings(&port(1)), ["arrived", "begun"]);
    assert_eq!((ran.tally.rescued, ran.tally.failed), (1, 0));
}

#[test]
fn a_unit_that_failed_is_begun_again_when_told_to() {
    let hall = Hall::with_units(&["sl11r-write-protected"], Duration::ZERO);
    let mut runs = 0;
    let answer = move |notice: &Notice| match &notice.what {
        NoticeContent::Run(Event::Outcome { .. }) => {
            runs += 1;
            vec![if runs < 3 { Command::Start(port(0)) } else { Command::Quit }]
        }
        _ => Vec::new(),
    };
    let ran = hall.run(auto(), answer);
    // Each run left it running from RAM, so each retry begins with its power.
    assert_eq!(ran.tally.failed, 3, "{:#?}", ran.json());
}

#[test]
fn a_worker_that_breaks_holds_nobody_up_and_is_told_of() {
    let hall = Hall::with_units(&["sl11r-zeroed", "sl11r-zeroed"], Duration::ZERO);
    hall.wait_for_enumeration();
    let count = AtomicU64::new(0);
    let breaks = Arc::new(move |_: &dyn Clock| {
        assert!(count.fetch_add(1, Ordering::Relaxed) < 150, "on purpose");
    });
    let ran = hall.run_disguised(once(), nothing, &move |at, bus| {
        if *at == port(0) {
            Box::new(Watched { bus, before: Arc::clone(&breaks) })
        } else {
            Box::new(bus)
        }
    });
    let outcomes = ran.outcomes();
    let failure = outcomes[&port(0)].1.failure.clone().unwrap();
    assert_eq!((failure.code, failure.device), (Code::R406, DeviceState::PartWritten));
    assert_eq!(outcomes[&port(1)].1.result, Verdict::Rescued);
    let again = hall.run(once(), nothing);
    assert_eq!(again.tally.rescued, 1, "{:#?}", again.json());
}

#[test]
fn a_worker_past_its_limit_is_told_of_and_its_port_left_to_itself() {
    let hall = Hall::with_units(&["sl11r-zeroed", "sl11r-zeroed"], Duration::ZERO);
    hall.wait_for_enumeration();
    let count = AtomicU64::new(0);
    let sticks = Arc::new(move |clock: &dyn Clock| {
        if count.fetch_add(1, Ordering::Relaxed) == 150 {
            clock.sleep(Duration::from_secs(2000));
        }
    });
    let disguise = move |at: &_, bus| -> Box<dyn Bus + Send> {
        if *at == port(0) {
            Box::new(Watched { bus, before: Arc::clone(&sticks) })
        } else {
            Box::new(bus)
        }
    };
    let ran = hall.run_disguised(auto(), quit_after(2), &disguise);
    let stuck = ran
        .notices
        .iter()
        .find(|n| matches!(n.what, NoticeContent::Bench(BenchEvent::Stuck { .. })))
        .unwrap();
    let writing = hall.limits.writing;
    let at = Duration::from_millis(stuck.at_ms);
    assert!(at > writing && at < writing + Duration::from_secs(10), "{at:?}");
    let other = ran.outcomes()[&port(1)].0;
    assert!(other < 10_000, "the other one was held up: {other} ms");
    assert_eq!(ran.happenings(&port(0)), ["arrived", "begun", "stuck"]);
    assert_eq!(ran.tally.rescued, 2, "it went on in the end");
}

#[test]
fn asked_to_quit_a_run_that_writes_goes_on_and_nothing_new_begins() {
    let hall = Hall::with_units(&["sl11r-zeroed"], Duration::ZERO);
    // The first writes its body from about one second on, for more than two.
    hall.plug_in_at(Duration::from_millis(1_500), 1, "sl11r-blank");
    hall.plug_in_at(Duration::from_millis(2_500), 2, "sl11r-zeroed");
    let mut writes = false;
    let ran = hall.run(auto(), move |notice| {
        writes |= begins(notice, 0, 3);
        let proven = notice.port == Some(port(1))
            && matches!(notice.what, NoticeContent::Run(Event::Proven { .. }));
        if writes && proven { vec![Command::Quit] } else { Vec::new() }
    });
    let outcomes = ran.outcomes();
    assert_eq!(outcomes[&port(0)].1.result, Verdict::Rescued);
    let failure = outcomes[&port(1)].1.failure.clone().unwrap();
    assert_eq!(failure.code, Code::R405);
    assert_ne!(failure.device, DeviceState::PartWritten);
    assert!(!outcomes.contains_key(&port(2)), "it came after");
    assert!(hall.store().unfinished().unwrap().is_empty());
}

#[test]
fn asked_twice_to_quit_the_write_still_ends_and_the_next_run_finishes() {
    let hall = Hall::with_units(&["sl11r-zeroed"], Duration::ZERO);
    let ran = hall.run(auto(), |notice| {
        if begins(notice, 0, 3) { vec![Command::Quit, Command::Quit] } else { Vec::new() }
    });
    let failure = ran.outcomes()[&port(0)].1.failure.clone().unwrap();
    // All of it was written and read back; only the restart was not waited for.
    assert_eq!((failure.code, failure.device), (Code::R405, DeviceState::Written));
    assert_eq!(ran.tally.exit_code, 3);
    let again = hall.run(auto(), quit_after(1));
    assert_eq!(again.happenings(&port(0))[0], "in-flight");
    assert_eq!(again.tally.rescued, 1);
}

#[test]
fn killed_at_any_point_the_next_run_shows_what_was_in_flight_and_finishes_it() {
    let names = ["sl11r-zeroed", "at2lp-rc42", "ezusb-blank"];
    let mut in_flight = 0;
    for last in (20..700).step_by(40) {
        let hall = Hall::with_units(&names, Duration::ZERO);
        hall.wait_for_enumeration();
        let count = AtomicU64::new(0);
        // Nothing a worker would do after this transfer is done: its thread ends, and what it
        // has on the disk is what it had.
        let kill = Arc::new(move |_: &dyn Clock| {
            assert!(count.fetch_add(1, Ordering::Relaxed) < last, "killed on purpose");
        });
        hall.run_disguised(once(), nothing, &move |_, bus| {
            Box::new(Watched { bus, before: Arc::clone(&kill) })
        });
        let unfinished: Vec<_> = hall
            .store()
            .unfinished()
            .unwrap()
            .iter()
            .map(|file| file.journal().begun().port.clone())
            .collect();
        in_flight += unfinished.len();
        let ran = hall.run(once(), nothing);
        for index in 0..3 {
            let told = ran.happenings(&port(index)).contains(&"in-flight".to_owned());
            assert_eq!(told, unfinished.contains(&port(index)), "killed after {last}");
            let seen = hall.bus.sighting(&port(index)).unwrap();
            assert!(
                ["04ce:0002", "04b4:6830", "1209:0001"].contains(&seen.ids.to_string().as_str()),
                "killed after {last}: {seen:?}"
            );
        }
        assert_eq!(ran.tally.failed, 0, "killed after {last}: {:#?}", ran.json());
        // One that is whole and has no serial number may as well be another unit: it is told.
        let told = ran.outcomes();
        for file in hall.store().unfinished().unwrap() {
            let outcome = &told[&file.journal().begun().port].1;
            assert_eq!(outcome.result, Verdict::Healthy, "killed after {last}");
            let is_told = outcome.notes.iter().any(|note| note.contains("recover resume"));
            assert!(is_told, "killed after {last}: {:?}", outcome.notes);
            assert_eq!(outcome.write_cycles, 0);
        }
    }
    assert!(in_flight > 10, "{in_flight}");
}
