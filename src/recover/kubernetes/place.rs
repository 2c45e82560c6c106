//! Where a Deployment stands: the address of its API server, its namespace and its name, checked; and
//! the addresses of what belongs to it. Sends nothing.

use crate::net::{encoded, is_loopback};
use crate::recover::error::{Error, ErrorKind, shown};

/// One Deployment, by its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    /// Without a slash at its end.
    api: String,
    pub namespace: String,
    pub name: String,
}

impl Site {
    /// # Errors
    /// For a target that is no `namespace/deployment`, and for an address that is no `https://` one
    /// (`http://` on this machine only).
    pub fn parse(target: &str, api: Option<&str>) -> Result<Site, Error> {
        let refuse = |what: String| Err(Error::new(ErrorKind::Settings, what));
        let Some((namespace, name)) = target.split_once('/') else {
            return refuse(format!(
                "target `{}` is no namespace/deployment; write both, such as shop/checkout",
                shown(target)
            ));
        };
        if !is_label(namespace) {
            return refuse(format!(
                "target: `{}` is no name of a namespace; it has small letters, digits and -",
                shown(namespace)
            ));
        }
        if !is_name(name) {
            return refuse(format!(
                "target: `{}` is no name of a Deployment; it has small letters, digits, - and .",
                shown(name)
            ));
        }
        let Some(api) = api else {
            return refuse(
                "the address of the API server is missing; set api = \"https://HOST:PORT\"".into(),
            );
        };
        Ok(Site {
            api: address(api)?,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The Deployment itself.
    pub fn deployment(&self) -> String {
        format!("{}/{}", self.apps("deployments"), self.name)
    }

    pub fn replica_sets(&self) -> String {
        self.apps("replicasets")
    }

    pub fn pods(&self) -> String {
        format!("{}/api/v1/namespaces/{}/pods", self.api, self.namespace)
    }

    /// `name` was checked, and is encoded all the same.
    pub fn pod(&self, name: &str) -> String {
        format!("{}/{}", self.pods(), encoded(name, ""))
    }

    pub fn autoscalers(&self) -> String {
        let (api, namespace) = (&self.api, &self.namespace);
        format!("{api}/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers")
    }

    fn apps(&self, kind: &str) -> String {
        let (api, namespace) = (&self.api, &self.namespace);
        format!("{api}/apis/apps/v1/namespaces/{namespace}/{kind}")
    }
}

fn address(text: &str) -> Result<String, Error> {
    let refuse = |why: &str| {
        let what = format!("api = `{}`: {why}", shown(text));
        Err(Error::new(ErrorKind::Settings, what))
    };
    let text = text.trim().trim_end_matches('/');
    let rest = match text.split_once("://") {
        Some(("https", rest)) => rest,
        Some(("http", rest)) if is_loopback(text) => rest,
        Some(("http", _)) => return refuse("http:// is for this machine only; use https://"),
        _ => return refuse("the API server is spoken to at an https:// address"),
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/[]".contains(&b);
    if authority.is_empty() || !rest.bytes().all(plain) || rest.contains("..") {
        return refuse("write https://HOST:PORT, without user, password, query or blanks");
    }
    Ok(text.to_owned())
}

/// A label of DNS (RFC 1123): names of namespaces.
fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let ends = !text.starts_with('-') && !text.ends_with('-');
    (1..=63).contains(&text.len()) && ends && text.bytes().all(inner)
}

/// Labels with dots between: names of Deployments and pods.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_knows_its_addresses() {
        let site = Site::parse("shop/checkout", Some("https://10.0.0.1:443/")).unwrap();
        let apps = "https://10.0.0.1:443/apis/apps/v1/namespaces/shop";
        assert_eq!(site.deployment(), format!("{apps}/deployments/checkout"));
        assert_eq!(site.replica_sets(), format!("{apps}/replicasets"));
        let pod = "https://10.0.0.1:443/api/v1/namespaces/shop/pods/a-b";
        assert_eq!(site.pod("a-b"), pod);
    }

    #[test]
    fn what_could_lead_elsewhere_is_refused_with_a_remedy() {
        let api = Some("https://10.0.0.1");
        for target in [
            "checkout",
            "shop/",
            "/checkout",
            "shop/../pods",
            "shop/a/b",
            "Shop/checkout",
            "shop/check out",
            "shop/-a",
            "shop/a?x=1",
            "shop/a%2f",
            "shop.x/a",
        ] {
            let fault = Site::parse(target, api).unwrap_err();
            assert_eq!(fault.kind, ErrorKind::Settings, "{target}");
        }
        for api in [
            "http://10.0.0.1",
            "10.0.0.1",
            "https://",
            "https://u:p@host",
            "https://host/?x",
            "https://host/a/../b",
            "ftp://host",
        ] {
            let fault = Site::parse("shop/checkout", Some(api)).unwrap_err();
            assert_eq!(fault.kind, ErrorKind::Settings, "{api}");
        }
        assert!(Site::parse("shop/checkout", None).is_err());
        assert!(Site::parse("shop/checkout", Some("http://127.0.0.1:8001")).is_ok());
        assert!(Site::parse("shop/checkout", Some("https://[fd00::1]:6443")).is_ok());
        assert!(Site::parse("shop/v1.checkout", Some("https://h/k8s/clusters/c-1")).is_ok());
    }
}
