//! What the fuzz targets share: bytes that are taken one after the other, and a bus with a device
//! on it that answers whatever the bytes say.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use recover::chip::{self, Chip, Model};
use recover::clock::Clock;
use recover::sim::VirtualClock;
use recover::usb::{
    Bus, BusError, ClassCode, Ids, Interface, Link, PortPath, Reply, Sighting, Speed, Transfer,
    TransferError,
};

/// Every model of every family.
pub fn models() -> impl Iterator<Item = (&'static dyn Chip, Model)> {
    chip::families().iter().flat_map(|chip| chip.models().iter().map(move |model| (*chip, *model)))
}

/// Bytes that are taken one after the other and come to an end.
pub struct Tape {
    bytes: Vec<u8>,
    at: usize,
}

impl Tape {
    /// A tape of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), at: 0 }
    }

    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied();
        self.at += 1;
        byte
    }

    /// The next two bytes, low byte first.
    pub fn word(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    /// At most `length` further bytes.
    pub fn take(&mut self, length: usize) -> Vec<u8> {
        let start = self.at.min(self.bytes.len());
        let end = start.saturating_add(length).min(self.bytes.len());
        self.at = end;
        self.bytes[start..end].to_vec()
    }
}

/// Most transfers a hostile device answers before it leaves the bus for good. A device that
/// always answers could make a rescue as long as it likes; the program's own bounds are in time,
/// of which a transfer here takes little.
const MAX_TRANSFERS: u32 = 20_000;

struct Device {
    tape: Tape,
    transfers: u32,
    number: u8,
}

/// A bus with one device, whose every answer comes from a tape.
#[derive(Clone)]
pub struct HostileBus {
    device: Arc<Mutex<Device>>,
    clock: Arc<VirtualClock>,
}

impl HostileBus {
    /// A bus whose device answers from these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        let device = Device { tape: Tape::new(bytes), transfers: 0, number: 1 };
        Self { device: Arc::new(Mutex::new(device)), clock: Arc::default() }
    }

    /// The device's port.
    pub fn port() -> PortPath {
        PortPath::new(3, vec![2])
    }

    /// What the device shows as: the id of an SL11R or an EZ-OTG in boot mode, or anything.
    pub fn sighting(&self) -> Sighting {
        let mut device = self.device.lock().unwrap_or_else(PoisonError::into_inner);
        let ids = match device.tape.byte().unwrap_or(0) % 4 {
            0 | 1 => Ids::new(0x04ce, 0x07d1),
            2 => Ids::new(0x04b4, 0x7200),
            _ => Ids::new(device.tape.word().unwrap_or(0), device.tape.word().unwrap_or(0)),
        };
        let class = ClassCode { class: 0xff, subclass: 0, protocol: 0 };
        Sighting {
            port: Self::port(),
            device_number: device.number,
            ids,
            bcd_device: 0x0100,
            class,
            manufacturer: None,
            product: None,
            serial: None,
            interfaces: vec![Interface { number: 0, alternate: 0, class, endpoints: Vec::new() }],
            speed: Speed::Full,
            driver: None,
        }
    }
}

impl Bus for HostileBus {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        self.clock.sleep(Duration::from_millis(1));
        Ok(vec![self.sighting()])
    }

    fn open(&mut self, _seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        Ok(Box::new(HostileLink(self.clone())))
    }

    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError> {
        let mut device = self.device.lock().unwrap_or_else(PoisonError::into_inner);
        match device.tape.byte() {
            None => Err(BusError::Left(seen.port.clone())),
            Some(byte) => {
                device.number = byte;
                Ok(())
            }
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }
}

/// A link to that device.
pub struct HostileLink(pub HostileBus);

impl Link for HostileLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        self.0.clock.sleep(Duration::from_micros(100));
        let mut device = self.0.device.lock().unwrap_or_else(PoisonError::into_inner);
        device.transfers += 1;
        if device.transfers > MAX_TRANSFERS {
            return Err(TransferError::Gone);
        }
        match (device.tape.byte().ok_or(TransferError::Gone)?, transfer) {
            (0xf8, _) => Err(TransferError::Stall),
            (0xf9, _) => {
                self.0.clock.sleep(transfer.timeout());
                Err(TransferError::TimedOut)
            }
            (0xfa, _) => Err(TransferError::Overflow),
            (0xfb, _) => Err(TransferError::Gone),
            (_, Transfer::ControlOut { .. } | Transfer::BulkOut { .. }) => Ok(Reply::default()),
            // A short answer, a long one, and one as asked for.
            (how, Transfer::ControlIn { setup, .. }) => {
                Ok(Reply { data: answer(&mut device.tape, how, usize::from(setup.length)) })
            }
            (how, Transfer::BulkIn { length, .. }) => {
                Ok(Reply { data: answer(&mut device.tape, how, *length) })
            }
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.0.clock.clone()
    }
}

fn answer(tape: &mut Tape, how: u8, length: usize) -> Vec<u8> {
    match how {
        0xfc => tape.take(length / 2),
        0xfd => tape.take(length.saturating_add(3)),
        0xfe => vec![tape.byte().unwrap_or(0); length],
        _ => {
            let mut data = tape.take(length);
            data.resize(length, 0);
            data
        }
    }
}
