//! `recover backup`, `recover restore`.

use std::path::Path;

use super::args::{CommonArgs, ReadArgs, RescueArgs};
use super::{command_line, reading, request, rescue, store, write_new};
use crate::failure::{Code, Failure};
use crate::rescue::TargetRequest;
use crate::rescue::choice::NamedImage;
use crate::ui;

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
    let command = command_line(common, "recover backup");
    let detail = rescue::detail(common, false);
    let code = rescue::run(common, command, None, &request.target, detail, |session| {
        let outcome = session.backup(&request);
        saved = outcome.backup.clone();
        outcome
    })?;
    let (Some(id), Some(output)) = (saved, output) else { return Ok(code) };
    match copy_out(common, &id, output) {
        Ok(()) => Ok(code),
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
    let (record, bytes) = store(common)?.load_backup(id)?;
    let mut request = request(common, args)?;
    if request.target != TargetRequest::default() {
        let what = "a restore takes its bytes from the backup only";
        return Err(Failure::new(Code::R311, what, "--image, --profile")
            .next(command_line(common, &format!("recover restore {id}"))));
    }
    request.port.get_or_insert_with(|| record.port.clone());
    let command = command_line(common, &format!("recover restore {id}"));
    let image = NamedImage { name: id.to_owned(), bytes: bytes.clone() };
    let requested = TargetRequest { image: Some(image), ..TargetRequest::default() };
    let detail = rescue::detail(common, request.dry_run);
    rescue::run(common, command, None, &requested, detail, |session| {
        session.restore(&request, &record, &bytes)
    })
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
                "{}  port {}  {}  {} bytes, {whole}",
                record.id, record.port, record.ids, record.bytes
            ));
        }
    }
    for failure in &damaged {
        ui::print_failure(failure, common.json, false);
    }
    Ok(damaged.iter().map(Failure::exit_code).max().unwrap_or(0))
}
