//! A device on a port of the kernel, from the plug's point of view: one thread that lets the
//! device live, carries the kernel's transfers to it and their answers back at their time, and
//! follows its attachment, its power and its hands.
//!
//! A device that leaves the bus closes its connection, which the kernel takes for a pulled plug;
//! one that comes back gets a connection of its own.

use std::collections::VecDeque;
use std::io::{BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use super::enclosure::{Enclosure, Outcome, in_words, speed_number};
use super::hands::Command;
use super::kernel::{KernelError, KernelPort};
use super::log::Log;
use super::pace::Pace;
use super::status;
use super::wire::{Answer, Request, Submit, WireError, read_request, unlinked};

/// The device lives on at least so often.
const TICK: Duration = Duration::from_millis(5);
/// How long the kernel may take to let go of the device before; it takes milliseconds.
const LETTING_GO_NS: u64 = 5_000_000_000;

/// What reaches a device's thread.
pub(super) enum Message {
    /// The kernel asks, over the connection with that number.
    Request(u64, Request),
    /// That connection has ended.
    Ended(u64, WireError),
    /// The hub's port has power, or has lost it.
    HubPower(bool),
    /// Hands ask, and wait for a line.
    Command(Command, Sender<String>),
}

/// A connection to the kernel: one enumeration of the device.
struct Connection {
    number: u64,
    stream: UnixStream,
    /// Answers, and when in the device's time each belongs, in that order.
    due: VecDeque<(u64, Submit, Answer)>,
    /// Transfers whose endpoint has nothing to say yet, oldest first.
    waiting: Vec<Submit>,
    /// Numbers of transfers that will not be answered.
    unanswered: Vec<u32>,
}

/// A device on a port.
pub(super) struct Plug {
    pub(super) port: KernelPort,
    pub(super) scenario: &'static str,
    pub(super) enclosure: Enclosure,
    /// Whether the plug is in; power is there when the hub gives it as well.
    pub(super) plugged: bool,
    pub(super) log: Log,
    pub(super) pace: Pace,
    pub(super) inbox: Receiver<Message>,
    /// For the threads that read connections.
    pub(super) to_inbox: Sender<Message>,
    hub_powers: bool,
    connections: u64,
    connection: Option<Connection>,
    /// The attachment that the connection is for.
    generation: Option<u64>,
    /// Since when the kernel has not let go of the port.
    refused_since: Option<u64>,
}

/// What a plug is made from.
pub(super) struct Parts {
    pub(super) port: KernelPort,
    pub(super) scenario: &'static str,
    pub(super) enclosure: Enclosure,
    pub(super) log: Log,
    pub(super) paced: bool,
    pub(super) inbox: Receiver<Message>,
    pub(super) to_inbox: Sender<Message>,
}

impl Plug {
    /// The plug is in, from now on.
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { port, scenario, enclosure, log, paced, inbox, to_inbox } = parts;
        Self {
            port,
            scenario,
            enclosure,
            plugged: true,
            log,
            pace: Pace::starting_now(paced),
            inbox,
            to_inbox,
            hub_powers: true,
            connections: 0,
            connection: None,
            generation: None,
            refused_since: None,
        }
    }

    /// Plays the device until nobody can reach it any more.
    pub(super) fn run(mut self) -> Result<(), KernelError> {
        loop {
            self.live();
            self.enclosure.power(self.plugged && self.hub_powers);
            self.follow_attachment()?;
            self.try_waiting();
            self.tell();
            match self.inbox.recv_timeout(self.wait()) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Whether the kernel has it.
    pub(super) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    fn live(&mut self) {
        let target = self.pace.target(self.enclosure.device.now());
        if self.enclosure.live(target) {
            self.plugged = false;
        }
        self.pace.resynchronise(self.enclosure.device.now());
    }

    fn wait(&self) -> Duration {
        let due = self.connection.as_ref().and_then(|connection| connection.due.front());
        due.map_or(TICK, |(moment, ..)| self.pace.until(*moment).min(TICK))
    }

    fn follow_attachment(&mut self) -> Result<(), KernelError> {
        let now = self.enclosure.device.attachment().map(|attachment| attachment.generation);
        if self.generation.is_some() && self.generation != now {
            self.disconnect();
        }
        if self.connection.is_none() && now.is_some() {
            self.connect()?;
        }
        if self.connection.is_some() {
            self.generation = now;
        }
        Ok(())
    }

    fn disconnect(&mut self) {
        self.generation = None;
        let Some(mut connection) = self.connection.take() else { return };
        self.log.note(self.enclosure.device.now(), "left the bus");
        if self.enclosure.powered {
            // A device that leaves by itself has answered first: its program may do so right after
            // the request that started it, whose status stage the host has seen.
            for (_, submit, answer) in connection.due.drain(..) {
                // A connection that broke is noticed by its reader.
                let _ = connection.stream.write_all(&submit.answer(&answer));
            }
        }
        // It may have been closed from the other end.
        let _ = connection.stream.shutdown(Shutdown::Both);
    }

    fn connect(&mut self) -> Result<(), KernelError> {
        let failed = |error| KernelError::File { path: "a pair of sockets".into(), error };
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        let now = self.enclosure.device.now();
        if !self.port.attach(&theirs, speed_number(self.enclosure.device.speed()))? {
            let since = *self.refused_since.get_or_insert(now);
            if now.saturating_sub(since) > LETTING_GO_NS {
                return Err(KernelError::NoPort { wanted: 1, free: 0 });
            }
            return Ok(());
        }
        self.refused_since = None;
        self.log.note(now, "on the bus");
        self.connections += 1;
        let number = self.connections;
        let mut incoming = BufReader::new(ours.try_clone().map_err(failed)?);
        let inbox = self.to_inbox.clone();
        thread::Builder::new()
            .name(format!("kernel {}", self.port.path))
            .spawn(move || {
                loop {
                    let message = match read_request(&mut incoming) {
                        Ok(request) => Message::Request(number, request),
                        Err(error) => Message::Ended(number, error),
                    };
                    let last = matches!(message, Message::Ended(..));
                    if inbox.send(message).is_err() || last {
                        return;
                    }
                }
            })
            .map_err(failed)?;
        self.connection = Some(Connection {
            number,
            stream: ours,
            due: VecDeque::new(),
            waiting: Vec::new(),
            unanswered: Vec::new(),
        });
        Ok(())
    }

    fn take(&mut self, message: Message) {
        let current = self.connection.as_ref().map(|connection| connection.number);
        match message {
            Message::Request(number, request) if Some(number) == current => match request {
                Request::Submit(submit) => self.submit(submit),
                Request::Unlink { number, victim } => self.unlink(number, victim),
            },
            Message::Ended(number, error) if Some(number) == current => {
                // Somebody wrote to `detach`, which is another way to pull the plug.
                log::info!("{}: {error}", self.port.path);
                self.plugged = false;
                self.disconnect();
            }
            Message::Request(..) | Message::Ended(..) => {}
            Message::HubPower(powers) => {
                let what = if powers { "port power on" } else { "port power off" };
                self.log.note(self.enclosure.device.now(), what);
                self.hub_powers = powers;
            }
            Message::Command(command, reply) => {
                let now = self.enclosure.device.now();
                match command {
                    Command::Status => {}
                    Command::Power(on) => {
                        self.log.note(now, if on { "plugged in" } else { "unplugged" });
                        self.plugged = on;
                        self.enclosure.power(self.plugged && self.hub_powers);
                    }
                    Command::Disturb(faults) => self.enclosure.disturb(faults),
                }
                // Whoever asked may have left.
                let _ = reply.send(status::of(self));
            }
        }
    }

    fn submit(&mut self, submit: Submit) {
        self.live();
        let begun = self.enclosure.device.now();
        let outcome = self.enclosure.transfer(&submit);
        let ended = self.enclosure.device.now();
        self.log.transfer(begun, ended, &in_words(&submit), &outcome);
        self.note_outcome(submit, outcome);
    }

    fn note_outcome(&mut self, submit: Submit, outcome: Outcome) {
        let now = self.enclosure.device.now();
        let Some(connection) = &mut self.connection else { return };
        match outcome {
            Outcome::Answered(answer) => connection.due.push_back((now, submit, answer)),
            Outcome::Later => connection.waiting.push(submit),
            Outcome::Never => {
                connection.unanswered.push(submit.number);
                // Nobody waits for the moment at which the device was given up.
                self.pace.tie(now);
            }
            Outcome::Gone => self.plugged &= self.enclosure.powered,
        }
        self.pace.after_transfer(now);
    }

    fn unlink(&mut self, number: u32, victim: u32) {
        let Some(connection) = &mut self.connection else { return };
        let due = connection.due.iter().position(|(_, submit, _)| submit.number == victim);
        let waiting = connection.waiting.iter().position(|submit| submit.number == victim);
        let unanswered = connection.unanswered.iter().position(|number| *number == victim);
        if let Some(at) = due {
            connection.due.remove(at);
            self.pace.tie(self.enclosure.device.now());
        } else if let Some(at) = waiting {
            connection.waiting.remove(at);
        } else if let Some(at) = unanswered {
            connection.unanswered.remove(at);
        }
        let found = due.or(waiting).or(unanswered).is_some();
        self.log.note(self.enclosure.device.now(), "a transfer was taken back");
        // A connection that broke is noticed by its reader.
        let _ = connection.stream.write_all(&unlinked(number, found));
    }

    /// Gives the oldest waiting transfer of each endpoint another try.
    fn try_waiting(&mut self) {
        if self.enclosure.device.now() > self.pace.present() {
            return;
        }
        let Some(connection) = &mut self.connection else { return };
        let mut tried = Vec::new();
        for submit in std::mem::take(&mut connection.waiting) {
            let turn = !tried.contains(&submit.endpoint);
            tried.push(submit.endpoint);
            let outcome = if turn { self.enclosure.again(&submit) } else { Outcome::Later };
            self.note_outcome(submit, outcome);
        }
    }

    /// Sends the answers whose time has come.
    fn tell(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        while let Some((moment, submit, answer)) = connection.due.front() {
            if !self.pace.until(*moment).is_zero() {
                return;
            }
            // A connection that broke is noticed by its reader.
            let _ = connection.stream.write_all(&submit.answer(answer));
            connection.due.pop_front();
        }
    }
}
