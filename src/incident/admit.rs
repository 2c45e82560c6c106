//! The decision on a signal whose fingerprint is known: one more occurrence, a new incident, or
//! refused by a cap. Not here: how signals are told apart.

use crate::model::{IncidentId, Status, Timestamp};
use std::time::Duration;

/// What an incident of the same service and fingerprint looks like to the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub id: IncidentId,
    /// Event times of its first and last occurrence.
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    pub status: Status,
}

/// New incidents of the same service, counted by the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    /// First seen in the hour of event time that ends with the signal.
    pub event_hour: u32,
    /// Made in the last hour of the wall clock.
    pub wall_hour: u32,
}

/// Limits on incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// An occurrence within it of the last one belongs to the same incident. Event time.
    pub dedup_window: Duration,
    /// New incidents of one service in an hour of event time. A service with more faults than
    /// this is either wholly broken, which the first hundred show, or somebody makes them up.
    pub new_per_service_hour: u32,
    /// The same in an hour of the wall clock: event times may come from the log, and a log
    /// replayed fast covers many hours at once, so that it is higher.
    pub new_per_service_wall_hour: u32,
    /// Whether many new faults at once become a storm (`storm`). Not where a log is replayed:
    /// days of it pass in a minute.
    pub storms: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            dedup_window: Duration::from_secs(24 * 3600),
            new_per_service_hour: 100,
            new_per_service_wall_hour: 1_000,
            storms: true,
        }
    }
}

/// What the store has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// One more occurrence of this incident.
    Append(IncidentId),
    /// A new incident; `previous` is the last one of the same fault.
    Open { previous: Option<IncidentId> },
    /// Not kept, only counted.
    Capped,
}

/// Decides on a signal at event time `at`. `known`: the incidents of its service and
/// fingerprint, newest first; a few are enough.
///
/// Time may run backwards or jump (a clock was set, two files are replayed one after the
/// other), so an occurrence belongs to any of them whose time from first to last, widened by
/// the window at both ends, holds it; the newest is tried first.
pub fn admit(known: &[Known], at: Timestamp, recent: Recent, limits: &Limits) -> Effect {
    // What a person muted stays one incident, however long it was quiet.
    if let Some(muted) = known.first().filter(|last| last.status == Status::Muted) {
        return Effect::Append(muted.id);
    }
    let near = known.iter().find(|one| holds(one, at, limits.dedup_window));
    if let Some(one) = near.filter(|one| takes_more(one.status)) {
        return Effect::Append(one.id);
    }
    if recent.event_hour >= limits.new_per_service_hour
        || recent.wall_hour >= limits.new_per_service_wall_hour
    {
        return Effect::Capped;
    }
    Effect::Open {
        previous: known.first().map(|last| last.id),
    }
}

fn holds(one: &Known, at: Timestamp, window: Duration) -> bool {
    at.since(one.last_seen) <= window && one.first_seen.since(at) <= window
}

/// Whether an occurrence within the window still belongs to an incident of this status: one
/// that a person declared resolved came back, and that is news.
fn takes_more(status: Status) -> bool {
    match status {
        Status::Open
        | Status::Investigating
        | Status::Proposed
        | Status::Reported
        | Status::Delivered
        | Status::Merged
        | Status::Rejected
        | Status::Muted => true,
        Status::Resolved => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_parts(1_700_000_000 + seconds, 0)
    }

    fn one(id: i64, first: i64, last: i64, status: Status) -> Known {
        Known {
            id: IncidentId(id),
            first_seen: at(first),
            last_seen: at(last),
            status,
        }
    }

    fn decide(known: &[Known], seconds: i64) -> Effect {
        admit(known, at(seconds), Recent::default(), &Limits::default())
    }

    #[test]
    fn the_window_counts_from_the_last_occurrence() {
        let known = [one(1, 0, 20 * HOUR, Status::Reported)];
        assert_eq!(decide(&known, 44 * HOUR), Effect::Append(IncidentId(1)));
        let later = Effect::Open {
            previous: Some(IncidentId(1)),
        };
        assert_eq!(decide(&known, 44 * HOUR + 1), later);
        assert_eq!(decide(&[], 0), Effect::Open { previous: None });
    }

    #[test]
    fn clocks_that_jump_to_and_fro_open_no_incident_after_the_first_jump() {
        let far = 400 * 24 * HOUR;
        let mut known = vec![one(1, 0, 0, Status::Open)];
        assert_eq!(
            decide(&known, far),
            Effect::Open {
                previous: Some(IncidentId(1))
            }
        );
        known.insert(0, one(2, far, far, Status::Open));
        assert_eq!(decide(&known, 60), Effect::Append(IncidentId(1)));
        assert_eq!(decide(&known, far + 60), Effect::Append(IncidentId(2)));
    }

    #[test]
    fn occurrences_out_of_order_belong_to_the_same() {
        let known = [one(1, 0, 3 * HOUR, Status::Open)];
        assert_eq!(decide(&known, HOUR), Effect::Append(IncidentId(1)));
        assert_eq!(decide(&known, -HOUR), Effect::Append(IncidentId(1)));
    }

    #[test]
    fn muted_stays_muted_and_resolved_comes_back_as_new() {
        let muted = [one(1, 0, 0, Status::Muted)];
        assert_eq!(decide(&muted, 999 * HOUR), Effect::Append(IncidentId(1)));
        let resolved = [one(1, 0, 0, Status::Resolved)];
        assert_eq!(
            decide(&resolved, 1),
            Effect::Open {
                previous: Some(IncidentId(1))
            }
        );
    }

    #[test]
    fn caps_hold_new_incidents_and_never_occurrences() {
        let limits = Limits::default();
        for recent in [
            Recent {
                event_hour: 100,
                wall_hour: 0,
            },
            Recent {
                event_hour: 0,
                wall_hour: 1_000,
            },
        ] {
            assert_eq!(admit(&[], at(0), recent, &limits), Effect::Capped);
            let known = [one(1, 0, 0, Status::Open)];
            let more = admit(&known, at(1), recent, &limits);
            assert_eq!(more, Effect::Append(IncidentId(1)));
        }
    }
}
