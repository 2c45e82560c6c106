//! Pairs of a name and a value: the name around an anchor, the sign after it, the value, in JSON,
//! YAML, logfmt, query strings, arguments, markup and code. Which names and which values count is
//! said by `name.rs` and `value.rs`.

use crate::redact::class::Class;
use crate::redact::cursor::{Text, blank, word};
use crate::redact::extent::{self, Extent, Quote, Sign};
use crate::redact::name::{self, Judgement, Sureness};
use crate::redact::redactor::Search;
use crate::redact::{cookie, header, sentence, stand_in, value};

fn in_name(byte: u8) -> bool {
    word(byte) || matches!(byte, b'-' | b'.')
}

/// Looks at the name that holds an anchor. Says up to where names are dealt with.
pub(super) fn at(search: &mut Search<'_>, from: usize, to: usize) -> usize {
    let text = search.text;
    let start = text.back(from, name::LONGEST, in_name);
    let end = text.run_to(to, name::LONGEST, in_name);
    let _ = search.spent(end - start);
    let end = end
        - text
            .bytes(start, end)
            .iter()
            .rev()
            .take_while(|b| matches!(b, b'-' | b'.'))
            .count();
    let start = after_escape(text, start);
    let end = sentence::with_word_after(text, start, end);
    let whole = text.slice(start, end);
    if whole.len() >= 2 * name::LONGEST {
        return to;
    }
    let flag = whole.starts_with('-');
    // The user of an address: `url.rs` looks at what follows.
    if text.starts(start.saturating_sub(3), "://") && text.at(end) == b':' {
        return end;
    }
    // Test runners say PASS, and count what passed.
    if whole.eq_ignore_ascii_case("pass") && sentence::of_tests(text, end) {
        return end;
    }
    let Some(judged) = name::judge(&sentence::with_word_before(text, start, whole)) else {
        return end;
    };
    let Some(extent) = extent_after(text, start, end, flag, judged) else {
        return end;
    };
    let _ = search.spent(extent.to - extent.from);
    take(search, &extent, judged).max(end)
}

/// The `n` of an escaped line end is no part of a name.
fn after_escape(text: Text<'_>, start: usize) -> usize {
    let escaped = text.before(start) == b'\\' && matches!(text.at(start), b'n' | b'r' | b't');
    let encoded = text.before(start) == b'%'
        && text
            .bytes(start, start + 2)
            .iter()
            .all(u8::is_ascii_hexdigit);
    match (escaped, encoded) {
        (true, _) => start + 1,
        (_, true) => start + 2,
        _ => start,
    }
}

fn take(search: &mut Search<'_>, extent: &Extent, judged: Judgement) -> usize {
    let text = search.text;
    if judged.sureness == Sureness::Header {
        return match judged.class {
            Class::Cookie => cookie::at(search, extent),
            _ => {
                header::authorization_at(search, extent);
                0
            }
        };
    }
    let found = text.slice(extent.from, extent.to);
    if !value::is_secret(found, extent, judged) {
        return 0;
    }
    search.add(extent.from, extent.to, judged.class);
    extent.to
}

/// What closes a name: quotes, `]`, `)`.
struct Closed {
    at: usize,
    quoted: bool,
}

fn closed(text: Text<'_>, end: usize) -> Closed {
    let mut at = end;
    let mut quoted = false;
    for _ in 0..3 {
        if let Some(quote) = extent::quote(text, at) {
            (at, quoted) = (quote.end, true);
        } else if text.at(at) == b']' {
            at += 1;
        } else if text.starts_loose(at, "%5d") {
            at += 3;
        } else {
            break;
        }
    }
    Closed { at, quoted }
}

fn extent_after(
    text: Text<'_>,
    start: usize,
    end: usize,
    flag: bool,
    judged: Judgement,
) -> Option<Extent> {
    let closed = closed(text, end);
    let spaces = text.run_to(closed.at, 40, blank);
    let query = matches!(text.before(start), b'?' | b'&' | b';')
        || text.starts(start.saturating_sub(5), "&amp;");
    let base = Extent {
        from: 0,
        to: 0,
        sign: Sign::Equals,
        quoted: false,
        name_quoted: closed.quoted,
        spaced: false,
        query: query && text.at(spaces) == b'=',
        flag,
        prose_follows: false,
        opens: false,
        generic: false,
        handed: false,
    };
    if let Some((after, sign)) = sign(text, spaces) {
        // Code that compares kinds of tokens.
        if text.starts(spaces, "==") && judged.sureness == Sureness::Likely {
            return None;
        }
        let typed = annotation(text, after).unwrap_or(after);
        return value_at(text, typed, Extent { sign, ..base }, judged);
    }
    if text.at(closed.at) == b'>'
        && (text.before(start) == b'<' || text.before(start) == b':' || closed.quoted)
    {
        let to = text.run(closed.at + 1, |b| !matches!(b, b'<' | b'\n'));
        // Types in brackets are no markup.
        return text.starts(to, "</").then_some(Extent {
            from: closed.at + 1,
            to,
            sign: Sign::Markup,
            quoted: true,
            name_quoted: true,
            ..base
        });
    }
    if let Some(from) = paired(text, closed.at) {
        return value_at(
            text,
            from,
            Extent {
                name_quoted: true,
                ..base
            },
            judged,
        );
    }
    listed(text, start, &closed, spaces, base, judged)
}

