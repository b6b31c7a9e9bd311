//! A recorded run as a bus: it hands out what was recorded, in order, to a program that does
//! what was done then.

use std::collections::VecDeque;
use std::io::{BufRead, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock::TraceClock;
use super::{Event, FORMAT, Header, Hex, Line, Outcome, Sent, TraceError, VERSION};
use crate::clock::Clock;
use crate::usb::{
    Bus, BusError, KernelDrive, Link, PortPath, PowerError, Reply, Sighting, Transfer,
    TransferError,
};

/// Most bytes of a line: a scan of a full bus, or the largest transfer, in hexadecimal.
const MAX_LINE_BYTES: usize = 16 << 20;
/// Most bytes of a whole trace, as text.
const MAX_BYTES: usize = 256 << 20;

/// A bus made of a trace.
///
/// Everything asked of it is compared with the next line. The first difference is kept
/// ([`Self::difference`]) and is what every later call fails with: after it, nothing recorded
/// can be said to follow. Timeouts are not compared; they are not on the wire.
pub struct Replayer {
    header: Header,
    reel: Arc<Reel>,
}

impl Replayer {
    /// Reads a whole trace.
    ///
    /// # Errors
    /// [`TraceError`], naming the line.
    pub fn read(mut trace: impl BufRead) -> Result<Self, TraceError> {
        let mut total = 0;
        let first = next_line(&mut trace, 1, &mut total)?
            .ok_or_else(|| TraceError::NotATrace { why: "the file is empty".to_owned() })?;
        let header = header(&first)?;
        let mut lines = VecDeque::new();
        for number in 2.. {
            let Some(text) = next_line(&mut trace, number, &mut total)? else { break };
            let line = match serde_json::from_slice(&text) {
                Ok(line) => line,
                Err(_) if !text.ends_with(b"\n") => {
                    return Err(TraceError::Truncated { line: number });
                }
                Err(error) => {
                    return Err(TraceError::BadLine { line: number, why: in_line(&error) });
                }
            };
            lines.push_back((number, line));
        }
        let reel = Reel {
            clock: Arc::new(TraceClock::new(header.date)),
            state: Mutex::new(State { lines, difference: None }),
        };
        Ok(Self { header, reel: Arc::new(reel) })
    }

    /// The trace's first line.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How the replay differs from the recording; `None` as long as it does not.
    pub fn difference(&self) -> Option<String> {
        self.reel.state().difference.clone()
    }

    /// Recorded lines that were not replayed yet. A replay is complete at 0.
    pub fn lines_left(&self) -> usize {
        self.reel.state().lines.len()
    }
}

impl Bus for Replayer {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        self.reel
            .next("a scan", |event| match event {
                Event::Scan(outcome) => Ok(outcome),
                other => Err(other),
            })
            .map_err(BusError::Unusable)?
            .into()
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        let outcome =
            self.reel
                .next(&format!("opening {}", named(&seen.port, seen.device_number)), |event| {
                    match event {
                        Event::Open { port, device_number, outcome }
                            if port == seen.port && device_number == seen.device_number =>
                        {
                            Ok(outcome)
                        }
                        other => Err(other),
                    }
                })
                .map_err(BusError::Unusable)?;
        Result::from(outcome)?;
        Ok(Box::new(ReplayedLink { port: seen.port.clone(), reel: Arc::clone(&self.reel) }))
    }

    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError> {
        self.reel
            .next(&format!("resetting {}", named(&seen.port, seen.device_number)), |event| {
                match event {
                    Event::Reset { port, device_number, outcome }
                        if port == seen.port && device_number == seen.device_number =>
                    {
                        Ok(outcome)
                    }
                    other => Err(other),
                }
            })
            .map_err(BusError::Unusable)?
            .into()
    }

    fn power_off(&mut self, seen: &Sighting) -> Result<(), PowerError> {
        let (wanted, number) = (&seen.port, seen.device_number);
        self.reel
            .next(&format!("power off at {}", named(wanted, number)), |event| match event {
                Event::PowerOff { port, device_number, outcome }
                    if port == *wanted && device_number == number =>
                {
                    Ok(outcome)
                }
                other => Err(other),
            })
            .map_err(PowerError::NotSwitchable)?
            .into()
    }

    fn power_on(&mut self, wanted: &PortPath) -> Result<(), PowerError> {
        self.reel
            .next(&format!("power on at port {wanted}"), |event| match event {
                Event::PowerOn { port, outcome } if port == *wanted => Ok(outcome),
                other => Err(other),
            })
            .map_err(PowerError::NotSwitchable)?
            .into()
    }

    fn check_unused(&mut self, seen: &Sighting) -> Result<(), BusError> {
        let found = self.reel.next_if(|event| match event {
            Event::InUse { port, device_number, error }
                if *port == seen.port && *device_number == seen.device_number =>
            {
                Some(error.clone())
            }
            _ => None,
        });
        found.map_or(Ok(()), Err)
    }

    fn drive_seen_by_kernel(&mut self, seen: &Sighting) -> KernelDrive {
        let told = self.reel.next_if(|event| match event {
            Event::KernelDrive { port, device_number, drive }
                if *port == seen.port && *device_number == seen.device_number =>
            {
                Some(drive.clone())
            }
            _ => None,
        });
        told.unwrap_or(KernelDrive::NotTold)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<TraceClock>::clone(&self.reel.clock)
    }
}

struct ReplayedLink {
    port: PortPath,
    reel: Arc<Reel>,
}

