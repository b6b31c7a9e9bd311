//! A CD made on the spot: ISO 9660 level 1 with one file in its root [ECMA-119].

/// Bytes of a sector.
pub(super) const SECTOR: usize = 2048;
/// Sectors: system area, descriptors, both path tables, root directory, then the file.
const DESCRIPTOR: u32 = 16;
const TERMINATOR: u32 = 17;
const PATH_TABLE: u32 = 18;
const PATH_TABLE_BIG: u32 = 19;
const ROOT: u32 = 20;
const CONTENT: u32 = 21;

/// Both byte orders, as ECMA-119 §7.3.3 wants most numbers.
fn both(number: u32) -> Vec<u8> {
    [number.to_le_bytes(), number.to_be_bytes()].concat()
}

fn both_short(number: u16) -> Vec<u8> {
    [number.to_le_bytes(), number.to_be_bytes()].concat()
}

/// A directory record [§9.1].
fn record(sector: u32, bytes: u32, flags: u8, name: &[u8]) -> Vec<u8> {
    let mut record = vec![0, 0];
    record.extend(both(sector));
    record.extend(both(bytes));
    // 2 May 2007, noon.
    record.extend([107, 5, 2, 12, 0, 0, 0, flags, 0, 0]);
    record.extend(both_short(1));
    record.push(name.len() as u8);
    record.extend(name);
    if record.len() % 2 == 1 {
        record.push(0);
    }
    if let Some(length) = record.len().try_into().ok()
        && let Some(first) = record.first_mut()
    {
        *first = length;
    }
    record
}

struct Sectors(Vec<u8>);

impl Sectors {
    fn put(&mut self, sector: u32, at: usize, bytes: &[u8]) {
        let start = sector as usize * SECTOR + at;
        if let Some(place) = self.0.get_mut(start..start + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}

/// The image of a CD with `text` in `README.TXT`.
pub(super) fn image(text: &str) -> Vec<u8> {
    let content = text.as_bytes();
    let sectors = CONTENT + content.len().div_ceil(SECTOR).max(1) as u32;
    let mut disc = Sectors(vec![0; sectors as usize * SECTOR]);
    let root = record(ROOT, SECTOR as u32, 2, &[0]);
    disc.put(DESCRIPTOR, 0, b"\x01CD001\x01\0");
    disc.put(DESCRIPTOR, 8, &[b' '; 64]);
    disc.put(DESCRIPTOR, 40, b"RECOVER");
    disc.put(DESCRIPTOR, 80, &both(sectors));
    disc.put(DESCRIPTOR, 120, &both_short(1));
    disc.put(DESCRIPTOR, 124, &both_short(1));
    disc.put(DESCRIPTOR, 128, &both_short(SECTOR as u16));
    disc.put(DESCRIPTOR, 132, &both(10));
    disc.put(DESCRIPTOR, 140, &PATH_TABLE.to_le_bytes());
    disc.put(DESCRIPTOR, 148, &PATH_TABLE_BIG.to_be_bytes());
    disc.put(DESCRIPTOR, 156, &root);
    disc.put(DESCRIPTOR, 190, &[b' '; 623]);
    for date in [813, 830, 847, 864] {
        disc.put(DESCRIPTOR, date, b"0000000000000000\0");
    }
    disc.put(DESCRIPTOR, 881, &[1]);
    disc.put(TERMINATOR, 0, b"\xffCD001\x01");
    disc.put(PATH_TABLE, 0, &[1, 0]);
    disc.put(PATH_TABLE, 2, &ROOT.to_le_bytes());
    disc.put(PATH_TABLE, 6, &[1, 0, 0, 0]);
    disc.put(PATH_TABLE_BIG, 0, &[1, 0]);
    disc.put(PATH_TABLE_BIG, 2, &ROOT.to_be_bytes());
    disc.put(PATH_TABLE_BIG, 6, &[0, 1, 0, 0]);
    let mut directory = root;
    directory.extend(record(ROOT, SECTOR as u32, 2, &[1]));
    directory.extend(record(CONTENT, content.len() as u32, 0, b"README.TXT;1"));
    disc.put(ROOT, 0, &directory);
    disc.put(CONTENT, 0, content);
    disc.0
}
