//! Redacted text as it stands among words of our own: in quotes that it cannot close, on one
//! line, cut with a mark. Nothing here brings back what was replaced.

use crate::redact::redacted::Redacted;

/// The mark of a cut.
const CUT: char = '…';

impl Redacted {
    /// Between quotes. Quotes, backslashes and everything that is not seen as it is written are
    /// escaped; words longer than `word` bytes and texts longer than `most` are cut with a mark.
    pub fn quoted(&self, most: usize, word: usize) -> Redacted {
        let mut out = String::from("\"");
        write(&mut out, self.as_str(), most, word, |c| {
            matches!(c, '"' | '\\')
        });
        out.push('"');
        Redacted::new(out)
    }

    /// Without quotes, for names: signs that could end one are left out.
    pub fn plain(&self, most: usize, word: usize) -> Redacted {
        let kept: String = self.as_str().chars().filter(|c| is_of_name(*c)).collect();
        let mut out = String::new();
        write(&mut out, &kept, most, word, |_| false);
        Redacted::new(out)
    }

    /// As it is, on one line: what is not drawn, or would end the line, is shown by its number
    /// (`<U+202E>`); tabs stay. Beyond so many bytes it is cut with a mark.
    pub fn on_line(&self, most: usize) -> Redacted {
        let mut out = String::with_capacity(self.len());
        for c in self.as_str().chars() {
            if out.len() + c.len_utf8() > most {
                out.push(CUT);
                break;
            }
            match c {
                '\t' | ' ' => out.push(c),
                c if is_unseen(c) => out.push_str(&format!("<U+{:04X}>", u32::from(c))),
                c => out.push(c),
            }
        }
        Redacted::new(out)
    }

    /// What stands behind the first `mark`; all, where there is none.
    pub fn after(&self, mark: &str) -> Redacted {
        let text = self.as_str();
        let behind = text.split_once(mark).map_or(text, |(_, behind)| behind);
        Redacted::new(behind.to_owned())
    }
}

fn write(out: &mut String, text: &str, most: usize, word: usize, escaped: impl Fn(char) -> bool) {
    let start = out.len();
    let mut run = 0;
    for c in text.chars() {
        if out.len() - start + c.len_utf8() > most {
            out.push(CUT);
            return;
        }
        run = if c.is_whitespace() {
            0
        } else {
            run + c.len_utf8()
        };
        if run > word {
            // The mark once, and nothing more of that word.
            if run - c.len_utf8() <= word {
                out.push(CUT);
            }
            continue;
        }
        if escaped(c) {
            out.push('\\');
            out.push(c);
        } else if c == ' ' || !is_unseen(c) {
            out.push(c);
        } else {
            out.push(' ');
        }
    }
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-' | '=' | '[' | ']' | '~' | '/')
}

/// Control characters and those that change the direction or are not drawn at all: a reader would
/// not see what a model reads.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use crate::redact::{Redacted, Redactor, Settings};

    fn redacted(text: &str) -> Redacted {
        let redactor = Redactor::new(&Settings::default()).unwrap();
        redactor.scope().text(text)
    }

    #[test]
    fn a_text_stays_between_its_quotes_on_its_line() {
        let text = redacted("say \"hi\"\\ \n\u{1b}[0m \u{202e}x\u{200b}y");
        assert_eq!(
            text.quoted(99, 99).as_str(),
            "\"say \\\"hi\\\"\\\\   [0m  x y\""
        );
        assert_eq!(
            redacted("a\nb\",c: d_e.f").plain(99, 99).as_str(),
            "abc d_e.f"
        );
    }

    #[test]
    fn a_line_of_code_stays_as_it_is_and_one_line() {
        let code = redacted("\tif a == \"x\\n\" { return 'é' }");
        assert_eq!(code.on_line(99), code);
        let text = redacted("a\nb\r\u{2028}c\u{202e}d\u{200b}\u{85}");
        let shown = text.on_line(99);
        assert_eq!(
            shown.as_str(),
            "a<U+000A>b<U+000D><U+2028>c<U+202E>d<U+200B><U+0085>"
        );
        assert_eq!(redacted("éé").on_line(3).as_str(), "é…");
    }

    #[test]
    fn cuts_are_marked_and_end_between_letters() {
        let text = redacted("abc ééééé z");
        assert_eq!(text.quoted(99, 4).as_str(), "\"abc éé… z\"");
        assert_eq!(text.quoted(7, 99).as_str(), "\"abc é…\"");
        assert_eq!(redacted("k=v=w").after("=").as_str(), "v=w");
    }
}
