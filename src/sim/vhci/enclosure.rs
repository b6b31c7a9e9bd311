//! A virtual device as the kernel's transfers meet it: what each comes to, what it costs, and what
//! disturbs it. Lives on the device's own time and knows no socket.

use std::time::Duration;

use super::wire::{Answer, Submit};
use crate::sim::device::{Completion, Device};
use crate::sim::disturbed::{Damage, Disturbed, Meets};
use crate::sim::faults::Faults;
use crate::usb::{Setup, Speed, Transfer};

/// How long a transfer may be refused with NAK before nothing is expected of it any more. USB has
/// no such limit; a model has to come to an end. It counts for each part of a transfer: a control
/// transfer is given more for each byte, which may take a write cycle of the slowest part, and a
/// bulk OUT is sent in pieces.
const NAK_LIMIT_NS: u64 = 10_000_000_000;
const NAK_LIMIT_BYTE_NS: u64 = 10_000_000;
/// A piece of a bulk OUT: whole packets at any speed.
const PIECE: usize = 16_384;
/// How long an interrupt endpoint is asked: a token and a packet.
const INTERRUPT_NS: u64 = 100_000;
/// How long a bulk IN is tried for before other transfers have their turn.
const TURN_NS: u64 = 5_000_000;
/// More of that for each byte: a slow program moves them one by one, and half an answer would be
/// taken for a short one.
const TURN_BYTE_NS: u64 = 10_000;
/// What it takes a host to see a STALL.
const STALL_NS: u64 = 100_000;
/// The length Linux asks of a device descriptor first after each reset of a port, and of nothing
/// else [HUB, GET_DESCRIPTOR_BUFSIZE].
const FIRST_LENGTH: u16 = 64;

/// What has come of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is done.
    Answered(Answer),
    /// The device has nothing to say yet; it is to be tried again.
    Later,
    /// Nobody will ever answer it.
    Never,
    /// The plug was pulled, or the device left the bus.
    Gone,
}

/// What the transfers have cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    /// Transfers but for standard requests: those are the host's own business.
    pub(super) transfers: u64,
    /// Standard requests.
    pub(super) standard: u64,
    /// Time of the device that passed within any of them.
    pub(super) nanoseconds: u64,
}

/// A device and what was done to it.
pub(super) struct Enclosure {
    pub(super) device: Box<dyn Device>,
    pub(super) counters: Counters,
    pub(super) powered: bool,
    disturbed: Disturbed,
}

impl Enclosure {
    /// A device without power.
    pub(super) fn new(device: Box<dyn Device>, faults: Faults) -> Self {
        Self {
            device,
            counters: Counters::default(),
            powered: false,
            disturbed: Disturbed::by(faults),
        }
    }

    /// Power comes or goes at the time the device has reached.
    pub(super) fn power(&mut self, on: bool) {
        if on == self.powered {
            return;
        }
        self.powered = on;
        let now = self.device.now();
        if on {
            self.device.power_on(now);
        } else {
            self.device.power_off(now);
            self.disturbed.unplugged();
        }
    }

    /// Replaces the faults; transfers count from 1 again.
    pub(super) fn disturb(&mut self, faults: Faults) {
        self.disturbed.replace_from_now(faults);
    }

    /// Lives until `target`, or until the device comes to the bus or leaves it. True when a plug
    /// was pulled on the way.
    pub(super) fn live(&mut self, target: u64) -> bool {
        let before = self.device.attachment();
        let until = self.disturbed.unplug_at().map_or(target, |at| at.min(target));
        while self.device.now() < until && self.device.attachment() == before {
            self.device.run_until(until);
        }
        self.unplug_when_due()
    }

    fn unplug_when_due(&mut self) -> bool {
        let due = self.disturbed.is_unplug_due(self.device.now());
        if due {
            self.power(false);
        }
        due
    }

    /// Carries a transfer out.
    pub(super) fn transfer(&mut self, submit: &Submit) -> Outcome {
        if self.device.attachment().is_none() {
            return Outcome::Gone;
        }
        let begun = self.device.now();
        let outcome = self.timed(submit);
        self.counters.nanoseconds += self.device.now() - begun;
        outcome
    }

