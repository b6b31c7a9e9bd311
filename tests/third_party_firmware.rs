//! Firmware that nobody here wrote, on the virtual EZ-USB chips: all that Debian's packages carry,
//! and the second-stage loader in PyPI's `fx2`.
//!
//! Nothing of it is in this repository. These tests are run by name or with
//! `--include-ignored`. RECOVER_FX2_PACKAGE names the folder of the
//! Python package `fx2` where python3 cannot import it, RECOVER_DEBIAN_FIRMWARE one into which the
//! packages of `debian` were unpacked and not installed.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use recover::sim::chips::ezusb::{EzUsb, FX2, FX2LP, Silicon};
use recover::sim::device::{Completion, Device};
use recover::sim::parts::{Eeprom, part};
use recover::sim::{Faults, SimBus};
use recover::usb::transfer::{VENDOR_IN, VENDOR_OUT};
use recover::usb::{Bus, Link, PortPath, Setup, Sighting, Transfer};

#[path = "third_party_firmware/boots.rs"]
mod boots;
#[path = "third_party_firmware/debian.rs"]
mod debian;
#[path = "third_party_firmware/files.rs"]
mod files;

use self::debian::Format;
use self::files::{loads, memory, records, releases};

const SECOND: u64 = 1_000_000_000;
const FOLDER: &str = "/usr/share/sigrok-firmware";

/// File, ids it comes up with, and whether it needs 16 KB.
const FX2LAFW: [(&str, [u16; 2], bool); 13] = [
    ("braintechnology-usb-lps", [0x16D0, 0x0498], false),
    ("cwav-usbeeax", [0x08A9, 0x0014], false),
    ("cwav-usbeedx", [0x08A9, 0x0015], false),
    ("cwav-usbeesx", [0x08A9, 0x0009], false),
    ("cwav-usbeezx", [0x08A9, 0x0005], false),
    ("cypress-fx2", [0x04B4, 0x8613], false),
    ("saleae-logic", [0x0925, 0x3881], false),
    ("sigrok-fx2-16ch", [0x1D50, 0x608D], false),
    ("sigrok-fx2-8ch", [0x1D50, 0x608C], false),
    ("hantek-6022be", [0x1D50, 0x608E], true),
    ("hantek-6022bl", [0x1D50, 0x608E], true),
    ("sainsmart-dds120", [0x1D50, 0x608E], true),
    ("yixingdianzi-mdso", [0x1D50, 0x608E], true),
];

struct Desk {
    bus: SimBus,
    port: PortPath,
}

impl Desk {
    fn new(silicon: &'static Silicon) -> Self {
        let (bus, port) = (SimBus::new(), PortPath::new(1, vec![1]));
        bus.plug_in(port.clone(), Box::new(EzUsb::new(silicon, None)), Faults::none());
        Self { bus, port }
    }

    fn link(&self) -> Box<dyn Link> {
        let seen = self.bus.sighting(&self.port).unwrap();
        self.bus.clone().open(&seen).unwrap()
    }

    fn load(&self, address: u16, data: &[u8]) {
        let length = u16::try_from(data.len()).unwrap();
        let setup =
            Setup { request_type: VENDOR_OUT, request: 0xA0, value: address, index: 0, length };
        let timeout = Duration::from_secs(1);
        self.link()
            .exchange(&Transfer::ControlOut { setup, data: data.to_vec(), timeout })
            .unwrap();
    }

    /// Loads `program`, starts it and looks again after three seconds.
    fn run(&self, program: &[u8]) -> Option<Sighting> {
        let before = self.bus.sighting(&self.port).unwrap();
        self.load(0xE600, &[1]);
        for (at, chunk) in program.chunks(4096).enumerate() {
            self.load(u16::try_from(at * 4096).unwrap(), chunk);
        }
        self.load(0xE600, &[0]);
        recover::clock::Clock::sleep(&*self.bus.virtual_clock(), Duration::from_secs(3));
        let after = self.bus.sighting(&self.port)?;
        assert_ne!(after.device_number, before.device_number, "it did not renumerate");
        Some(after)
    }
}

