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
    /// Tag, data length, whether data is still to be sent, and whether it reads: of the command
    /// that runs.
    running: Option<(Vec<u8>, usize, bool, bool)>,
    signature_byte: u8,
    deaf_to_bulk: bool,
    eeprom_is_dead: bool,
    /// Residue and status of every write.
    write_ends: (u32, u8),
    /// The data of the next write is lost when so many bytes of it were written.
    loses_data_after: Option<usize>,
    /// Most bytes of an answer.
    maximum: usize,
    clock: Arc<Still>,
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
            write_ends: (0, 0),
            loses_data_after: None,
            maximum: 256,
            clock: Arc::new(Still(Mutex::default())),
        }
    }

    fn status(&mut self) -> Vec<u8> {
        let (tag, length, _, is_read) = self.running.take().unwrap();
        let (residue, status) = match (self.eeprom_is_dead, is_read) {
            (true, _) => (length as u32, 1),
            (false, true) => (0, 0),
            (false, false) => self.write_ends,
        };
        let mut bytes = b"USBS".to_vec();
        bytes.extend(tag);
        bytes.extend(residue.to_le_bytes());
        bytes.push(status);
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
                    let is_read = data[12] == 0x80;
                    self.running = Some((data[4..8].to_vec(), length as usize, is_read, is_read));
                } else if let Some(taken) = self.loses_data_after.take() {
                    self.cells[..taken].copy_from_slice(&data[..taken]);
                    self.running = None;
                    return Err(TransferError::TimedOut);
                } else if !self.eeprom_is_dead {
                    self.cells[..data.len()].copy_from_slice(data);
                }
            }
            Transfer::BulkIn { endpoint, length, .. } => {
                self.log.push(format!("in {endpoint:02x} {length}"));
                reply.data = match &mut self.running {
                    Some((_, length, incoming, _)) if *incoming => {
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
        reply.data.truncate(self.maximum);
        Ok(reply)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<Still>::clone(&self.clock)
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
fn a_dead_eeprom_is_no_memory_by_either_route() {
    for deaf_to_bulk in [false, true] {
        let mut chip = Chip::blank();
        (chip.eeprom_is_dead, chip.deaf_to_bulk) = (true, deaf_to_bulk);
        let error = Configured::open(&mut chip, &rc42()).err().unwrap();
        assert_eq!(error, ChipError::NoMemory);
    }
}

#[test]
fn a_write_that_was_refused_or_of_which_some_was_left_over_is_none() {
    for (residue, status, address) in [(3, 0, 13), (0, 1, 16), (16, 1, 0)] {
        let mut chip = Chip::blank();
        chip.write_ends = (residue, status);
        let mut memory = Configured::open(&mut chip, &rc42()).unwrap();
        let refused = MemoryError::NoAcknowledge { address };
        assert_eq!(memory.write(0, &[1; 16]), Err(refused), "residue {residue}");
    }
}

#[test]
fn nothing_beyond_256_bytes_is_sent() {
    let mut chip = Chip::blank();
    let mut memory = Configured::open(&mut chip, &rc42()).unwrap();
    assert!(memory.write(250, &[1; 7]).is_err());
    assert!(memory.write(256, &[1]).is_err());
    assert!(memory.write(0, &[1; 257]).is_err());
    assert!(memory.read(250..257).is_err());
    assert_eq!(memory.write_cycles(), 0);
    memory.write(249, &[1; 7]).unwrap();
    let commands = chip.log.iter().filter(|line| line.starts_with("out 02 55534243"));
    // The opening's, the reading of what lies before, the one write.
    assert_eq!(commands.count(), 3, "{:?}", chip.log);
}

#[test]
fn what_a_failed_write_left_there_is_read_before_the_next_one() {
    let mut chip = Chip::blank();
    chip.loses_data_after = Some(4);
    let mut memory = Configured::open(&mut chip, &rc42()).unwrap();
    assert!(memory.write(0, &[1; 8]).is_err());
    memory.write(8, &[2]).unwrap();
    assert_eq!(chip.cells[..9], [1, 1, 1, 1, 0xff, 0xff, 0xff, 0xff, 2]);
}

#[test]
fn a_short_answer_is_no_reading_by_either_route() {
    for deaf_to_bulk in [false, true] {
        let mut chip = Chip::blank();
        // The status of a command is 13 bytes.
        (chip.maximum, chip.deaf_to_bulk) = (13, deaf_to_bulk);
        let error = Configured::open(&mut chip, &rc42()).unwrap().read(0..16).unwrap_err();
        assert!(error.to_string().contains("a read of 16 EEPROM bytes: it brought"), "{error}");
    }
}

#[test]
fn by_requests_the_host_waits_for_every_page() {
    let mut chip = Chip::blank();
    chip.deaf_to_bulk = true;
    Configured::open(&mut chip, &rc42()).unwrap().write(0, &[1; 20]).unwrap();
    assert!(chip.clock.now() >= 3 * WRITE_CYCLE, "{:?}", chip.clock.now());
}

#[test]
fn a_signature_byte_that_is_a_drive_command_is_never_sent() {
    let mut chip = Chip::blank();
    chip.signature_byte = 0x2a;
    let error = Configured::open(&mut chip, &rc42()).err().unwrap();
    assert!(matches!(error, ChipError::NotProven(_)));
    assert_eq!(chip.log.len(), 1);
}
