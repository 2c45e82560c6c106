//! What a caller asks for, and the task that it means: a verb that is allowed, parameters of the right
//! type within their bounds, instances and releases that exist. Everything here may come from a model.

use crate::model::IncidentId;
use crate::model::Timestamp;
use crate::model::recovery::{
    Caller, CallerKind, OwnVerb, Policy, Release, Shape, State, Task, Verb,
};
use crate::policy::release::{Health, choose};
use std::collections::BTreeMap;

/// Longest value of a parameter, in bytes.
const VALUE: usize = 256;

/// A request, as it comes to the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub service: String,
    pub verb: String,
    pub parameters: BTreeMap<String, String>,
    pub caller: Caller,
    pub why: String,
    pub incident: Option<IncidentId>,
    pub fingerprint: Option<String>,
}

/// Why a request means nothing that could be done: the check that it fails, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub check: &'static str,
    pub why: String,
}

fn wrong<T>(check: &'static str, why: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong {
        check,
        why: why.into(),
    })
}

/// The task that a request means.
///
/// # Errors
/// What is wrong with it; nothing can be done then.
pub fn task(
    policy: &Policy,
    request: &Request,
    state: &State,
    releases: &[Release],
    health: &[Health],
    now: Timestamp,
) -> Result<Task, Wrong> {
    let verb = &request.verb;
    if !policy.allows(verb) {
        return wrong("verb_allowed", not_allowed(policy, verb));
    }
    let given = &request.parameters;
    if let Some((name, _)) = given.iter().find(|(_, value)| value.len() > VALUE) {
        let name: String = name.chars().take(60).collect();
        let why = format!("{} is longer than {VALUE} bytes", name.escape_debug());
        return wrong("parameters", why);
    }
    let Some(built_in) = Verb::from_word(verb) else {
        return match policy.own.iter().find(|own| own.name == *verb) {
            Some(own) => own_task(own, given),
            None => wrong("verb_allowed", not_allowed(policy, verb)),
        };
    };
    match built_in {
        Verb::Status | Verb::Logs | Verb::Releases => {
            wrong("parameters", format!("{verb} changes nothing"))
        }
        Verb::Restart => {
            only(given, &["instance"])?;
            let instance = given.get("instance");
            let instance = instance.map(|id| instance_of(state, id)).transpose()?;
            Ok(Task::Restart { instance })
        }
        Verb::Stop => Ok(Task::Stop {
            instance: one_instance(state, given)?,
        }),
        Verb::Start => Ok(Task::Start {
            instance: one_instance(state, given)?,
        }),
        Verb::Scale => scale(policy, state, given),
        Verb::Rollback => {
            only(given, &["to"])?;
            let to = match given.get("to") {
                Some(to) => match releases.iter().find(|release| release.id == *to) {
                    Some(release) => release,
                    None => {
                        let why = format!("there is no release {}", to.escape_debug());
                        return wrong("parameters", why);
                    }
                },
                None => match choose(policy, releases, health, now) {
                    Ok(release) => release,
                    Err(why) => return wrong("release_was_healthy", why),
                },
            };
            Ok(Task::Rollback { to: to.id.clone() })
        }
    }
}

fn not_allowed(policy: &Policy, verb: &str) -> String {
    let verb: String = verb.chars().take(60).collect();
    let allowed = match policy.verbs.is_empty() {
        true => "nothing is".to_owned(),
        false => policy.verbs.join(", "),
    };
    format!(
        "{} is not among the verbs of its [service.recover]; allowed: {allowed}",
        verb.escape_debug()
    )
}

fn only(given: &BTreeMap<String, String>, known: &[&str]) -> Result<(), Wrong> {
    match given.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let name: String = name.chars().take(60).collect();
            let known = match known {
                [] => "it takes none".to_owned(),
                known => format!("it takes {}", known.join(", ")),
            };
            let why = format!("no parameter {}; {known}", name.escape_debug());
            wrong("parameters", why)
        }
    }
}

fn instance_of(state: &State, id: &str) -> Result<String, Wrong> {
    match state.instances.iter().find(|instance| instance.id == id) {
        Some(instance) => Ok(instance.id.clone()),
        None => wrong(
            "parameters",
            format!("the service has no instance {}", id.escape_debug()),
        ),
    }
}

