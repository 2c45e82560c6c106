//! Which words of a line are values whatever stands around them: numbers, ids, addresses, paths,
//! names of hosts. A rule looks at one word and the bytes beside it. To add one, write a function
//! here, call it in [`end_of_value`], and add lines to the tests; a rule must hold for logs in
//! general, because it decides what the first two lines of a template look like. Not here: which
//! words may vary by what is said around them (`judge`).

use super::bytes::{
    self, AT, BACKSLASH, BLANK, DIGIT, DOT, LETTER, LOWER, NOT_HEX, SIGN, SLASH, UPPER, WORDY,
};

/// A longer word is a value: keys, certificates, packed data.
const LONGEST_WORD: usize = 80;
/// Letters that are all hexadecimal digits make a number from this length on: `deadbeef`.
const HEX_LETTERS: usize = 8;
/// Longest text in quotes that is one value, in bytes.
const LONGEST_QUOTE: usize = 256;

/// If a value begins at `start`, where it ends. `end` is the end of the word there, `flags` what
/// its bytes are, `before` the last byte before it that is no blank.
#[inline]
pub(super) fn end_of_value(
    line: &[u8],
    start: usize,
    end: usize,
    flags: u16,
    before: u8,
) -> Option<usize> {
    let next = line.get(end).copied().unwrap_or(b' ');
    if next == b':'
        && let Some(end) = with_colon(line, start, end, flags)
    {
        return Some(end);
    }
    let word = line.get(start..end)?;
    if next == b'?' && word.starts_with(b"/") {
        return Some(end_of_address(line, end));
    }
    if next == b'['
        && let Some(end) = host_list(line, end)
    {
        return Some(end);
    }
    if flags & DIGIT != 0 {
        let plain = bytes::at(line, start) & LETTER == 0;
        return (plain || !digit_in_name(word)).then_some(end);
    }
    if flags & (DOT | SLASH | BACKSLASH | AT) != 0 {
        return (signs(word, flags) || dotted(word, flags, next, line.get(end + 1), before))
            .then_some(end);
    }
    let plain = flags & NOT_HEX == 0 && word.len() >= HEX_LETTERS;
    let long = word.len() > LONGEST_WORD;
    let odd = plain || long || word.len() == 3 && flags & UPPER != 0 && date(line, word, end);
    (odd || absent(word, before)).then_some(end)
}

/// Addresses, paths and times that go on after a colon.
fn with_colon(line: &[u8], start: usize, end: usize, flags: u16) -> Option<usize> {
    match line.get(end + 1) {
        Some(b'/') if line.get(end + 2) == Some(&b'/') => Some(end_of_address(line, end + 3)),
        Some(b'/' | b'\\') => drive(line, start, end),
        // With digits in it, the parts of an address come one by one.
        Some(_) if flags & (NOT_HEX | DIGIT) == 0 && end - start <= 4 => colons(line, start),
        _ => None,
    }
}

/// Numbered hosts as clusters write them: `node-[0-31]`, `tbird[1-5,7]`.
fn host_list(line: &[u8], bracket: usize) -> Option<usize> {
    let rest = line.get(bracket + 1..)?;
    let inside = rest
        .iter()
        .take_while(|b| b.is_ascii_digit() || matches!(b, b'-' | b','));
    let length = inside.count();
    let inside = rest.get(..length)?;
    let list = inside.iter().skip(1).any(|b| !b.is_ascii_digit());
    (list && rest.get(length) == Some(&b']')).then_some(bracket + 1 + length + 1)
}

/// One digit inside a name of letters: `jk2_init`, `i2c_core`, `log4shell`.
fn digit_in_name(word: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let Some(first) = word.iter().position(is_digit) else {
        return false;
    };
    let (head, rest) = word.split_at(first);
    let tail = rest.get(1..).unwrap_or_default();
    let letters = |part: &[u8]| {
        part.iter().all(|b| b.is_ascii_alphabetic() || *b == b'_')
            && part.iter().filter(|b| b.is_ascii_alphabetic()).count() >= 2
    };
    letters(head) && letters(tail) && bytes::all_of(word) & NOT_HEX != 0
}

