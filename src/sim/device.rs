//! What a virtual USB device is to the bus it hangs on. Implemented by the chip models; knows no
//! host, no port and no fault.
//!
//! A device lives on its own time, nanoseconds of the virtual clock, and never runs ahead of what
//! it was told to reach. Everything is computed lazily: between two calls nothing happens.

use crate::usb::{Setup, Speed};

use super::parts::Eeprom;
use super::{Diagnostic, Unmodelled};

/// A device's presence on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Since when its pull-up is on.
    pub since: u64,
    /// Counts attachments: another number means it was away meanwhile.
    pub generation: u64,
}

/// How a transfer ended at the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// Done; the data of an IN transfer.
    Done(Vec<u8>),
    /// The device answered STALL.
    Stall,
    /// Not done by the deadline.
    TimedOut,
    /// The device took its pull-up off, or its power went.
    Gone,
}

/// A virtual device.
pub trait Device: Send {
    /// Power comes on at `now`.
    fn power_on(&mut self, now: u64);
    /// Power goes at `now`.
    fn power_off(&mut self, now: u64);
    /// Lives until `time`, or until its attachment changes; returns the time it reached.
    fn run_until(&mut self, time: u64) -> u64;
    /// The time it has reached.
    fn now(&self) -> u64;
    /// Whether it is on the bus.
    fn attachment(&self) -> Option<Attachment>;
    /// Speed on the bus.
    fn speed(&self) -> Speed;
    /// The host resets the port: the address is lost, RAM is kept.
    fn bus_reset(&mut self);
    /// A control transfer, with `data` for the device when it is an OUT; runs until it completes,
    /// at most until `deadline`.
    fn control(&mut self, setup: &Setup, data: &[u8], deadline: u64) -> Completion;
    /// A bulk transfer to `endpoint`.
    fn bulk_out(&mut self, endpoint: u8, data: &[u8], deadline: u64) -> Completion;
    /// A bulk transfer of at most `length` bytes from `endpoint`.
    fn bulk_in(&mut self, endpoint: u8, length: usize, deadline: u64) -> Completion;
    /// The EEPROM on its board.
    fn eeprom(&self) -> Option<&Eeprom>;
    /// The same, to be changed by hand.
    fn eeprom_mut(&mut self) -> Option<&mut Eeprom>;
    /// What the model noticed about the program it runs.
    fn diagnostics(&self) -> &[Diagnostic];
    /// What the program asked that the model has no answer to, in the order it was met. Those that
    /// stopped it are among [`Self::diagnostics`] as well.
    fn unmodelled(&self) -> &[Unmodelled] {
        &[]
    }
}
