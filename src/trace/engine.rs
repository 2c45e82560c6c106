//! The engine: one [`Assembler`] per stream puts lines together to traces. It knows prefixes,
//! limits and when to give up, and asks the languages everything else. Every line is looked at
//! once; no line is ever read again from the beginning.

use super::grammar::{Begin, GRAMMARS, Grammar, Reading, State, may_begin};
use super::open::{Header, LINE_BYTES, Member, Open, Verdict, begins, continue_open};
use super::previous::{HEADER_GAP, Previous, apart, near, starts_anew};
use super::{Found, Kept, Line, Taken, text, thrown};
use crate::model::{Level, Timestamp};
use std::collections::VecDeque;
use std::time::Duration;

/// Wall-clock silence of a stream after which its trace is over.
pub const IDLE: Duration = Duration::from_secs(5);
/// Wall-clock time from the first line after which a trace is closed.
pub const LONGEST: Duration = Duration::from_secs(60);
/// How soon in event time a program that caught a fault goes on logging.
const FOLLOW_GAP: Duration = Duration::from_secs(2);

/// Puts the lines of one stream together to traces.
#[derive(Default)]
pub struct Assembler {
    previous: Previous,
    /// The plain line before that one.
    earlier: Previous,
    open: Option<Box<Open>>,
    found: VecDeque<Found>,
    plain: VecDeque<Kept>,
    /// For lines with colours; kept so that they cost no allocation each.
    scratch: String,
}

impl Assembler {
    /// Bytes held for the open trace and its neighbours, about.
    pub fn bytes(&self) -> usize {
        let open = self.open.as_ref().map_or(0, |open| {
            open.stored + open.lines.len() * size_of::<Member>()
        });
        let lines = self.previous.text.capacity() + self.earlier.text.capacity();
        open + lines + self.scratch.capacity()
    }

    /// Takes the stream's next line. `now` is the wall clock.
    pub fn push(&mut self, line: Line<'_>, now: Timestamp) -> Taken {
        self.idle(now);
        let trimmed = line.text.trim_end_matches(['\n', '\r']);
        // Most lines hold neither the end of one nor a colour.
        if memchr::memchr2(b'\n', 0x1b, trimmed.as_bytes()).is_none() {
            return self.push_clean(unmarked(trimmed), &line, now);
        }
        if memchr::memchr(b'\n', trimmed.as_bytes()).is_some() {
            return self.push_record(trimmed, line, now);
        }
        self.push_coloured(trimmed, &line, now)
    }

    /// One record with several lines. A trace that begins in it ends with it.
    fn push_record(&mut self, whole: &str, line: Line<'_>, now: Timestamp) -> Taken {
        let (found, plain) = (self.found.len(), self.plain.len());
        let mut taken = Taken::Plain;
        for part in whole.split('\n') {
            let part = part.strip_suffix('\r').unwrap_or(part);
            if self.push_coloured(part, &line, now) == Taken::Inside {
                taken = Taken::Inside;
            }
        }
        let mine = |kept: Option<&Kept>| kept.is_some_and(|kept| kept.index == line.index);
        let began = self
            .open
            .as_ref()
            .is_some_and(|open| mine(open.lines.first().map(|member| &member.kept)));
        if began {
            self.close();
        }
        // The caller has the record; its plain parts need not come back.
        let mut kept: VecDeque<Kept> = self.plain.split_off(plain.min(self.plain.len()));
        kept.retain(|kept| kept.index != line.index);
        self.plain.append(&mut kept);
        let whole_record = |found: &Found| mine(found.lines.first());
        let now_found = self.found.iter().skip(found).any(whole_record);
        if now_found || self.open.is_some() {
            return taken;
        }
        Taken::Plain
    }

