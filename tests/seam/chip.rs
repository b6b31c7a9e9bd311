//! A chip with a flash, and the board it sits on. Nobody makes it; each of its ways is one that a
//! real chip has.

use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use recover::chip::memory::{Costs, Erase, Extent, Sequence};
use recover::chip::{
    Chip, ChipError, Entry, Finding, Identity, Image, ImageError, KnownIds, Layout, Memory,
    MemoryError, Model, Restart, Running, Segment, Suspicion, Timing, Trial,
};
use recover::clock::Clock;
use recover::usb::transfer::{CONTROL_TIMEOUT, Setup, VENDOR_IN, VENDOR_OUT};
use recover::usb::{
    Bus, BusError, ClassCode, Ids, Link, Reply, Sighting, Speed, Transfer, TransferError,
};

use crate::support::port;

pub const SIZE: usize = 4096;
pub const BLOCK: usize = 1024;
const PAGE: usize = 256;
/// The unit's own serial number.
pub const SERIAL: Range<usize> = 0x100..0x108;
/// Counted up at every start.
pub const COUNTER: Range<usize> = 0x200..0x204;
/// What makes it boot: at the end.
pub const MARK: Range<usize> = SIZE - 4..SIZE;
pub const VERSION: u8 = 7;
const IDS: Ids = Ids::new(0x1209, 0xf1a5);

const MODEL: Model = Model { name: "flash", title: "flash chip", family: "flash" };

mod request {
    pub const WHO: u8 = 1;
    pub const READ: u8 = 2;
    pub const VERSION: u8 = 3;
    pub const ENTER: u8 = 4;
    pub const WRITE: u8 = 5;
    pub const ERASE: u8 = 6;
    pub const PROTECT: u8 = 7;
    pub const RESTART: u8 = 8;
    pub const SIZE: u8 = 9;
}

/// The firmware of the enclosure.
pub fn image() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..SIZE).map(|at| (at * 7 + at / 256) as u8).collect();
    bytes[MARK].copy_from_slice(b"BOOT");
    bytes
}

/// The board.
pub struct Board {
    pub flash: Vec<u8>,
    pub runs_firmware: bool,
    pub is_protected: bool,
    pub version: Option<u8>,
    pub never_boots: bool,
    pub entered: u32,
    pub erases: usize,
    /// How often the writing was ended.
    pub ended: u32,
    /// Writes and erases so far, and the one within which the plug is pulled.
    pub operations: u32,
    pub cut_at: Option<u32>,
    /// Whether somebody mounts the disk as soon as the firmware shows it.
    pub is_mounted_at_once: bool,
    /// How many questions for the version fail.
    pub failing_questions: u32,
    /// The size that it claims.
    pub told_bytes: u32,
    number: u8,
}

impl Board {
    pub fn new(flash: Vec<u8>) -> Self {
        let mut board = Self {
            flash,
            runs_firmware: false,
            is_protected: true,
            version: Some(VERSION),
            never_boots: false,
            entered: 0,
            erases: 0,
            ended: 0,
            operations: 0,
            cut_at: None,
            is_mounted_at_once: false,
            failing_questions: 0,
            told_bytes: SIZE as u32,
            number: 1,
        };
        board.power_cycle();
        board
    }

    pub fn power_cycle(&mut self) {
        self.number += 1;
        self.is_protected = true;
        self.runs_firmware = !self.never_boots && &self.flash[MARK] == b"BOOT";
        if self.runs_firmware {
            self.flash[COUNTER.start] = self.flash[COUNTER.start].wrapping_add(1);
        }
    }

    /// Changes the flash; a plug that is pulled meanwhile leaves every second byte as it was.
    fn change(&mut self, range: Range<usize>, new: impl Fn(usize, u8) -> u8) -> Option<()> {
        self.operations += 1;
        let is_cut = self.cut_at == Some(self.operations);
        for at in range {
            if !is_cut || at % 2 == 0 {
                self.flash[at] = new(at, self.flash[at]);
            }
        }
        if is_cut {
            self.power_cycle();
            return None;
        }
        Some(())
    }

