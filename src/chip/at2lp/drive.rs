//! Asks the drive behind a bridge at work who it is: INQUIRY, which many bridges answer from the
//! drive's IDENTIFY data, then IDENTIFY itself through ATACB.

use super::wire::{self, Identify, Source};
use crate::chip::{ChipError, Drive, DriveAnswer};
use crate::usb::bot::{Bot, BotError, Data, Inquiry, Pipes, Sense};
use crate::usb::{Link, Sighting, TransferError};

/// Peripheral device type of CD and DVD drives.
const CD: u8 = 0x05;

/// How often a drive may say "I was reset" or "becoming ready" before it counts as not ready.
const ATTEMPTS: usize = 5;

pub(super) fn ask(link: &mut dyn Link, seen: &Sighting) -> Result<DriveAnswer, ChipError> {
    let Some(pipes) = Pipes::of(seen) else {
        let why = "the bridge shows no bulk pipes".to_owned();
        return Ok(DriveAnswer::Silent { why });
    };
    let inquiry = match Bot::new(link, pipes).inquiry() {
        Ok(inquiry) => inquiry,
        Err(error) => return silent(error),
    };
    let not_ready = match readiness(link, pipes) {
        Ok(sense) => sense.map(|sense| sense.to_string()),
        Err(error) => return silent(error),
    };
    let capacity_bytes = match (&not_ready, Bot::new(link, pipes)) {
        (None, mut bot) => {
            bot.read_capacity().ok().and_then(|capacity| u64::try_from(capacity.bytes()).ok())
        }
        (Some(_), _) => None,
    };
    let identified = identify(link, pipes, &inquiry);
    Ok(DriveAnswer::Answers(Drive {
        name: inquiry.to_string(),
        identified,
        capacity_bytes,
        not_ready,
    }))
}

fn silent(error: BotError) -> Result<DriveAnswer, ChipError> {
    match error {
        BotError::Transfer { stage, source: TransferError::Gone } => {
            let doing = format!("asking for the drive, {stage} phase");
            Err(ChipError::Transfer { doing, source: TransferError::Gone })
        }
        other => Ok(DriveAnswer::Silent { why: other.to_string() }),
    }
}

/// `None` when the drive is ready. A drive reports its reset once before anything else.
fn readiness(link: &mut dyn Link, pipes: Pipes) -> Result<Option<Sense>, BotError> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        last = Bot::new(link, pipes).test_unit_ready()?;
        match last {
            Some(Sense { key: 0x06, .. }) => {}
            Some(Sense { key: 0x02, code: 0x04, qualifier: 0x01 }) => {
                link.clock().sleep(std::time::Duration::from_secs(1));
            }
            _ => break,
        }
    }
    Ok(last)
}

/// Model, firmware and serial number by the drive's own IDENTIFY, where the bridge passes it on.
fn identify(link: &mut dyn Link, pipes: Pipes, inquiry: &Inquiry) -> Option<String> {
    let at = wire::SIGNATURE_BYTE_AT.into();
    let reply = link.exchange(&wire::read_config(Source::Internal, at, 1)).ok()?;
    let [signature_byte] = *reply.data.as_slice() else { return None };
    wire::is_safe_signature_byte(signature_byte).then_some(())?;
    let kind = if inquiry.kind == CD { Identify::Packet } else { Identify::Device };
    let block = wire::identify_block(signature_byte, kind);
    let data = Data::In(wire::IDENTIFY_BYTES);
    let done = Bot::new(link, pipes).command(&block, data, wire::PATIENCE).ok()?;
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
