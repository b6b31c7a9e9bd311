//! The cy16 family against the virtual chips: what the probe proves, what the memories read and
//! write, what an image promises and a restart brings.

#![expect(clippy::unwrap_used, reason = "a test ends where its helper fails")]

use std::time::Duration;

use recover::chip::{
    Chip, ChipError, Finding, Identity, Memory, MemoryError, Model, Restart, Running, Trial,
    family, model,
};
use recover::sim::chips::cy16::{Cy16, EZ_OTG, SL11R, Unknowns};
use recover::sim::parts::{Eeprom, part};
use recover::sim::scenarios::{Content, Defect};
use recover::sim::{Fault, Faults, Scenario, SimBus, scenario, scenarios};
use recover::usb::{Bus, Ids, Link, Sighting};

fn cy16() -> &'static dyn Chip {
    family("cy16").unwrap()
}

fn cy16_scenarios() -> impl Iterator<Item = &'static Scenario> {
    scenarios().iter().filter(|one| model(one.model).is_some_and(|(_, m)| m.family == "cy16"))
}

fn seen_on(bus: &SimBus) -> Sighting {
    bus.sighting(&SimBus::scenario_port()).unwrap()
}

fn open(bus: &SimBus) -> (Box<dyn Link>, Sighting) {
    let seen = seen_on(bus);
    (bus.clone().open(&seen).unwrap(), seen)
}

fn proven(bus: &SimBus) -> (Box<dyn Link>, Finding) {
    let (mut link, seen) = open(bus);
    let finding = cy16().probe(&mut *link, &seen).unwrap();
    (link, finding)
}

fn eeprom(bus: &SimBus) -> Vec<u8> {
    bus.eeprom(&SimBus::scenario_port()).unwrap().bytes
}

/// Writes all of `image` in spans, the way the executor does.
fn write_all(memory: &mut dyn Memory, image: &[u8]) -> Result<(), MemoryError> {
    let span = usize::try_from(memory.layout().largest_write).unwrap();
    for (number, bytes) in image.chunks(span).enumerate() {
        memory.write(u32::try_from(number * span).unwrap(), bytes)?;
    }
    Ok(())
}

#[test]
fn every_scenario_is_proven_as_the_chip_it_is() {
    for one in cy16_scenarios() {
        let bus = SimBus::with_scenario(one);
        let before = bus.eeprom(&SimBus::scenario_port());
        let (_link, finding) = proven(&bus);
        // An EZ-Host cannot be told from an EZ-OTG.
        let expected = if one.model == "ez-host" { "ez-otg" } else { one.model };
        assert_eq!(finding.model.name, expected, "{}", one.name);
        let runs_firmware = matches!(one.content, Content::Factory | Content::Foreign);
        let running = if runs_firmware { Running::Firmware } else { Running::MaskRom };
        assert_eq!(finding.running, running, "{}", one.name);
        assert!(finding.evidence.len() >= 4, "{:?}", finding.evidence);
        assert_eq!(bus.eeprom(&SimBus::scenario_port()), before, "{}", one.name);
        assert_eq!(bus.diagnostics(&SimBus::scenario_port()), [], "{}", one.name);
    }
}

#[test]
fn every_memory_that_answers_is_read_as_it_is() {
    for one in cy16_scenarios() {
        let bus = SimBus::with_scenario(one);
        let (mut link, finding) = proven(&bus);
        let is_ez = one.model != "sl11r";
        if one.defect == Defect::Dead || one.part.is_none() {
            let opened = cy16().open_memory(&mut *link, &seen_on(&bus), &finding).map(|_| ());
            // The SL11R's BIOS reports no missing acknowledge: a dead part reads as FF.
            assert_eq!(
                opened,
                if is_ez { Err(ChipError::NoMemory) } else { Ok(()) },
                "{}",
                one.name
            );
            continue;
        }
        let mut memory = cy16().open_memory(&mut *link, &seen_on(&bus), &finding).unwrap();
        let cells = eeprom(&bus);
        let length = u32::try_from(cells.len()).unwrap();
        assert!(
            length >= memory.layout().extent.minimum() && length <= memory.layout().extent.end()
        );
        assert_eq!(memory.read(0..length).unwrap(), cells, "{}", one.name);
        if length * 2 <= memory.layout().extent.end() {
            assert_eq!(memory.read(length..length * 2).unwrap(), cells, "{} wraps", one.name);
        }
        assert_eq!(memory.write_cycles(), 0);
        drop(memory);
        assert_eq!(bus.diagnostics(&SimBus::scenario_port()), [], "{}", one.name);
    }
}

