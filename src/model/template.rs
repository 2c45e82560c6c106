//! The name of a message template: what a log line says apart from its varying parts.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Names one template of one service. It is given when the template's first line is read, is
/// made from that line, and never changes: hosts that saw the same first form agree on it.
/// Written as 12 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TemplateId(u64);

const BITS: u64 = 0xffff_ffff_ffff;

impl TemplateId {
    /// The low 48 bits count.
    pub const fn new(number: u64) -> TemplateId {
        TemplateId(number & BITS)
    }

    pub const fn number(self) -> u64 {
        self.0
    }

    /// Reads what [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<TemplateId> {
        let hex = text.len() == 12 && text.bytes().all(|b| b.is_ascii_hexdigit());
        u64::from_str_radix(text, 16)
            .ok()
            .filter(|_| hex)
            .map(TemplateId)
    }
}

impl fmt::Display for TemplateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

impl From<TemplateId> for String {
    fn from(id: TemplateId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for TemplateId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<TemplateId, Self::Error> {
        TemplateId::parse(&text).ok_or("a template id is 12 hexadecimal digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = TemplateId::new(0xffff_0000_00ab_cdef);
        assert_eq!(id.to_string(), "000000abcdef");
        assert_eq!(TemplateId::parse("000000abcdef"), Some(id));
        assert_eq!(TemplateId::parse("+00000abcdef"), None);
        assert_eq!(TemplateId::parse("abc"), None);
    }
}
