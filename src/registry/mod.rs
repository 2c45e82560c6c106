//! The registry: which services there are, whose records are whose, and where the code lies.
//! Text in, nouns out. Reading the files, and rereading them, is done above.
//!
//! # `match`
//!
//! A match is `GLOB` or `KIND:GLOB`. In a glob `*` stands for any run of characters, `?` for any
//! one, everything else for itself; upper and lower case differ; it covers the whole name.
//!
//! - `checkout-*`: any name of the source (OpenTelemetry `service.name`, the fly app, the labels
//!   `app.kubernetes.io/name`, `app`, `k8s-app` and Docker Compose's service, the container, the
//!   ECS family, the systemd unit without `.service`, the syslog identifier), or the tag.
//! - `tag:` `container:` `image:` `unit:` `app:` `service:` `family:` `namespace:` `pod:` compare
//!   one name; `label:NAME=GLOB` compares a label.
//! - A list holds if any of its entries does. A table (`{ container = "web", namespace = "shop" }`)
//!   holds if all its entries do; the key is the kind. A list may contain tables.
//! - Without `match`, a service's records are those whose source has its name.
//!
//! # Patterns
//!
//! `{service}` in a `name` makes the block stand for many services. Each alternative of `match`
//! must then hold `{service}` once; it captures letters, digits, `.`, `_`, `-`, as many as it
//! can. What it captured replaces `{service}` in every other key. Without `match` the name itself
//! is compared with the names of the source. A capture without a kind looks at the tag only
//! where the source has no other name.
//!
//! # Inputs
//!
//! `inputs` are tags, with `*` and `?`, under which failure events of the service's platform come; in
//! a pattern each holds `{service}`. No tag may be of two services. A record under such a tag is an
//! event of this service and no log, whoever `match` would give it to. A sender to an `http` or
//! `forward` input can choose its tag, so an event should hold a secret: `inputs_secret_env` or
//! `inputs_secret_file` say where it stands.
//!
//! # Order
//!
//! A service whose literal name or match is one of the source's names comes first, then other
//! matches, then patterns; among equals the one that stands first.

pub mod commit;
pub mod complaint;
mod inputs;
pub mod names;
pub mod notify;
mod own_verb;
mod parse;
mod recover;
mod repo;
mod secret;
mod selector;
pub mod service;
pub mod sheet;

pub use commit::{CommitSource, commit_of_image};
pub use complaint::{Complaint, Place, Severity, suggest};
pub use names::Names;
pub use notify::{NOTIFY_KEYS, Notify};
pub use parse::SERVICE_KEYS;
pub use recover::RECOVER_KEYS;
pub use repo::{check_address, check_name};
pub use selector::{CAPTURE, Selector};
pub use service::Service;

use std::borrow::Cow;
use std::collections::HashMap;

/// One TOML text with the name of its file as complaints show it.
#[derive(Clone, Debug)]
pub struct Text {
    pub file: String,
    pub text: String,
}

/// The checked services, and who is told of what becomes of them. Immutable: a change makes a new one.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    services: Vec<Service>,
    notify: Vec<Notify>,
    /// Services that are found by a literal name.
    literal: HashMap<String, usize>,
    /// Other services, then patterns, in the order of the files.
    others: Vec<usize>,
    inputs: inputs::Inputs,
    warnings: Vec<Complaint>,
}

/// A record's service.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// A pattern comes bound to the name that it captured.
    pub service: Cow<'a, Service>,
}

impl Found<'_> {
    pub fn name(&self) -> &str {
        &self.service.name
    }
}

impl Registry {
    /// Reads the texts in order. One fault in any of them refuses all; every fault is told.
    pub fn parse(texts: &[Text]) -> Result<Registry, Vec<Complaint>> {
        Registry::parse_beside(texts, &[])
    }

    /// The same for texts in which other keys stand beside `[[service]]`; whoever knows them reads
    /// them.
    pub fn parse_beside(texts: &[Text], beside: &[&str]) -> Result<Registry, Vec<Complaint>> {
        let mut complaints = Vec::new();
        let (mut services, mut notify) = (Vec::new(), Vec::new());
        for Text { file, text } in texts {
            let mut read = parse::text(file, text, beside, &mut complaints);
            services.append(&mut read.services);
            notify.append(&mut read.notify);
        }
        check_between(&services, &mut complaints);
        inputs::check_between(&services, &mut complaints);
        notify::check_between(&notify, &services, &mut complaints);
        // Stable: the files stay in their order, the lines of each ascend.
        let order = |file: &Option<String>| {
            texts
                .iter()
                .position(|text| Some(&text.file) == file.as_ref())
        };
        complaints.sort_by_key(|complaint| (order(&complaint.place.file), complaint.place.line));
        if complaints.iter().any(Complaint::is_fault) {
            return Err(complaints);
        }
        Ok(Registry {
            notify,
            warnings: complaints,
            ..Registry::of(services)
        })
    }

