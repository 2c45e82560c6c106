//! Whether the files still parse. A file that did not parse before may keep as many faults as it
//! had. Where there is no grammar, a note says so.

use super::case::{Case, Touched};
use super::{Seen, quoted};
use crate::patch::code::errors;

pub(super) fn check(case: &Case<'_>) -> Seen {
    let mut seen = Seen::default();
    let mut parsed = 0;
    for file in &case.files {
        match (&file.after.tree, data(file)) {
            (Some(Ok(tree)), _) => {
                parsed += 1;
                let Some(grammar) = file.grammar else {
                    continue;
                };
                let (count, line) = errors(tree, &file.after.text, grammar);
                let before = file.before.as_ref();
                let known = before.and_then(|side| Some((side, side.tree()?)));
                let allowed = known.map_or(0, |(side, tree)| errors(tree, &side.text, grammar).0);
                if count > allowed {
                    seen.fault(format!(
                        "{} would not parse as {}: look at line {}",
                        quoted(&file.path),
                        grammar.name(),
                        line.unwrap_or(1)
                    ));
                }
            }
            (Some(Err(why)), _) => seen.fault(format!(
                "{} cannot be checked: {}; leave it as it is",
                quoted(&file.path),
                why.why()
            )),
            (None, Some(fault)) => {
                parsed += 1;
                if let Some(fault) = fault {
                    seen.fault(format!("{} would not parse: {fault}", quoted(&file.path)));
                }
            }
            (None, None) => {
                let name = file.path.rsplit('/').next().unwrap_or(&file.path);
                let kind = language(name);
                case.note(format!("syntax not checked ({kind}): {}", file.path));
            }
        }
    }
    let all = case.files.len();
    seen.says(format!("{parsed} of {all} files parse"))
}

/// For JSON and TOML: what is new that does not parse. `None`: neither of them.
fn data(file: &Touched) -> Option<Option<String>> {
    let ending = file.path.rsplit_once('.')?.1.to_ascii_lowercase();
    let fault = |text: &str| match ending.as_str() {
        "json" => Some(
            serde_json::from_str::<serde::de::IgnoredAny>(text)
                .err()
                .map(|e| {
                    // Its words hold no piece of the text.
                    format!("line {} column {}", e.line(), e.column())
                }),
        ),
        "toml" => Some(text.parse::<toml::Table>().err().map(|e| {
            let at = e.span().map_or(0, |span| span.start);
            let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
            format!("line {line}")
        })),
        _ => None,
    };
    let now = fault(&file.after.text)?;
    let before = file.before.as_ref().and_then(|side| fault(&side.text));
    let was_broken = before.is_some_and(|fault| fault.is_some());
    Some(now.filter(|_| !was_broken))
}

/// How the language of a file without a grammar is called.
fn language(name: &str) -> String {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let known = match ending.to_ascii_lowercase().as_str() {
        "ex" | "exs" => "Elixir",
        "erl" | "hrl" => "Erlang",
        "kt" | "kts" => "Kotlin",
        "scala" => "Scala",
        "cs" => "C#",
        "dart" => "Dart",
        "c" | "h" => "C",
        "cc" | "cpp" | "cxx" | "hpp" => "C++",
        "swift" => "Swift",
        "sql" => "SQL",
        "yml" | "yaml" => "YAML",
        "" => "no ending",
        other => return format!(".{}", super::cut(other, 12)),
    };
    known.to_owned()
}
