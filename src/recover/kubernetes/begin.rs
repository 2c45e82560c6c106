//! Carrying a task out: what stands now is read and held against what the task was decided on, the
//! change is tried without effect, and then made on exactly what was read. How it goes on is
//! `follow.rs`.

use super::Kubernetes;
use super::ask::{Ask, Right, page};
use super::change::{self, Change};
use super::deployment::{Deployment, set_of};
use super::object::{number, revision, text};
use super::place::is_name;
use super::pods::is_ending;
use super::rollout::{Rollout, kept_by, wanted};
use crate::model::recovery::{State, Task};
use crate::recover::error::{Error, ErrorKind, shown};
use serde_json::{Value, json};
use std::time::Instant;

/// How often a change is tried where only the Deployment's status was written meanwhile.
const TRIES: usize = 4;

impl Kubernetes {
    /// Whether the task fits what was shown; asks nobody.
    pub(super) fn fits(&self, task: &Task, before: &State) -> Result<(), Error> {
        match task {
            Task::Restart { instance: None } => unkept(before.kept_by.as_deref(), task),
            Task::Restart {
                instance: Some(instance),
            } => {
                let Some(one) = before.instances.iter().find(|one| one.id == *instance) else {
                    let what = format!("there is no pod {}", shown(instance));
                    return Err(Error::new(ErrorKind::Missing, what));
                };
                if one.own || self.own.as_ref() == Some(instance) {
                    return invalid(format!(
                        "pod {instance} is the one that autofix itself runs in"
                    ));
                }
                match is_name(instance) {
                    true => Ok(()),
                    false => invalid(format!("`{}` is no name of a pod", shown(instance))),
                }
            }
            Task::Rollback { to } => {
                unkept(before.kept_by.as_deref(), task)?;
                if number_of(to).is_none() {
                    return invalid(format!("`{}` is no number of a revision", shown(to)));
                }
                if before.release.as_ref() == Some(to) {
                    return invalid(format!("revision {to} is the one that runs"));
                }
                Ok(())
            }
            Task::Scale { from, to } => {
                unkept(before.kept_by.as_deref(), task)?;
                if from == to {
                    return invalid(format!("there are {to} pods wanted already"));
                }
                match before.wanted {
                    Some(wanted) if wanted != *from => {
                        invalid(format!("{wanted} pods are wanted, not {from}"))
                    }
                    Some(_) | None => Ok(()),
                }
            }
            Task::Stop { .. } => unsupported(
                "a pod of a Deployment that is ended is made anew at once; restart it, or scale",
            ),
            Task::Start { .. } => {
                unsupported("a Deployment starts its pods by itself; none stays stopped")
            }
            Task::Own { name, .. } => unsupported(&format!(
                "{} is a team's own verb, and nothing that the API server does",
                shown(name)
            )),
        }
    }

    pub(super) fn planned(&self, task: &Task, before: &State) -> Result<Vec<String>, Error> {
        self.fits(task, before)?;
        let site = &self.site;
        let version = "<resourceVersion of the Deployment as read>";
        let mut lines = vec![change::line(&Ask::get(site.deployment(), Right::GET))];
        let selector = "<selector of the Deployment as read>";
        let sets = || page(&site.replica_sets(), &format!("&labelSelector={selector}"));
        let change = match task {
            Task::Restart { instance: None } => Change::restart(site, version, "<time of sending>"),
            Task::Restart {
                instance: Some(instance),
            } => {
                lines.push(format!("GET {}", sets()));
                lines.push(change::line(&Ask::get(site.pod(instance), Right::POD)));
                let removal = change::removal(site, instance, "<uid of the pod as read>");
                lines.push(change::line(&removal));
                return Ok(lines);
            }
            Task::Rollback { to } => {
                lines.push(format!("GET {}", sets()));
                let template = format!("<template of revision {to} without pod-template-hash>");
                let annotations = format!("<annotations of revision {to}>");
                Change::rollback(site, version, json!(template), json!(annotations))
            }
            Task::Scale { to, .. } => {
                lines.insert(0, format!("GET {}", page(&site.autoscalers(), "")));
                Change::scale(site, version, *to)
            }
            Task::Stop { .. } | Task::Start { .. } | Task::Own { .. } => return Ok(Vec::new()),
        };
        lines.push(change::line(&change.ask(true)));
        lines.push(change::line(&change.ask(false)));
        Ok(lines)
    }

