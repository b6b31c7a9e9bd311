//! `recover completions`, `recover man`: made from the command line's own definition.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use crate::failure::{Code, Failure};
use crate::ui;

/// Prints a completion script.
pub fn completions(shell: Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "recover", &mut script);
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
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut page)
                .map_err(failed(Path::new("man page")))?;
            ui::print_exactly(&page);
        }
        Some(folder) => {
            fs::create_dir_all(folder).map_err(failed(folder))?;
            clap_mangen::generate_to(Cli::command(), folder).map_err(failed(folder))?;
        }
    }
    Ok(0)
}
