//! A frame's file as printed, taken apart: the names on its path, whether it is surely somebody
//! else's code, and what stands between a printed path and one of the repository.
//! Knows runtimes and containers; knows no repository.

use super::scripts;
use crate::model::{Frame, Language};

/// A printed path without the noise around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Printed {
    /// Names from the outermost folder to the file.
    pub names: Vec<String>,
    pub absolute: bool,
    /// Whose code it is, where the path alone says so.
    pub origin: Origin,
}

/// What the path alone says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Origin {
    /// May be the service's own.
    #[default]
    Open,
    /// Installed beside other packages; the names begin at the package.
    Installed,
    /// The runtime's or a registry's: never the repository's.
    Foreign,
}

impl Printed {
    /// `None` where the frame names no file.
    pub fn of(language: Language, frame: &Frame) -> Option<Printed> {
        let file = frame.file.as_deref()?.trim();
        if file.is_empty() || file.starts_with('<') || file.len() > 4_096 {
            return None;
        }
        let mut printed = split(file, language);
        if printed.names.is_empty() {
            return None;
        }
        match language {
            Language::Python => python(&mut printed),
            Language::Javascript => javascript(&mut printed, file),
            Language::Go => go(&mut printed),
            Language::Rust => rust(&mut printed),
            // A bare file name: the class decides, elsewhere.
            Language::Java => {}
            Language::Csharp => csharp(&mut printed),
            Language::Dart => dart(&mut printed, file),
            Language::Cpp => cpp(&mut printed),
            Language::Ruby => scripts::ruby(&mut printed),
            Language::Php => scripts::php(&mut printed, file),
            Language::Elixir => scripts::elixir(&mut printed, frame),
        }
        Some(printed)
    }

    /// Drops the first names.
    pub(super) fn begin_at(&mut self, at: usize) {
        self.names.drain(..at.min(self.names.len()));
    }

    pub(super) fn position(&self, test: impl Fn(&str) -> bool) -> Option<usize> {
        self.names.iter().rposition(|name| test(name))
    }

    pub(super) fn has(&self, sequence: &[&str]) -> bool {
        self.names
            .windows(sequence.len())
            .any(|w| w.iter().zip(sequence).all(|(a, b)| a == b))
    }
}

fn split(file: &str, language: Language) -> Printed {
    let mut text = file.replace('\\', "/");
    if language == Language::Javascript {
        text = without_url(&text);
    }
    if language == Language::Dart
        && let Some(path) = text.strip_prefix("file://")
    {
        text = path.to_owned();
    }
    let bytes = text.as_bytes();
    let drive = bytes.len() > 2 && bytes[1] == b':' && bytes[2] == b'/';
    if drive && bytes[0].is_ascii_alphabetic() {
        text.drain(..2);
    }
    let absolute = text.starts_with('/');
    let mut names: Vec<String> = Vec::new();
    for name in text.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name.to_owned()),
        }
    }
    Printed {
        names,
        absolute,
        origin: Origin::Open,
    }
}

/// A bundler's or browser's address reduced to the path in it.
fn without_url(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or(text);
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    if scheme == "file" {
        return rest.to_owned();
    }
    // webpack://name/./src/a.ts, webpack-internal:///(rsc)/./src/a.ts, https://host/assets/a.js
    let path = rest.split_once('/').map_or(rest, |(_, path)| path);
    let path = path.trim_start_matches('/');
    if path.starts_with('(')
        && let Some((_, inner)) = path.split_once(")/")
    {
        return inner.to_owned();
    }
    path.to_owned()
}

fn python(printed: &mut Printed) {
    let installed = |name: &str| name == "site-packages" || name == "dist-packages";
    if let Some(at) = printed.position(installed) {
        printed.begin_at(at + 1);
        if printed.names.first().is_some_and(|n| n.ends_with(".egg")) {
            printed.begin_at(1);
        }
        printed.origin = Origin::Installed;
        return;
    }
    let lower: Vec<String> = printed.names.iter().map(|n| n.to_lowercase()).collect();
    let standard = lower.windows(2).any(|pair| {
        let versioned = |name: &str| {
            let rest = name.strip_prefix("python").or(name.strip_prefix("pypy"));
            rest.is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()))
        };
        (pair[0].starts_with("lib") && versioned(&pair[1]))
            || (versioned(&pair[0]) && pair[1] == "lib")
    });
    let zipped = lower
        .iter()
        .any(|n| n.starts_with("python") && n.ends_with(".zip"));
    if standard || zipped || printed.has(&["var", "runtime"]) {
        printed.origin = Origin::Foreign;
    }
}

