//! Functions in source text, found by shape and indentation: enough to tell whether a frame's
//! function is around its line. No grammar, any of the languages.

use std::ops::RangeInclusive;

/// A function that encloses a line. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclosing {
    pub lines: RangeInclusive<u32>,
    /// The line that begins it.
    pub header: String,
}

/// Lines that are looked at above a line for what encloses it.
const REACH: usize = 600;

/// The innermost function around a line, by indentation.
pub fn enclosing(lines: &[&str], line: u32) -> Option<Enclosing> {
    let at = usize::try_from(line).ok()?.checked_sub(1)?;
    let mut depth = indent(lines.get(at)?);
    if is_header(lines.get(at)?) || is_split_header(lines, at) {
        depth += 1;
    }
    let first = (at.saturating_sub(REACH)..=at).rev().find(|&i| {
        let Some(text) = lines.get(i).filter(|text| !text.trim().is_empty()) else {
            return false;
        };
        let here = indent(text);
        if here >= depth {
            return false;
        }
        // A closing bracket, or a brace in a line of its own, is no block of its own.
        if text.trim_start().starts_with([')', '}', ']']) || text.trim() == "{" {
            return false;
        }
        depth = here;
        is_header(text) || is_split_header(lines, i)
    })?;
    let header = lines.get(first)?;
    let margin = indent(header);
    let mut last = at;
    for (i, text) in lines.iter().enumerate().skip(first + 1) {
        if text.trim().is_empty() {
            continue;
        }
        let closes = text.trim_start().starts_with([')', '}', ']']);
        if indent(text) <= margin && i > at && !(closes && indent(text) == margin) {
            break;
        }
        last = last.max(i);
        if closes && indent(text) == margin && i > at && text.trim_start().starts_with('}') {
            break;
        }
    }
    let number = |i: usize| u32::try_from(i + 1).unwrap_or(u32::MAX);
    Some(Enclosing {
        lines: number(first)..=number(last),
        header: (*header).to_owned(),
    })
}

/// Columns of white space before the first character; a tab counts as four.
pub fn indent(line: &str) -> usize {
    line.chars()
        .take_while(|c| c.is_whitespace())
        .map(|c| if c == '\t' { 4 } else { 1 })
        .sum()
}

/// Whether a line looks like the beginning of a function.
pub(in crate::source) fn is_header(line: &str) -> bool {
    let text = line.trim();
    let words = |prefix: &str| {
        text.starts_with(prefix)
            || text
                .find(prefix)
                .is_some_and(|at| text[..at].ends_with(' '))
    };
    if [
        "def ",
        "defp ",
        "fn ",
        "func ",
        "fun ",
        "function ",
        "function* ",
    ]
    .iter()
    .any(|w| words(w))
    {
        return true;
    }
    let control = [
        "if",
        "for",
        "while",
        "switch",
        "catch",
        "else",
        "return",
        "match",
        "do",
        "try",
        "with",
        "elif",
        "except",
        "when",
        "synchronized",
        "select",
        "case",
    ];
    let first: String = text
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    if control.contains(&first.as_str()) || text.starts_with(['}', ')', ']', '.']) {
        return false;
    }
    // name = (…) => {     public X name(…) throws Y {     name(…) {
    if text.contains("=>") && (text.ends_with('{') || text.ends_with('(')) {
        return true;
    }
    let signature = text.find('(').is_some_and(|open| {
        let before = text[..open].trim_end();
        !before.contains('=')
            && before.ends_with(|c: char| c.is_alphanumeric() || "_$>".contains(c))
    });
    signature
        && (text.ends_with('{') || text.ends_with('(') || text.ends_with(','))
        && !text.ends_with(");")
        && looks_declared(text)
}

/// A signature whose body begins in a line of its own: `int total(int a)` before `{` or `throws`.
fn is_split_header(lines: &[&str], at: usize) -> bool {
    let Some(text) = lines.get(at).map(|text| text.trim()) else {
        return false;
    };
    let next = lines.get(at + 1).map_or("", |next| next.trim_start());
    text.ends_with(')')
        && ["{", "throws ", "where ", ": "]
            .iter()
            .any(|w| next.starts_with(w))
        && is_header(&format!("{text} {{"))
}

/// A call that runs over several lines also ends with `(`; a declaration has words before the
/// name or a body behind it.
fn looks_declared(text: &str) -> bool {
    let before = text.split('(').next().unwrap_or(text);
    text.ends_with('{') || (before.split_whitespace().count() > 1 && !before.contains('.'))
}

/// The bare name of a frame's function: `com.a.B$C.run` → `run`, `pkg.(*T).Do.func1` → `Do`.
/// `None` for functions without a name of their own.
pub fn bare_name(function: &str) -> Option<String> {
    let text = function.split(" [as ").next().unwrap_or(function).trim();
    let text = text.split(['[']).next().unwrap_or(text);
    let text = text.trim_start_matches("async ").trim_start_matches("new ");
    let mut parts: Vec<&str> = text
        .split(['.', ':', '#', '/', '$', ' ', '>', '\\'])
        .map(|part| part.trim_matches(|c: char| !(c.is_alphanumeric() || c == '_')))
        .filter(|part| !part.is_empty())
        .collect();
    while let Some(last) = parts.last() {
        let made_up = *last == "closure"
            || *last == "anonymous"
            || *last == "lambda"
            || *last == "module"
            || *last == "locals"
            || *last == "genexpr"
            || *last == "listcomp"
            || *last == "init"
            || *last == "clinit"
            || last.chars().all(|c| c.is_ascii_digit())
            || last
                .strip_prefix("func")
                .is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
            || is_hash(last);
        if !made_up {
            break;
        }
        parts.pop();
    }
    let last = parts.last()?;
    (!matches!(*last, "Object" | "eval" | "top")).then(|| (*last).to_owned())
}

