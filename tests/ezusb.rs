//! The EZ-USB family on its virtual chips: what a rescue costs, and that every loader, firmware and
//! image in the repository is what its source makes.

#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

use crate::support::{Desk, scenario, simulated, with_profile};
use recover::chip::{DriveAnswer, Model, Restart, Trial, family};
use recover::executor::Request;
use recover::failure::{Code, DeviceState};
use recover::rescue::Verdict;
use recover::rescue::choice::NamedImage;
use recover::sim::{Scenario, SimBus};
use recover::usb::Bus;
use recover::usb::bot::{Bot, Data, Pipes};

fn rescue(name: &str) -> (Desk, recover::rescue::Outcome) {
    let one: &Scenario = scenario(name);
    let mut desk = Desk::new(one);
    let outcome = desk.rescue(&with_profile(&simulated(one.model)));
    (desk, outcome)
}

fn with_image(name: &str, bytes: &[u8]) -> Request {
    let mut request = Request::default();
    request.target.image = Some(NamedImage { name: name.to_owned(), bytes: bytes.to_vec() });
    request
}

fn model(name: &str) -> Model {
    recover::chip::model(name).unwrap().1
}

#[test]
fn a_blank_enclosure_is_whole_again_for_a_page_write_each_and_the_signature() {
    // The page that the smallest part takes which the profile allows; an erased one proves no more.
    let page = 32;
    for name in ["ezusb-blank", "ezusb-zeroed", "ezusb-largest"] {
        let (desk, outcome) = rescue(name);
        assert_eq!(outcome.result, Verdict::Rescued, "{name}: {:?}", outcome.failure);
        let image = u32::try_from(scenario(name).factory_image().len()).unwrap();
        let maximum = image.div_ceil(page) + 3;
        assert!(
            desk.write_cycles() <= maximum.into(),
            "{name}: {} of {maximum}",
            desk.write_cycles()
        );
    }
}

#[test]
fn ids_alone_bring_a_board_without_firmware_back() {
    let mut desk = Desk::new(scenario("ezusb-blank"));
    let ids = [0xc0, 0x50, 0x1d, 0xb5, 0x60, 0x01, 0x00, 0x01];
    let outcome = desk.rescue(&with_image("ids.iic", &ids));
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert!(desk.eeprom().starts_with(&ids));
    assert_eq!(outcome.identity.seen.unwrap().ids.to_string(), "1d50:60b5");
}

#[test]
fn a_generic_profile_takes_ids_or_an_image_and_promises_nothing_by_itself() {
    let named = |profile: &str, ids: Option<&str>| {
        let mut request = with_profile(profile);
        request.target.ids = ids.map(|ids| ids.parse().unwrap());
        request.target.revision = ids.map(|_| 0x0102);
        request
    };
    for (name, profile, starts) in [
        ("ezusb-blank", "generic-fx2lp", "c0501d8c60020100"),
        ("ezusb-an2131-blank", "generic-an2131", "b0501d8c600201"),
    ] {
        let mut desk = Desk::new(scenario(name));
        let outcome = desk.rescue(&named(profile, Some("1d50:608c")));
        assert_eq!(outcome.result, Verdict::Rescued, "{name}: {:?}", outcome.failure);
        assert_eq!(hex::encode(&desk.eeprom()[..starts.len() / 2]), starts);
        let seen = outcome.identity.seen.unwrap();
        assert_eq!((seen.ids.to_string(), seen.bcd_device), ("1d50:608c".into(), Some(0x0102)));

        // An image instead: who it is comes from the image.
        let mut desk = Desk::new(scenario(name));
        let image = scenario(name).factory_image();
        let mut request = with_image("my.iic", image);
        request.target.profile = Some(profile.to_owned());
        let outcome = desk.rescue(&request);
        assert_eq!(outcome.result, Verdict::Rescued, "{name}: {:?}", outcome.failure);
        assert!(desk.eeprom().starts_with(image));

        // Neither: the commands to choose from.
        let mut desk = Desk::new(scenario(name));
        let outcome = desk.rescue(&named(profile, None));
        let failure = outcome.failure.unwrap();
        assert_eq!((failure.code, failure.exit_code()), (Code::R303, 4), "{failure}");
        let with = |option: &str| format!("recover --auto --profile {profile} {option}");
        assert!(failure.next[0].starts_with(&with("--ids VVVV:PPPP")), "{failure}");
        assert_eq!(failure.next[1], with("--image FILE"));
        assert_eq!(desk.write_cycles(), 0);
    }
    // A profile that says who it is takes no ids besides, nor does another chip's.
    for (profile, code) in
        [("simulated-fx2lp", Code::R311), ("generic-an2131", Code::R307), ("generic", Code::R306)]
    {
        let mut desk = Desk::new(scenario("ezusb-blank"));
        let failure = desk.rescue(&named(profile, Some("1d50:608c"))).failure.unwrap();
        assert_eq!((failure.code, failure.exit_code()), (code, 2), "{failure}");
        assert_eq!(desk.write_cycles(), 0);
    }
    // Ids that nobody has, and those of a blank chip.
    for ids in ["0000:0001", "1d50:ffff", "04b4:8613"] {
        let mut desk = Desk::new(scenario("ezusb-blank"));
        let failure = desk.rescue(&named("generic-fx2lp", Some(ids))).failure.unwrap();
        assert_eq!(failure.code, Code::R208, "{failure}");
        assert_eq!(desk.write_cycles(), 0);
    }
}

