//! A text redacted as a whole and given back line by line, so that source keeps its numbers: a
//! key over many lines is seen as one, and its lines are gone. Not here: what is replaced.

use crate::redact::redacted::Redacted;
use crate::redact::scope::{Breaks, Scope};

impl Scope {
    /// Each line of the text, without its end; `None` where a value that began in a line before
    /// reaches over it. As many as the text has.
    pub fn lines(&mut self, text: &str) -> Vec<Option<Redacted>> {
        let whole = self.through(text, Breaks::Kept);
        // By the same end for both: where the last lines are gone, only their ends are left.
        let ends = text.ends_with('\n');
        let was: Vec<&str> = lines(text, ends);
        let is: Vec<&str> = lines(whole.as_str(), ends);
        if is.len() != was.len() {
            // It was withheld: the first line says so.
            let mut out = vec![None; was.len()];
            if let Some(first) = out.first_mut() {
                *first = Some(whole);
            }
            return out;
        }
        was.into_iter()
            .zip(is)
            .map(|(was, is)| {
                let gone = is.is_empty() && !was.is_empty();
                (!gone).then(|| Redacted::new(is.to_owned()))
            })
            .collect()
    }
}

fn lines(text: &str, ends: bool) -> Vec<&str> {
    text.strip_suffix('\n')
        .filter(|_| ends)
        .unwrap_or(text)
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::redact::{Redactor, Settings};
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<Option<String>> {
        let mut scope = Redactor::new(&Settings::default()).unwrap().scope();
        let lines = scope.lines(text);
        lines
            .into_iter()
            .map(|line| line.map(|line| line.as_str().to_owned()))
            .collect()
    }

    #[test]
    fn a_key_over_many_lines_is_gone_and_the_rest_keeps_its_numbers() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn\n/ygWyF8PbnGy0AHB7MaTIj\n-----END RSA PRIVATE KEY-----";
        let text = format!("a = 1\r\nKEY = \"\"\"{key}\"\"\"\n\nb = 2\n");
        let lines = shown(&text);
        assert_eq!(lines.len(), 7, "{lines:?}");
        assert_eq!(lines[0].as_deref(), Some("a = 1"));
        assert!(lines[1].as_deref().unwrap().contains("-1]"), "{lines:?}");
        assert_eq!(lines[5].as_deref(), Some(""));
        assert_eq!(lines[6].as_deref(), Some("b = 2"));
        assert!(!format!("{lines:?}").contains("MII"));
        assert_eq!(lines[2], None);
    }

    #[test]
    fn a_key_at_the_end_takes_no_other_line_with_it() {
        let key = "-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA0Z3VS5\n-----END PRIVATE KEY-----";
        for end in ["", "\n"] {
            let lines = shown(&format!("a = 1\n{key}{end}"));
            assert_eq!(lines.len(), 4, "{lines:?}");
            assert_eq!(lines[0].as_deref(), Some("a = 1"));
            assert!(lines[1].as_deref().unwrap().ends_with("-1]"), "{lines:?}");
            assert_eq!(lines[2..], [None, None]);
        }
    }

    #[test]
    fn what_is_withheld_says_so_once() {
        let lines = shown(&"-----BEGIN PRIVATE KEY----- \n".repeat(20_000));
        assert_eq!(lines.len(), 20_000);
        let said: Vec<_> = lines.iter().flatten().collect();
        assert!(said.len() <= 1 || said.iter().all(|l| !l.contains("BEGIN")));
    }

    proptest! {
        #[test]
        fn there_are_as_many_lines_as_the_text_has(text in "[a-z=@:'\" \\-\r\n]{0,200}") {
            let count = text.strip_suffix('\n').unwrap_or(&text).split('\n').count();
            prop_assert_eq!(shown(&text).len(), count);
        }
    }
}
