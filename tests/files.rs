//! Files that are not what they should be, whose the kept files are, and where they lie.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use recover::executor::{Request, Store};
use recover::failure::Code;

use crate::past;
use crate::support::{Desk, port, scenario};

/// The program with a folder of its own, and in it a home.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the program, for twenty seconds at most: exit code, stdout, stderr.
    fn run(&self, line: &str, environment: &[(&str, &str)]) -> (i32, String, String) {
        let words = line.split_whitespace().map(|word| match word.strip_prefix('@') {
            Some(name) => self.file(name).into_os_string(),
            None => word.into(),
        });
        let ran = Command::new("timeout")
            .args(["20", env!("CARGO_BIN_EXE_recover")])
            .args(words)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("RECOVER_HOME", self.file("home"))
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (ran.status.code().unwrap(), text(ran.stdout), text(ran.stderr))
    }

    fn expect(&self, code: i32, line: &str) -> String {
        let (got, out, err) = self.run(line, &[]);
        assert_eq!(got, code, "{line}\n{out}{err}");
        format!("{out}{err}")
    }

    /// Everything below a folder, itself first.
    fn below(path: &Path) -> Vec<PathBuf> {
        let mut found = vec![path.to_owned()];
        if path.is_dir() {
            let entries = fs::read_dir(path).unwrap();
            found.extend(entries.flat_map(|entry| Self::below(&entry.unwrap().path())));
        }
        found
    }
}

/// What may lie where a file is expected, and what is told of it.
const ODD: [(&str, &str); 4] = [
    ("pipe", "it is a pipe, not a regular file"),
    ("socket", "it is a socket, not a regular file"),
    ("zero", "it is a device, not a regular file"),
    ("huge", "it is longer than"),
];

/// Puts one of them there.
fn put_odd(kind: &str, path: &Path) {
    match kind {
        "pipe" => {
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        }
        "socket" => drop(UnixListener::bind(path).unwrap()),
        "zero" => symlink("/dev/zero", path).unwrap(),
        _ => fs::File::create(path).unwrap().set_len(1 << 40).unwrap(),
    }
}

#[test]
fn a_pipe_a_socket_a_device_or_a_huge_file_is_refused_wherever_a_user_names_a_file() {
    for (kind, said) in ODD {
        let place = Place::new();
        put_odd(kind, &place.file("odd"));
        fs::create_dir(place.file("mine")).unwrap();
        put_odd(kind, &place.file("mine/profile.toml"));
        for (code, line) in [
            (1, "image inspect @odd"),
            (1, "--auto --sim --image @odd"),
            (2, "--auto --sim --bench-config @odd"),
            (1, "--auto --sim --sim-state @odd"),
            (1, "profile check @mine"),
        ] {
            let (got, out, err) = place.run(line, &[]);
            let told = format!("{out}{err}");
            let is_told = told.contains(said) || told.contains("it has more than");
            assert!(is_told, "{kind}, {line}: {told}");
            assert_eq!(got, code, "{kind}, {line}: {told}");
        }
    }
}

#[test]
fn a_pipe_a_device_or_a_huge_file_is_refused_in_the_home_folder() {
    for (kind, _) in ODD.into_iter().filter(|(kind, _)| *kind != "socket") {
        let place = Place::new();
        let store = Store::new(place.file("home/simulator"));
        past::rescued(&store, &port(), 1);
        past::unfinished(&store, &port(), "unit");
        let id = "2024-05-04T10-02-33-unit-00000";
        for name in [format!("backups/{id}.bin"), "journals/unit.jsonl".to_owned()] {
            let path = place.file("home/simulator").join(name);
            fs::remove_file(&path).unwrap();
            put_odd(kind, &path);
        }
        assert!(place.expect(1, &format!("restore {id} --sim")).contains("error[R504]"));
        assert!(place.expect(1, "resume --sim").contains("error[R507]"));
        let path = place.file(&format!("home/simulator/backups/{id}.toml"));
        fs::remove_file(&path).unwrap();
        put_odd(kind, &path);
        assert!(place.expect(1, "restore --list --sim").contains("error[R504]"));
        // A part's backup, its journal and its image are saved beside them all the same.
        let told = place.expect(0, "--auto --sim");
        assert!(told.contains("rescued:") && told.contains("(R507)"), "{told}");
    }
}

