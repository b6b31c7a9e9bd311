//! Whole rescues on the simulator: what is rescued, what is left alone, what is refused and how.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::Arc;
use std::time::Duration;

use crate::support::{Desk, port, scenario, simulated, with_profile};
use recover::clock::Clock;
use recover::executor::candidate::Candidate;
use recover::executor::{Event, Request};
use recover::failure::{Code, DeviceState};
use recover::profile::{Library, Scope, known_chips};
use recover::rescue::choice::NamedImage;
use recover::rescue::{Outcome, Verdict};
use recover::sim::scenarios::{Ending, Expectation};
use recover::sim::{Fault, HubKind, Scenario, SimBus, scenarios};
use recover::usb::{Bus, BusError, Link, Reply, Sighting, Transfer, TransferError};

fn request(scenario: &Scenario) -> Request {
    match scenario.model {
        "sl11r" => Request::default(),
        "ez-host" => with_profile(&simulated("ez-otg")),
        model => with_profile(&simulated(model)),
    }
}

fn with_image(bytes: &[u8]) -> Request {
    let mut request = Request::default();
    request.target.image = Some(NamedImage { name: "given.bin".into(), bytes: bytes.to_vec() });
    request
}

#[test]
fn every_scenario_ends_as_its_story_says() {
    let mut others = Vec::new();
    for scenario in scenarios() {
        let mut desk = Desk::new(scenario);
        let before = desk.eeprom();
        let name = scenario.name;
        match scenario.expectation {
            Expectation::Rescued => {
                let outcome = desk.rescue(&request(scenario));
                assert_eq!(outcome.result, Verdict::Rescued, "{name}: {:?}", outcome.failure);
                assert_eq!(outcome.exit_code(), 0);
                assert_eq!(outcome.device_state, DeviceState::Restored);
                assert!(desk.eeprom().starts_with(scenario.factory_image()), "{name}");
                assert!(desk.has_backup_of(&before), "{name}");
                let identity = &outcome.identity;
                assert!(
                    identity
                        .expected
                        .as_ref()
                        .unwrap()
                        .differences(identity.seen.as_ref().unwrap())
                        .is_empty()
                );
            }
            Expectation::Untouched(ending) => {
                let outcome = desk.rescue(&Request::default());
                assert_eq!(desk.eeprom(), before, "{name}");
                assert_eq!(desk.write_cycles(), 0, "{name}");
                others.extend(other_ending(scenario, ending, &outcome));
            }
            Expectation::Refused(ending) => {
                let outcome = desk.rescue(&request(scenario));
                if ending.exit == 1 {
                    assert_eq!(desk.eeprom(), before, "{name}");
                } else {
                    assert_ne!(desk.eeprom(), before, "{name}");
                }
                others.extend(other_ending(scenario, ending, &outcome));
            }
        }
    }
    assert_eq!(others, Vec::<String>::new());
}

/// What the story says and how the run ended, where these are not the same.
fn other_ending(scenario: &Scenario, story: Ending, outcome: &Outcome) -> Option<String> {
    let failure = outcome.failure.as_ref();
    let state = serde_json::to_value(outcome.device_state).unwrap();
    let ended = (
        failure.map(|failure| failure.code.name()),
        outcome.exit_code(),
        state.as_str().unwrap_or_default(),
    );
    let has_next = failure.is_none_or(|failure| !failure.next.is_empty());
    let told = (story.code, story.exit, story.device);
    (ended != told || !has_next)
        .then(|| format!("{}: {ended:?} instead of {told:?}", scenario.name))
}

#[test]
fn a_second_run_finds_nothing_to_do() {
    let mut desk = Desk::new(scenario("sl11r-zeroed"));
    desk.rescue(&Request::default());
    let cycles = desk.write_cycles();
    let again = desk.rescue(&Request::default());
    assert_eq!(again.result, Verdict::Healthy);
    assert_eq!(desk.write_cycles(), cycles);
}

