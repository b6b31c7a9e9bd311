//! `recover report`.

use std::path::{Path, PathBuf};

use super::args::CommonArgs;
use super::{commands, ledger, store, write_new};
use crate::executor::commands::quoted;
use crate::failure::{Code, Failure};
use crate::files;
use crate::ledger::Ledger;
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
    let last = Ledger::new(store.ledger()).last_at(&place).map_err(|error| error.failure())?;
    let unit = last.filter(|unit| files::is_plain_name(&unit.id)).ok_or_else(|| {
        let what = format!("no unit has been handled at port {port} yet");
        Failure::new(Code::R523, what, "ledger").next("`recover ledger list`")
    })?;
    let folder = store.folder("reports")?;
    let name = format!("{}.html", unit.id);
    let path = folder.join(&name);
    if !path.exists() {
        let page = report::page(&unit, &store, common.sim.is_some());
        files::put_new(&folder, &name, page.as_bytes()).map_err(|error| {
            Failure::new(Code::R506, error.to_string(), path.display().to_string())
                .next("press the key again")
        })?;
    }
    Ok(path)
}
