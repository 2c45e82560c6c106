//! Whether an edit brings a call that can do more than compute: run text as code, start a
//! process, reach the network. What was there may stay as it is. Words of code are looked at, not
//! meanings: a power that a library hides behind another name is not seen here.

mod table;

use super::case::{Case, Touched};
use super::{Seen, quoted};
use crate::patch::code::Grammar;
use crate::patch::code::tokens::{Code, Token};
use std::collections::HashMap;

/// Tokens of a call that are compared.
const CALL: usize = 80;

/// What code can do beyond computing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Text becomes code, or a name is looked up while the program runs.
    Eval,
    Process,
    Network,
    /// Variables of the process and what else tells one machine from another.
    Environment,
    /// Files that are read, removed or written.
    Files,
    /// A test does not run.
    Off,
}

impl Kind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Kind::Eval => "code that is made while it runs",
            Kind::Process => "a process",
            Kind::Network => "the network",
            Kind::Environment => "the environment",
            Kind::Files => "the file system",
            Kind::Off => "a test that does not run",
        }
    }

    /// What no edit may bring.
    pub(super) const fn anywhere(self) -> bool {
        match self {
            Kind::Eval | Kind::Process | Kind::Network => true,
            Kind::Environment | Kind::Files | Kind::Off => false,
        }
    }

    /// What no test may bring besides.
    pub(super) const fn in_tests(self) -> bool {
        !self.anywhere()
    }

    /// Whether one may replace another of its kind: an address is a value, a command is not.
    const fn is_exact(self) -> bool {
        match self {
            Kind::Eval | Kind::Process => true,
            Kind::Network | Kind::Environment | Kind::Files | Kind::Off => false,
        }
    }
}

/// A power that was not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub kind: Kind,
    pub what: String,
}

pub(super) fn check(case: &Case<'_>) -> Seen {
    let mut seen = Seen::default();
    let is_prose = |path: &str| {
        let ends = [".md", ".rst", ".txt", ".adoc"];
        ends.iter().any(|end| path.ends_with(end))
    };
    for file in case.files.iter().filter(|file| !is_prose(&file.path)) {
        for found in new_in(file, Kind::anywhere) {
            seen.fault(format!(
                "{} would use {} ({}), which it did not before; mend the fault without it, or \
                 give up and say what it needs",
                quoted(&file.path),
                quoted(&found.what),
                found.kind.word()
            ));
        }
    }
    seen.says("no new eval, process or network call")
}

/// What the file can do after the edits and could not before.
pub(super) fn new_in(file: &Touched, wanted: fn(Kind) -> bool) -> Vec<Found> {
    let before = powers(&file.code_before(), file.text_before(), file.grammar);
    let mut new: Vec<Found> = powers(&file.code_after(), &file.after.text, file.grammar)
        .into_iter()
        .filter(|((kind, key), number)| {
            wanted(*kind)
                && before
                    .get(&(*kind, key.clone()))
                    .is_none_or(|old| number > old)
        })
        .map(|((kind, what), _)| Found { kind, what })
        .collect();
    new.sort_by(|a, b| (a.kind, &a.what).cmp(&(b.kind, &b.what)));
    new.dedup_by(|a, b| a.kind == b.kind && a.what.split(' ').next() == b.what.split(' ').next());
    new
}

/// How often each power is used; of those that must stay exact, with the whole call.
fn powers(code: &Code<'_>, text: &str, grammar: Option<Grammar>) -> HashMap<(Kind, String), usize> {
    let mut found: HashMap<(Kind, String), usize> = HashMap::new();
    let php = grammar == Some(Grammar::Php);
    let rules = Rules::of(grammar);
    let tokens = &code.tokens;
    for at in 0..tokens.len() {
        for (kind, pattern) in rules.beginning(tokens.get(at), php) {
            if !fits(pattern, tokens, at, php) {
                continue;
            }
            let key = if kind.is_exact() {
                call(tokens, at)
            } else {
                shown(
                    tokens
                        .get(at..at + pattern.tokens.len())
                        .unwrap_or_default(),
                )
            };
            *found.entry((*kind, key)).or_default() += 1;
        }
    }
    let others = table::other_names(tokens, grammar);
    for (kind, what) in others.into_iter().chain(orders(code, text)) {
        *found.entry((kind, what)).or_default() += 1;
    }
    found
}

/// Comments that tools obey: what Go's generates and links, and how the file is to be decoded.
fn orders<'a>(code: &'a Code<'_>, text: &'a str) -> impl Iterator<Item = (Kind, String)> + 'a {
    code.comments.iter().filter_map(|range| {
        let comment = text.get(range.clone())?;
        let body = comment.trim_start_matches(['/', '#', '*', ' ', '!']);
        let go = comment.starts_with("//go:") || comment.starts_with("//export");
        let head = text.get(..range.start)?.matches('\n').count() < 2;
        let lower = body.to_ascii_lowercase();
        let coded = head && (lower.contains("coding:") || lower.contains("coding="));
        let first: String = body.chars().take(60).collect();
        (go || coded).then_some((Kind::Eval, first))
    })
}

