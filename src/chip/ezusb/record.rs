//! The records of a firmware image: `length` and `address`, two bytes each, high byte first, then
//! data. Ten bits of length; its bit 15 marks the last record, which starts the 8051 by writing 00
//! to CPUCS [FX2 TRM 3.4.3; AN21 TRM table 5-8].
//!
//! Format only: what may lie where is judged in `image`.

/// The most data bytes of one record.
pub const MAX_DATA: usize = 1023;

const LAST: u16 = 0x8000;
const LENGTH: u16 = 0x03ff;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where the data goes.
    pub address: u16,
    /// The data, at most [`MAX_DATA`] bytes.
    pub data: Vec<u8>,
    /// Whether the boot ROM reads no further.
    pub is_last: bool,
}

impl Record {
    /// The addresses it fills.
    pub fn range(&self) -> std::ops::Range<u32> {
        let start = u32::from(self.address);
        start..start.saturating_add(u32::try_from(self.data.len()).unwrap_or(u32::MAX))
    }
}

/// Why bytes are not a stream of records. Offsets count from the start of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamError {
    /// The bytes end inside the record that begins at this offset, or where one should begin.
    Cut(usize),
    /// Bits of the length that mean nothing are set.
    Length {
        /// Offset of the record.
        at: usize,
        /// The length word.
        word: u16,
    },
}

/// Decodes records from `offset` on up to the last one; also returns the offset behind it.
///
/// # Errors
/// [`StreamError`].
pub fn decode(bytes: &[u8], offset: usize) -> Result<(Vec<Record>, usize), StreamError> {
    let mut records = Vec::new();
    let mut at = offset;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(([length_high, length_low, high, low], rest)) = rest.split_first_chunk() else {
            return Err(StreamError::Cut(at));
        };
        let word = u16::from_be_bytes([*length_high, *length_low]);
        if word & !(LAST | LENGTH) != 0 {
            return Err(StreamError::Length { at, word });
        }
        let length = usize::from(word & LENGTH);
        let data = rest.get(..length).ok_or(StreamError::Cut(at))?;
        let is_last = word & LAST != 0;
        let address = u16::from_be_bytes([*high, *low]);
        records.push(Record { address, data: data.to_vec(), is_last });
        at += 4 + length;
        if is_last {
            return Ok((records, at));
        }
    }
}

/// Encodes data for `address` in as many records as it takes, none of them the last.
pub fn encode(address: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(data.len() + 4);
    let mut at = address;
    for chunk in data.chunks(MAX_DATA) {
        let length = u16::try_from(chunk.len()).unwrap_or(LENGTH);
        bytes.extend(length.to_be_bytes());
        bytes.extend(at.to_be_bytes());
        bytes.extend(chunk);
        at = at.wrapping_add(length);
    }
    bytes
}

/// The last record: 00 to CPUCS.
pub fn start(cpucs: u16) -> [u8; 5] {
    let [high, low] = cpucs.to_be_bytes();
    [0x80, 0x01, high, low, 0x00]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_record_comes_out_as_documented() {
        assert_eq!(hex::encode(start(0xe600)), "8001e60000");
        assert_eq!(hex::encode(start(0x7f92)), "80017f9200");
    }

    #[test]
    fn a_length_of_more_than_ten_bits_is_refused() {
        let bytes = [0x04, 0x00, 0, 0];
        assert_eq!(decode(&bytes, 0), Err(StreamError::Length { at: 0, word: 0x400 }));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(
            address in 0_u16..0x2000,
            data in proptest::collection::vec(any::<u8>(), 1..3000),
        ) {
            let mut bytes = encode(address, &data);
            bytes.extend(start(0xe600));
            let (records, end) = decode(&bytes, 0).unwrap();
            prop_assert_eq!(end, bytes.len());
            let (last, body) = records.split_last().unwrap();
            prop_assert!(last.is_last && last.address == 0xe600 && last.data == [0]);
            let joined: Vec<u8> = body.iter().flat_map(|record| record.data.clone()).collect();
            prop_assert_eq!(joined, data);
            prop_assert!(body.iter().all(|record| record.data.len() <= MAX_DATA));
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = decode(&bytes, 0);
            let _ = decode(&bytes, usize::MAX - 1);
        }
    }
}
