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

/// Characters that move a cursor, change the direction of text or end a line.
fn is_hidden(c: char) -> bool {
    let direction = matches!(c,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
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

fn longest_run(text: &str, of: char) -> usize {
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

    proptest! {
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
