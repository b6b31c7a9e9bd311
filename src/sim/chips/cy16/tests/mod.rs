//! The model against what is documented of the chips, at the level of USB transfers.

mod boot;
mod limits;
mod programs;
mod records;
mod stubs;
mod usb;

use std::time::Duration;

use super::{Cy16, EZ_OTG, SL11R, Silicon, Unknowns};
use crate::sim::parts::{Eeprom, part};
use crate::sim::{Diagnostic, Faults, SimBus};
use crate::usb::{Bus, Ids, Link, PortPath, Setup, Sighting, Transfer, TransferError};

/// A host with one chip on its bus.
struct Host {
    bus: SimBus,
    port: PortPath,
    link: Option<Box<dyn Link>>,
}

const BLANK_SL11R: Ids = Ids::new(0x04CE, 0x07D1);
const BLANK_EZ: Ids = Ids::new(0x04B4, 0x7200);

impl Host {
    fn new(silicon: &Silicon, part_name: &str, content: &[u8]) -> Self {
        let eeprom = Eeprom::new(part(part_name).unwrap(), content);
        Self::with(Cy16::new(silicon, Some(eeprom)))
    }

    fn with(chip: Cy16) -> Self {
        let (bus, port) = (SimBus::new(), PortPath::new(1, vec![1]));
        bus.plug_in(port.clone(), Box::new(chip), Faults::none());
        let mut host = Self { bus, port, link: None };
        host.open();
        host
    }

    fn ez() -> Self {
        Self::new(&EZ_OTG, "24lc64", &[])
    }

    fn sl11r() -> Self {
        Self::new(&SL11R, "24c16", &[])
    }

    fn seen(&self) -> Option<Sighting> {
        self.bus.sighting(&self.port)
    }

    fn open(&mut self) {
        self.link = self.seen().map(|seen| self.bus.open(&seen).unwrap());
    }

    fn ids(&self) -> Ids {
        self.seen().unwrap().ids
    }

    fn pass(&self, milliseconds: u64) {
        self.bus.clock().sleep(Duration::from_millis(milliseconds));
    }

    fn exchange(&mut self, transfer: &Transfer) -> Result<Vec<u8>, TransferError> {
        self.link.as_mut().unwrap().exchange(transfer).map(|reply| reply.data)
    }

    fn read(&mut self, address: u16, length: u16) -> Vec<u8> {
        self.exchange(&Transfer::vendor_in(0xFF, 7, address, length)).unwrap()
    }

    fn word(&mut self, address: u16) -> u16 {
        u16::from_le_bytes(self.read(address, 2).try_into().unwrap())
    }

    /// Sends records with their terminator.
    fn try_scan(&mut self, records: &[u8], longest: u64) -> Result<(), TransferError> {
        let mut stream = records.to_vec();
        stream.extend([0, 0]);
        let transfer = Transfer::vendor_out(0xFF, 0, 0, stream);
        self.exchange(&transfer.within(Duration::from_secs(longest))).map(|_| ())
    }

    fn scan(&mut self, records: &[u8]) {
        self.try_scan(records, 60).unwrap();
    }

    fn store(&mut self, address: u16, bytes: &[u8]) {
        self.scan(&record(0, &[&address.to_le_bytes(), bytes].concat()));
    }

    fn eeprom(&self) -> Vec<u8> {
        self.bus.eeprom(&self.port).unwrap().bytes
    }

    fn cycles(&self) -> u64 {
        self.bus.eeprom(&self.port).unwrap().wear.cycles
    }

    fn diagnostics(&self) -> Vec<Diagnostic> {
        self.bus.diagnostics(&self.port)
    }

    fn said(&self, text: &str) -> bool {
        self.diagnostics().iter().any(|diagnostic| diagnostic.text.contains(text))
    }
}

fn record(opcode: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xB6, 0xC3];
    bytes.extend((body.len() as u16).to_le_bytes());
    bytes.push(opcode);
    bytes.extend(body);
    bytes
}

fn standard(request: u8, value: u16, length: u16) -> Transfer {
    let setup = Setup { request_type: 0x80, request, value, index: 0, length };
    Transfer::ControlIn { setup, timeout: Duration::from_secs(5) }
}
