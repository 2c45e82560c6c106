//! Whether an edit imports a package that the repository does not use yet: what is installed, and
//! who wrote it, is for people to decide. Fine are the standard library, the repository's own
//! modules, what a manifest lists, and what another file imports already.

mod manifests;

use super::case::{Case, Touched};
use super::stdlib;
use super::{Seen, quoted};
use crate::patch::code::imports::{Imports, read};
use crate::patch::code::{Grammar, parse};
use crate::source::locate::Files;
use manifests::{composer_has, in_manifest, is_crate};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Instant;

/// Most files that are searched for an import.
const FILES: usize = 4_000;
/// Most files that hold the name and are parsed.
const PARSED: usize = 60;
/// Most bytes that are searched.
const BYTES: usize = 32 << 20;

pub(super) fn check(case: &Case<'_>) -> Seen {
    let mut seen = Seen::default();
    let mut new = 0;
    for file in &case.files {
        shadows(file, &mut seen);
        let Some(grammar) = file.grammar else {
            unread(case, file, &mut seen);
            continue;
        };
        let of = |side: &super::case::Side| side.tree().map(|tree| read(&side.text, grammar, tree));
        let before = file.before.as_ref().and_then(of).unwrap_or_default();
        let Some(after) = of(&file.after) else {
            continue;
        };
        for computed in after.computed.difference(&before.computed) {
            seen.fault(format!(
                "{} would import what is named only while it runs ({}); name it plainly",
                quoted(&file.path),
                quoted(computed)
            ));
        }
        for name in after.names.difference(&before.names) {
            new += 1;
            if !is_known(case, file, grammar, name) {
                seen.fault(format!(
                    "{} would import {}, which the repository does not use; use what is there",
                    quoted(&file.path),
                    quoted(name)
                ));
            }
        }
    }
    seen.says(format!(
        "{new} new imports of what the repository uses already"
    ))
}

/// A new module that would be loaded in the place of a known one.
fn shadows(file: &Touched, seen: &mut Seen) {
    if file.before.is_some() || file.grammar != Some(Grammar::Python) {
        return;
    }
    let mut parts = file.path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    let module = match name.rsplit_once('.').map_or(name, |(stem, _)| stem) {
        "__init__" => parts.next().unwrap_or_default(),
        stem => stem,
    };
    if stdlib::is_python(module) {
        seen.fault(format!(
            "the new file {} would be loaded instead of the standard library's {module}; call it \
             otherwise",
            quoted(&file.path)
        ));
    }
}

/// Files without a grammar: lines that import are compared as they are.
fn unread(case: &Case<'_>, file: &Touched, seen: &mut Seen) {
    let is_import = |line: &&str| {
        let words = [
            "import ", "using ", "open ", "alias ", "use ", "require ", "#include", "@import",
            "-include", "from ", "library(",
        ];
        words.iter().any(|word| line.starts_with(word))
    };
    let of = |text: &'_ str| -> BTreeSet<String> {
        text.lines()
            .map(str::trim)
            .filter(is_import)
            .map(str::to_owned)
            .collect()
    };
    let (before, after) = (of(file.text_before()), of(&file.after.text));
    let ending = file.path.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_code = matches!(
        ending,
        "kt" | "kts"
            | "scala"
            | "cs"
            | "fs"
            | "dart"
            | "ex"
            | "exs"
            | "erl"
            | "hrl"
            | "c"
            | "h"
            | "cc"
            | "cpp"
            | "cxx"
            | "hpp"
            | "swift"
            | "m"
            | "vue"
            | "svelte"
            | "groovy"
            | "clj"
            | "lua"
            | "pl"
            | "pm"
            | "r"
    );
    if !is_code {
        return;
    }
    for line in after.difference(&before) {
        if !elsewhere(case, ending, line) && !is_own_name(case, line) {
            seen.fault(format!(
                "{} would have {}, which no other file here has; use what is there",
                quoted(&file.path),
                quoted(line)
            ));
        }
    }
}

