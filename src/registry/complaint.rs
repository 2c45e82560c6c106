//! One thing that is wrong with what a person configured: where, what, and what to do about it.
//! Not for faults of the running program.

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The configuration cannot be used as it stands.
    Fault,
    /// It works, but probably not as meant.
    Warning,
}

/// Where it stands. Both parts are missing for a value that has no file (a key of the host).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub file: Option<String>,
    /// 1-based.
    pub line: Option<u32>,
}

impl Place {
    pub fn line(file: &str, line: u32) -> Place {
        Place {
            file: Some(file.to_owned()),
            line: Some(line),
        }
    }

    pub fn file(file: &str) -> Place {
        Place {
            file: Some(file.to_owned()),
            line: None,
        }
    }
}

/// One complaint. Prints as `file:line: what; remedy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    pub severity: Severity,
    pub place: Place,
    pub what: String,
    /// What the reader can do. Empty where `what` says it all.
    pub remedy: String,
}

impl Complaint {
    pub fn fault(place: Place, what: impl Into<String>, remedy: impl Into<String>) -> Complaint {
        Complaint {
            severity: Severity::Fault,
            place,
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    pub fn warning(place: Place, what: impl Into<String>, remedy: impl Into<String>) -> Complaint {
        Complaint {
            severity: Severity::Warning,
            ..Complaint::fault(place, what, remedy)
        }
    }

    pub fn is_fault(&self) -> bool {
        self.severity == Severity::Fault
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.place.file {
            write!(f, "{file}:")?;
            if let Some(line) = self.place.line {
                write!(f, "{line}:")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.what)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

/// The candidate that `word` is most likely a misspelling of. Case, `_` and `-` do not count.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = plain(word);
    candidates
        .into_iter()
        .map(|candidate| (distance(&plain, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn plain(word: &str) -> String {
    // Words beyond any key's length are cut: the distance is quadratic.
    word.chars()
        .take(64)
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

fn distance(plain_word: &str, candidate: &str) -> usize {
    strsim::damerau_levenshtein(plain_word, &plain(candidate))
}

/// `did you mean `x`?` or, without a likely candidate, the list of what there is.
pub fn did_you_mean(word: &str, candidates: &[&str]) -> String {
    match suggest(word, candidates.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => format!("known are {}", candidates.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_words_find_their_key() {
        let keys = ["match", "path_prefixes", "repo", "root"];
        assert_eq!(suggest("mach", keys), Some("match"));
        assert_eq!(suggest("PathPrefix", keys), Some("path_prefixes"));
        assert_eq!(suggest("reop", keys), Some("repo"));
        assert_eq!(suggest("colour", keys), None);
    }

    #[test]
    fn prints_place_what_and_remedy() {
        let complaint = Complaint::fault(Place::line("a.toml", 3), "no", "say yes");
        assert_eq!(complaint.to_string(), "a.toml:3: no; say yes");
        let bare = Complaint::warning(Place::default(), "no", "");
        assert_eq!(bare.to_string(), "no");
    }
}
