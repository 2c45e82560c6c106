//! What a record changes in what is known of its service, and the signals that come of it: an
//! error that left its own past behind, a deploy that made things worse, a restart loop. The
//! rooms below decide; this only connects them.

use crate::model::{CommitId, Kind, Signal, Timestamp};
use crate::pipeline::judged;
use crate::pipeline::learned::Known;
use crate::pipeline::notes::Note;
use crate::pipeline::signals::SignalsOut;
use crate::pipeline::streams::Stream;
use crate::rate::{Change, Deploy, Entry, Loop, Occurrence, Place, Rate};
use crate::record::View;
use crate::template::Seen;
use crate::triage::Verdict;
use crossbeam_channel::Sender;

/// Where signals and notes go.
pub struct Outs<'a> {
    pub signals: &'a SignalsOut,
    pub notes: &'a Sender<Note>,
    /// Wall clock, where somebody reads the news.
    pub read_at: Option<Timestamp>,
}

/// Counts a record with its service, and hands on what that showed.
/// The entry comes back: lines that go on with this record count there.
pub fn count(
    known: &mut Known,
    stream: &Stream,
    view: &View<'_>,
    seen: Seen,
    outs: &Outs<'_>,
) -> Entry {
    let facets = view.facets();
    let (key, inner) = view.message_keys();
    let record = Occurrence {
        template: seen.id,
        facets,
        error: facets.is_error(),
        time: view.time(),
        bytes: bytes(view),
        commit: stream.commit.as_ref(),
        request: facets.status_class.is_some(),
        novelty: seen.novelty,
        slot: stream.slot,
        place: Place { key, inner },
    };
    let mut next = known.book.observe(&record);
    while let Some(change) = next {
        gather(known, stream, view, &change, outs);
        hand_on(known, stream, change, outs);
        next = known.book.next_change();
    }
    if let Some(found) = known.book.take_loop() {
        outs.signals.send(of_loop(found, stream));
    }
    Entry {
        template: seen.id,
        facets,
    }
}

/// Counts a line of a stack trace with what began it.
pub fn follow(known: &mut Known, stream: &Stream, view: &View<'_>) {
    if let Some(entry) = &stream.opener {
        known.book.follow(entry, bytes(view));
    }
}

fn bytes(view: &View<'_>) -> u32 {
    u32::try_from(view.line().len()).unwrap_or(u32::MAX)
}

/// A program of the service began to write.
pub fn started(known: &mut Known, stream: &Stream, time: Timestamp, out: &SignalsOut) {
    let found = known.book.started(stream.slot, stream.instance, time);
    out_loop(found, stream, out);
}

/// A verdict told of a program's end.
pub fn ended(
    known: &mut Known,
    stream: &Stream,
    verdict: &Verdict,
    at: Timestamp,
    out: &SignalsOut,
) {
    if verdict.ended {
        let found = known
            .book
            .ended(stream.slot, stream.instance, verdict.kind, at);
        out_loop(found, stream, out);
    }
}

fn out_loop(found: Option<Loop>, stream: &Stream, out: &SignalsOut) {
    if let Some(found) = found {
        out.send(of_loop(found, stream));
    }
}

/// Keeps what a triage that reads is shown of a change.
fn gather(known: &mut Known, stream: &Stream, view: &View<'_>, change: &Change, outs: &Outs<'_>) {
    let Some(now) = outs.read_at else { return };
    match change {
        Change::Novel(entry) | Change::Changed(entry) => {
            let text = known.miner.text(entry.template).unwrap_or_default();
            known.unread.note(*entry, &text, view, stream, now);
        }
        Change::Gone(_) | Change::Rate(_) => known.unread.note_bare(now),
        Change::Deploy(_) => {}
    }
}

fn hand_on(known: &Known, stream: &Stream, change: Change, outs: &Outs<'_>) {
    match change {
        // News for a triage that reads.
        Change::Novel(_) | Change::Changed(_) | Change::Gone(_) => {}
        Change::Rate(rate) => outs.signals.send(of_rate(known, stream, &rate)),
        Change::Deploy(deploy) => {
            if deploy.is_alarming() {
                outs.signals.send(of_deploy(stream, &deploy));
            }
            let note = Note::Deploy {
                service: stream.service.clone(),
                deploy,
            };
            if outs.notes.try_send(note).is_err() {
                outs.signals.counters.notes_dropped.add(1);
            }
        }
    }
}

fn of_rate(known: &Known, stream: &Stream, rate: &Rate) -> Signal {
    let text = known.miner.text(rate.entry.template).unwrap_or_default();
    let title = format!("more errors than ever before: {text}");
    let rule = format!("error_rate:{}", rate.entry.template);
    let when = (rate.first, rate.last);
    let signal = signal(stream, title, rate.reason(), rule, when);
    Signal {
        lines: vec![text],
        ..signal
    }
}

fn of_loop(found: Loop, stream: &Stream) -> Signal {
    let (title, rule) = ("restarts in a loop".to_owned(), "restart_loop".to_owned());
    let when = (found.first, found.last);
    signal(stream, title, found.reason(), rule, when)
}

fn of_deploy(stream: &Stream, deploy: &Deploy) -> Signal {
    let short = |id: &CommitId| id.as_str().chars().take(12).collect::<String>();
    let (old, new) = (short(&deploy.old), short(&deploy.new));
    let title = format!("commit {new} is worse than {old}");
    let when = (deploy.started(), deploy.until());
    let signal = signal(
        stream,
        title,
        deploy.reason(),
        format!("deploy_worse:{new}"),
        when,
    );
    Signal {
        commit: Some(deploy.new.clone()),
        ..signal
    }
}

/// `rule`: what tells this fault from others of its service; `when`: its first and its last event.
fn signal(
    stream: &Stream,
    title: String,
    reason: String,
    rule: String,
    when: (Timestamp, Timestamp),
) -> Signal {
    let verdict = Verdict::new(Kind::Rate, title, reason);
    Signal {
        last: when.1,
        watch: Some(rule),
        ..judged::signal(stream, verdict, when.0, Vec::new(), 0)
    }
}
