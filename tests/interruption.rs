//! The rescue property [design R3]: whatever happens to any single transfer, the device is never
//! left booting half an image, no byte is changed without a backup, and the same command finishes
//! the rescue.

#![expect(clippy::indexing_slicing, reason = "an index modulo the length")]
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]
#![expect(clippy::print_stdout, reason = "it tells how many interruptions it tried")]

use std::time::Duration;

use crate::support::cuts::{Beat, CUTS_MS, Watched, cuts};
use crate::support::{Desk, port, simulated, with_profile};
use recover::executor::Request;
use recover::failure::{Code, DeviceState};
use recover::rescue::{Outcome, Verdict};
use recover::sim::scenarios::{Ending, Expectation};
use recover::sim::{Fault, Scenario, SimBus, scenarios};
use recover::usb::Bus;

/// What can happen to any transfer.
const FAULTS: [Fault; 3] = [Fault::Unplug(Duration::ZERO), Fault::Stall, Fault::TimeOut];

/// Tried as well where the same code runs on other bytes only: power lost inside a write cycle,
/// and half an answer.
const FURTHER_FAULTS: [Fault; 2] = [Fault::Unplug(Duration::from_millis(3)), Fault::Short];

/// Here every transfer meets every fault. In the other scenarios the plug is pulled at every
/// transfer, each write is cut off once more, and one in four meets one of the other faults: they run the same code on other bytes,
/// and a virtual CPU that clocks every bit takes its time.
const THOROUGH: [&str; 3] = ["sl11r-half-written", "ez-otg-small", "ezusb-half-written"];

/// `--auto` as it is typed for this scenario: the SL11R by itself, an EZ chip by its profile.
fn request(scenario: &Scenario) -> Request {
    match scenario.model {
        "sl11r" => Request::default(),
        "ez-host" => with_profile(&simulated("ez-otg")),
        model => with_profile(&simulated(model)),
    }
}

/// What the device would start as, were it plugged in again now.
fn starts_as_boot_id(desk: &Desk) -> bool {
    let bus = &desk.bus;
    bus.set_faults(&port(), recover::sim::Faults::none());
    bus.replug(&port());
    bus.wait_for_enumeration(&port());
    let seen = bus.sighting(&port()).unwrap();
    let boot_ids = ["04ce:07d1", "04b4:7200", "04b4:8613", "04b4:6473", "0547:2131", "0547:2235"];
    boot_ids.contains(&seen.ids.to_string().as_str())
}

fn check_after_the_fault(
    scenario: &Scenario,
    desk: &Desk,
    before: &[u8],
    outcome: &Outcome,
    what: &str,
) {
    let now = desk.eeprom();
    if now != before {
        assert!(desk.has_backup_of(before), "{what}: changed without a backup");
    }
    match outcome.device_state {
        DeviceState::Untouched | DeviceState::RunningFromRam | DeviceState::Disconnected => {
            assert_eq!(now, before, "{what}: said {:?}", outcome.device_state);
        }
        DeviceState::PartWritten | DeviceState::Written | DeviceState::Restored => {}
    }
    if let Some(failure) = &outcome.failure {
        assert!(!failure.next.is_empty(), "{what}: {failure} says nothing about what to do");
    }
    let complete = now.starts_with(scenario.factory_image());
    if !complete {
        assert!(starts_as_boot_id(desk), "{what}: it starts from half an image");
    }
}

