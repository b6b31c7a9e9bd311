//! Files and devices as people have them: each was once answered wrongly. The inputs are in
//! tests/cases.

use crate::cast::{Cast, with_image};
use crate::support::{Desk, port, scenario, simulated, with_profile};
use recover::chip::{self, Chip, Image, ImageError, Model};
use recover::executor::{Consent, Event, Operator, Request};
use recover::failure::Code;
use recover::preflight::VirtualTwin;
use recover::profile::Scope;
use recover::rescue::preflight::{Preflight, Twin};
use recover::rescue::{Condition, Outcome, Verdict};
use recover::usb::{ClassCode, Ids, PortPath};

macro_rules! case {
    ($path:literal) => {
        include_bytes!(concat!("cases/", $path)).as_slice()
    };
}

const GOOD: &[u8] = case!("ezusb-hang-complete/good.iic");
const HANGS: &[u8] = case!("ezusb-hang-complete/hangs.iic");
const OURS: Ids = Ids::new(0x1209, 0x0001);

fn model(name: &str) -> (&'static dyn Chip, Model) {
    chip::model(name).unwrap()
}

fn image(name: &str, file: &[u8]) -> Result<Image, ImageError> {
    let (chip, model) = model(name);
    chip.read_image(model, file)
}

fn preflight(name: &str, image: &Image) -> Preflight {
    VirtualTwin.boot(model(name).1, image)
}

/// Who the virtual chip comes up as from a file.
fn comes_up(name: &str, file: &[u8]) -> recover::chip::Identity {
    match preflight(name, &image(name, file).unwrap()) {
        Preflight::CameUp { identity } => identity,
        other => panic!("{name}: {other:?}"),
    }
}

/// A desk whose device lies in boot mode, with these bytes in its memory: its EEPROM was kept from
/// answering when the power came.
fn in_boot_mode(name: &str, contents: &[u8]) -> Desk {
    let desk = Desk::new(scenario(name));
    desk.bus.load_eeprom(&port(), contents);
    desk
}

fn condition(desk: &Desk) -> Condition {
    let told = desk.events.iter().rev().find_map(|event| match event {
        Event::Diagnosed { condition, .. } => Some(condition.clone()),
        _ => None,
    });
    told.unwrap()
}

fn has_note(outcome: &Outcome, part: &str) -> bool {
    outcome.notes.iter().any(|note| note.contains(part))
}

#[test]
fn a_header_with_ids_of_nobody_is_taken_where_firmware_is_behind_it() {
    let file = case!("ezusb-c2-header-zero/header-0000.iic");
    assert_eq!(comes_up("fx2lp", file).ids, OURS);
    assert!(image("fx2lp", file).unwrap().notes[0].contains("not assigned"));
    let mut other = file.to_vec();
    other[1..5].fill(0xff);
    assert_eq!(comes_up("fx2lp", &other).ids, OURS);
    // Ids alone are all that such an image gives.
    assert!(image("fx2lp", &[0xc0, 0, 0, 0, 0, 0, 1, 0]).is_err());
}

#[test]
fn firmware_that_does_not_renumerate_comes_up_under_the_ids_of_its_header() {
    let identity = comes_up("fx2lp", case!("ezusb-c2-renum0/renum0.iic"));
    assert_eq!((identity.ids, identity.bcd_device), (OURS, Some(0x1234)));
    assert_eq!(identity.interface_class, Some(ClassCode::new(0xff, 0xff, 0xff)));
}

#[test]
fn an_eeprom_dump_as_text_is_taken_for_what_it_is() {
    let dump = image("fx2lp", case!("ezusb-eeprom-dump-as-hex/c2.hex")).unwrap();
    assert_eq!(dump.start(), GOOD);
    assert!(dump.notes[0].contains("EEPROM's contents"), "{:?}", dump.notes);
    let ids = image("fx2lp", case!("ezusb-eeprom-dump-as-hex/c0.hex")).unwrap();
    assert_eq!((ids.start().len(), ids.identity.unwrap().ids), (8, OURS));
    let text = |bytes: &[u8]| {
        let line = |(number, chunk): (usize, &[u8])| {
            let digits: Vec<_> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{:08x}: {}  ..\n", number * 16, digits.join(" "))
        };
        bytes.chunks(16).enumerate().map(line).collect::<String>()
    };
    for name in ["fx2lp", "an2131", "sl11r", "ez-otg", "at2lp"] {
        let one = recover::sim::scenarios().iter().find(|one| one.model == name).unwrap();
        let binary = one.factory_image();
        let read = image(name, text(binary).as_bytes()).unwrap();
        assert_eq!(read.start(), image(name, binary).unwrap().start(), "{name}");
    }
}

