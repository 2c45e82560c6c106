//! A deploy verdict: what two commits of a service wrote, side by side, and which is worse.
//! Not here: when a rollout begins and ends (`rollout`), how a verdict is kept (`store`).

use crate::model::{CommitId, Timestamp};
use crate::rate::chance::ln_fisher;
use crate::rate::occurrence::Entry;
use serde::{Deserialize, Serialize};

/// New error entries that a verdict lists.
const MAX_NEW_ERRORS: usize = 20;
/// An early word is said once in about so many looks: ln(1/1,000,000), a chance of one in ten
/// thousand over a hundred looks.
const LN_EARLY: f64 = -13.8;
/// At the end there is one look: ln(1/10,000).
const LN_OVER: f64 = -9.2;
/// ln(1/100), where something else speaks for it too.
const LN_ALSO: f64 = -4.6;
/// Errors that a commit must have written before it is called worse.
const MIN_ERRORS: u64 = 10;
/// Records, or answers, without which nothing is said.
const MIN_RECORDS: u64 = 200;
const MIN_REQUESTS: u64 = 50;
/// A share must grow by this factor, and by this much, to matter.
const FACTOR: f64 = 1.5;
const POINTS: f64 = 0.001;
/// Without requests, by how much all errors per minute must grow or shrink.
const LOUDER: f64 = 1.25;
const QUIETER: f64 = 0.8;

/// What became of a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Worse,
    Same,
    Better,
    /// Too little was seen.
    Undecided,
}

impl Verdict {
    pub const fn word(self) -> &'static str {
        match self {
            Verdict::Worse => "worse",
            Verdict::Same => "same",
            Verdict::Better => "better",
            Verdict::Undecided => "undecided",
        }
    }
}

/// What one commit wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    pub records: u64,
    pub errors: u64,
    /// HTTP answers, and those of them with a status of 5xx.
    pub requests: u64,
    pub server_errors: u64,
}

impl Tally {
    /// The sum of two.
    pub fn plus(self, other: Tally) -> Tally {
        Tally {
            records: self.records.saturating_add(other.records),
            errors: self.errors.saturating_add(other.errors),
            requests: self.requests.saturating_add(other.requests),
            server_errors: self.server_errors.saturating_add(other.server_errors),
        }
    }
}

/// An error entry that only the new commit has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewError {
    #[serde(flatten)]
    pub entry: Entry,
    pub count: u64,
}

/// One rollout: numbers, ids and commits; never log text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deploy {
    pub old: CommitId,
    pub new: CommitId,
    /// Event time, nanoseconds: the new commit's first record, and the newest one counted here.
    pub started: i64,
    pub until: i64,
    /// Of the old commit: while both ran and, where that is too little, up to two hours before.
    pub before: Tally,
    pub after: Tally,
    /// The most frequent ones, at most twenty.
    pub new_errors: Vec<NewError>,
    pub verdict: Verdict,
    /// Whether the rollout is over: one of the two commits fell silent.
    pub over: bool,
    /// Whether this is the first word on this pair of commits that calls the new one worse.
    #[serde(skip)]
    pub first_alarm: bool,
}

impl Deploy {
    pub fn started(&self) -> Timestamp {
        Timestamp(self.started)
    }

    pub fn until(&self) -> Timestamp {
        Timestamp(self.until)
    }

    /// Whether it is worth a signal of kind rate: once for a pair of commits.
    pub fn is_alarming(&self) -> bool {
        self.first_alarm
    }

    /// The rule that decided, as a sentence without log text.
    pub fn reason(&self) -> String {
        let (old, new) = (short(&self.old), short(&self.new));
        let share = |part: u64, of: u64| 100.0 * part as f64 / of.max(1) as f64;
        let mut parts = vec![format!(
            "errors {:.2} % of {} records, before {:.2} % of {}",
            share(self.after.errors, self.after.records),
            self.after.records,
            share(self.before.errors, self.before.records),
            self.before.records,
        )];
        if self.after.requests > 0 && self.before.requests > 0 {
            parts.push(format!(
                "5xx {:.2} % of {} answers, before {:.2} % of {}",
                share(self.after.server_errors, self.after.requests),
                self.after.requests,
                share(self.before.server_errors, self.before.requests),
                self.before.requests,
            ));
        }
        if !self.new_errors.is_empty() {
            parts.push(format!("{} errors that only it has", self.new_errors.len()));
        }
        let word = self.verdict.word();
        format!("deploy of {new} after {old}: {word} ({})", parts.join("; "))
    }
}

