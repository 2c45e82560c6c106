//! What is begun and how it ends: what is called is what was planned, and a lost answer comes to the
//! right end.

use crate::daemon::{Daemon, Setup, client, is_absent, place, soon, state_when, wait};
use crate::proxy::{Proxy, Spoil};
use autofix::model::Timestamp;
use autofix::model::recovery::{InstanceState, Place, State, Task};
use autofix::recover::{Attempt, ErrorKind, Platform, Progress, Supervisor};
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const PROGRAMS: &str = "\
[program:web]
process_name=web_%(process_num)d
numprocs=2
command=/bin/sleep 1000
stopwaitsecs=1

[program:deaf]
command=/bin/sh -c 'trap \"\" TERM; while :; do sleep 1; done'
stopasgroup=false
killasgroup=true
stopwaitsecs=1

[program:off]
command=/bin/sleep 1000
autostart=false

[program:broken]
command=/bin/false
startsecs=5
startretries=0
";

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(since.as_nanos()).unwrap())
}

/// What came of a task: what `begin` gave, the calls that changed something, and the end by polling.
struct Done {
    begun: Result<(), ErrorKind>,
    plan: Vec<String>,
    calls: Vec<String>,
    end: Progress,
}

fn carry(client: &Supervisor, proxy: &Proxy, task: &Task) -> Done {
    let before = client.state(soon()).unwrap();
    // supervisord counts in seconds: what ran before began in an earlier one.
    std::thread::sleep(Duration::from_millis(1_100));
    proxy.changes();
    let plan = client.plan(task, &before).unwrap();
    assert_eq!(proxy.changes(), Vec::<String>::new(), "a plan asks nothing");
    let begun = now();
    let handle = client.begin(task, &before, "autofix-1-x", soon());
    let calls = proxy.changes();
    proxy.spoil(|_| None);
    let attempt = Attempt {
        task,
        before: &before,
        begun,
        handle: handle.as_ref().ok().and_then(Option::as_ref),
    };
    let end = wait("the end of it", || {
        match client.poll(&attempt, soon()).unwrap() {
            Progress::Going(_) => None,
            over => Some(over),
        }
    });
    Done {
        begun: handle.map(|_| ()).map_err(|fault| fault.kind),
        plan,
        calls,
        end,
    }
}

fn through(daemon: &Daemon, target: &str) -> (Supervisor, Proxy) {
    let proxy = Proxy::before(&daemon.path("s"));
    let found = client(&place(target, &proxy.api()), None).unwrap();
    (found, proxy)
}

fn runs(state: &State) -> bool {
    let good = |one: &autofix::model::recovery::Instance| one.state == InstanceState::Running;
    state.instances.iter().all(good)
}

fn is_done(done: &Done) {
    assert!(matches!(done.end, Progress::Done(_)), "{:?}", done.end);
}

#[test]
fn what_is_called_is_what_was_planned() {
    let test = "what_is_called_is_what_was_planned";
    if is_absent(test) {
        return;
    }
    let daemon = Daemon::start(&Setup::of(PROGRAMS));
    let (web, proxy) = through(&daemon, "web");
    state_when(&web, "both run", runs);
    let one = "web:web_1".to_owned();
    for (task, spawned) in [
        (Task::Restart { instance: None }, (2, 2)),
        (
            Task::Restart {
                instance: Some(one.clone()),
            },
            (2, 3),
        ),
        (
            Task::Stop {
                instance: one.clone(),
            },
            (2, 3),
        ),
        (Task::Start { instance: one }, (2, 4)),
    ] {
        let done = carry(&web, &proxy, &task);
        assert_eq!(done.begun, Ok(()), "{task}");
        assert_eq!(done.calls, done.plan, "{task}");
        assert!(!done.plan.is_empty());
        is_done(&done);
        let counted = (daemon.spawned("web_0"), daemon.spawned("web_1"));
        assert_eq!(counted, spawned, "{task}");
    }
    let state = state_when(&web, "both run", runs);
    // Each stop was asked for.
    for one in &state.instances {
        assert!(!one.exits.is_empty());
        assert!(
            one.exits.iter().all(|exit| exit.wanted && !exit.is_crash()),
            "{one:#?}"
        );
    }
    let task = Task::Scale { from: 2, to: 3 };
    let fault = web.plan(&task, &state).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Unsupported);
    let fault = web.begin(&task, &state, "x", soon()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Unsupported);
    let task = Task::Rollback {
        to: "r1".to_owned(),
    };
    let fault = web.begin(&task, &state, "x", soon()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Unsupported);
    assert_eq!(proxy.changes(), Vec::<String>::new());
}

