//! Takes a device's power away and gives it back: by a relay where the bench has one, else by the
//! hub where it switches, else by the hands of whoever is there.
//!
//! Power away from a port need not be power away from the chip: an enclosure with a supply of its
//! own only leaves the bus, and comes back under another device number with its RAM as it was. A
//! relay is taken at its owner's word, who put it where the power is. A hub is not: it counts only
//! when what comes back is what was expected and cannot have been running from RAM.

use super::event::Event;
use super::operator::Switching;
use super::run::Run;
use super::waits::{HANDS_TIME, LEAVE_TIME, OFF_TIME, RETURN_TIME};
use crate::chip::Identity;
use crate::failure::{Code, DeviceState, Failure};
use crate::journal::Entry;
use crate::profile::Guidance;
use crate::rescue::RunStage;
use crate::rescue::outcome::SwitchedBy;
use crate::usb::{PortPath, PowerError, Sighting};

/// What is known beforehand of a device that loses its power.
pub(super) struct ExpectedReturn<'a> {
    /// The identity it should have when it comes back; any identity without.
    pub identity: Option<Identity>,
    /// Whether it may be that already, from its RAM.
    pub may_run_from_ram: bool,
    /// What the chosen profile knows to be done while the power is away.
    pub while_off: &'a [Guidance],
    /// What may hold the chip in its boot mode, and is let go while the power is away.
    pub strap: Option<&'static str>,
}

impl ExpectedReturn<'_> {
    fn is(&self, seen: &Sighting) -> bool {
        let now = Identity::of(seen);
        self.identity.as_ref().is_none_or(|identity| identity.differences(&now).is_empty())
    }
}

/// Has the device's power taken away and given back, and returns what comes up.
pub(super) fn cycle(
    run: &mut Run<'_>,
    seen: &Sighting,
    expected_return: &ExpectedReturn<'_>,
) -> Result<Sighting, Failure> {
    let before = run.enter(RunStage::PowerAway);
    let result = cycle_by_any(run, seen, expected_return);
    run.enter(before);
    result
}

fn cycle_by_any(
    run: &mut Run<'_>,
    seen: &Sighting,
    expected_return: &ExpectedReturn<'_>,
) -> Result<Sighting, Failure> {
    // After a trial from RAM its disk may be mounted: then no power is taken, by nobody.
    let unused = run.tools.bus.check_unused(seen);
    unused.map_err(|error| Failure::from_bus(&error).leaving(run.state))?;
    let mut seen = seen.clone();
    let is_ambiguous = expected_return.identity.is_some()
        && expected_return.may_run_from_ram
        && expected_return.is(&seen);
    if has_automatic_power_cycle(run, &seen.port, expected_return.while_off) {
        if let Some(back) = cycle_by(run, SwitchedBy::Relay, &seen, expected_return.while_off)? {
            return Ok(back);
        }
        if is_ambiguous {
            log::info!(
                "the device may be running from RAM, so power switching by the hub would prove nothing and is not used"
            );
        } else if let Some(back) = cycle_by(run, SwitchedBy::Hub, &seen, expected_return.while_off)?
        {
            if expected_return.is(&back) {
                return Ok(back);
            }
            run.note(format!(
                "after the port's power was off, it came back as {}: a separate supply keeps the chip running, or its memory does not boot",
                Identity::of(&back)
            ));
            seen = back;
        }
    }
    cycle_by_hand(run, &seen, expected_return)
}

/// Whether all that has to happen while the power is away happens without hands.
fn has_automatic_power_cycle(run: &Run<'_>, port: &PortPath, while_off: &[Guidance]) -> bool {
    let switches = run.tools.operator.switches(port);
    while_off.iter().all(|step| step.action.is_some_and(|action| switches.does(action)))
}

/// Cycles the power one way; `None`, with a note where that is worth one, when it could not be
/// done or brought nothing back.
fn cycle_by(
    run: &mut Run<'_>,
    by: SwitchedBy,
    seen: &Sighting,
    while_off: &[Guidance],
) -> Result<Option<Sighting>, Failure> {
    let port = &seen.port;
    let others = run.scan()?;
    match turn_power_off(run, by, seen) {
        Ok(true) => {}
        Ok(false) => return Ok(None),
        Err(why) => {
            run.note(format!("the {by} did not switch off the power of port {port}: {why}"));
            // A relay that did not answer may have moved.
            if by == SwitchedBy::Relay && turn_power_on(run, by, port).is_err() {
                run.note(format!("port {port} may be without power"));
            }
            return Ok(None);
        }
    }
    let away = while_without_power(run, by, seen, while_off);
    // Whatever happened meanwhile, the power comes back.
    let given = turn_power_on(run, by, port).or_else(|_| turn_power_on(run, by, port));
    if let Err(why) = given {
        run.note(format!("the {by} did not switch the power of port {port} back on: {why}"));
    }
    if !away? {
        let left = find_disconnected(run, &others)?;
        run.note(match left {
            Some(own) if own == *port => format!(
                "the {by} switched off the power of port {port} too late: more than {} seconds after the request",
                LEAVE_TIME.as_secs()
            ),
            Some(other) => format!(
                "the {by} was told to switch off port {port}, but the device at port {other} disappeared: the wiring differs from the bench file"
            ),
            None => format!(
                "the {by} reported that port {port} is off, but the device stayed: it does not switch the power"
            ),
        });
        return Ok(None);
    }
    run.enter(RunStage::Returning);
    let number = seen.device_number;
    let back = run.wait_for(port, RETURN_TIME, |back| back.device_number != number)?;
    if back.is_none() {
        run.note(format!(
            "the {by} switched port {port} back on, but no device appeared within {} seconds",
            RETURN_TIME.as_secs()
        ));
    }
    Ok(back)
}

