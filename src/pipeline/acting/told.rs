//! What a dossier tells of recovery: what may be asked for, what the platform showed last, what was tried
//! against this fault and what came of it. A line each, the most useful first, since the last are cut.
//! Not here: how it is shown.

use crate::model::recovery::{
    Action, Aftermath, CallerKind, Fact, Instance, InstanceState, Permit, Policy, Stage, State,
    Verb,
};
use crate::model::{Incident, Timestamp};
use crate::policy::is_given_up;
use crate::store::{Error, Store, Watching};
use std::time::Duration;

/// Instances that are told of.
const INSTANCES: usize = 6;
/// Facts that are told of, the newest.
const FACTS: usize = 6;
/// Actions that are told of, the newest.
const ACTIONS: usize = 6;
/// Actions of a service among which those of an incident are looked for.
const LATELY: usize = 50;
/// How far back facts are told.
const BACK: Duration = Duration::from_secs(24 * 3600);

/// What is known of a service's recovery, for an incident of it.
///
/// # Errors
/// When the store cannot be read.
pub fn story(
    store: &Store,
    policy: &Policy,
    incident: &Incident,
    now: Timestamp,
) -> Result<Vec<String>, Error> {
    let service = &incident.service;
    let past = store.actions_against(service, &incident.fingerprint)?;
    let mut lines = allowed(policy, &past);
    lines.extend(past.iter().rev().take(ACTIONS).map(tried));
    if past.is_empty() {
        lines.push("nothing was tried against this fault".to_owned());
    }
    lines.extend(shown(store.watching(service)?.as_ref()));
    let facts = store.facts_since(service, now.minus(BACK))?;
    lines.extend(facts.iter().rev().take(FACTS).map(fact));
    Ok(lines)
}

/// What a model asked for in an incident and how that stands, a sentence each, oldest first.
///
/// # Errors
/// When the store cannot be read.
pub fn asked_for(store: &Store, incident: &Incident) -> Result<Vec<String>, Error> {
    let all = store.actions(Some(&incident.service), LATELY)?;
    let by_model =
        |one: &&Action| one.incident == Some(incident.id) && one.caller.kind == CallerKind::Model;
    Ok(all.iter().rev().filter(by_model).map(asked).collect())
}

fn asked(action: &Action) -> String {
    let then = match action.stage {
        Stage::Pending => format!("; `autofix approve {}` releases it", action.id),
        Stage::Refused
        | Stage::Proposed
        | Stage::Expired
        | Stage::Denied
        | Stage::Approved
        | Stage::Running
        | Stage::Watched
        | Stage::Done
        | Stage::Failed => String::new(),
    };
    format!(
        "the model asked to {}: action {} is {} ({}){then}",
        action.task,
        action.id,
        action.stage.word(),
        action.said
    )
}

fn allowed(policy: &Policy, past: &[Action]) -> Vec<String> {
    let mode = match policy.permit {
        Permit::Approve => "a person approves each action",
        Permit::Propose => "an action is only said, never carried out",
        Permit::Auto => "an action is carried out when every check passes",
    };
    let changes = |word: &&String| !Verb::from_word(word).is_some_and(Verb::looks);
    let (given_up, left): (Vec<&String>, Vec<&String>) = policy
        .verbs
        .iter()
        .filter(changes)
        .partition(|word| is_given_up(past, word));
    let words: Vec<&str> = left.iter().map(|word| word.as_str()).collect();
    let words = match words.is_empty() {
        true => "nothing".to_owned(),
        false => words.join(", "),
    };
    let mode_word = policy.permit.word();
    let mut lines = vec![format!(
        "may be asked for: {words}; mode {mode_word}: {mode}"
    )];
    lines.extend(given_up.iter().map(|word| {
        format!("{word} is not offered: it did not help twice or more against this fault")
    }));
    lines
}

/// What was done, and what came of it.
fn tried(action: &Action) -> String {
    let came = match (action.stage, action.aftermath) {
        (_, Some(Aftermath::Healthy)) => match (action.ended, action.recurred) {
            (Some(ended), Some(again)) => format!(
                "the service was well, for {}: then it failed again",
                span(again.since(ended))
            ),
            (Some(_) | None, Some(_) | None) => {
                "the service was well, and has not failed again".to_owned()
            }
        },
        (_, Some(Aftermath::NoChange)) => "it did not help".to_owned(),
        (_, Some(Aftermath::Worse)) => "it made things worse".to_owned(),
        (Stage::Failed, None) => format!("the platform did not get it done: {}", action.said),
        (Stage::Approved | Stage::Running | Stage::Watched, None) => "it is under way".to_owned(),
        (
            Stage::Refused
            | Stage::Proposed
            | Stage::Pending
            | Stage::Expired
            | Stage::Denied
            | Stage::Done,
            None,
        ) => format!("it is {}", action.stage.word()),
    };
    format!(
        "tried on {} by {}: {}: {came}",
        action.made.to_rfc3339(),
        action.caller.kind.word(),
        action.task
    )
}

fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

