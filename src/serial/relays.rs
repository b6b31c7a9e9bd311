//! A relay board on an open line.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use super::{BoardKind, wire};
use crate::clock::{Clock, Deadline};

/// How long a board may take to answer.
const ANSWER_TIME: Duration = Duration::from_secs(1);
/// Between two looks for an answer.
const POLL: Duration = Duration::from_millis(20);
/// How long a relay's armature takes to move and stop bouncing; boards name 10 ms.
const SETTLE: Duration = Duration::from_millis(30);
/// More than any board says.
const MAX_ANSWER: usize = 256;

/// What a board is reached through: a serial line, or a test's memory.
pub trait Line: Read + Write + Send {}

impl<L: Read + Write + Send> Line for L {}

/// Why a relay was not switched.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The board is of a kind that answers and did not.
    #[error("the board does not answer")]
    NoAnswer,
    /// Something else answered than such a board.
    #[error("the reply is not from a board of this kind: {0:?}")]
    OddAnswer(String),
    /// There is no such device.
    #[error("the serial device does not exist")]
    Missing,
    /// The operating system forbids opening it.
    #[error("no permission to open the serial device")]
    Denied,
    /// Another program holds it.
    #[error("another program holds the serial device")]
    Busy,
    /// It is no serial line, or it failed while it was used.
    #[error("the serial device cannot be used: {0}")]
    Unusable(String),
}

impl From<io::Error> for RelayError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::PermissionDenied => Self::Denied,
            _ => Self::Unusable(error.to_string()),
        }
    }
}

/// An open relay board.
pub struct Relays {
    kind: BoardKind,
    line: Box<dyn Line>,
    clock: Arc<dyn Clock>,
}

impl Relays {
    /// A board of that kind on an open line. Nothing is switched.
    ///
    /// # Errors
    /// [`RelayError::NoAnswer`], [`RelayError::OddAnswer`] where the kind answers.
    pub fn new(
        kind: BoardKind,
        line: Box<dyn Line>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RelayError> {
        let mut relays = Self { kind, line, clock };
        if !wire::wake(kind).is_empty() {
            relays.say(wire::wake(kind))?;
        }
        Ok(relays)
    }

    /// Energises a relay or lets it go, and returns when its contacts have settled.
    ///
    /// # Errors
    /// [`RelayError`]; whether the relay moved is then unknown.
    pub fn set(&mut self, channel: u8, energised: bool) -> Result<(), RelayError> {
        let command = wire::command(self.kind, channel, energised);
        log::debug!("relay {channel}: {}", if energised { "energised" } else { "let go" });
        let answer = self.say(&command)?;
        if !wire::is_taken(self.kind, &command, &answer) {
            return Err(RelayError::OddAnswer(String::from_utf8_lossy(&answer).into_owned()));
        }
        self.clock.sleep(SETTLE);
        Ok(())
    }

    /// Sends bytes and waits for the answer, where the kind gives one.
    fn say(&mut self, bytes: &[u8]) -> Result<Vec<u8>, RelayError> {
        self.line.write_all(bytes)?;
        self.line.flush()?;
        let deadline = Deadline::after(&*self.clock, ANSWER_TIME);
        let mut answer = Vec::new();
        while !wire::is_complete(self.kind, &answer) {
            let mut piece = [0; 64];
            match self.line.read(&mut piece) {
                Ok(0) => self.clock.sleep(POLL),
                Ok(count) => answer.extend(piece.iter().take(count)),
                Err(error) => match error.kind() {
                    io::ErrorKind::TimedOut
                    | io::ErrorKind::WouldBlock
                    | io::ErrorKind::Interrupted => self.clock.sleep(POLL),
                    _ => return Err(error.into()),
                },
            }
            if answer.len() > MAX_ANSWER || deadline.passed(&*self.clock) {
                return Err(match answer.as_slice() {
                    [] => RelayError::NoAnswer,
                    odd => RelayError::OddAnswer(String::from_utf8_lossy(odd).into_owned()),
                });
            }
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    struct Ticks(AtomicU64);

    impl Clock for Ticks {
        fn now(&self) -> Duration {
            Duration::from_millis(self.0.load(Ordering::Relaxed))
        }

        fn sleep(&self, duration: Duration) {
            self.0.fetch_add(u64::try_from(duration.as_millis()).unwrap(), Ordering::Relaxed);
        }

        fn date(&self) -> jiff::Timestamp {
            jiff::Timestamp::UNIX_EPOCH
        }
    }

    /// Keeps what is written and hands out what was put in.
    #[derive(Clone, Default)]
    struct Memory {
        written: Arc<Mutex<Vec<u8>>>,
        answers: Arc<Mutex<Vec<u8>>>,
    }

    impl Read for Memory {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let mut answers = self.answers.lock().unwrap();
            let count = answers.len().min(buffer.len());
            buffer[..count].copy_from_slice(&answers[..count]);
            answers.drain(..count);
            if count == 0 { Err(io::ErrorKind::TimedOut.into()) } else { Ok(count) }
        }
    }

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.written.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn relays(kind: BoardKind, answers: &[u8]) -> (Memory, Result<Relays, RelayError>) {
        let memory = Memory::default();
        memory.answers.lock().unwrap().extend(answers);
        let clock = Arc::new(Ticks(AtomicU64::new(0)));
        let relays = Relays::new(kind, Box::new(memory.clone()), clock);
        (memory, relays)
    }

    #[test]
    fn a_board_that_does_not_answer_is_told_and_believed() {
        let (memory, relays) = relays(BoardKind::Lcus, b"");
        relays.unwrap().set(2, true).unwrap();
        assert_eq!(*memory.written.lock().unwrap(), [0xa0, 2, 1, 0xa3]);
    }

    #[test]
    fn a_board_that_answers_is_listened_to() {
        let (memory, relays) = relays(BoardKind::Numato, b"\n\r>");
        let mut relays = relays.unwrap();
        memory.answers.lock().unwrap().extend(b"relay on 3\n\r>");
        relays.set(4, true).unwrap();
        assert_eq!(*memory.written.lock().unwrap(), b"\rrelay on 3\r");
    }

    #[test]
    fn silence_and_strange_answers_are_two_errors() {
        let silent = relays(BoardKind::Numato, b"").1.err();
        assert!(matches!(silent, Some(RelayError::NoAnswer)), "{silent:?}");
        let odd = relays(BoardKind::Numato, b"login: ").1.err();
        assert!(matches!(odd, Some(RelayError::OddAnswer(_))), "{odd:?}");
        let (memory, relays) = relays(BoardKind::Numato, b"\n\r>");
        memory.answers.lock().unwrap().extend(b"unknown command\n\r>");
        let odd = relays.unwrap().set(1, true).unwrap_err();
        assert!(matches!(odd, RelayError::OddAnswer(_)), "{odd:?}");
    }

    #[test]
    fn endless_chatter_is_given_up() {
        let odd = relays(BoardKind::Numato, &[b'x'; 5000]).1.err();
        assert!(matches!(odd, Some(RelayError::OddAnswer(_))), "{odd:?}");
    }
}
