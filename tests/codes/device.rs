//! R1xx: the device and its EEPROM.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use recover::executor::{Event, Learning, Request};
use recover::failure::Code;
use recover::sim::scenarios::Defect;
use recover::sim::{Fault, Scenario};
use recover::usb::{Link, PortPath, Reply, Transfer, TransferError};

use crate::cast::{Cast, Exchange, Flag, Hands, Tampered, Watching, is_restart, swap_part};
use crate::codes::case::{Answer, Case};
use crate::support::{Desk, port, scenario, simulated, with_profile};

pub const CASES: &[Case] = &[
    Case { code: Code::R101, what: "an id that is in no table", provoke: || of("unlisted-id") },
    Case { code: Code::R102, what: "answers that no chip gives", provoke: answers_of_nobody },
    Case { code: Code::R103, what: "a board without EEPROM", provoke: || of("ezusb-no-eeprom") },
    Case { code: Code::R105, what: "a small EEPROM", provoke: || of("sl11r-small-eeprom") },
    Case { code: Code::R106, what: "write protection", provoke: || of("ez-otg-write-protected") },
    Case { code: Code::R107, what: "bytes lost here and there", provoke: a_failing_part },
    Case { code: Code::R108, what: "a dead cell", provoke: || of("sl11r-stuck-byte") },
    Case { code: Code::R109, what: "an endless write cycle", provoke: an_endless_write_cycle },
    Case { code: Code::R110, what: "a pulled plug", provoke: a_pulled_plug },
    Case { code: Code::R111, what: "a plug that is not put back", provoke: a_plug_left_out },
    Case { code: Code::R112, what: "another device comes back", provoke: another_comes_back },
    Case { code: Code::R113, what: "every transfer is lost", provoke: every_transfer_is_lost },
    Case { code: Code::R114, what: "a part that forgets", provoke: a_part_that_forgets },
    Case { code: Code::R115, what: "a backup that cannot be read", provoke: an_unreadable_part },
    Case { code: Code::R116, what: "a part that was swapped", provoke: a_swapped_part },
    Case { code: Code::R117, what: "a blank twin", provoke: a_blank_twin },
    Case {
        code: Code::R118,
        what: "a part of the other width",
        provoke: || of("ezusb-wide-at-50"),
    },
    Case { code: Code::R119, what: "a program that hangs", provoke: a_program_that_hangs },
];

/// A rescue of the scenario's device, with its profile where more than one fits.
fn of(name: &str) -> Answer {
    of_scenario(scenario(name))
}

fn of_scenario(scenario: &Scenario) -> Answer {
    Desk::new(scenario).rescue(&request(scenario)).into()
}

fn request(scenario: &Scenario) -> Request {
    match scenario.model {
        "sl11r" | "at2lp" => Request::default(),
        model => with_profile(&simulated(model)),
    }
}

/// A rescue in which that becomes of each transfer.
pub fn tampered(
    name: &str,
    exchange: impl Fn(&mut dyn Link, &Transfer) -> Result<Reply, TransferError> + Send + Sync + 'static,
) -> Answer {
    let desk = Desk::new(scenario(name));
    on(&desk, Arc::new(exchange)).rescue(&desk, &Request::default()).into()
}

fn on(desk: &Desk, exchange: Arc<Exchange>) -> Cast {
    let bus = Tampered { exchange, ..Tampered::new(&desk.bus) };
    Cast { bus: Box::new(bus), ..Cast::usual(desk) }
}

fn answers_of_nobody() -> Answer {
    tampered("sl11r-zeroed", |link, transfer| {
        let mut reply = link.exchange(transfer)?;
        reply.data.fill(0);
        Ok(reply)
    })
}

/// From the moment the chip is proven.
fn every_transfer_is_lost() -> Answer {
    let scenario = scenario("ez-otg-blank");
    let desk = Desk::new(scenario);
    let proven = Flag::default();
    let is_silent = proven.clone();
    let exchange = Arc::new(move |link: &mut dyn Link, transfer: &Transfer| {
        if is_silent.is_set() { Err(TransferError::TimedOut) } else { link.exchange(transfer) }
    });
    let observer = Box::new(Watching(move |event: &Event| {
        if matches!(event, Event::Proven { .. }) {
            proven.set();
        }
    }));
    Cast { observer, ..on(&desk, exchange) }.rescue(&desk, &request(scenario)).into()
}

