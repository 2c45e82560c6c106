//! Words of source lines: which names a statement uses, which names a change sets, and whether
//! a change is more than comment and form. Shapes only, no grammar; any of the languages.

use std::collections::HashSet;

/// Words that every program has.
const COMMON: &[&str] = &[
    "self",
    "this",
    "return",
    "if",
    "else",
    "elif",
    "for",
    "while",
    "in",
    "not",
    "and",
    "or",
    "is",
    "none",
    "null",
    "nil",
    "undefined",
    "true",
    "false",
    "new",
    "await",
    "async",
    "let",
    "const",
    "var",
    "val",
    "def",
    "fn",
    "func",
    "function",
    "class",
    "public",
    "private",
    "protected",
    "static",
    "final",
    "void",
    "int",
    "string",
    "str",
    "float",
    "bool",
    "boolean",
    "throw",
    "throws",
    "raise",
    "try",
    "except",
    "catch",
    "finally",
    "import",
    "from",
    "as",
    "with",
    "mut",
    "pub",
    "impl",
    "match",
    "case",
    "switch",
    "break",
    "continue",
    "len",
    "err",
    "error",
    "ok",
    "some",
    "print",
    "println",
    "log",
    "logger",
    "lambda",
    "yield",
    "pass",
    "do",
    "end",
    "then",
    "type",
    "struct",
    "enum",
    "interface",
    "package",
    "use",
    "mod",
    "crate",
    "super",
    "long",
    "double",
    "object",
    "unwrap",
    "expect",
    "clone",
];

/// The names in a text, without those that every program has.
pub(super) fn names(text: &str) -> HashSet<String> {
    code(text)
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
        .filter(|word| !COMMON.contains(&word.to_lowercase().as_str()))
        .map(str::to_owned)
        .collect()
}

/// The names that a line gives a value to: assignments, loops, parameters of a declaration.
pub(super) fn set_by(line: &str) -> HashSet<String> {
    let text = code(line);
    let text = text.trim();
    let mut set = HashSet::new();
    if let Some(left) = assigned(text) {
        set.extend(names(last_name(left)));
        if left.contains(',') {
            set.extend(names(left));
        }
    }
    if let Some(rest) = text.strip_prefix("for ") {
        let variables = rest.split(" in ").next().unwrap_or(rest);
        set.extend(names(
            variables.split([':', ';']).next().unwrap_or(variables),
        ));
    }
    if let Some((_, name)) = text.split_once(" as ") {
        set.extend(names(name));
    }
    let declares = ["def ", "fn ", "func ", "fun ", "function "]
        .iter()
        .any(|w| text.contains(w));
    if declares && let Some((_, parameters)) = text.split_once('(') {
        set.extend(names(parameters));
    }
    set
}

/// What stands left of an assignment.
fn assigned(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut depth = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'=' if depth <= 0 => {
                let before = at.checked_sub(1).and_then(|i| bytes.get(i));
                let after = bytes.get(at + 1);
                if matches!(after, Some(b'=' | b'>'))
                    || matches!(before, Some(b'=' | b'!' | b'<' | b'>'))
                {
                    return None;
                }
                return text
                    .get(..at)
                    .map(|left| left.trim_end_matches([':', '+', '-', '*', '/', '|', '&', '?']));
            }
            _ => {}
        }
    }
    None
}

/// `let x: T`, `final Foo x`, `self.x`, `a[0]` → the name that is set.
fn last_name(left: &str) -> &str {
    let left = left.split(['[', '(']).next().unwrap_or(left);
    // `x: T` in Python, Rust and TypeScript names the type last, `T x` in Java first.
    let left = left.split_once(':').map_or(left, |(name, _)| name).trim();
    left.rsplit([' ', '.']).next().unwrap_or(left)
}

/// Whether a line decides which way the program goes.
pub(super) fn decides(line: &str) -> bool {
    let text = code(line);
    let words = [
        "if", "elif", "else", "return", "raise", "throw", "try", "except", "catch", "assert",
        "continue", "break", "unless", "guard", "match", "switch", "case", "panic", "finally",
        "rescue",
    ];
    text.contains('?')
        || text
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .any(|word| words.contains(&word))
}

/// Whether the lines hold anything but comments, imports and blank lines.
pub(super) fn is_code(lines: &[String]) -> bool {
    lines.iter().any(|line| {
        let text = code(line);
        let text = text.trim();
        let import = ["import ", "from ", "use ", "package ", "#include"]
            .iter()
            .any(|w| text.starts_with(w));
        !text.is_empty()
            && !import
            && !text.starts_with(['*', '@'])
            && text.chars().any(char::is_alphanumeric)
    })
}

/// Whether the lines only speak to a log.
pub(super) fn only_logs(lines: &[String]) -> bool {
    let logs = |line: &String| {
        let text = line.trim().to_lowercase();
        [
            "log.",
            "logger.",
            "logging.",
            "console.",
            "print",
            "slog.",
            "tracing::",
            "info!",
            "debug!",
            "warn!",
            "error!",
            "trace!",
            "fmt.print",
            "system.out.",
            "_log.",
        ]
        .iter()
        .any(|word| text.starts_with(word))
    };
    !lines.is_empty()
        && lines
            .iter()
            .all(|line| line.trim().is_empty() || logs(line))
}

