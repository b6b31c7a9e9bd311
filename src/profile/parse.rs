//! `profile.toml` to [`Profile`]. First serde reads keys and kinds (`document`) and stops at the
//! first error; then the values are checked, and everything wrong with them is said at once.

use std::collections::BTreeMap;

use toml::Spanned;

use super::document::{
    ChipTable, Document, IdentityTable, ImageTable, MemoryTable, SightingTable, SourceName, Text,
    string, strings,
};
use super::{
    BlankSighting, ChipClaim, Confidence, Guidance, IdentityClaim, ImageClaim, ImageSource,
    MemoryClaim, Problem, ProblemKind, Profile, Provenance, Sha256Digest,
};
use crate::chip::{Grade, Identity};
use crate::toml_source::TomlSource;
use crate::usb::{ClassCode, Ids};

/// Reads a profile. `place` names the file in problems; `folder` is the name of the folder it
/// lies in; `known_chips` is usually [`super::known_chips`]. Opens nothing: whether the image is
/// there is for [`super::check`].
///
/// # Errors
/// Every problem found, in the order of the file; one only where it is not TOML of the right
/// shape.
pub fn parse(
    text: &str,
    place: &str,
    folder: &str,
    known_chips: &[&str],
) -> Result<Profile, Vec<Problem>> {
    let written = TomlSource::new(text, place);
    let document: Document = written.document()?;
    let mut checks = Checks { written };
    let profile = checks.profile(document, folder, known_chips);
    checks.written.finish(profile)
}

struct Checks<'t> {
    written: TomlSource<'t, ProblemKind>,
}

