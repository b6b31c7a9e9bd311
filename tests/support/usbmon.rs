//! A USB capture as a bus: what a real kernel carried between this program and a device, handed
//! out again to the program as it is now.
//!
//! The text is the kernel's own form [Linux Documentation/usb/usbmon.rst], with whole data; see
//! tests/vm/usbmon.py. It knows nothing of this program, so unlike a trace of the program's own
//! (`recover::usb::trace`) it also shows what was really on the wire. What the kernel asks by
//! itself (enumeration, its drivers before the program took the device) lies in between and is
//! passed over.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use recover::clock::Clock;
use recover::usb::{
    Bus, BusError, ClassCode, Endpoint, Ids, Interface, KernelDrive, KnownDrive, Link, PortPath,
    Reply, Setup, Sighting, Speed, Transfer, TransferError,
};

/// Errors of Linux, as a completed URB reports them.
const EPIPE: i32 = -32;
const EOVERFLOW: i32 = -75;
const UNLINKED: [i32; 3] = [-2, -104, -110];

/// What was asked of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Control(Setup),
    Bulk { endpoint: u8 },
}

/// One transfer as the wire saw it.
#[derive(Clone, Debug)]
struct Exchange {
    line: usize,
    device: u8,
    asked: Asked,
    sent: Vec<u8>,
    /// What came back, or the kernel's error.
    came: Result<Vec<u8>, i32>,
    began: Duration,
    ended: Duration,
}

impl Exchange {
    fn is_standard(&self) -> bool {
        matches!(self.asked, Asked::Control(setup) if setup.request_type & 0x60 == 0)
    }

    fn is_vendor(&self) -> bool {
        matches!(self.asked, Asked::Control(setup) if setup.request_type & 0x60 == 0x40)
    }

    fn is(&self, transfer: &Transfer) -> bool {
        match (&self.asked, transfer) {
            (Asked::Control(seen), Transfer::ControlIn { setup, .. }) => seen == setup,
            (Asked::Control(seen), Transfer::ControlOut { setup, data, .. }) => {
                seen == setup && self.sent == *data
            }
            (Asked::Bulk { endpoint: seen }, Transfer::BulkIn { endpoint, .. }) => seen == endpoint,
            (Asked::Bulk { endpoint: seen }, Transfer::BulkOut { endpoint, data, .. }) => {
                seen == endpoint && self.sent == *data
            }
            _ => false,
        }
    }
}

/// A parsed capture.
pub struct Capture {
    notes: BTreeMap<String, String>,
    exchanges: Vec<Exchange>,
}

