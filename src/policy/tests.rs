//! What the room's tests are made of, and one test for each check.

use super::*;
use crate::model::Timestamp;
use crate::model::recovery::*;
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) const NOW: Timestamp = Timestamp(1_800_000_000_000_000_000);

pub(super) fn policy() -> Policy {
    let words = ["restart", "rollback", "scale", "stop", "start", "status"];
    Policy {
        verbs: words.map(str::to_owned).to_vec(),
        scale: Some((1, 4)),
        permit: Permit::Auto,
        ..Policy::of(Place {
            platform: PlatformKind::Supervisor,
            target: "cart".to_owned(),
            api: None,
            region: None,
            token: None,
            ca: None,
            releases: None,
            current: None,
        })
    }
}

pub(super) fn instance(id: &str) -> Instance {
    Instance {
        id: id.to_owned(),
        state: InstanceState::Running,
        word: "RUNNING".to_owned(),
        healthy: None,
        release: Some("7".to_owned()),
        restarts: None,
        started: None,
        exits: Vec::new(),
        own: false,
    }
}

pub(super) fn request(verb: &str) -> Request {
    Request {
        service: "cart".to_owned(),
        verb: verb.to_owned(),
        parameters: BTreeMap::new(),
        caller: Caller {
            kind: CallerKind::Rule,
            name: "crash-loop".to_owned(),
        },
        why: "5 crashes".to_owned(),
        incident: None,
        fingerprint: Some("v1:a".to_owned()),
    }
}

pub(super) fn crash(instance: &str, release: &str, seconds_ago: u64) -> Fact {
    Fact {
        service: "cart".to_owned(),
        kind: FactKind::Crash,
        instance: instance.to_owned(),
        at: NOW.minus(Duration::from_secs(seconds_ago)),
        release: Some(release.to_owned()),
        text: "exit status 1".to_owned(),
        asked: true,
    }
}

/// Everything that a restart needs is there.
struct Case {
    policy: Policy,
    request: Request,
    task: Task,
    state: State,
    evidence: Vec<Fact>,
    releases: Vec<Release>,
    health: Vec<Health>,
    history: History,
}

impl Case {
    fn new() -> Case {
        let mut sick = instance("a");
        sick.state = InstanceState::Failed;
        sick.word = "FATAL".to_owned();
        Case {
            policy: policy(),
            request: request("restart"),
            task: Task::Restart { instance: None },
            state: State {
                instances: vec![sick, instance("b")],
                release: Some("7".to_owned()),
                wanted: Some(2),
                ..State::default()
            },
            evidence: vec![crash("a", "7", 10)],
            releases: Vec::new(),
            health: Vec::new(),
            history: History::default(),
        }
    }

    /// The names of the checks that fail.
    fn fails(&self) -> Vec<String> {
        let known = Known {
            state: &self.state,
            evidence: &self.evidence,
            releases: &self.releases,
            health: &self.health,
            history: &self.history,
            now: NOW,
        };
        judge(&self.policy, &self.request, &self.task, &known)
            .into_iter()
            .filter(|check| !check.passed)
            .map(|check| check.name)
            .collect()
    }
}

fn with(change: impl FnOnce(&mut Case)) -> Vec<String> {
    let mut case = Case::new();
    change(&mut case);
    case.fails()
}

#[test]
fn with_everything_in_order_nothing_fails() {
    assert_eq!(with(|_| {}), [""; 0]);
}

