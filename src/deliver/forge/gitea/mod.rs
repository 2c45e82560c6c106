//! Gitea and Forgejo, by their API v1: the branch and its commit come about in one call, which
//! makes the ref or fails; a pull request then takes it. It merges nothing.
//!
//! That call commits onto the end of the base branch, not onto a commit: where the base moved on
//! since the order's commit, the new branch begins at its end. Each file that is changed or removed
//! goes with its id at the order's commit, and the host refuses if it is another one by now, or if
//! a file that is to be made is there already; so a change never undoes another. With a fork, the
//! base is the fork's branch of that name, which somebody has to keep up to date. The call cannot
//! make a file executable, and an old file keeps its mode.
//!
//! The least that the token needs: the scopes `write:repository` (branch and pull request) and
//! `write:issue` (comments and labels), with write access in the repository in which branches are
//! made (the fork, where one is set; in the repository itself then read access is enough). The base
//! branch should be protected without the bot among those who may push: then the token cannot push
//! to it, which `rights` tells.

mod asked;
mod newest;
mod rights;

use super::again::again;
use super::call::{Answer, Api, commit, list, mark_line, number, text};
use super::site::{Places, encoded, encoded_path};
use super::{Branch, Error, ErrorKind, Forge, Looked, Opened, Reader, Rights};
use crate::model::Settings;
use crate::model::delivery::{Ci, Order, Pull, PullState};
use crate::net::Http;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Entries on a page, as many as these hosts give unless told otherwise.
const PAGE: usize = 50;
/// Pages of a list that are looked through.
const PAGES: usize = 10;

/// A repository at Gitea or Forgejo.
pub struct Gitea {
    api: Api,
    places: Places,
}

impl Gitea {
    /// # Errors
    /// When the repository, its fork or the API's address cannot be used.
    pub fn new(http: Http, settings: &Settings, token: Reader) -> Result<Gitea, Error> {
        let places = Places::of(settings, "api/v1", 2..=2)?;
        let api = Api::new(
            http,
            places.api.clone(),
            "Gitea",
            ("authorization", "token "),
            token,
        );
        Ok(Gitea { api, places })
    }

    fn target(&self) -> String {
        format!("repos/{}", encoded_path(&self.places.target))
    }

    /// Where branches are made.
    fn source(&self) -> String {
        format!("repos/{}", encoded_path(self.places.source()))
    }

    fn repository(&self, path: &str) -> Result<Value, Error> {
        let answer = self.api.get(path)?;
        match answer.status {
            200 if text(&answer.body, "/full_name").is_some() => Ok(answer.body),
            _ => Err(self.api.refusal(&answer, "reading the repository")),
        }
    }

    fn base(&self, order: &Order) -> Result<String, Error> {
        match &order.base {
            Some(base) => Ok(base.clone()),
            None => default_branch(&self.repository(&self.target())?),
        }
    }

    fn tip(&self, branch: &str) -> Result<Option<String>, Error> {
        let path = format!("{}/branches/{}", self.source(), encoded_path(branch));
        let answer = self.api.get(&path)?;
        match (answer.status, commit(&answer.body, "/commit/id")) {
            (200, Some(tip)) => Ok(Some(tip)),
            (404, _) => Ok(None),
            _ => Err(self.api.refusal(&answer, "looking at the branch")),
        }
    }

    fn whose(&self, order: &Order, tip: String) -> Result<Branch, Error> {
        let path = format!("{}/git/commits/{tip}", self.source());
        let answer = self.api.get(&path)?;
        match (answer.status, answer.body.pointer("/commit/message")) {
            (200, Some(Value::String(message))) => {
                let parents = list(&answer.body, "/parents").len();
                Ok(Branch::there(order, tip, message, parents))
            }
            _ => Err(self.api.refusal(&answer, "looking whose the branch is")),
        }
    }

