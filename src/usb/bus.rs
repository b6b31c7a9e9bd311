//! The two seams every device is reached through: a [`Bus`] that shows devices and a [`Link`] to
//! one of them.
//!
//! Implemented by `usb::host` (libusb), by the simulator, and by the wrappers in `usb::trace`.
//! Protocol code is blocking and linear over a `Link` and never learns which one it talks to.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::in_use::{self, Use};
use super::{KernelDrive, PortPath, PowerError, Reply, Sighting, Transfer, TransferError};
use crate::clock::Clock;

/// A set of USB ports with devices on them.
pub trait Bus {
    /// Every device on the bus at this moment, in port order.
    ///
    /// # Errors
    /// [`BusError`] when the bus itself cannot be read; a device that cannot be opened is still
    /// listed, without its strings.
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError>;

    /// Opens the device that was sighted, and no other: same port and same device number.
    ///
    /// Kernel drivers are detached for as long as the link lives and given back when it is
    /// dropped.
    ///
    /// # Errors
    /// [`BusError::InUse`] when somebody uses what lies behind it, before anything is detached;
    /// [`BusError::Left`] when the device at that port is no longer the one sighted.
    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError>;

    /// Resets the device's port, after which the device enumerates afresh without losing its RAM.
    /// With changed descriptors it comes back under a new device number, and no scan after this
    /// shows it under the old one.
    ///
    /// # Errors
    /// [`BusError`] when the device is gone or may not be reset.
    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError>;

    /// Takes the power from the port that holds this very device, through the hub's own requests,
    /// where the hub says it can do that for one port alone. Some that say so do not: whether the
    /// device left is for the caller to see.
    ///
    /// # Errors
    /// [`PowerError`]; nothing is switched where other ports would be switched along.
    fn power_off(&mut self, seen: &Sighting) -> Result<(), PowerError> {
        Err(PowerError::NotSwitchable(format!(
            "recover cannot switch the power of port {} here",
            seen.port
        )))
    }

    /// Gives a port its power back.
    ///
    /// # Errors
    /// [`PowerError`].
    fn power_on(&mut self, port: &PortPath) -> Result<(), PowerError> {
        Err(PowerError::NotSwitchable(format!(
            "recover cannot switch the power of port {port} here"
        )))
    }

    /// Whether nobody uses what lies behind the device; nothing is opened for it.
    ///
    /// # Errors
    /// [`BusError::InUse`].
    fn check_unused(&mut self, _seen: &Sighting) -> Result<(), BusError> {
        Ok(())
    }

    /// Ports where a hub says that something is attached, and where no device answers: its
    /// descriptors could not be read. Asks hubs only; a hub that may not be asked tells nothing.
    fn silent_ports(&mut self) -> Vec<PortPath> {
        Vec::new()
    }

    /// What the operating system's own driver has learnt of the drive behind the device. Nothing
    /// is opened or detached for it, so that a drive in use is not disturbed.
    fn drive_seen_by_kernel(&mut self, _seen: &Sighting) -> KernelDrive {
        KernelDrive::NotTold
    }

    /// The clock this bus lives by.
    fn clock(&self) -> Arc<dyn Clock>;
}

impl<B: Bus + ?Sized> Bus for Box<B> {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        (**self).scan()
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        (**self).open(seen)
    }

    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError> {
        (**self).reset(seen)
    }

    fn power_off(&mut self, seen: &Sighting) -> Result<(), PowerError> {
        (**self).power_off(seen)
    }

    fn power_on(&mut self, port: &PortPath) -> Result<(), PowerError> {
        (**self).power_on(port)
    }

    fn check_unused(&mut self, seen: &Sighting) -> Result<(), BusError> {
        (**self).check_unused(seen)
    }

    fn silent_ports(&mut self) -> Vec<PortPath> {
        (**self).silent_ports()
    }

    fn drive_seen_by_kernel(&mut self, seen: &Sighting) -> KernelDrive {
        (**self).drive_seen_by_kernel(seen)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        (**self).clock()
    }
}

/// An open device.
pub trait Link: Send {
    /// Sends one transfer and waits for its completion, at most for its timeout.
    ///
    /// # Errors
    /// [`TransferError`], after which the link may be used again unless it says `Gone`.
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError>;

    /// The same for a transfer that does no harm when it is sent again: one that was cut short is,
    /// at most twice. What is short every time is the device's answer.
    ///
    /// # Errors
    /// As [`Link::exchange`].
    fn exchange_whole(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        for _ in 0..2 {
            match self.exchange(transfer) {
                Ok(reply) if transfer.is_cut_short(&reply) => {}
                Err(TransferError::Short { .. }) => {}
                result => return result,
            }
            log::info!("{transfer} was cut short, and is sent again");
        }
        self.exchange(transfer)
    }

    /// The clock this device lives by; waits between transfers use it.
    fn clock(&self) -> Arc<dyn Clock>;
}

/// Why a bus or one of its devices cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BusError {
    /// The operating system forbids opening the device.
    #[error("no permission to open the device at port {0}")]
    Denied(PortPath),
    /// Another program or driver holds the device.
    #[error("the device at port {0} is in use by another program")]
    Busy(PortPath),
    /// The owner of the computer uses what lies behind the device. Nothing was detached from it,
    /// and no option overrides this.
    #[error("the device at port {port} is in use: {}", in_use::list(uses))]
    InUse {
        /// Its port.
        port: PortPath,
        /// Every use that was found, in the order in which they can be ended.
        uses: Vec<Use>,
    },
    /// The device left, or another took its place.
    #[error("the device at port {0} is gone")]
    Left(PortPath),
    /// Whoever asked for the run has asked for its end.
    #[error("stopped on request, before the next access to the device at port {0}")]
    Stopped(PortPath),
    /// The USB system of this computer cannot be used at all.
    #[error("USB cannot be used on this computer: {0}")]
    Unusable(String),
}
