//! A drive that only says who it is: INQUIRY, TEST UNIT READY, REQUEST SENSE, READ CAPACITY.
//! Everything else is an illegal request, as a real drive says to a command it does not know. It
//! holds no data.

use super::{Answer, Sense, allocated, inquiry};

/// A drive without content.
#[derive(Clone, Debug)]
pub struct NamedDrive {
    /// Peripheral device type: 0 disk, 5 CD.
    kind: u8,
    /// Vendor, product and revision as INQUIRY has them: 8, 16 and 4 characters.
    name: &'static [u8; 28],
    /// Sectors of 512 bytes; `None` for a drive without a medium in it.
    sectors: Option<u32>,
    sense: Sense,
}

impl NamedDrive {
    /// The burner of the enclosures that started this: its INQUIRY is captured.
    pub fn burner() -> Self {
        Self::new(5, b"SONY    CD-RW  CRX100E  1.0j", None)
    }

    /// A hard disk of 40 GB.
    pub fn disk() -> Self {
        Self::new(0, b"VIRTUAL ENCLOSURE DISK  1.00", Some(78_165_360))
    }

    fn new(kind: u8, name: &'static [u8; 28], sectors: Option<u32>) -> Self {
        Self { kind, name, sectors, sense: Sense::default() }
    }

    /// Carries out a command.
    pub fn carry_out(&mut self, command: &[u8; 16]) -> Answer {
        let [operation, _, _, _, allocation, ..] = *command;
        let allocation = u16::from(allocation);
        match (operation, self.sectors) {
            (0x00, Some(_)) => Answer::Done(Vec::new()),
            (0x03, _) => allocated(std::mem::take(&mut self.sense).data(), allocation),
            (0x12, _) => allocated(inquiry(self.kind, self.kind == 5, self.name), allocation),
            (0x25, Some(sectors)) => {
                let last = sectors.saturating_sub(1);
                Answer::Done([last.to_be_bytes(), 512_u32.to_be_bytes()].concat())
            }
            (0x00 | 0x25, None) => self.refuse(Sense::NO_MEDIUM),
            _ => self.refuse(Sense::UNKNOWN_COMMAND),
        }
    }

    /// Refuses a command; the next REQUEST SENSE tells why.
    pub fn refuse(&mut self, sense: Sense) -> Answer {
        self.sense = sense;
        Answer::Refused(sense)
    }
}
