//! The transport against a scripted device: what is on the wire, and what becomes of every case.

use std::collections::VecDeque;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::clock::{Clock, RealClock};
use crate::usb::sighting::ClassCode;
use crate::usb::{Endpoint, Ids, PortPath, Reply, Speed, Transfer};

/// Answers in a fixed order, and remembers what it was asked.
struct Script {
    answers: VecDeque<Result<Vec<u8>, TransferError>>,
    asked: Vec<String>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Result<Vec<u8>, TransferError>>) -> Self {
        Self { answers: answers.into_iter().collect(), asked: Vec::new() }
    }
}

impl Link for Script {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        self.asked.push(transfer.to_string());
        let data = self.answers.pop_front().unwrap_or(Err(TransferError::TimedOut))?;
        Ok(Reply { data })
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(RealClock::new())
    }
}

const PIPES: Pipes = Pipes { interface: 0, bulk_in: 0x86, bulk_out: 0x02 };
const WAIT: Duration = Duration::from_secs(20);
const RESET: [&str; 3] = [
    "control out 21 ff wValue 0000 wIndex 0000 wLength 0",
    "control out 02 01 wValue 0000 wIndex 0086 wLength 0",
    "control out 02 01 wValue 0000 wIndex 0002 wLength 0",
];

fn ok() -> Result<Vec<u8>, TransferError> {
    Ok(Vec::new())
}

fn stall() -> Result<Vec<u8>, TransferError> {
    Err(TransferError::Stall)
}

fn status(residue: u32, status: u8) -> Result<Vec<u8>, TransferError> {
    let mut bytes = b"USBS".to_vec();
    bytes.extend(FIRST_TAG.to_le_bytes());
    bytes.extend(residue.to_le_bytes());
    bytes.push(status);
    Ok(bytes)
}

fn run(
    data: Data<'_>,
    answers: Vec<Result<Vec<u8>, TransferError>>,
) -> (Result<Done, BotError>, Vec<String>) {
    let mut script = Script::new(answers);
    let result = Bot::new(&mut script, PIPES).command(&[0x12, 0, 0, 0, 36, 0], data, WAIT);
    (result, script.asked)
}

fn done(data: &[u8], residue: u32, passed: bool) -> Result<Done, BotError> {
    Ok(Done { data: data.to_vec(), residue, passed })
}

fn was_reset(asked: &[String]) -> bool {
    asked.iter().rev().take(3).rev().map(String::as_str).eq(RESET)
}

#[test]
fn cases_1_6_12_agree_and_are_done() {
    assert_eq!(run(Data::None, vec![ok(), status(0, 0)]).0, done(&[], 0, true));
    let full = run(Data::In(4), vec![ok(), Ok(vec![1, 2, 3, 4]), status(0, 0)]);
    assert_eq!(full.0, done(&[1, 2, 3, 4], 0, true));
    assert_eq!(full.1, ["bulk out 02 31", "bulk in 86 4", "bulk in 86 13"]);
    let sent = run(Data::Out(&[9; 5]), vec![ok(), ok(), status(0, 0)]);
    assert_eq!(sent.0, done(&[], 0, true));
    assert_eq!(sent.1, ["bulk out 02 31", "bulk out 02 5", "bulk in 86 13"]);
}

#[test]
fn cases_2_and_3_data_where_none_was_announced_is_a_phase_error() {
    let (result, asked) = run(Data::None, vec![ok(), status(0, 2), ok(), ok(), ok()]);
    assert_eq!(result, Err(BotError::PhaseError));
    assert!(was_reset(&asked), "{asked:?}");
    let (result, asked) =
        run(Data::None, vec![ok(), stall(), ok(), status(0, 2), ok(), ok(), ok()]);
    assert_eq!(result, Err(BotError::PhaseError));
    assert!(was_reset(&asked), "{asked:?}");
}

#[test]
fn case_4_a_device_without_data_stalls_or_sends_nothing() {
    let (result, asked) = run(Data::In(36), vec![ok(), stall(), ok(), status(36, 1)]);
    assert_eq!(result, done(&[], 36, false));
    assert_eq!(asked[2], RESET[1]);
    let empty = run(Data::In(36), vec![ok(), ok(), status(36, 0)]);
    assert_eq!(empty.0, done(&[], 36, true));
}

