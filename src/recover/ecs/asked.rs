//! What is asked of ECS about a service: itself, its tasks, its task definitions. Whole or not at all:
//! an answer that leaves out what was asked for is an error, and lists are bounded.

use super::Ecs;
use super::place::is_name;
use super::shapes::{
    Definition, DefinitionList, Described, Failure, Service, Services, Task, TaskList, Tasks,
    family_of, release_of,
};
use crate::recover::error::shown;
use crate::recover::{Error, ErrorKind, LISTED};
use serde_json::{Value, json};
use std::time::Instant;

/// Most tasks that one request may name, and most names in one part of a list.
const PART: usize = 100;
/// Most tasks that have ended of which the newest are looked for. In a crash loop there may be
/// hundreds, in no order, because ECS remembers each for an hour.
const ENDED: usize = 500;
/// Most parts of one list: ECS may give fewer names in one than are asked for, or none.
const PARTS: usize = 50;

impl Ecs {
    /// The service, which must be there and active.
    pub(super) fn service(&self, until: Instant) -> Result<Service, Error> {
        let (cluster, name) = (&self.place.cluster, &self.place.service);
        let body = json!({"cluster": cluster, "services": [name]});
        let answer: Services = self.ask("DescribeServices", &body, until)?;
        nothing_failed("DescribeServices", &answer.failures)?;
        let mut services = answer.services.into_iter();
        let (Some(service), None) = (services.next(), services.next()) else {
            let what = "DescribeServices: the answer does not hold the one service asked for";
            return Err(Error::new(ErrorKind::Invalid, what));
        };
        if service.status != "ACTIVE" {
            let what = format!(
                "{cluster}/{name} is {}: it has been deleted",
                shown(&service.status)
            );
            return Err(Error::new(ErrorKind::Missing, what));
        }
        let releases = service.deployments.iter().map(|one| one.release());
        let releases = releases.chain(service.task_definition.as_deref().map(release_of));
        if let Some(odd) = releases.into_iter().find(|one| family_of(one).is_none()) {
            let what = format!("DescribeServices: {} is no task definition", shown(odd));
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        if service.service_name.as_ref().is_some_and(|it| it != name) {
            let what = format!("DescribeServices: asked for {name}, told of another");
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        Ok(service)
    }

    /// The tasks of the service: all that run, and the newest that ended.
    pub(super) fn tasks(&self, service: &Service, until: Instant) -> Result<Vec<Task>, Error> {
        let (running, more) = self.task_arns("RUNNING", LISTED, until)?;
        if more {
            let what = format!("the service has more than {LISTED} tasks, which is too many here");
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
        let (ended, _) = self.task_arns("STOPPED", ENDED, until)?;
        let mut arns = running;
        // A task may go from one list to the other while they are asked for.
        arns.extend(ended);
        arns.sort_unstable();
        arns.dedup();
        let mut tasks = Vec::new();
        for part in arns.chunks(PART) {
            let answer = self.described(part, until)?;
            nothing_failed("DescribeTasks", &answer.failures)?;
            if answer.tasks.len() != part.len()
                || !answer
                    .tasks
                    .iter()
                    .all(|task| part.contains(&task.task_arn))
            {
                let what = "DescribeTasks: the answer holds other tasks than those asked for";
                return Err(Error::new(ErrorKind::Invalid, what));
            }
            tasks.extend(answer.tasks);
        }
        tasks.retain(|task| task.is_of(&self.place.service, service));
        Ok(tasks)
    }

    /// One task, if it is the service's.
    pub(super) fn task(
        &self,
        service: &Service,
        id: &str,
        until: Instant,
    ) -> Result<Vec<Task>, Error> {
        if !is_name(id) {
            let what = format!("{} is no id of a task", shown(id));
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        let answer = self.described(&[id.to_owned()], until)?;
        nothing_failed("DescribeTasks", &answer.failures)?;
        let is = |task: &Task| task.id() == id && task.is_of(&self.place.service, service);
        Ok(answer.tasks.into_iter().filter(is).collect())
    }

    /// The same where it may be gone: ECS remembers a task for an hour after its end.
    pub(super) fn task_if_there(&self, id: &str, until: Instant) -> Result<Option<Task>, Error> {
        let answer = self.described(&[id.to_owned()], until)?;
        let gone = |one: &Failure| one.reason.as_deref() == Some("MISSING");
        if !answer.failures.iter().all(gone) {
            nothing_failed("DescribeTasks", &answer.failures)?;
        }
        Ok(answer.tasks.into_iter().find(|task| task.id() == id))
    }

    fn described(&self, tasks: &[String], until: Instant) -> Result<Tasks, Error> {
        let body = json!({"cluster": &self.place.cluster, "tasks": tasks});
        let answer: Tasks = self.ask("DescribeTasks", &body, until)?;
        let odd = |task: &&Task| !is_name(task.id()) || family_of(task.release()).is_none();
        match answer.tasks.iter().find(odd) {
            None => Ok(answer),
            Some(odd) => {
                let what = format!("DescribeTasks: {} is no task", shown(&odd.task_arn));
                Err(Error::new(ErrorKind::Invalid, what))
            }
        }
    }

    /// At most so many, and whether there are more.
    fn task_arns(
        &self,
        desired: &str,
        most: usize,
        until: Instant,
    ) -> Result<(Vec<String>, bool), Error> {
        let body = json!({"cluster": &self.place.cluster, "serviceName": &self.place.service,
            "desiredStatus": desired, "maxResults": PART});
        self.listed(most, body, |body| {
            let answer: TaskList = self.ask("ListTasks", body, until)?;
            Ok((answer.task_arns, answer.next_token))
        })
    }

    /// The newest releases of a family that can be deployed, newest first.
    pub(super) fn active_releases(
        &self,
        family: &str,
        until: Instant,
    ) -> Result<Vec<String>, Error> {
        let body = json!({"familyPrefix": family, "status": "ACTIVE", "sort": "DESC",
            "maxResults": PART});
        let (arns, _) = self.listed(LISTED, body, |body| {
            let answer: DefinitionList = self.ask("ListTaskDefinitions", body, until)?;
            Ok((answer.task_definition_arns, answer.next_token))
        })?;
        let mut releases: Vec<(u64, String)> = arns
            .iter()
            .map(|arn| release_of(arn))
            .filter_map(|release| Some((family_of(release)?, release)))
            .filter(|((of, _), _)| *of == family)
            .map(|((_, revision), release)| (revision, release.to_owned()))
            .collect();
        releases.sort_unstable();
        releases.dedup();
        Ok(releases.into_iter().rev().map(|(_, it)| it).collect())
    }

    pub(super) fn definition(&self, release: &str, until: Instant) -> Result<Definition, Error> {
        let body = json!({ "taskDefinition": release });
        let answer: Described = self.ask("DescribeTaskDefinition", &body, until)?;
        let found = answer.task_definition;
        if release_of(&found.task_definition_arn) != release {
            let what = format!("DescribeTaskDefinition: asked for {release}, told of another");
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        Ok(found)
    }

    /// Reads a list part by part.
    fn listed(
        &self,
        most: usize,
        mut body: Value,
        mut ask: impl FnMut(&Value) -> Result<(Vec<String>, Option<String>), Error>,
    ) -> Result<(Vec<String>, bool), Error> {
        let mut all = Vec::new();
        for _ in 0..PARTS {
            let (part, next) = ask(&body)?;
            all.extend(part);
            let Some(next) = next.filter(|next| !next.is_empty()) else {
                let more = all.len() > most;
                all.truncate(most);
                return Ok((all, more));
            };
            if all.len() >= most {
                all.truncate(most);
                return Ok((all, true));
            }
            body["nextToken"] = next.into();
        }
        let what = format!("a list of ECS comes in more than {PARTS} parts: it has no end");
        Err(Error::new(ErrorKind::Invalid, what))
    }
}

/// ECS answers with status 200 also where it did not find what was asked for.
fn nothing_failed(operation: &str, failures: &[Failure]) -> Result<(), Error> {
    let Some(first) = failures.first() else {
        return Ok(());
    };
    let text = |text: &Option<String>| shown(text.as_deref().unwrap_or_default());
    let (arn, reason, detail) = (text(&first.arn), text(&first.reason), text(&first.detail));
    let (kind, what) = match reason.as_str() {
        "MISSING" => (
            ErrorKind::Missing,
            format!("{operation}: there is no {arn}; check target and region"),
        ),
        _ => (
            ErrorKind::Invalid,
            format!("{operation}: ECS does not tell of {arn}: {reason} {detail}"),
        ),
    };
    Err(Error::new(kind, what.trim_end()))
}
