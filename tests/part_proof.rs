//! The first write of a rescue shows what reading a uniform memory cannot: how large the part is
//! and what pages it takes.

use std::fs;
use std::sync::{Arc, Mutex};

use crate::cast::{Cast, Flag, Tampered, Watching, swap_part};
use crate::support::{Desk, port, scenario, with_profile};
use recover::executor::{Event, Request};
use recover::failure::{Code, DeviceState};
use recover::profile::{Library, known_chips};
use recover::rescue::Verdict;
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
    let note = "writes smaller pages";
    assert!(outcome.notes.iter().any(|text| text.contains(note)), "{:?}", outcome.notes);
}
