//! Every scenario is what its story says.

use super::*;
use crate::sim::SimBus;
use crate::usb::ClassCode;

const BLANK_SL11R: Ids = Ids::new(0x04CE, 0x07D1);
const BLANK_EZ: Ids = Ids::new(0x04B4, 0x7200);

#[test]
fn names_are_unique_and_the_default_is_one_of_them() {
    for (index, one) in scenarios().iter().enumerate() {
        assert!(scenarios()[..index].iter().all(|other| other.name != one.name), "{}", one.name);
        assert!(one.faults.parse::<Faults>().is_ok());
        assert!(one.part.is_none_or(|name| part(name).is_some()));
        assert!(profile(one.model).is_some());
        assert!(one.story.len() > 30 && !one.title.is_empty());
    }
    assert!(scenario(DEFAULT).is_some());
}

#[test]
fn every_scenario_enumerates_as_its_story_says() {
    for scenario in scenarios() {
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
        let fits = scenario.factory_image().len() <= part.bytes as usize;
        assert_eq!(fits, scenario.expectation != Expectation::Refused(Refusal::TooBig));
    }
}
