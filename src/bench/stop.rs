//! How a run ends early without losing anything.
//!
//! A run looks at the bus before it begins anything: to find its device, to open it, while it
//! waits for it to come back. That is where a [`Stoppable`] bus stops it. Between these looks it
//! works on an open device, a write and its reading back among it, and is left in peace.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use crate::clock::Clock;
use crate::usb::{Bus, BusError, KernelDrive, Link, PortPath, PowerError, Sighting};

/// How firmly a run is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopLevel {
    /// Not at all.
    Go,
    /// Unless it has begun to write.
    Unwritten,
    /// Wherever nothing is being written.
    Everything,
}

/// A run's stop, shared by the run and whoever may stop it.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    level: Arc<AtomicU8>,
    has_written: Arc<AtomicBool>,
}

impl Stop {
    /// Asks the run to stop; never takes back what was asked before.
    pub fn ask(&self, level: StopLevel) {
        self.level.fetch_max(level as u8, Ordering::Relaxed);
    }

    /// Notes that the run has begun to write.
    pub fn note_writing(&self) {
        self.has_written.store(true, Ordering::Relaxed);
    }

    /// Whether the run has begun to write.
    pub fn has_written(&self) -> bool {
        self.has_written.load(Ordering::Relaxed)
    }

    fn is_due(&self) -> bool {
        let level = self.level.load(Ordering::Relaxed);
        level >= StopLevel::Everything as u8
            || (level >= StopLevel::Unwritten as u8 && !self.has_written())
    }
}

/// A bus on which a run can be stopped.
pub struct Stoppable {
    /// The bus.
    pub bus: Box<dyn Bus + Send>,
    /// The port the run is for.
    pub port: PortPath,
    /// Its stop.
    pub stop: Stop,
}

impl Stoppable {
    fn check(&self) -> Result<(), BusError> {
        if self.stop.is_due() { Err(BusError::Stopped(self.port.clone())) } else { Ok(()) }
    }
}

impl Bus for Stoppable {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        self.check()?;
        self.bus.scan()
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        self.check()?;
        self.bus.open(seen)
    }

    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError> {
        self.check()?;
        self.bus.reset(seen)
    }

    fn power_off(&mut self, seen: &Sighting) -> Result<(), PowerError> {
        if self.stop.is_due() {
            return Err(PowerError::NotSwitchable("the run is being stopped".to_owned()));
        }
        self.bus.power_off(seen)
    }

    /// Never held back: no port is left without power.
    fn power_on(&mut self, port: &PortPath) -> Result<(), PowerError> {
        self.bus.power_on(port)
    }

    fn check_unused(&mut self, seen: &Sighting) -> Result<(), BusError> {
        self.check()?;
        self.bus.check_unused(seen)
    }

    fn silent_ports(&mut self) -> Vec<PortPath> {
        if self.stop.is_due() { Vec::new() } else { self.bus.silent_ports() }
    }

    fn drive_seen_by_kernel(&mut self, seen: &Sighting) -> KernelDrive {
        if self.stop.is_due() {
            return KernelDrive::NotTold;
        }
        self.bus.drive_seen_by_kernel(seen)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.bus.clock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_writes_is_stopped_only_when_asked_twice() {
        let stop = Stop::default();
        assert!(!stop.is_due());
        stop.ask(StopLevel::Unwritten);
        assert!(stop.is_due());
        stop.note_writing();
        assert!(!stop.is_due());
        stop.ask(StopLevel::Everything);
        stop.ask(StopLevel::Unwritten);
        assert!(stop.is_due());
    }
}