#[test]
fn no_link_is_followed_to_a_ledger_or_a_lock_and_nothing_is_truncated() {
    let place = Place::new();
    fs::create_dir_all(place.file("home/simulator")).unwrap();
    let (ledger, lock) = (place.file("theirs.sqlite3"), place.file("theirs.txt"));
    fs::write(&ledger, "").unwrap();
    fs::write(&lock, "text").unwrap();
    symlink(&ledger, place.file("home/simulator/ledger.sqlite3")).unwrap();
    assert!(place.expect(1, "ledger list --sim").contains("error[R521]"));
    let told = place.expect(0, "--auto --sim");
    assert!(told.contains("could not be added to the ledger"), "{told}");
    assert_eq!(fs::read(&ledger).unwrap(), b"");
    fs::remove_file(place.file("home/simulator/locks/port-3-2.lock")).unwrap();
    symlink(&lock, place.file("home/simulator/locks/port-3-2.lock")).unwrap();
    let told = place.expect(1, "--auto --sim");
    assert!(told.contains("error[R506]") && told.contains("a symbolic link"), "{told}");
    assert_eq!(fs::read(&lock).unwrap(), b"text");
}

#[test]
fn a_home_folder_that_is_reached_by_a_link_has_a_ledger() {
    let place = Place::new();
    fs::create_dir(place.file("elsewhere")).unwrap();
    symlink(place.file("elsewhere"), place.file("home")).unwrap();
    assert!(!place.expect(0, "--auto --sim").contains("WARN"));
    place.expect(0, "ledger list --sim");
}

#[test]
fn everything_in_the_home_folder_is_for_its_owner_only() {
    let place = Place::new();
    place.expect(0, "--auto --sim");
    place.expect(3, "--auto --sim --fault unplug@100");
    place.expect(0, "profile learn --sim at2lp-healthy-oem --port 3-2 --as at2lp --name mine");
    let found = Place::below(&place.file("home"));
    assert!(found.len() > 20, "{found:?}");
    for path in found {
        let is_folder = path.is_dir();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if is_folder { 0o700 } else { 0o600 }, "{}", path.display());
    }
}

/// Root alone can give files away; for others there is nothing to see here, and the pure rules are
/// tested beside their code.
#[test]
fn what_sudo_makes_belongs_to_whoever_ran_it() {
    let place = Place::new();
    let is_root = fs::metadata(place.0.path()).unwrap().uid() == 0;
    let sudo = [("SUDO_UID", "12345"), ("SUDO_GID", "12346")];
    let line = "--auto --sim --trace @trace.jsonl --sim-state @state.json";
    let (code, _, err) = place.run(line, &sudo);
    assert_eq!(code, 0, "{err}");
    let mut found = Place::below(&place.file("home"));
    found.extend([place.file("trace.jsonl"), place.file("state.json")]);
    for path in found {
        let file = fs::metadata(&path).unwrap();
        assert_eq!((file.uid(), file.gid()) == (12345, 12346), is_root, "{}", path.display());
    }
}

#[test]
fn an_id_from_a_file_or_a_command_never_leads_out_of_the_home_folder() {
    let place = Place::new();
    fs::create_dir_all(place.file("home/simulator/backups")).unwrap();
    let mut desk = Desk::new(scenario("sl11r-half-written"));
    let id = desk.run(|session| session.backup(&Request::default())).backup.unwrap();
    let from = desk.store.folder("backups").unwrap();
    for ending in ["bin", "toml"] {
        let bytes = fs::read(from.join(format!("{id}.{ending}"))).unwrap();
        let text = String::from_utf8_lossy(&bytes).replace(&id, "../out");
        let bytes = if ending == "toml" { text.into_bytes() } else { bytes };
        fs::write(place.file(&format!("home/simulator/out.{ending}")), bytes).unwrap();
    }
    assert!(place.expect(1, "restore ../out --sim").contains("error[R503]"));
    let store = Store::new(place.file("home/simulator"));
    assert_eq!(store.load_backup("../out").unwrap_err().code, Code::R503);
    fs::write(place.file("home/simulator/out.bin"), "x").unwrap();
    assert!(store.kept_image("../out").unwrap_err().what.contains("no hash"));
    assert!(store.begin_journal(past::begun(&port(), "../out")).is_err());
    assert!(!place.file("home/simulator/out.jsonl").exists());
}
