//! The way into the boot mode that a profile tells: done by the bench's relays where it has them
//! for all of it that pins are concerned in, else asked for.
//!
//! A contact that shorts pins is closed while the power is off. Only a profile whose own steps
//! close it before they take the power away has it closed on a running board.

use super::Request;
use super::event::Event;
use super::operator::{Switches, Switching};
use super::run::Run;
use super::waits::{HANDS_TIME, RETURN_TIME};
use crate::failure::{Code, Failure};
use crate::profile::{Action, Guidance, GuidanceTime};
use crate::rescue::outcome::SwitchedBy;
use crate::usb::{Ids, PortPath};

/// Whether the way into the boot mode is switched without hands at the request's port.
pub(super) fn bench_can_switch(run: &Run<'_>, request: &Request) -> bool {
    bench_guidance(run, request).is_some()
}

/// Does, or asks for, what the named profile knows to be done until the device shows up.
pub(super) fn guide(run: &mut Run<'_>, request: &Request) -> Result<(), Failure> {
    let Some((port, switches)) = bench_guidance(run, request) else {
        for step in first_steps(run, request) {
            ask(run, &step);
        }
        return Ok(());
    };
    let result = follow(run, request, &port, switches);
    // However that ended: the contact is let go, the power is on.
    let safe = [(switches.contact, Switching::OpenContact), (switches.power, Switching::PowerOn)]
        .into_iter()
        .filter(|(wired, _)| *wired)
        .try_for_each(|(_, what)| run.tools.operator.switch(&port, what, false));
    result.and(safe)
}

fn first_steps(run: &Run<'_>, request: &Request) -> Vec<Guidance> {
    let library = run.tools.library;
    let named = request.target.profile.as_ref().and_then(|name| library.find(name));
    named.into_iter().flat_map(|named| named.by_hand(GuidanceTime::First)).cloned().collect()
}

/// The port and its switches, where every step is an action and all contacts have relays: a
/// person who is asked for one step of several cannot say when it is done.
fn bench_guidance(run: &Run<'_>, request: &Request) -> Option<(PortPath, Switches)> {
    let port = request.port.clone()?;
    let switches = run.tools.operator.switches(&port);
    let steps = first_steps(run, request);
    let is_contact = |action| matches!(action, Action::CloseContact | Action::OpenContact);
    let fits =
        |step: &Guidance| step.action.is_some_and(|action| !is_contact(action) || switches.contact);
    let switched = steps.iter().filter_map(|step| step.action.and_then(Switching::of)).count();
    let any = switches.power || switches.contact;
    (any && switched > 0 && steps.iter().all(fits)).then_some((port, switches))
}

fn follow(
    run: &mut Run<'_>,
    request: &Request,
    port: &PortPath,
    switches: Switches,
) -> Result<(), Failure> {
    let mut power_was_taken = false;
    for step in first_steps(run, request) {
        let Some(action) = step.action else { continue };
        let Some(what) = Switching::of(action) else {
            wait_for_boot_id(run, request, port, switches)?;
            continue;
        };
        power_was_taken |= what == Switching::PowerOff;
        if !switches.does(action) {
            ask(run, &step);
        } else {
            if what == Switching::CloseContact && power_was_taken {
                is_without_power(run, port)?;
            }
            run.tools.operator.switch(port, what, !power_was_taken)?;
            run.switched(port, what, SwitchedBy::Relay);
        }
        if what == Switching::PowerOff {
            let timeout = if switches.power { RETURN_TIME } else { HANDS_TIME };
            run.wait_until_empty(port, timeout)?;
        }
    }
    Ok(())
}

fn ask(run: &mut Run<'_>, step: &Guidance) {
    run.emit(&Event::Asked { request: step.step.clone(), expect: step.expect.clone() });
}

/// A note when the wait is in vain: there may be another way to find the device.
fn wait_for_boot_id(
    run: &mut Run<'_>,
    request: &Request,
    port: &PortPath,
    switches: Switches,
) -> Result<(), Failure> {
    let library = run.tools.library;
    let profile = request.target.profile.as_ref().and_then(|name| library.find(name));
    let ids: Vec<Ids> = profile
        .into_iter()
        .flat_map(|profile| &profile.sightings)
        .map(|sighting| sighting.ids)
        .collect();
    let timeout = if switches.power { RETURN_TIME } else { HANDS_TIME };
    if run.wait_for(port, timeout, |seen| ids.contains(&seen.ids))?.is_none() {
        run.note(format!(
            "no boot-mode device appeared at port {port} within {} seconds",
            timeout.as_secs()
        ));
    }
    Ok(())
}

fn is_without_power(run: &mut Run<'_>, port: &PortPath) -> Result<(), Failure> {
    match run.scan()?.into_iter().find(|seen| seen.port == *port) {
        None => Ok(()),
        Some(seen) => {
            let what = format!(
                "the power of port {port} should be off, but {} is still there, so the contact stays open",
                seen.ids
            );
            Err(Failure::new(Code::R606, what, format!("port {port}"))
                .leaving(run.state)
                .next("check which relay switches this port in bench.toml, and that the enclosure has no separate power supply"))
        }
    }
}
