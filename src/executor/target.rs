//! What a memory is to hold: the profile and image that were chosen, checked, booted on the virtual
//! twin, and the identity that is promised.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::Request;
use super::candidate::{Candidate, would_be_in_boot_mode};
use super::event::Event;
use super::session::Session;
use crate::chip::{Finding, Identity, Image, ImageError, Recipe};
use crate::journal::Journal;
use crate::profile::{GuidanceTime, ImageSource, Profile};
use crate::rescue::choice::{
    Choice, NamedImage, OwnImage, Seen, choose_backup, choose_image, choose_profile, who_is_to_be,
};
use crate::rescue::outcome::sha256;
use crate::rescue::{Code, Failure, Preflight, Wish, Work};

/// An image with everything that was checked about it.
pub(super) struct Target {
    pub choice: Choice,
    pub image: Image,
    pub expected: Option<Identity>,
    /// Whether it is a backup that is put back.
    pub restoring: bool,
}

impl Session<'_> {
    /// A backup as something to write: an image where it is one, the bare bytes where it is not,
    /// for its owner may want a blank memory back.
    pub(super) fn restore_target(
        &mut self,
        candidate: &Candidate,
        finding: &Finding,
        choice: Choice,
    ) -> Target {
        let bytes = &choice.image.bytes;
        self.emit(&Event::Chosen {
            profile: None,
            image: choice.image.name.clone(),
            bytes: bytes.len(),
            sha256: sha256(bytes),
        });
        match candidate.chip.image_in_memory(finding.model, bytes) {
            Ok(image) => {
                let expected = image.identity.clone();
                let image = Image { bytes: bytes.clone(), ..image };
                Target { choice, image, expected, restoring: true }
            }
            Err(_) => {
                let image = Image {
                    bytes: bytes.clone(),
                    signature_bytes: 0,
                    identity: None,
                    contents: Vec::new(),
                };
                Target { choice, image, expected: None, restoring: true }
            }
        }
    }

    /// The profile and image, checked and booted on the virtual twin.
    pub(super) fn choose_target(
        &mut self,
        request: &Request,
        candidate: &Candidate,
        finding: &Finding,
    ) -> Result<Target, Failure> {
        let command = self.tools.commands.again.clone();
        let wish = self.wish(request, candidate)?;
        if let (Some(journal), Some(image)) = (taken_up(request, candidate), &wish.image)
            && journal.begun().restoring
        {
            if self.outcome.work == Some(Work::Rescue) {
                self.outcome.work = Some(Work::Restore);
            }
            let choice = Choice { profile: None, image: image.clone(), doubt: None };
            return Ok(self.restore_target(candidate, finding, choice));
        }
        let library = self.tools.library;
        let standing = candidate.suspicion.standing;
        let backups = match taken_up(request, candidate) {
            Some(_) => Vec::new(),
            None => self.own_backups(candidate, finding, &wish)?,
        };
        let named = wish.profile.as_ref().and_then(|name| library.find(name));
        let offered = match choose_backup(&wish, named, standing, &backups) {
            OwnImage::None => Vec::new(),
            OwnImage::Take(backup) => {
                let choice = self.take_backup(backup);
                return self.check_target(request, candidate, finding, choice);
            }
            OwnImage::Offer(backups) => self.offered(&backups),
        };
        let with_offers = |mut failure: Failure| {
            failure.next.splice(0..0, offered.iter().cloned());
            failure
        };
        let profile = choose_profile(
            &wish,
            &Seen { model: finding.model, standing, ids: candidate.seen.ids },
            self.tools.scope,
            library.profiles(),
            &command,
        )
        .map_err(with_offers)?;
        if let (Some(profile), Some(_)) = (profile, wish.ids) {
            who_is_to_be(&wish, profile, &command)?;
        }
        let shipped = match profile {
            Some(profile)
                if wish.image.is_none()
                    && matches!(profile.image.source, ImageSource::Shipped { .. }) =>
            {
                let bytes = library.image_bytes(profile).map_err(|problem| {
                    let place = format!("profile {}", profile.name);
                    Failure::new(Code::R309, problem.to_string(), place).next(problem.kind.remedy())
                })?;
                Some(self.with_own_serial(candidate, finding, profile, &wish, bytes)?)
            }
            Some(profile) if wish.image.is_none() => {
                self.made_from_values(candidate, finding, profile, &wish)?
            }
            _ => None,
        };
        let named = choose_image(&wish, profile, shipped, &command).map_err(with_offers)?;
        for offer in &offered {
            self.note(format!("a backup holds a whole image as well: {offer}"));
        }
        let mut profile = profile.cloned();
        self.at_restart = profile
            .iter()
            .flat_map(|profile| profile.by_hand(GuidanceTime::Restart))
            .cloned()
            .collect();
        if let Some(claim) = profile.as_mut().and_then(|profile| profile.identity.as_mut())
            && let Some(serial) = &wish.serial
        {
            claim.identity.serial = Some(serial.clone());
        }
        let choice = Choice { profile, image: named, doubt: None };
        self.check_target(request, candidate, finding, choice)
    }

    /// A shipped image with a serial number in the place it keeps for one.
    fn with_own_serial(
        &mut self,
        candidate: &Candidate,
        finding: &Finding,
        profile: &Profile,
        wish: &Wish,
        bytes: Vec<u8>,
    ) -> Result<Vec<u8>, Failure> {
        if !profile.image.own_serial {
            return Ok(bytes);
        }
        let built = candidate
            .chip
            .with_serial(finding.model, &bytes, wish.serial.as_deref(), unique())
            .map_err(|error| Failure::from_image(&error, &profile.name))?;
        for note in built.notes {
            self.note(note);
        }
        Ok(built.bytes)
    }

    /// The image of a profile that gives values instead of bytes; `None` where it does not.
    fn made_from_values(
        &mut self,
        candidate: &Candidate,
        finding: &Finding,
        profile: &Profile,
        wish: &Wish,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let ImageSource::Values { settings } = &profile.image.source else { return Ok(None) };
        let Some(mut identity) = who_is_to_be(wish, profile, &self.tools.commands.again)? else {
            return Ok(None);
        };
        identity.serial = wish.serial.clone().or(identity.serial);
        let settings = settings.clone();
        let recipe = Recipe { identity, unique: unique(), settings, firmware: None };
        let built = candidate
            .chip
            .build_image(finding.model, &recipe)
            .map_err(|error| Failure::from_image(&error, &profile.name))?;
        for note in built.notes {
            self.note(note);
        }
        Ok(Some(built.bytes))
    }

    /// What the user asked for; where that is nothing, what an unfinished rescue was about.
    pub(super) fn wish(&self, request: &Request, candidate: &Candidate) -> Result<Wish, Failure> {
        match taken_up(request, candidate) {
            Some(journal) => {
                let begun = journal.begun();
                let bytes = self.tools.store.kept_image(&begun.image_sha256)?;
                let image = NamedImage { name: begun.image.clone(), bytes };
                Ok(Wish { profile: begun.profile.clone(), image: Some(image), ..Wish::default() })
            }
            None => Ok(request.wish.clone()),
        }
    }

    pub(super) fn check_target(
        &mut self,
        request: &Request,
        candidate: &Candidate,
        finding: &Finding,
        choice: Choice,
    ) -> Result<Target, Failure> {
        let name = choice.image.name.clone();
        let chip = candidate.chip;
        let image = match chip.read_image(finding.model, &choice.image.bytes) {
            Err(ImageError::OtherModel { other, why, .. }) if request.force => {
                self.note(format!("the image is for an {other} and --force was given: {why}"));
                chip.read_image(other, &choice.image.bytes)
            }
            result => result,
        }
        .map_err(|error| Failure::from_image(&error, &name))?;
        self.emit(&Event::Chosen {
            profile: choice.profile.as_ref().map(|profile| profile.name.clone()),
            image: name.clone(),
            bytes: image.bytes.len(),
            sha256: sha256(&choice.image.bytes),
        });
        let preflight = self.tools.twin.boot(finding.model, &image);
        self.emit(&Event::Preflight { preflight: preflight.clone() });
        let derived = match preflight {
            Preflight::CameUp { identity } => Some(identity),
            Preflight::Failed { why } if !request.force => {
                return Err(Failure::new(Code::R211, why, format!("image {name}"))
                    .next("check that the image is for this very chip: `recover image inspect`")
                    .next("to write it all the same, add --force"));
            }
            Preflight::Failed { why } => {
                self.note(format!("the image failed its pre-flight and --force was given: {why}"));
                image.identity.clone()
            }
            Preflight::Inconclusive { why } => {
                self.note(format!("the pre-flight could not tell whether this image comes up: {why}. The image then rests on its structure, its hash and your choice of file"));
                image.identity.clone()
            }
        };
        let expected = self.expected(request, &choice, derived)?;
        self.outcome.identity.expected = expected.clone();
        Ok(Target { choice, image, expected, restoring: false })
    }

    /// Who is to come up: what the image shows, held against what the profile promises.
    pub(super) fn expected(
        &self,
        request: &Request,
        choice: &Choice,
        derived: Option<Identity>,
    ) -> Result<Option<Identity>, Failure> {
        let place = format!("image {}", choice.image.name);
        let promised = choice.promised();
        if let (Some(promised), Some(derived)) = (promised, &derived) {
            let differences = promised.differences(derived);
            if !differences.is_empty() && !request.force {
                let what = format!("it would come up with {}", differences.join(", "));
                return Err(Failure::new(Code::R214, what, place)
                    .next("choose the profile that fits the image, or leave --profile out")
                    .next("to write it all the same, add --force"));
            }
        }
        let expected = derived.or_else(|| promised.cloned());
        if let Some(identity) = &expected
            && would_be_in_boot_mode(identity)
            && !request.force
        {
            let what =
                format!("it would come up as {}, which is a chip in boot mode", identity.ids);
            return Err(Failure::new(Code::R210, what, place)
                .next("take the enclosure's own image; this one would leave it as it is"));
        }
        Ok(expected)
    }
}

/// The unfinished rescue that says what is to be done, where the user does not.
pub(super) fn taken_up<'c>(request: &Request, candidate: &'c Candidate) -> Option<&'c Journal> {
    let asked = request.wish.profile.is_some() || request.wish.image.is_some();
    candidate.unfinished.as_ref().filter(|_| !asked)
}

impl Target {
    /// How many bytes of the memory concern this target.
    pub fn want(&self) -> u32 {
        let image = u32::try_from(self.image.bytes.len()).unwrap_or(u32::MAX);
        let part = self.choice.profile.as_ref().map(|profile| profile.memory.size_bytes);
        image.max(part.unwrap_or(0))
    }
}

/// Bytes that no other run has: the random keys the standard library draws for its hash tables.
pub fn unique() -> [u8; 8] {
    RandomState::new().build_hasher().finish().to_le_bytes()
}
