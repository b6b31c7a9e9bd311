//! An ATAPI CD burner, which takes SCSI commands itself; the bridge only passes them on.

use super::{Answer, BridgedDrive, Medium, Sense, allocated, identify, inquiry, long, short};

/// Name of the drive of the origin story, as its INQUIRY gives it.
const NAME: &[u8; 28] = b"SONY    CD-RW  CRX100E  1.0n";

/// A CD drive, with a disc in it or without.
#[derive(Debug)]
pub struct CdDrive {
    disc: Option<Medium>,
    sense: Sense,
    /// A reset is reported to the first command that can be refused.
    reset_to_report: bool,
    locked: bool,
    open: bool,
    /// A change of the medium that GET EVENT STATUS has not told yet.
    changed: bool,
}

/// Minutes, seconds and frames of a block; the disc's own time begins two seconds earlier
/// [MMC-4, annex on addressing].
fn time(block: u32) -> [u8; 4] {
    let frames = block.saturating_add(150);
    [0, (frames / 75 / 60) as u8, (frames / 75 % 60) as u8, (frames % 75) as u8]
}

impl CdDrive {
    /// A drive with that disc in it.
    pub fn new(disc: Option<Medium>) -> Self {
        Self {
            disc,
            sense: Sense::default(),
            reset_to_report: false,
            locked: false,
            open: false,
            changed: true,
        }
    }

    fn disc(&self) -> Result<&Medium, Sense> {
        self.disc.as_ref().filter(|_| !self.open).ok_or(Sense::NO_MEDIUM)
    }

    fn execute(&mut self, command: &[u8; 16]) -> Result<Vec<u8>, Sense> {
        let [operation, second, page, _, fifth, ..] = *command;
        let cut = |data: Vec<u8>, length: u16| match allocated(data, length) {
            Answer::Done(data) => Ok(data),
            Answer::Refused(sense) => Err(sense),
        };
        match operation {
            0x00 => self.disc().map(|_| Vec::new()),
            0x03 => cut(std::mem::take(&mut self.sense).data(), fifth.into()),
            0x12 if second & 1 == 0 => cut(inquiry(0x05, true, NAME), short(command, 3)),
            0x1b => self.start_stop(fifth),
            0x1e => {
                self.locked = fifth & 1 == 1;
                Ok(Vec::new())
            }
            0x25 => {
                let disc = self.disc()?;
                let last = disc.sectors().saturating_sub(1).to_be_bytes();
                Ok([last, (disc.sector_bytes() as u32).to_be_bytes()].concat())
            }
            0x28 => {
                let disc = self.disc()?;
                disc.read(long(command, 2), short(command, 7)).ok_or(Sense::OUT_OF_RANGE)
            }
            0x2a => self.disc().and(Err(Sense::WRITE_PROTECTED)),
            0x35 => Ok(Vec::new()),
            0x43 => self.table_of_contents(second & 2 != 0, page & 0x0f, short(command, 7)),
            0x46 => cut(self.configuration(), short(command, 7)),
            0x4a => self.event_status(second & 1 == 1, fifth, short(command, 7)),
            0x5a => cut(self.mode_page(page & 0x3f)?, short(command, 7)),
            _ => Err(Sense::UNKNOWN_COMMAND),
        }
    }

    /// START STOP UNIT; bits 1 and 0 are LoEj and Start.
    fn start_stop(&mut self, bits: u8) -> Result<Vec<u8>, Sense> {
        match bits & 3 {
            2 if self.locked => return Err(Sense { key: 0x05, code: 0x53, qualifier: 0x02 }),
            2 => {
                self.open = true;
                self.changed = true;
            }
            3 => {
                self.open = false;
                self.changed = true;
            }
            _ => {}
        }
        Ok(Vec::new())
    }

    /// READ TOC, formats 0 and 1: one data track and the lead-out.
    fn table_of_contents(&self, times: bool, format: u8, length: u16) -> Result<Vec<u8>, Sense> {
        let disc = self.disc()?;
        let place = |block: u32| if times { time(block) } else { block.to_be_bytes() };
        let mut body = vec![1, 1];
        let track = |number: u8, block: u32| {
            let mut entry = vec![0, 0x14, number, 0];
            entry.extend(place(block));
            entry
        };
        match format {
            0 => {
                body.extend(track(1, 0));
                body.extend(track(0xaa, disc.sectors()));
            }
            1 => body.extend(track(1, 0)),
            _ => return Err(Sense::BAD_FIELD),
        }
        let mut data = (body.len() as u16).to_be_bytes().to_vec();
        data.extend(body);
        data.truncate(usize::from(length));
        Ok(data)
    }

