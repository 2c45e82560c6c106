//! A store whose settings allow recovery, and a real supervisord that runs the service.

use crate::daemon::{Daemon, Setup, wait};
use crate::place::{Place, Ran};
use autofix::app::look::limits;
use autofix::registry::{Registry, Text};
use autofix::store::Store;
use serde_json::Value;
use std::path::PathBuf;

/// `web` crashes until there is a file `good`, and is given up; `pair` runs.
const PROGRAMS: &str = "\
[program:web]
command=/bin/sh -c 'echo up; if [ -e {dir}/good ]; then exec sleep 1000; fi; sleep 0.2; exit 1'
startsecs=2
startretries=1
stdout_logfile={dir}/web.log

[program:pair]
process_name=pair_%(process_num)d
numprocs=2
command=/bin/sleep 1000
";

const VERBS: &str = r#"
[[service.recover.verb]]
name = "flush"
about = "empties the cache"
argv = ["/bin/sh", "{DIR}/flush.sh", "--shard={shard}", "{mode}", "{tag}"]
within = "20s"
parameters = [
    { name = "shard", type = "integer", min = 0, max = 7 },
    { name = "mode", type = "choice", values = ["soft", "hard"] },
    { name = "tag", type = "word", length = 8 },
]

[[service.recover.verb]]
name = "hang"
about = "never ends"
argv = ["/bin/sh", "{DIR}/hang.sh"]
within = "1s"
"#;

pub struct World {
    pub place: Place,
    pub daemon: Daemon,
    pub state: PathBuf,
}

impl World {
    /// `recover`: more lines of `[service.recover]` of each service.
    pub fn new(recover: &str) -> World {
        let daemon = Daemon::start(&Setup::of(PROGRAMS));
        daemon.releases();
        let place = Place::new();
        let state = place.path("state");
        let world = World {
            place,
            daemon,
            state,
        };
        world.allow(&world.daemon.socket(), recover);
        world
    }

    /// What holds for the services from now on, as a registry says it.
    pub fn allow(&self, api: &str, recover: &str) {
        let at = self.daemon.dir.path().display().to_string();
        let service = |name: &str, target: &str| {
            format!(
                "[[service]]\nname = \"{name}\"\n[service.recover]\nplatform = \"supervisor\"\napi = \"{api}\"\n\
                 target = \"{target}\"\ncool_down = \"1s\"\nper_hour = 100\nper_day = 100\nwell_for = \"1s\"\n\
                 well_within = \"30s\"\nact_within = \"1m\"\nhealthy_after = \"1s\"\n\
                 releases = \"{at}/releases\"\ncurrent = \"{at}/current\"\n{recover}\n{VERBS}\n"
            )
        };
        let text =
            format!("{}{}", service("web", "web"), service("pair", "pair")).replace("{DIR}", &at);
        let text = format!("{text}[[service]]\nname = \"bare\"\n");
        let file = self.registry();
        std::fs::write(&file, &text).unwrap();
        let registry = Registry::parse(&[Text {
            file: "services.toml".to_owned(),
            text,
        }]);
        let registry = registry.unwrap_or_else(|all| panic!("{all:#?}"));
        let mut store = Store::open(&self.state, limits()).unwrap();
        for service in registry.services() {
            let mut settings = service.settings();
            settings.registry = Some(file.display().to_string());
            store.save_settings(&settings).unwrap();
        }
    }

    /// The file that says so.
    pub fn registry(&self) -> PathBuf {
        self.place.path("services.toml")
    }

    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.place.autofix();
        command.args(arguments).arg("--state").arg(&self.state);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        crate::place::ran(self.command(arguments).output().unwrap())
    }

    /// Runs with a status, and gives the last object that it printed.
    pub fn json(&self, status: i32, arguments: &[&str]) -> Value {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        let ran = self.run(&arguments);
        assert_eq!(ran.status, status, "{arguments:?}\n{}{}", ran.out, ran.err);
        let last = ran
            .out
            .lines()
            .last()
            .unwrap_or_else(|| panic!("{arguments:?}: {}", ran.err));
        serde_json::from_str(last).unwrap_or_else(|e| panic!("{e}: {last}"))
    }

    /// Waits until supervisord has given `web` up; how often it had started it then. It does not start it
    /// again by itself.
    pub fn given_up(&self) -> usize {
        wait("web is given up", || {
            self.daemon
                .log()
                .contains("gave up: web entered FATAL")
                .then_some(())
        });
        self.daemon.spawned("web")
    }

    /// From now on `web` stays up when it is started.
    pub fn mend(&self) {
        std::fs::write(self.daemon.path("good"), "").unwrap();
    }

    /// Every row of every table of the store.
    pub fn rows(&self) -> Vec<String> {
        let db = rusqlite::Connection::open(self.state.join("autofix.db")).unwrap();
        let mut names = db
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            .unwrap();
        let names: Vec<String> = names
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let mut all = Vec::new();
        for name in names {
            let mut rows = db.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
            let columns = rows.column_count();
            let mut rows = rows.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let values: Vec<String> = (0..columns)
                    .map(|at| match row.get_ref(at).unwrap() {
                        rusqlite::types::ValueRef::Text(text) => {
                            String::from_utf8_lossy(text).into_owned()
                        }
                        other => format!("{other:?}"),
                    })
                    .collect();
                all.push(format!("{name}: {}", values.join(" | ")));
            }
        }
        all
    }
}

/// The names of an object's fields, in their order.
pub fn keys(value: &Value) -> Vec<&str> {
    let fields = value
        .as_object()
        .unwrap_or_else(|| panic!("no object: {value}"));
    fields.keys().map(String::as_str).collect()
}
