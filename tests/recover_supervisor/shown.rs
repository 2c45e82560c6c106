//! What the platform shows: states, ends with their times, releases, output.

use crate::daemon::{Daemon, Setup, client, commit_of, is_absent, soon, state_when};
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
startsecs=5
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
        assert!(
            exits
                .iter()
                .all(|exit| exit.code == Some(3) && exit.is_crash())
        );

        let state = of("ended", "it ended", &|state| last(state).is_some());
        let ended = one(&state, "ended:ended");
        assert_eq!(
            (ended.state, ended.word.as_str()),
            (InstanceState::Stopped, "EXITED")
        );
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

const GROUPS: &str = "\
[program:a]
process_name=web
command=/bin/sleep 1000

[program:b]
process_name=web
command=/bin/sh -c 'sleep 1; exit 5'
startsecs=0
autorestart=true

[program:pair]
process_name=pair_%(process_num)d
numprocs=2
command=/bin/sleep 1000

[program:late]
process_name=late_%(process_num)d
numprocs=2
command=/bin/sh -c 'sleep 1; exit 6'
startsecs=0
autorestart=true

[program:signalled]
command=/bin/sh -c 'sleep 0.2; kill -USR2 $$'
startsecs=0
autorestart=false
";

#[test]
fn groups_are_told_apart_and_of_two_with_one_name_no_end_is_believed() {
    let test = "groups_are_told_apart_and_of_two_with_one_name_no_end_is_believed";
    if is_absent(test) {
        return;
    }
    let daemon = Daemon::start(&Setup::of(GROUPS));
    let ids = |target: &str| -> Vec<String> {
        let state = daemon.client(target).state(soon()).unwrap();
        assert_eq!(state.wanted, u32::try_from(state.instances.len()).ok());
        state.instances.into_iter().map(|one| one.id).collect()
    };
    assert_eq!(ids("pair"), ["pair:pair_0", "pair:pair_1"]);
    assert_eq!(ids("pair:*"), ["pair:pair_0", "pair:pair_1"]);
    assert_eq!(ids("pair:pair_1"), ["pair:pair_1"]);
    assert_eq!(ids("pair_1"), ["pair:pair_1"]);
    assert_eq!(ids("a"), ["a:web"]);
    // Two groups have a `web`: which one is meant nobody can tell.
    let fault = daemon.client("web").state(soon()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Settings, "{fault}");
    assert!(
        fault.what.contains("a, b") && fault.what.contains("GROUP:web"),
        "{fault}"
    );
    // The log names no group: an end of b's would be one of a's.
    crate::daemon::wait("b ends twice", || {
        (daemon.log().matches("exited: web (exit status 5").count() >= 2).then_some(())
    });
    for target in ["a", "b"] {
        let state = daemon.client(target).state(soon()).unwrap();
        assert!(state.instances[0].exits.is_empty(), "{target}: {state:#?}");
    }
    let a = daemon.client("a").state(soon()).unwrap();
    assert!(a.is_well());

    let state = state_when(&daemon.client("signalled"), "it was killed", |state| {
        last(state).is_some()
    });
    assert_eq!(last(&state).unwrap().signal, Some(12));
}

#[test]
fn a_log_of_before_a_restart_of_supervisord_does_not_shift_the_clock() {
    let test = "a_log_of_before_a_restart_of_supervisord_does_not_shift_the_clock";
    if is_absent(test) {
        return;
    }
    let begun = now().minus(Duration::from_secs(2));
    let mut daemon = Daemon::start(&Setup::of(GROUPS));
    let crashed = |state: &State| state.instances.iter().all(|one| !one.exits.is_empty());
    state_when(&daemon.client("late"), "both ended", crashed);
    daemon.end();
    // Now the first of them is not started; its start in the log is an older one's.
    let config = daemon.path("supervisord.conf");
    let text = fs::read_to_string(&config).unwrap();
    let only_one = "[program:late]\nprocess_name=late_%(process_num)d\nnumprocs=2\n";
    let off = "[group:late]\nprograms=late_0,late_1\n\n[program:late_0]\nautostart=false\n\
               command=/bin/true\n\n[program:late_1]\n";
    assert!(text.contains(only_one));
    fs::write(&config, text.replace(only_one, off)).unwrap();
    let restarted = now();
    daemon.go();
    let late = daemon.client("late");
    let state = state_when(&late, "one ends again", |state| {
        let newest = one(state, "late:late_1").exits.last();
        newest.is_some_and(|exit| exit.at > restarted)
    });
    assert_eq!(one(&state, "late:late_0").started, None);
    for exit in state.instances.iter().flat_map(|one| &one.exits) {
        assert!(exit.at >= begun && exit.at <= now(), "{exit:?}");
    }
}

