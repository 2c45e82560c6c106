//! Lines of source, redacted within the file that they are lines of: a key over many lines shows no
//! part of itself, though neither of its ends is among those that are shown. Not here: which lines.

use crate::redact::{Redacted, Scope};
use crate::source::{Commit, Content, Repo, RepoPath};

/// Up to so many bytes a file is redacted as a whole, so that what begins far above is seen.
const WHOLE: usize = 256 << 10;
/// In a longer file, so many lines around those that are shown.
const AROUND: usize = 200;

/// Lines of a text, redacted within the text around them; `None` for one that a value before it
/// reaches over.
pub(super) fn redacted(scope: &mut Scope, text: &str, from: u32, to: u32) -> Vec<Option<Redacted>> {
    let (from, to) = (from.max(1) as usize - 1, to as usize);
    if text.len() <= WHOLE {
        let all = scope.lines(text);
        return all.into_iter().take(to).skip(from).collect();
    }
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let first = from.saturating_sub(AROUND);
    let piece: String = all
        .get(first..(to + AROUND).min(all.len()))
        .unwrap_or_default()
        .concat();
    let lines = scope.lines(&piece);
    lines
        .into_iter()
        .take(to - first)
        .skip(from - first)
        .collect()
}

/// A file at a commit; no text where it was not there or is none.
pub(super) struct Whole(Option<String>);

impl Whole {
    pub(super) fn of(repo: &Repo, commit: Option<Commit>, path: &str) -> Whole {
        let read = || match repo.content(commit?, &RepoPath::parse(path).ok()?).ok()? {
            Content::Text(file) => Some(file.text),
            Content::Binary { .. }
            | Content::Lfs { .. }
            | Content::TooLong { .. }
            | Content::Other(_) => None,
        };
        Whole(read())
    }

    /// So many of its lines; of a file that cannot be read, what is known of them is redacted by itself.
    pub(super) fn lines<S: AsRef<str>>(
        &self,
        scope: &mut Scope,
        from: u32,
        known: &[S],
    ) -> Vec<Option<Redacted>> {
        let count = u32::try_from(known.len()).unwrap_or(u32::MAX);
        match &self.0 {
            _ if known.is_empty() => Vec::new(),
            Some(text) => redacted(scope, text, from, from.saturating_add(count - 1)),
            None => {
                let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
                scope.lines(&known.join("\n"))
            }
        }
    }
}

/// One hunk of a diff as git prints it.
#[derive(Default)]
struct Hunk<'d> {
    /// Numbers of its first line before and after.
    from: (u32, u32),
    head: String,
    lines: Vec<&'d str>,
}

/// A diff's lines with their signs. What git prints behind a hunk's numbers is a line of the file, and
/// left out.
pub(super) fn diff(scope: &mut Scope, old: &Whole, new: &Whole, diff: &str) -> Vec<Redacted> {
    let mut hunks: Vec<Hunk<'_>> = Vec::new();
    for line in diff.lines() {
        match (numbers(line), hunks.last_mut()) {
            (Some((from, head)), _) => hunks.push(Hunk {
                from,
                head,
                lines: Vec::new(),
            }),
            (None, Some(hunk)) => hunk.lines.push(line),
            (None, None) => {}
        }
    }
    let mut out = Vec::new();
    for hunk in &hunks {
        out.push(scope.text(&hunk.head));
        let of = |signs: [char; 2]| -> Vec<&str> {
            let lines = hunk.lines.iter().filter(|line| line.starts_with(signs));
            lines.filter_map(|line| line.get(1..)).collect()
        };
        let mut before = old.lines(scope, hunk.from.0, &of(['-', ' '])).into_iter();
        let mut after = new.lines(scope, hunk.from.1, &of(['+', ' '])).into_iter();
        for line in &hunk.lines {
            let (sign, shown) = match line.chars().next() {
                Some('-') => ("-", before.next()),
                Some('+') => ("+", after.next()),
                Some(' ') => {
                    before.next();
                    (" ", after.next())
                }
                // That there is no newline at the end.
                Some(_) | None => ("", Some(Some(scope.text(line)))),
            };
            out.extend(
                shown
                    .flatten()
                    .map(|shown| Redacted::join(&[sign.into(), (&shown).into()])),
            );
        }
    }
    out
}

/// `@@ -11,7 +11,7 @@ …`: where the hunk begins on both sides, and its head without what follows.
fn numbers(line: &str) -> Option<((u32, u32), String)> {
    let rest = line.strip_prefix("@@ -")?;
    let (old, rest) = rest.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let first = |side: &str| -> Option<u32> {
        let number = side.split(',').next().unwrap_or(side);
        number.parse().ok()
    };
    let from = (first(old)?, first(new)?);
    Some((from, format!("@@ -{old} +{new} @@")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::{Redactor, Settings};

    #[test]
    fn a_diff_is_shown_by_the_lines_of_its_files() {
        let mut scope = Redactor::new(&Settings::default()).unwrap().scope();
        let old = Whole(Some("a\nb\nc\n".to_owned()));
        let new = Whole(Some("a\nB\nc\npassword = 'hunter2hunter2'\n".to_owned()));
        let text = "@@ -1,3 +1,4 @@ class Secret\n a\n-b\n+B\n c\n+password = 'hunter2hunter2'\n\\ No newline at end of file\n";
        let shown = diff(&mut scope, &old, &new, text);
        let shown: Vec<&str> = shown.iter().map(Redacted::as_str).collect();
        assert_eq!(
            shown,
            [
                "@@ -1,3 +1,4 @@",
                " a",
                "-b",
                "+B",
                " c",
                "+password = '[password-1]'",
                "\\ No newline at end of file",
            ]
        );
        // A file that cannot be read any more is shown by what the diff says of it.
        let gone = Whole(None);
        let shown = diff(
            &mut scope,
            &gone,
            &gone,
            "@@ -1 +0,0 @@\n-jane@acme.example\n",
        );
        assert_eq!(shown[1].as_str(), "-[email-1]");
        assert!(diff(&mut scope, &old, &new, "no hunk\n").is_empty());
    }
}
