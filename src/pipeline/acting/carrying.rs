//! Carrying an action out, a step at a time under its lease: begin, poll, watch, result. What begins is
//! written down before the platform is told, so that whoever takes over from a process that died polls
//! and does not begin again.

use super::asking::{AUTO, Scene, sentence};
use super::releasing::{again, same};
use super::{ANSWER, Door, Fault, until};
use crate::model::Timestamp;
use crate::model::recovery::{Action, ActionId, Aftermath, Stage, Task};
use crate::pipeline::clock;
use crate::policy::{self, After, Helped, History, helped};
use crate::recover::{Attempt, Error, ErrorKind, Progress, command};
use crate::store::{self, ActionLease, Claimed, Next};
use std::time::{Duration, Instant};

/// Between two looks at how far it is.
const POLL: Duration = Duration::from_secs(2);
/// The longest that a platform may take to be told; a lease lasts longer.
const BEGIN: Duration = Duration::from_secs(240);
/// The longest pause after failed ones.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest that a platform can put one off.
const PUT_OFF: Duration = Duration::from_secs(900);

/// What a step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// Nothing was due.
    Nothing,
    /// A step of this action was done; it may have been its last.
    Step(ActionId),
}

/// How a step ends.
enum Then {
    Due(Timestamp),
    Over,
}