/// The first of these devices that is no longer there.
fn find_disconnected(run: &mut Run<'_>, before: &[Sighting]) -> Result<Option<PortPath>, Failure> {
    let now = run.scan()?;
    let gone = |other: &&Sighting| !now.iter().any(|seen| seen.is_same_enumeration(other));
    Ok(before.iter().find(gone).map(|other| other.port.clone()))
}

/// `Ok(false)` where there is nothing to do it with.
fn turn_power_off(run: &mut Run<'_>, by: SwitchedBy, seen: &Sighting) -> Result<bool, String> {
    let port = &seen.port;
    match by {
        SwitchedBy::Relay if !run.tools.operator.switches(port).power => return Ok(false),
        SwitchedBy::Relay => {
            let done = run.tools.operator.switch(port, Switching::PowerOff, false);
            done.map_err(|failure| failure.what)?;
        }
        SwitchedBy::Hub => match run.tools.bus.power_off(seen) {
            Ok(()) => {}
            // Most hubs; nothing to tell.
            Err(PowerError::NotSwitchable(why)) => {
                log::info!("the hub does not switch port {port}: {why}");
                return Ok(false);
            }
            Err(PowerError::Denied(_)) => {
                return Err("no permission to open the hub; as root, or with a udev rule for its USB ID, recover can switch the power".to_owned());
            }
            Err(error) => return Err(error.to_string()),
        },
        SwitchedBy::Hands => return Ok(false),
    }
    run.switched(port, Switching::PowerOff, by);
    run.record(Entry::Power { by }).map_err(|failure| failure.what)?;
    Ok(true)
}

fn turn_power_on(run: &mut Run<'_>, by: SwitchedBy, port: &PortPath) -> Result<(), String> {
    match by {
        SwitchedBy::Relay => {
            let done = run.tools.operator.switch(port, Switching::PowerOn, false);
            done.map_err(|failure| failure.what)?;
        }
        SwitchedBy::Hub => {
            run.tools.bus.power_on(port).map_err(|error| error.to_string())?;
        }
        SwitchedBy::Hands => return Ok(()),
    }
    run.switched(port, Switching::PowerOn, by);
    Ok(())
}

/// Whether the device left; then also the time that its power has to be away, and what the
/// profile wants done meanwhile.
fn while_without_power(
    run: &mut Run<'_>,
    by: SwitchedBy,
    seen: &Sighting,
    while_off: &[Guidance],
) -> Result<bool, Failure> {
    // A hub was asked itself; the operating system may list what is gone a while longer.
    if by == SwitchedBy::Relay && !run.has_left(seen)? {
        return Ok(false);
    }
    for step in while_off {
        if let Some(switching) = step.action.and_then(Switching::of) {
            run.tools
                .operator
                .switch(&seen.port, switching, false)
                .map_err(|failure| failure.leaving(run.state))?;
            run.switched(&seen.port, switching, SwitchedBy::Relay);
        }
    }
    run.tools.bus.clock().sleep(OFF_TIME);
    Ok(true)
}

fn cycle_by_hand(
    run: &mut Run<'_>,
    seen: &Sighting,
    expected_return: &ExpectedReturn<'_>,
) -> Result<Sighting, Failure> {
    run.enter(RunStage::PowerAway);
    let before = run.scan()?;
    run.record(Entry::Power { by: SwitchedBy::Hands })?;
    let port = &seen.port;
    let mut request = format!(
        "take all power from the enclosure at port {port}, wait two seconds, then plug it into the same port again"
    );
    // A profile knows better how its board is released.
    if let (Some(strap), []) = (expected_return.strap, expected_return.while_off) {
        request = format!("{request}. {strap} while the power is off");
    }
    run.emit(&Event::Asked {
        request,
        expect: format!(
            "recover expects it within {} seconds after you plug it in",
            RETURN_TIME.as_secs()
        ),
    });
    for by_hand in expected_return.while_off {
        let (request, expect) = (by_hand.step.clone(), by_hand.expect.clone());
        run.emit(&Event::Asked { request, expect });
    }
    run.tools.operator.power_cycle(&seen.port);
    let number = seen.device_number;
    let back = run.wait_for(&seen.port, HANDS_TIME, |back| back.device_number != number)?;
    match back {
        Some(back) => Ok(back),
        None => Err(did_not_return(run, seen, &before)?),
    }
}

/// Nothing came back at the port; perhaps something did at another.
fn did_not_return(
    run: &mut Run<'_>,
    seen: &Sighting,
    before: &[Sighting],
) -> Result<Failure, Failure> {
    let what = format!(
        "nothing new appeared at port {} within {} seconds",
        seen.port,
        HANDS_TIME.as_secs()
    );
    let failure = Failure::new(Code::R111, what, format!("port {}", seen.port)).leaving(run.state);
    let known = |new: &Sighting| before.iter().any(|old| old.is_same_enumeration(new));
    let elsewhere = run.scan()?.into_iter().find(|new| !known(new));
    let failure = match elsewhere {
        Some(new) => failure.next(format!(
            "a new device appeared at port {}: {}; if it is your enclosure, plug it into port {}",
            new.port, new.ids, seen.port
        )),
        None => failure,
    };
    let commands = &run.tools.commands;
    // What has written nothing is not resumed, it begins again.
    let command = match run.state {
        DeviceState::PartWritten | DeviceState::Written => commands.resume(),
        _ => commands.again(),
    };
    Ok(failure.next(format!("plug the enclosure into the same port and run `{command}`")))
}
