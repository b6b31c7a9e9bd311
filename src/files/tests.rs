use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::*;

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn an_id_that_would_lead_out_of_a_folder_is_no_name() {
    for name in ["2026-11-22T10-02-33-sl11r-2", "ab_c.d"] {
        assert!(is_plain_name(name), "{name}");
    }
    let long = "a".repeat(MAX_NAME + 1);
    for name in ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "a\0", "a b", "é", &long] {
        assert!(!is_plain_name(name), "{name:?}");
    }
}

#[test]
fn a_file_longer_than_the_limit_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image");
    fs::write(&path, [7; 16]).unwrap();
    assert_eq!(read(&path, 16).unwrap(), [7; 16]);
    assert_eq!(read(&path, 15).unwrap_err().kind(), ErrorKind::FileTooLarge);
    // A hole of a terabyte.
    fs::File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(read(&path, 1 << 24).unwrap_err().kind(), ErrorKind::FileTooLarge);
    assert_eq!(read_kept(&path, 16).unwrap_err().kind(), ErrorKind::FileTooLarge);
}

#[test]
#[cfg(unix)]
fn a_pipe_a_socket_a_device_and_a_folder_are_refused_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let zero = Path::new("/dev/zero");
    for (path, word) in
        [(pipe.as_path(), "pipe"), (&socket, "socket"), (zero, "device"), (folder.path(), "folder")]
    {
        let said = read(path, 1 << 20).unwrap_err().to_string();
        assert_eq!(said, format!("it is a {word}, not a regular file"));
        assert_eq!(read_kept(path, 1 << 20).unwrap_err().to_string(), said);
    }
}

#[test]
#[cfg(unix)]
fn a_symbolic_link_is_followed_for_a_user_and_never_in_the_home_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    fs::write(&file, "text").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(read_text(&link, 16).unwrap(), "text");
    for access in [Access::Read, Access::Write, Access::Append] {
        let said = open_kept(&link, access).unwrap_err().to_string();
        assert_eq!(said, "it is a symbolic link, not a regular file");
    }
    assert_eq!(create_new(&link).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&file).unwrap(), "text");
}

#[test]
#[cfg(unix)]
fn what_is_made_in_the_home_folder_is_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("above/home");
    make_folder(&home).unwrap();
    make_folder(&home).unwrap();
    create_new(&home.join("new")).unwrap();
    put_new(&home, "put", b"1").unwrap();
    replace(&home.join("replaced"), b"1").unwrap();
    for name in ["new", "put", "replaced"] {
        assert_eq!(mode(&home.join(name)), 0o600, "{name}");
    }
    assert_eq!((mode(&home), mode(home.parent().unwrap())), (0o700, 0o700));
}

#[test]
fn a_file_is_replaced_only_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    put_new(folder.path(), "file", b"old").unwrap();
    let again = put_new(folder.path(), "file", b"new").unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    let path = folder.path().join("file");
    assert_eq!(fs::read(&path).unwrap(), b"old");
    replace(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a draft was left");
}
