//! The fast lane: every record passes here once, from the queue to whatever signal it makes.
//! One thread per instance. It waits for nobody: not for a disk, a network or a model, and
//! (outside replay) not for a triage lane that is behind.

use crate::log::Log;
use crate::model::{Kind, Level, Signal, Timestamp, Trace};
use crate::pipeline::clock;
use crate::pipeline::lane::{Halt, Turn};
use crate::pipeline::queue::{Chunk, Outlet};
use crate::pipeline::ring::head;
use crate::pipeline::signals::SignalsOut;
use crate::pipeline::streams::{Ended, Stream, Streams};
use crate::record::{Event, Events, Joiner, View};
use crate::trace::{self, Found, Kept, Line, Taken};
use crate::triage::rules::{self, Verdict};
use crate::watch::{Engine, Fired};
use std::sync::Arc;
use std::time::Duration;

/// How long the lane sleeps at most before it looks at open traces and at the stop flag.
const PAUSE: Duration = Duration::from_millis(200);

/// Longest line kept with a signal, in bytes.
const MAX_LINE: usize = 8_192;

/// The state of the lane.
pub struct Fast {
    outlet: Outlet,
    joiner: Joiner,
    reader: Reader,
    /// When time's own work was last done.
    looked: Timestamp,
    halt: Halt,
    log: Log,
}

/// One turn of the lane. At the end its state is dropped, and with it the sender of signals: that
/// is what ends the triage lane, after it took the last of them.
pub fn turn(lane: &mut Option<Fast>) -> Turn {
    let turn = lane.as_mut().map_or(Turn::Done, Fast::turn);
    if turn == Turn::Done {
        *lane = None;
    }
    turn
}

/// What a whole record goes through.
struct Reader {
    streams: Streams,
    watches: Engine,
    out: SignalsOut,
}

impl Fast {
    pub fn new(outlet: Outlet, streams: Streams, out: SignalsOut, halt: Halt, log: Log) -> Fast {
        Fast {
            outlet,
            joiner: Joiner::new(),
            reader: Reader {
                streams,
                watches: Engine::with_built_in(crate::watch::Caps::default()),
                out,
            },
            looked: Timestamp::default(),
            halt,
            log,
        }
    }

    /// Takes one chunk, or looks after what is open when none comes. At the end everything that
    /// is open is closed and judged.
    fn turn(&mut self) -> Turn {
        let pause = if self.halt.requested() {
            Duration::ZERO
        } else {
            PAUSE
        };
        match self.outlet.next(pause) {
            Ok(Some(chunk)) => self.read(&chunk),
            Ok(None) if !self.halt.requested() => self.idle(),
            Ok(None) | Err(_) => {
                self.finish();
                return Turn::Done;
            }
        }
        Turn::Again
    }

    fn read(&mut self, chunk: &Chunk) {
        let tag = chunk.tag();
        if is_own_tag(&tag) {
            return;
        }
        let now = clock::now();
        let counters = Arc::clone(&self.reader.out.counters);
        let mut seen = 0;
        for event in Events::new(chunk.data()) {
            match event {
                Ok(Event::Record(record)) => {
                    seen += 1;
                    let view = View::new(&tag, record);
                    let reader = &mut self.reader;
                    self.joiner
                        .push(&view, now, |whole| reader.take(whole, now));
                }
                Ok(Event::GroupStart(_) | Event::GroupEnd) => {}
                Err(fault) => {
                    counters.decode_faults.add(1);
                    let line = format!("a chunk could not be read to its end: {fault}; counted");
                    self.log.once("decode", Level::Warn, &line);
                }
            }
        }
        counters.records_seen.add(seen);
        self.bound();
        self.idle();
    }

    /// Looks after what time changes, a few times a second however many chunks come.
    fn idle(&mut self) {
        let now = clock::now();
        if now >= self.looked && now.since(self.looked) < PAUSE {
            return;
        }
        self.looked = now;
        let reader = &mut self.reader;
        self.joiner.idle(now, |whole| reader.take(whole, now));
        for stream in reader.streams.all() {
            if stream.open.is_open() {
                stream.open.idle(now);
                settle(stream, &reader.out);
            }
        }
        reader.watches.expire(now);
    }

    /// Keeps within the limits.
    fn bound(&mut self) {
        let reader = &mut self.reader;
        for mut stream in reader.streams.overflow() {
            reader.out.counters.cut_by_limit.add(1);
            stream.open.finish();
            settle(&mut stream, &reader.out);
        }
    }

    fn finish(&mut self) {
        let now = clock::now();
        let reader = &mut self.reader;
        self.joiner.finish(|whole| reader.take(whole, now));
        for stream in reader.streams.all() {
            stream.open.finish();
            settle(stream, &reader.out);
        }
    }
}

