//! The event stream as JSON, one object a line. docs/using.md documents every object.

use std::io::Write;

use super::stdout;
use crate::executor::{Event, Observer};

/// Writes each event as one line.
pub struct Json<W: Write> {
    out: W,
}

impl<W: Write> Json<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> Observer for Json<W> {
    fn observe(&mut self, event: &Event) {
        match serde_json::to_string(event) {
            // A reader that has gone must not end a rescue.
            Ok(line) => stdout::note(writeln!(self.out, "{line}").and_then(|()| self.out.flush())),
            Err(error) => log::error!("an event could not be written: {error}"),
        }
    }
}
