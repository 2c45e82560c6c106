//! The door, as the model that investigates has it: its calls become requests about the service of the
//! incident in work, and about no other. What it says is hostile until the door has checked it; what it
//! is told is redacted, fenced, and in words of ours. Nothing here waits for an action.

use super::{Answer, Asked, Door, Fault, offered};
use crate::investigate::inquiry::{Remedies, fenced, newest};
use crate::investigate::tools::ToolResult;
use crate::llm::Tool;
use crate::model::recovery::{Caller, CallerKind, Policy, Stage, Verb};
use crate::model::{Incident, Timestamp};
use crate::policy::{Request, Wrong};
use crate::recover::ErrorKind;
use crate::redact::{Redacted, Scope};
use crate::store;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Requests that became an action, in one investigation.
const CHANGES: u32 = 3;
/// Looks; a request that means nothing counts as one.
const LOOKS: u32 = 10;
/// Platforms that did not answer are asked this often.
const SILENCES: u32 = 2;
/// How long all of it may take: the lane has other incidents.
const ALL: Duration = Duration::from_secs(120);
/// Longest value that is handed on, in bytes: longer than any that is good.
const VALUE: usize = 300;
/// Longest name of a tool that is written down, in bytes.
const NAME: usize = 60;

/// What one investigation may ask for.
pub struct ModelsDoor<'a> {
    door: &'a mut Door,
    incident: &'a Incident,
    caller: Caller,
    tools: Vec<Tool>,
    changes: u32,
    looks: u32,
    silences: u32,
    spent: Duration,
}

/// A call as it is handed on.
struct Given {
    why: String,
    verb: String,
    parameters: BTreeMap<String, String>,
}

impl<'a> ModelsDoor<'a> {
    /// `None`: the policy allows nothing, or nothing any more. `scope`: in which the model is shown text.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn of(
        door: &'a mut Door,
        policy: &Policy,
        incident: &'a Incident,
        model: &str,
        scope: &mut Scope,
    ) -> Result<Option<ModelsDoor<'a>>, store::Error> {
        let tools = tools(&door.store, policy, incident, scope)?;
        Ok((!tools.is_empty()).then(|| ModelsDoor {
            door,
            incident,
            caller: Caller {
                kind: CallerKind::Model,
                name: model.to_owned(),
            },
            tools,
            changes: 0,
            looks: 0,
            silences: 0,
            spent: Duration::ZERO,
        }))
    }

    fn request(&self, given: Given) -> Request {
        Request {
            service: self.incident.service.clone(),
            verb: given.verb,
            parameters: given.parameters,
            caller: self.caller.clone(),
            why: given.why,
            incident: Some(self.incident.id),
            fingerprint: Some(self.incident.fingerprint.clone()),
        }
    }

    /// Why nothing more is asked for, if so.
    fn over(&self, looks: bool) -> Option<Wrong> {
        let why = if self.silences >= SILENCES {
            "the platform did not answer before".to_owned()
        } else if self.spent >= ALL {
            "the time for it is over in this investigation".to_owned()
        } else if self.looks >= LOOKS {
            format!("at most {LOOKS} looks and wrong requests in one investigation")
        } else if !looks && self.changes >= CHANGES {
            format!("at most {CHANGES} actions are asked for in one investigation")
        } else {
            return None;
        };
        Some(Wrong {
            check: "per_investigation",
            why,
        })
    }

    /// Refuses what does not come to the door, and writes it down.
    fn refuse(
        &mut self,
        given: Given,
        known: bool,
        wrong: &Wrong,
        scope: &mut Scope,
    ) -> ToolResult {
        let request = self.request(given);
        let said = sentence(wrong);
        match self.door.refuse(&request, known, false, &said) {
            Ok(()) => refused(&said, scope),
            Err(fault) => failed(&fault, scope),
        }
    }

    fn look(&mut self, given: Given, verb: Verb, scope: &mut Scope) -> ToolResult {
        let request = self.request(given);
        self.looks = self.looks.saturating_add(1);
        let from = Instant::now();
        let looked = self.door.look_in(&request, verb, Some(&mut *scope));
        self.spent = self.spent.saturating_add(from.elapsed());
        match looked {
            Ok(Ok(shown)) => {
                let lines = lines(&shown);
                let lines: Vec<Redacted> = lines.iter().map(|one| scope.text(one)).collect();
                // Of a log the newest lines count, of everything else the first.
                let shown = match verb == Verb::Logs {
                    true => newest(&lines),
                    false => &lines,
                };
                let what = "What the platform shows of the service now";
                answered(fenced(what, &[], shown), false)
            }
            Ok(Err(wrong)) => refused(&sentence(&wrong), scope),
            Err(fault) => self.fault(&fault, scope),
        }
    }

    fn ask(&mut self, given: Given, scope: &mut Scope) -> ToolResult {
        let request = self.request(given);
        let from = Instant::now();
        let asked = self.door.ask(request, false);
        self.spent = self.spent.saturating_add(from.elapsed());
        match asked {
            Ok(Asked::Action(answer)) => {
                self.changes = self.changes.saturating_add(1);
                told(&answer, scope)
            }
            Ok(Asked::Refused(wrong)) => {
                self.looks = self.looks.saturating_add(1);
                refused(&sentence(&wrong), scope)
            }
            Err(fault) => {
                self.looks = self.looks.saturating_add(1);
                self.fault(&fault, scope)
            }
        }
    }

    fn fault(&mut self, fault: &Fault, scope: &mut Scope) -> ToolResult {
        if let Fault::Platform(fault) = fault {
            let silent = match fault.kind {
                ErrorKind::Unreachable | ErrorKind::Limited(_) => 1,
                ErrorKind::Settings
                | ErrorKind::Refused
                | ErrorKind::Missing
                | ErrorKind::Invalid
                | ErrorKind::Unsupported => 0,
            };
            self.silences = self.silences.saturating_add(silent);
        }
        failed(fault, scope)
    }
}