#[test]
fn one_that_ignores_being_asked_to_stop_is_restarted_all_the_same() {
    let test = "one_that_ignores_being_asked_to_stop_is_restarted_all_the_same";
    if is_absent(test) {
        return;
    }
    let daemon = Daemon::start(&Setup::of(PROGRAMS));
    let (deaf, proxy) = through(&daemon, "deaf");
    state_when(&deaf, "it runs", runs);
    let done = carry(&deaf, &proxy, &Task::Restart { instance: None });
    assert_eq!(done.begun, Ok(()));
    is_done(&done);
    let state = deaf.state(soon()).unwrap();
    let exit = state.instances[0].exits.last().unwrap();
    assert_eq!((exit.signal, exit.wanted), (Some(9), true));
    assert_eq!(daemon.spawned("deaf"), 2);
}

#[test]
fn what_does_not_stay_up_fails_and_what_was_off_is_started() {
    let test = "what_does_not_stay_up_fails_and_what_was_off_is_started";
    if is_absent(test) {
        return;
    }
    let daemon = Daemon::start(&Setup::of(PROGRAMS));
    let (broken, proxy) = through(&daemon, "broken");
    state_when(&broken, "given up", |state| {
        state.instances[0].word == "FATAL"
    });
    let done = carry(&broken, &proxy, &Task::Restart { instance: None });
    assert!(matches!(done.end, Progress::Failed(_)), "{:?}", done.end);
    drop(proxy);
    fs::remove_file(daemon.path("p")).unwrap();
    let (off, proxy) = through(&daemon, "off");
    let task = Task::Start {
        instance: "off:off".to_owned(),
    };
    is_done(&carry(&off, &proxy, &task));
    // Again: it runs already, and nothing comes of it.
    let before = off.state(soon()).unwrap();
    off.begin(&task, &before, "x", soon()).unwrap();
    assert_eq!(daemon.spawned("off"), 1);
}

#[test]
fn an_answer_that_is_lost_comes_to_the_right_end() {
    let test = "an_answer_that_is_lost_comes_to_the_right_end";
    if is_absent(test) {
        return;
    }
    for spoil in [Spoil::Cut, Spoil::Half] {
        for method in ["stopProcess", "startProcess"] {
            let daemon = Daemon::start(&Setup::of(PROGRAMS));
            daemon.releases();
            let (web, proxy) = through(&daemon, "web");
            state_when(&web, "both run", runs);
            let lose = |name: &'static str| {
                let spoil = spoil.clone();
                let mut left = 1;
                move |call: &str| {
                    let hit = call.contains(name) && left > 0;
                    left -= i32::from(hit);
                    hit.then(|| spoil.clone())
                }
            };
            proxy.spoil(lose(method));
            let task = Task::Restart { instance: None };
            let done = carry(&web, &proxy, &task);
            is_done(&done);
            let counted = (daemon.spawned("web_0"), daemon.spawned("web_1"));
            assert_eq!(counted, (2, 2), "{method} {spoil:?} {:?}", done.calls);
            let state = web.state(soon()).unwrap();
            assert!(runs(&state), "{state:#?}");

            // A roll-back too: the link is where it belongs, and everything runs.
            let place = Place {
                api: Some(proxy.api()),
                ..daemon.place_with_releases("web")
            };
            let web = client(&place, None).unwrap();
            proxy.spoil(lose(method));
            let task = Task::Rollback {
                to: "r1".to_owned(),
            };
            let done = carry(&web, &proxy, &task);
            is_done(&done);
            assert!(
                fs::read_link(daemon.path("current"))
                    .unwrap()
                    .ends_with("r1")
            );
            let counted = (daemon.spawned("web_0"), daemon.spawned("web_1"));
            assert_eq!(counted, (3, 3), "{method} {spoil:?} {:?}", done.calls);
        }
    }
}

#[test]
fn whoever_takes_over_finishes_what_was_broken_off() {
    let test = "whoever_takes_over_finishes_what_was_broken_off";
    if is_absent(test) {
        return;
    }
    let daemon = Daemon::start(&Setup::of(PROGRAMS));
    daemon.releases();
    let place = daemon.place_with_releases("web");
    let web = client(&place, None).unwrap();
    let before = state_when(&web, "both run", runs);
    std::thread::sleep(Duration::from_millis(1_100));
    let first = now();
    // The one before died after its first call, the stop of one process.
    let stop = Task::Stop {
        instance: "web:web_0".to_owned(),
    };
    web.begin(&stop, &before, "x", soon()).unwrap();
    let end = |task: &Task, begun: Timestamp| {
        let attempt = Attempt {
            task,
            before: &before,
            begun,
            handle: None,
        };
        wait("the end of it", || {
            match web.poll(&attempt, soon()).unwrap() {
                Progress::Going(_) => None,
                over => Some(over),
            }
        })
    };
    // Of a roll-back: the link was not switched, so it failed; but nothing stays down for it.
    let rollback = Task::Rollback {
        to: "r1".to_owned(),
    };
    assert!(matches!(end(&rollback, first), Progress::Failed(_)));
    let state = state_when(&web, "both run again", runs);
    assert_eq!(state.release.as_deref(), Some("r3"));
    assert_eq!((daemon.spawned("web_0"), daemon.spawned("web_1")), (2, 1));
    // Of a restart of that one.
    std::thread::sleep(Duration::from_millis(1_100));
    let second = now();
    web.begin(&stop, &before, "x", soon()).unwrap();
    let restart = Task::Restart {
        instance: Some("web:web_0".to_owned()),
    };
    assert!(matches!(end(&restart, second), Progress::Done(_)));
    assert_eq!((daemon.spawned("web_0"), daemon.spawned("web_1")), (3, 1));
}

