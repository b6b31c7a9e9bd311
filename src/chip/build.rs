//! What an image is made from where there is none to copy: values, and their consequences.

use std::collections::BTreeMap;

use super::Identity;

/// The values of an image to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Who the enclosure is to be. Without a serial number one is made up from `unique`.
    pub identity: Identity,
    /// Bytes no other image was made with: random ones, so that two enclosures made whole on one
    /// desk do not share a serial number. The maker of the recipe draws them.
    pub unique: [u8; 8],
    /// Settings that differ from the chip's reference values, by address.
    pub settings: BTreeMap<u8, u8>,
    /// A program the image is to load, as a file of the chip's kind: Intel HEX or flat.
    pub firmware: Option<Vec<u8>>,
}

/// An image that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The image.
    pub bytes: Vec<u8>,
    /// What its owner should know of it, a sentence each.
    pub notes: Vec<String>,
}