impl Door {
    /// Does the next due step of an action: of this one, or of any.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn step(&mut self, which: Option<ActionId>) -> Result<Carried, store::Error> {
        if self.is_off() {
            return Ok(Carried::Nothing);
        }
        let now = clock::now();
        let Some(claimed) = self.store.claim_action(which, &self.holder, now)? else {
            return Ok(Carried::Nothing);
        };
        let Claimed {
            mut action,
            lease,
            tries,
        } = claimed;
        let id = action.id;
        let done = match action.stage {
            Stage::Pending => {
                return match self.expire(id) {
                    Ok(_) | Err(Fault::Unknown(_) | Fault::Platform(_)) => Ok(Carried::Step(id)),
                    Err(Fault::Store(fault)) => Err(fault),
                };
            }
            Stage::Approved => self.begin(&mut action, &lease, tries),
            Stage::Running => self.poll(&mut action),
            Stage::Watched => self.watch(&mut action),
            Stage::Refused
            | Stage::Proposed
            | Stage::Expired
            | Stage::Denied
            | Stage::Done
            | Stage::Failed => Ok(Then::Over),
        };
        let now = clock::now();
        let (next, tries) = match done {
            Ok(Then::Due(due)) => (Some(due), 0),
            Ok(Then::Over) => (None, 0),
            Err(Fault::Platform(fault)) => self.again(&mut action, &fault.what, tries, now),
            Err(Fault::Unknown(what)) => {
                // Its service is gone from the registry: what was begun is left as it is.
                self.fail(&mut action, what, now);
                (None, 0)
            }
            // What another process does now.
            Err(Fault::Store(fault)) if fault.kind == store::ErrorKind::LeaseLost => {
                return Ok(Carried::Step(id));
            }
            Err(Fault::Store(fault)) => return Err(fault),
        };
        match self
            .store
            .save_action(&lease, &action, Next::Due(next), tries, now)
        {
            Ok(()) => Ok(Carried::Step(id)),
            Err(fault) if fault.kind == store::ErrorKind::LeaseLost => Ok(Carried::Step(id)),
            Err(fault) => Err(fault),
        }
    }

    /// After a step that failed: once more, unless its time is over.
    fn again(
        &self,
        action: &mut Action,
        why: &str,
        tries: u32,
        now: Timestamp,
    ) -> (Option<Timestamp>, u32) {
        let pause = POLL.saturating_mul(1 << tries.min(8)).min(LONGEST);
        let policy = self.policy(&action.service).map(|(_, policy)| policy);
        let within = policy.map(|policy| policy.act_within.max(policy.well_within));
        let within = within.unwrap_or_default();
        action.said = format!("tried again: {why}");
        if action.stage == Stage::Approved {
            // Nothing was done, so nothing failed.
            if now > action.expires.plus(within) {
                refuse(action, format!("it did not begin in time: {why}"), now);
                return (None, 0);
            }
            return (Some(now.plus(pause)), tries.saturating_add(1));
        }
        let since = action.acted.or(action.begun).unwrap_or(action.made);
        let over = now > since && now.since(since) > within;
        if over && action.stage == Stage::Watched {
            // It was done; nobody can say whether it helped.
            action.stage = Stage::Done;
            action.aftermath = Some(Aftermath::NoChange);
            action.said = format!("it is not known whether it helped: {why}");
            action.ended = Some(now);
            return (None, 0);
        }
        if over {
            self.fail(action, format!("given up: {why}"), now);
            return (None, 0);
        }
        (Some(now.plus(pause)), tries.saturating_add(1))
    }

    fn fail(&self, action: &mut Action, why: String, now: Timestamp) {
        action.stage = Stage::Failed;
        action.said = why;
        action.ended = Some(now);
    }

    /// Tells the platform, once.
    fn begin(
        &mut self,
        action: &mut Action,
        lease: &ActionLease,
        tries: u32,
    ) -> Result<Then, Fault> {
        let (_, policy) = self.policy(&action.service)?;
        let scene = self.scene(policy, &action.service, action.task.verb(), false)?;
        let (policy, platform) = (&scene.policy, &scene.platform);
        let (state, now) = (&scene.state, scene.now);
        if let Some(why) = no_longer(action, &scene) {
            refuse(action, why, now);
            return Ok(Then::Over);
        }
        action.stage = Stage::Running;
        action.begun = Some(now);
        action.before = Some(state.clone());
        action.said = "begun".to_owned();
        self.store
            .save_action(lease, action, Next::Keep, tries, now)?;
        let begun = match &action.task {
            Task::Own { argv, seconds, .. } => {
                let within = Duration::from_secs(*seconds);
                command::run(argv, &self.environment, within).map(|said| Some(said.into()))
            }
            Task::Restart { .. }
            | Task::Rollback { .. }
            | Task::Scale { .. }
            | Task::Stop { .. }
            | Task::Start { .. } => {
                let mark = format!("autofix-{}-{}", action.id, &action.hash[..12]);
                // It may have to wait between instances.
                let deadline = Instant::now() + BEGIN.min(policy.act_within);
                platform.begin(&action.task, state, &mark, deadline)
            }
        };
        let now = clock::now();
        match begun {
            Ok(handle) => {
                action.handle = handle;
                Ok(Then::Due(now))
            }
            Err(fault) => Ok(self.not_begun(action, &fault, now)),
        }
    }

    fn not_begun(&self, action: &mut Action, fault: &Error, now: Timestamp) -> Then {
        match fault.kind {
            // It is put off, and asked anew whether everything is as it was.
            ErrorKind::Limited(after) => {
                action.stage = Stage::Approved;
                action.said = format!("put off: {fault}");
                Then::Due(now.plus(after.min(PUT_OFF)))
            }
            // A program of the team's own was ended here, and there is nobody to ask about it.
            ErrorKind::Unreachable if !matches!(action.task, Task::Own { .. }) => {
                action.said = format!("it is not known whether it began: {fault}");
                Then::Due(now.plus(POLL))
            }
            ErrorKind::Unreachable
            | ErrorKind::Settings
            | ErrorKind::Refused
            | ErrorKind::Missing
            | ErrorKind::Invalid
            | ErrorKind::Unsupported => {
                self.fail(action, fault.what.clone(), now);
                Then::Over
            }
        }
    }

    /// Asks how far it is.
    fn poll(&mut self, action: &mut Action) -> Result<Then, Fault> {
        let (_, policy) = self.policy(&action.service)?;
        let progress = match (&action.task, &action.before, action.begun) {
            // It ended, or was ended, in the step that began it.
            (Task::Own { .. }, _, _) => Progress::Done(match &action.handle {
                Some(said) => format!("it ran: {}", said.as_str().unwrap_or_default()),
                None => "whether it ran to its end is not known".to_owned(),
            }),
            (task, Some(before), Some(begun)) => {
                let platform = (self.platforms)(&policy)?;
                let attempt = Attempt {
                    task,
                    before,
                    begun,
                    handle: action.handle.as_ref(),
                };
                platform.poll(&attempt, Instant::now() + ANSWER)?
            }
            (_, None, _) | (_, _, None) => {
                Progress::Failed("the row of the store does not say when it began".to_owned())
            }
        };
        let now = clock::now();
        let begun = action.begun.unwrap_or(now);
        match progress {
            Progress::Going(how_far) if now.since(begun) > policy.act_within => {
                let seconds = policy.act_within.as_secs();
                let why = format!("it hangs: not done after {seconds} s: {how_far}");
                self.fail(action, why, now);
                Ok(Then::Over)
            }
            Progress::Going(how_far) => {
                action.said = how_far;
                Ok(Then::Due(until(begun.plus(policy.act_within), now, POLL)))
            }
            Progress::Done(said) => {
                action.stage = Stage::Watched;
                action.acted = Some(now);
                action.said = said;
                Ok(Then::Due(now))
            }
            Progress::Failed(why) => {
                self.fail(action, why, now);
                Ok(Then::Over)
            }
        }
    }

    /// Looks whether it helped.
    fn watch(&mut self, action: &mut Action) -> Result<Then, Fault> {
        let (_, policy) = self.policy(&action.service)?;
        // One that cannot even be asked is one that does not say how the service is.
        let state = (self.platforms)(&policy)
            .map_err(Fault::from)
            .and_then(|platform| self.state(platform.as_ref()));
        let now = clock::now();
        if let Ok(state) = &state {
            self.observe(&action.service, &policy, state, now)?;
        }
        let acted = action.acted.unwrap_or(now);
        let seen = match &action.fingerprint {
            Some(fault) => self.store.seen_since(&action.service, fault, acted)?,
            None => 0,
        };
        let (before, state) = match &action.task {
            // It does not run because that was asked for.
            Task::Stop { instance } => (
                action.before.as_ref().map(|state| state.without(instance)),
                state.ok().map(|state| match state.is_stopped(instance) {
                    true => state.without(instance),
                    false => state,
                }),
            ),
            Task::Restart { .. }
            | Task::Rollback { .. }
            | Task::Scale { .. }
            | Task::Start { .. }
            | Task::Own { .. } => (action.before.clone(), state.ok()),
        };
        let after = After {
            before: before.as_ref(),
            state: state.as_ref(),
            acted,
            seen,
            well_since: action.well_since,
            now,
        };
        match helped(&policy, &after) {
            Helped::Is(aftermath, why) => {
                action.stage = Stage::Done;
                action.aftermath = Some(aftermath);
                action.said = why;
                action.ended = Some(now);
                Ok(Then::Over)
            }
            Helped::Wait(since) => {
                action.well_since = since;
                action.said = match since {
                    Some(_) => "the service is well; it is watched whether it stays so".to_owned(),
                    None => "the service is not well yet".to_owned(),
                };
                Ok(Then::Due(now.plus(POLL.min(policy.well_for.max(POLL / 4)))))
            }
        }
    }
}

/// It was not begun, and never will be.
fn refuse(action: &mut Action, why: String, now: Timestamp) {
    action.stage = Stage::Refused;
    action.said = why;
    action.ended = Some(now);
}

/// Why what was released must not begin any more. What was done before was counted when it was released;
/// everything else is looked at once more.
fn no_longer(action: &Action, scene: &Scene) -> Option<String> {
    let policy = &scene.policy;
    let last = action.expires.plus(policy.act_within);
    if scene.now >= last {
        let last = last.to_rfc3339();
        return Some(format!(
            "it did not begin in time: it was good until {last}"
        ));
    }
    let mut checks = vec![same(action, policy, &scene.state)];
    let history = History::default();
    let request = again(action);
    checks.extend(policy::judge(
        policy,
        &request,
        &action.task,
        &scene.known(&history),
    ));
    if let Some(failed) = policy::refused(&checks) {
        return Some(sentence(failed));
    }
    match action.by.as_deref() {
        // Nobody was asked, and now somebody would be.
        Some(AUTO) => policy::waits_for_person(policy, scene.now),
        Some(_) | None => None,
    }
}
