//! The person at the device: gives or withholds consent and does what only hands can do.
//!
//! On a terminal it is the user; on the simulator the virtual bus plays the hands.

use serde::Serialize;

use crate::failure::Failure;
use crate::profile::Action;
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

/// Something that a bench can switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Switching {
    /// Takes the port's power away.
    PowerOff,
    /// Gives it back.
    PowerOn,
    /// Shorts the pins of the boot mode.
    CloseContact,
    /// Lets go of them.
    OpenContact,
}

impl Switching {
    /// What a profile's action switches; `None` for one that only waits.
    pub fn of(action: Action) -> Option<Self> {
        match action {
            Action::PowerOff => Some(Self::PowerOff),
            Action::PowerOn => Some(Self::PowerOn),
            Action::CloseContact => Some(Self::CloseContact),
            Action::OpenContact => Some(Self::OpenContact),
            Action::WaitForBootId => None,
        }
    }
}

/// What can be switched at a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    /// A relay is in its power.
    pub power: bool,
    /// A relay shorts the pins of its boot mode.
    pub contact: bool,
}

impl Switches {
    /// Whether a profile's action is done without hands.
    pub fn does(self, action: Action) -> bool {
        match action {
            Action::PowerOff | Action::PowerOn => self.power,
            Action::CloseContact | Action::OpenContact => self.contact,
            Action::WaitForBootId => true,
        }
    }
}

/// Whoever can be asked.
pub trait Operator {
    /// Asks whether to write the memory although the reasons, a sentence each, speak for care.
    fn consent(&mut self, reasons: &[String]) -> Consent;

    /// Takes the power of the device at that port away and gives it back, or lets its owner know
    /// that this is wanted. Returns without waiting for the device.
    fn power_cycle(&mut self, port: &PortPath);

    /// What the bench can switch at that port without anybody's hands.
    fn switches(&self, _port: &PortPath) -> Switches {
        Switches::default()
    }

    /// Switches something of that port. A contact is closed while the power is on only with
    /// `live`.
    ///
    /// # Errors
    /// Why it was not switched; [`Self::switches`] says what can be.
    fn switch(&mut self, _port: &PortPath, _what: Switching, _live: bool) -> Result<(), Failure> {
        Ok(())
    }
}

impl<O: Operator + ?Sized> Operator for Box<O> {
    fn consent(&mut self, reasons: &[String]) -> Consent {
        (**self).consent(reasons)
    }

    fn power_cycle(&mut self, port: &PortPath) {
        (**self).power_cycle(port);
    }

    fn switches(&self, port: &PortPath) -> Switches {
        (**self).switches(port)
    }

    fn switch(&mut self, port: &PortPath, what: Switching, live: bool) -> Result<(), Failure> {
        (**self).switch(port, what, live)
    }
}
