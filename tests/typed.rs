//! The command line as people type it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail loudly, in its helpers too"
)]

use std::fs::{self, File};
use std::process::{Command, Stdio};

use recover::cli::definition;
use tempfile::TempDir;

struct Home(TempDir);

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recover"));
        command
            .args(line.split_whitespace())
            .current_dir(self.0.path())
            .env_clear()
            .env("RECOVER_HOME", self.0.path().join("home"));
        command
    }

    fn run(&self, line: &str) -> Ran {
        let output = self.command(line).output().unwrap();
        Ran {
            code: output.status.code().unwrap_or_else(|| panic!("{line}: killed")),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn run(line: &str) -> Ran {
    Home::new().run(line)
}

#[test]
fn recover_auto_is_recover_with_the_option() {
    let (word, option) = (run("auto --sim"), run("--auto --sim"));
    assert_eq!((word.code, option.code), (0, 0), "{}", word.stderr);
    let begins = "rescued: the enclosure at port 3-2";
    assert!(word.stdout.starts_with(begins) && option.stdout.starts_with(begins));
    assert_eq!(run("auto --all --sim sl11r-zeroed:2").code, 0);
    let json = run("auto --sim --profile no-such --json");
    assert!(json.stdout.trim_end().lines().last().unwrap().contains("\"outcome\""));
}

#[test]
fn recover_help_is_the_help() {
    let home = Home::new();
    assert_eq!(home.run("help").stdout, home.run("--help").stdout);
    assert_eq!(home.run("help restore").stdout, home.run("restore --help").stdout);
}

#[test]
fn recover_explain_prints_the_page_of_the_error() {
    let page = fs::read_to_string("docs/errors.md").unwrap();
    for code in recover::failure::Code::ALL {
        let told = run(&format!("explain {code}"));
        assert_eq!(told.code, 0, "{code}");
        let first = format!("{code}: {}\n", code.title());
        assert!(told.stdout.starts_with(&first), "{}", told.stdout);
        assert!(told.stdout.contains("\nNext: "), "{}", told.stdout);
        assert!(!told.stdout.contains("**") && !told.stdout.contains("]("), "{}", told.stdout);
        let headings = told.stdout.lines().filter(|line| line.starts_with('#')).count();
        assert_eq!(headings, 0, "{}", told.stdout);
        // The last words of the page's entry are there.
        let entry = page.split(&format!("### {first}")).nth(1).unwrap();
        let entry = entry.split("\n#").next().unwrap().trim_end();
        let last = entry.rsplit(' ').next().unwrap();
        assert!(told.stdout.trim_end().ends_with(last) || last.contains("]("), "{code}: {last}");
    }
    assert_eq!(run("explain r106").stdout, run("explain R106").stdout);
    assert_eq!(run("explain").stdout.lines().count(), recover::failure::Code::ALL.len());
    assert_eq!(run("explain R999").code, 2);
}

#[test]
fn an_option_that_took_the_word_behind_it_says_so() {
    for (line, what, next) in [
        ("--sim list", "--sim took \"list\"", "`recover sim list`"),
        ("--auto --sim list", "--sim took \"list\"", "`recover sim list`"),
        ("list --sim list", "--sim took \"list\"", "`recover sim list`"),
        ("--sim restore an-id", "--sim took \"restore\"", "`recover restore --sim`"),
        ("restore --sim an-id", "--sim took \"an-id\"", "write --sim last"),
        ("--sim", "options, but no command", "`recover --auto --sim sl11r-zeroed`"),
        ("--port 3-2", "options, but no command", "`recover list --port 3-2`"),
    ] {
        let ran = run(line);
        assert_eq!(ran.code, 2, "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains(what), "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains(next), "{line}: {}", ran.stderr);
        assert!(ran.stderr.lines().count() < 10, "{line}: {}", ran.stderr);
    }
}

#[test]
fn a_number_behind_wait_is_its_seconds() {
    for line in ["--auto --wait 5 --sim", "diagnose --wait 5 --sim", "--auto --sim --wait=5"] {
        assert_eq!(run(line).code, 0, "{line}");
    }
}

#[test]
fn the_help_of_a_command_shows_the_options_that_it_heeds_and_no_other() {
    for (line, heeded) in [
        ("image inspect", &["--chip", "--json", "--help"][..]),
        ("profile show", &["--json", "--home", "--help"]),
        (
            "ledger export",
            &["--format", "--output", "--serial", "--since", "--sim", "--home", "--help"],
        ),
        ("report", &["--html", "--sim", "--json", "--home", "--help"]),
        ("completions", &["--help"]),
        ("man", &["--output", "--help"]),
        ("sim power", &["--help"]),
        ("explain", &["--json", "--help"]),
    ] {
        let help = run(&format!("{line} --help")).stdout;
        let shown: Vec<&str> = help
            .lines()
            .take_while(|line| !line.starts_with("Example"))
            .filter_map(|line| line.trim_start().split_once("--"))
            .filter(|(before, _)| before.is_empty() || before.starts_with('-'))
            .map(|(_, name)| name.split([' ', '=', '[']).next().unwrap())
            .collect();
        let expected: Vec<&str> = heeded.iter().map(|name| name.trim_start_matches("--")).collect();
        let sorted = |mut names: Vec<&str>| {
            names.sort_unstable();
            names.join(" ")
        };
        assert_eq!(sorted(shown), sorted(expected), "{line}");
    }
    let help = run("resume --help").stdout;
    assert!(help.contains("--port") && help.contains("--sim-state") && help.contains("--trace"));
}

#[test]
fn an_unknown_profile_is_refused_before_anything_is_touched() {
    for line in ["--auto", "auto", "plan", "resume", "--auto --all", "bench --auto"] {
        let home = Home::new();
        let ran = home.run(&format!("{line} --sim --profile no-such --trace trace"));
        let ran = match ran.stderr.contains("--trace is for one device") {
            true => home.run(&format!("{line} --sim --profile no-such")),
            false => ran,
        };
        assert_eq!(ran.code, 2, "{line}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("error[R306]"), "{line}: {}", ran.stderr);
        assert!(!home.0.path().join("trace").exists(), "{line}: the bus was opened");
        assert!(!home.0.path().join("home/simulator").exists(), "{line}: the store was touched");
    }
}

#[test]
fn a_backup_is_restored_by_the_beginning_of_its_name() {
    let home = Home::new();
    assert_eq!(home.run("backup --sim").code, 0);
    let listed = home.run("restore --list --sim").stdout;
    let id = listed.split_whitespace().next().unwrap().to_owned();
    let (beginning, _) = id.split_at(7);
    let one = home.run(&format!("restore {beginning} --sim"));
    assert_eq!(one.code, 0, "{}", one.stderr);
    // The restore keeps a backup of its own.
    let several = home.run(&format!("restore {beginning} --sim --dry-run"));
    assert_eq!(several.code, 4, "{}", several.stderr);
    assert!(several.stderr.starts_with("error[R524]"), "{}", several.stderr);
    let offer = format!("recover restore {id} --sim sl11r-zeroed --dry-run");
    assert!(several.stderr.contains(&offer), "{}", several.stderr);
    assert_eq!(home.run(&format!("restore {id} --sim --dry-run")).code, 0, "a whole id is one");
    assert_eq!(home.run("restore no-such --sim").code, 1);
}

/// A line for every command that ends by itself and needs no root.
fn lines() -> Vec<String> {
    let mut lines = vec!["--auto --sim".to_owned(), "--help".to_owned(), "--version".to_owned()];
    leaves(&definition(), "", &mut lines);
    lines
}

fn leaves(command: &clap::Command, path: &str, lines: &mut Vec<String>) {
    for below in command.get_subcommands() {
        let path = format!("{path} {}", below.get_name());
        let path = path.trim();
        lines.push(format!("{path} --help"));
        if below.has_subcommands() {
            leaves(below, path, lines);
            continue;
        }
        let arguments = match path {
            "auto" | "plan" | "diagnose" | "backup" | "list" | "ledger list" => "--sim",
            "ledger export" => "--sim --format csv",
            "bench" => "--auto --sim --json",
            "restore" => "--list --sim",
            "image inspect" => "IMAGE",
            "image check" => "IMAGE --chip sl11r",
            "image build" => "--chip fx2lp --ids 1209:0001 --output made.iic",
            "profile show" => "simulated-sl11r",
            "profile learn" => "--sim at2lp-healthy-default",
            "sim show" => "sl11r-zeroed",
            "ledger show" => "2 --sim",
            "report" => "2 --sim --html page.html",
            "completions" => "bash",
            "resume" => "--sim --help",
            // Plays devices of the kernel or of a terminal until it is ended.
            "sim attach" | "sim power" | "sim disturb" | "sim status" | "sim watch-power"
            | "sim relay" => continue,
            _ => "",
        };
        lines.push(format!("{path} {arguments}"));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_is_an_error_of_every_command() {
    let image =
        concat!(env!("CARGO_MANIFEST_DIR"), "/recovery-images/cy16/simulated-sl11r/factory.bin");
    let lines = lines();
    assert!(lines.len() > 50, "{lines:?}");
    for line in lines {
        let home = Home::new();
        if line.contains(" 2 ") || line.starts_with("ledger") || line.starts_with("restore") {
            assert_eq!(home.run("--auto --sim").code, 0);
        }
        let line = line.replace("IMAGE", image);
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = home.command(&line).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{line}: {told}");
        assert!(told.contains("error[R506]: not all of the output"), "{line}: {told}");
    }
}

#[test]
fn an_image_is_built_into_a_new_file_and_says_which() {
    let home = Home::new();
    let build = "image build --chip fx2lp --ids 1209:0001 --output made.iic";
    let first = home.run(build);
    assert!(first.stdout.starts_with("made.iic: written, "), "{}", first.stdout);
    let file = home.0.path().join("made.iic");
    fs::write(&file, "mine").unwrap();
    let again = home.run(build);
    assert_eq!(again.code, 1);
    assert!(again.stderr.starts_with("error[R506]"), "{}", again.stderr);
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    assert_eq!(home.run(&format!("{build} --overwrite")).code, 0);
    assert_ne!(fs::read(&file).unwrap(), b"mine");
}

#[test]
fn one_thing_is_not_called_by_its_plural() {
    let home = Home::new();
    home.run("--auto --sim");
    let told = home.run("ledger list --sim --serial no-such").stderr;
    assert!(told.contains("its only unit does not match"), "{told}");
    let told = home.run("list --sim unlisted-id").stdout;
    assert!(told.starts_with("the only USB device is not a known chip"), "{told}");
    let told = home.run("ledger export --sim --format csv --output units.csv").stderr;
    assert_eq!(told, "units.csv: 1 unit\n");
}
