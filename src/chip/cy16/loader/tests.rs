//! The codec of the loaders' parameters and answers.

use super::*;
use crate::chip::memory::AddressWidth;

fn request() -> EepromRequest {
    EepromRequest {
        command: Command::Program,
        address: 0x1234,
        count: 0x0100,
        width: AddressWidth::Two,
        page: 32,
        wiring: Wiring::INT_65,
        tries: 500,
        clock: BusClock::FAST,
    }
}

#[test]
fn requests_are_words_from_status_on() {
    assert_eq!(ReadRequest { address: 0x102, count: 0x80 }.encode(), [0, 0, 2, 1, 0x80, 0]);
    assert_eq!(
        request().encode(),
        [0, 0, 2, 0, 0xA0, 0, 0x34, 0x12, 0, 1, 2, 0, 32, 0, 0, 0x80, 0, 0x40, 0xF4, 1, 8, 0, 4, 0]
    );
    let leave = ReenumerateRequest { passes: 2000, sie1: true, sie2: true, milliseconds: 0 };
    assert_eq!(leave.encode(), [0, 0, 0, 0, 0xD0, 7, 3, 0, 1, 0]);
}

#[test]
fn the_source_s_own_defaults_are_a_standard_clock_request() {
    let defaults = EepromRequest {
        command: Command::Wait,
        address: 0,
        count: 0,
        tries: 400,
        clock: BusClock::STANDARD,
        ..request()
    };
    let encoded = defaults.encode();
    assert_eq!(EZ_EEPROM.image(0x7A, 0)[2..][..encoded.len()], encoded);
}

fn answer(status: u16, results: [u16; 5]) -> Vec<u8> {
    let mut words = vec![0; 17];
    words[0] = status;
    words[12..].copy_from_slice(&results);
    bytes_of(&words)
}

#[test]
fn answers_are_told_apart() {
    let done = EepromRequest::report(&answer(0xD0CE, [0x1234, 3, 0, 0, 0])).unwrap();
    assert_eq!(done, EepromReport { sum: 0x1234, cycles: 3, outcome: Ok(()) });
    let different = EepromRequest::report(&answer(0xEE06, [1, 2, 3, 0x44, 0x55])).unwrap();
    let failure = LoaderFailure::Different { at: 0x44, got: 0x55, differing: 3 };
    assert_eq!((different.cycles, different.outcome), (2, Err(failure)));
    let busy = EepromRequest::report(&answer(0xEE05, [0, 1, 0, 0x60, 0])).unwrap();
    assert_eq!(busy.outcome, Err(LoaderFailure::StillBusy { at: 0x60 }));
    for (status, expected) in [
        (0, LoaderFailure::NotStarted),
        (1, LoaderFailure::Running),
        (0xEE00, LoaderFailure::UnknownStatus(0xEE00)),
        (0xEE08, LoaderFailure::UnknownStatus(0xEE08)),
        (0xFFFF, LoaderFailure::UnknownStatus(0xFFFF)),
    ] {
        assert_eq!(EepromRequest::report(&answer(status, [0; 5])), Err(expected));
        assert_eq!(ReadRequest::sum(&answer(status, [0; 5])), Err(expected));
    }
    assert_eq!(ReadRequest::sum(&[0xCE, 0xD0, 9, 0, 9, 0, 0x34, 0x12]), Ok(0x1234));
    assert_eq!(
        EepromRequest::report(&[0; 33]),
        Err(LoaderFailure::ShortAnswer { got: 33, expected: 34 })
    );
}

#[test]
fn both_clocks_keep_the_data_sheet_s_limits_and_tries_cover_a_write_cycle() {
    assert!(BusClock::FAST.min_low_ns() >= 1300 && BusClock::FAST.min_high_ns() >= 600);
    assert!(BusClock::STANDARD.min_low_ns() >= 4700 && BusClock::STANDARD.min_high_ns() >= 4000);
    assert_eq!(BusClock::FAST.tries(10), 425);
    assert_eq!(BusClock::STANDARD.tries(0), 1);
    assert_eq!(BusClock::STANDARD.tries(10), 89);
    assert_eq!(BusClock::STANDARD.tries(u32::MAX), u16::MAX);
}
