//! `recover report`.

use std::path::{Path, PathBuf};

use super::args::CommonArgs;
use super::{commands, ledger, store, write_new};
use crate::executor::commands::quoted;
use crate::failure::{Code, Failure};
use crate::ledger::{Ledger, Query};
use crate::report;
use crate::ui;
use crate::usb::PortPath;

/// Writes the page about a unit.
pub fn report(common: &CommonArgs, id: &str, html: &Path) -> Result<u8, Failure> {
    let given = commands::given(common, "");
    let name = quoted(&html.display().to_string());
    let again = |id: &str| given.report(id).replace(" FILE", &format!(" {name}"));
    let unit = ledger::unit(common, id, again)?;
    let page = report::page(&unit, &store(common)?, common.sim.is_some());
    write_new(html, page.as_bytes(), "name another file with --html, or move this one away")?;
    if common.json {
        let told = serde_json::json!({ "id": unit.id, "html": html.display().to_string() });
        ui::print(&told.to_string());
    } else {
        ui::print(&format!("{}: the report about {}", html.display(), unit.id));
    }
    Ok(0)
}

/// Writes the page about what last passed at that port into the folder of reports, once; where it
/// is.
pub fn latest(common: &CommonArgs, port: &PortPath) -> Result<PathBuf, Failure> {
    let store = store(common)?;
    let place = port.to_string();
    let units =
        Ledger::new(store.ledger()).units(&Query::default()).map_err(|error| error.failure())?;
    let last = units.iter().filter(|unit| unit.port == place).max_by_key(|unit| unit.began);
    let unit = last.ok_or_else(|| {
        let what = format!("no unit has been handled at port {port} yet");
        Failure::new(Code::R523, what, "ledger").next("`recover ledger list`")
    })?;
    let path = store.folder("reports")?.join(format!("{}.html", unit.id));
    if !path.exists() {
        let page = report::page(unit, &store, common.sim.is_some());
        write_new(&path, page.as_bytes(), "press the key again")?;
    }
    Ok(path)
}
