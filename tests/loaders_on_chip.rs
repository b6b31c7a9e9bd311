//! The loaders on the virtual chips: placed, started and read through the loader request, as on a
//! real one, with the simulator's BIOS and its EEPROMs. Virtual time is counted too: a page write
//! must cost little more than the part's own write cycle.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it does not expect"
)]

use recover::chip::cy16::loader::{
    BusClock, Command, EZ_EEPROM, EZ_REENUMERATE, EepromReport, EepromRequest, Loader,
    LoaderFailure, PARAMETERS, ReadRequest, ReenumerateRequest, SL11R_READ, Wiring,
};
use recover::chip::memory::AddressWidth;
use recover::sim::chips::cy16::{Cy16, EZ_HOST, EZ_OTG, SL11R, Silicon};
use recover::sim::device::{Completion, Device};
use recover::sim::parts::{Eeprom, part};
use recover::usb::Setup;

const SECOND: u64 = 1_000_000_000;

struct Chip(Cy16);

impl Chip {
    fn new(silicon: &Silicon, part_name: &str, content: &[u8]) -> Self {
        let eeprom = Eeprom::new(part(part_name).unwrap(), content);
        let mut device = Cy16::new(silicon, Some(eeprom));
        device.power_on(0);
        device.run_until(SECOND);
        device.bus_reset();
        Self(device)
    }

    fn control(&mut self, setup: Setup, data: &[u8]) -> Vec<u8> {
        let deadline = self.0.now() + 5 * SECOND;
        match self.0.control(&setup, data, deadline) {
            Completion::Done(answer) => answer,
            other => panic!("{setup:?}: {other:?}"),
        }
    }

    fn record(&mut self, opcode: u8, body: &[u8]) {
        let length = u16::try_from(body.len()).unwrap().to_le_bytes();
        let stream = [&[0xB6, 0xC3], &length[..], &[opcode], body, &[0, 0]].concat();
        let setup = Setup {
            request_type: 0x40,
            request: 0xFF,
            value: opcode.into(),
            index: 0,
            length: u16::try_from(stream.len()).unwrap(),
        };
        self.control(setup, &stream);
    }

    fn read(&mut self, address: u16, length: u16) -> Vec<u8> {
        let (request_type, request, value) = (0xC0, 0xFF, 7);
        self.control(Setup { request_type, request, value, index: address, length }, &[])
    }

    fn write(&mut self, address: u16, bytes: &[u8]) {
        self.record(0, &[&address.to_le_bytes(), bytes].concat());
    }

    /// Places a loader; returns its address.
    fn place(&mut self, loader: &Loader, buffer: u16) -> u16 {
        self.record(2, &[vec![loader.vector], loader.image(loader.vector, buffer)].concat());
        let word = self.read(2 * u16::from(loader.vector), 2);
        u16::from_le_bytes(word.try_into().unwrap())
    }

    /// Runs a placed loader; returns the nanoseconds it took.
    fn run(&mut self, loader: &Loader, base: u16, parameters: &[u8]) -> u64 {
        self.write(base + PARAMETERS, parameters);
        let before = self.0.now();
        self.record(6, &[loader.vector]);
        self.0.now() - before
    }

    fn eeprom(&mut self, base: u16, request: EepromRequest) -> (EepromReport, u64) {
        let took = self.run(&EZ_EEPROM, base, &request.encode());
        let answer = self.read(base + PARAMETERS, EepromRequest::ANSWER_BYTES);
        (EepromRequest::report(&answer).unwrap(), took)
    }

    fn content(&self, bytes: u16) -> Vec<u8> {
        self.0.eeprom().unwrap().content()[..usize::from(bytes)].to_vec()
    }

    fn write_cycles(&self) -> u64 {
        self.0.eeprom().unwrap().wear().cycles
    }
}

fn request(part_name: &str, clock: BusClock) -> EepromRequest {
    let part = part(part_name).unwrap();
    let two = part.address_bytes == 2;
    EepromRequest {
        command: Command::Read,
        address: 0,
        count: u16::try_from(part.bytes.min(1024)).unwrap(),
        width: if two { AddressWidth::Two } else { AddressWidth::One },
        page: u16::try_from(part.page).unwrap(),
        wiring: if two { Wiring::INT_65 } else { Wiring::INT_64 },
        tries: clock.tries(25),
        clock,
    }
}

