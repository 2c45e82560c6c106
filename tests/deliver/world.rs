//! A repository with faults in it behind git's own server, a GitHub played over the same repository,
//! a registry that names both, and states in which those faults were seen.

use crate::git::git;
use crate::played_github::{self as github, Played};
use crate::server::{Plays, Server, serve};
use autofix::app::look;
use autofix::model::delivery::ForgeSettings;
use autofix::model::service::TokenSource;
use autofix::model::{CommitId, Incident, Kind, Settings, Signal, Timestamp};
use autofix::store::{Limits, PullRow, Store};
use base64::Engine as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const NAME: &str = "acme/shop";
pub const DAY: i64 = 86_400;

pub struct World {
    pub dir: TempDir,
    pub github: Played,
    pub server: Server,
    /// The deployed commit: every fault is in it.
    pub commit: String,
}

/// The file of one fault.
fn module(fault: usize) -> String {
    format!("mod_{fault}.py")
}

fn source(fault: usize, key: &str) -> String {
    format!(
        "def total_{fault}(order):\n    return order[\"price\"] * order[\"{key}\"]\n\n\
         def handle_{fault}(order):\n    return total_{fault}(order)\n"
    )
}

/// What its service prints when it happens.
pub fn crash(fault: usize) -> String {
    format!(
        "Traceback (most recent call last):\n  File \"/app/{file}\", line 5, in handle_{fault}\n    \
         return total_{fault}(order)\n  File \"/app/{file}\", line 2, in total_{fault}\n    \
         return order[\"price\"] * order[\"count\"]\nKeyError: 'count'",
        file = module(fault)
    )
}

