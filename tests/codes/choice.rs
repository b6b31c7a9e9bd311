//! R3xx: choices and consent.

use std::fs;

use recover::executor::{Consent, Learning, Operator, Request};
use recover::failure::Code;
use recover::profile::{Library, Scope, known_chips};
use recover::sim::{Fault, Faults};
use recover::usb::PortPath;

use crate::cast::{Cast, other_image, swap_part, with_image};
use crate::codes::case::{Answer, Case};
use crate::codes::program::{Program, answer};
use crate::support::{Desk, port, scenario, simulated, with_profile};

pub const CASES: &[Case] = &[
    Case { code: Code::R301, what: "two devices to rescue", provoke: two_devices },
    Case { code: Code::R301, what: "two devices to learn from", provoke: two_twins },
    Case { code: Code::R301, what: "two rescues to resume", provoke: two_unfinished },
    Case { code: Code::R302, what: "two profiles that fit", provoke: two_profiles },
    Case { code: Code::R303, what: "an image its owner has", provoke: || named("sony-crx100e") },
    Case { code: Code::R303, what: "no profile at all", provoke: no_profile },
    Case { code: Code::R304, what: "nobody to ask", provoke: || asked(Consent::Unasked) },
    Case { code: Code::R304, what: "consent refused", provoke: || asked(Consent::Refused) },
    Case { code: Code::R304, what: "consent refused to a restore", provoke: a_restore_refused },
    Case { code: Code::R305, what: "a whole image of another", provoke: a_whole_image },
    Case { code: Code::R306, what: "there is no such profile", provoke: || named("no-such") },
    Case { code: Code::R307, what: "a profile of another chip", provoke: another_chip },
    Case { code: Code::R308, what: "a simulator's profile", provoke: only_simulated },
    Case { code: Code::R309, what: "a profile with an unknown key", provoke: an_unknown_key },
    Case { code: Code::R309, what: "a profile's damaged image", provoke: a_damaged_image },
    Case { code: Code::R310, what: "a development board", provoke: a_development_board },
    Case { code: Code::R311, what: "an unknown scenario", provoke: || answer("--auto --sim none") },
    Case { code: Code::R311, what: "ids beside a profile's", provoke: ids_twice },
];

fn zeroed() -> Desk {
    Desk::new(scenario("sl11r-zeroed"))
}

fn second_port() -> PortPath {
    "3-4".parse().unwrap()
}

/// Two of the scenario's device.
fn pair(name: &str) -> Desk {
    let desk = Desk::new(scenario(name));
    desk.bus.plug_in(second_port(), scenario(name).device(), Faults::none());
    desk
}

fn two_devices() -> Answer {
    pair("sl11r-zeroed").rescue(&Request::default()).into()
}

fn two_twins() -> Answer {
    let mut desk = pair("at2lp-healthy-default");
    let folder = desk.store.folder("profiles").unwrap();
    let learning = Learning { folder, name: None };
    desk.run(|session| session.learn(&Request::default(), &learning)).into()
}

/// Journals of two ports that were left open, as they are found in the program's folder.
fn two_unfinished() -> Answer {
    let program = Program::new();
    let (mut desk, _) = crate::cast::cut_off(scenario("sl11r-zeroed"), &Request::default());
    desk.bus.unplug(&port());
    desk.bus.plug_in(second_port(), scenario("sl11r-zeroed").device(), Faults::none());
    let begun = desk.bus.transfers(&second_port());
    let request = Request { port: Some(second_port()), ..Request::default() };
    // The first transfer at which a plug pulled leaves it half written.
    for number in (begun + 1).. {
        desk.bus.set_faults(&second_port(), Faults::at(number, Fault::Unplug(Default::default())));
        if desk.rescue(&request).exit_code() == 3 {
            break;
        }
        desk.bus.plug_in(second_port(), scenario("sl11r-zeroed").device(), Faults::none());
    }
    for file in fs::read_dir(desk.store.folder("journals").unwrap()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        program.write(&format!("home/simulator/journals/{name}"), fs::read(&path).unwrap());
    }
    program.run("resume --sim")
}

