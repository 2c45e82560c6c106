//! `autofix act`, `approve` and `deny`: the door to recovery from the command line. Whatever is asked
//! goes through the same checks as what a rule or a model asks for.

use crate::app::Error;
use crate::app::look::limits;
use crate::config::{Complaint, Services, load_registry};
use crate::log::Log;
use crate::model::recovery::{Action, ActionId, Caller, CallerKind, Stage, Verb};
use crate::model::{IncidentId, Timestamp};
use crate::net::Http;
use crate::pipeline::Halt;
use crate::pipeline::acting::{Answer, Asked, Door, Fault};
use crate::plugin;
use crate::policy::Request;
use crate::store::{Holder, Store};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Actions that are listed.
const LISTED: usize = 30;
/// Between two looks at an action that somebody else carries on.
const PAUSE: Duration = Duration::from_millis(200);

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub service: String,
    pub verb: String,
    pub parameters: BTreeMap<String, String>,
    pub who: String,
    pub why: String,
    pub incident: Option<IncidentId>,
    pub dry_run: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Done {
    /// What was looked at.
    Looked(Value),
    /// It means nothing that could be done: the check, and why.
    Refused(&'static str, String),
    Asked(Box<Answer>),
}

/// The door, over the store of a `State_Dir`.
///
/// # Errors
/// When there is no store, or the network's settings cannot be understood.
pub fn door(state_dir: &Path, log: Log) -> Result<Door, Error> {
    let http: Http = crate::app::fix::http()?;
    let store = Store::open_existing(state_dir, limits()).map_err(unfinished)?;
    Ok(Door {
        store,
        platforms: plugin::platforms(http),
        environment: plugin::verb_environment(),
        holder: Arc::new(Holder::new(state_dir).map_err(unfinished)?),
        halt: Halt::default(),
        log,
    })
}

/// Asks for an action, or looks.
///
/// # Errors
/// When there is no such service or nothing is allowed for it, the platform does not say how it is, or
/// the store cannot be written.
pub fn act(door: &mut Door, wanted: Wanted) -> Result<Done, Error> {
    let fingerprint = match wanted.incident {
        None => None,
        Some(id) => match door.store.incident(id).map_err(unfinished)? {
            Some(incident) if incident.service == wanted.service => Some(incident.fingerprint),
            Some(incident) => {
                let what = format!("incident {id} is of {}", incident.service);
                return Err(Error::Usage(what));
            }
            None => {
                let what = format!("there is no incident {id}; `autofix incidents` lists them");
                return Err(Error::Usage(what));
            }
        },
    };
    let request = Request {
        service: wanted.service,
        verb: wanted.verb,
        parameters: wanted.parameters,
        caller: Caller {
            kind: CallerKind::Person,
            name: wanted.who,
        },
        why: wanted.why,
        incident: wanted.incident,
        fingerprint,
    };
    if let Some(verb) = Verb::from_word(&request.verb).filter(|verb| verb.looks()) {
        return match door.look(&request, verb).map_err(told)? {
            Ok(looked) => Ok(Done::Looked(looked)),
            Err(wrong) => Ok(Done::Refused(wrong.check, wrong.why)),
        };
    }
    agrees(door, &request.service)?;
    match door.ask(request, wanted.dry_run).map_err(told)? {
        Asked::Action(answer) => Ok(Done::Asked(answer)),
        Asked::Refused(wrong) => Ok(Done::Refused(wrong.check, wrong.why)),
    }
}

/// Releases an action.
///
/// # Errors
/// When there is no such action or it does not wait, and when the platform does not say how it is.
pub fn approve(door: &mut Door, id: ActionId, who: &str) -> Result<Action, Error> {
    if let Some(action) = door.store.action(id).map_err(unfinished)? {
        agrees(door, &action.service)?;
    }
    door.approve(id, who).map_err(told)
}

/// Says no to an action.
///
/// # Errors
/// When there is no such action or it does not wait.
pub fn deny(door: &mut Door, id: ActionId, who: &str, reason: &str) -> Result<Action, Error> {
    door.deny(id, who, reason).map_err(told)
}

/// Carries an action on until it is over, here or by whoever has its lease. `each` is shown every
/// change; it ends the waiting by `false`.
///
/// # Errors
/// When the store refuses.
pub fn carry(
    door: &mut Door,
    id: ActionId,
    each: &mut dyn FnMut(&Action) -> bool,
) -> Result<Action, Error> {
    let mut shown: Option<(Stage, String)> = None;
    loop {
        let action = poll(door, id)?;
        let now = (action.stage, action.said.clone());
        if shown.as_ref() != Some(&now) {
            shown = Some(now);
            if !each(&action) {
                return Ok(action);
            }
        }
        if !action.stage.is_under_way() {
            return Ok(action);
        }
        if let crate::pipeline::acting::Carried::Nothing =
            door.step(Some(id)).map_err(unfinished)?
        {
            std::thread::sleep(PAUSE);
        }
    }
}

/// Whether the registry, where it can be read here, still says what the plugin took up from it: nothing is
/// done by what stood there before.
pub(super) fn agrees(door: &Door, service: &str) -> Result<(), Error> {
    let settings = door.store.settings(service).map_err(unfinished)?;
    let Some((path, policy)) = settings.and_then(|one| one.registry.zip(one.recovery)) else {
        return Ok(());
    };
    let path = Path::new(&path);
    if !path.exists() {
        return Ok(());
    }
    let registry = load_registry(&Services::Path(path.to_owned())).map_err(|complaints| {
        let all: Vec<String> = complaints.iter().map(Complaint::to_string).collect();
        let what = "the registry cannot be read now, and nothing is done by what it said before";
        Error::Unfinished(format!("{what}: {}", all.join("; ")))
    })?;
    let found = registry.named(service);
    if found.and_then(|found| found.service.recover.clone()) == Some(policy) {
        return Ok(());
    }
    Err(Error::Unfinished(format!(
        "{} says something else of {service} than the plugin has taken up: nothing is done before it has; \
         is Fluent Bit running?",
        path.display()
    )))
}

/// How an action stands.
///
/// # Errors
/// When there is none, or the store cannot be read.
pub fn poll(door: &Door, id: ActionId) -> Result<Action, Error> {
    let found = door.store.action(id).map_err(unfinished)?;
    found.ok_or_else(|| {
        let what = format!("there is no action {id}; `autofix act` lists them");
        Error::Usage(what)
    })
}

/// The newest actions, newest first.
///
/// # Errors
/// When there is no store or it cannot be read.
pub fn actions(state_dir: &Path) -> Result<Vec<Action>, Error> {
    let store = Store::open_existing(state_dir, limits()).map_err(unfinished)?;
    store.actions(None, LISTED).map_err(unfinished)
}

/// Whether an action came to nothing, or to nothing good.
pub fn went_wrong(action: &Action) -> bool {
    use crate::model::recovery::Aftermath;
    match action.stage {
        Stage::Refused | Stage::Failed | Stage::Expired | Stage::Denied => true,
        Stage::Done => action.aftermath != Some(Aftermath::Healthy),
        Stage::Proposed | Stage::Pending | Stage::Approved | Stage::Running | Stage::Watched => {
            false
        }
    }
}

/// The object of `act --json`, `approve --json` and `deny --json`; stable.
pub fn to_json(action: &Action) -> Value {
    let time = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339);
    json!({
        "id": action.id,
        "service": action.service,
        "verb": action.task.verb(),
        "task": action.task,
        "caller": action.caller,
        "why": action.why,
        "incident": action.incident,
        "fingerprint": action.fingerprint,
        "evidence": action.evidence.iter().map(|fact| json!({
            "kind": fact.kind,
            "instance": fact.instance,
            "at": fact.at.to_rfc3339(),
            "release": fact.release,
            "text": fact.text,
            "asked_of_platform": fact.asked,
        })).collect::<Vec<_>>(),
        "risk": action.risk,
        "checks": action.checks,
        "hash": action.hash,
        "stage": action.stage,
        "said": action.said,
        "made": action.made.to_rfc3339(),
        "expires": action.expires.to_rfc3339(),
        "by": action.by,
        "begun": time(action.begun),
        "acted": time(action.acted),
        "ended": time(action.ended),
        "outcome": action.aftermath,
        "recurred": time(action.recurred),
    })
}

fn told(fault: Fault) -> Error {
    match fault {
        Fault::Unknown(what) => Error::Usage(what),
        Fault::Platform(fault) => Error::Unfinished(fault.to_string()),
        Fault::Store(fault) => Error::Unfinished(fault.to_string()),
    }
}

fn unfinished(fault: crate::store::Error) -> Error {
    Error::Unfinished(fault.to_string())
}