    /// The commit, as the API takes it. Old files go with their ids at the order's commit.
    fn files(&self, order: &Order) -> Result<Vec<Value>, Error> {
        let mut files = Vec::new();
        for file in &order.files {
            let path = &file.path;
            let invalid = |what: String| Err(Error::new(ErrorKind::Invalid, what));
            let mut entry = json!({ "path": path });
            if let Some(content) = &file.content {
                match (file.mode, file.exists) {
                    (0o100_644, _) | (0o100_755, true) => {}
                    (mode, _) => {
                        return invalid(format!(
                            "{path}: Gitea's API makes no file of mode {mode:o}; set `kind` in \
                             [service.forge] to \"git\" to push with git instead"
                        ));
                    }
                }
                entry["content"] = json!(STANDARD.encode(content));
            }
            entry["operation"] = json!(match (&file.content, file.exists) {
                (None, _) => "delete",
                (Some(_), true) => "update",
                (Some(_), false) => "create",
            });
            if file.exists || file.content.is_none() {
                let answer = self.api.get(&format!(
                    "{}/contents/{}?ref={}",
                    self.target(),
                    encoded_path(path),
                    encoded(&order.base_commit)
                ))?;
                match (answer.status, commit(&answer.body, "/sha")) {
                    (200, Some(sha)) => entry["sha"] = json!(sha),
                    (404, _) => {
                        let base = &order.base_commit;
                        return invalid(format!("{path} is not in commit {base} at the host"));
                    }
                    _ => return Err(self.api.refusal(&answer, "reading a file of the base")),
                }
            }
            files.push(entry);
        }
        Ok(files)
    }

    fn pull(&self, pull: &Value, answer: &Answer) -> Result<Pull, Error> {
        let odd = || self.api.refusal(answer, "reading the pull request");
        let merged = pull.get("merged") == Some(&Value::Bool(true));
        let state = match text(pull, "/state").ok_or_else(odd)? {
            _ if merged => PullState::Merged {
                commit: commit(pull, "/merge_commit_sha"),
            },
            "open" => PullState::Open,
            "closed" => PullState::Closed,
            _ => return Err(odd()),
        };
        Ok(Pull {
            number: number(pull, "/number").ok_or_else(odd)?,
            url: text(pull, "/html_url").ok_or_else(odd)?.to_owned(),
            tip: commit(pull, "/head/sha"),
            state,
        })
    }

    fn ci(&self, tip: Option<&str>) -> Result<Ci, Error> {
        let Some(tip) = tip else {
            return Ok(Ci::Unknown);
        };
        let path = format!("{}/commits/{tip}/status", self.target());
        let answer = self.api.get(&path)?;
        match answer.status {
            200 => Ok(match text(&answer.body, "/state") {
                _ if number(&answer.body, "/total_count") == Some(0) => Ci::Unknown,
                Some("success" | "warning") => Ci::Passed,
                Some("failure" | "error") => Ci::Failed,
                Some("pending") => Ci::Pending,
                Some(_) | None => Ci::Unknown,
            }),
            403 | 404 => Ok(Ci::Unknown),
            _ => Err(self.api.refusal(&answer, "looking at the checks")),
        }
    }

    /// Looks for the comment first: the host would take it twice.
    fn say(&self, number: u64, text: &str, mark: &str) -> Result<(), Error> {
        let path = format!("{}/issues/{number}/comments", self.target());
        let mark = mark_line(mark);
        let answer = self.api.get(&path)?;
        if answer.status != 200 || !answer.body.is_array() {
            return Err(self.api.refusal(&answer, "looking at the comments"));
        }
        let there = list(&answer.body, "")
            .iter()
            .filter_map(|comment| self::text(comment, "/body"))
            .any(|body| body.contains(&mark));
        if there {
            return Ok(());
        }
        let body = json!({ "body": format!("{text}\n\n{mark}") });
        let answer = self.api.post_once(&path, &body)?;
        match answer.status {
            201 => Ok(()),
            _ => Err(self.api.refusal(&answer, "commenting")),
        }
    }
}

