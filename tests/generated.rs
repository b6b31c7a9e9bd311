//! What is made from the command line's own definition: completion scripts and man pages.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use clap::CommandFactory;
use recover::cli::Cli;

fn recover(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_recover")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    assert!(output.stderr.is_empty(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Pipes a text through a program, which has to be installed.
fn through(program: &str, arguments: &[&str], text: &str) -> Output {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn every_command_is_completed_in_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = recover(&["completions", shell]);
        for command in Cli::command().get_subcommands() {
            assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
        }
        assert!(script.contains("mask-serials"), "{shell}");
    }
}

fn reads_its_script(shell: &str) {
    let checked = through(shell, &["-n"], &recover(&["completions", shell]));
    assert!(checked.status.success(), "{shell}: {}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn bash_reads_its_script() {
    reads_its_script("bash");
}

#[test]
#[ignore = "needs zsh (Debian: zsh)"]
fn zsh_reads_its_script() {
    reads_its_script("zsh");
}

#[test]
#[ignore = "needs fish (Debian: fish)"]
fn fish_reads_its_script() {
    reads_its_script("fish");
}

#[test]
fn bash_offers_the_commands_below_ledger() {
    let script = recover(&["completions", "bash"]);
    let ask = "\nCOMP_WORDS=(recover ledger e); COMP_CWORD=2; _recover recover e ledger; \
               printf '%s\\n' \"${COMPREPLY[@]}\"\n";
    let told = through("bash", &["--norc"], &(script + ask));
    assert_eq!(String::from_utf8_lossy(&told.stdout).trim(), "export");
}

#[test]
fn there_is_a_man_page_for_every_command() {
    let page = recover(&["man"]);
    assert!(page.contains(".TH recover 1") && page.contains("Exit codes"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("man1");
    recover(&["man", "--output", path.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(path.join("recover.1")).unwrap(), page);
    for command in Cli::command().get_subcommands() {
        let page = path.join(format!("recover-{}.1", command.get_name()));
        assert!(page.is_file(), "{}", page.display());
    }
}

#[test]
#[ignore = "needs groff (Debian: groff)"]
fn groff_reads_the_man_page() {
    let page = recover(&["man"]);
    let rendered = through("groff", &["-man", "-Tutf8", "-ww", "-P-c", "-P-b", "-P-u"], &page);
    let text = String::from_utf8(rendered.stdout).unwrap();
    assert!(rendered.stderr.is_empty(), "{}", String::from_utf8_lossy(&rendered.stderr));
    for shown in ["recover", "--auto", "--mask-serials", "ledger", "Exit codes"] {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
}
