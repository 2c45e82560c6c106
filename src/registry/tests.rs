//! Tests of the registry as a whole: texts to services and complaints.

use super::*;
use crate::model::delivery::{ForgeKind, ForgeSettings};

mod own_verb;
mod place;
mod recover;

fn parse(text: &str) -> Result<Registry, Vec<Complaint>> {
    Registry::parse(&[Text {
        file: "services.toml".to_owned(),
        text: text.to_owned(),
    }])
}

fn names<'a>(tag: &'a str, container: Option<&'a str>) -> Names<'a> {
    Names {
        tag,
        container,
        ..Names::default()
    }
}

#[test]
fn every_key_is_read() {
    let registry = parse(
        r#"
[[service]]
name = "checkout"
description = "Takes payments"
owner = "shop"
repo = "https://git.example/acme/checkout/"
commit = "field:kubernetes.labels.commit"
match = ["tag:app.*", { container = "web", namespace = "shop" }]
root = "services/checkout/"
path_prefixes = ["/app", "/usr/src/app"]
branches = ["main", "refs/heads/release/2"]
context_from = "cart"
egress = "none"
test = "pytest -q"
mode = "observe"
allow = ["Makefile"]
protect = ["auth/**"]
redact = { patterns = ["ACME-[0-9]+"], allow = ["ACME-0"], ip = true }
inputs = ["webhooks.checkout"]
[service.forge]
reviewers = ["sam"]
labels = ["autofix"]
base = "refs/heads/main"
fork = "https://git.example/bot/checkout/"
kind = "gitea"
api = "https://git.example/api/v1"
draft = false
[service.recover]
platform = "fly"
target = "checkout-prod"
mode = "propose"
verbs = ["restart"]

[[service]]
name = "cart"
owner = "shop"
"#,
    )
    .unwrap();
    let found = registry.find(&names("app.x", None)).unwrap();
    let settings = found.service.settings();
    assert_eq!(settings.service, "checkout");
    assert_eq!(
        settings.repo.as_deref(),
        Some("https://git.example/acme/checkout")
    );
    assert_eq!(settings.root, "services/checkout");
    assert_eq!(settings.branches, ["main", "release/2"]);
    assert!(settings.observe);
    let forge = ForgeSettings {
        kind: Some(ForgeKind::Gitea),
        api: Some("https://git.example/api/v1".to_owned()),
        base: Some("main".to_owned()),
        fork: Some("https://git.example/bot/checkout".to_owned()),
        reviewers: vec!["sam".to_owned()],
        labels: vec!["autofix".to_owned()],
        draft: false,
        app: None,
    };
    assert_eq!(settings.forge, forge);
    assert!(settings.redact.ip);
    assert_eq!(settings.redact.patterns, ["ACME-[0-9]+"]);
    assert_eq!(settings.redact.allow, ["ACME-0"]);
    assert_eq!(found.service.egress, Some(service::Egress::None));
    assert_eq!(found.service.recover.as_ref().unwrap().verbs, ["restart"]);
    assert!(registry.find(&names("other", Some("web"))).is_none());
    assert_eq!(
        registry.find(&names("t", Some("cart"))).unwrap().name(),
        "cart"
    );
}

#[test]
fn all_faults_at_once_with_their_lines() {
    let text = r#"
[[service]]
name = "checkout"
mach = "x"
repo = "../checkout"
commit = "HEAD"
root = "../up"
branches = 3

[[service]]
name = "checkout"
mode = "prs"
redact = { patterns = ["("], ip = "yes", alow = ["x"] }
context_from = ["chekout", "nobody"]

[[service]]
repo = "https://bot:s3cret@git.example/a/b"

owner = "unclosed
"#;
    let complaints = parse(text).unwrap_err();
    let all: Vec<String> = complaints.iter().map(ToString::to_string).collect();
    let has = |line: &str, words: &str| {
        let prefix = format!("services.toml:{line}: ");
        let hit = all
            .iter()
            .any(|c| c.starts_with(&prefix) && c.contains(words));
        assert!(hit, "line {line}: {words}\n{}", all.join("\n"));
    };
    has(
        "4",
        "unknown key `mach` in [[service]]; did you mean `match`?",
    );
    has("5", "relative path");
    has("6", "`HEAD` is no commit; write 7 to 40");
    has("13", "`ip` must be true or false");
    has(
        "13",
        "unknown key `alow` in `redact`; did you mean `allow`?",
    );
    has("7", "`..`");
    has(
        "8",
        "`branches` must be a string or a list of strings, not a number",
    );
    has(
        "10",
        "a second service called `checkout`; the first stands in services.toml:2",
    );
    has("12", "`prs` is no mode; did you mean `pr`?");
    has("13", "no regular expression");
    has(
        "10",
        "names no service: `chekout`; did you mean `checkout`?",
    );
    has("10", "names no service: `nobody`");
    has("16", "without a name");
    has("17", "secret");
    assert!(!all.iter().any(|c| c.contains("s3cret")));
    has("19", "not valid TOML");
}

