//! A scripted device for tests: memory that request FF reads, records that are kept and, for op
//! 00, done. Not a model of a chip; the simulator is that.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::record::Record;
use super::stream::decode_stream;
use crate::clock::Clock;
use crate::usb::{ClassCode, Ids, Link, PortPath, Reply, Sighting, Speed, Transfer, TransferError};

/// A clock that only moves when something sleeps on it.
#[derive(Default)]
pub struct StillClock(AtomicU64);

impl Clock for StillClock {
    fn now(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }

    fn sleep(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap();
        self.0.fetch_add(micros, Ordering::Relaxed);
    }

    fn date(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

type Effect = Box<dyn FnMut(&Record, &mut Vec<u8>) -> Result<(), TransferError> + Send>;

/// The device.
pub struct FakeChip {
    /// 64 KB of memory.
    pub memory: Vec<u8>,
    /// Every record that was sent.
    pub records: Vec<Record>,
    /// Answers that come before any of the memory's.
    pub script: VecDeque<Result<Reply, TransferError>>,
    /// What a record does beyond op 00 being copied.
    pub effect: Effect,
    /// Transfers so far.
    pub exchanged: usize,
    /// A transfer that fails, counted from 0, and how.
    pub disturbed: Option<(usize, TransferError)>,
    /// Addresses that were read.
    pub asked: Vec<u16>,
    pub clock: Arc<StillClock>,
}

impl FakeChip {
    pub fn new() -> Self {
        Self {
            memory: vec![0; 0x1_0000],
            records: Vec::new(),
            script: VecDeque::new(),
            effect: Box::new(|_, _| Ok(())),
            exchanged: 0,
            disturbed: None,
            asked: Vec::new(),
            clock: Arc::new(StillClock::default()),
        }
    }

    pub fn put(&mut self, address: u16, bytes: &[u8]) {
        let at = usize::from(address);
        self.memory[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub fn put_word(&mut self, address: u16, word: u16) {
        self.put(address, &word.to_le_bytes());
    }

    /// A mask ROM from `rom` on, with the default descriptor of `seen` in it.
    pub fn mask_rom(rom: u16, seen: &Sighting) -> Self {
        let mut chip = Self::new();
        for at in usize::from(rom)..0x1_0000 {
            chip.memory[at] = u8::try_from((at * 31 + at / 251) & 0xff).unwrap();
        }
        let stock = rom + 0x900;
        for interrupt in 0..128_u16 {
            chip.put_word(interrupt * 2, stock + interrupt * 4);
        }
        chip.put(0xff00, &[0x9f, 0xcf]);
        chip.put_word(0xff02, rom);
        chip.put_word(2 * 90, 0xf800);
        chip.put(0xf800, &descriptor_of(seen));
        chip
    }
}

pub fn descriptor_of(seen: &Sighting) -> Vec<u8> {
    let mut bytes = vec![18, 1, 0, 2];
    bytes.extend([seen.class.class, seen.class.subclass, seen.class.protocol, 8]);
    bytes.extend(seen.ids.vendor.to_le_bytes());
    bytes.extend(seen.ids.product.to_le_bytes());
    bytes.extend(seen.bcd_device.to_le_bytes());
    bytes.extend([1, 1, 1, 1]);
    bytes
}

pub fn sighting(vendor: u16, product: u16) -> Sighting {
    Sighting {
        port: PortPath::new(1, vec![2]),
        device_number: 5,
        ids: Ids::new(vendor, product),
        bcd_device: 0,
        class: ClassCode::new(0xff, 0, 0),
        manufacturer: None,
        product: None,
        serial: None,
        interfaces: Vec::new(),
        speed: Speed::Full,
        driver: None,
    }
}

impl Link for FakeChip {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        self.clock.sleep(Duration::from_millis(1));
        self.exchanged += 1;
        if let Some((number, error)) = &self.disturbed
            && *number + 1 == self.exchanged
        {
            return Err(error.clone());
        }
        if let Some(reply) = self.script.pop_front() {
            return reply;
        }
        match transfer {
            Transfer::ControlIn { setup, .. } if setup.request == 0xff && setup.value == 7 => {
                self.asked.push(setup.index);
                let at = usize::from(setup.index);
                let end = (at + usize::from(setup.length)).min(self.memory.len());
                Ok(Reply { data: self.memory[at..end].to_vec() })
            }
            Transfer::ControlOut { setup, data, .. } if setup.request == 0xff => {
                let (records, _) = decode_stream(data).map_err(|_| TransferError::Stall)?;
                for placed in records {
                    if let Record::Copy { address, data } = &placed.record {
                        self.put(*address, data);
                    }
                    (self.effect)(&placed.record, &mut self.memory)?;
                    self.records.push(placed.record);
                }
                Ok(Reply::default())
            }
            _ => Err(TransferError::Stall),
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }
}