/// What a transfer of the scenario's rescue meets, each in a rescue of its own.
fn faults_at(scenario: &Scenario, number: u64, beat: Beat) -> Vec<Fault> {
    let [unplug, stall, time_out] = FAULTS;
    let is_thorough = THOROUGH.contains(&scenario.name);
    let mut faults = match number % 8 {
        _ if is_thorough => [&FAULTS[..], &FURTHER_FAULTS].concat(),
        0 => vec![unplug, stall],
        4 => vec![unplug, time_out],
        _ => vec![unplug],
    };
    if beat.wrote && is_thorough {
        // A write cycle may outlast the transfer that began it.
        let fixed = CUTS_MS.map(Duration::from_millis);
        faults.extend(fixed.into_iter().chain(cuts(beat.length)).map(Fault::Unplug));
    } else if beat.wrote {
        let cut = CUTS_MS[number as usize % CUTS_MS.len()];
        faults.push(Fault::Unplug(Duration::from_millis(cut)));
    }
    let mut once = Vec::new();
    for fault in faults {
        if !once.contains(&fault) {
            once.push(fault);
        }
    }
    once
}

/// Interrupts a rescue of the scenario at every transfer; returns how often.
fn interrupt_everywhere(scenario: &'static Scenario) -> u64 {
    let request = request(scenario);
    let mut whole = Desk::new(scenario);
    let mut watched = Watched::new(&whole);
    let outcome = whole.run_on(&mut watched, |session| session.rescue(&request));
    assert_eq!(outcome.result, Verdict::Rescued, "{}: {:?}", scenario.name, outcome.failure);
    let beats = watched.beats();
    assert!(beats.iter().any(|beat| beat.wrote), "{}: no write was seen", scenario.name);
    let rescued = whole.eeprom();
    let mut tried = 0;
    for (number, beat) in (1..).zip(beats) {
        for fault in faults_at(scenario, number, beat) {
            let what = format!("{}, {fault:?} at transfer {number}", scenario.name);
            let mut desk = Desk::new(scenario);
            let before = desk.eeprom();
            desk.disturb(number, fault);
            let outcome = desk.rescue(&request);
            check_after_the_fault(scenario, &desk, &before, &outcome, &what);
            if outcome.result == Verdict::Rescued
                && let Fault::Unplug(later) = fault
            {
                // The rescue may have ended before the plug was pulled.
                desk.bus.clock().sleep(later);
            }
            desk.mend();
            let again = desk.rescue(&request);
            assert!(
                matches!(again.result, Verdict::Rescued | Verdict::Healthy),
                "{what}: not finished: {:?}",
                again.failure
            );
            assert_eq!(desk.eeprom(), rescued, "{what}: other bytes than an undisturbed rescue");
            tried += 1;
        }
    }
    tried
}

