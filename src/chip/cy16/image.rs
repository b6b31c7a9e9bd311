//! Images of this family's EEPROM: a stream of scan records that the mask ROM runs at every start.
//!
//! Judged here is what can be judged from the bytes: that each record is what its opcode consumes,
//! goes where the chip has RAM, and leaves alone what the boot itself runs on. Whether the code in
//! it works is for the pre-flight. Stricter than the BIOS, which takes any word that is no
//! signature for the stream's end. Pure. The format is in `record`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::descriptors::{self, Found};
use super::model::{self, Map};
use super::record::{self, Ending, Record, SIGNATURE, StreamError, TERMINATOR};
use crate::chip::{Image, ImageError, Model};

/// The record Cypress's assembler puts first so that its code starts at an even offset of the
/// file: a word to ROM, without effect [ST].
const DUMMY: (u16, [u8; 2]) = (0xe000, [0, 0]);

/// Interrupts the boot runs on while it still reads records: EEPROM, scan, scan decoder [BM 1.3.2].
const BOOTING: &[u8] = &[64, 65, 67, 79];
/// Interrupts without which request FF is not answered: endpoint 0 of both SIEs, standard
/// requests, loader, idle chain [BM 1.7.5].
const LOADING: &[u8] = &[32, 40, 70, 83, 94, 99, 110];

/// Interrupts that the BIOS leaves for firmware and does not initialise [BM table 1-7].
fn is_free(interrupt: u8) -> bool {
    matches!(interrupt, 51..=63 | 118..=125)
}

/// Parses and checks an image for `model`.
///
/// # Errors
/// [`ImageError`], one kind for each way an image can be wrong.
pub fn read(model: Model, bytes: &[u8]) -> Result<Image, ImageError> {
    let chip = model.title;
    let map = model::map(model);
    let Some(first) = bytes.first() else { return Err(ImageError::Empty) };
    if bytes.len() > 1 && bytes.iter().all(|byte| byte == first) {
        return Err(ImageError::AllOneByte { byte: *first, length: bytes.len() });
    }
    signature(chip, bytes)?;
    if bytes.len() > map.most_image {
        let length = bytes.len();
        return Err(ImageError::TooBig { length, most: map.most_image, chip });
    }
    let (records, ending) = record::decode_stream(bytes).map_err(|error| match error {
        StreamError::Cut { .. } => {
            ImageError::Truncated { part: part_of(&error), length: bytes.len() }
        }
        StreamError::Record { ref source, .. } => {
            ImageError::Unsuitable { part: part_of(&error), why: source.to_string() }
        }
    })?;
    let mut contents = Vec::new();
    let mut check = Check { chip, map, loaded: Loaded::default() };
    for placed in &records {
        let note = check.record(&placed.record)?;
        contents.push(format!("{}{note}", placed.record));
    }
    contents.extend(end(chip, map, bytes, ending)?);
    let identity = match descriptors::search(&check.loaded.pieces) {
        Found::Nothing => None,
        Found::One(identity) => Some(identity),
        Found::Several(ids) => {
            let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
            contents.push(format!("device descriptors that differ: {}", ids.join(", ")));
            None
        }
    };
    Ok(Image { bytes: bytes.to_vec(), signature_bytes: 2, identity, contents })
}

/// The image at the start of a memory's contents. Its bytes end with its terminator; what lies
/// behind is left out.
///
/// # Errors
/// As [`read`].
pub fn in_memory(model: Model, contents: &[u8]) -> Result<Image, ImageError> {
    if !is_signed(contents) {
        return read(model, contents);
    }
    let behind = match record::decode_stream(contents) {
        Ok((_, Ending::Word { after, .. })) => after,
        _ => 0,
    };
    let image = contents.split_at_checked(contents.len().saturating_sub(behind));
    read(model, image.map_or(contents, |(image, _)| image))
}

/// Whether the chip would take `first`, the start of a memory, for a stream of records.
pub fn is_signed(first: &[u8]) -> bool {
    first.starts_with(&SIGNATURE)
}