/// An enclosure with a supply of its own leaves the bus and comes back under another number, and
/// still runs its trial. It may as well be another one that is well.
#[test]
fn one_that_looks_like_the_last_trial_is_called_healthy_with_a_doubt() {
    let scenario = scenario("sl11r-write-protected");
    let mut desk = Desk::new(scenario);
    desk.bus.put_hub(&port(), HubKind::Switching);
    desk.bus.give_own_supply(&port());
    let request = with_profile(&simulated(scenario.model));
    let failed = desk.rescue(&request).failure.unwrap();
    assert_eq!(failed.code, Code::R106);
    let journal = |desk: &Desk| desk.store.journals().unwrap().pop().unwrap().journal().clone();
    let before = desk.bus.sighting(&port()).unwrap();
    assert_eq!(journal(&desk).left_on_trial(), Some(before.device_number));
    desk.bus.power_off(&before).unwrap();
    desk.bus.power_on(&port()).unwrap();
    desk.bus.wait_for_enumeration(&port());
    let now = desk.bus.sighting(&port()).unwrap();
    assert_ne!(now.device_number, before.device_number);
    let outcome = desk.rescue(&request);
    assert_eq!(outcome.result, Verdict::Healthy, "{:?}", outcome.failure);
    let doubt = outcome.notes.iter().any(|note| note.contains("remove all its power"));
    assert!(doubt, "{:?}", outcome.notes);
}

#[test]
fn a_rescue_that_ended_well_leaves_nobody_on_trial() {
    let scenario = scenario("ezusb-blank");
    let mut desk = Desk::new(scenario);
    let rescued = desk.rescue(&with_profile(&simulated(scenario.model)));
    assert_eq!(rescued.result, Verdict::Rescued);
    let journals = desk.store.journals().unwrap();
    assert_eq!(journals[0].journal().left_on_trial(), None);
    assert_eq!(journals[0].journal().result(), Some(recover::journal::Ending::Rescued));
}

/// What a rescue was to make of a device tells nothing when it failed.
#[test]
fn what_a_failed_rescue_was_to_make_is_not_called_healthy() {
    let scenario = scenario("ezusb-write-protected");
    let mut desk = Desk::new(scenario);
    let failed = desk.rescue(&with_profile(&simulated(scenario.model)));
    assert_eq!(failed.failure.unwrap().code, Code::R106);
    desk.library = Library::empty(&known_chips());
    let elsewhere = desk.bus.sighting(&port()).unwrap();
    let elsewhere = Sighting { port: "3-4".parse().unwrap(), ..elsewhere };
    let journals = desk.store.journals().unwrap();
    let journals: Vec<_> = journals.iter().map(|file| file.journal()).collect();
    let nothing = Request::default();
    let candidate = Candidate::of(&elsewhere, &nothing, &journals, &desk.library, Scope::Simulator);
    assert!(candidate.is_none(), "it was taken for a healthy one");
}

/// As with an image of the owner's own, whose identity no profile has.
#[test]
fn what_was_rescued_is_known_without_a_profile() {
    for name in ["sl11r-zeroed", "ezusb-blank"] {
        let scenario = scenario(name);
        let mut desk = Desk::new(scenario);
        let rescued = desk.rescue(&with_profile(&simulated(scenario.model)));
        assert_eq!(rescued.result, Verdict::Rescued, "{name}");
        let cycles = desk.write_cycles();
        desk.library = Library::empty(&known_chips());
        let again = desk.rescue(&Request::default());
        assert_eq!(again.result, Verdict::Healthy, "{name}: {:?}", again.failure);
        assert_eq!(desk.write_cycles(), cycles, "{name}");
    }
}

