//! A request becomes an action, or is refused. Everything that is looked at is kept with it.

use super::{ANSWER, Door, EVIDENCE, Fault, LATELY};
use crate::model::Timestamp;
use crate::model::recovery::{
    Action, ActionId, Check, Fact, Permit, Policy, Release, Stage, State, Task, Verb,
};
use crate::pipeline::clock;
use crate::policy::{self, Health, History, Known, Request, Wrong};
use crate::recover::Platform;
use std::time::Instant;

/// Longest reason that is kept, in bytes.
pub(super) const WHY: usize = 1_000;
/// Longest name of a caller.
pub(super) const NAME: usize = 100;
/// Who releases what `mode = "auto"` releases.
pub(super) const AUTO: &str = "mode auto";
/// Longest fingerprint of a fault.
const FINGERPRINT: usize = 100;

/// What became of a request.
#[derive(Clone, Debug)]
pub enum Asked {
    /// It means nothing that could be done.
    Refused(Wrong),
    /// It is written down; its stage says how it stands.
    Action(Box<Answer>),
}

/// An action, and what would be sent to the platform.
#[derive(Clone, Debug)]
pub struct Answer {
    pub action: Action,
    pub plan: Vec<String>,
    /// Nothing was written down.
    pub dry: bool,
}

/// What is known of a service when it is asked.
pub(super) struct Scene {
    pub policy: Policy,
    pub platform: Box<dyn Platform>,
    pub state: State,
    pub releases: Vec<Release>,
    pub health: Vec<Health>,
    pub evidence: Vec<Fact>,
    pub now: Timestamp,
}

impl Scene {
    pub(super) fn known<'a>(&'a self, history: &'a History) -> Known<'a> {
        Known {
            state: &self.state,
            evidence: &self.evidence,
            releases: &self.releases,
            health: &self.health,
            history,
            now: self.now,
        }
    }
}

impl Door {
    /// Asks for an action. `dry`: says what would be done and checked, and writes nothing down.
    ///
    /// # Errors
    /// When there is nothing to ask about, the platform does not say how the service is, or the store
    /// cannot be written. Nothing is done then.
    pub fn ask(&mut self, mut request: Request, dry: bool) -> Result<Asked, Fault> {
        let end = request.why.floor_char_boundary(WHY);
        request.why.truncate(end);
        let end = request.caller.name.floor_char_boundary(NAME);
        request.caller.name.truncate(end);
        let on = self.must_be_on();
        let policy = match on.and_then(|()| self.policy(&request.service)) {
            Ok((_, policy)) => policy,
            Err(fault) => {
                self.refuse(&request, false, dry, &fault.to_string())?;
                return Err(fault);
            }
        };
        let known_verb = Verb::from_word(&request.verb).is_some()
            || policy.own.iter().any(|own| own.name == request.verb);
        // Nothing is asked of a platform for what is not allowed anyway.
        if !policy.allows(&request.verb) {
            let state = State::default();
            let now = clock::now();
            let wrong = policy::task(&policy, &request, &state, &[], &[], now);
            return self.wrong(&request, known_verb, dry, wrong);
        }
        if let Err(wrong) = self.fault_of(&mut request)? {
            return self.wrong(&request, known_verb, dry, Err(wrong));
        }
        let scene = match self.scene(policy, &request.service, &request.verb, dry) {
            Ok(scene) => scene,
            Err(fault) => {
                self.refuse(&request, known_verb, dry, &fault.to_string())?;
                return Err(fault);
            }
        };
        let (state, releases) = (&scene.state, &scene.releases);
        let meant = policy::task(
            &scene.policy,
            &request,
            state,
            releases,
            &scene.health,
            scene.now,
        );
        let task = match meant {
            Ok(task) => task,
            Err(wrong) => return self.wrong(&request, known_verb, dry, Err(wrong)),
        };
        let plan = match plan(scene.platform.as_ref(), &task, state) {
            Ok(plan) => plan,
            Err(fault) => {
                self.refuse(&request, known_verb, dry, &fault.to_string())?;
                return Err(fault);
            }
        };
        let action = action(&request, task, &scene);
        let decide = |history: &History, action: &mut Action| {
            decide(&request, &scene, history, action);
        };
        let action = match dry {
            true => self.store.try_action(action, decide, scene.now)?,
            false => self
                .store
                .put_action(action, known_verb, decide, scene.now)?,
        };
        Ok(Asked::Action(Box::new(Answer { action, plan, dry })))
    }

    /// The fault that it is against is its incident's, and not what the caller calls it: what was tried
    /// against it before is found by that.
    fn fault_of(&self, request: &mut Request) -> Result<Result<(), Wrong>, Fault> {
        let wrong = |why: String| {
            Ok(Err(Wrong {
                check: "parameters",
                why,
            }))
        };
        match (request.incident, &request.fingerprint) {
            (None, None) => {}
            (None, Some(print)) => {
                if !is_fingerprint(print) {
                    request.fingerprint = None;
                    return wrong("it names a fault by what is no fingerprint".to_owned());
                }
            }
            (Some(id), _) => match self.store.incident(id)? {
                Some(incident) if incident.service == request.service => {
                    request.fingerprint = Some(incident.fingerprint);
                }
                Some(_) | None => {
                    request.incident = None;
                    return wrong(format!("the service has no incident {id}"));
                }
            },
        }
        Ok(Ok(()))
    }

