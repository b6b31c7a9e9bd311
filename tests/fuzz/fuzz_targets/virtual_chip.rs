//! The virtual chips booting from any memory, and any transfers to them: the first two bytes say
//! how many bytes are the memory, the rest are transfers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recover::sim::{Faults, SimBus, twin};
use recover::usb::{Bus, PortPath, Setup, Transfer};
use recover_fuzz::Tape;

const MAX_TRANSFERS: usize = 24;

fuzz_target!(|bytes: &[u8]| {
    let mut tape = Tape::new(bytes);
    let model = ["sl11r", "ez-otg", "ez-host"][usize::from(tape.byte().unwrap_or(0)) % 3];
    let length = tape.word().unwrap_or(0);
    let memory = tape.take(usize::from(length));
    let mut bus = SimBus::new();
    let port = PortPath::new(1, vec![1]);
    bus.plug_in(port.clone(), twin(model, &memory, 0xff).unwrap(), Faults::none());
    let Some(seen) = bus.sighting(&port) else { return };
    let Ok(mut link) = bus.open(&seen) else { return };
    for _ in 0..MAX_TRANSFERS {
        let Some(kind) = tape.byte() else { break };
        let transfer = match kind % 4 {
            0 | 1 => {
                let setup = Setup {
                    request_type: tape.byte().unwrap_or(0),
                    request: tape.byte().unwrap_or(0),
                    value: tape.word().unwrap_or(0),
                    index: tape.word().unwrap_or(0),
                    length: tape.word().unwrap_or(0) % 4097,
                };
                let timeout = std::time::Duration::from_millis(100);
                if kind % 4 == 0 {
                    Transfer::ControlIn { setup, timeout }
                } else {
                    let mut data = tape.take(usize::from(setup.length));
                    data.resize(usize::from(setup.length), 0);
                    Transfer::ControlOut { setup, data, timeout }
                }
            }
            2 => Transfer::BulkIn {
                endpoint: tape.byte().unwrap_or(0) | 0x80,
                length: usize::from(tape.word().unwrap_or(0)),
                timeout: std::time::Duration::from_millis(100),
            },
            _ => Transfer::BulkOut {
                endpoint: tape.byte().unwrap_or(0) & 0x7f,
                data: tape.take(64),
                timeout: std::time::Duration::from_millis(100),
            },
        };
        let _ = link.exchange(&transfer);
    }
    let _ = bus.diagnostics(&port);
});