impl Capture {
    /// Reads the text of a capture; a line that is not understood is told.
    pub fn parse(text: &str) -> Self {
        let mut notes = BTreeMap::new();
        let mut open: BTreeMap<&str, Exchange> = BTreeMap::new();
        let mut exchanges = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if let Some(note) = line.strip_prefix("# ") {
                let (key, value) = note.split_once(": ").unwrap_or((note, ""));
                notes.insert(key.to_owned(), value.to_owned());
                continue;
            }
            let words: Vec<&str> = line.split(' ').collect();
            let [tag, at, kind, address, rest @ ..] = words.as_slice() else {
                panic!("line {}: {line}", index + 1)
            };
            let at = Duration::from_micros(at.parse().unwrap());
            let (head, data) =
                rest.split_at(rest.iter().position(|w| *w == "=").unwrap_or(rest.len()));
            let data = hex::decode(data.get(1..).unwrap_or_default().concat()).unwrap();
            match *kind {
                "S" => {
                    if let Some(exchange) = submitted(index + 1, address, head, data, at) {
                        open.insert(tag, exchange);
                    }
                }
                "C" => {
                    let Some(mut exchange) = open.remove(tag) else { continue };
                    let status: i32 = head[0].split(':').next().unwrap().parse().unwrap();
                    exchange.came = if status == 0 { Ok(data) } else { Err(status) };
                    exchange.ended = at;
                    exchanges.push(exchange);
                }
                _ => {}
            }
        }
        exchanges.sort_by_key(|exchange| (exchange.began, exchange.line));
        Self { notes, exchanges }
    }

    /// What the head of the capture says under that key.
    pub fn note(&self, key: &str) -> Option<&str> {
        self.notes.get(key).map(String::as_str)
    }

    /// A bus that shows the captured enumerations one after the other.
    pub fn bus(self) -> CaptureBus {
        let port: PortPath = self.note("port").unwrap().parse().unwrap();
        let mut sightings: Vec<Sighting> = Vec::new();
        for exchange in &self.exchanges {
            let new = exchange.device != 0
                && sightings.iter().all(|seen| seen.device_number != exchange.device);
            if new && let Some(seen) = self.sighting(&port, exchange.device) {
                sightings.push(seen);
            }
        }
        let reel = Reel { sightings, exchanges: self.exchanges, ..Reel::default() };
        CaptureBus { reel: Arc::new(Mutex::new(reel)), clock: Arc::default() }
    }

    /// What the kernel read when that device enumerated.
    fn sighting(&self, port: &PortPath, device: u8) -> Option<Sighting> {
        let descriptor = |value: u16, minimum: usize| {
            self.exchanges
                .iter()
                .filter(|exchange| exchange.device == device)
                .filter(|exchange| match exchange.asked {
                    Asked::Control(s) => {
                        s.request_type == 0x80 && s.request == 6 && s.value == value
                    }
                    Asked::Bulk { .. } => false,
                })
                .filter_map(|exchange| exchange.came.clone().ok())
                .filter(|data| data.len() >= minimum)
                // The first of the longest: after a reset the kernel looks again, and may see what
                // it then enumerates as another device.
                .min_by_key(|data| std::cmp::Reverse(data.len()))
        };
        let first = descriptor(0x0100, 18)?;
        let word = |at: usize| u16::from_le_bytes([first[at], first[at + 1]]);
        let string = |index: u8| {
            let text = (index != 0).then(|| descriptor(0x0300 | u16::from(index), 2)).flatten()?;
            let units: Vec<u16> = text[2..]
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect();
            Some(String::from_utf16_lossy(&units))
        };
        let configuration = descriptor(0x0200, 9)?;
        Some(Sighting {
            port: port.clone(),
            device_number: device,
            ids: Ids::new(word(8), word(10)),
            bcd_device: word(12),
            class: ClassCode::new(first[4], first[5], first[6]),
            manufacturer: string(first[14]),
            product: string(first[15]),
            serial: string(first[16]),
            interfaces: interfaces(&configuration),
            speed: Speed::Unknown,
            driver: None,
        })
    }
}

fn submitted(
    line: usize,
    address: &str,
    head: &[&str],
    sent: Vec<u8>,
    at: Duration,
) -> Option<Exchange> {
    let mut parts = address.split(':');
    let kind = parts.next()?;
    let device: u8 = parts.nth(1)?.parse().ok()?;
    let endpoint: u8 = parts.next()?.parse().ok()?;
    let hexadecimal = |at: usize| u16::from_str_radix(head[at], 16).unwrap();
    let asked = match kind {
        "Ci" | "Co" => Asked::Control(Setup {
            request_type: hexadecimal(1) as u8,
            request: hexadecimal(2) as u8,
            value: hexadecimal(3),
            index: hexadecimal(4),
            length: hexadecimal(5),
        }),
        "Bi" => Asked::Bulk { endpoint: endpoint | 0x80 },
        "Bo" => Asked::Bulk { endpoint },
        _ => return None,
    };
    Some(Exchange { line, device, asked, sent, came: Err(0), began: at, ended: at })
}

fn interfaces(configuration: &[u8]) -> Vec<Interface> {
    let mut found: Vec<Interface> = Vec::new();
    let mut rest = configuration;
    while let [length, kind, ..] = *rest {
        let Some((one, behind)) = rest.split_at_checked(usize::from(length).max(2)) else { break };
        rest = behind;
        match kind {
            4 => found.push(Interface {
                number: one[2],
                alternate: one[3],
                class: ClassCode::new(one[5], one[6], one[7]),
                endpoints: Vec::new(),
            }),
            5 => found.last_mut().unwrap().endpoints.push(Endpoint {
                address: one[2],
                kind: one[3] & 3,
                max_packet: u16::from_le_bytes([one[4], one[5]]),
            }),
            _ => {}
        }
    }
    found
}

/// The capture's own time.
#[derive(Default)]
struct CaptureClock(AtomicU64);

