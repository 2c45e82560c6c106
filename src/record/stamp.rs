//! Times that programs write: whole time fields, and the timestamp near the start of a log line.
//! Without an offset or a known zone's name a time is UTC; without a year it is the year that brings it closest to a
//! time given. Not for printing times.

use crate::model::{Level, Timestamp};

/// Bytes of a line in which its timestamp must begin.
const START: usize = 100;
/// Words of a line before its timestamp at most (level, host, process).
const WORDS: usize = 8;

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// Short names of zones that programs write, in minutes east of UTC. Others are taken as UTC: most
/// of these names mean several zones, and only the most common meaning is here.
const ZONES: [(&str, i64); 15] = [
    ("Z", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("CET", 60),
    ("CEST", 120),
    ("EET", 120),
    ("EEST", 180),
    ("BST", 60),
    ("EST", -300),
    ("EDT", -240),
    ("PST", -480),
    ("PDT", -420),
    ("MSK", 180),
    ("IST", 330),
    ("JST", 540),
];

/// A time field's text: a written time, or an epoch number.
pub fn of_text(text: &str, near: Timestamp) -> Option<Timestamp> {
    let text = text.trim_ascii();
    // Nanoseconds do not fit a float.
    if let Ok(nanos @ 1_000_000_000_000_000_000..4_200_000_000_000_000_000) = text.parse() {
        return Some(Timestamp(nanos));
    }
    let mut cursor = Cursor::new(text.as_bytes());
    written(&mut cursor, near).or_else(|| text.parse().ok().and_then(of_number))
}

/// An epoch number in seconds, milli-, micro- or nanoseconds, told by its size; `None` outside
/// the years 2001 to 2100.
pub fn of_number(number: f64) -> Option<Timestamp> {
    let scale = match number {
        1e9..4.2e9 => 1e9,
        1e12..4.2e12 => 1e6,
        1e15..4.2e15 => 1e3,
        1e18..4.2e18 => 1.0,
        _ => return None,
    };
    // Whole and fraction apart, and no finer than a float of this size can say.
    let whole = number.trunc() as i64 * scale as i64;
    let micros = (number.fract() * scale / 1e3).round() as i64;
    Some(Timestamp(whole + micros * 1_000))
}

/// The timestamp that a line carries near its start, behind nothing but what loggers print there:
/// addresses, levels, brackets. A date in a sentence is not when the line was written.
pub fn leading(line: &str, near: Timestamp) -> Option<Timestamp> {
    let bytes = line.as_bytes();
    if let Some(found) = epoch(bytes) {
        return Some(found);
    }
    let mut words = Prose::default();
    let mut boundary = b' ';
    for (at, byte) in bytes.iter().enumerate().take(START) {
        if is_boundary(boundary) && byte.is_ascii_alphanumeric() {
            if let Some(found) = written(&mut Cursor { bytes, at }, near) {
                return words.may_precede(boundary).then_some(found);
            }
            words.take(&bytes[at..]);
            if words.count > WORDS {
                return None;
            }
        }
        boundary = *byte;
    }
    None
}

fn is_boundary(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'[' | b'(' | b'|' | b'=' | b'"' | b'<' | b'>' | b'\t'
    )
}

/// The words before a timestamp, as far as they may be a sentence's.
#[derive(Default)]
struct Prose {
    count: usize,
    plain: usize,
}

impl Prose {
    /// Looks at the word that `bytes` begins with: letters in lower case make a sentence, unless
    /// the word names a host, a time zone's day, a key or a level.
    fn take(&mut self, bytes: &[u8]) {
        let end = bytes.iter().position(|b| is_boundary(*b));
        let word = &bytes[..end.unwrap_or(bytes.len())];
        let key = end.and_then(|end| bytes.get(end)) == Some(&b'=');
        let listed = |list: &[&str]| {
            let bare = word.strip_suffix(b",").unwrap_or(word);
            list.iter().any(|known| known.as_bytes() == bare)
        };
        self.count += 1;
        let lower = word.iter().any(u8::is_ascii_lowercase);
        let name = word
            .iter()
            .any(|b| b.is_ascii_digit() || matches!(b, b'.' | b']'));
        let known =
            key || listed(&[
                "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "time", "ts", "http", "https",
                "h2",
            ]) || str::from_utf8(word).is_ok_and(|word| Level::from_word(word).is_some());
        if lower && !name && !known {
            self.plain += 1;
        }
    }

