//! What is shown of a Deployment: state, releases, lines.

use crate::played_kubernetes::Cluster;
use crate::world::{BAD, GOOD, World, client, soon, token};
use autofix::model::Timestamp;
use autofix::model::recovery::InstanceState;
use autofix::recover::{ErrorKind, Platform};
use serde_json::{Value, json};

#[test]
fn a_deployment_that_is_well_is_shown_as_well_by_the_played_server() {
    let world = World::new();
    let state = world.state();
    assert_eq!(state.instances.len(), 2);
    assert!(state.is_well(), "{state:?}");
    assert_eq!(state.wanted, Some(2));
    assert_eq!(state.release.as_deref(), Some("1"));
    assert_eq!((state.deploying, state.kept_by), (None, None));
    let one = &state.instances[0];
    assert_eq!(
        (one.state, one.healthy),
        (InstanceState::Running, Some(true))
    );
    assert_eq!(one.release.as_deref(), Some("1"));
    assert_eq!(
        one.started,
        Timestamp::parse_rfc3339("2026-03-01T11:00:05Z")
    );
    assert!(one.exits.is_empty() && !one.own);
}

#[test]
fn a_release_that_crashes_is_shown_with_its_exits_by_the_played_server() {
    let world = World::crashing();
    let state = world.state();
    assert!(!state.is_well());
    assert_eq!(state.release.as_deref(), Some("2"));
    let going = "1 of 2 pods are of the newest revision";
    assert_eq!(state.deploying.as_deref(), Some(going));
    let failed: Vec<_> = state
        .instances
        .iter()
        .filter(|one| one.state == InstanceState::Failed)
        .collect();
    let [one] = failed[..] else {
        panic!("{state:?}")
    };
    assert_eq!(one.word, "CrashLoopBackOff");
    assert_eq!(one.release.as_deref(), Some("2"));
    assert_eq!(one.restarts, Some(5));
    let [exit] = &one.exits[..] else {
        panic!("{one:?}")
    };
    assert_eq!((exit.code, exit.oom, exit.wanted), (Some(1), false, false));
    assert!(exit.is_crash());
    // A deploy that is given up is none that is under way: it may be rolled back.
    let mut cluster = world.played.cluster();
    cluster.time_out("checkout", "2026-03-01T12:10:00Z");
    drop(cluster);
    let state = world.state();
    assert_eq!(state.deploying, None);
    let why = "ReplicaSet \"checkout\" has timed out progressing.";
    assert_eq!(state.deploy_failed.as_deref(), Some(why));
}

