//! News of a service on their way to the lane that reads: gathered in the fast lane with an
//! example each, given away as a batch when there are enough or the first has waited long enough.
//! Bounded; it judges nothing.

use crate::model::{ContextLine, Facets, TemplateId, Timestamp};
use crate::pipeline::ring::head;
use crate::pipeline::streams::Stream;
use crate::rate::{self, Book, What};
use crate::record::View;
use crate::template::Miner;
use crate::triage::entry::{Batch, Entry, Example, MOST_FIELDS, News, Weight};
use std::collections::HashSet;
use std::time::Duration;

/// Examples that are kept for news that wait, and bytes of one example's line.
const MOST_EXAMPLES: usize = 64;
const LINE: usize = 600;
/// Entries of a seed that are to be ignored.
const MOST_IGNORED: usize = 10_000;
/// Bytes of one field's value.
const VALUE: usize = 80;
/// Lines and bytes around an example that may become an incident.
const CONTEXT_LINES: usize = 10;
const CONTEXT_BYTES: usize = 2 << 10;

/// Calm news of a service that is known wait longer: they go with others, or after this.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a service's log is new, by the wall clock.
const YOUTH: Duration = Duration::from_secs(600);

/// When a batch is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub entries: usize,
    pub wait: Duration,
}

/// Which news are given away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// What waited long enough, or is enough.
    InTime,
    /// Also what may matter: a replay does not wait for time to pass.
    WhenUneasy,
    All,
}

/// News of one service.
#[derive(Debug, Default)]
pub struct Unread {
    /// Wall clock: when its first record was read.
    born: Option<Timestamp>,
    /// Wall clock: when the first of the news came.
    since: Option<Timestamp>,
    /// One of them is more than calm.
    hurried: bool,
    examples: Vec<(rate::Entry, Example)>,
    /// Entries of which another instance's model said that they are to be ignored.
    ignored: HashSet<rate::Entry>,
}

impl Unread {
    /// What a seed brought is no news, unless it rises. Bounded; what does not fit is read again.
    pub fn ignore(&mut self, template: TemplateId, facets: Facets) {
        if self.ignored.len() < MOST_IGNORED {
            self.ignored.insert(rate::Entry { template, facets });
        }
    }

    /// Notes that `entry` is news; `view` is the record that made it so.
    pub fn note(
        &mut self,
        entry: rate::Entry,
        text: &str,
        view: &View<'_>,
        stream: &Stream,
        now: Timestamp,
    ) {
        self.noticed(now);
        let uneasy = Weight::of(News::New, &entry.facets, text) >= Weight::Uneasy;
        self.hurried |= uneasy;
        if self.examples.len() < MOST_EXAMPLES {
            let context = match uneasy {
                true => around(stream),
                false => Vec::new(),
            };
            self.examples.push((entry, example(view, stream, context)));
        }
    }

    /// Notes news that no record at hand shows: a rate, a silence.
    pub fn note_bare(&mut self, now: Timestamp) {
        self.noticed(now);
        self.hurried = true;
    }

    fn noticed(&mut self, now: Timestamp) {
        self.born.get_or_insert(now);
        self.since.get_or_insert(now);
    }

    /// Whether it is time to give the news away.
    pub fn is_due(&self, book: &Book, pace: Pace, due: Due, now: Timestamp) -> bool {
        let Some(since) = self.since else {
            return false;
        };
        match due {
            Due::InTime => {}
            Due::WhenUneasy if self.hurried => return true,
            Due::WhenUneasy => {}
            Due::All => return true,
        }
        let young = self.born.is_none_or(|born| now.since(born) < YOUTH);
        let patience = match self.hurried || young {
            true => pace.wait,
            false => pace.wait.max(PATIENCE),
        };
        book.news() >= pace.entries || now.since(since) >= patience || now < since
    }

