//! Storms: so many new faults of one owner's services at once that something under them broke, or
//! somebody makes them up. They become one incident, the parent, and the others wait until it is
//! over: a hundred diffs for one broken deploy help nobody. Pure: time and counts are values.
//!
//! Not here: keeping any of it (`store`), who works when (`store`'s leases).

use crate::model::{IncidentId, Kind, Signal, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// New faults within this time count together; without a new one for as long it is over. Wall
/// clock: it is about what a person would be told now. Five minutes: a deploy's breakage shows
/// within that, and a service's ordinary faults of an hour do not.
pub const SPAN: Duration = Duration::from_secs(300);
/// New faults within [`SPAN`] that are no storm yet. Six an hour is what is fixed by default, so
/// ten in five minutes is far more than anyone looks into one by one.
pub const CALM: u32 = 10;

/// The label of a storm's parent.
pub const LABEL: &str = "storm";

/// Faults that the parent lists.
pub const LISTED: usize = 10;
/// Services that its title and reason name.
const NAMED: usize = 3;

/// A clock that was set back, or another thread's that was read a moment later.
const AHEAD: Duration = Duration::from_secs(60);

/// A storm that the store knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storm {
    pub parent: IncidentId,
    /// When its last new fault came.
    pub last: Timestamp,
}

/// What a new incident means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// One of few.
    Calm,
    /// One too many: a storm begins.
    Breaks,
    /// One more of a storm.
    Goes(IncidentId),
}

/// Decides on a new incident. `newest`: how many the owner had within [`SPAN`], this one counted.
pub fn weather(known: Option<Storm>, newest: u32, now: Timestamp) -> Weather {
    match known.filter(|storm| is_on(storm.last, now)) {
        Some(storm) => Weather::Goes(storm.parent),
        None if newest > CALM => Weather::Breaks,
        None => Weather::Calm,
    }
}

/// The times of last faults, exclusive and inclusive, between which a storm is not over.
pub fn on_between(now: Timestamp) -> (Timestamp, Timestamp) {
    (now.minus(SPAN), now.plus(AHEAD))
}

/// Whether a storm with its last new fault then is not over.
pub fn is_on(last: Timestamp, now: Timestamp) -> bool {
    let (after, until) = on_between(now);
    last > after && last <= until
}

/// One fault of a storm, for the words about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub service: String,
    pub title: String,
}

/// What the parent says of its storm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    pub title: String,
    pub reason: String,
    pub lines: Vec<String>,
}

/// The parent's words for so many faults within `span`. `faults`: the first of them. `services`:
/// all that have any.
pub fn words(count: u64, span: Duration, faults: &[Fault], services: &BTreeSet<String>) -> Words {
    let minutes = span.as_secs().div_ceil(60).max(5);
    let mut names: Vec<&str> = services.iter().map(String::as_str).take(NAMED).collect();
    let more = services.len().saturating_sub(NAMED);
    let more = format!("{more} more");
    if services.len() > NAMED {
        names.push(&more);
    }
    let listed = faults.iter().take(LISTED);
    Words {
        title: format!(
            "{count} new faults in {minutes} minutes in {}",
            names.join(", ")
        ),
        reason: format!(
            "rule storm: {count} new faults of {} services within {minutes} minutes; the others \
             wait until none was new for {} minutes",
            services.len(),
            SPAN.as_secs() / 60
        ),
        lines: listed
            .map(|fault| format!("{}: {}", fault.service, fault.title))
            .collect(),
    }
}

/// The parent of a storm that broke with this signal.
pub fn parent(with: &Signal, words: Words) -> Signal {
    Signal {
        kind: Kind::Rate,
        service: with.service.clone(),
        stream: with.stream.clone(),
        container: None,
        time: with.time,
        last: with.time,
        title: words.title,
        reason: words.reason,
        watch: Some(LABEL.to_owned()),
        trace: None,
        lines: words.lines,
        context: Vec::new(),
        commit: with.commit.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_parts(1_750_000_000 + seconds, 0)
    }

    #[test]
    fn the_eleventh_breaks_it_and_five_quiet_minutes_end_it() {
        assert_eq!(weather(None, 10, at(0)), Weather::Calm);
        assert_eq!(weather(None, 11, at(0)), Weather::Breaks);
        let parent = IncidentId(7);
        let storm = Some(Storm {
            parent,
            last: at(0),
        });
        assert_eq!(weather(storm, 1, at(299)), Weather::Goes(parent));
        assert_eq!(weather(storm, 1, at(300)), Weather::Calm);
        assert_eq!(weather(storm, 11, at(300)), Weather::Breaks);
    }

    #[test]
    fn a_clock_set_back_ends_a_storm_and_a_thread_that_read_it_late_does_not() {
        assert!(is_on(at(1), at(0)));
        assert!(!is_on(at(3_600), at(0)));
    }

    #[test]
    fn the_words_name_few_services_and_few_faults() {
        let fault = |n: u32| Fault {
            service: format!("s{n}"),
            title: format!("fault {n}"),
        };
        let faults: Vec<Fault> = (0..30).map(fault).collect();
        let services = faults.iter().map(|fault| fault.service.clone()).collect();
        let words = words(30, Duration::from_secs(400), &faults, &services);
        assert_eq!(
            words.title,
            "30 new faults in 7 minutes in s0, s1, s10, 27 more"
        );
        assert_eq!(words.lines.len(), LISTED);
        assert_eq!(words.lines[0], "s0: fault 0");
    }
}
