//! What has to be true before the first write, and that without it nothing is written.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly, in its helpers too")]

use std::cell::Cell;
use std::rc::Rc;

use crate::cast::{Cast, Tampered, Watching, cut_off, other_image, swap_part, with_image};
use crate::support::{Desk, image, port, scenario, simulated, with_profile};
use recover::chip::memory::{Costs, Erase, Extent, Sequence};
use recover::chip::{Finding, Identity, Image, Layout, Model, Restart, Running, Size, Timing};
use recover::executor::{Consent, Event, Operator, Request, Session};
use recover::failure::{Code, DeviceState};
use recover::profile::Scope;
use recover::rescue::plan::Situation;
use recover::rescue::preflight::{Preflight, Twin};
use recover::rescue::{Condition, Outcome, Plan, Survey, Verdict};
use recover::sim::SimBus;
use recover::usb::PortPath;
use recover::usb::lock::PortLock;

fn zeroed() -> Desk {
    Desk::new(scenario("sl11r-zeroed"))
}

/// The run ended with this code and the part was never written.
fn assert_refused(desk: &Desk, outcome: &Outcome, code: Code) {
    let failure = outcome.failure.as_ref().unwrap();
    assert_eq!(failure.code, code, "{failure}");
    assert!(!failure.next.is_empty(), "{failure}");
    assert_eq!(desk.write_cycles(), 0, "{failure}");
    assert!([1, 4].contains(&outcome.exit_code()), "{failure}");
}

fn plan_for(length: usize, size: Size) -> Result<Plan, recover::failure::Failure> {
    let (_, model) = recover::chip::model("sl11r").unwrap();
    let layout = Layout {
        name: "EEPROM",
        write_protection: "",
        extent: Extent::Wraps { smallest: 16, address_limit: 2048 },
        unit: 1,
        units: &[],
        largest_write: 64,
        erase: Erase::Nothing,
        sequence: Sequence::Any,
        verifies: false,
        costs: Costs::default(),
    };
    let survey = Survey {
        layout,
        size,
        part_bytes: 2048,
        contents: Some(vec![0xff; 256]),
        unreadable: None,
        before: None,
    };
    let finding = Finding { model, running: Running::MaskRom, evidence: Vec::new() };
    Plan::make(&Situation {
        finding: &finding,
        survey: &survey,
        condition: &Condition::Blank { byte: 0xff },
        image: &image(&vec![0x5a; length]),
        boots_now: recover::rescue::diagnosis::BootsNow::No,
        expected: None,
        restart: Restart::ByPower,
        timing: Timing { enumeration_ms: 1 },
        trial: false,
        overwrite: false,
    })
}

#[test]
fn an_image_may_fill_the_eeprom_and_not_be_one_byte_longer() {
    for (size, maximum) in [(Size::Proven(256), 256), (Size::AtLeast(256), 2048)] {
        assert!(plan_for(maximum, size).is_ok(), "{size:?}");
        assert_eq!(plan_for(maximum + 1, size).unwrap_err().code, Code::R105, "{size:?}");
    }
}

#[test]
fn a_complete_image_is_not_overwritten_unless_that_is_forced() {
    let mut desk = zeroed();
    swap_part(&desk.bus, &other_image());
    let outcome = desk.rescue(&Request::default());
    assert_refused(&desk, &outcome, Code::R305);
    assert!(desk.eeprom().starts_with(&other_image()));
    // The profile is named: the backup that the first run made holds what is there already.
    let request = Request { force: true, ..with_profile(&simulated("sl11r")) };
    let forced = desk.rescue(&request);
    assert_eq!(forced.result, Verdict::Rescued, "{:?}", forced.failure);
    assert!(desk.eeprom().starts_with(scenario("sl11r-zeroed").factory_image()));
}

/// A twin that says this of every image.
struct Says(Preflight);

impl Twin for Says {
    fn boot(&self, _model: Model, _image: &Image) -> Preflight {
        self.0.clone()
    }
}

fn with_twin(desk: &Desk, says: Preflight, request: &Request) -> Outcome {
    Cast { twin: Box::new(Says(says)), ..Cast::usual(desk) }.rescue(desk, request)
}