#[test]
fn each_check_fails_alone() {
    let ago = |seconds| NOW.minus(Duration::from_secs(seconds));
    assert_eq!(with(|case| case.policy.verbs.clear()), ["verb_allowed"]);
    assert_eq!(with(|case| case.evidence.clear()), ["fact_of_platform"]);
    assert_eq!(
        with(|case| case.evidence[0].asked = false),
        ["fact_of_platform"]
    );
    assert_eq!(
        with(|case| case.state.instances[0].state = InstanceState::Running),
        ["unhealthy_now"]
    );
    assert_eq!(
        with(|case| case.state.deploying = Some("7 to 8".to_owned())),
        ["no_deploy_under_way"]
    );
    assert_eq!(
        with(|case| case.state.kept_by = Some("Argo CD".to_owned())),
        ["not_kept_by_another"]
    );
    assert_eq!(
        with(|case| {
            case.state.instances[0].own = true;
            case.task = Task::Stop {
                instance: "a".to_owned(),
            };
        }),
        ["not_its_own"]
    );
    // All of them is the service, and that may be acted on.
    assert_eq!(with(|case| case.state.instances[1].own = true), [""; 0]);
    assert_eq!(
        with(|case| {
            case.state.instances[1].own = true;
            case.task = Task::Restart {
                instance: Some("a".to_owned()),
            };
        }),
        [""; 0]
    );
    assert_eq!(
        with(|case| case.policy.max_instances = Some(1)),
        ["blast_radius"]
    );
    assert_eq!(
        with(|case| {
            case.policy.scale = Some((2, 4));
            case.task = Task::Stop {
                instance: "a".to_owned(),
            };
        }),
        ["blast_radius"]
    );
    assert_eq!(
        with(|case| case.history.under_way = Some(ActionId(3))),
        ["none_under_way"]
    );
    assert_eq!(
        with(|case| case.history.last_ended = Some(ago(299))),
        ["cool_down"]
    );
    let after_the_last = |case: &mut Case| {
        case.history.last_ended = Some(ago(301));
        case.evidence = vec![crash("a", "7", 400)];
        case.state.instances[0].state = InstanceState::Running;
        let exit = Exit {
            at: ago(400),
            code: Some(1),
            signal: None,
            oom: false,
            wanted: false,
        };
        case.state.instances[0].exits.push(exit);
    };
    // What the last action was for is no reason for the next.
    assert_eq!(with(after_the_last), ["fact_of_platform", "unhealthy_now"]);
    assert_eq!(
        with(|case| case.history.last_ended = Some(ago(301))),
        [""; 0]
    );
    assert_eq!(with(|case| case.history.in_hour = 3), ["per_hour"]);
    assert_eq!(with(|case| case.history.in_day = 10), ["per_day"]);
    assert_eq!(
        with(|case| case.history.failed = Some((ActionId(3), ago(4_000)))),
        ["last_one_helped"]
    );
    assert_eq!(
        with(|case| case.history.failed_for_fault = 2),
        ["not_given_up"]
    );
    assert_eq!(with(|case| case.history.waiting = 20), ["few_wait"]);
}

#[test]
fn the_cool_down_grows_with_each_restart() {
    let put_off = |of_verb, seconds| {
        with(|case| {
            case.history.of_verb = of_verb;
            case.history.last_ended = Some(NOW.minus(Duration::from_secs(seconds)));
        })
    };
    assert_eq!(put_off(1, 301), [""; 0]);
    assert_eq!(put_off(2, 301), ["cool_down"]);
    assert_eq!(put_off(2, 601), [""; 0]);
    assert_eq!(put_off(4, 2_000), ["cool_down"]);
}

#[test]
fn a_person_goes_on_after_a_failure_but_not_without_a_fact() {
    let person = |case: &mut Case| case.request.caller.kind = CallerKind::Person;
    assert_eq!(
        with(|case| {
            person(case);
            case.history.failed = Some((ActionId(3), NOW));
            case.history.failed_for_fault = 2;
        }),
        [""; 0]
    );
    assert_eq!(
        with(|case| {
            person(case);
            case.evidence.clear();
        }),
        ["fact_of_platform"]
    );
    assert_eq!(
        with(|case| {
            person(case);
            case.evidence.clear();
            case.state.instances[0].state = InstanceState::Running;
            case.task = Task::Scale { from: 2, to: 3 };
        }),
        [""; 0]
    );
}

#[test]
fn a_roll_back_goes_to_an_earlier_release_that_ran_well() {
    let release = |id: &str, current| Release {
        id: id.to_owned(),
        name: id.to_owned(),
        made: Some(NOW),
        current,
        commit: None,
        good: Some(true),
    };
    let to = |to: &str| {
        with(|case| {
            case.releases = vec![release("8", false), release("7", true), release("6", false)];
            case.task = Task::Rollback { to: to.to_owned() };
        })
    };
    assert_eq!(to("6"), [""; 0]);
    assert_eq!(to("8"), ["release_was_healthy"]);
    assert_eq!(to("5"), ["release_was_healthy"]);
}

#[test]
fn quiet_hours_wait_for_a_person_also_over_midnight() {
    let mut policy = policy();
    let at = |hour: i64, minute: i64| Timestamp((hour * 60 + minute) * 60 * 1_000_000_000);
    assert_eq!(waits_for_person(&policy, at(23, 0)), None);
    policy.quiet = vec![Quiet {
        from: 22 * 60,
        to: 6 * 60,
    }];
    assert!(waits_for_person(&policy, at(23, 0)).is_some());
    assert!(waits_for_person(&policy, at(5, 59)).is_some());
    assert_eq!(waits_for_person(&policy, at(6, 0)), None);
    assert_eq!(waits_for_person(&policy, at(21, 59)), None);
    policy.permit = Permit::Approve;
    assert!(waits_for_person(&policy, at(12, 0)).is_some());
}