#[test]
fn releases_are_folders_with_their_commit() {
    let test = "releases_are_folders_with_their_commit";
    if is_absent(test) {
        return;
    }
    let daemon = Daemon::start(&Setup::of(PROGRAMS));
    daemon.releases();
    fs::write(daemon.path("releases/README"), "no release").unwrap();
    fs::create_dir(daemon.path("releases/.tmp")).unwrap();
    let runs = client(&daemon.place_with_releases("runs"), None).unwrap();
    let all = runs.releases(soon()).unwrap();
    let told: Vec<(&str, bool, Option<String>)> = all
        .iter()
        .map(|one| {
            let commit = one.commit.as_ref().map(ToString::to_string);
            (one.id.as_str(), one.current, commit)
        })
        .collect();
    let of = |name: &'static str, current| (name, current, Some(commit_of(name)));
    assert_eq!(told, [of("r3", true), of("r2", false), of("r1", false)]);
    let state = state_when(&runs, "it runs", |state| state.is_well());
    assert_eq!(state.release.as_deref(), Some("r3"));

    // A link that is switched under a process that runs is a deploy that is under way.
    std::thread::sleep(Duration::from_millis(2_100));
    fs::remove_file(daemon.path("current")).unwrap();
    std::os::unix::fs::symlink(daemon.path("releases/r2"), daemon.path("current")).unwrap();
    let state = runs.state(soon()).unwrap();
    assert!(state.deploying.is_some() && !state.is_well(), "{state:#?}");

    // No link is no state, and none of the releases is made up.
    fs::remove_file(daemon.path("current")).unwrap();
    assert_eq!(runs.state(soon()).unwrap_err().kind, ErrorKind::Settings);
    assert_eq!(runs.releases(soon()).unwrap_err().kind, ErrorKind::Settings);
    // Without the keys there are none.
    let without = daemon.client("runs");
    assert_eq!(
        without.releases(soon()).unwrap_err().kind,
        ErrorKind::Unsupported
    );
    assert_eq!(without.state(soon()).unwrap().release, None);
}

#[test]
fn output_is_shown_of_one_or_of_all() {
    let test = "output_is_shown_of_one_or_of_all";
    if is_absent(test) {
        return;
    }
    let programs = "\
[program:talk]
process_name=talk_%(process_num)d
numprocs=2
command=/bin/sh -c 'for i in 1 2 3; do echo out%(process_num)d-$i; done; echo err%(process_num)d >&2; sleep 1000'

[program:mute]
command=/bin/sh -c 'echo x; sleep 1000'
stdout_logfile=NONE
stderr_logfile=NONE
";
    let daemon = Daemon::start(&Setup::of(programs));
    let talk = daemon.client("talk");
    let texts = |instance: Option<&str>, lines| -> Vec<String> {
        let all = talk.logs(instance, lines, soon()).unwrap();
        all.into_iter().map(|line| line.text).collect()
    };
    crate::daemon::wait("both have talked", || {
        (texts(None, 50).len() == 8).then_some(())
    });
    assert_eq!(
        texts(Some("talk:talk_1"), 50),
        ["out1-1", "out1-2", "out1-3", "err1"]
    );
    assert_eq!(texts(Some("talk:talk_1"), 2), ["out1-3", "err1"]);
    assert_eq!(texts(Some("talk:nobody"), 2), Vec::<String>::new());
    assert!(
        daemon
            .client("mute")
            .logs(None, 5, soon())
            .unwrap()
            .is_empty()
    );
}