/// What one test interrupts.
#[derive(Clone, Copy)]
enum Share {
    /// Every rescued scenario of a model.
    Model(&'static str),
    /// One scenario; the slow ones have a test of their own, so that tests share the work.
    One(&'static str),
}

impl Share {
    fn has(self, scenario: &Scenario) -> bool {
        match self {
            Self::Model(model) => scenario.model == model,
            Self::One(name) => scenario.name == name,
        }
    }

    /// Interrupts all of it; tells how often.
    fn interrupt(self, test: &str) {
        let found: Vec<_> = rescued().filter(|scenario| self.has(scenario)).collect();
        assert!(!found.is_empty());
        let tried: u64 = found.iter().copied().map(interrupt_everywhere).sum();
        let count = found.len();
        println!("{test}: {tried} interruptions in {count} scenarios, each finished");
        assert!(tried > 50);
    }
}

/// The scenarios that a rescue rescues. The AT2LP's are interrupted in tests/at2lp.rs.
fn rescued() -> impl Iterator<Item = &'static Scenario> {
    let is_rescued = |one: &&Scenario| one.expectation == Expectation::Rescued;
    scenarios().iter().filter(is_rescued).filter(|one| one.model != "at2lp")
}

/// Makes a test of every share, and the list of them.
macro_rules! shares {
    ($($test:ident: $share:expr;)*) => {
        const SHARES: &[Share] = &[$($share),*];
        $(
            #[test]
            fn $test() {
                $share.interrupt(stringify!($test));
            }
        )*
    };
}

shares! {
    an_interrupted_rescue_of_an_sl11r_is_finished_by_the_same_command: Share::Model("sl11r");
    an_interrupted_rescue_of_a_blank_ez_otg_is_finished_by_the_same_command: Share::One("ez-otg-blank");
    an_interrupted_rescue_of_a_zeroed_ez_otg_is_finished_by_the_same_command: Share::One("ez-otg-zeroed");
    an_interrupted_rescue_of_a_small_ez_otg_is_finished_by_the_same_command: Share::One("ez-otg-small");
    an_interrupted_rescue_of_a_half_written_ez_otg_is_finished_by_the_same_command: Share::One("ez-otg-half-written");
    an_interrupted_rescue_of_blank_ezusb_is_finished_by_the_same_command: Share::One("ezusb-blank");
    an_interrupted_rescue_of_zeroed_ezusb_is_finished_by_the_same_command: Share::One("ezusb-zeroed");
    an_interrupted_rescue_of_half_written_ezusb_is_finished_by_the_same_command: Share::One("ezusb-half-written");
    an_interrupted_rescue_of_small_ezusb_is_finished_by_the_same_command: Share::One("ezusb-small");
    an_interrupted_rescue_of_large_ezusb_is_finished_by_the_same_command: Share::One("ezusb-large");
    an_interrupted_rescue_of_largest_ezusb_is_finished_by_the_same_command: Share::One("ezusb-largest");
    an_interrupted_rescue_of_fram_ezusb_is_finished_by_the_same_command: Share::One("ezusb-fram");
    an_interrupted_rescue_of_an_fx2_is_finished_by_the_same_command: Share::Model("fx2");
    an_interrupted_rescue_of_an_fx1_is_finished_by_the_same_command: Share::Model("fx1");
    an_interrupted_rescue_of_an_fx_is_finished_by_the_same_command: Share::Model("fx");
    an_interrupted_rescue_of_an_an2131_is_finished_by_the_same_command: Share::Model("an2131");
    an_interrupted_rescue_of_an_ez_host_is_finished_by_the_same_command: Share::Model("ez-host");
}

#[test]
fn a_device_that_must_not_be_written_is_not_whatever_is_disturbed() {
    let mut tried = 0;
    for scenario in scenarios() {
        if !matches!(scenario.expectation, Expectation::Untouched(_)) {
            continue;
        }
        let mut whole = Desk::new(scenario);
        whole.rescue(&Request::default());
        for number in 1..=whole.bus.transfers(&port()) + 1 {
            for fault in FAULTS {
                let mut desk = Desk::new(scenario);
                let before = desk.eeprom();
                desk.disturb(number, fault);
                desk.rescue(&Request::default());
                assert_eq!(desk.eeprom(), before, "{}, {fault:?} at {number}", scenario.name);
                assert_eq!(desk.write_cycles(), 0, "{}, {fault:?} at {number}", scenario.name);
                tried += 1;
            }
        }
    }
    println!("{tried} interruptions of devices that must not be written, none written");
    assert!(tried > 10);
}

/// A part of the wrong kind: whatever is disturbed on the way, it is not written beyond the one
/// byte that tells, which a second run puts back or says.
#[test]
fn a_part_in_the_wrong_place_is_never_harmed_whatever_is_disturbed() {
    let mut tried = 0;
    for scenario in scenarios() {
        if !matches!(scenario.expectation, Expectation::Refused(Ending { code: Some("R118"), .. }))
        {
            continue;
        }
        let mut whole = Desk::new(scenario);
        let before = whole.eeprom();
        whole.rescue(&request(scenario));
        for number in 1..=whole.bus.transfers(&port()) + 1 {
            for fault in FAULTS {
                let what = format!("{}, {fault:?} at {number}", scenario.name);
                let mut desk = Desk::new(scenario);
                desk.disturb(number, fault);
                let outcome = desk.rescue(&request(scenario));
                let now = desk.eeprom();
                let changed: Vec<usize> =
                    (0..now.len()).filter(|at| now[*at] != before[*at]).collect();
                assert!(matches!(changed.as_slice(), [] | [0x80]), "{what}: {changed:x?}");
                if !changed.is_empty() {
                    assert_eq!(outcome.device_state, DeviceState::PartWritten, "{what}");
                    assert!(desk.has_backup_of(&before), "{what}");
                }
                desk.mend();
                let again = desk.rescue(&request(scenario));
                assert_ne!(again.result, Verdict::Rescued, "{what}");
                tried += 1;
            }
        }
    }
    println!("{tried} interruptions of parts in the wrong place, none harmed");
    assert!(tried > 50);
}

#[test]
fn random_disturbances_never_lose_a_device() {
    let mut finished_at_once = 0;
    const SEEDS: u64 = 24;
    for seed in 0..SEEDS {
        for scenario in
            [crate::support::scenario("sl11r-zeroed"), crate::support::scenario("ez-otg-zeroed")]
        {
            let request = request(scenario);
            let mut desk = Desk::new(scenario);
            let before = desk.eeprom();
            desk.bus.set_faults(&port(), recover::sim::Faults::seeded(seed));
            let outcome = desk.rescue(&request);
            let what = format!("{}, seed {seed}", scenario.name);
            finished_at_once += u64::from(outcome.result == Verdict::Rescued);
            check_after_the_fault(scenario, &desk, &before, &outcome, &what);
            if outcome.result == Verdict::Rescued {
                // The rescue may have ended before the plug was pulled.
                desk.bus.clock().sleep(Duration::from_millis(100));
            }
            desk.mend();
            let again = desk.rescue(&request);
            assert!(
                matches!(again.result, Verdict::Rescued | Verdict::Healthy),
                "{what}: not finished: {:?}",
                again.failure
            );
        }
    }
    println!(
        "{finished_at_once} of {} disturbed rescues finished at once, the rest at the second run",
        SEEDS * 2
    );
}

#[test]
fn a_killed_program_is_taken_up_from_its_journal() {
    let scenario = crate::support::scenario("sl11r-zeroed");
    let mut desk = Desk::new(scenario);
    let outcome = desk.rescue(&request(scenario));
    assert_eq!(outcome.result, Verdict::Rescued);
    assert!(
        desk.store.unfinished().unwrap().is_empty(),
        "a finished rescue leaves no open journal"
    );

    // Pulled out while the body is written: the journal stays open and names the port.
    let mut desk = Desk::new(scenario);
    desk.disturb(outcome.transfers / 2, Fault::Unplug(Duration::ZERO));
    let mut number = outcome.transfers / 2;
    let mut interrupted = desk.rescue(&Request::default());
    while interrupted.device_state != DeviceState::PartWritten {
        number += 1;
        assert!(number < outcome.transfers, "no transfer leaves it part written");
        desk = Desk::new(scenario);
        desk.disturb(number, Fault::Unplug(Duration::ZERO));
        interrupted = desk.rescue(&Request::default());
    }
    assert_eq!(interrupted.exit_code(), 3);
    let unfinished = desk.store.unfinished().unwrap();
    assert_eq!(unfinished.len(), 1);
    assert_eq!(unfinished[0].journal().begun().port, SimBus::scenario_port());
    assert!(unfinished[0].journal().may_have_written());
    desk.mend();
    let again = desk.rescue(&Request::default());
    assert_eq!(again.result, Verdict::Rescued, "{:?}", again.failure);
    assert!(desk.store.unfinished().unwrap().is_empty());
}

#[test]
fn every_rescued_scenario_is_interrupted_by_some_test() {
    for scenario in rescued() {
        let is_covered = SHARES.iter().any(|share| share.has(scenario));
        assert!(is_covered, "{} is interrupted by no test", scenario.name);
    }
}

#[test]
fn another_device_in_the_port_of_an_unfinished_rescue_is_not_taken_for_it() {
    let scenario = crate::support::scenario("ez-otg-blank");
    let interrupted = |number| {
        let mut desk = Desk::new(scenario);
        desk.disturb(number, Fault::Unplug(Duration::ZERO));
        let outcome = desk.rescue(&request(scenario));
        (outcome.device_state == DeviceState::PartWritten).then_some(desk)
    };
    let mut desk = (80..200).find_map(interrupted).unwrap();
    assert_eq!(desk.store.unfinished().unwrap().len(), 1);
    let board = crate::support::scenario("ez-otg-devboard");
    desk.bus.plug_in(port(), board.device(), recover::sim::Faults::none());
    let before = desk.eeprom();
    let outcome = desk.rescue(&Request::default());
    assert_eq!(outcome.exit_code(), 4, "{:?}", outcome.failure);
    assert_eq!(desk.eeprom(), before);
    assert_eq!(desk.write_cycles(), 0);
}

/// The image is named, so that the choice is not the journal's; the unit is another all the same.
#[test]
fn a_healthy_unit_in_the_port_of_an_unfinished_rescue_is_not_written() {
    let names = ["sl11r-blank", "ez-otg-blank", "ezusb-blank"];
    for (name, own_byte) in names.into_iter().flat_map(|name| [(name, 0x42), (name, 0xff)]) {
        let scenario = crate::support::scenario(name);
        let interrupted = |number| {
            let mut desk = Desk::new(scenario);
            desk.disturb(number, Fault::Unplug(Duration::ZERO));
            let outcome = desk.rescue(&request(scenario));
            (outcome.device_state == DeviceState::PartWritten).then_some(desk)
        };
        let mut desk = (50..300).find_map(interrupted).unwrap();
        // Healthy, of the same model; with another byte behind what the first one got, or exactly
        // as that was to be.
        let mut healthy = desk.eeprom();
        let image = scenario.factory_image();
        healthy.fill(0xff);
        healthy[..image.len()].copy_from_slice(image);
        let last = healthy.len() - 1;
        healthy[last] = own_byte;
        desk.bus.plug_in(port(), scenario.device(), recover::sim::Faults::none());
        desk.bus.load_eeprom(&port(), &healthy);
        desk.bus.unplug(&port());
        desk.bus.plug(&port());
        desk.bus.wait_for_enumeration(&port());
        let mut named = request(scenario);
        named.target.image = Some(recover::rescue::choice::NamedImage {
            name: "another.bin".to_owned(),
            bytes: image.iter().copied().chain([0xff; 3]).collect(),
        });
        for request in [named, request(scenario)] {
            let outcome = desk.rescue(&request);
            assert_eq!(desk.write_cycles(), 0, "{name}: {:?}", outcome.failure);
            assert_eq!(desk.eeprom(), healthy, "{name}");
            assert_eq!(outcome.result, Verdict::Healthy, "{name}: {:?}", outcome.failure);
            let unfinished = desk.store.unfinished().unwrap();
            assert_eq!(unfinished.len(), 1, "{name}: the other unit's rescue is still open");
        }
    }
}

/// Leaves a rescue of the scenario unfinished, and another device in its port.
fn another_in_the_port(name: &str, other: &Scenario) -> Desk {
    let scenario = crate::support::scenario(name);
    let interrupted = |number| {
        let mut desk = Desk::new(scenario);
        desk.disturb(number, Fault::Unplug(Duration::ZERO));
        let outcome = desk.rescue(&request(scenario));
        (outcome.device_state == DeviceState::PartWritten).then_some(desk)
    };
    let desk = (50..300).find_map(interrupted).unwrap();
    desk.bus.plug_in(port(), other.device(), recover::sim::Faults::none());
    desk.bus.wait_for_enumeration(&port());
    desk
}

#[test]
fn the_rescue_of_another_device_leaves_an_unfinished_one_open() {
    let at2lp = crate::support::scenario("at2lp-rc42");
    let mut desk = another_in_the_port("sl11r-blank", at2lp);
    let outcome = desk.rescue(&Request::default());
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    let unfinished = desk.store.unfinished().unwrap();
    assert_eq!(unfinished.len(), 1);
    assert_eq!(unfinished[0].journal().begun().chip, "sl11r");
}

/// Both show the ids of the boot ROM. What the first one was to get is not for the second.
#[test]
fn a_blank_board_in_the_port_of_an_unfinished_rescue_needs_a_choice_of_its_own() {
    let other = Scenario {
        content: recover::sim::scenarios::Content::Filled(0x00),
        ..*crate::support::scenario("ezusb-large")
    };
    let mut desk = another_in_the_port("ezusb-blank", &other);
    let before = desk.eeprom();
    let failure = desk.rescue(&Request::default()).failure.unwrap();
    assert_eq!(failure.code, Code::R310, "{failure}");
    assert_eq!(desk.eeprom(), before);
    assert_eq!(desk.store.unfinished().unwrap().len(), 1);
}

/// A healthy unit whose firmware was being replaced, and another with the same bytes.
#[test]
fn a_unit_like_that_of_an_unfinished_rescue_keeps_its_firmware() {
    let scenario = crate::support::scenario("sl11r-healthy");
    let mut newer = scenario.factory_image().to_vec();
    // Another product: what the unit shows does not tell that it is as it was to be.
    let product = newer.windows(6).position(|at| at == b"U\0S\0B\0").unwrap();
    newer[product + 4] = b'X';
    let replaces = Request {
        port: Some(port()),
        replace_running_firmware: true,
        force: true,
        target: recover::rescue::TargetRequest {
            image: Some(recover::rescue::choice::NamedImage {
                name: "newer.bin".to_owned(),
                bytes: newer,
            }),
            ..recover::rescue::TargetRequest::default()
        },
        ..Request::default()
    };
    let interrupted = |number| {
        let mut desk = Desk::new(scenario);
        desk.disturb(number, Fault::Unplug(Duration::ZERO));
        let outcome = desk.rescue(&replaces);
        (outcome.device_state == DeviceState::PartWritten).then_some(desk)
    };
    let mut desk = (20..400).find_map(interrupted).unwrap();
    desk.bus.plug_in(port(), scenario.device(), recover::sim::Faults::none());
    desk.bus.wait_for_enumeration(&port());
    let before = desk.eeprom();
    let outcome = desk.rescue(&Request::default());
    assert_eq!(outcome.result, Verdict::Healthy, "{:?}", outcome.failure);
    assert_eq!((desk.write_cycles(), desk.eeprom()), (0, before));

    let (record, bytes) = {
        let backups = desk.store.backups().unwrap();
        desk.store.load_backup(&backups[0].id).unwrap()
    };
    let request = Request { port: Some(port()), ..Request::default() };
    let outcome = desk.run(|session| session.restore(&request, &record, &bytes));
    assert_eq!(outcome.failure.unwrap().code, Code::R305);
    assert_eq!(desk.write_cycles(), 0);
}

#[test]
fn a_rescue_is_not_resumed_on_a_device_that_it_is_not_of() {
    let other = Scenario {
        content: recover::sim::scenarios::Content::Filled(0x5a),
        ..*crate::support::scenario("ezusb-blank")
    };
    let mut desk = another_in_the_port("ezusb-blank", &other);
    let before = desk.eeprom();
    let resume = Request { resume: true, port: Some(port()), ..Request::default() };
    let failure = desk.rescue(&resume).failure.unwrap();
    assert_eq!(failure.code, Code::R505, "{failure}");
    assert_eq!(desk.eeprom(), before);
}

#[test]
fn half_an_answer_ends_no_rescue_that_has_begun_to_write() {
    for name in ["sl11r-zeroed", "ez-otg-blank", "ezusb-blank", "at2lp-rc42"] {
        let scenario = crate::support::scenario(name);
        let request = request(scenario);
        let transfers = Desk::new(scenario).rescue(&request).transfers;
        for number in (1..transfers).step_by(3) {
            let mut desk = Desk::new(scenario);
            desk.disturb(number, Fault::Short);
            let outcome = desk.rescue(&request);
            let what = format!("{name}, transfer {number} of {transfers}: {:?}", outcome.failure);
            let is_unwritten = matches!(
                outcome.device_state,
                DeviceState::Untouched | DeviceState::RunningFromRam
            );
            assert!(outcome.result == Verdict::Rescued || is_unwritten, "{what}");
            let misread = [Code::R102, Code::R307];
            assert!(!outcome.failure.is_some_and(|one| misread.contains(&one.code)), "{what}");
        }
    }
}

/// Killed at every eighth transfer, with the device left powered: it runs a trial or a loader.
#[test]
fn a_rescue_that_was_killed_is_finished_while_its_device_still_runs_what_it_was_given() {
    for name in ["sl11r-zeroed", "ez-otg-blank", "ezusb-blank", "at2lp-rc42"] {
        let scenario = crate::support::scenario(name);
        let transfers = Desk::new(scenario).rescue(&request(scenario)).transfers;
        for last in (1..transfers).step_by(8) {
            let mut desk = Desk::new(scenario);
            let bus = desk.bus.clone();
            let mut tampered = crate::cast::Tampered::new(&bus);
            let count = std::sync::atomic::AtomicU64::new(0);
            tampered.exchange = std::sync::Arc::new(move |link, transfer| {
                let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                assert!(number < last, "killed on purpose");
                link.exchange(transfer)
            });
            let request = request(scenario);
            let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let bus = Box::new(tampered);
                crate::cast::Cast { bus, ..crate::cast::Cast::usual(&desk) }.rescue(&desk, &request)
            }));
            let what = format!("{name} killed after {last} of {transfers}");
            assert!(killed.is_err(), "{what}: it ended");
            let again = desk.rescue(&request);
            let is_done = matches!(again.result, Verdict::Rescued | Verdict::Healthy);
            assert!(is_done, "{what}: {:?}", again.failure);
            assert!(desk.eeprom().starts_with(scenario.factory_image()), "{what}");
        }
    }
}

