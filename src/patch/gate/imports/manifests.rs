//! What the repository's manifests say of packages: which are listed, and which are its own. They
//! are read as they are at the commit; what an answer writes into them does not count.

use crate::patch::code::Grammar;
use crate::patch::gate::case::Case;
use crate::source::locate::Files;

/// Whether a crate of this repository is called so.
pub(super) fn is_crate(case: &Case<'_>, name: &str) -> bool {
    let dashed = name.replace('_', "-");
    manifests(case, "Cargo.toml").any(|text| {
        let Ok(table) = text.parse::<toml::Table>() else {
            return false;
        };
        let called = table
            .get("package")
            .and_then(|package| package.get("name"))
            .and_then(toml::Value::as_str);
        let lib = table
            .get("lib")
            .and_then(|lib| lib.get("name"))
            .and_then(toml::Value::as_str);
        called.is_some_and(|called| called == name || called == dashed) || lib == Some(name)
    })
}

/// Whether a namespace is loaded from this repository.
pub(super) fn composer_has(case: &Case<'_>, first: &str) -> bool {
    manifests(case, "composer.json").any(|text| {
        let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) else {
            return false;
        };
        ["autoload", "autoload-dev"].into_iter().any(|key| {
            let spaces = json.get(key).and_then(|load| load.get("psr-4"));
            let spaces = spaces.and_then(serde_json::Value::as_object);
            spaces.is_some_and(|spaces| {
                spaces
                    .keys()
                    .any(|space| space.split('\\').next() == Some(first))
            })
        })
    })
}

/// Texts of the manifests with this name.
fn manifests<'c>(case: &'c Case<'_>, name: &'c str) -> impl Iterator<Item = String> + 'c {
    let paths = case.tree.paths().iter();
    let own = paths.filter(move |path| path.rsplit('/').next() == Some(name));
    own.take(100)
        .filter_map(|path| case.tree.text(path).map(std::borrow::Cow::into_owned))
}

/// Whether a manifest lists the package.
pub(super) fn in_manifest(case: &Case<'_>, grammar: Grammar, name: &str, root: &str) -> bool {
    match grammar {
        Grammar::Python => {
            let plain = |text: &str| text.to_lowercase().replace(['_', '.'], "-");
            let wanted = plain(root);
            let listed = |text: &str| {
                text.lines().any(|line| {
                    let line = line.trim().trim_start_matches(['"', '\'']);
                    let part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
                    let end = line.find(|c| !part(c)).unwrap_or(line.len());
                    let written = line.get(..end).unwrap_or_default();
                    !written.is_empty() && plain(written) == wanted
                })
            };
            let names = [
                "requirements.txt",
                "pyproject.toml",
                "Pipfile",
                "setup.cfg",
                "requirements-dev.txt",
                "dev-requirements.txt",
                "requirements.in",
            ];
            names
                .into_iter()
                .any(|file| manifests(case, file).any(|text| listed(&text)))
        }
        Grammar::Javascript | Grammar::Typescript | Grammar::Tsx => manifests(case, "package.json")
            .any(|text| {
                let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) else {
                    return false;
                };
                [
                    "dependencies",
                    "devDependencies",
                    "peerDependencies",
                    "optionalDependencies",
                ]
                .into_iter()
                .any(|key| json.get(key).is_some_and(|all| all.get(root).is_some()))
            }),
        Grammar::Go => manifests(case, "go.mod").any(|text| {
            let listed = text.lines().filter_map(|line| {
                let line = line.trim().trim_start_matches("require ").trim();
                line.split_whitespace().next().map(str::to_owned)
            });
            listed.into_iter().any(|module| {
                module.contains('.')
                    && (name == module
                        || name
                            .strip_prefix(&module)
                            .is_some_and(|r| r.starts_with('/')))
            })
        }),
        Grammar::Rust => manifests(case, "Cargo.toml").any(|text| {
            let Ok(table) = text.parse::<toml::Table>() else {
                return false;
            };
            let dashed = root.replace('_', "-");
            ["dependencies", "dev-dependencies"].into_iter().any(|key| {
                let all = table.get(key).and_then(toml::Value::as_table);
                all.is_some_and(|all| all.contains_key(root) || all.contains_key(&dashed))
            })
        }),
        Grammar::Ruby => manifests(case, "Gemfile").any(|text| {
            text.lines().any(|line| {
                let line = line.trim();
                line.strip_prefix("gem ").is_some_and(|rest| {
                    rest.trim()
                        .trim_matches(['"', '\''])
                        .split(['"', '\''])
                        .next()
                        == Some(root)
                })
            })
        }),
        // Their manifests do not name packages of code.
        Grammar::Java | Grammar::Php => false,
    }
}
