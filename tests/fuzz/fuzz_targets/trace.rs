//! Any bytes as a trace file: read, and replayed to a program that does the usual things.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recover::usb::trace::Replayer;
use recover::usb::{Bus, Transfer};

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut replay) = Replayer::read(bytes) else { return };
    for _ in 0..8 {
        let Ok(seen) = replay.scan() else { break };
        for sighting in seen.iter().take(4) {
            for (chip, _) in recover_fuzz::models() {
                let _ = chip.recognise(sighting);
            }
            let _ = replay.reset(sighting);
            if let Ok(mut link) = replay.open(sighting) {
                let _ = link.exchange(&Transfer::vendor_in(0xff, 0, 0, 2));
            }
        }
    }
    let _ = (replay.difference(), replay.lines_left());
});