#[test]
fn an_interrupted_restore_is_finished_as_a_restore() {
    let scenario = crate::support::scenario("sl11r-half-written");
    let mut whole = Desk::new(scenario);
    let before = whole.eeprom();
    let backup = whole.rescue(&Request::default()).backup.unwrap();
    let (record, bytes) = whole.store.load_backup(&backup).unwrap();
    let request =
        Request { port: Some(port()), replace_running_firmware: true, ..Request::default() };
    let used = whole.bus.transfers(&port());
    whole.run(|session| session.restore(&request, &record, &bytes));
    let restore_transfers = whole.bus.transfers(&port()) - used;
    assert_eq!(whole.eeprom(), before);
    let mut resumed = 0;
    for number in 1..=restore_transfers {
        let mut desk = Desk::new(scenario);
        let backup = desk.rescue(&Request::default()).backup.unwrap();
        let (record, bytes) = desk.store.load_backup(&backup).unwrap();
        desk.disturb(desk.bus.transfers(&port()) + number, Fault::Unplug(Duration::ZERO));
        let outcome = desk.run(|session| session.restore(&request, &record, &bytes));
        desk.mend();
        if outcome.exit_code() == 3 {
            resumed += 1;
            let again = desk.rescue(&Request { resume: true, ..request.clone() });
            assert_eq!(
                again.result,
                Verdict::Restored,
                "unplugged at {number}: {:?}",
                again.failure
            );
            assert_eq!(desk.eeprom(), before, "unplugged at {number}");
        }
    }
    println!("{resumed} interrupted restores finished as restores");
    assert!(resumed > 10);
}
