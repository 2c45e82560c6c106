//! What is said under a request. Numbers, times and commits of our own only: nothing of a log, a
//! repository or a person stands in it. With each text comes the mark by which it is found again.

use crate::incident::outcome::{self, Counts};
use crate::model::Timestamp;
use crate::store::{PullRow, Returned};

/// New counts, for an open request.
pub(super) fn counts(counts: &Counts, told: u64, now: Timestamp) -> (String, String) {
    let more = counts.times.saturating_sub(told);
    let text = format!(
        "Seen {more} more times, {} in all; the last time at {}.",
        counts.times,
        counts.last.to_rfc3339()
    );
    let day = now.to_rfc3339();
    let day = day.get(..10).unwrap_or(&day);
    (text, format!("counts-{day}"))
}

/// The fault was seen from a commit with the fix.
pub(super) fn came_back(row: &PullRow, returned: &Returned) -> (String, String) {
    let text = format!(
        "The fault came back: {} times with this change deployed (at {}), first at {}, last at {}. \
         It is a new incident now, and the next fix will be another pull request.",
        returned.times,
        short(row.deployed_commit.as_deref()),
        returned.first.to_rfc3339(),
        returned.last.to_rfc3339()
    );
    (text, "came-back".to_owned())
}

/// The fault stayed away.
pub(super) fn held(row: &PullRow) -> (String, String) {
    let text = format!("The fix held: {}.", held_reason(row));
    (text, "held".to_owned())
}

pub(super) fn held_reason(row: &PullRow) -> String {
    let hours = outcome::HOLDS_AFTER.as_secs() / 3600;
    let commit = short(row.deployed_commit.as_deref());
    format!("0 in {hours} h at {commit}")
}

fn short(commit: Option<&str>) -> String {
    let commit = commit.unwrap_or("a commit that holds it");
    commit.chars().take(12).collect()
}
