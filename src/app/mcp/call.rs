//! A tool call: its arguments are checked, its service must stand on this side of the wall, and then it
//! goes through the door. Whatever is refused is a result that says so, and is written down.

use crate::app::act::agrees;
use crate::app::mcp::message::{Failure, PARAMS};
use crate::app::mcp::shown::Shown;
use crate::app::mcp::tools::Tool;
use crate::app::mcp::wall::policy;
use crate::app::mcp::{OWN, Revision, Server, Session, broken};
use crate::model::recovery::{ActionId, Stage, Verb};
use crate::model::{IncidentId, Settings};
use crate::pipeline::acting::{Answer, Asked, Fault};
use crate::pipeline::clock;
use crate::policy::{Request, refused};
use crate::store;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

/// Longest service, verb or text of a refusal that is written down, in bytes.
const WORD: usize = 200;
/// Most bytes of log lines in one answer.
const LOG: usize = 200_000;

/// How a call ended, where the store did not fail.
pub(super) enum Called {
    Done(Value),
    Refused(Refusal),
}

/// What was not done, and the check that says so.
pub(super) struct Refusal {
    pub check: String,
    pub why: String,
    /// The action that was written down, where it came that far.
    pub action: Option<Value>,
}

/// Refused before there was an action.
pub(super) fn refuse(check: &str, why: impl Into<String>) -> Called {
    Called::Refused(Refusal {
        check: check.to_owned(),
        why: why.into(),
        action: None,
    })
}

