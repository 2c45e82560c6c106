//! Traces of programs that really crashed, found again in the repositories they were built from:
//! `tests/corpus/crashes/LANGUAGE`, with the commands that made each output.

use crate::sample::{Sample, at};
use autofix::model::{CommitId, Settings};
use autofix::source::Tree;
use autofix::source::locate::{Files, Located, PathList, locate, location};
use std::path::{Path, PathBuf};

fn corpus(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus/crashes")
        .join(language)
}

fn files(dir: &Path, under: &Path, into: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, under, into);
        } else {
            let name = path
                .strip_prefix(under)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            into.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// What locate finds with the source at hand, and with the list of paths alone.
fn found(language: &str) -> [Vec<Located>; 2] {
    let dir = corpus(language);
    let mut all = Vec::new();
    files(&dir.join("repo"), &dir.join("repo"), &mut all);
    let sample = Sample::new();
    let content: Vec<(&str, Option<&str>)> = all
        .iter()
        .map(|(path, text)| (path.as_str(), Some(text.as_str())))
        .collect();
    let id = sample.commit(1.0, "all", &content);
    assert!(CommitId::parse(&id).is_some());
    let repo = sample.open();
    let tree = Tree::read(&repo, at(&repo, &id)).unwrap();
    let output = std::fs::read_to_string(dir.join("output.txt")).unwrap();
    let trace = autofix::trace::parse(&output).expect("a trace");
    let list = PathList(tree.paths().to_vec());
    [
        locate(&trace, &tree, &Settings::default()),
        locate(&trace, &list, &Settings::default()),
    ]
}

fn expect(language: &str, file: &str, line: u32, others: &[(&str, u32)]) {
    for located in found(language) {
        let place = location(&located).unwrap_or_else(|| panic!("{language}: {located:#?}"));
        assert_eq!(
            (place.file.as_str(), place.line),
            (file, Some(line)),
            "{located:#?}"
        );
        assert!(place.confidence >= 0.75, "{located:#?}");
        let mut places: Vec<(&str, u32)> = located
            .iter()
            .skip(1)
            .map(|one| (one.file.as_str(), one.line.unwrap()))
            .collect();
        places.sort_unstable();
        let mut others = others.to_vec();
        others.sort_unstable();
        assert_eq!(
            places, others,
            "every frame of the repository, and no library's"
        );
    }
}

#[test]
fn a_python_package_that_was_installed() {
    let cart = "src/shop/pricing/cart.py";
    expect(
        "python",
        cart,
        12,
        &[("src/shop/cli.py", 9), ("src/shop/cli.py", 13), (cart, 9)],
    );
}

#[test]
fn java_classes_in_source_roots() {
    let main = "api/src/main/java/com/acme/shop/Main.java";
    let cart = "api/src/main/java/com/acme/shop/cart/Cart.java";
    expect("java", cart, 28, &[(main, 11), (main, 13), (cart, 15)]);
}

#[test]
fn javascript_of_one_service_in_a_container() {
    let web = "services/web/src";
    let (orders, server) = (
        format!("{web}/routes/orders.js"),
        format!("{web}/server.js"),
    );
    expect(
        "javascript",
        &format!("{web}/lib/price.js"),
        7,
        &[(&orders, 5), (&server, 6), (&server, 7)],
    );
}

#[test]
fn go_built_with_trimmed_paths() {
    expect(
        "go",
        "internal/cart/cart.go",
        11,
        &[("cmd/shop/main.go", 12), ("cmd/shop/main.go", 13)],
    );
}

#[test]
fn a_rust_workspace() {
    expect(
        "rust",
        "crates/cart/src/lib.rs",
        7,
        &[("crates/shop/src/main.rs", 3)],
    );
}

#[test]
fn a_c_program_under_a_sanitizer() {
    let (cart, main) = ("src/cart/cart.cc", "src/main.cc");
    // The fault, then where the memory was freed and where it came from.
    let others = [
        (main, 6),
        (main, 10),
        (cart, 6),
        (main, 5),
        (cart, 3),
        (main, 4),
    ];
    expect("cpp", cart, 13, &others);
}

#[test]
fn a_dotnet_program_with_the_paths_of_its_build() {
    let (cart, main) = ("Shop/Carts/Cart.cs", "Shop/Program.cs");
    expect("csharp", cart, 10, &[(cart, 12), (main, 6), (main, 10)]);
}
