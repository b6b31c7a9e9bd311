//! Any text as a profile.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recover::profile::{known_chips, parse};

fuzz_target!(|text: &str| {
    match parse(text, "profile.toml", "fuzzed", &known_chips()) {
        Ok(profile) => drop(profile.inferred()),
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                assert!(!problem.to_string().is_empty());
                assert!(!problem.kind.remedy().is_empty());
            }
        }
    }
});
