//! The newest lines of the pods' output. Bounded in lines, bytes and pods; the text is hostile.

use super::Kubernetes;
use super::ask::{Ask, Right};
use super::object::text;
use super::place::is_name;
use super::pods::{is_looping, is_ready, main_container};
use crate::model::Timestamp;
use crate::model::recovery::LogText;
use crate::net::encoded;
use crate::recover::error::{Error, ErrorKind, shown};
use serde_json::Value;
use std::time::Instant;

/// Most lines of a pod.
const LINES: usize = 1000;
/// Most bytes of a pod's lines. The API server counts from the oldest line that is asked for.
const BYTES: usize = 1 << 20;
/// Most pods that are asked where none is named.
const PODS: usize = 10;
/// Longest line, in characters.
const LINE: usize = 16 << 10;

impl Kubernetes {
    pub(super) fn lines(
        &self,
        instance: Option<&str>,
        lines: usize,
        until: Instant,
    ) -> Result<Vec<LogText>, Error> {
        let deployment = self.deployment(until)?;
        let sets = self.sets(&deployment, until)?;
        let mut pods = self.pods(&deployment, &sets, until)?;
        if let Some(name) = instance {
            pods.retain(|(pod, _)| text(pod, "/metadata/name") == Some(name));
            if pods.is_empty() {
                let what = format!("the Deployment has no pod {}", shown(name));
                return Err(Error::new(ErrorKind::Missing, what));
            }
        }
        // Those that something is wrong with, the newest first.
        pods.sort_by_cached_key(|(pod, revision)| (is_ready(pod), std::cmp::Reverse(*revision)));
        pods.truncate(PODS);
        let template = deployment.body.pointer("/spec/template");
        let container = template.and_then(main_container).unwrap_or_default();
        let mut found = Vec::new();
        for (pod, _) in &pods {
            found.extend(self.of_pod(pod, container, lines.min(LINES), until)?);
        }
        found.sort_by_key(|line| line.at);
        let many = found.len().saturating_sub(lines);
        found.drain(..many);
        Ok(found)
    }

    fn of_pod(
        &self,
        pod: &Value,
        container: &str,
        lines: usize,
        until: Instant,
    ) -> Result<Vec<LogText>, Error> {
        let Some(name) = text(pod, "/metadata/name").filter(|name| is_name(name)) else {
            let what = "a pod has no name";
            return Err(Error::new(ErrorKind::Invalid, what));
        };
        let mut lines = lines;
        let mut previous = is_looping(pod, container);
        loop {
            let before = if previous { "&previous=true" } else { "" };
            let url = format!(
                "{}/log?container={}&tailLines={lines}&limitBytes={BYTES}&timestamps=true{before}",
                self.site.pod(name),
                encoded(container, "")
            );
            match self.ask_text(&Ask::get(url, Right::LOG), until) {
                // The newest lines are those that a limit cuts off: ask for fewer.
                Ok(text) if text.len() >= BYTES && lines > 1 => lines /= 4,
                Ok(text) => return Ok(parted(&text, name)),
                // No run before this one is kept.
                Err(fault) if fault.status == Some(400) && previous => previous = false,
                // It has not started, or it is gone by now: it says nothing.
                Err(fault) if matches!(fault.status, Some(400 | 404)) => return Ok(Vec::new()),
                Err(fault) => return Err(fault.error),
            }
            lines = lines.max(1);
        }
    }
}

/// Each line begins with its time.
fn parted(text: &str, instance: &str) -> Vec<LogText> {
    let line = |line: &str| {
        let (at, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (at, rest) = match Timestamp::parse_rfc3339(at) {
            Some(at) => (Some(at), rest),
            None => (None, line),
        };
        LogText {
            at,
            instance: instance.to_owned(),
            text: rest.chars().take(LINE).collect(),
        }
    };
    text.lines().map(line).collect()
}
