//! Numbers by which states know people. By form and checksum where these say enough, else only
//! where what stands before names them.

use crate::redact::checksum::{luhn, mod_11_10, remainder, verhoeff, weighted};
use crate::redact::class::Class;
use crate::redact::cursor::{Text, alnum};
use crate::redact::numbers::Number;
use crate::redact::redactor::Search;

type Range = (usize, usize);

/// Bytes before a number in which its name is looked for.
const NEAR: usize = 48;

/// A number of digits only, perhaps with letters beside its groups.
pub(super) fn is_one(text: Text<'_>, number: &Number) -> Option<Range> {
    let context = text.context(number.from, NEAR);
    let has = |words: &[&str]| words.iter().any(|word| names(&context, word));
    let range = (number.from, number.to);
    let d = number.digits.as_slice();
    let lengths = number.lengths.as_slice();
    if let Some(range) = british_in_groups(text, number) {
        return Some(range);
    }
    let is = match (d.len(), lengths) {
        (9, [3, 2, 4]) => {
            social_security(d)
                && (number.parted_by(b"-") || number.parted_by(b" ") && has(&["ssn", "social"]))
        }
        (9, [9]) if has(&["ssn", "social sec"]) => social_security(d),
        (8 | 9, [8 | 9]) if has(&["bsn", "burgerservice"]) => dutch(d),
        (9, [9] | [4, 2, 3]) if has(&["bsn", "burgerservice"]) => dutch(d),
        (9, [3, 3, 3] | [9]) if has(&["sin", "social insurance"]) && luhn(d) => true,
        (8 | 9, [3, 3, 3] | [8 | 9]) if has(&["tfn", "tax file"]) => {
            weighted(d, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
        }
        (9, [9] | [3, 3, 3]) if has(&["nif", "contribuinte"]) => true,
        (10, [3, 3, 4] | [10]) if has(&["nhs"]) => british_health(d),
        (10, [6, 4] | [10]) if has(&["cpr", "personnummer", "personal id", "personal_id"]) => true,
        (12, [8, 4] | [12]) if has(&["personnummer", "personal number"]) => luhn(d.get(2..)?),
        (11, [11] | [2, 3, 3, 3]) if german(d) && number.parted_by(b" ") => {
            !has(&["trace", "offset", "timestamp"])
        }
        (11, [11]) if has(&["pesel"]) => {
            weighted(d, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
        }
        (11, [11] | [6, 5])
            if has(&[
                "fodselsnummer",
                "fødselsnummer",
                "fnr",
                "tc kimlik",
                "tckn",
                "oib",
                "bsn",
            ]) =>
        {
            true
        }
        (11, [3, 3, 3, 2]) => number.signs == b"..-" && brazilian(d),
        (11, [11]) if has(&["cpf"]) => brazilian(d),
        (11, [2, 2, 2, 3, 2]) => number.signs == b"..-." && belgian(d),
        (11, [11] | [6, 3, 2]) if has(&["rijksregister", "national number", "niss", "nrn"]) => {
            belgian(d)
        }
        (12, [4, 4, 4]) => number.parted_by(b" -") && *d.first()? >= 2 && verhoeff(d),
        (12, [12]) if has(&["aadhaar", "aadhar", "uidai"]) => verhoeff(d),
        (12, [12]) if has(&["my number", "mynumber"]) => true,
        (13, [3, 4, 4, 2]) => {
            d.starts_with(&[7, 5, 6])
                && weighted(d, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
        }
        (13, [13]) if has(&["ahv", "avs", "sozialvers"]) => d.starts_with(&[7, 5, 6]),
        (13, [6, 7]) => number.parted_by(b"-") && dated(d) && matches!(d.get(6)?, 1..=4),
        (13, [13]) if has(&["id number", "id_number", "sa id"]) => luhn(d),
        (15, [15] | [1, 2, 2, 2, 3, 3, 2]) => number.parted_by(b" ") && french(d),
        (18, [18]) => chinese(d, None),
        _ => false,
    };
    is.then_some(range)
}

/// A run of letters and digits.
pub(super) fn word_at(search: &mut Search<'_>, start: usize, end: usize) -> bool {
    let text = search.text;
    if alnum(text.before(start)) {
        return false;
    }
    let word = text.slice(start, end);
    let upper = !word.bytes().any(|b| b.is_ascii_lowercase());
    let bytes = word.as_bytes();
    let apart = text.before(start) != b'-'
        && text.at(end) != b'_'
        && text.before(start) != b'/'
        && text.before(start) != b'.';
    let is = apart
        && match bytes.len() {
            9 if upper => british(word) || spanish(word),
            10 if upper => indian_tax(bytes),
            15 if upper => corsican(word),
            16 => italian(&word.to_ascii_uppercase()),
            18 if upper => mexican(bytes) || chinese_x(word),
            _ => false,
        };
    let is = is || apart && (6..=16).contains(&bytes.len()) && upper && named(text, start, word);
    if is {
        search.add(start, end, Class::NationalId);
    }
    is
}

/// Where a passport, a licence or an identity card is spoken of.
fn named(text: Text<'_>, start: usize, word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let context = text.context(start, 28);
    let known = [
        "passport",
        "ausweis",
        "driver_license",
        "driving licence",
        "driver's license",
        "national_id",
        "nino",
        "dni",
        "nie",
        "nif",
        "reisepass",
    ];
    digits >= 5 && known.iter().any(|name| names(&context, name))
}

/// Whether a text holds a name; a short one must be a word of its own.
pub(super) fn names(context: &str, name: &str) -> bool {
    let letter = |at: Option<usize>| {
        let byte = at.and_then(|at| context.as_bytes().get(at));
        byte.is_some_and(u8::is_ascii_alphabetic)
    };
    context.match_indices(name).any(|(at, _)| {
        name.len() > 4 || !letter(at.checked_sub(1)) && !letter(Some(at + name.len()))
    })
}

fn social_security(d: &[u32]) -> bool {
    let number = |from: usize, to: usize| {
        d.get(from..to)
            .unwrap_or_default()
            .iter()
            .fold(0, |n, d| n * 10 + d)
    };
    let area = number(0, 3);
    area != 0 && area != 666 && area < 900 && number(3, 5) != 0 && number(5, 9) != 0
}

fn dutch(d: &[u32]) -> bool {
    let padded: Vec<u32> = std::iter::repeat_n(0, 9 - d.len().min(9))
        .chain(d.iter().copied())
        .collect();
    let Some((last, head)) = padded.split_last() else {
        return false;
    };
    let sum = weighted(head, &[9, 8, 7, 6, 5, 4, 3, 2]);
    sum > 0 && sum % 11 == last % 11
}

fn british_health(d: &[u32]) -> bool {
    let sum = weighted(d, &[10, 9, 8, 7, 6, 5, 4, 3, 2]);
    d.last().is_some_and(|check| (11 - sum % 11) % 11 == *check)
}

/// Of its first ten digits one comes twice or thrice, the others once or not at all.
fn german(d: &[u32]) -> bool {
    let mut counts = [0_u32; 10];
    for digit in d.iter().take(10) {
        if let Some(count) = counts.get_mut(*digit as usize) {
            *count += 1;
        }
    }
    let repeated = counts.iter().filter(|count| **count > 1).count();
    let most = counts.iter().max().copied().unwrap_or(0);
    d.first() != Some(&0) && repeated == 1 && most <= 3 && mod_11_10(d)
}

fn brazilian(d: &[u32]) -> bool {
    let check = |count: usize| {
        let sum: u32 = d
            .iter()
            .take(count)
            .zip((2..=count as u32 + 1).rev())
            .map(|(d, w)| d * w)
            .sum();
        sum * 10 % 11 % 10
    };
    let same = d.iter().all(|digit| Some(digit) == d.first());
    !same && d.get(9) == Some(&check(9)) && d.get(10) == Some(&check(10))
}

fn belgian(d: &[u32]) -> bool {
    let (head, check) = (
        d.get(..9).unwrap_or_default(),
        d.get(9..).unwrap_or_default(),
    );
    let check = check.iter().fold(0, |n, d| n * 10 + d);
    let century = [&[2], head].concat();
    97 - remainder(head, 97) == check || 97 - remainder(&century, 97) == check
}

/// A date of two digits each for year, month and day begins it.
fn dated(d: &[u32]) -> bool {
    let two = |at: usize| d.get(at).unwrap_or(&9) * 10 + d.get(at + 1).unwrap_or(&9);
    (1..=12).contains(&two(2)) && (1..=31).contains(&two(4))
}

/// Sex, year, month, place, order, and 97 less the remainder.
fn french(d: &[u32]) -> bool {
    let month = d.get(3).unwrap_or(&9) * 10 + d.get(4).unwrap_or(&9);
    let check = d.get(13).unwrap_or(&9) * 10 + d.get(14).unwrap_or(&9);
    matches!(d.first(), Some(1 | 2))
        && (matches!(month, 1..=12 | 20 | 30..=42 | 50..))
        && 97 - remainder(d.get(..13).unwrap_or_default(), 97) == check
}

/// With Corsica's letters in the place.
fn corsican(word: &str) -> bool {
    let less = if word.get(5..7) == Some("2A") {
        1_000_000
    } else {
        2_000_000
    };
    let digits = word.replacen("2A", "20", 1).replacen("2B", "20", 1);
    let (Some(Ok(number)), Some(Ok(check))) = (
        digits.get(..13).map(str::parse::<u64>),
        digits.get(13..).map(str::parse::<u64>),
    ) else {
        return false;
    };
    matches!(word.get(5..7), Some("2A" | "2B"))
        && number > less
        && 97 - (number - less) % 97 == check
}

fn chinese(d: &[u32], last: Option<u32>) -> bool {
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let check = (12 - weighted(d, &weights) % 11) % 11;
    let year = d.get(6).unwrap_or(&0) * 10 + d.get(7).unwrap_or(&0);
    let given = last.or(d.get(17).copied());
    matches!(year, 19 | 20) && dated(d.get(8..).unwrap_or_default()) && Some(check) == given
}

fn chinese_x(word: &str) -> bool {
    let digits = word
        .strip_suffix('X')
        .and_then(crate::redact::checksum::digits);
    digits.is_some_and(|digits| chinese(&digits, Some(10)))
}

/// Two letters, six digits, A to D.
fn british(word: &str) -> bool {
    let bytes = word.as_bytes();
    let (Some(prefix), Some(digits), Some(last)) = (word.get(..2), bytes.get(2..8), bytes.get(8))
    else {
        return false;
    };
    british_prefix(prefix) && digits.iter().all(u8::is_ascii_digit) && matches!(last, b'A'..=b'D')
}

fn british_prefix(prefix: &str) -> bool {
    let bytes = prefix.as_bytes();
    let letters = bytes.iter().all(u8::is_ascii_uppercase);
    let [first, second] = bytes else {
        return false;
    };
    let never = ["BG", "GB", "NK", "KN", "TN", "NT", "ZZ"].contains(&prefix);
    // QQ is what examples have.
    let good = !b"DFIUV".contains(first) && !b"DFIOUV".contains(second) && !never;
    letters && good
}

/// `AB 12 34 56 C`, found by its digits.
fn british_in_groups(text: Text<'_>, number: &Number) -> Option<Range> {
    let sign = text.before(number.from);
    let start = number.from.checked_sub(3)?;
    let grouped =
        number.lengths == [2, 2, 2] && number.parted_by(b" -") && matches!(sign, b' ' | b'-');
    let letter = matches!(text.at(number.to), b' ' | b'-')
        && matches!(text.at(number.to + 1), b'A'..=b'D')
        && !alnum(text.at(number.to + 2));
    let prefix = british_prefix(text.slice(start, start + 2)) && !alnum(text.before(start));
    (grouped && letter && prefix).then_some((start, number.to + 2))
}

/// Eight digits, or one of X, Y, Z and seven, with a letter that is the remainder by 23.
fn spanish(word: &str) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let digits = match word.as_bytes().first() {
        Some(b'X') => word.replacen('X', "0", 1),
        Some(b'Y') => word.replacen('Y', "1", 1),
        Some(b'Z') => word.replacen('Z', "2", 1),
        _ => word.to_owned(),
    };
    let (Some(Ok(number)), Some(letter)) = (
        digits.get(..8).map(str::parse::<usize>),
        word.as_bytes().get(8),
    ) else {
        return false;
    };
    LETTERS.get(number % 23) == Some(letter)
}

/// Five letters, of which the fourth names the kind of owner, four digits, a letter.
fn indian_tax(bytes: &[u8]) -> bool {
    let is = |at: usize, letter: bool| {
        bytes.get(at).is_some_and(|b| {
            if letter {
                b.is_ascii_uppercase()
            } else {
                b.is_ascii_digit()
            }
        })
    };
    let form = (0..10).all(|at| is(at, !(5..9).contains(&at)));
    form && bytes.get(3).is_some_and(|b| b"PCHFATBLJG".contains(b))
}

/// Name, date and place of birth, a check letter.
fn italian(word: &str) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let bytes = word.as_bytes();
    let letters = [0, 1, 2, 3, 4, 5, 8, 11, 15];
    let form = bytes.iter().enumerate().all(|(at, b)| {
        let wanted = letters.contains(&at);
        // In names that clash letters stand for digits.
        if wanted {
            b.is_ascii_uppercase()
        } else {
            b.is_ascii_digit() || b"LMNPQRSTUV".contains(b)
        }
    });
    let index = |b: &u8| {
        usize::from(if b.is_ascii_digit() {
            b - b'0'
        } else {
            b.saturating_sub(b'A')
        })
    };
    let sum: u32 = bytes
        .iter()
        .take(15)
        .enumerate()
        .map(|(at, b)| match at % 2 {
            0 => ODD.get(index(b)).copied().unwrap_or(0),
            _ => index(b) as u32,
        })
        .sum();
    form && bytes
        .get(15)
        .is_some_and(|check| u32::from(check.saturating_sub(b'A')) == sum % 26)
}

fn mexican(bytes: &[u8]) -> bool {
    let upper = |from: usize, to: usize| {
        bytes
            .get(from..to)
            .is_some_and(|part| part.iter().all(u8::is_ascii_uppercase))
    };
    let digits = |from: usize, to: usize| {
        bytes
            .get(from..to)
            .is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    upper(0, 4)
        && digits(4, 10)
        && matches!(bytes.get(10), Some(b'H' | b'M' | b'X'))
        && upper(11, 16)
        && digits(17, 18)
}
