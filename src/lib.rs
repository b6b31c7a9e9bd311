//! `recover` brings bricked USB enclosures back to life.
//!
//! A guided tour, in the order a rescue goes:
//!
//! 1. [`usb`]: what the bus shows and how a device is talked to, as plain values and two traits.
//! 2. [`chip`]: the families of bridge chips; each proves its chip and opens the memory behind it.
//! 3. [`profile`]: enclosure models as data, from recovery-images/ and the user's own folder.
//! 4. [`preflight`]: boots an image on a virtual chip before it goes near a real one.
//! 5. [`rescue`]: pure decisions: diagnosis, plan, write order, what a failure means.
//! 6. [`executor`]: does what was decided, one step at a time, and writes it to the [`journal`].
//! 7. [`mod@bench`]: many ports at once; [`serial`]: the relay boards that switch their power.
//! 8. [`ledger`] keeps every unit that passed; [`report`] makes a page about one.
//! 9. [`cli`] and [`ui`]: arguments to requests, events to a terminal or to JSON.
//!
//! [`sim`] holds virtual chips with the silicon's own rules; it implements `usb`'s traits and
//! shares no code with [`chip`]. docs/architecture.md draws the whole house.

pub mod bench;
pub mod chip;
pub mod cli;
pub mod clock;
pub mod executor;
pub mod failure;
pub mod files;
pub mod journal;
pub mod ledger;
pub mod preflight;
pub mod profile;
pub mod report;
pub mod rescue;
pub mod serial;
pub mod sim;
pub mod toml_source;
pub mod ui;
pub mod usb;
pub mod wording;
