//! Characters to tokens, one source line at a time.

use std::fmt;

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name: mnemonic, directive, register, symbol.
    Name(String),
    /// A number, at most 32 bits.
    Number(i64),
    /// Text between double quotes.
    Text(String),
    /// One punctuation character.
    Mark(char),
    /// `++`.
    Increment,
    /// `@@`, an anonymous label.
    Anonymous,
    /// `@b`, the nearest anonymous label at or before this line.
    Back,
    /// `@f`, the nearest anonymous label after this line.
    Forward,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "`{name}`"),
            Self::Number(number) => write!(f, "`{number:#x}`"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Mark(mark) => write!(f, "`{mark}`"),
            Self::Increment => f.write_str("`++`"),
            Self::Anonymous => f.write_str("`@@`"),
            Self::Back => f.write_str("`@b`"),
            Self::Forward => f.write_str("`@f`"),
        }
    }
}

/// The tokens of one line, up to its comment.
pub(super) fn tokens(line: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            ';' => break,
            c if c.is_whitespace() => {
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
                continue;
            }
            '"' => text(rest)?,
            '\'' => character(rest)?,
            '@' => anonymous(rest)?,
            '0'..='9' => number(rest)?,
            c if is_name(c) => {
                let name: String = rest.chars().take_while(|c| is_name(*c)).collect();
                let length = name.len();
                (Token::Name(name), length)
            }
            '+' if rest.starts_with("++") => (Token::Increment, 2),
            ',' | ':' | '[' | ']' | '(' | ')' | '+' | '-' | '*' | '=' | '$' => {
                (Token::Mark(first), 1)
            }
            other => return Err(format!("got {other:?}, which begins nothing")),
        };
        found.push(token);
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(found)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn text(rest: &str) -> Result<(Token, usize), String> {
    let inside = rest.get(1..).unwrap_or_default();
    let end = inside.find('"').ok_or("got text without its closing quote")?;
    let text = inside.get(..end).unwrap_or_default().to_owned();
    Ok((Token::Text(text), end.saturating_add(2)))
}

fn character(rest: &str) -> Result<(Token, usize), String> {
    let mut inside = rest.chars().skip(1);
    match (inside.next(), inside.next()) {
        (Some(c), Some('\'')) if c.is_ascii() => Ok((Token::Number(i64::from(u32::from(c))), 3)),
        _ => Err("expected one ASCII character between single quotes".to_owned()),
    }
}

fn anonymous(rest: &str) -> Result<(Token, usize), String> {
    let token = match rest.get(1..2) {
        Some("@") => Token::Anonymous,
        Some("b") => Token::Back,
        Some("f") => Token::Forward,
        _ => return Err("got `@`, expected `@@`, `@b` or `@f`".to_owned()),
    };
    Ok((token, 2))
}

fn number(rest: &str) -> Result<(Token, usize), String> {
    let word: String = rest.chars().take_while(|c| is_name(*c)).collect();
    let parsed = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => word.parse(),
    };
    let value = parsed
        .map_err(|_| format!("got `{word}`, expected a number: 0x and hexadecimal, or decimal"))?;
    Ok((Token::Number(i64::from(value)), word.len()))
}

/// Tokens of a line, taken from the front.
pub(super) struct Cursor {
    tokens: std::collections::VecDeque<Token>,
}

impl Cursor {
    /// At the first token.
    pub(super) fn new(tokens: Vec<Token>) -> Self {
        Self { tokens: tokens.into() }
    }

    /// The next token, not taken.
    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.front()
    }

    /// The token after the next, not taken.
    pub(super) fn peek_second(&self) -> Option<&Token> {
        self.tokens.get(1)
    }

    /// Takes the next token.
    pub(super) fn take(&mut self) -> Option<Token> {
        self.tokens.pop_front()
    }

    /// Takes the next token if it is this punctuation character.
    pub(super) fn accept(&mut self, mark: char) -> bool {
        let found = self.peek() == Some(&Token::Mark(mark));
        if found {
            self.take();
        }
        found
    }

    /// Takes this punctuation character, or says what stands there.
    pub(super) fn expect(&mut self, mark: char) -> Result<(), String> {
        if self.accept(mark) { Ok(()) } else { Err(self.unexpected(&format!("`{mark}`"))) }
    }

    /// Takes a name, or says what stands there.
    pub(super) fn name(&mut self, expected: &str) -> Result<String, String> {
        match self.take() {
            Some(Token::Name(name)) => Ok(name),
            Some(other) => Err(format!("got {other}, expected {expected}")),
            None => Err(format!("got the end of the line, expected {expected}")),
        }
    }

    /// Makes sure the line ends here.
    pub(super) fn end(&self) -> Result<(), String> {
        if self.tokens.is_empty() { Ok(()) } else { Err(self.unexpected("the end of the line")) }
    }

    /// The message for the next token not being what was expected.
    pub(super) fn unexpected(&self, expected: &str) -> String {
        match self.peek() {
            Some(token) => format!("got {token}, expected {expected}"),
            None => format!("got the end of the line, expected {expected}"),
        }
    }
}