impl CaptureClock {
    fn pass(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_nanos()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for CaptureClock {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, duration: Duration) {
        self.pass(duration);
    }

    fn date(&self) -> jiff::Timestamp {
        "2026-11-25T10:02:00Z".parse().unwrap()
    }
}

#[derive(Default)]
struct Reel {
    sightings: Vec<Sighting>,
    exchanges: Vec<Exchange>,
    /// Which of the sightings is on the bus.
    shown: usize,
    /// The first exchange that was not handed out or passed over.
    next: usize,
    /// Whether the device shown was spoken to.
    is_touched: bool,
}

impl Reel {
    /// Whether the program said all it ever said to the device shown.
    fn is_through(&self) -> bool {
        let number = self.sightings[self.shown].device_number;
        self.is_touched
            && !self.exchanges[self.next..]
                .iter()
                .any(|exchange| exchange.device == number && !exchange.is_standard())
    }

    fn show_next(&mut self) {
        if self.shown + 1 < self.sightings.len() {
            self.shown += 1;
            self.is_touched = false;
        }
    }
}

/// The captured device on its port.
#[derive(Clone)]
pub struct CaptureBus {
    reel: Arc<Mutex<Reel>>,
    clock: Arc<CaptureClock>,
}

impl CaptureBus {
    /// The hand that takes the power away: the next enumeration is what comes up.
    pub fn power_cycle(&self) {
        self.reel.lock().unwrap().show_next();
    }

    /// Transfers of the program that were captured and not asked for again, as lines.
    pub fn unasked(&self) -> Vec<usize> {
        let reel = self.reel.lock().unwrap();
        // At the end the kernel's own driver has the device again, and speaks bulk to it.
        let left = reel.exchanges[reel.next..].iter().filter(|exchange| exchange.is_vendor());
        left.map(|exchange| exchange.line).collect()
    }
}

impl Bus for CaptureBus {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        self.clock.pass(Duration::from_millis(1));
        let mut reel = self.reel.lock().unwrap();
        if reel.is_through() {
            reel.show_next();
        }
        Ok(vec![reel.sightings[reel.shown].clone()])
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        Ok(Box::new(CaptureLink { bus: self.clone(), number: seen.device_number, is_ours: false }))
    }

    fn reset(&mut self, _: &Sighting) -> Result<(), BusError> {
        self.reel.lock().unwrap().show_next();
        Ok(())
    }

    /// Where the program's first command block was not captured, the kernel's driver had the drive.
    fn drive_seen_by_kernel(&mut self, seen: &Sighting) -> KernelDrive {
        let reel = self.reel.lock().unwrap();
        let is_ours = |exchange: &Exchange| {
            exchange.device == seen.device_number
                && exchange.sent.starts_with(b"USBC\x67\x45\x23\x01")
        };
        if reel.exchanges[reel.next..].iter().any(is_ours) {
            return KernelDrive::NotTold;
        }
        let name = "the kernel's".to_owned();
        KernelDrive::Known(KnownDrive { name, kind: 5, capacity_bytes: None })
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<CaptureClock>::clone(&self.clock)
    }
}

struct CaptureLink {
    bus: CaptureBus,
    number: u8,
    /// Whether the program's first transfer was found: what came before was a kernel driver's.
    is_ours: bool,
}

impl Link for CaptureLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        let mut reel = self.bus.reel.lock().unwrap();
        let from = reel.next;
        let found = reel.exchanges[from..]
            .iter()
            .position(|exchange| exchange.device == self.number && exchange.is(transfer))
            .map(|offset| from + offset);
        let Some(found) = found else {
            panic!("{transfer} on device {} is not in the capture from there on", self.number)
        };
        let passed = reel.exchanges[from..found]
            .iter()
            .filter(|exchange| exchange.device == self.number && !exchange.is_standard())
            .find(|_| self.is_ours);
        if let Some(passed) = passed {
            panic!("line {}: {:?} was captured, {transfer} is asked", passed.line, passed.asked);
        }
        let exchange = reel.exchanges[found].clone();
        reel.next = found + 1;
        reel.is_touched = true;
        self.is_ours = true;
        self.bus.clock.pass(exchange.ended.saturating_sub(exchange.began));
        match exchange.came {
            Ok(data) => Ok(Reply { data }),
            Err(EPIPE) => Err(TransferError::Stall),
            Err(EOVERFLOW) => Err(TransferError::Overflow),
            Err(error) if UNLINKED.contains(&error) => Err(TransferError::TimedOut),
            Err(_) => Err(TransferError::Gone),
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.bus.clock()
    }
}
