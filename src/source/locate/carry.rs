//! Frames in which a fault was thrown but hardly made: functions that exist to check or to throw,
//! operators and getters that refuse what they are given, generated code. The one that called
//! them comes before them.

use super::function::{bare_name, enclosing};
use super::{Files, role};
use crate::model::{Language, Trace};

/// First lines of a file in which generators say that they wrote it.
const HEAD: usize = 12;

/// Why a frame only carries the fault, where it does.
pub(super) fn only_carries(
    file: &str,
    line: Option<u32>,
    function: Option<&str>,
    files: &dyn Files,
) -> Option<&'static str> {
    let name = function.and_then(bare_name).unwrap_or_default();
    let name = name.trim_start_matches('_').to_lowercase();
    if exists_to_throw(&name) {
        return Some("a function that only throws");
    }
    if function.is_some_and(is_operator) {
        return Some("an operator refuses what it was given");
    }
    if role::is_generated(file) {
        return Some("generated code");
    }
    let text = files.text(file)?;
    let lines: Vec<&str> = text.lines().collect();
    let marked = |line: &&&str| line.contains("DO NOT EDIT") || line.contains("@generated");
    if lines.iter().take(HEAD).any(|line| marked(&line)) {
        return Some("generated code");
    }
    let at = line?;
    let said = lines.get(at.checked_sub(1)? as usize)?;
    let around = enclosing(&lines, at);
    let shared = role::is_shared(file);
    if throws(said) {
        let checks = is_check(&name) || is_wrapper(&name) || is_accessor(&name);
        let short = around.is_some_and(|f| f.lines.end() - f.lines.start() < 12);
        return (checks || (shared && short)).then_some("a check that throws for its caller");
    }
    let thin = around.is_some_and(|f| {
        let inside = lines.get(*f.lines.start() as usize..*f.lines.end() as usize);
        inside.is_some_and(|inside| statements(inside) == 1)
    });
    (shared && thin).then_some("a helper of one statement, at fault for what it was given")
}

/// Lines of a function's body that say something.
fn statements(body: &[&str]) -> usize {
    let says = |line: &&&str| line.chars().any(char::is_alphanumeric) && line.trim() != "end";
    body.iter().filter(says).count()
}

fn exists_to_throw(name: &str) -> bool {
    [
        "raise", "throw", "fail", "abort", "panic", "assert", "require",
    ]
    .iter()
    .any(|word| name.starts_with(word))
        || name == "die"
}

/// Whether a line throws by its own decision.
fn throws(line: &str) -> bool {
    let text = line.trim_start();
    ["raise", "throw", "panic(", "panic!", "bail!", "die("]
        .iter()
        .any(|word| text.starts_with(word) || text.contains(&format!(" {word}")))
}

/// `check_stock`, `ensureOpen`: a word of a check, then nothing or another word.
fn is_check(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "check",
        "ensure",
        "validate",
        "verify",
        "must",
        "invariant",
        "expect",
        "refuse",
        "guard",
        "reject",
        "enforce",
    ];
    WORDS.iter().any(|word| name.starts_with(word))
}

/// The usual names of what a decorator puts around a function.
fn is_wrapper(name: &str) -> bool {
    matches!(
        name,
        "wrapper" | "wrapped" | "inner" | "decorated" | "decorator" | "around" | "proxy"
    )
}

/// Getters by name, of proxies and settings.
fn is_accessor(name: &str) -> bool {
    matches!(
        name,
        "get" | "getattr" | "getitem" | "lookup" | "method_missing"
    )
}

/// Python's methods for operators and attributes, and those of Rust's and C++'s operators.
fn is_operator(function: &str) -> bool {
    const OPERATORS: &[&str] = &[
        "lt",
        "le",
        "gt",
        "ge",
        "eq",
        "ne",
        "add",
        "radd",
        "sub",
        "rsub",
        "mul",
        "rmul",
        "truediv",
        "floordiv",
        "mod",
        "pow",
        "neg",
        "getattr",
        "getattribute",
        "getitem",
        "contains",
        "float",
        "int",
        "bool",
        "index",
        "hash",
        "get",
    ];
    let last = function.rsplit('.').next().unwrap_or(function);
    last.strip_prefix("__")
        .and_then(|rest| rest.strip_suffix("__"))
        .is_some_and(|name| OPERATORS.contains(&name))
        || function.contains("as core::ops::")
        || function.contains("operator[]")
}

