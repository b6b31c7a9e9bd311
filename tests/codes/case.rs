//! A case, and what the program answered in it.

use std::fmt;

use recover::failure::{Code, Failure};
use recover::rescue::Outcome;

/// Something that makes the program fail.
pub struct Case {
    /// The code it is to answer with.
    pub code: Code,
    /// What is wrong, in a few words.
    pub what: &'static str,
    /// Does it.
    pub provoke: fn() -> Answer,
}

/// What the program answered, as text for its owner.
pub struct Answer(String);

impl Answer {
    /// What a run of the program printed.
    pub fn printed(text: String) -> Self {
        Self(text)
    }

    /// The code in it.
    pub fn code(&self) -> Option<&str> {
        let (_, behind) = self.0.split_once("error[")?;
        behind.split_once(']').map(|(code, _)| code)
    }

    /// The part of a failure that is not told.
    pub fn missing(&self) -> Option<&'static str> {
        let has_set_bits = |part: &&str| {
            self.0.lines().any(|line| {
                line.trim_start().strip_prefix(*part).is_some_and(|rest| !rest.trim().is_empty())
            })
        };
        ["where:", "device:", "next:"].into_iter().find(|part| !has_set_bits(part))
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self(failure.to_string())
    }
}

impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Self {
        match outcome.failure {
            Some(failure) => failure.into(),
            None => Self(format!("no failure: {:?}", outcome.result)),
        }
    }
}

impl<T> From<Result<T, Failure>> for Answer {
    fn from(result: Result<T, Failure>) -> Self {
        match result {
            Err(failure) => failure.into(),
            Ok(_) => Self("no failure".to_owned()),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
