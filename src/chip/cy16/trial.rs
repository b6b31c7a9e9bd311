//! Starts an image from RAM: sends its own records as scan streams, as the mask ROM would read
//! them from the EEPROM. The chip's boot state is not quite what it would be at a start (USB runs
//! already, the arena is in use), so an image that fails here may still boot.

use std::time::Duration;

use super::model::SL11R;
use super::record::Record;
use super::stream::{self, Placed};
use super::{ram, wire};
use crate::chip::{ChipError, Finding, Image, Trial};
use crate::usb::{Link, TransferError};

/// The most record bytes of one request: the terminator and a padding byte need the rest.
const MAX_RECORD_BYTES: usize = wire::MAX_BYTES - 3;
/// How long one request may take; code of the image may run inside it.
const LIMIT: Duration = Duration::from_secs(5);

/// Sends the image's records.
///
/// # Errors
/// [`ChipError`] when the device fails on the way. Its RAM then holds part of the image; a restart
/// or its power clears it.
pub fn start(link: &mut dyn Link, finding: &Finding, image: &Image) -> Result<Trial, ChipError> {
    let requests = match split(image.start(), finding.model == SL11R) {
        Ok(requests) => requests,
        Err(why) => return Ok(Trial::NotOffered(why)),
    };
    let last = requests.len().saturating_sub(1);
    for (number, records) in requests.iter().enumerate() {
        let doing = format!("starting the image from RAM, request {} of {}", number + 1, last + 1);
        match ram::send(link, &doing, records, LIMIT) {
            Ok(()) => {}
            // Code that takes the boot over may never come back to acknowledge its own request.
            Err(ChipError::Transfer {
                source: TransferError::TimedOut | TransferError::Gone | TransferError::Other(_),
                ..
            }) if number == last && runs_code(records) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(Trial::Started)
}

fn runs_code(records: &[Record]) -> bool {
    records.iter().any(|record| {
        matches!(record, Record::Jump { .. } | Record::Call { .. } | Record::Interrupt { .. })
    })
}

/// Packs an image's records into requests, or says why it cannot be tried.
fn split(bytes: &[u8], is_sl11r: bool) -> Result<Vec<Vec<Record>>, String> {
    let (placed, _) = stream::decode_stream(bytes).map_err(|error| error.to_string())?;
    let mut requests: Vec<Vec<Record>> = Vec::new();
    let mut room = 0;
    for Placed { at, record } in placed {
        // Captured or reported for the SL11R: op 00, 02 and 06 [EZ]; nothing else is.
        let is_established = matches!(
            record,
            Record::Copy { .. } | Record::Install { .. } | Record::Interrupt { .. }
        );
        if is_sl11r && !is_established {
            return Err(format!(
                "its record at {at:#06x} ({record}) is not known to work over USB on this chip"
            ));
        }
        let length = record.encode().map_err(|error| error.to_string())?.len();
        if length > MAX_RECORD_BYTES {
            return Err(format!(
                "its record at {at:#06x} ({record}) is larger than a request of {} bytes",
                wire::MAX_BYTES
            ));
        }
        match requests.last_mut() {
            Some(request) if length <= room => request.push(record),
            _ => {
                room = MAX_RECORD_BYTES;
                requests.push(vec![record]);
            }
        }
        room -= length;
    }
    if requests.is_empty() {
        return Err("it has no records".to_owned());
    }
    Ok(requests)
}

#[cfg(test)]
mod tests {
    use super::super::fake::FakeChip;
    use super::super::model::EZ_OTG;
    use super::super::stream::encode_stream;
    use super::*;
    use crate::chip::{Model, Running};

    fn finding(model: Model) -> Finding {
        Finding { model, running: Running::MaskRom, evidence: Vec::new() }
    }

    fn image(records: &[Record]) -> Image {
        let bytes = encode_stream(records).unwrap();
        Image::at_address_zero(bytes, &[0..2])
    }

    fn copy(address: u16, length: usize) -> Record {
        Record::Copy { address, data: vec![0x5a; length] }
    }

    #[test]
    fn records_are_sent_in_order_and_split_only_between_them() {
        let records = [
            copy(0x500, 3000),
            copy(0x1200, 1000),
            copy(0x2000, 900),
            Record::Call { address: 0x500 },
        ];
        let requests = split(image(&records).start(), false).unwrap();
        assert_eq!(requests.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
        let mut link = FakeChip::new();
        let trial = start(&mut link, &finding(EZ_OTG), &image(&records)).unwrap();
        assert_eq!(trial, Trial::Started);
        assert_eq!(link.records, records);
    }

    #[test]
    fn a_record_that_fits_no_request_is_not_tried() {
        assert!(split(image(&[copy(0x500, 4096 - 10)]).start(), false).is_ok());
        let why = split(image(&[copy(0x500, 4096 - 9)]).start(), false).unwrap_err();
        assert!(why.contains("larger than a request"), "{why}");
    }

    #[test]
    fn an_sl11r_is_sent_only_records_known_to_work_on_it() {
        let mut link = FakeChip::new();
        let call = image(&[copy(0x500, 2), Record::Call { address: 0x500 }]);
        let trial = start(&mut link, &finding(SL11R), &call).unwrap();
        assert!(matches!(trial, Trial::NotOffered(why) if why.contains("call of 0500")));
        assert!(link.records.is_empty());
        let install = Record::Install { interrupt: 0x52, code: vec![0x97, 0xcf] };
        let image = image(&[install, Record::Interrupt { interrupt: 0x52 }]);
        assert_eq!(start(&mut link, &finding(SL11R), &image).unwrap(), Trial::Started);
    }

    #[test]
    fn an_image_that_takes_the_boot_over_may_leave_its_request_unanswered() {
        let mut link = FakeChip::new();
        link.effect = Box::new(|record, _| match record {
            Record::Jump { .. } => Err(TransferError::TimedOut),
            _ => Ok(()),
        });
        let jump = image(&[copy(0x500, 2), Record::Jump { address: 0x500 }]);
        assert_eq!(start(&mut link, &finding(EZ_OTG), &jump).unwrap(), Trial::Started);
        link.script.push_back(Err(TransferError::Stall));
        assert!(start(&mut link, &finding(EZ_OTG), &jump).is_err());
        link.script.push_back(Err(TransferError::TimedOut));
        let split = image(&[copy(0x500, 4000), copy(0x1600, 4000)]);
        assert!(start(&mut link, &finding(EZ_OTG), &split).is_err());
    }
}
