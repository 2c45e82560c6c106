//! What a model of layer 2 is shown, as nouns: entries of one service's log that are news, in
//! batches that are bounded and merged. Not here: their words (`prompt`), what is answered
//! (`answer`).

use crate::model::signal::nanos;
use crate::model::{CommitId, ContextLine, Facets, Level, TemplateId, Timestamp};
use serde::{Deserialize, Serialize};

/// Fields that are shown of an example.
pub const MOST_FIELDS: usize = 16;

/// Why an entry is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum News {
    /// Not seen before.
    New,
    /// Its text became more general.
    Changed,
    /// Far more often than its own past lets expect.
    Rising,
    /// It came regularly and fell silent.
    Silent,
}

impl News {
    pub const fn word(self) -> &'static str {
        match self {
            News::New => "new",
            News::Changed => "changed",
            News::Rising => "rising",
            News::Silent => "silent",
        }
    }
}

/// One record of an entry, as the log has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The first line of the message.
    pub line: String,
    /// Paths and values of its fields, the message left out.
    pub fields: Vec<(String, String)>,
    pub stream: String,
    pub container: Option<String>,
    pub commit: Option<CommitId>,
    #[serde(with = "nanos")]
    pub time: Timestamp,
    /// Lines of the same stream before it, where it may become an incident.
    pub context: Vec<ContextLine>,
}

/// One kind of line: a template with its few-valued fields, and what is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub news: News,
    #[serde(with = "template_id")]
    pub template: TemplateId,
    pub facets: Facets,
    /// The template's text, values masked.
    pub text: String,
    /// Records so far.
    pub count: u64,
    #[serde(with = "nanos")]
    pub first_seen: Timestamp,
    #[serde(with = "nanos")]
    pub last_seen: Timestamp,
    /// Records of the last full hour over the mean of the hours before.
    pub against_past: Option<f64>,
    /// The first record that was news; of an entry that fell silent there is none.
    pub example: Option<Example>,
}

/// How much an entry matters before anybody read it; more matters more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// At a level that says that all is well.
    Calm,
    Unknown,
    /// A warning, words of a fault, a silence.
    Uneasy,
    /// An error, or far above its past.
    Alarming,
}

impl Entry {
    pub fn weight(&self) -> Weight {
        Weight::of(self.news, &self.facets, &self.text)
    }
}

impl Weight {
    /// `text` is the template's.
    pub fn of(news: News, facets: &Facets, text: &str) -> Weight {
        if facets.is_error() || news == News::Rising {
            return Weight::Alarming;
        }
        if facets.level == Some(Level::Warn)
            || news == News::Silent
            || facets.code.is_some()
            || speaks_of_a_fault(text)
        {
            return Weight::Uneasy;
        }
        match facets.level {
            Some(Level::Trace | Level::Debug | Level::Info) => Weight::Calm,
            Some(Level::Warn | Level::Error | Level::Fatal) | None => Weight::Unknown,
        }
    }
}

/// Beginnings of words that lines about faults have.
const FAULT_WORDS: [&str; 18] = [
    "abort", "corrupt", "crash", "denied", "error", "exceed", "except", "exhaust", "fail", "fatal",
    "full", "invalid", "kill", "lost", "panic", "refus", "timed", "timeout",
];

fn speaks_of_a_fault(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_alphabetic());
    words.any(|word| {
        let word = word.to_ascii_lowercase();
        FAULT_WORDS.iter().any(|fault| word.starts_with(fault))
    })
}

/// News of one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    pub service: String,
    /// Wall clock: when the first of them was seen.
    #[serde(with = "nanos")]
    pub since: Timestamp,
    pub entries: Vec<Entry>,
}

/// Batches that wait for the model. Those of one service merge, and when there are too many
/// entries the least important give way, the oldest of them first.
#[derive(Debug)]
pub struct Waiting {
    batches: Vec<Batch>,
    most: usize,
    /// Entries that gave way.
    pub given_up: u64,
}

