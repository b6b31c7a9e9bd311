//! What the 8051 sees: RAM, the register map, the special function registers that are not its
//! own, and the EEPROM behind the I2C master.
//!
//! Registers that this model has no behaviour for are plain memory.
//! Outside of RAM and registers nothing answers: reads give FF.

use std::collections::BTreeMap;

use super::endpoint_zero::EndpointZero;
use super::endpoints::Endpoint;
use super::i2c_master::Master;
use super::silicon::{Register, Silicon, Window};
use super::status::{GPIF_DATA_AND_TRIGGER, GPIF_IDLE, GPIF_TRIGGER};
use super::unmodelled::{Met, Unknown};
use crate::sim::cores::mcs51::{Bus8051, FastSerial};
use crate::sim::diagnostic::{Diagnostics, Verdict};
use crate::sim::parts::Eeprom;
use crate::usb::Speed;

/// The FX2's scratch RAM, data only.
const SCRATCH: std::ops::RangeInclusive<u16> = 0xE000..=0xE1FF;
/// Distance from the AN2131's endpoint buffers to where its RAM would go on [TRM1 3.1].
const ALIAS: u16 = 0x6000;
/// The byte of the USB vector's LJMP that autovectoring replaces.
const AUTOVECTOR_OPERAND: u16 = 0x0045;
/// INT2CLR: a write clears the USB request that is served (inferred). INT4CLR, A2, does so for the
/// FIFOs and the GPIF, which interrupt nobody here.
const CLEAR_INT2: u8 = 0xA1;
/// INTSETUP: AV2EN, INT4SRC and AV4EN. Cypress's loaders tell an FX2 by it: they write FF and expect
/// this back (inferred from go7007's s2250-1.fw).
const INTERRUPT_SETUP: u8 = 0x0B;
/// CPUCS: the 8051 is held in reset.
pub(super) const HELD: u8 = 0x01;

/// Everything around the CPU.
pub(super) struct Board {
    pub(super) silicon: &'static Silicon,
    memory: Vec<u8>,
    /// CPUCS once more: it is asked for before and after every instruction.
    pub(super) cpucs: u8,
    special: [u8; 128],
    pub(super) now: u64,
    /// Thirds of a nanosecond that `now` does not show yet.
    pub(super) thirds: u64,
    pub(super) eeprom: Option<Eeprom>,
    pub(super) i2c: Master,
    pub(super) endpoint_zero: EndpointZero,
    /// The bulk endpoints by address, as far as they were used.
    pub(super) endpoints: BTreeMap<u8, Endpoint>,
    pub(super) diagnostics: Diagnostics,
    /// What the program asked and this model does not know.
    pub(super) met: Met,
    /// The instruction being executed.
    pub(super) pc: u16,
    /// When the next frame begins, while the host sends them.
    pub(super) frame_at: Option<u64>,
    /// The program has asked for them.
    pub(super) hears_frames: bool,
    /// UART230 or the clock of the CPU was written.
    pub(super) fast_serial: Option<FastSerial>,
    /// The USB interrupt's flag is to be set.
    pub(super) interrupts: bool,
    /// Something changed that the CPU's own state does not show.
    pub(super) changed: bool,
    /// Something happened that whoever runs the chip waits for.
    pub(super) event: bool,
}

impl Board {
    pub(super) fn new(silicon: &'static Silicon, eeprom: Option<Eeprom>) -> Self {
        Self {
            silicon,
            memory: vec![0; 0x1_0000],
            cpucs: 0,
            special: [0; 128],
            now: 0,
            thirds: 0,
            eeprom,
            i2c: Master::default(),
            endpoint_zero: EndpointZero::default(),
            endpoints: BTreeMap::new(),
            diagnostics: Diagnostics::default(),
            met: Met::default(),
            pc: 0,
            frame_at: None,
            hears_frames: false,
            fast_serial: None,
            interrupts: false,
            changed: false,
            event: false,
        }
    }

    /// Registers as power-on leaves them; RAM is lost.
    pub(super) fn reset(&mut self) {
        self.memory.fill(0);
        self.special.fill(0);
        // SCL is 100 kHz, on an AN2131 a little less [DOC-11281].
        self.i2c = Master::default();
        self.i2c.clock_ns = if self.silicon.is_fx2() { 10_000 } else { 11_000 };
        self.endpoint_zero = EndpointZero::default();
        self.endpoints.clear();
        self.met = Met::default();
        (self.frame_at, self.hears_frames) = (None, false);
        self.put(self.silicon.map.cpucs, HELD);
        if let Some(control) = self.silicon.map.setup_pointer_control {
            self.put(control, 1);
        }
        for (register, value) in self.silicon.map.at_reset {
            self.put(*register, *value);
        }
        if !self.silicon.is_fx2() {
            // DISCOE.
            self.put(self.silicon.map.usbcs, 0x04);
        }
        self.changed = true;
    }