#[test]
fn case_5_less_data_than_announced_is_what_it_is() {
    let short = run(Data::In(36), vec![ok(), Ok(vec![7; 20]), status(16, 0)]);
    assert_eq!(short.0, done(&[7; 20], 16, true));
    let padded = run(Data::In(36), vec![ok(), Ok(vec![7; 36]), status(16, 0)]);
    assert_eq!(padded.0, done(&[7; 20], 16, true));
    let silent = run(Data::In(36), vec![ok(), Ok(vec![7; 20]), status(0, 0)]);
    assert_eq!(silent.0, done(&[7; 20], 16, true));
}

#[test]
fn cases_7_and_8_too_much_or_the_other_way_end_in_a_reset() {
    let overflow = Err(TransferError::Overflow);
    let (result, asked) = run(Data::In(4), vec![ok(), overflow, ok(), ok(), ok()]);
    let source = TransferError::Overflow;
    assert_eq!(result, Err(BotError::Transfer { stage: "data", source }));
    assert!(was_reset(&asked), "{asked:?}");
    let (result, asked) =
        run(Data::In(4), vec![ok(), stall(), ok(), status(4, 2), ok(), ok(), ok()]);
    assert_eq!(result, Err(BotError::PhaseError));
    assert!(was_reset(&asked), "{asked:?}");
}

#[test]
fn cases_9_and_11_data_the_device_does_not_want_is_left_over() {
    let (result, asked) = run(Data::Out(&[1; 8]), vec![ok(), stall(), ok(), status(8, 1)]);
    assert_eq!(result, done(&[], 8, false));
    assert_eq!(asked[2], RESET[2]);
    assert_eq!(run(Data::Out(&[1; 8]), vec![ok(), ok(), status(3, 0)]).0, done(&[], 3, true));
}

#[test]
fn cases_10_and_13_end_in_a_reset() {
    for data in [Data::Out(&[1; 8]), Data::Out(&[1; 600])] {
        let answers = vec![ok(), stall(), ok(), status(0, 2), ok(), ok(), ok()];
        let (result, asked) = run(data, answers);
        assert_eq!(result, Err(BotError::PhaseError));
        assert!(was_reset(&asked), "{asked:?}");
    }
}

#[test]
fn a_stalled_status_is_asked_for_once_more_and_no_further() {
    assert_eq!(run(Data::None, vec![ok(), stall(), ok(), status(0, 0)]).0, done(&[], 0, true));
    let answers = vec![ok(), stall(), ok(), stall(), ok(), ok(), ok()];
    let (result, asked) = run(Data::None, answers);
    let source = TransferError::Stall;
    assert_eq!(result, Err(BotError::Transfer { stage: "status", source }));
    assert!(was_reset(&asked), "{asked:?}");
}

#[test]
fn a_status_in_the_place_of_the_data_is_seen_as_one() {
    let (result, asked) = run(Data::In(36), vec![ok(), status(36, 1)]);
    assert_eq!(result, done(&[], 36, false));
    assert_eq!(asked.len(), 2);
}

#[test]
fn more_data_than_was_asked_for_ends_in_a_reset() {
    let (result, asked) =
        run(Data::In(4), vec![ok(), Ok(vec![7; 5]), status(0, 0), ok(), ok(), ok()]);
    let source = TransferError::Overflow;
    assert_eq!(result, Err(BotError::Transfer { stage: "data", source }));
    assert!(was_reset(&asked), "{asked:?}");
}

#[test]
fn data_that_is_vouched_for_and_did_not_come_is_missing() {
    let (result, asked) = run(Data::In(36), vec![ok(), ok(), status(0, 0), ok(), ok(), ok()]);
    assert_eq!(result, Err(BotError::Missing { got: 0, claimed: 36 }));
    assert!(was_reset(&asked), "{asked:?}");
}

