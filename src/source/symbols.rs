//! Where a name is defined and where it is used, by the shape of lines: no grammar, any of the
//! languages. A line that looks like a definition in no language counts as a use.

use crate::source::error::Error;
use crate::source::locate::function::is_header;
use crate::source::repo::Repo;
use crate::source::texts::{Looked, Text, Texts};
use memchr::memmem::Finder;
use std::ops::ControlFlow;
use std::time::Instant;

/// Longest name, in bytes.
pub const NAME: usize = 200;
/// Bytes of a line that are shown; longer ones are no person's and define nothing.
const WIDTH: usize = 300;
/// Places that are counted before the search ends.
const COUNTED: usize = 20_000;

/// A line that holds the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub path: String,
    /// From 1.
    pub line: u32,
    pub text: String,
    pub generated: bool,
}

/// Where the name stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbol {
    pub definitions: Vec<Place>,
    pub uses: Vec<Place>,
    pub more_definitions: usize,
    pub more_uses: usize,
    pub looked: Looked,
}

/// Finds a name; `most` of its definitions and as many uses.
///
/// # Errors
/// Of a damaged repository.
pub fn find(
    texts: &mut Texts,
    repo: &Repo,
    name: &str,
    most: usize,
    deadline: Instant,
) -> Result<Symbol, Error> {
    let finder = Finder::new(name);
    let mut symbol = Symbol::default();
    symbol.looked = texts.each(repo, deadline, &mut |text| {
        in_text(&finder, name, &text, most, &mut symbol);
        match symbol.more_uses + symbol.more_definitions > COUNTED {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    Ok(symbol)
}

fn in_text(finder: &Finder<'_>, name: &str, text: &Text<'_>, most: usize, into: &mut Symbol) {
    let bytes = text.bytes;
    let (mut line, mut counted, mut last) = (1, 0, None);
    for at in finder.find_iter(bytes) {
        let part = |b: Option<&u8>| {
            b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80)
        };
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        if part(before) || part(bytes.get(at + name.len())) {
            continue;
        }
        let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |at| at + 1);
        if last == Some(start) {
            continue;
        }
        last = Some(start);
        line += memchr::memchr_iter(b'\n', &bytes[counted..start]).count();
        counted = start;
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |n| at + n);
        let whole = &bytes[start..end];
        let said = String::from_utf8_lossy(whole.get(..WIDTH).unwrap_or(whole));
        let defined = whole.len() <= WIDTH && defines(&said, name);
        let (list, more) = match defined {
            true => (&mut into.definitions, &mut into.more_definitions),
            false => (&mut into.uses, &mut into.more_uses),
        };
        if list.len() >= most {
            *more += 1;
            continue;
        }
        list.push(Place {
            path: text.path.to_owned(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            text: said.trim_end_matches('\r').to_owned(),
            generated: text.generated,
        });
    }
}

/// Words that stand right before a name that is being defined, in one language or another.
const KEYWORDS: [&str; 39] = [
    "def",
    "defp",
    "defmodule",
    "defmacro",
    "defstruct",
    "class",
    "struct",
    "enum",
    "union",
    "trait",
    "interface",
    "type",
    "typedef",
    "fn",
    "func",
    "fun",
    "function",
    "function*",
    "const",
    "static",
    "let",
    "var",
    "val",
    "module",
    "namespace",
    "object",
    "record",
    "protocol",
    "extension",
    "mixin",
    "mod",
    "macro_rules!",
    "#define",
    "message",
    "package",
    "event",
    "delegate",
    "alias",
    "entity",
];

/// Whether a line defines the name.
pub fn defines(line: &str, name: &str) -> bool {
    let text = line.trim();
    if ["//", "#!", "* ", "/*", "--", "<!--"]
        .iter()
        .any(|c| text.starts_with(c))
        || (text.starts_with('#') && !text.starts_with("#define"))
    {
        return false;
    }
    let Some(at) = word_at(text, name) else {
        return false;
    };
    let (before, after) = (&text[..at], text[at + name.len()..].trim_start());
    let before = before.trim_end();
    let last = before
        .rsplit(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or_default();
    // `func (s *Server) Handle(`, `fn total<T>(`, `def self.total`, `class Cart`.
    let receiver = before.starts_with("func (") && before.ends_with(')');
    let qualified = last.ends_with('.')
        && matches!(
            before.split_whitespace().next(),
            Some("def" | "function" | "fun")
        );
    if receiver || qualified || KEYWORDS.contains(&last) {
        return true;
    }
    // `name = …` and `name: …` at the beginning of a line.
    if before.is_empty() {
        let set = after.starts_with('=') && !after.starts_with("==") && !after.starts_with("=~");
        let walrus = after.starts_with(":=");
        let typed = after.starts_with(": ") && after.contains(" = ");
        let body = after.starts_with(": function")
            || after.starts_with(": (")
            || after.starts_with(": async");
        let indented = line.starts_with([' ', '\t']);
        if (set && !indented) || walrus || typed || body {
            return true;
        }
    }
    // `public static long total(Order order) {` and its like.
    after.starts_with(['(', '<']) && is_header(text) && !before.ends_with(['.', '(', ',', '=', '>'])
}

fn word_at(text: &str, name: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_in_many_languages() {
        for line in [
            "def total(order):",
            "    async def total(self):",
            "  def self.total(order)",
            "func total(a int) error {",
            "func (s *Shop) total(a int) error {",
            "    pub(crate) fn total<T>(a: T) -> u8 {",
            "    public static long total(Order order) {",
            "    long total(Order order) throws X {",
            "export function total(order: Order): number {",
            "export const total = async (order) => {",
            "  total(order) {",
            "  total: function (order) {",
            "class total:",
            "total = 3",
            "total := 3",
            "defp total(order) do",
            "#define total(a) a",
            "type total struct {",
            "    private function total($order) {",
            "int total(struct order *order) {",
        ] {
            assert!(defines(line, "total"), "{line}");
        }
        for line in [
            "  return total(order)",
            "x = total(order)",
            "    total(order)",
            "if total(order) {",
            "// def total",
            "# total = 3",
            "self.total = 3",
            "subtotal = 3",
            "import total",
            "total == 3",
            "order.total(a, {",
            "def f(total):",
        ] {
            assert!(!defines(line, "total"), "{line}");
        }
    }
}
