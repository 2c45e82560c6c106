//! Source text as the gate reads it: which grammar a file has, whether it parses, the functions
//! around a line, the packages that it imports, its words apart from comments and literals.
//! Decides nothing. A text is untrusted: it is read within a limit on bytes and time.

pub(super) mod imports;
pub(super) mod spans;
pub(super) mod tokens;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use tree_sitter::{Language, Node, ParseOptions, Parser, Tree};

/// Longest text that is parsed, in bytes.
pub(super) const LONGEST: usize = 2 << 20;
/// Longest time for one text.
const TIME: Duration = Duration::from_secs(3);

/// A grammar that is built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Grammar {
    Python,
    Javascript,
    Typescript,
    Tsx,
    Go,
    Java,
    Rust,
    Ruby,
    Php,
}

impl Grammar {
    /// By the ending of a file's name.
    pub(super) fn of(path: &str) -> Option<Grammar> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "py" | "pyi" | "pyw" => Some(Grammar::Python),
            "js" | "jsx" | "mjs" | "cjs" => Some(Grammar::Javascript),
            "ts" | "mts" | "cts" => Some(Grammar::Typescript),
            "tsx" => Some(Grammar::Tsx),
            "go" => Some(Grammar::Go),
            "java" => Some(Grammar::Java),
            "rs" => Some(Grammar::Rust),
            "rb" | "rake" | "ru" => Some(Grammar::Ruby),
            "php" | "phtml" | "inc" | "php5" | "php7" => Some(Grammar::Php),
            _ => None,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Grammar::Python => "Python",
            Grammar::Javascript => "JavaScript",
            Grammar::Typescript | Grammar::Tsx => "TypeScript",
            Grammar::Go => "Go",
            Grammar::Java => "Java",
            Grammar::Rust => "Rust",
            Grammar::Ruby => "Ruby",
            Grammar::Php => "PHP",
        }
    }

    /// Whether both write the same language, as far as imports go.
    pub(super) fn is_like(self, other: Grammar) -> bool {
        let script = |grammar| {
            matches!(
                grammar,
                Grammar::Javascript | Grammar::Typescript | Grammar::Tsx
            )
        };
        self == other || (script(self) && script(other))
    }

    fn language(self) -> Language {
        match self {
            Grammar::Python => tree_sitter_python::LANGUAGE.into(),
            Grammar::Javascript => tree_sitter_javascript::LANGUAGE.into(),
            Grammar::Typescript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
            Grammar::Tsx => tree_sitter_typescript::LANGUAGE_TSX.into(),
            Grammar::Go => tree_sitter_go::LANGUAGE.into(),
            Grammar::Java => tree_sitter_java::LANGUAGE.into(),
            Grammar::Rust => tree_sitter_rust::LANGUAGE.into(),
            Grammar::Ruby => tree_sitter_ruby::LANGUAGE.into(),
            Grammar::Php => tree_sitter_php::LANGUAGE_PHP.into(),
        }
    }
}

/// Why there is no tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unparsed {
    Long,
    Late,
    /// The grammar does not fit the parser that is built in.
    Grammar,
}

impl Unparsed {
    pub(super) const fn why(&self) -> &'static str {
        match self {
            Unparsed::Long => "it is too long to be parsed",
            Unparsed::Late => "it could not be parsed in time",
            Unparsed::Grammar => "its grammar cannot be used",
        }
    }
}

