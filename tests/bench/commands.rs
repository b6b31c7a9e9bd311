//! Counts the commands with which an AT2LP reads and writes its EEPROM, as they pass by.

use std::sync::{Arc, Mutex};

use recover::clock::Clock;
use recover::sim::SimBus;
use recover::usb::{Bus, BusError, Link, Reply, Sighting, Transfer, TransferError};

/// CfgCB, whose first byte is the default signature byte [docs/chips/at2lp.md].
const CFG_BLOCK: [u8; 2] = [0x24, 0x26];

/// EEPROM commands in the order they were sent.
#[derive(Clone, Debug, Default)]
pub struct Commands(Arc<Mutex<Vec<Command>>>);

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// So many bytes from address 0 on were asked for.
    Read(u32),
    /// So many bytes were sent, to address 0 on.
    Write(u32),
}

impl Commands {
    /// All of them so far.
    pub fn sent(&self) -> Vec<Command> {
        self.0.lock().unwrap().clone()
    }
}

/// A bus on which they are counted.
pub struct Counted {
    pub bus: SimBus,
    pub commands: Commands,
}

impl Bus for Counted {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        self.bus.scan()
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        let link = self.bus.open(seen)?;
        Ok(Box::new(CountedLink { link, commands: self.commands.clone() }))
    }

    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError> {
        self.bus.reset(seen)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.bus.clock()
    }
}

struct CountedLink {
    link: Box<dyn Link>,
    commands: Commands,
}

impl Link for CountedLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        if let Transfer::BulkOut { data, .. } = transfer
            && let Some(command) = command(data)
        {
            self.commands.0.lock().unwrap().push(command);
        }
        self.link.exchange(transfer)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.link.clock()
    }
}

/// The EEPROM command in a command block wrapper [BOT 1.0 §5.1].
fn command(data: &[u8]) -> Option<Command> {
    if data.len() != 31 || !data.starts_with(b"USBC") || data[15..17] != CFG_BLOCK {
        return None;
    }
    let length = u32::from_le_bytes(data[8..12].try_into().ok()?);
    Some(if data[12] & 0x80 != 0 { Command::Read(length) } else { Command::Write(length) })
}
