//! Gitea's API v1, played on loopback as far as autofix uses it. It keeps repositories with their
//! commits and refuses what the real one refuses.

#![allow(dead_code)] // Each test uses a part of it.

use crate::host::repo::{Files, Repo, hash};
use crate::host::{Call, Host, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard};

pub const TOKEN: &str = "gitea-played";

#[derive(Clone, Debug)]
pub struct Repository {
    pub name: String,
    pub id: u64,
    pub push: bool,
    pub can_push_to_main: bool,
    pub repo: Repo,
    pub labels: Vec<(&'static str, u64)>,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub number: u64,
    pub head: (String, String),
    pub base: (String, String),
    pub title: String,
    pub body: String,
    pub labels: Vec<u64>,
    pub reviewers: Vec<String>,
    pub teams: Vec<String>,
    pub state: &'static str,
    pub merge_commit: Option<String>,
    pub comments: Vec<String>,
}

#[derive(Debug, Default)]
pub struct State {
    pub repos: Vec<Repository>,
    pub requests: Vec<Request>,
    pub users: Vec<&'static str>,
    pub org_labels: Vec<(&'static str, u64)>,
    /// The status of every commit.
    pub status: Option<&'static str>,
}

impl State {
    pub fn repo(&mut self, name: &str) -> &mut Repository {
        self.repos.iter_mut().find(|r| r.name == name).unwrap()
    }
}

pub struct Gitea {
    pub host: Host,
    state: Arc<Mutex<State>>,
}

impl Gitea {
    pub fn serve() -> Gitea {
        let state = Arc::new(Mutex::new(State {
            users: vec!["ann", "bob"],
            org_labels: vec![("org-wide", 91)],
            ..State::default()
        }));
        let shared = state.clone();
        let host = Host::serve("/api/v1/", move |call| {
            answer(&mut shared.lock().unwrap(), call)
        });
        Gitea { host, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn add(&self, name: &str, push: bool, repo: Repo) {
        let mut state = self.state();
        let id = 100 + state.repos.len() as u64;
        state.repos.push(Repository {
            name: name.to_owned(),
            id,
            push,
            can_push_to_main: false,
            repo,
            labels: vec![("bug", 11), ("autofix", 12)],
        });
    }
}

fn answer(state: &mut State, call: &Call) -> Reply {
    let token = format!("token {TOKEN}");
    if call.header("authorization") != Some(token.as_str()) {
        return Reply::says(401, "invalid username, password or token");
    }
    let parts: Vec<&str> = call.parts.iter().map(String::as_str).collect();
    match parts[..] {
        ["orgs", "shop", "labels"] => labels(&state.org_labels, call),
        ["repos", owner, name, ref rest @ ..] => {
            let name = format!("{owner}/{name}");
            match state.repos.iter().position(|r| r.name == name) {
                Some(at) => in_repo(state, at, rest, call),
                None => Reply::says(404, "The target couldn't be found."),
            }
        }
        _ => Reply::says(404, "Not Found"),
    }
}

/// One a page, so that nobody may think the first page is all.
fn labels(labels: &[(&str, u64)], call: &Call) -> Reply {
    let page: usize = call.asked("page").map_or(1, |n| n.parse().unwrap());
    let labels = labels.iter().skip(page - 1).take(1);
    let labels: Vec<Value> = labels.map(|(n, id)| json!({"name": n, "id": id})).collect();
    Reply::new(200, json!(labels))
}

fn in_repo(state: &mut State, at: usize, rest: &[&str], call: &Call) -> Reply {
    let get = call.method == "GET";
    let none = || Reply::says(404, "The target couldn't be found.");
    let here = &state.repos[at];
    match *rest {
        [] if get => Reply::new(
            200,
            json!({"id": here.id, "full_name": here.name, "default_branch": "main",
                "archived": false, "has_pull_requests": true,
                "permissions": {"admin": false, "push": here.push, "pull": true}}),
        ),
        ["labels"] if get => labels(&here.labels, call),
        ["branches", ref name @ ..] if get => {
            let name = name.join("/");
            match here.repo.branches.get(&name) {
                Some(tip) => Reply::new(
                    200,
                    json!({"name": name, "commit": {"id": tip}, "protected": name == "main",
                        "user_can_push": name != "main" || here.can_push_to_main}),
                ),
                None => none(),
            }
        }
        ["git", "commits", id] if get => match here.repo.commits.get(id) {
            Some(commit) => {
                let parents: Vec<Value> =
                    commit.parents.iter().map(|p| json!({"sha": p})).collect();
                // The host ends each message with a line's end.
                let message = format!("{}\n", commit.message.trim_end());
                Reply::new(
                    200,
                    json!({"sha": id, "commit": {"message": message}, "parents": parents}),
                )
            }
            None => none(),
        },
        ["contents", ref path @ ..] if get => {
            let commit = call.asked("ref").and_then(|id| here.repo.commits.get(id));
            match commit.and_then(|c| c.files.get(&path.join("/"))) {
                Some((content, _)) => Reply::new(
                    200,
                    json!({"sha": hash(content), "content": STANDARD.encode(content)}),
                ),
                None => none(),
            }
        }
        ["contents"] => commit(&mut state.repos[at], call),
        ["commits", id, "status"] if get => match here.repo.commits.contains_key(id) {
            true => Reply::new(
                200,
                json!({"state": state.status.unwrap_or(""), "total_count": u8::from(state.status.is_some())}),
            ),
            false => none(),
        },
        ["pulls"] if get => pulls(state, at, call),
        ["pulls"] => open(state, at, call),
        ["pulls", base, ref head @ ..] if get && !head.is_empty() => {
            let (owner, branch) = head_of(&here.name, &head.join("/"));
            // Any of those with these branches, whatever its state.
            let found = state.requests.iter().find(|r| {
                r.base == (here.name.clone(), base.to_owned())
                    && r.head.0.starts_with(&format!("{owner}/"))
                    && r.head.1 == branch
            });
            found.map_or_else(none, |r| Reply::new(200, shown(r, &state.repos)))
        }
        ["pulls" | "issues", number, ref rest @ ..] => {
            let (name, repos, users) =
                (here.name.clone(), state.repos.clone(), state.users.clone());
            let found = state
                .requests
                .iter_mut()
                .find(|r| r.base.0 == name && r.number.to_string() == number);
            match (found, rest) {
                (Some(request), []) if get => Reply::new(200, shown(request, &repos)),
                (Some(request), ["comments"]) if get => {
                    let comments = request.comments.iter().map(|body| json!({"body": body}));
                    Reply::new(200, json!(comments.collect::<Vec<_>>()))
                }
                (Some(request), ["comments"]) => {
                    request.comments.push(call.text("body").to_owned());
                    Reply::new(201, json!({"id": 1}))
                }
                (Some(request), ["requested_reviewers"]) => reviewers(request, &users, call),
                _ => none(),
            }
        }
        _ => none(),
    }
}

fn reviewers(request: &mut Request, users: &[&str], call: &Call) -> Reply {
    let names = |key: &str| -> Vec<String> {
        let list = call.body[key].as_array().cloned().unwrap_or_default();
        list.iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    for name in names("reviewers") {
        if !users.contains(&name.as_str()) {
            return Reply::says(404, &format!("user redirect does not exist [name: {name}]"));
        }
        if !request.reviewers.contains(&name) {
            request.reviewers.push(name);
        }
    }
    for name in names("team_reviewers") {
        if name != "core" {
            return Reply::says(404, "team does not exist");
        }
        request.teams.push(name);
    }
    Reply::new(201, json!([]))
}

/// The owner and the branch of a head.
fn head_of(repository: &str, head: &str) -> (String, String) {
    match head.split_once(':') {
        Some((owner, branch)) => (owner.to_owned(), branch.to_owned()),
        None => {
            let owner = repository.split('/').next().unwrap();
            (owner.to_owned(), head.to_owned())
        }
    }
}

fn shown(request: &Request, repos: &[Repository]) -> Value {
    let of = |name: &str| repos.iter().find(|r| r.name == name);
    let head = of(&request.head.0);
    let tip = head.and_then(|r| r.repo.branches.get(&request.head.1));
    // Of a branch that is gone only the label tells.
    let branch = match tip {
        Some(_) => request.head.1.clone(),
        None => format!("refs/pull/{}/head", request.number),
    };
    json!({
        "number": request.number, "title": request.title,
        "state": if request.state == "open" { "open" } else { "closed" },
        "merged": request.state == "merged", "merge_commit_sha": request.merge_commit,
        "html_url": format!("http://gitea.played/pulls/{}", request.number),
        "head": {"label": request.head.1, "ref": branch, "sha": tip,
            "repo_id": head.map(|r| r.id), "repo": head.map(|r| json!({"full_name": r.name}))},
        "base": {"ref": request.base.1, "repo_id": of(&request.base.0).map(|r| r.id)},
    })
}

/// Two a page, the newest first.
fn pulls(state: &State, at: usize, call: &Call) -> Reply {
    let page: usize = call.asked("page").map_or(1, |n| n.parse().unwrap());
    let name = &state.repos[at].name;
    let all = call.asked("state") == Some("all");
    let found = state.requests.iter().rev();
    let found = found.filter(|r| r.base.0 == *name && (all || r.state == "open"));
    let found = found.skip((page - 1) * 2).take(2);
    let found: Vec<Value> = found.map(|r| shown(r, &state.repos)).collect();
    Reply::new(200, json!(found))
}

fn open(state: &mut State, at: usize, call: &Call) -> Reply {
    let here = &state.repos[at];
    let (owner, branch) = head_of(&here.name, call.text("head"));
    let source = state
        .repos
        .iter()
        .find(|r| r.name.starts_with(&format!("{owner}/")));
    let Some(source) = source.filter(|r| r.repo.branches.contains_key(&branch)) else {
        return Reply::says(404, "The target couldn't be found.");
    };
    let base = (here.name.clone(), call.text("base").to_owned());
    if !here.repo.branches.contains_key(&base.1) || call.text("title").is_empty() {
        return Reply::says(422, "invalid base or title");
    }
    let head = (source.name.clone(), branch);
    if state
        .requests
        .iter()
        .any(|r| r.state == "open" && r.head == head && r.base == base)
    {
        return Reply::says(409, "pull request already exists for these targets");
    }
    let labels = call.body["labels"].as_array().cloned().unwrap_or_default();
    if !labels.iter().all(Value::is_u64) {
        return Reply::says(
            422,
            "json: cannot unmarshal string into Go struct field .labels of type int64",
        );
    }
    let request = Request {
        number: state.requests.len() as u64 + 1,
        head,
        base,
        title: call.text("title").to_owned(),
        body: call.text("body").to_owned(),
        labels: labels.iter().filter_map(Value::as_u64).collect(),
        reviewers: Vec::new(),
        teams: Vec::new(),
        state: "open",
        merge_commit: None,
        comments: Vec::new(),
    };
    let body = shown(&request, &state.repos);
    state.requests.push(request);
    Reply::new(201, body)
}

fn commit(here: &mut Repository, call: &Call) -> Reply {
    if !here.push {
        return Reply::says(
            403,
            "user should have permission to write to the repository",
        );
    }
    let (base, branch) = (call.text("branch"), call.text("new_branch"));
    let Some(parent) = here.repo.branches.get(base).cloned() else {
        return Reply::says(404, "branch does not exist");
    };
    if here.repo.branches.contains_key(branch) || branch.is_empty() {
        return Reply::says(422, &format!("branch already exists [name: {branch}]"));
    }
    let mut files = here.repo.commits[&parent].files.clone();
    for file in call.body["files"].as_array().into_iter().flatten() {
        if let Err((status, what)) = act(&mut files, file) {
            return Reply::says(status, what);
        }
    }
    let id = here.repo.add(call.text("message"), &[&parent], files);
    here.repo.branches.insert(branch.to_owned(), id.clone());
    Reply::new(201, json!({"files": [], "commit": {"sha": id}}))
}

fn act(files: &mut Files, file: &Value) -> Result<(), (u16, &'static str)> {
    let path = file["path"].as_str().ok_or((422, "path is missing"))?;
    let content = || {
        let text = file["content"]
            .as_str()
            .and_then(|text| STANDARD.decode(text).ok());
        text.ok_or((422, "content is not base64"))
    };
    let there = files.get(path).map(|(content, _)| hash(content));
    match (file["operation"].as_str(), there) {
        (Some("create"), Some(_)) => return Err((422, "repository file already exists")),
        (Some("create"), None) => drop(files.insert(path.to_owned(), (content()?, false))),
        (_, None) => return Err((404, "repository file does not exist")),
        (Some("update" | "delete"), Some(sha)) if file["sha"] != sha => {
            return Err((422, "sha does not match"));
        }
        (Some("update"), Some(_)) => files.get_mut(path).unwrap().0 = content()?,
        (Some("delete"), Some(_)) => drop(files.remove(path)),
        _ => return Err((422, "no such operation")),
    }
    Ok(())
}
