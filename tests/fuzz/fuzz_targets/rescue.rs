//! A whole rescue, forced, of a device that answers anything: it ends, and its failures say what
//! to do next.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recover::executor::{Commands, Consent, Operator, Request, Session, Silence, Store, Tools};
use recover::preflight::VirtualTwin;
use recover::profile::{Library, Scope, known_chips};
use recover::usb::PortPath;
use recover_fuzz::HostileBus;

struct Hands;

impl Operator for Hands {
    fn consent(&mut self, _reasons: &[String]) -> Consent {
        Consent::Given
    }

    fn power_cycle(&mut self, _port: &PortPath) {}
}

fuzz_target!(|bytes: &[u8]| {
    let home = tempfile::tempdir().unwrap();
    let library = Library::embedded(&known_chips());
    let store = Store::new(home.path());
    let mut bus = HostileBus::new(bytes);
    let request = Request {
        force: bytes.len() % 2 == 1,
        port: Some(HostileBus::port()),
        as_family: recover::chip::family("cy16"),
        ..Request::default()
    };
    let outcome = Session::new(Tools {
        bus: &mut bus,
        operator: &mut Hands,
        observer: &mut Silence,
        twin: &VirtualTwin,
        library: &library,
        store: &store,
        scope: Scope::Simulator,
        commands: Commands::new("recover --auto"),
    })
    .rescue(&request);
    if let Some(failure) = &outcome.failure {
        assert!(!failure.next.is_empty(), "{failure}");
        assert_eq!(failure.device, outcome.device_state);
    }
});
