//! `recover --auto`, `recover plan`, `recover resume`.

use super::args::{CommonArgs, RescueArgs};
use super::ports::Ports;
use super::{commands, known_profile, library, request, serials, store};
use crate::executor::{Both, Commands, Request, Session, Tools};
use crate::failure::{Code, Failure};
use crate::ledger::{Keeper, Ledger};
use crate::preflight::VirtualTwin;
use crate::rescue::{Outcome, TargetRequest};
use crate::ui::{self, Detail};

/// `recover --auto`.
pub fn auto(common: &CommonArgs, rescue: &RescueArgs) -> Result<u8, Failure> {
    known_profile(common, rescue)?;
    let request = request(common, rescue)?;
    let commands = commands::rescuing(common, "recover --auto", rescue);
    let detail = detail(common, request.dry_run);
    run(common, commands, &request.target, detail, |session| session.rescue(&request))
}

/// `recover plan`.
pub fn plan(common: &CommonArgs, rescue: &RescueArgs) -> Result<u8, Failure> {
    known_profile(common, rescue)?;
    let request = Request { dry_run: true, ..request(common, rescue)? };
    let commands = commands::rescuing(common, "recover plan", rescue);
    let detail = detail(common, request.dry_run);
    run(common, commands, &request.target, detail, |session| session.rescue(&request))
}

/// `recover resume`: `--auto` on the port of the one unfinished rescue.
pub fn resume(common: &CommonArgs, rescue: &RescueArgs) -> Result<u8, Failure> {
    known_profile(common, rescue)?;
    let store = store(common)?;
    let unfinished = store.unfinished()?;
    let mut unreadable = store.unreadable_journals(common.port.as_ref())?;
    let mut ports: Vec<_> =
        unfinished.iter().map(|file| file.journal().begun().port.clone()).collect();
    ports.sort();
    ports.dedup();
    ports.retain(|port| common.port.as_ref().is_none_or(|wanted| wanted == port));
    match ports.as_slice() {
        [port] => {
            let common = CommonArgs { port: Some(port.clone()), ..common.clone() };
            let request = Request { resume: true, ..request(&common, rescue)? };
            let commands = commands::rescuing(&common, "recover resume", rescue);
            let detail = detail(&common, request.dry_run);
            // Before the run, whose outcome is the last that is told.
            let left_out = told(&unreadable, common.json);
            let code = run(&common, commands, &request.target, detail, |session| {
                session.rescue(&request)
            })?;
            Ok(code.max(left_out))
        }
        [] => {
            let none = Failure::new(Code::R505, "there is no unfinished rescue", "journals").next(
                format!(
                    "`{}` rescues the device that is connected now",
                    commands::rescuing(common, "recover --auto", rescue).again()
                ),
            );
            let last = unreadable.pop();
            told(&unreadable, common.json);
            Err(last.unwrap_or(none))
        }
        several => {
            let what = format!("{} rescues are unfinished", several.len());
            let ports: Vec<_> = several.iter().map(|port| (port, String::new())).collect();
            Err(commands::rescuing(common, "recover resume", rescue)
                .one_of(what, "journals", &ports))
        }
    }
}

/// Prints what could not be read; the exit code for it.
fn told(failures: &[Failure], json: bool) -> u8 {
    failures.iter().for_each(|failure| ui::print_failure(failure, json, false));
    failures.iter().map(Failure::exit_code).max().unwrap_or(0)
}

/// How much a run prints: a plan that is not carried out shows its steps.
pub(super) fn detail(common: &CommonArgs, dry_run: bool) -> Detail {
    let evidence = common.verbose > 0;
    Detail { evidence, steps: evidence || dry_run }
}

/// Runs a session on the requested bus and prints its outcome. `requested` is the image to write,
/// as far as the command line names it.
pub fn run(
    common: &CommonArgs,
    commands: Commands,
    requested: &TargetRequest,
    detail: Detail,
    work: impl FnOnce(Session<'_>) -> Outcome,
) -> Result<u8, Failure> {
    let store = store(common)?;
    let library = library(common)?;
    for problem in library.problems() {
        log::warn!("{problem}");
    }
    // Where nothing at all can be read, the run itself says so.
    for failure in store.unreadable_journals(common.port.as_ref()).unwrap_or_default() {
        log::warn!("{}: {} ({})", failure.place, failure.what, failure.code);
    }
    // Only a trace without them needs to know them.
    let serials = match common.trace.is_some() && common.mask_serials {
        true => serials::known(&library, &store, requested),
        false => Vec::new(),
    };
    let mut ports = Ports::open(common, &serials)?;
    let mut shown = ui::observer(common.json, detail);
    let twin = VirtualTwin;
    let (outcome, kept) = {
        let (bus, operator) = ports.parts();
        let mut keeper = Keeper::new(Ledger::new(store.ledger()), bus.clock());
        // First the ledger: whoever has read the outcome finds the unit there.
        let mut observer = Both(&mut keeper, &mut *shown);
        let outcome = work(Session::new(Tools {
            bus,
            operator,
            observer: &mut observer,
            twin: &twin,
            library: &library,
            store: &store,
            scope: common.scope(),
            commands: commands.clone(),
        }));
        (outcome, keeper.into_kept())
    };
    if let Some(Err(error)) = &kept {
        log::warn!("this unit could not be added to the ledger: {error}");
    }
    if !common.json {
        let unit = kept.as_ref().and_then(|kept| kept.as_deref().ok());
        let report = ui::report(&outcome, unit, detail, &commands);
        if !report.is_empty() {
            ui::print(&report);
        }
    }
    let code = outcome.exit_code();
    match ports.close() {
        Ok(()) => Ok(code),
        Err(failure) => {
            // The outcome was the last object; this is about a file, not about the device.
            ui::print_failure(&failure, false, false);
            Ok(code.max(failure.exit_code()))
        }
    }
}
