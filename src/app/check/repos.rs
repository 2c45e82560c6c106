//! Whether the registry's repositories and commits can be had: local ones are opened, remote
//! ones asked for their list of branches, nothing is fetched.

use crate::config::Options;
use crate::config::credentials::Credentials;
use crate::config::environment;
use crate::log::Log;
use crate::model::CommitId;
use crate::net::{Http, Method, Request};
use crate::registry::{CAPTURE, CommitSource, Complaint, Registry, Service};
use crate::source::{Mirrors, Repo};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Time for one repository.
const WITHIN: Duration = Duration::from_secs(20);

/// Complaints, and lines about what is good.
pub(super) fn check(
    settings: &Options,
    registry: &Registry,
    offline: bool,
) -> (Vec<Complaint>, Vec<String>) {
    let http = match Http::new(&environment::network()) {
        Ok(http) => http,
        Err(error) => {
            let what = format!("the environment's proxy or certificates: {error}");
            return (
                vec![Complaint::fault(
                    Default::default(),
                    what,
                    "mend or unset them",
                )],
                Vec::new(),
            );
        }
    };
    let mut checker = Checker {
        credentials: Credentials::new(settings.forge_token.clone(), registry),
        // Only local repositories are opened through it, so the folder is never made.
        mirrors: Mirrors::new(PathBuf::new(), http.clone(), Log::silent()),
        http,
        offline,
        asked: Vec::new(),
        complaints: Vec::new(),
        good: Vec::new(),
    };
    for service in registry.services() {
        checker.service(service);
    }
    (checker.complaints, checker.good)
}

struct Checker {
    credentials: Credentials,
    mirrors: Mirrors,
    http: Http,
    offline: bool,
    /// Remote addresses that were asked already.
    asked: Vec<String>,
    complaints: Vec<Complaint>,
    good: Vec<String>,
}

impl Checker {
    fn fault(&mut self, service: &Service, what: String, remedy: &str) {
        let what = format!("service `{}`: {what}", service.name);
        self.complaints
            .push(Complaint::fault(service.place.clone(), what, remedy));
    }

    fn warn(&mut self, service: &Service, what: &str, remedy: &str) {
        let what = format!("service `{}`: {what}", service.name);
        self.complaints
            .push(Complaint::warning(service.place.clone(), what, remedy));
    }

    fn service(&mut self, service: &Service) {
        let Some(address) = &service.repo else {
            let what = "no `repo`: incidents and reports, but no diff";
            return self.warn(service, what, "add repo = \"…\"");
        };
        let commit = self.commit(service);
        if address.contains(CAPTURE) {
            return;
        }
        let path = address.strip_prefix("file://").unwrap_or(address);
        if path.starts_with('/') {
            self.local(service, path, commit);
        } else if !self.offline && !self.asked.contains(address) {
            self.asked.push(address.clone());
            self.remote(service, address);
        }
    }

    /// The commit as far as it can be known here.
    fn commit(&mut self, service: &Service) -> Option<CommitId> {
        match &service.commit {
            CommitSource::Fixed(id) => Some(id.clone()),
            CommitSource::Field(_) | CommitSource::Image(_) => None,
            CommitSource::None => {
                let what = "no `commit`: incidents and reports, but no diff";
                self.warn(
                    service,
                    what,
                    "say where the deployed commit is told: commit = \"…\"",
                );
                None
            }
            CommitSource::EcsMetadata => {
                if environment::variable("ECS_CONTAINER_METADATA_URI_V4").is_none() {
                    let what = "commit by ecs-metadata, but this is no ECS task";
                    self.warn(
                        service,
                        what,
                        "in the task ECS_CONTAINER_METADATA_URI_V4 must be set",
                    );
                }
                None
            }
            CommitSource::Env(name) if name.contains(CAPTURE) => None,
            CommitSource::Env(name) => match environment::variable(name) {
                Some(value) => self.commit_text(service, &format!("variable `{name}`"), &value),
                None => {
                    let what = format!("the variable `{name}` of its commit is not set here");
                    self.warn(service, &what, "set it in the host's environment");
                    None
                }
            },
            CommitSource::File(path) => self.commit_file(service, path),
        }
    }

