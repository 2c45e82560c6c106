//! Runs of digits, and of letters and digits: where each begins, how it is grouped, what stands
//! before it. Whether such a number is a person's is said by `phone.rs`, `national.rs`,
//! `iban.rs`; cards are looked at here.

use crate::redact::checksum::luhn;
use crate::redact::class::Class;
use crate::redact::cursor::{Text, alnum, digit, hex};
use crate::redact::redactor::Search;
use crate::redact::{address, iban, national, phone};

/// Digits of one number, and groups of them.
const DIGITS: usize = 24;
const GROUPS: usize = 8;

/// A number in groups, such as `4111 1111 1111 1111`.
pub(super) struct Number {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) digits: Vec<u32>,
    pub(super) lengths: Vec<usize>,
    /// What stands between the groups; `)` for `) `, `)-` and the like.
    pub(super) signs: Vec<u8>,
    /// Where each group ends.
    ends: Vec<usize>,
}

impl Number {
    /// The first groups of it.
    fn first(&self, groups: usize) -> Option<Number> {
        let lengths: Vec<usize> = self.lengths.iter().take(groups).copied().collect();
        Some(Number {
            from: self.from,
            to: *self.ends.get(groups.checked_sub(1)?)?,
            digits: self
                .digits
                .iter()
                .take(lengths.iter().sum())
                .copied()
                .collect(),
            signs: self.signs.iter().take(groups - 1).copied().collect(),
            ends: Vec::new(),
            lengths,
        })
    }

    /// Whether the same sign stands between all groups, one of these; or there is but one.
    pub(super) fn parted_by(&self, signs: &[u8]) -> bool {
        let first = self.signs.first();
        self.signs
            .iter()
            .all(|sign| signs.contains(sign) && Some(sign) == first)
    }

    pub(super) fn whole(&self) -> bool {
        self.lengths.len() == 1
    }

    pub(super) fn starts(&self, with: &[u32]) -> bool {
        self.digits.starts_with(with)
    }
}

/// Looks at every number of the text. `None` where that was too much work.
pub(super) fn all(search: &mut Search<'_>) -> Option<()> {
    let text = search.text;
    let mut at = 0;
    loop {
        let digit_at = text.run(at, |b| !digit(b));
        if digit_at >= text.len() {
            break;
        }
        let start = text.back(digit_at, 40.min(digit_at - at), alnum);
        let end = text.run(digit_at, alnum);
        at = look(search, start, end).max(end);
        search.spent(4)?;
    }
    if search.ip {
        for colon in memchr::memchr_iter(b':', text.text.as_bytes()) {
            if hex(text.at(colon + 1)) || text.at(colon + 1) == b':' {
                address::v6_at(search, colon);
                search.spent(8)?;
            }
        }
    }
    Some(())
}

/// Says up to where the text is dealt with.
fn look(search: &mut Search<'_>, start: usize, end: usize) -> usize {
    let text = search.text;
    let before = text.before(start);
    if before == b'_' || before >= 0x80 {
        return end;
    }
    let start = after_escape(text, start);
    if text.bytes(start, end).iter().all(|b| digit(*b)) {
        return number(search, start, end);
    }
    let found = search.finds_count();
    if national::word_at(search, start, end) || twilio(search, start, end) {
        return end;
    }
    let letters = !digit(text.at(start))
        && !digit(text.at(start + 1))
        && digit(text.at(start + 2))
        && digit(text.at(start + 3));
    if letters && iban::at(search, start) {
        return search.last_end(found).max(end);
    }
    end
}

/// The `n` of an escaped line end is no part of a word.
fn after_escape(text: Text<'_>, start: usize) -> usize {
    match text.before(start) {
        b'\\' if matches!(text.at(start), b'n' | b't' | b'r') => start + 1,
        b'%' if hex(text.at(start)) && hex(text.at(start + 1)) => start + 2,
        _ => start,
    }
}

/// Twilio's accounts and keys: two letters, 32 hex digits.
fn twilio(search: &mut Search<'_>, start: usize, end: usize) -> bool {
    let text = search.text;
    let prefix = text.starts(start, "AC") || text.starts(start, "SK");
    let lower = |b: &u8| hex(*b) && !b.is_ascii_uppercase();
    let is = prefix && end - start == 34 && text.bytes(start + 2, end).iter().all(lower);
    if is {
        search.add(start, end, Class::ApiKey);
    }
    is
}

