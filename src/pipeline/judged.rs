//! What the lines of a stream come to: traces and lines that the rules judge, as signals. Whether
//! something matters is decided in the rooms below; this puts together what they need.

use crate::model::{Kind, Level, Signal, Timestamp, Trace};
use crate::pipeline::learned::Known;
use crate::pipeline::noticed;
use crate::pipeline::ring::head;
use crate::pipeline::signals::SignalsOut;
use crate::pipeline::streams::{Ended, Stream};
use crate::record::View;
use crate::trace::{self, Found, Kept, Line};
use crate::triage::environment;
use crate::triage::rules::{self, Verdict};
use crate::watch::Fired;

/// Longest line kept with a signal, in bytes.
const MAX_LINE: usize = 8_192;

/// A record that carries its trace in a field of its own.
pub fn take_whole_trace(
    stream: &mut Stream,
    known: &mut Known,
    view: &View<'_>,
    text: &str,
    trace: Trace,
    out: &SignalsOut,
) {
    out.counters.traces.add(1);
    let message = view.message();
    let Some(verdict) = rules::judge_trace(&trace, false, view.level(), Some(&message)) else {
        return;
    };
    noticed::ended(known, stream, &verdict, view.time(), out);
    known.mark(stream.template_of(stream.next - 1));
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
pub fn settle(stream: &mut Stream, known: &mut Known, out: &SignalsOut) {
    if !stream.open.is_ready() {
        if !stream.open.is_open() {
            stream.held.clear();
        }
        return;
    }
    let plain: Vec<_> = stream.open.take_plain().collect();
    let found: Vec<Found> = stream.open.take().collect();
    for found in found {
        judge_found(stream, known, found, out);
    }
    for line in plain {
        // The first of them was read when it came.
        if stream.template_of(line.index).is_none() {
            let seen = known.read(first_line(&line.text));
            stream.keep_template(line.index, seen.id);
        }
        let level = stream.level_held(line.index);
        let line = Line {
            text: &line.text,
            time: line.time,
            level,
            index: line.index,
        };
        judge_plain(stream, known, line, out);
    }
    if !stream.open.is_open() {
        stream.held.clear();
    }
}

fn judge_found(stream: &mut Stream, known: &mut Known, found: Found, out: &SignalsOut) {
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
    if verdict.ended {
        stream.ended = Some(Ended::by(&verdict, found.time));
    }
    noticed::ended(known, stream, &verdict, found.time, out);
    for line in found.header.iter().chain(found.lines.first()) {
        known.mark(stream.template_of(line.index));
    }
    let signal = signal(stream, verdict, found.time, lines, since as usize);
    out.send(Signal {
        trace: Some(found.trace),
        ..signal
    });
}

/// Fields in which loggers put an error's own text.
const ERRORS: &[&str] = &[
    "error",
    "err",
    "error.message",
    "err.message",
    "exception",
    "exception.message",
    "cause",
];

/// Judges a record at error level by the error that stands beside its message.
pub fn judge_error_field(
    stream: &mut Stream,
    known: &mut Known,
    view: &View<'_>,
    line: Line<'_>,
    out: &SignalsOut,
) {
    if line.level < Some(Level::Error) {
        return;
    }
    // What stands in a line that is no JSON was judged with it.
    let json = view.json().is_some();
    if json && !environment::may_hold(view.line()) {
        return;
    }
    // One look at the names spares most records the look-ups.
    let may_stand = |(name, _): (&[u8], _)| {
        let first = name.first().map(u8::to_ascii_lowercase);
        matches!(first, Some(b'e' | b'c'))
    };
    if !json && !view.each_key().any(may_stand) {
        return;
    }
    let field = |path: &str| match json {
        true => view.field(path)?.into_text(),
        false => view.host_field(path)?.into_text(),
    };
    let texts = ERRORS.iter().filter_map(|path| field(path));
    for text in texts.filter(|text| text.len() <= MAX_LINE) {
        let text = format!("{}: {text}", line.text);
        if judge_plain(
            stream,
            known,
            Line {
                text: &text,
                ..line
            },
            out,
        ) {
            return;
        }
    }
}

/// Judges a line that is in no trace. `true`: a rule knows it.
pub fn judge_plain(
    stream: &mut Stream,
    known: &mut Known,
    line: Line<'_>,
    out: &SignalsOut,
) -> bool {
    match rules::judge_line(line.text, line.level) {
        Some(verdict) => {
            take_verdict(stream, known, verdict, line, out);
            true
        }
        None => false,
    }
}

fn take_verdict(
    stream: &mut Stream,
    known: &mut Known,
    verdict: Verdict,
    line: Line<'_>,
    out: &SignalsOut,
) {
    let Line { text, time, .. } = line;
    let told = stream
        .ended
        .as_ref()
        .is_some_and(|ended| ended.tells(&verdict, time));
    if told {
        return;
    }
    if verdict.repeats {
        return judge_again(stream, known, verdict, line, out);
    }
    if verdict.ended && verdict.kind != Kind::Exit {
        stream.ended = Some(Ended::by(&verdict, time));
    }
    noticed::ended(known, stream, &verdict, time, out);
    known.mark(stream.template_of(line.index));
    let lines = vec![head(text, MAX_LINE).to_owned()];
    out.send(signal(stream, verdict, time, lines, 0));
}

/// A line that is an incident only where its like came often of late.
fn judge_again(
    stream: &mut Stream,
    known: &mut Known,
    verdict: Verdict,
    line: Line<'_>,
    out: &SignalsOut,
) {
    let label = verdict.about.as_deref().unwrap_or_default();
    let Some(often) = known.repeats.count(label, line.text, line.time) else {
        return;
    };
    known.mark(stream.template_of(line.index));
    let reason = format!("{}; {}", verdict.reason, often.reason());
    let signal = signal(
        stream,
        Verdict { reason, ..verdict },
        often.first,
        often.lines,
        0,
    );
    out.send(Signal {
        last: often.last,
        ..signal
    });
}

/// A watch that fired, as a signal.
pub fn of_watch(fired: Fired, stream: &Stream) -> Signal {
    let verdict = Verdict::new(Kind::Watch, title(&fired), fired.reason());
    Signal {
        watch: Some(fired.label),
        last: fired.last,
        service: fired.service,
        ..signal(stream, verdict, fired.first, fired.lines, 0)
    }
}

/// What the watch looks for and, where it counts values apart, whose turn it was.
fn title(fired: &Fired) -> String {
    let group: Vec<String> = fired
        .group
        .iter()
        .map(|(field, value)| format!("{field} = {value}"))
        .collect();
    match group.is_empty() {
        true => fired.summary.clone(),
        false => format!("{} ({})", fired.summary, group.join(", ")),
    }
}

/// A signal of this stream. `skip`: how many of the newest lines of the ring are part of the fault itself.
pub fn signal(
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
        watch: verdict.about,
        trace: None,
        lines,
        context: stream.ring.before(skip),
        commit: stream.commit.clone(),
    }
}

/// What stands for a message of several lines.
pub fn first_line(message: &str) -> &str {
    match memchr::memchr(b'\n', message.as_bytes()) {
        None => message,
        Some(_) => message
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or(""),
    }
}
