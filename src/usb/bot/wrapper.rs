//! The two wrappers of the bulk-only transport as bytes [BOT 1.0 §5.1, §5.2].

/// Bytes of a command block wrapper.
pub const CBW_BYTES: usize = 31;
/// Bytes of a command status wrapper.
pub const CSW_BYTES: usize = 13;
/// The longest command block that fits a wrapper, bytes.
pub const MAX_COMMAND_BYTES: usize = 16;

const CBW_SIGNATURE: [u8; 4] = *b"USBC";
const CSW_SIGNATURE: [u8; 4] = *b"USBS";

/// Which way the data of a command goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Host to device, or no data at all.
    Out,
    /// Device to host.
    In,
}

/// A command block wrapper.
#[doc(alias = "CBW")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandBlock {
    /// dCBWTag, which the device repeats in its status.
    #[doc(alias = "dCBWTag")]
    pub tag: u32,
    /// dCBWDataTransferLength: bytes the host will send or accept.
    #[doc(alias = "dCBWDataTransferLength")]
    pub length: u32,
    /// bmCBWFlags bit 7.
    #[doc(alias = "bmCBWFlags")]
    pub direction: Direction,
    /// bCBWLUN, 0 to 15.
    #[doc(alias = "bCBWLUN")]
    pub unit: u8,
    /// The command, 1 to 16 bytes.
    pub command: Vec<u8>,
}

impl CommandBlock {
    /// The wrapper's 31 bytes; `None` when the command has no byte or more than 16.
    pub fn encode(&self) -> Option<[u8; CBW_BYTES]> {
        let length = u8::try_from(self.command.len()).ok()?;
        if !(1..=MAX_COMMAND_BYTES).contains(&self.command.len()) {
            return None;
        }
        let mut bytes = [0; CBW_BYTES];
        let flags = match self.direction {
            Direction::Out => 0x00,
            Direction::In => 0x80,
        };
        let fields = CBW_SIGNATURE
            .into_iter()
            .chain(self.tag.to_le_bytes())
            .chain(self.length.to_le_bytes())
            .chain([flags, self.unit & 0x0f, length])
            .chain(self.command.iter().copied());
        for (slot, byte) in bytes.iter_mut().zip(fields) {
            *slot = byte;
        }
        Some(bytes)
    }
}

/// bCSWStatus.
#[doc(alias = "bCSWStatus")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 00.
    Passed,
    /// 01: the command failed; REQUEST SENSE tells why.
    Failed,
    /// 02: device and host no longer agree on what they are doing.
    PhaseError,
}

/// A command status wrapper.
#[doc(alias = "CSW")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandStatus {
    /// dCSWTag.
    #[doc(alias = "dCSWTag")]
    pub tag: u32,
    /// dCSWDataResidue: bytes of the announced length that were not used.
    #[doc(alias = "dCSWDataResidue")]
    pub residue: u32,
    /// bCSWStatus.
    #[doc(alias = "bCSWStatus")]
    pub status: Status,
}

/// Why bytes are not the status of a command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadStatus {
    /// Not 13 bytes.
    #[error("a status of {0} bytes instead of 13")]
    Length(usize),
    /// Not "USBS".
    #[error("a status that starts with {0} instead of 55534253")]
    Signature(String),
    /// The status of another command.
    #[error("the status of command {got:08x} instead of {expected:08x}")]
    Tag {
        /// Tag received.
        got: u32,
        /// Tag sent.
        expected: u32,
    },
    /// A status the specification reserves.
    #[error("the reserved status {0:02x}")]
    Reserved(u8),
    /// More left over than there was.
    #[error("{residue} bytes left over of {length}")]
    Residue {
        /// dCSWDataResidue.
        residue: u32,
        /// dCBWDataTransferLength of the command.
        length: u32,
    },
}

impl CommandStatus {
    /// The status in `bytes`, held to be valid and meaningful for the command with `tag` and
    /// `length` [BOT 1.0 §6.3].
    ///
    /// # Errors
    /// [`BadStatus`], after which device and host have to be brought together by a reset.
    pub fn decode(bytes: &[u8], tag: u32, length: u32) -> Result<Self, BadStatus> {
        let whole: [u8; CSW_BYTES] =
            bytes.try_into().map_err(|_| BadStatus::Length(bytes.len()))?;
        let [s0, s1, s2, s3, t0, t1, t2, t3, r0, r1, r2, r3, status] = whole;
        if [s0, s1, s2, s3] != CSW_SIGNATURE {
            return Err(BadStatus::Signature(hex::encode([s0, s1, s2, s3])));
        }
        let got = u32::from_le_bytes([t0, t1, t2, t3]);
        if got != tag {
            return Err(BadStatus::Tag { got, expected: tag });
        }
        let residue = u32::from_le_bytes([r0, r1, r2, r3]);
        let status = match status {
            0 => Status::Passed,
            1 => Status::Failed,
            2 => Status::PhaseError,
            other => return Err(BadStatus::Reserved(other)),
        };
        // After a phase error the residue means nothing.
        if residue > length && status != Status::PhaseError {
            return Err(BadStatus::Residue { residue, length });
        }
        Ok(Self { tag, residue, status })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_command_block_is_the_31_bytes_a_host_sends() {
        // The INQUIRY of BOT 1.0's own layout: signature, tag, length 36, in, unit 0, 6 bytes.
        let block = CommandBlock {
            tag: 0x0403_0201,
            length: 36,
            direction: Direction::In,
            unit: 0,
            command: vec![0x12, 0, 0, 0, 36, 0],
        };
        let expected = "55534243010203042400000080000612000000240000000000000000000000";
        assert_eq!(hex::encode(block.encode().unwrap()), expected);
    }

    #[test]
    fn a_command_without_bytes_or_with_seventeen_does_not_fit() {
        for length in [0, 17, 300] {
            let command = vec![0; length];
            let block =
                CommandBlock { tag: 1, length: 0, direction: Direction::Out, unit: 0, command };
            assert_eq!(block.encode(), None);
        }
    }

    #[test]
    fn a_status_is_held_against_the_command_it_answers() {
        let bytes = |text: &str| hex::decode(text).unwrap();
        let good = bytes("55534253070000000400000001");
        assert_eq!(
            CommandStatus::decode(&good, 7, 8),
            Ok(CommandStatus { tag: 7, residue: 4, status: Status::Failed })
        );
        let error = |text: &str| CommandStatus::decode(&bytes(text), 7, 8).unwrap_err();
        assert_eq!(error("555342530700000000000000"), BadStatus::Length(12));
        assert_eq!(
            error("55534243070000000000000000"),
            BadStatus::Signature("55534243".to_owned())
        );
        assert_eq!(error("55534253080000000000000000"), BadStatus::Tag { got: 8, expected: 7 });
        assert_eq!(error("55534253070000000000000003"), BadStatus::Reserved(3));
        assert_eq!(
            error("55534253070000000900000000"),
            BadStatus::Residue { residue: 9, length: 8 }
        );
    }

    proptest! {
        #[test]
        fn no_status_makes_the_decoder_fall_over(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
            tag in any::<u32>(),
            length in any::<u32>(),
        ) {
            if let Ok(status) = CommandStatus::decode(&bytes, tag, length) {
                prop_assert!(status.residue <= length || status.status == Status::PhaseError);
            }
        }
    }
}
