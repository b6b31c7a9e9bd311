//! Takes a device's power away and gives it back: by a relay where the bench has one, else by the
//! hub where it switches, else by the hands of whoever is there.
//!
//! Power away from a port need not be power away from the chip: an enclosure with a supply of its
//! own only leaves the bus, and comes back under another device number with its RAM as it was. A
//! relay is taken at its owner's word, who put it where the power is. A hub is not: it counts only
//! when what comes back is what was awaited and cannot have been running from RAM.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::event::Event;
use super::operator::Switching;
use super::perform::RETURN_TIME;
use super::restart::LEAVE_TIME;
use super::session::Session;
use crate::chip::Identity;
use crate::journal::Entry;
use crate::rescue::{Code, DeviceState, Failure, RunStage};
use crate::usb::{PortPath, PowerError, Sighting};

/// How long a person may take to unplug and plug in.
pub(super) const HANDS_TIME: Duration = Duration::from_secs(120);

/// How long the power stays away: capacitors of an enclosure hold a chip up for a second.
const OFF_TIME: Duration = Duration::from_secs(2);

/// Who switches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SwitchedBy {
    /// A relay of the bench.
    Relay,
    /// The hub, by its own requests.
    Hub,
    /// A person.
    Hands,
}

impl fmt::Display for SwitchedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Relay => "relay",
            Self::Hub => "hub",
            Self::Hands => "hands",
        })
    }
}

/// What is known beforehand of a device that loses its power.
pub(super) struct Awaited {
    /// Who it is to be when it comes back; nobody in particular without.
    pub identity: Option<Identity>,
    /// Whether it may be that already, from its RAM.
    pub may_run_from_ram: bool,
}

impl Awaited {
    /// Of a device that runs an image from its RAM.
    pub fn of_trial(identity: Option<Identity>) -> Self {
        Self { identity, may_run_from_ram: true }
    }

    fn is(&self, seen: &Sighting) -> bool {
        let now = Identity::of(seen);
        self.identity.as_ref().is_none_or(|identity| identity.differences(&now).is_empty())
    }
}

