//! Any text as a bench file, its bytes as a hub's descriptor and as what reaches a relay board.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recover::bench::config::{failure, parse};
use recover::sim::relay::{Dialect, Load, RelayBoard};
use recover::usb::hub;

struct Nothing;

impl Load for Nothing {
    fn switched(&mut self, channel: u8, _energised: bool) {
        assert!((1..=8).contains(&channel));
    }
}

fuzz_target!(|text: &str| {
    match parse(text, "bench.toml", &["simulated-sl11r"]) {
        Ok(bench) => {
            for port in &bench.ports {
                for channel in port.power.iter().chain(&port.contact) {
                    assert!(bench.board(&channel.board).is_some());
                }
            }
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            assert!(!failure(&problems).next.is_empty());
        }
    }
    let _ = hub::descriptor(text.as_bytes());
    for dialect in [Dialect::Lcus, Dialect::AaBb, Dialect::Letter, Dialect::Numato, Dialect::Mute] {
        drop(RelayBoard::new(dialect, Box::new(Nothing)).take(text.as_bytes()));
    }
});
