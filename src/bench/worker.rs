//! One port's run on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::notice::{BenchEvent, Listener, Notice, NoticeContent};
use super::stage::{Follower, Stage};
use super::stop::{Stop, Stoppable};
use super::{Shared, WorkerResources};
use crate::clock::Clock;
use crate::executor::{Commands, Event, Observer, Operator, Request, Session, Tools};
use crate::failure::{Code, DeviceState, Failure};
use crate::rescue::Outcome;
use crate::rescue::outcome::Verdict;
use crate::usb::{Bus, PortPath, Sighting};

/// A rescue calls a few functions deep; its buffers are on the heap.
const STACK_BYTES: usize = 1 << 20;

/// Tells the listener; its clones speak to the same one.
#[derive(Clone)]
pub(super) struct Notifier {
    listener: Arc<Mutex<Box<dyn Listener>>>,
    clock: Arc<dyn Clock>,
    began: Duration,
    port: Option<PortPath>,
    label: Option<String>,
}

impl Notifier {
    pub(super) fn new(listener: Box<dyn Listener>, clock: Arc<dyn Clock>) -> Self {
        let began = clock.now();
        let listener = Arc::new(Mutex::new(listener));
        Self { listener, clock, began, port: None, label: None }
    }

    /// The same about one port, by that clock.
    pub(super) fn about(
        &self,
        port: &PortPath,
        label: Option<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { port: Some(port.clone()), label, clock, ..self.clone() }
    }

    pub(super) fn notify(&self, what: BenchEvent) {
        self.send(NoticeContent::Bench(what), self.port.clone());
    }

    fn notify_run_event(&self, event: Event) {
        // These have a port themselves.
        let has_port =
            matches!(event, Event::Sighted { .. } | Event::Switched { .. } | Event::Outcome { .. });
        let port = if has_port { None } else { self.port.clone() };
        self.send(NoticeContent::Run(event), port);
    }

    fn send(&self, what: NoticeContent, port: Option<PortPath>) {
        let passed = self.clock.now().saturating_sub(self.began);
        let at_ms = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        let notice = Notice { at_ms, port, label: self.label.clone(), what };
        self.listener.lock().unwrap_or_else(PoisonError::into_inner).hear(&notice);
    }
}

/// What the watcher knows of a run.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) stage: Stage,
    /// On the worker's clock.
    pub(super) since: Duration,
    pub(super) ended: Option<Outcome>,
}

/// A run that was begun.
pub(super) struct Job {
    progress: Arc<Mutex<Progress>>,
    pub(super) stop: Stop,
    /// Whether it was told of as stuck.
    pub(super) is_stuck: bool,
}

impl Job {
    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run on a thread of its own.
    pub(super) fn begin(
        shared: &Arc<Shared>,
        seen: &Sighting,
        request: Request,
        resources: WorkerResources,
        notifier: Notifier,
    ) -> Self {
        let WorkerResources { bus, operator, observer } = resources;
        let port = &seen.port;
        let since = bus.clock().now();
        let progress = Arc::new(Mutex::new(Progress { stage: Stage::Proof, since, ended: None }));
        let stop = Stop::default();
        let worker = Worker {
            shared: Arc::clone(shared),
            bus: Stoppable { bus, port: port.clone(), stop: stop.clone() },
            operator,
            worker_observer: WorkerObserver {
                observer,
                notifier,
                progress: Arc::clone(&progress),
                stop: stop.clone(),
                follower: Follower::default(),
            },
            request,
        };
        let job = Self { progress, stop, is_stuck: false };
        let thread = thread::Builder::new().name(format!("port {port}")).stack_size(STACK_BYTES);
        if let Err(error) = thread.spawn(|| worker.work()) {
            let failure = Failure::new(Code::R406, error.to_string(), format!("port {port}"))
                .next("close other programs, then start the unit again");
            job.progress().ended = Some(failed(port, failure));
        }
        job
    }
}

fn failed(port: &PortPath, failure: Failure) -> Outcome {
    Outcome {
        result: Verdict::Failed,
        port: Some(port.clone()),
        device_state: failure.device,
        failure: Some(failure),
        ..Outcome::begun()
    }
}

struct Worker {
    shared: Arc<Shared>,
    bus: Stoppable,
    operator: Box<dyn Operator + Send>,
    worker_observer: WorkerObserver,
    request: Request,
}

impl Worker {
    fn work(mut self) {
        // On the simulator: until it is this worker's turn.
        self.bus.clock().sleep(Duration::ZERO);
        let run = catch_unwind(AssertUnwindSafe(|| self.rescue()));
        let outcome = run.unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            self.broken(said.or_else(|| panic.downcast_ref().copied()).unwrap_or("a panic"))
        });
        self.worker_observer.progress().ended = Some(outcome);
        // What the worker holds goes last: on the simulator its turn with it.
    }

    /// What does to this unit alone what the bench does, with the profile of this unit.
    fn commands(&self) -> Commands {
        let profile = self.request.target.profile.clone();
        Commands { profile, ..self.shared.commands.at(&self.bus.port) }
    }

    fn rescue(&mut self) -> Outcome {
        let commands = self.commands();
        Session::new(Tools {
            bus: &mut self.bus,
            operator: &mut *self.operator,
            observer: &mut self.worker_observer,
            twin: &*self.shared.twin,
            library: &self.shared.library,
            store: &self.shared.store,
            scope: self.shared.scope,
            commands,
        })
        .rescue(&self.request)
    }

    /// The outcome of a run that the program itself broke.
    fn broken(&mut self, said: &str) -> Outcome {
        let port = &self.bus.port;
        let written = self.worker_observer.stop.has_written();
        let state = if written { DeviceState::PartWritten } else { DeviceState::Untouched };
        let commands = self.commands();
        let what = format!("a fault in recover ended this port's run: {said}");
        let failure = Failure::new(Code::R406, what, format!("port {port}"))
            .leaving(state)
            .next("power-cycle the enclosure in the same port")
            .next(if written { commands.resume() } else { commands.again() });
        let outcome = failed(port, failure.clone());
        self.worker_observer.observe(&Event::Failed { failure });
        self.worker_observer.observe(&Event::Outcome { outcome: Box::new(outcome.clone()) });
        outcome
    }
}

/// Hears a run's events: follows its stages and passes them on.
struct WorkerObserver {
    observer: Box<dyn Observer + Send>,
    notifier: Notifier,
    progress: Arc<Mutex<Progress>>,
    stop: Stop,
    follower: Follower,
}

impl WorkerObserver {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for WorkerObserver {
    fn observe(&mut self, event: &Event) {
        if let Some(stage) = self.follower.follow(event) {
            let now = self.notifier.clock.now();
            let mut progress = self.progress();
            (progress.stage, progress.since) = (stage, now);
        }
        if self.follower.has_written {
            self.stop.note_writing();
        }
        let mut event = event.clone();
        if let Event::Outcome { outcome } = &mut event {
            outcome.port = outcome.port.take().or_else(|| self.notifier.port.clone());
        }
        self.observer.observe(&event);
        self.notifier.notify_run_event(event);
    }
}