fn javascript(printed: &mut Printed, file: &str) {
    let inner = file.starts_with("node:") || file.starts_with("internal/");
    let no_file = file.starts_with("native") || file.starts_with("evalmachine");
    if inner || no_file || printed.has(&["var", "runtime"]) {
        printed.origin = Origin::Foreign;
    } else if let Some(at) = printed.position(|name| name == "node_modules") {
        printed.begin_at(at + 1);
        printed.origin = Origin::Installed;
    }
}

/// The first names of Go's own packages, as `-trimpath` prints them.
const GO_STANDARD: &[&str] = &[
    "archive",
    "bufio",
    "bytes",
    "cmd",
    "compress",
    "container",
    "context",
    "crypto",
    "database",
    "debug",
    "embed",
    "encoding",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go",
    "hash",
    "html",
    "image",
    "index",
    "internal",
    "io",
    "iter",
    "log",
    "maps",
    "math",
    "mime",
    "net",
    "os",
    "path",
    "plugin",
    "reflect",
    "regexp",
    "runtime",
    "slices",
    "sort",
    "strconv",
    "strings",
    "sync",
    "syscall",
    "testing",
    "text",
    "time",
    "unicode",
    "unique",
    "unsafe",
];

fn go(printed: &mut Printed) {
    let src = printed.names.iter().position(|name| name == "src");
    let standard = |name: Option<&String>| name.is_some_and(|n| GO_STANDARD.contains(&n.as_str()));
    if printed.has(&["pkg", "mod"]) {
        let at = printed.position(|name| name == "mod").unwrap_or(0);
        printed.begin_at(at + 1);
        printed.origin = Origin::Installed;
    } else if printed.absolute {
        let root = src.and_then(|at| printed.names.get(at.wrapping_sub(1)));
        let toolchain = root.is_some_and(|name| {
            name == "go" || name == "x64" || name.starts_with("go1") || name.starts_with("go-1")
        });
        let next = src.and_then(|at| printed.names.get(at + 1));
        if toolchain && standard(next) {
            printed.origin = Origin::Foreign;
        }
    } else if standard(printed.names.first()) && printed.names.len() > 1 {
        printed.origin = Origin::Foreign;
    }
    let unreal = |name: &str| name.starts_with("_cgo_") || name == "_testmain.go";
    if printed.names.last().is_some_and(|name| unreal(name)) {
        printed.origin = Origin::Foreign;
    }
}

fn rust(printed: &mut Printed) {
    let foreign = printed.names.first().is_some_and(|name| name == "rustc")
        || printed.has(&["registry", "src"])
        || printed.has(&["git", "checkouts"])
        || ["std", "core", "alloc"]
            .iter()
            .any(|part| printed.has(&["library", part, "src"]));
    if foreign {
        printed.origin = Origin::Foreign;
    }
}

/// A build that is the same everywhere prints `/_/` for the repository's root; .NET's own
/// libraries are built so too.
fn csharp(printed: &mut Printed) {
    if printed.has(&["src", "libraries"]) || printed.has(&["src", "coreclr"]) {
        printed.origin = Origin::Foreign;
    } else if printed.absolute && printed.names.first().is_some_and(|name| name == "_") {
        printed.begin_at(1);
    }
}

/// `package:shop/src/cart.dart` is `lib/src/cart.dart` of the package `shop`, wherever that lies.
fn dart(printed: &mut Printed, file: &str) {
    let core = ["dart:", "org-dartlang-", "package:flutter/"];
    if core.iter().any(|scheme| file.starts_with(scheme)) {
        printed.origin = Origin::Foreign;
    } else if let Some(first) = printed.names.first_mut()
        && let Some(package) = first.strip_prefix("package:")
    {
        *first = package.to_owned();
        printed.names.insert(1, "lib".to_owned());
    } else if let Some(at) = printed.position(|name| name == ".pub-cache") {
        printed.begin_at(at + 1);
        printed.origin = Origin::Installed;
    }
}