#[test]
fn an_unnamed_device_is_shown_the_generic_profile_among_the_choices() {
    let mut desk = Desk::new(scenario("ezusb-devboard"));
    let failure = desk.rescue(&Request::default()).failure.unwrap();
    assert_eq!((failure.code, failure.exit_code()), (Code::R310, 4));
    let ids = "recover --auto --profile generic-fx2lp --ids VVVV:PPPP";
    assert!(failure.next.iter().any(|next| next.starts_with(ids)), "{failure}");
    assert!(failure.next.iter().any(|next| next.ends_with("--profile simulated-fx2lp")));
}

/// A record of an image.
fn record(address: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    let head = [length.to_be_bytes(), address.to_be_bytes()];
    [head.as_flattened(), data].concat()
}

/// An image for the FX2LP with these ids and records, started by 00 to `cpucs`.
fn load(ids: [u8; 4], records: &[Vec<u8>], cpucs: [u8; 2]) -> Vec<u8> {
    let mut image = vec![0xc2];
    image.extend(ids);
    image.extend([0, 1, 0]);
    image.extend(records.concat());
    image.extend([0x80, 0x01, cpucs[0], cpucs[1], 0]);
    image
}

#[test]
fn images_that_cannot_be_meant_are_refused_each_with_its_own_error_and_nothing_is_sent() {
    const IDS: [u8; 4] = [0x09, 0x12, 0x01, 0x00];
    const E6: [u8; 2] = [0xe6, 0x00];
    let code = || record(0, &[0x80, 0xfe]);
    let many = |count: u16| (0..count).map(|n| record(n * 1000, &[1; 1000])).collect::<Vec<_>>();
    let factory = scenario("ezusb-blank").factory_image();
    let table: Vec<(Vec<u8>, Code, &str)> = vec![
        (Vec::new(), Code::R201, "empty"),
        (vec![0; 8192], Code::R202, "8192 bytes, all of them 00"),
        (vec![0xff; 256], Code::R202, "256 bytes, all of them ff"),
        (b"MZ not an image".to_vec(), Code::R203, "starts with 4d5a206e"),
        // The other register map: by its signature, and by the record that starts the 8051.
        (scenario("ezusb-an2131-blank").factory_image().to_vec(), Code::R204, "AN21xx"),
        (load(IDS, &[code()], [0x7f, 0x92]), Code::R204, "AN21xx or FX"),
        (vec![0xb6, 0x09, 0x12, 1, 0, 0, 1, 0, 0], Code::R204, "EZ-USB FX"),
        (factory[..factory.len() - 3].to_vec(), Code::R205, "in the middle of the record"),
        (vec![0xc0, 0x09, 0x12, 0x01], Code::R205, "in the middle of the ids"),
        // Where there are registers, and from what may be memory into them.
        (load(IDS, &[code(), record(0xe680, &[1])], E6), Code::R206, "0xe680..0xe681"),
        (load(IDS, &[code(), record(0xe3ff, &[1, 2])], E6), Code::R206, "0xe3ff..0xe401"),
        (vec![0x02; 0x1_0001], Code::R202, "65537 bytes, all of them 02"),
        ([factory, &[0xff; 0x1_0000]].concat(), Code::R207, "at most 65536"),
        (load(IDS, &many(60), E6), Code::R206, "0xe290..0xe678"),
        // Ids that nobody has.
        (vec![0xc0, 0xff, 0xff, 1, 0, 0, 1, 0], Code::R208, "not assigned"),
        (vec![0xc0, 0x09, 0x12, 0, 0, 0, 1, 0], Code::R208, "not assigned"),
        (vec![0xc0, 0xb4, 0x04, 0x13, 0x86, 0, 1, 0], Code::R208, "stay in boot mode"),
        (
            load(IDS, &[code(), record(0x100, &[1; 16]), record(0x10f, &[2])], E6),
            Code::R208,
            "the record for 010f: it overlaps another",
        ),
        (load(IDS, &[record(0x100, &[1])], E6), Code::R208, "no record fills 0000"),
        (load(IDS, &[code(), record(0x100, &[])], E6), Code::R208, "it has no data"),
        (load(IDS, &[code()], [0xe6, 0x01]), Code::R208, "which starts the 8051"),
        (b":0300000002000BF1\n:00000001FF\n".to_vec(), Code::R208, "line 1: the checksum"),
        (b":0300000002000BF0\n".to_vec(), Code::R208, "the end record is missing"),
        (b":020000040001F9\n:0100000055AA\n:00000001FF\n".to_vec(), Code::R208, "beyond the 64 KB"),
    ];
    // What finding and proving the chip takes.
    let proof = Desk::new(scenario("ezusb-blank")).rescue(&Request::default()).transfers;
    for (image, code, what) in table {
        let mut desk = Desk::new(scenario("ezusb-blank"));
        let outcome = desk.rescue(&with_image("given.bin", &image));
        let failure = outcome.failure.unwrap();
        assert!(failure.what.contains(what), "{failure}");
        assert_eq!(failure.code, code, "{failure}");
        assert_eq!(outcome.transfers, proof, "{failure}");
        assert_eq!(failure.device, DeviceState::Untouched);
        assert_eq!(desk.write_cycles(), 0);
    }
    // A record for RAM that only the larger chip has.
    let chip = family("ezusb").unwrap();
    let large = load(IDS, &[code(), record(0x2000, &[1])], E6);
    assert!(chip.read_image(model("fx2lp"), &large).is_ok());
    let refused = chip.read_image(model("fx2"), &large).unwrap_err().to_string();
    assert!(refused.contains("0x2000..0x2001"), "{refused}");
}

