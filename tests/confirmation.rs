//! What is checked while a memory is written and after it, and what is said when a check fails.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::cast::{Cast, Flag, Hands, Tampered, Watching, is_restart, swap_part};
use crate::support::{Desk, port, scenario, simulated, with_profile};
use recover::chip::Identity;
use recover::executor::{Event, Request};
use recover::failure::{Code, DeviceState};
use recover::rescue::Verdict;
use recover::sim::Scenario;
use recover::sim::scenarios::Defect;
use recover::usb::{ClassCode, Ids, Link, PortPath, Transfer, TransferError};

fn identity() -> Identity {
    Identity {
        ids: Ids::new(0x04ce, 0x0002),
        bcd_device: Some(0x0260),
        interface_class: Some(ClassCode { class: 8, subclass: 6, protocol: 0x50 }),
        manufacturer: Some("maker".to_owned()),
        product: Some("product".to_owned()),
        serial: Some("0001".to_owned()),
    }
}

#[test]
fn each_of_the_six_fields_of_an_identity_is_compared() {
    let whole = identity();
    assert_eq!(whole.differences(&whole), Vec::<String>::new());
    let class = Some(ClassCode { class: 8, subclass: 6, protocol: 0x51 });
    let text = Some("other".to_owned());
    let others = [
        ("ids", Identity { ids: Ids::new(0x04ce, 0x0003), ..identity() }),
        ("bcdDevice", Identity { bcd_device: Some(0x0261), ..identity() }),
        ("interface class", Identity { interface_class: class, ..identity() }),
        ("manufacturer", Identity { manufacturer: text.clone(), ..identity() }),
        ("product", Identity { product: text.clone(), ..identity() }),
        ("serial", Identity { serial: text, ..identity() }),
        ("bcdDevice", Identity { bcd_device: None, ..identity() }),
        ("interface class", Identity { interface_class: None, ..identity() }),
        ("manufacturer", Identity { manufacturer: None, ..identity() }),
        ("product", Identity { product: None, ..identity() }),
        ("serial", Identity { serial: None, ..identity() }),
    ];
    for (field, other) in others {
        let found = whole.differences(&other);
        assert_eq!(found.len(), 1, "{field}: {found:?}");
        assert!(found.iter().all(|phrase| phrase.starts_with(field)), "{field}: {found:?}");
    }
}

#[test]
fn what_an_identity_does_not_promise_is_not_compared() {
    let bare = Identity {
        ids: identity().ids,
        bcd_device: None,
        interface_class: None,
        manufacturer: None,
        product: None,
        serial: None,
    };
    assert_eq!(bare.differences(&identity()), Vec::<String>::new());
}

fn at_restart(mut act: impl FnMut() + 'static) -> Watching<impl FnMut(&Event)> {
    Watching(move |event: &Event| {
        if is_restart(event) {
            act();
        }
    })
}

#[test]
fn a_device_that_comes_back_as_another_is_not_called_rescued() {
    let desk = Desk::new(scenario("sl11r-zeroed"));
    let restarted = Flag::default();
    let mut bus = Tampered::new(&desk.bus);
    let disguise = restarted.clone();
    bus.show = Box::new(move |seen| {
        if disguise.is_set() {
            seen.product = Some("another".to_owned());
        }
    });
    let observer = Box::new(at_restart(move || restarted.set()));
    let outcome = Cast { bus: Box::new(bus), observer, ..Cast::usual(&desk) }
        .rescue(&desk, &Request::default());
    let failure = outcome.failure.unwrap();
    assert_eq!(failure.code, Code::R112, "{failure}");
    assert_eq!(failure.device, DeviceState::Written);
    // Its old contents were zeros, which are no way back.
    assert!(failure.next.iter().all(|next| !next.contains("recover restore")), "{failure}");
}

#[test]
fn a_device_that_stays_in_boot_mode_is_not_called_rescued() {
    let desk = Desk::new(scenario("sl11r-zeroed"));
    let bus = desk.bus.clone();
    let observer = Box::new(at_restart(move || swap_part(&bus, &[])));
    let outcome = Cast { observer, ..Cast::usual(&desk) }.rescue(&desk, &Request::default());
    let failure = outcome.failure.unwrap();
    assert_eq!(failure.code, Code::R114, "{failure}");
    assert_eq!(failure.device, DeviceState::Written);
}

#[test]
fn hands_that_do_nothing_are_no_restart() {
    for name in ["sl11r-zeroed", "ezusb-blank"] {
        let scenario = scenario(name);
        let desk = Desk::new(scenario);
        let operator = Box::new(Hands(|_: &PortPath| ()));
        let request = with_profile(&simulated(scenario.model));
        let outcome = Cast { operator, ..Cast::usual(&desk) }.rescue(&desk, &request);
        let failure = outcome.failure.unwrap();
        assert_eq!(failure.code, Code::R111, "{name}: {failure}");
    }
}