#[test]
fn a_program_without_descriptors_gets_the_same_hint_in_every_form() {
    for file in [
        case!("ezusb-flat-no-descriptor/prog.bin"),
        b":180000000200100000000000000000000000000075813080010080FEB1\n:00000001FF\n",
    ] {
        let refused = image("fx2lp", file).unwrap_err().to_string();
        assert!(refused.contains("recover image build"), "{refused}");
    }
}

#[test]
fn a_hex_file_may_give_bytes_again_and_hold_the_reset_of_an_upload() {
    for file in [
        case!("ezusb-hex-rewritten-byte/same-record-twice.hex"),
        case!("ezusb-hex-rewritten-byte/with-cpucs-records.hex"),
    ] {
        let read = image("fx2lp", file).unwrap();
        assert!(!read.notes.is_empty());
        let Preflight::CameUp { identity } = preflight("fx2lp", &read) else { panic!() };
        assert_eq!(identity.ids, OURS);
    }
}

#[test]
fn a_record_outside_the_chip_s_ram_needs_consent_and_is_no_failure() {
    let record = case!("ezusb-record-past-e1ff/record-e1f0.iic");
    let past = image("fx2lp", record).unwrap();
    assert!(past.assumptions[0].contains("e200..e210"), "{:?}", past.assumptions);
    assert_eq!(comes_up("fx2lp", record).ids, OURS);
    let external = image("an2131", case!("an2131-external-ram/external.iic")).unwrap();
    assert!(external.assumptions[0].contains("2800..2802"), "{:?}", external.assumptions);
    let said = preflight("an2131", &external);
    assert!(matches!(said, Preflight::Inconclusive { .. }), "{said:?}");
}

/// Somebody who keeps what he was asked to agree to.
struct Asked(std::rc::Rc<std::cell::RefCell<Vec<String>>>);

impl Operator for Asked {
    fn consent(&mut self, reasons: &[String]) -> Consent {
        self.0.borrow_mut().extend(reasons.iter().cloned());
        Consent::Refused
    }

    fn power_cycle(&mut self, _port: &PortPath) {}
}

#[test]
fn memory_that_the_board_must_have_is_named_before_consent() {
    let desk = Desk::new(scenario("ezusb-blank"));
    let asked = std::rc::Rc::default();
    let operator = Box::new(Asked(std::rc::Rc::clone(&asked)));
    let request = with_image(case!("ezusb-record-past-e1ff/record-e1f0.iic"));
    let outcome =
        Cast { operator, scope: Scope::Hardware, ..Cast::usual(&desk) }.rescue(&desk, &request);
    assert_eq!(outcome.failure.unwrap().code, Code::R304);
    assert!(asked.borrow().iter().any(|reason| reason.contains("e200..e210")), "{asked:?}");
}

#[test]
fn a_serial_number_that_the_program_reads_from_the_eeprom_is_not_promised() {
    let file = case!("ezusb-serial-from-eeprom/serial.iic");
    let identity = comes_up("fx2lp", file);
    assert_eq!((identity.ids, identity.serial), (OURS, None));
    let mut contents = vec![0xff; 8192];
    contents[0] = 0;
    contents[0x1ff0] = b'7';
    let mut desk = Desk::started("ezusb-blank", &contents);
    let mut request = with_profile("generic-fx2lp");
    request.target.image = with_image(file).target.image;
    let outcome = desk.rescue(&request);
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert_eq!(outcome.identity.seen.unwrap().serial.as_deref(), Some("7"));
}

/// A record with op 00 [BM table 1-8].
fn copy(address: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 2).unwrap();
    [&[0xb6, 0xc3], length.to_le_bytes().as_slice(), &[0], &address.to_le_bytes(), data].concat()
}

#[test]
fn what_only_the_twin_s_own_rom_shows_is_not_promised() {
    // A device descriptor of its own; the configuration stays that of the ROM, which for the SL11R
    // nobody has published.
    let device = [18, 1, 0x10, 1, 0, 0, 0, 8, 0x09, 0x12, 1, 0, 0x34, 0x12, 0, 0, 0, 1];
    let file = [copy(0x900, &device), copy(0xb4, &[0x00, 0x09]), vec![0, 0]].concat();
    let identity = comes_up("sl11r", &file);
    assert_eq!((identity.ids, identity.bcd_device), (OURS, Some(0x1234)));
    assert_eq!(identity.interface_class, None);
    assert_eq!(
        comes_up("sl11r", scenario("sl11r-zeroed").factory_image())
            .interface_class
            .map(|class| class.class),
        Some(8)
    );
}

