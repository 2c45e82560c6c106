//! Puts text that others wrote (log lines, source, commit messages) into Markdown so that it
//! stays text: no heading, link, mention, HTML or terminal escape comes out of it. Not a
//! Markdown writer in general.

use std::borrow::Cow;
use std::fmt::Write;

/// Characters kept of a name in running text.
const SPAN_CHARS: usize = 500;
/// Characters kept of a sentence.
const SENTENCE_CHARS: usize = 2_000;

/// Makes control and direction-changing characters visible as `\u{1b}`; tabs stay, line breaks
/// become visible too.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if is_hidden(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Characters that move a cursor, change the direction of text, end a line or are not drawn.
fn is_hidden(c: char) -> bool {
    let direction = matches!(c,
        '\u{ad}' | '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}'
        | '\u{180b}'..='\u{180f}' | '\u{206a}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0080}'..='\u{e0fff}' | '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    (c.is_control() && c != '\t') || direction
}

/// At most `limit` characters, with a word about what is missing.
pub fn shortened(text: &str, limit: usize) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let missing = text[end..].chars().count();
            Cow::Owned(format!("{} … ({missing} more characters)", &text[..end]))
        }
    }
}

/// A code span that holds the text whatever backticks it has.
pub fn code(text: &str) -> String {
    let text = shortened(text, SPAN_CHARS);
    let text = visible(&text);
    if text.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let ticks = "`".repeat(longest_run(&text, '`') + 1);
    // Backticks at an end, and lone spaces, would be eaten without a space beside them.
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) {
        " "
    } else {
        ""
    };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// A sentence in running text: its punctuation is escaped; what could still become a link or a
