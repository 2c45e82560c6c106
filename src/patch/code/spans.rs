//! Which named pieces of code lie around a line: functions, methods, classes, and what a function
//! without a name is bound to. By grammar where there is one, else by indentation.

use super::{Grammar, each};
use crate::source::locate::function::{enclosing, has_word};
use std::ops::RangeInclusive;
use tree_sitter::{Node, Tree};

/// Longest header that is looked at, in bytes.
const HEADER: usize = 600;

/// A piece of code around a line. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::patch) struct Span {
    pub lines: RangeInclusive<u32>,
    /// What stands before its body.
    pub header: String,
    /// A function or method, not a class or module.
    pub function: bool,
}

impl Span {
    /// Whether it is called so.
    pub(in crate::patch) fn is_called(&self, name: &str) -> bool {
        has_word(&self.header, name)
    }
}

/// What lies around the line, outermost first.
pub(in crate::patch) fn around(
    text: &str,
    line: u32,
    grammar: Option<(Grammar, &Tree)>,
) -> Vec<Span> {
    let Some((_, tree)) = grammar else {
        return by_indentation(text, line);
    };
    let row = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut spans = Vec::new();
    each(tree, |node| {
        let lines = node.start_position().row..=node.end_position().row;
        if !lines.contains(&row) {
            return false;
        }
        if let Some(function) = role(node) {
            spans.push(Span {
                lines: number(*lines.start())..=number(*lines.end()),
                header: header(node, text),
                function,
            });
        }
        true
    });
    spans
}

fn by_indentation(text: &str, line: u32) -> Vec<Span> {
    let lines: Vec<&str> = text.lines().collect();
    let mut spans = Vec::new();
    let mut at = line;
    while let Some(found) = enclosing(&lines, at) {
        let first = *found.lines.start();
        spans.insert(
            0,
            Span {
                lines: found.lines,
                header: found.header,
                function: true,
            },
        );
        if first <= 1 || spans.len() > 20 {
            break;
        }
        // The header's own line lies in what is around it, not in itself.
        let above = enclosing_above(&lines, first);
        match above {
            Some(next) if next < first => at = next,
            Some(_) | None => break,
        }
    }
    spans
}

/// A line above that is indented less: inside what is around.
fn enclosing_above(lines: &[&str], first: u32) -> Option<u32> {
    use crate::source::locate::function::indent;
    let index = usize::try_from(first).ok()?.checked_sub(1)?;
    let depth = indent(lines.get(index)?);
    let found = lines.get(..index)?.iter().rposition(|line| {
        !line.trim().is_empty() && indent(line) < depth && !line.trim_start().starts_with('}')
    })?;
    u32::try_from(found + 1).ok()
}

/// Whether a node is a function (`true`), or something else that has a name (`false`).
fn role(node: Node<'_>) -> Option<bool> {
    if !node.is_named() {
        return None;
    }
    // A whole file is called module too.
    node.parent()?;
    match node.kind() {
        "function_definition"
        | "function_declaration"
        | "function_expression"
        | "generator_function"
        | "generator_function_declaration"
        | "function_item"
        | "method_definition"
        | "method_declaration"
        | "method"
        | "singleton_method"
        | "constructor_declaration"
        | "compact_constructor_declaration"
        | "arrow_function"
        | "func_literal"
        | "lambda"
        | "lambda_expression"
        | "closure_expression"
        | "anonymous_function"
        | "block"
        | "do_block" => match node.kind() {
            // Ruby's blocks have a caller's name before them; others' are plain braces.
            "block" | "do_block" if node.parent().is_none_or(|p| p.kind() != "call") => None,
            _ => Some(true),
        },
        "class_definition"
        | "class_declaration"
        | "class"
        | "class_body"
        | "impl_item"
        | "mod_item"
        | "trait_item"
        | "module"
        | "interface_declaration"
        | "enum_declaration"
        | "record_declaration"
        | "trait_declaration"
        | "variable_declarator"
        | "assignment_expression"
        | "assignment"
        | "pair"
        | "field_definition"
        | "public_field_definition"
        | "short_var_declaration"
        | "let_declaration"
        | "object_creation_expression" => Some(false),
        _ => None,
    }
}

fn header(node: Node<'_>, text: &str) -> String {
    let start = node.start_byte();
    let body = ["body", "value", "right"]
        .into_iter()
        .find_map(|field| node.child_by_field_name(field))
        .map_or(node.end_byte(), |body| body.start_byte());
    let end = text.floor_char_boundary(body.min(start + HEADER));
    let header = text.get(start..end).unwrap_or_default();
    if body == node.end_byte() {
        return header.lines().next().unwrap_or_default().to_owned();
    }
    header.to_owned()
}

fn number(row: usize) -> u32 {
    u32::try_from(row + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::code::parse;
    use std::time::{Duration, Instant};

    fn spans(path: &str, text: &str, line: u32) -> Vec<Span> {
        let deadline = Instant::now() + Duration::from_secs(20);
        let grammar = Grammar::of(path);
        let tree = grammar.map(|grammar| parse(grammar, text, deadline).unwrap());
        around(text, line, grammar.zip(tree.as_ref()))
    }

    #[test]
    fn the_function_around_a_line_is_found_in_every_language() {
        for (path, text, line, name) in [
            (
                "a.py",
                "class A:\n    def f(self):\n        x = 1\n        return x\n",
                4,
                "f",
            ),
            ("a.js", "const f = (x) => {\n  return x;\n};\n", 2, "f"),
            (
                "a.js",
                "class A {\n  f(x) {\n    return x;\n  }\n}\n",
                3,
                "f",
            ),
            (
                "a.js",
                "exports.f = function (x) {\n  return x;\n};\n",
                2,
                "f",
            ),
            ("a.ts", "function f(x: number) {\n  return x;\n}\n", 2, "f"),
            (
                "a.go",
                "package a\nfunc (t *T) f() int {\n\treturn 1\n}\n",
                3,
                "f",
            ),
            (
                "A.java",
                "class A {\n  int f() {\n    return 1;\n  }\n}\n",
                3,
                "f",
            ),
            ("A.java", "class A {\n  A() {\n    g();\n  }\n}\n", 3, "A"),
            (
                "a.rs",
                "impl A {\n    fn f() -> u8 {\n        1\n    }\n}\n",
                3,
                "f",
            ),
            ("a.rb", "class A\n  def f(x)\n    x\n  end\nend\n", 3, "f"),
            (
                "a.php",
                "<?php\nfunction f($x) {\n  return $x;\n}\n",
                3,
                "f",
            ),
            (
                "a.kt",
                "class A {\n    fun f(x: Int): Int {\n        return x\n    }\n}\n",
                3,
                "f",
            ),
        ] {
            let found = spans(path, text, line);
            assert!(
                found.iter().any(|span| span.is_called(name)),
                "{path}: {found:?}"
            );
            assert!(!found.iter().any(|span| span.is_called("x1")), "{path}");
        }
    }

    #[test]
    fn a_function_elsewhere_is_not_around_the_line() {
        let text = "def f():\n    return 1\n\ndef g():\n    return f()\n";
        let found = spans("a.py", text, 5);
        assert!(!found.iter().any(|span| span.is_called("f")), "{found:?}");
        assert!(found.iter().any(|span| span.is_called("g")), "{found:?}");
        assert!(spans("a.py", text, 99).iter().all(|span| !span.function));
    }
}
