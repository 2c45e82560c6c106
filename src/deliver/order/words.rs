//! Text that others wrote on its way into an order: redacted first, then made harmless, as
//! Markdown (names, prose, blocks of lines) or as plain text.

use crate::deliver::markdown::{code, fenced, longest_run, prose, shortened, size, visible};
use crate::redact::{Redacted, Redactor, Scope};
use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Characters shown of a name.
const NAME: usize = 200;
/// Characters shown of a line.
const LINE: usize = 900;

/// One order's texts: the same value has the same placeholder in all of them.
pub(super) struct Words {
    scope: Scope,
}

/// What of a text had room, and what had none; redacted both.
pub(super) struct Said {
    pub(super) shown: String,
    pub(super) left: String,
}

impl Words {
    pub(super) fn new(redactor: &Redactor) -> Words {
        Words {
            scope: redactor.scope(),
        }
    }

    /// How many texts could not be looked through, and stand nowhere.
    pub(super) fn withheld(&self) -> u64 {
        self.scope.report().withheld
    }

    fn redacted(&mut self, text: &str) -> Redacted {
        self.scope.text(text)
    }

    /// A name as a code span.
    pub(super) fn name(&mut self, text: &str) -> String {
        let text = self.redacted(text);
        code(&shortened(&visible(&inert(text.as_str())), NAME))
    }

    /// Whether the text has nothing to hide, so that it may stand in an address.
    pub(super) fn is_clean(&mut self, text: &str) -> bool {
        self.redacted(text).as_str() == text && visible(text) == text
    }

    /// Running text, as much as has room.
    pub(super) fn prose(&mut self, text: &str, room: usize) -> Said {
        let text = self.redacted(text);
        let text = inert(text.as_str());
        let (shown, left) = prose(&text, room);
        Said {
            shown,
            left: left.to_owned(),
        }
    }

    /// Running text; of what has no room the number of characters is said.
    pub(super) fn short(&mut self, text: &str, room: usize) -> String {
        let Said { mut shown, left } = self.prose(text, room.saturating_sub(40));
        if !left.is_empty() {
            let more = left.chars().count();
            shown.push_str(&format!(" … ({more} more characters)"));
        }
        shown
    }

    /// Log text redacted as a whole, so that a key over many lines is one; in two parts, the first
    /// with so many of its lines.
    pub(super) fn lines(&mut self, text: &str, first: usize) -> (Vec<String>, Vec<String>) {
        let mut lines = self.scope.lines(text);
        let second = lines.split_off(first.min(lines.len()));
        (shown(lines), shown(second))
    }

    /// For a subject or a title: letters, digits and what names are made of.
    pub(super) fn plain(&mut self, text: &str, most: usize) -> String {
        let text = self.redacted(text);
        plain(text.as_str(), most)
    }

    /// A path for a subject or a title, its end rather than its beginning.
    pub(super) fn plain_path(&mut self, path: &str, most: usize) -> String {
        let path = plain(self.redacted(path).as_str(), usize::MAX);
        let count = path.chars().count();
        if count <= most {
            return path;
        }
        let end: String = path.chars().skip(count - (most - 1)).collect();
        format!("…{}", unlinked(&end))
    }
}

/// Lines as they are shown; of those that a value before them reaches over, the number.
fn shown(lines: Vec<Option<Redacted>>) -> Vec<String> {
    let mut out = Vec::with_capacity(lines.len());
    let mut gone = 0;
    for line in lines.into_iter().map(Some).chain(std::iter::once(None)) {
        if line == Some(None) {
            gone += 1;
            continue;
        }
        if gone > 0 {
            out.push(format!("[{gone} lines are redacted with the one before]"));
            gone = 0;
        }
        out.extend(line.flatten().map(|line| harmless(line.as_str())));
    }
    out
}

/// Some hosts make a body the message of the merged commit, where nothing is code: marks that skip
/// tests, and words that close an issue, get a dot between.
fn inert(text: &str) -> Cow<'_, str> {
    static SKIPS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let pattern = r"(?i)(\[|\*\*\*)([a-z]+[ _-]skip|skip[ _-][a-z]+|no[ _-]ci)";
        Regex::new(pattern).ok()
    });
    static CHECKS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)(skip-checks|co-authored-by|signed-off-by)(:)").ok());
    static CLOSES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let words =
            "clos(?:e|es|ed|ing)|fix(?:es|ed|ing)?|resolv(?:e|es|ed|ing)|implement(?:s|ed|ing)?";
        let pattern =
            format!(r"(?i)((?:{words})\b:?\s*)(\S*[#!]\d|gh-\d|https?:|[a-z][a-z0-9_]*-\d)");
        Regex::new(&pattern).ok()
    });
    let mut text = Cow::Borrowed(text);
    for pattern in [&SKIPS, &CHECKS, &CLOSES] {
        let Some(pattern) = pattern.as_ref() else {
            return Cow::Borrowed("[withheld: it cannot be made harmless]");
        };
        if pattern.is_match(&text) {
            text = Cow::Owned(pattern.replace_all(&text, "$1·$2").into_owned());
        }
    }
    text
}

/// A line as it is shown in a block. Some hosts take a line that begins with a slash for a
/// command, and not all of them look whether it stands in a block.
fn harmless(line: &str) -> String {
    let line = inert(line);
    let line = visible(&line);
    let line = shortened(line.trim_end(), LINE);
    match line.trim_start().starts_with('/') {
        true => format!("· {line}"),
        false => line.into_owned(),
    }
}

