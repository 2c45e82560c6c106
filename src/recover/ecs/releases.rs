//! The releases of a service of ECS: the newest revisions of its task definition that can be deployed,
//! and the one that runs.

use super::Ecs;
use super::shapes::{Service, family_of, release_of};
use crate::model::recovery::Release;
use crate::recover::error::shown;
use crate::recover::{Error, ErrorKind};
use crate::registry::commit_of_image;
use std::time::Instant;

/// Each takes a request of its own.
const SHOWN: usize = 20;

impl Ecs {
    pub(super) fn released(&self, until: Instant) -> Result<Vec<Release>, Error> {
        let service = self.service(until)?;
        let Some(current) = service.task_definition.as_deref().map(release_of) else {
            let what = "the service has no task definition of its own: its task sets have, which \
                        another deployment controller makes";
            return Err(Error::new(ErrorKind::Unsupported, what));
        };
        let Some((family, _)) = family_of(current) else {
            let what = format!("the service runs {}, which is no release", shown(current));
            return Err(Error::new(ErrorKind::Invalid, what));
        };
        let mut names = self.active_releases(family, until)?;
        names.truncate(SHOWN);
        // It may be older, or may have been deregistered while it runs.
        if !names.iter().any(|name| name == current) {
            names.push(current.to_owned());
        }
        // Newest first.
        names.sort_by_key(|name| std::cmp::Reverse(family_of(name).map(|(_, revision)| revision)));
        let mut releases = Vec::new();
        for id in names {
            let found = self.definition(&id, until)?;
            let image = found
                .main()
                .map_or("", |container| container.image.as_str());
            releases.push(Release {
                name: shown(image),
                made: found.registered_at.map(|at| at.timestamp()),
                current: id == current,
                commit: commit_of_image(image),
                good: service.did_well(&id),
                id,
            });
        }
        Ok(releases)
    }
}

impl Service {
    /// What the deployments that ECS still shows say of a release.
    fn did_well(&self, release: &str) -> Option<bool> {
        let of = || {
            self.deployments
                .iter()
                .filter(|one| one.release() == release)
        };
        match (
            of().any(|one| one.is("FAILED")),
            of().any(|one| one.is("COMPLETED")),
        ) {
            (true, _) => Some(false),
            (false, true) => Some(true),
            (false, false) => None,
        }
    }
}
