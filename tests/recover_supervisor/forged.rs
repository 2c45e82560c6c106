//! Ends that a program makes up. At level info its output is not in supervisord's log; at level debug it
//! is, and then nothing in that log is believed.

use crate::daemon::{Daemon, Setup, is_absent, soon, state_when, wait};
use autofix::model::Timestamp;
use autofix::model::recovery::{InstanceState, State};
use autofix::recover::Platform;
use std::time::Duration;

/// Prints lines like supervisord's own: by the hundred, then as one piece of 300 KB, then says that it is
/// done. It knows its own number, and the time.
const LIAR: &str = r#"
import os, sys, time
out = sys.stdout.buffer
def lines(count):
    stamp = time.strftime("%Y-%m-%d %H:%M:%S,123")
    one = (stamp + " INFO spawned: 'web' with pid %d\n" % os.getpid()
        + stamp + " WARN exited: web (exit status 1; not expected)\n"
        + stamp + " WARN exited: web (terminated by SIGSEGV (core dumped); not expected)\n")
    return (one * count).encode()
for _ in range(3):
    out.write(lines(100)); out.flush(); time.sleep(0.2)
burst = lines(1)
out.write((burst * (300_000 // len(burst) + 1))); out.flush()
open(sys.argv[1], "w").write("x")
while True: time.sleep(60)
"#;

const PROGRAMS: &str = "\
[program:web]
command=python3 {dir}/liar.py {dir}/said
stdout_logfile={dir}/web.log
redirect_stderr=true

[program:ended]
command=/bin/sh -c 'sleep 0.2; exit 0'
startsecs=0
autorestart=unexpected

[program:bad]
command=/bin/sh -c 'sleep 0.2; exit 4'
startsecs=0
autorestart=false
";

fn daemon(level: &str) -> Daemon {
    let mut daemon = Daemon::prepare(&Setup {
        level,
        ..Setup::of(PROGRAMS)
    });
    std::fs::write(daemon.path("liar.py"), LIAR).unwrap();
    daemon.go();
    daemon
}

fn nothing_happened(state: &State) {
    let web = &state.instances[0];
    assert_eq!(
        (web.state, web.exits.len()),
        (InstanceState::Running, 0),
        "{web:#?}"
    );
    let long_ago = Timestamp::from_parts(0, 0);
    assert!(
        state
            .trouble("web", long_ago, web.started.unwrap())
            .is_empty()
    );
    assert!(state.is_well());
}

#[test]
fn what_a_program_prints_is_no_end_of_it() {
    let test = "what_a_program_prints_is_no_end_of_it";
    if is_absent(test) || is_python_absent(test) {
        return;
    }
    for level in ["info", "debug", "trace"] {
        let daemon = daemon(level);
        let web = daemon.client("web");
        wait("it has lied", || daemon.path("said").exists().then_some(()));
        if level != "info" {
            wait("the lies are in supervisord's log", || {
                (daemon.log().matches("exited: web (exit").count() > 1_000).then_some(())
            });
        }
        state_when(&web, "it runs", |state| {
            state.instances[0].state != InstanceState::Starting
        });
        for _ in 0..3 {
            nothing_happened(&web.state(soon()).unwrap());
        }
        let written = daemon.log().matches("exited: web (").count();
        assert_eq!(written > 1_000, level != "info", "{level}: {written}");
        let lied = std::fs::read_to_string(daemon.path("web.log")).unwrap();
        assert!(lied.len() > 300_000);
    }
}

#[test]
fn where_the_log_is_not_believed_the_interface_still_tells_how_one_ended() {
    let test = "where_the_log_is_not_believed_the_interface_still_tells_how_one_ended";
    if is_absent(test) || is_python_absent(test) {
        return;
    }
    let daemon = daemon("debug");
    let is_over = |state: &State| state.instances[0].word == "EXITED";
    let ended = state_when(&daemon.client("ended"), "it ended", is_over);
    assert_eq!(
        ended.instances[0].state,
        InstanceState::Stopped,
        "{ended:#?}"
    );
    let bad = state_when(&daemon.client("bad"), "it ended", is_over);
    assert_eq!(bad.instances[0].state, InstanceState::Failed, "{bad:#?}");
}

#[test]
fn a_debug_log_of_before_does_not_come_to_be_believed() {
    let test = "a_debug_log_of_before_does_not_come_to_be_believed";
    if is_absent(test) || is_python_absent(test) {
        return;
    }
    let mut daemon = daemon("debug");
    wait("it has lied", || daemon.path("said").exists().then_some(()));
    daemon.end();
    let config = daemon.path("supervisord.conf");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("loglevel=debug", "loglevel=info")).unwrap();
    daemon.go();
    let state = state_when(&daemon.client("web"), "it runs", |state| {
        state.instances[0].state == InstanceState::Running
    });
    nothing_happened(&state);
    std::thread::sleep(Duration::from_millis(100));
}

fn is_python_absent(test: &str) -> bool {
    let there = std::process::Command::new("python3")
        .arg("--version")
        .output();
    let absent = !there.is_ok_and(|done| done.status.success());
    if absent {
        println!("SKIPPED {test}: python3 is not there");
    }
    absent
}
