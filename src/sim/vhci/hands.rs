//! Hands for a plugged-in enclosure: a second program asks the one that plays the device to pull
//! its plug, to put it back, to disturb it, or how it is. One line each way over a Unix socket
//! that only root reaches, as only root plugs in.

use std::fs::{self, Permissions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use std::{fmt, thread};

use super::plug::Message;
use crate::sim::faults::Faults;
use crate::usb::PortPath;

/// Where the sockets are, one a port.
const FOLDER: &str = "/run/recover";
/// Most bytes of a line.
const MAX_LINE: u64 = 4096;
/// Longest wait for a device that is busy with a transfer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What hands can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Tell how it is.
    Status,
    /// Put the plug in, or pull it.
    Power(bool),
    /// Disturb transfers, counted from 1 from now on.
    Disturb(Faults),
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status => f.write_str("status"),
            Self::Power(true) => f.write_str("power on"),
            Self::Power(false) => f.write_str("power off"),
            Self::Disturb(faults) => write!(f, "fault {faults}"),
        }
    }
}

impl FromStr for Command {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        match line.split_once(' ') {
            None if line == "status" => Ok(Self::Status),
            Some(("power", "on")) => Ok(Self::Power(true)),
            Some(("power", "off")) => Ok(Self::Power(false)),
            Some(("fault", faults)) => {
                faults.parse().map(Self::Disturb).map_err(|error| format!("{error}"))
            }
            _ => Err(format!("`{line}` is not a command")),
        }
    }
}

fn socket(folder: &Path, port: &PortPath) -> PathBuf {
    folder.join(format!("{port}.socket"))
}

/// Takes commands for the device on `port` and hands them to `inbox`, for as long as the program
/// runs.
pub(super) fn serve(port: &PortPath, inbox: Sender<Message>) -> io::Result<()> {
    serve_in(Path::new(FOLDER), port, inbox)
}

fn serve_in(folder: &Path, port: &PortPath, inbox: Sender<Message>) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    let path = socket(folder, port);
    // The kernel gives a port to one program only: what lies here is of one that has ended.
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    thread::Builder::new().name(format!("hands {port}")).spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            if let Err(error) = answer(stream, &inbox) {
                log::debug!("hands: {error}");
            }
        }
    })?;
    Ok(())
}

fn answer(mut stream: UnixStream, inbox: &Sender<Message>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let line = read_line(&stream)?;
    let answer = match line.parse() {
        Ok(command) => {
            let (reply, answer) = channel();
            // A device whose thread has ended drops its inbox, and with it the reply.
            let _ = inbox.send(Message::Command(command, reply));
            answer.recv_timeout(PATIENCE).unwrap_or_else(|_| refusal("the device is gone"))
        }
        Err(why) => refusal(&why),
    };
    stream.write_all(answer.as_bytes())
}

fn refusal(why: &str) -> String {
    serde_json::json!({ "error": why }).to_string()
}

fn read_line(stream: &UnixStream) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(MAX_LINE)).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

/// Asks the program that plays the device on `port`; the answer is a JSON object.
///
/// # Errors
/// When nothing is plugged in there by this program, or it may not be reached.
pub fn ask(port: &PortPath, command: &Command) -> io::Result<String> {
    ask_in(Path::new(FOLDER), port, command)
}

fn ask_in(folder: &Path, port: &PortPath, command: &Command) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket(folder, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{command}\n").as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    read_line(&stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_written_as_they_are_read() {
        for text in ["status", "power on", "power off", "fault unplug@3+1500us,seed=7"] {
            assert_eq!(text.parse::<Command>().unwrap().to_string(), text);
        }
        for text in ["", "power", "power up", "fault melt@3", "status now"] {
            assert!(text.parse::<Command>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_command_reaches_the_device_and_its_answer_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let port = PortPath::new(1, vec![2]);
        assert!(ask_in(folder.path(), &port, &Command::Status).is_err(), "nobody is there yet");
        let (inbox, device) = channel();
        serve_in(folder.path(), &port, inbox).unwrap();
        let player = thread::spawn(move || match device.recv().unwrap() {
            Message::Command(command, reply) => reply.send(format!("{{\"did\":\"{command}\"}}")),
            _ => panic!("not a command"),
        });
        let answer = ask_in(folder.path(), &port, &Command::Power(false)).unwrap();
        assert_eq!(answer, r#"{"did":"power off"}"#);
        player.join().unwrap().unwrap();
        // The device's thread has ended.
        let answer = ask_in(folder.path(), &port, &Command::Status).unwrap();
        assert_eq!(answer, r#"{"error":"the device is gone"}"#);
    }
}
