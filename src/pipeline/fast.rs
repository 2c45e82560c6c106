//! The fast lane: every record passes here once, from the queue to whatever signal it makes.
//! One thread per instance. It waits for nobody: not for a disk, a network or a model, and
//! (outside replay) not for a triage lane that is behind.

use crate::log::Log;
use crate::model::{Level, TemplateId, Timestamp};
use crate::pipeline::clock;
use crate::pipeline::declared::{self, Declared};
use crate::pipeline::judged::{
    first_line, judge_error_field, judge_plain, of_watch, settle, take_whole_trace,
};
use crate::pipeline::lane::{Halt, Turn};
use crate::pipeline::learned::{Known, Learned};
use crate::pipeline::nearby::Nearby;
use crate::pipeline::notes::{NewsOut, Note, Order};
use crate::pipeline::noticed::{self, Outs};
use crate::pipeline::queue::{Chunk, Next, Outlet};
use crate::pipeline::ring::head;
use crate::pipeline::signals::SignalsOut;
use crate::pipeline::streams::{Stream, Streams};
use crate::pipeline::unread::Due;
use crate::record::{Event, Events, Joiner, Pairs, View};
use crate::store::Learnt;
use crate::trace::{self, Line, Taken};
use crate::watch::{Engine, Templated};
use crossbeam_channel::{Receiver, Sender};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long the lane sleeps at most before it looks at open traces and at the stop flag.
const PAUSE: Duration = Duration::from_millis(200);

/// How often what watches counted is handed to the store.
const TELL: Duration = Duration::from_secs(5);

/// How long memory for chunks is kept that none needs: longer than a host waits between bursts.
const SETTLE: Duration = Duration::from_secs(3);

/// The state of the lane.
pub struct Fast {
    outlet: Outlet,
    joiner: Joiner,
    reader: Reader,
    /// When time's own work was last done.
    looked: Timestamp,
    /// When the watches' counts were last handed over.
    told: Timestamp,
    /// When memory that no chunk needed was last let go of.
    settled: Timestamp,
    orders: Receiver<Order>,
    /// Where somebody reads the news.
    news: Option<NewsOut>,
    halt: Halt,
    log: Log,
}

/// What the lane is made of.
pub struct Parts {
    pub outlet: Outlet,
    pub streams: Streams,
    pub learned: Learned,
    pub watches: Engine,
    pub out: SignalsOut,
    pub notes: Sender<Note>,
    pub orders: Receiver<Order>,
    pub news: Option<NewsOut>,
    pub halt: Halt,
    pub log: Log,
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
    declared: Declared,
    learned: Learned,
    notes: Sender<Note>,
    watches: Engine,
    out: SignalsOut,
    /// Somebody reads the news.
    is_read: bool,
}