impl Session<'_> {
    /// Has the device's power taken away and given back, and returns what comes up.
    pub(super) fn cycle_power(
        &mut self,
        seen: &Sighting,
        awaited: &Awaited,
    ) -> Result<Sighting, Failure> {
        let before = self.enter(RunStage::PowerAway);
        let result = self.cycle_by_any(seen, awaited);
        self.enter(before);
        result
    }

    fn cycle_by_any(&mut self, seen: &Sighting, awaited: &Awaited) -> Result<Sighting, Failure> {
        // After a trial from RAM its disk may be mounted: then no power is taken, by nobody.
        self.tools
            .bus
            .check_unused(seen)
            .map_err(|error| Failure::from_bus(&error).leaving(self.state))?;
        let mut seen = seen.clone();
        let tells_nothing =
            awaited.identity.is_some() && awaited.may_run_from_ram && awaited.is(&seen);
        if self.is_restarted_without_hands(&seen.port) {
            if let Some(back) = self.cycle_by(SwitchedBy::Relay, &seen)? {
                return Ok(back);
            }
            if tells_nothing {
                log::info!(
                    "what the device shows may run from RAM, so the hub is not asked: its switch would prove nothing"
                );
            } else if let Some(back) = self.cycle_by(SwitchedBy::Hub, &seen)? {
                if awaited.is(&back) {
                    return Ok(back);
                }
                self.note(format!(
                    "without the port's power it came back as {}: a supply of its own keeps the chip running, or its EEPROM does not start it",
                    Identity::of(&back)
                ));
                seen = back;
            }
        }
        self.cycle_by_hand(&seen)
    }

    /// Whether all that has to happen while the power is away happens without hands.
    fn is_restarted_without_hands(&self, port: &PortPath) -> bool {
        let switches = self.tools.operator.switches(port);
        self.at_restart.iter().all(|step| step.action.is_some_and(|action| switches.does(action)))
    }

    /// Cycles the power one way; `None`, with a note where that is worth one, when it could not be
    /// done or brought nothing back.
    fn cycle_by(&mut self, by: SwitchedBy, seen: &Sighting) -> Result<Option<Sighting>, Failure> {
        let port = &seen.port;
        let others = self.scan()?;
        match self.take_power(by, seen) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(why) => {
                self.note(format!("the {by} did not take the power of port {port}: {why}"));
                // A relay that did not answer may have moved.
                if by == SwitchedBy::Relay && self.give_power(by, port).is_err() {
                    self.note(format!("port {port} may be without power"));
                }
                return Ok(None);
            }
        }
        let away = self.while_without_power(by, seen);
        // Whatever happened meanwhile, the power comes back.
        let given = self.give_power(by, port).or_else(|_| self.give_power(by, port));
        if let Err(why) = given {
            self.note(format!("the {by} did not give port {port} its power back: {why}"));
        }
        if !away? {
            let left = self.who_left(&others)?;
            self.note(match left {
                Some(own) if own == *port => format!(
                    "the {by} took the power of port {port} too late: more than {} seconds after it was told to",
                    LEAVE_TIME.as_secs()
                ),
                Some(other) => format!(
                    "the {by} was told to take the power of port {port}, and the device at port {other} left instead: it is wired to another port than said"
                ),
                None => format!(
                    "the {by} said it took the power of port {port}, and the device stayed: it does not really switch it"
                ),
            });
            return Ok(None);
        }
        self.enter(RunStage::Returning);
        let number = seen.device_number;
        let back = self.wait_for(port, RETURN_TIME, |back| back.device_number != number)?;
        if back.is_none() {
            self.note(format!(
                "port {port} has its power back by {by}, and nothing came up within {} seconds",
                RETURN_TIME.as_secs()
            ));
        }
        Ok(back)
    }

    /// The first of these devices that is no longer there.
    fn who_left(&mut self, before: &[Sighting]) -> Result<Option<PortPath>, Failure> {
        let now = self.scan()?;
        let gone = |other: &&Sighting| !now.iter().any(|seen| seen.is_same_enumeration(other));
        Ok(before.iter().find(gone).map(|other| other.port.clone()))
    }

    /// `Ok(false)` where there is nothing to do it with.
    fn take_power(&mut self, by: SwitchedBy, seen: &Sighting) -> Result<bool, String> {
        let port = &seen.port;
        match by {
            SwitchedBy::Relay if !self.tools.operator.switches(port).power => return Ok(false),
            SwitchedBy::Relay => {
                let done = self.tools.operator.switch(port, Switching::PowerOff, false);
                done.map_err(|failure| failure.what)?;
            }
            SwitchedBy::Hub => match self.tools.bus.power_off(seen) {
                Ok(()) => {}
                // Most hubs; nothing to tell.
                Err(PowerError::NotSwitchable(why)) => {
                    log::info!("port {port} is not switched by its hub: {why}");
                    return Ok(false);
                }
                Err(PowerError::Denied(_)) => {
                    return Err("no permission to open the hub; as root, or with a udev rule for its ids, it may switch the power".to_owned());
                }
                Err(error) => return Err(error.to_string()),
            },
            SwitchedBy::Hands => return Ok(false),
        }
        self.switched(port, Switching::PowerOff, by);
        self.record(Entry::Power { by: by.to_string() }).map_err(|failure| failure.what)?;
        Ok(true)
    }

    fn give_power(&mut self, by: SwitchedBy, port: &PortPath) -> Result<(), String> {
        match by {
            SwitchedBy::Relay => {
                let done = self.tools.operator.switch(port, Switching::PowerOn, false);
                done.map_err(|failure| failure.what)?;
            }
            SwitchedBy::Hub => {
                self.tools.bus.power_on(port).map_err(|error| error.to_string())?;
            }
            SwitchedBy::Hands => return Ok(()),
        }
        self.switched(port, Switching::PowerOn, by);
        Ok(())
    }

    /// Whether the device left; then also the time that its power has to be away, and what the
    /// profile wants done meanwhile.
    fn while_without_power(&mut self, by: SwitchedBy, seen: &Sighting) -> Result<bool, Failure> {
        // A hub was asked itself; the operating system may list what is gone a while longer.
        if by == SwitchedBy::Relay && !self.has_left(seen)? {
            return Ok(false);
        }
        for step in self.at_restart.clone() {
            if let Some(switching) = step.action.and_then(Switching::of) {
                self.tools
                    .operator
                    .switch(&seen.port, switching, false)
                    .map_err(|failure| failure.leaving(self.state))?;
                self.switched(&seen.port, switching, SwitchedBy::Relay);
            }
        }
        self.tools.bus.clock().sleep(OFF_TIME);
        Ok(true)
    }

    pub(super) fn switched(&mut self, port: &PortPath, what: Switching, by: SwitchedBy) {
        self.emit(&Event::Switched { port: port.clone(), what, by });
    }

    fn cycle_by_hand(&mut self, seen: &Sighting) -> Result<Sighting, Failure> {
        self.enter(RunStage::PowerAway);
        let before = self.scan()?;
        self.record(Entry::Power { by: SwitchedBy::Hands.to_string() })?;
        self.emit(&Event::Asked {
            request: format!(
                "take all power from the enclosure at port {}, wait two seconds, and plug it into the same port again",
                seen.port
            ),
            expect: format!(
                "it appears again within {} seconds of being plugged in",
                RETURN_TIME.as_secs()
            ),
        });
        for by_hand in self.at_restart.clone() {
            self.emit(&Event::Asked { request: by_hand.step, expect: by_hand.expect });
        }
        self.tools.operator.power_cycle(&seen.port);
        let number = seen.device_number;
        let back = self.wait_for(&seen.port, HANDS_TIME, |back| back.device_number != number)?;
        match back {
            Some(back) => Ok(back),
            None => Err(self.nobody_came(seen, &before)?),
        }
    }

    /// Nothing came back at the port; perhaps something did at another.
    fn nobody_came(&mut self, seen: &Sighting, before: &[Sighting]) -> Result<Failure, Failure> {
        let what = format!(
            "nothing new appeared at port {} within {} seconds",
            seen.port,
            HANDS_TIME.as_secs()
        );
        let failure =
            Failure::new(Code::R111, what, format!("port {}", seen.port)).leaving(self.state);
        let known = |new: &Sighting| before.iter().any(|old| old.is_same_enumeration(new));
        let elsewhere = self.scan()?.into_iter().find(|new| !known(new));
        let failure = match elsewhere {
            Some(new) => failure.next(format!(
                "at port {} {} appeared meanwhile: if that is it, plug it into port {}",
                new.port, new.ids, seen.port
            )),
            None => failure,
        };
        let commands = &self.tools.commands;
        // What has written nothing is not resumed, it begins again.
        let command = match self.state {
            DeviceState::PartWritten | DeviceState::Written => commands.resume(),
            _ => commands.again.clone(),
        };
        Ok(failure.next(format!("plug the enclosure into the same port and run `{command}`")))
    }
}