/// The name that a function's first line gives it.
pub fn name_of(header: &str) -> Option<String> {
    let text = header.trim();
    let ident = |text: &str| -> Option<String> {
        let name: String = text
            .trim_start()
            .trim_start_matches("self.")
            .chars()
            .take_while(|c| c.is_alphanumeric() || "_$?!.".contains(*c))
            .collect();
        let name = name.trim_end_matches('.').to_owned();
        (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then_some(name)
    };
    for word in [
        "def ",
        "defp ",
        "fn ",
        "func ",
        "fun ",
        "function* ",
        "function ",
    ] {
        let at = match text.starts_with(word) {
            true => Some(0),
            false => text.find(&format!(" {word}")).map(|at| at + 1),
        };
        if let Some(at) = at {
            let rest = text[at + word.len()..].trim_start();
            // Go's receiver stands before the name.
            let rest = match rest.strip_prefix('(') {
                Some(inside) if word == "func " => inside.split_once(')').map_or("", |two| two.1),
                _ => rest,
            };
            if let Some(name) = ident(rest) {
                return Some(name);
            }
        }
    }
    // `const total = (a) => {`, `total: async (a) => {`
    let before = match (text.find("=>"), text.find('=')) {
        (Some(_), Some(equals)) if !text[equals..].starts_with("=>") => text.get(..equals)?,
        (Some(arrow), _) => text.get(..arrow)?.split_once(':').map(|two| two.0)?,
        (None, _) => text.split('(').next()?,
    };
    let last = before
        .trim_end()
        .rsplit(|c: char| c.is_whitespace() || c == '.')
        .next()?;
    ident(last)
}

/// The suffix that Rust's legacy mangling leaves: `h` and 16 hexadecimal digits.
fn is_hash(text: &str) -> bool {
    text.strip_prefix('h')
        .is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Whether the text holds the word, with no letter, digit or `_` beside it.
pub fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    !word.is_empty()
        && text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            !before.is_some_and(part) && !after.is_some_and(part)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(text: &str, line: u32) -> Option<(u32, u32)> {
        let lines: Vec<&str> = text.lines().collect();
        enclosing(&lines, line).map(|e| (*e.lines.start(), *e.lines.end()))
    }

    #[test]
    fn functions_of_all_languages() {
        let python = "import a\n\nclass A:\n    def f(self):\n        if x:\n            y()\n        z()\n\n    def g(self):\n        pass\n";
        assert_eq!(around(python, 6), Some((4, 7)));
        assert_eq!(around(python, 10), Some((9, 10)));
        assert_eq!(around(python, 1), None);
        let java = "class A {\n    public int f(int a)\n    {\n        return 1;\n    }\n    void g() throws X {\n        h(\n            1);\n    }\n}\n";
        assert_eq!(around(java, 8), Some((6, 9)));
        let js =
            "const f = async (a) => {\n  if (a) {\n    b();\n  }\n};\nfunction g() {\n  c();\n}\n";
        assert_eq!(around(js, 3), Some((1, 5)));
        assert_eq!(around(js, 7), Some((6, 8)));
        let go = "func (s *S) Do(a int) error {\n\tif a > 0 {\n\t\treturn nil\n\t}\n\treturn s.x()\n}\n\nfunc b() {}\n";
        assert_eq!(around(go, 5), Some((1, 6)));
        let rust = "impl A {\n    pub fn f(&self) -> u8 {\n        self.v[3]\n    }\n}\n";
        assert_eq!(around(rust, 3), Some((2, 4)));
        assert_eq!(around(rust, 99), None);
    }

    #[test]
    fn bare_names() {
        for (function, name) in [
            ("com.acme.Shop$Cart.total", "total"),
            ("com.acme.Shop.lambda$run$0", "run"),
            ("com.acme.Shop.<init>", "Shop"),
            ("github.com/a/b/pkg.(*Server).Handle.func1", "Handle"),
            ("pkg.Map[...]", "Map"),
            ("shop::cart::total::{{closure}}", "total"),
            ("shop::cart::total::h0123456789abcdef", "total"),
            ("async Cart.total [as sum]", "total"),
            ("new Cart", "Cart"),
            ("total", "total"),
            ("block (2 levels) in Shop::Cart#total", "total"),
            ("Shop\\Cart->total", "total"),
            ("anonymous fn/1 in Shop.Cart.total/2", "total"),
            ("stock:handle_cast/2", "handle_cast"),
        ] {
            assert_eq!(bare_name(function).as_deref(), Some(name), "{function}");
        }
        for function in ["<module>", "Object.<anonymous>", "<lambda>", ""] {
            assert_eq!(bare_name(function), None, "{function}");
        }
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("def total(x)", "total"));
        assert!(!has_word("def subtotal(x)", "total"));
        assert!(has_word("subtotal + total", "total"));
    }
}