impl Forge for Gitea {
    fn make_branch(&self, order: &Order) -> Result<Branch, Error> {
        // The host reads the base's files first, and so must this: a file that moved on hides that
        // the branch is there.
        if let Some(tip) = self.tip(&order.branch)? {
            return self.whose(order, tip);
        }
        let body = json!({
            "branch": self.base(order)?,
            "new_branch": order.branch,
            "message": order.message,
            "files": self.files(order)?,
        });
        let answer = self
            .api
            .post(&format!("{}/contents", self.source()), &body)?;
        match (answer.status, commit(&answer.body, "/commit/sha")) {
            (200..=299, Some(tip)) => return Ok(Branch::Made { tip }),
            // Who loses a race for the branch gets one of these, and not always the same.
            (409 | 422, _) => {}
            _ => return Err(self.api.refusal(&answer, "making the branch")),
        }
        match self.tip(&order.branch)? {
            Some(tip) => self.whose(order, tip),
            None => Err(self.api.refusal(&answer, "making the branch")),
        }
    }

    fn find(&self, order: &Order) -> Result<Option<Pull>, Error> {
        self.newest(order, &self.base(order)?)
    }

    fn open(&self, order: &Order) -> Result<Opened, Error> {
        let base = self.base(order)?;
        let (ids, mut left_out) = self.labels(&order.labels)?;
        let draft = if order.draft { "WIP: " } else { "" };
        let body = json!({
            "title": format!("{draft}{}", order.title),
            "head": self.head(&order.branch),
            "base": base,
            "body": order.body,
            "labels": ids,
        });
        let answer = self.api.post(&format!("{}/pulls", self.target()), &body)?;
        let pull = match answer.status {
            201 => self.pull(&answer.body, &answer)?,
            // There is an open one: an answer was lost, or another process was faster.
            409 => match self.newest(order, &base)? {
                Some(pull) => pull,
                None => return Err(self.api.refusal(&answer, "opening a pull request")),
            },
            _ => return Err(self.api.refusal(&answer, "opening a pull request")),
        };
        if pull.state == PullState::Open {
            self.ask(pull.number, &order.reviewers, &mut left_out);
        }
        Ok(Opened { pull, left_out })
    }

    fn look(&self, _order: &Order, number: u64, seen: Option<&str>) -> Result<Looked, Error> {
        let answer = self.api.get(&format!("{}/pulls/{number}", self.target()))?;
        match answer.status {
            200 => {}
            404 => {
                // A repository that the token sees no more says the same of all its requests.
                self.repository(&self.target())?;
                return Ok(Looked::Gone);
            }
            _ => return Err(self.api.refusal(&answer, "looking at the pull request")),
        }
        let pull = self.pull(&answer.body, &answer)?;
        let ci = self.ci(pull.tip.as_deref())?;
        // These hosts give no mark of what was seen, so what was seen is its own mark.
        let mark = format!("{:?} {:?} {}", pull.state, pull.tip, ci.word());
        if seen == Some(mark.as_str()) {
            return Ok(Looked::Same);
        }
        Ok(Looked::Now {
            pull,
            ci,
            seen: Some(mark),
        })
    }

    fn comment(&self, _order: &Order, number: u64, text: &str, mark: &str) -> Result<(), Error> {
        again(|| self.say(number, text, mark))
    }

    fn rights(&self, base: Option<&str>) -> Result<Rights, Error> {
        self.told_rights(base)
    }
}

fn default_branch(repository: &Value) -> Result<String, Error> {
    text(repository, "/default_branch")
        .map(str::to_owned)
        .ok_or_else(|| {
            let what = "the repository has no default branch yet: set `base` in [service.forge]";
            Error::new(ErrorKind::Missing, what.to_owned())
        })
}
