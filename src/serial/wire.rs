//! What each kind of relay board is told, byte by byte, and what it answers. Pure.
//!
//! Where the facts come from and how well they are known: docs/references.md, RELAY.

use super::BoardKind;

/// The bytes that energise a relay or let it go. `channel` counts from 1.
pub fn command(kind: BoardKind, channel: u8, energised: bool) -> Vec<u8> {
    match kind {
        BoardKind::Lcus => {
            let state = u8::from(energised);
            // The sum of the three bytes before it, modulo 256.
            let sum = 0xa0_u8.wrapping_add(channel).wrapping_add(state);
            vec![0xa0, channel, state, sum]
        }
        BoardKind::AaBb => vec![if energised { 0xaa } else { 0xbb }],
        BoardKind::Letter => vec![if energised { b'A' } else { b'a' }],
        BoardKind::Numato => {
            let word = if energised { "on" } else { "off" };
            format!("relay {word} {}\r", numato_index(channel)).into_bytes()
        }
    }
}

/// What brings a board out of half a command, sent once after it was opened; empty where nothing
/// does.
pub fn wake(kind: BoardKind) -> &'static [u8] {
    match kind {
        // An empty line; its answer is an empty line and the prompt.
        BoardKind::Numato => b"\r",
        BoardKind::Lcus | BoardKind::AaBb | BoardKind::Letter => b"",
    }
}

/// Whether what came so far is the whole answer to a command.
pub fn is_complete(kind: BoardKind, answer: &[u8]) -> bool {
    match kind {
        // The command comes back as an echo; the prompt is last.
        BoardKind::Numato => answer.last() == Some(&b'>'),
        BoardKind::Lcus | BoardKind::AaBb | BoardKind::Letter => true,
    }
}

/// Whether a whole answer is what a board says that took the command.
pub fn is_taken(kind: BoardKind, command: &[u8], answer: &[u8]) -> bool {
    match kind {
        BoardKind::Numato => {
            let said = command.strip_suffix(b"\r").unwrap_or(command);
            answer.windows(said.len().max(1)).any(|part| part == said)
        }
        BoardKind::Lcus | BoardKind::AaBb | BoardKind::Letter => true,
    }
}

/// Numato's relays count from 0: digits, then capital letters.
fn numato_index(channel: u8) -> char {
    let index = u32::from(channel.saturating_sub(1));
    char::from_digit(index, 36).map_or('0', |digit| digit.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_lcus_board_is_told_what_its_sellers_print() {
        // RELAY: "A0 01 01 A2" on, "A0 01 00 A1" off; the second relay of an LCUS-2.
        assert_eq!(command(BoardKind::Lcus, 1, true), [0xa0, 0x01, 0x01, 0xa2]);
        assert_eq!(command(BoardKind::Lcus, 1, false), [0xa0, 0x01, 0x00, 0xa1]);
        assert_eq!(command(BoardKind::Lcus, 2, true), [0xa0, 0x02, 0x01, 0xa3]);
        assert_eq!(command(BoardKind::Lcus, 8, false), [0xa0, 0x08, 0x00, 0xa8]);
    }

    #[test]
    fn boards_of_one_relay_are_told_one_byte() {
        assert_eq!(command(BoardKind::AaBb, 1, true), [0xaa]);
        assert_eq!(command(BoardKind::AaBb, 1, false), [0xbb]);
        assert_eq!(command(BoardKind::Letter, 1, true), [b'A']);
        assert_eq!(command(BoardKind::Letter, 1, false), [b'a']);
    }

    #[test]
    fn a_numato_board_is_told_lines_and_counts_from_0() {
        assert_eq!(command(BoardKind::Numato, 1, true), b"relay on 0\r");
        assert_eq!(command(BoardKind::Numato, 10, false), b"relay off 9\r");
        assert_eq!(command(BoardKind::Numato, 11, true), b"relay on A\r");
        assert_eq!(command(BoardKind::Numato, 32, true), b"relay on V\r");
    }

    #[test]
    fn a_numato_boards_answer_is_its_echo_and_the_prompt() {
        let command = b"relay on 0\r";
        assert!(!is_complete(BoardKind::Numato, b"relay on 0\n\r"));
        assert!(is_complete(BoardKind::Numato, b"relay on 0\n\r>"));
        assert!(is_taken(BoardKind::Numato, command, b"relay on 0\n\r>"));
        assert!(!is_taken(BoardKind::Numato, command, b"login: >"));
        assert!(is_complete(BoardKind::Lcus, b""));
    }
}
