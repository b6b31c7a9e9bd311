//! A real hub: the port named by RECOVER_HUB_PORT loses its power and gets it back. Made for a
//! hub that switches; ignored by default.

#![expect(clippy::unwrap_used, reason = "a test may speak and fail loudly")]

use std::time::Duration;

use recover::clock::Deadline;
use recover::usb::host::HostBus;
use recover::usb::{Bus, PortPath, Sighting};

/// Waits until the device of the port is what is asked for, at most five seconds.
fn wait(bus: &mut HostBus, port: &PortPath, what: impl Fn(Option<&Sighting>) -> bool) -> bool {
    let clock = bus.clock();
    let deadline = Deadline::after(&*clock, Duration::from_secs(5));
    while !deadline.passed(&*clock) {
        let seen = bus.scan().unwrap();
        if what(seen.iter().find(|seen| seen.port == *port)) {
            return true;
        }
        clock.sleep(Duration::from_millis(100));
    }
    false
}

#[test]
#[ignore = "needs a hub that switches, and RECOVER_HUB_PORT"]
fn a_real_hub_takes_the_power_of_one_port_and_gives_it_back() {
    let port = std::env::var("RECOVER_HUB_PORT").expect("RECOVER_HUB_PORT names a port");
    let port: PortPath = port.parse().unwrap();
    let mut bus = HostBus::new();
    let before = bus.scan().unwrap();
    let seen = before.iter().find(|seen| seen.port == port).unwrap().clone();
    bus.power_off(&seen).unwrap();
    bus.clock().sleep(Duration::from_secs(1));
    bus.power_on(&port).unwrap();
    let number = seen.device_number;
    let is_new = |seen: Option<&Sighting>| seen.is_some_and(|seen| seen.device_number != number);
    assert!(wait(&mut bus, &port, is_new), "nothing came back");
    let after = bus.scan().unwrap();
    let stayed = |old: &&Sighting| after.iter().any(|new| new.is_same_enumeration(old));
    assert_eq!(before.iter().filter(stayed).count() + 1, before.len(), "only that device left");
}
