//! What ECS answers, as far as it is read: services with their deployments, tasks with their
//! containers. Only shapes and what can be told of one thing alone; nothing is asked here, and what
//! the whole means is told in `show.rs`.

use super::place::is_name;
use crate::model::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// A list of ECS may be null, and a thing of it may lack any of its fields.
fn list<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<Vec<T>>::deserialize(from).map(Option::unwrap_or_default)
}

/// Seconds since the epoch, with a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub(super) struct Seconds(f64);

impl Seconds {
    pub fn timestamp(self) -> Timestamp {
        // Microseconds are all that a float holds of such a number. Casts saturate.
        let micros = (self.0 * 1e6).round() as i64;
        Timestamp(micros.saturating_mul(1_000))
    }
}

/// Why one of the things that were asked for is not in the answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Failure {
    pub arn: Option<String>,
    pub reason: Option<String>,
    pub detail: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Services {
    #[serde(deserialize_with = "list")]
    pub services: Vec<Service>,
    #[serde(deserialize_with = "list")]
    pub failures: Vec<Failure>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Service {
    pub service_name: Option<String>,
    pub status: String,
    pub desired_count: u32,
    pub running_count: u32,
    /// Where a deployment controller of another's keeps the service, its task sets have one.
    pub task_definition: Option<String>,
    #[serde(default, deserialize_with = "list")]
    pub deployments: Vec<Deployment>,
    #[serde(default, deserialize_with = "list")]
    pub events: Vec<Event>,
    pub deployment_controller: Option<Controller>,
    pub deployment_configuration: Option<Configuration>,
    pub scheduling_strategy: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Deployment {
    pub id: String,
    pub status: String,
    pub task_definition: String,
    #[serde(default)]
    pub desired_count: u32,
    #[serde(default)]
    pub running_count: u32,
    #[serde(default)]
    pub failed_tasks: u32,
    /// Older services have none.
    pub rollout_state: Option<String>,
    pub rollout_state_reason: Option<String>,
    pub created_at: Option<Seconds>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub created_at: Option<Seconds>,
    #[serde(default)]
    pub message: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Controller {
    #[serde(rename = "type")]
    pub kind: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Configuration {
    pub deployment_circuit_breaker: Option<Breaker>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Breaker {
    pub enable: bool,
    pub rollback: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct TaskList {
    #[serde(deserialize_with = "list")]
    pub task_arns: Vec<String>,
    pub next_token: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tasks {
    #[serde(deserialize_with = "list")]
    pub tasks: Vec<Task>,
    #[serde(deserialize_with = "list")]
    pub failures: Vec<Failure>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Task {
    pub task_arn: String,
    pub task_definition_arn: String,
    pub last_status: String,
    pub desired_status: Option<String>,
    pub group: Option<String>,
    pub started_by: Option<String>,
    pub health_status: Option<String>,
    pub stop_code: Option<String>,
    pub stopped_reason: Option<String>,
    pub created_at: Option<Seconds>,
    pub started_at: Option<Seconds>,
    pub stopping_at: Option<Seconds>,
    pub execution_stopped_at: Option<Seconds>,
    pub stopped_at: Option<Seconds>,
    #[serde(default, deserialize_with = "list")]
    pub containers: Vec<Container>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container {
    #[serde(default)]
    pub name: String,
    pub exit_code: Option<i32>,
    pub reason: Option<String>,
    /// The id that the container runtime gave it.
    pub runtime_id: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct DefinitionList {
    #[serde(deserialize_with = "list")]
    pub task_definition_arns: Vec<String>,
    pub next_token: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Described {
    pub task_definition: Definition,
}

/// A task definition.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Definition {
    pub task_definition_arn: String,
    pub status: Option<String>,
    pub registered_at: Option<Seconds>,
    #[serde(default, deserialize_with = "list")]
    pub container_definitions: Vec<ContainerDefinition>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContainerDefinition {
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub image: String,
    pub essential: Option<bool>,
    /// Of one that only routes the logs of the others.
    pub firelens_configuration: Option<IgnoredAny>,
    pub log_configuration: Option<LogConfiguration>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogConfiguration {
    pub log_driver: String,
    pub options: Option<BTreeMap<String, String>>,
}

impl Definition {
    /// The container that the others are beside.
    pub fn main(&self) -> Option<&ContainerDefinition> {
        let all = || self.container_definitions.iter();
        let serves = |one: &&ContainerDefinition| one.firelens_configuration.is_none();
        let needed = |one: &&ContainerDefinition| one.essential != Some(false);
        all()
            .find(|one| serves(one) && needed(one))
            .or_else(|| all().next())
    }
}

impl Service {
    /// The deployment that is meant to be.
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|one| one.status == "PRIMARY")
    }

    /// Who rolls out its releases: ECS itself, unless it says otherwise.
    pub fn controller(&self) -> &str {
        let named = self.deployment_controller.as_ref();
        named.map_or("ECS", |controller| controller.kind.as_str())
    }

    pub fn breaker(&self) -> Breaker {
        let set = self.deployment_configuration.as_ref();
        set.and_then(|set| set.deployment_circuit_breaker)
            .unwrap_or_default()
    }
}

impl Deployment {
    pub fn release(&self) -> &str {
        release_of(&self.task_definition)
    }

    pub fn is(&self, rollout: &str) -> bool {
        self.rollout_state.as_deref() == Some(rollout)
    }
}

impl Task {
    pub fn id(&self) -> &str {
        last_part(&self.task_arn)
    }

    pub fn release(&self) -> &str {
        release_of(&self.task_definition_arn)
    }

    /// Whether the scheduler of a service started it. `RunTask` may name anything as `startedBy`,
    /// but no group that begins with `service:`; so that one decides where there is one.
    pub fn is_of(&self, name: &str, service: &Service) -> bool {
        match &self.group {
            Some(group) => group.strip_prefix("service:") == Some(name),
            None => {
                let starter = self.started_by.as_deref();
                service
                    .deployments
                    .iter()
                    .any(|one| starter == Some(&one.id))
            }
        }
    }

    /// Whether it is to run on, and does or will.
    pub fn stays(&self) -> bool {
        self.desired_status.as_deref() != Some("STOPPED") && !self.is_on_its_way_out()
    }

    fn is_on_its_way_out(&self) -> bool {
        matches!(
            self.last_status.as_str(),
            "DEACTIVATING" | "STOPPING" | "DEPROVISIONING" | "STOPPED" | "DELETED"
        )
    }
}

/// What stands behind the last `/` of an ARN.
pub(super) fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// `family:revision` of a task definition's ARN.
pub(super) fn release_of(arn: &str) -> &str {
    last_part(arn)
}

/// A release, taken apart into family and revision; `None`: it is none.
pub(super) fn family_of(release: &str) -> Option<(&str, u64)> {
    let (family, revision) = release.split_once(':')?;
    let digits = !revision.is_empty() && revision.bytes().all(|b| b.is_ascii_digit());
    let revision = revision.parse().ok().filter(|_| digits)?;
    is_name(family).then_some((family, revision))
}
