//! What a file is to the service, by its path alone: its own code or a copy of somebody else's, a
//! test, a place for what everything uses, source or data.

use crate::model::Language;

/// Code that was copied into the repository and is not the service's own.
pub(super) fn is_copied(file: &str) -> bool {
    file.split('/').rev().skip(1).any(|folder| {
        matches!(
            folder,
            "vendor"
                | "node_modules"
                | "third_party"
                | "thirdparty"
                | "site-packages"
                | ".venv"
                | "_vendor"
                | "bower_components"
        )
    })
}

/// Code that tests other code.
pub(super) fn is_test(file: &str) -> bool {
    let mut names = file.rsplit('/');
    let name = names.next().unwrap_or(file).to_lowercase();
    let stem = name.split('.').next().unwrap_or(&name);
    let folder = names.any(|folder| {
        matches!(
            folder,
            "test"
                | "tests"
                | "testing"
                | "__tests__"
                | "spec"
                | "specs"
                | "e2e"
                | "benchmarks"
                | "examples"
                | "docs"
        )
    });
    folder
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem == "conftest"
        || name.contains(".test.")
        || name.contains(".spec.")
        || (name.ends_with("test.java")
            || name.ends_with("tests.java")
            || name.ends_with("test.kt"))
}

/// The kind of a file that statements and texts stand in: its language, where frames have that
/// language too. `None` for everything that is not worth searching.
pub(super) fn source(file: &str) -> Option<Option<Language>> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let (stem, extension) = name.rsplit_once('.')?;
    if stem.ends_with(".min") || stem.ends_with(".bundle") {
        return None;
    }
    Some(match extension {
        "py" | "pyx" | "pyi" => Some(Language::Python),
        "java" | "kt" | "kts" | "scala" | "groovy" => Some(Language::Java),
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" | "svelte" => {
            Some(Language::Javascript)
        }
        "go" => Some(Language::Go),
        "rs" => Some(Language::Rust),
        "rb" | "rake" | "erb" => Some(Language::Ruby),
        "php" => Some(Language::Php),
        "cs" => Some(Language::Csharp),
        "dart" => Some(Language::Dart),
        "ex" | "exs" | "erl" | "hrl" => Some(Language::Elixir),
        "c" | "cc" | "cpp" | "cxx" | "h" | "hh" | "hpp" => Some(Language::Cpp),
        "sql" | "yml" | "yaml" | "toml" | "proto" | "graphql" | "sh" | "lua" | "swift" | "pl" => {
            None
        }
        _ => return None,
    })
}

/// Code that a generator wrote, by its name.
pub(super) fn is_generated(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let made = [
        "_pb2.py",
        "_pb2_grpc.py",
        ".pb.go",
        "_gen.go",
        ".g.dart",
        ".freezed.dart",
        ".g.cs",
    ];
    made.iter().any(|end| name.ends_with(end))
        || file
            .split('/')
            .rev()
            .skip(1)
            .any(|folder| matches!(folder, "generated" | "__generated__" | "autogen"))
}

/// Code for everybody, by its name: helpers, checks, compatibility.
pub(super) fn is_shared(file: &str) -> bool {
    const WORDS: &[&str] = &[
        "util",
        "utils",
        "helper",
        "helpers",
        "common",
        "compat",
        "lib",
        "validator",
        "validators",
        "validation",
        "checks",
        "assert",
        "asserts",
        "assertions",
        "preconditions",
        "precondition",
        "invariant",
        "must",
        "require",
        "typed",
        "strict",
        "shared",
        "support",
    ];
    let stem = |part: &str| {
        part.split('.')
            .next()
            .unwrap_or(part)
            .trim_start_matches('_')
            .to_lowercase()
    };
    file.rsplit('/')
        .take(2)
        .any(|part| WORDS.contains(&stem(part).as_str()))
}
