//! Where the value of a field begins and ends: after the sign between name and value, in quotes
//! of any depth of escaping, or up to what ends it in the many ways in which logs write pairs.

use crate::redact::cursor::{Text, alnum, blank, word};

/// What stands between name and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Equals,
    Colon,
    /// Nothing but space: `--password hunter2`.
    Space,
    /// `<password>hunter2<`.
    Markup,
}

/// A value and what its surroundings say.
#[derive(Clone, Debug)]
pub(super) struct Extent {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) sign: Sign,
    pub(super) quoted: bool,
    pub(super) name_quoted: bool,
    /// A space stands after the sign.
    pub(super) spaced: bool,
    /// In a query string.
    pub(super) query: bool,
    /// An argument of a command.
    pub(super) flag: bool,
    /// After an unquoted value the line goes on with a word.
    pub(super) prose_follows: bool,
    /// After it a bracket opens.
    pub(super) opens: bool,
    /// After it a `<` opens.
    pub(super) generic: bool,
    /// After it an argument ends.
    pub(super) handed: bool,
}

/// Quotes with the backslashes before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quote {
    /// `"`, `'`, a backquote; or `&` for `&quot;`, `%` for `%22`.
    pub(super) sign: u8,
    pub(super) depth: usize,
    pub(super) end: usize,
}

/// Most backslashes before a quote that are told apart.
const DEPTH: usize = 63;

/// The quote that begins there.
pub(super) fn quote(text: Text<'_>, at: usize) -> Option<Quote> {
    if text.starts(at, "&quot;") || text.starts(at, "&#34;") || text.starts(at, "&#39;") {
        let end = at + if text.starts(at, "&quot;") { 6 } else { 5 };
        return Some(Quote {
            sign: b'&',
            depth: 0,
            end,
        });
    }
    if text.starts(at, "%22") {
        return Some(Quote {
            sign: b'%',
            depth: 0,
            end: at + 3,
        });
    }
    if text.starts_loose(at, "\\u0022") {
        return Some(Quote {
            sign: b'u',
            depth: 0,
            end: at + 6,
        });
    }
    let slashes = text.run_to(at, DEPTH, |b| b == b'\\');
    let sign = text.at(slashes);
    matches!(sign, b'"' | b'\'' | b'`').then_some(Quote {
        sign,
        depth: slashes - at,
        end: slashes + 1,
    })
}

