//! Failure events through real Fluent Bits, with the configurations of `examples/webhooks`: each form
//! over the http input, by a secret, and where the release can ask for one by a certificate.

mod host;
#[path = "router/running.rs"]
mod running;

use autofix::model::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use running::{PATIENCE, Place, Running, STARTED, routers};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const TASK: &str = "arn:aws:ecs:eu-west-1:1:task/shop/0123456789abcdef0123456789abcdef";

fn example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/webhooks");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// A port that was free just now.
fn port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The example as it is, but for its addresses and paths.
fn configured(place: &Place, name: &str, port: u16) -> String {
    let services = place.path("services.toml");
    let registry = format!(
        "[[service]]\nname = \"checkout\"\ninputs = [\"hook.checkout\"]\ninputs_secret_file = \
         \"{}\"\n\n[[service]]\nname = \"cart\"\ninputs = [\"hook.cart\"]\ninputs_secret_file = \
         \"{}\"\n",
        place.path("secret").display(),
        place.path("other").display()
    );
    fs::write(&services, registry).unwrap();
    fs::write(place.path("secret"), SECRET).unwrap();
    fs::write(place.path("other"), SECRET.replace('0', "f")).unwrap();
    let mut text = example(name);
    for (from, to) in [
        ("0.0.0.0".to_owned(), "127.0.0.1".to_owned()),
        ("8443".to_owned(), port.to_string()),
        ("8880".to_owned(), port.to_string()),
        (
            "/etc/autofix/services.toml".to_owned(),
            services.display().to_string(),
        ),
        (
            "/etc/autofix/tls".to_owned(),
            place.path("").display().to_string(),
        ),
        (
            "/var/lib/fluent-bit".to_owned(),
            place.path("").display().to_string(),
        ),
        (
            "/var/lib/autofix".to_owned(),
            place.path("state").display().to_string(),
        ),
    ] {
        text = text.replace(&from, &to);
    }
    text
}

fn with_secret(mut event: Value) -> Value {
    event["autofix_secret"] = json!(SECRET);
    event
}

/// A time some times ten minutes ago: what is further apart than a minute is no same end.
fn ago(times: u64) -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seconds = since.as_secs() - times * 600;
    Timestamp::from_parts(seconds as i64, 0).to_rfc3339()
}

/// One event of each form, each of another instance.
fn forms() -> Vec<Value> {
    let generic = json!({"event": "crash", "instance": "web-1", "exit_code": 3});
    let ecs = json!({"version": "0", "source": "aws.ecs", "detail-type": "ECS Task State Change",
        "time": ago(1), "resources": [TASK], "detail": {
        "taskArn": TASK, "lastStatus": "STOPPED", "stopCode": "EssentialContainerExited",
        "stoppedAt": ago(1), "containers": [{"name": "web", "exitCode": 137,
        "reason": "OutOfMemoryError: Container killed due to memory usage"}]}});
    let kubernetes = json!({"reason": "Unhealthy", "type": "Warning", "message": "probe failed",
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "checkout-7d9c5b-x2x4z"},
        "lastTimestamp": ago(2)});
    let failed = json!({"source": "aws.ecs", "detail-type": "ECS Deployment State Change",
        "time": ago(3), "detail": {"eventName": "SERVICE_DEPLOYMENT_FAILED"}});
    let fly = json!({"event": {"provider": "runner"}, "fly": {"app": {"instance": "148ed123c67289"}},
        "message": "machine exited with exit code 1, not restarting",
        "timestamp": ago(4)});
    let machine = json!({"id": "148ed123c67280", "events": [{"type": "exit", "request": {
        "exit_event": {"exit_code": 0, "guest_signal": 9, "exited_at": ago(5)}}}]});
    let all = [generic, ecs, kubernetes, failed, fly, machine];
    all.into_iter().map(with_secret).collect()
}

