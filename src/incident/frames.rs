//! Frames in the form that a fingerprint compares: the file's last two parts and the function,
//! without line numbers and without what compilers, bundlers and builds number or hash.
//! Also tells a library's frames from a program's own by where runtimes and package managers
//! put them. Not here: finding the file in a repository (`source`).

use super::beam;
use crate::model::{Frame, Language, Trace};
use regex::Regex;
use std::sync::LazyLock;

/// Bytes of a file name or a function that count.
const LONGEST: usize = 300;

/// The normalised frames of a trace from where the fault was thrown outwards, the program's own
/// where there are any, each at most once.
pub(super) struct Stack {
    /// Normalised, innermost first.
    pub frames: Vec<String>,
    /// They repeat many times: the stack of a recursion, cut anywhere.
    pub recursive: bool,
}

/// Frames that are looked at, and how often one stands among them when it belongs to a
/// recursion. Go may print every goroutine behind the one that failed, each created by the same
/// function; its stack overflow prints the innermost 50 frames first.
const fn limits(language: Language) -> (usize, usize) {
    match language {
        Language::Go => (50, 20),
        Language::Python
        | Language::Java
        | Language::Javascript
        | Language::Rust
        | Language::Ruby
        | Language::Php
        | Language::Csharp
        | Language::Dart
        | Language::Elixir
        | Language::Cpp => (500, 3),
    }
}

pub(super) fn stack(trace: &Trace) -> Stack {
    let (deepest, recursion) = limits(trace.language);
    let frames = of_the_fault(trace, deepest);
    let own: Vec<&Frame> = frames
        .iter()
        .copied()
        .filter(|frame| !is_library(frame, trace.language))
        .collect();
    let chosen = if own.is_empty() { frames } else { own };
    let mut keys: Vec<(String, usize)> = Vec::new();
    for frame in chosen {
        let key = normal(frame);
        if key == "|" {
            continue;
        }
        match keys.iter_mut().find(|(known, _)| *known == key) {
            Some((_, count)) => *count += 1,
            None => keys.push((key, 1)),
        }
    }
    let recursive = keys.iter().any(|(_, count)| *count >= recursion);
    if recursive {
        // The depth at which it broke is chance: the whole cycle counts, in any order.
        keys.retain(|(_, count)| *count >= recursion);
        keys.sort();
    }
    Stack {
        frames: keys.into_iter().map(|(key, _)| key).collect(),
        recursive,
    }
}

/// The frames that belong to the fault, from where it was thrown outwards.
fn of_the_fault(trace: &Trace, deepest: usize) -> Vec<&Frame> {
    let root = trace.blocks.get(trace.root).map(|block| &block.frames);
    let order = trace.innermost_first();
    let frames: Vec<&Frame> = order
        .iter()
        // Go prints every goroutine, a sanitizer where memory came from: the fault is elsewhere.
        .filter(|at| !prints_others(trace.language) || root.is_none_or(|root| root.contains(at)))
        .filter_map(|at| trace.frames.get(*at))
        .take(deepest)
        .collect();
    // A Rust panic prints its place before the stack, where the same place stands again.
    let named = |frame: &&Frame| frame.function.is_some();
    if trace.language == Language::Rust && frames.iter().any(named) {
        return frames.into_iter().filter(named).collect();
    }
    frames
}

/// Whether a trace holds stacks that are not the fault's own.
const fn prints_others(language: Language) -> bool {
    matches!(language, Language::Go | Language::Cpp)
}

/// Whether no frame says more than a file: such a stack does not tell faults apart.
pub(super) fn is_vague(frames: &[String]) -> bool {
    frames
        .iter()
        .all(|frame| frame.ends_with('|') || frame.ends_with("|<module>"))
}

fn normal(frame: &Frame) -> String {
    let file = frame.file.as_deref().map(normal_file).unwrap_or_default();
    let function = frame.function.as_deref().map(normal_function);
    format!("{file}|{}", function.unwrap_or_default())
}

fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

