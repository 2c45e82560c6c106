//! The service that is investigated: its second commit broke it, its log says so.

use crate::anthropic_server::Answer;
use crate::git::git;
use autofix::app::{fix, look};
use autofix::log::Log;
use autofix::model::{Incident, IncidentId, Timestamp};
use autofix::plugin::{self, Flush, Host, Instance};
use autofix::record::encode::{self, Layout};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

pub const CRASH: &str = "starting for jane@acme.example
Traceback (most recent call last):
  File \"/app/app.py\", line 5, in handle
    return total(order)
  File \"/app/app.py\", line 2, in total
    return order[\"price\"] * order[\"count\"]
KeyError: 'count'";

const SOURCE: &str = "def total(order):
    return order[\"price\"] * order[\"qty\"]

def handle(order):
    return total(order)
";

const TEST: &str = "import unittest
from app import total


class Total(unittest.TestCase):
    def test_total(self):
        self.assertEqual(total({\"price\": 2, \"qty\": 3, \"count\": 3}), 6)
";

/// An instance with the service's repository and a model.
pub struct Case {
    _folder: TempDir,
    pub repo: PathBuf,
    pub state: PathBuf,
    instance: Box<Instance>,
}

impl Case {
    pub fn start(model: &str, more: &[(&str, &str)]) -> Case {
        let case = Case::without_log(model, more);
        assert_eq!(
            case.instance
                .flush(b"app", &chunk(&format!("{CRASH}\nnext"))),
            Flush::Taken
        );
        case
    }

    pub fn without_log(model: &str, more: &[(&str, &str)]) -> Case {
        let folder = TempDir::new().unwrap();
        let (repo, state) = (folder.path().join("repo"), folder.path().join("state"));
        let commit = broken(&repo);
        let instance = instance(&keys(&repo, &state, &commit, model, more));
        Case {
            _folder: folder,
            repo,
            state,
            instance,
        }
    }

    /// Over a state that another process left; nothing is logged.
    pub fn over(folder: TempDir, model: &str, commit: &str) -> Case {
        let (repo, state) = (folder.path().join("repo"), folder.path().join("state"));
        let instance = instance(&keys(&repo, &state, commit, model, &[]));
        Case {
            _folder: folder,
            repo,
            state,
            instance,
        }
    }

    /// The service in a registry, with these lines besides.
    pub fn registered(model: &str, lines: &str) -> Case {
        let folder = TempDir::new().unwrap();
        let (repo, state) = (folder.path().join("repo"), folder.path().join("state"));
        let commit = broken(&repo);
        let registry = folder.path().join("services.toml");
        let service = format!(
            "[[service]]\nname = \"shop\"\nmatch = \"tag:app\"\nrepo = \"{}\"\ncommit = \"{commit}\"\n{lines}\n",
            repo.display()
        );
        std::fs::write(&registry, service).unwrap();
        let mut keys = keys(&repo, &state, &commit, model, &[]);
        keys.retain(|(key, _)| {
            !["Service", "Descriptor", "Repo", "Commit"].contains(&key.as_str())
        });
        keys.push((
            "Services".to_owned(),
            registry.to_string_lossy().into_owned(),
        ));
        let case = Case {
            _folder: folder,
            repo,
            state,
            instance: instance(&keys),
        };
        let log = chunk(&format!("{CRASH}\nnext"));
        assert_eq!(case.instance.flush(b"app", &log), Flush::Taken);
        case
    }

    /// The service runs a commit that the default branch has mended since.
    pub fn registered_behind(model: &str) -> Case {
        let folder = TempDir::new().unwrap();
        let (repo, state) = (folder.path().join("repo"), folder.path().join("state"));
        let commit = broken(&repo);
        mended(&repo);
        let case = Case {
            instance: instance(&keys(&repo, &state, &commit, model, &[])),
            _folder: folder,
            repo,
            state,
        };
        let log = chunk(&format!("{CRASH}\nnext"));
        assert_eq!(case.instance.flush(b"app", &log), Flush::Taken);
        case
    }

    /// `autofix fix 1`
    pub fn fix(&self) -> Incident {
        let mut done = None;
        let which = fix::Which::One(IncidentId(1));
        fix::fix(
            &self.state,
            look::limits(),
            which,
            Log::silent(),
            &mut |fixed| {
                done = Some(fixed.incident);
                true
            },
        )
        .unwrap();
        done.unwrap()
    }

    pub fn wait(&self, ready: impl Fn(&Incident) -> bool) -> Incident {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let all = look::incidents(&self.state).unwrap_or_default();
            if let Some(one) = all.first().filter(|one| ready(one)) {
                return one.clone();
            }
            assert!(Instant::now() < end, "not there in time: {all:#?}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    pub fn stop(&self) {
        self.instance.stop(Duration::from_secs(20));
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        git(&self.repo, arguments)
    }

    pub fn transcript(&self) -> Vec<Value> {
        let text =
            std::fs::read_to_string(self.state.join("incidents/1/transcript.jsonl")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub fn status(&self) -> Value {
        look::status(&self.state).unwrap().to_json()
    }
}

pub fn keys(
    repo: &Path,
    state: &Path,
    commit: &str,
    model: &str,
    more: &[(&str, &str)],
) -> Vec<(String, String)> {
    let key = repo.with_extension("key").to_string_lossy().into_owned();
    std::fs::write(&key, "test-key\n").unwrap();
    let mut keys = vec![
        ("State_Dir", state.to_str().unwrap()),
        ("Service", "shop"),
        ("Descriptor", "Takes orders and adds them up"),
        ("Repo", repo.to_str().unwrap()),
        ("Commit", commit),
        ("Fixer_Url", model),
        ("Fixer_Model", "claude-opus-5-5"),
        ("Fixer_Prices", "4 20 5 0.2"),
        ("Spend_On_Ephemeral", "on"),
        ("Fixer_Key_File", key.as_str()),
    ];
    keys.retain(|(key, _)| !more.iter().any(|(other, _)| other == key));
    keys.extend_from_slice(more);
    keys.into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

pub fn instance(keys: &[(String, String)]) -> Box<Instance> {
    let keys = keys.to_vec();
    let host = Host {
        property: Box::new(move |key| {
            let found = keys.iter().find(|(name, _)| name == key);
            found.map(|(_, value)| value.clone())
        }),
        log: Log::silent(),
        start_disabled: None,
    };
    plugin::start(host).expect("a right configuration")
}

pub fn chunk(text: &str) -> Vec<u8> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = Timestamp(since.as_nanos() as i64);
    let mut bytes = Vec::new();
    for line in text.lines() {
        encode::record(&mut bytes, Layout::New, now, &[("log", line)]);
    }
    bytes
}

/// The repository of the broken service; its newest commit.
pub fn broken(repo: &Path) -> String {
    std::fs::create_dir_all(repo).unwrap();
    git(repo, &["init", "-q", "-b", "main"]);
    std::fs::write(repo.join("app.py"), SOURCE).unwrap();
    std::fs::write(repo.join("test_app.py"), TEST).unwrap();
    git(repo, &["add", "."]);
    git(repo, &["commit", "-qm", "First version"]);
    std::fs::write(repo.join("app.py"), SOURCE.replace("qty", "count")).unwrap();
    git(repo, &["commit", "-qam", "Call it count"]);
    git(repo, &["rev-parse", "HEAD"])
}

/// The default branch goes on, without the fault.
pub fn mended(repo: &Path) {
    std::fs::write(repo.join("app.py"), SOURCE).unwrap();
    git(repo, &["commit", "-qam", "Call it qty again"]);
}

pub fn read_source(id: &str) -> Answer {
    Answer::calls(id, &[("read_file", json!({"path": "app.py"}))])
}

pub fn give_up(id: &str) -> Answer {
    let input = json!({"cause": "", "reason": "The data has to be mended by hand."});
    Answer::calls(id, &[("give_up", input)])
}

pub fn propose(id: &str, input: Value) -> Answer {
    Answer::calls(id, &[("propose_fix", input)])
}

/// A proposal that every gate lets through.
pub fn fixed() -> Value {
    json!({
        "cause": "Orders carry their quantity as qty, and total reads count.",
        "evidence": [
            {"log": "L6", "quote": "KeyError: 'count'"},
            {"file": "app.py", "line": 2, "quote": "order[\"count\"]"},
        ],
        "confidence": 0.9,
        "edits": [
            {
                "file": "app.py",
                "search": "    return order[\"price\"] * order[\"count\"]\n",
                "replace": "    return order[\"price\"] * order[\"qty\"]\n",
            },
            {
                "file": "test_quantity.py",
                "content": "import unittest\nfrom app import total\n\n\nclass Quantity(unittest.TestCase):\n    def test_orders_carry_qty(self):\n        self.assertEqual(total({\"price\": 2, \"qty\": 3}), 6)\n",
            },
        ],
        "tests": ["test_quantity.py"],
        "risk": "None known.",
        "verify": "Run the tests.",
        "unsure": [],
    })
}
