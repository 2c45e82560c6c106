//! A Deployment on Kubernetes, over the API server's HTTP interface: what it and its pods show, and the
//! few changes that `kubectl` makes to one. No `kubectl` is run, nothing but this Deployment and what
//! belongs to it is looked at, and nothing here decides whether a change should happen.

mod place;

use crate::model::recovery::Place;
use crate::net::Http;
use crate::recover::{Error, Token};
use place::Site;

/// One Deployment.
pub struct Kubernetes {
    http: Http,
    site: Site,
    /// Read at each call: the kubelet renews it.
    token: Token,
    /// Name of the pod that autofix itself runs in.
    own: Option<String>,
}

impl Kubernetes {
    /// `http` trusts the cluster's own certificate authority; `own` is the pod that we run in.
    ///
    /// # Errors
    /// For a place that names no Deployment or no API server.
    pub fn new(
        http: Http,
        place: &Place,
        token: Token,
        own: Option<String>,
    ) -> Result<Kubernetes, Error> {
        Ok(Kubernetes {
            http,
            site: Site::parse(&place.target, place.api.as_deref())?,
            token,
            own,
        })
    }
}
