//! A template as a filter for Fluent Bit that drops its lines: the block to paste, in the classic
//! form. Not here: whether lines should be dropped.
//!
//! Fluent Bit matches with Onigmo in Ruby's syntax. Its classic form cuts blanks at the ends of
//! a value, splits it at the first blank after the key, and puts variables in for `${NAME}`: so
//! an expression here begins with `\A`, holds no blank (`[\x20\t]+` stands for them) and no `${`.
//! `^` and `$` would match at every line of a text. What varies stands for one value: a text that
//! is not certainly of the template passes, because a line too many harms nobody.

use std::fmt::Write as _;

/// Letters and digits that a template must have beside what varies; less would match too much.
const LEAST_CONSTANT: usize = 4;
/// Longer expressions are not made.
const LONGEST: usize = 4_096;
const VARIES: &str = "<*>";

/// Where a line's text stands in its record.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// A key of the record; a dotted path where maps are nested.
    pub key: &'a str,
    /// The key inside, where the value is JSON in a text.
    pub inner: Option<&'a str>,
}

/// One `Exclude` line's key and expression. `None` where the template says too little, or its
/// key cannot be written.
pub fn exclude(template: &str, at: Key<'_>) -> Option<String> {
    let constant: usize = template
        .split(VARIES)
        .flat_map(str::chars)
        .filter(|c| c.is_alphanumeric())
        .count();
    if constant < LEAST_CONSTANT {
        return None;
    }
    let expression = match at.inner {
        None => format!(r"\A\s*{}\s*\z", expression(template.trim(), false)),
        Some(inner) => {
            let inner = inner.rsplit('.').next().unwrap_or(inner);
            // Anchored by the quotes of the text.
            format!(
                r#"\A\s*\{{.*"{}"\s*:\s*"\s*{}\s*(\\n)?""#,
                escaped(inner),
                expression(template.trim(), true)
            )
        }
    };
    let key = accessor(at.key)?;
    (expression.len() <= LONGEST).then(|| format!("{key} {expression}"))
}

/// A block with these `Exclude` lines.
pub fn block(excludes: &[String]) -> String {
    let mut text = String::from("[FILTER]\n    Name     grep\n    Match    *\n");
    for exclude in excludes {
        let _ = writeln!(text, "    Exclude  {exclude}");
    }
    text
}

/// `log`, or `$kubernetes['labels']['app']` for a path.
fn accessor(path: &str) -> Option<String> {
    let plain = |part: &str| {
        let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '@' | '/');
        !part.is_empty() && part.chars().all(fit)
    };
    let mut parts = path.split('.');
    let first = parts.next().filter(|part| plain(part))?;
    let mut text = first.to_owned();
    for part in parts {
        let _ = write!(text, "['{}']", Some(part).filter(|part| plain(part))?);
    }
    Some(if text == first {
        text
    } else {
        format!("${text}")
    })
}

/// The text of a template as an expression; `in_json`: as it stands inside a JSON text.
fn expression(template: &str, in_json: bool) -> String {
    let mut parts = Vec::new();
    for constant in template.split(VARIES) {
        parts.push(constant_part(constant, in_json));
    }
    let value = if in_json { JSON_VALUE } else { VALUE };
    parts.join(value)
}

/// One value: a text in quotes, or what has no blank, and its unit; then others of a list, each in
/// quotes or with a digit or a path's sign in it. Words of a sentence are none.
const VALUE: &str = concat!(
    r#"(?:"[^"\r\n]*"|'[^'\r\n]*'|[^\s]*(?:[\x20](?:[KMGTP]?i?B|[num]?s|secs?|mins?|hrs|Hz))?)"#,
    r#"(?:[\x20\t]+(?:"[^"\r\n]*"|[^\s]*[0-9\\\/@][^\s]*))*"#,
);
/// The same inside a JSON text, whose end it does not pass.
const JSON_VALUE: &str = concat!(
    r#"(?:\\"[^"]*\\"|'[^'"]*'|[^\s"]*(?:[\x20](?:[KMGTP]?i?B|[num]?s|secs?|mins?|hrs|Hz))?)"#,
    r#"(?:[\x20\t]+(?:\\"[^"]*\\"|[^\s"]*[0-9\\\/@][^\s"]*))*"#,
);