/// Paths, e-mail addresses, objects with their hash: told by their signs.
fn signs(word: &[u8], flags: u16) -> bool {
    let inner = |sign: u8| {
        let body = word.get(1..word.len().saturating_sub(1));
        body.is_some_and(|body| body.contains(&sign))
    };
    if flags & LETTER == 0 {
        return false;
    }
    if flags & BACKSLASH != 0 || flags & AT != 0 && inner(b'@') {
        return true;
    }
    if flags & SLASH == 0 {
        return false;
    }
    let slashes = word.iter().filter(|b| **b == b'/').count();
    let rooted = [&b"/"[..], b"./", b"../", b"~/"]
        .iter()
        .any(|root| word.starts_with(root));
    rooted || slashes > 1 || flags & DOT != 0
}

/// Names of hosts, packages and files with two dots or more, where they are no label in front of
/// something else, no upper-case constant and no exception's class.
fn dotted(word: &[u8], flags: u16, next: u8, second: Option<&u8>, before: u8) -> bool {
    if flags & DOT == 0 {
        return false;
    }
    let word = without_stop(word);
    let dots = word.iter().skip(1).filter(|b| **b == b'.').count();
    let blank_after = second.is_none_or(|byte| bytes::of(*byte) & BLANK != 0);
    let begins = bytes::of(before) & (LETTER | DIGIT) == 0;
    let label = matches!(next, b'=' | b'(') || next == b':' && blank_after && begins;
    dots > 1 && !label && !is_constant_path(word)
}

/// Whether the last part of a dotted name is an upper-case constant or names an exception.
pub(super) fn is_constant_path(word: &[u8]) -> bool {
    let last = word.rsplit(|b| *b == b'.').next().unwrap_or(word);
    let upper = last.len() > 1 && is_upper(last);
    upper || last.ends_with(b"Exception") || last.ends_with(b"Error")
}

/// `LOOKING`, `SCREEN_ON`.
pub(super) fn is_upper(word: &[u8]) -> bool {
    let flags = bytes::all_of(word);
    flags & UPPER != 0 && flags & (LOWER | DIGIT | SIGN) == 0
}

/// Without the full stop of a sentence.
pub(super) fn without_stop(word: &[u8]) -> &[u8] {
    match word {
        [head @ .., b'.'] if !head.is_empty() => head,
        word => word,
    }
}

/// An address goes to the next blank, quote or closing bracket.
fn end_of_address(line: &[u8], from: usize) -> usize {
    let ends = |byte: &u8| {
        bytes::of(*byte) & BLANK != 0
            || matches!(
                byte,
                b'"' | b'\'' | b'<' | b'>' | b')' | b']' | b'}' | b',' | b';'
            )
    };
    let rest = line.get(from..).unwrap_or_default();
    from + rest.iter().position(ends).unwrap_or(rest.len())
}

/// `C:\…`
fn drive(line: &[u8], start: usize, colon: usize) -> Option<usize> {
    let letter = colon == start + 1 && bytes::at(line, start) & LETTER != 0;
    letter.then(|| end_of_word(line, colon + 1))
}

/// Groups of hexadecimal digits between colons, three or more: MAC and IPv6 addresses, times.
pub(super) fn colons(line: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut groups = 0;
    let mut colons = 0;
    loop {
        let rest = line.get(at..)?;
        let digits = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        if digits > 4 {
            return None;
        }
        groups += usize::from(digits > 0);
        at += digits;
        if line.get(at) != Some(&b':') {
            break;
        }
        let double = line.get(at + 1) == Some(&b':');
        let follows = at + 1 + usize::from(double);
        if !double && !line.get(follows).is_some_and(u8::is_ascii_hexdigit) {
            break;
        }
        colons += 1 + usize::from(double);
        at = follows;
    }
    // A letter after the last group: these were no digits.
    let clean = bytes::at(line, at) & LETTER == 0;
    (clean && groups > 0 && colons > 1).then(|| end_of_word(line, at))
}

fn end_of_word(line: &[u8], from: usize) -> usize {
    let rest = line.get(from..).unwrap_or_default();
    let wordy = rest.iter().take_while(|b| bytes::of(**b) & WORDY != 0);
    from + wordy.count()
}

/// Names of months and days in front of a number, or of each other.
fn date(line: &[u8], word: &[u8], end: usize) -> bool {
    if !is_date_name(word) {
        return false;
    }
    let rest = line.get(end..).unwrap_or_default();
    let skipped = rest.iter().take_while(|b| matches!(b, b' ' | b',' | b'/'));
    let rest = rest.get(skipped.count()..).unwrap_or_default();
    let number = rest.first().is_some_and(u8::is_ascii_digit);
    number || rest.get(..3).is_some_and(is_date_name)
}

