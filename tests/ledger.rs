//! The ledger and the page about a unit, as they are used: through the program, by several at
//! once, killed in the middle, with files of another version, with devices that lie about
//! themselves.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly, in its helpers too")]

#[path = "ledger/crowd.rs"]
mod crowd;
#[path = "ledger/home.rs"]
mod home;
#[path = "ledger/pages.rs"]
mod pages;

use std::fs;
use std::path::Path;

use recover::ledger::{Ledger, LedgerError, Query, Unit};
use rusqlite::Connection;
use serde_json::Value;

use self::home::{HOSTILE, Home, identity, keep, whole_units};

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("ledger");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d", "[DATE]");
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[TIME]");
    settings.add_filter(r"\b[0-9a-f]{64}\b", "[SHA-256]");
    settings.add_filter(r"\d+\.\d+ s\b", "[TIME]");
    settings.add_filter(r"\d+ transfers", "[N] transfers");
    settings
}

#[test]
fn runs_that_work_on_a_device_are_kept_and_those_that_look_are_not() {
    let home = Home::new();
    for line in ["plan --sim", "diagnose --sim", "backup --sim", "--auto --dry-run --sim"] {
        home.expect(0, line);
    }
    assert!(!home.ledger().exists(), "looking was kept");
    home.expect(0, "--auto --sim sl11r-blank --sim-state @state");
    let backup = home.objects("restore --list --sim --json").last().unwrap()["id"].clone();
    home.expect(
        0,
        &format!(
            "restore {} --sim sl11r-blank --sim-state @state --port 3-2 --replace-running-firmware",
            backup.as_str().unwrap()
        ),
    );
    home.expect(0, "--auto --sim sl11r-healthy");
    home.expect(1, "--auto --sim sl11r-write-protected");
    home.expect(1, "--auto --sim unlisted-id");
    let units = home.objects("ledger list --sim --json");
    // A virtual device that was plugged in again is ahead of its time: the order says nothing.
    let mut told: Vec<_> =
        units.iter().map(|unit| (unit["work"].as_str(), unit["result"].as_str())).collect();
    told.sort_unstable();
    let expected = [
        ("rescue", "failed"),
        ("rescue", "healthy"),
        ("rescue", "rescued"),
        ("restore", "restored"),
    ];
    assert_eq!(told, expected.map(|(work, result)| (Some(work), Some(result))));
    assert_eq!(whole_units(&home.ledger()), 4);
    let (out, _) = home.expect(1, "ledger list");
    assert_eq!(out, "", "practice is among the real units");
}

#[test]
fn a_rescue_is_kept_with_all_that_a_report_needs() {
    let home = Home::new();
    let events = home.objects("--auto --sim --json");
    let of = |name: &str| events.iter().find(|event| event["event"] == name).unwrap();
    let outcome = of("outcome");
    let unit = &home.objects("ledger list --sim --json")[0];
    assert_eq!(unit["identity_before"], of("sighted")["identity"]);
    assert_eq!(unit["identity_expected"], outcome["identity"]["expected"]);
    assert_eq!(unit["identity_after"], outcome["identity"]["seen"]);
    assert_eq!(unit["image_sha256"], of("chosen")["sha256"]);
    assert_eq!(unit["condition"], of("diagnosed")["state"]);
    assert_eq!(unit["unproven"], of("planned")["unproven"]);
    for key in [
        "port",
        "backup",
        "device_state",
        "transfers",
        "write_cycles",
        "device_time_ms",
        "memory_time_ms",
        "limit_ms",
        "notes",
    ] {
        assert_eq!(unit[key], outcome[key], "{key}");
    }
    let steps = unit["steps"].as_array().unwrap();
    let planned = of("planned")["steps"].as_array().unwrap();
    assert_eq!(steps.len(), planned.len());
    let mut last = 0.0;
    for (taken, planned) in steps.iter().zip(planned) {
        assert_eq!((&taken["title"], &taken["risk"]), (&planned["title"], &planned["risk"]));
        let (began, took) =
            (taken["began_ms"].as_f64().unwrap(), taken["took_ms"].as_f64().unwrap());
        // Milliseconds as floating point: their sum is rounded.
        assert!(began >= last - 1e-6 && took >= 0.0, "{taken}");
        last = began + took;
    }
    assert!(last <= unit["device_time_ms"].as_f64().unwrap());
}

