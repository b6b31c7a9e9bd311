//! Programs in the chip's RAM, executed instruction by instruction.

use super::stubs::{CRC, PAGE, READ, REENUMERATE, RESET, WRITE};
use super::*;
use crate::sim::parts::WriteProtect;

const DONE: u16 = 0xD0CE;

impl Host {
    /// Installs a program with `room` bytes of buffer behind it; returns where it is.
    fn install(&mut self, program: &[u8], room: usize) -> u16 {
        self.scan(&record(2, &[&[0x7A], program, &vec![0; room][..]].concat()));
        let base = self.word(0xF4);
        assert_eq!(self.read(base, program.len() as u16), program);
        base
    }

    fn run(&mut self, base: u16, parameters: &[(u16, u16)]) -> u16 {
        self.store(base + 2, &[0, 0]);
        for (offset, value) in parameters {
            self.store(base + offset, &value.to_le_bytes());
        }
        self.scan(&record(6, &[0x7A]));
        self.word(base + 2)
    }
}

/// The stub with its EEPROM interrupt patched to INT 65.
fn large(stub: &[u8], places: &[usize]) -> Vec<u8> {
    let mut stub = stub.to_vec();
    for place in places {
        assert_eq!(stub[*place..place + 2], [0x40, 0xAF]);
        stub[*place] = 0x41;
    }
    stub
}

fn sample(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 7 + index / 256) as u8).collect()
}

#[test]
fn the_read_program_brings_the_eeprom_through_the_rom() {
    let content = sample(2048);
    let mut host = Host::new(&SL11R, "24c16", &content);
    let base = host.install(&READ, 200);
    assert_eq!(host.run(base, &[(4, 0x0180), (6, 200)]), DONE);
    assert_eq!(host.read(base + 0x6A, 200), content[0x180..0x180 + 200]);
    let sum: u16 = content[0x180..0x180 + 200].iter().map(|byte| u16::from(*byte)).sum();
    assert_eq!(host.word(base + 8), sum);
    assert_eq!(host.run(base, &[(4, 0), (6, 0)]), DONE);
    assert_eq!(host.diagnostics(), []);
}

#[test]
fn the_write_program_writes_and_compares() {
    let mut host = Host::ez();
    let data = sample(64);
    let base = host.install(&large(&WRITE, &[0x48, 0x74]), 64);
    host.store(base + 0xB2, &data);
    assert_eq!(host.run(base, &[(4, 0x0FE0), (6, 64)]), DONE);
    assert_eq!((host.word(base + 8), host.word(base + 0xA)), (0, 0));
    assert_eq!(host.eeprom()[0xFE0..0xFE0 + 64], data);
}

#[test]
fn a_protected_part_shows_in_every_byte_compared() {
    let eeprom = Eeprom::new(part("24c16").unwrap(), &[0xFF; 8]);
    let mut host = Host::with(Cy16::new(&SL11R, Some(eeprom.protected(WriteProtect::Ignores))));
    let base = host.install(&WRITE, 32);
    host.store(base + 0xB2, &[0x11; 32]);
    assert_eq!(host.run(base, &[(4, 0x40), (6, 32)]), DONE);
    assert_eq!((host.word(base + 8), host.word(base + 0xA)), (0, 32));
    assert_eq!(host.word(base + 0xC), 0x40);
}

#[test]
fn a_dead_part_shows_in_every_result() {
    let eeprom = Eeprom::new(part("24c16").unwrap(), &[]).dead();
    let mut host = Host::with(Cy16::new(&SL11R, Some(eeprom)));
    let base = host.install(&WRITE, 8);
    assert_eq!(host.run(base, &[(4, 0), (6, 8)]), DONE);
    assert_eq!(host.word(base + 8), 8);
}

#[test]
fn the_page_program_writes_a_page_over_the_pins() {
    for (name, control, bytes, sda, scl, page) in [
        ("24c02", 0xA0_u16, 1, 0x4000, 0x8000, 8_u16),
        ("24c16", 0xA6, 1, 0x4000, 0x8000, 16),
        ("24lc256", 0xA0, 2, 0x8000, 0x4000, 64),
    ] {
        let mut host = Host::new(&EZ_OTG, name, &[]);
        let base = host.install(&PAGE, usize::from(page));
        let data = sample(usize::from(page));
        host.store(base + 0x12A, &data);
        let place = [(4, control), (6, 0x40), (8, bytes), (0xA, page), (0xC, sda), (0xE, scl)];
        assert_eq!(host.run(base, &place), DONE, "{name}");
        let address = usize::from(control >> 1 & 7) << 8 | 0x40;
        assert_eq!(host.eeprom()[address..address + data.len()], data, "{name}");
        assert_eq!(host.cycles(), 1);
        // With nothing to write it waits for the end of the write cycle.
        assert_eq!(host.run(base, &[(0xA, 0)]), DONE, "{name}");
        assert_eq!(host.diagnostics(), []);
    }
}