impl World {
    /// With so many faults, each brought by a commit of its own.
    pub fn new(faults: usize) -> World {
        let dir = TempDir::new().unwrap();
        let work = dir.path().join("work");
        std::fs::create_dir(&work).unwrap();
        git(&work, &["init", "-q", "-b", "main"]);
        for fault in 0..faults {
            std::fs::write(work.join(module(fault)), source(fault, "qty")).unwrap();
        }
        git(&work, &["add", "."]);
        git(&work, &["commit", "-qm", "First version"]);
        for fault in 0..faults {
            std::fs::write(work.join(module(fault)), source(fault, "count")).unwrap();
            git(
                &work,
                &["commit", "-qam", &format!("Call it count in {fault}")],
            );
        }
        let commit = git(&work, &["rev-parse", "HEAD"]);
        let bare = dir.path().join("srv/acme/shop.git");
        git(
            dir.path(),
            &["clone", "-q", "--bare", "work", bare.to_str().unwrap()],
        );
        let user = format!("x-access-token:{}", github::TOKEN);
        let user = base64::engine::general_purpose::STANDARD.encode(user);
        let authorization: &'static str = Box::leak(format!("Basic {user}").into_boxed_str());
        let plays = Plays::Git {
            root: dir.path().join("srv"),
            authorization: Some(authorization),
        };
        std::fs::write(dir.path().join("token"), github::TOKEN).unwrap();
        World {
            github: github::play_repo(NAME, &bare),
            server: serve(plays, false),
            commit,
            dir,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn repo(&self) -> String {
        format!("{}/acme/shop.git", self.server.address)
    }

    /// The registry's file.
    pub fn registry(&self, lines: &str) -> PathBuf {
        let path = self.path("services.toml");
        let text = format!(
            "[[service]]\nname = \"shop\"\nmatch = \"tag:app\"\nrepo = \"{}\"\n{lines}\n\
             [service.forge]\nkind = \"github\"\napi = \"{}\"\n",
            self.repo(),
            self.github.url
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    /// What the plugin keeps of the service for whoever finishes its incidents.
    fn settings(&self) -> Settings {
        Settings {
            service: "shop".to_owned(),
            repo: Some(self.repo()),
            path_prefixes: vec!["/app".to_owned()],
            token: Some(TokenSource::File(self.path("token"))),
            deliver: true,
            forge: ForgeSettings {
                kind: Some(autofix::model::delivery::ForgeKind::Github),
                api: Some(self.github.url.clone()),
                ..ForgeSettings::default()
            },
            ..Settings::default()
        }
    }

    /// A state in which these faults were seen, each so many times, two days between them, so that
    /// each time is an incident of its own.
    pub fn seen(&self, state: &str, faults: usize, times: usize) -> PathBuf {
        let state = self.path(state);
        std::fs::create_dir_all(&state).unwrap();
        let mut store = open(&state);
        store.save_settings(&self.settings()).unwrap();
        for time in 0..times {
            for fault in 0..faults {
                let at = start().0 + (time as i64 * 2 * DAY + fault as i64) * 1_000_000_000;
                let signal = signal(fault, Timestamp(at), &self.commit);
                store.record(&signal, now()).unwrap();
            }
        }
        state
    }

    pub fn fixing(&self, state: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autofix"));
        command
            .args(["fix", "--pending", "--state"])
            .arg(state)
            .env("HOME", self.dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    pub fn fix(&self, state: &Path) {
        let done = self
            .fixing(state)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        if pulls(state).is_empty() {
            let all: Vec<_> = incidents(state)
                .into_iter()
                .map(|one| (one.status, one.reason))
                .collect();
            panic!("no request: {all:?} {done:?}");
        }
    }

    /// Works until every request is where it is wanted: whatever failed is due again at once.
    pub fn fix_until(&self, states: &[&Path], ready: impl Fn(&PullRow) -> bool) {
        let end = Instant::now() + Duration::from_secs(240);
        loop {
            let mut children: Vec<Child> = Vec::new();
            for state in states {
                hurry(state);
                children.push(self.fixing(state).spawn().unwrap());
                children.push(self.fixing(state).spawn().unwrap());
            }
            for mut child in children {
                assert!(child.wait().unwrap().success());
            }
            let all: Vec<PullRow> = states.iter().flat_map(|state| pulls(state)).collect();
            if !all.is_empty() && all.iter().all(&ready) {
                return;
            }
            let states: Vec<_> = all.iter().map(|row| (row.state, row.why.clone())).collect();
            assert!(Instant::now() < end, "{states:?}");
        }
    }
}

/// A moment in the past that leaves room for weeks after it.
pub fn start() -> Timestamp {
    Timestamp(now().0 - 90 * DAY * 1_000_000_000)
}

pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    Timestamp(since.as_nanos() as i64)
}

/// Many faults at once are no storm here.
pub fn limits() -> Limits {
    let mut limits = look::limits();
    limits.admission.storms = false;
    limits.admission.new_per_service_wall_hour = 10_000;
    limits
}

pub fn open(state: &Path) -> Store {
    Store::open(state, limits()).unwrap()
}

pub fn pulls(state: &Path) -> Vec<PullRow> {
    open(state).pulls().unwrap()
}

/// Every row is due, and mirrors were fetched long enough ago to be fetched again.
pub fn hurry(state: &Path) {
    let mirrors = std::fs::read_dir(state.join("mirrors"));
    for entry in mirrors.into_iter().flatten().flatten() {
        if entry.path().extension().is_some_and(|end| end == "stamp") {
            let long_ago = std::time::SystemTime::now() - Duration::from_secs(120);
            let file = std::fs::File::options().write(true).open(entry.path());
            file.unwrap().set_modified(long_ago).unwrap();
        }
    }
    let mut store = open(state);
    for row in store.pulls().unwrap() {
        store.hurry_pull(row.id, now()).unwrap();
    }
}

pub fn incidents(state: &Path) -> Vec<Incident> {
    look::incidents(state).unwrap()
}

pub fn signal(fault: usize, at: Timestamp, commit: &str) -> Signal {
    let text = crash(fault);
    Signal {
        kind: Kind::Crash,
        service: "shop".to_owned(),
        stream: "app".to_owned(),
        container: None,
        time: at,
        last: at,
        title: "KeyError: 'count'".to_owned(),
        reason: "an exception that nobody caught".to_owned(),
        watch: None,
        trace: autofix::trace::parse(&text),
        lines: text.lines().map(str::to_owned).collect(),
        context: Vec::new(),
        commit: CommitId::parse(commit),
    }
}

/// What `autofix` prints with these arguments.
pub fn autofix(state: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_autofix"))
        .args(arguments)
        .arg("--state")
        .arg(state)
        .env("HOME", state)
        .output()
        .unwrap()
}
