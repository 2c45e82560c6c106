//! What became of earlier fixes of a fault, a sentence each, for whoever looks for the next one. Only
//! the paths of a change are named: its text is in the request. Not here: how it is shown.

use crate::model::Timestamp;
use crate::model::delivery::{Delivery, OutcomeKind};
use crate::store::PullRow;

/// Rounds that are told of, the newest.
const ROUNDS: usize = 5;
/// Paths of one change that are named.
const PATHS: usize = 10;

/// The newest round first. `rounds`: of one fault, oldest first.
pub(super) fn fates(rounds: &[PullRow]) -> Vec<String> {
    rounds.iter().rev().take(ROUNDS).filter_map(fate).collect()
}

/// `None` where nobody has decided on it yet.
fn fate(row: &PullRow) -> Option<String> {
    let what = match (row.outcome, row.state) {
        (Some(OutcomeKind::Held), _) => {
            "was merged, and the fault stayed away for a day with it; it is back since".to_owned()
        }
        (Some(OutcomeKind::CameBack), _) => format!(
            "was merged{}, and the fault came back {} times with it: the same change is not enough",
            on(row.merged),
            row.returned
        ),
        (Some(OutcomeKind::Rejected), _) | (None, Delivery::Closed) => {
            "was closed without being merged: the same change is not wanted".to_owned()
        }
        (None, Delivery::Merged) => format!("was merged{}", on(row.merged)),
        (None, Delivery::Making | Delivery::Open | Delivery::Theirs | Delivery::Failed) => {
            return None;
        }
    };
    let files = &row.order.files;
    let mut paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let more = match paths.len().saturating_sub(PATHS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    paths.truncate(PATHS);
    let pull = row.url.as_deref().unwrap_or(&row.order.branch);
    let paths = paths.join(", ");
    Some(format!(
        "an earlier fix of this fault ({pull}) {what}. It changed {paths}{more}."
    ))
}

fn on(time: Option<Timestamp>) -> String {
    let day = |time: Timestamp| {
        let text = time.to_rfc3339();
        format!(" on {}", text.get(..10).unwrap_or(&text))
    };
    time.map(day).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::IncidentId;
    use crate::model::delivery::{Ci, FileChange, Order};

    fn row(round: u32, state: Delivery, outcome: Option<OutcomeKind>, files: usize) -> PullRow {
        let file = |n: usize| FileChange {
            path: format!("f{n}.py"),
            mode: 0o100_644,
            content: None,
            exists: true,
        };
        PullRow {
            id: i64::from(round),
            service: "shop".into(),
            fingerprint: "v1:a".into(),
            round,
            incident: IncidentId(1),
            fixer: "revert".into(),
            order: Order {
                incident: IncidentId(1),
                service: "shop".into(),
                fingerprint: "v1:a".into(),
                round,
                branch: format!("b{round}"),
                base: None,
                base_commit: "a".repeat(40),
                files: (0..files).map(file).collect(),
                message: String::new(),
                title: String::new(),
                body: String::new(),
                rest: Vec::new(),
                reviewers: Vec::new(),
                labels: Vec::new(),
                draft: true,
            },
            state,
            why: String::new(),
            number: None,
            url: None,
            tip: None,
            ci: Ci::Unknown,
            seen: None,
            made: Timestamp(0),
            opened: None,
            merged: Some(Timestamp(0)),
            merged_commit: None,
            deployed: None,
            deployed_commit: None,
            outcome,
            returned: 3,
            told: Timestamp(0),
            told_count: 0,
            tries: 0,
        }
    }

    #[test]
    fn what_was_decided_is_told_newest_first_and_within_bounds() {
        let rounds = [
            row(0, Delivery::Merged, Some(OutcomeKind::CameBack), 12),
            row(1, Delivery::Closed, Some(OutcomeKind::Rejected), 1),
            row(2, Delivery::Open, None, 1),
        ];
        let told = fates(&rounds);
        assert_eq!(
            told,
            [
                "an earlier fix of this fault (b1) was closed without being merged: the same \
                 change is not wanted. It changed f0.py.",
                "an earlier fix of this fault (b0) was merged on 1970-01-01, and the fault came \
                 back 3 times with it: the same change is not enough. It changed f0.py, f1.py, \
                 f2.py, f3.py, f4.py, f5.py, f6.py, f7.py, f8.py, f9.py and 2 more."
            ]
        );
        let many: Vec<PullRow> = (0..9)
            .map(|round| row(round, Delivery::Merged, Some(OutcomeKind::Held), 1))
            .collect();
        let told = fates(&many);
        assert_eq!(told.len(), ROUNDS);
        assert!(told[0].contains("(b8)"), "{}", told[0]);
    }
}
