//! What is kept on this computer during a rescue, and what the next run makes of it.

use std::cell::RefCell;
use std::fs;
use std::rc::Rc;
use std::time::Duration;

use crate::cast::{Cast, Watching, cut_off, other_image, with_image};
use crate::support::{Desk, port, scenario, with_profile};
use recover::executor::{Event, Operator, Request, Switches, Switching};
use recover::failure::{Code, DeviceState, Failure};
use recover::profile::{self, Action, Guidance, GuidanceTime, Library, known_chips};
use recover::rescue::Verdict;
use recover::sim::{Fault, SimBus};
use recover::usb::PortPath;

#[test]
fn a_damaged_kept_image_is_not_written_by_the_next_run() {
    let scenario = scenario("sl11r-zeroed");
    let (mut desk, _) = cut_off(scenario, &with_image(&other_image()));
    let kept = fs::read_dir(desk.store.folder("images").unwrap()).unwrap();
    let kept: Vec<_> = kept.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1);
    for path in kept {
        fs::write(path, scenario.factory_image()).unwrap();
    }
    let cycles = desk.write_cycles();
    let outcome = desk.rescue(&Request::default());
    assert_eq!(outcome.failure.unwrap().code, Code::R506);
    assert_eq!(desk.write_cycles(), cycles);
}

#[test]
fn a_damaged_backup_is_not_loaded() {
    let mut desk = Desk::new(scenario("sl11r-half-written"));
    let id = desk.run(|session| session.backup(&Request::default())).backup.unwrap();
    let path = desk.store.folder("backups").unwrap().join(format!("{id}.bin"));
    let mut bytes = fs::read(&path).unwrap();
    bytes.reverse();
    fs::write(path, bytes).unwrap();
    assert_eq!(desk.store.load_backup(&id).unwrap_err().code, Code::R504);
}

#[test]
fn a_taken_up_rescue_offers_the_contents_from_before_the_first_run() {
    let scenario = scenario("sl11r-zeroed");
    let cut_off_twice = |number| {
        let (mut desk, first) = cut_off(scenario, &Request::default());
        desk.disturb(desk.bus.transfers(&port()) + number, Fault::Unplug(Duration::ZERO));
        let second = desk.rescue(&Request::default());
        desk.mend();
        let is_cut = second.device_state == DeviceState::PartWritten;
        is_cut.then(|| (desk, first.backup.unwrap(), second))
    };
    let (mut desk, whole, second) = (1..400).step_by(9).find_map(cut_off_twice).unwrap();
    assert_eq!(desk.store.backups().unwrap().len(), 2);
    assert_eq!(second.backup.as_ref(), Some(&whole));
    let offer = format!("recover restore {whole}");
    let failure = second.failure.unwrap();
    assert!(failure.next.iter().any(|next| next.contains(&offer)), "{failure}");
    let third = desk.rescue(&Request::default());
    assert_eq!(third.result, Verdict::Rescued, "{:?}", third.failure);
    assert_eq!(third.backup, Some(whole));
}

#[test]
fn a_step_is_in_the_journal_before_it_is_taken() {
    let desk = Desk::new(scenario("sl11r-zeroed"));
    let store = desk.store.clone();
    let steps = Rc::new(RefCell::new(0));
    let count = Rc::clone(&steps);
    let observer = Box::new(Watching(move |event: &Event| {
        let in_flight = || {
            let journals = store.journals().unwrap();
            journals.last().unwrap().journal().in_flight().map(str::to_owned)
        };
        match event {
            Event::StepBegun { title, .. } => assert_eq!(in_flight().as_ref(), Some(title)),
            Event::StepDone { .. } => {
                assert_eq!(in_flight(), None);
                *count.borrow_mut() += 1;
            }
            _ => {}
        }
    }));
    let outcome = Cast { observer, ..Cast::usual(&desk) }.rescue(&desk, &Request::default());
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert!(*steps.borrow() >= 5);
}

#[test]
fn a_cut_off_write_is_called_part_written_from_its_first_transfer_on() {
    let scenario = scenario("sl11r-half-written");
    let transfers = Desk::new(scenario).rescue(&Request::default()).transfers;
    let mut changed = 0;
    for number in 1..=transfers {
        let mut desk = Desk::new(scenario);
        let before = desk.eeprom();
        desk.disturb(number, Fault::Unplug(Duration::ZERO));
        let outcome = desk.rescue(&Request::default());
        if desk.eeprom() != before {
            changed += 1;
            let state = outcome.device_state;
            let is_said = matches!(
                state,
                DeviceState::PartWritten | DeviceState::Written | DeviceState::Restored
            );
            assert!(is_said, "transfer {number}: {state:?}");
        }
    }
    assert!(changed > 5);
}

/// A bench whose contact does not close.
struct BrokenContact {
    bus: SimBus,
    switched: Rc<RefCell<Vec<Switching>>>,
}

impl Operator for BrokenContact {
    fn consent(&mut self, _reasons: &[String]) -> recover::executor::Consent {
        recover::executor::Consent::Unasked
    }

    fn power_cycle(&mut self, _port: &PortPath) {}

    fn switches(&self, _port: &PortPath) -> Switches {
        Switches { power: true, contact: true }
    }

    fn switch(&mut self, port: &PortPath, what: Switching, _live: bool) -> Result<(), Failure> {
        self.switched.borrow_mut().push(what);
        match what {
            Switching::PowerOff => self.bus.unplug(port),
            Switching::PowerOn => self.bus.plug(port),
            _ => return Err(Failure::new(Code::R606, "the contact does not close", "bench")),
        }
        Ok(())
    }
}

#[test]
fn the_power_comes_back_after_an_error_while_it_was_away() {
    let mut desk = Desk::new(scenario("at2lp-mm-image"));
    let mut profile = desk.library.find("simulated-at2lp").unwrap().clone();
    "contact-at2lp".clone_into(&mut profile.name);
    profile.guidance = vec![Guidance {
        step: "close the contact".to_owned(),
        expect: "it is closed".to_owned(),
        when: GuidanceTime::Restart,
        action: Some(Action::CloseContact),
    }];
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join(&profile.name);
    fs::create_dir(&own).unwrap();
    fs::write(own.join(profile::FILE), profile::render(&profile)).unwrap();
    desk.library = Library::embedded(&known_chips()).with_user_folder(folder.path());
    let switched = Rc::default();
    let operator = BrokenContact { bus: desk.bus.clone(), switched: Rc::clone(&switched) };
    let outcome = Cast { operator: Box::new(operator), ..Cast::usual(&desk) }
        .rescue(&desk, &with_profile("contact-at2lp"));
    assert_eq!(outcome.failure.unwrap().code, Code::R606);
    assert_eq!(
        *switched.borrow(),
        [Switching::PowerOff, Switching::CloseContact, Switching::PowerOn]
    );
    desk.bus.wait_for_enumeration(&port());
    assert!(desk.bus.sighting(&port()).is_some());
}
