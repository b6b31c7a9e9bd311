//! The default device's alternate settings, and the halt of its endpoints.

use super::*;

fn standard(chip: &mut EzUsb, request_type: u8, request: u8, value: u16, index: u16) -> Completion {
    let length = if request_type & 0x80 != 0 { 2 } else { 0 };
    ask(chip, Setup { request_type, request, value, index, length }, &[])
}

fn halt(chip: &mut EzUsb, endpoint: u16) -> Completion {
    standard(chip, 0x82, 0, 0, endpoint)
}

/// bAlternateSetting, and address and kind of each endpoint.
fn settings(configuration: &[u8]) -> Vec<(u8, Vec<[u8; 2]>)> {
    let mut found = Vec::new();
    let mut rest = configuration;
    while let Some(&length) = rest.first() {
        let (part, behind) = rest.split_at(length.into());
        rest = behind;
        match *part {
            [9, 4, 0, alternate, ..] => found.push((alternate, Vec::new())),
            [7, 5, address, kind, ..] => found.last_mut().unwrap().1.push([address, kind]),
            _ => {}
        }
    }
    found
}

#[test]
fn an_an2131_has_two_settings_of_thirteen_endpoints_beside_the_empty_one() {
    // The number of endpoints, and bulk 2 each way in setting 1 (Linux, usbtest.c), are
    // what other sources give; all else is inferred.
    for silicon in [&AN2131, &FX] {
        let mut chip = powered(silicon, "24c02", &[]);
        let configuration = descriptor(&mut chip, 0x0200);
        let total = u16::from_le_bytes([configuration[2], configuration[3]]);
        assert_eq!((usize::from(total), configuration.len()), (218, 218));
        let settings = settings(&configuration);
        let counts: Vec<_> = settings.iter().map(|(at, all)| (*at, all.len())).collect();
        assert_eq!(counts, [(0, 0), (1, 13), (2, 13)]);
        for wanted in [[0x02, 2], [0x82, 2]] {
            assert!(settings[1].1.contains(&wanted), "{wanted:x?} in {settings:x?}");
        }
        for (value, answer) in [(2, done(&[])), (3, Completion::Stall)] {
            assert_eq!(standard(&mut chip, 0x01, 11, value, 0), answer);
        }
    }
}

#[test]
fn the_halt_of_a_default_endpoint_is_kept_until_it_is_cleared() {
    for (silicon, endpoints) in [(&AN2131, [0x02, 0x82, 0x86]), (&FX2LP, [0x02, 0x86, 0x81])] {
        let mut chip = powered(silicon, "24c02", &[]);
        assert_eq!(standard(&mut chip, 0x00, 9, 1, 0), done(&[]));
        assert_eq!(halt(&mut chip, endpoints[0]), Completion::Stall, "setting 0 has none");
        assert_eq!(standard(&mut chip, 0x01, 11, 1, 0), done(&[]));
        for endpoint in endpoints {
            assert_eq!(halt(&mut chip, endpoint), done(&[0, 0]), "{endpoint:02x}");
            assert_eq!(standard(&mut chip, 0x02, 3, 0, endpoint), done(&[]));
            assert_eq!(halt(&mut chip, endpoint), done(&[1, 0]), "{endpoint:02x}");
            let deadline = chip.now() + SECOND;
            let transfer = match endpoint & 0x80 {
                0 => chip.bulk_out(endpoint as u8, &[1], deadline),
                _ => chip.bulk_in(endpoint as u8, 64, deadline),
            };
            assert_eq!(transfer, Completion::Stall, "{endpoint:02x}");
            assert_eq!(standard(&mut chip, 0x02, 1, 0, endpoint), done(&[]));
            assert_eq!(halt(&mut chip, endpoint), done(&[0, 0]), "{endpoint:02x}");
        }
        // Another setting begins without halts; what is not there has none.
        standard(&mut chip, 0x02, 3, 0, endpoints[0]);
        standard(&mut chip, 0x01, 11, 2, 0);
        assert_eq!(halt(&mut chip, endpoints[0]), done(&[0, 0]));
        assert_eq!(halt(&mut chip, 0x0F), Completion::Stall);
        assert_eq!(standard(&mut chip, 0x02, 3, 0, 0x0F), Completion::Stall);
        assert_eq!(halt(&mut chip, 0x80), done(&[0, 0]));
    }
}
