//! The verbs that change nothing: status, logs, releases. They are allowed like the others, counted and
//! written down; what a platform keeps of a log is redacted.

use super::{ANSWER, Door, Fault};
use crate::model::Timestamp;
use crate::model::recovery::{Action, Caller, Policy, Stage, State, Verb};
use crate::pipeline::clock;
use crate::policy::{Request, Wrong};
use crate::recover::Platform;
use crate::redact::Scope;
use serde_json::{Value, json};
use std::time::Instant;

/// Lines of a log that are shown where it is not said, and at most.
const LINES: usize = 50;
pub(super) const MOST_LINES: usize = 500;
/// Longest line that is shown, in bytes.
const LINE: usize = 2_000;
/// Actions that are shown with a status.
const ACTIONS: usize = 10;

impl Door {
    /// Looks. The inner error: it is not allowed, or its parameters are wrong.
    ///
    /// # Errors
    /// As [`Door::ask`].
    pub fn look(&mut self, request: &Request, verb: Verb) -> Result<Result<Value, Wrong>, Fault> {
        self.look_in(request, verb, None)
    }

    /// Looks, for whoever has been shown redacted text already: the same value has the same placeholder
    /// in one scope only.
    pub(super) fn look_in(
        &mut self,
        request: &Request,
        verb: Verb,
        scope: Option<&mut Scope>,
    ) -> Result<Result<Value, Wrong>, Fault> {
        let looked = self.try_look(request, verb, scope);
        let (event, said) = match &looked {
            Ok(Ok(_)) => ("looked", "as asked".to_owned()),
            Ok(Err(wrong)) => ("refused", format!("{}: {}", wrong.check, wrong.why)),
            Err(fault) => ("refused", fault.to_string()),
        };
        let what = (request.service.as_str(), verb.word(), true);
        let now = clock::now();
        self.store
            .put_request(what, &request.caller, (event, &said), now)?;
        looked
    }

    fn try_look(
        &mut self,
        request: &Request,
        verb: Verb,
        scope: Option<&mut Scope>,
    ) -> Result<Result<Value, Wrong>, Fault> {
        let (_, policy) = self.policy(&request.service)?;
        if !policy.allows(verb.word()) {
            let state = State::default();
            let now = clock::now();
            let refused = crate::policy::task(&policy, request, &state, &[], &[], now);
            let why = match refused {
                Err(wrong) => wrong.why,
                Ok(_) => format!("{} is not allowed", verb.word()),
            };
            return Ok(Err(Wrong {
                check: "verb_allowed",
                why,
            }));
        }
        let known: &[&str] = match verb {
            Verb::Logs => &["instance", "lines"],
            _ => &[],
        };
        if let Some(name) = request
            .parameters
            .keys()
            .find(|name| !known.contains(&name.as_str()))
        {
            let name: String = name.chars().take(60).collect();
            return Ok(Err(Wrong {
                check: "parameters",
                why: format!("{} takes no parameter {}", verb.word(), name.escape_debug()),
            }));
        }
        let platform = (self.platforms)(&policy)?;
        match verb {
            Verb::Logs => self.logs(request, platform.as_ref(), scope),
            Verb::Releases => Ok(Ok(self.releases(&request.service, platform.as_ref())?)),
            Verb::Status
            | Verb::Restart
            | Verb::Rollback
            | Verb::Scale
            | Verb::Stop
            | Verb::Start => Ok(Ok(self.status(
                &request.service,
                &policy,
                platform.as_ref(),
            )?)),
        }
    }

    fn status(
        &mut self,
        service: &str,
        policy: &Policy,
        platform: &dyn Platform,
    ) -> Result<Value, Fault> {
        let state = self.state(platform)?;
        let now = clock::now();
        self.observe(service, policy, &state, now)?;
        let trouble = state.trouble(service, now.minus(super::LATELY), now);
        let actions = self.store.actions(Some(service), ACTIONS)?;
        Ok(json!({
            "service": service,
            "platform": policy.place.platform,
            "target": policy.place.target,
            "well": state.is_well(),
            "release": state.release,
            "wanted": state.wanted,
            "deploying": state.deploying,
            "kept_by": state.kept_by,
            "instances": state.instances.iter().map(|one| json!({
                "id": one.id,
                "state": one.state,
                "word": one.word,
                "healthy": one.healthy,
                "release": one.release,
                "restarts": one.restarts,
                "started": one.started.map(Timestamp::to_rfc3339),
                "own": one.own,
            })).collect::<Vec<_>>(),
            "trouble": trouble.iter().map(|fact| json!({
                "kind": fact.kind,
                "instance": fact.instance,
                "at": fact.at.to_rfc3339(),
                "text": fact.text,
            })).collect::<Vec<_>>(),
            "mode": policy.permit,
            "verbs": policy.verbs,
            "actions": actions.iter().map(brief).collect::<Vec<_>>(),
        }))
    }

