//! The names that the host gave the source of a record, as the registry compares them.
//! Only fields that the host set belong here, never anything out of a message.

/// Everything a record's source may be known by; `None` or empty where the record does not say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// The Fluent Bit tag.
    pub tag: &'a str,
    /// The container's own name: Docker, CRI, Kubernetes, ECS.
    pub container: Option<&'a str>,
    /// The name as the container engine gives it, such as `project-service-1`.
    pub engine: Option<&'a str>,
    /// Image reference, such as `ghcr.io/acme/checkout:3f2c1ab`.
    pub image: Option<&'a str>,
    /// Kubernetes or Docker labels: at least those of [`NAME_LABELS`] and of
    /// [`Registry::labels`](crate::registry::Registry::labels) that the source has.
    pub labels: &'a [(&'a str, &'a str)],
    /// systemd unit.
    pub unit: Option<&'a str>,
    /// What the program calls itself towards syslog.
    pub identifier: Option<&'a str>,
    /// fly.io app.
    pub app: Option<&'a str>,
    /// OpenTelemetry `service.name` of the resource.
    pub service: Option<&'a str>,
    /// ECS task definition family.
    pub family: Option<&'a str>,
    /// Kubernetes namespace.
    pub namespace: Option<&'a str>,
    /// Kubernetes pod.
    pub pod: Option<&'a str>,
}

/// Labels that name the service, best first.
pub const NAME_LABELS: [&str; 4] = [
    "app.kubernetes.io/name",
    "app",
    "k8s-app",
    "com.docker.compose.service",
];

impl<'a> Names<'a> {
    /// The names that a service may go by, best first. The tag, the image, the pod and the
    /// namespace are not among them.
    pub fn identity(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let names = *self;
        let labels = NAME_LABELS
            .into_iter()
            .filter_map(move |label| names.label(label));
        [names.service, names.app]
            .into_iter()
            .flatten()
            .chain(labels)
            .chain(
                [
                    names.container,
                    names.engine,
                    names.family,
                    names.unit.map(|unit| unit.trim_end_matches(".service")),
                    names.identifier,
                ]
                .into_iter()
                .flatten(),
            )
            .filter(|name| !name.is_empty())
    }

    /// The label's value.
    pub fn label(&self, name: &str) -> Option<&'a str> {
        let found = self.labels.iter().find(|(label, _)| *label == name);
        found.map(|(_, value)| *value)
    }
}