fn factory_identity(desk: &Desk) -> Identity {
    let profile = desk.library.find(&simulated("sl11r")).unwrap();
    profile.promised().unwrap().clone()
}

#[test]
fn an_image_that_fails_its_preflight_is_not_written_unless_that_is_forced() {
    let desk = zeroed();
    let failed = Preflight::Failed { why: "it does not come up".to_owned() };
    let outcome = with_twin(&desk, failed.clone(), &Request::default());
    assert_refused(&desk, &outcome, Code::R211);
    let request = Request { force: true, ..Request::default() };
    let forced = with_twin(&desk, failed, &request);
    assert_eq!(forced.result, Verdict::Rescued, "{:?}", forced.failure);
}

#[test]
fn an_image_with_another_identity_than_its_profile_promises_is_not_written() {
    let desk = zeroed();
    let promised = factory_identity(&desk);
    let identity = Identity { bcd_device: promised.bcd_device.map(|bcd| bcd + 1), ..promised };
    let outcome =
        with_twin(&desk, Preflight::CameUp { identity }, &with_profile(&simulated("sl11r")));
    assert_refused(&desk, &outcome, Code::R214);
}

#[test]
fn an_image_that_comes_up_in_boot_mode_is_not_written() {
    let desk = zeroed();
    let ids = desk.bus.sighting(&port()).unwrap().ids;
    let identity = Identity { ids, ..factory_identity(&desk) };
    let request = with_image(&other_image());
    let outcome = with_twin(&desk, Preflight::CameUp { identity }, &request);
    assert_refused(&desk, &outcome, Code::R210);
}

#[test]
fn an_image_named_by_its_owner_goes_before_the_one_of_an_unfinished_rescue() {
    let (mut desk, _) = cut_off(scenario("sl11r-zeroed"), &Request::default());
    let outcome = desk.rescue(&with_image(&other_image()));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert!(desk.eeprom().starts_with(&other_image()));
}

#[test]
fn a_profile_named_by_its_owner_goes_before_the_image_of_an_unfinished_rescue() {
    let scenario = scenario("sl11r-zeroed");
    let (mut desk, _) = cut_off(scenario, &with_image(&other_image()));
    let outcome = desk.rescue(&with_profile(&simulated("sl11r")));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert!(desk.eeprom().starts_with(scenario.factory_image()));
}

#[test]
fn a_trial_that_comes_up_as_another_device_writes_nothing() {
    let desk = zeroed();
    let mut bus = Tampered::new(&desk.bus);
    let on_trial = bus.was_reset.clone();
    bus.show = Box::new(move |seen| {
        if on_trial.is_set() {
            seen.product = Some("another".to_owned());
        }
    });
    let outcome =
        Cast { bus: Box::new(bus), ..Cast::usual(&desk) }.rescue(&desk, &Request::default());
    assert_refused(&desk, &outcome, Code::R213);
    assert_eq!(outcome.device_state, DeviceState::RunningFromRam);
}

/// Runs a rescue without its trial and does something when its plan is shown.
fn at_the_plan(desk: &Desk, mut act: impl FnMut() + 'static) -> Outcome {
    let observer = Watching(move |event: &Event| {
        if matches!(event, Event::Planned { .. }) {
            act();
        }
    });
    let request = Request { no_trial: true, ..Request::default() };
    Cast { observer: Box::new(observer), ..Cast::usual(desk) }.rescue(desk, &request)
}

#[test]
fn a_part_that_was_swapped_after_its_backup_is_not_written() {
    let desk = zeroed();
    let bus = desk.bus.clone();
    let outcome = at_the_plan(&desk, move || swap_part(&bus, &[0x55; 2048]));
    assert_refused(&desk, &outcome, Code::R116);
    assert_eq!(desk.eeprom(), [0x55; 2048]);
}

#[test]
fn the_old_contents_are_kept_before_the_plan_is_carried_out() {
    let desk = zeroed();
    let store = desk.store.clone();
    let kept = Rc::new(Cell::new(0));
    let count = Rc::clone(&kept);
    at_the_plan(&desk, move || count.set(store.backups().unwrap().len()));
    assert_eq!(kept.get(), 1);
}