#[test]
fn parts_of_every_kind_are_read_and_programmed_at_both_clocks() {
    for (silicon, name) in
        [(&EZ_OTG, "24c02"), (&EZ_HOST, "24c16"), (&EZ_OTG, "24lc64"), (&EZ_HOST, "24lc256")]
    {
        let content: Vec<u8> = (0..1024u32).map(|i| (i * 13 + i / 256) as u8).collect();
        let mut chip = Chip::new(silicon, name, &content);
        let base = chip.place(&EZ_EEPROM, EepromRequest::BUFFER_BYTES);
        for clock in [BusClock::FAST, BusClock::STANDARD] {
            let reading = request(name, clock);
            let (report, read_took) = chip.eeprom(base, reading);
            let bytes = chip.read(base + EZ_EEPROM.buffer(), reading.count);
            let sum = bytes.iter().fold(0, |sum: u16, byte| sum.wrapping_add((*byte).into()));
            assert_eq!(report, EepromReport { sum, cycles: 0, outcome: Ok(()) }, "{name}");
            assert_eq!(bytes, chip.content(reading.count), "{name}");

            let new: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
            chip.write(base + EZ_EEPROM.buffer(), &new);
            let before = chip.write_cycles();
            let programming = EepromRequest { command: Command::Program, ..reading };
            let (report, took) = chip.eeprom(base, programming);
            assert_eq!(report.outcome, Ok(()), "{name}");
            assert_eq!(chip.content(reading.count), new, "{name}");
            assert_eq!(report.cycles, reading.count / reading.page, "{name}");
            assert_eq!(chip.write_cycles() - before, u64::from(report.cycles), "{name}");
            // Sending and reading back cost a read each; the rest is the part's own time.
            let cycle = u64::from(part(name).unwrap().write_cycle_us) * 1000;
            let own = u64::from(report.cycles) * cycle;
            let maximum = own + 2 * read_took + u64::from(report.cycles) * 700_000;
            assert!(
                (own..maximum).contains(&took),
                "{name} {clock:?}: {took} ns, not {own}..{maximum}"
            );
        }
        assert_eq!(chip.0.diagnostics(), []);
    }
}

#[test]
fn asking_at_the_wrong_pins_or_width_writes_nothing() {
    let mut chip = Chip::new(&EZ_OTG, "24c02", &[1, 2, 3]);
    let base = chip.place(&EZ_EEPROM, 64);
    let right = EepromRequest { count: 16, tries: 3, ..request("24c02", BusClock::STANDARD) };
    let swapped = EepromRequest { wiring: Wiring::INT_65, ..right };
    assert_eq!(chip.eeprom(base, swapped).0.outcome, Err(LoaderFailure::NoPart));
    let wide = EepromRequest { width: AddressWidth::Two, address: 0x155, ..right };
    assert_eq!(chip.eeprom(base, wide).0.outcome, Ok(()));
    assert_eq!(chip.write_cycles(), 0);
    assert_eq!(chip.content(4), [1, 2, 3, 0xFF]);
}

#[test]
fn the_sl11r_loader_reads_the_factory_image_while_that_runs() {
    let image = include_bytes!("../recovery-images/cy16/simulated-sl11r/factory.bin");
    let mut chip = Chip::new(&SL11R, "24c16", image);
    let base = chip.place(&SL11R_READ, 256);
    chip.run(&SL11R_READ, base, &ReadRequest { address: 0x80, count: 256 }.encode());
    let answer = chip.read(base + PARAMETERS, ReadRequest::ANSWER_BYTES);
    let bytes = chip.read(base + SL11R_READ.buffer(), 256);
    assert_eq!(bytes, image[0x80..0x180]);
    let sum = bytes.iter().fold(0, |sum: u16, byte| sum.wrapping_add((*byte).into()));
    assert_eq!(ReadRequest::sum(&answer), Ok(sum));
    assert_eq!(chip.0.diagnostics(), []);
}

#[test]
fn a_chip_that_is_told_to_leaves_the_bus_and_comes_back() {
    let mut chip = Chip::new(&EZ_OTG, "24lc64", &[]);
    let base = chip.place(&EZ_REENUMERATE, 0);
    let leave = ReenumerateRequest { passes: 2000, sie1: true, sie2: true, milliseconds: 300 };
    chip.run(&EZ_REENUMERATE, base, &leave.encode());
    let first = chip.0.attachment().unwrap();
    let left = chip.0.run_until(chip.0.now() + SECOND);
    assert_eq!(chip.0.attachment(), None);
    chip.0.run_until(left + SECOND);
    let second = chip.0.attachment().unwrap();
    assert_eq!(second.generation, first.generation + 1);
    let away = second.since - left;
    assert!((290_000_000..320_000_000).contains(&away), "{away} ns off the bus");
    assert_eq!(chip.read(base + PARAMETERS, 2), [0xCE, 0xD0]);
    assert_eq!(chip.0.diagnostics(), []);
}

#[test]
fn the_factory_images_come_up_as_promised() {
    for (silicon, part_name, image, ids, serial) in [
        (
            &SL11R,
            "24c16",
            &include_bytes!("../recovery-images/cy16/simulated-sl11r/factory.bin")[..],
            [0xCE, 0x04, 0x02, 0x00, 0x60, 0x02],
            0,
        ),
        (
            &EZ_OTG,
            "24lc64",
            &include_bytes!("../recovery-images/cy16/simulated-ez-otg/factory.bin")[..],
            [0xB4, 0x04, 0x01, 0x72, 0x00, 0x01],
            3,
        ),
    ] {
        let mut chip = Chip::new(silicon, part_name, image);
        let (request_type, request, value) = (0x80, 6, 0x0100);
        let setup = Setup { request_type, request, value, index: 0, length: 18 };
        let device = chip.control(setup, &[]);
        assert_eq!(device[8..14], ids);
        assert_eq!(device[14..], [1, 2, serial, 1]);
        let maximum_lun =
            Setup { request_type: 0xA1, request: 0xFE, value: 0, index: 0, length: 1 };
        for _ in 0..2 {
            let deadline = chip.0.now() + SECOND;
            let answer = chip.0.control(&maximum_lun, &[], deadline);
            let expected = if serial == 0 { Completion::Stall } else { Completion::Done(vec![0]) };
            assert_eq!(answer, expected);
        }
        assert_eq!(chip.0.diagnostics(), []);
    }
}
