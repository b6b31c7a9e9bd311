//! Which profile and which image: decided where the evidence decides it, otherwise handed back to
//! the owner with the commands to choose from. Nothing is guessed.

mod own_backup;

pub use own_backup::{OwnBackup, OwnImage, choose_backup};

use crate::chip::{Identity, Model, Standing};
use crate::failure::{Code, Failure};
use crate::profile::{ImageSource, Profile, Scope};
use crate::usb::Ids;

/// An image file as the user named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedImage {
    /// File name, for messages.
    pub name: String,
    /// Its bytes, as they are in the file.
    pub bytes: Vec<u8>,
}

/// What the user asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// `--profile`.
    pub profile: Option<String>,
    /// `--image`.
    pub image: Option<NamedImage>,
    /// `--ids`: who it is to be, where the profile leaves that open.
    pub ids: Option<Ids>,
    /// `--revision`: its bcdDevice, with `ids`.
    pub revision: Option<u16>,
    /// `--serial`: the serial number on the label, for an image made from values.
    pub serial: Option<String>,
}

/// What the memory is to hold.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The enclosure model, where one was chosen.
    pub profile: Option<Profile>,
    /// The image.
    pub image: NamedImage,
    /// Why it might not be this enclosure's, where that was concluded and not said; a sentence
    /// without its full stop.
    pub doubt: Option<String>,
}

impl Choice {
    /// The identity the profile promises.
    pub fn promised(&self) -> Option<&Identity> {
        self.profile.as_ref().and_then(Profile::promised)
    }
}

/// What is known of the device that a profile is chosen for.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// The proven chip.
    pub model: Model,
    /// What its id says of its health.
    pub standing: Standing,
    /// Its ids.
    pub ids: Ids,
}

/// The profile for a device, or `None` when an image alone was asked for.
///
/// `profiles` is every profile known; `command` the start of the command line to show in choices.
///
/// # Errors
/// R302, R303, R306, R307, R308, R310.
pub fn choose_profile<'p>(
    wish: &Wish,
    seen: &Seen,
    scope: Scope,
    profiles: impl Iterator<Item = &'p Profile>,
    command: &str,
) -> Result<Option<&'p Profile>, Failure> {
    let Seen { model, standing, ids } = *seen;
    if let Some(name) = &wish.profile {
        return named(name, model, scope, profiles).map(Some);
    }
    if wish.image.is_some() {
        return Ok(None);
    }
    let fitting: Vec<&Profile> = profiles
        // A generic profile promises nothing that would be untrue of a simulated device.
        .filter(|profile| profile.scope == scope || profile.identity.is_none())
        .filter(|profile| profile.chip.model == model.name)
        // An unlisted id is in no profile either; its owner chooses from all of the chip.
        .filter(|profile| {
            standing == Standing::Unlisted || profile.sightings.iter().any(|s| s.ids == ids)
        })
        .collect();
    let choices = fitting.iter().map(|profile| as_chosen(command, profile));
    let own_image = format!("{command} --image FILE    (your own backup, or the vendor's image)");
    let why = match standing {
        Standing::SharedBootId => {
            Some("boards without any firmware of their own use this id as well")
        }
        Standing::Unlisted => Some("this id is in no table"),
        Standing::BootId | Standing::Running => None,
    };
    if let Some(why) = why {
        let what = format!(
            "{why}, so a {model} under it is not rescued until you say what it should become"
        );
        let mut failure = Failure::new(Code::R310, what, "choice of the profile");
        failure.next.extend(choices);
        return Err(failure.next(own_image));
    }
    match fitting.as_slice() {
        [only] => Ok(Some(only)),
        [] => {
            let what = format!("no profile for a {model} is known, so the image must be named");
            Err(Failure::new(Code::R303, what, "choice of the profile").next(own_image))
        }
        _ => {
            let what = format!("{} profiles fit a {model}", fitting.len());
            let mut failure = Failure::new(Code::R302, what, "choice of the profile");
            failure.next.extend(choices);
            Err(failure.next(own_image))
        }
    }
}

