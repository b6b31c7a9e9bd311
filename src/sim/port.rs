//! One port with a device on it: power, presence, transfers and what disturbs them.
//!
//! What a host asks a new device is in [`super::enumeration`].

use super::clock::in_nanoseconds;
use super::device::{Completion, Device};
use super::disturbed::{Disturbed, Meets};
use super::enumeration::enumerate;
use super::hub::Feed;
use crate::usb::{PortPath, Reply, Sighting, Transfer, TransferError};

/// From the pull-up to the first SETUP: debounce 100 ms, reset 50 ms, recovery 10 ms
/// [USB 2.0 §7.1.7.3, §7.1.7.5].
const ATTACH_NS: u64 = 160_000_000;
/// Port reset and recovery without the debounce.
pub(super) const RESET_NS: u64 = 60_000_000;
/// What it takes a host to see a STALL.
const STALL_NS: u64 = 100_000;

/// Gives device numbers: 1 to 127, never the same twice in a row.
#[derive(Debug, Default)]
pub(super) struct Numbers(u8);

impl Numbers {
    /// The next one that is not `last`, the number the port's device had before: among many
    /// ports the numbers may have come round.
    fn next(&mut self, last: u8) -> u8 {
        self.0 = if self.0 >= 127 { 1 } else { self.0 + 1 };
        if self.0 == last { self.next(last) } else { self.0 }
    }
}

/// A port.
pub(super) struct Port {
    pub(super) path: PortPath,
    pub(super) device: Box<dyn Device>,
    /// Whether the plug is in.
    plugged: bool,
    /// What keeps VBUS from the plug.
    interrupted: Vec<Feed>,
    /// Whether the enclosure has a supply of its own, so that without VBUS it only leaves the bus.
    pub(super) self_powered: bool,
    powered: bool,
    /// When the host could last begin to see it, for a device that was running before.
    connected_since: u64,
    pub(super) sighting: Option<Sighting>,
    pub(super) disturbed: Disturbed,
    /// Lines of the transfers made, when they are kept.
    pub(super) log: Option<Vec<String>>,
    /// The number of its latest enumeration.
    number: u8,
    generation: Option<u64>,
    enumerate_at: Option<u64>,
    plug_at: Option<u64>,
}

impl Port {
    pub(super) fn new(path: PortPath, device: Box<dyn Device>) -> Self {
        Self {
            path,
            device,
            plugged: false,
            interrupted: Vec::new(),
            self_powered: false,
            powered: false,
            connected_since: 0,
            sighting: None,
            disturbed: Disturbed::default(),
            log: None,
            number: 0,
            generation: None,
            enumerate_at: None,
            plug_at: None,
        }
    }

    /// Has the plug put in at that time, when the port is next looked at.
    pub(super) fn plug_at(&mut self, time: u64) {
        self.plug_at = Some(time);
    }

    /// Puts the plug in or pulls it, and with it, as the hands in front of a bench do, the supply
    /// of the enclosure's own.
    pub(super) fn power(&mut self, on: bool, now: u64) {
        self.plugged = on;
        if !on && self.powered && self.self_powered {
            self.device.power_off(now);
            self.powered = false;
        }
        self.follow_vbus(now);
    }

    /// Interrupts VBUS before the plug, or closes it again.
    pub(super) fn feed(&mut self, feed: Feed, on: bool, now: u64) {
        self.interrupted.retain(|other| *other != feed);
        if !on {
            self.interrupted.push(feed);
        }
        self.follow_vbus(now);
    }

    fn has_vbus(&self) -> bool {
        self.plugged && self.interrupted.iter().all(|feed| *feed == Feed::HubData)
    }

    /// Whether the host can see the device.
    fn is_connected(&self) -> bool {
        self.plugged && self.interrupted.is_empty()
    }

    fn follow_vbus(&mut self, now: u64) {
        if self.has_vbus() && !self.powered {
            self.powered = true;
            self.device.power_on(now);
        } else if !self.has_vbus() && self.powered && !self.self_powered {
            self.powered = false;
            self.device.power_off(now);
        }
        if self.is_connected() {
            if self.generation.is_none() {
                self.connected_since = now;
            }
        } else {
            self.sighting = None;
            self.enumerate_at = None;
            self.generation = None;
            self.disturbed.unplugged();
        }
    }