impl Fast {
    pub fn new(parts: Parts) -> Fast {
        Fast {
            outlet: parts.outlet,
            joiner: Joiner::new(),
            reader: Reader {
                declared: Declared::new(parts.streams.services()),
                streams: parts.streams,
                learned: parts.learned,
                notes: parts.notes,
                watches: parts.watches,
                out: parts.out,
                is_read: parts.news.is_some(),
            },
            looked: Timestamp::default(),
            told: Timestamp::default(),
            settled: Timestamp::default(),
            orders: parts.orders,
            news: parts.news,
            halt: parts.halt,
            log: parts.log,
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
            Ok(Next::Chunk(chunk)) => {
                self.read(&chunk);
                self.outlet.done(chunk);
            }
            Ok(Next::Mark(_mark)) => self.give_news(Due::WhenUneasy, clock::now()),
            Ok(Next::Nothing) if !self.halt.requested() => self.idle(),
            Ok(Next::Nothing) | Err(_) => {
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
        self.follow_orders();
        let now = clock::now();
        let counters = Arc::clone(&self.reader.out.counters);
        let declared = self.reader.declared.service(&tag);
        let mut seen = 0;
        let (mut events, mut pairs) = (Events::new(chunk.data()), Pairs::new());
        while let Some(event) = events.next_with(&mut pairs) {
            match event {
                Ok(Event::Record(record)) => {
                    seen += 1;
                    let view = View::with_pairs(&tag, record, &pairs);
                    if let Some(service) = &declared {
                        declared::take(service, &view, &self.reader.notes, &counters);
                        continue;
                    }
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
        self.reader.release();
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
        if now < self.settled || now.since(self.settled) >= SETTLE {
            self.settled = now;
            self.outlet.settle();
        }
        let reader = &mut self.reader;
        self.joiner.idle(now, |whole| reader.take(whole, now));
        for stream in reader.streams.all() {
            if stream.open.is_open() {
                stream.open.idle(now);
                let known = reader.learned.of(&stream.service, &mut stream.learned);
                settle(stream, known, &reader.out);
            }
        }
        reader.watches.expire(now);
        reader.release();
        self.follow_orders();
        self.tell_watches(now);
        self.give_news(Due::InTime, now);
        let learnt = self.reader.learned.due(now);
        self.leave(learnt);
    }

    fn follow_orders(&mut self) {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Team(watches) => {
                    let number = watches.len();
                    match self.reader.watches.replace_team(watches) {
                        Ok(()) => self
                            .log
                            .info(&format!("{number} watches of the team installed")),
                        Err(why) => self
                            .log
                            .error(&format!("Watches: {why}; the old ones stay")),
                    }
                }
                Order::Model(watch) => {
                    let now = clock::now();
                    if let Err(why) = self.reader.watches.install(*watch, now) {
                        let line = format!("a model's watch was not installed: {why}");
                        self.log.once("model watch", Level::Warn, &line);
                        self.reader.out.counters.watches_refused.add(1);
                    }
                }
            }
        }
    }

    /// Gives batches of news to the lane that reads. While it is behind they grow here.
    fn give_news(&mut self, due: Due, now: Timestamp) {
        let Some(news) = &self.news else { return };
        let learned = &mut self.reader.learned;
        while !news.to.is_full()
            && let Some(batch) = learned.unread(news.pace, due, now)
        {
            let entries = batch.entries.len() as u64;
            if news.to.try_send(batch).is_err() {
                self.reader.out.counters.news_dropped.add(entries);
                return;
            }
            news.progress.sent.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn tell_watches(&mut self, now: Timestamp) {
        if now >= self.told && now.since(self.told) < TELL {
            return;
        }
        self.told = now;
        let Reader {
            watches,
            learned,
            streams,
            out,
            ..
        } = &mut self.reader;
        let states = watches.report();
        let counters = &out.counters;
        counters.watches.set(watches.len() as u64);
        let tally = watches.tally();
        let dropped = tally.windows_dropped + tally.groups_dropped;
        counters.watches_too_broad.set(tally.too_broad);
        counters.windows_dropped.set(dropped);
        counters.templates.set(learned.templates() as u64);
        let bytes = watches.bytes() + learned.bytes() + streams.bytes();
        counters.memory_bytes.set(bytes as u64);
        if !states.is_empty() && self.reader.notes.try_send(Note::Watches(states)).is_err() {
            self.reader.out.counters.notes_dropped.add(1);
        }
    }

    /// Hands over what was learnt. Where the triage lane is behind, it is written later.
    fn leave(&self, learnt: impl IntoIterator<Item = Learnt>) {
        for note in learnt.into_iter().map(Note::Learnt) {
            if self.reader.notes.try_send(note).is_err() {
                self.reader.out.counters.notes_dropped.add(1);
            }
        }
    }

    /// Keeps within the limits.
    fn bound(&mut self) {
        let reader = &mut self.reader;
        for mut stream in reader.streams.overflow() {
            reader.out.counters.cut_by_limit.add(1);
            stream.open.finish();
            let known = reader.learned.of(&stream.service, &mut stream.learned);
            settle(&mut stream, known, &reader.out);
        }
        reader.release();
        let gone = reader.learned.overflow(clock::now());
        self.leave(gone);
    }

    fn finish(&mut self) {
        let now = clock::now();
        let reader = &mut self.reader;
        self.joiner.finish(|whole| reader.take(whole, now));
        for stream in reader.streams.all() {
            stream.open.finish();
            let known = reader.learned.of(&stream.service, &mut stream.learned);
            settle(stream, known, &reader.out);
        }
        reader.release();
        self.told = Timestamp::default();
        self.tell_watches(now);
        self.give_news(Due::All, now);
        let rest = self.reader.learned.rest(now);
        self.leave(rest);
    }
}

impl Reader {
    /// Hands over the signals that were made, with what others said around them.
    fn release(&mut self) {
        if self.out.holds() {
            let mut nearby = Nearby::of(&mut self.streams);
            self.out.release(|signal| nearby.complete(signal));
        }
    }

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
        let known = self.learned.of(&stream.service, &mut stream.learned);
        if stream.closes_the_last() {
            settle(stream, known, &self.out);
            stream.go_over();
        }
        if let Some(runs) = stream.runs(view.time())
            && known.is_news(&runs)
            && self.notes.try_send(Note::Running(runs)).is_err()
        {
            self.out.counters.notes_dropped.add(1);
        }
        if !stream.announced {
            stream.announced = true;
            noticed::started(known, stream, view.time(), &self.out);
        }
        let outs = Outs {
            signals: &self.out,
            notes: &self.notes,
            read_at: self.is_read.then_some(now),
        };
        let index = stream.next;
        stream.next += 1;
        if let Some(text) = view.trace_text()
            && let Some(trace) = trace::parse(&text)
        {
            let seen = known.read(first_line(&message));
            stream.keep_template(index, seen.id);
            noticed::count(known, stream, view, seen, &outs);
            show(
                &mut self.watches,
                view,
                Some(seen.id),
                stream,
                known,
                &self.out,
            );
            take_whole_trace(stream, known, view, &text, trace, &self.out);
            stream.ring.push(view.time(), view.line());
            settle(stream, known, &self.out);
            return;
        }
        let within = stream.open.is_open();
        let level = view.level();
        let line = Line {
            text: &message,
            time: view.time(),
            level,
            index,
        };
        let taken = stream.open.push(line, now);
        // The lines of a trace are no messages; what may begin one is.
        let seen = (taken == Taken::Plain || !within).then(|| known.read(first_line(&message)));
        if let Some(seen) = seen {
            stream.keep_template(index, seen.id);
            stream.opener = Some(noticed::count(known, stream, view, seen, &outs));
        } else {
            noticed::follow(known, stream, view);
        }
        let template = seen.map(|seen| seen.id);
        show(&mut self.watches, view, template, stream, known, &self.out);
        // Before what is ready is judged: its lines are then the newest of the ring, whether
        // this record ended it or time did.
        stream.ring.push(view.time(), view.line());
        stream.hold(taken, index, level);
        settle(stream, known, &self.out);
        if taken == Taken::Plain {
            let told = judge_plain(stream, known, line, &self.out);
            if !told {
                judge_error_field(stream, known, view, line, &self.out);
            }
        }
    }
}

/// Shows the record to the watches.
fn show(
    watches: &mut Engine,
    view: &View<'_>,
    template: Option<TemplateId>,
    stream: &Stream,
    known: &mut Known,
    out: &SignalsOut,
) {
    let shown = Templated { view, template };
    for fired in watches.on_record(&stream.service, &shown, view.time()) {
        out.counters.watches_fired.add(1);
        known.mark(template);
        out.send(of_watch(fired, stream));
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