/// In Go, what ran after a panic stands inside it: deferred functions, some of which panic again.
/// The frames below the last one are where it began.
pub(super) fn inside_first(trace: &Trace, order: &mut [usize]) {
    if trace.language != Language::Go {
        return;
    }
    let panics = |frame: &usize| {
        let function = trace.frames.get(*frame).and_then(|f| f.function.as_deref());
        matches!(
            function,
            Some("panic" | "runtime.gopanic" | "runtime.panicmem" | "runtime.sigpanic")
        )
    };
    let inside = trace
        .blocks
        .get(trace.root)
        .map_or(0, |root| root.frames.len());
    let Some(root) = order.get_mut(..inside) else {
        return;
    };
    if let Some(last) = root.iter().rposition(panics) {
        root.rotate_left(last + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::locate::PathList;
    use std::borrow::Cow;

    struct One(Vec<String>, &'static str);

    impl Files for One {
        fn paths(&self) -> &[String] {
            &self.0
        }
        fn text(&self, _path: &str) -> Option<Cow<'_, str>> {
            Some(Cow::Borrowed(self.1))
        }
    }

    #[test]
    fn names_that_carry() {
        let none = PathList::default();
        for (file, function, carries) in [
            ("a/b.py", "raise_missing", true),
            ("a/b.py", "__getattr__", true),
            ("a/b.py", "Money.__add__", true),
            ("a/b.py", "__init__", false),
            ("a/b.py", "__call__", false),
            ("a/b_pb2.py", "parse", true),
            ("a/model.pb.go", "(*Order).GetSum", true),
            ("a/b.py", "check_stock", false),
            (
                "src/a.rs",
                "<shop::List as core::ops::index::Index<usize>>::index",
                true,
            ),
            ("a/b.py", "total", false),
        ] {
            let found = only_carries(file, Some(1), Some(function), &none).is_some();
            assert_eq!(found, carries, "{file} {function}");
        }
    }

    #[test]
    fn a_panic_began_below_what_was_deferred() {
        let printed = "panic: a [recovered]\n\tpanic: a\n\ngoroutine 1 [running]:\nmain.f.func1()\n\t/app/a.go:9 +0x1\npanic({0x1?, 0x2?})\n\t/usr/local/go/src/runtime/panic.go:884 +0x2\nmain.g(...)\n\t/app/b.go:7\nmain.main()\n\t/app/main.go:5 +0x3\n";
        let trace = crate::trace::parse(printed).unwrap();
        let mut order = trace.innermost_first();
        inside_first(&trace, &mut order);
        let files: Vec<&str> = order
            .iter()
            .filter_map(|frame| trace.frames[*frame].file.as_deref())
            .collect();
        assert_eq!(files[0], "/app/b.go", "{files:?}");
        assert_eq!((files.len(), files[2]), (4, "/app/a.go"), "{files:?}");
    }

    #[test]
    fn a_check_carries_where_it_throws_itself() {
        let text = "def check_stock(n):\n    a = 1 / n\n    raise ValueError(n)\n";
        let files = One(Vec::new(), text);
        let of = |line, name, file| only_carries(file, Some(line), Some(name), &files);
        assert_eq!(of(2, "check_stock", "a/b.py"), None);
        assert!(of(3, "check_stock", "a/b.py").is_some());
        assert_eq!(of(3, "stock", "a/b.py"), None);
        assert!(of(3, "stock", "a/utils/b.py").is_some());
        assert_eq!(of(2, "stock", "a/utils/b.py"), None);
        let thin = One(
            Vec::new(),
            "func Last(a []int) int {\n\treturn a[len(a)-1]\n}\n",
        );
        assert!(only_carries("utils/a.go", Some(2), Some("Last"), &thin).is_some());
        assert_eq!(
            only_carries("cart/a.go", Some(2), Some("Last"), &thin),
            None
        );
        let made = One(
            Vec::new(),
            "// Code generated by x. DO NOT EDIT.\nfunc f() {}\n",
        );
        assert_eq!(
            only_carries("a.go", Some(2), Some("f"), &made),
            Some("generated code")
        );
    }
}
