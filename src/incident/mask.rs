//! What stays of a text when everything that differs from one occurrence to the next is taken
//! out of it: numbers, ids, addresses, hosts, paths, quoted values. For fingerprints of signals
//! without frames. Not here: templates, which are learnt.

/// Characters looked at.
const LONGEST: usize = 1_000;

/// Words before a short number that makes faults differ: `status 137` is not `status 1`.
const TELLING: &[&str] = &["code", "status", "signal", "errno"];

/// The text with its values replaced by `<*>`; spaces folded, case kept.
pub fn mask(text: &str) -> String {
    let text: String = text.chars().take(LONGEST).collect();
    let text = without_quoted(&text);
    let mut out = String::with_capacity(text.len());
    let mut before = String::new();
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        let start = out.len();
        if TELLING.contains(&before.as_str()) && is_short_number(word) {
            out.push_str(word);
        } else {
            mask_word(word, &mut out);
        }
        // A list of values is one value, however long it is.
        if out.get(start..) == Some("<*>") && out.get(..start).is_some_and(|o| o.ends_with("<*> "))
        {
            out.truncate(start.saturating_sub(1));
        }
        before = bare(word).to_ascii_lowercase();
    }
    out
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

fn is_short_number(word: &str) -> bool {
    let digits = bare(word);
    !digits.is_empty() && digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Quoted values of any kind become one mark; an apostrophe inside a word opens nothing.
fn without_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut last = ' ';
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or_default();
        let close = matches!(c, '"' | '\'' | '`')
            .then(|| tail.find(c))
            .flatten();
        match close {
            Some(end) if !last.is_alphanumeric() => {
                out.push_str("<*>");
                rest = tail.get(end + c.len_utf8()..).unwrap_or_default();
                last = c;
            }
            _ => {
                out.push(c);
                rest = tail;
                last = c;
            }
        }
    }
    out
}

/// One word: masked whole when it is a value, else part by part.
fn mask_word(word: &str, out: &mut String) {
    if let Some((key, value)) = word.split_once('=').filter(|(key, _)| !is_value(key)) {
        out.push_str(key);
        out.push('=');
        out.push_str(if is_value(value) { "<*>" } else { value });
        return;
    }
    if is_value(word) {
        out.push_str("<*>");
        return;
    }
    for part in word.split_inclusive(|c: char| "=:,;()[]{}<>|".contains(c)) {
        let body = part.trim_end_matches(|c: char| "=:,;()[]{}<>|".contains(c));
        if is_value(body) {
            out.push_str("<*>");
        } else {
            out.push_str(body);
        }
        out.push_str(part.get(body.len()..).unwrap_or_default());
    }
}

/// Whether a word is a value: it holds a digit, or it is a path, an address or a host.
fn is_value(word: &str) -> bool {
    let word = word.trim_matches(|c: char| ".,;:!?()[]{}\"'".contains(c));
    if word.is_empty() {
        return false;
    }
    word.bytes().any(|b| b.is_ascii_digit())
        || word.contains('/')
        || word.contains('\\')
        || word.contains('@')
        || is_host(word)
        || is_hex(word)
}

/// At least three labels in lower case, as `db.prod.example` has; `os.path` stays.
fn is_host(word: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    word.split('.').count() >= 3 && word.split('.').all(label)
}

fn is_hex(word: &str) -> bool {
    word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_and_words_stay() {
        for (text, masked) in [
            (
                "timeout after 30s calling http://10.0.0.7:80/x?id=4",
                "timeout after <*> calling <*>",
            ),
            ("user 'ann' not found", "user <*> not found"),
            ("can't open file /tmp/a b", "can't open file <*> b"),
            ("order=991 state=open", "order=<*> state=open"),
            ("no host db.prod.example known", "no host <*> known"),
            ("ids 1, 2, 3 and 4", "ids <*> and <*>"),
            ("deadbeefcafe at 0x7ffd", "<*> at <*>"),
            ("module os.path missing", "module os.path missing"),
        ] {
            assert_eq!(mask(text), masked, "{text}");
        }
    }

    #[test]
    fn exit_statuses_stay_apart() {
        assert_ne!(mask("exited with code 137"), mask("exited with code 1"));
        assert_eq!(mask("worker 3 took 137"), mask("worker 4 took 1"));
    }

    #[test]
    fn hostile_text_is_bounded() {
        assert!(mask(&"a1 ".repeat(100_000)).len() < 2_000);
        assert_eq!(mask("'''"), "<*>'");
    }
}
