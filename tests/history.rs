//! What passed before costs nothing, and nothing of it that matters is hidden.

use std::fs;
use std::path::Path;
use std::process::Command;

use recover::executor::{Request, Store};
use recover::journal::{Ending, Entry, JournalError};
use recover::rescue::Verdict;

use crate::cast::cut_off;
use crate::past::{self, begun};
use crate::support::{Desk, port, scenario};

/// Set for the second process of a test: the folder of the store.
const FOLDER: &str = "RECOVER_TEST_STORE";

#[test]
fn a_unit_costs_as_many_looks_at_the_past_as_the_one_before() {
    let scenario = scenario("sl11r-zeroed");
    let mut desk = Desk::new(scenario);
    let mut looks = Vec::new();
    for _ in 0..12 {
        let before = desk.store.looks();
        let outcome = desk.rescue(&Request::default());
        assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
        looks.push(desk.store.looks() - before);
        desk.bus.unplug(&port());
        desk.bus.plug_in(port(), scenario.device(), scenario.faults());
        desk.bus.wait_for_enumeration(&port());
    }
    // The first makes the index, the second finds the first.
    assert!(looks[2..].iter().all(|count| *count == looks[2]), "{looks:?}");
    assert!(looks[2] > 0 && looks[2] < 40, "{looks:?}");
}

#[test]
fn an_unfinished_rescue_is_found_without_reading_the_finished_ones() {
    let looks = [0, 200].map(|units| {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path());
        past::rescued(&store, &port(), units);
        past::unfinished(&store, &port(), "2024-06-01T10-02-33-unit");
        let before = store.looks();
        let found = store.unfinished().unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].journal().begun().id, "2024-06-01T10-02-33-unit");
        assert_eq!(store.unfinished_at(&port()).unwrap().len(), 1);
        assert!(store.unfinished_at(&"1-9".parse().unwrap()).unwrap().is_empty());
        store.looks() - before
    });
    assert_eq!(looks[0], looks[1]);
}

#[test]
#[cfg(unix)]
fn journals_hold_no_file_open_however_many_are_unfinished() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path().join("simulator"));
    for number in 0..100 {
        past::unfinished(&store, &"1-9".parse().unwrap(), &format!("unit-{number}"));
    }
    let ran = Command::new("sh")
        .args(["-c", "ulimit -n 30; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_recover")])
        .args(["--auto", "--sim", "--home"])
        .arg(home.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && !told.contains("WARN"), "{told}");
    assert_eq!(store.unfinished().unwrap().len(), 100);
}

#[test]
fn a_lost_index_is_made_anew_from_the_journals_and_backups() {
    let (desk, first) = cut_off(scenario("sl11r-zeroed"), &Request::default());
    let seen = desk.bus.sighting(&port());
    let place = |name: &str| desk.store.folder(name).unwrap();
    for loss in ["folder", "end", "version"] {
        let index = place("index");
        match loss {
            "folder" => fs::remove_dir_all(&index).unwrap(),
            "end" => fs::remove_file(index.join("complete")).unwrap(),
            _ => fs::write(index.join("complete"), "0 0.0.0\n").unwrap(),
        }
        if loss != "folder" {
            fs::remove_dir_all(index.join("unfinished")).unwrap();
            fs::remove_dir_all(index.join("backups")).unwrap();
        }
        assert_eq!(desk.store.unfinished().unwrap().len(), 1, "{loss}");
        assert!(desk.store.last_journal_at(&port()).unwrap().is_some(), "{loss}");
        let backups = desk.store.backups_of("sl11r", &port(), None).unwrap();
        assert_eq!(backups.first().map(|record| &record.id), first.backup.as_ref(), "{loss}");
        let about = seen.as_ref().map(|seen| desk.store.journals_about(seen).unwrap().len());
        assert!(about.is_none_or(|count| count == 1), "{loss}: {about:?}");
    }
}

#[test]
fn an_index_made_anew_knows_who_was_rescued() {
    let mut desk = Desk::new(scenario("sl11r-zeroed"));
    assert_eq!(desk.rescue(&Request::default()).result, Verdict::Rescued);
    let seen = desk.bus.sighting(&port()).unwrap();
    let about = |desk: &Desk| {
        let found = desk.store.journals_about(&seen).unwrap();
        found.iter().map(|file| file.journal().result()).collect::<Vec<_>>()
    };
    assert_eq!(about(&desk), [Some(Ending::Rescued)]);
    fs::remove_dir_all(desk.store.folder("index").unwrap()).unwrap();
    assert_eq!(about(&desk), [Some(Ending::Rescued)]);
}

#[test]
fn a_run_killed_at_its_end_leaves_no_rescue_unfinished() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path());
    let mark = home.path().join(format!("index/unfinished/{}/unit", port()));
    let mut journal = past::unfinished(&store, &port(), "unit");
    assert!(mark.exists());
    // The last line is written, and nothing after it.
    journal.append(Entry::Ended { result: Ending::Failed, on_trial: None }).unwrap();
    assert!(store.unfinished().unwrap().is_empty());
    assert!(!mark.exists());
    // A journal that somebody took away.
    past::unfinished(&store, &port(), "gone");
    fs::remove_file(home.path().join("journals/gone.jsonl")).unwrap();
    assert!(store.unfinished().unwrap().is_empty());
    assert_eq!(store.unreadable_journals(None).unwrap(), []);
}