/// Where what a quote opened ends: at the same quote with as many backslashes, at one with fewer
/// (which ends what it stands in), or with the line.
pub(super) fn closing(text: Text<'_>, open: Quote) -> usize {
    let line = text.line_end(open.end);
    let rest = text.bytes(open.end, line);
    match open.sign {
        b'&' => {
            return find(rest, b"&quot;")
                .or_else(|| find(rest, b"&#"))
                .map_or(line, |at| open.end + at);
        }
        b'%' => {
            return find(rest, b"%22").map_or_else(
                || text.run(open.end, |b| !b.is_ascii_whitespace()),
                |at| open.end + at,
            );
        }
        b'u' => return find(rest, b"\\u0022").map_or(line, |at| open.end + at),
        _ => {}
    }
    // A single quote that never closes ends at the double quote around it.
    let last = memchr::memrchr(open.sign, rest).unwrap_or(0);
    let mut slashes = 0;
    for (at, byte) in rest.iter().enumerate() {
        if *byte == b'\\' {
            slashes += 1;
            continue;
        }
        if *byte == open.sign {
            let escaped = slashes % (2 * (open.depth + 1)) > open.depth;
            if slashes < open.depth || !escaped {
                return open.end + at - slashes.min(open.depth);
            }
        } else if *byte == b'"'
            && open.sign == b'\''
            && slashes == 0
            && open.depth == 0
            && at >= last
        {
            return open.end + at;
        }
        slashes = 0;
    }
    line
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

/// Where an unquoted value ends.
pub(super) fn bare_end(text: Text<'_>, from: usize, query: bool) -> usize {
    let line = text.line_end(from);
    let mut at = from;
    let mut open = 0_usize;
    while at < line {
        let byte = text.at(at);
        match byte {
            b' ' | b'\t' | b'"' | b'`' | b'<' | b'>' | b'|' => break,
            b'\'' if at > from && !alnum(text.at(at + 1)) => break,
            b'\'' if at == from => break,
            b'\\'
                if matches!(
                    text.at(at + 1),
                    b'n' | b'r' | b't' | b'"' | b'\'' | b'\\' | b'u'
                ) =>
            {
                break;
            }
            b'&' if query || ends_pair(text, at) => break,
            b'#' if query => break,
            b';' => break,
            b',' if ends_list(text, at) => break,
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' if open > 0 => open -= 1,
            b')' | b']' | b'}' if ends_bracket(text, at) => break,
            _ if byte.is_ascii_control() => break,
            _ => {}
        }
        at += 1;
    }
    // Signs that end a sentence.
    text.back(at, at - from, |b| matches!(b, b'.' | b',' | b':'))
        .max(from)
}

/// `&` before the next pair, or at the end, or written as `&amp;`.
fn ends_pair(text: Text<'_>, at: usize) -> bool {
    let name = text.run_to(at + 1, 60, |b| {
        alnum(b) || matches!(b, b'_' | b'-' | b'.' | b'[' | b']')
    });
    name > at + 1 && matches!(text.at(name), b'=' | b';' | b'%')
        || matches!(text.at(at + 1), 0 | b' ' | b'"' | b'&')
}

/// `,` before a space, a quote, a closing bracket, the end or the next pair.
fn ends_list(text: Text<'_>, at: usize) -> bool {
    let next = text.at(at + 1);
    let name = text.run_to(at + 1, 60, |b| word(b) || matches!(b, b'-' | b'.'));
    matches!(
        next,
        0 | b' ' | b'"' | b'\'' | b'\n' | b'\r' | b'\\' | b'{' | b'}' | b']' | b')'
    ) || name > at + 1 && matches!(text.at(name), b'=' | b':')
}

fn ends_bracket(text: Text<'_>, at: usize) -> bool {
    let after = text.run_to(at, 8, |b| matches!(b, b')' | b']' | b'}'));
    !word(text.at(after)) || text.at(after) == 0
}

/// Whether the line goes on with a word of a sentence.
pub(super) fn prose_follows(text: Text<'_>, to: usize) -> bool {
    let next = text.run_to(to, 3, |b| blank(b) || matches!(b, b',' | b'.'));
    let end = text.run_to(next, 40, |b| b.is_ascii_lowercase());
    next > to && end > next && !matches!(text.at(end), b'=' | b':')
}

/// Where a header's value ends that no quote of its own opens: at the quote around the header, or
/// with the line.
pub(super) fn quote_or_line(text: Text<'_>, from: usize, name_quoted: bool) -> usize {
    let line = text.line_end(from);
    let rest = text.bytes(from, line);
    // How many of each quote came so far: one that makes them even closes another.
    let (mut double, mut single) = (0, 0);
    let mut at = 0;
    while let Some(byte) = rest.get(at) {
        let closes = match byte {
            b'"' => double % 2 == 1,
            b'\'' => single % 2 == 1,
            _ => false,
        };
        let escaped_end = *byte == b'\\' && matches!(rest.get(at + 1), Some(b'r' | b'n'));
        // A quote inside a header follows `=`, as in `realm="x"`.
        let outer = matches!(byte, b'"' | b'\'') && rest.get(at.wrapping_sub(1)) != Some(&b'=');
        let listed = matches!(byte, b']' | b'}') || name_quoted && *byte == b',';
        if escaped_end || outer && !closes || listed {
            break;
        }
        double += usize::from(*byte == b'"');
        single += usize::from(*byte == b'\'');
        at += 1;
    }
    from + at
}