/// A block of as many of the lines as have room, and how many those are.
pub(super) fn block(lines: &[String], room: usize) -> (String, usize) {
    let mut used = 20;
    let mut ticks = 0;
    let mut count = 0;
    for line in lines {
        ticks = longest_run(line, '`').max(ticks);
        used += size(line) + 1;
        if used + 2 * ticks > room {
            break;
        }
        count += 1;
    }
    if count == 0 {
        return (String::new(), 0);
    }
    let shown = lines.iter().take(count);
    let shown = shown.map(|line| Cow::Borrowed(line.as_str()));
    (fenced("text", shown), count)
}

/// Nothing of what is left is Markdown, a mention, a reference, a commit, an address, or a mark
/// that a runner of tests takes for an order to skip them.
fn plain(text: &str, most: usize) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let c = match c {
            c if c.is_alphanumeric() && visible(c.encode_utf8(&mut [0; 4])) == c.to_string() => c,
            '.' | '_' | '-' | '/' | '$' | '+' => c,
            ':' => ':',
            c if c.is_whitespace() => ' ',
            _ => continue,
        };
        // A single colon could make a trailer or an address of it; `::` is a path in many languages.
        if c == ' ' && (out.is_empty() || out.ends_with(' ')) {
            continue;
        }
        out.push(c);
    }
    let out = out
        .replace("::", "\u{0}")
        .replace(':', " ")
        .replace('\u{0}', "::");
    let out = out.replace("//", "/").replace("$", "").replace("__", "_");
    let words: Vec<String> = out.split_whitespace().map(unlinked).collect();
    let out = words.join(" ");
    bounded(&out, most)
}

/// Cut to so many characters. What the cut leaves of a word must not become a commit's id.
pub(super) fn bounded(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let cut: String = text.chars().take(most.saturating_sub(1)).collect();
    let (before, word) = match cut.rfind(' ') {
        Some(at) => cut.split_at(at + 1),
        None => ("", cut.as_str()),
    };
    let word = unlinked(word);
    format!(
        "{}…",
        format!("{before}{word}").trim_end_matches([' ', '…'])
    )
}

/// One word, of which a host makes no link: no tracker's key, no commit, no `www.`.
fn unlinked(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        match c {
            '-' if next.is_ascii_digit() => out.push('_'),
            c => out.push(c),
        }
    }
    let lower = out.to_ascii_lowercase();
    if let Some(at) = lower.find("www.") {
        out.insert(at + 3, '_');
    }
    if !crate::deliver::markdown::holds_commit(&out) {
        return out;
    }
    let mut cut = String::new();
    let mut run = String::new();
    for c in out.chars().chain(std::iter::once(' ')) {
        if c.is_ascii_alphanumeric() {
            run.push(c);
            continue;
        }
        let commit = run.len() >= 7 && run.bytes().all(|b| b.is_ascii_hexdigit());
        match commit {
            true => {
                cut.extend(run.chars().take(6));
                cut.push('…');
            }
            false => cut.push_str(&run),
        }
        run.clear();
        cut.push(c);
    }
    cut.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Settings;

    fn words() -> Words {
        Words::new(&Redactor::new(&Settings::default()).unwrap())
    }

    #[test]
    fn plain_text_has_nothing_to_act_on() {
        for (from, to) in [
            ("std::io::Error", "std::io::Error"),
            (
                "java.lang.IllegalStateException",
                "java.lang.IllegalStateException",
            ),
            ("Fixes #1, @me", "Fixes 1 me"),
            ("GH-1 and ABC-12", "GH_1 and ABC_12"),
            ("[skip ci] ***NO_CI***", "skip ci NO_CI"),
            (
                "a\n\nCo-authored-by: x <x@y.example>",
                "a Co-authored-by x email_1",
            ),
            ("http://www.evil.example", "http /www_.evil.example"),
            ("at 0123456789abcdef", "at 012345…"),
            ("\u{202e}x\u{200b}y", "xy"),
        ] {
            assert_eq!(words().plain(from, 100), to, "{from}");
        }
        assert_eq!(words().plain_path("a/b/c.py", 6), "…/c.py");
    }

    #[test]
    fn a_body_that_becomes_a_message_does_nothing() {
        for (from, to) in [
            (
                "[skip ci] [ci skip] ***NO_CI***",
                "[·skip ci] [·ci skip] ***·NO_CI***",
            ),
            ("skip-checks: true", "skip-checks·: true"),
            ("Fixes #1, closes: a/b#2", "Fixes ·#1, closes: ·a/b#2"),
            ("resolves ABC-1", "resolves ·ABC-1"),
            ("line #1 and [email-1]", "line #1 and [email-1]"),
        ] {
            assert_eq!(inert(from), to);
        }
    }

    #[test]
    fn secrets_are_gone_before_anything_else() {
        assert_eq!(words().name("jane@acme.example"), "`[email-1]`");
        assert_eq!(words().short("by jane@acme.example", 99), "by `[email-1]`");
        assert_eq!(
            words().lines("password=hunter2", 0).1,
            ["password=[password-1]"]
        );
        assert!(!words().is_clean("a/jane@acme.example/b"));
        let long = "x".repeat((4 << 20) + 1);
        let mut words = words();
        assert!(words.name(&long).contains("withheld"));
        assert_eq!(words.withheld(), 1);
    }

    #[test]
    fn no_line_is_a_command_and_blocks_are_bounded() {
        assert_eq!(words().lines("  /close", 0).1, ["·   /close"]);
        let lines = vec!["a".repeat(10); 10];
        let (text, count) = block(&lines, 55);
        assert_eq!(count, 3);
        assert!(text.len() <= 55, "{text}");
        assert_eq!(block(&["`".repeat(30)], 60), (String::new(), 0));
    }
}
