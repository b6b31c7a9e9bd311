//! A hub, opened for class requests only: the power of its ports. The kernel's hub driver keeps
//! running: no interface is claimed, and class requests to a hub need none. What is sent and what
//! the answers mean is in `usb::hub`; who switches power, and gives it back, in `power`.

use std::sync::Arc;
use std::time::Duration;

use rusb::{Context, Device, DeviceHandle};

use super::failure::{bus_error, transfer_error};
use super::{all_devices, descriptor};
use crate::clock::{Clock, Deadline, RealClock};
use crate::usb::hub;
use crate::usb::{BusError, Link, PortPath, Reply, Transfer, TransferError};

/// bcdUSB from which a hub is the SuperSpeed half of its connectors.
const SUPER: u16 = 0x0300;
/// bcdUSB from which a hub may be one half of two: 2.10 is the high-speed half [USB 3.2 §10].
const FIRST_DOUBLE: u16 = 0x0210;

/// An open hub, for control transfers.
#[derive(Debug)]
pub struct HubLink {
    handle: DeviceHandle<Context>,
    bcd_usb: u16,
    clock: Arc<RealClock>,
}

impl HubLink {
    /// Opens a hub.
    pub(super) fn open(
        device: &Device<Context>,
        clock: &Arc<RealClock>,
    ) -> Result<Self, rusb::Error> {
        let bcd_usb = descriptor::bcd(device.device_descriptor()?.usb_version());
        Ok(Self { handle: device.open()?, bcd_usb, clock: Arc::clone(clock) })
    }

    /// The root hub of the bus with that number. The kernel answers for it; asking it disturbs
    /// nothing.
    ///
    /// # Errors
    /// [`BusError`] when there is none or it may not be opened.
    pub fn root_of(bus: u8) -> Result<Self, BusError> {
        let path = PortPath::new(bus, Vec::new());
        let device = all_devices()?.into_iter().find(|(port, _)| *port == path);
        let (_, device) = device.ok_or_else(|| BusError::Left(path.clone()))?;
        Self::open(&device, &Arc::new(RealClock::new())).map_err(|error| bus_error(error, &path))
    }

    /// Whether it is the SuperSpeed half of its connectors.
    pub(super) fn is_super(&self) -> bool {
        self.bcd_usb >= SUPER
    }

    /// Whether it may be one half of two.
    pub(super) fn may_be_a_half(&self) -> bool {
        self.bcd_usb >= FIRST_DOUBLE
    }

    /// The ports, counted from 1, that say that something is attached.
    ///
    /// # Errors
    /// [`TransferError`] when the hub does not say, or not before the deadline.
    pub(super) fn attached(&mut self, deadline: &Deadline) -> Result<Vec<u8>, TransferError> {
        let descriptor = self.exchange(&hub::get_descriptor(self.is_super()))?.data;
        let ports = hub::descriptor(&descriptor).map_or(0, |hub| hub.ports);
        let mut attached = Vec::new();
        for port in 1..=ports {
            if deadline.passed(&*self.clock) {
                return Err(TransferError::TimedOut);
            }
            if hub::is_attached(&self.exchange(&hub::get_status(port))?.data) {
                attached.push(port);
            }
        }
        Ok(attached)
    }

    /// Whether the port, counted from 1, has power.
    ///
    /// # Errors
    /// [`TransferError`] when the hub does not say.
    pub fn is_powered(&mut self, port: u8) -> Result<bool, TransferError> {
        let is_super = self.is_super();
        let status = self.exchange(&hub::get_status(port))?.data;
        hub::is_powered(&status, is_super).ok_or_else(|| {
            TransferError::Other(format!("a port's status has {} bytes, expected 4", status.len()))
        })
    }
}

impl Link for HubLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        let wait = transfer.timeout().max(Duration::from_millis(1));
        match transfer {
            Transfer::ControlIn { setup: s, .. } => {
                let mut data = vec![0; usize::from(s.length)];
                let got = self
                    .handle
                    .read_control(s.request_type, s.request, s.value, s.index, &mut data, wait)
                    .map_err(transfer_error)?;
                data.truncate(got);
                Ok(Reply { data })
            }
            Transfer::ControlOut { setup: s, data, .. } => self
                .handle
                .write_control(s.request_type, s.request, s.value, s.index, data, wait)
                .map(|_| Reply::default())
                .map_err(transfer_error),
            Transfer::BulkIn { .. } | Transfer::BulkOut { .. } => {
                Err(TransferError::Other("a hub has no bulk endpoints".to_owned()))
            }
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<RealClock>::clone(&self.clock)
    }
}
