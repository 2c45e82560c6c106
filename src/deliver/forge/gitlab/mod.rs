//! GitLab, by its API v4: the branch and its commit come about in one call, which makes the ref or
//! fails; a merge request then takes it. It merges nothing, and nothing that a text holds is taken
//! by GitLab as a command (a line such as `/merge` is one there).
//!
//! The least that the token needs: the scope `api`, and the role Developer (30) in the project in
//! which branches are made (the fork, where one is set; in the project itself then Guest is enough
//! for a public one and Reporter for a private one). The base branch should be protected with
//! nobody but Maintainers allowed to push: then the token cannot push to it, which `rights` tells.

mod rights;

use super::again::again;
use super::call::{Answer, Api, commit, list, mark_line, number, text};
use super::site::{Places, encoded};
use super::{Branch, Error, ErrorKind, Forge, Looked, Opened, Reader, Rights};
use crate::model::Settings;
use crate::model::delivery::{Ci, Order, Pull, PullState};
use crate::net::Http;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Pages of comments that are looked through for one of ours, a hundred on each.
const COMMENT_PAGES: usize = 10;

/// A project at GitLab.
pub struct Gitlab {
    api: Api,
    places: Places,
}

impl Gitlab {
    /// # Errors
    /// When the repository, its fork or the API's address cannot be used.
    pub fn new(http: Http, settings: &Settings, token: Reader) -> Result<Gitlab, Error> {
        let places = Places::of(settings, "api/v4", 2..=30)?;
        let api = Api::new(
            http,
            places.api.clone(),
            "GitLab",
            ("private-token", ""),
            token,
        );
        Ok(Gitlab { api, places })
    }

    fn target(&self) -> String {
        format!("projects/{}", encoded(&self.places.target))
    }

    /// Where branches are made.
    fn source(&self) -> String {
        format!("projects/{}", encoded(self.places.source()))
    }

    fn project(&self, path: &str) -> Result<Value, Error> {
        let answer = self.api.get(path)?;
        match answer.status {
            200 if number(&answer.body, "/id").is_some() => Ok(answer.body),
            _ => Err(self.api.refusal(&answer, "reading the project")),
        }
    }

    fn base(&self, order: &Order) -> Result<String, Error> {
        match &order.base {
            Some(base) => Ok(base.clone()),
            None => default_branch(&self.project(&self.target())?),
        }
    }

    /// The end of a branch in the project where branches are made.
    fn tip(&self, branch: &str) -> Result<Option<String>, Error> {
        let path = format!("{}/repository/branches/{}", self.source(), encoded(branch));
        let answer = self.api.get(&path)?;
        match (answer.status, commit(&answer.body, "/commit/id")) {
            (200, Some(tip)) => Ok(Some(tip)),
            (404, _) => Ok(None),
            _ => Err(self.api.refusal(&answer, "looking at the branch")),
        }
    }

    fn whose(&self, order: &Order, tip: String) -> Result<Branch, Error> {
        let answer = self
            .api
            .get(&format!("{}/repository/commits/{tip}", self.source()))?;
        match (answer.status, answer.body.get("message")) {
            (200, Some(Value::String(message))) => {
                let parents = list(&answer.body, "/parent_ids").len();
                Ok(Branch::there(order, tip, message, parents))
            }
            _ => Err(self.api.refusal(&answer, "looking whose the branch is")),
        }
    }

    /// The newest request of this branch, made from the place where our branches are: anybody may
    /// open one from a fork with a branch of the same name.
    fn newest(&self, order: &Order, base: &str) -> Result<Option<Pull>, Error> {
        let source = match &self.places.fork {
            None => None,
            Some(_) => number(&self.project(&self.source())?, "/id"),
        };
        let path = format!(
            "{}/merge_requests?source_branch={}&target_branch={}&state=all&order_by=created_at\
             &sort=desc&per_page=100",
            self.target(),
            encoded(&order.branch),
            encoded(base)
        );
        let answer = self.api.get(&path)?;
        if answer.status != 200 || !answer.body.is_array() {
            return Err(self.api.refusal(&answer, "looking for the merge request"));
        }
        let is_ours = |request: &&Value| {
            let from = number(request, "/source_project_id");
            let right = source.or_else(|| number(request, "/target_project_id"));
            from.is_some()
                && from == right
                && text(request, "/source_branch") == Some(&order.branch)
                && text(request, "/target_branch") == Some(base)
        };
        let found = list(&answer.body, "").iter().find(is_ours);
        found.map(|request| self.pull(request, &answer)).transpose()
    }

    fn pull(&self, request: &Value, answer: &Answer) -> Result<Pull, Error> {
        let odd = || self.api.refusal(answer, "reading the merge request");
        let state = match text(request, "/state").ok_or_else(odd)? {
            // Locked: just being merged.
            "opened" | "locked" => PullState::Open,
            "closed" => PullState::Closed,
            "merged" => PullState::Merged {
                // A fast-forward makes no new commit: the request's own is in the base.
                commit: commit(request, "/merge_commit_sha")
                    .or_else(|| commit(request, "/squash_commit_sha"))
                    .or_else(|| commit(request, "/sha")),
            },
            _ => return Err(odd()),
        };
        Ok(Pull {
            number: number(request, "/iid").ok_or_else(odd)?,
            url: text(request, "/web_url").ok_or_else(odd)?.to_owned(),
            tip: commit(request, "/sha"),
            state,
        })
    }