    /// A registry of services that were checked elsewhere.
    pub fn of(services: Vec<Service>) -> Registry {
        let mut literal = HashMap::new();
        let (mut plain, mut patterns) = (Vec::new(), Vec::new());
        for (at, service) in services.iter().enumerate() {
            match service.selector.literal_names() {
                Some(names) => {
                    for name in names {
                        literal.entry(name.to_owned()).or_insert(at);
                    }
                }
                None if service.is_pattern() => patterns.push(at),
                None => plain.push(at),
            }
        }
        plain.append(&mut patterns);
        Registry {
            inputs: inputs::Inputs::of(&services),
            services,
            notify: Vec::new(),
            literal,
            others: plain,
            warnings: Vec::new(),
        }
    }

    /// The service of a record. Costs a look-up for services found by their literal name, and a
    /// comparison for each other match: callers keep the answer per source.
    pub fn find(&self, names: &Names<'_>) -> Option<Found<'_>> {
        let tag = Some(names.tag).filter(|tag| !tag.is_empty());
        let literal = names
            .identity()
            .chain(tag)
            .find_map(|name| self.literal.get(name));
        if let Some(service) = literal.and_then(|at| self.services.get(*at)) {
            return Some(Found {
                service: Cow::Borrowed(service),
            });
        }
        let others = self.others.iter().filter_map(|at| self.services.get(*at));
        others.into_iter().find_map(|service| {
            let captured = service.selector.matches(names)?;
            let service = match captured {
                Some(captured) => Cow::Owned(bound(service, &captured)?),
                None => Cow::Borrowed(service),
            };
            Some(Found { service })
        })
    }

    /// Whether some service declares a tag for failure events.
    pub fn has_inputs(&self) -> bool {
        !self.inputs.is_empty()
    }

    /// The service that declares the tag for its failure events.
    pub fn by_input(&self, tag: &str) -> Option<Found<'_>> {
        let (at, captured) = self.inputs.find(tag)?;
        let service = self.services.get(at)?;
        let service = match captured {
            Some(captured) => Cow::Owned(bound(service, &captured)?),
            None => Cow::Borrowed(service),
        };
        Some(Found { service })
    }

    /// The service of that name; a pattern's comes bound to it.
    pub fn named(&self, name: &str) -> Option<Found<'_>> {
        if let Some(service) = self.services.iter().find(|service| service.name == name) {
            return Some(Found {
                service: Cow::Borrowed(service),
            });
        }
        let mut patterns = self.services.iter().filter(|service| service.is_pattern());
        patterns.find_map(|service| {
            let captured = Selector::capture_of_name(&service.name, name)?;
            Some(Found {
                service: Cow::Owned(bound(service, &captured)?),
            })
        })
    }

    /// The labels that some `match` compares: what a caller has to look up for [`Names`], beside
    /// [`names::NAME_LABELS`].
    pub fn labels(&self) -> Vec<&str> {
        let services = self.services.iter();
        let mut labels: Vec<&str> = services.flat_map(|s| s.selector.labels()).collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }

    /// All of them, patterns unbound, in the order of the files.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// Who is told of incidents and fixes, in the order of the files.
    pub fn notify(&self) -> &[Notify] {
        &self.notify
    }

    /// What works, but probably not as meant.
    pub fn warnings(&self) -> &[Complaint] {
        &self.warnings
    }
}

/// A pattern's service, if what it captured makes a name; it may have become too long.
fn bound(pattern: &Service, captured: &str) -> Option<Service> {
    let service = pattern.bind(captured);
    check_name(&service.name).is_ok().then_some(service)
}

/// What no single block can know: names twice, neighbours that are not there or not one's own.
fn check_between(services: &[Service], complaints: &mut Vec<Complaint>) {
    let mut first: HashMap<&str, &Service> = HashMap::new();
    for service in services {
        if let Some(other) = first.get(service.name.as_str()) {
            let what = format!("a second service called `{}`", service.name);
            let remedy = format!("the first stands in {}; rename one", shown(&other.place));
            complaints.push(Complaint::fault(service.place.clone(), what, remedy));
        } else {
            first.insert(&service.name, service);
        }
    }
    for service in services {
        for neighbour in &service.context_from {
            if let Some(complaint) = check_neighbour(service, neighbour, &first) {
                complaints.push(complaint);
            }
        }
    }
}

fn check_neighbour(
    service: &Service,
    neighbour: &str,
    all: &HashMap<&str, &Service>,
) -> Option<Complaint> {
    let place = service.place.clone();
    let pattern = || {
        let mut services = all.values().filter(|other| other.is_pattern());
        services.find(|other| Selector::capture_of_name(&other.name, neighbour).is_some())
    };
    let Some(other) = all.get(neighbour).or_else(pattern) else {
        let names: Vec<&str> = all.keys().copied().collect();
        let remedy = match suggest(neighbour, names) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "name a service of this registry".to_owned(),
        };
        let what = format!(
            "`context_from` of `{}` names no service: `{neighbour}`",
            service.name
        );
        return Some(Complaint::fault(place, what, remedy));
    };
    (other.owner != service.owner).then(|| {
        let what = format!(
            "`context_from` of `{}` names `{neighbour}`, which has another owner",
            service.name
        );
        Complaint::fault(place, what, "context does not cross owners; take it out")
    })
}

fn shown(place: &Place) -> String {
    match (&place.file, place.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.clone(),
        (None, _) => "the keys".to_owned(),
    }
}

#[cfg(test)]
mod tests;
