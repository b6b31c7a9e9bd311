//! What the keys mean.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for; docs/using.md has the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Start,
    Skip,
    Retry,
    Detail,
    Report,
    Back,
    Quit,
}

/// The last line of the screen.
pub const HELP: &str = "up/down port  s start  x skip  r retry  d detail  o report  q quit safely";

impl Key {
    /// What a key pressed means, if it means anything.
    pub fn of(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        if event.modifiers.contains(KeyModifiers::CONTROL) {
            // Raw, a terminal hands Ctrl-C over like any other key.
            return (event.code == KeyCode::Char('c')).then_some(Self::Quit);
        }
        Some(match event.code {
            KeyCode::Up | KeyCode::Char('k') => Self::Up,
            KeyCode::Down | KeyCode::Char('j') => Self::Down,
            KeyCode::PageUp => Self::PageUp,
            KeyCode::PageDown => Self::PageDown,
            KeyCode::Home => Self::First,
            KeyCode::End => Self::Last,
            KeyCode::Char('s') => Self::Start,
            KeyCode::Char('x') => Self::Skip,
            KeyCode::Char('r') => Self::Retry,
            KeyCode::Char('d') | KeyCode::Enter => Self::Detail,
            KeyCode::Char('o') => Self::Report,
            KeyCode::Esc => Self::Back,
            KeyCode::Char('q') => Self::Quit,
            _ => return None,
        })
    }
}