    /// An endpoint that had nothing to say before.
    pub(super) fn again(&mut self, submit: &Submit) -> Outcome {
        self.carry_out(submit, Damage::None)
    }

    fn timed(&mut self, submit: &Submit) -> Outcome {
        if submit.is_control() && submit.setup.request_type & 0x60 == 0 {
            self.counters.standard += 1;
            if is_first_after_reset(&submit.setup) {
                // vhci_hcd keeps resets of the port to itself; this is how they show.
                self.device.bus_reset();
            }
            return self.carry_out(submit, Damage::None);
        }
        if submit.interrupt {
            return self.carry_out(submit, Damage::None);
        }
        self.counters.transfers += 1;
        let now = self.device.now();
        match self.disturbed.next(submit.inwards(), now) {
            Meets::Device(damage) => self.carry_out(submit, damage),
            Meets::Unplug => {
                self.power(false);
                Outcome::Gone
            }
            Meets::Stall => {
                self.device.run_until(now + STALL_NS);
                Outcome::Answered(Answer::Stall)
            }
            Meets::Silence => Outcome::Never,
            Meets::HalfSent => Outcome::Answered(Answer::Taken(submit.length / 2)),
        }
    }

    fn carry_out(&mut self, submit: &Submit, damage: Damage) -> Outcome {
        let now = self.device.now();
        let length = u64::from(submit.length);
        let turn = if submit.interrupt {
            INTERRUPT_NS
        } else if submit.is_control() {
            NAK_LIMIT_NS + length * NAK_LIMIT_BYTE_NS
        } else if submit.inwards() {
            TURN_NS + length * TURN_BYTE_NS
        } else {
            NAK_LIMIT_NS
        };
        let deadline = now + turn;
        let deadline = self.disturbed.unplug_at().map_or(deadline, |at| at.min(deadline));
        let completion = if submit.is_control() {
            self.device.control(&submit.setup, &submit.data, deadline)
        } else if submit.inwards() {
            self.device.bulk_in(submit.endpoint, submit.length as usize, deadline)
        } else {
            self.send(submit, turn)
        };
        if self.unplug_when_due() {
            return Outcome::Gone;
        }
        match completion {
            Completion::Done(data) if submit.inwards() => {
                Outcome::Answered(Answer::Given(damage.done_to(data)))
            }
            Completion::Done(_) => Outcome::Answered(Answer::Taken(submit.length)),
            Completion::Stall => Outcome::Answered(Answer::Stall),
            Completion::TimedOut if submit.interrupt => Outcome::Later,
            Completion::TimedOut if submit.inwards() && !submit.is_control() => Outcome::Later,
            Completion::TimedOut => Outcome::Never,
            Completion::Gone => Outcome::Gone,
        }
    }
}

impl Enclosure {
    /// A bulk OUT, piece by piece, each with a limit of its own.
    fn send(&mut self, submit: &Submit, limit: u64) -> Completion {
        let whole: &[&[u8]] = &[&[]];
        let pieces: Vec<&[u8]> = match submit.data.as_slice() {
            [] => whole.to_vec(),
            data => data.chunks(PIECE).collect(),
        };
        for piece in pieces {
            let deadline = self.device.now() + limit;
            let deadline = self.disturbed.unplug_at().map_or(deadline, |at| at.min(deadline));
            match self.device.bulk_out(submit.endpoint, piece, deadline) {
                Completion::Done(_) => {}
                other => return other,
            }
        }
        Completion::Done(Vec::new())
    }
}

fn is_first_after_reset(setup: &Setup) -> bool {
    let wanted =
        Setup { request_type: 0x80, request: 6, value: 0x0100, index: 0, length: FIRST_LENGTH };
    *setup == wanted
}

/// The number that stands for a speed in vhci_hcd's `attach`.
pub(super) fn speed_number(speed: Speed) -> u8 {
    match speed {
        Speed::Low => 1,
        Speed::Full => 2,
        Speed::High | Speed::Super | Speed::Unknown => 3,
    }
}

