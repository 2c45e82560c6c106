//! What each path answers, and whom it refuses.

use super::app::now;
use super::objects::Objects;
use super::wire::{Answer, Heard, decoded};
use super::{Access, Pull, Repo, State};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Comments a page, at most.
const PAGE: usize = 100;

fn refuse(status: u16, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({"message": message, "documentation_url": "https://docs"}),
    )
}

fn unprocessable(errors: Value) -> Answer {
    let body = json!({"message": "Validation Failed", "errors": errors});
    Answer::json(422, &body)
}

pub(super) fn answer(state: &mut State, heard: &Heard) -> Answer {
    let mut answer = checked(state, heard).unwrap_or_else(|refusal| refusal);
    let token = heard.header("authorization").unwrap_or_default();
    if state.knobs.repeats_token && answer.status >= 400 {
        let message = format!("You sent {token}, which is wrong");
        answer.body = json!({"message": message}).to_string();
    }
    if heard.method == "GET" && answer.status == 200 {
        let mut hasher = DefaultHasher::new();
        answer.body.hash(&mut hasher);
        let etag = format!("W/\"{:016x}\"", hasher.finish());
        if heard.header("if-none-match") == Some(&etag) {
            return Answer {
                status: 304,
                headers: vec![("ETag", etag)],
                body: String::new(),
            };
        }
        answer.headers.push(("ETag", etag));
    }
    answer
}

fn checked(state: &mut State, heard: &Heard) -> Result<Answer, Answer> {
    if heard.header("user-agent").is_none_or(str::is_empty) {
        return Err(refuse(403, "Request forbidden by administrative rules."));
    }
    if let Some(to) = &state.knobs.redirect {
        return Err(refuse(301, "Moved Permanently").with("Location", to));
    }
    if heard.header("accept") != Some("application/vnd.github+json")
        || heard.header("x-github-api-version") != Some("2022-11-28")
    {
        return Err(refuse(400, "Unsupported version"));
    }
    limits(state, heard)?;
    let token = heard
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "));
    let token = token.ok_or_else(|| refuse(401, "Requires authentication"))?;
    let (path, question) = heard.path.split_once('?').unwrap_or((&heard.path, ""));
    let parts: Vec<String> = path.split('/').map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let body = match heard.method.as_str() {
        "GET" => Value::Null,
        _ => heard
            .json()
            .ok_or_else(|| refuse(400, "Problems parsing JSON"))?,
    };
    if let Some(answer) = of_app(state, heard, &parts, &body, token) {
        return answer;
    }
    let access = state.tokens.get(token).cloned();
    let access = access.filter(|access| access.until.is_none_or(|until| until > now()));
    let access = access.ok_or_else(|| refuse(401, "Bad credentials"))?;
    let ["repos", owner, name, rest @ ..] = &parts[..] else {
        return Err(refuse(404, "Not Found"));
    };
    let full = format!("{owner}/{name}");
    let seen = access
        .sees
        .as_ref()
        .is_none_or(|sees| sees.iter().any(|n| n == name));
    if !seen || !state.repos.contains_key(&full) {
        return Err(refuse(404, "Not Found"));
    }
    let pushes = access
        .pushes
        .as_ref()
        .is_none_or(|pushes| pushes.contains(&full));
    let mut call = Call {
        state,
        full,
        pushes,
        access,
        body,
        question: question.to_owned(),
    };
    let answer = call.route(&heard.method, rest)?;
    Ok(match &call.access.scopes {
        Some(scopes) => answer.with("X-OAuth-Scopes", scopes),
        None => answer,
    })
}

fn limits(state: &mut State, heard: &Heard) -> Result<(), Answer> {
    if let Some(left) = state.knobs.primary {
        let answer = refuse(403, "API rate limit exceeded for user ID 1.")
            .with("X-RateLimit-Remaining", 0)
            .with("X-RateLimit-Reset", now() + left);
        return Err(answer);
    }
    if state.knobs.secondary_in_words {
        return Err(refuse(403, "You have exceeded a secondary rate limit."));
    }
    if let Some((left, wait)) = state.knobs.secondary
        && heard.method != "GET"
    {
        state.knobs.secondary = (left > 1).then(|| (left - 1, wait));
        let answer =
            refuse(403, "You have exceeded a secondary rate limit.").with("Retry-After", wait);
        return Err(answer);
    }
    Ok(())
}

