//! The user at the terminal as the operator.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::executor::{Consent, Operator};
use crate::usb::PortPath;

/// Asks on the terminal; where there is none, nobody can be asked.
pub struct TerminalOperator;

impl Operator for TerminalOperator {
    fn consent(&mut self, reasons: &[String]) -> Consent {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Consent::Unasked;
        }
        let mut err = anstream::stderr();
        drop(writeln!(err, "before the memory is written, you should know:"));
        for reason in reasons {
            drop(writeln!(err, "  - {reason}"));
        }
        drop(write!(err, "a backup is kept. Write it? [y/N] "));
        drop(err.flush());
        let mut answer = String::new();
        match io::stdin().lock().read_line(&mut answer) {
            Ok(_) if answer.trim().eq_ignore_ascii_case("y") => Consent::Given,
            _ => Consent::Refused,
        }
    }

    /// The request was shown as an event; the user does it while the bus is watched.
    fn power_cycle(&mut self, _port: &PortPath) {}
}
