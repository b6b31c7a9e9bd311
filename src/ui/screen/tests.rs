//! The screen as a person would see it, from notices alone.

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::draw::{draw, page};
use super::key::Key;
use super::model::{Model, State, Wanted};
use crate::bench::{BenchEvent, Command, Notice, NoticeContent, Tally};
use crate::chip::{IdMeaning, Identity};
use crate::executor::Event;
use crate::failure::{Code, DeviceState, Failure};
use crate::rescue::outcome::{Outcome, Verdict};
use crate::usb::{Ids, PortPath};

fn port(number: u8) -> PortPath {
    PortPath::new(3, vec![1, number])
}

struct Desk {
    model: Model,
    now_ms: u64,
}

impl Desk {
    fn new() -> Self {
        Self { model: Model::new(true), now_ms: 0 }
    }

    fn hear(&mut self, number: u8, what: NoticeContent) {
        self.now_ms += 700;
        let label = Some(format!("A{number}"));
        let notice = Notice { at_ms: self.now_ms, port: Some(port(number)), label, what };
        self.model.hear(&notice);
    }

    fn happens(&mut self, number: u8, happening: BenchEvent) {
        self.hear(number, NoticeContent::Bench(happening));
    }

    fn runs(&mut self, number: u8, event: Event) {
        self.hear(number, NoticeContent::Run(event));
    }

    fn arrives(&mut self, number: u8, waits: bool) {
        self.happens(
            number,
            BenchEvent::Arrived {
                ids: Ids::new(0x04ce, 0x07d1),
                name: "unknown QT processor".to_owned(),
                id_meaning: IdMeaning::BootId,
                waits,
            },
        );
        if !waits {
            self.happens(number, BenchEvent::Begun);
        }
    }

    fn writes(&mut self, number: u8, done: u64) {
        self.arrives(number, false);
        let title = "write EEPROM 0x0002..0x01fb: 453 bytes, 453 write cycles".to_owned();
        self.runs(number, Event::StepBegun { step: 3, of: 7, title });
        self.runs(number, Event::Progress { work: "write", done, total: 453 });
    }

    fn rescued(&mut self, number: u8) {
        self.arrives(number, false);
        let seen = Identity {
            ids: Ids::new(0x04ce, 0x0002),
            bcd_device: Some(0x0260),
            interface_class: None,
            manufacturer: Some("ScanLogic".to_owned()),
            product: Some("USBIDE (virtual)".to_owned()),
            serial: None,
        };
        let mut outcome = Outcome { result: Verdict::Rescued, ..Outcome::begun() };
        outcome.port = Some(port(number));
        outcome.identity.seen = Some(seen);
        outcome.device_time_ms = 6071.0;
        self.runs(number, Event::Outcome { outcome: Box::new(outcome) });
    }

    fn fails(&mut self, number: u8) {
        self.arrives(number, false);
        let what = "the memory kept no written byte in 3 attempts; 0x01fb still holds 00";
        let failure = Failure::new(Code::R106, what, "step 2 of 7, EEPROM 0x01fb, port 3-1.2")
            .leaving(DeviceState::RunningFromRam)
            .next("look for a write-protect strap: pin 7 (WP) of the 8-pin EEPROM must be at ground while it is written");
        self.runs(number, Event::Failed { failure: failure.clone() });
        let port = Some(port(number));
        let outcome = Outcome { port, failure: Some(failure), ..Outcome::begun() };
        self.runs(number, Event::Outcome { outcome: Box::new(outcome) });
    }

    fn screen(&self, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, &self.model)).unwrap();
        let text = terminal.backend().to_string();
        // The backend quotes its lines.
        text.lines().map(|line| format!("{}\n", line.trim_matches('"').trim_end())).collect()
    }
}

/// A port in every state there is.
fn desk() -> Desk {
    let mut desk = Desk::new();
    desk.happens(7, BenchEvent::Place { profile: Some("sony-crx100e".to_owned()) });
    desk.happens(
        6,
        BenchEvent::InFlight {
            rescue: "2026-11-22T10-02-33-sl11r".to_owned(),
            step: Some("write the signature b6c3 last and verify it".to_owned()),
        },
    );
    desk.writes(1, 226);
    desk.fails(2);
    desk.rescued(3);
    desk.arrives(4, true);
    desk.happens(
        5,
        BenchEvent::LeftAlone {
            ids: Ids::new(0x04ce, 0x0002),
            name: "ScanLogic USBIDE".to_owned(),
            healthy: true,
        },
    );
    desk
}

