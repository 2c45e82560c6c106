//! The level that a line of text gives itself, where its record says none. Not here: levels of
//! records (`record`).

use crate::model::Level;
use crate::triage::rules::level_word;
use regex::Regex;
use std::sync::LazyLock;

/// `level=error`, `"severity":"ERROR"`, klog's `E0301`, redis's `1:M … #`, its highest.
static MARK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r#"(?x)\b(?i:level|lvl|severity)"?\s?[=:]\s?"?(?P<word>[A-Za-z]+)
        | ^(?P<klog>[IWEF])\d{4}\ \d\d: | ^\d+:[MSCX]\ .{10,40}\ (?P<redis>[-.*\#])\ "#;
    Regex::new(pattern).ok()
});

static FAILURE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = r"(?i)\b(?:fail(?:ed|ure|s)?|cannot|can't|could not|couldn't|unable to|error)\b";
    Regex::new(words).ok()
});

/// The level that a line names.
pub(super) fn of_line(text: &str) -> Option<Level> {
    level_word(text).or_else(|| {
        let found = MARK.as_ref()?.captures(text)?;
        let group = |name: &str| found.name(name).map(|group| group.as_str());
        match group("redis") {
            Some("#") => Some(Level::Error),
            Some(_) => Some(Level::Info),
            None => Level::from_word(group("word").or(group("klog"))?),
        }
    })
}

/// Whether a line says that something failed.
pub(super) fn says_failure(text: &str) -> bool {
    FAILURE.as_ref().is_some_and(|words| words.is_match(text))
}