/// The text's tree.
pub(super) fn parse(grammar: Grammar, text: &str, deadline: Instant) -> Result<Tree, Unparsed> {
    if text.len() > LONGEST {
        return Err(Unparsed::Long);
    }
    let mut parser = Parser::new();
    parser
        .set_language(&grammar.language())
        .map_err(|_| Unparsed::Grammar)?;
    let end = deadline.min(Instant::now() + TIME);
    let mut late = |_: &tree_sitter::ParseState| {
        if Instant::now() >= end {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let options = ParseOptions::new().progress_callback(&mut late);
    let bytes = text.as_bytes();
    let mut from = |at: usize, _| bytes.get(at..).unwrap_or_default();
    parser
        .parse_with_options(&mut from, None, Some(options))
        .ok_or(Unparsed::Late)
}

/// Places that the grammar could not make sense of, with the line of the first.
pub(super) fn errors(tree: &Tree, text: &str, grammar: Grammar) -> (usize, Option<usize>) {
    let (mut count, mut first) = (0, None);
    each(tree, |node| {
        if node.is_error() || node.is_missing() || is_stray(node, text, grammar) {
            count += 1;
            let line = node.start_position().row + 1;
            first = Some(first.map_or(line, |known: usize| known.min(line)));
        }
        grammar == Grammar::Ruby || node.has_error()
    });
    (count, first)
}

/// Ruby's grammar takes a word that closes nothing for a name.
fn is_stray(node: Node<'_>, text: &str, grammar: Grammar) -> bool {
    const CLOSES: &[&str] = &[
        "end", "else", "elsif", "when", "then", "ensure", "rescue", "do",
    ];
    grammar == Grammar::Ruby
        && node.kind() == "identifier"
        && CLOSES.contains(&text_of(node, text))
        && node.parent().is_none_or(|parent| parent.kind() != "call")
}

/// Visits the tree from its root in the text's order; `visit` says whether to go inside a node.
pub(super) fn each<'t>(tree: &'t Tree, mut visit: impl FnMut(Node<'t>) -> bool) {
    let mut cursor = tree.walk();
    loop {
        let inside = visit(cursor.node());
        if inside && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

/// A node's text.
pub(super) fn text_of<'a>(node: Node<'_>, text: &'a str) -> &'a str {
    text.get(node.byte_range()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn every_grammar_reads_its_language_and_sees_what_is_broken() {
        for (path, good, bad) in [
            (
                "a.py",
                "def f(x):\n    return x\n",
                "def f(x:\n    return\n",
            ),
            ("a.js", "const f = (x) => x?.y;\n", "const f = (x => {;\n"),
            (
                "a.ts",
                "const f = (x: number): string => `${x}`;\n",
                "const f: = 1;\n",
            ),
            ("a.tsx", "const a = <b c={1}>x</b>;\n", "const a = <b>x;\n"),
            (
                "a.go",
                "package a\n\nfunc f() int { return 1 }\n",
                "package a\nfunc f( {\n",
            ),
            (
                "A.java",
                "class A { int f() { return 1; } }\n",
                "class A { int f( { }\n",
            ),
            ("a.rs", "fn f() -> u8 { 1 }\n", "fn f() -> { 1 \n"),
            ("a.rb", "def f(x)\n  x\nend\n", "def f(x)\n  x\n"),
            (
                "a.php",
                "<?php\nfunction f($x) { return $x; }\n",
                "<?php\nfunction f($x { }\n",
            ),
        ] {
            let grammar = Grammar::of(path).unwrap();
            let tree = parse(grammar, good, soon()).unwrap();
            assert_eq!(errors(&tree, good, grammar), (0, None), "{path}");
            let tree = parse(grammar, bad, soon()).unwrap();
            assert!(errors(&tree, bad, grammar).0 > 0, "{path}");
        }
        assert_eq!(Grammar::of("a.kt"), None);
        assert_eq!(Grammar::of("Makefile"), None);
    }

    #[test]
    fn an_end_that_ends_nothing_is_seen() {
        let text = "class A\n  def f\n    end end\n    x\n  end\nend\n";
        let tree = parse(Grammar::Ruby, text, soon()).unwrap();
        assert_eq!(errors(&tree, text, Grammar::Ruby), (2, Some(5)));
    }

    #[test]
    fn length_and_time_are_bounded() {
        let long = "x = 1\n".repeat(LONGEST / 6 + 1);
        assert_eq!(
            parse(Grammar::Python, &long, soon()).err(),
            Some(Unparsed::Long)
        );
        let some = "x = [1, 2]\n".repeat(50_000);
        let past = Instant::now();
        assert_eq!(
            parse(Grammar::Python, &some, past).err(),
            Some(Unparsed::Late)
        );
        // Deep nesting needs no deep stack.
        let deep = format!("x = {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
        if let Ok(tree) = parse(Grammar::Python, &deep, soon()) {
            errors(&tree, &deep, Grammar::Python);
        }
    }
}
