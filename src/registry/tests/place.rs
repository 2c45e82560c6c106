//! Tests of where a service runs, as `[service.recover]` says it: what each platform cannot do without, and
//! what a pattern fills in.

use super::parse;
use super::recover::faults;
use std::path::PathBuf;

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
    // In a service with a name of its own it would be a name that nobody has.
    for key in ["target", "api", "releases", "current"] {
        let text = "platform = \"supervisor\"\ntarget = \"t\"\napi = \"unix:///a\"\nreleases = \"/r\"\n\
                    current = \"/c\"\n";
        let line = text.lines().find(|line| line.starts_with(key)).unwrap();
        let patterned = format!("{}{{service}}\"", line.trim_end_matches('"'));
        let all = faults(&text.replace(line, &patterned));
        assert_eq!(all.len(), 1, "{key}: {all:?}");
        assert!(
            all[0].starts_with("services.toml:3: ") && all[0].contains(&format!("`{key}`")),
            "{all:?}"
        );
    }
}