fn shown(watching: Option<&Watching>) -> Vec<String> {
    let Some(watching) = watching else {
        return vec!["the platform was not asked yet".to_owned()];
    };
    let mut lines = Vec::new();
    if let Some(fault) = &watching.fault {
        lines.push(format!("the platform does not answer now: {fault}"));
    }
    match (&watching.state, watching.asked) {
        (Some(state), Some(asked)) => lines.extend(of_state(state, asked)),
        (Some(_) | None, _) => lines.push("the platform has not answered yet".to_owned()),
    }
    lines
}

fn of_state(state: &State, asked: Timestamp) -> Vec<String> {
    let well = if state.is_well() { "well" } else { "not well" };
    let wanted = state.wanted.map(|n| format!(", {n} instances wanted"));
    let release = state.release.as_ref().map(|id| format!(", release {id}"));
    let mut lines = vec![format!(
        "the platform on {}: {well}{}{}",
        asked.to_rfc3339(),
        wanted.unwrap_or_default(),
        release.unwrap_or_default()
    )];
    let more = [
        ("a deploy is under way", &state.deploying),
        ("the newest deploy failed", &state.deploy_failed),
        ("kept as it is by", &state.kept_by),
    ];
    let more = more
        .into_iter()
        .filter_map(|(what, said)| Some(format!("{what}: {}", said.as_ref()?)));
    lines.extend(more);
    // What is in trouble first.
    let mut instances: Vec<&Instance> = state.instances.iter().collect();
    instances.sort_by_key(|one| one.state == InstanceState::Running);
    lines.extend(instances.iter().take(INSTANCES).map(|one| instance(one)));
    if instances.len() > INSTANCES {
        lines.push(format!(
            "and {} instances more",
            instances.len() - INSTANCES
        ));
    }
    lines
}

fn instance(one: &Instance) -> String {
    let mut line = format!("instance {}: {} ({})", one.id, one.state.word(), one.word);
    if one.healthy == Some(false) {
        line.push_str(", its health check fails");
    }
    if let Some(restarts) = one.restarts {
        line.push_str(&format!(", {restarts} restarts"));
    }
    if one.own {
        line.push_str(", autofix runs in it");
    }
    line
}

fn fact(fact: &Fact) -> String {
    let whose = match fact.instance.as_str() {
        "" => "the service",
        instance => instance,
    };
    let from = match fact.asked {
        true => "",
        false => "; it was sent, not asked for",
    };
    format!(
        "fact of {}: {whose}: {} ({}){from}",
        fact.at.to_rfc3339(),
        fact.text,
        fact.kind.word()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::recovery::{ActionId, Basis, Caller, Task};

    fn action(stage: Stage, aftermath: Option<Aftermath>, recurred: Option<i64>) -> Action {
        Action {
            id: ActionId(3),
            service: "cart".into(),
            task: Task::Restart { instance: None },
            caller: Caller {
                kind: CallerKind::Rule,
                name: "crash-loop".into(),
            },
            why: String::new(),
            incident: None,
            fingerprint: None,
            evidence: Vec::new(),
            risk: String::new(),
            checks: Vec::new(),
            basis: Basis::default(),
            hash: String::new(),
            stage,
            said: "exit 7".into(),
            made: Timestamp(0),
            expires: Timestamp(0),
            by: None,
            begun: None,
            acted: None,
            ended: Some(Timestamp(0)),
            before: None,
            handle: None,
            well_since: None,
            aftermath,
            recurred: recurred.map(|seconds| Timestamp::from_parts(seconds, 0)),
        }
    }

    #[test]
    fn what_came_of_an_action_is_told_with_how_long_it_held() {
        let (healthy, done) = (Some(Aftermath::Healthy), Stage::Done);
        for (action, says) in [
            (
                action(done, healthy, None),
                "was well, and has not failed again",
            ),
            (action(done, healthy, Some(90)), "was well, for 90 s: then"),
            (
                action(done, healthy, Some(600)),
                "was well, for 10 min: then",
            ),
            (
                action(done, healthy, Some(90_000)),
                "was well, for 25 h: then",
            ),
            (
                action(done, Some(Aftermath::NoChange), None),
                "it did not help",
            ),
            (
                action(done, Some(Aftermath::Worse), None),
                "it made things worse",
            ),
            (
                action(Stage::Failed, None, None),
                "did not get it done: exit 7",
            ),
            (action(Stage::Watched, None, None), "it is under way"),
        ] {
            let told = tried(&action);
            assert!(told.contains("by rule: restart all instances: "), "{told}");
            assert!(told.contains(says), "{says}: {told}");
        }
    }

    #[test]
    fn a_verb_is_given_up_when_it_failed_twice_in_whatever_way() {
        let failed = action(Stage::Failed, None, None);
        let in_vain = action(Stage::Done, Some(Aftermath::NoChange), None);
        let helped = action(Stage::Done, Some(Aftermath::Healthy), Some(60));
        assert!(!is_given_up(
            &[failed.clone(), helped.clone(), helped],
            "restart"
        ));
        assert!(is_given_up(&[failed.clone(), in_vain.clone()], "restart"));
        assert!(!is_given_up(&[failed, in_vain], "rollback"));
    }
}