/// The sign between name and value, and what comes after it.
fn sign(text: Text<'_>, at: usize) -> Option<(usize, Sign)> {
    let signs: [(&str, Sign); 9] = [
        ("=>", Sign::Equals),
        (":=", Sign::Equals),
        ("===", Sign::Equals),
        ("==", Sign::Equals),
        ("=3D", Sign::Equals),
        ("=", Sign::Equals),
        ("%3D", Sign::Equals),
        ("%3A", Sign::Colon),
        ("\u{ff1a}", Sign::Colon),
    ];
    if text.starts(at, "::") || text.starts(at, "://") {
        return None;
    }
    let known = signs.iter().find(|(sign, _)| text.starts_loose(at, sign));
    if let Some((found, sign)) = known {
        return Some((at + found.len(), *sign));
    }
    (text.at(at) == b':').then_some((at + 1, Sign::Colon))
}

/// A type between a name and its value, as in `password: str = "x"`.
fn annotation(text: Text<'_>, at: usize) -> Option<usize> {
    let from = text.run_to(at, 3, blank);
    let to = text.run_to(from, 40, |b| {
        word(b) || matches!(b, b'&' | b'[' | b']' | b'<' | b'>' | b'?' | b'\'')
    });
    let sign = text.run_to(to, 3, blank);
    let is_type = to > from && sign > to && text.at(sign) == b'=' && text.at(sign + 1) != b'=';
    let value = text.run_to(sign + 1, 3, blank);
    (is_type && extent::quote(text, value).is_some()).then_some(value)
}

/// `"name": "DB_PASSWORD", "value": "x"` and its like: where the value begins.
fn paired(text: Text<'_>, at: usize) -> Option<usize> {
    let gap = |b: u8| b.is_ascii_whitespace() || matches!(b, b',' | b'\\' | b'"' | b'\'' | b'}');
    let word = text.run_to(at, 40, gap);
    // An escaped line end is a gap too.
    let word = if text.before(word) == b'\\' && text.at(word) == b'n' {
        text.run_to(word + 1, 40, gap)
    } else {
        word
    };
    if word == at || !text.starts_loose(word, "value") {
        return None;
    }
    let end = word + "value".len();
    let end = if text.starts_loose(end, "from") {
        return None;
    } else {
        end
    };
    let closed = closed(text, end);
    let (after, _) = sign(text, text.run_to(closed.at, 4, blank))?;
    Some(after)
}

/// A name and a value without a sign: an argument of a command, its list, a tuple, words.
fn listed(
    text: Text<'_>,
    start: usize,
    closed: &Closed,
    spaces: usize,
    base: Extent,
    judged: Judgement,
) -> Option<Extent> {
    let sure = Extent {
        sign: Sign::Space,
        flag: true,
        ..base.clone()
    };
    if closed.quoted && text.at(spaces) == b',' {
        let from = text.run_to(spaces + 1, 4, blank);
        let found = value_at(text, from, sure, judged)?;
        let close = extent::quote(text, found.to).map_or(found.to, |quote| quote.end);
        let opened = text.before(text.back(start, 6, |b| {
            matches!(b, b'"' | b'\'' | b'\\' | b'b' | b'-')
        }));
        let tuple =
            matches!(opened, b'(' | b'[') && matches!(text.at(close), b')' | b']') && found.quoted;
        return (base.flag && found.quoted || tuple).then_some(Extent {
            name_quoted: true,
            ..found
        });
    }
    let opened = text.before(start);
    if text.at(spaces) == b','
        && (opened == b'{' || opened == b':' && text.before(start - 1) == b'{')
    {
        let found = value_at(text, spaces + 1, sure, judged)?;
        return found.quoted.then_some(Extent {
            name_quoted: true,
            ..found
        });
    }
    if spaces == closed.at || closed.quoted {
        return None;
    }
    if base.flag && text.at(spaces) != b'-' {
        return value_at(text, spaces, sure, judged);
    }
    if (judged.class == Class::Password || judged.sureness == Sureness::Digits)
        && let Some(found) = sentence::told(text, spaces, base.clone())
    {
        return Some(found);
    }
    let verb = ["is ", "was ", "to ", "of ", "set to ", "is: ", "value "];
    let after = verb
        .iter()
        .find(|verb| text.starts(spaces, verb))
        .map_or(spaces, |verb| spaces + verb.len());
    let found = value_at(
        text,
        after,
        Extent {
            sign: Sign::Space,
            ..base
        },
        judged,
    )?;
    let code = judged.sureness == Sureness::Digits && after > spaces;
    (code || sentence::said(text, &found, judged, after > spaces)).then_some(found)
}

