//! Telephone numbers: with a country's number, in forms that a country writes, or any where its
//! name says so. Not any run of digits.

use crate::redact::cursor::{Text, alnum, blank, digit, hex};
use crate::redact::numbers::Number;

type Range = (usize, usize);

/// `+49 171 1234567`, `+1 (555) 123-4567`, `0049…` in groups.
pub(super) fn is_international(text: Text<'_>, number: &Number) -> Option<Range> {
    let digits = number.digits.len();
    let plus = text.before(number.from) == b'+'
        || text.starts(number.from.checked_sub(3)?, "%2B")
        || text.starts(number.from.saturating_sub(3), "%2b");
    let sign = if text.before(number.from) == b'+' {
        1
    } else {
        3
    };
    let plain_signs = number
        .signs
        .iter()
        .all(|sign| matches!(sign, b' ' | b'-' | b'.' | b')' | b'/'));
    let groups = number.lengths.iter().all(|length| *length <= 13);
    if plus {
        let before = text.before(number.from - sign);
        let begins = !alnum(before) && before != b'+';
        let least = if number.whole() { 10 } else { 9 };
        let short = number.lengths.iter().skip(2).all(|length| *length >= 2);
        let fits = (least..=15).contains(&digits)
            && !number.starts(&[0])
            && begins
            && plain_signs
            && groups
            && short;
        return fits.then_some((number.from - sign, number.to));
    }
    let zeros = number.starts(&[0, 0]) && !number.starts(&[0, 0, 0]) && !number.whole();
    let signs =
        number.parted_by(b" -") && number.lengths.first().is_some_and(|l| (3..=5).contains(l));
    (zeros && signs && (11..=15).contains(&digits)).then_some((number.from, number.to))
}

/// Forms that a country writes, and any where it is called one.
pub(super) fn is_national(text: Text<'_>, number: &Number) -> Option<Range> {
    let open = usize::from(text.before(number.from) == b'(');
    let before = text.before(number.from - open);
    if matches!(before, b'/' | b'.' | b':') && !called(text, number) || alnum(before) {
        return None;
    }
    let is = american(number, open == 1)
        || european(number) && !in_row(text, number)
        || called(text, number);
    is.then_some((number.from - open, number.to))
}

/// `(415) 555-0132`, `415-555-0132`, `1-415-555-0132`.
fn american(number: &Number, open: bool) -> bool {
    let skip =
        usize::from(matches!(number.lengths.as_slice(), [1, 3, 3, 4]) && number.starts(&[1]));
    let lengths = number.lengths.get(skip..).unwrap_or_default();
    let signs = number.signs.get(skip..).unwrap_or_default();
    let digits = number.digits.get(skip..).unwrap_or_default();
    let code = |at: usize| digits.get(at).is_some_and(|d| *d >= 2);
    let parted = matches!(signs, [b'-', b'-'] | [b'.', b'.'])
        || open && matches!(signs, [b')', b'-' | b' ' | b'.']);
    lengths == [3, 3, 4] && parted && code(0) && code(3)
}

/// Whether pairs of hex digits stand before or after, as in a dump of bytes.
fn in_row(text: Text<'_>, number: &Number) -> bool {
    let pair = |from: usize| {
        let pair = text.bytes(from, from + 2);
        pair.len() == 2 && pair.iter().all(|b| hex(*b)) && pair.iter().any(|b| digit(*b))
    };
    let before = text.back(number.from, 4, blank);
    let after = text.run_to(number.to, 4, blank);
    let follows = after > number.to && pair(after) && !alnum(text.at(after + 2));
    let leads =
        before < number.from && before >= 2 && pair(before - 2) && !alnum(text.before(before - 2));
    follows || leads
}

/// French, British, German forms that begin with 0, and a few that are as strict.
fn european(number: &Number) -> bool {
    let [zero, next, third, ..] = number.digits.as_slice() else {
        return false;
    };
    if *zero != 0 || *next == 0 {
        return false;
    }
    match number.lengths.as_slice() {
        [2, 2, 2, 2, 2] => number.parted_by(b" .-"),
        [5, 6] => number.parted_by(b" -") && matches!(next, 1 | 7),
        [5, 3, 3] => number.parted_by(b" ") && matches!(next, 1 | 7),
        [3, 4, 4] => number.parted_by(b" -") && matches!(next, 2 | 3 | 7 | 8 | 9 | 1),
        [4, 3, 4] => number.parted_by(b" ") && matches!(next, 1 | 8 | 3),
        [4, 7 | 8] => number.parted_by(b" /-") && *next == 1 && matches!(third, 5..=7),
        [3..=5, 5..=8] => number.parted_by(b"/"),
        [4, 3, 3] => number.parted_by(b" ") && matches!(next, 4),
        [4, 2..=4, 2..=4] => {
            number.parted_by(b" ")
                && *next == 1
                && matches!(third, 5..=7)
                && number.digits.len() >= 10
        }
        _ => false,
    }
}

const NAMES: [&str; 14] = [
    "phone",
    "mobile",
    "msisdn",
    "telefon",
    "whatsapp",
    "tel",
    "fax",
    "handy",
    "cell",
    "mobil",
    "telephone",
    "phone_number",
    "telefono",
    "telefoon",
];

/// Whether what stands before calls it a telephone's number.
fn called(text: Text<'_>, number: &Number) -> bool {
    if !(7..=15).contains(&number.digits.len()) || number.lengths.iter().any(|l| *l > 13) {
        return false;
    }
    let context = text.context(number.from, 32);
    let last = NAMES
        .iter()
        .filter_map(|name| context.rfind(name).map(|at| (at, at + name.len())));
    let Some((at, end)) = last.max_by_key(|(_, end)| *end) else {
        return false;
    };
    let begins = at == 0
        || !context
            .as_bytes()
            .get(at - 1)
            .is_some_and(|b| b.is_ascii_alphabetic())
        || context.get(at..end).is_some_and(|n| n.len() >= 5);
    let between = context.get(end..).unwrap_or_default();
    let words = between
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| !word.is_empty());
    let linked = words.into_iter().all(|word| {
        matches!(
            word,
            "number"
                | "no"
                | "nr"
                | "num"
                | "is"
                | "s"
                | "e"
                | "x"
                | "to"
                | "value"
                | "home"
                | "work"
                | "n"
                | "b"
        )
    });
    let signs = between.bytes().all(|b| {
        alnum(b) && !digit(b)
            || matches!(
                b,
                b' ' | b'_'
                    | b'"'
                    | b'\''
                    | b':'
                    | b'='
                    | b'\\'
                    | b'('
                    | b'+'
                    | b'.'
                    | b'-'
                    | b'>'
                    | b'['
                    | b'#'
            )
    });
    begins && linked && signs && between.len() <= 20
}
