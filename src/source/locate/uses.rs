//! What a line of source does with a name: defines it, throws it, calls it, holds it as a text. By
//! the words and signs around it, any language.

use super::function;

/// What a line does with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    Throw,
    Define,
    Quote,
    Use,
    Call,
}

pub(super) const ALL: [Does; 5] = [
    Does::Throw,
    Does::Define,
    Does::Quote,
    Does::Use,
    Does::Call,
];

pub(super) fn what_it_does(line: &str, name: &str) -> Does {
    let text = line.trim_start();
    let words = [
        "raise ",
        "throw ",
        "throw new ",
        "panic!(",
        "panic(",
        "fail(",
    ];
    if words
        .iter()
        .any(|word| text.find(word).is_some_and(|at| text[at..].contains(name)))
    {
        return Does::Throw;
    }
    let Some(at) = whole_word(text, name) else {
        return Does::Use;
    };
    let before = text[..at].trim_end();
    let after = text[at + name.len()..].trim_start();
    let last = before
        .rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '!'))
        .next()
        .unwrap_or_default();
    const DEFINES: &[&str] = &[
        "def",
        "defp",
        "defmodule",
        "class",
        "struct",
        "enum",
        "interface",
        "trait",
        "fn",
        "func",
        "function",
        "fun",
        "module",
        "record",
        "type",
        "object",
        "const",
        "static",
        "table",
        "TABLE",
        "mod",
    ];
    let method = before.starts_with("func (") && before.ends_with(')') && after.starts_with('(');
    let declared = after.starts_with('(') && function::is_header(line);
    if DEFINES.contains(&last) || method || declared || before.ends_with("def self.") {
        return Does::Define;
    }
    let quoted = before.ends_with(['"', '\'', '`']) && after.starts_with(['"', '\'', '`']);
    if quoted || before.ends_with([':']) && !before.ends_with("::") && !after.starts_with('(') {
        return Does::Quote;
    }
    if after.starts_with('(') {
        return Does::Call;
    }
    // `self.total = …`, `total: Decimal`, `private BigDecimal total;`
    let assigned = after.starts_with('=') && !after.starts_with("==") && !after.starts_with("=>");
    let field = (before.is_empty() || !before.contains(['(', '=', '.']))
        && (after.starts_with(':') || after.starts_with(';'));
    if (assigned && (before.is_empty() || before.ends_with("self.") || before.ends_with("this.")))
        || field
    {
        return Does::Define;
    }
    Does::Use
}

fn whole_word(text: &str, word: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back();
        let after = text[*at + word.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

pub(super) fn is_comment(line: &str) -> bool {
    let text = line.trim_start();
    ["//", "# ", "/*", "* ", "-- ", "%%", "#:"]
        .iter()
        .any(|mark| text.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_languages() {
        for (line, does) in [
            ("class total(Base):", Does::Define),
            ("    def total(self):", Does::Define),
            ("func (c *Cart) total() int {", Does::Define),
            ("    public int total(int a) {", Does::Define),
            ("pub fn total(&self) -> u8 {", Does::Define),
            ("    self.total = 0", Does::Define),
            ("    private BigDecimal total;", Does::Define),
            ("total: Decimal", Does::Define),
            ("CREATE TABLE total (", Does::Define),
            ("raise total(1)", Does::Throw),
            ("throw new total(1);", Does::Throw),
            ("x = cart.total(1)", Does::Call),
            ("x = cart['total']", Does::Quote),
            ("%{x | :total => 1}", Does::Quote),
            ("x = cart.total + 1", Does::Use),
            ("if cart.total == 1", Does::Use),
        ] {
            assert_eq!(what_it_does(line, "total"), does, "{line}");
        }
        assert!(is_comment("  // total") && !is_comment("total // x"));
    }
}