impl Waiting {
    /// Holds at most `most` entries.
    pub fn new(most: usize) -> Waiting {
        Waiting {
            batches: Vec::new(),
            most,
            given_up: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Entries that wait.
    pub fn len(&self) -> usize {
        self.batches.iter().map(|batch| batch.entries.len()).sum()
    }

    /// What waits of a service.
    pub fn of(&self, service: &str) -> Option<&Batch> {
        self.batches.iter().find(|batch| batch.service == service)
    }

    pub fn push(&mut self, batch: Batch) {
        match self.batches.iter_mut().find(|b| b.service == batch.service) {
            Some(known) => {
                known.since = known.since.min(batch.since);
                for entry in batch.entries {
                    merge(&mut known.entries, entry);
                }
            }
            None => self.batches.push(batch),
        }
        self.give_way();
    }

    fn give_way(&mut self) {
        let mut over = self.len().saturating_sub(self.most);
        for weight in [
            Weight::Calm,
            Weight::Unknown,
            Weight::Uneasy,
            Weight::Alarming,
        ] {
            for batch in &mut self.batches {
                batch.entries.retain(|entry| {
                    let goes = over > 0 && entry.weight() == weight;
                    over -= usize::from(goes);
                    self.given_up += u64::from(goes);
                    !goes
                });
            }
        }
        self.batches.retain(|batch| !batch.entries.is_empty());
    }

    /// The batch that waited longest: its most important entries, at most `most`, in the order
    /// in which they came. The others go on waiting.
    pub fn take(&mut self, most: usize) -> Option<Batch> {
        let ages = self.batches.iter().enumerate();
        let (at, _) = ages.min_by_key(|(_, batch)| batch.since)?;
        let batch = self.batches.get_mut(at)?;
        if batch.entries.len() <= most {
            return Some(self.batches.swap_remove(at));
        }
        let mut weights: Vec<Weight> = batch.entries.iter().map(Entry::weight).collect();
        weights.sort_unstable_by(|a, b| b.cmp(a));
        let least = weights.get(most.saturating_sub(1)).copied();
        let least = least.unwrap_or(Weight::Alarming);
        let mut room_at_least = most - weights.iter().filter(|weight| **weight > least).count();
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        for entry in std::mem::take(&mut batch.entries) {
            let at_least = entry.weight() == least && room_at_least > 0;
            room_at_least -= usize::from(at_least);
            match entry.weight() > least || at_least {
                true => taken.push(entry),
                false => left.push(entry),
            }
        }
        batch.entries = left;
        Some(Batch {
            service: batch.service.clone(),
            since: batch.since,
            entries: taken,
        })
    }
}

/// Adds an entry, or brings one that waits already up to date.
fn merge(entries: &mut Vec<Entry>, entry: Entry) {
    let same = |one: &&mut Entry| one.template == entry.template && one.facets == entry.facets;
    match entries.iter_mut().find(same) {
        Some(known) => {
            known.count = known.count.max(entry.count);
            known.last_seen = known.last_seen.max(entry.last_seen);
            known.against_past = entry.against_past.or(known.against_past);
            if entry.news == News::Rising {
                known.news = News::Rising;
            }
            known.example = known.example.take().or(entry.example);
        }
        None => entries.push(entry),
    }
}

/// Ids of templates in what is stored: as they are shown.
mod template_id {
    use crate::model::TemplateId;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(id: &TemplateId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TemplateId, D::Error> {
        let text = String::deserialize(from)?;
        TemplateId::parse(&text).ok_or_else(|| D::Error::custom("not a template's id"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn entry(number: u64, level: Option<Level>, text: &str) -> Entry {
        Entry {
            news: News::New,
            template: TemplateId::new(number),
            facets: Facets {
                level,
                ..Facets::default()
            },
            text: text.to_owned(),
            count: 1,
            first_seen: Timestamp(0),
            last_seen: Timestamp(0),
            against_past: None,
            example: None,
        }
    }

    fn batch(service: &str, since: i64, entries: Vec<Entry>) -> Batch {
        Batch {
            service: service.to_owned(),
            since: Timestamp(since),
            entries,
        }
    }

    fn numbers(batch: &Batch) -> Vec<u64> {
        batch.entries.iter().map(|e| e.template.number()).collect()
    }

    #[test]
    fn what_matters_is_told_by_level_words_and_past() {
        let weight = |level, text: &str| entry(1, level, text).weight();
        assert_eq!(weight(Some(Level::Info), "order <*> paid"), Weight::Calm);
        assert_eq!(weight(None, "order <*> paid"), Weight::Unknown);
        assert_eq!(
            weight(Some(Level::Info), "Retry failed for <*>"),
            Weight::Uneasy
        );
        assert_eq!(
            weight(Some(Level::Error), "order <*> paid"),
            Weight::Alarming
        );
        let rising = Entry {
            news: News::Rising,
            ..entry(1, Some(Level::Info), "declined")
        };
        assert_eq!(rising.weight(), Weight::Alarming);
    }

    #[test]
    fn batches_of_a_service_merge_and_the_least_important_give_way() {
        let mut waiting = Waiting::new(4);
        let info = Some(Level::Info);
        waiting.push(batch(
            "a",
            5,
            vec![entry(1, info, "x"), entry(2, Some(Level::Error), "y")],
        ));
        waiting.push(batch(
            "b",
            3,
            vec![entry(3, info, "x"), entry(4, Some(Level::Warn), "y")],
        ));
        let again = Entry {
            count: 7,
            ..entry(2, Some(Level::Error), "y")
        };
        waiting.push(batch(
            "a",
            9,
            vec![again, entry(5, Some(Level::Error), "z")],
        ));
        assert_eq!((waiting.len(), waiting.given_up), (4, 1));
        let first = waiting.take(50).unwrap();
        assert_eq!((first.service.as_str(), numbers(&first)), ("b", vec![3, 4]));
        let second = waiting.take(50).unwrap();
        assert_eq!(numbers(&second), [2, 5]);
        assert_eq!((second.since, second.entries[0].count), (Timestamp(5), 7));
        assert!(waiting.take(50).is_none() && waiting.is_empty());
    }

    #[test]
    fn of_a_large_batch_the_important_go_first_and_the_rest_waits() {
        let mut waiting = Waiting::new(100);
        let levels = [
            Level::Info,
            Level::Error,
            Level::Info,
            Level::Warn,
            Level::Info,
        ];
        let entries = (0..)
            .zip(levels)
            .map(|(n, level)| entry(n, Some(level), "x"));
        waiting.push(batch("a", 1, entries.collect()));
        assert_eq!(numbers(&waiting.take(3).unwrap()), [0, 1, 3]);
        assert_eq!(numbers(&waiting.take(3).unwrap()), [2, 4]);
    }

    #[test]
    fn a_batch_is_read_as_it_is_written() {
        let one = batch("a", 1, vec![entry(0xabc, Some(Level::Error), "x <*>")]);
        let json = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Batch>(&json).unwrap(), one);
    }
}
