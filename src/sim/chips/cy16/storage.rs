//! What stands in the place of firmware that bridges to a drive: the drive behind the bulk-only
//! transport, with the errors that the SL11R's firmware is known for.
//!
//! Model's choices: it never halts a pipe, and gives no more than the host asks for.

use crate::sim::device::Completion;
use crate::sim::drives::transport::{Command, Intent, Target, Transport};
use crate::sim::drives::{Answer, NamedDrive, Sense};

/// The tag that old firmware answers with. What it is on silicon is not on record (model's choice).
const WRONG_TAG: [u8; 4] = [0; 4];
/// Operation code of READ CAPACITY (10).
const READ_CAPACITY: u8 = 0x25;
/// Bytes of a full-speed bulk packet.
pub(super) const PACKET: usize = 64;

/// A drive and the transport in front of it.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    transport: Transport,
    bridge: Bridge,
}

#[derive(Clone, Debug)]
struct Bridge {
    drive: NamedDrive,
    /// Whether the firmware is one that breaks tags and counts a sector too many.
    old_firmware: bool,
}

impl Storage {
    pub(super) fn new(drive: NamedDrive) -> Self {
        let bridge = Bridge { drive, old_firmware: false };
        Self { transport: Transport::default(), bridge }
    }

    /// Whether the SL11R's firmware is older than 2.6c: its status has a wrong tag, and a disk one
    /// sector more than it has [Linux, unusual_devs.h, 04ce:0002].
    pub(super) fn is_behind_old_firmware(&mut self, old: bool) {
        self.bridge.old_firmware = old;
    }

    pub(super) fn take(&mut self, bytes: &[u8]) -> Completion {
        self.transport.take(bytes, &mut self.bridge)
    }

    /// `None` when it has nothing to say yet.
    pub(super) fn give(&mut self, length: usize) -> Option<Completion> {
        self.transport.give::<Bridge>(length)
    }
}

impl Target for Bridge {
    const PACKET: usize = PACKET;
    const HALTS: bool = false;

    fn intent(&mut self, command: &Command) -> Intent {
        let answer = match command.unit {
            0 => self.drive.carry_out(&command.block),
            _ => self.drive.refuse(Sense::UNKNOWN_COMMAND),
        };
        let Answer::Done(mut data) = answer else { return Intent::Refused };
        if self.old_firmware
            && command.block.starts_with(&[READ_CAPACITY])
            && let Some(last) = data.first_chunk_mut()
        {
            *last = u32::from_be_bytes(*last).saturating_add(1).to_be_bytes();
        }
        if !command.inward || command.length == 0 {
            return Intent::None;
        }
        data.truncate(command.length as usize);
        Intent::In(data)
    }

    /// It was, when it was asked what it means to do: nothing takes data.
    fn carry_out(&mut self, _: &Command, _: &[u8]) -> bool {
        true
    }

