//! Tests of `[service.recover]` and `[[service.recover.verb]]`: what is read, and every complaint.

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
fn faults(recover: &str) -> Vec<String> {
    let text = format!("{HEAD}[service.recover]\n{recover}");
    let all = parse(&text).expect_err(&text);
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
        "mood = \"auto\"",
        "unknown key `mood` in [service.recover]",
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
    for (line, what, remedy) in WRONG {
        let all = faults(&format!(
            "platform = \"supervisor\"\ntarget = \"web\"\n{line}\n"
        ));
        let at = if line.starts_with("releases") || line.starts_with("verbs = [\"scale") {
            "3"
        } else {
            "6"
        };
        let good = all.iter().any(|said| {
            said.starts_with(&format!("services.toml:{at}: "))
                && said.contains(what)
                && said.contains(remedy)
        });
        assert!(good, "{line}: {what}; {remedy}\n{}", all.join("\n"));
        assert_eq!(all.len(), 1, "{line}\n{}", all.join("\n"));
    }
}

#[test]
fn what_a_platform_cannot_do_without_is_asked_for() {
    let cases = [
        (
            "",
            "[service.recover] without a platform",
            "add platform = \"supervisor\"",
        ),
        (
            "",
            "[service.recover] without a target",
            "add target = \"checkout\"",
        ),
        (
            "platform = \"heroku\"\ntarget = \"x\"",
            "`heroku` is no platform",
            "",
        ),
        (
            "platform = \"fly\"\ntarget = 3",
            "`target` must be a string, not a number",
            "put it in quotes",
        ),
        (
            "platform = \"fly\"\ntarget = \" \"",
            "`target` is empty",
            "",
        ),
        (
            "platform = \"ecs\"\ntarget = \"web\"\nregion = \"r\"",
            "`target` of ecs is `cluster/service`",
            "write both",
        ),
        (
            "platform = \"ecs\"\ntarget = \"a/b\"",
            "ecs needs a `region`",
            "",
        ),
        (
            "platform = \"kubernetes\"\ntarget = \"a/b/c\"",
            "`target` of kubernetes is `namespace/deployment`",
            "",
        ),
        (
            "platform = \"fly\"\ntarget = \"x\"\napi = \"unix:///s\"",
            "`api` of fly is no socket",
            "write https://",
        ),
        (
            "platform = \"fly\"\ntarget = \"x\"\nreleases = \"/r\"",
            "`releases` means nothing to fly",
            "platform = \"supervisor\"",
        ),
        (
            "platform = \"fly\"\ntarget = \"x\"\ntoken_env = \"A\"\ntoken_file = \"/a\"",
            "`token_env` and `token_file` together",
            "take one of them out",
        ),
    ];
    for (text, what, remedy) in cases {
        let all = faults(&format!("{text}\n"));
        let good = |said: &String| {
            said.starts_with("services.toml:") && said.contains(what) && said.contains(remedy)
        };
        assert!(
            all.iter().any(good),
            "{text}: {what}; {remedy}\n{}",
            all.join("\n")
        );
    }
}

const VERB: &str = "platform = \"supervisor\"\ntarget = \"web\"\n[[service.recover.verb]]\n";

