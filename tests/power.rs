//! Power without hands: by the hub's own switch, by a relay, and what is done where they lie.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly, in its helpers too"
)]

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};

use crate::support::{Desk, port, scenario, simulated, with_profile};
use recover::bench::config;
use recover::bench::{RelayOperator, Switchboard};
use recover::clock::{Clock, RealClock};
use recover::executor::{Consent, Event, Operator, Request, Switching};
use recover::failure::{Code, DeviceState};
use recover::profile::{self, Action, Guidance, GuidanceTime};
use recover::rescue::outcome::SwitchedBy;
use recover::rescue::{Outcome, Verdict};
use recover::sim::relay::{Dialect, Purpose, RelayBoard, Wire, Wires};
use recover::sim::scenarios::Expectation;
use recover::sim::{Fault, Faults, HubKind, Scenario, SimBus, scenarios};
use recover::usb::trace::{Recorder, Replayer, Serials};
use recover::usb::{Bus, PortPath, PowerError};

/// Hands that count how often they were needed, on a bus that has them or not.
struct Counted {
    bus: SimBus,
    asked: usize,
}

impl Operator for Counted {
    fn consent(&mut self, _reasons: &[String]) -> Consent {
        Consent::Unasked
    }

    fn power_cycle(&mut self, port: &PortPath) {
        self.asked += 1;
        self.bus.replug(port);
    }
}

fn request(scenario: &Scenario) -> Request {
    match scenario.model {
        "sl11r" => Request::default(),
        "ez-host" => with_profile(&simulated("ez-otg")),
        model => with_profile(&simulated(model)),
    }
}

/// A rescue at a hub of that kind; how often hands were needed.
fn rescue_at(desk: &mut Desk, kind: HubKind, request: &Request) -> (Outcome, usize) {
    desk.bus.put_hub(&port(), kind);
    let mut bus = desk.bus.clone();
    let mut hands = Counted { bus: desk.bus.clone(), asked: 0 };
    let outcome = desk.run_by(&mut bus, &mut hands, |session| session.rescue(request));
    (outcome, hands.asked)
}

fn switched(desk: &Desk) -> Vec<(Switching, SwitchedBy)> {
    desk.events
        .iter()
        .filter_map(|event| match event {
            Event::Switched { what, by, .. } => Some((*what, *by)),
            _ => None,
        })
        .collect()
}

const OFF_AND_ON_BY_HUB: [(Switching, SwitchedBy); 2] =
    [(Switching::PowerOff, SwitchedBy::Hub), (Switching::PowerOn, SwitchedBy::Hub)];

#[test]
fn a_hub_that_switches_restarts_every_rescued_scenario_without_hands() {
    let mut switched_often = 0;
    for scenario in scenarios() {
        // An SL11R's image goes on running from RAM, so what it shows afterwards proves nothing.
        if scenario.expectation != Expectation::Rescued || scenario.model == "sl11r" {
            continue;
        }
        let mut desk = Desk::new(scenario);
        let (outcome, asked) = rescue_at(&mut desk, HubKind::Switching, &request(scenario));
        let name = scenario.name;
        assert_eq!(outcome.result, Verdict::Rescued, "{name}: {:?}", outcome.failure);
        assert_eq!(outcome.device_state, DeviceState::Restored, "{name}");
        assert_eq!(asked, 0, "{name}: {:?}", outcome.notes);
        switched_often += usize::from(!switched(&desk).is_empty());
    }
    assert!(switched_often > 10, "{switched_often}");
}

#[test]
fn what_may_run_from_ram_is_not_proven_by_a_hub() {
    let scenario = scenario("sl11r-zeroed");
    let mut desk = Desk::new(scenario);
    desk.bus.give_own_supply(&port());
    let (outcome, asked) = rescue_at(&mut desk, HubKind::Switching, &request(scenario));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert_eq!(asked, 1, "{:?}", outcome.notes);
    assert_eq!(switched(&desk), []);
    let untried = Request { no_trial: true, ..request(scenario) };
    let mut desk = Desk::new(scenario);
    let (outcome, asked) = rescue_at(&mut desk, HubKind::Switching, &untried);
    assert_eq!((outcome.result, asked), (Verdict::Rescued, 0), "{:?}", outcome.notes);
}

#[test]
fn the_events_say_that_the_hub_did_it() {
    let scenario = scenario("ezusb-blank");
    let mut desk = Desk::new(scenario);
    rescue_at(&mut desk, HubKind::Switching, &request(scenario));
    assert_eq!(switched(&desk), OFF_AND_ON_BY_HUB);
}