    fn commit_file(&mut self, service: &Service, path: &Path) -> Option<CommitId> {
        let shown = path.display().to_string();
        if shown.contains(CAPTURE) {
            return None;
        }
        match std::fs::read_to_string(path) {
            Ok(text) => self.commit_text(service, &shown, &text),
            Err(error) => {
                let what = format!("the file {shown} of its commit cannot be read here: {error}");
                self.warn(
                    service,
                    &what,
                    "the deploy must write it where the host can read it",
                );
                None
            }
        }
    }

    fn commit_text(&mut self, service: &Service, from: &str, text: &str) -> Option<CommitId> {
        let word = text.split_whitespace().next().unwrap_or_default();
        let id = CommitId::parse(word);
        if id.is_none() {
            let what = format!("{from} holds no commit");
            self.fault(
                service,
                what,
                "it must begin with 7 to 40 hexadecimal digits",
            );
        }
        id
    }

    fn local(&mut self, service: &Service, path: &str, commit: Option<CommitId>) {
        if !Path::new(path).exists() {
            let what = format!("repository {path} is not there");
            return self.fault(
                service,
                what,
                "check the path; in a container it must be mounted",
            );
        }
        let deadline = Instant::now() + WITHIN;
        let repo = match self.mirrors.open(path, &|_| None, deadline) {
            Ok(repo) => repo,
            Err(error) => return self.fault(service, error.to_string(), ""),
        };
        match self.at_commit(&repo, service, commit) {
            Ok(words) => self
                .good
                .push(format!("{path}: repository of {}{words}", service.name)),
            Err(error) => self.fault(service, error.to_string(), ""),
        }
    }

    fn at_commit(
        &mut self,
        repo: &Repo,
        service: &Service,
        commit: Option<CommitId>,
    ) -> Result<String, crate::source::Error> {
        let (at, words) = match &commit {
            Some(id) => (
                repo.resolve(id, &service.branches)?,
                format!(", commit {id} found"),
            ),
            None => (repo.head()?, String::new()),
        };
        let root = format!("{}/", service.root);
        let known = service.root.is_empty()
            || service.root.contains(CAPTURE)
            || repo.paths(at)?.iter().any(|path| path.starts_with(&root));
        if !known {
            let what = format!("`root` {} is not in the repository", service.root);
            self.fault(
                service,
                what,
                "name a folder from the top of the repository",
            );
        }
        Ok(words)
    }

    /// What a clone asks first: the list of branches.
    fn remote(&mut self, service: &Service, address: &str) {
        let url = format!("{address}/info/refs?service=git-upload-pack");
        let host = address.split('/').nth(2).unwrap_or_default();
        let token = self.credentials.for_host(host);
        let mut headers = Vec::new();
        if let Some(token) = &token {
            let pair = format!("x-access-token:{}", token.expose());
            headers.push((
                "authorization",
                format!("Basic {}", base64(pair.as_bytes())),
            ));
        }
        let answer = self.http.send(&Request {
            method: Method::Get,
            url: &url,
            headers,
            body: &[],
            deadline: Instant::now() + WITHIN,
        });
        let response = match answer {
            Ok(response) => response,
            Err(error) => {
                let what = format!("repository {address}: {error}");
                return self.fault(service, what, "can this machine reach it?");
            }
        };
        let git = response
            .content_type
            .starts_with("application/x-git-upload-pack");
        match response.status {
            200 if git => self
                .good
                .push(format!("{address}: repository of {}", service.name)),
            200 => {
                let what = format!("{address} is no git repository");
                self.fault(service, what, "write the address that git clone takes");
            }
            401 | 403 | 404 if token.is_some() => {
                let what = format!("{address} refuses the token, or is not there");
                self.fault(
                    service,
                    what,
                    "check the address, and that the token may read it",
                );
            }
            401 | 403 | 404 => {
                let what = format!("{address} is not there, or private");
                self.fault(
                    service,
                    what,
                    "check the address, or set Forge_Token_Env or _File",
                );
            }
            300..=399 => {
                let what = format!("{address} points to another address");
                self.fault(service, what, "write the address that it points to");
            }
            status => {
                let what = format!("{address} answers with status {status}");
                self.fault(service, what, "try again later");
            }
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let byte = |at: usize| u32::from(part.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let six = (bits >> (18 - 6 * place)) as usize & 63;
            let letter = LETTERS.get(six).copied().unwrap_or(b'=');
            text.push(if place > part.len() {
                '='
            } else {
                char::from(letter)
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_every_length() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