/// From the reading back on, every transfer spoils other bytes of the part.
fn a_failing_part() -> Answer {
    let desk = Desk::new(scenario("sl11r-blank"));
    let reads_back = Flag::default();
    let (bus, is_failing) = (desk.bus.clone(), reads_back.clone());
    let count = AtomicUsize::new(0);
    let exchange = Arc::new(move |link: &mut dyn Link, transfer: &Transfer| {
        let reply = link.exchange(transfer);
        if is_failing.is_set() {
            let mut bytes = bus.eeprom(&port()).unwrap().bytes;
            let first = count.fetch_add(1, Ordering::SeqCst) % 7;
            bytes.iter_mut().skip(first).step_by(7).for_each(|byte| *byte ^= 0xff);
            bus.load_eeprom(&port(), &bytes);
        }
        reply
    });
    let observer = Box::new(Watching(move |event: &Event| {
        if matches!(event, Event::StepBegun { title, .. } if title.ends_with("and compare")) {
            reads_back.set();
        }
    }));
    Cast { observer, ..on(&desk, exchange) }.rescue(&desk, &Request::default()).into()
}

fn an_endless_write_cycle() -> Answer {
    of_scenario(&Scenario { defect: Defect::Slow(1000), ..*scenario("ez-otg-blank") })
}

/// It loads a program that renumerates and answers nothing.
fn a_program_that_hangs() -> Answer {
    let mut desk = Desk::new(scenario("ezusb-blank"));
    desk.bus.unplug(&port());
    let hangs = include_bytes!("../cases/ezusb-hang-complete/hangs.iic");
    desk.bus.load_eeprom(&port(), hangs);
    desk.bus.plug(&port());
    desk.bus.wait_for_enumeration(&port());
    desk.rescue(&Request::default()).into()
}

fn a_pulled_plug() -> Answer {
    let mut desk = Desk::new(scenario("sl11r-zeroed"));
    desk.disturb(3, Fault::Unplug(Duration::ZERO));
    desk.rescue(&Request::default()).into()
}

fn a_plug_left_out() -> Answer {
    let desk = Desk::new(scenario("sl11r-zeroed"));
    let bus = desk.bus.clone();
    let operator = Box::new(Hands(move |port: &PortPath| bus.unplug(port)));
    Cast { operator, ..Cast::usual(&desk) }.rescue(&desk, &Request::default()).into()
}

/// A rescue in which something is done when the restart begins.
fn at_restart(desk: &Desk, cast: Cast, mut act: impl FnMut() + 'static) -> Answer {
    let observer = Watching(move |event: &Event| {
        if is_restart(event) {
            act();
        }
    });
    Cast { observer: Box::new(observer), ..cast }.rescue(desk, &Request::default()).into()
}

fn another_comes_back() -> Answer {
    let desk = Desk::new(scenario("sl11r-zeroed"));
    let restarted = Flag::default();
    let disguised = restarted.clone();
    let mut bus = Tampered::new(&desk.bus);
    bus.show = Box::new(move |seen| {
        if disguised.is_set() {
            seen.product = Some("another".to_owned());
        }
    });
    let cast = Cast { bus: Box::new(bus), ..Cast::usual(&desk) };
    at_restart(&desk, cast, move || restarted.set())
}

fn a_part_that_forgets() -> Answer {
    let desk = Desk::new(scenario("sl11r-zeroed"));
    let bus = desk.bus.clone();
    at_restart(&desk, Cast::usual(&desk), move || swap_part(&bus, &[]))
}

/// An SL11R is read by a program in its RAM, which an interrupt starts; this one refuses it.
fn an_unreadable_part() -> Answer {
    let desk = Desk::new(scenario("sl11r-zeroed"));
    let exchange = Arc::new(|link: &mut dyn Link, transfer: &Transfer| match transfer {
        Transfer::ControlOut { setup, .. } if setup.request == 0xff && setup.value == 6 => {
            Err(TransferError::Stall)
        }
        _ => link.exchange(transfer),
    });
    on(&desk, exchange).run(&desk, |session| session.backup(&Request::default())).into()
}

fn a_swapped_part() -> Answer {
    let desk = Desk::new(scenario("sl11r-zeroed"));
    let bus = desk.bus.clone();
    let observer = Box::new(Watching(move |event: &Event| {
        if matches!(event, Event::Planned { .. }) {
            swap_part(&bus, &[0x55; 2048]);
        }
    }));
    let request = Request { no_trial: true, ..Request::default() };
    Cast { observer, ..Cast::usual(&desk) }.rescue(&desk, &request).into()
}

fn a_blank_twin() -> Answer {
    let mut desk = Desk::new(scenario("at2lp-rc42"));
    let folder = desk.store.folder("profiles").unwrap();
    let learning = Learning { folder, name: None };
    desk.run(|session| session.learn(&Request::default(), &learning)).into()
}
