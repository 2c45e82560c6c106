//! Clients of the platforms that run services, as `[service.recover]` names them: where each is, whose
//! token it gets, and which of its instances is our own. A token goes to the address of its own service's
//! platform, and nowhere else.

use crate::config::{aws, credentials, environment};
use crate::model::recovery::{Place, PlatformKind, Policy};
use crate::model::service::TokenSource;
use crate::net::Http;
use crate::pipeline::acting::{Environment, Platforms};
use crate::pipeline::deployed::own_task;
use crate::recover::{self, Ecs, Error, ErrorKind, Fly, Kubernetes, Platform, Supervisor};
use once_cell::sync::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a team's own verbs get of the environment.
const VERB_VARIABLES: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// Where a pod finds its cluster's token and certificate authority.
const POD_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
const POD_CA: &str = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
/// The most that a file of certificates may hold, in bytes.
const CA_LIMIT: u64 = 1 << 20;
/// Variables that flyctl takes a token from.
const FLY_TOKENS: [&str; 2] = ["FLY_API_TOKEN", "FLY_ACCESS_TOKEN"];

/// Makes a client for each policy.
pub fn platforms(http: Http) -> Platforms {
    let task: Arc<OnceCell<String>> = Arc::default();
    Box::new(move |policy| platform(policy, http.clone(), &task))
}

fn platform(
    policy: &Policy,
    http: Http,
    task: &OnceCell<String>,
) -> Result<Box<dyn Platform>, Error> {
    let place = &policy.place;
    match place.platform {
        PlatformKind::Supervisor => {
            Supervisor::new(http, place, reads(place.token.clone())).map(|made| Box::new(made) as _)
        }
        PlatformKind::Fly => {
            let own = environment::variable("FLY_MACHINE_ID");
            let token = place.token.clone().or_else(|| {
                let set = FLY_TOKENS
                    .into_iter()
                    .find(|name| environment::variable(name).is_some());
                set.map(|name| TokenSource::Variable(name.to_owned()))
            });
            Fly::new(http, place, reads(token), own).map(|made| Box::new(made) as _)
        }
        PlatformKind::Ecs => {
            let keys = aws::provider()
                .map_err(|fault| Error::new(ErrorKind::Settings, fault.to_string()))?;
            let own = own_ecs_task(&http, task)?;
            Ecs::new(http, place, keys, own).map(|made| Box::new(made) as _)
        }
        PlatformKind::Kubernetes => kubernetes(place).map(|made| Box::new(made) as _),
    }
}

fn reads(source: Option<TokenSource>) -> recover::Token {
    Box::new(move || source.as_ref().and_then(credentials::read))
}

/// Inside a task nothing is done before it is known which one that is.
fn own_ecs_task(http: &Http, task: &OnceCell<String>) -> Result<Option<String>, Error> {
    let Some(base) = environment::variable("ECS_CONTAINER_METADATA_URI_V4") else {
        return Ok(None);
    };
    let asked = task.get_or_try_init(|| own_task(http, &base));
    match asked {
        Ok(arn) => Ok(Some(arn.clone())),
        Err(why) => Err(Error::new(
            ErrorKind::Unreachable,
            format!("it is not known which task autofix runs in: {why}"),
        )),
    }
}

/// In a pod everything that is not set is where the cluster puts it.
fn kubernetes(place: &Place) -> Result<Kubernetes, Error> {
    let in_pod = environment::variable("KUBERNETES_SERVICE_HOST");
    let api = place.api.clone().or_else(|| {
        let port = environment::variable("KUBERNETES_SERVICE_PORT").unwrap_or("443".to_owned());
        in_pod.as_ref().map(|host| match host.contains(':') {
            true => format!("https://[{host}]:{port}"),
            false => format!("https://{host}:{port}"),
        })
    });
    let there = |path: &str| Path::new(path).exists().then(|| PathBuf::from(path));
    let token = place
        .token
        .clone()
        .or_else(|| there(POD_TOKEN).map(TokenSource::File));
    let own_ca = || match &place.api {
        None => there(POD_CA),
        Some(_) => None,
    };
    let mut network = environment::network();
    // The API server is inside the cluster, and no proxy leads there.
    network.proxy = None;
    if let Some(ca) = place.ca.clone().or_else(own_ca) {
        let text = crate::config::files::read_text(&ca, CA_LIMIT)
            .map_err(|why| Error::new(ErrorKind::Settings, format!("ca_file: {why}")))?;
        network.extra_roots = Some(text.into_bytes());
    }
    let http =
        Http::new(&network).map_err(|fault| Error::new(ErrorKind::Settings, fault.to_string()))?;
    let place = Place {
        api,
        ..place.clone()
    };
    // A pod's host name is its name.
    let own = match &in_pod {
        Some(_) => environment::variable("HOSTNAME"),
        None => None,
    };
    Kubernetes::new(http, &place, reads(token), own)
}

/// What a team's own verbs get of the environment.
pub fn verb_environment() -> Environment {
    let value = |name: &&str| Some(((*name).to_owned(), environment::variable(name)?));
    VERB_VARIABLES.iter().filter_map(value).collect()
}
