//! Incidents to read: the list, and what is known of one. As `autofix why` shows it, but redacted by
//! its service's rules and bounded, since it leaves for a model that is not ours.

use crate::app::mcp::call::{Called, number, refuse, text};
use crate::app::mcp::shown::Shown;
use crate::app::mcp::tools::Tool;
use crate::app::mcp::{Server, Session};
use crate::model::{Frame, Incident, IncidentId, Location, Raised, Status};
use crate::store;
use serde_json::{Map, Value, json};

/// Incidents that are listed where it is not said.
const LISTED: usize = 20;
/// What is shown of one incident, at most.
const LINES: usize = 60;
const FRAMES: usize = 60;
const EVENTS: usize = 40;
const SEEN: usize = 10;
const ACTIONS: usize = 10;
/// Longest line, in bytes.
const LINE: usize = 1_000;

impl Server {
    pub(super) fn incidents(
        &mut self,
        session: &Session,
        given: &Map<String, Value>,
    ) -> Result<Called, store::Error> {
        let services = match given.get("service").and_then(Value::as_str) {
            None => self.visible()?,
            Some(name) => match self.seen(session, &Tool::Incidents, name)? {
                Ok(settings) => vec![settings],
                Err(called) => return Ok(called),
            },
        };
        let status = Status::from_word(text(given, "status"));
        let most = number(given, "limit").and_then(|most| usize::try_from(most).ok());
        let most = most.unwrap_or(LISTED);
        let mut all: Vec<Incident> = Vec::new();
        for settings in &services {
            all.extend(
                self.door
                    .store
                    .newest_incidents(&settings.service, status, most)?,
            );
            all.sort_by_key(|one| std::cmp::Reverse(one.id));
            all.truncate(most);
        }
        let mut listed = Vec::new();
        for incident in &all {
            let mut shown = Shown(self.door.store.scope(&incident.service)?);
            listed.push(brief(incident, &mut shown));
        }
        Ok(Called::Done(json!({"incidents": listed})))
    }

    pub(super) fn incident(
        &mut self,
        session: &Session,
        given: &Map<String, Value>,
    ) -> Result<Called, store::Error> {
        let id = IncidentId(number(given, "id").unwrap_or_default());
        let found = self.door.store.incident(id)?;
        if let Some(incident) = &found {
            let settings = self.door.store.settings(&incident.service)?;
            if settings.is_some_and(|settings| self.wall.shows(&settings)) {
                return Ok(Called::Done(self.known(incident)?));
            }
        }
        let why = format!("there is no incident {id}");
        let service = found.map(|incident| incident.service).unwrap_or_default();
        let said = format!("incident_known: {why}");
        self.put(session, (&service, "incident", false), &said)?;
        Ok(refuse("incident_known", why))
    }

    fn known(&mut self, incident: &Incident) -> Result<Value, store::Error> {
        let store = &mut self.door.store;
        let mut shown = Shown(store.scope(&incident.service)?);
        let mut value = brief(incident, &mut shown);
        let mut raised = |raised: &Raised| {
            json!({
                "type": raised.kind.as_deref().map(|kind| shown.text(kind)),
                "message": raised.message.as_deref().map(|message| shown.text(message)),
            })
        };
        value["exception"] = incident.exception().map(&mut raised).into();
        value["raised_as"] = incident.raised_as().map(&mut raised).into();
        value["stream"] = json!(shown.text(&incident.stream));
        value["watch"] = incident.watch.as_deref().map(|one| shown.text(one)).into();
        value["fingerprint"] = json!(incident.fingerprint);
        value["same_fault_before"] = json!(incident.previous);
        value["part_of_storm"] = json!(incident.parent);
        let lines = shown.lines(&incident.lines.join("\n"), LINES, LINE);
        value["lines"] = lines.into();
        let frames = incident.frames().iter().take(FRAMES);
        value["frames"] = frames
            .map(|one| frame(one, &mut shown))
            .collect::<Vec<_>>()
            .into();
        value["proposal"] = incident
            .proposal
            .as_ref()
            .map(|proposal| {
                json!({
                    "fixer": proposal.fixer,
                    "patch": proposal.patch,
                    "files": proposal.files.iter().take(FRAMES).collect::<Vec<_>>(),
                    "pull_request": proposal.pr,
                })
            })
            .into();
        if let Some(past) = store.verdict_behind(incident)? {
            value["model_read"] = json!({
                "shown": shown.text(&past.verdict.text),
                "answered": past.verdict.action,
                "in_its_words": past.verdict.summary.as_deref().map(|text| shown.text(text)),
                "at": past.made.to_rfc3339(),
            });
        }
        let events = store.events(incident.id)?;
        let from = events.len().saturating_sub(EVENTS);
        let events = events.iter().skip(from).map(|event| {
            json!({
                "at": event.time.to_rfc3339(),
                "what": event.what,
                "detail": shown.text(&event.detail),
            })
        });
        value["history"] = events.collect::<Vec<_>>().into();
        let seen = store.occurrences(incident.id)?;
        let from = seen.len().saturating_sub(SEEN);
        let seen = seen.iter().skip(from).map(|one| {
            json!({
                "at": one.time.to_rfc3339(),
                "commit": one.commit,
                "stream": shown.text(&one.stream),
            })
        });
        value["seen"] = seen.collect::<Vec<_>>().into();
        let tried = store.actions_against(&incident.service, &incident.fingerprint)?;
        let from = tried.len().saturating_sub(ACTIONS);
        let tried = tried.iter().skip(from).map(|action| {
            json!({
                "id": action.id,
                "verb": action.task.verb(),
                "caller": action.caller.to_string(),
                "stage": action.stage,
                "said": shown.text(&action.said),
                "outcome": action.aftermath,
            })
        });
        value["actions"] = tried.collect::<Vec<_>>().into();
        Ok(json!({"incident": value}))
    }
}

/// An incident in a list.
fn brief(incident: &Incident, shown: &mut Shown) -> Value {
    json!({
        "id": incident.id,
        "service": incident.service,
        "kind": incident.kind,
        "status": incident.status,
        "title": shown.cut(&incident.title, LINE),
        "reason": shown.cut(&incident.reason, LINE),
        "place": incident.location.as_ref().map(|place| location(place, shown)),
        "first_seen": incident.first_seen.to_rfc3339(),
        "last_seen": incident.last_seen.to_rfc3339(),
        "times": incident.count,
        "commit": incident.commit,
    })
}

fn location(place: &Location, shown: &mut Shown) -> Value {
    json!({
        "file": shown.cut(&place.file, LINE),
        "line": place.line,
        "function": place.function.as_deref().map(|name| shown.cut(name, LINE)),
        "confidence": place.confidence,
    })
}

fn frame(frame: &Frame, shown: &mut Shown) -> Value {
    json!({
        "file": frame.file.as_deref().map(|file| shown.cut(file, LINE)),
        "line": frame.line,
        "function": frame.function.as_deref().map(|name| shown.cut(name, LINE)),
    })
}
