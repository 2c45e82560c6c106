//! Where a service of ECS is: its cluster and name, its region, and the addresses that are asked for
//! it. All of it is checked here, before anything is sent. Sends nothing.

use crate::model::recovery;
use crate::net::is_loopback;
use crate::recover::{Error, ErrorKind};

/// The longest name that ECS has.
const LONGEST: usize = 255;

/// What begins a region's name, and the domain of the services there. The first that fits holds.
const DOMAINS: &[(&str, &str)] = &[
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    // Regions of GovCloud, too.
    ("", "amazonaws.com"),
];

/// A service's place, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub cluster: String,
    pub service: String,
    pub region: String,
    /// Asked instead of the region's own addresses; without a slash at its end.
    api: Option<String>,
}

impl Place {
    /// # Errors
    /// When the target, the region or the address cannot be one.
    pub fn of(place: &recovery::Place) -> Result<Place, Error> {
        let wrong = |what: &str| Error::new(ErrorKind::Settings, what);
        let target = "target: a service of ECS is named as CLUSTER/SERVICE, both of letters, digits, \
                      - and _";
        let (cluster, service) = place
            .target
            .split_once('/')
            .filter(|(cluster, service)| is_name(cluster) && is_name(service))
            .ok_or_else(|| wrong(target))?;
        let region = place.region.as_deref().unwrap_or_default();
        if !is_region(region) {
            return Err(wrong(
                "region: ECS needs the region of the service, such as eu-central-1",
            ));
        }
        let api = place.api.as_deref().map(address).transpose()?;
        Ok(Place {
            cluster: cluster.to_owned(),
            service: service.to_owned(),
            region: region.to_owned(),
            api,
        })
    }

    /// The address of one of Amazon's services in a region, without a slash at its end.
    pub fn address(&self, service: &str, region: &str) -> String {
        match &self.api {
            Some(api) => api.clone(),
            None => {
                let fits = |(begin, _): &&(&str, &str)| region.starts_with(begin);
                let domain = DOMAINS.iter().find(fits);
                let domain = domain.map_or("amazonaws.com", |(_, domain)| domain);
                format!("https://{service}.{region}.{domain}")
            }
        }
    }
}

/// Whether ECS could call a cluster, a service, a family or a task so.
pub(super) fn is_name(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(good)
}

/// Whether it could be a region: it becomes a part of an address.
pub(super) fn is_region(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.len() <= 40 && text.bytes().all(good)
}

/// An address of one's own: a scheme and a host, nothing else.
fn address(text: &str) -> Result<String, Error> {
    let wrong = |why: &str| Err(Error::new(ErrorKind::Settings, format!("api: {why}")));
    let text = text.trim().trim_end_matches('/');
    let host = match text.split_once("://") {
        Some(("https", host)) => host,
        Some(("http", host)) if is_loopback(text) => host,
        Some(("http", _)) => return wrong("http:// is for this machine only; use https://"),
        _ => return wrong("the address must begin with https://"),
    };
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b':' | b'[' | b']');
    if host.is_empty() || !host.bytes().all(good) {
        return wrong("the address must be https://HOST or https://HOST:PORT, and no more");
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::recovery::PlatformKind;

    fn place(target: &str, region: Option<&str>, api: Option<&str>) -> Result<Place, Error> {
        Place::of(&recovery::Place {
            platform: PlatformKind::Ecs,
            target: target.to_owned(),
            api: api.map(str::to_owned),
            region: region.map(str::to_owned),
            token: None,
            ca: None,
            releases: None,
            current: None,
        })
    }

    #[test]
    fn each_region_has_its_domain() {
        let place = place("prod/checkout", Some("eu-central-1"), None).unwrap();
        for (region, address) in [
            ("eu-central-1", "https://ecs.eu-central-1.amazonaws.com"),
            ("us-gov-west-1", "https://ecs.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "https://ecs.cn-north-1.amazonaws.com.cn"),
            ("us-iso-east-1", "https://ecs.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", "https://ecs.us-isob-east-1.sc2s.sgov.gov"),
            ("eusc-de-east-1", "https://ecs.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(place.address("ecs", region), address);
        }
    }

    #[test]
    fn an_address_of_ones_own_holds_for_every_service() {
        let own = place("a/b", Some("eu-west-1"), Some("http://127.0.0.1:5000/")).unwrap();
        for service in ["ecs", "logs"] {
            assert_eq!(own.address(service, "eu-west-1"), "http://127.0.0.1:5000");
        }
    }

    #[test]
    fn what_cannot_be_a_place_is_refused_by_the_name_of_its_key() {
        for (target, region, api, key) in [
            ("checkout", Some("eu-west-1"), None, "target"),
            ("prod/", Some("eu-west-1"), None, "target"),
            ("prod/a/b", Some("eu-west-1"), None, "target"),
            ("prod/a\"b", Some("eu-west-1"), None, "target"),
            ("prod/a", None, None, "region"),
            ("prod/a", Some("evil.example/"), None, "region"),
            (
                "prod/a",
                Some("eu-west-1"),
                Some("http://ecs.example"),
                "api",
            ),
            (
                "prod/a",
                Some("eu-west-1"),
                Some("https://me:s@host"),
                "api",
            ),
            (
                "prod/a",
                Some("eu-west-1"),
                Some("https://host/path"),
                "api",
            ),
            ("prod/a", Some("eu-west-1"), Some("ecs.example"), "api"),
        ] {
            let error = place(target, region, api).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Settings);
            assert!(error.what.starts_with(key), "{error}");
        }
    }
}