impl Reader {
    /// One whole record.
    fn take(&mut self, view: &View<'_>, now: Timestamp) {
        let message = view.message();
        if is_own_line(&message) {
            return;
        }
        if view.is_cut() {
            self.out.counters.cut_by_limit.add(1);
        }
        let stream = self.streams.of(view);
        for fired in self.watches.on_record(&stream.service, view, view.time()) {
            self.out.counters.watches_fired.add(1);
            self.out.send(of_watch(fired, stream));
        }
        let level = view.level();
        let index = stream.next;
        stream.next += 1;
        if let Some(text) = view.trace_text()
            && let Some(trace) = trace::parse(&text)
        {
            take_whole_trace(stream, view, level, &text, trace, &self.out);
        } else {
            let line = Line {
                text: &message,
                time: view.time(),
                level,
                index,
            };
            let taken = stream.open.push(line, now);
            // Before what is ready is judged: its lines are then the newest of the ring, whether
            // this record ended it or time did.
            stream.ring.push(view.time(), view.line());
            stream.hold(taken, index, level);
            settle(stream, &self.out);
            if taken == Taken::Plain {
                judge_plain(stream, &message, level, view.time(), &self.out);
            }
            return;
        }
        stream.ring.push(view.time(), view.line());
        settle(stream, &self.out);
    }
}

/// A record that carries its trace in a field of its own.
fn take_whole_trace(
    stream: &mut Stream,
    view: &View<'_>,
    level: Option<Level>,
    text: &str,
    trace: Trace,
    out: &SignalsOut,
) {
    out.counters.traces.add(1);
    let message = view.message();
    let Some(verdict) = rules::judge_trace(&trace, false, level, Some(&message)) else {
        return;
    };
    let mut lines = vec![head(&message, MAX_LINE).to_owned()];
    lines.extend(
        text.lines()
            .take(trace::LINES_KEPT)
            .map(|line| head(line, MAX_LINE).to_owned()),
    );
    let signal = signal(stream, verdict, view.time(), lines, 0);
    out.send(Signal {
        trace: Some(trace),
        ..signal
    });
}

/// Judges what the stream's assembler has ready: traces, then lines that began none, since an
/// exit notice behind a trace tells of that crash.
fn settle(stream: &mut Stream, out: &SignalsOut) {
    if !stream.open.is_ready() {
        if !stream.open.is_open() {
            stream.held.clear();
        }
        return;
    }
    let plain: Vec<_> = stream.open.take_plain().collect();
    let found: Vec<Found> = stream.open.take().collect();
    for found in found {
        judge_found(stream, found, out);
    }
    for line in plain {
        let level = stream.level_held(line.index);
        judge_plain(stream, &line.text, level, line.time, out);
    }
    if !stream.open.is_open() {
        stream.held.clear();
    }
}

fn judge_found(stream: &mut Stream, found: Found, out: &SignalsOut) {
    out.counters.traces.add(1);
    if found.cut {
        out.counters.cut_by_limit.add(1);
    }
    let header = found.header.as_ref().map(|line| line.text.as_str());
    let Some(verdict) = rules::judge_trace(&found.trace, found.uncaught, found.level, header)
    else {
        return;
    };
    let first = found.header.as_ref().or(found.lines.first());
    let since = first.map_or(0, |line| stream.next.saturating_sub(line.index));
    let kept = |line: &Kept| head(&line.text, MAX_LINE).to_owned();
    let lines = found.header.iter().chain(&found.lines).map(kept).collect();
    if verdict.kind == Kind::Crash {
        stream.ended = Some(Ended::by(&verdict, found.time));
    }
    let signal = signal(stream, verdict, found.time, lines, since as usize);
    out.send(Signal {
        trace: Some(found.trace),
        ..signal
    });
}

fn judge_plain(
    stream: &mut Stream,
    text: &str,
    level: Option<Level>,
    time: Timestamp,
    out: &SignalsOut,
) {
    let Some(verdict) = rules::judge_line(text, level) else {
        return;
    };
    let told = stream
        .ended
        .as_ref()
        .is_some_and(|ended| ended.tells(&verdict, time));
    if told {
        return;
    }
    if matches!(verdict.kind, Kind::Crash | Kind::Oom) {
        stream.ended = Some(Ended::by(&verdict, time));
    }
    let lines = vec![head(text, MAX_LINE).to_owned()];
    out.send(signal(stream, verdict, time, lines, 0));
}

fn of_watch(fired: Fired, stream: &Stream) -> Signal {
    let verdict = Verdict {
        kind: Kind::Watch,
        title: fired.summary.clone(),
        reason: fired.reason(),
    };
    Signal {
        watch: Some(fired.label),
        last: fired.last,
        service: fired.service,
        ..signal(stream, verdict, fired.first, fired.lines, 0)
    }
}

/// `skip`: how many of the newest lines of the ring are part of the fault itself.
fn signal(
    stream: &Stream,
    verdict: Verdict,
    time: Timestamp,
    lines: Vec<String>,
    skip: usize,
) -> Signal {
    Signal {
        kind: verdict.kind,
        service: stream.service.clone(),
        stream: stream.name.clone(),
        container: stream.container.clone(),
        time,
        last: time,
        title: verdict.title,
        reason: verdict.reason,
        watch: None,
        trace: None,
        lines,
        context: stream.ring.before(skip),
        commit: stream.commit.clone(),
    }
}

/// Our own incidents come back through the host under this tag.
fn is_own_tag(tag: &str) -> bool {
    tag == "autofix" || tag.starts_with("autofix.")
}

/// Our own lines in the host's log (`[2026/03/01 12:00:00] [ info] [output:autofix:…`), where
/// that log is collected too. Only as the line's beginning: a program that quotes us is heard.
fn is_own_line(line: &str) -> bool {
    line.starts_with('[')
        && head(line, 60)
            .find("[output:autofix:")
            .is_some_and(|at| line[..at].matches('[').count() == 2)
}
