use std::sync::Arc;

use super::*;
use crate::clock::{Clock, RealClock};
use crate::usb::{Endpoint, Interface, PortPath, Reply, Speed, Transfer};

/// A drive of 100 sectors that answers every command with tag 0.
struct WrongTags {
    kind: u8,
    command: u8,
    has_sent: bool,
}

impl Link for WrongTags {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        let data = match transfer {
            Transfer::BulkOut { data, .. } => {
                self.command = data[15];
                self.has_sent = self.command == 0x00;
                Vec::new()
            }
            Transfer::BulkIn { .. } if self.has_sent => b"USBS\0\0\0\0\0\0\0\0\0".to_vec(),
            Transfer::BulkIn { .. } => {
                self.has_sent = true;
                match self.command {
                    0x12 => [[self.kind, 0, 0, 0, 31, 0, 0, 0].as_slice(), &[b'X'; 28]].concat(),
                    _ => vec![0, 0, 0, 100, 0, 0, 2, 0],
                }
            }
            Transfer::ControlIn { .. } | Transfer::ControlOut { .. } => Vec::new(),
        };
        Ok(Reply { data })
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(RealClock::new())
    }
}

fn shown(ids: Ids, bcd_device: u16) -> Sighting {
    let end = |address| Endpoint { address, kind: 2, max_packet: 64 };
    Sighting {
        port: PortPath::new(1, vec![1]),
        device_number: 1,
        ids,
        bcd_device,
        class: ClassCode::new(0, 0, 0),
        manufacturer: None,
        product: None,
        serial: None,
        interfaces: vec![Interface {
            number: 0,
            alternate: 0,
            class: MASS_STORAGE,
            endpoints: vec![end(0x01), end(0x82)],
        }],
        speed: Speed::Full,
        driver: None,
    }
}

fn asked(ids: Ids, bcd_device: u16, kind: u8) -> DriveAnswer {
    let mut link = WrongTags { kind, command: 0, has_sent: false };
    ask_storage(&mut link, &shown(ids, bcd_device)).unwrap()
}

fn capacity(answer: &DriveAnswer) -> Option<u64> {
    match answer {
        DriveAnswer::Answers(drive) => drive.capacity_bytes,
        other => panic!("{other}"),
    }
}

#[test]
fn a_wrong_tag_is_accepted_from_scanlogics_firmware_before_2_6c_alone() {
    let answers = |ids, bcd| matches!(asked(ids, bcd, 0), DriveAnswer::Answers(_));
    assert!(answers(SL11R, 0x0074));
    assert!(answers(SL11R, 0x026b));
    assert!(!answers(SL11R, 0x026c));
    assert!(!answers(Ids::new(0x04ce, 0x0003), 0x0260));
    assert!(!answers(Ids::new(0x04b4, 0x0002), 0x0260));
}

#[test]
fn the_sector_that_scanlogics_firmware_adds_is_subtracted_from_a_disk() {
    assert_eq!(capacity(&asked(SL11R, 0x0260, 0)), Some(100 * 512));
    // A CD drive reports what is on its disc.
    assert_eq!(capacity(&asked(SL11R, 0x0260, 5)), Some(101 * 512));
}

#[test]
fn what_is_no_mass_storage_is_not_asked() {
    let mut seen = shown(SL11R, 0x0260);
    if let Some(first) = seen.interfaces.first_mut() {
        first.class = ClassCode::new(0xff, 0, 0);
    }
    let mut link = WrongTags { kind: 0, command: 0xee, has_sent: false };
    assert_eq!(ask_storage(&mut link, &seen), Ok(DriveAnswer::NotAsked));
    assert_eq!(link.command, 0xee);
}