#[test]
fn a_hub_that_leaves_vbus_on_is_found_out_and_hands_do_it() {
    let scenario = scenario("ezusb-blank");
    let mut desk = Desk::new(scenario);
    let (outcome, asked) = rescue_at(&mut desk, HubKind::Lying, &request(scenario));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert_eq!(asked, 1);
    assert_eq!(switched(&desk), OFF_AND_ON_BY_HUB);
}

#[test]
fn a_hub_that_is_deaf_is_told_on_and_hands_do_it() {
    let scenario = scenario("ezusb-blank");
    let mut desk = Desk::new(scenario);
    let (outcome, asked) = rescue_at(&mut desk, HubKind::Deaf, &request(scenario));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert_eq!(asked, 1);
    assert_eq!(switched(&desk), []);
    assert!(
        outcome.notes.iter().any(|note| note.contains("does not switch the power")),
        "{:?}",
        outcome.notes
    );
}

#[test]
fn a_ganged_hub_is_left_alone() {
    let scenario = scenario("ezusb-blank");
    let mut desk = Desk::new(scenario);
    let other: PortPath = "3-3".parse().unwrap();
    desk.bus.plug_in(
        other.clone(),
        crate::support::scenario("sl11r-healthy").device(),
        Faults::none(),
    );
    let before = desk.bus.sighting(&other);
    let request = Request { port: Some(port()), ..request(scenario) };
    let (outcome, asked) = rescue_at(&mut desk, HubKind::Ganged, &request);
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert_eq!(asked, 1);
    assert_eq!(switched(&desk), []);
    assert_eq!(desk.bus.sighting(&other), before, "the neighbour was never disturbed");
}

#[test]
fn an_enclosure_with_a_supply_of_its_own_needs_hands() {
    let scenario = scenario("ezusb-blank");
    let mut desk = Desk::new(scenario);
    desk.bus.give_own_supply(&port());
    let (outcome, asked) = rescue_at(&mut desk, HubKind::Switching, &request(scenario));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert_eq!(asked, 1, "{:?}", outcome.notes);
    assert_eq!(switched(&desk), OFF_AND_ON_BY_HUB);
}

/// Hands that plug the enclosure in elsewhere.
struct Clumsy(SimBus);

impl Operator for Clumsy {
    fn consent(&mut self, _reasons: &[String]) -> Consent {
        Consent::Unasked
    }

    fn power_cycle(&mut self, port: &PortPath) {
        self.0.unplug(port);
        let elsewhere = "3-4".parse().unwrap();
        self.0.plug_in(elsewhere, scenario("ezusb-blank").device(), Faults::none());
    }
}

#[test]
fn an_enclosure_that_appears_elsewhere_is_named() {
    let scenario = scenario("ezusb-blank");
    let mut desk = Desk::new(scenario);
    let mut bus = desk.bus.clone();
    let mut hands = Clumsy(desk.bus.clone());
    let request = request(scenario);
    let outcome = desk.run_by(&mut bus, &mut hands, |session| session.rescue(&request));
    let failure = outcome.failure.unwrap();
    assert_eq!(failure.code, Code::R111);
    assert_eq!(failure.device, DeviceState::Written);
    assert!(failure.next[0].contains("appeared at port 3-4: 04b4:8613"), "{failure}");
}

#[test]
fn only_the_very_device_loses_its_power() {
    let bus = SimBus::with_scenario(scenario("ezusb-blank"));
    bus.put_hub(&port(), HubKind::Switching);
    let seen = bus.sighting(&port()).unwrap();
    bus.replug(&port());
    bus.wait_for_enumeration(&port());
    assert_eq!(bus.clone().power_off(&seen), Err(PowerError::Left(port())));
    assert!(bus.sighting(&port()).is_some());
}

#[test]
fn a_rescue_that_a_hub_restarts_is_finished_wherever_it_is_interrupted() {
    let scenario = scenario("ezusb-small");
    let request = request(scenario);
    let mut whole = Desk::new(scenario);
    let (outcome, _) = rescue_at(&mut whole, HubKind::Switching, &request);
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    let rescued = whole.eeprom();
    let transfers = whole.bus.transfers(&port());
    assert!(transfers > 50, "{transfers}");
    for number in 1..=transfers {
        for fault in [Fault::Unplug(std::time::Duration::ZERO), Fault::Stall] {
            let what = format!("{fault:?} at {number}");
            let mut desk = Desk::new(scenario);
            let before = desk.eeprom();
            desk.disturb(number, fault);
            let (outcome, _) = rescue_at(&mut desk, HubKind::Switching, &request);
            assert!(desk.eeprom() == before || desk.has_backup_of(&before), "{what}");
            if let Some(failure) = outcome.failure {
                assert!(!failure.next.is_empty(), "{what}: {failure}");
            }
            desk.mend();
            // As `next:` says: an image that runs from RAM is no rescued enclosure.
            desk.bus.replug(&port());
            desk.bus.wait_for_enumeration(&port());
            let (again, _) = rescue_at(&mut desk, HubKind::Switching, &request);
            assert!(
                matches!(again.result, Verdict::Rescued | Verdict::Healthy),
                "{what}: {:?}",
                again.failure
            );
            assert!(desk.eeprom() == rescued, "{what}: {:?} {:?}", again.result, again.notes);
        }
    }
    assert!(transfers > 50);
}