fn part_of(error: &StreamError) -> String {
    let (StreamError::Cut { at } | StreamError::Record { at, .. }) = error;
    format!("the record at {at:#06x}")
}

/// Holds the first two bytes against this family's signature and those of others.
fn signature(chip: &'static str, bytes: &[u8]) -> Result<(), ImageError> {
    let other = match bytes {
        [0xb6, 0xc3, ..] => return Ok(()),
        [0xb6] => {
            return Err(ImageError::Truncated { part: "the signature".to_owned(), length: 1 });
        }
        [0x53, 0x4b, ..] => "Cypress AT2LP",
        [0x4d, 0x4d, ..] => "Cypress AT2",
        [0x43, 0x59, ..] => "Cypress EZ-USB FX3",
        [0xc0 | 0xc2, ..] => "Cypress EZ-USB FX1, FX2 or FX2LP",
        [0xb4 | 0xb6, ..] => "Cypress EZ-USB FX",
        [0xb0 | 0xb2, ..] => "Cypress EZ-USB AN21xx",
        _ => {
            let start = hex::encode(bytes.iter().copied().take(4).collect::<Vec<_>>());
            let kind = if bytes.starts_with(b":") { " (Intel HEX text)" } else { "" };
            let got = format!("{start}{kind}");
            return Err(ImageError::WrongSignature { chip, expected: "b6 c3", got });
        }
    };
    Err(ImageError::OtherChip { chip, other })
}

/// Judges how the stream ends; the lines are for the image's contents.
fn end(
    chip: &'static str,
    map: &Map,
    bytes: &[u8],
    ending: Ending,
) -> Result<Vec<String>, ImageError> {
    let length = bytes.len();
    match ending {
        Ending::Byte(0) if length < map.most_image => {
            // Found in a real image [ST]; whatever byte follows in the EEPROM, the word that
            // starts with it is no signature.
            Ok(vec!["end: a single 00, enough for the chip".to_owned()])
        }
        Ending::Byte(0) => {
            Err(ImageError::TooBig { length: length + 1, most: map.most_image, chip })
        }
        Ending::Byte(_) | Ending::Missing => Err(ImageError::Truncated {
            part: "the stream of records, which ends with 00 00".to_owned(),
            length,
        }),
        Ending::Word { word, after } => {
            let [low, high] = word.to_le_bytes();
            if !matches!([low, high], [0, _] | [0xff, 0xff]) {
                return Err(ImageError::Unsuitable {
                    part: format!("the word {low:02x} {high:02x} at {:#06x}", length - after - 2),
                    why: "neither a record (b6 c3) nor the end (00 00)".to_owned(),
                });
            }
            let mut lines = Vec::new();
            if [low, high] != TERMINATOR {
                lines.push(format!(
                    "end: {low:02x} {high:02x} instead of 00 00, enough for the chip"
                ));
            }
            if after > 0 {
                lines.push(format!("{after} bytes after the end, which the boot does not read"));
            }
            Ok(lines)
        }
    }
}

/// What the records so far have put into the chip.
#[derive(Default)]
struct Loaded {
    /// Stretches of memory, for the search of descriptors; neighbouring records are one stretch.
    pieces: Vec<Vec<u8>>,
    /// The address at which the last stretch goes on, when op 00 made it.
    grows_at: Option<u32>,
    /// Where op 00 put them.
    copied: Vec<Range<u32>>,
    /// Bytes of the block at each interrupt.
    installed: BTreeMap<u8, usize>,
    /// Interrupts whose vector was set.
    vectors: BTreeSet<u8>,
    /// Whether code of the image has run: what it changed cannot be known here.
    has_run: bool,
}

/// Judges one record after the other.
struct Check<'m> {
    chip: &'static str,
    map: &'m Map,
    loaded: Loaded,
}

