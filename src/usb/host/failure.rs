//! libusb's errors in this program's words. Every kind is named, so that a new one in rusb is
//! noticed when compiling.

use crate::usb::{BusError, PortPath, TransferError};

/// Why a device could not be opened, claimed or reset.
pub(super) fn bus_error(error: rusb::Error, port: &PortPath) -> BusError {
    match error {
        rusb::Error::Access => BusError::Denied(port.clone()),
        rusb::Error::Busy => BusError::Busy(port.clone()),
        rusb::Error::NoDevice | rusb::Error::NotFound => BusError::Left(port.clone()),
        rusb::Error::Io
        | rusb::Error::InvalidParam
        | rusb::Error::Timeout
        | rusb::Error::Overflow
        | rusb::Error::Pipe
        | rusb::Error::Interrupted
        | rusb::Error::NoMem
        | rusb::Error::NotSupported
        | rusb::Error::BadDescriptor
        | rusb::Error::Other => BusError::Unusable(format!("port {port}: {error}")),
    }
}

/// Why a transfer did not complete.
pub(super) fn transfer_error(error: rusb::Error) -> TransferError {
    match error {
        rusb::Error::Pipe => TransferError::Stall,
        rusb::Error::Timeout => TransferError::TimedOut,
        rusb::Error::NoDevice => TransferError::Gone,
        rusb::Error::Overflow => TransferError::Overflow,
        rusb::Error::Access => TransferError::Denied,
        rusb::Error::Busy => TransferError::Busy,
        rusb::Error::Io
        | rusb::Error::InvalidParam
        | rusb::Error::NotFound
        | rusb::Error::Interrupted
        | rusb::Error::NoMem
        | rusb::Error::NotSupported
        | rusb::Error::BadDescriptor
        | rusb::Error::Other => TransferError::Other(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_a_timeout_and_a_departure_keep_their_meaning() {
        assert_eq!(transfer_error(rusb::Error::Pipe), TransferError::Stall);
        assert_eq!(transfer_error(rusb::Error::Timeout), TransferError::TimedOut);
        assert_eq!(transfer_error(rusb::Error::NoDevice), TransferError::Gone);
    }

    #[test]
    fn a_forbidden_device_is_told_from_a_missing_one() {
        let port = PortPath::new(3, vec![2, 1]);
        assert_eq!(bus_error(rusb::Error::Access, &port), BusError::Denied(port.clone()));
        assert_eq!(bus_error(rusb::Error::NoDevice, &port), BusError::Left(port.clone()));
        assert_eq!(
            bus_error(rusb::Error::Io, &port).to_string(),
            "USB cannot be used on this computer: port 3-2.1: Input/Output Error"
        );
    }
}