/// What is asked with an App's signature; `None`: something else.
fn of_app(
    state: &mut State,
    heard: &Heard,
    parts: &[&str],
    body: &Value,
    token: &str,
) -> Option<Result<Answer, Answer>> {
    let app = state.app.clone();
    let (mint, number) = match (heard.method.as_str(), parts) {
        ("GET", ["app", "installations", number]) => (false, Some(*number)),
        ("GET", ["repos", _, _, "installation"]) => (false, None),
        ("POST", ["app", "installations", number, "access_tokens"]) => (true, Some(*number)),
        _ => return None,
    };
    let Some(app) = app else {
        return Some(Err(refuse(404, "Integration not found")));
    };
    if let Some(wrong) = app.wrong(token) {
        return Some(Err(refuse(401, &wrong)));
    }
    if number.is_some_and(|number| number != app.installation.to_string()) {
        return Some(Err(refuse(404, "Not Found")));
    }
    if !mint {
        let shown = json!({"id": app.installation, "permissions": app.permissions});
        return Some(Ok(Answer::json(200, &shown)));
    }
    let rank = |level: &Value| match level.as_str() {
        Some("write") => 2,
        Some("read") => 1,
        _ => 0,
    };
    let asked = body["permissions"].as_object().cloned().unwrap_or_default();
    if asked
        .iter()
        .any(|(name, level)| rank(level) > rank(&app.permissions[name]))
    {
        let words = "The permissions requested are not granted to this installation.";
        return Some(Err(refuse(422, words)));
    }
    let Some(names) = body["repositories"].as_array() else {
        return Some(Err(refuse(422, "repositories are asked for by name here")));
    };
    state.minted += 1;
    let token = format!("ghs_minted{:04}", state.minted);
    let until = now() + app.lifetime;
    let names = names.iter().filter_map(Value::as_str).map(str::to_owned);
    let access = Access {
        pushes: None,
        scopes: None,
        until: Some(until),
        sees: Some(names.collect()),
    };
    state.tokens.insert(token.clone(), access);
    let until = time::OffsetDateTime::from_unix_timestamp(until).unwrap();
    let until = until.format(&time::format_description::well_known::Rfc3339);
    let body = json!({"token": token, "expires_at": until.unwrap(), "permissions": asked});
    Some(Ok(Answer::json(201, &body)))
}

struct Call<'a> {
    state: &'a mut State,
    full: String,
    pushes: bool,
    access: Access,
    body: Value,
    question: String,
}

