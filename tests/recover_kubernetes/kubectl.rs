//! The real `kubectl` against the played server: what it leaves is what our requests leave. It is
//! named by `AUTOFIX_KUBECTL`, or installed by `scripts/kubectl.sh`.

use crate::played_kubernetes::Kubernetes as Played;
use crate::world::{GOOD, World, restart, rollback};
use autofix::model::recovery::Task;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

fn kubectl() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("AUTOFIX_KUBECTL") {
        return Some(PathBuf::from(named));
    }
    let here = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    let found = here.join("kubectl-tools/bin/kubectl");
    found.exists().then_some(found)
}

/// Runs it against a played server, and gives what it printed.
fn run(kubectl: &Path, played: &Played, arguments: &[&str]) -> Result<String, String> {
    let home = tempfile::tempdir().unwrap();
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "played",
        "clusters": [{"name": "played", "cluster": {"server": played.host.address}}],
        "contexts": [{"name": "played",
            "context": {"cluster": "played", "namespace": "shop"}}],
    });
    let file = home.path().join("config");
    std::fs::write(&file, config.to_string()).unwrap();
    let mut child = Command::new(kubectl)
        .args(arguments)
        .arg("--request-timeout=20s")
        .arg("--cache-dir")
        .arg(home.path().join("cache"))
        .env_clear()
        .env("HOME", home.path())
        .env("KUBECONFIG", &file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may wait for what never comes.
    let until = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > until {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let out = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match out.status.success() {
        true => Ok(text(&out.stdout)),
        false => Err(text(&out.stderr)),
    }
}

/// What a change leaves: all but what is another with each run.
fn left(world: &World) -> Value {
    let mut left = world.deployment();
    left["metadata"]["resourceVersion"] = Value::Null;
    let annotations = &mut left["spec"]["template"]["metadata"]["annotations"];
    if annotations[RESTARTED_AT].is_string() {
        annotations[RESTARTED_AT] = json!("a time");
    }
    left
}

/// Two worlds that are alike, one for each hand.
fn hold(test: &str, make: fn() -> World, task: &Task, arguments: &[&str]) {
    let Some(kubectl) = kubectl() else {
        println!("SKIPPED {test}: no kubectl; run sh scripts/kubectl.sh");
        return;
    };
    let (theirs, ours) = (make(), make());
    assert_eq!(left(&theirs), left(&ours), "the worlds differ");
    let untouched = left(&theirs);
    let said = run(&kubectl, &theirs.played, arguments).unwrap();
    assert!(said.contains("checkout"), "{said}");
    ours.begin(task).unwrap();
    assert_ne!(left(&theirs), untouched, "kubectl changed nothing: {said}");
    assert_eq!(left(&theirs), left(&ours));
    // And so do the controllers with it.
    theirs.played.cluster().settle();
    ours.played.cluster().settle();
    assert_eq!(left(&theirs)["status"], left(&ours)["status"]);
}

/// Another image, well too, with an annotation of its own.
fn two_releases() -> World {
    let world = World::new();
    world.deploy("registry.example/checkout:two", "second");
    world.played.cluster().settle();
    let kept = "kubectl.kubernetes.io/last-applied-configuration";
    world.played.cluster().deployment("checkout")["metadata"]["annotations"][kept] = "{}".into();
    world
}

#[test]
fn a_restart_is_that_of_kubectl_on_the_played_server() {
    hold(
        "a_restart_is_that_of_kubectl_on_the_played_server",
        two_releases,
        &restart(None),
        &["rollout", "restart", "deployment/checkout"],
    );
}

#[test]
fn a_rollback_is_that_of_kubectl_on_the_played_server() {
    let test = "a_rollback_is_that_of_kubectl_on_the_played_server";
    let undo = ["rollout", "undo", "deployment/checkout", "--to-revision=1"];
    hold(test, two_releases, &rollback("1"), &undo);
    hold(test, World::crashing, &rollback("1"), &undo);
    let (world, _) = (two_releases(), ());
    world.begin(&rollback("1")).unwrap();
    let image = &world.deployment()["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(*image, GOOD);
}

#[test]
fn a_scale_is_that_of_kubectl_on_the_played_server() {
    hold(
        "a_scale_is_that_of_kubectl_on_the_played_server",
        two_releases,
        &Task::Scale { from: 2, to: 4 },
        &[
            "scale",
            "deployment/checkout",
            "--replicas=4",
            "--current-replicas=2",
        ],
    );
}

/// The played server is one that kubectl understands and that refuses what it should.
#[test]
fn kubectl_finds_the_played_server_to_be_one() {
    let Some(kubectl) = kubectl() else {
        let test = "kubectl_finds_the_played_server_to_be_one";
        println!("SKIPPED {test}: no kubectl; run sh scripts/kubectl.sh");
        return;
    };
    let world = World::new();
    let run = |arguments: &[&str]| run(&kubectl, &world.played, arguments);
    let wrong = [
        "scale",
        "deployment/checkout",
        "--replicas=4",
        "--current-replicas=3",
    ];
    let said = run(&wrong).unwrap_err();
    assert!(said.contains("Expected replicas to be 3, was 2"), "{said}");
    let status = ["rollout", "status", "deployment/checkout", "--watch=false"];
    let said = run(&status).unwrap();
    assert!(said.contains("successfully rolled out"), "{said}");
    world.deploy("registry.example/checkout:two", "second");
    let said = run(&status).unwrap();
    assert!(
        said.contains("Waiting for deployment spec update"),
        "{said}"
    );
    world.played.cluster().step();
    let said = run(&status).unwrap();
    assert!(said.contains("out of 2 new replicas"), "{said}");
    world.played.cluster().settle();
    let said = run(&["rollout", "history", "deployment/checkout"]).unwrap();
    assert!(said.contains("first") && said.contains("second"), "{said}");
}
