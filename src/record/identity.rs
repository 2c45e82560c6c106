//! Who wrote a record, as the host says it: the names by which the registry finds the service,
//! and the key of the stream that a line belongs to. Never from JSON unpacked out of a message.
//!
//! What counts as said by the host:
//! - the tag; `<container>-firelens-<task>` and `kube.….<pod>_<namespace>_<container>-<id>.log`
//!   name the container, and what a record says otherwise is not believed;
//! - Kubernetes: only the `kubernetes` map (the last one, which the filter appends), so that keys
//!   lifted to the top level by `Merge_Log` name nobody;
//! - OpenTelemetry: only the resource of the group, since a map body is spread over the record;
//! - journald: `_SYSTEMD_UNIT`, and `UNIT` of what systemd itself says; `CONTAINER_NAME` only from a container engine's unit;
//! - else the record's own top-level keys. With an `http` input those are the sender's: a service
//!   behind one should be matched by its tag.

use crate::record::decode::{Group, Item, Map};
use crate::record::hash;
use crate::record::keys::Keys;
use crate::registry::names::Names;
use memchr::memmem::FinderRev;
use std::sync::LazyLock;

/// Names that the host set. Every field borrows from the chunk or the tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The container's own name: from the tag, the pod's metadata, or the record, without a
    /// leading slash. Under FireLens the name of the task definition.
    pub container: Option<&'a str>,
    /// The name as the engine gives it: `ecs-<family>-<revision>-<container>-<hash>`,
    /// `project-service-1`.
    pub engine_name: Option<&'a str>,
    pub container_id: Option<&'a str>,
    /// Image reference as the host has it, tag included.
    pub image: Option<&'a str>,
    pub pod: Option<&'a str>,
    pub namespace: Option<&'a str>,
    /// Label `app.kubernetes.io/name`.
    pub app_name: Option<&'a str>,
    /// Label `app`.
    pub app: Option<&'a str>,
    /// Label `k8s-app`.
    pub k8s_app: Option<&'a str>,
    /// Label `app.kubernetes.io/version`, or OpenTelemetry's `service.version`.
    pub version: Option<&'a str>,
    /// `com.docker.compose.service` of Docker's `attrs`.
    pub compose_service: Option<&'a str>,
    pub ecs_cluster: Option<&'a str>,
    /// Family of the ECS task definition, without its revision.
    pub ecs_family: Option<&'a str>,
    pub ecs_task_arn: Option<&'a str>,
    /// systemd unit, `.service` included.
    pub unit: Option<&'a str>,
    pub syslog_identifier: Option<&'a str>,
    pub fly_app: Option<&'a str>,
    /// The fly machine.
    pub fly_instance: Option<&'a str>,
    /// OpenTelemetry resource attribute `service.name`.
    pub otel_service: Option<&'a str>,
    pub host: Option<&'a str>,
    labels: Map<'a>,
    pub(super) pid: Option<&'a str>,
    pub(super) file: Option<&'a str>,
}

