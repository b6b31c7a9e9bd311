//! Every family's probe, memory and trial against a device that answers anything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recover::chip::{Finding, Image, Running};
use recover_fuzz::{HostileBus, HostileLink};

fuzz_target!(|bytes: &[u8]| {
    for (chip, model) in recover_fuzz::models() {
        let bus = HostileBus::new(bytes);
        let seen = bus.sighting();
        let _ = chip.recognise(&seen);
        let mut link = HostileLink(bus.clone());
        let _ = chip.probe(&mut link, &seen);

        // As if it had been proven.
        let finding = Finding { model, running: Running::MaskRom, evidence: Vec::new() };
        let mut link = HostileLink(HostileBus::new(bytes));
        if let Ok(mut memory) = chip.open_memory(&mut link, &seen, &finding) {
            let _ = memory.read(0..128);
            let _ = memory.write(2, &[1, 2, 3, 4]);
        }
        let mut link = HostileLink(HostileBus::new(bytes));
        let image = Image::at_address_zero(bytes.to_vec(), chip.boot_ranges(model));
        let _ = chip.try_in_ram(&mut link, &finding, &image);
        let _ = chip.restart(&mut link, model);
    }
});
