//! The technician's bench: what stands on it, as its owner wrote it down, and its relays.
//!
//! [`config`] reads `bench.toml`: ports with their labels, profiles and relay channels.
//! [`switchboard`] switches them and leaves them safe; [`hands`] gives a rescue their use.

pub mod config;
pub mod hands;
pub mod switchboard;

pub use config::BenchConfig;
pub use hands::RelayOperator;
pub use switchboard::Switchboard;
