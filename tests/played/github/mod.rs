//! GitHub's REST API, played on loopback as its documents describe it: repositories with branches,
//! commits, pull requests, comments, labels and checks, over a real bare git repository that can be
//! cloned. What a client does wrong is refused as the real one refuses it; what can go wrong on the
//! way is a knob. It knows no client, so that any test may use it.

#![allow(dead_code)] // Each test uses a part of it.

mod app;
mod objects;
mod routes;
mod wire;

pub use app::App;
pub use wire::Heard;

use objects::Objects;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// The token that is taken from the start; it may do everything.
pub const TOKEN: &str = "ghp_played0token1that2is3taken4";

/// What a token may do.
#[derive(Clone, Debug)]
pub struct Access {
    /// Full names of the repositories that it may push to; `None`: all.
    pub pushes: Option<Vec<String>>,
    /// `X-OAuth-Scopes`, where it is a classic one.
    pub scopes: Option<String>,
    /// When it ends, in seconds since 1970.
    pub until: Option<i64>,
    /// Names of the repositories that it sees; `None`: all.
    pub sees: Option<Vec<String>>,
}

/// What goes wrong on the way. Calls are counted from 1, from the last `fail` on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// Every n-th call: the connection ends before anything is done.
    Before(usize),
    /// Every n-th call: it is done, and the answer is lost.
    Lost(usize),
    /// Every n-th call, one like the one and the next like the other.
    Both(usize),
    /// From this call on so many are done and their answers lost.
    LostRun(usize, usize),
    /// From this call on so many are answered with this status, and not done.
    StatusRun(usize, usize, u16),
}

/// How the server behaves.
#[derive(Clone, Debug, Default)]
pub struct Knobs {
    pub fault: Fault,
    /// So many writes are refused as too many, with this `Retry-After`.
    pub secondary: Option<(usize, u64)>,
    /// The hour's calls are used up, for so many seconds more.
    pub primary: Option<i64>,
    /// A 403 that says so in words only.
    pub secondary_in_words: bool,
    /// Everything is answered with this redirect.
    pub redirect: Option<String>,
    pub slow: Option<Duration>,
    pub no_drafts: bool,
    pub refused_labels: Vec<String>,
    pub refused_reviewers: Vec<String>,
    /// The token may not see checks.
    pub hidden_checks: bool,
    /// Repeats in every refusal the token that it was sent.
    pub repeats_token: bool,
    /// An issue's comments a page.
    pub page: Option<usize>,
    /// Just before a ref is made somebody else makes it, with a commit of this message.
    pub overtaken: Option<String>,
}

/// One pull request.
#[derive(Clone, Debug)]
pub struct Pull {
    pub number: u64,
    /// Full name of the repository of the branch.
    pub head_repo: String,
    pub branch: String,
    pub base: String,
    pub title: String,
    pub body: String,
    pub draft: bool,
    /// `open` or `closed`
    pub state: String,
    pub merged: Option<String>,
    /// The branch's newest commit while there was one.
    pub tip: String,
    pub labels: Vec<String>,
    pub reviewers: Vec<String>,
    pub teams: Vec<String>,
    pub comments: Vec<String>,
    /// Counts changes, so that the etag changes.
    pub changes: u64,
}

/// A repository of the server.
struct Repo {
    objects: Arc<Mutex<Objects>>,
    /// Where its branches stand: `refs/heads/`, or of a fork below its own name.
    refs: String,
    fork_of: Option<String>,
    private: bool,
    archived: bool,
    protected: BTreeSet<String>,
    pulls: Vec<Pull>,
    /// Of a commit: name, status, conclusion.
    checks: BTreeMap<String, Vec<(String, String, Option<String>)>>,
    /// Of a commit: its combined state.
    statuses: BTreeMap<String, String>,
}

struct State {
    repos: BTreeMap<String, Repo>,
    tokens: BTreeMap<String, Access>,
    app: Option<App>,
    minted: usize,
    knobs: Knobs,
    calls: usize,
    heard: Vec<Heard>,
    /// Keeps the folder of a repository that the server made itself.
    _folder: Option<tempfile::TempDir>,
}

/// The server.
#[derive(Clone)]
pub struct Played {
    /// The API's address: `http://127.0.0.1:port`
    pub url: String,
    /// The bare repository.
    pub path: PathBuf,
    state: Arc<Mutex<State>>,
}

/// A server with one repository, `acme/shop`, that has one commit on `main`.
pub fn play() -> Played {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.git");
    let objects = Objects::at(&path);
    let first = objects.change(
        None,
        "src/cart.py",
        "def charge():\n    pass\n",
        "Begin",
        "dev",
    );
    objects.set("refs/heads/main", &first);
    play_at("acme/shop", &path, Some(folder))
}

