//! The power of kernel ports: any program may take it away from a hub's port, and the kernel's
//! virtual hub tells nobody but whoever asks for the port's status.
//!
//! Asking is left to a process of its own. The kernel holds a hub's lock while it enumerates a
//! device on it, and so does a question to the hub, which cannot be interrupted. Asked from the
//! process that plays the device, each would wait for the other; and were that process killed
//! then, its sockets would never close and the kernel would wait for ever.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::parent_id;
use std::process::{Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use super::plug::Message;
use crate::clock::{Clock, RealClock};
use crate::usb::host::HubLink;
use crate::usb::{BusError, PortPath, TransferError};

/// How often a port is asked.
const INTERVAL: Duration = Duration::from_millis(50);

/// Writes a line, `1-2 off`, whenever one of these ports of a root hub gains or loses power, until
/// nobody reads or the process that began this one has ended.
///
/// # Errors
/// When the hub cannot be asked.
pub fn watch(ports: &[PortPath], out: &mut impl Write) -> Result<(), BusError> {
    let clock = RealClock::new();
    let parent = parent_id();
    let mut watched = Vec::new();
    for port in ports {
        let number = port.ports().first().copied().unwrap_or_default();
        watched.push((port, number, HubLink::root_of(port.bus())?, true));
    }
    while parent_id() == parent {
        for (port, number, hub, was) in &mut watched {
            let powered = match hub.is_powered(*number) {
                Ok(powered) => powered,
                Err(TransferError::Gone) => return Err(BusError::Left(port.clone())),
                Err(error) => {
                    // The kernel may hold the hub for as long as a device on it does not answer.
                    log::debug!("{port}: {error}");
                    continue;
                }
            };
            if powered != *was {
                *was = powered;
                let word = if powered { "on" } else { "off" };
                if writeln!(out, "{port} {word}").and_then(|()| out.flush()).is_err() {
                    return Ok(());
                }
            }
        }
        clock.sleep(INTERVAL);
    }
    Ok(())
}

/// Begins `watcher`, a process that does [`watch`], and tells each port's thread what it says.
pub(super) fn follow(
    mut watcher: Command,
    inboxes: Vec<(PortPath, Sender<Message>)>,
) -> io::Result<()> {
    let mut child = watcher.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let lines = child.stdout.take().map(BufReader::new);
    thread::Builder::new().name("port power".to_owned()).spawn(move || {
        for line in lines.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
            tell(&line, &inboxes);
        }
        log::warn!("the power of ports is not followed any more: {:?}", child.wait());
    })?;
    Ok(())
}

fn tell(line: &str, inboxes: &[(PortPath, Sender<Message>)]) {
    let Some((port, word)) = line.split_once(' ') else { return };
    let powered = match word {
        "on" => true,
        "off" => false,
        _ => return,
    };
    for (_, inbox) in inboxes.iter().filter(|(path, _)| path.to_string() == port) {
        // A device whose thread has ended has no use for it.
        let _ = inbox.send(Message::HubPower(powered));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn each_port_hears_of_its_own_power_only() {
        let (one, heard) = channel();
        let (other, nothing) = channel();
        let inboxes = [(PortPath::new(1, vec![2]), one), (PortPath::new(1, vec![3]), other)];
        for line in ["1-2 off", "1-2 maybe", "1-4 off", "", "1-2 on"] {
            tell(line, &inboxes);
        }
        let powers: Vec<_> = heard
            .try_iter()
            .map(|message| match message {
                Message::HubPower(on) => on,
                _ => panic!("not of power"),
            })
            .collect();
        assert_eq!(powers, [false, true]);
        assert!(nothing.try_recv().is_err());
    }
}
