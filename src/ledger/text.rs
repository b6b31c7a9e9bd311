//! Texts that devices and files have named, made fit for where they are shown.
//!
//! A USB string may hold anything: escape sequences that rewrite a terminal's lines, characters
//! that turn the direction of reading, a formula for the spreadsheet a CSV file is opened with.

/// Most characters that are kept of one text. A USB string descriptor holds 126.
pub const MAX_CHARACTERS: usize = 512;

/// A text, cut where it is longer than any that means something.
pub fn bounded(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A text on one line with nothing in it that acts on a terminal or hides: such characters are
/// written as Rust writes them, `\u{1b}`.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() || is_invisible(letter) {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// A text as a cell of a CSV file: visible, and with an apostrophe before what a spreadsheet would
/// take for a formula.
pub fn cell(text: &str) -> String {
    let shown = visible(text);
    // Spreadsheets pass over blanks, and take the full-width forms for the same.
    let first = shown.trim_start().chars().next();
    match first {
        Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') => format!("'{shown}"),
        _ => shown,
    }
}

/// Line and paragraph separators, marks of direction, joiners and other characters without a
/// shape [Unicode, category Cf, those that act on their neighbours].
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_and_marks_of_direction_are_shown_not_obeyed() {
        assert_eq!(visible("a\u{1b}[2Jb\r\nc"), r"a\u{1b}[2Jb\u{d}\u{a}c");
        assert_eq!(visible("moc\u{202e}x"), r"moc\u{202e}x");
        assert_eq!(visible("Größe 3½\""), "Größe 3½\"");
    }

    #[test]
    fn what_a_spreadsheet_would_compute_is_marked_as_text() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1"] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        assert_eq!(cell("\t=1"), "\\u{9}=1");
        assert_eq!(cell("R0C0FFEE"), "R0C0FFEE");
        assert_eq!(cell(""), "");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let text = "ß".repeat(MAX_CHARACTERS + 1);
        assert_eq!(bounded(&text), format!("{}…", "ß".repeat(MAX_CHARACTERS)));
        let fits = "ß".repeat(MAX_CHARACTERS);
        assert_eq!(bounded(&fits), fits);
    }

    proptest! {
        #[test]
        fn no_cell_begins_a_formula_and_none_holds_a_control_character(text in any::<String>()) {
            let cell = cell(&text);
            prop_assert!(!cell.trim_start().starts_with(['=', '+', '-', '@']));
            prop_assert!(!cell.chars().any(char::is_control));
        }
    }
}
