//! A device that its owner uses is not touched.

use crate::support::{Desk, port, scenario};
use recover::executor::Request;
use recover::failure::{Code, DeviceState};
use recover::usb::{Bus, BusError, PowerError, Use};

#[test]
fn a_device_in_use_is_not_touched_whatever_is_forced() {
    for force in [false, true] {
        let mut desk = Desk::new(scenario("at2lp-rc42"));
        let before = (desk.bus.transfers(&port()), desk.bus.eeprom(&port()));
        desk.bus
            .set_uses(&port(), vec![Use::new("/dev/sdb1 is mounted at /mnt/x", "umount /mnt/x")]);
        let outcome = desk.rescue(&Request { force, ..Request::default() });
        let failure = outcome.failure.expect("it is refused");
        assert_eq!((failure.code, failure.device), (Code::R407, DeviceState::Untouched));
        assert_eq!(failure.next.first().map(String::as_str), Some("`umount /mnt/x`"));
        assert_eq!((desk.bus.transfers(&port()), desk.bus.eeprom(&port())), before);
    }
}

#[test]
fn a_device_in_use_is_neither_reset_nor_switched_off() {
    let desk = Desk::new(scenario("at2lp-rc42"));
    let mut bus = desk.bus.clone();
    let seen = bus.sighting(&port()).expect("it is on the bus");
    bus.set_uses(&port(), vec![Use::new("/dev/sdb1 is mounted at /mnt/x", "umount /mnt/x")]);
    assert!(matches!(bus.reset(&seen), Err(BusError::InUse { .. })));
    let off = bus.power_off(&seen).expect_err("it is refused");
    assert!(matches!(off, PowerError::InUse { .. }));
    assert!(off.to_string().contains("`umount /mnt/x`"), "{off}");
    assert_eq!(bus.sighting(&port()), Some(seen));
}
