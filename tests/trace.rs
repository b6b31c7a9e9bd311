//! A recorded run can be played again, says where a run differs from it, and hides serials.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use recover::clock::Clock;
use recover::usb::trace::{Recorder, Replayer, Serials, TraceError};
use recover::usb::{
    Bus, BusError, ClassCode, Endpoint, Ids, Interface, Link, Reply, Sighting, Speed, Transfer,
    TransferError,
};

const SERIAL: &str = "R0C0FFEE0001";

#[derive(Default)]
struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap();
        self.0.fetch_add(us, Ordering::SeqCst);
    }

    fn date(&self) -> jiff::Timestamp {
        "2026-11-22T10:02:00Z".parse().unwrap()
    }
}

/// Answers control reads from a list, takes every write, and forgets the device on reset.
struct TestBus {
    clock: Arc<TestClock>,
    seen: Vec<Sighting>,
    replies: Arc<Mutex<VecDeque<Result<Reply, TransferError>>>>,
}

struct TestLink {
    clock: Arc<TestClock>,
    replies: Arc<Mutex<VecDeque<Result<Reply, TransferError>>>>,
}

impl Bus for TestBus {
    fn scan(&mut self) -> Result<Vec<Sighting>, BusError> {
        self.clock.sleep(Duration::from_millis(3));
        Ok(self.seen.clone())
    }

    fn open(&mut self, seen: &Sighting) -> Result<Box<dyn Link>, BusError> {
        if !self.seen.contains(seen) {
            return Err(BusError::Left(seen.port.clone()));
        }
        Ok(Box::new(TestLink {
            clock: Arc::clone(&self.clock),
            replies: Arc::clone(&self.replies),
        }))
    }

    fn reset(&mut self, _: &Sighting) -> Result<(), BusError> {
        self.seen.clear();
        Ok(())
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<TestClock>::clone(&self.clock)
    }
}

impl Link for TestLink {
    fn exchange(&mut self, transfer: &Transfer) -> Result<Reply, TransferError> {
        self.clock.sleep(Duration::from_micros(250));
        match transfer {
            Transfer::ControlIn { .. } | Transfer::BulkIn { .. } => {
                self.replies.lock().unwrap().pop_front().unwrap()
            }
            Transfer::ControlOut { .. } | Transfer::BulkOut { .. } => Ok(Reply::default()),
        }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::<TestClock>::clone(&self.clock)
    }
}

