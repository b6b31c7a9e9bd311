//! The person at the device: gives or withholds consent and does what only hands can do.
//!
//! On a terminal it is the user; on the simulator the virtual bus plays the hands.

use crate::usb::PortPath;

/// An answer to a request for consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Go on.
    Given,
    /// Do not.
    Refused,
    /// Nobody can be asked.
    Unasked,
}

/// Whoever can be asked.
pub trait Operator {
    /// Asks whether to write the memory although the reasons, a sentence each, speak for care.
    fn consent(&mut self, reasons: &[String]) -> Consent;

    /// Takes the power of the device at that port away and gives it back, or lets its owner know
    /// that this is wanted. Returns without waiting for the device.
    fn power_cycle(&mut self, port: &PortPath);
}
