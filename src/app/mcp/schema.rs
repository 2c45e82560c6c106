//! What a tool takes, as JSON Schema. Where services differ in what they allow, the schema holds what
//! any of them allows; a call is checked against the policy of its own service, and only that decides.

use crate::app::mcp::tools::{Form, Tool, own, statuses};
use crate::app::mcp::wall::policy;
use crate::model::Settings;
use crate::model::recovery::{Shape, Verb};
use serde_json::{Map, Value, json};

/// The schema of a tool for the services that allow it.
pub(super) fn of(tool: &Tool, services: &[&Settings], names: &[&str]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for argument in tool.arguments() {
        let mut needed = argument.required;
        let mut schema = match argument.form {
            Form::Service => json!({"type": "string", "enum": names}),
            Form::Text => json!({"type": "string", "minLength": 1}),
            Form::Count(least, most) => {
                let (least, most) = match tool {
                    Tool::Change(Verb::Scale) if argument.name == "to" => bounds(services),
                    _ => (least, most),
                };
                json!({"type": "integer", "minimum": least, "maximum": most})
            }
            Form::Flag => json!({"type": "boolean"}),
            Form::Status => json!({"type": "string", "enum": statuses()}),
            Form::Parameters => {
                let Some(schema) = parameters(tool, services) else {
                    continue;
                };
                needed = schema.get("required").is_some();
                schema
            }
        };
        schema["description"] = json!(argument.about);
        properties.insert(argument.name.to_owned(), schema);
        if needed {
            required.push(argument.name);
        }
    }
    object(properties, &required)
}

/// Nothing but these. An empty list of what is required is left out, as older drafts forbid it.
fn object(properties: Map<String, Value>, required: &[&str]) -> Value {
    let mut schema = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema["additionalProperties"] = json!(false);
    schema
}

/// The fewest and the most instances that any of them may have.
fn bounds(services: &[&Settings]) -> (u64, u64) {
    let all = services.iter().filter_map(|one| policy(one)?.scale);
    let all = all.map(|(least, most)| (u64::from(least), u64::from(most)));
    all.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
        .unwrap_or((0, 0))
}

/// What a team's own verb takes; `None`: nothing. Two services may have verbs of one name that take
/// different things.
fn parameters(tool: &Tool, services: &[&Settings]) -> Option<Value> {
    let Tool::Own(verb) = tool else {
        return None;
    };
    let all: Vec<_> = services.iter().filter_map(|one| own(one, verb)).collect();
    let mut shapes: Vec<(&str, Vec<Value>)> = Vec::new();
    for parameter in all.iter().flat_map(|own| &own.parameters) {
        let shape = shape(&parameter.shape);
        match shapes.iter_mut().find(|(name, _)| *name == parameter.name) {
            None => shapes.push((&parameter.name, vec![shape])),
            Some((_, known)) if known.contains(&shape) => {}
            Some((_, known)) => known.push(shape),
        }
    }
    let in_each = |name: &&str| {
        all.iter()
            .all(|own| own.parameters.iter().any(|one| one.name == **name))
    };
    let names = shapes.iter().map(|(name, _)| *name);
    let required: Vec<&str> = names.filter(in_each).collect();
    let mut properties = Map::new();
    for (name, mut shapes) in shapes.clone() {
        let schema = match shapes.len() {
            1 => shapes.remove(0),
            _ => json!({"anyOf": shapes}),
        };
        properties.insert(name.to_owned(), schema);
    }
    (!properties.is_empty()).then(|| object(properties, &required))
}

fn shape(shape: &Shape) -> Value {
    match shape {
        Shape::Integer(least, most) => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Shape::Choice(values) => json!({"type": "string", "enum": values}),
        Shape::Word(most) => json!({
            "type": "string",
            "minLength": 1,
            "maxLength": most,
            "pattern": "^[A-Za-z0-9._][A-Za-z0-9._-]*$",
        }),
    }
}
