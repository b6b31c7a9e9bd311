//! Records and streams: round trips, and what is refused either way.

use proptest::prelude::*;

use super::super::record::{Record, RecordError};
use super::*;

fn any_record() -> impl Strategy<Value = Record> {
    let data = || proptest::collection::vec(any::<u8>(), 1..80);
    prop_oneof![
        (any::<u16>(), data()).prop_map(|(address, data)| Record::Copy { address, data }),
        (0..=0x7f_u8, data()).prop_map(|(interrupt, code)| Record::Install { interrupt, code }),
        (0..=0x7f_u8, proptest::collection::vec(any::<u16>(), 1..9))
            .prop_map(|(interrupt, offsets)| Record::FixUp { interrupt, offsets }),
        any::<u16>().prop_map(|address| Record::Jump { address }),
        any::<u16>().prop_map(|address| Record::Call { address }),
        (0..=0x7f_u8).prop_map(|interrupt| Record::Interrupt { interrupt }),
        (0..=0x7f_u8, any::<u16>(), data()).prop_map(|(interrupt, start, data)| Record::Feed {
            interrupt,
            start,
            data
        }),
        proptest::collection::vec(any::<(u8, u16)>(), 1..5).prop_map(Record::Registers),
    ]
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_itself(
        records in proptest::collection::vec(any_record(), 0..12),
    ) {
        let bytes = encode_stream(&records).unwrap();
        let (decoded, ending) = decode_stream(&bytes).unwrap();
        let decoded: Vec<_> = decoded.into_iter().map(|placed| placed.record).collect();
        prop_assert_eq!(decoded, records);
        prop_assert_eq!(ending, Ending::Word { word: 0, after: 0 });
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(
        tail in proptest::collection::vec(any::<u8>(), 0..200),
        opcode in 0..10_u8,
        length in 0..40_u16,
    ) {
        let mut bytes = vec![0xb6, 0xc3];
        bytes.extend(length.to_le_bytes());
        bytes.push(opcode);
        bytes.extend(tail);
        if let Ok((records, _)) = decode_stream(&bytes) {
            let mut again = Vec::new();
            for placed in &records {
                prop_assert_eq!(placed.at, again.len());
                again.extend(placed.record.encode().unwrap());
            }
            prop_assert!(bytes.starts_with(&again));
        }
    }
}

#[test]
fn a_record_that_would_desynchronise_the_bios_is_not_encoded() {
    let empty = Record::Copy { address: 0x1000, data: vec![] };
    assert!(matches!(empty.encode(), Err(RecordError::Length { opcode: 0, .. })));
    let long = Record::Install { interrupt: 0x52, code: vec![0; 0x1_0000] };
    assert_eq!(long.encode(), Err(RecordError::TooLong { opcode: 2, length: 0x1_0001 }));
    let vector = Record::Interrupt { interrupt: 0x80 };
    assert!(matches!(vector.encode(), Err(RecordError::Interrupt { .. })));
}

#[test]
fn a_length_other_than_the_opcode_consumes_is_refused() {
    for (opcode, length) in [(0, 2), (2, 1), (3, 2), (4, 1), (4, 3), (5, 4), (6, 2), (8, 3), (9, 4)]
    {
        let body = vec![1; length];
        let got = Record::decode(opcode, &body);
        assert!(matches!(got, Err(RecordError::Length { .. })), "op {opcode}: {got:?}");
    }
    for opcode in [1, 7, 10, 0xff] {
        assert_eq!(Record::decode(opcode, &[1; 7]), Err(RecordError::Unknown { opcode }));
    }
}

#[test]
fn a_stream_cut_anywhere_says_which_record_was_cut() {
    let one = Record::Call { address: 0x500 };
    let two = Record::Copy { address: 0x500, data: vec![7; 20] };
    let bytes = encode_stream(&[one, two]).unwrap();
    for length in 0..bytes.len() - 2 {
        let cut = decode_stream(&bytes[..length]);
        match length {
            0 | 7 => assert!(matches!(cut, Ok((_, Ending::Missing)))),
            1..7 => assert_eq!(cut, Err(StreamError::Cut { at: 0 })),
            _ if length < bytes.len() - 2 => assert_eq!(cut, Err(StreamError::Cut { at: 7 })),
            _ => {}
        }
    }
}