#[test]
fn an_image_that_is_tried_in_ram_shows_its_identity_and_leaves_the_memory_alone() {
    let chip = family("ezusb").unwrap();
    for name in ["ezusb-blank", "ezusb-an2131-blank"] {
        let one = scenario(name);
        let mut bus = SimBus::with_scenario(one);
        let before = bus.eeprom(&SimBus::scenario_port());
        let seen = bus.scan().unwrap().remove(0);
        let mut link = bus.open(&seen).unwrap();
        let finding = chip.probe(&mut *link, &seen).unwrap();
        let image = chip.read_image(model(one.model), one.factory_image()).unwrap();
        assert_eq!(chip.try_in_ram(&mut *link, &finding, &image).unwrap(), Trial::Leaving);
        drop(link);
        bus.clock().sleep(std::time::Duration::from_secs(2));
        let now = bus.scan().unwrap().remove(0);
        let identity = recover::chip::Identity::of(&now);
        assert_eq!(image.identity.unwrap().differences(&identity), Vec::<String>::new());
        // The silicon answers A0 whatever runs: the firmware under its own ids lets us in.
        let mut link = bus.open(&now).unwrap();
        let finding = chip.probe(&mut *link, &now).unwrap();
        let mut memory = chip.open_memory(&mut *link, &now, &finding).unwrap();
        assert_eq!(memory.read(0..64).unwrap(), [0xff; 64]);
        assert_eq!(bus.eeprom(&SimBus::scenario_port()), before, "{name}");
        assert_eq!(chip.restart_way(finding.model), Restart::ByPower);
    }
}

/// The pipes of a disk, and a command over them.
fn disk(name: &str) -> (SimBus, Box<dyn recover::usb::Link>, Pipes) {
    let mut bus = SimBus::with_scenario(scenario(name));
    let image = scenario(name).factory_image();
    bus.load_eeprom(&SimBus::scenario_port(), image);
    bus.replug(&SimBus::scenario_port());
    bus.wait_for_enumeration(&SimBus::scenario_port());
    let seen = bus.scan().unwrap().remove(0);
    let pipes = Pipes::of(&seen).unwrap();
    let link = bus.open(&seen).unwrap();
    (bus, link, pipes)
}

