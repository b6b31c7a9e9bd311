//! The firmware of the virtual enclosures, run on the CPU core where a BIOS would call it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it does not expect"
)]

use std::collections::BTreeMap;

use crate::assembler::assemble;
use recover::sim::cores::cy16::{Bus16, Cpu};

/// Where the block is placed.
const BASE: u16 = 0x0506;
/// Where a finished call returns to.
const HOME: u16 = 0x3FF0;

struct Ram(Vec<u8>);

impl Ram {
    fn word(&self, at: u16) -> u16 {
        u16::from_le_bytes([self.0[usize::from(at)], self.0[usize::from(at) + 1]])
    }

    fn set(&mut self, at: u16, value: u16) {
        self.0[usize::from(at)..][..2].copy_from_slice(&value.to_le_bytes());
    }

    /// Calls `entry` as the BIOS does; returns R0 to R14 after it.
    fn call(&mut self, entry: u16, r8: u16) -> Vec<u16> {
        let mut cpu = Cpu::new(entry);
        for n in 0..15 {
            cpu.set_register(self, n, 0x1110 + u16::from(n));
        }
        cpu.set_register(self, 8, r8);
        cpu.set_register(self, 15, 0x0400);
        cpu.push(self, HOME);
        for _ in 0..1000 {
            if cpu.pc() == HOME {
                assert_eq!(cpu.register(self, 15), 0x0400);
                return (0..15).map(|n| cpu.register(self, n)).collect();
            }
            cpu.step(self).unwrap();
        }
        panic!("it did not return");
    }
}

impl Bus16 for Ram {
    fn read_byte(&mut self, address: u16) -> u8 {
        self.0[usize::from(address)]
    }
    fn write_byte(&mut self, address: u16, value: u8) {
        self.0[usize::from(address)] = value;
    }
    fn read_word(&mut self, address: u16) -> u16 {
        self.word(address)
    }
    fn write_word(&mut self, address: u16, value: u16) {
        self.set(address, value);
    }
}

/// A chip whose scan has placed the block and which has called it, and the block's symbols.
fn booted(name: &str) -> (Ram, BTreeMap<String, u16>) {
    let folder = format!("{}/recovery-images/cy16/{name}", env!("CARGO_MANIFEST_DIR"));
    let stream = std::fs::read(format!("{folder}/factory.bin")).unwrap();
    let source = std::fs::read_to_string(format!("{folder}/factory.asm")).unwrap();
    let length = usize::from(u16::from_le_bytes([stream[2], stream[3]]));
    let mut ram = Ram(vec![0; 0x1_0000]);
    ram.0[usize::from(BASE)..][..length - 1].copy_from_slice(&stream[6..5 + length]);
    ram.set(2 * 0x7A, BASE);
    // Every other vector leads to a routine of its own at F000 and up.
    for n in 0..128 {
        if n != 0x7A {
            ram.set(2 * n, 0xF000 + 2 * n);
        }
        // ret
        ram.set(0xF000 + 2 * n, 0xCF97);
    }
    let before = ram.0[..0x100].to_vec();
    let registers = ram.call(BASE, 0x1118);
    let expected: Vec<u16> = (0..15).map(|n| 0x1110 + n).collect();
    assert_eq!(registers, expected, "{name}: the scan decoder's registers were changed");
    let changed: Vec<usize> =
        (0..128).filter(|n| before[2 * n..2 * n + 2] != ram.0[2 * n..2 * n + 2]).collect();
    let expected: &[usize] = match name {
        "simulated-sl11r" => &[90, 91, 92],
        _ => &[87, 90, 91, 92, 103, 106, 107, 108],
    };
    assert_eq!(changed, expected, "{name}: vectors");
    (ram, assemble(&source).unwrap().symbols)
}