    fn releases(&mut self, service: &str, platform: &dyn Platform) -> Result<Value, Fault> {
        let releases = platform.releases(Instant::now() + ANSWER)?;
        let health = self.store.release_health(service)?;
        let all = releases.iter().map(|release| {
            let seen = health.iter().find(|seen| seen.release == release.id);
            json!({
                "id": release.id,
                "name": release.name,
                "made": release.made.map(Timestamp::to_rfc3339),
                "current": release.current,
                "commit": release.commit,
                "platform_says_good": release.good,
                "seen_well_seconds": seen.map(|seen| seen.well_for.as_secs()),
                "crashes_seen": seen.map(|seen| seen.crashes),
            })
        });
        Ok(json!({"service": service, "releases": all.collect::<Vec<_>>()}))
    }

    fn logs(
        &mut self,
        request: &Request,
        platform: &dyn Platform,
        scope: Option<&mut Scope>,
    ) -> Result<Result<Value, Wrong>, Fault> {
        let lines = match request.parameters.get("lines") {
            None => Some(LINES),
            Some(text) => text.parse().ok().filter(|n| (1..=MOST_LINES).contains(n)),
        };
        let Some(lines) = lines else {
            return Ok(Err(Wrong {
                check: "parameters",
                why: format!("lines is a whole number from 1 to {MOST_LINES}"),
            }));
        };
        let instance = request.parameters.get("instance").map(String::as_str);
        if let Some(id) = instance {
            let state = self.state(platform)?;
            if !state.instances.iter().any(|one| one.id == id) {
                return Ok(Err(Wrong {
                    check: "parameters",
                    why: format!("the service has no instance {}", id.escape_debug()),
                }));
            }
        }
        let all = platform.logs(instance, lines, Instant::now() + ANSWER)?;
        let mut own = match scope {
            Some(_) => None,
            None => self.store.scope(&request.service)?,
        };
        let Some(scope) = scope.or(own.as_mut()) else {
            return Err(Fault::Unknown(
                "the service's settings for redaction cannot be used: no line is shown".to_owned(),
            ));
        };
        let from = all.len().saturating_sub(lines);
        let all = &all[from..];
        // As one text: a key over many lines is known by its first and its last.
        let texts: Vec<String> = all
            .iter()
            .map(|line| line.text.replace('\n', " "))
            .collect();
        let mut texts = scope.lines(&texts.join("\n")).into_iter();
        let shown = all.iter().map(|line| {
            let text = texts.next().flatten().map(|text| text.cut(LINE));
            json!({
                "at": line.at.map(Timestamp::to_rfc3339),
                "instance": line.instance,
                "text": text.as_ref().map_or("", |text| text.as_str()),
            })
        });
        let shown: Vec<Value> = shown.collect();
        Ok(Ok(json!({"service": request.service, "lines": shown})))
    }
}

/// An action in a list.
pub(super) fn brief(action: &Action) -> Value {
    json!({
        "id": action.id,
        "verb": action.task.verb(),
        "task": action.task.to_string(),
        "caller": action.caller.to_string(),
        "stage": action.stage,
        "said": action.said,
        "outcome": action.aftermath,
        "made": action.made.to_rfc3339(),
        "ended": action.ended.map(Timestamp::to_rfc3339),
        "recurred": action.recurred.map(Timestamp::to_rfc3339),
        "waits": action.stage == Stage::Pending,
    })
}

/// Whose request it is, for the record.
pub(super) fn by_rule(name: &str) -> Caller {
    Caller {
        kind: crate::model::recovery::CallerKind::Rule,
        name: name.to_owned(),
    }
}