    fn wrong(
        &mut self,
        request: &Request,
        known_verb: bool,
        dry: bool,
        meant: Result<Task, Wrong>,
    ) -> Result<Asked, Fault> {
        let wrong = meant.err().unwrap_or_else(|| Wrong {
            check: "verb_allowed",
            why: format!("{} is not allowed", request.verb.escape_debug()),
        });
        let said = format!("{}: {}", wrong.check, wrong.why);
        self.refuse(request, known_verb, dry, &said)?;
        Ok(Asked::Refused(wrong))
    }

    pub(super) fn refuse(
        &mut self,
        request: &Request,
        known_verb: bool,
        dry: bool,
        said: &str,
    ) -> Result<(), Fault> {
        if dry {
            return Ok(());
        }
        let what = (request.service.as_str(), request.verb.as_str(), known_verb);
        let now = clock::now();
        Ok(self
            .store
            .put_request(what, &request.caller, ("refused", said), now)?)
    }

    /// Asks the platform for all that a decision wants to know. `dry`: what it told is not kept.
    pub(super) fn scene(
        &mut self,
        policy: Policy,
        service: &str,
        verb: &str,
        dry: bool,
    ) -> Result<Scene, Fault> {
        let platform = (self.platforms)(&policy)?;
        let state = self.state(platform.as_ref())?;
        let releases = match verb == Verb::Rollback.word() {
            true => platform.releases(Instant::now() + ANSWER)?,
            false => Vec::new(),
        };
        // Read after the platform has answered: what it told is not in the future.
        let now = clock::now();
        if !dry {
            self.observe(service, &policy, &state, now)?;
        }
        let health = self.store.release_health(service)?;
        let evidence = self.evidence(service, &state, now)?;
        Ok(Scene {
            policy,
            platform,
            state,
            releases,
            health,
            evidence,
            now,
        })
    }

    /// What the platform told lately, newest last.
    fn evidence(&self, service: &str, state: &State, now: Timestamp) -> Result<Vec<Fact>, Fault> {
        let since = now.minus(LATELY);
        let mut all = self.store.facts_since(service, since)?;
        for fact in state.trouble(service, since, now) {
            if !all.contains(&fact) {
                all.push(fact);
            }
        }
        // What was sent gives way to what was asked for.
        all.sort_by_key(|fact| (fact.asked, fact.at));
        let from = all.len().saturating_sub(EVIDENCE);
        let mut kept = all.split_off(from);
        kept.sort_by_key(|fact| fact.at);
        Ok(kept)
    }
}

/// Whether a text looks like `v1:0123ab`. It stands in the record as it is, so it may be nothing else.
fn is_fingerprint(text: &str) -> bool {
    let version = text.strip_prefix('v').and_then(|rest| rest.split_once(':'));
    version.is_some_and(|(version, digits)| {
        text.len() <= FINGERPRINT
            && !version.is_empty()
            && !digits.is_empty()
            && version.bytes().all(|b| b.is_ascii_digit())
            && digits.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// What would be sent. A team's own verb is run here, and no platform knows it.
pub(super) fn plan(
    platform: &dyn Platform,
    task: &Task,
    state: &State,
) -> Result<Vec<String>, Fault> {
    match task {
        Task::Own { argv, seconds, .. } => {
            let words: Vec<String> = argv.iter().map(|word| format!("{word:?}")).collect();
            Ok(vec![format!("run within {seconds} s: {}", words.join(" "))])
        }
        Task::Restart { .. }
        | Task::Rollback { .. }
        | Task::Scale { .. }
        | Task::Stop { .. }
        | Task::Start { .. } => Ok(platform.plan(task, state)?),
    }
}

fn action(request: &Request, task: Task, scene: &Scene) -> Action {
    let policy = &scene.policy;
    let basis = policy::basis(policy, &scene.state);
    let hash = policy::hash(&request.service, policy, &task, &basis);
    Action {
        id: ActionId(0),
        service: request.service.clone(),
        risk: policy::risk(policy, &task, &scene.state),
        task,
        caller: request.caller.clone(),
        why: request.why.clone(),
        incident: request.incident,
        fingerprint: request.fingerprint.clone(),
        evidence: scene.evidence.clone(),
        checks: Vec::new(),
        basis,
        hash,
        stage: Stage::Refused,
        said: String::new(),
        made: scene.now,
        expires: scene.now.plus(policy.approve_within),
        by: None,
        begun: None,
        acted: None,
        ended: None,
        before: None,
        handle: None,
        well_since: None,
        aftermath: None,
        recurred: None,
    }
}

/// Sets the checks and the stage.
fn decide(request: &Request, scene: &Scene, history: &History, action: &mut Action) {
    let policy = &scene.policy;
    action.checks = policy::judge(policy, request, &action.task, &scene.known(history));
    if let Some(failed) = policy::refused(&action.checks) {
        action.stage = Stage::Refused;
        action.said = sentence(failed);
        return;
    }
    if policy.permit == Permit::Propose {
        action.stage = Stage::Proposed;
        action.said = "mode propose: it is only said".to_owned();
        return;
    }
    match policy::waits_for_person(policy, scene.now) {
        Some(why) => {
            action.stage = Stage::Pending;
            action.said = why;
        }
        None => {
            action.stage = Stage::Approved;
            action.by = Some(AUTO.to_owned());
            action.said = "every check passed".to_owned();
        }
    }
}

pub(super) fn sentence(check: &Check) -> String {
    format!("{}: {}", check.name, check.why)
}
