//! The watcher: looks at all ports, begins a worker for each unit, hears commands, notices who
//! takes too long. It never waits for a worker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use super::notice::{BenchEvent, Listener};
use super::port::{Change, Classified, Port, State};
use super::stop::StopLevel;
use super::tally::Tally;
use super::worker::{Job, Notifier};
use super::{Command, Mode, PortSettings, Shared, WorkerFactory};
use crate::chip;
use crate::clock::{Clock, Deadline};
use crate::executor::POLL;
use crate::executor::Request;
use crate::executor::candidate::Candidate;
use crate::failure::Failure;
use crate::usb::{Bus, PortPath, Sighting};

/// A bench while it is run.
pub struct Bench<'b> {
    shared: Arc<Shared>,
    bus: &'b mut dyn Bus,
    clock: Arc<dyn Clock>,
    workers: &'b dyn WorkerFactory,
    mode: Mode,
    notifier: Notifier,
    ports: BTreeMap<PortPath, Port>,
    jobs: BTreeMap<PortPath, Job>,
    tally: Tally,
    /// How often it was asked to end.
    quits: u32,
    is_blind: bool,
}

impl<'b> Bench<'b> {
    /// A bench on this bus.
    pub fn new(
        shared: Arc<Shared>,
        bus: &'b mut dyn Bus,
        workers: &'b dyn WorkerFactory,
        mode: Mode,
        listener: Box<dyn Listener>,
    ) -> Self {
        let clock = bus.clock();
        let notifier = Notifier::new(listener, Arc::clone(&clock));
        let (ports, jobs) = (BTreeMap::new(), BTreeMap::new());
        let tally = Tally::default();
        let (quits, is_blind) = (0, false);
        Self { shared, bus, clock, workers, mode, notifier, ports, jobs, tally, quits, is_blind }
    }

    /// Watches until it is told to quit, or with [`Mode::once`] until every unit that was there
    /// at the first look has ended.
    ///
    /// # Errors
    /// R506 when the journals cannot be read; with `once`, the bus's own.
    pub fn run(mut self, commands: &Receiver<Command>) -> Result<Tally, Failure> {
        self.report_known_ports()?;
        let wait = Deadline::after(&*self.clock, self.shared.request.wait.unwrap_or_default());
        let mut has_begun = false;
        loop {
            self.reap();
            self.hear(commands);
            if !(self.mode.once && has_begun) {
                let is_last = wait.passed(&*self.clock);
                self.look()?;
                let begun = self.start_automatically();
                has_begun |= begun || is_last;
            }
            self.report_stuck();
            self.notifier.notify(BenchEvent::Tick);
            let working = self.jobs.values().any(|job| !job.is_stuck);
            if !working && (self.quits > 0 || (self.mode.once && has_begun)) {
                break;
            }
            self.clock.sleep(POLL);
        }
        for _ in self.jobs.values() {
            self.tally.count_stuck();
        }
        self.notifier.notify(BenchEvent::Summary { tally: self.tally.clone() });
        Ok(self.tally)
    }

    fn report_known_ports(&self) -> Result<(), Failure> {
        for (port, place) in
            self.shared.port_settings.iter().filter(|(port, _)| self.is_bench_port(port))
        {
            self.about(port).notify(BenchEvent::Place { profile: place.profile.clone() });
        }
        for unreadable in self.shared.store.unreadable_journals(None)? {
            log::warn!("{unreadable}");
        }
        for file in self.shared.store.unfinished()? {
            let begun = file.journal().begun();
            if self.is_bench_port(&begun.port) {
                self.about(&begun.port).notify(BenchEvent::InFlight {
                    rescue: begun.id.clone(),
                    step: file.journal().in_flight().map(str::to_owned),
                });
            }
        }
        Ok(())
    }

    fn is_bench_port(&self, port: &PortPath) -> bool {
        self.mode.ports.as_ref().is_none_or(|ports| ports.contains(port))
    }

    fn place(&self, port: &PortPath) -> PortSettings {
        self.shared.port_settings.get(port).cloned().unwrap_or_default()
    }

    fn about(&self, port: &PortPath) -> Notifier {
        self.notifier.about(port, self.place(port).label, Arc::clone(&self.clock))
    }

