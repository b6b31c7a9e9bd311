//! The special function registers that belong to the core; the bus has all others.
//!
//! Sources: \[TRM\] chapter 15 for addresses, reset values and unimplemented bits.

use super::{Bus8051, Cpu};

const SP: u8 = 0x81;
const SCON: [u8; 2] = [0x98, 0xC0];
const SBUF: [u8; 2] = [0x99, 0xC1];
const TCON: u8 = 0x88;
const DPL0: u8 = 0x82;
const DPH0: u8 = 0x83;
const DPL1: u8 = 0x84;
const DPH1: u8 = 0x85;
const DPS: u8 = 0x86;
const PCON: u8 = 0x87;
const CKCON: u8 = 0x8E;
const EXIF: u8 = 0x91;
const MPAGE: u8 = 0x92;
const IE: u8 = 0xA8;
const IP: u8 = 0xB8;
const PSW: u8 = 0xD0;
const EICON: u8 = 0xD8;
const ACC: u8 = 0xE0;
const EIE: u8 = 0xE8;
const B: u8 = 0xF0;
const EIP: u8 = 0xF8;

impl Cpu {
    /// The program looks at those bits of a register: whether a pin or a receiver decides them.
    pub(super) fn notice_pins(&self, bus: &mut impl Bus8051, address: u8, bits: u8) {
        let by_pins = match address {
            TCON => self.timers.bits_by_pins(),
            // IE5 and IE4.
            EXIF => 0xC0,
            // RESI and INT6.
            EICON => 0x18,
            // RB8 and RI.
            _ if SCON.contains(&address) => 0x05,
            _ => 0,
        };
        if bits & by_pins != 0 {
            bus.notice_pins(address);
        }
    }

    pub(super) fn read_special(&mut self, bus: &mut impl Bus8051, address: u8, latch: bool) -> u8 {
        let [first, second] = &self.serial;
        match address {
            _ if address == SCON[0] => first.control,
            _ if address == SCON[1] => second.control,
            // Nothing was ever received.
            _ if SBUF.contains(&address) => 0,
            SP => self.sp,
            DPL0 => self.pointers[0] as u8,
            DPH0 => (self.pointers[0] >> 8) as u8,
            DPL1 => self.pointers[1] as u8,
            DPH1 => (self.pointers[1] >> 8) as u8,
            DPS => self.dps,
            PCON => self.pcon,
            0x88..=0x8D | 0xC8 | 0xCA..=0xCD => self.timers.read(address),
            CKCON => self.ckcon,
            EXIF => self.exif,
            MPAGE => self.mpage,
            IE => self.ie,
            IP => self.ip,
            PSW => self.psw(),
            EICON => self.eicon,
            ACC => self.a,
            EIE => self.eie,
            B => self.b,
            EIP => self.eip,
            _ => bus.read_special(address, latch),
        }
    }

    pub(super) fn write_special(&mut self, bus: &mut impl Bus8051, address: u8, value: u8) {
        let low = |word: u16| word & 0xFF00 | u16::from(value);
        let high = |word: u16| word & 0x00FF | u16::from(value) << 8;
        match address {
            _ if address == SCON[0] => self.serial[0].control = value,
            _ if address == SCON[1] => self.serial[1].control = value,
            _ if address == SBUF[0] => {
                // TCLK; SMOD0; timer 2 clocks port 0 only (inferred).
                let [timer_2, doubled] = [self.timers.t2con & 0x10 != 0, self.pcon & 0x80 != 0];
                self.serial[0].send(timer_2, doubled, self.fast_bit(0));
            }
            _ if address == SBUF[1] => {
                self.serial[1].send(false, self.eicon & 0x80 != 0, self.fast_bit(1));
            }
            SP => self.sp = value,
            DPL0 => self.pointers[0] = low(self.pointers[0]),
            DPH0 => self.pointers[0] = high(self.pointers[0]),
            DPL1 => self.pointers[1] = low(self.pointers[1]),
            DPH1 => self.pointers[1] = high(self.pointers[1]),
            DPS => self.dps = value & 1,
            PCON => self.pcon = value | 0x30,
            0x88..=0x8D | 0xC8 | 0xCA..=0xCD => self.timers.write(address, value),
            CKCON => self.ckcon = value,
            EXIF => self.exif = value & 0xF0 | 0x08,
            MPAGE => self.mpage = value,
            PSW => self.psw = value,
            EICON => self.eicon = value & 0xF8 | 0x40,
            ACC => self.a = value,
            B => self.b = value,
            IE | IP | EIE | EIP => {
                self.hold = true;
                match address {
                    IE => self.ie = value,
                    IP => self.ip = value | 0x80,
                    EIE => self.eie = value | 0xE0,
                    _ => self.eip = value | 0xE0,
                }
            }
            _ => bus.write_special(address, value),
        }
    }
}
