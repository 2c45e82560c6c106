//! The packages that a file imports, by its tree: which outside name each import begins with.
//! Whether a package may be used is not known here.

use super::{Grammar, each, text_of};
use std::collections::BTreeSet;
use tree_sitter::{Node, Tree};

/// What one file imports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::patch) struct Imports {
    /// As they are written: `os.path`, `lodash/fp`, `net/http`, `java.util.List`.
    pub names: BTreeSet<String>,
    /// Imports whose name is made while the program runs, as they are written.
    pub computed: BTreeSet<String>,
}

pub(in crate::patch) fn read(text: &str, grammar: Grammar, tree: &Tree) -> Imports {
    let mut found = Imports::default();
    each(tree, |node| {
        if node.is_named() {
            one(node, text, grammar, &mut found);
        }
        true
    });
    found
}

fn one(node: Node<'_>, text: &str, grammar: Grammar, found: &mut Imports) {
    let of = |field: &str| node.child_by_field_name(field);
    match (grammar, node.kind()) {
        (Grammar::Python, "import_statement") => {
            let mut cursor = node.walk();
            for name in node.children_by_field_name("name", &mut cursor) {
                let name = name.child_by_field_name("name").unwrap_or(name);
                found.add(text_of(name, text));
            }
        }
        (Grammar::Python, "import_from_statement") => {
            if let Some(module) = of("module_name") {
                found.add(text_of(module, text));
            }
        }
        (
            Grammar::Javascript | Grammar::Typescript | Grammar::Tsx,
            "import_statement" | "export_statement",
        ) => {
            if let Some(source) = of("source") {
                found.add(unquoted(text_of(source, text)));
            }
        }
        (Grammar::Javascript | Grammar::Typescript | Grammar::Tsx, "import_require_clause") => {
            if let Some(source) = of("source") {
                found.add(unquoted(text_of(source, text)));
            }
        }
        (Grammar::Javascript | Grammar::Typescript | Grammar::Tsx, "call_expression") => {
            let callee = of("function").map(|callee| text_of(callee, text));
            if matches!(callee, Some("require" | "import" | "require.resolve")) {
                found.call(node, text);
            }
        }
        (Grammar::Go, "import_spec") => {
            if let Some(path) = of("path") {
                found.add(unquoted(text_of(path, text)));
            }
        }
        (Grammar::Java, "import_declaration") => {
            let all = text_of(node, text);
            let name = all.trim_start_matches("import").trim();
            let name = name.strip_prefix("static ").unwrap_or(name).trim();
            found.add(name.trim_end_matches(';').trim_end_matches(".*").trim());
        }
        (Grammar::Rust, "use_declaration") => {
            if let Some(argument) = of("argument") {
                for root in roots(text_of(argument, text)) {
                    found.add(&root);
                }
            }
        }
        (Grammar::Rust, "extern_crate_declaration") => {
            if let Some(name) = of("name") {
                found.add(text_of(name, text));
            }
        }
        (Grammar::Ruby, "call") => {
            let method = of("method").map(|method| text_of(method, text));
            let bare = of("receiver").is_none();
            if bare && matches!(method, Some("require" | "load" | "gem" | "autoload")) {
                found.call(node, text);
            }
        }
        (Grammar::Php, "namespace_use_clause") => {
            let group = node.parent().filter(|p| p.kind() == "namespace_use_group");
            if group.is_none() {
                let all = text_of(node, text);
                let name = all.split(" as ").next().unwrap_or(all);
                found.add(name.trim().trim_start_matches('\\'));
            }
        }
        (Grammar::Php, "namespace_use_declaration") => {
            let all = text_of(node, text).trim_start_matches("use").trim();
            if let Some((before, _)) = all.split_once('{') {
                found.add(before.trim().trim_matches('\\'));
            }
        }
        (
            Grammar::Php,
            "include_expression"
            | "include_once_expression"
            | "require_expression"
            | "require_once_expression",
        ) => {
            found.file(node, text);
        }
        _ => {}
    }
}

impl Imports {
    fn add(&mut self, name: &str) {
        let name = name.trim();
        if !name.is_empty() {
            self.names.insert(name.to_owned());
        }
    }

    /// The first argument of a call: a plain text is a name, anything else is computed.
    fn call(&mut self, node: Node<'_>, text: &str) {
        let first = node
            .child_by_field_name("arguments")
            .and_then(|arguments| arguments.named_child(0));
        match first {
            Some(argument) if is_plain(argument, text) => {
                self.add(unquoted(text_of(argument, text)));
            }
            Some(_) => {
                self.computed.insert(text_of(node, text).to_owned());
            }
            None => {}
        }
    }

