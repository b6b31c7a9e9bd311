//! Where a model's image comes from, and whether given bytes are that image.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Confidence;

/// The image of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageClaim {
    /// Where it comes from.
    pub source: ImageSource,
    /// Its size, bytes, where one is promised.
    pub size_bytes: Option<u32>,
    /// Whether the shipped image holds a placeholder for the serial number, which every enclosure
    /// has for itself; a rescue puts one in.
    pub own_serial: bool,
    /// What it is, and how the owner comes by it.
    pub description: String,
    /// How well it is known that it is right for the model.
    pub confidence: Confidence,
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "source")]
pub enum ImageSource {
    /// It is a file of the profile's folder.
    Shipped {
        /// The file's name.
        file: String,
        /// Its hash.
        sha256: Sha256Digest,
    },
    /// The user has it: it is the maker's and may not be passed on.
    Supply {
        /// Its hash, where one is known.
        sha256: Option<Sha256Digest>,
    },
    /// The user makes it from a source in the profile's folder.
    Build {
        /// The source's name.
        file: String,
        /// The hash of what comes out, where it is always the same.
        sha256: Option<Sha256Digest>,
    },
    /// The chip's family makes it from its reference values, the profile's identity and these.
    Values {
        /// Settings of this model that differ from the reference, by address.
        settings: BTreeMap<u8, u8>,
    },
}

impl fmt::Display for ImageSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Shipped { .. } => "shipped",
            Self::Supply { .. } => "supply",
            Self::Build { .. } => "build",
            Self::Values { .. } => "values",
        })
    }
}

impl ImageSource {
    /// Whether the owner says at each rescue what is to be written, so that a profile may leave
    /// open which identity it has.
    pub fn is_named_by_owner(&self) -> bool {
        matches!(self, Self::Supply { .. } | Self::Values { .. })
    }
}

impl ImageClaim {
    /// The hash the image must have, where one is promised.
    pub fn sha256(&self) -> Option<Sha256Digest> {
        match &self.source {
            ImageSource::Shipped { sha256, .. } => Some(*sha256),
            ImageSource::Supply { sha256 } | ImageSource::Build { sha256, .. } => *sha256,
            ImageSource::Values { .. } => None,
        }
    }

    /// Whether `bytes` are the image, as far as size and hash are promised. What they mean to
    /// the chip is for [`crate::chip::Chip::read_image`] to say.
    ///
    /// # Errors
    /// [`ImageMismatch`].
    pub fn verify(&self, bytes: &[u8]) -> Result<(), ImageMismatch> {
        if let Some(expected) = self.size_bytes
            && usize::try_from(expected).ok() != Some(bytes.len())
        {
            return Err(ImageMismatch::Size { got: bytes.len(), expected });
        }
        let got = Sha256Digest::of(bytes);
        match self.sha256() {
            Some(expected) if expected != got => Err(ImageMismatch::Hash { got, expected }),
            _ => Ok(()),
        }
    }

    /// The same for an image that is to be written: where each enclosure has a serial number of
    /// its own, no hash can be promised of it.
    ///
    /// # Errors
    /// [`ImageMismatch`].
    pub fn verify_written(&self, bytes: &[u8]) -> Result<(), ImageMismatch> {
        match self.verify(bytes) {
            Err(ImageMismatch::Hash { .. }) if self.own_serial => Ok(()),
            result => result,
        }
    }

    /// The claim that `confidence` is about, in words.
    pub(super) fn claim(&self) -> String {
        match &self.source {
            ImageSource::Shipped { file, .. } => format!("{file} is its image"),
            ImageSource::Supply { .. } => "the image you are asked for is its image".to_owned(),
            ImageSource::Build { file, .. } => format!("{file} makes its image"),
            ImageSource::Values { .. } => "its image is made from values".to_owned(),
        }
    }
}

/// How bytes are not the image that was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageMismatch {
    /// Another size.
    #[error("the image has {got} bytes, expected {expected}")]
    Size {
        /// Bytes there are.
        got: usize,
        /// Bytes there should be.
        expected: u32,
    },
    /// Another content.
    #[error("the image has sha256 {got}, expected {expected}")]
    Hash {
        /// Its hash.
        got: Sha256Digest,
        /// The hash it should have.
        expected: Sha256Digest,
    },
}

/// A SHA-256 hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Sha256Digest([u8; 32]);

impl Sha256Digest {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl From<Sha256Digest> for String {
    fn from(digest: Sha256Digest) -> Self {
        digest.to_string()
    }
}

impl FromStr for Sha256Digest {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, hex::FromHexError> {
        let mut digest = [0; 32];
        hex::decode_to_slice(text, &mut digest)?;
        Ok(Self(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chip::Grade;

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        // FIPS 180-2, appendix B.1: the hash of "abc".
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let digest = Sha256Digest::of(b"abc");
        assert_eq!(digest.to_string(), text);
        assert_eq!(text.parse(), Ok(digest));
        assert!("abc".parse::<Sha256Digest>().is_err());
        assert!("z".repeat(64).parse::<Sha256Digest>().is_err());
    }

    #[test]
    fn a_supplied_image_is_held_to_what_is_promised_of_it_and_no_more() {
        let claim = |sha256, size_bytes| ImageClaim {
            source: ImageSource::Supply { sha256 },
            size_bytes,
            own_serial: false,
            description: String::new(),
            confidence: Confidence { grade: Grade::Unknown, basis: None },
        };
        assert_eq!(claim(None, None).verify(b"anything"), Ok(()));
        assert_eq!(claim(Some(Sha256Digest::of(b"abc")), Some(3)).verify(b"abc"), Ok(()));
        assert_eq!(
            claim(None, Some(2048)).verify(b"abc"),
            Err(ImageMismatch::Size { got: 3, expected: 2048 })
        );
        assert!(matches!(
            claim(Some(Sha256Digest::of(b"abc")), None).verify(b"abd"),
            Err(ImageMismatch::Hash { .. })
        ));
    }
}