/// A server with one repository of this full name, over a bare repository that is there (or an
/// empty one that is made).
pub fn play_repo(name: &str, path: &Path) -> Played {
    play_at(name, path, None)
}

fn play_at(name: &str, path: &Path, folder: Option<tempfile::TempDir>) -> Played {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let repo = Repo {
        objects: Arc::new(Mutex::new(Objects::at(path))),
        refs: "refs/heads/".to_owned(),
        fork_of: None,
        private: false,
        archived: false,
        protected: BTreeSet::new(),
        pulls: Vec::new(),
        checks: BTreeMap::new(),
        statuses: BTreeMap::new(),
    };
    let all = Access {
        pushes: None,
        scopes: Some("repo".to_owned()),
        until: None,
        sees: None,
    };
    let state = State {
        repos: BTreeMap::from([(name.to_owned(), repo)]),
        tokens: BTreeMap::from([(TOKEN.to_owned(), all)]),
        app: None,
        minted: 0,
        knobs: Knobs::default(),
        calls: 0,
        heard: Vec::new(),
        _folder: folder,
    };
    let played = Played {
        url: format!("http://{}", listener.local_addr().unwrap()),
        path: path.to_owned(),
        state: Arc::new(Mutex::new(state)),
    };
    let ours = played.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let ours = ours.clone();
            // Whoever asked may have gone.
            std::thread::spawn(move || ours.serve(&stream));
        }
    });
    played
}