#[test]
fn a_person_who_stops_it_meanwhile_is_not_worked_against() {
    let test = "a_person_who_stops_it_meanwhile_is_not_worked_against";
    if is_absent(test) {
        return;
    }
    let daemon = Daemon::start(&Setup::of(PROGRAMS));
    let web = daemon.client("web");
    let before = state_when(&web, "both run", runs);
    let task = Task::Restart { instance: None };
    let begun = now();
    let handle = web.begin(&task, &before, "x", soon()).unwrap();
    assert!(
        handle.is_some(),
        "whoever polls must know that it was begun as a whole"
    );
    let stop = Task::Stop {
        instance: "web:web_0".to_owned(),
    };
    web.begin(&stop, &before, "x", soon()).unwrap();
    let attempt = Attempt {
        task: &task,
        before: &before,
        begun,
        handle: handle.as_ref(),
    };
    for _ in 0..3 {
        let progress = web.poll(&attempt, soon()).unwrap();
        assert!(!matches!(progress, Progress::Done(_)), "{progress:?}");
    }
    assert_eq!(daemon.spawned("web_0"), 2);
}

#[test]
fn a_rollback_switches_the_link_once_and_only_from_where_it_was() {
    let test = "a_rollback_switches_the_link_once_and_only_from_where_it_was";
    if is_absent(test) {
        return;
    }
    let daemon = Daemon::start(&Setup::of(PROGRAMS));
    daemon.releases();
    let proxy = Proxy::before(&daemon.path("s"));
    let place = Place {
        api: Some(proxy.api()),
        ..daemon.place_with_releases("web")
    };
    let web = client(&place, None).unwrap();
    state_when(&web, "both run", runs);
    let current = || {
        let link = fs::read_link(daemon.path("current")).unwrap();
        link.file_name().unwrap().to_str().unwrap().to_owned()
    };
    let back = |to: &str| Task::Rollback { to: to.to_owned() };
    let done = carry(&web, &proxy, &back("r1"));
    is_done(&done);
    assert_eq!(current(), "r1");
    let link = format!(
        "symlink {} -> {}",
        daemon.path("current").display(),
        daemon.path("releases/r1").display()
    );
    let mut asked = done.plan.clone();
    asked.retain(|line| *line != link);
    assert_eq!(asked.len() + 1, done.plan.len());
    assert_eq!(done.calls, asked);
    // Nothing is left beside it.
    let names: Vec<String> = fs::read_dir(daemon.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("autofix"))
        .collect();
    assert_eq!(names, Vec::<String>::new());

    // Changed meanwhile: nothing is switched, and what ran runs.
    proxy.changes();
    let before = web.state(soon()).unwrap();
    fs::remove_file(daemon.path("current")).unwrap();
    std::os::unix::fs::symlink(daemon.path("releases/r2"), daemon.path("current")).unwrap();
    let fault = web.begin(&back("r3"), &before, "x", soon()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Invalid, "{fault}");
    assert_eq!(current(), "r2");
    assert_eq!(
        proxy.changes(),
        Vec::<String>::new(),
        "nothing is stopped for it"
    );
    state_when(&web, "both run", |state| {
        runs(state) || state.deploying.is_some()
    });

    // The folder is gone.
    let before = web.state(soon()).unwrap();
    fs::remove_dir_all(daemon.path("releases/r1")).unwrap();
    let fault = web.begin(&back("r1"), &before, "x", soon()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Missing, "{fault}");
    assert_eq!(current(), "r2");
    assert_eq!(
        proxy.changes(),
        Vec::<String>::new(),
        "nothing is stopped for it"
    );

    // Nobody may write there. Root may always, so the place of the new link is taken as well.
    let taken = format!(".current.autofix-{}", std::process::id());
    fs::create_dir_all(daemon.path(&taken).join("x")).unwrap();
    let before = web.state(soon()).unwrap();
    let fault = web.begin(&back("r3"), &before, "x", soon()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Settings, "{fault}");
    assert!(fault.what.contains("needs the right to it"), "{fault}");
    assert_eq!(current(), "r2");
    state_when(&web, "all run again", runs);
}
