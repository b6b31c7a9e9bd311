//! The built program with a folder of its own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::codes::case::Answer;

/// A folder for one run after the other.
pub struct Program(TempDir);

impl Program {
    /// With an empty folder.
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// A file in its folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file into its folder, with the folders above it.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Runs it on the words of `line`, in which `@` begins a file in its folder.
    pub fn run(&self, line: &str) -> Answer {
        let words = line.split_whitespace().map(|word| match word.strip_prefix('@') {
            Some(name) => self.file(name).into_os_string(),
            None => word.into(),
        });
        let output = Command::new(env!("CARGO_BIN_EXE_recover"))
            .args(words)
            .env_clear()
            .env("RECOVER_HOME", self.file("home"))
            .output()
            .unwrap();
        Answer::printed(String::from_utf8(output.stderr).unwrap())
    }
}

/// What the program answers to a line, alone in a new folder.
pub fn answer(line: &str) -> Answer {
    Program::new().run(line)
}
