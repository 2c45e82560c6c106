//! A store in a temporary folder, a played platform, and the door between them.

use crate::platform::Played;
use autofix::incident;
use autofix::log::Log;
use autofix::model::recovery::{
    Action, ActionId, Caller, CallerKind, OwnVerb, Parameter, Permit, Place, PlatformKind, Policy,
    Shape,
};
use autofix::model::{Block, Frame, Kind, Language, Raised, Settings, Signal, Timestamp, Trace};
use autofix::pipeline::Halt;
use autofix::pipeline::acting::{Answer, Asked, Carried, Door, Fault};
use autofix::policy::Request;
use autofix::store::{Holder, Limits, Store};
use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub const SERVICE: &str = "cart";
pub const FAULT: &str = "v1:0123456789abcdef";

const LIMITS: Limits = Limits {
    admission: incident::Limits {
        dedup_window: Duration::from_secs(24 * 3600),
        new_per_service_hour: 100,
        new_per_service_wall_hour: 1_000,
        storms: false,
    },
    bytes: 64 << 20,
};

pub struct World {
    pub folder: tempfile::TempDir,
    pub platform: Played,
}

/// All verbs, by itself, and no pace at all: each test sets the guard that it is about.
pub fn lax() -> Policy {
    let mut policy = Policy::of(Place {
        platform: PlatformKind::Supervisor,
        target: SERVICE.to_owned(),
        api: None,
        region: None,
        token: None,
        ca: None,
        releases: None,
        current: None,
    });
    policy.permit = Permit::Auto;
    let verbs = [
        "status", "logs", "releases", "restart", "rollback", "scale", "stop", "start", "flush",
    ];
    policy.verbs = verbs.map(str::to_owned).to_vec();
    policy.own = vec![OwnVerb {
        name: "flush".to_owned(),
        about: "empties the cache".to_owned(),
        argv: ["/bin/false", "--shard={shard}", "{mode}", "{kind}"]
            .map(str::to_owned)
            .to_vec(),
        parameters: vec![
            parameter("shard", Shape::Integer(0, 15)),
            parameter("mode", Shape::Word(12)),
            parameter("kind", Shape::Choice(vec!["soft".into(), "hard".into()])),
        ],
        within: Duration::from_secs(5),
    }];
    policy.scale = Some((1, 4));
    policy.cool_down = Duration::ZERO;
    policy.per_hour = 1_000;
    policy.per_day = 10_000;
    policy.well_for = Duration::ZERO;
    policy.well_within = Duration::ZERO;
    policy
}

fn parameter(name: &str, shape: Shape) -> Parameter {
    Parameter {
        name: name.to_owned(),
        shape,
    }
}

pub fn by(kind: CallerKind) -> Caller {
    Caller {
        kind,
        name: "tester".to_owned(),
    }
}

pub fn request(kind: CallerKind, verb: &str, parameters: &[(&str, &str)]) -> Request {
    Request {
        service: SERVICE.to_owned(),
        verb: verb.to_owned(),
        parameters: parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<BTreeMap<_, _>>(),
        caller: by(kind),
        why: "it crashes".to_owned(),
        incident: None,
        fingerprint: Some(FAULT.to_owned()),
    }
}

pub fn open(dir: &Path) -> Store {
    Store::open(dir, LIMITS).unwrap()
}

pub fn door(dir: &Path, platform: &Played) -> Door {
    let platform = platform.clone();
    Door {
        store: open(dir),
        platforms: Box::new(move |_| Ok(platform.boxed())),
        environment: Vec::new(),
        holder: Arc::new(Holder::new(dir).unwrap()),
        halt: Halt::default(),
        log: Log::silent(),
    }
}

impl World {
    pub fn new(policy: Policy, platform: Played) -> World {
        let folder = tempfile::tempdir().unwrap();
        let world = World { folder, platform };
        world.policy(policy);
        world
    }

    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub fn policy(&self, policy: Policy) {
        self.settings(SERVICE, Some(policy));
    }

    pub fn settings(&self, service: &str, recovery: Option<Policy>) {
        let settings = Settings {
            service: service.to_owned(),
            recovery,
            ..Settings::default()
        };
        open(&self.dir()).save_settings(&settings).unwrap();
    }

    pub fn door(&self) -> Door {
        door(&self.dir(), &self.platform)
    }

    pub fn store(&self) -> Store {
        open(&self.dir())
    }