    fn push_coloured(&mut self, text: &str, line: &Line<'_>, now: Timestamp) -> Taken {
        let text = unmarked(text.strip_suffix('\r').unwrap_or(text));
        if memchr::memchr(0x1b, text.as_bytes()).is_none() {
            return self.push_clean(text, line, now);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        text::strip_ansi(text, &mut scratch);
        let taken = self.push_clean(&scratch, line, now);
        if scratch.capacity() <= 4 * LINE_BYTES {
            self.scratch = scratch;
        }
        taken
    }

    fn push_clean(&mut self, clean: &str, line: &Line<'_>, now: Timestamp) -> Taken {
        if let Some(mut open) = self.open.take() {
            open.touched = now;
            let verdict = continue_open(&mut open, clean, line);
            self.open = Some(open);
            match verdict {
                Verdict::Kept => return Taken::Inside,
                Verdict::Last => {
                    self.close();
                    return Taken::Inside;
                }
                Verdict::NotMine => {
                    self.note_follower(clean, line);
                    self.close();
                }
            }
        }
        if self.begin(clean, line, now) {
            return Taken::Inside;
        }
        self.remember(clean, line);
        Taken::Plain
    }

    fn remember(&mut self, clean: &str, line: &Line<'_>) {
        if text::is_blank(clean) {
            self.previous.pass_blank();
            return;
        }
        std::mem::swap(&mut self.previous, &mut self.earlier);
        self.previous.remember(clean, line);
    }

    /// After an uncaught fault a program says no more, or starts anew. One that goes on logging at
    /// once has caught it, and the warning before was the fault's own log line.
    fn note_follower(&mut self, clean: &str, line: &Line<'_>) {
        let Some(open) = self.open.as_mut().filter(|open| open.warned) else {
            return;
        };
        let soon = open.lines.last().is_some_and(|last| {
            line.time.since(last.kept.time) <= FOLLOW_GAP && line.time >= last.kept.time
        });
        if soon && text::level_of(clean).is_some() && !starts_anew(clean) {
            open.logged = Some(Level::Warn);
        }
    }

    /// Opens a trace at this line, if it begins one.
    fn begin(&mut self, clean: &str, line: &Line<'_>, now: Timestamp) -> bool {
        if may_begin(clean)
            && let Some((grammar, begin)) = begins(clean)
        {
            let mut open = Box::new(Open::new(grammar, clean, begin, now));
            let announced = grammar.is_none() && thrown::announces(self.previous.direct());
            let framed = self.names_what(clean, grammar, begin);
            if announced || framed {
                let before = clean.get(..begin.at).filter(|_| framed);
                self.add_previous(&mut open, before);
                let header = self.header(line, open.grammar);
                open.header = header.filter(|header| header.far);
            } else {
                self.add_name_above(&mut open, line);
                open.header = self
                    .header(line, open.grammar)
                    .filter(|_| open.lines.is_empty());
                open.logged = self.logged(line);
                open.warned = self.warned(line);
                open.below = self.below(line);
            }
            open.caret = self.previous.caret;
            open.line_level = line.level;
            self.take_back(&open);
            open.add(clean, begin.at, line, true);
            self.open = Some(open);
            return true;
        }
        self.begin_at_frame(clean, line, now) || self.begin_below_caret(clean, line, now)
    }

    /// Whether a stack begins with its first frame, and the line before it may say of what.
    fn names_what(&self, clean: &str, grammar: Option<&Grammar>, begin: Begin) -> bool {
        let own = clean.get(begin.at..).unwrap_or_default();
        let framed = grammar.is_some_and(|grammar| (grammar.frame)(own));
        let before = self.previous.direct();
        let level = text::level_of(before).filter(|_| text::starts_like_log(before));
        framed && !before.starts_with('{') && level.is_none_or(|level| level >= Level::Error)
    }

    /// What Node.js points at may be thrown without being an error: the next line shows it.
    fn begin_below_caret(&mut self, clean: &str, line: &Line<'_>, now: Timestamp) -> bool {
        let shown = self.previous.caret && self.previous.set && !text::is_blank(clean);
        if !shown || text::starts_like_log(clean) {
            return false;
        }
        let state = State::default();
        let mut open = Box::new(Open::new(None, clean, Begin { at: 0, state }, now));
        open.caret = true;
        open.line_level = line.level;
        open.add(clean, 0, line, true);
        self.open = Some(open);
        true
    }

    /// A frame with no known name before it: the line before it is taken for the name.
    fn begin_at_frame(&mut self, clean: &str, line: &Line<'_>, now: Timestamp) -> bool {
        if !matches!(clean.as_bytes().first(), Some(b' ' | b'\t')) {
            return false;
        }
        let Some(grammar) = GRAMMARS.iter().find(|grammar| (grammar.frame)(clean)) else {
            return false;
        };
        let state = (grammar.adopt)(clean).unwrap_or_default();
        let mut open = Box::new(Open::new(Some(grammar), "", Begin { at: 0, state }, now));
        open.state.proven = true;
        open.line_level = line.level;
        open.caret = self.previous.caret;
        if !self.previous.direct().starts_with('{') {
            self.add_previous(&mut open, None);
        }
        self.take_back(&open);
        open.add(clean, 0, line, true);
        self.open = Some(open);
        true
    }

    /// Makes the line that names the exception the trace's first, where a frame began it. A line
    /// that is empty behind its prefix may stand between.
    fn add_name_above(&self, open: &mut Open, first: &Line<'_>) {
        let Some(names) = open.state.named_above else {
            return;
        };
        let at = |line: &Previous| {
            let apart = apart(line, first);
            let named = (line.set && apart <= HEADER_GAP).then(|| names(&line.text));
            named.flatten()
        };
        let above = match at(&self.previous) {
            Some(at) => [None, Some((&self.previous, at))],
            None => {
                let prefix = text::log_prefix(&self.previous.text);
                let empty = self.previous.text.get(prefix..).is_some_and(text::is_blank);
                let Some(at) = at(&self.earlier).filter(|_| empty) else {
                    return;
                };
                [Some((&self.earlier, at)), Some((&self.previous, prefix))]
            }
        };
        for (above, at) in above.into_iter().flatten() {
            let line = Line {
                text: &above.text,
                time: above.time,
                level: above.level,
                index: above.index,
            };
            open.add(&above.text, at, &line, true);
        }
        open.state.proven = true;
    }

    /// Lines above that were just given back are the trace's after all.
    fn take_back(&mut self, open: &Open) {
        for member in open.lines.iter().rev() {
            let last = self.plain.back();
            if last.is_some_and(|kept| kept.index == member.kept.index) {
                self.plain.pop_back();
            }
        }
    }

    /// Makes the line before the trace's first. `before` stands before the frame below it, and so
    /// before that line too: of a line that no logger began nothing else is guessed.
    fn add_previous(&self, open: &mut Open, before: Option<&str>) {
        let name = self.previous.direct();
        if name.is_empty() {
            return;
        }
        let line = Line {
            text: name,
            time: self.previous.time,
            level: self.previous.level,
            index: self.previous.index,
        };
        let prefix = before.map_or_else(|| text::log_prefix(name), |before| own_at(name, before));
        let logger = name.get(..prefix).unwrap_or_default();
        if open.lines.is_empty() && !text::is_blank(logger) {
            open.prefixes[1] = logger.to_owned();
        }
        open.line_level = line.level;
        open.add(name, prefix, &line, true);
    }

    /// The line before, if it is a logger's error about the same event.
    fn header(&self, first: &Line<'_>, grammar: Option<&Grammar>) -> Option<Header> {
        let own = grammar.is_some_and(|grammar| grammar.printed_by_runtime);
        if !near(&self.previous, first) {
            return None;
        }
        // A message of two lines.
        let continued = !own && self.previous.continues() && self.previous.blanks == 0;
        let far = continued && self.earlier.blanks == 0 && near(&self.earlier, first);
        let log = if far { &self.earlier } else { &self.previous };
        // A level that comes from the stream says nothing: the trace's own line has it too.
        let given = log
            .level
            .filter(|level| !far && first.level != Some(*level));
        let level = text::level_of(&log.text).or(given);
        (level >= Some(Level::Error)).then(|| Header {
            kept: log.kept(),
            level,
            far,
        })
    }

    /// The level that the log line before names, if that is a warning's. A trace below a line of
    /// less says nothing of its level: programs print faults they caught (`printStackTrace`,
    /// `console.error`) right after whatever they logged last. The level of a record does not
    /// count: a logger that writes records writes the trace into them.
    fn below(&self, first: &Line<'_>) -> Option<Level> {
        let log = &self.previous;
        let level = || text::level_of(&log.text).filter(|level| *level == Level::Warn);
        (near(log, first) && !log.text.starts_with('{'))
            .then(level)
            .flatten()
    }

    /// The level of the log line that the trace's own record begins with.
    fn logged(&self, first: &Line<'_>) -> Option<Level> {
        let previous = &self.previous;
        let same = previous.set && previous.index == first.index;
        let level = || text::level_of(&previous.text).or(first.level);
        same.then(level).flatten()
    }

    /// Whether the line before is a logger's warning. That may be the log line of this very trace
    /// (caught, and logged as a warning), or the last words before an uncaught one.
    fn warned(&self, first: &Line<'_>) -> bool {
        let previous = &self.previous;
        let level = text::level_of(&previous.text).or(previous.level);
        near(previous, first) && level == Some(Level::Warn)
    }

    /// Closes a trace whose stream was silent, or which has lasted, for too long. `now` is the
    /// wall clock; call it about once a second.
    pub fn idle(&mut self, now: Timestamp) {
        let Some(open) = &mut self.open else { return };
        let long = now.since(open.started) > LONGEST;
        if long || now.since(open.touched) > IDLE {
            open.cut |= long;
            self.close();
        }
    }

    /// Closes what is open: the stream has ended.
    pub fn finish(&mut self) {
        self.close();
    }

    /// Whether a trace is open, or lines are held back.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether [`Assembler::take`] or [`Assembler::take_plain`] has something to give.
    pub fn is_ready(&self) -> bool {
        !(self.found.is_empty() && self.plain.is_empty())
    }

    /// The traces found since the last call.
    pub fn take(&mut self) -> impl Iterator<Item = Found> + '_ {
        self.found.drain(..)
    }

