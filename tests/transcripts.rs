//! Rescues that a real Linux kernel carried, captured with usbmon, asked for again by the program
//! as it is now: it must send what was sent then, and come to the same end.
//!
//! `tests/vm/run capture` makes the captures; the device in them is a virtual one.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::Path;

use crate::usbmon::{Capture, CaptureBus};
use recover::executor::{Commands, Consent, Operator, Request, Session, Silence, Store, Tools};
use recover::preflight::VirtualTwin;
use recover::profile::{Library, Scope, known_chips};
use recover::rescue::Verdict;
use recover::rescue::choice::NamedImage;
use recover::usb::PortPath;

struct Hands(CaptureBus);

impl Operator for Hands {
    fn consent(&mut self, _reasons: &[String]) -> Consent {
        Consent::Given
    }

    fn power_cycle(&mut self, _port: &PortPath) {
        self.0.power_cycle();
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn replay(name: &str) {
    let path = root().join("tests/transcripts").join(name);
    let capture = Capture::parse(&fs::read_to_string(&path).unwrap());
    let mut request = Request::default();
    request.target.profile = capture.note("profile").map(str::to_owned);
    request.target.serial = capture.note("serial").map(str::to_owned);
    request.target.image = capture.note("image").map(|image| NamedImage {
        name: image.to_owned(),
        bytes: fs::read(root().join("recovery-images").join(image)).unwrap(),
    });
    let healthy = capture.note("healthy").unwrap().to_owned();
    let bus = capture.bus();
    let home = tempfile::tempdir().unwrap();
    let outcome = Session::new(Tools {
        bus: &mut bus.clone(),
        operator: &mut Hands(bus.clone()),
        observer: &mut Silence,
        twin: &VirtualTwin,
        library: &Library::embedded(&known_chips()),
        store: &Store::new(home.path()),
        scope: Scope::Hardware,
        commands: Commands::new("recover --auto"),
    })
    .rescue(&request);
    assert_eq!(outcome.result, Verdict::Rescued, "{name}: {:?}", outcome.failure);
    assert_eq!(outcome.identity.seen.unwrap().ids.to_string(), healthy);
    assert_eq!(bus.unasked(), Vec::<usize>::new(), "{name}: lines that were not asked again");
}

#[test]
fn an_sl11r_is_rescued_as_it_was_in_a_real_kernel() {
    replay("cy16.usbmon");
}

#[test]
fn an_fx2lp_is_rescued_as_it_was_in_a_real_kernel() {
    replay("ezusb.usbmon");
}

#[test]
fn an_at2lp_is_rescued_as_it_was_in_a_real_kernel() {
    replay("at2lp.usbmon");
}
