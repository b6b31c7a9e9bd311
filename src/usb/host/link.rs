//! An open device: transfers through libusb, kernel drivers kept away for as long as it lives.
//!
//! Control transfers need no interface. An interface is claimed when the first bulk transfer to
//! one of its endpoints is made, so that a chip that is only spoken to over endpoint 0 is left
//! alone otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rusb::{Context, Device, DeviceHandle};

use super::descriptor;
use super::failure::{bus_error, transfer_error};
use super::in_use;
use crate::clock::{Clock, RealClock};
use crate::usb::{BusError, Interface, Link, PortPath, Reply, Setup, Transfer, TransferError};

/// Most data bytes of one control transfer: the limit of Linux usbfs, kept everywhere so that
/// what works on one computer works on the next.
const MAX_CONTROL_BYTES: usize = 4096;
/// Most bytes of one bulk transfer: Linux gives all of usbfs 16 MB by default.
const MAX_BULK_BYTES: usize = 4 << 20;
/// libusb takes a timeout of 0 ms as "for ever".
const MIN_WAIT: Duration = Duration::from_millis(1);
/// The longest wait there is, whatever a caller asks; well inside libusb's 32 bits of ms.
const MAX_WAIT: Duration = Duration::from_secs(600);
/// bmRequestType and bRequest of CLEAR_FEATURE to an endpoint [USB 2.0 §9.4.1].
const CLEAR_ENDPOINT_FEATURE: (u8, u8) = (0x02, 0x01);
/// wValue: ENDPOINT_HALT [USB 2.0 table 9-6].
const ENDPOINT_HALT: u16 = 0;

/// An open device of this computer.
pub(super) struct HostLink {
    handle: DeviceHandle<Context>,
    port: PortPath,
    clock: Arc<RealClock>,
    /// Alternate settings of the active configuration.
    interfaces: Vec<Interface>,
    /// Interfaces whose kernel driver was detached.
    detached: Vec<u8>,
    /// Claimed interfaces, each with its selected alternate setting.
    claimed: BTreeMap<u8, u8>,
}

impl HostLink {
    /// Opens the device and detaches the drivers of its active configuration.
    pub(super) fn open(
        device: &Device<Context>,
        port: &PortPath,
        clock: Arc<RealClock>,
    ) -> Result<Self, BusError> {
        let handle = device.open().map_err(|error| bus_error(error, port))?;
        // An unconfigured device has no active configuration and no drivers either.
        let interfaces = device
            .active_config_descriptor()
            .map(|configuration| descriptor::interfaces(&configuration))
            .unwrap_or_default();
        let mut link = Self {
            handle,
            port: port.clone(),
            clock,
            interfaces,
            detached: Vec::new(),
            claimed: BTreeMap::new(),
        };
        // Immediately before, and held until the drivers are off: nobody mounts it in between.
        let held = in_use::hold_unused(port, &*link.clock)?;
        link.detach_drivers()?;
        drop(held);
        link.hold()?;
        log::debug!("{port}: opened, drivers detached from interfaces {:?}", link.detached);
        Ok(link)
    }

    /// Claims the first interface, although control transfers need none: the kernel gives an
    /// interface to one program only, of whatever user, so a second program is turned away.
    fn hold(&mut self) -> Result<(), BusError> {
        let Some(number) = self.interfaces.iter().map(|interface| interface.number).min() else {
            return Ok(());
        };
        self.handle.claim_interface(number).map_err(|error| bus_error(error, &self.port))?;
        self.claimed.insert(number, 0);
        Ok(())
    }