#[test]
fn thirteen_bytes_that_are_no_status_are_data() {
    let (result, asked) = run(Data::In(36), vec![ok(), Ok(vec![7; 13]), status(23, 0)]);
    assert_eq!(result, done(&[7; 13], 23, true));
    assert_eq!(asked.len(), 3);
    // As long as was asked for, data may look as it likes.
    let alike = status(0, 0).unwrap();
    let (result, _) = run(Data::In(13), vec![ok(), Ok(alike.clone()), status(0, 0)]);
    assert_eq!(result, done(&alike, 0, true));
}

#[test]
fn a_phase_error_in_the_place_of_the_data_ends_in_a_reset() {
    let (result, asked) = run(Data::In(36), vec![ok(), status(0, 2), ok(), ok(), ok()]);
    assert_eq!(result, Err(BotError::PhaseError));
    assert!(was_reset(&asked), "{asked:?}");
}

#[test]
fn an_empty_packet_before_the_status_is_passed_over_once() {
    let data = || Ok(vec![7; 20]);
    let (result, _) = run(Data::In(36), vec![ok(), data(), ok(), status(16, 0)]);
    assert_eq!(result, done(&[7; 20], 16, true));
    let answers = vec![ok(), data(), ok(), ok(), ok(), ok(), ok()];
    let (result, asked) = run(Data::In(36), answers);
    assert_eq!(result, Err(BotError::Status(BadStatus::Length(0))));
    assert!(was_reset(&asked), "{asked:?}");
}

#[test]
fn data_that_was_taken_in_part_is_settled_by_the_status() {
    let short = || Err(TransferError::Short { sent: 3, length: 8 });
    let (result, _) = run(Data::Out(&[1; 8]), vec![ok(), short(), status(5, 0)]);
    assert_eq!(result, done(&[], 5, true));
    let lost = Err(TransferError::TimedOut);
    let (result, asked) = run(Data::Out(&[1; 8]), vec![ok(), lost, ok(), ok(), ok()]);
    let source = TransferError::TimedOut;
    assert_eq!(result, Err(BotError::Transfer { stage: "data", source }));
    assert!(was_reset(&asked), "{asked:?}");
}

#[test]
fn the_status_of_another_command_ends_in_a_reset() {
    let mut other = status(0, 0).unwrap();
    other[4] ^= 1;
    let (result, asked) = run(Data::None, vec![ok(), Ok(other), ok(), ok(), ok()]);
    assert!(matches!(result, Err(BotError::Status(BadStatus::Tag { .. }))), "{result:?}");
    assert!(was_reset(&asked), "{asked:?}");
}

#[test]
fn the_wrong_tag_of_a_known_firmware_is_taken_and_nothing_else_that_is_wrong() {
    let run = |mut status: Vec<u8>, change: fn(&mut Vec<u8>)| {
        status[4..8].fill(0);
        change(&mut status);
        let mut script = Script::new([ok(), Ok(status), ok(), ok(), ok()]);
        Bot::new(&mut script, PIPES).ignoring_tags(true).command(&[0], Data::None, WAIT)
    };
    let good = || status(0, 0).unwrap();
    assert!(run(good(), |_| ()).is_ok());
    assert!(run(good(), |status| status[0] ^= 1).is_err());
    assert!(run(good(), |status| status[8] = 1).is_err());
    assert!(run(good(), |status| status[12] = 7).is_err());
}

#[test]
fn a_device_that_left_is_not_reset() {
    let (result, asked) = run(Data::In(4), vec![ok(), Err(TransferError::Gone)]);
    assert_eq!(result.unwrap_err().transfer(), Some(&TransferError::Gone));
    assert_eq!(asked.len(), 2);
}

#[test]
fn every_command_has_a_tag_of_its_own() {
    let mut second = status(0, 0).unwrap();
    second[4..8].copy_from_slice(&(FIRST_TAG + 1).to_le_bytes());
    let mut script = Script::new([ok(), status(0, 0), ok(), Ok(second)]);
    let mut bot = Bot::new(&mut script, PIPES);
    assert!(bot.command(&[0], Data::None, WAIT).is_ok());
    assert!(bot.command(&[0], Data::None, WAIT).is_ok());
}

