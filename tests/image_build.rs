//! `recover image build` as it is typed: every kind of EZ-USB image to the byte, and each refusal
//! with its code, nothing written.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly, in its helpers too")]

use std::fs;

use assert_cmd::Command;
use tempfile::TempDir;

/// Four bytes of a program, as Intel HEX with a comment, as other tools write it.
const HEX: &str = "# loop\n:020000000200FC\n:0200020080FE7E\n:00000001FF\n";
/// The same, flat.
const FLAT: [u8; 4] = [0x02, 0x00, 0x80, 0xfe];

struct Built {
    code: i32,
    stdout: String,
    stderr: String,
    image: Option<String>,
}

/// Runs `recover image build` with the files `loop.hex`, `loop.bin` and `given` at hand.
fn build(words: &str, given: &[u8]) -> Built {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("loop.hex"), HEX).unwrap();
    fs::write(home.path().join("loop.bin"), FLAT).unwrap();
    fs::write(home.path().join("given"), given).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_recover"))
        .current_dir(home.path())
        .env("RECOVER_HOME", home.path())
        .args("image build --output made.iic".split(' '))
        .args(words.split_whitespace())
        .output()
        .unwrap();
    Built {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        image: fs::read(home.path().join("made.iic")).ok().map(hex::encode),
    }
}

fn refusal(words: &str, given: &[u8], code: i32) -> String {
    let built = build(words, given);
    assert_eq!(built.code, code, "{words}: {}{}", built.stdout, built.stderr);
    assert_eq!(built.image, None, "{words}");
    assert_eq!(built.stdout, "", "{words}");
    built.stderr
}

#[test]
fn every_kind_of_image_is_made_to_the_byte() {
    let ids = "--ids 1d50:60b5 --revision 0102";
    let program = "00040000020080fe";
    for (words, image) in [
        // Ids alone. The first is the image of a board that was sold.
        ("--chip fx2lp --ids 1d50:60b5 --revision 0001 --set 07=01", "c0501db560010001".to_owned()),
        (&format!("--chip fx2 {ids}"), "c0501db560020100".to_owned()),
        (&format!("--chip fx1 {ids}"), "c0501db560020100".to_owned()),
        (&format!("--chip fx {ids} --set 07=05"), "b4501db56002010500".to_owned()),
        (&format!("--chip an2131 {ids}"), "b0501db5600201".to_owned()),
        // With a program.
        (
            &format!("--chip fx2lp {ids} --set 07=41 --firmware loop.hex"),
            format!("c2501db560020141{program}8001e60000"),
        ),
        (
            &format!("--chip fx2lp {ids} --firmware loop.bin"),
            format!("c2501db560020100{program}8001e60000"),
        ),
        (
            &format!("--chip fx {ids} --set 07=01 --firmware loop.hex"),
            format!("b6501db56002010100{program}80017f9200"),
        ),
        (
            &format!("--chip an2131 {ids} --firmware loop.bin"),
            format!("b2501db5600201{program}80017f9200"),
        ),
    ] {
        let built = build(words, b"");
        assert_eq!(built.code, 0, "{words}: {}", built.stderr);
        assert_eq!(built.image, Some(image), "{words}");
        assert!(built.stdout.contains("60b5"), "{}", built.stdout);
        assert!(built.stdout.contains("note: "), "{}", built.stdout);
    }
}

#[test]
fn a_long_program_is_cut_into_records_and_what_was_made_is_read_again() {
    let program: Vec<u8> = (0..2500_u32).map(|at| (at * 7 % 251) as u8 | 1).collect();
    let built = build("--chip fx2lp --ids 1209:0001 --firmware given --json", &program);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let told: serde_json::Value = serde_json::from_str(&built.stdout).unwrap();
    assert_eq!(told["chip"], "fx2lp");
    let records = told["contents"].as_array().unwrap();
    // The header, three records of at most 1023 bytes, the one that starts the 8051.
    assert_eq!(records.len(), 5, "{records:?}");
    assert_eq!(told["bytes"], 8 + 3 * 4 + 2500 + 5);
    let image = hex::decode(built.image.unwrap()).unwrap();
    assert_eq!(image.len(), 8 + 3 * 4 + 2500 + 5);
    assert_eq!(&image[12..12 + 1023], &program[..1023]);
}

#[test]
fn ids_that_nobody_has_are_refused() {
    for chip in ["fx2lp", "fx", "an2131"] {
        for ids in ["0000:0001", "1209:0000", "ffff:0001", "1209:ffff", "0000:0000", "ffff:ffff"] {
            for firmware in ["", "--firmware loop.hex"] {
                let words = format!("--chip {chip} --ids {ids} {firmware}");
                let said = refusal(&words, b"", 1);
                assert!(said.contains("error[R208]") && said.contains("not assigned"), "{said}");
            }
        }
    }
    // A board with the ids of a blank chip would be taken for one.
    let said = refusal("--chip fx2lp --ids 04b4:8613", b"", 1);
    assert!(said.contains("error[R208]") && said.contains("stay in boot mode"), "{said}");
}

#[test]
fn each_wrong_value_has_its_own_error() {
    let fx2lp = "--chip fx2lp --ids 1209:0001";
    let given = |more: &str| format!("{fx2lp} {more}");
    for (words, file, code, text) in [
        (given("--firmware given"), b"".as_slice(), 1, "R208]: the firmware: it is empty"),
        (given("--firmware given"), b":020000000200FD\n:00000001FF\n", 1, "line 1"),
        (given("--firmware given"), b":020000000200FC\n:010001000000\n", 1, "line 2"),
        (given("--firmware given"), b":020000000200FC\n", 1, "end record"),
        (given("--firmware given"), b":020000040001F9\n:0100000055AA\n:00000001FF\n", 1, "beyond"),
        (given("--firmware given"), &[0xc2, 0, 0], 1, "it is already an image"),
        // Registers there; more than there can be; more than the chip can address.
        (given("--firmware given"), b":0200000080FE80\n:02E68000AA05E9\n:00000001FF\n", 1, "R206]"),
        (given("--firmware given"), &[0x80; 0xe401], 1, "R206]"),
        ("--chip an2131 --ids 1209:0001 --firmware given".to_owned(), &[0x80; 0x7b41], 1, "R206]"),
        ("--chip fx2 --ids 1209:0001 --firmware given".to_owned(), &[0x80; 0x2001], 1, "R206]"),
        (given("--firmware given"), &[0x80; 0x1_0001], 1, "more than 64 KB"),
        (given("--firmware missing"), b"", 1, "R212]"),
        (given("--set 07=80"), b"", 1, "the setting 07 = 80"),
        (given("--set 06=01"), b"", 1, "the setting 06 = 01"),
        ("--chip an2131 --ids 1209:0001 --set 07=01".to_owned(), b"", 1, "the setting 07 = 01"),
        (given("--product Disk"), b"", 1, "no strings"),
        ("--chip sl11r --ids 1209:0001".to_owned(), b"", 1, "cannot be made from values"),
        ("--chip fx4 --ids 1209:0001".to_owned(), b"", 2, "R311]: there is no chip named \"fx4\""),
        ("--chip fx2lp".to_owned(), b"", 2, "--ids"),
        ("--chip fx2lp --ids 1209".to_owned(), b"", 2, "1209"),
        (given("--set 07"), b"", 2, "07=01"),
        (given("--revision 1.00"), b"", 2, "--revision"),
    ] {
        let said = refusal(&words, file, code);
        assert!(said.contains(text), "{words}: {said}");
    }
}
