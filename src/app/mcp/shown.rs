//! What an agent is shown: actions and what a platform says, with text of others redacted and cut. An
//! id stays as it is, because the next call needs it.

use crate::model::Timestamp;
use crate::model::recovery::{Action, Stage};
use crate::redact::Scope;
use serde_json::{Value, json};

/// Longest text of others, in bytes.
const TEXT: usize = 2_000;
/// Stands for text of a service whose rules of redaction cannot be used.
const WITHHELD: &str = "withheld: it cannot be redacted";
/// Fields of what a platform or a program says, anywhere in an answer.
const SAID: [&str; 7] = [
    "said",
    "text",
    "word",
    "deploying",
    "kept_by",
    "why",
    "task",
];

/// Redacts text of one service. Without its rules of redaction no text is shown.
pub(super) struct Shown(pub Option<Scope>);

impl Shown {
    pub(super) fn text(&mut self, text: &str) -> String {
        self.cut(text, TEXT)
    }

    pub(super) fn cut(&mut self, text: &str, most: usize) -> String {
        match &mut self.0 {
            Some(scope) => scope.text(text).cut(most).as_str().to_owned(),
            None => WITHHELD.to_owned(),
        }
    }

    /// Lines of a log, redacted as one text: a key over many lines is known by its first and its last.
    /// Those that are a part of such a value are left out.
    pub(super) fn lines(&mut self, text: &str, most: usize, longest: usize) -> Vec<String> {
        match &mut self.0 {
            Some(scope) => {
                let lines = scope.lines(text).into_iter().flatten().take(most);
                lines
                    .map(|line| line.cut(longest).as_str().to_owned())
                    .collect()
            }
            None => vec![WITHHELD.to_owned()],
        }
    }

    /// Redacts what is said in an answer.
    pub(super) fn said(&mut self, value: &mut Value) {
        match value {
            Value::Array(all) => all.iter_mut().for_each(|one| self.said(one)),
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    match value {
                        Value::String(text) if SAID.contains(&name.as_str()) => {
                            *text = self.text(text);
                        }
                        Value::Array(_) | Value::Object(_) => self.said(value),
                        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// An action, and what comes next. One that was only tried has no number.
    pub(super) fn action(&mut self, action: &Action) -> Value {
        let time = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339);
        let checks: Vec<Value> = action
            .checks
            .iter()
            .map(|check| {
                json!({"name": check.name, "passed": check.passed, "why": self.text(&check.why)})
            })
            .collect();
        let evidence: Vec<Value> = action
            .evidence
            .iter()
            .map(|fact| {
                json!({
                    "kind": fact.kind,
                    "instance": fact.instance,
                    "at": fact.at.to_rfc3339(),
                    "text": self.text(&fact.text),
                })
            })
            .collect();
        json!({
            "id": (action.id.0 > 0).then_some(action.id),
            "service": action.service,
            "verb": action.task.verb(),
            "task": self.text(&action.task.to_string()),
            "caller": action.caller.to_string(),
            "why": self.text(&action.why),
            "incident": action.incident,
            "risk": self.text(&action.risk),
            "stage": action.stage,
            "said": self.text(&action.said),
            "checks": checks,
            "evidence": evidence,
            "made": action.made.to_rfc3339(),
            "expires": action.expires.to_rfc3339(),
            "by": action.by,
            "begun": time(action.begun),
            "acted": time(action.acted),
            "ended": time(action.ended),
            "outcome": action.aftermath,
            "recurred": time(action.recurred),
            "next": next(action),
        })
    }
}

/// What whoever asked for it can do now.
fn next(action: &Action) -> String {
    let id = action.id;
    match action.stage {
        _ if id.0 <= 0 => "nothing was done: it was only tried".to_owned(),
        Stage::Pending => format!(
            "it waits for a person: autofix approve {id}, until {}; ask `action` how it stands",
            action.expires.to_rfc3339()
        ),
        Stage::Approved | Stage::Running => "it is carried out; ask `action` again".to_owned(),
        Stage::Watched => "it is watched whether it helped; ask `action` again".to_owned(),
        Stage::Proposed => "nothing is done: the service's mode is propose".to_owned(),
        Stage::Refused => "nothing was done".to_owned(),
        Stage::Expired | Stage::Denied | Stage::Done | Stage::Failed => "it is over".to_owned(),
    }
}
