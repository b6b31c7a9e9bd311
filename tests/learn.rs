//! A healthy twin teaches a profile, and a blanked enclosure becomes its twin by it.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{Desk, port, scenario, with_profile};
use recover::chip;
use recover::executor::{Event, Learning, Request};
use recover::failure::Code;
use recover::profile::{self, Library, known_chips};
use recover::rescue::{Outcome, Verdict};
use recover::sim::Fault;

const NAME: &str = "another-maker-external-disk";

fn asked(family: &str) -> Request {
    let mut request = Request { as_family: chip::family(family), ..Request::default() };
    request.port = Some(port());
    request
}

/// Learns from a scenario's device into `home`; what was there before is known.
fn learn(name: &str, family: &str, home: &Path, called: Option<&str>) -> (Desk, Outcome) {
    let mut desk = Desk::new(scenario(name));
    desk.library = library(home);
    let learning = Learning { folder: home.to_owned(), name: called.map(str::to_owned) };
    let before = desk.eeprom();
    let outcome = desk.run(|session| session.learn(&asked(family), &learning));
    assert_eq!((desk.eeprom(), desk.write_cycles()), (before, 0), "{name}");
    (desk, outcome)
}

fn library(home: &Path) -> Library {
    Library::embedded(&known_chips()).with_user_folder(home)
}

fn learnt(desk: &Desk) -> (String, PathBuf, String) {
    desk.events
        .iter()
        .find_map(|event| match event {
            Event::Learnt { profile, folder, serial, .. } => {
                Some((profile.clone(), folder.clone(), serial.clone()))
            }
            _ => None,
        })
        .unwrap()
}

fn holds(bytes: &[u8], serial: &str) -> bool {
    let wide: Vec<u8> = serial.encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.windows(wide.len()).any(|at| at == wide)
}

#[test]
fn a_blank_at2lp_becomes_the_twin_of_the_healthy_one_under_its_own_serial_number() {
    let home = tempfile::tempdir().unwrap();
    let (twin, outcome) = learn("at2lp-healthy-oem", "at2lp", home.path(), None);
    assert_eq!(outcome.result, Verdict::Planned, "{:?}", outcome.failure);
    let (name, folder, serial) = learnt(&twin);
    assert_eq!(name, NAME);
    assert!(serial.starts_with("0000A1B2C3D4 was replaced by zeros"), "{serial}");
    profile::check(&folder, &known_chips()).unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!holds(&bytes, "0000A1B2C3D4") && !text.contains("0000A1B2C3D4"), "{text}");
    }

    let mut request = with_profile(NAME);
    request.target.serial = Some("0000A1B2C3D5".to_owned());
    let mut desk = Desk::new(scenario("at2lp-rc42"));
    desk.library = library(home.path());
    let outcome = desk.rescue(&request);
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    let seen = outcome.identity.seen.unwrap();
    assert_eq!(seen.ids.to_string(), "1209:6830");
    assert_eq!(seen.product.as_deref(), Some("External disk"));
    assert_eq!(seen.serial.as_deref(), Some("0000A1B2C3D5"));
    // But for its serial number it is the twin, byte for byte.
    let (ours, theirs) = (desk.eeprom(), twin.eeprom());
    let differing = ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs).count();
    assert_eq!(differing, 1);
}

#[test]
fn without_a_label_the_serial_number_is_made_up_and_said_to_be() {
    let home = tempfile::tempdir().unwrap();
    learn("at2lp-healthy-oem", "at2lp", home.path(), None);
    let mut desk = Desk::new(scenario("at2lp-rc42"));
    desk.library = library(home.path());
    let outcome = desk.rescue(&with_profile(NAME));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    let serial = outcome.identity.seen.unwrap().serial.unwrap();
    assert!(serial != "000000000000" && serial != "0000A1B2C3D4", "{serial}");
    let said = format!("{serial} is new");
    assert!(outcome.notes.iter().any(|note| note.contains(&said)), "{:?}", outcome.notes);
}

#[test]
fn a_rescue_with_a_learnt_profile_is_resumed_with_the_serial_number_it_began_with() {
    let home = tempfile::tempdir().unwrap();
    learn("at2lp-healthy-oem", "at2lp", home.path(), None);
    let mut interrupted = 0;
    for number in 1..200 {
        let mut desk = Desk::new(scenario("at2lp-rc42"));
        desk.library = library(home.path());
        desk.disturb(number, Fault::Unplug(Duration::ZERO));
        let first = desk.rescue(&with_profile(NAME));
        if first.result == Verdict::Rescued {
            break;
        }
        if first.exit_code() != 3 {
            continue;
        }
        interrupted += 1;
        desk.mend();
        let again = desk.rescue(&Request { resume: true, ..Request::default() });
        assert_eq!(again.result, Verdict::Rescued, "transfer {number}: {:?}", again.failure);
        let promised = first.identity.expected.unwrap().serial;
        assert_eq!(again.identity.seen.unwrap().serial, promised, "transfer {number}");
    }
    assert!(interrupted > 0);
}

#[test]
fn a_second_lesson_overwrites_nothing() {
    let home = tempfile::tempdir().unwrap();
    learn("at2lp-healthy-oem", "at2lp", home.path(), None);
    let first = fs::read(home.path().join("at2lp").join(NAME).join("profile.toml")).unwrap();
    let (desk, _) = learn("at2lp-healthy-oem", "at2lp", home.path(), None);
    assert_eq!(learnt(&desk).0, format!("{NAME}-2"));
    let (_, outcome) = learn("at2lp-healthy-oem", "at2lp", home.path(), Some(NAME));
    assert_eq!(outcome.failure.unwrap().code, Code::R311);
    let (_, outcome) = learn("at2lp-healthy-oem", "at2lp", home.path(), Some("../up"));
    assert_eq!(outcome.failure.unwrap().code, Code::R311);
    let now = fs::read(home.path().join("at2lp").join(NAME).join("profile.toml")).unwrap();
    assert_eq!(now, first);
}

#[test]
fn a_blank_or_broken_device_teaches_nothing() {
    for (name, family) in [
        ("at2lp-rc42", "at2lp"),
        ("at2lp-mm-image", "at2lp"),
        ("at2lp-half-written", "at2lp"),
        ("sl11r-zeroed", "cy16"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let (_, outcome) = learn(name, family, home.path(), None);
        assert_eq!(outcome.failure.unwrap().code, Code::R117, "{name}");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "{name}");
    }
}