impl<'a> Identity<'a> {
    /// Names by which a registry may know the service, the most telling first.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let unit = self.unit;
        [
            self.otel_service,
            self.fly_app,
            self.app_name,
            self.app,
            self.k8s_app,
            self.compose_service,
            self.container,
            self.engine_name,
            self.ecs_family,
            unit,
            unit.and_then(|unit| unit.strip_suffix(".service")),
            self.syslog_identifier,
        ]
        .into_iter()
        .flatten()
    }

    /// The process of a systemd unit, as journald numbers it.
    pub fn process(&self) -> Option<&'a str> {
        self.pid
    }

    /// Labels of the pod, or those that Docker was told to add.
    pub fn labels(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let pairs = self.labels.iter();
        pairs.filter_map(|(name, value)| Some((str::from_utf8(name).ok()?, value.text()?)))
    }

    /// The names in the registry's own form; `labels` is what [`Identity::labels`] gives.
    pub fn registered<'n>(&self, tag: &'n str, labels: &'n [(&'n str, &'n str)]) -> Names<'n>
    where
        'a: 'n,
    {
        Names {
            tag,
            container: self.container,
            engine: self.engine_name,
            image: self.image,
            labels,
            unit: self.unit,
            identifier: self.syslog_identifier,
            app: self.fly_app,
            service: self.otel_service,
            family: self.ecs_family,
            namespace: self.namespace,
            pod: self.pod,
        }
    }

    pub(super) fn of(tag: &'a str, keys: &Keys<'a>, body: Map<'a>, source: Source<'a>) -> Self {
        let mut who = Identity::default();
        match source {
            Source::Otlp(group) => who.resource(group),
            Source::Host => who.record(keys, body),
        }
        if let Some(container) = firelens_container(tag) {
            who.container = Some(container);
        } else if let Some((pod, namespace, container)) = kubernetes_tag(tag) {
            who.pod_of_tag(pod, namespace, container);
        }
        who
    }

    fn record(&mut self, keys: &Keys<'a>, body: Map<'a>) {
        self.host = keys.hostname.and_then(own);
        self.file = keys.file;
        if let Some(pod) = keys.kubernetes {
            return self.pod(pod);
        }
        // systemd's own message about a unit is that unit's. Nobody else can have its number.
        let (unit, definition) = (
            keys.unit.and_then(own),
            keys.ecs_task_definition.and_then(own),
        );
        let manager = unit == Some("init.scope") || keys.pid == Some(b"1");
        self.unit = keys.subject.and_then(own).filter(|_| manager).or(unit);
        self.pid = keys.pid.and_then(own);
        self.syslog_identifier = keys.syslog_identifier.and_then(own);
        if unit.is_none_or(is_engine_unit) {
            let name = keys.container_name.and_then(own);
            self.engine_name = name.map(|name| name.trim_start_matches('/'));
            self.container = self.engine_name;
            self.container_id = keys.container_id.and_then(own);
            self.image = keys.image.and_then(own);
        }
        self.ecs_cluster = keys.ecs_cluster.and_then(own);
        self.ecs_task_arn = keys.ecs_task_arn.and_then(own);
        self.ecs_family = definition.map(family);
        if let (Some(name), Some(family)) = (self.engine_name, definition) {
            self.container = ecs_container(name, family).or(self.container);
        }
        if let Some(attrs) = keys.attrs {
            self.labels = attrs;
            self.compose_service = text(attrs, "com.docker.compose.service");
            self.image = self.image.or_else(|| text(attrs, "image"));
        }
        if keys.fly.is_some() || keys.fly_dotted {
            self.fly(keys.fly, body);
        }
    }

    fn pod(&mut self, pod: Map<'a>) {
        for (name, value) in pod.iter() {
            match name {
                b"pod_name" => self.pod = value.text(),
                b"namespace_name" => self.namespace = value.text(),
                b"container_name" => self.container = value.text(),
                b"container_image" => self.image = value.text(),
                b"docker_id" => self.container_id = value.text(),
                b"host" => self.host = value.text(),
                b"labels" => value
                    .map()
                    .into_iter()
                    .for_each(|map| self.take_labels(map)),
                _ => {}
            }
        }
    }

    fn take_labels(&mut self, labels: Map<'a>) {
        self.labels = labels;
        for (name, value) in labels.iter() {
            match name {
                b"app.kubernetes.io/name" => self.app_name = value.text(),
                b"app.kubernetes.io/version" => self.version = value.text(),
                b"app" => self.app = value.text(),
                b"k8s-app" => self.k8s_app = value.text(),
                _ => {}
            }
        }
    }

    /// The tag's pod wins over a map that names another: the map is then a message's.
    fn pod_of_tag(&mut self, pod: &'a str, namespace: &'a str, container: &'a str) {
        if self.pod.is_some_and(|said| said != pod) {
            *self = Identity::default();
        }
        self.pod = Some(pod);
        self.namespace = Some(namespace);
        self.container = Some(container);
    }

    fn fly(&mut self, nested: Option<Map<'a>>, body: Map<'a>) {
        let app = nested
            .and_then(|fly| fly.get("app"))
            .and_then(|app| app.map());
        let inner = |key| app.and_then(|app| text(app, key));
        self.fly_app = inner("name").or_else(|| text(body, "fly.app.name"));
        self.fly_instance = inner("instance").or_else(|| text(body, "fly.app.instance"));
        self.host = self.host.or_else(|| text(body, "host"));
    }

    fn resource(&mut self, group: Option<Group<'a>>) {
        let resource = group.and_then(|group| group.body.get("resource"));
        let attributes = resource
            .and_then(|resource| resource.map()?.get("attributes"))
            .and_then(|attributes| attributes.map());
        for (name, value) in attributes.into_iter().flat_map(|map| map.iter()) {
            match name {
                b"service.name" => self.otel_service = value.text(),
                b"service.version" => self.version = value.text(),
                b"container.name" | b"k8s.container.name" => self.container = value.text(),
                b"container.id" => self.container_id = value.text(),
                b"container.image.name" => self.image = value.text(),
                b"k8s.pod.name" | b"service.instance.id" => self.pod = value.text(),
                b"k8s.namespace.name" => self.namespace = value.text(),
                b"host.name" => self.host = value.text(),
                _ => {}
            }
        }
    }

    /// One number for tag, container and side; lines that interleave never share it. Not the
    /// standard library's hash: this runs for every record, over names that the host set.
    pub(super) fn stream_key(&self, tag: &str, side: &str) -> u64 {
        let place = [
            Some(tag),
            Some(side),
            self.container_id.or(self.engine_name).or(self.container),
            self.pod,
            self.namespace,
            self.ecs_task_arn,
            self.unit,
            self.pid,
            self.syslog_identifier,
            self.fly_app,
            self.fly_instance,
            self.otel_service,
            self.host,
            self.file,
        ];
        let named = place.into_iter().enumerate();
        named.fold(0, |sum, (at, name)| match name {
            Some(name) => mix(sum, at as u64, name.as_bytes()),
            None => sum,
        })
    }
}