#[test]
fn a_signature_that_is_not_kept_is_noticed_before_the_restart() {
    let stuck = Scenario { defect: Defect::StuckByte(0), ..*scenario("sl11r-zeroed") };
    let desk = Desk::new(&stuck);
    let restarts = Rc::new(Cell::new(0));
    let count = Rc::clone(&restarts);
    let observer = Box::new(at_restart(move || count.set(count.get() + 1)));
    let outcome = Cast { observer, ..Cast::usual(&desk) }.rescue(&desk, &Request::default());
    let failure = outcome.failure.unwrap();
    assert!(matches!(failure.code, Code::R106 | Code::R107 | Code::R108), "{failure}");
    assert_eq!(failure.device, DeviceState::PartWritten);
    assert_eq!(restarts.get(), 0);
}

#[test]
fn a_byte_that_is_not_kept_ends_the_rescue_before_the_signature() {
    let mut whole = Desk::new(scenario("sl11r-zeroed"));
    whole.rescue(&Request::default());
    let stuck = scenario("sl11r-stuck-byte");
    let mut desk = Desk::new(stuck);
    let outcome = desk.rescue(&Request::default());
    assert_eq!(outcome.failure.unwrap().code, Code::R108);
    assert!(!desk.eeprom().starts_with(stuck.factory_image().get(..2).unwrap()));
    // The run with the byte in it, a few bytes long, is written three times more.
    let maximum = whole.write_cycles() + 3 * 8;
    assert!(desk.write_cycles() <= maximum, "{} of {maximum}", desk.write_cycles());
}

#[test]
fn a_link_that_loses_every_transfer_is_given_up() {
    let desk = Desk::new(scenario("sl11r-zeroed"));
    let jammed = Flag::default();
    let lost = Arc::new(AtomicU32::new(0));
    let mut bus = Tampered::new(&desk.bus);
    let (is_jammed, count) = (jammed.clone(), Arc::clone(&lost));
    bus.exchange = Arc::new(move |link: &mut dyn Link, transfer: &Transfer| {
        if !is_jammed.is_set() {
            return link.exchange(transfer);
        }
        assert!(count.fetch_add(1, Ordering::SeqCst) < 100, "it is never given up");
        Err(TransferError::TimedOut)
    });
    let observer = Box::new(Watching(move |event: &Event| {
        if matches!(event, Event::Progress { work: "write", .. }) {
            jammed.set();
        }
    }));
    let outcome = Cast { bus: Box::new(bus), observer, ..Cast::usual(&desk) }
        .rescue(&desk, &Request::default());
    assert_eq!(outcome.device_state, DeviceState::PartWritten, "{:?}", outcome.failure);
    assert!(lost.load(Ordering::SeqCst) > 0);
}

/// A part that is protected from the middle of the rescue on.
#[test]
fn a_part_that_kept_the_first_writes_only_is_called_part_written() {
    let desk = Desk::new(scenario("sl11r-zeroed"));
    let frozen = Arc::new(std::sync::Mutex::new(None));
    let mut bus = Tampered::new(&desk.bus);
    let (sim, held) = (desk.bus.clone(), Arc::clone(&frozen));
    bus.exchange = Arc::new(move |link: &mut dyn Link, transfer: &Transfer| {
        let reply = link.exchange(transfer);
        if let Some(bytes) = held.lock().unwrap().as_deref() {
            swap_part(&sim, bytes);
        }
        reply
    });
    let sim = desk.bus.clone();
    let observer = Box::new(Watching(move |event: &Event| {
        if matches!(event, Event::Progress { work: "write", .. }) {
            let now = || sim.eeprom(&port()).unwrap().bytes;
            frozen.lock().unwrap().get_or_insert_with(now);
        }
    }));
    let outcome = Cast { bus: Box::new(bus), observer, ..Cast::usual(&desk) }
        .rescue(&desk, &Request::default());
    let failure = outcome.failure.unwrap();
    assert_eq!(failure.code, Code::R106, "{failure}");
    assert_eq!(failure.device, DeviceState::PartWritten);
    assert!(failure.next.iter().any(|next| next.contains("recover restore")), "{failure}");
}

#[test]
fn a_part_that_kept_nothing_is_not_called_part_written() {
    for (name, code) in [("sl11r-write-protected", Code::R106), ("ezusb-wide-at-50", Code::R118)] {
        let scenario = scenario(name);
        let mut desk = Desk::new(scenario);
        let before = desk.eeprom();
        let outcome = desk.rescue(&with_profile(&simulated(scenario.model)));
        let failure = outcome.failure.unwrap();
        assert_eq!((failure.code, failure.device), (code, DeviceState::RunningFromRam), "{name}");
        assert_eq!(desk.eeprom(), before, "{name}");
    }
}

#[test]
fn an_undisturbed_rescue_is_called_restored() {
    let desk = Desk::new(scenario("sl11r-zeroed"));
    let outcome = Cast::usual(&desk).rescue(&desk, &Request::default());
    assert_eq!(outcome.result, Verdict::Rescued, "{:?}", outcome.failure);
    assert_eq!(outcome.device_state, DeviceState::Restored);
}
