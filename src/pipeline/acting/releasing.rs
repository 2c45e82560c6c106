//! A person says yes or no to an action that waits. A yes is for this action as it was asked for, once,
//! and only while everything that it rests on is still so.

use super::asking::{NAME, WHY, plan, sentence};
use super::{Door, Fault};
use crate::model::recovery::{Action, ActionId, Caller, CallerKind, Check, Stage};
use crate::pipeline::clock;
use crate::policy::{self, History, Request};
use crate::store::ErrorKind;
use std::collections::BTreeMap;

impl Door {
    /// Releases an action. It comes back as approved, or as refused with the check that failed: then it
    /// is void, and another one has to be asked for.
    ///
    /// # Errors
    /// Where there is no such action or it does not wait any more, and where the platform does not say
    /// how the service is: then it goes on waiting.
    pub fn approve(&mut self, id: ActionId, who: &str) -> Result<Action, Fault> {
        let who = cut(who, NAME);
        let done = self.try_approve(id, who);
        self.noted("approve", id, who, done)
    }

    fn try_approve(&mut self, id: ActionId, who: &str) -> Result<Action, Fault> {
        self.must_be_on()?;
        let action = self.waiting(id)?;
        let now = clock::now();
        if now >= action.expires {
            return self.expire(id);
        }
        let (_, policy) = self.policy(&action.service)?;
        let scene = self.scene(policy, &action.service, action.task.verb(), false)?;
        plan(scene.platform.as_ref(), &action.task, &scene.state)?;
        let request = again(&action);
        let decide = |history: &History, action: &mut Action| {
            action.by = Some(who.to_owned());
            action.checks =
                policy::judge(&scene.policy, &request, &action.task, &scene.known(history));
            action
                .checks
                .push(same(action, &scene.policy, &scene.state));
            match policy::refused(&action.checks) {
                Some(failed) => {
                    action.stage = Stage::Refused;
                    action.said = sentence(failed);
                }
                None => {
                    action.stage = Stage::Approved;
                    action.said = format!("approved by {who}");
                }
            }
        };
        self.settled(id, decide)
    }

    /// Says no to an action.
    ///
    /// # Errors
    /// Where there is no such action or it does not wait any more.
    pub fn deny(&mut self, id: ActionId, who: &str, reason: &str) -> Result<Action, Fault> {
        let who = cut(who, NAME);
        let done = self.try_deny(id, who, cut(reason, WHY));
        self.noted("deny", id, who, done)
    }

    fn try_deny(&mut self, id: ActionId, who: &str, reason: &str) -> Result<Action, Fault> {
        self.waiting(id)?;
        self.settled(id, |_, action| {
            action.stage = Stage::Denied;
            action.by = Some(who.to_owned());
            action.said = match reason {
                "" => format!("denied by {who}"),
                reason => format!("denied by {who}: {reason}"),
            };
            action.ended = Some(clock::now());
        })
    }

    pub(super) fn expire(&mut self, id: ActionId) -> Result<Action, Fault> {
        self.settled(id, |_, action| {
            action.stage = Stage::Expired;
            action.said = format!(
                "nobody approved it until {}; ask for a new one",
                action.expires.to_rfc3339()
            );
            action.ended = Some(clock::now());
        })
    }

    /// A yes or a no that came to nothing is written down as well: one that is said twice is seen.
    fn noted(
        &mut self,
        verb: &str,
        id: ActionId,
        who: &str,
        done: Result<Action, Fault>,
    ) -> Result<Action, Fault> {
        let fault = match done {
            Ok(_) | Err(Fault::Store(_)) => return done,
            Err(fault @ (Fault::Unknown(_) | Fault::Platform(_))) => fault,
        };
        let action = self.store.action(id)?;
        let service = action.map(|action| action.service).unwrap_or_default();
        let caller = Caller {
            kind: CallerKind::Person,
            name: who.to_owned(),
        };
        let said = format!("action {id}: {fault}");
        let what = (service.as_str(), verb, true);
        let now = clock::now();
        self.store
            .put_request(what, &caller, ("refused", &said), now)?;
        Err(fault)
    }

    fn waiting(&self, id: ActionId) -> Result<Action, Fault> {
        match self.store.action(id)? {
            Some(action) if action.stage == Stage::Pending => Ok(action),
            Some(action) => Err(Fault::Unknown(format!(
                "action {id} does not wait for approval: it is {} ({}); ask for a new one",
                action.stage.word(),
                action.said
            ))),
            None => Err(Fault::Unknown(format!(
                "there is no action {id}; `autofix act` lists them"
            ))),
        }
    }

    fn settled(
        &mut self,
        id: ActionId,
        decide: impl FnOnce(&History, &mut Action),
    ) -> Result<Action, Fault> {
        match self.store.settle_action(id, decide, clock::now()) {
            Ok(action) => Ok(action),
            // Somebody else was first.
            Err(fault) if matches!(fault.kind, ErrorKind::LeaseLost | ErrorKind::Missing) => {
                Err(Fault::Unknown(fault.to_string()))
            }
            Err(fault) => Err(fault.into()),
        }
    }
}

/// The request that an action came of, as far as its task does not say it.
pub(super) fn again(action: &Action) -> Request {
    Request {
        service: action.service.clone(),
        verb: action.task.verb().to_owned(),
        parameters: BTreeMap::new(),
        caller: action.caller.clone(),
        why: action.why.clone(),
        incident: action.incident,
        fingerprint: action.fingerprint.clone(),
    }
}

/// What was written, as far as it is kept.
pub(super) fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most))
        .unwrap_or_default()
}

/// Whether an action is still what was asked for, on what it was asked for.
pub(super) fn same(
    action: &Action,
    policy: &crate::model::recovery::Policy,
    state: &crate::model::recovery::State,
) -> Check {
    let basis = policy::basis(policy, state);
    let hash = policy::hash(&action.service, policy, &action.task, &basis);
    let why = match (hash == action.hash, &basis, &action.basis) {
        (true, _, _) => "nothing that it rests on has changed".to_owned(),
        (false, now, then) if now.release != then.release => format!(
            "another release runs now: {}",
            now.release.as_deref().unwrap_or("none")
        ),
        (false, now, then) if now.wanted != then.wanted => {
            "another number of instances is wanted now".to_owned()
        }
        (false, now, then) if now.policy != then.policy => {
            "its [service.recover] was changed meanwhile".to_owned()
        }
        (false, _, _) => "it is not the action that was asked for".to_owned(),
    };
    Check {
        name: "as_asked_for".to_owned(),
        passed: hash == action.hash,
        why,
    }
}
