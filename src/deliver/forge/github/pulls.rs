//! Requests: opened, found, looked at, spoken under.

use super::Github;
use crate::deliver::forge::wire::{Answer, encoded};
use crate::deliver::forge::{Error, ErrorKind, Looked, Opened};
use crate::model::delivery::{Ci, Order, Pull, PullState};
use crate::net::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Pages of comments that are read for a mark, of a hundred each.
const PAGES: u32 = 20;

/// What a look leaves for the next one.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Seen {
    /// Of the request.
    etag: String,
    tip: String,
    ci: Ci,
}

impl Github {
    pub(super) fn newest(&self, order: &Order) -> Result<Option<Pull>, Error> {
        let path = format!(
            "/repos/{}/pulls?state=all&head={}&sort=created&direction=desc&per_page=10",
            self.repo,
            encoded(&self.head_of(order))
        );
        let answer = self.get(&path)?;
        let Some(list) = answer.json.as_array().filter(|_| answer.status < 300) else {
            return Err(self.wire.invalid("looking for the request", &answer));
        };
        // Where the filter was not understood, nothing of others is taken for ours.
        let own = |pull: &&Value| pull["head"]["ref"].as_str() == Some(&order.branch);
        Ok(list.iter().find(own).and_then(pull))
    }

    pub(super) fn request(&self, order: &Order) -> Result<Opened, Error> {
        let base = self.base(order.base.as_deref())?;
        let mut left_out = Vec::new();
        let mut body = json!({
            "title": order.title,
            "head": self.head_of(order),
            "base": base,
            "body": order.body,
            "draft": order.draft,
            "maintainer_can_modify": true,
        });
        let path = format!("/repos/{}/pulls", self.repo);
        let mut answer = self.post(&path, &body)?;
        let says = |answer: &Answer, words: &str| {
            answer.status == 422 && answer.words().to_ascii_lowercase().contains(words)
        };
        if order.draft && says(&answer, "draft pull requests are not supported") {
            body["draft"] = Value::Bool(false);
            left_out.push("it is no draft: the repository has none".to_owned());
            answer = self.post(&path, &body)?;
        }
        if says(&answer, "already exists") {
            let pull = self.newest(order)?;
            let pull = pull.ok_or_else(|| self.wire.invalid("opening the request", &answer))?;
            return Ok(Opened { pull, left_out });
        }
        let opened = pull(&answer.json).filter(|_| answer.status < 300);
        let pull = opened.ok_or_else(|| self.wire.invalid("opening the request", &answer))?;
        self.dress(order, pull.number, &mut left_out);
        Ok(Opened { pull, left_out })
    }

    /// Labels and reviewers: a request without them is better than none.
    fn dress(&self, order: &Order, number: u64, left_out: &mut Vec<String>) {
        let mut give = |what: &str, path: String, body: Value| {
            let done = self
                .post(&path, &body)
                .and_then(|answer| match answer.status {
                    200..300 => Ok(()),
                    _ => Err(self.wire.invalid(&format!("adding {what}"), &answer)),
                });
            if let Err(fault) = done {
                left_out.push(format!("{what} were not added: {fault}"));
            }
        };
        if !order.labels.is_empty() {
            let path = format!("/repos/{}/issues/{number}/labels", self.repo);
            give("labels", path, json!({"labels": order.labels}));
        }
        if !order.reviewers.is_empty() {
            let team = |name: &String| name.split_once('/').map(|(_, team)| team.to_owned());
            let teams: Vec<String> = order.reviewers.iter().filter_map(team).collect();
            let people: Vec<&String> = order
                .reviewers
                .iter()
                .filter(|name| !name.contains('/'))
                .collect();
            let path = format!("/repos/{}/pulls/{number}/requested_reviewers", self.repo);
            let body = json!({"reviewers": people, "team_reviewers": teams});
            give("reviewers", path, body);
        }
    }