fn is_date_name(word: &[u8]) -> bool {
    matches!(
        word,
        b"Jan"
            | b"Feb"
            | b"Mar"
            | b"Apr"
            | b"May"
            | b"Jun"
            | b"Jul"
            | b"Aug"
            | b"Sep"
            | b"Oct"
            | b"Nov"
            | b"Dec"
            | b"Mon"
            | b"Tue"
            | b"Wed"
            | b"Thu"
            | b"Fri"
            | b"Sat"
            | b"Sun"
    )
}

/// A word for "no value" where a value is expected.
fn absent(word: &[u8], before: u8) -> bool {
    matches!(before, b'=' | b':' | b'(' | b'[' | b'<' | b',')
        && matches!(
            word,
            b"null" | b"NULL" | b"nil" | b"None" | b"undefined" | b"NaN" | b"nan"
        )
}

/// What may follow a number and belongs to it. Words that count things do not.
pub(super) fn is_unit(word: &[u8]) -> bool {
    matches!(
        word,
        b"B" | b"KB"
            | b"kB"
            | b"MB"
            | b"GB"
            | b"TB"
            | b"PB"
            | b"KiB"
            | b"MiB"
            | b"GiB"
            | b"TiB"
            | b"ns"
            | b"us"
            | b"ms"
            | b"s"
            | b"sec"
            | b"secs"
            | b"min"
            | b"mins"
            | b"h"
            | b"hrs"
            | b"Hz"
            | b"kHz"
            | b"KHz"
            | b"MHz"
            | b"GHz"
            | b"AM"
            | b"PM"
            | b"UTC"
            | b"GMT"
    )
}

/// The same size again for people, after one in bytes: `8637 bytes (8.43 KB)`. Its end.
pub(super) fn restated(line: &[u8], end: usize) -> Option<usize> {
    let rest = line.get(end..)?.strip_prefix(b" (")?;
    let close = rest.iter().take(20).position(|b| *b == b')')?;
    let inside = rest.get(..close)?;
    let digits = inside
        .iter()
        .take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b','))
        .count();
    let unit = inside.get(digits..)?.trim_ascii_start();
    (digits > 0 && is_unit(unit)).then_some(end + 2 + close + 1)
}

/// Text in quotes that is one value: its end, after the closing quote. None for keys and what is
/// assigned to one, for what begins with an upper-case verb (`"GET /x"`), and where the quote is an apostrophe.
pub(super) fn quoted(line: &[u8], start: usize) -> Option<usize> {
    let quote = *line.get(start)?;
    let before = start.checked_sub(1).map_or(0, |at| bytes::at(line, at));
    if before & (LETTER | DIGIT) != 0 {
        return None;
    }
    let body = line.get(start + 1..)?;
    let body = body.get(..LONGEST_QUOTE).unwrap_or(body);
    let length = closing(body, quote)?;
    let inside = body.get(..length)?;
    let after = line.get(start + length + 2).copied().unwrap_or(b' ');
    if is_said(line, start, inside) || after == b':' || bytes::of(after) & (LETTER | DIGIT) != 0 {
        return None;
    }
    let first = inside.split(|b| *b == b' ').next().unwrap_or_default();
    let sentence = first.len() < inside.len();
    let verb = sentence && first.len() > 1 && is_upper(first);
    (!verb).then_some(start + length + 2)
}

/// Text in quotes that is assigned to a key and is no value: what the line has to say
/// (`msg="could not connect"`), and a word or two, which mean without quotes what they mean with.
fn is_said(line: &[u8], quote: usize, inside: &[u8]) -> bool {
    let head = line.get(..quote).unwrap_or_default();
    let Some(head) = head.strip_suffix(b"=") else {
        return false;
    };
    let from = head.iter().rposition(|b| bytes::of(*b) & WORDY == 0);
    let key = head.get(from.map_or(0, |at| at + 1)..).unwrap_or_default();
    let message = matches!(
        key,
        b"msg" | b"message" | b"error" | b"err" | b"reason" | b"event" | b"cause" | b"log"
    );
    message || inside.iter().filter(|b| **b == b' ').count() < 2
}

