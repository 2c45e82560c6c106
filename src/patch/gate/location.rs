//! Whether every path may be touched: inside the service's root, none of the protected kinds,
//! and none that another system would take for a different file than it looks.

use super::case::Case;
use super::{Seen, quoted, rules};
use crate::patch::paths;
use crate::source::locate::Files;
use std::collections::{HashMap, HashSet};
use unicode_normalization::UnicodeNormalization;

pub(super) fn check(case: &Case<'_>) -> Seen {
    let mut seen = Seen::default();
    let edited = case.edited();
    let settings = case.ground.settings;
    for path in &edited {
        if let Some(why) = paths::forbids(path, &rules(settings)) {
            seen.fault(format!(
                "{why}; leave it as it is, or give up and say what it needs"
            ));
        }
        if let Some(why) = trick(path) {
            seen.fault(format!("{} {why}; write a plain path", quoted(path)));
        }
        if !case.is_root(path) {
            seen.fault(format!(
                "{} lies outside the service's folder {}; fix it there, or give up and say what \
                 is needed outside",
                quoted(path),
                quoted(&settings.root)
            ));
        }
    }
    let twins = Twins::of(&case.tree, &edited);
    for path in &edited {
        if let Some(other) = twins.other(path) {
            seen.fault(format!(
                "{} is the same as {} on systems that do not tell case or composition apart; use \
                 another name",
                quoted(path),
                quoted(&other)
            ));
        }
    }
    seen.says(edited.join(", "))
}

/// What is strange about a path.
fn trick(path: &str) -> Option<&'static str> {
    let plain: String = path.nfkc().collect();
    if plain != path {
        return Some("has letters that only look like others");
    }
    if path.chars().any(|c| !c.is_alphanumeric() && !c.is_ascii()) {
        return Some("has signs that are not seen as they are written");
    }
    for name in path.split('/') {
        if name.ends_with(['.', ' ']) || name.starts_with(' ') {
            return Some("has a name that begins or ends with a blank or a dot");
        }
        if name.contains(['~', ':', '*', '?', '"', '<', '>', '|']) {
            return Some("has signs that mean something else on other systems");
        }
        let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
        let port = |word: &str| {
            stem.strip_prefix(word)
                .is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
        };
        if matches!(stem.as_str(), "con" | "prn" | "aux" | "nul") || port("com") || port("lpt") {
            return Some("has a name that is a device on other systems");
        }
        if stem.chars().any(char::is_alphabetic) && has_mixed_scripts(name) {
            return Some("mixes letters of different scripts in a name");
        }
    }
    None
}

/// Latin letters beside others that look like them.
pub(super) fn has_mixed_scripts(word: &str) -> bool {
    let latin = word.chars().any(|c| c.is_ascii_alphabetic());
    latin && word.chars().any(looks_latin)
}

/// Letters of other scripts of which many look like Latin ones.
pub(super) fn looks_latin(c: char) -> bool {
    matches!(u32::from(c),
        0x250..=0x2af | 0x370..=0x3ff | 0x400..=0x52f | 0x531..=0x58f | 0x13a0..=0x13ff
        | 0x1c80..=0x1c8f | 0x1f00..=0x1fff | 0x2c60..=0x2c7f | 0x2c80..=0x2cff | 0x2de0..=0x2dff
        | 0xa640..=0xa69f | 0xa720..=0xa7ff | 0xab30..=0xabbf | 0x10400..=0x1044f)
}

fn folded(path: &str) -> String {
    path.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// Paths and folders of the tree that differ from an edited path in case or composition alone.
struct Twins {
    known: HashMap<String, HashSet<String>>,
}

impl Twins {
    fn of(tree: &dyn Files, edited: &[&str]) -> Twins {
        let mut known: HashMap<String, HashSet<String>> = HashMap::new();
        for path in edited {
            for part in with_folders(path) {
                known
                    .entry(folded(part))
                    .or_default()
                    .insert(part.to_owned());
            }
        }
        let mut last = String::new();
        for path in tree.paths() {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let parts: Vec<&str> = if folder == last {
                vec![path]
            } else {
                last = folder.to_owned();
                with_folders(path).collect()
            };
            for part in parts {
                if let Some(same) = known.get_mut(&folded(part)) {
                    same.insert(part.to_owned());
                }
            }
        }
        Twins { known }
    }

    fn other(&self, path: &str) -> Option<String> {
        with_folders(path).find_map(|part| {
            let same = self.known.get(&folded(part))?;
            same.iter().find(|other| *other != part).cloned()
        })
    }
}

/// The path and every folder above it.
fn with_folders(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.match_indices('/').map(|(at, _)| at);
    ends.chain([path.len()]).filter_map(|end| path.get(..end))
}