    /// An access log has its user's name there, and then a bracket.
    fn may_precede(&self, boundary: u8) -> bool {
        self.plain == 0 || self.plain == 1 && boundary == b'['
    }
}

/// Ten digits of seconds, or thirteen of milliseconds, with which a line begins.
fn epoch(bytes: &[u8]) -> Option<Timestamp> {
    let numeric = |b: &&u8| b.is_ascii_digit() || **b == b'.';
    let length = bytes.iter().take(32).take_while(numeric).count();
    let ends = bytes.get(length).is_none_or(|b| !b.is_ascii_alphanumeric());
    if length < 10 || !ends {
        return None;
    }
    str::from_utf8(&bytes[..length])
        .ok()?
        .parse()
        .ok()
        .and_then(of_number)
}

/// A place in a line, and what can be read from it.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { bytes, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take_if(&mut self, wanted: impl Fn(u8) -> bool) -> Option<u8> {
        let found = self.peek().filter(|b| wanted(*b))?;
        self.at += 1;
        Some(found)
    }

    fn one_of(&mut self, wanted: &[u8]) -> Option<u8> {
        self.take_if(|b| wanted.contains(&b))
    }

    /// Exactly `count` digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        (0..count).try_fold(0, |sum, _| {
            let digit = self.take_if(|b| b.is_ascii_digit())?;
            Some(sum * 10 + i64::from(digit - b'0'))
        })
    }

    fn month(&mut self) -> Option<i64> {
        let name = self.bytes.get(self.at..self.at + 3)?;
        let index = MONTHS.iter().position(|month| name == *month)?;
        self.at += 3;
        Some(index as i64 + 1)
    }

    /// One or two digits; a leading space counts as a zero.
    fn day(&mut self) -> Option<i64> {
        while self.one_of(b" ").is_some() {}
        let first = self.digits(1)?;
        Some(self.digits(1).map_or(first, |second| first * 10 + second))
    }

    /// `hh:mm:ss` with an optional fraction, in nanoseconds of the day.
    fn clock(&mut self) -> Option<i64> {
        let hour = self.digits(2).filter(|h| *h < 24)?;
        self.minutes(hour)
    }

    /// `:mm:ss` with an optional fraction behind an hour.
    fn minutes(&mut self, hour: i64) -> Option<i64> {
        self.one_of(b":")?;
        let minute = self.digits(2).filter(|m| *m < 60)?;
        let second = match self.one_of(b":") {
            // A leap second counts as the next one.
            Some(_) => self.digits(2).filter(|s| *s <= 60)?,
            None => 0,
        };
        let seconds = hour * 3600 + minute * 60 + second;
        Some(seconds * 1_000_000_000 + self.fraction())
    }

    fn fraction(&mut self) -> i64 {
        let before = *self;
        let mut nanos = 0;
        let mut unit = 100_000_000;
        if self.one_of(b".,").is_none() {
            return 0;
        }
        while let Some(digit) = self.take_if(|b| b.is_ascii_digit()) {
            nanos += i64::from(digit - b'0') * unit;
            unit /= 10;
        }
        if unit == 100_000_000 {
            *self = before;
        }
        nanos
    }

    /// `Z`, `+01:00`, ` +0100`, ` CET`; seconds east of UTC, 0 where there is none.
    fn offset(&mut self) -> i64 {
        let before = *self;
        self.one_of(b" ");
        let parsed = self.signed_offset().or_else(|| self.zone());
        if parsed.is_none() {
            *self = before;
        }
        parsed.unwrap_or(0)
    }

    /// A zone's short name as a word of its own.
    fn zone(&mut self) -> Option<i64> {
        let rest = self.bytes.get(self.at..)?;
        let length = rest.iter().take_while(|b| b.is_ascii_uppercase()).count();
        let (name, behind) = rest.split_at_checked(length)?;
        let ends = behind
            .first()
            .is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'-');
        let (_, minutes) = ZONES.iter().find(|(zone, _)| name == zone.as_bytes())?;
        if !ends {
            return None;
        }
        self.at += length;
        Some(minutes * 60)
    }

    /// `1:02:03 PM` of twelve hours, or the clock of twenty-four.
    fn clock_of_halves(&mut self) -> Option<i64> {
        const HOUR: i64 = 3_600_000_000_000;
        let mut wide = *self;
        // One digit is as good as two here.
        let hour = wide.day()?;
        let nanos = match wide.peek() {
            Some(b':') if hour < 10 && self.bytes.get(self.at + 1) == Some(&b':') => {
                wide.minutes(hour)?
            }
            _ => {
                wide = *self;
                wide.clock()?
            }
        };
        *self = wide;
        // Newer Java puts a narrow no-break space before the half.
        while wide.take_if(|b| b == b' ' || !b.is_ascii()).is_some() {}
        let half = wide.one_of(b"AP");
        let marked = wide.one_of(b"M").is_some();
        let ends = wide.peek().is_none_or(|b| !b.is_ascii_alphanumeric());
        let (Some(half), true, true) = (half, marked, ends) else {
            return Some(nanos);
        };
        *self = wide;
        let hours = nanos / HOUR;
        Some(match (half, hours) {
            (b'A', 12) => nanos - 12 * HOUR,
            (b'P', 0..12) => nanos + 12 * HOUR,
            _ => nanos,
        })
    }

    fn signed_offset(&mut self) -> Option<i64> {
        let sign = match self.one_of(b"+-")? {
            b'-' => -1,
            _ => 1,
        };
        let hours = self.digits(2).filter(|h| *h <= 14)?;
        self.one_of(b":");
        let minutes = self.digits(2).filter(|m| *m < 60).unwrap_or(0);
        let ends = self.peek().is_none_or(|b| !b.is_ascii_digit());
        ends.then_some(sign * (hours * 3600 + minutes * 60))
    }
}

