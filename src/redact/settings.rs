//! What a service adds to the rules, as it stands in the registry, and the complaints about it.

use crate::model::service::Redact;
use regex::{Regex, RegexBuilder};
use std::fmt;

/// Largest compiled pattern, in bytes.
const SIZE: usize = 1 << 20;
/// Patterns and allowed values, each.
const MOST: usize = 200;

/// What a team sets. Not checked yet; [`Redactor::new`](crate::redact::Redactor::new) does that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Settings {
    /// Public IP addresses are replaced. Off by default: in most logs they are what a fault is
    /// found by. Where they are personal data, a team turns it on.
    pub ip: bool,
    /// Regular expressions whose matches are replaced.
    pub patterns: Vec<String>,
    /// Values that stay: as they are, or between slashes (`/.../`) a regular expression that the
    /// whole value must match.
    pub allow: Vec<String>,
}

impl Settings {
    /// Everything that is wrong, without making a redactor.
    pub fn check(&self) -> Vec<Complaint> {
        Custom::new(self).err().unwrap_or_default()
    }
}

impl From<&Redact> for Settings {
    fn from(redact: &Redact) -> Settings {
        Settings {
            ip: redact.ip,
            patterns: redact.patterns.clone(),
            allow: redact.allow.clone(),
        }
    }
}

/// What is wrong with the settings: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// `patterns[0]`.
    pub place: String,
    pub what: String,
    pub remedy: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.what, self.remedy)
    }
}

/// The settings, compiled.
#[derive(Clone, Debug, Default)]
pub(super) struct Custom {
    pub(super) ip: bool,
    pub(super) patterns: Vec<Regex>,
    allow_exact: Vec<String>,
    allow_match: Vec<Regex>,
}

impl Custom {
    /// All complaints at once.
    pub(super) fn new(settings: &Settings) -> Result<Custom, Vec<Complaint>> {
        let mut complaints = Vec::new();
        let mut custom = Custom {
            ip: settings.ip,
            ..Custom::default()
        };
        limit("patterns", settings.patterns.len(), &mut complaints);
        limit("allow", settings.allow.len(), &mut complaints);
        for (at, text) in settings.patterns.iter().enumerate().take(MOST) {
            match pattern(text) {
                Ok(regex) => custom.patterns.push(regex),
                Err(wrong) => complaints.push(at_place("patterns", at, wrong)),
            }
        }
        for (at, text) in settings.allow.iter().enumerate().take(MOST) {
            match allowed(text) {
                Ok(Some(regex)) => custom.allow_match.push(regex),
                Ok(None) => custom.allow_exact.push(text.clone()),
                Err(wrong) => complaints.push(at_place("allow", at, wrong)),
            }
        }
        if complaints.is_empty() {
            Ok(custom)
        } else {
            Err(complaints)
        }
    }

    pub(super) fn allows(&self, value: &str) -> bool {
        self.allow_exact.iter().any(|exact| exact == value)
            || self.allow_match.iter().any(|regex| regex.is_match(value))
    }
}

type Wrong = (String, &'static str);

fn at_place(list: &str, at: usize, (what, remedy): Wrong) -> Complaint {
    Complaint {
        place: format!("{list}[{at}]"),
        what,
        remedy: remedy.to_owned(),
    }
}

fn limit(list: &str, count: usize, complaints: &mut Vec<Complaint>) {
    if count > MOST {
        complaints.push(Complaint {
            place: list.to_owned(),
            what: format!("{count} entries, and at most {MOST} are read"),
            remedy: "put several into one regular expression".to_owned(),
        });
    }
}

fn compiled(text: &str) -> Result<Regex, Wrong> {
    let built = RegexBuilder::new(text)
        .size_limit(SIZE)
        .dfa_size_limit(SIZE)
        .build();
    built.map_err(|error| {
        let error = error.to_string();
        let last = error.lines().last().unwrap_or_default();
        let what = format!("`{}` is no regular expression: {last}", text.escape_debug());
        (what, "mend it, or put a \\ before the sign")
    })
}

fn pattern(text: &str) -> Result<Regex, Wrong> {
    let regex = compiled(text)?;
    if regex.is_match("") {
        let what = format!("`{}` matches the empty text", text.escape_debug());
        return Err((what, "let it ask for at least one character"));
    }
    Ok(regex)
}

/// `None` where it is a plain value.
fn allowed(text: &str) -> Result<Option<Regex>, Wrong> {
    let inner = text
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'));
    match inner {
        _ if text.trim().is_empty() => Err(("an empty entry".to_owned(), "take it out")),
        // By itself first, so that what closes and opens groups cannot reach out of it.
        Some(inner) if !inner.is_empty() => {
            compiled(inner)?;
            compiled(&format!("^(?:{inner})$")).map(Some)
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(patterns: &[&str], allow: &[&str]) -> Settings {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Settings {
            ip: false,
            patterns: owned(patterns),
            allow: owned(allow),
        }
    }

    #[test]
    fn every_complaint_at_once() {
        let bad = settings(
            &["(", "ok", "a*", "(\\w{300}){300}"],
            &["", "/[/", "/path/to"],
        );
        let complaints = Custom::new(&bad).unwrap_err();
        let places: Vec<&str> = complaints.iter().map(|c| c.place.as_str()).collect();
        assert_eq!(
            places,
            [
                "patterns[0]",
                "patterns[2]",
                "patterns[3]",
                "allow[0]",
                "allow[1]"
            ]
        );
        assert!(complaints.iter().all(|c| !c.remedy.is_empty()));
        let many = vec!["x"; MOST + 1];
        assert_eq!(Custom::new(&settings(&many, &[])).unwrap_err().len(), 1);
    }

    #[test]
    fn an_allowed_value_is_the_whole_value() {
        let custom = Custom::new(&settings(&[], &["a@b.example", "/.*@acme\\.example/"])).unwrap();
        assert!(custom.allows("a@b.example") && custom.allows("x@acme.example"));
        assert!(!custom.allows("aa@b.example") && !custom.allows("x@acme.example.org"));
    }
}