impl Check<'_> {
    /// Judges the next record; the text is appended to its line in the contents.
    fn record(&mut self, record: &Record) -> Result<String, ImageError> {
        let unsuitable =
            |why: &str| ImageError::Unsuitable { part: record.to_string(), why: why.to_owned() };
        match record {
            Record::Copy { address, data } => return self.copy(record, *address, data),
            Record::Install { interrupt, code } => {
                self.vector(record, *interrupt)?;
                let free = usize::try_from(self.map.free.end - self.map.free.start).unwrap_or(0);
                let earlier: usize = self.loaded.installed.values().sum();
                if earlier + code.len() > free {
                    return Err(unsuitable(&format!("more than the {free} bytes of free RAM")));
                }
                // A second block at the same vector leaks the first.
                *self.loaded.installed.entry(*interrupt).or_default() += code.len();
                self.loaded.pieces.push(code.clone());
                self.loaded.grows_at = None;
                return Ok(loses_loader(*interrupt));
            }
            Record::FixUp { interrupt, offsets } => {
                let block = self.loaded.installed.get(interrupt).copied();
                let Some(block) = block else {
                    return Err(unsuitable("no block was installed at that vector before it"));
                };
                if offsets.iter().any(|offset| usize::from(*offset) + 2 > block) {
                    return Err(unsuitable(&format!(
                        "an offset beyond the block of {block} bytes"
                    )));
                }
            }
            Record::Jump { address } | Record::Call { address } => {
                let at = u32::from(*address);
                let is_code = self.map.rom.contains(&at)
                    || self.map.ram.contains(&at) && at >= model::REGISTER_BANKS.end;
                if !is_code {
                    let (start, end) = (at, at + 2);
                    return Err(ImageError::OutsideRam {
                        part: record.to_string(),
                        start,
                        end,
                        chip: self.chip,
                    });
                }
                let is_known = !self.loaded.has_run && self.loaded.installed.is_empty();
                if is_known
                    && self.map.ram.contains(&at)
                    && !self.loaded.copied.iter().any(|range| range.contains(&at))
                {
                    return Err(unsuitable("no record before it has loaded code there"));
                }
                self.loaded.has_run = true;
            }
            Record::Interrupt { interrupt } => {
                if is_free(*interrupt)
                    && !self.loaded.has_run
                    && !self.loaded.vectors.contains(interrupt)
                {
                    return Err(unsuitable("nothing was installed at that vector before it"));
                }
                self.loaded.has_run = true;
            }
            Record::Feed { .. } => {
                return Err(unsuitable("it would write the EEPROM anew at every start"));
            }
            Record::Registers(entries) => {
                if !self.map.has_ez_registers {
                    return Err(unsuitable("this chip is not known to have op 09"));
                }
                for (register, _) in entries {
                    register_is_safe(u32::from(*register)).map_err(unsuitable)?;
                }
            }
        }
        Ok(String::new())
    }

    /// Judges an op 00.
    fn copy(&mut self, record: &Record, address: u16, data: &[u8]) -> Result<String, ImageError> {
        if (address, data) == (DUMMY.0, &DUMMY.1[..]) {
            return Ok(" (ROM: no effect, it aligns what follows)".to_owned());
        }
        let start = u32::from(address);
        let end = start.saturating_add(u32::try_from(data.len()).unwrap_or(u32::MAX));
        let part = || record.to_string();
        if model::REGISTERS.contains(&start) {
            // Captured: whole words, one a record [EZ].
            if data.len() != 2 {
                let why = "registers take one word a record".to_owned();
                return Err(ImageError::Unsuitable { part: part(), why });
            }
            register_is_safe(start - model::REGISTERS.start)
                .map_err(|why| ImageError::Unsuitable { part: part(), why: why.to_owned() })?;
            return Ok(" (a register)".to_owned());
        }
        if !self.map.ram.contains(&start) || end > self.map.ram.end {
            return Err(ImageError::OutsideRam { part: part(), start, end, chip: self.chip });
        }
        if start < model::REGISTER_BANKS.end && end > model::REGISTER_BANKS.start {
            let why = "it overwrites the registers of the running boot, 0100 to 0140".to_owned();
            return Err(ImageError::Unsuitable { part: part(), why });
        }
        let mut note = String::new();
        for interrupt in 0..=record::MOST_INTERRUPT {
            let word = u32::from(interrupt) * 2;
            if start < word + 2 && end > word {
                self.vector(record, interrupt)?;
                if note.is_empty() {
                    note = loses_loader(interrupt);
                }
            }
        }
        match self.loaded.pieces.last_mut() {
            Some(piece) if self.loaded.grows_at == Some(start) => piece.extend(data),
            _ => self.loaded.pieces.push(data.to_vec()),
        }
        self.loaded.grows_at = Some(end);
        self.loaded.copied.push(start..end);
        Ok(note)
    }

    /// Judges that an interrupt's vector is set.
    fn vector(&mut self, record: &Record, interrupt: u8) -> Result<(), ImageError> {
        if BOOTING.contains(&interrupt) {
            return Err(ImageError::Unsuitable {
                part: record.to_string(),
                why: format!("it replaces interrupt {interrupt:02x}, which reads this very image"),
            });
        }
        self.loaded.vectors.insert(interrupt);
        Ok(())
    }
}