impl Checks<'_> {
    fn profile(&mut self, document: Document, folder: &str, known: &[&str]) -> Option<Profile> {
        let name = self.name(&document.name, folder);
        let chip = self.chip(document.chip, known);
        if document.sighting.is_empty() {
            self.written.note(0, ProblemKind::NoSighting);
        }
        let sightings: Vec<_> =
            document.sighting.into_iter().map(|table| self.sighting(table)).collect();
        let stated = document.identity.is_some();
        let identity = document.identity.and_then(|identity| self.identity(identity.into_inner()));
        let memory = self.memory(document.memory.into_inner());
        let image_at = document.image.span().start;
        let image = self.image(document.image, memory.size_bytes);
        if let Some(image) = &image
            && !stated
            && !image.source.is_named_by_owner()
        {
            self.written.note(image_at, ProblemKind::NoIdentity);
        }
        if stated && identity.is_none() {
            // What is wrong with it was noted.
            return None;
        }
        let provenance = document.provenance;
        if provenance.get_ref().sources.is_empty() {
            self.written.note(provenance.span().start, ProblemKind::NoSources);
        }
        let provenance = provenance.into_inner();
        Some(Profile {
            name,
            title: document.title.0,
            aliases: strings(document.aliases),
            scope: document.scope,
            chip,
            sightings: sightings.into_iter().collect::<Option<_>>()?,
            identity,
            memory,
            image: image?,
            guidance: document
                .guidance
                .into_iter()
                .map(|table| Guidance {
                    step: table.step.0,
                    expect: table.expect.0,
                    when: table.when,
                    action: table.action,
                })
                .collect(),
            provenance: Provenance {
                sources: strings(provenance.sources),
                notes: string(provenance.notes),
                contributed_by: provenance.contributed_by.0,
            },
        })
    }

    fn name(&mut self, name: &Spanned<String>, folder: &str) -> String {
        let (text, offset) = (name.get_ref(), name.span().start);
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || text.starts_with('-') || !text.chars().all(fits) {
            self.written.note(offset, ProblemKind::BadName { name: text.clone() });
        } else if text != folder {
            let folder = folder.to_owned();
            self.written.note(offset, ProblemKind::NameIsNotFolder { name: text.clone(), folder });
        }
        text.clone()
    }

    fn confidence(
        &mut self,
        part: &'static str,
        grade: &Spanned<Grade>,
        basis: Option<Text>,
    ) -> Confidence {
        if *grade.get_ref() == Grade::Inferred && basis.is_none() {
            self.written.note(grade.span().start, ProblemKind::NoBasis { part });
        }
        Confidence { grade: *grade.get_ref(), basis: string(basis) }
    }

    fn chip(&mut self, table: ChipTable, known: &[&str]) -> ChipClaim {
        let confidence = self.confidence("[chip]", &table.grade, table.basis);
        let (offset, model) = (table.model.span().start, table.model.into_inner());
        if !known.contains(&model.as_str()) {
            let known = known.iter().map(ToString::to_string).collect();
            self.written.note(offset, ProblemKind::UnknownChip { chip: model.clone(), known });
        }
        ChipClaim { model, confidence }
    }

    fn ids(&mut self, ids: &Spanned<String>) -> Option<Ids> {
        let read = ids.get_ref().parse();
        read.map_err(|bad| self.written.note(ids.span().start, ProblemKind::BadIds(bad))).ok()
    }

    fn sighting(&mut self, table: Spanned<SightingTable>) -> Option<BlankSighting> {
        let table = table.into_inner();
        let ids = self.ids(&table.ids);
        let confidence = self.confidence("[[sighting]]", &table.grade, table.basis);
        Some(BlankSighting { ids: ids?, confidence })
    }

    fn identity(&mut self, table: IdentityTable) -> Option<IdentityClaim> {
        let ids = self.ids(&table.ids);
        let class = table.interface_class.map(|class| {
            let read = class.get_ref().parse::<ClassCode>();
            read.map_err(|bad| self.written.note(class.span().start, ProblemKind::BadClass(bad)))
                .ok()
        });
        let confidence = self.confidence("[identity]", &table.grade, table.basis);
        let identity = Identity {
            ids: ids?,
            bcd_device: table.bcd_device,
            interface_class: class.flatten(),
            manufacturer: string(table.manufacturer),
            product: string(table.product),
            serial: string(table.serial),
        };
        Some(IdentityClaim { identity, confidence })
    }

    fn memory(&mut self, table: MemoryTable) -> MemoryClaim {
        let size_bytes = *table.size_bytes.get_ref();
        if size_bytes == 0 {
            self.written.note(table.size_bytes.span().start, ProblemKind::EmptyMemory);
        }
        let confidence = self.confidence("[memory]", &table.grade, table.basis);
        MemoryClaim { part: table.part.0, size_bytes, confidence }
    }

    fn image(&mut self, table: Spanned<ImageTable>, memory_bytes: u32) -> Option<ImageClaim> {
        let (start, table) = (table.span().start, table.into_inner());
        let given_file = table.file.as_ref().map(|file| file.span().start);
        let file = table.file.map(|file| self.file(&file));
        let given_hash = table.sha256.is_some();
        let sha256 = table.sha256.and_then(|hash| self.hash(&hash));
        let size_bytes = table.size_bytes.map(|size| {
            let image_bytes = u64::from(*size.get_ref());
            if image_bytes > u64::from(memory_bytes) {
                let kind = ProblemKind::ImageTooBigForMemory { image_bytes, memory_bytes };
                self.written.note(size.span().start, kind);
            }
            size.into_inner()
        });
        let mut needs = |there: bool, source_kind, key| {
            if !there {
                self.written.note(start, ProblemKind::ImageKeyMissing { source_kind, key });
            }
        };
        match table.source {
            SourceName::Shipped => {
                needs(file.is_some(), "shipped", "file");
                needs(given_hash, "shipped", "sha256");
            }
            SourceName::Build => needs(file.is_some(), "built", "file"),
            SourceName::Supply | SourceName::Values => {
                if let Some(offset) = given_file {
                    self.written.note(offset, ProblemKind::FileOfSuppliedImage);
                }
            }
        }
        if let Some(own_serial) = &table.own_serial
            && !matches!(table.source, SourceName::Shipped)
        {
            self.written.note(own_serial.span().start, ProblemKind::OwnSerialOfNothing);
        }
        let own_serial = table.own_serial.is_some_and(Spanned::into_inner);
        let settings = self.settings(table.source, table.settings);
        let confidence = self.confidence("[image]", &table.grade, table.basis);
        let source = match table.source {
            SourceName::Shipped => ImageSource::Shipped { file: file?, sha256: sha256? },
            SourceName::Build => ImageSource::Build { file: file?, sha256 },
            SourceName::Supply => ImageSource::Supply { sha256 },
            SourceName::Values => ImageSource::Values { settings },
        };
        let description = table.description.0;
        Some(ImageClaim { source, size_bytes, own_serial, description, confidence })
    }

    /// Settings by address, in hexadecimal; only an image from values has them.
    fn settings(
        &mut self,
        source: SourceName,
        written: BTreeMap<Spanned<String>, u8>,
    ) -> BTreeMap<u8, u8> {
        let mut settings = BTreeMap::new();
        for (key, value) in written {
            let text = key.get_ref();
            let address = u8::from_str_radix(text, 16).ok().filter(|_| text.len() == 2);
            match address {
                Some(address) if matches!(source, SourceName::Values) => {
                    settings.insert(address, value);
                }
                _ => {
                    let kind = ProblemKind::BadSetting { key: text.clone() };
                    self.written.note(key.span().start, kind);
                }
            }
        }
        settings
    }

    /// A plain name: a path could lead anywhere on the reader's computer.
    fn file(&mut self, file: &Spanned<String>) -> String {
        let name = file.get_ref();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            let kind = ProblemKind::FileOutsideFolder { file: name.clone() };
            self.written.note(file.span().start, kind);
        }
        name.clone()
    }

    fn hash(&mut self, hash: &Spanned<String>) -> Option<Sha256Digest> {
        let read = hash.get_ref().parse();
        if read.is_err() {
            self.written
                .note(hash.span().start, ProblemKind::BadHash { got: hash.get_ref().clone() });
        }
        read.ok()
    }
}