#[test]
fn a_drive_is_named_by_its_inquiry_and_measured_by_its_capacity() {
    let mut inquiry = vec![0x05, 0x80, 0, 0, 31, 0, 0, 0];
    inquiry.extend(b"SONY    CD-RW  CRX100E  1.0n");
    let decoded = Inquiry::decode(&inquiry).unwrap();
    assert_eq!(decoded.to_string(), "SONY CD-RW CRX100E 1.0n");
    assert_eq!((decoded.kind, decoded.removable), (5, true));
    let capacity = Capacity::decode(&[0xff, 0xff, 0xff, 0xff, 0, 0, 2, 0]).unwrap();
    assert_eq!(capacity.bytes(), 0x1_0000_0000 * 512);
    assert_eq!(Inquiry::decode(&inquiry[..35]), None);
}

#[test]
fn a_refused_command_is_told_with_the_drives_reason() {
    let mut sense = vec![0x70, 0, 2, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x3a, 0];
    sense.resize(18, 0);
    let mut second = status(0, 0).unwrap();
    second[4..8].copy_from_slice(&(FIRST_TAG + 1).to_le_bytes());
    let mut script = Script::new([ok(), stall(), ok(), status(8, 1), ok(), Ok(sense), Ok(second)]);
    let error = Bot::new(&mut script, PIPES).read_capacity().unwrap_err();
    assert_eq!(error.to_string(), "READ CAPACITY failed: no medium is inserted (sense 2/3a/00)");
}

#[test]
fn the_pipes_are_those_of_the_interface_that_speaks_the_transport() {
    let end = |address, kind| Endpoint { address, kind, max_packet: 512 };
    let interface = |number, protocol, endpoints| Interface {
        number,
        alternate: 0,
        class: ClassCode::new(0xff, 6, protocol),
        endpoints,
    };
    let mut seen = Sighting {
        port: PortPath::new(1, vec![1]),
        device_number: 1,
        ids: Ids::new(0x04b4, 0x6830),
        bcd_device: 0x41,
        class: ClassCode::new(0, 0, 0),
        manufacturer: None,
        product: None,
        serial: None,
        interfaces: vec![
            interface(0, 0, vec![end(0x01, 2), end(0x81, 2)]),
            interface(2, 0x50, vec![end(0x83, 3), end(0x02, 2), end(0x86, 2)]),
        ],
        speed: Speed::High,
        driver: None,
    };
    assert_eq!(Pipes::of(&seen), Some(Pipes { interface: 2, bulk_in: 0x86, bulk_out: 2 }));
    seen.interfaces.truncate(1);
    assert_eq!(Pipes::of(&seen), Some(Pipes { interface: 0, bulk_in: 0x81, bulk_out: 1 }));
    seen.interfaces[0].endpoints.pop();
    assert_eq!(Pipes::of(&seen), None);
}

fn any_answer() -> impl Strategy<Value = Result<Vec<u8>, TransferError>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..80).prop_map(Ok),
        (any::<u32>(), 0u8..4).prop_map(|(residue, code)| status(residue, code)),
        (0u32..40, 0u8..3).prop_map(|(residue, code)| status(residue, code)),
        Just(stall()),
        Just(Err(TransferError::TimedOut)),
        Just(Err(TransferError::Short { sent: 3, length: 31 })),
        Just(Err(TransferError::Gone)),
    ]
}

proptest! {
    #[test]
    fn no_device_can_make_a_command_endless_or_bring_more_than_was_asked_for(
        answers in proptest::collection::vec(any_answer(), 0..12),
        length in 0u32..64,
        kind in 0u8..3,
    ) {
        let sent = vec![0; length as usize];
        let data = match kind {
            0 => Data::None,
            1 => Data::In(length),
            _ => Data::Out(&sent),
        };
        let (result, asked) = run(data, answers);
        prop_assert!(asked.len() <= 9, "{asked:?}");
        if let Ok(done) = result {
            prop_assert!(done.data.len() <= length as usize);
            prop_assert!(done.residue <= length);
        }
    }
}