/// A row of the table, taken apart.
struct Pattern {
    /// Not behind a dot or an arrow, and not where it is declared.
    bare: bool,
    tokens: Vec<Piece>,
}

enum Piece {
    Word(&'static str),
    Mark(char),
    Literal(&'static str),
}

/// The rows for a language, by the first word.
struct Rules {
    by_word: HashMap<String, Vec<(Kind, Pattern)>>,
    others: Vec<(Kind, Pattern)>,
}

impl Rules {
    fn of(grammar: Option<Grammar>) -> Rules {
        let mut rules = Rules {
            by_word: HashMap::new(),
            others: Vec::new(),
        };
        let rows = table::rows(grammar).iter();
        let rows = rows.flat_map(|(kind, texts)| texts.split_whitespace().map(move |t| (kind, t)));
        for (kind, text) in rows {
            let pattern = Pattern::read(text);
            match pattern.tokens.first() {
                Some(Piece::Word(word)) => {
                    let key = word.to_ascii_lowercase();
                    rules.by_word.entry(key).or_default().push((*kind, pattern));
                }
                Some(Piece::Mark(_) | Piece::Literal(_)) | None => {
                    rules.others.push((*kind, pattern));
                }
            }
        }
        rules
    }

    fn beginning(&self, token: Option<&Token<'_>>, php: bool) -> &[(Kind, Pattern)] {
        match token {
            Some(Token::Word(word)) => {
                let lower;
                let key = if php || word.bytes().any(|b| b.is_ascii_uppercase()) {
                    lower = word.to_ascii_lowercase();
                    lower.as_str()
                } else {
                    word
                };
                self.by_word.get(key).map_or(&[], Vec::as_slice)
            }
            Some(Token::Mark(_) | Token::Literal(_) | Token::Command) => &self.others,
            None => &[],
        }
    }
}

impl Pattern {
    fn read(text: &'static str) -> Pattern {
        let bare = text.starts_with('^');
        let mut rest = text.trim_start_matches('^');
        let mut tokens = Vec::new();
        while let Some(c) = rest.chars().next() {
            let length = if c == '"' {
                let inside = rest.get(1..).unwrap_or_default();
                let end = inside.find('"').unwrap_or(inside.len());
                tokens.push(Piece::Literal(inside.get(..end).unwrap_or_default()));
                end + 2
            } else if c.is_alphanumeric() || c == '_' {
                let part = |c: char| c.is_alphanumeric() || c == '_';
                let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
                tokens.push(Piece::Word(rest.get(..end).unwrap_or_default()));
                end
            } else {
                if !matches!(c, ' ' | '~') {
                    tokens.push(Piece::Mark(c));
                }
                c.len_utf8()
            };
            rest = rest.get(length..).unwrap_or_default();
        }
        Pattern { bare, tokens }
    }
}

fn fits(pattern: &Pattern, tokens: &[Token<'_>], at: usize, php: bool) -> bool {
    if pattern.bare && at > 0 {
        let before = tokens.get(at - 1);
        let object = matches!(before, Some(Token::Mark('.' | '>')))
            || (matches!(before, Some(Token::Mark(':')))
                && at > 1
                && matches!(tokens.get(at - 2), Some(Token::Mark(':'))));
        let declared = matches!(
            before,
            Some(Token::Word("def" | "function" | "fn" | "func" | "fun"))
        );
        if object || declared {
            return false;
        }
    }
    pattern.tokens.iter().enumerate().all(|(number, piece)| {
        match (piece, tokens.get(at + number)) {
            (Piece::Word(word), Some(Token::Word(found))) => {
                word == found || (php && word.eq_ignore_ascii_case(found))
            }
            (Piece::Mark(mark), Some(Token::Mark(found))) => mark == found,
            (Piece::Literal(text), Some(Token::Literal(found))) => {
                found.trim_start_matches("node:") == *text
            }
            _ => false,
        }
    })
}

/// The tokens of a call, up to the bracket that closes it.
fn call(tokens: &[Token<'_>], at: usize) -> String {
    let mut depth = 0usize;
    let rest = tokens.get(at..).unwrap_or_default();
    let end = rest.iter().take(CALL).position(|token| match token {
        Token::Mark('(' | '[' | '{') => {
            depth += 1;
            false
        }
        Token::Mark(')' | ']' | '}') => {
            depth = depth.saturating_sub(1);
            depth == 0
        }
        Token::Mark(';') => depth == 0,
        Token::Mark(_) | Token::Word(_) | Token::Literal(_) | Token::Command => false,
    });
    // Without a bracket some words behind it are what it does.
    let end = end.map_or(rest.len().min(CALL), |end| end + 1);
    let opens = rest.iter().take(8).any(|token| *token == Token::Mark('('));
    let end = if opens { end } else { end.min(8) };
    shown(rest.get(..end).unwrap_or_default())
}

fn shown(tokens: &[Token<'_>]) -> String {
    let mut out = String::new();
    for token in tokens {
        match token {
            Token::Word(word) => {
                if out.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                    out.push(' ');
                }
                out.push_str(word);
            }
            Token::Mark(mark) => out.push(*mark),
            Token::Literal(text) => {
                out.push('"');
                out.push_str(text);
                out.push('"');
            }
            Token::Command => out.push_str("a command in backquotes "),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::code::parse;
    use std::time::{Duration, Instant};

    fn kinds(path: &str, text: &str) -> Vec<Kind> {
        let grammar = Grammar::of(path);
        let deadline = Instant::now() + Duration::from_secs(20);
        let tree = grammar.map(|grammar| parse(grammar, text, deadline).unwrap());
        let code = Code::read(text, grammar.zip(tree.as_ref()));
        let mut kinds: Vec<Kind> = powers(&code, text, grammar)
            .into_keys()
            .map(|(k, _)| k)
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    #[test]
    fn powers_are_seen_in_every_language() {
        use Kind::{Environment, Eval, Network, Process};
        for (path, text, kind) in [
            ("a.py", "eval(x)\n", Eval),
            ("a.py", "__import__('os')\n", Eval),
            ("a.py", "import subprocess\n", Process),
            ("a.py", "from os import path, system as s\n", Process),
            ("a.py", "import os as o\n", Process),
            ("a.py", "f\"{os.system(x)}\"\n", Process),
            ("a.py", "getattr(x, name)\n", Eval),
            ("a.py", "import socket\n", Network),
            ("a.py", "os.environ['A']\n", Environment),
            ("a.js", "new Function('return 1')\n", Eval),
            ("a.js", "require('child_process')\n", Process),
            ("a.js", "import { x } from 'node:child_process'\n", Process),
            ("a.js", "fetch(x)\n", Network),
            ("a.ts", "globalThis['ev' + 'al'](x)\n", Eval),
            (
                "a.go",
                "package a\nfunc f() { exec.Command(\"ls\") }\n",
                Process,
            ),
            ("a.go", "package a\nimport h \"net/http\"\n", Network),
            ("a.go", "package a\nfunc f() { http.Get(x) }\n", Network),
            (
                "A.java",
                "class A { void f() { Runtime.getRuntime().exec(x); } }\n",
                Process,
            ),
            (
                "A.java",
                "class A { void f() { Class.forName(x); } }\n",
                Eval,
            ),
            (
                "a.rs",
                "fn f() { std::process::Command::new(\"ls\"); }\n",
                Process,
            ),
            ("a.rs", "fn f() { unsafe { g() } }\n", Eval),
            ("a.rb", "x = `ls`\n", Process),
            ("a.rb", "eval params\n", Eval),
            ("a.rb", "Net::HTTP.get(x)\n", Network),
            ("a.php", "<?php SyStEm('ls');\n", Process),
            ("a.php", "<?php $x = `ls`;\n", Process),
            ("a.php", "<?php $f = 'shell_exec'; $f('ls');\n", Process),
            ("a.kt", "val p = ProcessBuilder(x)\n", Process),
            ("a.py", "# -*- coding: utf-7 -*-\nx = 1\n", Eval),
            ("a.py", "import os\nos.execvpe(x)\n", Process),
            ("a.py", "import requests\n", Network),
            ("a.js", "window.eval(x)\n", Eval),
            (
                "a.go",
                "package a\n\n//go:generate sh -c x\nvar x = 1\n",
                Eval,
            ),
            ("a.rs", "use std::process as p;\n", Process),
            ("a.rb", "x = <<~`EOS`\n  ls\nEOS\n", Process),
            ("a.rb", "self.system('ls')\n", Process),
            ("a.php", "<?php $f = 'sys' . 'tem'; $f('ls');\n", Eval),
            ("a.php", "<?php ('sys' . 'tem')('ls');\n", Eval),
            (
                "A.java",
                "import static java.lang.Runtime.*; class A { Object r = getRuntime(); }\n",
                Process,
            ),
            ("a.ex", "System.cmd(\"ls\", [])\n", Process),
        ] {
            assert!(
                kinds(path, text).contains(&kind),
                "{path}: {text}: {:?}",
                kinds(path, text)
            );
        }
    }

    #[test]
    fn what_only_sounds_like_a_power_is_none() {
        for (path, text) in [
            (
                "a.py",
                "# eval(x)\nx = 'os.system'\nmodel.eval()\nre.compile('a')\n",
            ),
            (
                "a.py",
                "getattr(x, 'name', None)\nsystem = 1\nx.exec_time = 2\nfor r in requests: pass\n",
            ),
            (
                "a.js",
                "const m = /a/.exec(text);\nconst fetchAll = 1;\nthis.evaluate(x);\nclass A { constructor(x) {} }\n",
            ),
            (
                "a.go",
                "package a\nimport \"net/http\"\nvar x = http.StatusOK\n",
            ),
            ("A.java", "class A { void f() { service.submit(x); } }\n"),
            ("a.rs", "fn f() { evaluate(x); }\n"),
            ("a.rb", "evaluate(x)\nsystem_name = 1\n"),
            ("a.php", "<?php $this->exec($x); $a->system(1);\n"),
        ] {
            assert_eq!(kinds(path, text), Vec::<Kind>::new(), "{path}: {text}");
        }
    }
}
