//! Whether each service's platform can be asked, and what it shows. Nothing is changed there.

use crate::config::environment;
use crate::model::recovery::{Policy, Verb};
use crate::net::Http;
use crate::plugin;
use crate::registry::{Complaint, Registry, Service};
use std::time::{Duration, Instant};

/// How long one platform may take.
const LIMIT: Duration = Duration::from_secs(20);
/// Services whose platforms are asked.
const MOST: usize = 50;

/// Complaints, and lines about what is good.
pub(super) fn check(registry: &Registry, offline: bool) -> (Vec<Complaint>, Vec<String>) {
    let (mut complaints, mut good) = (Vec::new(), Vec::new());
    let with_policy = registry
        .services()
        .iter()
        .filter(|service| !service.is_pattern())
        .filter_map(|service| Some((service, service.recover.as_ref()?)));
    for (service, policy) in with_policy.take(MOST) {
        complaints.extend(pointless(service, policy));
        if offline {
            continue;
        }
        match ask(policy) {
            Ok(line) => good.push(format!("{}: {line}", service.name)),
            Err(why) => {
                let what = format!("[service.recover] of `{}`: {why}", service.name);
                let remedy = "the host must reach the platform with the same settings; --offline leaves this \
                              question out";
                complaints.push(Complaint::warning(service.place.clone(), what, remedy));
            }
        }
    }
    (complaints, good)
}

/// What is allowed so that nothing ever comes of it.
fn pointless(service: &Service, policy: &Policy) -> Option<Complaint> {
    let name = &service.name;
    let place = service.place.clone();
    if policy.verbs.is_empty() {
        let what = format!("[service.recover] of `{name}` allows no verb, so nothing is ever done");
        let remedy = "add verbs = [\"status\", \"releases\", \"restart\", \"rollback\"]";
        return Some(Complaint::warning(place, what, remedy));
    }
    let looks = |verb: &String| Verb::from_word(verb).is_some_and(Verb::looks);
    if !policy.verbs.iter().all(looks) && (policy.per_hour == 0 || policy.per_day == 0) {
        let what = format!("[service.recover] of `{name}` allows no action in an hour or a day");
        return Some(Complaint::warning(
            place,
            what,
            "raise per_hour and per_day",
        ));
    }
    None
}

fn ask(policy: &Policy) -> Result<String, String> {
    let http = Http::new(&environment::network()).map_err(|fault| fault.to_string())?;
    let platform = plugin::platforms(http)(policy).map_err(|fault| fault.to_string())?;
    let state = platform
        .state(Instant::now() + LIMIT)
        .map_err(|fault| fault.to_string())?;
    let place = &policy.place;
    let release = state
        .release
        .map_or(String::new(), |release| format!(" at release {release}"));
    let number = state.instances.len();
    let plural = if number == 1 { "" } else { "s" };
    Ok(format!(
        "{} {} shows {number} instance{plural}{release}; mode {}; allowed: {}",
        place.platform.word(),
        place.target,
        policy.permit.word(),
        policy.verbs.join(", ")
    ))
}