fn one_instance(state: &State, given: &BTreeMap<String, String>) -> Result<String, Wrong> {
    only(given, &["instance"])?;
    match given.get("instance") {
        Some(id) => instance_of(state, id),
        None => wrong("parameters", "it needs an instance"),
    }
}

fn scale(policy: &Policy, state: &State, given: &BTreeMap<String, String>) -> Result<Task, Wrong> {
    only(given, &["to"])?;
    let Some(to) = given.get("to") else {
        return wrong("parameters", "it needs `to`, the number of instances");
    };
    // No sign and nothing else that a number could be written with.
    let digits = to.len() <= 9 && to.bytes().all(|byte| byte.is_ascii_digit());
    let Some(to) = to.parse::<u32>().ok().filter(|_| digits) else {
        return wrong("parameters", format!("{} is no number", to.escape_debug()));
    };
    let Some((least, most)) = policy.scale else {
        return wrong("bounds", "there are no bounds to scale in");
    };
    if !(least..=most).contains(&to) {
        return wrong("bounds", format!("{to} is not within {least} to {most}"));
    }
    let Some(from) = state.wanted else {
        return wrong("parameters", "the platform does not say how many there are");
    };
    if from == to {
        return wrong("parameters", format!("there are {to} already"));
    }
    Ok(Task::Scale { from, to })
}

fn own_task(own: &OwnVerb, given: &BTreeMap<String, String>) -> Result<Task, Wrong> {
    let names: Vec<&str> = own.parameters.iter().map(|one| one.name.as_str()).collect();
    only(given, &names)?;
    for parameter in &own.parameters {
        let name = &parameter.name;
        let Some(value) = given.get(name) else {
            return wrong("parameters", format!("it needs {name}"));
        };
        if let Err(why) = has_shape(&parameter.shape, value) {
            return wrong("parameters", format!("{name}: {why}"));
        }
    }
    Ok(Task::Own {
        name: own.name.clone(),
        argv: own.argv.iter().map(|text| filled(text, given)).collect(),
        seconds: own.within.as_secs(),
    })
}

fn has_shape(shape: &Shape, value: &str) -> Result<(), String> {
    let shown = value.escape_debug();
    match shape {
        Shape::Integer(least, most) => {
            // As we would write it ourselves: `010` is eight to some programs.
            match value.parse::<i64>() {
                Ok(number) if number.to_string() == value && (*least..=*most).contains(&number) => {
                    Ok(())
                }
                _ => Err(format!("{shown} is no whole number from {least} to {most}")),
            }
        }
        Shape::Choice(values) => match values.iter().any(|one| one == value) {
            true => Ok(()),
            false => Err(format!("{shown} is none of {}", values.join(", "))),
        },
        Shape::Word(most) => {
            let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
            let fits = !value.is_empty()
                && value.len() <= *most
                && value.bytes().all(good)
                && !value.starts_with('-')
                && !value.contains("..");
            match fits {
                true => Ok(()),
                false => Err(format!(
                    "{shown} is no word of at most {most} letters, digits, `.`, `_` and `-`"
                )),
            }
        }
    }
}

