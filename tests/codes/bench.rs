//! R6xx and R7xx: the bench, its relays, and virtual enclosures on this computer's kernel.

use std::io::{self, Read, Write};
use std::path::Path;

use recover::bench::Switchboard;
use recover::bench::config::{Board, load};
use recover::executor::Switching;
use recover::failure::{Code, Failure};
use recover::serial::{Line, RelayError, port as serial};
use recover::sim::{SimBus, scenarios};
use recover::usb::Bus;

use crate::codes::case::{Answer, Case};
use crate::codes::program::{Program, answer};
use crate::support::port;

pub const CASES: &[Case] = &[
    Case { code: Code::R601, what: "a port that is none", provoke: a_wrong_port },
    Case { code: Code::R602, what: "no such serial device", provoke: no_such_device },
    Case { code: Code::R602, what: "a board pulled before it is opened", provoke: a_pulled_board },
    Case { code: Code::R603, what: "a board that is silent", provoke: || opened("numato", silent) },
    Case { code: Code::R604, what: "no permission", provoke: || opened("lcus", denied) },
    Case { code: Code::R605, what: "another program's device", provoke: || opened("lcus", busy) },
    Case { code: Code::R605, what: "a file for a device", provoke: || opened("lcus", system) },
    Case { code: Code::R606, what: "a contact under power", provoke: a_contact_under_power },
    Case { code: Code::R701, what: "more than any kernel takes", provoke: more_than_fit },
    Case { code: Code::R702, what: "no enclosure there", provoke: no_enclosure },
];

/// A bench file with one board of that kind, whose serial device is a file.
fn bench(kind: &str) -> Program {
    let program = Program::new();
    let device = program.write("relays", "");
    let text = format!(
        "[[board]]\nname = \"left\"\ndevice = {:?}\nkind = \"{kind}\"\n\n\
         [[port]]\npath = \"3-2\"\n\
         power = {{ board = \"left\", channel = 1 }}\n\
         contact = {{ board = \"left\", channel = 2 }}\n",
        device.display().to_string()
    );
    program.write("bench.toml", text);
    program
}

type Opener = fn(&Board) -> Result<Box<dyn Line>, RelayError>;

fn switchboard(program: &Program, open: Opener) -> Result<Switchboard, Failure> {
    let config = load(&program.file("bench.toml"), &[]).unwrap();
    Switchboard::open(config, &Bus::clock(&SimBus::new()), open)
}

fn opened(kind: &str, open: Opener) -> Answer {
    switchboard(&bench(kind), open).into()
}

/// A line on which everything is written and nothing comes back.
struct Silent;

impl Read for Silent {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::TimedOut.into())
    }
}

impl Write for Silent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn silent(_: &Board) -> Result<Box<dyn Line>, RelayError> {
    Ok(Box::new(Silent))
}

/// As the system answers a user outside the group of serial devices; root is never answered so.
fn denied(_: &Board) -> Result<Box<dyn Line>, RelayError> {
    Err(RelayError::Denied)
}

fn busy(_: &Board) -> Result<Box<dyn Line>, RelayError> {
    Err(RelayError::Busy)
}

/// The program's own way to a serial device.
fn system(board: &Board) -> Result<Box<dyn Line>, RelayError> {
    serial::open(&board.device, board.baud)
}

fn a_wrong_port() -> Answer {
    let program = Program::new();
    program.write("bench.toml", "[[port]]\npath = \"three\"\n");
    program.run("--auto --sim --bench-config @bench.toml")
}

fn no_such_device() -> Answer {
    let program = bench("lcus");
    std::fs::remove_file(program.file("relays")).unwrap();
    program.run("--auto --sim --bench-config @bench.toml")
}

fn a_pulled_board() -> Answer {
    opened("lcus", |board| {
        serial::open(Path::new(&format!("{}-pulled", board.device.display())), board.baud)
    })
}

fn a_contact_under_power() -> Answer {
    let board = switchboard(&bench("lcus"), silent).unwrap();
    board.switch(&port(), Switching::CloseContact, false).into()
}

/// A kernel has at most 128 controllers with 15 ports of either speed; without the controller, or
/// without the right to use it, one would be too many.
fn more_than_fit() -> Answer {
    let maximum = 128 * 2 * 15;
    let names: Vec<&str> =
        scenarios().iter().cycle().take(maximum / 255 + 1).map(|scenario| scenario.name).collect();
    answer(&format!("sim attach --count 255 {}", names.join(" ")))
}

fn no_enclosure() -> Answer {
    answer("sim power 99-9 off")
}