/// A remark on images under which the chip may no longer be reached by request FF.
fn loses_loader(interrupt: u8) -> String {
    if LOADING.contains(&interrupt) {
        format!(" (replaces interrupt {interrupt:02x}; request FF may go unanswered under it)")
    } else {
        String::new()
    }
}

/// Refuses the registers that the boot itself runs on: flags C000 and bank C002.
fn register_is_safe(register: u32) -> Result<(), &'static str> {
    match register {
        0..4 => Err("it changes the flags or the register bank of the running boot"),
        odd if odd % 2 == 1 => Err("registers lie at even addresses"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::model::{EZ_HOST, EZ_OTG, SL11R};
    use super::super::record::encode_stream;
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
        assert_eq!((image.signature_bytes, image.bytes), (2, sniffed_file()));
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
        assert_eq!(image.bytes.len(), 49);
    }

    #[test]
    fn a_broken_record_in_the_middle_is_not_taken_for_the_end() {
        let mut bytes = sniffed_file();
        bytes[41] ^= 0x10;
        let refused = read(EZ_OTG, &bytes).unwrap_err().to_string();
        assert_eq!(
            refused,
            "the word a6 c3 at 0x0029: neither a record (b6 c3) nor the end (00 00)"
        );
    }

    #[test]
    fn padding_after_the_end_is_kept_and_noted() {
        let mut bytes = stream(&[copy(0x500, &[1; 20])]);
        bytes.resize(2048, 0xff);
        let image = read(SL11R, &bytes).unwrap();
        assert_eq!(image.bytes.len(), 2048);
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
        assert!(matches!(refused, Err(ImageError::TooBig { length: 2049, most: 2048, .. })));
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
            unsuitable(EZ_OTG, &[code.clone(), Record::Jump { address: 0x600 }])
                .contains("no record")
        );
        assert!(
            unsuitable(SL11R, &[code.clone(), Record::Interrupt { interrupt: 0x7a }])
                .contains("nothing")
        );
        assert!(read(EZ_OTG, &stream(&[code.clone(), Record::Call { address: 0x500 }])).is_ok());
        let register = read(EZ_OTG, &stream(&[code, Record::Jump { address: 0xc000 }]));
        assert!(matches!(register, Err(ImageError::OutsideRam { .. })), "{register:?}");
        let install = Record::Install { interrupt: 0x52, code: vec![0x97, 0xcf] };
        let image =
            read(SL11R, &stream(&[install, Record::Interrupt { interrupt: 0x52 }])).unwrap();
        assert_eq!(
            image.contents,
            ["op 02: 2 bytes installed at vector 52", "op 06: interrupt 52"]
        );
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
        assert!(image.contents[0].contains("request FF may go unanswered"), "{:?}", image.contents);
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
}
