//! Whether taking a change back would take away something that later code has come to use: a
//! diff that applies and then does not build helps nobody. Names only, no grammar.

use crate::source::diff::Edit;
use crate::source::locate::Files;
use crate::source::locate::function::has_word;
use std::collections::BTreeSet;

/// Most files that are searched for a name.
const FILES: usize = 4_000;
/// Most bytes that are searched.
const BYTES: usize = 32 << 20;
/// Most names that are searched for.
const NAMES: usize = 100;

/// A name that the edits take away although something still uses it, and what does.
pub(super) fn still_used(edits: &[Edit], files: &dyn Files) -> Option<(String, String)> {
    let after = |edit: &Edit| {
        let text = edit.content.as_deref().unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    };
    let mut gone: BTreeSet<String> = BTreeSet::new();
    let mut kept: BTreeSet<String> = BTreeSet::new();
    for edit in edits {
        gone.extend(
            files
                .text(&edit.path)
                .iter()
                .flat_map(|text| defined_in(text)),
        );
        kept.extend(defined_in(&after(edit)));
    }
    let gone: Vec<String> = gone.difference(&kept).take(NAMES).cloned().collect();
    if gone.is_empty() {
        return None;
    }
    let endings: BTreeSet<&str> = edits.iter().filter_map(|edit| ending(&edit.path)).collect();
    let edited = |path: &str| edits.iter().any(|edit| edit.path == path);
    let mut used: Vec<(String, String)> = Vec::new();
    let mut defined: BTreeSet<String> = BTreeSet::new();
    let mut look = |path: &str, text: &str| {
        defined.extend(
            defined_in(text)
                .into_iter()
                .filter(|name| gone.contains(name)),
        );
        for name in gone.iter().filter(|name| has_word(text, name)) {
            used.push((name.clone(), path.to_owned()));
        }
    };
    for edit in edits {
        look(&edit.path, &after(edit));
    }
    let mut bytes = 0;
    let same = |path: &&String| ending(path).is_some_and(|e| endings.contains(e)) && !edited(path);
    for path in files.paths().iter().filter(same).take(FILES) {
        if let Some(text) = files.text(path) {
            bytes += text.len();
            look(path, &text);
        }
        if bytes > BYTES {
            break;
        }
    }
    // Another thing of the same name may be what is meant.
    used.into_iter().find(|(name, _)| !defined.contains(name))
}

fn ending(path: &str) -> Option<&str> {
    path.rsplit('/')
        .next()?
        .rsplit_once('.')
        .map(|(_, ending)| ending)
}

/// The names that a text defines: functions, types, and constants at its margin.
fn defined_in(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in text.lines().filter(|line| line.len() < 1_000) {
        let code = line.trim_start();
        let margin = code.len() == line.len();
        let mut words = code.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let mut after = false;
        for word in words.by_ref().take(8) {
            if after && !word.is_empty() {
                names.push(word.to_owned());
                break;
            }
            after |= matches!(
                word,
                "def"
                    | "class"
                    | "func"
                    | "fn"
                    | "function"
                    | "struct"
                    | "enum"
                    | "trait"
                    | "interface"
                    | "type"
                    | "object"
            );
        }
        // func (s *Server) Name(
        if let Some(rest) = code.strip_prefix("func (")
            && let Some((_, method)) = rest.split_once(") ")
        {
            names.pop();
            names.extend(first_name(method));
        }
        let constant = [
            "const ",
            "export const ",
            "pub const ",
            "static ",
            "pub static ",
            "var ",
            "let ",
            "export let ",
        ]
        .iter()
        .find_map(|word| code.strip_prefix(word));
        if margin && let Some(rest) = constant {
            names.extend(first_name(rest));
        } else if margin && code.contains(" = ") && !code.contains(" == ") {
            names.extend(first_name(code).filter(|name| name.chars().any(char::is_uppercase)));
        }
    }
    names
}

fn first_name(text: &str) -> Option<String> {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    text.get(..end)
        .filter(|name| name.len() > 1)
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    struct Texts(Vec<String>, Vec<(&'static str, &'static str)>);

    impl Files for Texts {
        fn paths(&self) -> &[String] {
            &self.0
        }
        fn text(&self, path: &str) -> Option<Cow<'_, str>> {
            let found = self.1.iter().find(|(name, _)| *name == path);
            found.map(|(_, text)| Cow::Borrowed(*text))
        }
    }

    fn used(
        files: &[(&'static str, &'static str)],
        path: &str,
        after: Option<&str>,
    ) -> Option<String> {
        let files = Texts(
            files.iter().map(|(p, _)| (*p).to_owned()).collect(),
            files.to_vec(),
        );
        let edit = Edit {
            path: path.to_owned(),
            content: after.map(|text| text.as_bytes().to_vec()),
            new_mode: 0,
        };
        still_used(&[edit], &files).map(|(name, _)| name)
    }

    #[test]
    fn names_of_all_languages() {
        for (line, name) in [
            ("    def total(self):", "total"),
            ("export async function total(a) {", "total"),
            ("func (c *Cart) Total() int {", "Total"),
            ("pub(crate) fn total() {", "total"),
            ("public final class Cart {", "Cart"),
            ("export const RATE = 3;", "RATE"),
            ("RATES = {}", "RATES"),
        ] {
            assert_eq!(defined_in(line), [name], "{line}");
        }
        assert!(defined_in("    x = 1\nreturn a == b\n").is_empty());
    }

    #[test]
    fn what_others_use_cannot_go() {
        let fee = "def fee():\n    return 1\n";
        let user = ("b.py", "from a import fee\n");
        assert_eq!(
            used(&[("a.py", fee), user], "a.py", Some("")),
            Some("fee".into())
        );
        assert_eq!(
            used(&[("a.py", fee), user], "a.py", None),
            Some("fee".into())
        );
        assert_eq!(used(&[("a.py", fee)], "a.py", Some("")), None);
        // The edited file itself may be the one that uses it.
        assert_eq!(
            used(&[("a.py", fee)], "a.py", Some("x(fee)\n")),
            Some("fee".into())
        );
        // Another fee is still there.
        assert_eq!(
            used(&[("a.py", fee), user, ("c.py", fee)], "a.py", Some("")),
            None
        );
    }
}
