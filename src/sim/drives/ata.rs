//! ATA commands by their registers, as a bridge's pass-through carries them, and what a disk
//! answers to SMART.
//!
//! Sources: \[ATA/ATAPI-4\] §7.1 for registers, §8.41 for SMART and the layout of its data. The
//! values are those of a disk that is well.

/// The registers of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskFile {
    /// Features.
    pub features: u8,
    /// Sector count.
    pub count: u8,
    /// LBA low, mid, high.
    pub lba: [u8; 3],
    /// Device.
    pub device: u8,
    /// Command.
    pub command: u8,
}

/// What comes of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtaAnswer {
    /// Data for the host.
    In(Vec<u8>),
    /// Done without data; the three LBA registers as it leaves them.
    Done([u8; 3]),
    /// Aborted.
    Aborted,
}

/// IDENTIFY DEVICE and IDENTIFY PACKET DEVICE.
pub(super) const IDENTIFY: u8 = 0xec;
pub(super) const IDENTIFY_PACKET: u8 = 0xa1;
const SMART: u8 = 0xb0;
/// LBA mid and high of every SMART command, and of a status that is well.
const SMART_KEY: [u8; 2] = [0x4f, 0xc2];
const READ_DATA: u8 = 0xd0;
const READ_THRESHOLDS: u8 = 0xd1;
const SAVES_ATTRIBUTES: u8 = 0xd2;
const ENABLE: u8 = 0xd8;
const DISABLE: u8 = 0xd9;
const RETURN_STATUS: u8 = 0xda;

/// An attribute: number, normalised value, threshold, raw value.
const ATTRIBUTES: [(u8, u8, u8, u32); 4] =
    [(5, 200, 140, 0), (9, 98, 0, 1500), (12, 100, 0, 240), (194, 115, 0, 35)];

/// SMART of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Smart {
    enabled: bool,
}

impl Default for Smart {
    fn default() -> Self {
        Self { enabled: true }
    }
}

impl Smart {
    /// A command of its own; `None` where it is another's.
    pub(super) fn answer(&mut self, task: &TaskFile) -> Option<AtaAnswer> {
        if task.command != SMART {
            return None;
        }
        let [_, key @ ..] = task.lba;
        if key != SMART_KEY || !self.enabled && task.features != ENABLE {
            return Some(AtaAnswer::Aborted);
        }
        Some(match task.features {
            READ_DATA => AtaAnswer::In(sector(|(number, value, _, raw)| {
                let [r0, r1, r2, r3] = raw.to_le_bytes();
                [number, 0x03, 0x00, value, value, r0, r1, r2, r3, 0, 0, 0]
            })),
            READ_THRESHOLDS => AtaAnswer::In(sector(|(number, _, threshold, _)| {
                [number, threshold, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            })),
            ENABLE | DISABLE => {
                self.enabled = task.features == ENABLE;
                AtaAnswer::Done(task.lba)
            }
            SAVES_ATTRIBUTES | RETURN_STATUS => AtaAnswer::Done(task.lba),
            _ => AtaAnswer::Aborted,
        })
    }
}

/// 512 bytes: a revision, twelve bytes for each attribute, and a byte that makes their sum zero.
fn sector(entry: impl Fn((u8, u8, u8, u32)) -> [u8; 12]) -> Vec<u8> {
    let mut data = 0x0010_u16.to_le_bytes().to_vec();
    data.extend(ATTRIBUTES.map(entry).as_flattened());
    data.resize(511, 0);
    let sum = data.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    data.push(sum.wrapping_neg());
    data
}
