//! Patterns for branch names and paths: `*` within a name, `**` over folders, `?` one character.
//! Nothing else is special. Works in linear space and at most quadratic time.

/// Whether the pattern fits the whole text.
pub fn matches(pattern: &str, text: &str) -> bool {
    fits(pattern.as_bytes(), text.as_bytes())
}

/// Whether the pattern fits a path or a folder above it: `db/` and `db` cover `db/a/b`, and a
/// pattern without a slash fits a name in any folder.
pub fn covers(pattern: &str, path: &str) -> bool {
    let pattern = pattern.trim_start_matches("./");
    let anchored = pattern.trim_end_matches('/').contains('/');
    let pattern = pattern.trim_matches('/');
    if pattern.is_empty() {
        return false;
    }
    let ends = path
        .match_indices('/')
        .map(|(at, _)| at)
        .chain(std::iter::once(path.len()));
    ends.into_iter().any(|end| {
        let head = path.get(..end).unwrap_or(path);
        let name = head.rsplit('/').next().unwrap_or(head);
        matches(pattern, head) || (!anchored && matches(pattern, name))
    })
}

/// One pass with two places to go back to: the last `*` and the last `**`.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut wide: Option<(usize, usize)> = None;
    while t < text.len() {
        let rest = pattern.get(p..).unwrap_or_default();
        if rest.starts_with(b"**") {
            // `a/**/b` also fits `a/b`.
            p += if rest.starts_with(b"**/") { 3 } else { 2 };
            (wide, star) = (Some((p, t)), None);
        } else if rest.first() == Some(&b'*') {
            p += 1;
            star = Some((p, t));
        } else if rest
            .first()
            .is_some_and(|c| *c == text[t] || (*c == b'?' && text[t] != b'/'))
        {
            p += 1;
            t += 1;
        } else if let Some((back, from)) = star.filter(|(_, from)| text[*from] != b'/') {
            star = Some((back, from + 1));
            (p, t) = (back, from + 1);
        } else if let Some((back, from)) = wide {
            (wide, star) = (Some((back, from + 1)), None);
            (p, t) = (back, from + 1);
        } else {
            return false;
        }
    }
    pattern
        .get(p..)
        .is_none_or(|rest| rest.iter().all(|c| *c == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stop_at_slashes_and_double_stars_do_not() {
        assert!(matches("release/*", "release/2.0"));
        assert!(!matches("release/*", "release/2/0"));
        assert!(matches("a/**/c", "a/c"));
        assert!(matches("a/**/*.py", "a/b/b/c.py"));
        assert!(!matches("a/**/*.py", "a/b/b/c.rs"));
        assert!(matches("**", "a/b"));
        assert!(!matches("ma?n", "ma/n"));
        let slow = "*a".repeat(500);
        assert!(!matches(&slow, &"b".repeat(5_000)));
    }

    #[test]
    fn folders_cover_what_is_in_them() {
        assert!(covers("db/", "db/a/b.sql"));
        assert!(covers("/db", "db/a/b.sql"));
        assert!(covers("*.lock", "a/b/poetry.lock"));
        assert!(covers("migrations", "svc/migrations/1.py"));
        assert!(!covers("svc/db", "db/a"));
        assert!(!covers("db", "dbx/a"));
        assert!(!covers("", "a"));
    }
}