fn constant_part(constant: &str, in_json: bool) -> String {
    let mut text = String::new();
    let mut blank = false;
    for c in constant.chars() {
        if c.is_whitespace() {
            blank = true;
            continue;
        }
        if std::mem::take(&mut blank) {
            text.push_str(if in_json {
                r"([\x20\t]|\\t)+"
            } else {
                r"[\x20\t]+"
            });
        }
        match c {
            '"' if in_json => text.push_str(r#"\\""#),
            '\\' if in_json => text.push_str(r"\\\\"),
            '/' if in_json => text.push_str(r"\\?/"),
            // JSON may write it in several ways.
            c if in_json && !c.is_ascii() => text.push_str(".*?"),
            c => push_escaped(&mut text, c),
        }
    }
    if blank {
        text.push_str(if in_json {
            r"([\x20\t]|\\t)+"
        } else {
            r"[\x20\t]+"
        });
    }
    text
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    text.chars().for_each(|c| push_escaped(&mut out, c));
    out
}

fn push_escaped(text: &mut String, c: char) {
    match c {
        c if c.is_ascii_alphanumeric() => text.push(c),
        // Nothing that ends a line or a block of the configuration gets through.
        c if c.is_control() => text.push('.'),
        c if c.is_whitespace() => text.push_str(r"\s"),
        '_' | ',' | ':' | ';' | '=' | '<' | '>' | '@' | '%' | '~' | '!' | '\'' | '"' | '`' => {
            text.push(c);
        }
        c if c.is_ascii() => {
            text.push('\\');
            text.push(c);
        }
        // Direction marks and the like are not pasted.
        c if c.is_alphanumeric() => text.push(c),
        _ => text.push_str(".*?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const B: &str = r"[\x20\t]+";
    const J: &str = r"([\x20\t]|\\t)+";

    const LOG: Key<'_> = Key {
        key: "log",
        inner: None,
    };

    #[test]
    fn constants_are_escaped_and_ends_are_anchored() {
        assert_eq!(
            exclude("GET /health [<*>] took <*> ms (ok)", LOG).unwrap(),
            format!(r"log \A\s*GET{B}\/health{B}\[{VALUE}\]{B}took{B}{VALUE}{B}ms{B}\(ok\)\s*\z")
        );
        assert_eq!(
            exclude("cost ${HOME} #1\n[FILTER]", LOG).unwrap(),
            format!(r"log \A\s*cost{B}\$\{{HOME\}}{B}\#1{B}\[FILTER\]\s*\z")
        );
    }

    #[test]
    fn what_says_too_little_makes_no_filter() {
        assert_eq!(exclude("<*> <*> ok", LOG), None);
        assert_eq!(exclude("", LOG), None);
        assert_eq!(exclude(&"word ".repeat(2_000), LOG), None);
        let odd = Key {
            key: "lo g",
            inner: None,
        };
        assert_eq!(exclude("plain words", odd), None);
    }

    #[test]
    fn nested_keys_and_json_texts() {
        let nested = Key {
            key: "data.message",
            inner: None,
        };
        let made = exclude("plain words", nested).unwrap();
        assert_eq!(made, format!(r"$data['message'] \A\s*plain{B}words\s*\z"));
        let json = Key {
            key: "log",
            inner: Some("msg"),
        };
        let made = exclude(r#"said "hi" <*>"#, json).unwrap();
        assert_eq!(
            made,
            format!(r#"log \A\s*\{{.*"msg"\s*:\s*"\s*said{J}\\"hi\\"{J}{JSON_VALUE}\s*(\\n)?""#)
        );
    }
}
