//! What a task comes to on fly.io, request by request. Both what is said beforehand and what is sent
//! are made of the same steps, so that they cannot differ. Sends nothing.

use crate::model::recovery::{Instance, InstanceState, State, Task};
use crate::recover::error::{Error, ErrorKind, shown};
use crate::recover::fly::address::Address;
use crate::recover::fly::{image, machine};

/// How long one request waits for a machine to be started, in seconds.
pub(super) const WAIT: u64 = 30;
/// How long a lease holds that nobody gives back, in seconds.
pub(super) const LEASE: u64 = 300;
/// What a lease of ours is called.
pub(super) const LEASE_NAME: &str = "autofix rolls back";

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Holds that as many machines are wanted as before.
    Count {
        wanted: u32,
    },
    Restart(String),
    Start(String),
    Stop(String),
    /// Until the machine is started.
    Wait(String),
    /// Until the machine is started that was made last.
    WaitMade,
    Lease(String),
    /// The machine as it is, under its lease.
    Read(String),
    /// The same configuration with another image. `asleep`: it stays stopped.
    Update {
        id: String,
        to: String,
        asleep: bool,
    },
    GiveBack(String),
    /// The machine that others are made after.
    Like(String),
    Make {
        like: String,
    },
}

impl Step {
    /// Whether it changes what runs.
    pub fn changes(&self) -> bool {
        match self {
            Step::Restart(_)
            | Step::Start(_)
            | Step::Stop(_)
            | Step::Update { .. }
            | Step::Make { .. } => true,
            Step::Count { .. }
            | Step::Wait(_)
            | Step::WaitMade
            | Step::Lease(_)
            | Step::Read(_)
            | Step::GiveBack(_)
            | Step::Like(_) => false,
        }
    }

    /// What it does, in sentences.
    pub fn what(&self) -> String {
        match self {
            Step::Count { .. } => "the list of machines".to_owned(),
            Step::Restart(id) => format!("restart of machine {id}"),
            Step::Start(id) => format!("start of machine {id}"),
            Step::Stop(id) => format!("stop of machine {id}"),
            Step::Wait(id) => format!("wait for machine {id}"),
            Step::WaitMade => "wait for the new machine".to_owned(),
            Step::Lease(id) => format!("lease of machine {id}"),
            Step::Read(id) | Step::Like(id) => format!("machine {id}"),
            Step::Update { id, .. } => format!("update of machine {id}"),
            Step::GiveBack(id) => format!("end of the lease of machine {id}"),
            Step::Make { like } => format!("a new machine like {like}"),
        }
    }

    /// The request's method and address; `made`: the machine that was made last.
    pub fn request(&self, address: &Address, made: &str) -> Result<(&'static str, String), Error> {
        let wait = format!("/wait?state=started&timeout={WAIT}");
        Ok(match self {
            Step::Count { .. } => ("GET", address.machines().to_owned()),
            Step::Restart(id) => ("POST", address.machine(id, "/restart")?),
            Step::Start(id) => ("POST", address.machine(id, "/start")?),
            Step::Stop(id) => ("POST", address.machine(id, "/stop")?),
            Step::Wait(id) => ("GET", address.machine(id, &wait)?),
            Step::WaitMade => ("GET", address.machine(made, &wait)?),
            Step::Lease(id) => ("POST", address.machine(id, "/lease")?),
            Step::Read(id) | Step::Like(id) => ("GET", address.machine(id, "")?),
            Step::Update { id, .. } => ("POST", address.machine(id, "")?),
            Step::GiveBack(id) => ("DELETE", address.machine(id, "/lease")?),
            Step::Make { .. } => ("POST", address.machines().to_owned()),
        })
    }