/// Interrupted when all was written, and found well by `resume`, which writes nothing.
#[test]
fn what_the_next_run_found_rescued_is_known_without_a_profile() {
    let scenario = scenario("sl11r-zeroed");
    let mut whole = Desk::new(scenario);
    whole.rescue(&Request::default());
    // The last transfer that the outcome rests on; the drive's identity is read after it.
    let interrupted = |at| {
        let mut desk = Desk::new(scenario);
        desk.disturb(at, Fault::Unplug(Duration::ZERO));
        (desk.rescue(&Request::default()).exit_code() == 3).then_some(desk)
    };
    let mut desk = (1..=whole.bus.transfers(&port())).rev().find_map(interrupted).unwrap();
    desk.mend();
    let mut bus = Deaf { bus: desk.bus.clone(), to: |_| true };
    // It may be any healthy unit, until its owner says that it is that one.
    let resume = Request { resume: true, port: Some(port()), ..Request::default() };
    let again = desk.run_on(&mut bus, |session| session.rescue(&resume));
    assert_eq!(again.result, Verdict::Rescued, "{:?}", again.failure);
    let note = "does not accept the loader";
    assert!(again.notes.iter().any(|text| text.contains(note)), "{:?}", again.notes);
    desk.library = Library::empty(&known_chips());
    let outcome = desk.rescue(&Request::default());
    assert_eq!(outcome.result, Verdict::Healthy, "{:?}", outcome.failure);
}

/// A trial leaves the enclosure alive from RAM: it looks healthy until its power goes.
#[test]
fn a_device_that_only_runs_its_trial_is_not_called_healthy() {
    for name in ["sl11r-write-protected", "ezusb-write-protected"] {
        let scenario = scenario(name);
        let mut desk = Desk::new(scenario);
        let request = with_profile(&simulated(scenario.model));
        for run in 1..=3 {
            let outcome = desk.rescue(&request);
            let code = outcome.failure.as_ref().map(|failure| failure.code);
            assert_eq!(code, Some(Code::R106), "{name}, run {run}: {:?}", outcome.result);
        }
        desk.bus.replug(&port());
        desk.bus.wait_for_enumeration(&port());
        let outcome = desk.rescue(&request);
        let code = outcome.failure.as_ref().map(|failure| failure.code);
        assert_eq!(code, Some(Code::R106), "{name}, without its RAM: {:?}", outcome.result);
    }
}

#[test]
fn a_dry_run_writes_nothing_and_shows_every_step() {
    let mut desk = Desk::new(scenario("sl11r-zeroed"));
    let before = desk.eeprom();
    let outcome = desk.rescue(&Request { dry_run: true, ..Request::default() });
    assert_eq!(outcome.result, Verdict::Planned);
    assert_eq!(desk.eeprom(), before);
    assert_eq!(desk.write_cycles(), 0);
    let steps = desk.events.iter().find_map(|event| match event {
        Event::Planned { steps, .. } => Some(steps.len()),
        _ => None,
    });
    assert!(steps.unwrap() >= 5);
}

/// A request that may replace the firmware that runs at the usual port.
fn replacing() -> Request {
    Request { port: Some(port()), replace_running_firmware: true, ..Request::default() }
}

/// Its first byte is the same before and after, and is written twice on the way: what boots is
/// broken first and put back last, also where what is put back is no image.
#[test]
fn a_restored_backup_that_is_no_image_has_every_byte_back_and_is_called_written() {
    let cases = [
        ("sl11r-broken-stream", Verdict::Restored),
        ("ezusb-zeroed", Verdict::Restored),
        // With its old bytes the computer sees no device.
        ("at2lp-half-written", Verdict::Failed),
    ];
    for (name, ending) in cases {
        let scenario = scenario(name);
        let mut desk = Desk::new(scenario);
        let before = desk.eeprom();
        let rescued = desk.rescue(&with_profile(&simulated(scenario.model)));
        assert_eq!(rescued.result, Verdict::Rescued, "{name}: {:?}", rescued.failure);
        let (record, bytes) = desk.store.load_backup(rescued.backup.as_deref().unwrap()).unwrap();
        let request = replacing();
        let outcome = desk.run(|session| session.restore(&request, &record, &bytes));
        assert_eq!(outcome.result, ending, "{name}: {:?}", outcome.failure);
        assert_eq!(desk.eeprom()[..bytes.len()], before[..bytes.len()], "{name}");
        assert_eq!(outcome.device_state, DeviceState::Written, "{name}");
    }
}