    /// The database, past everything that guards it.
    pub fn sql(&self) -> Connection {
        let db = Connection::open(self.dir().join("autofix.db")).unwrap();
        db.busy_timeout(Duration::from_secs(20)).unwrap();
        db
    }

    pub fn try_ask(&self, request: Request) -> Result<Asked, Fault> {
        self.door().ask(request, false)
    }

    pub fn ask(&self, kind: CallerKind, verb: &str, parameters: &[(&str, &str)]) -> Action {
        match self.try_ask(request(kind, verb, parameters)).unwrap() {
            Asked::Action(answer) => {
                let Answer { action, dry, .. } = *answer;
                assert!(!dry);
                action
            }
            Asked::Refused(wrong) => panic!("{}: {}", wrong.check, wrong.why),
        }
    }

    pub fn action(&self, id: ActionId) -> Action {
        self.store().action(id).unwrap().unwrap()
    }

    /// Makes every step due now, but for the end of those that wait.
    pub fn hurry(&self) {
        let sql = "UPDATE actions SET due = 0 WHERE due < 9223372036854775807
                   AND stage <> 'pending'";
        self.sql().execute(sql, []).unwrap();
    }

    /// One step of a door of its own, which is gone afterwards.
    pub fn step(&self, id: ActionId) -> Carried {
        self.hurry();
        self.door().step(Some(id)).unwrap()
    }

    /// Carries an action out to its end, each step by another door.
    pub fn finish(&self, id: ActionId) -> Action {
        for _ in 0..60 {
            let action = self.action(id);
            if !action.stage.is_under_way() {
                return action;
            }
            self.step(id);
        }
        panic!("no end: {:?}", self.action(id));
    }

    /// What the audit holds, oldest first.
    pub fn audit(&self) -> Vec<Value> {
        let mut all = Vec::new();
        self.store()
            .audit(|entry| {
                all.push(serde_json::from_str(&entry.json).unwrap());
                true
            })
            .unwrap();
        all
    }

    /// How often a counter was counted up.
    pub fn counted(&self, verb: &str, caller: CallerKind, outcome: &str) -> u64 {
        let rows = self.store().act_counts().unwrap();
        let rows = rows.iter().filter(|row| {
            (row.verb.as_str(), row.caller.as_str(), row.outcome.as_str())
                == (verb, caller.word(), outcome)
        });
        rows.map(|row| row.count).sum()
    }

    /// The newest entry of the audit is a refusal of this verb to this caller for this check, and
    /// nothing was ever begun.
    pub fn nothing_happened(&self, verb: &str, caller: CallerKind, check: &str) {
        let audit = self.audit();
        let last = audit.last().expect("the audit says nothing");
        let told = |field: &str| last[field].as_str().unwrap_or_default().to_owned();
        assert_eq!(told("event"), "refused", "{check}: {last}");
        assert_eq!(told("verb"), verb, "{last}");
        assert_eq!(told("caller_kind"), caller.word(), "{last}");
        assert_eq!(told("caller"), "tester", "{last}");
        let listed = last["checks_failed"].as_array();
        let listed = listed.is_some_and(|all| all.iter().any(|one| one == check));
        assert!(
            listed || told("said").contains(check),
            "{check} is not named: {last}"
        );
        // Before its policy is known a verb is nobody's.
        let counted = ["(unknown)", verb].map(|verb| self.counted(verb, caller, "refused"));
        assert!(counted != [0, 0], "it is not counted");
        for _ in 0..3 {
            self.hurry();
            self.door().step(None).unwrap();
        }
        assert_eq!(self.platform.begun(), [], "{check}");
    }
}

/// A crash that the log of the service tells of.
pub fn logged(function: &str, at: Timestamp) -> Signal {
    Signal {
        kind: Kind::Crash,
        service: SERVICE.into(),
        stream: format!("{SERVICE}/stderr"),
        container: Some("c1".into()),
        time: at,
        last: at,
        title: "ValueError: bad".into(),
        reason: "rule uncaught".into(),
        watch: None,
        trace: Some(Trace {
            language: Language::Python,
            blocks: vec![Block {
                raised: Raised {
                    kind: Some("ValueError".into()),
                    message: Some("bad".into()),
                },
                frames: 0..1,
            }],
            root: 0,
            outermost: 0,
            frames: vec![Frame {
                file: Some("/app/cart.py".into()),
                line: Some(7),
                function: Some(function.into()),
            }],
        }),
        lines: vec!["ValueError: bad".into()],
        context: Vec::new(),
        commit: None,
    }
}
