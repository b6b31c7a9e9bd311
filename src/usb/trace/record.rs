//! Wraps a bus and writes down everything that passes.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::mask::Mask;
use super::{Event, FORMAT, Header, Hex, Line, Outcome, Sent, Serials, VERSION, microseconds};
use crate::clock::Clock;
use crate::usb::{
    Bus, BusError, KernelDrive, Link, PortPath, PowerError, Reply, Sighting, Transfer,
    TransferError,
};

/// A bus that behaves as the one within and records what passes.
///
/// A rescue is worth more than its record: when the file cannot be written that is logged once,
/// and the run goes on without it.
pub struct Recorder<B> {
    bus: B,
    tape: Arc<Tape>,
}

impl<B: Bus> Recorder<B> {
    /// Records `bus` to `out`, beginning with the header. Each line is flushed when it is
    /// complete, so that a trace is whole up to wherever the program was stopped.
    pub fn new(bus: B, out: impl Write + Send + 'static, serials: Serials) -> Self {
        let clock = bus.clock();
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            date: clock.date(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            serials,
        };
        let reel = Reel {
            out: Some(Box::new(out)),
            mask: (serials == Serials::Masked).then(Mask::default),
        };
        let tape = Arc::new(Tape { start: clock.now(), clock, reel: Mutex::new(reel) });
        tape.reel().write(&header);
        Self { bus, tape }
    }

    /// Names a serial that may pass as data before a device is sighted with it, as that of an
    /// image about to be written does. Without effect where serials are kept.
    pub fn learn_serial(&self, serial: &str) {
        if let Some(mask) = &mut self.tape.reel().mask {
            mask.learn(serial);
        }
    }
}

impl<B: Bus> Bus for Recorder<B> {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        let start = self.tape.clock.now();
        let result = self.bus.scan();
        self.tape.note(start, Event::Scan(result.clone().into()));
        result
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        let start = self.tape.clock.now();
        let result = self.bus.open(seen);
        let outcome = result.as_ref().map(|_| ()).map_err(Clone::clone).into();
        let (port, device_number) = (seen.port.clone(), seen.device_number);
        self.tape.note(start, Event::Open { port: port.clone(), device_number, outcome });
        let tape = Arc::clone(&self.tape);
        Ok(Box::new(RecordedLink { link: result?, port, tape }))
    }

    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError> {
        let start = self.tape.clock.now();
        let result = self.bus.reset(seen);
        let (port, device_number) = (seen.port.clone(), seen.device_number);
        self.tape.note(start, Event::Reset { port, device_number, outcome: result.clone().into() });
        result
    }

    fn power_off(&mut self, seen: &Sighting) -> Result<(), PowerError> {
        let start = self.tape.clock.now();
        let result = self.bus.power_off(seen);
        let event = Event::PowerOff {
            port: seen.port.clone(),
            device_number: seen.device_number,
            outcome: result.clone().into(),
        };
        self.tape.note(start, event);
        result
    }

    fn power_on(&mut self, port: &PortPath) -> Result<(), PowerError> {
        let start = self.tape.clock.now();
        let result = self.bus.power_on(port);
        self.tape
            .note(start, Event::PowerOn { port: port.clone(), outcome: result.clone().into() });
        result
    }

    /// Recorded where somebody uses it: most runs have nothing to tell here.
    fn check_unused(&mut self, seen: &Sighting) -> Result<(), BusError> {
        let start = self.tape.clock.now();
        let result = self.bus.check_unused(seen);
        if let Err(error) = result.clone() {
            let (port, device_number) = (seen.port.clone(), seen.device_number);
            self.tape.note(start, Event::InUse { port, device_number, error });
        }
        result
    }

    /// Not recorded: it tells only of what no device answers for.
    fn silent_ports(&mut self) -> Vec<PortPath> {
        self.bus.silent_ports()
    }

    /// Recorded where something is told.
    fn drive_seen_by_kernel(&mut self, seen: &Sighting) -> KernelDrive {
        let start = self.tape.clock.now();
        let drive = self.bus.drive_seen_by_kernel(seen);
        if drive != KernelDrive::NotTold {
            let (port, device_number) = (seen.port.clone(), seen.device_number);
            self.tape.note(start, Event::KernelDrive { port, device_number, drive: drive.clone() });
        }
        drive
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.bus.clock()
    }
}

struct RecordedLink {
    link: Box<dyn Link>,
    port: PortPath,
    tape: Arc<Tape>,
}

impl Link for RecordedLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        let start = self.tape.clock.now();
        let result = self.link.exchange(transfer);
        let event = Event::Transfer {
            port: self.port.clone(),
            transfer: Sent::from(transfer),
            outcome: result.clone().map(Hex::from).into(),
        };
        self.tape.note(start, event);
        result
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.link.clock()
    }
}

/// Where the lines go, shared by the bus and its links.
struct Tape {
    clock: Arc<dyn Clock>,
    start: Duration,
    reel: Mutex<Reel>,
}

impl Tape {
    fn reel(&self) -> MutexGuard<'_, Reel> {
        self.reel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down an event that began at `began` and ends now.
    fn note(&self, began: Duration, mut event: Event) {
        let mut reel = self.reel();
        if let Some(mask) = &mut reel.mask {
            hide(mask, &mut event);
        }
        reel.write(&Line {
            at_us: microseconds(began.saturating_sub(self.start)),
            took_us: microseconds(self.clock.now().saturating_sub(began)),
            event,
        });
    }
}

struct Reel {
    /// `None` after it could not be written.
    out: Option<Box<dyn Write + Send>>,
    mask: Option<Mask>,
}

impl Reel {
    fn write(&mut self, line: &impl serde::Serialize) {
        let Some(out) = &mut self.out else { return };
        let written = serde_json::to_vec(line).map_err(io::Error::from).and_then(|mut text| {
            text.push(b'\n');
            out.write_all(&text)?;
            out.flush()
        });
        if let Err(error) = written {
            log::warn!("the trace ends here, because it can no longer be written: {error}");
            self.out = None;
        }
    }
}

/// Replaces the serials in an event.
fn hide(mask: &mut Mask, event: &mut Event) {
    match event {
        Event::Scan(Outcome::Done(seen)) => mask.sightings(seen),
        Event::Transfer { transfer, outcome, .. } => {
            if let Sent::ControlOut { data, .. } | Sent::BulkOut { data, .. } = transfer {
                mask.data(&mut data.0);
            }
            if let Outcome::Done(data) = outcome {
                mask.data(&mut data.0);
            }
        }
        Event::Scan(Outcome::Failed(_))
        | Event::Open { .. }
        | Event::Reset { .. }
        | Event::InUse { .. }
        | Event::KernelDrive { .. }
        | Event::PowerOff { .. }
        | Event::PowerOn { .. } => {}
    }
}