#[test]
fn a_restored_backup_puts_the_old_bytes_back() {
    let mut desk = Desk::new(scenario("sl11r-half-written"));
    let before = desk.eeprom();
    let outcome = desk.rescue(&Request::default());
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert_ne!(desk.eeprom(), before);
    let id = outcome.backup.unwrap();
    let (record, bytes) = desk.store.load_backup(&id).unwrap();
    let restored = desk.run(|session| session.restore(&replacing(), &record, &bytes));
    assert_eq!(restored.result, Verdict::Restored, "{:?}", restored.failure);
    assert_eq!(desk.eeprom(), before);
}

#[test]
fn an_unlisted_id_is_asked_when_its_owner_says_so() {
    let mut desk = Desk::new(scenario("unlisted-id"));
    let request = Request {
        port: Some(port()),
        as_family: recover::chip::family("cy16"),
        ..with_profile(&simulated("sl11r"))
    };
    let outcome = desk.rescue(&request);
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
}

/// Each bad image with the code of its own refusal.
#[test]
fn bad_images_are_refused_each_with_its_own_error_before_anything_is_sent() {
    let factory = scenario("sl11r-zeroed").factory_image();
    let mut far = vec![0xb6, 0xc3, 0x04, 0x00, 0x00, 0x00, 0x40, 0xaa];
    far.extend([0xaa, 0x00, 0x00]);
    let big = {
        let mut bytes = factory.to_vec();
        bytes.resize(4096, 0x55);
        bytes
    };
    let boot_id = {
        let mut bytes = factory.to_vec();
        let at = bytes.windows(4).position(|w| w == [0xce, 0x04, 0x02, 0x00]).unwrap();
        bytes[at..at + 4].copy_from_slice(&[0xce, 0x04, 0xd1, 0x07]);
        bytes
    };
    let cases: &[(&str, Vec<u8>, &[Code])] = &[
        ("empty", Vec::new(), &[Code::R201]),
        ("ZERO.BIN", vec![0; 512], &[Code::R202]),
        ("FF", vec![0xff; 2048], &[Code::R202]),
        ("AT2LP", b"SK\x00\x80\x24\x07".to_vec(), &[Code::R204]),
        ("FX2", vec![0xc2, 0xb4, 0x04, 0x13, 0x86, 0x00, 0x00, 0x01], &[Code::R204]),
        ("noise", b"hello, world".to_vec(), &[Code::R203]),
        ("truncated", factory[..factory.len() / 2].to_vec(), &[Code::R205]),
        ("outside RAM", far, &[Code::R206]),
        ("too big", big, &[Code::R207]),
        ("boot id", boot_id, &[Code::R210]),
    ];
    for (what, bytes, expected) in cases {
        let mut desk = Desk::new(scenario("sl11r-zeroed"));
        let before = desk.eeprom();
        let outcome = desk.rescue(&with_image(bytes));
        let failure = outcome.failure.as_ref().unwrap_or_else(|| unreachable!("{what} was taken"));
        assert!(expected.contains(&failure.code), "{what}: {failure}");
        assert_eq!(desk.eeprom(), before, "{what}");
        assert_eq!(desk.write_cycles(), 0, "{what}");
        assert_eq!(outcome.device_state, DeviceState::Untouched, "{what}");
    }
}

