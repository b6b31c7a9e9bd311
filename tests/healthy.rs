//! A healthy device is never written or disturbed, whatever is asked for: only an option that names
//! its firmware, with the port that names the device, does that.

use std::sync::{Arc, Mutex};

use crate::cast::{Cast, Flag, Tampered, with_image};
use crate::support::{Desk, port, scenario, simulated, with_profile};
use recover::chip;
use recover::executor::{BackupRecord, Consent, Event, Learning, Operator, Request, Session};
use recover::failure::Code;
use recover::profile::{Library, known_chips};
use recover::rescue::{Outcome, Verdict};
use recover::sim::{Scenario, scenarios};
use recover::usb::{Bus, Ids, Link, PortPath, Transfer};

const HEADER_0000: &[u8] = include_bytes!("cases/ezusb-healthy-8613-firmware/header-0000.iic");
const HEADER_GOOD: &[u8] = include_bytes!("cases/ezusb-healthy-8613-firmware/header-good.iic");

/// Every kind of healthy device, with its model.
fn healthy() -> Vec<(String, &'static str, Desk)> {
    let names = [
        "sl11r-healthy",
        "sl11r-foreign",
        "ez-otg-healthy",
        "at2lp-healthy-default",
        "at2lp-healthy-oem",
        "ezusb-healthy",
    ];
    let mut all: Vec<_> =
        names.map(|name| (name.to_owned(), scenario(name).model, Desk::new(scenario(name)))).into();
    for name in ["ezusb-an2131-blank", "ezusb-fx-half-written", "ez-host-blank"] {
        let Scenario { model, .. } = *scenario(name);
        all.push((
            format!("healthy {model}"),
            model,
            Desk::started(name, scenario(name).factory_image()),
        ));
    }
    for (what, image) in [("header of 0000", HEADER_0000), ("header of 8613", HEADER_GOOD)] {
        all.push((
            format!("04b4:8613 firmware, {what}"),
            "fx2lp",
            Desk::started("ezusb-blank", image),
        ));
    }
    all
}

/// The factory image of a model.
fn factory_image(model: &str) -> &'static [u8] {
    scenarios().iter().find(|one| one.model == model).unwrap().factory_image()
}

