//! What the fate of a pull request means, and when it is looked at again: gently while it is open,
//! and after its merge until the fix is known to have held. Pure decisions; the times come in.

use crate::model::delivery::{Delivery, OutcomeKind};
use crate::model::{CommitId, Timestamp};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long a fault must stay away for its fix to have held.
pub const HOLDS_AFTER: Duration = DAY;
/// How recently the service must have been seen running the fix at the end of that time: silence of a
/// service that runs nothing proves nothing.
pub const SEEN_WITHIN: Duration = HOUR;
/// Least time between two comments on counts.
pub const TELLS_EVERY: Duration = DAY;

/// How often a fault was seen, in all its incidents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub times: u64,
    /// Event time.
    pub last: Timestamp,
}

/// A commit with the fix, as the service's records showed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The first such commit that was seen.
    pub commit: CommitId,
    /// Event times between which a commit with the fix was seen.
    pub first: Timestamp,
    pub last: Timestamp,
}

/// How long until a request that is open for so long is looked at again: people act in the first
/// minutes or some other day.
pub fn next_look(open_for: Duration) -> Duration {
    if open_for < 10 * MINUTE {
        MINUTE
    } else if open_for < DAY {
        5 * MINUTE
    } else if open_for < 7 * DAY {
        HOUR
    } else {
        DAY
    }
}

/// Whether a comment with new counts is worth its reader's time.
pub fn counts_are_due(told: Timestamp, told_count: u64, count: u64, now: Timestamp) -> bool {
    count > told_count && now.since(told) >= TELLS_EVERY
}

/// Whether a fix that runs since `deployed` (event time) has held: the service ran it for the whole
/// time, and still does. That the fault was not seen is for the caller to know.
pub fn has_held(deployed: Option<Timestamp>, running: &Running) -> bool {
    deployed.is_some_and(|deployed| running.last.since(deployed) >= HOLDS_AFTER)
}

/// What a fault that has a pull request already needs, when it is to be worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing more: its fix is in that request, or with a person.
    Join,
    /// Its fix is merged, and the commit that it was seen in does not hold it: it is to be deployed.
    Deploy,
    /// Whether the commit holds the merged fix, and what that says of it, is found out first.
    Wait,
    /// Another fix, in the next round.
    Again,
}

/// `fixed`: whether the commit of the newest occurrence holds the fix, where that is known.
pub fn next(state: Delivery, outcome: Option<OutcomeKind>, fixed: Option<bool>) -> Next {
    match (state, outcome) {
        (_, Some(OutcomeKind::CameBack | OutcomeKind::Rejected)) | (Delivery::Closed, _) => {
            Next::Again
        }
        (Delivery::Making | Delivery::Open | Delivery::Theirs | Delivery::Failed, _) => Next::Join,
        (Delivery::Merged, None | Some(OutcomeKind::Held)) => match fixed {
            Some(false) => Next::Deploy,
            Some(true) | None => Next::Wait,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: u64) -> Timestamp {
        Timestamp::from_parts(1_700_000_000, 0).plus(HOUR * u32::try_from(hours).unwrap())
    }

    #[test]
    fn a_request_is_looked_at_ever_less_often() {
        let looks = [0, 1, 9, 10, 60, 60 * 23, 60 * 24, 60 * 24 * 6, 60 * 24 * 8]
            .map(|minutes| next_look(MINUTE * minutes));
        assert!(looks.is_sorted());
        assert_eq!((looks[0], looks[8]), (MINUTE, DAY));
        // Over its first year that is less than a thousand looks.
        let (mut age, mut count) = (Duration::ZERO, 0);
        while age < 365 * DAY {
            age += next_look(age);
            count += 1;
        }
        assert!(count < 1_000, "{count}");
    }

    #[test]
    fn counts_are_told_once_a_day_and_only_when_they_grew() {
        assert!(!counts_are_due(at(0), 5, 6, at(23)));
        assert!(counts_are_due(at(0), 5, 6, at(24)));
        assert!(!counts_are_due(at(0), 5, 5, at(240)));
    }

    #[test]
    fn a_fault_with_a_request_gets_no_second_one_in_its_round() {
        use Delivery::{Closed, Failed, Making, Merged, Open, Theirs};
        for state in [Making, Open, Theirs, Failed] {
            for fixed in [None, Some(false), Some(true)] {
                assert_eq!(next(state, None, fixed), Next::Join);
            }
        }
        for outcome in [None, Some(OutcomeKind::Held)] {
            assert_eq!(next(Merged, outcome, Some(false)), Next::Deploy);
            assert_eq!(next(Merged, outcome, Some(true)), Next::Wait);
            assert_eq!(next(Merged, outcome, None), Next::Wait);
        }
        let back = Some(OutcomeKind::CameBack);
        assert_eq!(next(Merged, back, Some(true)), Next::Again);
        let rejected = Some(OutcomeKind::Rejected);
        assert_eq!(next(Closed, rejected, None), Next::Again);
    }

    #[test]
    fn a_fix_holds_when_it_ran_for_a_day() {
        let running = |last| Running {
            commit: CommitId::parse("abcdef1").unwrap(),
            first: at(0),
            last,
        };
        assert!(has_held(Some(at(0)), &running(at(24))));
        assert!(!has_held(Some(at(0)), &running(at(23))));
        assert!(!has_held(Some(at(2)), &running(at(25))));
        assert!(!has_held(None, &running(at(25))));
    }
}
