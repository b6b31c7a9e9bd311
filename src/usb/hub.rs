//! The power of one port of a hub, by the hub's own class requests [USB 2.0 §11.24.2]. Pure
//! encoders and decoders, and the sequence over a [`Link`] to the hub; who opens the hub is not
//! known here.
//!
//! Many hubs say that they switch power by port and do not. What the port says afterwards is
//! checked here. Most that lie disconnect the device and leave VBUS on: what comes back then is
//! for the caller to judge.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::in_use::{self, Use};
use super::{Link, PortPath, Setup, Transfer, TransferError};
use crate::clock::Deadline;
use crate::usb::transfer::CONTROL_TIMEOUT;

/// bmRequestType: class request to the hub, device to host [USB 2.0 table 11-16].
const HUB_IN: u8 = 0xa0;
/// bmRequestType: class request to a port, device to host.
const PORT_IN: u8 = 0xa3;
/// bmRequestType: class request to a port, host to device.
const PORT_OUT: u8 = 0x23;
/// GET_STATUS, CLEAR_FEATURE, SET_FEATURE, GET_DESCRIPTOR [USB 2.0 table 11-16].
const GET_STATUS: u8 = 0;
const CLEAR_FEATURE: u8 = 1;
const SET_FEATURE: u8 = 3;
const GET_DESCRIPTOR: u8 = 6;
/// [USB 2.0 table 11-17] The feature selector PORT_POWER.
const PORT_POWER: u16 = 8;
/// [USB 2.0 table 11-13] Descriptor type of a hub; [USB 3.2 table 10-5] of a SuperSpeed hub.
const HUB_DESCRIPTOR: u8 = 0x29;
const SUPER_HUB_DESCRIPTOR: u8 = 0x2a;
/// The bytes of a hub descriptor that are the same in both and all that is looked at: bDescLength,
/// bDescriptorType, bNbrPorts, wHubCharacteristics, bPwrOn2PwrGood.
const DESCRIPTOR_BYTES: u16 = 12;

/// How long a port may take to notice that its device is without power.
const DISCONNECT_TIME: Duration = Duration::from_secs(1);
/// Between two looks at a port.
const POLL: Duration = Duration::from_millis(50);

/// Why a port's power was not switched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PowerError {
    /// Nothing there switches the power of this port alone; why, a sentence without its full
    /// stop.
    #[error("{0}")]
    NotSwitchable(String),
    /// The operating system forbids opening the hub.
    #[error("no permission to open the hub of port {0}")]
    Denied(PortPath),
    /// The port does not hold the device that was sighted.
    #[error("the device at port {0} is gone")]
    Left(PortPath),
    /// The owner of the computer uses what lies behind the device; it kept its power.
    #[error(
        "the device at port {port} is in use: {}; end the use first: {}",
        in_use::list(uses),
        in_use::ends(uses)
    )]
    InUse {
        /// Its port.
        port: PortPath,
        /// Every use that was found.
        uses: Vec<Use>,
    },
    /// The hub said that it took the power, and the device stayed.
    #[error(
        "the hub reported power off, but the device at port {0} stayed: the hub does not switch the power"
    )]
    Stayed(PortPath),
    /// The hub did not do what it was told.
    #[error("the hub of port {port}: {source}")]
    Failed {
        /// The port that was to be switched.
        port: PortPath,
        /// How the request ended.
        source: TransferError,
    },
}

/// How a hub switches power: wHubCharacteristics bits 1..0 [USB 2.0 table 11-13].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switching {
    /// All ports at once.
    Ganged,
    /// Each port by itself.
    Individual,
    /// Not at all.
    None,
}

/// What is looked at of a hub's descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hub {
    /// bNbrPorts.
    pub ports: u8,
    /// How it switches power.
    pub switching: Switching,
}

/// Reads a hub descriptor of either kind; `None` for anything else.
pub fn descriptor(bytes: &[u8]) -> Option<Hub> {
    let [length, kind, ports, low, _, ..] = *bytes else { return None };
    let is_hub = matches!(kind, HUB_DESCRIPTOR | SUPER_HUB_DESCRIPTOR) && length >= 7;
    is_hub.then_some(Hub {
        ports,
        switching: match low & 0b11 {
            0b00 => Switching::Ganged,
            0b01 => Switching::Individual,
            // 1X: no power switching; used by hubs of USB 1.0 only.
            _ => Switching::None,
        },
    })
}

