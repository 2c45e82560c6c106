//! The branches that a repository has just now, asked of the server itself and not of a mirror;
//! and git's lines with a length before them, in which servers say such things.

use crate::net::Secret;
use crate::source::address::{Address, parse};
use crate::source::error::{Error, ErrorKind};
use crate::source::git_setup;
use crate::source::mirror::Mirrors;
use crate::source::transport::Session;
use git2::{ErrorCode, Repository};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Longest list of references that is read.
const LIST_LIMIT: u64 = 64 << 20;

/// The branches of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    branches: BTreeMap<String, String>,
    default: Option<String>,
}

impl Listed {
    /// The full id of a branch's newest commit.
    pub fn tip(&self, branch: &str) -> Option<&str> {
        self.branches.get(branch).map(String::as_str)
    }

    /// The default branch; `None` where there is none, or a server does not say (those that are
    /// asked what they take never do).
    pub fn default_branch(&self) -> Option<&str> {
        self.default.as_deref()
    }
}

/// What a server is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Reads,
    Takes,
}

impl Mirrors {
    /// The branches of a repository, as they are now.
    ///
    /// # Errors
    /// As [`Mirrors::open`].
    pub fn branches(
        &self,
        repo: &str,
        credentials: &dyn Fn(&str) -> Option<Secret>,
        deadline: Instant,
    ) -> Result<Listed, Error> {
        self.listed(repo, credentials, deadline, Service::Reads)
    }

    /// The same, from a server that would take new branches under these credentials; nothing is
    /// written. A local repository is not asked: only writing would tell.
    ///
    /// # Errors
    /// As [`Mirrors::open`]; `Denied` where the server would take nothing.
    pub fn would_take(
        &self,
        repo: &str,
        credentials: &dyn Fn(&str) -> Option<Secret>,
        deadline: Instant,
    ) -> Result<Listed, Error> {
        self.listed(repo, credentials, deadline, Service::Takes)
    }

    fn listed(
        &self,
        repo: &str,
        credentials: &dyn Fn(&str) -> Option<Secret>,
        deadline: Instant,
        service: Service,
    ) -> Result<Listed, Error> {
        git_setup::ensure()?;
        match parse(repo)? {
            Address::Local(path) => of_folder(&path, repo),
            Address::Remote { url, host, .. } => {
                let session = self.session(&url, credentials(&host), deadline);
                of_server(&session, &url, service)
            }
        }
    }

    pub(super) fn session(
        &self,
        url: &str,
        secret: Option<Secret>,
        deadline: Instant,
    ) -> Arc<Session> {
        Session::new(self.http().clone(), url, secret, deadline, LIST_LIMIT)
    }
}

pub(super) fn of_server(session: &Session, url: &str, service: Service) -> Result<Listed, Error> {
    let name = match service {
        Service::Reads => "git-upload-pack",
        Service::Takes => "git-receive-pack",
    };
    let said = session.advertised(name)?;
    read(&said).ok_or_else(|| {
        let what = format!("{url}: its list of branches cannot be read");
        Error::new(ErrorKind::Network, what)
    })
}

fn of_folder(path: &Path, name: &str) -> Result<Listed, Error> {
    let git = open(path, name)?;
    let mut listed = Listed::default();
    for reference in git.references_glob("refs/heads/*")? {
        let reference = reference?;
        let (Ok(name), Some(id)) = (reference.name(), reference.target()) else {
            continue;
        };
        if let Some(branch) = name.strip_prefix("refs/heads/") {
            listed.branches.insert(branch.to_owned(), id.to_string());
        }
    }
    match git.find_reference("HEAD") {
        Ok(head) => {
            let target = head.symbolic_target().ok().flatten();
            let branch = target.and_then(|name| name.strip_prefix("refs/heads/"));
            listed.default = branch.map(str::to_owned);
        }
        Err(e) if e.code() == ErrorCode::NotFound => {}
        Err(e) => return Err(e.into()),
    }
    Ok(listed)
}

/// Opens a repository in this very folder, to be written to.
pub(super) fn open(path: &Path, name: &str) -> Result<Repository, Error> {
    let none: [&Path; 0] = [];
    let flags = git2::RepositoryOpenFlags::NO_SEARCH;
    Repository::open_ext(path, flags, none)
        .map_err(|e| crate::source::repo::explain_open(path, name, &e))
}

/// An advertisement of references.
fn read(said: &[u8]) -> Option<Listed> {
    let mut listed = Listed::default();
    for line in lines(said)? {
        let (line, abilities) = match line.iter().position(|byte| *byte == 0) {
            Some(at) => (line.get(..at)?, line.get(at + 1..)?),
            None => (line, &[][..]),
        };
        let Ok(line) = std::str::from_utf8(line) else {
            continue;
        };
        for ability in String::from_utf8_lossy(abilities).split_whitespace() {
            if let Some(branch) = ability.strip_prefix("symref=HEAD:refs/heads/") {
                listed.default = Some(branch.to_owned());
            }
        }
        let named = line.trim_end().split_once(" refs/heads/");
        if let Some((id, branch)) = named.filter(|(id, _)| is_id(id)) {
            listed.branches.insert(branch.to_owned(), id.to_owned());
        }
    }
    Some(listed)
}

fn is_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The lines of an answer; `None` where a length is wrong or what it promises is missing.
pub(super) fn lines(mut rest: &[u8]) -> Option<Vec<&[u8]>> {
    let mut lines = Vec::new();
    while !rest.is_empty() {
        let length = std::str::from_utf8(rest.get(..4)?).ok()?;
        match usize::from_str_radix(length, 16).ok()? {
            // The end of a part.
            0 => rest = rest.get(4..)?,
            length => {
                lines.push(rest.get(4..length)?);
                rest = rest.get(length..)?;
            }
        }
    }
    Some(lines)
}

/// A line with its length before it.
pub(super) fn line(text: &str) -> Vec<u8> {
    format!("{:04x}{text}", text.len() + 4).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_references_is_read() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let mut said = line("# service=git-upload-pack\n");
        said.extend(b"0000");
        said.extend(line(&format!(
            "{id} HEAD\0multi_ack symref=HEAD:refs/heads/main agent=x\n"
        )));
        said.extend(line(&format!("{id} refs/heads/main\n")));
        said.extend(line(&format!("{id} refs/heads/a/b\n")));
        said.extend(line(&format!("{id} refs/tags/v1\n")));
        said.extend(b"0000");
        let listed = read(&said).unwrap();
        assert_eq!(listed.default_branch(), Some("main"));
        assert_eq!((listed.tip("a/b"), listed.tip("v1")), (Some(id), None));
    }

    #[test]
    fn nonsense_is_no_list() {
        for said in [
            &b"00"[..],
            b"zzzz",
            b"0003",
            b"00ffshort",
            b"\xff\xff\xff\xff",
        ] {
            assert!(read(said).is_none(), "{said:?}");
        }
        assert_eq!(read(b"").unwrap(), Listed::default());
    }
}
