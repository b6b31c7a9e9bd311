//! Numbers that may rest on symbols: sums of products, with parentheses.

use super::lexer::{Cursor, Token};

/// How deep parentheses and `equ` names may nest.
const MAX_DEPTH: usize = 32;

/// A sum; each term is a product, and is subtracted where the flag is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expression(Vec<(bool, Vec<Factor>)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Factor {
    Number(i64),
    Symbol(String),
    /// `$`, the address of the statement.
    Here,
    Group(Expression),
}

/// What an expression comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// The number; for a label of a relocatable block, its offset in the block.
    pub(super) number: i64,
    /// How many times the unknown start of a relocatable block is in it: 0 for a plain number and
    /// for the difference of two labels, 1 for a label.
    pub(super) bases: i64,
}

impl Value {
    /// A number that does not move with the code.
    pub(super) fn plain(number: i64) -> Self {
        Self { number, bases: 0 }
    }
}

/// Where an expression finds the values of symbols.
pub(super) trait Symbols {
    /// The value of a name; `depth` counts the `equ` names on the way to it.
    fn value(&self, name: &str, depth: usize) -> Result<Value, String>;
}

impl Expression {
    /// Parses as much as belongs to one expression. `anonymous` is the number of the last
    /// anonymous label at or before this line.
    pub(super) fn parse(cursor: &mut Cursor, anonymous: usize) -> Result<Self, String> {
        Self::parse_at(cursor, anonymous, 0)
    }

    fn parse_at(cursor: &mut Cursor, anonymous: usize, depth: usize) -> Result<Self, String> {
        if depth > MAX_DEPTH {
            return Err(format!("got more than {MAX_DEPTH} parentheses inside each other"));
        }
        let mut terms = Vec::new();
        let mut negative = cursor.accept('-');
        loop {
            let mut factors = vec![factor(cursor, anonymous, depth)?];
            while cursor.accept('*') {
                factors.push(factor(cursor, anonymous, depth)?);
            }
            terms.push((negative, factors));
            if cursor.accept('+') {
                negative = false;
            } else if cursor.accept('-') {
                negative = true;
            } else {
                return Ok(Self(terms));
            }
        }
    }

    /// Its value, for a statement at `here`.
    pub(super) fn value(&self, symbols: &dyn Symbols, here: Value) -> Result<Value, String> {
        self.value_at(symbols, here, 0)
    }

    /// As [`Self::value`], `depth` names deep.
    pub(super) fn value_at(
        &self,
        symbols: &dyn Symbols,
        here: Value,
        depth: usize,
    ) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err(format!("got names that rest on each other more than {MAX_DEPTH} deep"));
        }
        let deeper = depth.saturating_add(1);
        let mut sum = Value::plain(0);
        for (negative, factors) in &self.0 {
            let mut product = Value::plain(1);
            for factor in factors {
                let value = match factor {
                    Factor::Number(number) => Value::plain(*number),
                    Factor::Here => here,
                    Factor::Symbol(name) => symbols.value(name, deeper)?,
                    Factor::Group(group) => group.value_at(symbols, here, deeper)?,
                };
                product = multiply(product, value).ok_or("the product cannot be expressed")?;
            }
            let sign = if *negative { -1 } else { 1 };
            sum = add(sum, product, sign).ok_or("the sum cannot be expressed")?;
        }
        Ok(sum)
    }
}

fn factor(cursor: &mut Cursor, anonymous: usize, depth: usize) -> Result<Factor, String> {
    match cursor.peek() {
        Some(Token::Name(name)) if super::operand::register(name).is_none() => {}
        Some(Token::Number(_) | Token::Mark('$' | '(') | Token::Back | Token::Forward) => {}
        _ => return Err(cursor.unexpected("a number or a name")),
    }
    Ok(match cursor.take() {
        Some(Token::Name(name)) => Factor::Symbol(name),
        Some(Token::Number(number)) => Factor::Number(number),
        Some(Token::Back) => Factor::Symbol(anonymous_name(anonymous)),
        Some(Token::Forward) => Factor::Symbol(anonymous_name(anonymous.saturating_add(1))),
        Some(Token::Mark('(')) => {
            let group = Expression::parse_at(cursor, anonymous, depth.saturating_add(1))?;
            cursor.expect(')')?;
            Factor::Group(group)
        }
        _ => Factor::Here,
    })
}

/// The name under which the n-th anonymous label is kept; no source can spell it.
pub(super) fn anonymous_name(number: usize) -> String {
    format!("@@{number}")
}

fn multiply(a: Value, b: Value) -> Option<Value> {
    if a.bases != 0 && b.bases != 0 {
        return None;
    }
    Some(Value {
        number: a.number.checked_mul(b.number)?,
        bases: a.bases.checked_mul(b.number)?.checked_add(b.bases.checked_mul(a.number)?)?,
    })
}

fn add(a: Value, b: Value, sign: i64) -> Option<Value> {
    Some(Value {
        number: a.number.checked_add(b.number.checked_mul(sign)?)?,
        bases: a.bases.checked_add(b.bases.checked_mul(sign)?)?,
    })
}
