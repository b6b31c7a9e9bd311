//! `recover ledger`.

use std::path::Path;

use super::args::CommonArgs;
use super::ledger_args::{LedgerCommand, QueryArgs, TableFormat};
use super::{commands, store, write_new};
use crate::failure::{Code, Failure};
use crate::ledger::{DamagedRow, Ledger, Query, Unit, table};
use crate::ui;
use crate::wording::counted;

/// Most ids that are offered where more than one unit could be meant.
const MAX_OFFERED: usize = 8;

/// Runs one of the ledger commands.
pub fn run(common: &CommonArgs, command: &LedgerCommand) -> Result<u8, Failure> {
    match command {
        LedgerCommand::List { query } => {
            let (units, damaged) = units(common, query)?;
            for unit in units {
                if common.json {
                    ui::print(&serde_json::to_string(&unit).unwrap_or_default());
                } else {
                    ui::print(&ui::unit_line(&unit));
                }
            }
            all_read(common, &damaged)?;
        }
        LedgerCommand::Show { id } => {
            let store = commands::given(common, "").store;
            let unit = unit(common, id, |id| format!("recover ledger show {id}{store}"))?;
            if common.json {
                ui::print(&serde_json::to_string(&unit).unwrap_or_default());
            } else {
                ui::print(&ui::unit_text(&unit));
            }
        }
        LedgerCommand::Export { format, output, query } => {
            let (units, damaged) = units(common, query)?;
            export(&units, *format, output.as_deref())?;
            all_read(common, &damaged)?;
        }
    }
    Ok(0)
}

fn export(units: &[Unit], format: TableFormat, output: Option<&Path>) -> Result<(), Failure> {
    let bytes = match format {
        TableFormat::Csv => table::csv(units).map_err(|error| error.to_string()),
        TableFormat::Json => {
            let text = table::json(units).map(|text| format!("{text}\n").into_bytes());
            text.map_err(|error| error.to_string())
        }
    };
    let bytes = bytes.map_err(|why| Failure::new(Code::R521, why, "the table"))?;
    match output {
        Some(path) => {
            write_new(path, &bytes, "name another file with --output")?;
            ui::announce(&format!("{}: {}", path.display(), counted(units.len(), "unit")));
            Ok(())
        }
        None => {
            ui::print_exactly(&bytes);
            Ok(())
        }
    }
}

/// R521 with every row that is left out, where there are any.
fn all_read(common: &CommonArgs, damaged: &[DamagedRow]) -> Result<(), Failure> {
    let [first, others @ ..] = damaged else { return Ok(()) };
    let place = store(common)?.ledger().display().to_string();
    let failure = Failure::new(Code::R521, first.to_string(), place.clone());
    let failure = others
        .iter()
        .take(MAX_OFFERED)
        .fold(failure, |failure, row| failure.next(format!("also damaged: {row}")));
    Err(failure
        .next("the other units are whole; `recover ledger export` saves them")
        .next(format!("then move the damaged file away: mv '{place}' .")))
}

/// The units that fit, and the rows that cannot be read; nothing is a failure of its own.
fn units(common: &CommonArgs, query: &QueryArgs) -> Result<(Vec<Unit>, Vec<DamagedRow>), Failure> {
    let ledger = Ledger::new(store(common)?.ledger());
    let query = Query { serial: query.serial.clone(), since: query.since };
    let found = ledger.all_units(&query).map_err(|error| error.failure())?;
    if !found.0.is_empty() || !found.1.is_empty() {
        return Ok(found);
    }
    let all = ledger.units(&Query::default()).map_err(|error| error.failure())?.len();
    let place = ledger.path().display().to_string();
    if all == 0 {
        return Err(empty(common, place));
    }
    Err(Failure::new(
        Code::R523,
        match all {
            1 => "its only unit does not match".to_owned(),
            all => format!("none of its {all} units matches"),
        },
        place,
    )
    .next("leave out --serial or --since, or give a shorter part of the serial number")
    .next("`recover ledger list` lists all of them"))
}

/// The one unit that is meant by an id or its beginning. `line` is the command that asks, for a
/// whole id.
pub fn unit(common: &CommonArgs, id: &str, line: impl Fn(&str) -> String) -> Result<Unit, Failure> {
    let ledger = Ledger::new(store(common)?.ledger());
    let place = ledger.path().display().to_string();
    // An empty beginning would be everybody's.
    let (found, damaged) = match id {
        "" => Default::default(),
        id => ledger.find_all(id).map_err(|error| error.failure())?,
    };
    if found.is_empty() {
        all_read(common, &damaged)?;
    }
    let count = found.len();
    match <[Unit; 1]>::try_from(found) {
        Ok([unit]) => Ok(unit),
        Err(found) if found.is_empty() => {
            if ledger.units(&Query::default()).map_err(|error| error.failure())?.is_empty() {
                return Err(empty(common, place));
            }
            Err(Failure::new(Code::R523, format!("there is no unit with the id {id:?}"), place)
                .next("`recover ledger list` lists them"))
        }
        Err(found) => {
            let what = format!("{count} units have an id that begins with {id:?}");
            let mut failure = Failure::new(Code::R524, what, place);
            let newest = found.iter().rev().take(MAX_OFFERED);
            failure.next.extend(newest.map(|unit| {
                let line = line(&unit.id);
                format!("{line}    ({})", unit.result)
            }));
            Err(failure)
        }
    }
}

fn empty(common: &CommonArgs, place: String) -> Failure {
    Failure::new(Code::R523, "the ledger has no units yet", place)
        .next(format!(
            "`{}` rescues a unit and records it here",
            commands::given(common, "recover --auto").again()
        ))
        .next(match common.sim {
            Some(_) => {
                "this is the simulator's ledger; without --sim you see the ledger of real devices"
            }
            None => {
                "the simulator has a separate ledger: add --sim; for another folder, use --home"
            }
        })
}
