//! A webhook played on loopback, a store with owners and targets, and faults to be told of.

use autofix::incident;
use autofix::log::Log;
use autofix::model::delivery::{Delivery, Order};
use autofix::model::notify::{NoticeEvent, NotifyKind, Target};
use autofix::model::service::{Redact, TokenSource};
use autofix::model::{IncidentId, Kind, Proposal, Settings, Signal, Status, Timestamp};
use autofix::net::{Http, Secret};
use autofix::pipeline::notifying::Notifier;
use autofix::store::{Ending, Holder, Limits, Outcome, PullRow, Store, Want};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The secret part of every address here.
pub const SECRET: &str = "T0pSecretPath";

#[derive(Clone, Debug)]
pub struct Call {
    pub head: String,
    pub body: Value,
}

/// A webhook. It answers as it was told, and 200 after that.
pub struct Hook {
    pub url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    answers: Arc<Mutex<Vec<String>>>,
}

impl Hook {
    pub fn new() -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/{SECRET}", listener.local_addr().unwrap());
        let (calls, answers) = (Arc::default(), Arc::default());
        let (kept, told) = (Arc::clone(&calls), Arc::clone(&answers));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                serve(stream, &kept, &told);
            }
        });
        Hook {
            url,
            calls,
            answers,
        }
    }

    /// Answers so, in this order: `410`, or a status line's rest with headers.
    pub fn answer(&self, answers: &[&str]) {
        let answers = answers.iter().map(|one| (*one).to_owned());
        self.answers.lock().unwrap().extend(answers);
    }

    /// What came since the last look.
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// The bodies of it.
    pub fn bodies(&self) -> Vec<Value> {
        self.take().into_iter().map(|call| call.body).collect()
    }

    /// The only body.
    pub fn body(&self) -> Value {
        let mut all = self.bodies();
        assert_eq!(all.len(), 1, "{all:#?}");
        all.remove(0)
    }
}

