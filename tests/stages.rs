//! The stages of a run and how long each took, as its outcome tells them.

#![expect(clippy::panic, reason = "a test may fail loudly")]

use crate::support::{Desk, port, scenario, simulated, with_profile};
use recover::executor::{Consent, Operator, Request};
use recover::rescue::{Outcome, Verdict};
use recover::sim::{HubKind, SimBus};
use recover::usb::PortPath;

/// OFF_TIME of `executor::power`, milliseconds.
const OFF_MS: f64 = 2000.0;

/// Hands that are not needed at a hub that switches.
struct NoHands;

impl Operator for NoHands {
    fn consent(&mut self, _reasons: &[String]) -> Consent {
        Consent::Unasked
    }

    fn power_cycle(&mut self, port: &PortPath) {
        panic!("hands were asked for at port {port}");
    }
}

fn rescued_at_a_hub(name: &str, model: &str) -> Outcome {
    let mut desk = Desk::new(scenario(name));
    desk.bus.put_hub(&port(), HubKind::Switching);
    let mut bus: SimBus = desk.bus.clone();
    let request = with_profile(&simulated(model));
    let outcome = desk.run_by(&mut bus, &mut NoHands, |session| session.rescue(&request));
    assert_eq!(outcome.result, Verdict::Rescued, "{name}: {:?}", outcome.failure);
    outcome
}

/// Their sum is the whole time; a nanosecond may be lost to rounding.
fn add_up(outcome: &Outcome) {
    let sum: f64 = outcome.stages_ms.named().iter().map(|(_, milliseconds)| milliseconds).sum();
    assert!((sum - outcome.device_time_ms).abs() < 1e-6, "{sum} of {}", outcome.device_time_ms);
}

#[test]
fn the_stages_of_a_rescue_add_up_to_all_of_its_time() {
    let outcome = rescued_at_a_hub("ezusb-zeroed", "fx2lp");
    add_up(&outcome);
    // The virtual twin has a clock of its own, and a plan takes no time of the bus.
    for (name, milliseconds) in outcome.stages_ms.named() {
        let takes_none = ["preflight", "planning"].contains(&name);
        assert_eq!(milliseconds == 0.0, takes_none, "{name}: {milliseconds} ms");
    }
}

#[test]
fn the_time_without_power_is_told_apart_from_the_devices_return() {
    let stages = rescued_at_a_hub("ezusb-blank", "fx2lp").stages_ms;
    assert!((OFF_MS..OFF_MS + 300.0).contains(&stages.power_away), "{stages}");
    assert!(stages.returning > 100.0 && stages.returning < OFF_MS, "{stages}");
    assert!(stages.confirming < 100.0, "{stages}");
}

#[test]
fn reading_back_is_told_apart_from_writing() {
    let outcome = rescued_at_a_hub("ezusb-blank", "fx2lp");
    let stages = outcome.stages_ms;
    assert!(stages.reading_back > 0.0 && stages.reading_back < stages.writing, "{stages}");
    assert!(stages.writing + stages.reading_back >= outcome.memory_time_ms, "{stages}");
    // Restarting and confirming do not count as writing.
    assert!(stages.writing < outcome.memory_time_ms + 200.0, "{stages}");
}

#[test]
fn by_hand_the_power_is_away_until_the_device_is_back() {
    let mut desk = Desk::new(scenario("ezusb-blank"));
    let outcome = desk.rescue(&with_profile(&simulated("fx2lp")));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    add_up(&outcome);
    assert!(outcome.stages_ms.power_away >= OFF_MS, "{}", outcome.stages_ms);
    assert!(outcome.stages_ms.returning < 50.0, "{}", outcome.stages_ms);
}

#[test]
fn a_run_that_finds_nothing_was_looking_all_the_time() {
    let mut desk = Desk::new(scenario("ezusb-blank"));
    let elsewhere: PortPath = "3-7".parse().unwrap();
    let outcome = desk.rescue(&Request { port: Some(elsewhere), ..Request::default() });
    assert_eq!(outcome.result, Verdict::Failed);
    add_up(&outcome);
    assert!(outcome.stages_ms.looking > 0.0, "{}", outcome.stages_ms);
    assert_eq!(outcome.stages_ms.looking, outcome.device_time_ms);
}