/// Whether another file of the kind has the very line.
fn elsewhere(case: &Case<'_>, ending: &str, line: &str) -> bool {
    let mut bytes = 0;
    let same = |path: &&String| path.rsplit_once('.').is_some_and(|(_, end)| end == ending);
    case.tree
        .paths()
        .iter()
        .filter(same)
        .take(FILES)
        .any(|path| {
            if bytes > BYTES || Instant::now() >= case.ground.deadline {
                return false;
            }
            let Some(text) = case.tree.text(path) else {
                return false;
            };
            bytes += text.len();
            text.lines().any(|other| other.trim() == line)
        })
}

/// Whether the import names a file of the repository: its last names are a path here.
fn is_own_name(case: &Case<'_>, line: &str) -> bool {
    let named = line
        .split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '<' | '>' | ','))
        .rfind(|word| word.len() >= 3);
    let Some(name) = named else { return false };
    let path = name.trim_start_matches("./").replace(['.', '\\'], "/");
    let stem = |path: &str| {
        let cut = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        cut.replace('_', "").to_lowercase()
    };
    let wanted = path.replace('_', "").to_lowercase();
    let wanted = wanted
        .trim_end_matches("/h")
        .trim_end_matches("/dart")
        .to_owned();
    wanted.contains('/')
        && case
            .tree
            .paths()
            .iter()
            .any(|path| stem(path) == wanted || stem(path).ends_with(&format!("/{wanted}")))
}

fn is_known(case: &Case<'_>, file: &Touched, grammar: Grammar, name: &str) -> bool {
    let root = root_of(grammar, name);
    is_standard(grammar, name, &root)
        || is_own(case, file, grammar, name, &root)
        || in_manifest(case, grammar, name, &root)
        || imported(case, file, grammar, &root)
}

/// The part of a name that tells the package.
fn root_of(grammar: Grammar, name: &str) -> String {
    let parts = |separator: char, count: usize| {
        let found: Vec<&str> = name.split(separator).take(count).collect();
        found.join(&separator.to_string())
    };
    match grammar {
        Grammar::Python => parts('.', 1),
        Grammar::Javascript | Grammar::Typescript | Grammar::Tsx => {
            let plain = name.strip_prefix("node:").unwrap_or(name);
            let count = if plain.starts_with('@') { 2 } else { 1 };
            plain
                .split('/')
                .take(count)
                .collect::<Vec<&str>>()
                .join("/")
        }
        // A host, an owner and a name.
        Grammar::Go => parts('/', 3),
        // Packages are written small, classes are not.
        Grammar::Java => {
            let small = |part: &&str| part.starts_with(|c: char| c.is_lowercase());
            let package = name.split('.').take_while(small).take(3);
            package.collect::<Vec<&str>>().join(".")
        }
        Grammar::Rust => name.to_owned(),
        Grammar::Ruby => parts('/', 1),
        Grammar::Php => parts('\\', 2),
    }
}

fn is_standard(grammar: Grammar, name: &str, root: &str) -> bool {
    match grammar {
        Grammar::Python => stdlib::is_python(root),
        Grammar::Javascript | Grammar::Typescript | Grammar::Tsx => {
            name.starts_with("node:") || stdlib::is_node(root)
        }
        Grammar::Go => {
            let first = name.split('/').next().unwrap_or(name);
            !first.contains('.') && stdlib::is_go(first)
        }
        Grammar::Java => name.starts_with("java.") || name.starts_with("javax."),
        Grammar::Rust => matches!(root, "std" | "core" | "alloc" | "crate" | "self" | "super"),
        Grammar::Ruby => stdlib::is_ruby(root),
        // A class of the language itself stands in no namespace.
        Grammar::Php => !name.contains('\\'),
    }
}