    /// A driver that cannot be detached makes the whole opening fail; those detached before it
    /// are given back when `self` is dropped.
    fn detach_drivers(&mut self) -> Result<(), BusError> {
        let mut numbers: Vec<u8> = self.interfaces.iter().map(|i| i.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        for number in numbers {
            match self.handle.kernel_driver_active(number) {
                Ok(true) => {}
                // No driver, or a system where drivers are not detached.
                Ok(false) | Err(rusb::Error::NotSupported | rusb::Error::NotFound) => continue,
                Err(error) => return Err(bus_error(error, &self.port)),
            }
            match self.handle.detach_kernel_driver(number) {
                Ok(()) => self.detached.push(number),
                // It left by itself in between.
                Err(rusb::Error::NotFound) => {}
                Err(error) => return Err(bus_error(error, &self.port)),
            }
        }
        Ok(())
    }

    /// Claims the interface with that endpoint, in a setting that has it.
    fn claim_for(&mut self, endpoint: u8) -> Result<(), TransferError> {
        let selected = |claimed: &BTreeMap<u8, u8>, i: &Interface| {
            claimed.get(&i.number).copied().unwrap_or(0) == i.alternate
        };
        let mut offers: Vec<_> = self
            .interfaces
            .iter()
            .filter(|i| i.endpoints.iter().any(|e| e.address == endpoint))
            .map(|i| (!selected(&self.claimed, i), i.number, i.alternate))
            .collect();
        offers.sort_unstable();
        let Some((_, number, alternate)) = offers.first().copied() else {
            return Err(TransferError::Other(format!(
                "the device has no endpoint {endpoint:02x} in its active configuration"
            )));
        };
        let current = match self.claimed.get(&number) {
            Some(current) => *current,
            None => {
                self.handle.claim_interface(number).map_err(transfer_error)?;
                self.claimed.insert(number, 0);
                log::debug!("{}: interface {number} claimed", self.port);
                0
            }
        };
        if current != alternate {
            self.handle.set_alternate_setting(number, alternate).map_err(transfer_error)?;
            self.claimed.insert(number, alternate);
        }
        Ok(())
    }

    fn transfer(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        let wait = transfer.timeout().clamp(MIN_WAIT, MAX_WAIT);
        match transfer {
            Transfer::ControlIn { setup: s, .. } => {
                let length = usize::from(s.length);
                check_length(length, MAX_CONTROL_BYTES, "control")?;
                let mut data = vec![0; length];
                let got = self
                    .handle
                    .read_control(s.request_type, s.request, s.value, s.index, &mut data, wait)
                    .map_err(transfer_error)?;
                data.truncate(got);
                Ok(Reply { data })
            }
            Transfer::ControlOut { setup: s, data, .. } => {
                check_length(data.len(), MAX_CONTROL_BYTES, "control")?;
                if usize::from(s.length) != data.len() {
                    return Err(TransferError::Other(format!(
                        "wLength is {} but the data stage has {} bytes",
                        s.length,
                        data.len()
                    )));
                }
                if let Some(endpoint) = cleared_halt(s) {
                    // Through libusb, so that the host's data toggle starts again as well.
                    self.claim_for(endpoint)?;
                    self.handle.clear_halt(endpoint).map_err(transfer_error)?;
                    return Ok(Reply::default());
                }
                let sent = self
                    .handle
                    .write_control(s.request_type, s.request, s.value, s.index, data, wait)
                    .map_err(transfer_error)?;
                all_sent(sent, data.len())
            }
            Transfer::BulkIn { endpoint, length, .. } => {
                check_length(*length, MAX_BULK_BYTES, "bulk")?;
                self.claim_for(*endpoint)?;
                let mut data = vec![0; *length];
                let got =
                    self.handle.read_bulk(*endpoint, &mut data, wait).map_err(transfer_error)?;
                data.truncate(got);
                Ok(Reply { data })
            }
            Transfer::BulkOut { endpoint, data, .. } => {
                check_length(data.len(), MAX_BULK_BYTES, "bulk")?;
                self.claim_for(*endpoint)?;
                let sent = self.handle.write_bulk(*endpoint, data, wait).map_err(transfer_error)?;
                all_sent(sent, data.len())
            }
        }
    }
}

impl Link for HostLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        self.transfer(transfer)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<RealClock>::clone(&self.clock)
    }
}

impl Drop for HostLink {
    fn drop(&mut self) {
        let port = &self.port;
        for number in self.claimed.keys() {
            if let Err(error) = self.handle.release_interface(*number) {
                log::debug!("{port}: interface {number} was not released: {error}");
            }
        }
        for number in &self.detached {
            match self.handle.attach_kernel_driver(*number) {
                Ok(()) => log::debug!("{port}: interface {number} has its driver back"),
                // The device left, which is how most rescues end; its next enumeration is bound
                // anew by the kernel.
                Err(rusb::Error::NoDevice | rusb::Error::NotFound) => {}
                Err(error) => log::warn!(
                    "{port}: interface {number} did not get its driver back: {error}; plug the \
                     device in again to use it"
                ),
            }
        }
    }
}

fn check_length(length: usize, maximum: usize, kind: &str) -> Result<(), TransferError> {
    if length <= maximum {
        return Ok(());
    }
    Err(TransferError::Other(format!(
        "a {kind} transfer carries at most {maximum} bytes; the request is for {length}"
    )))
}

fn all_sent(sent: usize, length: usize) -> Result<Reply, TransferError> {
    if sent < length { Err(TransferError::Short { sent, length }) } else { Ok(Reply::default()) }
}

/// The endpoint whose halt this request clears, if it is one that does.
fn cleared_halt(setup: &Setup) -> Option<u8> {
    let clears = (setup.request_type, setup.request) == CLEAR_ENDPOINT_FEATURE
        && setup.value == ENDPOINT_HALT
        && setup.length == 0;
    // Endpoint 0 clears its halt with every SETUP and belongs to no interface.
    u8::try_from(setup.index).ok().filter(|endpoint| clears && endpoint & 0x0f != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clear_feature(value: u16, index: u16) -> Setup {
        Setup { request_type: 0x02, request: 0x01, value, index, length: 0 }
    }

    #[test]
    fn only_clearing_a_bulk_endpoints_halt_goes_through_libusb() {
        assert_eq!(cleared_halt(&clear_feature(0, 0x81)), Some(0x81));
        assert_eq!(cleared_halt(&clear_feature(0, 0x80)), None);
        assert_eq!(cleared_halt(&clear_feature(1, 0x81)), None);
        assert_eq!(cleared_halt(&clear_feature(0, 0x181)), None);
    }

    #[test]
    fn a_control_transfer_beyond_4096_bytes_is_refused_before_it_is_sent() {
        assert!(check_length(4096, MAX_CONTROL_BYTES, "control").is_ok());
        assert_eq!(
            check_length(4097, MAX_CONTROL_BYTES, "control").unwrap_err().to_string(),
            "a control transfer carries at most 4096 bytes; the request is for 4097"
        );
    }

    #[test]
    fn a_part_that_was_not_taken_is_an_error() {
        assert_eq!(all_sent(63, 64), Err(TransferError::Short { sent: 63, length: 64 }));
        assert!(all_sent(64, 64).is_ok());
    }
}
