//! GitHub's own description of its API, served by Prism, is shown every request that the client
//! sends: one that does not match it fails. `scripts/prism.sh` installs both.

use crate::github_server::{Heard, play};
use crate::orders::{BOT, REPO, client, fork_client, order};
use autofix::deliver::forge::Forge;
use autofix::net::{Http, Method, Request, Settings};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Reads a description of eleven megabytes, on a machine that may have other things to do.
const START: Duration = Duration::from_secs(180);

struct Prism {
    child: Child,
    url: String,
}

impl Drop for Prism {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tools() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target")),
        PathBuf::from,
    );
    target.join("prism-tools/node_modules")
}

fn start() -> Result<Prism, String> {
    let tools = tools();
    let program = tools.join("@stoplight/prism-cli/dist/index.js");
    let description = tools.join("@octokit/openapi/generated/api.github.com.json");
    for file in [&program, &description] {
        if !file.is_file() {
            return Err("it is not installed, scripts/prism.sh does that".to_owned());
        }
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let child = Command::new("node")
        .arg(program)
        .args([
            "mock",
            "--errors",
            "-h",
            "127.0.0.1",
            "-p",
            &port.to_string(),
        ])
        .arg(description)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("node cannot be run: {e}"))?;
    let mut prism = Prism {
        child,
        url: format!("http://127.0.0.1:{port}"),
    };
    let until = Instant::now() + START;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if let Some(status) = prism.child.try_wait().unwrap() {
            panic!("prism ended: {status}");
        }
        assert!(Instant::now() < until, "prism does not listen");
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(prism)
}

/// What Prism has against a request.
fn faults(http: &Http, prism: &Prism, heard: &Heard) -> Option<String> {
    let kept = [
        "authorization",
        "content-type",
        "if-none-match",
        "x-github-api-version",
    ];
    let headers = kept
        .into_iter()
        .filter_map(|name| Some((name, heard.header(name)?.to_owned())));
    // `Accept` is left out: GitHub asks for a type that its description does not list. The played
    // host holds the client to that header.
    let url = format!("{}/{}", prism.url, heard.path);
    let request = Request {
        method: match heard.method.as_str() {
            "GET" => Method::Get,
            "POST" => Method::Post,
            other => panic!("{other}"),
        },
        url: &url,
        headers: headers.collect(),
        body: &heard.body,
        deadline: Instant::now() + Duration::from_secs(60),
    };
    let whole = http.whole(request, 16 << 20).unwrap();
    let text = String::from_utf8_lossy(&whole.body).into_owned();
    let of_request = |found: &Value| {
        let all = found.as_array().cloned().unwrap_or_default();
        all.iter().any(|one| one["location"][0] != "response")
    };
    let told: Value = whole
        .headers
        .get("sl-violations")
        .map(|told| serde_json::from_str(told).unwrap())
        .unwrap_or_default();
    let error: Value = serde_json::from_str(&text).unwrap_or_default();
    let kind = error["type"].as_str().unwrap_or_default();
    // Some of the description's own examples do not match it; that is not the request's fault.
    let wrong = match kind.split_once("stoplight.io/prism/errors#") {
        Some((_, "VIOLATIONS")) => of_request(&error["validation"]),
        Some(_) => true,
        None => of_request(&told),
    };
    wrong.then(|| {
        format!(
            "{} {}\n{}\n{} {told:?} {text}",
            heard.method,
            heard.path,
            String::from_utf8_lossy(&heard.body),
            whole.status
        )
    })
}

/// Everything that the client can ask.
fn everything() -> Vec<Heard> {
    let mut heard = Vec::new();
    for fork in [None, Some(BOT)] {
        let played = play();
        if let Some(fork) = fork {
            played.fork(REPO, fork);
        }
        let make = || match fork {
            None => client(&played),
            Some(_) => fork_client(&played),
        };
        let client = make();
        let mut order = order(&played);
        let base = played.push(REPO, "main", "old.txt", "x", "More");
        order.base_commit = base;
        order.files.push(crate::orders::file("old.txt", None, true));
        client.make_branch(&order).unwrap();
        client.make_branch(&order).unwrap();
        let pull = client.open(&order).unwrap().pull;
        let looked = client.look(&order, pull.number, None).unwrap();
        let autofix::deliver::forge::Looked::Now { seen, .. } = looked else {
            panic!("{looked:?}");
        };
        client.look(&order, pull.number, seen.as_deref()).unwrap();
        client.comment(&order, pull.number, "More.", "m-1").unwrap();
        client.rights(None).unwrap();
        heard.extend(played.heard());
    }
    heard.extend(crate::app::everything_of_an_app());
    heard
}

#[test]
fn every_request_is_as_github_describes_it() {
    let name = "every_request_is_as_github_describes_it";
    let prism = match start() {
        Ok(prism) => prism,
        Err(why) => return println!("SKIPPED {name}: {why}"),
    };
    let http = Http::new(&Settings::default()).unwrap();
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    let all = everything();
    let told: Vec<String> = all
        .iter()
        .filter_map(|heard| faults(&http, &prism, heard))
        .collect();
    assert!(told.is_empty(), "\n{}\n", told.join("\n\n"));
    for heard in &all {
        let path = heard.path.split('?').next().unwrap();
        let kind = path.rsplit('/').next().unwrap();
        *shown.entry(format!("{} {kind}", heard.method)).or_default() += 1;
    }
    for kind in [
        "POST blobs",
        "POST refs",
        "POST pulls",
        "POST labels",
        "POST access_tokens",
    ] {
        assert!(shown.contains_key(kind), "{kind}: {shown:?}");
    }
    // And one that is not as described is noticed.
    let bad = |change: fn(&mut Heard)| {
        let found = all
            .iter()
            .find(|h| h.method == "POST" && h.path.ends_with("git/refs"));
        let mut bad = found.unwrap().clone();
        change(&mut bad);
        faults(&http, &prism, &bad)
    };
    assert!(bad(|h| h.body = b"{\"ref\": 7}".to_vec()).is_some());
    assert!(bad(|h| h.path = "repos/acme/shop/git/reef".to_owned()).is_some());
    assert!(bad(|_| ()).is_none());
}