#[test]
fn the_page_program_waits_for_a_write_cycle_that_is_still_running() {
    let mut host = Host::new(&EZ_OTG, "24lc64", &[]);
    let base = host.install(&PAGE, 32);
    let wiring = [(8, 2), (0xC, 0x8000), (0xE, 0x4000)];
    host.run(base, &wiring);
    host.store(base + 0xA, &[1, 0]);
    host.store(base + 0x12A, &[0x55]);
    let twice = [record(6, &[0x7A]), record(6, &[0x7A])].concat();
    let before = host.bus.virtual_time();
    host.scan(&twice);
    assert!((host.bus.virtual_time() - before).as_millis() >= 5);
    assert_eq!(host.word(base + 2), DONE);
    assert_eq!((host.eeprom()[0], host.cycles()), (0x55, 2));
}

#[test]
fn the_page_program_tells_a_dead_part() {
    let eeprom = Eeprom::new(part("24c16").unwrap(), &[]).dead();
    let mut host = Host::with(Cy16::new(&EZ_OTG, Some(eeprom)));
    let base = host.install(&PAGE, 16);
    assert_eq!(host.run(base, &[(0x10, 20)]), 0xDEAD);
}

#[test]
fn the_crc_program_agrees_with_the_published_check_value() {
    let mut host = Host::ez();
    let base = host.install(&CRC, 0);
    host.store(0x2000, b"123456789");
    assert_eq!(host.run(base, &[(4, 0x2000), (6, 9), (8, 0xFFFF)]), DONE);
    assert_eq!((host.word(base + 8), host.word(base + 0xA)), (0x29B1, 0x01DD));
}

#[test]
fn the_reenumeration_program_leaves_the_bus_and_comes_back() {
    let mut host = Host::ez();
    let before = host.seen().unwrap();
    let mut device = EZ_OTG.device.to_vec();
    device[10] = 0x42;
    let base = host.install(&REENUMERATE, 0);
    host.store(0x2000, &device);
    host.store(0x00B4, &[0x00, 0x20]);
    assert_eq!(host.run(base, &[]), 1);
    assert_eq!(host.seen(), Some(before.clone()));
    host.pass(500);
    assert_eq!(host.seen(), None);
    host.pass(2000);
    let after = host.seen().unwrap();
    assert_eq!(after.ids, Ids::new(0x04B4, 0x7242));
    host.open();
    assert_eq!(host.word(base + 2), 2);
    assert_eq!(host.diagnostics(), []);
}

#[test]
fn the_watchdog_reboots_the_chip_from_its_eeprom() {
    let mut host = Host::ez();
    let before = host.seen().unwrap();
    host.store(0x2000, &RESET);
    host.store(0x1F00, b"RAM is kept");
    assert_eq!(host.try_scan(&record(5, &[0x00, 0x20]), 1), Err(TransferError::Gone));
    assert_eq!(host.seen(), None);
    host.pass(1000);
    assert_ne!(host.seen().unwrap().device_number, before.device_number);
    host.open();
    assert_eq!(host.read(0x1F00, 11), b"RAM is kept");
}

#[test]
fn the_watchdog_needs_no_program() {
    let mut host = Host::ez();
    let before = host.seen().unwrap();
    let _ = host.try_scan(&record(9, &[0x0C, 0x22, 0x00]), 1);
    host.pass(1000);
    assert_ne!(host.seen().unwrap().device_number, before.device_number);
}

/// `int 73 ; xor r0..r2 ; mov [2100],r15 ; int 74 ; mov [2102],r1 ; ret`
#[test]
fn pushall_and_popall_keep_the_registers() {
    let mut host = Host::ez();
    let code = [
        0xC1, 0x07, 0x34, 0x12, // mov r1,1234
        0xE7, 0x03, 0x04, 0x21, // mov [2104],r15
        0x49, 0xAF, // int 73
        0x41, 0x90, // xor r1,r1
        0xE7, 0x03, 0x00, 0x21, // mov [2100],r15
        0x4A, 0xAF, // int 74
        0x67, 0x00, 0x02, 0x21, // mov [2102],r1
        0x97, 0xCF, // ret
    ];
    host.store(0x2000, &code);
    host.scan(&record(5, &[0x00, 0x20]));
    assert_eq!(host.word(0x2104) - host.word(0x2100), 32);
    assert_eq!(host.word(0x2102), 0x1234);
}