/// Whether a port's status says that something is attached: PORT_CONNECTION, bit 0 in hubs of both
/// kinds [USB 2.0 table 11-21; USB 3.2 table 10-13].
pub fn is_attached(status: &[u8]) -> bool {
    status.first().is_some_and(|low| low & 1 == 1)
}

/// The request for a hub's descriptor.
pub fn get_descriptor(is_super: bool) -> Transfer {
    let kind = if is_super { SUPER_HUB_DESCRIPTOR } else { HUB_DESCRIPTOR };
    let setup = Setup {
        request_type: HUB_IN,
        request: GET_DESCRIPTOR,
        value: u16::from(kind) << 8,
        index: 0,
        length: DESCRIPTOR_BYTES,
    };
    Transfer::ControlIn { setup, timeout: CONTROL_TIMEOUT }
}

/// The request for a port's status, 4 bytes.
pub fn get_status(port: u8) -> Transfer {
    let setup = Setup {
        request_type: PORT_IN,
        request: GET_STATUS,
        value: 0,
        index: u16::from(port),
        length: 4,
    };
    Transfer::ControlIn { setup, timeout: CONTROL_TIMEOUT }
}

/// The request that switches a port's power.
pub fn set_power(port: u8, on: bool) -> Transfer {
    let setup = Setup {
        request_type: PORT_OUT,
        request: if on { SET_FEATURE } else { CLEAR_FEATURE },
        value: PORT_POWER,
        index: u16::from(port),
        length: 0,
    };
    Transfer::ControlOut { setup, data: Vec::new(), timeout: CONTROL_TIMEOUT }
}

/// Whether a port's status says that it has power: wPortStatus bit 8 [USB 2.0 table 11-21], bit 9
/// at a SuperSpeed hub [USB 3.2 table 10-13].
pub fn is_powered(status: &[u8], is_super: bool) -> Option<bool> {
    let [low, high, ..] = *status else { return None };
    let bit = if is_super { 9 } else { 8 };
    Some(u16::from_le_bytes([low, high]) & (1 << bit) != 0)
}

/// Whether a port's status says that a device is connected: wPortStatus bit 0 in both.
pub fn is_connected(status: &[u8]) -> bool {
    status.first().is_some_and(|low| low & 1 != 0)
}

