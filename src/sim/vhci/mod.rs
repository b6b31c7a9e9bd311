//! Virtual enclosures in a real Linux kernel: its virtual host controller, vhci_hcd, takes them
//! for devices on a USB 2 port. Its drivers, libusb and other people's programs meet the models
//! that the simulator's own bus meets. Linux and root only.
//!
//! Nothing goes over a network: the two ends of a socket pair are the cable. When the program
//! ends, however it ends, the kernel sees the cable cut and unplugs the device.
//!
//! Reading order: `kernel` (ports), `wire` (USB/IP), `enclosure` (transfers on the device's time),
//! `pace` (that time against the computer's), `plug` (all of it together), [`hands`] (pulling
//! plugs from a second program), [`power`] (hubs that switch their ports).

mod enclosure;
pub mod hands;
mod kernel;
mod log;
mod pace;
mod plug;
pub mod power;
mod status;
mod wire;

use std::fs::File;
use std::io;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

pub use kernel::{KernelError, KernelPort, free_ports};

use self::enclosure::Enclosure;
use self::log::Log;
use self::plug::{Message, Parts, Plug};
use super::device::Device;
use super::{Faults, Scenario};
use crate::usb::PortPath;

/// How devices are played.
#[derive(Clone, Debug, Default)]
pub struct Manner {
    /// Disturbances of each device's transfers.
    pub faults: Option<Faults>,
    /// Answers come as soon as they are known, not at their time.
    pub unpaced: bool,
    /// What lies in each EEPROM from address 0 on, FF behind it, in place of the scenario's own.
    pub eeprom: Option<Vec<u8>>,
    /// Where a line for every transfer goes.
    pub log: Option<Arc<Mutex<File>>>,
}

/// Plugged-in devices.
#[derive(Debug)]
pub struct Attached {
    ended: Receiver<(PortPath, Result<(), KernelError>)>,
}

impl Attached {
    /// Waits until a device's thread ends, which only an error makes it do. `None` when none is
    /// left.
    pub fn wait(&self) -> Option<(PortPath, Result<(), KernelError>)> {
        self.ended.recv().ok()
    }
}

/// Plugs each scenario's device into its port. `watcher` is the command for a process that does
/// [`power::watch`] for these ports.
///
/// # Errors
/// When a thread or the socket for hands cannot be made. Devices that were plugged in before stay
/// until the program ends.
pub fn attach(
    devices: Vec<(KernelPort, &'static Scenario)>,
    manner: &Manner,
    watcher: Command,
) -> io::Result<Attached> {
    let (over, ended) = channel();
    let mut inboxes = Vec::new();
    for (port, scenario) in devices {
        let path = port.path.clone();
        inboxes.push((path, play(port, scenario, manner, over.clone())?));
    }
    power::follow(watcher, inboxes)?;
    Ok(Attached { ended })
}

fn device(scenario: &Scenario, manner: &Manner) -> Box<dyn Device> {
    let mut device = scenario.device();
    if let (Some(bytes), Some(part)) = (&manner.eeprom, device.eeprom_mut()) {
        part.load(bytes);
    }
    device
}

fn play(
    port: KernelPort,
    scenario: &'static Scenario,
    manner: &Manner,
    over: Sender<(PortPath, Result<(), KernelError>)>,
) -> io::Result<Sender<Message>> {
    let path = port.path.clone();
    let (to_inbox, inbox) = channel();
    hands::serve(&path, to_inbox.clone())?;
    let faults = manner.faults.clone().unwrap_or_else(|| scenario.faults());
    let plug = Plug::new(Parts {
        log: Log::of(path.clone(), manner.log.clone()),
        port,
        scenario: scenario.name,
        enclosure: Enclosure::new(device(scenario, manner), faults),
        paced: !manner.unpaced,
        inbox,
        to_inbox: to_inbox.clone(),
    });
    thread::Builder::new().name(format!("device {path}")).spawn(move || {
        let ended = plug.run();
        // Whoever waits may have left.
        let _ = over.send((path, ended));
    })?;
    Ok(to_inbox)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::scenario;

    #[test]
    fn a_dump_of_the_users_own_lies_in_the_eeprom_and_ff_behind_it() {
        let scenario = scenario("ezusb-zeroed").unwrap();
        let manner = Manner { eeprom: Some(vec![0xC0, 1, 2]), ..Manner::default() };
        let content = device(scenario, &manner).eeprom().unwrap().content();
        assert_eq!(content[..4], [0xC0, 1, 2, 0xFF]);
        let own = device(scenario, &Manner::default()).eeprom().unwrap().content();
        assert_eq!(own[..4], [0; 4]);
    }
}
