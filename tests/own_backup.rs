//! The owner's own backup goes before any profile, where there is no doubt whose it is; and what
//! a profile knows to be done by hand is asked for at its time.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::time::Duration;

use crate::support::{Desk, port, scenario, with_profile};
use recover::executor::{BackupRecord, Event, Request};
use recover::profile::{self, Guidance, GuidanceTime, Library, known_chips};
use recover::rescue::Verdict;
use recover::usb::{Bus, Ids, PortPath};

/// The bytes of a healthy enclosure under its maker's ids.
fn own_bytes() -> Vec<u8> {
    Desk::new(scenario("at2lp-healthy-oem")).eeprom()
}

fn keep(desk: &Desk, id: &str, port: PortPath, bytes: &[u8]) {
    let record = BackupRecord {
        id: id.to_owned(),
        date: desk.bus.clock().date(),
        port,
        ids: Ids::new(0x1209, 0x6830),
        serial: Some("0000A1B2C3D4".to_owned()),
        chip: "at2lp".to_owned(),
        whole: true,
        bytes: 0,
        sha256: String::new(),
    };
    desk.store.save_backup(record, bytes).unwrap();
}

fn asked(desk: &Desk) -> Vec<String> {
    let request = |event: &Event| match event {
        Event::Asked { request, .. } => Some(request.clone()),
        _ => None,
    };
    desk.events.iter().filter_map(request).collect()
}

#[test]
fn the_only_backup_of_the_port_is_what_the_enclosure_becomes() {
    let mut desk = Desk::new(scenario("at2lp-rc42"));
    keep(&desk, "own", port(), &own_bytes());
    let outcome = desk.rescue(&Request::default());
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    let seen = outcome.identity.seen.unwrap();
    assert_eq!(seen.ids, Ids::new(0x1209, 0x6830));
    assert_eq!(seen.serial.as_deref(), Some("0000A1B2C3D4"));
    assert!(outcome.notes.iter().any(|note| note.contains("your own backup own")));
}

#[test]
fn a_backup_of_another_port_or_beside_another_is_not_taken() {
    let elsewhere = PortPath::new(9, vec![1]);
    let foreign = own_bytes();
    let other = scenario("at2lp-rc42").factory_image();
    let cases: [&[(PortPath, &[u8])]; 2] =
        [&[(elsewhere, &foreign)], &[(port(), &foreign), (port(), other)]];
    for backups in cases {
        let mut desk = Desk::new(scenario("at2lp-rc42"));
        for (port, bytes) in backups {
            keep(&desk, "own", port.clone(), bytes);
        }
        let outcome = desk.rescue(&Request::default());
        assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
        let seen = outcome.identity.seen.unwrap();
        assert_eq!(seen.product.as_deref(), Some("AT2LP enclosure (virtual)"));
        let offers = outcome.notes.iter().filter(|note| note.contains("recover restore own"));
        assert_eq!(offers.count(), if backups.len() == 2 { 2 } else { 0 });
    }
}

#[test]
fn waiting_with_a_profile_asks_for_what_is_to_be_done_by_hand() {
    let mut desk = Desk::new(scenario("at2lp-rc42"));
    desk.bus.unplug(&port());
    let wait = Some(Duration::from_secs(5));
    let request = Request { wait, ..with_profile("medion-hddrive2go") };
    desk.rescue(&request);
    let steps = asked(&desk);
    assert_eq!(steps.len(), 2, "{steps:?}");
    assert!(steps[1].contains("ARESET#"), "{steps:?}");
}

#[test]
fn what_belongs_to_the_restart_is_asked_for_when_the_power_has_to_go() {
    let mut desk = Desk::new(scenario("at2lp-mm-image"));
    let mut profile = desk.library.find("simulated-at2lp").unwrap().clone();
    "strapped-at2lp".clone_into(&mut profile.name);
    profile.guidance = vec![
        Guidance {
            step: "hold ARESET# low".to_owned(),
            expect: "04b4:6830 appears".to_owned(),
            when: GuidanceTime::First,
            action: None,
        },
        Guidance {
            step: "take the jumper off".to_owned(),
            expect: "it comes up whole".to_owned(),
            when: GuidanceTime::Restart,
            action: None,
        },
    ];
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join(&profile.name);
    fs::create_dir(&own).unwrap();
    fs::write(own.join(profile::FILE), profile::render(&profile)).unwrap();
    desk.library = Library::embedded(&known_chips()).with_user_folder(folder.path());
    let outcome = desk.rescue(&with_profile("strapped-at2lp"));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    let steps = asked(&desk);
    assert!(steps[0].starts_with("take all power"), "{steps:?}");
    assert_eq!(steps[1..], ["take the jumper off"]);
}
