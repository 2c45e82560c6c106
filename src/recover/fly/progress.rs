//! How far a task is, told from what the app shows now against what it showed before.

use crate::model::Timestamp;
use crate::model::recovery::{Instance, InstanceState, State, Task};
use crate::recover::error::{Error, ErrorKind};
use crate::recover::fly::machine;
use crate::recover::{Attempt, Progress};
use std::time::Duration;

/// How far the platform's clock may be from ours.
const SKEW: Duration = Duration::from_secs(30);

/// # Errors
/// `Unsupported` for a task that never was one of this platform.
pub(super) fn progress(attempt: &Attempt<'_>, now: &State) -> Result<Progress, Error> {
    let before = attempt.before;
    Ok(match attempt.task {
        Task::Restart { instance } => {
            let targets: Vec<&Instance> = match instance {
                Some(id) => before
                    .instances
                    .iter()
                    .filter(|one| one.id == *id)
                    .collect(),
                None => before
                    .instances
                    .iter()
                    .filter(|one| one.state != InstanceState::Stopped)
                    .collect(),
            };
            each(&targets, now, "restarted", |was, is| {
                restarted(was, is, attempt.begun)
            })
        }
        Task::Rollback { to } => {
            let targets: Vec<&Instance> = before.instances.iter().collect();
            each(&targets, now, "rolled back", |was, is| {
                rolled_back(was, is, to, attempt.begun)
            })
        }
        Task::Scale { to, .. } => scaled(before, now, *to, attempt.begun),
        Task::Stop { instance } => match now.instances.iter().find(|one| one.id == *instance) {
            None => Progress::Done(format!("machine {instance} is gone")),
            // How it ended does not matter here.
            Some(one) if machine::is_down(one) && one.state != InstanceState::Starting => {
                Progress::Done(format!("machine {instance} is {}", one.word))
            }
            Some(one) => Progress::Going(format!("machine {instance} is {}", one.word)),
        },
        Task::Start { instance } => {
            let targets: Vec<&Instance> = before
                .instances
                .iter()
                .filter(|one| one.id == *instance)
                .collect();
            each(&targets, now, "started", |was, is| match is.state {
                InstanceState::Running => One::Done,
                InstanceState::Failed if has_failed(was, is, attempt.begun) => One::Failed,
                _ => One::Going,
            })
        }
        Task::Own { .. } => {
            let what = "fly.io knows nothing of a verb of the team's own";
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
    })
}

/// How far one machine is.
enum One {
    Going,
    Done,
    Failed,
    /// Somebody else changed it.
    Undone,
}

fn each(
    targets: &[&Instance],
    now: &State,
    verb: &str,
    judge: impl Fn(&Instance, &Instance) -> One,
) -> Progress {
    let mut done = 0;
    let mut open = None;
    for was in targets {
        let Some(is) = now.instances.iter().find(|one| one.id == was.id) else {
            return Progress::Failed(format!("machine {} is gone", was.id));
        };
        match judge(was, is) {
            One::Done => done += 1,
            One::Going => open = open.or(Some(is)),
            One::Failed => {
                return Progress::Failed(format!("machine {} is {}", is.id, is.word));
            }
            One::Undone => {
                let release = is
                    .release
                    .as_deref()
                    .unwrap_or("a release that cannot be told");
                let what = format!("machine {} was given {release} meanwhile", is.id);
                return Progress::Failed(what);
            }
        }
    }
    let all = targets.len();
    match open {
        None => Progress::Done(format!("{done} of {all} machines {verb}")),
        Some(is) => Progress::Going(format!(
            "{done} of {all} machines {verb}; machine {} is {}",
            is.id, is.word
        )),
    }
}

/// Only a run that began after it was asked for shows that it was done.
fn restarted(was: &Instance, is: &Instance, begun: Timestamp) -> One {
    match is.state {
        InstanceState::Running if is_new(was, is, begun) => One::Done,
        InstanceState::Failed if has_failed(was, is, begun) => One::Failed,
        _ => One::Going,
    }
}

fn is_new(was: &Instance, is: &Instance, begun: Timestamp) -> bool {
    let Some(started) = is.started else {
        return false;
    };
    let later = was.started.is_none_or(|before| started > before);
    later && started >= begun.minus(SKEW)
}

/// Whether it failed since then, and not already before.
fn has_failed(was: &Instance, is: &Instance, begun: Timestamp) -> bool {
    let last = |one: &Instance| one.exits.last().map(|exit| exit.at);
    let newer = last(is) > last(was) && last(is).is_some_and(|at| at >= begun.minus(SKEW));
    newer || was.state != InstanceState::Failed
}

fn rolled_back(was: &Instance, is: &Instance, to: &str, begun: Timestamp) -> One {
    if is.release.as_deref() != Some(to) {
        return match is.release == was.release {
            true => One::Going,
            false => One::Undone,
        };
    }
    // It had the release before, or was to stay stopped.
    if was.release.as_deref() == Some(to) || was.state == InstanceState::Stopped {
        return One::Done;
    }
    match is.state {
        InstanceState::Running => One::Done,
        InstanceState::Failed if has_failed(was, is, begun) => One::Failed,
        _ => One::Going,
    }
}

fn scaled(before: &State, now: &State, to: u32, begun: Timestamp) -> Progress {
    let wanted = now.wanted.unwrap_or_default();
    let up = before.wanted.is_none_or(|from| from < to);
    let old = |id: &str| before.instances.iter().find(|one| one.id == id);
    if up {
        let failed = now.instances.iter().find(|one| {
            let meant = old(&one.id).is_none_or(|was| was.state == InstanceState::Stopped);
            let fell = old(&one.id).is_none_or(|was| has_failed(was, one, begun));
            meant && fell && one.state == InstanceState::Failed
        });
        if let Some(one) = failed {
            return Progress::Failed(format!("machine {} is {}", one.id, one.word));
        }
    }
    let starting = now
        .instances
        .iter()
        .any(|one| one.state == InstanceState::Starting);
    let enough = match up {
        true => wanted >= to && !starting,
        false => wanted <= to,
    };
    let said = format!("{wanted} machines are wanted, {to} are meant");
    match enough {
        true => Progress::Done(said),
        false => Progress::Going(said),
    }
}