/// A copy of a pod that something else made, with the same labels.
fn foreign(cluster: &mut Cluster) {
    let mut pod = cluster.pods[0].clone();
    pod["metadata"]["name"] = json!("somebody-elses");
    pod["metadata"]["ownerReferences"][0]["uid"] = json!("11111111-0000-4000-8000-000000000000");
    cluster.pods.push(pod.clone());
    pod["metadata"]["name"] = json!("nobodys");
    pod["metadata"]["ownerReferences"] = Value::Null;
    cluster.pods.push(pod);
    let mut set = cluster.sets[0].clone();
    set["metadata"]["name"] = json!("somebody-elses-set");
    set["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!("9");
    set["metadata"]["ownerReferences"][0]["uid"] = json!("22222222-0000-4000-8000-000000000000");
    cluster.sets.push(set);
}

#[test]
fn pods_are_told_by_their_owners_and_not_by_labels_on_the_played_server() {
    let world = World::new();
    foreign(&mut world.played.cluster());
    let names = world.played.cluster().pod_names();
    let state = world.state();
    let shown: Vec<&str> = state.instances.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(shown.len(), 2);
    assert!(
        shown
            .iter()
            .all(|name| names[..2].iter().any(|one| one == name))
    );
    let releases = world.client.releases(soon()).unwrap();
    assert_eq!(releases.len(), 1);
    let fault = world.client.logs(Some("somebody-elses"), 5, soon());
    assert_eq!(fault.unwrap_err().kind, ErrorKind::Missing);
}

#[test]
fn lists_are_read_page_by_page_from_the_played_server() {
    let world = World::crashing();
    world.played.cluster().page = 1;
    assert_eq!(world.state().instances.len(), 3);
    assert_eq!(world.client.releases(soon()).unwrap().len(), 2);
}

#[test]
fn a_selector_of_expressions_reaches_the_played_server() {
    let world = World::new();
    let mut cluster = world.played.cluster();
    let selector = json!({
        "matchLabels": {"app": "checkout"},
        "matchExpressions": [
            {"key": "app", "operator": "In", "values": ["checkout", "cart"]},
            {"key": "pod-template-hash", "operator": "Exists"},
            {"key": "track", "operator": "DoesNotExist"},
        ],
    });
    cluster.deployment("checkout")["spec"]["selector"] = selector;
    cluster.pods[1]["metadata"]["labels"]["track"] = json!("canary");
    drop(cluster);
    let state = world.state();
    assert_eq!(state.instances.len(), 1);
    let calls = world.played.host.calls();
    let asked = calls.last().unwrap().asked("labelSelector");
    let right = "app=checkout,app in (checkout,cart),pod-template-hash,!track";
    assert_eq!(asked, Some(right));
    let first = calls
        .last()
        .unwrap()
        .head
        .lines()
        .next()
        .unwrap()
        .to_owned();
    assert!(first.contains("app%3Dcheckout%2Capp%20in%20%28"), "{first}");
    // One that selects everything is not asked for.
    let mut cluster = world.played.cluster();
    cluster.deployment("checkout")["spec"]["selector"] = json!({});
    drop(cluster);
    let fault = world.client.state(soon()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Invalid);
}

#[test]
fn what_is_left_of_evicted_pods_counts_for_nothing_on_the_played_server() {
    let world = World::new();
    let mut cluster = world.played.cluster();
    for number in 0..250 {
        let mut pod = cluster.pods[0].clone();
        pod["metadata"]["name"] = json!(format!("evicted-{number}"));
        pod["status"] = json!({"phase": "Failed", "reason": "Evicted"});
        cluster.pods.push(pod);
    }
    drop(cluster);
    let state = world.state();
    assert_eq!(state.instances.len(), 2);
    assert!(state.is_well());
    // Too many that do live are no state at all.
    let mut cluster = world.played.cluster();
    for pod in cluster.pods.iter_mut() {
        pod["status"]["phase"] = json!("Running");
    }
    drop(cluster);
    let fault = world.client.state(soon()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Unsupported);
    assert!(fault.what.contains("252 pods"), "{fault}");
}

#[test]
fn the_own_pod_is_told_from_others_on_the_played_server() {
    let world = World::new();
    let name = world.played.cluster().pod_names()[1].clone();
    let client = client(&world.played, token(), Some(&name));
    let state = client.state(soon()).unwrap();
    let own: Vec<&str> = state
        .instances
        .iter()
        .filter(|one| one.own)
        .map(|one| one.id.as_str())
        .collect();
    assert_eq!(own, [name.as_str()]);
}

#[test]
fn releases_are_replica_sets_by_revision_on_the_played_server() {
    let world = World::crashing();
    let releases = world.client.releases(soon()).unwrap();
    let shown: Vec<_> = releases
        .iter()
        .map(|one| (one.id.as_str(), one.name.as_str(), one.current))
        .collect();
    assert_eq!(shown, [("2", BAD, true), ("1", GOOD, false)]);
    let commit = |at: usize| {
        releases[at]
            .commit
            .as_ref()
            .map(|id| id.as_str().to_owned())
    };
    assert_eq!(commit(0), None);
    assert_eq!(commit(1).as_deref(), GOOD.rsplit(':').next());
    let made = Timestamp::parse_rfc3339("2026-03-01T11:01:00Z");
    assert_eq!((releases[1].made, releases[1].good), (made, None));
    // Where the tag says nothing, the template may.
    let mut cluster = world.played.cluster();
    let name = "org.opencontainers.image.revision";
    cluster.sets[1]["spec"]["template"]["metadata"]["annotations"] = json!({name: "89abcdef"});
    drop(cluster);
    let releases = world.client.releases(soon()).unwrap();
    assert_eq!(releases[0].commit.as_ref().unwrap().as_str(), "89abcdef");
}

fn say(cluster: &mut Cluster, pod: &str, previous: bool, text: String) {
    let key = (pod.to_owned(), "app".to_owned(), previous);
    cluster.logs.insert(key, text);
}

#[test]
fn lines_come_with_times_and_pods_from_the_played_server() {
    let world = World::crashing();
    let mut cluster = world.played.cluster();
    let names = cluster.pod_names();
    let line = |second: u32, text: &str| format!("2026-03-01T12:00:{second:02}.5Z {text}\n");
    say(
        &mut cluster,
        &names[0],
        false,
        line(1, "one") + &line(4, "four"),
    );
    say(&mut cluster, &names[1], false, line(3, "three"));
    // The one that crashes has said something in the run before only.
    say(
        &mut cluster,
        &names[2],
        true,
        line(2, "panic") + "no time\n",
    );
    drop(cluster);
    let lines = world.client.logs(None, 4, soon()).unwrap();
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["one", "panic", "three", "four"]);
    assert_eq!(lines[1].instance, names[2]);
    assert_eq!(
        lines[1].at,
        Timestamp::parse_rfc3339("2026-03-01T12:00:02.5Z")
    );
    let lines = world.client.logs(Some(&names[0]), 1, soon()).unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].text, "four");
    // Nothing kept of the run before: what there is now.
    let mut cluster = world.played.cluster();
    cluster
        .logs
        .remove(&(names[2].clone(), "app".to_owned(), true));
    say(&mut cluster, &names[2], false, line(9, "again"));
    drop(cluster);
    let lines = world.client.logs(Some(&names[2]), 9, soon()).unwrap();
    assert_eq!(lines[0].text, "again");
    // A container that waits to start has said nothing.
    world.played.cluster().logs.clear();
    assert_eq!(world.client.logs(None, 9, soon()).unwrap(), []);
}

#[test]
fn lines_are_bounded_and_the_newest_are_kept_of_the_played_server() {
    let world = World::new();
    let mut cluster = world.played.cluster();
    let names = cluster.pod_names();
    // Two megabytes, of which the server cuts off the newest where all are asked for.
    let long = "x".repeat(20_000);
    let text: String = (0..100)
        .map(|n| format!("2026-03-01T12:{:02}:{:02}Z {n} {long}\n", n / 60, n % 60))
        .collect();
    say(&mut cluster, &names[0], false, text);
    drop(cluster);
    let lines = world.client.logs(Some(&names[0]), 100, soon()).unwrap();
    assert_eq!(lines.len(), 25);
    assert!(lines[24].text.starts_with("99 "));
    assert_eq!(lines[24].text.len(), 16 << 10);
}
