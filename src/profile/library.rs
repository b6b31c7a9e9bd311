//! Every profile there is: those that come with this program, and the user's own.
//!
//! One broken profile hides no other: it is left out, and what is wrong with it is kept in
//! [`Library::problems`].

use std::path::Path;

use include_dir::{Dir, include_dir};

use super::folder::{self, Folder, MAX_IMAGE_BYTES, MAX_PROFILE_BYTES, PROFILE};
use super::{ImageSource, Problem, ProblemKind, Profile, Scope, parse};

static RECOVERY_IMAGES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/recovery-images");

/// Profiles by name.
#[derive(Debug)]
pub struct Library {
    known_chips: Vec<String>,
    entries: Vec<(Profile, Folder)>,
    problems: Vec<Problem>,
}

impl Library {
    /// The profiles that come with this program. `known_chips` is usually
    /// [`super::known_chips`].
    pub fn embedded(known_chips: &[&str]) -> Self {
        let mut library = Self::empty(known_chips);
        for folder in folder::embedded(&RECOVERY_IMAGES) {
            library.add(folder);
        }
        library
    }

    /// No profiles yet.
    pub fn empty(known_chips: &[&str]) -> Self {
        let known_chips = known_chips.iter().map(ToString::to_string).collect();
        Self { known_chips, entries: Vec::new(), problems: Vec::new() }
    }

    /// These profiles, and those at or up to three folders below `path`. A folder that does not
    /// exist adds none. A profile whose name is taken is left out and becomes a problem.
    #[must_use]
    pub fn with_user_folder(mut self, path: &Path) -> Self {
        for folder in folder::on_disk(path, &mut self.problems) {
            self.add(folder);
        }
        self
    }

    fn add(&mut self, folder: Folder) {
        let known: Vec<&str> = self.known_chips.iter().map(String::as_str).collect();
        let profile = match load(&folder, &known) {
            Ok(profile) => profile,
            Err(problems) => return self.problems.extend(problems),
        };
        let taken = self.entries.iter().find(|(other, _)| other.name == profile.name);
        if let Some((_, other)) = taken {
            let other = other.place_of(PROFILE);
            let kind = ProblemKind::DuplicateName { name: profile.name, other };
            self.problems.push(Problem { place: folder.place_of(PROFILE), line: None, kind });
        } else {
            self.entries.push((profile, folder));
        }
    }

    /// Every profile, those of this program first, each in the order of their folders.
    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.entries.iter().map(|(profile, _)| profile)
    }

    /// What was left out, and why.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The profile with that name.
    pub fn find(&self, name: &str) -> Option<&Profile> {
        self.profiles().find(|profile| profile.name == name)
    }

    /// The profiles with that chip and scope. Which of several it is, is not for this program to
    /// guess.
    pub fn for_chip(&self, model: &str, scope: Scope) -> Vec<&Profile> {
        self.profiles()
            .filter(|profile| profile.chip.model == model && profile.scope == scope)
            .collect()
    }

    /// The profile's file, or its path in this program's sources.
    pub fn place(&self, profile: &Profile) -> Option<String> {
        let (_, folder) = self.entries.iter().find(|(other, _)| other.name == profile.name)?;
        Some(folder.place_of(PROFILE))
    }

    /// The image that comes with a profile, checked against the profile's hash and size.
    ///
    /// # Errors
    /// [`ProblemKind::ImageNotShipped`] when none does, [`ProblemKind::FileMissing`],
    /// [`ProblemKind::ImageMismatch`] when it is another one.
    pub fn image_bytes(&self, profile: &Profile) -> Result<Vec<u8>, Problem> {
        let entry = self.entries.iter().find(|(other, _)| other.name == profile.name);
        let (profile, folder) = entry.ok_or_else(|| Problem {
            place: "the library".to_owned(),
            line: None,
            kind: ProblemKind::NoSuchProfile { name: profile.name.clone() },
        })?;
        shipped_image(profile, folder)?.ok_or_else(|| Problem {
            place: folder.place_of(PROFILE),
            line: None,
            kind: ProblemKind::ImageNotShipped { name: profile.name.clone() },
        })
    }
}

/// Checks the profile in a folder with all its files.
///
/// # Errors
/// Everything that is wrong.
pub fn check(folder: &Path, known_chips: &[&str]) -> Result<Profile, Vec<Problem>> {
    check_folder(&Folder::Disk(folder.to_owned()), known_chips)
}

fn check_folder(folder: &Folder, known_chips: &[&str]) -> Result<Profile, Vec<Problem>> {
    let profile = load(folder, known_chips)?;
    shipped_image(&profile, folder).map_err(|problem| vec![problem])?;
    if let ImageSource::Build { file, .. } = &profile.image.source {
        needed(folder, file).map_err(|problem| vec![problem])?;
    }
    Ok(profile)
}

fn load(folder: &Folder, known_chips: &[&str]) -> Result<Profile, Vec<Problem>> {
    let one = |place, kind| vec![Problem { place, line: None, kind }];
    let bytes = folder
        .read(PROFILE, MAX_PROFILE_BYTES)
        .map_err(|problem| vec![problem])?
        .ok_or_else(|| one(folder.place(), ProblemKind::NoProfile))?;
    let place = folder.place_of(PROFILE);
    let text = String::from_utf8(bytes).map_err(|error| {
        let why = error.utf8_error().to_string();
        one(place.clone(), ProblemKind::Unreadable { why })
    })?;
    parse(&text, &place, &folder.name(), known_chips)
}

/// The image in the folder, verified; `None` when the profile ships none.
fn shipped_image(profile: &Profile, folder: &Folder) -> Result<Option<Vec<u8>>, Problem> {
    let ImageSource::Shipped { file, .. } = &profile.image.source else { return Ok(None) };
    let bytes = needed(folder, file)?;
    let problem = |kind| Problem { place: folder.place_of(PROFILE), line: None, kind };
    profile.image.verify(&bytes).map_err(|mismatch| {
        problem(ProblemKind::ImageMismatch { file: file.clone(), mismatch: Box::new(mismatch) })
    })?;
    let (image_bytes, memory_bytes) = (bytes.len() as u64, profile.memory.size_bytes);
    if image_bytes > u64::from(memory_bytes) {
        return Err(problem(ProblemKind::ImageTooBigForMemory { image_bytes, memory_bytes }));
    }
    Ok(Some(bytes))
}

fn needed(folder: &Folder, file: &str) -> Result<Vec<u8>, Problem> {
    folder.read(file, MAX_IMAGE_BYTES)?.ok_or_else(|| Problem {
        place: folder.place_of(PROFILE),
        line: None,
        kind: ProblemKind::FileMissing { file: file.to_owned() },
    })
}
