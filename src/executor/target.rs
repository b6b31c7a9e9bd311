//! What a memory is to hold, with everything that was checked about it: read by the chip's own
//! rules, booted on the virtual twin, held against the identity that the profile promises.

use super::Request;
use super::candidate::{Candidate, is_boot_mode_identity};
use super::event::Event;
use super::run::Run;
use crate::chip::{Finding, Identity, Image, ImageError, Segment};
use crate::failure::{Code, Failure};
use crate::profile::{Guidance, GuidanceTime};
use crate::rescue::Preflight;
use crate::rescue::choice::Choice;
use crate::rescue::outcome::sha256;
use crate::wording::with_article;

/// How a refusal of an image is overridden.
const FORCE: &str = "to write it all the same, add --force and name the device with --port";

/// A checked image. Only [`check_target`] and [`restore_target`] make one.
pub(super) struct Target {
    pub choice: Choice,
    pub image: Image,
    /// Who is to come up; `None` for a backup of a memory that never booted.
    pub expected: Option<Identity>,
    /// Whether it is a backup that is put back.
    pub restoring: bool,
    /// What the profile knows to be done while the device's power is away.
    pub while_off: Vec<Guidance>,
    /// Keeps other modules from making one.
    _checked: (),
}

impl Target {
    fn new(choice: Choice, image: Image, expected: Option<Identity>, restoring: bool) -> Self {
        let profile = choice.profile.iter();
        let steps = profile.flat_map(|profile| profile.by_hand(GuidanceTime::Restart));
        let while_off = steps.cloned().collect();
        Self { choice, image, expected, restoring, while_off, _checked: () }
    }

    /// Whether a serial number in it is this unit's alone: from its backup, or put in for it.
    pub fn has_own_serial(&self) -> bool {
        self.restoring || self.choice.profile.as_ref().is_some_and(|of| of.image.own_serial)
    }

    /// How many bytes of the memory concern this target.
    pub fn want(&self) -> u32 {
        let image = self.image.end();
        let part = self.choice.profile.as_ref().map(|profile| profile.memory.size_bytes);
        image.max(part.unwrap_or(0))
    }
}

/// A backup as something to write: an image where it is one, the bare bytes where it is not,
/// for its owner may want a blank memory back.
pub(super) fn restore_target(
    run: &mut Run<'_>,
    candidate: &Candidate,
    finding: &Finding,
    choice: Choice,
) -> Target {
    let bytes = &choice.image.bytes;
    run.emit(&Event::Chosen {
        profile: None,
        image: choice.image.name.clone(),
        bytes: bytes.len(),
        sha256: sha256(bytes),
    });
    match candidate.chip.image_in_memory(finding.model, bytes) {
        Ok(image) => {
            let expected = image.identity.clone();
            // All of the backup, also what lies behind the image and what is the unit's own.
            let segments = vec![Segment { address: 0, bytes: bytes.clone() }];
            let image = Image { segments, keep: Vec::new(), ..image };
            Target::new(choice, image, expected, true)
        }
        Err(_) => {
            let commit = candidate.chip.boot_ranges(finding.model);
            let image = Image::at_address_zero(bytes.clone(), commit);
            Target::new(choice, image, None, true)
        }
    }
}

/// An image whose structure is checked and that was booted on the virtual twin.
///
/// # Errors
/// R201 to R208, R210, R211, R214.
pub(super) fn check_target(
    run: &mut Run<'_>,
    request: &Request,
    candidate: &Candidate,
    finding: &Finding,
    choice: Choice,
) -> Result<Target, Failure> {
    let name = choice.image.name.clone();
    let chip = candidate.chip;
    let image = match chip.read_image(finding.model, &choice.image.bytes) {
        Err(ImageError::OtherModel { other, why, .. }) if request.force => {
            run.note(format!(
                "the image is for {}, but --force was given: {why}",
                with_article(other.title)
            ));
            chip.read_image(other, &choice.image.bytes)
        }
        result => result,
    }
    .map_err(|error| run.tools.commands.refused_image(&error, &name))?;
    run.emit(&Event::Chosen {
        profile: choice.profile.as_ref().map(|profile| profile.name.clone()),
        image: name.clone(),
        bytes: image.segments.iter().map(|segment| segment.bytes.len()).sum(),
        sha256: sha256(&choice.image.bytes),
    });
    for note in &image.notes {
        run.note(format!("image {name}: {note}"));
    }
    let preflight = run.tools.twin.boot(finding.model, &image);
    run.emit(&Event::Preflight { preflight: preflight.clone() });
    let derived = match preflight {
        Preflight::CameUp { identity } => Some(identity),
        Preflight::Failed { why } if !request.force => {
            let failure = Failure::new(Code::R211, why, format!("image {name}"));
            let inspect = run.tools.commands.inspect();
            let looked = inspect
                .map(|inspect| format!("check with `{inspect}` that the image is for this chip"));
            return Err(looked.into_iter().fold(failure, Failure::next).next(FORCE));
        }
        Preflight::Failed { why } => {
            run.note(format!("the image failed the pre-flight test, but --force was given: {why}"));
            image.identity.clone()
        }
        Preflight::Inconclusive { why } => {
            run.note(format!("the pre-flight test could not show whether this image starts: {why}. Only its structure and hash were checked"));
            image.identity.clone()
        }
    };
    let expected = expected(request, &choice, derived)?;
    run.outcome.identity.expected = expected.clone();
    Ok(Target::new(choice, image, expected, false))
}

/// Who is to come up: what the image shows, held against what the profile promises.
fn expected(
    request: &Request,
    choice: &Choice,
    derived: Option<Identity>,
) -> Result<Option<Identity>, Failure> {
    let place = format!("image {}", choice.image.name);
    let promised = choice.promised();
    if let (Some(promised), Some(derived)) = (promised, &derived) {
        // The twin promises no serial and no class that the image does not hold.
        let serial = derived.serial.clone().or_else(|| promised.serial.clone());
        let interface_class = derived.interface_class.or(promised.interface_class);
        let derived = &Identity { serial, interface_class, ..derived.clone() };
        let differences = promised.differences(derived);
        if !differences.is_empty() && !request.force {
            let what = format!("it would start with {}", differences.join(", "));
            return Err(Failure::new(Code::R214, what, place)
                .next("choose the profile that fits the image, or leave --profile out")
                .next(FORCE));
        }
    }
    let expected = derived.or_else(|| promised.cloned());
    if let Some(identity) = &expected
        && is_boot_mode_identity(identity)
        && !request.force
    {
        let what = format!("it would start as {}, which is a chip in boot mode", identity.ids);
        return Err(Failure::new(Code::R210, what, place)
            .next("use the enclosure's own image; this one would leave it in boot mode"));
    }
    Ok(expected)
}
