//! Whether taking a change back would take away something that later code has come to use: a
//! diff that applies and then does not build helps nobody. Names only, no grammar.

use crate::investigate::words;
use crate::source::diff::Edit;
use crate::source::locate::Files;
use std::collections::{BTreeSet, HashSet};

/// Most files that are searched for a name.
const FILES: usize = 4_000;
/// Most bytes that are searched.
const BYTES: usize = 32 << 20;
/// Shorter names say too little.
const SHORTEST: usize = 3;

/// What a commit brought, and what was there before it.
pub(super) struct Past<'a> {
    /// Code words of files after the commit that the same file did not have before it.
    pub introduced: BTreeSet<String>,
    /// A file's text before the commit, by its name at the deployed commit.
    pub before: &'a dyn Fn(&str) -> Option<String>,
    /// Whether all of the commit is taken back.
    pub whole: bool,
}

/// A name that the edits take away although something still uses it, and what does.
pub(super) fn still_used(
    edits: &[Edit],
    files: &dyn Files,
    past: &Past<'_>,
) -> Option<(String, String)> {
    let mut gone = Gone::default();
    for edit in edits {
        let now = files.text(&edit.path).unwrap_or_default();
        let after = edit.content.as_deref().unwrap_or_default();
        let after = String::from_utf8_lossy(after);
        gone.add(&now, &after, past);
        if edit.content.is_none() {
            gone.modules.extend(module(&edit.path));
        }
        let left = code_words(&after);
        let had = (past.before)(&edit.path).map(|text| code_words(&text));
        let had = had.unwrap_or_default();
        let bound = if past.whole {
            HashSet::new()
        } else {
            bound_in(&after)
        };
        let broken = gone
            .names
            .iter()
            .find(|name| left.contains(*name) && !had.contains(*name) && !bound.contains(*name));
        if let Some(name) = broken {
            return Some((name.clone(), edit.path.clone()));
        }
    }
    elsewhere(edits, files, past, &gone)
}

/// The same in the files that stay as they are.
fn elsewhere(
    edits: &[Edit],
    files: &dyn Files,
    past: &Past<'_>,
    gone: &Gone,
) -> Option<(String, String)> {
    let families: BTreeSet<&str> = edits.iter().filter_map(|edit| family(&edit.path)).collect();
    let open = |path: &&String| {
        family(path).is_some_and(|one| families.contains(one))
            && !edits.iter().any(|edit| edit.path == **path)
    };
    let mut used: Vec<(String, String)> = Vec::new();
    let mut older: HashSet<String> = HashSet::new();
    let mut bytes = 0;
    for path in files.paths().iter().filter(open).take(FILES) {
        let Some(text) = files.text(path) else {
            continue;
        };
        bytes += text.len();
        if bytes > BYTES {
            break;
        }
        // Taking a text apart is slow, and most hold none of the names.
        let held = gone.names.iter().any(|name| text.contains(name.as_str()));
        let words = match held {
            true => code_words(&text),
            false => HashSet::new(),
        };
        let imported = imported_in(&text);
        let names = gone.names.iter().filter(|name| words.contains(*name));
        let modules = gone.modules.iter().filter(|name| imported.contains(*name));
        let found: BTreeSet<&String> = names.chain(modules).collect();
        if found.is_empty() {
            continue;
        }
        let before = (past.before)(path).unwrap_or_default();
        let (had, had_imported) = (code_words(&before), imported_in(&before));
        for name in found {
            match had.contains(name) || had_imported.contains(name) {
                true => {
                    older.insert(name.clone());
                }
                false => used.push((name.clone(), path.clone())),
            }
        }
    }
    // What others knew before the commit and it only used is still there.
    used.into_iter().find(|(name, _)| {
        let brought = gone.defined.contains(name) || gone.modules.contains(name);
        brought || !(older.contains(name) || gone.local.contains(name))
    })
}

/// What the edits take away.
#[derive(Default)]
struct Gone {
    names: BTreeSet<String>,
    /// Those that lines which go define for others.
    defined: HashSet<String>,
    /// Those that lines which go set as variables of a function.
    local: HashSet<String>,
    /// Names of files that go.
    modules: BTreeSet<String>,
}

impl Gone {
    fn add(&mut self, now: &str, after: &str, past: &Past<'_>) {
        let stays: HashSet<&str> = after.lines().collect();
        for line in now.lines().filter(|line| !stays.contains(line)) {
            let words = code_words(line);
            let names = words.iter().filter(|word| past.introduced.contains(*word));
            self.names.extend(names.cloned());
            let end = line.trim_end();
            let header = end.ends_with(['{', ':']) && line.contains('(');
            let control = ["if ", "for ", "while ", "}", "switch ", "with "]
                .iter()
                .any(|word| line.trim_start().starts_with(word));
            if header && !control {
                self.defined.extend(words.iter().cloned());
            }
            self.defined.extend(defined_in(line));
            let margin = !line.starts_with([' ', '\t']);
            let left = line.split('=').next().unwrap_or(line);
            if margin || left.contains('.') {
                self.defined.extend(words::set_by(line));
            } else {
                self.local.extend(words::set_by(line));
            }
        }
    }
}

