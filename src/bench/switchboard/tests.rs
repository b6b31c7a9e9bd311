use std::io::{self, Read, Write};

use super::*;
use crate::bench::config::parse;
use crate::clock::RealClock;

const BENCH: &str = r#"
[[board]]
name = "left"
device = "/dev/left"
kind = "lcus"

[[port]]
path = "3-2"
power = { board = "left", channel = 1 }
contact = { board = "left", channel = 2 }

[[port]]
path = "3-3"
power = { board = "left", channel = 3, wiring = "normally-open" }
"#;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn taken(&self) -> Vec<String> {
        let mut bytes = self.0.lock().unwrap();
        let commands = bytes.chunks(4).map(hex::encode).collect();
        bytes.clear();
        commands
    }
}

impl Read for Kept {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::TimedOut.into())
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn switchboard() -> (Kept, Switchboard) {
    let config = parse(BENCH, "bench.toml", &[]).unwrap();
    let line = Kept::default();
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let board = Switchboard::open(config, &clock, |_| Ok(Box::new(line.clone()))).unwrap();
    (line, board)
}

fn port() -> PortPath {
    "3-2".parse().unwrap()
}

/// Contact 2 let go, power 1 (NC) let go, power 3 (NO) energised.
const SAFE: [&str; 3] = ["a00200a2", "a00100a1", "a00301a4"];

#[test]
fn the_safe_position_is_set_first_and_last_and_by_a_panic() {
    let (line, board) = switchboard();
    assert_eq!(line.taken(), SAFE);
    let other = board.clone();
    drop(board);
    assert!(line.taken().is_empty(), "another holds them");
    let panicked = std::thread::spawn(move || {
        other.switch(&port(), Switching::PowerOff, false).unwrap();
        panic!("in the middle of a rescue");
    });
    assert!(panicked.join().is_err());
    assert_eq!(line.taken(), ["a00101a2", SAFE[0], SAFE[1], SAFE[2]]);
}

#[test]
fn a_contact_is_closed_only_while_the_power_is_off() {
    let (line, board) = switchboard();
    line.taken();
    let refused = board.switch(&port(), Switching::CloseContact, false).unwrap_err();
    assert_eq!(refused.code, Code::R606);
    assert!(line.taken().is_empty());
    board.switch(&port(), Switching::PowerOff, false).unwrap();
    board.switch(&port(), Switching::CloseContact, false).unwrap();
    board.switch(&port(), Switching::PowerOn, false).unwrap();
    board.switch(&port(), Switching::OpenContact, false).unwrap();
    assert_eq!(line.taken(), ["a00101a2", "a00201a3", "a00100a1", "a00200a2"]);
    board.switch(&port(), Switching::CloseContact, true).unwrap();
    assert_eq!(line.taken(), ["a00201a3"]);
}

#[test]
fn a_port_without_a_relay_is_not_switched() {
    let (_line, board) = switchboard();
    let other = "3-3".parse().unwrap();
    assert_eq!(board.switches(&other), Switches { power: true, contact: false });
    assert_eq!(board.switch(&other, Switching::CloseContact, true).unwrap_err().code, Code::R311);
    assert_eq!(board.switches(&"9-1".parse().unwrap()), Switches::default());
}

#[test]
fn each_refusal_of_a_serial_device_is_its_own_error() {
    let config = parse(BENCH, "bench.toml", &[]).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let refused = |error: fn() -> RelayError| {
        Switchboard::open(config.clone(), &clock, |_| Err(error())).err().unwrap().to_string()
    };
    let all = [
        refused(|| RelayError::Missing),
        refused(|| RelayError::Denied),
        refused(|| RelayError::Busy),
        refused(|| RelayError::NoAnswer),
        refused(|| RelayError::OddAnswer("login:".to_owned())),
        refused(|| RelayError::Unusable("Not a typewriter".to_owned())),
    ];
    insta::assert_snapshot!(all.join("\n\n"));
}
