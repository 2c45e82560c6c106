//! Tests of `[service.recover]`: what is read, and every complaint.

use super::parse;
use crate::model::recovery::{
    OwnVerb, Parameter, Permit, Place, PlatformKind, Policy, Quiet, Shape,
};
use crate::model::service::TokenSource;
use crate::registry::RECOVER_KEYS;
use std::path::PathBuf;
use std::time::Duration;

const HEAD: &str = "[[service]]\nname = \"checkout\"\n";

fn policy(recover: &str) -> Policy {
    let text = format!("{HEAD}[service.recover]\n{recover}");
    let registry = parse(&text).unwrap_or_else(|all| panic!("{all:#?}\n{text}"));
    let policy = registry.services()[0].settings().recovery;
    policy.expect("a policy")
}

/// What is complained of `text` under `[service.recover]`, whose first line is line 4.
pub(super) fn faults(recover: &str) -> Vec<String> {
    let text = format!("{HEAD}[service.recover]\n{recover}");
    let all = parse(&text).err().unwrap_or_default();
    all.iter().map(ToString::to_string).collect()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn every_key_is_read() {
    let read = policy(
        r#"platform = "supervisor"
target = "web:*"
api = "https://host.example:9001/"
token_env = "SUPERVISOR_LOGIN"
releases = "/srv/web/releases"
current = "/srv/web/current"
mode = "auto"
verbs = ["status", "restart", "scale", "flush-cache"]
scale = [1, 6]
max_instances = 2
cool_down = "90s"
per_hour = 4
per_day = 0
quiet = ["22:00-06:30", "12:00-13:00"]
oldest_release = "7d"
healthy_after = "20m"
act_within = "3m"
well_within = "4m"
well_for = "30s"
approve_within = "2h"
crash_loop = "6 in 20m"
bad_deploy = "never"
every = "10s"

[[service.recover.verb]]
name = "flush-cache"
about = "empties the cache"
argv = ["/usr/local/bin/flush", "--shard={shard}", "{mode}", "{who}"]
within = "4m"
parameters = [
    { name = "shard", type = "integer", min = -1, max = 7 },
    { name = "mode", type = "choice", values = ["soft", "hard"] },
    { name = "who", type = "word", length = 12 },
]
"#,
    );
    let verb = OwnVerb {
        name: "flush-cache".to_owned(),
        about: "empties the cache".to_owned(),
        argv: ["/usr/local/bin/flush", "--shard={shard}", "{mode}", "{who}"]
            .map(str::to_owned)
            .to_vec(),
        parameters: vec![
            Parameter {
                name: "shard".to_owned(),
                shape: Shape::Integer(-1, 7),
            },
            Parameter {
                name: "mode".to_owned(),
                shape: Shape::Choice(vec!["soft".to_owned(), "hard".to_owned()]),
            },
            Parameter {
                name: "who".to_owned(),
                shape: Shape::Word(12),
            },
        ],
        within: seconds(240),
    };
    let quiet = |from, to| Quiet { from, to };
    let wanted = Policy {
        place: Place {
            platform: PlatformKind::Supervisor,
            target: "web:*".to_owned(),
            api: Some("https://host.example:9001".to_owned()),
            region: None,
            token: Some(TokenSource::Variable("SUPERVISOR_LOGIN".to_owned())),
            ca: None,
            releases: Some(PathBuf::from("/srv/web/releases")),
            current: Some(PathBuf::from("/srv/web/current")),
        },
        permit: Permit::Auto,
        verbs: ["status", "restart", "scale", "flush-cache"]
            .map(str::to_owned)
            .to_vec(),
        own: vec![verb],
        scale: Some((1, 6)),
        max_instances: Some(2),
        cool_down: seconds(90),
        per_hour: 4,
        per_day: 0,
        quiet: vec![quiet(22 * 60, 6 * 60 + 30), quiet(12 * 60, 13 * 60)],
        oldest_release: seconds(7 * 86_400),
        healthy_after: seconds(1_200),
        act_within: seconds(180),
        well_within: seconds(240),
        well_for: seconds(30),
        approve_within: seconds(7_200),
        crash_loop: (6, seconds(1_200)),
        bad_deploy: (0, Duration::ZERO),
        every: seconds(10),
    };
    assert_eq!(read, wanted);
    // What is left: keys of other platforms.
    let ecs = policy(
        "platform = \"ecs\"\ntarget = \"prod/web\"\nregion = \"eu-central-1\"\n\
         token_file = \"/run/secrets/token\"\n",
    );
    assert_eq!(ecs.place.region.as_deref(), Some("eu-central-1"));
    let file = PathBuf::from("/run/secrets/token");
    assert_eq!(ecs.place.token, Some(TokenSource::File(file)));
    let kubernetes = policy(
        "platform = \"kubernetes\"\ntarget = \"shop/web\"\nca_file = \"/etc/ca.pem\"\n\
         api = \"https://10.0.0.1:6443\"\n",
    );
    assert_eq!(kubernetes.place.ca, Some(PathBuf::from("/etc/ca.pem")));
    let fly = policy("platform = \"fly\"\ntarget = \"web\"\napi = \"http://_api.internal:4280\"\n");
    assert_eq!(fly.place.api.as_deref(), Some("http://_api.internal:4280"));
}

#[test]
fn what_is_left_out_is_careful() {
    let read = policy("platform = \"supervisor\"\ntarget = \"web\"\n");
    assert_eq!(read, Policy::of(read.place.clone()));
    assert_eq!(read.permit, Permit::Approve);
    assert!(read.verbs.is_empty() && read.own.is_empty() && read.scale.is_none());
    let verb = policy(
        "platform = \"supervisor\"\ntarget = \"web\"\n[[service.recover.verb]]\nname = \"flush\"\n\
         about = \"x\"\nargv = \"/bin/flush\"\nparameters = [{ name = \"w\", type = \"word\" }]\n",
    );
    // One that is defined is not yet allowed.
    assert!(!verb.allows("flush"));
    assert_eq!(verb.own[0].within, seconds(60));
    assert_eq!(verb.own[0].parameters[0].shape, Shape::Word(200));
    assert_eq!(verb.own[0].argv, ["/bin/flush"]);
    // Often is not without end.
    let every = policy("platform = \"fly\"\ntarget = \"web\"\nevery = \"0s\"\n").every;
    assert_eq!(every, seconds(1));
    assert!(
        parse(HEAD).unwrap().services()[0]
            .settings()
            .recovery
            .is_none()
    );
}

/// A key's line that is wrong, and what is said of it: the fault, and its remedy.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "modes = \"auto\"",
        "unknown key `modes` in [service.recover]",
        "did you mean `mode`?",
    ),
    (
        "mode = \"autp\"",
        "`autp` is no mode",
        "did you mean `auto`?",
    ),
    (
        "verbs = [\"restrat\"]",
        "`restrat` is no verb",
        "did you mean `restart`?",
    ),
    (
        "verbs = [\"scale\"]",
        "`verbs` allows scale, but there is no `scale`",
        "scale = [1, 6]",
    ),
    (
        "verbs = 3",
        "`verbs` must be a string or a list of strings, not a number",
        "",
    ),
    (
        "scale = [6, 1]",
        "`scale` must be the fewest and the most instances",
        "[1, 6]",
    ),
    (
        "scale = [0, 0]",
        "`scale` must be the fewest and the most instances",
        "[1, 6]",
    ),
    (
        "scale = [1, 1001]",
        "`scale` must be the fewest and the most instances",
        "[1, 6]",
    ),
    (
        "scale = [-1, 2]",
        "`scale` must be the fewest and the most instances",
        "[1, 6]",
    ),
    (
        "scale = [1]",
        "`scale` must be the fewest and the most instances",
        "[1, 6]",
    ),
    (
        "scale = \"1-6\"",
        "`scale` must be the fewest and the most instances",
        "[1, 6]",
    ),
    (
        "max_instances = 0",
        "`max_instances` must be a whole number from 1 to 1000",
        "",
    ),
    (
        "per_hour = -1",
        "`per_hour` must be a whole number from 0 to 1000",
        "",
    ),
    (
        "per_day = \"3\"",
        "`per_day` must be a whole number from 0 to 1000",
        "",
    ),
    (
        "per_day = 2.5",
        "`per_day` must be a whole number from 0 to 1000",
        "",
    ),
    (
        "cool_down = \"soon\"",
        "`soon` of `cool_down` is no time",
        "30s, 15m, 1h or 7d",
    ),
    (
        "cool_down = 30",
        "`cool_down` must be a string, not a number",
        "put it in quotes",
    ),
    (
        "well_for = \"-1s\"",
        "`-1s` of `well_for` is no time",
        "30s, 15m, 1h or 7d",
    ),
    (
        "oldest_release = \"9999999999999999d\"",
        "of `oldest_release` is no time",
        "30s",
    ),
    (
        "oldest_release = \"367d\"",
        "of `oldest_release` is no time",
        "30s",
    ),
    (
        "crash_loop = \"0 in 5m\"",
        "`0 in 5m` of `crash_loop` is no rate",
        "\"never\"",
    ),
    (
        "bad_deploy = \"3 in\"",
        "`3 in` of `bad_deploy` is no rate",
        "\"5 in 10m\"",
    ),
    (
        "crash_loop = \"many\"",
        "`many` of `crash_loop` is no rate",
        "\"5 in 10m\"",
    ),
    (
        "quiet = \"10pm-6am\"",
        "`10pm-6am` of `quiet` is no time of day",
        "22:00-06:00",
    ),
    (
        "quiet = [\"24:00-06:00\"]",
        "`24:00-06:00` of `quiet` is no time of day",
        "UTC",
    ),
    (
        "quiet = [\"06:00-06:00\"]",
        "`06:00-06:00` of `quiet` is no time of day",
        "UTC",
    ),
    (
        "releases = \"/srv/r\"",
        "of `releases` and `current` one is set without the other",
        "write both",
    ),
    (
        "current = \"current\"",
        "`current` is no absolute path",
        "write it from the root",
    ),
    (
        "region = \"eu\"",
        "`region` means nothing to supervisor",
        "it is for platform = \"ecs\"; take it out",
    ),
    (
        "ca_file = \"/ca\"",
        "`ca_file` means nothing to supervisor",
        "platform = \"kubernetes\"",
    ),
    (
        "token_file = \"token\"",
        "`token_file` is no absolute path",
        "write it from the root",
    ),
    (
        "api = \"unix://run/s\"",
        "`api` needs a path from the root",
        "unix:///run/supervisor.sock",
    ),
    ("api = \"http://host.example:9001\"", "api", "https://"),
    ("api = \"\"", "`api` is empty", ""),
];

