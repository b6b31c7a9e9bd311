//! Finds the one device that is meant, or says what was seen instead.

use std::time::Duration;

use super::candidate::Candidate;
use super::event::Event;
use super::nothing_found::nothing_found;
use super::run::Run;
use super::waits::POLL;
use super::{Request, Tools, guide};
use crate::chip::Identity;
use crate::clock::Deadline;
use crate::failure::{Code, Failure};
use crate::journal::Journal;
use crate::usb::Sighting;

/// How long the operating system may take to give up a device that it is just asking.
const ENUMERATION_TIME: Duration = Duration::from_secs(2);

/// The device to rescue, or a healthy one where all are.
///
/// # Errors
/// R101, R119, R301, and the bus's own.
pub(super) fn find(run: &mut Run<'_>, request: &Request) -> Result<Candidate, Failure> {
    look(run, request).map_err(|failure| match failure.code {
        Code::R101 => with_silent_ports(run, request, failure),
        _ => failure,
    })
}

/// Nothing was found: whether something is attached that does not answer.
fn with_silent_ports(run: &mut Run<'_>, request: &Request, failure: Failure) -> Failure {
    let silent = |run: &mut Run<'_>| {
        let mut ports = run.tools.bus.silent_ports();
        ports.retain(|silent| request.port.as_ref().is_none_or(|port| port == silent));
        ports
    };
    let mut ports = silent(run);
    if !ports.is_empty() {
        run.tools.bus.clock().sleep(ENUMERATION_TIME);
        let still = silent(run);
        ports.retain(|port| still.contains(port));
    }
    if ports.is_empty() {
        return failure;
    }
    let names: Vec<String> = ports.iter().map(ToString::to_string).collect();
    let names = names.join(", ");
    let what = format!("something is attached at port {names}, but its descriptors cannot be read");
    let silent = Failure::new(Code::R119, what, format!("port {names}"))
        .next("connect it directly to this computer with another cable, and switch its power supply on")
        .next("if its firmware hangs: open the SDA line of the EEPROM or lift its supply pin (pin 8), switch the power on, then connect the line again")
        .next(format!("{}    (starts when the chip appears in boot mode)", run.tools.commands.again_with("--wait")));
    Failure { next: [silent.next, failure.next].concat(), ..silent }
}

fn look(run: &mut Run<'_>, request: &Request) -> Result<Candidate, Failure> {
    let clock = run.tools.bus.clock();
    let deadline = Deadline::after(&*clock, request.wait.unwrap_or_default());
    if request.wait.is_some() {
        run.note("waiting for a device to appear".to_owned());
    }
    let mut guided = false;
    // A look that took long shows what was; the last one begins when the time is over.
    let mut is_last = deadline.passed(&*clock);
    let mut seen = run.scan()?;
    let mut found = choose(run, request, &seen);
    loop {
        let nothing_yet = match &found {
            Ok(candidate) => request.wait.is_some() && !candidate.needs_rescue(),
            Err(failure) => failure.code == Code::R101,
        };
        if !nothing_yet {
            return found;
        }
        // By itself a bench takes nothing into its boot mode that is there and healthy.
        let may_guide = match guide::bench_can_switch(run, request) {
            true => found.is_err(),
            false => !deadline.passed(&*clock),
        };
        if !guided && may_guide {
            guide::guide(run, request)?;
            guided = true;
        } else if is_last {
            return found;
        } else {
            clock.sleep(POLL);
        }
        is_last = deadline.passed(&*clock);
        let now = run.scan()?;
        // The journals are not read again while nobody comes or goes.
        if now != seen {
            found = choose(run, request, &now);
            seen = now;
        }
    }
}

fn choose(run: &Run<'_>, request: &Request, seen: &[Sighting]) -> Result<Candidate, Failure> {
    let here = |seen: &&Sighting| request.port.as_ref().is_none_or(|port| *port == seen.port);
    let Tools { library, scope, store, .. } = &run.tools;
    let mut candidates = Vec::new();
    for seen in seen.iter().filter(here) {
        let journals = store.journals_about(seen)?;
        let journals: Vec<&Journal> = journals.iter().map(|file| file.journal()).collect();
        candidates.extend(Candidate::of(seen, request, &journals, library, *scope));
    }
    let in_question: Vec<&Candidate> =
        candidates.iter().filter(|candidate| candidate.needs_rescue()).collect();
    match (in_question.as_slice(), candidates.as_slice()) {
        ([only], _) => Ok((*only).clone()),
        // Only healthy devices: any of them stands for the answer.
        ([], [first, ..]) => Ok(first.clone()),
        ([], []) => Err(nothing_found(run, request, seen)),
        (several, _) => {
            let what = format!("{} devices may need a rescue", several.len());
            let who = |candidate: &&Candidate| {
                format!("{} {}", candidate.seen.ids, candidate.suspicion.name)
            };
            // A profile of another chip would only be refused there.
            let profile = request.target.profile.as_ref().and_then(|name| library.find(name));
            let fits = |candidate: &&&Candidate| {
                profile.is_none_or(|profile| {
                    profile.chip.model == candidate.suspicion.model.name
                        || profile.sightings.iter().any(|told| told.ids == candidate.seen.ids)
                })
            };
            let fitting: Vec<_> = several.iter().filter(fits).collect();
            let meant = if fitting.is_empty() { several.iter().collect() } else { fitting };
            let ports: Vec<_> =
                meant.iter().map(|candidate| (&candidate.seen.port, who(candidate))).collect();
            let mut failure = run.tools.commands.one_of(what, "all ports", &ports);
            if meant.len() == several.len() {
                let all = run.tools.commands.all();
                let all = all.map(|all| format!("{all}    (rescues all of them)"));
                failure.next.splice(0..0, all);
            }
            Err(failure)
        }
    }
}

/// Says which device was found, and what earlier rescues left of it.
pub(super) fn announce(run: &mut Run<'_>, candidate: &Candidate) {
    run.outcome.port = Some(candidate.seen.port.clone());
    run.emit(&Event::Sighted {
        port: candidate.seen.port.clone(),
        ids: candidate.seen.ids,
        name: candidate.suspicion.name.to_owned(),
        detail: candidate.suspicion.detail.to_owned(),
        id_meaning: candidate.suspicion.id_meaning,
        identity: Identity::of(&candidate.seen),
    });
    if let Some(journal) = &candidate.on_trial_of {
        run.note(format!(
            "the rescue {} failed and left this device running its image from RAM, so its USB identity says nothing about its memory",
            journal.begun().id
        ));
    }
    if let Some(journal) = &candidate.unfinished {
        let at = journal.in_flight().map_or_else(String::new, |step| format!(" at: {step}"));
        run.note(format!(
            "the rescue {} of a device at this port was not finished{at}",
            journal.begun().id
        ));
    }
}
