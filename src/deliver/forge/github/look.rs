//! Where a request stands, and what CI says of its newest commit. What was seen is kept by the
//! caller as a text: the etags of the three answers with what they said, so that a look at
//! something that did not change costs nothing of the token's limit, and CI that changes while the
//! request does not is noticed.

use super::Github;
use super::call::Answer;
use super::place::in_path;
use crate::deliver::forge::{Error, ErrorKind, Looked};
use crate::model::delivery::{Ci, Pull};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an earlier look gave.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    pull: Pull,
    etag: Option<String>,
    checks: Part,
    statuses: Part,
}

/// One of the two places where CI speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    etag: Option<String>,
    ci: Ci,
}

pub(super) fn look(github: &Github, number: u64, seen: Option<&str>) -> Result<Looked, Error> {
    // A text of an older version is as good as none.
    let seen: Option<Seen> = seen.and_then(|text| serde_json::from_str(text).ok());
    let seen = seen.filter(|seen| seen.pull.number == number);
    let path = format!("{}/pulls/{number}", github.base());
    let etag = seen.as_ref().and_then(|seen| seen.etag.as_deref());
    let answer = github.get_unless(&path, etag)?;
    let (pull, etag) = match (answer.status, &seen) {
        (304, Some(seen)) => (seen.pull.clone(), seen.etag.clone()),
        (404 | 410, _) => return gone(github),
        _ => {
            let answer = answer.good("looking at the request")?;
            let pull = super::pulls::read(&answer.json);
            let pull = pull.ok_or_else(|| answer.malformed("the pull request"))?;
            (pull, answer.etag)
        }
    };
    let before = seen.as_ref().filter(|seen| seen.pull.tip == pull.tip);
    let (checks, statuses) = match &pull.tip {
        None => (Part::default(), Part::default()),
        Some(tip) => {
            let commit = format!("{}/commits/{}", github.base(), in_path(tip));
            let runs = format!("{commit}/check-runs?per_page=100");
            let status = format!("{commit}/status?per_page=100");
            (
                part(github, &runs, before.map(|seen| &seen.checks), of_checks)?,
                part(
                    github,
                    &status,
                    before.map(|seen| &seen.statuses),
                    of_statuses,
                )?,
            )
        }
    };
    let ci = together(checks.ci, statuses.ci);
    let now = Seen {
        pull,
        etag,
        checks,
        statuses,
    };
    if seen.is_some_and(|seen| seen == now) {
        return Ok(Looked::Same);
    }
    let text = serde_json::to_string(&now).ok();
    Ok(Looked::Now {
        pull: now.pull,
        ci,
        seen: text,
    })
}

/// A request that is not there: gone, unless the repository is out of sight as a whole.
fn gone(github: &Github) -> Result<Looked, Error> {
    let answer = github.get(&github.base())?;
    if answer.is_ok() {
        return Ok(Looked::Gone);
    }
    Err(answer.error("looking at the repository"))
}

/// What one place says, asked only for what is new. A token that may not see it leaves it unknown.
fn part(
    github: &Github,
    path: &str,
    before: Option<&Part>,
    read: fn(&Value) -> Option<Ci>,
) -> Result<Part, Error> {
    let etag = before.and_then(|part| part.etag.as_deref());
    let answer: Result<Answer, Error> = github.get_unless(path, etag);
    let answer = match answer {
        Ok(answer) => answer,
        Err(e) if e.kind == ErrorKind::Refused => return Ok(Part::default()),
        Err(e) => return Err(e),
    };
    match (answer.status, before) {
        (304, Some(before)) => Ok(before.clone()),
        (403 | 404 | 422, _) => Ok(Part::default()),
        _ => {
            let answer = answer.good("looking at CI")?;
            let ci = read(&answer.json).ok_or_else(|| answer.malformed("what CI says"))?;
            Ok(Part {
                etag: answer.etag,
                ci,
            })
        }
    }
}

/// One that failed decides, then one that is not done. What one place knows counts where the
/// other has nothing.
fn together(one: Ci, other: Ci) -> Ci {
    match (one, other) {
        (Ci::Failed, _) | (_, Ci::Failed) => Ci::Failed,
        (Ci::Pending, _) | (_, Ci::Pending) => Ci::Pending,
        (Ci::Passed, _) | (_, Ci::Passed) => Ci::Passed,
        (Ci::Unknown, Ci::Unknown) => Ci::Unknown,
    }
}

fn of_checks(json: &Value) -> Option<Ci> {
    let runs = json["check_runs"].as_array()?;
    let total = json["total_count"].as_u64()?;
    let each = runs.iter().map(|run| {
        if run["status"].as_str() != Some("completed") {
            return Ci::Pending;
        }
        match run["conclusion"].as_str() {
            Some("success" | "neutral" | "skipped") => Ci::Passed,
            // It waits for a person, as runs of a newcomer's fork do.
            Some("action_required") => Ci::Pending,
            Some(_) => Ci::Failed,
            None => Ci::Unknown,
        }
    });
    let all = each.fold(Ci::Unknown, together);
    // Of more than one page not all were seen.
    let whole = total <= runs.len() as u64;
    Some(if whole || all == Ci::Failed {
        all
    } else {
        Ci::Unknown
    })
}

fn of_statuses(json: &Value) -> Option<Ci> {
    if json["total_count"].as_u64()? == 0 {
        return Some(Ci::Unknown);
    }
    Some(match json["state"].as_str()? {
        "success" => Ci::Passed,
        "pending" => Ci::Pending,
        "failure" | "error" => Ci::Failed,
        _ => Ci::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn checks_come_to_one_word() {
        let runs = |runs: &[(&str, &str)], total: usize| {
            let runs: Vec<Value> = runs
                .iter()
                .map(|(status, end)| json!({"status": status, "conclusion": end}))
                .collect();
            of_checks(&json!({"total_count": total, "check_runs": runs}))
        };
        let (good, bad) = (("completed", "success"), ("completed", "timed_out"));
        let skipped = ("completed", "skipped");
        assert_eq!(runs(&[], 0), Some(Ci::Unknown));
        assert_eq!(runs(&[good, skipped], 2), Some(Ci::Passed));
        assert_eq!(runs(&[good, ("queued", "")], 2), Some(Ci::Pending));
        assert_eq!(runs(&[good, bad, ("queued", "")], 3), Some(Ci::Failed));
        assert_eq!(runs(&[good], 101), Some(Ci::Unknown));
        assert_eq!(runs(&[bad], 101), Some(Ci::Failed));
        assert_eq!(of_checks(&json!({})), None);
    }

    #[test]
    fn statuses_count_where_there_are_some() {
        let status = |state: &str, n: u64| of_statuses(&json!({"state": state, "total_count": n}));
        assert_eq!(status("pending", 0), Some(Ci::Unknown));
        assert_eq!(status("pending", 1), Some(Ci::Pending));
        assert_eq!(status("error", 1), Some(Ci::Failed));
        assert_eq!(status("success", 2), Some(Ci::Passed));
        assert_eq!(together(Ci::Passed, Ci::Failed), Ci::Failed);
        assert_eq!(together(Ci::Unknown, Ci::Passed), Ci::Passed);
    }
}
