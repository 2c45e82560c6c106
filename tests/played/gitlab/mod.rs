//! GitLab's API v4, played on loopback as far as autofix uses it. It keeps projects with their
//! commits and refuses what the real one refuses; quick actions in texts are carried out, as there.

#![allow(dead_code)] // Each test uses a part of it.

use crate::host::repo::{Files, Repo, hash};
use crate::host::{Call, Host, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard};

pub const TOKEN: &str = "glpat-played";

#[derive(Clone, Debug)]
pub struct Project {
    pub path: String,
    pub id: u64,
    pub level: Option<u64>,
    pub can_push_to_main: bool,
    pub repo: Repo,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub iid: u64,
    pub source: (u64, String),
    pub target: (u64, String),
    pub title: String,
    pub description: String,
    pub labels: Vec<String>,
    pub reviewers: Vec<u64>,
    pub removes_branch: bool,
    pub state: &'static str,
    pub merge_commit: Option<String>,
    pub squash_commit: Option<String>,
    pub pipeline: Option<&'static str>,
    pub notes: Vec<String>,
}

#[derive(Debug, Default)]
pub struct State {
    pub projects: Vec<Project>,
    pub requests: Vec<Request>,
    pub users: Vec<(&'static str, u64)>,
    pub scopes: Vec<&'static str>,
    /// How many reviewers it takes.
    pub reviewers: usize,
}

impl State {
    pub fn project(&mut self, path: &str) -> &mut Project {
        self.projects.iter_mut().find(|p| p.path == path).unwrap()
    }
}

pub struct Gitlab {
    pub host: Host,
    state: Arc<Mutex<State>>,
}

impl Gitlab {
    pub fn serve() -> Gitlab {
        let state = Arc::new(Mutex::new(State {
            scopes: vec!["api"],
            users: vec![("ann", 7), ("bob", 8)],
            reviewers: 1,
            ..State::default()
        }));
        let shared = state.clone();
        let host = Host::serve("/api/v4/", move |call| {
            answer(&mut shared.lock().unwrap(), call)
        });
        Gitlab { host, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn add(&self, path: &str, level: Option<u64>, repo: Repo) {
        let mut state = self.state();
        let id = 100 + state.projects.len() as u64;
        state.projects.push(Project {
            path: path.to_owned(),
            id,
            level,
            can_push_to_main: false,
            repo,
        });
    }
}

fn answer(state: &mut State, call: &Call) -> Reply {
    if call.header("private-token") != Some(TOKEN) {
        return Reply::says(401, "401 Unauthorized");
    }
    let parts: Vec<&str> = call.parts.iter().map(String::as_str).collect();
    let get = call.method == "GET";
    match parts[..] {
        ["personal_access_tokens", "self"] if get => {
            Reply::new(200, json!({"scopes": state.scopes}))
        }
        ["users"] if get => users(state, call),
        ["projects", path, ref rest @ ..] => {
            let named = |p: &Project| p.path == path || p.id.to_string() == path;
            match state.projects.iter().position(named) {
                Some(at) => in_project(state, at, rest, call),
                None => Reply::says(404, "404 Project Not Found"),
            }
        }
        _ => Reply::says(404, "404 Not Found"),
    }
}

fn users(state: &State, call: &Call) -> Reply {
    let name = call.asked("username").unwrap_or_default();
    let found = state.users.iter().filter(|(user, _)| *user == name);
    let found: Vec<Value> = found
        .map(|(n, id)| json!({"username": n, "id": id}))
        .collect();
    Reply::new(200, json!(found))
}

fn in_project(state: &mut State, at: usize, rest: &[&str], call: &Call) -> Reply {
    let get = call.method == "GET";
    let project = &mut state.projects[at];
    match *rest {
        [] if get => {
            let access = project.level.map(|level| json!({"access_level": level}));
            Reply::new(
                200,
                json!({"id": project.id, "path_with_namespace": project.path,
                    "default_branch": "main", "archived": false,
                    "permissions": {"project_access": access, "group_access": null}}),
            )
        }
        ["repository", "branches", name] if get => match project.repo.branches.get(name) {
            Some(tip) => Reply::new(
                200,
                json!({"name": name, "protected": name == "main",
                    "can_push": name != "main" || project.can_push_to_main,
                    "commit": {"id": tip, "parent_ids": []}}),
            ),
            None => Reply::says(404, "404 Branch Not Found"),
        },
        ["repository", "commits", id] if get => match project.repo.commits.get(id) {
            Some(commit) => Reply::new(
                200,
                json!({"id": id, "message": commit.message, "parent_ids": commit.parents}),
            ),
            None => Reply::says(404, "404 Commit Not Found"),
        },
        ["repository", "commits"] => commit(state, at, call),
        ["merge_requests"] if get => listed(state, at, call),
        ["merge_requests"] => open(state, at, call),
        ["merge_requests", iid, ref rest @ ..] => {
            let id = project.id;
            let tips = state.projects.clone();
            let found = state
                .requests
                .iter_mut()
                .find(|r| r.target.0 == id && r.iid.to_string() == iid);
            match (found, rest) {
                (None, _) => Reply::says(404, "404 Not found"),
                (Some(request), []) if get => {
                    let body = shown(request, &tips);
                    let tag = format!("W/\"{}\"", hash(body.to_string().as_bytes()));
                    match call.header("if-none-match") == Some(&tag) {
                        true => Reply::new(304, Value::Null),
                        false => Reply::new(200, body).with("etag", &tag),
                    }
                }
                (Some(request), ["notes"]) if get => notes(request, call),
                (Some(request), ["notes"]) => {
                    let body = call.text("body").to_owned();
                    obey(request, &body);
                    request.notes.push(body);
                    Reply::new(201, json!({"id": request.notes.len()}))
                }
                (Some(_), _) => Reply::says(404, "404 Not Found"),
            }
        }
        _ => Reply::says(404, "404 Not Found"),
    }
}

/// The newest first.
fn notes(request: &Request, call: &Call) -> Reply {
    let page = |name: &str, or: usize| call.asked(name).map_or(or, |n| n.parse().unwrap());
    let (size, page) = (page("per_page", 20).min(100), page("page", 1));
    let notes = request
        .notes
        .iter()
        .rev()
        .skip((page - 1) * size)
        .take(size);
    let notes: Vec<Value> = notes.map(|body| json!({"body": body})).collect();
    Reply::new(200, json!(notes))
}

/// A line that begins with `/` is a command, wherever it stands.
fn obey(request: &mut Request, text: &str) {
    for line in text.replace('\r', "").lines() {
        match line.trim_start_matches([' ', '\t']) {
            command if command.starts_with("/merge") => request.state = "merged",
            command if command.starts_with("/close") => request.state = "closed",
            _ => {}
        }
    }
}

fn shown(request: &Request, projects: &[Project]) -> Value {
    let source = projects.iter().find(|p| p.id == request.source.0);
    let tip = source.and_then(|p| p.repo.branches.get(&request.source.1));
    let reviewers: Vec<Value> = request
        .reviewers
        .iter()
        .map(|id| json!({"id": id}))
        .collect();
    json!({
        "iid": request.iid, "state": request.state, "title": request.title,
        "web_url": format!("http://gitlab.played/-/merge_requests/{}", request.iid),
        "source_project_id": request.source.0, "source_branch": request.source.1,
        "target_project_id": request.target.0, "target_branch": request.target.1,
        "sha": tip, "merge_commit_sha": request.merge_commit,
        "squash_commit_sha": request.squash_commit, "labels": request.labels,
        "reviewers": reviewers,
        "head_pipeline": request.pipeline.map(|status| json!({"status": status})),
    })
}

fn listed(state: &State, at: usize, call: &Call) -> Reply {
    let id = state.projects[at].id;
    let mut found: Vec<&Request> = state
        .requests
        .iter()
        .filter(|r| r.target.0 == id)
        .filter(|r| call.asked("source_branch").is_none_or(|b| r.source.1 == b))
        .filter(|r| call.asked("target_branch").is_none_or(|b| r.target.1 == b))
        .filter(|r| {
            matches!(call.asked("state"), None | Some("all"))
                || call.asked("state") == Some(r.state)
        })
        .collect();
    found.reverse();
    let found: Vec<Value> = found.iter().map(|r| shown(r, &state.projects)).collect();
    Reply::new(200, json!(found))
}

fn open(state: &mut State, at: usize, call: &Call) -> Reply {
    let source = &state.projects[at];
    let target = call.body["target_project_id"].as_u64().unwrap_or(source.id);
    let (branch, base) = (call.text("source_branch"), call.text("target_branch"));
    if call.text("title").is_empty() || branch.is_empty() || base.is_empty() {
        return Reply::new(
            400,
            json!({"error": "title, source_branch, target_branch are missing"}),
        );
    }
    if source.level.is_none_or(|level| level < 30) {
        return Reply::says(403, "403 Forbidden");
    }
    if !source.repo.branches.contains_key(branch) {
        return Reply::new(422, json!({"message": ["Source branch does not exist"]}));
    }
    let from = (source.id, branch.to_owned());
    let into = (target, base.to_owned());
    let twin = |r: &&Request| r.source == from && r.target == into && r.state == "opened";
    if let Some(twin) = state.requests.iter().find(twin) {
        let what = format!(
            "Another open merge request already exists for this source branch: !{}",
            twin.iid
        );
        return Reply::new(409, json!({"message": [what]}));
    }
    let ids = call.body["reviewer_ids"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let known = |id: &u64| state.users.iter().any(|(_, user)| user == id);
    let labels = call.text("labels").split(',').map(str::trim);
    let mut request = Request {
        iid: state.requests.len() as u64 + 1,
        source: from,
        target: into,
        title: call.text("title").to_owned(),
        description: call.text("description").to_owned(),
        labels: labels
            .filter(|l| !l.is_empty())
            .map(str::to_owned)
            .collect(),
        reviewers: ids
            .iter()
            .filter_map(Value::as_u64)
            .filter(known)
            .take(state.reviewers)
            .collect(),
        removes_branch: call.body["remove_source_branch"] == true,
        state: "opened",
        merge_commit: None,
        squash_commit: None,
        pipeline: None,
        notes: Vec::new(),
    };
    obey(&mut request, call.text("description"));
    let body = shown(&request, &state.projects);
    state.requests.push(request);
    Reply::new(201, body)
}

fn commit(state: &mut State, at: usize, call: &Call) -> Reply {
    let start = match call.body.get("start_project") {
        Some(path) => state.projects.iter().find(|p| path == &p.path),
        None => state.projects.get(at),
    };
    let start = start.and_then(|p| p.repo.commits.get_key_value(call.text("start_sha")));
    let Some((parent, commit)) = start.map(|(id, commit)| (id.clone(), commit.clone())) else {
        return Reply::says(400, "Cannot find start_sha");
    };
    let project = &mut state.projects[at];
    if project.level.is_none_or(|level| level < 30) {
        return Reply::says(403, "403 Forbidden");
    }
    let branch = call.text("branch");
    if call.body.get("force").is_some() {
        return Reply::says(400, "this test allows no force");
    }
    if project.repo.branches.contains_key(branch) {
        let what = format!(
            "A branch called '{branch}' already exists. Switch to that branch in order to make changes"
        );
        return Reply::says(400, &what);
    }
    let mut files = commit.files.clone();
    for action in call.body["actions"].as_array().into_iter().flatten() {
        if let Err(what) = act(&mut files, action) {
            return Reply::says(400, what);
        }
    }
    project.repo.commits.insert(parent.clone(), commit);
    let id = project
        .repo
        .add(call.text("commit_message"), &[&parent], files);
    project.repo.branches.insert(branch.to_owned(), id.clone());
    Reply::new(201, json!({"id": id, "parent_ids": [parent]}))
}

fn act(files: &mut Files, action: &Value) -> Result<(), &'static str> {
    let path = action["file_path"].as_str().ok_or("file_path is missing")?;
    let content = || {
        let text = action["content"]
            .as_str()
            .filter(|_| action["encoding"] == "base64");
        text.and_then(|text| STANDARD.decode(text).ok())
            .ok_or("content is not base64")
    };
    let there = files.contains_key(path);
    match action["action"].as_str() {
        Some("create") if there => return Err("A file with this name already exists"),
        Some("create") => drop(files.insert(path.to_owned(), (content()?, false))),
        _ if !there => return Err("A file with this name doesn't exist"),
        Some("update") => files.get_mut(path).unwrap().0 = content()?,
        Some("delete") => drop(files.remove(path)),
        Some("chmod") => {
            let mode = action["execute_filemode"].as_bool();
            files.get_mut(path).unwrap().1 = mode.ok_or("execute_filemode is missing")?;
        }
        _ => return Err("action does not have a valid value"),
    }
    Ok(())
}
