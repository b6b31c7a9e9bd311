//! A serial device for a virtual relay board: one end of a pseudo terminal, the other end open
//! for whoever drives the board. Real time passes on it, and real bytes.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::relay::RelayBoard;

/// An open pseudo terminal.
pub struct Pty {
    board_end: File,
    /// Kept open: without anybody on the other end, reading would fail.
    driver_end: OwnedFd,
    path: PathBuf,
}

/// How many bytes a board has taken so far.
#[derive(Clone, Default)]
pub struct Taken(Arc<(Mutex<u64>, Condvar)>);

impl Taken {
    /// Waits until the board has taken so many bytes, at most five seconds.
    pub fn wait_for(&self, bytes: u64) {
        let (count, changed) = &*self.0;
        let count = count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited =
            changed.wait_timeout_while(count, Duration::from_secs(5), |count| *count < bytes);
        if waited.is_ok_and(|(_, timeout)| timeout.timed_out()) {
            log::warn!("the virtual relay board did not take what it was sent");
        }
    }

    fn add(&self, bytes: usize) {
        let (count, changed) = &*self.0;
        *count.lock().unwrap_or_else(PoisonError::into_inner) += bytes as u64;
        changed.notify_all();
    }
}

impl Pty {
    /// Opens a pseudo terminal without echo or line editing.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open() -> io::Result<Self> {
        let board_end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&board_end)?;
        unlockpt(&board_end)?;
        let name = ptsname(&board_end, Vec::new())?;
        let path = PathBuf::from(name.to_string_lossy().into_owned());
        let driver_end = rustix::fs::open(
            &path,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let mut settings = tcgetattr(&driver_end)?;
        settings.make_raw();
        tcsetattr(&driver_end, OptionalActions::Now, &settings)?;
        Ok(Self { board_end: File::from(board_end), driver_end, path })
    }

    /// The serial device.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The board's end, for a board of another kind than the simulator's.
    pub fn board_end(&mut self) -> &mut File {
        &mut self.board_end
    }

    /// Makes `link` lead to the serial device, in place of a link that did.
    ///
    /// # Errors
    /// What the operating system says; a file that is no link is not changed.
    pub fn link(&self, link: &Path) -> io::Result<()> {
        if link.symlink_metadata().is_ok_and(|there| there.is_symlink()) {
            std::fs::remove_file(link)?;
        }
        std::os::unix::fs::symlink(&self.path, link)
    }

    /// Lets the board live on it until the process ends or the terminal fails.
    ///
    /// # Errors
    /// What the operating system says of the terminal.
    pub fn serve(mut self, mut board: RelayBoard, taken: &Taken) -> io::Result<()> {
        let mut bytes = [0; 256];
        loop {
            let count = self.board_end.read(&mut bytes)?;
            let answer = board.take(bytes.get(..count).unwrap_or_default());
            self.board_end.write_all(&answer)?;
            taken.add(count);
            // Named so that it lives as long as the loop.
            let _ = &self.driver_end;
        }
    }
}
