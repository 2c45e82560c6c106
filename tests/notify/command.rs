//! The commands: `check` says whether an address can be read and could be one, `fix` tells what waits.

use crate::world::{Hook, World, signal, target};
use autofix::model::notify::NotifyKind;
use std::process::{Command, Output};

fn autofix(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_autofix"))
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    out + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn check_says_what_is_wrong_with_an_address_and_not_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let registry = dir.path().join("services.toml");
    let file = dir.path().join("hook");
    std::fs::write(&file, "https://hooks.example/T0pSecretPath\n").unwrap();
    let notify =
        |name: &str, url: &str| format!("[[notify]]\nname = \"{name}\"\nkind = \"slack\"\n{url}\n");
    let written = [
        "[[service]]\nname = \"cart\"\n".to_owned(),
        notify("a", &format!("url_file = \"{}\"", file.display())),
        notify("b", "url_env = \"AUTOFIX_TEST_UNSET_HOOK\""),
        notify("c", "url_env = \"AUTOFIX_TEST_OPEN_HOOK\""),
    ];
    std::fs::write(&registry, written.concat()).unwrap();
    let path = registry.to_str().unwrap();
    let open = (
        "AUTOFIX_TEST_OPEN_HOOK",
        "http://hooks.example/T0pSecretPath",
    );
    let output = autofix(&["check", "--services", path, "--offline"], &[open]);
    let told = text(&output);
    assert!(!output.status.success());
    for line in [
        "good: [[notify]] a: an address for slack",
        "services.toml:7: [[notify]] `b`: its address cannot be read: the variable \
         AUTOFIX_TEST_UNSET_HOOK is not set; set it in the host's environment",
        "services.toml:11: [[notify]] `c`: its address does not begin with https://",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    assert!(
        !told.contains("T0pSecret") && !told.contains("hooks.example"),
        "{told}"
    );
}

#[test]
fn fix_tells_what_waits() {
    let (mut world, hook) = (World::new(), Hook::new());
    world.targets(&[(target("AUTOFIX_TEST_HOOK", NotifyKind::Json, None), &hook)]);
    let now = autofix::pipeline::clock::now();
    world
        .store
        .record(&signal("lone", "Error", 0), now)
        .unwrap();
    let state = world.dir.path().to_str().unwrap();
    let variables = [("AUTOFIX_TEST_HOOK", hook.url.as_str())];
    let told = text(&autofix(
        &["fix", "--state", state, "--pending"],
        &variables,
    ));
    let body = hook.body();
    assert_eq!(body["notices"][0]["service"], "lone", "{told}");
    assert!(!told.contains("T0pSecret"), "{told}");
    let told = text(&autofix(
        &["fix", "--state", state, "--pending"],
        &variables,
    ));
    assert_eq!(hook.take().len(), 0, "{told}");
}