/// [`Identity::stream_key`] of a plain container's record, from its bytes as they are: nearly every
/// record is one, and its names need not be read for it. `None` where more has a say: Kubernetes,
/// journald, fly, a container without id.
pub(super) fn plain_stream_key(tag: &str, keys: &Keys<'_>, side: &str) -> Option<u64> {
    // Asked of every record: most tags hold neither mark.
    let marked = memchr::memchr2(b'-', b'_', tag.as_bytes()).is_some();
    let more = keys.kubernetes.is_some()
        || keys.unit.is_some()
        || keys.subject.is_some()
        || keys.pid.is_some()
        || keys.fly.is_some()
        || keys.fly_dotted
        || keys.container_id.is_none()
            && (keys.container_name.is_some() || marked && tag.contains('-'))
        || marked && tag.contains('_');
    if more {
        return None;
    }
    let named = [
        (0, Some(tag.as_bytes())),
        (1, Some(side.as_bytes())),
        (2, keys.container_id),
        (5, keys.ecs_task_arn),
        (8, keys.syslog_identifier),
        (12, keys.hostname),
        (13, keys.file.map(str::as_bytes)),
    ];
    Some(named.into_iter().fold(0, |sum, (at, name)| match name {
        Some(name) => mix(sum, at, name),
        None => sum,
    }))
}

/// Mixes one name, with its place, into a sum.
fn mix(sum: u64, place: u64, name: &[u8]) -> u64 {
    hash::mix(sum ^ hash::text_hash(name), place << 32 | 0x9e37_79b9)
}

/// Where a record's identity stands.
pub(super) enum Source<'a> {
    Host,
    /// An OpenTelemetry record, with its group where the host keeps one.
    Otlp(Option<Group<'a>>),
}