impl Link for ReplayedLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        let outcome = self
            .reel
            .next(&on_port(&self.port, transfer), |event| match event {
                Event::Transfer { port, transfer: sent, outcome }
                    if port == self.port && same_on_the_wire(&sent, transfer) =>
                {
                    Ok(outcome)
                }
                other => Err(other),
            })
            .map_err(TransferError::Other)?;
        match outcome {
            Outcome::Done(Hex(data)) => Ok(Reply { data }),
            Outcome::Failed(error) => Err(error),
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<TraceClock>::clone(&self.reel.clock)
    }
}

/// The lines that are left, shared by the bus and its links.
struct Reel {
    clock: Arc<TraceClock>,
    state: Mutex<State>,
}

struct State {
    lines: VecDeque<(usize, Line)>,
    difference: Option<String>,
}

impl Reel {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the next line if `wanted` does, and moves the clock past it. `asked` is what the
    /// program does now, in words. `Err` is the first difference, in words.
    fn next<T>(
        &self,
        asked: &str,
        wanted: impl FnOnce(Event) -> Result<T, Event>,
    ) -> Result<T, String> {
        let mut state = self.state();
        if let Some(difference) = &state.difference {
            return Err(difference.clone());
        }
        let difference = match state.lines.pop_front() {
            None => format!("the trace has ended: got {asked}"),
            Some((number, Line { at_us, took_us, event })) => match wanted(event) {
                Ok(taken) => {
                    self.clock.pass(Duration::from_micros(at_us), Duration::from_micros(took_us));
                    return Ok(taken);
                }
                Err(event) => {
                    let expected = described(&event);
                    state.lines.push_front((number, Line { at_us, took_us, event }));
                    format!("line {number} of the trace: got {asked}, expected {expected}")
                }
            },
        };
        state.difference = Some(difference.clone());
        Err(difference)
    }
}

impl Reel {
    /// Takes the next line where `wanted` does; another line stays and is no difference.
    fn next_if<T>(&self, wanted: impl FnOnce(&Event) -> Option<T>) -> Option<T> {
        let mut state = self.state();
        let (_, line) = state.lines.front()?;
        let taken = wanted(&line.event)?;
        self.clock.pass(Duration::from_micros(line.at_us), Duration::from_micros(line.took_us));
        state.lines.pop_front();
        Some(taken)
    }
}

fn same_on_the_wire(sent: &Sent, transfer: &Transfer) -> bool {
    Transfer::from(sent.clone()).within(transfer.timeout()) == *transfer
}

fn described(event: &Event) -> String {
    match event {
        Event::Scan(_) => "a scan".to_owned(),
        Event::Open { port, device_number, .. } => {
            format!("opening {}", named(port, *device_number))
        }
        Event::Reset { port, device_number, .. } => {
            format!("resetting {}", named(port, *device_number))
        }
        Event::PowerOff { port, device_number, .. } => {
            format!("power off at {}", named(port, *device_number))
        }
        Event::PowerOn { port, .. } => format!("power on at port {port}"),
        Event::InUse { port, device_number, .. } => {
            format!("a check of who uses {}", named(port, *device_number))
        }
        Event::KernelDrive { port, device_number, .. } => {
            format!("a read of the drive of {}", named(port, *device_number))
        }
        Event::Transfer { port, transfer, .. } => on_port(port, &transfer.clone().into()),
    }
}

fn named(port: &PortPath, device_number: u8) -> String {
    format!("port {port} (device {device_number})")
}

/// A transfer with its port and all of its data, which is where two transfers may differ.
fn on_port(port: &PortPath, transfer: &Transfer) -> String {
    let data = match transfer {
        Transfer::ControlOut { data, .. } | Transfer::BulkOut { data, .. } => {
            format!(" with {}", hex::encode(data))
        }
        Transfer::ControlIn { .. } | Transfer::BulkIn { .. } => String::new(),
    };
    format!("{transfer}{data} at port {port}")
}

/// Reads the header, the version before anything that may differ between versions.
fn header(text: &[u8]) -> Result<Header, TraceError> {
    #[derive(serde::Deserialize)]
    struct Kind {
        format: String,
        version: u32,
        #[serde(default)]
        program: String,
    }
    let not_a_trace = |error: serde_json::Error| TraceError::NotATrace { why: in_line(&error) };
    let kind: Kind = serde_json::from_slice(text).map_err(not_a_trace)?;
    if kind.format != FORMAT {
        return Err(TraceError::NotATrace {
            why: format!("format is {:?}, expected {FORMAT:?}", kind.format),
        });
    }
    if kind.version != VERSION {
        return Err(TraceError::OtherVersion { got: kind.version, program: kind.program });
    }
    serde_json::from_slice(text).map_err(not_a_trace)
}

/// One line with its newline; `None` at the end of the file.
fn next_line(
    trace: &mut impl BufRead,
    line: usize,
    total: &mut usize,
) -> Result<Option<Vec<u8>>, TraceError> {
    let too_much = |what, maximum| TraceError::TooMuch { line, what, maximum };
    let mut text = Vec::new();
    let limit = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    trace
        .take(limit)
        .read_until(b'\n', &mut text)
        .map_err(|source| TraceError::Unreadable { line, source })?;
    if text.len() > MAX_LINE_BYTES {
        return Err(too_much("bytes in one line", MAX_LINE_BYTES));
    }
    *total = total.saturating_add(text.len());
    if *total > MAX_BYTES {
        return Err(too_much("bytes in all", MAX_BYTES));
    }
    Ok((!text.is_empty()).then_some(text))
}

/// serde_json's message with its column; its line is always 1 here and would mislead.
fn in_line(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let words = text.split(" at line ").next().unwrap_or(&text);
    format!("{words} (column {})", error.column())
}
