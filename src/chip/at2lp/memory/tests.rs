//! The EEPROM by either route, against a small stand-in for the chip that keeps 256 bytes.

use std::sync::{Arc, Mutex};

use super::super::recognise::tests::rc42;
use super::*;
use crate::clock::Clock;
use crate::usb::{Reply, Transfer};

struct Still(Mutex<Duration>);

impl Clock for Still {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap()
    }
    fn sleep(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
    }
    fn date(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
}

struct Chip {
    cells: Vec<u8>,
    log: Vec<String>,
    /// Tag, data length, direction in of the command that runs.
    running: Option<(Vec<u8>, usize, bool)>,
    signature_byte: u8,
    deaf_to_bulk: bool,
    eeprom_is_dead: bool,
}

impl Chip {
    fn blank() -> Self {
        Self {
            cells: vec![0xff; 256],
            log: Vec::new(),
            running: None,
            signature_byte: 0x24,
            deaf_to_bulk: false,
            eeprom_is_dead: false,
        }
    }

    fn status(&mut self) -> Vec<u8> {
        let (tag, length, _) = self.running.take().unwrap();
        let mut bytes = b"USBS".to_vec();
        bytes.extend(tag);
        bytes.extend(if self.eeprom_is_dead { (length as u32).to_le_bytes() } else { [0; 4] });
        bytes.push(u8::from(self.eeprom_is_dead));
        bytes
    }
}

impl Link for Chip {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        let mut reply = Reply::default();
        match transfer {
            Transfer::ControlIn { setup, .. } => {
                self.log.push(transfer.to_string());
                let at = usize::from(setup.index);
                reply.data = match setup.value {
                    0 => vec![self.signature_byte],
                    _ if self.eeprom_is_dead => return Err(TransferError::Stall),
                    _ => self.cells[at..at + usize::from(setup.length)].to_vec(),
                };
            }
            Transfer::ControlOut { setup, data, .. } => {
                self.log.push(format!("{transfer}: {}", hex::encode(data)));
                let at = usize::from(setup.index);
                if setup.request_type == 0x40 {
                    self.cells[at..at + data.len()].copy_from_slice(data);
                }
            }
            _ if self.deaf_to_bulk => return Err(TransferError::TimedOut),
            Transfer::BulkOut { endpoint, data, .. } => {
                self.log.push(format!("out {endpoint:02x} {}", hex::encode(data)));
                if self.running.is_none() {
                    let length = u32::from_le_bytes(data[8..12].try_into().unwrap());
                    self.running = Some((data[4..8].to_vec(), length as usize, data[12] == 0x80));
                } else if !self.eeprom_is_dead {
                    self.cells[..data.len()].copy_from_slice(data);
                }
            }
            Transfer::BulkIn { endpoint, length, .. } => {
                self.log.push(format!("in {endpoint:02x} {length}"));
                reply.data = match &mut self.running {
                    Some((_, length, incoming)) if *incoming => {
                        *incoming = false;
                        if self.eeprom_is_dead {
                            return Err(TransferError::Stall);
                        }
                        self.cells[..*length].to_vec()
                    }
                    _ => self.status(),
                };
            }
        }
        Ok(reply)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(Still(Mutex::default()))
    }
}

#[test]
fn a_write_is_on_the_wire_as_the_vendors_tool_sends_it() {
    let mut chip = Chip::blank();
    let image: Vec<u8> = (0..=255).collect();
    Configured::open(&mut chip, &rc42()).unwrap().write(0, &image).unwrap();
    let write = [
        "control in c0 02 wValue 0000 wIndex 0004 wLength 1".to_owned(),
        // The first page is read in between; then, as docs/chips/at2lp.md has it:
        "out 02 5553424367452301000100000000062426000200000000000000000000000000".to_owned(),
        format!("out 02 {}", hex::encode(&image)),
        "in 86 13".to_owned(),
    ];
    let (first, rest) = chip.log.split_first().unwrap();
    assert_eq!(*first, write[0]);
    // 31 bytes: the tool pads its CDB to 16, so the last zero of the line above is the 31st.
    assert_eq!(rest[rest.len() - 2..], write[2..]);
    assert_eq!(rest[rest.len() - 3], write[1][..write[1].len() - 2]);
    assert_eq!(chip.cells, image);
}

#[test]
fn a_whole_image_takes_one_write_command_and_one_read_command() {
    let mut chip = Chip::blank();
    let image: Vec<u8> = (0..248).collect();
    let mut memory = Configured::open(&mut chip, &rc42()).unwrap();
    memory.write(8, &image).unwrap();
    assert_eq!(memory.read(8..256).unwrap(), image);
    assert_eq!(memory.write_cycles(), 32);
    let commands = chip.log.iter().filter(|line| line.starts_with("out 02 55534243")).count();
    // The opening read, the write, the read-back.
    assert_eq!(commands, 3);
}

#[test]
fn a_write_further_up_keeps_what_lies_before_it() {
    let mut chip = Chip::blank();
    chip.cells[..32].copy_from_slice(&[7; 32]);
    let mut memory = Configured::open(&mut chip, &rc42()).unwrap();
    memory.write(0, &[0xff]).unwrap();
    memory.write(16, &[1, 2, 3]).unwrap();
    let mut expected = vec![7; 32];
    expected[0] = 0xff;
    expected[16..19].copy_from_slice(&[1, 2, 3]);
    assert_eq!(chip.cells[..32], expected);
}

#[test]
fn endpoints_are_those_of_the_descriptors() {
    let mut chip = Chip::blank();
    let mut seen = rc42();
    seen.interfaces[0].endpoints[1].address = 0x88;
    Configured::open(&mut chip, &seen).unwrap();
    assert!(chip.log.contains(&"in 88 13".to_owned()), "{:?}", chip.log);
}

#[test]
fn a_chip_deaf_to_bulk_is_reached_by_its_requests_a_page_at_a_time() {
    let mut chip = Chip::blank();
    chip.deaf_to_bulk = true;
    let mut memory = Configured::open(&mut chip, &rc42()).unwrap();
    let bytes: Vec<u8> = (0..20).collect();
    memory.write(0, &bytes).unwrap();
    assert_eq!(memory.read(0..20).unwrap(), bytes);
    let writes = chip.log.iter().filter(|line| line.starts_with("control out 40 01"));
    assert_eq!(writes.count(), 3);
}

#[test]
fn a_dead_eeprom_is_no_memory() {
    let mut chip = Chip::blank();
    chip.eeprom_is_dead = true;
    let error = Configured::open(&mut chip, &rc42()).err().unwrap();
    assert_eq!(error, ChipError::NoMemory);
}

#[test]
fn a_signature_byte_that_is_a_drive_command_is_never_sent() {
    let mut chip = Chip::blank();
    chip.signature_byte = 0x2a;
    let error = Configured::open(&mut chip, &rc42()).err().unwrap();
    assert!(matches!(error, ChipError::NotProven(_)));
    assert_eq!(chip.log.len(), 1);
}
