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
/// AUTOPTRH1; bits of AUTOPTRSETUP make the pointers go on.
const FIRST_POINTER: u8 = 0x9A;
/// AUTOPTRSETUP.
const POINTER_SETUP: u8 = 0xAF;
/// EP01STAT: BUSY of endpoint 0, 1 OUT and 1 IN from bit 0 on.
const ENDPOINT_STATUS: u8 = 0xBA;
/// EP2468STAT: EMPTY and FULL of endpoints 2, 4, 6 and 8, two bits each from bit 0 on.
const FIFO_STATUS: u8 = 0xAA;
/// EP24FIFOFLGS and EP68FIFOFLGS: PF, EF and FF of two FIFOs each, here as reset leaves them
/// [TRM2 15.4]: nothing of the slave side ever moves.
const FIFO_FLAGS: [(u8, u8); 2] = [(0xAB, 0x22), (0xAC, 0x66)];
/// GPIFTRIG; bit 7 reads 1 while the GPIF is idle, as it always is here [TRM2 15.14].
const GPIF_TRIGGER: u8 = 0xBB;
/// GPIFDONE and GPIFIDLECS of the same.
const GPIF_IDLE: u8 = 0x80;
/// GPIFIRQ; bit 0 tells that a transaction is done.
const GPIF_DONE: (u16, u8) = (0xE661, 0x01);
/// GPIFSGLDATLX: every access is a transaction.
const GPIF_DATA_AND_TRIGGER: u8 = 0xBE;
/// INT2CLR: a write clears the USB request that is served [TRM2 4.4]. INT4CLR, A2, does so for the
/// FIFOs and the GPIF, which interrupt nobody here.
const CLEAR_INT2: u8 = 0xA1;
/// SOF among the USB interrupts.
const FRAME_BEGINS: u8 = 0x02;
/// UART230.
const FAST_SERIAL: u16 = 0xE608;
/// A bit at 230400 baud, in thirds of a nanosecond.
const FAST_BIT_THIRDS: u32 = 13_021;
/// CPUCS: the 8051 is held in reset.
pub(super) const HELD: u8 = 0x01;

