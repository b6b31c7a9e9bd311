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
        drop(writeln!(err, "This plan is not verified on real hardware. It relies on:"));
        for reason in reasons {
            drop(writeln!(err, "  - {reason}"));
        }
        drop(write!(
            err,
            "A backup is kept. The option --dry-run lists every step. Write the memory now? [y/N] "
        ));
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