    pub(super) fn state(&self, number: u64, seen: Option<&str>) -> Result<Looked, Error> {
        let before: Option<Seen> = seen.and_then(|seen| serde_json::from_str(seen).ok());
        let path = format!("/repos/{}/pulls/{number}", self.repo);
        let etag = before.as_ref().map(|seen| seen.etag.as_str());
        let mut answer = self.call(
            Method::Get,
            &path,
            None,
            etag.filter(|etag| !etag.is_empty()),
        )?;
        if let (304, Some(before)) = (answer.status, &before) {
            if self.ci(&before.tip)? == before.ci {
                return Ok(Looked::Same);
            }
            answer = self.get(&path)?;
        }
        if answer.status == 404 {
            return Ok(Looked::Gone);
        }
        let found = pull(&answer.json).filter(|_| answer.status < 300);
        let found = found.ok_or_else(|| self.wire.invalid("looking at the request", &answer))?;
        let tip = found.tip.clone().unwrap_or_default();
        let ci = self.ci(&tip)?;
        let seen = Seen {
            etag: answer.headers.get("etag").unwrap_or_default().to_owned(),
            tip,
            ci,
        };
        Ok(Looked::Now {
            pull: found,
            ci,
            seen: serde_json::to_string(&seen).ok(),
        })
    }

    /// What checks say of a commit; `Unknown` where there are none or they may not be seen.
    fn ci(&self, tip: &str) -> Result<Ci, Error> {
        if tip.is_empty() {
            return Ok(Ci::Unknown);
        }
        let ask = |what: &str| match self.get(&format!("/repos/{}/commits/{tip}/{what}", self.repo))
        {
            Ok(answer) if answer.status < 300 => Ok(Some(answer.json)),
            Ok(_) => Ok(None),
            Err(fault) if fault.kind == ErrorKind::Refused => Ok(None),
            Err(fault) => Err(fault),
        };
        let runs = ask("check-runs?per_page=100")?;
        let runs = runs
            .as_ref()
            .and_then(|found| found["check_runs"].as_array());
        if let Some(runs) = runs.filter(|runs| !runs.is_empty()) {
            return Ok(of_runs(runs));
        }
        let Some(status) = ask("status")? else {
            return Ok(Ci::Unknown);
        };
        if status["total_count"].as_u64() == Some(0) {
            return Ok(Ci::Unknown);
        }
        Ok(match status["state"].as_str() {
            Some("success") => Ci::Passed,
            Some("pending") => Ci::Pending,
            Some("failure" | "error") => Ci::Failed,
            Some(_) | None => Ci::Unknown,
        })
    }

    pub(super) fn say(&self, number: u64, text: &str, mark: &str) -> Result<(), Error> {
        let mark = format!("<!-- autofix:{mark} -->");
        let path = format!("/repos/{}/issues/{number}/comments", self.repo);
        for page in 1..=PAGES {
            let answer = self.get(&format!("{path}?per_page=100&page={page}"))?;
            let Some(list) = answer.json.as_array().filter(|_| answer.status < 300) else {
                return Err(self.wire.invalid("reading comments", &answer));
            };
            let said = |one: &Value| {
                one["body"]
                    .as_str()
                    .is_some_and(|body| body.contains(&mark))
            };
            if list.iter().any(said) {
                return Ok(());
            }
            if list.len() < 100 {
                break;
            }
        }
        let answer = self.post(&path, &json!({"body": format!("{text}\n\n{mark}")}))?;
        match answer.status {
            200..300 => Ok(()),
            _ => Err(self.wire.invalid("commenting", &answer)),
        }
    }
}

fn of_runs(runs: &[Value]) -> Ci {
    let is = |run: &Value, words: &[&str]| {
        let conclusion = run["conclusion"].as_str().unwrap_or_default();
        words.contains(&conclusion)
    };
    let failed = [
        "failure",
        "timed_out",
        "cancelled",
        "action_required",
        "startup_failure",
    ];
    if runs.iter().any(|run| is(run, &failed)) {
        return Ci::Failed;
    }
    if runs
        .iter()
        .any(|run| run["status"].as_str() != Some("completed"))
    {
        return Ci::Pending;
    }
    Ci::Passed
}

/// A request as the interface writes it, in a list or alone.
fn pull(found: &Value) -> Option<Pull> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let merged = !found["merged_at"].is_null() || found["merged"].as_bool() == Some(true);
    let state = match found["state"].as_str()? {
        "open" => PullState::Open,
        _ if merged => PullState::Merged {
            commit: text(&found["merge_commit_sha"]),
        },
        _ => PullState::Closed,
    };
    Some(Pull {
        number: found["number"].as_u64()?,
        url: text(&found["html_url"])?,
        tip: text(&found["head"]["sha"]),
        state,
    })
}
