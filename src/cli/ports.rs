//! The ports a command works on: the computer's, or those of `simulated` enclosures.

use std::io::BufWriter;
use std::path::Path;

use super::args::CommonArgs;
use super::simulated::{Plugged, Simulated, VirtualOperator};
use super::{interrupt, relays};
use crate::executor::Operator;
use crate::failure::{Code, Failure};
use crate::files;
use crate::profile::Scope;
use crate::ui::TerminalOperator;
use crate::usb::Bus;
use crate::usb::host::{HostBus, restore_power};
use crate::usb::trace::{Recorder, Serials};

/// An open bus and whoever stands in front of it.
pub struct Ports {
    bus: Box<dyn Bus>,
    operator: Box<dyn Operator>,
    simulated: Option<Simulated>,
}

impl CommonArgs {
    /// Whether the devices are real.
    pub fn scope(&self) -> Scope {
        if self.sim.is_some() { Scope::Simulator } else { Scope::Hardware }
    }
}

impl Ports {
    /// Opens the bus that was asked for, recorded where that was asked for too. `serials` may
    /// be in what is sent, and are masked where serial numbers are.
    pub fn open(common: &CommonArgs, serials: &[String]) -> Result<Self, Failure> {
        let mut ports = match &common.sim {
            Some(names) => {
                let simulated = Simulated::open(common, names, Plugged::Already)?;
                let hands = Box::new(VirtualOperator(simulated.bus.clone()));
                let operator = relays::operator(common, hands, Some(&simulated.bus))?;
                let bus = Box::new(simulated.bus.clone());
                Self { bus, operator, simulated: Some(simulated) }
            }
            None => {
                let bus = Box::new(HostBus::new());
                interrupt::before_ending(restore_power);
                let operator = relays::operator(common, Box::new(TerminalOperator), None)?;
                Self { bus, operator, simulated: None }
            }
        };
        if let Some(path) = &common.trace {
            let file = files::create_output(path).map_err(|error| file_failure(path, &error))?;
            let kept = if common.mask_serials { Serials::Masked } else { Serials::Kept };
            let recorder = Recorder::new(ports.bus, BufWriter::new(file), kept);
            for serial in serials {
                recorder.learn_serial(serial);
            }
            ports.bus = Box::new(recorder);
        }
        Ok(ports)
    }

    /// The bus and the operator.
    pub fn parts(&mut self) -> (&mut dyn Bus, &mut dyn Operator) {
        (&mut *self.bus, &mut *self.operator)
    }

    /// Ends the work; virtual memories are kept where that was asked for.
    pub fn close(self) -> Result<(), Failure> {
        self.simulated.map_or(Ok(()), |simulated| simulated.keep())
    }
}

/// A file that could not be made or written.
pub fn file_failure(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Code::R506, error.to_string(), path.display().to_string())
        .next("name a file in a folder that you may write to")
}