impl Server {
    /// Calls a tool.
    pub(super) fn call(
        &mut self,
        session: &Session,
        mut params: Map<String, Value>,
    ) -> Result<Value, Failure> {
        let wrong = |why: &str| Err(Failure::new(PARAMS, why));
        let Some(Value::String(name)) = params.remove("name") else {
            return wrong("`name` must be a string");
        };
        let given = match params.remove("arguments") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(given)) => given,
            Some(_) => return wrong("`arguments` must be an object"),
        };
        let tool = self.tool(&name).map_err(broken)?;
        let service = given
            .get("service")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let Some(tool) = tool else {
            let name: String = name.chars().take(60).collect();
            let why = format!("there is no tool {}", name.escape_debug());
            let said = format!("tool_known: {why}");
            self.put(session, (service, &name, false), &said)
                .map_err(broken)?;
            return Err(Failure::new(PARAMS, why));
        };
        if let Err(why) = tool.check(&given) {
            let (verb, known) = named(&tool);
            let said = format!("parameters: {why}");
            self.put(session, (service, &verb, known), &said)
                .map_err(broken)?;
            return Err(Failure::new(PARAMS, why));
        }
        if tool.verb().is_some()
            && let Err(seconds) = self.pace.take(Instant::now())
        {
            let why = format!("too many calls; there may be another in {seconds} s");
            let (verb, known) = named(&tool);
            let said = format!("not_too_often: {why}");
            self.put(session, (service, &verb, known), &said)
                .map_err(broken)?;
            return Ok(result(session.revision, refuse("not_too_often", why)));
        }
        let called = match &tool {
            Tool::Services => self.services(),
            Tool::Look(verb) => self.look(session, &tool, *verb, &given),
            Tool::Change(_) | Tool::Own(_) => self.change(session, &tool, &given),
            Tool::Action => self.action(session, &given),
            Tool::Incidents => self.incidents(session, &given),
            Tool::Incident => self.incident(session, &given),
        };
        Ok(result(session.revision, called.map_err(broken)?))
    }

    /// The tool of a name. A team's own verb is one where a service that is seen has it.
    fn tool(&self, name: &str) -> Result<Option<Tool>, store::Error> {
        let tool = Tool::of(name);
        let Some(Tool::Own(verb)) = &tool else {
            return Ok(tool);
        };
        let has =
            |one: &Settings| policy(one).is_some_and(|p| p.own.iter().any(|own| own.name == *verb));
        let known = self.visible()?.iter().any(has);
        Ok(tool.filter(|_| known))
    }

    /// Writes a refusal down.
    pub(super) fn put(
        &mut self,
        session: &Session,
        (service, verb, known): (&str, &str, bool),
        said: &str,
    ) -> Result<(), store::Error> {
        let what = (cut(service), cut(verb), known);
        let refused = ("refused", said);
        self.door
            .store
            .put_request(what, &session.caller, refused, clock::now())
    }

    /// A service's settings; the inner error: it cannot be seen, and that was written down.
    pub(super) fn seen(
        &mut self,
        session: &Session,
        tool: &Tool,
        service: &str,
    ) -> Result<Result<Settings, Called>, store::Error> {
        let settings = self.door.store.settings(service)?;
        if let Some(settings) = settings.filter(|settings| self.wall.shows(settings)) {
            return Ok(Ok(settings));
        }
        let shown: String = service.chars().take(100).collect();
        let why = format!(
            "there is no service {}; the tool `services` lists them",
            shown.escape_debug()
        );
        let (verb, known) = named(tool);
        self.put(
            session,
            (service, &verb, known),
            &format!("service_known: {why}"),
        )?;
        Ok(Err(refuse("service_known", why)))
    }

    fn services(&mut self) -> Result<Called, store::Error> {
        let all = self.visible()?;
        let all: Vec<Value> = all
            .iter()
            .map(|one| {
                let policy = policy(one);
                json!({
                    "service": one.service,
                    "owner": one.owner,
                    "description": one.description,
                    "platform": policy.map(|policy| policy.place.platform),
                    "mode": policy.map(|policy| policy.permit),
                    "verbs": policy.map_or(&[][..], |policy| &policy.verbs),
                    "scale": policy.and_then(|policy| policy.scale),
                })
            })
            .collect();
        Ok(Called::Done(json!({"services": all})))
    }

    fn look(
        &mut self,
        session: &Session,
        tool: &Tool,
        verb: Verb,
        given: &Map<String, Value>,
    ) -> Result<Called, store::Error> {
        let service = text(given, "service");
        if let Err(called) = self.seen(session, tool, service)? {
            return Ok(called);
        }
        let request = Request {
            service: service.to_owned(),
            verb: verb.word().to_owned(),
            parameters: parameters(given, &["instance", "lines"]),
            caller: session.caller.clone(),
            why: String::new(),
            incident: None,
            fingerprint: None,
        };
        let mut looked = match self.door.look(&request, verb) {
            Ok(Ok(looked)) => looked,
            Ok(Err(wrong)) => return Ok(refuse(wrong.check, wrong.why)),
            Err(fault) => return self.faulty(service, fault),
        };
        match verb {
            // Its lines are redacted already.
            Verb::Logs => bound(&mut looked),
            Verb::Status
            | Verb::Releases
            | Verb::Restart
            | Verb::Rollback
            | Verb::Scale
            | Verb::Stop
            | Verb::Start => Shown(self.door.store.scope(service)?).said(&mut looked),
        }
        Ok(Called::Done(looked))
    }

    fn change(
        &mut self,
        session: &Session,
        tool: &Tool,
        given: &Map<String, Value>,
    ) -> Result<Called, store::Error> {
        let service = text(given, "service");
        if let Err(called) = self.seen(session, tool, service)? {
            return Ok(called);
        }
        let incident = match self.cause(session, tool, service, given)? {
            Ok(incident) => incident,
            Err(called) => return Ok(called),
        };
        let (verb, _) = named(tool);
        let parameters = match tool {
            Tool::Own(_) => match given.get("parameters") {
                Some(Value::Object(given)) => {
                    parameters(given, &given.keys().map(String::as_str).collect::<Vec<_>>())
                }
                _ => BTreeMap::new(),
            },
            _ => parameters(given, &["instance", "to"]),
        };
        let request = Request {
            service: service.to_owned(),
            verb,
            parameters,
            caller: session.caller.clone(),
            why: text(given, "why").to_owned(),
            incident: incident.as_ref().map(|(id, _)| *id),
            fingerprint: incident.map(|(_, fingerprint)| fingerprint),
        };
        let dry = given.get("dry_run") == Some(&Value::Bool(true));
        if agrees(&self.door, service).is_err() {
            let why =
                "the registry says something else than the plugin has taken up, or cannot be read";
            let (verb, known) = named(tool);
            self.put(session, (service, &verb, known), why)?;
            return Ok(refuse("verb_allowed", why));
        }
        match self.door.ask(request, dry) {
            Ok(Asked::Action(answer)) => self.asked(&answer),
            Ok(Asked::Refused(wrong)) => Ok(refuse(wrong.check, wrong.why)),
            Err(fault) => self.faulty(service, fault),
        }
    }

    /// The incident that a change is for: the one that is named, else the newest of its service, so that
    /// what failed against a fault is held against the next try whoever asks.
    fn cause(
        &mut self,
        session: &Session,
        tool: &Tool,
        service: &str,
        given: &Map<String, Value>,
    ) -> Result<Result<Option<(IncidentId, String)>, Called>, store::Error> {
        let Some(id) = number(given, "incident").map(IncidentId) else {
            let found = self.door.store.incident_of_late(service, clock::now())?;
            return Ok(Ok(found));
        };
        let found = self.door.store.incident(id)?;
        if let Some(found) = found.filter(|found| found.service == service) {
            return Ok(Ok(Some((id, found.fingerprint))));
        }
        let why = format!("{service} has no incident {id}");
        let (verb, known) = named(tool);
        let said = format!("parameters: {why}");
        self.put(session, (service, &verb, known), &said)?;
        Ok(Err(refuse("parameters", why)))
    }

    fn asked(&mut self, answer: &Answer) -> Result<Called, store::Error> {
        let action = &answer.action;
        if action.stage == Stage::Approved && !answer.dry && self.own.len() < OWN {
            self.own.push(action.id);
        }
        let mut shown = Shown(self.door.store.scope(&action.service)?);
        let shown_action = shown.action(action);
        if action.stage == Stage::Refused {
            let failed = refused(&action.checks);
            return Ok(Called::Refused(Refusal {
                check: failed.map_or("refused", |check| &check.name).to_owned(),
                why: shown.text(failed.map_or(&action.said, |check| &check.why)),
                action: Some(shown_action),
            }));
        }
        Ok(Called::Done(json!({
            "dry_run": answer.dry,
            "plan": answer.plan.iter().map(|line| shown.text(line)).collect::<Vec<_>>(),
            "action": shown_action,
        })))
    }

    fn action(
        &mut self,
        session: &Session,
        given: &Map<String, Value>,
    ) -> Result<Called, store::Error> {
        let id = ActionId(number(given, "id").unwrap_or_default());
        let found = self.door.store.action(id)?;
        if let Some(action) = &found {
            let settings = self.door.store.settings(&action.service)?;
            if settings.is_some_and(|settings| self.wall.shows(&settings)) {
                let scope = self.door.store.scope(&action.service)?;
                return Ok(Called::Done(json!({"action": Shown(scope).action(action)})));
            }
        }
        let why = format!("there is no action {id}");
        let service = found.map(|action| action.service).unwrap_or_default();
        let said = format!("action_known: {why}");
        self.put(session, (&service, "action", false), &said)?;
        Ok(refuse("action_known", why))
    }

    /// Why the door could not judge; it has written that down.
    fn faulty(&mut self, service: &str, fault: Fault) -> Result<Called, store::Error> {
        let mut shown = Shown(self.door.store.scope(service)?);
        match fault {
            Fault::Unknown(why) => Ok(refuse("verb_allowed", why)),
            Fault::Platform(fault) => Ok(refuse("platform_answers", shown.text(&fault.what))),
            Fault::Store(fault) => Err(fault),
        }
    }
}