/// The string descriptor with that index, found as the BIOS finds it: by skipping.
fn string(ram: &Ram, strings: u16, index: u8) -> String {
    let mut at = usize::from(strings);
    for _ in 0..index {
        at += usize::from(ram.0[at]);
    }
    let length = usize::from(ram.0[at]);
    assert_eq!(ram.0[at + 1], 3, "type of string {index}");
    let units: Vec<u16> = ram.0[at + 2..at + length]
        .chunks(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .collect();
    String::from_utf16(&units).unwrap()
}

#[test]
fn the_vectors_lead_to_the_promised_descriptors() {
    for (name, release, usb, strings) in [
        ("simulated-sl11r", 0x0260, 0x0110, &["ScanLogic", "USBIDE (virtual)"][..]),
        (
            "simulated-ez-otg",
            0x0100,
            0x0200,
            &["recover", "EZ-OTG enclosure (virtual)", "R0C0FFEE0001"],
        ),
    ] {
        let (ram, _) = booted(name);
        let device = ram.word(0xB4);
        assert_eq!(ram.0[usize::from(device)..][..2], [18, 1]);
        assert_eq!(ram.word(device + 2), usb);
        assert_eq!(ram.0[usize::from(device) + 4..][..4], [0, 0, 0, 8]);
        assert_eq!(ram.word(device + 12), release);
        let configuration = ram.word(0xB6);
        let total = usize::from(ram.word(configuration + 2));
        assert_eq!(total, 32);
        let bytes = &ram.0[usize::from(configuration)..][..total];
        assert_eq!(bytes[9..18], [9, 4, 0, 0, 2, 8, 6, 0x50, 0]);
        assert_eq!(bytes[18..25], [7, 5, 0x01, 2, 64, 0, 0]);
        assert_eq!(bytes[25..], [7, 5, 0x82, 2, 64, 0, 0]);
        assert_eq!(ram.0[usize::from(ram.word(0xB8))..][..4], [4, 3, 0x09, 0x04]);
        for (index, expected) in strings.iter().enumerate() {
            let index = u8::try_from(index + 1).unwrap();
            let field = ram.0[usize::from(device) + 13 + usize::from(index)];
            assert_eq!(field, index, "{name}: descriptor names string {index}");
            assert_eq!(string(&ram, ram.word(0xB8), index), *expected);
        }
    }
}

#[test]
fn both_ports_of_the_ez_otg_have_the_same_descriptors() {
    let (ram, _) = booted("simulated-ez-otg");
    for n in [90, 91, 92] {
        assert_eq!(ram.word(2 * n), ram.word(2 * (n + 16)), "vectors {n} and {}", n + 16);
    }
}

#[test]
fn get_max_lun_is_answered_with_zero_and_everything_else_passed_on() {
    let (mut ram, symbols) = booted("simulated-ez-otg");
    // Somebody else has taken the vector that started this firmware.
    ram.set(2 * 0x7A, 0x2222);
    // SEND and the former handler leave a mark: mov [0x0b00+x],..
    let bios = assemble(
        "org 0x0A00\nsend1: mov w[0x0B00],80\nret\nsend2: mov w[0x0B00],96\nret\n\
         old1: mov w[0x0B00],87\nret\nold2: mov w[0x0B00],103\nret",
    )
    .unwrap();
    ram.0[0x0A00..][..bios.bytes.len()].copy_from_slice(&bios.bytes);
    ram.set(2 * 80, bios.symbols["send1"]);
    ram.set(2 * 96, bios.symbols["send2"]);
    ram.set(BASE + symbols["old1"], bios.symbols["old1"]);
    ram.set(BASE + symbols["old2"], bios.symbols["old2"]);
    for (vector, setup, send, old) in [(87, 0x300, 80, 87), (103, 0x308, 96, 103)] {
        for _ in 0..2 {
            ram.0[usize::from(setup)..][..8].copy_from_slice(&[0xA1, 0xFE, 0, 0, 0, 0, 1, 0]);
            let registers = ram.call(ram.word(2 * vector), setup);
            assert_eq!(ram.word(0x0B00), send);
            assert_eq!(registers[1], 0, "endpoint");
            let frame = registers[8];
            let [link, address, length, callback] = [0, 2, 4, 6].map(|at| ram.word(frame + at));
            assert_eq!((link, length, callback), (0, 1, 0));
            assert_eq!(ram.0[usize::from(address)], 0);
            // The BIOS uses the frame up.
            ram.set(frame + 2, address + 1);
            ram.set(frame + 4, 0);
        }
        for other in [[0x21, 0xFF], [0xA1, 0x00], [0x21, 0xFE]] {
            ram.0[usize::from(setup)..][..2].copy_from_slice(&other);
            let registers = ram.call(ram.word(2 * vector), setup);
            assert_eq!((ram.word(0x0B00), registers[8]), (old, setup), "{other:02x?}");
            assert_eq!(registers[9], 0x1119, "the endpoint block's address was lost");
        }
    }
}
