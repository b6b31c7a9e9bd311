//! The 512 bytes by which an ATA or ATAPI drive names itself [ATA/ATAPI-4 §8.12, §8.13].

/// Puts ASCII into words: padded with spaces, the first character of a pair in the high byte.
fn text(data: &mut [u8], word: usize, words: usize, text: &str) {
    let padded = text.bytes().chain(std::iter::repeat(b' ')).take(words * 2);
    for (index, byte) in padded.enumerate() {
        if let Some(slot) = data.get_mut(word * 2 + (index ^ 1)) {
            *slot = byte;
        }
    }
}

fn word(data: &mut [u8], at: usize, value: u16) {
    let [low, high] = value.to_le_bytes();
    for (offset, byte) in [(0, low), (1, high)] {
        if let Some(slot) = data.get_mut(at * 2 + offset) {
            *slot = byte;
        }
    }
}

/// Identify data with these names; `general` is word 0, `sectors` words 60 and 61.
pub(super) fn data(
    general: u16,
    model: &str,
    firmware: &str,
    serial: &str,
    sectors: Option<u32>,
) -> Vec<u8> {
    let mut data = vec![0; 512];
    word(&mut data, 0, general);
    text(&mut data, 10, 10, serial);
    text(&mut data, 23, 4, firmware);
    text(&mut data, 27, 20, model);
    // LBA and DMA; words 64 to 70 are valid; PIO 3 and 4; ATA/ATAPI-4.
    word(&mut data, 49, 0x0300);
    word(&mut data, 53, 0x0002);
    word(&mut data, 64, 0x0003);
    word(&mut data, 80, 0x001e);
    if sectors.is_some() {
        // A disk: SMART, supported and enabled; words 83 and 84 are valid.
        for (at, value) in [(82, 0x0001), (83, 0x4000), (84, 0x4000), (85, 0x0001), (87, 0x4000)] {
            word(&mut data, at, value);
        }
    }
    if let Some(sectors) = sectors {
        word(&mut data, 60, (sectors & 0xffff) as u16);
        word(&mut data, 61, (sectors >> 16) as u16);
    }
    data
}
