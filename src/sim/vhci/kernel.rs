//! The kernel's side: ports of vhci_hcd, found and used through sysfs.
//!
//! Source: \[USBIP\], vhci_sysfs.c. A controller's `status` file lists all
//! its ports, USB 2 ports (`hs`) first, state 004 where nothing is plugged in. `attach` takes
//! `PORT SOCKET DEVICE SPEED` in decimal and keeps a reference of its own to the socket.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::usb::PortPath;

/// Where controllers are.
const PLATFORM: &str = "/sys/devices/platform";
/// Linux's EBUSY, and what `attach` says of a port that is not free (since 5.x EBUSY, before
/// EINVAL).
const NOT_FREE: [i32; 2] = [16, 22];

/// Why nothing can be plugged into this kernel.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// vhci_hcd is not loaded.
    #[error("this kernel has no virtual host controller: the module vhci-hcd is not loaded")]
    NoController,
    /// Not root.
    #[error("only root may plug virtual devices into the kernel")]
    Denied,
    /// All ports are taken.
    #[error("{wanted} free ports are needed, vhci_hcd has {free}")]
    NoPort {
        /// Ports that are needed.
        wanted: usize,
        /// Ports that are free.
        free: usize,
    },
    /// Anything else.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is the matter with it.
        error: io::Error,
    },
}

impl KernelError {
    fn of(path: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NoController,
            io::ErrorKind::PermissionDenied => Self::Denied,
            _ => Self::File { path: path.to_owned(), error },
        }
    }
}

/// A port of vhci_hcd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelPort {
    /// Where a device on it appears.
    pub path: PortPath,
    /// Its number in `attach`.
    number: u32,
    controller: PathBuf,
}

/// So many free USB 2 ports of this kernel.
///
/// # Errors
/// [`KernelError`]; nothing was changed.
pub fn free_ports(wanted: usize) -> Result<Vec<KernelPort>, KernelError> {
    let mut ports = free_below(Path::new(PLATFORM))?;
    if ports.len() < wanted {
        return Err(KernelError::NoPort { wanted, free: ports.len() });
    }
    // Opening it for writing is what root is needed for; better told now than by a thread.
    for port in ports.iter().take(1) {
        let attach = port.attach_file();
        fs::OpenOptions::new()
            .write(true)
            .open(&attach)
            .map_err(|error| KernelError::of(&attach, error))?;
    }
    ports.truncate(wanted);
    Ok(ports)
}

/// The first controller's files speak for all of them.
fn free_below(platform: &Path) -> Result<Vec<KernelPort>, KernelError> {
    let controller = platform.join("vhci_hcd.0");
    let status = controller.join("status");
    let text = fs::read_to_string(&status).map_err(|error| KernelError::of(&status, error))?;
    let bus = high_speed_bus(&controller)?;
    Ok(free_numbers(&text)
        .map(|(number, index)| KernelPort {
            // A hub counts its ports from 1.
            path: PortPath::new(bus, vec![index + 1]),
            number,
            controller: controller.clone(),
        })
        .collect())
}

/// Free USB 2 ports: their number, and their place among the controller's USB 2 ports.
fn free_numbers(status: &str) -> impl Iterator<Item = (u32, u8)> {
    let high_speed = status.lines().filter_map(|line| line.strip_prefix("hs "));
    high_speed.zip(0..).filter_map(|(line, index)| {
        let mut columns = line.split_whitespace();
        let number = columns.next()?.parse().ok()?;
        (columns.next()? == "004").then_some((number, index))
    })
}

/// The number of the controller's USB 2 bus: that of the two whose root hub does 480 Mbit/s.
fn high_speed_bus(controller: &Path) -> Result<u8, KernelError> {
    let entries = fs::read_dir(controller).map_err(|error| KernelError::of(controller, error))?;
    entries
        .filter_map(|entry| entry.ok())
        .find_map(|entry| {
            let bus = entry.file_name().to_str()?.strip_prefix("usb")?.parse().ok()?;
            let speed = fs::read_to_string(entry.path().join("speed")).ok()?;
            (speed.trim() == "480").then_some(bus)
        })
        .ok_or(KernelError::NoController)
}

impl KernelPort {
    fn attach_file(&self) -> PathBuf {
        self.controller.join("attach")
    }

    /// Plugs in whoever answers on the other end of `socket`. False while the kernel has not let
    /// go of the device before it.
    ///
    /// # Errors
    /// [`KernelError`] when the kernel refuses.
    pub(super) fn attach(&self, socket: &UnixStream, speed: u8) -> Result<bool, KernelError> {
        // The device's number is the server's and shows nowhere; one that is not zero will do.
        let device = 1 << 16 | (self.number + 1);
        let words = format!("{} {} {device} {speed}", self.number, socket.as_raw_fd());
        let attach = self.attach_file();
        match fs::write(&attach, words) {
            Ok(()) => Ok(true),
            Err(error) if error.raw_os_error().is_some_and(|code| NOT_FREE.contains(&code)) => {
                Ok(false)
            }
            Err(error) => Err(KernelError::of(&attach, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Linux 6.1 shows it, shortened.
    const STATUS: &str = "\
hub port sta spd dev      sockfd local_busid
hs  0000 006 003 00010001 000003 1-1
hs  0001 004 000 00000000 000000 0-0
hs  0002 004 000 00000000 000000 0-0
ss  0003 004 000 00000000 000000 0-0
";

    fn controller() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let controller = folder.path().join("vhci_hcd.0");
        for (bus, speed) in [("usb7", "5000\n"), ("usb6", "480\n")] {
            fs::create_dir_all(controller.join(bus)).unwrap();
            fs::write(controller.join(bus).join("speed"), speed).unwrap();
        }
        fs::write(controller.join("status"), STATUS).unwrap();
        folder
    }

    #[test]
    fn free_ports_are_named_as_the_devices_on_them_will_be() {
        let folder = controller();
        let ports = free_below(folder.path()).unwrap();
        let named: Vec<_> = ports.iter().map(|port| (port.number, port.path.to_string())).collect();
        assert_eq!(named, [(1, "6-2".to_owned()), (2, "6-3".to_owned())]);
    }

    #[test]
    fn a_kernel_without_the_module_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let error = free_below(folder.path()).unwrap_err();
        assert!(matches!(error, KernelError::NoController), "{error}");
    }

    #[test]
    fn attaching_writes_port_socket_device_and_speed() {
        let folder = controller();
        let port = free_below(folder.path()).unwrap().remove(0);
        let (ours, _theirs) = UnixStream::pair().unwrap();
        assert!(port.attach(&ours, 3).unwrap());
        let written = fs::read_to_string(port.attach_file()).unwrap();
        assert_eq!(written, format!("1 {} 65538 3", ours.as_raw_fd()));
    }

    #[test]
    fn a_status_file_of_nonsense_has_no_free_port() {
        assert_eq!(free_numbers("hs\nhs x 004\nhs 1\nss  0003 004\n").count(), 0);
    }
}