fn short(commit: &CommitId) -> &str {
    let text = commit.as_str();
    text.get(..12).unwrap_or(text)
}

/// Two commits side by side, as far as they were seen.
#[derive(Debug)]
pub struct Evidence<'a> {
    pub before: Tally,
    pub after: Tally,
    /// Error entries that only the new commit has, with what it wrote of them.
    pub new_errors: &'a [NewError],
    /// Errors come in clumps: how many make one piece of evidence.
    pub clump: f64,
    /// Errors per minute of all commits, before the rollout and in it; `None`: not known.
    pub per_minute: Option<(f64, f64)>,
    pub over: bool,
}

impl Evidence<'_> {
    pub fn verdict(&self) -> Verdict {
        let enough = self.after.records >= MIN_RECORDS && self.before.records >= MIN_RECORDS;
        if !enough {
            return Verdict::Undecided;
        }
        let (after, before) = (self.answers(self.after), self.answers(self.before));
        let by_answers = after.1 >= MIN_REQUESTS && before.1 >= MIN_REQUESTS;
        let (after, before) = (self.errors(self.after), self.errors(self.before));
        if self.is_up(after, before) && self.is_louder() || self.has_new_errors(after, before) {
            return Verdict::Worse;
        }
        if by_answers && self.is_up(self.answers(self.after), self.answers(self.before)) {
            return Verdict::Worse;
        }
        let calmer = by_answers && self.is_up(self.answers(self.before), self.answers(self.after));
        if calmer || self.is_up(before, after) && self.is_quieter() {
            return Verdict::Better;
        }
        Verdict::Same
    }

    /// Errors among what they are a share of: answers to requests where both commits give
    /// enough, because how much a commit logs beside may change with it; else records.
    fn errors(&self, tally: Tally) -> (u64, u64) {
        (tally.errors, self.trials(tally).max(tally.errors))
    }

    fn trials(&self, tally: Tally) -> u64 {
        match self.is_serving() {
            true => tally.requests,
            false => tally.records,
        }
    }

    fn answers(&self, tally: Tally) -> (u64, u64) {
        (tally.server_errors, tally.requests)
    }

    fn is_serving(&self) -> bool {
        self.after.requests >= MIN_REQUESTS && self.before.requests >= MIN_REQUESTS
    }

    /// Whether the first share is above the second: by enough, and by more than chance.
    fn is_up(&self, first: (u64, u64), second: (u64, u64)) -> bool {
        let share = |(hits, of): (u64, u64)| (hits as f64 + 0.5) / (of as f64 + 1.0);
        let (one, two) = (share(first), share(second));
        first.0 >= MIN_ERRORS
            && one >= FACTOR * two
            && one - two >= POINTS
            && self.ln_chance(first, second) <= self.limit()
    }

    fn limit(&self) -> f64 {
        if self.over { LN_OVER } else { LN_EARLY }
    }

    fn ln_chance(&self, first: (u64, u64), second: (u64, u64)) -> f64 {
        let clump = self.clump.max(1.0);
        let less = |n: u64| (n as f64 / clump) as u64;
        let scale = |(hits, of): (u64, u64)| (less(hits), less(of));
        ln_fisher(scale(first), scale(second))
    }

    /// A commit that logs less beside its errors has a larger share of errors and no more of
    /// them: without requests as a measure, the errors of all must have grown.
    fn is_louder(&self) -> bool {
        self.is_serving() || self.per_minute.is_none_or(|(was, is)| is >= LOUDER * was)
    }

    fn is_quieter(&self) -> bool {
        self.is_serving() || self.per_minute.is_some_and(|(was, is)| is <= QUIETER * was)
    }

    /// Entries that only the new commit has, where the errors as a whole rose too: a text that
    /// was only put into other words has as many errors as before.
    fn has_new_errors(&self, after: (u64, u64), before: (u64, u64)) -> bool {
        let count: u64 = self.new_errors.iter().map(|error| error.count).sum();
        let new = (count.min(after.1), after.1);
        count >= MIN_ERRORS
            && self.ln_chance(new, (0, before.1)) <= self.limit()
            && self.ln_chance(after, before) <= LN_ALSO
            && self.is_louder()
    }
}

