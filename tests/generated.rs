//! What is made from the command line's own definition: completion scripts and man pages.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use recover::cli::definition;

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
fn the_script_of_every_shell_asks_the_program() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = recover(&["completions", shell]);
        assert!(script.contains("COMPLETE") && script.contains("recover"), "{shell}: {script}");
    }
}

/// What bash is offered for the last of these words.
fn completed(words: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_recover"))
        .args(["--", "recover"])
        .args(words)
        .env("COMPLETE", "bash")
        .env("_CLAP_IFS", "\n")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn commands_options_and_the_names_they_take_are_completed() {
    for (words, offered) in [
        (&["led"][..], "ledger"),
        (&["--mask"], "--mask-serials"),
        (&["--auto", "--profile", "generic-fx2"], "generic-fx2lp"),
        (&["--auto", "--sim", "sl11r-zer"], "sl11r-zeroed"),
        (&["diagnose", "--as", "at2"], "at2lp"),
        (&["image", "check", "--chip", "ez-o"], "ez-otg"),
        (&["profile", "show", "sony"], "sony-crx100e"),
        (&["sim", "show", "sl11r-bl"], "sl11r-blank"),
        (&["explain", "R10"], "R106"),
    ] {
        let found = completed(words);
        assert!(found.iter().any(|one| one.trim_end() == offered), "{words:?}: {found:?}");
    }
    for command in definition().get_subcommands() {
        let found = completed(&[""]);
        assert!(found.iter().any(|one| one.trim_end() == command.get_name()), "{found:?}");
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
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_recover")).parent().unwrap();
    let ask = format!(
        "\nPATH={}:$PATH; COMP_WORDS=(recover ledger e); COMP_CWORD=2; \
         _clap_complete_recover recover e ledger; printf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        program.display()
    );
    let told = through("bash", &["--norc"], &(script + &ask));
    assert_eq!(String::from_utf8_lossy(&told.stdout).trim(), "export");
}

#[test]
fn there_is_a_man_page_for_every_command() {
    let page = recover(&["man"]);
    assert!(page.contains(".TH recover 1") && page.contains("3  the memory is partly written"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("man1");
    recover(&["man", "--output", path.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(path.join("recover.1")).unwrap(), page);
    for command in definition().get_subcommands() {
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
    for shown in ["recover", "--auto", "--mask-serials", "ledger", "EXIT STATUS"] {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
}

#[test]
fn every_man_page_has_its_examples_and_exit_codes_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    recover(&["man", "--output", folder.path().to_str().unwrap()]);
    let pages: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|page| page.unwrap().path()).collect();
    assert!(pages.len() > 30, "{pages:?}");
    for path in pages {
        let page = fs::read_to_string(&path).unwrap();
        let named = path.display();
        let sections: Vec<&str> =
            page.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
        assert_eq!(sections[..3], ["NAME", "\"SYNOPSIS\"", "DESCRIPTION"], "{named}");
        assert!(sections.contains(&"\"EXIT STATUS\""), "{named}: {sections:?}");
        let holds_commands = sections.contains(&"SUBCOMMANDS") && !path.ends_with("recover.1");
        if !holds_commands {
            let (_, examples) =
                page.split_once(".SH \"EXAMPLES\"\n.nf\n").unwrap_or_else(|| panic!("{named}"));
            let first = examples.lines().find(|line| line.contains("recover")).unwrap();
            assert!(!first.starts_with(' ') && !first.starts_with('.'), "{named}: {first}");
        }
    }
    let list = fs::read_to_string(folder.path().join("recover-list.1")).unwrap();
    assert!(!list.contains("home"), "an option that list does not use");
}