/// Everything around the CPU.
pub(super) struct Board {
    pub(super) silicon: &'static Silicon,
    memory: Vec<u8>,
    /// CPUCS once more: it is asked for before and after every instruction.
    cpucs: u8,
    special: [u8; 128],
    pub(super) now: u64,
    /// Thirds of a nanosecond that `now` does not show yet.
    thirds: u64,
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
    hears_frames: bool,
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
    fn place(&self, address: u16) -> Option<u16> {
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

    /// A machine cycle of four clocks at 12, 24 or 48 MHz, in thirds of a nanosecond. An AN2131 has
    /// 24 MHz only, an FX is taken to be left there.
    #[inline]
    fn cycle_thirds(&self) -> u32 {
        match (self.silicon.is_fx2(), self.cpucs >> 3 & 3) {
            (true, 0) => 1000,
            (false, _) | (true, 1) => 500,
            (true, _) => 250,
        }
    }

    /// Machine cycles pass.
    #[inline]
    pub(super) fn pass(&mut self, cycles: u32) {
        self.thirds += u64::from(cycles) * u64::from(self.cycle_thirds());
        self.now += self.thirds / 3;
        self.thirds %= 3;
    }

    /// UART230 or the clock of the CPU was written: a bit takes another number of cycles.
    fn clock_serial(&mut self) {
        if self.silicon.is_fx2() {
            let bit_cycles = (FAST_BIT_THIRDS + self.cycle_thirds() / 2) / self.cycle_thirds();
            self.fast_serial = Some(FastSerial { ports: self.get(FAST_SERIAL), bit_cycles });
            self.changed = true;
        }
    }

    /// The USB core sets an interrupt's request bit.
    pub(super) fn request(&mut self, (register, mask): (u16, u8)) {
        self.put(register, self.get(register) | mask);
        self.interrupts |= self.most_urgent().is_some();
    }

    /// Autovector of the first source that is requested and enabled.
    fn most_urgent(&self) -> Option<u8> {
        self.silicon
            .map
            .sources
            .iter()
            .find(|source| self.get(source.request) & self.get(source.enable) & source.mask != 0)
            .map(|source| source.vector)
    }

    /// The source that INT2CLR clears: the one being served.
    fn clear_most_urgent(&mut self) {
        let source =
            self.silicon.map.sources.iter().find(|source| {
                self.get(source.request) & self.get(source.enable) & source.mask != 0
            });
        if let Some(source) = source {
            self.put(source.request, self.get(source.request) & !source.mask);
            self.interrupts |= self.most_urgent().is_some();
        }
    }

    /// The host begins to send frames.
    pub(super) fn start_frames(&mut self) {
        self.frame_at = Some(self.now + self.frame_ns());
    }

    /// A frame, or a microframe at high speed.
    fn frame_ns(&self) -> u64 {
        if self.silicon.speed == Speed::High { 125_000 } else { 1_000_000 }
    }

    /// When the program next hears of a frame: only one that has taken note of the last one does.
    #[inline]
    pub(super) fn next_frame(&self) -> Option<u64> {
        let request = self.silicon.map.usb_request;
        self.frame_at.filter(|_| self.hears_frames && self.get(request) & FRAME_BEGINS == 0)
    }

    pub(super) fn begin_frame(&mut self) {
        let frame = self.frame_ns();
        self.frame_at = self.frame_at.map(|at| at + ((self.now - at) / frame + 1) * frame);
        self.request((self.silicon.map.usb_request, FRAME_BEGINS));
        self.changed = true;
    }

    fn autovectors(&self) -> bool {
        let (register, mask) = self.silicon.map.autovector;
        self.get(register) & mask != 0
    }

    /// Where the autopointer behind that data register points; it goes on. Registers are reached
    /// through it like memory; that a pointer leads to a data register itself is not modelled.
    fn through_pointer(&mut self, data: u16) -> Option<u16> {
        let register = self.silicon.map.register;
        let address = match register(data)? {
            Register::AutoData(pointer) => {
                let [high, low] = [pointer, pointer + 1].map(|at| self.get(at));
                let address = u16::from_be_bytes([high, low]);
                self.put_all(pointer, &address.wrapping_add(1).to_be_bytes());
                address
            }
            Register::AutoDataSfr(pointer) => {
                let [high, low] = [pointer, pointer + 1].map(|at| self.special(at));
                let address = u16::from_be_bytes([high, low]);
                let increments = if pointer == FIRST_POINTER { 0x02 } else { 0x04 };
                if self.special(POINTER_SETUP) & increments != 0 {
                    let [high, low] = address.wrapping_add(1).to_be_bytes();
                    self.set_special(pointer, high);
                    self.set_special(pointer + 1, low);
                }
                address
            }
            _ => return None,
        };
        let leads_back = self.place(address).and_then(register).is_some_and(|register| {
            matches!(register, Register::AutoData(_) | Register::AutoDataSfr(_))
        });
        (!leads_back).then_some(address)
    }

    /// EP01STAT.
    fn busy_status(&self) -> u8 {
        let busy = |endpoint| {
            let window = self.window_of(endpoint);
            window.is_some_and(|window| self.endpoint_control(window) & 0x02 != 0)
        };
        u8::from(self.endpoint_zero.is_busy())
            | u8::from(busy(0x01)) << 1
            | u8::from(busy(0x81)) << 2
    }

    /// A transaction of the GPIF is over as soon as it begins.
    fn end_transaction(&mut self) {
        let (register, done) = GPIF_DONE;
        self.put(register, self.get(register) | done);
    }

    fn fifo_status(&self) -> u8 {
        let bits = |number| {
            let control = self.window_of(number).map_or(0, |window| self.endpoint_control(window));
            control >> 2 & 3
        };
        [8, 6, 4, 2].into_iter().fold(0, |status, number| status << 2 | bits(number))
    }

    pub(super) fn special(&self, address: u8) -> u8 {
        self.special.get(usize::from(address & 0x7F)).copied().unwrap_or(0)
    }

    fn set_special(&mut self, address: u8, value: u8) {
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
                self.hears_frames |= place == self.silicon.map.usb_request;
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
                self.hears_frames |= place == map.usb_enable && value & FRAME_BEGINS != 0;
                self.put(place, value);
                self.interrupts |= self.most_urgent().is_some();
            }
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
        let is_fx2 = self.silicon.is_fx2();
        match address {
            ENDPOINT_STATUS => self.busy_status(),
            FIFO_STATUS => self.fifo_status(),
            GPIF_TRIGGER if is_fx2 => self.special(address) | GPIF_IDLE,
            _ => {
                if is_fx2 && address == GPIF_DATA_AND_TRIGGER {
                    self.end_transaction();
                }
                let flags = FIFO_FLAGS.iter().find(|(register, _)| is_fx2 && *register == address);
                flags.map_or_else(|| self.special(address), |(_, flags)| *flags)
            }
        }
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
