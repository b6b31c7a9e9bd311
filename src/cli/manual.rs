//! The pages of `recover man`, written for `man`: what is typed, what it does, every option, then
//! the examples and the exit codes of the help text, line by line.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_mangen::Man;

use super::typed::definition;
use crate::files;

/// The program's own page.
pub fn page() -> io::Result<Vec<u8>> {
    let mut command = built();
    page_of(&mut command)
}

/// The pages of all commands, in a folder.
pub fn write_to(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    write_below(&mut built(), folder)
}

fn built() -> Command {
    let mut command = definition().disable_help_subcommand(true);
    command.build();
    command
}

fn write_below(command: &mut Command, folder: &Path) -> io::Result<()> {
    for below in command.get_subcommands_mut().filter(|below| !below.is_hide_set()) {
        write_below(below, folder)?;
    }
    let page = page_of(command)?;
    files::overwrite(&folder.join(format!("{}.1", name(command))), &page)
}

/// `recover-sim-list`.
fn name(command: &Command) -> String {
    command.get_display_name().unwrap_or(command.get_name()).to_owned()
}

fn page_of(command: &mut Command) -> io::Result<Vec<u8>> {
    let usage = command.render_usage().to_string();
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let is_program = name(command) == "recover";
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    let usage = usage.trim_start_matches("Usage:");
    verbatim(&mut page, "SYNOPSIS", usage.lines().map(str::trim))?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    for section in after.split("\n\n") {
        let mut lines = section.lines();
        let title = match lines.next().unwrap_or_default() {
            "" => continue,
            heading if heading.starts_with("Example") => "EXAMPLES",
            _ => "EXIT STATUS",
        };
        verbatim(&mut page, title, lines.map(|line| line.strip_prefix("  ").unwrap_or(line)))?;
    }
    if !is_program {
        writeln!(page, ".SH \"EXIT STATUS\"\nThe codes are those of")?;
        writeln!(page, "\\fBrecover\\fR(1).\n.SH \"SEE ALSO\"\n\\fBrecover\\fR(1)")?;
    }
    Ok(page)
}

/// A section whose lines stay as they are.
fn verbatim<'l>(
    page: &mut Vec<u8>,
    title: &str,
    lines: impl Iterator<Item = &'l str>,
) -> io::Result<()> {
    writeln!(page, ".SH \"{title}\"\n.nf")?;
    for line in lines {
        writeln!(page, "{}", escaped(line))?;
    }
    writeln!(page, ".fi")
}

/// A line as roff takes it: a hyphen is a minus, so that it can be copied; a dot or an apostrophe
/// at its beginning is no request.
fn escaped(line: &str) -> String {
    let escaped = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    if escaped.starts_with('.') { format!("\\&{escaped}") } else { escaped }
}
