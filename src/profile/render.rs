//! [`Profile`] to `profile.toml`: what [`super::parse()`] reads again to the same profile.

use std::fmt::Write;

use super::{Confidence, GuidanceTime, IdentityClaim, ImageSource, Profile};

/// A key and its value. Writing to a text cannot fail.
fn line(text: &mut String, key: &str, value: impl Into<toml::Value>) {
    let _ = writeln!(text, "{key} = {}", value.into());
}

fn line_if<V: Into<toml::Value>>(text: &mut String, key: &str, value: Option<V>) {
    if let Some(value) = value {
        line(text, key, value);
    }
}

fn table(text: &mut String, name: &str) {
    let _ = writeln!(text, "\n{name}");
}

fn confidence(text: &mut String, confidence: &Confidence) {
    line(text, "grade", confidence.grade.to_string());
    line_if(text, "basis", confidence.basis.clone());
}

/// The text of the profile's file.
pub fn render(profile: &Profile) -> String {
    let text = &mut "# The keys are explained in docs/adding-a-device.md.\n".to_owned();
    line(text, "name", profile.name.clone());
    line(text, "title", profile.title.clone());
    if !profile.aliases.is_empty() {
        line(text, "aliases", profile.aliases.clone());
    }
    line(text, "scope", profile.scope.to_string());

    table(text, "[chip]");
    line(text, "model", profile.chip.model.clone());
    confidence(text, &profile.chip.confidence);
    for sighting in &profile.sightings {
        table(text, "[[sighting]]");
        line(text, "ids", sighting.ids.to_string());
        confidence(text, &sighting.confidence);
    }

    if let Some(claim) = &profile.identity {
        identity(text, claim);
    }

    table(text, "[memory]");
    line(text, "part", profile.memory.part.clone());
    line(text, "size_bytes", i64::from(profile.memory.size_bytes));
    confidence(text, &profile.memory.confidence);

    table(text, "[image]");
    image(text, profile);
    for guidance in &profile.guidance {
        table(text, "[[guidance]]");
        line(text, "step", guidance.step.clone());
        line(text, "expect", guidance.expect.clone());
        if let Some(action) = guidance.action {
            line(text, "action", action.name());
        }
        if guidance.when == GuidanceTime::Restart {
            line(text, "when", "restart");
        }
    }

    table(text, "[provenance]");
    line(text, "sources", profile.provenance.sources.clone());
    line_if(text, "notes", profile.provenance.notes.clone());
    line(text, "contributed_by", profile.provenance.contributed_by.clone());
    std::mem::take(text)
}

fn identity(text: &mut String, claim: &IdentityClaim) {
    table(text, "[identity]");
    let identity = &claim.identity;
    line(text, "ids", identity.ids.to_string());
    line_if(text, "bcd_device", identity.bcd_device.map(i64::from));
    line_if(text, "interface_class", identity.interface_class.map(|class| class.to_string()));
    line_if(text, "manufacturer", identity.manufacturer.clone());
    line_if(text, "product", identity.product.clone());
    line_if(text, "serial", identity.serial.clone());
    confidence(text, &claim.confidence);
}

fn image(text: &mut String, profile: &Profile) {
    let image = &profile.image;
    line(text, "source", image.source.to_string());
    match &image.source {
        ImageSource::Shipped { file, .. } | ImageSource::Build { file, .. } => {
            line(text, "file", file.clone());
        }
        ImageSource::Supply { .. } => {}
        ImageSource::Values { settings } => {
            let settings: Vec<String> = settings
                .iter()
                .map(|(address, value)| format!("{address:02x} = {value:#04x}"))
                .collect();
            if !settings.is_empty() {
                let _ = writeln!(text, "settings = {{ {} }}", settings.join(", "));
            }
        }
    }
    line_if(text, "sha256", image.sha256().map(|hash| hash.to_string()));
    line_if(text, "size_bytes", image.size_bytes.map(i64::from));
    if image.own_serial {
        line(text, "own_serial", true);
    }
    line(text, "description", image.description.clone());
    confidence(text, &image.confidence);
}

#[cfg(test)]
mod tests {
    use super::super::{Library, known_chips, parse};
    use super::*;

    #[test]
    fn every_profile_of_this_program_is_read_again_to_what_it_was() {
        let library = Library::embedded(&known_chips());
        assert!(library.profiles().count() > 3);
        for profile in library.profiles() {
            let text = render(profile);
            let again = parse(&text, "rendered", &profile.name, &known_chips());
            assert_eq!(again.as_ref(), Ok(profile), "{text}");
        }
    }
}