/// Switches the power of `port`, the last number of its path, at the hub behind `link`. Nothing is
/// switched at a hub that would switch other ports along.
///
/// # Errors
/// [`PowerError`]; [`PowerError::NotSwitchable`] also where the port still says it has power,
/// [`PowerError::Stayed`] where it still says it has a device, and was given its power back.
pub fn switch(
    link: &mut dyn Link,
    port: &PortPath,
    is_super: bool,
    on: bool,
) -> Result<(), PowerError> {
    let failed = |source| PowerError::Failed { port: port.clone(), source };
    let not_switchable = |why: &str| PowerError::NotSwitchable(why.to_owned());
    let number = *port.ports().last().ok_or_else(|| not_switchable("a root hub has no port"))?;
    let answer = link.exchange(&get_descriptor(is_super)).map_err(failed)?;
    let hub = descriptor(&answer.data)
        .ok_or_else(|| not_switchable("the parent of this port has no hub descriptor"))?;
    if number == 0 || number > hub.ports {
        return Err(PowerError::NotSwitchable(format!(
            "its hub reports {} ports, and {number} is not one of them",
            hub.ports
        )));
    }
    match hub.switching {
        Switching::Individual => {}
        Switching::Ganged => {
            return Err(not_switchable("its hub switches all its ports at once"));
        }
        Switching::None => return Err(not_switchable("its hub does not switch power")),
    }
    link.exchange(&set_power(number, on)).map_err(failed)?;
    let clock = link.clock();
    let deadline = Deadline::after(&*clock, DISCONNECT_TIME);
    let mut was_off = false;
    loop {
        let status = link.exchange(&get_status(number)).map_err(failed)?;
        if let Some(is_on) = is_powered(&status.data, is_super)
            && is_on != on
        {
            if was_off {
                // Linux gives power back to a port whose device has left [HUB, hub_port_connect],
                // and lets nobody ask the hub meanwhile. What comes up is a new enumeration.
                return Ok(());
            }
            let state = if is_on { "on" } else { "off" };
            return Err(PowerError::NotSwitchable(format!(
                "its hub left the port's power {state}"
            )));
        }
        was_off = !on;
        // The operating system may go on listing what is gone, so the hub itself is asked.
        if on || !is_connected(&status.data) {
            return Ok(());
        }
        if deadline.passed(&*clock) {
            link.exchange(&set_power(number, true)).map_err(failed)?;
            return Err(PowerError::Stayed(port.clone()));
        }
        clock.sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usb::Reply;

    #[test]
    fn a_port_is_switched_by_the_bytes_of_the_specification() {
        assert_eq!(
            get_descriptor(false).to_string(),
            "control in a0 06 wValue 2900 wIndex 0000 wLength 12"
        );
        assert_eq!(
            get_descriptor(true).to_string(),
            "control in a0 06 wValue 2a00 wIndex 0000 wLength 12"
        );
        assert_eq!(get_status(3).to_string(), "control in a3 00 wValue 0000 wIndex 0003 wLength 4");
        assert_eq!(
            set_power(3, true).to_string(),
            "control out 23 03 wValue 0008 wIndex 0003 wLength 0"
        );
        assert_eq!(
            set_power(3, false).to_string(),
            "control out 23 01 wValue 0008 wIndex 0003 wLength 0"
        );
    }

    #[test]
    fn a_hubs_descriptor_says_how_it_switches() {
        let with = |low| descriptor(&[9, 0x29, 4, low, 0, 50, 100, 0, 0xff]);
        assert_eq!(with(0xe9), Some(Hub { ports: 4, switching: Switching::Individual }));
        assert_eq!(with(0xe0), Some(Hub { ports: 4, switching: Switching::Ganged }));
        assert_eq!(with(0x02), Some(Hub { ports: 4, switching: Switching::None }));
        assert_eq!(with(0x03).map(|hub| hub.switching), Some(Switching::None));
        assert_eq!(descriptor(&[9, 0x29, 4, 1]), None);
        assert_eq!(descriptor(&[9, 0x02, 4, 1, 0, 50, 100]), None);
        assert_eq!(descriptor(&[]), None);
    }

    /// A hub that says these statuses of its port, one after another.
    struct Told(std::collections::VecDeque<[u8; 4]>);

    impl Link for Told {
        fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
            let data = match transfer {
                Transfer::ControlIn { setup, .. } if setup.request == GET_DESCRIPTOR => {
                    vec![9, 0x29, 4, 0xe9, 0, 50, 100, 0, 0xff]
                }
                Transfer::ControlIn { .. } => self.0.pop_front().unwrap().to_vec(),
                _ => Vec::new(),
            };
            Ok(Reply { data })
        }

        fn clock(&self) -> std::sync::Arc<dyn crate::clock::Clock> {
            std::sync::Arc::new(crate::clock::RealClock::new())
        }
    }

    #[test]
    fn power_that_the_system_gives_back_was_away_and_power_that_never_went_was_not() {
        let off = |statuses: &[[u8; 4]]| {
            let mut hub = Told(statuses.iter().copied().collect());
            switch(&mut hub, &PortPath::new(3, vec![2]), false, false)
        };
        assert_eq!(off(&[[0x01, 0x00, 0, 0], [0x00, 0x01, 0, 0]]), Ok(()));
        assert_eq!(off(&[[0x00, 0x00, 0, 0]]), Ok(()));
        let never = off(&[[0x03, 0x01, 0, 0]]);
        assert!(matches!(never, Err(PowerError::NotSwitchable(_))), "{never:?}");
    }

    #[test]
    fn the_power_bit_is_another_at_super_speed() {
        assert_eq!(is_powered(&[0x03, 0x01, 0, 0], false), Some(true));
        assert_eq!(is_powered(&[0x03, 0x01, 0, 0], true), Some(false));
        assert_eq!(is_powered(&[0xa0, 0x02, 0, 0], true), Some(true));
        assert_eq!(is_powered(&[0x03], false), None);
    }
}