fn number(search: &mut Search<'_>, start: usize, end: usize) -> usize {
    let text = search.text;
    let (one, two) = (text.before(start), text.before(start.saturating_sub(1)));
    // Inside a UUID, a decimal or a version nothing of this begins.
    let inside = matches!(one, b'.' | b'-' | b',') && alnum(two) && one != b'-'
        || one == b'-' && (hex(two) || two == b'_')
        || one == b'.' && digit(two);
    if inside {
        return end;
    }
    if search.ip
        && text.at(end) == b'.'
        && end - start <= 3
        && address::v4_at(search, start).is_some_and(|to| to > end)
    {
        return text.run(start, |b| digit(b) || b == b'.');
    }
    let alone = end - start < 7 && !joins(text, end);
    if alone {
        return end;
    }
    let whole = gathered(text, start);
    let most = whole.lengths.len();
    for groups in (1..=most).rev() {
        let Some(number) = whole.first(groups).filter(|number| apart(text, number)) else {
            continue;
        };
        if let Some(to) = judged(search, &number) {
            return to;
        }
    }
    end
}

/// Whether a sign and another group follow.
fn joins(text: Text<'_>, end: usize) -> bool {
    let next = text.at(end);
    let after = text.run_to(end, 3, |b| {
        matches!(b, b' ' | b'-' | b'.' | b'/' | b')' | b'(')
    });
    after > end && digit(text.at(after))
        || next == b')'
        || matches!(next, b'-' | b' ') && alnum(text.at(end + 1))
}

fn gathered(text: Text<'_>, start: usize) -> Number {
    let (mut digits, mut lengths, mut signs, mut ends) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut at = start;
    while ends.len() < GROUPS {
        let end = text.run_to(at, DIGITS + 1, digit);
        if end == at || digits.len() + (end - at) > DIGITS {
            break;
        }
        digits.extend(text.bytes(at, end).iter().map(|b| u32::from(b - b'0')));
        lengths.push(end - at);
        ends.push(end);
        let sign = text.at(end);
        let next = match (sign, text.at(end + 1)) {
            (b' ' | b'-' | b'.' | b'/', b'(') => end + 2,
            (b' ' | b'-' | b'.' | b'/', _) => end + 1,
            (b')', b' ' | b'-' | b'.' | b'/') => end + 2,
            (b')', _) => end + 1,
            _ => break,
        };
        signs.push(sign);
        at = next;
    }
    Number {
        from: start,
        to: ends.last().copied().unwrap_or(start),
        digits,
        lengths,
        signs,
        ends,
    }
}

/// Nothing that goes on with the number follows it.
fn apart(text: Text<'_>, number: &Number) -> bool {
    let (next, after) = (text.at(number.to), text.at(number.to + 1));
    let goes_on = alnum(next)
        || next == b'_'
        || next == b'.' && digit(after) && number.whole()
        || next == b'-' && alnum(after) && number.whole();
    !goes_on
}

/// Looks at a number by all rules. Says where it ends, where it is one.
fn judged(search: &mut Search<'_>, number: &Number) -> Option<usize> {
    if let Some((from, to)) = phone::is_international(search.text, number) {
        search.add(from, to, Class::Phone);
        return Some(to);
    }
    if is_card(search.text, number) {
        search.add(number.from, number.to, Class::Card);
        return Some(number.to);
    }
    if let Some((from, to)) = national::is_one(search.text, number) {
        search.add(from, to, Class::NationalId);
        return Some(to);
    }
    let (from, to) = phone::is_national(search.text, number)?;
    search.add(from, to, Class::Phone);
    Some(to)
}

/// Names of numbers that are drawn or counted, whatever their digits add up to.
const IDS: [&str; 12] = [
    "trace",
    "span",
    "request",
    "snowflake",
    "offset",
    "timestamp",
    "message_id",
    "msg_id",
    "event_id",
    "nanos",
    "xid",
    "_ts",
];

fn is_card(text: Text<'_>, number: &Number) -> bool {
    let grouped = matches!(
        number.lengths.as_slice(),
        [4, 4, 4, 4] | [4, 6, 5] | [4, 6, 4] | [4, 4, 4, 4, 3]
    );
    if !(number.whole() || grouped && number.parted_by(b" -.")) || !luhn(&number.digits) {
        return false;
    }
    let context = text.context(number.from, 32);
    if number.whole() && IDS.iter().any(|id| context.contains(id)) {
        return false;
    }
    let lead = number
        .digits
        .iter()
        .take(4)
        .fold(0, |lead, digit| lead * 10 + digit);
    let named = ["card", "pan", "cc"]
        .iter()
        .any(|word| national::names(&context, word));
    match number.digits.len() {
        16 => {
            matches!(lead, 4000..=4999 | 5100..=5599 | 2221..=2720 | 6011 | 6440..=6599 | 3528..=3589 | 6200..=6299 | 2200..=2204 | 5000..=5099 | 5600..=6999)
        }
        15 => matches!(lead, 3400..=3499 | 3700..=3799),
        14 => matches!(lead, 3000..=3059 | 3095 | 3600..=3699 | 3800..=3999),
        13 => (4000..=4999).contains(&lead),
        12 | 17..=19 => named && matches!(lead, 4000..=6999),
        _ => false,
    }
}