#[test]
fn an_interrupted_rescue_shows_which_step_was_not_finished() {
    let home = Home::new();
    home.expect(3, "--auto --sim sl11r-half-written --sim-state @state --fault unplug@100");
    let unit = &home.objects("ledger list --sim --json")[0];
    assert_eq!((&unit["error"], &unit["device_state"]), (&"R110".into(), &"part-written".into()));
    let times: Vec<_> = unit["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["began_ms"].is_null(), step["took_ms"].is_null()))
        .collect();
    assert_eq!(times.first(), Some(&(false, false)), "taken");
    assert_eq!(times.get(1), Some(&(false, true)), "unfinished");
    assert_eq!(times.last(), Some(&(true, true)), "not begun");
}

#[test]
fn units_are_found_by_serial_by_day_and_by_the_beginning_of_their_id() {
    let home = Home::new();
    home.expect(0, "--auto --sim at2lp-disk --profile simulated-at2lp");
    home.expect(0, "--auto --sim");
    let count = |line: &str| home.objects(&format!("ledger list --sim --json {line}")).len();
    assert_eq!(count(""), 2);
    assert_eq!(count("--serial c0ffee"), 1, "letters of either case");
    assert_eq!(count("--since 2020-01-01"), 2);
    assert_eq!(count("--since 2020-01-01T12:00:00Z --serial C0FFEE"), 1);
    home.expect(1, "ledger list --sim --since 2999-01-01");
    home.expect(1, "ledger list --sim --serial %");
    home.expect(2, "ledger list --sim --since yesterday");
    let id = home.objects("ledger list --sim --json --serial C0FFEE")[0]["id"].clone();
    let id = id.as_str().unwrap();
    for part in [id, &id[..id.len() - 1]] {
        assert!(home.expect(0, &format!("ledger show {part} --sim")).0.starts_with(id));
    }
    let (_, err) = home.expect(4, "ledger show 2 --sim");
    assert!(err.contains("error[R524]") && err.contains(id), "{err}");
}

#[test]
fn an_id_that_is_the_beginning_of_another_is_still_meant() {
    let home = Home::new();
    let path = home.ledger();
    let ids: Vec<_> = (0..3).map(|_| keep(&path, &identity("x"), None).unwrap()).collect();
    assert_eq!(
        ids,
        ["2026-11-22T10-02-33-unit", "2026-11-22T10-02-33-unit-2", "2026-11-22T10-02-33-unit-3"]
    );
    assert_eq!(Ledger::new(&path).find(&ids[0]).unwrap().len(), 1);
    assert_eq!(Ledger::new(&path).find("2026-11-22T10-02-33-unit-").unwrap().len(), 2);
}

#[test]
fn errors_and_whole_outputs_of_the_ledger_are_as_shown() {
    let home = Home::new();
    home.expect(0, "--auto --sim");
    let empty = Home::new();
    let broken = Home::new();
    fs::write(
        broken.file("ledger.sqlite3"),
        "not a database, but long enough to be one".repeat(40),
    )
    .unwrap();
    for (name, home, line) in [
        ("list", &home, "ledger list --sim"),
        ("show", &home, "ledger show 2 --sim"),
        ("unknown-unit", &home, "ledger show no-such --sim"),
        ("none-fits", &home, "ledger list --sim --serial no-such"),
        ("empty", &empty, "ledger list"),
        ("empty-simulator", &empty, "ledger export --format csv --sim"),
        ("empty-report", &empty, "report 2026 --html @x.html"),
        ("broken", &broken, "ledger list"),
    ] {
        settings().bind(|| insta::assert_snapshot!(name, home.told(line)));
    }
}

#[test]
fn a_file_of_version_1_is_migrated_and_keeps_what_it_has() {
    let home = Home::new();
    let path = home.file("ledger.sqlite3");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(include_str!("ledger/version-1.sql")).unwrap();
    drop(connection);
    let units = Ledger::new(&path).units(&Query::default()).unwrap();
    let [unit] = units.as_slice() else { panic!("{units:?}") };
    assert_eq!(unit.id, "2026-11-20T09-15-02-sl11r");
    assert_eq!(unit.serials(), ["QT0042"]);
    assert_eq!(unit.steps.len(), 2);
    assert_eq!((&unit.port_label, unit.unproven.len()), (&None, 0));
    assert_eq!(unit.notes, ["its power was taken away by hand"]);
    let version: i64 = Connection::open(&path)
        .unwrap()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 2);
    keep(&path, &identity("new"), Some("A3")).unwrap();
    assert_eq!(whole_units(&path), 2);
    let (out, _) = home.expect(0, "ledger list --serial qt00");
    assert!(out.starts_with("2026-11-20T09-15-02-sl11r  rescued"), "{out}");
}

#[test]
fn a_file_of_a_newer_version_or_of_another_program_is_left_alone() {
    let home = Home::new();
    let path = home.ledger();
    keep(&path, &identity("x"), None).unwrap();
    let set = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    set("PRAGMA user_version = 99");
    let before = fs::read(&path).unwrap();
    let (_, err) = home.expect(1, "ledger list --sim");
    assert!(err.contains("error[R522]") && err.contains("version 99"), "{err}");
    let (out, err) = home.expect(0, "--auto --sim");
    assert!(
        out.starts_with("rescued:") && err.contains("could not be added to the ledger"),
        "{err}"
    );
    assert!(fs::read(&path).unwrap() == before, "it was changed");
    set("PRAGMA user_version = -1");
    assert!(matches!(Ledger::new(&path).find("2"), Err(LedgerError::Newer { .. })));

    fs::remove_file(&path).unwrap();
    set("CREATE TABLE theirs (x)");
    let (_, err) = home.expect(1, "ledger list --sim");
    assert!(err.contains("error[R521]") && err.contains("another program"), "{err}");
}

