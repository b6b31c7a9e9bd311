//! The small texts of the command line: faults, port paths, ids, class codes. What is understood
//! reads back as the same.
#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use libfuzzer_sys::fuzz_target;
use recover::sim::Faults;
use recover::usb::{ClassCode, Ids, PortPath};

fn round_trip<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let written = value.to_string();
        assert_eq!(written.parse::<T>().ok().as_ref(), Some(&value), "{written}");
    }
}

fuzz_target!(|text: &str| {
    round_trip::<PortPath>(text);
    round_trip::<Ids>(text);
    round_trip::<ClassCode>(text);
    round_trip::<Faults>(text);
    if let Ok(faults) = text.parse::<Faults>() {
        for number in 1..64 {
            let _ = faults.of(number);
        }
    }
});
