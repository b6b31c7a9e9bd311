//! What is an image and what is refused, each refusal by its own error.

use proptest::prelude::*;

use super::super::model::{EZ_HOST, EZ_OTG, SL11R};
use super::super::record::Record;
use super::super::stream::encode_stream;
use super::*;

/// The file Cypress's QTUI2C was seen to program [EZ notes.txt].
fn sniffed_file() -> Vec<u8> {
    hex::decode(concat!(
        "b6c3240000c83f",
        "c0093ac0c087070027003ac09fafc6e7c2070200c007000071afcf070004c0df47af",
        "b6c3020004c83f0000",
    ))
    .unwrap()
}

fn stream(records: &[Record]) -> Vec<u8> {
    encode_stream(records).unwrap()
}

fn copy(address: u16, data: &[u8]) -> Record {
    Record::Copy { address, data: data.to_vec() }
}

fn unsuitable(model: Model, records: &[Record]) -> String {
    match read(model, &stream(records)) {
        Err(ImageError::Unsuitable { part, why }) => format!("{part}: {why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_image_cypress_own_tool_programs_is_read() {
    let image = read(EZ_HOST, &sniffed_file()).unwrap();
    assert_eq!(image.contents, ["op 00: 34 bytes to 3fc8", "op 04: jump to 3fc8"]);
    assert_eq!(image.commit, [0..2]);
    assert_eq!(image.start(), sniffed_file());
    assert_eq!(image.identity, None);
}

#[test]
fn an_image_for_the_ez_does_not_fit_the_ram_of_an_sl11r() {
    let refused = read(SL11R, &sniffed_file());
    assert!(
        matches!(refused, Err(ImageError::OutsideRam { start: 0x3fc8, end: 0x3fea, .. })),
        "{refused:?}"
    );
}

#[test]
fn the_dummy_record_to_rom_is_allowed_and_no_other() {
    let code = copy(0x500, &[0x97, 0xcf]);
    let call = Record::Call { address: 0x500 };
    let dummy = copy(0xe000, &[0, 0]);
    assert_eq!(
        stream(std::slice::from_ref(&dummy))[..9],
        hex::decode("b6c304000000e00000").unwrap()
    );
    let image = read(EZ_OTG, &stream(&[dummy, code.clone(), call.clone()])).unwrap();
    assert!(image.contents[0].contains("no effect"), "{:?}", image.contents);
    let other = read(EZ_OTG, &stream(&[copy(0xe000, &[0, 1]), code, call]));
    assert!(matches!(other, Err(ImageError::OutsideRam { start: 0xe000, .. })), "{other:?}");
}

#[test]
fn zeros_are_refused_by_name() {
    let refused = read(SL11R, &[0; 2048]);
    assert_eq!(refused, Err(ImageError::AllOneByte { byte: 0, length: 2048 }));
    assert_eq!(read(SL11R, &[]), Err(ImageError::Empty));
}

#[test]
fn images_of_other_chips_are_named() {
    for (start, name) in [
        ("534b0102", "AT2LP"),
        ("4d4d0102", "AT2"),
        ("c2470513", "FX2"),
        ("c0501db5", "FX2"),
        ("b6041301", "FX"),
        ("b2470531", "AN21xx"),
        ("43591c00", "FX3"),
    ] {
        let bytes = hex::decode(start).unwrap();
        let Err(ImageError::OtherChip { other, .. }) = read(SL11R, &bytes) else {
            panic!("{start}")
        };
        assert!(other.contains(name), "{start}: {other}");
    }
    let text = read(SL11R, b":10000000AA").unwrap_err().to_string();
    assert!(text.contains("Intel HEX") && text.contains("b6 c3"), "{text}");
    let nothing = read(SL11R, &[0x12, 0x34]);
    assert!(matches!(nothing, Err(ImageError::WrongSignature { .. })), "{nothing:?}");
}

#[test]
fn an_image_cut_anywhere_is_refused() {
    let whole = sniffed_file();
    for length in 1..whole.len() - 1 {
        let cut = read(EZ_OTG, &whole[..length]);
        assert!(matches!(cut, Err(ImageError::Truncated { .. })), "{length}: {cut:?}");
    }
}

#[test]
fn a_single_zero_at_the_end_is_accepted_with_a_note() {
    let mut bytes = sniffed_file();
    bytes.pop();
    let image = read(EZ_OTG, &bytes).unwrap();
    assert_eq!(image.contents.last().unwrap(), "end: a single 00, enough for the chip");
    assert_eq!(image.start().len(), 49);
}

#[test]
fn a_broken_record_in_the_middle_is_not_taken_for_the_end() {
    let mut bytes = sniffed_file();
    bytes[41] ^= 0x10;
    let refused = read(EZ_OTG, &bytes).unwrap_err().to_string();
    assert_eq!(refused, "the word a6 c3 at 0x0029: neither a record (b6 c3) nor the end (00 00)");
}

#[test]
fn padding_after_the_end_is_kept_and_noted() {
    let mut bytes = stream(&[copy(0x500, &[1; 20])]);
    bytes.resize(2048, 0xff);
    let image = read(SL11R, &bytes).unwrap();
    assert_eq!(image.start().len(), 2048);
    assert!(image.contents[1].contains("after the end"), "{:?}", image.contents);
}

#[test]
fn an_image_is_found_at_the_start_of_a_memory() {
    let mut contents = sniffed_file();
    contents.resize(0x8000, 0xff);
    assert_eq!(in_memory(EZ_HOST, &contents).unwrap(), read(EZ_HOST, &sniffed_file()).unwrap());
    contents[0] = 0xff;
    assert!(!is_signed(&contents));
    assert!(matches!(in_memory(EZ_HOST, &contents), Err(ImageError::WrongSignature { .. })));
    let blank = in_memory(EZ_HOST, &[0xff; 64]);
    assert_eq!(blank, Err(ImageError::AllOneByte { byte: 0xff, length: 64 }));
    contents[..2].copy_from_slice(&[0xb6, 0xc3]);
    contents[2] = 0xf0;
    assert!(in_memory(EZ_HOST, &contents).is_err());
}

#[test]
fn an_image_must_fit_the_largest_memory_its_chip_boots_from() {
    let mut bytes = stream(&[copy(0x500, &[1; 20])]);
    bytes.resize(2049, 0);
    let refused = read(SL11R, &bytes);
    assert!(matches!(refused, Err(ImageError::TooBig { length: 2049, maximum: 2048, .. })));
    assert!(read(EZ_OTG, &bytes).is_ok());
    let mut tight = stream(&[copy(0x180, &[1; 2048 - 8])]);
    tight.pop();
    assert_eq!(tight.len(), 2048);
    assert!(matches!(read(SL11R, &tight), Err(ImageError::TooBig { length: 2049, .. })));
}

#[test]
fn records_that_would_harm_the_boot_are_refused() {
    let eeprom = Record::Feed { interrupt: 64, start: 0, data: vec![1] };
    assert!(unsuitable(SL11R, &[eeprom]).contains("at every start"));
    assert!(unsuitable(EZ_OTG, &[copy(0x100, &[1, 2])]).contains("registers"));
    assert!(unsuitable(EZ_OTG, &[copy(0x13e, &[1, 2])]).contains("registers"));
    assert!(unsuitable(SL11R, &[copy(2 * 67, &[1, 2])]).contains("interrupt 43"));
    let install = Record::Install { interrupt: 64, code: vec![1, 2] };
    assert!(unsuitable(SL11R, &[install]).contains("interrupt 40"));
    assert!(unsuitable(EZ_OTG, &[Record::Registers(vec![(2, 0x120)])]).contains("bank"));
}

#[test]
fn op_09_is_for_ez_chips() {
    let records = [Record::Registers(vec![(0x3a, 0x2222)])];
    assert!(unsuitable(SL11R, &records).contains("op 09"));
    let image = read(EZ_OTG, &stream(&records)).unwrap();
    assert_eq!(image.contents, ["op 09: register c03a = 2222"]);
}

#[test]
fn code_is_run_only_where_a_record_put_some() {
    let code = copy(0x500, &[0x97, 0xcf]);
    assert!(
        unsuitable(EZ_OTG, &[code.clone(), Record::Jump { address: 0x600 }]).contains("no record")
    );
    assert!(
        unsuitable(SL11R, &[code.clone(), Record::Interrupt { interrupt: 0x7a }])
            .contains("nothing")
    );
    assert!(read(EZ_OTG, &stream(&[code.clone(), Record::Call { address: 0x500 }])).is_ok());
    let register = read(EZ_OTG, &stream(&[code, Record::Jump { address: 0xc000 }]));
    assert!(matches!(register, Err(ImageError::OutsideRam { .. })), "{register:?}");
    let install = Record::Install { interrupt: 0x52, code: vec![0x97, 0xcf] };
    let image = read(SL11R, &stream(&[install, Record::Interrupt { interrupt: 0x52 }])).unwrap();
    assert_eq!(image.contents, ["op 02: 2 bytes installed at vector 52", "op 06: interrupt 52"]);
}

#[test]
fn a_fix_up_stays_inside_its_block() {
    let install = Record::Install { interrupt: 0x7a, code: vec![0; 8] };
    let fix = |offset| Record::FixUp { interrupt: 0x7a, offsets: vec![offset] };
    assert!(read(EZ_OTG, &stream(&[install.clone(), fix(6)])).is_ok());
    assert!(unsuitable(EZ_OTG, &[install, fix(7)]).contains("beyond the block"));
    assert!(unsuitable(EZ_OTG, &[fix(0)]).contains("no block"));
}

#[test]
fn an_image_that_takes_the_loader_away_says_so() {
    let image = read(SL11R, &stream(&[copy(2 * 83, &[0, 5])])).unwrap();
    assert!(image.contents[0].contains("request FF may get no reply"), "{:?}", image.contents);
}

#[test]
fn a_device_descriptor_split_over_two_records_is_found() {
    let device = hex::decode("120110010000000 8ce040200600201010001".replace(' ', "")).unwrap();
    let records = [copy(0x600, &device[..7]), copy(0x607, &device[7..])];
    let identity = read(SL11R, &stream(&records)).unwrap().identity.unwrap();
    assert_eq!(
        (identity.ids.to_string().as_str(), identity.bcd_device),
        ("04ce:0002", Some(0x0260))
    );
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for model in model::MODELS {
            let _ = read(*model, &bytes);
        }
        bytes.splice(0..0, [0xb6, 0xc3]);
        for model in model::MODELS {
            let _ = read(*model, &bytes);
        }
    }

    #[test]
    fn damage_to_an_image_never_makes_the_reader_panic(
        place in 0..50_usize,
        value in any::<u8>(),
        length in 0..50_usize,
    ) {
        let mut bytes = sniffed_file();
        bytes[place] = value;
        bytes.truncate(length);
        let _ = read(EZ_OTG, &bytes);
    }
}
