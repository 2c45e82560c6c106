//! Single values as people write them: durations, sizes, numbers, words. Knows no key.

use crate::registry::complaint::did_you_mean;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is wrong with a value, and the remedy.
pub(super) type Wrong = (String, String);

fn wrong<T>(what: String, remedy: impl Into<String>) -> Result<T, Wrong> {
    Err((what, remedy.into()))
}

fn shown(text: &str) -> String {
    text.chars()
        .take(64)
        .collect::<String>()
        .escape_debug()
        .to_string()
}

/// `30s`, `10m`, `24h`, `7d`, `500ms`.
pub(super) fn duration(text: &str) -> Result<Duration, Wrong> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_ms: Option<u64> = match unit.trim().to_ascii_lowercase().as_str() {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    };
    let number: Option<u64> = number.parse().ok();
    match number
        .zip(unit_ms)
        .and_then(|(number, unit)| number.checked_mul(unit))
    {
        Some(millis) => Ok(Duration::from_millis(millis)),
        None => wrong(
            format!("`{}` is no duration", shown(text)),
            "write a whole number and a unit: 30s, 10m, 24h",
        ),
    }
}

/// Bytes: `32M`, `64K`, `1G`, or a plain number. K, M and G count by 1024.
pub(super) fn size(text: &str) -> Result<u64, Wrong> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor: Option<u64> = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "k" | "kb" | "kib" => Some(1 << 10),
        "m" | "mb" | "mib" => Some(1 << 20),
        "g" | "gb" | "gib" => Some(1 << 30),
        _ => None,
    };
    let number: Option<u64> = number.parse().ok();
    match number
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor))
    {
        Some(bytes) => Ok(bytes),
        None => wrong(
            format!("`{}` is no size", shown(text)),
            "write a whole number and K, M or G: 32M",
        ),
    }
}

/// A whole number within bounds.
pub(super) fn number(text: &str, from: u64, to: u64) -> Result<u64, Wrong> {
    match text.trim().parse::<u64>() {
        Ok(number) if (from..=to).contains(&number) => Ok(number),
        _ => wrong(
            format!("`{}` is out of range", shown(text)),
            format!("write a whole number from {from} to {to}"),
        ),
    }
}

/// One of a few words, in any case.
pub(super) fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, Wrong> {
    let text = text.trim();
    let found = words
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(text));
    if let Some((_, meaning)) = found {
        return Ok(*meaning);
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    wrong(
        format!("`{}` is not one of its words", shown(text)),
        did_you_mean(text, &names),
    )
}

/// A switch.
pub(super) fn on_off(text: &str) -> Result<bool, Wrong> {
    word(
        text,
        &[
            ("on", true),
            ("off", false),
            ("true", true),
            ("false", false),
        ],
    )
}

/// A path from the root.
pub(super) fn absolute(text: &str) -> Result<PathBuf, Wrong> {
    let path = Path::new(text.trim());
    if path.is_absolute() && !text.contains('\0') {
        return Ok(path.to_owned());
    }
    wrong(
        format!("`{}` is a relative path", shown(text)),
        "write it from the root: the host may run in another folder",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes() {
        assert_eq!(duration("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(duration(" 10 M "), Ok(Duration::from_secs(600)));
        assert_eq!(size("32M"), Ok(32 << 20));
        assert_eq!(size("1gb"), Ok(1 << 30));
        assert_eq!(size("17"), Ok(17));
        for bad in [
            "",
            "24",
            "h",
            "-1s",
            "1.5h",
            "99999999999999999999h",
            "18446744073709551615h",
            "1é",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        for bad in ["", "M", "-1M", "1T", "18446744073709551615K", "é"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_in_any_case_with_a_suggestion() {
        let words = [("drop", 1), ("retry", 2)];
        assert_eq!(word("DROP", &words), Ok(1));
        assert!(word("rety", &words).unwrap_err().1.contains("`retry`"));
    }
}