#[test]
#[ignore = "needs Debian's sigrok-firmware-fx2lafw"]
fn every_fx2lafw_comes_up_on_an_fx2lp_and_the_large_ones_only_there() {
    for (name, [vendor, product], large) in FX2LAFW {
        let program = std::fs::read(format!("{FOLDER}/fx2lafw-{name}.fw")).unwrap();
        assert_eq!(program.len() > 0x2000, large, "{name}");
        let desk = Desk::new(&FX2LP);
        let seen = desk.run(&program).unwrap_or_else(|| panic!("{name} did not come up"));
        assert_eq!((seen.ids.vendor, seen.ids.product), (vendor, product), "{name}");
        let release = seen.bcd_device;
        let memory = memory(&loads(Format::Flat, &program));
        assert_eq!(releases(&memory, [vendor, product]), [release], "{name}");
        assert!(!seen.interfaces.is_empty() && seen.manufacturer.is_some(), "{name}: {seen:?}");
        assert_eq!(desk.bus.diagnostics(&desk.port), [], "{name}");

        let desk = Desk::new(&FX2);
        if large {
            let seen =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| desk.run(&program)));
            let ids = seen.ok().flatten().map(|seen| (seen.ids.vendor, seen.ids.product));
            assert_ne!(ids, Some((vendor, product)), "{name} came up in 8 KB");
        } else {
            let seen = desk.run(&program).unwrap();
            assert_eq!((seen.ids.vendor, seen.ids.product), (vendor, product), "{name}");
        }
        eprintln!("{name}: {vendor:04x}:{product:04x} {release:04x}");
    }
}

fn fx2_package() -> PathBuf {
    if let Some(folder) = std::env::var_os("RECOVER_FX2_PACKAGE") {
        return folder.into();
    }
    let code =
        "import importlib.util as u; print(u.find_spec('fx2').submodule_search_locations[0])";
    let output = Command::new("python3").args(["-c", code]).output().unwrap();
    assert!(
        output.status.success(),
        "python3 cannot import fx2, nor does RECOVER_FX2_PACKAGE tell"
    );
    String::from_utf8(output.stdout).unwrap().trim().into()
}

struct Booted(EzUsb);

impl Booted {
    fn new(hex_file: &Path, part_name: &str, content: &[u8]) -> Self {
        let eeprom = Eeprom::new(part(part_name).unwrap(), content);
        let mut chip = Self(EzUsb::new(&FX2LP, Some(eeprom)));
        chip.0.power_on(0);
        chip.0.run_until(SECOND);
        chip.write(0xA0, 0xE600, &[1]);
        for (address, bytes) in records(&std::fs::read_to_string(hex_file).unwrap()) {
            chip.write(0xA0, address, &bytes);
        }
        chip.write(0xA0, 0xE600, &[0]);
        chip.0.run_until(chip.0.now() + SECOND);
        chip
    }

    fn control(&mut self, setup: &Setup, data: &[u8]) -> Vec<u8> {
        let deadline = self.0.now() + 30 * SECOND;
        match self.0.control(setup, data, deadline) {
            Completion::Done(answer) => answer,
            other => panic!("{setup:?}: {other:?}"),
        }
    }

    fn read(&mut self, request: u8, value: u16, length: u16) -> Vec<u8> {
        self.control(&Setup { request_type: VENDOR_IN, request, value, index: 0, length }, &[])
    }

    fn write(&mut self, request: u8, value: u16, data: &[u8]) {
        let length = u16::try_from(data.len()).unwrap();
        self.control(&Setup { request_type: VENDOR_OUT, request, value, index: 0, length }, data);
    }
}

#[test]
#[ignore = "needs PyPI's fx2"]
fn the_second_stage_of_the_fx2_package_reads_and_writes_the_virtual_eeprom() {
    let hex_file = fx2_package().join("boot-cypress.ihex");
    for (part_name, request) in [("24c02", 0xA2), ("24lc64", 0xA9)] {
        let content: Vec<u8> = (0..256u32).map(|i| (i * 7 + 1) as u8).collect();
        let mut chip = Booted::new(&hex_file, part_name, &content);
        let product =
            Setup { request_type: 0x80, request: 6, value: 0x0302, index: 0x0409, length: 255 };
        let text = chip.control(&product, &[]);
        let text: String = text[2..].iter().step_by(2).map(|byte| char::from(*byte)).collect();
        assert_eq!(text, "FX2 series Cypress-class bootloader");
        assert_eq!(chip.read(request, 0, 256), content, "{part_name}");
        assert_eq!(chip.read(request, 37, 5), content[37..42], "{part_name}");

        let new: Vec<u8> = (0..64).map(|i| 0xE0 ^ i).collect();
        chip.write(request, 0x40, &new);
        chip.0.run_until(chip.0.now() + SECOND);
        let kept = chip.0.eeprom().unwrap().content();
        assert_eq!(kept[0x40..0x80], new, "{part_name}");
        assert_eq!(kept[..0x40], content[..0x40], "{part_name}");
        assert_eq!(kept[0x80..0x100], content[0x80..], "{part_name}");
        assert_eq!(chip.read(request, 0x40, 64), new, "{part_name}");
        assert_eq!(chip.0.diagnostics(), [], "{part_name}");
    }
}