/// The last two parts of a path; what a build or a bundler puts into a name is masked.
fn normal_file(file: &str) -> String {
    static HASHED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        // A part of a bundle's name between dots, dashes or underscores, as long as hashes are.
        Regex::new(
            r"[.\-_](?:[0-9a-f]{6,40}|[A-Za-z0-9_]{8,20})(\.(?:chunk\.|bundle\.|min\.)?[cm]?js)$",
        )
        .ok()
    });
    let file = file.split(['?', '#']).next().unwrap_or_default();
    let start = file.len().saturating_sub(LONGEST);
    let tail = (start..file.len()).find_map(|at| file.get(at..));
    let parts: Vec<&str> = tail
        .unwrap_or_default()
        .split(['/', '\\'])
        .filter(|part| !part.is_empty() && *part != "." && *part != "..")
        .collect();
    let Some((name, folders)) = parts.split_last() else {
        return String::new();
    };
    // A notebook's cell and a blob are numbered or hashed as a whole.
    if let Some(kind) = name
        .strip_prefix("<ipython-input-")
        .map(|_| "<ipython-input>")
    {
        return kind.to_owned();
    }
    if is_uuid(name) {
        return "*".to_owned();
    }
    let hashed = HASHED.as_ref();
    let name = match hashed.and_then(|hashed| hashed.captures(name)) {
        Some(groups) if looks_hashed(groups.get(0).map_or("", |m| m.as_str())) => {
            let all = groups.get(0).map_or(0, |m| m.start());
            let tail = groups.get(1).map_or("", |m| m.as_str());
            format!("{}.*{tail}", name.get(..all).unwrap_or_default())
        }
        Some(_) | None => (*name).to_owned(),
    };
    match folders.last() {
        Some(folder) if !names_a_release(folder) => format!("{folder}/{name}"),
        Some(_) | None => name,
    }
}