/// Sends one request and gives the status of its answer.
fn post(port: u16, path: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    let status = std::str::from_utf8(&answer[9..12]).unwrap();
    status.parse().unwrap()
}

fn wait_until_it_listens(running: &mut Running, port: u16) {
    running.wait("open port", |_| {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
}

fn status(place: &Place) -> Value {
    let done = Command::new(env!("CARGO_BIN_EXE_autofix"))
        .args(["status", "--json", "--state"])
        .arg(place.path("state"))
        .env("HOME", place.folder.path())
        .output()
        .unwrap();
    serde_json::from_slice(&done.stdout).unwrap()
}

fn counter(place: &Place, name: &str) -> u64 {
    let found = status(place)["lanes"]["triage"][name].as_u64();
    found.unwrap_or_default()
}

/// Waits until the plugin counted this many events in all.
fn wait_for_events(running: &mut Running, place: &Place, number: u64) {
    running.wait("events", |_| {
        place.path("state").exists() && counter(place, "events") >= number
    });
}

fn labels(place: &Place, service: &str) -> Vec<(String, u64)> {
    let of = |one: &Value| one["service"] == service;
    let label = |one: &Value| {
        let label = one["watch"].as_str().unwrap_or_default();
        (label.to_owned(), one["count"].as_u64().unwrap())
    };
    let mut all: Vec<_> = place
        .incidents("state")
        .iter()
        .filter(|one| of(one))
        .map(label)
        .collect();
    all.sort();
    all
}

fn owned(all: &[(&str, u64)]) -> Vec<(String, u64)> {
    let own = |(label, count): &(&str, u64)| ((*label).to_owned(), *count);
    all.iter().map(own).collect()
}

#[test]
fn each_form_becomes_an_incident_and_only_with_the_services_own_secret() {
    for router in routers("each_form_becomes_an_incident", (1, 9, 0)) {
        let (place, port) = (Place::new(), port());
        let configuration = configured(&place, "fluent-bit-http-secret.conf", port);
        let mut running = place.start(&router, &configuration);
        running.wait_for(STARTED, 1);
        wait_until_it_listens(&mut running, port);
        let forms = forms();
        // All at once: an array is as many records.
        assert_eq!(
            post(port, "/", &json!(forms).to_string()),
            201,
            "{router:?}"
        );
        // Without the secret, with another service's, and at another service's tag with one's own: the
        // path of a request is its tag.
        let bare = json!({"event": "oom", "instance": "web-2"});
        assert_eq!(post(port, "/", &bare.to_string()), 201);
        assert_eq!(
            post(port, "/hook.cart", &with_secret(bare.clone()).to_string()),
            201
        );
        // Under no declared tag it is text of a log.
        assert_eq!(
            post(port, "/some.where", &with_secret(bare).to_string()),
            201
        );
        // What is no JSON is refused by some releases and dropped by others.
        let _ = post(port, "/", "garbage");
        let _ = post(port, "/", "[1, \"x\", null, {\"autofix_secret\": {}}]");
        wait_for_events(&mut running, &place, 8);
        running.end_well(&router);

        let wanted = [
            ("platform:crash", 3),
            ("platform:deploy_failed", 1),
            ("platform:oom", 1),
            ("platform:unhealthy", 1),
        ];
        assert_eq!(labels(&place, "checkout"), owned(&wanted), "{router:?}");
        assert_eq!(labels(&place, "cart"), [], "{router:?}");
        assert_eq!(counter(&place, "events"), 8, "{router:?}");
        assert_eq!(counter(&place, "events_refused"), 2, "{router:?}");
    }
}

/// Certificates of a server and of one sender, of one authority, and of a stranger.
fn certificates(place: &Place) {
    // A certificate with the name of its authority would count as signed by itself.
    let named = |name: &str, alternative: Vec<String>| {
        let mut parameters = CertificateParams::new(alternative).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters
    };
    let authority = |name: &str| {
        let mut parameters = named(name, Vec::new());
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
    };
    let (own, strange) = (authority("ours"), authority("another"));
    let signed = |name: &str, purpose, by: &CertifiedIssuer<'_, KeyPair>| {
        let key = KeyPair::generate().unwrap();
        let mut parameters = named(name, vec!["localhost".to_owned()]);
        parameters.extended_key_usages = vec![purpose];
        let certificate = parameters.signed_by(&key, by).unwrap();
        fs::write(place.path(&format!("{name}.crt")), certificate.pem()).unwrap();
        fs::write(place.path(&format!("{name}.key")), key.serialize_pem()).unwrap();
    };
    signed("server", ExtendedKeyUsagePurpose::ServerAuth, &own);
    signed("sender", ExtendedKeyUsagePurpose::ClientAuth, &own);
    signed("stranger", ExtendedKeyUsagePurpose::ClientAuth, &strange);
    fs::write(place.path("senders-ca.crt"), own.pem()).unwrap();
}

/// Runs `examples/webhooks/generic.sh` as one of the senders, or as none.
fn report(place: &Place, port: u16, sender: Option<&str>, event: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/webhooks/generic.sh");
    let mut command = Command::new("sh");
    command.arg(script).args(event).stdin(Stdio::null());
    command.env("URL", format!("https://localhost:{port}/"));
    command.env("SECRET", SECRET).env("NO_PROXY", "*");
    command.env("CA", place.path("senders-ca.crt"));
    if let Some(sender) = sender {
        command.env("CERT", place.path(&format!("{sender}.crt")));
        command.env("KEY", place.path(&format!("{sender}.key")));
    }
    command.output().unwrap()
}

fn has_curl(test: &str) -> bool {
    let asked = Command::new("curl").arg("--version").output();
    let there = asked.is_ok_and(|done| done.status.success());
    if !there {
        println!("SKIPPED {test}: no curl on PATH");
    }
    there
}

#[test]
fn a_sender_without_a_certificate_of_ours_reports_nothing() {
    const TEST: &str = "a_sender_without_a_certificate_of_ours";
    if !has_curl(TEST) {
        return;
    }
    for router in routers(TEST, (5, 0, 0)) {
        let (place, port) = (Place::new(), port());
        certificates(&place);
        let configuration = configured(&place, "fluent-bit-http.conf", port);
        let mut running = place.start(&router, &configuration);
        running.wait_for(STARTED, 1);
        wait_until_it_listens(&mut running, port);
        for sender in [None, Some("stranger")] {
            let done = report(&place, port, sender, &["oom", "web-9"]);
            assert!(!done.status.success(), "{router:?} {sender:?} {done:?}");
        }
        let done = report(&place, port, Some("sender"), &["crash", "web-1", "3"]);
        assert!(
            done.status.success(),
            "{router:?} {done:?} {}",
            running.said()
        );
        wait_for_events(&mut running, &place, 1);
        running.end_well(&router);
        assert_eq!(
            labels(&place, "checkout"),
            owned(&[("platform:crash", 1)]),
            "{router:?}"
        );
        assert_eq!(counter(&place, "events"), 1, "{router:?}");
        let one = &place.incidents("state")[0];
        assert_eq!(one["title"], "the platform reports: exit status 3");
    }
}

/// An API server with two events in its list and one that a watch brings.
fn api_server() -> u16 {
    let event = |name: &str, pod: &str, reason: &str, at: String| {
        json!({"kind": "Event", "apiVersion": "v1", "reason": reason, "type": "Warning",
            "metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "120",
            "creationTimestamp": at}, "involvedObject": {"kind": "Pod", "namespace": "shop",
            "name": pod}, "message": "Back-off restarting failed container", "count": 3,
            "firstTimestamp": at, "lastTimestamp": at, "eventTime": null})
    };
    let list = json!({"kind": "EventList", "apiVersion": "v1", "metadata": {"resourceVersion": "120"},
        "items": [event("a", "checkout-7d9-aaaaa", "BackOff", ago(1)),
                  event("b", "cart-5f6-aaaaa", "BackOff", ago(1))]});
    let later = event("c", "checkout-7d9-bbbbb", "Unhealthy", ago(0));
    let later = json!({"type": "ADDED", "object": later});
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (list, later) = (list.to_string(), format!("{later}\n"));
            std::thread::spawn(move || answer(stream.unwrap(), &list, &later));
        }
    });
    port
}

