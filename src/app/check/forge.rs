//! Whether pull requests could be made: each service's code host is asked what the token may do. Nothing
//! is written there.

use crate::config::{Complaint, Options, environment};
use crate::log::Log;
use crate::net::Http;
use crate::plugin;
use crate::registry::{Registry, Service};
use crate::source::Mirrors;
use std::path::PathBuf;

/// Complaints, and lines about what is good.
pub(super) fn check(
    settings: &Options,
    registry: &Registry,
    offline: bool,
) -> (Vec<Complaint>, Vec<String>) {
    let (mut complaints, mut good) = (Vec::new(), Vec::new());
    let http = match Http::new(&environment::network()) {
        Ok(http) => http,
        // Said where the repositories are looked at.
        Err(_) => return (complaints, good),
    };
    // Asked, not opened: the folder is never made.
    let mirrors = Mirrors::new(PathBuf::new(), http.clone(), Log::silent());
    let forges = plugin::forges(http, mirrors);
    let mut asked = Vec::new();
    for service in registry.services().iter().filter(|one| !one.is_pattern()) {
        let resolved = settings.settings(service);
        if !resolved.deliver || resolved.repo.is_none() {
            continue;
        }
        let place = (resolved.repo.clone(), resolved.forge.clone());
        if asked.contains(&place) {
            continue;
        }
        asked.push(place);
        let forge = match forges(&resolved) {
            Ok(forge) => forge,
            Err(fault) => {
                complaints.push(fault_of(service, fault.to_string()));
                continue;
            }
        };
        if offline {
            continue;
        }
        match forge.rights(resolved.forge.base.as_deref()) {
            Err(fault) => complaints.push(warning_of(service, fault.to_string(), "")),
            Ok(rights) => {
                if rights.missing.is_empty() {
                    good.push(format!("{}: pull requests can be made", service.name));
                }
                let missing = rights.missing.into_iter();
                complaints.extend(missing.map(|what| fault_of(service, what)));
                let unknown = rights.unknown.into_iter();
                complaints.extend(unknown.map(|what| warning_of(service, what, "")));
                if rights.may_push_to_base {
                    complaints.push(warning_of(
                        service,
                        "the token could push to the branch that takes pull requests; autofix never \
                         does"
                            .to_owned(),
                        "protect the branch, or name a fork of the bot as `fork` of [service.forge]",
                    ));
                }
            }
        }
    }
    (complaints, good)
}

fn fault_of(service: &Service, what: String) -> Complaint {
    let what = format!("service `{}`: {what}", service.name);
    Complaint::fault(service.place.clone(), what, "")
}

fn warning_of(service: &Service, what: String, remedy: &str) -> Complaint {
    let what = format!("service `{}`: {what}", service.name);
    Complaint::warning(service.place.clone(), what, remedy)
}
