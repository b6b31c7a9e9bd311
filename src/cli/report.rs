//! `recover report`.

use std::path::Path;

use super::args::CommonArgs;
use super::{ledger, store, write_new};
use crate::report;
use crate::rescue::Failure;
use crate::ui;

/// Writes the page about a unit.
pub fn report(common: &CommonArgs, id: &str, html: &Path) -> Result<u8, Failure> {
    let unit = ledger::unit(common, "recover report", id)?;
    let page = report::page(&unit, &store(common)?, common.sim.is_some());
    write_new(html, page.as_bytes(), "name another file with --html, or move this one away")?;
    if common.json {
        let told = serde_json::json!({ "id": unit.id, "html": html.display().to_string() });
        ui::print(&told.to_string());
    } else {
        ui::print(&format!("{}: the page about {}", html.display(), unit.id));
    }
    Ok(0)
}