    /// The request as it is said beforehand.
    pub fn line(&self, address: &Address) -> Result<String, Error> {
        let (method, url) = self.request(address, NEW)?;
        let request = format!("{method} {url}");
        Ok(match self {
            Step::Lease(_) => {
                format!("{request} {{\"description\":\"{LEASE_NAME}\",\"ttl\":{LEASE}}}")
            }
            Step::Update { to, asleep, .. } => format!(
                "{request} {{\"config\":{{(as it is) \"image\":\"{to}\"}},\"region\":(as it is),\"skip_launch\":{asleep}}}"
            ),
            Step::Make { like } => {
                format!("{request} {{\"config\":(that of {like}),\"region\":(that of {like})}}")
            }
            _ => request,
        })
    }
}

/// Stands for the id of a machine that is not there yet.
pub(super) const NEW: &str = "NEW";

/// The steps of a task, in their order.
///
/// # Errors
/// `Unsupported`, `Missing` and `Invalid` where the platform or the state does not fit the task.
pub(super) fn steps(task: &Task, before: &State) -> Result<Vec<Step>, Error> {
    match task {
        Task::Restart { instance: None } => restart_all(before),
        Task::Restart { instance: Some(id) } => {
            let one = find(before, id)?;
            if one.state == InstanceState::Stopped {
                return invalid(format!("machine {id} is {}: it can be started", one.word));
            }
            Ok(vec![again(one)])
        }
        Task::Rollback { to } => roll_back(to, before),
        Task::Scale { from, to } => scale(*from, *to, before),
        Task::Stop { instance } => {
            let one = find(before, instance)?;
            if machine::is_down(one) {
                return invalid(format!(
                    "machine {instance} does not run: it is {}",
                    one.word
                ));
            }
            Ok(vec![Step::Stop(one.id.clone())])
        }
        Task::Start { instance } => {
            let one = find(before, instance)?;
            if one.state == InstanceState::Running {
                return invalid(format!("machine {instance} runs already"));
            }
            Ok(vec![Step::Start(one.id.clone())])
        }
        Task::Own { name, .. } => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "`{}` is a verb of the team's own; fly.io knows nothing of it",
                shown(name)
            ),
        )),
    }
}

fn restart_all(before: &State) -> Result<Vec<Step>, Error> {
    let wanted: Vec<&Instance> = own_last(before)
        .into_iter()
        .filter(|one| one.state != InstanceState::Stopped)
        .collect();
    if wanted.is_empty() {
        return invalid("no machine runs; one can be started by its id".to_owned());
    }
    let mut steps = Vec::new();
    for (at, one) in wanted.iter().enumerate() {
        steps.push(again(one));
        // The next goes down only when this one is back.
        if at + 1 < wanted.len() {
            steps.push(Step::Wait(one.id.clone()));
        }
    }
    Ok(steps)
}

/// A machine that ended cannot be restarted, only started.
fn again(one: &Instance) -> Step {
    match machine::is_down(one) {
        true => Step::Start(one.id.clone()),
        false => Step::Restart(one.id.clone()),
    }
}

/// All leases are taken and all configurations read before the first machine is changed, so that what
/// can be refused is refused while nothing is done.
fn roll_back(to: &str, before: &State) -> Result<Vec<Step>, Error> {
    // It goes into the configuration of machines as it stands.
    if image::release(to, None).as_deref() != Some(to) {
        return invalid(format!(
            "`{}` is no release: a release is an image with a tag that has a digit, or with a digest",
            shown(to)
        ));
    }
    let ran = before
        .instances
        .iter()
        .filter_map(|one| one.release.as_deref());
    let known: Vec<&str> = ran
        .chain(before.release.as_deref())
        .map(image::repository)
        .collect();
    if !known.contains(&image::repository(to)) {
        return invalid(format!(
            "`{}` is an image of another repository than the service's own",
            shown(to)
        ));
    }
    let targets: Vec<&Instance> = own_last(before)
        .into_iter()
        .filter(|one| one.release.as_deref() != Some(to))
        .collect();
    if targets.is_empty() {
        return invalid(format!("every machine has the release {to} already"));
    }
    let ids = || targets.iter().map(|one| one.id.clone());
    let mut steps: Vec<Step> = ids().map(Step::Lease).collect();
    steps.extend(ids().map(Step::Read));
    for (at, one) in targets.iter().enumerate() {
        let asleep = one.state == InstanceState::Stopped;
        steps.push(Step::Update {
            id: one.id.clone(),
            to: to.to_owned(),
            asleep,
        });
        if !asleep && at + 1 < targets.len() {
            steps.push(Step::Wait(one.id.clone()));
        }
        // At once: the last one may be the machine in which we run.
        steps.push(Step::GiveBack(one.id.clone()));
    }
    Ok(steps)
}