#[derive(Clone, Default)]
struct Tape(Arc<Mutex<Vec<u8>>>);

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn switched_power_is_recorded_and_replayed() {
    let bus = SimBus::with_scenario(scenario("ezusb-blank"));
    bus.put_hub(&port(), HubKind::Switching);
    let tape = Tape::default();
    let mut recorder = Recorder::new(bus, tape.clone(), Serials::Kept);
    let other: PortPath = "9-1".parse().unwrap();
    let run = |bus: &mut dyn Bus| {
        let seen = bus.scan().unwrap().remove(0);
        let off = bus.power_off(&seen);
        let left = bus.power_off(&seen);
        (off, left, bus.power_on(&seen.port), bus.power_on(&other))
    };
    let recorded = run(&mut recorder);
    assert_eq!(recorded.0, Ok(()));
    assert_eq!(recorded.1, Err(PowerError::Left(port())));
    assert!(matches!(recorded.3, Err(PowerError::NotSwitchable(_))));
    let text = tape.0.lock().unwrap().clone();
    let mut replayer = Replayer::read(text.as_slice()).unwrap();
    assert_eq!(run(&mut replayer), recorded);
    assert_eq!((replayer.lines_left(), replayer.difference()), (0, None));
}

/// The line to a virtual board, without a serial device between.
struct Direct {
    board: RelayBoard,
    answers: Vec<u8>,
}

impl Read for Direct {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.answers.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.answers[..count]);
        self.answers.drain(..count);
        Ok(count)
    }
}

