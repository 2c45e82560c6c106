//! The severity of a record, in the names and numbers that loggers use.

/// Severity, ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

impl Level {
    /// The words that nearly all loggers write, as they write them; every record is asked.
    #[inline]
    pub fn from_usual(word: &[u8]) -> Option<Level> {
        match word {
            b"info" | b"INFO" => Some(Level::Info),
            b"debug" | b"DEBUG" => Some(Level::Debug),
            b"warn" | b"WARN" | b"warning" | b"WARNING" => Some(Level::Warn),
            b"error" | b"ERROR" => Some(Level::Error),
            _ => None,
        }
    }

    /// From a logger's word (`ERROR`, `warn`, `critical`, `E`, …), any case.
    pub fn from_word(word: &str) -> Option<Level> {
        if let Some(level) = Level::from_usual(word.as_bytes()) {
            return Some(level);
        }
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let mut lower = [0u8; 12];
        let bytes = word.as_bytes();
        if bytes.is_empty() || bytes.len() > lower.len() {
            return None;
        }
        for (to, from) in lower.iter_mut().zip(bytes) {
            *to = from.to_ascii_lowercase();
        }
        match &lower[..bytes.len()] {
            b"trace" | b"finest" | b"finer" | b"verbose" => Some(Level::Trace),
            b"debug" | b"dbug" | b"dbg" | b"fine" | b"d" => Some(Level::Debug),
            b"info" | b"information" | b"notice" | b"i" | b"config" => Some(Level::Info),
            b"warn" | b"warning" | b"w" | b"wrn" => Some(Level::Warn),
            b"error" | b"err" | b"eror" | b"severe" | b"e" | b"failure" => Some(Level::Error),
            b"fatal" | b"crit" | b"critical" | b"panic" | b"emerg" | b"emergency" | b"alert"
            | b"f" | b"dpanic" => Some(Level::Fatal),
            _ => None,
        }
    }

    /// From pino and bunyan numbers (10 to 60).
    pub fn from_pino(number: i64) -> Option<Level> {
        match number {
            10 => Some(Level::Trace),
            20 => Some(Level::Debug),
            30 => Some(Level::Info),
            40 => Some(Level::Warn),
            50 => Some(Level::Error),
            60 => Some(Level::Fatal),
            _ => None,
        }
    }

    /// From syslog and journald priorities (0 emergency to 7 debug).
    pub fn from_syslog(priority: i64) -> Option<Level> {
        match priority {
            0..=2 => Some(Level::Fatal),
            3 => Some(Level::Error),
            4 => Some(Level::Warn),
            5 | 6 => Some(Level::Info),
            7 => Some(Level::Debug),
            _ => None,
        }
    }

    /// From OpenTelemetry severity numbers (1 to 24).
    pub fn from_otlp(number: i64) -> Option<Level> {
        match number {
            1..=4 => Some(Level::Trace),
            5..=8 => Some(Level::Debug),
            9..=12 => Some(Level::Info),
            13..=16 => Some(Level::Warn),
            17..=20 => Some(Level::Error),
            21..=24 => Some(Level::Fatal),
            _ => None,
        }
    }

    /// The lower-case word, as matches and reports write it.
    pub const fn word(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
            Level::Fatal => "fatal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_many_loggers() {
        for (word, level) in [
            ("[ERROR]", Level::Error),
            ("Warning:", Level::Warn),
            ("CRITICAL", Level::Fatal),
            ("notice", Level::Info),
        ] {
            assert_eq!(Level::from_word(word), Some(level), "{word}");
        }
        assert_eq!(Level::from_word("errors"), None);
        assert_eq!(Level::from_word(""), None);
        assert_eq!(Level::from_word(&"x".repeat(99)), None);
    }
}
