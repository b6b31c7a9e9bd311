//! `recover backup`, `recover restore`.

use std::path::Path;

use super::args::{CommonArgs, ReadArgs, RescueArgs};
use super::{commands, reading, request, rescue, store, write_new};
use crate::executor::BackupRecord;
use crate::failure::{Code, Failure};
use crate::rescue::TargetRequest;
use crate::rescue::choice::NamedImage;
use crate::ui;
use crate::wording::counted;

/// Most backups that are offered where more than one could be meant.
const MAX_OFFERED: usize = 8;

/// Saves the memory's bytes in the store, and in `output` where one is named. A file that is
/// there already is not overwritten.
pub fn backup(common: &CommonArgs, output: Option<&Path>, read: ReadArgs) -> Result<u8, Failure> {
    if let Some(output) = output.filter(|output| output.exists()) {
        let what = "this file already exists and is not overwritten";
        return Err(Failure::new(Code::R506, what, output.display().to_string())
            .next("name another file with --output, or move this one away"));
    }
    let request = reading(common, read)?;
    let mut saved = None;
    let own = [("--output", output.map(|path| path.display().to_string()))];
    let commands = commands::reading(common, "recover backup", read, &own);
    let detail = rescue::detail(common, false);
    let code = rescue::run(common, commands, &request.target, detail, |session| {
        let outcome = session.backup(&request);
        saved = outcome.backup.clone();
        outcome
    })?;
    let (Some(id), Some(output)) = (saved, output) else { return Ok(code) };
    match copy_out(common, &id, output) {
        Ok(()) => {
            if !common.json {
                ui::print(&format!("{}: the bytes of the backup {id}", output.display()));
            }
            Ok(code)
        }
        Err(failure) => {
            // The outcome was the last object; this is about a file, not about the device.
            ui::print_failure(&failure, false, false);
            Ok(code.max(failure.exit_code()))
        }
    }
}

fn copy_out(common: &CommonArgs, id: &str, output: &Path) -> Result<(), Failure> {
    let (_, bytes) = store(common)?.load_backup(id)?;
    write_new(output, &bytes, &format!("the bytes are saved as backup {id}; name another file"))
}

/// Writes a backup back.
pub fn restore(common: &CommonArgs, id: &str, args: &RescueArgs) -> Result<u8, Failure> {
    let record = found(common, id, args)?;
    let id = record.id.as_str();
    let (record, bytes) = store(common)?.load_backup(id)?;
    let verb = format!("recover restore {id}");
    let mut request = request(common, args)?;
    if request.target != TargetRequest::default() {
        let what = "a restore takes its bytes from the backup only";
        return Err(Failure::new(Code::R311, what, "--image, --profile")
            .next(commands::rescuing(common, &verb, &without_target(args)).again()));
    }
    request.port.get_or_insert_with(|| record.port.clone());
    let commands = commands::rescuing(common, &verb, args);
    let image = NamedImage { name: id.to_owned(), bytes: bytes.clone() };
    let requested = TargetRequest { image: Some(image), ..TargetRequest::default() };
    let detail = rescue::detail(common, request.dry_run);
    rescue::run(common, commands, &requested, detail, |session| {
        session.restore(&request, &record, &bytes)
    })
}

/// What was asked besides what the device is to become.
fn without_target(args: &RescueArgs) -> RescueArgs {
    RescueArgs {
        image: None,
        profile: None,
        ids: None,
        revision: None,
        serial: None,
        ..args.clone()
    }
}

/// The one backup that is meant by an id or its beginning.
fn found(common: &CommonArgs, id: &str, args: &RescueArgs) -> Result<BackupRecord, Failure> {
    let mut backups = store(common)?.backups()?;
    if let Some(exact) = backups.iter().position(|backup| backup.id == id) {
        return Ok(backups.swap_remove(exact));
    }
    // An empty beginning would be everybody's.
    backups.retain(|backup| !id.is_empty() && backup.id.starts_with(id));
    match <[BackupRecord; 1]>::try_from(backups) {
        Ok([only]) => Ok(only),
        Err(none) if none.is_empty() => {
            let what = format!("there is no backup named {id:?}");
            Err(Failure::new(Code::R503, what, "store")
                .next("list them with `recover restore --list`"))
        }
        Err(several) => {
            let what = format!("{} backups have a name that begins with {id:?}", several.len());
            let mut failure = Failure::new(Code::R524, what, "store");
            let newest = several.iter().rev().take(MAX_OFFERED);
            failure.next.extend(newest.map(|backup| {
                let verb = format!("recover restore {}", backup.id);
                let again = commands::rescuing(common, &verb, args).again();
                format!("{again}    (port {}, {})", backup.port, backup.ids)
            }));
            Err(failure.next("`recover restore --list` lists all of them"))
        }
    }
}

/// Lists the backups, and behind them those that cannot be read.
pub fn list(common: &CommonArgs) -> Result<u8, Failure> {
    let (records, damaged) = store(common)?.listed_backups()?;
    for record in records {
        if common.json {
            ui::print(&serde_json::to_string(&record).unwrap_or_default());
        } else {
            let whole = if record.whole { "whole" } else { "incomplete" };
            ui::print(&format!(
                "{}  port {}  {}  {}, {whole}",
                record.id,
                record.port,
                record.ids,
                counted(record.bytes, "byte")
            ));
        }
    }
    for failure in &damaged {
        ui::print_failure(failure, common.json, false);
    }
    Ok(damaged.iter().map(Failure::exit_code).max().unwrap_or(0))
}