/// mention stands in a code span.
pub fn sentence(text: &str) -> String {
    let text = shortened(text.trim(), SENTENCE_CHARS);
    let text = visible(&text);
    if text.contains("://") || text.contains('@') || text.contains("www.") {
        return code(&text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut only_digits = true;
    for (at, c) in text.char_indices() {
        let list = (at == 0 && matches!(c, '-' | '+'))
            || (only_digits && at > 0 && matches!(c, '.' | ')'));
        let special = matches!(
            c,
            '\\' | '`' | '*' | '_' | '~' | '|' | '#' | '<' | '>' | '&'
        ) || matches!(c, '[' | ']' | '!' | '=' | '{' | '}' | '$');
        if list || special {
            out.push('\\');
        }
        only_digits &= c.is_ascii_digit();
        out.push(c);
    }
    out
}

/// A block of lines in a fence longer than any run of backticks in them.
pub fn fenced<'a>(language: &str, lines: impl Iterator<Item = Cow<'a, str>> + Clone) -> String {
    let longest = lines.clone().map(|line| longest_run(&line, '`')).max();
    let fence = "`".repeat(longest.unwrap_or(0).max(2) + 1);
    let mut out = format!("{fence}{language}\n");
    for line in lines {
        out.push_str(&visible(&line));
        out.push('\n');
    }
    out.push_str(&fence);
    out.push('\n');
    out
}

/// Longest word of prose that is written as it is.
const WORD_CHARS: usize = 120;

/// Words in running text, on one line, for a code host: a word that a host could act on, or that
/// is Markdown, stands in a code span, where hosts look for nothing. As much as has room (see
/// [`size`]); with what is left of the text. Not for the start of a line.
pub fn prose(text: &str, room: usize) -> (String, &str) {
    let (mut out, mut used, mut rest) = (String::new(), 0, text.trim_end());
    loop {
        let word = rest.trim_start();
        let apart = word.len() < rest.len();
        let (shown, after) = match word.chars().next() {
            None => return (out, ""),
            Some(_) => next_word(word),
        };
        // Two spans side by side would be one.
        let touches = out.ends_with('`') && shown.starts_with('`');
        let cost = size(&shown) + 1;
        if used + cost > room {
            return (out, word);
        }
        if !out.is_empty() && (apart || touches) {
            out.push(' ');
        }
        out.push_str(&shown);
        used += cost;
        rest = after;
    }
}

/// How much of a limit in characters a text takes: a limit of 60,000 is one of 200,000 bytes too.
pub fn size(text: &str) -> usize {
    text.chars().count().max((text.len() * 3).div_ceil(10))
}

/// The first word of a text that begins with one, as Markdown, and what follows it.
fn next_word(text: &str) -> (String, &str) {
    if let Some((inner, after)) = own_span(text) {
        return (code(inner), after);
    }
    let end = text
        .char_indices()
        .skip(1)
        .find(|(_, c)| c.is_whitespace() || *c == '`')
        .map_or(text.len(), |(at, _)| at);
    let long = text.char_indices().nth(WORD_CHARS).map(|(at, _)| at);
    match long.filter(|long| *long < end) {
        Some(cut) => (code(&text[..cut]), &text[cut..]),
        None => {
            let (word, after) = text.split_at(end);
            match parts(word) {
                Some((before, core, behind)) if is_plain(core) => {
                    (format!("{before}{core}{behind}"), after)
                }
                Some((before, core, behind)) => (format!("{before}{}{behind}", code(core)), after),
                None if word.trim_matches(EDGES).is_empty() => (word.to_owned(), after),
                None => (code(word), after),
            }
        }
    }
}

/// A code span that the text has itself, on one line: models write them.
fn own_span(text: &str) -> Option<(&str, &str)> {
    let (inner, after) = text.strip_prefix('`')?.split_once('`')?;
    let good = !inner.trim().is_empty() && inner.chars().count() <= WORD_CHARS;
    (good && !inner.contains(['\n', '\r']) && !after.starts_with('`')).then_some((inner, after))
}

/// Punctuation around words of which neither Markdown nor a host makes anything.
const EDGES: &[char] = &[
    '(', '"', '\'', '“', '‘', '.', ',', ';', ':', '?', ')', '”', '’', '…',
];

/// A word without the punctuation around it; `None` where there is nothing else.
fn parts(word: &str) -> Option<(&str, &str, &str)> {
    let core = word.trim_start_matches(['(', '"', '\'', '“', '‘']);
    let before = &word[..word.len() - core.len()];
    let whole = core;
    let core = core.trim_end_matches(['.', ',', ';', ':', '?', ')', '"', '\'', '”', '’', '…']);
    // `call()` keeps its parentheses.
    let end = core.len() + usize::from(core.contains('(') && whole[core.len()..].starts_with(')'));
    let (core, behind) = whole.split_at(end);
    (!core.is_empty()).then_some((before, core, behind))
}

/// Whether no host and no Markdown finds anything in the word: no mention, reference, command,
/// address or commit.
fn is_plain(word: &str) -> bool {
    let dash = matches!(word, "-" | "–" | "—");
    let letters = word.chars().all(|c| {
        (c.is_alphanumeric() && !is_hidden(c))
            || matches!(c, '.' | ',' | '\'' | '’' | '-' | '–' | '/')
    });
    if dash || !letters || !word.starts_with(char::is_alphanumeric) || word.contains("//") {
        return dash;
    }
    // A tracker's key (`ABC-1`), a file or a host (`a.b`), a commit (`0a1b2c3`).
    let bytes = word.as_bytes();
    let keyed = bytes
        .windows(2)
        .any(|two| two[0] == b'-' && two[1].is_ascii_digit());
    let dotted = word.split('.').collect::<Vec<_>>();
    let numeric = dotted
        .iter()
        .all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    let initials = dotted.iter().all(|part| part.chars().count() <= 1);
    !keyed && (dotted.len() == 1 || numeric || initials) && !holds_commit(word)
}

/// Whether a run of letters and digits could be a commit's id. Letters beyond ASCII end it, as they
/// do for some hosts.
pub fn holds_commit(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .any(|run| run.len() >= 7 && run.bytes().all(|b| b.is_ascii_hexdigit()))
}

pub(super) fn longest_run(text: &str, of: char) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == of { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_become_visible() {
        assert_eq!(visible("\u{1b}[31mred\u{202e}"), "\\u{1b}[31mred\\u{202e}");
        assert_eq!(visible("a\tb\nc"), "a\tb\\nc");
        assert!(matches!(visible("plain ü"), Cow::Borrowed(_)));
    }

    #[test]
    fn code_spans_hold_backticks() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(" \t"), "(empty)");
    }

    #[test]
    fn sentences_cannot_become_markup() {
        assert_eq!(
            sentence("# [a](b) <i> *x*"),
            "\\# \\[a\\](b) \\<i\\> \\*x\\*"
        );
        assert_eq!(sentence("1. one"), "1\\. one");
        assert_eq!(sentence("12 lines of app.py."), "12 lines of app.py.");
        assert_eq!(sentence("- point"), "\\- point");
        assert_eq!(sentence("see https://x.example"), "`see https://x.example`");
        assert_eq!(sentence("thanks @somebody"), "`thanks @somebody`");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        let lines = ["````", "# not a heading", "a\u{1b}[2J"];
        let block = fenced("text", lines.iter().map(|line| Cow::Borrowed(*line)));
        assert!(block.starts_with("`````text\n````\n"), "{block}");
        assert!(block.ends_with("\n`````\n"), "{block}");
        assert!(block.contains("a\\u{1b}[2J"));
    }

    #[test]
    fn long_text_says_what_is_missing() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöüß!", 3), "äöü … (2 more characters)");
    }

    #[test]
    fn prose_is_read_and_found_nothing_in() {
        for (from, to) in [
            (
                "The voucher has no end, e.g. 3.5 days (or more).",
                "The voucher has no end, e.g. 3.5 days (or more).",
            ),
            ("call `f(x)` in app.py:31", "call `f(x)` in `app.py:31`"),
            ("(`f`).", "(`f`)."),
            ("f() fails", "`f()` fails"),
            (
                "thanks @me, fixes #1 and GH-1",
                "thanks `@me`, fixes `#1` and `GH-1`",
            ),
            ("/close\n/merge", "`/close` `/merge`"),
            ("see www.evil.example!", "see `www.evil.example!`"),
            (
                "x`y",
                "x `` ` `` y".replace(" `` ` `` y", "`` `y ``").as_str(),
            ),
            ("at deadbeef", "at `deadbeef`"),
            ("a\u{202e}b", "`a\\u{202e}b`"),
        ] {
            assert_eq!(prose(from, 1_000), (to.to_owned(), ""), "{from}");
        }
        assert_eq!(prose("one two three", 9), ("one two".to_owned(), "three"));
    }

    proptest! {
        #[test]
        fn prose_takes_no_more_than_its_room(text in "(\\PC|[`@# \n]){0,200}", room in 0usize..300) {
            let (out, rest) = prose(&text, room);
            prop_assert!(size(&out) <= room);
            prop_assert!(text.trim_end().ends_with(rest));
            prop_assert!(!out.contains('\n'));
        }

        #[test]
        fn no_line_of_a_block_closes_its_fence(lines in proptest::collection::vec("\\PC*|`{0,9}", 0..6)) {
            let block = fenced("", lines.iter().map(|line| Cow::Borrowed(line.as_str())));
            let fence = block.lines().next().unwrap_or("").to_owned();
            let closing = block.lines().filter(|line| line.trim_start().starts_with(&fence)).count();
            prop_assert_eq!(closing, 2);
        }

        #[test]
        fn a_code_span_is_one_line_and_closed_once(text in "[`a \\n]{1,12}") {
            let span = code(&text);
            prop_assert!(!span.contains('\n'));
            let ticks = span.chars().take_while(|c| *c == '`').count();
            let inner = span.trim_matches('`');
            prop_assert!(ticks == 0 || longest_run(inner, '`') < ticks);
        }
    }
}