#[test]
fn a_pattern_stands_for_many() {
    let registry = parse(
        r#"
[[service]]
name = "{service}"
match = "label:app={service}"
repo = "https://git.example/acme/{service}"
commit = "image:kubernetes.container_image"
root = "svc/{service}"

[[service]]
name = "cart"
repo = "/srv/cart"
"#,
    )
    .unwrap();
    let labels = [("app", "search")];
    let search = Names {
        labels: &labels,
        ..names("kube.x", Some("main"))
    };
    let found = registry.find(&search).unwrap();
    assert_eq!(found.name(), "search");
    let settings = found.service.settings();
    assert_eq!(
        settings.repo.as_deref(),
        Some("https://git.example/acme/search")
    );
    assert_eq!(settings.root, "svc/search");
    let labels = [("app", "cart")];
    let cart = Names {
        labels: &labels,
        ..names("kube.x", Some("main"))
    };
    let settings = registry.find(&cart).unwrap().service.settings();
    assert_eq!(
        settings.repo.as_deref(),
        Some("/srv/cart"),
        "the literal name comes first"
    );
    assert_eq!(
        registry.named("billing").unwrap().service.root,
        "svc/billing"
    );
    assert!(registry.named("bad/name").is_none());
}

#[test]
fn a_pattern_without_a_match_takes_the_name_but_not_the_tag_of_a_container() {
    let registry = parse("[[service]]\nname = \"shop-{service}\"\n").unwrap();
    let found = registry
        .find(&names("shop-tag", Some("shop-cart")))
        .unwrap();
    assert_eq!(found.name(), "shop-cart");
    assert!(registry.find(&names("shop-tag", Some("other"))).is_none());
    assert_eq!(
        registry.find(&names("shop-tag", None)).unwrap().name(),
        "shop-tag"
    );
}

#[test]
fn half_patterns_are_refused() {
    for text in [
        "[[service]]\nname = \"a\"\nrepo = \"/srv/{service}\"\n",
        "[[service]]\nname = \"a\"\nmatch = \"tag:{service}\"\n",
        "[[service]]\nname = \"{service}\"\nmatch = [\"tag:{service}\", \"x\"]\n",
    ] {
        let complaints = parse(text).unwrap_err();
        assert!(complaints[0].what.contains("{service}"), "{text}");
        assert_eq!(complaints[0].place.line, Some(3), "{text}");
    }
}

#[test]
fn context_does_not_cross_owners() {
    let text = "[[service]]\nname = \"a\"\nowner = \"x\"\ncontext_from = [\"b\"]\n\
                [[service]]\nname = \"b\"\nowner = \"y\"\n";
    let complaints = parse(text).unwrap_err();
    assert!(complaints.iter().any(|c| c.what.contains("another owner")));
}

#[test]
fn odd_texts_are_refused_calmly() {
    for text in [
        "service = 3",
        "[service]\nname = 'a'",
        "[[service]]\nname = 3",
        "[[service]]\nname = 'a'\nmatch = []",
        "[[service]]\nname = 'a'\nmatch = {}",
        "[[service]]\nname = 'a'\nmatch = 7",
        "[[service]]\nname = 'a'\nforge = 'x'",
        "\u{0}",
        "[[[",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
    assert!(parse("").unwrap().services().is_empty());
}

#[test]
fn deep_nesting_is_refused() {
    for deep in [
        format!("a = {}", "[".repeat(100_000)),
        format!("[[service]]\nname = 'a'\nmatch = {}", "{a=".repeat(100_000)),
        format!("{} = 1", ["a"; 100_000].join(".")),
    ] {
        assert!(parse(&deep).is_err());
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(
        text in "([\\[\\]{}=\"',.#a-c1é\u{0} -]|\n|\\[\\[service\\]\\]\n|name = |match = |commit = |repo = |\\{service\\}|://|:|\\*){0,60}"
    ) {
        if let Ok(registry) = parse(&text) {
            let _ = registry.find(&names("a.b", Some("c")));
            let _ = registry.named("abc");
        }
    }

    #[test]
    fn a_capture_is_always_a_name(container in "([a-z0-9._/-]{0,120}|.{0,40})") {
        let registry = parse("[[service]]\nname = '{service}'\nmatch = 'container:{service}*'").unwrap();
        if let Some(found) = registry.find(&names("t", Some(&container))) {
            proptest::prop_assert!(check_name(found.name()).is_ok());
        }
    }
}
