//! The rules of the bus, on a device that is well understood.

use super::*;
use crate::sim::faults::Fault;
use crate::sim::scenarios::scenario;

struct Bench {
    bus: SimBus,
    port: PortPath,
}

fn bench() -> Bench {
    let bus = SimBus::with_scenario(scenario("sl11r-zeroed").unwrap());
    Bench { bus, port: SimBus::scenario_port() }
}

fn read() -> Transfer {
    Transfer::vendor_in(0xFF, 7, 0, 16)
}

impl Bench {
    fn link(&mut self) -> Box<dyn Link> {
        let seen = self.bus.sighting(&self.port).unwrap();
        self.bus.open(&seen).unwrap()
    }

    fn with(faults: Faults) -> (Self, Box<dyn Link>) {
        let mut bench = bench();
        bench.bus.set_faults(&bench.port, faults);
        let link = bench.link();
        (bench, link)
    }
}

#[test]
fn a_replugged_device_is_away_for_its_time_and_comes_back_as_another() {
    let mut bench = bench();
    let before = bench.bus.scan().unwrap();
    let mut link = bench.link();
    bench.bus.replug(&bench.port);
    assert_eq!(bench.bus.scan().unwrap(), []);
    assert_eq!(link.exchange(&read()), Err(TransferError::Gone));
    bench.bus.clock().sleep(Duration::from_secs(1));
    let after = bench.bus.scan().unwrap();
    assert_eq!(after.len(), 1);
    assert_ne!(after[0].device_number, before[0].device_number);
    assert_eq!(bench.bus.open(&before[0]).err(), Some(BusError::Left(bench.port.clone())));
    assert_eq!(link.exchange(&read()), Err(TransferError::Gone));
    assert!(bench.link().exchange(&read()).is_ok());
}

#[test]
fn a_port_reset_keeps_the_number_of_an_unchanged_device() {
    let mut bench = bench();
    let mut link = bench.link();
    let seen = bench.bus.scan().unwrap().remove(0);
    bench.bus.reset(&seen).unwrap();
    assert_eq!(bench.bus.scan().unwrap(), std::slice::from_ref(&seen));
    assert!(link.exchange(&read()).is_ok());
    bench.bus.unplug(&bench.port);
    assert_eq!(bench.bus.reset(&seen), Err(BusError::Left(bench.port.clone())));
}

#[test]
fn several_devices_are_listed_in_port_order_and_do_not_disturb_each_other() {
    let mut bench = bench();
    let other = PortPath::new(1, vec![4, 2]);
    let device = scenario("ez-otg-blank").unwrap().device();
    bench.bus.plug_in(other.clone(), device, Faults::none());
    let seen = bench.bus.scan().unwrap();
    let ports: Vec<_> = seen.iter().map(|seen| seen.port.clone()).collect();
    assert_eq!(ports, [other.clone(), bench.port.clone()]);
    assert_ne!(seen[0].device_number, seen[1].device_number);
    bench.bus.unplug(&other);
    assert_eq!(bench.bus.scan().unwrap().len(), 1);
    assert_eq!(bench.bus.sighting(&other), None);
}

#[test]
fn looking_at_the_bus_takes_time() {
    let mut bench = bench();
    let before = bench.bus.virtual_time();
    bench.bus.scan().unwrap();
    assert!(bench.bus.virtual_time() > before);
}

#[test]
fn a_transfer_takes_its_time_on_the_wire() {
    let mut bench = bench();
    let mut link = bench.link();
    let before = bench.bus.virtual_time();
    link.exchange(&Transfer::vendor_in(0xFF, 7, 0, 1024)).unwrap();
    let took = (bench.bus.virtual_time() - before).as_micros();
    assert!((3_000..30_000).contains(&took), "{took} us");
}

#[test]
fn transfers_are_counted_over_all_links_and_logged_when_asked() {
    let mut bench = bench();
    bench.bus.keep_log(&bench.port);
    for _ in 0..3 {
        bench.link().exchange(&read()).unwrap();
    }
    assert_eq!(bench.bus.transfers(&bench.port), 3);
    let log = bench.bus.log(&bench.port);
    assert_eq!(log.len(), 3);
    assert!(log[0].contains("control in c0 ff") && log[0].ends_with("16 bytes"), "{}", log[0]);
}