/// One argument with its parameters filled in. Each stands for itself: what a value holds is not
/// looked at again.
fn filled(text: &str, given: &BTreeMap<String, String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        match after.split_once('}') {
            Some((name, behind)) => {
                filled.push_str(given.get(name).map_or("", String::as_str));
                rest = behind;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// What can go wrong with a task, for whoever approves it.
pub fn risk(policy: &Policy, task: &Task, state: &State) -> String {
    let all = state.instances.len();
    match task {
        Task::Restart { instance: None } => format!(
            "all {all} instances are restarted; requests in flight and what is only in memory are lost"
        ),
        Task::Restart { instance: Some(_) } | Task::Stop { .. } => format!(
            "one of {all} instances goes down; requests in flight and what is only in memory are lost"
        ),
        Task::Start { .. } => "one more instance runs, and costs".to_owned(),
        Task::Rollback { .. } => format!(
            "{} goes back to older code: settings, secrets and migrated data do not go back with it",
            match all {
                1 => "the one instance".to_owned(),
                all => format!("each of {all} instances"),
            }
        ),
        Task::Scale { from, to } if to < from => {
            format!("{} of {from} instances go away", from - to)
        }
        Task::Scale { from, to } => format!("{} more instances run, and cost", to - from),
        Task::Own { name, .. } => {
            let about = policy.own.iter().find(|own| own.name == *name);
            let about = about.map_or("", |own| own.about.as_str());
            format!("the team's own verb: {about}; what it does is not known here")
        }
    }
}

/// Whether a caller may know better than a precondition: a person, who looks at more than the platform.
pub(super) fn is_person(caller: &Caller) -> bool {
    match caller.kind {
        CallerKind::Person => true,
        CallerKind::Rule | CallerKind::Model | CallerKind::Agent => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::{NOW, instance, policy, request};
    use std::time::Duration;

    fn try_task(verb: &str, parameters: &[(&str, &str)]) -> Result<Task, Wrong> {
        let mut policy = policy();
        policy.verbs.push("flush".to_owned());
        policy.own.push(OwnVerb {
            name: "flush".to_owned(),
            about: "empties the cache".to_owned(),
            argv: vec![
                "/bin/flush".to_owned(),
                "--shard={shard}".to_owned(),
                "{mode}".to_owned(),
            ],
            parameters: vec![
                crate::model::recovery::Parameter {
                    name: "shard".to_owned(),
                    shape: Shape::Integer(0, 7),
                },
                crate::model::recovery::Parameter {
                    name: "mode".to_owned(),
                    shape: Shape::Word(8),
                },
            ],
            within: Duration::from_secs(5),
        });
        let state = State {
            instances: vec![instance("a"), instance("b")],
            wanted: Some(2),
            ..State::default()
        };
        let mut request = request(verb);
        request.parameters = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        task(&policy, &request, &state, &[], &[], NOW)
    }

    #[test]
    fn a_request_means_one_task() {
        assert_eq!(
            try_task("restart", &[]).unwrap(),
            Task::Restart { instance: None }
        );
        let scale = try_task("scale", &[("to", "3")]).unwrap();
        assert_eq!(scale, Task::Scale { from: 2, to: 3 });
        let own = try_task("flush", &[("shard", "3"), ("mode", "fast")]).unwrap();
        let Task::Own { argv, .. } = own else {
            panic!()
        };
        assert_eq!(argv, ["/bin/flush", "--shard=3", "fast"]);
    }

    #[test]
    fn what_is_out_of_bounds_or_unknown_means_nothing() {
        let cases: [(&str, &[(&str, &str)], &str); 18] = [
            ("delete", &[], "verb_allowed"),
            ("restart; rm -rf /", &[], "verb_allowed"),
            ("restart", &[("force", "yes")], "parameters"),
            ("restart", &[("instance", "c")], "parameters"),
            ("stop", &[], "parameters"),
            ("stop", &[("instance", "a\nb")], "parameters"),
            ("scale", &[("to", "99")], "bounds"),
            ("scale", &[("to", "0")], "bounds"),
            ("scale", &[("to", "-1")], "parameters"),
            ("scale", &[("to", "+3")], "parameters"),
            ("scale", &[("to", "2")], "parameters"),
            ("rollback", &[("to", "../../etc")], "parameters"),
            ("flush", &[("shard", "8"), ("mode", "x")], "parameters"),
            ("flush", &[("shard", "01"), ("mode", "x")], "parameters"),
            ("flush", &[("shard", "-0"), ("mode", "x")], "parameters"),
            ("flush", &[("shard", "1"), ("mode", "-rf")], "parameters"),
            ("flush", &[("shard", "1"), ("mode", "a;b")], "parameters"),
            ("flush", &[("shard", "1")], "parameters"),
        ];
        for (verb, parameters, check) in cases {
            let wrong = try_task(verb, parameters).unwrap_err();
            assert_eq!(wrong.check, check, "{verb} {parameters:?}: {}", wrong.why);
        }
    }
}
