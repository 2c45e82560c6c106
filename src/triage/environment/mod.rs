//! Faults that are not the program's own: a neighbour that cannot be reached, a full disk, a
//! certificate that ran out, a quota, a permission. Says which of them a trace or a line is about
//! and, where the text names it, which neighbour.
//!
//! It goes by what runtimes print of such a fault: an exception's type, an error number or its
//! name, the error's own text as a whole part of the message. The same words inside a sentence
//! do not count, nor does a mistake that was made while a fault was handled.
//!
//! Not here: whether it is an incident (`rules`), how often a line must come (`repeat`).

mod class;
mod kinds;
mod level;
mod neighbour;
mod pattern;
pub mod repeat;

pub use class::{Class, may_hold};

use crate::model::{Block, Level, Trace};
use memchr::memmem;
use neighbour::Neighbour;
use regex::Regex;
use std::sync::LazyLock;

/// A fault of what stands around the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub class: Class,
    /// Host and port, path, API, as the text names it: of few kinds of characters, and short.
    pub neighbour: Option<String>,
    /// Class and neighbour without what varies: the same for the same outage.
    pub label: String,
    /// A code or a type says so, not words alone.
    certain: bool,
    /// The program says that it cannot go on.
    fatal: bool,
}

/// Stands in a label for a neighbour that the text does not name.
const UNNAMED: &str = "?";

/// Bytes of a text that are looked at.
const LONGEST: usize = 2_000;

impl Fault {
    fn new(class: Class, neighbour: Option<Neighbour>, certain: bool) -> Fault {
        let label = match &neighbour {
            _ if class.is_one() => class.family().to_owned(),
            Some(one) => format!("{}:{}", class.family(), one.masked(class)),
            None => format!("{}:{UNNAMED}", class.family()),
        };
        Fault {
            class,
            neighbour: neighbour.map(|one| one.text),
            label,
            certain,
            fatal: false,
        }
    }

    /// Whether a single line of it may be noise: what is tried again may heal.
    pub fn may_heal(&self) -> bool {
        let given_up = self.fatal && self.neighbour.is_some();
        !self.class.is_lasting() && !given_up
    }

    /// What is wrong, in words.
    pub fn says(&self) -> String {
        self.class.says(self.neighbour.as_deref())
    }
}

/// What a trace is about, where that is no fault of the program. `header`: the log line before
/// it, which may name the neighbour that the exception does not.
pub fn of_trace(trace: &Trace, header: Option<&str>) -> Option<Fault> {
    let root = trace.blocks.get(trace.root)?;
    let outermost = trace.blocks.get(trace.outermost)?;
    // A mistake in what handles the fault is the program's, whatever came first.
    if [root, outermost].into_iter().any(is_mistake) {
        return None;
    }
    let (class, certain) = class_of(trace, root).or_else(|| {
        let kind = outermost.raised.kind.as_deref()?;
        kinds::class(kind, message(outermost)).map(|class| (class, true))
    })?;
    let others = trace.blocks.iter().map(message);
    let named = std::iter::once(message(root))
        .chain(others)
        // A client of one API is named after it.
        .chain(
            root.raised
                .kind
                .as_deref()
                .filter(|_| class == Class::Quota),
        )
        .chain(header)
        .find_map(|text| neighbour::find(text, class));
    if class == Class::Timeout && !certain && !named.as_ref().is_some_and(Neighbour::is_host) {
        return None;
    }
    Some(Fault::new(class, named, certain))
}

fn class_of(trace: &Trace, root: &Block) -> Option<(Class, bool)> {
    let text = message(root);
    if let Some(class) = root
        .raised
        .kind
        .as_deref()
        .and_then(|kind| kinds::class(kind, text))
    {
        return Some((class, true));
    }
    let (class, certain) = class::of_text(text)?;
    let certain = certain || (class == Class::Timeout && thrown_by_socket(trace, root));
    // Programs raise these words themselves, about their own users.
    (class != Class::Permission || certain || neighbour::find(text, class).is_some())
        .then_some((class, certain))
}

/// Whether the frame that threw it is the runtime's own socket or TLS.
fn thrown_by_socket(trace: &Trace, root: &Block) -> bool {
    const FILES: &[&str] = &["/socket.py", "/ssl.py", "/selector_events.py"];
    let frames = trace.frames.get(root.frames.clone()).unwrap_or_default();
    let file = frames.last().and_then(|frame| frame.file.as_deref());
    file.is_some_and(|file| FILES.iter().any(|end| file.ends_with(end)))
}