    /// A file that PHP includes: by a plain text, also below `__DIR__`, or it is computed.
    fn file(&mut self, node: Node<'_>, text: &str) {
        let all = text_of(node, text);
        let mut rest = String::new();
        for (at, part) in all.split(['"', '\'']).enumerate() {
            if at % 2 == 0 {
                rest.push_str(part);
            }
        }
        let known = [
            "include_once",
            "include",
            "require_once",
            "require",
            "__DIR__",
            "(",
            ")",
            ".",
        ];
        for word in known {
            rest = rest.replace(word, "");
        }
        if rest.trim().is_empty() && !all.contains('$') && !all.contains("://") {
            self.add("./");
        } else {
            self.computed.insert(all.to_owned());
        }
    }
}

fn is_plain(node: Node<'_>, text: &str) -> bool {
    let kind = node.kind();
    let own = text_of(node, text);
    let substituted = own.contains("${") || own.contains("#{");
    (kind == "string" || kind == "template_string") && !substituted
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['"', '\'', '`'])
}

/// The first names of a `use` tree: `{a::b, c}` gives `a` and `c`.
fn roots(tree: &str) -> Vec<String> {
    let tree = tree.trim().trim_start_matches("::");
    if let Some(inner) = tree.strip_prefix('{') {
        let (mut depth, mut from, mut parts) = (0usize, 0, Vec::new());
        let inner = inner.strip_suffix('}').unwrap_or(inner);
        for (at, c) in inner.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    parts.push(inner.get(from..at).unwrap_or_default());
                    from = at + 1;
                }
                _ => {}
            }
        }
        parts.push(inner.get(from..).unwrap_or_default());
        let firsts = parts.into_iter().map(first_name);
        return firsts.filter(|name| !name.is_empty()).collect();
    }
    vec![first_name(tree)]
}

fn first_name(path: &str) -> String {
    let path = path.trim().trim_start_matches("::");
    let end = path
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(path.len());
    path.get(..end).unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::code::parse;
    use std::time::{Duration, Instant};

    fn names(path: &str, text: &str) -> (Vec<String>, usize) {
        let grammar = Grammar::of(path).unwrap();
        let tree = parse(grammar, text, Instant::now() + Duration::from_secs(20)).unwrap();
        let found = read(text, grammar, &tree);
        (found.names.into_iter().collect(), found.computed.len())
    }

    #[test]
    fn imports_are_read_in_every_language() {
        for (path, text, wanted) in [
            (
                "a.py",
                "import os.path, yaml as y\nfrom .b import c\nfrom d.e import (f)\n",
                "..b d.e os.path yaml",
            ),
            (
                "a.js",
                "import a from 'b';\nconst c = require(\"d/e\");\nimport('f');\nexport * from './g';\n",
                "./g b d/e f",
            ),
            (
                "a.ts",
                "import type { A } from \"@s/b\";\nimport c = require('d');\n",
                "@s/b d",
            ),
            (
                "a.go",
                "package a\nimport (\n\tx \"a/b\"\n\t\"fmt\"\n)\n",
                "a/b fmt",
            ),
            (
                "A.java",
                "import java.util.List;\nimport static a.b.C.*;\n",
                "a.b.C java.util.List",
            ),
            (
                "a.rs",
                "use a::{b, c};\nuse {d::e, f};\nextern crate g;\n",
                "a d f g",
            ),
            (
                "a.rb",
                "require 'json'\nrequire_relative 'x'\ngem \"y\"\n",
                "json y",
            ),
            (
                "a.php",
                "<?php\nuse A\\B as C;\nuse D\\{E, F};\nrequire __DIR__ . '/x.php';\n",
                "./ A\\B D",
            ),
        ] {
            let (found, computed) = names(path, text);
            assert_eq!(found.join(" "), wanted.replace("..b", ".b"), "{path}");
            assert_eq!(computed, 0, "{path}");
        }
    }

    #[test]
    fn computed_imports_are_told_apart() {
        for (path, text) in [
            ("a.js", "require(x + 'y');\n"),
            ("a.js", "import(`./${x}`);\n"),
            ("a.rb", "require x\n"),
            ("a.php", "<?php include $x;\n"),
            ("a.php", "<?php include 'http://x/y';\n"),
        ] {
            assert_eq!(names(path, text).1, 1, "{path}: {text}");
        }
    }
}
