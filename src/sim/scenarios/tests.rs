//! Every scenario is what its story says.

use super::*;
use crate::sim::SimBus;
use std::time::Duration;

use crate::usb::{Bus, ClassCode, Transfer, TransferError};

const BLANK_SL11R: Ids = Ids::new(0x04CE, 0x07D1);
const BLANK_EZ: Ids = Ids::new(0x04B4, 0x7200);

#[test]
fn names_are_unique_and_the_default_is_one_of_them() {
    for (index, one) in scenarios().iter().enumerate() {
        assert!(scenarios()[..index].iter().all(|other| other.name != one.name), "{}", one.name);
        assert!(one.faults.parse::<Faults>().is_ok());
        assert!(one.part.is_none_or(|name| part(name).is_some()));
        assert!(twin(one.model, &[], 0xFF).is_some());
        assert!(one.story.len() > 30 && !one.title.is_empty());
    }
    assert!(scenario(DEFAULT).is_some());
}

#[test]
fn every_scenario_enumerates_as_its_story_says() {
    for scenario in cy16::SCENARIOS {
        let bus = SimBus::with_scenario(scenario);
        let seen = bus.sighting(&SimBus::scenario_port()).expect(scenario.name);
        let blank = if scenario.model == "sl11r" { BLANK_SL11R } else { BLANK_EZ };
        let expected = match scenario.content {
            Content::Factory if scenario.model == "sl11r" => Ids::new(0x04CE, 0x0002),
            Content::Factory => Ids::new(0x04B4, 0x7201),
            Content::Foreign => Ids::new(0x0BF6, 0xA002),
            _ => scenario.ids.unwrap_or(blank),
        };
        assert_eq!(seen.ids, expected, "{}", scenario.name);
        assert_eq!(bus.diagnostics(&SimBus::scenario_port()), [], "{}", scenario.name);
    }
}

#[test]
fn a_healthy_enclosure_presents_itself_whole() {
    let bus = SimBus::with_scenario(scenario("sl11r-healthy").unwrap());
    let seen = bus.sighting(&SimBus::scenario_port()).unwrap();
    assert_eq!(seen.bcd_device, 0x0260);
    assert_eq!(seen.interfaces[0].class, ClassCode::new(8, 6, 0x50));
    assert_eq!(seen.interfaces[0].endpoints.len(), 2);
    assert_eq!(seen.manufacturer.as_deref(), Some("ScanLogic"));
    assert_eq!(seen.product.as_deref(), Some("USBIDE (virtual)"));
    assert_eq!(seen.serial, None);
}

#[test]
fn the_image_does_not_fit_the_small_part_and_fits_the_others() {
    for scenario in scenarios() {
        let Some(part) = scenario.part.and_then(part) else { continue };
        if matches!(scenario.defect, Defect::Strapped(_)) {
            continue;
        }
        let fits = scenario.factory_image().len() <= part.bytes as usize;
        let refused = scenario.expectation == Expectation::Refused(Ending::unchanged("R105"));
        assert_eq!(fits, !refused, "{}", scenario.name);
    }
}

fn inquiry() -> Transfer {
    let mut data = b"USBC\x01\0\0\0\x24\0\0\0\x80\0\x06\x12\0\0\0\x24".to_vec();
    data.resize(31, 0);
    Transfer::BulkOut { endpoint: 1, data, timeout: Duration::from_secs(1) }
}

fn bulk_in(length: usize) -> Transfer {
    Transfer::BulkIn { endpoint: 0x82, length, timeout: Duration::from_secs(1) }
}

#[test]
fn the_drive_behind_a_healthy_enclosure_says_who_it_is() {
    for (name, drive) in [("sl11r-healthy", "CRX100E"), ("ez-otg-healthy", "DISK")] {
        let mut bus = SimBus::with_scenario(scenario(name).unwrap());
        let seen = bus.sighting(&SimBus::scenario_port()).unwrap();
        let mut link = bus.open(&seen).unwrap();
        link.exchange(&inquiry()).unwrap();
        let data = link.exchange(&bulk_in(36)).unwrap().data;
        assert!(String::from_utf8_lossy(&data).contains(drive), "{name}");
        assert_eq!(link.exchange(&bulk_in(13)).unwrap().data[12], 0);
        assert_eq!(link.exchange(&bulk_in(13)), Err(TransferError::TimedOut));
    }
}

#[test]
fn no_drive_answers_through_a_mask_rom() {
    let mut bus = SimBus::with_scenario(scenario(DEFAULT).unwrap());
    let seen = bus.sighting(&SimBus::scenario_port()).unwrap();
    let mut link = bus.open(&seen).unwrap();
    assert_eq!(link.exchange(&inquiry()), Err(TransferError::TimedOut));
}

#[test]
fn the_at2lps_are_blank_or_at_work_as_their_stories_say() {
    for scenario in at2lp::SCENARIOS {
        let bus = SimBus::with_scenario(scenario);
        let seen = bus.sighting(&SimBus::scenario_port()).expect(scenario.name);
        let class = seen.interfaces[0].class;
        let ids = match scenario.content {
            Content::Foreign => Ids::new(0x1209, 0x6830),
            _ => Ids::new(0x04B4, 0x6830),
        };
        assert_eq!(seen.ids, ids, "{}", scenario.name);
        let healthy = matches!(scenario.expectation, Expectation::Untouched(_));
        assert_eq!(class, ClassCode::new(if healthy { 8 } else { 0xFF }, 6, 0x50));
    }
}

#[test]
fn the_corrupted_at2_shows_what_was_seen_in_the_field() {
    let bus = SimBus::with_scenario(scenario("at2-corrupted").unwrap());
    let seen = bus.sighting(&SimBus::scenario_port()).unwrap();
    assert_eq!((seen.ids, seen.bcd_device), (Ids::new(0x04B4, 0x6830), 0x0001));
    let strings = [&seen.manufacturer, &seen.product, &seen.serial];
    assert_eq!(strings.map(|text| text.as_deref()), [Some(""), Some(""), Some("D")]);
    let addresses: Vec<_> = seen.interfaces[0].endpoints.iter().map(|end| end.address).collect();
    assert_eq!(addresses, [0x02, 0x86]);
}

#[test]
fn a_cut_off_or_older_block_is_on_the_bus_only_while_areset_is_low() {
    for name in ["at2lp-half-written", "at2lp-mm-image"] {
        let bus = SimBus::with_scenario(scenario(name).unwrap());
        let port = SimBus::scenario_port();
        assert!(bus.sighting(&port).is_some(), "{name}");
        bus.replug(&port);
        bus.wait_for_enumeration(&port);
        assert_eq!(bus.sighting(&port), None, "{name}");
    }
}
