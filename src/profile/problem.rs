//! What can be wrong with a profile: where, what, and what to do about it.

use super::ImageMismatch;
use crate::toml_source::Misshapen;
use crate::usb::sighting::{BadClassCode, BadIds};

/// One thing wrong with one profile.
pub type Problem = crate::toml_source::Problem<ProblemKind>;

/// What is wrong. Each has its remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each field is named in the message above it")]
pub enum ProblemKind {
    /// The folder holds no profile.toml.
    #[error("there is no profile.toml")]
    NoProfile,
    /// The operating system refuses.
    #[error("it cannot be read: {why}")]
    Unreadable { why: String },
    /// Too big to be what it should be.
    #[error("it has more than {max_bytes} bytes")]
    TooBig { max_bytes: u64 },
    /// Too many folders to look through.
    #[error("there are more than {maximum} folders below it")]
    TooManyFolders { maximum: usize },
    /// Not what it should be by its form.
    #[error(transparent)]
    Misshapen(#[from] Misshapen),
    /// A name that is not made of small letters, digits and hyphens.
    #[error("{name:?} cannot be a profile's name")]
    BadName { name: String },
    /// A name that is not the folder's.
    #[error("the profile is named {name:?} but its folder is {folder:?}")]
    NameIsNotFolder { name: String, folder: String },
    /// Two profiles of one name.
    #[error("a profile named {name:?} already exists in {other}")]
    DuplicateName { name: String, other: String },
    /// A chip that this program does not know.
    #[error("there is no chip {chip:?}")]
    UnknownChip { chip: String, known: Vec<String> },
    /// Ids that are none.
    #[error(transparent)]
    BadIds(#[from] BadIds),
    /// A class that is none.
    #[error(transparent)]
    BadClass(#[from] BadClassCode),
    /// A hash that is none.
    #[error("{got:?} is not a sha256")]
    BadHash { got: String },
    /// No `[[sighting]]`.
    #[error("there is no [[sighting]]")]
    NoSighting,
    /// An image of its own without an identity.
    #[error("there is no [identity], and the image is not chosen by its owner")]
    NoIdentity,
    /// No source named.
    #[error("[provenance] names no source")]
    NoSources,
    /// An inference without what it is inferred from.
    #[error("{part} is inferred, but its basis is missing")]
    NoBasis { part: &'static str },
    /// A memory of 0 bytes.
    #[error("a memory of 0 bytes is not possible")]
    EmptyMemory,
    /// A key that this image source needs.
    #[error("a {source_kind} image needs `{key}`")]
    ImageKeyMissing { source_kind: &'static str, key: &'static str },
    /// A key that has no meaning with this image source.
    #[error("an image that is supplied or made from values has no `file`")]
    FileOfSuppliedImage,
    /// A place for a serial number in an image that is not here.
    #[error("`own_serial` needs an image in the folder, and there is none")]
    OwnSerialOfNothing,
    /// A setting that is none.
    #[error("{key:?} is not a setting: use two hexadecimal digits, in an image from values")]
    BadSetting { key: String },
    /// An image that the memory cannot hold.
    #[error("the image of {image_bytes} bytes does not fit the memory of {memory_bytes}")]
    ImageTooBigForMemory { image_bytes: u64, memory_bytes: u32 },
    /// A file outside the profile's folder.
    #[error("{file:?} is not the name of a file in the profile's folder")]
    FileOutsideFolder { file: String },
    /// A file that is not there.
    #[error("the file {file:?} is missing")]
    FileMissing { file: String },
    /// Another image than the profile promises.
    #[error("{file:?}: {mismatch}")]
    ImageMismatch { file: String, mismatch: Box<ImageMismatch> },
    /// The image is not part of the profile.
    #[error("the image does not come with the profile {name:?}")]
    ImageNotShipped { name: String },
    /// No profile of that name.
    #[error("there is no profile named {name:?}")]
    NoSuchProfile { name: String },
}

impl ProblemKind {
    /// What to do about it: an action, without its full stop.
    pub fn remedy(&self) -> String {
        match self {
            Self::NoProfile => "name a folder that holds a profile.toml".to_owned(),
            Self::Unreadable { .. } => {
                "check that it is a plain file or folder that you may read".to_owned()
            }
            Self::TooBig { .. } => "check that it is the right file".to_owned(),
            Self::TooManyFolders { .. } => "keep profiles in a folder of their own".to_owned(),
            Self::Misshapen(misshapen) => {
                misshapen.remedy("docs/adding-a-device.md lists the keys")
            }
            Self::BadName { .. } => {
                "use small letters, digits and hyphens, as in \"sony-crx100e\"".to_owned()
            }
            Self::NameIsNotFolder { name, .. } => {
                format!("rename the folder to {name:?}, or change `name`")
            }
            Self::DuplicateName { .. } => "rename one of the two, folder and `name`".to_owned(),
            Self::UnknownChip { known, .. } if known.is_empty() => {
                "this build includes no chip".to_owned()
            }
            Self::UnknownChip { known, .. } => format!("use one of: {}", known.join(", ")),
            Self::BadIds(_) => "write vendor and product id as four hexadecimal digits each".into(),
            Self::BadClass(_) => "write three pairs of hexadecimal digits".to_owned(),
            Self::BadHash { .. } => {
                "write the 64 hexadecimal digits that `sha256sum` prints".to_owned()
            }
            Self::NoSighting => "add one with the ids the device shows when blank".to_owned(),
            Self::NoIdentity => {
                "add [identity] with what the enclosure presents when healthy".into()
            }
            Self::NoSources => "add to `sources` where the facts come from".to_owned(),
            Self::NoBasis { .. } => {
                "add `basis`: what the fact is inferred from; recover shows it before a write"
                    .to_owned()
            }
            Self::EmptyMemory => "write the part's size in bytes, not in kilobits".to_owned(),
            Self::ImageKeyMissing { key, .. } => format!("add `{key}` to [image]"),
            Self::FileOfSuppliedImage => {
                "remove `file`, or use source = \"shipped\" if the file may be distributed"
                    .to_owned()
            }
            Self::OwnSerialOfNothing => {
                "remove `own_serial`, or use source = \"shipped\"".to_owned()
            }
            Self::BadSetting { .. } => {
                "write the byte's address, like 0a, or use source = \"values\"".to_owned()
            }
            Self::ImageTooBigForMemory { .. } => "correct the one that is wrong".to_owned(),
            Self::FileOutsideFolder { .. } => {
                "put the file beside profile.toml and name it without a path".to_owned()
            }
            Self::FileMissing { .. } => "put the file beside profile.toml".to_owned(),
            Self::ImageMismatch { .. } => {
                "do not use this image; get it again, or correct [image] if it is the right one"
                    .to_owned()
            }
            Self::ImageNotShipped { .. } => {
                "give it with --image; the profile's description says where it is found".to_owned()
            }
            Self::NoSuchProfile { .. } => "see `recover profile list`".to_owned(),
        }
    }
}