#[test]
fn each_fault_is_named_with_its_line_and_its_remedy() {
    let mut missed = Vec::new();
    for (line, what, remedy) in WRONG {
        let all = faults(&format!(
            "platform = \"supervisor\"\ntarget = \"web\"\n{line}\n"
        ));
        // What is left out stands nowhere: then the table's own line is named.
        let lacks = line.starts_with("releases") || line.starts_with("verbs = [\"scale");
        let at = format!("services.toml:{}: ", if lacks { 3 } else { 6 });
        let good =
            |said: &String| said.starts_with(&at) && said.contains(what) && said.contains(remedy);
        if all.len() != 1 || !all.iter().all(good) {
            missed.push(format!(
                "{line}: {what}; {remedy}\n    {}",
                all.join("\n    ")
            ));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn faults_of_many_keys_come_at_once_each_with_its_line() {
    let all = faults(
        "platform = \"supervisr\"\ntarget = \"web\"\nmode = \"manual\"\nper_hour = -3\ncool_down = \"x\"\n\
         crash_loop = \"y\"\n[[service.recover.verb]]\nname = \"stop\"\nabout = \"x\"\nargv = [\"f\"]\n",
    );
    for (line, what) in [
        (4, "supervisr"),
        (6, "manual"),
        (7, "per_hour"),
        (8, "cool_down"),
        (9, "crash_loop"),
        (11, "`stop` is a verb"),
    ] {
        let good = |said: &String| {
            said.starts_with(&format!("services.toml:{line}: ")) && said.contains(what)
        };
        assert!(all.iter().any(good), "{line} {what}\n{}", all.join("\n"));
    }
}

#[test]
fn secrets_are_never_shown() {
    for line in [
        "token_env = \"bot:hunter2\"",
        "token_env = \"FlyV1 hunter2\"",
        "token_file = \"hunter2\"",
        "api = \"https://bot:hunter2@host.example/\"",
        "api = \"http://bot:hunter2@host.example/\"",
        "token = \"x\"\ntoken_env = \"bot hunter2\"",
    ] {
        let all = faults(&format!(
            "platform = \"supervisor\"\ntarget = \"web\"\n{line}\n"
        ))
        .join("\n");
        assert!(!all.contains("hunter2"), "{line}\n{all}");
    }
}

#[test]
fn every_documented_key_is_known_and_no_other() {
    let known: Vec<&str> = RECOVER_KEYS.iter().map(|(key, _)| *key).collect();
    let mut once = known.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), known.len());
    for (key, about) in RECOVER_KEYS {
        assert!(!about.is_empty());
        // A wrong type is told of the key itself, never that it is unknown.
        let all = faults(&format!("{key} = {{}}\n")).join("\n");
        assert!(!all.contains("unknown key"), "{key}: {all}");
    }
}
