//! The string table: ordinary USB string descriptors, word aligned, found by "index = byte offset
//! divided by two" [docs/chips/at2lp.md, captured in all three images].

/// One string descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Byte offset in the block; even.
    pub offset: usize,
    /// UTF-16 code units; in the first descriptor the languages.
    pub units: Vec<u16>,
}

impl Text {
    /// A text at an offset.
    pub fn new(offset: usize, text: &str) -> Self {
        Self { offset, units: text.encode_utf16().collect() }
    }

    /// The descriptor's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let length = u8::try_from(self.bytes()).unwrap_or(u8::MAX);
        let mut bytes = vec![length, 3];
        bytes.extend(self.units.iter().flat_map(|unit| unit.to_le_bytes()));
        bytes
    }

    /// How many bytes the descriptor is.
    pub fn bytes(&self) -> usize {
        self.units.len().saturating_mul(2).saturating_add(2)
    }

    /// The text, with a mark where it is no UTF-16.
    pub fn text(&self) -> String {
        String::from_utf16_lossy(&self.units)
    }
}

/// The descriptor at `offset`; `None` where there is no whole one.
fn descriptor(bytes: &[u8], offset: usize) -> Option<Text> {
    let length = usize::from(*bytes.get(offset)?);
    let whole = bytes.get(offset..offset.checked_add(length)?)?;
    let (head, body) = whole.split_at_checked(2)?;
    if head.get(1) != Some(&3) || length % 2 != 0 {
        return None;
    }
    let units = body
        .chunks_exact(2)
        .filter_map(|pair| Some(u16::from_le_bytes(pair.try_into().ok()?)))
        .collect();
    Some(Text { offset, units })
}

/// Descriptors from `offset` on, one behind the other, and where they end.
pub(super) fn decode(bytes: &[u8], mut offset: usize) -> (Vec<Text>, usize) {
    let mut strings = Vec::new();
    while let Some(text) = descriptor(bytes, offset) {
        offset = offset.saturating_add(text.bytes());
        strings.push(text);
    }
    (strings, offset)
}

/// The string that index `index` of a descriptor means; `None` where no string begins there.
pub fn text_at(strings: &[Text], index: u8) -> Option<&Text> {
    let offset = usize::from(index) * 2;
    strings.iter().skip(1).find(|text| text.offset == offset)
}
