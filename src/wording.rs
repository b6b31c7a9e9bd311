//! Counts and articles as a person reads them.

use std::fmt::Display;

/// That many of a thing, whose name becomes a plural with `s`: `1 byte`, `2 bytes`.
pub fn counted(count: impl Display, name: &str) -> String {
    let count = count.to_string();
    let ending = if count == "1" { "" } else { "s" };
    format!("{count} {name}{ending}")
}

/// A name behind `a` or `an`. A name of capitals is spelled out: `an SL11R`, `a USB hub`.
pub fn with_article(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().unwrap_or_default();
    let is_spelled = letters.next().is_some_and(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let begins_with_vowel = match first {
        'U' if is_spelled => false,
        'F' | 'H' | 'L' | 'M' | 'N' | 'R' | 'S' | 'X' if is_spelled => true,
        first => "aeiou".contains(first.to_ascii_lowercase()),
    };
    format!("{} {name}", if begins_with_vowel { "an" } else { "a" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many_and_a_spelled_letter_sounds() {
        assert_eq!(counted(1, "write cycle"), "1 write cycle");
        assert_eq!(counted(0, "unit"), "0 units");
        assert_eq!(counted(21, "unit"), "21 units");
        for (name, expected) in [
            ("EEPROM", "an EEPROM"),
            ("SL11R", "an SL11R"),
            ("ScanLogic SL11R", "a ScanLogic SL11R"),
            ("Cypress EZ-OTG", "a Cypress EZ-OTG"),
            ("EZ-USB AT2LP", "an EZ-USB AT2LP"),
            ("FX2LP", "an FX2LP"),
            ("USB hub", "a USB hub"),
            ("24C16", "a 24C16"),
        ] {
            assert_eq!(with_article(name), expected);
        }
    }
}
