//! Writing to people and programs: escaping of what must not reach a terminal raw, colour, JSON
//! Lines, and a standard output that may be closed at any time.

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// Bold.
pub(super) const STRONG: Style = Style::new().bold();
/// For faults.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
/// For warnings.
pub(super) const ODD: Style = AnsiColor::Yellow.on_default();
/// For what is good.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();

/// Standard output.
pub(super) struct Out {
    to: io::StdoutLock<'static>,
    colour: bool,
    failed: Option<io::Error>,
}

impl Out {
    pub(super) fn new() -> Out {
        let to = io::stdout().lock();
        Out {
            colour: to.is_terminal() && !crate::config::environment::no_color(),
            to,
            failed: None,
        }
    }

    /// One line. What came from a log, a model or a file must have passed [`safe`].
    pub(super) fn line(&mut self, line: &str) {
        self.write(|to| writeln!(to, "{line}"));
    }

    /// Text with its own line ends.
    pub(super) fn text(&mut self, text: &str) {
        self.write(|to| to.write_all(text.as_bytes()));
    }

    /// One line of JSON.
    pub(super) fn json(&mut self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(text) => self.line(&json_safe(&text)),
            Err(error) => self.failed = self.failed.take().or(Some(error.into())),
        }
    }

    /// Text in a style, where there is colour.
    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        if self.colour {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// Whether nobody reads any more, or nothing can be written.
    pub(super) fn is_closed(&self) -> bool {
        self.failed.is_some()
    }

    /// Whether everything was written. A reader that went away is no failure.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.write(Write::flush);
        match self.failed {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut io::StdoutLock<'static>) -> io::Result<()>) {
        if self.failed.is_none() {
            self.failed = write(&mut self.to).err();
        }
    }
}

/// A complaint on standard error, each line begun with the program's name.
pub(super) fn complain(what: &str) {
    let mut to = io::stderr().lock();
    for line in what.lines() {
        let start = if line.is_empty() { "" } else { "autofix: " };
        // Nobody is left to tell where standard error is closed.
        let _ = writeln!(to, "{start}{}", safe(line));
    }
}

/// Text of a log, a model or a file as one line that a terminal may see: control characters,
/// line ends among them, and signs that turn the direction of text are written as escapes.
pub(super) fn safe(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) {
            clean.extend(c.escape_default());
        } else {
            clean.push(c);
        }
    }
    Cow::Owned(clean)
}

/// JSON escapes only some of them by itself. They stand inside strings, never between.
pub(super) fn json_safe(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) {
            // Writing to a String cannot fail; all of these are below U+10000.
            let _ = write!(clean, "\\u{:04x}", u32::from(c));
        } else {
            clean.push(c);
        }
    }
    Cow::Owned(clean)
}

fn is_harmful(c: char) -> bool {
    let control = c.is_control() && c != '\t';
    control
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}'
        )
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_harmful_reaches_the_terminal() {
        let hostile = "a\u{1b}]0;x\u{7}\r\n\u{9b}31m\u{202e}\u{7f}\tb é 漢";
        let shown = safe(hostile);
        assert!(!shown.chars().any(is_harmful), "{shown:?}");
        assert!(
            shown.contains("\\u{1b}") && shown.ends_with("\tb é 漢"),
            "{shown}"
        );
        assert!(matches!(safe("plain é"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_stays_the_same_text() {
        let hostile = "\u{1b}[31m\u{9b}\u{202e}\u{7f}é";
        let text = serde_json::to_string(hostile).unwrap();
        let shown = json_safe(&text);
        assert!(!shown.chars().any(is_harmful), "{shown:?}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), hostile);
    }
}
