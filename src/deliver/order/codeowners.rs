//! Who owns a file, as CODEOWNERS says it. Read as code hosts document it: the last line whose
//! pattern fits counts, with GitLab's sections each on its own. A hostile file is bounded; what
//! cannot be read in it names nobody. E-mail addresses are passed over: hosts ask users and teams.

use crate::model::delivery::ForgeKind;
use crate::source::{Commit, Error, Repo, glob};

/// Longest file, in bytes; GitHub's own limit is 3 MB.
const BYTES: usize = 1 << 20;
const LINES: usize = 20_000;
/// Longest pattern, in bytes.
const PATTERN: usize = 500;
/// Bytes of patterns times bytes of paths that are compared at most.
const WORK: usize = 50_000_000;
/// Longest name of a user or team.
const NAME: usize = 255;

/// Where the file may stand, the first one counts.
pub const fn places(kind: ForgeKind) -> &'static [&'static str] {
    match kind {
        ForgeKind::Gitlab => &["CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"],
        ForgeKind::Github => &[".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"],
        // Gitea's file holds regular expressions, and Gitea asks its owners by itself.
        ForgeKind::Gitea | ForgeKind::Git => &[],
    }
}

/// The file's text at a commit; `None` where there is none.
///
/// # Errors
/// Of a damaged repository.
pub fn read(repo: &Repo, commit: Commit, kind: ForgeKind) -> Result<Option<String>, Error> {
    for place in places(kind) {
        if let Some(text) = repo.read_file(commit, place)? {
            return Ok(Some(String::from_utf8_lossy(&text).into_owned()));
        }
    }
    Ok(None)
}

/// Users and teams that own the files, those of the most files first; at most
/// [`super::REVIEWERS`].
pub fn owners(text: &str, paths: &[&str]) -> Vec<String> {
    if text.len() > BYTES {
        return Vec::new();
    }
    let sections = sections(text);
    let mut work = 0;
    let mut found: Vec<(String, usize)> = Vec::new();
    for path in paths {
        let mut of_path: Vec<&str> = Vec::new();
        let ends = path.matches('/').count() + 1;
        for section in &sections {
            let mut fits = None;
            for entry in section.iter().rev() {
                work += (entry.pattern.len() + 1) * (path.len() + 1) * ends;
                if work > WORK {
                    return Vec::new();
                }
                if fits_path(&entry.pattern, path) {
                    fits = Some(entry);
                    break;
                }
            }
            of_path.extend(fits.iter().flat_map(|entry| &entry.owners));
        }
        of_path.sort_unstable();
        of_path.dedup();
        for owner in of_path {
            match found.iter_mut().find(|(name, _)| name == owner) {
                Some((_, count)) => *count += 1,
                None => found.push((owner.to_owned(), 1)),
            }
        }
    }
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let names = found.into_iter().map(|(name, _)| name);
    names.take(super::REVIEWERS).collect()
}

/// A line of the file.
struct Entry<'t> {
    pattern: String,
    owners: Vec<&'t str>,
}

/// The lines, section by section; the first has none of its own.
fn sections(text: &str) -> Vec<Vec<Entry<'_>>> {
    let mut all = vec![(String::new(), Vec::new())];
    let mut at = 0;
    let mut default: Vec<&str> = Vec::new();
    for line in text.lines().take(LINES) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some((name, owners)) = section(line) {
            // Sections of one name are one.
            at = match all.iter().position(|(known, _)| *known == name) {
                Some(at) => at,
                None => {
                    all.push((name, Vec::new()));
                    all.len() - 1
                }
            };
            default = names(owners);
            continue;
        }
        let (pattern, owners) = pattern(line);
        if pattern.is_empty() || pattern.len() > PATTERN || pattern.starts_with('!') {
            continue;
        }
        let stated = owners.trim();
        let owners = match stated.is_empty() || stated.starts_with('#') {
            true => default.clone(),
            false => names(stated),
        };
        if let Some((_, entries)) = all.get_mut(at) {
            entries.push(Entry { pattern, owners });
        }
    }
    all.into_iter().map(|(_, entries)| entries).collect()
}

/// `[Name]`, `^[Name]`, `[Name][2] @owner`: the name in lower case, and what follows.
fn section(line: &str) -> Option<(String, &str)> {
    let inner = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?;
    let (name, rest) = inner.split_once(']')?;
    let rest = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, rest)) => rest,
        None => rest,
    };
    let ends = rest.is_empty() || rest.starts_with(char::is_whitespace);
    (ends && !name.is_empty()).then(|| (name.to_lowercase(), rest))
}