#[test]
fn the_simulated_enclosures_firmware_is_a_disk_that_can_be_read() {
    for name in [
        "ezusb-blank",
        "ezusb-fx2-blank",
        "ezusb-fx1-zeroed",
        "ezusb-fx-half-written",
        "ezusb-an2131-blank",
    ] {
        let (bus, mut link, pipes) = disk(name);
        let mut bot = Bot::new(&mut *link, pipes);
        let inquiry = bot.inquiry().unwrap();
        assert!(inquiry.to_string().contains("DISK (virtual)"), "{name}: {inquiry}");
        assert_eq!(bot.test_unit_ready().unwrap(), None);
        assert_eq!(bot.read_capacity().unwrap().bytes(), 64 * 512);
        let second = std::time::Duration::from_secs(1);
        for (first, count) in [(0_u8, 1_u8), (61, 3), (5, 8)] {
            let read = [0x28, 0, 0, 0, 0, first, 0, 0, count, 0];
            let done = bot.command(&read, Data::In(512 * u32::from(count)), second).unwrap();
            let expected: Vec<u8> =
                (first..first + count).flat_map(|sector| [sector; 512]).collect();
            assert!(done.passed && done.data == expected, "{name}");
        }
        // Refused, each with its sense; the disk is there for the next command.
        for (command, data, sense) in [
            (vec![0x28, 0, 0, 0, 0, 64, 0, 0, 1, 0], Data::In(512), [0x05, 0x21]),
            (vec![0x28, 0, 0, 0, 1, 0, 0, 0, 1, 0], Data::In(512), [0x05, 0x21]),
            (vec![0x12, 1, 0x80, 0, 36, 0], Data::In(36), [0x05, 0x24]),
            (vec![0xa1, 0, 0, 0, 0, 0], Data::None, [0x05, 0x20]),
            (vec![0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0], Data::Out(&[7; 512]), [0x07, 0x27]),
        ] {
            let done = bot.command(&command, data, second).unwrap();
            assert!(!done.passed, "{name} {command:02x?}");
            let sense_wanted = [0x03, 0, 0, 0, 18, 0];
            let told = bot.command(&sense_wanted, Data::In(18), second).unwrap();
            assert_eq!([told.data[2] & 0x0f, told.data[12]], sense, "{name} {command:02x?}");
        }
        // More than there is: the rest is a residue.
        let capacity = [0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let long = bot.command(&capacity, Data::In(252), second).unwrap();
        assert!(long.passed && long.data.len() == 8, "{name}");
        assert_eq!(bus.diagnostics(&SimBus::scenario_port()), [], "{name}");
    }
}

#[test]
fn a_rescue_of_a_disk_ends_with_its_answer_and_one_of_ids_asks_nobody() {
    let (_, outcome) = rescue("ezusb-blank");
    let answer = outcome.drive.unwrap().to_string();
    assert!(answer.contains("DISK (virtual)") && answer.ends_with("answers"), "{answer}");
    let mut desk = Desk::new(scenario("ezusb-blank"));
    let ids = [0xc0, 0x50, 0x1d, 0xb5, 0x60, 0x01, 0x00, 0x01];
    let outcome = desk.rescue(&with_image("ids.iic", &ids));
    assert_eq!(outcome.drive, Some(DriveAnswer::NotAsked));
}

#[test]
fn sixteen_kilobytes_take_a_write_cycle_a_page_and_hardly_longer() {
    let chip = family("ezusb").unwrap();
    let mut bus = SimBus::with_scenario(scenario("ezusb-zeroed"));
    let seen = bus.scan().unwrap().remove(0);
    let mut link = bus.open(&seen).unwrap();
    let finding = chip.probe(&mut *link, &seen).unwrap();
    let mut memory = chip.open_memory(&mut *link, &seen, &finding).unwrap();
    memory.assume_size(0x4000);
    memory.read(0..256).unwrap();
    assert_eq!(memory.layout().costs.byte, std::time::Duration::from_nanos(22_500));
    let clock = bus.clock();
    let began = clock.now();
    for at in (0..0x4000_u32).step_by(4096) {
        let bytes: Vec<u8> = (0..4096_u32).map(|n| ((n + at) * 7 % 251) as u8).collect();
        memory.write(at, &bytes).unwrap();
    }
    let took = clock.now() - began;
    assert_eq!(memory.write_cycles(), 256);
    // A page: START, three bytes, 64 of data, each nine clocks; then the write cycle.
    let page =
        std::time::Duration::from_nanos(2500) * 9 * (3 + 64) + std::time::Duration::from_millis(5);
    let ratio = took.as_secs_f64() / (page * 256).as_secs_f64();
    eprintln!("16 KiB into a 24LC128: {took:?}, {ratio:.3} of the physical limit");
    assert!(ratio <= 1.10, "{ratio}");
}