#[test]
fn a_whole_image_that_does_not_start_is_told_and_may_be_replaced() {
    let mut desk = in_boot_mode("ezusb-blank", HANGS);
    let outcome = desk.run(|session| session.diagnose(&Request::default()));
    assert_eq!(outcome.result, Verdict::Planned, "{:?}", outcome.failure);
    assert!(matches!(condition(&desk), Condition::DoesNotStart { .. }), "{}", condition(&desk));
    let outcome = desk.rescue(&with_profile(&simulated("fx2lp")));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
}

#[test]
fn a_whole_image_that_starts_on_the_virtual_chip_is_told_and_kept() {
    let mut desk = in_boot_mode("ezusb-blank", GOOD);
    let outcome = desk.rescue(&with_profile(&simulated("fx2lp")));
    assert_eq!(outcome.failure.as_ref().unwrap().code, Code::R305);
    assert!(has_note(&outcome, "starts as 1209:0001"), "{:?}", outcome.notes);
    assert_eq!(desk.write_cycles(), 0);
}

#[test]
fn a_whole_image_that_the_model_cannot_judge_is_told_and_kept() {
    let mut desk = in_boot_mode("ezusb-an2131-blank", case!("an2131-external-ram/external.iic"));
    let outcome = desk.rescue(&with_profile(&simulated("an2131")));
    assert_eq!(outcome.failure.as_ref().unwrap().code, Code::R305);
    assert!(has_note(&outcome, "cannot be told"), "{:?}", outcome.notes);
}

#[test]
fn another_tool_s_broken_off_flash_is_rescued_without_force() {
    for name in ["sl11r-blank", "ez-otg-blank"] {
        let factory = scenario(name).factory_image();
        let mut in_boot = 0;
        for part in 1..16 {
            let cut = factory.len() * part / 16;
            let mut desk = Desk::started(name, &factory[..cut]);
            let seen = desk.bus.sighting(&port());
            let blank = Desk::new(scenario(name)).bus.sighting(&port()).map(|seen| seen.ids);
            if seen.map(|seen| seen.ids) != blank {
                continue;
            }
            in_boot += 1;
            let outcome = desk.rescue(&with_profile(&simulated(scenario(name).model)));
            assert_eq!(outcome.result, Verdict::Rescued, "{name} {cut}: {:?}", outcome.failure);
        }
        assert!(in_boot > 5, "{name}: {in_boot}");
    }
}

fn as_ezusb(profile: &str, ids: Ids, force: bool) -> Request {
    let mut request = with_profile(profile);
    request.target.ids = Some(ids);
    Request { port: Some(port()), as_family: chip::family("ezusb"), force, ..request }
}

#[test]
fn wrong_ids_in_an_eeprom_are_told_and_corrected() {
    let wanted = Ids::new(0x0925, 0x3881);
    let mut desk = Desk::started("ezusb-blank", case!("ezusb-c0-wrong-ids/c0.iic"));
    assert_eq!(desk.bus.sighting(&port()).unwrap().ids, Ids::new(0x1209, 9));
    let failure = desk.rescue(&Request::default()).failure.unwrap();
    assert_eq!(failure.code, Code::R101);
    assert!(failure.next[0].contains("--port 3-2 --as ezusb"), "{failure}");
    let outcome = desk.rescue(&as_ezusb("generic-fx2lp", wanted, false));
    let failure = outcome.failure.as_ref().unwrap();
    assert_eq!(failure.code, Code::R305, "{failure}");
    assert!(has_note(&outcome, "shows what its EEPROM gives it: 1209:0009"), "{:?}", outcome.notes);
    assert_eq!(desk.write_cycles(), 0);
    let outcome = desk.rescue(&as_ezusb("generic-fx2lp", wanted, true));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert_eq!(outcome.identity.seen.unwrap().ids, wanted);
}

#[test]
fn a_first_byte_that_hides_a_program_is_told_and_repaired_alone() {
    let mut contents = GOOD.to_vec();
    contents[0] = 0xc0;
    contents.resize(8192, 0xff);
    let mut desk = Desk::started("ezusb-blank", &contents);
    let request =
        Request { port: Some(port()), as_family: chip::family("ezusb"), ..Request::default() };
    let outcome = desk.run(|session| session.diagnose(&request));
    assert!(
        has_note(&outcome, "with c2 the virtual chip starts it as 1209:0001"),
        "{:?}",
        outcome.notes
    );
    let command = outcome.notes.iter().find(|note| note.contains("to repair that byte")).unwrap();
    let path = command.split(" --image ").nth(1).unwrap().split(' ').next().unwrap();
    let file = std::fs::read(path).unwrap();
    assert_eq!(file, GOOD);
    let request =
        Request { force: true, ..Request { target: with_image(&file).target, ..request } };
    let outcome = desk.rescue(&request);
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert!(outcome.write_cycles <= 2, "{} write cycles", outcome.write_cycles);
}