    fn hear(&mut self, commands: &Receiver<Command>) {
        loop {
            match commands.try_recv() {
                Ok(Command::Start(port)) => self.start(&port),
                Ok(Command::Skip(port)) => self.skip(&port),
                Ok(Command::Quit) => self.quit(),
                // Whoever stood there is gone.
                Err(TryRecvError::Disconnected) if self.quits == 0 => self.quit(),
                Err(_) => return,
            }
        }
    }

    fn start(&mut self, path: &PortPath) {
        let Some(port) = self.ports.get_mut(path) else { return };
        port.reset_failures();
        match &port.state {
            State::Waiting(seen) => {
                let seen = seen.clone();
                self.begin(&seen);
            }
            State::Done(None) => self.retry(path),
            State::Empty | State::Ignored(_) | State::Running | State::Done(Some(_)) => {}
        }
    }

    /// Begins a unit again that is done.
    fn retry(&mut self, path: &PortPath) {
        let seen = self.bus.scan().unwrap_or_default();
        let Some(seen) = seen.into_iter().find(|seen| seen.port == *path) else { return };
        self.begin(&seen);
    }

    fn skip(&mut self, path: &PortPath) {
        if let Some(job) = self.jobs.get(path) {
            job.stop.ask(StopLevel::Unwritten);
        } else if let Some(port) = self.ports.get_mut(path)
            && matches!(port.state, State::Waiting(_))
        {
            port.end(false);
            self.about(path).notify(BenchEvent::Skipped);
        }
    }

    fn quit(&mut self) {
        self.quits += 1;
        let level = if self.quits > 1 { StopLevel::Everything } else { StopLevel::Unwritten };
        self.jobs.values().for_each(|job| job.stop.ask(level));
        self.notifier.notify(BenchEvent::Stopping { running: self.jobs.len() });
    }

    /// Takes note of the runs that have ended.
    fn reap(&mut self) {
        let ended: Vec<PortPath> = self
            .jobs
            .iter()
            .filter(|(_, job)| job.progress().ended.is_some())
            .map(|(port, _)| port.clone())
            .collect();
        for path in ended {
            let outcome = self.jobs.remove(&path).and_then(|job| job.progress().ended.take());
            let (Some(outcome), Some(port)) = (outcome, self.ports.get_mut(&path)) else {
                continue;
            };
            self.tally.count(&outcome);
            port.end(outcome.failure.is_some());
        }
    }

    fn look(&mut self) -> Result<(), Failure> {
        let seen = match self.bus.scan() {
            Ok(seen) => seen,
            Err(error) if self.mode.once => return Err(Failure::from_bus(&error)),
            Err(error) => {
                if !self.is_blind {
                    self.notifier.notify(BenchEvent::Blind { why: error.to_string() });
                }
                self.is_blind = true;
                return Ok(());
            }
        };
        self.is_blind = false;
        let mut here: BTreeMap<PortPath, Sighting> =
            seen.into_iter().map(|seen| (seen.port.clone(), seen)).collect();
        here.retain(|port, _| self.is_bench_port(port));
        for path in self.ports.keys().chain(here.keys()).cloned().collect::<Vec<_>>() {
            self.look_at(&path, here.get(&path));
        }
        Ok(())
    }

    /// Looks at one port.
    fn look_at(&mut self, path: &PortPath, seen: Option<&Sighting>) {
        let now = self.clock.now();
        let mut port = self.ports.remove(path).unwrap_or_default();
        let mut candidate = None;
        let change = port.look(now, seen, |seen| {
            candidate = self.candidate(seen);
            match &candidate {
                Some(candidate) if candidate.needs_rescue() => Classified::Unit,
                _ => Classified::Ignored,
            }
        });
        let told = self.about(path);
        match change {
            None => {}
            Some(Change::Left) => told.notify(BenchEvent::Left),
            Some(Change::Arrived(seen, Classified::Unit)) => {
                let by_itself = self.mode.auto && port.may_start_automatically() && self.quits == 0;
                if let Some(candidate) = candidate {
                    told.notify(BenchEvent::Arrived {
                        ids: seen.ids,
                        name: candidate.suspicion.name.to_owned(),
                        id_meaning: candidate.suspicion.id_meaning,
                        waits: !by_itself,
                    });
                }
                if self.mode.auto && !port.may_start_automatically() {
                    told.notify(BenchEvent::GivenUp { times: port.failures() });
                }
            }
            Some(Change::Arrived(seen, Classified::Ignored)) => {
                self.tally.healthy += usize::from(candidate.is_some());
                let name = candidate.as_ref().map_or_else(
                    || seen.product.clone().unwrap_or_else(|| "not a known chip".to_owned()),
                    |candidate| candidate.suspicion.name.to_owned(),
                );
                let healthy = candidate.is_some();
                told.notify(BenchEvent::LeftAlone { ids: seen.ids, name, healthy });
            }
        }
        self.ports.insert(path.clone(), port);
    }