    /// GET CONFIGURATION: the profile list, core, and CD read features.
    fn configuration(&self) -> Vec<u8> {
        let current: u16 = if self.disc().is_ok() { 0x0008 } else { 0 };
        let mut features = vec![0x00, 0x00, 0x03, 8];
        features.extend([0x00, 0x0a, 0, 0, 0x00, 0x08, u8::from(current == 8), 0]);
        // Core: ATAPI. CD Read.
        features.extend([0x00, 0x01, 0x03, 4, 0, 0, 0, 2]);
        features.extend([0x00, 0x1e, u8::from(current == 8), 4, 0, 0, 0, 0]);
        let mut data = (features.len() as u32 + 4).to_be_bytes().to_vec();
        data.extend([0, 0]);
        data.extend(current.to_be_bytes());
        data.extend(features);
        data
    }

    /// GET EVENT STATUS NOTIFICATION, polled, class 4: media.
    fn event_status(&mut self, polled: bool, classes: u8, length: u16) -> Result<Vec<u8>, Sense> {
        if !polled {
            return Err(Sense::BAD_FIELD);
        }
        let mut data = if classes & 0x10 == 0 {
            vec![0, 2, 0x80, 0x10]
        } else {
            let event = match (self.changed, self.open) {
                (true, false) => 2,
                (true, true) => 3,
                (false, _) => 0,
            };
            self.changed = false;
            let status = u8::from(self.open) | u8::from(self.disc().is_ok()) << 1;
            vec![0, 6, 0x04, 0x10, event, status, 0, 0]
        };
        data.truncate(usize::from(length));
        Ok(data)
    }

    /// MODE SENSE (10): capabilities page 2A or all pages, which is the same here.
    fn mode_page(&self, page: u8) -> Result<Vec<u8>, Sense> {
        if !matches!(page, 0x2a | 0x3f) {
            return Err(Sense::BAD_FIELD);
        }
        let mut body = vec![0x2a, 0x14, 0x07, 0x03, 0x71, 0x63, 0x29, 0];
        // Speeds in units of 1000 bytes a second: 24 times and 4 times.
        body.extend(4234_u16.to_be_bytes());
        body.extend([0, 255, 8, 0]);
        body.extend(4234_u16.to_be_bytes());
        body.extend([0, 0]);
        body.extend(706_u16.to_be_bytes());
        body.extend(706_u16.to_be_bytes());
        let medium = if self.disc().is_ok() { 0x01 } else { 0x70 };
        let mut data = (body.len() as u16 + 6).to_be_bytes().to_vec();
        data.extend([medium, 0, 0, 0, 0, 0]);
        data.extend(body);
        Ok(data)
    }
}

impl BridgedDrive for CdDrive {
    fn power_on(&mut self) {
        self.sense = Sense::default();
        self.reset_to_report = true;
        self.locked = false;
    }

    fn takes(&self, command: &[u8; 16]) -> usize {
        match command[0] {
            0x2a => usize::from(short(command, 7)) * 2048,
            _ => 0,
        }
    }

    fn carry_out(&mut self, command: &[u8; 16], _: &[u8]) -> Answer {
        // INQUIRY, REQUEST SENSE, GET CONFIGURATION and GET EVENT STATUS are answered first.
        let waits = !matches!(command[0], 0x03 | 0x12 | 0x46 | 0x4a);
        let result = if waits && std::mem::take(&mut self.reset_to_report) {
            Err(Sense::WAS_RESET)
        } else {
            self.execute(command)
        };
        match result {
            Ok(data) => Answer::Done(data),
            Err(sense) => {
                self.sense = sense;
                Answer::Refused(sense)
            }
        }
    }

    fn identify(&self, packet: bool) -> Option<Vec<u8>> {
        // ATAPI, CD, removable, 12-byte packets.
        packet.then(|| identify::data(0x8580, "SONY    CD-RW  CRX100E", "1.0n", "", None))
    }
}