/// The lines of a verb, and what is said of it.
const WRONG_VERBS: &[(&str, &str, &str)] = &[
    (
        "",
        "[[service.recover.verb]] without name",
        "add name = \"flush-cache\"",
    ),
    ("", "[[service.recover.verb]] without about", "add about ="),
    ("", "[[service.recover.verb]] without argv", "add argv ="),
    (
        "NAME\nABOUT\nargv = [\"/b\"]\nshell = true",
        "unknown key `shell` in [[service.recover.verb]]",
        "",
    ),
    (
        "name = \"restart\"\nABOUT\nARGV",
        "`restart` is a verb of every platform",
        "another name",
    ),
    (
        "name = \"Flush It\"\nABOUT\nARGV",
        "`Flush It` is no name of a verb",
        "small letters",
    ),
    (
        "name = \"-x\"\nABOUT\nARGV",
        "`-x` is no name of a verb",
        "small letters",
    ),
    (
        "NAME\nabout = \"a\\nb\"\nARGV",
        "`about` is too long, or has control characters",
        "one line",
    ),
    ("NAME\nABOUT\nargv = []", "`argv` is empty", "by its path"),
    (
        "NAME\nABOUT\nargv = [\"flush\"]",
        "by its path from the root",
        "",
    ),
    (
        "NAME\nABOUT\nargv = [\"/bin/{what}\"]",
        "by its path from the root",
        "without a parameter",
    ),
    (
        "NAME\nABOUT\nargv = [\"/bin/f\", \"{what}\"]",
        "`{what}` in `argv` is no parameter",
        "{ name = \"what\", … }",
    ),
    (
        "NAME\nABOUT\nargv = [\"/bin/f\", \"a\\u0000b\"]",
        "an argument",
        "at most 1000 bytes",
    ),
    (
        "NAME\nABOUT\nARGV\nwithin = \"5m\"",
        "`5m` of `within` is no time",
        "1s to 4m",
    ),
    (
        "NAME\nABOUT\nARGV\nwithin = \"0s\"",
        "`0s` of `within` is no time",
        "1s to 4m",
    ),
    ("NAME\nABOUT\nARGV\nparameters = 3", "`parameters`", ""),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\" }]",
        "a parameter without a type",
        "\"choice\"",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"text\" }]",
        "`text` is no type",
        "",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"A\", type = \"word\" }]",
        "`A` is no name of a parameter",
        "small letters",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ type = \"word\" }]",
        "name",
        "",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"integer\", min = 1 }]",
        "a parameter needs `max`",
        "add max = 1",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"integer\", min = \"1\", max = 2 }]",
        "a parameter needs `min`",
        "",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"integer\", min = 3, max = 2 }]",
        "`min` is more than `max`",
        "swap them",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"choice\" }]",
        "a choice needs `values`",
        "add values",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"choice\", values = [\"-rf\"] }]",
        "`-rf` cannot be a value",
        "begin with -",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"word\", length = 0 }]",
        "`length` must be 1 to 200",
        "",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"word\", size = 3 }]",
        "unknown key `size` in `parameters`",
        "",
    ),
    (
        "NAME\nABOUT\nARGV\nparameters = [{ name = \"a\", type = \"word\" }, { name = \"a\", type = \"word\" }]",
        "a second parameter `a`",
        "take it out",
    ),
    (
        "NAME\nABOUT\nARGV\n[[service.recover.verb]]\nNAME\nABOUT\nARGV",
        "a second verb `flush`",
        "rename it",
    ),
];

#[test]
fn each_fault_of_an_own_verb_is_named() {
    for (lines, what, remedy) in WRONG_VERBS {
        let lines = lines
            .replace("NAME", "name = \"flush\"")
            .replace("ABOUT", "about = \"x\"")
            .replace("ARGV", "argv = [\"/bin/f\"]");
        let all = faults(&format!("{VERB}{lines}\n"));
        let good = |said: &String| {
            let line = said.strip_prefix("services.toml:");
            let line = line.and_then(|rest| rest.split(':').next()?.parse::<u32>().ok());
            line.is_some_and(|line| line >= 6) && said.contains(what) && said.contains(remedy)
        };
        assert!(
            all.iter().any(good),
            "{lines}: {what}; {remedy}\n{}",
            all.join("\n")
        );
    }
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
fn a_pattern_fills_in_where_a_service_runs() {
    let text = r#"
[[service]]
name = "{service}"
match = "label:app={service}"

[service.recover]
platform = "supervisor"
target = "{service}:*"
api = "unix:///run/{service}/supervisor.sock"
releases = "/srv/{service}/releases"
current = "/srv/{service}/current"
verbs = ["flush"]

[[service.recover.verb]]
name = "flush"
about = "x"
argv = ["/bin/flush"]
"#;
    let registry = parse(text).unwrap();
    let found = registry.named("cart").unwrap();
    let place = found.service.settings().recovery.unwrap().place;
    assert_eq!(place.target, "cart:*");
    assert_eq!(
        place.api.as_deref(),
        Some("unix:///run/cart/supervisor.sock")
    );
    assert_eq!(place.releases, Some(PathBuf::from("/srv/cart/releases")));
    assert_eq!(place.current, Some(PathBuf::from("/srv/cart/current")));
    // A pattern that names one place for all would let one service's crash restart another.
    let same = parse(
        "[[service]]\nname = \"{service}\"\nmatch = \"label:app={service}\"\n[service.recover]\n\
         platform = \"supervisor\"\ntarget = \"web\"\n",
    );
    if let Ok(registry) = same {
        let target = |name| {
            registry
                .named(name)
                .unwrap()
                .service
                .settings()
                .recovery
                .unwrap()
                .place
                .target
        };
        assert_eq!(
            (target("a"), target("b")),
            ("web".to_owned(), "web".to_owned())
        );
    }
    // And `{service}` in a name that is none is said.
    let half = faults("platform = \"supervisor\"\ntarget = \"{service}\"\n");
    assert!(half[0].contains("{service}"), "{half:?}");
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
