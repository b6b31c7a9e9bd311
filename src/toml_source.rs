//! TOML that a person wrote: a profile, a bench. What is wrong with it is said with its line, and
//! all of it at once, as far as it can be read at all.

use std::fmt;

use serde::de::DeserializeOwned;

/// One thing wrong with what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem<K> {
    /// The file, or the folder where it is not about one file.
    pub place: String,
    /// The line, from 1; `None` where it is about the whole of it.
    pub line: Option<usize>,
    /// What is wrong.
    pub kind: K,
}

impl<K> Problem<K> {
    /// The file and the line.
    pub fn location(&self) -> String {
        match self.line {
            Some(line) => format!("{}, line {line}", self.place),
            None => self.place.clone(),
        }
    }
}

impl<K: fmt::Display> fmt::Display for Problem<K> {
    /// `place, line N: what is wrong`, without the remedy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location(), self.kind)
    }
}

impl<K: fmt::Debug + fmt::Display> std::error::Error for Problem<K> {}

/// A text that cannot be read as what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misshapen {
    /// Not TOML, or a value of a wrong kind, or a key missing.
    #[error("{0}")]
    BadToml(String),
    /// A key that has no meaning.
    #[error("{0}")]
    UnknownKey(String),
}

impl Misshapen {
    /// What to do about it. `keys` is the page that has the keys.
    pub fn remedy(&self, keys: &str) -> String {
        match self {
            Self::BadToml(_) => format!("correct the line; {keys}"),
            Self::UnknownKey(_) => format!("remove the key or correct its spelling; {keys}"),
        }
    }
}

/// A text, and what was found wrong with it so far.
pub struct TomlSource<'t, K> {
    text: &'t str,
    place: &'t str,
    problems: Vec<Problem<K>>,
}

impl<'t, K: From<Misshapen>> TomlSource<'t, K> {
    /// A text that nobody has read yet; `place` names it in problems.
    pub fn new(text: &'t str, place: &'t str) -> Self {
        Self { text, place, problems: Vec::new() }
    }

    /// Its tables, before their values are checked.
    ///
    /// # Errors
    /// The first key or value that does not fit.
    pub fn document<T: DeserializeOwned>(&self) -> Result<T, Vec<Problem<K>>> {
        toml::from_str(self.text).map_err(|error| {
            let message = error.message().to_owned();
            // serde's own words for `deny_unknown_fields`.
            let kind = match message.starts_with("unknown field") {
                true => Misshapen::UnknownKey(message),
                false => Misshapen::BadToml(message),
            };
            let line = error.span().map(|span| self.line(span.start));
            vec![Problem { place: self.place.to_owned(), line, kind: kind.into() }]
        })
    }

    /// The line that a byte of the text is in, from 1.
    pub fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// The file and that line.
    pub fn location(&self, offset: usize) -> String {
        format!("{}, line {}", self.place, self.line(offset))
    }

    /// Takes note of something wrong at a byte of the text.
    pub fn note(&mut self, offset: usize, kind: K) {
        let line = Some(self.line(offset));
        self.problems.push(Problem { place: self.place.to_owned(), line, kind });
    }

    /// What was made of the text, unless something was noted. A `made` of `None` has a note.
    ///
    /// # Errors
    /// Everything that was noted, in the order of the text.
    pub fn finish<T>(self, made: Option<T>) -> Result<T, Vec<Problem<K>>> {
        let mut problems = self.problems;
        match made {
            Some(made) if problems.is_empty() => Ok(made),
            _ => {
                problems.sort_by_key(|problem| problem.line);
                Err(problems)
            }
        }
    }
}
