//! The 8051 of Cypress's EZ-USB chips: the whole MCS-51 instruction set with four clocks to a
//! machine cycle, a second data pointer, MPAGE, three timers and thirteen interrupts.
//!
//! It is not the chip: program memory, external data, ports and the USB engine stand behind
//! [`Bus8051`], and the chip model raises interrupt flags with [`Cpu::raise`]. The serial ports
//! send and never receive. The file order to read: `execute`, `arithmetic`, `special` (registers
//! of the core), `interrupts`, `timers`, `serial`, `cycles`.
//!
//! Sources: \[TRM\] EZ-USB FX2LP Technical Reference Manual chapters 2, 4 and 14, \[MCS51\] Intel's
//! instruction set manual. Documented unless a comment says otherwise; the instruction set is
//! held against an independent simulator in tests/mcs51_lockstep.rs.

mod arithmetic;
mod cycles;
mod execute;
mod interrupts;
mod serial;
mod special;
mod timers;

pub use interrupts::Interrupt;

use self::interrupts::InService;
use self::serial::Serial;
use self::timers::Timers;

/// What the CPU sees outside of its core.
pub trait Bus8051 {
    /// The byte at `address` of program memory, as opcode, operand or MOVC table.
    fn fetch(&mut self, address: u16) -> u8;
    /// MOVX from `address`; may have side effects.
    fn read_external(&mut self, address: u16) -> u8;
    /// MOVX to `address`.
    fn write_external(&mut self, address: u16, value: u8);
    /// A special function register that is not the core's, at 80 to FF. `latch` is set for
    /// instructions that read, modify and write: at a port they see what was written last
    /// instead of the pins.
    fn read_special(&mut self, address: u8, latch: bool) -> u8;
    /// A read of bits of one of the core's own registers that show a pin or a receiver, neither of
    /// which is wired: of SCON, TCON, EXIF or EICON.
    fn notice_pins(&mut self, address: u8) {
        let _ = address;
    }
    /// A write to a special function register that is not the core's.
    fn write_special(&mut self, address: u8, value: u8);
}

/// Opcode A5, the only one that MCS-51 does not assign. Nothing was changed and the program
/// counter points behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("opcode a5, which is not assigned, at {pc:#06x}")]
pub struct Unassigned {
    /// Where it is.
    pub pc: u16,
}

/// UART230: a clock of 230400 baud for serial ports, at any clock of the CPU; half of that without
/// SMOD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FastSerial {
    /// Bit 0 for port 0, bit 1 for port 1.
    pub ports: u8,
    /// Machine cycles that a bit takes at 230400 baud.
    pub bit_cycles: u32,
}

/// The core: registers, internal RAM, interrupt system and timers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpu {
    pc: u16,
    a: u8,
    b: u8,
    /// Parity, bit 0, is computed when it is read.
    psw: u8,
    sp: u8,
    pointers: [u16; 2],
    dps: u8,
    mpage: u8,
    ckcon: u8,
    pcon: u8,
    ie: u8,
    ip: u8,
    eie: u8,
    eip: u8,
    exif: u8,
    eicon: u8,
    in_service: InService,
    /// RETI and writes to the enables let one more instruction pass before an interrupt.
    hold: bool,
    timers: Timers,
    serial: [Serial; 2],
    fast_serial: FastSerial,
    memory: [u8; 256],
}

impl Default for Cpu {
    fn default() -> Self {
        Self::new()
    }
}

impl Cpu {
    /// A core as it leaves reset, about to execute at 0000, its internal RAM zero.
    #[must_use]
    pub fn new() -> Self {
        Self {
            pc: 0,
            a: 0,
            b: 0,
            psw: 0,
            sp: 7,
            pointers: [0; 2],
            dps: 0,
            mpage: 0,
            ckcon: 0x01,
            pcon: 0x30,
            ie: 0,
            ip: 0x80,
            eie: 0xE0,
            eip: 0xE0,
            exif: 0x08,
            eicon: 0x40,
            in_service: InService::default(),
            hold: false,
            timers: Timers::default(),
            serial: [Serial::default(), Serial::default()],
            fast_serial: FastSerial::default(),
            memory: [0; 256],
        }
    }

    /// Reset: registers as after power-on, internal RAM kept.
    pub fn reset(&mut self) {
        *self = Self { memory: self.memory, ..Self::new() };
    }

    /// Executes one instruction, or enters an interrupt, or waits one cycle in idle mode. Returns
    /// machine cycles of four clocks.
    ///
    /// # Errors
    /// [`Unassigned`] at opcode A5.
    pub fn step(&mut self, bus: &mut impl Bus8051) -> Result<u32, Unassigned> {
        let cycles = if let Some(source) = self.accepted() {
            self.enter(source);
            interrupts::ENTRY_CYCLES
        } else if self.is_idle() {
            1
        } else {
            self.hold = false;
            let pc = self.pc;
            let opcode = self.fetch(bus);
            if opcode == 0xA5 {
                return Err(Unassigned { pc });
            }
            self.execute(bus, opcode);
            cycles::of(opcode, self.ckcon)
        };
        let passed = self.timers.pass(cycles, self.ckcon);
        let [first, second] = &mut self.serial;
        first.pass(&passed);
        second.pass(&passed);
        Ok(cycles)
    }

    /// Address of the next instruction.
    #[must_use]
    pub const fn pc(&self) -> u16 {
        self.pc
    }

    /// Goes on at `pc`.
    pub const fn set_pc(&mut self, pc: u16) {
        self.pc = pc;
    }

    /// Accumulator.
    #[must_use]
    pub const fn a(&self) -> u8 {
        self.a
    }

    /// B register.
    #[must_use]
    pub const fn b(&self) -> u8 {
        self.b
    }

    /// Program status word: CY, AC, F0, RS1, RS0, OV, F1, P from bit 7 down.
    #[must_use]
    pub const fn psw(&self) -> u8 {
        self.psw & 0xFE | (self.a.count_ones() & 1) as u8
    }

    /// Stack pointer: the address of the top byte.
    #[must_use]
    pub const fn sp(&self) -> u8 {
        self.sp
    }

    /// The data pointer that DPS selects.
    #[must_use]
    pub const fn dptr(&self) -> u16 {
        let [first, second] = self.pointers;
        if self.dps & 1 == 0 { first } else { second }
    }

    /// Internal RAM, the register banks first.
    #[must_use]
    pub const fn memory(&self) -> &[u8; 256] {
        &self.memory
    }

    /// The same, to be set.
    pub const fn memory_mut(&mut self) -> &mut [u8; 256] {
        &mut self.memory
    }

    /// UART230, or the clock of the CPU, was written.
    pub const fn set_fast_serial(&mut self, fast_serial: FastSerial) {
        self.fast_serial = fast_serial;
    }

    /// The cycles of a bit of that serial port, where it takes its own clock.
    fn fast_bit(&self, port: u8) -> Option<u32> {
        let FastSerial { ports, bit_cycles } = self.fast_serial;
        (ports & 1 << port != 0).then_some(bit_cycles)
    }

    /// Whether PCON.0 stopped the CPU until the next interrupt.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.pcon & 1 != 0
    }

    const fn set_dptr(&mut self, value: u16) {
        let [first, second] = &mut self.pointers;
        *(if self.dps & 1 == 0 { first } else { second }) = value;
    }
}