    fn answer(&mut self, transfer: &Transfer) -> Result<Vec<u8>, TransferError> {
        let (setup, data) = match transfer {
            Transfer::ControlIn { setup, .. } => (setup, &[][..]),
            Transfer::ControlOut { setup, data, .. } => (setup, &data[..]),
            _ => return Err(TransferError::Stall),
        };
        let at = usize::from(setup.value);
        match setup.request {
            request::WHO => Ok(vec![u8::from(self.runs_firmware)]),
            request::VERSION if self.failing_questions > 0 => {
                self.failing_questions -= 1;
                Err(TransferError::TimedOut)
            }
            request::SIZE => Ok(self.told_bytes.to_le_bytes().to_vec()),
            request::VERSION if self.runs_firmware => Ok(self.version.into_iter().collect()),
            request::VERSION => Ok(Vec::new()),
            request::ENTER | request::RESTART => {
                self.power_cycle();
                if setup.request == request::ENTER {
                    self.entered += 1;
                    self.runs_firmware = false;
                }
                Err(TransferError::Gone)
            }
            _ if self.runs_firmware => Err(TransferError::Stall),
            request::READ => Ok(self.flash[at..at + usize::from(setup.length)].to_vec()),
            request::PROTECT => {
                self.is_protected = setup.index == 1;
                self.ended += u32::from(self.is_protected);
                Ok(Vec::new())
            }
            _ if self.is_protected => Err(TransferError::Stall),
            request::WRITE => {
                let done = self.change(at..at + data.len(), |place, old| old & data[place - at]);
                done.map(|()| Vec::new()).ok_or(TransferError::Gone)
            }
            request::ERASE => {
                self.erases += 1;
                let done = self.change(at..at + BLOCK, |_, _| 0xff);
                done.map(|()| Vec::new()).ok_or(TransferError::Gone)
            }
            _ => Err(TransferError::Stall),
        }
    }
}

/// The port the board is on.
pub struct BootBus {
    pub board: Arc<Mutex<Board>>,
    pub clock: Arc<dyn Clock>,
}

impl Bus for BootBus {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        Ok(vec![Sighting {
            port: port(),
            device_number: self.board.lock().unwrap().number,
            ids: IDS,
            bcd_device: 0x0100,
            class: ClassCode::new(0, 0, 0),
            manufacturer: None,
            product: None,
            serial: None,
            interfaces: Vec::new(),
            speed: Speed::High,
            driver: None,
        }])
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        let (number, is_mounted) = {
            let board = self.board.lock().unwrap();
            (board.number, board.runs_firmware && board.is_mounted_at_once)
        };
        if is_mounted {
            return Err(BusError::InUse { port: seen.port.clone(), uses: Vec::new() });
        }
        if number != seen.device_number {
            return Err(BusError::Left(seen.port.clone()));
        }
        let (board, clock) = (Arc::clone(&self.board), Arc::clone(&self.clock));
        Ok(Box::new(BoardLink { board, clock, number }))
    }

    fn reset(&mut self, _: &Sighting) -> Result<(), BusError> {
        Ok(())
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }
}

struct BoardLink {
    board: Arc<Mutex<Board>>,
    clock: Arc<dyn Clock>,
    number: u8,
}

impl Link for BoardLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        let mut board = self.board.lock().unwrap();
        if board.number != self.number {
            return Err(TransferError::Gone);
        }
        board.answer(transfer).map(|data| Reply { data })
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }
}

fn setup(request_type: u8, request: u8, value: usize, length: usize) -> Setup {
    let value = u16::try_from(value).unwrap();
    Setup { request_type, request, value, index: 0, length: u16::try_from(length).unwrap() }
}

fn ask(link: &mut dyn Link, request: u8, at: usize, length: usize) -> Result<Vec<u8>, ChipError> {
    let setup = setup(VENDOR_IN, request, at, length);
    let transfer = Transfer::ControlIn { setup, timeout: CONTROL_TIMEOUT };
    Ok(link.exchange(&transfer).map_err(ChipError::during("asking"))?.data)
}

fn tell(link: &mut dyn Link, request: u8, at: usize, data: &[u8]) -> Result<(), ChipError> {
    let setup = setup(VENDOR_OUT, request, at, data.len());
    let transfer = Transfer::ControlOut { setup, data: data.to_vec(), timeout: CONTROL_TIMEOUT };
    link.exchange(&transfer).map(drop).map_err(ChipError::during("telling"))
}

struct Flash<'l> {
    link: &'l mut dyn Link,
    cycles: u32,
    bytes: u32,
}

impl Flash<'_> {
    fn protect(&mut self, on: bool) -> Result<(), MemoryError> {
        let setup = Setup { index: u16::from(on), ..setup(VENDOR_OUT, request::PROTECT, 0, 0) };
        let transfer = Transfer::ControlOut { setup, data: Vec::new(), timeout: CONTROL_TIMEOUT };
        Ok(self.link.exchange(&transfer).map(drop).map_err(ChipError::during("protecting"))?)
    }
}

