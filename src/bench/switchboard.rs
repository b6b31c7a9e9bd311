//! Every relay of a bench, and their safe position: contacts open, power on.
//!
//! The safe position is set when the boards are opened (whoever ran before may have been killed),
//! when the last [`Switchboard`] is dropped, also by a panic, and when the program is interrupted. SIGKILL and a pulled board cannot be caught.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::config::{BenchConfig, Board, Channel, Wiring, missing_device};
use crate::clock::Clock;
use crate::executor::{Switches, Switching};
use crate::failure::{Code, Failure};
use crate::serial::{Line, RelayError, Relays};
use crate::usb::PortPath;

/// The relays of a bench. Clones lead to the same boards; the last to go leaves them safe.
#[derive(Clone)]
pub struct Switchboard(Arc<Shared>);

struct Shared {
    config: BenchConfig,
    state: Mutex<State>,
}

struct State {
    boards: Vec<(Board, Relays)>,
    /// Ports whose power a relay takes away now.
    without_power: BTreeSet<PortPath>,
    /// The program is being ended; nothing is switched any more.
    has_ended: bool,
}

impl Switchboard {
    /// Opens every board with `open` and sets the safe position.
    ///
    /// # Errors
    /// R602 to R605, naming the board's line in the bench file.
    pub fn open(
        config: BenchConfig,
        clock: &Arc<dyn Clock>,
        open: impl Fn(&Board) -> Result<Box<dyn Line>, RelayError>,
    ) -> Result<Self, Failure> {
        let mut boards = Vec::new();
        for board in &config.boards {
            let relays = open(board)
                .and_then(|line| Relays::new(board.kind, line, Arc::clone(clock)))
                .map_err(|error| failure(board, &error))?;
            boards.push((board.clone(), relays));
        }
        let state = Mutex::new(State { boards, without_power: BTreeSet::new(), has_ended: false });
        let switchboard = Self(Arc::new(Shared { config, state }));
        switchboard.0.make_safe()?;
        Ok(switchboard)
    }

    /// What can be switched at a port.
    pub fn switches(&self, port: &PortPath) -> Switches {
        let port = self.0.config.port(port);
        Switches {
            power: port.is_some_and(|port| port.power.is_some()),
            contact: port.is_some_and(|port| port.contact.is_some()),
        }
    }

    /// Switches something of a port. A contact is closed while a relay keeps the power away, or
    /// with `live`, or where the power has no relay and its being away is the caller's word.
    ///
    /// # Errors
    /// R603, R605, R606; R311 where nothing is wired for it.
    pub fn switch(&self, port: &PortPath, what: Switching, live: bool) -> Result<(), Failure> {
        self.0.switch(port, what, live)
    }

    /// What is to be done when the program is interrupted: the safe position, once and for all.
    /// Holds the boards no longer than the switchboard does.
    pub fn at_interruption(&self) -> impl FnMut() + Send + 'static {
        let shared = Arc::downgrade(&self.0);
        move || {
            if let Some(shared) = shared.upgrade() {
                shared.state().has_ended = true;
                shared.report_safe();
            }
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn switch(&self, path: &PortPath, what: Switching, live: bool) -> Result<(), Failure> {
        let port = self.config.port(path);
        let channel = match what {
            Switching::PowerOff | Switching::PowerOn => port.and_then(|port| port.power.as_ref()),
            Switching::CloseContact | Switching::OpenContact => {
                port.and_then(|port| port.contact.as_ref())
            }
        };
        let (Some(port), Some(channel)) = (port, channel) else {
            let what = format!("no relay is wired to port {path} for this");
            return Err(Failure::new(Code::R311, what, format!("port {path}"))
                .next("name it in bench.toml, as `power` or `contact` of the port"));
        };
        let mut state = self.state();
        if state.has_ended {
            return Err(Failure::new(
                Code::R605,
                "recover is being interrupted",
                format!("port {path}"),
            )
            .next("run the same command"));
        }
        if what == Switching::CloseContact
            && !live
            && port.power.is_some()
            && !state.without_power.contains(path)
        {
            let what = format!("the power of port {path} is on, so the contact stays open");
            return Err(Failure::new(Code::R606, what, format!("port {path}"))
                .next("switch the power off first: in the profile, put a step with action = \"power-off\" before the one with \"close-contact\""));
        }
        let closed = matches!(what, Switching::PowerOn | Switching::CloseContact);
        let result = state.set(channel, closed);
        match (what, &result) {
            // Noted also where it failed: what is not known to have power has none.
            (Switching::PowerOff, _) => drop(state.without_power.insert(path.clone())),
            (Switching::PowerOn, Ok(())) => drop(state.without_power.remove(path)),
            _ => {}
        }
        result
    }

    fn report_safe(&self) {
        if let Err(failure) = self.make_safe() {
            log::error!("the relays could not be set to their safe position: {failure}");
        }
    }

    /// Opens every contact, then gives every port its power; the first that could not be done is
    /// told, the others are done all the same.
    fn make_safe(&self) -> Result<(), Failure> {
        let contacts = self.config.ports.iter().filter_map(|port| port.contact.as_ref());
        let powers = self.config.ports.iter().filter_map(|port| port.power.as_ref());
        let mut state = self.state();
        let mut first = Ok(());
        for (channel, closed) in
            contacts.map(|channel| (channel, false)).chain(powers.map(|channel| (channel, true)))
        {
            first = first.and(state.set(channel, closed));
        }
        state.without_power.clear();
        first
    }
}

impl State {
    /// Closes or opens the line that goes through a relay.
    fn set(&mut self, channel: &Channel, closed: bool) -> Result<(), Failure> {
        let energised = closed == (channel.wiring == Wiring::NormallyOpen);
        let Some((board, relays)) =
            self.boards.iter_mut().find(|(board, _)| board.name == channel.board)
        else {
            return Ok(());
        };
        relays.set(channel.channel, energised).map_err(|error| failure(board, &error))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.report_safe();
    }
}

/// A board's error as its owner should hear it.
fn failure(board: &Board, error: &RelayError) -> Failure {
    let device = board.device.display();
    let new = |code| {
        let what = format!("relay board {:?} at {device}: {error}", board.name);
        Failure::new(code, what, board.place.clone())
    };
    match error {
        RelayError::Missing => missing_device(board),
        RelayError::Denied => new(Code::R604)
            .next("`sudo usermod -aG dialout $USER` and log in again (the group is `uucp` on some systems)")
            .next("or run the same command as root"),
        RelayError::Busy => new(Code::R605)
            .next(format!("close the program that holds it; `fuser {device}` names it")),
        RelayError::NoAnswer | RelayError::OddAnswer(_) => new(Code::R603)
            .next(format!(
                "check that {device} is the board and that it is of the kind {:?} at {} baud",
                board.kind.name(),
                board.baud
            ))
            .next("unplug the board, plug it in again and run the same command"),
        RelayError::Unusable(_) => new(Code::R605)
            .next(format!("check that the board is plugged in and that {device} is its serial device")),
    }
}

#[cfg(test)]
mod tests;
