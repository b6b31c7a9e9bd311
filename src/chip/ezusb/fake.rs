//! A scripted device for tests: RAM that A0 reaches, the loader's requests and an EEPROM of plain
//! bytes. Not a model of a chip; the simulator is that.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::model::Registers;
use crate::clock::Clock;
use crate::usb::{
    ClassCode, Endpoint, Ids, Interface, Link, PortPath, Reply, Setup, Sighting, Speed, Transfer,
    TransferError,
};

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

/// The device.
pub struct FakeEzusb {
    pub registers: Registers,
    /// 64 KB; what is no RAM is stalled.
    pub memory: Vec<u8>,
    /// End of the RAM from 0000 on.
    pub ram_end: usize,
    /// Whether 2000 on keeps what is written, and whether it is 0000 once more.
    pub upper_is_ram: bool,
    pub mirrors: bool,
    /// Whether the 8051 is held in reset.
    pub is_halted: bool,
    /// What a write of CPUCS that lets the 8051 run is answered with.
    pub start: Result<(), TransferError>,
    /// Whether what runs answers as our loader.
    pub has_loader: bool,
    /// Hellos that go unanswered before the first that does not.
    pub deaf: u32,
    /// What is behind it: I2C addresses that acknowledge, address bytes.
    pub mask: u8,
    pub width: u8,
    pub bus_reason: u8,
    pub eeprom: Vec<u8>,
    /// Whether the part takes the other number of address bytes than its place says.
    pub is_misplaced: bool,
    /// A cell that keeps what it has.
    pub dead_cell: Option<usize>,
    /// A cell that takes one more write and then keeps what it has.
    pub last_write: Option<usize>,
    /// Whether the EEPROM's answers are a byte short.
    pub is_curt: bool,
    /// Address of the next byte of a part that takes two and hears one.
    pointer: usize,
    /// The next EEPROM requests stall with these reasons; the address is the request's.
    pub failures: VecDeque<u8>,
    /// Whether at 400 kHz every byte reads one less.
    pub spoils_fast: bool,
    /// A bit of RAM that does not keep what is written.
    pub bad_ram: Option<usize>,
    pub is_fast: bool,
    pub page: u32,
    status: [u8; 8],
    /// Requests and wValues, in order, with the bytes that went along.
    pub log: Vec<(u8, u16, usize)>,
    /// A transfer that fails, counted from 0, and how.
    pub disturbed: Option<(usize, TransferError)>,
    /// Whether that transfer is carried out, and only its answer is lost.
    pub loses_answers: bool,
    pub clock: Arc<StillClock>,
}

impl FakeEzusb {
    pub fn new(registers: Registers) -> Self {
        let ram = 0..0x1_0000_usize;
        Self {
            registers,
            memory: ram.map(|at| u8::try_from((at * 31 + at / 251) & 0xff).unwrap()).collect(),
            ram_end: match registers {
                Registers::E6 => 0x4000,
                Registers::Map7F => 0x1b40,
            },
            upper_is_ram: true,
            mirrors: false,
            is_halted: false,
            start: Ok(()),
            has_loader: true,
            deaf: 0,
            mask: 0x02,
            width: 2,
            bus_reason: 0,
            eeprom: vec![0xff; 0x2000],
            is_misplaced: false,
            dead_cell: None,
            last_write: None,
            is_curt: false,
            pointer: 0,
            failures: VecDeque::new(),
            spoils_fast: false,
            bad_ram: None,
            is_fast: false,
            page: 1,
            status: [0; 8],
            log: Vec::new(),
            disturbed: None,
            loses_answers: false,
            clock: Arc::new(StillClock::default()),
        }
    }

    /// Requests other than A0 reads, in order.
    pub fn requests(&self) -> Vec<u8> {
        self.log.iter().map(|(request, ..)| *request).collect()
    }

    fn ram(&self, setup: &Setup) -> Result<std::ops::Range<usize>, TransferError> {
        let at = usize::from(setup.value);
        let range = at..at + usize::from(setup.length);
        let is_scratch =
            self.registers == Registers::E6 && range.start >= 0xe000 && range.end <= 0xe200;
        if range.end <= self.ram_end || is_scratch { Ok(range) } else { Err(TransferError::Stall) }
    }

    fn load(&mut self, setup: &Setup, data: &[u8]) -> Result<Reply, TransferError> {
        if setup.value == self.registers.cpucs() {
            self.is_halted = data == [1];
            return if self.is_halted { Ok(()) } else { self.start.clone() }
                .map(|()| Reply::default());
        }
        if !self.is_halted {
            return Err(TransferError::Stall);
        }
        let range = self.ram(setup)?;
        if range.start >= 0x2000 && !self.upper_is_ram {
            return Ok(Reply::default());
        }
        self.memory[range.clone()].copy_from_slice(data);
        if self.mirrors {
            let other = range.start ^ 0x2000;
            self.memory[other..other + data.len()].copy_from_slice(data);
        }
        if let Some(at) = self.bad_ram
            && range.contains(&at)
        {
            self.memory[at] ^= 1;
        }
        Ok(Reply::default())
    }

    fn eeprom_failure(&mut self, setup: &Setup) -> Result<(), TransferError> {
        let [high, low] = setup.value.to_be_bytes();
        match self.failures.pop_front() {
            None | Some(0) => Ok(()),
            Some(reason) => {
                self.status = [reason, high, low, 0, 0, 0, 0, 0];
                Err(TransferError::Stall)
            }
        }
    }

    /// Where a read that names this address begins.
    fn first(&self, address: u16) -> usize {
        let [high, low] = address.to_be_bytes();
        match (self.is_misplaced, self.width) {
            // The second address byte counts as data that is given up: the part is one further.
            (true, 2) => usize::from(high) + 1,
            // The byte is the upper half, the lower one is what it was.
            (true, _) => usize::from(low) * 0x100 + self.pointer % 0x100,
            (false, _) => usize::from(address),
        }
    }