/// A name as text; one that is no UTF-8 names nobody.
fn own(bytes: &[u8]) -> Option<&str> {
    str::from_utf8(bytes).ok()
}

fn text<'a>(map: Map<'a>, key: &str) -> Option<&'a str> {
    map.get(key).as_ref().and_then(Item::text)
}

fn is_engine_unit(unit: &str) -> bool {
    ["docker", "containerd", "podman", "libpod", "crio"]
        .iter()
        .any(|engine| unit.starts_with(engine))
}

/// `shop:7` without its revision.
fn family(definition: &str) -> &str {
    definition
        .split_once(':')
        .map_or(definition, |(name, _)| name)
}

/// The container's own name in `ecs-<family>-<revision>-<container>-<hash>`.
fn ecs_container<'a>(engine_name: &'a str, definition: &str) -> Option<&'a str> {
    let (family, revision) = definition.split_once(':')?;
    let rest = engine_name.strip_prefix("ecs-")?.strip_prefix(family)?;
    let rest = rest.strip_prefix('-')?.strip_prefix(revision)?;
    let (name, hash) = rest.strip_prefix('-')?.rsplit_once('-')?;
    let hex = hash.len() >= 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    (hex && !name.is_empty()).then_some(name)
}

/// The container in a FireLens tag.
fn firelens_container(tag: &str) -> Option<&str> {
    const MARK: &str = "-firelens-";
    static MARKS: LazyLock<FinderRev<'static>> = LazyLock::new(|| FinderRev::new(MARK));
    let at = MARKS.rfind(tag.as_bytes())?;
    let (container, task) = (tag.get(..at)?, tag.get(at + MARK.len()..)?);
    (!container.is_empty() && !task.is_empty()).then_some(container)
}

/// Pod, namespace and container in the tag that a tail of `/var/log/containers` gives.
fn kubernetes_tag(tag: &str) -> Option<(&str, &str, &str)> {
    // Asked of every record: most tags hold no such mark.
    memchr::memchr(b'_', tag.as_bytes())?;
    let (_, name) = tag.strip_suffix(".log")?.rsplit_once("containers.")?;
    let mut parts = name.splitn(3, '_');
    let (pod, namespace, last) = (parts.next()?, parts.next()?, parts.next()?);
    let (container, id) = last.rsplit_once('-')?;
    let hex = id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit());
    (hex && !pod.is_empty() && !container.is_empty()).then_some((pod, namespace, container))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::encode;
    use proptest::prelude::*;

    const NAMES: [&str; 14] = [
        "log",
        "container_id",
        "container_name",
        "ecs_task_arn",
        "ecs_task_definition",
        "ecs_cluster",
        "syslog_identifier",
        "_hostname",
        "file_path",
        "_pid",
        "unit",
        "systemd_unit",
        "image",
        "source",
    ];

    proptest! {
        #[test]
        fn the_key_of_a_plain_record_is_the_same_without_reading_its_names(
            named in prop::collection::vec((0..NAMES.len(), "/?(var/log/)?[a-z]{0,12}(\\.log)?"), 0..8),
            tag in "(app|a_b|kube.x)?(-firelens-)?[a-z0-9.]{0,6}",
        ) {
            let mut bytes = Vec::new();
            encode::map(&mut bytes, named.len());
            for (at, value) in &named {
                encode::text(&mut bytes, NAMES[*at].as_bytes());
                encode::text(&mut bytes, value.as_bytes());
            }
            let body = Map::from_bytes(&bytes).unwrap();
            let mut keys = Keys::default();
            keys.read(&[], body);
            let who = Identity::of(&tag, &keys, body, Source::Host);
            if let Some(plain) = plain_stream_key(&tag, &keys, "stdout") {
                prop_assert_eq!(plain, who.stream_key(&tag, "stdout"));
            }
            prop_assert!(!named.is_empty() || tag.contains(['_', '-']) || plain_stream_key(&tag, &keys, "").is_some());
        }
    }
}
