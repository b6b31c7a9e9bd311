//! What each transfer comes to, what it costs, and when a device is given up.

use std::sync::{Arc, Mutex};

use super::*;
use crate::sim::device::Attachment;
use crate::sim::diagnostic::Diagnostic;
use crate::sim::parts::Eeprom;
use crate::sim::scenario;
use crate::sim::vhci::wire::test_submit;

fn enclosure(scenario_name: &str, faults: &str) -> Enclosure {
    let device = scenario(scenario_name).unwrap().device();
    let mut enclosure = Enclosure::new(device, faults.parse().unwrap());
    enclosure.power(true);
    for second in 1..10 {
        if enclosure.device.attachment().is_none() {
            enclosure.live(second * 1_000_000_000);
        }
    }
    enclosure
}

fn descriptor(length: u16) -> Submit {
    test_submit(0x80, Setup { request_type: 0x80, request: 6, value: 0x0100, index: 0, length })
}

/// The SL11R's read of its memory.
fn memory_read() -> Submit {
    let setup = Setup { request_type: 0xc0, request: 0xff, value: 7, index: 0, length: 16 };
    test_submit(0x80, setup)
}

#[test]
fn a_transfer_comes_to_what_the_model_says_and_is_counted() {
    let mut sl11r = enclosure("sl11r-zeroed", "");
    let Outcome::Answered(Answer::Given(bytes)) = sl11r.transfer(&descriptor(64)) else {
        panic!("no descriptor");
    };
    assert_eq!(bytes[8..12], [0xce, 0x04, 0xd1, 0x07]);
    assert!(matches!(sl11r.transfer(&memory_read()), Outcome::Answered(Answer::Given(_))));
    assert_eq!((sl11r.counters.standard, sl11r.counters.transfers), (1, 1));
    assert!(sl11r.counters.nanoseconds > 0);
}

#[test]
fn a_plug_pulled_at_a_transfer_stays_out_and_enumeration_does_not_count() {
    let mut sl11r = enclosure("sl11r-zeroed", "unplug@2");
    sl11r.transfer(&descriptor(64));
    assert!(matches!(sl11r.transfer(&memory_read()), Outcome::Answered(_)));
    assert_eq!(sl11r.transfer(&memory_read()), Outcome::Gone);
    assert!(!sl11r.powered && sl11r.device.attachment().is_none());
    assert_eq!(sl11r.transfer(&memory_read()), Outcome::Gone);
}

#[test]
fn disturbances_asked_for_later_count_from_then_on() {
    let mut sl11r = enclosure("sl11r-zeroed", "");
    sl11r.transfer(&memory_read());
    sl11r.disturb("stall@1".parse().unwrap());
    assert_eq!(sl11r.transfer(&memory_read()), Outcome::Answered(Answer::Stall));
    assert!(matches!(sl11r.transfer(&memory_read()), Outcome::Answered(Answer::Given(_))));
}

#[test]
fn an_endpoint_with_nothing_to_say_leaves_others_their_turn() {
    let mut at2lp = enclosure("at2lp-rc42", "");
    let mut bulk =
        test_submit(0x86, Setup { request_type: 0, request: 0, value: 0, index: 0, length: 0 });
    bulk.length = 13;
    let before = at2lp.device.now();
    assert_eq!(at2lp.transfer(&bulk), Outcome::Later);
    assert!(at2lp.device.now() - before < 20_000_000);
    bulk.interrupt = true;
    let before = at2lp.device.now();
    assert_eq!(at2lp.transfer(&bulk), Outcome::Later);
    assert!(at2lp.device.now() - before < 1_000_000);
}

/// What OUT transfers brought to a device.
#[derive(Default)]
struct Brought {
    /// Lengths of the pieces that were offered.
    pieces: Vec<usize>,
    /// The bytes that were taken.
    taken: Vec<u8>,
}

/// A device that answers so long after each piece of a transfer was offered. Of an OUT transfer it
/// takes the first packet at once and refuses the next until then.
struct Late {
    now: u64,
    nanoseconds: u64,
    brought: Arc<Mutex<Brought>>,
}

impl Device for Late {
    fn power_on(&mut self, _: u64) {}
    fn power_off(&mut self, _: u64) {}
    fn run_until(&mut self, time: u64) -> u64 {
        self.now = time;
        time
    }
    fn now(&self) -> u64 {
        self.now
    }
    fn attachment(&self) -> Option<Attachment> {
        Some(Attachment { since: 0, generation: 1 })
    }
    fn speed(&self) -> Speed {
        Speed::Full
    }
    fn bus_reset(&mut self) {}
    fn control(&mut self, _: &Setup, _: &[u8], deadline: u64) -> Completion {
        self.answer(deadline, &[])
    }
    fn bulk_out(&mut self, _: u8, data: &[u8], deadline: u64) -> Completion {
        let (first, others) = data.split_at(data.len().min(64));
        let mut brought = self.brought.lock().unwrap();
        brought.pieces.push(data.len());
        brought.taken.extend(first);
        drop(brought);
        let completion = self.answer(deadline, &[]);
        if completion != Completion::TimedOut {
            self.brought.lock().unwrap().taken.extend(others);
        }
        completion
    }
    fn bulk_in(&mut self, _: u8, _: usize, deadline: u64) -> Completion {
        self.answer(deadline, &[7])
    }
    fn eeprom(&self) -> Option<&Eeprom> {
        None
    }
    fn eeprom_mut(&mut self) -> Option<&mut Eeprom> {
        None
    }
    fn diagnostics(&self) -> &[Diagnostic] {
        &[]
    }
}

