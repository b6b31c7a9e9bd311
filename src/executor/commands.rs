//! The commands that are offered as next steps. Each can be pasted as it is: it names the same
//! bus, store, port and files as the command that was given, and keeps every choice that was
//! made. What a person has to fill in is one of the [`PLACEHOLDERS`].

use crate::failure::{Code, Failure};
use crate::rescue::choice::{Needs, Undecided, Way};
use crate::usb::PortPath;

/// The words of an offered command that a person replaces.
pub const PLACEHOLDERS: &[&str] = &["FILE", "VVVV:PPPP", "PORT"];

/// How the program was called. Every value is written as a shell takes it.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    /// The command with its argument: `recover --auto`, `recover restore ID`.
    pub verb: String,
    /// Options that say which bus, bench and store are meant, each behind a space.
    pub place: String,
    /// Of these, the options that say whose store is meant.
    pub store: String,
    /// Of these, the option that says where the user's own profiles are.
    pub home: String,
    /// `--port`.
    pub port: Option<String>,
    /// `--as`.
    pub family: Option<String>,
    /// `--image`.
    pub image: Option<String>,
    /// `--profile`.
    pub profile: Option<String>,
    /// `--ids`.
    pub ids: Option<String>,
    /// `--revision`.
    pub revision: Option<String>,
    /// `--serial`.
    pub serial: Option<String>,
    /// Consents that a rescue keeps until it is finished: `--yes`, `--force`.
    pub consents: Vec<String>,
    /// Other options of this one command: `--dry-run`, `--output FILE`.
    pub others: Vec<String>,
}

impl Commands {
    /// That command, with nothing else said.
    pub fn new(verb: &str) -> Self {
        Self { verb: verb.to_owned(), ..Self::default() }
    }

    /// The same command again, with every choice that was made.
    pub fn again(&self) -> String {
        let mut line = self.about_device(&self.verb);
        line.push_str(&options([
            ("--profile", &self.profile),
            ("--ids", &self.ids),
            ("--revision", &self.revision),
            ("--image", &self.image),
            ("--serial", &self.serial),
        ]));
        behind(line, self.consents.iter().chain(&self.others))
    }

    /// The same command with one more option, or without a second one of the kind.
    pub fn again_with(&self, option: &str) -> String {
        let again = self.again();
        let is_there = again.split(' ').any(|word| word == option);
        if is_there { again } else { format!("{again} {option}") }
    }

    /// Another command for the same device.
    fn about_device(&self, verb: &str) -> String {
        let place = &self.place;
        let device = options([("--port", &self.port), ("--as", &self.family)]);
        format!("{verb}{place}{device}")
    }

    /// A choice that is the owner's, with the command for each way to make it.
    pub(super) fn choice(&self, undecided: Undecided) -> Failure {
        let Undecided { code, what, place, ways } = undecided;
        let mut failure = Failure::new(code, what, place);
        failure.next.extend(ways.iter().map(|way| self.way(way)));
        failure
    }

    fn way(&self, way: &Way) -> String {
        match way {
            Way::Profile { name, needs: Needs::Nothing } => self.of_profile(name).again(),
            Way::Profile { name, needs: Needs::Ids } => {
                let ids = self.ids.clone().or_else(|| Some("VVVV:PPPP".to_owned()));
                let revision = self.revision.clone();
                let command = Self { image: None, ids, revision, ..self.of_profile(name) };
                format!("{}    (gives it USB IDs but no firmware)", command.again())
            }
            Way::Profile { name, needs: Needs::Image } => {
                Self { image: self.image_or_placeholder(), ..self.of_profile(name) }.again()
            }
            Way::OwnImage => {
                let command = self.without_profile().again();
                format!("{command}    (your own backup, or the vendor's image)")
            }
            Way::WithoutIds { name } => {
                let command = self.of_profile(name).again();
                format!("{command}    (with the profile's identity, without --ids)")
            }
            Way::WithoutProfile => {
                format!("{}    (without --profile)", self.without_profile().again())
            }
            Way::ShowProfile { name } => {
                format!("{}    (describes the image it needs)", self.show_profile(name))
            }
            Way::ListProfiles => {
                "recover profile list    (lists each profile with its chip)".to_owned()
            }
        }
    }

    fn image_or_placeholder(&self) -> Option<String> {
        self.image.clone().or_else(|| Some("FILE".to_owned()))
    }