/// The value that begins there.
fn value_at(text: Text<'_>, at: usize, base: Extent, judged: Judgement) -> Option<Extent> {
    let from = text.run_to(at, 40, blank);
    let spaced = from > at;
    let from = wrapped(text, from);
    // What is inside is looked at by itself.
    if text.at(from) == b'{' && !text.starts(from, "{{") || text.starts(from, "[{") {
        return None;
    }
    if let Some(open) = opening(text, from) {
        let to = extent::closing(text, open).max(open.end);
        return Some(Extent {
            from: open.end,
            to,
            quoted: true,
            spaced,
            ..base
        });
    }
    let query = base.query || text.before(at) == b'=' && in_url(text, at);
    if judged.sureness == Sureness::Header {
        let to = extent::quote_or_line(text, from, base.name_quoted);
        return Some(Extent {
            from,
            to,
            spaced,
            query,
            ..base
        });
    }
    let to = match extent::bare_end(text, from, query) {
        to if judged.class == Class::Password && base.sign != Sign::Space => {
            phrase_end(text, from, to)
        }
        to => to,
    };
    let opens = matches!(text.at(to), b'(' | b'[') || text.slice(from, to).contains(['(', '[']);
    let handed = matches!(text.at(to), b')' | b',' | b';');
    let prose_follows = extent::prose_follows(text, to);
    (to > from).then_some(Extent {
        from,
        to,
        spaced,
        query,
        opens,
        generic: text.at(to) == b'<',
        handed,
        prose_follows,
        ..base
    })
}

/// A phrase of four words or more that fills the line is one value.
fn phrase_end(text: Text<'_>, from: usize, to: usize) -> usize {
    let head = text.back(from, 24, |b| b != b'\n');
    let named = text.slice(head, from).to_ascii_lowercase();
    let line = text.line_end(from).min(from + 400);
    let words = text
        .slice(to, line)
        .split(' ')
        .filter(|word| !word.is_empty());
    let all = words
        .clone()
        .all(|word| word.bytes().all(|b| b.is_ascii_lowercase()));
    let phrase = ["phrase", "mnemonic"]
        .iter()
        .any(|word| named.contains(word));
    let fills = phrase && all && words.count() >= 3;
    if fills && !value::says_what_is_wrong(text.slice(from, line)) {
        line
    } else {
        to
    }
}

/// Whether the run of bytes before is an address.
fn in_url(text: Text<'_>, at: usize) -> bool {
    let start = text.back(at, 400, |b| {
        !b.is_ascii_whitespace() && !matches!(b, b'"' | b'\'' | b'<' | b'>')
    });
    let run = text.bytes(start, at);
    memchr::memchr(b'?', run).is_some() && memchr::memchr(b'/', run).is_some()
}

/// The opening quote, also behind the letters that some languages put before it.
fn opening(text: Text<'_>, at: usize) -> Option<Quote> {
    let letter = matches!(
        text.at(at),
        b'b' | b'u' | b'r' | b'f' | b'@' | b'$' | b'N' | b'E'
    );
    let at = if letter && matches!(text.at(at + 1), b'\'' | b'"') {
        at + 1
    } else {
        at
    };
    extent::quote(text, at)
}

/// Past what a value is wrapped in where it is printed: `Some("x")`, `["x"]`.
fn wrapped(text: Text<'_>, at: usize) -> usize {
    for wrap in [
        "Some(",
        "Secret(",
        "SecretString(",
        "Optional[",
        "Just ",
        "Ok(",
        "String(",
        "&",
        "Password(",
        "*",
    ] {
        let quoted = extent::quote(text, at + wrap.len()).is_some() || wrap.starts_with("Opt");
        if text.starts(at, wrap) && quoted {
            return at + wrap.len();
        }
    }
    let inner = text.run_to(at, 2, |b| matches!(b, b'[' | b' '));
    if text.at(at) == b'[' && extent::quote(text, inner).is_some() {
        return inner;
    }
    at
}

/// After `IDENTIFIED` of SQL, or at `PASSWORD '`: the text that follows in quotes.
pub(super) fn identified_at(search: &mut Search<'_>, to: usize) {
    let text = search.text;
    let from = match text.before(to) {
        b'\'' => to - 1,
        _ => {
            let near = text.bytes(to, to + 80);
            let Some(by) = near
                .windows(4)
                .position(|w| w.eq_ignore_ascii_case(b" by "))
            else {
                return;
            };
            let from = text.run_to(to + by + 4, 20, blank);
            if text.starts_loose(from, "values ") {
                from + 7
            } else {
                from
            }
        }
    };
    let Some(open) = extent::quote(text, from) else {
        return;
    };
    let end = extent::closing(text, open);
    let _ = search.spent(end - from);
    let found = text.slice(open.end, end);
    if !stand_in::stands_for_another(found) && !crate::redact::placeholder::is_one(found) {
        search.add(open.end, end, Class::Password);
    }
}