/// Somebody who gives this answer when asked.
struct Answers {
    bus: SimBus,
    consent: Consent,
}

impl Operator for Answers {
    fn consent(&mut self, reasons: &[String]) -> Consent {
        assert!(!reasons.is_empty());
        self.consent
    }

    fn power_cycle(&mut self, port: &PortPath) {
        self.bus.replug(port);
    }
}

fn with_consent(
    desk: &Desk,
    consent: Consent,
    work: impl FnOnce(Session<'_>) -> Outcome,
) -> Outcome {
    let operator = Box::new(Answers { bus: desk.bus.clone(), consent });
    Cast { operator, scope: Scope::Hardware, ..Cast::usual(desk) }.run(desk, work)
}

#[test]
fn an_image_of_ones_own_is_written_only_with_consent() {
    let request = with_image(&other_image());
    for consent in [Consent::Unasked, Consent::Refused] {
        let desk = zeroed();
        let outcome = with_consent(&desk, consent, |session| session.rescue(&request));
        assert_refused(&desk, &outcome, Code::R304);
    }
    let agreed = Request { yes: true, ..request.clone() };
    for (consent, request) in [(Consent::Given, &request), (Consent::Unasked, &agreed)] {
        let desk = zeroed();
        let outcome = with_consent(&desk, consent, |session| session.rescue(request));
        assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    }
}

/// A desk whose memory was saved and then changed, with the name of the backup.
fn saved() -> (Desk, String) {
    let mut desk = zeroed();
    let outcome = desk.run(|session| session.backup(&Request::default()));
    swap_part(&desk.bus, &[0x55; 2048]);
    (desk, outcome.backup.unwrap())
}

#[test]
fn a_backup_is_restored_only_with_consent() {
    for consent in [Consent::Unasked, Consent::Refused] {
        let (desk, id) = saved();
        let (record, bytes) = desk.store.load_backup(&id).unwrap();
        let request = Request::default();
        let restore = |session: Session<'_>| session.restore(&request, &record, &bytes);
        let outcome = with_consent(&desk, consent, restore);
        assert_refused(&desk, &outcome, Code::R304);
    }
}

#[test]
fn a_backup_of_another_chip_is_not_restored() {
    let (mut desk, id) = saved();
    let (mut record, bytes) = desk.store.load_backup(&id).unwrap();
    record.chip = "ez-otg".to_owned();
    let request = Request::default();
    let outcome = desk.run(|session| session.restore(&request, &record, &bytes));
    assert_refused(&desk, &outcome, Code::R204);
}

fn lock(desk: &Desk) -> Result<PortLock, recover::usb::lock::LockError> {
    let date = recover::usb::Bus::clock(&desk.bus).date();
    PortLock::take(&desk.store.folder("locks").unwrap(), &port(), date)
}

#[test]
fn a_port_that_another_run_works_on_is_left_alone() {
    let (mut desk, id) = saved();
    let (record, bytes) = desk.store.load_backup(&id).unwrap();
    let _held = lock(&desk).unwrap();
    let transfers = desk.bus.transfers(&port());
    let request = Request::default();
    let outcomes = [
        desk.run(|session| session.rescue(&request)),
        desk.run(|session| session.backup(&request)),
        desk.run(|session| session.restore(&request, &record, &bytes)),
    ];
    for outcome in outcomes {
        assert_refused(&desk, &outcome, Code::R404);
    }
    assert_eq!(desk.bus.transfers(&port()), transfers);
}

#[test]
fn a_rescue_holds_the_lock_of_its_port() {
    let desk = zeroed();
    let folder = desk.store.folder("locks").unwrap();
    let date = recover::usb::Bus::clock(&desk.bus).date();
    let held = Rc::new(Cell::new(false));
    let is_held = Rc::clone(&held);
    at_the_plan(&desk, move || is_held.set(PortLock::take(&folder, &port(), date).is_err()));
    assert!(held.get());
}
