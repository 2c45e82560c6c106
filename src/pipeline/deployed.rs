//! Which commit is deployed, where the record itself does not say: a file that a deploy
//! rewrites, a variable of the host's environment, or the image tag in the ECS task's metadata.
//! Reads files and one HTTP address; never log text.

use crate::model::{CommitId, Timestamp};
use crate::net::{Http, Method, Request};
use crate::registry::{CommitSource, commit_of_image};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

/// The task's metadata is asked again after this long; a task never changes its images.
const ECS_AGAIN: Duration = Duration::from_secs(60);
/// The endpoint is on the same host.
const ECS_DEADLINE: Duration = Duration::from_secs(3);
/// A task with many containers is a few kilobytes.
const ECS_CAP: u64 = 1 << 20;

/// Looks up a variable of the environment; only a door reads it.
pub type Lookup = Box<dyn Fn(&str) -> Option<String> + Send>;

/// Answers for all services of an instance.
pub struct Deployed {
    variable: Lookup,
    http: Http,
    /// `$ECS_CONTAINER_METADATA_URI_V4`.
    ecs: Option<String>,
    asked: Option<Timestamp>,
    /// Image by container name.
    images: HashMap<String, String>,
}

impl Deployed {
    pub fn new(variable: Lookup, http: Http, ecs: Option<String>) -> Deployed {
        Deployed {
            variable,
            http,
            ecs,
            asked: None,
            images: HashMap::new(),
        }
    }

    /// The commit that `source` names now, or why there is none.
    pub fn commit(
        &mut self,
        source: &CommitSource,
        container: Option<&str>,
        now: Timestamp,
    ) -> Result<CommitId, String> {
        match source {
            CommitSource::Fixed(id) => Ok(id.clone()),
            CommitSource::Env(name) => match (self.variable)(name) {
                Some(text) => CommitId::parse(&text)
                    .ok_or_else(|| format!("the variable {name} holds no commit id")),
                None => Err(format!("the variable {name} is not set")),
            },
            CommitSource::File(path) => of_file(path),
            CommitSource::EcsMetadata => self.of_task(container, now),
            CommitSource::Field(name) => Err(format!("the record has no commit in {name}")),
            CommitSource::Image(name) => {
                Err(format!("the record has no image with a commit in {name}"))
            }
            CommitSource::None => Err("the registry names no commit".to_owned()),
        }
    }

    fn of_task(&mut self, container: Option<&str>, now: Timestamp) -> Result<CommitId, String> {
        let container = container.ok_or("the record names no container")?;
        let old = self.asked.is_none_or(|at| now.since(at) > ECS_AGAIN);
        if old && !self.images.contains_key(container) {
            self.asked = Some(now);
            self.images = self.ask_task()?;
        }
        let image = self
            .images
            .get(container)
            .ok_or_else(|| format!("the ECS task has no container {container}"))?;
        commit_of_image(image).ok_or_else(|| format!("the image {image} has no commit in its tag"))
    }

    fn ask_task(&self) -> Result<HashMap<String, String>, String> {
        let base = self
            .ecs
            .as_deref()
            .ok_or("ECS_CONTAINER_METADATA_URI_V4 is not set")?;
        Ok(images_of(&document(&self.http, base)?))
    }
}

/// The ARN of the ECS task that this process runs in. `base`: the address of the metadata endpoint,
/// version 4.
///
/// # Errors
/// When it cannot be told, in a sentence.
pub fn own_task(http: &Http, base: &str) -> Result<String, String> {
    let task: serde_json::Value = serde_json::from_slice(&document(http, base)?)
        .map_err(|_| "ECS task metadata is no JSON".to_owned())?;
    let arn = task.get("TaskARN").and_then(serde_json::Value::as_str);
    arn.map(str::to_owned)
        .ok_or_else(|| "ECS task metadata names no TaskARN".to_owned())
}

fn document(http: &Http, base: &str) -> Result<Vec<u8>, String> {
    let url = format!("{}/task", base.trim_end_matches('/'));
    let request = Request {
        method: Method::Get,
        url: &url,
        headers: Vec::new(),
        body: &[],
        deadline: Instant::now() + ECS_DEADLINE,
    };
    let told = |e: crate::net::Error| format!("ECS task metadata: {e}");
    let answer = http.send(&request).map_err(told)?;
    if answer.status != 200 {
        return Err(format!("ECS task metadata answered {}", answer.status));
    }
    answer.bytes(ECS_CAP).map_err(told)
}

fn of_file(path: &Path) -> Result<CommitId, String> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(256).read_to_string(&mut text))
        .map_err(|e| format!("{}: {e}", path.display()))?;
    CommitId::parse(&text).ok_or_else(|| format!("{} holds no commit id", path.display()))
}

/// Image by container name, from the document of the task metadata endpoint version 4.
fn images_of(body: &[u8]) -> HashMap<String, String> {
    let task: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let containers = task.get("Containers").and_then(|list| list.as_array());
    containers
        .into_iter()
        .flatten()
        .filter_map(|container| {
            let text = |key: &str| container.get(key)?.as_str().map(str::to_owned);
            Some((text("Name")?, text("Image")?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net;

    fn deployed() -> Deployed {
        let http = Http::new(&net::Settings::default()).unwrap();
        let variable = |name: &str| (name == "GIT_SHA").then(|| "abcdef1234".to_owned());
        Deployed::new(Box::new(variable), http, None)
    }

    #[test]
    fn a_file_is_read_again_at_each_use() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("COMMIT");
        let source = CommitSource::File(path.clone());
        let mut deployed = deployed();
        let mut ask = || deployed.commit(&source, None, Timestamp(0));
        assert!(ask().is_err());
        std::fs::write(&path, "1234567\n").unwrap();
        assert_eq!(ask().unwrap().as_str(), "1234567");
        std::fs::write(&path, "7654321\n").unwrap();
        assert_eq!(ask().unwrap().as_str(), "7654321");
        std::fs::write(&path, "latest").unwrap();
        assert!(ask().unwrap_err().contains("holds no commit"));
    }

    #[test]
    fn variables_and_missing_sources_say_why() {
        let mut deployed = deployed();
        let mut ask = |source| deployed.commit(&source, Some("web"), Timestamp(0));
        assert!(ask(CommitSource::Env("GIT_SHA".into())).is_ok());
        assert!(
            ask(CommitSource::Env("NO".into()))
                .unwrap_err()
                .contains("not set")
        );
        assert!(ask(CommitSource::EcsMetadata).is_err());
        assert!(ask(CommitSource::None).is_err());
    }

    #[test]
    fn images_of_a_task_document() {
        let body = br#"{"Family":"shop","Containers":[{"Name":"web","Image":"r/web:abcdef1"},{}]}"#;
        let images = images_of(body);
        assert_eq!(images.get("web").map(String::as_str), Some("r/web:abcdef1"));
        assert!(images_of(b"<html>").is_empty());
    }
}
