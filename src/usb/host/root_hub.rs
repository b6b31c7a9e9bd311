//! The power of a root hub's ports, as the hub itself tells it. Reading it disturbs nothing.

use std::time::Duration;

use rusb::{Context, DeviceHandle, UsbContext};

use super::failure::bus_error;
use crate::usb::{BusError, PortPath};

/// [USB 2.0 §11.24.2.7] GET_STATUS of a port: bmRequestType, bRequest, bytes of the answer.
const GET_PORT_STATUS: (u8, u8) = (0xa3, 0x00);
/// [USB 2.0 table 11-21] wPortStatus bit 8: PORT_POWER.
const PORT_POWER: u8 = 0x01;
/// The kernel answers for a root hub; no bus is involved.
const TIMEOUT: Duration = Duration::from_millis(500);

/// An open root hub.
#[derive(Debug)]
pub struct RootHub {
    handle: DeviceHandle<Context>,
    path: PortPath,
}

impl RootHub {
    /// The root hub of the bus with that number.
    ///
    /// # Errors
    /// [`BusError`] when there is none or it may not be opened.
    pub fn of_bus(bus: u8) -> Result<Self, BusError> {
        let path = PortPath::new(bus, Vec::new());
        let failed = |error| bus_error(error, &path);
        let context = Context::new().map_err(failed)?;
        let devices = context.devices().map_err(failed)?;
        let hub = devices
            .iter()
            .find(|device| device.bus_number() == bus && device.address() == 1)
            .ok_or_else(|| BusError::Left(path.clone()))?;
        let handle = hub.open().map_err(failed)?;
        Ok(Self { handle, path })
    }

    /// Whether the port, counted from 1, has power.
    ///
    /// # Errors
    /// [`BusError`] when the hub does not say.
    pub fn is_powered(&self, port: u8) -> Result<bool, BusError> {
        let mut status = [0; 4];
        let (request_type, request) = GET_PORT_STATUS;
        self.handle
            .read_control(request_type, request, 0, u16::from(port), &mut status, TIMEOUT)
            .map_err(|error| bus_error(error, &self.path))?;
        Ok(status[1] & PORT_POWER != 0)
    }
}