/// The most frequent ones, as many as a verdict lists.
pub fn most_frequent(mut errors: Vec<NewError>) -> Vec<NewError> {
    errors.sort_by_key(|error| std::cmp::Reverse((error.count, error.entry.template)));
    errors.truncate(MAX_NEW_ERRORS);
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Facets, TemplateId};

    fn tally(records: u64, errors: u64, requests: u64, server_errors: u64) -> Tally {
        Tally {
            records,
            errors,
            requests,
            server_errors,
        }
    }

    fn verdict(before: Tally, after: Tally, per_minute: Option<(f64, f64)>) -> Verdict {
        let evidence = Evidence {
            before,
            after,
            new_errors: &[],
            clump: 2.0,
            per_minute,
            over: true,
        };
        evidence.verdict()
    }

    #[test]
    fn shares_decide_where_enough_was_seen() {
        let before = tally(100_000, 500, 40_000, 400);
        for (after, expected) in [
            (tally(50_000, 260, 20_000, 210), Verdict::Same),
            (tally(50_000, 900, 20_000, 800), Verdict::Worse),
            (tally(50_000, 90, 20_000, 60), Verdict::Better),
            (tally(100, 40, 30, 20), Verdict::Undecided),
            (tally(400, 9, 100, 9), Verdict::Same),
        ] {
            assert_eq!(verdict(before, after, None), expected, "{after:?}");
        }
    }

    #[test]
    fn a_commit_that_logs_less_is_not_worse() {
        let before = tally(100_000, 500, 0, 0);
        let after = tally(10_000, 500, 0, 0);
        assert_eq!(verdict(before, after, Some((5.0, 5.0))), Verdict::Same);
        assert_eq!(verdict(before, after, Some((5.0, 20.0))), Verdict::Worse);
        let served = tally(100_000, 500, 50_000, 100);
        let after = tally(10_000, 50, 5_000, 10);
        assert_eq!(verdict(served, after, None), Verdict::Same);
    }

    #[test]
    fn new_errors_count_where_the_errors_rose() {
        let new = [NewError {
            entry: Entry {
                template: TemplateId::new(1),
                facets: Facets::default(),
            },
            count: 60,
        }];
        let judge = |after| {
            let evidence = Evidence {
                before: tally(20_000, 200, 0, 0),
                after,
                new_errors: &new,
                clump: 2.0,
                per_minute: Some((2.0, 3.0)),
                over: false,
            };
            evidence.verdict()
        };
        // 60 of another text in place of 60: the same.
        assert_eq!(judge(tally(6_000, 60, 0, 0)), Verdict::Same);
        assert_eq!(judge(tally(6_000, 120, 0, 0)), Verdict::Worse);
    }

    #[test]
    fn a_reason_says_numbers_and_commits() {
        let deploy = Deploy {
            old: CommitId::parse("aaaaaaa").unwrap(),
            new: CommitId::parse(&"b".repeat(40)).unwrap(),
            started: 0,
            until: 0,
            before: tally(1_000, 10, 500, 5),
            after: tally(1_000, 100, 500, 50),
            new_errors: Vec::new(),
            verdict: Verdict::Worse,
            over: false,
            first_alarm: true,
        };
        assert_eq!(
            deploy.reason(),
            "deploy of bbbbbbbbbbbb after aaaaaaa: worse (errors 10.00 % of 1000 records, before \
             1.00 % of 1000; 5xx 10.00 % of 500 answers, before 1.00 % of 500)"
        );
    }
}
