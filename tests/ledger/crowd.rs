//! One ledger, many who keep it, some of them killed while they do.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::Duration;

use recover::clock::{Clock, RealClock};

use super::home::{Home, identity, keep, whole_units};

#[test]
fn several_threads_and_processes_keep_one_ledger() {
    let home = Home::new();
    let path = home.ledger();
    // The first of them makes the file, whichever it is.
    let children: Vec<Child> = (0..5).map(|_| home.spawn("--auto --sim")).collect();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| drop(keep(&path, &identity("x"), None).unwrap())));
        }
    });
    for mut child in children {
        child.wait().unwrap();
    }
    // A run that met the port's lock is kept as well.
    assert_eq!(whole_units(&path), 4 * 10 + 5);
}

/// Returns as soon as the file is there, or the program has ended.
fn wait_for(file: &Path, child: &mut Child) {
    while !file.exists() && child.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
}

#[test]
#[cfg(unix)]
fn a_run_killed_at_any_point_leaves_a_whole_ledger() {
    let home = Home::new();
    let path = home.ledger();
    let journal = home.file("simulator/ledger.sqlite3-journal");
    let clock = RealClock::new();
    home.expect(0, "--auto --sim");
    let began = clock.now();
    let mut child = home.spawn("--auto --sim");
    wait_for(&journal, &mut child);
    let writing = clock.now();
    child.wait().unwrap();
    let (whole_run, last_part) = (clock.now() - began, clock.now() - writing);
    let mut known = 2;
    let mut hot = 0;
    for round in 0..96u32 {
        let mut child = home.spawn("--auto --sim");
        if round % 3 == 0 {
            // Anywhere in the run.
            clock.sleep(whole_run * round / 96);
        } else {
            // From the first moment of writing the ledger to the end.
            wait_for(&journal, &mut child);
            clock.sleep(last_part * round / 96);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        hot += u32::from(journal.exists());
        let units = whole_units(&path);
        // One that was killed before it said anything is passed over and stays; the next round
        // would take it for its own.
        drop(fs::remove_file(&journal));
        assert!(units == known || units == known + 1, "{known} units became {units}");
        known = units;
    }
    assert!(hot > 0, "no run was killed in its transaction");
    home.expect(0, "--auto --sim sl11r-blank");
    assert_eq!(whole_units(&path), known + 1, "the ledger is not usable");
}

#[test]
#[cfg(unix)]
fn a_first_run_killed_at_any_point_leaves_a_ledger_that_can_be_used() {
    let clock = RealClock::new();
    for round in 0..16u64 {
        let home = Home::new();
        let mut child = home.spawn("--auto --sim");
        wait_for(&home.ledger(), &mut child);
        clock.sleep(Duration::from_micros(round * 150));
        child.kill().unwrap();
        child.wait().unwrap();
        home.run("ledger list --sim");
        home.expect(0, "--auto --sim sl11r-blank");
        let units = whole_units(&home.ledger());
        assert!((1..=2).contains(&units), "{units}");
    }
}
