//! USB as values and two traits: what a bus shows ([`Sighting`]), what is sent to a device
//! ([`Transfer`]) and what comes back ([`Reply`]).
//!
//! Nothing here knows a chip. [`host`] is the one module that talks to libusb; the simulator
//! implements the same traits. Read [`bus`] next, then [`transfer`].

pub mod bot;
pub mod bus;
pub mod hexdump;
pub mod host;
pub mod hub;
pub mod in_use;
pub mod kernel_drive;
pub mod lock;
pub mod sighting;
pub mod trace;
pub mod transfer;

pub use bus::{Bus, BusError, Link};
pub use hub::PowerError;
pub use in_use::Use;
pub use kernel_drive::{KernelDrive, KnownDrive};
pub use sighting::{ClassCode, Endpoint, Ids, Interface, PortPath, Sighting, Speed};
pub use transfer::{Reply, Setup, Transfer, TransferError};