fn serve(stream: TcpStream, calls: &Mutex<Vec<Call>>, answers: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let length = head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        let is_length = key.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    calls.lock().unwrap().push(Call { head, body });
    let mut answers = answers.lock().unwrap();
    let answer = match answers.is_empty() {
        true => "200 OK".to_owned(),
        false => answers.remove(0),
    };
    let reply = format!("HTTP/1.1 {answer}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    let _ = reader.get_mut().write_all(reply.as_bytes());
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_parts(1_750_000_000 + seconds, 0)
}

pub fn limits(storms: bool) -> Limits {
    Limits {
        admission: incident::Limits {
            dedup_window: Duration::from_secs(24 * 3600),
            new_per_service_hour: 1_000,
            new_per_service_wall_hour: 1_000,
            storms,
        },
        bytes: 64 << 20,
    }
}

pub fn target(name: &str, kind: NotifyKind, owner: Option<&str>) -> Target {
    Target {
        name: name.to_owned(),
        kind,
        url: TokenSource::Variable(name.to_owned()),
        owner: owner.map(str::to_owned),
        services: Vec::new(),
        events: NoticeEvent::ALL.to_vec(),
        every: 60,
    }
}

pub fn signal(service: &str, title: &str, seconds: i64) -> Signal {
    Signal {
        kind: Kind::Error,
        service: service.to_owned(),
        stream: format!("{service}/stderr"),
        container: None,
        time: at(seconds),
        last: at(seconds),
        title: title.to_owned(),
        reason: "rule error".to_owned(),
        watch: None,
        trace: None,
        lines: vec![title.to_owned()],
        context: Vec::new(),
        commit: None,
    }
}

/// A state folder with what was said about it.
pub struct World {
    pub dir: tempfile::TempDir,
    pub store: Store,
    log: Log,
    said: Arc<Mutex<Vec<String>>>,
    urls: HashMap<String, String>,
    storms: bool,
}

impl World {
    /// `shop` owns cart and pay, `bank` owns ledger, nobody owns lone.
    pub fn new() -> World {
        World::with(false)
    }

    pub fn with(storms: bool) -> World {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::open(dir.path(), limits(storms)).unwrap();
        for (service, owner) in [
            ("cart", Some("shop")),
            ("pay", Some("shop")),
            ("ledger", Some("bank")),
            ("lone", None),
        ] {
            let settings = Settings {
                service: service.to_owned(),
                owner: owner.map(str::to_owned),
                ..Settings::default()
            };
            store.save_settings(&settings).unwrap();
        }
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&said);
        World {
            dir,
            store,
            log: Log::new(move |_, line| kept.lock().unwrap().push(line.to_owned())),
            said,
            urls: HashMap::new(),
            storms,
        }
    }

    pub fn redact(&mut self, service: &str, owner: &str, pattern: &str) {
        let settings = Settings {
            service: service.to_owned(),
            owner: Some(owner.to_owned()),
            redact: Redact {
                patterns: vec![pattern.to_owned()],
                ..Redact::default()
            },
            ..Settings::default()
        };
        self.store.save_settings(&settings).unwrap();
    }

    /// Tells these targets, each by its own webhook.
    pub fn targets(&mut self, all: &[(Target, &Hook)]) {
        for (target, hook) in all {
            self.urls.insert(target.name.clone(), hook.url.clone());
        }
        let all: Vec<Target> = all.iter().map(|(target, _)| target.clone()).collect();
        self.store.set_targets("r", &all, at(0)).unwrap();
    }

    pub fn url(&mut self, target: &str, url: &str) {
        self.urls.insert(target.to_owned(), url.to_owned());
    }

    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    pub fn notifier(&self) -> Notifier {
        let urls = self.urls.clone();
        Notifier::new(
            Store::open(self.dir.path(), limits(self.storms)).unwrap(),
            Http::new(&autofix::net::Settings::default()).unwrap(),
            Box::new(move |source| match source {
                TokenSource::Variable(name) => urls.get(name).cloned().map(Secret::new),
                TokenSource::File(_) | TokenSource::Command(_) => None,
            }),
            Arc::new(Holder::new(self.dir.path()).unwrap()),
            self.log.clone(),
        )
    }

    /// Everything that is due then.
    pub fn tell(&self, seconds: i64) {
        let mut notifier = self.notifier();
        while notifier.turn(at(seconds)).unwrap() {}
    }

    pub fn fault(&mut self, service: &str, title: &str, seconds: i64) -> IncidentId {
        let signal = signal(service, title, seconds);
        match self.store.record(&signal, at(seconds)).unwrap() {
            Outcome::New(id) | Outcome::Again(id) => id,
            Outcome::Capped => panic!("capped"),
        }
    }

    /// Works on an incident, with a proposal as its end.
    pub fn propose(&mut self, id: IncidentId, order: bool, seconds: i64) {
        let holder = Holder::new(self.dir.path()).unwrap();
        let want = Want::This(id);
        let claimed = self.store.claim(want, &holder, at(seconds)).unwrap();
        let (incident, lease) = claimed.unwrap();
        let order = order.then(|| Order {
            incident: id,
            service: incident.service.clone(),
            fingerprint: incident.fingerprint.clone(),
            round: 0,
            branch: "autofix/x".to_owned(),
            base: None,
            base_commit: "0".repeat(40),
            files: Vec::new(),
            message: String::new(),
            title: String::new(),
            body: String::new(),
            rest: Vec::new(),
            reviewers: Vec::new(),
            labels: Vec::new(),
            draft: true,
        });
        let ending = Ending {
            status: Status::Proposed,
            reason: "commit abc broke it".to_owned(),
            location: None,
            proposal: Some(Proposal {
                fixer: "revert".to_owned(),
                patch: "/state/fix.patch".to_owned(),
                files: vec!["a.py".to_owned()],
                pr: None,
            }),
            order,
        };
        self.store.finish(&lease, &ending, at(seconds)).unwrap();
    }

    /// One step of the pull request that is due.
    pub fn pull(&mut self, seconds: i64, step: impl FnOnce(&mut PullRow)) {
        let holder = Holder::new(self.dir.path()).unwrap();
        let claimed = self.store.claim_pull(&holder, at(seconds)).unwrap();
        let (mut row, lease) = claimed.unwrap();
        step(&mut row);
        let due = Some(at(seconds));
        self.store
            .save_pull(&lease, &row, due, at(seconds))
            .unwrap();
    }

    pub fn opened(&mut self, url: &str, seconds: i64) {
        self.pull(seconds, |row| {
            row.state = Delivery::Open;
            row.number = Some(7);
            row.url = Some(url.to_owned());
        });
    }
}

/// Every file under a folder, as bytes.
pub fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            all.push((path.display().to_string(), bytes));
        }
    }
    all
}
