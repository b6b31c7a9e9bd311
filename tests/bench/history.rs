//! What the past costs: looks at records, processor time, open files and memory with 0, 1,000 and
//! 10,000 units that passed; `cargo bench --bench history`.
//!
//! It ends with a line for each promise and fails where one is broken. The promises are about
//! counts: times differ from run to run.

#![expect(clippy::print_stdout, reason = "its table is its result")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may fail loudly")]

#[path = "../support/hall.rs"]
mod hall;
#[path = "../support/past.rs"]
mod past;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use hall::{Hall, once, port};
use recover::executor::Store;

/// So many units have passed.
const PASTS: [usize; 3] = [0, 1_000, 10_000];

/// Units at the bench.
const UNITS: usize = 16;

/// How often a command is run.
const RUNS: u32 = 10;

/// Set for the process that has a bench: how many units have passed.
const PAST: &str = "RECOVER_BENCH_PAST";

/// Milliseconds of processor time, of this process or of its children that have ended. The kernel
/// counts in hundredths of a second [proc(5), fields 14 to 17].
fn processor_ms(of_children: bool) -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let behind_name = stat.rsplit(')').next().unwrap();
    let fields: Vec<&str> = behind_name.split_whitespace().collect();
    let first = if of_children { 13 } else { 11 };
    fields[first..first + 2].iter().map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum()
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// A bench whose ports have seen so many units, and prints what its next 16 need.
fn bench(units: usize) {
    let names = ["sl11r-zeroed", "ez-otg-blank", "at2lp-rc42", "ezusb-blank"];
    let names: Vec<&str> = names.into_iter().cycle().take(UNITS).collect();
    let hall = Hall::with_units(&names, Duration::ZERO);
    past::rescued(&hall.store, &port(0), units);
    // The backups of the past hold no image; a run looks into them once.
    let again = |hall: &Hall| {
        hall.wait_for_enumeration();
        let (looks, before) = (hall.store.looks(), processor_ms(false));
        let ran = hall.run(once(), |_| Vec::new());
        assert_eq!(ran.tally.rescued, UNITS);
        (hall.store.looks() - looks, processor_ms(false) - before)
    };
    again(&hall);
    let mut costs = Vec::new();
    for _ in 0..3 {
        for (index, name) in names.iter().enumerate() {
            let index = u8::try_from(index).unwrap();
            hall.bus.unplug(&port(index));
            hall.plug_in_at(Duration::ZERO, index, name);
        }
        costs.push(again(&hall));
    }
    let (looks, processor) = costs[2];
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak = peak.trim().trim_end_matches(" kB");
    println!("{looks} {processor} {} {peak}", open_files());
}

/// Milliseconds of processor time of a command.
fn command_ms(home: &Path, words: &[&str]) -> u64 {
    let before = processor_ms(true);
    for _ in 0..RUNS {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recover"));
        let output = command.args(words).arg("--home").arg(home).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    (processor_ms(true) - before) / u64::from(RUNS)
}

fn kept(holds: bool, promise: &str) -> bool {
    println!("{}  {promise}", if holds { "kept  " } else { "BROKEN" });
    holds
}

fn main() -> ExitCode {
    if let Ok(units) = std::env::var(PAST) {
        bench(units.parse().unwrap());
        return ExitCode::SUCCESS;
    }
    println!(
        "{:>10} {:>10} {:>10} {:>12} {:>14} {:>12} {:>12}",
        "past", "list ms", "auto ms", "looks/unit", "bench ms/unit", "open files", "peak kB"
    );
    let mut rows = Vec::new();
    for units in PASTS {
        let home = tempfile::tempdir_in("/dev/shm").unwrap();
        past::rescued(&Store::new(home.path().join("simulator")), &"3-2".parse().unwrap(), units);
        let list = command_ms(home.path(), &["list", "--sim"]);
        command_ms(home.path(), &["--auto", "--sim"]);
        let auto = command_ms(home.path(), &["--auto", "--sim"]);
        let own = std::env::current_exe().unwrap();
        let output = Command::new(own).env(PAST, units.to_string()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let numbers: Vec<u64> =
            said.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let (looks, processor) = (numbers[0] / UNITS as u64, numbers[1] / UNITS as u64);
        println!(
            "{units:>10} {list:>10} {auto:>10} {looks:>12} {processor:>14} {:>12} {:>12}",
            numbers[2], numbers[3]
        );
        rows.push((numbers[0], numbers[2]));
    }
    println!();
    let promises = [
        kept(
            rows.iter().all(|(looks, _)| *looks == rows[0].0),
            "a unit costs as many looks at the past, however many have passed",
        ),
        kept(rows.iter().all(|(_, files)| *files == rows[0].1), "the past holds no file open"),
    ];
    if promises.iter().all(|kept| *kept) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