#[test]
fn an_image_other_than_the_profiles_is_refused() {
    let mut desk = Desk::new(scenario("sl11r-zeroed"));
    let mut request = with_profile(&simulated("sl11r"));
    let mut bytes = scenario("sl11r-zeroed").factory_image().to_vec();
    *bytes.last_mut().unwrap() = 0x01;
    request.target.image = Some(NamedImage { name: "other.bin".into(), bytes });
    let outcome = desk.rescue(&request);
    assert_eq!(outcome.failure.unwrap().code, Code::R209);
}

#[test]
fn a_profile_of_another_chip_is_refused() {
    let mut desk = Desk::new(scenario("sl11r-zeroed"));
    let outcome = desk.rescue(&with_profile(&simulated("ez-otg")));
    assert_eq!(outcome.failure.unwrap().code, Code::R307);
}

#[test]
fn a_profile_whose_image_the_owner_has_asks_for_it() {
    let mut desk = Desk::new(scenario("sl11r-zeroed"));
    let outcome = desk.rescue(&with_profile("sony-crx100e"));
    assert_eq!(outcome.exit_code(), 4);
    let failure = outcome.failure.unwrap();
    assert_eq!(failure.code, Code::R303);
    assert!(failure.what.contains("CDRW0008.BIN"), "{failure}");
}

/// A bus on which the chip stalls certain transfers.
struct Deaf {
    bus: SimBus,
    to: fn(&Transfer) -> bool,
}

struct DeafLink {
    link: Box<dyn Link>,
    to: fn(&Transfer) -> bool,
}

impl Bus for Deaf {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        self.bus.scan()
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        Ok(Box::new(DeafLink { link: self.bus.open(seen)?, to: self.to }))
    }

    fn reset(&mut self, seen: &Sighting) -> Result<(), BusError> {
        self.bus.reset(seen)
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.bus.clock()
    }
}

impl Link for DeafLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        if (self.to)(transfer) { Err(TransferError::Stall) } else { self.link.exchange(transfer) }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.link.clock()
    }
}

/// A request to run an interrupt; without it no loader of ours runs.
fn is_interrupt(transfer: &Transfer) -> bool {
    matches!(transfer, Transfer::ControlOut { setup, .. } if setup.request == 0xff && setup.value == 6)
}

#[test]
fn an_sl11r_that_cannot_be_read_is_written_with_a_warning_and_confirmed_by_its_restart() {
    let scenario = scenario("sl11r-zeroed");
    let mut desk = Desk::new(scenario);
    let mut bus = Deaf { bus: desk.bus.clone(), to: is_interrupt };
    let outcome = desk.run_on(&mut bus, |session| session.rescue(&Request::default()));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert_eq!(outcome.backup, None);
    assert!(
        outcome.notes.iter().any(|note| note.contains("no backup was made")),
        "{:?}",
        outcome.notes
    );
    assert!(outcome.notes.iter().any(|note| note.contains("read back")), "{:?}", outcome.notes);
    assert!(desk.eeprom().starts_with(scenario.factory_image()));
}

#[test]
fn the_part_sees_no_more_write_cycles_than_must_be() {
    for name in ["ez-otg-blank", "sl11r-zeroed", "sl11r-blank"] {
        let scenario = scenario(name);
        let mut desk = Desk::new(scenario);
        let before = desk.eeprom();
        let outcome = desk.rescue(&request(scenario));
        let image = scenario.factory_image();
        let page = if scenario.model == "sl11r" { 1 } else { 64 };
        let changed = image
            .chunks(page)
            .zip(before.chunks(page))
            .enumerate()
            .filter(|(index, (new, old))| {
                let skip = if *index * page < 2 { 2.min(new.len()) } else { 0 };
                new[skip..] != old[skip..new.len()]
            })
            .count() as u64;
        // One byte a time; or one write for both, and one that found the page to be smaller.
        let commit = 2;
        assert_eq!(desk.write_cycles(), changed + commit, "{name}");
        assert_eq!(u64::from(outcome.write_cycles), desk.write_cycles(), "{name}");
    }
}