impl Write for Direct {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.answers.extend(self.board.take(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const BENCH: &str = r#"
[[board]]
name = "left"
device = "/dev/left"
kind = "numato"

[[port]]
path = "3-2"
label = "A1"
power = { board = "left", channel = 1 }
contact = { board = "left", channel = 2 }
"#;

/// The bench of [`BENCH`], its board wired as told.
fn bench(bus: &SimBus, wires: &[(u8, &str, Purpose)]) -> RelayOperator<Counted> {
    let config = config::parse(BENCH, "bench.toml", &[]).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let relays = Switchboard::open(config, &clock, |_| {
        let wires = wires
            .iter()
            .map(|(channel, port, purpose)| Wire {
                channel: *channel,
                port: port.parse().unwrap(),
                purpose: *purpose,
            })
            .collect();
        let board = RelayBoard::new(Dialect::Numato, Box::new(Wires::new(bus.clone(), wires)));
        Ok(Box::new(Direct { board, answers: Vec::new() }))
    })
    .unwrap();
    RelayOperator::new(Counted { bus: bus.clone(), asked: 0 }, relays)
}

const AS_SAID: [(u8, &str, Purpose); 2] =
    [(1, "3-2", Purpose::PowerNormallyClosed), (2, "3-2", Purpose::Contact)];

#[test]
fn a_relay_goes_before_the_hub_and_before_hands() {
    let scenario = scenario("ezusb-blank");
    let mut desk = Desk::new(scenario);
    desk.bus.put_hub(&port(), HubKind::Switching);
    let mut operator = bench(&desk.bus, &AS_SAID);
    let mut bus = desk.bus.clone();
    let request = request(scenario);
    let outcome = desk.run_by(&mut bus, &mut operator, |session| session.rescue(&request));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert_eq!(
        switched(&desk),
        [(Switching::PowerOff, SwitchedBy::Relay), (Switching::PowerOn, SwitchedBy::Relay)]
    );
}

#[test]
fn a_relay_in_another_ports_power_is_noticed() {
    let scenario = scenario("ezusb-blank");
    let mut desk = Desk::new(scenario);
    let other: PortPath = "3-3".parse().unwrap();
    desk.bus.plug_in(other, crate::support::scenario("sl11r-healthy").device(), Faults::none());
    let mut operator = bench(&desk.bus, &[(1, "3-3", Purpose::PowerNormallyClosed)]);
    let mut bus = desk.bus.clone();
    let request = Request { port: Some(port()), ..request(scenario) };
    let outcome = desk.run_by(&mut bus, &mut operator, |session| session.rescue(&request));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert!(
        outcome.notes.iter().any(|note| note.contains("the device at port 3-3 disappeared")),
        "{:?}",
        outcome.notes
    );
}

/// Firmware that the boot ROM takes and that does nothing: a loop at 0, then the CPU's start.
const HANGS: [u8; 19] = [
    0xc2, 0xb4, 0x04, 0x13, 0x86, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x80, 0xfe, 0x80, 0x01,
    0xe6, 0x00, 0x00,
];

fn step(action: Action) -> Guidance {
    Guidance {
        step: format!("do by hand: {}", action.name()),
        expect: "it is done".to_owned(),
        when: GuidanceTime::First,
        action: Some(action),
    }
}

/// A desk with an enclosure whose firmware hangs, and a profile that knows the way in.
fn hanging(actions: &[Action]) -> (Desk, Request, tempfile::TempDir) {
    let scenario = scenario("ezusb-blank");
    let mut desk = Desk::new(scenario);
    desk.bus.load_eeprom(&port(), &HANGS);
    desk.bus.replug(&port());
    desk.bus.wait_for_enumeration(&port());
    assert_eq!(desk.bus.sighting(&port()), None, "it hangs before it enumerates");
    let mut own = desk.library.find(&simulated(scenario.model)).unwrap().clone();
    let image = desk.library.image_bytes(&own).unwrap();
    "with-a-way-in".clone_into(&mut own.name);
    own.guidance = actions.iter().copied().map(step).collect();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join(&own.name);
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join(profile::FILE), profile::render(&own)).unwrap();
    if let profile::ImageSource::Shipped { file, .. } = &own.image.source {
        std::fs::write(place.join(file), image).unwrap();
    }
    desk.library = recover::profile::Library::embedded(&profile::known_chips())
        .with_user_folder(folder.path());
    assert!(desk.library.problems().is_empty(), "{:?}", desk.library.problems());
    let request = Request { port: Some(port()), force: true, ..with_profile(&own.name) };
    (desk, request, folder)
}

const WAY_IN: [Action; 5] = [
    Action::PowerOff,
    Action::CloseContact,
    Action::PowerOn,
    Action::WaitForBootId,
    Action::OpenContact,
];

#[test]
fn a_board_with_hanging_firmware_is_taken_into_its_boot_mode_and_rescued_without_hands() {
    let (mut desk, request, _folder) = hanging(&WAY_IN);
    let mut operator = bench(&desk.bus, &AS_SAID);
    let mut bus = desk.bus.clone();
    let outcome = desk.run_by(&mut bus, &mut operator, |session| session.rescue(&request));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    let by_relay = |what| (what, SwitchedBy::Relay);
    assert_eq!(
        switched(&desk),
        [
            by_relay(Switching::PowerOff),
            by_relay(Switching::CloseContact),
            by_relay(Switching::PowerOn),
            by_relay(Switching::OpenContact),
            by_relay(Switching::PowerOff),
            by_relay(Switching::PowerOn),
        ]
    );
    assert!(!desk.events.iter().any(|event| matches!(event, Event::Asked { .. })));
}

#[test]
fn the_same_steps_are_prompts_where_there_is_no_relay() {
    let (mut desk, request, _folder) = hanging(&WAY_IN);
    let request = Request { wait: Some(std::time::Duration::from_secs(5)), ..request };
    let outcome = desk.rescue(&request);
    assert_eq!(outcome.failure.unwrap().code, Code::R119);
    let asked: Vec<_> = desk
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Asked { request, .. } => Some(request.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(asked.len(), WAY_IN.len());
    assert_eq!(asked[1], "do by hand: close-contact");
}

#[test]
fn a_contact_stays_open_when_the_power_that_was_to_go_is_still_on() {
    let (mut desk, request, _folder) = hanging(&WAY_IN);
    // A device that is in nobody's table stays at the port: its power is not where it should be.
    let stranger = crate::support::scenario("unlisted-id");
    desk.bus.plug_in(port(), stranger.device(), Faults::none());
    let mut operator = bench(&desk.bus, &[(2, "3-2", Purpose::Contact)]);
    let mut bus = desk.bus.clone();
    let outcome = desk.run_by(&mut bus, &mut operator, |session| session.rescue(&request));
    let failure = outcome.failure.unwrap();
    assert_eq!(failure.code, Code::R606, "{failure}");
    assert_eq!(switched(&desk), [(Switching::PowerOff, SwitchedBy::Relay)]);
}
