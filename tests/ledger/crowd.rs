//! One ledger, many who keep it, some of them killed while they do.

use std::fs;
use std::process::Child;
#[cfg(unix)]
use std::process::{Command, ExitStatus, Stdio};
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

/// What `ulimit -f` of a shell counts in: POSIX.1-2017, ulimit.
#[cfg(unix)]
const BLOCK: u64 = 512;
/// What a process is killed by that writes beyond the limit: POSIX.1-2017, signal.h; its number on
/// Linux, macOS and the BSDs.
#[cfg(unix)]
const SIGXFSZ: i32 = 25;

/// Runs a rescue that the kernel kills where it first writes beyond so many blocks of a file: the
/// same place each time, whatever the clock says. That write may have put a part of its bytes.
#[cfg(unix)]
fn limited(home: &Home, blocks: u64) -> ExitStatus {
    let run = home.command("--auto --sim");
    Command::new("sh")
        .arg("-c")
        .arg("ulimit -c 0 && ulimit -f \"$0\" && exec \"$@\"")
        .arg(blocks.to_string())
        .arg(run.get_program())
        .args(run.get_args())
        .env_clear()
        .envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
}

#[cfg(unix)]
fn is_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(SIGXFSZ)
}

#[test]
#[cfg(unix)]
fn a_run_killed_at_any_point_leaves_a_whole_ledger() {
    let home = Home::new();
    let path = home.ledger();
    let journal = home.file("simulator/ledger.sqlite3-journal");
    home.expect(0, "--auto --sim");
    home.expect(0, "--auto --sim");
    let mut known = whole_units(&path);
    assert_eq!(known, 2);
    let (mut killed, mut hot) = (0, 0);
    let all = fs::metadata(&path).unwrap().len() / BLOCK;
    for blocks in 1..all {
        killed += u32::from(is_killed(limited(&home, blocks)));
        hot += u32::from(fs::metadata(&journal).is_ok_and(|journal| journal.len() > 0));
        let units = whole_units(&path);
        // One that was killed before it said anything is passed over and stays; the next round
        // would take it for its own.
        drop(fs::remove_file(&journal));
        assert!(units == known || units == known + 1, "{known} units became {units}");
        known = units;
    }
    assert!(killed >= 20, "{killed} runs were killed");
    assert!(hot >= 10, "{hot} runs were killed in their transaction");
    home.expect(0, "--auto --sim sl11r-blank");
    assert_eq!(whole_units(&path), known + 1, "the ledger is not usable");
}

#[test]
#[cfg(unix)]
fn a_first_run_killed_at_any_point_leaves_a_ledger_that_can_be_used() {
    let whole = Home::new();
    whole.expect(0, "--auto --sim");
    let all = fs::metadata(whole.ledger()).unwrap().len() / BLOCK;
    let mut killed = 0;
    for blocks in (1..all).step_by(3) {
        let home = Home::new();
        killed += u32::from(is_killed(limited(&home, blocks)));
        home.run("ledger list --sim");
        home.expect(0, "--auto --sim sl11r-blank");
        let units = whole_units(&home.ledger());
        assert!((1..=2).contains(&units), "{units}");
    }
    assert!(killed >= 5, "{killed} runs were killed");
}
