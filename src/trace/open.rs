//! A trace that is being put together: its lines, what it has used of the limits, and what the
//! next line does to it. Which stream the lines come from and what becomes of the finished trace
//! is the engine's.

use super::grammar::{Begin, GRAMMARS, Grammar, Reading, State, Step, may_begin};
use super::{Kept, Line, javascript, text, thrown};
use crate::model::{Level, Timestamp};

/// Lines of one trace that are stored; later ones still count as part of it. A JVM prints at
/// most 1,024 frames of one exception.
pub const LINES_KEPT: usize = 2_000;
/// Bytes of one trace that are stored.
pub const BYTES_KEPT: usize = 256 * 1024;
/// Lines after which a trace is closed though its end was not seen (a dump of a few thousand
/// goroutines still fits).
pub const LINES_MAX: usize = 50_000;
/// Bytes after which a trace is closed though its end was not seen.
pub const BYTES_MAX: usize = 16 * 1024 * 1024;
/// Lines that may stand between two lines that certainly belong to a trace: a message that runs
/// over several lines, an assertion's difference.
pub const HELD_LINES: usize = 60;
/// Bytes of such lines.
pub const HELD_BYTES: usize = 32 * 1024;
/// Longest piece of one line that is stored.
pub(super) const LINE_BYTES: usize = 16 * 1024;

/// A trace that is being put together, or lines held back because they may become one.
pub(super) struct Open {
    /// `None`: a line named an exception, and no frame told its language yet.
    pub grammar: Option<&'static Grammar>,
    pub state: State,
    pub prefixes: [String; 2],
    /// Blanks before the first line, taken off the following lines too.
    pub indent: usize,
    pub lines: Vec<Member>,
    /// How many of `lines` certainly belong to it.
    pub solid: usize,
    /// Index of the last line that certainly belongs to it.
    pub last: u64,
    pub taken: usize,
    pub bytes: usize,
    /// Bytes of `lines`.
    pub stored: usize,
    pub held_bytes: usize,
    pub header: Option<Header>,
    /// A logger wrote it: the level of the log line in the same record, or of a warning just
    /// before, once the program went on logging.
    pub logged: Option<Level>,
    /// A warning stands just before it.
    pub warned: bool,
    /// The level of the log line just before it, if that is a warning's.
    pub below: Option<Level>,
    pub line_level: Option<Level>,
    pub caret: bool,
    pub footer: bool,
    pub cut: bool,
    pub started: Timestamp,
    pub touched: Timestamp,
}

pub(super) struct Member {
    pub kept: Kept,
    /// Where the trace's own text begins in it.
    pub at: usize,
}

pub(super) struct Header {
    pub kept: Kept,
    pub level: Option<Level>,
    /// Another line of its message stands between it and the trace.
    pub far: bool,
}

impl Open {
    pub fn new(
        grammar: Option<&'static Grammar>,
        clean: &str,
        begin: Begin,
        now: Timestamp,
    ) -> Open {
        let before = clean.get(..begin.at).unwrap_or_default();
        let logged = text::log_prefix(clean).min(begin.at);
        let logger = clean.get(..logged).unwrap_or_default();
        let indented = text::is_blank(before);
        let own = |prefix: &str| {
            if text::is_blank(prefix) {
                String::new()
            } else {
                prefix.to_owned()
            }
        };
        Open {
            grammar,
            state: begin.state,
            prefixes: [own(before), own(logger)],
            indent: if indented { before.len() } else { 0 },
            lines: Vec::new(),
            solid: 0,
            last: 0,
            taken: 0,
            bytes: 0,
            stored: 0,
            held_bytes: 0,
            header: None,
            logged: None,
            warned: false,
            below: None,
            line_level: None,
            caret: false,
            footer: false,
            cut: false,
            started: now,
            touched: now,
        }
    }

    /// Where the trace's own text begins in the line: after its prefix and indentation.
    pub fn content_at(&self, clean: &str) -> usize {
        let shared = self
            .prefixes
            .iter()
            .map(|prefix| text::shared_prefix(clean, prefix));
        if let Some(at) = shared
            .max()
            .filter(|at| *at > 0 && clean.is_char_boundary(*at))
        {
            return at;
        }
        text::indent(clean).min(self.indent)
    }

    pub fn add(&mut self, clean: &str, at: usize, line: &Line<'_>, sure: bool) {
        self.taken += 1;
        self.bytes += clean.len();
        let text = text::floor(clean, LINE_BYTES);
        // Of a long line a piece is stored, and only that counts: a line that is held may be plain.
        if self.lines.len() < LINES_KEPT && self.stored + text.len() <= BYTES_KEPT {
            self.stored += text.len();
            let kept = Kept {
                text: text.to_owned(),
                time: line.time,
                index: line.index,
            };
            self.lines.push(Member { kept, at });
        } else {
            self.cut = true;
        }
        if sure {
            self.solid = self.lines.len();
            self.last = line.index;
            self.state.unsure = 0;
            self.held_bytes = 0;
        } else {
            self.state.unsure += 1;
            self.held_bytes += clean.len();
        }
    }