/// Any of the written forms at the cursor.
fn written(cursor: &mut Cursor<'_>, near: Timestamp) -> Option<Timestamp> {
    let forms: [fn(Cursor<'_>, Timestamp) -> Option<Timestamp>; 5] =
        [iso, day_month_year, month_day, glog, short_digits];
    forms.iter().find_map(|form| form(*cursor, near))
}

/// `2026-03-01T12:00:00.123+01:00`, `2026/03/01 12:00:00`, `20260301T120000Z`.
fn iso(mut at: Cursor<'_>, _: Timestamp) -> Option<Timestamp> {
    let year = at.digits(4)?;
    let separator = at.one_of(b"-/.");
    let month = at.digits(2)?;
    if let Some(separator) = separator {
        at.one_of(&[separator])?;
    }
    let day = at.digits(2)?;
    if separator.is_none() {
        at.one_of(b"T")?;
        let (hour, minute, second) = (at.digits(2)?, at.digits(2)?, at.digits(2)?);
        let nanos = (hour * 3600 + minute * 60 + second) * 1_000_000_000 + at.fraction();
        return moment(year, month, day, nanos, at.offset());
    }
    at.one_of(b"T :_-")?;
    at.one_of(b"-");
    let nanos = at.clock()?;
    moment(year, month, day, nanos, at.offset())
}

/// `01/Mar/2026:12:00:00 +0100`, `01 Mar 2026 12:00:00.123`, `01-Mar-2026 12:00:00`.
fn day_month_year(mut at: Cursor<'_>, _: Timestamp) -> Option<Timestamp> {
    let day = at.day()?;
    let separator = at.one_of(b"/ -")?;
    let month = at.month()?;
    at.one_of(&[separator])?;
    let year = at.digits(4)?;
    at.one_of(b": ")?;
    let nanos = at.clock()?;
    moment(year, month, day, nanos, at.offset())
}

/// `Mar  1 12:00:00`, `Mar 01 12:00:00.123456 2026`, `Mar 1, 2026 12:00:00`.
fn month_day(mut at: Cursor<'_>, near: Timestamp) -> Option<Timestamp> {
    let month = at.month()?;
    at.one_of(b" ")?;
    let day = at.day()?;
    let comma = at.one_of(b",").is_some();
    at.one_of(b" ")?;
    if comma {
        let year = at.digits(4)?;
        at.one_of(b" ")?;
        let nanos = at.clock_of_halves()?;
        return moment(year, month, day, nanos, at.offset());
    }
    let nanos = at.clock()?;
    let mut after = at;
    let offset = after.offset();
    after.one_of(b" ");
    if let Some(year @ 1970..2200) = after.digits(4)
        && after.peek().is_none_or(|b| !b.is_ascii_digit())
    {
        return moment(year, month, day, nanos, offset);
    }
    nearest_year(month, day, nanos, near)
}

/// `E0301 12:00:00.123456`.
fn glog(mut at: Cursor<'_>, near: Timestamp) -> Option<Timestamp> {
    at.one_of(b"IWEF")?;
    let (month, day) = (at.digits(2)?, at.digits(2)?);
    at.one_of(b" ")?;
    let nanos = at.clock()?;
    nearest_year(month, day, nanos, near)
}

/// `260301 120000` and `260301 12:00:00`.
fn short_digits(mut at: Cursor<'_>, _: Timestamp) -> Option<Timestamp> {
    let (year, month, day) = (at.digits(2)?, at.digits(2)?, at.digits(2)?);
    at.one_of(b" ")?;
    let mut compact = at;
    let nanos = match at.clock() {
        Some(nanos) => nanos,
        None => {
            let hour = compact.digits(2).filter(|h| *h < 24)?;
            let minute = compact.digits(2).filter(|m| *m < 60)?;
            let second = compact.digits(2).filter(|s| *s <= 60)?;
            if compact.peek() != Some(b' ') {
                return None;
            }
            (hour * 3600 + minute * 60 + second) * 1_000_000_000
        }
    };
    moment(2000 + year, month, day, nanos, 0)
}

fn nearest_year(month: i64, day: i64, nanos: i64, near: Timestamp) -> Option<Timestamp> {
    let year = 1970 + near.seconds().div_euclid(31_556_952);
    let years = [year, year - 1, year + 1].into_iter();
    years
        .filter_map(|year| moment(year, month, day, nanos, 0))
        .min_by_key(|found| found.0.abs_diff(near.0))
}

fn moment(year: i64, month: i64, day: i64, nanos: i64, offset: i64) -> Option<Timestamp> {
    let known = (1970..2200).contains(&year) && (1..=12).contains(&month);
    if !known || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let seconds = days_since_epoch(year, month, day) * 86_400 - offset;
    Some(Timestamp(seconds * 1_000_000_000 + nanos))
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the Unix epoch to a date from 1970 on.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leaps = before / 4 - before / 100 + before / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    let months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    (year - 1970) * 365 + leaps + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn lines_of_many_programs_tell_their_time() {
        let near = at("2026-01-02T00:00:00Z");
        let noon = "2026-03-01T12:00:00Z";
        for (line, time) in [
            ("2026-03-01T12:00:00Z up", noon),
            (
                "2026-03-01 12:00:00,250 ERROR boom",
                "2026-03-01T12:00:00.25Z",
            ),
            ("[2026-03-01 13:00:00 +0100] [7] [INFO] up", noon),
            ("ERROR 2026-03-01T13:00:00+01:00 boom", noon),
            ("2026/03/01 12:00:00 [error] 7#7: boom", noon),
            (
                "10.0.0.9 - - [01/Mar/2026:13:00:00 +0100] \"GET / HTTP/1.1\" 200 5",
                noon,
            ),
            (
                "[Sun Mar 01 12:00:00.500000 2026] [core:error] boom",
                "2026-03-01T12:00:00.5Z",
            ),
            ("Mar  1 12:00:00 web-1 app[7]: boom", noon),
            ("Dec 31 23:59:59 web-1 app[7]: boom", "2025-12-31T23:59:59Z"),
            ("<34>1 2026-03-01T12:00:00Z web-1 app - - boom", noon),
            ("E0301 12:00:00.000000       7 main.go:1] boom", noon),
            ("260301 120000 31 INFO a.B: up", noon),
            ("7:M 01 Mar 2026 12:00:00.000 * ready", noon),
            ("1772366400.5 boom", "2026-03-01T12:00:00.5Z"),
            ("1772366400500 boom", "2026-03-01T12:00:00.5Z"),
            ("time=\"2026-03-01T12:00:00Z\" level=info", noon),
            ("20260301T120000Z up", noon),
            ("https 2026-03-01T12:00:00Z app/lb/50dc 10.0.0.1:2817", noon),
            ("2026-03-01 13:00:00.000 CET [33] ERROR:  x", noon),
            ("2026-03-01 07:00:00 EST ERROR:  x", noon),
            ("2026-03-01 17:30:00 IST x", noon),
            ("2026-03-01 12:00:00 UTC x", noon),
            ("2026-03-01 12:00:00 ESTABLISHED x", noon),
            ("Sun Mar  1 13:00:00 CET 2026 x", noon),
            ("Mar 01, 2026 12:00:00 PM com.acme.A main", noon),
            ("Mar 01, 2026 12:00:00\u{202f}PM com.acme.A main", noon),
            (
                "Mar 01, 2026 1:02:03 PM com.acme.A main",
                "2026-03-01T13:02:03Z",
            ),
            (
                "Mar 01, 2026 1:02:03 AM com.acme.A main",
                "2026-03-01T01:02:03Z",
            ),
            (
                "Mar 01, 2026 12:02:03 AM com.acme.A main",
                "2026-03-01T00:02:03Z",
            ),
            ("Mar 01, 2026 22:02:03 AMQP up", "2026-03-01T22:02:03Z"),
            (
                "shop.example 10.0.0.9 - ann [01/Mar/2026:12:00:00 +0000] \"GET / HTTP/1.1\" 200 5",
                noon,
            ),
            ("{\"time\": \"2026-03-01T12:00:00Z\", \"cut", noon),
        ] {
            assert_eq!(leading(line, near), Some(at(time)), "{line}");
        }
    }

    #[test]
    fn other_numbers_are_no_times() {
        for line in [
            "",
            "listening on 0.0.0.0:8080",
            "2026-13-01 12:00:00 month",
            "2026-02-29 12:00:00 no leap year",
            "12345678901234567890 long",
            "  at main (app.js:12:34)",
            "order 20260301 was not found",
            "CertificateError: expired on 2026-03-01 12:00:00",
            "valid until Mar 01 12:00:00 2026",
        ] {
            assert_eq!(leading(line, Timestamp(0)), None, "{line}");
        }
    }

    #[test]
    fn fields_hold_numbers_or_text() {
        let near = Timestamp(0);
        let time = at("2026-03-01T12:00:00.25Z");
        assert_eq!(of_text("1772366400.25", near), Some(time));
        assert_eq!(of_text("2026-03-01T12:00:00,250+0000", near), Some(time));
        assert_eq!(of_number(1_772_366_400_250.0), Some(time));
        assert_eq!(of_number(1_772_366_400_250_000.0), Some(time));
        let nanos = at("2026-03-01T12:00:00.123456789Z");
        assert_eq!(of_text("1772366400123456789", near), Some(nanos));
        assert_eq!(of_number(3000.0), None);
        assert_eq!(of_number(f64::NAN), None);
    }
}
