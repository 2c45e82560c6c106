//! How log lines look, whatever language wrote them: colours, prefixes, levels. Nothing here
//! knows what a trace is.

use crate::model::Level;

/// Appends `line` without ANSI escape sequences to `out`.
pub(super) fn strip_ansi(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(at) = memchr::memchr(0x1b, rest.as_bytes()) {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        rest = after_escape(rest);
    }
    out.push_str(rest);
}

/// What follows one escape sequence whose ESC is already gone.
fn after_escape(rest: &str) -> &str {
    let Some(body) = rest.strip_prefix('[') else {
        return rest.strip_prefix(['(', ')', 'c', '7', '8']).unwrap_or(rest);
    };
    let parameters = body
        .bytes()
        .take_while(|b| matches!(b, 0x20..=0x3f))
        .count();
    match body.as_bytes().get(parameters) {
        Some(0x40..=0x7e) => body.get(parameters + 1..).unwrap_or_default(),
        // A sequence that does not end is only its introducer: it swallows no line.
        _ => body,
    }
}

/// Number of bytes of leading spaces and tabs.
pub(super) fn indent(line: &str) -> usize {
    line.bytes()
        .take_while(|b| *b == b' ' || *b == b'\t')
        .count()
}

pub(super) fn is_blank(line: &str) -> bool {
    line.bytes().all(|b| b.is_ascii_whitespace())
}

/// Whether text at `at` is the line's own and not part of a quoted value or a URL: it follows
/// white space or a bracket, and no quote is open before it.
pub(super) fn is_own_text(line: &str, at: usize) -> bool {
    let before = line.get(..at).unwrap_or_default();
    let spaced = before
        .as_bytes()
        .last()
        .is_none_or(|b| matches!(b, b' ' | b'\t' | b']' | b'|' | b':' | b')' | b'>'));
    spaced && before.bytes().filter(|b| *b == b'"').count() % 2 == 0 && !before.contains('{')
}

/// Longest prefix that is looked for.
const PREFIX_MAX: usize = 256;

/// Length of the part of a line that loggers put before the message: timestamps, levels,
/// brackets, names that end in `:` or `|`. 0 when there is none.
pub(super) fn log_prefix(line: &str) -> usize {
    let mut end = 0;
    let mut words = 0;
    let mut dated = false;
    let mut at = indent(line);
    let base = at;
    while at < line.len().min(PREFIX_MAX) {
        let rest = line.get(at..).unwrap_or_default();
        let Some(token) = first_token(rest) else {
            break;
        };
        let after = at + token.len() + indent(rest.get(token.len()..).unwrap_or_default());
        match token_kind(token) {
            Token::Mark => {
                dated |= token.as_bytes().first().is_some_and(u8::is_ascii_digit);
                end = after;
            }
            Token::Word if dated || end == base => {
                words += 1;
                if words > 2 {
                    break;
                }
            }
            // `pid=12 tid=9h1 WARN: `, as Sidekiq prints.
            Token::Other if dated && is_pair(token) => {}
            Token::Word | Token::Other => break,
        }
        at = after;
    }
    if end <= base { 0 } else { end.min(line.len()) }
}

/// `key=value` without quotes.
fn is_pair(token: &str) -> bool {
    let plain = |text: &str| {
        let bytes = text.as_bytes();
        !bytes.is_empty()
            && bytes
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(b))
    };
    token
        .split_once('=')
        .is_some_and(|(key, value)| plain(key) && plain(value))
}

enum Token {
    /// Belongs to a prefix for certain.
    Mark,
    /// May be a host's or a logger's name when a mark follows.
    Word,
    Other,
}

/// The first token; something in brackets is one token.
fn first_token(rest: &str) -> Option<&str> {
    let close = match rest.as_bytes().first()? {
        b'[' => Some(']'),
        b'(' => Some(')'),
        _ => None,
    };
    if let Some(close) = close
        && let Some(end) = rest.find(close)
        && end < PREFIX_MAX
    {
        let tail = rest.get(end + 1..).unwrap_or_default();
        let more = usize::from(tail.starts_with(':'));
        return rest.get(..end + 1 + more);
    }
    let end = rest.find([' ', '\t']).unwrap_or(rest.len());
    rest.get(..end)
}

fn token_kind(token: &str) -> Token {
    let bytes = token.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return Token::Other;
    };
    // What names an exception is no prefix, though `Error:` could be a level too.
    let thrown = super::thrown::is_exception(token.trim_end_matches(':'));
    if thrown || token.contains(['"', '\'', '=', '{']) || token.len() > 120 {
        return Token::Other;
    }
    if matches!(first, b'[' | b'(') && matches!(last, b']' | b')' | b':') {
        return Token::Mark;
    }
    let numeric = first.is_ascii_digit()
        && bytes
            .iter()
            .all(|b| b.is_ascii_digit() || b"-:/.,TZ+".contains(b));
    if numeric
        || matches!(
            token,
            "-" | "|" | "--" | "---" | ":" | "F" | "P" | "stdout" | "stderr"
        )
    {
        return Token::Mark;
    }
    // `E,` begins the lines of Ruby's logger.
    let letter = bytes.len() == 2 && *last == b',' && b"DIWEFA".contains(first);
    if letter || is_level(token) || is_calendar(token) || *last == b'|' {
        return Token::Mark;
    }
    // `app[12]:` and `logger.name:`.
    if *last == b':' {
        let name = |b: &u8| b.is_ascii_alphanumeric() || b"_-./[]:$".contains(b);
        let known = bytes.contains(&b'[') || token.trim_end_matches(':').contains(['.', ':']);
        return if bytes.iter().all(name) && known {
            Token::Mark
        } else {
            Token::Word
        };
    }
    if bytes
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || b"_-./$@#".contains(b))
    {
        return Token::Word;
    }
    Token::Other
}

