//! The few-valued fields of a record that stand beside its template: the same text with a status
//! of 500 is not the same as with 200. A small value that is copied, never allocated.

use crate::model::level::Level;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::{Hash, Hasher};

/// What tells records of one template apart. All `None`: nothing but the template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facets {
    /// The severity that the record gives.
    #[serde(with = "level_word", skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// First digit of the status of an HTTP answer: 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_class: Option<u8>,
    /// How it ended, as a field says: `ok`, `timeout`, `denied`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<SmallText>,
    /// An error's code, as a field says: `ECONNREFUSED`, `23505`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<SmallText>,
}

impl Facets {
    /// Whether records like this tell of an error: level error or above, or a status of 5xx.
    pub fn is_error(&self) -> bool {
        self.level >= Some(Level::Error) || self.is_server_error()
    }

    /// Whether it is an HTTP answer of the server-error class.
    pub fn is_server_error(&self) -> bool {
        self.status_class == Some(5)
    }
}

impl Hash for Facets {
    /// One word for what nearly every record has, because every record is looked up.
    fn hash<H: Hasher>(&self, to: &mut H) {
        let level = self.level.map_or(0, |level| level as u64 + 1);
        let class = self.status_class.map_or(0, |class| u64::from(class) + 1);
        let length = |text: &Option<SmallText>| text.map_or(0, |text| u64::from(text.length));
        let lengths = length(&self.result) << 8 | length(&self.code);
        to.write_u64(level << 32 | class << 16 | lengths);
        for text in [&self.result, &self.code].into_iter().flatten() {
            text.hash(to);
        }
    }
}

impl fmt::Display for Facets {
    /// `error 5xx result=timeout code=E42`; nothing for no facets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.level.map(|level| level.word().to_owned()));
        parts.extend(self.status_class.map(|class| format!("{class}xx")));
        parts.extend(self.result.map(|text| format!("result={text}")));
        parts.extend(self.code.map(|text| format!("code={text}")));
        f.write_str(&parts.join(" "))
    }
}

/// Bytes that a [`SmallText`] holds.
const CAPACITY: usize = 24;
/// Of a text that is longer, bytes that are kept; a mark and six digits of its hash follow.
const KEPT: usize = CAPACITY - 7;

/// A text of at most 24 bytes, held in place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SmallText {
    /// UTF-8, then zeros.
    bytes: [u8; CAPACITY],
    length: u8,
}

impl SmallText {
    /// The text, without blanks at its ends. One that is too long is cut, and stays different
    /// from others with the same beginning by six digits of its hash. `None` for an empty one.
    pub fn new(text: &str) -> Option<SmallText> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if text.len() <= CAPACITY {
            return Some(SmallText::of(text.as_bytes(), &[]));
        }
        let kept = &text[..text.floor_char_boundary(KEPT)];
        let mut tail = *b"~000000";
        let mut hash = fold(text.as_bytes());
        for digit in tail.iter_mut().skip(1) {
            *digit = b"0123456789abcdef"[(hash & 15) as usize];
            hash >>= 4;
        }
        Some(SmallText::of(kept.as_bytes(), &tail))
    }

    /// `head` and `tail` are whole characters and fit together.
    fn of(head: &[u8], tail: &[u8]) -> SmallText {
        let mut bytes = [0; CAPACITY];
        for (to, from) in bytes.iter_mut().zip(head.iter().chain(tail)) {
            *to = *from;
        }
        let length = (head.len() + tail.len()).min(CAPACITY) as u8;
        SmallText { bytes, length }
    }

    pub fn as_str(&self) -> &str {
        let text = self.bytes.get(..usize::from(self.length));
        text.and_then(|text| std::str::from_utf8(text).ok())
            .unwrap_or_default()
    }
}

/// FNV-1a: the same on every host and in every version, as exported state needs.
fn fold(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl Hash for SmallText {
    /// Three words; the length follows from the zeros at the end.
    fn hash<H: Hasher>(&self, to: &mut H) {
        let (words, _) = self.bytes.as_chunks::<8>();
        for word in words {
            to.write_u64(u64::from_le_bytes(*word));
        }
    }
}

impl fmt::Debug for SmallText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for SmallText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<SmallText> for String {
    fn from(text: SmallText) -> String {
        text.as_str().to_owned()
    }
}

impl TryFrom<String> for SmallText {
    type Error = &'static str;

    fn try_from(text: String) -> Result<SmallText, Self::Error> {
        SmallText::new(&text).ok_or("an empty text is no facet")
    }
}

/// Levels in stored facets: their word.
mod level_word {
    use super::Level;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(level: &Option<Level>, to: S) -> Result<S::Ok, S::Error> {
        level.map(Level::word).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Level>, D::Error> {
        let word = Option::<String>::deserialize(from)?;
        Ok(word.and_then(|word| Level::from_word(&word)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bounded_and_stay_apart() {
        assert_eq!(SmallText::new(" ok ").unwrap().as_str(), "ok");
        assert_eq!(SmallText::new("  "), None);
        let full = "abcdefghijklmnopqrstuvwx";
        assert_eq!(SmallText::new(full).unwrap().as_str(), full);
        let long = SmallText::new("ERR_MODULE_RESOLUTION_FAILED_A").unwrap();
        let other = SmallText::new("ERR_MODULE_RESOLUTION_FAILED_B").unwrap();
        assert!(long.as_str().starts_with("ERR_MODULE_RESOLU~"), "{long}");
        assert!(long.as_str().len() <= CAPACITY);
        assert_ne!(long, other);
        let wide = SmallText::new(&"é".repeat(40)).unwrap();
        assert!(wide.as_str().starts_with("éééééééé~"), "{wide}");
    }

    #[test]
    fn facets_are_read_as_they_are_written() {
        let facets = Facets {
            level: Some(Level::Error),
            status_class: Some(5),
            result: SmallText::new("timeout"),
            code: None,
        };
        let json = serde_json::to_string(&facets).unwrap();
        assert_eq!(
            json,
            r#"{"level":"error","status_class":5,"result":"timeout"}"#
        );
        assert_eq!(serde_json::from_str::<Facets>(&json).unwrap(), facets);
        assert_eq!(facets.to_string(), "error 5xx result=timeout");
        assert!(facets.is_error());
        assert!(!Facets::default().is_error());
        let empty: Facets = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, Facets::default());
    }
}