fn closing(body: &[u8], quote: u8) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in body.iter().enumerate() {
        if *byte == quote && !escaped {
            return Some(at);
        }
        escaped = *byte == b'\\' && !escaped;
    }
    None
}

/// Whether the word is a name put together of parts: a file, a host, a class, not a word of a
/// sentence.
pub(super) fn is_name(word: &[u8]) -> bool {
    let flags = bytes::all_of(word);
    let word = without_stop(word);
    let inner_dot = word.iter().skip(1).any(|b| *b == b'.');
    let dollar = word.iter().skip(1).any(|b| *b == b'$');
    inner_dot || dollar || flags & (DIGIT | SLASH | AT | BACKSLASH) != 0
}

#[cfg(test)]
mod tests {
    use crate::template::Miner;

    /// What is left of a line; the values are masked whatever they are.
    fn masked(cases: &[(&str, &str)]) {
        for (line, expected) in cases {
            assert_eq!(&Miner::masked(line), expected, "{line}");
        }
    }

    #[test]
    fn numbers_ids_and_times() {
        masked(&[
            ("took 15 ms of 2.5s", "took <*> of <*>"),
            ("job_14_0007 for blk_-38865", "<*> for <*>"),
            ("0xdeadbeef and deadbeef", "<*> and <*>"),
            (
                "at 2015-07-29 17:41:44,747 on Wed Jul 27 14:41:57 2005",
                "at <*> on <*>",
            ),
            ("id 9f8b0c6e-1c1d-4a5e-8f6b-0f3c2a1b4d5e.", "id <*>"),
            ("jk2_init() found 3", "jk2_init() found <*>"),
            ("8637 bytes (8.43 KB) sent", "<*> bytes sent"),
            ("8637 bytes sent", "<*> bytes sent"),
            ("lifetime <1 sec", "lifetime <*>"),
            (
                "a face is a word, not a number",
                "a face is a word, not a number",
            ),
        ]);
    }

    #[test]
    fn addresses_paths_and_names_of_hosts() {
        masked(&[
            ("from 10.0.0.1:8080 to [::1]:443", "from <*> to [<*>]:<*>"),
            ("mac ab:cd:ef:ab:cd:ef up", "mac <*> up"),
            ("addr fe80::cafe:1 up", "addr <*> up"),
            ("listening on :: port 22", "listening on <*> port <*>"),
            ("open /etc/httpd/workers: no", "open <*>: no"),
            ("open C:\\Windows\\System: no", "open <*>: no"),
            ("GET https://a.b/c?d=e&f: ok", "GET <*> ok"),
            (
                "\"GET /v2/list?all=True&x=y HTTP/1.1\" 200",
                "\"GET <*>\" <*>",
            ),
            ("mail to jo@example.org sent", "mail to <*> sent"),
            ("proxy.cse.example.hk:5070 close", "<*> close"),
            ("hosts node-[0-31] down", "hosts <*> down"),
            ("read/write error", "read/write error"),
            ("a.b.C: started", "a.b.C: started"),
            (
                "due to java.io.IOException: x",
                "due to java.io.IOException: x",
            ),
            (
                "action android.intent.action.SCREEN_ON",
                "action android.intent.action.SCREEN_ON",
            ),
        ]);
    }

    #[test]
    fn quotes() {
        masked(&[
            ("host 'cp-1 x' is 'up'", "host <*> is <*>"),
            ("can't find it, isn't it", "can't find it, isn't it"),
            (
                "level=info msg=\"could not dial peer\"",
                "level=info msg=\"could not dial peer\"",
            ),
            ("query=\"a b c d e\" ok", "query=<*> ok"),
            ("\"DELETE /a\" done", "\"DELETE <*>\" done"),
            ("an \"open one", "an \"open one"),
        ]);
    }

    #[test]
    fn lists_are_one_value() {
        masked(&[
            ("fans ( 3552 3534 3375 )", "fans ( <*> )"),
            ("fans ( 3552 )", "fans ( <*> )"),
            ("to 10.0.0.1:1 10.0.0.2:2", "to <*>"),
            ("steps 15##69##5", "steps <*>"),
            ("name () or (a.b.c)", "name (<*>) or (<*>)"),
            ("caller=null", "caller=<*>"),
            ("null pointer", "null pointer"),
        ]);
    }
}
