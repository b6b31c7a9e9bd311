//! An ATA disk. The bridge translates SCSI for it; both together are modelled here.

use super::ata::Smart;
use super::{
    Answer, AtaAnswer, BridgedDrive, Medium, Sense, TaskFile, allocated, ata, identify, inquiry,
    long, short,
};

const READ_10: u8 = 0x28;
const WRITE_10: u8 = 0x2a;

/// A hard disk.
#[derive(Debug)]
pub struct Disk {
    medium: Medium,
    sense: Sense,
    stopped: bool,
    smart: Smart,
}

impl Disk {
    /// The disk of the enclosure that lost its EEPROM most often on the public pages: a WD2500JB,
    /// here with that medium in it.
    pub fn new(medium: Medium) -> Self {
        Self { medium, sense: Sense::default(), stopped: false, smart: Smart::default() }
    }

    fn execute(&mut self, command: &[u8; 16], data: &[u8]) -> Answer {
        let [operation, _, page, _, length, ..] = *command;
        match operation {
            0x00 | 0x1e | 0x35 => Answer::Done(Vec::new()),
            0x03 => {
                let sense = std::mem::take(&mut self.sense);
                allocated(sense.data(), length.into())
            }
            0x12 if command[1] & 1 == 0 => {
                let name = b"WDC WD25 00JB-00GVC0    08.0";
                allocated(inquiry(0x00, false, name), short(command, 3))
            }
            0x1b => {
                self.stopped = length & 1 == 0;
                Answer::Done(Vec::new())
            }
            // No mode page is kept; the header says so. Bit 7 of its third byte would mean
            // write protected.
            0x1a if matches!(page & 0x3f, 0x3f | 0x08) => {
                allocated(vec![3, 0, 0, 0], length.into())
            }
            0x5a if matches!(page & 0x3f, 0x3f | 0x08) => {
                allocated(vec![0, 6, 0, 0, 0, 0, 0, 0], short(command, 7))
            }
            0x1a | 0x5a | 0x12 => Answer::Refused(Sense::BAD_FIELD),
            0x25 => {
                let last = self.medium.sectors().saturating_sub(1).to_be_bytes();
                let size = (self.medium.sector_bytes() as u32).to_be_bytes();
                Answer::Done([last, size].concat())
            }
            READ_10 => match self.medium.read(long(command, 2), short(command, 7)) {
                Some(data) => {
                    self.stopped = false;
                    Answer::Done(data)
                }
                None => Answer::Refused(Sense::OUT_OF_RANGE),
            },
            WRITE_10 if self.medium.write(long(command, 2), data) => Answer::Done(Vec::new()),
            WRITE_10 => Answer::Refused(Sense::OUT_OF_RANGE),
            _ => Answer::Refused(Sense::UNKNOWN_COMMAND),
        }
    }
}

impl BridgedDrive for Disk {
    fn power_on(&mut self) {
        self.sense = Sense::default();
        self.stopped = false;
    }

    fn takes(&self, command: &[u8; 16]) -> usize {
        match command[0] {
            WRITE_10 => usize::from(short(command, 7)) * self.medium.sector_bytes(),
            _ => 0,
        }
    }

    fn carry_out(&mut self, command: &[u8; 16], data: &[u8]) -> Answer {
        let answer = self.execute(command, data);
        if let Answer::Refused(sense) = &answer {
            self.sense = *sense;
        }
        answer
    }

    fn identify(&self, packet: bool) -> Option<Vec<u8>> {
        let sectors = Some(self.medium.sectors());
        let made = || {
            identify::data(0x0040, "WDC WD2500JB-00GVC0", "08.02D08", "WD-WCAL70000001", sectors)
        };
        (!packet).then(made)
    }

    fn ata(&mut self, task: &TaskFile) -> AtaAnswer {
        if let Some(answer) = self.smart.answer(task) {
            return answer;
        }
        match task.command {
            ata::IDENTIFY => self.identify(false).map_or(AtaAnswer::Aborted, AtaAnswer::In),
            _ => AtaAnswer::Aborted,
        }
    }
}
