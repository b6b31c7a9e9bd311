//! Carries the faults of one device out: counts its transfers, says what each meets, damages
//! answers, and knows when the plug is due to be pulled. The virtual bus ([`super::port`]) and the
//! kernel's ([`super::vhci`]) disturb alike through it.

use super::clock::in_nanoseconds;
use super::faults::{Fault, Faults};

/// What a transfer meets before the device hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meets {
    /// Nothing in its way; what becomes of the answer's bytes.
    Device(Damage),
    /// The plug is pulled at once.
    Unplug,
    /// The host sees STALL; the device never saw the request.
    Stall,
    /// The host waits in vain; the device never saw the request.
    Silence,
    /// An OUT transfer of which half is sent and none is taken.
    HalfSent,
}

/// What becomes of the bytes of an IN transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// Nothing.
    None,
    /// The second half is lost.
    Halved,
    /// This bit is wrong, counted modulo the answer's bits.
    FlippedBit(u64),
}

/// The faults of one device and how far they have come.
#[derive(Clone, Debug, Default)]
pub(super) struct Disturbed {
    faults: Faults,
    /// Transfers so far.
    transfers: u64,
    /// Transfers before the faults began to count.
    counted_from: u64,
    unplug_at: Option<u64>,
}

impl Disturbed {
    /// A device that meets these faults.
    pub(super) fn by(faults: Faults) -> Self {
        Self { faults, ..Self::default() }
    }

    /// Transfers so far.
    pub(super) fn transfers(&self) -> u64 {
        self.transfers
    }

    /// Replaces the faults; their numbers count from the device's first transfer.
    pub(super) fn replace(&mut self, faults: Faults) {
        (self.faults, self.counted_from) = (faults, 0);
    }

    /// Replaces the faults; their numbers count from now.
    pub(super) fn replace_from_now(&mut self, faults: Faults) {
        (self.faults, self.counted_from) = (faults, self.transfers);
    }

    /// Counts one more transfer, begun at `now`, and says what it meets.
    pub(super) fn next(&mut self, inwards: bool, now: u64) -> Meets {
        self.transfers += 1;
        let number = self.transfers - self.counted_from;
        match self.faults.of(number) {
            Some(Fault::Unplug(after)) => {
                self.unplug_at = Some(now.saturating_add(in_nanoseconds(after)));
                if after.is_zero() { Meets::Unplug } else { Meets::Device(Damage::None) }
            }
            Some(Fault::Stall) => Meets::Stall,
            Some(Fault::TimeOut) => Meets::Silence,
            Some(Fault::Short) if !inwards => Meets::HalfSent,
            Some(Fault::Short) => Meets::Device(Damage::Halved),
            Some(Fault::FlippedBit) => Meets::Device(Damage::FlippedBit(self.faults.bit(number))),
            None => Meets::Device(Damage::None),
        }
    }

    /// When the plug is due to be pulled.
    pub(super) fn unplug_at(&self) -> Option<u64> {
        self.unplug_at
    }

    /// Whether the plug is due to be pulled by `now`.
    pub(super) fn is_unplug_due(&self, now: u64) -> bool {
        self.unplug_at.is_some_and(|at| now >= at)
    }

    /// The plug is out.
    pub(super) fn unplugged(&mut self) {
        self.unplug_at = None;
    }
}

impl Damage {
    /// The bytes as they arrive.
    pub(super) fn done_to(self, mut data: Vec<u8>) -> Vec<u8> {
        match self {
            Self::None => {}
            Self::Halved => data.truncate(data.len() / 2),
            Self::FlippedBit(bit) => {
                let bit = bit as usize % (8 * data.len()).max(1);
                if let Some(byte) = data.get_mut(bit / 8) {
                    *byte ^= 1 << (bit % 8);
                }
            }
        }
        data
    }
}