fn is_uuid(name: &str) -> bool {
    name.len() == 36 && name.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// A word with digits and letters mixed is a hash; `main.component.js` is not.
fn looks_hashed(part: &str) -> bool {
    let part = part.get(1..).unwrap_or_default();
    let word = part.split('.').next().unwrap_or_default();
    word.bytes().any(|b| b.is_ascii_digit())
}

/// A folder named after a release, a version or a hash differs from deploy to deploy.
fn names_a_release(folder: &str) -> bool {
    let digits = folder.bytes().filter(u8::is_ascii_digit).count();
    digits >= 3 && digits * 2 >= folder.len()
        || (folder.len() >= 12 && folder.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A function without arguments, addresses, hashes and numbers that compilers give.
fn normal_function(function: &str) -> String {
    type Rewrite = (&'static str, &'static str);
    const REWRITES: &[Rewrite] = &[
        // Rust: symbol hashes and numbered closures.
        (r"::h[0-9a-f]{16}$", ""),
        (r"\{\{?closure(?:#\d+)?\}?\}", "{closure}"),
        (r"\{(?:async_fn|async_block)(?:_env)?#\d+\}", "{async}"),
        // Java: proxies, lambdas, accessors, anonymous classes.
        (
            r"\$\$(?:Lambda|EnhancerBy\w*|FastClassBy\w*|SpringCGLIB)[^.]*",
            "",
        ),
        (r"lambda\$(\w*?)\$(?:[0-9a-f]{8}\$)?\d+", "lambda$$$1"),
        (r"^\d+\.", "*."),
        (r"access\$\d+", "access$$"),
        (
            r"(\$Proxy|GeneratedMethodAccessor|GeneratedConstructorAccessor)\d+",
            "$1",
        ),
        (r"\$\d+", "$$"),
        // Go: numbered closures, type arguments, call arguments.
        (r"\.func\d+(?:\.\d+)*", ".func"),
        (r"\.gowrap\d+", ".gowrap"),
        (r"\[[^\[\]]*\]", ""),
        (r"\((?:0x[0-9a-f]|\{|\.\.\.|nil|[0-9]).*\)$", ""),
        // Python: where a nested function was defined.
        (r"\.<locals>", ""),
        // Ruby: how deep blocks are, and from 3.4 on their method's class.
        (r"^(?:block|rescue|ensure)(?: \(\d+ levels\))? in ", ""),
        // PHP: the line of a closure. Elixir: the count of an anonymous function.
        (r"\{closure:([^}]*):\d+\}", "{closure:$1}"),
        (r"-fun-\d+-", "-fun-"),
        // Addresses anywhere.
        (r"0x[0-9a-fA-F]+", "*"),
    ];
    static COMPILED: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let compile = |(pattern, to): &Rewrite| Regex::new(pattern).ok().map(|regex| (regex, *to));
        REWRITES.iter().filter_map(compile).collect()
    });
    let mut text = head(function).to_owned();
    for (pattern, to) in COMPILED.iter() {
        if let std::borrow::Cow::Owned(changed) = pattern.replace_all(&text, *to) {
            text = changed;
        }
    }
    text
}

/// Packages of Go's own library that stand in stacks; it may lie anywhere on the disk.
const GO_PACKAGES: &[&str] = &[
    "runtime.",
    "runtime/",
    "net.",
    "net/http.",
    "testing.",
    "reflect.",
    "regexp.",
    "regexp/",
    "encoding/",
    "database/sql.",
    "sync.",
    "sync/",
    "strings.",
    "strconv.",
    "bytes.",
    "bufio.",
    "io.",
    "io/",
    "os.",
    "os/",
    "fmt.",
    "context.",
    "time.",
    "sort.",
    "slices.",
    "maps.",
    "errors.",
    "log.",
    "log/",
    "text/template.",
    "html/template.",
    "crypto/",
    "compress/",
    "container/",
    "math.",
    "math/",
    "internal/",
    "syscall.",
];

/// Whether a frame belongs to a runtime or to an installed package, by its path or package.
pub(super) fn is_library(frame: &Frame, language: Language) -> bool {
    let file = frame.file.as_deref().unwrap_or_default();
    let function = frame.function.as_deref().unwrap_or_default();
    let slashed = file.replace('\\', "/");
    let holds = |parts: &[&str]| parts.iter().any(|part| slashed.contains(part));
    let called = |names: &[&str]| names.iter().any(|name| function.starts_with(name));
    match language {
        Language::Python => {
            file.starts_with("<frozen")
                || file.starts_with("<embedded")
                || holds(&[
                    "/site-packages/",
                    "/dist-packages/",
                    "/lib/python",
                    "/lib64/python",
                ])
        }
        Language::Java => called(&[
            "java.",
            "javax.",
            "jakarta.",
            "jdk.",
            "sun.",
            "com.sun.",
            "kotlin.",
            "kotlinx.",
            "scala.",
            "akka.",
            "org.apache.",
            "org.springframework.",
            "org.hibernate.",
            "org.eclipse.",
            "org.junit.",
            "io.netty.",
            "reactor.",
            "com.fasterxml.",
            "com.google.common.",
            "io.micronaut.",
            "io.quarkus.",
            "io.grpc.",
            "okhttp3.",
            "com.zaxxer.",
            "org.jboss.",
            "io.undertow.",
            "org.postgresql.",
            "com.mysql.",
            "java.base/",
        ]),
        Language::Javascript => {
            // Node before version 16 prints its own modules as bare names.
            (!file.is_empty() && !slashed.contains('/'))
                || file.starts_with("node:")
                || file.starts_with("internal/")
                || file == "<anonymous>"
                || holds(&["/node_modules/", "webpack/bootstrap", "/internal/process/"])
        }
        Language::Go => {
            called(GO_PACKAGES)
                || function == "panic"
                || holds(&["/pkg/mod/", "/vendor/", "/go/src/runtime/", "/libexec/src/"])
                || holds(&["/usr/local/go/src/", "/usr/lib/go"])
        }
        Language::Rust => {
            file.starts_with("/rustc/")
                || holds(&[
                    "/.cargo/registry/",
                    "/.cargo/git/",
                    "/library/std/",
                    "/library/core/",
                ])
                || (file.is_empty() || holds(&["/rustlib/src/"]))
                    && called(&[
                        "std::",
                        "core::",
                        "alloc::",
                        "<alloc::",
                        "<core::",
                        "<std::",
                        "rust_begin",
                        "__rust",
                        "_start",
                        "__libc",
                        "main",
                    ])
        }
        Language::Ruby => {
            file.starts_with("<internal:")
                || file.starts_with("org/jruby/")
                || holds(&["/gems/", "/lib/ruby/", "/vendor/bundle/"])
        }
        // PHP calls its own functions without a file.
        Language::Php => {
            file.is_empty()
                || holds(&["/vendor/", "/usr/share/php/", "phar://"])
                || slashed.starts_with("vendor/")
        }
        Language::Csharp => csharp_library(function, &slashed),
        Language::Dart => {
            let own = ["dart:", "org-dartlang-", "package:flutter/"];
            own.iter().any(|scheme| file.starts_with(scheme))
                || file == "package:flutter"
                || holds(&["/.pub-cache/"])
        }
        Language::Elixir => beam::is_library(file, function) || holds(&["/deps/"]),
        Language::Cpp => cpp_library(function, &slashed),
    }
}

/// .NET's own frames, and those of packages that nearly every service has. The Demystifier prints
/// the type that a method returns before its name.
fn csharp_library(function: &str, file: &str) -> bool {
    const OWN: &[&str] = &[
        "System.",
        "Microsoft.",
        "Npgsql.",
        "MySqlConnector.",
        "MySql.Data.",
        "Newtonsoft.",
        "Dapper.",
        "StackExchange.",
        "Serilog.",
        "NLog.",
        "Polly.",
        "MediatR.",
        "Autofac.",
        "Castle.",
        "Grpc.",
        "RabbitMQ.",
        "Confluent.",
        "UnityEngine.",
        "UnityEditor.",
        "lambda_method",
        "(wrapper ",
    ];
    let call = function.split('(').next().unwrap_or(function).trim();
    let name = call.rsplit(' ').next().unwrap_or(call);
    let own = |name: &str| OWN.iter().any(|start| name.starts_with(start));
    own(function) || own(name) || file.starts_with("/_/src/libraries/")
}

/// The C and C++ libraries, the compilers' runtimes, and what reports the fault.
fn cpp_library(function: &str, file: &str) -> bool {
    const CALLED: &[&str] = &[
        "std::",
        "void std::",
        "__gnu_cxx::",
        "__cxa_",
        "__cxxabi",
        "__libc_",
        "__GI_",
        "__pthread_",
        "__assert_",
        "__interceptor_",
        "__asan_",
        "__tsan_",
        "__msan_",
        "__ubsan_",
        "__sanitizer_",
        "operator new",
        "operator delete",
        "google::LogMessage",
        "google::ErrnoLogMessage",
        "logging::",
        "base::debug::",
        "absl::",
        "boost::stacktrace::",
        "backward::",
        "fuzzer::",
        "pthread_",
    ];
    const NAMED: &[&str] = &[
        "raise",
        "abort",
        "gsignal",
        "_start",
        "start_thread",
        "clone",
        "clone3",
        "malloc",
        "free",
        "realloc",
        "calloc",
    ];
    const PLACES: &[&str] = &[
        "/usr/include/",
        "/usr/lib/",
        "/lib64/",
        "/include/c++/",
        "libsanitizer/",
        "compiler-rt/",
        "sysdeps/",
        "./nptl/",
        "./stdlib/",
        "./csu/",
        "../csu/",
    ];
    CALLED.iter().any(|start| function.starts_with(start))
        || NAMED.contains(&function)
        || PLACES.iter().any(|place| file.contains(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_ruby_php_and_the_beam() {
        let library = |language, file: &str, function: &str| {
            let frame = Frame {
                file: Some(file.to_owned()).filter(|file| !file.is_empty()),
                line: Some(3),
                function: Some(function.to_owned()),
            };
            is_library(&frame, language)
        };
        let (ruby, php, elixir) = (Language::Ruby, Language::Php, Language::Elixir);
        for (language, file, function) in [
            (
                ruby,
                "/var/lib/gems/3.1.0/gems/rack-2.2/lib/rack.rb",
                "call",
            ),
            (ruby, "<internal:kernel>", "loop"),
            (php, "", "array_map"),
            (php, "/app/vendor/laravel/framework/src/Kernel.php", "X->y"),
            (elixir, "lib/enum.ex", "Enum.map/2"),
            (elixir, "lib/enum.ex", "Enum.\"-map/2-lists^map/1-0-\"/2"),
            (elixir, "gen_server.erl", ":gen_server.try_dispatch/4"),
            (elixir, "gen_server.erl", "gen_server:try_dispatch/4"),
            (elixir, "lib/phoenix/router.ex", "Phoenix.Router.__call__/5"),
            (
                elixir,
                "lib/plug/x.ex",
                "anonymous fn/1 in Plug.Router.call/2",
            ),
        ] {
            assert!(library(language, file, function), "{file} {function}");
        }
        for (language, file, function) in [
            (ruby, "/app/lib/shop/cart.rb", "total"),
            (php, "/app/src/Cart.php", "Cart->add"),
            (elixir, "lib/shop/cart.ex", "Shop.Cart.total/1"),
            (elixir, "lib/enumerator.ex", "Enumerator.run/1"),
            (
                elixir,
                "lib/my/lists.ex",
                "anonymous fn/1 in My.Lists.map/2",
            ),
            (elixir, "src/stock.erl", "stock:handle_cast/2"),
        ] {
            assert!(!library(language, file, function), "{file} {function}");
        }
    }

    #[test]
    fn functions_lose_what_compilers_number() {
        for (one, other) in [
            ("app::run::h0123456789abcdef", "app::run::hfedcba9876543210"),
            ("app::run::{{closure}}", "app::run::{closure#2}"),
            ("com.x.Shop.lambda$pay$3", "com.x.Shop.lambda$pay$14"),
            ("com.x.Shop$1.run", "com.x.Shop$2.run"),
            (
                "com.x.Shop$$EnhancerBySpringCGLIB$$8f2a.pay",
                "com.x.Shop$$EnhancerBySpringCGLIB$$11cc.pay",
            ),
            ("com.sun.proxy.$Proxy12.get", "com.sun.proxy.$Proxy99.get"),
            ("main.run.func1", "main.run.func2.1"),
            ("main.Map[go.shape.int]", "main.Map[...]"),
            (
                "main.(*Shop).Pay(0xc000012, 0x1)",
                "main.(*Shop).Pay(0xc0ffee, 0x2)",
            ),
            ("outer.<locals>.inner", "outer.inner"),
        ] {
            assert_eq!(normal_function(one), normal_function(other), "{one}");
        }
        assert_eq!(normal_function("main.(*Shop).Pay"), "main.(*Shop).Pay");
        assert_ne!(
            normal_function("com.x.Shop.pay"),
            normal_function("com.x.Shop.refund")
        );
    }

    #[test]
    fn libraries_of_dotnet_dart_and_c() {
        let library = |language, file: &str, function: &str| {
            let frame = Frame {
                file: Some(file.to_owned()).filter(|file| !file.is_empty()),
                line: None,
                function: Some(function.to_owned()),
            };
            is_library(&frame, language)
        };
        for name in [
            "System.Net.Http.A.B",
            "bool System.Linq.X.Next()",
            "Npgsql.C.Read",
        ] {
            assert!(library(Language::Csharp, "", name), "{name}");
        }
        assert!(!library(
            Language::Csharp,
            "/src/Cart.cs",
            "Shop.Systems.Cart"
        ));
        assert!(library(
            Language::Dart,
            "package:flutter/src/a.dart",
            "build"
        ));
        assert!(!library(
            Language::Dart,
            "package:shop/cart.dart",
            "Cart.price"
        ));
        for (file, name) in [
            ("", "std::terminate()"),
            ("./nptl/pthread_kill.c", "x"),
            ("/usr/include/c++/12/bits/invoke.h", "x"),
            ("", "__interceptor_malloc"),
            ("", "raise"),
        ] {
            assert!(library(Language::Cpp, file, name), "{file} {name}");
        }
        assert!(!library(
            Language::Cpp,
            "src/cart.cc",
            "Cart::total() const"
        ));
        assert!(!library(Language::Cpp, "../src/cart.cc", "total"));
    }

    #[test]
    fn files_lose_builds_and_hashes() {
        for (one, other) in [
            ("/app/shop/cart.py", "/srv/releases/20260301/shop/cart.py"),
            ("C:\\app\\shop\\cart.py", "/home/x/shop/cart.py"),
            (
                "/app/dist/main.3f2a1b9c.js",
                "https://x.test/dist/main.99aa1b00.js?v=2",
            ),
            ("/r/20260301120000/cart.py", "/r/20260302120000/cart.py"),
        ] {
            assert_eq!(normal_file(one), normal_file(other), "{one}");
        }
        assert_ne!(normal_file("a/cart.py"), normal_file("a/user.py"));
        assert_ne!(
            normal_file("a/cart.service.js"),
            normal_file("a/cart.component.js")
        );
        assert_eq!(normal_file(""), "");
    }
}
