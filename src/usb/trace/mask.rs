//! Serial numbers and the pseudonyms that stand for them in a trace.

use std::ops::Range;

use crate::usb::Sighting;

/// Fewest characters of a serial, or of a cut part of one, that are looked for in data. Shorter
/// ones ("1", "00") would be found everywhere and name nobody.
const MIN_CHARACTERS: usize = 4;

/// The serials seen so far.
#[derive(Debug, Default)]
pub(super) struct Mask {
    known: Vec<Pseudonym>,
}

#[derive(Debug)]
struct Pseudonym {
    serial: String,
    stands_for_it: String,
    /// The serial and its pseudonym as data shows them.
    forms: Vec<Form>,
}

#[derive(Debug)]
struct Form {
    from: Vec<u8>,
    to: Vec<u8>,
    /// Fewest bytes that are taken for a part of the serial.
    minimum: usize,
}

impl Mask {
    /// Notes a serial, and gives it the next pseudonym if it is new.
    pub(super) fn learn(&mut self, serial: &str) {
        if serial.is_empty() || self.known.iter().any(|known| known.serial == serial) {
            return;
        }
        let units: Vec<u16> = serial.encode_utf16().collect();
        let stands_for_it = pseudonym(self.known.len() + 1, units.len());
        let mut forms = Vec::new();
        if units.len() >= MIN_CHARACTERS {
            let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            forms.push(Form {
                from: wide(serial),
                to: wide(&stands_for_it),
                minimum: 2 * MIN_CHARACTERS,
            });
            if serial.is_ascii() {
                forms.push(Form {
                    from: serial.as_bytes().to_vec(),
                    to: stands_for_it.as_bytes().to_vec(),
                    minimum: MIN_CHARACTERS,
                });
            }
        }
        self.known.push(Pseudonym { serial: serial.to_owned(), stands_for_it, forms });
    }

    /// Notes the serials of a scan and replaces them there.
    ///
    /// A serial that is the same text as the product or manufacturer is left: on chips whose
    /// string indexes are all 1 [BM 1.7.5.2] all three are the same words and name no device.
    pub(super) fn sightings(&mut self, seen: &mut [Sighting]) {
        for sighting in seen {
            let Some(serial) = &mut sighting.serial else { continue };
            if [&sighting.manufacturer, &sighting.product].contains(&&Some(serial.clone())) {
                continue;
            }
            self.learn(serial);
            if let Some(known) = self.known.iter().find(|known| known.serial == *serial) {
                serial.clone_from(&known.stands_for_it);
            }
        }
    }

    /// Replaces every serial in data, whole or cut by the data's start or end.
    pub(super) fn data(&self, data: &mut [u8]) {
        let mut forms: Vec<_> = self.known.iter().flat_map(|known| &known.forms).collect();
        // The longest first: a serial may be the beginning of another.
        forms.sort_by_key(|form| std::cmp::Reverse(form.from.len()));
        for form in &forms {
            form.replace_whole(data);
        }
        for form in &forms {
            form.replace_cut(data);
        }
    }
}

impl Form {
    fn replace_whole(&self, data: &mut [u8]) {
        let length = self.from.len();
        for start in 0..data.len() {
            self.put_if_there(data, start..start.saturating_add(length), 0..length);
        }
    }

    fn replace_cut(&self, data: &mut [u8]) {
        let length = self.from.len();
        for part in self.minimum..length {
            let (end, size) = (data.len(), part.min(data.len()));
            // The serial's beginning at the data's end, and the reverse.
            self.put_if_there(data, end - size..end, 0..part);
            self.put_if_there(data, 0..part, length - part..length);
        }
        if data.len() >= self.minimum && data.len() < length {
            for start in 0..=length - data.len() {
                self.put_if_there(data, 0..data.len(), start..start + data.len());
            }
        }
    }

    /// Replaces `place` if it holds exactly that part of the serial.
    fn put_if_there(&self, data: &mut [u8], place: Range<usize>, part: Range<usize>) {
        let (Some(from), Some(to)) = (self.from.get(part.clone()), self.to.get(part)) else {
            return;
        };
        if let Some(held) = data.get_mut(place)
            && held == from
        {
            held.copy_from_slice(to);
        }
    }
}

/// The `number`th pseudonym of that many characters: X's with the number at the end.
fn pseudonym(number: usize, characters: usize) -> String {
    let text = format!("{number:X>characters$}");
    let surplus = text.len() - characters;
    text.chars().skip(surplus).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(serial: &str, data: &[u8]) -> Vec<u8> {
        let mut mask = Mask::default();
        mask.learn(serial);
        let mut data = data.to_vec();
        mask.data(&mut data);
        data
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn a_serial_is_found_in_both_spellings_and_keeps_its_length() {
        assert_eq!(masked("R0C0FFEE", b"<R0C0FFEE>"), b"<XXXXXXX1>");
        let mut descriptor = vec![18, 3];
        descriptor.extend(wide("R0C0FFEE"));
        let mut expected = vec![18, 3];
        expected.extend(wide("XXXXXXX1"));
        assert_eq!(masked("R0C0FFEE", &descriptor), expected);
    }

    #[test]
    fn a_serial_cut_by_the_transfers_is_still_found() {
        assert_eq!(masked("R0C0FFEE", b"page R0C0F"), b"page XXXXX");
        assert_eq!(masked("R0C0FFEE", b"0FFEE page"), b"XXXX1 page");
        assert_eq!(masked("R0C0FFEE", b"0C0FF"), b"XXXXX");
        assert_eq!(masked("R0C0FFEE", b"R0C and FEE"), b"R0C and FEE", "too short to tell");
    }

    #[test]
    fn a_short_serial_is_not_looked_for_in_data() {
        assert_eq!(masked("00", b"0000 1"), b"0000 1");
    }

    #[test]
    fn one_serial_inside_another_does_not_spoil_it() {
        let mut mask = Mask::default();
        mask.learn("ABCD");
        mask.learn("ABCDEFGH");
        let mut data = b"ABCDEFGH ABCD".to_vec();
        mask.data(&mut data);
        assert_eq!(data, b"XXXXXXX2 XXX1");
    }

    #[test]
    fn pseudonyms_have_the_length_asked_for() {
        assert_eq!(pseudonym(7, 5), "XXXX7");
        assert_eq!(pseudonym(123, 2), "23");
        assert_eq!(
            masked("\u{e9}\u{e9}\u{e9}\u{e9}", &wide("\u{e9}\u{e9}\u{e9}\u{e9}")),
            wide("XXX1")
        );
    }
}