impl Late {
    fn answer(&mut self, deadline: u64, data: &[u8]) -> Completion {
        let at = self.now + self.nanoseconds;
        self.now = at.min(deadline);
        if at > deadline { Completion::TimedOut } else { Completion::Done(data.to_vec()) }
    }
}

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const NO_SETUP: Setup = Setup { request_type: 0, request: 0, value: 0, index: 0, length: 0 };

fn late(nanoseconds: u64) -> (Enclosure, Arc<Mutex<Brought>>) {
    let brought = Arc::default();
    let device = Late { now: 0, nanoseconds, brought: Arc::clone(&brought) };
    let mut enclosure = Enclosure::new(Box::new(device), Faults::none());
    enclosure.power(true);
    (enclosure, brought)
}

fn comes_to(nanoseconds: u64, submit: &Submit) -> Outcome {
    late(nanoseconds).0.transfer(submit)
}

/// An OUT to endpoint 2.
fn out(length: usize) -> Submit {
    let data = (0..length).map(|at| at as u8).collect();
    let mut submit = test_submit(0x02, NO_SETUP);
    (submit.data, submit.length) = (data, length as u32);
    submit
}

/// An interrupt IN of endpoint 81.
fn asked() -> Submit {
    let mut submit = test_submit(0x81, NO_SETUP);
    (submit.interrupt, submit.length) = (true, 8);
    submit
}

#[test]
fn an_interrupt_endpoint_is_asked() {
    let answered = Outcome::Answered(Answer::Given(vec![7]));
    assert_eq!(comes_to(0, &asked()), answered);
    assert_eq!(late(0).0.again(&asked()), answered);
}

#[test]
fn an_interrupt_endpoint_with_nothing_to_say_is_asked_for_its_turn_only() {
    let (mut device, _) = late(MILLISECOND);
    assert_eq!(device.transfer(&asked()), Outcome::Later);
    assert_eq!(device.again(&asked()), Outcome::Later);
    assert_eq!((device.device.now(), device.counters.nanoseconds), (200_000, 200_000));
}

#[test]
fn an_interrupt_out_is_waited_for_as_a_bulk_out_is() {
    let mut submit = out(128);
    submit.interrupt = true;
    let (mut device, brought) = late(MILLISECOND);
    assert_eq!(device.transfer(&submit), Outcome::Answered(Answer::Taken(128)));
    assert_eq!(brought.lock().unwrap().taken, submit.data);
    // What was taken of it before it was given up is not sent again.
    assert_eq!(comes_to(11 * SECOND, &submit), Outcome::Never);
}

#[test]
fn a_control_out_is_given_more_time_for_each_byte_and_a_control_in_is_not() {
    // 4096 bytes into an EEPROM byte by byte, 5 ms each.
    let setup = Setup { request_type: 0x40, request: 0xa9, length: 4096, ..NO_SETUP };
    let submit = test_submit(0x00, setup);
    assert_eq!(comes_to(20 * SECOND, &submit), Outcome::Answered(Answer::Taken(4096)));
    assert_eq!(comes_to(60 * SECOND, &submit), Outcome::Never);
    let inwards = test_submit(0x80, Setup { request_type: 0xc0, ..setup });
    assert_eq!(comes_to(9 * SECOND, &inwards), Outcome::Answered(Answer::Given(Vec::new())));
    assert_eq!(comes_to(20 * SECOND, &inwards), Outcome::Never);
}

#[test]
fn each_piece_of_a_bulk_out_is_waited_for() {
    let (mut device, brought) = late(6 * SECOND);
    assert_eq!(device.transfer(&out(65_536)), Outcome::Answered(Answer::Taken(65_536)));
    assert_eq!(brought.lock().unwrap().pieces, [16_384; 4]);
    assert_eq!(comes_to(11 * SECOND, &out(65_536)), Outcome::Never);
    let (mut device, brought) = late(0);
    assert_eq!(device.transfer(&out(0)), Outcome::Answered(Answer::Taken(0)));
    assert_eq!(brought.lock().unwrap().pieces, [0]);
}

#[test]
fn no_transfer_takes_longer_than_a_minute() {
    let setup = Setup { request_type: 0x40, request: 0xa9, length: 0xffff, ..NO_SETUP };
    let control = test_submit(0x00, setup);
    for (nanoseconds, submit) in [(1000 * SECOND, control), (9 * SECOND, out(16 << 20))] {
        let (mut device, _) = late(nanoseconds);
        assert_eq!(device.transfer(&submit), Outcome::Never);
        assert_eq!(device.device.now(), 60 * SECOND);
    }
}

#[test]
fn a_request_nobody_answers_is_given_up() {
    let mut sl11r = enclosure("sl11r-zeroed", "timeout@1");
    assert_eq!(sl11r.transfer(&memory_read()), Outcome::Never);
}