impl Memory for Flash<'_> {
    fn layout(&self) -> Layout {
        Layout {
            name: "SPI flash",
            write_protection: "the pin WP must be at the supply while it is written",
            extent: Extent::Known(self.bytes),
            unit: PAGE as u32,
            units: &[],
            largest_write: PAGE as u32,
            erase: Erase::Blocks(BLOCK as u32),
            sequence: Sequence::Any,
            verifies: false,
            costs: Costs {
                cycle: Duration::from_millis(1),
                erase: Duration::from_millis(40),
                ..Costs::default()
            },
        }
    }

    fn read(&mut self, range: Range<u32>) -> Result<Vec<u8>, MemoryError> {
        Ok(ask(self.link, request::READ, range.start as usize, range.count())?)
    }

    fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), MemoryError> {
        assert!(bytes.len() <= PAGE - address as usize % PAGE, "a write leaves its page");
        self.protect(false)?;
        self.cycles += 1;
        Ok(tell(self.link, request::WRITE, address as usize, bytes)?)
    }

    fn erase(&mut self, range: Range<u32>) -> Result<(), MemoryError> {
        assert_eq!((range.start as usize % BLOCK, range.clone().count()), (0, BLOCK));
        self.protect(false)?;
        Ok(tell(self.link, request::ERASE, range.start as usize, &[])?)
    }

    fn finish(&mut self) -> Result<(), MemoryError> {
        self.protect(true)
    }

    fn write_cycles(&self) -> u32 {
        self.cycles
    }
}

pub struct FlashChip;

pub static FLASH_CHIP: FlashChip = FlashChip;

impl Chip for FlashChip {
    fn family(&self) -> &'static str {
        MODEL.family
    }

    fn models(&self) -> &'static [Model] {
        &[MODEL]
    }

    fn known_ids(&self) -> &'static [KnownIds] {
        &[]
    }

    fn recognise(&self, _: &Sighting) -> Option<Suspicion> {
        None
    }

    fn probe(&self, link: &mut dyn Link, _: &Sighting) -> Result<Finding, ChipError> {
        let running = match ask(link, request::WHO, 0, 1)?.as_slice() {
            [0] => Running::MaskRom,
            _ => Running::Firmware,
        };
        Ok(Finding { model: MODEL, running, evidence: Vec::new() })
    }

    fn enter(&self, link: &mut dyn Link, finding: &Finding) -> Result<Entry, ChipError> {
        if finding.running == Running::MaskRom {
            return Ok(Entry::Here);
        }
        match tell(link, request::ENTER, 0, &[]) {
            Err(ChipError::Transfer { source: TransferError::Gone, .. }) => Ok(Entry::Leaving),
            other => other.map(|()| Entry::Leaving),
        }
    }

    fn firmware(&self, link: &mut dyn Link, _: &Sighting) -> Result<Option<String>, ChipError> {
        let version = ask(link, request::VERSION, 0, 1)?;
        Ok(version.first().map(|version| format!("{version}.0")))
    }

    fn open_memory<'l>(
        &self,
        link: &'l mut dyn Link,
        _: &Sighting,
        _: &Finding,
    ) -> Result<Box<dyn Memory + 'l>, ChipError> {
        let told = ask(link, request::SIZE, 0, 4)?;
        let bytes = u32::from_le_bytes(told.try_into().unwrap());
        Ok(Box::new(Flash { link, cycles: 0, bytes }))
    }

    fn read_image(&self, _: Model, bytes: &[u8]) -> Result<Image, ImageError> {
        let range = |place: &Range<usize>| place.start as u32..place.end as u32;
        Ok(Image {
            segments: vec![Segment { address: 0, bytes: bytes.to_vec() }],
            commit: vec![range(&MARK)],
            keep: vec![range(&SERIAL)],
            unverified: vec![range(&COUNTER)],
            identity: Some(Identity {
                ids: IDS,
                bcd_device: Some(0x0100),
                interface_class: None,
                manufacturer: None,
                product: None,
                serial: None,
            }),
            firmware: Some(format!("{VERSION}.0")),
            contents: Vec::new(),
            notes: Vec::new(),
            assumptions: Vec::new(),
        })
    }

    fn boot_ranges(&self, _: Model) -> &'static [Range<u32>] {
        &[SIZE as u32 - 4..SIZE as u32]
    }

    fn boots_from(&self, _: Model, contents: &[u8]) -> bool {
        contents.get(MARK) == Some(b"BOOT")
    }

    fn image_in_memory(&self, model: Model, contents: &[u8]) -> Result<Image, ImageError> {
        self.read_image(model, contents)
    }

    fn try_in_ram(&self, _: &mut dyn Link, _: &Finding, _: &Image) -> Result<Trial, ChipError> {
        Ok(Trial::NotOffered("it has no RAM to run from".to_owned()))
    }

    fn restart_way(&self, _: Model) -> Restart {
        Restart::ByRequest
    }

    fn restart(&self, link: &mut dyn Link, _: Model) -> Result<(), ChipError> {
        match tell(link, request::RESTART, 0, &[]) {
            Err(ChipError::Transfer { source: TransferError::Gone, .. }) => Ok(()),
            other => other,
        }
    }

    fn timing(&self, _: Model) -> Timing {
        Timing { enumeration_ms: 100 }
    }

    fn caveats(&self, _: Model) -> &'static [&'static str] {
        &[]
    }
}