/// A transfer in the words of the log.
pub(super) fn in_words(submit: &Submit) -> Transfer {
    let (endpoint, timeout) = (submit.endpoint, Duration::ZERO);
    match (submit.is_control(), submit.inwards()) {
        (true, true) => Transfer::ControlIn { setup: submit.setup, timeout },
        (true, false) => {
            Transfer::ControlOut { setup: submit.setup, data: submit.data.clone(), timeout }
        }
        (false, true) => Transfer::BulkIn { endpoint, length: submit.length as usize, timeout },
        (false, false) => Transfer::BulkOut { endpoint, data: submit.data.clone(), timeout },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    /// A device that answers so long after each piece of a transfer was offered.
    struct Late {
        now: u64,
        nanoseconds: u64,
        pieces: usize,
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
        fn attachment(&self) -> Option<crate::sim::device::Attachment> {
            Some(crate::sim::device::Attachment { since: 0, generation: 1 })
        }
        fn speed(&self) -> Speed {
            Speed::Full
        }
        fn bus_reset(&mut self) {}
        fn control(&mut self, _: &Setup, _: &[u8], deadline: u64) -> Completion {
            self.answer(deadline, &[])
        }
        fn bulk_out(&mut self, _: u8, _: &[u8], deadline: u64) -> Completion {
            self.answer(deadline, &[])
        }
        fn bulk_in(&mut self, _: u8, _: usize, deadline: u64) -> Completion {
            self.answer(deadline, &[7])
        }
        fn eeprom(&self) -> Option<&crate::sim::parts::Eeprom> {
            None
        }
        fn eeprom_mut(&mut self) -> Option<&mut crate::sim::parts::Eeprom> {
            None
        }
        fn diagnostics(&self) -> &[crate::sim::Diagnostic] {
            &[]
        }
    }

    impl Late {
        fn answer(&mut self, deadline: u64, data: &[u8]) -> Completion {
            let at = self.now + self.nanoseconds;
            self.now = at.min(deadline);
            if at > deadline {
                return Completion::TimedOut;
            }
            self.pieces += 1;
            Completion::Done(data.to_vec())
        }
    }

    fn late(seconds: u64) -> Enclosure {
        let device = Late { now: 0, nanoseconds: seconds * 1_000_000_000, pieces: 0 };
        let mut enclosure = Enclosure::new(Box::new(device), Faults::none());
        enclosure.power(true);
        enclosure
    }

    const NO_SETUP: Setup = Setup { request_type: 0, request: 0, value: 0, index: 0, length: 0 };

    #[test]
    fn an_interrupt_endpoint_is_asked() {
        let mut submit = test_submit(0x81, NO_SETUP);
        (submit.interrupt, submit.length) = (true, 8);
        let answered = Outcome::Answered(Answer::Given(vec![7]));
        assert_eq!(late(0).transfer(&submit), answered);
        assert_eq!(late(0).again(&submit), answered);
    }

    #[test]
    fn a_long_transfer_is_not_given_up_while_it_goes_on() {
        // 4096 bytes into an EEPROM byte by byte, 5 ms each.
        let setup = Setup { request_type: 0x40, request: 0xa9, length: 4096, ..NO_SETUP };
        let submit = test_submit(0x00, setup);
        assert_eq!(late(20).transfer(&submit), Outcome::Answered(Answer::Taken(4096)));
        assert_eq!(late(60).transfer(&submit), Outcome::Never);
        // Four pieces, six seconds each.
        let mut bulk = test_submit(0x02, NO_SETUP);
        bulk.data = vec![0; 65_536];
        bulk.length = 65_536;
        assert_eq!(late(6).transfer(&bulk), Outcome::Answered(Answer::Taken(65_536)));
        assert_eq!(late(11).transfer(&bulk), Outcome::Never);
    }

    #[test]
    fn a_request_nobody_answers_is_given_up() {
        let mut sl11r = enclosure("sl11r-zeroed", "timeout@1");
        assert_eq!(sl11r.transfer(&memory_read()), Outcome::Never);
    }
}