    /// The same command with another profile, which says its IDs itself.
    fn of_profile(&self, name: &str) -> Self {
        let profile = Some(quoted(name));
        Self { profile, ids: None, revision: None, ..self.clone() }
    }

    /// The same command with an image in place of a profile and its values.
    fn without_profile(&self) -> Self {
        let image = self.image_or_placeholder();
        Self { image, profile: None, ids: None, revision: None, serial: None, ..self.clone() }
    }

    /// `recover resume`, for the same device. What it becomes is in the journal.
    pub fn resume(&self) -> String {
        behind(self.about_device("recover resume"), &self.consents)
    }

    /// `recover --auto`, for the same device.
    pub fn rescue(&self) -> String {
        self.about_device("recover --auto")
    }

    /// The same command for every device at once, where it has such a form.
    pub fn all(&self) -> Option<String> {
        let has_form = self.verb == "recover --auto" && self.port.is_none();
        (has_form && self.serial.is_none()).then(|| self.again_with("--all"))
    }

    /// The same commands for the device at that port.
    #[must_use]
    pub fn at(&self, port: &PortPath) -> Self {
        Self { port: Some(port.to_string()), ..self.clone() }
    }

    /// The same command with that chip family.
    #[must_use]
    pub fn as_family(&self, family: &str) -> Self {
        Self { family: Some(family.to_owned()), ..self.clone() }
    }

    /// `recover --auto` for the same device, with an image in place of other targets.
    pub fn rescue_with(&self, image: &str) -> String {
        format!("{} --image {}", self.about_device("recover --auto"), quoted(image))
    }

    /// `recover diagnose`, for the same device.
    pub fn diagnose(&self) -> String {
        self.about_device("recover diagnose")
    }

    /// `recover restore`, for the same device.
    pub fn restore(&self, backup: &str) -> String {
        self.about_device(&format!("recover restore {backup}"))
    }

    /// `recover profile show`.
    pub fn show_profile(&self, name: &str) -> String {
        format!("recover profile show {}{}", quoted(name), self.home)
    }

    /// `recover report`, for a unit of the ledger.
    pub fn report(&self, unit: &str) -> String {
        format!("recover report {unit}{} --html FILE", self.store)
    }

    /// `recover image inspect` for the image that was named, where one was.
    pub fn inspect(&self) -> Option<String> {
        self.image.as_ref().map(|image| format!("recover image inspect {image}"))
    }

    /// The failure with its commands about the same bus and the same store, where it was made
    /// by somebody who knows neither.
    #[must_use]
    pub fn located(&self, mut failure: Failure) -> Failure {
        for next in &mut failure.next {
            for (command, options) in [
                ("recover restore --list", &self.store),
                ("recover ledger list", &self.store),
                ("recover profile list", &self.home),
                ("recover list", &self.place),
            ] {
                let located = format!("{command}{options}");
                // With options of its own it is meant as it stands.
                if !next.contains(&format!("{command} --")) {
                    *next = next.replace(command, &located);
                }
            }
        }
        failure
    }

    /// An image that was refused, with the command that looks at it where it is a file.
    pub fn refused_image(&self, error: &crate::chip::ImageError, name: &str) -> Failure {
        let failure = Failure::from_image(error, name);
        match self.inspect() {
            Some(inspect) => Failure {
                next: [vec![format!("look at it with `{inspect}`")], failure.next].concat(),
                ..failure
            },
            None => failure,
        }
    }

    /// Several devices are meant: the same command for each port, with what is there.
    pub fn one_of(&self, what: String, place: &str, ports: &[(&PortPath, String)]) -> Failure {
        let mut failure = Failure::new(Code::R301, what, place);
        failure.next.extend(ports.iter().map(|(port, who)| match who.as_str() {
            "" => self.at(port).again(),
            who => format!("{}    ({who})", self.at(port).again()),
        }));
        failure
    }
}

fn options<const N: usize>(named: [(&str, &Option<String>); N]) -> String {
    let given = named.into_iter().filter_map(|(option, value)| Some((option, value.as_ref()?)));
    given.map(|(option, value)| format!(" {option} {value}")).collect()
}

fn behind<'w>(mut line: String, words: impl IntoIterator<Item = &'w String>) -> String {
    for word in words {
        line.push(' ');
        line.push_str(word);
    }
    line
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