/// The code words of a text that are long enough to mean something, without those that every
/// program has.
pub(super) fn code_words(text: &str) -> HashSet<String> {
    let mut names = words::names(&words::without_quotes(text));
    // Every file of JavaScript says these.
    let form = |name: &str| matches!(name, "module" | "exports" | "require");
    names.retain(|name| name.len() >= SHORTEST && !form(name));
    names
}

/// Whether a line brings in names from elsewhere.
pub(super) fn is_import(line: &str) -> bool {
    let text = line.trim();
    ["import ", "from ", "use ", "#include", "pub use ", "export * from", "mod ", "pub mod "]
        .iter()
        .any(|word| text.starts_with(word))
        || text.contains("require(")
        || text.contains("import(")
        // Within the brackets of a Go import.
        || (text.starts_with('"') && text.ends_with('"') && !text.contains(' ') && text.len() > 2)
}

/// Words of the lines that import, quoted ones too.
fn imported_in(text: &str) -> HashSet<String> {
    let lines = text
        .lines()
        .filter(|line| line.len() < 1_000 && is_import(line));
    lines.flat_map(plain_words).collect()
}

/// Every word of a line, quoted ones too.
pub(super) fn plain_words(line: &str) -> impl Iterator<Item = String> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| word.len() >= SHORTEST)
        .map(str::to_owned)
}

/// Names that a text gives a meaning to: what it defines, sets or imports.
fn bound_in(text: &str) -> HashSet<String> {
    let mut bound = imported_in(text);
    bound.extend(defined_in(text));
    for line in text.lines().filter(|line| line.len() < 1_000) {
        let twice = |name: &str| plain_words(line).filter(|word| word == name).count() > 1;
        bound.extend(words::set_by(line).into_iter().filter(|name| !twice(name)));
    }
    bound
}

/// What others import a file as.
fn module(path: &str) -> Option<String> {
    let mut names = path.rsplit('/');
    let stem = names.next()?.split('.').next()?;
    let name = match stem {
        "index" | "__init__" | "mod" => names.next()?,
        _ => stem,
    };
    (name.len() >= SHORTEST).then(|| name.to_owned())
}

/// Languages that use one another's names.
fn family(path: &str) -> Option<&str> {
    let (_, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
    Some(match ending {
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" | "svelte" => "js",
        "java" | "kt" | "scala" | "groovy" => "java",
        "py" | "pyi" => "py",
        other => other,
    })
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
        let now = files.text(path).unwrap_or_default().into_owned();
        let before = |asked: &str| {
            asked
                .starts_with("old")
                .then(|| files.text(asked).unwrap_or_default().into_owned())
        };
        let past = Past {
            introduced: code_words(&now).into_iter().collect(),
            before: &before,
            whole: true,
        };
        still_used(&[edit], &files, &past).map(|(name, _)| name)
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
        // Who had the name before the commit means another thing.
        let old = ("old.py", "def fee():\n    return 2\n");
        assert_eq!(used(&[("a.py", fee), old], "a.py", Some("")), None);
    }

    #[test]
    fn quotes_and_comments_use_nothing() {
        let fee = "def count():\n    return 1\n";
        for text in [
            "\"\"\"The count.\"\"\"\n",
            "x = 1  # the count\n",
            "x = 'count'\n",
        ] {
            assert_eq!(
                used(&[("a.py", fee), ("b.py", text)], "a.py", None),
                None,
                "{text}"
            );
        }
        let text = "x = f'{count()}'\n";
        assert!(used(&[("a.py", fee), ("b.py", text)], "a.py", None).is_some());
    }

    #[test]
    fn methods_attributes_and_modules_count() {
        for (path, text, user, name) in [
            (
                "A.java",
                "    public int priceOf(String id) {\n",
                "x = cart.priceOf(1);\n",
                "priceOf",
            ),
            (
                "s.py",
                "        self.base = conf\n",
                "return service.base\n",
                "base",
            ),
            (
                "lib/fetch.js",
                "x\n",
                "const load = require('./lib/fetch');\n",
                "fetch",
            ),
        ] {
            let ending = path.rsplit('.').next().unwrap();
            let other = if ending == "java" {
                "B.java"
            } else if ending == "py" {
                "b.py"
            } else {
                "b.js"
            };
            let found = used(&[(path, text), (other, user)], path, None);
            assert_eq!(found.as_deref(), Some(name));
        }
    }
}
