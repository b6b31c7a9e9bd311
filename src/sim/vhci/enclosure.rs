//! A virtual device as the kernel's transfers meet it: what each comes to, what it costs, and what
//! disturbs it. Lives on the device's own time and knows no socket.

use std::time::Duration;

use super::wire::{Answer, Submit};
use crate::sim::device::{Completion, Device};
use crate::sim::disturbed::{Damage, Disturbed, Meets};
use crate::sim::faults::Faults;
use crate::usb::{Setup, Speed, Transfer};

/// How long a transfer may be refused with NAK before nothing is expected of it any more. USB has
/// no such limit; a model has to come to an end. It counts for each piece of an OUT transfer.
const NAK_LIMIT_NS: u64 = 10_000_000_000;
/// More of that for each byte of a control OUT, which may take a write cycle of the slowest part.
const NAK_LIMIT_BYTE_NS: u64 = 10_000_000;
/// The limit of a whole transfer: nothing else is answered meanwhile.
const TRANSFER_LIMIT_NS: u64 = 60_000_000_000;
/// A piece of an OUT transfer: whole packets at any speed.
const PIECE: usize = 16_384;
/// How long an interrupt IN endpoint is asked: a token and a packet.
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
        self.timed(|enclosure| enclosure.begin(submit))
    }

    /// An IN endpoint that had nothing to say before.
    pub(super) fn again(&mut self, submit: &Submit) -> Outcome {
        self.timed(|enclosure| enclosure.carry_out(submit, Damage::None))
    }

    fn timed(&mut self, act: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        let begun = self.device.now();
        let outcome = act(self);
        self.counters.nanoseconds += self.device.now() - begun;
        outcome
    }

    fn begin(&mut self, submit: &Submit) -> Outcome {
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
        let waits = submit.inwards() && !submit.is_control();
        let completion = if submit.is_control() {
            let deadline = self.deadline(control_limit(submit));
            self.device.control(&submit.setup, &submit.data, deadline)
        } else if waits {
            let turn = TURN_NS + u64::from(submit.length) * TURN_BYTE_NS;
            let deadline = self.deadline(if submit.interrupt { INTERRUPT_NS } else { turn });
            self.device.bulk_in(submit.endpoint, submit.length as usize, deadline)
        } else {
            self.send(submit)
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
            Completion::TimedOut if waits => Outcome::Later,
            Completion::TimedOut => Outcome::Never,
            Completion::Gone => Outcome::Gone,
        }
    }

    /// A bulk or interrupt OUT, piece by piece. It is sent once: of what the device took nothing may
    /// be sent again.
    fn send(&mut self, submit: &Submit) -> Completion {
        let whole: &[&[u8]] = &[&[]];
        let pieces: Vec<&[u8]> = match submit.data.as_slice() {
            [] => whole.to_vec(),
            data => data.chunks(PIECE).collect(),
        };
        let last = self.deadline(TRANSFER_LIMIT_NS);
        for piece in pieces {
            let deadline = self.deadline(NAK_LIMIT_NS).min(last);
            match self.device.bulk_out(submit.endpoint, piece, deadline) {
                Completion::Done(_) => {}
                other => return other,
            }
        }
        Completion::Done(Vec::new())
    }

    /// The end of a limit that begins now, or the moment at which the plug is pulled.
    fn deadline(&self, limit: u64) -> u64 {
        let end = self.device.now() + limit;
        self.disturbed.unplug_at().map_or(end, |at| at.min(end))
    }
}

fn control_limit(submit: &Submit) -> u64 {
    if submit.inwards() {
        return NAK_LIMIT_NS;
    }
    (NAK_LIMIT_NS + u64::from(submit.length) * NAK_LIMIT_BYTE_NS).min(TRANSFER_LIMIT_NS)
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
mod tests;
