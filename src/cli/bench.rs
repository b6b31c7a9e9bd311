//! `recover bench`: the technician's bench, on a terminal or as lines.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use super::args::{BenchArgs, CommonArgs};
use super::shared::{fits_many, shared};
use super::simulated::{Plugged, Simulated};
use super::worker_factory::{HostWorkerFactory, SimWorkerFactory};
use super::{interrupt, report};
use crate::bench::{
    Bench, BenchEvent, Command, Listener, Mode, Notice, NoticeContent, PortSettings, Shared, Tally,
    WorkerFactory,
};
use crate::executor::Event;
use crate::failure::{Code, Failure};
use crate::ui;
use crate::usb::host::HostBus;
use crate::usb::{Bus, PortPath};

/// How long the screen may take to show how the bench has ended.
const LAST_DRAWING: Duration = Duration::from_secs(1);
/// Watches the ports and rescues what is plugged in, until it is told to end.
pub fn bench(common: &CommonArgs, args: &BenchArgs) -> Result<u8, Failure> {
    fits_many(common, &args.rescue)?;
    let shared = shared(common, &args.rescue)?;
    let ports =
        args.ports.as_deref().map(|list| named_ports(list, &shared.port_settings)).transpose()?;
    let shared = Arc::new(shared);
    let mode = Mode { auto: args.auto, once: false, ports };
    let on_screen = !common.json && io::stdin().is_terminal() && io::stdout().is_terminal();
    let Some(names) = &common.sim else {
        let bus = HostBus::new();
        let workers = HostWorkerFactory::of(bus.participant(), common, true)?;
        let reader = Reader::of(common, on_screen, None);
        return run(&shared, bus, workers, mode, reader, None);
    };
    let simulated = Simulated::open(common, names, Plugged::OverTime)?;
    let pace = args.pace.unwrap_or(if on_screen { 1.0 } else { 0.0 });
    if pace > 0.0 {
        simulated.bus.virtual_clock().pace(pace);
    }
    let bus = simulated.bus.clone();
    let workers = SimWorkerFactory::of(common, bus.clone())?;
    let reader = Reader::of(common, on_screen, Some(simulated.count()));
    let code = run(&shared, bus, workers, mode, reader, Some(simulated.clone()))?;
    simulated.keep()?;
    Ok(code)
}

/// Who reads what happens.
enum Reader<'c> {
    /// A person, who also gives commands and asks for pages about units.
    Screen(&'c CommonArgs),
    /// A file or a program. On the simulator the bench ends by itself when so many units have
    /// come to their end.
    Lines { json: bool, units: Option<usize> },
}

impl<'c> Reader<'c> {
    fn of(common: &'c CommonArgs, on_screen: bool, units: Option<usize>) -> Self {
        if on_screen { Self::Screen(common) } else { Self::Lines { json: common.json, units } }
    }
}

fn run(
    shared: &Arc<Shared>,
    mut bus: impl Bus + Send + 'static,
    workers: impl WorkerFactory + Send + 'static,
    mode: Mode,
    reader: Reader<'_>,
    simulated: Option<Simulated>,
) -> Result<u8, Failure> {
    let tally = match reader {
        Reader::Lines { json, units } => {
            let (commands, heard) = channel();
            let told = ui::listener(json);
            interrupt::quits(commands.clone(), ui::announce);
            // The sender has to live as long as the run: without one, the bench ends.
            let counting = Box::new(Counting { told, left: units, commands });
            let listener = Box::new(Keeping { told: counting, simulated });
            Bench::new(Arc::clone(shared), &mut bus, &workers, mode, listener).run(&heard)?
        }
        Reader::Screen(common) => on_screen(common, shared, bus, workers, mode, simulated)?,
    };
    Ok(tally.exit_code)
}

