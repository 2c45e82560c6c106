//! A file's code as words, marks and literals, without comments: by its grammar where there is
//! one, else by a plain reading that takes too much for code rather than too little.

use super::{Grammar, each, text_of};
use std::ops::Range;
use tree_sitter::{Node, Tree};

/// One piece of code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::patch) enum Token<'a> {
    Word(&'a str),
    Mark(char),
    /// Inside of a text literal.
    Literal(&'a str),
    /// A command between backquotes, where a language runs it.
    Command,
}

/// Tokens with where they begin in the text.
#[derive(Clone, Debug, Default)]
pub(in crate::patch) struct Code<'a> {
    pub tokens: Vec<Token<'a>>,
    pub starts: Vec<usize>,
    /// Where comments stand.
    pub comments: Vec<Range<usize>>,
}

impl<'a> Code<'a> {
    /// The code of a text, by its tree where there is one.
    pub(in crate::patch) fn read(text: &'a str, grammar: Option<(Grammar, &Tree)>) -> Code<'a> {
        let mut code = Code::default();
        match grammar {
            Some((grammar, tree)) => code.of_tree(text, grammar, tree),
            None => code.plain(text),
        }
        code
    }

    fn push(&mut self, token: Token<'a>, start: usize) {
        self.tokens.push(token);
        self.starts.push(start);
    }

    fn of_tree(&mut self, text: &'a str, grammar: Grammar, tree: &Tree) {
        each(tree, |node| {
            let kind = node.kind();
            if is_comment(kind) {
                self.comments.push(node.byte_range());
                return false;
            }
            if matches!(kind, "subshell" | "shell_command_expression") {
                self.push(Token::Command, node.start_byte());
                return true;
            }
            if node.child_count() > 0 {
                return true;
            }
            let own = text_of(node, text);
            if is_literal(node, grammar) {
                // The quotes themselves say nothing.
                if !node.is_named() || matches!(kind, "string_start" | "string_end") {
                    return false;
                }
                self.push(Token::Literal(own), node.start_byte());
            } else {
                self.words(own, node.start_byte());
            }
            false
        });
    }

    /// Words and marks of a text that is all code.
    fn words(&mut self, text: &'a str, start: usize) {
        let mut from = 0;
        while let Some(c) = text.get(from..).and_then(|rest| rest.chars().next()) {
            let rest = text.get(from..).unwrap_or_default();
            if is_of_word(c) {
                let end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
                let word = rest.get(..end).unwrap_or(rest);
                self.push(Token::Word(word), start + from);
                from += end;
            } else {
                if !c.is_whitespace() {
                    self.push(Token::Mark(c), start + from);
                }
                from += c.len_utf8();
            }
        }
    }

    /// Without a grammar: quotes that close on their line are literals, and what can hold code of
    /// its own is read as code too.
    fn plain(&mut self, text: &'a str) {
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            self.plain_line(line, at);
            at += line.len();
        }
    }

    fn plain_line(&mut self, line: &'a str, start: usize) {
        let mut from = 0;
        while let Some(rest) = line.get(from..).filter(|rest| !rest.is_empty()) {
            let quote = rest.find(['"', '\'', '`']);
            let comment = rest.find("//").filter(|at| !rest[..*at].ends_with(':'));
            let Some(open) = quote.filter(|at| comment.is_none_or(|c| *at < c)) else {
                let end = comment.unwrap_or(rest.len());
                self.words(&rest[..end], start + from);
                if comment.is_some() {
                    self.comments.push(start + from + end..start + line.len());
                }
                return;
            };
            self.words(&rest[..open], start + from);
            let mark = rest.as_bytes()[open];
            let inside = open + 1;
            let Some(close) = closing(&rest.as_bytes()[inside..], mark) else {
                self.words(&rest[inside..], start + from + inside);
                return;
            };
            let literal = &rest[inside..inside + close];
            self.push(Token::Literal(literal), start + from + inside);
            if literal.contains(['{', '(']) || mark == b'`' {
                self.words(literal, start + from + inside);
            }
            from += inside + close + 1;
        }
    }
}

fn closing(bytes: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match *byte {
            b'\\' => at += 1,
            byte if byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

pub(in crate::patch) fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_comment(kind: &str) -> bool {
    kind.contains("comment") || kind == "hash_bang_line"
}

/// Whether a leaf is text and no code: it lies in a literal, and in no piece of code there.
fn is_literal(leaf: Node<'_>, grammar: Grammar) -> bool {
    let mut at = Some(leaf);
    // Pieces of literals lie close below them.
    for _ in 0..4 {
        let Some(node) = at else { return false };
        let kind = node.kind();
        let holds_code = kind.contains("interpolation") || kind == "template_substitution";
        if holds_code {
            return false;
        }
        let name = node.is_named();
        if name
            && (kind.contains("string")
                || kind.contains("heredoc")
                || kind.contains("char")
                || kind == "text"
                || kind.contains("regex")
                || kind == "jsx_text"
                || kind.ends_with("rune_literal"))
        {
            return true;
        }
        // PHP's texts hold expressions without a node around them.
        if grammar == Grammar::Php && name && kind != "escape_sequence" {
            return false;
        }
        if name && !matches!(kind, "escape_sequence" | "simple_symbol") {
            return kind == "delimited_symbol";
        }
        at = node.parent();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::code::parse;
    use std::time::{Duration, Instant};

    fn shown(path: &str, text: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        let grammar = Grammar::of(path);
        let tree = grammar.map(|grammar| parse(grammar, text, deadline).unwrap());
        let code = Code::read(text, grammar.zip(tree.as_ref()));
        assert_eq!(code.tokens.len(), code.starts.len());
        let each = code.tokens.iter().map(|token| match token {
            Token::Word(word) => (*word).to_owned(),
            Token::Mark(mark) => mark.to_string(),
            Token::Literal(text) => format!("<{text}>"),
            Token::Command => "COMMAND".to_owned(),
        });
        each.collect::<Vec<String>>().join(" ")
    }

    #[test]
    fn comments_go_and_literals_are_told_from_code() {
        for (path, text, wanted) in [
            ("a.py", "# eval(x)\nf(\"eval(x)\")\n", "f ( <eval(x)> )"),
            ("a.py", "f\"a {run(x)} b\"", "<a > { run ( x ) } < b>"),
            (
                "a.js",
                "f(`a ${run(x)}`); // eval",
                "f ( <a > $ { run ( x ) } ) ;",
            ),
            (
                "A.java",
                "class A { String s = \"x(y)\"; }",
                "class A { String s = <x(y)> ; }",
            ),
            ("a.rb", "x = `ls`\n", "x = COMMAND ` <ls> `"),
            (
                "a.go",
                "package a\nvar x = `y(z)`\n",
                "package a var x = <y(z)>",
            ),
            ("a.rs", "const A: &str = \"b\";", "const A : & str = <b> ;"),
            (
                "a.kt",
                "val a = \"b\" // c\nf(\"${g()}\")",
                "val a = <b> f ( <${g()}> $ { g ( ) } )",
            ),
        ] {
            let found = shown(path, text);
            assert_eq!(found, wanted, "{path}: {text}");
        }
    }

    #[test]
    fn code_in_a_text_of_php_is_code() {
        let found = shown("a.php", "<?php $a = \"x {$b->run(1)} y\"; system('ls');");
        assert!(found.contains("run ( 1 )"), "{found}");
        assert!(found.contains("system ( <ls> )"), "{found}");
    }
}
