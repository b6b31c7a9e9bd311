//! Which image a device is to get: the one of an unfinished rescue, the owner's own backup, or that
//! of a profile or a file, in this order. The decisions are in [`crate::rescue::choice`].

use std::hash::{BuildHasher, Hasher, RandomState};

use super::candidate::Candidate;
use super::run::Run;
use super::target::{Target, check_target, restore_target};
use super::{Request, own_backup};
use crate::chip::{Finding, Recipe};
use crate::failure::{Code, Failure};
use crate::journal::Journal;
use crate::profile::{ImageSource, Profile};
use crate::rescue::choice::{
    Choice, NamedImage, OwnImage, Seen, choose_backup, choose_image, choose_profile,
    requested_identity,
};
use crate::rescue::{RunKind, RunStage, TargetRequest};

/// Chooses the image, and has it checked.
pub(super) fn choose_target(
    run: &mut Run<'_>,
    request: &Request,
    candidate: &Candidate,
    finding: &Finding,
) -> Result<Target, Failure> {
    run.enter(RunStage::Preflight);
    let requested = target_request(run, request, candidate)?;
    let unfinished = unfinished_rescue(request, candidate);
    if let (Some(journal), Some(image)) = (unfinished, &requested.image)
        && journal.begun().restoring
    {
        if run.outcome.work == Some(RunKind::Rescue) {
            run.outcome.work = Some(RunKind::Restore);
        }
        let choice = Choice { profile: None, image: image.clone(), doubt: None };
        return Ok(restore_target(run, candidate, finding, choice));
    }
    let backups = match unfinished {
        Some(_) => Vec::new(),
        None => own_backup::own_backups(run, candidate, finding, &requested)?,
    };
    let named = requested.profile.as_ref().and_then(|name| run.tools.library.find(name));
    let choice = match choose_backup(&requested, named, candidate.suspicion.id_meaning, &backups) {
        OwnImage::Take(backup) => own_backup::take_backup(run, backup),
        OwnImage::None => by_profile(run, candidate, finding, &requested)?,
        OwnImage::Offer(backups) => {
            let offered = own_backup::offered(run, &backups);
            let choice =
                by_profile(run, candidate, finding, &requested).map_err(|mut failure| {
                    failure.next.splice(0..0, offered.iter().cloned());
                    failure
                })?;
            for offer in &offered {
                run.note(format!("a backup also holds a whole image: {offer}"));
            }
            choice
        }
    };
    check_target(run, request, candidate, finding, choice)
}

/// The profile and the image that the wish names, or that fit the device.
fn by_profile(
    run: &mut Run<'_>,
    candidate: &Candidate,
    finding: &Finding,
    requested: &TargetRequest,
) -> Result<Choice, Failure> {
    let library = run.tools.library;
    let told = {
        let commands = run.tools.commands.clone();
        move |undecided| commands.choice(undecided)
    };
    let id_meaning = candidate.suspicion.id_meaning;
    let seen = Seen { model: finding.model, id_meaning, ids: candidate.seen.ids };
    let profile =
        choose_profile(requested, &seen, run.tools.scope, library.profiles()).map_err(&told)?;
    if let (Some(profile), Some(_)) = (profile, requested.ids) {
        requested_identity(requested, profile).map_err(&told)?;
    }
    let of_profile = match profile {
        Some(profile) if requested.image.is_none() => {
            image_of_profile(run, candidate, finding, profile, requested)?
        }
        _ => None,
    };
    let image = choose_image(requested, profile, of_profile).map_err(&told)?;
    let mut profile = profile.cloned();
    if let Some(claim) = profile.as_mut().and_then(|profile| profile.identity.as_mut())
        && let Some(serial) = &requested.serial
    {
        claim.identity.serial = Some(serial.clone());
    }
    Ok(Choice { profile, image, doubt: None })
}

/// The image that a profile ships or gives the values for; `None` where the user has to bring it.
fn image_of_profile(
    run: &mut Run<'_>,
    candidate: &Candidate,
    finding: &Finding,
    profile: &Profile,
    requested: &TargetRequest,
) -> Result<Option<Vec<u8>>, Failure> {
    match &profile.image.source {
        ImageSource::Shipped { .. } => {
            let bytes = run.tools.library.image_bytes(profile).map_err(|problem| {
                let place = format!("profile {}", profile.name);
                Failure::new(Code::R309, problem.to_string(), place).next(problem.kind.remedy())
            })?;
            with_own_serial(run, candidate, finding, profile, requested, bytes).map(Some)
        }
        _ => build_from_values(run, candidate, finding, profile, requested),
    }
}

/// A shipped image with a serial number in the place it keeps for one.
fn with_own_serial(
    run: &mut Run<'_>,
    candidate: &Candidate,
    finding: &Finding,
    profile: &Profile,
    requested: &TargetRequest,
    bytes: Vec<u8>,
) -> Result<Vec<u8>, Failure> {
    if !profile.image.own_serial {
        return Ok(bytes);
    }
    let built = candidate
        .chip
        .with_serial(finding.model, &bytes, requested.serial.as_deref(), unique())
        .map_err(|error| Failure::from_image(&error, &profile.name))?;
    for note in built.notes {
        run.note(note);
    }
    Ok(built.bytes)
}

/// The image of a profile that gives values instead of bytes; `None` where it does not.
fn build_from_values(
    run: &mut Run<'_>,
    candidate: &Candidate,
    finding: &Finding,
    profile: &Profile,
    requested: &TargetRequest,
) -> Result<Option<Vec<u8>>, Failure> {
    let ImageSource::Values { settings } = &profile.image.source else { return Ok(None) };
    let who = requested_identity(requested, profile)
        .map_err(|undecided| run.tools.commands.choice(undecided))?;
    let Some(mut identity) = who else {
        return Ok(None);
    };
    identity.serial = requested.serial.clone().or(identity.serial);
    let settings = settings.clone();
    let recipe = Recipe { identity, unique: unique(), settings, firmware: None };
    let built = candidate
        .chip
        .build_image(finding.model, &recipe)
        .map_err(|error| Failure::from_image(&error, &profile.name))?;
    for note in built.notes {
        run.note(note);
    }
    Ok(Some(built.bytes))
}

/// What the user asked for; where that is nothing, what an unfinished rescue was about.
fn target_request(
    run: &Run<'_>,
    request: &Request,
    candidate: &Candidate,
) -> Result<TargetRequest, Failure> {
    match unfinished_rescue(request, candidate) {
        Some(journal) => {
            let begun = journal.begun();
            let bytes = run.tools.store.kept_image(&begun.image_sha256)?;
            let image = NamedImage { name: begun.image.clone(), bytes };
            // One that is gone since is not needed: the image is kept.
            let library = run.tools.library;
            let profile = begun.profile.clone().filter(|name| library.find(name).is_some());
            Ok(TargetRequest { profile, image: Some(image), ..TargetRequest::default() })
        }
        None => Ok(request.target.clone()),
    }
}

/// The unfinished rescue that says what is to be done, where the user does not.
pub(super) fn unfinished_rescue<'c>(
    request: &Request,
    candidate: &'c Candidate,
) -> Option<&'c Journal> {
    let asked = request.target.profile.is_some() || request.target.image.is_some();
    candidate.unfinished.as_ref().filter(|_| !asked)
}

/// Bytes that no other run has: the random keys the standard library draws for its hash tables.
pub fn unique() -> [u8; 8] {
    RandomState::new().build_hasher().finish().to_le_bytes()
}