impl Call<'_> {
    fn repo(&mut self) -> &mut Repo {
        self.state.repos.get_mut(&self.full).unwrap()
    }

    fn objects<T>(&mut self, act: impl FnOnce(&Objects) -> T) -> T {
        let objects = Arc::clone(&self.repo().objects);
        let objects = objects.lock().unwrap();
        act(&objects)
    }

    fn asked(&self, name: &str) -> Option<String> {
        let parts = self.question.split('&');
        let mut pairs = parts.filter_map(|part| part.split_once('='));
        pairs.find(|(n, _)| *n == name).map(|(_, v)| decoded(v))
    }

    fn route(&mut self, method: &str, rest: &[&str]) -> Result<Answer, Answer> {
        if method != "GET" && rest.first() == Some(&"git") {
            if !self.pushes {
                return Err(refuse(
                    403,
                    "Resource not accessible by personal access token",
                ));
            }
            if self.objects(Objects::is_empty) && self.repo().fork_of.is_none() {
                return Err(refuse(409, "Git Repository is empty."));
            }
        }
        match (method, rest) {
            ("GET", []) => Ok(self.shown()),
            ("GET", ["git", "ref", name]) => self.git_ref(name),
            ("GET", ["git", "commits", id]) => {
                let found = self.objects(|objects| objects.shown(id));
                let found = found.ok_or_else(|| refuse(404, "Not Found"))?;
                Ok(Answer::json(200, &found))
            }
            ("POST", ["git", "blobs"]) => self.blob(),
            ("POST", ["git", "trees"]) => self.tree(),
            ("POST", ["git", "commits"]) => self.commit(),
            ("POST", ["git", "refs"]) => self.make_ref(),
            ("GET", ["branches", name]) => self.branch(name),
            ("GET", ["commits", id, "check-runs"]) => self.checks(id),
            ("GET", ["commits", id, "status"]) => Ok(self.combined(id)),
            ("GET", ["pulls"]) => Ok(self.pulls()),
            ("POST", ["pulls"]) => self.open(),
            ("GET", ["pulls", number]) => {
                let pull = self.pull(number)?.clone();
                Ok(Answer::json(200, &self.show(&pull)))
            }
            ("GET", ["issues", number, "comments"]) => self.comments(number),
            ("POST", ["issues", number, "comments"]) => {
                let text = self.body["body"].as_str().map(str::to_owned);
                let text = text.ok_or_else(|| unprocessable(json!(["body is missing"])))?;
                let pull = self.pull(number)?;
                pull.comments.push(text.clone());
                pull.changes += 1;
                Ok(Answer::json(201, &json!({"id": 1, "body": text})))
            }
            ("POST", ["issues", number, "labels"]) => self.label(number),
            ("POST", ["pulls", number, "requested_reviewers"]) => self.reviewers(number),
            _ => Err(refuse(404, "Not Found")),
        }
    }

    fn shown(&mut self) -> Answer {
        let (full, pushes) = (self.full.clone(), self.pushes);
        let repo = self.repo();
        let mut body = json!({
            "full_name": full,
            "private": repo.private,
            "archived": repo.archived,
            "default_branch": "main",
            "fork": repo.fork_of.is_some(),
            "permissions": {"pull": true, "push": pushes, "admin": false},
        });
        if let Some(parent) = &repo.fork_of {
            body["parent"] = json!({"full_name": parent});
            body["source"] = json!({"full_name": parent});
        }
        Answer::json(200, &body)
    }

    fn git_ref(&mut self, name: &str) -> Result<Answer, Answer> {
        if self.objects(Objects::is_empty) && self.repo().fork_of.is_none() {
            return Err(refuse(409, "Git Repository is empty."));
        }
        let branch = name.strip_prefix("heads/");
        let branch = branch.ok_or_else(|| refuse(404, "Not Found"))?;
        let full = self.repo().name(branch);
        let tip = self.objects(|objects| objects.tip(&full));
        let tip = tip.ok_or_else(|| refuse(404, "Not Found"))?;
        let object = json!({"sha": tip, "type": "commit"});
        let body = json!({"ref": format!("refs/heads/{branch}"), "object": object});
        Ok(Answer::json(200, &body))
    }

    fn blob(&mut self) -> Result<Answer, Answer> {
        let content = self.body["content"].as_str();
        let content = content.ok_or_else(|| unprocessable(json!(["content is missing"])))?;
        let bytes = match self.body["encoding"].as_str() {
            Some("base64") => STANDARD
                .decode(content)
                .map_err(|_| refuse(422, "content is not valid Base64"))?,
            _ => content.as_bytes().to_vec(),
        };
        let id = self.objects(|objects| objects.blob(&bytes));
        Ok(Answer::json(201, &json!({"sha": id})))
    }

    fn tree(&mut self) -> Result<Answer, Answer> {
        let base = self.body["base_tree"].as_str().map(str::to_owned);
        let entries = self.body["tree"].as_array().cloned().unwrap_or_default();
        let workflow = |entry: &Value| {
            let path = entry["path"].as_str().unwrap_or_default();
            path.starts_with(".github/workflows/")
        };
        if entries.iter().any(workflow) {
            return Err(refuse(404, "Not Found"));
        }
        let id = self.objects(|objects| objects.tree(base.as_deref(), &entries));
        let id = id.ok_or_else(|| refuse(422, "tree.sha is not a valid blob"))?;
        Ok(Answer::json(201, &json!({"sha": id})))
    }

    fn commit(&mut self) -> Result<Answer, Answer> {
        let text = |name: &str| self.body[name].as_str().unwrap_or_default().to_owned();
        let (message, tree) = (text("message"), text("tree"));
        let parents = self.body["parents"].as_array().cloned().unwrap_or_default();
        let parents: Vec<String> = parents
            .iter()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect();
        let made = self.objects(|objects| objects.commit(&message, &tree, &parents, "bot"));
        let made = made.ok_or_else(|| refuse(422, "Tree SHA does not exist"))?;
        Ok(Answer::json(201, &json!({"sha": made})))
    }

    fn make_ref(&mut self) -> Result<Answer, Answer> {
        let name = self.body["ref"].as_str().unwrap_or_default().to_owned();
        let id = self.body["sha"].as_str().unwrap_or_default().to_owned();
        let branch = name.strip_prefix("refs/heads/");
        let branch = branch.ok_or_else(|| refuse(422, "Reference name must start with refs/"))?;
        let full = self.repo().name(branch);
        if !self.objects(|objects| objects.is_commit(&id)) {
            return Err(refuse(422, "Object does not exist"));
        }
        if let Some(message) = self.state.knobs.overtaken.take() {
            self.objects(|objects| {
                let tree = objects.tree_of(&id);
                let shown = objects.shown(&id).unwrap();
                let parent = shown["parents"][0]["sha"].as_str().unwrap().to_owned();
                let other = objects.commit(&message, &tree, &[parent], "other").unwrap();
                objects.make_ref(&full, &other);
            });
        }
        if !self.objects(|objects| objects.make_ref(&full, &id)) {
            return Err(refuse(422, "Reference already exists"));
        }
        Ok(Answer::json(
            201,
            &json!({"ref": name, "object": {"sha": id}}),
        ))
    }

    fn branch(&mut self, name: &str) -> Result<Answer, Answer> {
        let full = self.repo().name(name);
        let tip = self.objects(|objects| objects.tip(&full));
        let tip = tip.ok_or_else(|| refuse(404, "Branch not found"))?;
        let protected = self.repo().protected.contains(name);
        let body = json!({"name": name, "commit": {"sha": tip}, "protected": protected});
        Ok(Answer::json(200, &body))
    }

    fn checks(&mut self, id: &str) -> Result<Answer, Answer> {
        if self.state.knobs.hidden_checks {
            return Err(refuse(
                403,
                "Resource not accessible by personal access token",
            ));
        }
        let runs = self.repo().checks.get(id).cloned().unwrap_or_default();
        let runs: Vec<Value> = runs
            .iter()
            .map(|(name, status, end)| json!({"name": name, "status": status, "conclusion": end}))
            .collect();
        let body = json!({"total_count": runs.len(), "check_runs": runs});
        Ok(Answer::json(200, &body))
    }

    fn combined(&mut self, id: &str) -> Answer {
        let state = self.repo().statuses.get(id).cloned();
        let count = usize::from(state.is_some());
        let state = state.unwrap_or_else(|| "pending".to_owned());
        Answer::json(
            200,
            &json!({"state": state, "total_count": count, "statuses": []}),
        )
    }

    /// The request, with its newest commit as its branch now has it.
    fn pull(&mut self, number: &str) -> Result<&mut Pull, Answer> {
        let number: u64 = number.parse().map_err(|_| refuse(404, "Not Found"))?;
        self.refresh();
        let found = self.repo().pulls.iter_mut().find(|p| p.number == number);
        found.ok_or_else(|| refuse(404, "Not Found"))
    }

    fn refresh(&mut self) {
        let refs: Vec<(String, String)> = self
            .state
            .repos
            .iter()
            .map(|(name, repo)| (name.clone(), repo.refs.clone()))
            .collect();
        let mut pulls = self.repo().pulls.clone();
        for pull in pulls.iter_mut().filter(|pull| pull.state == "open") {
            let refs = refs.iter().find(|(name, _)| *name == pull.head_repo);
            let name = format!("{}{}", refs.unwrap().1, pull.branch);
            match self.objects(|objects| objects.tip(&name)) {
                Some(tip) if tip != pull.tip => {
                    pull.tip = tip;
                    pull.changes += 1;
                }
                Some(_) => {}
                // Who deletes the branch closes the request.
                None => {
                    pull.state = "closed".to_owned();
                    pull.changes += 1;
                }
            }
        }
        self.repo().pulls = pulls;
    }

    fn show(&self, pull: &Pull) -> Value {
        let (owner, _) = pull.head_repo.split_once('/').unwrap();
        json!({
            "number": pull.number,
            "html_url": format!("https://github.test/{}/pull/{}", self.full, pull.number),
            "state": pull.state,
            "draft": pull.draft,
            "title": pull.title,
            "body": pull.body,
            "merged": pull.merged.is_some(),
            "merged_at": pull.merged.as_ref().map(|_| "2026-01-01T00:00:00Z"),
            "merge_commit_sha": pull.merged.as_ref().unwrap_or(&pull.tip),
            "comments": pull.comments.len(),
            "changes": pull.changes,
            "head": {
                "ref": pull.branch,
                "sha": pull.tip,
                "label": format!("{owner}:{}", pull.branch),
                "repo": {"full_name": pull.head_repo},
            },
            "base": {"ref": pull.base},
        })
    }

    fn pulls(&mut self) -> Answer {
        self.refresh();
        let state = self.asked("state").unwrap_or_else(|| "open".to_owned());
        // A head without an owner is ignored.
        let head = self.asked("head").filter(|head| head.contains(':'));
        let base = self.asked("base");
        let list = self.repo().pulls.clone();
        let mut list: Vec<&Pull> = list
            .iter()
            .filter(|pull| {
                let (owner, _) = pull.head_repo.split_once('/').unwrap();
                let ours = format!("{owner}:{}", pull.branch);
                (state == "all" || pull.state == state)
                    && head.as_ref().is_none_or(|head| *head == ours)
                    && base.as_ref().is_none_or(|base| *base == pull.base)
            })
            .collect();
        list.reverse();
        let list: Vec<Value> = list.into_iter().map(|pull| self.show(pull)).collect();
        Answer::json(200, &json!(list))
    }

    fn open(&mut self) -> Result<Answer, Answer> {
        let text = |name: &str| self.body[name].as_str().unwrap_or_default().to_owned();
        let (head, base, title, body) = (text("head"), text("base"), text("title"), text("body"));
        let draft = self.body["draft"] == true;
        let invalid = |field: &str| {
            unprocessable(json!([{"resource": "PullRequest", "field": field, "code": "invalid"}]))
        };
        let (owner, branch) = head.split_once(':').ok_or_else(|| invalid("head"))?;
        if title.is_empty() || body.chars().count() > 65_536 {
            return Err(unprocessable(json!([{"message": "body is too long"}])));
        }
        let (_, own_name) = self.full.split_once('/').unwrap();
        let named = self.body["head_repo"].as_str().unwrap_or(own_name);
        let head_repo = format!("{owner}/{named}");
        let full = self.full.clone();
        let Some(refs) = self
            .state
            .repos
            .get(&head_repo)
            .filter(|repo| head_repo == full || repo.fork_of.as_deref() == Some(&full))
            .map(|repo| repo.refs.clone())
        else {
            return Err(invalid("head"));
        };
        self.refresh();
        let to = self.repo().name(&base);
        let from = format!("{refs}{branch}");
        let (to, from) = self.objects(|objects| (objects.tip(&to), objects.tip(&from)));
        let (to, tip) = (
            to.ok_or_else(|| invalid("base"))?,
            from.ok_or_else(|| invalid("head"))?,
        );
        let mut known = self.repo().pulls.iter();
        if known.any(|p| p.state == "open" && p.head_repo == head_repo && p.branch == branch) {
            let words = format!("A pull request already exists for {head}.");
            return Err(unprocessable(
                json!([{"resource": "PullRequest", "code": "custom",
                "message": words}]),
            ));
        }
        if self.objects(|objects| objects.holds(&to, &tip)) {
            let words = format!("No commits between {base} and {head}");
            return Err(unprocessable(
                json!([{"resource": "PullRequest", "code": "custom",
                "message": words}]),
            ));
        }
        if draft && self.state.knobs.no_drafts {
            let words = "Draft pull requests are not supported in this repository.";
            return Err(Answer::json(422, &json!({"message": words})));
        }
        let number = self.repo().pulls.last().map_or(1, |pull| pull.number + 1);
        let pull = Pull {
            number,
            head_repo,
            branch: branch.to_owned(),
            base,
            title,
            body,
            draft,
            state: "open".to_owned(),
            merged: None,
            tip,
            labels: Vec::new(),
            reviewers: Vec::new(),
            teams: Vec::new(),
            comments: Vec::new(),
            changes: 0,
        };
        let shown = self.show(&pull);
        self.repo().pulls.push(pull);
        Ok(Answer::json(201, &shown))
    }

    fn comments(&mut self, number: &str) -> Result<Answer, Answer> {
        let number_of = |text: Option<String>| text.and_then(|text| text.parse::<usize>().ok());
        let most = self.state.knobs.page.unwrap_or(PAGE);
        let size = number_of(self.asked("per_page")).unwrap_or(30).min(most);
        let page = number_of(self.asked("page")).unwrap_or(1);
        let all = self.pull(number)?.comments.clone();
        let pages = all.len().div_ceil(size).max(1);
        let shown: Vec<Value> = all
            .iter()
            .skip((page - 1) * size)
            .take(size)
            .map(|text| json!({"body": text}))
            .collect();
        let answer = Answer::json(200, &json!(shown));
        if page >= pages {
            return Ok(answer);
        }
        let at = format!("https://elsewhere.test/x?per_page={size}&page");
        let link = format!(
            "<{at}={}>; rel=\"next\", <{at}={pages}>; rel=\"last\"",
            page + 1
        );
        Ok(answer.with("Link", link))
    }

    fn names(&self, field: &str) -> Vec<String> {
        let names = self.body[field].as_array().cloned().unwrap_or_default();
        names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    }

    fn label(&mut self, number: &str) -> Result<Answer, Answer> {
        let names = self.names("labels");
        let refused = self.state.knobs.refused_labels.clone();
        if names.iter().any(|name| refused.contains(name)) {
            return Err(unprocessable(
                json!([{"resource": "Label", "code": "invalid"}]),
            ));
        }
        let pull = self.pull(number)?;
        for name in names {
            if !pull.labels.contains(&name) {
                pull.labels.push(name);
            }
        }
        Ok(Answer::json(200, &json!([])))
    }

    fn reviewers(&mut self, number: &str) -> Result<Answer, Answer> {
        let (users, teams) = (self.names("reviewers"), self.names("team_reviewers"));
        let refused = self.state.knobs.refused_reviewers.clone();
        if users
            .iter()
            .chain(&teams)
            .any(|name| refused.contains(name))
        {
            let words = "Reviews may only be requested from collaborators.";
            return Err(refuse(422, words));
        }
        let pull = self.pull(number)?;
        for name in users {
            if !pull.reviewers.contains(&name) {
                pull.reviewers.push(name);
            }
        }
        for name in teams {
            if !pull.teams.contains(&name) {
                pull.teams.push(name);
            }
        }
        let shown = pull.clone();
        Ok(Answer::json(201, &self.show(&shown)))
    }
}