#[test]
fn an_unplug_takes_the_device_until_somebody_plugs_it_in() {
    let (bench, mut link) = Bench::with("unplug@2".parse().unwrap());
    assert!(link.exchange(&read()).is_ok());
    assert_eq!(link.exchange(&read()), Err(TransferError::Gone));
    bench.bus.clock().sleep(Duration::from_secs(60));
    assert_eq!(bench.bus.sighting(&bench.port), None);
    bench.bus.plug(&bench.port);
    bench.bus.clock().sleep(Duration::from_secs(1));
    assert!(bench.bus.sighting(&bench.port).is_some());
}

#[test]
fn an_unplug_may_come_after_its_transfer() {
    let (bench, mut link) = Bench::with("unplug@1+50ms".parse().unwrap());
    assert!(link.exchange(&read()).is_ok());
    assert!(bench.bus.sighting(&bench.port).is_some());
    bench.bus.clock().sleep(Duration::from_millis(51));
    assert_eq!(bench.bus.sighting(&bench.port), None);
    assert_eq!(link.exchange(&read()), Err(TransferError::Gone));
}

#[test]
fn each_fault_hits_its_transfer_and_the_next_one_is_well() {
    let good = bench().link().exchange(&read()).unwrap();
    for (fault, expected) in [
        (Fault::Stall, Err(TransferError::Stall)),
        (Fault::TimeOut, Err(TransferError::TimedOut)),
        (Fault::Short, Ok(8)),
        (Fault::FlippedBit, Ok(16)),
    ] {
        let (bench, mut link) = Bench::with(Faults::at(1, fault));
        let before = bench.bus.virtual_time();
        let reply = link.exchange(&read());
        if let Ok(reply) = &reply {
            assert_ne!(reply, &good, "{fault:?}");
        }
        assert_eq!(reply.map(|reply| reply.data.len()), expected, "{fault:?}");
        if fault == Fault::TimeOut {
            let waited = bench.bus.virtual_time() - before;
            assert_eq!(waited, read().timeout());
        }
        assert_eq!(link.exchange(&read()), Ok(good.clone()), "{fault:?}");
    }
}

#[test]
fn a_flipped_bit_is_one_bit() {
    let good = bench().link().exchange(&read()).unwrap().data;
    let (_bench, mut link) = Bench::with(Faults::at(1, Fault::FlippedBit));
    let bad = link.exchange(&read()).unwrap().data;
    let differing: u32 = good.iter().zip(&bad).map(|(a, b)| (a ^ b).count_ones()).sum();
    assert_eq!(differing, 1);
}

#[test]
fn a_short_write_never_reaches_the_device() {
    let (bench, mut link) = Bench::with(Faults::at(1, Fault::Short));
    let record = vec![0xB6, 0xC3, 4, 0, 8, 0x40, 0, 0, 0x55, 0, 0];
    let write = Transfer::vendor_out(0xFF, 8, 0, record);
    assert_eq!(link.exchange(&write), Err(TransferError::Short { sent: 5, length: 11 }));
    bench.bus.clock().sleep(Duration::from_secs(1));
    assert_eq!(bench.bus.eeprom(&bench.port).unwrap().wear.cycles, 0);
    link.exchange(&write).unwrap();
    assert_eq!(bench.bus.eeprom(&bench.port).unwrap().bytes[0], 0x55);
}

#[test]
fn two_runs_are_equal_to_the_nanosecond() {
    let run = || {
        let (bench, mut link) = Bench::with(Faults::seeded(7));
        let replies: Vec<_> = (0..200).map(|_| link.exchange(&read())).collect();
        (replies, bench.bus.virtual_time())
    };
    assert_eq!(run(), run());
}

#[test]
fn a_transfer_without_a_time_limit_ends_with_time_itself() {
    let mut bench = bench();
    let mut link = bench.link();
    let forever = Transfer::BulkIn { endpoint: 0x82, length: 13, timeout: Duration::MAX };
    assert_eq!(link.exchange(&forever), Err(TransferError::TimedOut));
    bench.bus.replug(&bench.port);
    assert!(bench.bus.scan().is_ok());
}
