//! Stand-in while profiles are being built.
#![allow(missing_docs, reason = "stand-in")]
use crate::chip::Identity;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Hardware,
    Simulator,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageSource {
    Shipped,
    Supply,
    Build,
}
#[derive(Clone, Debug)]
pub struct ImageEntry {
    pub source: ImageSource,
    pub sha256: Option<String>,
    pub description: Option<String>,
}
#[derive(Clone, Debug)]
pub struct MemoryEntry {
    pub size_bytes: Option<u32>,
}
#[derive(Clone, Debug)]
pub struct Profile {
    pub name: String,
    pub title: String,
    pub chip: String,
    pub scope: Scope,
    pub identity: Option<Identity>,
    pub memory: Option<MemoryEntry>,
    pub image: ImageEntry,
}
impl Profile {
    pub fn inferred(&self) -> Vec<String> {
        Vec::new()
    }
}
pub struct Library;
impl Library {
    pub fn profiles(&self) -> &[Profile] {
        &[]
    }
    pub fn image_bytes(&self, _p: &Profile) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }
}
