//! The way into the boot mode that a profile tells: done by the bench's relays where it has them
//! for all of it that pins are concerned in, else asked for.
//!
//! A contact that shorts pins is closed while the power is off. Only a profile whose own steps
//! close it before they take the power away has it closed on a running board.

use std::time::Duration;

use super::Request;
use super::event::Event;
use super::find::POLL;
use super::operator::{Switches, Switching};
use super::perform::RETURN_TIME;
use super::power::{HANDS_TIME, SwitchedBy};
use super::session::Session;
use crate::clock::Deadline;
use crate::profile::{Action, Guidance, GuidanceTime};
use crate::rescue::{Code, Failure};
use crate::usb::{Ids, PortPath};

impl Session<'_> {
    /// Whether the way into the boot mode is switched without hands at the request's port.
    pub(super) fn is_guided_by_bench(&self, request: &Request) -> bool {
        self.bench_guidance(request).is_some()
    }

    /// Does, or asks for, what the named profile knows to be done until the device shows up.
    pub(super) fn guide(&mut self, request: &Request) -> Result<(), Failure> {
        let Some((port, switches)) = self.bench_guidance(request) else {
            for step in self.first_steps(request) {
                self.ask(&step);
            }
            return Ok(());
        };
        let result = self.follow(request, &port, switches);
        // However that ended: the contact is let go, the power is on.
        let safe =
            [(switches.contact, Switching::OpenContact), (switches.power, Switching::PowerOn)]
                .into_iter()
                .filter(|(wired, _)| *wired)
                .try_for_each(|(_, what)| self.tools.operator.switch(&port, what, false));
        result.and(safe)
    }

    fn first_steps(&self, request: &Request) -> Vec<Guidance> {
        let library = self.tools.library;
        let named = request.wish.profile.as_ref().and_then(|name| library.find(name));
        named.into_iter().flat_map(|named| named.by_hand(GuidanceTime::First)).cloned().collect()
    }

    /// The port and its switches, where every step is an action and all contacts have relays: a
    /// person who is asked for one step of several cannot say when it is done.
    fn bench_guidance(&self, request: &Request) -> Option<(PortPath, Switches)> {
        let port = request.port.clone()?;
        let switches = self.tools.operator.switches(&port);
        let steps = self.first_steps(request);
        let is_contact = |action| matches!(action, Action::CloseContact | Action::OpenContact);
        let fits = |step: &Guidance| {
            step.action.is_some_and(|action| !is_contact(action) || switches.contact)
        };
        let switched = steps.iter().filter_map(|step| step.action.and_then(Switching::of)).count();
        let any = switches.power || switches.contact;
        (any && switched > 0 && steps.iter().all(fits)).then_some((port, switches))
    }

    fn follow(
        &mut self,
        request: &Request,
        port: &PortPath,
        switches: Switches,
    ) -> Result<(), Failure> {
        let mut power_was_taken = false;
        for step in self.first_steps(request) {
            let Some(action) = step.action else { continue };
            let Some(what) = Switching::of(action) else {
                self.wait_for_boot_id(request, port, switches)?;
                continue;
            };
            power_was_taken |= what == Switching::PowerOff;
            if !switches.does(action) {
                self.ask(&step);
            } else {
                if what == Switching::CloseContact && power_was_taken {
                    self.is_without_power(port)?;
                }
                self.tools.operator.switch(port, what, !power_was_taken)?;
                self.switched(port, what, SwitchedBy::Relay);
            }
            if what == Switching::PowerOff {
                let longest = if switches.power { RETURN_TIME } else { HANDS_TIME };
                self.wait_until_empty(port, longest)?;
            }
        }
        Ok(())
    }

    fn ask(&mut self, step: &Guidance) {
        self.emit(&Event::Asked { request: step.step.clone(), expect: step.expect.clone() });
    }

    /// A note when the wait is in vain: there may be another way to find the device.
    fn wait_for_boot_id(
        &mut self,
        request: &Request,
        port: &PortPath,
        switches: Switches,
    ) -> Result<(), Failure> {
        let library = self.tools.library;
        let profile = request.wish.profile.as_ref().and_then(|name| library.find(name));
        let ids: Vec<Ids> = profile
            .into_iter()
            .flat_map(|profile| &profile.sightings)
            .map(|sighting| sighting.ids)
            .collect();
        let longest = if switches.power { RETURN_TIME } else { HANDS_TIME };
        if self.wait_for(port, longest, |seen| ids.contains(&seen.ids))?.is_none() {
            self.note(format!(
                "no boot id appeared at port {port} within {} seconds",
                longest.as_secs()
            ));
        }
        Ok(())
    }

    fn wait_until_empty(&mut self, port: &PortPath, longest: Duration) -> Result<(), Failure> {
        let clock = self.tools.bus.clock();
        let deadline = Deadline::after(&*clock, longest);
        while !deadline.passed(&*clock) && self.scan()?.iter().any(|seen| seen.port == *port) {
            clock.sleep(POLL);
        }
        Ok(())
    }

    fn is_without_power(&mut self, port: &PortPath) -> Result<(), Failure> {
        match self.scan()?.into_iter().find(|seen| seen.port == *port) {
            None => Ok(()),
            Some(seen) => {
                let what = format!(
                    "the power of port {port} was to be off, and {} is still there, so its contact stays open",
                    seen.ids
                );
                Err(Failure::new(Code::R606, what, format!("port {port}"))
                    .leaving(self.state)
                    .next("check which relay is in the power of this port, and that the enclosure has no supply of its own beside it; bench.toml names the relays"))
            }
        }
    }
}
