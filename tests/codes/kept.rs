//! R5xx: what is kept on this computer. None of it is made unwritable by permissions, which root
//! does not heed.

use std::fs;

use recover::clock::Clock;
use recover::executor::{Event, Request, Store};
use recover::failure::Code;
use recover::usb::Bus;
use rusqlite::Connection;

use crate::cast::{Cast, Watching, cut_off, other_image, with_image};
use crate::codes::case::{Answer, Case};
use crate::codes::program::{Program, answer};
use crate::support::{Desk, scenario};

pub const CASES: &[Case] = &[
    Case { code: Code::R501, what: "a file for a folder of backups", provoke: no_backup_folder },
    Case { code: Code::R501, what: "the folder of backups goes", provoke: a_lost_backup_folder },
    Case { code: Code::R502, what: "every name of a journal is taken", provoke: no_journal_name },
    Case {
        code: Code::R503,
        what: "there is no such backup",
        provoke: || answer("restore no-such --sim"),
    },
    Case { code: Code::R504, what: "a backup turned round", provoke: a_damaged_backup },
    Case { code: Code::R504, what: "a backup without its bytes", provoke: a_lost_backup },
    Case { code: Code::R505, what: "no journal", provoke: || answer("resume --sim") },
    Case { code: Code::R506, what: "a file for a home", provoke: no_home },
    Case { code: Code::R506, what: "another image than was kept", provoke: a_damaged_image },
    Case { code: Code::R507, what: "an unfinished journal cut short", provoke: a_cut_journal },
    Case { code: Code::R507, what: "a folder for a journal", provoke: a_folder_for_a_journal },
    Case { code: Code::R521, what: "a damaged unit", provoke: a_damaged_unit },
    Case { code: Code::R521, what: "a text for a ledger", provoke: a_text_for_a_ledger },
    Case { code: Code::R521, what: "a database of others", provoke: a_database_of_others },
    Case { code: Code::R522, what: "a newer ledger", provoke: a_newer_ledger },
    Case { code: Code::R523, what: "an empty ledger", provoke: || answer("ledger list --sim") },
    Case { code: Code::R524, what: "two ids of one beginning", provoke: two_units },
];

const LEDGER: &str = "home/simulator/ledger.sqlite3";

fn no_backup_folder() -> Answer {
    let program = Program::new();
    program.write("home/backups", "a file");
    let mut desk = Desk::new(scenario("sl11r-zeroed"));
    desk.store = Store::new(program.file("home"));
    desk.run(|session| session.backup(&Request::default())).into()
}

/// A rescue that is kept from what it needs once its image is chosen, and has to leave the part
/// as it is.
fn kept_from(spoil: impl Fn(&Store, &dyn Clock) + 'static, at: fn(&Event) -> bool) -> Answer {
    let desk = Desk::new(scenario("sl11r-zeroed"));
    let (store, clock) = (desk.store.clone(), Bus::clock(&desk.bus));
    let observer = Box::new(Watching(move |event: &Event| {
        if at(event) {
            spoil(&store, &*clock);
        }
    }));
    let outcome = Cast { observer, ..Cast::usual(&desk) }.rescue(&desk, &Request::default());
    assert_eq!(desk.write_cycles(), 0, "it was written all the same");
    outcome.into()
}

fn a_lost_backup_folder() -> Answer {
    let spoil = |store: &Store, _: &dyn Clock| {
        let folder = store.folder("backups").unwrap();
        fs::remove_dir(&folder).unwrap();
        fs::write(folder, "a file").unwrap();
    };
    kept_from(spoil, |event| matches!(event, Event::Preflight { .. }))
}

fn no_journal_name() -> Answer {
    let spoil = |store: &Store, clock: &dyn Clock| {
        let folder = store.folder("journals").unwrap();
        let name = Store::name(clock.date(), "sl11r");
        fs::write(folder.join(format!("{name}.jsonl")), "").unwrap();
        for number in 2..1000 {
            fs::write(folder.join(format!("{name}-{number}.jsonl")), "").unwrap();
        }
    };
    kept_from(spoil, |event| matches!(event, Event::Planned { .. }))
}

/// A desk with a backup, and the backup's name.
fn saved() -> (Desk, String) {
    let mut desk = Desk::new(scenario("sl11r-half-written"));
    let id = desk.run(|session| session.backup(&Request::default())).backup.unwrap();
    (desk, id)
}

fn a_damaged_backup() -> Answer {
    let (desk, id) = saved();
    let path = desk.store.folder("backups").unwrap().join(format!("{id}.bin"));
    let mut bytes = fs::read(&path).unwrap();
    bytes.reverse();
    fs::write(path, bytes).unwrap();
    desk.store.load_backup(&id).into()
}

fn a_lost_backup() -> Answer {
    let (desk, id) = saved();
    fs::remove_file(desk.store.folder("backups").unwrap().join(format!("{id}.bin"))).unwrap();
    desk.store.load_backup(&id).into()
}

fn no_home() -> Answer {
    let program = Program::new();
    program.write("home", "a file");
    program.run("--auto --sim")
}

fn a_damaged_image() -> Answer {
    let scenario = scenario("sl11r-zeroed");
    let (mut desk, _) = cut_off(scenario, &with_image(&other_image()));
    for kept in fs::read_dir(desk.store.folder("images").unwrap()).unwrap() {
        fs::write(kept.unwrap().path(), scenario.factory_image()).unwrap();
    }
    desk.rescue(&Request::default()).into()
}

/// A program whose home has the journal of an unfinished rescue, and that journal's file.
fn unfinished() -> (Program, std::path::PathBuf) {
    let program = Program::new();
    let (desk, _) = cut_off(scenario("sl11r-zeroed"), &Request::default());
    let file = fs::read_dir(desk.store.folder("journals").unwrap()).unwrap().next().unwrap();
    let bytes = fs::read(file.unwrap().path()).unwrap();
    let path = program.write("home/simulator/journals/one.jsonl", bytes);
    (program, path)
}

fn a_cut_journal() -> Answer {
    let (program, path) = unfinished();
    program.run("plan --sim");
    fs::write(path, "{\"entry\":\"beg").unwrap();
    program.run("resume --sim")
}

fn a_folder_for_a_journal() -> Answer {
    let (program, path) = unfinished();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    program.run("resume --sim")
}

fn a_damaged_unit() -> Answer {
    ledger_after("UPDATE units SET notes = 'no list'")
}

fn a_text_for_a_ledger() -> Answer {
    let program = Program::new();
    program.write(LEDGER, "no database at all\n".repeat(100));
    program.run("ledger list --sim")
}

/// A ledger made by the program, after this was done to it.
fn ledger_after(sql: &str) -> Answer {
    let program = Program::new();
    program.run("--auto --sim sl11r-healthy");
    Connection::open(program.file(LEDGER)).unwrap().execute_batch(sql).unwrap();
    program.run("ledger list --sim")
}

fn a_newer_ledger() -> Answer {
    ledger_after("PRAGMA user_version = 99")
}

fn a_database_of_others() -> Answer {
    let program = Program::new();
    let path = program.write(LEDGER, "");
    Connection::open(path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    program.run("ledger list --sim")
}

/// The ids of units begin with the year.
fn two_units() -> Answer {
    let program = Program::new();
    program.run("--auto --sim sl11r-healthy");
    program.run("--auto --sim sl11r-healthy");
    program.run("ledger show 2 --sim")
}