#[test]
fn every_state_fits_on_80_by_24() {
    let mut desk = desk();
    desk.model.press(Key::First, 1);
    insta::assert_snapshot!(desk.screen(80, 24));
}

#[test]
fn a_failure_says_what_to_do_next() {
    let mut desk = desk();
    desk.model.press(Key::First, 1);
    desk.model.press(Key::Down, 1);
    insta::assert_snapshot!(desk.screen(80, 24));
    desk.model.press(Key::Detail, 1);
    let detail = desk.screen(80, 24);
    assert!(detail.contains("next: look for a write-protect strap"), "{detail}");
    assert!(!detail.contains("enclosure   "), "the table is away: {detail}");
}

#[test]
fn many_ports_scroll_with_the_selected_one_on_the_screen() {
    let mut desk = Desk::new();
    for number in 1..=40 {
        desk.writes(number, u64::from(number) * 11);
    }
    for _ in 0..24 {
        desk.model.press(Key::Down, page(24));
    }
    insta::assert_snapshot!(desk.screen(80, 24));
    desk.model.press(Key::Last, 1);
    assert!(desk.screen(80, 24).contains("\nA40 "));
    desk.model.press(Key::PageUp, page(24));
    assert_eq!(desk.model.selected, Some(port(40 - 12)));
}

#[test]
fn a_wide_screen_shows_more_of_each_and_a_tiny_one_breaks_nothing() {
    let desk = desk();
    let wide = desk.screen(160, 40);
    assert!(wide.contains("3/7 write EEPROM 0x0002..0x01fb: 453 bytes"), "{wide}");
    for (width, height) in [(1, 1), (10, 3), (20, 12), (40, 10), (79, 13)] {
        desk.screen(width, height);
    }
    Desk::new().screen(80, 24);
}

#[test]
fn a_key_that_does_not_fit_the_port_gives_no_command() {
    let mut desk = desk();
    desk.model.press(Key::First, 1);
    assert_eq!(desk.model.press(Key::Start, 1), None, "it runs already");
    assert_eq!(desk.model.press(Key::Skip, 1), Some(Wanted::Bench(Command::Skip(port(1)))));
    desk.model.press(Key::Down, 1);
    assert_eq!(desk.model.press(Key::Retry, 1), Some(Wanted::Bench(Command::Start(port(2)))));
    desk.model.selected = Some(port(4));
    assert_eq!(desk.model.press(Key::Start, 1), Some(Wanted::Bench(Command::Start(port(4)))));
    let report = desk.model.selected.clone().map(Wanted::Report);
    assert!(report.is_some());
    assert_eq!(desk.model.press(Key::Report, 1), report);
    assert_eq!(desk.model.press(Key::Quit, 1), Some(Wanted::Bench(Command::Quit)));
    let stopping = NoticeContent::Bench(BenchEvent::Stopping { running: 1 });
    desk.model.hear(&Notice { at_ms: 1, port: None, label: None, what: stopping });
    assert!(
        desk.screen(80, 24).contains("stopping; 1 run continues to a safe point; press q again")
    );
    assert_eq!(desk.model.press(Key::Start, 1), None, "it is ending");
    assert_eq!(desk.model.press(Key::Quit, 1), Some(Wanted::Bench(Command::Quit)));
}

#[test]
fn a_restart_by_hand_is_seen_at_once() {
    let mut desk = Desk::new();
    desk.writes(1, 453);
    let request = "take all power from the enclosure at port 3-1.1".to_owned();
    desk.runs(1, Event::Asked { request, expect: "it appears again".to_owned() });
    assert_eq!(desk.model.row().unwrap().state, State::Hands);
    assert!(desk.screen(80, 24).contains("HANDS"));
    desk.runs(1, Event::StepDone { step: 6 });
    assert_eq!(desk.model.row().unwrap().state, State::Running);
}

#[test]
fn strangers_on_ports_nobody_named_are_not_shown() {
    let mut desk = Desk::new();
    let name = "a keyboard".to_owned();
    let ids = Ids::new(0x046d, 0xc31c);
    desk.happens(1, BenchEvent::LeftAlone { ids, name, healthy: false });
    assert!(desk.model.rows.is_empty());
    desk.model.hear(&Notice {
        at_ms: 9000,
        port: None,
        label: None,
        what: NoticeContent::Bench(BenchEvent::Summary { tally: Tally::default() }),
    });
    assert!(desk.model.summary.is_some());
}
