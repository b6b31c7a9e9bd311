//! Every error code of the program is provoked: each case brings the program to a failure, and
//! what it answered is compared with what the case is for. A code counts as provoked only when
//! the program answered with it here.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly, in its helpers too")]

#[path = "codes/bench.rs"]
mod bench;
#[path = "codes/bus.rs"]
mod bus;
#[path = "codes/case.rs"]
mod case;
#[path = "codes/choice.rs"]
mod choice;
#[path = "codes/device.rs"]
mod device;
#[path = "codes/image.rs"]
mod image;
#[path = "codes/kept.rs"]
mod kept;
#[path = "codes/program.rs"]
mod program;

use std::collections::BTreeSet;
use std::panic::catch_unwind;

use case::Case;
use recover::failure::Code;

/// Codes that only another operating system than this one can answer with.
const ELSEWHERE: &[Code] = if cfg!(target_os = "linux") { &[] } else { &[Code::R702] };

fn cases() -> impl Iterator<Item = &'static Case> {
    [device::CASES, image::CASES, choice::CASES, bus::CASES, kept::CASES, bench::CASES]
        .into_iter()
        .flatten()
        .filter(|case| !ELSEWHERE.contains(&case.code))
}

#[test]
fn every_error_code_is_provoked_by_a_case_of_its_own() {
    let mut provoked = BTreeSet::new();
    let mut wrong = Vec::new();
    for Case { code, what, provoke } in cases() {
        let Ok(answer) = catch_unwind(provoke) else {
            wrong.push(format!("{code}, {what}: the case itself failed, see above"));
            continue;
        };
        match answer.code() {
            Some(got) if got == code.name() => drop(provoked.insert(got.to_owned())),
            _ => wrong.push(format!("{code}, {what}: the program answered\n{answer}")),
        }
        if let Some(missing) = answer.missing() {
            wrong.push(format!("{code}, {what}: no line {missing:?} in\n{answer}"));
        }
    }
    for code in Code::ALL.iter().filter(|code| !ELSEWHERE.contains(code)) {
        if !provoked.contains(code.name()) {
            wrong.push(format!("{code}: no case provokes it"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