/// The command that chooses a profile, with what has to be said besides.
fn as_chosen(command: &str, profile: &Profile) -> String {
    let name = &profile.name;
    match (&profile.identity, &profile.image.source) {
        (None, ImageSource::Values { .. }) => {
            format!("{command} --profile {name} --ids VVVV:PPPP    (its ids and no firmware)")
        }
        (None, _) => format!("{command} --profile {name} --image FILE"),
        (Some(_), _) => format!("{command} --profile {name}"),
    }
}

/// Who an image that is made from values is to be: what the profile says, or what its owner says
/// where the profile leaves it open; `None` where nobody says.
///
/// # Errors
/// R311 where both do.
pub fn who_is_to_be(
    wish: &Wish,
    profile: &Profile,
    command: &str,
) -> Result<Option<Identity>, Failure> {
    match (profile.promised(), wish.ids) {
        (promised, None) => Ok(promised.cloned()),
        (None, Some(ids)) => Ok(Some(Identity {
            ids,
            bcd_device: wish.revision,
            interface_class: None,
            manufacturer: None,
            product: None,
            serial: None,
        })),
        (Some(promised), Some(_)) => {
            let name = &profile.name;
            let what = format!("the profile {name} says itself that it is {}", promised.ids);
            Err(Failure::new(Code::R311, what, "--ids")
                .next(format!("{command} --profile {name}    (as the profile says)"))
                .next("or name a generic profile: `recover profile list`"))
        }
    }
}

fn named<'p>(
    name: &str,
    model: Model,
    scope: Scope,
    mut profiles: impl Iterator<Item = &'p Profile>,
) -> Result<&'p Profile, Failure> {
    let place = format!("--profile {name}");
    let profile = profiles.find(|profile| profile.name == name).ok_or_else(|| {
        let what = format!("no profile is called {name:?}");
        Failure::new(Code::R306, what, &*place).next("list them with `recover profile list`")
    })?;
    if profile.chip.model != model.name {
        let what =
            format!("the profile is for the chip {:?}, this is a {model}", profile.chip.model);
        return Err(Failure::new(Code::R307, what, place)
            .next("list the profiles with their chips: `recover profile list`"));
    }
    if profile.scope == Scope::Simulator && scope == Scope::Hardware {
        let what = "its firmware carries no disk and is for the simulator only";
        return Err(Failure::new(Code::R308, what, place)
            .next("name the enclosure's own profile; `recover profile list` shows them"));
    }
    Ok(profile)
}

/// The bytes to write, once the profile is known. `shipped` are the bytes the profile ships.
///
/// # Errors
/// R303 when the image must be supplied and was not; R209 when it is not the one the profile
/// names.
pub fn choose_image(
    wish: &Wish,
    profile: Option<&Profile>,
    shipped: Option<Vec<u8>>,
    command: &str,
) -> Result<NamedImage, Failure> {
    if let Some(image) = &wish.image {
        let mismatch = profile.map(|profile| profile.image.verify_written(&image.bytes));
        if let Some(Err(mismatch)) = mismatch {
            let place = format!("image {}", image.name);
            return Err(Failure::new(Code::R209, mismatch.to_string(), place)
                .next(
                    "check that the file is the one the profile describes: `recover profile show`",
                )
                .next("or leave --profile out to rest on this file alone"));
        }
        return Ok(image.clone());
    }
    let name = profile.map_or_else(|| "?".to_owned(), |profile| profile.name.clone());
    match (profile, shipped) {
        (Some(_), Some(bytes)) => Ok(NamedImage { name, bytes }),
        (Some(profile), None) => {
            let from = match profile.image.source {
                ImageSource::Supply { .. } => "must come from you",
                ImageSource::Build { .. } => "must be built first",
                ImageSource::Values { .. } => "is made from what you say",
                ImageSource::Shipped { .. } => "is missing",
            };
            let words: Vec<&str> = profile.image.description.split_whitespace().collect();
            let description = words.join(" ");
            let description = description.trim_end_matches('.');
            let what = format!("the image for {} {from}: {description}", profile.title);
            let failure = Failure::new(Code::R303, what, format!("profile {name}"));
            let failure = match profile.image.source {
                ImageSource::Values { .. } => failure.next(as_chosen(command, profile)),
                _ => failure,
            };
            Err(failure.next(format!("{command} --profile {name} --image FILE")))
        }
        (None, _) => Err(Failure::new(Code::R303, "no image was named", "choice of the image")
            .next(format!("{command} --image FILE"))),
    }
}