    /// Brings device and host to `now`.
    pub(super) fn advance_to(&mut self, now: u64, numbers: &mut Numbers) {
        if let Some(at) = self.plug_at
            && now >= at
        {
            self.plug_at = None;
            self.power(true, at);
        }
        loop {
            self.unplug_when_due();
            self.follow_attachment();
            if let Some(at) = self.enumerate_at
                && self.device.now() >= at
            {
                self.enumerate_at = None;
                self.number = numbers.next(self.number);
                self.sighting = enumerate(self.device.as_mut(), &self.path, self.number);
                continue;
            }
            if self.device.now() >= now {
                return;
            }
            let stops = [self.disturbed.unplug_at(), self.enumerate_at];
            let until = stops.into_iter().flatten().fold(now, u64::min);
            self.device.run_until(until);
        }
    }

    /// Whether the host sees a device there that has not answered it.
    pub(super) fn is_silent(&self) -> bool {
        self.generation.is_some() && self.enumerate_at.is_none() && self.sighting.is_none()
    }

    fn follow_attachment(&mut self) {
        let attachment = self.device.attachment().filter(|_| self.is_connected());
        if attachment.map(|attachment| attachment.generation) != self.generation {
            self.generation = attachment.map(|attachment| attachment.generation);
            self.sighting = None;
            self.enumerate_at =
                attachment.map(|attachment| attachment.since.max(self.connected_since) + ATTACH_NS);
        }
    }

    /// After a port reset: reads the descriptors again. The number changes with them.
    pub(super) fn enumerate_again(&mut self, numbers: &mut Numbers) {
        let Some(before) = self.sighting.take() else { return };
        self.device.bus_reset();
        let mut after = enumerate(self.device.as_mut(), &self.path, before.device_number);
        if let Some(after) = &mut after
            && *after != before
        {
            self.number = numbers.next(self.number);
            after.device_number = self.number;
        }
        self.sighting = after;
    }

    /// One transfer from a link to the device with that number, begun at `now`.
    pub(super) fn exchange(
        &mut self,
        transfer: &Transfer,
        number: u8,
        now: u64,
    ) -> Result<Reply, TransferError> {
        if self.sighting.as_ref().is_none_or(|seen| seen.device_number != number) {
            return Err(TransferError::Gone);
        }
        let now = now.max(self.device.now());
        let deadline = now.saturating_add(in_nanoseconds(transfer.timeout()));
        let inwards = matches!(transfer, Transfer::ControlIn { .. } | Transfer::BulkIn { .. });
        let damage = match self.disturbed.next(inwards, now) {
            Meets::Device(damage) => damage,
            Meets::Unplug => {
                self.power(false, now);
                return Err(TransferError::Gone);
            }
            Meets::Stall => {
                self.device.run_until(now + STALL_NS);
                return Err(TransferError::Stall);
            }
            Meets::Silence => {
                self.device.run_until(deadline);
                return Err(TransferError::TimedOut);
            }
            Meets::HalfSent => {
                let length = match transfer {
                    Transfer::ControlOut { data, .. } | Transfer::BulkOut { data, .. } => {
                        data.len()
                    }
                    Transfer::ControlIn { .. } | Transfer::BulkIn { .. } => 0,
                };
                return Err(TransferError::Short { sent: length / 2, length });
            }
        };
        let deadline = self.disturbed.unplug_at().map_or(deadline, |at| at.min(deadline));
        let result = self.carry_out(transfer, deadline);
        if self.unplug_when_due() {
            return Err(TransferError::Gone);
        }
        result.map(|data| Reply { data: damage.done_to(data) })
    }

    /// Whether the plug was due and is pulled now.
    fn unplug_when_due(&mut self) -> bool {
        let due = self.disturbed.unplug_at().filter(|at| self.device.now() >= *at);
        if let Some(at) = due {
            self.power(false, at);
        }
        due.is_some()
    }

    fn carry_out(&mut self, transfer: &Transfer, deadline: u64) -> Result<Vec<u8>, TransferError> {
        let completion = match transfer {
            Transfer::ControlIn { setup, .. } => self.device.control(setup, &[], deadline),
            Transfer::ControlOut { setup, data, .. } => self.device.control(setup, data, deadline),
            Transfer::BulkIn { endpoint, length, .. } => {
                self.device.bulk_in(*endpoint, *length, deadline)
            }
            Transfer::BulkOut { endpoint, data, .. } => {
                self.device.bulk_out(*endpoint, data, deadline)
            }
        };
        match (completion, transfer) {
            (Completion::Done(data), Transfer::ControlIn { .. } | Transfer::BulkIn { .. }) => {
                Ok(data)
            }
            (Completion::Done(_), _) => Ok(Vec::new()),
            (Completion::Stall, _) => Err(TransferError::Stall),
            (Completion::TimedOut, _) => Err(TransferError::TimedOut),
            (Completion::Gone, _) => Err(TransferError::Gone),
        }
    }
}