    /// The address an access ends at; `None` where there is nothing.
    pub(super) fn place(&self, address: u16) -> Option<u16> {
        let silicon = self.silicon;
        if address < silicon.ram_end || silicon.map.registers.contains(&address) {
            return Some(address);
        }
        if !silicon.is_fx2() {
            let buffer = address.checked_add(ALIAS)?;
            return (address < 0x1F40 && silicon.map.registers.contains(&buffer)).then_some(buffer);
        }
        (SCRATCH.contains(&address) || address >= 0xF000).then_some(address)
    }

    /// Whether request A0 and the boot ROM reach it: RAM, but for its endpoint buffers.
    pub(super) fn is_ram(&self, address: u16) -> bool {
        address < self.silicon.ram_end
            || if self.silicon.is_fx2() { SCRATCH.contains(&address) } else { address < 0x1F40 }
    }

    /// A byte as it is stored.
    pub(super) fn get(&self, address: u16) -> u8 {
        let place = self.place(address).map(usize::from);
        place.and_then(|place| self.memory.get(place)).copied().unwrap_or(0xFF)
    }

    pub(super) fn put(&mut self, address: u16, value: u8) {
        let Some(place) = self.place(address) else { return };
        if let Some(cell) = self.memory.get_mut(usize::from(place)) {
            self.changed |= *cell != value;
            *cell = value;
            if place == self.silicon.map.cpucs {
                self.cpucs = value;
            }
        }
    }

    pub(super) fn range(&self, start: u16, length: u16) -> Vec<u8> {
        (0..length).map(|at| self.get(start.wrapping_add(at))).collect()
    }

    pub(super) fn put_all(&mut self, start: u16, bytes: &[u8]) {
        for (address, byte) in (0..=u16::MAX).zip(bytes) {
            self.put(start.wrapping_add(address), *byte);
        }
    }

    pub(super) fn is_held(&self) -> bool {
        self.cpucs & HELD != 0
    }

    /// Whether the firmware answers standard requests.
    pub(super) fn is_renumerated(&self) -> bool {
        self.get(self.silicon.map.usbcs) & 0x02 != 0
    }

    /// Whether the pull-up is on: DISCON of the FX2; on an AN2131 the pin must be driven high, by
    /// DISCOE without DISCON.
    pub(super) fn pulls_up(&self) -> bool {
        let usbcs = self.get(self.silicon.map.usbcs);
        if self.silicon.is_fx2() { usbcs & 0x08 == 0 } else { usbcs & 0x0C == 0x04 }
    }

    pub(super) fn special(&self, address: u8) -> u8 {
        self.special.get(usize::from(address & 0x7F)).copied().unwrap_or(0)
    }

    pub(super) fn set_special(&mut self, address: u8, value: u8) {
        if let Some(register) = self.special.get_mut(usize::from(address & 0x7F)) {
            self.changed |= *register != value;
            *register = value;
        }
    }

    pub(super) fn note(&mut self, verdict: Verdict, text: String) {
        self.diagnostics.note(self.now, verdict, text);
    }
}

impl Bus8051 for Board {
    #[inline]
    fn fetch(&mut self, address: u16) -> u8 {
        if address == AUTOVECTOR_OPERAND && self.autovectors() {
            return self.most_urgent().unwrap_or(0);
        }
        if address < self.silicon.ram_end {
            self.memory.get(usize::from(address)).copied().unwrap_or(0xFF)
        } else if self.place(address).is_none() {
            self.meet(Unknown::Program(address));
            0xFF
        } else if self.silicon.is_fx2() {
            0xFF
        } else {
            self.get(address)
        }
    }