    fn candidate(&self, seen: &Sighting) -> Option<Candidate> {
        let journals = self.shared.store.journals_about(seen).unwrap_or_else(|failure| {
            log::warn!("{failure}");
            Vec::new()
        });
        let journals: Vec<_> = journals.iter().map(|file| file.journal()).collect();
        let Shared { request, library, scope, .. } = &*self.shared;
        Candidate::of(seen, request, &journals, library, *scope)
    }

    /// Begins every unit that need not be told to start; whether there is one.
    fn start_automatically(&mut self) -> bool {
        if !self.mode.auto || self.quits > 0 {
            return false;
        }
        let units: Vec<Sighting> = self
            .ports
            .values()
            .filter(|port| port.may_start_automatically())
            .filter_map(|port| match &port.state {
                State::Waiting(seen) => Some(seen.clone()),
                _ => None,
            })
            .collect();
        units.iter().for_each(|seen| self.begin(seen));
        !units.is_empty()
    }

    fn begin(&mut self, seen: &Sighting) {
        if self.quits > 0 {
            return;
        }
        let path = &seen.port;
        let request = self.request(seen);
        let label = self.place(path).label;
        let resources = self.workers.resources(path, label.as_deref());
        let notifier = self.notifier.about(path, label, resources.bus.clock());
        if let Some(port) = self.ports.get_mut(path) {
            port.begin();
        }
        self.about(path).notify(BenchEvent::Begun);
        let job = Job::begin(&self.shared, seen, request, resources, notifier);
        self.jobs.insert(path.clone(), job);
    }

    /// What is asked for this unit.
    fn request(&self, seen: &Sighting) -> Request {
        let mut request = Request { port: Some(seen.port.clone()), ..self.shared.request.clone() };
        request.wait = None;
        let profile = self.candidate(seen).and_then(|candidate| self.profile_for(&candidate));
        if let Some(profile) = profile.or_else(|| self.place(&seen.port).profile) {
            request.target.profile = Some(profile);
        }
        request
    }

    /// The profile among those asked for that is for the unit's chip, or at least its family.
    fn profile_for(&self, candidate: &Candidate) -> Option<String> {
        let asked = || {
            let profiles = self.shared.profiles.iter();
            profiles.filter_map(|name| self.shared.library.find(name))
        };
        let family = |name: &str| chip::model(name).map(|(chip, _)| chip.family());
        let ours = candidate.suspicion.model.name;
        asked()
            .find(|profile| profile.chip.model == ours)
            .or_else(|| asked().find(|profile| family(&profile.chip.model) == family(ours)))
            .map(|profile| profile.name.clone())
    }

    fn report_stuck(&mut self) {
        let now = self.clock.now();
        let limits = &self.shared.limits;
        let late: Vec<_> = self
            .jobs
            .iter()
            .filter(|(_, job)| !job.is_stuck)
            .filter_map(|(path, job)| {
                let progress = job.progress();
                let limit = limits.of(progress.stage);
                let late = progress.ended.is_none() && now.saturating_sub(progress.since) > limit;
                late.then_some((path.clone(), progress.stage, limit))
            })
            .collect();
        for (path, stage, limit) in late {
            self.about(&path)
                .notify(BenchEvent::Stuck { stage, limit_s: Duration::as_secs(&limit) });
            if let Some(job) = self.jobs.get_mut(&path) {
                job.is_stuck = true;
            }
        }
    }
}