    /// Lines that were held back ([`Taken::Inside`]) and belong to no trace after all, since the
    /// last call. Treat them as plain lines.
    pub fn take_plain(&mut self) -> impl Iterator<Item = Kept> + '_ {
        self.plain.drain(..)
    }

    fn close(&mut self) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        self.previous.forget();
        self.earlier.forget();
        let Some(grammar) = open.grammar.filter(|_| open.state.proven) else {
            let level = open.line_level;
            self.release(open.lines.drain(..), level);
            return;
        };
        let reading = open.read(grammar);
        let uncertain = open.lines.split_off(open.solid.min(open.lines.len()));
        let found = self.build(*open, grammar, reading);
        self.found.extend(found);
        self.release(uncertain.into_iter(), None);
    }

    /// Gives held lines back; the last of them may be the next trace's header.
    fn release(&mut self, lines: impl Iterator<Item = Member>, level: Option<Level>) {
        for member in lines {
            let line = Line {
                text: "",
                time: member.kept.time,
                level,
                index: member.kept.index,
            };
            self.remember(&member.kept.text, &line);
            if !text::is_blank(&member.kept.text) {
                self.plain.push_back(member.kept);
            }
        }
    }

    fn build(&self, mut open: Open, grammar: &Grammar, reading: Reading) -> Option<Found> {
        let first = open.lines.first()?;
        let unfit = |header: &Header| header.far || grammar.printed_by_runtime;
        if !reading.loggable && open.header.as_ref().is_some_and(unfit) {
            open.header = None;
        }
        let prefix = text::floor(&first.kept.text, first.at);
        let header = open.header.as_ref().and_then(|header| header.level);
        let below = open.below.filter(|_| reading.loggable);
        let own = header.or_else(|| text::level_of(prefix)).or(open.logged);
        let logged = open.header.is_some() || own.or(below).is_some();
        let uncaught = reading.uncaught.unwrap_or(!logged) || open.footer || open.caret;
        let level = own.or(below.filter(|_| !uncaught)).or(open.line_level);
        let time = first.kept.time;
        Some(Found {
            header: open.header.map(|header| header.kept),
            last: open.last,
            uncaught,
            level,
            cut: open.cut,
            time,
            trace: reading.into_trace(grammar.language),
            lines: open.lines.into_iter().map(|member| member.kept).collect(),
        })
    }
}

/// A line without the byte order mark that a file may begin with.
fn unmarked(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Where a line's own text begins, when `before` stands before the line below it.
fn own_at(line: &str, before: &str) -> usize {
    let shared = text::shared_prefix(line, before.trim_end());
    let rest = line.get(shared..).unwrap_or_default();
    let at = shared + usize::from(rest.starts_with(' '));
    let own = line.get(at..).unwrap_or_default();
    if text::starts_like_log(own) {
        at + text::log_prefix(own)
    } else {
        at
    }
}