    pub(super) fn started(
        &self,
        task: &Task,
        before: &State,
        until: Instant,
    ) -> Result<Option<Value>, Error> {
        self.fits(task, before)?;
        match task {
            Task::Restart { instance: None } => {
                let at = crate::recover::clock::now().to_rfc3339();
                self.change(task, before, until, |deployment| {
                    Ok(Change::restart(&self.site, &deployment.version, &at))
                })
            }
            Task::Restart {
                instance: Some(instance),
            } => self.remove(instance, until),
            Task::Rollback { to } => self.change(task, before, until, |deployment| {
                self.rollback(deployment, to, until)
            }),
            Task::Scale { from, to } => {
                let seen = self.autoscalers(until)?;
                let begun = self.change(task, before, until, |deployment| {
                    let wanted = wanted(&deployment.body);
                    if wanted != *from {
                        return invalid(format!("{wanted} pods are wanted now, not {from}"));
                    }
                    Ok(Change::scale(&self.site, &deployment.version, *to))
                })?;
                Ok(begun.map(|mut handle| {
                    handle["autoscalers"] = json!(seen);
                    handle
                }))
            }
            Task::Stop { .. } | Task::Start { .. } | Task::Own { .. } => Ok(None),
        }
    }

    /// Reads, tries and makes a change, again where only a status was written in between. Somebody
    /// else's change in between ends it: of two at once one wins.
    fn change(
        &self,
        task: &Task,
        before: &State,
        until: Instant,
        make: impl Fn(&Deployment) -> Result<Change, Error>,
    ) -> Result<Option<Value>, Error> {
        let mut last: Option<(Deployment, Error)> = None;
        for _ in 0..TRIES {
            let deployment = self.deployment(until)?;
            if let Some((read, fault)) = last {
                if deployment.version == read.version {
                    return Err(fault);
                }
                if deployment.generation != read.generation || deployment.uid != read.uid {
                    return invalid("somebody else changed the Deployment just now".to_owned());
                }
            }
            still_fits(task, before, &deployment)?;
            let change = make(&deployment)?;
            let sent = match self.ask(&change.ask(true), until) {
                Ok(_) => self.ask(&change.ask(false), until),
                Err(fault) => Err(fault),
            };
            match sent {
                Ok(answer) => {
                    let generation = number(&answer, "/metadata/generation");
                    return Ok(Some(
                        json!({ "uid": deployment.uid, "generation": generation }),
                    ));
                }
                // What was read is older than what is there; or the change itself is wrong.
                Err(fault) if matches!(fault.status, Some(409 | 422)) => {
                    last = Some((deployment, fault.error));
                }
                Err(fault) => return Err(fault.error),
            }
        }
        invalid("the Deployment's status is written so often that no change comes through".into())
    }

    fn rollback(&self, deployment: &Deployment, to: &str, until: Instant) -> Result<Change, Error> {
        let sets = self.sets(deployment, until)?;
        let number = number_of(to);
        let Some(set) = sets.iter().find(|set| revision(set) == number) else {
            let what = format!("there is no ReplicaSet of revision {}", shown(to));
            return Err(Error::new(ErrorKind::Missing, what));
        };
        if change::template_of(set).as_ref() == deployment.body.pointer("/spec/template") {
            return invalid(format!("revision {to} is what the Deployment has already"));
        }
        let change = change::rollback_to(&self.site, &deployment.version, &deployment.body, set);
        change.ok_or_else(|| {
            let what = format!("the ReplicaSet of revision {} has no template", shown(to));
            Error::new(ErrorKind::Invalid, what)
        })
    }

