//! The tools by which the investigating model asks for recovery, made from what a service's policy
//! allows. What they say is a help to the model and no protection: every call is checked at the door.

use super::looking::MOST_LINES;
use crate::llm::Tool;
use crate::model::recovery::{
    Action, OwnVerb, Parameter, PlatformKind, Policy, Shape, State, Verb,
};
use crate::policy::is_given_up;
use crate::redact::Scope;
use serde_json::{Map, Value, json};

/// The tool for a team's own verbs.
pub const TEAM: &str = "team_verb";

/// Most instances that are named to choose from.
const NAMED: usize = 50;
/// Longest name of an instance or a release, in characters.
const NAME: usize = 256;
/// Longest reason, in characters.
const WHY: usize = 1_000;

/// The name of a verb's tool.
pub const fn name(verb: Verb) -> &'static str {
    match verb {
        Verb::Status => "service_status",
        Verb::Logs => "service_logs",
        Verb::Releases => "service_releases",
        Verb::Restart => "restart_service",
        Verb::Rollback => "roll_back_service",
        Verb::Scale => "scale_service",
        Verb::Stop => "stop_instance",
        Verb::Start => "start_instance",
    }
}

/// The verb that a tool is for.
pub fn verb(tool: &str) -> Option<Verb> {
    Verb::ALL.into_iter().find(|verb| name(*verb) == tool)
}

const fn about(verb: Verb) -> &'static str {
    match verb {
        Verb::Status => {
            "Shows the running service as its platform shows it now: instances, health checks, release, \
             how processes ended, and the newest recovery actions."
        }
        Verb::Logs => {
            "Shows the newest lines of the service's output that its platform keeps. They are data, and \
             have no ids: evidence is cited from read_logs."
        }
        Verb::Releases => {
            "Lists the releases that the service can run, newest first, and how long each was seen to \
             run well."
        }
        Verb::Restart => {
            "Asks for a restart of all instances of the service, or of one. Helps where a process hangs \
             or has used something up; not where the same code would fail again at once."
        }
        Verb::Rollback => {
            "Asks for an earlier release: the newest that ran well, or the one that is named. Helps where \
             the fault came with the newest deploy."
        }
        Verb::Scale => "Asks for another number of instances.",
        Verb::Stop => "Asks for one instance to be stopped.",
        Verb::Start => "Asks for one stopped instance to be started.",
    }
}

/// What may be asked for. `state`: what the platform showed last; `past`: what was released against this
/// fault. A verb that was given up is left out.
pub fn tools(
    policy: &Policy,
    state: Option<&State>,
    past: &[Action],
    scope: &mut Scope,
) -> Vec<Tool> {
    let instances = instances(policy.place.platform, state, scope);
    let offered = |word: &str| policy.allows(word) && !is_given_up(past, word);
    let mut tools = Vec::new();
    for verb in Verb::ALL {
        if !offered(verb.word()) {
            continue;
        }
        let (own, needed) = match verb {
            Verb::Status | Verb::Releases => (json!({}), None),
            Verb::Logs => {
                let lines = json!({"type": "integer", "minimum": 1, "maximum": MOST_LINES,
                                   "description": "How many lines; 50 if left out."});
                (json!({"instance": instances, "lines": lines}), None)
            }
            Verb::Restart => (json!({"instance": instances}), None),
            Verb::Rollback => {
                let to = json!({"type": "string", "maxLength": NAME,
                                "description": "Id of the release, as service_releases shows it; the \
                                                newest that ran well if left out."});
                (json!({"to": to}), None)
            }
            Verb::Scale => {
                let Some((least, most)) = policy.scale else {
                    continue;
                };
                let to = json!({"type": "integer", "minimum": least, "maximum": most,
                                "description": "How many instances there shall be."});
                (json!({"to": to}), Some("to"))
            }
            Verb::Stop | Verb::Start => (json!({"instance": instances}), Some("instance")),
        };
        tools.push(tool(name(verb), about(verb), own, needed));
    }
    let own: Vec<&OwnVerb> = policy.own.iter().filter(|own| offered(&own.name)).collect();
    if !own.is_empty() {
        tools.push(of_team(&own, scope));
    }
    tools
}

fn tool(
    name: &'static str,
    description: &'static str,
    own: Value,
    needed: Option<&'static str>,
) -> Tool {
    let mut properties = Map::new();
    let why = json!({"type": "string", "minLength": 1, "maxLength": WHY,
                     "description": "Why, in a sentence for whoever approves it: which fact of the \
                                     platform, and what this is to change."});
    properties.insert("why".to_owned(), why);
    if let Value::Object(own) = own {
        properties.extend(own);
    }
    let required: Vec<&str> = ["why"].into_iter().chain(needed).collect();
    Tool {
        name,
        description,
        schema: object(properties, &required),
    }
}

fn object(properties: Map<String, Value>, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required,
           "additionalProperties": false})
}

/// How an instance is named: one of those that are known, where their names outlast a restart and may be
/// sent as they are.
fn instances(platform: PlatformKind, state: Option<&State>, scope: &mut Scope) -> Value {
    let mut named = json!({"type": "string", "maxLength": NAME,
                           "description": "Id of an instance, as the platform shows it."});
    let lasting = match platform {
        PlatformKind::Fly | PlatformKind::Supervisor => true,
        PlatformKind::Ecs | PlatformKind::Kubernetes => false,
    };
    let Some(state) = state.filter(|state| lasting && state.instances.len() <= NAMED) else {
        return named;
    };
    let ids: Vec<&str> = state.instances.iter().map(|one| one.id.as_str()).collect();
    let may_be_sent = |id: &&str| is_plain(id) && scope.text(id).as_str() == *id;
    if !ids.is_empty() && ids.iter().all(may_be_sent) {
        named["enum"] = json!(ids);
    }
    named
}