/// The verb that is counted and written down, and whether it may have a counter of its own.
pub(super) fn named(tool: &Tool) -> (String, bool) {
    match tool.verb() {
        Some(verb) => (verb.to_owned(), true),
        None => (tool.name(), false),
    }
}

pub(super) fn text<'a>(given: &'a Map<String, Value>, name: &str) -> &'a str {
    given.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn number(given: &Map<String, Value>, name: &str) -> Option<i64> {
    given.get(name).and_then(Value::as_i64)
}

/// As the door takes them: in the words of the command line.
fn parameters(given: &Map<String, Value>, names: &[&str]) -> BTreeMap<String, String> {
    let value = |name: &&str| {
        let value = given.get(*name)?;
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some(((*name).to_owned(), text))
    };
    names.iter().filter_map(value).collect()
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(WORD))
        .unwrap_or_default()
}

/// Leaves the oldest lines of a log out where there is too much of it.
fn bound(logs: &mut Value) {
    let Some(Value::Array(lines)) = logs.get_mut("lines") else {
        return;
    };
    let mut left = LOG;
    let size = |line: &Value| line["text"].as_str().map_or(0, str::len);
    let fits = |line: &&Value| {
        let size = size(line);
        let fits = size <= left;
        left = left.saturating_sub(size);
        fits
    };
    let kept = lines.iter().rev().take_while(fits).count();
    let out = lines.len() - kept;
    lines.drain(..out);
    if out > 0 {
        logs["left_out"] = json!(out);
    }
}

/// As the revision has it. A refusal is a result: the agent is to read why.
fn result(revision: Revision, called: Called) -> Value {
    let (value, refused) = match called {
        Called::Done(value) => (value, false),
        Called::Refused(refusal) => {
            let mut value = json!({"refused": true, "check": refusal.check, "why": refusal.why});
            if let Some(action) = refusal.action {
                value["action"] = action;
            }
            (value, true)
        }
    };
    let mut result = json!({
        "content": [{"type": "text", "text": value.to_string()}],
        "isError": refused,
    });
    if revision >= Revision::Of2025June {
        result["structuredContent"] = value;
    }
    result
}
