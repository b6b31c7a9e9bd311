//! Virtual devices with the rules of the real ones: people practise on them, and every test of
//! this project runs on them.
//!
//! A tour, from the outside in:
//!
//! 1. [`mod@scenarios`]: enclosures in trouble, each with its story.
//! 2. [`bus`]: ports with devices on them, behind the traits of [`crate::usb`]; [`faults`] can
//!    disturb any transfer, [`clock`] is the time all of it takes.
//! 3. [`device`]: what the bus asks of a device; [`diagnostic`]: what a device has to say about
//!    the program it runs.
//! 4. [`chips`]: bridge chips with their mask ROMs, around the processors in [`cores`];
//!    [`chips::families`] is their table.
//! 5. [`parts`]: the EEPROMs they boot from.
//! 6. [`hub`]: hubs that switch the power of their ports, or say so; [`relay`]: a relay board,
//!    behind a serial device by `pty`.
//! 7. `vhci`: the same devices on a port of this computer's Linux kernel.
//!
//! Nothing here is shared with the code that rescues: an error there must not find its twin here.

pub mod bus;
pub mod chips;
pub mod clock;
pub mod cores;
pub mod device;
pub mod diagnostic;
mod disturbed;
pub mod drives;
mod enumeration;
pub mod faults;
pub mod hub;
pub mod parts;
mod port;
#[cfg(unix)]
pub mod pty;
pub mod relay;
pub mod scenarios;
mod turns;
#[cfg(target_os = "linux")]
pub mod vhci;

pub use bus::{EepromState, SimBus};
pub use clock::VirtualClock;
pub use device::Device;
pub use diagnostic::{Diagnostic, Unmodelled, Verdict};
pub use faults::{Fault, Faults};
pub use hub::{Feed, HubKind};
pub use scenarios::{DEFAULT as DEFAULT_SCENARIO, Scenario, scenario, scenarios, twin};
