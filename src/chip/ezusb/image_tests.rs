//! Tests of images and of the builder.

use proptest::prelude::*;

use super::builder;
use super::file::read;
use super::firmware::Firmware;
use super::hex::Piece;
use super::image::{Header, boots_from, in_memory, with_fitting_signature};
use super::model::{AN2131, FX, FX1, FX2, FX2LP, MODELS};
use crate::chip::{Image, ImageError, Model};
use crate::usb::Ids;

const HEADER: Header =
    Header { ids: Ids::new(0x1209, 0x0001), bcd_device: 0x0100, configuration: 0x01 };

fn firmware(pieces: &[(u16, &[u8])]) -> Firmware {
    let pieces =
        pieces.iter().map(|(address, data)| Piece { address: *address, data: data.to_vec() });
    Firmware { pieces: pieces.collect(), notes: Vec::new() }
}

fn build(model: Model, pieces: &[(u16, &[u8])]) -> Result<Image, ImageError> {
    builder::with_firmware(model, &firmware(pieces), HEADER)
}

fn unsuitable(result: Result<Image, ImageError>) -> String {
    match result {
        Err(error @ ImageError::Unsuitable { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn real_id_images_are_read() {
    // Numato Opsis, and a board with the ids 1879:1001.
    for (bytes, ids, bcd) in
        [("c0501db560010001", "1d50:60b5", 0x0001), ("c079180110000000", "1879:1001", 0x0000)]
    {
        let image = read(FX2LP, &hex::decode(bytes).unwrap()).unwrap();
        let identity = image.identity.clone().unwrap();
        assert_eq!((identity.ids.to_string().as_str(), identity.bcd_device), (ids, Some(bcd)));
        assert_eq!((image.commit.as_slice(), image.start().len()), (&[0..1][..], 8));
    }
}

#[test]
fn the_numato_image_is_built_byte_for_byte() {
    let header = Header { ids: Ids::new(0x1d50, 0x60b5), bcd_device: 0x0001, configuration: 0x01 };
    // Its bytes 5 to 7 are 01 00 01: bcdDevice 0001, 400 kHz.
    let image = builder::ids_only(FX2LP, header).unwrap();
    assert_eq!(hex::encode(image.start()), "c0501db560010001");
}

#[test]
fn firmware_images_begin_and_end_as_documented() {
    let code: &[u8] = &[0x80, 0xfe];
    for (model, expected) in [
        (FX2LP, "c20912010000010100020000 80fe 8001e60000"),
        (FX1, "c20912010000010100020000 80fe 8001e60000"),
        (FX, "b6091201000001010000020000 80fe 80017f9200"),
        (AN2131, "b209120100000100020000 80fe 80017f9200"),
    ] {
        let image = build(model, &[(0, code)]).unwrap();
        assert_eq!(hex::encode(image.start()), expected.replace(' ', ""), "{model}");
        assert_eq!(image.identity, None);
    }
}

#[test]
fn blank_contents_are_refused_by_name() {
    assert_eq!(read(FX2LP, &[]), Err(ImageError::Empty));
    let zeros = read(FX2LP, &[0; 8192]);
    assert_eq!(zeros, Err(ImageError::AllOneByte { byte: 0, length: 8192 }));
    let text = read(FX2LP, &[1, 2, 3]).unwrap_err().to_string();
    assert!(text.contains("c0 (ids) or c2 (firmware)"), "{text}");
}

#[test]
fn ids_that_cannot_be_meant_are_refused() {
    for ids in [(0, 1), (1, 0), (0xffff, 1), (1, 0xffff)] {
        let header = Header { ids: Ids::new(ids.0, ids.1), ..HEADER };
        assert!(unsuitable(builder::ids_only(FX2LP, header)).contains("not assigned"));
        // Firmware that renumerates shows its own.
        let with = builder::with_firmware(FX2LP, &firmware(&[(0, &[0])]), header).unwrap();
        assert!(with.notes[0].contains("not assigned"), "{:?}", with.notes);
    }
    let boot = Header { ids: Ids::new(0x04b4, 0x8613), ..HEADER };
    assert!(unsuitable(builder::ids_only(FX2LP, boot)).contains("stay in boot mode"));
    assert!(builder::with_firmware(FX2LP, &firmware(&[(0, &[0])]), boot).is_ok());
}

#[test]
fn an_image_for_the_other_register_map_is_refused_as_such() {
    let an = build(AN2131, &[(0, &[0x80, 0xfe])]).unwrap().start().to_vec();
    assert!(matches!(read(FX2LP, &an), Err(ImageError::OtherChip { .. })));
    // The right first byte, but made by a tool that was told the wrong chip.
    let mut lying = build(FX2LP, &[(0, &[0x80, 0xfe])]).unwrap().start().to_vec();
    let length = lying.len();
    lying[length - 3..length - 1].copy_from_slice(&[0x7f, 0x92]);
    let Err(ImageError::OtherChip { other, .. }) = read(FX2LP, &lying) else { panic!() };
    assert!(other.contains("AN21xx"), "{other}");
}

#[test]
fn images_of_other_families_are_named() {
    for (start, name) in
        [("534b0102", "AT2LP"), ("4d4d0102", "AT2"), ("b6c30400", "EZ-OTG"), ("43591c00", "FX3")]
    {
        for model in MODELS {
            let Err(ImageError::OtherChip { other, .. }) =
                read(*model, &hex::decode(start).unwrap())
            else {
                panic!("{start} {model}")
            };
            assert!(other.contains(name), "{start}: {other}");
        }
    }
    assert!(boots_from(FX, &[0xb6, 0xc3]) && !boots_from(FX, &[0xc2]));
}

#[test]
fn an_fx_image_whose_vendor_id_ends_in_c3_is_no_cy16_image() {
    let header = Header { ids: Ids::new(0x12c3, 1), ..HEADER };
    let image = builder::with_firmware(FX, &firmware(&[(0, &[0x80, 0xfe])]), header).unwrap();
    assert_eq!(image.start().first_chunk(), Some(&[0xb6, 0xc3]));
}

#[test]
fn a_record_outside_the_chips_ram_is_refused_or_an_assumption_about_the_board() {
    let code: &[u8] = &[0x80, 0xfe];
    let high = [(0, code), (0x2000, code)];
    assert!(build(FX2LP, &high).is_ok());
    assert!(matches!(build(FX2, &high), Err(ImageError::OutsideRam { start: 0x2000, .. })));
    let scratch = [(0, code), (0xe000, code)];
    assert!(build(FX2, &scratch).is_ok());
    let places = [
        (AN2131, 0xe000, "e000..e002"),
        (AN2131, 0x1b40, "1b40..1b42"),
        (AN2131, 0x2800, "2800..2802"),
        (FX2LP, 0x3fff, "4000..4001"),
        (FX2LP, 0xe1ff, "e200..e201"),
        (FX2, 0x4000, "4000..4002"),
    ];
    for (model, address, named) in places {
        let image = build(model, &[(0, code), (address, code)]).unwrap();
        let [assumption] = image.assumptions.as_slice() else { panic!("{model} {address:04x}") };
        assert!(assumption.contains(named), "{model}: {assumption}");
    }
    assert!(build(FX2LP, &high).unwrap().assumptions.is_empty());
    // What can be nothing but registers.
    for (model, address) in
        [(FX2LP, 0xe600), (FX2LP, 0xe3ff), (FX2, 0x3fff), (AN2131, 0x7b3f), (AN2131, 0x7fff)]
    {
        let refused = build(model, &[(0, code), (address, code)]);
        assert!(matches!(refused, Err(ImageError::OutsideRam { .. })), "{model} {address:04x}");
    }
}

#[test]
fn records_that_overlap_or_leave_the_reset_vector_empty_are_refused() {
    assert!(unsuitable(build(FX2LP, &[(0, &[1, 2, 3]), (2, &[4])])).contains("overlaps"));
    assert!(unsuitable(build(FX2LP, &[(0x100, &[1, 2, 3])])).contains("0000"));
}

#[test]
fn an_image_cut_anywhere_is_refused() {
    let whole = build(FX2LP, &[(0, &[0x80; 40]), (0x100, &[7; 9])]).unwrap().start().to_vec();
    for length in 1..whole.len() {
        let cut = read(FX2LP, &whole[..length]);
        assert!(matches!(cut, Err(ImageError::Truncated { .. })), "{length}: {cut:?}");
    }
}

#[test]
fn an_image_larger_than_any_eeprom_is_refused() {
    let mut bytes = build(FX2LP, &[(0, &[0x80, 0xfe])]).unwrap().start().to_vec();
    bytes.resize(0x1_0001, 0xff);
    let refused = read(FX2LP, &bytes);
    assert!(matches!(refused, Err(ImageError::TooBig { length: 0x1_0001, .. })), "{refused:?}");
    bytes.truncate(0x1_0000);
    let image = read(FX2LP, &bytes).unwrap();
    assert!(image.contents.last().unwrap().contains("after the end"), "{:?}", image.contents);
}

#[test]
fn a_last_record_that_does_not_start_the_8051_is_refused() {
    let mut bytes = build(FX2LP, &[(0, &[0x80, 0xfe])]).unwrap().start().to_vec();
    *bytes.last_mut().unwrap() = 1;
    let why = unsuitable(read(FX2LP, &bytes));
    assert!(why.contains("got 01 for e600, expected 00"), "{why}");
}

#[test]
fn what_lies_behind_an_image_in_memory_is_left_out() {
    let image = build(FX2LP, &[(0, &[0x80, 0xfe])]).unwrap();
    let mut contents = image.start().to_vec();
    contents.resize(0x4000, 0xff);
    assert_eq!(in_memory(FX2LP, &contents).unwrap(), image);
    let mut ids = hex::decode("c0501db560010001").unwrap();
    ids.resize(256, 0xff);
    assert_eq!(in_memory(FX2LP, &ids).unwrap().start().len(), 8);
    assert!(in_memory(FX2LP, &[0xff; 256]).is_err());
}

#[test]
fn a_first_byte_that_does_not_fit_what_is_behind_it_is_found() {
    let load = build(FX2LP, &[(0, &[0x80, 0xfe])]).unwrap().start().to_vec();
    let damaged = [&[0xc0], &load[1..], &[0xff; 40]].concat();
    let fitting = with_fitting_signature(FX2LP, &damaged).unwrap();
    assert_eq!(in_memory(FX2LP, &fitting).unwrap().start(), load);
    assert!(read(FX2LP, &damaged).unwrap().notes[0].contains("whole program"));
    let mut ids = hex::decode("c0501db560010001").unwrap();
    ids.resize(256, 0xff);
    assert_eq!(with_fitting_signature(FX2LP, &ids), None);
    assert_eq!(with_fitting_signature(FX2LP, &load), None);
    let damaged = [&[0xc2], &ids[1..]].concat();
    assert_eq!(with_fitting_signature(FX2LP, &damaged), Some(ids));
    assert_eq!(with_fitting_signature(FX2LP, &[0xff; 64]), None);
    assert_eq!(with_fitting_signature(FX2LP, &[]), None);
}

#[test]
fn firmware_files_become_images_with_their_own_ids() {
    let mut flat = vec![0x02, 0x00, 0x80];
    flat.resize(0x100, 0);
    flat.extend(hex::decode("12010002ffffff40501d8c60010001020001").unwrap());
    let image = read(FX2LP, &flat).unwrap();
    assert_eq!(hex::encode(&image.start()[..8]), "c2501d8c60010000");
    assert_eq!(image.identity.clone().unwrap().ids.to_string(), "1d50:608c");
    let flat: String = ihex::create_object_file_representation(&[
        ihex::Record::Data { offset: 0, value: vec![0x80, 0xfe] },
        ihex::Record::EndOfFile,
    ])
    .unwrap();
    assert!(unsuitable(read(FX2LP, flat.as_bytes())).contains("give the USB ID"));
    assert!(unsuitable(read(FX2LP, &[2, 0, 3, 0])).contains("give the USB ID"));
    let bad = unsuitable(read(FX2LP, b":0300000002000BF1\n:00000001FF"));
    assert!(bad.contains("line 1: the checksum is f1, its bytes give f0"), "{bad}");
}

proptest! {
    #[test]
    fn what_is_built_is_read_back(
        data in proptest::collection::vec(any::<u8>(), 1..0x1b40),
        vendor in 1_u16..0xffff,
        bcd in any::<u16>(),
    ) {
        let header = Header { ids: Ids::new(vendor, 0x7777), bcd_device: bcd, configuration: 0 };
        for model in MODELS {
            let image = builder::with_firmware(*model, &firmware(&[(0, &data)]), header).unwrap();
            let again = in_memory(*model, image.start()).unwrap();
            prop_assert_eq!(&again, &image);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        first in prop_oneof![Just(0xc2_u8), Just(0xc0), Just(0xb2), Just(0xb6), Just(0xb4), any::<u8>()],
        mut bytes in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        bytes.insert(0, first);
        for model in MODELS {
            let _ = read(*model, &bytes);
            let _ = in_memory(*model, &bytes);
        }
    }
}