    /// What is on the bus behind the control byte, as the part takes it.
    fn write(&mut self, address_bytes: u8, address: u16, data: &[u8]) {
        let [high, low] = address.to_be_bytes();
        let mut sent = if address_bytes == 2 { vec![high, low] } else { vec![low] };
        sent.extend(data);
        let takes = if self.is_misplaced { 3 - self.width } else { self.width };
        if self.is_misplaced || address_bytes != self.width {
            let (named, kept) = sent.split_at(usize::from(takes).min(sent.len()));
            let at = named.iter().fold(0, |at, byte| at * 0x100 + usize::from(*byte));
            self.pointer = at;
            self.put(at, kept);
        } else {
            self.put(usize::from(address), data);
        }
    }

    fn put(&mut self, at: usize, data: &[u8]) {
        let size = self.eeprom.len();
        for (at, byte) in (at..).zip(data) {
            if self.dead_cell != Some(at) {
                self.eeprom[at % size] = *byte;
            }
            if self.last_write == Some(at) {
                self.dead_cell = Some(at);
            }
        }
    }

    fn answer(&mut self, setup: &Setup) -> Result<Reply, TransferError> {
        if !self.has_loader || self.is_halted {
            return Err(TransferError::Stall);
        }
        let map = if self.registers == Registers::E6 { 0xe6 } else { 0x7f };
        let data = match setup.request {
            0xb8 if self.deaf > 0 => {
                self.deaf -= 1;
                return Err(TransferError::Stall);
            }
            0xb8 => vec![b'r', b'c', 1, map, 0x12, 0, 0, 0],
            0xb9 => vec![self.mask, self.width, 0, 0, 1, self.bus_reason, 0, 0],
            0xba => self.status.to_vec(),
            0xbc => {
                self.eeprom_failure(setup)?;
                let less = u8::from(self.is_fast && self.spoils_fast);
                let at = self.first(setup.value);
                let length = usize::from(setup.length) - usize::from(self.is_curt);
                let bytes = (at..at + length)
                    .map(|at| self.eeprom[at % self.eeprom.len()].wrapping_sub(less));
                bytes.collect()
            }
            _ => return Err(TransferError::Stall),
        };
        Ok(Reply { data })
    }
}

impl Link for FakeEzusb {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        let number = self.log.len();
        let (setup, length) = match transfer {
            Transfer::ControlIn { setup, .. } => (*setup, 0),
            Transfer::ControlOut { setup, data, .. } => (*setup, data.len()),
            _ => return Err(TransferError::Stall),
        };
        self.log.push((setup.request, setup.value, length));
        if let Some((at, error)) = &self.disturbed
            && *at == number
        {
            let error = error.clone();
            if self.loses_answers {
                self.carry_out(transfer, setup).ok();
            }
            return Err(error);
        }
        self.carry_out(transfer, setup)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }
}

impl FakeEzusb {
    fn carry_out(&mut self, transfer: &Transfer, setup: Setup) -> Result<Reply, TransferError> {
        match transfer {
            Transfer::ControlIn { .. }
                if setup.request == 0xa0 && setup.value == self.registers.cpucs() =>
            {
                Ok(Reply { data: vec![u8::from(self.is_halted)] })
            }
            Transfer::ControlIn { .. } if setup.request == 0xa0 => {
                Ok(Reply { data: self.memory[self.ram(&setup)?].to_vec() })
            }
            Transfer::ControlIn { .. } => self.answer(&setup),
            Transfer::ControlOut { data, .. } => match setup.request {
                0xa0 => self.load(&setup, data),
                0xbb => {
                    self.page = 1 << setup.value;
                    self.is_fast = setup.index == 1;
                    Ok(Reply::default())
                }
                0xbc => {
                    self.eeprom_failure(&setup)?;
                    self.write(self.width, setup.value, data);
                    Ok(Reply::default())
                }
                0xa2 => {
                    self.write(1, setup.value, data);
                    Ok(Reply::default())
                }
                _ => Err(TransferError::Stall),
            },
            _ => Err(TransferError::Stall),
        }
    }
}

/// What the chip's own core shows: a setting without endpoints, and three with six.
fn core_settings() -> Vec<Interface> {
    let setting = |alternate| Interface {
        number: 0,
        alternate,
        class: ClassCode::new(0xff, 0xff, 0xff),
        endpoints: match alternate {
            0 => Vec::new(),
            _ => [0x01, 0x81, 0x02, 0x04, 0x86, 0x88]
                .map(|address| Endpoint { address, kind: 2, max_packet: 64 })
                .to_vec(),
        },
    };
    (0..4).map(setting).collect()
}

/// Firmware that renumerated under those ids, on a full-speed port.
pub fn firmware(vendor: u16, product: u16) -> Sighting {
    let mut seen = sighting(vendor, product);
    seen.interfaces.truncate(1);
    seen.interfaces[0].class = ClassCode::new(0xff, 0, 0);
    seen.class = ClassCode::new(0xff, 0, 0);
    seen
}

/// The chip's own core under those ids, on a full-speed port.
pub fn sighting(vendor: u16, product: u16) -> Sighting {
    Sighting {
        port: PortPath::new(1, vec![2]),
        device_number: 5,
        ids: Ids::new(vendor, product),
        bcd_device: 0xa001,
        class: ClassCode::new(0xff, 0xff, 0xff),
        manufacturer: None,
        product: None,
        serial: None,
        interfaces: core_settings(),
        speed: Speed::Full,
        driver: None,
    }
}