    fn read_external(&mut self, address: u16) -> u8 {
        let Some(place) = self.place(address) else {
            self.meet(Unknown::Data(address));
            return 0xFF;
        };
        self.meet_register(place);
        let frame = self.now / 1_000_000;
        match (self.silicon.map.register)(place) {
            Some(Register::InterruptVector) => self.most_urgent().unwrap_or(0),
            Some(Register::I2cControl) => self.i2c.control(),
            Some(Register::I2cData) => {
                self.changed = true;
                self.i2c.receive(self.eeprom.as_mut(), self.now)
            }
            Some(Register::AutoData(_) | Register::AutoDataSfr(_)) => {
                self.through_pointer(place).map_or(0xFF, |address| self.read_external(address))
            }
            Some(Register::EndpointZeroControl) => self.endpoint_zero.control(self.silicon.map),
            Some(Register::EndpointControl(number)) => self
                .window_of(number)
                .map_or_else(|| self.get(place), |window| self.endpoint_control(window)),
            Some(Register::FrameLow) => {
                self.changed = true;
                frame as u8
            }
            Some(Register::Microframe) => {
                self.changed = true;
                if self.silicon.speed == Speed::High { (self.now / 125_000) as u8 & 7 } else { 0 }
            }
            Some(Register::GpifIdle) => self.get(place) | GPIF_IDLE,
            Some(Register::FifoFlags(flags)) => flags,
            Some(Register::GpifData) => {
                self.end_transaction();
                self.get(place)
            }
            Some(Register::FrameHigh) => {
                self.changed = true;
                (frame >> 8) as u8 & 7
            }
            Some(Register::InterruptRequest) => {
                self.hear_frames(place, 0);
                self.get(place)
            }
            _ => self.pins(place).unwrap_or_else(|| self.get(place)),
        }
    }

    fn write_external(&mut self, address: u16, value: u8) {
        let Some(place) = self.place(address) else { return };
        let map = self.silicon.map;
        match (map.register)(place) {
            // Only the host holds and releases the 8051.
            Some(Register::Cpucs) => {
                let before = self.cpucs;
                self.put(place, value & !HELD | before & HELD);
                if self.cpucs != before {
                    self.clock_serial();
                }
            }
            Some(Register::InterruptRequest) => {
                self.put(place, self.get(place) & !value);
                self.interrupts |= self.most_urgent().is_some();
            }
            Some(Register::GpifTrigger | Register::GpifData) => {
                self.put(place, value);
                self.end_transaction();
            }
            Some(Register::InterruptEnable) => {
                self.hear_frames(place, value);
                self.put(place, value);
                self.interrupts |= self.most_urgent().is_some();
            }
            Some(Register::InterruptSetup) => self.put(place, value & INTERRUPT_SETUP),
            Some(Register::I2cControl) => {
                self.changed = true;
                self.i2c.set_control(value, self.eeprom.as_mut(), self.now);
            }
            Some(Register::I2cData) => {
                self.changed = true;
                self.i2c.send(value, self.eeprom.as_mut(), self.now);
            }
            Some(Register::I2cSpeed) => {
                self.put(place, value);
                self.i2c.clock_ns = if value & 1 == 0 { 10_000 } else { 2_500 };
            }
            Some(Register::UsbControl) => {
                self.event |= self.get(place) != value;
                self.put(place, value);
            }
            Some(Register::AutoData(_) | Register::AutoDataSfr(_)) => {
                if let Some(address) = self.through_pointer(place) {
                    self.write_external(address, value);
                }
            }
            Some(Register::EndpointZeroControl) => self.control_endpoint_zero(value),
            Some(Register::EndpointControl(number)) => {
                self.put(place, value);
                if let Some(window) = self.window_of(number) {
                    self.control_endpoint(window, value);
                }
            }
            Some(Register::EndpointCount(number)) => {
                let window = self.window_of(number);
                if !window.is_some_and(Window::keeps_count) {
                    self.put(place, value);
                }
                if let Some(window) = window {
                    self.count_endpoint(window, value);
                }
            }
            Some(Register::FifoReset) => {
                self.put(place, value);
                self.reset_fifo(value);
            }
            Some(Register::ByteCount) => {
                self.put(place, value);
                self.arm_either(value);
            }
            Some(Register::InByteCount) => {
                self.put(place, value);
                self.arm_in(value);
            }
            Some(Register::OutByteCount) => self.arm_out(),
            Some(Register::SetupPointerLow) => {
                self.put(place, value);
                self.send_by_pointer();
            }
            Some(Register::FastSerial) => {
                self.put(place, value);
                self.clock_serial();
            }
            Some(
                Register::InterruptVector
                | Register::FrameHigh
                | Register::FrameLow
                | Register::Microframe
                | Register::FifoFlags(_),
            ) => {}
            Some(Register::GpifIdle) | None => self.put(place, value),
        }
    }

    fn read_special(&mut self, address: u8, latch: bool) -> u8 {
        if !latch {
            self.meet_special(address);
        }
        self.status(address).unwrap_or_else(|| self.special(address))
    }

    fn notice_pins(&mut self, address: u8) {
        self.meet_special(address);
    }

    fn write_special(&mut self, address: u8, value: u8) {
        self.set_special(address, value);
        match address {
            CLEAR_INT2 if self.silicon.is_fx2() => self.clear_most_urgent(),
            GPIF_TRIGGER | GPIF_DATA_AND_TRIGGER if self.silicon.is_fx2() => self.end_transaction(),
            _ => {}
        }
    }
}