/// Runs the bench and its screen, each on a thread of its own.
fn on_screen(
    common: &CommonArgs,
    shared: &Arc<Shared>,
    mut bus: impl Bus + Send + 'static,
    workers: impl WorkerFactory + Send + 'static,
    mode: Mode,
    simulated: Option<Simulated>,
) -> Result<Tally, Failure> {
    // What is logged would be written across the screen.
    log::set_max_level(log::LevelFilter::Off);
    let (commands, heard) = channel();
    // In raw mode Ctrl-C is a key; this is for SIGTERM and a terminal that is closed. The screen
    // shows itself that the bench is ending.
    interrupt::quits(commands.clone(), |_| ());
    interrupt::before_ending(ui::give_back_terminal);
    let (notices, told) = channel();
    let (shared, is_auto) = (Arc::clone(shared), mode.auto);
    let bench = thread::spawn(move || {
        let listener = Box::new(Keeping { told: Box::new(Passing(notices)), simulated });
        Bench::new(shared, &mut bus, &workers, mode, listener).run(&heard)
    });
    let common = common.clone();
    let (lives, screen) = channel::<()>();
    thread::spawn(move || {
        // Without its screen the bench ends, safely, however the screen came to its end.
        let _end = EndOfScreen { commands: commands.clone(), _lives: lives };
        let shown = ui::show_bench(is_auto, &told, &commands, &|port| {
            report::latest(&common, port).map_or_else(
                |failure| failure.what,
                |path| format!("the report is {}", path.display()),
            )
        });
        if let Err(error) = &shown {
            ui::announce(&format!("the terminal is no longer usable: {error}; stopping"));
        }
    });
    let tally = bench.join().unwrap_or_else(|_| {
        Err(Failure::new(Code::R406, "the bench failed", "bench")
            .next("start it again: it shows and finishes the runs that had begun"))
    });
    // A screen whose terminal was closed never comes back: crossterm reads its end of file again
    // and again. The bench has ended, and so does the program.
    if screen.recv_timeout(LAST_DRAWING) == Err(RecvTimeoutError::Timeout) {
        ui::give_back_terminal();
    }
    let tally = tally?;
    ui::print(&ui::summary_line(&tally));
    Ok(tally)
}

/// Has the bench end when its screen has.
struct EndOfScreen {
    commands: Sender<Command>,
    _lives: Sender<()>,
}

impl Drop for EndOfScreen {
    fn drop(&mut self) {
        // Where the bench has ended already, nobody hears it.
        drop(self.commands.send(Command::Quit));
    }
}

/// Keeps the virtual memories up to date on the disk, where that was asked for: a bench that is
/// killed leaves them behind as they were, as real ones would be.
struct Keeping {
    told: Box<dyn Listener>,
    simulated: Option<Simulated>,
}

impl Listener for Keeping {
    fn hear(&mut self, notice: &Notice) {
        let may_have_changed = matches!(
            notice.what,
            NoticeContent::Run(
                Event::StepBegun { .. }
                    | Event::StepDone { .. }
                    | Event::Progress { .. }
                    | Event::Outcome { .. }
            )
        );
        if let Some(simulated) = self.simulated.as_ref().filter(|_| may_have_changed)
            && let Err(failure) = simulated.keep()
        {
            log::warn!("{}", failure.what);
            self.simulated = None;
        }
        self.told.hear(notice);
    }
}

/// Hands every notice to the screen.
struct Passing(Sender<Notice>);

impl Listener for Passing {
    fn hear(&mut self, notice: &Notice) {
        drop(self.0.send(notice.clone()));
    }
}

/// Tells a listener, and on the simulator ends the bench with its last unit.
struct Counting {
    told: Box<dyn Listener>,
    left: Option<usize>,
    commands: Sender<Command>,
}

impl Listener for Counting {
    fn hear(&mut self, notice: &Notice) {
        self.told.hear(notice);
        let is_end = match &notice.what {
            NoticeContent::Run(Event::Outcome { .. }) => true,
            NoticeContent::Bench(happening) => matches!(
                happening,
                BenchEvent::LeftAlone { .. } | BenchEvent::Arrived { waits: true, .. }
            ),
            NoticeContent::Run(_) => false,
        };
        if let Some(left) = self.left.as_mut().filter(|_| is_end) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                drop(self.commands.send(Command::Quit));
            }
        }
    }
}

/// The ports of a list of paths and labels.
fn named_ports(
    list: &str,
    known: &BTreeMap<PortPath, PortSettings>,
) -> Result<Vec<PortPath>, Failure> {
    let of = |name: &str| {
        let labelled = known.iter().find(|(_, place)| place.label.as_deref() == Some(name));
        labelled.map(|(path, _)| path.clone()).or_else(|| name.parse().ok()).ok_or_else(|| {
            let what = format!("{name:?} is neither a port path nor a label of this bench");
            let labels: Vec<&str> = known.values().filter_map(|p| p.label.as_deref()).collect();
            let failure = Failure::new(Code::R311, what, "--ports")
                .next("write a port as `recover list` does: 3-2.1");
            match labels.as_slice() {
                [] => failure,
                labels => failure.next(format!("or by its label: {}", labels.join(", "))),
            }
        })
    };
    list.split(',').map(str::trim).map(of).collect()
}