impl Remedies for ModelsDoor<'_> {
    fn tools(&self) -> Vec<Tool> {
        self.tools.clone()
    }

    fn run(&mut self, name: &str, input: &Value, scope: &mut Scope) -> ToolResult {
        let verb = offered::verb(name);
        let (given, wrong) = read(name, verb, input);
        let known = verb.is_some();
        if let Some(wrong) = wrong {
            return self.refuse(given, known, &wrong, scope);
        }
        let looks = verb.is_some_and(Verb::looks);
        if let Some(over) = self.over(looks) {
            return self.refuse(given, known, &over, scope);
        }
        match verb.filter(|verb| verb.looks()) {
            Some(verb) => self.look(given, verb, scope),
            None => self.ask(given, scope),
        }
    }

    fn again(&mut self, name: &str) {
        match offered::verb(name) {
            Some(verb) if verb.looks() => self.looks = self.looks.saturating_add(1),
            None if name != offered::TEAM => {}
            Some(_) | None => self.changes = self.changes.saturating_add(1),
        }
    }
}

/// The tools for an incident.
///
/// # Errors
/// When the store cannot be read.
pub fn tools(
    store: &store::Store,
    policy: &Policy,
    incident: &Incident,
    scope: &mut Scope,
) -> Result<Vec<Tool>, store::Error> {
    let watching = store.watching(&incident.service)?;
    let state = watching.and_then(|watching| watching.state);
    let past = store.actions_against(&incident.service, &incident.fingerprint)?;
    Ok(offered::tools(policy, state.as_ref(), &past, scope))
}

/// What a call says. Whatever it is beside a reason goes on as a parameter, so that the door judges it
/// and it stands in the record.
fn read(name: &str, verb: Option<Verb>, input: &Value) -> (Given, Option<Wrong>) {
    let nothing = Map::new();
    let fields = input.as_object().unwrap_or(&nothing);
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_team = name == offered::TEAM;
    let word = match verb {
        Some(verb) => verb.word(),
        None if is_team => text("name"),
        None => name,
    };
    let mut given = Given {
        why: text("why").trim().to_owned(),
        verb: cut(word, NAME),
        parameters: BTreeMap::new(),
    };
    let mut take = |name: &str, value: &Value| {
        // That something is left out is said in more ways than one.
        if !value.is_null() {
            given.parameters.insert(cut(name, VALUE), plain(value));
        }
    };
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("why", _) => {}
            ("name", _) if is_team => {}
            ("parameters", Value::Object(own)) if is_team => {
                own.iter().for_each(|(name, value)| take(name, value));
            }
            (name, value) => take(name, value),
        }
    }
    let wrong = |check, why: &str| {
        Some(Wrong {
            check,
            why: why.to_owned(),
        })
    };
    let fault = match verb {
        None if !is_team => wrong("verb_allowed", "there is no such tool"),
        _ if !input.is_object() => wrong("parameters", "the input is no object"),
        _ if given.why.is_empty() => wrong("parameters", "it needs `why`, a sentence"),
        Some(_) | None => None,
    };
    (given, fault)
}