/// The simulator's profile again, in a folder of the user's own under another name.
fn own_profile() -> (Program, Library) {
    let program = Program::new();
    let folder = "recovery-images/cy16/simulated-sl11r";
    let text = fs::read_to_string(format!("{folder}/profile.toml")).unwrap();
    program.write("own/profile.toml", text.replace("\"simulated-sl11r\"", "\"own\""));
    program.write("own/factory.bin", fs::read(format!("{folder}/factory.bin")).unwrap());
    let library = Library::embedded(&known_chips()).with_user_folder(&program.file("own"));
    assert_eq!(library.problems(), []);
    (program, library)
}

fn two_profiles() -> Answer {
    let (_program, library) = own_profile();
    let mut desk = zeroed();
    desk.library = library;
    desk.rescue(&Request::default()).into()
}

fn no_profile() -> Answer {
    let mut desk = zeroed();
    desk.library = Library::empty(&known_chips());
    desk.rescue(&Request::default()).into()
}

fn named(profile: &str) -> Answer {
    zeroed().rescue(&with_profile(profile)).into()
}

fn another_chip() -> Answer {
    named(&simulated("ez-otg"))
}

/// Somebody who gives this answer when asked.
struct Says(Consent);

impl Operator for Says {
    fn consent(&mut self, reasons: &[String]) -> Consent {
        assert!(!reasons.is_empty(), "asked without a reason");
        self.0
    }

    fn power_cycle(&mut self, port: &PortPath) {
        unreachable!("port {port}: nothing was agreed to");
    }
}

/// A cast for a device that is called real.
fn real(desk: &Desk, consent: Consent) -> Cast {
    Cast { operator: Box::new(Says(consent)), scope: Scope::Hardware, ..Cast::usual(desk) }
}

fn asked(consent: Consent) -> Answer {
    let desk = zeroed();
    let outcome = real(&desk, consent).rescue(&desk, &with_image(&other_image()));
    assert_eq!(desk.write_cycles(), 0, "written without consent");
    outcome.into()
}

fn a_restore_refused() -> Answer {
    let mut desk = Desk::new(scenario("sl11r-half-written"));
    let id = desk.run(|session| session.backup(&Request::default())).backup.unwrap();
    let (record, bytes) = desk.store.load_backup(&id).unwrap();
    swap_part(&desk.bus, &[0x55; 2048]);
    let request = Request::default();
    real(&desk, Consent::Refused)
        .run(&desk, |session| session.restore(&request, &record, &bytes))
        .into()
}

fn only_simulated() -> Answer {
    let desk = zeroed();
    real(&desk, Consent::Unasked).rescue(&desk, &with_profile(&simulated("sl11r"))).into()
}

fn a_whole_image() -> Answer {
    let mut desk = zeroed();
    swap_part(&desk.bus, &other_image());
    desk.rescue(&Request::default()).into()
}

fn an_unknown_key() -> Answer {
    let program = Program::new();
    program.write("mine/profile.toml", "name = \"mine\"\ncolour = \"grey\"\n");
    program.run("profile check @mine")
}

/// Damaged after the profiles were read.
fn a_damaged_image() -> Answer {
    let (program, library) = own_profile();
    let mut desk = zeroed();
    desk.library = library;
    program.write("own/factory.bin", "damaged");
    desk.rescue(&with_profile("own")).into()
}

fn a_development_board() -> Answer {
    Desk::new(scenario("ez-otg-devboard")).rescue(&Request::default()).into()
}

fn ids_twice() -> Answer {
    let mut request = with_profile(&simulated("fx2lp"));
    request.target.ids = Some("1209:0001".parse().unwrap());
    Desk::new(scenario("ezusb-blank")).rescue(&request).into()
}
