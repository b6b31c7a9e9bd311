//! What lies on a drive's medium: a file's bytes, a pattern, or a small CD.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::iso;

#[derive(Debug)]
enum Ground {
    /// Sector n is n over and over, so that a sector in the wrong place is seen.
    Pattern,
    Bytes(Vec<u8>),
    File(File),
}

/// A medium of whole sectors. What is written to it stays in memory, the ground as it was.
#[derive(Debug)]
pub struct Medium {
    ground: Ground,
    sectors: u32,
    sector_bytes: usize,
    written: BTreeMap<u32, Vec<u8>>,
}

/// The most sectors that may be written before the medium says no, so that a virtual disk fills no
/// computer's memory: 32 MB of 512 bytes.
const MAX_WRITTEN: usize = 0x1_0000;

impl Medium {
    /// A disk of so many sectors of 512 bytes whose sector n holds n over and over, big-endian.
    pub fn pattern(sectors: u32) -> Self {
        Self::of(Ground::Pattern, sectors, 512)
    }

    /// A CD with one file, `README.TXT`, and that text in it.
    pub fn disc(text: &str) -> Self {
        let bytes = iso::image(text);
        let sectors = u32::try_from(bytes.len() / iso::SECTOR).unwrap_or(u32::MAX);
        Self::of(Ground::Bytes(bytes), sectors, iso::SECTOR)
    }

    /// A file's bytes, in sectors of `sector_bytes`; a rest of less than a sector is left out.
    /// The file is only read.
    ///
    /// # Errors
    /// What the file system says.
    pub fn file(path: &Path, sector_bytes: u32) -> io::Result<Self> {
        let file = File::open(path)?;
        let sectors = file.metadata()?.len() / u64::from(sector_bytes.max(1));
        let sectors = u32::try_from(sectors).unwrap_or(u32::MAX);
        Ok(Self::of(Ground::File(file), sectors, sector_bytes.max(1) as usize))
    }

    fn of(ground: Ground, sectors: u32, sector_bytes: usize) -> Self {
        Self { ground, sectors, sector_bytes, written: BTreeMap::new() }
    }

    /// Sectors it has.
    pub fn sectors(&self) -> u32 {
        self.sectors
    }

    /// Bytes of a sector.
    pub fn sector_bytes(&self) -> usize {
        self.sector_bytes
    }

    /// The sectors from `start` on; `None` beyond the end, or where a file cannot be read.
    pub fn read(&self, start: u32, count: u16) -> Option<Vec<u8>> {
        let end = start.checked_add(u32::from(count)).filter(|end| *end <= self.sectors)?;
        let mut bytes = Vec::with_capacity(usize::from(count) * self.sector_bytes);
        for sector in start..end {
            match self.written.get(&sector) {
                Some(written) => bytes.extend(written),
                None => bytes.extend(self.ground(sector)?),
            }
        }
        Some(bytes)
    }

    fn ground(&self, sector: u32) -> Option<Vec<u8>> {
        let size = self.sector_bytes;
        match &self.ground {
            Ground::Pattern => {
                Some(sector.to_be_bytes().iter().copied().cycle().take(size).collect())
            }
            Ground::Bytes(bytes) => {
                let at = sector as usize * size;
                bytes.get(at..at + size).map(<[u8]>::to_vec)
            }
            Ground::File(file) => {
                let mut bytes = vec![0; size];
                let mut file = file;
                file.seek(SeekFrom::Start(u64::from(sector) * size as u64)).ok()?;
                file.read_exact(&mut bytes).ok()?;
                Some(bytes)
            }
        }
    }

    /// Writes whole sectors from `start` on; false beyond the end or when too much was written.
    pub fn write(&mut self, start: u32, bytes: &[u8]) -> bool {
        let sectors = bytes.chunks_exact(self.sector_bytes);
        let count = u32::try_from(sectors.len()).unwrap_or(u32::MAX);
        let fits = start.checked_add(count).is_some_and(|end| end <= self.sectors);
        if !fits || self.written.len() + sectors.len() > MAX_WRITTEN {
            return false;
        }
        for (sector, bytes) in (start..).zip(sectors) {
            self.written.insert(sector, bytes.to_vec());
        }
        true
    }
}