    /// The ids of reviewers, and a sentence for each that has none.
    fn reviewers(&self, names: &[String]) -> Result<(Vec<u64>, Vec<String>), Error> {
        let (mut ids, mut left_out) = (Vec::new(), Vec::new());
        for name in names {
            if name.contains('/') {
                left_out.push(format!("reviewer {name}: GitLab asks people, not groups"));
                continue;
            }
            let answer = self.api.get(&format!("users?username={}", encoded(name)))?;
            let same = |user: &&Value| {
                text(user, "/username").is_some_and(|found| found.eq_ignore_ascii_case(name))
            };
            let id = match answer.status {
                200 => list(&answer.body, "")
                    .iter()
                    .find(same)
                    .and_then(|user| number(user, "/id")),
                403 | 404 => None,
                _ => return Err(self.api.refusal(&answer, "looking for a reviewer")),
            };
            match id {
                Some(id) if !ids.contains(&id) => ids.push(id),
                Some(_) => {}
                None => left_out.push(format!("reviewer {name}: GitLab knows no such user")),
            }
        }
        Ok((ids, left_out))
    }

    /// Looks for the comment first: GitLab would take it twice.
    fn say(&self, number: u64, text: &str, mark: &str) -> Result<(), Error> {
        let path = format!("{}/merge_requests/{number}/notes", self.target());
        let mark = mark_line(mark);
        for page in 1..=COMMENT_PAGES {
            let answer = self.api.get(&format!(
                "{path}?order_by=created_at&sort=desc&per_page=100&page={page}"
            ))?;
            if answer.status != 200 || !answer.body.is_array() {
                return Err(self.api.refusal(&answer, "looking at the comments"));
            }
            let notes = list(&answer.body, "");
            if notes
                .iter()
                .filter_map(|note| self::text(note, "/body"))
                .any(|body| body.contains(&mark))
            {
                return Ok(());
            }
            if notes.len() < 100 {
                break;
            }
        }
        let body = json!({ "body": format!("{}\n\n{mark}", without_commands(text)) });
        let answer = self.api.post_once(&path, &body)?;
        match answer.status {
            201 => Ok(()),
            _ => Err(self.api.refusal(&answer, "commenting")),
        }
    }
}

impl Forge for Gitlab {
    fn make_branch(&self, order: &Order) -> Result<Branch, Error> {
        let mut body = json!({
            "branch": order.branch,
            "start_sha": order.base_commit,
            "commit_message": order.message,
            "actions": actions(order)?,
        });
        if self.places.fork.is_some() {
            body["start_project"] = json!(self.places.target);
        }
        let path = format!("{}/repository/commits", self.source());
        let answer = self.api.post(&path, &body)?;
        match (answer.status, commit(&answer.body, "/id")) {
            (201, Some(tip)) => return Ok(Branch::Made { tip }),
            // Says so when the branch is there; a race for it is lost with other words.
            (400 | 409 | 422, _) => {}
            _ => return Err(self.api.refusal(&answer, "making the branch")),
        }
        match self.tip(&order.branch)? {
            Some(tip) => self.whose(order, tip),
            None if answer.said().contains("refresh and try again") => Err(Error::new(
                ErrorKind::Unreachable,
                format!(
                    "making the branch: GitLab was busy with it: {}",
                    answer.said()
                ),
            )),
            None => Err(self.api.refusal(&answer, "making the branch")),
        }
    }

    fn find(&self, order: &Order) -> Result<Option<Pull>, Error> {
        self.newest(order, &self.base(order)?)
    }

    fn open(&self, order: &Order) -> Result<Opened, Error> {
        let target = self.project(&self.target())?;
        let base = match &order.base {
            Some(base) => base.clone(),
            None => default_branch(&target)?,
        };
        let (ids, mut left_out) = self.reviewers(&order.reviewers)?;
        // A comma would make two labels of one.
        let (odd, labels): (Vec<&String>, Vec<&String>) =
            order.labels.iter().partition(|label| label.contains(','));
        left_out.extend(
            odd.iter()
                .map(|l| format!("label {l:?}: no comma may be in it")),
        );
        let labels: Vec<&str> = labels.into_iter().map(String::as_str).collect();
        let draft = if order.draft { "Draft: " } else { "" };
        let body = json!({
            "source_branch": order.branch,
            "target_branch": base,
            "target_project_id": number(&target, "/id"),
            "title": format!("{draft}{}", order.title),
            "description": without_commands(&order.body),
            "labels": labels.join(","),
            "reviewer_ids": ids,
            "remove_source_branch": true,
        });
        let path = format!("{}/merge_requests", self.source());
        let answer = self.api.post(&path, &body)?;
        if answer.status == 409 {
            // There is an open one: an answer was lost, or another process was faster.
            return match self.newest(order, &base)? {
                Some(pull) => Ok(Opened { pull, left_out }),
                None => Err(self.api.refusal(&answer, "opening a merge request")),
            };
        }
        if answer.status != 201 {
            return Err(self.api.refusal(&answer, "opening a merge request"));
        }
        let pull = self.pull(&answer.body, &answer)?;
        let set: Vec<&str> = list(&answer.body, "/labels")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        for label in labels.iter().filter(|label| !set.contains(*label)) {
            left_out.push(format!("label {label}: GitLab did not set it"));
        }
        let asked = list(&answer.body, "/reviewers").len();
        if asked < ids.len() {
            let given = ids.len();
            left_out.push(format!("reviewers: GitLab took {asked} of {given}"));
        }
        Ok(Opened { pull, left_out })
    }