/// A loader of the kind that is captured from the vendor's tool: it replaces the interrupt of
/// endpoint 1, arms it for 64 bytes, and programs each packet with INT 65 at interrupt level,
/// between INT 77 and INT 78.
#[test]
fn packets_on_a_bulk_endpoint_are_programmed_at_interrupt_level() {
    let mut host = Host::ez();
    let code = [
        // 2000, vector 33: swap banks, r8 = buffer, r6 = 64
        0x4D, 0xAF, // int 77
        0xC8, 0x07, 0x00, 0x22, // mov r8,2200
        0xC6, 0x07, 0x40, 0x00, // mov r6,64
        // 200A: r2 = next byte, r1 = counter, r0 = 1
        0x02, 0x0A, // mov r2,b[r8++]
        0xC1, 0x09, 0x1C, 0x02, // mov r1,[021C]
        0xC0, 0x07, 0x01, 0x00, // mov r0,1
        0x41, 0xAF, // int 65
        0x27, 0xD8, 0x1C, 0x02, // inc w[021C]
        0x06, 0xDA, // dec r6
        0x76, 0xC1, // jnz back to 200A
        0xE7, 0x97, 0x41, 0x00, 0x10, 0x02, // xor w[0210],0041: other toggle, armed again
        0x4E, 0xAF, // int 78
    ];
    host.store(0x2000, &code);
    host.store(0x0042, &[0x00, 0x20]);
    host.store(0x0210, &[0x43, 0x00, 0x00, 0x22, 0x40, 0x00]);
    host.store(0x021C, &[0, 0]);
    let data = sample(256);
    let timeout = Duration::from_secs(10);
    host.exchange(&Transfer::BulkOut { endpoint: 1, data: data.clone(), timeout }).unwrap();
    host.pass(1000);
    assert_eq!(host.eeprom()[..256], data);
    assert_eq!(host.word(0x021C), 0x0100);
    assert_eq!(host.word(0xC002), 0x0100);
    assert_eq!(host.diagnostics(), []);
}

const EEPROM_LOADER: &[u8] =
    include_bytes!("../../../../../recovery-images/loaders/cy16/ez-eeprom.bin");

#[test]
fn a_whole_part_is_read_over_the_pins() {
    let content = sample(0x4000);
    let mut host = Host::new(&EZ_OTG, "24lc128", &content);
    let base = host.install(EEPROM_LOADER, 0x1000);
    let buffer = base + EEPROM_LOADER.len() as u16;
    let before = host.bus.virtual_time();
    for piece in 0..4_u16 {
        let parameters = [
            (4, 1),
            (8, piece * 0x1000),
            (0xA, 0x1000),
            (0x10, 0x8000),
            (0x12, 0x4000),
            (0x16, 8),
            (0x18, 4),
        ];
        assert_eq!(host.run(base, &parameters), DONE);
        let start = usize::from(piece) * 0x1000;
        assert_eq!(host.read(buffer, 0x1000), content[start..start + 0x1000]);
    }
    let took = (host.bus.virtual_time() - before).as_millis();
    assert!((400..2000).contains(&took), "{took} ms");
    assert_eq!((host.cycles(), host.diagnostics()), (0, Vec::new()));
}

#[test]
fn whole_pages_are_written_over_the_pins() {
    let mut host = Host::new(&EZ_OTG, "24lc128", &[]);
    let base = host.install(EEPROM_LOADER, 0x400);
    let buffer = base + EEPROM_LOADER.len() as u16;
    let data = sample(0x400);
    host.store(buffer, &data);
    let parameters = [(4, 2), (8, 0x0800), (0xA, 0x400), (0xE, 64), (0x10, 0x8000), (0x12, 0x4000)];
    assert_eq!(host.run(base, &parameters), DONE);
    assert_eq!(host.eeprom()[0x800..0xC00], data);
    let wear = host.bus.eeprom(&host.port).unwrap().wear;
    assert_eq!(wear.cycles, 16);
    assert!(wear.pages.iter().all(|cycles| *cycles <= 1));
}