/// A value as a parameter's text.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text, VALUE),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            cut(&value.to_string(), VALUE)
        }
    }
}

fn cut(text: &str, most: usize) -> String {
    let end = text.floor_char_boundary(most);
    text.get(..end).unwrap_or_default().to_owned()
}

fn sentence(wrong: &Wrong) -> String {
    format!("{}: {}", wrong.check, wrong.why)
}

fn answered(content: Redacted, is_error: bool) -> ToolResult {
    ToolResult {
        content,
        is_error,
        seen: Vec::new(),
    }
}

fn refused(said: &str, scope: &mut Scope) -> ToolResult {
    let own = Redacted::own("Refused: nothing is done. The check that it failed, and why:");
    let said = scope.text(said);
    answered(fenced("What became of the request", &[own], &[said]), true)
}

fn failed(fault: &Fault, scope: &mut Scope) -> ToolResult {
    let own = Redacted::own("It could not be judged, so nothing is done. Why:");
    let said = scope.text(&fault.to_string());
    answered(fenced("What became of the request", &[own], &[said]), true)
}

/// What became of a request, for the model.
fn told(answer: &Answer, scope: &mut Scope) -> ToolResult {
    let action = &answer.action;
    let then = match action.stage {
        Stage::Refused => ": a check did not pass, so nothing is done.",
        Stage::Proposed => ": the team's mode only says what would be done; nothing is done.",
        Stage::Pending => {
            ": it waits until a person approves it, which may be never. Go on without it."
        }
        Stage::Approved => ": every check passed and it will be carried out. Go on without it.",
        Stage::Expired
        | Stage::Denied
        | Stage::Running
        | Stage::Watched
        | Stage::Done
        | Stage::Failed => ": it was asked for before.",
    };
    let own = Redacted::join(&["Action ".into(), action.id.0.into(), then.into()]);
    let mut data = vec![
        format!("task: {}", action.task),
        format!("stage: {}", action.stage.word()),
        format!("why it stands so: {}", action.said),
    ];
    let failed = action.checks.iter().filter(|check| !check.passed);
    data.extend(failed.map(|check| format!("failed check {}: {}", check.name, check.why)));
    if action.stage != Stage::Refused {
        data.push(format!("risk: {}", action.risk));
        data.push(format!(
            "expires: {}",
            Timestamp::to_rfc3339(action.expires)
        ));
    }
    let data: Vec<Redacted> = data.iter().map(|line| scope.text(line)).collect();
    answered(
        fenced("What became of the request", &[own], &data),
        action.stage == Stage::Refused,
    )
}

/// What a look shows, a line each: what stands alone first, then each entry of each list, and what was
/// done before last.
fn lines(shown: &Value) -> Vec<String> {
    let (mut lines, mut lists, mut last) = (Vec::new(), Vec::new(), Vec::new());
    for (name, value) in shown.as_object().into_iter().flatten() {
        match value {
            Value::Array(all) => {
                let list = match name.as_str() {
                    "actions" => &mut last,
                    _ => &mut lists,
                };
                list.extend(all.iter().map(|one| format!("{name}: {}", short(one))));
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => lines.push(format!("{name}: {}", short(value))),
        }
    }
    lines.extend(lists);
    lines.extend(last);
    lines
}

/// Without what is not known.
fn short(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let known = fields.iter().filter(|(_, value)| !value.is_null());
            let known = known.map(|(name, value)| format!("{name} {}", short(value)));
            known.collect::<Vec<_>>().join(", ")
        }
        Value::Null => "none".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
    }
}
