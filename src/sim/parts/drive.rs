//! The drive in an enclosure, as far as a bridge lets it be seen over bulk-only transport.
//!
//! Enough to be asked who it is: INQUIRY, TEST UNIT READY, REQUEST SENSE, READ CAPACITY. Everything
//! else is an illegal request, as a real drive says to a command it does not know. It holds no
//! data.
//!
//! Sources: USB Mass Storage Class, Bulk-Only Transport 1.0; SPC-2.

/// Command block wrapper and its signature [BOT 5.1].
const CBW_BYTES: usize = 31;
const CBW_SIGNATURE: [u8; 4] = *b"USBC";
const CSW_SIGNATURE: [u8; 4] = *b"USBS";

const NO_SENSE: (u8, u8) = (0x00, 0x00);
const NO_MEDIUM: (u8, u8) = (0x02, 0x3A);
const INVALID_COMMAND: (u8, u8) = (0x05, 0x20);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Command,
    DataOut { left: u32, status: [u8; 13] },
    DataIn { data: Vec<u8>, status: [u8; 13] },
    Status([u8; 13]),
}

/// A drive without content.
#[derive(Clone, Debug)]
pub struct Drive {
    /// Peripheral device type: 0 disk, 5 CD.
    kind: u8,
    /// Vendor, product and revision as INQUIRY has them: 8, 16 and 4 characters.
    name: &'static [u8; 28],
    /// Sectors of 512 bytes; `None` for a drive without a medium in it.
    sectors: Option<u32>,
    sense: (u8, u8),
    phase: Phase,
    /// Whether the firmware in front of it is one that breaks tags and counts a sector too many.
    old_firmware: bool,
}

/// The tag that old firmware answers with. What it is on silicon is not on record (model's choice).
const WRONG_TAG: [u8; 4] = [0; 4];

impl Drive {
    /// The burner of the enclosures that started this: its INQUIRY is captured.
    pub fn burner() -> Self {
        Self::new(5, b"SONY    CD-RW  CRX100E  1.0j", None)
    }

    /// A hard disk of 40 GB.
    pub fn disk() -> Self {
        Self::new(0, b"VIRTUAL ENCLOSURE DISK  1.00", Some(78_165_360))
    }

    fn new(kind: u8, name: &'static [u8; 28], sectors: Option<u32>) -> Self {
        Self { kind, name, sectors, sense: NO_SENSE, phase: Phase::Command, old_firmware: false }
    }

    /// Whether the SL11R's firmware in front of it is older than 2.6c: its status has a wrong tag,
    /// and a disk one sector more than it has [Linux, unusual_devs.h, 04ce:0002].
    pub fn is_behind_old_firmware(&mut self, old: bool) {
        self.old_firmware = old;
    }

