//! How far a task is, told from what the API server shows now and what it showed before: the rules of
//! `kubectl rollout status`, and whether the change is there at all where the answer to it was lost.

use super::Kubernetes;
use super::ask::{Ask, Right};
use super::change::RESTARTED_AT;
use super::deployment::Deployment;
use super::object::{count, entry, number, revision, text};
use super::pods::{is_ending, is_ready};
use super::rollout::{Rollout, wanted};
use crate::model::Timestamp;
use crate::model::recovery::Task;
use crate::recover::error::{Error, ErrorKind};
use crate::recover::{Attempt, Progress};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long a request whose answer was lost may be on its way.
const LATE: Duration = Duration::from_secs(30);
/// How long a rollout may make no progress, where the Deployment does not say.
const DEADLINE: i64 = 600;

const HISTORY: &str = "deployment.kubernetes.io/revision-history";

impl Kubernetes {
    pub(super) fn follow(&self, attempt: &Attempt<'_>, until: Instant) -> Result<Progress, Error> {
        let deployment = match self.deployment(until) {
            Ok(deployment) => deployment,
            Err(fault) if fault.kind == ErrorKind::Missing => {
                return Ok(Progress::Failed("the Deployment was deleted".to_owned()));
            }
            Err(fault) => return Err(fault),
        };
        let uid = attempt.handle.and_then(|handle| text(handle, "/uid"));
        if uid.is_some_and(|uid| uid != deployment.uid) {
            let said = "the Deployment was deleted and made anew";
            return Ok(Progress::Failed(said.to_owned()));
        }
        match attempt.task {
            Task::Restart { instance: None } => Ok(self.restarted(attempt, &deployment)),
            Task::Restart {
                instance: Some(instance),
            } => self.removed(attempt, &deployment, instance, until),
            Task::Rollback { to } => self.rolled_back(attempt, &deployment, to, until),
            Task::Scale { from, to } => Ok(scaled(attempt, &deployment, *from, *to)),
            Task::Stop { .. } | Task::Start { .. } | Task::Own { .. } => {
                let what = format!("{} is nothing that was begun here", attempt.task.verb());
                Err(Error::new(ErrorKind::Unsupported, what))
            }
        }
    }

    fn restarted(&self, attempt: &Attempt<'_>, deployment: &Deployment) -> Progress {
        let path = "/spec/template/metadata/annotations";
        let at = entry(&deployment.body, path, RESTARTED_AT).and_then(Timestamp::parse_rfc3339);
        // The annotation has whole milliseconds.
        let begun = Timestamp(attempt.begun.0 - attempt.begun.0.rem_euclid(1_000_000));
        match at {
            Some(at) if at >= begun => rollout(attempt, deployment),
            Some(_) | None => not_there(attempt),
        }
    }

    fn rolled_back(
        &self,
        attempt: &Attempt<'_>,
        deployment: &Deployment,
        to: &str,
        until: Instant,
    ) -> Result<Progress, Error> {
        let rollout_now = Rollout::of(&deployment.body);
        if rollout_now == Rollout::Unseen {
            return Ok(rollout(attempt, deployment));
        }
        let release = deployment.release();
        if release == attempt.before.release {
            return Ok(not_there(attempt));
        }
        // A ReplicaSet that is gone back to gets the newest number, and keeps those it had.
        let sets = self.sets(deployment, until)?;
        let current = revision(&deployment.body);
        let back = sets.iter().any(|set| {
            let had = entry(set, "/metadata/annotations", HISTORY).unwrap_or_default();
            revision(set) == current && had.split(',').any(|one| one.trim() == to)
        });
        Ok(match back {
            true => rollout(attempt, deployment),
            false => Progress::Failed(format!(
                "revision {} was deployed since, which is not revision {to}",
                release.as_deref().unwrap_or("none")
            )),
        })
    }

    fn removed(
        &self,
        attempt: &Attempt<'_>,
        deployment: &Deployment,
        instance: &str,
        until: Instant,
    ) -> Result<Progress, Error> {
        let ask = Ask::get(self.site.pod(instance), Right::POD);
        match self.ask(&ask, until) {
            Ok(pod) => {
                let uid = attempt.handle.and_then(|handle| text(handle, "/pod"));
                let same = uid.is_none() || uid == text(&pod, "/metadata/uid");
                if same && !is_ending(&pod) {
                    return Ok(not_there(attempt));
                }
                if same {
                    return Ok(Progress::Going(format!("pod {instance} is being ended")));
                }
            }
            Err(fault) if fault.error.kind == ErrorKind::Missing => {}
            Err(fault) => return Err(fault.error),
        }
        let sets = self.sets(deployment, until)?;
        let pods = self.pods(deployment, &sets, until)?;
        let ready = pods.iter().filter(|(pod, _)| is_ready(pod)).count();
        let wanted = wanted(&deployment.body);
        Ok(match ready >= wanted as usize {
            true => Progress::Done(format!(
                "pod {instance} is gone, and {ready} of {wanted} pods are ready"
            )),
            false => Progress::Going(format!(
                "pod {instance} is gone; {ready} of {wanted} pods are ready"
            )),
        })
    }
}

fn rollout(attempt: &Attempt<'_>, deployment: &Deployment) -> Progress {
    match Rollout::of(&deployment.body) {
        Rollout::Unseen => Progress::Going("the change has not been taken up yet".to_owned()),
        Rollout::Moving(said) | Rollout::Unavailable(said) => Progress::Going(said),
        Rollout::TimedOut(said, at) => {
            // The condition of the rollout before stays until this one has moved. One of this one
            // cannot be there before its deadline; half of it leaves room for clocks that differ.
            let deadline = number(&deployment.body, "/spec/progressDeadlineSeconds");
            let half = u64::try_from(deadline.unwrap_or(DEADLINE)).unwrap_or(0) / 2;
            let since = attempt.begun.plus(Duration::from_secs(half));
            match at {
                Some(at) if at < since => {
                    Progress::Going("the rollout has not moved yet".to_owned())
                }
                Some(_) | None => Progress::Failed(said),
            }
        }
        Rollout::Complete(said) => Progress::Done(said),
    }
}

fn scaled(attempt: &Attempt<'_>, deployment: &Deployment, from: u32, to: u32) -> Progress {
    let body = &deployment.body;
    let now = wanted(body);
    if now == from {
        return not_there(attempt);
    }
    if now != to {
        let said = format!("{now} pods are wanted now, not {to}: somebody else scaled it");
        return Progress::Failed(said);
    }
    let has = count(body, "/status/replicas");
    let available = count(body, "/status/availableReplicas");
    if Rollout::of(body) == Rollout::Unseen || has != to || available != to {
        let said = format!("{has} pods of {to} are there, {available} of them available");
        return Progress::Going(said);
    }
    let unseen = attempt.handle.and_then(|handle| handle.get("autoscalers"));
    let note = match unseen == Some(&Value::Bool(false)) {
        true => "; whether an autoscaler keeps their number could not be seen",
        false => "",
    };
    Progress::Done(format!("{to} pods are there and available{note}"))
}

/// The Deployment is as it was.
fn not_there(attempt: &Attempt<'_>) -> Progress {
    if attempt.handle.is_some() {
        return Progress::Failed("somebody undid the change".to_owned());
    }
    match crate::recover::clock::now().since(attempt.begun) < LATE {
        true => Progress::Going("the change is not there yet".to_owned()),
        false => Progress::Failed(
            "the change never reached the API server, or somebody undid it".to_owned(),
        ),
    }
}