    pub fn over_limit(&self) -> bool {
        self.taken >= LINES_MAX || self.bytes >= BYTES_MAX
    }

    pub fn held_too_long(&self) -> bool {
        self.state.unsure > HELD_LINES || self.held_bytes > HELD_BYTES
    }

    /// Whether another exception's name may stand inside: Java's mail package names the inner
    /// exception on a line of its own, as Dart and Mono do below their heading; Node.js prints
    /// several inside braces.
    fn awaits_nested(&self) -> bool {
        let ends = |member: Option<&Member>, ends: &[&str]| {
            let text = member.map_or("", |member| member.kept.text.trim_end());
            ends.iter().any(|end| text.ends_with(end))
        };
        let headings = [
            "exception is:",
            "nhandled exception:",
            "nhandled Exception:",
        ];
        ends(self.lines.last(), &headings) || ends(self.lines.first(), &["] {"])
    }

    pub fn read(&self, grammar: &Grammar) -> Reading {
        let own: Vec<&str> = self
            .lines
            .iter()
            .take(self.solid)
            .map(|line| line.kept.text.get(line.at..).unwrap_or_default())
            .collect();
        (grammar.read)(&own)
    }
}

/// What the open trace did with a line.
pub(super) enum Verdict {
    Kept,
    /// The line belongs to it and nothing after it.
    Last,
    /// The line is none of it; the trace is closed and the line is looked at afresh.
    NotMine,
}

/// Which language's trace begins in the line; `None` inside means that the line names an
/// exception and the language is not known yet.
pub(super) fn begins(clean: &str) -> Option<(Option<&'static Grammar>, Begin)> {
    for grammar in GRAMMARS {
        if let Some(begin) = (grammar.begin)(clean) {
            return Some((Some(grammar), begin));
        }
    }
    let at = thrown::begins(clean)?;
    let state = State::default();
    Some((None, Begin { at, state }))
}

pub(super) fn continue_open(open: &mut Open, clean: &str, line: &Line<'_>) -> Verdict {
    if open.over_limit() {
        open.cut = true;
        return Verdict::NotMine;
    }
    let at = open.content_at(clean);
    let content = clean.get(at..).unwrap_or_default();
    let Some(grammar) = open.grammar else {
        return continue_held(open, clean, at, line);
    };
    match (grammar.step)(&mut open.state, content) {
        Step::Part => open.add(clean, at, line, true),
        Step::Footer => {
            open.footer = true;
            return Verdict::Last;
        }
        Step::End if !open.state.proven => return change_language(open, clean, at, line),
        Step::End => return Verdict::NotMine,
        Step::Maybe => return hold(open, clean, at, line),
    }
    Verdict::Kept
}

/// Two languages may begin alike (`Traceback (most recent call last):`): the first frame tells.
fn change_language(open: &mut Open, clean: &str, at: usize, line: &Line<'_>) -> Verdict {
    let content = clean.get(at..).unwrap_or_default();
    let adopted = GRAMMARS
        .iter()
        .find_map(|grammar| Some((*grammar, (grammar.adopt)(content)?)));
    let Some((grammar, state)) = adopted else {
        return Verdict::NotMine;
    };
    (open.grammar, open.state) = (Some(grammar), state);
    open.add(clean, at, line, true);
    Verdict::Kept
}

/// A line that named an exception waits for a frame.
fn continue_held(open: &mut Open, clean: &str, at: usize, line: &Line<'_>) -> Verdict {
    let content = clean.get(at..).unwrap_or_default();
    for grammar in GRAMMARS {
        if let Some(state) = (grammar.adopt)(content) {
            open.grammar = Some(grammar);
            open.state = state;
            if grammar.printed_by_runtime {
                open.header = None;
            }
            open.add(clean, at, line, true);
            return Verdict::Kept;
        }
    }
    if open.caret && javascript::is_footer(content) {
        // What was thrown has no frames.
        open.grammar = Some(&javascript::GRAMMAR);
        (open.state.proven, open.footer) = (true, true);
        return Verdict::Last;
    }
    if text::starts_like_log(content) {
        return Verdict::NotMine;
    }
    hold(open, clean, at, line)
}

/// Keeps a line that belongs to the trace if a later one proves it, unless another trace begins.
fn hold(open: &mut Open, clean: &str, at: usize, line: &Line<'_>) -> Verdict {
    if open.held_too_long() {
        return Verdict::NotMine;
    }
    let content = clean.get(at..).unwrap_or_default();
    if may_begin(content) && !open.awaits_nested() && begins(content).is_some() {
        return Verdict::NotMine;
    }
    open.add(clean, at, line, false);
    Verdict::Kept
}
