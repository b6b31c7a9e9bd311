//! One ledger, many who keep it, some of them killed while they do.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;

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

/// Starts a rescue and kills it when it has told so many events; whether it told them all.
#[cfg(unix)]
fn killed_after(home: &Home, events: usize) -> bool {
    let mut child = home.command("--auto --sim --json").stdout(Stdio::piped()).spawn().unwrap();
    let told = BufReader::new(child.stdout.take().unwrap()).lines().take(events).count();
    child.kill().unwrap();
    child.wait().unwrap();
    told == events
}

/// Where a run is killed is told by what it has said and written, not by a clock.
#[test]
#[cfg(unix)]
fn a_run_killed_at_any_point_leaves_a_whole_ledger() {
    let home = Home::new();
    let path = home.ledger();
    let journal = home.file("simulator/ledger.sqlite3-journal");
    home.expect(0, "--auto --sim");
    let mut known = whole_units(&path);
    let mut seen = |home: &Home| {
        let units = whole_units(&path);
        // One that was killed before it said anything is passed over and stays; the next round
        // would take it for its own.
        drop(fs::remove_file(home.file("simulator/ledger.sqlite3-journal")));
        assert!(units == known || units == known + 1, "{known} units became {units}");
        known = units;
    };
    let mut events = 1;
    while killed_after(&home, events) {
        seen(&home);
        events += 5;
        assert!(events < 1000, "a rescue tells no end of events");
    }
    seen(&home);
    assert!(events > 10, "only {events} events were told");
    // From the first moment of writing the ledger on, a little later each time.
    let mut hot = 0;
    for round in 0..64 {
        let mut child = home.spawn("--auto --sim");
        wait_for(&journal, &mut child);
        (0..round * 64).for_each(|_| std::hint::spin_loop());
        child.kill().unwrap();
        child.wait().unwrap();
        hot += u32::from(journal.exists());
        seen(&home);
    }
    assert!(hot > 0, "no run was killed in its transaction");
    home.expect(0, "--auto --sim sl11r-blank");
    assert_eq!(whole_units(&path), known + 1, "the ledger is not usable");
}

#[test]
#[cfg(unix)]
fn a_first_run_killed_at_any_point_leaves_a_ledger_that_can_be_used() {
    for events in 0..24 {
        let home = Home::new();
        killed_after(&home, events);
        home.run("ledger list --sim");
        home.expect(0, "--auto --sim sl11r-blank");
        let units = whole_units(&home.ledger());
        assert!((1..=2).contains(&units), "{units}");
    }
    for round in 0..16 {
        let home = Home::new();
        let mut child = home.spawn("--auto --sim");
        wait_for(&home.ledger(), &mut child);
        (0..round * 64).for_each(|_| std::hint::spin_loop());
        child.kill().unwrap();
        child.wait().unwrap();
        home.run("ledger list --sim");
        home.expect(0, "--auto --sim sl11r-blank");
        let units = whole_units(&home.ledger());
        assert!((1..=2).contains(&units), "{units}");
    }
}