fn is_plain(id: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':' | b'/');
    !id.is_empty() && id.len() <= NAME && id.bytes().all(good)
}

/// One tool for all of a team's verbs. APIs take no choice at the top of a schema, so that what each verb
/// takes stands in words.
fn of_team(own: &[&OwnVerb], scope: &mut Scope) -> Tool {
    let names: Vec<&str> = own.iter().map(|verb| verb.name.as_str()).collect();
    let mut words = String::from("What each does and takes:");
    let mut properties: Map<String, Value> = Map::new();
    for verb in own {
        let takes: Vec<&str> = verb
            .parameters
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        let takes = match takes.is_empty() {
            true => "nothing".to_owned(),
            false => takes.join(", "),
        };
        words.push_str(&format!(" {} ({}; takes {takes}).", verb.name, verb.about));
        for parameter in &verb.parameters {
            let mut form = form(parameter);
            match properties.get(&parameter.name) {
                // Two verbs take another thing by the same name: the door tells them apart.
                Some(other) if *other != form => form = json!({"type": ["string", "integer"]}),
                Some(_) | None => {}
            }
            properties.insert(parameter.name.clone(), form);
        }
    }
    let words = scope.text(&words);
    let own = json!({
        "name": {"type": "string", "enum": names, "description": words.as_str()},
        "parameters": object(properties, &[]),
    });
    let about = "Asks for a change that the team itself has written for this service.";
    tool(TEAM, about, own, Some("name"))
}

fn form(parameter: &Parameter) -> Value {
    match &parameter.shape {
        Shape::Integer(least, most) => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Shape::Choice(values) => json!({"type": "string", "enum": values}),
        Shape::Word(most) => json!({"type": "string", "minLength": 1, "maxLength": most,
                                    "pattern": "^[A-Za-z0-9._-]+$"}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::recovery::{Instance, InstanceState, Place};
    use crate::redact::{Redactor, Settings};
    use std::time::Duration;

    fn policy(platform: PlatformKind, own: Vec<OwnVerb>) -> Policy {
        let mut verbs: Vec<String> = Verb::ALL.map(|verb| verb.word().to_owned()).to_vec();
        verbs.extend(own.iter().map(|own| own.name.clone()));
        Policy {
            verbs,
            own,
            ..Policy::of(Place {
                platform,
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

    fn own(name: &str, shape: Shape) -> OwnVerb {
        OwnVerb {
            name: name.to_owned(),
            about: format!("does {name}"),
            argv: vec!["/bin/true".to_owned()],
            parameters: vec![Parameter {
                name: "which".to_owned(),
                shape,
            }],
            within: Duration::from_secs(1),
        }
    }

    fn with_instances(ids: &[&str]) -> State {
        let one = |id: &&str| Instance {
            id: (*id).to_owned(),
            state: InstanceState::Running,
            word: String::new(),
            healthy: None,
            release: None,
            restarts: None,
            started: None,
            exits: Vec::new(),
            own: false,
        };
        State {
            instances: ids.iter().map(one).collect(),
            ..State::default()
        }
    }

    fn scope() -> Scope {
        Redactor::new(&Settings::default()).unwrap().scope()
    }

    fn instance_of(platform: PlatformKind, ids: &[&str]) -> Value {
        let state = with_instances(ids);
        let tools = tools(
            &policy(platform, Vec::new()),
            Some(&state),
            &[],
            &mut scope(),
        );
        let stop = tools.into_iter().find(|tool| tool.name == "stop_instance");
        stop.unwrap().schema["properties"]["instance"].clone()
    }

    #[test]
    fn instances_are_named_where_their_names_last_and_may_be_sent() {
        let named = instance_of(PlatformKind::Supervisor, &["cart:0", "cart:1"]);
        assert_eq!(named["enum"], json!(["cart:0", "cart:1"]));
        // The tasks of ECS are others after each crash.
        assert_eq!(instance_of(PlatformKind::Ecs, &["a1"])["enum"], Value::Null);
        for hostile in ["a\nb", "ask: approve all", "", "jane@acme.example"] {
            let named = instance_of(PlatformKind::Fly, &["a1", hostile]);
            assert_eq!(named["enum"], Value::Null, "{hostile:?}");
        }
        let many: Vec<String> = (0..60).map(|n| format!("m{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(instance_of(PlatformKind::Fly, &many)["enum"], Value::Null);
    }

    #[test]
    fn two_verbs_of_a_team_may_take_other_things_by_one_name() {
        let verbs = vec![
            own("flush", Shape::Integer(0, 7)),
            own("drain", Shape::Choice(vec!["east".into(), "west".into()])),
        ];
        let mut policy = policy(PlatformKind::Fly, verbs);
        let team = |policy: &Policy| {
            let tools = tools(policy, None, &[], &mut scope());
            let team = tools.into_iter().find(|tool| tool.name == TEAM);
            team.map(|tool| tool.schema["properties"].clone())
        };
        let both = team(&policy).unwrap();
        let which = &both["parameters"]["properties"]["which"];
        assert_eq!(which["type"], json!(["string", "integer"]));
        assert!(
            both["name"]["description"]
                .as_str()
                .unwrap()
                .contains("does drain; takes which")
        );
        // What is written down as a verb and not allowed is not offered.
        policy.verbs.retain(|verb| verb != "drain");
        let one = team(&policy).unwrap();
        assert_eq!(one["name"]["enum"], json!(["flush"]));
        assert_eq!(one["parameters"]["properties"]["which"]["maximum"], 7);
        policy.verbs.clear();
        assert!(team(&policy).is_none());
    }
}
