//! `recover completions`, `recover man`: made from the command line's own definition.

use std::path::Path;

use clap_complete::Shell;
use clap_complete::env::Shells;

use super::manual;
use crate::failure::{Code, Failure};
use crate::ui;

/// Prints a script by which a shell asks this program for completions.
pub fn completions(shell: Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    let shells = Shells::builtins();
    let name = shell.to_string();
    let failed =
        |why: String| Failure::new(Code::R506, why, "completion script").next("name another shell");
    let shell = shells.completer(&name).ok_or_else(|| failed(format!("no script for {name}")))?;
    shell
        .write_registration("COMPLETE", "recover", "recover", "recover", &mut script)
        .map_err(|error| failed(error.to_string()))?;
    ui::print_exactly(&script);
    Ok(0)
}

/// Prints the page of the program, or writes the pages of all commands into a folder. What was
/// made before is made anew: nothing in it is anybody's own.
pub fn man(output: Option<&Path>) -> Result<u8, Failure> {
    let failed = |place: &Path| {
        let place = place.display().to_string();
        move |error: std::io::Error| {
            Failure::new(Code::R506, error.to_string(), place)
                .next("name a writable folder with --output")
        }
    };
    match output {
        None => ui::print_exactly(&manual::page().map_err(failed(Path::new("man page")))?),
        Some(folder) => manual::write_to(folder).map_err(failed(folder))?,
    }
    Ok(0)
}
