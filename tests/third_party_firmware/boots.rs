//! Whether each of Debian's firmwares starts, and whether one that stays on the bus as it was does
//! what its driver asks.

use std::time::Duration;

use super::debian::{Does, End, NON_FREE, ROWS, Row};
use super::files::{debian_file, loads, memory, releases};
use super::{Desk, Silicon};
use recover::sim::chips::ezusb::{AN2131, FX2LP};
use recover::usb::transfer::{VENDOR_IN, VENDOR_OUT};
use recover::usb::{Setup, Transfer};

const READ_RAM: u8 = 0xA0;
/// Request of a second-stage loader.
const BY_LOADER: u8 = 0xA3;
/// RAM of every chip that no loader lies in.
const FREE: u16 = 0x1A00;
/// usbdux: the levels of the digital pins.
const DIGITAL_BITS: u8 = 3;
/// CPUCS: the bits of the clock, and 48 MHz.
const CLOCK: u8 = 0x18;
const AT_48_MHZ: u8 = 0x10;
/// What request A0 and the loaders read at once.
const CHUNK: u16 = 64;

fn cpucs(chip: &Silicon) -> u16 {
    if chip.name == "fx2lp" { 0xE600 } else { 0x7F92 }
}

impl Desk {
    fn answer(&self, transfer: &Transfer) -> Option<Vec<u8>> {
        self.link().exchange(transfer).ok().map(|reply| reply.data)
    }

    fn read(&self, request: u8, address: u16) -> Option<Vec<u8>> {
        let setup =
            Setup { request_type: VENDOR_IN, request, value: address, index: 0, length: CHUNK };
        self.answer(&Transfer::ControlIn { setup, timeout: Duration::from_secs(1) })
    }

    fn send(&self, endpoint: u8, data: &[u8]) -> bool {
        let timeout = Duration::from_secs(1);
        let transfer = Transfer::BulkOut { endpoint, data: data.to_vec(), timeout };
        self.answer(&transfer).is_some()
    }

    /// Puts a program into the chip, and looks whether it is there byte by byte.
    fn put(&self, chip: &Silicon, loads: &[(u16, Vec<u8>)]) {
        self.load(cpucs(chip), &[1]);
        for (address, bytes) in loads {
            self.load(*address, bytes);
        }
        let memory = memory(loads);
        let mut compared = 0;
        for start in (0..=u16::MAX).step_by(CHUNK.into()) {
            let wanted = &memory[usize::from(start)..][..CHUNK.into()];
            if wanted.iter().all(Option::is_none) {
                continue;
            }
            let kept = self.read(READ_RAM, start).unwrap();
            for (at, (wanted, kept)) in (start..).zip(wanted.iter().zip(kept)) {
                if let Some(wanted) = wanted {
                    assert_eq!(kept, *wanted, "at {at:04x}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 0, "nothing was loaded");
    }

    fn does(&self, what: Does, program: &[Option<u8>]) -> bool {
        match what {
            Does::WritesRam => {
                let data: Vec<u8> = (1..=CHUNK as u8).collect();
                assert_ne!(self.read(READ_RAM, FREE).as_ref(), Some(&data));
                let mut place = program[usize::from(FREE)..].iter().take(data.len());
                assert!(place.all(Option::is_none), "the program lies there");
                let setup = Setup {
                    request_type: VENDOR_OUT,
                    request: BY_LOADER,
                    value: FREE,
                    index: 0,
                    length: CHUNK,
                };
                let timeout = Duration::from_secs(1);
                let write = Transfer::ControlOut { setup, data: data.clone(), timeout };
                self.answer(&write).is_some() && self.read(READ_RAM, FREE) == Some(data)
            }
            Does::AnswersCommands => (0..3).all(|_| {
                let timeout = Duration::from_secs(1);
                let fetch = Transfer::BulkIn { endpoint: 0x88, length: 512, timeout };
                self.send(1, &[DIGITAL_BITS, 0, 0])
                    && self.answer(&fetch).is_some_and(|reply| reply.first() == Some(&DIGITAL_BITS))
            }),
            Does::ChoosesClock => {
                let kept = self.read(READ_RAM, 0xE600).unwrap();
                kept.first().is_some_and(|cpucs| cpucs & CLOCK == AT_48_MHZ)
            }
        }
    }
}

/// Loads it and looks again after ten seconds: what came of it, and what was said.
fn boots(row: &Row, file: &[u8]) -> (End, Vec<String>) {
    let desk = Desk::new(row.chip);
    let before = desk.bus.sighting(&desk.port).unwrap();
    let loads = loads(row.format, file);
    let program = memory(&loads);
    desk.put(row.chip, &loads);
    desk.load(cpucs(row.chip), &[0]);
    recover::clock::Clock::sleep(&*desk.bus.virtual_clock(), Duration::from_secs(10));
    let end = match desk.bus.sighting(&desk.port) {
        Some(seen) if seen.device_number != before.device_number => {
            let ids = [seen.ids.vendor, seen.ids.product];
            assert_eq!(releases(&program, ids), [seen.bcd_device], "{}", row.file);
            End::Ids(ids)
        }
        Some(_) => {
            match row.end {
                End::Stays(what) => {
                    assert!(desk.does(what, &program), "{} does not: {what:?}", row.file);
                }
                // A request that nobody answers, after which the reason is told.
                End::Waits(_) => assert_eq!(desk.read(BY_LOADER, 0), None, "{}", row.file),
                _ => panic!("{} stays", row.file),
            }
            row.end
        }
        None => End::Unknown("something"),
    };
    let said = desk.bus.diagnostics(&desk.port);
    let said: Vec<String> = said.iter().map(ToString::to_string).collect();
    (end, said)
}

#[test]
#[ignore = "needs Debian's packages with firmware for these chips"]
fn every_firmware_that_debian_ships_boots_or_names_the_unknown_that_stopped_it() {
    let mut skipped = Vec::new();
    for row in ROWS {
        let Some(file) = debian_file(row) else {
            assert!(NON_FREE.contains(&row.package), "{} of {}", row.file, row.package);
            skipped.push(row.package);
            continue;
        };
        let (end, said) = boots(row, &file);
        eprintln!("{}: {end:04x?} {said:?}", row.file);
        match (row.end, end) {
            (End::Unknown(what), End::Unknown(_)) => {
                let names =
                    said.iter().any(|said| said.contains("unknown:") && said.contains(what));
                assert!(names, "{}: {said:?}", row.file);
            }
            (End::Waits(what), End::Waits(_)) => {
                let names = said.iter().any(|said| said.contains(&format!(" for {what}, ")));
                assert!(names, "{}: {said:?}", row.file);
            }
            (wanted, end) => {
                assert_eq!(end, wanted, "{}: {said:?}", row.file);
                assert_eq!(said, Vec::<String>::new(), "{}", row.file);
            }
        }
    }
    skipped.dedup();
    for package in skipped {
        eprintln!("skipped: Debian's {package} could not be had");
    }
}

#[test]
fn a_chip_without_a_program_and_one_that_hangs_do_nothing_of_it() {
    let hangs = [(0, [&[0x80, 0xFE][..], &[0; 62]].concat())];
    let program = memory(&hangs);
    for chip in [&AN2131, &FX2LP] {
        for runs in [false, true] {
            for what in [Does::WritesRam, Does::AnswersCommands, Does::ChoosesClock] {
                let desk = Desk::new(chip);
                desk.put(chip, &hangs);
                desk.load(cpucs(chip), &[u8::from(!runs)]);
                assert!(!desk.does(what, &program), "{} {runs} {what:?}", chip.name);
            }
        }
    }
}
