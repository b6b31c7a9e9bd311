//! The first write of a rescue shows what reading a uniform memory cannot: how large the part is
//! and what pages it takes.

use std::fs;
use std::sync::{Arc, Mutex};

use crate::cast::{Cast, Flag, Tampered, Watching, swap_part};
use crate::minimum::minimum;
use crate::support::{Desk, port, scenario, simulated, with_profile};
use recover::executor::{Event, Request};
use recover::failure::{Code, DeviceState};
use recover::profile::{Library, known_chips};
use recover::rescue::Verdict;
use recover::rescue::choice::NamedImage;
use recover::sim::Scenario;
use recover::sim::scenarios::{Content, Defect};
use recover::usb::{Link, Transfer};

#[test]
fn a_byte_that_showed_a_smaller_part_is_put_back() {
    let mut desk = Desk::new(scenario("sl11r-small-eeprom"));
    let before = desk.eeprom();
    let outcome = desk.rescue(&Request::default());
    assert_eq!(outcome.failure.unwrap().code, Code::R105);
    assert_eq!(desk.eeprom(), before);
    assert!(desk.write_cycles() > 1, "nothing was tried and put back");
    assert_eq!(outcome.device_state, DeviceState::RunningFromRam);
}

/// A part that takes the byte which shows it and nothing more.
#[test]
fn a_byte_that_could_not_be_put_back_leaves_the_part_written() {
    let desk = Desk::new(scenario("sl11r-small-eeprom"));
    let before = desk.eeprom();
    let (tries, frozen) = (Flag::default(), Mutex::new(None::<Vec<u8>>));
    let (bus, is_tried, old) = (desk.bus.clone(), tries.clone(), before.clone());
    let mut tampered = Tampered::new(&desk.bus);
    tampered.exchange = Arc::new(move |link: &mut dyn Link, transfer: &Transfer| {
        let reply = link.exchange(transfer);
        let mut frozen = frozen.lock().unwrap();
        match &*frozen {
            Some(bytes) => swap_part(&bus, bytes),
            None if is_tried.is_set() => {
                let now = bus.eeprom(&port()).unwrap().bytes;
                *frozen = (now != old).then_some(now);
            }
            None => {}
        }
        reply
    });
    let observer = Box::new(Watching(move |event: &Event| {
        if matches!(event, Event::StepBegun { title, .. } if title.contains("as a test")) {
            tries.set();
        }
    }));
    let outcome = Cast { bus: Box::new(tampered), observer, ..Cast::usual(&desk) }
        .rescue(&desk, &Request::default());
    let failure = outcome.failure.unwrap();
    assert_eq!(failure.code, Code::R105, "{failure}");
    assert_ne!(desk.eeprom(), before);
    assert_eq!(failure.device, DeviceState::PartWritten);
}

/// A profile that says 24C256, whose pages are 64 bytes, and a 24LC64 with pages of 32.
#[test]
fn a_part_with_smaller_pages_than_its_profile_says_is_written_in_those() {
    let scenario = scenario("ezusb-blank");
    let mut desk = Desk::new(scenario);
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("own");
    fs::create_dir(&folder).unwrap();
    let shipped = "recovery-images/ezusb/simulated-fx2lp";
    let text = fs::read_to_string(format!("{shipped}/profile.toml")).unwrap();
    let text = text
        .replace("\"simulated-fx2lp\"", "\"own\"")
        .replace("size_bytes = 8192", "size_bytes = 32768");
    for entry in fs::read_dir(shipped).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    fs::write(folder.join("profile.toml"), text).unwrap();
    desk.library = Library::embedded(&known_chips()).with_user_folder(&folder);
    assert_eq!(desk.library.problems(), []);
    assert_eq!(desk.library.find("own").unwrap().memory.size_bytes, 32768);
    let outcome = desk.rescue(&with_profile("own"));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert!(desk.eeprom().starts_with(scenario.factory_image()));
    let note = "its pages are 32 bytes";
    assert!(outcome.notes.iter().any(|text| text.contains(note)), "{:?}", outcome.notes);
}

/// Every part that fits each chip, blank and zeroed.
#[test]
fn every_part_takes_at_most_two_write_cycles_more_than_it_has_to() {
    let with_pages: [(&str, &[&str]); 3] = [
        ("fx2lp", &["24c16", "24lc32", "24lc64", "24lc128", "24lc256", "24lc512"]),
        ("an2131", &["24lc64", "24lc256", "24lc512"]),
        ("ez-otg", &["24c16", "24lc64", "24lc128", "24lc512"]),
    ];
    for (model, parts) in with_pages {
        let usual = recover::sim::scenarios().iter().find(|scenario| scenario.model == model);
        for part in parts {
            for byte in [0xff, 0x00] {
                let scenario = Scenario {
                    part: Some(part),
                    content: Content::Filled(byte),
                    ..*usual.unwrap()
                };
                let mut desk = Desk::new(&scenario);
                let before = desk.eeprom();
                let outcome = desk.rescue(&with_profile(&simulated(model)));
                assert_eq!(outcome.result, Verdict::Rescued, "{part}: {:?}", outcome.failure);
                let minimum = minimum(&scenario, &before, &desk.eeprom()).cycles;
                let cycles = desk.write_cycles();
                assert!(cycles <= minimum + 2, "{model} {part} {byte:02x}: {cycles} of {minimum}");
            }
        }
    }
}