/// A line without its comment.
pub(super) fn code(line: &str) -> String {
    let text = line.trim_start();
    if text.starts_with(['#', '*']) && !text.starts_with("#[")
        || text.starts_with("//")
        || text.starts_with("/*")
    {
        return String::new();
    }
    for mark in [" #", " //", "\t//"] {
        if let Some(at) = line.find(mark)
            && line[..at]
                .matches(['"', '\'', '`'])
                .count()
                .is_multiple_of(2)
        {
            return line[..at].to_owned();
        }
    }
    line.to_owned()
}

/// The call of a function in a text, with what it is called on and its arguments, without spaces.
pub(super) fn call_of(name: &str, text: &str) -> Option<String> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let opens = format!("{name}(");
    let at = text
        .match_indices(&opens)
        .map(|(at, _)| at)
        .find(|at| !text[..*at].ends_with(part))?;
    let on = text[..at].trim_end_matches(|c: char| part(c) || c == '.' || c == ':');
    let mut depth = 0;
    for (i, c) in text[at..].char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            let call = text.get(on.len()..=at + i)?;
            return Some(call.split_whitespace().collect());
        }
    }
    None
}

/// A text without comments and quoted text; what a template or f-string takes in stays.
pub(super) fn without_quotes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut last = '\n';
    while let Some(c) = rest.chars().next() {
        let long = ["\"\"\"", "'''"].into_iter().find(|q| rest.starts_with(q));
        let attribute = rest.starts_with("#[") || rest.starts_with("#include");
        let skip = match c {
            '#' if last.is_whitespace() && !attribute => to(rest, "\n").0,
            '/' if rest.starts_with("//") => to(rest, "\n").0,
            '/' if rest.starts_with("/*") => to(rest, "*/").1,
            '"' | '\'' if long.is_some() => {
                let end = to(&rest[3..], long.unwrap_or_default()).1;
                3 + end
            }
            '"' | '`' | '\'' => quoted(rest, c),
            _ => 0,
        };
        let Some(inside) = rest.get(..skip).filter(|_| skip > 0) else {
            out.push(c);
            last = c;
            rest = &rest[c.len_utf8()..];
            continue;
        };
        out.push(' ');
        let takes_in =
            c == '`' || (matches!(c, '"' | '\'') && matches!(last, 'f' | 'F' | '$' | 's'));
        if takes_in {
            for part in inside.split('{').skip(1) {
                out.push_str(part.split('}').next().unwrap_or_default());
                out.push(' ');
            }
        }
        last = ' ';
        rest = &rest[skip..];
    }
    out
}

/// Where a mark begins and ends, or the text's end.
fn to(text: &str, mark: &str) -> (usize, usize) {
    text.find(mark)
        .map_or((text.len(), text.len()), |at| (at, at + mark.len()))
}

/// The length of a quotation that begins a text; 0 where it is none, as a Rust lifetime.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' if quote != '`' => return 0,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    0
}

/// Words of an exception's message that can be names: quoted, or written like one.
pub(super) fn named_in(message: &str) -> HashSet<String> {
    message
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| word.len() >= 3 && word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
        .filter(|word| {
            let inside = word.chars().skip(1).any(char::is_uppercase);
            let quoted = ['\'', '"', '`']
                .iter()
                .any(|q| message.contains(&format!("{q}{word}{q}")));
            quoted || word.contains('_') || (inside && word.chars().any(char::is_lowercase))
        })
        .filter(|word| {
            !matches!(
                *word,
                "NoneType" | "object" | "str" | "int" | "list" | "dict"
            )
        })
        .take(40)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(set: HashSet<String>) -> Vec<String> {
        let mut all: Vec<String> = set.into_iter().collect();
        all.sort();
        all
    }

    #[test]
    fn names_that_a_line_sets() {
        for (line, set) in [
            ("    total = price * 2", vec!["total"]),
            ("final Cart cart = load(id);", vec!["cart"]),
            ("let mut rate: f64 = x;", vec!["rate"]),
            ("a, b := split(x)", vec!["a", "b"]),
            ("self.rates = {}", vec!["rates"]),
            ("for key, item in items:", vec!["item", "key"]),
            ("def f(self, order, rate=1):", vec!["order", "rate"]),
            ("if a == b:", vec![]),
            ("f(x=1)", vec![]),
            ("# total = 1", vec![]),
        ] {
            assert_eq!(sorted(set_by(line)), set, "{line}");
        }
    }

    #[test]
    fn comments_imports_and_logs_are_no_code() {
        let lines = |text: &str| vec![text.to_owned()];
        for text in ["# note", "// note", " * note", "import a", "", "}"] {
            assert!(!is_code(&lines(text)), "{text}");
        }
        assert!(is_code(&lines("x = 1  # note")));
        assert!(only_logs(&lines("log.info(\"x\")")));
        assert!(!only_logs(&lines("x = login()")));
        assert!(decides("if a is None:") && !decides("notify(a)"));
    }

    #[test]
    fn calls_are_compared_with_their_arguments() {
        let text = "who = shop.load(text, f(1)) + 1";
        assert_eq!(
            call_of("load", text).as_deref(),
            Some("shop.load(text,f(1))")
        );
        assert_eq!(call_of("load", "reload(x)"), None);
        assert_eq!(call_of("load", "load(x"), None);
    }

    #[test]
    fn messages_name_things() {
        assert_eq!(
            sorted(named_in("'rate' is not in user_map")),
            ["rate", "user_map"]
        );
        assert!(named_in("division by zero").is_empty());
    }
}