/// The C library and the compilers' runtimes print the paths of their own builds.
fn cpp(printed: &mut Printed) {
    const OWN: [&str; 8] = [
        "sysdeps",
        "nptl",
        "csu",
        "libsanitizer",
        "compiler-rt",
        "libstdc++-v3",
        "glibc",
        "eglibc",
    ];
    let own = |name: &String| OWN.contains(&name.as_str());
    let abort = printed.names.len() == 2 && printed.has(&["stdlib", "abort.c"]);
    let installed = printed.has(&["usr", "include"]) || printed.has(&["include", "c++"]);
    if abort || installed || printed.names.iter().any(own) {
        printed.origin = Origin::Foreign;
    }
}

/// Folders in which images, builders and functions put a repository or a service of it.
const PLACES: &[&[&str]] = &[
    &["usr", "src", "app"],
    &["usr", "src"],
    &["usr", "app"],
    &["usr", "local", "app"],
    &["var", "task"],
    &["var", "www", "html"],
    &["var", "www"],
    &["var", "app", "current"],
    &["home", "site", "wwwroot"],
    &["home", "app"],
    &["home", "node", "app"],
    &["srv", "app"],
    &["opt", "app"],
    &["opt", "build", "repo"],
    &["go", "src", "app"],
    &["go", "app"],
    &["go", "src"],
    &["root", "app"],
    &["app"],
    &["workspace"],
    &["workspaces"],
    &["work"],
    &["code"],
    &["src"],
    &["srv"],
    &["build"],
    &["project"],
    &["repo"],
    &["source"],
    &["function"],
    &["service"],
    &["server"],
    &["builder"],
    &["usr"],
    &["opt"],
];

