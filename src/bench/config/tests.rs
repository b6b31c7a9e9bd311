use super::*;

const GOOD: &str = r#"
[[board]]
name = "left"
device = "/dev/ttyUSB0"
kind = "lcus"

[[board]]
name = "right"
device = "/dev/ttyUSB1"
kind = "numato"
baud = 19200

[[port]]
path = "3-2.1"
label = "A1"
profile = "simulated-sl11r"
power = { board = "left", channel = 1 }
contact = { board = "left", channel = 2 }

[[port]]
path = "3-2.2"
power = { board = "right", channel = 1, wiring = "normally-open" }
"#;

fn problems(text: &str) -> String {
    match parse(text, "bench.toml", &["simulated-sl11r"]) {
        Ok(config) => format!("{config:?}"),
        Err(problems) => failure(&problems).to_string(),
    }
}

#[test]
fn a_bench_is_read() {
    let config = parse(GOOD, "bench.toml", &["simulated-sl11r"]).unwrap();
    let path: PortPath = "3-2.1".parse().unwrap();
    let port = config.port(&path).unwrap();
    assert_eq!(port.label, "A1");
    assert_eq!(port.profile.as_deref(), Some("simulated-sl11r"));
    let power = port.power.as_ref().unwrap();
    assert_eq!((power.channel, power.wiring), (1, Wiring::NormallyClosed));
    let contact = port.contact.as_ref().unwrap();
    assert_eq!((contact.channel, contact.wiring), (2, Wiring::NormallyOpen));
    assert_eq!(config.board("left").unwrap().baud, 9600);
    assert_eq!(config.board("right").unwrap().baud, 19200);
    assert_eq!(config.board("left").unwrap().place, "bench.toml, line 4");
    assert_eq!(config.ports[1].label, "3-2.2");
    assert_eq!(config.ports[1].power.as_ref().unwrap().wiring, Wiring::NormallyOpen);
    assert_eq!(config.label(&"9-1".parse().unwrap()), "9-1");
}

#[test]
fn an_empty_bench_has_no_ports() {
    assert_eq!(parse("", "bench.toml", &[]).unwrap(), BenchConfig::default());
}

#[test]
fn what_is_not_toml_names_its_line() {
    insta::assert_snapshot!(problems("[[port]]\npath = 3-2.1\n"));
}

#[test]
fn an_unknown_key_names_its_line() {
    insta::assert_snapshot!(problems("[[port]]\npath = \"3-2.1\"\nlabl = \"A1\"\n"));
}

#[test]
fn an_unknown_kind_of_board_names_the_known_ones() {
    insta::assert_snapshot!(problems(
        "[[board]]\nname = \"left\"\ndevice = \"/dev/ttyUSB0\"\nkind = \"lcus-4\"\n"
    ));
}

#[test]
fn everything_wrong_with_a_bench_is_said_at_once() {
    insta::assert_snapshot!(problems(
        r#"
[[board]]
name = "Left"
device = ""
kind = "aa-bb"
baud = 0

[[board]]
name = "one"
device = "/dev/ttyUSB0"
kind = "letter"

[[board]]
name = "one"
device = "/dev/ttyUSB0"
kind = "letter"

[[port]]
path = "three"
label = "A1"
profile = "no-such"

[[port]]
path = "3-2.1"
label = "A1"
power = { board = "one", channel = 1 }
contact = { board = "one", channel = 1, wiring = "normally-closed" }

[[port]]
path = "3-2.1"
label = ""
power = { board = "two", channel = 1 }
contact = { board = "one", channel = 2 }
"#
    ));
}

#[test]
fn a_file_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let failure = load(&folder.path().join("bench.toml"), &[]).unwrap_err();
    assert_eq!(failure.code, Code::R601);
    assert!(failure.what.starts_with("it cannot be read"), "{failure}");
}

#[test]
fn a_serial_device_that_is_not_there_names_the_line_of_its_board() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bench.toml");
    let text = "[[board]]\nname = \"left\"\ndevice = \"/dev/no-such-line\"\nkind = \"lcus\"\n";
    std::fs::write(&file, text).unwrap();
    let failure = load(&file, &[]).unwrap_err();
    assert_eq!(failure.code, Code::R602);
    assert_eq!(failure.place, format!("{}, line 3", file.display()));
}
