//! What the platform shows: states, ends with their times, releases, output.

use crate::daemon::{Daemon, Setup, client, commit_of, free_port, is_absent, soon, state_when};
use autofix::model::Timestamp;
use autofix::model::recovery::{Exit, Instance, InstanceState, State};
use autofix::recover::{ErrorKind, Platform};
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(since.as_nanos()).unwrap())
}

fn one<'a>(state: &'a State, id: &str) -> &'a Instance {
    let found = state.instances.iter().find(|one| one.id == id);
    found.unwrap_or_else(|| panic!("{id}: {state:#?}"))
}

fn last(state: &State) -> Option<&Exit> {
    state.instances.first()?.exits.last()
}

/// One of each kind of end. A program's own file says what it does, so that no quotes are in the way.
const PROGRAMS: &str = "\
[program:runs]
command=/bin/sleep 1000

[program:given_up]
command=/bin/false
startretries=1

[program:restarted]
command=/bin/sh -c 'sleep 1; exit 3'
startsecs=0
autorestart=true

[program:ended]
command=/bin/sh -c 'sleep 0.2; exit 0'
startsecs=0
autorestart=unexpected

[program:killed]
command=/bin/sh -c 'sleep 0.2; kill -SEGV $$'
startsecs=0
autorestart=false

[program:off]
command=/bin/sleep 1000
autostart=false
";

#[test]
fn each_state_and_each_end_is_told_with_its_time_in_utc() {
    let test = "each_state_and_each_end_is_told_with_its_time_in_utc";
    if is_absent(test) {
        return;
    }
    for zone in ["UTC", "Asia/Kolkata", "America/St_Johns"] {
        let begun = now().minus(Duration::from_secs(2));
        let daemon = Daemon::start(&Setup {
            zone,
            ..Setup::of(PROGRAMS)
        });
        let of = |target: &str, what: &str, good: &dyn Fn(&State) -> bool| {
            state_when(&daemon.client(target), &format!("{zone}: {what}"), good)
        };
        let is = |wanted: InstanceState| move |state: &State| state.instances[0].state == wanted;

        let state = of("runs", "it runs", &is(InstanceState::Running));
        let runs = one(&state, "runs:runs");
        assert_eq!((runs.word.as_str(), runs.exits.len()), ("RUNNING", 0));
        assert!(state.is_well() && state.wanted == Some(1));
        let started = runs.started.unwrap();
        assert!(started >= begun && started <= now(), "{zone}: {started:?}");

        let state = of("given_up", "it is given up", &|state| {
            state.instances[0].word == "FATAL"
        });
        let given_up = one(&state, "given_up:given_up");
        assert_eq!(given_up.state, InstanceState::Failed);
        assert_eq!(given_up.exits.len(), 2, "{given_up:#?}");
        assert!(given_up.exits.iter().all(Exit::is_crash));

        let state = of("restarted", "it came back twice", &|state| {
            state.instances[0].exits.len() >= 2
        });
        let exits = &one(&state, "restarted:restarted").exits;
        assert!(exits.iter().all(|exit| exit.code == Some(3) && exit.is_crash()));

        let state = of("ended", "it ended", &|state| last(state).is_some());
        let ended = one(&state, "ended:ended");
        assert_eq!((ended.state, ended.word.as_str()), (InstanceState::Stopped, "EXITED"));
        assert_eq!(last(&state).unwrap().code, Some(0));
        assert!(state.trouble("x", begun, now()).is_empty());

        let state = of("killed", "it was killed", &|state| last(state).is_some());
        let killed = last(&state).unwrap();
        assert_eq!((killed.code, killed.signal), (None, Some(11)));
        assert!(killed.is_crash());
        assert_eq!(one(&state, "killed:killed").state, InstanceState::Failed);

        for target in ["given_up", "restarted", "ended", "killed"] {
            let state = daemon.client(target).state(soon()).unwrap();
            for exit in state.instances.iter().flat_map(|one| &one.exits) {
                let good = exit.at >= begun && exit.at <= now();
                assert!(good, "{zone} {target}: {exit:?}, begun {begun:?}");
            }
        }
        let off = daemon.client("off").state(soon()).unwrap();
        let off = one(&off, "off:off");
        assert_eq!((off.state, off.started), (InstanceState::Stopped, None));
    }
}