/// Up: machines that were stopped are started first, others are made where these are too few. Down:
/// machines are stopped. None is ever destroyed, since nothing brings it back.
fn scale(from: u32, to: u32, before: &State) -> Result<Vec<Step>, Error> {
    if before.wanted != Some(from) {
        let wanted = before.wanted.unwrap_or_default();
        return invalid(format!("{wanted} machines are wanted now, and not {from}"));
    }
    let mut steps = vec![Step::Count { wanted: from }];
    match from.cmp(&to) {
        std::cmp::Ordering::Equal => return invalid(format!("{to} machines are wanted already")),
        std::cmp::Ordering::Less => steps.extend(scale_up(to - from, before)?),
        std::cmp::Ordering::Greater => steps.extend(scale_down(from - to, before)?),
    }
    Ok(steps)
}

fn scale_up(more: u32, before: &State) -> Result<Vec<Step>, Error> {
    let more = more as usize;
    let same = |one: &&Instance| one.release == before.release && !machine::is_standby(one);
    let asleep = |one: &&Instance| one.state == InstanceState::Stopped;
    let all = || before.instances.iter().filter(same);
    let starts: Vec<Step> = all()
        .filter(asleep)
        .take(more)
        .map(|one| Step::Start(one.id.clone()))
        .collect();
    let made = more - starts.len();
    let mut steps = Vec::new();
    let runs = |one: &&Instance| one.state == InstanceState::Running;
    if made > 0 {
        let Some(like) = all().find(runs).or_else(|| all().next()) else {
            let what =
                "there is no machine of the service's release that another could be made after";
            return Err(Error::new(ErrorKind::Missing, what));
        };
        // What speaks against a copy is found before anything is started.
        steps.push(Step::Like(like.id.clone()));
        steps.extend(starts);
        for at in 0..made {
            steps.push(Step::Make {
                like: like.id.clone(),
            });
            // It also keeps to the API's pace: one machine a second.
            if at + 1 < made {
                steps.push(Step::WaitMade);
            }
        }
    } else {
        steps.extend(starts);
    }
    Ok(steps)
}

fn scale_down(fewer: u32, before: &State) -> Result<Vec<Step>, Error> {
    let runs = |one: &&Instance| match one.state {
        InstanceState::Running | InstanceState::Starting => true,
        InstanceState::Stopped | InstanceState::Failed => false,
    };
    let mut ready: Vec<&Instance> = before.instances.iter().filter(runs).collect();
    // What serves least goes first, the machine that we run in last.
    ready.sort_by_key(|one| {
        let serves = one.state == InstanceState::Running && one.healthy != Some(false);
        (one.own, serves, std::cmp::Reverse(one.id.clone()))
    });
    let fewer = fewer as usize;
    if ready.len() < fewer {
        let what = format!(
            "only {} machines run, so {fewer} cannot be stopped",
            ready.len()
        );
        return invalid(what);
    }
    let stop = |one: &&Instance| Step::Stop(one.id.clone());
    Ok(ready.iter().take(fewer).map(stop).collect())
}

fn own_last(before: &State) -> Vec<&Instance> {
    let mut all: Vec<&Instance> = before.instances.iter().collect();
    all.sort_by_key(|one| one.own);
    all
}

fn find<'a>(before: &'a State, id: &str) -> Result<&'a Instance, Error> {
    let found = before.instances.iter().find(|one| one.id == id);
    found.ok_or_else(|| {
        let what = format!("the app has no machine `{}`", shown(id));
        Error::new(ErrorKind::Missing, what)
    })
}

fn invalid<T>(what: String) -> Result<T, Error> {
    Err(Error::new(ErrorKind::Invalid, what))
}
