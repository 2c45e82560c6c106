//! A whole instance, without a host: from a line of a log to its webhook.

use crate::world::Hook;
use autofix::log::Log;
use autofix::model::Timestamp;
use autofix::plugin::{self, Flush, Host};
use autofix::record::encode::{self, Layout};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const CRASH: &str = "Traceback (most recent call last):
  File \"/app/app.py\", line 2, in total
    return order[\"price\"] * order[\"count\"]
KeyError: 'count'
later";

/// What the webhook got, once it got anything.
fn wait_for(hook: &Hook) -> serde_json::Value {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(call) = hook.take().pop() {
            return call.body;
        }
        assert!(Instant::now() < end, "not told in time");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_first_fault_of_a_new_instance_is_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let hook = Hook::new();
    let (registry, file) = (dir.path().join("services.toml"), dir.path().join("hook"));
    let state = dir.path().join("state");
    std::fs::write(&file, &hook.url).unwrap();
    let written = format!(
        "[[service]]\nname = \"shop\"\nmatch = \"app\"\nowner = \"team\"\n[[notify]]\nname = \"ops\"\n\
         kind = \"json\"\nowner = \"team\"\nurl_file = \"{}\"\n",
        file.display()
    );
    std::fs::write(&registry, written).unwrap();
    let keys = [
        ("State_Dir", state.to_string_lossy().into_owned()),
        ("Services", registry.to_string_lossy().into_owned()),
    ];
    let host = Host {
        property: Box::new(move |key| {
            let found = keys.iter().find(|(name, _)| *name == key);
            found.map(|(_, value)| value.clone())
        }),
        log: Log::silent(),
        start_disabled: None,
    };
    let instance = plugin::start(host).unwrap();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = Timestamp(since.as_nanos() as i64);
    let mut chunk = Vec::new();
    for line in CRASH.lines() {
        encode::record(&mut chunk, Layout::New, now, &[("log", line)]);
    }
    assert_eq!(instance.flush(b"app", &chunk), Flush::Taken);
    let body = wait_for(&hook);
    let notice = &body["notices"][0];
    assert_eq!(
        (&body["target"], &notice["event"]),
        (&"ops".into(), &"incident".into())
    );
    assert_eq!(notice["service"], "shop");
    assert!(
        notice["title"].as_str().unwrap().contains("KeyError"),
        "{body}"
    );
    instance.stop(Duration::from_secs(20));
}
