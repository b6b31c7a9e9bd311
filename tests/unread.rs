//! A memory that cannot be read may hold a valid signature [design R3, R9]: where the family writes
//! it all the same, power lost inside any write cycle never leaves half an image that boots; every
//! other family refuses.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use crate::support::cuts::{Beat, Watched, cuts};
use crate::support::{Desk, port, simulated, with_profile};
use recover::executor::{Event, Request};
use recover::rescue::{Outcome, Verdict};
use recover::sim::scenarios::Expectation;
use recover::sim::{Fault, Scenario, scenarios};
use recover::usb::Transfer;

/// A request to run an interrupt; without it no loader of a CY16 runs.
fn is_interrupt(transfer: &Transfer) -> bool {
    matches!(transfer, Transfer::ControlOut { setup, .. } if setup.request == 0xff && setup.value == 6)
}

/// A transfer that brings data.
fn is_reading(transfer: &Transfer) -> bool {
    matches!(transfer, Transfer::ControlIn { .. } | Transfer::BulkIn { .. })
}

/// `--auto` as it is typed for this scenario: the SL11R by itself, an EZ chip by its profile.
fn request(scenario: &Scenario) -> Request {
    match scenario.model {
        "sl11r" | "at2lp" => Request::default(),
        "ez-host" => with_profile(&simulated("ez-otg")),
        model => with_profile(&simulated(model)),
    }
}

/// The rescue with the chip deaf to interrupts; what the transfers were like.
fn rescue_unread(desk: &mut Desk, request: &Request) -> (Outcome, Vec<Beat>) {
    let mut bus = Watched::stalling(desk, is_interrupt);
    let outcome = desk.run_on(&mut bus, |session| session.rescue(request));
    (outcome, bus.beats())
}

/// Whether the device starts from its mask ROM when it is plugged in again now.
fn starts_as_boot_id(desk: &Desk) -> bool {
    desk.bus.set_faults(&port(), recover::sim::Faults::none());
    desk.bus.replug(&port());
    desk.bus.wait_for_enumeration(&port());
    desk.bus.sighting(&port()).unwrap().ids.to_string() == "04ce:07d1"
}

/// Cuts the unread rescue of the scenario off at every moment; how often, and how often the memory
/// was left part written.
fn cut_everywhere(scenario: &'static Scenario) -> (u64, u64) {
    let request = request(scenario);
    let mut whole = Desk::new(scenario);
    let before = whole.eeprom();
    let image = scenario.factory_image();
    let (outcome, beats) = rescue_unread(&mut whole, &request);
    assert_eq!(outcome.result, Verdict::Rescued, "{}: {:?}", scenario.name, outcome.failure);
    assert_eq!(outcome.backup, None, "{}: it was read after all", scenario.name);
    let (mut tried, mut part_written) = (0, 0);
    for (number, beat) in (1..).zip(beats) {
        for after in cuts(beat.length) {
            let what = format!("{}, transfer {number} cut after {after:?}", scenario.name);
            let mut desk = Desk::new(scenario);
            desk.disturb(number, Fault::Unplug(after));
            rescue_unread(&mut desk, &request);
            let now = desk.eeprom();
            let is_mixed = now != before && !now.starts_with(image);
            if is_mixed {
                part_written += 1;
                assert!(!now.starts_with(&[0xb6, 0xc3]), "{what}: signed, and half an image");
                assert!(starts_as_boot_id(&desk), "{what}: it boots half an image");
            }
            desk.mend();
            let (again, _) = rescue_unread(&mut desk, &request);
            let done = matches!(again.result, Verdict::Rescued | Verdict::Healthy);
            assert!(done, "{what}: not finished: {:?}", again.failure);
            assert!(desk.eeprom().starts_with(image), "{what}");
            tried += 1;
        }
    }
    (tried, part_written)
}

fn rescued(model: &str) -> impl Iterator<Item = &'static Scenario> {
    let is_rescued = |one: &&Scenario| one.expectation == Expectation::Rescued;
    scenarios().iter().filter(is_rescued).filter(move |one| one.model == model)
}

#[test]
fn an_unread_sl11r_cut_off_inside_any_write_never_boots_half_an_image() {
    let (mut tried, mut part_written, mut count) = (0, 0, 0);
    for scenario in rescued("sl11r") {
        let (cuts, mixed) = cut_everywhere(scenario);
        println!("{}: {cuts} interruptions, {mixed} left it part written", scenario.name);
        (tried, part_written, count) = (tried + cuts, part_written + mixed, count + 1);
    }
    println!("sl11r, unread: {tried} interruptions in {count} scenarios, each finished");
    assert!(count > 2 && part_written > 100, "{count} scenarios, {part_written} part written");
}

#[test]
fn an_unread_sl11r_is_finished_by_a_run_that_can_read() {
    let scenario = crate::support::scenario("sl11r-broken-stream");
    let (_, beats) = rescue_unread(&mut Desk::new(scenario), &request(scenario));
    let mut tried = 0;
    for (number, beat) in (1..).zip(beats) {
        let mut desk = Desk::new(scenario);
        desk.disturb(number, Fault::Unplug(beat.length / 2));
        rescue_unread(&mut desk, &request(scenario));
        desk.mend();
        let again = desk.rescue(&request(scenario));
        let done = matches!(again.result, Verdict::Rescued | Verdict::Healthy);
        assert!(done, "transfer {number}: {:?}", again.failure);
        assert!(desk.eeprom().starts_with(scenario.factory_image()), "transfer {number}");
        tried += 1;
    }
    println!("{tried} unread rescues finished by one that reads");
}

/// The chip stops answering at every transfer up to the backup in turn.
#[test]
fn every_other_family_refuses_to_write_what_it_could_not_read() {
    for model in ["ez-otg", "ez-host", "at2lp", "an2131", "fx", "fx1", "fx2"] {
        let scenario = rescued(model).next().unwrap();
        let mut refused_when_proven = 0;
        let mut number = 0;
        loop {
            number += 1;
            let mut desk = Desk::new(scenario);
            let before = desk.eeprom();
            let (clone, at) = (desk.bus.clone(), number);
            let is_lost =
                move |transfer: &Transfer| is_reading(transfer) && clone.transfers(&port()) >= at;
            let mut bus = Watched::stalling(&desk, is_lost);
            let outcome = desk.run_on(&mut bus, |session| session.rescue(&request(scenario)));
            if outcome.backup.is_some() {
                break;
            }
            let what = format!("{}, no answer from transfer {number} on", scenario.name);
            assert_eq!(outcome.result, Verdict::Failed, "{what}");
            assert_eq!((desk.eeprom(), desk.write_cycles()), (before, 0), "{what}");
            let is_proven = |event: &Event| matches!(event, Event::Proven { .. });
            refused_when_proven += u64::from(desk.events.iter().any(is_proven));
        }
        println!(
            "{model}: refused at {number} transfers, at {refused_when_proven} after its proof"
        );
        assert!(refused_when_proven > 0, "{model}: reading never failed after the proof");
    }
}
