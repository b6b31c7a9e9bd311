//! Three readers of the one event stream: a terminal with progress bars, plain lines, and JSON.
//!
//! The only module that prints. Narration goes to stderr, data to stdout [design §5]: the
//! narration is `narration`'s lines, the data is the final [`report()`] or the JSON objects.

mod bench_lines;
mod json;
mod narration;
mod operator;
mod report;
mod screen;
mod stdout;
mod terminal;
mod unit;

use std::io::{self, IsTerminal, Write};

pub use bench_lines::{BenchJson, BenchLines, result_line, summary_line};
pub use json::Json;
pub use narration::{Detail, Plain, list_line, narrate};
pub use operator::TerminalOperator;
pub use report::report;
pub use screen::{drawn as bench_screen, give_back as give_back_terminal, show as show_bench};
pub use stdout::end as end_output;
pub use terminal::Terminal;
pub use unit::{unit_line, unit_text};

use crate::bench::Listener;
use crate::executor::{Event, Observer};
use crate::failure::Failure;
use crate::rescue::Outcome;

/// The reader that fits how the program was called.
pub fn observer(json: bool, detail: Detail) -> Box<dyn Observer> {
    if json {
        Box::new(Json::new(io::stdout()))
    } else if io::stderr().is_terminal() {
        Box::new(Terminal::new(detail))
    } else {
        Box::new(Plain::new(io::stderr(), detail))
    }
}

/// The reader of what happens at many ports: JSON on stdout, or lines on stderr.
pub fn listener(json: bool) -> Box<dyn Listener> {
    if json {
        Box::new(BenchJson::new(io::stdout()))
    } else {
        Box::new(BenchLines::new(io::stderr()))
    }
}

/// Says something in between: to stderr.
pub fn announce(text: &str) {
    drop(writeln!(anstream::stderr(), "{text}"));
}

/// Prints data: to stdout. What cannot be written is told at the end, by [`end_output`].
pub fn print(text: &str) {
    stdout::note(writeln!(anstream::stdout(), "{}", text.trim_end()));
}

/// Prints data as it is: a file that goes to stdout.
pub fn print_exactly(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    stdout::note(out.write_all(bytes).and_then(|()| out.flush()));
}

/// Prints how the program is used, to stderr: nobody asked for it.
pub fn print_usage(text: &str) {
    drop(write!(anstream::stderr(), "{text}"));
}

/// Prints an error that no run told of: to stderr, or with `json` as an event to stdout, followed
/// by the outcome where one `is_awaited`.
pub fn print_failure(failure: &Failure, json: bool, is_awaited: bool) {
    if json {
        let mut out = Json::new(io::stdout());
        out.observe(&Event::Failed { failure: failure.clone() });
        if is_awaited {
            let failure = Some(failure.clone());
            let outcome = Box::new(Outcome { failure, ..Outcome::begun() });
            out.observe(&Event::Outcome { outcome });
        }
    } else {
        drop(writeln!(anstream::stderr(), "{failure}"));
    }
}