    /// Bytes from the host; false is a STALL.
    pub fn take(&mut self, bytes: &[u8]) -> bool {
        match std::mem::replace(&mut self.phase, Phase::Command) {
            Phase::DataOut { left, status } => {
                let left = left.saturating_sub(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
                self.phase = match left {
                    0 => Phase::Status(status),
                    left => Phase::DataOut { left, status },
                };
                true
            }
            _ => self.command(bytes),
        }
    }

    /// Bytes for the host, at most `length`; `None` when it has nothing to say yet.
    pub fn give(&mut self, length: usize) -> Option<Vec<u8>> {
        match std::mem::replace(&mut self.phase, Phase::Command) {
            Phase::DataIn { mut data, status } => {
                let rest = data.split_off(length.min(data.len()));
                self.phase = match rest.is_empty() {
                    true => Phase::Status(status),
                    false => Phase::DataIn { data: rest, status },
                };
                Some(data)
            }
            Phase::Status(status) => {
                let mut status = status.to_vec();
                status.truncate(length);
                Some(status)
            }
            other => {
                self.phase = other;
                None
            }
        }
    }

    fn command(&mut self, bytes: &[u8]) -> bool {
        let Ok(cbw) = <[u8; CBW_BYTES]>::try_from(bytes) else { return false };
        let [s0, s1, s2, s3, t0, t1, t2, t3, l0, l1, l2, l3, flags, lun, _, command @ ..] = cbw;
        if [s0, s1, s2, s3] != CBW_SIGNATURE {
            return false;
        }
        let expected = u32::from_le_bytes([l0, l1, l2, l3]);
        let answer = if lun == 0 { self.carry_out(command) } else { Err(INVALID_COMMAND) };
        let (mut data, failed) = match answer {
            Ok(data) => (data, 0),
            Err(sense) => {
                self.sense = sense;
                (Vec::new(), 1)
            }
        };
        let inwards = flags & 0x80 != 0;
        data.truncate(if inwards { expected as usize } else { 0 });
        let residue = expected - data.len() as u32;
        let mut status = [0; 13];
        let tag = if self.old_firmware { WRONG_TAG } else { [t0, t1, t2, t3] };
        let parts = [CSW_SIGNATURE, tag, residue.to_le_bytes()];
        for (place, byte) in status.iter_mut().zip(parts.as_flattened().iter().chain(&[failed])) {
            *place = *byte;
        }
        self.phase = match (expected, inwards) {
            (0, _) => Phase::Status(status),
            (_, true) => Phase::DataIn { data, status },
            (left, false) => Phase::DataOut { left, status },
        };
        true
    }

    fn carry_out(&mut self, command: [u8; 16]) -> Result<Vec<u8>, (u8, u8)> {
        let [opcode, _, _, _, allocation, ..] = command;
        let mut data = match opcode {
            0x00 => return self.sectors.map(|_| Vec::new()).ok_or(NO_MEDIUM),
            0x03 => {
                let (key, code) = std::mem::replace(&mut self.sense, NO_SENSE);
                vec![0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, code, 0, 0, 0, 0, 0]
            }
            0x12 => {
                let mut data = vec![self.kind, if self.kind == 5 { 0x80 } else { 0 }, 0, 1];
                data.extend([31, 0, 0, 0]);
                data.extend(self.name);
                data
            }
            0x25 => {
                let sectors = self.sectors.ok_or(NO_MEDIUM)?;
                let last = if self.old_firmware { sectors } else { sectors.saturating_sub(1) };
                return Ok([last.to_be_bytes(), 512_u32.to_be_bytes()].concat());
            }
            _ => return Err(INVALID_COMMAND),
        };
        data.truncate(usize::from(allocation));
        Ok(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cbw(length: u32, command: &[u8]) -> Vec<u8> {
        let mut bytes = b"USBC\x01\x02\x03\x04".to_vec();
        bytes.extend(length.to_le_bytes());
        bytes.extend([0x80, 0, command.len() as u8]);
        bytes.extend(command);
        bytes.resize(CBW_BYTES, 0);
        bytes
    }

    #[test]
    fn inquiry_names_the_drive_and_the_status_repeats_the_tag() {
        let mut drive = Drive::burner();
        assert!(drive.take(&cbw(36, &[0x12, 0, 0, 0, 36, 0])));
        let data = drive.give(36).unwrap();
        assert_eq!((data.len(), data[0] & 0x1F), (36, 5));
        assert_eq!(&data[8..], b"SONY    CD-RW  CRX100E  1.0j");
        assert_eq!(drive.give(13).unwrap(), b"USBS\x01\x02\x03\x04\0\0\0\0\0");
        assert_eq!(drive.give(13), None);
    }

    #[test]
    fn a_failed_command_is_explained_by_request_sense() {
        let mut drive = Drive::burner();
        assert!(drive.take(&cbw(0, &[0x00, 0, 0, 0, 0, 0])));
        assert_eq!(drive.give(13).unwrap()[12], 1);
        assert!(drive.take(&cbw(18, &[0x03, 0, 0, 0, 18, 0])));
        let sense = drive.give(18).unwrap();
        assert_eq!((sense[2], sense[12]), NO_MEDIUM);
        assert_eq!(drive.give(13).unwrap()[12], 0);
    }

    #[test]
    fn what_is_no_command_block_is_stalled() {
        let mut drive = Drive::disk();
        assert!(!drive.take(b"USBC"));
        assert!(!drive.take(&[0; 31]));
        assert!(drive.take(&cbw(8, &[0x25])));
        assert_eq!(drive.give(8).unwrap()[..4], 78_165_359_u32.to_be_bytes());
    }

    #[test]
    fn old_firmware_answers_with_another_tag_and_a_sector_too_many() {
        let mut drive = Drive::disk();
        drive.is_behind_old_firmware(true);
        assert!(drive.take(&cbw(8, &[0x25])));
        assert_eq!(drive.give(8).unwrap()[..4], 78_165_360_u32.to_be_bytes());
        assert_eq!(drive.give(13).unwrap(), b"USBS\0\0\0\0\0\0\0\0\0");
    }

    #[test]
    fn fewer_bytes_than_expected_show_as_residue() {
        let mut drive = Drive::disk();
        assert!(drive.take(&cbw(255, &[0x12, 0, 0, 0, 36, 0])));
        assert_eq!(drive.give(255).unwrap().len(), 36);
        assert_eq!(drive.give(13).unwrap()[8..12], 219_u32.to_le_bytes());
    }
}
