//! The bench file: its relays, real ones or the simulator's.

use std::path::PathBuf;
use std::sync::Arc;

use super::args::CommonArgs;
use super::{home, interrupt, library};
use crate::bench::config::{self, BenchConfig, Board, Wiring};
use crate::bench::{RelayOperator, Switchboard};
use crate::clock::{Clock, RealClock};
use crate::executor::Operator;
use crate::failure::{Code, Failure};
use crate::serial::{Line, RelayError, port};
use crate::sim::SimBus;

/// The bench file: the one that was named, else the user's own where there is one. The simulator
/// has none of its own: the user's describes a bench that it has nothing to do with.
pub fn config(common: &CommonArgs) -> Result<Option<BenchConfig>, Failure> {
    let Some(path) = path(common)? else { return Ok(None) };
    let library = library(common)?;
    let known: Vec<&str> = library.profiles().map(|profile| profile.name.as_str()).collect();
    config::load(&path, &known).map(Some)
}

fn path(common: &CommonArgs) -> Result<Option<PathBuf>, Failure> {
    if common.bench_config.is_some() {
        return Ok(common.bench_config.clone());
    }
    if common.sim.is_some() {
        return Ok(None);
    }
    let own = home(common)?.join("bench.toml");
    Ok(own.exists().then_some(own))
}

/// `person` with the bench's relays, where there are any. `sim` is the virtual bus, where that is
/// in use.
pub fn operator(
    common: &CommonArgs,
    person: Box<dyn Operator>,
    sim: Option<&SimBus>,
) -> Result<Box<dyn Operator>, Failure> {
    Ok(match switchboard(common, sim)? {
        Some(relays) => Box::new(RelayOperator::new(person, relays)),
        None => person,
    })
}

/// The relays of the bench file, in their safe position, where there are any.
pub fn switchboard(
    common: &CommonArgs,
    sim: Option<&SimBus>,
) -> Result<Option<Switchboard>, Failure> {
    let boards = match sim {
        Some(bus) => VirtualBoard::of(common, bus)?,
        None => None,
    };
    let Some(config) = config(common)? else { return Ok(None) };
    if config.boards.is_empty() {
        return Ok(None);
    }
    if let Some(boards) = &boards {
        boards.wire(&config)?;
    }
    let open = |board: &Board| -> Result<Box<dyn Line>, RelayError> {
        let line = port::open(&board.device, board.baud)?;
        Ok(match &boards {
            Some(virtual_board) => virtual_board.in_step(board, line),
            None => line,
        })
    };
    // Relays move in real time, whatever clock the devices live by.
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let relays = Switchboard::open(config, &clock, open)?;
    interrupt::before_ending(relays.at_interruption());
    Ok(Some(relays))
}

#[cfg(unix)]
use virtual_board::VirtualBoard;

#[cfg(not(unix))]
struct VirtualBoard;

#[cfg(not(unix))]
impl VirtualBoard {
    fn of(common: &CommonArgs, _: &SimBus) -> Result<Option<Self>, Failure> {
        match &common.sim_relay {
            None => Ok(None),
            Some(_) => Err(Failure::new(
                Code::R311,
                "virtual relay boards need Unix pseudo terminals",
                "--sim-relay",
            )
            .next("leave --sim-relay out")),
        }
    }

    fn wire(&self, _: &BenchConfig) -> Result<(), Failure> {
        Ok(())
    }

    fn in_step(&self, _: &Board, line: Box<dyn Line>) -> Box<dyn Line> {
        line
    }
}

#[cfg(unix)]
mod virtual_board {
    //! A board of the simulator behind a serial device of this computer.

    use std::cell::RefCell;
    use std::io::{self, Read, Write};

    use super::*;
    use crate::sim::pty::{Pty, Taken};
    use crate::sim::relay::{Dialect, Purpose, RelayBoard, Wire, Wires};

    pub(super) struct VirtualBoard {
        bus: SimBus,
        dialect: Dialect,
        link: PathBuf,
        pty: RefCell<Option<Pty>>,
        taken: Taken,
    }

    impl VirtualBoard {
        /// The board of `--sim-relay`, its serial device in place.
        pub(super) fn of(common: &CommonArgs, bus: &SimBus) -> Result<Option<Self>, Failure> {
            let Some(text) = &common.sim_relay else { return Ok(None) };
            let wrong = |why: String| {
                Failure::new(Code::R311, why, "--sim-relay")
                    .next("write it like --sim-relay lcus=/tmp/relays")
            };
            let (dialect, link) =
                text.split_once('=').ok_or_else(|| wrong(format!("{text:?} names no file")))?;
            let dialect = dialect.parse().map_err(|error| wrong(format!("{error}")))?;
            let link = PathBuf::from(link);
            let pty = Pty::open()
                .and_then(|pty| pty.link(&link).map(|()| pty))
                .map_err(|error| wrong(error.to_string()))?;
            Ok(Some(Self {
                bus: bus.clone(),
                dialect,
                link,
                pty: RefCell::new(Some(pty)),
                taken: Taken::default(),
            }))
        }

        /// Wires the board to the ports as the bench file says, and lets it live.
        pub(super) fn wire(&self, config: &BenchConfig) -> Result<(), Failure> {
            let Some(board) = config.boards.iter().find(|board| board.device == self.link) else {
                let what = format!("no board in the bench file has {}", self.link.display());
                return Err(Failure::new(Code::R311, what, "--sim-relay")
                    .next("name it as `device` of a [[board]]"));
            };
            let mut wires = Vec::new();
            for port in &config.ports {
                let power = port.power.iter().map(|channel| match channel.wiring {
                    Wiring::NormallyClosed => (channel, Purpose::PowerNormallyClosed),
                    Wiring::NormallyOpen => (channel, Purpose::PowerNormallyOpen),
                });
                let contact = port.contact.iter().map(|channel| (channel, Purpose::Contact));
                for (channel, purpose) in power.chain(contact) {
                    if channel.board == board.name {
                        let (channel, port) = (channel.channel, port.path.clone());
                        wires.push(Wire { channel, port, purpose });
                    }
                }
            }
            let Some(pty) = self.pty.take() else { return Ok(()) };
            let board =
                RelayBoard::new(self.dialect, Box::new(Wires::new(self.bus.clone(), wires)));
            let taken = self.taken.clone();
            std::thread::spawn(move || {
                if let Err(error) = pty.serve(board, &taken) {
                    log::error!("the virtual relay board failed: {error}");
                }
            });
            Ok(())
        }

        /// The line to it, on which a write has been obeyed when it returns: virtual time passes
        /// only when it is told to, and must not pass before.
        pub(super) fn in_step(&self, board: &Board, line: Box<dyn Line>) -> Box<dyn Line> {
            if board.device == self.link {
                Box::new(InStep { line, sent: 0, taken: self.taken.clone() })
            } else {
                line
            }
        }
    }

    struct InStep {
        line: Box<dyn Line>,
        sent: u64,
        taken: Taken,
    }

    impl Read for InStep {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.line.read(buffer)
        }
    }

    impl Write for InStep {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = self.line.write(bytes)?;
            self.sent += count as u64;
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.line.flush()?;
            self.taken.wait_for(self.sent);
            Ok(())
        }
    }
}