/// A 24C00 takes single bytes, and holds 16 of them: the ids and nothing more.
#[test]
fn a_part_that_takes_single_bytes_gets_its_ids() {
    let scenario = Scenario { part: Some("24lc00"), ..*scenario("ezusb-blank") };
    let mut desk = Desk::new(&scenario);
    let mut request = Request::default();
    let bytes = vec![0xc0, 0x34, 0x12, 0x78, 0x56, 0x01, 0x00, 0x00];
    request.target.image = Some(NamedImage { name: "ids.bin".to_owned(), bytes: bytes.clone() });
    let outcome = desk.rescue(&request);
    assert!(desk.eeprom().starts_with(&bytes), "{:?}", outcome.failure);
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert!(outcome.notes.iter().any(|note| note.contains("1 byte")), "{:?}", outcome.notes);
}

#[test]
fn an_image_behind_the_end_of_a_small_part_shows_its_size() {
    // It answers in its own block only, and shows it for all.
    let silent = Scenario { part: Some("at24c02"), ..*scenario("ezusb-small") };
    let at2lp = Scenario { part: Some("24c01"), ..*scenario("at2lp-rc42") };
    let otg = Scenario { part: Some("24c02"), ..*scenario("ez-otg-small") };
    for (scenario, size) in [(silent, "256 bytes"), (at2lp, "128 bytes"), (otg, "256 bytes")] {
        let mut desk = Desk::new(&scenario);
        let outcome = desk.rescue(&with_profile(&simulated(scenario.model)));
        let failure = outcome.failure.unwrap();
        assert_eq!(failure.code, Code::R105, "{}: {failure}", scenario.model);
        assert!(failure.what.contains(size), "{}: {failure}", scenario.model);
    }
}

#[test]
fn a_part_that_refuses_what_is_written_is_write_protected_and_not_dead() {
    for name in ["ezusb-blank", "ezusb-small", "ez-otg-blank", "sl11r-zeroed"] {
        let scenario = Scenario { defect: Defect::RefusesWrites, ..*scenario(name) };
        let mut desk = Desk::new(&scenario);
        let outcome = desk.rescue(&with_profile(&simulated(scenario.model)));
        let failure = outcome.failure.unwrap();
        assert_eq!(failure.code, Code::R106, "{name}: {failure}");
        assert_eq!(outcome.device_state, DeviceState::RunningFromRam, "{name}");
        assert_eq!(desk.write_cycles(), 0, "{name}");
    }
}

/// The byte that boots can be the one that does not change.
#[test]
fn a_stuck_first_byte_is_not_called_write_protection() {
    for name in ["ezusb-blank", "ez-otg-blank", "sl11r-zeroed", "ez-otg-zeroed"] {
        let scenario = Scenario { defect: Defect::StuckByte(0), ..*scenario(name) };
        let mut desk = Desk::new(&scenario);
        let outcome = desk.rescue(&with_profile(&simulated(scenario.model)));
        assert_eq!(outcome.failure.unwrap().code, Code::R108, "{name}");
    }
}

/// The factory's firmware with another program record behind it, so long that the image is `length`
/// bytes. `tail` is what the record holds.
fn image_of(length: usize, tail: impl Fn(usize) -> u8) -> Vec<u8> {
    let factory = scenario("ezusb-blank").factory_image();
    let (program, last) = factory.split_at(factory.len() - 5);
    assert_eq!(last[..4], [0x80, 0x01, 0xe6, 0x00], "the record that starts the program");
    let mut image = program.to_vec();
    // To where neither the program nor its data lie.
    let mut address = 0x2800_u16;
    let mut rest = length - factory.len();
    while rest > 0 {
        // No record may be left with a header and no bytes.
        let bytes = (rest - 4).min(1023).min(if rest - 4 > 1023 { rest - 4 - 5 } else { 1023 });
        image.extend((bytes as u16).to_be_bytes());
        image.extend(address.to_be_bytes());
        image.extend((0..bytes).map(|at| tail(at + usize::from(address))));
        address += bytes as u16;
        rest -= bytes + 4;
    }
    image.extend(last);
    assert_eq!(image.len(), length);
    image
}

/// An image that ends a little before or behind the end of a blank part: it is there, or the part
/// holds what it held and its size is told. Also where the end of the image is as blank as the part.
#[test]
fn no_image_is_written_that_the_part_does_not_hold() {
    for (part, size) in [("24lc32", 4096_usize), ("24lc64", 8192)] {
        for more in [-1_i32, 0, 1, 2, 5, 31, 32, 33, 49, 64, 65, 127, 128, 129, 200] {
            for (blank, is_blank_tail) in [(0xff, false), (0x00, false), (0xff, true)] {
                let length = (size as i32 + more) as usize;
                let image = image_of(length, |at| match is_blank_tail {
                    true => blank,
                    false => (at * 7 + at / 256 + 1) as u8,
                });
                let scenario = Scenario {
                    part: Some(part),
                    content: Content::Filled(blank),
                    ..*scenario("ezusb-blank")
                };
                let mut desk = Desk::new(&scenario);
                let before = desk.eeprom();
                let mut request = with_profile("generic-fx2lp");
                let named = NamedImage { name: "long.iic".to_owned(), bytes: image.clone() };
                request.target.image = Some(named);
                let outcome = desk.rescue(&request);
                let what = format!("{part} {more} {blank:02x} {is_blank_tail}");
                if length <= size {
                    assert_eq!(outcome.result, Verdict::Rescued, "{what}: {:?}", outcome.failure);
                    assert!(desk.eeprom().starts_with(&image), "{what}");
                    continue;
                }
                let failure = outcome.failure.unwrap_or_else(|| panic!("{what}: no failure"));
                assert_eq!(failure.code, Code::R105, "{what}: {failure}");
                assert!(failure.what.contains(&format!("{size} bytes")), "{what}: {failure}");
                assert_eq!(desk.eeprom(), before, "{what}");
                assert_eq!(failure.device, DeviceState::RunningFromRam, "{what}");
            }
        }
    }
}