fn is_level(token: &str) -> bool {
    let word = token.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    word.len() >= 3 && Level::from_word(word).is_some() && word != "panic" && word != "config"
}

fn is_calendar(token: &str) -> bool {
    const NAMES: [&str; 19] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Mon",
        "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
    ];
    NAMES.contains(&token)
}

/// Whether the line starts as a logger's lines do: it ends a message that ran over several lines.
pub(super) fn starts_like_log(line: &str) -> bool {
    let bytes = line.as_bytes();
    let digits = |from: usize, n: usize| {
        bytes
            .get(from..from + n)
            .is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let at = usize::from(bytes.first() == Some(&b'['));
    let dated = digits(at, 4) && matches!(bytes.get(at + 4), Some(b'-' | b'/'));
    let timed = digits(at, 2) && bytes.get(at + 2) == Some(&b':') && digits(at + 3, 2);
    let packed = digits(at, 6) && bytes.get(at + 6) == Some(&b' ') && digits(at + 7, 6);
    let glog = matches!(bytes.first(), Some(b'I' | b'W' | b'E' | b'F')) && digits(1, 4);
    if dated || timed || packed || glog || line.starts_with("{\"") {
        return true;
    }
    let word: &str = line
        .get(at..)
        .and_then(|rest| rest.split([' ', ':', ']', '|']).next())
        .unwrap_or_default();
    let upper = word.bytes().all(|b| b.is_ascii_uppercase());
    // `channel.LEVEL:`, as Monolog prints behind the time.
    let channel = word
        .rsplit_once('.')
        .is_some_and(|(_, level)| level.bytes().all(|b| b.is_ascii_uppercase()) && is_level(level));
    channel || is_calendar(word) || ((upper || at == 1) && is_level(word))
}

/// Bytes in which a level is looked for, and words among them.
const LEVEL_BYTES: usize = 160;
const LEVEL_WORDS: usize = 16;

/// The level that the text of a log line itself names, near its beginning.
pub(super) fn level_of(line: &str) -> Option<Level> {
    let head = floor(line, LEVEL_BYTES);
    let bytes = head.as_bytes();
    if bytes
        .get(1..5)
        .is_some_and(|d| d.iter().all(u8::is_ascii_digit))
    {
        match bytes.first() {
            Some(b'E') => return Some(Level::Error),
            Some(b'F') => return Some(Level::Fatal),
            Some(b'W') => return Some(Level::Warn),
            Some(b'I') => return Some(Level::Info),
            _ => {}
        }
    }
    // .NET's console logger: `fail: Shop.Jobs[0]`. Elsewhere the word says too little.
    let failed = head.split_once("fail: ");
    if failed.is_some_and(|(before, category)| {
        (before.is_empty() || before.ends_with(' ')) && category.trim_end().ends_with(']')
    }) {
        return Some(Level::Error);
    }
    let mut at = 0;
    for word in head
        .split(|c: char| !c.is_ascii_alphabetic())
        .take(4 * LEVEL_WORDS)
    {
        let from = at;
        at += word.len() + 1;
        if word.len() < 3 || !is_level(word) {
            continue;
        }
        let before = from.checked_sub(1).and_then(|i| bytes.get(i));
        let after = bytes.get(from + word.len());
        let upper = word.bytes().all(|b| b.is_ascii_uppercase());
        // `[info     ]`, as structlog fills it up.
        let rest = head.get(from + word.len()..).unwrap_or_default();
        let closed = rest.trim_start_matches(' ').starts_with([']', '>', ')']);
        let boxed = matches!(before, Some(b'[' | b'<' | b'(')) && closed;
        let named =
            matches!(before, Some(b'=' | b'"')) && head.get(..from).is_some_and(names_a_level);
        let first = from == 0 && after == Some(&b':');
        if upper || boxed || named || first {
            return Level::from_word(word);
        }
    }
    None
}

fn names_a_level(before: &str) -> bool {
    let key = before.trim_end_matches(['=', '"', ':', ' ']);
    ["level", "lvl", "severity", "levelname"]
        .iter()
        .any(|name| key.ends_with(name))
}

/// The longest start of `text` with at most `max` bytes that ends between two characters.
pub(super) fn floor(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// How many bytes of `line` have the shape of `prefix`: digits stand for any digits, runs of
/// blanks for any run, except the last, whose length counts. Where only the first words of the
/// prefix fit, those count. 0 when nothing fits.
pub(super) fn shared_prefix(line: &str, prefix: &str) -> usize {
    let bytes = line.as_bytes();
    let shape = prefix.as_bytes();
    let (mut at, mut of, mut fits) = (0, 0, 0);
    while let Some(want) = shape.get(of) {
        let class: fn(&u8) -> bool = match want {
            b'0'..=b'9' => u8::is_ascii_digit,
            b' ' | b'\t' => |b| matches!(b, b' ' | b'\t'),
            _ => {
                if bytes.get(at) != Some(want) {
                    return fits;
                }
                (at, of) = (at + 1, of + 1);
                continue;
            }
        };
        let run = |text: &[u8], from: usize| {
            let rest = text.get(from..).unwrap_or_default();
            rest.iter().take_while(|b| class(b)).count()
        };
        let (wanted, got) = (run(shape, of), run(bytes, at));
        let blanks = !want.is_ascii_digit();
        if blanks && at == bytes.len() {
            // Collectors cut trailing blanks off.
            return at;
        }
        if got == 0 || (blanks && of + wanted == shape.len() && got < wanted) {
            return fits;
        }
        if blanks {
            fits = at + wanted.min(got);
        }
        (at, of) = (at + got, of + wanted);
    }
    // A prefix without a blank at its end fits as a whole only.
    if fits < at && !shape.last().is_some_and(|b| matches!(b, b' ' | b'\t')) {
        fits = at;
    }
    fits.min(line.len())
}

/// `file:12:3` or `file:12` → the file and the line. Column and line are at most nine digits.
pub(super) fn location(text: &str) -> Option<(&str, u32)> {
    let (rest, last) = split_number(text)?;
    Some(match split_number(rest) {
        Some((file, line)) if !file.is_empty() => (file, line),
        _ => (rest, last),
    })
}

/// `rest:12` → `rest` and 12.
pub(super) fn split_number(text: &str) -> Option<(&str, u32)> {
    let (rest, digits) = text.rsplit_once(':')?;
    let plain =
        !digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|b| b.is_ascii_digit());
    let number = digits.parse().ok().filter(|_| plain)?;
    (!rest.is_empty()).then_some((rest, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_loggers_end_where_the_message_begins() {
        for (prefix, rest) in [
            ("2026-01-02 10:00:00,123 - ERROR - ", "Traceback"),
            ("[Sun Dec 04 06:16:21 2005] [error] ", "java.lang.XError: y"),
            ("Dec 14 06:41:08 host app[12]: ", "panic: x"),
            ("web_1  | ", "Error: x"),
            ("2026-01-02T10:00:00Z stderr F ", "Error: x"),
            (
                "10:00:00.123 [main] ERROR com.acme.Shop - ",
                "java.io.IOException: gone",
            ),
            ("", "Error: x"),
        ] {
            let line = format!("{prefix}{rest}");
            assert_eq!(log_prefix(&line), prefix.len(), "{line}");
        }
    }

    #[test]
    fn prefixes_match_by_shape() {
        let prefix = "2026-01-02 10:00:09 ERROR [main] ";
        let after = |line: &'static str| &line[shared_prefix(line, prefix)..];
        assert_eq!(
            after("2026-01-02 10:00:10 ERROR [main]   File \"x\""),
            "  File \"x\""
        );
        assert_eq!(after("2026-01-02 10:00:10 ERROR [main]"), "");
        assert_eq!(after("2026-01-02 10:00:10 INFO [main] x"), "INFO [main] x");
        assert_eq!(after("  File \"x\""), "  File \"x\"");
        assert_eq!(shared_prefix("web_2|x", "web_1|"), 6);
    }

    #[test]
    fn levels_in_text() {
        assert_eq!(
            level_of("2025-05-29 10:15:28,411 - ERROR - SSL"),
            Some(Level::Error)
        );
        assert_eq!(
            level_of("[Sun Dec 04 06:16:21 2005] [error] x"),
            Some(Level::Error)
        );
        assert_eq!(level_of("level=error msg=x"), Some(Level::Error));
        assert_eq!(level_of("An error occurred (1):"), None);
        assert_eq!(
            level_of("E0613 12:00:00.1 1 x.cc:3] boom"),
            Some(Level::Error)
        );
    }

    #[test]
    fn colours_go() {
        let mut out = String::new();
        strip_ansi(
            "\u{1b}[31m\u{1b}[1mZeroDivisionError\u{1b}[0m: x\u{1b}",
            &mut out,
        );
        assert_eq!(out, "ZeroDivisionError: x");
        out.clear();
        strip_ansi("\u{1b}[1é\u{1b}[38;5;9mno end", &mut out);
        assert_eq!(out, "1éno end");
    }

    #[test]
    fn locations() {
        assert_eq!(location("src/main.rs:4:6"), Some(("src/main.rs", 4)));
        assert_eq!(location("a.go:12"), Some(("a.go", 12)));
        assert_eq!(location("C:\\x.js:1:2"), Some(("C:\\x.js", 1)));
        assert_eq!(location("nothing"), None);
    }
}
