//! How stacks of C and C++ print one frame: sanitizers and LLVM (`#0 0x… in f x.c:3:5`), gdb
//! (`#0  0x… in f (a=1) at x.c:3`), glog and Abseil (`@ 0x…  f`), boost and the standard library
//! (`0# f at x.cpp:3`), glibc (`./prog(f+0x1a)[0x…]`) and backward-cpp. What the lines around
//! them mean is `cpp`'s.

use super::text;
use crate::model::Frame;

/// Reads a frame in any of the forms.
pub(super) fn frame(line: &str) -> Option<Frame> {
    let own = line.trim();
    match own.as_bytes().first()? {
        b'#' => backward(own).or_else(|| numbered(own)),
        b'@' => logged(own),
        b'0'..=b'9' => boosted(own),
        _ => symbol(own),
    }
}

/// Whether the line is the first frame of a stack for certain, so that a stack may begin with it.
pub(super) fn is_first(line: &str) -> bool {
    let own = line.trim();
    if let Some(rest) = own.strip_prefix("#0 ") {
        let rest = rest.trim_start();
        let address = address(rest).is_some();
        let debugger = own.starts_with("#0  ") && called(rest).is_some_and(|(_, place)| place);
        return address || debugger;
    }
    if own.starts_with("0# ") {
        let module = own
            .rsplit_once(" in ")
            .is_some_and(|(_, path)| path.contains('/'));
        let placed = own
            .rsplit_once(" at ")
            .map(|(_, place)| text::split_number(place));
        return boosted(own).is_some() && (module || placed.flatten().is_some());
    }
    symbol(own).is_some()
}

/// `0x4f13bb rest` → the rest.
fn address(text: &str) -> Option<&str> {
    let hex = text.strip_prefix("0x")?;
    let digits = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
    let rest = hex.get(digits..)?;
    (digits > 0 && (rest.is_empty() || rest.starts_with(' '))).then(|| rest.trim_start())
}

/// `#12 rest` → the rest.
fn after_number(own: &str) -> Option<&str> {
    let rest = own.strip_prefix('#')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let rest = rest.get(digits..)?;
    (digits > 0 && digits < 6 && rest.starts_with(' ')).then(|| rest.trim_start())
}

/// A name that stands for none.
fn named(name: &str) -> Option<String> {
    let name = name.trim();
    let none = matches!(
        name,
        "" | "??" | "n/a" | "<null>" | "<unknown>" | "(unknown)" | "<unknown module>"
    );
    (!none).then(|| name.to_owned())
}

