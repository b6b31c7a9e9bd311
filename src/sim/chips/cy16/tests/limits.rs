//! Where the model's knowledge ends, and what hostile input cannot do.

use proptest::prelude::*;

use super::*;

#[test]
fn what_is_undocumented_on_the_sl11r_stops_the_model() {
    for (what, code) in [
        ("register c028", &[0xE7, 0x07, 0x00, 0x00, 0x28, 0xC0][..]),
        ("register c00c", &[0xE7, 0x07, 0x22, 0x00, 0x0C, 0xC0]),
        ("INT 113", &[0x71, 0xAF]),
        ("INT 65", &[0x41, 0xAF]),
    ] {
        let mut host = Host::sl11r();
        host.store(0x0800, &[code, &[0x97, 0xCF]].concat());
        let run = host.try_scan(&record(5, &[0x00, 0x08]), 1);
        assert_eq!(run, Err(TransferError::TimedOut), "{what}");
        let found = host.diagnostics();
        assert!(found[0].text.contains(what) && found[0].text.contains("undocumented"));
        assert_eq!(found[0].verdict, crate::sim::Verdict::Unknown);
    }
}

#[test]
fn a_register_the_model_only_keeps_is_mentioned_once() {
    let mut host = Host::ez();
    for _ in 0..3 {
        host.scan(&record(9, &[0x50, 1, 0]));
    }
    assert_eq!(host.diagnostics().len(), 1);
    assert!(host.said("IDE register c050"));
}

#[test]
fn code_in_missing_memory_is_a_failure_of_the_program() {
    let mut host = Host::ez();
    let _ = host.try_scan(&record(5, &[0x00, 0x60]), 1);
    assert_eq!(host.diagnostics()[0].verdict, crate::sim::Verdict::Failed);
    assert_eq!(host.exchange(&standard(6, 0x0100, 18)), Err(TransferError::TimedOut));
    host.bus.replug(&host.port);
    host.pass(1000);
    assert_eq!(host.ids(), BLANK_EZ);
}

#[test]
fn unplugged_in_the_middle_of_a_write_the_rest_is_not_written() {
    let mut host = Host::sl11r();
    host.bus.set_faults(&host.port, "unplug@1+100ms".parse().unwrap());
    let write = record(8, &[&[0x40, 0, 0], &[0x77; 256][..]].concat());
    assert_eq!(host.try_scan(&write, 10), Err(TransferError::Gone));
    let written = host.eeprom().iter().filter(|byte| **byte == 0x77).count();
    assert!((10..20).contains(&written), "{written}");
    assert_eq!(host.seen(), None);
    host.pass(10_000);
    assert_eq!(host.seen(), None);
    host.bus.plug(&host.port);
    host.pass(1000);
    assert_eq!(host.ids(), BLANK_SL11R);
}

fn transfers() -> impl Strategy<Value = Vec<Transfer>> {
    let timeout = Duration::from_millis(300);
    let setup = (any::<u8>(), any::<u8>(), any::<u16>(), any::<u16>(), 0..4097_u16);
    let any_in = setup.prop_map(move |(request_type, request, value, index, length)| {
        let setup = Setup { request_type: request_type | 0x80, request, value, index, length };
        Transfer::ControlIn { setup, timeout }
    });
    let body = proptest::collection::vec(any::<u8>(), 0..200);
    let scan = (body.clone(), 0..10_u8, any::<bool>()).prop_map(move |(body, opcode, sound)| {
        let mut stream = record(opcode, &body);
        if !sound {
            stream[2] ^= 0x21;
        }
        Transfer::vendor_out(0xFF, 0, 0, stream).within(timeout)
    });
    let bulk = (any::<u8>(), body).prop_map(move |(endpoint, data)| Transfer::BulkOut {
        endpoint,
        data,
        timeout,
    });
    let read = (any::<u8>(), 0..300_usize).prop_map(move |(endpoint, length)| Transfer::BulkIn {
        endpoint,
        length,
        timeout,
    });
    let one = prop_oneof![2 => any_in, 6 => scan, 1 => bulk, 1 => read];
    proptest::collection::vec(one, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn hostile_transfers_never_panic(list in transfers(), is_ez in any::<bool>()) {
        let mut host = if is_ez { Host::ez() } else { Host::sl11r() };
        for transfer in &list {
            let _ = host.exchange(transfer);
            host.open_if_there();
        }
        host.bus.replug(&host.port);
        host.pass(2000);
        prop_assert!(host.bus.clone().scan().is_ok());
    }

    #[test]
    fn hostile_eeproms_never_panic(content in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut stream = vec![0xB6, 0xC3, 0x20, 0x00, content.first().copied().unwrap_or(0) % 10];
        stream.extend(content);
        let host = Host::new(&EZ_OTG, "24lc64", &stream);
        let _ = host.seen();
    }
}

impl Host {
    fn open_if_there(&mut self) {
        if let Some(seen) = self.seen() {
            self.link = Some(self.bus.open(&seen).unwrap());
        }
    }
}