/// The pattern without its escapes (`\ `, `\#`), and what follows it.
fn pattern(line: &str) -> (String, &str) {
    let mut out = String::new();
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => out.extend(chars.next().map(|(_, escaped)| escaped)),
            c if c.is_whitespace() => return (out, line.get(at..).unwrap_or_default()),
            c => out.push(c),
        }
    }
    (out, "")
}

/// Users and teams without their `@`; a comment ends them.
fn names(text: &str) -> Vec<&str> {
    text.split_whitespace()
        .take_while(|word| !word.starts_with('#'))
        .filter_map(|word| word.strip_prefix('@'))
        .filter(|name| is_name(name))
        .collect()
}

/// A user, or a team or group with its owner before it.
pub(super) fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    name.len() <= NAME && name.split('/').all(part)
}

/// As in .gitignore, but that `docs/*` means the files in `docs` and none below.
fn fits_path(pattern: &str, path: &str) -> bool {
    let folder = pattern.ends_with('/');
    let bare = pattern.trim_matches('/');
    if bare.is_empty() {
        return pattern.starts_with('/');
    }
    let anchored = pattern.trim_end_matches('/').contains('/');
    let whole = bare.ends_with("/*");
    let ends = path.match_indices('/').map(|(at, _)| at);
    let ends = ends.chain(std::iter::once(path.len()));
    ends.into_iter()
        .filter(|end| !(folder && *end == path.len()))
        .filter(|end| !whole || *end == path.len())
        .any(|end| {
            let head = path.get(..end).unwrap_or(path);
            let name = head.rsplit('/').next().unwrap_or(head);
            match anchored {
                true => glob::matches(bare, head),
                false => glob::matches(bare, name),
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_the_documentation() {
        for (pattern, path, fits) in [
            ("*", "a/b/c.py", true),
            ("*.js", "a/b.js", true),
            ("*.js", "a/b.jsx", false),
            ("/build/logs/", "build/logs/a/b", true),
            ("/build/logs/", "x/build/logs/a", false),
            ("docs/*", "docs/a.md", true),
            ("docs/*", "docs/a/b.md", false),
            ("apps/", "x/apps/y/z", true),
            ("apps/", "x/apps", false),
            ("/docs/", "docs/a", true),
            ("/docs/", "x/docs/a", false),
            ("/apps/github", "apps/github/a.py", true),
            ("/apps/github", "apps/github", true),
            ("**/logs", "build/logs/a", true),
            ("**/logs", "logs/a", true),
            ("/a/**/c.py", "a/b/b/c.py", true),
            ("lib/x.rs", "lib/x.rs", true),
            ("lib/x.rs", "a/lib/x.rs", false),
        ] {
            assert_eq!(fits_path(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_line_that_fits_counts() {
        let text = "# owners\n* @all\n*.py @org/python jane@acme.example @sam # the rest\n\
                    /free/\n/a\\ b/ @space\n";
        assert_eq!(owners(text, &["x.rs"]), ["all"]);
        assert_eq!(owners(text, &["x.py"]), ["org/python", "sam"]);
        assert!(owners(text, &["free/x.rs"]).is_empty());
        assert_eq!(owners(text, &["a b/x.rs"]), ["space"]);
        assert_eq!(
            owners(text, &["y.rs", "x.py", "z.py"])[..2],
            ["org/python", "sam"]
        );
    }

    #[test]
    fn sections_count_each_on_their_own() {
        let text = "* @all\n[Docs][2] @writers\n*.md\n*.txt @txt\n^[Python]\n*.py @py @@maintainer\n\
                    [docs]\nREADME.md @readme\n";
        assert_eq!(owners(text, &["a.md"]), ["all", "writers"]);
        assert_eq!(owners(text, &["a.txt"]), ["all", "txt"]);
        assert_eq!(owners(text, &["README.md"]), ["all", "readme"]);
        assert_eq!(owners(text, &["a.py"]), ["all", "py"]);
    }

    #[test]
    fn a_hostile_file_is_bounded_and_names_nobody() {
        let many = (0..50).map(|n| format!(" @u{n}")).collect::<String>();
        assert_eq!(
            owners(&format!("*{many}"), &["a"]).len(),
            super::super::REVIEWERS
        );
        assert!(owners(&"* @a\n".repeat(BYTES / 5 + 1), &["a"]).is_empty());
        let slow = format!("{} @a\n", "*a".repeat(249)).repeat(2_000);
        let path = format!("{}b", "a".repeat(1_000));
        assert!(owners(&slow, &[&path]).is_empty());
        for bad in [
            "* @a b@",
            "* @-x",
            "* @a//b",
            "* @../..",
            "* @a\u{202e}",
            "!x @a",
            "* @",
        ] {
            let found = owners(bad, &["x"]);
            assert!(found.iter().all(|name| name == "a"), "{bad} {found:?}");
        }
    }
}