    fn look(&self, _order: &Order, number: u64, seen: Option<&str>) -> Result<Looked, Error> {
        let path = format!("{}/merge_requests/{number}", self.target());
        let answer = self.api.get_since(&path, seen)?;
        match answer.status {
            304 if seen.is_some() => Ok(Looked::Same),
            200 => Ok(Looked::Now {
                pull: self.pull(&answer.body, &answer)?,
                ci: ci(text(&answer.body, "/head_pipeline/status")),
                seen: answer.etag,
            }),
            404 => {
                // A project that the token sees no more says the same of all its requests.
                self.project(&self.target())?;
                Ok(Looked::Gone)
            }
            _ => Err(self.api.refusal(&answer, "looking at the merge request")),
        }
    }

    fn comment(&self, _order: &Order, number: u64, text: &str, mark: &str) -> Result<(), Error> {
        again(|| self.say(number, text, mark))
    }

    fn rights(&self, base: Option<&str>) -> Result<Rights, Error> {
        self.told_rights(base)
    }
}

/// The commit, as GitLab's API takes it.
fn actions(order: &Order) -> Result<Vec<Value>, Error> {
    let mut actions = Vec::new();
    for file in &order.files {
        let path = &file.path;
        let Some(content) = &file.content else {
            actions.push(json!({ "action": "delete", "file_path": path }));
            continue;
        };
        let executable = match file.mode {
            0o100_644 => false,
            0o100_755 => true,
            mode => {
                let what = format!("{path}: no file of mode {mode:o} can be made at GitLab");
                return Err(Error::new(ErrorKind::Invalid, what));
            }
        };
        actions.push(json!({
            "action": if file.exists { "update" } else { "create" },
            "file_path": path,
            "content": STANDARD.encode(content),
            "encoding": "base64",
        }));
        // A new file is an ordinary one, a changed one stays what it was, if nothing is said.
        if executable || file.exists {
            actions.push(json!({
                "action": "chmod",
                "file_path": path,
                "execute_filemode": executable,
            }));
        }
    }
    Ok(actions)
}

fn default_branch(project: &Value) -> Result<String, Error> {
    text(project, "/default_branch")
        .map(str::to_owned)
        .ok_or_else(|| {
            let what = "the project has no default branch yet: set `base` in [service.forge]";
            Error::new(ErrorKind::Missing, what.to_owned())
        })
}

fn ci(status: Option<&str>) -> Ci {
    match status {
        Some("success") => Ci::Passed,
        Some("failed") => Ci::Failed,
        Some(
            "created"
            | "waiting_for_resource"
            | "waiting_for_callback"
            | "preparing"
            | "pending"
            | "running"
            | "scheduled"
            | "manual",
        ) => Ci::Pending,
        // Cancelled and skipped ones say nothing of the change.
        Some(_) | None => Ci::Unknown,
    }
}

/// GitLab takes a line that begins with `/` as a command, in some fences too, and carries it out
/// with the rights of who wrote it. A space of no width before the slash makes it text.
fn without_commands(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive(['\n', '\r']) {
        let rest = line.trim_start();
        if rest.starts_with('/') {
            let (blanks, rest) = line.split_at(line.len() - rest.len());
            out.push_str(blanks);
            out.push('\u{200b}');
            out.push_str(rest);
        } else {
            out.push_str(line);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_a_command() {
        let text = "a /x\n/merge\n  /close\r/label ~x\n\r/approve\n```\n/merge\n```\n";
        let said = without_commands(text);
        assert!(
            said.split(['\n', '\r'])
                .all(|line| !line.trim_start().starts_with('/'))
        );
        assert_eq!(said.replace('\u{200b}', ""), text);
        assert!(said.starts_with("a /x\n"));
    }

    #[test]
    fn a_pipeline_without_a_verdict_has_none() {
        assert_eq!(ci(Some("success")), Ci::Passed);
        assert_eq!(ci(Some("manual")), Ci::Pending);
        for status in [Some("skipped"), Some("canceled"), None] {
            assert_eq!(ci(status), Ci::Unknown);
        }
    }
}