#[test]
fn a_ledger_that_cannot_be_written_fails_no_rescue() {
    let in_the_way: [fn(&Path); 2] = [
        |path| fs::create_dir_all(path).unwrap(),
        |path| fs::write(path, vec![b'x'; 5000]).unwrap(),
    ];
    for put in in_the_way {
        let home = Home::new();
        fs::create_dir_all(home.file("simulator")).unwrap();
        put(&home.ledger());
        let (out, err) = home.expect(0, "--auto --sim");
        assert!(out.starts_with("rescued:"), "{out}");
        assert!(!out.contains("ledger:"), "{out}");
        assert!(err.contains("could not be added to the ledger"), "{err}");
        let events = home.objects("--auto --sim sl11r-blank --json");
        assert_eq!(events.last().unwrap()["result"], "rescued");
    }
}

#[test]
fn what_a_device_calls_itself_is_only_ever_text() {
    let home = Home::new();
    let id = keep(&home.file("ledger.sqlite3"), &identity(HOSTILE), Some("<b>3</b>")).unwrap();
    for line in ["ledger list".to_owned(), format!("ledger show {id}")] {
        let (out, _) = home.expect(0, &line);
        assert!(!out.contains('\u{1b}') && !out.contains('\r') && !out.contains('\u{202e}'));
        assert!(out.contains(r"\u{1b}"), "{out}");
    }
    assert_eq!(home.expect(0, "ledger list").0.lines().count(), 1);
    let unit = &home.objects(&format!("ledger show {id} --json"))[0];
    assert_eq!(unit["identity_before"]["serial"], HOSTILE, "kept as it came");

    let (out, _) = home.expect(0, "ledger export --format csv");
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!((rows.len(), out.lines().count()), (1, 2));
    for cell in &rows[0] {
        assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
        assert!(!cell.chars().any(char::is_control), "{cell}");
    }
    assert!(rows[0].iter().any(|cell| cell.starts_with("'=cmd")));

    home.expect(0, &format!("report {id} --html @page.html"));
    let page = fs::read_to_string(home.file("page.html")).unwrap();
    assert!(!page.contains("<script") && !page.contains("<b>3") && !page.contains('\u{1b}'));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
}

#[test]
fn a_text_longer_than_any_that_means_something_is_cut() {
    let home = Home::new();
    let path = home.file("ledger.sqlite3");
    keep(&path, &identity(&"A".repeat(1 << 20)), None).unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 100_000);
    assert!(home.expect(0, "ledger list").0.len() < 3000);
}

#[test]
fn the_table_is_exported_as_csv_and_json_and_overwrites_nothing() {
    let home = Home::new();
    home.expect(0, "--auto --sim");
    home.expect(1, "--auto --sim sl11r-write-protected");
    let (out, _) = home.expect(0, "ledger export --format csv --sim");
    let mut reader = csv::Reader::from_reader(out.as_bytes());
    let heading = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let cell = |row: usize, name: &str| {
        let column = heading.iter().position(|column| column == name).unwrap();
        rows[row][column].to_owned()
    };
    assert_eq!((cell(0, "result"), cell(1, "result")), ("rescued".into(), "failed".into()));
    assert_eq!((cell(0, "error"), cell(1, "error")), (String::new(), "R106".into()));
    assert_eq!(cell(0, "ids_after"), "04ce:0002");
    home.expect(0, "ledger export --format csv --sim --output @units.csv");
    assert_eq!(fs::read_to_string(home.file("units.csv")).unwrap(), out);
    let (_, err) = home.expect(1, "ledger export --format csv --sim --output @units.csv");
    assert!(err.contains("error[R506]"), "{err}");
    let (json, _) = home.expect(0, "ledger export --format json --sim");
    let units: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(units.as_array().unwrap().len(), 2);
    assert_eq!(units[0], home.objects("ledger list --sim --json")[0]);
}

#[test]
fn a_unit_that_comes_back_from_the_ledger_is_the_one_that_went_in() {
    let home = Home::new();
    let path = home.file("ledger.sqlite3");
    keep(&path, &identity(HOSTILE), Some("A3")).unwrap();
    let mut unit: Unit = Ledger::new(&path).find("2026").unwrap().remove(0);
    unit.unproven = vec!["one".to_owned(), "two; \"three\"".to_owned()];
    unit.transfers = u64::from(u32::MAX) + 7;
    unit.size_proven = Some(true);
    let id = Ledger::new(&path).add(&unit).unwrap();
    unit.id.clone_from(&id);
    assert_eq!(Ledger::new(&path).find(&id).unwrap(), [unit]);
}
