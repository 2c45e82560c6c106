//! The output of tasks, where the log driver `awslogs` brings it to CloudWatch Logs. Other drivers take
//! it to places that ECS does not know.

use super::Ecs;
use super::place::is_region;
use super::shapes::{ContainerDefinition, Definition, Service, Task};
use super::wire::Api;
use crate::model::Timestamp;
use crate::model::recovery::LogText;
use crate::recover::error::shown;
use crate::recover::{Error, ErrorKind};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Instant;

/// Most streams that are read; each container of a task has one.
const STREAMS: usize = 10;
/// Most parts of one stream that are read: some are empty although more follow.
const PARTS: usize = 5;
const LINES: usize = 1000;
/// Most characters of a line that are kept.
const LINE: usize = 8 << 10;

/// Where the output of one container is.
struct Stream {
    group: String,
    name: String,
    region: String,
    task: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Events {
    #[serde(default)]
    events: Vec<Event>,
    next_backward_token: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    /// Milliseconds since the epoch.
    timestamp: Option<i64>,
    #[serde(default)]
    message: String,
}

impl Ecs {
    pub(super) fn logged(
        &self,
        instance: Option<&str>,
        lines: usize,
        until: Instant,
    ) -> Result<Vec<LogText>, Error> {
        let lines = lines.min(LINES);
        let service = self.service(until)?;
        let streams = self.streams(&service, instance, until)?;
        let (mut texts, mut missing, mut there) = (Vec::new(), None, false);
        for stream in &streams {
            match self.events(stream, lines, until) {
                Ok(found) => {
                    there = true;
                    texts.extend(found);
                }
                // A task that has written nothing yet has no stream.
                Err(fault) if fault.kind == ErrorKind::Missing => missing = Some(fault),
                Err(fault) => return Err(fault),
            }
        }
        if let Some(fault) = missing.filter(|_| !there) {
            return Err(fault);
        }
        texts.sort_by_key(|text| text.at);
        Ok(texts.split_off(texts.len().saturating_sub(lines)))
    }

    /// Of one task, or of those that run and ended last.
    fn streams(
        &self,
        service: &Service,
        instance: Option<&str>,
        until: Instant,
    ) -> Result<Vec<Stream>, Error> {
        let mut tasks = match instance {
            Some(id) => self.task(service, id, until)?,
            None => self.tasks(service, until)?,
        };
        if let (Some(id), true) = (instance, tasks.is_empty()) {
            let what = format!("the service has no task {}", shown(id));
            return Err(Error::new(ErrorKind::Missing, what));
        }
        let newest = |task: &Task| {
            let at = task.stopped_at.or(task.started_at).or(task.created_at);
            (task.stays(), at.map(|at| at.timestamp()))
        };
        tasks.sort_by_key(|task| std::cmp::Reverse(newest(task)));
        let mut definitions: BTreeMap<String, Definition> = BTreeMap::new();
        let (mut streams, mut others) = (Vec::new(), Vec::new());
        for task in tasks.iter().take(STREAMS) {
            let release = task.release();
            if !definitions.contains_key(release) {
                let found = self.definition(release, until)?;
                definitions.insert(release.to_owned(), found);
            }
            let definition = definitions.get(release);
            for container in definition.iter().flat_map(|it| &it.container_definitions) {
                match self.stream(task, container)? {
                    Ok(stream) => streams.push(stream),
                    Err(driver) => others.push(driver),
                }
            }
        }
        if streams.is_empty() && !others.is_empty() {
            others.sort();
            others.dedup();
            let what = format!(
                "the containers write with the log driver {}, which ECS cannot read back: read the logs \
                 where it takes them, or set logDriver awslogs in the task definition",
                others.join(", ")
            );
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
        streams.truncate(STREAMS);
        Ok(streams)
    }

    /// Where a container of a task writes to; the inner error names a driver that is none of ours.
    fn stream(
        &self,
        task: &Task,
        container: &ContainerDefinition,
    ) -> Result<Result<Stream, String>, Error> {
        let Some(set) = &container.log_configuration else {
            return Ok(Err("of the machine's own choice".to_owned()));
        };
        if set.log_driver != "awslogs" {
            return Ok(Err(shown(&set.log_driver)));
        }
        let option = |name: &str| set.options.as_ref().and_then(|all| all.get(name));
        let wrong = |what: String| Error::new(ErrorKind::Invalid, what);
        let name = shown(&container.name);
        let group = option("awslogs-group")
            .ok_or_else(|| wrong(format!("container {name} names no awslogs-group")))?;
        let region = option("awslogs-region").unwrap_or(&self.place.region);
        if !is_region(region) {
            return Err(wrong(format!(
                "container {name} names an awslogs-region that is none"
            )));
        }
        let stream = match option("awslogs-stream-prefix") {
            Some(prefix) => format!("{prefix}/{}/{}", container.name, task.id()),
            // Then it is called as the container's runtime calls the container.
            None => {
                let mut of = task.containers.iter();
                let of = of.find(|one| one.name == container.name);
                match of.and_then(|one| one.runtime_id.clone()) {
                    Some(id) => id,
                    None => return Ok(Err("awslogs without awslogs-stream-prefix".to_owned())),
                }
            }
        };
        Ok(Ok(Stream {
            group: group.clone(),
            name: stream,
            region: region.clone(),
            task: task.id().to_owned(),
        }))
    }

    /// The newest lines of one stream, oldest first.
    fn events(&self, stream: &Stream, lines: usize, until: Instant) -> Result<Vec<LogText>, Error> {
        let mut body = json!({"logGroupName": stream.group, "logStreamName": stream.name,
            "limit": lines.max(1), "startFromHead": false});
        let mut token: Option<String> = None;
        let mut parts: Vec<Vec<Event>> = Vec::new();
        for _ in 0..PARTS {
            let answer: Events =
                self.ask_of(Api::Logs, &stream.region, "GetLogEvents", &body, until)?;
            parts.push(answer.events);
            let enough = parts.iter().map(Vec::len).sum::<usize>() >= lines;
            // At its end a stream gives the token back that it was asked with.
            let next = answer
                .next_backward_token
                .filter(|next| token.as_ref() != Some(next));
            let Some(next) = next.filter(|_| !enough) else {
                break;
            };
            body["nextToken"] = next.clone().into();
            token = Some(next);
        }
        let text = |event: Event| LogText {
            at: event
                .timestamp
                .map(|millis| Timestamp(millis.saturating_mul(1_000_000))),
            instance: stream.task.clone(),
            text: event.message.chars().take(LINE).collect(),
        };
        let all = parts.into_iter().rev().flatten().map(text);
        let mut all: Vec<LogText> = all.collect();
        Ok(all.split_off(all.len().saturating_sub(lines)))
    }
}