impl Played {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic of one connection is that connection's alone.
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let mut heard = wire::hear(stream)?;
        let slow = self.state().knobs.slow;
        if let Some(slow) = slow {
            std::thread::sleep(slow);
        }
        let answer = {
            let mut state = self.state();
            state.calls += 1;
            let (calls, fault) = (state.calls, state.knobs.fault.clone());
            let each = |n: usize| n > 0 && calls.is_multiple_of(n);
            let (before, lost, status) = match fault {
                Fault::None => (false, false, None),
                Fault::Before(n) => (each(n), false, None),
                Fault::Lost(n) => (false, each(n), None),
                Fault::Both(n) => {
                    let odd = (calls / n.max(1)) % 2 == 1;
                    (each(n) && odd, each(n) && !odd, None)
                }
                Fault::LostRun(at, run) => (false, (at..at + run).contains(&calls), None),
                Fault::StatusRun(at, run, status) => {
                    let hit = (at..at + run).contains(&calls);
                    (false, false, hit.then_some(status))
                }
            };
            let answer = match (before, status) {
                (true, _) => None,
                (false, Some(status)) => Some(wire::Answer::json(
                    status,
                    &json!({"message": "A fault of ours"}),
                )),
                (false, None) => Some(routes::answer(&mut state, &heard)),
            };
            heard.status = answer.as_ref().filter(|_| !lost).map_or(0, |a| a.status);
            state.heard.push(heard);
            answer.filter(|_| !lost)
        };
        wire::tell(stream, &answer?).ok()
    }

    /// Turns knobs.
    pub fn set(&self, turn: impl FnOnce(&mut Knobs)) {
        turn(&mut self.state().knobs);
    }

    /// What goes wrong from now on; calls are counted anew.
    pub fn fail(&self, fault: Fault) {
        let mut state = self.state();
        state.knobs.fault = fault;
        state.calls = 0;
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.state().heard.clone()
    }

    /// The requests since the last time this was asked.
    pub fn take_heard(&self) -> Vec<Heard> {
        std::mem::take(&mut self.state().heard)
    }

    pub fn add_token(&self, token: &str, access: Access) {
        self.state().tokens.insert(token.to_owned(), access);
    }

    /// Tokens that begin so are not taken any more.
    pub fn revoke(&self, prefix: &str) {
        self.state()
            .tokens
            .retain(|token, _| !token.starts_with(prefix));
    }

    pub fn set_app(&self, app: App) {
        self.state().app = Some(app);
    }

    /// A fork of a repository, under this full name. Its branches stand in the same bare repository
    /// under `refs/forks/NAME/heads/`.
    pub fn fork(&self, of: &str, name: &str) {
        let mut state = self.state();
        let objects = state.repos[of].objects.clone();
        let private = state.repos[of].private;
        let repo = Repo {
            objects,
            refs: format!("refs/forks/{name}/heads/"),
            fork_of: Some(of.to_owned()),
            private,
            archived: false,
            protected: BTreeSet::new(),
            pulls: Vec::new(),
            checks: BTreeMap::new(),
            statuses: BTreeMap::new(),
        };
        state.repos.insert(name.to_owned(), repo);
    }

    fn with<T>(&self, name: &str, act: impl FnOnce(&mut Repo) -> T) -> T {
        act(self.state().repos.get_mut(name).unwrap())
    }

    pub fn set_private(&self, name: &str) {
        self.with(name, |repo| repo.private = true);
    }

    pub fn set_archived(&self, name: &str) {
        self.with(name, |repo| repo.archived = true);
    }

    pub fn protect(&self, name: &str, branch: &str) {
        self.with(name, |repo| repo.protected.insert(branch.to_owned()));
    }

    /// The names of all branches, in order.
    pub fn branches(&self, name: &str) -> Vec<String> {
        self.with(name, |repo| {
            let found = repo.objects.lock().unwrap().refs(&repo.refs);
            let mut names: Vec<String> = found
                .iter()
                .filter_map(|found| found.strip_prefix(&repo.refs))
                .map(str::to_owned)
                .collect();
            names.sort();
            names
        })
    }

    pub fn tip(&self, name: &str, branch: &str) -> Option<String> {
        self.with(name, |repo| {
            repo.objects.lock().unwrap().tip(&repo.name(branch))
        })
    }

    /// A file's text on a branch.
    pub fn text(&self, name: &str, branch: &str, path: &str) -> Option<String> {
        let tip = self.tip(name, branch)?;
        self.with(name, |repo| repo.objects.lock().unwrap().text(&tip, path))
    }

    /// A commit as the API shows it.
    pub fn commit(&self, name: &str, id: &str) -> Value {
        self.with(name, |repo| repo.objects.lock().unwrap().shown(id).unwrap())
    }

    pub fn pulls(&self, name: &str) -> Vec<Pull> {
        self.with(name, |repo| repo.pulls.clone())
    }

    /// Somebody pushes a commit onto a branch; its id.
    pub fn push(&self, name: &str, branch: &str, path: &str, text: &str, message: &str) -> String {
        self.with(name, |repo| {
            let objects = repo.objects.lock().unwrap();
            let tip = objects.tip(&repo.name(branch));
            let made = objects.change(tip.as_deref(), path, text, message, "somebody");
            objects.set(&repo.name(branch), &made);
            made
        })
    }

    pub fn delete_branch(&self, name: &str, branch: &str) {
        self.with(name, |repo| {
            repo.objects.lock().unwrap().delete(&repo.name(branch));
        });
    }

    /// Merges a request; the commit that brought it to its base.
    pub fn merge(&self, name: &str, number: u64, squash: bool) -> String {
        self.with(name, |repo| {
            let objects = repo.objects.clone();
            let objects = objects.lock().unwrap();
            let to = {
                let pull = repo.pull(number);
                repo.name(&pull.base)
            };
            let pull = repo.pull_mut(number);
            let base = objects.tip(&to).unwrap();
            let message = format!("{} (#{number})", pull.title);
            let made = objects.merge(&base, &pull.tip, squash, &message);
            objects.set(&to, &made);
            pull.state = "closed".to_owned();
            pull.merged = Some(made.clone());
            pull.changes += 1;
            made
        })
    }

    pub fn close(&self, name: &str, number: u64) {
        self.with(name, |repo| {
            let pull = repo.pull_mut(number);
            pull.state = "closed".to_owned();
            pull.changes += 1;
        });
    }

    /// A check run of a commit: `queued`, or `completed` with a conclusion.
    pub fn check(&self, name: &str, commit: &str, run: &str, status: &str, end: Option<&str>) {
        self.with(name, |repo| {
            let runs = repo.checks.entry(commit.to_owned()).or_default();
            runs.retain(|(known, ..)| known != run);
            runs.push((run.to_owned(), status.to_owned(), end.map(str::to_owned)));
        });
    }

    /// A commit's combined status: `success`, `pending`, `failure`.
    pub fn status(&self, name: &str, commit: &str, state: &str) {
        self.with(name, |repo| {
            repo.statuses.insert(commit.to_owned(), state.to_owned())
        });
    }
}

impl Repo {
    /// The ref of a branch.
    fn name(&self, branch: &str) -> String {
        format!("{}{branch}", self.refs)
    }

    fn pull(&self, number: u64) -> &Pull {
        self.pulls.iter().find(|p| p.number == number).unwrap()
    }

    fn pull_mut(&mut self, number: u64) -> &mut Pull {
        self.pulls.iter_mut().find(|p| p.number == number).unwrap()
    }
}
