//! The pictures of README.md: made by the program on the simulator, and compared with the files.
//! `RECOVER_UPDATE=1 cargo test --test all pictures::` makes them anew.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::hall::{Hall, once, port};
use crate::terminal_svg::{Ink, Run, svg, wrapped};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use recover::bench::Notice;

/// Compares a picture with its file, or writes it.
fn hold(name: &str, picture: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures").join(name);
    if std::env::var_os("RECOVER_UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, picture).unwrap();
        return;
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == picture,
        "docs/pictures/{name} is not what the program shows: \
         RECOVER_UPDATE=1 cargo test --test all pictures::"
    );
}

/// The text with the date in every name made that of the documentation.
fn with_one_date(text: &str) -> String {
    let is_date = |part: &str| {
        part.len() == 19
            && part.chars().enumerate().all(|(index, c)| match index {
                4 | 7 | 13 | 16 => c == '-',
                10 => c == 'T',
                _ => c.is_ascii_digit(),
            })
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        match rest.get(..19) {
            Some(date) if is_date(date) => {
                out.push_str("2026-11-23T04-32-32");
                rest = &rest[19..];
            }
            _ => {
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    out
}

#[test]
fn the_picture_of_a_rescue_is_what_the_program_prints() {
    const COLUMNS: usize = 94;
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_recover"))
        .args(["--auto", "--sim"])
        .env_clear()
        .env("RECOVER_HOME", home.path())
        .output()
        .unwrap();
    assert!(output.status.success());
    let narration = String::from_utf8(output.stderr).unwrap();
    let told = with_one_date(&(narration + &String::from_utf8(output.stdout).unwrap()));
    let command =
        vec![Run::new("$ ", Ink::Green), Run::new("recover --auto --sim", Ink::Plain).bold()];
    let mut lines = vec![command];
    for line in told.lines() {
        // What a terminal shows bold: a step that begins, and what hands are asked for.
        let is_bold = line.starts_with('[') || line.starts_with("  >>");
        for part in wrapped(line, COLUMNS, 4) {
            let run = Run::new(part, Ink::Plain);
            lines.push(vec![if is_bold { run.bold() } else { run }]);
        }
    }
    let description = "A rescue on the simulator, as the terminal shows it";
    hold("rescue.svg", &svg("recover --auto --sim", description, COLUMNS, &lines));
}

/// A cell's look.
fn look(cell: &Cell) -> Run {
    let ink = match cell.fg {
        _ if cell.modifier.contains(Modifier::DIM) => Ink::Dim,
        Color::Reset => Ink::Plain,
        Color::Green => Ink::Green,
        Color::Yellow => Ink::Yellow,
        Color::Red => Ink::Red,
        other => panic!("the screen has a new colour: {other}"),
    };
    Run {
        text: cell.symbol().to_owned(),
        ink,
        is_bold: cell.modifier.contains(Modifier::BOLD),
        is_reversed: cell.modifier.contains(Modifier::REVERSED),
    }
}

/// The lines of a screen, cells that look alike joined.
fn lines(buffer: &Buffer) -> Vec<Vec<Run>> {
    let width = usize::from(buffer.area.width);
    let joined = |row: &[Cell]| {
        let mut runs: Vec<Run> = Vec::new();
        for cell in row {
            let new = look(cell);
            match runs.last_mut() {
                Some(last) if Run { text: new.text.clone(), ..last.clone() } == new => {
                    last.text.push_str(&new.text);
                }
                _ => runs.push(new),
            }
        }
        runs
    };
    buffer.content.chunks(width).map(joined).collect()
}

#[test]
fn the_picture_of_the_bench_is_its_screen_in_the_middle_of_a_run() {
    const UNITS: [&str; 7] = [
        "sl11r-zeroed",
        "at2lp-rc42",
        "sl11r-write-protected",
        "ezusb-blank",
        "sl11r-healthy",
        "ez-otg-blank",
        "at2lp-half-written",
    ];
    // Some are done by then, one has failed, and one still writes.
    const MOMENT_MS: u64 = 3100;
    let hall = Hall::with_units(&UNITS, Duration::ZERO);
    hall.wait_for_enumeration();
    let ran = hall.run(once(), |_| Vec::new());
    let until: Vec<Notice> =
        ran.notices.into_iter().filter(|notice| notice.at_ms <= MOMENT_MS).collect();
    let buffer = recover::ui::bench_screen(&until, Some(&port(2)), 80, 21);
    let description = "recover bench: seven ports, each with an enclosure in another state";
    hold("bench.svg", &svg("recover bench --auto --sim …", description, 80, &lines(&buffer)));
}