fn sighting() -> Sighting {
    Sighting {
        port: "3-2.1".parse().unwrap(),
        device_number: 17,
        ids: Ids::new(0x04b4, 0x7201),
        bcd_device: 0x0100,
        class: ClassCode::new(0, 0, 0),
        manufacturer: Some("recover".to_owned()),
        product: Some("EZ-OTG enclosure".to_owned()),
        serial: Some(SERIAL.to_owned()),
        interfaces: vec![Interface {
            number: 0,
            alternate: 0,
            class: ClassCode::new(8, 6, 0x50),
            endpoints: vec![Endpoint { address: 0x81, kind: 2, max_packet: 64 }],
        }],
        speed: Speed::Full,
        driver: Some("usb-storage".to_owned()),
    }
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn test_bus() -> TestBus {
    let string = [vec![26, 3], wide(SERIAL)].concat();
    let replies = VecDeque::from([
        Ok(Reply { data: vec![0xb6, 0xc3] }),
        Err(TransferError::Stall),
        Ok(Reply { data: string }),
        Err(TransferError::Short { sent: 3, length: 64 }),
    ]);
    TestBus {
        clock: Arc::default(),
        seen: vec![sighting()],
        replies: Arc::new(Mutex::new(replies)),
    }
}

/// Everything a run got to see, with the time at which it saw it.
type Seen = Vec<(Duration, String)>;

/// A run that meets every kind of event and failure; `write` is what it sends.
fn run(bus: &mut dyn Bus, write: &[u8]) -> Seen {
    let clock = bus.clock();
    let mut seen = Vec::new();
    let mut note = |what: String| seen.push((clock.now(), what));
    let found = bus.scan();
    note(format!("{found:?}"));
    let Some(device) = found.ok().and_then(|found| found.first().cloned()) else { return seen };
    match bus.open(&device) {
        Ok(mut link) => {
            for transfer in [
                Transfer::vendor_in(0xff, 7, 0xe000, 2),
                Transfer::vendor_out(0xff, 0, 0, write.to_vec()),
                Transfer::vendor_in(0xff, 7, 0xe000, 4096).within(Duration::from_secs(50)),
                Transfer::vendor_in(6, 0x0303, 0x0409, 255),
                Transfer::BulkOut {
                    endpoint: 1,
                    data: vec![1; 64],
                    timeout: Duration::from_secs(1),
                },
                Transfer::BulkIn { endpoint: 0x81, length: 64, timeout: Duration::from_secs(1) },
            ] {
                note(format!("{:?}", link.exchange(&transfer)));
            }
        }
        Err(error) => note(error.to_string()),
    }
    clock.sleep(Duration::from_millis(100));
    note(format!("{:?}", bus.reset(&device)));
    note(format!("{:?}", bus.open(&device).err()));
    note(format!("{:?}", bus.scan()));
    seen
}

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn recorded(serials: Serials) -> (Seen, String) {
    let paper = Paper::default();
    let mut recorder = Recorder::new(test_bus(), paper.clone(), serials);
    let seen = run(&mut recorder, b"image");
    let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    (seen, text)
}

fn error_of(trace: &str) -> String {
    Replayer::read(trace.as_bytes()).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn a_replay_shows_the_program_what_the_recording_showed_at_the_same_times() {
    let (seen, trace) = recorded(Serials::Kept);
    let mut replayer = Replayer::read(trace.as_bytes()).unwrap();
    assert_eq!(run(&mut replayer, b"image"), seen);
    assert_eq!((replayer.difference(), replayer.lines_left()), (None, 0));
    assert_eq!(replayer.header().program, env!("CARGO_PKG_VERSION"));
}

#[test]
fn recording_a_replay_gives_the_same_trace() {
    let (_, trace) = recorded(Serials::Kept);
    let paper = Paper::default();
    let replayer = Replayer::read(trace.as_bytes()).unwrap();
    run(&mut Recorder::new(replayer, paper.clone(), Serials::Kept), b"image");
    assert_eq!(String::from_utf8(paper.0.lock().unwrap().clone()).unwrap(), trace);
}

#[test]
fn a_run_sees_the_same_with_and_without_a_recorder() {
    let (seen, _) = recorded(Serials::Masked);
    assert_eq!(run(&mut test_bus(), b"image"), seen);
}

#[test]
fn the_first_difference_is_named_with_got_and_expected_and_stays() {
    let (_, trace) = recorded(Serials::Kept);
    let mut replayer = Replayer::read(trace.as_bytes()).unwrap();
    let seen = run(&mut replayer, b"IMAGE");
    let difference = replayer.difference().unwrap();
    assert_eq!(
        difference,
        "line 5 of the trace: \
         got control out 40 ff wValue 0000 wIndex 0000 wLength 5 with 494d414745 at port 3-2.1, \
         expected control out 40 ff wValue 0000 wIndex 0000 wLength 5 with 696d616765 at port 3-2.1"
    );
    let after = &seen[2..];
    assert!(after.len() > 5, "{after:?}");
    assert!(after.iter().all(|(_, what)| what.contains("line 5 of the trace")), "{after:?}");
}

#[test]
fn another_order_of_events_is_a_difference() {
    let (_, trace) = recorded(Serials::Kept);
    let mut replayer = Replayer::read(trace.as_bytes()).unwrap();
    let error = replayer.reset(&sighting()).unwrap_err();
    assert_eq!(
        error,
        BusError::Unusable(
            "line 2 of the trace: got resetting port 3-2.1 (device 17), expected a scan".to_owned()
        )
    );
}

#[test]
fn a_replay_ends_where_the_recording_ended() {
    let (_, trace) = recorded(Serials::Kept);
    let mut replayer = Replayer::read(trace.as_bytes()).unwrap();
    run(&mut replayer, b"image");
    let error = replayer.scan().unwrap_err();
    assert_eq!(error, BusError::Unusable("the trace has ended: got a scan".to_owned()));
}

#[test]
fn a_masked_trace_holds_no_serial_and_still_replays() {
    let (_, trace) = recorded(Serials::Masked);
    assert!(!trace.contains(SERIAL), "{trace}");
    assert!(!trace.contains(&hex::encode(wide(SERIAL))), "{trace}");
    assert!(trace.contains("XXXXXXXXXXX1"), "{trace}");
    assert!(trace.contains(&hex::encode(wide("XXXXXXXXXXX1"))), "{trace}");
    let mut replayer = Replayer::read(trace.as_bytes()).unwrap();
    run(&mut replayer, b"image");
    assert_eq!((replayer.difference(), replayer.lines_left()), (None, 0));
}

#[test]
fn a_serial_that_is_named_ahead_is_masked_before_it_is_sighted() {
    let paper = Paper::default();
    let mut bus = test_bus();
    bus.seen[0].serial = None;
    let mut recorder = Recorder::new(bus, paper.clone(), Serials::Masked);
    recorder.learn_serial(SERIAL);
    run(&mut recorder, SERIAL.as_bytes());
    let trace = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    assert!(!trace.contains(&hex::encode(SERIAL)), "{trace}");
    assert!(trace.contains(&hex::encode("XXXXXXXXXXX1")), "{trace}");
}

#[test]
fn words_that_stand_for_every_string_are_no_serial() {
    let paper = Paper::default();
    let mut bus = test_bus();
    bus.seen[0].serial = bus.seen[0].product.clone();
    let mut recorder = Recorder::new(bus, paper.clone(), Serials::Masked);
    recorder.scan().unwrap();
    let trace = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    assert!(trace.contains(r#""serial":"EZ-OTG enclosure""#), "{trace}");
}

#[test]
fn a_full_disk_does_not_stop_the_run() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for room in [0, 10, 500, 1500] {
        let mut recorder = Recorder::new(test_bus(), Full(room), Serials::Kept);
        assert_eq!(run(&mut recorder, b"image"), run(&mut test_bus(), b"image"), "{room}");
    }
}

#[test]
fn a_file_that_is_no_trace_is_refused() {
    assert_eq!(error_of(""), "this is not a trace of recover: line 1: the file is empty");
    assert!(error_of("PK\u{3}\u{4}\n").starts_with("this is not a trace of recover: line 1: "));
    assert_eq!(
        error_of("{\"format\":\"pcap\",\"version\":1}\n"),
        "this is not a trace of recover: line 1: format is \"pcap\", expected \"recover-trace\""
    );
    let half = "{\"format\":\"recover-trace\",\"version\":1}\n";
    assert!(error_of(half).contains("missing field `date`"), "{}", error_of(half));
}

#[test]
fn another_version_is_refused_by_its_number() {
    let future = "{\"format\":\"recover-trace\",\"version\":2,\"program\":\"9.0.0\",\"new\":[]}\n";
    assert_eq!(
        error_of(future),
        "the trace is of format version 2 (written by recover 9.0.0), this program reads version 1"
    );
}

#[test]
fn a_bad_line_is_named_by_its_number() {
    let (_, trace) = recorded(Serials::Kept);
    let with_line_4 = |bad: &str| {
        let mut lines: Vec<_> = trace.lines().collect();
        lines[3] = bad;
        lines.join("\n") + "\n"
    };
    for (bad, why) in [
        ("not json", "expected ident"),
        ("", "EOF"),
        (r#"{"at_us":-1,"took_us":0,"event":{"scan":{"done":[]}}}"#, "invalid value"),
        (r#"{"at_us":0,"took_us":0,"event":{"scan":{"done":[]}},"extra":1}"#, "unknown field"),
        (r#"{"at_us":0,"took_us":0,"event":{"explode":{}}}"#, "unknown variant `explode`"),
        (
            r#"{"at_us":0,"took_us":0,"event":{"reset":{"port":"here","device_number":1,"outcome":{"done":null}}}}"#,
            "`here` is not a port path",
        ),
        (
            r#"{"at_us":0,"took_us":0,"event":{"transfer":{"port":"1-1","transfer":{"bulk-out":{"endpoint":1,"data":"0g","timeout_us":1}},"outcome":{"done":""}}}}"#,
            "Invalid character 'g'",
        ),
    ] {
        let error = error_of(&with_line_4(bad));
        assert!(error.starts_with("line 4 of the trace: ") && error.contains(why), "{error}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(error_of(&with_line_4(&deep)).starts_with("line 4 of the trace: "));
}

#[test]
fn an_interrupted_recording_is_told_from_a_damaged_one() {
    let (_, trace) = recorded(Serials::Kept);
    let lines = trace.lines().count();
    let cut = &trace[..trace.len() - 10];
    let error = Replayer::read(cut.as_bytes()).err();
    assert!(matches!(error, Some(TraceError::Truncated { line }) if line == lines), "{error:?}");
    let whole = trace.trim_end();
    assert_eq!(Replayer::read(whole.as_bytes()).unwrap().lines_left(), lines - 1);
}

#[test]
fn times_beyond_all_reason_do_not_stop_a_replay() {
    let (_, trace) = recorded(Serials::Kept);
    let header = trace.lines().next().unwrap();
    let maximum = u64::MAX;
    let line =
        format!(r#"{{"at_us":{maximum},"took_us":{maximum},"event":{{"scan":{{"done":[]}}}}}}"#);
    let mut replayer = Replayer::read(format!("{header}\n{line}\n").as_bytes()).unwrap();
    assert_eq!(replayer.scan().unwrap(), []);
    let clock = replayer.clock();
    clock.sleep(Duration::MAX);
    assert_eq!(clock.now(), Duration::MAX);
    assert_eq!(clock.date(), jiff::Timestamp::MAX);
}

proptest::proptest! {
    #[test]
    fn a_damaged_trace_never_panics_and_replays_or_is_refused(
        at in 0..4000_usize, cut in 0..60_usize, put in proptest::collection::vec(proptest::num::u8::ANY, 0..8)
    ) {
        let (_, trace) = recorded(Serials::Kept);
        let mut bytes = trace.into_bytes();
        let (start, end) = (at.min(bytes.len()), (at + cut).min(bytes.len()));
        bytes.splice(start..end, put);
        if let Ok(mut replayer) = Replayer::read(&bytes[..]) {
            run(&mut replayer, b"image");
        }
    }
}