/// How many of the first names are a place that a container or builder puts code in.
pub(super) fn place(names: &[String]) -> Option<usize> {
    let word = |at: usize| names.get(at).map(String::as_str);
    // /home/runner/work/x/x, /builds/group/project, /home/NAME/project are one repository's.
    if word(0) == Some("home") && word(2) == Some("work") && word(3) == word(4) {
        return Some(5);
    }
    if word(0) == Some("builds") && names.len() > 3 {
        return Some(3);
    }
    PLACES
        .iter()
        .find(|place| names.len() > place.len() && names.iter().zip(**place).all(|(a, b)| a == b))
        .map(|place| place.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(language: Language, file: &str) -> (String, Origin) {
        let frame = Frame {
            file: Some(file.to_owned()),
            ..Frame::default()
        };
        let printed = Printed::of(language, &frame).unwrap();
        (printed.names.join("/"), printed.origin)
    }

    #[test]
    fn python_libraries_are_told_from_the_runtime() {
        let at = |file| printed(Language::Python, file);
        assert_eq!(
            at("/app/.venv/lib/python3.12/site-packages/a/b.py"),
            ("a/b.py".into(), Origin::Installed)
        );
        assert_eq!(at("/usr/lib/python3.10/json/a.py").1, Origin::Foreign);
        assert_eq!(at(r"C:\Python311\Lib\json\a.py").1, Origin::Foreign);
        assert_eq!(
            at(r"C:\srv\app\a.py"),
            ("srv/app/a.py".into(), Origin::Open)
        );
        assert_eq!(at("/x/site-packages/a-1.egg/a/b.py").0, "a/b.py");
    }

    #[test]
    fn bundlers_addresses_are_reduced_to_paths() {
        let at = |file| printed(Language::Javascript, file).0;
        assert_eq!(at("webpack:///./src/a.ts?ab12"), "src/a.ts");
        assert_eq!(at("webpack://shop/./src/a.ts"), "src/a.ts");
        assert_eq!(at("webpack-internal:///(rsc)/./src/a.ts"), "src/a.ts");
        assert_eq!(at("file:///app/src/a.mjs"), "app/src/a.mjs");
        let inner = printed(Language::Javascript, "node:internal/process/x");
        assert_eq!(inner.1, Origin::Foreign);
    }

    #[test]
    fn dotnet_dart_and_c_name_their_own() {
        let open = |path: &str| (path.to_owned(), Origin::Open);
        assert_eq!(
            printed(Language::Csharp, r"D:\a\_work\1\s\Shop\Cart.cs"),
            open("a/_work/1/s/Shop/Cart.cs")
        );
        assert_eq!(
            printed(Language::Csharp, "/_/Shop/Cart.cs"),
            open("Shop/Cart.cs")
        );
        let own = "/_/src/libraries/System.Net.Http/src/System/Net/Http/x.cs";
        assert_eq!(printed(Language::Csharp, own).1, Origin::Foreign);
        assert_eq!(
            printed(Language::Dart, "package:shop/src/cart.dart"),
            open("shop/lib/src/cart.dart")
        );
        assert_eq!(
            printed(Language::Dart, "file:///srv/shop/bin/x.dart"),
            open("srv/shop/bin/x.dart")
        );
        for file in ["dart:async/zone.dart", "package:flutter/src/x.dart"] {
            assert_eq!(printed(Language::Dart, file).1, Origin::Foreign, "{file}");
        }
        for file in [
            "../sysdeps/posix/raise.c",
            "./stdlib/abort.c",
            "/usr/include/c++/12/bits/invoke.h",
            "../../../../src/libsanitizer/asan/asan_new_delete.cpp",
        ] {
            assert_eq!(printed(Language::Cpp, file).1, Origin::Foreign, "{file}");
        }
        assert_eq!(
            printed(Language::Cpp, "/build/src/cart.cc"),
            open("build/src/cart.cc")
        );
    }

    #[test]
    fn libraries_of_ruby_php_and_elixir() {
        let (ruby, php, elixir) = (Language::Ruby, Language::Php, Language::Elixir);
        for (language, file, names, origin) in [
            (
                ruby,
                "/usr/local/bundle/gems/rack-2.2.8/lib/rack/lint.rb",
                "rack-2.2.8/lib/rack/lint.rb",
                Origin::Installed,
            ),
            (
                ruby,
                "/usr/lib/ruby/3.1.0/json.rb",
                "usr/lib/ruby/3.1.0/json.rb",
                Origin::Foreign,
            ),
            (ruby, "/app/lib/cart.rb", "app/lib/cart.rb", Origin::Open),
            (
                php,
                "/app/vendor/acme/x/src/A.php",
                "acme/x/src/A.php",
                Origin::Installed,
            ),
            (
                php,
                "/app/src/A.php(3) : eval()'d code",
                "app/src/A.php",
                Origin::Open,
            ),
            (elixir, "lib/shop/cart.ex", "lib/shop/cart.ex", Origin::Open),
            (
                elixir,
                "deps/plug/lib/plug.ex",
                "plug/lib/plug.ex",
                Origin::Installed,
            ),
        ] {
            assert_eq!(printed(language, file), (names.into(), origin), "{file}");
        }
        let frame = Frame {
            file: Some("lib/enum.ex".to_owned()),
            function: Some("Enum.map/2".to_owned()),
            line: None,
        };
        assert_eq!(Printed::of(elixir, &frame).unwrap().origin, Origin::Foreign);
    }

    #[test]
    fn go_and_rust_name_their_own() {
        for file in ["/usr/local/go/src/net/http/server.go", "runtime/panic.go"] {
            assert_eq!(printed(Language::Go, file).1, Origin::Foreign, "{file}");
        }
        for file in [
            "/go/src/github.com/a/b/c.go",
            "/app/net/c.go",
            "github.com/a/b/c.go",
        ] {
            assert_eq!(printed(Language::Go, file).1, Origin::Open, "{file}");
        }
        let library = "/go/pkg/mod/github.com/a/b@v1.2.3/c.go";
        assert_eq!(printed(Language::Go, library).1, Origin::Installed);
        for file in [
            "/rustc/abc/library/core/src/x.rs",
            "/r/.cargo/registry/src/i/a-1/src/l.rs",
        ] {
            assert_eq!(printed(Language::Rust, file).1, Origin::Foreign, "{file}");
        }
        assert_eq!(
            printed(Language::Rust, "./src/main.rs"),
            ("src/main.rs".into(), Origin::Open)
        );
    }
}
