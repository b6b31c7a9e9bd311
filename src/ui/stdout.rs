//! Standard output: what could not be written there is remembered, so that a program whose data
//! is lost does not end as if it were printed. A reader that has gone is no loss: it wanted no
//! more.

use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

use crate::failure::{Code, Failure};

static LOST: Mutex<Option<String>> = Mutex::new(None);

/// Remembers the first error of writing to stdout.
pub fn note(written: io::Result<()>) {
    let Err(error) = written else { return };
    if error.kind() != ErrorKind::BrokenPipe {
        LOST.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error.to_string());
    }
}

/// Ends the output: whether any of it was lost.
///
/// # Errors
/// R506.
pub fn end() -> Result<(), Failure> {
    note(io::stdout().flush());
    match LOST.lock().unwrap_or_else(PoisonError::into_inner).take() {
        None => Ok(()),
        Some(why) => Err(Failure::new(
            Code::R506,
            format!("not all of the output could be written: {why}"),
            "standard output",
        )
        .next("send the output to another file or to the terminal, and run the same command")),
    }
}