    fn answers_tag(&self, tag: [u8; 4]) -> [u8; 4] {
        if self.old_firmware { WRONG_TAG } else { tag }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cbw(length: u32, flags: u8, command: &[u8]) -> Vec<u8> {
        let mut bytes = b"USBC\x01\x02\x03\x04".to_vec();
        bytes.extend(length.to_le_bytes());
        bytes.extend([flags, 0, command.len() as u8]);
        bytes.extend(command);
        bytes.resize(31, 0);
        bytes
    }

    fn takes(storage: &mut Storage, bytes: &[u8]) -> bool {
        match storage.take(bytes) {
            Completion::Done(nothing) => nothing.is_empty(),
            other => {
                assert_eq!(other, Completion::Stall);
                false
            }
        }
    }

    fn given(storage: &mut Storage, length: usize) -> Vec<u8> {
        let Some(Completion::Done(data)) = storage.give(length) else { panic!("nothing given") };
        data
    }

    fn burner() -> Storage {
        Storage::new(NamedDrive::burner())
    }

    fn disk() -> Storage {
        Storage::new(NamedDrive::disk())
    }

    #[test]
    fn inquiry_names_the_drive_and_the_status_repeats_the_tag() {
        let mut storage = burner();
        assert!(takes(&mut storage, &cbw(36, 0x80, &[0x12, 0, 0, 0, 36, 0])));
        let data = given(&mut storage, 36);
        assert_eq!((data.len(), data[0] & 0x1F), (36, 5));
        assert_eq!(&data[8..], b"SONY    CD-RW  CRX100E  1.0j");
        assert_eq!(given(&mut storage, 13), b"USBS\x01\x02\x03\x04\0\0\0\0\0");
        assert_eq!(storage.give(13), None);
    }

    #[test]
    fn a_failed_command_is_explained_by_request_sense() {
        let mut storage = burner();
        assert!(takes(&mut storage, &cbw(0, 0x80, &[0x00, 0, 0, 0, 0, 0])));
        assert_eq!(given(&mut storage, 13)[12], 1);
        assert!(takes(&mut storage, &cbw(18, 0x80, &[0x03, 0, 0, 0, 18, 0])));
        let sense = given(&mut storage, 18);
        assert_eq!((sense[2], sense[12]), (0x02, 0x3A));
        assert_eq!(given(&mut storage, 13)[12], 0);
    }

    #[test]
    fn what_is_no_command_block_is_stalled() {
        let mut storage = disk();
        assert!(!takes(&mut storage, b"USBC"));
        assert!(!takes(&mut storage, &[0; 31]));
        assert!(takes(&mut storage, &cbw(8, 0x80, &[0x25])));
        assert_eq!(given(&mut storage, 8)[..4], 78_165_359_u32.to_be_bytes());
    }

    #[test]
    fn fewer_bytes_than_expected_show_as_residue() {
        let mut storage = disk();
        assert!(takes(&mut storage, &cbw(255, 0x80, &[0x12, 0, 0, 0, 36, 0])));
        assert_eq!(given(&mut storage, 255).len(), 36);
        assert_eq!(given(&mut storage, 13)[8..12], 219_u32.to_le_bytes());
    }

    /// READ (10), which this drive does not know, and TEST UNIT READY, which has no data.
    #[test]
    fn data_of_a_command_without_any_are_an_empty_packet_or_dropped() {
        for (command, code) in [([0x28, 0, 0, 0, 0, 0], 1), ([0; 6], 0)] {
            let mut storage = disk();
            let mut status = b"USBS\x01\x02\x03\x04\x80\0\0\0".to_vec();
            status.push(code);
            assert!(takes(&mut storage, &cbw(128, 0x80, &command)));
            assert!(given(&mut storage, 128).is_empty());
            assert_eq!(given(&mut storage, 13), status);
            assert!(takes(&mut storage, &cbw(128, 0, &command)));
            assert!(takes(&mut storage, &[0; 64]));
            assert_eq!(storage.give(13), None);
            assert!(takes(&mut storage, &[0; 64]));
            assert_eq!(given(&mut storage, 13), status);
        }
    }

    #[test]
    fn a_second_unit_is_refused_with_a_reason() {
        let mut storage = disk();
        let mut wrapper = cbw(0, 0, &[0; 6]);
        wrapper[13] = 1;
        assert!(takes(&mut storage, &wrapper));
        assert_eq!(given(&mut storage, 13)[12], 1);
        assert!(takes(&mut storage, &cbw(18, 0x80, &[0x03, 0, 0, 0, 18, 0])));
        let sense = given(&mut storage, 18);
        assert_eq!((sense[2], sense[12]), (0x05, 0x20));
    }

    #[test]
    fn the_firmware_gives_no_more_than_is_asked_for() {
        let mut storage = disk();
        assert!(takes(&mut storage, &cbw(4, 0x80, &[0x25])));
        assert_eq!(given(&mut storage, 4), 78_165_359_u32.to_be_bytes());
        assert_eq!(given(&mut storage, 13)[8..], [0; 5]);
        assert!(takes(&mut storage, &cbw(0, 0, &[0x25])));
        assert_eq!(given(&mut storage, 13)[8..], [0; 5]);
    }

    #[test]
    fn old_firmware_breaks_the_tag_and_counts_a_sector_too_many() {
        let mut storage = disk();
        storage.is_behind_old_firmware(true);
        assert!(takes(&mut storage, &cbw(8, 0x80, &[0x25])));
        assert_eq!(given(&mut storage, 8)[..4], 78_165_360_u32.to_be_bytes());
        assert_eq!(given(&mut storage, 13), b"USBS\0\0\0\0\0\0\0\0\0");
    }
}
