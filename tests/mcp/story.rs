//! One whole story with a real supervisord: a program that crashes until it is given up, an agent that
//! looks, tries, asks for a restart, and sees that it helped.

use crate::agent::{Agent, REVISIONS};
use crate::place::Place;
use crate::stores::{audit, counted, flush, open, policy, settings};
use autofix::model::recovery::{ActionId, Permit};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(90);

/// Ends as long as something is broken. Once that is mended it has to be started: it was given up.
const PROGRAM: &str = "\
#!/bin/sh
cd \"$(dirname \"$0\")\" || exit 9
n=$(cat count 2>/dev/null || echo 0)
echo $((n + 1)) > count
echo \"run $n api_key=sk-live-0123456789abcdef0123456789abcdef\"
printf '%s\\n' '-----BEGIN RSA PRIVATE KEY-----' MIIEpAIBAAKCAQEA0Z3VS5 '-----END RSA PRIVATE KEY-----'
[ -e broken ] && exit 7
exec sleep 600
";

struct Supervisord(Child);

impl Drop for Supervisord {
    fn drop(&mut self) {
        // It ends its programs when it is asked to end.
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        let _ = self.0.wait();
    }
}

fn supervisord(place: &Place, socket: &Path) -> Supervisord {
    let program = place.write("run/cart.sh", PROGRAM);
    let text = format!(
        "[unix_http_server]\nfile={socket}\n\
         [supervisord]\nnodaemon=true\nlogfile={dir}/supervisord.log\npidfile={dir}/pid\n\
         childlogdir={dir}\n\
         [rpcinterface:supervisor]\n\
         supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\
         [program:cart]\ncommand=/bin/sh {program}\nstartsecs=3\nstartretries=2\n",
        socket = socket.display(),
        dir = place.path("run").display(),
        program = program.display(),
    );
    let file = place.write("run/supervisord.conf", &text);
    let child = place
        .command("/usr/bin/supervisord")
        .arg("-c")
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Supervisord(child)
}

/// How often the program was started.
fn runs(place: &Place) -> u32 {
    let count = fs::read_to_string(place.path("run/count")).unwrap();
    count.trim().parse().unwrap()
}

/// Asks until it is so.
fn until(what: &str, mut ask: impl FnMut() -> Option<Value>) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < end, "never: {what}");
        thread::sleep(Duration::from_secs(1));
    }
}