/// Everything that may be asked for, without the two options that name the firmware.
fn requests(model: &str, image: &[u8]) -> Vec<Request> {
    let families = chip::families().iter().map(|family| Some((Some(port()), Some(*family))));
    let devices: Vec<(Option<PortPath>, Option<&'static dyn chip::Chip>)> =
        families.flatten().chain([(None, None), (Some(port()), None)]).collect();
    let mut generic = with_profile("generic-fx2lp");
    generic.target.ids = Some(Ids::new(0x1209, 2));
    let requests =
        [Request::default(), with_profile(&simulated(model)), generic, with_image(image)];
    let mut all = Vec::new();
    for flags in 0..32_u8 {
        let is_set = |bit: u8| flags & 1 << bit != 0;
        for (port, as_family) in &devices {
            for request in &requests {
                all.push(Request {
                    port: port.clone(),
                    as_family: *as_family,
                    force: is_set(0),
                    yes: is_set(1),
                    no_trial: is_set(2),
                    dry_run: is_set(3),
                    resume: is_set(4),
                    ..request.clone()
                });
            }
        }
    }
    all
}

/// Someone who agrees to everything, and is not to be asked to touch the device.
struct Agrees(Flag);

impl Operator for Agrees {
    fn consent(&mut self, _reasons: &[String]) -> Consent {
        Consent::Given
    }

    fn power_cycle(&mut self, _port: &PortPath) {
        self.0.set();
    }
}

/// Whether a transfer may change something in the device: every vendor's request to it, and every
/// command block that sends data or brings none.
fn may_disturb(transfer: &Transfer) -> bool {
    const DATA_IN: u8 = 0x80;
    match transfer {
        Transfer::ControlIn { .. } | Transfer::BulkIn { .. } => false,
        Transfer::ControlOut { setup, .. } => setup.request_type & 0x60 != 0,
        Transfer::BulkOut { data, .. } => {
            !(data.starts_with(b"USBC") && data.get(12) == Some(&DATA_IN))
        }
    }
}

/// A run on a desk; the transfers and acts that may have disturbed the device.
fn disturbances(desk: &Desk, work: impl FnOnce(Session<'_>) -> Outcome) -> (Outcome, Vec<String>) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&sent);
    let exchange = Arc::new(move |link: &mut dyn Link, transfer: &Transfer| {
        if may_disturb(transfer) {
            keep.lock().unwrap().push(transfer.to_string());
        }
        link.exchange(transfer)
    });
    let bus = Tampered { exchange, ..Tampered::new(&desk.bus) };
    let (was_reset, was_replugged) = (bus.was_reset.clone(), Flag::default());
    let operator = Box::new(Agrees(was_replugged.clone()));
    let outcome = Cast { bus: Box::new(bus), operator, ..Cast::usual(desk) }.run(desk, work);
    let mut all = sent.lock().unwrap().clone();
    all.extend(was_reset.is_set().then(|| "a reset of the port".to_owned()));
    all.extend(was_replugged.is_set().then(|| "its power was taken".to_owned()));
    (outcome, all)
}

fn assert_undisturbed(
    desk: &Desk,
    what: &str,
    request: &Request,
    work: impl FnOnce(Session<'_>) -> Outcome,
) {
    let before = desk.bus.sighting(&port());
    let (outcome, disturbed) = disturbances(desk, work);
    let told = || {
        let Request { port, force, yes, no_trial, dry_run, resume, .. } = request;
        let family = request.as_family.map(|family| family.family());
        format!(
            "{what}: port {port:?} as {family:?} force {force} yes {yes} no-trial {no_trial} \
             dry-run {dry_run} resume {resume}, {:?}: {:?}",
            request.target.profile, outcome.failure
        )
    };
    assert_eq!(disturbed, Vec::<String>::new(), "{}", told());
    assert_eq!(desk.write_cycles(), 0, "{}", told());
    assert_eq!(desk.bus.sighting(&port()), before, "{}", told());
    assert!(!matches!(outcome.result, Verdict::Rescued | Verdict::Restored), "{}", told());
}

#[test]
fn a_healthy_device_is_not_disturbed_whatever_is_asked_for() {
    for (name, model, desk) in healthy() {
        let ids = desk.bus.sighting(&port()).unwrap().ids;
        for request in requests(model, factory_image(model)) {
            let what = format!("{name} ({ids})");
            assert_undisturbed(&desk, &what, &request, |session| session.rescue(&request));
        }
    }
}

#[test]
fn a_healthy_device_is_not_disturbed_by_a_command_that_reads_or_restores() {
    for (name, model, desk) in healthy() {
        let seen = desk.bus.sighting(&port()).unwrap();
        let record = BackupRecord {
            id: "kept".to_owned(),
            date: desk.bus.clock().date(),
            port: port(),
            ids: seen.ids,
            serial: None,
            chip: model.to_owned(),
            whole: true,
            bytes: 256,
            sha256: String::new(),
        };
        let folder = tempfile::tempdir().unwrap();
        let learning = Learning { folder: folder.path().to_owned(), name: None };
        for request in requests(model, &[0xff; 256]) {
            if request.target.profile.is_some() || request.target.image.is_some() {
                continue;
            }
            let run = |what: &str, work: &dyn Fn(Session<'_>) -> Outcome| {
                assert_undisturbed(&desk, &format!("{name}, {what}"), &request, work);
            };
            run("diagnose", &|session| session.diagnose(&request));
            run("backup", &|session| session.backup(&request));
            run("learn", &|session| session.learn(&request, &learning));
            run("restore", &|session| session.restore(&request, &record, &[0xff; 256]));
        }
    }
}

#[test]
fn the_firmware_of_a_named_device_is_replaced_when_that_is_asked_for() {
    for name in ["sl11r-healthy", "ezusb-healthy", "at2lp-healthy-default"] {
        let model = scenario(name).model;
        let mut desk = Desk::new(scenario(name));
        let contents = scenario(name).factory_image().to_vec();
        let request = Request { replace_running_firmware: true, ..with_profile(&simulated(model)) };
        let unnamed = desk.rescue(&request);
        assert_eq!(unnamed.result, Verdict::Healthy, "{name}: {:?}", unnamed.failure);
        assert_eq!(desk.write_cycles(), 0, "{name}");
        let mut bytes = desk.eeprom();
        bytes[contents.len() - 1] ^= 1;
        desk.bus.load_eeprom(&port(), &bytes);
        let named = Request { port: Some(port()), ..request };
        let outcome = desk.rescue(&named);
        assert_eq!(outcome.result, Verdict::Rescued, "{name}: {:?}", outcome.failure);
        assert!(desk.eeprom().starts_with(&contents), "{name}");
        assert!(desk.write_cycles() > 0, "{name}");
    }
}

#[test]
fn firmware_that_runs_is_read_when_its_owner_says_so() {
    for name in ["sl11r-healthy", "ez-otg-healthy", "ezusb-healthy"] {
        let mut desk = Desk::new(scenario(name));
        let request = Request { interrupt_firmware: true, ..Request::default() };
        let asked = desk.run(|session| session.backup(&request));
        let failure = asked.failure.unwrap();
        assert_eq!(failure.code, Code::R304, "{name}: {failure}");
        assert!(failure.next[0].contains("--port 3-2 --interrupt-firmware"), "{failure}");
        let named = Request { port: Some(port()), ..request };
        let outcome = desk.run(|session| session.diagnose(&named));
        assert_eq!(outcome.result, Verdict::Planned, "{name}: {:?}", outcome.failure);
        let read = |event: &Event| matches!(event, Event::Diagnosed { .. });
        assert!(desk.events.iter().any(read), "{name}");
        assert_eq!(desk.write_cycles(), 0, "{name}");
    }
}

#[test]
fn an_at2lp_at_work_is_read_without_leaving_a_trace() {
    let mut desk = Desk::new(scenario("at2lp-healthy-default"));
    let outcome = desk.run(|session| session.backup(&Request::default()));
    assert!(outcome.backup.is_some(), "{:?}", outcome.failure);
}

#[test]
fn an_at2lp_that_shows_what_its_eeprom_holds_is_at_work_whatever_that_is() {
    // An image that shows the class, the product and the revision of the manufacturing mode.
    let mut image = scenario("at2lp-healthy-default").factory_image().to_vec();
    let class = image.windows(3).position(|at| at == [0x08, 0x06, 0x50]).unwrap();
    image[class] = 0xff;
    image[0x1c..0x1e].copy_from_slice(&[0x41, 0x00]);
    let desk = Desk::started("at2lp-rc42", &image);
    let seen = desk.bus.sighting(&port()).unwrap();
    assert_eq!((seen.bcd_device, seen.interfaces[0].class.class), (0x0041, 0xff));
    for force in [false, true] {
        let request = Request { port: Some(port()), force, ..with_profile("simulated-at2lp") };
        assert_undisturbed(&desk, "a descriptor of ff", &request, |session| {
            session.rescue(&request)
        });
    }
}

#[test]
fn the_program_s_own_library_has_the_profiles_that_are_asked_for() {
    let library = Library::embedded(&known_chips());
    for (name, model, _) in healthy() {
        let model = if model == "ez-host" { "ez-otg" } else { model };
        assert!(library.find(&simulated(model)).is_some(), "{name}");
    }
    assert!(library.find("generic-fx2lp").is_some());
}
