//! Text that may leave the host, as a type. Not here: how a text becomes one (`scope.rs`).

use serde::Serialize;
use std::fmt;

/// Text in which every secret that the rules know is replaced. Whatever sends text takes this
/// type; only this room makes it.
///
/// ```compile_fail
/// let text = autofix::redact::Redacted("password=hunter2".to_owned());
/// ```
///
/// ```compile_fail
/// let text: autofix::redact::Redacted = "password=hunter2".to_owned().into();
/// ```
///
/// ```compile_fail
/// let text: autofix::redact::Redacted = serde_json::from_str("\"password=hunter2\"").unwrap();
/// ```
///
/// Longer texts are made of our own words, numbers and what was redacted:
///
/// ```
/// use autofix::redact::{Redacted, Redactor, Settings};
/// let redactor = Redactor::new(&Settings::default()).unwrap();
/// let said = redactor.scope().text("login of jane@acme.example failed");
/// let prompt = Redacted::join(&["Line ".into(), 7.into(), " says: ".into(), (&said).into()]);
/// assert_eq!(prompt.as_str(), "Line 7 says: login of [email-1] failed");
/// ```
///
/// ```compile_fail
/// let line = String::from("password=hunter2");
/// let text = autofix::redact::Redacted::join(&[line.as_str().into()]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Redacted(String);

/// A part of a longer text.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'a> {
    /// Words of our own.
    Own(&'static str),
    Number(i64),
    Redacted(&'a Redacted),
}

impl Redacted {
    pub(super) fn new(text: String) -> Redacted {
        Redacted(text)
    }

    /// Words of our own.
    pub fn own(text: &'static str) -> Redacted {
        Redacted(text.to_owned())
    }

    /// A longer text out of pieces.
    pub fn join(pieces: &[Piece<'_>]) -> Redacted {
        let mut whole = Redacted::default();
        for piece in pieces {
            whole.push(*piece);
        }
        whole
    }

    pub fn push<'a>(&mut self, piece: impl Into<Piece<'a>>) {
        match piece.into() {
            Piece::Own(text) => self.0.push_str(text),
            Piece::Number(number) => self.0.push_str(&number.to_string()),
            Piece::Redacted(text) => self.0.push_str(&text.0),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The beginning of it, at most so many bytes.
    pub fn cut(&self, most: usize) -> Redacted {
        let end = (0..=most.min(self.len())).rev();
        let end = end.into_iter().find(|at| self.0.is_char_boundary(*at));
        Redacted(
            self.0
                .get(..end.unwrap_or(0))
                .unwrap_or_default()
                .to_owned(),
        )
    }
}

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&'static str> for Piece<'_> {
    fn from(text: &'static str) -> Self {
        Piece::Own(text)
    }
}

impl From<i64> for Piece<'_> {
    fn from(number: i64) -> Self {
        Piece::Number(number)
    }
}

impl<'a> From<&'a Redacted> for Piece<'a> {
    fn from(text: &'a Redacted) -> Self {
        Piece::Redacted(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_joined_and_cut_between_letters() {
        let mut text = Redacted::join(&["é".into(), 12.into()]);
        text.push(&Redacted::own("!"));
        assert_eq!(text.as_str(), "é12!");
        assert_eq!(text.cut(1).as_str(), "");
        assert_eq!(text.cut(3).as_str(), "é1");
        assert_eq!(text.cut(99), text);
        assert_eq!(serde_json::to_string(&text).unwrap(), "\"é12!\"");
    }
}