#[test]
#[cfg(unix)]
fn a_disk_that_takes_no_bytes_leaves_no_empty_journal_and_is_asked_once() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let store = Store::new(folder);
        let before = store.looks();
        let refused = store.begin_journal(begun(&port(), "unit")).unwrap_err();
        assert!(matches!(&refused, JournalError::File { .. }), "{refused}");
        assert_eq!(store.looks() - before, 1, "{refused}");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    assert!(Store::new(home.path()).unfinished().unwrap().is_empty());
    let name = "history::a_disk_that_takes_no_bytes_leaves_no_empty_journal_and_is_asked_once";
    let ran = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(FOLDER, home.path())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    let left = fs::read_dir(home.path().join("journals")).unwrap().count();
    assert_eq!(left, 0);
    assert!(!home.path().join("index/unfinished").exists());
}

#[test]
fn a_taken_name_of_a_journal_gets_a_number() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path());
    let names = [0, 1, 2].map(|_| past::unfinished(&store, &port(), "unit").name());
    assert_eq!(names, ["unit", "unit-2", "unit-3"]);
}

/// The program with a home of its own: exit code, stdout, stderr.
fn recover(home: &Path, line: &str) -> (i32, String, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_recover"))
        .args(line.split_whitespace())
        .env_clear()
        .env("RECOVER_HOME", home)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (ran.status.code().unwrap(), text(ran.stdout), text(ran.stderr))
}

#[test]
fn a_journal_that_cannot_be_read_is_told_with_its_remedy() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path().join("simulator"));
    past::unfinished(&store, &port(), "cut");
    let path = home.path().join("simulator/journals/cut.jsonl");
    let whole = fs::read(&path).unwrap();
    for bytes in [&b""[..], &whole[..whole.len() / 2], b"\xff\xfe\n"] {
        fs::write(&path, bytes).unwrap();
        let (code, _, err) = recover(home.path(), "resume --sim");
        assert_eq!(code, 1, "{err}");
        assert!(err.contains("error[R507]") && err.contains("port 3-2"), "{err}");
        assert!(err.contains(&format!("mv '{}'", path.display())), "{err}");
    }
    let (code, out, err) = recover(home.path(), "--auto --sim");
    assert!(code == 0 && out.starts_with("rescued:") && err.contains("(R507)"), "{out}{err}");
    fs::remove_file(&path).unwrap();
    let (_, _, err) = recover(home.path(), "resume --sim");
    assert!(err.contains("error[R505]"), "{err}");
}

#[test]
fn a_backup_that_cannot_be_read_is_listed_with_the_others() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::new(home.path().join("simulator"));
    past::rescued(&store, &port(), 4);
    let file = |unit: u8, ending: &str| {
        let name = format!("2024-05-04T10-02-33-unit-0000{unit}.{ending}");
        home.path().join("simulator/backups").join(name)
    };
    let record = fs::read_to_string(file(0, "toml")).unwrap();
    fs::write(file(0, "toml"), &record[..record.len() / 2]).unwrap();
    fs::remove_file(file(1, "toml")).unwrap();
    let named = record.replace("2024-05-04T10-02-33-unit-00000", "../../elsewhere");
    fs::write(file(2, "toml"), named).unwrap();
    let (code, out, err) = recover(home.path(), "restore --list --sim");
    assert_eq!((code, out.lines().count()), (1, 1), "{out}{err}");
    assert!(out.starts_with("2024-05-04T10-02-33-unit-00003 "), "{out}");
    assert_eq!(err.matches("error[R504]").count(), 3, "{err}");
    assert_eq!(err.matches("next: ").count(), 3, "{err}");
}

#[test]
fn a_damaged_unit_of_the_ledger_is_told_and_the_others_are_shown() {
    let home = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        assert_eq!(recover(home.path(), "--auto --sim sl11r-healthy").0, 0);
    }
    let ledger = home.path().join("simulator/ledger.sqlite3");
    let damage = |sql: &str| {
        rusqlite::Connection::open(&ledger).unwrap().execute_batch(sql).unwrap();
    };
    for sql in [
        "UPDATE units SET notes = 'no list' WHERE rowid = 1",
        "UPDATE units SET began = 'no date' WHERE rowid = 1",
    ] {
        damage(sql);
        for line in ["ledger list --sim", "ledger export --format json --sim"] {
            let (code, out, err) = recover(home.path(), line);
            assert_eq!((code, out.matches("sl11r-healthy").count()), (1, 0), "{out}{err}");
            assert!(out.matches("healthy").count() >= 2, "{out}");
            assert_eq!(err.matches("error[R521]").count(), 1, "{err}");
            assert!(err.contains("cannot be read"), "{err}");
        }
    }
}
