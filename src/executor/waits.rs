//! Every wait and every retry of a run, each bounded.

use std::ops::Range;
use std::time::Duration;

use super::run::Run;
use crate::chip::{ChipError, Memory, MemoryError};
use crate::clock::Deadline;
use crate::failure::Failure;
use crate::usb::{PortPath, Sighting, TransferError};

/// How often the bus is looked at while waiting for something to appear.
pub const POLL: Duration = Duration::from_millis(50);

/// How long a device may take to leave the bus after it was told to restart.
pub(super) const LEAVE_TIME: Duration = Duration::from_secs(2);

/// How long a device may take to come back by itself.
pub(super) const RETURN_TIME: Duration = Duration::from_secs(5);

/// How long a person may take to unplug and plug in.
pub(super) const HANDS_TIME: Duration = Duration::from_secs(120);

/// How long the power stays away: capacitors of an enclosure hold a chip up for a second.
pub(super) const OFF_TIME: Duration = Duration::from_secs(2);

/// How long a driver may take to be bound to a device that has just come: udev loads its module.
pub(super) const DRIVER_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a bound driver may take to show its drive. usb-storage waits a second before it asks
/// (its parameter `delay_use`); a disk spins up meanwhile.
pub(super) const DRIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often something that may have been disturbed is done.
pub(super) const ATTEMPTS: u32 = 3;

impl Run<'_> {
    /// Waits for a device at `port` that `is_it`; `None` when the time has passed.
    pub fn wait_for(
        &mut self,
        port: &PortPath,
        timeout: Duration,
        is_it: impl Fn(&Sighting) -> bool,
    ) -> Result<Option<Sighting>, Failure> {
        self.wait_until(timeout, |all| {
            all.into_iter().find(|seen| seen.port == *port && is_it(seen))
        })
    }

    /// Whether that enumeration of the device ends within [`LEAVE_TIME`].
    pub fn has_left(&mut self, seen: &Sighting) -> Result<bool, Failure> {
        let is_gone = |all: Vec<Sighting>| {
            let here = all.iter().any(|other| other.is_same_enumeration(seen));
            (!here).then_some(())
        };
        Ok(self.wait_until(LEAVE_TIME, is_gone)?.is_some())
    }

    /// Waits until nothing is at `port`, or the time has passed.
    pub fn wait_until_empty(&mut self, port: &PortPath, timeout: Duration) -> Result<(), Failure> {
        let is_empty =
            |all: Vec<Sighting>| (!all.iter().any(|seen| seen.port == *port)).then_some(());
        self.wait_until(timeout, is_empty).map(drop)
    }

    /// Looks at the bus until `look` finds what is waited for; `None` when the time has passed.
    fn wait_until<T>(
        &mut self,
        timeout: Duration,
        look: impl Fn(Vec<Sighting>) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let clock = self.tools.bus.clock();
        let deadline = Deadline::after(&*clock, timeout);
        loop {
            // A look that took long shows what was; the last one begins when the time is over.
            let is_last = deadline.passed(&*clock);
            let found = look(self.scan()?);
            if found.is_some() || is_last {
                return Ok(found);
            }
            clock.sleep(POLL);
        }
    }
}

/// Does something again when a transfer was lost; not when the device is gone, and not when the
/// answer would be the same.
pub(super) fn retry<T>(
    mut action: impl FnMut() -> Result<T, MemoryError>,
) -> Result<T, MemoryError> {
    let mut attempt = 1;
    loop {
        match action() {
            Err(error) if is_transient(&error) && attempt < ATTEMPTS => {
                log::info!("{error}; attempt {attempt} of {ATTEMPTS}");
                attempt += 1;
            }
            result => return result,
        }
    }
}

/// Reads all of a range. Fewer bytes than asked for are a disturbed answer, not a shorter memory,
/// and must not pass for bytes that are as expected.
pub(super) fn read_all(memory: &mut dyn Memory, range: Range<u32>) -> Result<Vec<u8>, MemoryError> {
    retry(|| {
        let bytes = memory.read(range.clone())?;
        if bytes.len() == range.len() {
            return Ok(bytes);
        }
        let (got, wanted) = (bytes.len(), range.len());
        let what = format!("brought {got} of {wanted} bytes at {:#06x}", range.start);
        Err(ChipError::Loader(what).into())
    })
}

/// Whether an error may be a passing disturbance: a transfer that was lost while the device is
/// still there, or bytes that were damaged on the way.
pub(super) fn is_transient(error: &MemoryError) -> bool {
    match error {
        MemoryError::Chip(ChipError::Transfer { source, .. }) => {
            !matches!(source, TransferError::Gone | TransferError::Denied | TransferError::Busy)
        }
        MemoryError::Chip(ChipError::Loader(_)) => true,
        _ => false,
    }
}

#[cfg(test)]
#[path = "waits_tests.rs"]
mod tests;
