//! Many units at one bench: how long all of them take together against each alone, and what 64
//! of them need of memory. Times are virtual, so two runs print the same but for the memory;
//! `cargo bench --bench many`.
//!
//! It ends with a line for each promise and fails where one is broken.

#![expect(clippy::print_stdout, reason = "its table is its result")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may fail loudly")]

#[path = "../support/hall.rs"]
mod hall;

use std::process::{Command, ExitCode};
use std::time::Duration;

use hall::{Hall, auto, once, port, quit_after};
use recover::bench::BenchEvent;
use recover::bench::NoticeContent;
use recover::failure::Code;
use recover::rescue::Verdict;

/// What is plugged in, and what should become of it: an error, or a rescue, or nothing.
const UNITS: [(&str, Expected); 16] = [
    ("sl11r-zeroed", Expected::Rescued),
    ("at2lp-rc42", Expected::Rescued),
    ("ezusb-blank", Expected::Rescued),
    ("sl11r-write-protected", Expected::Fails(Code::R106)),
    ("ez-otg-blank", Expected::Rescued),
    ("sl11r-blank", Expected::Rescued),
    ("at2lp-disk", Expected::Rescued),
    ("ezusb-dead-eeprom", Expected::Fails(Code::R103)),
    ("ezusb-zeroed", Expected::Rescued),
    ("sl11r-healthy", Expected::Untouched),
    ("ez-host-blank", Expected::Rescued),
    ("at2lp-atapi", Expected::Rescued),
    ("sl11r-stuck-byte", Expected::Fails(Code::R108)),
    ("ezusb-fram", Expected::Rescued),
    ("sl11r-half-written", Expected::Rescued),
    ("ez-otg-small", Expected::Rescued),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Rescued,
    Untouched,
    Fails(Code),
}

/// From one unit being plugged in to the next.
const APART: Duration = Duration::from_millis(400);

/// All together may take so many times the slowest, and each so many times what it takes alone.
const MAX_TIMES: f64 = 1.25;

/// What 64 units may need.
const MAX_BYTES: u64 = 100_000_000;

/// Set for the process that rescues 64 units.
const MANY: &str = "RECOVER_BENCH_64";

/// Milliseconds from plugging a unit in to the end of its run, alone at the bench.
fn alone(name: &str) -> u64 {
    let hall = Hall::with_units(&[name], Duration::ZERO);
    let ran = hall.run(auto(), quit_after(1));
    ran.outcomes()[&port(0)].0
}

/// Rescues 64 units at once, and prints the most memory that this process has had.
fn rescue_64() {
    let names: Vec<&str> = UNITS
        .iter()
        .filter(|(_, expected)| *expected == Expected::Rescued)
        .map(|(name, _)| *name)
        .cycle()
        .take(64)
        .collect();
    let hall = Hall::with_units(&names, Duration::ZERO);
    hall.wait_for_enumeration();
    let ran = hall.run(once(), |_| Vec::new());
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    println!("{} {}", ran.tally.rescued, peak.trim());
}

fn kept(holds: bool, promise: &str) -> bool {
    println!("{}  {promise}", if holds { "kept  " } else { "BROKEN" });
    holds
}

fn main() -> ExitCode {
    if std::env::var_os(MANY).is_some() {
        rescue_64();
        return ExitCode::SUCCESS;
    }
    let names: Vec<&str> = UNITS.iter().map(|(name, _)| *name).collect();
    let hall = Hall::with_units(&names, APART);
    let ran = hall.run(auto(), quit_after(15));
    let outcomes = ran.outcomes();
    println!(
        "{:<8} {:<22} {:>11} {:>10} {:>10} {:>7}  result",
        "port", "unit", "plugged ms", "took ms", "alone ms", "times"
    );
    let (mut worst, mut slowest, mut end, mut as_expected) = (0.0_f64, 0, 0, 0);
    for (index, (name, expected)) in UNITS.iter().enumerate() {
        let at = port(u8::try_from(index).unwrap());
        let path = at.to_string();
        let plugged = u64::try_from(APART.as_millis()).unwrap() * index as u64;
        let Some((end_ms, outcome)) = outcomes.get(&at) else {
            let left_alone = ran.notices.iter().any(|notice| {
                notice.port.as_ref() == Some(&at)
                    && matches!(
                        notice.what,
                        NoticeContent::Bench(BenchEvent::LeftAlone { healthy: true, .. })
                    )
            });
            let cycles = hall.bus.eeprom(&at).map_or(0, |state| state.wear.cycles);
            let untouched = left_alone && cycles == 0 && hall.bus.transfers(&at) == 0;
            as_expected += usize::from(*expected == Expected::Untouched && untouched);
            println!("{path:<8} {name:<22} {plugged:>11} {:>29}  healthy, untouched", "");
            continue;
        };
        let code = outcome.failure.as_ref().map(|failure| failure.code);
        as_expected += usize::from(match expected {
            Expected::Rescued => outcome.result == Verdict::Rescued,
            Expected::Fails(expected) => code == Some(*expected),
            Expected::Untouched => false,
        });
        let (took, alone) = (end_ms - plugged, alone(name));
        let times = took as f64 / alone as f64;
        worst = worst.max(times);
        slowest = slowest.max(took);
        end = end.max(*end_ms);
        let result = code.map_or("rescued".to_owned(), |code| code.to_string());
        println!(
            "{path:<8} {name:<22} {plugged:>11} {took:>10} {alone:>10} {times:>7.2}  {result}"
        );
    }
    println!();

    // The same plugged in already: nothing but the units themselves takes time.
    let hall = Hall::with_units(&names, Duration::ZERO);
    hall.wait_for_enumeration();
    let at_once = hall.run(once(), |_| Vec::new());
    let total = at_once.notices.last().unwrap().at_ms;
    let longest = at_once.outcomes().values().map(|(_, o)| o.device_time_ms).fold(0.0, f64::max);
    println!(
        "plugged in over time: from the first plug to the last end {end} ms, the slowest unit {slowest} ms"
    );
    println!(
        "plugged in at once: all {total} ms, the slowest unit {longest:.0} ms, {:.2} times",
        total as f64 / longest
    );

    let output = Command::new(std::env::current_exe().unwrap()).env(MANY, "1").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let (rescued, peak) = said.trim().split_once(' ').unwrap_or(("0", "0 kB"));
    let kilobytes: u64 = peak.trim_end_matches(" kB").trim().parse().unwrap_or(u64::MAX / 2000);
    println!(
        "64 units at once: {rescued} rescued, peak memory {:.1} MB",
        kilobytes as f64 / 1000.0
    );
    println!();

    let promises = [
        kept(
            as_expected == 16,
            &format!(
                "12 rescued, 3 with their own error, the healthy one untouched: {as_expected} of 16 as expected"
            ),
        ),
        kept(
            worst <= MAX_TIMES,
            &format!(
                "each takes at most {MAX_TIMES} times what it takes alone, from its plugging in: {worst:.2}"
            ),
        ),
        kept(
            total as f64 <= MAX_TIMES * longest,
            &format!(
                "all at once take at most {MAX_TIMES} times the slowest: {:.2}",
                total as f64 / longest
            ),
        ),
        kept(
            rescued == "64" && kilobytes * 1024 < MAX_BYTES,
            &format!(
                "64 units are rescued in less than 100 MB: {rescued}, {:.1} MB",
                kilobytes as f64 * 1.024 / 1000.0
            ),
        ),
    ];
    if promises.iter().all(|kept| *kept) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