#[test]
fn an_agent_brings_a_service_back() {
    if !Path::new("/usr/bin/supervisord").exists() {
        println!("SKIPPED an_agent_brings_a_service_back: there is no /usr/bin/supervisord");
        return;
    }
    let place = Place::new();
    // A socket's path is short; the test's folder may not be.
    let sockets = tempfile::Builder::new()
        .prefix("mcp")
        .tempdir_in("/tmp")
        .unwrap();
    let socket = sockets.path().join("s");
    fs::create_dir(place.path("run")).unwrap();
    place.write("run/broken", "");
    let _supervisord = supervisord(&place, &socket);
    let mut store = open(&place);
    let verbs = ["status", "logs", "restart", "stop", "flush-cache"];
    let mut cart = policy(socket.to_str().unwrap(), "cart", &verbs);
    cart.own.push(flush(7));
    cart.cool_down = Duration::ZERO;
    cart.well_for = Duration::from_secs(1);
    // Crashes before that are over: only what the platform shows now counts.
    cart.crash_loop = (5, Duration::from_secs(1));
    store
        .save_settings(&settings("cart", None, Some(cart.clone())))
        .unwrap();

    let mut agent = Agent::meet(&place, &[], REVISIONS[0]);
    let mut newest = Value::Null;
    let status = until("given up", || {
        let (refused, said) = agent.call("service_status", json!({"service": "cart"}));
        let given_up = !refused && said["instances"][0]["word"] == "FATAL";
        if said != newest {
            println!("{said}");
            newest = said.clone();
        }
        given_up.then_some(said)
    });
    assert_eq!(status["well"], false);
    assert!(
        !status["trouble"].as_array().unwrap().is_empty(),
        "{status}"
    );
    let (refused, logs) = agent.call("service_logs", json!({"service": "cart", "lines": 99}));
    assert!(!refused, "{logs}");
    let logs = logs.to_string();
    assert!(
        logs.contains("run 0") && !logs.contains("sk-live") && !logs.contains("MIIE"),
        "{logs}"
    );

    // What is out of bounds means nothing, whatever its shape is.
    for parameters in [
        json!({"shard": 8, "mode": "soft", "tag": "a"}),
        json!({"shard": 1, "mode": "soft", "tag": "$(id)"}),
        json!({"shard": 1, "mode": "soft"}),
        json!({"shard": 1, "mode": "soft", "tag": "a", "x": "y"}),
    ] {
        let arguments = json!({"service": "cart", "why": "w", "parameters": parameters});
        assert_eq!(agent.refused("verb_flush-cache", arguments), "parameters");
    }
    let strange = json!({"service": "cart", "why": "w", "instance": "cart:cart; reboot"});
    assert_eq!(agent.refused("restart_service", strange), "parameters");
    let own = json!({"service": "cart", "why": "w", "dry_run": true,
        "parameters": {"shard": 3, "mode": "hard", "tag": "a.b"}});
    let (refused, tried) = agent.call("verb_flush-cache", own);
    assert!(!refused, "{tried}");
    assert!(
        tried["plan"][0].as_str().unwrap().contains("shard=3"),
        "{tried}"
    );

    let begun = runs(&place);
    // Tried: what would be sent, and nothing else.
    let why = json!({"service": "cart", "why": "it was given up", "dry_run": true});
    let (refused, tried) = agent.call("restart_service", why);
    assert!(!refused, "{tried}");
    assert_eq!(tried["dry_run"], true);
    assert_eq!(tried["action"]["id"], Value::Null);
    assert_eq!(tried["action"]["stage"], "approved");
    assert!(
        tried["plan"].to_string().contains("startProcess"),
        "{tried}"
    );
    assert!(store.actions(None, 10).unwrap().is_empty());
    assert_eq!(runs(&place), begun);

    // In mode approve it waits, and the agent cannot release it.
    cart.permit = Permit::Approve;
    store
        .save_settings(&settings("cart", None, Some(cart.clone())))
        .unwrap();
    let why = json!({"service": "cart", "why": "it was given up"});
    let (refused, waits) = agent.call("restart_service", why.clone());
    assert!(!refused, "{waits}");
    assert_eq!(waits["action"]["stage"], "pending");
    let id = waits["action"]["id"].as_i64().unwrap();
    assert!(
        waits["action"]["next"]
            .as_str()
            .unwrap()
            .contains(&format!("approve {id}"))
    );
    let answer = agent.ask(
        "tools/call",
        json!({"name": "approve", "arguments": {"id": id}}),
    );
    assert_eq!(answer["error"]["code"], -32_602);
    let (_, still) = agent.call("action", json!({"id": id}));
    assert_eq!(still["action"]["stage"], "pending");
    let denied = place.run(&[
        "deny",
        &id.to_string(),
        "--reason",
        "by the agent itself",
        "--state",
        "state",
    ]);
    let (_, over) = agent.call("action", json!({"id": id}));
    assert_eq!(over["action"]["stage"], "denied", "{}", denied.err);

    fs::remove_file(place.path("run/broken")).unwrap();
    // In mode auto it is carried out beside the messages of the agent.
    cart.permit = Permit::Auto;
    store
        .save_settings(&settings("cart", None, Some(cart)))
        .unwrap();
    // Of two agents that ask at once one is served.
    let mut other = Agent::meet(&place, &[], REVISIONS[1]);
    let params = json!({"name": "restart_service", "arguments": why});
    let asked = json!({"jsonrpc": "2.0", "id": "race", "method": "tools/call", "params": params})
        .to_string();
    agent.send(&asked);
    other.send(&asked);
    let said = [agent.read(), other.read()];
    let served: Vec<Value> = said
        .iter()
        .filter(|answer| answer["result"]["isError"] == false)
        .map(|answer| {
            let text = answer["result"]["content"][0]["text"].as_str().unwrap();
            serde_json::from_str(text).unwrap()
        })
        .collect();
    assert_eq!(served.len(), 1, "{said:?}");
    let id = served[0]["action"]["id"].as_i64().unwrap();
    // Nobody says anything: it goes on all the same.
    until("over", || {
        let action = store.action(ActionId(id)).unwrap().unwrap();
        (!action.stage.is_under_way()).then_some(Value::Null)
    });
    let (_, over) = agent.call("action", json!({"id": id}));
    assert_eq!(over["action"]["stage"], "done", "{over}");
    assert_eq!(over["action"]["outcome"], "healthy", "{over}");
    assert_eq!(over["action"]["caller"], "agent test-agent");
    let (_, status) = agent.call("service_status", json!({"service": "cart"}));
    assert_eq!(status["well"], true, "{status}");
    assert_eq!(runs(&place), begun + 1);

    // It is well now: the next one is refused with the check that says so.
    let again = json!({"service": "cart", "why": "once more"});
    let check = agent.refused("restart_service", again);
    assert!(
        ["unhealthy_now", "fact_of_platform"].contains(&check.as_str()),
        "{check}"
    );
    assert_eq!(agent.end().status, Some(0));
    assert_eq!(counted(&store, "restart", "healthy"), 1);
    let entries = audit(&store);
    assert!(
        entries
            .iter()
            .any(|entry| entry.contains("test-agent") && entry.contains("done"))
    );
    assert_eq!(store.verify_audit(&[]).unwrap().1.len(), 0);
}
