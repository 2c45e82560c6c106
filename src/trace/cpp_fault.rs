//! The one line in which a C or C++ program says what killed it: `terminate called`, glibc's own
//! checks, assertions, `Check failed`, and signals as debuggers and handlers name them. Stacks are
//! `cpp`'s.

use super::text;
use crate::model::{Frame, Raised};

/// Where glog's or Chromium's own prefix begins, if it is that of a fatal line.
pub(super) fn checked_at(before: &str) -> Option<usize> {
    let head = before.strip_suffix("] ")?;
    if head.contains(":FATAL:") {
        return head.rfind('[');
    }
    let words = head.split_inclusive(' ');
    let mut at = 0;
    for word in words {
        let dated = word
            .trim_end()
            .strip_prefix('F')
            .is_some_and(|rest| rest.len() >= 4 && rest.bytes().all(|b| b.is_ascii_digit()));
        if dated {
            return Some(at);
        }
        at += word.len();
    }
    None
}

/// What a line says that names a fault by itself, and where that stands.
pub(super) fn fault(own: &str) -> Option<(Raised, Option<Frame>)> {
    let told = |kind: Option<&str>, message: &str| {
        let message = message.trim();
        let raised = Raised {
            kind: kind.map(str::to_owned),
            message: (!message.is_empty()).then(|| message.to_owned()),
        };
        Some((raised, None))
    };
    let own = own.trim_end();
    if let Some(rest) = own.strip_prefix("terminate called ") {
        let kind = rest
            .strip_prefix("after throwing an instance of '")
            .and_then(|rest| rest.strip_suffix('\''));
        let other = matches!(rest, "without an active exception" | "recursively");
        return match kind {
            Some(kind) => told(Some(kind), ""),
            None => other.then(|| told(None, own)).flatten(),
        };
    }
    if let Some(rest) = own.strip_prefix("libc++abi: terminating ") {
        let named = rest.split_once("exception of type ").map(|(_, kind)| kind);
        let (kind, message) = match named {
            Some(named) => named.split_once(": ").unwrap_or((named, "")),
            None => return told(None, own),
        };
        return told(Some(kind), message);
    }
    if let Some(found) = asserted(own) {
        return Some(found);
    }
    if let Some((before, message)) = own.split_once("Check failed: ")
        && checked_at(before).is_some()
    {
        return told(Some("CHECK"), message);
    }
    if let Some((before, rest)) = own.split_once(" signal SIG")
        && (before.ends_with("received") || before.ends_with("terminated with"))
    {
        let (signal, message) = rest.split_once(", ").unwrap_or((rest, ""));
        let signal = format!("SIG{}", signal.trim_end_matches('.'));
        let fatal = is_fatal(&signal);
        return fatal
            .then(|| told(Some(&signal), message.trim_end_matches('.')))
            .flatten();
    }
    if let Some(signal) = own.strip_prefix("*** SIG").filter(|_| received(own)) {
        let end = signal.find(|c: char| !c.is_ascii_alphanumeric());
        let name = signal.get(..end.unwrap_or(signal.len()))?;
        return told(Some(&format!("SIG{name}")), "");
    }
    if let Some(place) = own.strip_prefix("# Fatal error in ") {
        let (file, line) = place.split_once(", line ")?;
        let line = line.parse().ok()?;
        let frame = Frame {
            file: Some(file.to_owned()).filter(|file| !file.is_empty()),
            line: Some(line).filter(|line| *line > 0),
            function: None,
        };
        let raised = Raised {
            kind: Some("Fatal error".to_owned()),
            message: None,
        };
        return Some((raised, Some(frame)));
    }
    if own.starts_with("*** Aborted at ") && own.contains("(unix time)") {
        return told(None, "");
    }
    glibc(own).and_then(|message| told(None, message))
}

/// Whether a handler's line names a signal.
pub(super) fn received(own: &str) -> bool {
    own.ends_with("***") && (own.contains(" received at time") || own.contains(" received by PID "))
}

fn is_fatal(signal: &str) -> bool {
    const FATAL: [&str; 8] = [
        "SIGSEGV", "SIGABRT", "SIGFPE", "SIGILL", "SIGBUS", "SIGSYS", "SIGTRAP", "SIGIOT",
    ];
    FATAL.contains(&signal)
}

/// `prog: x.c:12: int f(int): Assertion `x' failed.` and the forms of BSD and musl.
fn asserted(own: &str) -> Option<(Raised, Option<Frame>)> {
    let raised = |message: &str| Raised {
        kind: Some("Assertion".to_owned()),
        message: Some(message.to_owned()),
    };
    let frame = |file: &str, line: u32, function: &str| {
        Some(Frame {
            file: Some(file.to_owned()),
            line: Some(line),
            function: Some(function.to_owned()).filter(|name| !name.is_empty()),
        })
    };
    if let Some(inner) = own.strip_suffix("' failed.") {
        let (before, message) = inner.split_once("Assertion `")?;
        let (_, before) = before.split_once(": ")?;
        let (place, function) = before.split_once(": ").unwrap_or((before, ""));
        let (file, line) = text::split_number(place)?;
        let function = function.trim_end().trim_end_matches(':');
        return Some((raised(message), frame(file, line, function)));
    }
    let rest = own.strip_prefix("Assertion failed: ")?;
    if let Some((condition, place)) = rest.split_once(", function ") {
        let (function, place) = place.split_once(", file ")?;
        let (file, line) = place.trim_end_matches('.').split_once(", line ")?;
        return Some((raised(condition), frame(file, line.parse().ok()?, function)));
    }
    let (condition, place) = rest.strip_suffix(')')?.rsplit_once(" (")?;
    let (file, place) = place.split_once(": ")?;
    let (function, line) = place.rsplit_once(": ")?;
    Some((raised(condition), frame(file, line.parse().ok()?, function)))
}

/// What glibc says before it aborts.
fn glibc(own: &str) -> Option<&str> {
    if let Some(inner) = own.strip_prefix("*** ") {
        if let Some((words, rest)) = inner.split_once(" ***") {
            let known = words.ends_with(" detected") && (rest.is_empty() || rest.starts_with(": "));
            if known {
                return Some(words);
            }
        }
        let (_, words) = inner.strip_prefix("Error in `")?.split_once("': ")?;
        return Some(words.trim_end_matches(" ***"));
    }
    const SAID: [&str; 9] = [
        "double free or corruption (",
        "corrupted size vs. prev_size",
        "corrupted double-linked list",
        "free(): ",
        "malloc(): ",
        "realloc(): ",
        "munmap_chunk(): ",
        "malloc_consolidate(): ",
        "Fatal glibc error: ",
    ];
    const FAULTS: [&str; 8] = [
        "corrupt",
        "invalid",
        "double",
        "mismatch",
        "unaligned",
        "overflow",
        "unsorted",
        "error",
    ];
    let lower = text::floor(own, 160).to_ascii_lowercase();
    let said = SAID.iter().any(|words| own.starts_with(words));
    (said && FAULTS.iter().any(|word| lower.contains(word))).then_some(own)
}