#[test]
fn a_factory_image_that_is_written_comes_up_as_the_identity_it_promises() {
    for name in
        ["sl11r-zeroed", "sl11r-slow-eeprom", "ez-otg-blank", "ez-otg-zeroed", "ez-otg-small"]
    {
        let one = scenario(name).unwrap();
        let bus = SimBus::with_scenario(one);
        let (mut link, finding) = proven(&bus);
        let image = cy16().read_image(finding.model, one.factory_image()).unwrap();
        let size = u32::try_from(eeprom(&bus).len()).unwrap();
        let mut memory = cy16().open_memory(&mut *link, &seen_on(&bus), &finding).unwrap();
        memory.assume_size(size);
        memory.read(0..size).unwrap();
        write_all(&mut *memory, image.start()).unwrap();
        let length = u32::try_from(image.start().len()).unwrap();
        assert_eq!(memory.read(0..length).unwrap(), image.start(), "{name}");
        let cycles = memory.write_cycles();
        drop(memory);
        let state = bus.eeprom(&SimBus::scenario_port()).unwrap();
        assert!(state.bytes.starts_with(image.start()), "{name}");
        assert_eq!(u64::from(cycles), state.wear.cycles, "{name}");
        match cy16().restart_way(finding.model) {
            Restart::ByRequest => cy16().restart(&mut *link, finding.model).unwrap(),
            Restart::ByPower => bus.replug(&SimBus::scenario_port()),
        }
        drop(link);
        bus.clock().sleep(Duration::from_secs(10));
        let now = Identity::of(&seen_on(&bus));
        let promised = image.identity.expect("the factory image holds its descriptors");
        assert_eq!(promised.differences(&now), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_memory_that_keeps_nothing_is_found_out_by_the_loader_or_by_reading() {
    for name in [
        "ez-otg-write-protected",
        "sl11r-write-protected",
        "sl11r-lying-writes",
        "sl11r-stuck-byte",
    ] {
        let one = scenario(name).unwrap();
        let bus = SimBus::with_scenario(one);
        let (mut link, finding) = proven(&bus);
        let mut memory = cy16().open_memory(&mut *link, &seen_on(&bus), &finding).unwrap();
        let bytes: Vec<u8> = one.factory_image().iter().copied().take(128).collect();
        match write_all(&mut *memory, &bytes) {
            Err(MemoryError::NotKept { address: 0, expected: 0xb6, got: 0xff }) => {
                assert_eq!(finding.model.name, "ez-otg");
            }
            Ok(()) => {
                assert_eq!(finding.model.name, "sl11r", "{name}");
                assert_ne!(memory.read(0..128).unwrap(), bytes, "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn an_ez_reads_large_parts_at_the_fast_clock_and_writes_whole_pages() {
    let bus = SimBus::with_scenario(scenario("ez-otg-blank").unwrap());
    let (mut link, finding) = proven(&bus);
    let mut memory = cy16().open_memory(&mut *link, &seen_on(&bus), &finding).unwrap();
    memory.assume_size(16 * 1024);
    memory.read(0..1024).unwrap();
    assert!(memory.layout().costs.byte < Duration::from_micros(30), "{:?}", memory.layout());
    assert_eq!(memory.layout().unit, 64);
    let bytes: Vec<u8> = (0..1024_u32).map(|i| u8::try_from((i * 3) & 0xff).unwrap()).collect();
    memory.write(0x400, &bytes).unwrap();
    assert_eq!(memory.write_cycles(), 16);
    assert_eq!(memory.read(0x400..0x800).unwrap(), bytes);
}

#[test]
fn an_image_that_is_tried_in_ram_shows_its_identity_and_leaves_the_memory_alone() {
    for name in ["sl11r-zeroed", "ez-otg-blank"] {
        let one = scenario(name).unwrap();
        let bus = SimBus::with_scenario(one);
        let (mut link, finding) = proven(&bus);
        let image = cy16().read_image(finding.model, one.factory_image()).unwrap();
        let before = bus.eeprom(&SimBus::scenario_port());
        match cy16().try_in_ram(&mut *link, &finding, &image).unwrap() {
            Trial::Started | Trial::Leaving => {
                drop(link);
                let seen = seen_on(&bus);
                bus.clone().reset(&seen).unwrap();
                bus.clock().sleep(Duration::from_secs(5));
                let now = Identity::of(&seen_on(&bus));
                let promised = image.identity.unwrap();
                assert_eq!(promised.differences(&now), Vec::<String>::new(), "{name}");
            }
            Trial::NotOffered(why) => panic!("{name}: {why}"),
        }
        assert_eq!(bus.eeprom(&SimBus::scenario_port()), before, "{name}");
    }
}

#[test]
fn a_healthy_enclosure_is_read_without_being_changed() {
    for name in ["sl11r-healthy", "sl11r-foreign", "ez-otg-healthy"] {
        let one = scenario(name).unwrap();
        let bus = SimBus::with_scenario(one);
        let (mut link, finding) = proven(&bus);
        let before = eeprom(&bus);
        let mut memory = cy16().open_memory(&mut *link, &seen_on(&bus), &finding).unwrap();
        let length = u32::try_from(before.len()).unwrap();
        let contents = memory.read(0..length).unwrap();
        assert_eq!(contents, before, "{name}");
        assert!(cy16().boots_from(finding.model, &contents));
        let image = cy16().image_in_memory(finding.model, &contents).unwrap();
        let now = Identity::of(&seen_on(&bus));
        assert_eq!(image.identity.unwrap().differences(&now), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_memory_is_opened_as_often_as_one_likes() {
    for name in ["sl11r-zeroed", "sl11r-healthy", "ez-otg-zeroed"] {
        let bus = SimBus::with_scenario(scenario(name).unwrap());
        let (mut link, finding) = proven(&bus);
        let cells = eeprom(&bus);
        for _ in 0..12 {
            let mut memory = cy16().open_memory(&mut *link, &seen_on(&bus), &finding).unwrap();
            assert_eq!(memory.read(0..300).unwrap(), cells[..300], "{name}");
        }
        assert_eq!(bus.diagnostics(&SimBus::scenario_port()), [], "{name}");
    }
}

#[test]
fn it_does_not_matter_what_nobody_knows_of_the_mask_rom() {
    let some = Unknowns::default();
    for unknowns in [
        Unknowns { status_before_scan: true, ..some },
        Unknowns { byte_after_request: 0xff, ..some },
        Unknowns { upper_half_after_read: 0, trashes_r2: false, ..some },
        Unknowns { i2c_hz: 20_000, poll_limit_ms: 500, ..some },
    ] {
        for (chip, part_name) in [(&SL11R, "24c16"), (&EZ_OTG, "24lc64")] {
            let part = Eeprom::new(part(part_name).unwrap(), &[]);
            let device = Cy16::new(chip, Some(part)).assuming(unknowns);
            let bus = SimBus::new();
            bus.plug_in(SimBus::scenario_port(), Box::new(device), Faults::none());
            let image: Vec<u8> =
                (0..600_u32).map(|i| u8::try_from((i * 7) & 0xff).unwrap()).collect();
            let (mut link, finding) = proven(&bus);
            let mut memory = cy16().open_memory(&mut *link, &seen_on(&bus), &finding).unwrap();
            write_all(&mut *memory, &image).unwrap();
            assert_eq!(memory.read(0..600).unwrap(), image, "{} {unknowns:?}", chip.name);
            drop(memory);
            assert!(eeprom(&bus).starts_with(&image), "{} {unknowns:?}", chip.name);
        }
    }
}

#[test]
fn what_is_left_of_a_broken_update_is_no_image() {
    for name in ["sl11r-half-written", "sl11r-broken-stream", "ez-otg-half-written", "sl11r-blank"]
    {
        let one = scenario(name).unwrap();
        let contents = eeprom(&SimBus::with_scenario(one));
        let (chip, model): (_, Model) = model(one.model).unwrap();
        assert!(chip.image_in_memory(model, &contents).is_err(), "{name}");
    }
}

/// Probe, open, read, write and restart as far as they go; the bytes read, when all went well.
fn whole_way(bus: &SimBus, image: &[u8]) -> Option<Vec<u8>> {
    let (mut link, seen) = open(bus);
    let finding = cy16().probe(&mut *link, &seen).ok()?;
    let mut memory = cy16().open_memory(&mut *link, &seen, &finding).ok()?;
    let before = memory.read(0..512).ok()?;
    write_all(&mut *memory, image).ok()?;
    let after = memory.read(0..512).ok()?;
    drop(memory);
    let _ = cy16().restart(&mut *link, finding.model);
    (after.starts_with(image) && before.len() == 512).then_some(after)
}

#[test]
fn a_disturbance_of_any_transfer_ends_in_an_error_and_never_in_wrong_bytes() {
    let image: Vec<u8> = (0..512_u32).map(|i| u8::try_from((i * 7 + 1) & 0xff).unwrap()).collect();
    for name in ["sl11r-zeroed", "ez-otg-blank"] {
        let one = scenario(name).unwrap();
        let bus = SimBus::with_scenario(one);
        assert!(whole_way(&bus, &image).is_some(), "{name}");
        let transfers = bus.transfers(&SimBus::scenario_port());
        assert!(transfers > 20, "{name}: {transfers}");
        for number in 1..=transfers {
            for fault in [
                Fault::Stall,
                Fault::TimeOut,
                Fault::Short,
                Fault::FlippedBit,
                Fault::Unplug(Duration::from_micros(300)),
            ] {
                let bus = SimBus::with_scenario(one);
                bus.set_faults(&SimBus::scenario_port(), Faults::at(number, fault));
                let started = bus.virtual_time();
                if whole_way(&bus, &image).is_some() {
                    assert!(eeprom(&bus).starts_with(&image), "{name}: {fault:?}@{number}");
                }
                let took = bus.virtual_time() - started;
                assert!(
                    took < Duration::from_secs(120),
                    "{name}: {fault:?}@{number} took {took:?}"
                );
            }
        }
    }
}

#[test]
fn a_device_that_is_none_of_the_family_s_ids_is_proven_all_the_same() {
    let bus = SimBus::with_scenario(scenario("unlisted-id").unwrap());
    let (_link, finding) = proven(&bus);
    assert_eq!(cy16().recognise(&seen_on(&bus)), None);
    assert_eq!(seen_on(&bus).ids, Ids::new(0x0bf6, 0x9999));
    assert_eq!((finding.model.name, finding.running), ("sl11r", Running::MaskRom));
}