/// gdb's or a sanitizer's frame.
fn numbered(own: &str) -> Option<Frame> {
    let rest = after_number(own)?;
    // Android names the offset in a library: `#00 pc 0001a  /system/lib/libc.so (abort+12)`.
    if let Some(rest) = rest.strip_prefix("pc ") {
        return android(rest);
    }
    let (rest, addressed) = match address(rest) {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let rest = rest.strip_prefix("in ").unwrap_or(rest);
    if rest == "<signal handler called>" || rest == "?? ()" {
        return Some(Frame::default());
    }
    if let Some((name, true)) = called(rest) {
        return debugged(rest, name);
    }
    let bare = without_module(rest);
    let (name, file, line) = match placed(bare) {
        Some((name, file, line)) => (name, Some(file.to_owned()), Some(line)),
        None => (without_null(bare), None, None),
    };
    let told = addressed || bare.len() < rest.len() || file.is_some();
    told.then(|| Frame {
        file,
        line,
        function: named(name),
    })
}

/// `f x.c:3:5` → the name, the file and the line.
fn placed(text: &str) -> Option<(&str, &str, u32)> {
    let (name, place) = text.rsplit_once(' ').unwrap_or(("", text));
    let (file, line) = text::location(place)?;
    let real = !file.ends_with(':') && !file.starts_with('(') && file != "<null>";
    real.then_some((name.trim_end(), file, line))
}

/// ThreadSanitizer prints `f <null>` where it knows no place.
fn without_null(name: &str) -> &str {
    let name = name.strip_suffix(" <null>").unwrap_or(name);
    // MemorySanitizer and older LLVM print the module's path without brackets.
    name.trim_end()
}

/// A frame without ` (prog+0x12)` and ` (BuildId: …)` at its end.
fn without_module(text: &str) -> &str {
    let mut own = text.trim_end();
    while let Some(inner) = own.strip_suffix(')')
        && let Some(at) = inner.rfind('(')
    {
        let part = inner.get(at + 1..).unwrap_or_default();
        let offset = part.contains("+0x") || part.contains(" + 0x");
        let alone = at == 0 || inner.get(..at).is_some_and(|before| before.ends_with(' '));
        let known = offset || part.starts_with("BuildId: ") || part == "<unknown module>";
        if !known || !alone {
            break;
        }
        own = inner.get(..at).unwrap_or_default().trim_end();
    }
    own
}

/// `f (a=1, b=…) at x.c:3`, `f () from /lib/x.so` → the name, and whether a place follows.
fn called(rest: &str) -> Option<(&str, bool)> {
    // Arguments may hold any text, so what follows them is looked for from the end.
    let end = rest.rfind(") at ").or_else(|| rest.rfind(") from "));
    let place = end.is_some();
    let inner = match end {
        Some(end) => rest.get(..end)?,
        None => rest.strip_suffix(')')?,
    };
    let open = inner.find(" (")?;
    // The arguments of a template or of `operator() (…)` may hold one themselves.
    let open = match inner.get(..open)? {
        name if name.ends_with("operator") => open + 3,
        _ => open,
    };
    let name = inner.get(..open)?;
    (!name.is_empty()).then_some((name, place))
}

fn debugged(rest: &str, name: &str) -> Option<Frame> {
    let place = rest.rfind(") at ").and_then(|at| rest.get(at + 5..));
    let place = place.and_then(text::location);
    Some(Frame {
        file: place.map(|(file, _)| file.to_owned()),
        line: place.map(|(_, line)| line),
        function: named(name),
    })
}

fn android(rest: &str) -> Option<Frame> {
    let (offset, rest) = rest.split_once(' ')?;
    let hex = !offset.is_empty() && offset.bytes().all(|b| b.is_ascii_hexdigit());
    let name = rest
        .split_once(" (")
        .and_then(|(_, inner)| inner.split(')').next())
        .map(|inner| inner.rsplit_once('+').map_or(inner, |(name, _)| name))
        .filter(|name| !name.starts_with("BuildId"));
    hex.then(|| Frame {
        function: name.and_then(named),
        ..Frame::default()
    })
}

/// `@     0x55d5  google::LogMessage::Fail()`, with the size of the frame before the name in
/// Abseil's form.
fn logged(own: &str) -> Option<Frame> {
    let rest = own.strip_prefix('@')?.trim_start();
    let name = address(rest)?;
    let sized = name.split_once("  ").filter(|(size, _)| {
        *size == "(unknown)" || (!size.is_empty() && size.bytes().all(|b| b.is_ascii_digit()))
    });
    let name = sized.map_or(name, |(_, name)| name.trim_start());
    Some(Frame {
        function: named(name),
        ..Frame::default()
    })
}

/// `3# f(int) at /src/x.cpp:12`, `3# f in ./prog`, `3# 0x00 in ./prog`.
fn boosted(own: &str) -> Option<Frame> {
    let digits = own.bytes().take_while(u8::is_ascii_digit).count();
    let rest = own.get(digits..)?.strip_prefix("# ")?.trim();
    if digits == 0 || digits > 5 || rest.is_empty() {
        return None;
    }
    if rest == "at :0" {
        return Some(Frame::default());
    }
    let at = rest.rsplit_once(" at ").or_else(|| {
        let place = rest.strip_prefix("at ")?;
        Some(("", place))
    });
    if let Some((name, place)) = at
        && let Some((file, line)) = text::split_number(place)
    {
        return Some(Frame {
            file: Some(file.to_owned()),
            line: Some(line),
            function: named(without_address(name)),
        });
    }
    let name = rest.rsplit_once(" in ").map_or(rest, |(name, _)| name);
    Some(Frame {
        function: named(without_address(name)),
        ..Frame::default()
    })
}

/// An address instead of a name.
fn without_address(name: &str) -> &str {
    match address(name.trim()) {
        Some(rest) => rest,
        None => name,
    }
}

/// `./prog(f+0x1a)[0x55d5c]`, `/lib/libc.so.6(+0x3c050) [0x7f…]`, `./prog[0x400a]`.
fn symbol(own: &str) -> Option<Frame> {
    let (rest, hex) = own.strip_suffix(']')?.rsplit_once("[0x")?;
    let pointer = !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit());
    let rest = rest.trim_end();
    let (module, name) = match rest.strip_suffix(')') {
        Some(inner) => inner.rsplit_once('(')?,
        None => (rest, "+0x0"),
    };
    let (name, offset) = name
        .rsplit_once("+0x")
        .or_else(|| name.rsplit_once("-0x"))?;
    let numeric = !offset.is_empty() && offset.bytes().all(|b| b.is_ascii_hexdigit());
    let path = !module.is_empty() && !module.contains([' ', '=', '"', ',', ':']);
    (pointer && numeric && path && module.contains('/')).then(|| Frame {
        function: named(name),
        ..Frame::default()
    })
}