fn is_mistake(block: &Block) -> bool {
    let kind = block.raised.kind.as_deref();
    kind.is_some_and(|kind| kinds::is_mistake(kind, message(block)))
}

fn message(block: &Block) -> &str {
    block.raised.message.as_deref().unwrap_or_default()
}

/// What the text of a fault that ended a program is about.
pub fn of_end(text: &str) -> Option<Fault> {
    if kinds::begins_with_mistake(text) {
        return None;
    }
    let (class, certain) = class::of_text(text)?;
    let named = neighbour::find(text, class);
    let told = match class {
        Class::Timeout => named.as_ref().is_some_and(Neighbour::is_host),
        Class::Permission => certain || named.is_some(),
        Class::Dns
        | Class::Connection
        | Class::DiskFull
        | Class::ReadOnly
        | Class::Certificate
        | Class::Quota
        | Class::Files
        | Class::Memory
        | Class::Port => true,
    };
    told.then(|| Fault::new(class, named, certain))
}

/// A proxy's health check took a server out, which HAProxy says as a warning: it has been tried
/// again already.
fn health_check(text: &str) -> Option<Fault> {
    let at = memmem::find(text.as_bytes(), b" is DOWN, reason: ")?;
    let before = text.get(..at)?;
    let (_, name) = before.rsplit_once("Server ")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:".contains(&b);
    let (pool, server) = name.split_once('/')?;
    let told = !pool.is_empty() && !server.is_empty() && name.len() <= 100;
    (told && name.bytes().all(plain)).then(|| Fault {
        class: Class::Connection,
        neighbour: Some(name.to_owned()),
        label: format!("{}:{name}", Class::Connection.family()),
        certain: true,
        fatal: true,
    })
}

/// Whoever looks after a neighbour says that it does not answer as it should, at level warn or
/// worse: one time may be chance.
fn probe(text: &str, level: Option<Level>) -> Option<Fault> {
    level.filter(|level| *level >= Level::Warn)?;
    let bytes = text.as_bytes();
    // Most lines hold neither word; `p` and `h` may be capitals.
    let may = memmem::find(bytes, b"robe").is_some() || memmem::find(bytes, b"heck").is_some();
    if !may {
        return None;
    }
    let found = PROBE.as_ref()?.captures(text)?;
    let name = found.name("who").map(|name| name.as_str().to_owned());
    let family = Class::Timeout.family();
    Some(Fault {
        class: Class::Timeout,
        label: format!("{family}:{}", name.as_deref().unwrap_or(UNNAMED)),
        neighbour: name,
        certain: true,
        fatal: false,
    })
}

static PROBE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r"(?x)\b(?:[Pp]robe|[Hh]ealth\ ?-?[Cc]heck)\b
        (?:\ (?:of|for|on|to)\ (?P<who>[A-Za-z0-9][A-Za-z0-9_./:-]{0,80}))?
        \ (?:has\ |is\ )?(?:fail(?:ed|ing)|timed\ out|errored)\b";
    Regex::new(pattern).ok()
});

/// What a line that is no trace is about. `level`: of the record, else of a word in the line. One
/// that says nothing of its level must say that something failed, and what.
pub fn of_line(text: &str, level: Option<Level>) -> Option<Fault> {
    let text = &text[..text.floor_char_boundary(LONGEST)];
    if level.is_none_or(|level| level >= Level::Warn)
        && let Some(fault) = health_check(text).or_else(|| probe(text, level))
    {
        return Some(fault);
    }
    if level.is_some_and(|level| level < Level::Error) || !class::may_hold(text) {
        return None;
    }
    let level = level.or_else(|| level::of_line(text));
    if level.is_some_and(|level| level < Level::Error) || neighbour::is_of_client(text) {
        return None;
    }
    let fault = of_end(text)?;
    // A client that goes away is nobody's fault, and its name would not help.
    if fault.class == Class::Connection && fault.neighbour.is_none() && text.contains("client") {
        return None;
    }
    let failed = || fault.certain || level::says_failure(text);
    let told =
        level.is_some() || ((fault.neighbour.is_some() || fault.class.is_lasting()) && failed());
    told.then_some(Fault {
        fatal: level == Some(Level::Fatal),
        ..fault
    })
}
