//! Serial devices of this computer. The one module that talks to serialport.

use std::path::Path;
use std::time::Duration;

use serialport::{DataBits, ErrorKind, FlowControl, Parity, StopBits};

use super::{Line, RelayError};

/// How long one read waits before it says that nothing came.
const READ_TIME: Duration = Duration::from_millis(50);

/// Opens a serial device: 8 data bits, no parity, 1 stop bit, no handshake, for this program only.
///
/// # Errors
/// [`RelayError`], each kind of refusal its own.
pub fn open(device: &Path, baud: u32) -> Result<Box<dyn Line>, RelayError> {
    let path =
        device.to_str().ok_or_else(|| RelayError::Unusable("its name is not text".to_owned()))?;
    let port = serialport::new(path, baud)
        .data_bits(DataBits::Eight)
        .parity(Parity::None)
        .stop_bits(StopBits::One)
        .flow_control(FlowControl::None)
        .timeout(READ_TIME)
        .open()
        .map_err(|error| match error.kind() {
            ErrorKind::Io(std::io::ErrorKind::NotFound) => RelayError::Missing,
            ErrorKind::Io(std::io::ErrorKind::PermissionDenied) => RelayError::Denied,
            // serialport's word for a device that is there and held by another program.
            ErrorKind::NoDevice if device.exists() => RelayError::Busy,
            ErrorKind::NoDevice => RelayError::Missing,
            _ => RelayError::Unusable(error.description),
        })?;
    Ok(Box::new(port))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_there_and_one_that_is_no_line_are_two_errors() {
        let missing = open(Path::new("/dev/no-such-line"), 9600).err();
        assert!(matches!(missing, Some(RelayError::Missing)), "{missing:?}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let no_line = open(&file, 9600).err();
        assert!(matches!(no_line, Some(RelayError::Unusable(_))), "{no_line:?}");
    }
}