    /// The news with their counts by now.
    pub fn take(&mut self, service: &str, book: &mut Book, miner: &Miner) -> Option<Batch> {
        let since = self.since.take()?;
        self.hurried = false;
        let mut examples = std::mem::take(&mut self.examples);
        let mut entries = Vec::new();
        // What is an incident already is in the hands of others.
        let ignored = &self.ignored;
        let is_read = |news: &rate::News| {
            news.in_incident || (news.what != What::Rising && ignored.contains(&news.entry))
        };
        for news in book.take_news().into_iter().filter(|news| !is_read(news)) {
            let same = |kept: &(rate::Entry, Example)| kept.0 == news.entry;
            let example = examples.iter().position(same);
            entries.push(Entry {
                news: match news.what {
                    What::Novel => News::New,
                    What::Changed => News::Changed,
                    What::Rising => News::Rising,
                    What::Gone => News::Silent,
                },
                template: news.entry.template,
                facets: news.entry.facets,
                text: miner.text(news.entry.template).unwrap_or_default(),
                count: news.count,
                first_seen: news.first_seen,
                last_seen: news.last_seen,
                against_past: news.against_past,
                example: example.map(|at| examples.swap_remove(at).1),
            });
        }
        (!entries.is_empty()).then(|| Batch {
            service: service.to_owned(),
            since,
            entries,
        })
    }

    /// Bytes held, about.
    pub fn bytes(&self) -> usize {
        let example = |example: &Example| {
            let context = example.context.iter().map(|line| line.text.len() + 40);
            example.line.len() + MOST_FIELDS * 64 + context.sum::<usize>()
        };
        let examples: usize = self.examples.iter().map(|(_, kept)| example(kept)).sum();
        examples + self.ignored.capacity() * size_of::<rate::Entry>()
    }
}

fn example(view: &View<'_>, stream: &Stream, context: Vec<ContextLine>) -> Example {
    let mut fields = Vec::new();
    view.list_fields(MOST_FIELDS, &mut |path, value| {
        if let Some(text) = value.borrowed().into_text() {
            fields.push((head(path, VALUE).to_owned(), head(&text, VALUE).to_owned()));
        }
    });
    let message = view.message();
    let line = crate::pipeline::judged::first_line(&message);
    Example {
        line: head(line, LINE).to_owned(),
        fields,
        stream: stream.name.clone(),
        container: stream.container.clone(),
        commit: stream.commit.clone(),
        time: view.time(),
        context,
    }
}

fn around(stream: &Stream) -> Vec<ContextLine> {
    let all = stream.ring.before(0);
    let mut room = CONTEXT_BYTES;
    let fits = |line: &&ContextLine| {
        let fits = line.text.len() <= room;
        room = room.saturating_sub(line.text.len());
        fits
    };
    let kept = all
        .iter()
        .rev()
        .take(CONTEXT_LINES)
        .take_while(fits)
        .count();
    let skip = all.len() - kept;
    all.into_iter().skip(skip).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::Limits;

    #[test]
    fn calm_news_of_a_log_that_is_known_wait_for_ten_minutes() {
        let pace = Pace {
            entries: 50,
            wait: Duration::from_secs(10),
        };
        let book = Book::new(Limits::default());
        let at = |seconds: u64| Timestamp(0).plus(Duration::from_secs(seconds));
        let unread = |born: u64, since: u64, hurried: bool| Unread {
            born: Some(at(born)),
            since: Some(at(since)),
            hurried,
            examples: Vec::new(),
            ignored: HashSet::new(),
        };
        let due = |unread: &Unread, now: u64| unread.is_due(&book, pace, Due::InTime, at(now));
        let young = unread(0, 100, false);
        assert!(!due(&young, 109) && due(&young, 110));
        let calm = unread(0, 1_000, false);
        assert!(!due(&calm, 1_010) && !due(&calm, 1_599) && due(&calm, 1_600));
        let hurried = unread(0, 1_000, true);
        assert!(!due(&hurried, 1_009) && due(&hurried, 1_010));
        assert!(calm.is_due(&book, pace, Due::All, at(1_000)));
        assert!(!calm.is_due(&book, pace, Due::WhenUneasy, at(1_000)));
        assert!(hurried.is_due(&book, pace, Due::WhenUneasy, at(1_000)));
        assert!(!Unread::default().is_due(&book, pace, Due::All, at(9_999)));
    }
}
