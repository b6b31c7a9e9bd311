//! `recover --auto`, `recover plan`, `recover resume`.

use super::args::{CommonArgs, RescueArgs};
use super::ports::Ports;
use super::{library, request, store};
use crate::executor::{Request, Session, Tools};
use crate::preflight::VirtualTwin;
use crate::rescue::{Code, Failure, Outcome};
use crate::ui;

/// `recover --auto`.
pub fn auto(common: &CommonArgs, rescue: &RescueArgs) -> Result<u8, Failure> {
    let request = request(common, rescue)?;
    run(common, "recover --auto", |session| session.rescue(&request))
}

/// `recover plan`.
pub fn plan(common: &CommonArgs, rescue: &RescueArgs) -> Result<u8, Failure> {
    let request = Request { dry_run: true, ..request(common, rescue)? };
    run(common, "recover plan", |session| session.rescue(&request))
}

/// `recover resume`: `--auto` on the port of the one unfinished rescue.
pub fn resume(common: &CommonArgs, rescue: &RescueArgs) -> Result<u8, Failure> {
    let unfinished = store(common)?.unfinished()?;
    let mut ports: Vec<_> =
        unfinished.iter().map(|file| file.journal().begun().port.clone()).collect();
    ports.sort();
    ports.dedup();
    ports.retain(|port| common.port.as_ref().is_none_or(|wanted| wanted == port));
    match ports.as_slice() {
        [port] => {
            let common = CommonArgs { port: Some(port.clone()), ..common.clone() };
            let request = request(&common, rescue)?;
            run(&common, "recover resume", |session| session.rescue(&request))
        }
        [] => Err(Failure::new(Code::R505, "no rescue was left unfinished", "journals")
            .next("`recover --auto` looks at what is there now")),
        several => {
            let what = format!("{} rescues were left unfinished", several.len());
            let mut failure = Failure::new(Code::R301, what, "journals");
            failure.next.extend(several.iter().map(|port| format!("recover resume --port {port}")));
            Err(failure)
        }
    }
}

/// Runs a session on the bus that was asked for and tells its outcome.
pub fn run(
    common: &CommonArgs,
    command: &str,
    work: impl FnOnce(Session<'_>) -> Outcome,
) -> Result<u8, Failure> {
    let store = store(common)?;
    let library = library(common)?;
    for problem in library.problems() {
        log::warn!("{problem}");
    }
    let mut ports = Ports::open(common)?;
    let mut observer = ui::observer(common.json);
    let twin = VirtualTwin;
    let mut command = command.to_owned();
    if let Some(scenario) = &common.sim {
        command = format!("{command} --sim {scenario}");
    }
    let outcome = {
        let (bus, operator) = ports.parts();
        work(Session::new(Tools {
            bus,
            operator,
            observer: &mut *observer,
            twin: &twin,
            library: &library,
            store: &store,
            scope: common.scope(),
            command,
        }))
    };
    ports.close()?;
    if !common.json {
        let report = ui::report(&outcome);
        if !report.is_empty() {
            ui::print(&report);
        }
    }
    Ok(outcome.exit_code())
}