/// backward-cpp: `#3    Source "/src/x.cpp", line 12, in main`, `#4    Object "/x", at 0x55, in f`.
fn backward(own: &str) -> Option<Frame> {
    let rest = after_number(own)?;
    let (source, rest) = match rest.strip_prefix("Source \"") {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix("Object \"")?),
    };
    let (file, rest) = rest.split_once('"')?;
    let name = rest.split_once(", in ").map_or("", |(_, name)| name);
    let number = rest.strip_prefix(", line ").unwrap_or_default();
    let digits = number.bytes().take_while(u8::is_ascii_digit).count();
    Some(Frame {
        file: source.then(|| file.to_owned()),
        line: number.get(..digits).and_then(|digits| digits.parse().ok()),
        function: named(name.split(" [0x").next().unwrap_or(name)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        let Some(frame) = frame(line) else {
            return "none".to_owned();
        };
        let word = |text: Option<String>| text.unwrap_or("-".to_owned());
        let line = frame.line.unwrap_or(0);
        format!("{} | {}:{line}", word(frame.function), word(frame.file))
    }

    #[test]
    fn every_form() {
        for (line, want) in [
            (
                "    #0 0x4f13bb in operator delete(void*) (/x/p+0x4f) (BuildId: ab)",
                "operator delete(void*) | -:0",
            ),
            (
                "    #1 0x29f0 in a::b<int (*)(char)>::c() const /src/a.h:23:5",
                "a::b<int (*)(char)>::c() const | /src/a.h:23",
            ),
            ("    #2 0x7ffb57addec5  (<unknown module>)", "- | -:0"),
            (
                "    #0 sell(int) /src/race.cpp:7:40 (race+0xd4514) (BuildId: ab)",
                "sell(int) | /src/race.cpp:7",
            ),
            (
                "    #6 <null> <null> (libstdc++.so.6+0xd44a2) (BuildId: ab)",
                "- | -:0",
            ),
            (
                "    #0 pthread_create <null> (race+0x5340d)",
                "pthread_create | -:0",
            ),
            ("#13 0x0000004264e3 <unknown>", "- | -:0"),
            (
                "#1 0x0000015ac58a base::debug::StackTrace::StackTrace()",
                "base::debug::StackTrace::StackTrace() | -:0",
            ),
            (
                "#0  0x00005555555562e9 in total (cart=..., count=2) at segv.cpp:12",
                "total | segv.cpp:12",
            ),
            (
                "#1  main (argc=1, name=0x5 \"(a) at b\") at ./src/x.c:44",
                "main | ./src/x.c:44",
            ),
            (
                "#4  0x00007ffff7c9d919 in ?? () from /lib/libstdc++.so.6",
                "- | -:0",
            ),
            (
                "#6  0x00007ffff7ca8e85 in std::terminate() () from /lib/libstdc++.so.6",
                "std::terminate() | -:0",
            ),
            ("#2  <signal handler called>", "- | -:0"),
            (
                "    @     0x7f73ffcec1ed  google::LogMessage::Fail()",
                "google::LogMessage::Fail() | -:0",
            ),
            (
                "    @     0x55a931822179         64  total()",
                "total() | -:0",
            ),
            ("    @     0x7f2e7bb99cfe (unknown)", "- | -:0"),
            (
                " 0# total(int) at /src/shop.cpp:12",
                "total(int) | /src/shop.cpp:12",
            ),
            (
                " 7# __libc_start_main in /lib/libc.so.6",
                "__libc_start_main | -:0",
            ),
            (" 4# 0x0000560F7E1E1753 in ./boost", "- | -:0"),
            ("./symbols(total+0xc)[0x5643ba842214]", "total | -:0"),
            ("/lib/libc.so.6(+0x3c050) [0x7f115d923050]", "- | -:0"),
            (
                "#3    Source \"/src/x.cpp\", line 12, in main [0x55]",
                "main | /src/x.cpp:12",
            ),
            (
                "      #01 pc 000000000004f8  /apex/libc.so (abort+164) (BuildId: ab)",
                "abort | -:0",
            ),
            ("#1 /app/x.php(10): f()", "none"),
            ("#1 {main}", "none"),
            ("worker[0x12]", "none"),
        ] {
            assert_eq!(shown(line), want, "{line}");
        }
    }
}
