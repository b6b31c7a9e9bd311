//! Asks the drive behind a bridge at work who it is: INQUIRY, which many bridges answer from the
//! drive's IDENTIFY data, then IDENTIFY itself through ATACB.

use super::wire::{self, Identify, Source};
use crate::chip::{ChipError, DriveAnswer, drive};
use crate::usb::bot::{Bot, Data, Inquiry, Pipes};
use crate::usb::{Link, Sighting};

/// Peripheral device type of CD and DVD drives.
const CD: u8 = 0x05;

pub(super) fn ask(link: &mut dyn Link, seen: &Sighting) -> Result<DriveAnswer, ChipError> {
    drive::ask(link, seen, identify)
}

/// Model, firmware and serial number by the drive's own IDENTIFY, where the bridge passes it on.
fn identify(link: &mut dyn Link, pipes: Pipes, inquiry: &Inquiry) -> Option<String> {
    let at = wire::SIGNATURE_BYTE_AT.into();
    let reply = link.exchange_whole(&wire::read_config(Source::Internal, at, 1)).ok()?;
    let [signature_byte] = *reply.data.as_slice() else { return None };
    wire::is_safe_signature_byte(signature_byte).then_some(())?;
    let kind = if inquiry.kind == CD { Identify::Packet } else { Identify::Device };
    let block = wire::identify_block(signature_byte, kind);
    let data = Data::In(wire::IDENTIFY_BYTES);
    let done = Bot::new(link, pipes).command(&block, data, wire::DATA_TIMEOUT).ok()?;
    done.passed.then_some(())?;
    identified(&done.data)
}

/// The names in IDENTIFY data: ASCII in words with the first character in the high byte [ATA-4
/// §8.12]. Serial number words 10 to 19, firmware 23 to 26, model 27 to 46.
fn identified(data: &[u8]) -> Option<String> {
    let text = |words: std::ops::Range<usize>| {
        let bytes = data.get(words.start * 2..words.end * 2)?;
        let swapped = bytes.chunks_exact(2).flat_map(|pair| pair.iter().rev());
        let text: String = swapped
            .map(|byte| if matches!(byte, 0x20..=0x7e) { char::from(*byte) } else { ' ' })
            .collect();
        Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let (model, firmware, serial) = (text(27..47)?, text(23..27)?, text(10..20)?);
    if model.is_empty() {
        return None;
    }
    let mut line = model;
    for (name, value) in [("firmware", firmware), ("serial", serial)] {
        if !value.is_empty() {
            line.push_str(&format!(", {name} {value}"));
        }
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identify_data_is_read_with_its_bytes_swapped() {
        let mut data = vec![0; 512];
        for (at, text) in [(54, "SONY    CD-RW  CRX100E  "), (46, "1.0n")] {
            for (index, byte) in text.bytes().enumerate() {
                data[at + (index ^ 1)] = byte;
            }
        }
        assert_eq!(identified(&data).unwrap(), "SONY CD-RW CRX100E, firmware 1.0n");
        assert_eq!(identified(&data[..90]), None);
        assert_eq!(identified(&[0; 512]), None);
    }
}
