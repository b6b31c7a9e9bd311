//! What a rescue's memory phase takes, beside the least that the virtual part and the wires to it
//! allow. See `bench/minimum.rs`.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::Arc;

use crate::minimum::{Minimum, minimum};
use crate::support::{Desk, scenario, simulated, with_profile};
use recover::clock::Clock;
use recover::rescue::{Outcome, Verdict};
use recover::sim::scenarios::Expectation;
use recover::sim::{Scenario, SimBus, scenarios};
use recover::usb::{Bus, BusError, Link, Reply, Sighting, Transfer, TransferError};

/// The EZ-USB loader's request that sets page and clock, and the one that writes [docs/chips/ezusb.md].
const SET: u8 = 0xbb;
const EEPROM: u8 = 0xbc;

/// A bus on which an EZ-USB loader is told that pages are of 8 bytes, whatever the driver says.
struct Degraded(SimBus);

impl Bus for Degraded {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        self.0.scan()
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        Ok(Box::new(DegradedLink(self.0.open(seen)?)))
    }

    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError> {
        self.0.reset(seen)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.0.clock()
    }
}

struct DegradedLink(Box<dyn Link>);

impl Link for DegradedLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        let mut transfer = transfer.clone();
        if let Transfer::ControlOut { setup, timeout, .. } = &mut transfer {
            match setup.request {
                SET => setup.value = 8_u16.ilog2().try_into().unwrap(),
                // Many more cycles than the driver thinks.
                EEPROM => *timeout *= 16,
                _ => {}
            }
        }
        self.0.exchange(&transfer)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.0.clock()
    }
}

fn rescued(scenario: &Scenario, bus: impl FnOnce(SimBus) -> Box<dyn Bus>) -> (Outcome, Minimum) {
    let mut desk = Desk::new(scenario);
    let before = desk.eeprom();
    let profile = if scenario.model == "ez-host" { "ez-otg" } else { scenario.model };
    let request = with_profile(&simulated(profile));
    let mut bus = bus(desk.bus.clone());
    let outcome = desk.run_on(&mut *bus, |session| session.rescue(&request));
    assert_eq!(outcome.result, Verdict::Rescued, "{}: {:?}", scenario.name, outcome.failure);
    let minimum = minimum(scenario, &before, &desk.eeprom());
    (outcome, minimum)
}

fn ratio(scenario: &Scenario) -> f64 {
    let (outcome, minimum) = rescued(scenario, |bus| Box::new(bus));
    outcome.memory_time_ms / minimum.memory_ms
}

#[test]
fn no_rescue_takes_less_than_the_part_and_the_bus_take() {
    let rescuable =
        scenarios().iter().filter(|scenario| scenario.expectation == Expectation::Rescued);
    for scenario in rescuable {
        let (outcome, minimum) = rescued(scenario, |bus| Box::new(bus));
        let (took, minimum) = (outcome.memory_time_ms, minimum.memory_ms);
        assert!(took >= minimum, "{}: {took:.1} ms, least {minimum:.1} ms", scenario.name);
    }
}

#[test]
fn pages_of_eight_bytes_make_the_ratio_worse() {
    for name in ["ezusb-blank", "ezusb-zeroed", "ezusb-largest"] {
        let scenario = scenario(name);
        let plain = ratio(scenario);
        let (outcome, minimum) = rescued(scenario, |bus| Box::new(Degraded(bus)));
        let degraded = outcome.memory_time_ms / minimum.memory_ms;
        assert!(degraded > 2.0 * plain, "{name}: {degraded:.2}, undegraded {plain:.2}");
    }
}

#[test]
fn no_ratio_is_worse_than_it_was() {
    for (name, maximum) in [
        ("sl11r-zeroed", 1.15),
        ("ez-otg-zeroed", 1.4),
        ("at2lp-rc42", 1.15),
        ("ezusb-blank", 1.2),
        ("ezusb-zeroed", 2.0),
        ("ezusb-largest", 2.9),
    ] {
        let ratio = ratio(scenario(name));
        assert!(ratio <= maximum, "{name}: {ratio:.3} times its least, at most {maximum}");
    }
}

#[test]
fn the_least_is_that_of_the_part_and_of_the_clock_it_shares_with_the_chip() {
    // Two pages of the part hold another byte each and the signature another two: three cycles.
    let changed = |at: [usize; 4]| {
        let mut after = vec![0; 0x1_0000];
        at.iter().for_each(|at| after[*at] = 1);
        after
    };
    let of = |name: &str, at| minimum(scenario(name), &vec![0; 0x1_0000], &changed(at));
    // Bytes: 3 for each of three addressings and 4 of content; 4 for each of two reads and 4 more.
    // START and STOP are a clock each.
    let clocks = f64::from((3 * 3 + 4 + 4 * 2 + 4) * 9 + 2 * (3 + 2));
    let near = |minimum: Minimum, cycles: u64, cycle_ms: f64, clock_ms: f64| {
        let expected = cycles as f64 * cycle_ms + clocks * clock_ms;
        assert_eq!(minimum.cycles, cycles);
        assert!((minimum.memory_ms - expected).abs() < 0.01, "{minimum:?}, expected {expected}");
    };
    near(of("ezusb-largest", [0, 1, 127, 128]), 3, 5.0, 0.0025);
    near(of("ezusb-zeroed", [0, 1, 63, 64]), 3, 5.0, 0.0025);
    near(of("ezusb-blank", [0, 1, 31, 32]), 3, 5.0, 0.0025);
    // Both bytes in one page, and in two of a part with pages of half its size.
    for (name, half) in [("ezusb-largest", 64), ("ezusb-zeroed", 32), ("ezusb-blank", 16)] {
        assert_eq!(of(name, [0, 1, half - 1, half]).cycles, 2, "{name}");
    }
    near(of("ezusb-an2131-blank", [0, 1, 31, 32]), 3, 5.0, 0.011);
    assert_eq!(of("ezusb-largest", [0, 1, 64, 127]).cycles, 2, "a page is 128 bytes");
    assert_eq!(of("ezusb-fram", [0, 1, 64, 127]).cycles, 0, "FRAM has no write cycle");
    assert_eq!(of("sl11r-zeroed", [0, 1, 64, 127]).cycles, 4, "its BIOS writes single bytes");
    let slow = of("sl11r-slow-eeprom", [0, 1, 64, 127]).memory_ms;
    assert!(slow > 4.0 * of("sl11r-zeroed", [0, 1, 64, 127]).memory_ms * 0.9, "{slow}");
}