    fn remove(&self, instance: &str, until: Instant) -> Result<Option<Value>, Error> {
        let deployment = self.deployment(until)?;
        let sets = self.sets(&deployment, until)?;
        let pod = self.ask(&Ask::get(self.site.pod(instance), Right::POD), until)?;
        if set_of(&pod, &sets).is_none() || text(&pod, "/metadata/name") != Some(instance) {
            return invalid(format!("pod {instance} is not one of this Deployment"));
        }
        if is_ending(&pod) {
            return invalid(format!("pod {instance} is being ended already"));
        }
        let Some(uid) = text(&pod, "/metadata/uid") else {
            return invalid(format!("pod {instance} has no uid"));
        };
        self.ask(&change::removal(&self.site, instance, uid), until)?;
        Ok(Some(json!({ "uid": deployment.uid, "pod": uid })))
    }

    /// Refuses where one keeps the number of pods; otherwise whether that could be seen.
    fn autoscalers(&self, until: Instant) -> Result<bool, Error> {
        let ours = |one: &Value| {
            text(one, "/spec/scaleTargetRef/kind") == Some("Deployment")
                && text(one, "/spec/scaleTargetRef/name") == Some(&self.site.name)
        };
        let url = self.site.autoscalers();
        let found = match self.list(&url, Right::AUTOSCALERS, "", ours, until) {
            Ok(found) => found,
            // No right to look, or an API server that does not know them in this version.
            Err(fault) if matches!(fault.status, Some(403 | 404)) => return Ok(false),
            Err(fault) => return Err(fault.error),
        };
        match found.first() {
            None => Ok(true),
            Some(one) => {
                let name = shown(text(one, "/metadata/name").unwrap_or_default());
                let bounds = bounds(one);
                invalid(format!(
                    "HorizontalPodAutoscaler {name} keeps the number of pods{bounds} and would undo \
                     this; change its bounds instead"
                ))
            }
        }
    }
}

fn bounds(autoscaler: &Value) -> String {
    let least = number(autoscaler, "/spec/minReplicas").unwrap_or(1);
    match number(autoscaler, "/spec/maxReplicas") {
        Some(most) => format!(" ({least} to {most})"),
        None => String::new(),
    }
}

/// Whether the Deployment is still what the task was decided on.
fn still_fits(task: &Task, before: &State, deployment: &Deployment) -> Result<(), Error> {
    unkept(kept_by(&deployment.body).as_deref(), task)?;
    let release = deployment.release();
    if before.release != release {
        let name = |one: &Option<String>| one.clone().unwrap_or("none".to_owned());
        return invalid(format!(
            "revision {} was deployed since; it was {}",
            name(&release),
            name(&before.release)
        ));
    }
    match Rollout::of(&deployment.body) {
        Rollout::Unseen => invalid("another change is just being taken up; ask again".to_owned()),
        Rollout::Moving(_)
        | Rollout::Unavailable(_)
        | Rollout::TimedOut(..)
        | Rollout::Complete(_) => Ok(()),
    }
}

fn unkept(kept_by: Option<&str>, task: &Task) -> Result<(), Error> {
    match kept_by {
        None => Ok(()),
        Some(who) => invalid(format!(
            "{}: the Deployment is kept as it is ({who}); make the change where that is decided. \
             Only a single pod can be restarted here",
            task.verb()
        )),
    }
}

fn number_of(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

fn invalid<T>(what: String) -> Result<T, Error> {
    Err(Error::new(ErrorKind::Invalid, what))
}

fn unsupported<T>(what: &str) -> Result<T, Error> {
    Err(Error::new(ErrorKind::Unsupported, what))
}