/// Whether it is a module of the repository, or of the files that the answer makes.
fn is_own(case: &Case<'_>, file: &Touched, grammar: Grammar, name: &str, root: &str) -> bool {
    let new = case.files.iter().map(|file| file.path.as_str());
    let paths = || {
        case.tree
            .paths()
            .iter()
            .map(String::as_str)
            .chain(new.clone())
    };
    let folder =
        |wanted: &str| paths().any(|path| path.split('/').rev().skip(1).any(|part| part == wanted));
    match grammar {
        Grammar::Python => {
            root.is_empty()
                || paths().any(|path| {
                    let module = path.strip_suffix(".py").unwrap_or(path);
                    let name = module.rsplit('/').next().unwrap_or(module);
                    path.ends_with(".py") && name == root
                })
                || paths()
                    .filter(|path| path.ends_with(".py"))
                    .any(|path| path.split('/').rev().skip(1).any(|part| part == root))
        }
        Grammar::Javascript | Grammar::Typescript | Grammar::Tsx => {
            name.starts_with("./") || name.starts_with("../") || name == "." || name == ".."
        }
        Grammar::Go => case
            .tree
            .paths()
            .iter()
            .filter(|path| *path == "go.mod" || path.ends_with("/go.mod"))
            .take(50)
            .filter_map(|path| case.tree.text(path))
            .any(|text| {
                let module = text
                    .lines()
                    .find_map(|line| line.trim().strip_prefix("module "));
                let module = module.map(|module| module.trim().trim_matches('"').to_owned());
                module.is_some_and(|module| {
                    name == module
                        || name
                            .strip_prefix(&module)
                            .is_some_and(|r| r.starts_with('/'))
                })
            }),
        Grammar::Java => {
            let all: Vec<&str> = name.split('.').collect();
            let packages = (2..=all.len()).rev().filter_map(|end| all.get(..end));
            packages.into_iter().any(|parts| {
                let path = parts.join("/");
                paths().any(|known| {
                    known
                        .strip_suffix(".java")
                        .is_some_and(|stem| stem == path || stem.ends_with(&format!("/{path}")))
                })
            })
        }
        Grammar::Rust => {
            let declared = |text: &str| {
                let words = ["mod ", "enum ", "struct ", "trait "];
                words.iter().any(|word| {
                    text.contains(&format!("{word}{name} "))
                        || text.contains(&format!("{word}{name};"))
                        || text.contains(&format!("{word}{name}{{"))
                })
            };
            declared(&file.after.text) || is_crate(case, name)
        }
        Grammar::Ruby => {
            name.starts_with("./")
                || paths().any(|path| {
                    let stem = path.strip_suffix(".rb").unwrap_or(path);
                    path.ends_with(".rb") && (stem == name || stem.ends_with(&format!("/{name}")))
                })
        }
        Grammar::Php => {
            let first = name.split('\\').next().unwrap_or(name);
            name == "./" || folder(first) || composer_has(case, first)
        }
    }
}

/// Whether a file of the language imports the package already.
fn imported(case: &Case<'_>, file: &Touched, grammar: Grammar, root: &str) -> bool {
    let (mut bytes, mut parsed) = (0, 0);
    let like = |path: &&String| Grammar::of(path).is_some_and(|other| other.is_like(grammar));
    // What lies near is most like it, and the search may be cut.
    let near = |path: &&String| {
        let parts = path.split('/').zip(file.path.split('/'));
        Reverse(parts.take_while(|(one, other)| one == other).count())
    };
    let mut paths: Vec<&String> = case.tree.paths().iter().filter(like).collect();
    paths.sort_by_cached_key(near);
    for path in paths.into_iter().take(FILES) {
        if bytes > BYTES || parsed > PARSED || Instant::now() >= case.ground.deadline {
            return false;
        }
        let Some(text) = case.tree.text(path) else {
            continue;
        };
        bytes += text.len();
        let last = root.rsplit(['.', '\\', '/']).next().unwrap_or(root);
        if !text.contains(last) {
            continue;
        }
        parsed += 1;
        let Some(own) = Grammar::of(path) else {
            continue;
        };
        let Ok(tree) = parse(own, &text, case.ground.deadline) else {
            continue;
        };
        let Imports { names, .. } = read(&text, own, &tree);
        if names.iter().any(|name| root_of(own, name) == root) {
            return true;
        }
    }
    false
}
