//! Reads Rust source well enough for the house rules: comments and literals blanked out, test
//! code cut away, `use` trees spelt out as paths. Not a parser: what it cannot follow (macros
//! that build paths) it does not see.

use std::fs;
use std::path::Path;

/// One file of the tree, with its code in the three forms that the rules ask for.
pub struct File {
    /// Path from the package's folder, with `/`.
    pub path: String,
    pub raw: String,
    /// Without comments, literals and items under `#[cfg(test)]`; the lines stay where they were.
    pub code: String,
    /// Lines outside such items.
    pub length: usize,
    /// Every path that the code names, `use` trees spelt out.
    pub paths: Vec<String>,
}

impl File {
    pub fn new(path: &str, raw: &str) -> File {
        let whole = blank_literals(raw);
        let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
        let (code, length) = if is_test {
            (String::new(), 0)
        } else {
            cut_tests(&whole)
        };
        let paths = paths_of(&code);
        File {
            path: path.to_owned(),
            raw: raw.to_owned(),
            code,
            length,
            paths,
        }
    }

    /// The room of a file under `src/`: its first folder, or its name where it lies at the top.
    pub fn room(&self) -> Option<&str> {
        let inner = self.path.strip_prefix("src/")?;
        let first = inner.split('/').next()?;
        Some(first.strip_suffix(".rs").unwrap_or(first))
    }

    /// How many modules lie between the crate's root and this file's items.
    pub fn depth(&self) -> usize {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let parts = inner.split('/').count();
        parts - usize::from(inner.ends_with("/mod.rs"))
    }

    /// The code's identifiers and keywords with what follows each.
    pub fn words(&self) -> impl Iterator<Item = (&str, &str)> {
        words(&self.code)
    }
}

/// Every `.rs` file under `folder` of this package, sorted by path.
pub fn read_tree(folder: &str) -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    collect(root, &root.join(folder), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(root: &Path, at: &Path, found: &mut Vec<File>) {
    if at.is_file() {
        let name = at.strip_prefix(root).expect("below the package");
        let raw = fs::read_to_string(at).expect("source is UTF-8");
        found.push(File::new(&name.to_string_lossy(), &raw));
    } else if at.is_dir() {
        for entry in fs::read_dir(at).expect("readable folder") {
            let path = entry.expect("readable entry").path();
            if path.is_dir() || path.extension().is_some_and(|end| end == "rs") {
                collect(root, &path, found);
            }
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn words(code: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = code;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c| !is_word(c));
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        (!word.is_empty()).then_some((word, after))
    })
}

/// Comments and the insides of literals become spaces; line breaks stay.
fn blank_literals(raw: &str) -> String {
    let chars: Vec<char> = raw.chars().collect();
    let mut out = String::with_capacity(raw.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|&c| blank(c)));
            at = end;
        }
    }
    out
}

fn blank(c: char) -> char {
    if c == '\n' { '\n' } else { ' ' }
}

/// The end of the comment or literal that begins at `at`; `at` where none begins there.
fn literal_end(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1).copied();
    match chars[at] {
        '/' if next == Some('/') => find(chars, at, |c| c == '\n'),
        '/' if next == Some('*') => block_comment_end(chars, at),
        '"' => quoted_end(chars, at + 1, '"'),
        '\'' if next == Some('\\') || chars.get(at + 2) == Some(&'\'') => {
            quoted_end(chars, at + 1, '\'')
        }
        'r' if at == 0 || !is_word(chars[at - 1]) || chars[at - 1] == 'b' => {
            raw_string_end(chars, at).unwrap_or(at)
        }
        _ => at,
    }
}

fn find(chars: &[char], from: usize, stop: impl Fn(char) -> bool) -> usize {
    let more = chars[from..].iter().position(|&c| stop(c));
    more.map_or(chars.len(), |n| from + n)
}

fn block_comment_end(chars: &[char], at: usize) -> usize {
    let (mut depth, mut at) = (0, at);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(chars.len())
}

fn quoted_end(chars: &[char], from: usize, quote: char) -> usize {
    let mut at = from;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn raw_string_end(chars: &[char], at: usize) -> Option<usize> {
    let open = find(chars, at + 1, |c| c != '#');
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let hashes = open - at - 1;
    let mut end = open + 1;
    loop {
        end = find(chars, end, |c| c == '"') + 1;
        let closed = end > chars.len()
            || (chars[end..].len() >= hashes && chars[end..end + hashes].iter().all(|&c| c == '#'));
        if closed {
            return Some((end + hashes).min(chars.len()));
        }
    }
}

/// Blanks every item under `#[cfg(test)]`; returns the code and how many lines are left.
fn cut_tests(code: &str) -> (String, usize) {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let (mut rest, mut cut) = (code, 0);
    while let Some(start) = rest.find(MARK) {
        let (before, item) = rest.split_at(start);
        let end = item_end(item, MARK.len());
        out.push_str(before);
        out.extend(item[..end].chars().map(blank));
        cut += item[..end].lines().count();
        rest = &item[end..];
    }
    out.push_str(rest);
    let length = code.lines().count().saturating_sub(cut);
    (out, length)
}

/// Where the item ends that begins with an attribute: at a `;` or `}` outside all brackets.
fn item_end(item: &str, from: usize) -> usize {
    let mut depth = 0;
    for (at, c) in item.char_indices().skip_while(|(at, _)| *at < from) {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(c, ';' | '}') {
            return at + 1;
        }
    }
    item.len()
}

fn paths_of(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some((word, after)) = words(rest).next() {
        rest = after;
        if word == "use" {
            let end = after.find(';').unwrap_or(after.len());
            let (tree, behind) = after.split_at(end);
            spell_out("", tree, &mut found);
            rest = behind;
        } else if let Some((path, behind)) = inline_path(word, after) {
            found.push(path);
            rest = behind;
        }
    }
    found
}

fn inline_path<'a>(first: &str, after: &'a str) -> Option<(String, &'a str)> {
    let mut path = first.to_owned();
    let mut rest = after;
    while let Some(tail) = rest.strip_prefix("::") {
        let end = tail.find(|c| !is_word(c)).unwrap_or(tail.len());
        if end == 0 {
            break;
        }
        path = format!("{path}::{}", &tail[..end]);
        rest = &tail[end..];
    }
    (rest.len() < after.len()).then_some((path, rest))
}

/// `a::{b, c::d as e}` becomes `a::b` and `a::c::d`.
fn spell_out(before: &str, tree: &str, found: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree);
        let path: String = path.split_whitespace().collect();
        found.push(format!("{before}{path}").trim_matches(':').to_owned());
        return;
    };
    let head: String = head.split_whitespace().collect();
    let inner = group.trim_end().strip_suffix('}').unwrap_or(group);
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inner[start..at].trim().is_empty() {
                    spell_out(&format!("{before}{head}"), &inner[start..at], found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}