fn answer(mut stream: TcpStream, list: &str, later: &str) {
    let head = |header: &str| {
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{header}\r\n\r\n")
    };
    let mut asked = BufReader::new(stream.try_clone().unwrap()).lines();
    while let Some(Ok(line)) = asked.next() {
        if !line.starts_with("GET ") {
            continue;
        }
        let sent = if line.contains("watch") {
            let chunk = format!("{:x}\r\n{later}\r\n", later.len());
            head("Transfer-Encoding: chunked") + &chunk
        } else {
            head(&format!("Content-Length: {}", list.len())) + list
        };
        if stream.write_all(sent.as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn warnings_of_a_cluster_reach_the_service_whose_pods_they_are_about() {
    for router in routers("warnings_of_a_cluster", (3, 2, 0)) {
        let place = Place::new();
        let registry_and_paths = configured(&place, "kubernetes-events.yaml", 0);
        let registry = fs::read_to_string(place.path("services.toml")).unwrap();
        let registry = registry.replace("hook.", "events.");
        fs::write(place.path("services.toml"), registry).unwrap();
        fs::write(place.path("token"), "token").unwrap();
        let namespace = "kube_namespace: shop";
        let server = format!(
            "{namespace}\n      kube_url: http://127.0.0.1:{}\n      kube_token_file: {}",
            api_server(),
            place.path("token").display()
        );
        let text = registry_and_paths
            .replace(namespace, &server)
            .replace("${CLUSTER_EVENTS}", SECRET);
        fs::write(place.path("router.yaml"), text).unwrap();
        let library = host::library().to_str().unwrap();
        let mut running = place.run(&router, &["-e", library, "-c", "router.yaml"]);
        running.wait_for(STARTED, 1);
        wait_for_events(&mut running, &place, 2);
        running.end_well(&router);
        let wanted = [("platform:crash", 1), ("platform:unhealthy", 1)];
        assert_eq!(labels(&place, "checkout"), owned(&wanted), "{router:?}");
        assert_eq!(labels(&place, "cart"), [], "{router:?}");
        assert_eq!(counter(&place, "events_refused"), 0, "{router:?}");
    }
}

#[test]
fn what_stands_in_the_other_examples_is_what_is_read() {
    let template: Value = serde_json::from_str(&example("eventbridge.json")).unwrap();
    let resources = &template["Resources"];
    let rules = [&resources["StoppedTasks"], &resources["FailedDeployments"]];
    let patterns = rules.map(|rule| &rule["Properties"]["EventPattern"]);
    for (pattern, number) in patterns.into_iter().zip([1, 3]) {
        let event = &forms()[number];
        for key in ["source", "detail-type"] {
            assert_eq!(pattern[key], json!([event[key]]));
        }
    }
    assert_eq!(patterns[0]["detail"]["lastStatus"], json!(["STOPPED"]));
    let name = &patterns[1]["detail"]["eventName"];
    assert_eq!(name, &json!(["SERVICE_DEPLOYMENT_FAILED"]));
    let parameters =
        &resources["Connection"]["Properties"]["AuthParameters"]["InvocationHttpParameters"];
    let field = autofix::record::failure::SECRET_FIELD;
    assert_eq!(parameters["BodyParameters"][0]["Key"], field);
    assert_eq!(parameters["BodyParameters"][0]["IsValueSecret"], true);
    assert!(example("fly.md").contains(field) && example("generic.sh").contains(field));
}
